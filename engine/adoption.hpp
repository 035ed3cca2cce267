// Succession: taking over what an earlier engine left, at whatever instruction it ended.
#pragma once

#include <memory>

#include "engine/books.hpp"
#include "engine/ledger.hpp"

namespace rollcall::engine {

// Applies what was prepared and not published, then rebuilds the private books from the memory. Dying in here is harmless: the next
// one does it again. Fails with damaged if head, ring and records cannot be reconciled.
Result<std::unique_ptr<Books>> adopt(shm::Segment segment, const Now& now, std::uint32_t epoch);

}  // namespace rollcall::engine
