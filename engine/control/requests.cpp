// What the requests of members and operators mean, and who may make them.
#include <unistd.h>

#include "engine/client/present.hpp"
#include "engine/control/server.hpp"
#include "shm/name.hpp"

namespace rollcall::control {

using engine::Answer;
using engine::Request;

namespace {

// Nothing of what comes with a node is believed before this.
Result<void> validate_details(const Message& m) {
    if (auto ok = validate_endpoint(m.endpoint); !ok) return ok;
    auto tags = encode_tags(decode_tags(m.tags));
    if (!tags) return fail(tags.error());
    if (*tags != m.tags) return fail(ErrorKind::invalid, "the tags do not read");
    return {};
}

}  // namespace

bool Server::is_operator(const Connection& connection) const noexcept { return connection.uid == 0 || connection.uid == ::geteuid(); }

bool Server::put(Request request) {
    request.origin = std::weak_ptr<const void>(life_);
    return inbox_.put(std::move(request));
}

// False: refused, and said so.
bool Server::submit(ConnectionId from, const Message& message, Request request) {
    if (!request.done) {
        request.done = [this, from, kind = message.kind, id = message.id](const Answer& answer) {
            Reply r;
            r.kind = kind;
            r.id = id;
            r.error = answer.error;
            r.slot = answer.slot.value;
            r.generation = answer.generation.value;
            r.incarnation = answer.incarnation.value;
            pack(core_.settings(), r.settings_ns);
            this->answer(from, r);
        };
    }
    if (const auto it = connections_.find(from); it != connections_.end()) ++it->second->unanswered;
    if (put(std::move(request))) return true;
    Reply full;
    full.kind = message.kind;
    full.id = message.id;
    full.error = Error{ErrorKind::busy, "the engine has more requests than it can hold; try again"};
    answer(from, full);
    return false;
}

void Server::take(Connection& connection, Message& message, shm::Descriptor pidfd) {
    const auto log = [&](const std::string& what) {
        if (hooks_.log) hooks_.log("control: uid " + std::to_string(connection.uid) + " pid " + std::to_string(connection.pid) + " " + what);
    };
    const bool for_operators = message.kind == Kind::configure || message.kind == Kind::evict || message.kind == Kind::stop;
    if (for_operators && !is_operator(connection)) return refuse(connection.id, message, ErrorKind::refused, "only the engine's user (uid " + std::to_string(::geteuid()) + ") or root may do this");
    const bool names_a_node = message.kind != Kind::configure && message.kind != Kind::stop;
    if (const auto valid = shm::validate_node_id(message.node); names_a_node && !valid) return refuse(connection.id, message, valid.error().kind, valid.error().message);
    Request request;
    request.node = message.node;
    request.incarnation = Incarnation{message.incarnation};
    switch (message.kind) {
        case Kind::join: return join(connection, message, std::move(pidfd));
        case Kind::exited: return exited(connection, message);
        case Kind::leave: request.kind = Request::Kind::leave; break;
        case Kind::update:
            request.kind = Request::Kind::update;
            if (message.has_endpoint) request.endpoint = message.endpoint;
            if (message.has_tags) request.tags = message.tags;
            break;
        case Kind::watchdog:
            request.kind = Request::Kind::flag;
            request.flags = shm::blob_watchdog;
            break;
        case Kind::configure:
            request.kind = Request::Kind::configure;
            request.settings = unpack(message.settings_ns, Settings{{}, {}, {}, {}, {}});
            log("asks for other settings");
            break;
        case Kind::evict:
            request.kind = Request::Kind::evict;
            log("asks to evict '" + message.node + "'");
            break;
        case Kind::stop:
            log(message.goodbye ? "stops the engine; every member leaves" : "stops the engine");
            request.kind = message.goodbye ? Request::Kind::leave_all : Request::Kind::mark;
            request.done = [this, from = connection.id, id = message.id](const Answer&) {
                Reply r;
                r.kind = Kind::stop;
                r.id = id;
                this->answer(from, r);
                if (hooks_.stop) hooks_.stop();
            };
            break;
    }
    // A leave, an update and a report come from the process itself, from its wrapper, or from an operator.
    const bool about_a_life = message.kind == Kind::leave || message.kind == Kind::update || message.kind == Kind::watchdog;
    if (about_a_life && message.incarnation == 0) return refuse(connection.id, message, ErrorKind::invalid, "the request names no life of '" + message.node + "'");
    if (about_a_life && !answers_for(connection, message)) return refuse(connection.id, message, ErrorKind::refused, "node '" + message.node + "' belongs to another user");
    if (message.kind == Kind::update) {
        if (const auto ok = validate_details(message); !ok) return refuse(connection.id, message, ok.error().kind, ok.error().message);
    }
    if (message.kind == Kind::watchdog) mark_watchdog(message);
    submit(connection.id, message, std::move(request));
}

// May this connection speak for that life? Its own uid's, or anybody's as an operator.
bool Server::answers_for(const Connection& connection, const Message& message) const {
    if (is_operator(connection)) return true;
    const auto peer = find_peer(core_.roster(), message.node);
    return peer ? peer->uid == connection.uid : peer.error().kind == ErrorKind::unknown_node;
}

void Server::mark_watchdog(const Message& message) {
    for (auto& [id, process] : processes_)
        if (const auto life = process->lives.find(message.node); life != process->lives.end() && life->second.incarnation.value == message.incarnation) life->second.watchdog = true;
}

void Server::join(Connection& connection, Message& message, shm::Descriptor pidfd) {
    if (auto ok = validate_details(message); !ok) return refuse(connection.id, message, ok.error().kind, ok.error().message);
    if (pidfd && !has_descriptor_left()) pidfd.reset();  // it took the last one: nobody could look what it is
    const bool is_child = message.wrapped && pidfd;
    Process* process = watch(connection, std::move(pidfd), is_child);
    if (process == nullptr) return refuse(connection.id, message, ErrorKind::refused, is_child ? "the process to watch has ended, or belongs to another user" : "the joining process has ended, or what came as its pidfd is another's");
    Request request;
    request.kind = Request::Kind::join;
    request.reason = Reason::join;
    request.node = message.node;
    request.endpoint = message.endpoint;
    request.tags = message.tags;
    request.process = process->facts;
    if (!is_child) {  // who asks, whoever the process was when it joined first
        request.process.uid = connection.uid;
        request.process.gid = connection.gid;
    }
    request.flags = static_cast<std::uint8_t>(shm::blob_has_process | (is_child ? shm::blob_wrapped : 0));
    request.token = message.token;
    request.card = process->card;
    request.producer = is_child && connection.self != 0 ? connection.self : process->id;
    request.may_replace = message.replace;
    request.is_operator = is_operator(connection);
    message.wrapped = is_child;
    request.done = [this, from = connection.id, id = process->id, message](const Answer& answer) { joined(from, id, message, answer); };
    if (submit(connection.id, message, std::move(request))) ++process->joining;
}

void Server::joined(ConnectionId to, ProcessId id, const Message& message, const Answer& answer) {
    Reply r;
    r.kind = Kind::join;
    r.id = message.id;
    r.error = answer.error;
    const bool wrapped = message.wrapped;
    const auto process = processes_.find(id);
    if (process != processes_.end()) --process->second->joining;
    if (!answer.error && process != processes_.end()) {
        const bool is_new = !process->second->lives.contains(message.node);
        const bool watchdog = !is_new && process->second->lives.find(message.node)->second.watchdog && !answer.is_new;
        const Life life{answer.incarnation, answer.slot, answer.generation, wrapped && connections_.contains(to) ? to : 0, wrapped, false, watchdog};
        process->second->has_wrapped |= wrapped;
        process->second->lives.insert_or_assign(message.node, life);
        if (process->second->lives.size() >= process->second->sweep_at) sweep(*process->second);
        r.slot = answer.slot.value;
        r.generation = answer.generation.value;
        r.incarnation = answer.incarnation.value;
        r.card = process->second->card;
        pack(core_.settings(), r.settings_ns);
        // It may have exited while its join was waiting: the watch fired when there was no life to judge yet.
        if (process->second->has_exited && !process->second->judge_at) process->second->judge_at = Instant{};
    } else if (process != processes_.end() && process->second->lives.empty() && process->second->joining == 0) {
        forget(id);
    }
    this->answer(to, r);
}

// The wrapper says how its child ended. As it was meant to: a leave. Else a death with its status.
void Server::exited(Connection& connection, const Message& message) {
    if (!answers_for(connection, message) || message.incarnation == 0) return refuse(connection.id, message, ErrorKind::refused, "node '" + message.node + "' belongs to another user");
    Request request;
    request.kind = message.goodbye ? Request::Kind::leave : Request::Kind::exited;
    request.node = message.node;
    request.incarnation = Incarnation{message.incarnation};
    request.status = message.status;
    if (!submit(connection.id, message, std::move(request))) return;
    for (auto& [id, process] : processes_) {
        const auto life = process->lives.find(message.node);
        if (life == process->lives.end() || life->second.incarnation.value != message.incarnation) continue;
        process->lives.erase(life);
        if (process->lives.empty() && process->judge_at && process->joining == 0) forget(id);
        return;
    }
}

}  // namespace rollcall::control
