#include "engine/client/guard_board.hpp"

#include <utility>

namespace rollcall {

namespace {

void begin(GuardCell& cell, Instant now) noexcept { cell.since_ns.store(std::max<std::int64_t>(to_ns(now), 1), std::memory_order_release); }  // [guard]

}  // namespace

GuardBoard::~GuardBoard() {
    for (GuardCell* cell = first_.load(std::memory_order_relaxed); cell != nullptr;) delete std::exchange(cell, cell->next);  // relaxed: nobody else is left
}

GuardCell& GuardBoard::free_cell() {
    for (GuardCell* cell = first_.load(std::memory_order_acquire); cell != nullptr; cell = cell->next) {  // [guards]
        bool taken = false;
        if (cell->is_taken.compare_exchange_strong(taken, true, std::memory_order_acquire)) return *cell;  // [guard]
    }
    auto* fresh = new GuardCell;
    fresh->is_taken.store(true, std::memory_order_relaxed);  // nobody knows it yet
    fresh->next = first_.load(std::memory_order_relaxed);    // the exchange orders
    while (!first_.compare_exchange_weak(fresh->next, fresh, std::memory_order_release, std::memory_order_relaxed)) {}  // [guards]
    return *fresh;
}

Guard GuardBoard::take(Duration budget, std::string_view name, Instant now) {
    GuardCell& cell = free_cell();
    cell.budget_ns.store(budget.count(), std::memory_order_relaxed);  // since_ns is 0: nobody looks at these
    cell.name.store(name);
    begin(cell, now);
    return {shared_from_this(), cell};
}

const GuardCell* GuardBoard::overrun(Instant now) const noexcept {
    const GuardCell* worst = nullptr;
    std::int64_t longest = 0;
    for (const GuardCell* cell = first_.load(std::memory_order_acquire); cell != nullptr; cell = cell->next) {  // [guards]
        const std::int64_t since = cell->since_ns.load(std::memory_order_acquire);  // [guard]
        if (since == 0) continue;
        const std::int64_t over = to_ns(now) - since - cell->budget_ns.load(std::memory_order_acquire);  // acquire: the next line is read after it
        // A cell that has a new owner, or whose owner went on meanwhile, is in time.
        if (over > longest && cell->since_ns.load(std::memory_order_relaxed) == since) longest = over, worst = cell;
    }
    return worst;
}

Guard::Guard(std::shared_ptr<GuardBoard> board, GuardCell& cell) noexcept : board_(std::move(board)), cell_(&cell) {}
Guard::Guard(Guard&& other) noexcept : board_(std::move(other.board_)), cell_(std::exchange(other.cell_, nullptr)) {}

Guard& Guard::operator=(Guard&& other) noexcept {
    if (this != &other) {
        Guard old(std::move(*this));
        board_ = std::move(other.board_);
        cell_ = std::exchange(other.cell_, nullptr);
    }
    return *this;
}

Guard::~Guard() {
    if (cell_ == nullptr) return;
    rest();
    cell_->is_taken.store(false, std::memory_order_release);  // [guard]
}

void Guard::progress() noexcept { begin(*cell_, std::chrono::steady_clock::now()); }
void Guard::rest() noexcept { cell_->since_ns.store(0, std::memory_order_release); }  // [guard]

}  // namespace rollcall
