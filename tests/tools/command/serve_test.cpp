// `rollcall serve`, asked over real sockets: what it answers, whom it refuses, and that nobody who is slow or rude disturbs the others.
#include <csignal>
#include <cstring>
#include <fstream>
#include <regex>
#include <sstream>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "shm/descriptor.hpp"
#include "tests/tools/command/command_fixture.hpp"

namespace rollcall::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using nlohmann::json;

// One connection.
class Client {
public:
    explicit Client(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(port);
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        const timeval patience_s{30, 0};
        ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience_s, sizeof patience_s);
        is_connected_ = ::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
    }
    bool send(const std::string& text) const { return ::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size()); }
    // Until this is in what was read, or the other end closes.
    std::string read_until(const std::string& end) {
        char piece[4096];
        const Instant last = clock_now() + patience;  // a stream says something now and then, and never ends
        for (ssize_t n = 1; read_.find(end) == std::string::npos && n > 0 && clock_now() < last;) {
            n = ::recv(socket_.get(), piece, sizeof piece, 0);
            if (n > 0) read_.append(piece, static_cast<std::size_t>(n));
        }
        return read_;
    }
    std::string read_all() { return read_until("\1 never \1"); }
    bool is_connected() const { return is_connected_; }

private:
    shm::Descriptor socket_;
    bool is_connected_ = false;
    std::string read_;
};

class Serve : public CommandTest {
protected:
    void SetUp() override { engine_ = &start_engine(); }
    Process& serve(const Words& flags = {}) {
        Words words{"serve", "--http", "127.0.0.1:0"};
        words.insert(words.end(), flags.begin(), flags.end());
        Process& process = start(words);
        const std::regex address("http://127\\.0\\.0\\.1:(\\d+)/");
        std::smatch match;
        std::string said;
        EXPECT_TRUE(eventually([&] {
            said = said_by(process);
            return std::regex_search(said, match, address) || process.has_ended();
        }));
        if (!match.empty()) port_ = static_cast<std::uint16_t>(std::stoi(match[1]));
        return process;
    }
    static std::string request(const std::string& path, const std::string& more = "") { return "GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n" + more + "\r\n"; }
    // Everything that comes back.
    std::string answer(const std::string& bytes) const {
        Client client(port_);
        client.send(bytes);
        return client.read_all();
    }
    std::string get(const std::string& path, const std::string& more = "") const { return answer(request(path, more)); }
    static std::string body_of(const std::string& answer) { return answer.substr(std::min(answer.find("\r\n\r\n") + 4, answer.size())); }
    json document(const std::string& path) const { return json::parse(body_of(get(path))); }

    Process* engine_ = nullptr;
    std::uint16_t port_ = 0;
};

TEST_F(Serve, SaysWhatTheCommandsSay) {
    start_member("worker", {"--tag", "rack=7", "--endpoint", "h:1"});
    serve();
    EXPECT_THAT(get("/healthz"), HasSubstr("\r\n\r\nok\n"));
    const json members = document("/members"), same = read({"members", "--json"});
    ASSERT_EQ(members["peers"].size(), 1u);
    for (const char* field : {"node", "state", "endpoint", "incarnation", "tags", "slot"}) EXPECT_EQ(members["peers"][0][field], same["peers"][0][field]) << field;
    EXPECT_EQ(members["stream"], same["stream"]);
    EXPECT_EQ(document("/hosts")["hosts"].size(), 0u);
    EXPECT_THAT(document("/why?node=work%65r")["explanation"].get<std::string>(), HasSubstr("worker is alive"));
    EXPECT_EQ(document("/ages")["slots"][0], members["peers"][0]["slot"]);
    const std::string metrics = get("/metrics");
    for (const char* line : {"rollcall_up{cluster=\"default\"} 1\n", "rollcall_members{cluster=\"default\",state=\"alive\"} 1\n", "rollcall_members_joined_total{cluster=\"default\"} 1\n", "# TYPE rollcall_scan_seconds histogram\n"})
        EXPECT_THAT(metrics, HasSubstr(line));
    const std::string page = get("/");
    EXPECT_THAT(page, HasSubstr("Content-Security-Policy: default-src 'none'"));
    EXPECT_THAT(page, Not(HasSubstr("http"
                                    "s://")))
        << "nothing from elsewhere";
    for (const char* file : {"/page.css", "/page.js"}) EXPECT_THAT(get(file), StartsWith("HTTP/1.1 200 OK"));
}

TEST_F(Serve, RefusesWhatIsNoQuestion) {
    serve();
    const struct {
        std::string bytes, status, why;
    } rows[]{{request("/nowhere"), "404", "/members"},
             {request("/why?node=nobody"), "404", "nobody"},
             {request("/events?from=x"), "400", "'x' is no SEQ"},
             {"POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", "405", "only GET"},
             {"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello", "413", "nothing is to be sent"},
             {"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n", "431", "too long"},
             {"\x16\x03\x01 this is TLS, not HTTP\r\n\r\n", "400", "no HTTP"},
             {"GET /members HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n", "403", "localhost only"},
             {"GET /members HTTP/1.1\r\nHost: 127.evil.example\r\nConnection: close\r\n\r\n", "403", "localhost only"},
             {"GET /members HTTP/1.0\r\n\r\n", "403", "localhost only"}};
    for (const auto& row : rows) {
        const std::string answered = answer(row.bytes);
        EXPECT_THAT(answered, StartsWith("HTTP/1.1 " + row.status)) << row.bytes.substr(0, 60);
        EXPECT_THAT(answered, HasSubstr(row.why));
    }
    EXPECT_THAT(get("/healthz"), HasSubstr("ok")) << "and goes on";
}

TEST_F(Serve, KeepsAConnectionAndKnowsHead) {
    serve();
    Client client(port_);
    for (int i = 0; i < 3; ++i) {
        ASSERT_TRUE(client.send("GET /healthz HTTP/1.1\r\nHost: [::1]:7947\r\n\r\n"));
        ASSERT_THAT(client.read_until("\r\n\r\nok\n"), HasSubstr("200 OK"));
    }
    const std::string head = answer("HEAD /members HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    EXPECT_THAT(head, HasSubstr("Content-Length: "));
    EXPECT_EQ(body_of(head), "");
}

TEST_F(Serve, TellsEventsAsTheyHappenAndGoesOnWhereAReaderWas) {
    serve();
    Client all(port_), late(port_);
    all.send(request("/events?from=0"));
    late.send(request("/events"));
    late.read_until("event: hello");
    Process& member = start_member("worker");
    EXPECT_THAT(all.read_until(R"("event":"joined")"), HasSubstr("id: 1\ndata: {\"seq\":1,"));
    CommandTest::kill(member);
    EXPECT_THAT(late.read_until(R"("event":"dead")"), HasSubstr(R"("signal":9)"));
    Client again(port_);
    again.send(request("/events", "Last-Event-ID: 1\r\n"));
    EXPECT_THAT(again.read_until(R"("event":"dead")"), Not(HasSubstr(R"("event":"joined")"))) << "it has seen that one";
    Client other(port_);
    other.send(request("/events?stream=00c0ffee00c0ffee", "Last-Event-ID: 1\r\n"));
    EXPECT_THAT(other.read_until(R"("event":"gap")"), HasSubstr("gap")) << "of another stream nothing is known here";
}

TEST_F(Serve, WithATokenAnswersOnlyWhoKnowsIt) {
    const std::string token = "0123456789abcdef0123456789abcdef", file = write("token", token + "\n");
    ::chmod(file.c_str(), 0600);
    serve({"--token-file", file});
    EXPECT_THAT(get("/healthz"), HasSubstr("ok")) << "says nothing worth knowing";
    for (const std::string& path : {std::string("/"), std::string("/members"), std::string("/events"), std::string("/metrics"), "/?token=" + token + "x", std::string("/?token=")}) EXPECT_THAT(get(path), StartsWith("HTTP/1.1 401")) << path;
    EXPECT_THAT(get("/members", "Authorization: Bearer " + token.substr(1) + "\r\n"), StartsWith("HTTP/1.1 401"));
    EXPECT_THAT(get("/members", "Authorization: Bearer " + token + "\r\nX: y\r\n"), StartsWith("HTTP/1.1 200"));
    const std::string opened = get("/?token=" + token);
    EXPECT_THAT(opened, StartsWith("HTTP/1.1 303"));
    EXPECT_THAT(opened, HasSubstr("=" + token + "; Path=/; HttpOnly; SameSite=Lax"));
    const std::size_t cookie = opened.find("Set-Cookie: ") + 12;
    EXPECT_THAT(get("/members", "Cookie: a=b; " + opened.substr(cookie, opened.find(';', cookie) - cookie) + "\r\n"), StartsWith("HTTP/1.1 200"));
}

TEST_F(Serve, RefusesToBeReachedByAnybody) {
    const std::string open = write("open", "0123456789abcdef0123456789abcdef\n"), brief = write("brief", "short\n");
    ::chmod(open.c_str(), 0644);
    ::chmod(brief.c_str(), 0600);
    refuse({{{"serve", "--http", "0.0.0.0:0"}, 2, {"--token-file"}},
            {{"serve", "--http", "7947"}, 2, {"'7947' is no ADDR:PORT"}},
            {{"serve", "--http", "127.0.0.1:99999"}, 2, {"is no ADDR:PORT"}},
            {{"serve", "--http", "[::1:7947"}, 2, {"is no ADDR:PORT"}},
            {{"serve", "--http", "127.0.0.1:0", "--token-file", open}, 1, {"can be read by others", "chmod 600"}},
            {{"serve", "--http", "127.0.0.1:0", "--token-file", brief}, 2, {"16 to 512"}},
            {{"serve", "--http", "127.0.0.1:0", "--token-file", folder() + "/none"}, 1, {"No such file"}},
            {{"serve", "--http", "203.0.113.1:0", "--token-file", folder() + "/none"}, 1, {"No such file"}}});
}

// Whoever reads nothing, and whoever sends nothing, has a place; the others go on.
TEST_F(Serve, SlowReadersKeepNobodyWaiting) {
    serve();
    std::deque<Client> silent, deaf;
    for (int i = 0; i < 40; ++i) silent.emplace_back(port_).send("GET /mem");
    for (int i = 0; i < 64; ++i) deaf.emplace_back(port_).send(request("/events?from=0"));
    ASSERT_TRUE(eventually([&] {
        Client client(port_);
        client.send(request("/events"));
        return client.read_until("e").find("503") != std::string::npos;
    })) << "as many as there may be";
    EXPECT_THAT(get("/healthz"), HasSubstr("ok"));
    deaf.clear();
    EXPECT_TRUE(eventually([&] {
        Client client(port_);
        client.send(request("/events"));
        return client.read_until("hello").find("event: hello") != std::string::npos;
    })) << "who is gone has left a place";
}

TEST_F(Serve, OutlivesTheEngineAndItsMemory) {
    Process& member = start_member("worker");
    Process& server = serve();
    CommandTest::kill(*engine_);
    EXPECT_TRUE(eventually([&] { return get("/healthz").find("no engine runs") != std::string::npos; }));
    EXPECT_EQ(document("/members")["peers"].size(), 1u) << "what it left";
    Client reader(port_);
    reader.send(request("/events"));
    reader.read_until("hello");
    engine_ = &start_engine();
    EXPECT_TRUE(eventually([&] { return get("/healthz").find("\r\n\r\nok") != std::string::npos; }));
    CommandTest::kill(member);  // it would join the next memory by itself
    ASSERT_EQ(run({"stop", "--remove"}).code, 0);
    EXPECT_TRUE(eventually([&] { return get("/members").find("503") != std::string::npos; }));
    EXPECT_THAT(get("/metrics"), HasSubstr("rollcall_up{cluster=\"default\"} 0\n")) << "which is an alert";
    EXPECT_THAT(get("/healthz"), HasSubstr("the cluster is gone"));
    engine_ = &start_engine();
    EXPECT_TRUE(eventually([&] { return get("/members").find("\"peers\":[]") != std::string::npos; }));
    EXPECT_THAT(reader.read_until(R"("event":"gap")"), HasSubstr("gap")) << "what that memory told is not known here";
    server.signal(SIGTERM);
    EXPECT_EQ(server.wait(), 0);
}

}  // namespace
}  // namespace rollcall::test
