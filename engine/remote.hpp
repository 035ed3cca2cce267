// Other hosts and their members, as requests tell of them: whoever receives messages has checked that the host itself spoke, the rest is checked here.
#pragma once

#include "engine/request.hpp"
#include "engine/residents.hpp"
#include "engine/standing.hpp"

namespace rollcall::engine {

class Remote {
public:
    Remote(Books& books, Residents& residents, const shm::Name& own_node) : books_(books), residents_(residents), own_node_(own_node) {}

    // A host is heard of for the first time, anew after this engine's start, or in a new life: `host_joined`, or nothing if this very life is known. A new life
    // takes the place of the old one, whose members stay until its whole list is known. The answer says which words it beats.
    void admit_host(const Request& request, Answer& answer);
    // What a host says of some of its members. The answer says of which it was not believed.
    void take_claims(const Request& request, Answer& answer);
    // It said goodbye, for all its members.
    void leave(const Request& request, Answer& answer);
    // Something about it that changes nothing: it does not hear this host (one_way), there are two of its name (duplicate).
    void tell(EventKind what, const Request& request, Answer& answer);

    // Its id becomes somebody else's: whoever spoke for it does so no more.
    void disown(const Holder& holder) {
        tell_displaced(holder);
        books_.disown(holder.slot, holder.hot);
    }
    // It is taken away by others than its host.
    void tell_displaced(const Holder& holder) const;

private:
    struct Slots {
        Slot host, word;
    };
    RemoteHost* host_of(const Request& request, Answer& answer);
    Result<Slots> take_slots();
    Generation start_word(Slot word, const shm::Name& host);
    void admit_known(const Request& request, const shm::Name& name, Holder holder, Answer& answer);
    void tell_words(const RemoteHost& host, Generation generation, Incarnation incarnation, bool is_new, Answer& answer);
    bool take(RemoteHost& host, const ListEntry& claim);
    bool admit(RemoteHost& host, const shm::Name& name, const ListEntry& claim);
    void enter(RemoteHost& host, const shm::Name& name, const Room& room, shm::Blob blob, const ListEntry& claim);
    bool change(RemoteHost& host, const shm::Name& name, Holder& holder, const ListEntry& claim);
    bool renew(RemoteHost& host, const shm::Name& name, const Holder& holder, const ListEntry& claim);
    bool contend(RemoteHost& host, const shm::Name& name, const Holder& holder, const ListEntry& claim);
    void tell_duplicate(RemoteHost& host, const shm::Name& name, const Holder& holder);
    void end_others(RemoteHost& host, const Request& request);
    bool has_room_for_others(std::uint32_t slots) const noexcept;
    bool is_plausible(Incarnation incarnation) const noexcept;

    Books& books_;
    Residents& residents_;
    shm::Name own_node_;
};

}  // namespace rollcall::engine
