#!/usr/bin/env python3
"""`auralis render` at a terminal: a line tells how far it is, and is gone at the end. None where nobody looks. What is
ended early leaves nothing."""
import os
import pty
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest

BINARY = sys.argv.pop(1)
LINE = re.compile(r"\[#* *\] +\d+ %  \d:\d\d of 0:40(  [\d.]+ x real time  \d+:\d\d left)? *")


def render(directory, *options):
    """Its exit status, what it writes to a terminal on standard error, and how long it took."""
    master, slave = pty.openpty()
    begin = time.monotonic()
    words = [BINARY, "render", "--duration", "40", "--out", f"{directory}/x.wav", *options]
    process = subprocess.Popen(words, stderr=slave)
    os.close(slave)
    text = b""
    while True:
        try:
            piece = os.read(master, 4096)
        except OSError:  # the other end is closed
            break
        if not piece:
            break
        text += piece
    os.close(master)
    return process.wait(), text.decode(), time.monotonic() - begin


class Terminal(unittest.TestCase):
    def setUp(self):
        self.directory = self.enterContext(tempfile.TemporaryDirectory())

    def test_the_line_moves_and_goes_away(self):
        status, text, took_s = render(self.directory)
        self.assertEqual(status, 0)
        *drawn, blank, rest = text.split("\r")[1:-1]
        self.assertGreaterEqual(len(drawn), 2)
        self.assertLessEqual(len(drawn), 2 + 10 * took_s)
        for line in drawn:
            self.assertRegex(line, LINE)
        self.assertEqual(blank.strip(), "")
        self.assertRegex(rest, r"^40\.0 s of sound in ")

    def test_failures_begin_on_a_line_of_their_own(self):
        status, text, _ = render(self.directory, "--midi", "/nowhere/x.mid")
        self.assertEqual(status, 1)
        self.assertTrue(text.split("\r")[0].startswith("auralis render: /nowhere/x.mid"), text)

    def test_quiet_is_quiet(self):
        self.assertEqual(render(self.directory, "--quiet")[:2], (0, ""))

    def test_there_is_none_without_a_terminal(self):
        process = subprocess.run([BINARY, "render", "--duration", "1", "--out", f"{self.directory}/x.wav"],
                                 capture_output=True, text=True, check=True, timeout=60)
        self.assertRegex(process.stderr, r"\A1\.0 s of sound in [^\r]*\n\Z")

    def test_what_a_signal_ends_leaves_nothing(self):
        part = f"{self.directory}/x.wav.part"
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            process = subprocess.Popen([BINARY, "render", "--quiet", "--duration", "1e6", "--out", part[:-5]],
                                       preexec_fn=lambda: signal.signal(number, signal.SIG_DFL))
            while not (os.path.exists(part) and os.path.getsize(part) > 10000):
                self.assertIsNone(process.poll())
                time.sleep(.01)
            process.send_signal(number)
            self.assertEqual(process.wait(60), -number)
            self.assertEqual(os.listdir(self.directory), [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
