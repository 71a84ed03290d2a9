"""A server that nobody listens to renders nothing, and whoever comes hears the programme where it would have been.

usage: sleep_test.py BINARY [unittest options]
"""
import json
import signal
import subprocess
import sys
import tempfile
import time
import unittest

from legacy_client import V0, Client
from server import INSTRUMENTED, Server, wait_until

BINARY = sys.argv.pop(1)
SLEEPY = ("--sleep-after", "1", "--lead", "2")


def listen(server, form, *options):
    """The report of listeners who compare what they hear with an own render of the log."""
    done = subprocess.run([BINARY, "listen", server.url, "--format", form, "--duration", "3", "--verify", "--json",
                           *options], capture_output=True, text=True, timeout=180)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout), done.stderr


def fall_asleep(server):
    wait_until(lambda: server.metric("auralis_station_asleep") == 1, 60, "it sleeps")


def wake_frames(server):
    return [entry["wake_frame"] for entry in server.get("/api/stations/main/log")[2]["entries"]]


class Sleep(unittest.TestCase):
    def hears(self, server, form):
        status, report, said = listen(server, form)
        for name in ("gaps", "decode_errors", "protocol_errors", "mismatches"):
            self.assertEqual(report[name], 0, (name, said, report))
        self.assertEqual(status, 0, (said, report))
        self.assertGreater(report["verified"], 15)
        return report

    def test_it_sleeps_and_wakes(self):
        with Server(BINARY, "--seed", "4", *SLEEPY) as server:
            fall_asleep(server)
            rendered = server.metric("auralis_chunks_rendered_total")
            time.sleep(1)
            self.assertEqual(server.metric("auralis_chunks_rendered_total"), rendered)
            status, _, health = server.get("/api/health")
            self.assertEqual((status, health["status"]), (200, "healthy"))
            self.assertEqual(server.post("/api/control", {"intensity": 0.8})[0], 200)
            self.hears(server, "opus")
            self.assertEqual(server.metric("auralis_wakings_total"), 1)
            fall_asleep(server)
            # Old clients are told of new parameters, and nothing is new.
            with Client(server, V0) as client:
                client.first("audio", skip=10)
                self.hears(server, "pcm")
                self.assertEqual(client.all("status"), [])
                if not INSTRUMENTED:   # which may be too slow to let anybody hear all of it
                    self.assertEqual(client.all("warning"), [])
            self.assertEqual(server.metric("auralis_wakings_total"), 2)
            self.assertEqual(len(set(wake_frames(server))), 3)

    def test_another_process_goes_on_with_what_was_woken(self):
        with tempfile.TemporaryDirectory() as directory:
            with Server(BINARY, "--seed", "5", *SLEEPY, data_dir=directory) as server:
                fall_asleep(server)
                self.hears(server, "opus")
                server.process.send_signal(signal.SIGKILL)
                server.process.wait()
            with Server(BINARY, "--lead", "2", data_dir=directory) as server:
                self.hears(server, "pcm")
                self.assertGreater(wake_frames(server)[-1], 0)


if __name__ == "__main__":
    unittest.main()
