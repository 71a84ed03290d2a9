"""A v2 listener that comes back: what somebody on a bad line hears."""
import hashlib
import json
import struct
import threading
import time

from websocket import TEXT, Closed, Refused, WebSocket

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
            else:
                self._chunk(payload, time.monotonic())

    def _text(self, message, now):
        kind = message["type"]
        if kind == "hello":
            self.sessions += 1
            self.lead_frames, self.phase_frames = message["lead_frames"], message["phase_frames"]
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
            self.late_s.append(now - self.heard_at(frame) + self.lead_frames / FRAMES_PER_S)

    def heard_at(self, frame):
        return self.zero_s + (frame + self.phase_frames) / FRAMES_PER_S

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
        now = int((time.monotonic() - self.zero_s) * FRAMES_PER_S) - self.phase_frames
        return now // CHUNK_FRAMES * CHUNK_FRAMES in list(self.chunks)

    def missed(self):
        """(chunks that were not there when they were to be heard, all that were to be heard until now)."""
        if self.zero_s is None:
            return 0, 0
        now = int((time.monotonic() - self.zero_s) * FRAMES_PER_S) - self.phase_frames
        wanted = range(self.begin_frame, now - CHUNK_FRAMES, CHUNK_FRAMES)
        there = sum(1 for frame in wanted if frame in self.chunks and self.chunks[frame][0] <= self.heard_at(frame) + .1)
        return len(wanted) - there, len(wanted)

    def different(self, other):
        """Chunks that are not the same bytes as another's, at the same bit rate."""
        both = self.chunks.keys() & other.chunks.keys()
        return sum(1 for frame in both if self.chunks[frame][2] == other.chunks[frame][2]
                   and self.chunks[frame][1] != other.chunks[frame][1])


class Party:
    """Some who suffer, and one beside them who does not and whose bytes theirs are compared with."""

    def __init__(self, run, count, *, port=None, host=None, enter=None, silence_s=2.0):
        self.run = run
        self.steady = Wanderer(run.server.host, run.server.port)
        self.members = [Wanderer(host or run.server.host, port or run.server.port, enter=enter, silence_s=silence_s)
                        for _ in range(count)]
        for member in (self.steady, *self.members):
            member.start()
        run.wait(lambda: all(member.chunks for member in (self.steady, *self.members)), 20, "all of them began to listen")

    def stand(self):
        """Returns when their burst at joining is over."""
        time.sleep(max(0, self.run.lead - 1))

    def recover(self, seconds):
        """Waits until all of them have sound again."""
        took_s = self.run.wait(lambda: all(member.playing() for member in self.members), seconds, "all of them play again")
        if took_s is not None:
            self.run.saw(f"playing again {took_s:.1f} s after the fault was over")

    def end(self, *, intact):
        """Ends them and says what they met. intact: nothing may have been missing."""
        missed = [member.missed() for member in self.members]
        for member in (self.steady, *self.members):
            member.end()
        run, members = self.run, self.members
        lost, wanted = sum(count for count, _ in missed), sum(count for _, count in missed)
        skips, gaps = sum(len(member.skips) for member in members), sum(member.gaps for member in members)
        again = sum(member.sessions - 1 for member in members)
        different = sum(member.different(self.steady) for member in members)
        run.saw(f"{len(members)} listeners heard {100 - 100 * lost / max(wanted, 1):.2f} % of {wanted / 10:.1f} s of music; "
                f"{again} connected again, {skips} skips, {sum(member.silences for member in members)} silences noticed, "
                f"{sum(member.refusals for member in members)} refusals")
        run.saw(lateness_words([late for member in members for late in member.late_s]))
        rungs = sorted({rate // 1000 for member in members for rate in member.bitrates})
        if len(rungs) > 1:
            run.saw(f"bit rates: {', '.join(map(str, rungs))} kb/s")
        ends = sorted({f"{code or 'no word'} {reason}".strip() for member in members for code, reason in member.closes})
        if ends:
            run.saw("closed with " + "; ".join(ends))
        run.hold(gaps == 0, f"nothing was missing from a connection without a word ({gaps} holes)")
        run.hold(different == 0, f"what came was, byte for byte, what others got ({different} chunks differ)")
        if intact:
            run.hold(lost == 0 and again == 0 and skips == 0, "they lost nothing: every chunk came on the first connection "
                     "before it was to be heard")


def lateness_words(late_s):
    if not late_s:
        return "no chunk of theirs was due on its own"
    ordered = sorted(max(0, late) * 1000 for late in late_s)
    p50, p99 = ordered[len(ordered) // 2], ordered[min(len(ordered) - 1, int(len(ordered) * .99))]
    within = [100 * sum(1 for late in ordered if late <= ms) / len(ordered) for ms in (20, 50)]
    return (f"their chunks were late by {p50:.0f} / {p99:.0f} / {ordered[-1]:.0f} ms (p50 / p99 / most), "
            f"{within[0]:.1f} / {within[1]:.1f} % within 20 / 50 ms")
