"""Whether a part of a soak was good: what it promises, held against what was measured."""
import re

from soak import samples as measured
from soak.stage import clock_text

TIER_MS = {"v1": 500, "v0": 500}          # what an old client holds at its default
LEAST_SAMPLES = 10

NONE_OF = ("auralis_encoding_faults_total", "auralis_held_chunks_total",
           'auralis_render_failures_total{kind="deadline"}')
INJECTED = ('auralis_render_failures_total{kind="error"}', 'auralis_render_failures_total{kind="nonfinite"}')


def judge(result, samples):
    """Adds to the result: findings (what is wrong), disturbed (what may be the machine's fault), figures."""
    figures = {}
    wrong = [*judge_process(result), *judge_censuses(result["censuses"])]
    late = list(result["troubles"])
    for heard in result["steady"]:
        wrong += judge_sound(heard)
    for heard in result["stints"]:
        wrong += judge_sound(heard)
    for window in result["windows"]:
        # Old protocols do not tell where a listener goes on that fell behind.
        lost_its_place = window["format"] in TIER_MS and "ell behind" in window["said"]
        if window["mismatches"] and not lost_its_place:
            wrong.append(window_text(window, "is not what seed and log say"))
        elif window["mismatches"] or not window["verified"]:
            late.append(window_text(window, "could not be compared"))
    if not result["instrumented"]:
        late += judge_service(result)
        for heard in result["steady"]:
            late += judge_timing(heard, result)
        wrong += judge_memory(measured.after_warm_up(samples), figures)
        late += judge_cost(measured.after_warm_up(samples), figures)
    disturbance = disturbance_text(result) if late else None
    result.update(findings=wrong + ([] if disturbance else late), figures=figures,
                  disturbed=[disturbance, *late] if disturbance else [])


def window_text(window, what):
    return f"{clock_text(window['at_s'])} {window['format']} {what} ({window['said']})"


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


def judge_process(result):
    """It has ended well, and did what was asked of it."""
    if result["exit_status"] != 0:
        yield f"the server ended with status {result['exit_status']}"
    for line in result["log"].splitlines():
        if re.search(r"AddressSanitizer|ThreadSanitizer|LeakSanitizer|runtime error:", line):
            yield f"the server said: {line}"


def judge_service(result):
    """Whatever a renderer did, there was music in time."""
    for line in result["log"].splitlines():
        if " error " in line:
            yield f"the server said: {line}"
    last = result["samples"][-1]["metrics"] if result["samples"] else {}
    injected = 2 if result["speed"] == 1 else 0
    for name, wanted in dict.fromkeys(NONE_OF, 0).items() | dict.fromkeys(INJECTED, injected).items():
        if last.get(name, 0) != wanted:
            yield f"{name} is {last.get(name, 0):.0f}, not {wanted}"


def judge_sound(heard):
    """What came was sound, and had no click in it."""
    form = heard["format"]
    if "chunks_expected" not in heard:
        yield f"{form}: {heard['failure']}"
        return
    for name in ("decode_errors", "protocol_errors"):
        if heard[name]:
            yield f"{form}: {name} {heard[name]} ({heard['failure']})"
    if heard["clicks"]:
        yield f"{heard['clicks']} clicks, the first at frame {heard['first_click_frame']}"


def judge_timing(heard, result):
    """Who stayed all the time has missed nothing."""
    form = heard["format"]
    if "chunks_expected" not in heard:
        return
    # A client knows the server's clock to some real milliseconds, which are many on a scaled one; and who joins, and of
    # what a change makes another, gets a second at once, which is few.
    real = result["speed"] == 1
    for name in ("failed", "lost", "silent") + (("early", "outdated") if real else ()):
        if heard[name]:
            yield f"{form}: {name} {heard[name]} ({heard['failure']})"
    if heard["gaps"] and (real or heard["last_gap"] > result["held_from_frame"]):
        yield f"{form}: gaps {heard['gaps']}, the last up to frame {heard['last_gap']}"
    late_ms = (heard["lateness_ms"] or {"max": 0})["max"]
    if late_ms > holds_ms(heard, result):
        yield f"{form}: a chunk was {late_ms:.0f} ms late, and a listener holds {holds_ms(heard, result)} ms"
    if form == "pcm" and (heard["watched_s"] or 0) < 0.98 * result["passed_s"]:
        yield f"{form}: only {heard['watched_s']} s were looked at for clicks"


def judge_censuses(censuses):
    """With nobody but those who stay, the same is open whenever one looks."""
    for name in ("descriptors", "threads"):
        counts = [census[name] for census in censuses]
        if len(set(counts)) > 1:
            yield f"{name} when all others had gone: {counts}"


def judge_memory(samples, figures):
    if len(samples) < LEAST_SAMPLES:
        yield f"only {len(samples)} samples: nothing can be said about growth"
        return
    memory = measured.trend([(sample.at_s, sample.apart_from_log()) for sample in samples])
    bound = measured.memory_bound(memory)
    figures.update(memory=vars(memory), memory_growth=memory.growth(), memory_bound=bound,
                   log_growth=samples[-1].log_bytes() - samples[0].log_bytes())
    if memory.certain_growth() > bound:
        yield (f"memory grows: {memory.growth() / 1024:.0f} KiB in {memory.hours:.1f} h, "
               f"at most {bound / 1024:.0f} KiB may be")


def judge_cost(samples, figures):
    if len(samples) < LEAST_SAMPLES:
        return
    cost = measured.trend(measured.costs(samples))
    pace = measured.trend([(sample.at_s, sample.pace) for sample in samples])
    figures.update(cost=vars(cost), cost_growth=cost.growth(), cost_bound=measured.cost_bound(cost),
                   pace_growth=pace.growth() / pace.mean)
    if cost.certain_growth() > measured.cost_bound(cost):
        yield f"cost grows: {cost.growth() / cost.mean:.0%} in {cost.hours:.1f} h"
