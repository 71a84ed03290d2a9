"""Thousands of listeners who come back by themselves: one thread that reads little and looks at less.

Frames are not parsed, only that audio came is noticed: `auralis listen` checks what is in them."""
import errno
import os
import select
import socket
import threading
import time

TRY_AGAIN_S, SWEEP_S, ANSWER_S = 0.1, 0.05, 10
REQUEST = ("GET /ws/v2 HTTP/1.1\r\nHost: {}:{}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"
           "Sec-WebSocket-Protocol: auralis-v2\r\n\r\n")
AUDIO = 0x82                     # how a binary frame begins


def has_audio(data, at):
    """Whether a binary frame begins in data[at:], which begins with a frame."""
    while at + 10 <= len(data):
        size = data[at + 1]
        if data[at] == AUDIO:
            return True
        at += 2 + size if size < 126 else 4 + int.from_bytes(data[at + 2:at + 4], "big")
    return False


class Guest:
    """One of them. begun: when this connection was tried; audio: when music came; 0: not yet."""
    __slots__ = ("socket", "begun", "audio", "asked", "head")


class Storm:
    def __init__(self, host, port, count):
        self.target, self.count = (host, port), count
        self.request = REQUEST.format(host, port).encode()
        self.refusals = self.refused_connects = 0
        self.guests, self.waiting, self.losses = {}, [], []
        self.lock, self.over = threading.Lock(), threading.Event()
        self.buffer = bytearray(1 << 18)

    def __enter__(self):
        self.epoll = select.epoll()
        self.waiting = [0.0] * self.count
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join(30)
        for guest in self.guests.values():
            guest.socket.close()
        self.epoll.close()

    def playing(self):
        with self.lock:
            return sum(1 for guest in self.guests.values() if guest.audio)

    def first_audio(self):
        with self.lock:
            return [guest.audio for guest in self.guests.values() if guest.audio]

    def lost_since(self, begun):
        with self.lock:
            return sum(1 for at in self.losses if at >= begun)

    def _run(self):
        while not self.over.is_set():
            begun = time.monotonic()
            with self.lock:
                self._knock(begun)
                for descriptor, events in self.epoll.poll(0):
                    self._event(self.guests[descriptor], events)
                self._give_up(begun)
            self.over.wait(max(0.0, SWEEP_S - (time.monotonic() - begun)))

    def _knock(self, now):
        due, self.waiting = [at for at in self.waiting if at <= now], [at for at in self.waiting if at > now]
        for _ in due:
            guest = Guest()
            guest.socket, guest.begun, guest.audio, guest.asked, guest.head = socket.socket(), now, 0, False, b""
            guest.socket.setblocking(False)
            guest.socket.connect_ex(self.target)
            self.guests[guest.socket.fileno()] = guest
            self.epoll.register(guest.socket, select.EPOLLOUT)

    def _leave(self, guest, again_s):
        del self.guests[guest.socket.fileno()]
        guest.socket.close()
        self.waiting.append(time.monotonic() + again_s)

    def _give_up(self, now):
        for guest in [guest for guest in self.guests.values() if not guest.audio and now - guest.begun > ANSWER_S]:
            self.refusals += 1
            self._leave(guest, TRY_AGAIN_S)

    def _event(self, guest, events):
        if not guest.asked:
            self._connected(guest)
            return
        try:
            got = guest.socket.recv_into(self.buffer)
        except BlockingIOError:
            return
        except OSError:
            got = 0
        if got == 0:
            self._lost(guest)
        elif not guest.audio:
            self._greeted(guest, bytes(self.buffer[:got]))

    def _connected(self, guest):
        error = guest.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            assert error in (errno.ECONNREFUSED, errno.ECONNRESET), os.strerror(error)
            self.refused_connects += 1
            self._leave(guest, TRY_AGAIN_S)
            return
        guest.asked = True
        self.epoll.modify(guest.socket, select.EPOLLIN)
        try:
            guest.socket.sendall(self.request)
        except OSError:
            self._lost(guest)

    def _lost(self, guest):
        if guest.audio:
            self.losses.append(time.monotonic())
        self._leave(guest, TRY_AGAIN_S)

    def _greeted(self, guest, data):
        """The answer, the hello, and whether audio follows."""
        guest.head += data
        end = guest.head.find(b"\r\n\r\n")
        if end < 0:
            return
        if not guest.head.startswith(b"HTTP/1.1 101 "):
            self.refusals += 1
            self._leave(guest, self._retry_s(guest.head[:end]))
            return
        if has_audio(guest.head, end + 4):
            guest.audio, guest.head = time.monotonic(), b""

    @staticmethod
    def _retry_s(head):
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"retry-after:"):
                return min(float(line.split(b":")[1]), 5)
        return TRY_AGAIN_S
