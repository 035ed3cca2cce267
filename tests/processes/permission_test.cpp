// Who may do what in root's cluster: a table of attempts, each by a really different user. The kernel vouches for uid and gid; nothing that
// a user writes or sends says who it is.
#include <filesystem>
#include <fstream>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <gmock/gmock.h>

#include "engine/client/member.hpp"
#include "engine/client/observer.hpp"
#include "engine/client/session.hpp"
#include "tests/support/other_users.hpp"

namespace rollcall::test {
namespace {

using testing::HasSubstr;

const std::string place = "/dev/shm/rollcall/default";

// Root's engine in the folder where everybody looks, and its door open to the group nogroup: mia may join, bob may look.
class RootsCluster {
public:
    RootsCluster() {
        commands.start_engine(root, {"--group", "nogroup"});
        commands.start_member(root, "of-root");
        commands.start_member(mia, "of-mia");
    }

    PrivateMemory memory;
    Commands commands;
};

struct Attempt {
    const char* why;
    User user;
    std::vector<std::string> words;
    int code;
    std::string says;  // on stderr
};

void expect_all(const Commands& commands, const std::vector<Attempt>& attempts) {
    for (const Attempt& attempt : attempts) {
        SCOPED_TRACE(attempt.why);
        const Said said = commands.run(attempt.user, attempt.words);
        EXPECT_EQ(said.code, attempt.code) << said.err;
        EXPECT_THAT(said.err, HasSubstr(attempt.says));
        EXPECT_TRUE(attempt.code == 0 || std::count(said.err.begin(), said.err.end(), '\n') == 1) << said.err;
    }
}

TEST(Permission, ATableOfAttempts) {
    if (!is_root_or_says_so()) return;
    RootsCluster cluster;
    const std::string only = "only the engine's user (uid 0) or root may do this", denied = "Permission denied";
    const std::vector<Attempt> attempts{
        {"everybody may look", bob, {"members"}, 0, ""},
        {"everybody may check", bob, {"dump", "--verify"}, 0, ""},
        {"a stranger may not join", bob, {"join", "--node", "x", "--", "true"}, 1, denied},
        {"nor replace", bob, {"join", "--node", "of-mia", "--replace", "--", "true"}, 1, denied},
        {"nor evict", bob, {"evict", "of-mia"}, 1, denied},
        {"nor set", bob, {"set", "--suspect", "40s"}, 1, denied},
        {"nor stop", bob, {"stop"}, 1, denied},
        {"nor remove", bob, {"stop", "--remove"}, 1, denied},
        {"nor run another engine of it", bob, {"run", "--dir", "/dev/shm/rollcall"}, 1, denied},
        {"nor make a cluster beside it", bob, {"run", "--dir", "/dev/shm/rollcall", "--cluster", "bobs"}, 1, denied},
        {"the group may join", mia, {"join", "--node", "y", "--", "true"}, 0, ""},
        {"but takes no id of root", mia, {"join", "--node", "of-root", "--", "true"}, 1, "'of-root' is held by pid"},
        {"not even by force", mia, {"join", "--node", "of-root", "--replace", "--", "true"}, 1, "of-root"},
        {"it may replace its own", mia, {"join", "--node", "of-mia", "--replace", "--", "true"}, 0, ""},
        {"it may not evict, not even its own", mia, {"evict", "y"}, 1, only},
        {"nor evict root's", mia, {"evict", "of-root"}, 1, only},
        {"nor set", mia, {"set", "--suspect", "40s"}, 1, only},
        {"nor stop", mia, {"stop"}, 1, only},
        {"nor send everybody home", mia, {"stop", "--leave"}, 1, only},
        {"nor remove", mia, {"stop", "--remove"}, 1, only},
        {"root may set", root, {"set", "--suspect", "40s"}, 0, ""},
        {"root may evict", root, {"evict", "of-root"}, 0, ""},
        {"root may stop", root, {"stop"}, 0, ""},
    };
    expect_all(cluster.commands, attempts);
}

// A life belongs to the uid that the kernel saw when it joined. Another one that speaks for it, by its right name and incarnation, is refused.
TEST(Permission, NobodySpeaksForTheLifeOfAnother) {
    if (!is_root_or_says_so()) return;
    RootsCluster cluster;
    const auto says = [](const char* node, control::Kind kind) {
        return as_user(mia, [node, kind]() -> std::string {
            const auto peer = Observer::attach({})->find(node);
            auto session = Session::connect(shm::Paths::of("/dev/shm/rollcall", "default"));
            if (!peer || !session) return "cannot ask";
            control::Message message;
            message.kind = kind;
            message.node = node;
            message.incarnation = peer->incarnation.value;
            message.has_endpoint = true;
            const auto reply = session->ask(message, patience);
            return reply ? "done" : reply.error().message;
        });
    };
    for (const control::Kind kind : {control::Kind::update, control::Kind::watchdog, control::Kind::exited, control::Kind::leave}) {
        EXPECT_EQ(says("of-root", kind), "node 'of-root' belongs to another user");
        EXPECT_THAT(cluster.commands.run(root, {"members"}).out, HasSubstr("of-root"));
    }
    EXPECT_EQ(says("of-mia", control::Kind::update), "done");
    EXPECT_EQ(says("of-mia", control::Kind::leave), "done");
}

std::string errno_name() { return errno == EACCES ? "EACCES" : errno == EPERM ? "EPERM" : std::to_string(errno); }

// What is mapped of our files by this process: may it be made writable? One word a mapping, in the order of their names.
std::string upgrade_all_mappings() {
    std::ifstream maps("/proc/self/maps");
    std::map<std::string, std::string> found;
    for (std::string line; std::getline(maps, line);) {
        std::uintptr_t begin = 0, end = 0;
        char rights[5] = {};
        const std::size_t name = line.find("/dev/shm/");
        if (name == std::string::npos || std::sscanf(line.c_str(), "%lx-%lx %4s", &begin, &end, rights) != 3) continue;
        const std::string what = std::filesystem::path(line.substr(name)).stem().string();
        if (rights[1] == 'w')
            found[what] = "writable";
        else
            found[what] = ::mprotect(reinterpret_cast<void*>(begin), end - begin, PROT_READ | PROT_WRITE) == 0 ? "was made writable" : errno_name();
    }
    std::string text;
    for (const auto& [what, outcome] : found) text += what + " " + outcome + "; ";
    return text;
}

// Opens, by whatever descriptors this process has of our files, the same file again for writing.
std::string reopen_all_descriptors() {
    std::string text;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
        std::error_code gone;
        const std::string target = std::filesystem::read_symlink(entry.path(), gone).string();
        if (!target.starts_with("/dev/shm/")) continue;
        const shm::Descriptor again(::open(entry.path().c_str(), O_RDWR | O_CLOEXEC));
        text += again ? std::filesystem::path(target).stem().string() + " opens; " : "";
    }
    return text;
}

// An observer's mappings were made from files that were opened for reading: the kernel lets nobody make them writable, root included.
TEST(Permission, AnObserverCannotWriteAByte) {
    if (!is_root_or_says_so()) return;
    RootsCluster cluster;
    for (const User& user : {bob, mia, root}) {
        const std::string said = as_user(user, []() -> std::string {
            auto observer = Observer::attach({});
            return observer ? upgrade_all_mappings() : observer.error().message;
        });
        EXPECT_EQ(said, "pulse EACCES; roster EACCES; ") << user.uid;
    }
    const auto reopened = [] {
        auto observer = Observer::attach({});
        return observer ? reopen_all_descriptors() : observer.error().message;
    };
    EXPECT_EQ(as_user(bob, reopened), "") << "nor does the file behind it open for writing";
}

// A member writes heartbeat words, and not a byte of the roster.
TEST(Permission, AMemberWritesThePulseAlone) {
    if (!is_root_or_says_so()) return;
    RootsCluster cluster;
    const std::string said = as_user(mia, []() -> std::string {
        Member::Options options;
        options.node = "z";
        auto member = Member::join(options);
        return member ? upgrade_all_mappings() + reopen_all_descriptors() : member.error().message;
    });
    EXPECT_EQ(said, "pulse writable; roster EACCES; pulse opens; ");
}

TEST(Permission, FilesHaveTheModesThatWerePromised) {
    if (!is_root_or_says_so()) return;
    PrivateMemory memory;
    Commands commands;
    const mode_t before = ::umask(0);  // the worst that a user may have set
    commands.start_engine(ann, {"--dir", "/dev/shm/made/by/ann"});
    ::umask(before);
    std::map<std::string, mode_t> modes;
    for (const auto& entry : std::filesystem::recursive_directory_iterator("/dev/shm")) {
        struct stat s {};
        ASSERT_EQ(::lstat(entry.path().c_str(), &s), 0);
        EXPECT_EQ(s.st_uid, ann.uid);
        modes[entry.path().stem().string()] = s.st_mode & 07777;
    }
    EXPECT_EQ(
        modes,
        (std::map<std::string, mode_t>{
            {"made", 0755}, {"by", 0755}, {"ann", 0755}, {"default", 0755}, {"roster", 0644}, {"pulse", 0664}, {"lock", 0600}, {"control", 0660}}));
}

}  // namespace
}  // namespace rollcall::test
