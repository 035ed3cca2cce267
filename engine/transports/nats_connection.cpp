#include "engine/transports/nats_connection.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

#include <nats/nats.h>
#include <unistd.h>

namespace rollcall {

namespace {

constexpr std::int64_t connect_ms = 1'000, write_ms = 250, ping_ms = 1'000, retry_ms = 50;
constexpr int pings_out = 2, kept_while_broken = 8 << 10;  // bytes: what is said late is of no use

// What libnats calls. Some of its calls come after the one that says that a connection is closed, so that nobody knows when it is done with it: what it was given stays as
// long as the process, a few bytes a connection.
struct Ear {
    std::mutex mutex;
    NatsListener* listener = nullptr;  // none: nobody listens any more
};

Ear* make_ear() {
    static std::mutex mutex;
    static auto& ears = *new std::vector<std::unique_ptr<Ear>>;  // also after the end of main()
    const std::lock_guard lock(mutex);
    return ears.emplace_back(std::make_unique<Ear>()).get();
}

template <class Call>
void with_listener(void* closure, Call call) {
    Ear& ear = *static_cast<Ear*>(closure);
    const std::lock_guard lock(ear.mutex);
    if (ear.listener != nullptr) call(*ear.listener);
}

void on_message(natsConnection*, natsSubscription*, natsMsg* message, void* closure) {
    with_listener(closure, [&](NatsListener& listener) { listener.on_message({natsMsg_GetData(message), static_cast<std::size_t>(natsMsg_GetDataLength(message))}); });
    natsMsg_Destroy(message);
}

// Without what may be a password.
std::string without_secrets(const std::string& url) {
    const std::size_t at = url.rfind('@'), scheme = url.find("://");
    if (at == std::string::npos) return url;
    return (scheme < at ? url.substr(0, scheme + 3) : "") + url.substr(at + 1);
}

std::string server_of(natsConnection* connection) {
    char url[256] = "";
    if (natsConnection_GetConnectedUrl(connection, url, sizeof url) != NATS_OK || url[0] == '\0') return "a server";
    return without_secrets(url);
}

void on_connected(natsConnection* connection, void* closure) {
    with_listener(closure, [&](NatsListener& listener) {
        listener.on_connected(true);
        listener.on_line("connected to " + server_of(connection));
    });
}
void on_disconnected(natsConnection*, void* closure) {
    with_listener(closure, [](NatsListener& listener) {
        listener.on_connected(false);
        listener.on_line("the connection is lost");
    });
}
void on_error(natsConnection*, natsSubscription*, natsStatus status, void* closure) {
    with_listener(closure, [&](NatsListener& listener) { listener.on_line(natsStatus_GetText(status)); });
}
void on_closed(natsConnection*, void* closure) {
    with_listener(closure, [](NatsListener& listener) {
        listener.on_connected(false);
        listener.on_closed();
    });
}

struct OptionsEnd {
    void operator()(natsOptions* options) const noexcept { natsOptions_Destroy(options); }
};
using OptionsOwner = std::unique_ptr<natsOptions, OptionsEnd>;

std::string last_error(natsStatus status) {
    const char* detail = nats_GetLastError(nullptr);
    return std::string(natsStatus_GetText(status)) + (detail != nullptr && *detail != '\0' ? std::string(" (") + detail + ")" : "");
}

// Which setting is at fault is said by its name.
class Settings {
public:
    explicit Settings(natsOptions* options) : options_(options) {}
    template <class Set, class... Values>
    void set(const std::string& what, Set how, Values... values) {
        if (error_) return;
        if (const natsStatus status = how(options_, values...); status != NATS_OK) error_ = Error{ErrorKind::invalid, "nats: " + what + ": " + last_error(status)};
    }
    const std::optional<Error>& error() const noexcept { return error_; }

private:
    natsOptions* options_;
    std::optional<Error> error_;
};

Result<OptionsOwner> make_options(const NatsOptions& from, Ear* closure) {
    natsOptions* made = nullptr;
    if (const natsStatus status = natsOptions_Create(&made); status != NATS_OK) return fail(ErrorKind::full, "nats: " + last_error(status));
    OptionsOwner options(made);
    std::vector<const char*> urls;
    for (const std::string& url : from.urls) {
        if (url.empty() || url.find_first_of(" \t\r\n") != std::string::npos) return fail(ErrorKind::invalid, "nats: '" + without_secrets(url) + "' is no URL: nats://HOST:PORT");
        urls.push_back(url.c_str());
    }
    const auto is_secure = [](const std::string& url) { return url.starts_with("tls://"); };
    const auto secure = std::count_if(from.urls.begin(), from.urls.end(), is_secure);
    if (secure != 0 && secure != static_cast<std::ptrdiff_t>(from.urls.size())) return fail(ErrorKind::invalid, "nats: some URLs say tls:// and some do not: what is said to one would be plain to the other");
    Settings s(made);
    s.set("the URLs", natsOptions_SetServers, urls.data(), static_cast<int>(urls.size()));
    s.set("the order of servers", natsOptions_SetNoRandomize, true);
    s.set("the name", natsOptions_SetName, "rollcall");
    s.set("a timeout", natsOptions_SetTimeout, connect_ms);  // a server that is busy with others answers, too
    s.set("a deadline", natsOptions_SetWriteDeadline, write_ms);
    s.set("pings", natsOptions_SetPingInterval, ping_ms);
    s.set("pings", natsOptions_SetMaxPingsOut, pings_out);
    s.set("reconnecting", natsOptions_SetMaxReconnect, -1);
    s.set("reconnecting", natsOptions_SetReconnectWait, retry_ms);
    s.set("reconnecting", natsOptions_SetReconnectJitter, retry_ms, retry_ms);
    s.set("reconnecting", natsOptions_SetReconnectBufSize, kept_while_broken);
    s.set("sending", natsOptions_SetSendAsap, true);
    s.set("threads", natsOptions_UseGlobalMessageDelivery, true);
    s.set("callbacks", natsOptions_SetReconnectedCB, on_connected, static_cast<void*>(closure));
    s.set("callbacks", natsOptions_SetDisconnectedCB, on_disconnected, static_cast<void*>(closure));
    s.set("callbacks", natsOptions_SetErrorHandler, on_error, static_cast<void*>(closure));
    s.set("callbacks", natsOptions_SetClosedCB, on_closed, static_cast<void*>(closure));
    // libnats would find out when it connects, and go on trying.
    if (!from.credentials.empty() && ::access(from.credentials.c_str(), R_OK) != 0) return fail(ErrorKind::invalid, "nats: credentials '" + from.credentials + "': " + std::strerror(errno));
    if (!from.credentials.empty()) s.set("credentials '" + from.credentials + "'", natsOptions_SetUserCredentialsFromFiles, from.credentials.c_str(), static_cast<const char*>(nullptr));
    // libnats goes by this alone, whatever the URL says.
    if (secure != 0 || !from.ca.empty() || !from.certificate.empty()) s.set("TLS", natsOptions_SetSecure, true);
    if (!from.ca.empty()) s.set("the CA '" + from.ca + "'", natsOptions_LoadCATrustedCertificates, from.ca.c_str());
    if (!from.certificate.empty()) s.set("the certificate '" + from.certificate + "' with key '" + from.key + "'", natsOptions_LoadCertificatesChain, from.certificate.c_str(), from.key.c_str());
    if (s.error()) return fail(*s.error());
    return options;
}

}  // namespace

struct NatsConnection::Handles {
    Ear* ear = make_ear();
    natsConnection* connection = nullptr;
    std::map<std::string, natsSubscription*> subscriptions;  // by subject
};

NatsConnection::NatsConnection(std::unique_ptr<Handles> handles) : handles_(std::move(handles)) {}

Result<std::shared_ptr<NatsConnection>> NatsConnection::open(const NatsOptions& options, NatsListener& listener) {
    auto handles = std::make_unique<Handles>();
    Ear& ear = *handles->ear;
    const auto made = make_options(options, &ear);
    if (!made) return fail(made.error());
    {
        const std::lock_guard lock(ear.mutex);
        ear.listener = &listener;
    }
    // Once by hand: whoever goes on trying is not told what failed.
    natsStatus status = natsConnection_Connect(&handles->connection, made->get());
    if (status != NATS_OK) {
        listener.on_line((options.urls.size() == 1 ? "the server cannot be used: " : "none of the servers can be used: ") + last_error(status) + "; going on trying");
        natsOptions_SetRetryOnFailedConnect(made->get(), true, on_connected, &ear);
        status = natsConnection_Connect(&handles->connection, made->get());
    }
    if (status != NATS_OK && status != NATS_NOT_YET_CONNECTED) {
        const std::string why = last_error(status);
        const std::lock_guard lock(ear.mutex);
        ear.listener = nullptr;
        return fail(status == NATS_NO_MEMORY ? ErrorKind::full : ErrorKind::invalid, "nats: cannot connect: " + why);
    }
    if (status == NATS_OK) on_connected(handles->connection, &ear);
    return std::shared_ptr<NatsConnection>(new NatsConnection(std::move(handles)));
}

NatsConnection::~NatsConnection() {
    {
        const std::lock_guard lock(handles_->ear->mutex);
        handles_->ear->listener = nullptr;
    }
    natsConnection_Close(handles_->connection);
    for (const auto& [subject, subscription] : handles_->subscriptions) natsSubscription_Destroy(subscription);
    natsConnection_Destroy(handles_->connection);
}

Result<void> NatsConnection::publish(const std::string& subject, std::string_view bytes) {
    const natsStatus status = natsConnection_Publish(handles_->connection, subject.c_str(), bytes.data(), static_cast<int>(bytes.size()));
    return status == NATS_OK ? Result<void>{} : Result<void>(fail(ErrorKind::system, last_error(status)));
}

void NatsConnection::subscribe(const std::string& subject) {
    if (handles_->subscriptions.contains(subject)) return;
    natsSubscription* made = nullptr;
    if (natsConnection_Subscribe(&made, handles_->connection, subject.c_str(), on_message, handles_->ear) == NATS_OK) handles_->subscriptions.emplace(subject, made);
}

void NatsConnection::flush() { natsConnection_FlushTimeout(handles_->connection, write_ms); }

std::uint64_t NatsConnection::dropped() const {
    std::uint64_t sum = 0;
    for (const auto& [subject, subscription] : handles_->subscriptions) {
        std::int64_t dropped = 0;
        if (natsSubscription_GetDropped(subscription, &dropped) == NATS_OK && dropped > 0) sum += static_cast<std::uint64_t>(dropped);
    }
    return sum;
}

}  // namespace rollcall
