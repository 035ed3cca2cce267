// Becoming a member, and giving up on it: patience, and what a signal means meanwhile.
#pragma once

#include <functional>

#include "engine/client/member.hpp"
#include "tools/rollcall/signal_feed.hpp"

namespace rollcall::cli {

// Joins, and goes on trying for `patience` while there is no engine or the id is held, unless a signal asks to end, or `is_pointless`.
// Fails with the exit code of the command (128 + n for a signal, as if it had ended us); the reason has been told by then.
tl::expected<Member, int> join_patiently(const Member::Options& options, Duration patience, const SignalFeed& signals,
                                         const std::function<bool()>& is_pointless = {});

}  // namespace rollcall::cli
