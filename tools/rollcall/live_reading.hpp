// A cluster as one who stays sees it: when its memory is replaced, or goes and comes back, this goes on with the new one.
#pragma once

#include <optional>
#include <string>

#include "tools/rollcall/command.hpp"
#include "tools/rollcall/position.hpp"
#include "tools/rollcall/reading.hpp"

namespace rollcall::cli {

// One thread at a time.
class LiveReading {
public:
    // Behind this position; without one, from what comes next. Fails as attach() does: there must be something to begin with.
    static Result<LiveReading> attach(const Common& common, const Position& position = {});

    // The next event that is there, if any. What cannot be known any more, of this memory or of the one before it, is one gap.
    std::optional<Event> next();
    // All that was published before the call, and nothing of what comes meanwhile: a flood holds nobody here.
    template <class Take>
    void take_all(Take take) {
        const Sequence last = reading_.observer.info().head;
        while (const std::optional<Event> event = next()) {
            take(*event);
            if (event->sequence >= last) return;
        }
    }
    // Until something was published, or `timeout` is over; at most a second.
    void wait(Duration timeout);
    // Everything that was published before the call, and nothing of what comes meanwhile: ends a loop over next().
    Sequence head() const { return reading_.observer.info().head; }

    // There is no memory to look at just now: what is shown is what the last one held. `why` it could not be attached to, if that is known.
    bool is_gone() const noexcept { return is_gone_; }
    const std::string& why_gone() const noexcept { return why_gone_; }
    // Where to go on.
    const Position& position() const noexcept { return position_; }
    const std::string& cluster() const noexcept { return cluster_; }
    Reading& reading() noexcept { return reading_; }
    const Reading& reading() const noexcept { return reading_; }

private:
    LiveReading(const Common& common, const Position& position, Reading reading);
    void attach_again();

    Common common_;
    Position position_;
    Reading reading_;
    std::string cluster_, why_gone_;
    bool is_gone_ = false;
};

}  // namespace rollcall::cli
