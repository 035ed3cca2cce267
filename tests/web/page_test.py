#!/usr/bin/env python3
"""The page of `rollcall serve` in a real Chromium. Needs chromium, chromium-driver, python3-selenium.

usage: ROLLCALL=path/to/rollcall tests/web/page_test.py [--pictures FOLDER] [NAME...]
"""
import argparse
import os
import signal
import subprocess
import sys
import time
import unittest
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from cluster import Cluster, eventually

PICTURES = None
CALM = ("--heartbeat", "200ms", "--suspect", "2s", "--dead", "10min", "--evict", "20min")


def browser(width=1280, height=800, dark=False):
    options = webdriver.ChromeOptions()
    for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500})
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]})
    return driver


class Page(unittest.TestCase):
    def setUp(self):
        self.cluster = Cluster(*CALM)
        self.addCleanup(self.cluster.end)

    def open(self, **look):
        self.driver = browser(**look)
        self.addCleanup(self.driver.quit)
        self.driver.get(self.cluster.serve())
        self.assertTrue(eventually(lambda: "runs" in self.text("#engine")))

    def find(self, what):
        return self.driver.find_elements(By.CSS_SELECTOR, what)

    def text(self, what):
        return self.driver.execute_script("return document.querySelector(arguments[0]).textContent", what)

    def member(self, node):
        """Its label as a screen reader says it, or None."""
        return self.driver.execute_script("const m = [...document.querySelectorAll('.member')].find((e) => e.textContent.includes(arguments[0])); return m ? m.getAttribute('aria-label') : null", node)

    def names(self):
        return self.driver.execute_script("return [...document.querySelectorAll('.member:not([hidden]) .name')].map((e) => e.textContent)")

    def picture(self, name):
        if PICTURES:
            self.driver.save_screenshot(str(Path(PICTURES) / (name + ".png")))

    def assert_no_complaints(self):
        self.assertEqual([line["message"] for line in self.driver.get_log("browser") if line["level"] == "SEVERE"], [])

    def test_shows_a_death_within_a_second(self):
        member = self.cluster.join("worker")
        self.open()
        self.assertTrue(eventually(lambda: self.member("worker") == "worker, alive, join"))
        member.send_signal(signal.SIGKILL)
        killed = time.monotonic()
        self.assertTrue(eventually(lambda: (self.member("worker") or "").startswith("worker, dead")))
        print(f"SIGKILL on the page after {1000 * (time.monotonic() - killed):.0f} ms")
        self.assertEqual(self.driver.find_element(By.CSS_SELECTOR, ".member.dead .glyph").text, "✕", "never by colour alone")
        self.assertIn("dead worker: killed by signal 9", self.text("#timeline"))
        self.assertEqual(self.text("#dead"), "1")
        self.assert_no_complaints()

    def test_shows_who_comes_and_goes(self):
        self.open()
        self.assertTrue(self.driver.find_element(By.ID, "empty").is_displayed())
        members = {node: self.cluster.join(node, "--tag", "rack=7") for node in ("n10", "n2", "n1")}
        self.assertTrue(eventually(lambda: self.names() == ["n1", "n2", "n10"]), "in the order in which people count")
        field = self.driver.find_element(By.ID, "text")
        field.send_keys("rack=7")
        self.assertTrue(eventually(lambda: self.names() == ["n1", "n2", "n10"]), "whoever came has its tags soon")
        field.clear()
        field.send_keys(" ")
        members["n2"].terminate()  # it leaves
        self.assertTrue(eventually(lambda: self.names() == ["n1", "n10"]))

    def test_filters_by_text_and_state(self):
        dead = self.cluster.join("db-1", "--tag", "role=db")
        self.cluster.join("web-1", "--tag", "role=web")
        dead.send_signal(signal.SIGKILL)
        self.open()
        self.assertTrue(eventually(lambda: self.text("#dead") == "1"))
        field = self.driver.find_element(By.ID, "text")
        field.send_keys("role=web")
        self.assertEqual(self.names(), ["web-1"])
        field.clear()
        field.send_keys("ROLE=")
        self.assertEqual(self.names(), ["db-1", "web-1"])
        self.driver.find_element(By.CSS_SELECTOR, "[name=dead]").click()
        self.assertEqual(self.names(), ["web-1"])

    def test_tells_the_evidence_by_mouse_and_keyboard(self):
        for node in ("a", "b", "c"):
            self.cluster.join(node)
        self.open()
        self.assertTrue(eventually(lambda: len(self.names()) == 3))
        self.find(".member")[1].click()
        self.assertTrue(eventually(lambda: self.driver.find_element(By.ID, "evidence").get_attribute("open")))
        self.assertIn("no silence since then was long enough for doubt", self.text("#evidence-text"))
        self.picture("evidence")
        self.driver.switch_to.active_element.send_keys(Keys.ESCAPE)
        self.assertTrue(eventually(lambda: not self.driver.find_element(By.ID, "evidence").get_attribute("open")))
        focused = lambda: self.driver.execute_script("return document.activeElement.getAttribute('aria-label')")
        self.assertEqual(focused(), "b, alive, join", "and is where it was")
        self.driver.switch_to.active_element.send_keys(Keys.ARROW_RIGHT)
        self.assertEqual(focused(), "c, alive, join")
        self.driver.switch_to.active_element.send_keys(Keys.HOME)
        self.assertEqual(focused(), "a, alive, join")
        self.assertEqual(len(self.find(".member[tabindex='0']")), 1, "Tab reaches the grid once")
        self.driver.switch_to.active_element.send_keys(Keys.ENTER)
        self.assertTrue(eventually(lambda: self.text("#evidence-title") == "a"))

    def test_outlives_the_engine(self):
        self.cluster.join("worker")
        self.open()
        self.cluster.engine.send_signal(signal.SIGKILL)
        self.cluster.engine.wait()
        self.assertTrue(eventually(lambda: "no engine runs" in self.text("#engine")))
        self.assertEqual(self.names(), ["worker"])
        self.cluster.start_engine()
        self.assertTrue(eventually(lambda: "runs, pid" in self.text("#engine")))
        self.cluster.join("late")
        self.assertTrue(eventually(lambda: self.names() == ["late", "worker"]))

    def test_looks_right_everywhere(self):
        """Nothing is cut off on a phone; light and dark have contrast enough. For eyes: --pictures."""
        members = [self.cluster.join(f"worker-{i}", "--tag", f"rack={i % 3}") for i in range(1, 13)]
        members[4].send_signal(signal.SIGKILL)
        members[7].send_signal(signal.SIGSTOP)
        for name, look in {"light": {}, "dark": {"dark": True}, "phone": {"width": 400, "height": 800}, "phone-dark": {"width": 400, "height": 800, "dark": True}}.items():
            with self.subTest(name):
                self.open(**look)
                self.assertTrue(eventually(lambda: self.text("#dead") == "1" and self.text("#suspect") == "1"))
                self.assertLessEqual(self.driver.execute_script("return document.documentElement.scrollWidth"), look.get("width", 1280))
                self.picture(name)
                for what in ("#engine", ".member.alive .name", ".member.alive .glyph", ".member.suspect .glyph", ".member.dead .glyph", ".counts", "#timeline time", ".kind.bad"):
                    self.assertGreaterEqual(self.contrast(what), 4.5, what)
                self.assert_no_complaints()
                self.driver.quit()
        members[7].send_signal(signal.SIGCONT)

    def contrast(self, what):
        return self.driver.execute_script("""
            const light = (c) => { const [r, g, b] = c.map((v) => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
            const of = (c) => { const p = document.createElement('canvas').getContext('2d', { willReadFrequently: true }); p.fillStyle = c; p.fillRect(0, 0, 1, 1); return [...p.getImageData(0, 0, 1, 1).data]; };
            const e = document.querySelector(arguments[0]);
            let back = e;
            while (of(getComputedStyle(back).backgroundColor)[3] === 0 && back.parentElement) back = back.parentElement;
            const a = light(of(getComputedStyle(e).color).slice(0, 3)), b = light(of(getComputedStyle(back).backgroundColor).slice(0, 3));
            return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);""", what)

    def test_is_smooth_with_ten_thousand(self):
        self.cluster.end()
        self.cluster = Cluster("--capacity", "20000", "--suspect", "60s", "--dead", "120s", "--evict", "180s")
        self.addCleanup(self.cluster.end)
        crowd = subprocess.Popen([os.environ["ROLLCALL_CROWD"], self.cluster.dir, "m", "10000", "1"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.cluster.processes.append(crowd)
        self.addCleanup(crowd.stdin.close)
        self.addCleanup(crowd.stdout.close)
        crowd.stdin.write("join\n")
        crowd.stdin.flush()
        self.assertEqual(crowd.stdout.readline(), "ok 10000\n")
        self.open()
        self.assertTrue(eventually(lambda: self.text("#alive") == "10000", within=60))
        self.picture("crowd")
        # How long the page keeps its reader waiting while events come: the longest frame of some.
        self.driver.execute_script("""
            window.longest = 0; let last = performance.now();
            const turn = (now) => { window.longest = Math.max(window.longest, now - last); last = now; requestAnimationFrame(turn); };
            requestAnimationFrame(turn);""")
        member = self.cluster.join("one-more")
        self.assertTrue(eventually(lambda: self.member("one-more")))
        member.send_signal(signal.SIGKILL)
        self.assertTrue(eventually(lambda: (self.member("one-more") or "").startswith("one-more, dead")))
        self.driver.find_element(By.ID, "text").send_keys("m99")
        self.assertTrue(eventually(lambda: 0 < len(self.names()) < 200))
        print(f"longest frame with 10,000 members: {self.driver.execute_script('return window.longest'):.0f} ms")
        self.assert_no_complaints()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--pictures")
    parser.add_argument("names", nargs="*")
    chosen = parser.parse_args()
    PICTURES = chosen.pictures
    unittest.main(argv=[sys.argv[0], *(f"Page.test_{name}" for name in chosen.names)], verbosity=2)
