#include "tools/rollcall/top/board.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <sstream>

#include "tools/rollcall/clock_text.hpp"
#include "tools/rollcall/duration.hpp"
#include "tools/rollcall/event_text.hpp"
#include "tools/rollcall/members_table.hpp"
#include "tools/rollcall/printable.hpp"

namespace rollcall::cli::top {

namespace {

constexpr std::size_t most_hosts = 6, most_events = 8, bar_columns = 8;
constexpr std::array<std::string_view, 5> sort_names{"state", "node", "host", "age", "tags"};

std::string lower(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    return out;
}

std::string_view host_of(const Peer& peer, const ClusterInfo& info) { return peer.local ? std::string_view(info.host) : std::string_view(peer.host); }

Duration age_of(const Peer& peer, Instant now) { return peer.last_heartbeat ? now - *peer.last_heartbeat : Duration::max(); }

// How much of the suspect timeout is over: full is a suspicion.
std::string bar(const Peer& peer, const Shown& shown) {
    if (!peer.last_heartbeat || peer.state == State::dead) return std::string(bar_columns, ' ');
    const double part = std::clamp(std::chrono::duration<double>(shown.now - *peer.last_heartbeat) / std::chrono::duration<double>(shown.info.settings.suspect), 0.0, 1.0);
    const auto full = static_cast<std::size_t>(part * bar_columns + 0.5);
    std::string text;
    for (std::size_t i = 0; i < bar_columns; ++i) text += i < full ? "█" : "·";
    return text;
}

// Never by colour alone.
std::string_view glyph_of(State state) { return state == State::alive ? "+ " : state == State::suspect ? "? " : state == State::dead ? "x " : "  "; }

std::string below(const Histogram& h, double part) { return h.total() == 0 ? "-" : "<" + one_word(h.below(part)); }

std::string counted(const std::vector<Peer>& peers, State state) {
    return std::to_string(std::count_if(peers.begin(), peers.end(), [state](const Peer& p) { return p.state == state; })) + " " + std::string(to_string(state));
}

}  // namespace

bool Board::press(const Key& key) {
    using Kind = Key::Kind;
    if (is_typing_) return type(key), true;
    if (shows_help_ || asked_) {
        const bool is_end = key.kind == Kind::character && key.character == 'q' && !asked_ && !shows_help_;
        shows_help_ = false;
        asked_.reset();
        return !is_end;
    }
    switch (key.kind) {
        case Kind::up: selected_ -= selected_ > 0 ? 1 : 0; break;
        case Kind::down: ++selected_; break;
        case Kind::page_up: selected_ -= std::min(selected_, page_); break;
        case Kind::page_down: selected_ += page_; break;
        case Kind::home: selected_ = 0; break;
        case Kind::end: selected_ = count_; break;
        case Kind::enter:
            if (selected_ < rows_.size()) asked_ = rows_[selected_];
            break;
        case Kind::escape: filter_.clear(), state_.reset(); break;
        case Kind::character:
            switch (key.character) {
                case 'q': return false;
                case 's': sort_ = static_cast<Sort>((static_cast<std::size_t>(sort_) + 1) % sort_names.size()); break;
                case 'f': state_ = !state_ ? std::optional(State::alive) : *state_ == State::alive ? std::optional(State::suspect) : *state_ == State::suspect ? std::optional(State::dead) : std::nullopt; break;
                case '/': is_typing_ = true; break;
                case 'h': shows_hosts_ = !shows_hosts_; break;
                case 'e': shows_events_ = !shows_events_; break;
                case '?': shows_help_ = true; break;
                case 'k': selected_ -= selected_ > 0 ? 1 : 0; break;
                case 'j': ++selected_; break;
                default: break;
            }
            break;
        default: break;
    }
    selected_ = std::min(selected_, count_ == 0 ? 0 : count_ - 1);
    return true;
}

void Board::type(const Key& key) {
    using Kind = Key::Kind;
    if (key.kind == Kind::enter) is_typing_ = false;
    if (key.kind == Kind::escape) is_typing_ = false, filter_.clear();
    if (key.kind == Kind::backspace)
        while (!filter_.empty()) {
            const bool is_inner = (static_cast<unsigned char>(filter_.back()) & 0xC0) == 0x80;
            filter_.pop_back();
            if (!is_inner) break;
        }
    if (key.kind != Kind::character || key.character < ' ' || filter_.size() > 60) return;
    const char32_t c = key.character;
    if (c < 0x80) filter_ += static_cast<char>(c);
    else if (c < 0x800) filter_ += {static_cast<char>(0xC0 | c >> 6), static_cast<char>(0x80 | (c & 0x3F))};
    else if (c < 0x10000) filter_ += {static_cast<char>(0xE0 | c >> 12), static_cast<char>(0x80 | (c >> 6 & 0x3F)), static_cast<char>(0x80 | (c & 0x3F))};
}

bool Board::passes(const Peer& peer, const ClusterInfo& info) const {
    if (state_ && peer.state != *state_) return false;
    if (filter_.empty()) return true;
    const std::string all = lower(peer.node + " " + std::string(host_of(peer, info)) + " " + peer.endpoint + " " + tags_text(peer.tags));
    std::istringstream words(lower(filter_));
    for (std::string word; words >> word;)
        if (all.find(word) == std::string::npos) return false;
    return true;
}

std::vector<const Peer*> Board::chosen(const Shown& shown) const {
    std::vector<const Peer*> all;
    for (const Peer& peer : shown.peers)
        if (passes(peer, shown.info)) all.push_back(&peer);
    const auto by = [&](auto key) { std::stable_sort(all.begin(), all.end(), [&](const Peer* a, const Peer* b) { return key(*a) < key(*b); }); };
    by([](const Peer& p) { return std::string_view(p.node); });
    switch (sort_) {
        case Sort::state: by([](const Peer& p) { return p.state == State::suspect ? 0 : p.state == State::dead ? 1 : 2; }); break;  // what needs eyes first
        case Sort::node: break;
        case Sort::host: by([&](const Peer& p) { return host_of(p, shown.info); }); break;
        case Sort::age: by([&](const Peer& p) { return -age_of(p, shown.now); }); break;
        case Sort::tags: by([](const Peer& p) { return tags_text(p.tags); }); break;
    }
    return all;
}

void Board::keep_in_view(std::size_t count, std::size_t room) {
    count_ = count;
    page_ = std::max<std::size_t>(1, room);
    selected_ = std::min(selected_, count == 0 ? 0 : count - 1);
    first_ = std::min(first_, selected_);
    if (selected_ >= first_ + page_) first_ = selected_ - page_ + 1;
    first_ = std::min(first_, count > page_ ? count - page_ : 0);
}

void Board::add_head(Frame& frame, const Shown& shown) const {
    const ClusterInfo& info = shown.info;
    const bool is_late = info.running && shown.now - info.last_step > info.settings.suspect;
    Line title;
    title.add("rollcall ", Colour::strong).add(printable(info.cluster) + "  ");
    const std::string engine = printable(engine_text(info, shown.now, shown.is_copy));
    title.add(shown.is_gone ? "The memory is gone; this is what it held" : engine, shown.is_gone || !info.running || is_late ? Colour::bad : Colour::good);
    frame.push_back(title);

    Line counts;
    counts.add(std::to_string(shown.peers.size()) + (shown.peers.size() == 1 ? " member: " : " members: "));
    counts.add(counted(shown.peers, State::alive), Colour::good).add("  ").add(counted(shown.peers, State::suspect), Colour::doubtful).add("  ").add(counted(shown.peers, State::dead), Colour::bad);
    counts.add("   view " + std::to_string(info.view) + "   " + std::to_string(shown.hosts.size()) + (shown.hosts.size() == 1 ? " other host" : " other hosts"));
    frame.push_back(counts);

    Line health;
    health.add("look 99% " + below(info.step_time, 0.99) + "   late 99% " + below(info.lateness, 0.99) + "   inbox " + std::to_string(info.inbox) + "   ring " + std::to_string(std::min<std::uint64_t>(info.head.value, info.ring)) +
                   "/" + std::to_string(info.ring) + "   event " + std::to_string(info.head.value) + "   pauses " + std::to_string(info.counters.pauses),
               Colour::faint);
    frame.push_back(health);
}

Line Board::row(const Peer& peer, const Shown& shown, std::size_t columns) const {
    Line line;
    line.add(std::string(glyph_of(peer.state)) + fitted(to_string(peer.state), 8), colour_of(peer.state));
    const std::size_t node_columns = columns >= 100 ? 28 : 20;
    line.add(fitted(printable(peer.node), node_columns) + " ");
    line.add(bar(peer, shown), colour_of(peer.state));
    line.add(" " + fitted(peer.last_heartbeat ? one_word(shown.now - *peer.last_heartbeat) : "-", 7));
    line.add(" " + fitted(to_string(peer.reason), 13), Colour::faint);
    line.add(" " + fitted(peer.local ? "here" : printable(peer.host), columns >= 100 ? 16 : 10));
    line.add(" " + printable(tags_text(peer.tags)), Colour::faint);
    return line;
}

void Board::add_members(Frame& frame, const Shown& shown, std::size_t columns, std::size_t room) {
    Line head;
    head.add("  " + fitted("STATE", 8) + fitted("NODE", columns >= 100 ? 28 : 20) + " " + fitted("SILENCE", bar_columns + 8) + " " + fitted("REASON", 13) + " " + fitted("HOST", columns >= 100 ? 16 : 10) + " TAGS", Colour::strong);
    frame.push_back(head);
    const auto peers = chosen(shown);
    keep_in_view(peers.size(), room - 1);
    rows_.clear();
    for (const Peer* peer : peers) rows_.push_back(peer->node);
    for (std::size_t i = first_; i < peers.size() && i < first_ + page_; ++i) {
        frame.push_back(row(*peers[i], shown, columns));
        frame.back().is_selected = i == selected_;
    }
    for (std::size_t i = peers.size() < first_ ? 0 : peers.size() - first_; i < page_; ++i) frame.push_back(i == 0 && peers.empty() ? Line{}.add(shown.peers.empty() ? "  Nobody is here." : "  Nobody passes the filter.", Colour::faint) : Line{});
}

void Board::add_hosts(Frame& frame, const Shown& shown, std::size_t room) const {
    if (room < 2) return;
    frame.push_back(Line{}.add("  " + fitted("HOST", 20) + fitted("STATE", 10) + fitted("HEARD", 9) + fitted("MEMBERS", 9) + fitted("LOSS", 6) + fitted("TRIP", 9) + "ADDRESS", Colour::strong));
    for (std::size_t i = 0; i + 1 < room && i < shown.hosts.size(); ++i) {
        const Host& h = shown.hosts[i];
        char loss[16];
        std::snprintf(loss, sizeof loss, "%.0f%%", h.loss * 100);
        Line line;
        line.add(glyph_of(h.state), colour_of(h.state)).add(fitted(printable(h.name), 20)).add(fitted(to_string(h.state), 10), colour_of(h.state));
        line.add(fitted(one_word(shown.now - h.last_heard), 9) + fitted(std::to_string(h.alive) + "/" + std::to_string(h.members), 9) + fitted(loss, 6) + fitted(h.round_trip ? one_word(*h.round_trip) : "-", 9));
        line.add(printable(h.transport + ":" + h.address), Colour::faint);
        frame.push_back(line);
    }
}

void Board::add_events(Frame& frame, const Shown& shown, std::size_t room) const {
    if (room < 2) return;
    frame.push_back(Line{}.add("EVENTS", Colour::strong));
    const std::size_t count = std::min(room - 1, shown.events.size());
    for (std::size_t i = shown.events.size() - count; i < shown.events.size(); ++i) {
        const Event& e = shown.events[i];
        Line line;
        line.add((e.wall_us > 0 ? local_time(e.wall_us).substr(0, 8) : std::string(8, ' ')) + " ", Colour::faint).add(fitted(to_string(e.kind), 10), colour_of(e.kind));
        line.add(fitted(is_of_nobody(e.kind) ? "-" : printable(e.node()), 16) + " " + event_detail(e));
        frame.push_back(line);
    }
    for (std::size_t i = count; i + 1 < room; ++i) frame.push_back({});
}

Line Board::foot() const {
    Line line;
    if (is_typing_) return line.add("filter: " + printable(filter_) + "_  (Enter keeps it, Esc clears it)", Colour::strong);
    line.add("q quit  s sort:" + std::string(sort_names[static_cast<std::size_t>(sort_)]) + "  f:" + (state_ ? std::string(to_string(*state_)) : "all") + "  / filter" + (filter_.empty() ? "" : ":" + printable(filter_)) +
                 "  Enter why  h hosts  e events  ? help",
             Colour::faint);
    return line;
}

Frame Board::draw(const Shown& shown, std::size_t columns, std::size_t lines) {
    columns = std::max<std::size_t>(columns, 20);
    lines = std::max<std::size_t>(lines, 6);
    Frame frame;
    add_head(frame, shown);
    std::size_t left = lines - frame.size() - 1;
    std::vector<std::string> texts;
    if (shows_help_)
        texts = {"q  quit", "s  sort by state (suspect and dead first), node, host, age of the last beat, tags", "f  only alive, only suspect, only dead, all", "/  filter: words that node, host, endpoint or tags must have", "Enter  why: the evidence of the selected member",
                 "h  show or hide the hosts    e  the events", "arrows, j k, PgUp PgDn, Home End  move", "The bar is the part of the suspect timeout that is over since the last beat.", "Any key goes back."};
    if (asked_) {
        std::istringstream sentences(shown.explanation);
        for (std::string sentence; std::getline(sentences, sentence);) texts.push_back(printable(sentence));
        texts.insert(texts.end(), {"", "Any key goes back."});
    }
    if (!texts.empty()) {
        for (std::size_t i = 0; i < left; ++i) frame.push_back(i < texts.size() ? Line{}.add(texts[i]) : Line{});
    } else {
        const std::size_t hosts = shows_hosts_ && !shown.hosts.empty() && left > 10 ? std::min({shown.hosts.size() + 1, most_hosts, left / 4}) : 0;
        const std::size_t events = shows_events_ && left > 10 ? std::min(most_events, left / 3) : 0;
        add_members(frame, shown, columns, left - hosts - events);
        add_hosts(frame, shown, hosts);
        add_events(frame, shown, events);
    }
    frame.resize(lines - 1);
    frame.push_back(foot());
    for (Line& line : frame) line = fitted(line, columns);
    return frame;
}

}  // namespace rollcall::cli::top
