#include "engine/client/beating.hpp"

#include <new>

#include <sys/mman.h>

#include "engine/client/guard_board.hpp"
#include "shm/blob.hpp"
#include "shm/checkpoint.hpp"
#include "shm/index.hpp"
#include "shm/stall.hpp"

namespace rollcall {

namespace {

constexpr std::int64_t a_second = 1'000'000'000;
constexpr auto relaxed = std::memory_order_relaxed;  // where it is used, nothing else is read because of it

// A card is written by its process alone, whose threads may do so at once.
void count(std::atomic<std::uint64_t>& statistic) noexcept { statistic.fetch_add(1, relaxed); }

}  // namespace

BeatingPage::BeatingPage() noexcept {
    static_assert(sizeof(BeatingContent) <= shm::page);
    void* memory = ::mmap(nullptr, shm::page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return;
    if (::madvise(memory, shm::page, MADV_WIPEONFORK) != 0) {
        ::munmap(memory, shm::page);
        return;
    }
    content_ = new (memory) BeatingContent{};
}

BeatingPage::~BeatingPage() {
    if (content_ != nullptr) ::munmap(content_, shm::page);
}

void BeatingPage::enter(std::shared_ptr<shm::Segment> segment, Slot slot, Generation generation, Incarnation incarnation, std::uint64_t token, const shm::Name& name,
                        std::uint32_t card) {
    // The memory of the last life but one: no beat that began there can still be under way.
    if (lives_.size() >= 2) lives_[lives_.size() - 2].segment.reset();
    BeatingLife& life = lives_.emplace_back();
    shm::Roster& roster = segment->writable();
    life.slot = slot;
    life.generation = generation;
    life.incarnation = incarnation;
    life.token = token;
    life.name = name;
    life.word = &roster.word(slot);
    life.lifecycle = &roster.preamble().lifecycle;
    life.base_ns = roster.base_ns();
    if (card < roster.header().cards_used.load(std::memory_order_acquire) && card < roster.capacity()) life.card = &roster.card(card);  // [extent]
    life.segment = std::move(segment);
    content_->life.store(&life, std::memory_order_release);      // [enter]
    content_->mine.store(1, std::memory_order_release);          // [enter]
    content_->standing.store(&life, std::memory_order_release);  // [enter]
    content_->beating.store(&life);                              // [enter] pairs with beat on another thread
    if (content_->guards.load() != nullptr) content_->beating.store(nullptr);  // sequentially consistent with ask_first: one of the two is the last to store
}

void BeatingPage::leave() noexcept {
    content_->standing.store(nullptr, std::memory_order_release);  // [enter]
    content_->beating.store(nullptr, std::memory_order_release);   // [enter]
}

void BeatingPage::ask_first(const GuardBoard& guards) noexcept {
    content_->guards.store(&guards);
    content_->beating.store(nullptr);
}

bool BeatingPage::is_stalled(Instant now) const noexcept {
    const GuardBoard* guards = content_->guards.load(std::memory_order_acquire);  // [guards]
    return guards != nullptr && guards->overrun(now) != nullptr;
}

bool BeatingPage::is_mine() const noexcept { return content_->mine.load(std::memory_order_acquire) != 0; }  // [enter]

const shm::Roster* BeatingPage::roster() const noexcept {
    const BeatingLife* life = content_->life.load(std::memory_order_acquire);  // [enter]
    return life == nullptr ? nullptr : &life->segment->roster();
}

namespace {

// Once a second of `now`: has the detector looked within the suspect timeout? If not, this may be memory that was deleted under us, which
// nobody could tell us about any more.
Beat look_at_engine(BeatingLife& life, std::int64_t now_ns) noexcept {
    const shm::RosterHeader& header = life.segment->roster().header();
    if (life.card != nullptr) life.card->alive_ns.store(static_cast<std::uint64_t>(now_ns), relaxed);
    const auto last_step = static_cast<std::int64_t>(header.step_ns.load(std::memory_order_acquire));  // [step]
    const std::uint64_t since = static_cast<std::uint64_t>(now_ns) - static_cast<std::uint64_t>(last_step);  // whatever lies there, no overflow
    if (last_step >= now_ns || since <= shm::load_suspect_ns(header)) {
        life.next_look_ns.store(now_ns + a_second, relaxed);
        return {Beat::counted_};
    }
    if (now_ns < life.next_place_ns.load(relaxed)) return {Beat::unobserved};
    life.next_place_ns.store(now_ns + a_second, relaxed);
    return {life.segment->is_current() ? Beat::unobserved : Beat::superseded};
}

// Has our id another life that lives? One that carries our own token is ours too: its reply got lost.
bool is_replaced(const shm::Roster& roster, const BeatingLife& life) noexcept {
    for (int attempt = 0; attempt < shm::record_attempts; ++attempt) {
        shm::FoundRecord found;
        if (shm::find(roster, life.name, found) != shm::Lookup::found) return false;
        if (found.record.hot.incarnation == life.incarnation || found.record.hot.state == State::dead) return false;
        const std::uint64_t token = shm::load_blob_token(roster, found.record.hot.blob);
        // The blob may have been freed and be another peer's by now: then look again.
        if (shm::load_version(roster.record(found.slot)) == found.record.version) return token != life.token;
    }
    return false;
}

// True while a guard's budget is over, which is then said on the process's card.
bool is_held_back(const GuardBoard& guards, BeatingLife& life, Instant now) noexcept {
    const GuardCell* guard = guards.overrun(now);
    if (life.card == nullptr) return guard != nullptr;
    const std::uint64_t member = shm::stall_member(life.slot, life.generation);
    if (guard == nullptr) shm::clear_stall(*life.card, member);
    else shm::write_stall(*life.card, member, guard->since_ns.load(relaxed), guard->budget_ns.load(relaxed), guard->name);
    return guard != nullptr;
}

// The slow path: the word is not this life's any more. Who took it wrote the record first, and `beat` has acquired that.
Beat why_not(BeatingLife& life) noexcept {
    if (life.card != nullptr) count(life.card->refused);
    const shm::Roster& roster = life.segment->roster();
    shm::RecordView mine;
    if (shm::load(roster.record(life.slot), mine) && mine.hot.incarnation == life.incarnation && mine.name == life.name &&
        (mine.hot.state == State::alive || mine.hot.state == State::suspect))
        return {Beat::damaged};
    return {is_replaced(roster, life) ? Beat::replaced : Beat::evicted};
}

}  // namespace

Beat beat_and_say_why(const BeatingContent& at, Instant now) noexcept {
    BeatingLife* const life = at.standing.load(std::memory_order_acquire);  // [enter]
    const GuardBoard* const guards = at.guards.load(std::memory_order_acquire);  // [guards]
    if (life != nullptr && guards != nullptr && is_held_back(*guards, *life, now)) return {Beat::stalled};
    if (life == nullptr) return {at.mine.load(std::memory_order_acquire) != 0 ? Beat::evicted : Beat::not_mine};  // [enter]
    if (!life->is_on_live_memory()) return {Beat::superseded};
    if (shm::beat(*life->word, shm::word_at(now, life->base_ns, life->generation), life->generation) == shm::WordBeat::foreign) return why_not(*life);
    return life->is_to_look_at_engine(now) ? look_at_engine(*life, to_ns(now)) : Beat{Beat::counted_};
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
        case Beat::stalled: return "stalled";
    }
    return "unknown";
}

}  // namespace rollcall
