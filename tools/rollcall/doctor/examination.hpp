// The whole examination: what is looked at, in which order.
#pragma once

#include <string>
#include <vector>

#include "tools/rollcall/command.hpp"
#include "tools/rollcall/doctor/finding.hpp"

namespace rollcall::cli::doctor {

struct Examination {
    std::string folder;  // DIR
    std::vector<Finding> findings;
};

// The cluster's name is valid. Takes a moment (a fifth of a second where the engine does not look); never fails.
Examination examine(const std::string& cluster, const std::string& dir);

}  // namespace rollcall::cli::doctor
