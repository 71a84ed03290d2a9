"""Allocations that fail while listeners come and go: nobody but those whose memory it was notices, and afterwards the
server serves as before. usage: memory_test.py AURALIS FAILING_MALLOC.so"""
import contextlib
import json
import mmap
import os
import struct
import sys
import tempfile
import unittest

from server import Server, wait_until
from websocket import TEXT, Closed, Refused, WebSocket

BINARY, LIBRARY = sys.argv[1:3]
EVERY = (2, 3, 5, 7, 11, 17, 29, 53, 101)
ROUNDS = 12


class Orders:
    """What the library is told: how many allocations to one that fails."""

    def __init__(self, path):
        with open(path, "r+b") as file:
            self.shared = mmap.mmap(file.fileno(), 8)

    def every(self, n):
        self.shared[0:4] = struct.pack("i", n)

    def failed(self):
        return struct.unpack("i", self.shared[4:8])[0]


def come_and_go(server, path, messages):
    """A listener that says a few things. What goes wrong is its own business."""
    try:
        listener = WebSocket(server.host, server.port, path)
        listener.socket.settimeout(2)
        for message in messages:
            listener.send(json.dumps(message))
        for _ in range(6):
            listener.receive()
        listener.send_close()
        listener.abandon()
    except (Refused, Closed, OSError, ValueError):
        pass


def ask(server, method, path, body=None):
    try:
        server.request(method, path, body)
    except (OSError, ValueError):
        pass
    except Exception as error:  # http.client's own
        if "http.client" not in type(error).__module__:
            raise


def everything(server, n):
    come_and_go(server, "/ws/v2", [{"type": "ping", "t0": 1},
                                   {"type": "control", "parameters": {"intensity": n / 1000}},
                                   {"type": "codec", "format": "pcm"}, {"type": "report", "lead_ms": 5}])
    come_and_go(server, "/ws/v2?format=pcm", [{"type": "nothing"}, {"type": "pause"}, {"type": "play"}])
    come_and_go(server, "/ws/stream", [{"type": "ping"}, {"type": "buffer_status"}])
    come_and_go(server, f"/ws/audio/{n}", [{"type": "ping"}])
    ask(server, "GET", "/api/status")
    ask(server, "GET", "/metrics")
    ask(server, "POST", "/api/control", {"intensity": 0.5})
    ask(server, "POST", "/api/presets", {"name": f"preset {n}"})
    ask(server, "GET", "/api/presets")


def hello(server):
    listener = WebSocket(server.host, server.port, "/ws/v2")
    opcode, first = listener.receive()
    assert opcode == TEXT
    return listener, json.loads(first)


@contextlib.contextmanager
def variables(**values):
    """For those who start within."""
    os.environ.update(values)
    try:
        yield
    finally:
        for name in values:
            del os.environ[name]


class Memory(unittest.TestCase):
    def test_failing_allocations(self):
        with tempfile.NamedTemporaryFile() as file:
            file.write(bytes(8))
            file.flush()
            orders = Orders(file.name)
            with contextlib.ExitStack() as stack:
                with variables(LD_PRELOAD=LIBRARY, FAILING_MALLOC=file.name):
                    server = stack.enter_context(Server(BINARY, "--max-attempts-legacy", "0", "--seed", "9"))
                self.assertEqual(server.get("/api/health")[0], 200)
                faithful, _ = hello(server)
                for every in EVERY:
                    orders.every(every)
                    for n in range(ROUNDS):
                        everything(server, every * 100 + n)
                        self.assertIsNone(server.process.poll(), server.log())
                orders.every(0)
                self.assertGreater(orders.failed(), 100)
                faithful.abandon()
                for _ in range(20):
                    late, said = hello(server)
                    self.assertIn("parameters", said)
                    late.abandon()
                metrics = server.get("/metrics")[2]
                faults = float(metrics.split("\nauralis_memory_faults_total ", 1)[1].split("\n", 1)[0])
                self.assertGreater(faults, 0)
                wait_until(lambda: server.get("/api/status")[2]["active_connections"] == 0, 20, "all are gone")
                wait_until(lambda: "for want of it" in server.log(), 20, "it is told")
                self.assertEqual(server.stop(), 0, server.log())


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
