// Whose memory is believed: every folder, file and socket whose owner, mode or name is not as it must be is refused, with one line that
// says what, where and what to do; put right, everything goes on.
#include <fcntl.h>

#include <filesystem>

#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <gmock/gmock.h>

#include "shm/local_socket.hpp"
#include "tests/support/other_users.hpp"

namespace rollcall::test {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

const std::string dir = "/dev/shm/rollcall", place = dir + "/default";

const std::vector<std::string> look{"members"}, join{"join", "--node", "x", "--", "true"}, command{"set", "--suspect", "40s"}, lead{"run"};

std::string pulse_path() {
    for (const auto& file : fs::directory_iterator(place))
        if (file.path().filename().string().starts_with("pulse.")) return file.path().string();
    return "";
}

void set_mode(const std::string& path, mode_t mode) { ASSERT_EQ(::chmod(path.c_str(), mode), 0); }
void give_to(const std::string& path, uid_t uid) { ASSERT_EQ(::lchown(path.c_str(), uid, static_cast<gid_t>(-1)), 0); }

void expect_refused(const Said& said, const std::string& what, const std::string& why) {
    EXPECT_EQ(said.code, 1) << said.err;
    EXPECT_THAT(said.err, AllOf(HasSubstr(what), HasSubstr(why)));
    EXPECT_EQ(std::count(said.err.begin(), said.err.end(), '\n'), 1) << said.err;
}

// One thing is spoilt; who then attempts what must be refused; then it is repaired.
struct Spoilt {
    const char* what;
    std::string path;
    std::function<void(const std::string&)> spoil, repair;
    std::vector<std::vector<std::string>> refused;
    std::string why;
};

Spoilt with_mode(const char* what, const std::string& path, mode_t bad, mode_t good, std::vector<std::vector<std::string>> refused,
                 const std::string& why) {
    return {what, path, [bad](const std::string& p) { set_mode(p, bad); }, [good](const std::string& p) { set_mode(p, good); }, std::move(refused),
            why};
}

Spoilt with_owner(const char* what, const std::string& path, std::vector<std::vector<std::string>> refused) {
    return {what,
            path,
            [](const std::string& p) { give_to(p, bob.uid); },
            [](const std::string& p) { give_to(p, 0); },
            std::move(refused),
            "belongs to uid 60002"};
}

Spoilt with_second_name(const char* what, const std::string& path, std::vector<std::vector<std::string>> refused) {
    const std::string second = "/dev/shm/second-name";
    return {what,
            path,
            [second](const std::string& p) { fs::create_hard_link(p, second); },
            [second](const std::string&) { fs::remove(second); },
            std::move(refused),
            "has 2 names"};
}

Spoilt with_link(const char* what, const std::string& path, std::vector<std::vector<std::string>> refused) {
    const std::string moved = "/dev/shm/moved";
    const auto spoil = [moved](const std::string& p) {
        fs::rename(p, moved);
        fs::create_symlink(moved, p);
    };
    return {what, path, spoil, [moved](const std::string& p) { fs::rename(moved, p); }, std::move(refused), "symbolic link"};
}

// A folder is exchanged for a link in a moment: rename does not replace a link by a folder.
Spoilt with_linked_folder(const char* what, const std::string& path, std::vector<std::vector<std::string>> refused, uid_t owner) {
    const std::string moved = "/dev/shm/moved";
    const auto spoil = [moved, owner](const std::string& p) {
        fs::rename(p, moved);
        fs::create_symlink(moved, p);
        give_to(p, owner);
    };
    const auto repair = [moved](const std::string& p) {
        fs::remove(p);
        fs::rename(moved, p);
    };
    return {what, path, spoil, repair, std::move(refused), "symbolic link"};
}

void expect_each_refused(const Commands& commands, const std::vector<Spoilt>& table) {
    for (const Spoilt& row : table) {
        SCOPED_TRACE(row.what);
        row.spoil(row.path);
        for (const auto& words : row.refused) expect_refused(commands.run(root, words), row.path, row.why);
        row.repair(row.path);
        EXPECT_EQ(commands.run(root, look).code, 0);
    }
}

TEST(Trust, FoldersThatOthersMayWriteOrOwnAreRefused) {
    if (!is_root_or_says_so()) return;
    PrivateMemory memory;
    Commands commands;
    commands.start_engine(root);
    const std::vector<std::vector<std::string>> all{look, join, command, lead, {"stop", "--remove"}, {"dump"}};
    const std::string everybody = "can be written by everybody", group = "can be written by its group";
    const std::vector<Spoilt> table{
        with_mode("DIR, everybody", dir, 0757, 0755, all, everybody),
        with_mode("DIR, sticky", dir, 01777, 0755, all, everybody),
        with_mode("DIR, its group", dir, 0775, 0755, all, group),
        with_mode("folder, everybody", place, 0757, 0755, all, everybody),
        with_mode("folder, sticky", place, 01777, 0755, all, everybody),
        with_mode("folder, its group", place, 0775, 0755, all, group),
        with_owner("DIR of another", dir, all),
        with_owner("folder of another", place, all),
        with_linked_folder("DIR is another's link", dir, all, bob.uid),
        with_linked_folder("folder is a link", place, all, 0),
    };
    expect_each_refused(commands, table);
}

TEST(Trust, FilesThatOthersMayWriteOwnOrShareAreRefused) {
    if (!is_root_or_says_so()) return;
    PrivateMemory memory;
    Commands commands;
    commands.start_engine(root);
    const std::string everybody = "can be written by everybody", group = "can be written by its group", roster = place + "/roster",
                      pulse = pulse_path(), socket = place + "/control.sock";
    const std::vector<std::vector<std::string>> readers{look, join, {"dump"}}, talkers{join, command, {"stop"}};
    const std::vector<Spoilt> table{
        with_mode("roster, everybody", roster, 0646, 0644, readers, everybody),
        with_mode("roster, its group", roster, 0664, 0644, readers, group),
        with_owner("roster of another", roster, readers),
        with_second_name("roster with two names", roster, readers),
        with_link("roster is a link", roster, readers),
        with_mode("pulse, everybody", pulse, 0666, 0664, readers, everybody),
        with_owner("pulse of another", pulse, readers),
        with_second_name("pulse with two names", pulse, readers),
        with_link("pulse is a link", pulse, readers),
        with_mode("socket, everybody", socket, 0666, 0660, talkers, everybody),
        with_owner("socket of another", socket, talkers),
        with_second_name("socket with two names", socket, talkers),
        with_link("socket is a link", socket, talkers),
    };
    expect_each_refused(commands, table);
}

// With nobody in the way: a new engine neither adopts nor replaces what it must not believe, and does not touch it.
TEST(Trust, AnEngineTakesOverNothingThatItMustNotBelieve) {
    if (!is_root_or_says_so()) return;
    PrivateMemory memory;
    Commands commands;
    commands.start_engine(root).signal(SIGKILL);
    commands.end_all();
    const std::string everybody = "can be written by everybody", roster = place + "/roster", pulse = pulse_path(), lock = place + "/lock";
    const std::vector<std::vector<std::string>> engines{lead, {"run", "--dir", dir}};
    const std::vector<Spoilt> table{
        with_mode("roster, everybody", roster, 0666, 0644, engines, everybody),
        with_owner("roster of another", roster, engines),
        with_second_name("roster with two names", roster, engines),
        with_link("roster is a link", roster, engines),
        with_mode("pulse, everybody", pulse, 0666, 0664, engines, everybody),
        with_owner("pulse of another", pulse, engines),
        with_second_name("pulse with two names", pulse, engines),
        with_link("pulse is a link", pulse, engines),
        with_mode("lock, its group", lock, 0660, 0600, engines, "can be written by its group"),
        with_mode("lock, readable", lock, 0644, 0600, engines, "can be opened by everybody"),
        with_owner("lock of another", lock, engines),
        with_second_name("lock with two names", lock, engines),
        with_link("lock is a link", lock, engines),
    };
    expect_each_refused(commands, table);
    commands.start_engine(root);
    EXPECT_EQ(pulse_path(), pulse) << "the same memory, adopted";
}

// The folder where everybody looks was first made by somebody else, with an engine of his own in it: nobody but him believes it.
TEST(Trust, AStrangersDefaultFolderIsRefused) {
    if (!is_root_or_says_so()) return;
    PrivateMemory memory;
    Commands commands;
    commands.start_engine(bob, {"--dir", dir});
    EXPECT_EQ(commands.run(bob, {"members", "--dir", dir}).code, 0);
    EXPECT_EQ(commands.run(bob, {"members"}).code, 0) << "one of the places where he looks";
    for (const User& user : {root, ann})
        for (const auto& words : {look,
                                  join,
                                  command,
                                  {"dump"},
                                  {"watch", "--count", "1", "--timeout", "1s"},
                                  {"members", "--dir", dir},
                                  {"members", "--dir", dir + "/../rollcall/"},
                                  {"run", "--dir", dir}})
            expect_refused(commands.run(user, words), "folder /dev/shm/rollcall", "belongs to uid 60002, not to root");
    expect_refused(commands.run(root, lead), "folder /dev/shm/rollcall", "belongs to uid 60002");
    expect_refused(commands.run(root, {"run", "--cluster", "other"}), "folder /dev/shm/rollcall", "belongs to uid 60002");
    EXPECT_FALSE(fs::exists(dir + "/other")) << "nothing was made in it";
    // The one that is named after its user is no better.
    fs::create_directory("/dev/shm/rollcall-60001");
    give_to("/dev/shm/rollcall-60001", bob.uid);
    expect_refused(commands.run(ann, lead), "folder /dev/shm/rollcall-60001", "belongs to uid 60002");
}

// A /run of its own, in the namespace of a PrivateMemory.
struct PrivateRun {
    PrivateRun() {
        if (::mount("none", "/run", "tmpfs", 0, "mode=755") != 0) throw std::runtime_error("cannot mount a /run of its own");
    }
    ~PrivateRun() { ::umount2("/run", MNT_DETACH); }
};

// The service's folder is in /run, where only root makes folders: its engine, under a user of its own, is believed by everybody who names nothing,
// and those of its group may join. Where others may make folders in /run, too, its owner proves nothing.
TEST(Trust, TheServicesFolderSpeaksForWhomRootGaveItTo) {
    if (!is_root_or_says_so()) return;
    PrivateMemory memory;
    const PrivateRun run;
    fs::create_directory("/run/rollcall");
    give_to("/run/rollcall", ann.uid);
    const User of_anns_group{bob.uid, bob.gid, {ann.gid}};
    Commands commands;
    commands.start_engine(ann, {"--dir", "/run/rollcall"});
    for (const User& user : {root, ann, bob}) EXPECT_EQ(commands.run(user, look).code, 0) << user.uid;
    for (const User& user : {root, ann, of_anns_group}) EXPECT_EQ(commands.run(user, join).code, 0) << user.uid;
    EXPECT_THAT(commands.run(bob, join).err, HasSubstr("Permission denied"));
    give_to("/run/rollcall/default/roster", bob.uid);
    expect_refused(commands.run(root, look), "/run/rollcall/default/roster", "belongs to uid 60002");
    give_to("/run/rollcall/default/roster", ann.uid);
    set_mode("/run", 01777);
    for (const User& user : {root, bob}) expect_refused(commands.run(user, look), "folder /run/rollcall", "belongs to uid 60001");
}

// Anybody can make a folder below /dev/shm first, with the name that root or a daemon would look into: it is theirs alone, and shuts nobody out.
TEST(Trust, AStrangersFolderKeepsNobodyFromTheServices) {
    if (!is_root_or_says_so()) return;
    PrivateMemory memory;
    const PrivateRun run;
    fs::create_directory("/run/rollcall");
    give_to("/run/rollcall", ann.uid);
    Commands commands;
    commands.start_engine(ann, {"--dir", "/run/rollcall"});
    for (const std::string& folder : {dir, dir + "-" + std::to_string(mia.uid)}) {
        const std::string cluster = folder + "/default";
        fs::create_directories(cluster);
        for (const std::string& path : {folder, cluster}) give_to(path, bob.uid);
        shm::Descriptor(::open((cluster + "/roster").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0644)).reset();
        give_to(cluster + "/roster", bob.uid);
    }
    for (const User& user : {root, mia}) EXPECT_EQ(commands.run(user, look).code, 0) << user.uid;
    EXPECT_EQ(commands.run(root, join).code, 0);
    commands.end_all();
    fs::remove_all("/run/rollcall");
    expect_refused(commands.run(root, look), "folder " + dir, "belongs to uid 60002");
}

// Naming a folder is to trust its owner, and nobody beside him but root.
TEST(Trust, AFolderThatIsNamedSpeaksForItsOwner) {
    if (!is_root_or_says_so()) return;
    PrivateMemory memory;
    Commands commands;
    const std::string anns = "/dev/shm/anns", folder = anns + "/default";
    const std::vector<std::string> members{"members", "--dir", anns};
    commands.start_engine(ann, {"--dir", anns});
    for (const User& user : {ann, bob, root}) {
        EXPECT_EQ(commands.run(user, members).code, 0) << user.uid;
        EXPECT_EQ(commands.run(user, {"members"}, {{"ROLLCALL_DIR", anns}}).code, 0) << user.uid;
        EXPECT_NE(commands.run(user, {"members"}).code, 0) << "who names nothing does not find it";
    }
    EXPECT_EQ(commands.run(root, {"join", "--node", "x", "--dir", anns, "--", "true"}).code, 0);
    // A third one's file in it is not hers.
    give_to(folder + "/roster", bob.uid);
    for (const User& user : {ann, mia, root}) expect_refused(commands.run(user, members), folder + "/roster", "belongs to uid 60002");
    give_to(folder + "/roster", ann.uid);
    EXPECT_EQ(commands.run(root, {"stop", "--dir", anns}).code, 0);
    // Root's engine goes on in it with what is hers, and everybody believes it.
    commands.end_all();
    commands.start_engine(root, {"--dir", anns});
    EXPECT_EQ(commands.run(bob, members).code, 0);
    EXPECT_EQ(commands.run(ann, {"stop", "--dir", anns}).code, 1) << "the folder is hers, the engine is not";
}

// A link to a folder stands for it if it was made by somebody who is believed.
TEST(Trust, ALinkToTheFolderIsRefusedIfAStrangerMadeIt) {
    if (!is_root_or_says_so()) return;
    PrivateMemory memory;
    Commands commands;
    commands.start_engine(root);
    fs::create_directory("/run/rollcall-test-links");
    const std::string link = "/run/rollcall-test-links/link";
    fs::create_symlink(dir, link);
    EXPECT_EQ(commands.run(bob, {"members", "--dir", link}).code, 0);
    give_to(link, ann.uid);
    EXPECT_EQ(commands.run(ann, {"members", "--dir", link}).code, 0);
    expect_refused(commands.run(bob, {"members", "--dir", link}), "folder " + link, "symbolic link of uid 60001");
    fs::remove_all("/run/rollcall-test-links");
}

// The socket file is root's, but another user listens at it: bound elsewhere, and moved here by mistake. The kernel tells who listens.
TEST(Trust, AListenerOfAnotherUserIsRefused) {
    if (!is_root_or_says_so()) return;
    PrivateMemory memory;
    fs::create_directory("/dev/shm/place");
    fs::create_directory("/dev/shm/bobs");
    give_to("/dev/shm/bobs", bob.uid);
    int hold[2];
    ASSERT_EQ(::pipe(hold), 0);
    const pid_t listener = ::fork();
    if (listener == 0) {
        ::close(hold[1]);
        if (::setgid(bob.gid) != 0 || ::setuid(bob.uid) != 0) ::_exit(1);
        const auto socket = shm::listen_at("/dev/shm/bobs", "control.sock", std::nullopt);
        char byte = 0;
        ::_exit(socket && ::read(hold[0], &byte, 1) == 0 ? 0 : 1);
    }
    ::close(hold[0]);
    ASSERT_TRUE(eventually([] { return shm::connect_to("/dev/shm/bobs", "control.sock", shm::Trust(bob.uid)).has_value(); }));
    fs::rename("/dev/shm/bobs/control.sock", "/dev/shm/place/control.sock");
    give_to("/dev/shm/place/control.sock", 0);
    const auto reached = shm::connect_to("/dev/shm/place", "control.sock");
    ASSERT_FALSE(reached.has_value());
    EXPECT_EQ(reached.error().kind, ErrorKind::refused);
    EXPECT_THAT(reached.error().message, HasSubstr("listens uid 60002, not root"));
    ::close(hold[1]);
    int status = 0;
    ::waitpid(listener, &status, 0);
}

}  // namespace
}  // namespace rollcall::test
