// Other hosts, by what they say: who is believed, when to ask, what to hand to the detector. The whole protocol, without threads, clocks, sockets and memory.
//
// A host counts as heard by its beats; but only an answer to a question that was asked after that moment makes a host known at all, or again after its silence
// passed the suspect timeout, or in a new life, or at a new address. So neither a recording nor a network that held old messages back revives anybody,
// and nobody needs a clock that agrees with another's. Whoever was not heard for one and a half of its intervals is asked, ten times a second.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/hosts/contact.hpp"
#include "engine/hosts/question_pace.hpp"
#include "engine/hosts/speaker.hpp"
#include "engine/receivers.hpp"
#include "engine/request.hpp"
#include "engine/traffic.hpp"
#include "shm/settings.hpp"

namespace rollcall::engine {

// A host as an operator sees it.
struct HostView {
    std::string host, address;
    Incarnation incarnation{};
    bool is_verified = false, agrees = false;
    std::size_t members = 0;
    Instant last_heard{};
    double loss = 0;
    std::optional<Duration> round_trip;
};

class Neighbourhood {
public:
    // What it asks of the engine. Called under this object's lock: must neither block nor call back.
    struct Hooks {
        std::function<Settings()> settings;
        std::function<bool()> speaks;                 // else neither beats nor answers: a wedged engine must not look alive
        std::function<bool(Request)> put;             // for the detector, in this order; false: later
        // H, and with the flag M; and for show how the way there is. False: the words are nobody's any more.
        std::function<bool(const HostWords&, bool, Instant, const PathQuality&)> beat;
        std::function<void(const std::string&)> log;  // one line; may be empty
        std::function<std::uint64_t()> nonce;         // that nobody can foretell; may be empty: of the seed, for tests
        std::vector<std::string> ways{};              // the transports, by the numbers that the detector knows them by
    };
    static constexpr std::size_t most_contacts = 20'000, most_strangers = 1'024;

    // `capacity`: members that there is room for; a list may be as long, and all together a few times so.
    Neighbourhood(HostIdentity self, Hooks hooks, std::uint32_t capacity, std::uint64_t seed);

    // Thread-safe, like everything here. A message whose origin is a host; `at`: when it was received.
    // True: it made something to send.
    bool hear(const Message& message, Instant at);
    // Appends what is to be sent at `now`. When hear() says so, and after the pause that it returns at the latest.
    Duration tick(Instant now, std::vector<Message>& out);
    // Appends what was not said yet, and that this host and all its members leave.
    void say_goodbye(Instant now, std::vector<Message>& out);
    // Everybody to whom beats should go, if that has changed since the last call.
    std::optional<std::vector<std::string>> new_audience();
    // The detector's answer to what was put. From its thread; blocks for nobody.
    void answered(const std::string& host, Incarnation incarnation, bool is_admission, const Answer& answer);

    // This host's own list, under the lock. The change returns the incarnation that it is of: a later one than before is a new life of this host, whose memory was
    // made anew. Nothing: nobody knows now.
    void change_list(const std::function<std::optional<Incarnation>(OwnList&)>& change);
    HostIdentity self() const;
    std::vector<HostView> hosts() const;
    HostTraffic counters() const;

private:
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>{}(text); }
    };
    struct Outcome {
        std::string host;
        Incarnation incarnation{};
        bool is_admission = false;
        Answer answer;
    };

    void take(const Message& m, const HostBeat& beat, Instant at);
    void take(const Message& m, const HostAsk& ask, Instant at);
    void take(const Message& m, const HostAnswer& answer, Instant at);
    void take(const Message& m, const ListDelta& delta, Instant at);
    void take(const Message& m, const ListPage& page, Instant at);
    void take(const Message& m, const ListRequest& request, Instant at);
    void take(const Message& m, const HostHints& hints, Instant at);
    void take(const Message& m, const HostSuspected& suspected, Instant at);
    void take(const Message& m, const VouchAsk& ask, Instant at);
    void take(const Message& m, const Vouch& vouch, Instant at);
    void take(const Message& m, const HostGoodbye& goodbye, Instant at);

    Contact* find(std::string_view host);
    Contact* find_or_meet(const Message& m);
    Contact* find_believed(const Message& m, Incarnation incarnation, Instant at);
    Duration suspect_of(const Contact& c) const { return suspect_timeout(settings_.suspect, c.interval); }
    void ask(Contact& c, Instant now);
    void ask_at(Contact& c, const std::string& address, Instant now);
    void send_question(Contact& c, const std::string& address, Instant now);
    bool is_known(const Contact& c, const Message& m, Incarnation incarnation) const { return c.is_verified && incarnation == c.incarnation && c.is_at(m.via); }
    void hear_of_oneself(Incarnation known);
    void hear_namesake(const Message& message, const HostMessage& said, Instant at);
    bool is_over_for(const Contact& c, Incarnation life, Instant at) const;
    // It is evicted by now, or about to be.
    bool is_forgotten(const Contact& c, Instant now) const { return now - c.last_sign() > settings_.evict + 2 * suspect_of(c); }
    // It is dead by now, or about to be.
    bool is_lost(const Contact& c, Instant now) const { return now - c.last_heard > settings_.dead + suspect_of(c); }
    bool may_say(Instant now);
    bool is_rival(Contact& c, const Message& m, const HostBeat& beat, Instant at);
    void wait(Contact& c);
    void hand_over_all();
    void settle(Contact& c);
    bool put(const Contact& c, Request::Kind kind);
    void make_room_for_a_contact();
    bool bound_lists(Contact& c, std::size_t before);
    void forget_list_of(Contact& c);
    void accept(Contact& c, const HostBeat& beat, Instant lived_at, Instant now);
    void compare(Contact& c, const ListSummary& summary, Instant now);
    void catch_up(Contact& c, Instant now);
    bool admit(Contact& c);
    void note_path(Contact& c, const std::string& address, Instant at);
    WayMask ways_of(const Contact& c) const;
    bool can_reach(const std::string& address) const;
    bool is_copy(Contact& c, const Message& m, const HostBeat& beat, Instant at);
    void note_double(Contact& c, Instant at);
    void owe_greeting(Contact& c, Instant now);
    void greet(Contact& c, Instant now);
    void gossip(Instant now);
    bool name_others(Contact& c, std::size_t most, Instant now);
    void hand_over(Contact& c);
    bool hand_over_some(Contact& c);
    bool hand_over_whole(Contact& c);
    void go_round(Instant now);
    bool is_worth_keeping(const Contact& c, Instant now) const;
    bool needs_care(const Contact& c, Instant now) const;
    void care_for(Contact& c);
    void care_no_more(Contact& c);
    void listens(Contact& c, bool does);
    void forget(const std::string& host);
    void look_at(Contact& c, Instant now);
    void question_the_silent(Instant now);
    void question(Contact& c, Instant now);
    Duration question_pause_of(const Contact& c, Instant now) const;
    void tell(Contact& c, Instant now);
    void ask_others_about(Contact& c, Instant now);
    void want_list(Contact& c, Instant now);
    void take_outcomes(Instant now);
    mutable std::mutex mutex_;  // guards everything but the outcomes
    HostSpeaker speaker_;
    Hooks hooks_;
    Settings settings_;
    std::mt19937_64 random_;
    std::unordered_map<std::string, Contact, Hash, std::equal_to<>> contacts_;
    std::vector<std::string> strangers_;  // contacts that have not answered yet
    bool is_established_ = false, has_raised_ = false;  // somebody knows this host in this life; it was raised once
    std::optional<Incarnation> to_raise_;
    std::set<std::string> waiting_;       // contacts with something for the detector: one thread hands over, so that it comes in order
    const std::size_t most_claims_;       // in all lists
    std::size_t claims_ = 0;
    double allowance_ = 0;                // of what hearing makes us say
    Instant allowed_until_{};
    std::size_t requests_left_ = 0;       // of this round
    std::vector<Message> out_;
    Instant next_round_{}, next_gossip_{}, next_line_of_namesake_{};
    Duration question_pause_ = std::chrono::milliseconds(100), between_rounds_ = std::chrono::milliseconds(50);  // shorter where heartbeats are
    QuestionPace pace_;                   // of those that nobody made us ask
    bool audience_changed_ = false;
    std::vector<Contact*> audience_;      // who hears what is said to everybody
    std::vector<Contact*> cared_for_;     // who may need something soon: to be asked, or its list
    std::size_t slice_ = 0;               // of all the others, whose turn it is to be looked at
    HostTraffic counters_;
    const std::shared_ptr<const void> life_ = std::make_shared<int>(0);  // requests that are not answered by its end are nobody's
    std::mutex outcomes_mutex_;
    std::vector<Outcome> outcomes_;
};

}  // namespace rollcall::engine
