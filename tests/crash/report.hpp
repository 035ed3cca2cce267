// How much a sweep looked at, on the output and as properties of the test.
#pragma once

#include <iostream>
#include <string>

#include <gtest/gtest.h>

#include "tests/crash/sweep.hpp"

namespace rollcall::test {

inline void report(const std::string& what, const Tally& tally) {
    std::cout << "sweep: " << what << ": " << tally.instructions << " instructions stepped, " << tally.images << " images, " << tally.judged
              << " different ones judged, " << tally.adoptions << " adoptions swept, " << tally.faults << " faults\n";
    testing::Test::RecordProperty("instructions", std::to_string(tally.instructions));
    testing::Test::RecordProperty("images", std::to_string(tally.judged));
    testing::Test::RecordProperty("faults", std::to_string(tally.faults));
    EXPECT_GT(tally.judged, 0u) << what;
}

}  // namespace rollcall::test
