#include "engine/hosts/speaker.hpp"

#include <algorithm>
#include <chrono>

namespace rollcall::engine {

namespace {

constexpr std::size_t entry_room = max_host_payload - 40;  // of a payload, for entries
constexpr std::size_t most_at_once = 64, most_repeated = 8;  // datagrams of changes: who missed more asks
constexpr std::size_t most_debts = 4096;
constexpr double bytes_a_second = 1e6, largest_allowance = 64e3;

}  // namespace

Message HostSpeaker::say(const HostMessage& what, std::string destination, std::string via) const {
    Message message;
    message.path = host_path_of(self_.cluster, self_.host);
    message.content_type = host_content_type;
    message.cluster = self_.cluster;
    message.origin = self_.host;
    message.destination = std::move(destination);
    message.via = std::move(via);
    message.payload = encode_host_message(what);
    return message;
}

HostBeat HostSpeaker::present(Duration interval) const {
    const auto ms = std::chrono::ceil<std::chrono::milliseconds>(interval).count();
    return {self_.incarnation, {self_.epoch, counter_}, static_cast<std::uint32_t>(std::clamp<std::int64_t>(ms, 1, UINT32_MAX)), list_.summary()};
}

// An answer is no beat of its own: its nonce says that it is new, so no number is used up and losses can be counted in beats.
Message HostSpeaker::answer(const HostAsk& ask, Incarnation known, const Message& asked, Duration interval) const {
    return say(HostAnswer{ask.nonce, present(interval), known}, asked.origin, asked.via);
}

void HostSpeaker::tick(Instant now, Duration interval, std::vector<Message>& out) {
    if (!knows_list()) return;
    const std::uint64_t version = list_.summary().version;
    if (!std::exchange(has_begun_, true)) {  // nobody has heard of an earlier version from us; who wants all of it asks
        said_ = version;
        at_beats_ = {version, version};
        paid_until_ = now;
    }
    const bool beats = now >= next_beat_;
    if (beats && at_beats_[0] != said_) say_changes(at_beats_[0], most_repeated, out);  // again, and once more with the next beat
    if (version != said_ && (beats || now >= next_change_)) {
        say_changes(said_, most_at_once, out);
        said_ = version;
        next_change_ = now + std::chrono::milliseconds(10);
    }
    if (beats) {
        at_beats_ = {at_beats_[1], version};
        ++counter_;
        out.push_back(say(present(interval)));
        next_beat_ = now + std::chrono::duration_cast<Duration>(interval * std::uniform_real_distribution<>(0.8, 1)(random_));
    }
    pay(now, out);
}

void HostSpeaker::say_changes(std::uint64_t since, std::size_t most, std::vector<Message>& out) {
    auto deltas = list_.changes_since(since, entry_room);
    if (!deltas || deltas->size() > most) return;
    for (ListDelta& delta : *deltas) {
        delta.incarnation = self_.incarnation;
        out.push_back(say(std::move(delta)));
    }
}

void HostSpeaker::request(const ListRequest& request, const Message& asked) {
    if (request.incarnation != self_.incarnation || (debts_.size() >= most_debts && !debts_.contains(asked.origin))) return;
    Debt debt{asked.via, 0, request.ranges};
    if (request.ranges.empty() && request.since != 0 && request.since == list_.summary().version) return;
    if (request.ranges.empty() && request.since != 0) debt.since = request.since;
    else if (request.ranges.empty()) debt.ranges = {{0, end_of_places}};
    debts_.insert_or_assign(asked.origin, std::move(debt));
}

// In turns: a long list keeps nobody from a short one.
void HostSpeaker::pay(Instant now, std::vector<Message>& out) {
    const double seconds = std::chrono::duration<double>(now - paid_until_).count();
    paid_until_ = now;
    allowance_ = std::min(largest_allowance, allowance_ + seconds * bytes_a_second);
    while (!debts_.empty() && allowance_ > 0)
        for (auto at = debts_.begin(); at != debts_.end() && allowance_ > 0;) {
            const std::size_t before = out.size();
            const bool is_paid = pay(at->first, at->second, out);
            if (out.size() != before) allowance_ -= static_cast<double>(out.back().payload.size());
            at = is_paid ? debts_.erase(at) : std::next(at);
        }
}

// One message at most. True: nothing is owed any more.
bool HostSpeaker::pay(const std::string& host, Debt& debt, std::vector<Message>& out) {
    if (debt.since != 0) {
        auto deltas = list_.changes_since(debt.since, entry_room, 1);
        if (deltas && deltas->empty()) return true;
        if (deltas) {
            deltas->front().incarnation = self_.incarnation;
            debt.since = deltas->front().to;
            out.push_back(say(std::move(deltas->front()), host, debt.via));
            return debt.since == list_.summary().version;
        }
        debt.since = 0;
        debt.ranges = {{0, end_of_places}};
    }
    auto& [begin, end] = debt.ranges.front();
    ListPage page = list_.page(begin, end, entry_room);
    page.incarnation = self_.incarnation;
    begin = page.end;
    if (begin >= end) debt.ranges.erase(debt.ranges.begin());
    out.push_back(say(std::move(page), host, debt.via));
    return debt.ranges.empty();
}

}  // namespace rollcall::engine
