#include "shm/verify.hpp"

#include <algorithm>
#include <unordered_map>

#include "shm/blob.hpp"
#include "shm/checkpoint.hpp"
#include "shm/index.hpp"
#include "shm/record.hpp"
#include "shm/ring.hpp"
#include "shm/word.hpp"

namespace rollcall::shm {

namespace {

constexpr int attempts = 20;
constexpr std::size_t most_told = 100;

std::string text(std::uint64_t n) { return std::to_string(n); }
std::string slot_text(std::uint32_t i) { return "slot " + text(i); }

// One look at everything. Each function checks one region.
class Inspection {
public:
    Inspection(const Roster& roster, Stamp now) : roster_(roster), now_(now), head_(load_head(roster.header())), prepared_(load_prepared()) {}

    void all() {
        preambles();
        header();
        checkpoint();
        if (prepared_ < head_ || prepared_ - head_ > roster_.geometry().ring_entries / 4) {
            broken("cursors: prepared is " + text(prepared_.value) + ", head " + text(head_.value) + ": at most a quarter of the ring may lie between them");
            return;  // nothing below could be believed
        }
        pending_.assign(roster_.high_water(), false);
        linked_.assign(roster_.high_water(), 0);
        words_of_hosts();
        ring();
        index();
        for (std::uint32_t i = 0; i < roster_.high_water(); ++i) slot(Slot{i});
        words_beyond_high_water();
        extents();
    }
    bool is_same_moment() const { return load_head(roster_.header()) == head_ && load_prepared() == prepared_; }
    Verification take() { return std::move(result_); }

private:
    Sequence load_prepared() const { return Sequence{roster_.header().prepared.load(std::memory_order_acquire)}; }  // [prepare]

    enum class Part : bool { structure, content };
    void broken(std::string what, Part part = Part::structure) {
        if (++result_.broken_count <= most_told) result_.broken.push_back(std::move(what));
        if (part == Part::structure) result_.is_structure_sound = false;
    }
    void must(bool holds, const char* where, const std::string& what) {
        if (!holds) broken(std::string(where) + ": " + what);
    }

    void preamble(const Preamble& p, std::uint64_t magic, const char* where) {
        constexpr auto relaxed = std::memory_order_relaxed;  // written once, before the memory became reachable
        must(p.magic.load(relaxed) == magic, where, "the magic number is not rollcall's");
        must(p.version.load(relaxed) == layout_version, where, "layout version " + text(p.version.load(relaxed)) + " is not " + text(layout_version));
        must(p.lifecycle.load(relaxed) - 1 <= 1, where, "lifecycle " + text(p.lifecycle.load(relaxed)) + " is neither live nor superseded");
        must(p.words_offset.load(relaxed) == roster_.geometry().words, where, "the heartbeat words are not at " + text(p.words_offset.load(relaxed)));
        must(p.word_count.load(relaxed) == roster_.capacity(), where, text(p.word_count.load(relaxed)) + " words are not the capacity");
    }

    void preambles() {
        preamble(roster_.preamble(), roster_magic, "roster preamble");
        preamble(roster_.pulse_preamble(), pulse_magic, "pulse preamble");
        constexpr auto relaxed = std::memory_order_relaxed;
        must(roster_.preamble().instance.load(relaxed) == roster_.pulse_preamble().instance.load(relaxed), "preambles", "roster and pulse are of different instances");
    }

    void header() {
        const RosterHeader& h = roster_.header();
        constexpr auto relaxed = std::memory_order_relaxed;  // each stands for itself
        Name cluster;
        for (std::size_t i = 0; i < name_words; ++i) cluster.words[i] = h.cluster[i].load(relaxed);
        must(validate_cluster_name(cluster.view()).has_value(), "header", "the cluster's name is not valid");
        must(h.high_water.load(relaxed) <= roster_.capacity(), "header", "high-water mark " + text(h.high_water.load(relaxed)) + " is above the capacity");
        must(h.blob_extents_used.load(relaxed) <= roster_.geometry().blob_extents, "header", text(h.blob_extents_used.load(relaxed)) + " blob extents are more than there is room for");
        must(h.cards_used.load(relaxed) <= roster_.capacity(), "header", text(h.cards_used.load(relaxed)) + " producer cards are more than there is room for");
        must(h.stream.load(relaxed) != 0, "header", "the stream has no id");
    }

    void checkpoint() {
        CheckpointValues values;
        if (!load_checkpoint(roster_.header(), values)) return broken("checkpoint: the selected one does not agree with its selector, or holds settings that make no sense");
        greatest_incarnation_ = values.greatest_incarnation;
        must(greatest_incarnation_ < incarnation_limit, "checkpoint", "the greatest incarnation " + text(greatest_incarnation_) + " is beyond what a record can hold");
        for (std::uint32_t i = 0; i < values.pause_count; ++i) {
            const bool in_order = values.pauses[i].begin < values.pauses[i].end && (i == 0 || values.pauses[i - 1].end <= values.pauses[i].begin);
            must(in_order, "checkpoint", "pause " + text(i) + " is out of order");
        }
    }

    // Slots without a record whose word is that of another host's members.
    void words_of_hosts() {
        lent_.assign(roster_.high_water(), false);
        for (std::uint32_t i = 0; i < roster_.high_water(); ++i) {
            RecordView record;
            Blob blob;
            if (!load(roster_.record(Slot{i}), record) || record.hot.state == State::none) continue;
            if (record.hot.word_slot != Slot{i} && record.hot.word_slot.value < lent_.size()) lent_[record.hot.word_slot.value] = true;
            if (record.name.is_host() && load_blob(roster_, record.hot.blob, blob) && blob.token < lent_.size()) lent_[blob.token] = true;
        }
    }

    // The oldest quarter may be overwritten by what is being prepared.
    void ring() {
        const std::uint64_t entries = roster_.geometry().ring_entries, kept = entries - entries / 4;
        const Sequence oldest{head_.value > kept ? head_.value - kept : 0};
        std::uint64_t view = 0;
        for (Sequence s = oldest + 1; s <= prepared_; s = s + 1) {
            StoredEvent event;
            if (!load_entry(roster_.entry(s), s, event)) {
                broken("ring: event " + text(s.value) + " is not in its place", Part::content);
                continue;
            }
            this->event(event, view);
            view = event.view;
            if (s > head_ && event.slot.value < pending_.size()) pending_[event.slot.value] = true;
            // A joined life's incarnation counts from its publication on; a successor takes it from the ring.
            if (s > head_) greatest_incarnation_ = std::max(greatest_incarnation_, event.hot.incarnation.value);
        }
    }

    void event(const StoredEvent& e, std::uint64_t view_before) {
        const std::string where = "ring: event " + text(e.sequence.value);
        if (e.kind == EventKind::none || e.kind == EventKind::gap || to_string(e.kind) == "none") broken(where + " is of kind " + text(static_cast<std::uint64_t>(e.kind)) + ", which is never stored", Part::content);
        if (e.view < view_before) broken(where + " has view " + text(e.view) + ", the one before had " + text(view_before), Part::content);
        if (is_of_nobody(e.kind)) return;
        if (e.slot.value >= roster_.high_water()) broken(where + " names slot " + text(e.slot.value) + ", which was never used", Part::content);
        if (e.hot.lsn != e.sequence) broken(where + " carries the record of event " + text(e.hot.lsn.value), Part::content);
        if (!validate_node_id(e.name.view())) broken(where + " has no valid node id", Part::content);
    }

    void index() {
        const std::uint32_t limit = roster_.high_water();
        for (std::uint32_t bucket = 0; bucket < roster_.geometry().bucket_count; ++bucket) {
            std::uint32_t at = roster_.bucket(bucket).load(std::memory_order_acquire);  // [index]
            for (std::uint32_t steps = 0; at != no_index; ++steps) {
                if (at >= limit || steps > limit || linked_[at] != 0) {
                    broken("index: the chain of bucket " + text(bucket) + (at >= limit ? " leads to slot " + text(at) + ", which was never used" : " does not end"));
                    break;
                }
                linked_[at] = 1;
                const Record& record = roster_.record(Slot{at});
                const std::uint32_t hash = record.hash.load(std::memory_order_acquire);  // [index]
                if (bucket_of(hash) != bucket && !pending_[at]) broken("index: " + slot_text(at) + " is in the chain of bucket " + text(bucket) + ", its hash belongs to " + text(bucket_of(hash)));
                at = record.next.load(std::memory_order_acquire);  // [index]
            }
        }
    }
    std::uint32_t bucket_of(std::uint32_t hash) const { return shm::bucket_of(hash, roster_.geometry().bucket_count); }

    void slot(Slot s) {
        if (pending_[s.value]) return;
        RecordView record;
        if (!load(roster_.record(s), record)) return broken(slot_text(s.value) + ": the record does not read");
        const Hot& hot = record.hot;
        const std::string where = slot_text(s.value);
        if (hot.state > State::dead) return broken(where + ": state " + text(static_cast<std::uint64_t>(hot.state)) + " does not exist");
        if (hot.lsn > head_) broken(where + ": its last event " + text(hot.lsn.value) + " was never published");
        if (hot.state == State::none) free_slot(s, where);
        else peer(s, record, where);
        word(s, hot, where);
    }

    void free_slot(Slot s, const std::string& where) {
        if (linked_[s.value] != 0) broken(where + ": is free, but in the index");
    }

    void peer(Slot s, const RecordView& record, const std::string& where) {
        const Hot& hot = record.hot;
        const std::uint32_t hash = roster_.record(s).hash.load(std::memory_order_acquire);  // [index]
        if (!validate_node_id(record.name.view())) broken(where + ": has no valid node id");
        if (hash != hash_of(record.name)) broken(where + ": the hash is not that of its node id");
        if (linked_[s.value] == 0) broken(where + ": node '" + std::string(record.name.view()) + "' is not in the index");
        if (const auto [other, is_first] = names_.emplace((record.name.is_host() ? "host " : "") + std::string(record.name.view()), s.value); !is_first)
            broken(where + ": node '" + std::string(record.name.view()) + "' is in slot " + text(other->second) + " too");
        if (hot.generation.value == 0 || hot.generation.value == 0xFFFF) broken(where + ": generation " + text(hot.generation.value) + " is never issued");
        if (hot.incarnation.value == 0 || hot.incarnation.value > greatest_incarnation_) broken(where + ": incarnation " + text(hot.incarnation.value) + " was never issued");
        if (hot.word_slot.value >= roster_.capacity()) broken(where + ": its word " + text(hot.word_slot.value) + " does not exist");
        if (to_string(hot.reason) == "none") broken(where + ": reason " + text(static_cast<std::uint64_t>(hot.reason)) + " does not exist");
        blob(hot, where);
    }

    void blob(const Hot& hot, const std::string& where) {
        Blob blob;
        if (!load_blob(roster_, hot.blob, blob)) return broken(where + ": blob " + text(hot.blob) + " does not read");
        if (blob.sequence.value == 0 || blob.sequence > hot.lsn) broken(where + ": blob " + text(hot.blob) + " is of event " + text(blob.sequence.value) + ", the record of " + text(hot.lsn.value));
        if (const auto [other, is_first] = blobs_.emplace(hot.blob, where); !is_first) broken(where + ": shares blob " + text(hot.blob) + " with " + other->second);
    }

    // A death of silence may have lost its word already: its eviction is the next that will happen.
    void word(Slot s, const Hot& hot, const std::string& where) {
        if (lent_[s.value] || (hot.state != State::none && hot.word_slot != s)) return;  // judged by its host's word
        const std::int64_t word = roster_.word(s).load(std::memory_order_acquire);  // [beat]
        const bool lives = hot.state == State::alive || hot.state == State::suspect;
        if (hot.state == State::none || hot.is_proof()) {
            if (word != free_word) broken(where + ": the heartbeat word is not free, though " + (hot.state == State::none ? "nobody is there" : "its death is proven"), Part::content);
        } else if (lives && (word < 0 || generation_of(word) != hot.generation)) {
            broken(where + ": the heartbeat word is not of generation " + text(hot.generation.value), Part::content);
        } else if (word >= 0 && word != free_word && stamp_of(word) > now_) {
            broken(where + ": the heartbeat word is from the future", Part::content);
        }
    }

    void words_beyond_high_water() {
        for (std::uint64_t i = roster_.high_water(); i < roster_.geometry().word_count; ++i)
            if (roster_.word(Slot{static_cast<std::uint32_t>(i)}).load(std::memory_order_relaxed) != free_word)  // relaxed: nobody writes there
                broken(slot_text(static_cast<std::uint32_t>(i)) + ": was never used, but its heartbeat word is not free", Part::content);
    }

    void extents() {
        const std::uint32_t used = std::min(roster_.header().blob_extents_used.load(std::memory_order_acquire), roster_.geometry().blob_extents);  // [extent]
        for (std::uint32_t i = 0; i < used; ++i)
            if (const std::uint32_t c = roster_.extent_class(i).load(std::memory_order_acquire); c >= blob_class_count)  // [extent]
                broken("blob extent " + text(i) + ": size class " + text(c) + " does not exist");
    }

    const Roster& roster_;
    const Stamp now_;
    const Sequence head_, prepared_;
    std::uint64_t greatest_incarnation_ = ~std::uint64_t{0};
    std::vector<bool> pending_;            // a slot: a successor will redo it
    std::vector<bool> lent_;               // a slot: its word judges another host's members
    std::vector<std::uint8_t> linked_;     // a slot: found in a chain
    std::unordered_map<std::string, std::uint32_t> names_;
    std::unordered_map<std::uint32_t, std::string> blobs_;
    Verification result_;
};

}  // namespace

Verification verify(const Roster& roster, Stamp now) {
    Verification last;
    for (int attempt = 0; attempt < attempts; ++attempt) {
        Inspection inspection(roster, now);
        inspection.all();
        const bool same = inspection.is_same_moment();
        last = inspection.take();
        last.is_settled = same || last.broken_count == 0;
        if (last.is_settled) return last;
    }
    return last;
}

}  // namespace rollcall::shm
