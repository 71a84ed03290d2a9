#!/usr/bin/env python3
"""The benchmarks of whole servers do what they say, in small: few listeners, a second. No figure of speed is judged."""
import json
import math
import subprocess
import sys
import unittest

BINARY = sys.argv.pop(1)


def start(*arguments):
    return subprocess.Popen([BINARY, "bench", *arguments, "--json"], stdout=subprocess.PIPE, text=True)


def rows_of(process):
    text, _ = process.communicate(timeout=240)
    return {row["name"]: row["value"] for row in json.loads(text)["rows"]}


class Bench(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        both = [start("fanout", "--listeners", "3,12", "--duration", "1"),
                start("stalled", "--listeners", "20", "--duration", "1")]
        cls.fanout, cls.stalled = (rows_of(process) for process in both)

    def test_everybody_hears_all_and_the_bare_loop_says_as_much(self):
        for size in (3, 12):
            for side in ("server", "bare", "bare deliveries"):
                self.assertEqual(self.fanout[f"{size}, {side}: connected"], size)
                self.assertGreater(self.fanout[f"{size}, {side}: within 50 ms"], 0)
                self.assertEqual(self.fanout[f"{size}, {side}: gaps and lost"], 0)
                self.assertEqual(self.fanout[f"{size}, {side}: missing"], 0)
            self.assertEqual(self.fanout[f"{size}, server: different"], 0)
            self.assertEqual(self.fanout[f"{size}, server: PCM different or gaps"], 0)
            self.assertGreater(self.fanout[f"{size}, server: verified"], size * 10)
            self.assertGreater(self.fanout[f"{size}, server: PCM verified"], 100)

    def test_who_stalls_is_closed_and_the_others_stay(self):
        self.assertEqual(self.stalled["healthy"], 18)
        self.assertEqual(self.stalled["stalled"], 2)
        self.assertEqual(self.stalled["listeners at the end"], 18)
        self.assertFalse(math.isnan(self.stalled["the last is closed"]))
        self.assertGreater(self.stalled["after: within 50 ms"], 0)

    def test_what_is_not_timed_is_not_called_best(self):
        command = [BINARY, "bench", "memory"]
        text = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
        self.assertEqual(text.splitlines()[1].split(), ["value"])
        self.assertRegex(text, r"(?m)^  in all, lead of 2 s +\d+\.\d+ MiB$")

    def test_what_cannot_be_measured_is_refused(self):
        for listeners in ("0", "ten", "10,,20", "10,"):
            process = subprocess.run([BINARY, "bench", "fanout", "--listeners", listeners], capture_output=True,
                                     text=True, check=False, timeout=60)
            self.assertNotEqual(process.returncode, 0, listeners)
            self.assertIn("invalid", process.stderr, listeners)


if __name__ == "__main__":
    unittest.main(verbosity=2)
