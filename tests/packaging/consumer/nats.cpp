// Hosts over NATS, as whoever asks pkg-config for it links them.
#include <rollcall/engine/transports/nats.hpp>

int main() {
    const auto refused = rollcall::NatsTransport::open({.urls = {"no url"}});
    return refused ? 1 : 0;
}
