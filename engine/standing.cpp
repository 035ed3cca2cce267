#include "engine/standing.hpp"

namespace rollcall::engine {

using shm::Hot;

namespace {

State state_of(Announced heard) noexcept { return heard == Announced::alive ? State::alive : heard == Announced::suspect ? State::suspect : State::dead; }

// One event of a member, and the record it leads to.
class Step {
public:
    Step(Books& books, const RemoteHost& host, Slot slot, const shm::Name& name, Hot& hot) : books_(books), ways_(host.ways), slot_(slot), hot_(hot), name_(name) {
        const std::int64_t word = books.roster().word(host.word).load(std::memory_order_acquire);  // [beat] for the evidence only
        if (!hot.is_proof() && word >= 0 && word != shm::free_word) hot.last_beat = shm::stamp_of(word);
    }
    void to(EventKind kind, State state, Reason reason, const std::optional<ExitStatus>& status = {}) {
        const State before = hot_.state;
        books_.judge(hot_, state, reason);
        hot_.status = status;
        hot_.lost_units = books_.receivers.lost_since(ways_, hot_.last_beat, hot_.lost_units);
        const bool is_silence = reason == Reason::host_silence || reason == Reason::unobserved;
        if (is_silence) hot_.late_units = books_.late(hot_.last_beat, hot_.lost_units, state == State::suspect ? hot_.suspect_units : hot_.dead_units);
        books_.plan(kind, slot_, hot_, name_, before);
    }

private:
    Books& books_;
    WayMask ways_;
    Slot slot_;
    Hot& hot_;
    const shm::Name& name_;
};

}  // namespace

Said standing(const RemoteHost& host, const Said& said) noexcept {
    if (is_proof(said.state, said.reason)) return said;
    const State heard = state_of(host.heard);
    if (heard > said.state) return {heard, host.is_orphaned ? Reason::unobserved : Reason::host_silence, {}};
    return {said.state, said.state == State::alive ? Reason::heartbeat : Reason::host_said, {}};
}

void bring(Books& books, const RemoteHost& host, Slot slot, const shm::Name& name, Hot hot, const Said& to) {
    const bool is_new_proof = is_proof(to.state, to.reason);
    if (hot.is_proof() || (hot.state == to.state && !is_new_proof)) return;
    Step step(books, host, slot, name, hot);
    if (is_new_proof) {
        step.to(hot.state == State::dead ? EventKind::updated : EventKind::dead, State::dead, to.reason, to.status);
        return books.table.set(slot, Announced::dead_proven, hot.since);
    }
    if (to.state == State::alive || hot.state == State::dead) step.to(EventKind::recovered, State::alive, Reason::heartbeat);
    if (to.state != State::alive && hot.state == State::alive) step.to(EventKind::suspect, State::suspect, to.reason);
    if (to.state == State::dead) step.to(EventKind::dead, State::dead, to.reason);
}

void remove_member(Books& books, const RemoteHost& host, Slot slot, const shm::Name& name, Hot hot, const Said& why) {
    const bool leaves = why.reason == Reason::goodbye || (why.reason == Reason::by_operator && hot.state != State::dead);
    if (!leaves && hot.state != State::dead) {
        Step step(books, host, slot, name, hot);
        step.to(EventKind::dead, State::dead, why.reason == Reason::silence || why.reason == Reason::none ? Reason::host_said : why.reason);
    }
    const State before = hot.state;
    const Hot after = books.vacated(slot, hot, leaves ? why.reason : hot.reason);
    books.plan(leaves ? EventKind::left : EventKind::evicted, slot, after, name, before);
}

}  // namespace rollcall::engine
