#include "engine/hosts/contact.hpp"

#include <algorithm>

namespace rollcall::engine {

namespace {
constexpr double weight = 0.05;  // of what is new
}

void PathQuality::count_beats(std::uint64_t sent) noexcept {
    for (std::uint64_t lost = std::min<std::uint64_t>(sent - 1, 200); lost > 0; --lost) loss += weight * (1 - loss);
    loss -= weight * loss;
    ++beats;
}

void PathQuality::count_round_trip(Duration took) noexcept {
    round_trip = round_trip ? std::chrono::duration_cast<Duration>(*round_trip * 0.8 + took * 0.2) : took;
}

std::optional<Contact::Question> Contact::answered(std::uint64_t nonce) {
    const auto at = std::find_if(questions.begin(), questions.end(), [&](const Question& q) { return q.nonce == nonce; });
    if (at == questions.end()) return std::nullopt;
    const Question question = *at;
    questions.erase(at);
    return question;
}

void Contact::ask(std::uint64_t nonce, Instant now) {
    if (questions.size() == most_questions) questions.pop_front();
    questions.push_back({nonce, now});
}

void Contact::offer_all() {
    list.each([this](const ListEntry& entry) { note_change(entry.place); });
}

void Contact::note_changes(const std::vector<Place>& places) {
    for (const Place place : places) note_change(place);
}

void Contact::note_change(Place place) {
    const ListEntry* entry = list.find(place);
    const bool is_there = entry != nullptr && entry->state != State::none;
    if (const auto before = shown.find(place); before != shown.end() && (!is_there || before->second != entry->node)) {
        gone.emplace_back(std::move(before->second), is_there ? entry->previous : entry != nullptr ? entry->reason : Reason::none);
        shown.erase(before);
    }
    if (!is_there) return void(changed.erase(place));
    changed.insert(place);
    shown.insert_or_assign(place, entry->node);
}

void Contact::forget_list() {
    list = KnownList(list.max_entries());
    summary = {};
    agrees = false;
    differs_since.reset();
    gone.clear();
    changed.clear();
    shown.clear();
    wants_whole = true;
}

void Contact::begin_life(Incarnation life) {
    is_new_life = is_verified && life != incarnation;
    is_verified = true;
    incarnation = life;
    highest = {};
    quality = {};
    rival_since.reset();
    vouched_at = {};
    forget_list();
    words.reset();
    has_left = is_one_way = false;
    left_in.reset();
}

}  // namespace rollcall::engine
