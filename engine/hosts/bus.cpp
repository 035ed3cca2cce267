#include "engine/hosts/bus.hpp"

#include <algorithm>

namespace rollcall {

Bus::Subscription Bus::attach(std::string prefix, Handler handler) {
    const std::lock_guard lock(mutex_);
    Entries entries = *entries_;
    entries.push_back(std::make_shared<const Entry>(Entry{next_, std::move(prefix), std::move(handler)}));
    entries_ = std::make_shared<const Entries>(std::move(entries));
    return next_++;
}

void Bus::detach(Subscription subscription) {
    const std::lock_guard lock(mutex_);
    Entries entries = *entries_;
    std::erase_if(entries, [&](const auto& entry) { return entry->id == subscription; });
    entries_ = std::make_shared<const Entries>(std::move(entries));
}

std::size_t Bus::deliver(const Message& message, Instant at) {
    const std::lock_guard lock(mutex_);
    const std::shared_ptr<const Entries> entries = entries_;  // a handler may attach and detach
    std::size_t taken = 0;
    for (const auto& entry : *entries) {
        const bool is_attached = entries == entries_ || std::find(entries_->begin(), entries_->end(), entry) != entries_->end();
        if (!is_attached || !message.path.starts_with(entry->prefix)) continue;
        entry->handler(message, at);
        ++taken;
    }
    return taken;
}

}  // namespace rollcall
