#include "tools/rollcall/config.hpp"

#include <functional>
#include <map>
#include <variant>

#include "shm/layout.hpp"
#include "tools/rollcall/duration.hpp"
#include "tools/rollcall/profile.hpp"
#include "tools/rollcall/setting_names.hpp"
#include "tools/rollcall/toml_file.hpp"

namespace rollcall::cli {

namespace {

// What one key takes; the error says what is wrong with the value.
using Take = std::function<Result<void>(const TomlValue&)>;

Take text(std::optional<std::string>& to) {
    return [&to](const TomlValue& given) -> Result<void> {
        const auto* text = std::get_if<std::string>(&given.value);
        if (text == nullptr) return fail(ErrorKind::invalid, "takes text in quotes");
        to = *text;
        return {};
    };
}

Take profile(std::optional<std::string>& to) {
    return [&to](const TomlValue& given) -> Result<void> {
        if (auto taken = text(to)(given); !taken) return taken;
        if (auto known = settings_of_profile(*to); !known) return fail(known.error());
        return {};
    };
}

Take number(std::optional<std::uint64_t>& to, std::int64_t least, std::int64_t most) {
    return [&to, least, most](const TomlValue& given) -> Result<void> {
        const auto* number = std::get_if<std::int64_t>(&given.value);
        if (number == nullptr || *number < least || *number > most) return fail(ErrorKind::invalid, "takes a whole number from " + std::to_string(least) + " to " + std::to_string(most));
        to = static_cast<std::uint64_t>(*number);
        return {};
    };
}

Take truth(bool& to) {
    return [&to](const TomlValue& given) -> Result<void> {
        const auto* truth = std::get_if<bool>(&given.value);
        if (truth == nullptr) return fail(ErrorKind::invalid, "takes true or false");
        to = *truth;
        return {};
    };
}

Take texts(std::vector<std::string>& to) {
    return [&to](const TomlValue& given) -> Result<void> {
        const auto* list = std::get_if<std::vector<std::string>>(&given.value);
        if (list == nullptr) return fail(ErrorKind::invalid, "takes a list of texts, for example [\"10.0.0.1:7946\"]");
        to = *list;
        return {};
    };
}

// One alone needs no list.
Take text_or_texts(std::vector<std::string>& to) {
    return [&to](const TomlValue& given) -> Result<void> {
        if (const auto* one = std::get_if<std::string>(&given.value)) return to = {*one}, Result<void>{};
        const auto* list = std::get_if<std::vector<std::string>>(&given.value);
        if (list == nullptr) return fail(ErrorKind::invalid, "takes text in quotes, or a list of texts");
        to = *list;
        return {};
    };
}

Take duration(std::optional<Duration>& to) {
    return [&to](const TomlValue& given) -> Result<void> {
        const auto* text = std::get_if<std::string>(&given.value);
        if (text == nullptr) return fail(ErrorKind::invalid, "takes a duration in quotes, for example \"300ms\"");
        const Result<Duration> parsed = parse_duration(*text);
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
        {"group", {"group", text(config.group)}},         {"profile", {"profile", profile(config.profile)}},
        {"log-level", {"log-level", text(config.log_level)}}, {"capacity", {"capacity", number(config.capacity, 1, shm::max_capacity)}},
        {"ring", {"ring", number(config.ring, 1, shm::max_ring)}},
        {"endpoint", {"endpoint", text(config.endpoint)}}, {"emit", {"emit", text(config.emit)}},
        {"udp", {"udp", text_or_texts(config.transports.udp)}}, {"seed", {"seed", texts(config.transports.seeds)}},
        {"multicast", {"multicast", text(config.transports.multicast)}}, {"insecure", {"insecure", truth(config.transports.insecure)}},
        {"nats", {"nats", text(config.transports.nats)}}, {"nats-creds", {"nats-creds", text(config.transports.nats_creds)}},
        {"nats-ca", {"nats-ca", text(config.transports.nats_ca)}}, {"nats-cert", {"nats-cert", text(config.transports.nats_cert)}},
        {"nats-key", {"nats-key", text(config.transports.nats_key)}}, {"keys", {"keys", text(config.transports.keys)}},
        {"accept-plain", {"accept-plain", truth(config.transports.accept_plain)}},
    };
    for (const SettingName& s : setting_names) {
        const Key key{std::string(s.name), duration(config.settings.*s.change)};
        keys.emplace(s.name, key);
        keys.emplace(s.alias, key);
    }
    return keys;
}

Result<void> take_all(const TomlTable& table, const std::string& path, Config& config) {
    const auto keys = keys_of(config);
    std::map<std::string, std::string> seen;
    const auto unknown = [](const std::string& where, const std::string& key) {
        return fail(ErrorKind::invalid, where + "unknown key '" + key + "', keys are the names of the flags of 'rollcall run'");
    };
    for (const auto& [name, tables] : table.tables) return unknown(path + ":" + std::to_string(tables.front().line) + ": ", name);
    for (const auto& [key, value] : table.values) {
        const std::string where = path + ":" + std::to_string(value.line) + ": ";
        const auto found = keys.find(key);
        if (found == keys.end()) return unknown(where, key);
        const auto [other, is_first] = seen.emplace(found->second.name, key);
        if (!is_first) return fail(ErrorKind::invalid, where + "'" + key + "' and '" + other->second + "' are the same setting, keep one");
        if (auto taken = found->second.take(value); !taken) return fail(ErrorKind::invalid, where + "'" + key + "': " + taken.error().message);
    }
    return {};
}

}  // namespace

Result<Config> read_config(const std::string& path) {
    const auto table = read_toml("the configuration file", path);
    if (!table) return fail(table.error());
    Config config;
    if (auto taken = take_all(*table, path, config); !taken) return fail(taken.error());
    return config;
}

}  // namespace rollcall::cli
