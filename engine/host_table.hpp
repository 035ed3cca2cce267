// The other hosts and whose members are whose, beside the shared memory.
//
// A host takes two slots. Its record's own word, H, moves with every message that is accepted from it and judges the host. The second slot has no record: its
// word, M, moves only while what is known of the host's members is what the host says of them, and judges the members: a death that got lost on the way must
// not keep a phantom alive. Members have no word of their own; their records name M.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <unordered_map>

#include "engine/judgement.hpp"
#include "shm/name.hpp"
#include "shm/terms.hpp"
#include "shm/units.hpp"

namespace rollcall::engine {

// What a host says of one of its members.
struct Said {
    State state = State::alive;
    Reason reason = Reason::join;
    std::optional<ExitStatus> status;
};

struct RemoteHost {
    shm::Name name;
    Slot host = no_slot, word = no_slot;  // of H; of M
    Generation word_generation{};
    std::set<std::uint32_t> members;      // slots
    std::set<std::uint32_t> carried_over;  // of these: from before its present life, or this engine's, and not heard of since
    Announced heard = Announced::alive;   // what M's silence says: alive, suspect, dead_silent
    bool is_gone = false;                 // the host is, and its members are about to follow
    bool said_goodbye = false;            // so they left; else they are evicted
    std::uint32_t card = shm::no_index;   // what its receivers say of the way to it
    Duration interval{};                  // between its beats; three of them are no silence
    std::uint32_t ways = 0;               // by which it is heard, as receivers.hpp numbers them; 0: not known since this engine began
    bool is_orphaned = false;             // none of them listens, and this was told
    std::set<std::uint32_t> duplicates;   // slots of members of this host for whom it speaks too, and this was told
    std::uint32_t cursor = 0;             // members below this slot were already brought to what is known now
    bool is_settled = true;               // so were all others
    std::function<void()> displaced;      // to be called when somebody else takes the place of one of its members
};

// One thread. Bounded by the slots there are.
class HostTable {
public:
    RemoteHost& add(const shm::Name& name, Slot host, Slot word, Generation word_generation) {
        auto& made = by_word_[word.value] = std::make_unique<RemoteHost>();
        made->name = name;
        made->host = host;
        made->word = word;
        made->word_generation = word_generation;
        by_host_[host.value] = made.get();
        return *made;
    }
    // The host's record is another's from now on; its members and their word stay until the last of them is gone.
    void lose_record(RemoteHost& host) {
        by_host_.erase(host.host.value);
        host.host = no_slot;
        host.is_gone = true;
        unsettle(host);
    }
    // Of a host whose record is lost, or was never found.
    RemoteHost& add_gone(Slot word) {
        RemoteHost& made = add({}, no_slot, word, {});
        lose_record(made);
        return made;
    }
    void remove(const RemoteHost& host) noexcept {
        by_host_.erase(host.host.value);
        restless_.erase(host.word.value);
        by_word_.erase(host.word.value);
    }

    // All its members are looked at again.
    void unsettle(RemoteHost& host) {
        host.cursor = 0;
        host.is_settled = false;
        restless_.insert(host.word.value);
    }
    void settle(RemoteHost& host) noexcept {
        host.is_settled = true;
        restless_.erase(host.word.value);
    }
    // By their words: a host that is gone ends with its last member.
    const std::set<std::uint32_t>& restless() const noexcept { return restless_; }

    bool is_empty() const noexcept { return by_word_.empty(); }
    std::size_t records() const noexcept { return by_host_.size(); }
    // Slots that others hold: two a host, until the last of its members is gone, and one a member.
    std::size_t slots() const noexcept { return 2 * by_word_.size() + said_.size(); }
    RemoteHost* of_record(Slot host) const noexcept { return find(by_host_, host); }
    RemoteHost* of_word(Slot word) const noexcept {
        const auto at = by_word_.find(word.value);
        return at == by_word_.end() ? nullptr : at->second.get();
    }

    // The first host whose word this is, or one behind it.
    RemoteHost* from_word(Slot word) const noexcept {
        const auto at = by_word_.lower_bound(word.value);
        return at == by_word_.end() ? nullptr : at->second.get();
    }

    void add_member(RemoteHost& host, Slot member, const Said& said) {
        host.members.insert(member.value);
        said_[member.value] = said;
    }
    void remove_member(RemoteHost& host, Slot member) noexcept {
        host.members.erase(member.value);
        host.carried_over.erase(member.value);
        said_.erase(member.value);
    }
    Said& said(Slot member) { return said_[member.value]; }

    // In the order of their words, so that what happens follows from what is in the memory.
    template <class Visit>
    void each(Visit visit) const {
        for (const auto& [word, host] : by_word_)
            if (!visit(*host)) return;
    }

private:
    template <class Map>
    static RemoteHost* find(const Map& map, Slot slot) noexcept {
        const auto at = map.find(slot.value);
        return at == map.end() ? nullptr : at->second;
    }
    std::map<std::uint32_t, std::unique_ptr<RemoteHost>> by_word_;
    std::unordered_map<std::uint32_t, RemoteHost*> by_host_;
    std::unordered_map<std::uint32_t, Said> said_;
    std::set<std::uint32_t> restless_;
};

}  // namespace rollcall::engine
