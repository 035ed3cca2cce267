// Who leads: the living candidate that has lived longest (the lowest incarnation). Every process that runs this agrees, as soon as it has seen the same events.
//
// What this is not: agreement. While a death is not known yet (a proof: a millisecond; silence: the dead timeout) the old leader is shown; whoever was called dead
// by silence may wake up and think that it still leads; and two hosts that do not hear each other have a leader each. Where two leaders at once do harm, take a
// lock that fences (etcd, a database row with a term), and use this to know when to ask for it.
//   leader NODE   joins as a candidate; prints the leader each time it changes
#include <cstdio>
#include <string>

#include <rollcall/rollcall.hpp>

namespace {

std::string leader_in(const rollcall::View& view) {
    const rollcall::Peer* first = nullptr;
    for (const auto& [node, peer] : view.peers()) {
        const auto role = peer.tags.find("role");
        const bool stands = role != peer.tags.end() && role->second == "candidate" && peer.state != rollcall::State::dead;  // a suspect still leads
        if (stands && (first == nullptr || peer.incarnation < first->incarnation)) first = &peer;
    }
    return first == nullptr ? "nobody" : first->node;
}

}  // namespace

int main(int argc, char** argv) {
    const std::string self = argc > 1 ? argv[1] : "candidate-1";
    auto me = rollcall::Member::join({.node = self, .tags = {{"role", "candidate"}}});
    if (!me) return std::fprintf(stderr, "%s\n", me.error().message.c_str()), 1;
    if (auto beating = me->start_beating(); !beating) return std::fprintf(stderr, "%s\n", beating.error().message.c_str()), 1;
    auto observer = rollcall::Observer::attach({});
    if (!observer) return std::fprintf(stderr, "%s\n", observer.error().message.c_str()), 1;
    std::string leader;
    const auto followed = observer->follow([&](const rollcall::View& view, const rollcall::Event&) {
        const std::string now = leader_in(view);
        if (now == std::exchange(leader, now)) return true;
        std::printf("%s leads%s\n", now.c_str(), now == self ? ": that is me" : "");
        return std::fflush(stdout) == 0;
    });
    return followed ? 0 : 1;
}
