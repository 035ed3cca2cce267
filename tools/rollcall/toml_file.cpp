#include "tools/rollcall/toml_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <toml++/toml.h>

namespace rollcall::cli {

namespace {

constexpr std::size_t longest_file = 1 << 20;  // also ends the reading of /dev/zero

Result<std::string> read_file(const std::string& what, const std::string& path, const FileCheck& check) {
    const auto refuse = [&](int error) { return fail(ErrorKind::system, "cannot read " + what + " '" + path + "': " + std::strerror(error)); };
    const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0) return refuse(errno);
    struct stat kind{};
    if (fstat(file, &kind) != 0 || (!S_ISREG(kind.st_mode) && !S_ISCHR(kind.st_mode))) {
        close(file);
        return fail(ErrorKind::system, "cannot read " + what + " '" + path + "': it is not a regular file");
    }
    if (const auto is_good = check ? check(kind) : Result<void>{}; !is_good) {
        close(file);
        return fail(is_good.error());
    }
    std::string content;
    std::array<char, 4096> buffer;
    ssize_t n = 0;
    while ((n = read(file, buffer.data(), buffer.size())) > 0 && content.size() <= longest_file) content.append(buffer.data(), static_cast<std::size_t>(n));
    const int error = n < 0 ? errno : 0;
    close(file);
    if (error != 0) return refuse(error);
    if (content.size() > longest_file) return refuse(EFBIG);
    return content;
}

TomlValue plain(const toml::node& node) {
    TomlValue value;
    value.line = node.source().begin.line;
    if (const auto* text = node.as_string()) value.value = text->get();
    else if (const auto* number = node.as_integer()) value.value = number->get();
    else if (const auto* truth = node.as_boolean()) value.value = truth->get();
    const auto* list = node.as_array();
    if (list == nullptr || !(list->empty() || list->is_homogeneous<std::string>())) return value;
    std::vector<std::string> texts;
    for (const auto& each : *list) texts.push_back(each.as_string()->get());
    value.value = std::move(texts);
    return value;
}

TomlTable plain(const toml::table& from) {
    TomlTable table;
    table.line = from.source().begin.line;
    for (const auto& [key, node] : from) {
        const auto* list = node.as_array();
        if (list != nullptr && list->is_array_of_tables()) {
            for (const auto& each : *list) table.tables[std::string(key.str())].push_back(plain(*each.as_table()));
            continue;
        }
        TomlValue value = plain(node);
        value.line = key.source().begin.line;
        table.values.emplace_back(key.str(), std::move(value));
    }
    return table;
}

}  // namespace

Result<TomlTable> read_toml(const std::string& what, const std::string& path, const FileCheck& check) {
    const Result<std::string> content = read_file(what, path, check);
    if (!content) return fail(content.error());
    try {
        return plain(toml::parse(*content, path));
    } catch (const toml::parse_error& error) {
        return fail(ErrorKind::invalid, path + ":" + std::to_string(error.source().begin.line) + ": " + std::string(error.description()));
    }
}

}  // namespace rollcall::cli
