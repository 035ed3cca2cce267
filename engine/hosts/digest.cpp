#include "engine/hosts/digest.hpp"

#include <sodium.h>

namespace rollcall::engine {

namespace {

constexpr std::size_t digest_bytes = 16;

std::uint64_t word_at(const unsigned char* bytes) noexcept {
    std::uint64_t word = 0;
    for (int i = 0; i < 8; ++i) word |= std::uint64_t{bytes[i]} << 8 * i;
    return word;
}

}  // namespace

Digest& Digest::operator+=(const Digest& other) noexcept {
    words[0] += other.words[0];
    words[1] += other.words[1] + (words[0] < other.words[0] ? 1 : 0);
    return *this;
}

Digest& Digest::operator-=(const Digest& other) noexcept {
    words[1] -= other.words[1] + (words[0] < other.words[0] ? 1 : 0);
    words[0] -= other.words[0];
    return *this;
}

Digest digest_of(std::string_view bytes) noexcept {
    // It chooses the code for this machine; hashing is right without it, and nothing here needs random numbers, which are what it may lack.
    [[maybe_unused]] static const int initialised = sodium_init();
    unsigned char out[digest_bytes];
    crypto_generichash(out, sizeof out, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), nullptr, 0);
    return {{word_at(out), word_at(out + 8)}};
}

}  // namespace rollcall::engine
