// `rollcall bugreport`: one file that tells somebody else everything about a cluster, without its secrets.
#include <cerrno>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <string_view>

#include <fcntl.h>
#include <unistd.h>

#include "shm/descriptor.hpp"
#include "shm/error.hpp"
#include "shm/name.hpp"
#include "tools/rollcall/bugreport_text.hpp"
#include "tools/rollcall/output.hpp"
#include "tools/rollcall/report.hpp"

namespace rollcall::cli {

namespace {

struct Options {
    std::optional<std::string> output;
};

void declare(OptionSet& set, Options& options) {
    set.text("--output", "FILE", "where to, a file that is not there yet; - is stdout (default: rollcall-bugreport-CLUSTER-TIME.txt here)", options.output);
}

std::string default_name(const std::string& cluster) {
    const std::time_t now = std::time(nullptr);
    std::tm time{};
    char text[32];
    gmtime_r(&now, &time);
    return "rollcall-bugreport-" + cluster + "-" + std::string(text, std::strftime(text, sizeof text, "%Y%m%dT%H%M%SZ", &time)) + ".txt";
}

constexpr mode_t for_its_owner = 0600;

int cannot_write(const std::string& path, int code) {
    return report({ErrorKind::system, "cannot write the report to '" + path + "': " + std::strerror(code) + "; choose another --output"});
}
int is_there_already(const std::string& path) { return report({ErrorKind::held, "'" + path + "' is there already and stays as it is; choose another --output"}); }

// 0, or an errno.
int write_all(int file, std::string_view text) {
    while (!text.empty()) {
        const ssize_t written = ::write(file, text.data(), text.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return errno;
        text.remove_prefix(static_cast<std::size_t>(written));
    }
    return 0;
}

// Gets its name when it is whole: however we end before, nothing is left of it. Nothing: this filesystem, or a root without /proc, cannot do so.
std::optional<int> write_and_name(const std::string& path, std::string_view text) {
    const std::string folder = std::filesystem::path(path).parent_path().string();
    const shm::Descriptor file(::open(folder.empty() ? "." : folder.c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, for_its_owner));
    if (!file) return std::nullopt;
    if (const int error = write_all(file.get(), text); error != 0) return cannot_write(path, error);
    const std::string unnamed = "/proc/self/fd/" + std::to_string(file.get());
    if (::linkat(AT_FDCWD, unnamed.c_str(), AT_FDCWD, path.c_str(), AT_SYMLINK_FOLLOW) == 0) return exit_done;
    return errno == EEXIST ? std::optional(is_there_already(path)) : std::nullopt;
}

int name_and_write(const std::string& path, std::string_view text) {
    shm::Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, for_its_owner));
    if (!file && errno == EEXIST) return is_there_already(path);
    if (!file) return report({ErrorKind::system, "cannot make the report '" + path + "': " + std::strerror(errno) + "; choose another --output"});
    int error = write_all(file.get(), text);
    if (::close(file.release()) != 0 && error == 0) error = errno;  // some networks say so only now
    if (error == 0) return exit_done;
    ::unlink(path.c_str());
    return cannot_write(path, error);
}

// Only its owner may read it, and no file that is there is touched, nor one that a link names.
int write_file(const std::string& path, const Common& common) {
    std::string text;
    write_bugreport([&text](std::string_view more) { text += more; }, common);
    const auto written = write_and_name(path, text);
    if (const int code = written ? *written : name_and_write(path, text); code != exit_done) return code;
    print(path + "\n");
    return finish_output(exit_done);
}

int run(const Common& common, const Options& options) {
    const std::string cluster = common.cluster_name();
    if (auto valid = shm::validate_cluster_name(cluster); !valid) return report(valid.error());
    if (options.output != "-") return write_file(options.output.value_or(default_name(cluster)), common);
    write_bugreport(print, common);
    return finish_output(exit_done);
}

}  // namespace

const Command& bugreport_command() {
    static const Command command = make_command("bugreport", "write all that helps others to understand, without tags, to one file",
                                                {{"rollcall bugreport", "and says the file's name"}, {"rollcall bugreport --cluster orders --output -", "to look at"}}, declare, run);
    return command;
}

}  // namespace rollcall::cli
