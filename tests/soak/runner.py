"""One part of a soak, from a fresh server to a judged result."""
import dataclasses
import json
import signal
import threading
import time

from server import Server, wait_until
from soak import judge, samples
from soak.faults import Faults
from soak.stage import Stage
from soak.steady import Steady
from soak.steering import PRESETS, Steering, moves
from soak.visitors import Visitors

NEW, OLD = ("opus", "pcm"), ("v1", "v0")
STEADY_EACH = 2
HOLD_LEADS = 1.5         # a lead is filled within one, when all is well
SAMPLE_S = 60            # of programme, at most,
SAMPLES_LEAST = 40       # so that there are so many
WINDOW_S = 20            # of programme, compared with a render
STALL_REAL_S = 0.2       # of a renderer; nobody may notice
# For so long, in real time, a listener lives from what it holds. On the scaled clock its lead melts as much faster,
# so it is the longest one there.
LEAD_S = {"real": 10, "scaled": 60}


@dataclasses.dataclass
class Part:
    """Times without a unit of their own in the name are programme seconds."""
    name: str
    duration_s: float
    speed: float
    lead_s: int
    visitor_every_real_s: float
    steer_every_s: float
    fault_every_real_s: float
    censuses: int
    windows: int

    @property
    def real(self):
        return self.speed == 1

    def injections(self):
        """Options for renderers that go wrong now and then: each time it is made good before anybody hears it. To begin
        anew takes seconds, up to eleven minutes of programme being rendered: more than a fast clock's lead."""
        kinds = ("render-error", "render-nan", "render-stall") * (2 if self.real else 0)
        for n, kind in enumerate(kinds):
            # Not where two chains sound: what goes wrong in the one that is not heard yet is not heard of.
            at_s = (n + 1) * self.duration_s / (len(kinds) + 1) + 37
            yield from ("--inject", f"{kind}@{at_s:.0f}+{STALL_REAL_S if kind == 'render-stall' else 1}")


def scaled_part(duration_s, speed):
    real_s = duration_s / speed
    return Part("scaled clock", duration_s, speed, LEAD_S["scaled"], 0.5, 180, min(15, real_s / 8),
                censuses=max(3, min(24, round(real_s / 50))), windows=max(4, min(10, round(real_s / 60))))


def real_part(duration_s):
    return Part("real time", duration_s, 1, LEAD_S["real"], 1, 20, min(60, duration_s / 8),
                censuses=max(2, min(6, round(duration_s / 300))), windows=max(2, min(5, round(duration_s / 300))))


class Windows:
    """Now and then somebody listens who compares every byte with an independent render."""

    def __init__(self, client, stage, count, duration_s):
        self.client, self.stage = client, stage
        self.due = [(n + 0.5) * duration_s / count for n in range(count)]
        self.done, self.thread = [], None

    def look(self):
        """Begins the next one when its time has come."""
        if self.due and self.stage.now_s() >= self.due[0] and not (self.thread and self.thread.is_alive()):
            self.thread = threading.Thread(target=self.compare, args=(self.due.pop(0),))
            self.thread.start()

    def wait(self):
        if self.thread:
            self.thread.join()

    def compare(self, at_s):
        # Old protocols do not tell where one who fell behind goes on, and on the scaled clock they all may.
        forms = NEW + OLD if self.stage.speed == 1 else NEW
        form = forms[len(self.done) % len(forms)]
        window = Steady(self.client, self.stage, form, 1, WINDOW_S, "--verify")
        heard = window.report() or {}
        self.done.append({"at_s": at_s, "format": form, "verified": heard.get("verified") or 0,
                          "mismatches": heard.get("mismatches"), "gaps": heard.get("gaps"),
                          "said": heard.get("trouble") or heard.get("failure") or window.said()})
        window.kill()


class Soak:
    """One part."""

    def __init__(self, part, binary, client, seed, instrumented):
        self.part, self.client, self.seed, self.instrumented = part, client, seed, instrumented
        self.server = Server(binary, "--seed", str(seed), "--lead", str(part.lead_s), "--clock-speed", str(part.speed),
                             *part.injections())
        self.steady, self.stints, self.samples, self.censuses = [], [], [], []
        self.stint_reports = []
        self.held_from_frame = 0

    def listen(self, form, *options):
        # Ended by a signal, whatever the clock says by then.
        return Steady(self.client, self.stage, form, STEADY_EACH, 2 * self.part.duration_s + 3600, *options)

    def connected(self):
        return STEADY_EACH * (len(self.steady) + len(self.stints))

    def await_listeners(self):
        count = self.connected()
        wait_until(lambda: samples.take(self.stage).listeners >= count, 60, f"{count} steady listeners")

    def begin(self):
        """The server has its lead, and everybody who stays is there and holds it. Then the clock of this part begins."""
        self.stage = Stage(self.server, self.part.speed, self.seed)
        wait_until(lambda: samples.take(self.stage).metrics["auralis_buffered_seconds"] >= self.part.lead_s, 120,
                   "the server has rendered its lead")
        self.server.post("/api/presets", {"name": PRESETS[0]})  # from now on the store has all its files open
        self.steady = [self.listen("opus"), self.listen("pcm", "--clicks")]
        if self.part.real:
            self.steady += [self.listen(form) for form in OLD]
        self.await_listeners()
        time.sleep(HOLD_LEADS * self.part.lead_s / self.part.speed)
        self.stage.begun = time.monotonic()
        self.held_from_frame = self.server.get("/api/stations")[2]["stations"][0]["frame"]

    # On the scaled clock old clients, who hold a second of programme at most, come back after each census.
    def begin_stints(self):
        if not self.part.real:
            self.stints = [self.listen("v1", "--tier", "defensive"), self.listen("v0")]
            self.await_listeners()

    def end_stints(self):
        self.stint_reports += [self.end_listening(stint) for stint in self.stints]
        self.stints = []

    def end_listening(self, steady):
        if not steady.ended():
            steady.process.send_signal(signal.SIGINT)
        heard = steady.report() or {"format": steady.form, "failure": f"no report: {steady.said()}"}
        steady.kill()
        return heard

    def census(self):
        """Everybody who comes and goes has gone: what is left must be what was there at the census before."""
        self.visitors.quiet()
        self.windows.wait()
        self.end_stints()
        sample = samples.settle(self.stage, self.connected())
        if not sample:
            now = samples.take(self.stage)
            sockets = {key: value for key, value in now.metrics.items() if key.startswith("auralis_connections")}
            self.stage.trouble(f"{now.listeners} listeners and {sockets} where only {self.connected()} listen")
        else:
            begun = time.monotonic()
            log = self.server.get("/api/stations/main/log")[2]
            took_ms = (time.monotonic() - begun) * 1000
            wanted = self.censuses[0]["descriptors"] if self.censuses else 0
            self.censuses.append({"at_s": sample.at_s, "threads": sample.threads,
                                  "descriptors": samples.fewest_descriptors(self.stage, wanted),
                                  "resident": sample.resident, "log_entries": len(log["entries"]),
                                  "log_bytes": len(json.dumps(log)), "log_ms": took_ms})
        self.visitors.welcome.set()

    def sample(self):
        sample = samples.take(self.stage, self.samples[-1] if self.samples else None)
        sample.pace = samples.pace(self.client)
        self.samples.append(sample)
        for steady in self.steady:
            if steady.ended():
                raise AssertionError(f"{steady.form} listeners who should stay have ended: {steady.said()}")
        if self.server.process.poll() is not None:
            raise AssertionError(f"the server has ended: {self.server.process.returncode}")

    def pass_time(self, progress):
        part, stage = self.part, self.stage
        census_every = part.duration_s / part.censuses
        next_census = census_every
        sample_s = min(SAMPLE_S, part.duration_s / SAMPLES_LEAST)
        self.begin_stints()
        while stage.now_s() < part.duration_s:
            self.sample()
            self.windows.look()
            progress.show(part, stage, self.samples[-1])
            if stage.now_s() >= next_census:
                self.census()
                next_census += census_every
                self.begin_stints()
            wait_s = (self.samples[-1].at_s + sample_s - stage.now_s()) / part.speed
            time.sleep(max(0.05, min(wait_s, (part.duration_s - stage.now_s()) / part.speed)))
        self.sample()

    def play(self, progress):
        self.begin()
        part, stage = self.part, self.stage
        self.visitors = Visitors(stage, part.visitor_every_real_s, moves)
        self.windows = Windows(self.client, stage, part.windows, part.duration_s)
        actors = [self.visitors, Steering(stage, part.steer_every_s / part.speed),
                  Faults(stage, part.fault_every_real_s)]
        for actor in actors:
            actor.start()
        try:
            self.pass_time(progress)
        finally:
            for actor in actors:
                actor.stop()
        self.census()

    def run(self, progress):
        """Returns the whole result as a dictionary."""
        begun = time.monotonic()
        with self.server:
            try:
                self.play(progress)
            except Exception as fault:  # the result says so, with all that was measured until then
                self.stage.trouble(f"{type(fault).__name__}: {fault}")
            steady = [self.end_listening(each) for each in self.steady]
            self.end_stints()
            status = self.server.stop()
            log = self.server.log()
        result = {"name": self.part.name, **dataclasses.asdict(self.part), "seed": self.seed,
                  "held_from_frame": self.held_from_frame, "passed_s": self.samples[-1].at_s if self.samples else 0, "real_s": time.monotonic() - begun,
                  "instrumented": self.instrumented, "exit_status": status, "steady": steady,
                  "stints": self.stint_reports, "windows": self.windows.done, "censuses": self.censuses,
                  "counts": dict(self.stage.counts), "troubles": self.stage.troubles, "log": log,
                  "samples": [dataclasses.asdict(sample) for sample in self.samples]}
        judge.judge(result, self.samples)
        return result
