// What ties an engine to other hosts: shard, transport and registry.
#include <shared_mutex>

#include "engine/engine_impl.hpp"

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
    const bool emits = options.emit_node || parts.shard || parts.transport;
    if (link || (parts.is_empty() && !emits)) return {};
    auto made = engine::Link::make(self, parts, emits, options.endpoint,
                                   {[this] { return detects(); }, [&self] { return self.config().heartbeat; }, options.wall_clock, options.log}, sent);
    if (!made) {
        const std::lock_guard last_step(stepping);  // on another thread, which may have seen that there is a core
        let_go();
        return fail(made.error());
    }
    const std::lock_guard no_step(stepping);
    link = std::move(*made);
    return {};
}

// Has there been a pass within the suspect timeout, and will there be more?
bool Engine::Impl::detects() const {
    const std::shared_lock lock(memory);
    if (!core || (is_threaded() && !running.load(std::memory_order_acquire))) return false;  // [running]
    const auto last = static_cast<std::int64_t>(core->roster().header().step_ns.load(std::memory_order_acquire));  // [step]
    return to_ns(options.clock()) - last <= core->settings().suspect.count();
}

// Not under the memory's lock: the views read once more.
void Engine::Impl::untie() { link.reset(); }

}  // namespace rollcall
