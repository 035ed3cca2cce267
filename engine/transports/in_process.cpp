#include "engine/transports/in_process.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace rollcall {

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
    const std::string to = std::exchange(message.via, name_ + ":" + from);
    std::vector<std::shared_ptr<InProcessTransport>> all, at_once;  // the last owner of one must not be whoever holds the lock
    Instant sent_at;
    {
        const std::lock_guard lock(mutex_);
        sent_at = now();
        for (const auto& [name, weak] : hosts_) {
            const auto& host = all.emplace_back(weak.lock());
            const bool is_for_it = to.empty() || to == name_ + ":" + name;
            if (!host || name == from || !is_for_it || cuts_.contains({from, name}) || by_chance(conditions_.loss)) continue;
            for (int copies = by_chance(conditions_.duplication) ? 2 : 1; copies > 0; --copies) {
                if (conditions_.delay_max <= Duration::zero()) {
                    if (!holds_back(name, message)) at_once.push_back(host);
                    continue;
                }
                const auto delay = std::uniform_int_distribution<std::int64_t>(conditions_.delay_min.count(), conditions_.delay_max.count())(random_);
                flying_.push({sent_at + Duration(delay), sent_++, name, message});
            }
        }
    }
    for (const auto& host : at_once) host->deliver(message, sent_at);
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
            if (holds_back(flight.to, flight.message)) continue;
            if (const auto at = hosts_.find(flight.to); at != hosts_.end()) host = at->second.lock();
        }
        if (host) host->deliver(flight.message, flight.at);
    }
}

bool InProcessNetwork::holds_back(const std::string& to, const Message& message) {
    const auto at = deaf_.find(to);
    if (at == deaf_.end()) return false;
    at->second.messages.push_back(message);
    return true;
}

void InProcessNetwork::stop_listening(const std::string& host) {
    const std::lock_guard lock(mutex_);
    deaf_.try_emplace(host, HeldBack{now(), {}});
}

void InProcessNetwork::listen_again(const std::string& host) {
    std::shared_ptr<InProcessTransport> to;
    HeldBack held;
    {
        const std::lock_guard lock(mutex_);
        const auto at = deaf_.find(host);
        if (at == deaf_.end()) return;
        held = std::move(at->second);
        deaf_.erase(at);
        held.since = now();
        if (const auto known = hosts_.find(host); known != hosts_.end()) to = known->second.lock();
    }
    if (to)
        for (const Message& message : held.messages) to->deliver(message, held.since);
}

Instant InProcessNetwork::heard_until(const std::string& host, Instant now) {
    const std::lock_guard lock(mutex_);
    const auto at = deaf_.find(host);
    return at == deaf_.end() ? now : std::min(at->second.since, now);
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
