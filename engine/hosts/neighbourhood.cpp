#include "engine/hosts/neighbourhood.hpp"

#include <algorithm>
#include <chrono>

namespace rollcall::engine {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {
constexpr Duration between_answers = milliseconds(20);
constexpr std::size_t hints_of_a_page = 5;  // a page with fewer is the last one
constexpr std::uint64_t year_us = 366ull * 24 * 3600 * 1'000'000;
}  // namespace

Neighbourhood::Neighbourhood(HostIdentity self, Hooks hooks, std::uint32_t capacity, std::uint64_t seed)
    : speaker_(std::move(self), seed), hooks_(std::move(hooks)), settings_(hooks_.settings()), random_(seed ^ 0x9E37'79B9'7F4A'7C15), most_claims_(4 * std::size_t{capacity} + 65'536) {
    if (!hooks_.nonce) hooks_.nonce = [this] { return random_(); };
}

HostIdentity Neighbourhood::self() const {
    const std::lock_guard lock(mutex_);
    return speaker_.self();
}

// Nobody answers a goodbye: it is said three times, and whoever misses all of them notices the silence.
void Neighbourhood::say_goodbye(Instant now, std::vector<Message>& out) {
    const std::lock_guard lock(mutex_);
    speaker_.tick(now, settings_.heartbeat, out);
    for (int i = 0; i < 3; ++i) out.push_back(speaker_.goodbye());
}

void Neighbourhood::change_list(const std::function<std::optional<Incarnation>(OwnList&)>& change) {
    const std::lock_guard lock(mutex_);
    const auto life = change(speaker_.list());
    if (life && *life > speaker_.self().incarnation) speaker_.raise(*life);
}

bool Neighbourhood::hear(const Message& message, Instant at) {
    const std::lock_guard lock(mutex_);
    if (message.content_type != host_content_type) return false;
    ++counters_.heard;
    const auto decoded = decode_host_message(message.payload);
    if (!decoded) return ++counters_.refused, false;
    if (message.origin == speaker_.self().host) return hear_namesake(message, *decoded, at), false;
    if (!message.destination.empty() && message.destination != speaker_.self().host) return ++counters_.misdirected, false;
    std::visit([&](const auto& said) { take(message, said, at); }, *decoded);
    return !out_.empty() || !waiting_.empty();
}

Contact* Neighbourhood::find(std::string_view host) {
    const auto at = contacts_.find(host);
    return at == contacts_.end() ? nullptr : &at->second;
}

// Strangers are few: one more takes the place of any other, so that made-up names grow nothing and keep nobody out for long.
Contact* Neighbourhood::find_or_meet(const Message& m) {
    if (Contact* known = find(m.origin)) return known;
    if (contacts_.size() >= most_contacts) make_room_for_a_contact();
    if (strangers_.size() >= most_strangers) {
        ++counters_.crowded;
        forget(std::string(strangers_[random_() % strangers_.size()]));
    }
    strangers_.push_back(m.origin);
    Contact& c = contacts_.try_emplace(m.origin, m.origin, most_claims_ / 4).first->second;
    care_for(c);
    return &c;
}

// Of those who are not heard any more, the one that was not for longest; of all, if it must be.
void Neighbourhood::make_room_for_a_contact() {
    const auto least = [](const auto& a, const auto& b) { return std::pair(a.second.in_audience.has_value(), a.second.last_heard) < std::pair(b.second.in_audience.has_value(), b.second.last_heard); };
    ++counters_.crowded;
    forget(std::string(std::min_element(contacts_.begin(), contacts_.end(), least)->first));
}

// What hearing makes us say has a bound, whoever makes us say it: five thousand messages a second.
bool Neighbourhood::may_say(Instant now) {
    constexpr double a_second = 5'000, most = 1'000;
    allowance_ = std::min(most, allowance_ + a_second * std::chrono::duration<double>(now - std::exchange(allowed_until_, now)).count());
    if (allowance_ < 1) return ++counters_.withheld, false;
    allowance_ -= 1;
    return true;
}

// Whoever needs no proof that this is he.
Contact* Neighbourhood::find_believed(const Message& m, Incarnation incarnation, Instant at) {
    Contact* c = find(m.origin);
    return c != nullptr && is_known(*c, m, incarnation) && !c->must_answer(at, suspect_of(*c)) ? c : nullptr;
}

void Neighbourhood::send_question(Contact& c, const std::string& address, Instant now) {
    const std::uint64_t nonce = hooks_.nonce();
    c.ask(nonce, now);
    ++c.unanswered;
    out_.push_back(speaker_.say(HostAsk{nonce, speaker_.self().incarnation, !is_established_}, c.host, address));
}

void Neighbourhood::ask(Contact& c, Instant now) {
    if (now < c.next_question) return;
    c.next_question = now + question_pause_;
    const bool is_silent = c.rival_since || now - c.last_heard >= c.intervals(1.5);  // then everywhere in turn
    if (c.paths.empty()) return send_question(c, c.candidate, now);
    send_question(c, std::string(is_silent ? c.paths[c.turn++ % c.paths.size()].address : c.address()), now);
}

// Not at the cost of questions to where it is known to be.
void Neighbourhood::ask_at(Contact& c, const std::string& address, Instant now) {
    if (c.is_verified && c.is_at(address)) return ask(c, now);
    if (c.met_at == Instant{}) c.met_at = now;
    const bool is_chosen = random_() % ++c.candidates == 0;  // of all that claim to be it, each as likely as the others
    if (is_chosen) c.candidate = address;
    if (now < c.next_question_elsewhere || !may_say(now)) return;
    c.next_question_elsewhere = now + question_pause_;
    c.candidates = 0;
    send_question(c, std::string(c.candidate), now);
}

void Neighbourhood::take(const Message& m, const HostBeat& beat, Instant at) {
    Contact* c = find_or_meet(m);
    if (c == nullptr) return;
    const bool is_over = is_over_for(*c, beat.incarnation, at);
    const bool is_old = c->is_verified && beat.incarnation == c->incarnation && beat.sequence <= c->highest;  // or came by another way, too
    if (is_over || is_old || c->has_ended(beat.incarnation, beat.sequence)) {
        if (!is_over && is_copy(*c, m, beat, at)) return;
        return ++counters_.stale, void();
    }
    if (!is_known(*c, m, beat.incarnation) || c->must_answer(at, suspect_of(*c))) {
        ++counters_.unproven;
        return ask_at(*c, m.via, at);
    }
    note_path(*c, m.via, at);
    c->quality.count_beats(beat.sequence.epoch == c->highest.epoch ? beat.sequence.counter - c->highest.counter : 1);
    accept(*c, beat, at, at);
}

void Neighbourhood::take(const Message& m, const HostAsk& question, Instant at) {
    Contact* c = find_or_meet(m);
    if (c == nullptr) return;
    const bool is_at_home = c->is_verified && c->is_at(m.via);  // strangers do not use up what it may hear
    Instant& next = is_at_home ? c->next_answer : c->next_answer_elsewhere;
    if (at < next || (!is_at_home && !may_say(at))) return;
    next = at + between_answers;
    c->wants_hosts = c->wants_hosts || question.wants_hosts;
    if (hooks_.speaks() && speaker_.knows_list()) out_.push_back(speaker_.answer(question, c->is_verified ? c->incarnation : Incarnation{}, m, settings_.heartbeat));
    if (!is_known(*c, m, question.incarnation) || c->must_answer(at, suspect_of(*c))) ask_at(*c, m.via, at);
    if (question.wants_hosts) owe_greeting(*c, at);
}

// Our own, thrown back; or of another host that calls itself so, and began later. (One that began earlier cannot be told from a recording of ourselves.)
void Neighbourhood::hear_namesake(const Message& message, const HostMessage& said, Instant at) {
    const auto* beat = std::get_if<HostBeat>(&said);
    if (beat == nullptr || beat->incarnation <= speaker_.self().incarnation) return ++counters_.echoes, void();
    ++counters_.namesakes;
    if (!hooks_.log || at < next_line_of_namesake_) return;
    next_line_of_namesake_ = at + minutes(10);
    hooks_.log("another host at " + message.via + " calls itself '" + message.origin + "', too: nobody takes it in while this one answers (--host NAME)");
}

// Somebody knows a life of this host that was as great: a clock was put back, or what was remembered is lost. Raised once, and before anybody knows this one:
// two hosts of one name must not chase each other, nor a stranger this one. By up to a second's worth of numbers at random: who says so may not know the latest life,
// and no two lives may have one number.
void Neighbourhood::hear_of_oneself(Incarnation known) {
    const Incarnation self = speaker_.self().incarnation;
    if (known == self) is_established_ = true;
    if (known <= self || is_established_ || known.value - self.value > year_us || std::exchange(has_raised_, true)) return;
    to_raise_ = Incarnation{known.value + 1 + random_() % 1'000'000};
    speaker_.raise(*to_raise_);
}

// An earlier life than the one that is known; unless that was forgotten in the meantime and does not answer: then whoever answers now is who there is, whatever his clock
// said when he began. (If we slept, the first one has not been asked yet.)
bool Neighbourhood::is_over_for(const Contact& c, Incarnation life, Instant at) const {
    return c.is_verified && life < c.incarnation && !(is_forgotten(c, at) && c.unanswered >= 3);
}

// A second host of this name, with a later life, while the first one was heard a moment ago. Whoever restarted leaves the questions to its old life unanswered:
// after three of them the new one counts.
bool Neighbourhood::is_rival(Contact& c, const Message& m, const HostBeat& beat, Instant at) {
    if (!c.is_verified || beat.incarnation <= c.incarnation || c.must_answer(at, suspect_of(c))) return false;
    if (!c.rival_since) c.rival_since = at;
    care_for(c);
    if (at - *c.rival_since >= 3 * c.patience(question_pause_) && c.last_heard < *c.rival_since) return false;
    ++counters_.rivals;
    c.candidate = m.via;
    ask(c, at);
    return true;
}

void Neighbourhood::take(const Message& m, const HostAnswer& answer, Instant at) {
    Contact* c = find(m.origin);
    const auto asked = c == nullptr ? std::nullopt : c->answered(answer.nonce);
    if (!asked) return ++counters_.stale, void();
    const HostBeat& beat = answer.beat;
    if (is_over_for(*c, beat.incarnation, at) || c->has_ended(beat.incarnation, beat.sequence)) return ++counters_.stale, void();
    if (is_rival(*c, m, beat, at)) return;
    hear_of_oneself(answer.known_incarnation);
    const bool is_new = !c->is_verified || beat.incarnation != c->incarnation;
    const bool asked_too_early = !is_new && c->must_answer(at, suspect_of(*c)) && asked->asked_at < c->last_heard + suspect_of(*c);
    if (asked_too_early) return ++counters_.stale, void();
    if (is_new) {
        std::erase(strangers_, c->host);
        claims_ -= c->list.size();
        c->begin_life(beat.incarnation);
        care_for(*c);
        c->differs_since = at - seconds(1);
    }
    if (c->rival_since && asked->asked_at >= *c->rival_since) note_double(*c, at);  // so that two answer to one name
    c->rival_since.reset();
    listens(*c, true);
    note_path(*c, m.via, at);
    c->quality.count_round_trip(at - asked->asked_at);
    if (!is_new && !is_lost(*c, at)) pace_.answered(at - asked->asked_at);
    accept(*c, beat, asked->asked_at, at);
    if (is_new) owe_greeting(*c, at);
}

// It was heard from there, or answered from there for the first time. Copies by several ways count once, and whatever heard it last is the way to it.
void Neighbourhood::note_path(Contact& c, const std::string& address, Instant at) {
    bool is_other = false;
    if (!c.is_at(address)) {
        c.move_to(address, at);
        audience_changed_ = is_other = true;
    } else {
        is_other = c.note_path(address, at);
    }
    if (!is_other && ways_of(c) == c.told_ways) return;
    c.wants_admission = true;
    wait(c);
}

bool Neighbourhood::can_reach(const std::string& address) const {
    return hooks_.ways.empty() || std::find(hooks_.ways.begin(), hooks_.ways.end(), transport_of(address)) != hooks_.ways.end();
}

// By which it was heard lately.
WayMask Neighbourhood::ways_of(const Contact& c) const {
    WayMask mask = 0;
    Instant latest{};
    for (const Contact::Path& path : c.paths) latest = std::max(latest, path.heard_at);
    for (std::size_t i = 0; i < std::min(hooks_.ways.size(), most_ways); ++i) {
        const Contact::Path* path = c.path_over(hooks_.ways[i]);
        if (path != nullptr && latest - path->heard_at <= c.intervals(10)) mask |= WayMask{1} << i;
    }
    return mask;
}

// What was heard already came by another way, too: that it leads here is worth knowing, and whether it leads back.
bool Neighbourhood::is_copy(Contact& c, const Message& m, const HostBeat& beat, Instant at) {
    if (beat.incarnation != c.incarnation || beat.sequence != c.highest || c.must_answer(at, suspect_of(c))) return false;
    ++counters_.copies;
    if (c.is_at(m.via)) return note_path(c, m.via, at), true;
    const Contact::Path* there = c.path_over(transport_of(m.via));
    if (there == nullptr || at - there->heard_at >= c.intervals(1.5)) ask_at(c, m.via, at);
    return true;
}

// Told once in a while, as long as it goes on.
void Neighbourhood::note_double(Contact& c, Instant at) {
    if (c.doubled_at && at - *c.doubled_at < minutes(10)) return;
    c.doubled_at = at;
    c.is_doubled = true;
    wait(c);
}

// It lived at `lived_at`, and this is what its list came to.
void Neighbourhood::accept(Contact& c, const HostBeat& beat, Instant lived_at, Instant now) {
    // What we do for it must not become more than that because it says so.
    const Duration least = std::max<Duration>(milliseconds(5), settings_.heartbeat / 2);
    c.interval = std::clamp<Duration>(milliseconds(beat.interval_ms), least, std::max<Duration>(minutes(60), least));
    const bool is_told = suspect_timeout(settings_.suspect, c.interval) == suspect_timeout(settings_.suspect, c.told_interval);
    c.last_heard = std::max(c.last_heard, lived_at);
    c.unanswered = 0;
    if (beat.sequence >= c.highest) {
        c.highest = beat.sequence;
        compare(c, beat.list, now);
    }
    const bool agrees = c.agrees && !c.has_news();
    if (c.words && !hooks_.beat(*c.words, agrees, lived_at, c.quality)) {
        c.words.reset();  // it was evicted meanwhile
        c.wants_whole = true;
        c.offer_all();
    }
    c.wants_admission = c.wants_admission || !c.words || !is_told;
    if (c.wants_admission || !agrees) wait(c);
}

void Neighbourhood::compare(Contact& c, const ListSummary& summary, Instant now) {
    c.summary = summary;
    if (c.agrees && summary.version < c.list.complete()) return;  // what changed since has overtaken it
    c.agrees = summary.version != 0 && c.list.match(summary);  // nobody's list is 0: that is one of which nothing is known
    if (c.agrees) return c.differs_since.reset();
    if (!c.differs_since) c.differs_since = now;
    care_for(c);
}

void Neighbourhood::take(const Message& m, const ListDelta& delta, Instant at) {
    Contact* c = find_believed(m, delta.incarnation, at);
    if (c == nullptr || delta.to <= c->list.complete()) return;
    std::vector<Place> changed;
    const std::size_t before = c->list.size();
    c->list.apply(delta, changed);
    if (!bound_lists(*c, before)) return;
    c->note_changes(changed);
    if (c->agrees && c->list.complete() >= delta.to) return wait(*c);  // nothing is missing: its word is enough until its next beat
    c->agrees = false;
    if (!c->differs_since) c->differs_since = at;
    care_for(*c);
    catch_up(*c, at);
}

void Neighbourhood::take(const Message& m, const ListPage& page, Instant at) {
    Contact* c = find_believed(m, page.incarnation, at);
    if (c == nullptr) return;
    std::vector<Place> changed;
    const std::size_t before = c->list.size();
    c->list.apply(page, changed);
    if (!bound_lists(*c, before)) return;
    c->note_changes(changed);
    catch_up(*c, at);
}

// The list comes to what the host said when it was heard last, or is about to: what is on its way is not asked for again.
void Neighbourhood::catch_up(Contact& c, Instant now) {
    c.next_request = now + c.patience(question_pause_);
    if (!c.agrees) compare(c, c.summary, now);
    if (c.agrees) wait(c);
}

// All lists together have a bound: whoever goes beyond it is not believed, and has nothing known of it.
bool Neighbourhood::bound_lists(Contact& c, std::size_t before) {
    claims_ += c.list.size() - before;
    if (claims_ <= most_claims_) return true;
    ++counters_.crowded;
    forget_list_of(c);
    care_for(c);
    return false;
}

void Neighbourhood::forget_list_of(Contact& c) {
    claims_ -= c.list.size();
    c.forget_list();
}

void Neighbourhood::take(const Message& m, const ListRequest& request, Instant at) {
    Contact* c = find(m.origin);
    if (c == nullptr || !c->is_verified || !c->is_at(m.via) || c->must_answer(at, suspect_of(*c)) || at < c->next_list) return;
    c->next_list = at + between_answers;
    speaker_.request(request, m);
}

void Neighbourhood::take(const Message& m, const HostHints& hints, Instant at) {
    Contact* sender = find(m.origin);
    if (sender == nullptr || !sender->is_verified || !sender->is_at(m.via) || at < sender->next_hints) return;
    if (hints.hosts.size() < hints_of_a_page) sender->next_hints = at + seconds(1);  // the last page of several
    for (const auto& [host, address] : hints.hosts) {
        if (host == speaker_.self().host || allowance_ < 1 || !can_reach(address)) continue;
        Message hinted;
        hinted.origin = host;
        Contact* c = find_or_meet(hinted);
        if (c != nullptr && c->must_answer(at, suspect_of(*c))) ask_at(*c, address, at);
    }
}

void Neighbourhood::take(const Message& m, const HostSuspected& suspected, Instant at) {
    if (suspected.host != speaker_.self().host || suspected.incarnation != speaker_.self().incarnation) return;
    Contact* c = find(m.origin);
    if (c == nullptr || !c->is_verified || c->must_answer(at, suspect_of(*c)) || !c->is_at(m.via)) return;
    const bool is_news = !c->told_at || at - *c->told_at > c->intervals(20);
    c->told_at = at;
    if (!is_news) return;
    c->is_one_way = true;
    wait(*c);
}

// Only what was heard by oneself: a vouched beat is not vouched for again.
void Neighbourhood::take(const Message& m, const VouchAsk& ask, Instant at) {
    const Contact* c = find(ask.host);
    const Contact* asker = find(m.origin);
    if (c == nullptr || asker == nullptr || !asker->is_verified || !asker->is_at(m.via)) return;
    if (c->incarnation != ask.incarnation || c->must_answer(at, suspect_of(*c)) || !may_say(at)) return;
    const auto age = std::chrono::ceil<milliseconds>(at - c->last_heard).count();
    out_.push_back(speaker_.say(Vouch{ask.nonce, c->host, c->incarnation, c->highest, static_cast<std::uint32_t>(std::max<std::int64_t>(age, 0)), c->summary}, m.origin, m.via));
}

void Neighbourhood::take(const Message& m, const Vouch& vouch, Instant at) {
    Contact* c = find(vouch.host);
    const Contact* voucher = find_believed(m, find(m.origin) == nullptr ? Incarnation{} : find(m.origin)->incarnation, at);
    if (c == nullptr || voucher == nullptr || c->vouch_nonce == 0 || vouch.nonce != c->vouch_nonce || vouch.incarnation != c->incarnation || !c->words) return;
    const Instant lived_at = c->vouch_asked_at - milliseconds(vouch.age_ms);
    if (lived_at <= c->last_sign()) return;
    c->vouched_at = lived_at;
    if (vouch.sequence >= c->highest) compare(*c, vouch.list, at);
    if (c->agrees && c->has_news()) wait(*c);
    hooks_.beat(*c->words, c->agrees && !c->has_news(), lived_at, c->quality);
}

void Neighbourhood::take(const Message& m, const HostGoodbye& goodbye, Instant at) {
    Contact* c = find_believed(m, goodbye.incarnation, at);
    if (c == nullptr || goodbye.sequence < c->highest) return;
    c->has_left = true;
    c->left_in = goodbye.sequence.epoch;
    c->last_heard = at - suspect_of(*c);  // its next engine has to answer first
    wait(*c);
}

std::optional<std::vector<std::string>> Neighbourhood::new_audience() {
    const std::lock_guard lock(mutex_);
    if (!std::exchange(audience_changed_, false)) return std::nullopt;
    std::vector<std::string> all;
    for (const Contact* c : audience_)
        for (const Contact::Path& path : c->paths) all.push_back(path.address);
    return all;
}

std::vector<HostView> Neighbourhood::hosts() const {
    const std::lock_guard lock(mutex_);
    std::vector<HostView> all;
    for (const auto& [host, c] : contacts_)
        all.push_back({host, c.is_verified ? c.address() : c.candidate, c.incarnation, c.is_verified, c.agrees, c.list.size(), c.last_heard, c.quality.loss, c.quality.round_trip});
    std::sort(all.begin(), all.end(), [](const HostView& a, const HostView& b) { return a.host < b.host; });
    return all;
}

HostTraffic Neighbourhood::counters() const {
    const std::lock_guard lock(mutex_);
    return counters_;
}

}  // namespace rollcall::engine
