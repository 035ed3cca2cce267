#include "tools/rollcall/notify_outer.hpp"

#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "tools/rollcall/report.hpp"

namespace rollcall::cli {

namespace {

constexpr timeval patience{0, 100'000};  // signals and beats wait meanwhile

}  // namespace

NotifyOuter NotifyOuter::from_environment() {
    NotifyOuter outer;
    const char* address = std::getenv("NOTIFY_SOCKET");
    if (address == nullptr || *address == '\0') return outer;
    outer.address_ = address;
    if ((address[0] != '/' && address[0] != '@') || address[1] == '\0' || outer.address_.size() >= sizeof(sockaddr_un::sun_path)) {
        log(LogLevel::warning, "NOTIFY_SOCKET '" + outer.address_ + "' is neither a path nor an abstract address, so nothing is passed on to it");
        return outer;
    }
    outer.fd_.reset(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!outer.fd_ || ::setsockopt(outer.fd_.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) != 0) {
        log(LogLevel::warning, std::string("cannot pass notifications on: ") + std::strerror(errno));
        outer.fd_.reset();
    }
    return outer;
}

bool NotifyOuter::pass_on(const Notification& notification) {
    if (!fd_) return true;
    const bool taken = send(notification, takes_ ? 0 : MSG_DONTWAIT);
    if (!taken && takes_) log(LogLevel::warning, "notifications cannot be passed on to " + address_ + ": " + std::strerror(errno));
    takes_ = taken;
    return taken;
}

bool NotifyOuter::send(const Notification& notification, int flags) const {
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    std::memcpy(to.sun_path, address_.data(), address_.size());
    if (address_[0] == '@') to.sun_path[0] = '\0';

    iovec part{const_cast<char*>(notification.text.data()), notification.text.size()};
    msghdr message{};
    message.msg_name = &to;
    message.msg_namelen = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address_.size());
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    std::vector<char> control;
    if (const std::size_t size = notification.descriptors.size() * sizeof(int); size > 0) {
        control.resize(CMSG_SPACE(size));
        message.msg_control = control.data();
        message.msg_controllen = control.size();
        cmsghdr* header = CMSG_FIRSTHDR(&message);
        header->cmsg_len = CMSG_LEN(size);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        for (std::size_t i = 0; i < notification.descriptors.size(); ++i) {
            const int fd = notification.descriptors[i].get();
            std::memcpy(CMSG_DATA(header) + i * sizeof fd, &fd, sizeof fd);
        }
    }
    return ::sendmsg(fd_.get(), &message, flags | MSG_NOSIGNAL) >= 0;
}

std::optional<Duration> outer_watchdog() {
    const char* text = std::getenv("WATCHDOG_USEC");
    const char* pid = std::getenv("WATCHDOG_PID");
    if (text == nullptr || (pid != nullptr && std::to_string(::getpid()) != pid)) return std::nullopt;
    std::uint64_t us = 0;
    const auto [end, error] = std::from_chars(text, text + std::strlen(text), us);
    constexpr std::uint64_t most = std::uint64_t{1} << 53;
    if (error != std::errc{} || *end != '\0' || us == 0 || us > most) return std::nullopt;
    return std::chrono::microseconds(us);
}

}  // namespace rollcall::cli
