#include "shm/trust.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>

#include <fcntl.h>
#include <unistd.h>

#include "shm/descriptor.hpp"

namespace rollcall::shm {

namespace {

std::string octal(mode_t mode) {
    char text[8];
    std::snprintf(text, sizeof text, "%04o", mode & 07777);
    return text;
}

tl::unexpected<Error> cannot_look(const std::string& path) {
    const int code = errno;
    if (code == ENOENT) return fail(ErrorKind::no_cluster, "no folder " + path);
    if (code == ELOOP || code == ENOTDIR)
        return fail(ErrorKind::refused, path + " is no folder, or a symbolic link (" + std::strerror(code) + "): remove it, or choose another --dir");
    return fail(code == EACCES || code == EPERM ? ErrorKind::refused : ErrorKind::system, "cannot look into " + path + ": " + std::strerror(code));
}

// `follow`: a link may stand for the folder.
Result<struct stat> look_at(const std::string& path, bool follow) {
    struct stat s {};
    const Descriptor folder(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC | (follow ? 0 : O_NOFOLLOW)));
    if (!folder || ::fstat(folder.get(), &s) != 0) return cannot_look(path);
    return s;
}

// Root's statement, as long as nobody but root can make folders beside it.
bool is_given_by_root(const std::string& dir) {
    struct stat above {};
    return is_service_folder(dir) && ::stat("/run", &above) == 0 && above.st_uid == 0 && (above.st_mode & writable_by_group_or_others) == 0;
}

}  // namespace

bool Trust::includes(uid_t uid) const noexcept { return uid == 0 || uid == ::geteuid() || uid == owner_; }

std::string Trust::names() const {
    std::string text = "root";
    if (::geteuid() != 0) text += " or you (uid " + std::to_string(::geteuid()) + ")";
    if (owner_ && *owner_ != 0 && *owner_ != ::geteuid()) text += " or the owner of the folder that was named (uid " + std::to_string(*owner_) + ")";
    return text;
}

Result<void> Trust::check(const struct stat& s, const std::string& what, mode_t forbidden) const {
    if (!includes(s.st_uid))
        return fail(ErrorKind::refused,
                    what + " belongs to uid " + std::to_string(s.st_uid) + ", not to " + names() + ": have it removed, or choose another --dir");
    if (const mode_t found = s.st_mode & forbidden; found != 0) {
        const std::string whom = (found & S_IRWXO) != 0 ? "everybody" : "its group", may = (found & (S_IWGRP | S_IWOTH)) != 0 ? "written" : "opened";
        return fail(ErrorKind::refused, what + " can be " + may + " by " + whom + " (mode " + octal(s.st_mode) + "): chmod it to " +
                                            octal(s.st_mode & ~forbidden & ~mode_t{S_ISVTX}) + ", or choose another --dir");
    }
    if (!S_ISDIR(s.st_mode) && s.st_nlink > 1)
        return fail(ErrorKind::refused, what + " has " + std::to_string(s.st_nlink) + " names (hard links), it may be another cluster's: remove it");
    return {};
}

Result<Trust> trust_in_dir(const std::string& dir) {
    struct stat link {};
    if (::lstat(dir.c_str(), &link) != 0) return cannot_look(dir);
    if (S_ISLNK(link.st_mode) && !Trust{}.includes(link.st_uid))
        return fail(ErrorKind::refused,
                    "folder " + dir + " is a symbolic link of uid " + std::to_string(link.st_uid) + ": have it removed, or choose another --dir");
    const auto folder = look_at(dir, true);
    if (!folder && S_ISLNK(link.st_mode) && folder.error().kind == ErrorKind::no_cluster) return fail(ErrorKind::no_cluster, folder.error().message + ": it is a symbolic link to nothing");
    if (!folder) return fail(folder.error());
    const Trust trust = is_well_known(dir) && !is_given_by_root(dir) ? Trust{} : Trust{folder->st_uid};
    if (auto ok = trust.check(*folder, "folder " + dir, writable_by_group_or_others); !ok) return fail(ok.error());
    return trust;
}

Result<Trust> trust_in(const Paths& paths) {
    auto trust = paths.dir.empty() ? Trust{} : trust_in_dir(paths.dir);
    if (!trust) return trust;
    const auto folder = look_at(paths.folder, false);
    if (!folder) return fail(folder.error());
    if (auto ok = trust->check(*folder, "folder " + paths.folder, writable_by_group_or_others); !ok) return fail(ok.error());
    return trust;
}

}  // namespace rollcall::shm
