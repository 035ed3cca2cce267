// A process that does as it is told: `puppet DIR`. A line on stdin is one or more commands, separated by `;`; each line is answered by one
// line on stdout, an answer a command, separated in the same way. At the end of stdin it ends, without a goodbye.
//
// | command                                   | does                                            | answers                      |
// |-------------------------------------------|-------------------------------------------------|------------------------------|
// | join HANDLE [node=N] [replace] [endpoint=E] [tag.K=V] | joins as node N, or HANDLE          | ok INCARNATION, or why not   |
// | beat HANDLE                               | beats                                           | what the beat says, and when |
// | beating HANDLE                            | starts a thread that beats                      | ok                           |
// | rejoin HANDLE                             | joins again                                     | true or false, and why not   |
// | leave HANDLE                              | says goodbye                                    | ok, or why not               |
// | tag HANDLE K=V...                         | replaces all tags                               | ok, or why not               |
// | guard HANDLE NAME MILLISECONDS            | a guard whose budget begins                     | ok                           |
// | progress NAME, rest NAME, drop NAME       | what a guard is told; drop: its end             | ok                           |
// | churn PREFIX N                            | makes N events of members that come, change, go | ok N                         |
// | fork                                      | a child takes over the strings                  | the child's pid              |
// | exit CODE, raise SIGNAL                   | ends at once                                    | nothing                      |
// | catch SIGNAL                              | from now on says `caught SIGNAL` when it comes  | ok                           |
// | env NAME                                  |                                                 | its value                    |
// | notify TEXT                               | sends TEXT to $NOTIFY_SOCKET                    | ok                           |
// | pid                                       |                                                 | its pid                      |
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <iostream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "engine/client/member.hpp"

namespace {

using rollcall::Member;
using Words = std::vector<std::string>;

std::string dir;
std::map<std::string, Member> members;
std::map<std::string, rollcall::Guard> guards;

std::string said(const rollcall::Result<void>& result) { return result ? "ok" : result.error().message; }

std::string join(const Words& words) {
    Member::Options options;
    options.dir = dir;
    options.node = words.at(1);
    for (std::size_t i = 2; i < words.size(); ++i) {
        const std::size_t equals = words[i].find('=');
        const std::string key = words[i].substr(0, equals), value = equals == std::string::npos ? "" : words[i].substr(equals + 1);
        if (key == "node") options.node = value;
        if (key == "replace") options.replace = true;
        if (key == "endpoint") options.endpoint = value;
        if (key.starts_with("tag.")) options.tags.emplace(key.substr(4), value);
    }
    auto member = Member::join(options);
    if (!member) return member.error().message;
    const std::string incarnation = std::to_string(member->incarnation().value);
    members.insert_or_assign(words.at(1), std::move(*member));
    return "ok " + incarnation;
}

std::string beat(const Words& words) {
    const rollcall::Instant now = std::chrono::steady_clock::now();
    return std::string(to_string(members.at(words.at(1)).beat(now).kind)) + " " + std::to_string(rollcall::to_ns(now));
}

std::string rejoin(const Words& words) {
    Member& member = members.at(words.at(1));
    return member.rejoin() ? "true " + std::to_string(member.incarnation().value) : "false " + member.error().message;
}

std::string tag(const Words& words) {
    rollcall::Tags tags;
    for (std::size_t i = 2; i < words.size(); ++i) {
        const std::size_t equals = words[i].find('=');
        tags.emplace(words[i].substr(0, equals), words[i].substr(equals + 1));
    }
    return said(members.at(words.at(1)).set_tags(tags));
}

std::string guard(const Words& words) {
    guards.insert_or_assign(words.at(2), members.at(words.at(1)).guard(std::chrono::milliseconds(std::stoi(words.at(3))), words.at(2)));
    return "ok";
}

// One member after another joins, changes its tags and leaves; the last one stays if its turn to leave does not come.
std::string churn(const Words& words) {
    static int number = 0;
    std::string node;
    for (int made = 0, wanted = std::stoi(words.at(2)); made < wanted; ++made) {
        std::string answer = "ok";
        switch (made % 3) {
            case 0: answer = join({"join", node = words.at(1) + std::to_string(++number)}); break;
            case 1: answer = tag({"tag", node, "number=" + std::to_string(number)}); break;
            case 2: answer = said(members.at(node).leave()), members.erase(node); break;
        }
        if (!answer.starts_with("ok")) return answer;
    }
    return "ok " + words.at(2);
}

// The parent keeps living, and does nothing more.
std::string fork_child(const Words&) {
    if (::fork() != 0)
        for (;;) ::pause();
    return std::to_string(::getpid());
}

std::string catch_signal(const Words& words) {
    std::signal(std::stoi(words.at(1)), [](int number) {
        char text[] = "caught 00\n";
        text[7] = static_cast<char>('0' + number / 10);
        text[8] = static_cast<char>('0' + number % 10);
        (void)!::write(STDOUT_FILENO, text, sizeof text - 1);
    });
    return "ok";
}

std::string env(const Words& words) {
    const char* value = std::getenv(words.at(1).c_str());
    return value != nullptr ? value : "(not set)";
}

std::string notify(const Words& words) {
    const std::string address = env({"env", "NOTIFY_SOCKET"});
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    if (address.size() >= sizeof to.sun_path) return "NOTIFY_SOCKET is too long";
    std::memcpy(to.sun_path, address.data(), address.size());
    if (address.front() == '@') to.sun_path[0] = '\0';
    const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const std::string& text = words.at(1);
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address.size());
    const ssize_t sent = ::sendto(fd, text.data(), text.size(), 0, reinterpret_cast<const sockaddr*>(&to), size);
    ::close(fd);
    return sent == static_cast<ssize_t>(text.size()) ? "ok" : std::strerror(errno);
}

const std::map<std::string, std::function<std::string(const Words&)>> commands{
    {"join", join},
    {"beat", beat},
    {"beating", [](const Words& words) { return said(members.at(words.at(1)).start_beating()); }},
    {"rejoin", rejoin},
    {"leave", [](const Words& words) { return said(members.at(words.at(1)).leave()); }},
    {"tag", tag},
    {"guard", guard},
    {"progress", [](const Words& words) { return guards.at(words.at(1)).progress(), std::string("ok"); }},
    {"rest", [](const Words& words) { return guards.at(words.at(1)).rest(), std::string("ok"); }},
    {"drop", [](const Words& words) { return guards.erase(words.at(1)) == 1 ? std::string("ok") : std::string("no such guard"); }},
    {"churn", churn},
    {"fork", fork_child},
    {"exit", [](const Words& words) -> std::string { ::_exit(std::stoi(words.at(1))); }},
    {"raise", [](const Words& words) { return std::to_string(::raise(std::stoi(words.at(1)))); }},
    {"catch", catch_signal},
    {"env", env},
    {"notify", notify},
    {"pid", [](const Words&) { return std::to_string(::getpid()); }},
};

std::string obey(const std::string& command) {
    std::istringstream text(command);
    Words words;
    for (std::string word; text >> word;) words.push_back(word);
    const auto found = words.empty() ? commands.end() : commands.find(words.front());
    if (found == commands.end()) return "unknown command";
    try {
        return found->second(words);
    } catch (const std::exception& e) {
        return std::string("cannot: ") + e.what();
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) return 2;
    dir = argv[1];
    for (std::string line; std::getline(std::cin, line);) {
        std::istringstream all(line);
        std::string answer;
        for (std::string command; std::getline(all, command, ';');) answer += (answer.empty() ? "" : "; ") + obey(command);
        std::puts(answer.c_str());
        std::fflush(stdout);
    }
    std::fflush(stdout);
    ::_exit(0);
}
