"""Memory that runs short under a running server: first nobody new is let in, then the lead is lowered, and all of it
goes back. Who listens notices nothing. usage: pressure_test.py AURALIS"""
import json
import re
import resource
import subprocess
import sys
import unittest

from server import PATIENCE, Server, clock_speed, wait_until
from websocket import Refused, WebSocket

BINARY = sys.argv[1]
MIB = 1 << 20
SPEED = clock_speed(6)
OPTIONS = ("--seed", "3", "--lead", "5", "--low-lead", "2", "--memory-reserve", "64", "--clock-speed", str(SPEED))


def address_space(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return int(re.search(r"VmSize:\s+(\d+) kB", status.read())[1]) * 1024


class Pressure(unittest.TestCase):
    def leave(self, server, mib):
        """Lets the server take so much more memory. None: as much as there is."""
        pid = server.process.pid
        limit = resource.RLIM_INFINITY if mib is None else address_space(pid) + mib * MIB
        resource.prlimit(pid, resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))

    def memory(self, server):
        return server.get("/api/health")[2]["memory"]

    def await_pressure(self, server, pressure, lead):
        wait_until(lambda: self.memory(server)["pressure"] == pressure, 20, f"memory is {pressure}")
        wait_until(lambda: self.memory(server)["lead_seconds"] == lead, 20, f"the lead is {lead}")

    def listen(self, server, duration):
        return subprocess.Popen(
            [BINARY, "listen", server.url, "--listeners", "4", "--duration", str(duration), "--clock-speed", str(SPEED),
             "--verify", "--json"], stdout=subprocess.PIPE, text=True)

    def unharmed(self, report):
        for fault in ("failed", "lost", "silent", "early", "mismatches", "protocol_errors"):
            self.assertEqual(report[fault], 0, report)
        self.assertGreater(report["verified"], 1000)
        # On a machine that let the client itself stand still for long, gaps say nothing of the server.
        if report["loop_lag_ms"]["max"] < 500:
            self.assertEqual(report["gaps"], 0, report)

    def test_it_gets_short_and_recovers(self):
        with Server(BINARY, *OPTIONS) as server:
            crowd = self.listen(server, 110)
            wait_until(lambda: server.metric('auralis_listeners{protocol="v2"}') == 4, 20,
                       "four listen")
            self.assertEqual(self.memory(server)["pressure"], "none")
            self.leave(server, 48)
            self.await_pressure(server, "short", 5)
            with self.assertRaises(Refused) as refused:
                WebSocket(server.host, server.port, "/ws/v2")
            self.assertEqual(refused.exception.status, 503)
            self.assertIn("SERVER_OVERLOAD", refused.exception.body.decode())
            self.assertGreater(int(refused.exception.headers["retry-after"]), 0)
            self.leave(server, 20)
            self.await_pressure(server, "very short", 2)
            self.assertEqual(server.metric("auralis_memory_pressure"), 2)
            self.assertLess(server.metric("auralis_memory_headroom_bytes"), 32 * MIB)
            self.assertEqual(server.metric("auralis_lead_seconds"), 2)
            # The station follows when the listeners have got there.
            wait_until(lambda: server.metric("auralis_buffered_seconds") < 3, 20, "less is rendered ahead")
            self.leave(server, None)
            self.await_pressure(server, "none", 5)
            wait_until(lambda: server.metric("auralis_buffered_seconds") > 5, 20, "more is rendered ahead")
            late = WebSocket(server.host, server.port, "/ws/v2")
            hello = json.loads(late.receive()[1])
            self.assertEqual(hello["lead_frames"], 5 * 48000)
            late.abandon()
            out, _ = crowd.communicate(timeout=60 * PATIENCE)
            self.unharmed(json.loads(out))
            log = server.log()
        told = [line.split("memory is ", 1)[1].split(";")[0] for line in log.splitlines() if "memory is " in line]
        self.assertEqual(told, ["short: no listener is let in", "very short: the lead is lowered as well",
                                "there again: the lead rises, listeners are let in if it stays",
                                "enough again: listeners are let in"])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
