"""Faults of clients: who does not read, who sends slowly, who comes and goes, who comes back all at once."""
import os
import resource
import shutil
import socket
import struct
import tempfile
import threading
import time

from faults.crowd import FORMATS, Crowd, judge
from faults.fault import Fault, NotRun, resident_mib
from faults.storm import Storm
from websocket import TEXT, Closed, Refused, WebSocket


class StalledReaders(Fault):
    name, what = "stalled-readers", "listeners who connect and then read nothing more"
    who, stalled = "50 listeners with small receive buffers, every sixth of them PCM", (50, 10)
    seconds, extra_s = (22, 4), (2, 0)
    close_s = 15                 # by when each of them must be closed

    def inject(self, run):
        count = self.stalled[run.short]
        begun, closed_before = time.monotonic(), run.metric('auralis_closed_total{reason="slow"}')
        idle = [WebSocket(run.server.host, run.server.port, f"/ws/v2?format={'pcm' if n % 6 == 5 else 'opus'}",
                          receive_buffer=4096) for n in range(count)]
        try:
            if run.short:
                time.sleep(run.seconds)
            else:
                self._all_closed(run, count, begun, closed_before)
        finally:
            for websocket in idle:
                websocket.abandon()

    def _all_closed(self, run, count, begun, closed_before):
        def closed():
            return run.metric('auralis_closed_total{reason="slow"}') - closed_before
        run.wait(lambda: closed() >= count, 40, f"all {count} are closed")
        took_s = time.monotonic() - begun
        run.hold(took_s <= self.close_s + 1,
                 f"the last of them {took_s:.1f} s after they came; {self.close_s} s is the limit")


class StalledTenth(Fault):
    name, what = "stalled-1000", "of 10,000 listeners a tenth reads nothing more"
    who, stalled, reading = "1,000 Opus listeners; the other 9,000 are verified", 1000, 9000
    seconds, extra_s, healthy, memory_mib = (22, 3), (75, 75), False, 128
    close_s = 15

    def prepare(self, run):
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        if limit < 12000:
            raise NotRun(f"a process may have {limit} descriptors only")
        load, processors = os.getloadavg()[0], len(os.sched_getaffinity(0))
        if load > 2 * processors:
            raise NotRun(f"this machine is busy with other things: a load of {load:.0f} on {processors} processors")
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
        return {}

    def inject(self, run):
        run.control = self._listen(run, lambda: time.sleep(10))
        late = run.control["lateness_ms"]
        if run.control["gaps"] or run.control["lost"] or not late or late["p99"] > 1000:
            raise NotRun(f"this machine does not carry {self.reading} listeners and those who measure them: without a "
                         f"fault {run.control['lost']} were lost, p99 of lateness {late['p99'] if late else 0:.0f} ms")
        run.healthy["opus"] = self._listen(run, lambda: self._stall(run))
        judge(run, "opus", run.healthy["opus"])

    def _listen(self, run, meanwhile):
        """What those who read meet meanwhile."""
        crowd = Crowd(run.binary, run.server.url, "opus", self.reading)
        run.ending.callback(crowd.kill)
        if run.wait(lambda: run.metric('auralis_listeners{protocol="v2"}') >= self.reading, 60,
                    f"{self.reading} listen") is None:
            raise NotRun(f"{self.reading} listeners did not get in within a minute")
        time.sleep(run.lead)
        meanwhile()
        report = crowd.report()
        run.wait(lambda: run.metric('auralis_listeners{protocol="v2"}') == 0, 30, "all of them are gone again")
        return report

    def _stall(self, run):
        memory, kernel, begun = resident_mib(run.server.process.pid), socket_memory_mib(), time.monotonic()
        idle = [WebSocket(run.server.host, run.server.port, "/ws/v2", receive_buffer=4096, timeout=30)
                for _ in range(self.stalled)]
        came_s = time.monotonic() - begun
        took_s = run.wait(lambda: run.metric('auralis_closed_total{reason="slow"}') >= self.stalled, 40,
                          "all are closed")
        run.saw(f"memory of the server {resident_mib(run.server.process.pid) - memory:+.1f} MiB, of the kernel's TCP "
                f"{socket_memory_mib() - kernel:+.1f} MiB, when they were closed")
        if took_s is not None:
            run.hold(took_s <= self.close_s + 1, f"the last of them {took_s:.1f} s after it came, {self.close_s} s is "
                     f"the limit; all had come within {came_s:.1f} s")
        for websocket in idle:
            websocket.abandon()


def socket_memory_mib():
    """What TCP keeps of all that is under way, of the whole machine."""
    words = open("/proc/net/sockstat").read().split("TCP:", 1)[1].split()
    return int(words[words.index("mem") + 1]) * resource.getpagesize() / (1 << 20)


def dribble(peer, data, bytes_per_s):
    for byte in data:
        peer.sendall(bytes([byte]))
        time.sleep(1 / bytes_per_s)


class SlowSenders(Fault):
    name, what = "slow-senders", "requests and WebSocket messages that come a byte at a time"
    who = "20 honest ones at 60 bytes a second, 5 of them WebSockets, and 50 who never finish their request"
    seconds, extra_s, in_short = (25, 5), (0, 0), True
    answer_s = 30                # by when a request that never ends must be over

    def inject(self, run):
        self.run, self.answers, self.lock = run, [], threading.Lock()
        work = [self._request] * 15 + [self._message] * 5
        threads = [threading.Thread(target=self._try, args=(todo,), daemon=True) for todo in work]
        loris = [socket.create_connection((run.server.host, run.server.port), timeout=20) for _ in range(50)]
        for peer in loris:
            peer.sendall(b"GET /api/status HTTP/1.1\r\nHost: 127.0.0.1\r\n")
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        run.hold(self.answers.count("answered") == len(work), f"{self.answers.count('answered')} of {len(work)} honest "
                 "slow senders were answered" + "".join({f"; {a}" for a in self.answers if a != "answered"}))
        if not run.short:
            self._loris(run, loris)
        for peer in loris:
            peer.close()

    def _try(self, todo):
        try:
            answer = todo(self.run.server)
        except (OSError, Closed, AssertionError) as fault:
            answer = repr(fault)
        with self.lock:
            self.answers.append(answer)

    def _request(self, server):
        with socket.create_connection((server.host, server.port), timeout=20) as peer:
            dribble(peer, b"GET /api/status HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n", 60)
            answer = peer.recv(4096)
            return "answered" if answer.startswith(b"HTTP/1.1 200 ") else repr(answer[:60])

    def _message(self, server):
        websocket = WebSocket(server.host, server.port, "/ws/v2", subprotocols=["auralis-v2"])
        body = b'{"type":"ping","t0":12345}'
        dribble(websocket.socket, bytes([0x81, 0x80 | len(body), 0, 0, 0, 0]) + body, 60)
        end = time.monotonic() + 10
        while time.monotonic() < end:
            opcode, payload = websocket.receive()
            if opcode == TEXT and b'"pong"' in payload and b"12345" in payload:
                websocket.abandon()
                return "answered"
        websocket.abandon()
        return "no pong"

    def _loris(self, run, loris):
        """One header line every two seconds does not keep a place for ever."""
        begun, told = time.monotonic(), 0
        left = set(loris)
        while left and time.monotonic() - begun < self.answer_s:
            for peer in list(left):
                peer.settimeout(0.01)
                try:
                    peer.sendall(b"X-Y: z\r\n")
                    answer = peer.recv(4096)
                    told += b" 408 " in answer
                    left.discard(peer)
                except TimeoutError:
                    pass
                except OSError:
                    left.discard(peer)
            time.sleep(2)
        run.hold(not left,
                 f"the {len(loris)} who never finish were shut out ({len(left)} were not within {self.answer_s} s)")
        run.saw(f"{told} of them were told 408 before they were closed")


class ComeAndGo(Fault):
    name, what = "come-and-go", "200 connections a second, opened and dropped at once"
    who = "by turns: a bare connection, half a request, a handshake, a listener who leaves without a word"
    seconds, extra_s, in_short = (60, 2), (2, 1), True
    rate = 200

    def inject(self, run):
        begun, made, failed, refused = time.monotonic(), 0, 0, 0
        kinds = (self._bare, self._half, self._handshake, self._listener)
        for number in range(self.rate * run.seconds):
            wait_s = begun + number / self.rate - time.monotonic()
            if wait_s > 0:
                time.sleep(wait_s)
            try:
                kinds[number % len(kinds)](run.server)
                made += 1
            except Refused:
                refused += 1
            except (OSError, Closed):
                failed += 1
        took_s = time.monotonic() - begun
        run.saw(f"{made + refused} connections in {took_s:.1f} s, {(made + refused) / took_s:.0f} a second; "
                f"{refused} handshakes were refused")
        run.hold(failed == 0, f"every one of them was answered ({failed} were not)")
        run.wait(lambda: run.metric('auralis_connections{kind="websocket"}') <= sum(FORMATS.values()), 20,
                 "the server has forgotten all of them")

    @staticmethod
    def _open(server):
        peer = socket.create_connection((server.host, server.port), timeout=10)
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # gone at once, by a reset
        return peer

    def _bare(self, server):
        self._open(server).close()

    def _half(self, server):
        with self._open(server) as peer:
            peer.sendall(b"POST /api/control HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Le")

    def _handshake(self, server):
        WebSocket(server.host, server.port, "/ws/v2").abandon()

    def _listener(self, server):
        websocket = WebSocket(server.host, server.port, "/ws/v2")
        websocket.receive()
        websocket.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        websocket.socket.close()


class ReconnectStorm(Fault):
    name, what = "reconnect-storm", "SIGKILL, restart, and 2,000 listeners who come back at the same moment"
    who, count = "all of them (200 in the short form)", (2000, 200)
    seconds, extra_s, in_short, healthy, memory_mib = (30, 6), (15, 3), True, False, 64
    bound_s = 60                 # by when all must be back

    def prepare(self, run):
        self.data_dir = tempfile.mkdtemp(prefix="auralis-faults-")
        return {"data_dir": self.data_dir}

    def inject(self, run):
        count, old = self.count[run.short], run.server
        with Storm(old.host, old.port, count) as storm:
            run.wait(lambda: storm.playing() == count, self.bound_s, f"{count} listen")
            old.process.kill()
            old.process.wait()
            run.wait(lambda: storm.playing() == 0, 10, "all of them lost it")
            run.log_from = 0
            run.start(f"{old.host}:{old.port}", data_dir=self.data_dir)
            self._come_back(run, storm, count)

    def _come_back(self, run, storm, count):
        begun = time.monotonic()
        newcomers = [Crowd(run.binary, run.server.url, "opus", 1) for _ in range(1)]
        took_s = run.wait(lambda: storm.playing() == count, self.bound_s, f"all {count} are back and hear music")
        if took_s is not None:
            waits = sorted(at - begun for at in storm.first_audio())
            run.saw(f"{count} were back {took_s:.2f} s after the restart; half of them after {waits[count // 2]:.2f} s")
        run.saw(f"{storm.refused_connects} connects refused while nobody listened, {storm.refusals} answers that were "
                "not 101, or none")
        time.sleep(run.seconds - 4 if run.short else run.seconds)
        lost = storm.lost_since(begun)
        run.hold(lost == 0, f"who was back stayed ({lost} were lost again)")
        for crowd in newcomers:
            report = crowd.report()
            start_ms = report["start_up_ms"]["max"] if report["start_up_ms"] else float("nan")
            run.saw(f"a newcomer in the middle of it heard music after {start_ms:.0f} ms")
            judge(run, "opus", report)

    def finish(self, run):
        shutil.rmtree(self.data_dir, ignore_errors=True)


FAULTS = [StalledReaders, StalledTenth, SlowSenders, ComeAndGo, ReconnectStorm]
