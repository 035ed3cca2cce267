// By what an engine speaks to other hosts: the flags and keys of `rollcall run` that say so, and what they come to.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/transports/nats.hpp"
#include "engine/transports/udp.hpp"
#include "tools/rollcall/command.hpp"

namespace rollcall::cli {

// As flags or a file say it.
struct TransportChoice {
    std::vector<std::string> udp, seeds;
    std::optional<std::string> multicast, nats, nats_creds, nats_ca, nats_cert, nats_key, keys;
    bool insecure = false, accept_plain = false;

    friend bool operator==(const TransportChoice&, const TransportChoice&) = default;
};

void declare_transports(OptionSet& set, TransportChoice& choice);
// What is said by `above` wins.
TransportChoice layered(const TransportChoice& below, const TransportChoice& above);

struct TransportPlan {
    std::vector<UdpOptions> udp;
    std::optional<NatsOptions> nats;
    std::shared_ptr<KeyRing> keys;  // none: nothing is signed

    bool is_empty() const noexcept { return udp.empty() && !nats; }
};
// Fails with invalid: flags that do not belong together, keys that do not read; with system: a file that cannot be read.
Result<TransportPlan> plan_transports(const TransportChoice& choice);
// Nothing if the plan is empty. What it is bound to is logged. Fails as the transports do.
Result<std::shared_ptr<Transport>> open_transports(const TransportPlan& plan);
// What differs and needs a restart, by the names of the flags.
std::vector<std::string> differences(const TransportChoice& now, const TransportChoice& wanted);

}  // namespace rollcall::cli
