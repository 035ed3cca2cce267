// The heartbeat word, explored by Relacy: shm/word.hpp itself.
#include "tests/models/watched_atomic.hpp"

#include "shm/record.hpp"
#include "shm/word.hpp"

namespace rollcall::models {
namespace {

using namespace rollcall::shm;

constexpr Generation first{1}, second{2};
constexpr unsigned schedules = 100'000;

struct AsWritten {
    static constexpr Weakness word = Weakness::none;
    static WordBeat beat(WatchedAtomic<std::int64_t>& word, Stamp now, Generation mine) { return shm::beat(word, now, mine); }
};
struct SplitSwap : AsWritten {
    static constexpr Weakness word = Weakness::split_swap;
};
struct RelaxedLoads : AsWritten {
    static constexpr Weakness word = Weakness::relaxed_loads;
};
// `beat` without its look at the generation.
struct AnyGeneration : AsWritten {
    static WordBeat beat(WatchedAtomic<std::int64_t>& word, Stamp now, Generation mine) {
        const std::int64_t wanted = make_word(now, mine);
        std::int64_t seen = word.load(std::memory_order_relaxed);
        while (seen < wanted)
            if (word.compare_exchange_weak(seen, wanted, std::memory_order_release, std::memory_order_relaxed)) return WordBeat::moved;
        return WordBeat::fresh;
    }
};

// A word of the first generation at stamp 10; a model says who does what with it.
template <class Model, class Code, rl::thread_id_t threads>
struct OneWord : rl::test_suite<Model, threads> {
    WatchedAtomic<std::int64_t> word;

    void before() {
        word.store(make_word(Stamp{10}, first), std::memory_order_relaxed);
        word.weaken(Code::word);
    }
    std::int64_t at_the_end() const { return word.load(std::memory_order_relaxed); }
};

// The engine evicts who was silent; its owner beats at that moment. Either the beat came first, and it lives, or it learns that it does not.
template <class Code>
struct BeatAgainstSilence : OneWord<BeatAgainstSilence<Code>, Code, 2> {
    bool freed = false;
    std::int64_t judged = 0;
    std::array<WordBeat, 2> beats{};

    void thread(unsigned who) {
        if (who == 0) {
            judged = this->word.load(std::memory_order_acquire);
            freed = free_if_still(this->word, judged);
            return;
        }
        beats[0] = Code::beat(this->word, Stamp{20}, first);
        beats[1] = Code::beat(this->word, Stamp{30}, first);
    }
    void after() {
        const Stamp last{beats[1] == WordBeat::moved ? 30u : beats[0] == WordBeat::moved ? 20u : 10u};
        require(freed || beats[1] == WordBeat::moved, "who was not evicted could beat");
        require(!freed || stamp_of(judged) == last, "no beat counted after the one that was judged");
        require(this->at_the_end() == (freed ? free_word : make_word(last, first)), "the word says what happened");
    }
};

TEST(WordModel, ABeatAgainstAnEvictionLivesOrLearnsOfIt) {
    EXPECT_TRUE(holds<BeatAgainstSilence<AsWritten>>(schedules));
    EXPECT_TRUE(is_caught<BeatAgainstSilence<SplitSwap>>(schedules));
}

// Its process exited while a last beat is under way: that beat brings nothing back.
template <class Code>
struct BeatAgainstProof : OneWord<BeatAgainstProof<Code>, Code, 2> {
    void thread(unsigned who) {
        if (who == 0) free_by_proof(this->word);
        else (void)Code::beat(this->word, Stamp{20}, first);
    }
    void after() { require(this->at_the_end() == free_word, "what was proved stays"); }
};

TEST(WordModel, ABeatBringsNobodyBackWhoseDeathIsProved) {
    EXPECT_TRUE(holds_in_all_schedules<BeatAgainstProof<AsWritten>>());
    EXPECT_TRUE(is_caught_in_some_schedule<BeatAgainstProof<SplitSwap>>());
}

// The slot is freed and given to the next generation, whose owner hears of it by a message and beats; the old owner, stopped at any
// point of a beat, goes on.
template <class Code>
struct Reuse : OneWord<Reuse<Code>, Code, 3> {
    WatchedAtomic<std::uint32_t> reply;  // the control socket
    WordBeat beat = WordBeat::moved;

    void thread(unsigned who) {
        if (who == 0) {
            free_by_proof(this->word);
            activate(this->word, Stamp{15}, second);
            reply.store(1, std::memory_order_release);
        } else if (who == 1) {
            (void)Code::beat(this->word, Stamp{20}, first);
            (void)Code::beat(this->word, Stamp{40}, first);
        } else if (reply.load(std::memory_order_acquire) != 0) {
            beat = Code::beat(this->word, Stamp{30}, second);
        }
    }
    void after() {
        const std::int64_t last = this->at_the_end();
        require(generation_of(last) == second, "the slot belongs to the new owner");
        require(beat == WordBeat::moved, "the new owner's beat counts");
        require(stamp_of(last) == Stamp{15} || stamp_of(last) == Stamp{30}, "nobody else moved its stamp");
    }
};

TEST(WordModel, AnOldOwnerCannotTouchTheNewGeneration) {
    EXPECT_TRUE(holds<Reuse<AsWritten>>(schedules));
    EXPECT_TRUE(is_caught<Reuse<AnyGeneration>>(schedules));
    EXPECT_TRUE(is_caught<Reuse<SplitSwap>>(schedules));
}

// A wrapper and the engine beat for the same life with clocks that they read at different times; a detector looks on.
template <class Code>
struct TwoBeat : OneWord<TwoBeat<Code>, Code, 3> {
    void thread(unsigned who) {
        if (who == 0) (void)Code::beat(this->word, Stamp{20}, first);
        if (who == 1) (void)Code::beat(this->word, Stamp{30}, first);
        if (who == 2) {
            const std::int64_t one = this->word.load(std::memory_order_acquire), two = this->word.load(std::memory_order_acquire);
            require(one <= two, "a stamp never goes back");
        }
    }
    void after() { require(stamp_of(this->at_the_end()) == Stamp{30}, "the latest beat stays"); }
};

TEST(WordModel, AStampNeverGoesBack) {
    EXPECT_TRUE(holds<TwoBeat<AsWritten>>(schedules));
    EXPECT_TRUE(is_caught<TwoBeat<SplitSwap>>(schedules));
}

// Whoever finds the word free, or another's, looks at the record to tell why (BeatingPage::why_not): the record, which was written first,
// must not still say that this life lives, for that would mean damage.
template <class Code>
struct Why : OneWord<Why<Code>, Code, 2> {
    static constexpr Incarnation mine{100};
    BasicRecord<WatchedAtomic> record;
    bool replaced = false;

    void before() {
        this->OneWord<Why, Code, 2>::before();
        store_hot(record, encode(life(mine, State::alive)));
        replaced = rl::rand(2) != 0;
    }
    static Hot life(Incarnation incarnation, State state) {
        Hot hot;
        hot.incarnation = incarnation;
        hot.state = state;
        return hot;
    }
    void thread(unsigned who) {
        if (who == 0 && replaced) {
            store_hot(record, encode(life(Incarnation{200}, State::alive)));
            activate(this->word, Stamp{15}, second);
        } else if (who == 0) {
            store_hot(record, encode(life(mine, State::dead)));
            free_by_proof(this->word);
        } else if (Code::beat(this->word, Stamp{20}, first) == WordBeat::foreign) {
            RecordView view;
            require(load(record, view), "the record reads");
            require(view.hot.incarnation != mine || view.hot.state == State::dead, "a life that lost its word is over");
        }
    }
};

TEST(WordModel, WhoLostItsWordFindsOutWhy) {
    EXPECT_TRUE(holds<Why<AsWritten>>(schedules));
    EXPECT_TRUE(is_caught<Why<RelaxedLoads>>(schedules));
}

}  // namespace
}  // namespace rollcall::models
