"""Whether a part of a soak was good: what it promises, held against what was measured."""
import re

from soak import samples as measured
from soak.stage import clock_text

TIER_MS = {"v1": 500, "v0": 500}          # what an old client holds at its default


def judge(result, samples):
    """Adds to the result: findings (what is wrong), disturbed (what may be the machine's fault), figures."""
    findings, figures = list(result["troubles"]), {}
    findings += judge_server(result)
    late = []
    for heard in result["steady"]:
        findings += judge_steady(heard, result)
        late += judge_timing(heard, result)
    disturbance = disturbance_text(result) if late else None
    for heard in result["stints"]:
        findings += judge_stint(heard)
    for window in result["windows"]:
        if window["mismatches"] != 0 or not window["verified"]:
            findings.append(f"{clock_text(window['at_s'])} {window['format']} is not what seed and log say: {window}")
    findings += judge_censuses(result["censuses"])
    if not result["instrumented"]:
        findings += judge_trends(measured.after_warm_up(samples), figures)
    result.update(findings=findings + ([] if disturbance else late), figures=figures,
                  disturbed=[disturbance, *late] if disturbance else [])


def disturbance_text(result):
    """What a listener's own loop waited for the processor counts against it: then it is not known who was late."""
    for heard in result["steady"]:
        waited_ms = (heard.get("loop_lag_ms") or {"max": 0})["max"]
        if waited_ms > holds_ms(heard, result) / 4:
            return (f"the machine was too busy: who listened ({heard['format']}) had to wait up to "
                    f"{waited_ms / result['speed']:.0f} ms for a processor")
    return None


def holds_ms(heard, result):
    """For so long a listener hears what it has got already."""
    return TIER_MS.get(heard["format"], result["lead_s"] * 1000)


def judge_server(result):
    if result["exit_status"] != 0:
        yield f"the server ended with status {result['exit_status']}"
    for line in result["log"].splitlines():
        if re.search(r"AddressSanitizer|ThreadSanitizer|LeakSanitizer|runtime error:", line) or " error " in line:
            yield f"the server said: {line}"
    last = result["samples"][-1]["metrics"] if result["samples"] else {}
    for name in ("auralis_synthesis_faults_total", "auralis_encoding_faults_total"):
        if last.get(name):
            yield f"{name} is {last[name]:.0f}"


def judge_steady(heard, result):
    """Who stayed all the time has heard nothing wrong."""
    form = heard["format"]
    if "chunks_expected" not in heard:
        yield f"{form}: {heard['failure']}"
        return
    for name in ("failed", "decode_errors", "protocol_errors"):
        if heard[name]:
            yield f"{form}: {name} {heard[name]} ({heard['failure']})"
    if form == "pcm" and heard["clicks"] != 0:
        yield f"{heard['clicks']} clicks, the first at frame {heard['first_click_frame']} ({heard['trouble']})"


def judge_timing(heard, result):
    """Nor has it missed anything."""
    form = heard["format"]
    if "chunks_expected" not in heard:
        return
    for name in ("lost", "silent", "gaps", "early"):
        if heard[name]:
            yield f"{form}: {name} {heard[name]} ({heard['failure']})"
    late_ms = (heard["lateness_ms"] or {"max": 0})["max"]
    if late_ms > holds_ms(heard, result):
        yield f"{form}: a chunk was {late_ms:.0f} ms late, and a listener holds {holds_ms(heard, result)} ms"
    if form == "pcm" and (heard["watched_s"] or 0) < 0.98 * result["passed_s"]:
        yield f"{form}: only {heard['watched_s']} s were looked at for clicks"


def judge_stint(heard):
    """Old clients on a scaled clock hold some 15 real milliseconds, so they may fall behind, and even give up."""
    form = heard["format"]
    if "chunks_expected" not in heard:
        yield f"{form}: {heard['failure']}"
        return
    for name in ("failed", "silent", "decode_errors", "protocol_errors"):
        if heard[name]:
            yield f"{form}: {name} {heard[name]} ({heard['failure']})"


def judge_censuses(censuses):
    """With nobody but those who stay, the same is open whenever one looks."""
    for name in ("descriptors", "threads"):
        counts = [census[name] for census in censuses]
        if len(set(counts)) > 1:
            yield f"{name} when all others had gone: {counts}"


def judge_trends(samples, figures):
    if len(samples) < 10:
        yield f"only {len(samples)} samples: nothing can be said about growth"
        return
    memory = measured.trend([(sample.at_s, sample.resident) for sample in samples])
    cost = measured.trend([(sample.at_s, sample.cost) for sample in samples])
    figures.update(memory=vars(memory), cost=vars(cost), memory_growth=memory.growth(), cost_growth=cost.growth(),
                   memory_bound=measured.memory_bound(memory), cost_bound=measured.cost_bound(cost))
    if memory.certain_growth() > measured.memory_bound(memory):
        yield (f"memory grows: {memory.growth() / 1024:.0f} KiB in {memory.hours:.1f} h, "
               f"at most {measured.memory_bound(memory) / 1024:.0f} KiB may be")
    if cost.certain_growth() > measured.cost_bound(cost):
        yield f"cost grows: {cost.growth() / cost.mean:.0%} in {cost.hours:.1f} h"
