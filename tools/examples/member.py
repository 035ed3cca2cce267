#!/usr/bin/env python3
"""A member in Python: this process is alive as long as its work goes on, and everybody on the host knows it."""
import sys
import time

import rollcall


def do_some_work() -> bool:
    time.sleep(0.1)
    return True


with rollcall.Member(sys.argv[1] if len(sys.argv) > 1 else "worker-1", tags={"role": "worker"}) as me:
    while do_some_work():  # the beat is where the work is: a program that hangs falls silent
        me.beat() or me.rejoin()
