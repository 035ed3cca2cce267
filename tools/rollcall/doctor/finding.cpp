#include "tools/rollcall/doctor/finding.hpp"

#include <algorithm>

#include "tools/rollcall/json.hpp"
#include "tools/rollcall/printable.hpp"

namespace rollcall::cli::doctor {

namespace {

auto count_bad(const std::vector<Finding>& findings) {
    return std::count_if(findings.begin(), findings.end(), [](const Finding& f) { return f.grade == Grade::bad; });
}

}  // namespace

bool has_bad(const std::vector<Finding>& findings) { return count_bad(findings) != 0; }

std::string for_people(const std::vector<Finding>& findings) {
    std::string text;
    for (const Finding& f : findings) {
        text += padded(to_string(f.grade), 6) + printable(f.what + ": " + f.found) + "\n";
        if (!f.advice.empty()) text += "      " + printable(f.advice) + "\n";
    }
    return text;
}

std::string as_json(const std::string& cluster, const std::string& folder, const std::vector<Finding>& findings) {
    std::string text = "{\"cluster\":" + json::quoted(cluster) + ",\"folder\":" + json::quoted(folder) + ",\"bad\":" + std::to_string(count_bad(findings)) + ",\"findings\":[";
    for (const Finding& f : findings) {
        text += (text.back() == '[' ? "\n{" : ",\n{");
        text += "\"grade\":" + json::quoted(to_string(f.grade)) + ",\"what\":" + json::quoted(f.what) + ",\"found\":" + json::quoted(f.found) +
                ",\"advice\":" + (f.advice.empty() ? "null" : json::quoted(f.advice)) + "}";
    }
    return text + "\n]}";
}

}  // namespace rollcall::cli::doctor
