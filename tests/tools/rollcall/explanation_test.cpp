// The evidence behind a state, in sentences; and the members' table with its summary.
#include "tools/rollcall/explanation.hpp"

#include <gmock/gmock.h>

#include "tests/tools/rollcall/samples.hpp"
#include "tools/rollcall/members_table.hpp"

namespace rollcall::cli {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

std::string explained(const Peer& peer) { return explain(peer, Settings{}, samples::now); }

TEST(Explanation, OfTheLivingTellsWhatComesNext) {
    EXPECT_EQ(explained(samples::peer()),
              "worker-1 is alive, for 1 min 30 s.\n"
              "  Its process joined, and no silence since then was long enough for doubt.\n"
              "  Its last heartbeat is 1.5 ms old now.\n"
              "  It is suspected after 3s of observed silence and announced dead after 5s.\n");
    Peer p = samples::peer();
    p.reason = Reason::registered;
    EXPECT_THAT(explained(p), HasSubstr("The program around the engine registered it"));
    p.reason = Reason::heartbeat;
    EXPECT_THAT(explained(p), HasSubstr("It was heard, and no silence"));
}

TEST(Explanation, OfASilenceTellsWhatTheDetectorSaw) {
    Peer p = samples::dead_peer(Reason::silence);
    EXPECT_EQ(explained(p),
              "worker-1 is dead, for 4 s.\n"
              "  When it was judged, its last heartbeat was 5.3 s old; the timeout was 5s, and the detector looked 12 ms after it.\n"
              "  Its last heartbeat is 1.5 ms old now.\n"
              "  A heartbeat still brings it back. After 10s of observed silence it is forgotten.\n");
    p.evidence.lost = 300ms;
    EXPECT_THAT(explained(p), HasSubstr("was 5.3 s old. Of that nobody was observing for 300 ms, which leaves a silence of 5 s; the timeout was 5s"));
    p.state = State::suspect;
    EXPECT_THAT(explained(p), HasSubstr("the timeout was 3s"));
    EXPECT_THAT(explained(p), HasSubstr("A heartbeat clears it. After 5s of observed silence it is announced dead, after 10s forgotten."));
}

TEST(Explanation, TellsWhichGuardHoldsAMemberBack) {
    Peer p = samples::dead_peer(Reason::silence);
    p.stall = Stall{"journal\n", samples::now - 3200ms, 250ms};
    EXPECT_THAT(explained(p), HasSubstr("its guard 'journal?' saw no progress for 3.2 s, the budget is 250ms. Its program hangs"));
    p.stall->guard.clear();
    EXPECT_THAT(explained(p), HasSubstr("a guard without a name saw no progress"));
}

TEST(Explanation, OfAProofTellsThatItIsFinal) {
    struct Row {
        Peer peer;
        const char* says;
    };
    const Row rows[] = {
        {samples::dead_peer(Reason::process_exit, ExitStatus{true, 9}), "Its process (pid 4711) was killed by signal 9 (KILL). That is proof"},
        {samples::dead_peer(Reason::process_exit, ExitStatus{false, 3}), "Its process (pid 4711) exited with code 3. That is proof"},
        {samples::dead_peer(Reason::process_exit), "Its process (pid 4711) ended. That is proof"},
        {samples::dead_peer(Reason::replaced), "A new life of the same node took over. That is proof"},
        {samples::dead_peer(Reason::goodbye), "It said goodbye. That is proof"},
        {samples::dead_peer(Reason::by_operator), "An operator said so. That is proof"},
    };
    for (const Row& row : rows) {
        const std::string text = explained(row.peer);
        EXPECT_THAT(text, StartsWith("worker-1 is dead, for 4 s.\n"));
        EXPECT_THAT(text, HasSubstr(row.says));
        EXPECT_THAT(text, HasSubstr("It is forgotten 10s after the proof.\n"));
        EXPECT_THAT(text, Not(HasSubstr("heartbeat is")));  // its word is gone
    }
}

TEST(Explanation, NamesTheHostOfAStrangerAndStaysPrintable) {
    Peer p = samples::peer();
    p.local = false;
    p.host = "host-2\n";
    p.node = "a\x1b[31m";
    const std::string text = explained(p);
    EXPECT_THAT(text, StartsWith("a?[31m is alive"));
    EXPECT_THAT(text, HasSubstr("It lives on host 'host-2?' and is judged by that host's word.\n"));
}

TEST(MembersTable, IsALinePerPeerOfOneWordCells) {
    Peer bare;
    bare.node = "b";
    bare.state = State::suspect;
    bare.since = samples::now - 245s;
    EXPECT_EQ(members_table({samples::peer(), bare}, samples::now, Palette(false)),
              "NODE      STATE    SINCE    LAST-BEAT  PID   ENDPOINT       TAGS\n"
              "worker-1  alive    1min30s  1.5ms      4711  10.0.0.1:7000  role=main,zone=a\n"
              "b         suspect  4min5s   -          -     -              -\n");
    EXPECT_EQ(members_table({}, samples::now, Palette(false)), "");
}

TEST(MembersSummary, CountsByStateAndTellsOfTheEngine) {
    ClusterInfo info = samples::cluster();
    const std::vector<Peer> three{samples::peer(), samples::peer(), samples::dead_peer(Reason::silence)};
    EXPECT_EQ(members_summary(info, three, samples::now, false), "3 peers: 2 alive, 1 dead. Engine 'host-1' runs (pid 812). View 12, event 41.");
    EXPECT_EQ(members_summary(info, {samples::peer()}, samples::now, false), "1 peer: 1 alive. Engine 'host-1' runs (pid 812). View 12, event 41.");
    EXPECT_EQ(members_summary(info, {}, samples::now, false), "No peers. Engine 'host-1' runs (pid 812). View 12, event 41.");
}

TEST(EngineText, TellsARunningOneFromAStalledADeadAndACopied) {
    ClusterInfo info = samples::cluster();
    info.last_step = samples::now - 3s;
    EXPECT_EQ(engine_text(info, samples::now, false), "Engine 'host-1' runs (pid 812)");
    info.last_step = samples::now - 3001ms;
    EXPECT_EQ(engine_text(info, samples::now, false), "Engine 'host-1' (pid 812) is there but has not looked for 3 s");
    info.running = false;
    EXPECT_EQ(engine_text(info, samples::now, false), "Engine 'host-1' does not run; it last looked 3 s ago, 'rollcall run' starts one");
    EXPECT_EQ(engine_text(info, samples::now, true), "This is a copy: times are those of its engine's last look");
}

}  // namespace
}  // namespace rollcall::cli
