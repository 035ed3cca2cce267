// The connection of a process to a cluster's engine, shared by its members: a thousand of them ask one after another over one socket.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>

#include "engine/client/session.hpp"

namespace rollcall {

// Thread-safe: whoever asks waits for those who asked before.
class Connection {
public:
    // This process's own; made anew in a forked child. It ends with its last holder.
    static std::shared_ptr<Connection> of_this_process(const shm::Paths& paths);
    explicit Connection(shm::Paths paths) : paths_(std::move(paths)) {}

    struct Answer {
        control::Reply reply;
        std::uint64_t connection = 0;  // each time that it was made anew has its number
    };
    // Connects first where there is no connection, or where an earlier engine took it with it. Fails like Session::connect and Session::ask.
    Result<Answer> ask(const control::Message& message, Duration timeout, int pidfd = -1);
    // Is this still the connection? Asks the kernel; while another thread asks the engine, it is taken to be.
    bool is_still(std::uint64_t number);
    void close();
    // In a forked child, where the lock's copy may be held by nobody: gives back the descriptor.
    void abandon() noexcept { session_.close(); }

private:
    std::mutex mutex_;
    const shm::Paths paths_;
    Session session_;
    std::uint64_t number_ = 0;
};

}  // namespace rollcall
