// The file that holds the keys of hosts, in TOML. The first one signs, all are believed:
//
//     [[key]]
//     id = 1
//     key = "…"  # 64 digits
#pragma once

#include <string>
#include <vector>

#include "engine/hosts/key_ring.hpp"
#include "shm/error.hpp"

namespace rollcall::cli {

// Fails with refused if others than its owner may read it, or its owner is neither we nor root; with invalid, naming file and line, if it does not read or its keys
// cannot be (KeyRing::check); with system if it cannot be opened.
Result<std::vector<Key>> read_keys(const std::string& path);
// As in such a file.
std::string text_of_keys(const std::vector<Key>& keys);
// Makes the file what it is to be, at once, readable by its owner alone. Fails with system.
Result<void> write_keys(const std::string& path, const std::vector<Key>& keys);

}  // namespace rollcall::cli
