// What a subcommand is. Each lives in one file, `watch.cpp`, which exports one function, `const Command& watch_command()`; one line
// in the list of main.cpp adds it.
//
//     struct Options { std::string node; std::optional<Duration> timeout; };
//
//     void declare(OptionSet& set, Options& options) {
//         set.positional("NODE", "the node to wait for", options.node);
//         set.duration("--timeout", "give up after this long", options.timeout);
//     }
//     int run(const Common& common, const Options& options) { ... }
//
//     const Command& wait_command() {
//         static const Command command = make_command("wait", "return once a node is in a state", {{...}}, declare, run);
//         return command;
//     }
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shm/units.hpp"

namespace rollcall::cli {

// Exit codes are part of the command's contract.
enum ExitCode : int {
    exit_done = 0,
    exit_failed = 1,
    exit_usage = 2,   // the command line makes no sense
    exit_absent = 3,  // no such cluster, or no engine
};

// What every subcommand understands, after its name.
struct Common {
    std::optional<std::string> cluster;    // --cluster
    std::optional<std::string> dir;        // --dir
    std::optional<std::string> log_level;  // --log-level: already in force

    std::string cluster_name() const { return cluster.value_or("default"); }
    std::string folder() const { return dir.value_or(""); }  // empty: where the library looks by itself
};

// How a subcommand declares its options: each binds a variable, which is filled before the subcommand runs and keeps its value where
// the option was not given. `names` may hold aliases, "--suspect,--suspect-timeout". The variables must outlive the parsing.
class OptionSet {
public:
    virtual ~OptionSet() = default;

    virtual void flag(std::string_view names, std::string_view help, bool& value) = 0;
    virtual void text(std::string_view names, std::string_view placeholder, std::string_view help, std::optional<std::string>& value) = 0;
    virtual void required_text(std::string_view names, std::string_view placeholder, std::string_view help, std::string& value) = 0;
    virtual void texts(std::string_view names, std::string_view placeholder, std::string_view help, std::vector<std::string>& values) = 0;
    // "300ms", "5s", "1.5min"; zero is allowed, a sign is not.
    virtual void duration(std::string_view names, std::string_view help, std::optional<Duration>& value) = 0;
    // A whole number from `least` to `most`.
    virtual void number(std::string_view names, std::string_view placeholder, std::string_view help, std::uint64_t least, std::uint64_t most,
                        std::optional<std::uint64_t>& value) = 0;
    // Required. Positionals are taken in the order of their declaration.
    virtual void positional(std::string_view name, std::string_view help, std::string& value) = 0;
    // Everything behind the first `--`, untouched: options of somebody else's command. `given`: there was a `--`.
    virtual void rest(std::string_view placeholder, std::string_view help, std::vector<std::string>& values, bool& given) = 0;
};

struct Example {
    std::string_view line;     // what to type
    std::string_view meaning;  // what it does
};

// Runs a subcommand whose options are filled in, and returns its exit code.
using Run = std::function<int(const Common&)>;

struct Command {
    std::string_view name;
    std::string_view summary;  // one line, lower case, no full stop
    std::vector<Example> examples;
    std::function<Run(OptionSet&)> declare;
};

// A command whose options live in an `Options` of its own, made anew for each command line.
template <class Options>
Command make_command(std::string_view name, std::string_view summary, std::vector<Example> examples, void (*declare)(OptionSet&, Options&),
                     int (*run)(const Common&, const Options&)) {
    return {name, summary, std::move(examples), [declare, run](OptionSet& set) -> Run {
                auto options = std::make_shared<Options>();
                declare(set, *options);
                return [options, run](const Common& common) { return run(common, *options); };
            }};
}

}  // namespace rollcall::cli
