#!/usr/bin/env python3
"""A real Prometheus scrapes `rollcall serve`, keeps what it says, and raises an alert of ours. Needs prometheus.

usage: ROLLCALL=path/to/rollcall tests/web/scrape_test.py
"""
import json
import re
import signal
import subprocess
import tempfile
import unittest
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from cluster import Cluster, eventually

RULES = Path(__file__).resolve().parents[2] / "tools/monitoring/rollcall.rules.yml"


class Scrape(unittest.TestCase):
    def setUp(self):
        self.cluster = Cluster("--suspect", "60s", "--dead", "120s", "--evict", "180s")
        self.addCleanup(self.cluster.end)
        folder = tempfile.TemporaryDirectory(prefix="rollcall-prometheus-", dir="/dev/shm")
        self.addCleanup(folder.cleanup)
        target = urllib.parse.urlparse(self.cluster.serve()).netloc
        # The rules as they are, but for how long each must hold: nobody waits half a minute here.
        (Path(folder.name) / "rules.yml").write_text(re.sub(r"\n        for: \S+", "", RULES.read_text()))
        (Path(folder.name) / "config.yml").write_text(
            f"global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}\nrule_files: [rules.yml]\nscrape_configs:\n  - job_name: rollcall\n    static_configs: [{{targets: ['{target}']}}]\n")
        self.prometheus = subprocess.Popen(
            ["prometheus", f"--config.file={folder.name}/config.yml", f"--storage.tsdb.path={folder.name}/data", "--web.listen-address=127.0.0.1:0"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.addCleanup(self.prometheus.wait)
        self.addCleanup(self.prometheus.kill)
        self.addCleanup(self.prometheus.stderr.close)
        for line in self.prometheus.stderr:
            if found := re.search(r'msg="Listening on" address=(\S+)', line):
                self.address = found.group(1)
                break
        self.assertTrue(eventually(self.is_ready))

    def is_ready(self):
        try:
            return urllib.request.urlopen(f"http://{self.address}/-/ready", timeout=10).close() is None
        except urllib.error.HTTPError as error:
            return error.close()

    def query(self, expression):
        with urllib.request.urlopen(f"http://{self.address}/api/v1/query?" + urllib.parse.urlencode({"query": expression}), timeout=10) as answer:
            return json.load(answer)["data"]["result"]

    def value(self, expression):
        found = self.query(expression)
        return float(found[0]["value"][1]) if len(found) == 1 else None

    def test_what_it_says_is_what_prometheus_knows(self):
        member = self.cluster.join("worker")
        self.assertTrue(eventually(lambda: self.value('rollcall_members{state="alive"}') == 1))
        self.assertEqual(self.value("rollcall_up"), 1)
        self.assertEqual(self.value("rollcall_engine_info"), 1)
        member.send_signal(signal.SIGKILL)
        self.assertTrue(eventually(lambda: self.value('rollcall_members{state="dead"}') == 1))
        self.assertTrue(eventually(lambda: self.value("histogram_quantile(0.99, rate(rollcall_scan_seconds_bucket[10s]))") is not None))
        self.assertTrue(eventually(lambda: self.value("rollcall_event_lag_seconds_count") == 2))

    def test_an_engine_that_is_gone_raises_the_alert(self):
        self.assertTrue(eventually(lambda: self.value("rollcall_up") == 1))
        self.assertEqual(self.query('ALERTS{alertname="RollcallEngineDown"}'), [])
        self.cluster.engine.send_signal(signal.SIGKILL)
        self.assertTrue(eventually(lambda: self.value('ALERTS{alertname="RollcallEngineDown",alertstate="firing"}') == 1))


if __name__ == "__main__":
    unittest.main(verbosity=2)
