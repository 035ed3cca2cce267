"""A cluster of a test's own: an engine, members, and `rollcall serve`, each a process."""
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time

ROLLCALL = os.environ["ROLLCALL"]


def eventually(condition, within=30):
    """What it returned once it was true; None when time is over."""
    end = time.monotonic() + within
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.02)
    return None


class Cluster:
    def __init__(self, *flags):
        self.dir = tempfile.mkdtemp(prefix="rollcall-page-", dir="/dev/shm")
        self.processes, self.flags = [], flags
        self.engine = self.start_engine()

    def start(self, *words, **more):
        process = subprocess.Popen([ROLLCALL, words[0], "--dir", self.dir, *words[1:]], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, **more)
        self.processes.append(process)
        return process

    def start_engine(self):
        self.engine = self.start("run", "--node", "engine", "--host", "here", *self.flags, stderr=subprocess.DEVNULL)
        if not eventually(lambda: self.say("wait", "engine", "--state", "gone", "--timeout", "1s") == 0):
            raise RuntimeError("the engine does not start")
        return self.engine

    def join(self, node, *flags):
        member = self.start("join", "--node", node, *flags, stderr=subprocess.DEVNULL)
        if not eventually(lambda: self.say("wait", node, "--state", "alive", "--timeout", "1s") == 0):
            raise RuntimeError(node + " does not join")
        return member

    def say(self, *words):
        return subprocess.run([ROLLCALL, words[0], "--dir", self.dir, *words[1:]], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode

    def serve(self, *flags):
        """The URL that it says it listens at."""
        process = self.start("serve", "--http", "127.0.0.1:0", *flags, stderr=subprocess.PIPE, text=True)
        with process.stderr:
            return re.search(r"http://\S+", process.stderr.readline()).group().split("?")[0]

    def end(self):
        for process in self.processes:
            process.send_signal(signal.SIGKILL)
            process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)
