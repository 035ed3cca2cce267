// A producer gone mad: `flipper DIR FLIPS MILLISECONDS SEED PREFIX` maps the pulse as every producer may and flips random bits of random
// heartbeat words and cards, spread over that time. The words of the peers whose names begin with PREFIX are left alone. At its end it
// writes `ok` and how many flips it made.
#include <chrono>
#include <iostream>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "engine/client/present.hpp"
#include "shm/host.hpp"
#include "shm/paths.hpp"
#include "shm/segment.hpp"

namespace {

namespace shm = rollcall::shm;
using rollcall::Slot;

class Flipper {
public:
    Flipper(shm::Roster& roster, unsigned seed) : roster_(roster), random_(seed), is_spared_(roster.geometry().word_count, false) {}

    bool spare(const std::string& prefix) {
        const auto peers = rollcall::snapshot_peers(roster_, nullptr, nullptr);
        if (!peers) return false;
        for (const rollcall::Peer& peer : *peers)
            if (peer.node.starts_with(prefix)) is_spared_[peer.slot.value] = true;
        return true;
    }

    // In portions of a millisecond.
    std::size_t flip(std::size_t flips, std::size_t milliseconds) {
        std::size_t done = 0;
        const auto start = std::chrono::steady_clock::now();
        for (std::size_t portion = 1; portion <= milliseconds; ++portion) {
            for (; done < flips * portion / milliseconds; ++done) flip_one();
            std::this_thread::sleep_until(start + std::chrono::milliseconds(portion));
        }
        return done;
    }

private:
    // Mostly words of those who live; of the rest half words that nobody uses, half cards.
    void flip_one() {
        const auto kind = random_() % 8;
        if (kind == 7) return flip_card();
        const std::uint64_t words = kind == 6 ? roster_.geometry().word_count : roster_.high_water();
        const Slot slot{static_cast<std::uint32_t>(random_() % words)};
        if (is_spared_[slot.value]) return flip_one();
        roster_.word(slot).fetch_xor(static_cast<std::int64_t>(std::uint64_t{1} << random_() % 64), std::memory_order_relaxed);  // relaxed: noise orders nothing
    }
    void flip_card() {
        const std::uint32_t cards = std::min(roster_.header().cards_used.load(std::memory_order_acquire), roster_.capacity());  // [extent]
        if (cards == 0) return;
        auto* words = reinterpret_cast<shm::AtomicWord64*>(&roster_.card(static_cast<std::uint32_t>(random_() % cards)));
        words[random_() % (sizeof(shm::Card) / 8)].fetch_xor(std::uint64_t{1} << random_() % 64, std::memory_order_relaxed);
    }

    shm::Roster& roster_;
    std::mt19937_64 random_;
    std::vector<bool> is_spared_;
};

}  // namespace

int main(int argc, char** argv) {
    if (argc != 6) return 2;
    auto segment = shm::Segment::attach(shm::Paths::of(argv[1], "default"), shm::Access::producer, shm::HostIdentity::current());
    if (!segment) {
        std::cout << segment.error().message << std::endl;
        return 1;
    }
    Flipper flipper(segment->writable(), static_cast<unsigned>(std::stoul(argv[4])));
    if (!flipper.spare(argv[5])) return 1;
    std::cout << "ok " << flipper.flip(std::stoul(argv[2]), std::stoul(argv[3])) << std::endl;
}
