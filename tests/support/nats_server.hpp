// A real nats-server of a test's own, on loopback.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tests/support/engine_fixture.hpp"
#include "tests/support/process.hpp"

namespace rollcall::test {

class NatsServer {
public:
    // Listens when it returns; throws if it does not. `flags`: beside those that say where.
    explicit NatsServer(std::vector<std::string> flags = {});

    const std::string& url() const noexcept { return url_; }      // nats://127.0.0.1:PORT, or tls:// if it was told so
    const std::string& route() const noexcept { return route_; }  // where other servers of a cluster reach it, if it was told to be of one
    void freeze() { process_->stop(); }
    void thaw() { process_->go_on(); }
    void kill();
    // Where it was before.
    void start();
    std::string said() const;  // its log
    bool is_up() const noexcept { return process_.has_value(); }

private:
    void read_ports();

    TemporaryFolder folder_;
    std::vector<std::string> flags_;
    std::string url_, route_;
    std::optional<Process> process_;
};

}  // namespace rollcall::test
