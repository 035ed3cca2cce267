#include "tools/rollcall/key_file.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shm/descriptor.hpp"
#include "tools/rollcall/toml_file.hpp"

namespace rollcall::cli {

namespace {

// Whoever can read a key can speak for any host; whoever can write it can let anybody.
Result<void> check_owner(const std::string& path, const struct stat& found) {
    if ((found.st_mode & 077) != 0) return fail(ErrorKind::refused, "the keys '" + path + "' can be read by others than their owner: chmod 600 " + path);
    if (found.st_uid != ::geteuid() && found.st_uid != 0) return fail(ErrorKind::refused, "the keys '" + path + "' belong to another user");
    return {};
}

Result<Key> key_of(const TomlTable& entry) {
    const std::int64_t* id = nullptr;
    const std::string* digits = nullptr;
    for (const auto& [name, value] : entry.values) {
        if (name == "id") id = std::get_if<std::int64_t>(&value.value);
        if (name == "key") digits = std::get_if<std::string>(&value.value);
    }
    if (id == nullptr || digits == nullptr || entry.values.size() != 2) return fail(ErrorKind::invalid, "a [[key]] has an id, a number, and a key, a text, and nothing else");
    if (*id < 1 || *id > 255) return fail(ErrorKind::invalid, "a key's id is a number from 1 to 255");
    return parse_key(static_cast<std::uint8_t>(*id), *digits);
}

Result<void> refuse(int error, const std::string& path) { return fail(ErrorKind::system, "cannot write the keys '" + path + "': " + std::strerror(error)); }

}  // namespace

Result<std::vector<Key>> read_keys(const std::string& path) {
    const auto table = read_toml("the keys", path, [&](const struct stat& file) { return check_owner(path, file); });
    if (!table) return fail(table.error());
    const bool is_of_keys = table->values.empty() && table->tables.size() <= 1 && (table->tables.empty() || table->tables.contains("key"));
    if (!is_of_keys) return fail(ErrorKind::invalid, path + ": there is something else than [[key]]s: `rollcall keygen` shows how it looks");
    std::vector<Key> keys;
    if (const auto entries = table->tables.find("key"); entries != table->tables.end())
        for (const TomlTable& entry : entries->second) {
            const auto key = key_of(entry);
            if (!key) return fail(ErrorKind::invalid, path + ":" + std::to_string(entry.line) + ": " + key.error().message);
            keys.push_back(*key);
        }
    if (auto ok = KeyRing::check(keys); !ok) return fail(ErrorKind::invalid, path + ": " + ok.error().message);
    return keys;
}

std::string text_of_keys(const std::vector<Key>& keys) {
    std::string text = "# Keys of rollcall's hosts: the first one signs, all are believed.\n";
    for (const Key& key : keys) text += "\n[[key]]\nid = " + std::to_string(key.id) + "\nkey = \"" + text_of(key) + "\"\n";
    return text;
}

Result<void> write_keys(const std::string& path, const std::vector<Key>& keys) {
    std::string beside = path + ".XXXXXX";
    const shm::Descriptor file(::mkostemp(beside.data(), O_CLOEXEC));  // for its owner alone
    if (!file) return refuse(errno, path);
    const std::string text = text_of_keys(keys);
    struct stat before{};
    if (::stat(path.c_str(), &before) == 0 && ::fchown(file.get(), before.st_uid, before.st_gid) != 0) {  // whoever reads it goes on reading it
        const int error = errno;
        ::unlink(beside.c_str());
        return refuse(error, path);
    }
    const bool is_written = ::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()) && ::fsync(file.get()) == 0;
    if (is_written && ::rename(beside.c_str(), path.c_str()) == 0) return {};
    const int error = errno;
    ::unlink(beside.c_str());
    return refuse(error, path);
}

}  // namespace rollcall::cli
