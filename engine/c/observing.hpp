// Where to look, as C says it.
#pragma once

#include "engine/c/rollcall.h"
#include "engine/client/observer.hpp"

namespace rollcall::c {

ObserverOptions options_of(const rollcall_observer_options& from);

}  // namespace rollcall::c
