// The membership: answers requests. Who may join, what a proof of death does, who leaves.
#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "engine/books.hpp"
#include "engine/remote.hpp"
#include "engine/request.hpp"
#include "engine/residents.hpp"

namespace rollcall::engine {

class Membership {
public:
    Membership(Books& books, shm::Name own_node) : books_(books), residents_(books), remote_(books, residents_, own_node), own_node_(own_node) {}

    // Of whoever lives from now on.
    Incarnation next_incarnation(std::int64_t wall_us) const noexcept;
    // Plans what the request asks for. Its answer is due once the ledger has published; `answer_all` gives it then.
    void handle(Request& request);
    // At the beginning of a step: what an earlier one had no room for.
    void continue_leaving();
    bool is_closing() const noexcept { return is_closing_; }
    bool is_leaving() const noexcept { return leaving_.has_value(); }
    // After the commit that ends the step.
    void answer_all();

private:
    std::optional<Holder> life_of(const Request& request, Answer& answer);

    void join(Request& request, Answer& answer);
    void heartbeat(Request& request, Answer& answer);
    void admit(const Request& request, const shm::Name& name, const Room& room, shm::Blob blob, Answer& answer);
    void take_over(Request& request, const shm::Name& name, const Holder& holder, Answer& answer);
    std::optional<Error> why_held(const Request& request, const Holder& holder) const;
    void leave(const Holder& holder, const shm::Name& name, EventKind kind, Reason reason);
    void update(const Request& request, const shm::Name& name, Holder holder, Answer& answer);
    void exited(const Request& request, const shm::Name& name, const Holder& holder);
    void configure(const Request& request, Answer& answer);
    Books& books_;
    Residents residents_;
    Remote remote_;
    shm::Name own_node_;
    std::vector<std::pair<std::function<void(const Answer&)>, Answer>> due_;
    std::optional<Request> leaving_;  // every member, from `leaving_at_` on
    std::uint32_t leaving_at_ = 0;
    bool is_closing_ = false;  // everybody was told to leave: nobody comes any more
};

}  // namespace rollcall::engine
