"""Ranges and previews of a real server: bit by bit what was heard, or what a render of its log says.

usage: range_test.py BINARY [unittest options]
"""
import json
import pathlib
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from long_way import HERE, LongWay
from server import INSTRUMENTED, Server, wait_until
from websocket import BINARY as BINARY_FRAME
from websocket import TEXT, WebSocket

BINARY = sys.argv.pop(1)
CHUNK, RATE = 4800, 48000
PREROLL, ASIDE = 4, 32


class Message:
    """A binary message of protocol v2."""

    def __init__(self, data):
        version, self.codec, self.flags, packets, self.generation, self.frame, self.frames = \
            struct.unpack("<BBBBIQI", data[:20])
        assert version == 2, version
        self.body = data[20:]          # lengths and payload
        self.sound = data[20 + 2 * packets:]


class Client:
    def __init__(self, server, query="", host=None):
        self.socket = WebSocket(host or server.host, server.port, "/ws/v2" + query, timeout=60)
        self.hello = self.text("hello")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.abandon()

    def say(self, **message):
        self.socket.send(json.dumps(message))

    def next(self):
        """The next text, parsed, or binary message; pings are passed over."""
        opcode, data = self.socket.receive()
        while opcode not in (TEXT, BINARY_FRAME):
            opcode, data = self.socket.receive()
        return Message(data) if opcode == BINARY_FRAME else json.loads(data)

    def text(self, *types):
        while True:
            got = self.next()
            if isinstance(got, dict) and got["type"] in types:
                return got

    def ask(self, **wish):
        """The answer, and all that belongs to it; what is on air meanwhile. An error is an answer too."""
        self.say(**wish)
        aside, live = [], []
        answer = None
        while True:
            got = self.next()
            if isinstance(got, Message):
                (aside if got.flags & ASIDE else live).append(got)
            elif got["type"] in ("range", "preview"):
                answer = got
            elif got["type"] == "range_end":
                assert got.get("id") == wish.get("id"), got
                return answer, got["reason"], aside, live
            elif got["type"] == "error":
                return got, "error", [], live

    def collect(self, seconds):
        """What is heard of so much: by frame, as it stood when it came last."""
        heard, end = {}, time.monotonic() + seconds
        while time.monotonic() < end:
            got = self.next()
            if isinstance(got, Message) and not got.flags & PREROLL:
                heard[got.frame] = got
        return heard


def render(server, first_frame, seconds):
    """What a render of the programme in the data directory says, as 16-bit samples."""
    with tempfile.TemporaryDirectory() as directory:
        out = pathlib.Path(directory) / "out.wav"
        done = subprocess.run([BINARY, "render", "--quiet", "--data-dir", server.data_dir, "--from", str(first_frame),
                               "--duration", str(seconds), "--out", out], capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        return out.read_bytes()[44:]


def playhead(client):
    client.say(type="ping", t0=0)
    return int(client.text("pong")["t1_ms"] * RATE / 1000)


class Ranges(unittest.TestCase):
    def check_whole(self, answer, reason, aside):
        """All chunks are there, in order, those before `from_frame` to be dropped."""
        self.assertEqual(reason, "done", answer)
        before = min(4 * CHUNK, answer["from_frame"]) if answer["format"] == "opus" else 0
        self.assertEqual([message.frame for message in aside],
                         list(range(answer["from_frame"] - before, answer["to_frame"], CHUNK)))
        for message in aside:
            self.assertEqual(bool(message.flags & PREROLL), message.frame < answer["from_frame"])

    def test_what_was_heard_comes_again(self):
        """Changes included; packets and samples the same, whoever asks, on whichever connection."""
        for form in ("opus", "pcm"):
            with Server(BINARY, "--seed", "9", "--lead", "3") as server, Client(server, f"?format={form}") as listener:
                heard = listener.collect(1.5)
                for intensity in (0.9, 0.2):
                    self.assertEqual(server.post("/api/control", {"intensity": intensity})[0], 200)
                    heard.update(listener.collect(1.5))
                first, last = min(heard), max(heard)
                for client in (listener, Client(server, "?format=opus")):
                    answer, reason, aside, live = client.ask(type="range", id="again", from_frame=first, format=form,
                                                             frames=last + CHUNK - first)
                    self.check_whole(answer, reason, aside)
                    self.assertEqual(answer["id"], "again")
                    same = [message.body == heard[message.frame].body for message in aside if message.frame >= first]
                    self.assertGreater(len(same), 30)
                    self.assertTrue(all(same), same)

    def test_any_moment_is_as_a_render_of_it(self):
        """Minutes and an hour ahead, across an epoch, at the beginning."""
        with Server(BINARY, "--seed", "10") as server, Client(server, "?bitrate=32000") as client:
            for first in (0, 20 * RATE) if INSTRUMENTED else (0, 598 * RATE, 3600 * RATE):
                answer, reason, aside, live = client.ask(type="range", from_frame=first, frames=4 * RATE, format="pcm")
                self.check_whole(answer, reason, aside)
                self.assertEqual(b"".join(message.sound for message in aside), render(server, first, 4))

    def test_a_preview_is_what_a_change_would_make(self):
        with Server(BINARY, "--seed", "11", "--lead", "2") as server, Client(server, "?format=pcm") as client:
            client.collect(1)
            before = server.get("/api/status")[2]["parameters"]
            wish = {"intensity": 1.0, "harmonic_density": 1.0, "bpm": 90, "texture": 0.9}
            answer, reason, aside, live = client.ask(type="preview", frames=5 * RATE, parameters=wish)
            self.check_whole(answer, reason, aside)
            for name, value in wish.items():
                self.assertEqual(answer["parameters"][name], value)
            self.assertEqual(server.get("/api/status")[2]["parameters"], before)
            sound = b"".join(message.sound for message in aside)
            plain = render(server, answer["from_frame"], 5)
            head = (answer["at_frame"] - 960 - answer["from_frame"]) * 4
            self.assertEqual(sound[:head], plain[:head])
            self.assertNotEqual(sound[:len(plain)], plain)
            # The log, with the change in it at that frame, rendered from a file.
            log = server.get("/api/stations/main/log")[2]
            log["entries"].append({"sequence": 1, "at_frame": answer["at_frame"], "wake_frame": 0,
                                   "parameters": answer["parameters"]})
            with tempfile.TemporaryDirectory() as directory:
                path, out = pathlib.Path(directory) / "log.json", pathlib.Path(directory) / "out.wav"
                path.write_text(json.dumps(log))
                done = subprocess.run([BINARY, "render", "--quiet", "--log", path, "--from", str(answer["from_frame"]),
                                       "--duration", "5", "--out", out], capture_output=True, text=True, timeout=60)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertEqual(sound[:5 * RATE * 4], out.read_bytes()[44:])

    def test_what_is_on_air_is_not_disturbed(self):
        """Eight are made at once, others share or are refused; whoever listens misses nothing."""
        with Server(BINARY, "--seed", "12") as server:
            listening = subprocess.Popen([BINARY, "listen", server.url, "--listeners", "20", "--duration", "12",
                                          "--verify", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                         text=True)
            ends = []

            def ask(number):
                with Client(server) as client:
                    answer, reason, aside, live = client.ask(type="range", from_frame=(20 + number % 12) * RATE,
                                                             frames=20 * RATE)
                    ends.append(answer["code"] if reason == "error" else reason)
                    if reason != "error":
                        self.check_whole(answer, reason, aside)

            threads = [threading.Thread(target=ask, args=(number,)) for number in range(24)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            out, said = listening.communicate(timeout=120)
            report = json.loads(out)
            self.assertEqual(listening.returncode, 0, said)
            self.assertEqual((report["gaps"], report["mismatches"]), (0, 0), report)
            self.assertEqual(len(ends), 24)
            self.assertGreaterEqual(ends.count("done"), 8, ends)
            self.assertEqual(set(ends) - {"done", "BUSY"}, set())
            wait_until(lambda: server.metric("auralis_ranges_under_way") == 0, 20, "all are made")
            self.assertEqual(server.metric("auralis_ranges_total"), ends.count("done"))
            self.assertEqual(server.metric("auralis_ranges_refused_total"), ends.count("BUSY"))

    def test_who_goes_costs_nothing_more(self):
        with Server(BINARY, "--seed", "13") as server:
            with Client(server) as client:
                client.say(type="range", from_frame=599 * RATE, frames=100 * RATE)
                client.text("range")
            wait_until(lambda: server.metric("auralis_ranges_bytes") == 0, 20, "it is given up")
            wait_until(lambda: server.metric("auralis_ranges_under_way") == 0, 20, "its maker is free")

    def test_a_long_round_trip_is_no_slowness(self):
        """Beside PCM on air, of which much is always on its way; and paused."""
        try:
            way = LongWay(0.06).__enter__()
        except (OSError, subprocess.CalledProcessError) as fault:
            self.skipTest(f"no long way here: {fault}")
        self.addCleanup(way.__exit__)
        with Server(BINARY, "--seed", "14", "--lead", "3", listen="0.0.0.0:0") as server:
            for query, pauses in (("?format=pcm", False), ("?format=opus", True)):
                with way.from_afar():
                    client = Client(server, query, HERE)
                with client:
                    if pauses:
                        client.say(type="pause")
                    answer, reason, aside, live = client.ask(type="range", from_frame=0, frames=3 * RATE, format="pcm")
                    self.check_whole(answer, reason, aside)
            self.assertEqual(server.metric("auralis_skips_total"), 0)

    def test_an_address_has_its_share(self):
        with Server(BINARY, "--limit-loopback", "on") as server, Client(server) as client:
            answer, reason, aside, live = client.ask(type="range", from_frame=0, frames=60 * RATE, bitrate=32000)
            self.check_whole(answer, reason, aside)
            answer, reason, *_ = client.ask(type="range", from_frame=0, frames=61 * RATE)
            self.assertEqual((reason, answer["code"]), ("error", "RATE_LIMIT_EXCEEDED"))
            self.assertGreater(answer["retry_ms"], 1000)


if __name__ == "__main__":
    unittest.main()
