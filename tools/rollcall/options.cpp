// The only file that includes CLI11, a heavy header. CLI11 recognises options and lays out the help; values are taken as text and
// understood here, so that every mistake is told in the same words.
#include "tools/rollcall/options.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <functional>
#include <set>

#include "shm/error.hpp"
#include "tools/rollcall/duration.hpp"
#include "tools/rollcall/output.hpp"
#include "tools/rollcall/printable.hpp"
#include "tools/rollcall/report.hpp"

namespace rollcall::cli {

namespace {

// What this command's own options are called in the help, and what all commands share.
constexpr const char* own_group = "Options";
constexpr const char* common_group = "Everywhere";

// The subcommand's own options stand first, and aliases are understood without being shown.
class HelpLayout final : public CLI::Formatter {
public:
    explicit HelpLayout(std::string usage) : usage_(std::move(usage)) { column_width(28); }

    std::string make_help(const CLI::App* app, std::string, CLI::AppFormatMode) const override {
        std::string text = app->get_description() + "\n\nUsage: " + usage_ + "\n";
        text += section(app, "Arguments", true, [](const CLI::Option* option) { return option->get_positional(); });
        for (const char* group : {own_group, common_group})
            text += section(app, group, false, [group](const CLI::Option* option) { return option->nonpositional() && option->get_group() == group; });
        return text + app->get_footer() + "\n";
    }
    std::string make_option_name(const CLI::Option* option, bool is_positional) const override {
        const std::string short_name = option->get_snames().empty() ? "" : "-" + option->get_snames().front() + ", ";
        return is_positional ? option->get_name(true, false) : short_name + "--" + option->get_lnames().front();
    }

private:
    std::string section(const CLI::App* app, const char* title, bool is_positional, const std::function<bool(const CLI::Option*)>& wanted) const {
        const auto options = app->get_options(wanted);
        return options.empty() ? "" : make_group(title, is_positional, options);
    }
    std::string usage_;
};

std::string first_name(std::string_view names) { return std::string(names.substr(0, names.find(','))); }

class Cli11Options final : public OptionSet {
public:
    explicit Cli11Options(CLI::App& app) : app_(app) {}

    void flag(std::string_view names, std::string_view help, bool& value) override { app_.add_flag(std::string(names), value, std::string(help))->group(group_); }

    void text(std::string_view names, std::string_view placeholder, std::string_view help, std::optional<std::string>& value) override {
        valued(names, placeholder, help, [&value](const std::string& given) -> Result<void> {
            value = given;
            return {};
        });
    }

    void required_text(std::string_view names, std::string_view placeholder, std::string_view help, std::string& value) override {
        CLI::Option* option = valued(names, placeholder, std::string(help) + " (required)", [&value](const std::string& given) -> Result<void> {
            value = given;
            return {};
        });
        require(option, first_name(names) + " " + std::string(placeholder));
    }

    void texts(std::string_view names, std::string_view placeholder, std::string_view help, std::vector<std::string>& values) override {
        CLI::Option* option = add(names, placeholder, std::string(help) + " (may be repeated)");
        checks_.emplace_back([option, &values]() -> Result<void> {
            values = option->results();
            return {};
        });
    }

    void duration(std::string_view names, std::string_view help, std::optional<Duration>& value) override {
        valued(names, "D", help, [&value](const std::string& given) -> Result<void> {
            const Result<Duration> parsed = parse_duration(given);
            if (!parsed) return fail(parsed.error());
            value = *parsed;
            return {};
        });
    }

    void number(std::string_view names, std::string_view placeholder, std::string_view help, std::uint64_t least, std::uint64_t most,
                std::optional<std::uint64_t>& value) override {
        valued(names, placeholder, help, [&value, least, most](const std::string& given) -> Result<void> {
            std::uint64_t parsed = 0;
            const auto [end, error] = std::from_chars(given.data(), given.data() + given.size(), parsed);
            if (error != std::errc{} || end != given.data() + given.size() || parsed < least || parsed > most)
                return fail(ErrorKind::invalid, "'" + given + "' is not a whole number from " + std::to_string(least) + " to " + std::to_string(most));
            value = parsed;
            return {};
        });
    }

    void positional(std::string_view name, std::string_view help, std::string& value) override {
        CLI::Option* option = add(name, "", help);
        require(option, std::string(name));
        checks_.emplace_back([option, &value]() -> Result<void> {
            value = option->results().front();
            return {};
        });
        usage_ += " " + std::string(name);
    }

    void rest(std::string_view placeholder, std::string_view help, std::vector<std::string>& values, bool& given) override {
        rest_ = &values;
        rest_given_ = &given;
        rest_help_ = "\nBehind --:\n  " + padded(placeholder, 26) + std::string(help) + "\n";
        usage_ += " [-- " + std::string(placeholder) + "]";
    }

    void group(std::string name) { group_ = std::move(name); }
    const std::string& usage() const { return usage_; }
    const std::string& rest_help() const { return rest_help_; }
    // Options up to the first --; what stands behind it goes to whoever declared rest().
    std::vector<std::string> take_rest(const std::vector<std::string>& args) const {
        const auto mark = rest_ != nullptr ? std::find(args.begin(), args.end(), "--") : args.end();
        if (mark != args.end()) {
            rest_->assign(mark + 1, args.end());
            *rest_given_ = true;
        }
        return {args.begin(), mark};
    }
    bool takes_value(const std::string& name) const { return valued_.contains(name); }

    // Understands what was given. In the order of declaration, required ones first.
    Result<void> finish() const {
        for (const auto& check : required_)
            if (auto result = check(); !result) return result;
        for (const auto& check : checks_)
            if (auto result = check(); !result) return result;
        return {};
    }

private:
    using Check = std::function<Result<void>()>;

    CLI::Option* add(std::string_view names, std::string_view placeholder, std::string_view help) {
        CLI::Option* option = app_.add_option(std::string(names), [](const CLI::results_t&) { return true; }, std::string(help));
        option->option_text(std::string(placeholder))->expected(1)->allow_extra_args(false)->take_all()->group(group_);
        for (const std::string& name : option->get_lnames()) valued_.insert("--" + name);
        return option;
    }

    CLI::Option* valued(std::string_view names, std::string_view placeholder, std::string_view help, std::function<Result<void>(const std::string&)> take) {
        CLI::Option* option = add(names, placeholder, help);
        checks_.emplace_back([option, name = first_name(names), take = std::move(take)]() -> Result<void> {
            if (option->count() == 0) return {};
            if (option->count() > 1) return fail(ErrorKind::invalid, "option " + name + " is given " + std::to_string(option->count()) + " times");
            if (auto taken = take(option->results().front()); !taken) return fail(ErrorKind::invalid, "option " + name + ": " + taken.error().message);
            return {};
        });
        return option;
    }

    void require(const CLI::Option* option, const std::string& what) {
        required_.emplace_back([option, what]() -> Result<void> {
            if (option->count() == 0) return fail(ErrorKind::invalid, what + " is missing");
            return {};
        });
    }

    CLI::App& app_;
    std::string group_ = own_group;
    std::vector<Check> required_, checks_;
    std::set<std::string> valued_;
    std::vector<std::string>* rest_ = nullptr;
    bool* rest_given_ = nullptr;
    std::string rest_help_, usage_;
};

void declare_common(Cli11Options& set, Common& common) {
    set.group(common_group);
    set.text("--cluster", "NAME", "which cluster (default: default)", common.cluster);
    set.text("--dir", "DIR", "folder of its shared memory (default: $ROLLCALL_DIR, else this user's, the service's and root's)", common.dir);
    set.text("--log-level", "LEVEL", "what stderr shows: error, warning, info, debug (default: info)", common.log_level);
}

std::string examples_of(const Command& command) {
    std::size_t widest = 0;
    for (const Example& example : command.examples) widest = std::max(widest, example.line.size());
    std::string text = "\nExamples:";
    for (const Example& example : command.examples)
        text += "\n  " + std::string(example.line) + std::string(widest - example.line.size() + 3, ' ') + std::string(example.meaning);
    return text;
}

// CLI11 would take the next option as the value of one whose value was forgotten. A value that begins with -- is written --name=value.
Result<void> refuse_forgotten_values(const std::vector<std::string>& args, const Cli11Options& set) {
    for (std::size_t i = 0; i < args.size() && args[i] != "--"; ++i) {
        if (args[i].ends_with('=') && set.takes_value(args[i].substr(0, args[i].size() - 1)))
            return fail(ErrorKind::invalid, "option " + args[i].substr(0, args[i].size() - 1) + " needs a value");
        if (!set.takes_value(args[i])) continue;
        if (i + 1 == args.size() || args[i + 1].starts_with("--")) return fail(ErrorKind::invalid, "option " + args[i] + " needs a value");
        ++i;
    }
    return {};
}

Result<void> parse(CLI::App& app, const Cli11Options& set, const std::vector<std::string>& args) {
    const std::vector<std::string> own = set.take_rest(args);
    if (auto complete = refuse_forgotten_values(own, set); !complete) return complete;
    app.parse(std::vector<std::string>(own.rbegin(), own.rend()));
    for (const std::string& extra : app.remaining()) {
        if (extra == "--") continue;
        return fail(ErrorKind::invalid, extra.starts_with('-') ? "unknown option '" + extra + "'" : "'" + extra + "' is one argument too many");
    }
    return set.finish();
}

int run_command(const Command& command, const std::vector<std::string>& args) {
    const std::string name(command.name);
    CLI::App app{"rollcall " + name + ": " + std::string(command.summary)};
    app.set_help_flag("-h,--help", "show this help")->group(common_group);
    app.allow_extras();

    Cli11Options set(app);
    Common common;
    const Run run = command.declare(set);
    declare_common(set, common);
    app.formatter(std::make_shared<HelpLayout>("rollcall " + name + " [OPTIONS]" + set.usage()));
    app.footer(set.rest_help() + examples_of(command));

    try {
        if (auto parsed = parse(app, set, args); !parsed) return usage_error(name, parsed.error().message);
    } catch (const CLI::CallForHelp&) {
        print(app.help());
        return finish_output(exit_done);
    } catch (const CLI::ParseError& error) {
        return usage_error(name, error.what());
    }
    if (common.log_level) {
        const std::optional<LogLevel> known = parse_log_level(*common.log_level);
        if (!known) return usage_error(name, "option --log-level: '" + *common.log_level + "' is none of " + std::string(log_level_names));
        set_log_level(*known);
    }
    return run(common);
}

std::string overview(std::span<const Command* const> commands) {
    std::string text = "rollcall tells every process on a host who is alive.\n\nUsage: rollcall SUBCOMMAND [OPTIONS]\n\nSubcommands:\n";
    for (const Command* command : commands) text += "  " + padded(command->name, 10) + std::string(command->summary) + "\n";
    return text +
           "\nExamples:\n"
               "  rollcall demo                                       see it at work, in a folder of its own\n"
               "  rollcall run                                        an engine for this host\n"
               "  rollcall join --node worker-1 -- sleep 60           any program as a member\n"
               "  rollcall members                                    who is alive\n"
               "  rollcall watch                                      what happens, as it happens\n"
               "\nrollcall SUBCOMMAND --help tells the rest; rollcall --version the version.\n"
               "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 no such cluster or no engine.\n";
}

}  // namespace

int dispatch(std::span<const Command* const> commands, const std::vector<std::string>& args) {
    if (args.empty()) {
        std::fputs(overview(commands).c_str(), stderr);
        return exit_usage;
    }
    const std::string& first = args.front();
    if (first == "--help" || first == "-h" || first == "help") {
        print(overview(commands));
        return finish_output(exit_done);
    }
    if (first == "--version") {
        print("rollcall " ROLLCALL_VERSION "\n");
        return finish_output(exit_done);
    }
    if (first.starts_with('-')) return usage_error("", "'" + first + "' stands before the subcommand, where only --help and --version may");
    for (const Command* command : commands)
        if (command->name == first) return run_command(*command, {args.begin() + 1, args.end()});
    return usage_error("", "unknown subcommand '" + first + "'");
}

}  // namespace rollcall::cli
