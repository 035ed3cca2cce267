// The configuration file of `rollcall run`, in TOML. Keys are the names of the flags:
//
//     cluster = "orders"
//     profile = "local"
//     suspect = "300ms"      # durations are text
//     capacity = 10000
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "engine/client/operator.hpp"
#include "shm/error.hpp"
#include "tools/rollcall/transports.hpp"

namespace rollcall::cli {

struct Config {
    std::optional<std::string> cluster, dir, node, host, profile, group, log_level, endpoint, emit;
    TransportChoice transports;
    std::optional<std::uint64_t> capacity, ring;
    SettingsChange settings;
};

// Fails with invalid, naming file and line: text that is not TOML, an unknown key, a key given twice (under its alias), a value of the
// wrong kind; with system if the file cannot be read.
Result<Config> read_config(const std::string& path);

}  // namespace rollcall::cli
