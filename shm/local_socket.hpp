// Unix SOCK_SEQPACKET sockets by path, whatever the length of the path, and packets with a descriptor beside them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

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

// Waits until `socket` is readable; false when time is over.
bool wait_readable(int socket, Duration timeout) noexcept;

}  // namespace rollcall::shm
