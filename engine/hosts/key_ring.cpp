#include "engine/hosts/key_ring.hpp"

#include <algorithm>

#include <sodium.h>

namespace rollcall {

namespace {

const Key* find(const std::vector<Key>& keys, std::uint8_t id) noexcept {
    const auto at = std::find_if(keys.begin(), keys.end(), [id](const Key& key) { return key.id == id; });
    return at == keys.end() ? nullptr : &*at;
}

void mac_of(const Key& key, std::string_view bytes, unsigned char* out) noexcept {
    crypto_generichash(out, KeyRing::mac_bytes, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), key.bytes.data(), key.bytes.size());
}

bool is_initialised() {
    static const bool is = sodium_init() >= 0;
    return is;
}

}  // namespace

Key make_key(std::uint8_t id) {
    is_initialised();
    Key key{id, {}};
    randombytes_buf(key.bytes.data(), key.bytes.size());
    return key;
}

std::string text_of(const Key& key) {
    std::string text(2 * Key::size + 1, '\0');
    sodium_bin2hex(text.data(), text.size(), key.bytes.data(), key.bytes.size());
    text.pop_back();
    return text;
}

Result<Key> parse_key(std::uint8_t id, std::string_view digits) {
    Key key{id, {}};
    std::size_t length = 0;
    const char* end = nullptr;
    const bool reads = sodium_hex2bin(key.bytes.data(), key.bytes.size(), digits.data(), digits.size(), nullptr, &length, &end) == 0;
    if (!reads || length != Key::size || end != digits.data() + digits.size()) return fail(ErrorKind::invalid, "a key is 64 digits of 0-9 and a-f: `rollcall keygen` makes one");
    return key;
}

KeyRing::KeyRing(std::vector<Key> keys, bool accepts_plain) : accepts_plain_(accepts_plain), keys_(std::make_shared<const Keys>(std::move(keys))) { is_initialised(); }

Result<void> KeyRing::check(const std::vector<Key>& keys) {
    if (keys.empty()) return fail(ErrorKind::invalid, "there is no key");
    for (std::size_t i = 0; i < keys.size(); ++i) {
        if (keys[i].id == 0) return fail(ErrorKind::invalid, "a key's id is a number from 1 to 255");
        if (find(keys, keys[i].id) != &keys[i]) return fail(ErrorKind::invalid, "two keys have the id " + std::to_string(keys[i].id));
    }
    return {};
}

Result<void> KeyRing::replace(std::vector<Key> keys) {
    if (auto ok = check(keys); !ok) return ok;
    auto made = std::make_shared<const Keys>(std::move(keys));
    const std::lock_guard lock(mutex_);
    keys_ = std::move(made);
    return {};
}

std::uint8_t KeyRing::signer() const {
    const auto present = keys();
    return present->empty() ? 0 : present->front().id;
}

bool KeyRing::sign(std::uint8_t id, std::string_view bytes, std::array<unsigned char, mac_bytes>& mac) const {
    const auto present = keys();
    const Key* key = find(*present, id);
    if (key != nullptr) mac_of(*key, bytes, mac.data());
    return key != nullptr;
}

KeyRing::Verdict KeyRing::verify(std::uint8_t id, std::string_view bytes, std::string_view mac) const {
    const auto present = keys();
    const Key* key = find(*present, id);
    if (key == nullptr) return Verdict::unknown_key;
    unsigned char expected[mac_bytes];
    mac_of(*key, bytes, expected);
    return mac.size() == mac_bytes && sodium_memcmp(expected, mac.data(), mac_bytes) == 0 ? Verdict::good : Verdict::forged;
}

}  // namespace rollcall
