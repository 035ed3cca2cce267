#include "shm/checkpoint.hpp"

namespace rollcall::shm {

namespace {

constexpr int attempts = 1000;

std::array<Duration*, 5> durations(Settings& s) noexcept { return {&s.heartbeat, &s.suspect, &s.dead, &s.evict, &s.scan}; }

void copy(const Checkpoint& from, CheckpointValues& to) noexcept {
    constexpr auto acquire = std::memory_order_acquire;  // [publish] a word of a later filling also shows its later selector
    to.head = Sequence{from.head.load(acquire)};
    to.view = from.view.load(acquire);
    to.list_version = from.list_version.load(acquire);
    to.host_incarnation = from.host_incarnation.load(acquire);
    to.greatest_incarnation = from.greatest_incarnation.load(acquire);
    const auto fields = durations(to.settings);
    for (std::size_t i = 0; i < fields.size(); ++i) *fields[i] = Duration{static_cast<std::int64_t>(from.settings_ns[i].load(acquire))};
    for (std::size_t i = 0; i < counter_count; ++i) to.counters[i] = from.counters[i].load(acquire);
    to.pause_count = static_cast<std::uint32_t>(from.pause_count.load(acquire));
    for (std::size_t i = 0; i < std::min<std::size_t>(to.pause_count, max_pauses); ++i)
        to.pauses[i] = {Stamp{from.pauses[i][0].load(acquire)}, Stamp{from.pauses[i][1].load(acquire)}};
}

}  // namespace

bool load_checkpoint(const RosterHeader& header, CheckpointValues& out) noexcept {
    for (int attempt = 0; attempt < attempts; ++attempt) {
        const std::uint64_t selector = header.selector.load(std::memory_order_acquire);  // [publish] pairs with publish
        copy(header.checkpoints[selector & 1], out);
        if (header.selector.load(std::memory_order_acquire) != selector) continue;  // [publish]
        return out.head == head_in(selector) && out.pause_count <= max_pauses && validate(out.settings).has_value();
    }
    return false;
}

void publish(RosterHeader& header, const CheckpointValues& values) noexcept {
    constexpr auto release = std::memory_order_release;  // [publish] a reader of this word also sees the selector before it
    const std::uint64_t selector = header.selector.load(std::memory_order_relaxed);  // relaxed: the caller is the writer
    Checkpoint& to = header.checkpoints[(selector + 1) & 1];
    to.head.store(values.head.value, release);
    to.view.store(values.view, release);
    to.list_version.store(values.list_version, release);
    to.host_incarnation.store(values.host_incarnation, release);
    to.greatest_incarnation.store(values.greatest_incarnation, release);
    Settings settings = values.settings;
    const auto fields = durations(settings);
    for (std::size_t i = 0; i < fields.size(); ++i) to.settings_ns[i].store(static_cast<std::uint64_t>(fields[i]->count()), release);
    for (std::size_t i = 0; i < counter_count; ++i) to.counters[i].store(values.counters[i], release);
    to.pause_count.store(values.pause_count, release);
    for (std::size_t i = 0; i < values.pause_count; ++i) {
        to.pauses[i][0].store(values.pauses[i].begin.value, release);
        to.pauses[i][1].store(values.pauses[i].end.value, release);
    }
    const std::uint64_t next = values.head.value << 16 | ((selector + 1) & 0xFFFF);
    header.selector.store(next, release);  // [publish] pairs with load_head and load_checkpoint; the commit happens here
}

}  // namespace rollcall::shm
