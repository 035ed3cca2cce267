// What `rollcall top` shows, and what its keys do: everything but the terminal.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "engine/client/observer.hpp"
#include "tools/rollcall/top/frame.hpp"

namespace rollcall::cli::top {

// The membership at one moment.
struct Shown {
    ClusterInfo info;
    std::vector<Peer> peers;
    std::vector<Host> hosts;
    std::deque<Event> events;  // the newest last
    Instant now{};
    bool is_copy = false, is_gone = false;  // nothing will happen there; there is no memory just now
    std::string explanation;  // of the member that was asked about, in sentences
};

// A key, as the terminal tells it.
struct Key {
    enum class Kind { character, up, down, page_up, page_down, home, end, enter, backspace, escape, other } kind = Kind::other;
    char32_t character = 0;
};

enum class Sort { state, node, host, age, tags };

class Board {
public:
    // False: that is the end.
    bool press(const Key& key);
    // So many lines of so many columns; at least 20 columns and 6 lines are used.
    Frame draw(const Shown& shown, std::size_t columns, std::size_t lines);

    // Whose evidence is wanted.
    const std::optional<std::string>& asked() const noexcept { return asked_; }

private:
    void type(const Key& key);
    bool passes(const Peer& peer, const ClusterInfo& info) const;
    std::vector<const Peer*> chosen(const Shown& shown) const;
    void keep_in_view(std::size_t count, std::size_t room);
    Line row(const Peer& peer, const Shown& shown, std::size_t columns) const;
    void add_head(Frame& frame, const Shown& shown) const;
    void add_members(Frame& frame, const Shown& shown, std::size_t columns, std::size_t room);
    void add_hosts(Frame& frame, const Shown& shown, std::size_t room) const;
    void add_events(Frame& frame, const Shown& shown, std::size_t room) const;
    Line foot() const;

    Sort sort_ = Sort::state;
    std::optional<State> state_;        // only those
    std::string filter_;                // every word of it
    bool is_typing_ = false, shows_hosts_ = true, shows_events_ = true, shows_help_ = false;
    std::size_t selected_ = 0, first_ = 0, page_ = 1, count_ = 0;
    std::vector<std::string> rows_;     // nodes as they were shown last
    std::optional<std::string> asked_;
};

}  // namespace rollcall::cli::top
