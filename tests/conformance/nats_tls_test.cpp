// NATS inside TLS, over a real server that asks for certificates: who is trusted, by whom, and that nothing is said to anybody else.
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/transports/nats.hpp"
#include "tests/support/nats_server.hpp"

namespace rollcall {
namespace {

using testing::HasSubstr;

// Certificates as an operator makes them, by openssl's command.
class Authority {
public:
    explicit Authority(const std::string& name) : ca_(folder_.path() + "/ca") { make(ca_, name, {}); }
    std::string ca() const { return ca_ + ".pem"; }
    // The path of a certificate (.pem) and its key (.key) of somebody who is called so, as `subject_names` in openssl's words.
    std::string issue(const std::string& name, const std::string& subject_names) const {
        const std::string path = folder_.path() + "/" + name;
        make(path, name, {"-CA", ca(), "-CAkey", ca_ + ".key", "-addext", "subjectAltName=" + subject_names, "-addext", "basicConstraints=critical,CA:FALSE"});
        return path;
    }

private:
    void make(const std::string& path, const std::string& name, const std::vector<std::string>& more) const {
        std::vector<std::string> argv{"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=" + name, "-keyout", path + ".key", "-out", path + ".pem"};
        argv.insert(argv.end(), more.begin(), more.end());
        test::Process openssl({argv, {}, folder_.path() + "/log", {}});
        if (openssl.wait() != 0) throw std::runtime_error("openssl made no certificate for " + name);
    }
    test::TemporaryFolder folder_;
    std::string ca_;
};

class NatsTls : public testing::Test {
protected:
    static std::vector<std::string> server_flags(const Authority& trusted, const std::string& certificate) {
        return {"--tls", "--tlsverify", "--tlscacert", trusted.ca(), "--tlscert", certificate + ".pem", "--tlskey", certificate + ".key"};
    }
    // Of a server: the same place, by another name and protocol.
    static std::string tls_url(const test::NatsServer& server, const std::string& host = "127.0.0.1") { return "tls://" + host + server.url().substr(server.url().rfind(':')); }
    static NatsOptions options(std::string url, std::string ca, const std::string& certificate) {
        return {.urls = {std::move(url)}, .ca = std::move(ca), .certificate = certificate.empty() ? "" : certificate + ".pem", .key = certificate.empty() ? "" : certificate + ".key"};
    }
    static bool gets_in(NatsOptions options) {
        const auto transport = NatsTransport::open(std::move(options)).value();
        return test::eventually([&] { return transport->is_connected(); });
    }
    static std::size_t count(const test::NatsServer& server, std::string_view what) {
        const std::string log = server.said();
        std::size_t n = 0;
        for (std::size_t at = log.find(what); at != std::string::npos; at = log.find(what, at + 1)) ++n;
        return n;
    }
    // It was tried, and failed, as often as it takes to believe it.
    static void stays_out(NatsOptions options, const test::NatsServer& server, const char* why, const std::string& reason = "") {
        std::mutex mutex;
        std::string lines;
        options.log = [&](const std::string& line) {
            const std::lock_guard lock(mutex);
            lines += line + "\n";
        };
        const auto transport = NatsTransport::open(std::move(options)).value();
        const auto refusals = [](const test::NatsServer& s) { return count(s, "TLS handshake error"); };
        const std::size_t before = refusals(server);
        EXPECT_TRUE(test::eventually([&] { return transport->is_connected() || refusals(server) >= before + 3; })) << why;
        EXPECT_FALSE(transport->is_connected()) << why;
        const std::lock_guard lock(mutex);
        EXPECT_THAT(lines, HasSubstr(reason)) << why;
    }

    const Authority authority{"rollcall test authority"}, other{"somebody else"};
    const std::string server_certificate = authority.issue("server", "IP:127.0.0.1,DNS:localhost"), client = authority.issue("client", "DNS:client");
};

TEST_F(NatsTls, WhoeverHasACertificateGetsIn) {
    test::NatsServer server(server_flags(authority, server_certificate));
    EXPECT_TRUE(gets_in(options(tls_url(server), authority.ca(), client)));
    EXPECT_TRUE(gets_in(options(tls_url(server, "localhost"), authority.ca(), client)));
}

TEST_F(NatsTls, WhoHasNoneOrAnothersStaysOut) {
    test::NatsServer server(server_flags(authority, server_certificate));
    stays_out(options(tls_url(server), authority.ca(), ""), server, "no certificate");
    stays_out(options(tls_url(server), authority.ca(), other.issue("client", "DNS:client")), server, "another authority's");
}

TEST_F(NatsTls, AServerThatCannotProveWhoItIsIsToldNothing) {
    test::NatsServer server(server_flags(authority, server_certificate)), stranger(server_flags(authority, authority.issue("stranger", "DNS:elsewhere.example")));
    stays_out(options(tls_url(server), other.ca(), client), server, "another authority's server", "unable to get local issuer certificate");
    stays_out(options(tls_url(stranger), authority.ca(), client), stranger, "a server of another name", "IP address mismatch");
}

TEST_F(NatsTls, APlainServerIsNotSpokenToWithoutTls) {
    test::NatsServer server({"-D"});
    const auto transport = NatsTransport::open(options(tls_url(server), authority.ca(), client)).value();
    EXPECT_TRUE(test::eventually([&] { return count(server, "Client connection created") >= 3; })) << "it goes on trying";
    EXPECT_FALSE(transport->is_connected());
}

TEST_F(NatsTls, FilesThatAreNoCertificatesAreRefused) {
    NatsOptions bad = options("tls://127.0.0.1:4222", client + ".key", client);
    const auto opened = NatsTransport::open(std::move(bad));
    ASSERT_FALSE(opened);
    EXPECT_THAT(opened.error().message, HasSubstr(client + ".key"));
}

}  // namespace
}  // namespace rollcall
