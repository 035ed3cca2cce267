// What is announced of another host's member: the worse of what its host says of it and what its host's silence says. A proof is final.
#pragma once

#include "engine/books.hpp"

namespace rollcall::engine {

// What should be announced of it.
Said standing(const RemoteHost& host, const Said& said) noexcept;

// Plans what brings `hot`, the record in this slot, there: at most `events_of_a_standing` events, for which there is room, and none of this slot in this commit.
inline constexpr std::uint32_t events_of_a_standing = 2;
void bring(Books& books, const RemoteHost& host, Slot slot, const shm::Name& name, shm::Hot hot, const Said& to);

// Plans that it is gone: `left` or `evicted`, after its death if that was not announced. The same room. May end the host's life in the table.
void remove_member(Books& books, const RemoteHost& host, Slot slot, const shm::Name& name, shm::Hot hot, const Said& why);

}  // namespace rollcall::engine
