"""The HTTP interface of a real server: what old clients expect, bad input, presets, history, start-up faults.

usage: http_test.py BINARY [unittest options]
"""
import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.parse

from legacy_client import V0, Client
from server import INSTRUMENTED, Server, wait_until

BINARY = sys.argv.pop(1)
DEFAULTS = {
    "scene": "drift", "morph_seconds": 30, "key": "A", "mode": "aeolian", "tuning": "equal", "bpm": 70,
    "intensity": 0.5, "melody_complexity": 0.5, "chord_progression_variety": 0.5, "harmonic_density": 0.5,
    "brightness": 0.5,
    "space": 0.5, "warmth": 0.5, "texture": 0.25, "freeze": False, "follow_day": False,
    "enable_pads": True, "enable_melody": True, "enable_kicks": True, "enable_swells": True,
}


def raw(server, data):
    """What the server says to these bytes."""
    with socket.create_connection((server.host, server.port), timeout=20) as peer:
        peer.sendall(data)
        answer = b""
        while chunk := peer.recv(65536):
            answer += chunk
    return answer.decode("latin-1")


class Shared(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(BINARY, "--seed", "7").__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__()

    def assert_error(self, answer, status, code, field=None):
        got, _, body = answer
        self.assertEqual(got, status, body)
        error = body["error"]
        self.assertEqual(error["code"], code)
        self.assertIsInstance(error["message"], str)
        self.assertIsInstance(error["timestamp"], int)
        self.assertIsInstance(error["details"], dict)
        if field:
            self.assertEqual(error["details"].keys(), {"field", "value", "constraint"})
            self.assertEqual(error["details"]["field"], field)
            self.assertTrue(error["details"]["constraint"])

    def assert_fields(self, body, **fields):
        self.assertEqual(body.keys(), fields.keys())
        for name, kind in fields.items():
            self.assertIs(type(body[name]), kind, name)

    def assert_change(self, answer):
        status, _, body = answer
        self.assertEqual((status, body["message"], body["status"]),
                         (200, "Parameters updated successfully", "updated"))
        self.assertIs(type(body["timestamp"]), int)
        self.assertLess(abs(body["timestamp"] / 1000 - time.time()), 5)
        self.assertEqual(body["parameters"].keys(), DEFAULTS.keys())
        self.assertIsInstance(body["warnings"], list)
        return body


class Status(Shared):
    def test_status(self):
        status, headers, body = self.server.get("/api/status")
        self.assertEqual(status, 200)
        self.assertTrue(headers["Content-Type"].startswith("application/json"))
        self.assertEqual(body["status"], "running")
        engine = body["synthesis_engine"]
        for name, kind in (("device_type", str), ("device_info", dict), ("gpu_available", bool), ("sample_rate", int),
                           ("render_count", int), ("synthesis_latency_ms", float)):
            self.assertIsInstance(engine[name], kind, name)
        for name, kind in (("uptime_seconds", float), ("buffer_depth_ms", int), ("active_connections", int),
                           ("chunks_generated", int)):
            self.assertIsInstance(body[name], kind, name)
        self.assertEqual(body["parameters"].keys(), DEFAULTS.keys())
        nice = body["priorities"]
        self.assertLess(max(nice["render_nice"], nice["io_nice"]), nice["door_nice"])

    def test_metrics_json(self):
        wait_until(lambda: self.server.get("/api/metrics")[2]["chunks_generated"] >= 20, 20, "nothing is rendered")
        body = self.server.get("/api/metrics")[2]
        self.assert_fields(body, timestamp=int, buffer_depth_ms=int, active_connections=int, chunks_generated=int,
                           synthesis_latency_ms=float, device_type=str)
        self.assertGreater(body["synthesis_latency_ms"], 0)
        self.assertGreater(body["buffer_depth_ms"], 0)
        self.assertEqual(body["active_connections"], 0)
        with Client(self.server, V0) as client:
            client.wait(lambda: client.heard)
            self.assertEqual(self.server.get("/api/metrics")[2]["active_connections"], 1)
            self.assertEqual(self.server.get("/api/status")[2]["active_connections"], 1)
            self.assertRegex(self.server.get("/metrics")[2], r"(?m)^active_websocket_connections 1$")

    def test_numbers_are_exact_and_short(self):
        exact = 0.1 + 0.2
        self.server.post("/api/control", {"intensity": 0.8, "harmonic_density": exact})
        told = self.server.get("/api/stations/main/log")[2]["entries"][-1]["parameters"]
        self.assertEqual(told["harmonic_density"], exact)
        self.server.post("/api/control", {"harmonic_density": 0.5})
        answer = raw(self.server, b"GET /api/status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        self.assertIn('"intensity":0.8,', answer)
        self.server.post("/api/control", {"intensity": 0.5})

    def test_health(self):
        status, _, body = self.server.get("/api/health")
        self.assertEqual((status, body["status"]), (200, "healthy"))
        self.assert_fields(body, status=str, timestamp=int, checks=dict, memory=dict)
        self.assertEqual(body["memory"]["pressure"], "none")
        self.assert_fields(body["checks"], synthesis_engine=bool, ring_buffer=bool, websocket_server=bool,
                           gpu_available=bool)

    def test_prometheus(self):
        status, headers, text = self.server.get("/metrics")
        self.assertEqual(status, 200)
        self.assertTrue(headers["Content-Type"].startswith("text/plain; version=0.0.4"))
        for name in ("auralis_chunks_rendered_total", "auralis_listeners", "auralis_encode_seconds_count",
                     "auralis_player_reports_total", "auralis_player_underruns_total",
                     "auralis_player_lead_seconds_bucket", "auralis_connections", "auralis_sent_bytes_total",
                     "auralis_upgrades_total", "auralis_http_malformed_total", "synthesis_latency_seconds_bucket",
                     "buffer_depth_chunks", "chunk_delivery_jitter_ms_bucket", "buffer_underruns_total",
                     "active_websocket_connections", "websocket_send_errors_total", "memory_usage_mb",
                     "gpu_memory_allocated_mb", "chunk_encoding_duration_seconds_count", "phrase_generation_rate_hz"):
            self.assertRegex(text, rf"(?m)^{name}[ {{]")
        for line in text.splitlines():
            self.assertRegex(line, r'^(# (HELP|TYPE) \S+ .+|[a-z_]+(\{[a-z_]+="[^"]+"\})? -?[0-9.e+-]+)$')
        rendered = r"(?m)^auralis_chunks_rendered_total (\S+)"
        wait_until(lambda: float(re.search(rendered, self.server.get("/metrics")[2])[1]) >= 100, 20,
                   "the lead has not been rendered")

    def test_old_histograms(self):
        """Dashboards know these names, kinds and buckets."""
        text = self.server.get("/metrics")[2]
        for name, kind in (("synthesis_latency_seconds", "histogram"), ("buffer_depth_chunks", "gauge"),
                           ("chunk_delivery_jitter_ms", "histogram"), ("buffer_underruns_total", "counter"),
                           ("active_websocket_connections", "gauge"), ("websocket_send_errors_total", "counter"),
                           ("memory_usage_mb", "gauge"), ("gpu_memory_allocated_mb", "gauge"),
                           ("chunk_encoding_duration_seconds", "histogram"), ("phrase_generation_rate_hz", "gauge")):
            self.assertRegex(text, rf"(?m)^# TYPE {name} {kind}$")
            if kind == "histogram":
                counts = [float(n) for n in re.findall(rf'(?m)^{name}_bucket{{le="[^"]+"}} (\S+)', text)]
                self.assertEqual(counts, sorted(counts))
                self.assertEqual(counts[-1], float(re.search(rf"(?m)^{name}_count (\S+)", text)[1]))
                self.assertRegex(text, rf"(?m)^{name}_sum [0-9.e+-]+$")
        buckets = re.findall(r'(?m)^chunk_delivery_jitter_ms_bucket{le="([^"]+)"}', text)
        self.assertEqual(buckets, "1 2 5 10 20 30 50 75 100 200 +Inf".split())
        self.assertRegex(text, r'(?m)^websocket_send_errors_total{error_type="[a-z_]+"} \d+$')

    def test_without_old_names(self):
        with Server(BINARY, "--legacy-metrics", "off") as server:
            names = set(re.findall(r"(?m)^# TYPE (\S+)", server.get("/metrics")[2]))
        self.assertTrue(names)
        self.assertEqual([name for name in names if not name.startswith(("auralis_", "process_"))], [])

    def test_schema_and_log(self):
        body = self.server.get("/api/parameters")[2]
        self.assertEqual({p["name"]: p["default"] for p in body["parameters"]}, DEFAULTS)
        self.assertIn("focus", [scene["name"] for scene in body["scenes"]])
        log = self.server.get("/api/stations/main/log")[2]
        self.assertEqual(log["seed"], "7")
        self.assertEqual(log["scala"]["offset_cents"], [0] * 12)
        self.assertEqual(log["entries"][0], {"sequence": 0, "at_frame": 0, "wake_frame": 0,
                                             "parameters": DEFAULTS})
        self.assert_error(self.server.get("/api/stations/other/log"), 404, "NOT_FOUND")

    def test_page(self):
        status, headers, text = self.server.get("/")
        self.assertEqual(status, 200)
        self.assertEqual(headers["Content-Type"], "text/html; charset=utf-8")
        self.assertIn("default-src 'self'", headers["Content-Security-Policy"])
        self.assertEqual(headers["Cross-Origin-Embedder-Policy"], "require-corp")
        for path in re.findall(r'(?:src|href)="(/[\w./-]+)"', text):
            self.assertEqual(self.server.get(path)[0], 200, path)
        self.assertEqual(self.server.request("GET", "/", None, {"If-None-Match": headers["ETag"]})[0], 304)
        self.assertEqual(self.server.get("/debug.html")[0], 200)


class BadInput(Shared):
    def test_unknown_paths_and_methods(self):
        self.assert_error(self.server.get("/nothing"), 404, "NOT_FOUND")
        self.assert_error(self.server.get("/../etc/passwd"), 404, "NOT_FOUND")
        for method, path, allow in (("GET", "/api/control", "POST"), ("POST", "/api/status", "GET"),
                                    ("DELETE", "/", "GET"), ("PUT", "/api/presets", "GET")):
            status, headers, _ = self.server.request(method, path)
            self.assertEqual(status, 405, path)
            self.assertIn(allow, headers["Allow"])

    def test_malformed_and_oversized(self):
        head = f"Host: {self.server.host}\r\n"
        for request, status in (
                ("GET / nonsense\r\n\r\n", 400),
                ("BREW / HTTP/1.1\r\n\r\n", 501),
                ("GET / HTTP/1.1\r\n\r\n", 400),
                (f"GET /%zz HTTP/1.1\r\n{head}\r\n", 400),
                (f"GET / HTTP/1.1\r\n{head}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\nabcd", 400),
                (f"GET / HTTP/1.1\r\n{head}X: {'x' * 20000}\r\n\r\n", 431),
                (f"POST /api/control HTTP/1.1\r\n{head}Content-Type: application/json\r\n"
                 f"Content-Length: 9999999\r\n\r\n", 413)):
            answer = raw(self.server, request.encode())
            self.assertTrue(answer.startswith(f"HTTP/1.1 {status} "), (request[:60], answer[:80]))
            error = json.loads(answer.partition("\r\n\r\n")[2])["error"]
            self.assert_fields(error, code=str, message=str, timestamp=int, details=dict)

    def test_body_too_large(self):
        answer = self.server.request("POST", "/api/control", "[" + "0," * 40000 + "0]",
                                     {"Content-Type": "application/json"})
        self.assertEqual(answer[0], 413)
        self.assert_fields(answer[2]["error"], code=str, message=str, timestamp=int, details=dict)

    def test_parameters(self):
        before = self.server.get("/api/status")[2]["parameters"]
        for body, field in (({"bpm": 0}, "bpm"), ({"bpm": "80"}, "bpm"), ({"bpm": 80.5}, "bpm"), ({"bpm": True}, "bpm"),
                            ({"intensity": 1.01}, "intensity"), ({"intensity": "0.5"}, "intensity"),
                            ({"bpm": 39}, "bpm"), ({"bpm": 121}, "bpm"), ({"bpm": None}, "bpm"),
                            ({"melody_complexity": -0.01}, "melody_complexity"),
                            ({"chord_progression_variety": True}, "chord_progression_variety"),
                            ({"harmonic_density": []}, "harmonic_density"), ({"enable_melody": "yes"}, "enable_melody"),
                            ({"enable_kicks": None}, "enable_kicks"), ({"enable_swells": 0}, "enable_swells"),
                            ({"key": "A##"}, "key"), ({"key": "A minor major"}, "key"), ({"key": ""}, "key"),
                            ({"key": "H"}, "key"), ({"key": 3}, "key"), ({"mode": "blues"}, "mode"),
                            ({"enable_pads": 1}, "enable_pads"), ({"wavelength": 3}, "wavelength"),
                            ({"intensity": 0.9, "bpm": 500}, "bpm")):
            self.assert_error(self.server.post("/api/control", body), 400, "INVALID_PARAMETERS", field)
        for text in ("", "{", "[]", '{"intensity": NaN}', '{"intensity": 1e999}', '{"bpm": 60, "bpm": 70}', "nul"):
            answer = self.server.request("POST", "/api/control", text, {"Content-Type": "application/json"})
            self.assertEqual(answer[0], 400, text)
        self.assertEqual(self.server.get("/api/status")[2]["parameters"], before)

    def test_cross_site(self):
        body = '{"bpm": 61}'
        for headers, status in (({"Content-Type": "text/plain"}, 415),
                                ({"Content-Type": "application/json", "Origin": "https://evil.example"}, 403),
                                ({"Content-Type": "application/json", "Host": "evil.example"}, 403)):
            self.assertEqual(self.server.request("POST", "/api/control", body, headers)[0], status, headers)
        self.assertNotEqual(self.server.get("/api/status")[2]["parameters"]["bpm"], 61)
        own = {"Content-Type": "application/json; charset=utf-8", "Origin": self.server.url}
        self.assertEqual(self.server.request("POST", "/api/control", body, own)[0], 200)

    def test_handshakes(self):
        head = ("GET {} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade{}\r\nUpgrade: websocket\r\n"
                "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {}\r\n{}\r\n")
        good = "dGhlIHNhbXBsZSBub25jZQ=="
        for path, key, extra, status in (
                ("/ws/v2", "short", "", 400), ("/ws/v2?station=nowhere", good, "", 404),
                ("/ws/v2?format=mp3", good, "", 400), ("/ws/nothing", good, "", 404),
                ("/ws/audio/admin", good, "", 400), ("/ws/audio/a%20b", good, "", 400),
                ("/ws/audio/me", good, "Sec-WebSocket-Protocol: other\r\n", 400),
                ("/ws/audio/me?buffer_tier=huge", good, "", 400), ("/ws/audio/me?token=abc", good, "", 401),
                ("/ws/v2", good, "Sec-WebSocket-Protocol: other\r\n", 400)):
            answer = raw(self.server, head.format(path, ", close", key, extra).encode())
            self.assertTrue(answer.startswith(f"HTTP/1.1 {status} "), (path, extra, answer[:200]))


class Control(Shared):
    def test_control_is_partial_and_answers_in_full(self):
        status, _, body = self.server.post("/api/control", {"bpm": 80, "key": "eb MAJOR"})
        self.assertEqual((status, body["status"], body["message"]),
                         (200, "updated", "Parameters updated successfully"))
        self.assertEqual((body["parameters"]["bpm"], body["parameters"]["key"]), (80, "Eb major"))
        self.assertIsInstance(body["timestamp"], int)
        self.assertEqual(body["warnings"], [])
        self.assertEqual(self.server.get("/api/status")[2]["parameters"], body["parameters"])

    def test_whole_range(self):
        for wish in ({"bpm": 40, "intensity": 0, "melody_complexity": 0.0, "chord_progression_variety": 0,
                      "harmonic_density": 0}, {"bpm": 120, "intensity": 1, "melody_complexity": 1.0,
                                               "chord_progression_variety": 1, "harmonic_density": 1}, {}):
            told = self.assert_change(self.server.post("/api/control", wish))["parameters"]
            self.assertEqual({name: told[name] for name in wish}, wish)
        for key in ("A", "b", "C#", "db", "E Minor", "F# MAJOR", "Gb minor", "G"):
            told = self.assert_change(self.server.post("/api/control", {"key": key}))["parameters"]["key"]
            self.assertEqual(told.lower().removesuffix(" minor"), key.lower().removesuffix(" minor"))
        self.server.post("/api/control", DEFAULTS)

    def test_warnings(self):
        body = self.server.post("/api/control", {"melody_complexity": 0.9, "intensity": 0.2})[2]
        self.assertEqual(len(body["warnings"]), 1)
        body = self.server.post("/api/control", {"harmonic_density": 0.9, "chord_progression_variety": 0.2})[2]
        self.assertEqual(len(body["warnings"]), 2)
        self.server.post("/api/control", {"melody_complexity": 0.5, "intensity": 0.5, "harmonic_density": 0.5,
                                          "chord_progression_variety": 0.5})

    def test_history(self):
        self.server.post("/api/control", {"intensity": 0.25})
        self.server.post("/api/control", {"intensity": 0.75})
        last = self.server.get("/api/history")[2]["history"][-1]
        self.assert_fields(last, timestamp=int, parameter=str, old=float, new=float, source=str)
        self.assertEqual((last["parameter"], last["old"], last["new"], last["source"]),
                         ("intensity", 0.25, 0.75, "user"))
        self.assertEqual(self.assert_change(self.server.post("/api/history/undo"))["parameters"]["intensity"], 0.25)
        self.assertEqual(self.assert_change(self.server.post("/api/history/redo"))["parameters"]["intensity"], 0.75)
        self.assert_error(self.server.post("/api/history/redo"), 409, "CONFLICT")

    def test_too_many_changes(self):
        """However a change is asked for, it is refused alike: with a code of its own, and when to come back."""
        with Server(BINARY) as server:
            for name, intensity in (("calm", 0.1), ("storm", 0.9)):
                server.post("/api/control", {"intensity": intensity})
                self.assertEqual(server.post("/api/presets", {"name": name})[0], 201)
            asks = (lambda n: server.post("/api/control", {"bpm": 60 + n % 2}),
                    lambda n: server.post(f"/api/presets/{('calm', 'storm')[n % 2]}/load"))
            for ask in asks:
                for n in range(500):
                    status, headers, body = ask(n)
                    if status != 200:
                        break
                self.assertEqual((status, headers.get("Retry-After"), body["error"]["code"]),
                                 (429, "1", "RATE_LIMIT_EXCEEDED"))

    def test_history_has_an_end(self):
        with Server(BINARY) as server:
            self.assertEqual(server.get("/api/history")[2], {"history": []})
            for path in ("/api/history/undo", "/api/history/redo"):
                self.assert_error(server.post(path), 409, "CONFLICT")
            for i in range(15):
                wish = {"bpm": 60 + i, "intensity": i / 20, "harmonic_density": i / 20, "enable_kicks": i % 2 == 1}
                wait_until(lambda: server.post("/api/control", wish)[0] == 200, 10, "refused")
            changes = server.get("/api/history")[2]["history"]
            self.assertEqual(len(changes), 50)
            newest = [change for change in changes if change["parameter"] == "bpm"][-1]
            self.assertEqual((newest["old"], newest["new"]), (73, 74))

    def test_names_of_presets(self):
        for name in ("x", "y" * 50, "é" * 50, "🎵" * 50, "a/b", "%41", " two words "):
            status, _, body = self.server.post("/api/presets", {"name": name})
            self.assertEqual(status, 201, name)
            self.assert_fields(body["preset"], name=str, parameter_values=dict, creation_date=str)
            self.assertEqual(body["preset"]["parameter_values"].keys(), DEFAULTS.keys())
            listed = [p for p in self.server.get("/api/presets")[2]["presets"] if p == body["preset"]]
            self.assertEqual(len(listed), 1, name)
            path = "/api/presets/" + urllib.parse.quote(body["preset"]["name"], safe="")
            loaded = self.server.post(path + "/load")[2]
            self.assert_fields(loaded, message=str, parameters=dict)
            self.assertEqual(self.server.request("DELETE", path)[2], {"message": "Preset deleted"})
        for name in ("é" * 51, "🎵" * 51, "\u0000", "\x7f"):
            self.assert_error(self.server.post("/api/presets", {"name": name}), 400, "INVALID_PARAMETERS", "name")

    def test_presets(self):
        self.server.post("/api/control", {"bpm": 93})
        status, _, body = self.server.post("/api/presets", {"name": "Évening"})
        self.assertEqual((status, body["message"]), (201, "Preset saved"))
        self.assertEqual(body["preset"]["parameter_values"]["bpm"], 93)
        self.assertRegex(body["preset"]["creation_date"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
        self.assert_error(self.server.post("/api/presets", {"name": "Évening"}), 409, "CONFLICT")
        self.assertIn("Évening", [p["name"] for p in self.server.get("/api/presets")[2]["presets"]])
        self.server.post("/api/control", {"bpm": 55})
        body = self.server.post("/api/presets/%C3%89vening/load")[2]
        self.assertEqual((body["message"], body["parameters"]["bpm"]), ("Preset loaded", 93))
        self.assertEqual(self.server.request("DELETE", "/api/presets/%C3%89vening")[2]["message"], "Preset deleted")
        self.assert_error(self.server.request("DELETE", "/api/presets/%C3%89vening"), 404, "NOT_FOUND")
        self.assert_error(self.server.post("/api/presets/none/load"), 404, "NOT_FOUND")
        for body in ({"name": ""}, {"name": "x" * 51}, {"name": 5}, {}, {"name": "a", "extra": 1}, {"name": "a\nb"}):
            self.assert_error(self.server.post("/api/presets", body), 400, "INVALID_PARAMETERS", "name")


class Log(unittest.TestCase):
    def test_a_long_log_costs_little(self):
        """It is whole, and to send it takes a few times its own size in memory, not twenty times."""
        def resident(server):
            status = pathlib.Path(f"/proc/{server.process.pid}/status").read_text()
            return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) * 1024

        with Server(BINARY, "--clock-speed", "100") as server:
            changes = sum(server.post("/api/control", {"intensity": n % 100 / 100})[0] == 200 for n in range(1, 1200))
            before = resident(server)
            log = server.get("/api/stations/main/log")[2]
            grown = resident(server) - before
        self.assertEqual([entry["sequence"] for entry in log["entries"]], list(range(changes + 1)))
        self.assertEqual(log["entries"][1]["parameters"]["intensity"], 0.01)
        self.assertGreater(changes, 300)
        if not INSTRUMENTED:
            self.assertLess(grown, 6 * len(json.dumps(log)))


class StartUp(unittest.TestCase):
    # status: 1 when the world is at fault, 2 when what was asked for is.
    def refused(self, *options, said, status=1):
        done = subprocess.run([BINARY, "serve", *options], capture_output=True, text=True, timeout=30)
        self.assertEqual(done.returncode, status, done)
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        self.assertIn(said, done.stderr)

    def test_port_or_directory_in_use(self):
        with Server(BINARY) as server, tempfile.TemporaryDirectory() as other:
            self.refused("--listen", f"127.0.0.1:{server.port}", "--data-dir", other, said="in use")
            self.refused("--listen", "127.0.0.1:0", "--data-dir", server.data_dir, said="another server")

    def test_address_of_another_machine(self):
        with tempfile.TemporaryDirectory() as directory:
            for address in ("localhost:0", "192.0.2.1:0", "*:0"):
                self.refused("--listen", address, "--data-dir", directory, said="IPv4 or IPv6 address of this machine")

    def test_too_few_descriptors(self):
        with tempfile.TemporaryDirectory() as directory:
            done = subprocess.run(["/bin/sh", "-c", 'ulimit -n 19; exec "$@"', "sh", BINARY, "serve", "--listen",
                                   "127.0.0.1:0", "--data-dir", directory], capture_output=True, text=True, timeout=30)
            self.assertEqual(done.returncode, 1)
            self.assertIn("only 19 descriptors may be open", done.stderr)

    def test_unwritable_directory(self):
        with tempfile.NamedTemporaryFile() as file:
            self.refused("--listen", "127.0.0.1:0", "--data-dir", file.name + "/below", said="cannot write")

    def test_wrong_values(self):
        for options, said in ((("--listen", "nowhere"), "ADDR:PORT"), (("--scene", "noise"), "scene"),
                              (("--simd", "mmx"), "--simd"), (("--seed", "-1"), "--seed"),
                              (("--lead", "0"), "from 1 to 60"), (("--nothing",), "unknown option --nothing")):
            self.refused(*options, said=said, status=2)

    def test_damaged_database(self):
        with tempfile.TemporaryDirectory() as directory:
            with Server(BINARY, data_dir=directory) as server:
                server.post("/api/presets", {"name": "kept"})
            with Server(BINARY, data_dir=directory) as server:
                self.assertEqual([p["name"] for p in server.get("/api/presets")[2]["presets"]], ["kept"])
            database = pathlib.Path(directory, "auralis.db")
            database.write_bytes(b"not a database at all" * 500)
            with Server(BINARY, data_dir=directory) as server:
                self.assertEqual(server.get("/api/presets")[2]["presets"], [])
                self.assertIn("damaged", server.log())
            self.assertTrue(list(pathlib.Path(directory).glob("auralis.db.damaged-*")))

    def test_sources_of_options(self):
        with tempfile.TemporaryDirectory() as directory:
            config = pathlib.Path(directory, "auralis.conf")
            config.write_text("seed = 11\nscene = sleep\n")
            os.environ["AURALIS_SEED"] = "12"
            try:
                with Server(BINARY, "--config", str(config)) as server:
                    self.assertEqual(server.get("/api/stations/main/log")[2]["seed"], "12")
                    self.assertEqual(server.get("/api/status")[2]["parameters"]["mode"], "phrygian")
            finally:
                del os.environ["AURALIS_SEED"]
            config.write_text("sead = 11\n")
            self.refused("--config", str(config), said="line 1", status=2)

    def test_ends_well(self):
        server = Server(BINARY)
        with server:
            self.assertEqual(server.stop(), 0)


if __name__ == "__main__":
    unittest.main()
