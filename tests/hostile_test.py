"""Hostile clients against a real server, while five honest listeners compare every byte that they hear.

usage: hostile_test.py BINARY [unittest options]
"""
import json
import random
import select
import socket
import struct
import sys
import time
import unittest

from faults.crowd import NONE_OF, Crowd
from faults.fault import descriptors, resident_mib
from peer import PROTOCOLS, Peer, close_payload
from server import INSTRUMENTED, Server, wait_until
from websocket import CLOSE, PING, PONG, TEXT, Closed, frame

BINARY = sys.argv.pop(1)
LISTENERS = 5
V2 = PROTOCOLS[0]
# What the allocator may keep of what it had to hand out meanwhile. Sanitizers and Valgrind keep what they like.
KEPT_MIB = 1024 if INSTRUMENTED else 8
HEAD = b"Host: 127.0.0.1\r\n"
UPGRADE = (b"GET /ws/v2 HTTP/1.1\r\n" + HEAD + b"Upgrade: websocket\r\nConnection: Upgrade\r\n"
           b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")


def reset(peer):
    """Closes a socket so that the other side meets an error."""
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()


def send_until_refused(peer, data, pieces):
    """Sends on and on. Returns what the server has said when it listens no more, b"" when a reset took that away."""
    try:
        for _ in range(pieces):
            peer.sendall(data)
    except OSError:
        pass
    try:
        return peer.recv(65536)
    except OSError:
        return b""


class Hostile(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(BINARY, "--seed", "7", "--lead", "3").__enter__()
        cls.addClassCleanup(cls.server.__exit__)
        cls.crowd = Crowd(BINARY, cls.server.url, "opus", LISTENERS)
        cls.addClassCleanup(cls.crowd.kill)
        wait_until(lambda: cls.server.get("/api/status")[2]["active_connections"] == LISTENERS, 30, "no listeners")
        cls.pid = cls.server.process.pid
        cls.descriptors, cls.mib = descriptors(cls.pid), resident_mib(cls.pid)

    @classmethod
    def tearDownClass(cls):
        """The honest ones have noticed nothing, and nothing stays behind."""
        grown = resident_mib(cls.pid) - cls.mib
        report = cls.crowd.report()
        bad = {name: report[name] for name in NONE_OF if report[name]}
        assert not bad and report["connected"] == LISTENERS and report["verified"] > LISTENERS * 50, report
        assert grown < KEPT_MIB, f"{grown} MiB more than before"

    def setUp(self):
        self.addCleanup(self.nothing_is_left)   # when all sockets of the test are closed

    def nothing_is_left(self):
        wait_until(lambda: descriptors(self.pid) <= self.descriptors, 15, "sockets stay open")
        self.assertEqual(self.server.get("/api/health")[0], 200)

    def connect(self):
        peer = socket.create_connection((self.server.host, self.server.port), timeout=20)
        self.addCleanup(peer.close)
        return peer

    def join(self, **options):
        peer = Peer(self.server, V2, **options)
        self.addCleanup(peer.abandon)
        return peer

    def test_never_done(self):
        """Silence, half heads, half bodies, half handshakes, some of them dripping on: ended when their time is up."""
        beginnings = (b"", b"GET /", b"GET / HTTP/1.1\r\n" + HEAD, UPGRADE[:-2],
                      b"POST /api/control HTTP/1.1\r\n" + HEAD + b"Content-Length: 60000\r\n\r\n{")
        dripping = {self.connect(): beginning for beginning in beginnings[1:] for _ in range(10)}
        waiting = {self.connect(): beginning for beginning in beginnings for _ in range(10)} | dripping
        for peer, beginning in waiting.items():
            peer.sendall(beginning)
        end = time.monotonic() + 25
        while waiting:
            self.assertLess(time.monotonic(), end, f"{len(waiting)} are still served")
            for peer in select.select(list(waiting), [], [], 0.2)[0]:
                self.over(peer, waiting.pop(peer))
                dripping.pop(peer, None)
            for peer in list(dripping):
                self.drip(peer)

    def drip(self, peer):
        try:
            peer.sendall(b"x")
        except OSError:
            pass                 # its end is seen by reading

    def over(self, peer, begun):
        try:
            answer = peer.recv(65536)
        except ConnectionResetError:
            return
        self.assertEqual(answer[:12], b"HTTP/1.1 408" if begun else b"")

    def test_endless_head(self):
        for _ in range(10):
            peer = self.connect()
            peer.sendall(b"GET / HTTP/1.1\r\n" + HEAD)
            self.assertIn(send_until_refused(peer, b"X-More: and more\r\n", 100000)[:12], (b"HTTP/1.1 431", b""))

    def test_endless_line(self):
        for begun, status in ((b"GET /", b"414"), (b"GET / HTTP/1.1\r\nX: ", b"431"), (b"GET / HTTP/1.1\r\nX", b"431")):
            peer = self.connect()
            peer.sendall(begun)
            self.assertIn(send_until_refused(peer, b"x" * 1000, 10000)[:12], (b"HTTP/1.1 " + status, b""))

    def test_endless_body(self):
        for _ in range(10):
            peer = self.connect()
            peer.sendall(b"POST /api/control HTTP/1.1\r\n" + HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
            self.assertIn(send_until_refused(peer, b"3e8\r\n" + b"x" * 1000 + b"\r\n", 10000)[:12],
                          (b"HTTP/1.1 413", b""))

    def test_endless_requests(self):
        """Asks and asks, and reads no answer."""
        peers = [self.connect() for _ in range(5)]
        for peer in peers:
            peer.setblocking(False)
        end = time.monotonic() + 1
        while time.monotonic() < end:
            for peer in select.select([], peers, [], 0.2)[1]:
                peer.send((b"GET /api/status HTTP/1.1\r\n" + HEAD + b"\r\n") * 100)
        for peer in peers:
            reset(peer)

    def test_never_reads(self):
        """Whoever makes the server talk and does not listen is closed, or just gets no answer."""
        wishes = (frame(b"x" * 125, PING), frame(V2.ask(1)), frame(b"{}"),
                  frame(json.dumps({"type": "control", "parameters": {"intensity": 0.5}, "id": "x" * 64})))
        peers = [(self.join(receive_buffer=4096).socket, wish) for wish in wishes for _ in range(4)]
        end = time.monotonic() + 3
        while time.monotonic() < end:
            for peer, wish in peers:
                self.push(peer, wish * 4)
            time.sleep(0.1)
        for peer, _ in peers:
            reset(peer)

    def push(self, peer, data):
        peer.setblocking(False)
        try:
            peer.send(data)
        except OSError:
            pass                 # closed, or its own buffer is full: both are as they should be

    def test_comes_and_goes(self):
        for n in range(400):
            peer = self.connect()
            if n % 2:
                peer.sendall(UPGRADE)
            (reset if n % 4 > 1 else socket.socket.close)(peer)

    def test_half_closed(self):
        for data in (b"", b"GET", UPGRADE, UPGRADE + frame(b"{")[:-1], UPGRADE + frame(b"{", final=False),
                     UPGRADE + frame(close_payload(1000), CLOSE)):
            for _ in range(5):
                peer = self.connect()
                peer.sendall(data)
                peer.shutdown(socket.SHUT_WR)
                while peer.recv(65536):
                    pass

    def test_resets(self):
        """In every state that a connection can be in."""
        for data in (b"", b"GET", UPGRADE[:99], UPGRADE, UPGRADE * 2, b"POST / HTTP/1.1\r\n" + HEAD +
                     b"Content-Length: 5\r\n\r\nab", b"GET / HTTP/1.1\r\n" + HEAD + b"\r\n"):
            for _ in range(10):
                peer = self.connect()
                peer.sendall(data)
                reset(peer)
        for data in (b"", b"\x81", b"\x81\xfe", frame(b"{", final=False), frame(V2.ask(1))[:-1], frame(b"x", 3),
                     frame(b"now", PING), frame(b"x" * 5000), frame(close_payload(1000), CLOSE)):
            for answered in (False, True):
                peer = self.join()
                peer.socket.sendall(data)
                if answered:
                    peer.receive()
                reset(peer.socket)

    def test_byte_at_a_time(self):
        """Odd, but honest: it is served."""
        peers = [self.connect() for _ in range(5)]
        for byte in UPGRADE + frame(V2.ask(7)) + frame(close_payload(1000), CLOSE):
            for peer in peers:
                peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                peer.sendall(bytes([byte]))
        for peer in peers:
            said = b""
            while data := peer.recv(65536):
                said += data
            self.assertIn(b'"type":"pong","t0":7', said)
            self.assertTrue(said.endswith(b"\x88\x02\x03\xe8"), said[-20:])

    def test_giants_announced(self):
        for size in (1 << 16, 1 << 32, 1 << 62):
            for opcode in (TEXT, PING):
                peer = self.join()
                peer.socket.sendall(frame(b"{", opcode, announced=size))
                with self.assertRaises(Closed) as end:
                    while True:
                        peer.next()
                self.assertEqual(end.exception.code, 1002 if opcode == PING else 1009)

    def test_messages_that_never_end(self):
        """A hundred, each but a byte short of the longest that may be: a few KiB each, until they go."""
        peers = [self.join(receive_buffer=4096) for _ in range(100)]
        for peer in peers:
            peer.socket.sendall(frame(b" " * V2.limit)[:-1])
        self.assertLess(resident_mib(self.pid) - self.mib, KEPT_MIB)

    def test_garbage(self):
        chance = random.Random(7)
        for n in range(200):
            data = chance.randbytes(chance.randrange(1, 3000))
            peer = self.join().socket if n % 2 else self.connect()
            self.push(peer, b"\x16\x03\x01" + data if n % 8 == 0 else data)
            peer.close()

    def test_flood_of_control_frames(self):
        for opcode in (PING, PONG):
            for _ in range(3):
                peer = self.join()
                send_until_refused(peer.socket, frame(b"", opcode) * 1000, 20)


if __name__ == "__main__":
    unittest.main()
