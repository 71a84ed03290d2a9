"""What all actors of a soak share: the server, the programme's clock, and the book of what happened."""
import collections
import random
import sys
import threading
import time

from websocket import Closed


class Stage:
    """speed: programme seconds in a real one. Everything random follows from the seed."""

    def __init__(self, server, speed, seed):
        self.server, self.speed, self.seed = server, speed, seed
        self.begun = time.monotonic()
        self.counts = collections.Counter()
        self.troubles = []
        self.lock = threading.Lock()
        self.pressed_until = 0.0

    def now_s(self):
        """Programme time since the stage was set."""
        return (time.monotonic() - self.begun) * self.speed

    def press(self, seconds):
        """For so long the server may have no descriptor for somebody new, and may turn away who was just coming."""
        self.pressed_until = time.monotonic() + seconds

    def is_pressed(self):
        return time.monotonic() < self.pressed_until

    def count(self, what):
        with self.lock:
            self.counts[what] += 1

    def trouble(self, what):
        """Something that must not happen; the soak has failed."""
        with self.lock:
            self.troubles.append(f"{clock_text(self.now_s())} {what}")
            print(f"\n{self.troubles[-1]}", file=sys.stderr, flush=True)

    def random(self, what):
        """A stream of random numbers of its own."""
        return random.Random(f"{self.seed} {what}")

    def failed(self, who, fault):
        """What somebody met instead of what was promised."""
        if self.is_pressed() and isinstance(fault, (OSError, Closed)):
            self.count("turned away for want of a descriptor")
        elif self.speed > 1 and getattr(fault, "code", None) == 1008:
            self.count("closed as too slow for this clock")
        else:
            self.trouble(f"{who}: {type(fault).__name__}: {fault}")


class Actor(threading.Thread):
    """Does something to the server again and again, `every_s` real seconds apart on average, until it is stopped."""

    def __init__(self, stage, every_s):
        super().__init__(name=type(self).__name__, daemon=True)
        self.stage, self.every_s = stage, every_s
        self.random = stage.random(self.name)
        self.stopping = threading.Event()

    def act(self):
        raise NotImplementedError

    def run(self):
        while not self.stopping.wait(self.random.expovariate(1 / self.every_s)):
            try:
                self.act()
            except Exception as fault:  # whatever it is, it is a finding
                self.stage.failed(self.name, fault)

    def stop(self):
        self.stopping.set()
        if self.is_alive():
            self.join(60)


def clock_text(seconds):
    """7384 -> "2:03:04"."""
    seconds = int(seconds)
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
