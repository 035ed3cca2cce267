// An atomic with the face of std::atomic that Relacy watches: the functions of shm/ are templates of their atomic, so that the very code
// which runs in production is explored here. A test may make one object weaker than the code asks for: then the exploration has to fail.
#pragma once

// Before Relacy, whose macros rename words of the language; they are taken back below.
#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <source_location>
#include <sstream>
#include <string>
#include <type_traits>

#include <gtest/gtest.h>

// Relacy takes over the global operator new wherever it explores. It misses the sized delete, which is younger: it gets to hear that it
// never explores.
#include <relacy/base.hpp>
#include <relacy/thread_local_ctx.hpp>
#include <relacy/context_base.hpp>
namespace rl {
constexpr bool is_never_ctx() noexcept { return false; }
}  // namespace rl
#define is_ctx is_never_ctx
#include <relacy/relacy.hpp>
#undef is_ctx
#undef $
#undef new
#undef delete
#undef malloc
#undef calloc
#undef realloc
#undef free
#undef assert
#undef errno
#undef sched_yield
#undef memory_order_relaxed
#undef memory_order_consume
#undef memory_order_acquire
#undef memory_order_release
#undef memory_order_acq_rel
#undef memory_order_seq_cst

namespace rollcall::models {

constexpr rl::memory_order to_relacy(std::memory_order order) noexcept {
    switch (order) {
        case std::memory_order_relaxed: return rl::mo_relaxed;
        case std::memory_order_consume: return rl::mo_consume;
        case std::memory_order_acquire: return rl::mo_acquire;
        case std::memory_order_release: return rl::mo_release;
        case std::memory_order_acq_rel: return rl::mo_acq_rel;
        default: return rl::mo_seq_cst;
    }
}

// What a mutant does to one object.
enum class Weakness : std::uint8_t {
    none,
    relaxed_loads,
    relaxed_stores,
    split_swap,  // a compare-and-swap that is a load, a comparison and a store
};

// Relacy's random scheduler may switch threads at each access, so that all go on at the same speed. Here one thread at a time runs ahead,
// by up to some hundreds of accesses, while the others stand still: that is how a reader meets the third commit.
class Pace {
public:
    Pace() {
        if (!rl::ctx().is_random_sched()) return;
        held_ = ahead_ > 0;
        if (held_) --ahead_;
        else if (rl::rand(4) == 0) ahead_ = rl::rand(1u << rl::rand(10));
        if (held_) rl::ctx().disable_preemption();
    }
    ~Pace() {
        if (held_) rl::ctx().enable_preemption();
    }
    static void begin() noexcept { ahead_ = 0; }

private:
    static inline unsigned ahead_ = 0;
    bool held_ = false;
};

template <class T>
class WatchedAtomic {
    using Where = std::source_location;

public:
    WatchedAtomic() : value_(T{}) { Pace::begin(); }

    void weaken(Weakness by) noexcept { weakness_ = by; }

    T load(std::memory_order order, Where at = Where::current()) const {
        const Pace pace;
        return value_.load(weakness_ == Weakness::relaxed_loads ? rl::mo_relaxed : to_relacy(order), note(at));
    }
    void store(T value, std::memory_order order, Where at = Where::current()) {
        const Pace pace;
        value_.store(value, weakness_ == Weakness::relaxed_stores ? rl::mo_relaxed : to_relacy(order), note(at));
    }
    T exchange(T value, std::memory_order order, Where at = Where::current()) {
        const Pace pace;
        return rl::atomic_proxy<T>(value_, note(at)).exchange(value, weakness_ == Weakness::relaxed_stores ? rl::mo_relaxed : to_relacy(order));
    }
    bool compare_exchange_weak(T& expected, T wanted, std::memory_order success, std::memory_order failure, Where at = Where::current()) {
        return compare_exchange<true>(expected, wanted, success, failure, at);
    }
    bool compare_exchange_strong(T& expected, T wanted, std::memory_order success, std::memory_order failure, Where at = Where::current()) {
        return compare_exchange<false>(expected, wanted, success, failure, at);
    }

private:
    static rl::debug_info note(const Where& at) noexcept { return {at.function_name(), at.file_name(), at.line()}; }

    template <bool may_fail_for_no_reason>
    bool compare_exchange(T& expected, T wanted, std::memory_order success, std::memory_order failure, const Where& at) {
        if (weakness_ == Weakness::split_swap) {
            const T seen = load(failure, at);
            const bool same = seen == expected;
            if (same) store(wanted, std::memory_order_release, at);
            expected = seen;
            return same;
        }
        if (weakness_ == Weakness::relaxed_loads) failure = std::memory_order_relaxed;
        // Relacy, older than C++17, knows no failure that is stronger than success: release with acquire becomes acq_rel with acquire.
        if (success == std::memory_order_release && failure == std::memory_order_acquire) success = std::memory_order_acq_rel;
        const Pace pace;
        return value_.compare_exchange(rl::bool_t<may_fail_for_no_reason>(), expected, wanted, to_relacy(success), to_relacy(failure), note(at));
    }

    rl::atomic<T> value_;
    Weakness weakness_ = Weakness::none;
};

// Says so if something is not as it must be; the exploration of this model ends there.
inline void require(bool fact, const char* what, std::source_location at = std::source_location::current()) {
    if (!fact) rl::ctx().fail_test(what, rl::test_result_user_assert_failed, rl::debug_info(at.function_name(), at.file_name(), at.line()));
}

// How an exploration goes through schedules and stale reads.
enum class Search : std::uint8_t {
    random,  // a number of them, the same at each run
    all,     // every one there is
};

struct Exploration {
    rl::test_result_e result;
    rl::iteration_t schedules;
    std::string story;  // of the schedule that failed
};

template <class Model, Search search>
Exploration explore(unsigned schedules) {
    constexpr rl::thread_id_t threads = Model::params::thread_count;
    using Scheduler = std::conditional_t<search == Search::all, rl::full_search_scheduler<threads>, rl::random_scheduler<threads>>;
    std::ostringstream story, progress, state;
    rl::test_params params;
    params.iteration_count = schedules;
    params.search_type = search == Search::all ? rl::sched_full : rl::sched_random;
    params.execution_depth_limit = 20'000;
    params.output_stream = &story;
    params.progress_stream = &progress;
    const rl::test_result_e result = rl::run_test<Model, Scheduler>(params, state, false);
    if (result != rl::test_result_success) {  // once more that schedule alone, now taking notes
        params.initial_state = state.str();
        params.collect_history = true;
        rl::run_test<Model, Scheduler>(params, state, true);
    }
    return {result, params.stop_iteration, story.str()};
}

// The model's claims are true in that many schedules.
template <class Model, Search search = Search::random>
testing::AssertionResult holds(unsigned schedules) {
    const Exploration e = explore<Model, search>(schedules);
    if (e.result == rl::test_result_success) return testing::AssertionSuccess();
    return testing::AssertionFailure() << "in schedule " << e.schedules << ":\n" << e.story.substr(0, 30'000);
}
template <class Model>
testing::AssertionResult holds_in_all_schedules() {
    return holds<Model, Search::all>(0);
}

// A claim of the model is false in one of that many schedules: the mutant is found.
template <class Mutant, Search search = Search::random>
testing::AssertionResult is_caught(unsigned schedules) {
    const Exploration e = explore<Mutant, search>(schedules);
    if (e.result == rl::test_result_user_assert_failed) return testing::AssertionSuccess();
    return testing::AssertionFailure() << rl::test_result_str(e.result) << " after " << e.schedules << " schedules\n" << e.story.substr(0, 30'000);
}
template <class Mutant>
testing::AssertionResult is_caught_in_some_schedule() {
    return is_caught<Mutant, Search::all>(0);
}

}  // namespace rollcall::models
