"""Faults from outside: the process is stopped for a moment, a processor is taken away, descriptors run out."""
import contextlib
import os
import resource
import signal
import socket
import subprocess
import sys
import time

from soak.stage import Actor

STOP_S, HOG_S, PRESSURE_S = 0.1, 1, 0.3
AFTERMATH_S = 3
PRESSURE_ROOM, PRESSURE_SOCKETS = 4, 20


class Faults(Actor):
    def act(self):
        name, fault = self.random.choice((("stopped for 100 ms", self.stop_process),
                                          ("a processor taken for 1 s", self.hog),
                                          ("out of descriptors for 300 ms", self.exhaust)))
        fault(self.stage.server.process.pid)
        self.stage.count(name)

    def stop_process(self, pid):
        os.kill(pid, signal.SIGSTOP)
        time.sleep(STOP_S)
        os.kill(pid, signal.SIGCONT)

    def hog(self, pid):
        busy = f"import time\nend = time.monotonic() + {HOG_S}\nwhile time.monotonic() < end: pass"
        subprocess.run([sys.executable, "-c", busy], check=True)

    def exhaust(self, pid):
        """The limit is lowered to just above what is open, and more come than there is room for."""
        server = self.stage.server
        soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        self.stage.press(AFTERMATH_S)
        open_now = len(os.listdir(f"/proc/{pid}/fd"))
        with contextlib.ExitStack() as sockets:
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (open_now + PRESSURE_ROOM, hard))
            try:
                for _ in range(PRESSURE_SOCKETS):
                    sockets.enter_context(socket.create_connection((server.host, server.port), timeout=20))
                time.sleep(PRESSURE_S)
            finally:
                resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, hard))
