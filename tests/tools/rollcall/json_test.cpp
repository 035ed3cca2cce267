// What programs read: exactly the fields that are promised, in their order, of their types, null where something is not known.
#include "tools/rollcall/json.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "tests/tools/rollcall/samples.hpp"

namespace rollcall::cli {
namespace {

using namespace std::chrono_literals;
using Json = nlohmann::ordered_json;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;
using ::testing::Not;

std::vector<std::string> keys_of(const Json& object) {
    std::vector<std::string> keys;
    for (const auto& [key, value] : object.items()) keys.push_back(key);
    return keys;
}

const std::vector<std::string> event_fields{"seq",     "stream",  "epoch",      "view",    "event",     "node",   "cluster", "host", "incarnation", "state",
                                            "reason",  "age_ms",  "lost_ms",    "late_ms", "suspect_ms", "dead_ms", "exit_code", "signal", "time", "mono_us"};
std::vector<std::string> with(std::vector<std::string> fields, const std::vector<std::string>& more) {
    fields.insert(fields.end(), more.begin(), more.end());
    return fields;
}

TEST(EventLine, IsThisForADeathBySilence) {
    EXPECT_EQ(json::event_line(samples::death(), "orders"),
              R"({"seq":41,"stream":"00c0ffee00000001","epoch":2,"view":12,"event":"dead","node":"worker-1","cluster":"orders",)"
              R"("host":null,"incarnation":1738324800000001,"state":"dead","reason":"silence","age_ms":5300,"lost_ms":300,"late_ms":12.25,)"
              R"("suspect_ms":3000,"dead_ms":5000,"exit_code":null,"signal":null,"time":"2025-01-31T12:00:00.123456Z","mono_us":7000123})");
}

// Whatever the event, and whatever is known of it.
TEST(EventLine, HasTheSameFieldsInTheSameOrderForEveryKind) {
    for (const EventKind kind : {EventKind::joined, EventKind::suspect, EventKind::recovered, EventKind::dead, EventKind::evicted, EventKind::left, EventKind::updated}) {
        Event full = samples::death(), bare;
        full.kind = bare.kind = kind;
        for (const Event& e : {full, bare}) {
            const Json line = Json::parse(json::event_line(e, "orders"));
            EXPECT_THAT(keys_of(line), ElementsAreArray(event_fields)) << to_string(kind);
            EXPECT_EQ(line["event"], to_string(kind));
        }
    }
    EXPECT_THAT(keys_of(Json::parse(json::event_line(samples::pause(), "orders"))), ElementsAreArray(with(event_fields, {"length_ms"})));
    EXPECT_THAT(keys_of(Json::parse(json::event_line(samples::gap(), "orders"))), ElementsAreArray(with(event_fields, {"from", "to"})));
}

TEST(EventLine, HasStringsAndNumbersAsTheirNamesSay) {
    const Json line = Json::parse(json::event_line(samples::exit(ExitStatus{true, 9}), "orders"));
    for (const char* text : {"stream", "event", "node", "cluster", "state", "reason", "time"}) EXPECT_TRUE(line[text].is_string()) << text;
    for (const char* whole : {"seq", "epoch", "view", "incarnation", "signal", "mono_us"}) EXPECT_TRUE(line[whole].is_number_integer()) << whole;
    for (const char* number : {"age_ms", "lost_ms", "late_ms", "suspect_ms", "dead_ms"}) EXPECT_TRUE(line[number].is_number()) << number;
}

TEST(EventLine, IsNullWhereNothingIsKnown) {
    Event bare;
    bare.kind = EventKind::left;
    samples::set_node(bare, "a");
    const Json line = Json::parse(json::event_line(bare, "orders"));
    for (const char* field : {"incarnation", "state", "reason", "age_ms", "lost_ms", "late_ms", "suspect_ms", "dead_ms", "exit_code", "signal", "time", "mono_us"})
        EXPECT_TRUE(line[field].is_null()) << field;
    EXPECT_EQ(line["seq"], 0);
    EXPECT_EQ(line["stream"], "0000000000000000");
}

// Nothing of a peer, even if the event's memory still holds some.
TEST(EventLine, OfAPauseNamesNoPeer) {
    const Json line = Json::parse(json::event_line(samples::pause(), "orders"));
    for (const char* field : {"node", "incarnation", "state", "reason", "age_ms", "lost_ms", "late_ms", "suspect_ms", "dead_ms", "exit_code", "signal"})
        EXPECT_TRUE(line[field].is_null()) << field;
    EXPECT_EQ(line["length_ms"], 10250);
    EXPECT_EQ(line["seq"], 41);
    EXPECT_EQ(line["epoch"], 2);
    EXPECT_EQ(line["view"], 12);
    EXPECT_EQ(line["mono_us"], 7'000'123);
}

TEST(EventLine, OfAGapKnowsOnlyItsPlace) {
    const Json line = Json::parse(json::event_line(samples::gap(), "orders"));
    EXPECT_EQ(line["from"], 42);
    EXPECT_EQ(line["to"], 99);
    EXPECT_EQ(line["seq"], 99);
    EXPECT_EQ(line["stream"], "00c0ffee00000001");
    EXPECT_EQ(line["cluster"], "orders");
    for (const char* field : {"epoch", "view", "node", "incarnation", "state", "reason", "age_ms", "time", "mono_us"}) EXPECT_TRUE(line[field].is_null()) << field;
}

TEST(EventLine, TellsAnExitCodeFromASignal) {
    const Json none = Json::parse(json::event_line(samples::exit({}), "c")), code = Json::parse(json::event_line(samples::exit(ExitStatus{false, 0}), "c")),
               signal = Json::parse(json::event_line(samples::exit(ExitStatus{true, 9}), "c"));
    EXPECT_TRUE(none["exit_code"].is_null() && none["signal"].is_null());
    EXPECT_EQ(code["exit_code"], 0);
    EXPECT_TRUE(code["signal"].is_null());
    EXPECT_EQ(signal["signal"], 9);
    EXPECT_TRUE(signal["exit_code"].is_null());
}

// A zero is a figure where something was judged, and nothing where nothing was.
TEST(EventLine, KnowsAZeroFromNothing) {
    Event judged = samples::death();
    judged.evidence.age = judged.evidence.lost = judged.evidence.late = Duration{};
    EXPECT_EQ(Json::parse(json::event_line(judged, "c"))["age_ms"], 0);
    EXPECT_EQ(Json::parse(json::event_line(judged, "c"))["late_ms"], 0);
    judged.evidence.suspect_timeout = judged.evidence.dead_timeout = Duration{};
    EXPECT_TRUE(Json::parse(json::event_line(judged, "c"))["age_ms"].is_null());
}

TEST(EventLine, StaysOneLineOfUtf8WhateverANodeIsCalled) {
    Event e = samples::death();
    samples::set_node(e, "a\n\"\\\x01\xFF");
    e.name[0] = 6;
    const std::string line = json::event_line(e, "orders");
    EXPECT_EQ(line.find('\n'), std::string::npos);
    EXPECT_EQ(Json::parse(line)["node"], "a\n\"\\\x01\xEF\xBF\xBD");
}

TEST(StreamText, IsSixteenDigits) {
    EXPECT_EQ(json::stream_text(0), "0000000000000000");
    EXPECT_EQ(json::stream_text(0xC0FFEE), "0000000000c0ffee");
    EXPECT_EQ(json::stream_text(~std::uint64_t{0}), "ffffffffffffffff");
}

std::string document(const ClusterInfo& info, const std::vector<Peer>& peers, json::Detail detail) {
    std::string text;
    json::write_members([&](std::string_view piece) { text += piece; }, info, peers, samples::now, detail);
    return text;
}

const std::vector<std::string> head_fields{"cluster", "stream", "engine", "view", "head_sequence", "settings", "capacity", "counters"};
const std::vector<std::string> peer_fields{"node",        "cluster", "endpoint",   "host", "state", "reason", "since_ms",
                                           "incarnation", "slot",    "generation", "pid",  "local", "tags",   "last_heartbeat_age_ms", "stall"};

TEST(Members, AreADocumentWithExactlyTheFieldsPromised) {
    const Json d = Json::parse(document(samples::cluster(), {samples::peer()}, json::Detail::members));
    EXPECT_THAT(keys_of(d), ElementsAreArray(with(head_fields, {"peers"})));
    EXPECT_EQ(d["cluster"], "orders");
    EXPECT_EQ(d["stream"], "00c0ffee00000001");
    EXPECT_THAT(keys_of(d["engine"]), ElementsAreArray({"pid", "running", "epoch", "node", "version"}));
    EXPECT_EQ(d["engine"]["pid"], 812);
    EXPECT_EQ(d["engine"]["running"], true);
    EXPECT_EQ(d["engine"]["epoch"], 2);
    EXPECT_EQ(d["engine"]["node"], "host-1");
    EXPECT_EQ(d["view"], 12);
    EXPECT_EQ(d["head_sequence"], 41);
    EXPECT_EQ(d["settings"].dump(), R"({"heartbeat_ms":1000,"suspect_ms":3000,"dead_ms":5000,"evict_ms":10000,"scan_ms":10})");
    EXPECT_EQ(d["capacity"], 4096);
    for (const char* counter : {"heartbeats_sent", "heartbeats_received", "peers_joined", "peers_suspected", "peers_dead", "peers_evicted", "peers_recovered", "peers_left"})
        EXPECT_TRUE(d["counters"][counter].is_number_integer()) << counter;
    EXPECT_EQ(d["counters"]["heartbeats_sent"], 1);
    EXPECT_EQ(d["counters"]["peers_left"], 8);
    EXPECT_EQ(d["peers"].size(), 1u);
}

TEST(Members, TellOfEachPeerExactlyThis) {
    const Json d = Json::parse(document(samples::cluster(), {samples::peer()}, json::Detail::members));
    EXPECT_EQ(d["peers"][0].dump(),
              R"({"node":"worker-1","cluster":"orders","endpoint":"10.0.0.1:7000","host":"host-1.example","state":"alive","reason":"join","since_ms":90000,)"
              R"("incarnation":1738324800000001,"slot":9,"generation":3,"pid":4711,"local":true,"tags":{"role":"main","zone":"a"},"last_heartbeat_age_ms":1.5,"stall":null})");
}

TEST(Members, TellWhichGuardHoldsOneBack) {
    Peer p = samples::dead_peer(Reason::silence);
    p.stall = Stall{"write the \"journal\"", samples::now - 3s, 250ms};
    EXPECT_EQ(Json::parse(document(samples::cluster(), {p}, json::Detail::members))["peers"][0]["stall"].dump(),
              R"({"guard":"write the \"journal\"","budget_ms":250,"since_ms":3000})");
}

TEST(Members, AreNullWhereNothingIsKnown) {
    Peer p = samples::dead_peer(Reason::process_exit);
    p.pid = 0;
    p.tags.clear();
    p.endpoint.clear();
    p.local = false;
    const Json peer = Json::parse(document(samples::cluster(), {p}, json::Detail::members))["peers"][0];
    EXPECT_THAT(keys_of(peer), ElementsAreArray(peer_fields));
    EXPECT_TRUE(peer["pid"].is_null());
    EXPECT_TRUE(peer["last_heartbeat_age_ms"].is_null());
    EXPECT_TRUE(peer["host"].is_null());
    EXPECT_EQ(peer["endpoint"], "");
    EXPECT_EQ(peer["tags"], Json::object());
    EXPECT_EQ(peer["local"], false);
}

TEST(Members, NameAnotherHostWhereThePeerLivesThere) {
    Peer p = samples::peer();
    p.host = "host-2";
    p.local = false;
    EXPECT_EQ(Json::parse(document(samples::cluster(), {p}, json::Detail::members))["peers"][0]["host"], "host-2");
}

// A million peers need no document in memory, and a line a peer suits grep; it is one document all the same.
TEST(Members, AreALinePerPeer) {
    EXPECT_EQ(document(samples::cluster(), {}, json::Detail::members).find('\n'), document(samples::cluster(), {}, json::Detail::members).size() - 1);
    EXPECT_EQ(Json::parse(document(samples::cluster(), {}, json::Detail::members))["peers"], Json::array());
    const std::string three = document(samples::cluster(), {samples::peer(), samples::peer(), samples::peer()}, json::Detail::members);
    EXPECT_EQ(std::count(three.begin(), three.end(), '\n'), 5);
    EXPECT_EQ(Json::parse(three)["peers"].size(), 3u);
}

TEST(Dump, SaysWhatMembersSaysAndMore) {
    const Json members = Json::parse(document(samples::cluster(), {samples::peer()}, json::Detail::members)),
               dump = Json::parse(document(samples::cluster(), {samples::peer()}, json::Detail::all));
    for (const std::string& field : head_fields) EXPECT_EQ(dump[field], members[field]) << field;
    for (const auto& [key, value] : members["peers"][0].items()) EXPECT_EQ(dump["peers"][0][key], value) << key;
    EXPECT_EQ(dump["ring"], 65536);
    EXPECT_EQ(dump["high_water"], 10);
    EXPECT_EQ(dump["instance"], "000000000000abcd");
    EXPECT_EQ(dump["peers"][0]["uid"], 1000);
    EXPECT_EQ(dump["peers"][0]["gid"], 100);
    EXPECT_EQ(dump["peers"][0]["last_event"], 41);
    EXPECT_EQ(dump["peers"][0]["evidence"]["suspect_ms"], 3000);
}

TEST(Statistics, AreTheClusterWithoutItsPeers) {
    const Json stat = Json::parse(json::statistics(samples::cluster(), 2));
    for (const std::string& field : head_fields) EXPECT_TRUE(stat.contains(field)) << field;
    EXPECT_FALSE(stat.contains("peers"));
    EXPECT_EQ(stat["traffic"]["transports"][0]["transport"], "udp");
    EXPECT_EQ(stat["traffic"]["transports"][0]["unauthentic"], 3);
    EXPECT_EQ(stat["traffic"]["of_hosts"]["heard"], 5);
    EXPECT_THAT(json::statistics(samples::cluster(), 2), Not(HasSubstr("\n")));
}

TEST(HostsDocument, SaysOfEachHowItIsHeard) {
    Host host;
    host.name = "b";
    host.transport = "udp";
    host.address = "10.0.0.2:7946";
    host.state = State::suspect;
    host.reason = Reason::silence;
    host.incarnation = Incarnation{7};
    host.slot = Slot{3};
    host.members = 5;
    host.alive = 4;
    host.loss = 0.25;
    const Json document = Json::parse(json::hosts(samples::cluster(), {host}, {}, Instant{}));
    for (const std::string& field : head_fields) EXPECT_TRUE(document.contains(field)) << field;
    const Json& b = document["hosts"][0];
    EXPECT_EQ(b["host"], "b");
    EXPECT_EQ(b["state"], "suspect");
    EXPECT_EQ(b["reason"], "silence");
    EXPECT_EQ(b["transport"], "udp");
    EXPECT_EQ(b["address"], "10.0.0.2:7946");
    EXPECT_EQ(b["members"], 5);
    EXPECT_EQ(b["alive"], 4);
    EXPECT_EQ(b["loss"], 0.25);
    EXPECT_TRUE(b["round_trip_ms"].is_null()) << "no answer was timed";
    EXPECT_EQ(Json::parse(json::host_list(samples::cluster(), {host}, Instant{}))[0], b);
}

TEST(Clusters, AreListedEvenIfOneCannotBeRead) {
    const std::vector<json::ListedCluster> found{{{"orders", "/dev/shm/a"}, samples::cluster(), 3, {}}, {{"broken", "/dev/shm/a"}, {}, 0, "it is truncated"}};
    const Json list = Json::parse(json::clusters(found));
    ASSERT_EQ(list["clusters"].size(), 2u);
    EXPECT_EQ(list["clusters"][0]["cluster"], "orders");
    EXPECT_EQ(list["clusters"][0]["dir"], "/dev/shm/a");
    EXPECT_EQ(list["clusters"][0]["peer_count"], 3);
    EXPECT_TRUE(list["clusters"][0]["error"].is_null());
    EXPECT_EQ(list["clusters"][1]["cluster"], "broken");
    EXPECT_EQ(list["clusters"][1]["error"], "it is truncated");
    EXPECT_TRUE(list["clusters"][1]["peer_count"].is_null());
    EXPECT_EQ(Json::parse(json::clusters({}))["clusters"], Json::array());
}

TEST(Why, HasThePeerAndItsHistory) {
    const Peer peer = samples::dead_peer(Reason::process_exit, ExitStatus{true, 9});
    const Json known = Json::parse(json::why(samples::cluster(), "worker-1", &peer, {samples::exit(ExitStatus{true, 9})}, samples::now, "in words"));
    EXPECT_EQ(known["node"], "worker-1");
    EXPECT_EQ(known["peer"]["state"], "dead");
    EXPECT_EQ(known["peer"]["evidence"]["signal"], 9);
    EXPECT_THAT(keys_of(known["history"][0]), ElementsAreArray(event_fields));
    const Json gone = Json::parse(json::why(samples::cluster(), "worker-1", nullptr, {}, samples::now, ""));
    EXPECT_TRUE(gone["peer"].is_null());
    EXPECT_EQ(gone["history"], Json::array());
}

}  // namespace
}  // namespace rollcall::cli
