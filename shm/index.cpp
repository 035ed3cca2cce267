#include "shm/index.hpp"

namespace rollcall::shm {

namespace {

constexpr int attempts = 64;

enum class Walk : std::uint8_t { end, match, changed };

// One walk along one chain. `changed`: the ground moved, or the chain makes no sense.
Walk walk(const Roster& roster, const Name& name, std::uint32_t hash, std::uint32_t bucket, FoundRecord& out) noexcept {
    const std::uint32_t limit = roster.high_water();
    std::uint32_t at = roster.bucket(bucket).load(std::memory_order_acquire);  // [index] pairs with link and unlink
    for (std::uint32_t steps = 0; at != no_index; ++steps) {
        if (at >= limit || steps > limit) return Walk::changed;
        const Record& record = roster.record(Slot{at});
        const std::uint64_t version = load_version(record);
        const HotWords words = load_copy(record, version);
        const std::uint32_t its_hash = record.hash.load(std::memory_order_acquire);  // [index] before `next`: the writer moves it first
        bool match = its_hash == hash && decode(words).state != State::none;
        if (match) {
            out.record.name = load_name(record);
            match = out.record.name == name;
        }
        const std::uint32_t next = record.next.load(std::memory_order_acquire);  // [index] pairs with link
        if (bucket_of(its_hash, roster.geometry().bucket_count) != bucket || load_version(record) != version) return Walk::changed;
        if (match) {
            out.slot = Slot{at};
            out.record.version = version;
            out.record.hot = decode(words);
            return Walk::match;
        }
        at = next;
    }
    return Walk::end;
}

}  // namespace

Lookup find(const Roster& roster, const Name& name, FoundRecord& out) noexcept {
    const std::uint32_t hash = hash_of(name);
    const std::uint32_t bucket = bucket_of(hash, roster.geometry().bucket_count);
    for (int attempt = 0; attempt < attempts; ++attempt) {
        switch (walk(roster, name, hash, bucket, out)) {
            case Walk::match: return Lookup::found;
            case Walk::end: return Lookup::absent;
            case Walk::changed: break;
        }
    }
    return Lookup::busy;
}

namespace {

std::atomic<std::uint32_t>& head_of(Roster& roster, Slot slot) noexcept {
    const std::uint32_t hash = roster.record(slot).hash.load(std::memory_order_relaxed);  // relaxed: the caller is the writer
    return roster.bucket(bucket_of(hash, roster.geometry().bucket_count));
}

}  // namespace

void link(Roster& roster, Slot slot) noexcept {
    auto& head = head_of(roster, slot);
    roster.record(slot).next.store(head.load(std::memory_order_relaxed), std::memory_order_release);  // [index]
    head.store(slot.value, std::memory_order_release);  // [index] pairs with the chain walk; publishes record and `next`
}

void unlink(Roster& roster, Slot slot) noexcept {
    auto* from = &head_of(roster, slot);
    for (std::uint32_t steps = 0; steps <= roster.capacity(); ++steps) {
        const std::uint32_t at = from->load(std::memory_order_relaxed);  // relaxed: the caller is the writer
        if (at >= roster.capacity()) return;
        if (at == slot.value) {
            from->store(roster.record(slot).next.load(std::memory_order_relaxed), std::memory_order_release);  // [index]
            return;
        }
        from = &roster.record(Slot{at}).next;
    }
}

bool is_linked(const Roster& roster, Slot slot) noexcept {
    const std::uint32_t hash = roster.record(slot).hash.load(std::memory_order_relaxed);
    const auto* from = &roster.bucket(bucket_of(hash, roster.geometry().bucket_count));
    for (std::uint32_t steps = 0; steps <= roster.capacity(); ++steps) {
        const std::uint32_t at = from->load(std::memory_order_relaxed);
        if (at == slot.value) return true;
        if (at >= roster.capacity()) return false;
        from = &roster.record(Slot{at}).next;
    }
    return false;
}

}  // namespace rollcall::shm
