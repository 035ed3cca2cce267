#include "tools/rollcall/bugreport_text.hpp"

#include <chrono>
#include <deque>
#include <exception>
#include <string>
#include <vector>

#include <sys/utsname.h>

#include "shm/layout.hpp"
#include "shm/verify.hpp"
#include "tools/rollcall/clock_text.hpp"
#include "tools/rollcall/disputes.hpp"
#include "tools/rollcall/doctor/examination.hpp"
#include "tools/rollcall/dump_text.hpp"
#include "tools/rollcall/event_text.hpp"
#include "tools/rollcall/hosts_table.hpp"
#include "tools/rollcall/printable.hpp"
#include "tools/rollcall/profile.hpp"
#include "tools/rollcall/reading.hpp"
#include "tools/rollcall/setting_names.hpp"
#include "tools/rollcall/stat_text.hpp"

namespace rollcall::cli {

namespace {

using Out = std::function<void(std::string_view)>;
// Writes a section, or tells why it cannot.
using Section = std::function<Result<void>(const Out&)>;

std::string now_in_utc() {
    return utc_time(std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch()).count());
}

// Each reads the memory anew: what one of them meets is not the others' trouble.
void write_section(const Out& out, std::string_view heading, const Section& section) {
    out("\n== " + std::string(heading) + " ==\n\n");
    try {
        if (const auto written = section(out); !written) out(printable("cannot be read: " + written.error().message) + "\n");
    } catch (const std::exception& error) {
        out(printable(std::string("cannot be read: ") + error.what()) + "\n");
    }
}

Result<void> version(const Out& out) {
    out("rollcall " ROLLCALL_VERSION ", layout " + std::to_string(shm::layout_version) + ", compiled by " + __VERSION__ +
#ifdef ROLLCALL_HAS_NATS
        ", with NATS" +
#endif
        "\n");
    utsname name{};
    if (::uname(&name) == 0) out(printable(std::string(name.sysname) + " " + name.release + " " + name.machine) + "\n");
    return {};
}

Result<void> examination(const Out& out, const Common& common) {
    out(doctor::for_people(doctor::examine(common.cluster_name(), common.folder()).findings));
    return {};
}

Result<void> statistics(const Out& out, const Common& common) {
    const Result<Reading> reading = attach(common);
    if (!reading) return fail(reading.error());
    const ClusterInfo info = reading->observer.info();
    const Result<std::vector<Host>> hosts = reading->observer.hosts();
    if (!hosts) return fail(hosts.error());
    out(statistics_text(info, hosts->size(), reading->now(info), reading->copy));
    return {};
}

Result<void> settings(const Out& out, const Common& common) {
    const Result<Reading> reading = attach(common);
    if (!reading) return fail(reading.error());
    const ClusterInfo info = reading->observer.info();
    std::string named;
    for (const Profile& profile : profiles)
        if (profile.settings == info.settings) named = " (profile " + std::string(profile.name) + ")";
    out(describe(info.settings) + named + "\ncapacity " + std::to_string(info.capacity) + ", ring " + std::to_string(info.ring) + "\n");
    if (const auto unwise = warning(info.settings)) out(*unwise + "\n");
    return {};
}

Result<void> hosts(const Out& out, const Common& common) {
    Result<Reading> reading = attach(common, from_the_first);
    if (!reading) return fail(reading.error());
    const std::vector<Event> disputes = read_disputes(reading->observer, Disputed::hosts);
    const Result<std::vector<Host>> others = reading->observer.hosts();
    if (!others) return fail(others.error());
    const ClusterInfo info = reading->observer.info();
    const Palette plain(false);
    out(hosts_table(*others, reading->now(info), plain));
    out(hosts_summary(info, *others, reading->now(info), reading->copy) + "\n" + dispute_lines(disputes, plain));
    return {};
}

Result<void> dump(const Out& out, const Common& common) {
    const Result<Memory> memory = attach_memory(common);
    if (!memory) return fail(memory.error());
    Result<Reading> reading = attach(common);
    if (!reading) return fail(reading.error());
    const Result<Roster> roster = read_roster(*reading);
    if (!roster) return fail(roster.error());
    const Result<std::vector<Host>> others = reading->observer.hosts();
    if (!others) return fail(others.error());
    write_dump(out, *roster, *others, memory->segment.roster(), reading->copy, TagsOf::hidden);
    return {};
}

Result<void> invariants(const Out& out, const Common& common) {
    const Result<Memory> memory = attach_memory(common);
    if (!memory) return fail(memory.error());
    const shm::Verification found = shm::verify(memory->segment.roster(), latest_stamp(memory->segment.roster(), memory->copy));
    if (!found.is_settled) return fail(ErrorKind::busy, "the memory would not hold still long enough to be judged");
    for (const std::string& line : found.broken) out(printable(line) + "\n");
    out(std::to_string(found.broken_count) + " broken\n");
    return {};
}

// Events carry no tags. What comes while we read is left out: the report ends.
Result<void> events(const Out& out, const Common& common) {
    constexpr std::size_t most = 1000;
    Result<Reading> reading = attach(common, from_the_first);
    if (!reading) return fail(reading.error());
    const Sequence last = reading->observer.info().head;
    std::deque<Event> kept;
    while (const std::optional<Event> event = reading->observer.poll()) {
        kept.push_back(*event);
        if (kept.size() > most) kept.pop_front();
        if (event->sequence >= last) break;
    }
    EventLines lines{Palette(false)};
    for (const Event& event : kept) out(lines.line(event) + "\n");
    out(std::to_string(kept.size()) + " events, the last of " + std::to_string(last.value) + "\n");
    return {};
}

}  // namespace

void write_bugreport(const Out& out, const Common& common) {
    out("Tags are left out, for their values may be secrets; keys, credentials and their paths are not read. Look through it all the same: it names nodes, hosts and endpoints.\n");
    out(printable("rollcall bugreport of cluster '" + common.cluster_name() + "', " + now_in_utc()) + "\n");
    const auto of_cluster = [&common](Result<void> (*section)(const Out&, const Common&)) { return [section, &common](const Out& to) { return section(to, common); }; };
    write_section(out, "version", version);
    write_section(out, "doctor", of_cluster(examination));
    write_section(out, "stat", of_cluster(statistics));
    write_section(out, "settings", of_cluster(settings));
    write_section(out, "hosts", of_cluster(hosts));
    write_section(out, "invariants", of_cluster(invariants));
    write_section(out, "events", of_cluster(events));
    write_section(out, "dump", of_cluster(dump));  // last: it is long
    out("\nend of report\n");  // or somebody has cut it
}

}  // namespace rollcall::cli
