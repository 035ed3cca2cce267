#include "shm/segment.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include <boost/interprocess/file_mapping.hpp>
#include <boost/interprocess/mapped_region.hpp>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "shm/bus_guard.hpp"
#include "shm/checkpoint.hpp"
#include "shm/descriptor.hpp"
#include "shm/futex.hpp"
#include "shm/name.hpp"
#include "shm/trust.hpp"
#include "shm/word.hpp"

namespace rollcall::shm {

namespace ipc = boost::interprocess;

namespace {

struct Mapping {
    ipc::mapped_region region;
    GuardedRange guard;  // ends before the region does
};

}  // namespace

struct Segment::Files {
    Descriptor roster_file, pulse_file;
    Mapping roster_map, pulse_map;
    std::string roster_path;  // empty: private
};

namespace {

tl::unexpected<Error> system_error(const std::string& what, const std::string& path) {
    const int code = errno;
    const ErrorKind kind = code == ENOSPC || code == EDQUOT || code == ENOMEM || code == EMFILE ? ErrorKind::full
                           : code == EACCES || code == EPERM || code == EROFS || code == ELOOP  ? ErrorKind::refused
                                                                                                : ErrorKind::system;
    return fail(kind, what + " " + path + ": " + std::strerror(code));
}

// Through /proc/self/fd, so that what is mapped is the very file that was opened and checked.
Result<Mapping> map(const Descriptor& file, std::uint64_t bytes, bool writable, const std::string& path) {
    try {
        const auto mode = writable ? ipc::read_write : ipc::read_only;
        const ipc::file_mapping mapping(("/proc/self/fd/" + std::to_string(file.get())).c_str(), mode);
        Mapping mapped{ipc::mapped_region(mapping, mode, 0, bytes), {}};
        mapped.guard = GuardedRange(static_cast<std::byte*>(mapped.region.get_address()), bytes, writable);
        return mapped;
    } catch (const ipc::interprocess_exception& e) {
        return fail(e.get_error_code() == ipc::security_error ? ErrorKind::refused : ErrorKind::system, "cannot map " + path + ": " + e.what());
    }
}

std::byte* bytes_of(const Mapping& mapping) noexcept { return static_cast<std::byte*>(mapping.region.get_address()); }

Result<void> back(const Descriptor& file, std::uint64_t offset, std::uint64_t bytes, const std::string& what) {
    int code = 0;
    do code = ::fallocate(file.get(), 0, static_cast<off_t>(offset), static_cast<off_t>(bytes)) == 0 ? 0 : errno;
    while (code == EINTR);
    if (code == 0) return {};
    errno = code;
    return system_error("no memory for", what);
}

Result<Descriptor> create_file(const std::string& path, mode_t mode, std::optional<std::uint32_t> group) {
    Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file) return system_error("cannot create", path);
    struct statfs fs{};
    if (::fstatfs(file.get(), &fs) == 0 && fs.f_type != TMPFS_MAGIC) {
        ::unlink(path.c_str());
        return fail(ErrorKind::refused, "cannot create " + path + ": not on tmpfs (a disk's write-back would stall heartbeats); choose --dir below /dev/shm or /run");
    }
    if ((group && ::fchown(file.get(), static_cast<uid_t>(-1), *group) != 0) || ::fchmod(file.get(), mode) != 0) {
        auto error = system_error("cannot set group and mode of", path);
        ::unlink(path.c_str());
        return error;
    }
    return file;
}

void store_identity(Roster& roster, const SegmentOptions& options, const HostIdentity& host) noexcept {
    constexpr auto relaxed = std::memory_order_relaxed;  // nobody can reach it yet; `lifecycle` publishes
    RosterHeader& h = roster.header();
    const Geometry& g = roster.geometry();
    h.boot_id[0].store(host.boot_id[0], relaxed);
    h.boot_id[1].store(host.boot_id[1], relaxed);
    h.time_namespace.store(host.time_namespace, relaxed);
    h.pid_namespace.store(host.pid_namespace, relaxed);
    h.stream.store(options.stream, relaxed);
    h.base_ns.store(static_cast<std::uint64_t>(options.base_ns), relaxed);
    h.capacity.store(g.capacity, relaxed);
    h.ring_entries.store(g.ring_entries, relaxed);
    h.roster_bytes.store(g.roster_bytes, relaxed);
    h.pulse_bytes.store(g.pulse_bytes, relaxed);
    const Name cluster = Name::of(options.cluster);
    for (std::size_t i = 0; i < name_words; ++i) h.cluster[i].store(cluster.words[i], relaxed);
    CheckpointValues first;
    first.settings = options.settings;
    publish(h, first);
}

void store_preamble(Preamble& p, std::uint64_t magic, std::uint64_t instance, const Geometry& g) noexcept {
    p.version.store(layout_version, std::memory_order_relaxed);
    p.instance.store(instance, std::memory_order_relaxed);
    p.words_offset.store(g.words, std::memory_order_relaxed);
    p.word_count.store(g.capacity, std::memory_order_relaxed);
    p.magic.store(magic, std::memory_order_relaxed);
    p.lifecycle.store(static_cast<std::uint32_t>(Lifecycle::live), std::memory_order_release);  // [attach] publishes everything above
}

}  // namespace

Segment::Segment() noexcept = default;
Segment::Segment(Segment&&) noexcept = default;
Segment& Segment::operator=(Segment&&) noexcept = default;
Segment::~Segment() = default;

std::uint64_t Segment::instance() const noexcept { return roster_.preamble().instance.load(std::memory_order_relaxed); }

bool Segment::is_superseded() const noexcept {
    return roster_.preamble().lifecycle.load(std::memory_order_acquire) == static_cast<std::uint32_t>(Lifecycle::superseded);  // [supersede]
}

bool Segment::is_in_place() const noexcept {
    if (files_->roster_path.empty()) return true;
    struct stat mine{}, there{};
    return ::fstat(files_->roster_file.get(), &mine) == 0 && ::stat(files_->roster_path.c_str(), &there) == 0 && mine.st_ino == there.st_ino && mine.st_dev == there.st_dev;
}

bool Segment::is_whole() const noexcept {
    if (has_lost_pages()) return false;
    struct stat roster{}, pulse{};
    return ::fstat(files_->roster_file.get(), &roster) == 0 && static_cast<std::uint64_t>(roster.st_size) >= roster_.geometry().roster_bytes &&
           ::fstat(files_->pulse_file.get(), &pulse) == 0 && static_cast<std::uint64_t>(pulse.st_size) >= roster_.geometry().pulse_bytes;
}

bool Segment::has_lost_pages() const noexcept { return files_->roster_map.guard.is_broken() || files_->pulse_map.guard.is_broken(); }

Result<void> Segment::back_roster(std::uint64_t offset, std::uint64_t bytes) {
    return back(files_->roster_file, offset, bytes, files_->roster_path.empty() ? "the roster" : files_->roster_path);
}
Result<void> Segment::back_pulse(std::uint64_t offset, std::uint64_t bytes) { return back(files_->pulse_file, offset, bytes, "the producer cards"); }

// Sizes, backs, maps and fills both files; they are live afterwards, and reachable by whoever has the path.
Result<Segment> Segment::build(std::unique_ptr<Files> files, const SegmentOptions& options, const HostIdentity& host) {
    const Geometry g = Geometry::of(options.capacity, options.ring_entries);
    if (::ftruncate(files->roster_file.get(), static_cast<off_t>(g.roster_bytes)) != 0 || ::ftruncate(files->pulse_file.get(), static_cast<off_t>(g.pulse_bytes)) != 0)
        return system_error("cannot size", "the segment");
    // Header, ring, buckets and extent classes at once; records, blobs and cards when they are needed.
    if (auto backed = back(files->roster_file, 0, g.records, "the roster's ring and index"); !backed) return fail(backed.error());
    if (auto backed = back(files->pulse_file, 0, g.cards, "the heartbeat words"); !backed) return fail(backed.error());
    auto roster_map = map(files->roster_file, g.roster_bytes, true, "the roster");
    if (!roster_map) return fail(roster_map.error());
    auto pulse_map = map(files->pulse_file, g.pulse_bytes, true, "the pulse");
    if (!pulse_map) return fail(pulse_map.error());
    files->roster_map = std::move(*roster_map);
    files->pulse_map = std::move(*pulse_map);

    Segment segment;
    segment.roster_ = Roster(bytes_of(files->roster_map), bytes_of(files->pulse_map), g);
    segment.files_ = std::move(files);
    Roster& roster = segment.roster_;
    for (std::uint32_t i = 0; i < g.bucket_count; ++i) roster.bucket(i).store(no_index, std::memory_order_relaxed);
    for (std::uint32_t i = 0; i < g.word_count; ++i) roster.word(Slot{i}).store(free_word, std::memory_order_relaxed);
    for (std::uint32_t i = 0; i < g.blob_extents; ++i) roster.extent_class(i).store(no_index, std::memory_order_relaxed);
    store_identity(roster, options, host);
    store_preamble(roster.pulse_preamble(), pulse_magic, options.instance, g);
    store_preamble(roster.preamble(), roster_magic, options.instance, g);
    return segment;
}

Result<Segment> Segment::create_private(const SegmentOptions& options) {
    auto files = std::make_unique<Files>();
    files->roster_file.reset(::memfd_create("rollcall-roster", MFD_CLOEXEC));
    files->pulse_file.reset(::memfd_create("rollcall-pulse", MFD_CLOEXEC));
    if (!files->roster_file || !files->pulse_file) return system_error("cannot create", "private memory");
    return build(std::move(files), options, HostIdentity::current());
}

void Segment::end() noexcept {
    constexpr auto superseded = static_cast<std::uint32_t>(Lifecycle::superseded);
    roster_.preamble().lifecycle.store(superseded, std::memory_order_release);        // [supersede]
    roster_.pulse_preamble().lifecycle.store(superseded, std::memory_order_release);  // [supersede]
    for (std::uint32_t i = 0; i < roster_.capacity(); ++i) free_by_proof(roster_.word(Slot{i}));
    futex_wake_all(roster_.header().selector);
}

bool Segment::mend_pulse() noexcept {
    constexpr auto relaxed = std::memory_order_relaxed;  // each field for itself; who attaches meanwhile is refused, as before
    const Preamble& right = roster_.preamble();
    Preamble& pulse = roster_.pulse_preamble();
    bool mended = false;
    const auto mend = [&](auto& field, auto value) {
        if (field.load(relaxed) == value) return;
        field.store(value, relaxed);
        mended = true;
    };
    mend(pulse.magic, pulse_magic);
    mend(pulse.version, layout_version);
    mend(pulse.lifecycle, right.lifecycle.load(relaxed));
    mend(pulse.instance, right.instance.load(relaxed));
    mend(pulse.words_offset, roster_.geometry().words);
    mend(pulse.word_count, std::uint64_t{roster_.capacity()});
    return mended;
}

namespace {

// Everybody who still looks at the old memory must learn that it is over: members by their next beat, observers by the ring.
void supersede(const Paths& paths) {
    const Descriptor roster_file(::open(paths.roster().c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    struct stat s{};
    const auto is_only_here = [&s](const Descriptor& file) { return file && ::fstat(file.get(), &s) == 0 && S_ISREG(s.st_mode) && s.st_nlink == 1; };
    if (!is_only_here(roster_file) || s.st_size < static_cast<off_t>(sizeof(Preamble))) return;
    const bool has_header = s.st_size >= static_cast<off_t>(roster_header_bytes);  // another version's may be shorter
    auto roster_map = map(roster_file, has_header ? roster_header_bytes : sizeof(Preamble), true, paths.roster());
    if (!roster_map) return;
    Roster old(bytes_of(*roster_map), nullptr, Geometry{});
    Preamble& preamble = old.preamble();
    if (preamble.magic.load(std::memory_order_relaxed) != roster_magic) return;
    preamble.lifecycle.store(static_cast<std::uint32_t>(Lifecycle::superseded), std::memory_order_release);  // [supersede] pairs with is_superseded
    if (has_header && preamble.version.load(std::memory_order_relaxed) == layout_version) futex_wake_all(old.header().selector);
    const std::string pulse_path = paths.pulse(preamble.instance.load(std::memory_order_relaxed));
    const Descriptor pulse_file(::open(pulse_path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    const std::uint64_t words = preamble.words_offset.load(std::memory_order_relaxed), count = preamble.word_count.load(std::memory_order_relaxed);
    if (!is_only_here(pulse_file)) return;
    const auto bytes = static_cast<std::uint64_t>(s.st_size);
    if (count > max_capacity || words % 8 != 0 || words < sizeof(Preamble) || words > bytes || count * 8 > bytes - words) return;
    auto pulse_map = map(pulse_file, words + count * 8, true, pulse_path);
    if (!pulse_map) return;
    auto* pulse = reinterpret_cast<Preamble*>(bytes_of(*pulse_map));
    pulse->lifecycle.store(static_cast<std::uint32_t>(Lifecycle::superseded), std::memory_order_release);  // [supersede]
    auto* word = reinterpret_cast<Word*>(bytes_of(*pulse_map) + words);
    for (std::uint64_t i = 0; i < count; ++i) free_by_proof(word[i]);
}

void remove_all_but(const Paths& paths, const std::string& keep_pulse) {
    std::error_code ignored;
    for (const auto& file : std::filesystem::directory_iterator(paths.folder, ignored)) {
        const std::string name = file.path().filename().string();
        const bool ours = name.starts_with("pulse.") || name.starts_with("roster.");
        if (ours && file.path().string() != keep_pulse) ::unlink(file.path().c_str());
    }
}

}  // namespace

Result<Segment> Segment::create(const Paths& paths, const SegmentOptions& options, const HostIdentity& host) {
    auto files = std::make_unique<Files>();
    const std::string fresh = paths.new_roster(options.instance), pulse = paths.pulse(options.instance);
    auto pulse_file = create_file(pulse, 0664, options.group);
    if (!pulse_file) return fail(pulse_file.error());
    files->pulse_file = std::move(*pulse_file);
    auto roster_file = create_file(fresh, 0644, std::nullopt);
    if (!roster_file) {
        ::unlink(pulse.c_str());
        return fail(roster_file.error());
    }
    files->roster_file = std::move(*roster_file);
    files->roster_path = paths.roster();
    auto segment = build(std::move(files), options, host);
    if (!segment) {
        ::unlink(pulse.c_str());
        ::unlink(fresh.c_str());
        return fail(ErrorKind{segment.error().kind}, "cannot create cluster memory in " + paths.folder + ": " + segment.error().message);
    }
    supersede(paths);
    if (::rename(fresh.c_str(), paths.roster().c_str()) != 0) {
        auto error = system_error("cannot publish", paths.roster());
        ::unlink(pulse.c_str());
        ::unlink(fresh.c_str());
        return error;
    }
    remove_all_but(paths, pulse);
    return segment;
}

namespace {

Result<Descriptor> open_existing(const std::string& path, bool writable) {
    Descriptor file(::open(path.c_str(), (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));  // a FIFO would wait for its other end
    if (file) return file;
    if (errno == ENOENT) return fail(ErrorKind::no_cluster, "no cluster memory at " + path);
    if (errno == ELOOP) return fail(ErrorKind::refused, path + " is a symbolic link: remove it");
    return system_error("cannot open", path);
}

Result<void> check_trust(const Trust& trust, const Descriptor& file, const std::string& path, mode_t forbidden) {
    struct stat s{};
    if (::fstat(file.get(), &s) != 0) return system_error("cannot look at", path);
    return trust.check(s, path, forbidden);
}

tl::unexpected<Error> truncated(std::uint64_t bytes, const std::string& path) { return fail(ErrorKind::damaged, path + " is truncated: " + std::to_string(bytes) + " bytes"); }

Result<std::uint64_t> size_of(const Descriptor& file, std::uint64_t at_least, const std::string& path) {
    struct stat s{};
    if (::fstat(file.get(), &s) != 0) return system_error("cannot look at", path);
    if (!S_ISREG(s.st_mode)) return fail(ErrorKind::damaged, path + " is not a regular file");
    if (static_cast<std::uint64_t>(s.st_size) < at_least) return truncated(static_cast<std::uint64_t>(s.st_size), path);
    return static_cast<std::uint64_t>(s.st_size);
}

// The first 64 bytes alone decide whether this build may believe any other.
Result<Geometry> read_geometry(const Preamble& preamble, const RosterHeader& header, std::uint64_t bytes, const std::string& path) {
    if (preamble.magic.load(std::memory_order_relaxed) != roster_magic) return fail(ErrorKind::damaged, path + " is not rollcall's memory");
    const std::uint32_t version = preamble.version.load(std::memory_order_relaxed);
    if (version != layout_version)
        return fail(ErrorKind::incompatible, path + " has layout version " + std::to_string(version) + ", this build reads " + std::to_string(layout_version));
    if (bytes < roster_header_bytes) return truncated(bytes, path);
    const std::uint32_t lifecycle = preamble.lifecycle.load(std::memory_order_acquire);  // [attach] pairs with store_preamble
    if (lifecycle != static_cast<std::uint32_t>(Lifecycle::live) && lifecycle != static_cast<std::uint32_t>(Lifecycle::superseded))
        return fail(ErrorKind::damaged, path + " was never completed");
    const std::uint32_t capacity = header.capacity.load(std::memory_order_relaxed), ring = header.ring_entries.load(std::memory_order_relaxed);
    if (capacity == 0 || capacity > max_capacity || ring < min_ring || ring > max_ring || !std::has_single_bit(ring))
        return fail(ErrorKind::damaged, path + " names an impossible capacity or ring");
    const Geometry g = Geometry::of(capacity, ring);
    if (g.roster_bytes != bytes) return fail(ErrorKind::damaged, path + " has " + std::to_string(bytes) + " bytes, its layout needs " + std::to_string(g.roster_bytes));
    return g;
}

Result<void> check_host(const RosterHeader& header, const HostIdentity& host, const std::string& path) {
    if (header.boot_id[0].load(std::memory_order_relaxed) != host.boot_id[0] || header.boot_id[1].load(std::memory_order_relaxed) != host.boot_id[1])
        return fail(ErrorKind::incompatible, path + " is of another boot of this host");
    if (header.time_namespace.load(std::memory_order_relaxed) != host.time_namespace)
        return fail(ErrorKind::incompatible, path + " is of another time namespace: its clock means nothing here");
    return {};
}

// Copies may have been renamed with their folder: any pulse file of that instance beside the roster will do.
Result<Descriptor> open_pulse(const Paths& paths, std::uint64_t instance, bool writable) {
    auto file = open_existing(paths.pulse(instance), writable);
    if (!file && file.error().kind == ErrorKind::no_cluster) return fail(ErrorKind::damaged, paths.pulse(instance) + " is missing: the memory was replaced or removed");
    return file;
}

}  // namespace

namespace {

Result<void> check_tmpfs(const Descriptor& file, const std::string& path) {
    struct statfs fs{};
    if (::fstatfs(file.get(), &fs) != 0 || fs.f_type == TMPFS_MAGIC) return {};
    return fail(ErrorKind::refused, path + " is not on tmpfs: a copy, where nothing will ever happen");
}

}  // namespace

Result<Segment> Segment::attach(const Paths& paths, Access access, const HostIdentity& host) {
    auto files = std::make_unique<Files>();
    const bool writes_roster = access == Access::engine, writes_pulse = access == Access::engine || access == Access::producer;
    const std::string path = files->roster_path = paths.roster();
    const auto trust = trust_in(paths);
    if (!trust) return fail(trust.error().kind, trust.error().kind == ErrorKind::no_cluster ? "no cluster memory at " + path : trust.error().message);
    auto roster_file = open_existing(path, writes_roster);
    if (!roster_file) return fail(roster_file.error());
    files->roster_file = std::move(*roster_file);
    if (auto ok = check_trust(*trust, files->roster_file, path, writable_by_group_or_others); !ok) return fail(ok.error());
    if (access != Access::copy)
        if (auto living = check_tmpfs(files->roster_file, path); !living) return fail(living.error());
    auto bytes = size_of(files->roster_file, sizeof(Preamble), path);
    if (!bytes) return fail(bytes.error());
    if (*bytes > Geometry::of(max_capacity, max_ring).roster_bytes) return fail(ErrorKind::damaged, path + " has " + std::to_string(*bytes) + " bytes, more than any layout needs");
    auto roster_map = map(files->roster_file, *bytes, writes_roster, path);
    if (!roster_map) return fail(roster_map.error());
    files->roster_map = std::move(*roster_map);

    const Roster header_only(bytes_of(files->roster_map), nullptr, Geometry{});
    auto geometry = read_geometry(header_only.preamble(), header_only.header(), *bytes, path);
    if (!geometry) return fail(geometry.error());
    if (access != Access::copy)
        if (auto same = check_host(header_only.header(), host, path); !same) return fail(same.error());

    const std::uint64_t instance = header_only.preamble().instance.load(std::memory_order_relaxed);
    const std::string pulse_path = paths.pulse(instance);
    auto pulse_file = open_pulse(paths, instance, writes_pulse);
    if (!pulse_file) return fail(pulse_file.error());
    files->pulse_file = std::move(*pulse_file);
    if (auto ok = check_trust(*trust, files->pulse_file, pulse_path, writable_by_others); !ok) return fail(ok.error());
    auto pulse_bytes = size_of(files->pulse_file, geometry->pulse_bytes, pulse_path);
    if (!pulse_bytes) return fail(pulse_bytes.error());
    auto pulse_map = map(files->pulse_file, geometry->pulse_bytes, writes_pulse, pulse_path);
    if (!pulse_map) return fail(pulse_map.error());
    files->pulse_map = std::move(*pulse_map);

    Segment segment;
    segment.roster_ = Roster(bytes_of(files->roster_map), bytes_of(files->pulse_map), *geometry);
    segment.files_ = std::move(files);
    const Preamble& pulse = segment.roster_.pulse_preamble();
    if (pulse.magic.load(std::memory_order_relaxed) != pulse_magic || pulse.instance.load(std::memory_order_relaxed) != instance)
        return fail(ErrorKind::damaged, pulse_path + " does not belong to " + path);
    return segment;
}

std::uint32_t default_ring_for(std::uint32_t capacity, const std::string& dir) {
    std::uint32_t ring = std::bit_ceil(std::max(default_ring, capacity / 16));
    struct statfs fs{};
    if (dir.empty() || ::statfs(dir.c_str(), &fs) != 0 || fs.f_blocks == 0) return ring;
    const std::uint64_t free = static_cast<std::uint64_t>(fs.f_bavail) * static_cast<std::uint64_t>(fs.f_bsize);
    while (ring > 1024 && std::uint64_t{ring} * sizeof(Entry) > free / 4) ring /= 2;
    return ring;
}

void remove_strays(const Paths& paths, std::uint64_t instance) { remove_all_but(paths, paths.pulse(instance)); }

Result<void> remove_folder(const Paths& paths) {
    supersede(paths);
    remove_all_but(paths, "");
    for (const std::string& path : {paths.roster(), paths.socket(), paths.lock()})
        if (::unlink(path.c_str()) != 0 && errno != ENOENT) return system_error("cannot remove", path);
    if (::rmdir(paths.folder.c_str()) != 0 && errno != ENOENT && errno != ENOTEMPTY) return system_error("cannot remove", paths.folder);
    return {};
}

}  // namespace rollcall::shm
