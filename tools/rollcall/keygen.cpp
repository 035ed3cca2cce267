// `rollcall keygen`: keys that hosts share.
#include <algorithm>
#include <string>
#include <vector>

#include <unistd.h>

#include "tools/rollcall/command.hpp"
#include "tools/rollcall/key_file.hpp"
#include "tools/rollcall/output.hpp"
#include "tools/rollcall/report.hpp"

namespace rollcall::cli {

namespace {

struct Options {
    std::optional<std::string> file;
};

void declare(OptionSet& set, Options& options) { set.text("--keys", "FILE", "add it to this file, behind those that are there (default: print it)", options.file); }

// The least that is free.
std::optional<std::uint8_t> free_id(const std::vector<Key>& keys) {
    for (unsigned id = 1; id <= 255; ++id)
        if (std::none_of(keys.begin(), keys.end(), [id](const Key& key) { return key.id == id; })) return static_cast<std::uint8_t>(id);
    return std::nullopt;
}

int run(const Common&, const Options& options) {
    if (!options.file) {
        print(text_of_keys({make_key(1)}));
        return finish_output(exit_done);
    }
    std::vector<Key> keys;
    if (::access(options.file->c_str(), F_OK) == 0) {
        auto known = read_keys(*options.file);
        if (!known) return report(known.error());
        keys = std::move(*known);
    }
    const auto id = free_id(keys);
    if (!id) return report({ErrorKind::full, "the keys '" + *options.file + "' have every id from 1 to 255: take away those that sign nothing any more"});
    keys.push_back(make_key(*id));
    if (auto written = write_keys(*options.file, keys); !written) return report(written.error());
    print("key " + std::to_string(*id) + " is in " + *options.file + (keys.size() == 1 ? ", and signs\n" : ", and is believed; it signs once it is the first one\n"));
    return finish_output(exit_done);
}

}  // namespace

const Command& keygen_command() {
    static const Command command = make_command("keygen", "make a key that hosts share, for 'rollcall run --keys'",
                                                {{"rollcall keygen --keys /etc/rollcall.keys", "a file with one key, or one more; copy it to every host"},
                                                 {"rollcall keygen", "a key on the screen"}},
                                                declare, run);
    return command;
}

}  // namespace rollcall::cli
