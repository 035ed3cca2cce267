// How hosts of other regions could be heard through reporters: the design in engine/hosts/README.md, "Regions", small enough to be simulated. Not part of rollcall yet.
//
// A region is to its reporter what a host is to its members: one report an interval says that all its hosts were heard lately, save those that it names, and what the
// list of them comes to. Ages add up where a report passes several hands, and clocks are never compared.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "shm/settings.hpp"
#include "shm/units.hpp"

namespace rollcall::test {

struct RegionReport {
    std::string reporter;
    std::uint64_t sequence = 0;
    std::uint64_t list = 0;                              // which list of hosts it speaks of
    Duration oldest{};                                   // everybody on it was heard within this, when it was said,
    std::vector<std::pair<std::string, Duration>> older; // but for these
};

enum class FarState { alive, suspect, dead };

// What an observer elsewhere knows of one region. One thread; knows no clock.
class FarRegion {
public:
    FarRegion(Settings settings, Duration interval) : settings_(settings), interval_(interval) {}

    // A report counts while its reporter is believed, which is while it was heard lately or has answered a question asked since.
    void hear(const RegionReport& report, Instant at) {
        Reporter& r = reporters_.try_emplace(report.reporter, Reporter{0, {}, at}).first->second;
        if (report.sequence <= r.highest || at - r.heard_at >= settings_.suspect) return;
        r.highest = report.sequence;
        r.heard_at = at;
        take(r, report, at);
    }
    // An answer to a question that was asked at `asked_at` is as good as a report of that moment, and makes its reporter known at all.
    void answered(const RegionReport& report, Instant asked_at, Instant at) {
        Reporter& r = reporters_.try_emplace(report.reporter, Reporter{0, {}, at}).first->second;
        if (report.sequence < r.highest || asked_at < r.heard_at) return;
        r.highest = report.sequence;
        r.heard_at = std::max(r.heard_at, asked_at);
        take(r, report, asked_at);
    }
    // What a list that a report named holds.
    void learn(std::uint64_t list, const std::set<std::string>& hosts) {
        lists_.insert_or_assign(list, hosts);
        for (const std::string& host : hosts) hosts_.try_emplace(host);
    }
    bool knows(std::uint64_t list) const { return lists_.contains(list); }

    // Reporters to be asked: not heard for one and a half intervals. Where none is known, anybody may be one.
    bool is_to_be_asked(const std::string& host, Instant now) const {
        const auto at = reporters_.find(host);
        return at == reporters_.end() ? reporters_.empty() : now - at->second.heard_at >= interval_ * 3 / 2;
    }

    // Judges. Time in which no reporter was heard is nobody's silence, until that has lasted for the evict timeout.
    void look(Instant now) {
        const Duration passed = last_look_ == Instant{} ? Duration{} : now - last_look_;
        last_look_ = now;
        const bool is_heard = std::any_of(reporters_.begin(), reporters_.end(), [&](const auto& r) { return now - r.second.heard_at < interval_ * 3 / 2 + settings_.suspect / 2; });
        std::erase_if(reporters_, [&](const auto& r) { return now - std::max(r.second.heard_at, r.second.met_at) > settings_.evict; });
        unheard_ = is_heard ? Duration{} : unheard_ + passed;
        if (!is_heard && unheard_ < settings_.evict) {
            for (auto& [name, host] : hosts_) host.lost += passed;
        }
        for (auto& [name, host] : hosts_) {
            const Duration silence = now - host.lived_at - host.lost;
            host.state = silence >= settings_.dead + interval_ ? FarState::dead : silence >= settings_.suspect + interval_ ? FarState::suspect : FarState::alive;
        }
    }
    bool is_orphaned() const noexcept { return unheard_ > Duration{}; }
    FarState state_of(const std::string& host) const {
        const auto at = hosts_.find(host);
        return at == hosts_.end() || at->second.lived_at == Instant{} ? FarState::dead : at->second.state;
    }
    Instant lived_at(const std::string& host) const { return hosts_.at(host).lived_at; }

private:
    struct Reporter {
        std::uint64_t highest = 0;
        Instant heard_at{}, met_at{};
    };
    struct Host {
        Instant lived_at{};
        Duration lost{};  // since then, in which nobody listened
        FarState state = FarState::alive;
    };

    void take(const Reporter&, const RegionReport& report, Instant said_at) {
        const auto list = lists_.find(report.list);
        if (list == lists_.end()) return;
        for (const std::string& name : list->second) {
            const auto exception = std::find_if(report.older.begin(), report.older.end(), [&](const auto& o) { return o.first == name; });
            const Instant lived_at = said_at - (exception == report.older.end() ? report.oldest : exception->second);
            Host& host = hosts_[name];
            if (lived_at > host.lived_at) host.lived_at = lived_at, host.lost = {};
        }
    }

    const Settings settings_;
    const Duration interval_;
    std::map<std::string, Reporter> reporters_;
    std::map<std::uint64_t, std::set<std::string>> lists_;
    std::map<std::string, Host> hosts_;
    Instant last_look_{};
    Duration unheard_{};
};

// Who reports: those of the living whose names come first, as each sees it for itself. Where views differ there is one reporter more or fewer for a moment.
inline bool is_reporter(const std::string& self, std::vector<std::string> living, std::size_t reporters) {
    living.push_back(self);
    std::sort(living.begin(), living.end());
    const auto at = std::find(living.begin(), living.end(), self) - living.begin();
    return at < static_cast<std::ptrdiff_t>(reporters);
}

}  // namespace rollcall::test
