"""Listeners who come and go: well-behaved, abrupt, slow, half-connected, hostile."""
import contextlib
import json
import os
import socket
import struct
import threading
import time

from soak.stage import Actor
from websocket import BINARY, TEXT, Closed, Refused, WebSocket

MOST_AT_ONCE = 6
STAY_S = (0.1, 2.0)
PATHS = {"opus": "/ws/v2?format=opus", "pcm": "/ws/v2?format=pcm", "v1": "/ws/audio/{name}", "v0": "/ws/stream"}
PAGES = ("/", "/metrics", "/api/status", "/api/health", "/api/history", "/api/parameters", "/api/presets",
         "/api/stations", "/api/nothing")


def path_of(form, name):
    return PATHS[form].format(name=name)


class Visitors(Actor):
    """Each visitor is a short-lived thread of its own."""

    def __init__(self, stage, every_s, moves):
        super().__init__(stage, every_s)
        self.moves = moves
        self.present = []
        self.number = 0
        self.welcome = threading.Event()
        self.welcome.set()
        self.kinds = {"listens": (self.listens, 5), "vanishes": (self.vanishes, 4), "steers": (self.steers, 3),
                      "reads slowly": (self.reads_slowly, 1), "half a handshake": (self.half_handshake, 2),
                      "garbage for HTTP": (self.garbage, 1), "garbage for frames": (self.garbage_frames, 1),
                      "asks by HTTP": (self.asks, 3)}

    def act(self):
        self.present = [visitor for visitor in self.present if visitor.is_alive()]
        if len(self.present) >= MOST_AT_ONCE or not self.welcome.is_set():
            return
        self.number += 1
        names, weights = list(self.kinds), [weight for _, weight in self.kinds.values()]
        kind = self.random.choices(names, weights)[0]
        form = self.random.choices(list(PATHS), (5, 1, 2, 2))[0]
        visitor = threading.Thread(target=self.visit, args=(kind, form, self.random.uniform(*STAY_S),
                                                            self.random.getrandbits(32), f"visitor-{self.number}"))
        self.present.append(visitor)
        visitor.daemon = True
        visitor.start()

    def quiet(self):
        """No more come; returns when all have gone."""
        self.welcome.clear()
        for visitor in list(self.present):
            visitor.join(60)
            if visitor.is_alive():
                self.stage.trouble("a visitor hangs")

    def visit(self, kind, form, stay_s, seed, name):
        act, _ = self.kinds[kind]
        try:
            act(form, stay_s, self.stage.random(seed), name)
            self.stage.count(kind)
        except Refused as refused:
            if refused.status in (429, 503):
                self.stage.count(f"refused by {refused.status}")
            else:
                self.stage.trouble(f"a visitor that {kind} ({form}): {refused}")
        except Exception as fault:  # whatever it is, it is a finding
            self.stage.failed(f"a visitor that {kind} ({form})", fault)

    def connect(self, form, name, **options):
        server = self.stage.server
        return WebSocket(server.host, server.port, path_of(form, name), **options)

    def raw(self):
        return socket.create_connection((self.stage.server.host, self.stage.server.port), timeout=20)

    def hear(self, listener, seconds):
        """Reads, and asks for at least some audio. Returns how many messages with audio came."""
        heard, end = 0, time.monotonic() + seconds
        while time.monotonic() < end or heard == 0:
            opcode, payload = listener.receive()
            heard += opcode == BINARY or (opcode == TEXT and payload.startswith(b'{"type":"audio"'))
        return heard

    def listens(self, form, stay_s, random, name):
        listener = self.connect(form, name)
        self.hear(listener, stay_s)
        listener.send_close()
        with contextlib.suppress(Closed):
            while True:
                listener.receive()
        listener.abandon()

    def vanishes(self, form, stay_s, random, name):
        """Its socket is reset while audio is on its way."""
        listener = self.connect(form, name)
        self.hear(listener, stay_s / 2)
        listener.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        listener.socket.close()

    def reads_slowly(self, form, stay_s, random, name):
        """The server may close it, move it ahead or send it less."""
        listener = self.connect(form, name, receive_buffer=4096)
        end = time.monotonic() + 2 * stay_s
        with contextlib.suppress(OSError):
            while time.monotonic() < end and listener.socket.recv(512):
                time.sleep(0.02)
        listener.abandon()

    def half_handshake(self, form, stay_s, random, name):
        with self.raw() as peer:
            peer.sendall(f"GET {path_of(form, name)} HTTP/1.1\r\nHost: localhost\r\nUpgrade: webso".encode())
            time.sleep(stay_s / 2)

    def garbage(self, form, stay_s, random, name):
        with self.raw() as peer, contextlib.suppress(OSError):
            peer.sendall(random.randbytes(random.randrange(1, 5000)))
            peer.shutdown(socket.SHUT_WR)
            while peer.recv(65536):
                pass

    def garbage_frames(self, form, stay_s, random, name):
        listener = self.connect(form, name)
        with contextlib.suppress(OSError, Closed):
            listener.socket.sendall(random.randbytes(random.randrange(1, 2000)))
            self.hear(listener, stay_s)
        listener.abandon()

    def asks(self, form, stay_s, random, name):
        page = random.choice(PAGES)
        status, _, _ = self.stage.server.get(page)
        if status != (404 if page == "/api/nothing" else 200):
            raise AssertionError(f"GET {page}: {status}")

    def await_answer(self, listener, wanted):
        """Reads until an answer of that type. Returns how many changes were answered until then."""
        acks, kind = 0, None
        while kind != wanted:
            opcode, payload = listener.receive()
            message = json.loads(payload) if opcode == TEXT else {"type": "audio"}
            kind = message["type"]
            if kind == "error" and message["code"] == "RATE_LIMIT_EXCEEDED":
                kind = "ack"
            elif kind == "error":
                raise AssertionError(payload)
            acks += kind == "ack"
        return acks

    def steers(self, form, stay_s, random, name):
        """A v2 listener that turns knobs, pauses, changes the codec."""
        listener = self.connect("opus", name)
        steps = [{"type": "control", "id": name, "parameters": self.moves(random)}, {"type": "pause"},
                 {"type": "play"}, {"type": "codec", "format": random.choice(("pcm", "opus"))},
                 {"type": "report", "playhead_frame": 4800, "lead_ms": 5000, "underruns": 0, "drift_ppm": 1}]
        random.shuffle(steps)
        for step in steps:
            listener.send(json.dumps(step))
        # A change is answered once it is kept, and once only.
        acks = self.await_answer(listener, "ack")
        listener.send(json.dumps({"type": "ping", "t0": 1}))
        acks += self.await_answer(listener, "pong")
        if acks != 1:
            raise AssertionError(f"a change was answered {acks} times")
        self.stage.count("changes by WebSocket")
        listener.abandon()


def warm(server, form):
    """A listener that has heard something: from then on the station makes this format."""
    listener = WebSocket(server.host, server.port, path_of(form, f"warm-{os.getpid()}"))
    while listener.receive()[0] == TEXT:
        if form in ("v0", "v1"):
            break
    return listener
