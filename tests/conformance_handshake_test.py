"""What RFC 6455 asks of a server while a connection is opened, against a real one, in each protocol.

usage: conformance_handshake_test.py BINARY [unittest options]
"""
import http.client
import io
import re
import socket
import sys
import unittest

from named import each, for_protocols
from peer import PROTOCOLS, Peer, close_payload
from server import Server
from websocket import CLOSE, PING, frame

BINARY = sys.argv.pop(1)
SERVER = Server(BINARY, "--seed", "7", "--lead", "1", "--accept-rate", "0")
setUpModule = SERVER.__enter__
tearDownModule = SERVER.__exit__

# The key of RFC 6455, section 1.3, and what it must be answered by.
KEY, ACCEPT = "dGhlIHNhbXBsZSBub25jZQ==", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


# For spelling a request otherwise: its headers' names, and the values that do not tell cases apart.
NAME = re.compile(rb"(?m)^[\w-]+:")
VALUE = re.compile(rb"(?m)(?<=: )(Upgrade|websocket)\r$")


class Answer:
    """A status line and its headers, and the body where the headers announce one."""

    def __init__(self, text):
        head, _, self.body = text.partition(b"\r\n\r\n")
        line, _, fields = head.partition(b"\r\n")
        self.version, status, _ = line.decode().split(" ", 2)
        self.status = int(status)
        self.headers = http.client.parse_headers(io.BytesIO(fields + b"\r\n\r\n"))


class Handshakes:
    def ask(self, text):
        """Sends bytes and no more, and returns what the server says to them up to a 101's end or its own."""
        with socket.create_connection((SERVER.host, SERVER.port), timeout=20) as peer:
            peer.sendall(text)
            got = b""
            while not (b"\r\n\r\n" in got and got.startswith(b"HTTP/1.1 101")):
                data = peer.recv(65536)
                if not data:
                    break
                got += data
        return Answer(got)

    def request(self, *, method="GET", version="HTTP/1.1", drop=(), add=(), body=b"", **change):
        """A good handshake, but for what is dropped, changed (by name, `_` for `-`) and added."""
        fields = {"Host": "127.0.0.1", "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Key": KEY,
                  "Sec-WebSocket-Version": "13"}
        changed = {name.replace("_", "-").lower(): value for name, value in change.items()}
        lines = [f"{name}: {changed.get(name.lower(), value)}" for name, value in fields.items() if name not in drop]
        head = [f"{method} {self.protocol.path()} {version}", *lines, *add]
        return "".join(line + "\r\n" for line in head).encode() + b"\r\n" + body

    def opens(self, **how):
        answer = self.ask(self.request(**how))
        self.assertEqual((answer.status, answer.version), (101, "HTTP/1.1"))
        self.assertEqual(answer.headers.get_all("Sec-WebSocket-Accept"), [ACCEPT])
        self.assertEqual(answer.headers.get_all("Upgrade"), ["websocket"])
        self.assertEqual(answer.headers.get_all("Connection"), ["Upgrade"])
        self.assertIsNone(answer.headers["Content-Length"])
        self.assertIsNone(answer.headers["Sec-WebSocket-Extensions"])
        return answer

    def refused(self, status, **how):
        # Without a next request the server would wait for one.
        add = (*how.pop("add", ()), "Connection: close")
        answer = self.ask(self.request(add=add, **how))
        self.assertEqual(answer.status, status, answer.body)
        self.assertIsNone(answer.headers["Sec-WebSocket-Accept"])
        self.assertTrue(answer.body)
        return answer

    def test_good(self):
        self.opens()

    @each(("upgrade", "Upgrade", 404), ("connection", "Connection", 400), ("key", "Sec-WebSocket-Key", 400),
          ("version", "Sec-WebSocket-Version", 426), ("host", "Host", 400))
    def test_missing(self, name, status):
        """Without Upgrade it asks for a page, and there is none."""
        self.refused(status, drop=(name,))

    @each(("other", "h2c", 404), ("longer", "websockets", 404), ("shorter", "websock", 404))
    def test_upgrade(self, value, status):
        self.refused(status, upgrade=value)

    @each(("other", "keep-alive"), ("longer", "Upgraded"), ("shorter", "Up"), ("empty", ""))
    def test_connection(self, value):
        self.refused(400, connection=value)

    @each(*((value or "empty", value) for value in ("", "0", "7", "8", "12", "14", "-13", "+13", "013", "13.0", "130",
                                                    "0x0d", "13;", "13, 8", "13 8", "8, 13", "thirteen")))
    def test_version(self, value):
        answer = self.refused(426, sec_websocket_version=value)
        self.assertEqual(answer.headers.get_all("Sec-WebSocket-Version"), ["13"])

    @each(("empty", ""), ("short", "c2hvcnQ="), ("15_bytes", "MTIzNDU2Nzg5MDEyMzQ1"),
          ("17_bytes", "MTIzNDU2Nzg5MDEyMzQ1Njc="), ("18_bytes", "MTIzNDU2Nzg5MDEyMzQ1Njc4"),
          ("long", "MTIzNDU2Nzg5MDEyMzQ1Njc4" * 100), ("no_padding", KEY[:-2]), ("half_padding", KEY[:-1]),
          ("more_padding", KEY + "="), ("padding_first", "==" + KEY[:-2]), ("space_inside", KEY[:9] + " " + KEY[10:]),
          ("no_base64", "!" * 22 + "=="), ("url_alphabet", "-_" * 11 + "=="), ("two", KEY + ", " + KEY))
    def test_key(self, value):
        self.refused(400, sec_websocket_key=value)

    @each(("same_key", f"Sec-WebSocket-Key: {KEY}", 400),
          ("other_key", "Sec-WebSocket-Key: MTIzNDU2Nzg5MDEyMzQ1Ng==", 400),
          ("same_version", "Sec-WebSocket-Version: 13", 426), ("other_version", "Sec-WebSocket-Version: 8", 426),
          ("host", "Host: 127.0.0.1", 400),
          ("other_origin", "Origin: http://127.0.0.1\r\nOrigin: http://evil.example", 403))
    def test_twice(self, line, status):
        self.refused(status, add=(line,))

    @each(("one_line", ("Upgrade: h2c",)), ("connection", ("Connection: keep-alive",)),
          ("extensions", ("Sec-WebSocket-Extensions: foo", "Sec-WebSocket-Extensions: bar; baz=1")))
    def test_lists_over_several_lines(self, lines):
        self.opens(add=lines)

    @each(("POST", "POST", 405), ("HEAD", "HEAD", 405), ("PUT", "PUT", 405), ("OPTIONS", "OPTIONS", 405),
          ("BREW", "BREW", 501))
    def test_method(self, method, status):
        answer = self.ask(self.request(method=method, add=("Connection: close",)))
        self.assertEqual(answer.status, status)

    @each(("1_0", "HTTP/1.0", 400), ("0_9", "HTTP/0.9", 505), ("2_0", "HTTP/2.0", 505), ("1_2", "HTTP/1.2", 505),
          ("lower_case", "http/1.1", 400))
    def test_http(self, version, status):
        self.refused(status, version=version)

    @each(("content_length", "Content-Length: 4", b"abcd"),
          ("chunked", "Transfer-Encoding: chunked", b"4\r\nabcd\r\n0\r\n\r\n"))
    def test_with_a_body(self, line, body):
        self.refused(400, add=(line,), body=body)

    def test_with_an_empty_body(self):
        self.opens(add=("Content-Length: 0",))

    @each(("lower_names", lambda text: NAME.sub(lambda name: name[0].lower(), text)),
          ("upper_names", lambda text: NAME.sub(lambda name: name[0].upper(), text)),
          ("upper_values", lambda text: VALUE.sub(lambda value: value[0].upper(), text)),
          ("mixed_values", lambda text: VALUE.sub(lambda value: value[0].swapcase(), text)),
          ("no_space", lambda text: text.replace(b": ", b":")),
          ("tabs", lambda text: text.replace(b": ", b": \t ")),
          ("space_behind", lambda text: text.replace(b"websocket\r", b"websocket \t\r").replace(b"==\r", b"==  \r")
           .replace(b": 13\r", b": 13\t\r")),
          ("in_a_list", lambda text: text.replace(b": websocket", b": h2c , websocket")
           .replace(b": Upgrade", b": keep-alive,Upgrade ,x")),
          ("unknown_headers", lambda text: text.replace(b"Upgrade:", b"X-One: 1\r\nX-Empty:\r\nUpgrade:")))
    def test_written(self, change):
        text = change(self.request())
        self.assertNotEqual(text, self.request())
        answer = self.ask(text)
        self.assertEqual((answer.status, answer.headers["Sec-WebSocket-Accept"]), (101, ACCEPT))

    @each(("space_before_colon", lambda text: text.replace(b"Upgrade:", b"Upgrade :")),
          ("folded_line", lambda text: text.replace(b": Upgrade", b": keep-alive,\r\n Upgrade")),
          ("zero_byte", lambda text: text.replace(b"websocket\r", b"websocket\0\r")),
          ("bare_target", lambda text: text.replace(b" /ws", b" ws", 1)))
    def test_malformed(self, change):
        answer = self.ask(change(self.request(add=("Connection: close",))))
        self.assertEqual(answer.status, 400)

    @each(("deflate", "permessage-deflate"), ("deflate_with_parameters", "permessage-deflate; client_max_window_bits"),
          ("several", "permessage-deflate; server_no_context_takeover, x-webkit-deflate-frame, foo; bar=\"x\""))
    def test_extension(self, offer):
        """None is accepted, and no answer speaks of any."""
        self.opens(add=(f"Sec-WebSocket-Extensions: {offer}",))

    def offer(self, *lines):
        return [f"Sec-WebSocket-Protocol: {line}" for line in lines]

    def test_subprotocol_none(self):
        self.assertIsNone(self.opens().headers["Sec-WebSocket-Protocol"])

    @each(("alone", "{}"), ("first", "{}, other"), ("last", "other, x.y,{}"), ("middle", "other,{} , x"),
          ("on_a_second_line", "other", "{}"), ("on_a_first_line", "{}", "other"))
    def test_subprotocol(self, *lines):
        """v0 knows none, and speaks on without one."""
        name = f"auralis-{self.protocol.name}"
        answer = self.opens(add=self.offer(*(line.format(name) for line in lines)))
        wanted = None if self.protocol.name == "v0" else [name]
        self.assertEqual(answer.headers.get_all("Sec-WebSocket-Protocol"), wanted)

    @each(("other", "other"), ("longer", "auralis-v22"), ("prefix", "auralis-v"), ("case", "AURALIS-V2"),
          ("several_lines", "other", "another"))
    def test_subprotocol_unknown(self, *lines):
        if self.protocol.name == "v0":
            self.opens(add=self.offer(*lines))
        else:
            self.refused(400, add=self.offer(*lines))

    def test_frames_right_behind(self):
        extra = frame(self.protocol.ask(7)) + frame(b"now", PING) + frame(close_payload(1000), CLOSE)
        with Peer(SERVER, self.protocol, extra=extra) as peer:
            self.assertEqual(peer.rest(), (1000, "", [7, b"now"]))

    def test_half_a_frame_right_behind(self):
        text = frame(self.protocol.ask(7))
        for cut in (1, 2, 5, 6, 7, len(text) - 1):
            with Peer(SERVER, self.protocol, extra=text[:cut]) as peer:
                peer.socket.sendall(text[cut:])
                self.assertEqual(peer.next(), 7)

    def test_broken_frame_right_behind(self):
        with Peer(SERVER, self.protocol, extra=b"\xff\xff") as peer:
            self.assertEqual(peer.rest()[0], 1002)

    def test_much_right_behind(self):
        """More than one read takes."""
        extra = frame(b"x" * 125, PING) * 30 + frame(close_payload(1000), CLOSE)
        with Peer(SERVER, self.protocol, extra=extra) as peer:
            self.assertEqual(peer.rest(), (1000, "", [b"x" * 125] * 30))

    def test_behind_another_request(self):
        page = b"GET /api/health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
        with socket.create_connection((SERVER.host, SERVER.port), timeout=20) as peer:
            peer.sendall(page + self.request())
            got = b""
            while b"HTTP/1.1 101" not in got:
                data = peer.recv(65536)
                self.assertTrue(data, got)
                got += data
        self.assertTrue(got.startswith(b"HTTP/1.1 200"), got[:100])

    def test_byte_at_a_time(self):
        text = self.request()
        with socket.create_connection((SERVER.host, SERVER.port), timeout=20) as peer:
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for byte in text:
                peer.sendall(bytes([byte]))
            self.assertTrue(peer.recv(65536).startswith(b"HTTP/1.1 101"))

    def test_again_on_a_refused_connection(self):
        """A refusal that is no error of HTTP leaves the connection usable."""
        with socket.create_connection((SERVER.host, SERVER.port), timeout=20) as peer:
            peer.sendall(self.request(sec_websocket_version="8"))
            self.assertTrue(peer.recv(65536).startswith(b"HTTP/1.1 426"))
            peer.sendall(self.request())
            self.assertTrue(peer.recv(65536).startswith(b"HTTP/1.1 101"))

    @each(("same", "http://127.0.0.1", 101), ("other", "https://evil.example", 403), ("null", "null", 403))
    def test_origin(self, origin, status):
        answer = self.ask(self.request(add=(f"Origin: {origin}", "Connection: close")))
        self.assertEqual(answer.status, status)


globals().update(for_protocols(PROTOCOLS, Handshakes))

if __name__ == "__main__":
    unittest.main()
