// What `rollcall top` shows, without a terminal: lines that fit, in the order asked for, and never by colour alone.
#include "tools/rollcall/top/board.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tools/rollcall/printable.hpp"

namespace rollcall::cli::top {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

Peer peer(const std::string& node, State state, Duration age, Tags tags = {}, const std::string& host = "") {
    Peer p;
    p.node = node;
    p.state = state;
    p.reason = state == State::alive ? Reason::join : Reason::silence;
    p.last_heartbeat = Instant{} + 1h - age;
    p.tags = std::move(tags);
    p.host = host;
    p.local = host.empty();
    return p;
}

class BoardTest : public testing::Test {
protected:
    BoardTest() {
        shown.info.cluster = "orders";
        shown.info.node = "engine";
        shown.info.host = "a-host";
        shown.info.running = true;
        shown.info.engine_pid = 812;
        shown.info.ring = 64;
        shown.now = shown.info.last_step = Instant{} + 1h;
        shown.peers = {peer("alive-1", State::alive, 1500ms, {{"rack", "7"}}), peer("dead-1", State::dead, 9s), peer("suspect-1", State::suspect, 4s, {}, "berlin"), peer("alive-2", State::alive, 10ms, {{"rack", "2"}})};
    }
    Frame draw(std::size_t columns = 80, std::size_t lines = 24) { return board.draw(shown, columns, lines); }
    // The nodes in the order in which they are shown.
    std::vector<std::string> nodes() {
        std::vector<std::string> all;
        for (const Line& line : draw())
            for (const Peer& p : shown.peers)
                if (line.text().find(p.node) != std::string::npos) all.push_back(p.node);
        return all;
    }
    std::string text(std::size_t columns = 80, std::size_t lines = 24) {
        std::string all;
        for (const Line& line : draw(columns, lines)) all += line.text() + "\n";
        return all;
    }
    void type(const std::string& keys) {
        for (const char c : keys) board.press({Key::Kind::character, static_cast<char32_t>(c)});
    }
    void press(Key::Kind kind) { board.press({kind, 0}); }

    Shown shown;
    Board board;
};

TEST_F(BoardTest, EveryLineFitsWhateverTheSize) {
    shown.peers.push_back(peer("a-node-whose-name-is-as-long-as-names-may-be-which-is-63-bytes-", State::alive, 1s, {{"key", std::string(400, 'v')}}));
    shown.peers.push_back(peer("ノード・東京", State::alive, 1s));
    Host host;
    host.name = "berlin";
    host.address = "10.0.0.2:7946";
    shown.hosts = {host};
    for (const std::size_t columns : {20u, 40u, 80u, 100u, 200u})
        for (const std::size_t lines : {6u, 10u, 24u, 60u}) {
            const Frame frame = draw(columns, lines);
            EXPECT_EQ(frame.size(), lines);
            for (const Line& line : frame) EXPECT_EQ(width(line.text()), columns) << columns << " by " << lines << ": " << line.text();
        }
}

TEST_F(BoardTest, SaysWithoutColourHowEachIs) {
    const std::string all = text();
    EXPECT_THAT(all, HasSubstr("+ alive"));
    EXPECT_THAT(all, HasSubstr("? suspect"));
    EXPECT_THAT(all, HasSubstr("x dead"));
    EXPECT_THAT(all, HasSubstr("4 members: 2 alive  1 suspect  1 dead"));
    EXPECT_THAT(all, HasSubstr("Engine 'engine' runs (pid 812)"));
    EXPECT_THAT(all, HasSubstr("████····")) << "half of the suspect timeout of 3 s is over";
    EXPECT_THAT(all, HasSubstr("q quit"));
}

TEST_F(BoardTest, SortsByWhatNeedsEyesFirst) {
    EXPECT_THAT(nodes(), ElementsAre("suspect-1", "dead-1", "alive-1", "alive-2"));
    type("s");
    EXPECT_THAT(nodes(), ElementsAre("alive-1", "alive-2", "dead-1", "suspect-1")) << "by node";
    type("s");
    EXPECT_THAT(nodes(), ElementsAre("alive-1", "alive-2", "dead-1", "suspect-1")) << "by host";
    type("s");
    EXPECT_THAT(nodes(), ElementsAre("dead-1", "suspect-1", "alive-1", "alive-2")) << "by age, the oldest first";
    type("s");
    EXPECT_THAT(nodes(), ElementsAre("dead-1", "suspect-1", "alive-2", "alive-1")) << "by tags";
}

TEST_F(BoardTest, FiltersByStateAndWords) {
    type("f");
    EXPECT_THAT(nodes(), ElementsAre("alive-1", "alive-2"));
    type("ff");
    EXPECT_THAT(nodes(), ElementsAre("dead-1"));
    type("f/RACK=7");
    EXPECT_THAT(text(), HasSubstr("filter: RACK=7_"));
    EXPECT_THAT(nodes(), ElementsAre("alive-1"));
    press(Key::Kind::backspace);
    EXPECT_THAT(nodes(), ElementsAre("alive-1", "alive-2"));
    press(Key::Kind::enter);
    type("s");
    EXPECT_THAT(nodes(), ElementsAre("alive-1", "alive-2")) << "keys are keys again";
    press(Key::Kind::escape);
    EXPECT_EQ(nodes().size(), 4u);
    type("/berlin");
    EXPECT_THAT(nodes(), ElementsAre("suspect-1"));
    type(" nowhere");
    EXPECT_THAT(text(), HasSubstr("Nobody passes the filter"));
}

TEST_F(BoardTest, MovesAndTellsTheEvidenceOfWhoIsSelected) {
    draw();
    press(Key::Kind::down);
    press(Key::Kind::down);
    draw();
    EXPECT_FALSE(board.asked());
    press(Key::Kind::enter);
    ASSERT_TRUE(board.asked());
    EXPECT_EQ(*board.asked(), "alive-1");
    shown.explanation = "alive-1 is alive, for 2 s.\n  It was heard.";
    EXPECT_THAT(text(), HasSubstr("alive-1 is alive, for 2 s."));
    EXPECT_TRUE(board.press({Key::Kind::character, U'q'})) << "back, not out";
    EXPECT_FALSE(board.asked());
    EXPECT_FALSE(board.press({Key::Kind::character, U'q'}));
}

TEST_F(BoardTest, WithMoreMembersThanLinesTheSelectedOneIsInView) {
    shown.peers.clear();
    for (int i = 100; i < 300; ++i) shown.peers.push_back(peer("n" + std::to_string(i), State::alive, 1s));
    draw();
    press(Key::Kind::end);
    EXPECT_THAT(text(), HasSubstr("n299"));
    EXPECT_THAT(text(), Not(HasSubstr("n100")));
    press(Key::Kind::page_up);
    EXPECT_THAT(text(), Not(HasSubstr("n100")));
    press(Key::Kind::home);
    EXPECT_THAT(text(), HasSubstr("n100"));
    shown.peers.resize(3);
    EXPECT_THAT(text(), HasSubstr("n102")) << "and when most of them are gone";
}

TEST_F(BoardTest, SaysWhenNothingIsAsItShouldBe) {
    shown.info.running = false;
    EXPECT_THAT(text(120), HasSubstr("does not run"));
    shown.is_gone = true;
    EXPECT_THAT(text(), HasSubstr("The memory is gone"));
    shown.peers.clear();
    EXPECT_THAT(text(), HasSubstr("Nobody is here."));
    type("?");
    EXPECT_THAT(text(), HasSubstr("Any key goes back."));
}

}  // namespace
}  // namespace rollcall::cli::top
