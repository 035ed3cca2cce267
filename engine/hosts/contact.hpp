// One other host: what it has proved of itself, and what it says of its members.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "engine/hosts/host_message.hpp"
#include "engine/hosts/known_list.hpp"
#include "shm/units.hpp"

namespace rollcall::engine {

// The two words that judge a host and its members, for whoever hears it.
struct HostWords {
    Slot host = no_slot, word = no_slot;
    Generation host_generation{}, word_generation{};
    std::uint32_t card = 0xFFFF'FFFF;
    std::uint64_t stream = 0;  // of the memory that they are in
};

// Of its last beats: how many did not arrive, and how long an answer took. For show, never for a judgement.
struct PathQuality {
    double loss = 0;  // a share of the beats, over the last twenty or so
    std::uint64_t beats = 0;  // that arrived
    std::optional<Duration> round_trip;

    void count_beats(std::uint64_t sent) noexcept;  // since the last one that arrived
    void count_round_trip(Duration took) noexcept;
};

// An address begins with what carries it: "udp:10.0.0.1:7946".
inline std::string_view transport_of(std::string_view address) noexcept {
    const std::size_t colon = address.find(':');
    return colon == std::string_view::npos ? std::string_view() : address.substr(0, colon);
}

struct Contact {
    Contact(std::string name, std::size_t max_entries) : host(std::move(name)), list(max_entries) {}

    std::string host;

    // What it proved by an answer; before the first one nothing.
    bool is_verified = false;
    Incarnation incarnation{};
    // Where it answered from: one place of each transport. The first one is where it is spoken to: heard last, or nearly so.
    struct Path {
        std::string address;
        Instant heard_at{};
    };
    static constexpr std::size_t most_paths = 4;
    std::vector<Path> paths;
    const std::string& address() const noexcept;
    bool is_at(std::string_view address) const noexcept { return find_path(address) != nullptr; }
    const Path* find_path(std::string_view address) const noexcept;
    // Its place on this transport; null: none.
    const Path* path_over(std::string_view transport) const noexcept;
    // Its place on any transport on which the other one is, too; null: none.
    const Path* path_beside(const Contact& other) const noexcept {
        for (const Path& path : other.paths)
            if (const Path* mine = path_over(transport_of(path.address))) return mine;
        return nullptr;
    }
    // It was heard from there. True: from now on it is spoken to elsewhere than before.
    bool note_path(std::string_view address, Instant at) noexcept;
    // It answered from there: in place of where it was on that transport.
    void move_to(const std::string& address, Instant at);
    std::uint32_t unanswered = 0;  // questions since it was heard
    std::size_t turn = 0;  // of its places, whose it is to be asked while it is silent
    HostSequence highest;
    Instant last_heard{};       // a moment at which it lived
    Duration interval{};        // as it announced it
    PathQuality quality;

    // Questions under way. A nonce is answered once.
    struct Question {
        std::uint64_t nonce = 0;
        Instant asked_at{};
    };
    static constexpr std::size_t most_questions = 64;
    std::deque<Question> questions;
    Instant next_question{}, next_question_elsewhere{};  // at its address; at another one, where it was heard from or is said to be
    std::string candidate;      // that other one
    std::uint64_t candidates = 0;  // of which it is one, since a question went there
    std::optional<Instant> rival_since;  // a later life of its name answers, while this one was heard a moment ago
    Instant met_at{};
    Instant next_answer{}, next_answer_elsewhere{};  // to its own questions
    Instant next_list{}, next_hints{}, next_greeting{};
    bool wants_hosts = false;   // it asked whom else we know
    std::optional<Instant> greeting_due;  // when it is told
    std::size_t greeted = 0;              // how many were named already
    std::optional<std::size_t> in_audience;  // its place there
    bool is_cared_for = false;
    Instant next_telling{};     // that it is suspected here
    std::optional<Instant> told_at;  // that we are suspected there
    std::uint64_t vouch_nonce = 0;   // with which others were asked about it
    Instant vouch_asked_at{}, next_vouching{};
    Instant vouched_at{};            // a moment at which others heard it

    // Its list.
    KnownList list;
    ListSummary summary;                   // what it said last that it comes to
    bool agrees = false;                   // and what is known does
    std::optional<Instant> differs_since;  // and when it is asked for the rest
    Instant next_request{};

    // What of the list the detector has not been given yet.
    std::optional<HostWords> words;  // since it was admitted
    bool wants_admission = false;    // it is to be taken in, or what was told of it has changed
    bool is_admitting = false;       // the answer is under way
    bool is_unwelcome = false;       // it was refused, and this was said
    Duration told_interval{};
    std::uint32_t told_ways = 0;
    bool is_waiting = false;         // something is to be handed over
    bool is_one_way = false;         // so: that it does not hear us
    bool is_doubled = false;         // so: that there is another one of its name
    std::optional<Instant> doubled_at;  // when that was told last
    bool has_left = false;           // so: that it said goodbye
    std::optional<std::uint32_t> left_in;  // which epoch of this life: nothing of it counts any more
    bool has_ended(Incarnation life, HostSequence at) const noexcept { return is_verified && life == incarnation && left_in && at.epoch <= *left_in; }
    bool wants_whole = true;         // who is not in the list is to end
    bool is_new_life = false;        // and why
    std::deque<std::pair<std::string, Reason>> gone;  // nodes, and why, as far as it was said
    std::set<Place> changed;                          // whoever is there is to be given, after those who are gone: a node may have moved
    std::map<Place, std::string> shown;               // whom the detector was given, or is about to be
    bool has_news() const noexcept { return !gone.empty() || !changed.empty() || wants_whole; }
    Instant next_offer{};            // of what was refused
    bool was_refused = false;

    // Its silence has lasted so long that only an answer to a question asked after `suspect` of it counts.
    bool must_answer(Instant now, Duration suspect) const noexcept { return !is_verified || now - last_heard >= suspect; }
    // How long what was asked for may take: longer is lost. What was timed while one of both slept says nothing of the way.
    Duration patience(Duration least) const noexcept { return std::max(least, std::min(interval, quality.round_trip.value_or(Duration{}) * 3 / 2)); }
    Duration intervals(double n) const noexcept { return std::chrono::duration_cast<Duration>(interval * n); }
    // The question that this nonce answers, once.
    std::optional<Question> answered(std::uint64_t nonce);
    void ask(std::uint64_t nonce, Instant now);
    // Every claim is to be given again.
    void offer_all();
    void note_changes(const std::vector<Place>& places);
    void note_change(Place place);
    // Of this life nothing is known yet but that it answered.
    void begin_life(Incarnation life);
    void forget_list();
    // It lived at this moment, by its own word or another's.
    Instant last_sign() const noexcept { return std::max(last_heard, vouched_at); }
};

// A receiver waits at least for three of a sender's intervals.
inline Duration suspect_timeout(Duration setting, Duration interval) noexcept { return std::max(setting, 3 * interval); }

}  // namespace rollcall::engine
