"""Faults of the machine: no time, no memory, no descriptors."""
import contextlib
import os
import pathlib
import resource
import signal
import socket
import subprocess
import time

from faults.fault import Fault, NotRun, descriptors, resident_mib
from server import wait_until
from websocket import Closed, Refused, WebSocket

MIB = 1 << 20


@contextlib.contextmanager
def hogs():
    """Two processes per core that do nothing but count."""
    running = [subprocess.Popen(["sh", "-c", "while :; do :; done"]) for _ in range(2 * len(os.sched_getaffinity(0)))]
    try:
        yield
    finally:
        for hog in running:
            hog.kill()
            hog.wait()


class Hogs(Fault):
    name, what = "cpu-hogs", "two processes per core that do nothing but count"
    who = "everybody on this machine"
    seconds, extra_s = (15, 3), (1, 1)

    def inject(self, run):
        with hogs():
            time.sleep(run.seconds)


class Frozen(Fault):
    name, what = "sigstop-3s", "the server is stopped (SIGSTOP) and goes on after 3 s"
    who = "everybody"
    seconds, leads, extra_s, in_short = (3, 3), (10, 4), (3, 1), True
    out_of_step = ("v1",)        # holds half a second

    def inject(self, run):
        run.server.process.send_signal(signal.SIGSTOP)
        try:
            time.sleep(run.seconds)
        finally:
            run.server.process.send_signal(signal.SIGCONT)
        took_s = run.wait(lambda: run.server.get("/api/health")[0] == 200, 10, "it answers again")
        run.saw(f"the first answer came {1000 * (took_s or 0):.0f} ms after it went on")
        time.sleep(1)


class NoDescriptors(Fault):
    name, what = "no-descriptors", "the server's limit of descriptors is lowered to ten more than it has (prlimit)"
    who, count = "30 who connect while there is none left", 30
    seconds, extra_s, in_short = (6, 1), (3, 3), True
    expected_log = (r"no descriptor left",)

    def inject(self, run):
        pid = run.server.process.pid
        old = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (descriptors(pid) + 10, old[1]))
        try:
            peers, served, refused, unanswered = self._crowd_in(run)
            time.sleep(run.seconds)
        finally:
            resource.prlimit(pid, resource.RLIMIT_NOFILE, old)
        run.saw(f"of {self.count} who came {served} got in, {refused} were refused, {unanswered} got no answer within "
                "2 s")
        run.hold(served < self.count and refused + unanswered > 0, "it had none left")
        for peer in peers:
            peer.abandon()
        run.wait(lambda: gets_in(run), 10, "who comes afterwards gets in")

    def _crowd_in(self, run):
        peers, refused, unanswered = [], 0, 0
        for _ in range(self.count):
            try:
                peers.append(WebSocket(run.server.host, run.server.port, "/ws/v2", timeout=2))
            except TimeoutError:
                unanswered += 1
            except (Refused, Closed, OSError):
                refused += 1
        return peers, len(peers), refused, unanswered


def gets_in(run):
    """Whether somebody new can listen."""
    try:
        WebSocket(run.server.host, run.server.port, "/ws/v2", timeout=2).abandon()
    except (Refused, Closed, OSError):
        return False
    return True


class Crowding(Fault):
    """Memory is limited, and more come than it has room for."""
    who, count = "1,000 newcomers", (1000, 100)
    seconds, extra_s, memory_mib = (8, 2), (45, 45), 64
    expected_log = (r"memory is (very )?short", r"memory is enough again")
    allowed_log = (r"memory is there again", r"were refused or ended for want of it")

    def limit(self, run):
        raise NotImplementedError

    def relieve(self, run):
        raise NotImplementedError

    def inject(self, run):
        self.limit(run)
        peers, refused = [], 0
        try:
            for n in range(self.count[run.short]):
                if n == self.count[run.short] // 2:
                    time.sleep(2)   # the server looks once a second
                try:
                    peers.append(WebSocket(run.server.host, run.server.port, "/ws/v2", timeout=5, receive_buffer=4096))
                except (Refused, Closed, OSError):
                    refused += 1
                    if run.server.process.poll() is not None:
                        break
            halves = self._half_requests(run)
            time.sleep(run.seconds)
            run.saw(f"{len(peers)} newcomers got in, {refused} were refused; "
                    f"{resident_mib(run.server.process.pid):.0f} MiB resident")
            for half in halves:
                half.close()
        finally:
            self.relieve(run)
            for peer in peers:
                peer.abandon()
        run.hold(refused > 0, "newcomers were refused while it was short")
        # The server waits for half a minute of calm at each of its two levels.
        took_s = run.wait(lambda: gets_in(run), 90, "who comes afterwards gets in")
        run.saw(f"newcomers got in again {took_s or 0:.0f} s after there was memory again")


    def _half_requests(self, run):
        """Each makes the server keep what has come of its body."""
        halves = []
        for _ in range(self.count[run.short] // 5):
            try:
                half = socket.create_connection((run.server.host, run.server.port), timeout=5)
                halves.append(half)
                half.sendall(b"POST /api/control HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                             b"Content-Length: 16000\r\n\r\n" + bytes(15000))
            except OSError:
                pass
        return halves


class AddressSpace(Crowding):
    name, what = "memory-rlimit", "the server may not claim one more page (RLIMIT_AS)"

    def limit(self, run):
        pid = run.server.process.pid
        size = int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[0]) * resource.getpagesize()
        self.old = resource.prlimit(pid, resource.RLIMIT_AS)
        resource.prlimit(pid, resource.RLIMIT_AS, (size, self.old[1]))

    def relieve(self, run):
        if run.server.process.poll() is None:
            resource.prlimit(run.server.process.pid, resource.RLIMIT_AS, self.old)


class MemoryGroup(Crowding):
    name, what = "memory-cgroup", "a control group leaves the server 32 MiB more than it has, sockets included"
    roots = pathlib.Path("/sys/fs/cgroup/memory"), pathlib.Path("/sys/fs/cgroup")

    def prepare(self, run):
        self.root = next((root for root in self.roots if (root / "cgroup.procs").exists()), None)
        if not self.root:
            raise NotRun("there is no control group of memory")
        self.group = self.root / f"auralis-faults-{os.getpid()}"
        self.file = "memory.limit_in_bytes" if self.root.name == "memory" else "memory.max"
        try:
            self.group.mkdir()
        except OSError as fault:
            raise NotRun(f"no control group can be made: {fault.strerror}") from fault
        if not (self.group / self.file).exists():
            self.group.rmdir()
            raise NotRun("control groups do not limit memory here")
        return {}

    def limit(self, run):
        pid = run.server.process.pid
        (self.group / "cgroup.procs").write_text(str(pid))
        (self.group / self.file).write_text(str(int(resident_mib(pid) + 32) * MIB))

    def relieve(self, run):
        (self.group / self.file).write_text("max" if self.file == "memory.max" else "-1")
        counts = "memory.events" if self.file == "memory.max" else "memory.failcnt"
        run.saw(f"{counts}: {' '.join((self.group / counts).read_text().split())}")

    def finish(self, run):
        wait_until(lambda: not (self.group / "cgroup.procs").read_text(), 10, "the control group is not empty")
        self.group.rmdir()


FAULTS = [Hogs, Frozen, NoDescriptors, AddressSpace, MemoryGroup]
