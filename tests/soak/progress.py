"""Where a soak stands: a bar on a terminal, a line now and then elsewhere."""
import sys
import time

from soak.stage import clock_text

WIDTH, LINE_EVERY = 24, 0.1


class Progress:
    def __init__(self, parts):
        self.whole_s = sum(part.duration_s / part.speed for part in parts)
        self.parts = parts
        self.begun = time.monotonic()
        self.bar = sys.stderr.isatty()
        self.said = 0.0

    def show(self, part, stage, sample):
        before = sum(each.duration_s / each.speed for each in self.parts[:self.parts.index(part)])
        share = min(1.0, (before + stage.now_s() / part.speed) / self.whole_s)
        left_s = (time.monotonic() - self.begun) * (1 / max(share, 1e-6) - 1)
        text = (f"{share:5.1%}  {part.name} {clock_text(stage.now_s())} of {clock_text(part.duration_s)}, "
                f"{clock_text(left_s)} left; {sample.listeners} listeners, {sample.resident / 2**20:.1f} MiB, "
                f"{sample.descriptors} descriptors, {len(stage.troubles)} troubles")
        if self.bar:
            done = round(share * WIDTH)
            print(f"\r[{'#' * done}{'.' * (WIDTH - done)}] {text} ", end="", file=sys.stderr, flush=True)
        elif share >= self.said:
            self.said = share + LINE_EVERY
            print(text, file=sys.stderr, flush=True)

    def clear(self):
        if self.bar:
            print("\r" + " " * 150 + "\r", end="", file=sys.stderr)
