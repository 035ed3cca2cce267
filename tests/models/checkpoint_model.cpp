// Two checkpoints and the selector that makes one of them count, explored by Relacy: shm/checkpoint.hpp itself.
#include "tests/models/watched_atomic.hpp"

#include "shm/checkpoint.hpp"

namespace rollcall::models {
namespace {

using namespace rollcall::shm;

constexpr unsigned schedules = 50'000;
constexpr std::uint64_t publications = 4;

struct Header {
    WatchedAtomic<std::uint64_t> selector;
    BasicCheckpoint<WatchedAtomic> checkpoints[2];
};

CheckpointValues values_of(std::uint64_t n) {
    CheckpointValues v;
    v.head = Sequence{n};
    v.view = v.list_version = v.host_incarnation = v.greatest_incarnation = n;
    v.settings.evict = std::chrono::seconds(100 + n);
    v.counters.fill(n);
    v.pause_count = 2;
    for (std::size_t i = 0; i < v.pause_count; ++i) v.pauses[i] = {Stamp{n + i}, Stamp{n + i + 1}};
    return v;
}

bool is_whole(const CheckpointValues& v) {
    const CheckpointValues w = values_of(v.head.value);
    return v.view == w.view && v.list_version == w.list_version && v.host_incarnation == w.host_incarnation &&
           v.greatest_incarnation == w.greatest_incarnation && v.settings == w.settings && v.counters == w.counters &&
           v.pause_count == w.pause_count && v.pauses[0] == w.pauses[0] && v.pauses[1] == w.pauses[1];
}

template <class Visit>
void for_each_word(Header& header, Visit visit) {
    for (auto& c : header.checkpoints) {
        for (auto* word : {&c.view, &c.list_version, &c.host_incarnation, &c.greatest_incarnation}) visit(*word);
        for (auto* word : {&c.settings_ns[3], &c.pauses[0][0], &c.pauses[1][1]}) visit(*word);
        for (auto& word : c.counters) visit(word);
    }
}

struct AsWritten {
    static void weaken(Header&) {}
    static void publish(Header& header, const CheckpointValues& values) { shm::publish(header, values); }
    static bool load(const Header& header, CheckpointValues& out) { return load_checkpoint(header, out); }
};
struct RelaxedStores : AsWritten {
    static void weaken(Header& header) {
        for_each_word(header, [](auto& word) { word.weaken(Weakness::relaxed_stores); });
    }
};
struct RelaxedLoads : AsWritten {
    static void weaken(Header& header) {
        for_each_word(header, [](auto& word) { word.weaken(Weakness::relaxed_loads); });
    }
};
struct RelaxedSelector : AsWritten {
    static void weaken(Header& header) { header.selector.weaken(Weakness::relaxed_stores); }
};
// The selector is stored, and what it selects is filled afterwards.
struct SelectorFirst : AsWritten {
    static void publish(Header& header, const CheckpointValues& values) {
        const std::uint64_t selector = header.selector.load(std::memory_order_relaxed);
        header.selector.store(values.head.value << 16 | ((selector + 1) & 0xFFFF), std::memory_order_release);
        auto& to = header.checkpoints[(selector + 1) & 1];
        to.head.store(values.head.value, std::memory_order_release);
        to.view.store(values.view, std::memory_order_release);
        for (auto& word : to.counters) word.store(values.counters[0], std::memory_order_release);
    }
};
// Only one checkpoint: the one that counts is overwritten.
struct OneCheckpoint : AsWritten {
    static void publish(Header& header, const CheckpointValues& values) {
        header.selector.store((header.selector.load(std::memory_order_relaxed) & ~std::uint64_t{1}) - 1, std::memory_order_release);
        shm::publish(header, values);
    }
};
struct SelectorNotLookedAtAgain : AsWritten {
    static bool load(const Header& header, CheckpointValues& out) {
        copy_checkpoint(header.checkpoints[header.selector.load(std::memory_order_acquire) & 1], out);
        return true;
    }
};

template <class Code>
struct Publishing : rl::test_suite<Publishing<Code>, 2> {
    Header header;

    void before() {
        Code::publish(header, values_of(1));
        Code::weaken(header);
    }
    void thread(unsigned who) {
        if (who == 0) {
            for (std::uint64_t n = 2; n <= publications; ++n) Code::publish(header, values_of(n));
            return;
        }
        const Sequence head = load_head(header);
        CheckpointValues read;
        require(Code::load(header, read), "the checkpoint reads");
        require(is_whole(read), "what is read was published at one moment");
        require(read.head >= head, "no reader goes back");
    }
};

TEST(CheckpointModel, AReaderAcceptsOnePublication) { EXPECT_TRUE(holds<Publishing<AsWritten>>(schedules)); }

TEST(CheckpointModel, ItsMutantsAreCaught) {
    EXPECT_TRUE(is_caught<Publishing<RelaxedStores>>(schedules));
    EXPECT_TRUE(is_caught<Publishing<RelaxedLoads>>(schedules));
    EXPECT_TRUE(is_caught<Publishing<RelaxedSelector>>(schedules));
    EXPECT_TRUE(is_caught<Publishing<SelectorFirst>>(schedules));
    EXPECT_TRUE(is_caught<Publishing<OneCheckpoint>>(schedules));
    EXPECT_TRUE(is_caught<Publishing<SelectorNotLookedAtAgain>>(schedules));
}

}  // namespace
}  // namespace rollcall::models
