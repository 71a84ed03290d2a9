"""A forwarding proxy that delays, jitters, stalls, narrows and cuts, and measures how late it is itself.

It stands in for what a kernel without netem cannot do. Bytes keep their order and none is lost, as in TCP."""
import asyncio
import collections
import random
import socket
import threading
import time

PIECE_BYTES, HELD_BYTES, BUFFER_BYTES = 2048, 16384, 8192


class Proxy:
    """`with Proxy(host, port) as proxy:` then connect to proxy.port. What is set holds for what arrives afterwards."""

    def __init__(self, host, port):
        self.target = host, port
        self.delay_s = 0.0
        self.jitter_s = 0.0          # 0 to this is added to the delay, anew for each piece
        self.bytes_per_s = 0         # of each connection and way; 0: no limit
        self.own_late_s = []         # how much later than it meant to it handed a piece on
        self.random = random.Random(1)
        self.connections = set()

    def __enter__(self):
        self.loop = asyncio.new_event_loop()
        self.flowing = asyncio.Event()
        self.flowing.set()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.setblocking(False)
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.loop.call_soon_threadsafe(self.accepting.cancel)
        self.thread.join(20)

    def stall(self):
        """Nothing passes, and nothing is read."""
        self.loop.call_soon_threadsafe(self.flowing.clear)

    def go_on(self):
        self.loop.call_soon_threadsafe(self.flowing.set)

    def cut(self):
        """Ends every connection at once."""
        self.loop.call_soon_threadsafe(lambda: [task.cancel() for task in self.connections])

    def own_lateness_words(self):
        ordered = sorted(self.own_late_s) or [0.0]
        return (f"the proxy itself added {1000 * ordered[len(ordered) // 2]:.1f} / "
                f"{1000 * ordered[int(len(ordered) * .99)]:.1f} / {1000 * ordered[-1]:.1f} ms (p50 / p99 / most)")

    def _run(self):
        asyncio.set_event_loop(self.loop)
        self.accepting = self.loop.create_task(self._accept())
        try:
            self.loop.run_until_complete(self.accepting)
        except asyncio.CancelledError:
            pass
        left = list(self.connections)
        for task in left:
            task.cancel()
        self.loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        self.listener.close()
        self.loop.close()

    async def _accept(self):
        while True:
            client, _ = await self.loop.sock_accept(self.listener)
            task = self.loop.create_task(self._connection(client))
            self.connections.add(task)
            task.add_done_callback(self.connections.discard)

    async def _connection(self, client):
        server = socket.socket()
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
        pumps = []
        try:
            for end in (client, server):
                end.setblocking(False)
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await self.loop.sock_connect(server, self.target)
            ways = self._way(client, server) + self._way(server, client)
            pumps = [self.loop.create_task(work) for work in ways]
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        except OSError:
            pass
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            client.close()
            server.close()

    def _way(self, source, sink):
        """Two coroutines: one takes in, one hands on."""
        held, changed = collections.deque(), asyncio.Condition()
        return self._take_in(source, held, changed), self._hand_on(sink, held, changed)

    async def _take_in(self, source, held, changed):
        last_due = 0.0
        while True:
            await self.flowing.wait()
            piece = await self.loop.sock_recv(source, PIECE_BYTES)
            due = max(last_due, time.monotonic() + self.delay_s + self.random.uniform(0, self.jitter_s))
            last_due = due + (len(piece) / self.bytes_per_s if self.bytes_per_s else 0)
            async with changed:
                held.append((due, piece))
                changed.notify_all()
                await changed.wait_for(lambda: sum(len(piece) for _, piece in held) < HELD_BYTES)
            if not piece:
                return await asyncio.Event().wait()  # the end is handed on when its time comes

    async def _hand_on(self, sink, held, changed):
        while True:
            async with changed:
                await changed.wait_for(lambda: held)
                due, piece = held[0]
            stalled = not self.flowing.is_set()
            await asyncio.sleep(max(0, due - time.monotonic()))
            stalled = stalled or not self.flowing.is_set()
            await self.flowing.wait()
            if not piece:
                return
            if not stalled:
                self.own_late_s.append(max(0, time.monotonic() - due))
            await self.loop.sock_sendall(sink, piece)
            async with changed:
                held.popleft()
                changed.notify_all()
