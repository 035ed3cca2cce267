// The inside of an observer; View and follow look in.
#pragma once

#include <atomic>
#include <optional>
#include <thread>

#include <unistd.h>

#include "engine/client/cursor.hpp"
#include "engine/client/observer.hpp"
#include "shm/descriptor.hpp"
#include "shm/segment.hpp"

namespace rollcall {

struct Observer::Impl {
    Options options;
    shm::Paths paths;
    shm::Segment segment;
    Cursor cursor;
    shm::StoredEvent last;  // what poll() returned last
    std::optional<Event> pending_gap;
    std::uint64_t stream = 0, view = 0;

    shm::Descriptor event;
    std::thread helper;
    std::atomic<bool> ending{false};

    const pid_t process = ::getpid();  // a forked child has the handle of a thread that it does not have

    ~Impl();
    Result<void> attach();
    void place_cursor();
    void end_helper();
};

}  // namespace rollcall
