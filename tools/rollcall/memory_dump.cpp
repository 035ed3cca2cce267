#include "tools/rollcall/memory_dump.hpp"

#include <cstdio>
#include <string>

#include "shm/blob.hpp"
#include "shm/checkpoint.hpp"
#include "shm/record.hpp"
#include "shm/word.hpp"
#include "tools/rollcall/printable.hpp"

namespace rollcall::cli {

namespace {

std::string hex(std::uint64_t n) {
    char digits[20];
    std::snprintf(digits, sizeof digits, "0x%016llx", static_cast<unsigned long long>(n));
    return digits;
}

// Where a description of the memory goes: groups of named values, some of them in lists of many.
class Sink {
public:
    virtual ~Sink() = default;
    virtual void begin(std::string_view group) = 0;
    virtual void number(std::string_view name, std::uint64_t value) = 0;
    virtual void word(std::string_view name, std::string_view value) = 0;  // without quotes or control characters
    virtual void end() = 0;
    virtual void begin_list(std::string_view name) = 0;
    virtual void begin_item() = 0;
    virtual void end_item() = 0;
    virtual void end_list() = 0;
};

class Lines final : public Sink {
public:
    explicit Lines(const Out& out) : out_(out) {}
    void begin(std::string_view group) override { out_("\n" + std::string(group) + "\n"); }
    void number(std::string_view name, std::uint64_t value) override { word(name, std::to_string(value)); }
    void word(std::string_view name, std::string_view value) override {
        if (!in_item_) return out_("  " + padded(name, 22) + std::string(value) + "\n");
        item_ += (item_.empty() ? "  " : ", ") + std::string(name) + " " + std::string(value);
    }
    void end() override {}
    void begin_list(std::string_view name) override { begin(name); }
    void begin_item() override { in_item_ = true; }
    void end_item() override {
        out_(item_ + "\n");
        item_.clear();
        in_item_ = false;
    }
    void end_list() override {}

private:
    const Out& out_;
    std::string item_;
    bool in_item_ = false;
};

class Json final : public Sink {
public:
    explicit Json(const Out& out) : out_(out) { out_("{"); }
    ~Json() override { out_("}"); }
    void begin(std::string_view group) override { open(group, ":{"); }
    void number(std::string_view name, std::uint64_t value) override { field(name, std::to_string(value)); }
    void word(std::string_view name, std::string_view value) override { field(name, "\"" + std::string(value) + "\""); }
    void end() override { close("}"); }
    void begin_list(std::string_view name) override { open(name, ":["); }
    void begin_item() override {
        out_(comma_ ? ",\n{" : "\n{");
        comma_ = false;
    }
    void end_item() override { close("}"); }
    void end_list() override { close("]"); }

private:
    void open(std::string_view name, std::string_view how) {
        out_((comma_ ? ",\"" : "\"") + std::string(name) + "\"" + std::string(how));
        comma_ = false;
    }
    void close(std::string_view how) {
        out_(how);
        comma_ = true;
    }
    void field(std::string_view name, const std::string& value) {
        out_((comma_ ? ",\"" : "\"") + std::string(name) + "\":" + value);
        comma_ = true;
    }
    const Out& out_;
    bool comma_ = false;
};

constexpr auto relaxed = std::memory_order_relaxed;  // everything here is shown as it is, and nothing follows from it

void describe(Sink& sink, std::string_view group, const shm::Preamble& p) {
    sink.begin(group);
    sink.word("magic", hex(p.magic.load(relaxed)));
    sink.number("version", p.version.load(relaxed));
    sink.number("lifecycle", p.lifecycle.load(relaxed));
    sink.word("instance", hex(p.instance.load(relaxed)));
    sink.number("words_offset", p.words_offset.load(relaxed));
    sink.number("word_count", p.word_count.load(relaxed));
    sink.end();
}

void describe(Sink& sink, const shm::RosterHeader& h) {
    sink.begin("header");
    sink.word("boot_id", hex(h.boot_id[0].load(relaxed)) + hex(h.boot_id[1].load(relaxed)).substr(2));
    sink.number("time_namespace", h.time_namespace.load(relaxed));
    sink.number("pid_namespace", h.pid_namespace.load(relaxed));
    sink.word("stream", hex(h.stream.load(relaxed)));
    sink.number("base_ns", h.base_ns.load(relaxed));
    sink.number("capacity", h.capacity.load(relaxed));
    sink.number("ring_entries", h.ring_entries.load(relaxed));
    sink.number("roster_bytes", h.roster_bytes.load(relaxed));
    sink.number("pulse_bytes", h.pulse_bytes.load(relaxed));
    sink.number("engine_pid", h.engine_pid.load(relaxed));
    sink.number("engine_start_ticks", h.engine_start.load(relaxed));
    sink.number("engine_uid", h.engine_uid.load(relaxed));
    sink.number("engine_ready", h.engine_ready.load(relaxed));
    sink.number("epoch", h.epoch.load(relaxed));
    sink.number("step_ns", h.step_ns.load(relaxed));
    sink.end();
    sink.begin("cursors");
    sink.number("prepared", h.prepared.load(relaxed));
    sink.number("head", shm::head_in(h.selector.load(relaxed)).value);
    sink.number("publication", h.selector.load(relaxed) & 0xFFFF);
    sink.number("high_water", h.high_water.load(relaxed));
    sink.number("blob_extents_used", h.blob_extents_used.load(relaxed));
    sink.number("cards_used", h.cards_used.load(relaxed));
    sink.end();
}

void describe_checkpoint(Sink& sink, const shm::RosterHeader& h) {
    shm::CheckpointValues values;
    if (!shm::load_checkpoint(h, values)) return;
    sink.begin("checkpoint");
    sink.number("list_version", values.list_version);
    sink.number("host_incarnation", values.host_incarnation);
    sink.number("greatest_incarnation", values.greatest_incarnation);
    sink.number("pauses", values.pause_count);
    sink.end();
    sink.begin_list("pauses_in_stamps");
    for (std::uint32_t i = 0; i < values.pause_count; ++i) {
        sink.begin_item();
        sink.number("begin", values.pauses[i].begin.value);
        sink.number("end", values.pauses[i].end.value);
        sink.end_item();
    }
    sink.end_list();
}

void describe_word(Sink& sink, std::int64_t word) {
    sink.word("word", hex(static_cast<std::uint64_t>(word)));
    if (word == shm::free_word) return sink.word("means", "free");
    if (word < 0) return sink.word("means", "damaged");
    sink.number("stamp", shm::stamp_of(word).value);
    sink.number("word_generation", shm::generation_of(word).value);
}

void describe_slots(Sink& sink, const shm::Roster& roster) {
    sink.begin_list("slots");
    for (std::uint32_t i = 0; i < roster.high_water(); ++i) {
        const shm::Record& record = roster.record(Slot{i});
        shm::RecordView view;
        const bool reads = shm::load(record, view);
        sink.begin_item();
        sink.number("slot", i);
        describe_word(sink, roster.word(Slot{i}).load(relaxed));
        sink.word("state", reads ? to_string(view.hot.state) : "unreadable");
        sink.word("reason", to_string(view.hot.reason));
        sink.number("generation", view.hot.generation.value);
        sink.number("lsn", view.hot.lsn.value);
        sink.number("version", record.version.load(relaxed));
        sink.number("word_slot", view.hot.word_slot.value);
        sink.number("blob", view.hot.blob);
        sink.word("hash", hex(record.hash.load(relaxed)).substr(10));
        sink.number("next", record.next.load(relaxed));
        sink.end_item();
    }
    sink.end_list();
}

void describe_cards(Sink& sink, const shm::Roster& roster) {
    const std::uint32_t used = std::min(roster.header().cards_used.load(std::memory_order_acquire), roster.capacity());  // [extent]
    sink.begin_list("cards");
    for (std::uint32_t i = 0; i < used; ++i) {
        const shm::Card& card = roster.card(i);
        sink.begin_item();
        sink.number("card", i);
        sink.number("pid", card.pid.load(relaxed));
        sink.number("start_ticks", card.start.load(relaxed));
        sink.number("alive_ns", card.alive_ns.load(relaxed));
        sink.number("refused", card.refused.load(relaxed));
        sink.number("rejoins", card.rejoins.load(relaxed));
        sink.number("stall_ns", card.stall_ns.load(relaxed));
        sink.end_item();
    }
    sink.end_list();
}

void describe_extents(Sink& sink, const shm::Roster& roster) {
    const std::uint32_t used = std::min(roster.header().blob_extents_used.load(std::memory_order_acquire), roster.geometry().blob_extents);  // [extent]
    sink.begin_list("blob_extents");
    for (std::uint32_t i = 0; i < used; ++i) {
        const std::uint32_t size_class = roster.extent_class(i).load(relaxed);
        sink.begin_item();
        sink.number("extent", i);
        sink.number("blob_bytes", size_class < shm::blob_class_count ? shm::blob_class_bytes[size_class] : 0);
        sink.end_item();
    }
    sink.end_list();
}

void describe(Sink& sink, const shm::Roster& roster) {
    describe(sink, "roster_preamble", roster.preamble());
    describe(sink, "pulse_preamble", roster.pulse_preamble());
    describe(sink, roster.header());
    describe_checkpoint(sink, roster.header());
    describe_extents(sink, roster);
    describe_cards(sink, roster);
    describe_slots(sink, roster);
}

}  // namespace

void print_memory(const Out& out, const shm::Roster& roster) {
    Lines lines(out);
    describe(lines, roster);
}

void write_memory(const Out& out, const shm::Roster& roster) {
    Json json(out);
    describe(json, roster);
}

}  // namespace rollcall::cli
