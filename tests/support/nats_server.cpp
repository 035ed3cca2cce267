#include "tests/support/nats_server.hpp"

#include <csignal>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace rollcall::test {

namespace {

// The first URL of a list in the file that the server writes.
std::string first_of(const std::string& text, const std::string& key) {
    const std::size_t at = text.find('"' + key + '"');
    const std::size_t list = at == std::string::npos ? at : text.find('[', at);
    const std::size_t begin = list == std::string::npos ? list : text.find('"', list);
    return begin == std::string::npos ? "" : text.substr(begin + 1, text.find('"', begin + 1) - begin - 1);
}

std::string port_of(const std::string& url) { return url.substr(url.rfind(':') + 1); }

}  // namespace

NatsServer::NatsServer(std::vector<std::string> flags) : flags_(std::move(flags)) { start(); }

void NatsServer::start() {
    const bool is_of_cluster = std::find(flags_.begin(), flags_.end(), "--cluster_name") != flags_.end();
    std::vector<std::string> argv{"nats-server", "-a", "127.0.0.1", "-p", url_.empty() ? "-1" : port_of(url_), "--ports_file_dir", folder_.path()};
    if (is_of_cluster) argv.insert(argv.end(), {"--cluster", route_.empty() ? "nats://127.0.0.1:-1" : route_});
    argv.insert(argv.end(), flags_.begin(), flags_.end());
    process_.emplace(Process::Start{argv, {}, folder_.path() + "/log", {}});
    read_ports();
}

void NatsServer::kill() {
    process_->signal(SIGKILL);
    process_->wait();
    process_.reset();
}

std::string NatsServer::said() const {
    std::ostringstream text;
    text << std::ifstream(folder_.path() + "/log").rdbuf();
    return text.str();
}

void NatsServer::read_ports() {
    const std::string file = folder_.path() + "/nats-server_" + std::to_string(process_->pid()) + ".ports";
    const bool is_there = eventually([&] {
        std::ostringstream text;
        text << std::ifstream(file).rdbuf();
        url_ = first_of(text.str(), "nats");
        route_ = first_of(text.str(), "cluster");
        return !url_.empty() || process_->has_ended();
    });
    if (!is_there || url_.empty()) throw std::runtime_error("nats-server does not listen");
}

}  // namespace rollcall::test
