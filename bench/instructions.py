#!/usr/bin/env python3
"""Instructions a beat, a quiet step and a judgement, counted by valgrind: they repeat exactly where times do not.

usage: bench/instructions.py PROGRAM [--json FILE]    PROGRAM is build/…/bench/instructions; exit 1 if any count is above its limit
A count is the difference between two runs, so that what comes before and after does not count.
"""
import json
import re
import subprocess
import sys

# what: (function to count in, smaller and larger number of times, limit)
COUNTED = {
    "beat": ("rollcall::Member::beat(std::chrono::time_point*", 1000, 2000, 30),
    "step": ("rollcall::engine::Core::step*", 200, 400, 7_000),
    "suspect": ("rollcall::engine::Core::step*", 1000, 3000, 1_000),
}


def count(program, what, function, times):
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", f"--toggle-collect={function}", program, what, str(times)]
    run = subprocess.run(command, capture_output=True, text=True)
    collected = re.search(r"Collected : (\d+)", run.stderr)
    if run.returncode != 0 or not collected or int(collected[1]) == 0:
        raise SystemExit(f"instructions: {' '.join(command)} failed or counted nothing:\n{run.stderr}")
    return int(collected[1])


def main(arguments):
    if len(arguments) not in (1, 3) or (len(arguments) == 3 and arguments[1] != "--json"):
        print(__doc__, file=sys.stderr)
        return 2
    figures, bad = {}, 0
    for what, (function, few, many, limit) in COUNTED.items():
        figures[what] = (count(arguments[0], what, function, many) - count(arguments[0], what, function, few)) / (many - few)
        bad += figures[what] > limit
        print(f"{what:8} {figures[what]:10.1f} instructions   limit {limit}{'' if figures[what] <= limit else '   TOO MANY'}", flush=True)
    if len(arguments) == 3:
        with open(arguments[2], "w") as out:
            json.dump({what: {"instructions": figures[what], "limit": COUNTED[what][3]} for what in COUNTED}, out)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
