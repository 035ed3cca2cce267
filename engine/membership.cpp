#include "engine/membership.hpp"

#include <algorithm>

#include "shm/index.hpp"
#include "shm/word.hpp"

namespace rollcall::engine {

using shm::Blob;
using shm::Hot;
using shm::Name;

void Membership::handle(Request& request) {
    Answer answer;
    const Name name = Name::of(request.node);
    switch (request.kind) {
        case Request::Kind::join: join(request, answer); break;
        case Request::Kind::heartbeat: heartbeat(request, answer); break;
        case Request::Kind::leave:
            if (const auto life = life_of(request, answer)) leave(*life, name, EventKind::left, Reason::goodbye);
            break;
        case Request::Kind::evict:
            if (const auto life = life_of(request, answer)) leave(*life, name, EventKind::evicted, Reason::by_operator);
            break;
        case Request::Kind::update:
        case Request::Kind::flag:
            if (auto life = life_of(request, answer)) update(request, name, std::move(*life), answer);
            break;
        case Request::Kind::exited:
            if (const auto life = life_of(request, answer)) exited(request, name, *life);
            break;
        case Request::Kind::configure: configure(request, answer); break;
        case Request::Kind::leave_all:
            is_closing_ = true;
            leaving_ = std::move(request);
            leaving_at_ = 0;
            return continue_leaving();
        case Request::Kind::forget: books_.slots.forget(request.producer); break;
        case Request::Kind::admit_host: remote_.admit_host(request, answer); break;
        case Request::Kind::claims: remote_.take_claims(request, answer); break;
        case Request::Kind::host_left: remote_.leave(request, answer); break;
        case Request::Kind::one_way: remote_.tell(EventKind::one_way, request, answer); break;
        case Request::Kind::two_hosts: remote_.tell(EventKind::duplicate, request, answer); break;
        case Request::Kind::raise_host:
            books_.ledger.values().host_incarnation = std::max(books_.ledger.values().host_incarnation, request.incarnation.value);
            books_.ledger.publish_needed();
            break;
        case Request::Kind::mark: break;
    }
    if (request.done) due_.emplace_back(std::move(request.done), std::move(answer));
}

void Membership::answer_all() {
    for (auto& [done, answer] : std::exchange(due_, {})) done(answer);
}

// The life that a request speaks of; with an incarnation, only that one.
std::optional<Holder> Membership::life_of(const Request& request, Answer& answer) {
    auto holder = residents_.holder_of(Name::of(request.node), 1);
    if (!holder) {
        answer.error = Error{ErrorKind::unknown_node, "no node '" + request.node + "' in this cluster"};
        return std::nullopt;
    }
    if (request.incarnation.value != 0 && request.incarnation != holder->hot.incarnation) {
        answer.error = Error{ErrorKind::replaced, "node '" + request.node + "' has a newer life"};
        return std::nullopt;
    }
    answer.slot = holder->slot;
    answer.generation = holder->hot.generation;
    answer.incarnation = holder->hot.incarnation;
    return holder;
}

// A restart is a new life: later than every one that was ever issued here, and not below the wall clock. A clock that claims to be beyond
// the year 2112 is not believed.
Incarnation Membership::next_incarnation(std::int64_t wall) const noexcept {
    const std::uint64_t greatest = books_.ledger.values().greatest_incarnation;
    const bool plausible = wall > 0 && static_cast<std::uint64_t>(wall) <= incarnation_limit / 2;
    return Incarnation{std::max(greatest + 1, plausible ? static_cast<std::uint64_t>(wall) : 1)};
}

namespace {

Blob blob_of(const Request& request) {
    Blob blob;
    blob.set_text(request.endpoint.value_or(""), request.host, request.tags.value_or(""));
    blob.card = request.card;
    blob.flags = request.flags;
    blob.pid = request.process.pid;
    blob.start_ticks = request.process.start_ticks;
    blob.uid = request.process.uid;
    blob.gid = request.process.gid;
    blob.token = request.token;
    return blob;
}

}  // namespace

void Membership::join(Request& request, Answer& answer) {
    const Name name = Name::of(request.node);
    if (is_closing_) {
        answer.error = Error{ErrorKind::no_engine, "the engine is about to stop, and everybody leaves"};
        return;
    }
    if (name == own_node_) {
        answer.error = Error{ErrorKind::held, "node id '" + request.node + "' is the engine's own"};
        return;
    }
    if (const auto holder = residents_.holder_of(name, 2)) return take_over(request, name, *holder, answer);
    Blob blob = blob_of(request);
    const auto room = residents_.room_for(request.producer, blob);
    if (!room) answer.error = room.error();
    else admit(request, name, *room, std::move(blob), answer);
}

void Membership::admit(const Request& request, const Name& name, const Room& room, Blob blob, Answer& answer) {
    const Incarnation incarnation = next_incarnation(books_.ledger.now().wall_us);
    residents_.admit(name, room, std::move(blob), incarnation, request.reason);
    answer = Answer{std::nullopt, room.slot, room.generation, incarnation, true};
}

// Why somebody else may not have this id: its holder lives, and neither is the joiner entitled to replace it nor did it ask to.
std::optional<Error> Membership::why_held(const Request& request, const Holder& holder) const {
    const bool lives = holder.hot.state != State::dead;
    const bool entitled = request.is_operator || holder.blob.uid == request.process.uid;
    if (!lives || (request.may_replace && entitled)) return std::nullopt;
    const std::string who = holder.hot.word_slot != holder.slot ? "on host '" + std::string(holder.blob.host()) + "'" : holder.blob.pid != 0 ? "by pid " + std::to_string(holder.blob.pid) : (holder.blob.flags & shm::blob_has_process) != 0 ? "by a process in another pid namespace" : "by the engine's own program";
    const Duration since = from_stamp_units(books_.ledger.now().stamp.value - holder.hot.since.value);
    const std::string age = std::to_string(std::chrono::duration_cast<std::chrono::seconds>(since).count()) + " s";
    return Error{ErrorKind::held, "node id '" + request.node + "' is held " + who + ", " + std::string(to_string(holder.hot.state)) + " for " + age +
                                      (request.may_replace ? "; only its own user or an operator may replace it" : "; end it first, or ask to replace it")};
}

void Membership::take_over(Request& request, const Name& name, const Holder& holder, Answer& answer) {
    // The same process asks again, because the answer got lost: the same answer, no event. Registering a known node changes nothing.
    const bool same_process = holder.blob.pid == request.process.pid && holder.blob.start_ticks == request.process.start_ticks;
    const bool asks_again = (holder.blob.flags & shm::blob_has_process) != 0 && request.token == holder.blob.token && same_process && holder.hot.state != State::dead;
    if (request.reason != Reason::join || asks_again) {
        answer = Answer{std::nullopt, holder.slot, holder.hot.generation, holder.hot.incarnation, false};
        return;
    }
    if (auto held = why_held(request, holder)) {
        answer.error = std::move(*held);
        return;
    }
    Blob blob = blob_of(request);
    const auto room = residents_.room_in_place_of(holder, blob);
    if (!room) {
        answer.error = room.error();
        return;
    }
    remote_.disown(holder);
    if (holder.hot.state != State::dead)
        books_.plan(EventKind::dead, holder.slot, books_.judged(books_.heard(holder.slot, holder.hot), State::dead, Reason::replaced), name, holder.hot.state);
    admit(request, name, *room, std::move(blob), answer);
    books_.ledger.blobs().free_later(holder.hot.blob);
    books_.ledger.commit();  // two events of one slot end a commit
}

// On the caller's thread a known, living node is beaten directly; this is for all others.
void Membership::heartbeat(Request& request, Answer& answer) {
    const Name name = Name::of(request.node);
    if (name == own_node_) return;
    const auto holder = residents_.holder_of(name, 1);
    if (!holder) return join(request, answer);
    if (!has_own_word(holder->slot, holder->hot) || (holder->blob.flags & shm::blob_has_process) != 0) return;  // its host speaks for it, or it beats for itself
    shm::beat(books_.roster().word(holder->slot), to_stamp(request.at, books_.roster().base_ns()), holder->hot.generation);
    if (request.endpoint && !request.endpoint->empty() && *request.endpoint != holder->blob.endpoint() && !holder->hot.is_proof()) {
        request.incarnation = holder->hot.incarnation;
        update(request, name, *holder, answer);
    }
}

void Membership::leave(const Holder& holder, const Name& name, EventKind kind, Reason reason) {
    remote_.tell_displaced(holder);
    const Hot after = books_.vacated(holder.slot, books_.heard(holder.slot, holder.hot), reason);
    books_.plan(kind, holder.slot, after, name, holder.hot.state);
}

void Membership::update(const Request& request, const Name& name, Holder holder, Answer& answer) {
    if (holder.hot.is_proof()) {
        answer.error = Error{ErrorKind::unknown_node, "node '" + request.node + "' is dead"};
        return;
    }
    Blob blob = holder.blob;
    blob.set_text(request.endpoint ? std::string_view(*request.endpoint) : blob.endpoint(), blob.host(), request.tags ? std::string_view(*request.tags) : blob.tags());
    if (request.kind == Request::Kind::flag) blob.flags |= request.flags;
    if (auto done = residents_.rewrite(name, holder, std::move(blob)); !done) answer.error = done.error();
}

// A process ended: a fact. It makes the dead of the living, and adds the proof to a death by silence.
void Membership::exited(const Request& request, const Name& name, const Holder& holder) {
    if (holder.hot.is_proof()) return;
    Hot after = books_.judged(books_.heard(holder.slot, holder.hot), State::dead, Reason::process_exit);
    after.status = request.status;
    books_.plan(holder.hot.state == State::dead ? EventKind::updated : EventKind::dead, holder.slot, after, name, holder.hot.state);
    books_.table.set(holder.slot, Announced::dead_proven, after.since);
}

namespace {

// Zeros keep what `base` has.
Settings over(const Settings& base, Settings change) noexcept {
    for (Duration Settings::*field : {&Settings::heartbeat, &Settings::suspect, &Settings::dead, &Settings::evict, &Settings::scan})
        if (change.*field == Duration::zero()) change.*field = base.*field;
    return change;
}

}  // namespace

void Membership::configure(const Request& request, Answer& answer) {
    const Settings wanted = over(books_.settings(), request.settings);
    if (auto valid = validate(wanted); !valid) {
        answer.error = valid.error();
        return;
    }
    const Settings before = std::exchange(books_.ledger.values().settings, wanted);
    books_.ledger.publish_needed();
    if (wanted.heartbeat >= before.heartbeat) return;
    forgive_old_rhythm(books_.time, before.heartbeat, books_.ledger.now().stamp);
    forgive_old_rhythm(books_.receivers, before.heartbeat, books_.ledger.now().stamp);
}

// As far as this step's budget goes; the rest in the next steps.
void Membership::continue_leaving() {
    if (!leaving_) return;
    const std::uint32_t high_water = books_.roster().high_water();
    for (; leaving_at_ < high_water && books_.ledger.budget() > 1; ++leaving_at_) {  // one is the detector's, should it have slept
        const Slot slot{leaving_at_};
        if (books_.table[slot] == Announced::nobody) continue;
        books_.ledger.make_room(1, slot, books_.table);
        const Hot hot = books_.hot(slot);
        const Name name = books_.name(slot);
        if (hot.word_slot == slot && !name.is_host()) leave({slot, hot, {}}, name, EventKind::left, Reason::by_operator);
    }
    if (leaving_at_ < high_water) return;
    if (leaving_->done) due_.emplace_back(std::move(leaving_->done), Answer{});
    leaving_.reset();
}

}  // namespace rollcall::engine
