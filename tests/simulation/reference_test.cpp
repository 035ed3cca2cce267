// Random lives under moved time: the engine must say exactly what the model says, at the same step and in the same order.
#include <map>
#include <random>
#include <set>

#include <gtest/gtest.h>

#include "tests/simulation/reference_model.hpp"
#include "tests/support/engine_fixture.hpp"

namespace rollcall::test {
namespace {

using namespace std::chrono_literals;
using engine::Request;

// How many nodes come and go, and how many of them may be there: each has a line of eight slots to itself, so that a thousand are spread
// over twenty blocks of words, of which a pass reads one or two.
struct Scale {
    std::uint32_t nodes, capacity, ring;
};
constexpr Scale few{24, 256, 4096}, many{1000, 10'240, 1u << 15};

// A short schedule has fewer pauses than the engine's list holds: all must be exact, whatever the settings change to. In a long one the
// engine has to forget what no timeout reaches any more: then judgements are exact, and the evidence of what nobody observed is not told
// for longer than that.
enum class Length { brief, lasting };

// One schedule: settings, rates of beating, requests and gaps, all from one seed.
class Simulation {
public:
    Simulation(unsigned seed, Length length, Scale scale)
        : length_(length), scale_(scale), random_(seed), settings_(any_settings()), core_({.settings = settings_, .capacity = scale.capacity, .ring = scale.ring}), model_(settings_, core_.now_stamp().value) {
        rates_.resize(scale.nodes);
        for (double& rate : rates_) rate = any_rate();
    }

    // False: they differ; the failure is told.
    bool step() {
        const Instant before = core_.now();
        core_.advance(any_gap());
        beat(before);
        wall_us_ += chance(10) ? std::int64_t{1000} * pick(2'000'000) - 1'000'000'000 : 10'000;
        core_.set_wall(wall_us_);
        model_.begin_step(core_.now_stamp().value, wall_us_);
        for (auto requests = pick(chance(5) ? scale_.nodes / 2 : scale_.nodes / 8); requests > 0; --requests) request();
        core_.step();
        const auto said = core_.take_events();
        for (const Event& e : said)
            if (e.kind == Event::joined) slots_[std::string(e.node())] = e.slot.value;
        model_.pass(slots_);
        return compare(said, model_.take());
    }
    std::size_t events = 0;
    std::set<EventKind> kinds;

private:
    std::uint64_t pick(std::uint64_t below) { return random_() % below; }
    bool chance(std::uint64_t of_100) { return pick(100) < of_100; }
    std::string any_node() { return "n" + std::to_string(pick(scale_.nodes)); }
    double any_rate() { return chance(70) ? 2.5 : chance(50) ? 0.4 : 0.0; }  // beats a heartbeat

    // Evict at most twelve long heartbeats, so that the pauses within reach are never more than the engine can list.
    Settings any_settings() {
        Settings s;
        s.heartbeat = chance(50) ? 1s : 500ms;
        s.scan = 10ms;
        const auto more = [&](Duration than) { return than + 1ms + std::chrono::microseconds(pick(3'000'000)); };
        s.suspect = more(s.heartbeat);
        s.dead = more(s.suspect);
        s.evict = more(s.dead);
        return s;
    }

    Duration any_gap() {
        if (chance(80)) return std::chrono::microseconds(1000 + pick(40'000));
        if (chance(50)) return std::chrono::microseconds(pick(250'000));
        if (chance(80)) return std::chrono::microseconds(pick(3'000'000));
        return chance(50) ? Duration{} : std::chrono::microseconds(pick(40'000'000));
    }

    // Each as often as its rate says, at any instant since the last step; now and then somebody's rate changes.
    void beat(Instant since) {
        const Duration gap = core_.now() - since;
        for (std::size_t i = 0; i < rates_.size(); ++i) {
            if (chance(1)) rates_[i] = any_rate();
            const double expected = rates_[i] * static_cast<double>(gap.count()) / static_cast<double>(settings_.heartbeat.count());
            if (static_cast<double>(pick(1'000'000)) * 1e-6 >= expected) continue;
            const std::string node = "n" + std::to_string(i);
            const Instant at = core_.now() - (gap.count() > 0 ? Duration(static_cast<std::int64_t>(pick(static_cast<std::uint64_t>(gap.count())))) : Duration{});
            const bool counts = model_.beat(node, to_stamp(at, core_.roster().base_ns()).value);
            EXPECT_EQ(core_.beat(node, at) != shm::WordBeat::foreign, counts) << node;
        }
    }

    void request() {
        const std::string node = any_node();
        switch (pick(12)) {
            case 0:
            case 1:
            case 2: {
                const bool replaces = chance(50);
                Request join = TimedCore::join_request(node, ++pid_);
                join.may_replace = join.is_operator = replaces;
                model_.join(node, replaces);
                return core_.put(std::move(join));
            }
            case 3: return put(node, Request::Kind::join, Reason::registered), model_.register_peer(node);
            case 4:
            case 5: return put(node, Request::Kind::heartbeat, Reason::heartbeat), model_.hear(node, core_.now_stamp().value);
            case 6: return put(node, Request::Kind::leave), model_.leave(node);
            case 7: return put(node, Request::Kind::exited), model_.exit(node);
            case 8: return put(node, Request::Kind::exited), model_.exit(node);
            case 9:
                if (chance(50)) return put(node, Request::Kind::evict), model_.evict(node);
                return;
            default:
                if (length_ == Length::brief && pick(10 * scale_.nodes / few.nodes) == 0) configure();
        }
    }
    void put(const std::string& node, Request::Kind kind, Reason reason = Reason::none) {
        Request request = TimedCore::about(node, kind);
        request.reason = reason;
        request.at = core_.now();
        core_.put(std::move(request));
    }
    void configure() {
        settings_ = any_settings();
        Request request = TimedCore::about({}, Request::Kind::configure);
        request.settings = settings_;
        core_.put(std::move(request));
        model_.configure(settings_);
    }

    Told told_by(const Event& e) const {
        Told t{e.kind, std::string(e.node()), e.reason, e.state, e.incarnation.value, e.view, 0, 0, 0, static_cast<std::uint64_t>(e.length.count())};
        if (e.kind == Event::paused) return t;
        t.last_beat = to_stamp(e.at - e.evidence.age, core_.roster().base_ns()).value;
        t.lost = static_cast<std::uint64_t>(e.evidence.lost / stamp_unit);
        t.late = static_cast<std::uint64_t>(e.evidence.late / stamp_unit);
        return t;
    }
    std::string text_of(Told t) const {
        if (length_ == Length::lasting) t.lost = t.late = 0;
        return to_string(t) + '\n';
    }
    bool compare(const std::vector<Event>& said, const std::vector<Told>& expected) {
        std::string is, must;
        for (const Event& e : said) {
            is += text_of(told_by(e));
            kinds.insert(e.kind);
        }
        for (const Told& t : expected) must += text_of(t);
        events += said.size();
        EXPECT_EQ(is, must);
        EXPECT_EQ(core_.peers().size(), model_.peers().size());
        return is == must;
    }

    Length length_;
    Scale scale_;
    std::mt19937_64 random_;
    Settings settings_;
    TimedCore core_;
    ReferenceModel model_;
    std::map<std::string, std::uint32_t> slots_;
    std::vector<double> rates_;
    std::int64_t wall_us_ = wall_origin_us;
    std::uint32_t pid_ = 1000;
};

// Returns how many steps were compared.
std::size_t compare_schedules(unsigned first_seed, unsigned schedules, int steps_each, Length length, Scale scale) {
    std::size_t steps = 0, events = 0;
    std::set<EventKind> kinds;
    for (unsigned seed = first_seed; seed < first_seed + schedules && !testing::Test::HasFailure(); ++seed) {
        Simulation simulation(seed, length, scale);
        for (int step = 0; step < steps_each; ++step, ++steps) {
            SCOPED_TRACE("seed " + std::to_string(seed) + ", step " + std::to_string(step));
            if (!simulation.step()) break;
        }
        events += simulation.events;
        kinds.insert(simulation.kinds.begin(), simulation.kinds.end());
    }
    EXPECT_GT(events, steps / 10);
    EXPECT_EQ(kinds.size(), 8u) << "every kind of event was seen";
    return steps;
}

TEST(Simulation, EngineSaysWhatTheModelSays) { EXPECT_EQ(compare_schedules(1, 200, 300, Length::brief, few), 60'000u); }
TEST(Simulation, EngineSaysWhatTheModelSaysForEver) { EXPECT_EQ(compare_schedules(1001, 10, 4000, Length::lasting, few), 40'000u); }
TEST(Simulation, EngineSaysWhatTheModelSaysOfMany) { EXPECT_EQ(compare_schedules(2001, 6, 300, Length::brief, many), 1'800u); }

}  // namespace
}  // namespace rollcall::test
