#include "engine/client/connection.hpp"

#include <map>

#include <unistd.h>

namespace rollcall {

std::shared_ptr<Connection> Connection::of_this_process(const shm::Paths& paths) {
    struct Known {
        pid_t process = 0;
        std::weak_ptr<Connection> connection;
    };
    static std::mutex mutex;
    static std::map<std::string, Known> all;
    const std::unique_lock lock(mutex, std::try_to_lock);
    if (!lock) return std::make_shared<Connection>(paths);  // a fork may have copied a held one
    Known& known = all[paths.folder];
    auto connection = known.process == ::getpid() ? known.connection.lock() : nullptr;
    if (!connection) {
        connection = std::make_shared<Connection>(paths);
        known = {::getpid(), connection};
    }
    return connection;
}

Result<Connection::Answer> Connection::ask(const control::Message& message, Duration timeout, int pidfd) {
    const std::lock_guard lock(mutex_);
    for (;;) {
        const bool was_open = session_.is_open();
        if (!was_open) {
            auto connected = Session::connect(paths_);
            if (!connected) return fail(connected.error());
            session_ = std::move(*connected);
            ++number_;
        }
        auto reply = session_.ask(message, timeout, pidfd);
        if (reply) return Answer{*reply, number_};
        if (!was_open || reply.error().kind != ErrorKind::no_engine) return fail(reply.error());
    }
}

bool Connection::is_still(std::uint64_t number) {
    const std::unique_lock lock(mutex_, std::try_to_lock);
    if (!lock) return true;
    if (session_.is_open() && session_.has_ended()) session_.close();
    return session_.is_open() && number == number_;
}

void Connection::close() {
    const std::lock_guard lock(mutex_);
    session_.close();
}

}  // namespace rollcall
