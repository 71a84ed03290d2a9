"""An old client, written from what the old protocols promise and from nothing else: records all that a server says."""
import array
import base64
import json
import threading
import time

from server import PATIENCE
from websocket import TEXT, PONG, Closed, Refused, WebSocket

TIERS = {"minimal": 300, "normal": 500, "stable": 800, "defensive": 1200}
V0 = "/ws/stream"


def v1(name, **query):
    tail = "&".join(f"{key}={value}" for key, value in query.items())
    return f"/ws/audio/{name}" + (f"?{tail}" if tail else "")


class Heard:
    """One message and when it came, in unix seconds."""

    def __init__(self, message, at):
        self.message, self.at, self.type = message, at, message["type"]

    def __getitem__(self, name):
        return self.message[name]


class Client:
    """`with Client(server, V0) as client:` A thread reads; `closed` becomes the close code."""

    def __init__(self, server, path, *, reading=True, **options):
        self.since = time.time()     # before the server knows of it
        self.websocket = WebSocket(server.host, server.port, path, **options)
        self.heard, self.pongs, self.closed, self.ended, self.fault = [], [], None, False, None
        self.changed = threading.Condition()
        self.may_read = threading.Event()
        self.pause_s = 0
        if reading:
            self.may_read.set()
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.may_read.set()
        self.websocket.abandon()
        self.thread.join(20)
        if self.fault:
            raise self.fault

    def _read(self):
        try:
            while True:
                self.may_read.wait()
                opcode, payload = self.websocket.receive()
                self._heard(opcode, payload, time.time())
                time.sleep(self.pause_s)
        except Closed as end:
            self.closed = end.code
        except OSError:
            pass
        except BaseException as fault:
            self.fault = fault
        with self.changed:
            self.ended = True
            self.changed.notify_all()

    def _heard(self, opcode, payload, at):
        with self.changed:
            if opcode == TEXT:
                self.heard.append(Heard(json.loads(payload), at))
            elif opcode == PONG:
                self.pongs.append(payload)
            else:
                raise AssertionError(f"old clients are told everything in text, not by opcode {opcode}")
            self.changed.notify_all()

    def say(self, message):
        self.websocket.send(message if isinstance(message, (str, bytes)) else json.dumps(message))

    def wait(self, condition, seconds=10, what="nothing came"):
        """What the condition gives once it is true."""
        with self.changed:
            self.changed.wait_for(lambda: condition() or self.ended, seconds * PATIENCE)
            result = condition()
        if not result:
            last = [h.message for h in self.heard if h.type != "audio"][-3:]
            raise AssertionError(f"{what} (closed: {self.closed}, fault: {self.fault}, last: {last})")
        return result

    def all(self, kind):
        return [heard for heard in list(self.heard) if heard.type == kind]

    def first(self, kind, seconds=10, skip=0):
        """The first message of a kind after `skip` others of that kind."""
        return self.wait(lambda: (self.all(kind)[skip:] or [None])[0], seconds, f"no {kind}")

    def ask(self, message, kind, seconds=10):
        """Says it and waits for the next message of a kind."""
        skip = len(self.all(kind))
        self.say(message)
        return self.first(kind, seconds, skip)

    def wait_closed(self, seconds=10):
        self.wait(lambda: self.ended, seconds, "not closed")
        return self.closed

    @property
    def audio(self):
        return self.all("audio")


def refusal(server, path, **options):
    """The Refused of a handshake, or None when it was accepted."""
    try:
        WebSocket(server.host, server.port, path, **options).abandon()
    except Refused as refused:
        return refused
    return None


def samples(data):
    """Base64 of a chunk -> its interleaved samples."""
    out = array.array("h")
    out.frombytes(base64.b64decode(data, validate=True))
    return out


def join_roughness(before, after):
    """How much rougher the step from one chunk to the next is than the roughest step in the 9 ms on either side: about
    0.3 in music, up to 2 where a beat falls there. Where a chunk is missing 2.2 to 20 in the median, by scene, and that
    is 2.3 times the roughest join or more. Told by second differences."""
    worst = 0
    for channel in (0, 1):
        line = before[channel::2][-400:] + after[channel::2][:400]
        rough = [abs(line[i - 1] - 2 * line[i] + line[i + 1]) for i in range(1, len(line) - 1)]
        worst = max(worst, max(rough[398:400]) / (max(rough[:396] + rough[402:]) + 4))
    return worst
