// The index while readers walk: a writer links, unlinks and reuses slots in ever other chains, and whoever stays is never missed.
#include <random>
#include <thread>

#include <gtest/gtest.h>

#include "shm/index.hpp"
#include "tests/shm/interruptions.hpp"
#include "tests/shm/private_segment.hpp"

namespace rollcall::shm {
namespace {

// Few slots and four chains, so that a reader is nearly always on ground that moves. In two of the chains some nodes stay for ever, behind
// all others, who come and go under ever other names, each slot now in this chain, now in that; the other two are often empty. Everything is
// prepared: a step of the writer allocates nothing, and stops anywhere between two calls.
class Traffic {
public:
    static constexpr std::uint32_t capacity = 12, chains = 4, constant = 4;

    Traffic() : segment_(test::private_segment(capacity)) {
        for (std::uint32_t i = 0; i < constant; ++i) names_.push_back(name_in(i % 2));
        for (std::uint32_t i = constant; i < capacity * chains; ++i) names_.push_back(name_in(i % chains));
        for (std::uint32_t i = 0; i < constant; ++i) test::put_peer(roster(), Slot{i}, std::string(names_[i].view()), 1'000 + i);
        roster().header().high_water.store(capacity, std::memory_order_release);  // [extent]
    }

    // One step of somebody's coming or going.
    void step() noexcept {
        switch (next_) {
            case Step::choose:
                slot_ = Slot{static_cast<std::uint32_t>(constant + random_() % (capacity - constant))};
                record_ = own_hot(roster().record(slot_));
                joins_ = record_.state == State::none;
                record_.state = joins_ ? State::alive : State::none;
                name_ = names_[slot_.value * chains + random_() % chains];
                next_ = joins_ ? Step::name : Step::record;
                break;
            case Step::name:
                store_name(roster().record(slot_), hash_of(name_), name_);
                next_ = Step::record;
                break;
            case Step::record:
                store_hot(roster().record(slot_), encode(record_));
                next_ = Step::chain;
                break;
            case Step::chain:
                joins_ ? link(roster(), slot_) : unlink(roster(), slot_);
                next_ = Step::choose;
                break;
        }
    }

    struct Answers {
        std::uint64_t found = 0, wrong = 0, absent = 0, busy = 0;
    };
    // Asks for those who stay, until somebody is missed or `enough` says so.
    template <class Enough>
    Answers ask(Enough enough) const {
        Answers answers;
        for (std::uint32_t which = 0; answers.absent == 0 && answers.wrong == 0 && !enough(answers); which = (which + 1) % constant) {
            FoundRecord found;
            switch (find(segment_.roster(), names_[which], found)) {
                case Lookup::found: ++(found.slot == Slot{which} && found.record.hot.incarnation.value == 1'000 + which ? answers.found : answers.wrong); break;
                case Lookup::absent: ++answers.absent; break;
                case Lookup::busy: ++answers.busy; break;
            }
        }
        return answers;
    }

private:
    Roster& roster() noexcept { return segment_.writable(); }

    Name name_in(std::uint32_t chain) {
        for (;;) {
            const Name name = Name::of("node-" + std::to_string(serial_++));
            if (bucket_of(hash_of(name), roster().geometry().bucket_count) == chain * 3) return name;
        }
    }

    Segment segment_;
    std::vector<Name> names_;
    int serial_ = 0;
    std::minstd_rand random_{1};
    enum class Step : std::uint8_t { choose, name, record, chain } next_ = Step::choose;
    bool joins_ = false;
    Slot slot_;
    Hot record_;
    Name name_;
};

void expect_nobody_missed(const Traffic::Answers& answers) {
    EXPECT_EQ(answers.absent, 0u) << "after " << answers.found << " finds";
    EXPECT_EQ(answers.wrong, 0u);
    EXPECT_GT(answers.found, 1'000u);
    testing::Test::RecordProperty("busy", std::to_string(answers.busy));
}

// The reader is interrupted between any two of its instructions, by any number of the writer's steps.
TEST(IndexRace, WhoIsLinkedAllTheTimeIsFoundWhereverTheReaderIsInterrupted) {
    Traffic traffic;
    std::minstd_rand steps(2);
    const test::Interruptions writer([&] {
        for (auto n = steps() % 400; n > 0; --n) traffic.step();
    });
    expect_nobody_missed(traffic.ask([&](const Traffic::Answers&) { return writer.count() >= 5'000; }));
}

// The same with real threads. The writer goes on until both readers have asked often enough.
TEST(IndexRace, WhoIsLinkedAllTheTimeIsFoundByOtherThreads) {
    Traffic traffic;
    std::array<Traffic::Answers, 2> answers;
    std::atomic<std::size_t> done{0};
    {
        std::vector<std::jthread> readers;
        for (Traffic::Answers& mine : answers)
            readers.emplace_back([&] {
                mine = traffic.ask([](const Traffic::Answers& so_far) { return so_far.found >= 100'000; });
                done.fetch_add(1, std::memory_order_relaxed);  // relaxed: joining the thread publishes its answers
            });
        while (done.load(std::memory_order_relaxed) < answers.size()) traffic.step();
    }
    for (const Traffic::Answers& mine : answers) expect_nobody_missed(mine);
}

}  // namespace
}  // namespace rollcall::shm
