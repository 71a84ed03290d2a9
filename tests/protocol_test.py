"""Every protocol against a real server, as listeners meet it: each chunk arrives, and is what the seed and log say.

usage: protocol_test.py BINARY [unittest options]
"""
import json
import subprocess
import sys
import unittest

from server import Server

BINARY = sys.argv.pop(1)
SECONDS = 8
LISTENERS = 10


def listen(server, form, *options):
    """Runs `auralis listen` and returns (exit status, report)."""
    done = subprocess.run([BINARY, "listen", server.url, "--format", form, "--duration", str(SECONDS), "--json",
                           *options], capture_output=True, text=True, timeout=180)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout), done.stderr


class Listening(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(BINARY, "--seed", "7", "--lead", "3").__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__()

    def hears_everything(self, form):
        status, report, said = listen(self.server, form, "--listeners", str(LISTENERS), "--verify")
        self.assertEqual(report["connected"], LISTENERS, said)
        self.assertGreaterEqual(report["chunks_received"], report["chunks_expected"])
        self.assertGreater(report["chunks_expected"], LISTENERS * 20)
        for name in ("gaps", "decode_errors", "mismatches", "protocol_errors"):
            self.assertEqual(report[name], 0, (name, report, said))
        self.assertGreater(report["verified"], LISTENERS * 20)
        self.assertEqual(status, 0, said)

    def test_opus(self):
        self.hears_everything("opus")

    def test_opus_at_changing_bit_rates(self):
        """Each listener goes down the rungs and up again; whatever it is sent is what its rung's encoder makes."""
        status, report, said = listen(self.server, "opus", "--listeners", "3", "--bitrate", "64", "--change", "1.5",
                                      "--verify")
        self.assertEqual(status, 0, (said, report))
        self.assertGreaterEqual(report["format_changes"], 3 * 4)
        for rung in ("opus", "opus-64", "opus-32"):
            self.assertGreater(report["format_chunks"][rung], 3 * 10, report)
        self.assertEqual((report["gaps"], report["decode_errors"], report["mismatches"]), (0, 0, 0), report)

    def test_pcm(self):
        self.hears_everything("pcm")

    def test_v1(self):
        self.hears_everything("v1")

    def test_v0(self):
        self.hears_everything("v0")


if __name__ == "__main__":
    unittest.main()
