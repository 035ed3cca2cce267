#include "engine/client/operator.hpp"

#include <algorithm>
#include <filesystem>
#include <thread>

#include "engine/client/session.hpp"
#include "shm/lock.hpp"
#include "shm/segment.hpp"

namespace rollcall {

namespace {

constexpr Duration patience = std::chrono::seconds(10);

struct Reached {
    shm::Paths paths;
    Session session;
};

Result<Reached> reach(const Address& where) {
    auto paths = locate(where.cluster, where.dir);
    if (!paths) return fail(paths.error());
    auto session = Session::connect(*paths);
    if (!session && session.error().kind == ErrorKind::no_engine) return fail(no_engine(where.cluster, where.dir, session.error().message));
    if (!session) return fail(session.error());
    return Reached{*paths, std::move(*session)};
}

Result<control::Reply> ask(const Address& where, control::Message message) {
    auto reached = reach(where);
    if (!reached) return fail(reached.error());
    return reached->session.ask(std::move(message), patience);
}

}  // namespace

Result<Settings> change_settings(const Address& where, const SettingsChange& change) {
    control::Message message;
    message.kind = control::Kind::configure;
    const std::array<std::optional<Duration>, 5> all{change.heartbeat, change.suspect, change.dead, change.evict, change.scan};
    constexpr std::array<const char*, 5> names{"heartbeat", "suspect", "dead", "evict", "scan"};
    for (std::size_t i = 0; i < all.size(); ++i) {
        if (all[i] && *all[i] <= Duration::zero()) return fail(ErrorKind::invalid, std::string("setting '") + names[i] + "' must be longer than zero");
        message.settings_ns[i] = all[i] ? static_cast<std::uint64_t>(all[i]->count()) : 0;
    }
    auto reply = ask(where, message);
    if (!reply) return fail(reply.error());
    return control::unpack(reply->settings_ns, Settings{});
}

Result<void> evict(const Address& where, std::string_view node) {
    control::Message message;
    message.kind = control::Kind::evict;
    message.node = std::string(node);
    auto reply = ask(where, message);
    return reply ? Result<void>{} : fail(reply.error());
}

Result<void> stop(const Address& where, bool leave) {
    auto reached = reach(where);
    if (!reached) return fail(reached.error());
    control::Message message;
    message.kind = control::Kind::stop;
    message.goodbye = leave;
    if (auto reply = reached->session.ask(message, patience); !reply && reply.error().kind != ErrorKind::no_engine) return fail(reply.error());
    const Instant deadline = std::chrono::steady_clock::now() + patience;
    while (shm::is_locked(reached->paths.lock())) {
        if (std::chrono::steady_clock::now() > deadline) return fail(ErrorKind::timeout, "the engine of cluster '" + where.cluster + "' was told to stop, but still holds " + reached->paths.lock());
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return {};
}

Result<void> remove(const Address& where) {
    auto paths = locate(where.cluster, where.dir);
    if (!paths) return fail(paths.error());
    const auto trust = shm::trust_in(*paths);
    if (!trust) return fail(trust.error());
    auto lock = shm::EngineLock::acquire(paths->lock(), *trust);
    if (!lock) return fail(lock.error());
    return shm::remove_folder(*paths);
}

std::vector<std::string> folders(const std::string& dir) { return shm::client_folders(dir); }

std::vector<ClusterFolder> clusters(const std::string& dir) {
    std::vector<ClusterFolder> found;
    for (const std::string& folder : shm::client_folders(dir)) {
        std::error_code error;
        for (const auto& entry : std::filesystem::directory_iterator(folder, error))
            if (std::filesystem::exists(entry.path() / "roster", error)) found.push_back({entry.path().filename().string(), folder});
    }
    std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return std::tie(a.cluster, a.dir) < std::tie(b.cluster, b.dir); });
    return found;
}

}  // namespace rollcall
