// How long does an event take to another process?
//
// One side publishes an event as the engine does (entry, checkpoint, selector), the other finds and copies it as an observer does and answers
// by a store to one line, which the first waits for: an observer that spins, one that sleeps on the futex, and one in an event loop, on Observer::fd().
// Beside it the limits: a ping of as many lines (four: three of the entry, the selector), a ping of one line, a bare futex, and a bare eventfd. What is shown is the way there and the answer; half of a one-line round trip is the answer's part.
#include <atomic>

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "bench/bench.hpp"
#include "bench/child.hpp"
#include "engine/client/cursor.hpp"
#include "engine/client/observer.hpp"
#include "shm/checkpoint.hpp"
#include "shm/futex.hpp"
#include "shm/ring.hpp"
#include "shm/segment.hpp"

namespace {

using namespace rollcall;
using bench::stay_on;

constexpr auto acquire = std::memory_order_acquire, release = std::memory_order_release;

struct alignas(64) Line {
    std::atomic<std::uint64_t> words[8];
};

// Lines between the two, and where the answer lies.
struct Pages {
    Line there[8];
    alignas(4096) Line answer;
};

class Shared {
public:
    Shared() : pages_(static_cast<Pages*>(::mmap(nullptr, sizeof(Pages), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0))) {
        if (pages_ == MAP_FAILED) bench::give_up("no memory");
    }
    ~Shared() { ::munmap(pages_, sizeof(Pages)); }
    Shared(const Shared&) = delete;
    Shared& operator=(const Shared&) = delete;
    Pages* operator->() const noexcept { return pages_; }

private:
    Pages* pages_;
};

// Says `say(n)` and waits for the answer n, for every iteration.
template <class Say>
void ask(benchmark::State& state, const Shared& shared, Say say) {
    stay_on(0);
    std::uint64_t n = 0;
    bench::Spread spread;
    for (auto _ : state) {
        const std::int64_t before = bench::now_ns();
        say(++n);
        while (shared->answer.words[0].load(acquire) != n) {}
        const std::int64_t took = bench::now_ns() - before;
        spread.add(took);
        state.SetIterationTime(static_cast<double>(took) * 1e-9);
    }
    spread.report(state);
}

// Every line carries n in all its words; the last one is the one that is waited for.
void ping(benchmark::State& state, std::size_t lines) {
    const Shared shared;
    const bench::Child other([&] {
        stay_on(1);
        for (std::uint64_t n = 1;; ++n) {
            while (shared->there[lines - 1].words[0].load(acquire) != n) {}
            std::uint64_t sum = 0;
            for (std::size_t i = 0; i + 1 < lines; ++i)
                for (const auto& word : shared->there[i].words) sum += word.load(acquire);
            benchmark::DoNotOptimize(sum);
            shared->answer.words[0].store(n, release);
        }
    });
    ask(state, shared, [&](std::uint64_t n) {
        for (std::size_t i = 0; i + 1 < lines; ++i)
            for (auto& word : shared->there[i].words) word.store(n, release);
        shared->there[lines - 1].words[0].store(n, release);
    });
}
void PingOfOneLine(benchmark::State& state) { ping(state, 1); }
void PingOfFourLines(benchmark::State& state) { ping(state, 4); }

// The engine's part of one event, and nothing else of the engine.
class Publisher {
public:
    Publisher() {
        shm::SegmentOptions options;
        options.cluster = "bench";
        options.capacity = 4096;
        options.ring_entries = shm::default_ring;
        options.base_ns = 0;
        options.stream = options.instance = 1;
        auto made = shm::Segment::create(shm::Paths::of(make_folder(), "bench"), options, shm::HostIdentity::current());
        if (!made) bench::give_up(made.error().message);
        segment_.emplace(std::move(*made));
        shm::load_checkpoint(segment_->roster().header(), values_);
        event_.kind = EventKind::suspect;
        event_.slot = Slot{1};
        event_.name = shm::Name::of("node-1");
        for (std::uint32_t i = 0; i < 2 * shm::default_ring; ++i) publish();  // a ring that was written before, as after an engine's first minutes
    }
    void publish() {
        event_.sequence = values_.head + 1;
        shm::Roster& roster = segment_->writable();
        shm::store_entry(roster.entry(event_.sequence), event_);
        roster.header().prepared.store(event_.sequence.value, release);
        values_.head = event_.sequence;
        shm::publish(roster.header(), values_);
        shm::prefetch(roster.entry(values_.head + 1));
    }
    void wake() noexcept { shm::futex_wake_all(segment_->roster().header().selector); }
    const shm::Roster& roster() const noexcept { return segment_->roster(); }
    Sequence last() const noexcept { return values_.head; }
    const std::string& dir() const noexcept { return folder_.path(); }

private:
    std::string make_folder() const {
        std::filesystem::create_directories(folder_.path() + "/bench");
        return folder_.path();
    }
    bench::Folder folder_;
    std::optional<shm::Segment> segment_;
    shm::CheckpointValues values_;
    shm::StoredEvent event_;
};

template <class Wait>
[[noreturn]] void observe(const Shared& shared, const shm::Roster& roster, Sequence last, Wait wait) {
    stay_on(1);
    Cursor cursor(last);  // the next event may be published before this process runs
    shm::StoredEvent event;
    for (std::uint64_t i = 0; i < shm::default_ring; ++i) benchmark::DoNotOptimize(shm::load_entry(roster.entry(Sequence{i}), Sequence{i}, event));  // its pages are there
    for (std::uint64_t n = 0;;) {
        const std::uint64_t seen = roster.header().selector.load(acquire);
        if (cursor.next(roster, event) != Cursor::Outcome::event) {
            wait(seen);
            continue;
        }
        benchmark::DoNotOptimize(event);
        shared->answer.words[0].store(++n, release);
    }
}

void EventToASpinningObserver(benchmark::State& state) {
    const Shared shared;
    Publisher publisher;
    const bench::Child other([&] { observe(shared, publisher.roster(), publisher.last(), [](std::uint64_t) {}); });
    ask(state, shared, [&](std::uint64_t) { publisher.publish(); });
}

void EventToASleepingObserver(benchmark::State& state) {
    const Shared shared;
    Publisher publisher;
    const bench::Child other([&] { observe(shared, publisher.roster(), publisher.last(), [&](std::uint64_t seen) { shm::futex_wait(publisher.roster().header().selector, static_cast<std::uint32_t>(seen), std::chrono::seconds(1)); }); });
    ask(state, shared, [&](std::uint64_t) {
        publisher.publish();
        publisher.wake();
    });
}

void BareFutex(benchmark::State& state) {
    const Shared shared;
    const bench::Child other([&] {
        stay_on(1);
        auto& word = shared->there[0].words[0];
        for (std::uint64_t n = 1;; ++n) {
            for (std::uint64_t seen = word.load(acquire); seen != n; seen = word.load(acquire)) shm::futex_wait(word, static_cast<std::uint32_t>(seen), std::chrono::seconds(1));
            shared->answer.words[0].store(n, release);
        }
    });
    ask(state, shared, [&](std::uint64_t n) {
        shared->there[0].words[0].store(n, release);
        shm::futex_wake_all(shared->there[0].words[0]);
    });
}

// As it is used in an event loop.
void EventToAnObserverOfItsDescriptor(benchmark::State& state) {
    const Shared shared;
    Publisher publisher;
    const bench::Child other([&] {
        stay_on(1);
        auto observer = Observer::attach({.cluster = "bench", .dir = publisher.dir(), .after = publisher.last().value});
        if (!observer) bench::give_up(observer.error().message);
        pollfd readable{observer->fd(), POLLIN, 0};
        for (std::uint64_t n = 0;;) {
            ::poll(&readable, 1, 1000);
            while (const auto event = observer->poll()) {
                benchmark::DoNotOptimize(event);
                shared->answer.words[0].store(++n, release);
            }
        }
    });
    ask(state, shared, [&](std::uint64_t) {
        publisher.publish();
        publisher.wake();
    });
}

void BareEventfd(benchmark::State& state) {
    const Shared shared;
    const int fd = ::eventfd(0, EFD_NONBLOCK);
    const bench::Child other([&] {
        stay_on(1);
        pollfd readable{fd, POLLIN, 0};
        for (std::uint64_t n = 0, count = 0;;) {
            ::poll(&readable, 1, 1000);
            if (::read(fd, &count, sizeof count) == sizeof count) shared->answer.words[0].store(++n, release);
        }
    });
    ask(state, shared, [&](std::uint64_t) {
        const std::uint64_t one = 1;
        (void)!::write(fd, &one, sizeof one);
    });
    ::close(fd);
}

BENCHMARK(PingOfOneLine)->UseManualTime();
BENCHMARK(PingOfFourLines)->UseManualTime();
BENCHMARK(EventToASpinningObserver)->UseManualTime();
BENCHMARK(BareFutex)->UseManualTime();
BENCHMARK(EventToASleepingObserver)->UseManualTime();
BENCHMARK(BareEventfd)->UseManualTime();
BENCHMARK(EventToAnObserverOfItsDescriptor)->UseManualTime();

}  // namespace

BENCHMARK_MAIN();
