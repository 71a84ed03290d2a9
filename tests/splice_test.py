"""A change is heard at once by those who hold ten seconds of the future: real listeners of every protocol, while somebody
steers.

usage: splice_test.py BINARY [unittest options]
"""
import json
import random
import subprocess
import sys
import threading
import time
import unittest

from faults.proxy import Proxy
from server import Server

BINARY = sys.argv.pop(1)
SECONDS = 11
SCENES = ("drift", "glass", "tide", "focus", "cathedral", "deep")


def start(server, form, *options):
    return subprocess.Popen([BINARY, "listen", server.url, "--format", form, "--duration", str(SECONDS), "--json",
                             *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(process):
    out, said = process.communicate(timeout=180)
    assert out, said
    return process.returncode, json.loads(out), said


class Steering(threading.Thread):
    """Changes something at random moments until it is told to stop."""

    def __init__(self, server, seed, least_s, most_s):
        super().__init__()
        self.server, self.random, self.least_s, self.most_s = server, random.Random(seed), least_s, most_s
        self.over, self.changes = threading.Event(), 0

    def wish(self):
        kind = self.random.choice(("intensity", "brightness", "bpm", "space", "texture", "scene"))
        if kind == "bpm":
            return {"bpm": self.random.randint(50, 90)}
        if kind == "scene":
            return {"scene": self.random.choice(SCENES), "morph_seconds": 5}
        return {kind: round(self.random.random(), 3)}

    def run(self):
        while not self.over.wait(self.random.uniform(self.least_s, self.most_s)):
            status, _, _ = self.server.post("/api/control", self.wish())
            self.changes += status == 200

    def stop(self):
        self.over.set()
        self.join()


class Splicing(unittest.TestCase):
    def hears(self, process, changes, away_s=0):
        """away_s: for so long a listener may have been away, and heard on what it had."""
        status, report, said = finish(process)
        for name in ("gaps", "decode_errors", "protocol_errors", "mismatches", "lost", "stale"):
            self.assertEqual(report[name], 0, (name, said, report))
        self.assertLessEqual(report["unreplaced"], 10 * away_s * report["listeners"], (said, report))
        self.assertEqual(status, 0, (said, report))
        self.assertGreater(report["verified"], 60)
        if changes:
            self.assertGreater(report["splices"], report["listeners"] * changes / 3, report)
            self.assertGreater(report["superseded"], report["splices"], report)
        return report

    def test_everybody_hears_what_the_log_says(self):
        """Whatever is held when a change comes is replaced, and what is heard is a render of the log to the bit."""
        with Server(BINARY, "--seed", "7") as server:
            steering = Steering(server, 1, 0.1, 0.9)
            listening = [start(server, "pcm", "--verify", "--clicks", "--listeners", "3"),
                         start(server, "opus", "--verify", "--listeners", "5"),
                         start(server, "opus", "--verify", "--listeners", "2", "--bitrate", "64", "--change", "2")]
            steering.start()
            reports = [self.hears(process, 10) for process in listening]
            steering.stop()
            self.assertGreater(steering.changes, 10)
            self.assertEqual(reports[0]["clicks"], 0, reports[0])
            self.assertGreater(server.metric("auralis_splices_total"), 10)
            self.assertEqual(server.metric("auralis_held_chunks_total"), 0)

    def test_old_clients_are_led_over(self):
        """They cannot replace what they have: but for the moments in which a change is on its way it is all exact."""
        with Server(BINARY, "--seed", "6") as server:
            listening = [start(server, "v1", "--verify"), start(server, "v0", "--verify")]
            for intensity in (0.9, 0.1):
                time.sleep(4)
                self.assertEqual(server.post("/api/control", {"intensity": intensity})[0], 200)
            for process in listening:
                self.hears(process, 0)

    def test_a_slider_that_is_dragged(self):
        """Twenty changes a second come together in ten at most, and whoever joins meanwhile hears what all hear."""
        with Server(BINARY, "--seed", "8") as server:
            first = start(server, "pcm", "--verify", "--listeners", "2")
            time.sleep(3)
            steering = Steering(server, 2, 0.04, 0.06)
            begun = time.monotonic()
            steering.start()
            time.sleep(2)
            second = start(server, "opus", "--verify", "--listeners", "3")
            time.sleep(3)
            steering.stop()
            took_s = time.monotonic() - begun
            self.hears(first, 0)
            self.hears(second, 0)
            self.assertGreater(server.metric("auralis_splices_total"), 5)
            self.assertLessEqual(server.metric("auralis_splices_total"), 10 * took_s + 2)

    def test_who_is_cut_off_goes_on_where_it_stopped(self):
        """A connection that ends, and one that falls silent: what was held lasts until the listener is back."""
        with Server(BINARY, "--seed", "5") as server, Proxy(server.host, server.port) as proxy:
            process = subprocess.Popen(
                [BINARY, "listen", f"http://127.0.0.1:{proxy.port}", "--format", "pcm", "--duration", str(SECONDS),
                 "--listeners", "3", "--reconnect", "--verify", "--json"], stdout=subprocess.PIPE,
                stderr=subprocess.PIPE, text=True)
            time.sleep(4)
            proxy.cut()
            self.assertEqual(server.post("/api/control", {"intensity": 0.9})[0], 200)
            time.sleep(2)
            proxy.stall()
            time.sleep(2)
            self.assertEqual(server.post("/api/control", {"intensity": 0.2})[0], 200)
            proxy.go_on()
            report = self.hears(process, 0, away_s=4)
            self.assertGreaterEqual(report["reconnects"], 3, report)
            self.assertGreaterEqual(report["resumes"], 3, report)
            self.assertEqual(report["dry"], 0, report)
            self.assertGreaterEqual(server.metric("auralis_resumes_total"), 3)

    def test_one_listener_steers_and_is_told_how_soon_it_is_heard(self):
        with Server(BINARY, "--seed", "9") as server:
            report = self.hears(start(server, "pcm", "--verify", "--steer", "0.5", "--listeners", "2"), 15)
            to_ear = report["control_to_ear_ms"]
            self.assertGreater(to_ear["p50"], 150, report)
            self.assertLess(to_ear["p50"], 5000, report)


if __name__ == "__main__":
    unittest.main()
