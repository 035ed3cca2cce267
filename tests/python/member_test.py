#!/usr/bin/env python3
"""Members in Python: what they say of themselves, how they end, guards, errors, threads."""
import gc
import pickle
import signal
import subprocess
import sys
import threading
import time
import unittest

import rollcall
from cluster import ROLLCALL, Cluster, eventually

PATIENT = ("--heartbeat", "100ms", "--suspect", "20s", "--dead", "30s", "--evict", "40s", "--scan", "5ms")


class OfACluster(unittest.TestCase):
    settings = PATIENT

    def setUp(self):
        self.cluster = Cluster(*self.settings)
        self.addCleanup(self.cluster.end)
        self.seen = rollcall.Observer(dir=self.cluster.dir)

    def member(self, node="a", **options):
        return rollcall.Member(node, dir=self.cluster.dir, **options)

    def until(self, kind, node="a"):
        while (event := self.seen.next(30)) is not None:
            if (event.kind, event.node) == (kind, node):
                return event
        self.fail(f"no {kind} of {node}")


class Members(OfACluster):
    def test_lives_for_its_block_and_says_who_it_is(self):
        with self.member(endpoint="here:1", tags={"role": "main"}) as me:
            self.assertIs(me.beat(), rollcall.Beat.counted)
            self.assertTrue(me.beat_at(time.monotonic()))
            self.assertEqual((me.node, me.interval, me.suspect_timeout), ("a", 0.1, 20.0))
            peer = self.seen.find("a")
            self.assertEqual((peer["endpoint"], peer["tags"], peer["state"], peer["incarnation"]), ("here:1", {"role": "main"}, "alive", me.incarnation))
            self.assertLess(abs(time.monotonic() - peer["since"]), 30)
            me.set_tags({"role": "spare", "zone": "b"})
            me.set_endpoint("there")
            self.assertEqual((self.seen.find("a")["tags"], self.seen.find("a")["endpoint"]), ({"role": "spare", "zone": "b"}, "there"))
        self.assertEqual(self.until("left").reason, "goodbye")
        self.assertIs(me.beat(), rollcall.Beat.evicted)
        self.assertFalse(me.beat())
        with self.assertRaises(rollcall.Error) as refused:
            me.rejoin()
        self.assertEqual(refused.exception.kind, "invalid")

    def test_leaves_with_its_object(self):
        me = self.member()
        del me
        gc.collect()
        self.until("left")

    def test_whoever_keeps_the_beat_keeps_the_member(self):
        beat = self.member().beat
        gc.collect()
        self.assertTrue(beat())
        del beat
        gc.collect()
        self.until("left")

    def test_goes_on_over_the_death_of_engine_and_memory(self):
        me = self.member()
        me.start_beating()
        self.until("joined")
        self.cluster.engine.send_signal(signal.SIGKILL)
        self.cluster.engine.wait()
        self.assertEqual(self.cluster.say("stop", "--remove"), 0)
        self.cluster.start_engine()
        self.assertTrue(eventually(lambda: self.seen.poll() and self.seen.snapshot().get("a")))

    def test_errors_say_what_and_have_a_kind(self):
        with self.assertRaises(rollcall.Error) as absent:
            rollcall.Member("a", cluster="other", dir=self.cluster.dir)
        self.assertEqual(absent.exception.kind, "no_cluster")
        self.assertIn("rollcall run --cluster other", str(absent.exception))
        copy = pickle.loads(pickle.dumps(absent.exception))
        self.assertEqual((copy.kind, str(copy)), (absent.exception.kind, str(absent.exception)))
        with self.assertRaises(rollcall.Error) as invalid:
            self.member("with space")
        self.assertEqual(invalid.exception.kind, "invalid")
        with self.assertRaises(ValueError):
            self.member(wait=-1)
        self.cluster.join("taken")
        with self.assertRaises(rollcall.Error) as held:
            self.member("taken")
        self.assertEqual(held.exception.kind, "held")

    def test_threads_may_beat_and_change_it_at_once(self):
        me = self.member()
        ends, counted = threading.Event(), []

        def beat():
            while not ends.is_set():
                counted.append(bool(me.beat()))

        threads = [threading.Thread(target=beat) for _ in range(3)]
        for thread in threads:
            thread.start()
        for i in range(50):
            me.set_tags({"round": str(i)})
            me.rejoin()
        ends.set()
        for thread in threads:
            thread.join()
        self.assertTrue(counted and all(counted))
        leavers = [threading.Thread(target=me.leave) for _ in range(4)]
        for thread in leavers:
            thread.start()
        for thread in leavers:
            thread.join()
        self.until("left")

    def test_a_beat_needs_no_other_threads_leave(self):
        """It keeps the interpreter's lock: beside a thread that computes, giving it away would cost the switch interval each time."""
        me = self.member()
        ends = threading.Event()
        busy = threading.Thread(target=lambda: [None for _ in iter(ends.is_set, True)])
        before = sys.getswitchinterval()
        sys.setswitchinterval(1)  # whoever gives the lock away now waits for a second
        try:
            busy.start()
            begin = time.monotonic()
            for _ in range(1000):
                me.beat()
            passed = time.monotonic() - begin
        finally:
            sys.setswitchinterval(before)
            ends.set()
            busy.join()
        self.assertLess(passed, 30)


class Guards(OfACluster):
    settings = ("--heartbeat", "100ms", "--suspect", "1s", "--dead", "30s", "--evict", "40s", "--scan", "5ms")

    def test_a_guard_holds_it_back_until_there_is_progress(self):
        me = self.member()
        me.start_beating()
        with me.guard(0.05, "journal") as guard:
            self.until("suspect")
            stall = self.seen.find("a")["stall"]
            self.assertEqual((stall["guard"], stall["budget"]), ("journal", 0.05))
            self.assertIs(me.beat(), rollcall.Beat.stalled)
            why = subprocess.run([ROLLCALL, "why", "a", "--dir", self.cluster.dir], capture_output=True, text=True, check=True)
            self.assertIn("its guard 'journal' saw no progress", why.stdout)
            guard.progress()
            guard.rest()
            self.until("recovered")
        guard.progress()  # after its end it means nothing
        time.sleep(0.2)
        self.assertTrue(me.beat())
        for wrong in (0, -1, float("nan")):
            with self.assertRaises(ValueError):
                me.guard(wrong)


if __name__ == "__main__":
    unittest.main(verbosity=2)
