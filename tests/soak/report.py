"""What a soak says: for people as text and as a page."""
import os
import pathlib
import platform
import statistics
import subprocess
import time

from soak.stage import clock_text

BLOCKS = "▁▂▃▄▅▆▇█"
ROWS = 24
MOST_FINDINGS = 40


PASSED, FAILED, DISTURBED = "Passed", "Failed", "Nothing can be said"


def verdict(result):
    if result["findings"]:
        return FAILED
    return DISTURBED if result["disturbed"] else PASSED


def summary(result):
    """The verdict and what it rests on, for the end of a log."""
    yield f"{result['name']}: {verdict(result)}"
    yield from (f"- {finding}" for finding in (result["findings"] + result["disturbed"])[:MOST_FINDINGS])


def plan_text(part):
    if part.real:
        return f"{clock_text(part.duration_s)} in real time"
    return f"{clock_text(part.duration_s)} of programme at {part.speed:g} times the speed"


def machine():
    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "CPU")
    return (f"{len(os.sched_getaffinity(0))} processors ({cpu}), {platform.system()} {platform.release()}, "
            f"{platform.machine()}, {time.strftime('%Y-%m-%d')}")


def commit():
    root = pathlib.Path(__file__).parent
    return subprocess.run(["git", "-C", root, "describe", "--always", "--dirty"], capture_output=True,
                          text=True).stdout.strip()


def plot(values):
    """One block for each of some seventy stretches, from the least to the most."""
    step = max(1, len(values) / 70)
    means = [statistics.fmean(values[int(i * step):max(int(i * step) + 1, int((i + 1) * step))])
             for i in range(int(len(values) / step))]
    low, high = min(means), max(means)
    return "".join(BLOCKS[int((mean - low) / ((high - low) or 1) * 7.999)] for mean in means)


def of_steady(heard):
    if "chunks_expected" not in heard:
        return [heard["format"], "-", "-", "-", "-", "-", heard["failure"]]
    late = heard["lateness_ms"] or {"p50": 0, "p99": 0, "max": 0}
    clicks = "" if heard["clicks"] is None else (f"{heard['clicks']} clicks in {heard['watched_s'] / 3600:.2f} h, "
                                                  f"{heard['sharp_onsets']} sharp onsets of notes")
    return [heard["format"], f"{heard['listeners']}", f"{heard['chunks_received']:,} of {heard['chunks_expected']:,}",
            f"{heard['gaps']}", f"{heard['outdated']}", f"{late['p50']:.1f} / {late['p99']:.1f} / {late['max']:.0f}", clicks]


def of_stints(stints):
    """One row for each old protocol, all stints together."""
    for form in dict.fromkeys(heard["format"] for heard in stints):
        whole = [heard for heard in stints if heard["format"] == form and "chunks_expected" in heard]
        received, expected = (sum(heard[name] for heard in whole) for name in ("chunks_received", "chunks_expected"))
        worst = max((heard["lateness_ms"]["max"] for heard in whole if heard["lateness_ms"]), default=0)
        yield [form, f"{len(whole)} stints", f"{received:,} of {expected:,}", f"{sum(h['gaps'] for h in whole)}", "-",
               f"- / - / {worst:.0f}", f"{sum(h['lost'] for h in whole)} gave up"]


def table(head, rows):
    yield "| " + " | ".join(head) + " |"
    yield "| " + " | ".join("---" for _ in head) + " |"
    for row in rows:
        yield "| " + " | ".join(str(cell) for cell in row) + " |"


def of_samples(samples, speed):
    step = max(1, -(-(len(samples) - 1) // ROWS))
    for n in range(step, len(samples), step):
        sample, before = samples[n], samples[n - step]
        metrics = sample["metrics"]
        busy = (sample["machine_s"] - before["machine_s"]) / (sample["at_s"] - before["at_s"]) * speed
        yield [clock_text(sample["at_s"]), f"{sample['resident'] / 2**20:.1f}", sample["descriptors"],
               sample["threads"], f"{sample['cost'] * 1000:.2f}", sample["listeners"],
               f"{metrics['auralis_controls_total']:.0f}", f"{metrics['auralis_connections_accepted_total']:.0f}",
               f"{metrics['auralis_chunks_late_total']:.0f}", f"{busy / os.cpu_count():.0%}"]


def of_growth(result):
    figures = result["figures"]
    if not figures:
        return
    memory, cost = figures["memory"], figures["cost"]
    yield (f"Memory: {memory['mean'] / 2**20:.1f} MiB, {memory['per_hour'] / 1024:+.1f} KiB an hour "
           f"(+- {2 * memory['error_per_hour'] / 1024:.1f}), {figures['memory_growth'] / 1024:+.0f} KiB in all; "
           f"at most {figures['memory_bound'] / 1024:.0f} may be. The control log is not in it: it is the programme, "
           f"kept whole, and grew by {figures['log_growth'] / 1024:.0f} KiB.")
    yield (f"Cost: {cost['mean'] * 1000:.2f} ms of a processor for a second of programme, "
           f"{figures['cost_growth'] / cost['mean']:+.1%} in all; at most "
           f"{figures['cost_bound'] / cost['mean']:.0%} may be. What else the machine did is taken out: a render of "
           f"always the same music changed by {figures['pace_growth']:+.1%}.")


def of_censuses(result):
    censuses = result["censuses"]
    if not censuses:
        return
    last = censuses[-1]
    yield (f"{len(censuses)} times all others had gone: descriptors {sorted({c['descriptors'] for c in censuses})}, "
           f"threads {sorted({c['threads'] for c in censuses})}.")
    yield (f"The control log has {last['log_entries']} entries at the end; sent whole it is "
           f"{last['log_bytes'] / 1024:.0f} KiB and takes {last['log_ms']:.0f} ms.")


def of_happenings(result):
    counts = ", ".join(f"{count} {what}" for what, count in sorted(result["counts"].items()))
    yield f"What happened: {counts}."
    good = sum(window["mismatches"] == 0 and window["verified"] > 0 for window in result["windows"])
    messages = sum(window["verified"] for window in result["windows"])
    yield f"{good} of {len(result['windows'])} windows of 20 s are as an independent render: {messages} messages."


def lines(result):
    title = f"{result['name']}: {clock_text(result['passed_s'])}"
    if result["speed"] != 1:
        title += f" of programme at {result['speed']:g} times the speed, lead {result['lead_s']} s"
    yield f"## {title[0].upper()}{title[1:]}\n"
    yield f"**{verdict(result)}.** It took {clock_text(result['real_s'])}; seed {result['seed']}.\n"
    for kind in ("findings", "disturbed"):
        yield from (f"- {finding}" for finding in result[kind][:MOST_FINDINGS])
        if len(result[kind]) > MOST_FINDINGS:
            yield f"- and {len(result[kind]) - MOST_FINDINGS} more"
        yield from ([""] if result[kind] else [])
    yield from table(("listeners", "how many", "chunks", "gaps", "outdated", "lateness p50 / p99 / max ms", ""),
                     [of_steady(heard) for heard in result["steady"]] + list(of_stints(result["stints"])))
    yield ""
    for paragraph in (of_growth, of_censuses, of_happenings):
        yield from (f"{text}\n" for text in paragraph(result))
    measured = result["samples"][1:]
    if measured:
        memory = [sample["resident"] / 2**20 for sample in measured]
        cost = [sample["cost"] * 1000 for sample in measured]
        yield "```"
        yield f"memory  {plot(memory)}  {min(memory):.1f} .. {max(memory):.1f} MiB"
        yield f"cost    {plot(cost)}  {min(cost):.1f} .. {max(cost):.1f} ms a second"
        yield "```\n"
        yield from table(("programme", "resident MiB", "descriptors", "threads", "CPU ms / s", "listeners", "controls",
                          "connections so far", "late chunks", "machine busy"),
                         of_samples(result["samples"], result["speed"]))


def print_text(results):
    for result in results:
        print("\n".join(lines(result)))


def page(results):
    head = f"""# Soak

Made by `make soak` on {machine()}, commit {commit()}.
On a scaled clock all times are programme time: at 72 times the speed one millisecond of the machine counts as 72. Old
clients hold a second of programme at most, there some 15 real milliseconds: their gaps are shown and judged in real
time only. A late chunk is one that was rendered after it could first have been sent; who listens holds the whole lead.
An outdated one was heard as it was before a change, since there was no time left for what replaces it: of that a
listener gets a second of programme at once, so this too is judged in real time only.

"""
    return head + "\n".join(line for result in results for line in [*lines(result), ""]) + "\n"
