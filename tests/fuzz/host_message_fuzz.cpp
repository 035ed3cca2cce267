// What other hosts say of themselves and their members: payloads, one behind the other, each with its length in front (16 bits). What is accepted must keep to
// the limits, read the same when it is written again, and leave the lists that it is applied to sound.
#include <map>

#include "engine/hosts/host_message.hpp"
#include "engine/hosts/known_list.hpp"
#include "engine/hosts/own_list.hpp"
#include "engine/client/present.hpp"
#include "shm/name.hpp"
#include "tests/fuzz/input.hpp"

namespace rollcall::fuzz {
namespace {

using namespace engine;

constexpr std::size_t most = 8;  // an input holds some 18 members

void limits(const ListEntry& entry) {
    must(entry.version > 0 && entry.version < sequence_limit && entry.place != end_of_places, "versions and places have bounds");
    if (entry.state == State::none) return;
    must(entry.incarnation.value != 0 && entry.incarnation.value < incarnation_limit, "incarnations have bounds");
    must(shm::validate_node_id(entry.node) && validate_endpoint(entry.endpoint), "names and endpoints are clean");
    must(encode_tags(decode_tags(entry.tags)) == entry.tags, "tags are tags");
    must(to_string(entry.state) != "none" && to_string(entry.reason) != "none", "states and reasons are known");
    must(encoded_size(entry) <= max_entry_bytes, "an entry has a bound");
}

void sound(const KnownList& list) {
    Digest sum;
    std::size_t count = 0;
    list.each([&](const ListEntry& entry) {
        sum += digest_of(entry);
        ++count;
        must(list.find(entry.place) == &entry, "what is listed is found");
    });
    must(list.digest() == sum && list.size() == count, "a digest is the sum over the claims");
    must(count <= most, "a list has a bound");
    Place before = 0;
    for (const auto& [begin, end] : list.missing()) {
        must(begin < end && begin >= before, "ranges ascend");
        before = end;
    }
    must(list.missing().empty() || list.complete() == 0, "during a transfer nothing is complete");
}

// One host's list as it is heard, and another that is made of the same claims.
struct Lists {
    KnownList known{most};
    OwnList own;
    std::vector<Place> changed;

    template <class Packed>
    void apply(const Packed& packet) {
        std::map<Place, Digest> before;
        known.each([&](const ListEntry& entry) { before[entry.place] = digest_of(entry); });
        const bool is_whole = known.apply(packet, changed);
        sound(known);
        for (std::size_t i = 0; i < changed.size(); ++i) {
            must(i == 0 || changed[i] > changed[i - 1], "changes ascend");
            const ListEntry* now = known.find(changed[i]);
            must((before.contains(changed[i]) ? before[changed[i]] : Digest{}) != (now == nullptr ? Digest{} : digest_of(*now)), "what is said to have changed has");
        }
        const std::uint64_t complete = known.complete();
        known.apply(packet, changed);
        must(changed.empty() || !is_whole, "twice is once");
        must(known.complete() == complete || !is_whole, "twice is once");
        for (const ListEntry& entry : packet.entries) tell(entry);
    }
    void tell(ListEntry entry) {
        limits(entry);
        entry.version = own.summary().version + 1;
        own.set(entry);
        Digest sum;
        for (const ListEntry& each : own.page(0, end_of_places, SIZE_MAX).entries) sum += digest_of(each);
        must(sum == own.summary().digest, "a digest is the sum over the members");
    }

    void take(const HostBeat& beat) {
        if (known.match(beat.list)) must(known.missing().empty() && known.complete() >= beat.list.version, "a match completes");
        else known.start_over(beat.list.version);
        sound(known);
    }
    void take(const HostAnswer& answer) { take(answer.beat); }
    void take(const ListDelta& delta) { apply(delta); }
    void take(const ListPage& page) { apply(page); }
    void take(const ListRequest& request) {
        must(request.ranges.size() <= ListRequest::max_ranges, "a request has a bound");
        if (const auto deltas = own.changes_since(request.since, max_list_payload)) {
            for (ListDelta delta : *deltas) say(std::move(delta));
        }
        for (const auto& [begin, end] : request.ranges) say(own.page(begin, end, max_list_payload));
    }
    template <class Other>
    void take(const Other&) {}

    template <class Packed>
    void say(Packed packet) {
        packet.incarnation = Incarnation{1};
        const std::string bytes = encode_host_message(packet);
        must(bytes.size() <= max_host_payload && decode_host_message(bytes) == HostMessage(packet), "what a list says can be said");
    }
    // Somebody who hears all of it has it.
    void hand_over() const {
        KnownList heard(SIZE_MAX);
        std::vector<Place> ignored;
        const auto deltas = own.changes_since(0, max_list_payload);
        if (!deltas) return;
        for (auto delta = deltas->rbegin(); delta != deltas->rend(); ++delta) heard.apply(*delta, ignored);
        must(heard.match(own.summary()), "who hears all of a list has it");
    }
};

void message(std::string_view payload, Lists& lists) {
    const auto read = decode_host_message(payload);
    if (!read) {
        must(!read.error().message.empty(), "a refusal says why");
        return;
    }
    must(encode_host_message(*read) == payload, "a message reads as it is written, and there is one way to write it");
    std::visit([&](const auto& m) { lists.take(m); }, *read);
}

}  // namespace
}  // namespace rollcall::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace rollcall::fuzz;
    Input input(data, size);
    Lists lists;
    while (!input.is_empty()) {
        const auto length = input.take<std::uint16_t>();
        message(input.take_text(length), lists);
    }
    lists.hand_over();
    return 0;
}
