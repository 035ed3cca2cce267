// How many joins a second?
//
// Through the control socket of a running engine, by a process that speaks its protocol: one request at a time, and many in flight. Inside the
// engine, without any socket: into memory that was used before, and into memory that is untouched. Each join has an id of its own.
#include <string>
#include <vector>

#include <poll.h>

#include "bench/bench.hpp"
#include "bench/child.hpp"
#include "bench/population.hpp"
#include "engine/control/protocol.hpp"
#include "engine/engine.hpp"
#include "shm/local_socket.hpp"

namespace {

using namespace rollcall;

constexpr std::uint32_t joins = 100'000;

std::string request(control::Kind kind, std::uint32_t id) {
    control::Message message;
    message.kind = kind;
    message.id = id;
    message.node = "node-" + std::to_string(id);
    message.token = id;
    return control::encode(message);
}

// Sends `joins` requests with at most `in_flight` unanswered.
void join_through_the_socket(benchmark::State& state) {
    const auto in_flight = static_cast<std::uint32_t>(state.range(0));
    for (auto _ : state) {
        bench::Folder folder;
        EngineOptions options{.cluster = "bench", .node = "engine", .dir = folder.path()};
        options.capacity = joins + 8192;
        Engine engine(options);
        if (auto started = engine.start(); !started) return state.SkipWithError(started.error().message.c_str());
        auto socket = shm::connect_to(folder.path() + "/bench", "control.sock");
        if (!socket) return state.SkipWithError(socket.error().message.c_str());
        std::vector<std::string> requests;
        for (std::uint32_t i = 0; i < joins; ++i) requests.push_back(request(control::Kind::join, i + 1));
        const std::int64_t before = bench::now_ns();
        std::uint32_t sent = 0, answered = 0, refused = 0;
        char buffer[control::max_packet];
        while (answered < joins) {
            while (sent < joins && sent - answered < in_flight && shm::send_packet(socket->get(), requests[sent])) ++sent;
            shm::wait_readable(socket->get(), std::chrono::seconds(5));
            shm::Descriptor none;
            for (ssize_t size; (size = shm::receive_packet(socket->get(), buffer, sizeof buffer, none)) > 0; ++answered) {
                const auto reply = control::decode_reply({buffer, static_cast<std::size_t>(size)});
                refused += !reply || reply->error;
                if (in_flight == 1) {
                    ++answered;
                    break;
                }
            }
        }
        state.SetIterationTime(static_cast<double>(bench::now_ns() - before) * 1e-9);
        if (refused != 0) state.SkipWithError("joins were refused");
    }
    state.counters["joins_a_second"] = benchmark::Counter(joins, benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK(join_through_the_socket)->Name("JoinThroughTheSocket")->Arg(1)->Arg(64)->UseManualTime()->Iterations(1)->Unit(benchmark::kMillisecond);

// Steps of the engine alone: the queue is filled before each.
void admit(benchmark::State& state, bool on_used_memory) {
    for (auto _ : state) {
        bench::Population p(on_used_memory ? joins : 0, {}, joins + 8192);
        if (on_used_memory) p.leave_all();
        std::int64_t took = 0;
        for (std::uint32_t i = 0; i < joins;) {
            for (const std::uint32_t end = std::min(joins, i + 8192); i < end; ++i) p.put_join("again-" + std::to_string(i));
            took += p.settle();
        }
        state.SetIterationTime(static_cast<double>(took) * 1e-9);
    }
    state.counters["joins_a_second"] = benchmark::Counter(joins, benchmark::Counter::kIsIterationInvariantRate);
}
void AdmitOnUsedMemory(benchmark::State& state) { admit(state, true); }
void AdmitOnFreshMemory(benchmark::State& state) { admit(state, false); }
BENCHMARK(AdmitOnUsedMemory)->UseManualTime()->Iterations(1)->Unit(benchmark::kMillisecond);
BENCHMARK(AdmitOnFreshMemory)->UseManualTime()->Iterations(1)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
