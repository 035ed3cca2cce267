// The only file that includes toml++, a heavy header.
#include "tools/rollcall/config.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <functional>
#include <map>
#include <toml++/toml.h>

#include "shm/layout.hpp"
#include "tools/rollcall/duration.hpp"
#include "tools/rollcall/setting_names.hpp"

namespace rollcall::cli {

namespace {

constexpr std::size_t longest_file = 1 << 20;  // also ends the reading of /dev/zero

Result<std::string> read_file(const std::string& path) {
    const auto refuse = [&](int error) { return fail(ErrorKind::system, "cannot read the configuration file '" + path + "': " + std::strerror(error)); };
    const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0) return refuse(errno);
    struct stat kind{};
    if (fstat(file, &kind) != 0 || (!S_ISREG(kind.st_mode) && !S_ISCHR(kind.st_mode))) {
        close(file);
        return fail(ErrorKind::system, "cannot read the configuration file '" + path + "': it is not a regular file");
    }
    std::string content;
    std::array<char, 4096> buffer;
    ssize_t n = 0;
    while ((n = read(file, buffer.data(), buffer.size())) > 0 && content.size() <= longest_file) content.append(buffer.data(), static_cast<std::size_t>(n));
    const int error = n < 0 ? errno : 0;
    close(file);
    if (error != 0) return refuse(error);
    if (content.size() > longest_file) return refuse(EFBIG);
    return content;
}

// What one key takes; the error says what is wrong with the value.
using Take = std::function<Result<void>(const toml::node&)>;

Take text(std::optional<std::string>& to) {
    return [&to](const toml::node& value) -> Result<void> {
        if (!value.is_string()) return fail(ErrorKind::invalid, "takes text in quotes");
        to = value.as_string()->get();
        return {};
    };
}

Take number(std::optional<std::uint64_t>& to, std::int64_t least, std::int64_t most) {
    return [&to, least, most](const toml::node& value) -> Result<void> {
        const auto* given = value.as_integer();
        if (given == nullptr || given->get() < least || given->get() > most)
            return fail(ErrorKind::invalid, "takes a whole number from " + std::to_string(least) + " to " + std::to_string(most));
        to = static_cast<std::uint64_t>(given->get());
        return {};
    };
}

Take truth(std::optional<bool>& to) {
    return [&to](const toml::node& value) -> Result<void> {
        if (!value.is_boolean()) return fail(ErrorKind::invalid, "takes true or false");
        to = value.as_boolean()->get();
        return {};
    };
}

Take texts(std::vector<std::string>& to) {
    return [&to](const toml::node& value) -> Result<void> {
        const auto* list = value.as_array();
        if (list == nullptr) return fail(ErrorKind::invalid, "takes a list of texts, for example [\"10.0.0.1:7946\"]");
        for (const auto& each : *list) {
            if (!each.is_string()) return fail(ErrorKind::invalid, "takes a list of texts in quotes");
            to.push_back(each.as_string()->get());
        }
        return {};
    };
}

Take duration(std::optional<Duration>& to) {
    return [&to](const toml::node& value) -> Result<void> {
        if (!value.is_string()) return fail(ErrorKind::invalid, "takes a duration in quotes, for example \"300ms\"");
        const Result<Duration> parsed = parse_duration(value.as_string()->get());
        if (!parsed) return fail(parsed.error());
        to = *parsed;
        return {};
    };
}

struct Key {
    std::string name;  // aliases share the name
    Take take;
};

std::map<std::string, Key, std::less<>> keys_of(Config& config) {
    std::map<std::string, Key, std::less<>> keys{
        {"cluster", {"cluster", text(config.cluster)}},   {"dir", {"dir", text(config.dir)}},
        {"node", {"node", text(config.node)}},            {"host", {"host", text(config.host)}},
                   {"group", {"group", text(config.group)}},
        {"log-level", {"log-level", text(config.log_level)}}, {"capacity", {"capacity", number(config.capacity, 1, shm::max_capacity)}},
        {"ring", {"ring", number(config.ring, 1, shm::max_ring)}}, {"udp", {"udp", text(config.udp)}},
        {"multicast", {"multicast", text(config.multicast)}},
        {"endpoint", {"endpoint", text(config.endpoint)}}, {"emit", {"emit", text(config.emit)}},
        {"seed", {"seed", texts(config.seed)}},           {"insecure", {"insecure", truth(config.insecure)}},
    };
    for (const SettingName& s : setting_names) {
        const Key key{std::string(s.name), duration(config.settings.*s.change)};
        keys.emplace(s.name, key);
        keys.emplace(s.alias, key);
    }
    return keys;
}

Result<void> take_all(const toml::table& table, const std::string& path, Config& config) {
    const auto keys = keys_of(config);
    std::map<std::string, std::string> seen;
    for (const auto& [key, value] : table) {
        const std::string where = path + ":" + std::to_string(key.source().begin.line) + ": ";
        const auto found = keys.find(key.str());
        if (found == keys.end()) return fail(ErrorKind::invalid, where + "unknown key '" + std::string(key.str()) + "', keys are the names of the flags of 'rollcall run'");
        const auto [other, is_first] = seen.emplace(found->second.name, key.str());
        if (!is_first) return fail(ErrorKind::invalid, where + "'" + std::string(key.str()) + "' and '" + other->second + "' are the same setting, keep one");
        if (auto taken = found->second.take(value); !taken) return fail(ErrorKind::invalid, where + "'" + std::string(key.str()) + "': " + taken.error().message);
    }
    return {};
}

}  // namespace

Result<Config> read_config(const std::string& path) {
    const Result<std::string> content = read_file(path);
    if (!content) return fail(content.error());
    try {
        const toml::table table = toml::parse(*content, path);
        Config config;
        if (auto taken = take_all(table, path, config); !taken) return fail(taken.error());
        return config;
    } catch (const toml::parse_error& error) {
        return fail(ErrorKind::invalid, path + ":" + std::to_string(error.source().begin.line) + ": " + std::string(error.description()));
    }
}

}  // namespace rollcall::cli
