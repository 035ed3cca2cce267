// Everything in a cluster's memory, for people.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "shm/roster.hpp"
#include "tools/rollcall/reading.hpp"

namespace rollcall::cli {

enum class TagsOf { shown, hidden };  // values of tags may be secrets

// In pieces: the cluster, then each host, each peer, and the memory word by word.
void write_dump(const std::function<void(std::string_view)>& out, const Roster& roster, const std::vector<Host>& hosts, const shm::Roster& memory, bool copy, TagsOf tags);

}  // namespace rollcall::cli
