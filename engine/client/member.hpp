// A member: one life of a node in this process, kept alive by beats.
//
//     auto me = rollcall::Member::join({.cluster = "default", .node = "worker-1"});
//     if (!me) return fail(me.error());
//     while (do_work())
//         if (auto beat = me->beat(); !beat.counted() && !me->rejoin()) return 1;
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "engine/client/guard.hpp"
#include "engine/peer.hpp"
#include "shm/error.hpp"
#include "shm/units.hpp"

namespace rollcall {

struct MemberOptions {
    std::string cluster = "default";
    std::string node{};         // 1 to 63 bytes of UTF-8 without controls or white space
    std::string endpoint{};     // up to 255 bytes
    Tags tags{};                // up to 512 bytes in all: keys, values, and two bytes a tag
    std::string dir{};          // empty: $ROLLCALL_DIR, else the folders of this user, of the service and of root
    bool replace = false;     // take the id from a living holder (needs the same uid, or operator)
    Duration wait{};          // go on trying so long while there is no engine or the id is held
    int process = -1;         // pidfd of a child that this member speaks for; -1: this process. Not owned; same uid
};

struct BeatingContent;

// What a beat answers.
struct Beat {
    enum Kind : std::uint8_t {
        counted_,    // the stamp stands
        unobserved,  // it stands, but the engine has not looked for the suspect timeout: go on beating
        superseded,  // the memory was replaced: rejoin()
        evicted,     // the slot is free, dead or somebody else's: rejoin()
        damaged,     // the word is not what it must be: rejoin()
        replaced,    // another life of this node has taken over: end
        not_mine,    // a forked child's copy of its parent's member: join anew
        stalled,     // did not beat: a guard's budget is over (see guard.hpp). Go on; rejoin() waits for it too
    };
    Kind kind = counted_;

    // Alive in the memory: nothing to do.
    constexpr bool counted() const noexcept { return kind <= unobserved; }
};
std::string_view to_string(Beat::Kind kind) noexcept;

// One thread at a time, except beat(), which any thread may call while no other function runs. Movable. Never throws.
class Member {
public:
    using Options = MemberOptions;

    // Asks the engine for a slot and returns once everybody can see `joined`. Fails with no_cluster, no_engine, held (by whom),
    // full, refused, invalid, incompatible, timeout.
    static Result<Member> join(Options options);

    Member(Member&&) noexcept;
    Member& operator=(Member&&) noexcept;
    ~Member();  // leave()

    // A sign of life: one compare-and-swap, no syscall beside the clock, no lock, no allocation; async-signal-safe.
    Beat beat() noexcept;
    // The same at an instant read before: about 6 ns. `now` must come from CLOCK_MONOTONIC.
    Beat beat(Instant now) noexcept;

    // Connects to the engine again where the connection has ended, and is known to it as before (no event): a new engine then watches this
    // process, and hears how it ends. For loops of their own; start_beating() does it. Cheap while nothing happened: a poll(2).
    void keep_known();

    // A thread that beats every interval() and rejoins by itself until leave(), destruction or `replaced`. Safe twice.
    Result<void> start_beating();
    // How often to beat: the heartbeat setting in force.
    Duration interval() const noexcept;

    // From now on this member beats only while the guard's owner makes progress: what follows must end (the guard is destroyed), or
    // Guard::progress() be called, within `budget` (less than a nanosecond is one), or beats answer `stalled`, silence is judged as always, and `rollcall why`
    // shows `name` (up to 39 bytes of UTF-8). As many as wanted; any thread, while others beat. About 0.1 µs, and some nanoseconds a beat from
    // then on. Silence begins at the first beat after the budget: death is known in budget + interval() + the dead timeout.
    Guard guard(Duration budget, std::string_view name = {});

    // Joins again after a beat that was not counted. False only where this member has left, was replaced or is refused: error() says why.
    // Without an engine it is true, and the next beat tries again.
    bool rejoin();
    Error error() const;

    // Says goodbye: `left`. Safe twice. Fails with no_engine if nobody heard it (silence will tell in the end).
    Result<void> leave();
    // Replaces all tags. Fails like join().
    Result<void> set_tags(Tags tags);
    Result<void> set_endpoint(std::string endpoint);

    // How the process this member speaks for ended (Options::process). `goodbye`: it ended as it was meant to, and left.
    Result<void> report_exit(ExitStatus status, bool goodbye);
    // The process has begun to report its own health: from now on an engine that finds this wrapper gone must not beat for it.
    Result<void> announce_watchdog();

    const std::string& node() const noexcept;
    Incarnation incarnation() const noexcept;
    Slot slot() const noexcept;
    Duration suspect_timeout() const noexcept;

private:
    struct Impl;
    explicit Member(std::unique_ptr<Impl> impl) noexcept;
    std::unique_ptr<Impl> impl_;
    BeatingContent* beating_;  // impl_'s, at hand for beat()
};

}  // namespace rollcall
