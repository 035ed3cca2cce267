// What `doctor` says of one thing that it looked at.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace rollcall::cli::doctor {

enum class Grade {
    ok,
    note,  // works; somebody may want it otherwise
    bad,   // does not work, or not as promised
};

struct Finding {
    Grade grade = Grade::ok;
    std::string what;    // was looked at
    std::string found;   // there
    std::string advice;  // what it means and what to do; empty if ok
};

inline Finding ok(std::string what, std::string found) { return {Grade::ok, std::move(what), std::move(found), {}}; }
inline Finding note(std::string what, std::string found, std::string advice) { return {Grade::note, std::move(what), std::move(found), std::move(advice)}; }
inline Finding bad(std::string what, std::string found, std::string advice) { return {Grade::bad, std::move(what), std::move(found), std::move(advice)}; }

constexpr std::string_view to_string(Grade grade) noexcept { return grade == Grade::ok ? "ok" : grade == Grade::note ? "note" : "bad"; }

bool has_bad(const std::vector<Finding>& findings);
// A line each, and one more below it for advice; printable.
std::string for_people(const std::vector<Finding>& findings);
// {"cluster":…,"folder":…,"bad":1,"findings":[{"grade":…,"what":…,"found":…,"advice":…}]}
std::string as_json(const std::string& cluster, const std::string& folder, const std::vector<Finding>& findings);

}  // namespace rollcall::cli::doctor
