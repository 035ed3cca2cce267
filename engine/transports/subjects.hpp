// Messages as subjects of NATS. Whatever a name holds, it stays one token of its subject: a node that is called "a b" or ends a line must not reach another's.
//
// `__system.membership.<cluster>.<node>`, `__system.membership.<cluster>.@.<host>`, and what is for one host alone: `__system.membership.<cluster>.@.<host>.ask`.
// In names every byte outside [A-Za-z0-9_-] is `=XX`, so that no name is `@`, `ask` below one, or a wildcard.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/hosts/message.hpp"
#include "shm/error.hpp"

namespace rollcall {

// Empty stays empty: no token of a subject may be.
std::string escape_token(std::string_view text);
// Is it what escape_token() makes of some name?
bool is_escaped_token(std::string_view token) noexcept;

// Where it is published to everybody. Fails with invalid if a part of its path is empty.
Result<std::string> subject_of(const Message& message);
// Where `host`, as escape_token() has it, is spoken to alone.
std::string inbox_of(std::string_view cluster, std::string_view escaped_host);

// What brings all that membership says in a cluster, beside what is for one host alone.
std::vector<std::string> subjects_of_cluster(std::string_view cluster);
// What brings at least all paths below a prefix: whole tokens of it.
std::string subject_below(std::string_view prefix);

}  // namespace rollcall
