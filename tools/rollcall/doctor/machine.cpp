#include "tools/rollcall/doctor/machine.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <limits>

#include "shm/layout.hpp"
#include "tools/rollcall/duration.hpp"

namespace rollcall::cli::doctor {

Finding kernel(const std::string& release) {
    unsigned major = 0, minor = 0;
    if (std::sscanf(release.c_str(), "%u.%u", &major, &minor) != 2)
        return note("kernel", "'" + release + "'", "Not a release that reads as MAJOR.MINOR. Linux 5.4 is the least: what is older cannot watch processes.");
    const std::string found = "Linux " + release;
    const auto at_least = [&](unsigned a, unsigned b) { return major > a || (major == a && minor >= b); };
    if (at_least(5, 4)) return ok("kernel", found + " (5.4 is the least)");
    return bad("kernel", found + " (5.4 is the least)",
               at_least(5, 3) ? "The ends of processes are seen, but a pidfd cannot be waited for. Use a newer kernel."
                              : "It has no pidfd_open (5.3): the end of a process is not seen, and its death is known by silence alone. Use a newer kernel.");
}

Finding watching(int error) {
    if (error == 0) return ok("watching processes", "pidfd_open works");
    const std::string found = std::string("pidfd_open: ") + std::strerror(error);
    if (error == EMFILE || error == ENFILE) return bad("watching processes", found, "No descriptor is left for it. Raise the limit of open files (ulimit -n).");
    return bad("watching processes", found,
               "Deaths will be known by silence alone, and 'rollcall join -- COMMAND' will not start. In a container: its seccomp profile must allow pidfd_open; else a newer kernel is needed.");
}

Finding proc(bool is_mounted) {
    if (is_mounted) return ok("/proc", "is there");
    return bad("/proc", "is not mounted", "Nothing works without it: memory is mapped through /proc/self/fd. Mount it (mount -t proc proc /proc); a chroot needs its own.");
}

Finding clock(const ClockSeen& seen) {
    constexpr Duration dear = std::chrono::nanoseconds(200);
    const std::string source = seen.source.empty() ? "unknown" : seen.source;
    if (!seen.cost) return note("clock", "source " + source + ", CLOCK_MONOTONIC cannot be read", "Nothing can be judged without it.");
    const std::string found = "source " + source + ", " + std::to_string(seen.cost->count()) + " ns a reading";
    if (*seen.cost < dear && seen.source != "hpet" && seen.source != "acpi_pm") return ok("clock", found);
    return note("clock", found,
                "Every beat reads the clock: it costs this much. It is read by a system call, or from a slow device. Look whether the kernel gave up its better one "
                "(dmesg | grep -i clocksource), and choose tsc, kvm-clock or the like in /sys/devices/system/clocksource/clocksource0/current_clocksource.");
}

Finding descriptors(const LimitSeen& seen, std::uint32_t capacity) {
    constexpr std::uint64_t own = 64;  // what an engine opens for itself: files, sockets of transports, epoll
    const std::string what = seen.of_engine ? "open files of the engine" : "open files";
    const std::uint64_t wanted = 2 * std::uint64_t{capacity} + own;  // a pidfd and a connection a process
    if (seen.most == no_limit) return ok(what, "no limit");
    const std::string found = "at most " + std::to_string(seen.most) + ", a capacity of " + std::to_string(capacity) + " may want " + std::to_string(wanted);
    if (seen.most >= wanted) return ok(what, found);
    const std::string raise = seen.of_engine ? "Raise its limit: LimitNOFILE= of systemd, --ulimit nofile= of a container; a program with an engine in it raises its soft one itself."
                                             : "Raise the hard limit where the engine is started: LimitNOFILE= of systemd, --ulimit nofile= of a container.";
    if (seen.most < own) return bad(what, found, "An engine hardly starts with so few. " + raise);
    return note(what, found, "Enough for about " + std::to_string((seen.most - own) / 2) + " processes: those beyond are watched by silence alone, and connections wait. " + raise);
}

Finding file_size(const LimitSeen& seen, std::uint64_t wanted, bool exists) {
    const std::string what = seen.of_engine ? "file size of the engine" : "file size";
    if (seen.most == no_limit) return ok(what, "no limit");
    const std::string found = "at most " + in_bytes(seen.most) + ", the memory is a file of " + in_bytes(wanted);
    if (seen.most >= wanted) return ok(what, found);
    const std::string raise = "Raise the limit where the engine is started: ulimit -f, LimitFSIZE= of systemd.";
    if (exists) return note(what, found, "An engine goes on with what is there, and cannot make it anew. " + raise);
    return bad(what, found, "No engine starts. " + raise);
}

namespace {

Finding clusters_folder(const FolderSeen& seen) {
    if (seen.write_error == 0 || seen.is_lock_held) return ok("folder", seen.dir);
    if (seen.write_error == EROFS) return bad("folder", seen.dir + " can only be read", "No engine starts there: mount it to be written, or name another folder by --dir or $ROLLCALL_DIR.");
    if (!seen.is_own)
        return note("folder", seen.dir + ", but this user cannot start an engine here (the folder is uid " + std::to_string(seen.owner) + "'s)", "That user can, and root. Or name another folder by --dir or $ROLLCALL_DIR.");
    return bad("folder", seen.dir + ", but files may not be made in the cluster's: " + std::strerror(seen.write_error), "No engine starts there. The folder is this user's: chmod it to 0755.");
}

}  // namespace

Finding folder(const FolderSeen& seen) {
    if (seen.refused) return bad("folder", seen.dir, *seen.refused + ". Nothing in it is believed, and no engine starts there.");
    if (seen.has_cluster) return clusters_folder(seen);
    if (seen.make_error == 0) return seen.exists ? ok("folder", seen.dir) : note("folder", seen.dir + " is not there yet", "The first engine makes it ('rollcall run').");
    const std::string why = std::string(": ") + std::strerror(seen.make_error);
    const std::string advice = "Have it made for this user, or name another folder by --dir or $ROLLCALL_DIR";
    if (seen.exists) return bad("folder", "this user may not make the cluster's folder in " + seen.dir + why, advice + ".");
    return bad("folder", seen.dir + " is not there, and may not be made in " + seen.standing + why, advice + "; it may come from $XDG_RUNTIME_DIR.");
}

namespace {

struct Kind {
    std::int64_t type;
    const char* name;
};
// linux/magic.h; the few that people meet.
constexpr std::array<Kind, 14> kinds{{{0xEF53, "ext4"}, {0x58465342, "xfs"}, {0x9123683E, "btrfs"}, {0x794C7630, "overlay"}, {0x2FC12FC1, "zfs"}, {0xF2F52010, "f2fs"}, {0x6969, "nfs"},
                                      {0xFF534D42, "cifs"}, {0xFE534D42, "smb2"}, {0x65735546, "fuse"}, {0x01021997, "9p"}, {0x0000517B, "smb"}, {0x858458F6, "ramfs"}, {0x6A656A63, "virtiofs"}}};
constexpr std::int64_t tmpfs = 0x01021994;

std::string name_of(std::int64_t type) {
    for (const Kind& kind : kinds)
        if (kind.type == type) return kind.name;
    char text[32];
    std::snprintf(text, sizeof text, "of type 0x%llx", static_cast<unsigned long long>(type));
    return text;
}

}  // namespace

Finding filesystem(const FilesystemSeen& seen) {
    const std::string what = "filesystem of " + seen.at;
    if (seen.error != 0) return bad(what, std::strerror(seen.error), "It cannot be looked at. Choose --dir below /dev/shm or /run.");
    if (seen.type == tmpfs) return ok(what, "tmpfs");
    const std::string elsewhere = " Choose --dir below /dev/shm or /run, or mount a tmpfs there. (A copied cluster can be looked at anywhere.)";
    if (name_of(seen.type) == "ramfs") return bad(what, "ramfs", "It has no bound and cannot say when it is full: engines refuse it." + elsewhere);
    return bad(what, name_of(seen.type), "No tmpfs: a disk's or network's write-back would stall heartbeats, and engines refuse it." + elsewhere);
}

std::string in_bytes(std::uint64_t bytes) {
    constexpr std::uint64_t mega = 1'000'000, kilo = 1'000;
    if (bytes >= mega) return std::to_string((bytes + mega / 2) / mega) + " MB";
    return std::to_string((bytes + kilo - 1) / kilo) + " kB";
}

Needs needs_of(std::uint32_t capacity, std::uint32_t ring, bool exists, std::uint64_t taken, std::uint64_t inodes) {
    const shm::Geometry g = shm::Geometry::of(capacity, ring);
    const auto beyond = [taken](std::uint64_t bytes) { return bytes > taken ? bytes - taken : 0; };
    return {exists, capacity, ring, exists ? 0 : g.records + g.cards, beyond(g.roster_bytes + g.pulse_bytes), exists ? 0 : inodes};
}

namespace {

// Of the two bounds, the filesystem's and the cgroup's, the one that is reached first.
struct Room {
    std::uint64_t bytes;
    std::string found, larger;
};

Room room_in(const FilesystemSeen& seen) {
    const std::uint64_t free = seen.total == 0 ? no_limit : seen.free;
    const std::string of_filesystem = seen.total == 0 ? "no limit but the machine's memory" : in_bytes(seen.free) + " free of " + in_bytes(seen.total);
    if (seen.memory_left < free)
        return {seen.memory_left, of_filesystem + ", but " + in_bytes(seen.memory_left) + " left of the cgroup's memory",
                " Pages of a tmpfs count as memory of whoever writes them first: raise the limit of the container (--memory) or unit (MemoryMax=)."};
    constexpr std::uint64_t container = 64 << 20;
    return {free, of_filesystem,
            seen.total <= container ? " A container's /dev/shm has 64 MB unless told otherwise: --shm-size, or a tmpfs of its own for the folder."
                                    : " Make the tmpfs larger (mount -o remount,size=), or choose a smaller --capacity or --ring."};
}

}  // namespace

Finding space(const FilesystemSeen& seen, const Needs& needs) {
    const std::string what = "space in " + seen.at;
    if (seen.error != 0) return note(what, "unknown", "It cannot be looked at.");
    const std::string more_inodes = "Remove what is not needed, or mount it with a larger nr_inodes.";
    if (seen.inodes < needs.inodes) return bad(what, std::to_string(seen.inodes) + " inodes left, an engine makes " + std::to_string(needs.inodes) + " files and folders", more_inodes);
    const std::string of = needs.exists ? "the cluster" : "a cluster";
    const std::string wanted = of + " of capacity " + std::to_string(needs.capacity) + (needs.exists ? " may take " : " takes ") + in_bytes(needs.to_be_full) + (needs.exists ? " more" : " when full");
    const Room room = room_in(seen);
    const std::string found = room.found + ", " + wanted;
    if (room.bytes < needs.to_start) return bad(what, found, "An engine needs " + in_bytes(needs.to_start) + " to start." + room.larger);
    if (seen.inodes == 0) return note(what, "no inode left", "What is there goes on; if it has to be made anew, it cannot be. " + more_inodes);
    if (room.bytes < needs.to_be_full) return note(what, found, "Enough for now: when it is used up, joins are refused and say so; nobody who is a member is hurt." + room.larger);
    return ok(what, found);
}

}  // namespace rollcall::cli::doctor
