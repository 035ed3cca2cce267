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

const std::string& Contact::address() const noexcept {
    static const std::string nowhere;
    return paths.empty() ? nowhere : paths.front().address;
}

const Contact::Path* Contact::find_path(std::string_view address) const noexcept {
    const auto at = std::find_if(paths.begin(), paths.end(), [&](const Path& p) { return p.address == address; });
    return at == paths.end() ? nullptr : &*at;
}

const Contact::Path* Contact::path_over(std::string_view transport) const noexcept {
    const auto at = std::find_if(paths.begin(), paths.end(), [&](const Path& p) { return transport_of(p.address) == transport; });
    return at == paths.end() ? nullptr : &*at;
}

bool Contact::note_path(std::string_view address, Instant at) noexcept {
    const auto path = std::find_if(paths.begin(), paths.end(), [&](const Path& p) { return p.address == address; });
    if (path == paths.end()) return false;
    path->heard_at = std::max(path->heard_at, at);
    if (path == paths.begin() || path->heard_at - paths.front().heard_at < intervals(1.5)) return false;
    std::swap(*path, paths.front());
    return true;
}

void Contact::move_to(const std::string& address, Instant at) {
    const Path there{address, at};
    if (const Path* old = path_over(transport_of(address))) {
        paths[static_cast<std::size_t>(old - paths.data())] = there;
    } else {
        if (paths.size() == most_paths) paths.pop_back();
        paths.push_back(there);
    }
    note_path(address, at);
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
    doubled_at.reset();
    vouched_at = {};
    paths.clear();
    forget_list();
    words.reset();
    has_left = is_one_way = is_doubled = false;
    left_in.reset();
}

}  // namespace rollcall::engine
