// Settings that change while the engine runs: the next pass judges by the new ones. What is refused changes nothing.
#include <ostream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/engine_fixture.hpp"

namespace rollcall::test {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class ChangedSettings : public testing::Test {
protected:
    ChangedSettings() {
        core.join("a");
        core.take();
    }
    TimedCore core;
};

TEST_F(ChangedSettings, TighterOnesJudgeAtTheNextPass) {
    core.run(2s);
    EXPECT_FALSE(core.configure({1s, 1500ms, 5s, 10s, 10ms}).error);
    EXPECT_THAT(core.take(), IsEmpty()) << "no pass was made yet";
    core.step();
    EXPECT_THAT(core.take(), ElementsAre("suspect a silence"));
}

TEST_F(ChangedSettings, TighterOnesMayPassSeveralThresholdsAtOnce) {
    core.run(2500ms);
    core.configure({1s, 1100ms, 1200ms, 1300ms, 10ms});
    core.step();
    EXPECT_THAT(core.take(), ElementsAre("suspect a silence", "dead a silence"));
    core.step();
    EXPECT_THAT(core.take(), ElementsAre("evicted a silence"));
}

// What is silence by the present settings only counts: who was suspected is not, any more.
TEST_F(ChangedSettings, LooserOnesTakeASuspicionBack) {
    core.run(3100ms);
    core.take();
    core.configure({1s, 4s, 6s, 10s, 10ms});
    core.step();
    EXPECT_THAT(core.take(), ElementsAre("recovered a heartbeat"));
    core.run(890ms);
    EXPECT_THAT(core.take(), IsEmpty());
    core.run(20ms);
    EXPECT_THAT(core.take(), ElementsAre("suspect a silence"));
}

TEST_F(ChangedSettings, LooserOnesLetADeathBySilenceStandUntilItIsNoSilence) {
    core.run(5100ms);
    core.take();
    core.configure({1s, 4s, 8s, 12s, 10ms});
    core.step();
    EXPECT_THAT(core.take(), IsEmpty()) << "still silent for longer than it takes to be suspected";
    core.configure({1s, 6s, 8s, 12s, 10ms});
    core.step();
    EXPECT_THAT(core.take(), ElementsAre("recovered a heartbeat"));
}

TEST_F(ChangedSettings, EvictTimeoutCountsForThoseWhoAreDeadAlready) {
    core.exit("a");
    core.run(2s);
    core.take();
    core.configure({1s, 1200ms, 1400ms, 1900ms, 10ms});
    core.step();
    EXPECT_THAT(core.take(), ElementsAre("evicted a process_exit"));
}

TEST_F(ChangedSettings, DoNotTouchThePausesThatWere) {
    core.run(1s);
    core.step_after(60s);
    core.beat("a");
    core.take();
    core.configure({1s, 2s, 4s, 6s, 10ms});
    core.run(1900ms);
    EXPECT_THAT(core.take(), IsEmpty());
    core.run(110ms);
    EXPECT_THAT(core.take(), ElementsAre("suspect a silence"));
}

// Members go on beating in the old rhythm until they hear of the new one: they are not to blame. One old heartbeat is allowed for.
TEST_F(ChangedSettings, FasterHeartbeatDoesNotCondemnThoseWhoBeatAsTheyWereTold) {
    core.run(900ms);
    core.configure({100ms, 300ms, 500ms, 1s, 10ms});
    core.run(100ms);
    core.beat("a");
    core.run(1s);
    EXPECT_THAT(core.take(), IsEmpty());
    for (int i = 0; i < 30; ++i) core.run(100ms, {"a"});
    EXPECT_THAT(core.take(), IsEmpty());
    core.run(310ms);
    EXPECT_THAT(core.take(), ElementsAre("suspect a silence"));
}

TEST_F(ChangedSettings, AreInTheCheckpoint) {
    const Settings wanted{2s, 5s, 7s, 20s, 15ms};
    core.configure(wanted);
    EXPECT_EQ(core.checkpoint().settings, wanted);
    EXPECT_EQ(core.core().settings(), wanted);
}

struct Refused {
    Settings settings;
    const char* names;  // the setting that makes no sense
};
void PrintTo(const Refused& refused, std::ostream* out) { *out << refused.names; }

class RefusedSettings : public testing::TestWithParam<Refused> {};
INSTANTIATE_TEST_SUITE_P(Settings, RefusedSettings,
                         testing::Values(Refused{{0s, 3s, 5s, 10s, 10ms}, "heartbeat"}, Refused{{1s, 3s, 5s, 10s, 0ms}, "scan"}, Refused{{1s, 0s, 5s, 10s, 10ms}, "suspect"},
                                         Refused{{1s, 3s, 0s, 10s, 10ms}, "dead"}, Refused{{1s, 3s, 5s, 0s, 10ms}, "evict"}, Refused{{-1s, 3s, 5s, 10s, 10ms}, "heartbeat"},
                                         Refused{{1s, 3s, 5s, 10s, 500ms + 1ns}, "scan"}, Refused{{1s, 1s, 5s, 10s, 10ms}, "suspect"}, Refused{{1s, 999ms, 5s, 10s, 10ms}, "suspect"},
                                         Refused{{1s, 3s, 3s, 10s, 10ms}, "dead"}, Refused{{1s, 3s, 5s, 5s, 10ms}, "evict"}, Refused{{1s, 3s, 5s, Duration::max(), 10ms}, "evict"},
                                         Refused{{1s, 3s, 5s, longest_timeout + 1ns, 10ms}, "evict"}));

TEST_P(RefusedSettings, AreRefusedByNameAndChangeNothing) {
    TimedEngine engine;
    engine.open();
    const Settings before = engine->config();
    const auto refused = engine->set_config(GetParam().settings);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::invalid);
    EXPECT_THAT(refused.error().message, HasSubstr("'" + std::string(GetParam().names) + "'"));
    EXPECT_EQ(engine->config(), before);
    ASSERT_TRUE(engine->register_peer("a"));
    engine.run(3020ms);
    EXPECT_THAT(engine.take(), ElementsAre("joined a registered", "suspect a silence"));
    EXPECT_EQ(engine->config(), before);
}

// A request names what is to change; what it leaves at zero stays. The outcome must make sense as a whole.
TEST_F(ChangedSettings, AreLaidOverThoseInForce) {
    Settings change{0s, 0s, 0s, 20s, 0s};
    EXPECT_FALSE(core.configure(change).error);
    EXPECT_EQ(core.checkpoint().settings, (Settings{1s, 3s, 5s, 20s, 10ms}));
    change = {0s, 0s, 30s, 0s, 0s};
    const auto refused = core.configure(change);
    ASSERT_TRUE(refused.error);
    EXPECT_THAT(refused.error->message, HasSubstr("'evict'"));
    EXPECT_EQ(core.checkpoint().settings, (Settings{1s, 3s, 5s, 20s, 10ms}));
}

TEST_P(RefusedSettings, DoNotOpenAnEngine) {
    Engine engine(options_of({.settings = GetParam().settings}));
    const auto refused = engine.open();
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, HasSubstr(GetParam().names));
    EXPECT_FALSE(engine.is_running());
}

TEST(EngineSettings, DefaultsAreThoseOfTheDocumentation) {
    TimedEngine engine;
    EXPECT_EQ(engine->config(), (Settings{1s, 3s, 5s, 10s, 10ms}));
}

// What was asked for is what config() says, before a step has seen it and after; and the next pass judges by it.
TEST(EngineSettings, TakeEffectAtTheNextStep) {
    TimedEngine engine;
    engine.open();
    ASSERT_TRUE(engine->register_peer("a"));
    engine.run(2s);
    engine.take();
    const Settings wanted{1s, 1500ms, 5s, 10s, 10ms};
    ASSERT_TRUE(engine->set_config(wanted));
    EXPECT_EQ(engine->config(), wanted);
    engine.step();
    EXPECT_EQ(engine->config(), wanted);
    EXPECT_THAT(engine.take(), ElementsAre("suspect a silence"));
}

TEST(EngineSettings, MayBeSetBeforeTheEngineIsOpen) {
    TimedEngine engine;
    const Settings wanted{1s, 2s, 4s, 8s, 10ms};
    ASSERT_TRUE(engine->set_config(wanted));
    EXPECT_EQ(engine->config(), wanted);
    engine.open();
    EXPECT_EQ(engine->config(), wanted);
    ASSERT_TRUE(engine->register_peer("a"));
    engine.run(2020ms);
    EXPECT_THAT(engine.take(), ElementsAre("joined a registered", "suspect a silence"));
}

TEST(EngineSettings, LastOfSeveralCounts) {
    TimedEngine engine;
    engine.open();
    const Settings first{1s, 2s, 4s, 8s, 10ms}, last{1s, 2500ms, 4s, 8s, 20ms};
    ASSERT_TRUE(engine->set_config(first));
    ASSERT_TRUE(engine->set_config(last));
    engine.step();
    EXPECT_EQ(engine->config(), last);
}

}  // namespace
}  // namespace rollcall::test
