#include "shm/local_socket.hpp"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "shm/fork_guard.hpp"

namespace rollcall::shm {

namespace {

// A path in sockaddr_un has at most 107 bytes; through the folder's descriptor any folder will do.
bool address_in(const Descriptor& folder, const std::string& name, sockaddr_un& address) noexcept {
    address = {};
    address.sun_family = AF_UNIX;
    const std::string path = "/proc/self/fd/" + std::to_string(folder.get()) + "/" + name;
    if (path.size() >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return false;
    }
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    return true;
}

tl::unexpected<Error> cannot(const std::string& what, const std::string& folder, const std::string& name, ErrorKind kind) {
    return fail(kind, "cannot " + what + " " + folder + "/" + name + ": " + std::strerror(errno));
}

}  // namespace

Result<Descriptor> listen_at(const std::string& folder, const std::string& name, std::optional<std::uint32_t> group) {
    const Descriptor at(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    sockaddr_un address;
    Descriptor socket(open_guarded([] { return ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0); }));
    struct Close {  // unless it is handed over
        Descriptor& socket;
        ~Close() {
            if (socket) close_guarded(socket.release());
        }
    } const close{socket};
    if (!at || !socket || !address_in(at, name, address)) return cannot("make", folder, name, ErrorKind::system);
    if (::unlinkat(at.get(), name.c_str(), 0) != 0 && errno != ENOENT) return cannot("replace what lies at", folder, name, ErrorKind::refused);
    ::fchmod(socket.get(), 0660);  // what bind() makes has no more rights than this, whatever the umask
    if (::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
        return cannot("bind", folder, name, errno == ENOSPC ? ErrorKind::full : ErrorKind::system);
    if (::fchmodat(at.get(), name.c_str(), 0660, 0) != 0) return cannot("set the mode of", folder, name, ErrorKind::system);  // nobody connects before listen()
    if (group && ::fchownat(at.get(), name.c_str(), static_cast<uid_t>(-1), *group, 0) != 0) return cannot("give to its group", folder, name, ErrorKind::refused);
    if (::listen(socket.get(), 1024) != 0) return cannot("listen at", folder, name, ErrorKind::system);
    return socket;
}

namespace {

// Whoever bound the socket may be another than who owns its name: the kernel tells.
Result<void> check_listener(const Descriptor& socket, const std::string& path, const Trust& trust) {
    ucred listener{};
    socklen_t size = sizeof listener;
    if (::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &listener, &size) != 0) return fail(ErrorKind::system, "cannot ask who listens at " + path + ": " + std::strerror(errno));
    if (trust.includes(listener.uid)) return {};
    return fail(ErrorKind::refused, "at " + path + " listens uid " + std::to_string(listener.uid) + ", not " + trust.names() + ": have it stopped, or choose another --dir");
}

}  // namespace

Result<Descriptor> connect_to(const std::string& folder, const std::string& name, const Trust& trust) {
    const Descriptor at(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    sockaddr_un address;
    Descriptor socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    if (!at || !socket || !address_in(at, name, address)) return cannot("reach", folder, name, ErrorKind::no_engine);
    struct stat there{};
    if (::fstatat(at.get(), name.c_str(), &there, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(there.st_mode)) return fail(ErrorKind::refused, folder + "/" + name + " is a symbolic link: remove it");
    if (there.st_ino != 0)
        if (auto ok = trust.check(there, folder + "/" + name, writable_by_others); !ok) return fail(ok.error());
    const timeval patience{1, 0};  // a stopped engine with a full backlog would keep us for ever
    ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    int code = 0;
    do code = ::connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 ? 0 : errno;
    while (code == EINTR);
    errno = code;
    if (code == ECONNREFUSED || code == ENOENT || code == EAGAIN) return cannot("connect to", folder, name, ErrorKind::no_engine);
    if (code != 0) return cannot("connect to", folder, name, code == EACCES || code == EPERM ? ErrorKind::refused : ErrorKind::system);
    if (auto ok = check_listener(socket, folder + "/" + name, trust); !ok) return fail(ok.error());
    return socket;
}

bool send_packet(int socket, std::string_view packet, int descriptor) noexcept {
    iovec part{const_cast<char*>(packet.data()), packet.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
    if (descriptor >= 0) {
        message.msg_control = control.data();
        message.msg_controllen = control.size();
        cmsghdr* header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int));
        std::memcpy(CMSG_DATA(header), &descriptor, sizeof(int));
    }
    ssize_t sent = -1;
    do sent = ::sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent == static_cast<ssize_t>(packet.size());
}

namespace {

// Every descriptor that arrived is ours to close; the first one is kept.
void take_descriptors(msghdr& message, Descriptor& first) noexcept {
    for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
        const std::size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (std::size_t i = 0; i < count; ++i) {
            int fd = -1;
            std::memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof(int));
            Descriptor owned(fd);
            if (!first) first = std::move(owned);
        }
    }
}

}  // namespace

ssize_t receive_packet(int socket, char* buffer, std::size_t size, Descriptor& descriptor) noexcept {
    iovec part{buffer, size};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * 4)> control{};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    ssize_t received = -1;
    do received = ::recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    while (received < 0 && errno == EINTR);
    if (received < 0) return received;
    take_descriptors(message, descriptor);
    if ((message.msg_flags & MSG_TRUNC) == 0) return received;
    errno = EMSGSIZE;
    return -1;
}

PacketBatch::PacketBatch() noexcept {
    for (std::size_t i = 0; i < most; ++i) {
        parts_[i] = {buffers_[i].data(), longest};
        msghdr& header = headers_[i].msg_hdr;
        header = {};
        header.msg_iov = &parts_[i];
        header.msg_iovlen = 1;
        header.msg_control = controls_[i].bytes.data();
    }
}

std::size_t PacketBatch::receive(int socket) noexcept {
    close_descriptors();
    for (std::size_t i = 0; i < most; ++i) headers_[i].msg_hdr.msg_controllen = controls_[i].bytes.size();
    int received = -1;
    do received = ::recvmmsg(socket, headers_.data(), most, MSG_DONTWAIT | MSG_CMSG_CLOEXEC, nullptr);
    while (received < 0 && errno == EINTR);
    for (int i = 0; i < received; ++i) take_descriptors(headers_[static_cast<std::size_t>(i)].msg_hdr, descriptors_[static_cast<std::size_t>(i)]);
    return received < 0 ? 0 : static_cast<std::size_t>(received);
}

std::optional<std::string_view> PacketBatch::operator[](std::size_t i) const noexcept {
    if ((headers_[i].msg_hdr.msg_flags & MSG_TRUNC) != 0) return std::nullopt;
    return std::string_view(buffers_[i].data(), headers_[i].msg_len);
}

std::size_t send_packets(int socket, const std::vector<std::string>& packets) noexcept {
    constexpr std::size_t at_once = 64;
    std::array<mmsghdr, at_once> headers;
    std::array<iovec, at_once> parts;
    std::size_t sent = 0;
    while (sent < packets.size()) {
        const std::size_t count = std::min(at_once, packets.size() - sent);
        for (std::size_t i = 0; i < count; ++i) {
            parts[i] = {const_cast<char*>(packets[sent + i].data()), packets[sent + i].size()};
            headers[i] = {};
            headers[i].msg_hdr.msg_iov = &parts[i];
            headers[i].msg_hdr.msg_iovlen = 1;
        }
        int done = -1;
        do done = ::sendmmsg(socket, headers.data(), static_cast<unsigned>(count), MSG_DONTWAIT | MSG_NOSIGNAL);
        while (done < 0 && errno == EINTR);
        if (done < 0) break;
        sent += static_cast<std::size_t>(done);
    }
    return sent;
}

bool wait_readable(int socket, Duration timeout) noexcept {
    pollfd p{socket, POLLIN, 0};
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(timeout).count();
    return ::poll(&p, 1, static_cast<int>(std::max<std::int64_t>(0, std::min<std::int64_t>(ms + 1, 1'000'000)))) > 0;
}

}  // namespace rollcall::shm
