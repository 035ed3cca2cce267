// An atomic whose accesses a test interleaves: the layout's records and entries are templates of their atomic, so that the very code
// which readers run can be stopped before any of its loads, while a writer's stores go on one by one. One thread plays both.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstring>
#include <vector>

namespace rollcall::test {

// What a writer stored, in its order.
struct Store {
    void* where;
    std::size_t bytes;
    std::uint64_t value;
};

// The writer is at `stores_done` when the reader makes its load number `load` (0 is the first).
struct Switch {
    std::size_t load, stores_done;
};

class Script {
public:
    // While set, stores are noted.
    static inline std::vector<Store>* recording = nullptr;
    // While set, loads first bring the writer to where the script wants it.
    static inline Script* playing = nullptr;

    Script(const std::vector<Store>& stores, const std::vector<Switch>& switches) : stores_(stores), switches_(switches) {}

    void before_load() noexcept {
        for (; next_ < switches_.size() && switches_[next_].load <= loads_; ++next_) run_writer_to(switches_[next_].stores_done);
        ++loads_;
    }
    void run_writer_to(std::size_t wanted) noexcept {
        for (; done_ < wanted; ++done_) std::memcpy(stores_[done_].where, &stores_[done_].value, stores_[done_].bytes);
    }
    std::size_t loads() const noexcept { return loads_; }

private:
    const std::vector<Store>& stores_;
    const std::vector<Switch>& switches_;
    std::size_t next_ = 0, done_ = 0, loads_ = 0;
};

template <class T>
class ScriptedAtomic {
public:
    T load(std::memory_order) const noexcept {
        if (Script::playing != nullptr) Script::playing->before_load();
        return value_;
    }
    void store(T value, std::memory_order) noexcept {
        if (Script::recording != nullptr) Script::recording->push_back({&value_, sizeof(T), value});
        value_ = value;
    }

private:
    T value_{};
};

// Every ascending triple of numbers below `limit`.
template <class Visit>
void for_each_ascending_triple(std::size_t limit, Visit visit) {
    for (std::size_t a = 0; a < limit; ++a)
        for (std::size_t b = a; b < limit; ++b)
            for (std::size_t c = b; c < limit; ++c) visit(a, b, c);
}

// Every way in which a writer of `store_count` stores advances at up to three moments of a reader of `load_count` loads.
template <class Visit>
void for_each_schedule(std::size_t load_count, std::size_t store_count, Visit visit) {
    std::vector<Switch> switches(3);
    for_each_ascending_triple(load_count, [&](std::size_t x, std::size_t y, std::size_t z) {
        for_each_ascending_triple(store_count + 1, [&](std::size_t a, std::size_t b, std::size_t c) {
            switches[0] = {x, a};
            switches[1] = {y, b};
            switches[2] = {z, c};
            visit(switches);
        });
    });
}

}  // namespace rollcall::test
