// One connection to an engine's control socket: a request, its reply.
#pragma once

#include <cstdint>
#include <string>

#include "engine/control/protocol.hpp"
#include "shm/descriptor.hpp"
#include "shm/error.hpp"
#include "shm/paths.hpp"
#include "shm/units.hpp"

namespace rollcall {

class Session {
public:
    Session() = default;
    // Fails with no_engine, refused, system.
    static Result<Session> connect(const shm::Paths& paths);

    // Sends, and waits for the reply. `pidfd` travels along. A refusal of the engine is this call's error. Fails with no_engine if the
    // connection ended, timeout if nobody answered in time.
    Result<control::Reply> ask(control::Message message, Duration timeout, int pidfd = -1);
    // Still usable?
    bool is_open() const noexcept { return static_cast<bool>(socket_); }
    // The other end is gone; asks the kernel.
    bool has_ended() const noexcept;
    void close() noexcept { socket_.reset(); }

private:
    shm::Descriptor socket_;
    std::string where_;
    std::uint32_t next_id_ = 1;
};

// The cluster's folder among those that `dir` stands for: the first one with a roster in it. Fails with no_cluster, invalid, refused.
Result<shm::Paths> locate(const std::string& cluster, const std::string& dir);
// "no engine runs cluster 'x' …; start one with: rollcall run --cluster x"
Error no_engine(const std::string& cluster, const std::string& dir, const std::string& why);

}  // namespace rollcall
