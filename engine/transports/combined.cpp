#include "engine/transports/combined.hpp"

#include <algorithm>
#include <optional>
#include <set>

#include "engine/hosts/switchboard.hpp"

namespace rollcall {

Result<std::shared_ptr<CombinedTransport>> CombinedTransport::make(std::vector<std::shared_ptr<Transport>> parts) {
    if (parts.empty()) return fail(ErrorKind::invalid, "no transports to combine");
    std::string name;
    std::set<std::string_view> names;
    for (const auto& part : parts) {
        if (!names.insert(part->name()).second) return fail(ErrorKind::invalid, "two transports are called '" + std::string(part->name()) + "': one host has one of each");
        name += (name.empty() ? "" : "+") + std::string(part->name());
    }
    return std::shared_ptr<CombinedTransport>(new CombinedTransport(std::move(parts), std::move(name)));
}

std::size_t CombinedTransport::max_message() const noexcept {
    std::size_t least = SIZE_MAX;
    for (const auto& part : parts_) least = std::min(least, part->max_message());
    return least;
}

Transport* CombinedTransport::part_of(std::string_view address) const noexcept {
    for (const auto& part : parts_)
        if (is_address_of(part->name(), address)) return part.get();
    return nullptr;
}

Result<void> CombinedTransport::publish(const Message& message) {
    if (auto ok = Switchboard::check(message, max_message()); !ok) return ok;
    Transport* part = message.via.empty() ? nullptr : part_of(message.via);
    if (part == nullptr && !message.via.empty()) return fail(ErrorKind::invalid, "'" + message.via + "' is no address of " + name_);
    published_.fetch_add(1, std::memory_order_relaxed);
    if (part != nullptr) return part->publish(message);
    std::optional<Result<void>> failure;
    bool is_taken = false;
    for (const auto& each : parts_) {
        auto published = each->publish(message);
        is_taken = is_taken || published.has_value();
        if (!published && !failure) failure = std::move(published);
    }
    return is_taken ? Result<void>{} : *failure;
}

void CombinedTransport::register_shard(std::shared_ptr<Shard> shard) {
    for (const auto& part : parts_) part->register_shard(shard);
}

void CombinedTransport::unregister_shard(const Shard& shard) {
    for (const auto& part : parts_) part->unregister_shard(shard);
}

void CombinedTransport::set_audience(const std::vector<std::string>& addresses) {
    for (const auto& part : parts_) {
        std::vector<std::string> its;
        std::copy_if(addresses.begin(), addresses.end(), std::back_inserter(its), [&](const std::string& address) { return is_address_of(part->name(), address); });
        part->set_audience(its);
    }
}

void CombinedTransport::subscribe(std::string prefix) {
    for (const auto& part : parts_) part->subscribe(prefix);
}

std::size_t CombinedTransport::deliver(const Message& message, Instant at) {
    Transport* part = part_of(message.via);
    return (part != nullptr ? part : parts_.front().get())->deliver(message, at);
}

Instant CombinedTransport::heard_until(Instant now) const {
    Instant latest{};
    for (const auto& part : parts_) latest = std::max(latest, part->heard_until(now));
    return latest;
}

std::vector<const Transport*> CombinedTransport::parts() const {
    std::vector<const Transport*> all;
    for (const auto& part : parts_)
        for (const Transport* each : part->parts()) all.push_back(each);
    return all;
}

void CombinedTransport::flush() {
    for (const auto& part : parts_) part->flush();
}

TransportStatistics CombinedTransport::statistics() const {
    TransportStatistics sum;
    sum.published = published_.load(std::memory_order_relaxed);
    for (const auto& part : parts_) {
        const TransportStatistics s = part->statistics();
        for (const auto member : {&TransportStatistics::received, &TransportStatistics::delivered, &TransportStatistics::foreign, &TransportStatistics::refused, &TransportStatistics::truncated,
                                  &TransportStatistics::oversized, &TransportStatistics::unknown_version, &TransportStatistics::garbage, &TransportStatistics::unauthentic, &TransportStatistics::failed, &TransportStatistics::dropped})
            sum.*member += s.*member;
    }
    return sum;
}

std::vector<TransportPeer> CombinedTransport::peers() const {
    std::vector<TransportPeer> all;
    for (const auto& part : parts_) {
        auto its = part->peers();
        all.insert(all.end(), std::make_move_iterator(its.begin()), std::make_move_iterator(its.end()));
    }
    return all;
}

}  // namespace rollcall
