"""A small WebSocket client (RFC 6455) for tests, strict about what a server may send."""
import base64
import hashlib
import os
import socket
import struct

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def frame(payload, opcode=TEXT, *, final=True, reserved=0, masked=True, length_bytes=None, announced=None):
    """One frame's bytes, as a client that obeys the rules makes it, unless told otherwise.

    reserved: bits RSV1 (4), RSV2 (2), RSV3 (1). length_bytes: 0, 2 or 8 after the second byte, for the shortest form
    if not given. announced: the length that its head tells, when that is not the payload's.
    """
    payload = payload.encode() if isinstance(payload, str) else bytes(payload)
    size = len(payload) if announced is None else announced
    if length_bytes is None:
        length_bytes = 0 if size < 126 else 2 if size < 65536 else 8
    second = {0: size, 2: 126, 8: 127}[length_bytes] | (0x80 if masked else 0)
    head = bytes([opcode | reserved << 4 | (0x80 if final else 0), second])
    head += size.to_bytes(length_bytes, "big") if length_bytes else b""
    if not masked:
        return head + payload
    mask = os.urandom(4)
    pattern = (mask * (len(payload) // 4 + 1))[:len(payload)]
    hidden = int.from_bytes(payload, "big") ^ int.from_bytes(pattern, "big")
    return head + mask + hidden.to_bytes(len(payload), "big")


class Refused(Exception):
    """The handshake was answered by something else than 101."""

    def __init__(self, status, headers, body):
        super().__init__(f"HTTP {status}: {body[:200]!r}")
        self.status, self.headers, self.body = status, headers, body


class Closed(Exception):
    """The peer has closed. `code` is 1005 when its close frame had none, None when it did so without a frame."""

    def __init__(self, code, reason=""):
        super().__init__(f"closed: {code} {reason}")
        self.code, self.reason = code, reason


class WebSocket:
    def __init__(self, host, port, path, *, subprotocols=(), headers=(), receive_buffer=None, timeout=20, extra=b"",
                 tls=None):
        """receive_buffer: bytes that the kernel may keep for a slow reader.   timeout: seconds that anything may take.

        extra: bytes that are sent right behind the request.   tls: an ssl context, for wss.
        """
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = bytearray()
        try:
            self.socket.connect((host, port))
            if tls:
                self.socket = tls.wrap_socket(self.socket, server_hostname=host)
            self._handshake(host, port, path, subprotocols, dict(headers), extra)
        except BaseException:
            self.socket.close()
            raise

    def _handshake(self, host, port, path, subprotocols, headers, extra):
        key = base64.b64encode(os.urandom(16))
        fields = {"Host": f"{host}:{port}", "Upgrade": "websocket", "Connection": "Upgrade",
                  "Sec-WebSocket-Key": key.decode(), "Sec-WebSocket-Version": "13", **headers}
        if subprotocols:
            fields["Sec-WebSocket-Protocol"] = ", ".join(subprotocols)
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        self.socket.sendall(f"GET {path} HTTP/1.1\r\n{head}\r\n".encode() + extra)
        status, self.headers = self._answer()
        if status != 101:
            raise Refused(status, self.headers, bytes(self._take(int(self.headers.get("content-length", 0)))))
        accept = base64.b64encode(hashlib.sha1(key + GUID).digest()).decode()
        assert self.headers["sec-websocket-accept"] == accept, self.headers
        assert self.headers["upgrade"].lower() == "websocket", self.headers
        self.subprotocol = self.headers.get("sec-websocket-protocol")

    def _answer(self):
        while (end := self.buffer.find(b"\r\n\r\n")) < 0:
            self._more()
        lines = self._take(end + 4).decode("latin-1").split("\r\n")
        pairs = (line.split(":", 1) for line in lines[1:] if line)
        return int(lines[0].split()[1]), {name.strip().lower(): value.strip() for name, value in pairs}

    def _more(self):
        data = self.socket.recv(65536)
        if not data:
            raise Closed(None)
        self.buffer += data

    def _take(self, count):
        while len(self.buffer) < count:
            self._more()
        taken = self.buffer[:count]
        del self.buffer[:count]
        return taken

    def send(self, payload, opcode=TEXT, **form):
        """One frame; for its form see `frame`."""
        self.socket.sendall(frame(payload, opcode, **form))

    def receive(self):
        """The next frame, as (opcode, bytes). Answers pings; raises Closed at the end."""
        first, second = self._take(2)
        opcode, size = first & 15, second & 127
        assert first & 0x70 == 0, "reserved bits"
        assert first & 0x80, "servers of ours do not fragment"
        assert second & 0x80 == 0, "a server must not mask"
        assert opcode in (TEXT, BINARY, CLOSE, PING, PONG), opcode
        if size == 126:
            size, = struct.unpack(">H", self._take(2))
            assert size >= 126, "not the shortest length"
        elif size == 127:
            size, = struct.unpack(">Q", self._take(8))
            assert size >= 65536, "not the shortest length"
        assert opcode < CLOSE or size < 126, "a long control frame"
        payload = bytes(self._take(size))
        if opcode == PING:
            self.send(payload, PONG)
        if opcode == CLOSE:
            code = struct.unpack(">H", payload[:2])[0] if payload else 1005
            raise Closed(code, payload[2:].decode())
        return opcode, payload

    def send_close(self, code=1000):
        self.send(struct.pack(">H", code), CLOSE)

    def abandon(self):
        """Goes without a word. Wakes who waits in `receive`."""
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.socket.close()
