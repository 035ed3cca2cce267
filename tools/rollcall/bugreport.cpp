// `rollcall bugreport`: one file that tells somebody else everything about a cluster, without its secrets.
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>

#include <fcntl.h>
#include <unistd.h>

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

// What went wrong with the file, and nothing left of it.
int give_up(const std::string& path, int code) {
    ::unlink(path.c_str());
    return report({ErrorKind::system, "cannot write the report to '" + path + "': " + std::strerror(code) + "; choose another --output"});
}

// Only its owner may read it, and no file that is there is touched, nor one that a link names.
int write_file(const std::string& path, const Common& common) {
    const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (descriptor < 0 && errno == EEXIST) return report({ErrorKind::held, "'" + path + "' is there already and stays as it is; choose another --output"});
    if (descriptor < 0) return report({ErrorKind::system, "cannot make the report '" + path + "': " + std::strerror(errno) + "; choose another --output"});
    std::FILE* file = ::fdopen(descriptor, "w");
    if (file == nullptr) {
        ::close(descriptor);
        return give_up(path, ENOMEM);
    }
    int failed = 0;
    write_bugreport([&](std::string_view text) { if (failed == 0 && std::fwrite(text.data(), 1, text.size(), file) != text.size()) failed = errno; }, common);
    if (std::fclose(file) != 0 && failed == 0) failed = errno;
    if (failed != 0) return give_up(path, failed);
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
