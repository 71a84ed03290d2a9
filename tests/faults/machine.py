"""Faults of the machine: no time, no memory, no disk, no descriptors, and a clock that lies."""
import os
import pathlib
import resource
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time

from faults.fault import Fault, NotRun, descriptors, metrics, resident_mib
from faults.wanderer import Party
from server import wait_until
from websocket import Closed, Refused, WebSocket

MIB = 1 << 20


class Hogs(Fault):
    name, what = "cpu-hogs", "two processes per core that do nothing but count"
    who = "everybody on this machine"
    seconds, extra_s = (15, 3), (1, 1)

    def inject(self, run):
        count = 2 * len(os.sched_getaffinity(0))
        hogs = [subprocess.Popen(["sh", "-c", "while :; do :; done"]) for _ in range(count)]
        try:
            time.sleep(run.seconds)
        finally:
            for hog in hogs:
                hog.kill()
                hog.wait()
        run.saw(f"{count} of them")


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
        run.saw(f"of {self.count} who came {served} got in, {refused} were refused, {unanswered} got no answer within 2 s")
        run.hold(served < self.count and refused + unanswered > 0, "it had none left")
        for peer in peers:
            peer.abandon()
        run.wait(lambda: self._gets_in(run), 10, "who comes afterwards gets in")

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

    @staticmethod
    def _gets_in(run):
        try:
            WebSocket(run.server.host, run.server.port, "/ws/v2", timeout=2).abandon()
        except (Refused, Closed, OSError):
            return False
        return True


class Saving(Fault):
    """Presets are saved until the disk has no room, and again when it has."""
    who = "who saves presets"
    extra_s = 3, 1
    expected_log = (r"error store: ",)

    def fill(self, run):
        raise NotImplementedError

    def relieve(self, run):
        raise NotImplementedError

    def inject(self, run):
        server = run.server
        run.hold(self._save(server, "before")[0] == 201, "a preset is saved while there is room")
        self.fill(run)
        answers = []
        end = time.monotonic() + run.seconds
        while time.monotonic() < end:
            answers.append(self._save(server, f"full {len(answers)}"))
            time.sleep(0.05)
        bad = [answer for answer in answers if answer[0] != 201]
        run.saw(f"{len(answers)} presets asked for, {len(bad)} refused" + (f": {bad[0]}" if bad else ""))
        run.hold(bad and all(status in (503, 507) for status, _ in bad), "who cannot be served is told so (503 or 507)")
        run.hold(server.get("/api/presets")[0] == 200, "presets can be read meanwhile")
        self.relieve(run)
        run.wait(lambda: self._save(server, f"after {time.monotonic()}")[0] == 201, 10, "saving works once there is room")
        names = {preset["name"] for preset in server.get("/api/presets")[2]["presets"]}
        lost = {f"full {number}" for number, answer in enumerate(answers) if answer[0] == 201} - names
        run.hold("before" in names and not lost, f"what was said to be saved is there ({len(lost)} are not)")

    @staticmethod
    def _save(server, name):
        status, _, body = server.post("/api/presets", {"name": name})
        return status, body["error"]["message"] if status >= 400 else ""


class FullDisk(Saving):
    name, what = "full-disk", "the file system of the data directory (a tmpfs of 1 MiB) is full"
    seconds = 5, 2

    def prepare(self, run):
        self.data_dir = tempfile.mkdtemp(prefix="auralis-faults-")
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", self.data_dir], capture_output=True,
                              text=True)
        if done.returncode != 0:
            os.rmdir(self.data_dir)
            raise NotRun(f"no file system can be mounted: {done.stderr.strip()}")
        return {"data_dir": self.data_dir}

    def fill(self, run):
        self.filler = pathlib.Path(self.data_dir) / "filler"
        with self.filler.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                pass

    def relieve(self, run):
        self.filler.unlink()

    def finish(self, run):
        subprocess.run(["umount", self.data_dir], check=False)
        os.rmdir(self.data_dir)


class FileLimit(Saving):
    name, what = "file-limit", "no file of the server may grow any more (RLIMIT_FSIZE)"
    seconds, in_short = (5, 2), True

    def fill(self, run):
        self.old = resource.prlimit(run.server.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(run.server.process.pid, resource.RLIMIT_FSIZE, (4096, self.old[1]))

    def relieve(self, run):
        resource.prlimit(run.server.process.pid, resource.RLIMIT_FSIZE, self.old)


class Crowding(Fault):
    """Memory is limited, and more come than it has room for."""
    who, count = "1,000 newcomers (100 in the short form)", (1000, 100)
    seconds, extra_s, memory_mib = (8, 2), (6, 1), 64
    allowed_log = (r"memory", r"no descriptor left")

    def limit(self, run):
        raise NotImplementedError

    def relieve(self, run):
        raise NotImplementedError

    def inject(self, run):
        self.limit(run)
        peers, refused = [], 0
        try:
            for _ in range(self.count[run.short]):
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
        run.wait(lambda: NoDescriptors._gets_in(run), 10, "who comes afterwards gets in")


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
    in_short = True

    def limit(self, run):
        pid = run.server.process.pid
        size = int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[0]) * resource.getpagesize()
        self.old = resource.prlimit(pid, resource.RLIMIT_AS)
        resource.prlimit(pid, resource.RLIMIT_AS, (size, self.old[1]))

    def relieve(self, run):
        if run.server.process.poll() is None:
            resource.prlimit(run.server.process.pid, resource.RLIMIT_AS, self.old)


class MemoryGroup(Crowding):
    name, what = "memory-cgroup", "a control group leaves the server 24 MiB more than it has, sockets included"
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
        (self.group / self.file).write_text(str(int(resident_mib(pid) + 24) * MIB))

    def relieve(self, run):
        (self.group / self.file).write_text("max" if self.file == "memory.max" else "-1")
        counts = "memory.events" if self.file == "memory.max" else "memory.failcnt"
        run.saw(f"{counts}: {' '.join((self.group / counts).read_text().split())}")

    def finish(self, run):
        wait_until(lambda: not (self.group / "cgroup.procs").read_text(), 10, "the control group is not empty")
        self.group.rmdir()


SHIM = r"""
// Puts what a file says on top of two clocks of this process: the wall's, and the one that counts suspended time.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile int64_t *steps_s;

__attribute__((constructor)) static void begin(void)
{
    int file = open(getenv("AURALIS_FAULT_CLOCK"), O_RDONLY);
    void *mapped = mmap(NULL, 16, PROT_READ, MAP_SHARED, file, 0);
    close(file);
    if (mapped != MAP_FAILED)
        steps_s = mapped;
}

int clock_gettime(clockid_t id, struct timespec *now)
{
    int result = (int)syscall(SYS_clock_gettime, id, now);
    if (result == 0 && steps_s)
        now->tv_sec += id == CLOCK_REALTIME ? steps_s[0] : id == CLOCK_BOOTTIME ? steps_s[1] : 0;
    return result;
}

int gettimeofday(struct timeval *now, void *zone)
{
    struct timespec exact;
    int result = clock_gettime(CLOCK_REALTIME, &exact);
    *now = (struct timeval){exact.tv_sec, exact.tv_nsec / 1000};
    return result;
}

time_t time(time_t *out)
{
    struct timespec exact;
    clock_gettime(CLOCK_REALTIME, &exact);
    if (out)
        *out = exact.tv_sec;
    return exact.tv_sec;
}
"""


class Clock(Fault):
    """The server alone is told another time, by a library loaded before all others."""

    def prepare(self, run):
        if not shutil.which("gcc"):
            raise NotRun("there is no program `gcc`")
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="auralis-faults-"))
        (self.dir / "shim.c").write_text(SHIM)
        built = subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-o", self.dir / "shim.so", self.dir / "shim.c"],
                               capture_output=True, text=True)
        assert built.returncode == 0, built.stderr
        self.step(0, 0)
        return {"environment": {"LD_PRELOAD": str(self.dir / "shim.so"), "AURALIS_FAULT_CLOCK": str(self.dir / "steps")}}

    def step(self, wall_s, boot_s):
        with (self.dir / "steps").open("r+b" if (self.dir / "steps").exists() else "wb") as file:
            file.write(struct.pack("qq", wall_s, boot_s))

    def finish(self, run):
        shutil.rmtree(self.dir, ignore_errors=True)


class ClockStep(Clock):
    name, what = "clock-step", "the wall clock jumps an hour ahead, then two hours back (in the server alone)"
    who = "everybody"
    seconds, extra_s, in_short = (8, 2), (0, 0), True

    def inject(self, run):
        for wall_s in (3600, -3600):
            self.step(wall_s, 0)
            time.sleep(run.seconds / 2)
            run.hold(run.server.get("/api/status")[0] == 200, f"it answers with its wall clock off by {wall_s:+} s")
        self.step(0, 0)


class Suspend(Clock):
    name, what = "suspend", "the machine of the server seems to have slept for 60 s"
    who = "3 Opus listeners, who are awake meanwhile"
    seconds, extra_s, healthy = (6, 4), (6, 2), False

    def inject(self, run):
        party = Party(run, 3)
        party.stand()
        self.step(0, 60)
        time.sleep(run.seconds)
        for member in (party.steady, *party.members):
            member.zero_s -= 60          # a player's clock follows the server's: the programme is a minute further
        party.recover(20)
        skips = [skip for member in party.members for skip in member.skips]
        run.hold(all(member.skips or member.sessions > 1 for member in party.members), "each was told what it missed")
        run.saw(f"skips of {', '.join(f'{(to - since) / 48000:.1f}' for since, to in skips)} s")
        party.end(intact=False)


FAULTS = [Hogs, Frozen, NoDescriptors, FullDisk, FileLimit, AddressSpace, MemoryGroup, ClockStep, Suspend]
