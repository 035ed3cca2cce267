// The rules of judgement, written as plainly as they can be: a map of peers, a list of the stretches of time that were observed, and for
// every peer at every pass the sum of what was observed since its last beat. No thresholds, no scan, no memory, no publication.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "engine/peer.hpp"
#include "shm/settings.hpp"

namespace rollcall::test {

// What the engine must say. Times are stamps, as the engine has no finer ones.
struct Told {
    EventKind kind{};
    std::string node;
    Reason reason{};
    State state{};
    std::uint64_t incarnation = 0;
    std::uint64_t view = 0;
    std::uint64_t last_beat = 0;
    std::uint64_t lost = 0;   // of the silence
    std::uint64_t late = 0;
    std::uint64_t length = 0; // of a pause

    friend bool operator==(const Told&, const Told&) = default;
};
std::string to_string(const Told& told);

class ReferenceModel {
public:
    // It begins to observe at `opened`.
    ReferenceModel(const Settings& settings, std::uint64_t opened) : settings_(settings), last_look_(opened) {}

    // Between two passes. False: the beat is not its own any more, or there is nobody.
    bool beat(const std::string& node, std::uint64_t stamp);

    // Requests, in their order, at the instant of the step that answers them.
    void begin_step(std::uint64_t now, std::int64_t wall_us);
    void join(const std::string& node, bool replaces);
    void register_peer(const std::string& node);
    void hear(const std::string& node, std::uint64_t at);
    void leave(const std::string& node);
    void evict(const std::string& node);
    void exit(const std::string& node);
    void configure(const Settings& settings);
    // Then the pass. Peers are judged in the order of their slots, which only the engine knows.
    void pass(const std::map<std::string, std::uint32_t>& slots);

    std::vector<Told> take() { return std::exchange(told_, {}); }
    const Settings& settings() const noexcept { return settings_; }
    struct Peer {
        State state = State::alive;
        Reason reason = Reason::join;
        std::uint64_t incarnation = 0, last_beat = 0;
        std::uint64_t proven_at = 0;
        bool has_process = false;  // then nobody else's heartbeat counts for it
        bool is_proven() const noexcept { return is_proof(state, reason); }
    };
    const std::map<std::string, Peer>& peers() const noexcept { return peers_; }

private:
    struct Stretch {
        std::uint64_t begin, end;
    };
    void look();
    void judge(const std::string& node);
    std::uint64_t silence_since(std::uint64_t stamp) const;
    void admit(const std::string& node, Reason reason);
    void tell(EventKind kind, const std::string& node, const Peer& peer, std::uint64_t late = 0, bool raises_view = false);
    void remove(const std::string& node, EventKind kind, Reason reason);

    Settings settings_;
    std::map<std::string, Peer> peers_;
    std::vector<Stretch> observed_;  // ascending
    std::uint64_t last_look_, blind_until_ = 0, now_ = 0;
    std::uint64_t greatest_incarnation_ = 0, view_ = 0;
    std::int64_t wall_us_ = 0;
    std::vector<Told> told_;
};

}  // namespace rollcall::test
