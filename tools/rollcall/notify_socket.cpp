#include "tools/rollcall/notify_socket.hpp"

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstring>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "shm/host.hpp"

namespace rollcall::cli {

namespace {

constexpr std::size_t longest = 4096;        // as systemd: longer ones are not for us, nor for it
constexpr std::size_t most_descriptors = 253;  // as the kernel

std::string random_name() {
    char name[40];
    std::snprintf(name, sizeof name, "@rollcall/notify/%016llx", static_cast<unsigned long long>(shm::random_bits()));
    return name;
}

// Takes over what came beside the text.
void take_control(msghdr& message, Notification& into) {
    for (cmsghdr* c = CMSG_FIRSTHDR(&message); c != nullptr; c = CMSG_NXTHDR(&message, c)) {
        if (c->cmsg_level != SOL_SOCKET) continue;
        if (c->cmsg_type == SCM_CREDENTIALS) {
            ucred sender{};
            std::memcpy(&sender, CMSG_DATA(c), sizeof sender);
            into.pid = sender.pid;
            into.uid = sender.uid;
        } else if (c->cmsg_type == SCM_RIGHTS) {
            const std::size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
            for (std::size_t i = 0; i < count; ++i) {
                int fd = -1;
                std::memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof fd);
                into.descriptors.emplace_back(fd);
            }
        }
    }
}

}  // namespace

bool Notification::says(std::string_view assignment) const {
    for (std::string_view rest = text; !rest.empty();) {
        const std::size_t end = rest.find('\n');
        if (rest.substr(0, end) == assignment) return true;
        rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    }
    return false;
}

Result<NotifySocket> NotifySocket::open() {
    shm::Descriptor fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const std::string address = random_name();
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    std::memcpy(name.sun_path, address.data(), address.size());
    name.sun_path[0] = '\0';
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address.size());
    const int yes = 1;
    // Credentials first: nothing may come in without.
    if (!fd || ::setsockopt(fd.get(), SOL_SOCKET, SO_PASSCRED, &yes, sizeof yes) != 0 || ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&name), size) != 0)
        return fail(ErrorKind::system, std::string("cannot make a socket for the program's notifications: ") + std::strerror(errno));
    return NotifySocket(std::move(fd), address);
}

std::optional<Notification> NotifySocket::next() const {
    std::array<char, longest> text;
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(ucred)) + CMSG_SPACE(sizeof(int) * most_descriptors)> control;
    iovec part{text.data(), text.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    ssize_t size;
    do size = ::recvmsg(fd_.get(), &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    while (size < 0 && errno == EINTR);
    if (size < 0) return std::nullopt;
    Notification notification;
    notification.uid = static_cast<uid_t>(-1);
    take_control(message, notification);
    notification.text.assign(text.data(), static_cast<std::size_t>(size));
    notification.is_whole = (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0;
    return notification;
}

bool may_speak_for(pid_t program, const Notification& n) noexcept { return (n.pid > 0 && n.pid == program) || n.uid == ::geteuid() || n.uid == 0; }

}  // namespace rollcall::cli
