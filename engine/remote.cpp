#include "engine/remote.hpp"

#include <algorithm>
#include <utility>

namespace rollcall::engine {

using shm::Blob;
using shm::Hot;
using shm::Name;

namespace {

// Words of hosts are written by the threads that receive, those of their members by nobody: lines of their own for both.
constexpr ProducerId receivers = ~ProducerId{0}, nobody = receivers - 1;
constexpr std::uint64_t year_us = 366ull * 24 * 3600 * 1'000'000;

Blob blob_of_host(const Request& request, Slot word, std::uint32_t card) {
    Blob blob;
    blob.set_text(request.endpoint.value_or(""), request.node, request.tags.value_or(""));
    blob.token = word.value;
    blob.card = card;
    blob.start_ticks = static_cast<std::uint64_t>(request.interval.count());
    return blob;
}

Blob blob_of_member(const RemoteHost& host, const ListEntry& claim) {
    Blob blob;
    blob.set_text(claim.endpoint, host.name.view(), claim.tags);
    return blob;
}

Said said_by(const ListEntry& claim) { return {claim.state, claim.reason, claim.status}; }

}  // namespace

// Else a stranger could use up all there will ever be.
bool Remote::is_plausible(Incarnation incarnation) const noexcept {
    const auto wall = static_cast<std::uint64_t>(std::max<std::int64_t>(0, books_.ledger.now().wall_us));
    return incarnation.value != 0 && incarnation.value <= (wall != 0 ? wall : books_.ledger.values().greatest_incarnation) + year_us && incarnation.value < incarnation_limit / 16 * 15;
}

// Others never take the last eighth: whoever starts here must find room, whatever strangers say.
bool Remote::has_room_for_others(std::uint32_t slots) const noexcept {
    const std::uint32_t capacity = books_.roster().capacity();
    return books_.hosts.slots() + slots <= capacity - capacity / 8;
}

// The record's slot below the members' word, so that a pass judges the host first.
Result<Remote::Slots> Remote::take_slots() {
    const auto one = residents_.take_slot(receivers);
    if (!one) return fail(one.error());
    const auto other = residents_.take_slot(receivers);
    if (other) return Slots{std::min(*one, *other), std::max(*one, *other)};
    books_.slots.release(*one, Stamp{});
    return fail(other.error());
}

// The slot's record does not tell of this owner: far from the generations of those who have records.
Generation Remote::start_word(Slot word, const Name& host) {
    shm::store_name(books_.roster().record(word), shm::hash_of(host), host);
    const Generation next = shm::next_generation(books_.hot(word).generation);
    const auto far = static_cast<std::uint16_t>(next.value ^ 0x8000);
    const Generation generation = far == 0 || far == 0xFFFF ? next : Generation{far};
    shm::activate(books_.roster().word(word), books_.ledger.now().stamp, generation);
    books_.table.set(word, Announced::alive, books_.ledger.now().stamp);
    books_.table.own(word, generation);
    return generation;
}

void Remote::admit_host(const Request& request, Answer& answer) {
    const Name name = Name::of_host(request.node);
    if (!is_plausible(request.incarnation)) {
        answer.error = Error{ErrorKind::invalid, "host '" + request.node + "' says incarnation " + std::to_string(request.incarnation.value) + ": more than a year ahead of this clock"};
        return;
    }
    if (const auto holder = residents_.holder_of(name, 2)) return admit_known(request, name, *holder, answer);
    if (!has_room_for_others(2)) {
        answer.error = Error{ErrorKind::full, "what is left of the cluster's capacity of " + std::to_string(books_.roster().capacity()) + " is kept for members of this host"};
        return;
    }
    const auto slots = take_slots();
    if (!slots) {
        answer.error = slots.error();
        return;
    }
    Blob blob = blob_of_host(request, slots->word, books_.cards.take());
    const auto number = books_.ledger.blobs().allocate(shm::blob_class_for(blob));
    if (!number) {
        books_.cards.give_back(blob.card);
        for (const Slot slot : {slots->host, slots->word}) books_.slots.release(slot, Stamp{});
        answer.error = number.error();
        return;
    }
    const Generation word_generation = start_word(slots->word, name);
    RemoteHost& host = books_.hosts.add(name, slots->host, slots->word, word_generation);
    const Room room{slots->host, shm::next_generation(books_.hot(slots->host).generation), State::none, *number};
    host.interval = request.interval;
    host.ways = request.ways;
    books_.receivers.use(request.ways);
    host.displaced = request.displaced;
    host.card = blob.card;
    residents_.admit(name, room, std::move(blob), request.incarnation, Reason::join);
    tell_words(host, room.generation, request.incarnation, true, answer);
}

void Remote::tell_words(const RemoteHost& host, Generation generation, Incarnation incarnation, bool is_new, Answer& answer) {
    answer = Answer{std::nullopt, host.host, generation, incarnation, is_new};
    answer.word = host.word;
    answer.word_generation = host.word_generation;
    answer.card = host.card;
    answer.stream = books_.roster().header().stream.load(std::memory_order_relaxed);  // relaxed: written before anybody looked
}

void Remote::admit_known(const Request& request, const Name& name, Holder holder, Answer& answer) {
    RemoteHost* host = books_.hosts.of_record(holder.slot);
    if (host == nullptr || request.incarnation < holder.hot.incarnation) {
        answer.error = Error{ErrorKind::replaced, "host '" + request.node + "' has a newer life"};
        return;
    }
    Blob blob = blob_of_host(request, host->word, host->card);
    const bool is_new = request.incarnation > holder.hot.incarnation;
    if (is_new) {
        const auto room = residents_.room_in_place_of(holder, blob);
        if (!room) {
            answer.error = room.error();
            return;
        }
        host->carried_over = host->members;
        const Hot old = books_.heard(holder.slot, holder.hot);
        if (old.state != State::dead) books_.plan(EventKind::dead, holder.slot, books_.judged(old, State::dead, Reason::replaced), name, old.state);
        holder.hot = residents_.admit(name, *room, std::move(blob), request.incarnation, Reason::join);
        books_.ledger.blobs().free_later(old.blob);
        books_.ledger.commit();  // two events of one slot end a commit
    } else if (blob.text != holder.blob.text || blob.start_ticks != holder.blob.start_ticks) {
        if (auto done = residents_.rewrite(name, holder, std::move(blob)); !done) {
            answer.error = done.error();
            return;
        }
    }
    host->interval = request.interval;
    if (std::exchange(host->ways, request.ways) != request.ways) books_.receivers.use(request.ways);
    host->displaced = request.displaced;
    tell_words(*host, holder.hot.generation, request.incarnation, is_new, answer);
}

// The host that a request speaks for, in the life it speaks of.
RemoteHost* Remote::host_of(const Request& request, Answer& answer) {
    const auto holder = residents_.holder_of(Name::of_host(request.node), 1);
    RemoteHost* host = holder ? books_.hosts.of_record(holder->slot) : nullptr;
    if (host != nullptr && holder->hot.incarnation == request.incarnation) return host;
    answer.error = host == nullptr ? Error{ErrorKind::unknown_node, "no host '" + request.node + "' in this cluster"} : Error{ErrorKind::replaced, "host '" + request.node + "' has another life"};
    return nullptr;
}

void Remote::take_claims(const Request& request, Answer& answer) {
    RemoteHost* host = host_of(request, answer);
    if (host == nullptr) return;
    for (const ListEntry& claim : request.claims)
        if (!take(*host, claim)) ++answer.refused;
    if (request.is_whole) end_others(*host, request);
}

// True: it was believed, or there is nothing to believe.
bool Remote::take(RemoteHost& host, const ListEntry& claim) {
    const Name name = Name::of(claim.node);
    if (claim.state != State::none && (name == own_node_ || !is_plausible(claim.incarnation))) return false;
    auto holder = residents_.holder_of(name, 1 + events_of_a_standing);
    const bool says_nothing = claim.state == State::none || claim.state == State::dead;  // the dead join nothing
    if (!holder) return says_nothing || admit(host, name, claim);
    if (holder->hot.word_slot == host.word) return change(host, name, *holder, claim);
    return says_nothing || contend(host, name, *holder, claim);
}

// What the host's silence says of it comes with the next pass, which knows of the message that brought this.
bool Remote::admit(RemoteHost& host, const Name& name, const ListEntry& claim) {
    if (!has_room_for_others(1)) return false;
    Blob blob = blob_of_member(host, claim);
    const auto room = residents_.room_for(nobody, blob);
    if (!room) return false;
    enter(host, name, *room, std::move(blob), claim);
    return true;
}

void Remote::enter(RemoteHost& host, const Name& name, const Room& room, Blob blob, const ListEntry& claim) {
    const Said said = said_by(claim);
    books_.hosts.add_member(host, room.slot, said);
    host.carried_over.erase(room.slot.value);
    const bool says_how = claim.reason == Reason::join || claim.reason == Reason::registered;
    const Hot hot = residents_.admit(name, room, std::move(blob), claim.incarnation, says_how ? claim.reason : Reason::host_said, host.word);
    if (said.state == State::suspect) bring(books_, host, room.slot, name, hot, {State::suspect, Reason::host_said, {}});
    if (host.heard != Announced::alive) books_.hosts.unsettle(host);
}

bool Remote::change(RemoteHost& host, const Name& name, Holder& holder, const ListEntry& claim) {
    if (claim.state == State::none) {
        remove_member(books_, host, holder.slot, name, holder.hot, said_by(claim));
        return true;
    }
    // Whoever was rebooted with an earlier clock numbers its members from there, until it is told better.
    const bool is_carried_over = host.carried_over.contains(holder.slot.value);
    if (claim.incarnation < holder.hot.incarnation && !is_carried_over) return true;  // news of a life that is over
    const bool is_after_death = is_carried_over && holder.hot.is_proof() && claim.state != State::dead;  // by chance under the same number
    if (claim.incarnation != holder.hot.incarnation || is_after_death) return renew(host, name, holder, claim);
    host.carried_over.erase(holder.slot.value);
    Said& said = books_.hosts.said(holder.slot);
    said = said_by(claim);
    Blob blob = holder.blob;
    blob.set_text(claim.endpoint, holder.blob.host(), claim.tags);
    const bool is_same = blob.text == holder.blob.text || holder.hot.is_proof();
    const bool is_taken = is_same || residents_.rewrite(name, holder, std::move(blob));
    bring(books_, host, holder.slot, name, holder.hot, standing(host, said));
    return is_taken;
}

// The same node, restarted on the same host.
bool Remote::renew(RemoteHost& host, const Name& name, const Holder& holder, const ListEntry& claim) {
    if (claim.state == State::dead) {  // and dead again before it was heard of
        bring(books_, host, holder.slot, name, holder.hot, books_.hosts.said(holder.slot) = {State::dead, Reason::replaced, {}});
        return true;
    }
    Blob blob = blob_of_member(host, claim);
    const auto room = residents_.room_in_place_of(holder, blob);
    if (!room) return false;
    if (holder.hot.state != State::dead) bring(books_, host, holder.slot, name, holder.hot, {State::dead, Reason::replaced, {}});
    enter(host, name, *room, std::move(blob), claim);
    books_.ledger.blobs().free_later(holder.hot.blob);
    books_.ledger.commit();  // two events of one slot end a commit
    return true;
}

// Somebody else has this id. A living member of our own is never given up; between two others the later life counts, of equal ones the greater host's.
bool Remote::contend(RemoteHost& host, const Name& name, const Holder& holder, const ListEntry& claim) {
    const std::pair ours(claim.incarnation, host.name.view()), theirs(holder.hot.incarnation, holder.blob.host());
    RemoteHost* other = books_.host_of(holder.slot, holder.hot);
    const bool is_leaving = other != nullptr && other->is_gone;
    const bool yields = is_leaving || (holder.hot.state == State::dead ? claim.incarnation > holder.hot.incarnation : other != nullptr && ours > theirs);
    if (!yields && other == nullptr && holder.hot.state != State::dead) tell_duplicate(host, name, holder);
    if (!yields) return false;
    tell_displaced(holder);
    if (other != nullptr) remove_member(books_, *other, holder.slot, name, holder.hot, {State::none, Reason::replaced, {}});
    else books_.plan(EventKind::evicted, holder.slot, books_.vacated(holder.slot, holder.hot, holder.hot.reason), name, State::dead);
    books_.ledger.commit();
    return admit(host, name, claim);
}

// Its host goes on speaking for it, and is heard again when the place is free.
void Remote::tell_displaced(const Holder& holder) const {
    const RemoteHost* host = books_.host_of(holder.slot, holder.hot);
    if (host != nullptr && !host->is_gone && host->displaced) host->displaced();
}

// Once: it says so again and again.
void Remote::tell_duplicate(RemoteHost& host, const Name& name, const Holder& holder) {
    if (host.duplicates.insert(holder.slot.value).second) books_.plan(EventKind::duplicate, holder.slot, books_.heard(holder.slot, holder.hot), name, holder.hot.state);
}

// Whoever is not in the host's whole list any more: the next pass ends them.
void Remote::end_others(RemoteHost& host, const Request& request) {
    books_.ledger.commit();  // so that records have their names
    for (const std::uint32_t member : host.members) {
        const std::string node(books_.name(Slot{member}).view());
        if (std::binary_search(request.whole.begin(), request.whole.end(), node)) continue;
        books_.hosts.said(Slot{member}) = request.reason == Reason::host_restarted ? Said{State::dead, Reason::host_restarted, {}} : Said{State::none, Reason::none, {}};
        books_.hosts.unsettle(host);
    }
}

void Remote::leave(const Request& request, Answer& answer) {
    RemoteHost* host = host_of(request, answer);
    if (host == nullptr) return;
    host->said_goodbye = true;
    const Slot slot = host->host;
    const Hot hot = books_.heard(slot, books_.hot(slot));
    const Name name = host->name;
    books_.plan(EventKind::left, slot, books_.vacated(slot, hot, Reason::goodbye), name, hot.state);
}

void Remote::tell(EventKind what, const Request& request, Answer& answer) {
    const RemoteHost* host = host_of(request, answer);
    if (host == nullptr) return;
    const Hot hot = books_.heard(host->host, books_.hot(host->host));
    books_.plan(what, host->host, hot, host->name, hot.state);
}

}  // namespace rollcall::engine
