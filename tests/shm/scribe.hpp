// The smallest engine there can be: it writes events, applies and publishes them in the order that the design lays down, and remembers
// every one, so that a test can say what any reader should have seen at any sequence.
#pragma once

#include <functional>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "shm/checkpoint.hpp"
#include "shm/ring.hpp"
#include "shm/snapshot.hpp"
#include "tests/shm/private_segment.hpp"

namespace rollcall::test {

class Scribe {
public:
    // What was written: the event, and the endpoint that its peer has after it.
    struct Fact {
        shm::StoredEvent event;
        std::string endpoint;
    };

    explicit Scribe(shm::Segment& segment) : roster_(segment.writable()), peers_(roster_.capacity()) {
        const std::uint32_t step = shm::blob_class_bytes[blob_class] / shm::blob_unit, first = add_blob_extent(roster_, blob_class);
        for (std::uint32_t i = 0; i < shm::blob_extent_bytes / shm::blob_class_bytes[blob_class]; ++i) free_blobs_.push_back(first + i * step);
        roster_.header().high_water.store(roster_.capacity(), std::memory_order_release);  // [extent]
    }

    // Called between the steps of a commit: a reader may look at any of these moments, and the engine may die at any.
    std::function<void()> between = [] {};
    // If set, nothing is stored: the steps are only noted. Run one by one they do not allocate.
    std::vector<std::function<void()>>* journal = nullptr;

    bool is_free(Slot s) const { return peers_[s.value].hot.state == State::none; }
    State state(Slot s) const { return peers_[s.value].hot.state; }
    Sequence head() const { return values_.head; }
    Sequence planned() const { return Sequence{facts_.size()}; }
    bool applied_any() const { return applied_any_; }
    const std::vector<Fact>& facts() const { return facts_; }

    void join(Slot s, const std::string& node, const std::string& endpoint) {
        Peer& peer = peers_[s.value];
        peer.hot = {};
        peer.hot.state = State::alive;
        peer.hot.reason = Reason::join;
        peer.hot.incarnation = Incarnation{planned().value + 1};
        peer.hot.generation = Generation{static_cast<std::uint16_t>(planned().value % 1'000 + 1)};
        peer.hot.word_slot = s;
        peer.name = shm::Name::of(node);
        write_blob(peer, endpoint);
        plan(EventKind::joined, s, State::none);
    }
    void update(Slot s, const std::string& endpoint) {
        Peer& peer = peers_[s.value];
        freed_blobs_.push_back(peer.hot.blob);
        write_blob(peer, endpoint);
        plan(EventKind::updated, s, peer.hot.state);
    }
    void judge(Slot s, EventKind kind, State after) {
        const State before = std::exchange(peers_[s.value].hot.state, after);
        plan(kind, s, before);
    }
    void leave(Slot s) {
        Peer& peer = peers_[s.value];
        const State before = std::exchange(peer.hot.state, State::none);
        freed_blobs_.push_back(std::exchange(peer.hot.blob, shm::no_index));
        peer.endpoint.clear();
        plan(EventKind::left, s, before);
    }
    // A proof is added to a death: an update that brings no blob.
    void prove(Slot s) {
        peers_[s.value].hot.reason = Reason::process_exit;
        plan(EventKind::updated, s, State::dead);
    }
    void pause() {
        shm::StoredEvent event;
        event.kind = EventKind::paused;
        write(event, "");
    }

    void commit() {
        const Sequence first = values_.head + 1, last = planned();
        perform([this, last] { roster_.header().prepared.store(last.value, std::memory_order_release); });  // [prepare]
        for (Sequence s = first; s <= last; s = s + 1) apply(facts_[s.value - 1].event);
        values_.head = last;
        values_.view = facts_.empty() ? 0 : facts_.back().event.view;
        perform([this, values = values_] {
            shm::publish(roster_.header(), values);
            applied_any_ = false;
        });
        free_blobs_.insert(free_blobs_.end(), freed_blobs_.begin(), freed_blobs_.end());
        freed_blobs_.clear();
    }

    // Something that may happen to a random slot, planned.
    void anything(std::mt19937_64& random) {
        const Slot s{static_cast<std::uint32_t>(random() % roster_.capacity())};
        const std::string endpoint = "at " + std::to_string(planned().value);  // short: storing it allocates nothing
        const auto kind = random() % 8;
        if (kind == 7) return pause();
        if (is_free(s)) return join(s, "node-" + std::to_string(planned().value), endpoint);
        if (kind == 0) return leave(s);
        if (kind < 3) return update(s, endpoint);
        if (state(s) == State::alive) return judge(s, EventKind::suspect, State::suspect);
        if (state(s) == State::suspect) return kind < 5 ? judge(s, EventKind::recovered, State::alive) : judge(s, EventKind::dead, State::dead);
        return kind < 5 ? prove(s) : leave(s);
    }

private:
    static constexpr std::size_t blob_class = 3;  // 128 bytes

    template <class Step>
    void perform(Step step) {
        if (journal != nullptr) return journal->emplace_back(std::move(step)), void();
        step();
        between();
    }

    struct Peer {
        shm::Hot hot;
        shm::Name name;
        std::string endpoint;
    };

    void write_blob(Peer& peer, const std::string& endpoint) {
        peer.hot.blob = free_blobs_.back();  // the one that was freed last: reuse comes at once
        free_blobs_.pop_back();
        peer.endpoint = endpoint;
        shm::Blob blob;
        blob.sequence = planned() + 1;
        blob.set_text(endpoint, "", "");
        perform([this, number = peer.hot.blob, blob] { shm::store_blob(roster_, number, blob); });
    }
    void plan(EventKind kind, Slot s, State before) {
        Peer& peer = peers_[s.value];
        peer.hot.lsn = planned() + 1;
        shm::StoredEvent event;
        event.slot = s;
        event.kind = kind;
        event.before = before;
        event.hot = peer.hot;
        event.name = peer.name;
        write(event, peer.endpoint);
    }
    void write(shm::StoredEvent event, const std::string& endpoint) {
        event.sequence = planned() + 1;
        event.view = planned().value + 1;
        facts_.push_back({event, endpoint});
        perform([this, event] { shm::store_entry(roster_.entry(event.sequence), event); });
    }
    void apply(const shm::StoredEvent& event) {
        if (event.slot == no_slot) return;
        const Slot slot = event.slot;
        if (event.kind == EventKind::joined) perform([this, slot, name = event.name] { shm::store_name(roster_.record(slot), shm::hash_of(name), name); });
        perform([this, slot, words = shm::encode(event.hot)] {
            shm::store_hot(roster_.record(slot), words);
            applied_any_ = true;
        });
        if (event.kind == EventKind::joined) perform([this, slot] { shm::link(roster_, slot); });
        if (event.kind == EventKind::left) perform([this, slot] { shm::unlink(roster_, slot); });
    }

    shm::Roster& roster_;
    std::vector<Peer> peers_;
    std::vector<std::uint32_t> free_blobs_, freed_blobs_;
    std::vector<Fact> facts_;
    shm::CheckpointValues values_;
    bool applied_any_ = false;
};

// Says why an image is not what the facts up to its sequence say. Images come in the order of their sequences.
class Truth {
public:
    explicit Truth(const std::vector<Scribe::Fact>& facts) : facts_(facts) {}

    // Nothing if it is.
    std::string difference(const shm::Image& image) {
        for (; known_ < image.at.value; ++known_)
            if (facts_[known_].event.slot != no_slot) last_[facts_[known_].event.slot.value] = &facts_[known_];
        if (image.pending != 0) return "blobs are pending";
        if (image.at.value != 0 && image.view != facts_[image.at.value - 1].event.view) return "the view is another";
        for (const auto& [slot, fact] : last_)
            if (slot >= image.slots.size()) return "slot " + std::to_string(slot) + " is missing";
        for (std::uint32_t s = 0; s < image.slots.size(); ++s)
            if (const std::string what = difference(image.slots[s], s); !what.empty()) return "slot " + std::to_string(s) + " at " + std::to_string(image.at.value) + ": " + what;
        return "";
    }

private:
    std::string difference(const shm::SlotImage& seen, std::uint32_t slot) const {
        const auto it = last_.find(slot);
        if (it == last_.end()) return seen.hot.state != State::none || seen.hot.lsn.value != 0 ? "nobody was ever there" : "";
        const Scribe::Fact& fact = *it->second;
        if (shm::encode(seen.hot) != shm::encode(fact.event.hot)) return "the record of " + std::to_string(seen.hot.lsn.value) + " instead of " + std::to_string(fact.event.sequence.value);
        if (seen.hot.state == State::none) return "";
        if (seen.name != fact.event.name) return "another name";
        return seen.blob.endpoint() == fact.endpoint ? "" : "endpoint '" + std::string(seen.blob.endpoint()) + "' instead of '" + fact.endpoint + "'";
    }

    const std::vector<Scribe::Fact>& facts_;
    std::size_t known_ = 0;
    std::map<std::uint32_t, const Scribe::Fact*> last_;
};

inline std::string difference(const shm::Image& image, const std::vector<Scribe::Fact>& facts) { return Truth(facts).difference(image); }

}  // namespace rollcall::test
