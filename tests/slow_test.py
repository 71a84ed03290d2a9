"""Listeners behind slow links against a real server: down the rungs and up again, or closed with a reason, while others
hear everything.

usage: slow_test.py BINARY [unittest options]
"""
import json
import struct
import subprocess
import sys
import time
import unittest

from server import PATIENCE, Server, clock_speed, wait_until
from websocket import BINARY, TEXT, Closed, WebSocket

BINARY_PATH = sys.argv.pop(1)
HEALTHY = 10
# Time passes three times as fast, which keeps this short. Seconds, and bytes a second, are those of the programme,
# unless it is said otherwise.
LEAD_S = 8
SPEED = clock_speed(3)


class Link(WebSocket):
    """A client that reads at a limited rate from a socket that keeps little."""

    def __init__(self, server, path="/ws/v2"):
        self.bytes_per_second = None
        self.budget = 0
        self.read_at = time.monotonic() * SPEED
        self.texts = []
        self.chunks = []
        super().__init__(server.host, server.port, path, receive_buffer=4096)

    def _more(self):
        rate = self.bytes_per_second
        if rate is None:
            super()._more()
            return
        now = time.monotonic() * SPEED
        self.budget = min(self.budget + (now - self.read_at) * rate, rate / 4)
        self.read_at = now
        if self.budget < 200:
            time.sleep((200 - self.budget) / rate / SPEED)
            return
        data = self.socket.recv(min(4096, int(self.budget)))
        if not data:
            raise Closed(None)
        self.budget -= len(data)
        self.buffer += data

    def listen(self, seconds, until=lambda link: False):
        """Reads on. True when `until` has come to hold."""
        end = time.monotonic() + seconds / SPEED
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


class Slow(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(BINARY_PATH, "--seed", "7", "--lead", str(LEAD_S), "--clock-speed", str(SPEED)).__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__()

    def healthy(self, seconds, listeners=HEALTHY, form="opus"):
        """Listeners beside the slow one. Call what this returns for their report."""
        process = subprocess.Popen(
            [BINARY_PATH, "listen", self.server.url, "--format", form, "--duration", str(seconds), "--json",
             "--clock-speed", str(SPEED), "--listeners", str(listeners), "--verify"], stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True)

        def report():
            out, said = process.communicate(timeout=120 * PATIENCE)
            heard = json.loads(out)
            stood_still = heard["loop_lag_ms"]["max"]
            if stood_still > LEAD_S * 1000 / 4:
                self.skipTest(f"the listeners' own process stood still for {stood_still / 1000:.1f} s")
            for name in ("gaps", "mismatches", "decode_errors", "protocol_errors", "lost"):
                self.assertEqual(heard[name], 0, (name, heard, said))
            self.assertGreater(heard["verified"], listeners * 50)
            return heard

        return report

    def test_down_the_rungs_and_up_again(self):
        heard = self.healthy(60)
        link = Link(self.server)
        self.assertEqual(link.listen(4, lambda link: link.told("hello")), True)
        link.listen(3)
        self.assertEqual(link.rungs(), [])
        link.bytes_per_second = 56000 / 8          # carries the lowest rung alone
        self.assertTrue(link.listen(40, lambda link: 32000 in link.rungs()), link.told("codec"))
        slow = [(text["bitrate"], text["reason"]) for text in link.told("codec")]
        self.assertEqual(slow, [(64000, "slow"), (32000, "slow")])
        link.bytes_per_second = None
        self.assertTrue(link.listen(150, lambda link: link.rungs()[-1] == 128000), link.told("codec"))
        self.assertEqual([text["reason"] for text in link.told("codec")[2:]], ["recovered", "recovered"])
        self.changes_are_whole(link)
        link.abandon()
        heard()
        self.assertGreaterEqual(self.server.metric('auralis_rung_changes_total{direction="down"}'), 2)
        self.assertGreaterEqual(self.server.metric('auralis_rung_changes_total{direction="up"}'), 2)

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
        heard = self.healthy(16 * SPEED)
        closed = self.server.metric('auralis_closed_total{reason="slow"}')
        stalled = {"v2": Link(self.server), "pcm": Link(self.server, "/ws/v2?format=pcm"),
                   "v1": Link(self.server, "/ws/audio/stalled"), "v0": Link(self.server, "/ws/stream")}
        for name, link in stalled.items():
            self.assertTrue(link.listen(5, lambda link: link.texts or link.chunks), name)
        ended = []
        began = time.monotonic()

        def count():
            slow = self.server.metric('auralis_closed_total{reason="slow"}') - closed
            while len(ended) < slow:
                ended.append(time.monotonic() - began)
            return len(ended) == len(stalled)

        wait_until(count, 25, "the stalled ones are closed")
        # Real seconds. The first full socket comes when what the kernels keep has run full: a few seconds at most.
        self.assertGreaterEqual(min(ended), 6.5)
        self.assertLessEqual(max(ended), 15 + LEAD_S / SPEED)
        for name in ("v2", "pcm"):
            self.is_told_why(stalled[name])
            session = stalled[name].told("hello")[0]["session"]
            returned = Link(self.server, f"/ws/v2?session={session}")
            returned.listen(5, lambda link: link.told("hello"))
            self.assertEqual(returned.told("hello")[0]["last_close"]["code"], "SLOW")
            returned.abandon()
        for link in stalled.values():
            link.abandon()
        heard()

    def is_told_why(self, link):
        """At once when it reads again within five seconds; after that its connection has been reset."""
        try:
            link.listen(10 * SPEED)
            self.fail("not closed")
        except ConnectionResetError:
            return
        except Closed as end:
            self.assertEqual(end.code, 1008)
        goodbye, = link.told("goodbye")
        self.assertEqual(goodbye["code"], "SLOW")
        self.assertIn("was read for", goodbye["reason"])

    def test_many_who_stall_one_after_the_other_keep_nobody_waiting(self):
        """Each would keep chunks of its own. A station with eight seconds of lead has some fifty to spare."""
        heard = self.healthy(20, 2, "pcm")
        stalled = []
        for _ in range(120):
            stalled.append(Link(self.server, "/ws/v2?format=pcm"))
            time.sleep(0.1 / SPEED)
        heard()
        self.assertEqual(self.server.metric("auralis_encoding_faults_total"), 0)
        for link in stalled:
            link.abandon()

    def test_newcomers_do_not_make_others_wait(self):
        """Three hundred at once: those who listen get every chunk well within their lead, about as punctually."""
        alone = self.healthy(8)()
        heard = self.healthy(16)
        time.sleep(6 / SPEED)
        crowd = self.healthy(8, 300)()
        beside = heard()
        self.assertEqual(crowd["connected"], 300)
        self.assertLess(beside["lateness_ms"]["max"], LEAD_S * 1000 / 2, (alone, beside))
        late = [report["lateness_ms"]["p99"] for report in (alone, beside)]
        self.assertLess(late[1], 10 * late[0] + 100 * SPEED, (alone, beside))


if __name__ == "__main__":
    unittest.main()
