#include "engine/hosts/bus.hpp"

#include <algorithm>

namespace rollcall {

Bus::Subscription Bus::attach(std::string prefix, Handler handler) {
    const std::lock_guard lock(mutex_);
    entries_.push_back(std::make_shared<const Entry>(Entry{next_, std::move(prefix), std::move(handler)}));
    return next_++;
}

void Bus::detach(Subscription subscription) {
    const std::lock_guard lock(mutex_);
    std::erase_if(entries_, [&](const auto& entry) { return entry->id == subscription; });
}

std::size_t Bus::deliver(const Message& message, Instant at) {
    const std::lock_guard lock(mutex_);
    std::size_t taken = 0;
    for (const auto& entry : std::vector(entries_)) {  // a copy: a handler may detach itself or others
        const bool is_attached = std::find(entries_.begin(), entries_.end(), entry) != entries_.end();
        if (!is_attached || !message.path.starts_with(entry->prefix)) continue;
        entry->handler(message, at);
        ++taken;
    }
    return taken;
}

}  // namespace rollcall
