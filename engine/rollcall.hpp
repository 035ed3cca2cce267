// Everything rollcall offers to a program. In an installed tree: #include <rollcall/rollcall.hpp>.
#pragma once

#include "engine/client/member.hpp"
#include "engine/client/observer.hpp"
#include "engine/engine.hpp"
#include "engine/hosts/shard.hpp"
#include "engine/hosts/transport.hpp"
#include "engine/transports/combined.hpp"
#include "engine/transports/in_process.hpp"
#include "engine/transports/udp.hpp"
