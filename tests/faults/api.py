"""Faults of those who use the API."""
import shutil
import subprocess
import time

from faults.fault import Fault, NotRun
from faults.machine import hogs


class Hammer(Fault):
    name, what = "api-hammer", "wrk asks the API for as much as it can, and controls move meanwhile"
    who = "wrk: 2 threads, 32 connections, GET /api/status"
    seconds, extra_s = (15, 3), (1, 1)

    def prepare(self, run):
        if not shutil.which("wrk"):
            raise NotRun("there is no program `wrk`")
        return {}

    def inject(self, run):
        server, end = run.server, time.monotonic() + run.seconds
        wrk = subprocess.Popen(["wrk", "-t2", "-c32", f"-d{run.seconds}s", "--latency", server.url + "/api/status"],
                               stdout=subprocess.PIPE, text=True)
        changes, refused, number = 0, 0, 0
        while time.monotonic() < end:
            number += 1
            status, _, _ = server.post("/api/control", {"intensity": number % 10 / 10})
            changes, refused = changes + (status == 200), refused + (status != 200)
            time.sleep(0.5)
        said = wrk.communicate(timeout=30)[0]
        run.saw(", ".join(" ".join(line.split()) for line in said.splitlines()
                          if any(word in line for word in ("Requests/sec", "99%", "Socket errors", "Non-2xx"))))
        run.hold(wrk.returncode == 0 and "Non-2xx" not in said, "every one of its requests was answered with 200")
        run.hold(refused == 0, f"{changes} changes of parameters were made meanwhile, {refused} refused")


class HogsAndHammer(Hammer):
    name, what = "hogs-and-hammer", "two hogs per core, wrk, and controls that move, all at once"

    def inject(self, run):
        with hogs():
            super().inject(run)


FAULTS = [Hammer, HogsAndHammer]
