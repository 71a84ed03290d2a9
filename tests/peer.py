"""A client that sends whatever a test wants it to, and hears only what answers that: audio and news are passed over."""
import itertools
import json
import struct

from websocket import PONG, TEXT, Closed, WebSocket, frame


class Protocol:
    """Where a protocol is spoken, what a client may send at most, and the field of `ping` that comes back."""

    def __init__(self, name, path, limit, echo):
        self.name, self._path, self.limit, self.echo = name, path, limit, echo
        self._numbers = itertools.count()

    def path(self):
        return self._path.format(next(self._numbers))

    def ask(self, number, size=0, note=""):
        """A text of at least `size` bytes that is answered with its number."""
        text = json.dumps({"type": "ping", self.echo: number, "note": note}, ensure_ascii=False).encode()
        return text + b" " * (size - len(text))


PROTOCOLS = (Protocol("v2", "/ws/v2", 4096, "t0"), Protocol("v1", "/ws/audio/peer-{}", 1024, "client_time"),
             Protocol("v0", "/ws/stream", 1024, "client_time"))


class Peer(WebSocket):
    """`with Peer(server, protocol) as peer:`"""

    def __init__(self, server, protocol, **options):
        self.protocol = protocol
        super().__init__(server.host, server.port, protocol.path(), **options)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.abandon()

    def ask(self, number, size=0, **form):
        self.send(self.protocol.ask(number, size), **form)

    def next(self):
        """The next thing that answers something: a number asked with, a pong's bytes, or a whole error message."""
        while True:
            opcode, payload = self.receive()
            if opcode == PONG:
                return payload
            message = json.loads(payload) if opcode == TEXT else {}
            if message.get("type") == "pong":
                return message[self.protocol.echo]
            if message.get("type") == "error":
                return message

    def rest(self, answering=False):
        """Reads to the end. Returns the close code (None: no close frame), its reason, and the answers before it.

        A reset is an error: what was said last may be lost by it.
        """
        answers = []
        try:
            while True:
                answers.append(self.next())
        except Closed as closed:
            if answering:
                self.send_close(closed.code)
            if closed.code is not None:
                assert not self.buffer and self.socket.recv(1) == b"", "something after the close frame"
            return closed.code, closed.reason, answers


def close_payload(code, reason=b""):
    return struct.pack(">H", code) + reason


def in_pieces(payload, cuts, opcode=TEXT, between=b""):
    """A message as frames, cut at these places; `between` follows each but the last."""
    edges = [0, *cuts, len(payload)]
    frames = [frame(payload[start:end], opcode if n == 0 else 0, final=n == len(cuts))
              for n, (start, end) in enumerate(zip(edges, edges[1:]))]
    return between.join(frames)
