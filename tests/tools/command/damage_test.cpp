// Damaged, truncated and foreign memory, and things of another kind where its files should be: a clear line, and an engine that starts anew.
#include <filesystem>
#include <fstream>
#include <functional>
#include <random>

#include "shm/layout.hpp"
#include "tests/tools/command/command_fixture.hpp"

namespace rollcall::test {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

const std::vector<Words> readers{{"members"}, {"members", "--json"}, {"dump"}, {"dump", "--json"}, {"stat"}, {"why", "a"}, {"watch", "--from", "0"}, {"wait", "a", "--state", "alive"}};

class Damage : public CommandTest {
protected:
    // A dead engine's folder with one member in it, made anew.
    void prepare() {
        fs::remove_all(dir());
        Words flags = calm;
        flags.insert(flags.end(), {"--capacity", "16", "--ring", "128"});
        Process& engine = start_engine(flags);
        Process& member = start_member("a");
        kill(engine);
        kill(member);
    }
    std::string place() const { return dir() + "/default"; }
    std::string roster() const { return place() + "/roster"; }
    std::string pulse() const {
        for (const auto& file : fs::directory_iterator(place()))
            if (file.path().filename().string().starts_with("pulse.")) return file.path().string();
        throw std::runtime_error("no pulse in " + place());
    }
    static void overwrite(const std::string& file, std::streamoff at, const std::string& bytes) {
        std::fstream f(file, std::ios::in | std::ios::out | std::ios::binary);
        f.seekp(at);
        f << bytes;
        if (!f.flush()) throw std::runtime_error("cannot write to " + file);
    }
    static std::string noise(std::size_t bytes) {
        std::mt19937 random(11);
        std::string text(bytes, '\0');
        for (char& c : text) c = static_cast<char>(random());
        return text;
    }
    // Every reader is told the same in one line, `list` shows it among the others.
    void expect_unreadable(int code, const Words& says) const {
        std::vector<Refused> rows;
        for (const Words& words : readers) rows.push_back({words, code, says});
        refuse(rows);
        const Outcome list = run({"list"});
        EXPECT_EQ(list.code, 0);
        for (const std::string& words : says) EXPECT_THAT(list.out, HasSubstr(words));
        const Outcome json = run({"list", "--json"});
        EXPECT_EQ(json.code, 0);
        EXPECT_TRUE(nlohmann::json::parse(json.out)["clusters"][0]["error"].is_string());
    }
    // The next engine says that it replaced what lay there, and runs; members can join.
    void expect_replaced(const std::string& why) {
        Process& engine = start_engine({});
        EXPECT_THAT(said_by(engine), ::testing::AllOf(HasSubstr("replaced what lay in " + place()), HasSubstr(why)));
        EXPECT_EQ(read({"members", "--json"})["peers"].size(), 0u);
        Process& member = start_member("a");
        EXPECT_EQ(read({"members", "--json"})["peers"].size(), 1u);
        kill(member);  // it would come back to the next engine here
        EXPECT_EQ(run({"stop"}).code, 0);
        EXPECT_EQ(engine.wait(), 0);
    }
};

TEST_F(Damage, ATruncatedRosterIsNamedAndReplaced) {
    for (const std::uintmax_t size : {std::uintmax_t{0}, std::uintmax_t{100}, std::uintmax_t{4096}, std::uintmax_t{9000}, std::uintmax_t{100'000}}) {
        SCOPED_TRACE(size);
        prepare();
        fs::resize_file(roster(), size);
        expect_unreadable(1, {roster(), std::to_string(size) + " bytes"});
        expect_replaced(std::to_string(size) + " bytes");
    }
}

TEST_F(Damage, AForeignFileIsNamedAndReplaced) {
    prepare();
    std::ofstream(roster(), std::ios::trunc) << std::string(100'000, '#');
    expect_unreadable(1, {roster(), "is not rollcall's memory"});
    expect_replaced("is not rollcall's memory");
}

TEST_F(Damage, AnotherLayoutIsNamedAndReplaced) {
    prepare();
    overwrite(roster(), offsetof(shm::Preamble, version), std::string("\x09\0\0\0", 4));
    expect_unreadable(1, {roster(), "layout version 9, this build reads 1"});
    expect_replaced("layout version 9");
}

TEST_F(Damage, AMemoryThatWasNeverCompletedIsNamedAndReplaced) {
    prepare();
    overwrite(roster(), offsetof(shm::Preamble, lifecycle), std::string(4, '\0'));
    expect_unreadable(1, {roster(), "was never completed"});
    expect_replaced("was never completed");
}

TEST_F(Damage, APulseThatIsMissingShortOrForeignIsNamedAndReplaced) {
    const std::vector<std::pair<std::function<void()>, std::string>> ways{
        {[this] { fs::remove(pulse()); }, "is missing"},
        {[this] { fs::resize_file(pulse(), 10); }, "is truncated: 10 bytes"},
        {[this] { overwrite(pulse(), 0, noise(64)); }, "does not belong to"},
        {[this] { overwrite(pulse(), offsetof(shm::Preamble, instance), noise(8)); }, "does not belong to"},
    };
    for (const auto& [damage, why] : ways) {
        SCOPED_TRACE(why);
        prepare();
        const std::string file = pulse();
        damage();
        expect_unreadable(1, {file, why});
        expect_replaced(why);
    }
}

// Beyond the identity nothing can be known to be foreign. Noise there makes no command crash or hang: it tells what it can, or one line why not.
// An engine then starts, on what is left or anew.
TEST_F(Damage, NoiseBehindAGoodIdentityCrashesNobody) {
    const auto size = static_cast<std::size_t>(shm::Geometry::of(16, 128).roster_bytes);
    const auto records = static_cast<std::size_t>(shm::Geometry::of(16, 128).records);
    for (const auto& [at, bytes] : std::vector<std::pair<std::size_t, std::size_t>>{
             {1024, shm::roster_header_bytes - 1024}, {shm::roster_header_bytes, size - shm::roster_header_bytes}, {records, 16 * sizeof(shm::Record)}}) {
        SCOPED_TRACE(at);
        prepare();
        overwrite(roster(), static_cast<std::streamoff>(at), noise(bytes));
        for (Words words : std::vector<Words>{{"members"}, {"members", "--json"}, {"dump"}, {"dump", "--json"}, {"stat"}, {"stat", "--json"}, {"list"}, {"why", "a"},
                                              {"watch", "--from", "0", "--timeout", "20ms"}, {"watch", "--from", "0", "--json", "--timeout", "20ms"}}) {
            const Outcome outcome = run(words);
            EXPECT_TRUE(outcome.code == 0 || outcome.code == 1) << printed(words) << " exits with " << outcome.code << ": " << outcome.err;
            EXPECT_TRUE(outcome.code == 0 || (outcome.out.empty() && is_one_line(outcome.err))) << printed(words) << outcome.out << outcome.err;
        }
        Process& engine = start_engine({});
        EXPECT_EQ(run({"members"}).code, 0);
        EXPECT_EQ(run({"stop"}).code, 0);
        EXPECT_EQ(engine.wait(), 0);
    }
}

// Folders where files should be: nobody's to delete, so an engine refuses to start and says which one is in the way.
TEST_F(Damage, AFolderInPlaceOfAFileIsNamedAndLeftAlone) {
    const std::vector<std::pair<std::string, std::function<std::string()>>> files{
        {"roster", [this] { return roster(); }}, {"pulse", [this] { return pulse(); }}, {"lock", [this] { return place() + "/lock"; }}, {"socket", [this] { return place() + "/control.sock"; }}};
    for (const auto& [name, path] : files) {
        SCOPED_TRACE(name);
        prepare();
        const std::string file = path();
        fs::remove(file);
        fs::create_directory(file);
        write("keep", "");
        fs::rename(folder() + "/keep", file + "/keep");
        if (name == "roster" || name == "pulse") expect_unreadable(1, {file, "not a regular file"});
        expect_refused(run({"run"}), 1, {file});
        EXPECT_TRUE(fs::exists(file + "/keep"));
    }
}

TEST_F(Damage, ALinkInPlaceOfTheRosterIsNotFollowed) {
    prepare();
    fs::rename(roster(), folder() + "/roster");
    fs::create_symlink(folder() + "/roster", roster());
    expect_unreadable(1, {roster()});
    refuse({{{"run"}, 1, {roster()}}});
}

class Place : public CommandTest {};

// Nothing is left behind by an engine that could not start.
TEST_F(Place, MustBeATmpfs) {
    const std::string disk = std::string(ROLLCALL_DISK_FOLDER) + "/not-on-tmpfs";
    fs::remove_all(disk);
    refuse({{{"run", "--dir", disk}, 1, {disk, "tmpfs", "choose --dir below /dev/shm"}}});
    EXPECT_FALSE(fs::exists(disk + "/default/lock"));
    fs::remove_all(disk);
}

TEST_F(Place, MustBeAFolder) {
    const std::string file = write("file", "content");
    refuse({
        {{"run", "--dir", file}, 1, {file, "Not a directory"}},
        {{"run", "--dir", file + "/below"}, 1, {file, "Not a directory"}},
        {{"run", "--dir", "/proc/rollcall"}, 1, {"/proc/rollcall"}},
        {{"members", "--dir", file}, 3, {"no cluster 'default' in " + file}},
    });
    fs::create_directory(dir());
    fs::copy_file(file, dir() + "/default");
    refuse({
        {{"run"}, 1, {dir() + "/default"}},
        {{"members"}, 3, {"no cluster 'default' in " + dir()}},
        {{"stop", "--remove"}, 3, {"no cluster 'default' in " + dir()}},
    });
    EXPECT_EQ(fs::file_size(dir() + "/default"), 7u);
}

// Paths longer than a socket's address may be, and relative ones, are paths like others.
TEST_F(Place, MayHaveALongPath) {
    const std::string deep = dir() + "/" + std::string(100, 'x') + "/" + std::string(100, 'y');
    Process& engine = start({"run", "--dir", deep});
    ASSERT_TRUE(eventually([&] { return said_by(engine).find("is ready in " + deep) != std::string::npos; })) << said_by(engine);
    EXPECT_EQ(run({"join", "--node", "a", "--dir", deep, "--", "true"}).code, 0);
    EXPECT_EQ(run({"stop", "--remove", "--dir", deep}).code, 0);
    EXPECT_EQ(engine.wait(), 0);
}

// What lies in the folder and is not the cluster's stays there.
TEST_F(Place, KeepsWhatIsNotTheClusters) {
    Process& engine = start_engine();
    std::ofstream(dir() + "/default/notes") << "mine";
    EXPECT_EQ(run({"stop", "--remove"}).code, 0);
    EXPECT_EQ(engine.wait(), 0);
    EXPECT_TRUE(fs::exists(dir() + "/default/notes"));
    EXPECT_FALSE(fs::exists(dir() + "/default/roster"));
}

}  // namespace
}  // namespace rollcall::test
