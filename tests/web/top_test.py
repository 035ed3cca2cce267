#!/usr/bin/env python3
"""`rollcall top` on a real terminal: tmux holds it, types, resizes it, and its screen is read. Needs tmux.

usage: ROLLCALL=path/to/rollcall tests/web/top_test.py
"""
import os
import signal
import subprocess
import unittest

from cluster import ROLLCALL, Cluster, eventually


class Top(unittest.TestCase):
    def setUp(self):
        self.cluster = Cluster("--heartbeat", "200ms", "--suspect", "2s", "--dead", "60s", "--evict", "120s")
        self.addCleanup(self.cluster.end)
        self.terminals = 0

    def tmux(self, *words):
        return subprocess.run(["tmux", "-S", self.socket, "-f", "/dev/null", *words], capture_output=True, text=True, check=False, env={**os.environ, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"})

    def terminal(self, command):
        """A new terminal that runs a command. Each has a server of its own: one whose last session was ended takes nobody while it ends itself."""
        self.terminals += 1
        self.socket = f"{self.cluster.dir}/tmux-{self.terminals}"
        self.addCleanup(subprocess.run, ["tmux", "-S", self.socket, "kill-server"], capture_output=True, check=False)
        began = self.tmux("new-session", "-d", "-x", "80", "-y", "24", command)
        self.assertEqual(began.returncode, 0, began.stderr)

    def open(self, environment=""):
        self.terminal(f"{environment} exec {ROLLCALL} top --dir {self.cluster.dir} --delay 50ms 2> {self.cluster.dir}/said; sleep 100")
        self.assertTrue(eventually(lambda: "rollcall default" in self.screen()), self.screen())

    def screen(self, *flags):
        return self.tmux("capture-pane", "-p", *flags).stdout

    def type(self, *keys):
        self.tmux("send-keys", *keys)

    def assert_shows(self, *texts):
        for text in texts:
            self.assertTrue(eventually(lambda: text in self.screen()), f"'{text}' is not in:\n{self.screen()}")

    def test_shows_members_and_their_deaths(self):
        worker = self.cluster.join("worker", "--tag", "rack=7")
        self.open()
        self.assert_shows("1 member: 1 alive", "+ alive   worker", "rack=7", "q quit", "EVENTS", "joined")
        worker.send_signal(signal.SIGKILL)
        self.assert_shows("x dead    worker", "process_exit", "killed by signal 9")
        for line in self.screen().splitlines():
            self.assertLessEqual(len(line), 80)
        self.type("Enter")
        self.assert_shows("worker is dead", "That is proof")
        self.type("q")
        self.assert_shows("STATE")

    def test_filters_and_sorts(self):
        for node in ("db-1", "db-2", "web-1"):
            self.cluster.join(node)
        self.open()
        self.assert_shows("web-1")
        self.type("/", "d", "b")
        self.assertTrue(eventually(lambda: "web-1" not in self.screen().split("EVENTS")[0]))
        self.assert_shows("filter: db_", "db-2")
        self.type("Escape")
        self.assertTrue(eventually(lambda: "web-1" in self.screen().split("EVENTS")[0]))
        self.type("s")
        self.assert_shows("sort:node")

    def test_follows_the_size_of_its_window(self):
        for i in range(30):
            self.cluster.join(f"n{i}") if i < 4 else None
        self.open()
        self.assert_shows("q quit")
        self.tmux("resize-window", "-x", "120", "-y", "40")
        self.assertTrue(eventually(lambda: self.screen().splitlines()[39:40] and "q quit" in self.screen().splitlines()[39]), self.screen())
        self.tmux("resize-window", "-x", "40", "-y", "10")
        self.assertTrue(eventually(lambda: len(self.screen().splitlines()) == 10 and "q quit" in self.screen().splitlines()[9]), self.screen())
        self.assert_shows("n3")

    def test_colours_where_they_are_wanted(self):
        self.cluster.join("worker")
        self.open()
        self.assert_shows("worker")
        self.assertIn("\x1b[32m", self.screen("-e"))
        self.open(environment="NO_COLOR=1")
        self.assert_shows("+ alive   worker")
        self.assertNotIn("\x1b[32m", self.screen("-e"))

    def test_outlives_the_engine(self):
        self.cluster.join("worker")
        self.open()
        self.assert_shows("runs (pid")
        self.cluster.engine.send_signal(signal.SIGKILL)
        self.cluster.engine.wait()
        self.assert_shows("does not run", "worker")
        self.cluster.start_engine()
        self.cluster.join("late")
        self.assert_shows("runs (pid", "late")
        self.cluster.say("stop", "--remove")
        self.assert_shows("The memory is gone")
        self.cluster.start_engine()
        self.assert_shows("2 members: 2 alive", "gap")  # who beats joins again by itself

    def test_leaves_the_terminal_as_it_was(self):
        self.terminal(f"echo before; {ROLLCALL} top --dir {self.cluster.dir}; echo after; stty -a; sleep 100")
        self.assertTrue(eventually(lambda: "rollcall default" in self.screen()))
        self.type("q")
        self.assert_shows("before", "after", " echo ", " icanon ")

    def test_without_a_terminal_says_what_to_do(self):
        refused = subprocess.run([ROLLCALL, "top", "--dir", self.cluster.dir], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        self.assertEqual(refused.returncode, 2)
        self.assertIn("this needs a terminal", refused.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
