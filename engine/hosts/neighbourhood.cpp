#include "engine/hosts/neighbourhood.hpp"

#include <algorithm>
#include <chrono>

namespace rollcall::engine {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

constexpr Duration between_questions = milliseconds(100), between_rounds = milliseconds(50), between_answers = milliseconds(20);
constexpr Duration a_datagram_is_late = milliseconds(250);
constexpr Duration a_stranger_has = seconds(10), a_list_is_kept = minutes(60), a_contact_is_sought = minutes(10);
constexpr std::size_t questions_a_round = 64, hints_a_greeting = 64;
constexpr std::uint64_t year_us = 366ull * 24 * 3600 * 1'000'000;

// How long what was asked for may take: longer is lost.
Duration patience(const Contact& c) { return std::max(between_questions, c.quality.round_trip.value_or(Duration{}) * 3 / 2); }

Duration intervals(const Contact& c, double n) { return std::chrono::duration_cast<Duration>(c.interval * n); }

}  // namespace

Neighbourhood::Neighbourhood(HostIdentity self, Hooks hooks, std::uint64_t seed) : speaker_(std::move(self), seed), hooks_(std::move(hooks)), settings_(hooks_.settings()), random_(seed ^ 0x9E37'79B9'7F4A'7C15) {}

HostIdentity Neighbourhood::self() const {
    const std::lock_guard lock(mutex_);
    return speaker_.self();
}

void Neighbourhood::live_as(Incarnation incarnation) {
    const std::lock_guard lock(mutex_);
    if (incarnation > speaker_.self().incarnation) speaker_.raise(incarnation);
}

void Neighbourhood::change_list(const std::function<void(OwnList&)>& change) {
    const std::lock_guard lock(mutex_);
    change(speaker_.list());
}

bool Neighbourhood::hear(const Message& message, Instant at) {
    const std::lock_guard lock(mutex_);
    if (message.content_type != host_content_type) return false;
    ++counters_.heard;
    const auto decoded = decode_host_message(message.payload);
    if (!decoded) return ++counters_.refused, false;
    if (message.origin == speaker_.self().host) return ++counters_.echoes, false;
    if (!message.destination.empty() && message.destination != speaker_.self().host) return ++counters_.misdirected, false;
    take_outcomes(at);
    std::visit([&](const auto& said) { take(message, said, at); }, *decoded);
    return !out_.empty();
}

Contact* Neighbourhood::find(std::string_view host) {
    const auto at = contacts_.find(host);
    return at == contacts_.end() ? nullptr : &at->second;
}

void Neighbourhood::forget_stranger(const std::string& host) { std::erase(strangers_, host); }

// Strangers are few: one more takes the place of any other, so that made-up names grow nothing and keep nobody out for long.
Contact* Neighbourhood::find_or_meet(const Message& m) {
    if (Contact* known = find(m.origin)) return known;
    if (contacts_.size() >= most_contacts) return ++counters_.crowded, nullptr;
    if (strangers_.size() >= most_strangers) {
        ++counters_.crowded;
        std::string& place = strangers_[random_() % strangers_.size()];
        contacts_.erase(place);
        place = m.origin;
    } else {
        strangers_.push_back(m.origin);
    }
    return &contacts_.try_emplace(m.origin, m.origin, most_members).first->second;
}

// Whoever needs no proof that this is he.
Contact* Neighbourhood::find_believed(const Message& m, Incarnation incarnation, Instant at) {
    Contact* c = find(m.origin);
    return c != nullptr && is_known(*c, m, incarnation) && !c->must_answer(at, suspect_of(*c)) ? c : nullptr;
}

void Neighbourhood::send_question(Contact& c, const std::string& address, Instant now) {
    const std::uint64_t nonce = random_();
    c.ask(nonce, now);
    out_.push_back(speaker_.say(HostAsk{nonce, speaker_.self().incarnation, !is_established_}, c.host, address));
}

void Neighbourhood::ask(Contact& c, Instant now) {
    if (now < c.next_question) return;
    c.next_question = now + between_questions;
    send_question(c, c.address, now);
}

// Not at the cost of questions to where it is known to be.
void Neighbourhood::ask_at(Contact& c, const std::string& address, Instant now) {
    if (c.is_verified && address == c.address) return ask(c, now);
    if (now < c.next_question_elsewhere) return;
    c.next_question_elsewhere = now + between_questions;
    c.candidate = address;
    if (c.met_at == Instant{}) c.met_at = now;
    send_question(c, address, now);
}

void Neighbourhood::take(const Message& m, const HostBeat& beat, Instant at) {
    Contact* c = find_or_meet(m);
    if (c == nullptr) return;
    const bool is_over = c->is_verified && beat.incarnation < c->incarnation;  // an earlier life
    const bool is_old = is_known(*c, m, beat.incarnation) && beat.sequence <= c->highest;
    if (is_over || is_old) return ++counters_.stale, void();
    if (!is_known(*c, m, beat.incarnation) || c->must_answer(at, suspect_of(*c))) {
        ++counters_.unproven;
        return ask_at(*c, m.via, at);
    }
    c->quality.count_beats(beat.sequence.epoch == c->highest.epoch ? beat.sequence.counter - c->highest.counter : 1);
    accept(*c, beat, at, at);
}

void Neighbourhood::take(const Message& m, const HostAsk& question, Instant at) {
    Contact* c = find_or_meet(m);
    if (c == nullptr || at < c->next_answer) return;
    c->next_answer = at + between_answers;
    c->wants_hosts = c->wants_hosts || question.wants_hosts;
    if (hooks_.speaks()) out_.push_back(speaker_.answer(question, c->is_verified ? c->incarnation : Incarnation{}, m, settings_.heartbeat));
    if (!is_known(*c, m, question.incarnation) || c->must_answer(at, suspect_of(*c))) ask_at(*c, m.via, at);
    else if (question.wants_hosts) greet(*c);
}

// Somebody knows a life of this host that was as great: a clock was put back, or what was remembered is lost. Raised once, before anybody knows this one:
// two hosts of one name must not chase each other.
void Neighbourhood::hear_of_oneself(Incarnation known) {
    const Incarnation self = speaker_.self().incarnation;
    if (known == self) is_established_ = true;
    if (known <= self || is_established_ || known.value - self.value > year_us) return;
    const Incarnation raised{known.value + 1};
    Request request;
    request.kind = Request::Kind::raise_host;
    request.incarnation = raised;
    if (hooks_.put(std::move(request))) speaker_.raise(raised);
}

void Neighbourhood::take(const Message& m, const HostAnswer& answer, Instant at) {
    Contact* c = find(m.origin);
    const auto asked = c == nullptr ? std::nullopt : c->answered(answer.nonce);
    if (!asked) return ++counters_.stale, void();
    hear_of_oneself(answer.known_incarnation);
    const HostBeat& beat = answer.beat;
    if (c->is_verified && beat.incarnation < c->incarnation) return ++counters_.stale, void();
    const bool is_new = !c->is_verified || beat.incarnation > c->incarnation;
    const bool asked_too_early = !is_new && c->must_answer(at, suspect_of(*c)) && asked->asked_at < c->last_heard + suspect_of(*c);
    if (asked_too_early) return ++counters_.stale, void();
    if (is_new) {
        if (!c->is_verified) forget_stranger(c->host);
        c->begin_life(beat.incarnation);
        c->differs_since = at - seconds(1);
    }
    if (c->address != m.via) move_to(*c, m.via);
    c->quality.count_round_trip(at - asked->asked_at);
    accept(*c, beat, asked->asked_at, at);
    if (is_new) greet(*c);
}

void Neighbourhood::move_to(Contact& c, const std::string& address) {
    c.address = address;
    c.in_audience = false;
    if (c.words) admit(c);
}

// It lived at `lived_at`, and this is what its list came to.
void Neighbourhood::accept(Contact& c, const HostBeat& beat, Instant lived_at, Instant now) {
    const Duration interval = std::clamp<Duration>(milliseconds(beat.interval_ms), milliseconds(1), minutes(60));
    const bool is_slower = interval != c.interval && suspect_timeout(settings_.suspect, interval) != suspect_of(c);
    c.interval = interval;
    c.last_heard = std::max(c.last_heard, lived_at);
    if (beat.sequence >= c.highest) {
        c.highest = beat.sequence;
        compare(c, beat.list, now);
    }
    hand_over(c);
    if (c.words && !hooks_.beat(*c.words, c.agrees && !c.has_news(), lived_at, c.quality)) {
        c.words.reset();  // it was evicted meanwhile
        c.wants_whole = true;
        c.offer_all();
    }
    if (!c.words || is_slower) admit(c);
}

void Neighbourhood::compare(Contact& c, const ListSummary& summary, Instant now) {
    c.summary = summary;
    if (c.agrees && summary.version < c.list.complete()) return;  // what changed since has overtaken it
    c.agrees = c.list.match(summary);
    if (c.agrees) c.differs_since.reset();
    else if (!c.differs_since) c.differs_since = now;
}

void Neighbourhood::take(const Message& m, const ListDelta& delta, Instant at) {
    Contact* c = find_believed(m, delta.incarnation, at);
    if (c == nullptr || delta.to <= c->list.complete()) return;
    std::vector<Place> changed;
    c->list.apply(delta, changed);
    c->note_changes(changed);
    if (c->agrees && c->list.complete() >= delta.to) return hand_over(*c);  // nothing is missing: its word is enough until its next beat
    c->agrees = false;
    if (!c->differs_since) c->differs_since = at;
    catch_up(*c, at);
}

void Neighbourhood::take(const Message& m, const ListPage& page, Instant at) {
    Contact* c = find_believed(m, page.incarnation, at);
    if (c == nullptr) return;
    std::vector<Place> changed;
    c->list.apply(page, changed);
    c->note_changes(changed);
    catch_up(*c, at);
}

// The list comes to what the host said when it was heard last, or is about to: what is on its way is not asked for again.
void Neighbourhood::catch_up(Contact& c, Instant now) {
    c.next_request = now + patience(c);
    if (!c.agrees) compare(c, c.summary, now);
    hand_over(c);
    if (c.words && c.agrees && !c.has_news()) hooks_.beat(*c.words, true, c.last_heard, c.quality);
}

void Neighbourhood::take(const Message& m, const ListRequest& request, Instant at) {
    const Contact* c = find(m.origin);
    if (c != nullptr && c->is_verified && m.via == c->address && !c->must_answer(at, suspect_of(*c))) speaker_.request(request, m);
}

void Neighbourhood::take(const Message& m, const HostHints& hints, Instant at) {
    const Contact* sender = find(m.origin);
    if (sender == nullptr || !sender->is_verified || m.via != sender->address) return;
    for (const auto& [host, address] : hints.hosts) {
        if (host == speaker_.self().host) continue;
        Message hinted;
        hinted.origin = host;
        Contact* c = find_or_meet(hinted);
        if (c != nullptr && c->must_answer(at, suspect_of(*c))) ask_at(*c, address, at);
    }
}

void Neighbourhood::take(const Message& m, const HostSuspected& suspected, Instant at) {
    if (suspected.host != speaker_.self().host || suspected.incarnation != speaker_.self().incarnation) return;
    Contact* c = find(m.origin);
    if (c == nullptr || !c->is_verified || c->must_answer(at, suspect_of(*c)) || m.via != c->address) return;
    const bool is_news = !c->told_at || at - *c->told_at > intervals(*c, 20);
    c->told_at = at;
    if (!is_news) return;
    Request request;
    request.kind = Request::Kind::one_way;
    request.node = c->host;
    request.incarnation = c->incarnation;
    hooks_.put(std::move(request));
}

// Only what was heard by oneself: a vouched beat is not vouched for again.
void Neighbourhood::take(const Message& m, const VouchAsk& ask, Instant at) {
    const Contact* c = find(ask.host);
    const Contact* asker = find(m.origin);
    if (c == nullptr || asker == nullptr || !asker->is_verified || m.via != asker->address) return;
    if (c->incarnation != ask.incarnation || c->must_answer(at, suspect_of(*c))) return;
    const auto age = std::chrono::ceil<milliseconds>(at - c->last_heard).count();
    out_.push_back(speaker_.say(Vouch{ask.nonce, c->host, c->incarnation, c->highest, static_cast<std::uint32_t>(std::max<std::int64_t>(age, 0)), c->summary}, m.origin, m.via));
}

void Neighbourhood::take(const Message& m, const Vouch& vouch, Instant at) {
    Contact* c = find(vouch.host);
    const Contact* voucher = find_believed(m, find(m.origin) == nullptr ? Incarnation{} : find(m.origin)->incarnation, at);
    if (c == nullptr || voucher == nullptr || c->vouch_nonce == 0 || vouch.nonce != c->vouch_nonce || vouch.incarnation != c->incarnation || !c->words) return;
    const Instant lived_at = c->vouch_asked_at - milliseconds(vouch.age_ms);
    if (lived_at <= c->last_heard) return;
    if (vouch.sequence >= c->highest) compare(*c, vouch.list, at);
    hand_over(*c);
    hooks_.beat(*c->words, c->agrees && !c->has_news(), lived_at, c->quality);
}

void Neighbourhood::take(const Message& m, const HostGoodbye& goodbye, Instant at) {
    Contact* c = find_believed(m, goodbye.incarnation, at);
    if (c == nullptr || goodbye.sequence < c->highest) return;
    Request request;
    request.kind = Request::Kind::host_left;
    request.node = c->host;
    request.incarnation = c->incarnation;
    if (!hooks_.put(std::move(request))) return;  // it will be missed instead
    c->words.reset();
    c->highest = {UINT32_MAX, 0};  // nothing this life says counts any more
    c->last_heard = at - suspect_of(*c);
}

// A few of those whom we know, or all of them for whoever knows nobody: one common acquaintance is enough to meet everybody.
void Neighbourhood::greet(Contact& c) {
    std::vector<HostHints::Hint> all;
    for (const auto& [host, other] : contacts_)
        if (&other != &c && other.is_verified && other.in_audience && other.address.size() <= 63) all.push_back({host, other.address});
    std::shuffle(all.begin(), all.end(), random_);
    if (!c.wants_hosts && all.size() > hints_a_greeting) all.resize(hints_a_greeting);
    c.wants_hosts = false;
    constexpr std::size_t room = max_host_payload - 16, longest = 2 * 64;
    HostHints page;
    std::size_t bytes = 0;
    for (auto& hint : all) {
        bytes += hint.host.size() + hint.address.size() + 2;
        page.hosts.push_back(std::move(hint));
        if (bytes + longest < room) continue;
        out_.push_back(speaker_.say(std::exchange(page, {}), c.host, c.address));
        bytes = 0;
    }
    if (!page.hosts.empty()) out_.push_back(speaker_.say(page, c.host, c.address));
}

bool Neighbourhood::tick(Instant now, std::vector<Message>& out) {
    const std::lock_guard lock(mutex_);
    settings_ = hooks_.settings();
    take_outcomes(now);
    if (hooks_.speaks()) {
        speaker_.tick(now, settings_.heartbeat, out_);
        if (now >= next_round_) go_round(now);
    } else {
        out_.clear();
    }
    std::move(out_.begin(), out_.end(), std::back_inserter(out));
    out_.clear();
    return speaker_.has_news();
}

void Neighbourhood::go_round(Instant now) {
    next_round_ = now + between_rounds;
    questions_left_ = questions_a_round;
    for (auto at = contacts_.begin(); at != contacts_.end();) {
        Contact& c = at->second;
        const bool listens = c.is_verified && now - c.last_heard < settings_.evict + (suspect_of(c) - settings_.suspect);
        audience_changed_ = audience_changed_ || listens != c.in_audience;
        c.in_audience = listens;
        look_at(c, now);
        if (is_worth_keeping(c, now)) {
            ++at;
            continue;
        }
        if (!c.is_verified) forget_stranger(c.host);
        at = contacts_.erase(at);
    }
}

bool Neighbourhood::is_worth_keeping(const Contact& c, Instant now) const { return c.is_verified || now - c.met_at < a_stranger_has; }

void Neighbourhood::look_at(Contact& c, Instant now) {
    question(c, now);
    if (!c.is_verified) return;
    tell(c, now);
    ask_others_about(c, now);
    want_list(c, now);
    if (c.was_refused && now >= c.next_offer) {
        c.was_refused = false;
        c.offer_all();
    }
    hand_over(c);
    if (now - c.last_heard > a_list_is_kept && c.list.size() != 0) c.list = KnownList(most_members);
}

// Often while it may be saved from being judged, then now and then, for ever: whoever was cut off is found again.
void Neighbourhood::question(Contact& c, Instant now) {
    if (questions_left_ == 0) return;
    if (!c.is_verified) {
        if (c.met_at == Instant{}) c.met_at = now;
        if (!c.candidate.empty() && now >= c.next_question_elsewhere + 4 * between_questions) ask_at(c, std::string(c.candidate), now), --questions_left_;
        return;
    }
    const Duration silence = now - c.last_heard;
    if (silence < intervals(c, 1.5)) return;
    const Duration pause = silence < settings_.evict + suspect_of(c) ? between_questions : silence < a_contact_is_sought ? intervals(c, 5) : std::max<Duration>(intervals(c, 5), minutes(1));
    if (now < c.next_question - between_questions + pause) return;
    ask(c, now);
    --questions_left_;
}

// It cannot know otherwise that it is not heard.
void Neighbourhood::tell(Contact& c, Instant now) {
    const Duration silence = now - c.last_heard;
    if (silence < suspect_of(c) || silence > a_contact_is_sought || now < c.next_telling) return;
    c.next_telling = now + intervals(c, 5);
    out_.push_back(speaker_.say(HostSuspected{c.host, c.incarnation}));
}

// Before it is suspected: others may hear it, and as long as they do it is not judged, whatever is wrong between it and this host.
void Neighbourhood::ask_others_about(Contact& c, Instant now) {
    const Duration silence = now - c.last_heard;
    if (!c.words || silence < intervals(c, 2) || now < c.next_vouching) return;
    c.next_vouching = now + intervals(c, silence < a_contact_is_sought ? 0.5 : 5);
    c.vouch_nonce = random_() | 1;
    c.vouch_asked_at = now;
    std::vector<const Contact*> others;
    for (const auto& [host, other] : contacts_)
        if (&other != &c && other.is_verified && !other.must_answer(now, suspect_of(other))) others.push_back(&other);
    for (std::size_t i = 0; i < std::min<std::size_t>(3, others.size()); ++i) {
        std::swap(others[i], others[i + random_() % (others.size() - i)]);
        out_.push_back(speaker_.say(VouchAsk{c.vouch_nonce, c.host, c.incarnation}, others[i]->host, others[i]->address));
    }
}

// What is late has a moment to come; then it is asked for what is missing.
void Neighbourhood::want_list(Contact& c, Instant now) {
    if (c.agrees || !c.differs_since || c.must_answer(now, suspect_of(c)) || now < c.next_request) return;
    const bool knows_nothing = c.list.complete() == 0;
    if (!knows_nothing && now - *c.differs_since < std::min(intervals(c, 1), a_datagram_is_late)) return;
    c.next_request = now + patience(c);
    ListRequest request;
    request.incarnation = c.incarnation;
    if (!knows_nothing && c.list.complete() < c.summary.version) {
        request.since = c.list.complete();
    } else {
        if (c.list.missing().empty()) c.list.start_over(c.summary.version);
        request.ranges = c.list.missing();
        if (request.ranges.size() > ListRequest::max_ranges) request.ranges.resize(ListRequest::max_ranges);
    }
    out_.push_back(speaker_.say(request, c.host, c.address));
}

std::optional<std::vector<std::string>> Neighbourhood::new_audience() {
    const std::lock_guard lock(mutex_);
    if (!std::exchange(audience_changed_, false)) return std::nullopt;
    std::vector<std::string> all;
    for (const auto& [host, c] : contacts_)
        if (c.in_audience) all.push_back(c.address);
    return all;
}

std::vector<HostView> Neighbourhood::hosts() const {
    const std::lock_guard lock(mutex_);
    std::vector<HostView> all;
    for (const auto& [host, c] : contacts_)
        all.push_back({host, c.is_verified ? c.address : c.candidate, c.incarnation, c.is_verified, c.agrees, c.list.size(), c.last_heard, c.quality.loss, c.quality.round_trip});
    std::sort(all.begin(), all.end(), [](const HostView& a, const HostView& b) { return a.host < b.host; });
    return all;
}

NeighbourhoodCounters Neighbourhood::counters() const {
    const std::lock_guard lock(mutex_);
    return counters_;
}

}  // namespace rollcall::engine
