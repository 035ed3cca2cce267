// Other hosts, for people.
#pragma once

#include <string>
#include <vector>

#include "engine/client/observer.hpp"
#include "tools/rollcall/colour.hpp"

namespace rollcall::cli {

// Nothing if there are none.
std::string hosts_table(const std::vector<Host>& hosts, Instant now, const Palette& palette);
// "2 other hosts; this is host 'a'. Engine …"
std::string hosts_summary(const ClusterInfo& info, const std::vector<Host>& hosts, Instant now, bool copy);

}  // namespace rollcall::cli
