// Unix SOCK_SEQPACKET sockets by path, whatever the length of the path, and packets with a descriptor beside them.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/socket.h>
#include <sys/types.h>

#include "shm/descriptor.hpp"
#include "shm/error.hpp"
#include "shm/trust.hpp"
#include "shm/units.hpp"

namespace rollcall::shm {

// Listens at folder/name, non-blocking, mode 0660, owned by `group` if given. What lies there is removed: the caller holds the lock, and
// closes the socket with close_guarded().
Result<Descriptor> listen_at(const std::string& folder, const std::string& name, std::optional<std::uint32_t> group);
// Fails with no_engine if nobody listens, refused if this user may not connect, or if socket or listener are not to be trusted.
Result<Descriptor> connect_to(const std::string& folder, const std::string& name, const Trust& trust = {});

// One packet, never blocking, never raising SIGPIPE. False with errno set.
bool send_packet(int socket, std::string_view packet, int descriptor = -1) noexcept;
// One packet into `buffer`: its length, 0 at the end of the connection, -1 with errno. A descriptor that came along is handed over;
// more than one are closed. A packet that did not fit is -1, EMSGSIZE.
ssize_t receive_packet(int socket, char* buffer, std::size_t size, Descriptor& descriptor) noexcept;

// Many packets by one call, never blocking. 160 KiB: not for the stack.
class PacketBatch {
public:
    static constexpr std::size_t most = 32, longest = 4096;

    PacketBatch() noexcept;
    PacketBatch(const PacketBatch&) = delete;
    PacketBatch& operator=(const PacketBatch&) = delete;
    // How many came, at most `most`; 0 with errno. The end of the connection comes as an empty packet. Descriptors nobody took are closed.
    std::size_t receive(int socket) noexcept;
    // A packet that did not fit says nothing.
    std::optional<std::string_view> operator[](std::size_t i) const noexcept;
    Descriptor take_descriptor(std::size_t i) noexcept { return std::move(descriptors_[i]); }
    // Closes what nobody took.
    void close_descriptors() noexcept { descriptors_ = {}; }

private:
    std::array<mmsghdr, most> headers_;
    std::array<iovec, most> parts_;
    std::array<std::array<char, longest>, most> buffers_;
    struct alignas(cmsghdr) Control {
        std::array<char, CMSG_SPACE(sizeof(int) * 4)> bytes;
    };
    std::array<Control, most> controls_;
    std::array<Descriptor, most> descriptors_;
};

// As many of them, from the first on, as the socket takes; fewer than all with errno.
std::size_t send_packets(int socket, const std::vector<std::string>& packets) noexcept;

// Waits until `socket` is readable; false when time is over.
bool wait_readable(int socket, Duration timeout) noexcept;

}  // namespace rollcall::shm
