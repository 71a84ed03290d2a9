"""The old protocols v0 and v1 against a real server, by a client that shares no code with it.

usage: legacy_test.py BINARY [unittest options]
"""
import concurrent.futures
import json
import signal
import statistics
import sys
import time
import unittest

from legacy_client import TIERS, V0, Client, join_roughness, samples, v1
from server import Server
from websocket import BINARY as BINARY_FRAME, PING

BINARY = sys.argv.pop(1)
RECORD_S = 12
HEALTH = {"current_depth_chunks": int, "target_depth_chunks": int, "current_tier": str, "jitter_ms": (int, float),
          "underrun_rate": (int, float), "health_status": str}
PARAMETERS = {"key": str, "bpm": int, "intensity": (int, float), "melody_complexity": (int, float),
              "chord_progression_variety": (int, float), "harmonic_density": (int, float), "enable_pads": bool,
              "enable_melody": bool, "enable_kicks": bool, "enable_swells": bool}
background = {}


def record():
    """What listeners of every kind hear of one server in the same seconds. The first one finds it asleep."""
    clients = {}
    with Server(BINARY, "--seed", "7") as server:
        try:
            clients["cold"] = Client(server, V0)
            clients["cold"].wait(lambda: len(clients["cold"].audio) > 5)
            clients["v0"] = Client(server, V0)
            clients["v1"] = Client(server, v1("plain"))
            for tier in TIERS:
                clients[tier] = Client(server, v1(f"at_{tier}", buffer_tier=tier))
            clients["fixed"] = Client(server, v1("fixed"))
            clients["fixed"].say({"type": "buffer_control", "requested_tier": "normal", "timestamp": time.time()})
            time.sleep(RECORD_S)
            clients["v0"].ask({"type": "buffer_status"}, "buffer_status")
        finally:
            for client in clients.values():
                client.__exit__()
    return clients


def drain():
    """SIGTERM while both versions listen."""
    with Server(BINARY, "--seed", "3") as server:
        old, new = Client(server, V0), Client(server, v1("leaving"))
        for client in (old, new):
            client.wait(lambda: len(client.audio) > 5)
        signalled = time.time()
        server.process.send_signal(signal.SIGTERM)
        for client in (old, new):
            client.wait_closed(15)
            client.__exit__()
        status = server.process.wait(20)
    return old, new, signalled, status


def stall():
    """Clients that take nothing for a while, and one that takes less than real time."""
    with Server(BINARY, "--seed", "5") as server:
        small = {"receive_buffer": 4096}
        old, new = Client(server, V0, **small), Client(server, v1("stalled"), **small)
        slow = Client(server, v1("slow"), **small)
        slow.pause_s = 0.35
        for client in (old, new):
            client.wait(lambda: len(client.audio) > 5)
            client.may_read.clear()
        time.sleep(4)
        old.may_read.set()
        new.may_read.set()
        old.first("warning")
        new.first("error")
        time.sleep(2)
        for client in (old, new):
            client.__exit__()
        slow.wait_closed(25)
        slow.__exit__()
    return old, new, slow


def setUpModule():
    pool = concurrent.futures.ThreadPoolExecutor(3)
    for case in (record, drain, stall):
        background[case] = pool.submit(case)
    pool.shutdown(wait=False)


class Checks(unittest.TestCase):
    def assert_fields(self, message, fields):
        for name, kind in fields.items():
            self.assertIn(name, message)
            self.assertIsInstance(message[name], kind, name)
            if kind is not bool:
                self.assertNotIsInstance(message[name], bool, name)

    def assert_health(self, health):
        self.assert_fields(health, HEALTH)
        self.assertIn(health["health_status"], ("healthy", "warning", "critical"))
        self.assertEqual(health["target_depth_chunks"], TIERS[health["current_tier"]] // 100)
        self.assertGreaterEqual(health["underrun_rate"], 0)
        self.assertLessEqual(health["underrun_rate"], 1)

    def assert_v0_error(self, message, code):
        self.assert_fields(message, {"error_code": str, "message": str, "recoverable": bool})
        self.assertEqual((message["error_code"], message["recoverable"]), (code, True))

    def assert_v1_error(self, message, code):
        self.assert_fields(message, {"error_code": str, "error_message": str, "severity": str, "timestamp": float})
        self.assertEqual(message["error_code"], code)
        self.assertIn(message["severity"], ("info", "warning", "error"))

    def assert_error(self, client, message, code):
        check = self.assert_v0_error if client.heard[0].type == "connected" else self.assert_v1_error
        check(message, code)


class Shared(Checks):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(BINARY, "--seed", "7").__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__()

    def open(self, path, **options):
        client = Client(self.server, path, **options)
        self.addCleanup(client.__exit__)
        client.wait(lambda: client.heard)
        return client

    def both(self):
        return self.open(V0), self.open(v1("both"))

    def parameters(self):
        return self.server.get("/api/status")[2]["parameters"]


class Recorded(Checks):
    """What is heard in twelve seconds."""

    @classmethod
    def setUpClass(cls):
        cls.clients = background[record].result(120)

    def test_first_message_of_v0(self):
        for name in ("cold", "v0"):
            first = self.clients[name].heard[0]
            self.assertEqual(first.type, "connected")
            self.assert_fields(first.message, {"message": str, "sample_rate": int, "chunk_size_ms": int})
            self.assertEqual((first["sample_rate"], first["chunk_size_ms"]), (44100, 100))
            self.assertEqual(len(self.clients[name].all("connected")), 1)

    def test_first_message_of_v1(self):
        names = {"plain": self.clients["v1"], **{f"at_{tier}": self.clients[tier] for tier in TIERS}}
        for name, client in names.items():
            first = client.heard[0]
            tier = name[3:] if name.startswith("at_") else "normal"
            self.assertEqual(first.type, "connection_established")
            self.assert_fields(first.message, {"client_id": str, "server_time": float, "buffer_config": dict,
                                               "server_version": str})
            self.assertEqual(first["client_id"], name)
            self.assertEqual(first["buffer_config"], {"initial_tier": tier, "target_buffer_ms": TIERS[tier],
                                                      "chunk_duration_ms": 100, "samples_per_chunk": 8820})
            self.assertLess(abs(first["server_time"] - first.at), 5)

    def test_every_chunk_and_its_fields(self):
        for name, client in self.clients.items():
            is_v0 = client.heard[0].type == "connected"
            audio = client.audio
            self.assertGreater(len(audio), 90, name)
            begin = audio[0]["sequence"]
            for i, chunk in enumerate(audio):
                self.assert_fields(chunk.message, {"data": str, "timestamp": int if is_v0 else float, "sequence": int,
                                                   "sample_rate": int, "format": str})
                self.assertEqual((chunk["sample_rate"], chunk["format"]), (44100, "pcm16"))
                self.assertEqual(chunk["sequence"], begin + i, name)
                self.assertEqual(len(chunk["data"]), 23520)
                if not is_v0:
                    self.assert_fields(chunk.message, {"chunk_id": int, "buffer_depth": int, "current_tier": str})
                    self.assertEqual(chunk["chunk_id"], audio[0]["chunk_id"] + i)
                    self.assertIn(chunk["current_tier"], TIERS)
                    self.assertTrue(0 <= chunk["buffer_depth"] <= 100, chunk["buffer_depth"])
            self.assertGreater(sum(chunk["buffer_depth"] for chunk in audio) if not is_v0 else 1, 0)
            self.assertEqual(len(samples(audio[0]["data"])), 8820)

    def steps_ms(self, client):
        """Milliseconds from each chunk's timestamp to the next one's."""
        per_ms = 1 if client.heard[0].type == "connected" else 1000
        times = [chunk["timestamp"] * per_ms for chunk in client.audio]
        return [after - before for before, after in zip(times, times[1:])]

    def test_pace_of_a_tier_that_stays(self):
        """One chunk each 100 ms at the client's phase for over ten seconds, told by the due times."""
        for name in ("minimal", "fixed"):
            steps = self.steps_ms(self.clients[name])
            self.assertGreater(len(steps), 105)
            self.assertEqual([step for step in steps if abs(step - 100) > 10], [], name)
            self.assertAlmostEqual(sum(steps), 100 * len(steps), delta=2)

    def test_pace_where_tiers_move(self):
        """A move to another tier shifts the due times once, by what the targets differ."""
        for name in ("v1", "normal", "stable", "defensive"):
            audio = self.clients[name].audio
            for before, after, step in zip(audio, audio[1:], self.steps_ms(self.clients[name])):
                moved = TIERS[before["current_tier"]] - TIERS[after["current_tier"]]
                self.assertLess(abs(step - 100 - moved), 10, (name, after["sequence"]))
            self.assertEqual(audio[0]["current_tier"], "normal" if name == "v1" else name)
        for name in ("v0", "cold"):
            uneven = [step for step in self.steps_ms(self.clients[name]) if abs(step - 100) > 10]
            self.assertLessEqual(len(uneven), 1, name)
            for step in uneven:
                self.assertLess(abs(step - 300), 10, name)

    def test_never_early_and_nothing_left_behind(self):
        for name, client in self.clients.items():
            per_s = 1000 if client.heard[0].type == "connected" else 1
            late = sorted(chunk.at - chunk["timestamp"] / per_s for chunk in client.audio[15:])
            self.assertGreater(late[0], -0.01, name)
            self.assertLess(late[len(late) // 2], 0.2, name)

    def test_burst(self):
        """At once comes as much as the tier wants the client to hold."""
        for name in ("v1", *TIERS):
            client = self.clients[name]
            joined = client.heard[0]["server_time"]
            tier = "normal" if name == "v1" else name
            burst = [chunk for chunk in client.audio[:20] if chunk["timestamp"] <= joined]
            self.assertEqual(len(burst) * 100, TIERS[tier], name)
            self.assertLess(burst[-1].at - client.heard[0].at, 1, name)
        for name in ("v0", "cold"):
            client = self.clients[name]
            # What was due when it came; how long it took until the first was there is the machine's affair.
            at_least, at_most = (sum(chunk["timestamp"] <= at * 1000 for chunk in client.audio)
                                 for at in (client.since, client.audio[0].at + 0.01))
            self.assertLessEqual(at_least, 6, name)
            self.assertGreaterEqual(at_most, 5, name)

    def test_reports(self):
        client = self.clients["v1"]
        joined = client.heard[0]["server_time"]
        reports = client.all("buffer_status")
        self.assertGreaterEqual(len(reports), 2)
        times = [joined] + [report["timestamp"] for report in reports]
        for before, after in zip(times, times[1:]):
            self.assertLess(abs(after - before - 5), 1)
        for report in reports:
            self.assert_fields(report.message, {"client_id": str, "timestamp": float, "buffer_health": dict,
                                                "performance": dict})
            self.assertEqual(report["client_id"], "plain")
            self.assert_health(report["buffer_health"])
            self.assert_fields(report["performance"], {"chunks_sent": int, "bytes_sent": int, "underruns": int,
                                                       "connection_uptime_sec": (int, float)})
            before = [chunk for chunk in client.audio if chunk.at <= report.at]
            sent = report["performance"]["chunks_sent"]
            self.assertLess(abs(sent - len(before)), 3)
            self.assertGreater(report["performance"]["bytes_sent"], sent * 23520)
            uptime = report["performance"]["connection_uptime_sec"]
            self.assertLess(abs(uptime - (report["timestamp"] - joined)), 0.5)

    def test_v0_status_of_its_buffer(self):
        status = self.clients["v0"].all("buffer_status")[0].message
        self.assert_fields(status, {"depth_ms": (int, float)})
        self.assert_health(status)
        self.assertLessEqual(status["depth_ms"], TIERS[status["current_tier"]] + 100)
        self.assertGreater(status["depth_ms"], 0)

    def test_chunks_join_without_a_click(self):
        for name in ("v0", "defensive"):
            sound = [samples(chunk["data"]) for chunk in self.clients[name].audio]
            self.assertGreater(max(max(chunk) for chunk in sound), 300, "silence")
            joins = [join_roughness(*pair) for pair in zip(sound, sound[1:])]
            self.assertLess(max(joins), 3, name)
            self.assertLess(statistics.median(joins), 0.6, name)
            planted = [join_roughness(*pair) for pair in zip(sound, sound[2:])]
            self.assertGreater(statistics.median(planted), 2 * max(joins), "a missing chunk is not noticed")

    def test_all_hear_the_same(self):
        """The same moment carries the same samples for every client, at times that differ by phase and tier."""
        moments = {}
        for name, client in self.clients.items():
            per_s = 1000 if client.heard[0].type == "connected" else 1
            moments[name] = {chunk["data"]: chunk["timestamp"] / per_s for chunk in client.audio}
            self.assertEqual(len(moments[name]), len(client.audio), "the same chunk twice")
        for name, own in moments.items():
            shared = [data for data in own if data in moments["v0"]]
            self.assertGreater(len(shared), 85, name)
            order = [chunk["data"] for chunk in self.clients["v0"].audio]
            places = [order.index(data) for data in shared]
            self.assertEqual(places, list(range(places[0], places[0] + len(places))), name)
            for data in shared:
                self.assertLess(abs(own[data] - moments["v0"][data]), 1.2 - 0.3 + 0.11, name)


class Talk(Shared):
    def test_ping(self):
        for client in self.both():
            for number in (0, 1700000000123, 1700000000.123456, -5):
                pong = client.ask({"type": "ping", "client_time": number}, "pong")
                self.assertEqual(pong["client_time"], number)
                self.assertIsInstance(pong["client_time"], type(number))
                self.assertIsInstance(pong["server_time"], int)
                self.assertLess(abs(pong["server_time"] / 1000 - pong.at), 5)
            client.websocket.send(b"still there?", PING)
            client.wait(lambda: client.pongs == [b"still there?"])

    def test_v0_buffer_status(self):
        client = self.open(V0)
        client.wait(lambda: len(client.audio) >= 8)
        status = client.ask({"type": "buffer_status"}, "buffer_status").message
        self.assert_fields(status, {"depth_ms": (int, float)})
        self.assert_health(status)
        self.assertEqual((status["current_tier"], status["target_depth_chunks"]), ("normal", 5))
        self.assertTrue(350 <= status["depth_ms"] <= 600, status)

    def test_buffer_control(self):
        """Up is filled at once and costs no token, down waits; the answer names both tiers in time."""
        client = self.open(v1("mover"))
        client.wait(lambda: len(client.audio) >= 8)
        tier = "normal"
        for wanted in ("defensive", "minimal", "defensive", "minimal", "stable"):
            client.say({"type": "ping", "client_time": 1})
            skip = len(client.all("pong"))
            ack = client.ask({"type": "buffer_control", "requested_tier": wanted, "timestamp": time.time()},
                             "buffer_control_ack")
            asked = client.all("pong")[-1]["server_time"] / 1000
            self.assertLessEqual(skip, len(client.all("pong")))
            self.assert_fields(ack.message, {"previous_tier": str, "new_tier": str, "timestamp": float})
            self.assertEqual((ack["previous_tier"], ack["new_tier"]), (tier, wanted))
            self.assertTrue(-0.002 <= ack["timestamp"] - asked <= 0.1, ack["timestamp"] - asked)
            moved = client.wait(lambda: [c for c in client.audio if c["current_tier"] == wanted and c.at >= ack.at],
                                what="no chunk of the new tier")
            extra = (TIERS[wanted] - TIERS[tier]) // 100
            if extra > 0:
                last = moved[0]["chunk_id"] + extra - 1
                filled = client.wait(lambda: [c for c in client.audio if c["chunk_id"] == last])[0]
                self.assertLess(filled["timestamp"], ack["timestamp"] + 0.001)
            tier = wanted
            time.sleep(1.01)
        ids = [chunk["chunk_id"] for chunk in client.audio]
        self.assertEqual(ids, list(range(ids[0], ids[0] + len(ids))))
        self.assertIsNone(client.closed)

    def test_buffer_control_too_often(self):
        client = self.open(v1("hasty"))
        message = {"type": "buffer_control", "requested_tier": "stable", "timestamp": 0}
        ack = client.ask(message, "buffer_control_ack")
        for wait_s in (0, 0.5):
            time.sleep(wait_s)
            error = client.ask({**message, "requested_tier": "minimal"}, "error")
            self.assert_v1_error(error.message, "RATE_LIMIT_EXCEEDED")
            self.assertLess(error["timestamp"] - ack["timestamp"], 1)
        client.wait(lambda: len(client.audio) >= 12)
        self.assertEqual(client.audio[-1]["current_tier"], "stable")
        time.sleep(0.6)
        self.assertEqual(client.ask(message, "buffer_control_ack")["previous_tier"], "stable")

    def test_broken_messages(self):
        """The third one closes."""
        for broken in (("{", "[]", '"ping"'), ('{"type":5}', '{"kind":"ping"}', "null"),
                       ('{"type":"dance"}', '{"type":"audio"}', '{"type":"PING"}'),
                       ('{"type":"ping"} x', "\x00", '{"type":"ping","type":"ping"}')):
            for client in self.both():
                for i, text in enumerate(broken):
                    self.assert_error(client, client.ask(text, "error").message, "INVALID_MESSAGE")
                    if i < 2:
                        client.ask({"type": "ping", "client_time": i}, "pong")
                self.assertEqual(client.wait_closed(), 1008, broken)

    def test_wrong_tiers_and_binary(self):
        client = self.open(v1("wrong"))
        for message in ({"type": "buffer_control"}, {"type": "buffer_control", "requested_tier": "huge"}):
            self.assert_v1_error(client.ask(message, "error").message, "INVALID_MESSAGE")
        client.websocket.send(b"\x00\x01", BINARY_FRAME)
        self.assert_v1_error(client.first("error", skip=2).message, "INVALID_MESSAGE")
        self.assertEqual(client.wait_closed(), 1008)

    def test_size_of_messages(self):
        """1 KiB is read; more is answered, then closed as too big."""
        for client in self.both():
            fits = json.dumps({"type": "ping", "client_time": 7})
            self.assertEqual(client.ask(fits + " " * (1024 - len(fits)), "pong")["client_time"], 7)
            client.say(fits + " " * (1025 - len(fits)))
            self.assert_error(client, client.first("error").message, "INVALID_MESSAGE")
            self.assertEqual(client.wait_closed(), 1009)

    def test_too_many_messages(self):
        client = self.open(v1("flood"))
        for i in range(80):
            try:
                client.say({"type": "ping", "client_time": i})
            except OSError:
                break
        self.assert_v1_error(client.first("error").message, "RATE_LIMIT_EXCEEDED")
        self.assertEqual(client.wait_closed(), 1008)

    def test_close_and_protocol_errors(self):
        for code in (1000, 1001):
            for client in self.both():
                client.websocket.send_close(code)
                self.assertEqual(client.wait_closed(), code)
        for frame in ({"payload": "{}", "masked": False}, {"payload": "", "opcode": 3},
                      {"payload": "", "opcode": PING, "final": False}):
            for client in self.both():
                client.websocket.send(**frame)
                self.assertEqual(client.wait_closed(), 1002, frame)


class Control(Shared):
    def test_control_and_status_to_all(self):
        """Whoever turns a knob, in whatever way: every v0 client hears of it."""
        others = [self.open(V0) for _ in range(2)]
        old, new = self.both()
        wishes = (
            (lambda wish: old.ask({"type": "control", **wish}, "control_ack"),
             {"key": "f# major", "bpm": 88, "intensity": 1, "enable_kicks": False}),
            (lambda wish: new.ask({"type": "control", **wish}, "control_ack"),
             {"melody_complexity": 0.9, "intensity": 0.2, "enable_kicks": True}),
            (lambda wish: self.server.post("/api/control", wish), {"harmonic_density": 0.25}))
        for i, (say, wish) in enumerate(wishes):
            answer = say(wish)
            if i < 2:
                self.assert_fields(answer.message, {"message": str, "updated_fields": list})
                self.assertEqual(set(answer["updated_fields"]), set(wish))
            for client in (*others, old):
                status = client.first("status", skip=i)
                self.assertEqual(status["message"], "Parameters updated")
                self.assert_fields(status["parameters"], PARAMETERS)
                self.assertIsInstance(status["warnings"], list)
                self.assertEqual(len(status["warnings"]), 0 if i == 0 else 1)
                self.assertEqual(status["parameters"], self.parameters())
                for name, value in wish.items():
                    told = status["parameters"][name]
                    self.assertEqual(told.lower() if name == "key" else told, value, name)
        self.server.post("/api/control", {"melody_complexity": 0.5, "intensity": 0.5})
        for client in (*others, old):
            client.first("status", skip=3)
            self.assertEqual(len(client.all("status")), 4)

    def test_refused_parameters(self):
        before = self.parameters()
        old, new = self.both()
        seen = len(old.all("status"))
        for wish in ({"bpm": 39}, {"bpm": 121}, {"bpm": 0}, {"bpm": "70"}, {"bpm": 70.5}, {"bpm": True},
                     {"intensity": 1.001}, {"intensity": -0.1}, {"intensity": "0.5"}, {"melody_complexity": None},
                     {"chord_progression_variety": 2}, {"harmonic_density": [0.5]}, {"enable_pads": 1},
                     {"enable_melody": "true"}, {"enable_swells": None}, {"key": "H"}, {"key": ""},
                     {"key": "A#b"}, {"key": "C dorian"}, {"bpm": 60, "intensity": 7}):
            for client in (old, new):
                error = client.ask({"type": "control", **wish}, "error").message
                self.assert_error(client, error, "INVALID_PARAMETERS")
                self.assertIn(list(wish)[-1], error["message"])
        for text in ('{"type":"control","intensity":NaN}', '{"type":"control","intensity":1e999}'):
            self.assertEqual(old.ask(text, "error")["error_code"], "INVALID_MESSAGE")
        self.assertEqual(self.parameters(), before)
        self.assertEqual(len(old.all("status")), seen)
        self.assertIsNone(old.closed)

    def test_keys(self):
        client = self.open(V0)
        for key in ("A", "g", "C#", "Bb", "e minor", "Eb MAJOR", "F# Major"):
            client.ask({"type": "control", "key": key}, "control_ack")
            told = self.parameters()["key"].lower()
            self.assertIn(told, (key.lower(), key.lower().removesuffix(" minor"), key.lower() + " minor"))
        client.ask({"type": "control", "key": "A"}, "control_ack")


class Slow(Checks):
    @classmethod
    def setUpClass(cls):
        cls.old, cls.new, cls.slow = background[stall].result(120)

    def test_moved_to_a_safe_position(self):
        for client, name in ((self.old, "sequence"), (self.new, "chunk_id")):
            ids = [chunk[name] for chunk in client.audio]
            self.assertEqual(ids, list(range(ids[0], ids[0] + len(ids))))
            per_s = 1000 if client is self.old else 1
            self.assertLess(client.audio[-1].at - client.audio[-1]["timestamp"] / per_s, 1)
            self.assertIsNone(client.closed)
        self.assertIsInstance(self.old.all("warning")[0]["message"], str)
        overruns = [error for error in self.new.all("error") if error["error_code"] != "SERVER_OVERLOAD"]
        self.assert_v1_error(overruns[0].message, "BUFFER_OVERRUN")
        self.assertGreater(max(map(self.left_out_s, overruns)), 0.5, "nothing was left out")

    def left_out_s(self, error):
        """From the chunk before it to the one after it."""
        at = self.new.heard.index(error)
        before, after = ([h for h in part if h.type == "audio"] for part in (self.new.heard[:at], self.new.heard[at:]))
        return after[0]["timestamp"] - before[-1]["timestamp"] if before and after else 0

    def test_too_slow_for_too_long(self):
        self.assert_v1_error(self.slow.all("error")[-1].message, "PERSISTENT_UNDERRUNS")
        self.assertEqual(self.slow.closed, 1008)


class Shutdown(Checks):
    def test_drain(self):
        old, new, signalled, status = background[drain].result(120)
        self.assertEqual((old.closed, new.closed, status), (1000, 1000, 0))
        warning = new.all("shutdown_warning")
        self.assertEqual(len(warning), 1)
        self.assert_fields(warning[0].message, {"reason": str, "drain_period_sec": float, "timestamp": float})
        self.assertEqual(warning[0]["drain_period_sec"], 5.0)
        self.assertTrue(-0.1 < warning[0]["timestamp"] - signalled < 5)
        self.assertEqual(len(old.all("warning")), 1)
        for client, name in ((old, "sequence"), (new, "chunk_id")):
            ids = [chunk[name] for chunk in client.audio]
            self.assertEqual(ids, list(range(ids[0], ids[0] + len(ids))))
            self.assertGreater(len([chunk for chunk in client.audio if chunk.at > signalled]), 40)


if __name__ == "__main__":
    unittest.main()
