// Everything that people and programs write as text: settings files, durations, names, endpoints, tags, positions in the stream. The
// first byte chooses which; what is accepted must read the same when it is written out again.
#include <string>

#include <sys/mman.h>
#include <unistd.h>

#include "engine/client/present.hpp"
#include "shm/descriptor.hpp"
#include "shm/name.hpp"
#include "tests/fuzz/input.hpp"
#include "tools/rollcall/config.hpp"
#include "tools/rollcall/duration.hpp"
#include "tools/rollcall/position.hpp"
#include "tools/rollcall/printable.hpp"
#include "tools/rollcall/setting_names.hpp"

namespace rollcall::fuzz {
namespace {

void settings_file(std::string_view text) {
    static const shm::Descriptor file(::memfd_create("settings", MFD_CLOEXEC));
    must(::ftruncate(file.get(), 0) == 0 && ::pwrite(file.get(), text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()), "the file can be written");
    const auto config = cli::read_config("/proc/self/fd/" + std::to_string(file.get()));
    if (!config) {
        must(!config.error().message.empty(), "a refusal says why");
        return;
    }
    const Settings merged = cli::merged(Settings{}, config->settings);
    if (auto valid = validate(merged); !valid) must(!valid.error().message.empty(), "a refusal says why");
    else (void)warning(merged);
    (void)cli::describe(merged);
}

void duration(std::string_view text) {
    const auto parsed = cli::parse_duration(text);
    if (!parsed) return;
    must(parsed->count() >= 0, "a duration is not negative");
    must(cli::parse_duration(to_text(*parsed)) == *parsed, "a duration reads as it is written");
    must(!cli::rounded(*parsed).empty(), "a duration can be shown");
}

void names(std::string_view text) {
    const bool is_node = shm::validate_node_id(text).has_value(), is_cluster = shm::validate_cluster_name(text).has_value();
    must(!is_node || shm::Name::of(text).view() == text, "a node id fits into its record");
    must(!is_node || shm::is_clean_utf8(text), "a node id is clean text");
    must(!is_cluster || is_node, "a cluster's name would be a node id");
    must(!is_node || cli::printable(text) == text, "a node id is printed as it is");
    must(cli::printable(cli::printable(text)) == cli::printable(text), "what is printable stays as it is");
    (void)cli::width(text);
    (void)cli::padded(text, 20);
    (void)validate_endpoint(text);
}

void tags(std::string_view text) {
    const Tags decoded = decode_tags(text);
    const auto encoded = encode_tags(decoded);
    if (!encoded) return;
    must(encoded->size() <= shm::max_tags, "tags fit into a blob");
    must(decode_tags(*encoded) == decoded, "tags read as they are written");
}

void position(std::string_view text) {
    const auto at = cli::parse_position(text);
    must(!at || at->after.has_value(), "a position names an event");
}

}  // namespace
}  // namespace rollcall::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace rollcall::fuzz;
    Input input(data, size);
    switch (input.take<std::uint8_t>() % 8) {
        case 0: duration(input.rest()); break;
        case 1: names(input.rest()); break;
        case 2: tags(input.rest()); break;
        case 3: position(input.rest()); break;
        default: settings_file(input.rest()); break;
    }
    return 0;
}
