#include "tools/rollcall/doctor/cluster.hpp"

#include <algorithm>

#include "tools/rollcall/duration.hpp"

namespace rollcall::cli::doctor {

Finding memory(const MemorySeen& seen) {
    const std::string what = "memory";
    const std::string replaced = " An engine that starts here replaces it, and members that live join again.";
    if (seen.error) {
        const std::string& found = seen.error->message;
        switch (seen.error->kind) {
            case ErrorKind::no_cluster: return note(what, found, "Nothing is wrong with that if none was started yet; 'rollcall list' names those that can be found.");
            case ErrorKind::damaged: return bad(what, found, "Nobody can read it." + replaced);
            case ErrorKind::incompatible: return bad(what, found, "Another build of rollcall made it." + replaced);
            case ErrorKind::refused: return bad(what, found, "It is not believed, or not ours to read. Look at owner and mode (ls -la), or ask as another user.");
            default: return bad(what, found, "It could not be looked at.");
        }
    }
    if (!seen.is_settled) return note(what, "readable, but would not hold still long enough to be judged", "Ask again when less happens.");
    if (seen.broken == 0) return ok(what, "every invariant holds");
    return bad(what, std::to_string(seen.broken) + " invariants are broken, the first: " + (seen.first_broken.empty() ? "?" : seen.first_broken.front()),
               "'rollcall dump --verify' names them all. Somebody wrote what is not his, or the memory is failing." + replaced);
}

std::vector<Finding> namespaces(const shm::HostIdentity& ours, const shm::HostIdentity& its) {
    if (ours.boot_id != its.boot_id)
        return {note("boot", "the memory is of another boot, or a copy", "It can be looked at and will never change. The next engine makes it anew.")};
    std::vector<Finding> all{ok("boot", "this one")};
    if (ours.time_namespace == its.time_namespace) all.push_back(ok("time namespace", "the memory's is ours"));
    else
        all.push_back(bad("time namespace", "the memory's is another one than ours",
                          "Its clock means nothing here: nobody joins or looks from here. Start this program in the engine's time namespace (containers share the host's unless told otherwise)."));
    if (ours.pid_namespace == its.pid_namespace) all.push_back(ok("pid namespace", "the memory's is ours"));
    else
        all.push_back(note("pid namespace", "the memory's is another one than ours",
                           "Members hand their engine a pidfd, and their ends are seen all the same, at once. What is lost: pids that are shown belong elsewhere, how a process ended is known only "
                           "from a wrapper that outlives it ('rollcall join -- COMMAND'), and after an engine's restart ends are known by silence until members have come back to it."));
    return all;
}

Finding lock(const LockSeen& seen) {
    const std::string what = "lock", found = seen.is_held ? "an engine holds it" : "free";
    if (!seen.error || (seen.is_held && !seen.may_write)) return ok(what, found);
    if (!seen.may_write) return note(what, seen.error->message, "This user cannot start an engine here, as 'folder' says.");
    return bad(what, seen.error->message, seen.is_held ? "The engine that holds it goes on; the next one will not start." : "No engine starts as long as it is so.");
}

Finding joining(const PulseSeen& seen, bool is_here, bool is_reached) {
    const std::string what = "joining", group = "gid " + std::to_string(seen.group);
    if (!is_here) return note(what, "nobody can from here", "The memory is of another boot or time namespace than ours.");
    if (!seen.may_write)
        return note(what, "this user may look, but not join",
                    seen.group_may ? "Heartbeats may be written by the engine's user and " + group + ": become a member of that group, or start the engine with --group."
                                   : "Heartbeats may be written by the engine's user alone: start the engine with --group.");
    if (!is_reached) return note(what, "this user may, but reaches no engine", "'control socket' says why.");
    return ok(what, "this user may");
}

namespace {

// There should be a socket. An engine that starts removes whatever lies there, but no folder.
Finding no_socket(const SocketSeen& seen) {
    const std::string what = "control socket";
    if (seen.there == Lies::folder) return bad(what, "a folder lies in its place", "No engine starts, and none is reached: remove it, and restart the engine if one runs.");
    if (seen.is_lock_held) return bad(what, "what lies in its place is no socket", "Somebody has replaced it: nobody can join, set, evict or stop. Restart the engine, which makes it anew.");
    return note(what, "what lies in its place is no socket", "The next engine replaces it.");
}

}  // namespace

Finding control(const SocketSeen& seen) {
    const std::string what = "control socket";
    if (seen.there == Lies::folder || seen.there == Lies::other) return no_socket(seen);
    if (!seen.error) {
        if (seen.may_operate) return ok(what, "reached; this user may set, evict and stop");
        return ok(what, "reached; set, evict and stop are for the engine's user and root");
    }
    if (seen.error->kind == ErrorKind::refused) return note(what, seen.error->message, "This user cannot join or operate, only look. Become a member of the group of the socket, or start the engine with --group.");
    if (!seen.is_lock_held) return note(what, "nobody listens", "It comes with the engine.");
    return bad(what, seen.error->message, "An engine holds the lock, but cannot be reached: it is stopped, about to start or to end, or somebody removed its socket. Ask again; if it stays so, restart the engine.");
}

namespace {

// Whatever lies in the memory, it can be reckoned with.
Duration believable(Duration setting) { return std::clamp(setting, Duration{}, longest_timeout); }

}  // namespace

Duration late_after(const Settings& settings) { return std::max(10 * believable(settings.scan), Duration(std::chrono::milliseconds(100))); }

Finding engine(const EngineSeen& seen) {
    const std::string what = "engine";
    const std::string name = "'" + seen.node + "' (pid " + std::to_string(seen.pid) + ")";
    if (!seen.is_lock_held) return note(what, "none holds the lock", "Members and readers go on, and nothing is judged. 'rollcall run' goes on with what the last one left.");
    if (!seen.is_ready) return note(what, "one holds the lock, and is not ready", "It is starting or ending. Ask again.");
    if (!seen.is_comparable) return note(what, name + " runs", "When it last looked is not known: its clock is another one.");
    if (seen.state == 'T' || seen.state == 't')
        return bad(what, name + " is stopped; it last looked " + rounded(seen.since_step) + " ago", "Somebody sent it SIGSTOP, or a debugger holds it: kill -CONT " + std::to_string(seen.pid) + ". What it misses counts for nobody's silence.");
    const Duration late = late_after(seen.settings);
    const std::string looked = name + " looked " + rounded(seen.since_step) + " ago, its scan is " + to_text(seen.settings.scan);
    if (seen.since_step <= late) return ok(what, looked);
    if (seen.since_step <= std::max(believable(seen.settings.suspect), Duration(std::chrono::seconds(1)))) return note(what, looked, "It is late: the machine has little time for it. Judgements are as late, and never early.");
    return bad(what, looked, "It does not look any more: frozen (a cgroup's freezer, a suspended container), or without any time. Nothing is judged meanwhile.");
}

Finding versions(const EngineSeen& seen) {
    if (seen.version == seen.ours) return ok("version", seen.ours);
    return note("version", "the engine is of " + seen.version + ", this command of " + seen.ours, "They understand each other, or would have said otherwise. Restart the engine where it is the older one.");
}

}  // namespace rollcall::cli::doctor
