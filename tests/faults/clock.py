"""Clocks that lie: to the server alone, by a library that is loaded before all others."""
import os
import pathlib
import shutil
import struct
import subprocess
import tempfile
import time

from faults.fault import Fault, NotRun
from faults.party import Party

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
        # An instrumented program wants its own library to be the first.
        sanitizer = ":".join(filter(None, (os.environ.get("ASAN_OPTIONS"), "verify_asan_link_order=0")))
        return {"environment": {"LD_PRELOAD": str(self.dir / "shim.so"), "ASAN_OPTIONS": sanitizer,
                                "AURALIS_FAULT_CLOCK": str(self.dir / "steps")}}

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
    seconds, extra_s, healthy = (6, 4), (10, 4), False

    def begin(self, run):
        self.party = Party(run, 3)

    def inject(self, run):
        party = self.party
        time.sleep(run.lead)         # their burst at joining is over
        self.step(0, 60)
        time.sleep(run.seconds)
        for member in (party.steady, *party.members):
            member.zero_s -= 60          # a player's clock follows the server's: the programme is a minute further
        party.recover(20)
        skips = [skip for member in party.members for skip in member.skips]
        run.hold(all(member.skips or member.sessions > 1 for member in party.members), "each was told what it missed")
        run.saw(f"skips of {', '.join(f'{(to - since) / 48000:.1f}' for since, to in skips)} s")
        party.end(intact=False)


FAULTS = [ClockStep, Suspend]
