#include "engine/client/session.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>

#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shm/local_socket.hpp"
#include "shm/name.hpp"
#include "shm/trust.hpp"

namespace rollcall {

Result<Session> Session::connect(const shm::Paths& paths) {
    const auto trust = shm::trust_in(paths);
    if (!trust) return fail(trust.error().kind == ErrorKind::no_cluster ? Error{ErrorKind::no_engine, trust.error().message} : trust.error());
    auto socket = shm::connect_to(paths.folder, "control.sock", *trust);
    if (!socket) return fail(socket.error());
    Session session;
    session.socket_ = std::move(*socket);
    session.where_ = paths.socket();
    return session;
}

bool Session::has_ended() const noexcept {
    pollfd p{socket_.get(), POLLRDHUP, 0};
    return ::poll(&p, 1, 0) > 0 && (p.revents & (POLLRDHUP | POLLHUP | POLLERR | POLLNVAL)) != 0;
}

Result<control::Reply> Session::ask(control::Message message, Duration timeout, int pidfd) {
    message.id = next_id_++;
    if (!socket_ || !shm::send_packet(socket_.get(), control::encode(message), pidfd)) {
        socket_.reset();
        return fail(ErrorKind::no_engine, "the engine at " + where_ + " is gone");
    }
    const Instant deadline = std::chrono::steady_clock::now() + timeout;
    std::array<char, control::max_packet> buffer;
    for (;;) {
        const Instant now = std::chrono::steady_clock::now();
        if (now >= deadline || !shm::wait_readable(socket_.get(), deadline - now)) {
            if (std::chrono::steady_clock::now() < deadline) continue;
            socket_.reset();  // a late reply must not be taken for the next one
            return fail(ErrorKind::timeout, "the engine at " + where_ + " does not answer; is it stopped?");
        }
        shm::Descriptor ignored;
        const ssize_t size = shm::receive_packet(socket_.get(), buffer.data(), buffer.size(), ignored);
        if (size < 0 && errno == EAGAIN) continue;
        const auto reply = size > 0 ? control::decode_reply({buffer.data(), static_cast<std::size_t>(size)}) : std::nullopt;
        if (!reply) {
            socket_.reset();
            return fail(ErrorKind::no_engine, "the engine at " + where_ + " ended the connection");
        }
        if (reply->id != message.id) continue;
        if (reply->error) return fail(*reply->error);
        return *reply;
    }
}

Result<shm::Paths> locate(const std::string& cluster, const std::string& dir) {
    if (auto ok = shm::validate_cluster_name(cluster); !ok) return fail(ok.error());
    const auto folders = shm::client_folders(dir);
    std::optional<Error> squatted;
    for (const std::string& folder : folders) {
        const auto paths = shm::Paths::of(folder, cluster);
        struct stat roster{};
        const bool is_there = ::lstat(paths.roster().c_str(), &roster) == 0, is_hidden = errno == EACCES;
        if (!is_there && !is_hidden) continue;
        // What lies here is what was meant: if it is not to be trusted, nothing else is looked for instead. Except where nobody said so: below
        // /dev/shm anybody may have made a folder of that name, and must not keep others from what is theirs.
        if (const auto trust = shm::trust_in(paths); !trust) {
            const bool is_strangers = folders.size() > 1 && trust.error().kind == ErrorKind::refused && !shm::trust_in_dir(folder);
            if (!is_strangers) return fail(trust.error());
            if (!squatted) squatted = trust.error();
            continue;
        }
        if (is_there) return paths;
        return fail(ErrorKind::refused, "cannot look into " + paths.folder + ": " + std::strerror(EACCES));
    }
    if (squatted) return fail(*squatted);
    return fail(ErrorKind::no_cluster, "no cluster '" + cluster + "' in " + folders.front() + "; start one with: rollcall run --cluster " + cluster + (dir.empty() ? "" : " --dir " + dir));
}

Error no_engine(const std::string& cluster, const std::string& dir, const std::string& why) {
    return {ErrorKind::no_engine, "no engine runs cluster '" + cluster + "' (" + why + "); start one with: rollcall run --cluster " + cluster + (dir.empty() ? "" : " --dir " + dir)};
}

}  // namespace rollcall
