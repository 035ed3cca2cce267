// The supervisor that started us, if it is one that programs notify (sd_notify(3)): it hears what an engine says, and all that a wrapped program says.
#pragma once

#include <optional>
#include <string>

#include "shm/descriptor.hpp"
#include "shm/units.hpp"
#include "tools/rollcall/notify_socket.hpp"

namespace rollcall::cli {

class NotifyOuter {
public:
    // By $NOTIFY_SOCKET. Without one, nothing is passed on to nobody.
    static NotifyOuter from_environment();

    bool is_there() const noexcept { return static_cast<bool>(fd_); }

    // Unchanged, with its descriptors. A supervisor that does not read is waited for a moment, once; then messages are lost until it reads
    // again, and that is told once.
    bool pass_on(const Notification& notification);  // false: it was not taken

private:
    bool send(const Notification& notification, int flags) const;

    shm::Descriptor fd_;
    std::string address_;
    bool takes_ = true;  // the last one, at least
};

// How often that supervisor wants to hear WATCHDOG=1, if it does: $WATCHDOG_USEC, unless it is meant for another process.
std::optional<Duration> outer_watchdog();

}  // namespace rollcall::cli
