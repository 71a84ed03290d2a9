"""A change is heard at once by those who hold ten seconds of the future: real listeners of every protocol, while somebody
steers.

usage: splice_test.py BINARY [--changes N] [unittest options]

With --changes everybody hears about so many of them, 20 without.
"""
import contextlib
import json
import random
import statistics
import subprocess
import sys
import threading
import time
import unittest

from faults.proxy import Proxy
from legacy_client import TIERS, V0, Client, join_roughness, samples, v1
from server import Server

BINARY = sys.argv.pop(1)
CHANGES = 20
if "--changes" in sys.argv:
    place = sys.argv.index("--changes")
    CHANGES = int(sys.argv[place + 1])
    del sys.argv[place:place + 2]
SECONDS = 1 + CHANGES // 2    # one in half a second
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
            reports = [self.hears(process, CHANGES / 2) for process in listening]
            steering.stop()
            self.assertGreater(steering.changes, CHANGES / 2)
            print(f"{steering.changes} changes, {reports[0]['verified']} messages of PCM and"
                  f" {reports[1]['verified'] + reports[2]['verified']} of Opus as rendered,"
                  f" {reports[0]['clicks']} clicks", file=sys.stderr)
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

    def test_old_clients_hear_it_later_by_what_they_buffer(self):
        """The chunk that is due next is the first that a change has made another: a client plays it its tier later."""
        late_s = {tier: [] for tier in TIERS}
        for seed in ("11", "12", "13"):
            guard_s, after_s = self.old_clients_late(seed)
            for tier in TIERS:
                late_s[tier].append(after_s[tier])
            if max(map(min, late_s.values())) <= guard_s + 0.3:
                break
        print("old clients, from a request until the first other chunk comes:",
              {tier: [round(1000 * s) for s in late] for tier, late in late_s.items()}, "ms", file=sys.stderr)
        for tier, late in late_s.items():
            self.assertLessEqual(min(late), guard_s + 0.5, late_s)

    def old_clients_late(self, seed):
        """What they would have heard a client hears of a server that has the same seed and that nobody steers."""
        with (Server(BINARY, "--seed", seed) as server, Server(BINARY, "--seed", seed) as untouched,
              contextlib.ExitStack() as stack):
            clients = {tier: stack.enter_context(Client(server, v1(tier, buffer_tier=tier))) for tier in TIERS}
            other = stack.enter_context(Client(untouched, v1("other", buffer_tier="defensive")))
            for client in clients.values():
                client.first("audio", skip=40)
            asked = time.time()
            self.assertEqual(server.post("/api/control", {"intensity": 0.95})[0], 200)
            for client in clients.values():
                client.first("audio", skip=len(client.audio) + 20)
            plain = self.heard_by(other, {client.audio[0]["data"] for client in clients.values()}, 80)
            after_s = {}
            for tier, client in clients.items():
                before = [chunk for chunk in client.audio if chunk.at < asked]
                self.assertTrue(all(chunk["data"] in plain for chunk in before[-20:]))
                changed = [chunk for chunk in client.audio if chunk.at >= asked and chunk["data"] not in plain]
                self.assertGreater(len(changed), 5)
                after_s[tier] = changed[0].at - asked
            return server.metric("auralis_guard_seconds"), after_s

    def heard_by(self, client, first, count):
        """The chunks that it hears, from before any of `first` until so many after the last of them."""
        client.wait(lambda: first <= {chunk["data"] for chunk in client.audio}, 30, "it hears something else")
        client.first("audio", skip=len(client.audio) + count)
        return {chunk["data"] for chunk in client.audio}

    def test_old_clients_hear_no_step_while_a_slider_is_dragged(self):
        """Ten changes a second, each of which leads over from what the one before it would have been."""
        with (Server(BINARY, "--seed", "10") as server, Client(server, v1("least", buffer_tier="minimal")) as least,
              Client(server, v1("most", buffer_tier="defensive")) as most, Client(server, V0) as v0):
            v0.first("audio", skip=20)
            steering = Steering(server, 3, 0.04, 0.06)
            steering.start()
            v0.first("audio", skip=90)
            steering.stop()
            self.assertGreater(server.metric("auralis_splices_total"), 5)
            for client in (least, most, v0):
                self.assertFalse([heard.message for heard in client.all("warning") + client.all("error")])
                sound = [samples(chunk["data"]) for chunk in client.audio]
                steps = [join_roughness(*pair) for pair in zip(sound, sound[1:])]
                self.assertLess(max(steps), 3)
                planted = [join_roughness(*pair) for pair in zip(sound, sound[2:])]
                self.assertGreater(statistics.median(planted), 2 * statistics.median(steps))

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
            self.assertEqual(report["dry"], 0, report)
            # The report tells those only who were back before what they held began to be another.
            self.assertGreaterEqual(server.metric("auralis_resumes_total"), 3)

    def test_one_listener_steers_and_is_told_how_soon_it_is_heard(self):
        with Server(BINARY, "--seed", "9") as server:
            report = self.hears(start(server, "pcm", "--verify", "--steer", "0.5", "--listeners", "2"), 15)
            to_ear = report["control_to_ear_ms"]
            self.assertGreater(to_ear["p50"], 150, report)
            self.assertLess(to_ear["p50"], 5000, report)


if __name__ == "__main__":
    unittest.main()
