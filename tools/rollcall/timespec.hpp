// A duration as the kernel's waiting calls want it.
#pragma once

#include <algorithm>
#include <ctime>

#include "shm/units.hpp"

namespace rollcall::cli {

// Less than nothing is nothing.
constexpr timespec to_timespec(Duration d) noexcept {
    const Duration::rep ns = std::max<Duration::rep>(d.count(), 0);
    return {static_cast<time_t>(ns / 1'000'000'000), static_cast<long>(ns % 1'000'000'000)};
}

}  // namespace rollcall::cli
