#include "tests/crash/sweep.hpp"

#include <algorithm>

#include <gtest/gtest.h>
#include <sys/mman.h>

namespace rollcall::test {

using namespace std::chrono_literals;

namespace {

constexpr std::uint64_t faults_told = 5;

// What the child tells its parent without being asked.
struct Shared {
    std::int64_t now_ns = 0;
    Shared() = default;
    static Shared& make() {
        void* at = ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (at == MAP_FAILED) throw std::runtime_error("no shared page");
        return *new (at) Shared;
    }
};

Sequence head_of(const ClusterFiles& files) { return shm::load_head(files.roster().header()); }
Sequence prepared_of(const ClusterFiles& files) { return Sequence{files.roster().header().prepared.load()}; }

}  // namespace

// Takes the memory's image at the first stop and after each instruction up to the second that left it changed.
void Sweep::record(SteppedProcess& child, const ClusterFiles& files, bool until_published) {
    const auto keep = [&] {
        images_.emplace_back(files, spans_);
        instruction_of_.push_back(child.instructions());
        ++tally_.images;
    };
    keep();
    while (child.step()) {
        if (images_.back().is_still_in(files, spans_)) continue;
        keep();
        if (until_published && prepared_of(files) == head_of(files)) break;
    }
    tally_.instructions += child.instructions();
}

// From the images of a recording: what was published, where, and the events.
void Sweep::learn(const std::string& dir, std::size_t from) {
    ClusterFiles files(dir);
    std::uint64_t selector = ~std::uint64_t{0};
    for (std::size_t i = from; i < images_.size(); ++i) {
        images_[i].put_into(files, spans_);
        if (prepared_of(files) != head_of(files)) {
            unfinished_.push_back(i);
            continue;
        }
        const std::uint64_t now = files.roster().header().selector.load();
        if (now != selector) truth_.add(files.roster());
        if (now != selector) truth_.add_events(files.roster());
        selector = now;
    }
}

JudgeOptions Sweep::judge_options() const {
    JudgeOptions options;
    options.settings = setup_.settings;
    options.now = now_ + 1ms;
    options.capacity = setup_.capacity;
    options.ring = setup_.ring;
    options.fills_up = setup_.room == 0;
    options.room = setup_.room;
    return options;
}

void Sweep::judge_all(Judge& judge, std::size_t from, const std::string& of) {
    for (std::size_t i = from; i < images_.size() && tally_.faults < faults_told; ++i) {
        if (!seen_.insert(images_[i].hash()).second) continue;
        ++tally_.judged;
        const std::string fault = judge.fault_of(images_[i]);
        if (fault.empty()) continue;
        ++tally_.faults;
        ADD_FAILURE() << operation_.what << of << ", image " << i - from << " of " << images_.size() - from << ", after instruction "
                      << instruction_of_[i] << ": " << fault;
    }
}

void Sweep::sweep_operation() {
    TemporaryFolder living, judges;
    Shared& shared = Shared::make();
    SteppedProcess child([&](const SteppedProcess::Stop& stop) {
        TimedCore core({setup_.settings, setup_.capacity, setup_.ring, living.path()});
        for (const std::string& node : setup_.members) core.join(node, "of " + node), core.take();
        core.step_after(10ms);
        operation_.before(core);
        core.take();
        stop();
        operation_.make(core);
        shared.now_ns = to_ns(core.now());
        stop();
    });
    const ClusterFiles files(living.path());
    copy_cluster(living.path(), origin_.path());
    copy_cluster(living.path(), judges.path());
    spans_ = what_changes(files.roster().geometry(), setup_.first_slot, setup_.extents);
    const Sequence before = head_of(files);
    if (setup_.call) setup_.call(living.path());
    record(child, files);
    now_ = instant_from_ns(shared.now_ns);
    ::munmap(&shared, sizeof shared);

    learn(judges.path(), 0);  // and leaves the last image there
    EXPECT_EQ(files.difference(ClusterFiles(judges.path())), "") << operation_.what << ": the sweep does not look there";
    EXPECT_EQ(truth_.lines_after(before), operation_.events) << operation_.what << ": the sweep is not of what it says";
    Judge judge(judges.path(), spans_, truth_, judge_options());
    judge_all(judge, 0, "");
}

std::vector<std::size_t> Sweep::some_unfinished(std::size_t how_many) const {
    std::vector<std::size_t> some;
    const std::size_t count = std::min(how_many, unfinished_.size());
    for (std::size_t i = 0; i < count; ++i) some.push_back(unfinished_[unfinished_.size() * i / count]);
    return some;
}

void Sweep::sweep_adoptions(std::size_t how_many) {
    for (const std::size_t image : some_unfinished(how_many)) sweep_adoption_of(image, false);
}

void Sweep::sweep_whole_adoptions(std::size_t how_many) {
    for (const std::size_t image : some_unfinished(how_many)) sweep_adoption_of(image, true);
}

// The child's part. What is stepped lies between the stops.
void Sweep::adopt(const std::string& dir, bool whole, const SteppedProcess::Stop& stop) const {
    const Instant now = now_ + 500us;
    if (whole) {
        stop();
        auto opened = engine::Core::open({"test", "engine", "here", dir, setup_.settings, 0, 0, {}}, now, wall_origin_us);
        if (!opened) throw std::runtime_error(opened.error().message);
        return stop();
    }
    auto segment = shm::Segment::attach(shm::Paths::of(dir, "test"), shm::Access::engine, shm::HostIdentity::current());
    if (!segment) throw std::runtime_error(segment.error().message);
    const engine::Now at{to_stamp(now, segment->roster().base_ns()), to_ns(now), wall_origin_us};
    const std::uint32_t epoch = segment->roster().header().epoch.load() + 1;
    stop();
    auto books = engine::adopt(std::move(*segment), at, epoch);
    if (!books) throw std::runtime_error(books.error().message);
    stop();
}

void Sweep::sweep_adoption_of(std::size_t image, bool whole) {
    if (tally_.faults >= faults_told) return;
    TemporaryFolder living, judges;
    copy_cluster(origin_.path(), living.path());
    ClusterFiles files(living.path());
    images_[image].put_into(files, spans_);
    copy_cluster(living.path(), judges.path());
    SteppedProcess child([&](const SteppedProcess::Stop& stop) { adopt(living.path(), whole, stop); });
    ++tally_.adoptions;
    const std::size_t from = images_.size();
    record(child, files, !whole);
    learn(judges.path(), from);
    EXPECT_EQ(files.difference(ClusterFiles(judges.path())), "") << "adoption of " << operation_.what << ": the sweep does not look there";
    Judge judge(judges.path(), spans_, truth_, judge_options());
    judge_all(judge, from, ", adoption of image " + std::to_string(image));
}

}  // namespace rollcall::test
