// The parts of a transport as the ways by which the detector's hosts are heard.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/hosts/transport.hpp"
#include "engine/receivers.hpp"

namespace rollcall::engine {

inline Listening listening_of(const std::shared_ptr<const Transport>& transport) {
    if (!transport) return {};
    return {transport->parts().size(), [transport, parts = transport->parts()](std::size_t way, Instant now) { return parts[way]->heard_until(now); }};
}

// In the same order.
inline std::vector<std::string> ways_of(const std::shared_ptr<const Transport>& transport) {
    std::vector<std::string> names;
    if (transport)
        for (const Transport* part : transport->parts()) names.emplace_back(part->name());
    return names;
}

}  // namespace rollcall::engine
