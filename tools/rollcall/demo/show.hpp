// What the audience sees, and the watch over every event: prints each as it comes and holds it against the script.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tools/rollcall/demo/script.hpp"
#include "tools/rollcall/demo/stage.hpp"
#include "tools/rollcall/event_text.hpp"
#include "tools/rollcall/signals.hpp"

namespace rollcall::cli::demo {

class Show {
public:
    Show(Stage& stage, const Signals& signals, const Palette& palette) : stage_(stage), signals_(signals), palette_(palette), lines_(palette) {}

    void heading(std::string_view text);
    void remark(std::string_view text);
    // The state of every worker as of now, in one line.
    void roll_call();

    // Returns once exactly this has happened. False: something else happened, or nothing in time, or a signal came; why() tells.
    bool until(const std::vector<Expected>& expected);
    // Lets time pass in which nothing may happen.
    bool quiet(Duration length);
    // Events are timed from here: "0.9 ms after".
    void start_clock() { clock_ = std::chrono::steady_clock::now(); }

    const Script& script() const { return script_; }
    const std::string& why() const { return why_; }
    bool was_interrupted() const { return interrupted_; }

private:
    bool take_events();
    bool give_up(std::string why);
    bool interrupted();
    void print_event(const Event& event);

    Stage& stage_;
    const Signals& signals_;
    Palette palette_;
    EventLines lines_;
    Script script_;
    std::optional<Instant> clock_;
    std::string why_;
    bool interrupted_ = false;
};

}  // namespace rollcall::cli::demo
