#include "shm/scan.hpp"

namespace rollcall::shm {

std::size_t collect_below(const Word* words, std::size_t count, std::int64_t threshold, std::uint32_t* out) noexcept {
    std::size_t found = 0;
    for (std::size_t i = 0; i < count; ++i) {
        out[found] = static_cast<std::uint32_t>(i);
        found += words[i].load(std::memory_order_relaxed) < threshold;  // relaxed: judged again with acquire; no branch, it would mispredict
    }
    return found;
}

std::size_t count_below(const Word* words, std::size_t count, std::int64_t threshold) noexcept {
    std::size_t found = 0;
    for (std::size_t i = 0; i < count; ++i) found += words[i].load(std::memory_order_relaxed) < threshold;  // relaxed: as above
    return found;
}

}  // namespace rollcall::shm
