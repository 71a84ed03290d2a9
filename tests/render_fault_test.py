"""A renderer that goes wrong, as listeners of a real server meet it.

usage: render_fault_test.py BINARY [unittest options]
"""
import json
import subprocess
import sys
import threading
import unittest

from server import Server, clock_speed, wait_until

BINARY = sys.argv.pop(1)
SPEED = ("--clock-speed", str(clock_speed(1, 0.5)))


def listen(server, form, seconds):
    """Runs `auralis listen --verify` and returns (exit status, report)."""
    done = subprocess.run([BINARY, "listen", server.url, "--format", form, "--duration", str(seconds), "--verify",
                           "--json", *SPEED], capture_output=True, text=True, timeout=120)
    return done.returncode, json.loads(done.stdout)


class RenderFaults(unittest.TestCase):
    def test_a_failure_is_made_good_before_it_is_heard(self):
        with Server(BINARY, *SPEED, "--seed", "7", "--lead", "3", "--inject", "render-error@6+1",
                    "--inject", "render-nan@7+1") as server:
            status, report = listen(server, "pcm", 6)
            self.assertEqual((status, report["mismatches"], report["gaps"], report["held"]), (0, 0, 0, 0), report)
            self.assertEqual(server.metric('auralis_render_failures_total{kind="error"}'), 1)
            self.assertEqual(server.metric('auralis_render_failures_total{kind="nonfinite"}'), 1)
            self.assertEqual(server.metric("auralis_held_chunks_total"), 0)
            self.assertEqual(server.get("/api/health")[2]["status"], "healthy")
            self.assertEqual(server.log().count("the renderer is back"), 2, server.log())

    def test_a_stall_is_held_and_said_to_be(self):
        """Both formats at once: no gap, what is no music says so, all else is as seed and log say."""
        reports = {}
        with Server(BINARY, *SPEED, "--seed", "7", "--lead", "2", "--inject", "render-stall@4+3") as server:
            threads = [threading.Thread(target=lambda form=form: reports.update({form: listen(server, form, 10)}))
                       for form in ("opus", "pcm")]
            for thread in threads:
                thread.start()
            wait_until(lambda: server.get("/api/health")[2]["status"] == "degraded", 20, "degraded")
            wait_until(lambda: server.get("/api/health")[2]["status"] == "healthy", 20, "healthy")
            # Who comes now gets a preroll that has heard the hold.
            reports["late"] = listen(server, "opus", 5)
            for thread in threads:
                thread.join()
            held = server.metric("auralis_held_chunks_total")
        for form, (status, report) in reports.items():
            self.assertEqual((status, report["mismatches"], report["gaps"]), (0, 0, 0), report)
            self.assertGreater(report["verified"], 0, report)
        self.assertGreater(held, 5)
        self.assertEqual(reports["pcm"][1]["held"], held)
        # Of Opus everything up to the next takeover of its encoder is, at 10 s.
        self.assertGreater(reports["opus"][1]["held"], held)
        self.assertGreater(reports["late"][1]["held"], 0)

    def test_three_failures_close_the_station_for_a_while(self):
        with Server(BINARY, *SPEED, "--seed", "7", "--lead", "2", "--inject", "render-error@5+3") as server:
            status, report = listen(server, "pcm", 5)
            self.assertEqual((status, report["lost"]), (1, 1), report)
            self.assertIn("FAILED", report["failure"])
            self.assertEqual(report["mismatches"], 0, report)
            self.assertEqual(server.metric('auralis_closed_total{reason="failed"}'), 1)
            status, headers, _ = server.request("GET", "/ws/v2", headers={
                "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
                "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="})
            self.assertEqual(status, 503)
            self.assertIn("Retry-After", headers)
            self.assertEqual(server.get("/api/health")[0], 503)
            wait_until(lambda: server.get("/api/health")[0] == 200, 20, "tried again")
            status, report = listen(server, "pcm", 2)
            self.assertEqual((status, report["mismatches"], report["held"]), (0, 0, 0), report)

    def test_a_fault_that_cannot_be_read_is_refused(self):
        done = subprocess.run([BINARY, "serve", "--listen", "127.0.0.1:0", "--inject", "render-error@x"],
                              capture_output=True, text=True, timeout=20)
        self.assertEqual(done.returncode, 1)
        self.assertIn("--inject: 'render-error@x'", done.stderr)


if __name__ == "__main__":
    unittest.main()
