"""doc/reliability.md: what was done, and who noticed."""
import collections
import os
import pathlib
import platform
import re
import subprocess
import time

from faults.crowd import FORMATS
from faults.runner import CONTROL_S

ROOT = pathlib.Path(__file__).resolve().parents[2]
LOG_LINES = 6
INTRODUCTION = """\
Each fault is done to a server process of its own, over real sockets, while healthy listeners go on: {crowd}, all
of them `auralis listen --verify`, which renders the programme again and compares every chunk. Before each fault ten
others listen to the same server undisturbed, for {control:g} s: that is the *control*, and what the machine
does to everybody. Lateness is arrival less send due time; a listener holds as much music as the server's lead, 10 s
where the network is the matter and 5 s elsewhere, so a chunk that is late by less is not missed. No speed is asserted:
what must hold is that nothing is lost, nothing differs, nobody else is disturbed, and everybody comes back."""


def text(runs, took_s):
    held = sum(run.verdict == "held" for run in runs)
    crowd = ", ".join(f"{count} {form}" for form, count in FORMATS.items())
    lines = [
        "# What faults do to it\n",
        f"Written by `make faults` at {_commit()}, in {took_s / 60:.1f} minutes. Machine: {_machine()}. "
        f"{held} of {len(runs)} faults held"
        f"{_others(runs, 'FAILED', 'failed')}{_others(runs, 'not run', 'could not be run')}.\n",
        INTRODUCTION.format(crowd=crowd, control=CONTROL_S[0]), "",
        "| fault | what is injected | for | verdict | healthy Opus listeners: lateness p50 / p99 / max ms, in control "
        "-> fault | within 20 ms | within 50 ms | gaps, different |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
        *(_row(run) for run in runs), "",
        *(line for run in runs for line in _section(run)),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _others(runs, verdict, words):
    count = sum(run.verdict == verdict for run in runs)
    return f", {count} {words}" if count else ""


def _commit():
    return subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty"], capture_output=True,
                          text=True).stdout.strip()


def _machine():
    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "CPU")
    return (f"{len(os.sched_getaffinity(0))} processors ({cpu}), {platform.system()} {platform.release()}, "
            f"{platform.machine()}, {time.strftime('%Y-%m-%d')}")


def _late(report):
    late = report.get("lateness_ms") if report else None
    return f"{late['p50']:.1f} / {late['p99']:.1f} / {late['max']:.0f}" if late else "-"


def _share(report, ms):
    share = report.get(f"share_within_{ms}_ms") if report else None
    return "-" if share is None else f"{share * 100:.2f} %"


def _pair(before, after):
    return "-" if before == after == "-" else f"{before} -> {after}"


def _row(run):
    opus = run.healthy.get("opus")
    verdict = {"held": "held", "FAILED": "**FAILED**", "not run": "not run"}[run.verdict]
    faults = "-"
    if run.healthy:
        counted = [report for form, report in run.healthy.items() if form not in run.fault.out_of_step]
        faults = f"{sum(report['gaps'] for report in counted)}, {sum(report['mismatches'] or 0 for report in counted)}"
    return (f"| [{run.fault.name}](#{run.fault.name}) | {run.fault.what} | {run.seconds} s | {verdict} | "
            f"{_pair(_late(run.control), _late(opus))} | {_pair(_share(run.control, 20), _share(opus, 20))} | "
            f"{_pair(_share(run.control, 50), _share(opus, 50))} | {faults} |")


def _section(run):
    fault = run.fault
    yield f"## {fault.name}\n"
    yield f"{fault.what[0].upper()}{fault.what[1:]}. To whom: {fault.who}.\n"
    if run.reason:
        yield f"Not run: {run.reason}.\n"
        return
    for held, what in run.checks:
        yield f"- {'held' if held else '**FAILED**'}: {what}"
    if run.healthy:
        yield f"- this machine held up even those who measure, by {run.held_up_ms:.0f} ms at most"
    if run.first_try:
        yield f"- this is the second try: {run.first_try}"
    for form, report in run.healthy.items():
        if form != "opus":
            yield (f"- healthy {form}: lateness {_late(report)} ms, within 20 / 50 ms {_share(report, 20)} / "
                   f"{_share(report, 50)}, {report['gaps']} gaps")
    for seen in run.seen:
        yield f"- seen: {seen}"
    yield ""
    if run.log:
        yield "Logged:\n"
        yield "```"
        yield from _log(run.log)
        yield "```\n"


def _log(lines):
    """What was said, without when and in which directory, and how often."""
    counts = collections.Counter(re.sub(r"/\S+/auralis-\S+", "DIR", line.split(" ", 1)[-1]) for line in lines)
    for line, count in counts.most_common(LOG_LINES):
        yield line + (f"   ({count} times)" if count > 1 else "")
    if len(counts) > LOG_LINES:
        yield f"({len(counts) - LOG_LINES} other lines)"
