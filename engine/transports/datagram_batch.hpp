// Many datagrams by one call.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include <sys/socket.h>

#include "engine/hosts/datagram.hpp"
#include "engine/transports/address.hpp"

namespace rollcall {

inline constexpr std::size_t packets_at_once = 64;

// Room for one byte more than a datagram may have: what fills it is too long.
struct DatagramBatch {
    std::array<mmsghdr, packets_at_once> headers;
    std::array<iovec, packets_at_once> parts;
    std::array<Address, packets_at_once> from;
    std::array<std::array<char, max_datagram + 1>, packets_at_once> bytes;

    DatagramBatch() {
        for (std::size_t i = 0; i < packets_at_once; ++i) {
            parts[i] = {bytes[i].data(), bytes[i].size()};
            headers[i] = {};
            headers[i].msg_hdr.msg_iov = &parts[i];
            headers[i].msg_hdr.msg_iovlen = 1;
            headers[i].msg_hdr.msg_name = &from[i].storage;
        }
    }
    std::size_t receive(int socket) noexcept {
        for (mmsghdr& header : headers) header.msg_hdr.msg_namelen = sizeof(sockaddr_storage);
        const int count = ::recvmmsg(socket, headers.data(), packets_at_once, MSG_DONTWAIT, nullptr);
        for (int i = 0; i < count; ++i) from[static_cast<std::size_t>(i)].size = headers[static_cast<std::size_t>(i)].msg_hdr.msg_namelen;
        return count < 0 ? 0 : static_cast<std::size_t>(count);
    }
    std::string_view operator[](std::size_t i) const noexcept { return {bytes[i].data(), headers[i].msg_len}; }
};

}  // namespace rollcall
