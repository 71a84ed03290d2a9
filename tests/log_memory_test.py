"""What the control log takes of a server's memory, with all that hangs on it: no more for an entry than a soak takes
out of what grew. usage: log_memory_test.py AURALIS"""
import re
import sys
import unittest

from server import Server, wait_until
from soak.samples import LOG_ENTRY_BYTES, read_metrics

BINARY = sys.argv[1]
CHUNK_FRAMES = 4800
FEW, MANY = 400, 2400
SLACK_BYTES = 64 << 10      # pages that are not full, stacks that deepen


class LogMemory(unittest.TestCase):
    def metrics(self, server):
        return read_metrics(server.get("/metrics")[2])

    def change(self, server, n):
        """As soon as it may."""
        answers = []

        def done():
            answers.append(server.post("/api/control", {"intensity": n % 1000 / 1000}))
            return answers[-1][0] == 200

        wait_until(done, 20, f"change {n} is taken")
        return answers[-1][2]["at_frame"]

    def fill(self, server, entries):
        """Steers until the log has so many, all copies of it, and has been sent. Returns the resident bytes then."""
        for n in range(int(self.metrics(server)["auralis_control_log_entries"]), entries):
            at_frame = self.change(server, n)
        wait_until(lambda: self.metrics(server)["auralis_chunks_rendered_total"] * CHUNK_FRAMES > at_frame, 30,
                   "the last change is rendered")
        self.assertEqual(len(server.get("/api/stations/main/log")[2]["entries"]), entries)
        with open(f"/proc/{server.process.pid}/status", encoding="ascii") as status:
            return int(re.search(r"RssAnon:\s+(\d+) kB", status.read())[1]) * 1024

    def test_an_entry_takes_what_is_stated(self):
        with Server(BINARY, "--seed", "3", "--lead", "2", "--clock-speed", "20",
                    "--sleep-after", "0") as server:
            before = self.fill(server, FEW)
            grown = self.fill(server, MANY) - before
            self.assertLess(grown, (MANY - FEW) * LOG_ENTRY_BYTES + SLACK_BYTES,
                            f"{grown / (MANY - FEW):.0f} bytes an entry")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
