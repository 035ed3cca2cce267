// What tools/containers/compose.yaml describes, without Docker: each of its services in pid, ipc and mount namespaces and a root of its own,
// with one tmpfs in all of them. Folder, size, modes and command lines are read out of the recipe, so that it is the recipe that is tested.
#include <filesystem>
#include <fstream>
#include <memory>
#include <regex>
#include <sstream>

#include <csignal>
#include <sys/mount.h>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "engine/client/observer.hpp"
#include "shm/layout.hpp"
#include "tests/support/other_users.hpp"

namespace rollcall::test {
namespace {

using testing::HasSubstr;

// As much of YAML as the recipe needs: lines, and how far they are indented.
class Recipe {
public:
    Recipe() {
        std::ifstream file(ROLLCALL_COMPOSE);
        for (std::string line; std::getline(file, line);) lines_.push_back(line);
    }
    // What stands behind `key:` within a service; all of them must have it.
    std::string of(const std::string& service, const std::string& key) const {
        bool inside = false;
        for (const std::string& line : lines_) {
            if (line.starts_with("  ") && line[2] != ' ') inside = line == "  " + service + ":";
            const std::size_t at = line.find(key + ": ");
            if (inside && at != std::string::npos && line.find_first_not_of(' ') == at) return line.substr(at + key.size() + 2);
        }
        throw std::runtime_error("compose.yaml: no " + key + " of " + service);
    }
    // The only volume, as `volume:folder`.
    std::string folder_of(const std::string& service) const {
        bool inside = false;
        for (const std::string& line : lines_) {
            if (line.starts_with("  ") && line[2] != ' ') inside = line == "  " + service + ":";
            if (inside && line.starts_with("      - memory:")) return line.substr(line.find(':') + 1);
        }
        throw std::runtime_error("compose.yaml: no volume of " + service);
    }
    std::string mount_options() const {
        for (const std::string& line : lines_) {
            std::smatch match;
            if (std::regex_match(line, match, std::regex(" +o: \"(.*)\""))) return match[1];
        }
        throw std::runtime_error("compose.yaml: no mount options");
    }
    bool has_line(const std::string& text) const { return std::find(lines_.begin(), lines_.end(), text) != lines_.end(); }

private:
    std::vector<std::string> lines_;
};

constexpr const char* volume = "/dev/shm/volume";

// The memory of all, and how a container is begun: everything that is mounted lies below a /dev/shm that nobody else sees.
class Containers : public testing::Test {
protected:
    void SetUp() override {
        if (!is_root_or_says_so()) GTEST_SKIP();
        memory_ = std::make_unique<PrivateMemory>();
        std::filesystem::create_directories("/dev/shm/root");
        std::filesystem::create_directories(volume);
        ASSERT_EQ(::mount("tmpfs", volume, "tmpfs", 0, recipe_.mount_options().c_str()), 0);
        commands_ = std::make_unique<Commands>();
    }
    void TearDown() override {
        commands_.reset();
        ::umount2(volume, MNT_DETACH);
    }

    // A root where /run is empty but for the volume, as the image's is.
    User in_container(const std::string& service) const {
        const std::string script =
            "set -e; R=/dev/shm/root; mount --rbind / $R; mount --make-rprivate $R; mount -t proc proc $R/proc; mount -t tmpfs tmpfs $R/run; mkdir -p $R" + recipe_.folder_of(service) +
            "; mount --bind " + volume + " $R" + recipe_.folder_of(service) + "; exec chroot $R \"$@\"";
        return {0, 0, {}, {"unshare", "--propagation", "unchanged", "--mount", "--pid", "--ipc", "--fork", "--kill-child", "sh", "-c", script, "sh", "env",
                           "ROLLCALL_DIR=" + recipe_.of(service, "ROLLCALL_DIR")}};
    }
    // The service's command line, without `rollcall`.
    std::vector<std::string> words_of(const std::string& service) const {
        std::istringstream line(recipe_.of(service, "command"));
        std::vector<std::string> words;
        for (std::string word; line >> word;) words.push_back(word);
        EXPECT_EQ(words.front(), "rollcall");
        words.erase(words.begin());
        return words;
    }
    Process& start(const std::string& service) {
        Process& started = commands_->start(in_container(service), words_of(service), service == "engine" ? "is ready in" : "");
        EXPECT_TRUE(service == "engine" || happens(service, "alive")) << commands_->said_by(started);
        return started;
    }
    // `compose exec SERVICE rollcall WORDS`, but in a container of its own.
    Said run(const std::vector<std::string>& words) const { return commands_->run(in_container("engine"), words); }
    bool happens(const std::string& node, const std::string& state) const { return run({"wait", node, "--state", state, "--timeout", "30s"}).code == 0; }
    nlohmann::json peer(const std::string& node) const { return nlohmann::json::parse(run({"why", node, "--json"}).out)["peer"]; }
    // `compose kill`: the first process of the container, and all of it with it.
    static void kill(Process& container) {
        container.signal(SIGKILL);
        container.wait();
    }

    static pid_t child_of(pid_t parent) {
        const std::string id = std::to_string(parent);
        pid_t child = 0;
        std::ifstream("/proc/" + id + "/task/" + id + "/children") >> child;
        return child;
    }

    Recipe recipe_;
    std::unique_ptr<PrivateMemory> memory_;
    std::unique_ptr<Commands> commands_;
};

TEST_F(Containers, OfTheRecipeShareOneFolder) {
    for (const char* service : {"engine", "worker-1", "worker-2"}) {
        EXPECT_EQ(recipe_.folder_of(service), recipe_.folder_of("engine"));
        EXPECT_EQ(recipe_.of(service, "ROLLCALL_DIR"), recipe_.folder_of(service));
        EXPECT_EQ(recipe_.of(service, "image"), "rollcall");
        EXPECT_EQ(recipe_.of(service, "restart"), "unless-stopped");
        EXPECT_TRUE(recipe_.of(service, "pull_policy").starts_with(std::string(service) == "engine" ? "build" : "never")) << "no registry is asked";
    }
    EXPECT_TRUE(recipe_.has_line("      type: tmpfs"));
}

// A member is killed with its container: dead by proof on the spot, although nobody there sees its pid. The other one is not hurt.
TEST_F(Containers, TellAtOnceThatAMemberWasKilled) {
    start("engine");
    start("worker-1");
    Process& second = start("worker-2");
    kill(second);
    EXPECT_TRUE(happens("worker-2", "dead"));
    EXPECT_EQ(peer("worker-2")["reason"], "process_exit");
    EXPECT_TRUE(peer("worker-2")["evidence"]["signal"].is_null()) << "how it ended nobody is left to say";
    EXPECT_TRUE(happens("worker-1", "alive"));
    EXPECT_THAT(run({"stat"}).out, testing::ContainsRegex("processes not watched +0\n"));
}

// The program alone is killed: its wrapper, the container's first process, tells how, and ends as it did.
TEST_F(Containers, TellHowAMembersProgramEnded) {
    start("engine");
    Process& member = start("worker-1");
    pid_t program = 0;
    ASSERT_TRUE(eventually([&] { return (program = child_of(child_of(member.pid()))) != 0; }));
    ASSERT_EQ(::kill(program, SIGKILL), 0);
    EXPECT_TRUE(happens("worker-1", "dead"));
    EXPECT_EQ(peer("worker-1")["evidence"]["signal"], 9);
    EXPECT_EQ(member.wait(), 128 + SIGKILL);
}

// The memory is not the engine's container's: members stay, and are watched again by the next one.
TEST_F(Containers, KeepTheirMembersWhileTheEnginesIsReplaced) {
    Process& engine = start("engine");
    Process& member = start("worker-1");
    const auto before = peer("worker-1")["incarnation"];
    kill(engine);
    Process& next = start("engine");
    EXPECT_EQ(peer("worker-1")["incarnation"], before);
    // Until it has come back, its death would be judged by silence.
    ASSERT_TRUE(eventually([&] { return count_pidfds_of_child(next) == 1; }));
    kill(member);
    EXPECT_TRUE(happens("worker-1", "dead"));
    EXPECT_EQ(peer("worker-1")["reason"], "process_exit");
}

// The default capacity, full, has room in the recipe's tmpfs; doctor says so from inside, and what is lost without a shared pid namespace.
TEST_F(Containers, HaveRoomForTheDefaultCapacity) {
    start("engine");
    const auto observer = Observer::attach({.cluster = "default", .dir = volume, .after = {}, .stream = {}, .copy = false});
    ASSERT_TRUE(observer) << observer.error().message;
    const ClusterInfo info = observer->info();
    EXPECT_EQ(info.capacity, shm::default_capacity);
    const shm::Geometry g = shm::Geometry::of(info.capacity, info.ring);
    EXPECT_LE(g.roster_bytes + g.pulse_bytes, std::uint64_t{64} << 20);
    EXPECT_THAT(recipe_.mount_options(), HasSubstr("size=64m"));
    const Said doctor = run({"doctor"});
    EXPECT_EQ(doctor.code, 0) << doctor.out;
    EXPECT_THAT(doctor.out, HasSubstr("ok    space in " + recipe_.folder_of("engine") + ": "));
    EXPECT_THAT(doctor.out, HasSubstr("note  pid namespace: the memory's is another one than ours"));
    EXPECT_THAT(doctor.out, HasSubstr("ok    control socket: reached"));
}

// In a root without /proc nothing works: doctor says so, and neither crashes nor waits.
TEST_F(Containers, WithoutProcAreToldOfIt) {
    start("engine");
    User bare = in_container("engine");
    bare.through.insert(bare.through.end(), {"sh", "-c", "mount -t tmpfs tmpfs /proc && exec \"$@\"", "sh"});
    const Said doctor = commands_->run(bare, {"doctor"});
    EXPECT_EQ(doctor.code, 1) << doctor.out << doctor.err;
    EXPECT_THAT(doctor.out, HasSubstr("bad   /proc: is not mounted"));
}

}  // namespace
}  // namespace rollcall::test
