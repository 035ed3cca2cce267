#include "engine/core.hpp"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <vector>

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "engine/client/traffic.hpp"

namespace rollcall::engine {

namespace {

constexpr std::int64_t base_lead_ns = 1'000'000'000;  // so that beats a little older than the segment have a stamp
constexpr std::size_t requests_a_step = 16'384;  // so that a flood of requests never keeps the detector from looking

Now make_now(const shm::Roster& roster, Instant now, std::int64_t wall_us) noexcept { return {to_stamp(now, roster.base_ns()), to_ns(now), wall_us}; }

tl::unexpected<Error> not_tmpfs(const std::string& path) {
    return fail(ErrorKind::refused, "folder " + path + " is not on tmpfs (a disk's write-back would stall heartbeats); choose --dir below /dev/shm or /run");
}

bool is_on_tmpfs(const std::string& path) noexcept {
    struct statfs fs{};
    return ::statfs(path.c_str(), &fs) != 0 || fs.f_type == TMPFS_MAGIC;
}

// Whatever the umask, everybody may look into what we make, and nobody else may write there.
Result<void> make_one(const std::string& path) {
    const bool made = ::mkdir(path.c_str(), 0755) == 0;
    const int code = made ? 0 : errno;
    if (code == EEXIST) return {};
    if (!made) return fail(code == EACCES ? ErrorKind::refused : code == ENOSPC ? ErrorKind::full : ErrorKind::system, "cannot create folder " + path + ": " + std::strerror(code));
    const shm::Descriptor folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (folder && ::fchmod(folder.get(), 0755) == 0) return {};
    return fail(ErrorKind::system, "cannot set the mode of folder " + path + ": " + std::strerror(errno));
}

// DIR/CLUSTER and what is missing above it; on tmpfs; and nobody whom we do not trust may put files there.
Result<shm::Trust> make_folder(const shm::Paths& paths) {
    std::error_code error;
    std::vector<std::string> missing;
    auto ancestor = std::filesystem::absolute(paths.dir, error).lexically_normal();
    while (!error && ancestor.has_relative_path() && !std::filesystem::exists(ancestor, error) && !error) {
        if (ancestor.has_filename()) missing.push_back(ancestor.string());
        ancestor = ancestor.parent_path();
    }
    // Before anything is made: what does not exist yet will lie where its nearest ancestor lies.
    if (!is_on_tmpfs(ancestor.string())) return not_tmpfs(paths.folder);
    for (auto path = missing.rbegin(); path != missing.rend(); ++path)
        if (auto made = make_one(*path); !made) return fail(made.error());
    if (auto trust = shm::trust_in_dir(paths.dir); !trust) return trust;  // before anything is made in a stranger's folder
    if (auto made = make_one(paths.folder); !made) return fail(made.error());
    auto trust = shm::trust_in(paths);
    return !trust || is_on_tmpfs(paths.folder) ? trust : Result<shm::Trust>(not_tmpfs(paths.folder));
}

std::uint32_t chosen_ring(const CoreOptions& options, std::uint32_t capacity, const std::string& folder) {
    return options.ring == 0 ? shm::default_ring_for(capacity, folder) : std::bit_ceil(std::max(options.ring, shm::min_ring));
}

shm::SegmentOptions segment_options(const CoreOptions& options, const std::string& folder, Instant now) {
    shm::SegmentOptions s;
    s.cluster = options.cluster;
    s.capacity = options.capacity == 0 ? shm::default_capacity : options.capacity;
    s.ring_entries = chosen_ring(options, s.capacity, folder);
    s.base_ns = to_ns(now) - base_lead_ns;
    s.stream = shm::random_bits() | 1;
    s.instance = shm::random_bits() | 1;
    s.settings = options.settings;
    s.group = options.group;
    return s;
}

Result<void> check_sizes(const CoreOptions& options, const shm::Geometry& there, const std::string& folder) {
    if (options.capacity != 0 && options.capacity != there.capacity)
        return fail(ErrorKind::invalid, "capacity " + std::to_string(options.capacity) + " was asked for, but " + folder + " was created with " + std::to_string(there.capacity) + "; leave it out, or remove the stopped cluster first");
    if (options.ring != 0 && chosen_ring(options, there.capacity, folder) != there.ring_entries)
        return fail(ErrorKind::invalid, "a ring of " + std::to_string(options.ring) + " was asked for, but " + folder + " was created with " + std::to_string(there.ring_entries) + "; leave it out, or remove the stopped cluster first");
    return {};
}

Result<void> check_options(const CoreOptions& options) {
    if (auto ok = shm::validate_cluster_name(options.cluster); !ok) return ok;
    if (auto ok = shm::validate_node_id(options.node); !ok) return ok;
    if (auto ok = validate(options.settings); !ok) return ok;
    if (options.capacity > shm::max_capacity) return fail(ErrorKind::invalid, "capacity " + std::to_string(options.capacity) + " is more than " + std::to_string(shm::max_capacity));
    if (options.ring > shm::max_ring) return fail(ErrorKind::invalid, "a ring of " + std::to_string(options.ring) + " is more than " + std::to_string(shm::max_ring));
    return {};
}

Result<shm::EngineLock> lock_or_say_who(const shm::Paths& paths, const shm::Trust& trust) {
    auto lock = shm::EngineLock::acquire(paths.lock(), trust);
    if (lock || lock.error().kind != ErrorKind::held) return lock;
    std::string who = "another engine";
    if (auto segment = shm::Segment::attach(paths, shm::Access::copy, {}))
        if (const auto pid = segment->roster().header().engine_pid.load(std::memory_order_relaxed); pid != 0) who += " (pid " + std::to_string(pid) + ")";
    return fail(ErrorKind::held, who + " runs this cluster: it holds " + paths.lock());
}

// What lies there means nothing here, or nothing lies there. Anything else that keeps us from it (permissions, descriptors) is no reason
// to replace it.
bool is_worthless(ErrorKind kind) noexcept { return kind == ErrorKind::no_cluster || kind == ErrorKind::incompatible || kind == ErrorKind::damaged; }

// Stamps last 36 years, sequences 89 years of 100,000 events a second, incarnations until damage makes one up: a memory that has used up most of
// any of them is not gone on with. No engine lives long enough to come from there to the end.
std::string what_is_used_up(const shm::Roster& roster, Instant now) {
    const auto nearly = [](std::uint64_t limit) { return limit / 16 * 15; };
    shm::CheckpointValues values;
    if (!shm::load_checkpoint(roster.header(), values)) return "";  // damaged: adoption says so
    if (to_stamp(now, roster.base_ns()).value >= nearly(stamp_limit)) return "its stamps are used up";
    if (values.head.value >= nearly(sequence_limit)) return "its sequence numbers are used up";
    return values.greatest_incarnation >= nearly(incarnation_limit) ? "its incarnations are used up" : "";
}

}  // namespace

Core::Core(std::unique_ptr<Books> books, const CoreOptions& options) : options_(options) { work_with(std::move(books)); }

void Core::work_with(std::unique_ptr<Books> books) {
    membership_.reset();
    detector_.reset();
    books_ = std::move(books);
    membership_.emplace(*books_, shm::Name::of(options_.node));
    detector_.emplace(*books_);
    books_->receivers.attach(listening_);
}

void Core::listen(Listening listening) {
    listening_ = std::move(listening);
    books_->receivers.attach(listening_);
    if (books_->hosts.is_empty()) return;
    // Hosts that an earlier engine left.
    std::optional<Stamp> oldest;
    const auto see = [&](Slot slot, bool is_alive) {
        const std::int64_t word = roster().word(slot).load(std::memory_order_acquire);  // [beat]
        if (is_alive && word >= 0 && word != shm::free_word) oldest = std::min(oldest.value_or(shm::stamp_of(word)), shm::stamp_of(word));
    };
    books_->hosts.each([&](RemoteHost& host) {
        if (host.host != no_slot) see(host.host, books_->hot(host.host).state == State::alive);
        see(host.word, host.heard == Announced::alive && !host.is_gone);
        return true;
    });
    const WayMask all = books_->receivers.use_all(oldest);
    books_->hosts.each([&](RemoteHost& host) { return host.ways = all, true; });
}

// Who runs this cluster now; members and observers read it.
void Core::introduce(std::int64_t wall_us) {
    constexpr auto relaxed = std::memory_order_relaxed;  // for show; `engine_ready` publishes
    shm::RosterHeader& h = writable().header();
    const auto pid = static_cast<std::uint32_t>(::getpid());
    h.engine_pid.store(pid, relaxed);
    h.engine_start.store(shm::start_ticks_of(pid).value_or(0), relaxed);
    h.engine_uid.store(::geteuid(), relaxed);
    h.engine_version.store(ROLLCALL_VERSION_NUMBER, relaxed);
    h.epoch.store(books_->ledger.epoch(), relaxed);
    const shm::Name node = shm::Name::of(options_.node), host = shm::Name::of(options_.host);
    for (std::size_t i = 0; i < shm::name_words; ++i) {
        h.engine_name[i].store(node.words[i], relaxed);
        h.host_name[i].store(host.words[i], relaxed);
    }
    // Those of the checkpoint are of the last event; what was counted since is only here.
    const Traffic before = load_traffic(h);
    books_->ledger.counter(Counter::heartbeats_sent) = std::max(books_->ledger.counter(Counter::heartbeats_sent), before.heartbeats_sent);
    books_->ledger.counter(Counter::heartbeats_received) = std::max(books_->ledger.counter(Counter::heartbeats_received), before.heartbeats_received);
    store_traffic(h, {{}, {}, before.heartbeats_sent, before.heartbeats_received});  // who dies before the first publication has lost none of them
    h.engine_ready.store(0, relaxed);
    const Duration old_heartbeat = books_->settings().heartbeat;
    if (adopted_ && options_.settings.heartbeat < old_heartbeat) forgive_old_rhythm(books_->time, old_heartbeat, books_->time.last_look());
    books_->ledger.values().settings = options_.settings;
    if (std::uint64_t& life = books_->ledger.values().host_incarnation; life == 0) life = membership_->next_incarnation(wall_us).value;
    books_->ledger.publish_needed();
}

Result<std::unique_ptr<Core>> Core::open(const CoreOptions& options, Instant now, std::int64_t wall_us) {
    if (auto ok = check_options(options); !ok) return fail(ok.error());
    shm::EngineLock lock;
    std::optional<shm::Paths> paths;
    std::optional<shm::Segment> segment;
    std::string replaced;  // why what lay there was of no use
    if (options.dir.empty()) {
        auto made = shm::Segment::create_private(segment_options(options, "", now));
        if (!made) return fail(made.error());
        segment = std::move(*made);
    } else {
        paths = shm::Paths::of(options.dir, options.cluster);
        const auto trust = make_folder(*paths);
        if (!trust) return fail(trust.error());
        auto locked = lock_or_say_who(*paths, *trust);
        if (!locked) return fail(locked.error());
        lock = std::move(*locked);
        auto there = shm::Segment::attach(*paths, shm::Access::engine, shm::HostIdentity::current());
        if (there && there->is_superseded()) there = fail(ErrorKind::damaged, "superseded");
        if (const std::string what = there ? what_is_used_up(there->roster(), now) : ""; !what.empty()) there = fail(ErrorKind::damaged, what);
        if (there) {
            if (auto same = check_sizes(options, there->roster().geometry(), paths->folder); !same) return fail(same.error());
            segment = std::move(*there);
            segment->writable().header().engine_ready.store(0, std::memory_order_release);  // [ready] the one before us may not have had the time
        } else if (!is_worthless(there.error().kind)) {
            return fail(there.error());
        } else if (there.error().kind != ErrorKind::no_cluster) {
            replaced = there.error().message;
        }
    }
    bool adopts = segment.has_value() && paths.has_value();
    for (;;) {
        if (!segment) {
            auto made = shm::Segment::create(*paths, segment_options(options, paths->folder, now), shm::HostIdentity::current());
            if (!made) return fail(made.error());
            segment = std::move(*made);
        }
        const std::uint32_t epoch = segment->roster().header().epoch.load(std::memory_order_relaxed) + 1;
        const Now at = make_now(segment->roster(), now, wall_us);
        auto books = adopt(std::move(*segment), at, epoch);
        segment.reset();
        if (!books) {
            if (!adopts || !paths) return fail(books.error());
            adopts = false;  // what is there cannot be reconciled: replace it, once
            replaced = books.error().message;
            continue;
        }
        std::unique_ptr<Core> core(new Core(std::move(*books), options));
        core->lock_ = std::move(lock);
        core->paths_ = std::move(paths);
        core->adopted_ = adopts;
        core->replaced_ = std::move(replaced);
        if (adopts) shm::remove_strays(*core->paths_, core->books_->segment.instance());  // whoever published it may not have had the time
        core->introduce(wall_us);
        return core;
    }
}

Result<void> Core::renew(Instant now, std::int64_t wall_us) {
    CoreOptions same = options_;
    same.capacity = roster().geometry().capacity;
    same.ring = roster().geometry().ring_entries;
    same.settings = settings();
    auto segment = shm::Segment::create(*paths_, segment_options(same, paths_->folder, now), shm::HostIdentity::current());
    if (!segment) return fail(segment.error());
    const Now at = make_now(segment->roster(), now, wall_us);
    auto books = adopt(std::move(*segment), at, books_->ledger.epoch() + 1);
    if (!books) return fail(books.error());
    (*books)->ledger.values().greatest_incarnation = std::max(books_->ledger.values().greatest_incarnation, books_->ledger.values().host_incarnation);
    books_->segment.end();  // whoever still stands there; through the path it may be too short to be found
    options_.settings = same.settings;
    adopted_ = false;
    work_with(std::move(*books));
    introduce(wall_us);
    return {};
}

void Core::step(Instant now, std::int64_t wall_us, Inbox& inbox, bool scan) {
    Ledger& ledger = books_->ledger;
    ledger.begin_step(make_now(roster(), now, wall_us));
    membership_->continue_leaving();
    Request request;
    std::size_t handled = 0;
    const std::uint32_t kept_for_judgements = ledger.budget() / 2;  // however many requests come, silence is judged
    const auto has_room = [&] { return handled < requests_a_step && ledger.budget() >= kept_for_judgements + 2 && !membership_->is_leaving(); };
    while (has_room() && inbox.take(request)) {
        if (!request.is_orphaned()) membership_->handle(request);
        request = Request{};
        ++handled;
    }
    more_ = !has_room();
    const bool looks = scan || detector_->has_more();
    if (looks) detector_->pass();
    more_ = more_ || detector_->has_more();
    ledger.commit();
    // After the commit: a pause that this look ended is in the memory before the look is.
    if (looks) writable().header().step_ns.store(static_cast<std::uint64_t>(to_ns(now)), std::memory_order_release);  // [step] pairs with a member's look
    membership_->answer_all();
    if (handled != 0) writable().header().inbox.store(handled, std::memory_order_relaxed);  // relaxed: for show
}

void Core::record_step_time(Duration took) noexcept { count_in(writable().header().scan_time, static_cast<std::uint64_t>(std::max<std::int64_t>(0, took.count()))); }

void Core::set_ready(bool ready) noexcept {
    writable().header().engine_ready.store(ready ? 1 : 0, std::memory_order_release);  // [ready] pairs with whoever asks whether it runs
}

}  // namespace rollcall::engine
