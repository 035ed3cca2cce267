// The bytes of one fuzzing input, taken from the front; when they are used up, every number is 0.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace rollcall::fuzz {

class Input {
public:
    Input(const std::uint8_t* data, std::size_t size) noexcept : rest_(reinterpret_cast<const char*>(data), size) {}

    template <class Number>
    Number take() noexcept {
        Number number{};
        const std::size_t bytes = std::min(sizeof number, rest_.size());
        std::memcpy(&number, rest_.data(), bytes);
        rest_.remove_prefix(bytes);
        return number;
    }
    std::string_view take_text(std::size_t length) noexcept {
        const std::string_view text = rest_.substr(0, length);
        rest_.remove_prefix(text.size());
        return text;
    }
    std::string_view rest() const noexcept { return rest_; }
    bool is_empty() const noexcept { return rest_.empty(); }

private:
    std::string_view rest_;
};

// What must hold whatever the input is. A violation ends the process like any other finding.
inline void must(bool holds, std::string_view what) {
    if (holds) return;
    std::fprintf(stderr, "fuzz: broken promise: %.*s\n", static_cast<int>(what.size()), what.data());
    std::abort();
}

}  // namespace rollcall::fuzz
