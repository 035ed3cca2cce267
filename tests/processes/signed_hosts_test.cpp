// Engines in processes of their own with keys, and over a real NATS server.
#include <csignal>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>

#include <sys/stat.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/free_port.hpp"
#include "tests/support/nats_server.hpp"
#include "tests/support/watch.hpp"

namespace rollcall::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

std::vector<std::string> host(const std::string& node, std::vector<std::string> more) {
    std::vector<std::string> flags{"--heartbeat", "100ms", "--suspect", "1s", "--dead", "2s", "--evict", "60s", "--scan", "5ms", "--node", node, "--host", "host-" + node};
    flags.insert(flags.end(), more.begin(), more.end());
    return flags;
}

// One file of keys for all, as it is copied to every host.
class Keys {
public:
    explicit Keys(const TemporaryCluster& cluster) : cluster_(cluster), path_(cluster.dir() + "/hosts.keys") { add(); }
    const std::string& path() const noexcept { return path_; }
    void add() { ASSERT_EQ(cluster_.run({"keygen", "--keys", path_}).code, 0); }
    // The blocks of the file, each a key.
    void write(const std::vector<std::string>& blocks) const {
        std::ofstream file(path_);
        for (const std::string& block : blocks) file << "[[key]]\n" << block;
    }
    std::vector<std::string> blocks() const {
        std::stringstream text;
        text << std::ifstream(path_).rdbuf();
        std::vector<std::string> all;
        const std::string whole = text.str(), head = "[[key]]\n";
        for (std::size_t at = whole.find(head); at != std::string::npos;) {
            const std::size_t next = whole.find(head, at + 1);
            all.push_back(whole.substr(at + head.size(), next - at - head.size()));
            at = next;
        }
        return all;
    }

private:
    const TemporaryCluster& cluster_;
    std::string path_;
};

class SignedHosts : public testing::Test {
protected:
    void start(const std::vector<std::string>& flags_of_b = {}) {
        a.start_engine(host("a", {"--udp", at_a, "--seed", at_b, "--keys", keys.path()}));
        std::vector<std::string> flags{"--udp", at_b, "--seed", at_a};
        if (flags_of_b.empty()) flags.insert(flags.end(), {"--keys", keys.path()});
        else flags.insert(flags.end(), flags_of_b.begin(), flags_of_b.end());
        b.start_engine(host("b", flags));
    }
    // Every host reads its file anew.
    void reload() {
        for (TemporaryCluster* cluster : {&a, &b}) {
            const auto said = [&] { return count(cluster->said_by_engine(), "messages of hosts are signed by key"); };
            const std::size_t before = said();
            cluster->engine().signal(SIGHUP);
            ASSERT_TRUE(eventually([&] { return said() > before; }));
        }
    }
    static std::size_t count(const std::string& text, const std::string& what) {
        std::size_t n = 0;
        for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++n;
        return n;
    }

    const std::string at_a = free_udp_address(), at_b = free_udp_address();
    TemporaryCluster a, b;
    Keys keys{a};
};

// A key in three steps, while both beat ten times a second: nobody misses a beat for as long as would be suspicious.
TEST_F(SignedHosts, ChangeTheirKeyWithoutSuspectingEachOther) {
    start();
    Watch on_a(a), on_b(b);
    on_a.until("host_joined", "host-b");
    on_b.until("host_joined", "host-a");
    keys.add();
    reload();
    const auto both = keys.blocks();
    ASSERT_EQ(both.size(), 2u);
    keys.write({both[1], both[0]});
    reload();
    EXPECT_THAT(a.said_by_engine(), HasSubstr("signed by key 2"));
    keys.write({both[1]});
    reload();
    Process puppet = b.puppet();
    ASSERT_THAT(puppet.ask("join worker;beating worker"), testing::StartsWith("ok"));
    on_a.until("joined", "worker");
    on_b.catch_up();
    EXPECT_EQ(on_a.story("host-b"), "host_joined:join");
    EXPECT_EQ(on_b.story("host-a"), "host_joined:join");
}

TEST_F(SignedHosts, WhoHasNoKeyIsNobody) {
    start({"--insecure"});
    ASSERT_TRUE(eventually([&] { return a.said_by_engine().find("is refused: not signed") != std::string::npos && b.said_by_engine().find("is refused: signed by a key") != std::string::npos; }));
    EXPECT_THAT(b.said_by_engine(), HasSubstr("nothing is signed"));
    EXPECT_THAT(a.run({"hosts"}).out, Not(HasSubstr("host-b")));
    EXPECT_THAT(b.run({"hosts"}).out, Not(HasSubstr("host-a")));
}

TEST_F(SignedHosts, KeysThatOthersCanReadAreRefused) {
    ::chmod(keys.path().c_str(), 0644);
    const auto refused = a.run({"run", "--udp", at_a, "--keys", keys.path()});
    EXPECT_EQ(refused.code, 1);
    EXPECT_THAT(refused.err, HasSubstr("can be read by others"));
    ::chmod(keys.path().c_str(), 0600);
    const std::string block = keys.blocks().front();
    keys.write({block, block});
    EXPECT_THAT(a.run({"run", "--udp", at_a, "--keys", keys.path()}).err, HasSubstr("two keys have the id 1"));
    keys.write({"id = 300\nkey = \"00\"\n"});
    EXPECT_THAT(a.run({"run", "--udp", at_a, "--keys", keys.path()}).err, HasSubstr(keys.path() + ":1: a key's id is a number from 1 to 255"));
}

TEST_F(SignedHosts, ABrokenFileChangesNothing) {
    start();
    Watch on_a(a);
    on_a.until("host_joined", "host-b");
    keys.write({"id = 1\n"});
    a.engine().signal(SIGHUP);
    ASSERT_TRUE(eventually([&] { return a.said_by_engine().find("keys stay as they are") != std::string::npos; }));
    Process puppet = b.puppet();
    ASSERT_THAT(puppet.ask("join worker;beating worker"), testing::StartsWith("ok"));
    on_a.until("joined", "worker");
}

class HostsOverNats : public testing::Test {
protected:
    void SetUp() override {
        for (TemporaryCluster* cluster : {&a, &b}) cluster->start_engine(host(cluster == &a ? "a" : "b", {"--nats", server.url()}));
    }
    NatsServer server;
    TemporaryCluster a, b;
};

TEST_F(HostsOverNats, KnowEachOthersProcesses) {
    Process puppet = b.puppet();
    ASSERT_THAT(puppet.ask("join worker;beating worker"), testing::StartsWith("ok"));
    Watch on_a(a);
    EXPECT_THAT(on_a.until("joined", "worker").line, HasSubstr(R"("host":"host-b")"));
    puppet.signal(SIGKILL);
    puppet.wait();
    EXPECT_EQ(on_a.until("dead", "worker").reason, "process_exit");
    EXPECT_THAT(a.run({"hosts"}).out, HasSubstr("nats"));
    b.kill_engine();
    on_a.until("host_dead", "host-b");
}

// The broker is gone for a while: nobody is judged, and afterwards all goes on.
TEST_F(HostsOverNats, ABrokerThatIsGoneIsNobodysDeath) {
    Process local = a.puppet(), puppet = b.puppet();
    ASSERT_THAT(puppet.ask("join worker;beating worker"), testing::StartsWith("ok"));
    ASSERT_THAT(local.ask("join local;beating local"), testing::StartsWith("ok"));
    Watch on_a(a);
    on_a.until("joined", "worker");
    server.kill();
    on_a.until("orphaned", "host-b");
    std::this_thread::sleep_for(4s);  // twice what is death
    server.start();
    ASSERT_THAT(puppet.ask("join late;beating late"), testing::StartsWith("ok"));
    on_a.until("joined", "late");
    EXPECT_EQ(on_a.story("worker"), "joined:join");
    EXPECT_EQ(on_a.story("local"), "joined:join");
    EXPECT_EQ(on_a.story("host-b").find("host_suspect"), std::string::npos) << on_a.story("host-b");
}

// A frozen broker delivers what it held back when it goes on: of whom died meanwhile none of it counts.
TEST_F(HostsOverNats, AFrozenBrokersOldBeatsReviveNobody) {
    Watch on_a(a);
    on_a.until("host_joined", "host-b");
    server.freeze();
    on_a.until("orphaned", "host-b");
    b.kill_engine();
    server.thaw();
    on_a.until("host_dead", "host-b");
    std::this_thread::sleep_for(2s);
    on_a.catch_up();
    EXPECT_EQ(on_a.story("host-b").find("host_recovered"), std::string::npos) << on_a.story("host-b");
}

}  // namespace
}  // namespace rollcall::test
