// Keys that hosts share: whoever has one can speak for any host, and whoever has none for nobody. Nothing is encrypted.
//
// A message is signed by the first key and believed under any. So a key is changed without losing a message: add the new one behind the old one everywhere, move
// it to the front everywhere, take the old one away.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "shm/error.hpp"

namespace rollcall {

struct Key {
    static constexpr std::size_t size = 32;
    std::uint8_t id = 0;  // 1 to 255: travels with what it signed, so that nobody has to try
    std::array<unsigned char, size> bytes{};
    friend bool operator==(const Key&, const Key&) = default;
};

// Of random bits that nobody can foretell.
Key make_key(std::uint8_t id);
// 64 digits of 16, as in files. Fails with invalid.
std::string text_of(const Key& key);
Result<Key> parse_key(std::uint8_t id, std::string_view digits);

// Thread-safe; shared by transports. A ring that has no key signs nothing, so that nothing is sent, and believes nobody.
class KeyRing {
public:
    static constexpr std::size_t mac_bytes = 16;

    // `accepts_plain`: heartbeats of single nodes may come unsigned. Hosts' messages never may.
    explicit KeyRing(std::vector<Key> keys, bool accepts_plain = false);

    // Fails with invalid: no key, two of one id, an id of 0.
    static Result<void> check(const std::vector<Key>& keys);
    // From the next message on. Fails like check(), and changes nothing.
    Result<void> replace(std::vector<Key> keys);
    bool accepts_plain() const noexcept { return accepts_plain_; }

    // Id of the key that signs; 0: none does.
    std::uint8_t signer() const;
    // A keyed BLAKE2b of `bytes`. Nothing: there is no such key. Cost: a quarter of a microsecond for a host's beat.
    bool sign(std::uint8_t id, std::string_view bytes, std::array<unsigned char, mac_bytes>& mac) const;
    enum class Verdict : std::uint8_t { good, unknown_key, forged };
    Verdict verify(std::uint8_t id, std::string_view bytes, std::string_view mac) const;

private:
    using Keys = std::vector<Key>;
    std::shared_ptr<const Keys> keys() const {
        const std::lock_guard lock(mutex_);
        return keys_;
    }
    const bool accepts_plain_;
    mutable std::mutex mutex_;  // guards the pointer
    std::shared_ptr<const Keys> keys_;
};

}  // namespace rollcall
