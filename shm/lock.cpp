#include "shm/lock.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "shm/fork_guard.hpp"

namespace rollcall::shm {

namespace {

struct flock whole_file(short type) noexcept {
    struct flock lock{};
    lock.l_type = type;
    lock.l_whence = SEEK_SET;
    return lock;
}

// A line of /proc/locks ends its sixth field in MAJOR:MINOR:INODE of the locked file.
bool is_listed(const struct stat& file) {
    std::ostringstream wanted;
    wanted << std::hex;
    wanted.fill('0');
    wanted.width(2);
    wanted << major(file.st_dev) << ':';
    wanted.width(2);
    wanted << minor(file.st_dev) << std::dec << ':' << file.st_ino;
    std::ifstream locks("/proc/locks");
    for (std::string line; std::getline(locks, line);) {
        std::istringstream fields(line);
        std::string number, type, advisory, access, pid, id;
        if (fields >> number >> type >> advisory >> access >> pid >> id && type == "OFDLCK" && id == wanted.str()) return true;
    }
    return false;
}

// What was opened at `path`, or errno says why not.
Result<void> check_opened(const Descriptor& file, const std::string& path, const Trust& trust) {
    if (!file && errno == ELOOP) return fail(ErrorKind::refused, path + " is a symbolic link: remove it");
    if (!file) return fail(errno == EACCES ? ErrorKind::refused : ErrorKind::system, "cannot open " + path + ": " + std::strerror(errno));
    struct stat s{};
    if (::fstat(file.get(), &s) != 0) return fail(ErrorKind::system, "cannot look at " + path + ": " + std::strerror(errno));
    // Whoever may open it may lock it, and keep every engine out.
    return trust.check(s, path, any_right_of_others);
}

constexpr int how_to_open = O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;

}  // namespace

EngineLock& EngineLock::operator=(EngineLock&& other) noexcept {
    if (this != &other) {
        let_go();
        file_ = std::move(other.file_);
        path_ = std::move(other.path_);
    }
    return *this;
}

void EngineLock::let_go() noexcept {
    if (!file_) return;
    close_guarded(file_.release());
}

Result<EngineLock> EngineLock::acquire(const std::string& path, const Trust& trust) {
    EngineLock lock;
    lock.path_ = path;
    lock.file_.reset(open_guarded([&] { return ::open(path.c_str(), how_to_open | O_CREAT, 0600); }));
    if (auto ok = check_opened(lock.file_, path, trust); !ok) return fail(ok.error());
    struct flock wanted = whole_file(F_WRLCK);
    if (::fcntl(lock.file_.get(), F_OFD_SETLK, &wanted) != 0) {
        if (errno == EAGAIN || errno == EACCES) return fail(ErrorKind::held, "another engine holds " + path);
        return fail(ErrorKind::system, "cannot lock " + path + ": " + std::strerror(errno));
    }
    // Between open and lock somebody may have removed the file: then this lock guards nothing.
    if (!lock.is_in_place()) return acquire(path, trust);
    return lock;
}

bool EngineLock::is_in_place() const noexcept {
    struct stat mine{}, there{};
    return file_ && ::fstat(file_.get(), &mine) == 0 && mine.st_nlink > 0 && ::stat(path_.c_str(), &there) == 0 &&
           mine.st_ino == there.st_ino && mine.st_dev == there.st_dev;
}

Result<void> check_lock(const std::string& path, const Trust& trust) {
    const Descriptor file(::open(path.c_str(), how_to_open));
    if (!file && errno == ENOENT) return {};
    return check_opened(file, path, trust);
}

bool is_locked(const std::string& path) {
    const Descriptor file(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
    if (file) {
        struct flock probe = whole_file(F_WRLCK);
        return ::fcntl(file.get(), F_OFD_GETLK, &probe) == 0 && probe.l_type != F_UNLCK;
    }
    struct stat there{};
    return ::stat(path.c_str(), &there) == 0 && is_listed(there);
}

}  // namespace rollcall::shm
