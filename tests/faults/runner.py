"""Runs faults one after the other, each against a server of its own, and judges."""
import contextlib
import re
import sys
import time

from faults.crowd import FORMATS, Crowd, judge
from faults.fault import NotRun, Run, descriptors, metrics, resident_mib
from faults.namespaces import Namespaces
from server import wait_until

CONTROL_S = (5, 1)               # of undisturbed listening before each fault
AFTER_S = (2, 0.5)               # of listening on, when it is over
DISTURBED_MS, BUSY = 200, 2      # beyond these, how long nobody ran and the load by others, nothing can be said
SPARE_DESCRIPTORS = 4            # keep-alive connections of our own, perhaps


def estimate_s(fault, short):
    """How long it will take, roughly."""
    lead = fault.leads[short]
    return fault.seconds[short] + fault.extra_s[short] + (CONTROL_S[short] + lead + 4 if fault.healthy else 4)


def run_fault(fault, binary, short):
    """The Run. What fails while the machine is busy with something else is tried once more, and says so."""
    run = run_once(fault(), binary, short)
    if run.verdict != "FAILED" or (run.held_up_ms < DISTURBED_MS and run.load < BUSY):
        return run
    again = run_once(fault(), binary, short)
    again.first_try = (f"it failed when this machine held up those who measure by {run.held_up_ms:.0f} ms, and had a "
                       f"load of {run.load:.1f} for each processor from others")
    return again


def run_once(fault, binary, short):
    """Whatever happens, nothing is left behind."""
    run = Run(fault, binary, short)
    try:
        with contextlib.ExitStack() as ending:
            run.ending = ending
            run.net = ending.enter_context(Namespaces()) if fault.network else None
            ending.callback(fault.finish, run)
            serve(run, fault.prepare(run))
    except NotRun as reason:
        run.reason = str(reason)
    except Exception as trouble:  # the faults after it are still worth knowing about
        run.hold(False, f"{type(trouble).__name__}: {trouble}")
    run.took_s = time.monotonic() - run.begun
    return run


def serve(run, extra):
    run.start("0.0.0.0:0" if run.net else "127.0.0.1:0", **extra)
    run.fault.begin(run)
    crowds = []
    run.ending.callback(lambda: [crowd.kill() for crowd in crowds])
    if run.fault.healthy:
        gather(run, crowds)
    before = resident_mib(run.server.process.pid), descriptors(run.server.process.pid)
    run.log_from = len(run.server.log())
    run.fault.inject(run)
    time.sleep(AFTER_S[run.short])
    conclude(run, crowds, before)


def listening(run):
    return sum(value for name, value in metrics(run.server).items() if name.startswith("auralis_listeners{"))


def gather(run, crowds):
    """The control crowd first; when it ends, the burst of those who stay is over."""
    others = listening(run)
    control = Crowd(run.binary, run.server.url, "opus", FORMATS["opus"])
    crowds.append(control)
    time.sleep(CONTROL_S[run.short])
    for form, count in FORMATS.items():
        crowds.append(Crowd(run.binary, run.server.url, form, count))
    everybody = others + FORMATS["opus"] + sum(FORMATS.values())
    wait_until(lambda: listening(run) >= everybody, 20, "the healthy listeners did not get in")
    time.sleep(max(0, run.lead - 1) + 0.5)
    crowds.remove(control)
    run.control = control.report()


def conclude(run, crowds, before):
    """The server is looked at before the listeners go, then everybody is asked what they saw."""
    server = run.server
    run.hold(server.process.poll() is None, "the server lives")
    for crowd in crowds:
        run.healthy[crowd.form] = crowd.report()
        judge(run, crowd.form, run.healthy[crowd.form])
    if server.process.poll() is None:
        judge_server(run, before)
    run.hold(server.stop() == 0, "it ended well when it was told to")
    judge_log(run, server.log()[run.log_from:].splitlines())


def judge_server(run, before):
    server, (memory, files) = run.server, before
    run.hold(server.get("/api/health")[0] == 200, "it answers")
    run.wait(lambda: descriptors(server.process.pid) <= files + SPARE_DESCRIPTORS, 25,
             f"descriptors are back to {files} at most")
    grown = resident_mib(server.process.pid) - memory
    run.hold(grown <= run.fault.memory_mib, f"memory: {memory:.1f} MiB before, {grown:+.1f} MiB after")
    figures = metrics(server)
    run.saw("the server counted: " + ", ".join(
        f"{words} {figures.get(name, 0):.0f}" for name, words in (
            ("auralis_chunks_late_total", "chunks rendered late"), ("auralis_underruns_total", "underruns"),
            ("auralis_skips_total", "skips"), ('auralis_closed_total{reason="slow"}', "closed as slow"))))


def judge_log(run, lines):
    allowed = [*run.fault.expected_log, *run.fault.allowed_log]
    run.log = [line for line in lines if not re.search(r"\bstopping; \d+ listeners", line)]
    bad = [line for line in run.log if re.search(r"\b(warn|error)\b", line)
           and not any(re.search(pattern, line) for pattern in allowed)]
    run.hold(not bad, "nothing unexpected was logged" + "".join(f"; {line}" for line in bad[:3]))
    for pattern in run.fault.expected_log:
        run.hold(any(re.search(pattern, line) for line in run.log), f"logged: /{pattern}/")


def progress(text, end="\n"):
    print(text, end=end, file=sys.stderr, flush=True)
