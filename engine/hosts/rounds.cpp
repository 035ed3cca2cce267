// What the neighbourhood does by itself, four times a heartbeat: ask, tell, ask others, ask for lists, and make hosts known to each other.
#include <algorithm>
#include <chrono>
#include <tuple>

#include "engine/hosts/neighbourhood.hpp"

namespace rollcall::engine {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {
constexpr Duration a_datagram_is_late = milliseconds(250);
constexpr Duration a_stranger_has = seconds(10), a_list_is_kept = minutes(60), a_contact_is_sought = minutes(10);
constexpr std::size_t questions_a_round = 128, others_a_round = 16, requests_a_round = 64, hints_a_greeting = 16, hints_of_gossip = 8;
}  // namespace

// A few of those whom we know, or all of them for whoever knows nobody: one common acquaintance is enough to meet everybody.
// Not at once: it must have had our answer, else it takes no hints of us; and where all begin together there is more to tell a moment later.
void Neighbourhood::owe_greeting(Contact& c, Instant now) {
    if (!c.greeting_due) c.greeting_due = std::max(now + question_pause_, c.next_greeting);
    care_for(c);
}

void Neighbourhood::greet(Contact& c, Instant now) {
    if (!c.greeting_due || now < *c.greeting_due || c.must_answer(now, suspect_of(c))) return;
    if (!name_others(c, c.wants_hosts ? SIZE_MAX : hints_a_greeting, now)) return;  // goes on in the next round
    c.greeting_due.reset();
    c.wants_hosts = false;
    c.next_greeting = now + std::max<Duration>(c.intervals(5), seconds(1));
}

// What a greeting that was lost would have said is said by somebody, some time.
void Neighbourhood::gossip(Instant now) {
    if (now < next_gossip_ || audience_.size() < 2) return;
    next_gossip_ = now + 5 * settings_.heartbeat;
    Contact& c = *audience_[random_() % audience_.size()];
    if (!c.must_answer(now, suspect_of(c))) (void)name_others(c, hints_of_gossip, now);
}

void Neighbourhood::listens(Contact& c, bool does) {
    if (c.in_audience.has_value() == does) return;
    audience_changed_ = true;
    if (does) {
        c.in_audience = audience_.size();
        audience_.push_back(&c);
        return;
    }
    audience_.back()->in_audience = *c.in_audience;
    std::swap(audience_[*c.in_audience], audience_.back());
    audience_.pop_back();
    c.in_audience.reset();
}

// False: no more may be said now.
bool Neighbourhood::name_others(Contact& c, std::size_t most, Instant now) {
    constexpr std::size_t room = max_host_payload - 16, longest = 2 * 64;
    HostHints page;
    std::size_t bytes = 0;
    const std::size_t many = std::min(most, audience_.size());
    for (std::size_t i = many == audience_.size() ? std::min(c.greeted, many) : 0; i < many; ++i) {
        const Contact& other = *audience_[many == audience_.size() ? i : random_() % audience_.size()];
        const Contact::Path* there = other.path_beside(c);  // where it may be reached by whoever is told
        if (&other == &c || there == nullptr || other.must_answer(now, suspect_of(other)) || there->address.size() > 63) continue;
        page.hosts.push_back({other.host, there->address});
        bytes += other.host.size() + there->address.size() + 2;
        if (bytes + longest < room) continue;
        if (!may_say(now)) return false;
        out_.push_back(speaker_.say(std::exchange(page, {}), c.host, c.address()));
        bytes = 0;
        c.greeted = i + 1;
    }
    c.greeted = 0;
    if (!page.hosts.empty() && may_say(now)) out_.push_back(speaker_.say(page, c.host, c.address()));
    return true;
}

Duration Neighbourhood::tick(Instant now, std::vector<Message>& out) {
    const std::lock_guard lock(mutex_);
    settings_ = hooks_.settings();
    question_pause_ = std::clamp<Duration>(settings_.heartbeat / 2, milliseconds(5), milliseconds(100));
    between_rounds_ = std::clamp<Duration>(settings_.heartbeat / 4, milliseconds(5), milliseconds(50));
    take_outcomes(now);
    hand_over_all();
    if (hooks_.speaks()) {
        speaker_.tick(now, settings_.heartbeat, out_);
        if (now >= next_round_) go_round(now);
    } else {
        out_.clear();
    }
    std::move(out_.begin(), out_.end(), std::back_inserter(out));
    out_.clear();
    const Duration until_beat = speaker_.next() - now;
    return std::clamp<Duration>(speaker_.has_news() ? milliseconds(2) : until_beat, milliseconds(1), between_rounds_);
}

// Whoever is heard and agrees is only looked at now and then: a quarter of an interval is soon enough to notice that he is not.
void Neighbourhood::go_round(Instant now) {
    next_round_ = now + between_rounds_;
    requests_left_ = requests_a_round;
    const auto slices = static_cast<std::size_t>(std::clamp<std::int64_t>(settings_.heartbeat / 4 / between_rounds_, 1, 10));
    slice_ = (slice_ + 1) % slices;
    const std::size_t buckets = contacts_.bucket_count();
    for (std::size_t bucket = slice_ * buckets / slices; bucket < (slice_ + 1) * buckets / slices; ++bucket)
        for (auto at = contacts_.begin(bucket); at != contacts_.end(bucket); ++at)
            if (needs_care(at->second, now)) care_for(at->second);
    gossip(now);
    question_the_silent(now);
    for (std::size_t i = 0; i < cared_for_.size();) {
        Contact& c = *cared_for_[i];
        look_at(c, now);
        if (!is_worth_keeping(c, now)) forget(c.host);
        else if (!needs_care(c, now)) care_no_more(c);
        else ++i;
    }
}

bool Neighbourhood::needs_care(const Contact& c, Instant now) const { return !c.is_verified || !c.agrees || c.was_refused || c.rival_since || c.greeting_due || now - c.last_heard >= c.intervals(1.5); }

void Neighbourhood::care_for(Contact& c) {
    if (!std::exchange(c.is_cared_for, true)) cared_for_.push_back(&c);
}

void Neighbourhood::care_no_more(Contact& c) {
    if (std::exchange(c.is_cared_for, false)) cared_for_.erase(std::find(cared_for_.begin(), cared_for_.end(), &c));
}

void Neighbourhood::forget(const std::string& host) {
    const auto at = contacts_.find(host);
    if (at == contacts_.end()) return;
    claims_ -= at->second.list.size();
    listens(at->second, false);
    care_no_more(at->second);
    std::erase(strangers_, at->first);
    contacts_.erase(at);
}

bool Neighbourhood::is_worth_keeping(const Contact& c, Instant now) const { return c.is_verified || now - c.met_at < a_stranger_has; }

void Neighbourhood::look_at(Contact& c, Instant now) {
    if (!c.is_verified) return;
    greet(c, now);
    listens(c, now - c.last_heard < settings_.evict + suspect_of(c) - settings_.suspect);
    tell(c, now);
    ask_others_about(c, now);
    want_list(c, now);
    if (c.was_refused && now >= c.next_offer && !c.must_answer(now, suspect_of(c))) {
        c.was_refused = false;
        c.offer_all();
        wait(c);
    }
    if (c.words && is_forgotten(c, now)) {
        c.words.reset();
        c.offer_all();
        c.wants_whole = true;
    }
    if (now - c.last_sign() > std::max<Duration>(a_list_is_kept, settings_.evict + 2 * suspect_of(c)) && c.list.size() != 0) forget_list_of(c);
}

// Often while it may be saved from being judged, then now and then, for ever: whoever was cut off is found again.
Duration Neighbourhood::question_pause_of(const Contact& c, Instant now) const {
    if (!c.is_verified) return 5 * question_pause_;
    const Duration silence = now - c.last_heard;
    if (silence < settings_.evict + suspect_of(c)) return question_pause_;
    return silence < a_contact_is_sought ? std::min<Duration>(c.intervals(5), minutes(1)) : minutes(1);
}

// First those who may be alive, as many as there is a pace for, whoever was asked least since he was heard first: so the dead among them are in nobody's way. A few of those
// who are lost, and of strangers, have a share of their own, which no number of them makes larger.
void Neighbourhood::question_the_silent(Instant now) {
    struct Turn {
        std::uint32_t unanswered;
        Instant due;
        Contact* contact;
    };
    std::vector<Turn> silent, lost, strangers;
    for (Contact* each : cared_for_) {
        Contact& c = *each;
        if (!c.is_verified && c.met_at == Instant{}) c.met_at = now;
        const bool is_asked = (!c.is_verified && !c.candidate.empty()) || (c.is_verified && (c.rival_since || now - c.last_heard >= c.intervals(1.5)));
        const Instant last = (c.is_verified && !c.rival_since ? c.next_question : c.next_question_elsewhere) - question_pause_;
        const Instant due = last + (c.rival_since ? question_pause_ : question_pause_of(c, now));
        if (!is_asked || due > now) continue;
        auto& queue = !c.is_verified ? strangers : is_lost(c, now) ? lost : silent;
        queue.push_back({&queue == &silent ? c.unanswered : 0, due, &c});
    }
    const auto serve = [&](std::vector<Turn>& turns, std::size_t most, bool is_paced) {
        const std::size_t many = std::min(turns.size(), most);
        const auto before = [](const Turn& a, const Turn& b) { return std::tie(a.unanswered, a.due, a.contact->host) < std::tie(b.unanswered, b.due, b.contact->host); };
        std::partial_sort(turns.begin(), turns.begin() + static_cast<std::ptrdiff_t>(many), turns.end(), before);
        for (std::size_t i = 0; i < many && (!is_paced || pace_.take(now)); ++i) question(*turns[i].contact, now);
    };
    serve(silent, questions_a_round, true);
    serve(lost, others_a_round, false);
    serve(strangers, others_a_round, false);
}

void Neighbourhood::question(Contact& c, Instant now) {
    if (c.is_verified) ask(c, now);
    if (c.rival_since && now - *c.rival_since > suspect_of(c)) c.rival_since.reset();
    if ((!c.is_verified || c.rival_since) && !c.candidate.empty()) ask_at(c, std::string(c.candidate), now);
}

// It cannot know otherwise that it is not heard.
void Neighbourhood::tell(Contact& c, Instant now) {
    const Duration silence = now - c.last_heard;
    if (silence < suspect_of(c) || silence > a_contact_is_sought || now < c.next_telling) return;
    c.next_telling = now + c.intervals(5);
    for (const Contact::Path& path : c.paths) out_.push_back(speaker_.say(HostSuspected{c.host, c.incarnation}, c.host, path.address));
}

// Before it is suspected: others may hear it, and as long as they do it is not judged, whatever is wrong between it and this host.
void Neighbourhood::ask_others_about(Contact& c, Instant now) {
    if (!c.words || now - c.last_heard < c.intervals(2) || now - c.last_sign() > settings_.dead + suspect_of(c) || now < c.next_vouching) return;
    c.next_vouching = now + c.intervals(0.5);
    c.vouch_nonce = hooks_.nonce() | 1;
    c.vouch_asked_at = now;
    for (int attempt = 0, asked = 0; attempt < 12 && asked < 3; ++attempt) {
        if (audience_.empty()) return;
        const Contact* other = audience_[random_() % audience_.size()];
        if (other->paths.empty() || other == &c || other->must_answer(now, suspect_of(*other))) continue;
        out_.push_back(speaker_.say(VouchAsk{c.vouch_nonce, c.host, c.incarnation}, other->host, other->paths[random_() % other->paths.size()].address));
        ++asked;
    }
}

// What is late has a moment to come; then it is asked for what is missing.
void Neighbourhood::want_list(Contact& c, Instant now) {
    if (c.agrees || requests_left_ == 0 || !c.differs_since || c.must_answer(now, suspect_of(c)) || now < c.next_request) return;
    const bool knows_nothing = c.list.complete() == 0;
    if (!knows_nothing && now - *c.differs_since < std::min(c.intervals(1), a_datagram_is_late)) return;
    // Members are judged by it: when that comes near, what may be under way is asked for again all the same.
    const bool is_urgent = now - *c.differs_since > suspect_of(c) / 3;
    c.next_request = now + (is_urgent ? question_pause_ : c.patience(question_pause_));
    --requests_left_;
    ListRequest request;
    request.incarnation = c.incarnation;
    if (!knows_nothing && c.list.complete() < c.summary.version) {
        request.since = c.list.complete();
    } else {
        if (c.list.missing().empty()) c.list.start_over(c.summary.version);
        request.ranges = c.list.missing();
        if (request.ranges.size() > ListRequest::max_ranges) request.ranges.resize(ListRequest::max_ranges);
    }
    // Where it is heard it may not hear: what had no effect is tried everywhere.
    const bool is_again = now - *c.differs_since > 2 * c.patience(question_pause_);
    out_.push_back(speaker_.say(request, c.host, is_again ? c.paths[c.turn++ % c.paths.size()].address : c.address()));
}

}  // namespace rollcall::engine
