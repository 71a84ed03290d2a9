"""A listener that somebody else wrote: the websockets package, with each protocol, over IPv4 and IPv6.

usage: ws_python_test.py BINARY [unittest options]
"""
import asyncio
import json
import logging
import struct
import sys
import unittest

import websockets
from websockets.frames import Opcode

from named import each, for_protocols
from peer import PROTOCOLS
from server import Server

BINARY = sys.argv.pop(1)
SERVERS = {name: Server(BINARY, "--lead", "1", "--ping", "1", listen=f"{name}:0") for name in ("127.0.0.1", "[::1]")}
ADDRESSES = tuple((name, address) for name, address in (("ipv4", "127.0.0.1"), ("ipv6", "[::1]")))
HEARD_CHUNKS = 30


def setUpModule():
    for server in SERVERS.values():
        server.__enter__()


def tearDownModule():
    for server in SERVERS.values():
        server.__exit__()


class FrameLog(logging.Handler):
    """What frames a connection received, as the package tells it."""

    def __init__(self):
        super().__init__()
        self.opcodes = []

    def emit(self, record):
        if record.msg == "< %s":
            self.opcodes.append(getattr(record.args[0], "opcode", None))


class Listening:
    def connect(self, address, frames=None, **options):
        logger = logging.Logger("frames", logging.DEBUG if frames else logging.ERROR)
        if frames:
            logger.addHandler(frames)
        url = SERVERS[address].url.replace("http", "ws") + self.protocol.path()
        return websockets.connect(url, logger=logger, ping_interval=None, open_timeout=20, close_timeout=20, **options)

    def number_of(self, message):
        """Of an audio message, counted in chunks; None for what is no audio."""
        if isinstance(message, bytes):
            version, _, _, _, _, first_frame, frames = struct.unpack_from("<BBBBIQI", message)
            self.assertEqual((version, frames % 960), (2, 0))
            return first_frame // 4800 if frames == 4800 else None
        message = json.loads(message)
        return message["sequence"] if message["type"] == "audio" else None

    async def hear(self, address):
        frames = FrameLog()
        async with self.connect(address, frames) as listener:
            first = json.loads(await listener.recv())
            numbers = []
            while len(numbers) < HEARD_CHUNKS:
                number = self.number_of(await listener.recv())
                if number is not None:
                    numbers.append(number)
        self.assertEqual(first["type"], {"v2": "hello", "v1": "connection_established", "v0": "connected"}
                         [self.protocol.name])
        self.assertEqual(numbers, list(range(numbers[0], numbers[0] + HEARD_CHUNKS)))
        self.assertIn(Opcode.PING, frames.opcodes)

    @each(*ADDRESSES)
    def test_hears_and_is_pinged(self, address):
        asyncio.run(self.hear(address))

    async def ask(self, listener, number, payload):
        await listener.send(payload)
        while True:
            message = await listener.recv()
            if isinstance(message, str):
                message = json.loads(message)
                if message["type"] == "pong" and message[self.protocol.echo] == number:
                    return

    async def converse(self, address):
        async with self.connect(address, compression="deflate") as listener:
            self.assertEqual(listener.extensions, [])
            text = self.protocol.ask(1, note="é🎵").decode()
            await self.ask(listener, 1, text)
            await self.ask(listener, 2, [letter for letter in self.protocol.ask(2, note="é🎵").decode()])
            for payload in (b"", b"x" * 125):
                await asyncio.wait_for(await listener.ping(payload), 20)
            await listener.pong(b"unasked")
            await self.ask(listener, 3, self.protocol.ask(3).decode())
            await listener.close(3456, "enough")
            self.assertEqual((listener.close_code, listener.close_reason), (3456, ""))

    @each(*ADDRESSES)
    def test_speaks(self, address):
        """Fragments, pings, an extension that is not accepted, and a close code that comes back."""
        asyncio.run(self.converse(address))

    async def be_closed(self, address, message, code):
        with self.assertRaises(websockets.ConnectionClosed) as caught:
            async with self.connect(address) as listener:
                for _ in range(3):
                    await listener.send(message)
                while True:
                    await listener.recv()
        self.assertEqual((caught.exception.rcvd.code, caught.exception.sent.code), (code, code))

    @each(*ADDRESSES)
    def test_is_closed(self, address):
        asyncio.run(self.be_closed(address, "no JSON", 1008))
        asyncio.run(self.be_closed(address, "x" * 70000, 1009))

    async def negotiate(self, address):
        name = f"auralis-{self.protocol.name}"
        async with self.connect(address, subprotocols=["other", name]) as listener:
            self.assertEqual(listener.subprotocol, None if self.protocol.name == "v0" else name)

    @each(*ADDRESSES)
    def test_offers_subprotocols(self, address):
        asyncio.run(self.negotiate(address))


globals().update(for_protocols(PROTOCOLS, Listening))

if __name__ == "__main__":
    unittest.main()
