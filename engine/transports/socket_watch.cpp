#include "engine/transports/socket_watch.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <linux/sock_diag.h>
#include <poll.h>
#include <sys/socket.h>

namespace rollcall {

// The same turn before and after, and nothing there in between: whatever came earlier was handed over.
bool SocketWatch::is_idle() const {
    const std::uint64_t turn = turns_.load(std::memory_order_seq_cst);  // [turns]
    if (turn % 2 != 0) return false;
    for (const int socket : sockets_) {
        pollfd waiting{socket, POLLIN, 0};  // also a datagram of no bytes, which FIONREAD does not count
        if (::poll(&waiting, 1, 0) != 0) return false;
    }
    return turns_.load(std::memory_order_seq_cst) == turn;  // [turns]
}

std::uint64_t SocketWatch::dropped() const {
    std::uint64_t sum = 0;
    for (const int socket : sockets_) {
        std::array<std::uint32_t, SK_MEMINFO_VARS> info{};
        socklen_t size = sizeof info;
        if (::getsockopt(socket, SOL_SOCKET, SO_MEMINFO, info.data(), &size) == 0 && size > SK_MEMINFO_DROPS * sizeof(std::uint32_t)) sum += info[SK_MEMINFO_DROPS];
    }
    return sum;
}

Instant SocketWatch::heard_until(Instant now) const {
    const std::uint64_t dropped_now = dropped();
    const bool idle = is_idle();
    const std::lock_guard lock(mutex_);
    if (std::exchange(dropped_, dropped_now) != dropped_now) dropped_at_ = now;
    if (dropped_at_ == Instant{} || now - dropped_at_ >= settles) clean_at_ = std::max(clean_at_, now);
    const Instant heard = idle ? now : instant_from_ns(drained_ns_.load(std::memory_order_relaxed));  // relaxed: a moment, and an older one is safe
    return std::min({heard, clean_at_, now});
}

}  // namespace rollcall
