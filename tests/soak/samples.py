"""What a soak measures from outside, and how it judges whether something grows."""
import dataclasses
import http.client
import math
import os
import pathlib
import re
import subprocess
import tempfile
import time

WARM_UP = 0.1        # of a run: until then pools and caches fill
# The control log is the programme, kept whole by the sequencer, and the last hour of it by the station and its worker:
# 280 bytes an entry each. tests/log_memory_test.py holds a server to it.
LOG_ENTRY_BYTES = 3 * 280


@dataclasses.dataclass
class Sample:
    at_s: float              # programme time
    resident: int            # bytes
    descriptors: int
    threads: int
    cpu_s: float             # of the process so far
    cost: float              # processor seconds per programme second since the sample before
    pace: float              # processor seconds that the machine takes just then for the same piece of work
    listeners: int
    machine_s: float         # processor seconds that all processes of the machine have taken so far
    metrics: dict

    def log_bytes(self):
        return self.metrics["auralis_control_log_entries"] * LOG_ENTRY_BYTES

    def apart_from_log(self):
        """Bytes that do not grow with what was steered."""
        return self.resident - self.log_bytes()


def read_metrics(text):
    """{name with labels: value}"""
    rows = re.findall(r"^([a-z]\S*) (\S+)$", text, re.MULTILINE)
    return {name: float(value) for name, value in rows}


def total(metrics, name):
    """The sum over all labels."""
    return sum(value for key, value in metrics.items() if key == name or key.startswith(name + "{"))


def ask_metrics(stage):
    while True:
        try:
            return read_metrics(stage.server.get("/metrics")[2])
        except (OSError, http.client.HTTPException):
            if not stage.is_pressed():
                raise
            time.sleep(0.1)


def machine_cpu_s():
    """All processors together, but for what they idled."""
    fields = [int(field) for field in pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]]
    return (sum(fields[:8]) - fields[3] - fields[4]) / os.sysconf("SC_CLK_TCK")


def pace(binary):
    """Processor seconds of a short render. Neighbours on a machine change what the same work costs: this tells by how
    much, and is not touched by the age of the server."""
    with tempfile.NamedTemporaryFile(suffix=".wav") as wav:
        command = [binary, "render", "--quiet", "--duration", "10", "--threads", "1", "--out", wav.name]
        render = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        _, status, usage = os.wait4(render.pid, 0)
        render.returncode = os.waitstatus_to_exitcode(status)
    if render.returncode:
        raise AssertionError(f"a render ended with status {render.returncode}")
    return usage.ru_utime + usage.ru_stime


def take(stage, before=None):
    """A sample of the server now, `pace` left out. `before`: the last one."""
    pid = stage.server.process.pid
    metrics = ask_metrics(stage)
    at_s = stage.now_s()
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    resident = int(re.search(r"VmRSS:\s+(\d+)", status)[1]) * 1024
    threads = int(re.search(r"Threads:\s+(\d+)", status)[1])
    cpu_s = metrics["process_cpu_seconds_total"]
    cost = (cpu_s - before.cpu_s) / (at_s - before.at_s) if before else math.nan
    return Sample(at_s, resident, len(os.listdir(f"/proc/{pid}/fd")), threads, cpu_s, cost, math.nan,
                  int(total(metrics, "auralis_listeners")), machine_cpu_s(), metrics)


@dataclasses.dataclass
class Trend:
    """A straight line through measurements, by least squares."""
    mean: float
    per_hour: float
    error_per_hour: float    # standard error of the slope
    hours: float             # from the first to the last

    def growth(self):
        return self.per_hour * self.hours

    def certain_growth(self):
        """What it grew by at least: two standard errors less. Noise is no growth."""
        return max(0.0, self.per_hour - 2 * self.error_per_hour) * self.hours


def trend(points):
    """points: (programme seconds, value), at least three."""
    xs, ys = [x / 3600 for x, _ in points], [y for _, y in points]
    count = len(points)
    mean_x, mean_y = sum(xs) / count, sum(ys) / count
    spread = sum((x - mean_x) ** 2 for x in xs)
    slope = sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys)) / spread
    rest = sum((y - mean_y - slope * (x - mean_x)) ** 2 for x, y in zip(xs, ys))
    error = math.sqrt(rest / max(1, count - 2) / spread)
    return Trend(mean_y, slope, error, max(xs) - min(xs))


def after_warm_up(samples):
    end = samples[-1].at_s
    return [sample for sample in samples if sample.at_s >= WARM_UP * end and not math.isnan(sample.cost)]


def memory_bound(memory):
    """Bytes that may be gained: 1 %, or 64 KiB an hour where that is more."""
    return max(0.01 * memory.mean, 65536 * memory.hours)


def costs(samples):
    """(programme seconds, cost), as they would be were the machine as fast at every sample as it was on average."""
    mean = sum(sample.pace for sample in samples) / len(samples)
    return [(sample.at_s, sample.cost * mean / sample.pace) for sample in samples]


def cost_bound(cost):
    """A machine that others use as well gives processor time within some 15 %."""
    return 0.15 * cost.mean


def fewest_descriptors(stage, wanted, seconds=5):
    """How many are open once the last visitors' sockets have lingered long enough; at once when that is `wanted`."""
    fewest, end = take(stage).descriptors, time.monotonic() + (seconds if wanted else 1)
    while fewest != wanted and time.monotonic() < end:
        time.sleep(0.1)
        fewest = min(fewest, take(stage).descriptors)
    return fewest


def settle(stage, listeners, seconds=15):
    """Waits until only so many listeners and nothing else is connected; returns a sample. None when it never is."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        sample = take(stage)
        sockets = total(sample.metrics, "auralis_connections")
        if sample.listeners == listeners and sockets <= listeners + 1:
            return sample
        time.sleep(0.1)
    return None
