// A process with many members: `crowd DIR PREFIX COUNT SEED`. A line on stdin is a command, answered by a line on stdout: `ok` and how many
// are members now, or what went wrong first. Between commands every member beats once a heartbeat.
//
// | join   | all who are no members join                                         |
// | leave  | all leave                                                           |
// | run    | from now on members leave, join, and change their tags at random    |
// | calm   | no longer                                                           |
// | endure | from now on engines may come and go: what needs one waits for it    |
// | tough  | from now on, whose beat does not count joins again                  |
#include <iostream>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <poll.h>
#include <unistd.h>

#include "engine/client/member.hpp"

namespace {

using namespace std::chrono_literals;
using rollcall::Instant;
using rollcall::Member;

class Crowd {
public:
    Crowd(std::string dir, std::string prefix, std::size_t count, unsigned seed)
        : dir_(std::move(dir)), prefix_(std::move(prefix)), members_(count), random_(seed) {}

    std::string obey(const std::string& command) {
        wild_ = command == "run" || (wild_ && command == "endure");
        enduring_ |= command == "endure";
        tough_ |= command == "tough";
        for (std::size_t i = 0; i < members_.size(); ++i) {
            if (command == "join" && !members_[i]) join(i);
            if (command == "leave" && members_[i]) leave(i);
            if (i % 16 == 0) beat_if_due();  // the others must not fall silent meanwhile
        }
        if (!error_.empty()) return error_;
        std::size_t count = 0;
        for (const auto& member : members_) count += member ? 1 : 0;
        return "ok " + std::to_string(count);
    }

    // One turn: due beats, and some mischief.
    void live() {
        beat_if_due();
        if (!wild_) return;
        const std::size_t i = random_() % members_.size();
        if (!members_[i]) return join(i);
        if (random_() % 2 == 0) return leave(i);
        if (auto set = members_[i]->set_tags({{"number", std::to_string(random_() % 1000)}}); !set) complain("tags", i, set.error());
    }

private:
    void complain(const char* what, std::size_t i, const rollcall::Error& error) {
        const bool is_expected = error.kind == rollcall::ErrorKind::no_engine || error.kind == rollcall::ErrorKind::timeout;
        if (enduring_ && is_expected) return;
        if (error_.empty()) error_ = std::string(what) + " of " + prefix_ + std::to_string(i) + ": " + error.message;
    }
    void join(std::size_t i) {
        Member::Options options;
        options.dir = dir_;
        options.node = prefix_ + std::to_string(i);
        options.endpoint = "here:" + std::to_string(i);
        if (enduring_) options.wait = 30s;  // by the same member, so that a lost answer is no other's id
        auto member = Member::join(options);
        if (!member) return complain("join", i, member.error());
        members_[i].emplace(std::move(*member));
    }
    void leave(std::size_t i) {
        auto left = members_[i]->leave();
        while (!left && enduring_) {
            std::this_thread::sleep_for(20ms);
            left = members_[i]->leave();
        }
        if (!left) complain("leave", i, left.error());
        members_[i].reset();
    }
    void beat_if_due() {
        const Instant now = std::chrono::steady_clock::now();
        if (now < next_beat_) return;
        next_beat_ = now + 500ms;
        for (std::size_t i = 0; i < members_.size(); ++i) {
            if (!members_[i]) continue;
            const auto beat = members_[i]->beat(now);
            if (!beat.counted() && !(tough_ && members_[i]->rejoin())) complain("beat", i, {rollcall::ErrorKind::system, std::string(to_string(beat.kind))});
        }
    }

    std::string dir_, prefix_, error_;
    std::vector<std::optional<Member>> members_;
    std::mt19937 random_;
    Instant next_beat_{};
    bool wild_ = false, enduring_ = false, tough_ = false;
};

}  // namespace

int main(int argc, char** argv) {
    if (argc != 5) return 2;
    std::ios::sync_with_stdio(false);  // so that in_avail() tells
    Crowd crowd(argv[1], argv[2], std::stoul(argv[3]), static_cast<unsigned>(std::stoul(argv[4])));
    for (;;) {
        pollfd p{STDIN_FILENO, POLLIN, 0};
        const bool has_more = std::cin.rdbuf()->in_avail() > 0;  // lines that came together
        if (has_more || ::poll(&p, 1, 50) > 0) {
            std::string line;
            if (!std::getline(std::cin, line)) ::_exit(0);
            std::cout << crowd.obey(line) << std::endl;
        }
        crowd.live();
    }
}
