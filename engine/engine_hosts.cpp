// What ties an engine to other hosts: shard, transport and registry.
#include <shared_mutex>

#include "engine/client/present.hpp"
#include "engine/client/traffic.hpp"
#include "engine/engine_impl.hpp"
#include "engine/hosts/listening.hpp"

namespace rollcall {

template <class Part>
Result<void> Engine::Impl::set_part(std::shared_ptr<Part> engine::LinkParts::*part, std::shared_ptr<Part> value) {
    const std::lock_guard lock(lifecycle);
    if (core) return fail(ErrorKind::invalid, "shard, transport and registry are set before the engine is opened");
    parts.*part = std::move(value);
    return {};
}

Result<void> Engine::set_shard(std::shared_ptr<Shard> shard) { return impl_->set_part(&engine::LinkParts::shard, std::move(shard)); }
Result<void> Engine::set_transport(std::shared_ptr<Transport> transport) { return impl_->set_part(&engine::LinkParts::transport, std::move(transport)); }
Result<void> Engine::set_peer_registry(std::shared_ptr<PeerRegistry> registry) { return impl_->set_part(&engine::LinkParts::registry, std::move(registry)); }

// An engine that cannot be tied to what it was given is not opened.
Result<void> Engine::Impl::tie(Engine& self) {
    const bool has_hosts = !options.emit_node && (parts.shard || parts.transport);
    if (link || (parts.is_empty() && !options.emit_node)) return {};
    auto made = engine::Link::make(self, parts);
    if (!made) {
        const std::lock_guard last_step(stepping);  // on another thread, which may have seen that there is a core
        let_go();
        return fail(made.error());
    }
    if (options.emit_node) (*made)->emit_node(options.endpoint, {[this] { return detects(); }, [&self] { return self.config().heartbeat; }, options.wall_clock, options.log, [this] { note_traffic({}); }}, sent);
    if (has_hosts) {
        shm::CheckpointValues values;
        if (!shm::load_checkpoint(core->roster().header(), values)) return fail(ErrorKind::damaged, "the checkpoint does not read");
        (*made)->join_hosts({options.cluster, options.host, Incarnation{values.host_incarnation}, core->roster().header().epoch.load(std::memory_order_relaxed)}, options.endpoint, host_hooks(self), core->roster().capacity(), sent);
    }
    const std::lock_guard no_step(stepping);
    if (has_hosts) core->listen(engine::listening_of(parts.transport));
    link = std::move(*made);
    return {};
}

// What other hosts' messages come to: requests for the detector, and beats of the words that judge them.
engine::HostLink::Hooks Engine::Impl::host_hooks(Engine& self) {
    engine::HostLink::Hooks hooks;
    hooks.neighbourhood.settings = [&self] { return self.config(); };
    hooks.neighbourhood.speaks = [this] { return detects(); };
    hooks.neighbourhood.put = [this](engine::Request request) { return inbox.put(std::move(request)); };
    hooks.neighbourhood.beat = [this](const engine::HostWords& words, bool agrees, Instant at, const engine::PathQuality& quality) { return beat(words, agrees, at, quality); };
    hooks.neighbourhood.log = options.log;
    hooks.neighbourhood.ways = engine::ways_of(parts.transport);
    hooks.neighbourhood.nonce = [] { return shm::random_bits(); };
    hooks.read = [this](const std::function<void(const shm::Roster&, Incarnation)>& with) {
        const std::shared_lock lock(memory);
        shm::CheckpointValues values;
        if (core && shm::load_checkpoint(core->roster().header(), values)) with(core->roster(), Incarnation{values.host_incarnation});
    };
    hooks.note = [this](const HostTraffic& traffic) { note_traffic(traffic); };
    return hooks;
}

// For whoever looks at the memory.
void Engine::Impl::note_traffic(const HostTraffic& hosts) {
    Traffic traffic{{}, hosts, sent.load(std::memory_order_relaxed), received.load(std::memory_order_relaxed)};  // relaxed: statistics
    if (parts.transport)
        for (const Transport* part : parts.transport->parts()) traffic.transports.emplace_back(part->name(), part->statistics());
    const std::shared_lock lock(memory);
    if (core) store_traffic(core->writable().header(), traffic);
}

bool Engine::Impl::beat(const engine::HostWords& words, bool agrees, Instant at, const engine::PathQuality& quality) {
    received.fetch_add(1, std::memory_order_relaxed);  // relaxed: a statistic
    const std::shared_lock lock(memory);
    if (!core || core->roster().header().stream.load(std::memory_order_relaxed) != words.stream) return false;  // relaxed: written before anybody looked
    shm::Roster& roster = core->writable();
    const Stamp stamp = to_stamp(at, roster.base_ns());
    if (quality.beats % 8 == 1 && words.card < roster.header().cards_used.load(std::memory_order_acquire)) {  // [extent]; a line of its own, for show only
        constexpr auto relaxed = std::memory_order_relaxed;  // for show
        roster.card(words.card).loss_ppm.store(static_cast<std::uint64_t>(quality.loss * 1e6), relaxed);
        roster.card(words.card).round_trip_ns.store(static_cast<std::uint64_t>(quality.round_trip.value_or(Duration{}).count()), relaxed);
    }
    if (shm::beat(roster.word(words.host), stamp, words.host_generation) == shm::WordBeat::foreign) return false;
    return !agrees || shm::beat(roster.word(words.word), stamp, words.word_generation) != shm::WordBeat::foreign;
}

std::vector<Host> Engine::hosts() const {
    const std::shared_lock lock(impl_->memory);
    if (!impl_->core) return {};
    return snapshot_hosts(impl_->core->roster()).value_or(std::vector<Host>{});
}

// Has there been a pass within the suspect timeout, and will there be more?
bool Engine::Impl::detects() const {
    const std::shared_lock lock(memory);
    if (!core || (is_threaded() && !running.load(std::memory_order_acquire))) return false;  // [running]
    const auto last = static_cast<std::int64_t>(core->roster().header().step_ns.load(std::memory_order_acquire));  // [step]
    return to_ns(options.clock()) - last <= static_cast<std::int64_t>(shm::load_suspect_ns(core->roster().header()));
}

// Not under the memory's lock: the views read once more.
void Engine::Impl::untie() { link.reset(); }

}  // namespace rollcall
