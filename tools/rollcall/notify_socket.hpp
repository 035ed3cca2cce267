// What a program says of itself, in the manner of sd_notify(3): "READY=1", "WATCHDOG=1", "STOPPING=1", lines of a datagram.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "shm/descriptor.hpp"
#include "shm/error.hpp"

namespace rollcall::cli {

struct Notification {
    std::string text;
    std::vector<shm::Descriptor> descriptors;  // a barrier (BARRIER=1) ends when they are closed
    pid_t pid = 0;                             // who sent it, as the kernel vouches for it
    uid_t uid = 0;
    bool is_whole = true;  // else something was cut off

    // `assignment` is one of its lines.
    bool says(std::string_view assignment) const;
};

// Has an abstract address: nothing remains when we are killed, and a program that changes its user or its root still reaches it. Anybody
// could send there, so the kernel names each sender.
class NotifySocket {
public:
    static Result<NotifySocket> open();

    // For $NOTIFY_SOCKET.
    const std::string& address() const noexcept { return address_; }
    int fd() const noexcept { return fd_.get(); }
    // The next one, if any. Never waits.
    std::optional<Notification> next() const;

private:
    NotifySocket(shm::Descriptor fd, std::string address) : fd_(std::move(fd)), address_(std::move(address)) {}

    shm::Descriptor fd_;
    std::string address_;
};

// May its sender speak for `program`? The program itself, and whoever may send it signals anyway: our user and root. So its children may,
// and helpers such as systemd-notify, which are often gone again before anybody could look up whose child they were.
bool may_speak_for(pid_t program, const Notification& notification) noexcept;

}  // namespace rollcall::cli
