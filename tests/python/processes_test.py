#!/usr/bin/env python3
"""Python, C and the command beside each other: each sees the others come and die; fork, multiprocessing and signals."""
import multiprocessing
import os
import signal
import subprocess
import sys
import unittest

import rollcall
from cluster import Cluster, eventually

PATIENT = ("--heartbeat", "100ms", "--suspect", "20s", "--dead", "30s", "--evict", "40s", "--scan", "5ms")


def work(dir, node, copy_of_parents=None):
    """In a process of its own: what the parent's member says there, and a member of its own."""
    said = None if copy_of_parents is None else copy_of_parents.beat().name
    with rollcall.Member(node, dir=dir) as me:
        return said, bool(me.beat()), os.getpid(), rollcall.Observer(dir=dir).find(node)["pid"]


class Processes(unittest.TestCase):
    def setUp(self):
        self.cluster = Cluster(*PATIENT)
        self.addCleanup(self.cluster.end)
        self.seen = rollcall.Observer(dir=self.cluster.dir)

    def start(self, *command, **more):
        process = subprocess.Popen(command, env={**os.environ, "ROLLCALL_DIR": self.cluster.dir}, **more)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def story_of(self, node, last):
        story = []
        while (event := self.seen.next(30)) is not None:
            if event.node == node:
                story.append(f"{event.kind}:{event.reason}")
            if story and story[-1].startswith(last):
                break
        return story

    def test_a_killed_program_is_seen_in_both_languages(self):
        for node, command in (("of-c", (os.environ["ROLLCALL_C_MEMBER"],)), ("of-python", (sys.executable, os.environ["ROLLCALL_EXAMPLES"] + "/member.py"))):
            program = self.start(*command, node)
            self.assertTrue(eventually(lambda: node in self.seen.snapshot()))
            program.kill()
            self.assertEqual(self.story_of(node, "dead"), ["dead:process_exit"])
            self.assertEqual(self.cluster.say("wait", node, "--state", "dead", "--timeout", "30s"), 0)

    def test_an_example_that_finds_no_engine_says_so(self):
        program = self.start(sys.executable, os.environ["ROLLCALL_EXAMPLES"] + "/member.py", stderr=subprocess.PIPE, text=True)
        program.kill()
        nowhere = subprocess.run([sys.executable, os.environ["ROLLCALL_EXAMPLES"] + "/member.py"], env={**os.environ, "ROLLCALL_DIR": self.cluster.dir + "/none"}, capture_output=True, text=True, check=False)
        self.assertEqual(nowhere.returncode, 1)
        self.assertIn("rollcall run", nowhere.stderr)
        program.stderr.close()

    def test_a_forked_child_is_not_its_parent(self):
        me = rollcall.Member("parent", dir=self.cluster.dir)
        child = os.fork()
        if child == 0:
            is_right = me.beat() is rollcall.Beat.not_mine
            try:
                me.rejoin()
            except rollcall.Error as error:
                is_right = is_right and error.kind == "invalid"
            del me
            os._exit(0 if is_right else 1)
        self.assertEqual(os.waitpid(child, 0)[1], 0)
        self.assertTrue(me.beat())
        self.assertEqual(self.seen.find("parent")["state"], "alive")

    def test_workers_of_multiprocessing_are_members_of_their_own(self):
        me = rollcall.Member("parent", dir=self.cluster.dir)
        me.start_beating()
        for method in ("fork", "spawn"):
            context = multiprocessing.get_context(method)
            with context.Pool(2) as pool:
                results = pool.starmap(work, [(self.cluster.dir, f"{method}-{i}") for i in range(4)])
            for _, counted, pid, seen_pid in results:
                self.assertTrue(counted)
                self.assertEqual(pid, seen_pid)
                self.assertNotEqual(pid, os.getpid())
        context = multiprocessing.get_context("fork")
        receiver, sender = context.Pipe()
        child = context.Process(target=lambda: sender.send(work(self.cluster.dir, "child", me)))
        child.start()
        said, counted, _, _ = receiver.recv()
        child.join()
        self.assertEqual((said, counted), ("not_mine", True))
        self.assertEqual(self.seen.find("parent")["state"], "alive")

    def test_a_signal_ends_the_waiting(self):
        program = self.start(sys.executable, "-c", "import rollcall, sys\nprint('ready', flush=True)\nfor event in rollcall.Observer(): pass", stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.assertEqual(program.stdout.readline(), "ready\n")
        program.send_signal(signal.SIGINT)
        said = program.communicate(timeout=30)[1]
        self.assertIn("KeyboardInterrupt", said)


if __name__ == "__main__":
    unittest.main(verbosity=2)
