#include "engine/detector.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

#include "shm/word.hpp"

namespace rollcall::engine {

using shm::Hot;

namespace {

constexpr std::size_t records_ahead = 16;  // a mass of judgements waits for memory: a guess at two microseconds of them, not yet measured

void add(BlockMask& mask, Slot slot) noexcept { mask[slot.value % shm::block_words / 64] |= std::uint64_t{1} << slot.value % 64; }

// Visits the slots of a block that are in a mask, ascending.
template <class Visit>
void each_slot(std::uint32_t block, const BlockMask& mask, Visit visit) {
    for (std::uint32_t i = 0; i < mask.size(); ++i)
        for (std::uint64_t bits = mask[i]; bits != 0; bits &= bits - 1) visit(Slot{block * shm::block_words + i * 64 + static_cast<std::uint32_t>(std::countr_zero(bits))});
}

}  // namespace

void Detector::pass() {
    books_.ledger.commit();  // tables and memory agree from here on
    const Stamp before = books_.time.last_look();
    observe();
    look_again_at_future();
    audit_unused_block();
    const std::uint32_t blocks = blocks_of(books_.roster().high_water());
    schedule_.begin(books_.table, *thresholds_, books_.settings(), blocks, books_.time.last_look().value - before.value);
    // Begin where the last pass ran out of budget, so that a mass silence reaches everybody before it reaches anybody twice; the slots before
    // that come last.
    if (!has_more_) judged_ = 0;
    has_more_ = false;
    skip_below_ = std::exchange(resume_at_, 0);
    left_ = std::exchange(left_behind_, BlockMask{});
    const std::uint32_t first = left_in_ = skip_below_ / shm::block_words, rest = first + (skip_below_ % shm::block_words != 0);
    stop_at_ = blocks * shm::block_words;
    if (!read_blocks(first, blocks)) return;
    stop_at_ = std::exchange(skip_below_, 0);  // whoever was judged in this pass already is not judged again
    if (!read_blocks(0, rest)) return;
    schedule_.finish();
    members_wait_ = host_verdicts_.run();
}

// False: the budget is used up, and the rest is the next pass's.
bool Detector::read_blocks(std::uint32_t from, std::uint32_t end) {
    for (BlockRun run = schedule_.next_run(from, end); run.count != 0; run = schedule_.next_run(run.begin + run.count, end))
        if (!read(run)) return false;
    return true;
}

bool Detector::read(BlockRun run) {
    std::int64_t lowest[Schedule::longest_run];
    std::uint32_t differing[Schedule::longest_run];
    const shm::Word* words = &books_.roster().word(Slot{run.begin * shm::block_words});
    const std::size_t differ = look(words, run.count, books_.table.silent(run.begin), shm::threshold_word(thresholds_->suspect), lowest, differing);
    blocks_read_ += run.count;
    for (std::uint32_t i = 0, next = 0; i < run.count; ++i) {
        const std::uint32_t block = run.begin + i;
        const bool differs = next < differ && differing[next] == i;
        next += differs;
        // Before anything that may lower it again. Nobody is believed to have beaten later than now.
        if (!differs) books_.table.set_bound(block, Announced::alive, std::min(lowest[i], shm::threshold_word(books_.ledger.now().stamp)));
        const bool is_unchanged = !differs && !schedule_.is_aged(block) && !schedule_.is_to_audit(block) && block != left_in_;
        if (!is_unchanged && !examine(block, differs)) return false;
    }
    return true;
}

// False: the budget is used up.
bool Detector::examine(std::uint32_t block, bool differs) {
    BlockMask candidates{};
    if (block == left_in_) candidates = std::exchange(left_, BlockMask{});
    if (schedule_.is_to_audit(block)) audit(block, candidates);
    if (differs || schedule_.is_aged(block)) collect(block, differs, candidates);
    return judge_all(block, candidates);
}

// Whoever may deserve a judgement: the living whose word is old, and the silent whose turn has come.
void Detector::collect(std::uint32_t block, bool differs, BlockMask& candidates) {
    if (differs) {
        collect_below(block, Announced::alive, thresholds_->suspect, candidates);
        collect_silent(block, candidates);
    }
    if (books_.table.bounds(Announced::suspect)[block] < shm::threshold_word(thresholds_->dead)) collect_below(block, Announced::suspect, thresholds_->dead, candidates);
    if (books_.table.bounds(Announced::dead_silent)[block] < shm::threshold_word(thresholds_->evict)) collect_below(block, Announced::dead_silent, thresholds_->evict, candidates);
    if (books_.table.bounds(Announced::dead_proven)[block] < shm::threshold_word(thresholds_->evict)) collect_proven(block, candidates);
}

void Detector::collect_below(std::uint32_t block, Announced a, Stamp threshold, BlockMask& candidates) {
    const Selection s = select(&books_.roster().word(Slot{block * shm::block_words}), books_.table.mask(block, a), shm::threshold_word(threshold));
    for (std::size_t i = 0; i < candidates.size(); ++i) candidates[i] |= s.below[i];
    books_.table.set_bound(block, a, s.lowest);
}

// The silent who are heard again, or whose word is gone; and old words that nobody owns, which are damage.
void Detector::collect_silent(std::uint32_t block, BlockMask& candidates) {
    const BlockMask& living = books_.table.mask(block, Announced::alive);
    const BlockMask& silent = *books_.table.silent(block);
    BlockMask others;
    for (std::size_t i = 0; i < others.size(); ++i) others[i] = ~living[i];
    const Selection s = select(&books_.roster().word(Slot{block * shm::block_words}), others, shm::threshold_word(thresholds_->suspect));
    for (std::size_t i = 0; i < candidates.size(); ++i) {
        candidates[i] |= silent[i] & ~s.below[i];
        others[i] = s.below[i] & ~silent[i];
    }
    each_slot(block, others, [&](Slot slot) { audit(slot); });
}

// A proven death is judged by the age of its proof, which its record tells.
void Detector::collect_proven(std::uint32_t block, BlockMask& candidates) {
    std::int64_t lowest = INT64_MAX;
    each_slot(block, books_.table.mask(block, Announced::dead_proven), [&](Slot slot) {
        const Stamp since = books_.hot(slot).since;
        if (since < thresholds_->evict) add(candidates, slot);
        else lowest = std::min(lowest, shm::threshold_word(since));
    });
    books_.table.set_bound(block, Announced::dead_proven, lowest);
}

// False: the budget was used up before all were judged; the next pass begins with those who are left. It comes at once until as many were judged
// as there are slots: whoever makes more of them than that waits for the next scan like everybody.
bool Detector::judge_all(std::uint32_t block, const BlockMask& candidates) {
    std::array<Slot, shm::block_words> slots;
    std::size_t count = 0, i = 0;
    each_slot(block, candidates, [&](Slot slot) {
        if (slot.value >= skip_below_ && slot.value < stop_at_) slots[count++] = slot;
        else books_.table.set(slot, books_.table[slot]);  // its turn comes when the pass has gone around, or in the next one
    });
    for (; i < count && books_.ledger.budget() >= 2; ++i, ++judged_) {
        if (i + records_ahead < count) shm::prefetch(books_.roster().record(slots[i + records_ahead]));
        judge(slots[i]);
    }
    if (i == count) return true;
    resume_at_ = slots[i].value;
    for (; i < count; ++i) {
        add(left_behind_, slots[i]);
        books_.table.set(slots[i], books_.table[slots[i]]);  // so that the block is due
    }
    has_more_ = judged_ < books_.roster().high_water();
    return false;
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
    books_.receivers.look(ledger.now(), books_.roster().base_ns(), settings, to_stamp_units_up(credit), books_.time);
    thresholds_.update(books_.time, settings);
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
    if (RemoteHost* host = books_.hosts.of_word(slot)) return judge_word(*host);
    Hot hot = books_.hot(slot);
    const std::int64_t word = books_.roster().word(slot).load(std::memory_order_acquire);  // [beat] pairs with a producer's swap
    const bool is_own = word >= 0 && shm::generation_of(word) == hot.generation;
    if (!is_own && (so_far == Announced::alive || so_far == Announced::suspect)) return repair(slot, hot);

    const Stamp stamp = judged_stamp(slot, so_far, is_own ? word : shm::free_word);
    const RemoteHost* host = books_.hosts.of_record(slot);
    const Verdict by_stamp = engine::judge(so_far, stamp, thresholds_of(host));
    switch (const Verdict verdict = is_lost(slot, so_far, word) ? Verdict::evict : by_stamp) {
        case Verdict::none: return books_.table.set(slot, so_far, stamp);
        case Verdict::suspect:
        case Verdict::suspect_and_dead:
        case Verdict::dead: hot.last_beat = stamp; return suspect(slot, hot, verdict);
        case Verdict::recovered: hot.last_beat = stamp; return recover(slot, hot);
        case Verdict::evict: return evict(slot, hot, word, stamp);
    }
}

// Of a host, by the time that what brings it has listened. Whoever beats more slowly than a suspect timeout allows for has three of its intervals, and all else later by
// as much.
Thresholds Detector::thresholds_of(const RemoteHost* host) const noexcept {
    if (host == nullptr) return *thresholds_;
    const Thresholds heard = books_.receivers.thresholds(host->ways, *thresholds_);
    const std::uint64_t suspect = to_stamp_units_up(books_.settings().suspect), three = to_stamp_units_up(3 * host->interval);
    if (three <= suspect) return heard;
    const auto earlier = [&](Stamp s) { return Stamp{s.value > three - suspect ? s.value - (three - suspect) : 0}; };
    return {earlier(heard.suspect), earlier(heard.dead), earlier(heard.evict)};
}

// The word of a host's members, of which no record tells.
void Detector::judge_word(RemoteHost& host) {
    const std::int64_t word = books_.roster().word(host.word).load(std::memory_order_acquire);  // [beat] pairs with a receiver's swap
    if (word < 0 || shm::generation_of(word) != host.word_generation) return audit_word(host, word);
    const Stamp stamp = shm::stamp_of(word);
    host_verdicts_.hear(host, engine::judge(books_.table[host.word], stamp, thresholds_of(&host)), stamp);
}

std::uint64_t Detector::lost_since(const RemoteHost* host, Stamp since) const noexcept {
    const std::uint64_t all = books_.time.lost_since(since);
    return host == nullptr ? all : books_.receivers.lost_since(host->ways, since, all);
}

// Evidence of a silence: how long nobody heard it beyond what nobody could have heard, and by how much that exceeds the timeout.
void Detector::judge_silence(Slot slot, Hot& hot, State state) {
    const RemoteHost* host = books_.hosts.of_record(slot);
    books_.judge(hot, state, host != nullptr && host->is_orphaned ? Reason::unobserved : Reason::silence);
    hot.lost_units = lost_since(host, hot.last_beat);
    hot.late_units = books_.late(hot.last_beat, hot.lost_units, state == State::suspect ? hot.suspect_units : hot.dead_units);
    count_in(books_.roster().header().lateness, static_cast<std::uint64_t>(from_stamp_units(hot.late_units).count()));
}

void Detector::suspect(Slot slot, Hot& hot, Verdict verdict) {
    const shm::Name name = books_.name(slot);
    if (verdict != Verdict::dead) {
        judge_silence(slot, hot, State::suspect);
        books_.plan(EventKind::suspect, slot, hot, name, State::alive);
        books_.table.set(slot, Announced::suspect, hot.last_beat);
        if (name.is_host()) host_verdicts_.note_silence();
    }
    if (verdict == Verdict::suspect) return;
    judge_silence(slot, hot, State::dead);
    books_.plan(EventKind::dead, slot, hot, name, State::suspect);
    books_.table.set(slot, Announced::dead_silent, hot.last_beat);
}

void Detector::recover(Slot slot, Hot& hot) {
    const State before = hot.state;
    books_.judge(hot, State::alive, Reason::heartbeat);
    books_.plan(EventKind::recovered, slot, hot, books_.name(slot), before);
    books_.table.set(slot, Announced::alive, hot.last_beat);
}

// The word first: if its owner beats between judgement and swap, it lives, and nobody will ever know how close it was.
void Detector::evict(Slot slot, Hot& hot, std::int64_t word, Stamp judged) {
    const bool is_early = books_.hosts.of_record(slot) != nullptr && host_verdicts_.keeps(judged);
    if (is_early) return books_.table.set(slot, Announced::dead_silent, judged);
    if (!hot.is_proof() && has_own_word(slot, hot) && word != shm::free_word && !shm::free_if_still(books_.roster().word(slot), word))
        return books_.table.set(slot, Announced::dead_silent, judged);
    const shm::Name name = books_.name(slot);
    if (!hot.is_proof() && judged.value != 0) hot.last_beat = judged;
    const std::uint64_t lost = lost_since(books_.hosts.of_record(slot), judged);
    Hot after = books_.vacated(slot, hot, hot.reason);
    if (judged.value != 0) after.late_units = books_.late(judged, lost, to_stamp_units_up(books_.settings().evict));
    count_in(books_.roster().header().lateness, static_cast<std::uint64_t>(from_stamp_units(after.late_units).count()));
    books_.plan(EventKind::evicted, slot, after, name, State::dead);
}

void Detector::look_again_at_future() {
    for (const auto& [slot, seen] : std::exchange(future_, {})) {
        const std::int64_t word = books_.roster().word(slot).load(std::memory_order_acquire);  // [beat]
        const bool still = word == seen && shm::stamp_of(word) > books_.ledger.now().stamp;
        if (!still) continue;
        if (const RemoteHost* host = books_.hosts.of_word(slot)) audit_word(*host, -1);
        else if (books_.table[slot] != Announced::nobody) repair(slot, books_.hot(slot));
    }
}

// Words that are not their owner's, or not of this time, whatever they say of silence.
void Detector::audit(std::uint32_t block, BlockMask& candidates) {
    const std::int64_t latest = shm::make_word(books_.ledger.now().stamp, Generation{0xFFFF});
    BlockMask damaged;
    if (!find_damaged(&books_.roster().word(Slot{block * shm::block_words}), books_.table.generations(block), latest, damaged)) return;
    each_slot(block, damaged, [&](Slot slot) {
        if (books_.table[slot] == Announced::dead_silent) add(candidates, slot);
        else audit(slot);
    });
}

// Words that nobody owns yet are the producers' to write, too, and so is the preamble before them. Their own rotation: a large capacity
// that is little used must not slow down the audit of those who are there.
void Detector::audit_unused_block() {
    if (books_.segment.mend_pulse()) {
        ++books_.ledger.counter(Counter::words_repaired);
        books_.ledger.publish_needed();
    }
    const auto blocks = static_cast<std::uint32_t>(books_.roster().geometry().word_count / shm::block_words);
    const std::uint32_t used = blocks_of(books_.roster().high_water());
    if (used == blocks) return;
    const std::uint32_t block = audit_unused_at_ < used || audit_unused_at_ >= blocks ? used : audit_unused_at_;
    BlockMask none{};
    audit(block, none);
    audit_unused_at_ = block + 1;
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
    if (const RemoteHost* host = books_.hosts.of_word(slot)) return audit_word(*host, word);
    const Announced so_far = books_.table[slot];
    if (so_far == Announced::nobody || so_far == Announced::dead_proven) return free_word_of_nobody(slot);
    const Hot hot = books_.hot(slot);
    if (!has_own_word(slot, hot)) return free_word_of_nobody(slot);
    if (word < 0 || shm::generation_of(word) != hot.generation) repair(slot, hot);
    else if (shm::stamp_of(word) > books_.ledger.now().stamp) future_.emplace_back(slot, word);
}

void Detector::audit_word(const RemoteHost& host, std::int64_t word) {
    const bool is_own = word >= 0 && shm::generation_of(word) == host.word_generation;
    if (is_own && shm::stamp_of(word) <= books_.ledger.now().stamp) return;
    if (is_own) return future_.emplace_back(host.word, word), void();
    shm::activate(books_.roster().word(host.word), books_.ledger.now().stamp, host.word_generation);
    books_.table.set(host.word, books_.table[host.word], books_.ledger.now().stamp);
    ++books_.ledger.counter(Counter::words_repaired);
    books_.ledger.publish_needed();
}

void Detector::repair(Slot slot, const Hot& hot) {
    if (books_.table[slot] == Announced::dead_proven || !has_own_word(slot, hot)) return;
    shm::activate(books_.roster().word(slot), books_.ledger.now().stamp, hot.generation);
    books_.table.set(slot, books_.table[slot], books_.ledger.now().stamp);
    ++books_.ledger.counter(Counter::words_repaired);
    books_.ledger.publish_needed();
}

}  // namespace rollcall::engine
