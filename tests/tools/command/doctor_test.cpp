// `rollcall doctor` on this machine: with an engine, without one, with one that is stopped, in places where none can be, and as somebody else.
#include <filesystem>
#include <fstream>

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <linux/magic.h>

#include "shm/layout.hpp"
#include "tests/tools/command/command_fixture.hpp"

namespace rollcall::test {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using nlohmann::json;

class Doctor : public CommandTest {
protected:
    struct Told {
        int code;
        json document;
        // The grade of what was looked at, or nothing.
        std::string grade(const std::string& what) const {
            for (const auto& f : document["findings"])
                if (f["what"].get<std::string>().starts_with(what)) return f["grade"];
            return "";
        }
        // Without the advice.
        std::string said_of(const std::string& what) const {
            for (const auto& f : document["findings"])
                if (f["what"] == what) return f["found"];
            return "";
        }
        std::string found(const std::string& what) const {
            for (const auto& f : document["findings"])
                if (f["what"].get<std::string>().starts_with(what)) return f["found"].get<std::string>() + " " + (f["advice"].is_null() ? "" : f["advice"].get<std::string>());
            return "";
        }
    };
    Told ask(const Words& words = {}, const How& how = {}) const {
        Words all{"doctor", "--json"};
        all.insert(all.end(), words.begin(), words.end());
        const Outcome outcome = run(all, how);
        EXPECT_EQ(outcome.err, "");
        Told told{outcome.code, json::parse(outcome.out)};
        EXPECT_EQ(told.code, told.document["bad"] == 0 ? 0 : 1) << outcome.out;
        return told;
    }
    // In a mount namespace of its own, where `script` was run before.
    static How with_mounts(const std::string& script) { return {.as_another_user = false, .shell = "exec unshare --mount --propagation unchanged sh -c '" + of_its_own + script + " && exec \"$@\"' sh \"$@\"", .environment = {}}; }
    std::string roster() const { return dir() + "/default/roster"; }
};

TEST_F(Doctor, FindsNothingBadBeforeTheFirstEngine) {
    const Told told = ask();
    EXPECT_EQ(told.code, 0) << told.document;
    for (const char* what : {"kernel", "watching processes", "filesystem", "space"}) EXPECT_EQ(told.grade(what), "ok") << told.found(what);
    EXPECT_EQ(told.grade("folder"), "note");
    EXPECT_EQ(told.grade("memory"), "note");
    EXPECT_EQ(told.grade("engine"), "");
    EXPECT_FALSE(fs::exists(dir())) << "looking makes nothing";
}

TEST_F(Doctor, FindsNothingBadWithAnEngine) {
    Process& engine = start_engine();
    start_member("a");
    const std::string before = state();
    ASSERT_TRUE(eventually([&] { return ask().grade("engine") == "ok"; })) << "the machine has little time";
    const Told told = ask();
    EXPECT_EQ(told.code, 0) << told.document;
    for (const char* what : {"folder", "filesystem", "space", "memory", "boot", "time namespace", "pid namespace", "version", "joining", "control socket"})
        EXPECT_EQ(told.grade(what), "ok") << what << told.found(what);
    EXPECT_THAT(told.found("engine"), HasSubstr("(pid " + std::to_string(engine.pid()) + ")"));
    EXPECT_EQ(state(), before) << "and changes nothing";
    EXPECT_THAT(run({"doctor"}).out, HasSubstr("\nok    memory: every invariant holds\n"));
}

TEST_F(Doctor, NotesThatTheEngineIsGone) {
    kill(start_engine());
    const Told told = ask();
    EXPECT_EQ(told.code, 0) << told.document;
    EXPECT_EQ(told.grade("engine"), "note");
    EXPECT_EQ(told.grade("control socket"), "note");
    EXPECT_EQ(told.grade("joining"), "note") << "there is nobody to ask";
    EXPECT_EQ(told.grade("lock"), "ok");
    EXPECT_EQ(told.grade("memory"), "ok");
}

TEST_F(Doctor, NamesAStoppedEngine) {
    Process& engine = start_engine();
    engine.stop();
    const Told told = ask();
    EXPECT_EQ(told.code, 1);
    EXPECT_EQ(told.grade("engine"), "bad");
    EXPECT_THAT(told.found("engine"), HasSubstr("kill -CONT " + std::to_string(engine.pid())));
    engine.go_on();
    EXPECT_TRUE(eventually([&] { return ask().grade("engine") == "ok"; }));
}

// A disk: what was built lies on one, or the test says that it does not.
TEST_F(Doctor, RefusesAFolderOnADisk) {
    struct statfs filesystem{};
    ASSERT_EQ(::statfs(ROLLCALL_DISK_FOLDER, &filesystem), 0);
    if (filesystem.f_type == TMPFS_MAGIC) GTEST_SKIP() << "this was built on a tmpfs";
    const Told told = ask({"--dir", ROLLCALL_DISK_FOLDER "/no-such-folder"});
    EXPECT_EQ(told.code, 1);
    EXPECT_EQ(told.grade("filesystem of " ROLLCALL_DISK_FOLDER), "bad");
    EXPECT_EQ(run({"run", "--dir", ROLLCALL_DISK_FOLDER "/no-such-folder"}).code, 1) << "the engine says the same";
    fs::remove_all(ROLLCALL_DISK_FOLDER "/no-such-folder");
}

TEST_F(Doctor, ComparesTheLimitOfOpenFiles) {
    const How few{.as_another_user = false, .shell = "exec prlimit --nofile=256:256 \"$@\"", .environment = {}};
    const Told before = ask({}, few);
    EXPECT_EQ(before.grade("open files"), "note");
    EXPECT_THAT(before.found("open files"), HasSubstr("Enough for about 96 processes"));
    start_engine(calm, few);
    const Told with = ask();
    EXPECT_EQ(with.grade("open files of the engine"), "note") << "the engine's, not ours: " << with.document;
    const How fewer{.as_another_user = false, .shell = "exec prlimit --nofile=40:40 \"$@\"", .environment = {}};
    EXPECT_EQ(ask({"--cluster", "other"}, fewer).grade("open files"), "bad");
}

TEST_F(Doctor, TellsAnotherUserWhatHeMay) {
    start_engine();
    const Told told = ask({}, {.as_another_user = true, .shell = {}, .environment = {}});
    EXPECT_EQ(told.code, 0) << told.document;
    EXPECT_EQ(told.grade("memory"), "ok");
    EXPECT_EQ(told.grade("joining"), "note");
    EXPECT_EQ(told.grade("control socket"), "note");
    fs::permissions(dir() + "/default", fs::perms(0700));
    const Told hidden = ask({}, {.as_another_user = true, .shell = {}, .environment = {}});
    EXPECT_EQ(hidden.code, 1);
    EXPECT_EQ(hidden.grade("memory"), "bad");
}

TEST_F(Doctor, NamesAFolderThatMayNotBeMade) {
    const Told told = ask({}, {.as_another_user = true, .shell = {}, .environment = {}});
    EXPECT_EQ(told.grade("folder"), "bad") << "in the folder of a test of root's";
    EXPECT_THAT(told.found("folder"), HasSubstr("may not be made in " + folder()));
}

// It exists, and no engine can start there: another user's folder, and a filesystem that may only be read.
TEST_F(Doctor, NamesAFolderThatMayNotBeWritten) {
    const How another{.as_another_user = true, .shell = {}, .environment = {}};
    fs::create_directory(dir());
    const Told foreign = ask({}, another);
    EXPECT_EQ(foreign.grade("folder"), "bad");
    EXPECT_THAT(foreign.found("folder"), HasSubstr("may not make the cluster's folder in " + dir()));
    EXPECT_EQ(run({"run"}, another).code, 1) << "the engine says the same";
    for (const char* cluster : {"", "/default"}) {
        const How read_only = with_mounts("mount -t tmpfs -o mode=0755 tmpfs " + dir() + " && mkdir -p " + dir() + cluster + " && mount -o remount,ro " + dir());
        const Told told = ask({}, read_only);
        EXPECT_EQ(told.grade("folder"), "bad") << told.document;
        EXPECT_EQ(run({"run"}, read_only).code, 1);
    }
}

TEST_F(Doctor, TellsWhoseFolderTheClusterOfADeadEngineIs) {
    kill(start_engine());
    const How another{.as_another_user = true, .shell = {}, .environment = {}};
    const Told told = ask({}, another);
    EXPECT_EQ(told.code, 0) << told.document;
    EXPECT_EQ(told.grade("folder"), "note");
    EXPECT_THAT(told.found("folder"), HasSubstr("the folder is uid 0's"));
    EXPECT_EQ(told.grade("lock"), "note");
    EXPECT_EQ(run({"run"}, another).code, 1) << "the engine says the same";
}

// What keeps every engine out is named in the engine's own words, whether there is memory or not.
TEST_F(Doctor, LooksAtTheLockAsAnEngineDoes) {
    fs::create_directories(dir() + "/default");
    const std::string lock = dir() + "/default/lock";
    const auto make = [&] { std::ofstream(lock) << ""; };
    const std::vector<std::function<void()>> damages{
        [&] { make(), fs::permissions(lock, fs::perms(0644)); },
        [&] { make(), fs::permissions(lock, fs::perms(0600)), static_cast<void>(::chown(lock.c_str(), 7, 7)); },
        [&] { make(), fs::permissions(lock, fs::perms(0600)), fs::create_hard_link(lock, folder() + "/second"); },
        [&] { fs::create_symlink("/etc/passwd", lock); },
        [&] { fs::create_symlink(folder() + "/nothing", lock); },
        [&] { fs::create_directory(lock); },
        [&] { static_cast<void>(::mkfifo(lock.c_str(), 0644)), fs::permissions(lock, fs::perms(0644)); },
    };
    for (std::size_t i = 0; i < damages.size(); ++i) {
        SCOPED_TRACE(i);
        damages[i]();
        const Told told = ask();
        EXPECT_EQ(told.grade("lock"), "bad") << told.document;
        const Outcome engine = run({"run"});
        EXPECT_EQ(engine.code, 1);
        EXPECT_EQ("rollcall: " + told.said_of("lock") + "\n", engine.err);
        fs::remove_all(lock);
    }
    EXPECT_EQ(ask().grade("lock"), "ok");
    EXPECT_FALSE(fs::exists(lock)) << "looking makes nothing";
}

TEST_F(Doctor, NamesAFolderInPlaceOfTheSocket) {
    fs::create_directories(dir() + "/default/control.sock/x");
    const Told without_memory = ask();
    EXPECT_EQ(without_memory.grade("control socket"), "bad") << without_memory.document;
    EXPECT_EQ(run({"run"}).code, 1) << "the engine says the same";
    EXPECT_EQ(ask().grade("control socket"), "bad") << "and the memory that it made changes nothing";
}

TEST_F(Doctor, NamesASocketThatWasReplaced) {
    start_engine();
    EXPECT_EQ(ask().grade("joining"), "ok");
    fs::remove(dir() + "/default/control.sock");
    EXPECT_EQ(ask().grade("joining"), "note") << "nobody can join, whoever may write heartbeats";
    std::ofstream(dir() + "/default/control.sock") << "";
    const Told told = ask();
    EXPECT_THAT(told.found("control socket"), HasSubstr("Somebody has replaced it"));
    EXPECT_EQ(told.grade("control socket"), "bad");
}

TEST_F(Doctor, NamesLinksToNothingAndNamesThatAreTooLong) {
    fs::create_directory_symlink(folder() + "/nothing", dir());
    const Told link = ask();
    EXPECT_EQ(link.grade("folder"), "bad");
    EXPECT_THAT(link.found("folder"), HasSubstr("no folder " + dir() + ": it is a symbolic link to nothing"));
    EXPECT_THAT(run({"run"}).err, HasSubstr("a symbolic link to nothing")) << "the engine says the same";
    const std::string longest = folder() + "/x/" + std::string(255, 'x'), longer = longest + "x";
    EXPECT_EQ(ask({"--dir", longest}).grade("folder"), "note");
    EXPECT_EQ(ask({"--dir", longer}).grade("folder"), "bad");
    EXPECT_EQ(run({"run", "--dir", longer}).code, 1);
}

// A tmpfs counts its own root, too: five more are the cluster's folder, lock, pulse, roster and socket.
TEST_F(Doctor, CountsInodes) {
    fs::create_directory(dir());
    const auto with = [&](int inodes) { return with_mounts("mount -t tmpfs -o mode=0755,nr_inodes=" + std::to_string(inodes) + " tmpfs " + dir()); };
    EXPECT_EQ(ask({}, with(5)).grade("space"), "bad");
    EXPECT_EQ(run({"run"}, with(5)).code, 1) << "the engine says the same";
    EXPECT_EQ(ask({}, with(6)).grade("space"), "ok");
    Process& engine = start({"run"}, with(6));
    EXPECT_TRUE(eventually([&] { return engine.has_ended() || said_by(engine).find("is ready in") != std::string::npos; }));
    EXPECT_FALSE(engine.has_ended()) << said_by(engine);
}

// The cluster's folder may be a mount of its own: what that has free counts, and what it is.
TEST_F(Doctor, LooksWhereTheClusterLies) {
    fs::create_directories(dir() + "/default");
    const How small = with_mounts("mount -t tmpfs -o mode=0755,size=256k tmpfs " + dir() + "/default"), other = with_mounts("mount -t ramfs -o mode=0755 ramfs " + dir() + "/default");
    EXPECT_EQ(ask({}, small).grade("space in " + dir() + "/default"), "bad");
    EXPECT_EQ(ask({}, other).grade("filesystem of " + dir() + "/default"), "bad");
    for (const How& how : {small, other}) EXPECT_EQ(run({"run"}, how).code, 1) << "the engine says the same";
}

TEST_F(Doctor, ComparesTheLimitOfFileSizes) {
    const How small{.as_another_user = false, .shell = "ulimit -f 100; exec \"$@\"", .environment = {}};
    EXPECT_EQ(ask({}, small).grade("file size"), "bad");
    expect_refused(run({"run"}, small), 1, {"File too large"});
}

// The limit that a running engine has, not the one to which it could raise itself.
TEST_F(Doctor, CountsTheSoftLimitOfARunningEngine) {
    Process& engine = start_engine();
    rlimit limit{};
    ASSERT_EQ(::prlimit(engine.pid(), RLIMIT_NOFILE, nullptr, &limit), 0);
    limit.rlim_cur = 256;
    ASSERT_EQ(::prlimit(engine.pid(), RLIMIT_NOFILE, &limit, nullptr), 0);
    EXPECT_THAT(ask().found("open files of the engine"), HasSubstr("Enough for about 96 processes"));
}

// Whatever lies where the memory should be: an answer, in time, and the rest is looked at all the same.
TEST_F(Doctor, SurvivesEveryDamage) {
    kill(start_engine());
    const std::string whole = folder() + "/whole";
    fs::copy(roster(), whole);
    const std::vector<std::function<void()>> damages{
        [&] { fs::resize_file(roster(), 0); },
        [&] { fs::resize_file(roster(), 5000); },
        [&] { std::ofstream(roster(), std::ios::binary | std::ios::in).write(std::string(64, '\xff').data(), 64); },
        [&] { fs::remove(roster()), static_cast<void>(::mkfifo(roster().c_str(), 0644)); },
        [&] { fs::remove(roster()), fs::create_directory(roster()); },
        [&] { fs::remove(roster()), fs::create_symlink("/etc/passwd", roster()); },
        [&] { fs::permissions(dir() + "/default", fs::perms(0777)); },
        [&] { fs::remove_all(dir()), std::ofstream(dir()) << "a file"; },
    };
    for (std::size_t i = 0; i < damages.size(); ++i) {
        SCOPED_TRACE(i);
        damages[i]();
        const Told told = ask();
        EXPECT_EQ(told.code, 1) << told.document;
        EXPECT_EQ(told.grade("kernel"), "ok");
        EXPECT_NE(told.grade("memory"), "ok");
        if (i + 1 == damages.size()) break;
        fs::remove_all(roster());
        fs::copy(whole, roster());
        fs::permissions(roster(), fs::perms(0644));
        fs::permissions(dir() + "/default", fs::perms(0755));
    }
}

TEST_F(Doctor, FindsBrokenInvariants) {
    Process& engine = start_engine();
    const ClusterInfo info = observe().info();
    kill(engine);
    {
        std::fstream file(roster(), std::ios::in | std::ios::out | std::ios::binary);
        file.seekp(static_cast<std::streamoff>(shm::Geometry::of(info.capacity, info.ring).buckets));
        file << std::string(64, '\x55');
    }
    const Told told = ask();
    EXPECT_EQ(told.code, run({"dump", "--verify"}).code);
    EXPECT_EQ(told.grade("memory"), told.code == 0 ? "ok" : "bad") << told.document;
    EXPECT_EQ(told.code, 1);
}

TEST_F(Doctor, RefusesNamesThatAreNone) { refuse({{{"doctor", "--cluster", "a b"}, 2, {"the cluster name must be"}}}); }

}  // namespace
}  // namespace rollcall::test
