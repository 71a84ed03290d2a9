"""A v2 listener that comes back: what somebody on a bad line hears."""
import hashlib
import json
import struct
import threading
import time

from websocket import BINARY, TEXT, Closed, Refused, WebSocket

CHUNK_FRAMES, FRAMES_PER_S, PREROLL = 4800, 48000, 4


class Wanderer(threading.Thread):
    """Listens until it is ended, and connects again whenever it is closed or hears nothing for `silence_s`.

    enter: called on the thread first, to stand in another network namespace."""

    def __init__(self, host, port, *, silence_s=2.0, enter=None):
        super().__init__(daemon=True)
        self.host, self.port, self.silence_s, self.enter = host, port, silence_s, enter
        self.over, self.websocket, self.fault = threading.Event(), None, None
        self.sessions, self.refusals, self.silences, self.closes = 0, 0, 0, []
        self.skips, self.bitrates, self.goodbyes, self.gaps = [], [], [], 0
        self.chunks = {}             # first frame -> (when it came, digest, bit/s)
        self.begin_frame = None
        self.zero_s = None           # this machine's time of frame 0, as well as it is known
        self.lead_frames = self.phase_frames = 0
        self.delivery_frames = CHUNK_FRAMES
        self.next_frame = self.bitrate = 0
        self.burst_until = 0
        self.late_s = []             # of steady chunks

    def run(self):
        try:
            if self.enter:
                self.enter()
            while not self.over.is_set():
                self._try()
        except BaseException as fault:
            self.fault = fault

    def _try(self):
        pause_s = 0.1
        try:
            self._listen()
        except Refused as refused:
            self.refusals += 1
            pause_s = min(float(refused.headers.get("retry-after", 1)), 5)
        except Closed as closed:
            if not self.over.is_set():
                self.closes.append((closed.code, closed.reason))
        except TimeoutError:
            self.silences += 1
        except OSError:
            pause_s = 0.5
        if self.websocket:
            self.websocket.abandon()
        self.over.wait(pause_s)

    def _listen(self):
        self.websocket = None
        self.websocket = WebSocket(self.host, self.port, "/ws/v2", subprotocols=["auralis-v2"], timeout=self.silence_s)
        while not self.over.is_set():
            opcode, payload = self.websocket.receive()
            if opcode == TEXT:
                self._text(json.loads(payload), time.monotonic())
            elif opcode == BINARY:
                self._chunk(payload, time.monotonic())

    def _text(self, message, now):
        kind = message["type"]
        if kind == "hello":
            self.sessions += 1
            self.lead_frames = message["lead_frames"]
            self.next_frame = message["first_frame"]
            self.begin_frame = self.next_frame if self.begin_frame is None else self.begin_frame
            zero_s = now - message["time_ms"] / 1000
            self.zero_s = zero_s if self.zero_s is None else min(self.zero_s, zero_s)
        elif kind == "skip":
            self.skips.append((message["from_frame"], message["to_frame"]))
            self.next_frame = message["to_frame"]
        elif kind == "goodbye":
            self.goodbyes.append(message["code"])
        elif kind == "error":
            raise AssertionError(message)
        if "delivery_frames" in message:
            self.delivery_frames, self.phase_frames = message["delivery_frames"], message["phase_frames"]
        if "bitrate" in message:
            self.bitrate = message["bitrate"]
            self.bitrates.append(self.bitrate)
        self.burst_until = message.get("burst_until_frame", self.burst_until)

    def _chunk(self, payload, now):
        _, _, flags, _, _, frame, count = struct.unpack_from("<BBBBIQI", payload)
        if flags & PREROLL:
            return
        self.gaps += frame != self.next_frame
        self.next_frame = frame + count
        self.chunks.setdefault(frame, (now, hashlib.blake2b(payload, digest_size=8).digest(), self.bitrate))
        if frame >= self.burst_until:
            due = frame // self.delivery_frames * self.delivery_frames - self.lead_frames + self.phase_frames
            self.late_s.append(now - self.zero_s - due / FRAMES_PER_S)

    def heard_at(self, frame):
        return self.zero_s + frame / FRAMES_PER_S

    def end(self):
        self.over.set()
        if self.websocket:
            self.websocket.abandon()
        self.join(30)
        if self.fault:
            raise self.fault

    def playing(self):
        """Whether it has sound for now."""
        if self.zero_s is None:
            return False
        now = int((time.monotonic() - self.zero_s) * FRAMES_PER_S)
        return now // CHUNK_FRAMES * CHUNK_FRAMES in list(self.chunks)

    def missed(self):
        """(chunks that were not there when they were to be heard, all that were to be heard until now)."""
        if self.zero_s is None:
            return 0, 0
        now = int((time.monotonic() - self.zero_s) * FRAMES_PER_S)
        wanted = range(self.begin_frame, now - CHUNK_FRAMES, CHUNK_FRAMES)
        there = [frame for frame in wanted if frame in self.chunks
                 and self.chunks[frame][0] <= self.heard_at(frame) + CHUNK_FRAMES / FRAMES_PER_S]
        return len(wanted) - len(there), len(wanted)

    def different(self, other):
        """Chunks that are not the same bytes as another's, at the same bit rate."""
        both = self.chunks.keys() & other.chunks.keys()
        return sum(1 for frame in both if self.chunks[frame][2] == other.chunks[frame][2]
                   and self.chunks[frame][1] != other.chunks[frame][1])
