#include "engine/detector.hpp"

#include <algorithm>
#include <utility>

#include "shm/scan.hpp"
#include "shm/word.hpp"

namespace rollcall::engine {

using shm::Hot;

void Detector::pass() {
    books_.ledger.commit();  // tables and memory agree from here on
    observe();
    set_thresholds();
    audit_block();
    audit_unused_block();
    collect();
    // Begin where the last pass ran out of budget, so that a mass silence reaches everybody before it reaches anybody twice.
    const auto middle = std::lower_bound(candidates_.begin(), candidates_.end(), Slot{resume_at_});
    std::rotate(candidates_.begin(), middle, candidates_.end());
    resume_at_ = 0;
    for (const Slot slot : candidates_) {
        if (books_.ledger.budget() < 2) {
            resume_at_ = slot.value;
            break;
        }
        judge(slot);
    }
}

// Observed time never runs backwards, and so neither does a threshold, though merged pauses may count more as lost than was: else who was
// announced silent would recover without a beat. Other settings and forgiven time are another matter.
void Detector::set_thresholds() {
    const Settings& s = books_.settings();
    const auto& time = books_.time;
    const Thresholds next{time.threshold(to_stamp_units_up(s.suspect)), time.threshold(to_stamp_units_up(s.dead)), time.threshold(to_stamp_units_up(s.evict))};
    const bool same_rules = s == judged_by_ && time.forgiven() == forgiven_;
    thresholds_ = same_rules ? Thresholds{std::max(next.suspect, thresholds_.suspect), std::max(next.dead, thresholds_.dead), std::max(next.evict, thresholds_.evict)} : next;
    judged_by_ = s;
    forgiven_ = time.forgiven();
}

// Credits what was observed since the last look. A pause from a third of the suspect timeout on is worth an event.
void Detector::observe() {
    Ledger& ledger = books_.ledger;
    const Stamp before = books_.time.last_look();
    const Settings& settings = books_.settings();
    const Duration credit = std::max(settings.heartbeat / 2, 2 * settings.scan);  // one scan may come late
    // A longer timeout may be set later: pauses beyond today's reach go only where room is needed.
    if (books_.time.pause_count() == shm::max_pauses) books_.time.forget_beyond(to_stamp_units_up(settings.evict));
    const auto lost = books_.time.look(ledger.now().stamp, to_stamp_units_up(credit));
    const Duration length = from_stamp_units(ledger.now().stamp.value - before.value);
    const bool has_slept = lost && length > credit;  // else it looked, but what it saw does not count
    auto& values = ledger.values();
    if (!lost && values.pause_count == books_.time.pause_count()) return;
    values.pause_count = static_cast<std::uint32_t>(books_.time.pause_count());
    values.pauses = books_.time.pauses();
    ledger.publish_needed();
    if (!has_slept) return;
    if (length < settings.suspect / 3) {
        ++ledger.counter(Counter::pauses);  // the event counts itself, also when it is redone
        return;
    }
    ledger.make_room(1, no_slot, books_.table);
    ledger.plan(EventKind::paused, no_slot, Hot{}, shm::Name{}, State::none, static_cast<std::uint64_t>(length.count()));
}

// Whoever may deserve a judgement: the living whose word is old, and the silent whose turn has come.
void Detector::collect() {
    candidates_.clear();
    candidates_.insert(candidates_.end(), unfinished_.begin(), unfinished_.end());
    unfinished_.clear();
    const std::uint32_t high_water = books_.roster().high_water();
    below_.resize(high_water);
    const std::size_t found = shm::collect_below(&books_.roster().word(Slot{0}), high_water, shm::threshold_word(thresholds_.suspect), below_.data());
    for (std::size_t i = 0; i < found; ++i) {
        const Slot slot{below_[i]};
        if (books_.table[slot] == Announced::alive) candidates_.push_back(slot);
        if (books_.table[slot] == Announced::nobody) audit(slot);
    }
    for (const Slot slot : books_.table.silent()) {
        const std::int64_t word = books_.roster().word(slot).load(std::memory_order_acquire);  // [beat]
        const Announced so_far = books_.table[slot];
        const bool is_due = engine::judge(so_far, judged_stamp(slot, so_far, word), thresholds_) != Verdict::none;
        if (is_due || is_lost(slot, so_far, word)) candidates_.push_back(slot);
    }
    std::sort(candidates_.begin(), candidates_.end());
    candidates_.erase(std::unique(candidates_.begin(), candidates_.end()), candidates_.end());
}

// A proven death is judged by the age of its proof. A death of silence whose word is gone was half evicted: it is as old as can be.
Stamp Detector::judged_stamp(Slot slot, Announced so_far, std::int64_t word) {
    if (so_far == Announced::dead_proven) return books_.hot(slot).since;
    if (so_far == Announced::dead_silent && word == shm::free_word) return Stamp{};
    return word < 0 ? Stamp{} : shm::stamp_of(word);
}

// Announced dead of silence, and its word is nobody's or another's: it can never recover.
bool Detector::is_lost(Slot slot, Announced so_far, std::int64_t word) {
    return so_far == Announced::dead_silent && (word < 0 || shm::generation_of(word) != books_.hot(slot).generation);
}

void Detector::judge(Slot slot) {
    books_.ledger.make_room(2, slot, books_.table);
    const Announced so_far = books_.table[slot];
    if (so_far == Announced::nobody) return;
    const Hot hot = books_.hot(slot);
    const std::int64_t word = books_.roster().word(slot).load(std::memory_order_acquire);  // [beat] pairs with a producer's swap
    const bool is_own = word >= 0 && shm::generation_of(word) == hot.generation;
    if (!is_own && (so_far == Announced::alive || so_far == Announced::suspect)) return repair(slot, hot);

    const Stamp stamp = judged_stamp(slot, so_far, is_own ? word : shm::free_word);
    const Verdict by_stamp = engine::judge(so_far, stamp, thresholds_);
    switch (const Verdict verdict = is_lost(slot, so_far, word) ? Verdict::evict : by_stamp) {
        case Verdict::none: return;
        case Verdict::suspect:
        case Verdict::suspect_and_dead:
        case Verdict::dead: {
            Hot silent = hot;
            silent.last_beat = stamp;
            return suspect(slot, silent, verdict);
        }
        case Verdict::recovered: {
            Hot heard = hot;
            heard.last_beat = stamp;
            return recover(slot, heard);
        }
        case Verdict::evict: return evict(slot, hot, word, stamp);
    }
}

// Evidence of a silence: how long nobody heard it beyond what nobody could have heard, and by how much that exceeds the timeout.
Hot Detector::silent_for(Hot hot, Stamp last_beat, State state, std::uint64_t timeout) {
    hot.last_beat = last_beat;
    hot = books_.judged(hot, state, Reason::silence);
    hot.late_units = books_.late(last_beat, timeout);
    count_in(books_.roster().header().lateness, static_cast<std::uint64_t>(from_stamp_units(hot.late_units).count()));
    return hot;
}

void Detector::suspect(Slot slot, Hot hot, Verdict verdict) {
    const shm::Name name = books_.name(slot);
    if (verdict != Verdict::dead) {
        const Hot after = silent_for(hot, hot.last_beat, State::suspect, to_stamp_units_up(books_.settings().suspect));
        books_.plan(EventKind::suspect, slot, after, name, State::alive);
        books_.table.set(slot, Announced::suspect);
        hot = after;
    }
    if (verdict != Verdict::suspect) bury(slot, hot, name);
}

void Detector::bury(Slot slot, Hot hot, const shm::Name& name) {
    const Hot after = silent_for(hot, hot.last_beat, State::dead, to_stamp_units_up(books_.settings().dead));
    books_.plan(EventKind::dead, slot, after, name, State::suspect);
    books_.table.set(slot, Announced::dead_silent);
}

void Detector::recover(Slot slot, Hot hot) {
    const State before = hot.state;
    books_.plan(EventKind::recovered, slot, books_.judged(hot, State::alive, Reason::heartbeat), books_.name(slot), before);
    books_.table.set(slot, Announced::alive);
}

// The word first: if its owner beats between judgement and swap, it lives, and nobody will ever know how close it was.
void Detector::evict(Slot slot, Hot hot, std::int64_t word, Stamp judged) {
    if (!hot.is_proof() && has_own_word(slot, hot) && word != shm::free_word && !shm::free_if_still(books_.roster().word(slot), word)) return;
    const shm::Name name = books_.name(slot);
    if (!hot.is_proof() && judged.value != 0) hot.last_beat = judged;
    Hot after = books_.vacated(slot, hot, hot.reason);
    if (judged.value != 0) after.late_units = books_.late(judged, to_stamp_units_up(books_.settings().evict));
    count_in(books_.roster().header().lateness, static_cast<std::uint64_t>(from_stamp_units(after.late_units).count()));
    books_.plan(EventKind::evicted, slot, after, name, State::dead);
}

// One block a pass, in turn: words that no judgement looks at may be damaged too.
void Detector::audit_block() {
    const std::uint32_t high_water = books_.roster().high_water();
    auto ahead = std::exchange(future_, {});
    for (const auto& [slot, seen] : ahead) {
        const std::int64_t word = books_.roster().word(slot).load(std::memory_order_acquire);  // [beat]
        const bool still = word == seen && shm::stamp_of(word) > books_.ledger.now().stamp;
        if (still && books_.table[slot] != Announced::nobody) repair(slot, books_.hot(slot));
    }
    if (high_water == 0) return;
    const std::uint32_t begin = audit_at_ * shm::block_words < high_water ? audit_at_ * shm::block_words : 0;
    const std::uint32_t end = std::min(begin + shm::block_words, high_water);
    for (std::uint32_t i = begin; i < end; ++i) audit(Slot{i});
    audit_at_ = begin / shm::block_words + 1;
}

// Words that nobody owns yet are the producers' to write, too, and so is the preamble before them. Their own rotation: a large capacity
// that is little used must not slow down the audit of those who are there.
void Detector::audit_unused_block() {
    if (books_.segment.mend_pulse()) {
        ++books_.ledger.counter(Counter::words_repaired);
        books_.ledger.publish_needed();
    }
    const auto words = static_cast<std::uint32_t>(books_.roster().geometry().word_count);
    const std::uint32_t high_water = books_.roster().high_water();
    const std::uint32_t at = audit_unused_at_ * shm::block_words < words ? audit_unused_at_ * shm::block_words : high_water / shm::block_words * shm::block_words;
    for (std::uint32_t i = std::max(at, high_water); i < std::min(at + shm::block_words, words); ++i) free_word_of_nobody(Slot{i});
    audit_unused_at_ = at / shm::block_words + 1;
}

void Detector::free_word_of_nobody(Slot slot) {
    shm::Word& word = books_.roster().word(slot);
    if (word.load(std::memory_order_acquire) == shm::free_word) return;  // [beat]
    shm::free_by_proof(word);
    ++books_.ledger.counter(Counter::words_repaired);
    books_.ledger.publish_needed();
}

// A word without an owner must be free; a word with one must be the owner's, and not from the future. A producer may have read its
// clock after this step read its own: only what is ahead of two successive steps is damage.
void Detector::audit(Slot slot) {
    const std::int64_t word = books_.roster().word(slot).load(std::memory_order_acquire);  // [beat]
    const Announced so_far = books_.table[slot];
    if (so_far == Announced::nobody || so_far == Announced::dead_proven) return free_word_of_nobody(slot);
    if (so_far == Announced::dead_silent) return;  // its foreign word ends in its eviction
    const Hot hot = books_.hot(slot);
    if (word < 0 || shm::generation_of(word) != hot.generation) repair(slot, hot);
    else if (shm::stamp_of(word) > books_.ledger.now().stamp) future_.emplace_back(slot, word);
}

void Detector::repair(Slot slot, const Hot& hot) {
    if (books_.table[slot] == Announced::dead_proven || !has_own_word(slot, hot)) return;
    shm::activate(books_.roster().word(slot), books_.ledger.now().stamp, hot.generation);
    ++books_.ledger.counter(Counter::words_repaired);
    books_.ledger.publish_needed();
}

}  // namespace rollcall::engine
