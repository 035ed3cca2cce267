#include "engine/transports/seeds.hpp"

#include <chrono>
#include <set>
#include <string_view>
#include <utility>

namespace rollcall {

namespace {
constexpr auto between_resolutions = std::chrono::seconds(10);
}

Result<void> Seeds::add(const std::string& seed) {
    auto where = parse_host_port(seed);
    if (!where) return fail(where.error());
    auto numeric = resolve(*where, family_, true);
    const std::lock_guard lock(mutex_);
    seeds_.push_back({std::move(*where), std::move(numeric)});
    all_.reset();
    wake_.notify_all();
    return {};
}

void Seeds::set_audience(std::vector<Address> audience) {
    const std::lock_guard lock(mutex_);
    audience_ = std::move(audience);
    all_.reset();
}

std::shared_ptr<const std::vector<Address>> Seeds::addresses(const Address& self) {
    const std::lock_guard lock(mutex_);
    if (all_) return all_;
    std::vector<Address> all = audience_;
    for (const Seed& seed : seeds_) all.insert(all.end(), seed.addresses.begin(), seed.addresses.end());
    std::set<std::string_view> seen{self.bytes()};
    std::vector<Address> each;
    for (const Address& to : all)
        if (seen.insert(to.bytes()).second) each.push_back(to);
    return all_ = std::make_shared<const std::vector<Address>>(std::move(each));
}

void Seeds::resolve_until_end() {
    std::unique_lock lock(mutex_);
    while (!ending_) {
        const std::size_t known = seeds_.size();
        for (std::size_t i = 0; i < known && !ending_; ++i) {
            const HostPort where = seeds_[i].where;
            lock.unlock();
            auto found = resolve(where, family_, false);
            lock.lock();
            if (found.empty()) continue;
            seeds_[i].addresses = std::move(found);
            all_.reset();
        }
        wake_.wait_for(lock, between_resolutions, [&] { return ending_ || seeds_.size() != known; });
    }
}

void Seeds::end() {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    wake_.notify_all();
}

}  // namespace rollcall
