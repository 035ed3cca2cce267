// Files in TOML as plain values: toml++, a heavy header, is included by toml_file.cpp alone.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "shm/error.hpp"

namespace rollcall::cli {

struct TomlValue {
    std::variant<std::monostate, bool, std::int64_t, std::string, std::vector<std::string>> value;  // monostate: something else
    std::uint32_t line = 0;
};

struct TomlTable {
    std::uint32_t line = 0;
    std::vector<std::pair<std::string, TomlValue>> values;   // by key, each once
    std::map<std::string, std::vector<TomlTable>> tables;  // of [[name]]
};

// Is this open file to be believed? Asked before it is read.
using FileCheck = std::function<Result<void>(const struct stat& file)>;

// `what` it is, for whoever is told that it does not read: "the keys". Fails with system if it cannot be read or is longer than a megabyte, with invalid, naming file and line, if it is not TOML.
Result<TomlTable> read_toml(const std::string& what, const std::string& path, const FileCheck& check = {});

}  // namespace rollcall::cli
