#include "engine/client/beating.hpp"

#include <new>

#include <sys/mman.h>

#include "shm/index.hpp"
#include "shm/word.hpp"

namespace rollcall {

BeatingPage::BeatingPage() noexcept {
    static_assert(sizeof(Content) <= shm::page);
    void* memory = ::mmap(nullptr, shm::page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return;
    if (::madvise(memory, shm::page, MADV_WIPEONFORK) != 0) {
        ::munmap(memory, shm::page);
        return;
    }
    content_ = new (memory) Content{};
}

BeatingPage::~BeatingPage() {
    if (content_ != nullptr) ::munmap(content_, shm::page);
}

void BeatingPage::enter(shm::Roster& roster, Slot slot, Generation generation, Incarnation incarnation, const shm::Name& name, Duration suspect) noexcept {
    Content& c = *content_;
    c.slot = slot;
    c.incarnation = incarnation;
    c.word = &roster.word(slot);
    c.roster = &roster;
    c.base_ns = roster.base_ns();
    c.suspect_ns = suspect.count();
    c.name = name;
    c.next_look_ns.store(0, std::memory_order_relaxed);
    c.generation.store(generation.value, std::memory_order_relaxed);
    c.mine.store(1, std::memory_order_release);  // [enter] pairs with beat on another thread
}

void BeatingPage::leave() noexcept { content_->generation.store(0, std::memory_order_release); }  // [enter]

bool BeatingPage::is_mine() const noexcept { return content_->mine.load(std::memory_order_acquire) != 0; }  // [enter]

Beat BeatingPage::beat(Instant now) noexcept {
    Content& c = *content_;
    const Generation generation{static_cast<std::uint16_t>(c.generation.load(std::memory_order_acquire))};  // [enter]
    if (generation.value == 0) return {is_mine() ? Beat::evicted : Beat::not_mine};
    // The preamble first: on superseded memory nothing counts, whatever the word says.
    if (c.roster->pulse_preamble().lifecycle.load(std::memory_order_relaxed) != static_cast<std::uint32_t>(shm::Lifecycle::live))
        return {Beat::superseded};
    if (shm::beat(*c.word, to_stamp(now, c.base_ns), generation) == shm::WordBeat::foreign) return why_not();
    const std::int64_t now_ns = to_ns(now);
    if (now_ns >= c.next_look_ns.load(std::memory_order_relaxed)) return look_at_engine(now_ns);
    return {Beat::counted_};
}

// Once a second of `now`: has the detector looked within the suspect timeout?
Beat BeatingPage::look_at_engine(std::int64_t now_ns) noexcept {
    Content& c = *content_;
    const auto last_step = static_cast<std::int64_t>(c.roster->header().step_ns.load(std::memory_order_acquire));  // [step]
    const bool observed = now_ns - last_step <= c.suspect_ns;
    if (observed) c.next_look_ns.store(now_ns + 1'000'000'000, std::memory_order_relaxed);
    return {observed ? Beat::counted_ : Beat::unobserved};
}

// The slow path: the word is not this life's any more.
Beat BeatingPage::why_not() const noexcept {
    const Content& c = *content_;
    const shm::Roster& roster = *c.roster;
    shm::RecordView mine;
    if (shm::load(roster.record(c.slot), mine) && mine.hot.incarnation == c.incarnation && mine.name == c.name &&
        (mine.hot.state == State::alive || mine.hot.state == State::suspect))
        return {Beat::damaged};
    shm::FoundRecord found;
    const bool other_life = shm::find(roster, c.name, found) == shm::Lookup::found && found.record.hot.incarnation != c.incarnation && found.record.hot.state != State::dead;
    return {other_life ? Beat::replaced : Beat::evicted};
}

std::string_view to_string(Beat::Kind kind) noexcept {
    switch (kind) {
        case Beat::counted_: return "counted";
        case Beat::unobserved: return "unobserved";
        case Beat::superseded: return "superseded";
        case Beat::evicted: return "evicted";
        case Beat::damaged: return "damaged";
        case Beat::replaced: return "replaced";
        case Beat::not_mine: return "not_mine";
    }
    return "unknown";
}

}  // namespace rollcall
