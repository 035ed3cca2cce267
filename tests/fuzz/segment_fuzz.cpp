// Bytes of a segment: whatever lies in the two files, observers and members come away unharmed, an engine comes up, and what it adopts is
// sound and stays so.
//
//   input   which image 2 bits, how to look 6 bits | patches of 12 bytes each (patch.hpp)
#include <optional>

#include <sys/epoll.h>

#include "engine/client/beating.hpp"
#include "engine/client/observer.hpp"
#include "engine/client/present.hpp"
#include "engine/control/server.hpp"
#include "engine/core.hpp"
#include "shm/verify.hpp"
#include "tests/fuzz/patch.hpp"
#include "tools/rollcall/memory_dump.hpp"

namespace rollcall::fuzz {
namespace {

using engine::Core;
using engine::Request;

constexpr const char* nodes[] = {"a", "b", "c", "old", "quiet", "lost", "gone", "left", "second", "new", "nobody"};

struct World {
    Folder folder;
    std::vector<Image> images = make_images(folder), wounded = images;
};

World& world() {
    static World all;
    return all;
}

void observe(const std::string& dir, bool copy) {
    ObserverOptions options;
    options.cluster = cluster_name;
    options.dir = dir;
    options.after = 0;
    options.copy = copy;
    auto observer = Observer::attach(options);
    if (!observer) return;
    (void)observer->info();
    for (const char* node : nodes) (void)observer->find(node);
    View view;
    // At most one answer an entry: each poll moves on, over an event or over a gap.
    int polls = 0;
    while (const auto event = observer->poll()) {
        (void)view.apply(*event, *observer);
        must(++polls <= static_cast<int>(2 * ring_entries), "an observer comes to the end of the stream");
    }
    if (const auto peers = observer->snapshot())
        for (const Peer& peer : *peers) must(peer.node.size() <= shm::max_node_id && peer.slot.value < capacity, "a peer is what the layout allows");
    (void)observer->is_stale();
}

void dump(const shm::Roster& roster, Instant now) {
    std::size_t bytes = 0;
    const auto count = [&bytes](std::string_view text) { bytes += text.size(); };
    cli::print_memory(count, roster);
    cli::write_memory(count, roster);
    (void)shm::verify(roster, to_stamp(now, roster.base_ns()));
}

// A member whose life the memory tells in one way, and the engine's answer told in another.
void beat(shm::Segment segment, Instant now) {
    const auto shared = std::make_shared<shm::Segment>(std::move(segment));
    BeatingPage page;
    for (const char* node : {"a", "lost", "new"}) {
        const auto peer = find_peer(shared->roster(), node);
        page.enter(shared, peer ? peer->slot : Slot{1}, peer ? peer->generation : Generation{1}, peer ? peer->incarnation : Incarnation{1}, 7, shm::Name::of(node), 3);
        for (const Duration later : {Duration{}, Duration(std::chrono::seconds(2)), Duration(std::chrono::hours(1000))}) (void)page.beat(now + later);
    }
}

void look_from_outside(const Folder& folder, Instant now, bool as_copy, bool as_producer) {
    observe(folder.dir(), as_copy);
    auto segment = shm::Segment::attach(folder.paths(), as_producer ? shm::Access::producer : shm::Access::observer, shm::HostIdentity::current());
    if (!segment) return;
    dump(segment->roster(), now);
    if (as_producer) beat(std::move(*segment), now);
}

// An engine that took over, and a day's work of it.
class Successor {
public:
    Successor(std::unique_ptr<Core> core, Instant now) : core_(std::move(core)), now_(now) {}

    void work() {
        must_be_sound("what was adopted is sound");
        // Their processes were never there, or are others by now: whatever the pids say, nobody is harmed.
        const shm::Descriptor epoll(::epoll_create1(EPOLL_CLOEXEC));
        control::Server server(*core_, inbox_, epoll.get(), {});
        server.adopt_processes();
        step({});
        must_be_sound("the first step keeps it sound");
        for (const char* node : nodes) ask(node);
        for (const Duration d : {Duration(std::chrono::milliseconds(10)), Duration(std::chrono::seconds(2)), Duration(std::chrono::seconds(30))}) step(d);
        server.tick(now_);
        for (int i = 0; i < 8; ++i) step(std::chrono::seconds(20));
        must_be_sound("a day's work keeps it sound");
        must(snapshot_peers(core_->roster(), nullptr, nullptr).has_value(), "an adopted memory can be read");
        core_->set_ready(false);
    }

private:
    // One after the other: join or be refused, change, leave.
    void ask(const char* node) {
        Request join;
        join.kind = Request::Kind::join;
        join.reason = Reason::join;
        join.node = node;
        join.endpoint = std::string(shm::max_endpoint, 'e');
        join.tags = std::string("k=") + std::string(shm::max_tags - 3, 'v') + '\0';
        join.process = {4242, 1, 1000, 1000};
        join.may_replace = join.is_operator = true;
        join.flags = shm::blob_has_process;
        Request update;
        update.kind = Request::Kind::update;
        update.node = node;
        update.tags = join.tags;
        inbox_.put(std::move(update));
        step({});
        if (node[0] != 'a') inbox_.put(std::move(join));
        Request leave;
        leave.kind = node[0] == 'n' ? Request::Kind::exited : Request::Kind::leave;
        leave.node = node;
        step({});
        if (node[0] != 'c') inbox_.put(std::move(leave));
        step({});
    }
    void step(Duration d) {
        now_ += d;
        core_->step(now_, wall_us, inbox_, true);
    }
    void must_be_sound(const char* when) {
        const auto found = shm::verify(core_->roster(), Stamp{stamp_limit});
        if (!found.is_structure_sound || !found.is_settled)
            for (const std::string& line : found.broken) std::fprintf(stderr, "fuzz: %s\n", line.c_str());
        must(found.is_settled && found.is_structure_sound, when);
    }

    engine::Inbox inbox_;
    std::unique_ptr<Core> core_;
    Instant now_;
};

void take_over(const Folder& folder, Instant now) {
    auto core = Core::open({cluster_name, "engine", "here", folder.dir(), {}, 0, 0, {}}, now, wall_us);
    if (!core) std::fprintf(stderr, "fuzz: %s\n", core.error().message.c_str());
    must(core.has_value(), "an engine comes up, whatever lies there");
    Successor(std::move(*core), now).work();
}

}  // namespace
}  // namespace rollcall::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace rollcall::fuzz;
    World& w = world();
    Input input(data, size);
    const auto how = input.take<std::uint8_t>();
    Image& image = w.wounded[how % image_count];
    wound(image, input);
    w.folder.write(image);
    const auto now = image.at + std::chrono::seconds(1);
    look_from_outside(w.folder, now, (how & 4) != 0, (how & 8) != 0);
    take_over(w.folder, now);
    heal(image, w.images[how % image_count]);
    return 0;
}
