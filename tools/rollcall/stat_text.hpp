// What has been counted, for people.
#pragma once

#include <cstddef>
#include <string>

#include "engine/client/observer.hpp"

namespace rollcall::cli {

std::string statistics_text(const ClusterInfo& info, std::size_t hosts, Instant now, bool copy);

}  // namespace rollcall::cli
