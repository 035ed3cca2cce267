// An engine without threads and clocks, full of peers, whose time is moved by hand.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>

#include "bench/bench.hpp"
#include "engine/core.hpp"
#include "shm/word.hpp"

namespace rollcall::bench {

class Population {
public:
    explicit Population(std::uint32_t peers, Settings settings = {}, std::uint32_t capacity = 4096) : peers_(peers) {
        engine::CoreOptions options{"bench", "engine", "here", "", settings, std::max(peers, capacity), 0, {}};
        auto opened = engine::Core::open(options, now_, wall_us);
        if (!opened) throw std::runtime_error(opened.error().message);
        core_ = std::move(*opened);
        for (std::uint32_t i = 0; i < peers; ++i) {
            put_join("node-" + std::to_string(i));
            if (i % 8192 == 8191) settle();
        }
        settle();
    }

    engine::Core& core() noexcept { return *core_; }
    std::uint32_t peers() const noexcept { return peers_; }
    Stamp stamp() const noexcept { return to_stamp(now_, core_->roster().base_ns()); }
    void advance(Duration d) noexcept { now_ += d; }

    // One step with a pass; returns what it took, in nanoseconds.
    std::int64_t step() {
        const std::int64_t before = now_ns();
        core_->step(now_, wall_us, inbox_, true);
        return now_ns() - before;
    }

    void put_join(std::string node) {
        engine::Request join;
        join.kind = engine::Request::Kind::join;
        join.reason = Reason::registered;
        join.node = std::move(node);
        join.producer = 1;
        inbox_.put(std::move(join));
    }
    // Until all that was put is done; returns what the steps took, in nanoseconds.
    std::int64_t settle() {
        const std::int64_t before = now_ns();
        do core_->step(now_, wall_us, inbox_, false);
        while (core_->has_more() || !inbox_.is_empty());
        return now_ns() - before;
    }
    // Everybody; and their slots have rested.
    void leave_all() {
        engine::Request leave;
        leave.kind = engine::Request::Kind::leave;
        for (std::uint32_t i = 0; i < peers_; ++i) {
            leave.node = "node-" + std::to_string(i);
            inbox_.put(engine::Request(leave));
            if (i % 8192 == 8191) settle();
        }
        settle();
        advance(std::chrono::seconds(1));
        step();
    }

    // `count` peers beat, each in its turn.
    void beat_in_turn(std::uint32_t count) {
        for (std::uint32_t i = 0; i < count; ++i, next_ = (next_ + 1) % peers_) beat(Slot{next_});
    }
    void beat(Slot slot) noexcept {
        shm::Word& word = core_->writable().word(slot);
        shm::beat(word, stamp(), shm::generation_of(word.load(std::memory_order_relaxed)));
    }

private:
    static constexpr std::int64_t wall_us = 1'700'000'000'000'000;

    std::uint32_t peers_, next_ = 0;
    Instant now_ = instant_from_ns(1'000'000'000'000);
    engine::Inbox inbox_;
    std::unique_ptr<engine::Core> core_;
};

}  // namespace rollcall::bench
