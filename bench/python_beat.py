#!/usr/bin/env python3
"""What a beat costs in Python, beside the shortest call of C that Python has and a read of its clock, in one run.

usage: ROLLCALL=path/to/rollcall PYTHONPATH=build/release/python bench/python_beat.py [ROUNDS]
"""
import math
import os
import subprocess
import sys
import tempfile
import time
import timeit

import rollcall

CALLS = 100_000


def main(rounds):
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        engine = subprocess.Popen([os.environ["ROLLCALL"], "run", "--dir", folder], stderr=subprocess.DEVNULL)
        try:
            me = rollcall.Member("me", dir=folder, wait=10)
            guard = me.guard(60, "bench")
            unguarded = rollcall.Member("other", dir=folder)
            what = {"math.fabs(0.5)": "f(0.5)", "time.monotonic()": "f()", "beat()": "f()", "beat() of a member with a guard": "f()", "progress()": "f()"}
            calls = (math.fabs, time.monotonic, unguarded.beat, me.beat, guard.progress)
            # In turn, so that a noisy moment is everybody's.
            best = [min(column) for column in zip(*([timeit.timeit(code, globals={"f": f}, number=CALLS) for code, f in zip(what.values(), calls)] for _ in range(rounds)))]
            for name, seconds in zip(what, best):
                print(f"{name:32} {seconds / CALLS * 1e9:7.1f} ns   {seconds / best[0]:5.2f} bare calls")
        finally:
            engine.kill()
            engine.wait()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 30)
