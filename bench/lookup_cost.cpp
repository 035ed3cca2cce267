// What does it cost to find a peer, or to copy all of them?
//
// Random lookups by node id among many, one after the other (whom to ask for next depends on the answer, as where somebody waits for it), beside
// a flat hash table with inline keys (open addressing, half full) and a map of strings, each in one process and without anybody writing. A snapshot beside copying the bytes it reads.
#include <cstring>
#include <random>
#include <string>
#include <unordered_map>
#include <vector>

#include "bench/population.hpp"
#include "shm/index.hpp"
#include "shm/snapshot.hpp"

namespace {

using namespace rollcall;
using bench::Population;

// Names in the order of the questions, so that the order of asking is in no relation to the order of slots.
std::vector<shm::Name> shuffled_names(std::uint32_t count) {
    std::vector<shm::Name> names;
    for (std::uint32_t i = 0; i < count; ++i) names.push_back(shm::Name::of("node-" + std::to_string(i)));
    std::shuffle(names.begin(), names.end(), std::mt19937_64(1));
    return names;
}

// The next question: known only once the answer is there, whose top bit is never set.
std::size_t after(std::size_t i, std::uint64_t answer, std::size_t count) {
    const std::size_t next = i + 1 + (answer >> 63);
    return next == count ? 0 : next;
}

void Find(benchmark::State& state) {
    Population p(static_cast<std::uint32_t>(state.range(0)));
    const auto names = shuffled_names(p.peers());
    const shm::Roster& roster = p.core().roster();
    std::size_t i = 0, missed = 0;
    for (auto _ : state) {
        shm::FoundRecord found;
        missed += shm::find(roster, names[i], found) != shm::Lookup::found;
        benchmark::DoNotOptimize(found);
        i = after(i, found.record.hot.incarnation.value, names.size());
    }
    if (missed != 0) state.SkipWithError("a peer was not found");
}

// Open addressing with linear probing; a key is the same 64 bytes, the value the 56 bytes of a hot record's copy.
class FlatTable {
public:
    struct Entry {
        shm::Name name;
        shm::HotWords value;
        std::uint64_t used;
    };
    explicit FlatTable(std::size_t count) : mask_(std::bit_ceil(count * 2) - 1), entries_(bench::allocate<Entry>(mask_ + 1)) {}
    Entry& operator[](const shm::Name& name) {
        std::size_t at = shm::hash_of(name) * 0x9E37'79B9'7F4A'7C15ull >> 20 & mask_;
        while (entries_[at].used != 0 && !(entries_[at].name == name)) at = (at + 1) & mask_;
        return entries_[at];
    }

private:
    std::size_t mask_;
    bench::Memory<Entry> entries_;
};

void FindInAFlatTable(benchmark::State& state) {
    const auto names = shuffled_names(static_cast<std::uint32_t>(state.range(0)));
    FlatTable table(names.size());
    for (std::uint32_t i = 0; i < names.size(); ++i) {
        const shm::Name name = shm::Name::of("node-" + std::to_string(i));
        table[name] = {name, {i}, 1};
    }
    std::size_t i = 0;
    for (auto _ : state) {
        const shm::HotWords value = table[names[i]].value;
        benchmark::DoNotOptimize(value);
        i = after(i, value[0], names.size());
    }
}

void FindInAMapOfStrings(benchmark::State& state) {
    std::vector<std::string> names;
    std::unordered_map<std::string, shm::HotWords> map;
    for (std::int64_t i = 0; i < state.range(0); ++i) {
        names.push_back("node-" + std::to_string(i));
        map.emplace(names.back(), shm::HotWords{});
    }
    std::shuffle(names.begin(), names.end(), std::mt19937_64(1));
    std::size_t i = 0;
    for (auto _ : state) {
        const shm::HotWords value = map.find(names[i])->second;
        benchmark::DoNotOptimize(value);
        i = after(i, value[0], names.size());
    }
}

void Snapshot(benchmark::State& state) {
    Population p(static_cast<std::uint32_t>(state.range(0)));
    shm::Image image;
    shm::take_snapshot(p.core().roster(), image);  // into memory that is there, like the copy below
    for (auto _ : state)
        if (shm::take_snapshot(p.core().roster(), image) != shm::Snapshot::exact) state.SkipWithError("no snapshot");
}

// Records and blobs, as they lie.
void CopyTheBytes(benchmark::State& state) {
    Population p(static_cast<std::uint32_t>(state.range(0)));
    const shm::Roster& roster = p.core().roster();
    const std::size_t records = sizeof(shm::Record) * p.peers(), blobs = std::size_t{roster.header().blob_extents_used.load()} * shm::blob_extent_bytes;
    const auto to = bench::allocate<char>(records + blobs);
    for (auto _ : state) {
        std::memcpy(to.get(), static_cast<const void*>(&roster.record(Slot{0})), records);
        std::memcpy(to.get() + records, static_cast<const void*>(roster.blob(0)), blobs);
        benchmark::ClobberMemory();
    }
    state.counters["bytes_a_peer"] = static_cast<double>(records + blobs) / p.peers();
}

#define SIZES ->Arg(1'000)->Arg(1'000'000)
BENCHMARK(Find) SIZES;
BENCHMARK(FindInAFlatTable) SIZES;
BENCHMARK(FindInAMapOfStrings) SIZES;
BENCHMARK(Snapshot) SIZES->Unit(benchmark::kMillisecond);
BENCHMARK(CopyTheBytes) SIZES->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
