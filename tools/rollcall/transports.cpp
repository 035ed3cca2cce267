#include "tools/rollcall/transports.hpp"

#include <algorithm>
#include <utility>

#include "engine/transports/combined.hpp"
#include "tools/rollcall/key_file.hpp"
#include "tools/rollcall/report.hpp"

namespace rollcall::cli {

namespace {

void warn(const std::string& line) { log(LogLevel::warning, line); }
void inform(const std::string& line) { log(LogLevel::info, line); }

std::vector<std::string> split(const std::string& list) {
    std::vector<std::string> parts;
    for (std::size_t begin = 0; begin <= list.size();) {
        const std::size_t end = std::min(list.find(',', begin), list.size());
        parts.push_back(list.substr(begin, end - begin));
        begin = end + 1;
    }
    return parts;
}

// Flags that say something only beside another one.
Result<void> check(const TransportChoice& c) {
    const bool has_udp = !c.udp.empty(), has_nats = c.nats.has_value();
    if (!has_udp && (!c.seeds.empty() || c.insecure || c.multicast)) return fail(ErrorKind::invalid, "--seed, --multicast and --insecure belong to --udp ADDR:PORT");
    const bool has_ipv4 = std::any_of(c.udp.begin(), c.udp.end(), [](const std::string& at) { return !at.starts_with('['); });
    if (c.multicast && !has_ipv4) return fail(ErrorKind::invalid, "--multicast goes by IPv4: IPv6 goes by seeds");
    if (!has_nats && (c.nats_creds || c.nats_ca || c.nats_cert || c.nats_key)) return fail(ErrorKind::invalid, "--nats-creds, --nats-ca, --nats-cert and --nats-key belong to --nats URL");
    if (c.nats_cert.has_value() != c.nats_key.has_value()) return fail(ErrorKind::invalid, "--nats-cert and --nats-key belong together");
    if (!has_udp && !has_nats && c.keys) return fail(ErrorKind::invalid, "--keys belongs to --udp ADDR:PORT or --nats URL");
    if (c.accept_plain && !c.keys) return fail(ErrorKind::invalid, "--accept-plain belongs to --keys FILE: without keys everything is plain");
    return {};
}

#ifdef ROLLCALL_HAS_NATS
Result<std::shared_ptr<Transport>> open_nats(const NatsOptions& options) {
    auto opened = NatsTransport::open(options);
    return opened ? Result<std::shared_ptr<Transport>>(std::move(*opened)) : fail(opened.error());
}
#else
Result<std::shared_ptr<Transport>> open_nats(const NatsOptions&) { return fail(ErrorKind::invalid, "--nats: this build has no NATS, which needs libnats where it is built"); }
#endif

void tell_of_keys(const TransportPlan& plan) {
    if (!plan.keys) return warn("nothing is signed: whoever reaches this network can speak for any host (--keys FILE)");
    inform("messages of hosts are signed by key " + std::to_string(plan.keys->signer()) + (plan.keys->accepts_plain() ? "; heartbeats of single nodes may come unsigned" : ""));
}

}  // namespace

void declare_transports(OptionSet& set, TransportChoice& choice) {
    set.texts("--udp", "ADDR:PORT", "hear other hosts, and be heard, over UDP here; one of IPv4 and one of IPv6, [ADDR]:PORT", choice.udp);
    set.texts("--seed", "HOST:PORT", "with --udp: another host to speak to; once for each", choice.seeds);
    set.text("--multicast", "GROUP:PORT", "with --udp: speak to this group, and hear it, beside the seeds", choice.multicast);
    set.flag("--insecure", "with --udp: may be reached from other machines, though nothing is signed", choice.insecure);
    set.text("--nats", "URL[,URL...]", "hear other hosts over NATS, by any of these servers", choice.nats);
    set.text("--nats-creds", "FILE", "with --nats: who we are, as `nsc` writes it", choice.nats_creds);
    set.text("--nats-ca", "FILE", "with --nats: whose certificates to trust, for TLS", choice.nats_ca);
    set.text("--nats-cert", "FILE", "with --nats: our certificate", choice.nats_cert);
    set.text("--nats-key", "FILE", "with --nats: its key", choice.nats_key);
    set.text("--keys", "FILE", "sign what goes to other hosts, and believe nothing else; see 'rollcall keygen'", choice.keys);
    set.flag("--accept-plain", "with --keys: heartbeats of single nodes (--emit node) may come unsigned", choice.accept_plain);
}

TransportChoice layered(const TransportChoice& below, const TransportChoice& above) {
    TransportChoice c = below;
    for (const auto list : {&TransportChoice::udp, &TransportChoice::seeds})
        if (!(above.*list).empty()) c.*list = above.*list;
    for (const auto text : {&TransportChoice::multicast, &TransportChoice::nats, &TransportChoice::nats_creds, &TransportChoice::nats_ca, &TransportChoice::nats_cert, &TransportChoice::nats_key, &TransportChoice::keys})
        if (above.*text) c.*text = above.*text;
    c.insecure = c.insecure || above.insecure;
    c.accept_plain = c.accept_plain || above.accept_plain;
    return c;
}

Result<TransportPlan> plan_transports(const TransportChoice& c) {
    if (auto ok = check(c); !ok) return fail(ok.error());
    TransportPlan plan;
    if (c.keys) {
        auto keys = read_keys(*c.keys);
        if (!keys) return fail(keys.error());
        plan.keys = std::make_shared<KeyRing>(std::move(*keys), c.accept_plain);
    }
    for (const std::string& at : c.udp) plan.udp.push_back({at, c.seeds, at.starts_with('[') ? "" : c.multicast.value_or(""), c.insecure, plan.keys, warn});
    if (c.nats) plan.nats = NatsOptions{split(*c.nats), c.nats_creds.value_or(""), c.nats_ca.value_or(""), c.nats_cert.value_or(""), c.nats_key.value_or(""), plan.keys, inform};
    return plan;
}

Result<std::shared_ptr<Transport>> open_transports(const TransportPlan& plan) {
    if (plan.is_empty()) return std::shared_ptr<Transport>();
    std::vector<std::shared_ptr<Transport>> parts;
    for (const UdpOptions& options : plan.udp) {
        auto opened = UdpTransport::open(options);
        if (!opened) return fail(opened.error());
        inform("udp: bound to " + (*opened)->address() + ", speaks to " + std::to_string(options.seeds.size()) + " seeds");
        parts.push_back(std::move(*opened));
    }
    if (plan.nats) {
        auto opened = open_nats(*plan.nats);
        if (!opened) return fail(opened.error());
        parts.push_back(std::move(*opened));
    }
    tell_of_keys(plan);
    if (parts.size() == 1) return parts.front();
    auto combined = CombinedTransport::make(std::move(parts));
    if (!combined) return fail(combined.error());
    return std::shared_ptr<Transport>(std::move(*combined));
}

std::vector<std::string> differences(const TransportChoice& now, const TransportChoice& wanted) {
    std::vector<std::string> names;
    const auto compare = [&](bool same, const char* name) {
        if (!same) names.emplace_back(name);
    };
    compare(now.udp == wanted.udp, "udp");
    compare(now.seeds == wanted.seeds, "seed");
    compare(now.multicast == wanted.multicast, "multicast");
    compare(now.insecure == wanted.insecure, "insecure");
    compare(now.nats == wanted.nats, "nats");
    compare(now.nats_creds == wanted.nats_creds, "nats-creds");
    compare(now.nats_ca == wanted.nats_ca, "nats-ca");
    compare(now.nats_cert == wanted.nats_cert, "nats-cert");
    compare(now.nats_key == wanted.nats_key, "nats-key");
    compare(now.keys.has_value() == wanted.keys.has_value(), "keys");
    compare(now.accept_plain == wanted.accept_plain, "accept-plain");
    return names;
}

}  // namespace rollcall::cli
