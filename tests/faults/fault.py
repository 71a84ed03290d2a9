"""What a fault is, and what is found out about it."""
import os
import pathlib
import re
import time

from server import Server, wait_until


class NotRun(Exception):
    """The fault cannot be made on this machine; the text says why."""


class Fault:
    """One fault: what is done to whom, for how long, and what must hold. A class below it fills in `inject`.

    Everything is declared twice where it takes long: (as `make faults` does it, as `make test` does it)."""

    name = ""
    what = ""                    # what is injected, in a sentence
    who = ""                     # who suffers it
    seconds = (12, 3)            # how long it lasts
    extra_s = (10, 2)            # what comes besides: joining, recovering
    leads = (5, 2)               # --lead of the server
    options = ()                 # further options of the server
    network = False              # in network namespaces of its own
    healthy = True               # others listen meanwhile, who must not notice
    in_short = False             # part of `make test`
    out_of_step = ()             # formats whose short buffers it is bound to run dry
    memory_mib = 16              # by how much the server may have grown afterwards
    expected_log = ()            # patterns of lines that must be in the server's log
    allowed_log = ()             # patterns of warnings and errors that may be there besides

    def prepare(self, run):
        """Before the server starts. May raise NotRun; may return {"data_dir": ..., "environment": ...} for it."""
        return {}

    def begin(self, run):
        """The server runs, the healthy are about to come: who will suffer may come as well."""

    def inject(self, run):
        """Does it, and returns when it is over and everybody has had time to recover."""
        raise NotImplementedError

    def finish(self, run):
        """Always called, after the server has ended."""


class Run:
    """One fault being run: what it needs, and what was found out."""

    def __init__(self, fault, binary, short, net=None):
        self.fault, self.binary, self.short, self.net = fault, binary, short, net
        self.seconds = fault.seconds[short]
        self.lead = fault.leads[short]
        self.server = None
        self.ending = None       # an ExitStack: what must be undone, whatever happens
        self.log_from = 0        # where in the server's log the fault begins
        self.begun = time.monotonic()
        self.took_s = 0
        self.checks = []         # (held, what)
        self.seen = []           # what the faulty ones met, in words
        self.log = []            # what the server said from the fault's beginning on
        self.control = {}        # a report of `auralis listen` before the fault
        self.healthy = {}        # format -> report of those who listened through it
        self.reason = ""         # why it was not run
        self.load = os.getloadavg()[0] / len(os.sched_getaffinity(0))  # of each processor, by others
        self.first_try = ""      # why it was run before

    def start(self, listen, **extra):
        """A server, ended with the run."""
        options = ["--seed", "7", "--lead", str(self.lead), *self.fault.options]
        self.server = self.ending.enter_context(Server(self.binary, *options, listen=listen, **extra))

    @property
    def verdict(self):
        if self.reason:
            return "not run"
        return "held" if self.checks and all(held for held, _ in self.checks) else "FAILED"

    @property
    def held_up_ms(self):
        """For how long the programs that measure could not run: what this machine does to everybody."""
        reports = [report for report in (self.control, *self.healthy.values()) if report and report["loop_lag_ms"]]
        return max([report["loop_lag_ms"]["max"] for report in reports], default=0)

    def hold(self, held, what):
        """Something that must be true."""
        self.checks.append((bool(held), what))

    def saw(self, text):
        """Something worth knowing about those who suffer it."""
        self.seen.append(text)

    def metric(self, name):
        """One figure of /metrics; `name` with its labels, as it stands there."""
        return metrics(self.server).get(name, 0.0)

    def wait(self, condition, seconds, what):
        """Whether it became true in time; that is then a check as well."""
        begun = time.monotonic()
        try:
            wait_until(condition, seconds, what)
        except AssertionError:
            self.hold(False, f"{what} (not within {seconds} s)")
            return None
        self.hold(True, what)
        return time.monotonic() - begun


def metrics(server):
    """/metrics as {"name{labels}": number}."""
    text = server.get("/metrics")[2]
    rows = re.findall(r"^([a-z_]+(?:\{[^}]*\})?) (\S+)$", text, re.MULTILINE)
    return {name: float(value) for name, value in rows}


def resident_mib(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024


def descriptors(pid):
    return len(list(pathlib.Path(f"/proc/{pid}/fd").iterdir()))
