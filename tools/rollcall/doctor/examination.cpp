#include "tools/rollcall/doctor/examination.hpp"

#include <algorithm>
#include <thread>

#include <unistd.h>

#include "engine/client/observer.hpp"
#include "shm/lock.hpp"
#include "shm/segment.hpp"
#include "shm/verify.hpp"
#include "tools/rollcall/doctor/probes.hpp"
#include "tools/rollcall/reading.hpp"

namespace rollcall::cli::doctor {

namespace {

constexpr auto relaxed = std::memory_order_relaxed;  // each field is shown for itself

// What the memory's header says, as far as it can be read.
struct Header {
    shm::HostIdentity made_in;
    std::uint32_t capacity = 0, ring = 0, uid = 0;
    std::uint64_t instance = 0, engine_start = 0;
    bool is_ready = false;
};

Header header_of(const shm::Segment& segment) {
    const shm::RosterHeader& h = segment.roster().header();
    Header header;
    header.made_in = {{h.boot_id[0].load(relaxed), h.boot_id[1].load(relaxed)}, h.time_namespace.load(relaxed), h.pid_namespace.load(relaxed)};
    header.capacity = segment.roster().capacity();
    header.ring = segment.roster().geometry().ring_entries;
    header.uid = h.engine_uid.load(relaxed);
    header.instance = segment.instance();
    header.engine_start = h.engine_start.load(relaxed);
    header.is_ready = h.engine_ready.load(std::memory_order_acquire) == 1;  // [ready]
    return header;
}

MemorySeen seen_in(const Result<shm::Segment>& memory, const std::string& cluster, bool is_copy) {
    MemorySeen seen;
    seen.cluster = cluster;
    if (!memory) {
        seen.error = memory.error();
        return seen;
    }
    const shm::Verification verified = shm::verify(memory->roster(), latest_stamp(memory->roster(), is_copy));
    seen.is_settled = verified.is_settled;
    seen.broken = verified.broken_count;
    seen.first_broken = verified.broken;
    return seen;
}

// The memory's clock is ours.
bool is_of(const shm::HostIdentity& ours, const shm::HostIdentity& its) { return ours.boot_id == its.boot_id && ours.time_namespace == its.time_namespace; }

// Looks again for a fifth of a second: a step that is late once is no engine that does not look.
Duration since_step(const Observer& observer, Duration enough) {
    Duration age{};
    for (int i = 0; i < 20; ++i) {
        age = std::max(Duration{}, Duration(std::chrono::steady_clock::now() - observer.info().last_step));
        if (age <= enough) break;
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return age;
}

EngineSeen look_at_engine(const std::string& cluster, const shm::Paths& paths, const Header& header, const shm::HostIdentity& ours) {
    EngineSeen seen;
    seen.is_lock_held = shm::is_locked(paths.lock());
    seen.is_ready = header.is_ready;
    seen.ours = ROLLCALL_VERSION;
    const auto observer = Observer::attach({.cluster = cluster, .dir = paths.dir, .after = {}, .stream = {}, .copy = true});
    if (!observer) return seen;
    const ClusterInfo info = observer->info();
    seen.node = info.node;
    seen.version = info.engine_version;
    seen.pid = info.engine_pid;
    seen.settings = info.settings;
    seen.is_comparable = is_of(ours, header.made_in);
    if (seen.is_comparable && seen.is_lock_held) seen.since_step = since_step(*observer, late_after(info.settings));
    if (header.made_in.pid_namespace == ours.pid_namespace) seen.state = state_of(seen.pid, header.engine_start);
    return seen;
}

void look_at_cluster(std::vector<Finding>& findings, const shm::Paths& paths, const Header& header, const EngineSeen& seen, const shm::HostIdentity& ours) {
    for (Finding& finding : namespaces(ours, header.made_in)) findings.push_back(std::move(finding));
    findings.push_back(engine(seen));
    if (!seen.version.empty() && seen.is_lock_held) findings.push_back(versions(seen));
    const SocketSeen socket{seen.is_lock_held, try_socket(paths), ::geteuid() == 0 || ::geteuid() == header.uid, look_at_socket(paths)};
    findings.push_back(joining(look_at_pulse(paths.pulse(header.instance)), is_of(ours, header.made_in), !socket.error));
    findings.push_back(control(socket));
}

// Where the memory lies, or would: engines ask of both, the folder that is named and the cluster's in it, which may be a mount of its own.
FilesystemSeen look_at_filesystems(const shm::Paths& paths, const FolderSeen& where) {
    const FilesystemSeen above = look_at_filesystem(where.standing);
    return where.is_mount && !has_bad({filesystem(above)}) ? look_at_filesystem(paths.folder) : above;
}

}  // namespace

Examination examine(const std::string& cluster, const std::string& dir) {
    const shm::Paths paths = place_of(cluster, dir);
    const auto ours = shm::HostIdentity::current();
    const FolderSeen where = look_at_folder(paths);
    FilesystemSeen fs = look_at_filesystems(paths, where);
    const Result<shm::Segment> memory = shm::Segment::attach(paths, shm::Access::copy, ours);
    const bool exists = memory.has_value();
    Header header;
    header.capacity = shm::default_capacity;
    header.ring = shm::default_ring_for(shm::default_capacity, fs.at);
    if (exists) header = header_of(*memory);
    const EngineSeen seen = exists ? look_at_engine(cluster, paths, header, ours) : EngineSeen{};
    const std::uint32_t visible_pid = seen.is_lock_held && seen.state ? seen.pid : 0;
    fs.memory_left = look_at_memory_left(visible_pid);

    Examination all{paths.dir, {}};
    all.findings = {kernel(kernel_release()), watching(try_pidfd()), proc(is_proc_mounted()), clock(look_at_clock()), descriptors(look_at_open_files(visible_pid), header.capacity),
                    file_size(look_at_file_size(visible_pid), shm::Geometry::of(header.capacity, header.ring).roster_bytes, exists), folder(where), filesystem(fs)};
    if (!has_bad({all.findings.back()})) all.findings.push_back(space(fs, needs_of(header.capacity, header.ring, exists, exists ? taken_by(paths, header.instance) : 0, where.to_make)));
    if (where.has_cluster && !where.refused) all.findings.push_back(lock(look_at_lock(paths)));
    all.findings.push_back(doctor::memory(seen_in(memory, cluster, !exists || !is_of(ours, header.made_in))));
    if (exists) look_at_cluster(all.findings, paths, header, seen, ours);
    else if (look_at_socket(paths) == Lies::folder) all.findings.push_back(control({where.is_lock_held, std::nullopt, false, Lies::folder}));
    return all;
}

}  // namespace rollcall::cli::doctor
