#include "tests/crash/truth.hpp"

#include <algorithm>
#include <stdexcept>

#include "tests/support/engine_fixture.hpp"

namespace rollcall::test {

namespace {

std::string text(std::uint64_t n) { return std::to_string(n) + ' '; }

std::string hot_text(const shm::Hot& hot) {
    std::string line = std::string(to_string(hot.state)) + ' ' + std::string(to_string(hot.reason)) + ' ';
    for (const std::uint64_t word : shm::encode(hot)) line += text(word);
    return line;
}

std::string blob_text(const shm::Blob& b) {
    std::string line = text(b.sequence.value) + '\'' + std::string(b.endpoint()) + "' '" + std::string(b.host()) + "' '" + std::string(b.tags()) + "' ";
    for (const std::uint32_t n : {b.card, std::uint32_t{b.flags}, b.pid, b.uid, b.gid}) line += text(n);
    for (const std::uint64_t n : {b.start_ticks, b.token}) line += text(n);
    return line;
}

// Counted when it happens; what was not published is lost with the engine.
using engine::Counter;
constexpr Counter without_event[]{Counter::heartbeats_sent, Counter::heartbeats_received, Counter::words_repaired, Counter::unwatched};

}  // namespace

std::string slots_text(const shm::Image& image, std::uint32_t first) {
    const auto below = image.slots.begin() + std::min<std::ptrdiff_t>(first, std::ssize(image.slots));
    const auto peers = std::count_if(image.slots.begin(), below, [](const auto& s) { return s.hot.state != State::none; });
    std::string all = "below " + text(static_cast<std::uint64_t>(peers)) + '\n';
    for (std::size_t i = first; i < image.slots.size(); ++i) {
        const shm::SlotImage& slot = image.slots[i];
        const bool is_free = slot.hot.state == State::none;
        if (is_free && slot.hot.lsn.value == 0) continue;  // never used; the mark may have risen for somebody who did not come
        const std::string name = is_free ? "-" : std::string(slot.name.view());
        all += "slot " + text(i) + name + ' ' + hot_text(slot.hot) + (is_free ? "" : blob_text(slot.blob)) + '\n';
    }
    return all;
}

std::string numbers_text(const shm::CheckpointValues& v) {
    std::string line = "view " + text(v.view) + "list " + text(v.list_version) + "incarnation " + text(v.greatest_incarnation) + "counters ";
    for (std::size_t i = 0; i < v.counters.size(); ++i)
        if (std::count(std::begin(without_event), std::end(without_event), static_cast<Counter>(i)) == 0) line += text(v.counters[i]);
    return line;
}

std::string eventless_text(const shm::CheckpointValues& v) {
    std::string line;
    for (const engine::Counter c : without_event) line += text(v.counters[static_cast<std::size_t>(c)]);
    for (std::size_t i = 0; i < v.pause_count; ++i) line += "pause " + text(v.pauses[i].begin.value) + text(v.pauses[i].end.value);
    return line;
}

std::string event_text(const shm::StoredEvent& e) {
    std::string line = text(e.sequence.value) + std::string(to_string(e.kind)) + ' ' + std::string(e.name.view()) + ' ' + hot_text(e.hot);
    line += "slot " + text(e.slot.value) + std::string(to_string(e.before)) + ' ' + text(e.epoch);
    for (const std::uint64_t n : {e.view, e.mono_ns, e.wall_us, e.length_ns, e.list_version}) line += text(n);
    return line;
}

shm::Image exact_image(const shm::Roster& roster) {
    shm::Image image;
    if (shm::take_snapshot(roster, image) != shm::Snapshot::exact) throw std::runtime_error("a published memory gave no exact snapshot");
    return image;
}

shm::CheckpointValues checkpoint_of(const shm::Roster& roster) {
    shm::CheckpointValues values;
    if (!shm::load_checkpoint(roster.header(), values)) throw std::runtime_error("the checkpoint does not read");
    return values;
}

void Truth::add(const shm::Roster& roster) {
    const shm::CheckpointValues values = checkpoint_of(roster);
    const shm::Image image = exact_image(roster);
    eventless_.insert(eventless_text(values));
    Position position{slots(image), {numbers_text(values)}, {}, values.view};
    for (std::size_t i = first_slot_; i < image.slots.size(); ++i) {
        const shm::SlotImage& slot = image.slots[i];
        if (slot.hot.state == State::none) continue;
        const std::string node(slot.name.view());
        position.nodes.insert(node);
        hots_[node].insert(shm::encode(slot.hot));
    }
    nodes_.insert(position.nodes.begin(), position.nodes.end());
    update_lives(image);
    const auto [at, is_new] = positions_.emplace(values.head.value, position);
    at->second.numbers.insert(numbers_text(values));
    if (!is_new && at->second.slots != position.slots) throw std::runtime_error("one position of the stream was published with two contents");
}

// The first publication says who lives; each later one, who still does.
void Truth::update_lives(const shm::Image& image) {
    if (!positions_.empty()) {
        for (Life& life : lives_) {
            const shm::Hot& hot = image.slots.at(life.slot.value).hot;
            life.stays = life.stays && hot.incarnation == life.incarnation && hot.state != State::none && !hot.is_proof();
        }
        return;
    }
    for (std::uint32_t i = first_slot_; i < image.slots.size(); ++i) {
        const shm::SlotImage& slot = image.slots[i];
        if (slot.hot.state == State::none || slot.hot.is_proof()) continue;
        lives_.push_back({Slot{i}, slot.hot.generation, slot.hot.incarnation, slot.blob.token, slot.name});
    }
}

void Truth::add_events(const shm::Roster& roster) {
    const Sequence prepared{roster.header().prepared.load()};
    const std::uint64_t entries = roster.geometry().ring_entries;
    for (Sequence s{prepared.value > entries ? prepared.value - entries + 1 : 1}; s <= prepared; s = s + 1) {
        shm::StoredEvent event;
        if (!shm::load_entry(roster.entry(s), s, event)) continue;
        events_.emplace(s.value, event_text(event));
        lines_.emplace(s.value, line_of(present_event(roster, event)));
        hots_[std::string(event.name.view())].insert(shm::encode(event.hot));
        if (event.kind != EventKind::evicted || event.hot.reason != Reason::silence) continue;
        for (Life& life : lives_)
            if (event.slot == life.slot && event.hot.incarnation == life.incarnation) life.ends_by_silence = true;
    }
}

const Truth::Position* Truth::at(Sequence head) const {
    const auto it = positions_.find(head.value);
    return it == positions_.end() ? nullptr : &it->second;
}

const std::string* Truth::event(Sequence s) const {
    const auto it = events_.find(s.value);
    return it == events_.end() ? nullptr : &it->second;
}

bool Truth::knows_hot(const std::string& node, const shm::HotWords& hot) const {
    const auto it = hots_.find(node);
    return it != hots_.end() && it->second.contains(hot);
}

bool Truth::is_always_there(const std::string& node) const {
    return std::all_of(positions_.begin(), positions_.end(), [&](const auto& p) { return p.second.nodes.contains(node); });
}

std::vector<std::string> Truth::lines_after(Sequence head) const {
    std::vector<std::string> lines;
    for (const auto& [sequence, line] : lines_)
        if (sequence > head.value) lines.push_back(line);
    return lines;
}

}  // namespace rollcall::test
