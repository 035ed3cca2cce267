// What one host says: its beat, what changed in its list, and its answers. Knows whom it speaks for, and nobody whom it speaks to.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "engine/hosts/host_message.hpp"
#include "engine/hosts/message.hpp"
#include "engine/hosts/own_list.hpp"
#include "shm/units.hpp"

namespace rollcall::engine {

struct HostIdentity {
    std::string cluster, host;
    Incarnation incarnation{};
    std::uint32_t epoch = 0;  // which engine since its memory was made
};

// One thread. Knows no clock.
class HostSpeaker {
public:
    HostSpeaker(HostIdentity self, std::uint64_t seed) : self_(std::move(self)), random_(seed) {}

    const HostIdentity& self() const noexcept { return self_; }
    // A greater one, because somebody knows an earlier life of this host that was as great: everybody meets it anew.
    void raise(Incarnation incarnation) noexcept { self_.incarnation = incarnation; }
    // Before it does, it neither beats nor answers: an empty list would end everybody.
    bool knows_list() const noexcept { return list_.summary().version != 0; }
    OwnList& list() noexcept { return list_; }
    const OwnList& list() const noexcept { return list_; }

    // Appends what is due at `now`: a beat between four fifths of the interval and all of it, with what changed since the last but one; what changed just now, at
    // most every ten milliseconds; and what is left of answered requests, at most a megabyte a second.
    void tick(Instant now, Duration interval, std::vector<Message>& out);
    // When tick() has something to say even if nothing changes until then.
    Instant next() const noexcept { return debts_.empty() ? next_beat_ : paid_until_; }
    // Something changed that was not said yet.
    bool has_news() const noexcept { return has_begun_ && list_.summary().version != said_; }

    // To whom `asked` came from, at once.
    Message answer(const HostAsk& ask, Incarnation known, const Message& asked, Duration interval) const;
    // Its list, to whoever asks: from the next tick on. One request a host; a later one takes the earlier one's place.
    void request(const ListRequest& request, const Message& asked);
    Message goodbye() const { return say(HostGoodbye{self_.incarnation, {self_.epoch, counter_}}); }
    Message say(const HostMessage& what, std::string destination = {}, std::string via = {}) const;

private:
    struct Debt {
        std::string via;
        std::uint64_t since = 0;  // changes after it are owed; 0: none
        std::vector<std::pair<Place, Place>> ranges;
    };
    HostBeat present(Duration interval) const;
    void say_changes(std::uint64_t since, std::size_t most, std::vector<Message>& out);
    void pay(Instant now, std::vector<Message>& out);
    bool pay(const std::string& host, Debt& debt, std::vector<Message>& out);

    HostIdentity self_;
    OwnList list_;
    std::mt19937_64 random_;
    std::uint64_t counter_ = 0;
    Instant next_beat_{}, next_change_{};
    std::uint64_t said_ = 0;                   // the version up to which changes went out
    std::array<std::uint64_t, 2> at_beats_{};  // the versions of the last beat but one and of the last one
    bool has_begun_ = false;
    std::map<std::string, Debt> debts_;  // by host
    Instant paid_until_{};
    double allowance_ = 0;  // bytes that may go out now
};

}  // namespace rollcall::engine
