// What the neighbourhood has learned, in requests to the detector.
#include <algorithm>
#include <utility>

#include "engine/hosts/neighbourhood.hpp"

namespace rollcall::engine {

namespace {

Request about(const Contact& c, Request::Kind kind, const std::shared_ptr<const void>& life) {
    Request request;
    request.kind = kind;
    request.node = c.host;
    request.incarnation = c.incarnation;
    request.origin = life;
    return request;
}

ListEntry gone_from_it(const std::string& node, Reason why) {
    ListEntry entry;
    entry.node = node;
    entry.reason = why;
    return entry;
}

}  // namespace

void Neighbourhood::wait(Contact& c) {
    if (!std::exchange(c.is_waiting, true)) waiting_.insert(c.host);
}

bool Neighbourhood::put(const Contact& c, Request::Kind kind) { return hooks_.put(about(c, kind, life_)); }

bool Neighbourhood::admit(Contact& c) {
    if (c.is_admitting) return false;  // again, when that is answered
    Request request = about(c, Request::Kind::admit_host, life_);
    request.endpoint = c.address();
    request.ways = ways_of(c);
    request.interval = c.interval;
    request.done = [this, host = c.host, life = c.incarnation](const Answer& answer) { answered(host, life, true, answer); };
    request.displaced = [this, host = c.host, life = c.incarnation, alive = std::weak_ptr<const void>(life_)] {
        if (!alive.expired()) answered(host, life, false, Answer{std::nullopt, no_slot, {}, {}, false});
    };
    if (!hooks_.put(std::move(request))) return false;
    c.is_admitting = true;
    c.told_interval = c.interval;
    c.told_ways = ways_of(c);
    return true;
}

// On the sending thread alone: what two threads put may be taken in either order.
void Neighbourhood::hand_over_all() {
    if (to_raise_) {
        Request request;
        request.kind = Request::Kind::raise_host;
        request.incarnation = *to_raise_;
        if (hooks_.put(std::move(request))) to_raise_.reset();
    }
    for (const std::string& host : std::exchange(waiting_, {})) {
        Contact* c = find(host);
        if (c == nullptr) continue;
        c->is_waiting = false;
        settle(*c);
    }
}

// Whatever the detector does not take now comes again.
void Neighbourhood::settle(Contact& c) {
    if (c.has_left) {
        hand_over(c);  // who left before it has reasons of his own
        if (!put(c, Request::Kind::host_left)) return wait(c);
        c.has_left = c.wants_admission = false;
        c.words.reset();
        forget_list_of(c);
        return;
    }
    if (c.wants_admission && admit(c)) c.wants_admission = false;
    if (c.is_doubled && c.words && put(c, Request::Kind::two_hosts)) c.is_doubled = false;
    if (c.is_one_way && c.words && put(c, Request::Kind::one_way)) c.is_one_way = false;
    hand_over(c);
    if (c.words && c.agrees && !c.has_news()) hooks_.beat(*c.words, true, c.last_sign(), c.quality);
    if ((c.wants_admission && !c.is_admitting) || (c.words && c.agrees && c.has_news())) wait(c);
}

// In this order: who is gone, who is there, and that these are all.
void Neighbourhood::hand_over(Contact& c) {
    if (!c.words || !c.agrees) return;
    while (!c.gone.empty() || !c.changed.empty())
        if (!hand_over_some(c)) return;
    if (c.wants_whole) hand_over_whole(c);
}

// False: the detector has too much to do; it comes again.
bool Neighbourhood::hand_over_some(Contact& c) {
    Request request = about(c, Request::Kind::claims, life_);
    const std::size_t gone = std::min(c.gone.size(), most_claims);
    auto present = c.changed.begin();
    for (std::size_t i = 0; i < gone; ++i) request.claims.push_back(gone_from_it(c.gone[i].first, c.gone[i].second));
    for (; present != c.changed.end() && request.claims.size() < most_claims; ++present)
        if (const ListEntry* entry = c.list.find(*present)) request.claims.push_back(*entry);
    request.done = [this, host = c.host, life = c.incarnation](const Answer& answer) {
        if (answer.error || answer.refused != 0) answered(host, life, false, answer);
    };
    if (!hooks_.put(std::move(request))) return false;
    c.gone.erase(c.gone.begin(), c.gone.begin() + static_cast<std::ptrdiff_t>(gone));
    c.changed.erase(c.changed.begin(), present);
    return true;
}

bool Neighbourhood::hand_over_whole(Contact& c) {
    Request request = about(c, Request::Kind::claims, life_);
    request.is_whole = true;
    request.reason = c.is_new_life ? Reason::host_restarted : Reason::host_said;
    c.list.each([&](const ListEntry& entry) { request.whole.push_back(entry.node); });
    std::sort(request.whole.begin(), request.whole.end());
    if (!hooks_.put(std::move(request))) return false;
    c.wants_whole = c.is_new_life = false;
    return true;
}

void Neighbourhood::answered(const std::string& host, Incarnation incarnation, bool is_admission, const Answer& answer) {
    const std::lock_guard lock(outcomes_mutex_);
    outcomes_.push_back({host, incarnation, is_admission, answer});
}

void Neighbourhood::take_outcomes(Instant now) {
    std::vector<Outcome> outcomes;
    {
        const std::lock_guard lock(outcomes_mutex_);
        outcomes.swap(outcomes_);
    }
    for (const Outcome& outcome : outcomes) {
        Contact* c = find(outcome.host);
        if (c == nullptr) continue;
        if (outcome.is_admission) c->is_admitting = false;
        if (c->wants_admission) wait(*c);
        if (c->incarnation != outcome.incarnation) continue;
        const Answer& a = outcome.answer;
        if (!outcome.is_admission) {
            if (!std::exchange(c->was_refused, true)) c->next_offer = now + std::min<Duration>(5 * c->interval, std::chrono::minutes(1));
            care_for(*c);
            if (!a.error) continue;
            c->words.reset();
            if (c->must_answer(now, suspect_of(*c))) continue;  // evicted by now: it is taken in again when it answers
            c->wants_admission = true;
            wait(*c);
        } else if (!a.error) {
            const bool is_same = c->words && c->words->host == a.slot && c->words->host_generation == a.generation && c->words->stream == a.stream;
            c->is_unwelcome = false;
            c->words = HostWords{a.slot, a.word, a.generation, a.word_generation, a.card, a.stream};
            if (is_same) continue;
            c->wants_whole = true;
            c->offer_all();
            wait(*c);
        } else if (!std::exchange(c->is_unwelcome, true) && hooks_.log) {
            hooks_.log("host '" + outcome.host + "' is not taken in: " + a.error->message);
        }
    }
}

}  // namespace rollcall::engine
