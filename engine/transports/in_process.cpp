#include "engine/transports/in_process.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace rollcall {

namespace {
const std::string prefix = "in-process:";  // of addresses
}

std::shared_ptr<InProcessTransport> InProcessNetwork::add_host(const std::string& name) {
    auto host = std::make_shared<InProcessTransport>(shared_from_this(), name);
    const std::lock_guard lock(mutex_);
    hosts_.insert_or_assign(name, host);
    return host;
}

void InProcessNetwork::remove(const InProcessTransport* host) {
    const std::lock_guard lock(mutex_);
    const auto at = hosts_.find(host->host());
    if (at != hosts_.end() && at->second.expired()) hosts_.erase(at);
}

void InProcessNetwork::set_conditions(const InProcessConditions& conditions) {
    const std::lock_guard lock(mutex_);
    conditions_ = conditions;
}

void InProcessNetwork::cut(const std::string& from, const std::string& to) {
    const std::lock_guard lock(mutex_);
    cuts_.emplace(from, to);
}

void InProcessNetwork::heal() {
    const std::lock_guard lock(mutex_);
    cuts_.clear();
}

// Receivers are called without the lock: they may publish.
void InProcessNetwork::send(const std::string& from, Message message) {
    const std::string to = std::exchange(message.via, prefix + from);
    std::vector<std::shared_ptr<InProcessTransport>> all, at_once;  // the last owner of one must not be whoever holds the lock
    Instant now;
    {
        const std::lock_guard lock(mutex_);
        now = now_ == Instant{} ? std::chrono::steady_clock::now() : now_;
        for (const auto& [name, weak] : hosts_) {
            const auto& host = all.emplace_back(weak.lock());
            const bool is_for_it = to.empty() || to == prefix + name;
            if (!host || name == from || !is_for_it || cuts_.contains({from, name}) || by_chance(conditions_.loss)) continue;
            for (int copies = by_chance(conditions_.duplication) ? 2 : 1; copies > 0; --copies) {
                if (conditions_.delay_max <= Duration::zero()) {
                    at_once.push_back(host);
                    continue;
                }
                const auto delay = std::uniform_int_distribution<std::int64_t>(conditions_.delay_min.count(), conditions_.delay_max.count())(random_);
                flying_.push({now + Duration(delay), sent_++, name, message});
            }
        }
    }
    for (const auto& host : at_once) host->deliver(message, now);
}

void InProcessNetwork::deliver_until(Instant now) {
    for (;;) {
        Flight flight;
        std::shared_ptr<InProcessTransport> host;
        {
            const std::lock_guard lock(mutex_);
            if (flying_.empty() || flying_.top().at > now) {
                now_ = now;
                return;
            }
            flight = flying_.top();
            flying_.pop();
            now_ = flight.at;
            if (const auto at = hosts_.find(flight.to); at != hosts_.end()) host = at->second.lock();
        }
        if (host) host->deliver(flight.message, flight.at);
    }
}

Result<void> InProcessTransport::publish(const Message& message) {
    if (auto ok = switchboard_.check(message, max_message()); !ok) return ok;
    switchboard_.count_published();
    network_->send(host_, message);
    return {};
}

std::vector<TransportPeer> InProcessTransport::peers() const {
    const std::lock_guard lock(network_->mutex_);
    std::vector<TransportPeer> others;
    for (const auto& [name, host] : network_->hosts_)
        if (name != host_ && !host.expired()) others.push_back({name, {}});
    return others;
}

}  // namespace rollcall
