// A join as a member makes it: over the control socket, with a card for its process, which is the first on a page of cards.
#include <memory>

#include <sys/epoll.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "engine/control/server.hpp"
#include "shm/local_socket.hpp"
#include "tests/crash/report.hpp"

namespace rollcall::test {
namespace {

// Engine and socket, as the runner has them, moved by hand. Lives in the child that is stepped.
class Served {
public:
    explicit Served(TimedCore& core) : core_(core), epoll_(::epoll_create1(EPOLL_CLOEXEC)), server_(core.core(), inbox_, epoll_.get(), {}) {
        if (auto listening = server_.listen(*core.core().paths(), {}); !listening) throw std::runtime_error(listening.error().message);
    }
    void turn() {
        epoll_event event;
        while (::epoll_wait(epoll_.get(), &event, 1, 0) == 1) server_.handle(event.data.u64, event.events, core_.now());
        core_.core().step(core_.now(), wall_origin_us, inbox_, false);
        server_.send_replies();
    }

private:
    TimedCore& core_;
    engine::Inbox inbox_;
    shm::Descriptor epoll_;
    control::Server server_;
};

std::unique_ptr<Served> served;

TEST(ServedAtEveryInstruction, AJoinOverTheSocket) {
    const Operation operation{"a join over the socket", [](TimedCore& c) { served = std::make_unique<Served>(c); },
                              [](TimedCore&) { served->turn(); }, {"joined new join"}};
    SweepSetup setup;
    shm::Descriptor connection;
    setup.call = [&](const std::string& dir) {
        connection = shm::connect_to(dir + "/test", "control.sock").value();
        control::Message join;
        join.kind = control::Kind::join;
        join.id = 1;
        join.node = "new";
        join.endpoint = "of the new";
        join.token = 4711;
        ASSERT_TRUE(shm::send_packet(connection.get(), control::encode(join)));
    };
    Sweep sweep(operation, setup);
    sweep.sweep_operation();
    sweep.sweep_adoptions(4);
    report(operation.what, sweep.tally());
}

}  // namespace
}  // namespace rollcall::test
