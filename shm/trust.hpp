// Whose memory may be believed: owners and modes of a cluster's folders, files and socket.
//
// Believed are root, oneself (the effective uid) and, where a folder was named (`--dir`, $ROLLCALL_DIR), whoever owns that folder: naming it
// says so. So is the owner of /run/rollcall: in /run only root makes folders, so root gave it to him. The other folders where everybody looks unasked
// are nobody's statement, whoever was first to make them. The owner may write what is
// its own, the group the heartbeat words and the socket, nobody else anything. What is looked at is what was opened, so that nothing can be
// put in its place in between; a symbolic link is not followed and a file with a second name is refused, for it may lie elsewhere as well.
#pragma once

#include <optional>
#include <string>

#include <sys/stat.h>
#include <sys/types.h>

#include "shm/error.hpp"
#include "shm/paths.hpp"

namespace rollcall::shm {

class Trust {
public:
    Trust() = default;  // root and oneself
    explicit Trust(uid_t owner) noexcept : owner_(owner) {}

    bool includes(uid_t uid) const noexcept;
    // "root or you (uid 1000)"
    std::string names() const;

    // A folder, a file or a socket, as fstat() shows it: its owner is believed, it has one name (a folder excepted), and none of the
    // rights in `forbidden` is set. Fails with refused, and says what to do.
    Result<void> check(const struct stat& s, const std::string& what, mode_t forbidden) const;

private:
    std::optional<uid_t> owner_;  // of the folder that was named
};

inline constexpr mode_t writable_by_others = S_IWOTH, writable_by_group_or_others = S_IWGRP | S_IWOTH, any_right_of_others = S_IRWXG | S_IRWXO;

// Of DIR, and of DIR/CLUSTER in it. Fails with refused (owner, mode, a link, no permission to look), no_cluster if there is no such folder.
Result<Trust> trust_in_dir(const std::string& dir);
Result<Trust> trust_in(const Paths& paths);

}  // namespace rollcall::shm
