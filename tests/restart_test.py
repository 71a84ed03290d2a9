"""A server that was killed goes on where it was: the same programme, the same changes, at the right frame, and who
listens hears nothing of it.

usage: restart_test.py BINARY [--kills N] [--listeners N] [--restarts N] [--tls] [unittest options]

--kills: so many times a server is killed under changes, 12 if not given. --listeners: so many hear Opus while one is
killed, 5 if not given, --restarts times, 2 if not given, eleven seconds apart; --tls: over TLS.
"""
import contextlib
import json
import pathlib
import random
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from server import INSTRUMENTED, Server, wait_until
from websocket import TEXT, Closed, WebSocket

BINARY = sys.argv.pop(1)


def number_of(flag, usual):
    if flag not in sys.argv:
        return usual
    at = sys.argv.index(flag)
    number = int(sys.argv[at + 1])
    del sys.argv[at:at + 2]
    return number


KILLS, LISTENERS, RESTARTS = number_of("--kills", 12), number_of("--listeners", 5), number_of("--restarts", 2)
TLS = "--tls" in sys.argv
if TLS:
    sys.argv.remove("--tls")


def log_of(server):
    return server.get("/api/stations/main/log")[2]


def frame_of(server):
    return server.get("/api/stations")[2]["stations"][0]["frame"]


class Restarts(unittest.TestCase):
    def setUp(self):
        self.data_dir = tempfile.mkdtemp(prefix="auralis-restart-test-")
        self.addCleanup(shutil.rmtree, self.data_dir, ignore_errors=True)

    def server(self, *options, listen="127.0.0.1:0"):
        return Server(BINARY, *options, data_dir=self.data_dir, listen=listen)

    def kill(self, server):
        server.process.kill()
        server.process.wait()

    def begin(self, *options):
        """A programme with a change, killed. Returns its log."""
        with self.server(*options) as server:
            self.assertEqual(server.post("/api/control", {"bpm": 81})[0], 200)
            log = log_of(server)
            self.kill(server)
        return log

    def test_it_goes_on_at_the_right_frame_with_all_changes(self):
        with self.server() as server:
            self.assertEqual(server.post("/api/control", {"bpm": 81})[0], 200)
            self.assertEqual(server.post("/api/control", {"scene": "sleep"})[0], 200)
            log, frame, at = log_of(server), frame_of(server), time.monotonic()
            self.kill(server)
        with self.server() as server:
            passed = (frame_of(server) - frame) / 48000 - (time.monotonic() - at)
            self.assertLess(abs(passed), 5)
            self.assertEqual(log_of(server), log)
            wait_until(lambda: "goes on" in server.log(), 10, "it is said")
            self.assertEqual([change["parameter"] for change in server.get("/api/history")[2]["history"]][:1], ["bpm"])
            self.assertEqual(server.post("/api/history/undo")[2]["parameters"]["scene"], "drift")
            self.assertEqual(log_of(server)["entries"][3]["sequence"], 3)

    def test_another_seed_or_a_wish_for_it_begins_another_programme(self):
        log = self.begin("--seed", "5")
        with self.server("--seed", "5") as server:
            self.assertEqual(log_of(server), log)
        for options in (["--seed", "6"], ["--fresh"], ["--fresh", "--seed", "6"]):
            with self.subTest(options):
                with self.server(*options) as server:
                    self.assertEqual(len(log_of(server)["entries"]), 1)
                    self.assertLess(frame_of(server), 48000 * 60)
                    self.assertEqual(server.post("/api/control", {"bpm": 60})[0], 200)

    def test_a_start_that_fails_forgets_nothing(self):
        log = self.begin("--seed", "5")
        done = subprocess.run([BINARY, "serve", "--fresh", "--listen", "192.0.2.1:0", "--data-dir", self.data_dir],
                              capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 1)
        with self.server() as server:
            self.assertEqual(log_of(server), log)

    def test_how_a_programme_begins_is_said_to_be_of_no_use_to_one_that_goes_on(self):
        self.begin()
        with self.server("--scene", "sleep") as server:
            wait_until(lambda: "--scene is for one that begins" in server.log(), 10, "it is said")
            self.assertEqual(server.get("/api/status")[2]["parameters"]["scene"], "drift")
        with self.server("--scene", "sleep", "--fresh") as server:
            self.assertEqual(server.get("/api/status")[2]["parameters"]["scene"], "sleep")

    def test_what_cannot_be_read_is_told_and_another_programme_begins(self):
        self.begin()
        with sqlite3.connect(pathlib.Path(self.data_dir) / "auralis.db") as database:
            database.execute("DELETE FROM changes")
            database.execute("INSERT INTO changes VALUES ('main', 2, 960, 0, '{}', 0)")
        with self.server() as server:
            wait_until(lambda: "cannot be read" in server.log(), 10, "it is said")
            self.assertEqual(len(log_of(server)["entries"]), 1)

    def test_after_another_boot_unix_time_tells_the_frame(self):
        self.begin()
        with sqlite3.connect(pathlib.Path(self.data_dir) / "auralis.db") as database:
            database.execute("UPDATE stations SET boot_id = 'another', origin_boot_ns = 0,"
                             " origin_unix_ns = origin_unix_ns - 3600 * 1000000000")
        with self.server() as server:
            self.assertAlmostEqual(frame_of(server) / 48000, 3600, delta=30)

    def test_what_was_heard_can_be_rendered_from_the_data_directory(self):
        """While the server runs, and after it was killed; changes included, from any frame."""
        with tempfile.TemporaryDirectory() as directory, self.server() as server:
            heard, again = pathlib.Path(directory) / "heard.wav", pathlib.Path(directory) / "again.wav"
            listening = subprocess.Popen([BINARY, "listen", server.url, "--format", "pcm", "--duration", "6", "--json",
                                          "--out", heard], stdout=subprocess.PIPE, text=True)
            for intensity in (0.9, 0.1):
                time.sleep(2)
                self.assertEqual(server.post("/api/control", {"intensity": intensity})[0], 200)
            listening.communicate(timeout=60)
            sound = heard.read_bytes()[44:]
            middle = sound[len(sound) // 4 // 4 * 4:][:200000]

            def render(first_frame):
                done = subprocess.run([BINARY, "render", "--quiet", "--data-dir", self.data_dir, "--from",
                                       str(first_frame), "--duration", "12", "--out", again], capture_output=True,
                                      text=True, timeout=60)
                self.assertEqual(done.returncode, 0, done.stderr)
                return again.read_bytes()[44:]

            for running in (True, False):
                if not running:
                    self.kill(server)
                for first_frame in (0, 1, 4801):
                    at = render(first_frame).find(middle)
                    self.assertGreaterEqual(at, 0, f"what was heard is not in what is rendered from {first_frame}")
                    self.assertEqual(at % 4, 0)

    def test_what_cannot_be_rendered_from_a_data_directory_is_told(self):
        self.begin()
        for status, said, *options in ((1, "no server has kept", "--data-dir", "/nowhere"),
                                       (1, "no server has kept", "--data-dir", self.data_dir, "--station", "other"),
                                       (2, "brings its own mood", "--data-dir", self.data_dir, "--scene", "sleep"),
                                       (2, "one of them is enough", "--data-dir", self.data_dir, "--log", "x"),
                                       (2, "is no frame", "--from", "-5")):
            with self.subTest(options):
                done = subprocess.run([BINARY, "render", "--hash", *options], capture_output=True, text=True,
                                      timeout=60)
                self.assertEqual((done.returncode, done.stdout), (status, ""), done.stderr)
                self.assertIn(said, done.stderr)
                self.assertEqual(len(done.stderr.splitlines()), 1)

    def knock(self, server, refused):
        """Asks again and again, as a browser would, until the test is over."""
        over = threading.Event()

        def ask():
            while not over.wait(0.02):
                try:
                    status, _, _ = server.get("/")
                    if status != 200:
                        refused.append(status)
                except OSError as fault:
                    refused.append(fault)

        thread = threading.Thread(target=ask, daemon=True)
        thread.start()
        self.addCleanup(over.set)
        return over, thread

    def test_another_server_takes_its_place(self):
        """Nobody is refused meanwhile, and nobody hears it."""
        with self.server("--seed", "5") as old:
            listening = subprocess.Popen([BINARY, "listen", old.url, "--listeners", "5", "--duration", "30", "--verify",
                                          "--reconnect", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                         text=True)
            self.addCleanup(listening.kill)
            time.sleep(12)
            self.assertEqual(old.post("/api/control", {"intensity": 0.9})[0], 200)
            log, refused = log_of(old), []
            over, knocking = self.knock(old, refused)
            with self.server("--seed", "5", "--takeover", listen="127.0.0.1:1") as new:
                self.assertEqual(new.port, old.port)
                self.assertIn("--listen 127.0.0.1:1 is for one", new.log())
                self.assertEqual(log_of(new), log)
                self.assertEqual(old.process.wait(40), 0)
                self.assertEqual(new.post("/api/control", {"intensity": 0.2})[0], 200)
                out, said = listening.communicate(timeout=120)
                report = json.loads(out)
                for name in ("gaps", "decode_errors", "protocol_errors", "mismatches", "lost", "stale",
                             *(() if INSTRUMENTED else ("dry",))):
                    self.assertEqual(report[name], 0, (name, said, report))
                self.assertEqual(report["resumes"], 5, report)
                with self.server("--takeover") as third:   # and again
                    self.assertEqual(new.process.wait(40), 0)
                    self.assertEqual(len(log_of(third)["entries"]), 3)
                    over.set()
                    knocking.join()
                    self.assertEqual(refused, [])

    def test_one_that_cannot_take_its_place_leaves_it_there(self):
        """Whoever asks and then ends without a word: the server goes on as if nothing had been."""
        with self.server() as server:
            self.assertEqual(server.post("/api/control", {"bpm": 81})[0], 200)
            with socket.socket(socket.AF_UNIX) as asker:
                asker.connect(f"{self.data_dir}/auralis.sock")
                wait_until(lambda: "is taking our place" in server.log(), 10, "it is asked")
                self.assertEqual(server.post("/api/control", {"bpm": 82})[0], 503)
                self.assertEqual(server.get("/api/health")[0], 200)
            wait_until(lambda: "has gone" in server.log(), 10, "it is told")
            wait_until(lambda: server.post("/api/control", {"bpm": 83})[0] == 200, 10, "changes are taken again")
            self.assertEqual([entry["parameters"]["bpm"] for entry in log_of(server)["entries"]], [70, 81, 83])
            done = subprocess.run([BINARY, "serve", "--takeover", "--tls-cert", "/nowhere", "--tls-key", "/nowhere",
                                   "--data-dir", self.data_dir], capture_output=True, text=True, timeout=60)
            self.assertEqual(done.returncode, 1, done.stderr)
            wait_until(lambda: server.post("/api/control", {"bpm": 84})[0] == 200, 10, "changes are taken again")
            self.assertIsNone(server.process.poll())

    def test_with_nobody_there_a_takeover_is_a_start(self):
        log = self.begin()
        with self.server("--takeover") as server:
            self.assertEqual(log_of(server), log)

    def test_a_start_in_the_middle_of_a_programme_is_quick(self):
        """Nine minutes and a half in, all of that has to be rendered once; but not again by who comes after."""
        self.begin()
        with sqlite3.connect(pathlib.Path(self.data_dir) / "auralis.db") as database:
            database.execute("UPDATE stations SET origin_boot_ns = origin_boot_ns - 570 * 1000000000,"
                             " origin_unix_ns = origin_unix_ns - 570 * 1000000000")
        took = []
        for _ in range(2):
            begun = time.monotonic()
            with self.server("--sleep-after", "0") as server:
                wait_until(lambda: server.metric("auralis_buffered_seconds") >= 10, 60, "it has its lead")
                took.append(time.monotonic() - begun)
                self.assertGreater(frame_of(server), 570 * 48000)
                self.kill(server)
        print(f"the whole lead was there after {took[0]:.2f} s, the next time after {took[1]:.2f} s")
        self.assertLess(took[1], took[0] / 2)

    def test_listeners_hear_nothing_of_it(self):
        """Killed, with changes before and after, and again: what comes is a render of the log, without a gap."""
        options = ["--max-listeners", str(LISTENERS + 100), "--accept-rate", str(max(1000, LISTENERS // 2)),
                   *(["--tls-self-signed"] if TLS else [])]
        listen = "127.0.0.1:0"
        for life in range(RESTARTS + 1):
            with self.server(*options, listen=listen) as server:
                listen = f"{server.host}:{server.port}"
                if life == 0:
                    listening = self.listen(server, 20 + 10 * RESTARTS)
                time.sleep(14 if life == 0 else 10)
                self.assertEqual(server.post("/api/control", {"intensity": 0.9 - life / 10})[0], 200)
                time.sleep(1)
                if life < RESTARTS:
                    self.kill(server)
                    continue
                for process in listening:
                    self.heard_nothing(process)

    def listen(self, server, seconds):
        """Many who hear Opus, and two who hear PCM."""
        return [subprocess.Popen(
            [BINARY, "listen", server.url, "--format", form, "--listeners", str(count), "--duration", str(seconds),
             "--reconnect", "--verify", "--json", *(["--insecure"] if TLS else [])], stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True)
            for form, count in (("opus", LISTENERS), ("pcm", 2))]

    def heard_nothing(self, process):
        out, said = process.communicate(timeout=120)
        report = json.loads(out)
        print(f"{report['listeners']} listeners, {RESTARTS} times killed: {report['dry']} had nothing left,"
              f" {report['gaps']} gaps, {report['mismatches']} of {report['verified']} messages different,"
              f" {report['outdated']} chunks heard as they were before a change")
        for name in ("gaps", "dry", "decode_errors", "protocol_errors", "mismatches", "lost", "stale"):
            self.assertEqual(report[name], 0, (name, said, report))
        # Of a crowd some come so late that nothing newer than the playhead can be what they lacked first.
        resumes = RESTARTS if LISTENERS < 100 else 1
        self.assertGreaterEqual(report["resumes"], resumes * report["listeners"])
        self.assertGreater(report["verified"], 300 * report["listeners"])
        self.assertGreaterEqual(report["splices"], (RESTARTS + 1) * report["listeners"], report)


class Hand(threading.Thread):
    """Changes something as fast as it is answered, and remembers what it was told."""

    def __init__(self, server, seed, by_socket):
        super().__init__()
        self.server, self.random, self.by_socket = server, random.Random(seed), by_socket
        self.told = {}
        self.start()

    def wish(self):
        return {"intensity": round(self.random.random(), 4), "bpm": self.random.randint(50, 90)}

    def run(self):
        try:
            self.turn_by_socket() if self.by_socket else self.turn()
        except (OSError, Closed, ValueError):
            pass   # the server is gone

    def remember(self, answer):
        self.told[answer["sequence"]] = (answer["at_frame"], answer["parameters"])

    def turn(self):
        while True:
            status, _, answer = self.server.post("/api/control", self.wish())
            if status == 200:
                self.remember(answer)

    def turn_by_socket(self):
        socket = WebSocket(self.server.host, self.server.port, "/ws/v2")
        with contextlib.closing(socket.socket):
            self.turn_on(socket)

    def turn_on(self, socket):
        socket.send(json.dumps({"type": "pause"}))
        while True:
            socket.send(json.dumps({"type": "control", "parameters": self.wish()}))
            answer = {"type": ""}
            while answer["type"] not in ("ack", "error"):
                opcode, payload = socket.receive()
                answer = json.loads(payload) if opcode == TEXT else answer
            if answer["type"] == "ack":
                self.remember(answer)
            time.sleep(0.03)


class Kills(unittest.TestCase):
    def test_no_change_that_was_acknowledged_is_lost(self):
        data_dir = tempfile.mkdtemp(prefix="auralis-restart-test-")
        self.addCleanup(shutil.rmtree, data_dir, ignore_errors=True)
        chance = random.Random(4)
        told = {}
        for turn in range(KILLS + 1):
            with Server(BINARY, "--log-level", "warn", data_dir=data_dir) as server:
                entries = log_of(server)["entries"]
                self.assertEqual([entry["sequence"] for entry in entries], list(range(len(entries))))
                for sequence, (at_frame, parameters) in told.items():
                    self.assertLess(sequence, len(entries), f"after {turn} kills")
                    self.assertEqual((entries[sequence]["at_frame"], entries[sequence]["parameters"]),
                                     (at_frame, parameters))
                self.assertNotIn("damaged", server.log())
                if turn == KILLS:
                    break
                hands = [Hand(server, f"{turn} {by_socket}", by_socket) for by_socket in (False, True)]
                before = len(told)
                wait_until(lambda: any(hand.told for hand in hands), 20, "a change was acknowledged")
                time.sleep(chance.uniform(0, 0.3))
                server.process.kill()
                server.process.wait()
                for hand in hands:
                    hand.join()
                    told.update(hand.told)
                self.assertGreater(len(told), before)
        print(f"{KILLS} kills, {len(told)} changes were acknowledged, {len(entries) - 1} kept")


if __name__ == "__main__":
    unittest.main()
