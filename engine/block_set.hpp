// A set of blocks, small and dense: a bit each.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <vector>

namespace rollcall::engine {

struct BlockRun {
    std::uint32_t begin = 0, count = 0;
};

class BlockSet {
public:
    explicit BlockSet(std::size_t blocks) : bits_((blocks + 63) / 64, 0) {}

    bool contains(std::uint32_t b) const noexcept { return bits_[b / 64] >> b % 64 & 1; }
    void add(std::uint32_t b) noexcept { bits_[b / 64] |= std::uint64_t{1} << b % 64; }
    void add(const BlockSet& others) noexcept {  // of the same size
        for (std::size_t i = 0; i < bits_.size(); ++i) bits_[i] |= others.bits_[i];
    }
    void clear() noexcept { std::fill(bits_.begin(), bits_.end(), 0); }
    void remove(std::uint32_t b) noexcept { bits_[b / 64] &= ~(std::uint64_t{1} << b % 64); }

    // The first run of members in [from, end), of at most `longest`. None: count 0.
    BlockRun next_run(std::uint32_t from, std::uint32_t end, std::uint32_t longest) const noexcept {
        const std::uint32_t begin = next(from, end);
        std::uint32_t last = begin;
        while (last < end && last - begin < longest && contains(last)) ++last;
        return {begin, last - begin};
    }

private:
    // The first member in [from, end), or `end`.
    std::uint32_t next(std::uint32_t from, std::uint32_t end) const noexcept {
        while (from < end) {
            const std::uint64_t rest = bits_[from / 64] >> from % 64;
            if (rest != 0) return std::min(end, from + static_cast<std::uint32_t>(std::countr_zero(rest)));
            from = (from / 64 + 1) * 64;
        }
        return end;
    }

    std::vector<std::uint64_t> bits_;
};

}  // namespace rollcall::engine
