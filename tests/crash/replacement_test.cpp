// Making a cluster's memory, and replacing one that means nothing any more: interrupted anywhere, it is simply repeated.
//
// Goal: at every instruction the folder names either the old memory or the complete new one; whoever holds the old one can know that it is
// over once the new one is named; the next engine opens the folder whatever lies in it, and leaves nothing behind. Method: a child opens the
// folder, and is stepped through that; after each instruction that changed the folder or a file in it, the folder is copied and opened.
#include <filesystem>
#include <iostream>
#include <optional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "shm/snapshot.hpp"
#include "shm/verify.hpp"
#include "tests/crash/folder_watch.hpp"
#include "tests/crash/stepper.hpp"
#include "tests/support/engine_fixture.hpp"

namespace rollcall::test {
namespace {

using namespace std::chrono_literals;
using engine::Core;

struct Old {
    const char* name;
    void (*spoil)(ClusterFiles&);  // null: there is no old memory
};

void PrintTo(const Old& old, std::ostream* out) { *out << old.name; }

const Old olds[]{
    {"OverNothing", nullptr},
    {"OverAnotherBootsMemory", [](ClusterFiles& f) { f.roster().header().boot_id[0].store(4711); }},
    {"OverDamagedMemory", [](ClusterFiles& f) { f.roster().header().prepared.store(1'000'000); }},
    {"OverSupersededMemory", [](ClusterFiles& f) { f.roster().preamble().lifecycle.store(static_cast<std::uint32_t>(shm::Lifecycle::superseded)); }},
};

class ReplacementAtEveryInstruction : public testing::TestWithParam<Old> {
protected:
    ReplacementAtEveryInstruction() {
        std::filesystem::create_directory(living.path() + "/test");
        if (GetParam().spoil == nullptr) return;
        {
            TimedCore core(setup_in(living.path()));
            for (const char* node : {"a", "b", "c"}) core.join(node);
        }
        old.emplace(living.path());
        GetParam().spoil(*old);
        old_instance = old->roster().preamble().instance.load();
    }

    EngineSetup setup_in(const std::string& dir) const { return {.capacity = 8, .ring = 64, .dir = dir, .start = origin + 1s}; }

    // What an observer finds at the path: the new memory, complete and empty, or the old one, or none.
    std::string observed(const std::string& dir, const FolderImage& image) const {
        auto there = shm::Segment::attach(shm::Paths::of(dir, "test"), shm::Access::observer, shm::HostIdentity::current());
        const bool names_new = there && there->instance() != old_instance;
        if (names_new && !image.is_old_over) return "the new memory is published, and nobody can tell that the old one is over";
        if (!there) return "";
        if (names_new && there->is_superseded()) return "the new memory is over before it began";
        shm::Image snapshot;
        const auto outcome = shm::take_snapshot(there->roster(), snapshot);
        if (names_new && (outcome != shm::Snapshot::exact || !snapshot.slots.empty())) return "the new memory is not empty";
        if (names_new && !shm::verify(there->roster(), Stamp{stamp_limit}).broken.empty()) return "the new memory is not in order";
        return "";
    }

    // The next engine. It adopts what was published, and makes what was not.
    std::string opened_by_next(const std::string& dir) const {
        {
            auto there = shm::Segment::attach(shm::Paths::of(dir, "test"), shm::Access::observer, shm::HostIdentity::current());
            const std::uint64_t published = there && there->instance() != old_instance ? there->instance() : 0;
            auto core = Core::open({"test", "engine", "here", dir, {}, 8, 64, {}}, origin + 2s, wall_origin_us);
            if (!core) return core.error().message;
            const std::uint64_t opened = (*core)->segment().instance();
            if (published != 0 && (opened != published || !(*core)->has_adopted())) return "what was published was not adopted";
            if (published == 0 && opened == old_instance) return "the old memory was adopted";
        }
        TimedCore next(setup_in(dir));
        if (!next.core().has_adopted()) return "the engine after it does not adopt: " + next.core().why_replaced();
        for (std::uint32_t i = 0; i < 8; ++i)
            if (const auto answer = next.join("fresh-" + std::to_string(i)); answer.error) return answer.error->message;
        const auto broken = shm::verify(next.roster(), next.now_stamp()).broken;
        if (!broken.empty()) return broken.front();
        const auto files = std::distance(std::filesystem::directory_iterator(dir + "/test"), std::filesystem::directory_iterator{});
        return files == 3 ? "" : std::to_string(files) + " files are there, instead of roster, pulse and lock";
    }

    TemporaryFolder living;
    std::optional<ClusterFiles> old;
    std::uint64_t old_instance = 0;
};
INSTANTIATE_TEST_SUITE_P(Made, ReplacementAtEveryInstruction, testing::ValuesIn(olds),
                         [](const auto& tested) { return std::string(tested.param.name); });

TEST_P(ReplacementAtEveryInstruction, TheFolderIsOpenedByTheNextEngine) {
    SteppedProcess child([&](const SteppedProcess::Stop& stop) {
        stop();
        auto core = Core::open({"test", "engine", "here", living.path(), {}, 8, 64, {}}, origin + 1s, wall_origin_us);
        if (!core) throw std::runtime_error(core.error().message);
        stop();
    });
    FolderWatch watch(living.path() + "/test", old ? &*old : nullptr);
    FolderImage last = watch.image();
    std::uint64_t images = 0, faults = 0;
    TemporaryFolder copy;
    const auto judge = [&] {
        ++images;
        last.write(copy.path() + "/test");
        std::string fault = observed(copy.path(), last);
        if (fault.empty()) fault = opened_by_next(copy.path());
        if (!fault.empty() && ++faults <= 5) ADD_FAILURE() << "image " << images << ", after instruction " << child.instructions() << ": " << fault;
    };
    judge();
    while (child.step() && faults < 5)
        if (watch.update(last)) judge();
    std::cout << "sweep: memory is made " << GetParam().name << ": " << child.instructions() << " instructions stepped, " << images
              << " images judged, " << faults << " faults\n";
    RecordProperty("images", std::to_string(images));
    RecordProperty("instructions", std::to_string(child.instructions()));
    EXPECT_GT(images, 500u);
}

}  // namespace
}  // namespace rollcall::test
