// An observer in a process of its own. `fold DIR` folds all events into a view and, for each line on stdin that names a file, reads on until
// nothing is left, writes the view there, as text, and answers with what it saw: `events N gaps N holes N`. Beside it, in FILE.deaths, stand
// all the deaths it saw, node and reason.
// `fold DIR FILE` does the same by Observer::follow() until a node `the-end` has joined, writes the view to FILE and ends.
#include <fstream>
#include <iostream>
#include <string>

#include <poll.h>
#include <unistd.h>

#include "engine/client/observer.hpp"
#include "tests/support/roster_text.hpp"

namespace {

using namespace rollcall;

struct Tally {
    std::uint64_t events = 0, gaps = 0, holes = 0;
    Sequence last{};
    std::string deaths;

    // `at`: how far the view is after it.
    void count(const Event& event, Sequence at) {
        const bool is_gap = event.kind == EventKind::gap;
        if ((is_gap ? event.from : event.sequence) != last + 1) ++holes;
        is_gap ? ++gaps : ++events;
        if (event.kind == EventKind::dead) deaths += std::string(event.node()) + " " + std::string(to_string(event.reason)) + "\n";
        last = at;
    }
    std::string text() const {
        return "events " + std::to_string(events) + " gaps " + std::to_string(gaps) + " holes " + std::to_string(holes);
    }
};

bool has_line() {
    pollfd p{STDIN_FILENO, POLLIN, 0};
    return ::poll(&p, 1, 0) > 0;
}

int fold(Observer& observer) {
    View view;
    if (!view.resync(observer)) return 1;
    Tally tally;
    tally.last = view.at();
    std::cout << "ready" << std::endl;
    for (;;) {
        const bool is_asked = has_line();  // before the last events are read
        while (const auto event = observer.poll()) {
            if (!view.apply(*event, observer)) return 1;
            tally.count(*event, view.at());
        }
        std::string file;
        if (is_asked && !std::getline(std::cin, file)) return 0;
        if (is_asked) {
            std::ofstream(file) << test::roster_text(view);
            std::ofstream(file + ".deaths") << tally.deaths;
            std::cout << tally.text() << std::endl;
        }
        observer.wait(std::chrono::milliseconds(20));
    }
}

int follow(Observer& observer, const std::string& file) {
    Tally tally;
    const auto done = observer.follow([&](const View& view, const Event& event) {
        if (event.kind == EventKind::none) {
            tally.last = view.at();
            std::cout << "ready" << std::endl;
            return true;
        }
        tally.count(event, view.at());
        if (view.find("the-end") == nullptr) return true;
        std::ofstream(file) << test::roster_text(view);
        return false;
    });
    std::cout << (done ? tally.text() : done.error().message) << std::endl;
    return done ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2) return 2;
    ObserverOptions options;
    options.dir = argv[1];
    auto observer = Observer::attach(options);
    if (!observer) {
        std::cout << observer.error().message << std::endl;
        return 1;
    }
    return argc == 2 ? fold(*observer) : follow(*observer, argv[2]);
}
