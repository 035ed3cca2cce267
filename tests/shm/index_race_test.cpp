// The index under real threads: readers walk while a writer links, unlinks and reuses slots in ever other chains.
#include <random>
#include <thread>

#include <gtest/gtest.h>

#include "shm/index.hpp"
#include "tests/shm/private_segment.hpp"

namespace rollcall::shm {
namespace {

// Few slots and four chains, so that a reader is nearly always on ground that moves: some nodes stay for ever, the others come and go
// under ever other names, each slot now in this chain, now in that.
class Traffic {
public:
    static constexpr std::uint32_t capacity = 32, chains = 4, constant = 8;
    static constexpr std::uint64_t wanted = 100'000;

    Traffic() : segment_(test::private_segment(capacity)) {
        for (std::uint32_t i = 0; i < 400; ++i) names_[i % chains].push_back(name_in(i % chains));
        for (std::uint32_t i = 0; i < constant; ++i) test::put_peer(roster(), Slot{i}, names_[i % chains][i / chains], 1'000 + i);
        roster().header().high_water.store(capacity, std::memory_order_release);  // [extent]
    }

    // Until every reader has asked often enough.
    void run() {
        std::vector<std::jthread> readers;
        for (std::uint32_t i = 0; i < answers_.size(); ++i) readers.emplace_back([this, i] { ask(answers_[i], i); });
        std::mt19937_64 random(1);
        while (done_.load(std::memory_order_relaxed) < answers_.size()) come_and_go(random);  // relaxed: joining publishes the answers
    }

    struct Answers {
        std::uint64_t found = 0, wrong = 0, absent = 0, busy = 0;
    };
    const std::array<Answers, 2>& answers() const { return answers_; }

private:
    Roster& roster() { return segment_.writable(); }

    std::string name_in(std::uint32_t chain) {
        for (;;) {
            std::string node = "node-" + std::to_string(serial_++);
            if (bucket_of(hash_of(Name::of(node)), roster().geometry().bucket_count) == chain * 3) return node;
        }
    }
    void come_and_go(std::mt19937_64& random) {
        const Slot slot{static_cast<std::uint32_t>(constant + random() % (capacity - constant))};
        if (busy_[slot.value]) test::remove_peer(roster(), slot);
        else test::put_peer(roster(), slot, names_[random() % chains][2 + slot.value], slot.value);
        busy_[slot.value] = !busy_[slot.value];
    }
    void ask(Answers& answers, std::uint32_t first) {
        for (std::uint64_t i = first; answers.found < wanted && answers.absent == 0 && answers.wrong == 0; ++i) {
            const auto which = static_cast<std::uint32_t>(i % constant);
            FoundRecord found;
            switch (find(segment_.roster(), Name::of(names_[which % chains][which / chains]), found)) {
                case Lookup::found: ++(found.slot == Slot{which} && found.record.hot.incarnation.value == 1'000 + which ? answers.found : answers.wrong); break;
                case Lookup::absent: ++answers.absent; break;
                case Lookup::busy: ++answers.busy; break;
            }
        }
        done_.fetch_add(1, std::memory_order_relaxed);  // relaxed: as above
    }

    Segment segment_;
    int serial_ = 0;
    std::array<std::vector<std::string>, chains> names_;
    std::array<bool, capacity> busy_{};
    std::array<Answers, 2> answers_{};
    std::atomic<std::size_t> done_{0};
};

TEST(IndexRace, ANodeThatIsLinkedAllTheTimeIsNeverReportedAbsent) {
    Traffic traffic;
    traffic.run();
    for (const Traffic::Answers& answers : traffic.answers()) {
        EXPECT_EQ(answers.absent, 0u);
        EXPECT_EQ(answers.wrong, 0u);
        EXPECT_GE(answers.found, Traffic::wanted);
        RecordProperty("busy", std::to_string(answers.busy));
    }
}

}  // namespace
}  // namespace rollcall::shm
