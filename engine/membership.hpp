// The membership: answers requests. Who may join, what a proof of death does, who leaves.
#pragma once

#include <functional>
#include <unordered_set>
#include <utility>
#include <vector>

#include "engine/books.hpp"
#include "engine/request.hpp"

namespace rollcall::engine {

class Membership {
public:
    Membership(Books& books, shm::Name own_node) : books_(books), own_node_(own_node) {}

    // Plans what the request asks for. Its answer is due once the ledger has published; `answer_all` gives it then.
    void handle(Request& request);
    // At the beginning of a step: what an earlier one had no room for.
    void continue_leaving();
    bool is_leaving() const noexcept { return leaving_.has_value(); }
    // After the commit that ends the step.
    void answer_all();

private:
    struct Holder {
        Slot slot = no_slot;
        shm::Hot hot;
        shm::Blob blob;
    };
    // Who has this id, as of what is planned. Commits if this commit already touches it.
    std::optional<Holder> holder_of(const shm::Name& name, std::uint32_t events);
    std::optional<Holder> life_of(const Request& request, Answer& answer);

    void join(Request& request, Answer& answer);
    void heartbeat(Request& request, Answer& answer);
    void admit(const Request& request, const shm::Name& name, Slot slot, Generation generation, State before, shm::Blob blob, std::uint32_t number, Answer& answer);
    void take_over(Request& request, const shm::Name& name, const Holder& holder, Answer& answer);
    std::optional<Error> why_held(const Request& request, const Holder& holder) const;
    void leave(const Holder& holder, const shm::Name& name, EventKind kind, Reason reason);
    void update(const Request& request, const shm::Name& name, Holder holder, Answer& answer);
    void exited(const Request& request, const shm::Name& name, const Holder& holder);
    void configure(const Request& request, Answer& answer);
    Result<void> back_slot(Slot slot);
    Incarnation next_incarnation() const noexcept;
    std::uint64_t quarantine() const noexcept;

    Books& books_;
    shm::Name own_node_;
    std::unordered_set<std::uint32_t> planned_;  // hashes of ids that this commit admits
    std::uint64_t planned_in_ = 0;
    std::vector<std::pair<std::function<void(const Answer&)>, Answer>> due_;
    std::optional<Request> leaving_;  // every member, from `leaving_at_` on
    std::uint32_t leaving_at_ = 0;
    bool is_closing_ = false;  // everybody was told to leave: nobody comes any more
};

}  // namespace rollcall::engine
