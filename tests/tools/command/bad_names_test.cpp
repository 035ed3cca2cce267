// Names that make no sense, for every subcommand that takes one: wrong usage, one line, and nothing changed.
#include "tests/tools/command/command_fixture.hpp"

namespace rollcall::test {
namespace {

struct BadName {
    std::string name, what;
};

const std::vector<BadName> bad_ids{
    {"", "the node id is empty: give 1 to 63 bytes"},
    {std::string(64, 'x'), "the node id has 64 bytes: at most 63 are allowed"},
    {"a b", "white space at byte 2"},
    {"a\xC2\xA0" "b", "white space at byte 2"},      // no-break space
    {"a\xE3\x80\x80", "white space at byte 2"},      // ideographic space
    {"a\tb", "control character at byte 2"},
    {"a\nb", "control character at byte 2"},
    {"a\x7F", "control character at byte 2"},
    {"a\xE2\x80\xAE" "b", "control character at byte 2"},  // right-to-left override
    {"\xFF", "not valid UTF-8 at byte 1"},
    {"ab\xC0\xAF", "not valid UTF-8 at byte 3"},     // overlong
    {"a\xC3", "not valid UTF-8 at byte 2"},          // cut off
    {"a\xED\xA0\x80", "not valid UTF-8 at byte 2"},  // a surrogate
};

class BadInput : public CommandTest {
protected:
    void SetUp() override {
        start_engine();
        start_member("a");
    }
};

TEST_F(BadInput, NodeIdsAreRefusedWhereverOneIsNamed) {
    std::vector<Refused> rows;
    for (const auto& [id, what] : bad_ids) {
        rows.push_back({{"join", "--node", id}, 2, {what}});
        rows.push_back({{"join", "--node", id, "--", "touch", folder() + "/it-ran"}, 2, {what}});
        rows.push_back({{"run", "--cluster", "other", "--node", id}, 2, {what}});
        rows.push_back({{"evict", id}, 2, {what}});
        rows.push_back({{"why", id}, 2, {what}});
        rows.push_back({{"wait", id, "--state", "gone"}, 2, {what}});
    }
    refuse(rows);
    EXPECT_NE(::access((folder() + "/it-ran").c_str(), F_OK), 0);
}

// 63 bytes are an id, whatever they spell.
TEST_F(BadInput, TheLongestNodeIdIsNoMistake) {
    for (const std::string& id : {std::string(63, 'x'), std::string("größe-東京-🚀"), std::string("'\"\\$(x)")}) {
        start_member(id);
        EXPECT_EQ(run({"wait", id, "--state", "alive"}).code, 0);
        EXPECT_EQ(run({"evict", id}).code, 0);
    }
}

TEST_F(BadInput, ClusterNamesAreRefusedByEverySubcommand) {
    const std::vector<Words> subcommands{{"run"},       {"join", "--node", "x"}, {"members"}, {"watch"}, {"wait", "x", "--state", "alive"}, {"why", "x"}, {"stat"}, {"list"},
                                         {"set", "--suspect", "40s"}, {"evict", "x"}, {"stop"}, {"stop", "--remove"}, {"dump"}};
    std::vector<Refused> rows;
    for (const std::string& name : {std::string(), std::string(64, 'x'), std::string("a b"), std::string("../default"), std::string("a/b"), std::string("a.b"), std::string("größe")})
        for (Words words : subcommands) {
            words.insert(words.end(), {"--cluster", name});
            rows.push_back({std::move(words), 2, {"the cluster name must be 1 to 63 of A-Za-z0-9_-"}});
        }
    refuse(rows);
}

TEST_F(BadInput, EndpointsAndTagsAreRefusedBeforeAnybodyJoins) {
    const std::string long_endpoint(256, 'e'), long_value(511, 'v');
    refuse({
        {{"join", "--node", "x", "--endpoint", long_endpoint}, 2, {"the endpoint has 256 bytes: at most 255 are allowed"}},
        {{"join", "--node", "x", "--endpoint", "a\nb"}, 2, {"endpoint", "control characters"}},
        {{"join", "--node", "x", "--endpoint", "\xFF"}, 2, {"endpoint", "UTF-8"}},
        {{"join", "--node", "x", "--tag", "novalue"}, 2, {"option --tag: 'novalue' has no '=' between key and value"}},
        {{"join", "--node", "x", "--tag", "=v"}, 2, {"tag", "key"}},
        {{"join", "--node", "x", "--tag", "k=1", "--tag", "k=2"}, 2, {"option --tag: key 'k' is given twice"}},
        {{"join", "--node", "x", "--tag", "k=" + long_value}, 2, {"tags", "at most 512"}},
        {{"join", "--node", "x", "--tag", "k=a\x01"}, 2, {"tag", "control characters"}},
        {{"join", "--node", "x", "--tag", "\xC0=v"}, 2, {"tag", "UTF-8"}},
    });
}

TEST_F(BadInput, TheLongestEndpointAndTagsAreNoMistake) {
    const std::string endpoint(255, 'e'), value(509, 'v');
    start_member("x", {"--endpoint", endpoint, "--tag", "k=" + value});
    const nlohmann::json members = read({"members", "--json"});
    for (const auto& peer : members["peers"])
        if (peer["node"] == "x") {
            EXPECT_EQ(peer["endpoint"], endpoint);
            EXPECT_EQ(peer["tags"]["k"], value);
        }
}

TEST_F(BadInput, AGroupThatDoesNotExistIsRefusedByName) {
    refuse({{{"run", "--cluster", "other", "--group", "no-such-group"}, 2, {"no group 'no-such-group' on this host"}}});
}

TEST_F(BadInput, AStateThatDoesNotExistIsRefusedByName) {
    refuse({
        {{"members", "--state", "none"}, 2, {"option --state: 'none' is none of alive, suspect, dead", "see 'rollcall members --help'"}},
        {{"members", "--state", "gone"}, 2, {"'gone' is none of"}},
        {{"members", "--state", ""}, 2, {"'' is none of"}},
        {{"wait", "a", "--state", "Alive"}, 2, {"option --state: 'Alive' is none of alive, suspect, dead, gone", "see 'rollcall wait --help'"}},
    });
}

}  // namespace
}  // namespace rollcall::test
