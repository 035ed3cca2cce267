// `rollcall run`: the engine in the foreground.
#include <cerrno>
#include <csignal>
#include <string>
#include <utility>

#include <sys/resource.h>
#include <unistd.h>

#include "engine/client/operator.hpp"
#include "engine/client/present.hpp"
#include "engine/engine.hpp"
#include "shm/layout.hpp"
#include "shm/lock.hpp"
#include "shm/name.hpp"
#include "shm/paths.hpp"
#include "shm/settings.hpp"
#include "tools/rollcall/command.hpp"
#include "tools/rollcall/config.hpp"
#include "tools/rollcall/key_file.hpp"
#include "tools/rollcall/profile.hpp"
#include "tools/rollcall/report.hpp"
#include "tools/rollcall/service_notify.hpp"
#include "tools/rollcall/setting_names.hpp"
#include "tools/rollcall/signals.hpp"
#include "tools/rollcall/transports.hpp"

namespace rollcall::cli {

namespace {

struct Options {
    std::optional<std::string> node, host, config, profile, group, endpoint, emit;
    TransportChoice transports;
    std::optional<std::uint64_t> capacity, ring;
    SettingsChange settings;
    bool standby = false;
};

void declare(OptionSet& set, Options& options) {
    set.text("--node", "ID", "the engine's own node id (default: the host's name)", options.node);
    set.text("--host", "NAME", "what other hosts know this one by (default: the host's name, and the folder where it is not the usual one)", options.host);
    set.text("--config", "FILE.toml", "settings by the names of these flags; flags win; read again on SIGHUP; with - before it, it need not be there", options.config);
    declare_profile(set, options.profile);
    declare_settings(set, options.settings, true);
    set.number("--capacity", "N", "peers at most (default: 4096)", 1, shm::max_capacity, options.capacity);
    set.number("--ring", "N", "events kept, rounded up to a power of two (default: 65536, or capacity/16)", 1, shm::max_ring, options.ring);
    set.text("--group", "NAME", "members of this group may join (default: the engine's own group)", options.group);
    declare_transports(set, options.transports);
    set.text("--endpoint", "TEXT", "where this node is reached: told to other hosts", options.endpoint);
    set.text("--emit", "node", "tell others of the engine's own node only, and not of this host's members", options.emit);
    set.flag("--standby", "where another engine runs, wait until it ends, however it ends, and go on for it", options.standby);
}

// What flags, file and defaults come to, in this order.
struct Plan {
    Engine::Options engine;
    TransportChoice transports;
    std::shared_ptr<KeyRing> keys;  // of the transports that were opened
    std::optional<std::string> log_level;
};

// Messages to and from other hosts.
Result<void> plan_hosts(Plan& plan, const Options& options, const Config& file) {
    const auto emit = options.emit ? options.emit : file.emit;
    if (emit && *emit != "node") return fail(ErrorKind::invalid, "--emit '" + *emit + "': there is only 'node'");
    plan.engine.emit_node = emit.has_value();
    plan.engine.endpoint = (options.endpoint ? options.endpoint : file.endpoint).value_or("");
    if (auto valid = validate_endpoint(plan.engine.endpoint); !valid) return valid;
    plan.transports = layered(file.transports, options.transports);
    return {};
}

// "-FILE" need not be there; what is there must read.
Result<Config> read_file(const std::string& given) {
    const bool may_be_absent = given.starts_with('-');
    const std::string path = given.substr(may_be_absent ? 1 : 0);
    if (may_be_absent && ::access(path.c_str(), F_OK) != 0 && errno == ENOENT) return Config{};
    return read_config(path);
}

// Defaults, then the profile, then what the file and last what flags say of single settings.
Result<void> plan_settings(Plan& plan, const Options& options, const Config& file) {
    const std::optional<std::string>& profile = options.profile ? options.profile : file.profile;
    SettingsChange change;
    if (profile) {
        auto named = settings_of_profile(*profile);
        if (!named) return fail(ErrorKind::invalid, "--profile: " + named.error().message);
        change = *named;
    }
    plan.engine.settings = merged(Settings{}, layered(layered(change, file.settings), options.settings));
    const std::string below = profile ? "profile '" + *profile + "'" : "defaults";
    const std::string origin = options.config ? " (flags over '" + *options.config + "' over " + below + ")" : profile ? " (flags over " + below + ")" : "";
    if (auto valid = validate(plan.engine.settings); !valid) return fail(ErrorKind::invalid, valid.error().message + origin);
    return {};
}

Result<Plan> make_plan(const Common& common, const Options& options) {
    Config file;
    if (options.config) {
        Result<Config> read = read_file(*options.config);
        if (!read) return fail(read.error());
        file = std::move(*read);
    }
    const auto first = [](const auto& flag, const auto& key) { return flag ? flag : key; };
    Plan plan;
    plan.engine.cluster = first(common.cluster, file.cluster).value_or("default");
    plan.engine.dir = folders(first(common.dir, file.dir).value_or("")).front();
    const auto node = first(options.node, file.node);
    if (node)
        if (auto valid = shm::validate_node_id(*node); !valid) return fail(valid.error());
    plan.engine.node = node.value_or("");
    const auto host = first(options.host, file.host);
    if (host)
        if (auto valid = shm::validate_node_id(*host); !valid) return fail(valid.error().kind, "--host: as for node ids, " + valid.error().message);
    plan.engine.host = host.value_or("");
    plan.engine.group = first(options.group, file.group).value_or("");
    plan.engine.capacity = static_cast<std::uint32_t>(first(options.capacity, file.capacity).value_or(0));
    plan.engine.ring = static_cast<std::uint32_t>(first(options.ring, file.ring).value_or(0));
    plan.log_level = first(common.log_level, file.log_level);
    if (auto hosts = plan_hosts(plan, options, file); !hosts) return fail(hosts.error());
    if (auto settings = plan_settings(plan, options, file); !settings) return fail(settings.error());
    if (plan.log_level && !parse_log_level(*plan.log_level))
        return fail(ErrorKind::invalid, "log-level '" + *plan.log_level + "' is none of " + std::string(log_level_names));
    return plan;
}

// Each watched process takes a descriptor: as many as this user may have.
void raise_descriptor_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    (void)::setrlimit(RLIMIT_NOFILE, &limit);
}

void say_ready(const Engine& engine, const Plan& plan) {
    log(LogLevel::info, "engine '" + engine.local_node_id() + "' of cluster '" + engine.cluster_id() + "' is ready in " + plan.engine.dir + "/" +
                            plan.engine.cluster + ": " + describe(engine.config()));
    if (const auto unwise = warning(engine.config())) log(LogLevel::warning, *unwise);
}

void warn_of_watchdog(const Engine& engine, const ServiceNotify& notify) {
    if (const std::string why = notify.petting().why_too_short_for(engine.config().scan); !why.empty()) log(LogLevel::warning, why);
}

void name_what_needs_a_restart(const Plan& now, const Plan& next) {
    const Engine::Options &running = now.engine, &wanted = next.engine;
    std::string names;
    const auto compare = [&](bool same, const char* name) {
        if (!same) names += (names.empty() ? "" : ", ") + std::string(name);
    };
    compare(running.cluster == wanted.cluster, "cluster");
    compare(running.dir == wanted.dir, "dir");
    compare(running.node == wanted.node, "node");
    compare(running.host == wanted.host, "host");
    compare(running.group == wanted.group, "group");
    compare(running.endpoint == wanted.endpoint, "endpoint");
    compare(running.emit_node == wanted.emit_node, "emit");
    for (const std::string& name : differences(now.transports, next.transports)) compare(false, name.c_str());
    compare(running.capacity == wanted.capacity, "capacity");
    compare(running.ring == wanted.ring, "ring");
    if (!names.empty()) log(LogLevel::warning, "changed in the configuration file, but in force only after a restart: " + names);
}

// No message is lost: what was on its way is believed as long as its key is.
void reload_keys(const Plan& plan, const Plan& wanted) {
    if (!plan.keys || !wanted.transports.keys) return;
    auto keys = read_keys(*wanted.transports.keys);
    if (!keys) return log(LogLevel::error, "keys stay as they are: " + keys.error().message);
    const std::size_t count = keys->size();
    if (auto replaced = plan.keys->replace(std::move(*keys)); !replaced) return log(LogLevel::error, "keys stay as they are: " + replaced.error().message);
    log(LogLevel::info, "messages of hosts are signed by key " + std::to_string(plan.keys->signer()) + ", and believed by " + std::to_string(count) + " of them");
}

// SIGHUP. Whatever is wrong, the old settings stay.
void reload(Engine& engine, const Plan& plan, const Common& common, const Options& options) {
    const Result<Plan> wanted = make_plan(common, options);
    if (!wanted) return log(LogLevel::error, "settings stay as they are: " + wanted.error().message);
    if (auto set = engine.set_config(wanted->engine.settings); !set) return log(LogLevel::error, "settings stay as they are: " + set.error().message);
    engine.sync();  // in force, not only asked for
    if (wanted->log_level) set_log_level(*parse_log_level(*wanted->log_level));
    reload_keys(plan, *wanted);
    log(LogLevel::info, "settings in force: " + describe(engine.config()));
    if (const auto unwise = warning(engine.config())) log(LogLevel::warning, *unwise);
    name_what_needs_a_restart(plan, *wanted);
}

// Without a signal to us.
int ended(Engine& engine, const Plan& plan) {
    const Ending why = engine.ending();
    engine.stop();
    if (why == Ending::by_operator) {
        log(LogLevel::info, "stopped by an operator");
        return exit_done;
    }
    const std::string folder = plan.engine.dir + "/" + plan.engine.cluster;
    return report({ErrorKind::system, "the engine of cluster '" + plan.engine.cluster + "' ended: " +
                                          (why == Ending::displaced ? "its lock or its roster in " + folder + " was removed or replaced; start it again if it is still wanted"
                                                                    : "its detector failed, see above")});
}

// For a supervisor, a reload begins and ends.
void reload(Engine& engine, const Plan& plan, const Common& common, const Options& options, ServiceNotify& notify) {
    notify.reloading(std::chrono::steady_clock::now());
    reload(engine, plan, common, options);
    warn_of_watchdog(engine, notify);
    notify.reloaded();
}

// Nothing: it runs. Else the exit code. A lock that its holder's death frees at once is asked for again and again: nobody has to tell us, and
// nobody can forget to.
std::optional<int> start(Engine& engine, const Plan& plan, const Signals& signals, const Common& common, const Options& options, ServiceNotify& notify) {
    constexpr Duration look_again = std::chrono::milliseconds(20);
    const std::string lock = shm::Paths::of(plan.engine.dir, plan.engine.cluster).lock();
    for (bool is_told = false;;) {
        const auto started = engine.start();
        if (started) return std::nullopt;
        if (!options.standby || started.error().kind != ErrorKind::held) return report(started.error());
        if (!is_told) {
            log(LogLevel::info, "standing by: " + started.error().message);
            notify.standing_by(started.error().message);
        }
        is_told = true;
        do {
            notify.has_looked_at_lock(std::chrono::steady_clock::now());
            const std::optional<int> signal = signals.wait(notify.petting().look_again(look_again));
            if (!signal) continue;
            if (*signal == SIGHUP) {
                reload(engine, plan, common, options, notify);
                continue;
            }
            notify.stopping();
            log(LogLevel::info, "stopped while standing by");
            return exit_done;
        } while (shm::is_locked(lock));
    }
}

int run(const Common& common, const Options& options) {
    const Signals signals{SIGTERM, SIGINT, SIGHUP};  // before the engine's threads, which must not take them
    ServiceNotify notify = ServiceNotify::from_environment();
    std::signal(SIGPIPE, SIG_IGN);                   // a log that nobody reads any more ends no engine
    Result<Plan> plan = make_plan(common, options);
    if (!plan) return report(plan.error());
    if (plan->log_level) set_log_level(*parse_log_level(*plan->log_level));

    raise_descriptor_limit();
    plan->engine.log = [](const std::string& line) { log(LogLevel::info, line); };
    Engine engine(plan->engine);
    const auto transports = plan_transports(plan->transports);
    if (!transports) return report(transports.error());
    auto transport = open_transports(*transports);
    if (!transport) return report(transport.error());
    if (auto set = engine.set_transport(std::move(*transport)); !set) return report(set.error());
    plan->keys = transports->keys;
    if (const auto code = start(engine, *plan, signals, common, options, notify)) return *code;
    say_ready(engine, *plan);
    warn_of_watchdog(engine, notify);
    notify.ready(engine, std::chrono::steady_clock::now());

    constexpr Duration look_again = std::chrono::milliseconds(50);  // an operator who stops the engine waits for this
    while (engine.is_running()) {
        notify.tick(engine, std::chrono::steady_clock::now());
        const std::optional<int> signal = signals.wait(notify.petting().look_again(look_again));
        if (!signal) continue;
        if (*signal == SIGHUP) {
            reload(engine, *plan, common, options, notify);
            continue;
        }
        notify.stopping();
        engine.stop();
        log(LogLevel::info, "stopped; members stay, and the next engine goes on with them");
        return exit_done;
    }
    notify.stopping();
    return ended(engine, *plan);
}

}  // namespace

const Command& run_command() {
    static const Command command = make_command("run", "run this host's engine in the foreground",
                                                {{"rollcall run", "cluster 'default', silence is death after 5 s"},
                                                 {"rollcall run --cluster orders --heartbeat 100ms --suspect 300ms", "a cluster of its own, faster"},
                                                 {"rollcall run --profile fast --evict 1min", "silence is death after 100 ms"},
                                                 {"rollcall run --standby", "a second engine that takes over within milliseconds"},
                                                 {"rollcall run --udp 10.0.0.1:7946 --seed 10.0.0.2:7946 --keys /etc/rollcall.keys", "and hear of another host's engine"},
                                                 {"rollcall run --nats nats://10.0.0.9:4222", "the same over a NATS server"},
                                                 {"rollcall run --config /etc/rollcall.toml", "settings from a file; kill -HUP reads it again"}},
                                                declare, run);
    return command;
}

}  // namespace rollcall::cli
