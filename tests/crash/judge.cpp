#include "tests/crash/judge.hpp"

#include <algorithm>

#include "engine/client/beating.hpp"
#include "shm/index.hpp"
#include "shm/verify.hpp"
#include "shm/word.hpp"

// A reader of a half-applied commit gives a living engine time to publish, by yielding. No engine lives here, and on a busy core each of the
// thousands of yields would last somebody else's time slice.
extern "C" int sched_yield() noexcept { return 0; }

namespace rollcall::test {

using namespace std::chrono_literals;
using engine::Core;

namespace {

std::string first_of(const shm::Verification& v) {
    if (!v.broken.empty()) return v.broken.front();
    return v.is_settled ? "" : "it does not hold still";
}

std::string number(std::uint64_t n) { return std::to_string(n); }

const shm::HostIdentity& this_host() {
    static const shm::HostIdentity host = shm::HostIdentity::current();
    return host;
}

// The first line that is not in both.
std::string first_difference(const std::string& is, const std::string& must) {
    const auto at = std::mismatch(is.begin(), is.end(), must.begin(), must.end());
    const auto line_at = [](const std::string& text, std::size_t place) {
        const std::size_t begin = place == 0 ? 0 : text.rfind('\n', place - 1) + 1;
        return text.substr(begin, text.find('\n', place) - begin);
    };
    const auto place = static_cast<std::size_t>(at.first - is.begin());
    return "\n    is   " + line_at(is, place) + "\n    must " + line_at(must, place);
}

}  // namespace

Judge::Judge(std::string dir, const Spans& spans, const Truth& truth, const JudgeOptions& options)
    : dir_(std::move(dir)), spans_(spans), truth_(truth), options_(options), files_(dir_) {}

std::string Judge::fault_of(const Image& image) {
    const auto in = [](const char* what, const std::string& fault) { return fault.empty() ? "" : std::string(what) + ": " + fault; };
    image.put_into(files_, spans_);
    std::string fault = in("verify", verified());
    if (fault.empty()) fault = in("observer", observed());
    if (fault.empty()) fault = in("find", found());
    if (fault.empty()) fault = in("checkpoint", numbers_fault());
    if (fault.empty()) fault = in("adoption", adopted());
    if (fault.empty()) fault = in("the engine after it", continued());
    image.put_into(files_, spans_);
    if (fault.empty()) fault = in("beats", beaten());
    return fault;
}

std::string Judge::verified() const { return first_of(shm::verify(files_.roster(), now_stamp())); }

// Attaches as any observer does. What it reads is what was published, or what a successor will publish first.
std::string Judge::observed() const {
    auto segment = shm::Segment::attach(shm::Paths::of(dir_, "test"), shm::Access::observer, this_host());
    if (!segment) return segment.error().message;
    shm::Image image;
    if (shm::take_snapshot(segment->roster(), image) == shm::Snapshot::busy) return "it gets no snapshot";
    const Truth::Position* position = truth_.at(image.at);
    if (position == nullptr) return "its snapshot is of " + number(image.at.value) + ", where nothing was published";
    const std::string is = truth_.slots(image), which = "its snapshot at " + number(image.at.value);
    if (is != position->slots) return which + first_difference(is, position->slots);
    if (image.view != position->view) return which + " has view " + number(image.view);
    return events_fault(segment->roster());
}

std::string Judge::found() const {
    for (const std::string& node : truth_.nodes()) {
        shm::FoundRecord record;
        switch (shm::find(files_.roster(), shm::Name::of(node), record)) {
            case shm::Lookup::busy: return node + " keeps the lookup busy";
            case shm::Lookup::absent:
                if (truth_.is_always_there(node)) return node + " is said to be absent";
                break;
            case shm::Lookup::found:
                if (record.record.name.view() != node) return node + " is found as " + std::string(record.record.name.view());
                if (!truth_.knows_hot(node, shm::encode(record.record.hot))) return node + " is found as it never was";
                break;
        }
    }
    return "";
}

std::string Judge::numbers_fault() const {
    shm::CheckpointValues values;
    if (!shm::load_checkpoint(files_.roster().header(), values)) return "it does not read";
    const Truth::Position* position = truth_.at(values.head);
    if (position == nullptr) return "head is " + number(values.head.value) + ", where nothing was published";
    const std::string is = numbers_text(values);
    if (!position->numbers.contains(is)) return is + "at " + number(values.head.value) + " must be " + *position->numbers.begin();
    return truth_.knows_eventless(eventless_text(values)) ? "" : eventless_text(values) + " was never published";
}

// The ring still holds everything but the oldest quarter, which may be overwritten by what is being prepared.
std::string Judge::events_fault(const shm::Roster& roster) const {
    const Sequence head = shm::load_head(roster.header());
    const std::uint64_t kept = std::uint64_t{roster.geometry().ring_entries} * 3 / 4;
    for (Sequence s{head.value > kept ? head.value - kept + 1 : 1}; s <= head; s = s + 1) {
        shm::StoredEvent event;
        const std::string* must = truth_.event(s);
        if (must == nullptr) continue;  // what the next engine added
        if (!shm::load_entry(roster.entry(s), s, event)) return "event " + number(s.value) + " is gone";
        if (const std::string is = event_text(event); is != *must) return "event " + number(s.value) + first_difference(is, *must);
    }
    return "";
}

// A word that was its owner's stays as it was; nobody's is free; each living peer has its own.
std::string Judge::words_fault(const shm::Roster& roster) const {
    for (std::uint32_t i = 0; i < roster.high_water(); ++i) {
        const shm::Hot hot = shm::own_hot(roster.record(Slot{i}));
        const std::int64_t word = roster.word(Slot{i}).load(std::memory_order_acquire);  // [beat]
        const bool lives = hot.state == State::alive || hot.state == State::suspect;
        const bool was_its_own = words_[i] >= 0 && shm::generation_of(words_[i]) == hot.generation;
        if (hot.state == State::none && word != shm::free_word) return "slot " + number(i) + " is free, its word is not";
        if (lives && shm::generation_of(word) != hot.generation) return "slot " + number(i) + " has lost its word";
        if (lives && was_its_own && word != words_[i]) return "the last beat of slot " + number(i) + " is lost";
    }
    return "";
}

std::string Judge::position_fault(const shm::Roster& roster, Sequence wanted) const {
    const shm::CheckpointValues values = checkpoint_of(roster);
    if (values.head != wanted) return "it is at " + number(values.head.value) + ", not at " + number(wanted.value);
    const Truth::Position* position = truth_.at(wanted);
    if (position == nullptr) return "nothing was published at " + number(wanted.value);
    if (const std::string is = truth_.slots(exact_image(roster)); is != position->slots) return "membership" + first_difference(is, position->slots);
    if (const std::string is = numbers_text(values); !position->numbers.contains(is)) return is + "must be " + *position->numbers.begin();
    if (!truth_.knows_eventless(eventless_text(values))) return eventless_text(values) + "was never published";
    if (const std::string fault = words_fault(roster); !fault.empty()) return fault;
    if (const std::string fault = events_fault(roster); !fault.empty()) return fault;
    return first_of(shm::verify(roster, now_stamp()));
}

// A new engine opens the folder, and dies at once.
std::string Judge::adopted() {
    words_.clear();
    for (std::uint32_t i = 0; i < files_.roster().capacity(); ++i) words_.push_back(files_.roster().word(Slot{i}).load());
    const Sequence prepared{files_.roster().header().prepared.load()};
    const auto epoch = files_.roster().header().epoch.load();
    auto opened = Core::open({"test", "engine", "here", dir_, options_.settings, 0, 0, {}}, options_.now, wall_origin_us);
    if (!opened) return opened.error().message;
    if (!(*opened)->has_adopted()) return "it was replaced: " + (*opened)->why_replaced();
    if (const auto next = (*opened)->roster().header().epoch.load(); next <= epoch) return "the epoch does not grow: " + number(next);
    return position_fault((*opened)->roster(), prepared);
}

// Another one finds the same, and goes on with the same numbers. Then everybody leaves, and there is room for as many again.
std::string Judge::continued() {
    const Sequence head = shm::load_head(files_.roster().header());
    {
        auto opened = Core::open({"test", "engine", "here", dir_, options_.settings, 0, 0, {}}, options_.now, wall_origin_us);
        if (!opened) return opened.error().message;
        if (const std::string fault = position_fault((*opened)->roster(), head); !fault.empty()) return fault;
    }
    TimedCore next({options_.settings, options_.capacity, options_.ring, dir_, options_.now});
    Sequence last = head;
    const auto expect_unbroken = [&] {
        for (const Event& event : next.take_events()) last = event.sequence == last + 1 ? event.sequence : Sequence{};
        return last.value != 0;
    };
    if (!expect_unbroken()) return "there is a hole in the sequence";
    if (options_.fills_up)
        for (const Peer& peer : next.peers()) next.leave(peer.node);
    if (!expect_unbroken()) return "there is a hole in the sequence";
    next.advance(10ms);
    for (std::uint32_t i = 0; i < (options_.fills_up ? options_.capacity : options_.room); ++i)
        if (const auto answer = next.join("fresh-" + number(i)); answer.error) return "a slot or a blob is lost: " + answer.error->message;
    if (!expect_unbroken()) return "there is a hole in the sequence";
    return first_of(shm::verify(next.roster(), next.now_stamp()));
}

// What the member itself does. It ends by being called; what it answers must be true.
std::string Judge::beat_of(const Life& life, const std::shared_ptr<shm::Segment>& segment, std::vector<std::string>& must_stay) {
    BeatingPage page;
    page.enter(segment, life.slot, life.generation, life.incarnation, life.token, life.name, shm::no_index);
    const Beat beat = page.beat(options_.now);
    const std::string who(life.name.view());
    const bool may_end = !life.stays && (beat.kind == Beat::evicted || beat.kind == Beat::replaced);
    if (!beat.counted() && !may_end) return who + " is told '" + std::string(to_string(beat.kind)) + "'";
    if (beat.counted() && (life.stays || life.ends_by_silence)) must_stay.push_back(who);
    return "";
}

// The members beat before the next engine comes, on a mapping of their own.
std::string Judge::beaten() {
    auto attached = shm::Segment::attach(shm::Paths::of(dir_, "test"), shm::Access::producer, this_host());
    if (!attached) return attached.error().message;
    const auto segment = std::make_shared<shm::Segment>(std::move(*attached));
    std::vector<std::string> must_stay;
    for (const Life& life : truth_.lives())
        if (std::string fault = beat_of(life, segment, must_stay); !fault.empty()) return fault;
    if (std::string fault = adopted(); !fault.empty()) return fault;
    for (const std::string& node : must_stay) {
        shm::FoundRecord record;
        const auto outcome = shm::find(files_.roster(), shm::Name::of(node), record);
        if (outcome != shm::Lookup::found) return node + " was told that its beat counts, and is gone";
    }
    return "";
}

}  // namespace rollcall::test
