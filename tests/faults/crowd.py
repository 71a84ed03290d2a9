"""Healthy listeners: `auralis listen --verify`, running until it is told to stop."""
import json
import os
import signal
import subprocess

FORMATS = {"opus": 10, "pcm": 2, "v1": 2}
# They stand for other machines: what takes processors away from the server is not to take them from those who measure.
AHEAD = ["nice", "-n", "-10"] if os.geteuid() == 0 else []
STAYED = "failed", "lost", "silent", "decode_errors"
NONE_OF = *STAYED, "gaps", "early", "protocol_errors", "mismatches"


class Crowd:
    def __init__(self, binary, url, form, listeners):
        self.form, self.listeners = form, listeners
        tier = ["--tier", "defensive"] if form == "v1" else []
        self.process = subprocess.Popen(
            [*AHEAD, binary, "listen", url, "--format", form, "--listeners", str(listeners), *tier,
             "--duration", "3600", "--verify", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def report(self):
        """Ends it; what it found."""
        self.process.send_signal(signal.SIGINT)
        out, said = self.process.communicate(timeout=120)
        if not out:
            raise AssertionError(f"no report of the {self.form} listeners: {said}")
        return json.loads(out)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()


def held_words(report):
    return f"{report['held']} that stand in for music, " if report.get("held") else ""


def judge(run, form, report):
    """What must hold for everybody who has nothing to do with the fault."""
    dry = form in run.fault.out_of_step
    bad = [f"{report[name]} {name.replace('_', ' ')}" for name in (STAYED if dry else NONE_OF) if report[name]]
    well = not bad and report["connected"] == report["listeners"] and report["verified"] > 0
    words = ", ".join(bad) or ("all stayed, out of step" if dry else f"{report['verified']} messages as seed and log "
                               f"say, {held_words(report)}0 gaps, 0 lost, 0 different")
    said = f" ({report['failure']})" if report["failure"] else ""
    run.hold(well, f"{report['listeners']} healthy {form} listeners: {words}{said}")
    late = report["lateness_ms"]
    if dry:
        return
    bound_ms = 1200 if form == "v1" else 1000 * run.lead
    run.hold(late and late["max"] <= bound_ms, f"none of their {form} chunks was later than {bound_ms / 1000:g} s"
             + (f": {late['max']:.0f} ms at most" if late else ": none was due"))
