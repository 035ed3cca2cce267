// Numbers and texts one behind the other, little-endian. Whoever reads asks for what should be there, and once at the end whether it was.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace rollcall {

class ByteWriter {
public:
    ByteWriter& number(std::uint64_t value, std::size_t bytes) {
        for (std::size_t i = 0; i < bytes; ++i) out_.push_back(static_cast<char>(value >> 8 * i));
        return *this;
    }
    ByteWriter& text(std::string_view bytes) {
        out_.append(bytes);
        return *this;
    }
    // With its length in front, in so many bytes.
    ByteWriter& sized(std::string_view bytes, std::size_t length_bytes) { return number(bytes.size(), length_bytes).text(bytes); }

    std::size_t size() const noexcept { return out_.size(); }
    std::string take() { return std::move(out_); }

private:
    std::string out_;
};

// Once more was asked for than there is, everything is zero and empty.
class ByteReader {
public:
    explicit ByteReader(std::string_view bytes) : left_(bytes) {}

    std::string_view text(std::size_t count) {
        is_short_ = is_short_ || count > left_.size();
        if (is_short_) return {};
        const std::string_view taken = left_.substr(0, count);
        left_.remove_prefix(count);
        return taken;
    }
    std::uint64_t number(std::size_t bytes) {
        static_assert(std::endian::native == std::endian::little);
        std::uint64_t value = 0;
        const std::string_view taken = text(bytes);
        if (!taken.empty()) std::memcpy(&value, taken.data(), bytes);
        return value;
    }
    std::string_view sized(std::size_t length_bytes) { return text(static_cast<std::size_t>(number(length_bytes))); }
    // As if there were so many fewer.
    void drop_last(std::size_t count) {
        is_short_ = is_short_ || count > left_.size();
        if (!is_short_) left_.remove_suffix(count);
    }
    std::string_view rest() { return text(left_.size()); }

    bool is_short() const noexcept { return is_short_; }
    bool is_done() const noexcept { return !is_short_ && left_.empty(); }

private:
    std::string_view left_;
    bool is_short_ = false;
};

}  // namespace rollcall
