#include "tests/fuzz/image.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/client/present.hpp"
#include "engine/core.hpp"
#include "shm/checkpoint.hpp"
#include "shm/descriptor.hpp"
#include "shm/index.hpp"
#include "shm/word.hpp"
#include "tests/fuzz/input.hpp"

namespace rollcall::fuzz {

using engine::Request;

Folder::Folder() : dir_("/dev/shm/rollcall-fuzz.XXXXXX") {
    must(::mkdtemp(dir_.data()) != nullptr, "a folder in /dev/shm can be made");
}

Folder::~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(dir_, ignored);
}

namespace {

std::vector<std::byte> content_of(const std::string& path, std::size_t bytes) {
    std::vector<std::byte> content(bytes);
    const shm::Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    must(file && ::pread(file.get(), content.data(), bytes, 0) == static_cast<ssize_t>(bytes), "the image can be read");
    return content;
}

bool is_zero(const std::byte* at, std::size_t bytes) {
    static constexpr std::array<std::byte, shm::page> zeros{};
    return std::memcmp(at, zeros.data(), bytes) == 0;
}

// Pages of zeros stay holes.
void write_file(const std::string& path, const std::vector<std::byte>& content, std::uint64_t bytes) {
    const shm::Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    must(static_cast<bool>(file), "the image can be written");
    const std::size_t kept = std::min<std::size_t>(content.size(), bytes);
    for (std::size_t at = 0; at < kept; at += shm::page) {
        const std::size_t length = std::min(shm::page, kept - at);
        if (!is_zero(content.data() + at, length)) must(::pwrite(file.get(), content.data() + at, length, static_cast<off_t>(at)) == static_cast<ssize_t>(length), "the image can be written");
    }
    must(::ftruncate(file.get(), static_cast<off_t>(bytes)) == 0, "the image gets its size");
}

}  // namespace

Image Folder::read() const {
    Image image;
    image.roster = content_of(paths().roster(), roster_kept);
    std::memcpy(&image.instance, image.roster.data() + offsetof(shm::Preamble, instance), sizeof image.instance);
    image.pulse = content_of(paths().pulse(image.instance), geometry.pulse_bytes);
    return image;
}

void Folder::write(const Image& image) const {
    const auto there = paths();
    std::filesystem::create_directory(there.folder);
    for (const auto& file : std::filesystem::directory_iterator(there.folder)) ::unlink(file.path().c_str());
    write_file(there.roster(), image.roster, image.roster_bytes);
    write_file(there.pulse(image.instance), image.pulse, image.pulse_bytes);
}

namespace {

// A small life of a cluster, of which everything is decided here.
class Story {
public:
    explicit Story(const Folder& folder) {
        auto opened = engine::Core::open({cluster_name, "engine", "here", folder.dir(), {}, capacity, ring_entries, {}}, now_, wall_us);
        must(opened.has_value(), "an engine starts");
        core_ = std::move(*opened);
        step();
    }
    void step(Duration d = {}) {
        now_ += d;
        core_->step(now_, wall_us + now_.time_since_epoch().count() / 1000, inbox_, true);
    }
    void run(Duration d, std::initializer_list<const char*> beating) {
        for (Duration left = d; left > Duration{}; left -= Duration(std::chrono::milliseconds(100))) {
            for (const char* node : beating) beat(node);
            step(std::chrono::milliseconds(100));
        }
    }
    void join(const char* node, std::uint32_t pid, const Tags& tags = {}) {
        Request request = about(node, Request::Kind::join);
        request.reason = Reason::join;
        request.endpoint = std::string("10.0.0.1:") + node;
        request.tags = encode_tags(tags).value();
        request.process = {pid, pid * std::uint64_t{10}, 1000, 1000};
        request.flags = shm::blob_has_process;
        request.token = request.producer = pid;
        request.card = pid % 8;
        inbox_.put(std::move(request));
    }
    void tell(const char* node, Request::Kind kind, const Tags& tags = {}) {
        Request request = about(node, kind);
        if (kind == Request::Kind::update) request.tags = encode_tags(tags).value();
        inbox_.put(std::move(request));
    }
    engine::Core& core() { return *core_; }
    Instant now() const { return now_; }

private:
    static Request about(const char* node, Request::Kind kind) {
        Request request;
        request.kind = kind;
        request.node = node;
        return request;
    }
    void beat(const char* node) {
        shm::FoundRecord found;
        if (shm::find(core_->roster(), shm::Name::of(node), found) != shm::Lookup::found) return;
        shm::beat(core_->writable().word(found.slot), to_stamp(now_, core_->roster().base_ns()), found.record.hot.generation);
    }

    Instant now_ = instant_from_ns(1'000'000'000'000);
    engine::Inbox inbox_;
    std::unique_ptr<engine::Core> core_;
};

// Alive, suspect, dead of silence, dead by proof, left, evicted, slots in their second life, blobs of several sizes, pauses, a ring that
// has gone round.
void live(Story& story) {
    const auto steady = {"a", "b", "c"};
    story.core().writable().header().cards_used.store(8, std::memory_order_release);  // [extent]
    for (const char* node : {"a", "b", "c", "old", "quiet", "lost", "gone", "left"}) story.join(node, 100 + static_cast<std::uint32_t>(node[0]), {{"zone", node}});
    story.step();
    constexpr std::array<std::size_t, 3> lengths{1, 60, 300};
    for (std::size_t i = 0; i < 56; ++i) {
        story.tell("a", Request::Kind::update, {{"turn", std::to_string(i)}, {"text", std::string(lengths[i % lengths.size()], 'x')}});
        story.step(std::chrono::milliseconds(10));
    }
    story.tell("left", Request::Kind::leave);
    story.run(std::chrono::seconds(5), {"a", "b", "c", "quiet", "lost", "gone"});
    story.run(std::chrono::seconds(2), {"a", "b", "c", "quiet", "gone"});
    story.step(std::chrono::seconds(4));  // a pause
    story.run(std::chrono::seconds(4), steady);
    story.tell("gone", Request::Kind::exited);
    story.join("second", 900);
    story.run(std::chrono::seconds(1), steady);
}

// One commit with an event of every kind that requests bring.
void last_commit(Story& story) {
    story.join("new", 901, {{"zone", "n"}});
    story.tell("b", Request::Kind::leave);
    story.tell("c", Request::Kind::exited);
    story.tell("quiet", Request::Kind::evict);
    story.tell("a", Request::Kind::update, {{"turn", "last"}});
    story.step();
}

void take(std::vector<std::byte>& to, const std::vector<std::byte>& from, std::uint64_t at, std::uint64_t bytes) {
    std::memcpy(to.data() + at, from.data() + at, bytes);
}

// `after`, as it was before its last publication; records, words and index of the first `untouched` slots as before the commit.
Image interrupted(const Image& before, const Image& after, std::uint32_t untouched) {
    constexpr std::uint64_t header = sizeof(shm::Preamble);
    Image image = after;
    take(image.roster, before.roster, header + offsetof(shm::RosterHeader, selector), sizeof(std::uint64_t));
    take(image.roster, before.roster, header + offsetof(shm::RosterHeader, checkpoints), 2 * sizeof(shm::Checkpoint));
    take(image.roster, before.roster, geometry.records, std::uint64_t{untouched} * sizeof(shm::Record));
    take(image.pulse, before.pulse, geometry.words, std::uint64_t{untouched} * sizeof(shm::Word));
    if (untouched == capacity) take(image.roster, before.roster, geometry.buckets, std::uint64_t{geometry.bucket_count} * 4);
    return image;
}

}  // namespace

std::vector<Image> make_images(const Folder& folder) {
    Story story(folder);
    live(story);
    Image before = folder.read();
    last_commit(story);
    Image after = folder.read();
    before.at = after.at = story.now();
    must(story.core().roster().header().blob_extents_used.load(std::memory_order_relaxed) <= blob_extents_kept, "the image keeps every extent");
    return {after, interrupted(before, after, capacity), interrupted(before, after, capacity / 8), interrupted(before, after, 0)};
}

}  // namespace rollcall::fuzz
