// What a test of doctor expects of a finding.
#pragma once

#include <string>

#include <gmock/gmock.h>

#include "tools/rollcall/doctor/finding.hpp"

namespace rollcall::cli::doctor {

inline void expect(const Finding& finding, Grade grade, const std::string& says) {
    EXPECT_EQ(to_string(finding.grade), to_string(grade)) << finding.found;
    EXPECT_THAT(finding.what + ": " + finding.found + "\n" + finding.advice, ::testing::HasSubstr(says));
    EXPECT_EQ(finding.advice.empty(), finding.grade == Grade::ok) << finding.advice;
}

}  // namespace rollcall::cli::doctor
