#include "engine/client/traffic.hpp"

#include <algorithm>
#include <cstring>

namespace rollcall {

namespace {

constexpr auto relaxed = std::memory_order_relaxed;  // each count stands for itself
constexpr std::size_t longest_name = shm::transport_name_words * 8;

static_assert(transport_counts.size() <= shm::transport_counters && host_counts.size() + 2 <= shm::host_counters);
constexpr std::size_t sent_at = shm::host_counters - 2, received_at = shm::host_counters - 1;

template <class Named, class Counts, class Words>
void store(const Named& named, const Counts& counts, Words& words) noexcept {
    for (std::size_t i = 0; i < named.size(); ++i) words[i].store(counts.*named[i].value, relaxed);
}
template <class Named, class Counts, class Words>
void load(const Named& named, Counts& counts, const Words& words) noexcept {
    for (std::size_t i = 0; i < named.size(); ++i) counts.*named[i].value = words[i].load(relaxed);
}

}  // namespace

void store_traffic(shm::RosterHeader& header, const Traffic& traffic) noexcept {
    for (std::size_t i = 0; i < shm::max_transports; ++i) {
        shm::TransportLine& line = header.transports[i];
        const bool is_used = i < traffic.transports.size();
        if (is_used) store(transport_counts, traffic.transports[i].second, line.counters);
        std::array<std::uint64_t, shm::transport_name_words> name{};
        if (is_used) std::memcpy(name.data(), traffic.transports[i].first.data(), std::min(traffic.transports[i].first.size(), longest_name));
        shm::store_words<shm::transport_name_words>(line.name, name, relaxed);
    }
    store(host_counts, traffic.hosts, header.hosts);
    header.hosts[sent_at].store(traffic.heartbeats_sent, relaxed);
    header.hosts[received_at].store(traffic.heartbeats_received, relaxed);
}

Traffic load_traffic(const shm::RosterHeader& header) {
    Traffic traffic;
    for (const shm::TransportLine& line : header.transports) {
        const auto words = shm::load_words<shm::transport_name_words>(line.name, relaxed);
        const auto* text = reinterpret_cast<const char*>(words.data());
        const std::string name(text, ::strnlen(text, longest_name));
        if (name.empty()) continue;
        load(transport_counts, traffic.transports.emplace_back(name, TransportStatistics{}).second, line.counters);
    }
    load(host_counts, traffic.hosts, header.hosts);
    traffic.heartbeats_sent = header.hosts[sent_at].load(relaxed);
    traffic.heartbeats_received = header.hosts[received_at].load(relaxed);
    return traffic;
}

}  // namespace rollcall
