// What doctor makes of a cluster, by table, and how findings are told.
#include "tools/rollcall/doctor/cluster.hpp"

#include <nlohmann/json.hpp>

#include "tests/tools/rollcall/doctor/expect.hpp"

namespace rollcall::cli::doctor {
namespace {

using namespace std::chrono_literals;

TEST(Doctor, TellsWhatTheMemoryIs) {
    const auto failed = [](ErrorKind kind) {
        MemorySeen seen;
        seen.error = Error{kind, "the message"};
        return memory(seen);
    };
    expect(failed(ErrorKind::no_cluster), Grade::note, "Nothing is wrong with that");
    expect(failed(ErrorKind::damaged), Grade::bad, "Nobody can read it");
    expect(failed(ErrorKind::incompatible), Grade::bad, "Another build");
    expect(failed(ErrorKind::refused), Grade::bad, "the message\nIt is not believed");
    expect(failed(ErrorKind::system), Grade::bad, "could not be looked at");
    MemorySeen seen;
    expect(memory(seen), Grade::ok, "every invariant holds");
    seen.is_settled = false;
    expect(memory(seen), Grade::note, "Ask again");
    expect(memory({"default", std::nullopt, true, 3, {"slot 7: is wrong"}}), Grade::bad, "3 invariants are broken, the first: slot 7: is wrong");
}

TEST(Doctor, ComparesNamespaces) {
    const shm::HostIdentity here{{1, 2}, 3, 4};
    const auto find = [&](const shm::HostIdentity& its, std::size_t which) { return namespaces(here, its).at(which); };
    for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(find(here, i).grade, Grade::ok);
    expect(find({{9, 2}, 3, 4}, 0), Grade::note, "another boot");
    EXPECT_EQ(namespaces(here, {{9, 2}, 9, 9}).size(), 1u) << "of another boot nothing else means anything";
    expect(find({{1, 2}, 9, 4}, 1), Grade::bad, "Its clock means nothing here");
    expect(find({{1, 2}, 3, 9}, 2), Grade::note, "their ends are seen all the same");
}

TEST(Doctor, TellsWhoMayJoinAndOperate) {
    expect(joining({true, 0, false}, true, true), Grade::ok, "this user may");
    expect(joining({false, 12, true}, true, true), Grade::note, "gid 12: become a member");
    expect(joining({false, 12, false}, true, true), Grade::note, "--group");
    expect(joining({true, 0, false}, true, false), Grade::note, "reaches no engine");
    expect(joining({true, 0, false}, false, true), Grade::note, "nobody can from here");
    expect(control({true, std::nullopt, true, Lies::socket}), Grade::ok, "may set, evict and stop");
    expect(control({true, std::nullopt, false, Lies::socket}), Grade::ok, "for the engine's user and root");
    expect(control({true, Error{ErrorKind::refused, "cannot connect"}, false, Lies::socket}), Grade::note, "only look");
    expect(control({true, Error{ErrorKind::no_engine, "cannot connect"}, true, Lies::socket}), Grade::bad, "cannot be reached");
    expect(control({false, Error{ErrorKind::no_engine, "cannot connect"}, true, Lies::socket}), Grade::note, "It comes with the engine");
}

TEST(Doctor, TellsWhatAnEngineWouldSayOfTheLock) {
    const Error error{ErrorKind::refused, "lock can be opened by everybody"};
    expect(lock({false, true, std::nullopt}), Grade::ok, "free");
    expect(lock({true, true, std::nullopt}), Grade::ok, "an engine holds it");
    expect(lock({false, true, error}), Grade::bad, "opened by everybody\nNo engine starts");
    expect(lock({true, true, error}), Grade::bad, "the next one will not start");
    expect(lock({true, false, error}), Grade::ok, "an engine holds it");
    expect(lock({false, false, error}), Grade::note, "This user cannot start an engine here");
}

TEST(Doctor, TellsWhatLiesInPlaceOfTheSocket) {
    const Error refused{ErrorKind::refused, "cannot connect"};
    expect(control({false, refused, true, Lies::folder}), Grade::bad, "remove it");
    expect(control({true, refused, true, Lies::folder}), Grade::bad, "restart the engine");
    expect(control({true, refused, true, Lies::other}), Grade::bad, "Somebody has replaced it");
    expect(control({false, refused, true, Lies::other}), Grade::note, "The next engine replaces it");
    expect(control({false, Error{ErrorKind::no_engine, "cannot connect"}, true, Lies::nothing}), Grade::note, "It comes with the engine");
}

EngineSeen seen() {
    EngineSeen e;
    e.is_lock_held = e.is_ready = true;
    e.node = "gw";
    e.pid = 7;
    e.state = 'S';
    e.version = e.ours = "1.2.3";
    e.since_step = 5ms;
    return e;
}

TEST(Doctor, TellsWhetherTheEngineLooks) {
    const auto with = [](auto change) {
        EngineSeen e = seen();
        change(e);
        return engine(e);
    };
    expect(with([](EngineSeen&) {}), Grade::ok, "'gw' (pid 7) looked 5 ms ago, its scan is 10ms");
    expect(with([](EngineSeen& e) { e.since_step = 100ms; }), Grade::ok, "looked");
    expect(with([](EngineSeen& e) { e.since_step = 101ms; }), Grade::note, "It is late");
    expect(with([](EngineSeen& e) { e.since_step = 3s; }), Grade::note, "It is late");
    expect(with([](EngineSeen& e) { e.since_step = 3001ms; }), Grade::bad, "does not look any more");
    expect(with([](EngineSeen& e) { e.settings = {10ms, 50ms, 100ms, 10s, 1ms}, e.since_step = 900ms; }), Grade::note, "It is late");
    expect(with([](EngineSeen& e) { e.settings.scan = Duration{-(std::int64_t{1} << 60)}, e.since_step = 1h; }), Grade::bad, "does not look any more");  // tenfold it would be 200 years
    expect(with([](EngineSeen& e) { e.settings.suspect = Duration::max(), e.since_step = 24h * 365; }), Grade::bad, "does not look any more");
    expect(with([](EngineSeen& e) { e.state = 'T'; }), Grade::bad, "kill -CONT 7");
    expect(with([](EngineSeen& e) { e.state.reset(), e.since_step = 9s; }), Grade::bad, "does not look any more");
    expect(with([](EngineSeen& e) { e.is_comparable = false; }), Grade::note, "its clock is another one");
    expect(with([](EngineSeen& e) { e.is_ready = false; }), Grade::note, "starting or ending");
    expect(with([](EngineSeen& e) { e.is_lock_held = false; }), Grade::note, "none holds the lock");
}

TEST(Doctor, ComparesVersions) {
    expect(versions(seen()), Grade::ok, "1.2.3");
    EngineSeen other = seen();
    other.version = "1.2.4";
    expect(versions(other), Grade::note, "the engine is of 1.2.4, this command of 1.2.3");
}

TEST(Findings, AreToldALineEachAndAdviceBelow) {
    const std::vector<Finding> all{ok("a", "1"), note("b", "2\nx", "do"), bad("c", "\x1b[2J", "run \xff")};
    EXPECT_EQ(for_people(all), "ok    a: 1\nnote  b: 2?x\n      do\nbad   c: ?[2J\n      run \xEF\xBF\xBD\n");
    EXPECT_TRUE(has_bad(all));
    EXPECT_FALSE(has_bad({all[0], all[1]}));
    EXPECT_FALSE(has_bad({}));
}

TEST(Findings, AreADocumentForPrograms) {
    const auto document = nlohmann::json::parse(as_json("orders", "/x \"y\"", {ok("a", "1"), bad("c", "\x1b", "do")}));
    EXPECT_EQ(document["cluster"], "orders");
    EXPECT_EQ(document["folder"], "/x \"y\"");
    EXPECT_EQ(document["bad"], 1);
    ASSERT_EQ(document["findings"].size(), 2u);
    EXPECT_EQ(document["findings"][0]["grade"], "ok");
    EXPECT_TRUE(document["findings"][0]["advice"].is_null());
    EXPECT_EQ(document["findings"][1]["what"], "c");
    EXPECT_EQ(document["findings"][1]["found"], "\x1b");
    EXPECT_EQ(document["findings"][1]["advice"], "do");
    EXPECT_EQ(nlohmann::json::parse(as_json("x", "/", {}))["findings"].size(), 0u);
}

}  // namespace
}  // namespace rollcall::cli::doctor
