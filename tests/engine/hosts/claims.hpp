// What a list may say of a place: that a member is there, or nobody.
#pragma once

#include <cstdint>
#include <string>

#include "engine/hosts/list_entry.hpp"

namespace rollcall::test {

inline engine::ListEntry member(engine::Place place, std::uint64_t version, State state = State::alive) {
    engine::ListEntry entry;
    entry.place = place;
    entry.version = version;
    entry.state = state;
    entry.reason = state == State::alive ? Reason::join : Reason::silence;
    entry.incarnation = Incarnation{100 + place};
    entry.node = "node" + std::to_string(place);
    return entry;
}
inline engine::ListEntry nobody(engine::Place place, std::uint64_t version, Reason reason = Reason::goodbye) {
    engine::ListEntry entry;
    entry.place = place;
    entry.version = version;
    entry.reason = reason;
    return entry;
}

}  // namespace rollcall::test
