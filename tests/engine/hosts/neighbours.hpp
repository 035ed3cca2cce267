// Hosts by themselves, without engines behind them, on a wire that a test may record, hold back and replay. Time is moved by hand.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <ostream>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "engine/hosts/host_message.hpp"
#include "engine/hosts/neighbourhood.hpp"

namespace rollcall::test {

inline constexpr Instant origin = instant_from_ns(1'000'000'004'321);
inline constexpr Incarnation first_life{1'700'000'000'000'000}, next_life{1'700'000'000'000'001};

inline engine::ListEntry member(const std::string& node, std::uint64_t version) {
    engine::ListEntry entry;
    entry.place = 1;
    entry.version = version;
    entry.state = State::alive;
    entry.reason = Reason::join;
    entry.incarnation = Incarnation{7};
    entry.node = node;
    return entry;
}

template <class Kind>
bool is(const Message& message) {
    const auto read = engine::decode_host_message(message.payload);
    return read && std::holds_alternative<Kind>(*read);
}
template <class Kind>
Kind read(const Message& message) {
    return std::get<Kind>(engine::decode_host_message(message.payload).value());
}

// One host: what it asks of its engine is recorded, and every request is granted.
class Host {
public:
    struct Beat {
        std::string host;
        bool agrees = false;  // M was beaten too
        Instant at{};
        friend void PrintTo(const Beat& beat, std::ostream* out) { *out << beat.host << (beat.agrees ? " agrees, at " : " differs, at ") << to_ns(beat.at); }
    };

    Host(std::string name, std::string at, Incarnation life, std::uint64_t seed)
        : name_(std::move(name)), address(std::move(at)), neighbourhood(engine::HostIdentity{"test", name_, life, 1}, hooks(), 4096, seed) {
        change([this](engine::OwnList& list) { list.set(member(name_ + "-1", 1)); });
    }

    void change(const std::function<void(engine::OwnList&)>& how) {
        neighbourhood.change_list([&](engine::OwnList& list) {
            how(list);
            return std::optional<Incarnation>();
        });
    }
    bool hear(Message message, Instant at) {
        const bool has_news = neighbourhood.hear(message, at);
        grant();
        return has_news;
    }
    void tick(Instant now, std::vector<Message>& out) {
        neighbourhood.tick(now, out);
        grant();
    }
    std::optional<engine::HostView> view(const std::string& host) const {
        for (engine::HostView& each : neighbourhood.hosts())
            if (each.host == host) return std::move(each);
        return std::nullopt;
    }
    bool knows(const std::string& host, Incarnation life = first_life) const {
        const auto seen = view(host);
        return seen && seen->is_verified && seen->incarnation == life;
    }
    // "host address", of whom it asked to be taken in.
    std::vector<std::string> admissions() const {
        std::vector<std::string> all;
        for (const engine::Request& request : requests_)
            if (request.kind == engine::Request::Kind::admit_host) all.push_back(request.node + " " + request.endpoint.value_or(""));
        return all;
    }
    std::size_t count(engine::Request::Kind kind) const {
        return static_cast<std::size_t>(std::count_if(requests_.begin(), requests_.end(), [kind](const engine::Request& request) { return request.kind == kind; }));
    }
    const std::string& name() const noexcept { return name_; }

private:
    engine::Neighbourhood::Hooks hooks() {
        engine::Neighbourhood::Hooks hooks;
        hooks.settings = [] { return Settings{}; };
        hooks.speaks = [] { return true; };
        hooks.put = [this](engine::Request request) {
            requests_.push_back(std::move(request));
            return true;
        };
        hooks.beat = [this](const engine::HostWords& words, bool agrees, Instant at, const engine::PathQuality&) {
            beats.push_back({hosts_.at(words.host.value), agrees, at});
            return true;
        };
        return hooks;
    }
    // Not from inside `put`, which is called under the lock.
    void grant() {
        for (; granted_ < requests_.size(); ++granted_) {
            const engine::Request& request = requests_[granted_];
            if (request.kind != engine::Request::Kind::admit_host) continue;
            const auto number = static_cast<std::uint32_t>(2 * hosts_.size());
            hosts_[number] = request.node;
            engine::Answer answer{std::nullopt, Slot{number}, Generation{1}, request.incarnation, true};
            answer.word = Slot{number + 1};
            answer.word_generation = Generation{1};
            request.done(answer);
        }
    }

    std::string name_;
    std::vector<engine::Request> requests_;
    std::size_t granted_ = 0;
    std::map<std::uint32_t, std::string> hosts_;

public:
    std::string address;
    std::vector<Beat> beats;
    engine::Neighbourhood neighbourhood;
};

// What is said arrives at once, unless a test has it otherwise.
class Neighbours : public testing::Test {
protected:
    Host& add(const std::string& name, Incarnation life = first_life) { return add_as(name, name, life); }
    // Who is called by a name that somebody else may have.
    Host& add_as(const std::string& name, const std::string& called, Incarnation life) {
        auto& made = hosts_[name] = std::make_unique<Host>(called, name + "-address", life, ++seed_);
        return *made;
    }
    void remove(const std::string& name) { hosts_.erase(name); }

    void run(Duration d) {
        for (const Instant end = now + d; now < end;) {
            now += std::chrono::milliseconds(10);
            for (int round = 0; round < 6; ++round) exchange();  // enough for a question, its answer and what follows from it
        }
    }
    void exchange() {
        for (const auto& [name, host] : hosts_) {
            std::vector<Message> out;
            host->tick(now, out);
            for (Message& message : out) deliver(*host, std::move(message));
        }
        if (between) between();
    }
    // A message as its receiver has it.
    void deliver(Host& from, Message message) {
        const std::string to = std::exchange(message.via, from.address);
        for (const auto& [name, host] : hosts_)
            if (host.get() != &from && (to.empty() || to == host->address) && (!passes || passes(message, name))) host->hear(message, now);
    }
    // Everything that `from` says to `to` from now on. It arrives all the same if `arrives`.
    void record(const std::string& from, const std::string& to, bool arrives) {
        passes = [=, this](const Message& message, const std::string& receiver) {
            if (message.origin != from || receiver != to) return true;
            recording.push_back(message);
            return arrives;
        };
    }
    void cut(const std::string& from, const std::string& to) {
        passes = [=](const Message& message, const std::string& receiver) { return message.origin != from || receiver != to; };
    }
    void heal() { passes = nullptr; }
    void replay(Host& to) {
        for (const Message& message : recording) to.hear(message, now);
    }
    Message last_recorded(bool (*is_wanted)(const Message&)) const {
        const auto at = std::find_if(recording.rbegin(), recording.rend(), is_wanted);
        if (at == recording.rend()) throw std::runtime_error("nothing of the kind was recorded");
        return *at;
    }

    Instant now = origin;
    std::function<bool(const Message&, const std::string& receiver)> passes;
    std::function<void()> between;
    std::vector<Message> recording;

private:
    std::map<std::string, std::unique_ptr<Host>> hosts_;
    std::uint64_t seed_ = 0;
};

}  // namespace rollcall::test
