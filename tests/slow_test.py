"""Listeners behind slow links against a real server: down the rungs and up again, or closed with a reason, while others
hear everything.

usage: slow_test.py BINARY [unittest options]
"""
import json
import struct
import subprocess
import sys
import threading
import time
import unittest

from server import Server, wait_until
from websocket import BINARY, TEXT, Closed, WebSocket

BINARY_PATH = sys.argv.pop(1)
HEALTHY = 10
# A lead of three seconds has all limits at three tenths, which keeps this short.
LEAD_S = 3


class Link(WebSocket):
    """A client that reads at a limited rate from a socket that keeps little."""

    def __init__(self, server, path="/ws/v2"):
        self.bytes_per_second = None
        self.budget = 0
        self.read_at = time.monotonic()
        self.texts = []
        self.chunks = []
        super().__init__(server.host, server.port, path, receive_buffer=4096)

    def _more(self):
        rate = self.bytes_per_second
        if rate is None:
            super()._more()
            return
        now = time.monotonic()
        self.budget = min(self.budget + (now - self.read_at) * rate, rate / 4)
        self.read_at = now
        if self.budget < 200:
            time.sleep((200 - self.budget) / rate)
            return
        data = self.socket.recv(min(4096, int(self.budget)))
        if not data:
            raise Closed(None)
        self.budget -= len(data)
        self.buffer += data

    def listen(self, seconds, until=lambda link: False):
        """Reads on. True when `until` has come to hold."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            opcode, payload = self.receive()
            if opcode == TEXT:
                self.texts.append(json.loads(payload))
            elif opcode == BINARY:
                self.take(payload)
            if until(self):
                return True
        return False

    def take(self, payload):
        flags, = struct.unpack_from("<B", payload, 2)
        first, = struct.unpack_from("<Q", payload, 8)
        preroll = bool(flags & 4)
        self.chunks.append((preroll, first, len(payload)))

    def told(self, kind):
        return [text for text in self.texts if text["type"] == kind]

    def rungs(self):
        return [text["bitrate"] for text in self.told("codec")]


def metric(server, name):
    for line in server.get("/metrics")[2].splitlines():
        if line.startswith(name + " "):
            return float(line.split()[1])
    raise AssertionError(f"no metric {name}")


class Slow(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(BINARY_PATH, "--seed", "7", "--lead", str(LEAD_S)).__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__()

    def healthy(self, seconds):
        """Ten listeners beside the slow one; the thread's result is their report."""
        done = {}

        def run():
            process = subprocess.run(
                [BINARY_PATH, "listen", self.server.url, "--format", "opus", "--duration", str(seconds), "--json",
                 "--listeners", str(HEALTHY), "--verify"], capture_output=True, text=True, timeout=120)
            done.update(status=process.returncode, said=process.stderr,
                        report=json.loads(process.stdout) if process.stdout else {})

        thread = threading.Thread(target=run)
        thread.start()
        return thread, done

    def heard_everything(self, thread, done):
        thread.join()
        report = done["report"]
        for name in ("gaps", "mismatches", "decode_errors", "protocol_errors", "lost"):
            self.assertEqual(report[name], 0, (name, done))
        self.assertGreater(report["verified"], HEALTHY * 50)

    def test_down_the_rungs_and_up_again(self):
        thread, done = self.healthy(40)
        link = Link(self.server)
        self.assertEqual(link.listen(4, lambda link: link.told("hello")), True)
        link.listen(3)
        self.assertEqual(link.rungs(), [])
        link.bytes_per_second = 56000 / 8          # carries the lowest rung alone
        self.assertTrue(link.listen(20, lambda link: 32000 in link.rungs()), link.texts)
        slow = [(text["bitrate"], text["reason"]) for text in link.told("codec")]
        self.assertEqual(slow, [(64000, "slow"), (32000, "slow")])
        link.bytes_per_second = None
        self.assertTrue(link.listen(60, lambda link: link.rungs()[-1] == 128000), link.texts)
        self.assertEqual([text["reason"] for text in link.told("codec")[2:]], ["recovered", "recovered"])
        self.changes_are_whole(link)
        link.abandon()
        self.heard_everything(thread, done)
        self.assertGreaterEqual(metric(self.server, 'auralis_rung_changes_total{direction="down"}'), 2)
        self.assertGreaterEqual(metric(self.server, 'auralis_rung_changes_total{direction="up"}'), 2)

    def changes_are_whole(self, link):
        """Each chunk follows the one before, but for a skip; each change begins with a preroll."""
        jumps = {(text["from_frame"], text["to_frame"]) for text in link.told("skip")}
        starts = {text["at_frame"] for text in link.told("codec")}
        expected = None
        after_preroll = False
        for preroll, first, _ in link.chunks:
            if preroll:
                after_preroll = True
                continue
            if expected is not None and first != expected:
                self.assertIn((expected, first), jumps)
                self.assertTrue(after_preroll)
            if first in starts:
                self.assertTrue(after_preroll, first)
            expected, after_preroll = first + 4800, False

    def test_who_stalls_is_closed_with_a_reason(self):
        thread, done = self.healthy(18)
        closed = metric(self.server, 'auralis_closed_total{reason="slow"}')
        stalled = {"v2": Link(self.server), "pcm": Link(self.server, "/ws/v2?format=pcm"),
                   "v1": Link(self.server, "/ws/audio/stalled"), "v0": Link(self.server, "/ws/stream")}
        for name, link in stalled.items():
            self.assertTrue(link.listen(5, lambda link: link.texts or link.chunks), name)
        began = time.monotonic()
        ended = {}

        def count():
            slow = metric(self.server, 'auralis_closed_total{reason="slow"}') - closed
            while len(ended) < slow:
                ended[len(ended)] = time.monotonic() - began
            return len(ended) == len(stalled)

        wait_until(count, 25, "the stalled ones are closed")
        self.assertGreaterEqual(min(ended.values()), 6.5)
        # The first full socket comes when what the kernels keep has run full: a few seconds at most.
        self.assertLessEqual(max(ended.values()), 15 + LEAD_S)
        for name in ("v2", "pcm"):
            with self.assertRaises(Closed) as end:
                stalled[name].listen(10)
            self.assertEqual(end.exception.code, 1008)
            goodbye, = stalled[name].told("goodbye")
            self.assertEqual(goodbye["code"], "SLOW")
            self.assertIn("7 seconds", goodbye["reason"])
        for link in stalled.values():
            link.abandon()
        self.heard_everything(thread, done)


if __name__ == "__main__":
    unittest.main()
