"""A real server for tests: starts the binary on a free port with a data directory of its own, and ends it."""
import http.client
import json
import os
import pathlib
import re
import select
import shutil
import signal
import subprocess
import tempfile
import time

# Under a sanitizer or Valgrind, which keep freed memory, need some for each allocation, and take their time: no size is
# asserted then, and events are waited for longer.
INSTRUMENTED = "INSTRUMENTED" in os.environ
PATIENCE = 10 if INSTRUMENTED else 1


def clock_speed(usual, instrumented=1):
    """How fast time passes: under ThreadSanitizer a processor renders a few times as fast as music plays, no more."""
    return instrumented if INSTRUMENTED else usual


START_S = 120     # under Valgrind, on a busy machine


class Server:
    """`with Server(binary, "--seed", "7") as server:`  environment: variables that it gets besides ours."""

    def __init__(self, binary, *options, data_dir=None, listen="127.0.0.1:0", environment=None):
        self.binary = binary
        self.options = options
        self.listen = listen
        self.environment = environment or {}
        self.own_dir = data_dir is None
        self.data_dir = data_dir or tempfile.mkdtemp(prefix="auralis-test-")
        self.log_path = pathlib.Path(tempfile.mkstemp(prefix="auralis-test-log-")[1])

    def __enter__(self):
        with self.log_path.open("w") as log:
            self.process = subprocess.Popen(
                [self.binary, "serve", "--listen", self.listen, "--data-dir", self.data_dir, *self.options],
                stdout=subprocess.PIPE, stderr=log, text=True, env={**os.environ, **self.environment})
        ready, _, _ = select.select([self.process.stdout], [], [], START_S)
        line = self.process.stdout.readline() if ready else ""
        match = re.match(r"listening on (https?)://(127\.0\.0\.1|\[::1\]|localhost):(\d+)", line)
        if not match:
            self.stop()
            raise AssertionError(f"the server did not start: {line!r} {self.log()}")
        address = "127.0.0.1" if match[2] == "localhost" else match[2]
        self.host, self.port = address.strip("[]"), int(match[3])
        self.url = f"{match[1]}://{address}:{self.port}"
        return self

    def __exit__(self, fault=None, *_):
        running = self.process.poll() is None
        status, said = self.stop(), self.log()
        self.log_path.unlink()
        if self.own_dir:
            shutil.rmtree(self.data_dir, ignore_errors=True)
        # What a sanitizer or Valgrind has found is told by the status, whether the end was asked for or not.
        if status not in ((0,) if running else (0, -signal.SIGKILL)) and fault is None:
            raise AssertionError(f"the server ended with {status}: {said[-20000:]}")

    def stop(self):
        """Ends the server as an operator would. Returns its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process.stdout.close()
        return self.process.returncode

    def log(self):
        return self.log_path.read_text()

    def request(self, method, path, body=None, headers=None):
        """Returns (status, headers, parsed JSON or text)."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=20)
        headers = dict(headers or {})
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
            headers.setdefault("Content-Type", "application/json")
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        is_json = answer.headers.get("Content-Type", "").startswith("application/json")
        return answer.status, answer.headers, json.loads(text) if is_json and text else text

    def get(self, path):
        return self.request("GET", path)

    def post(self, path, body=None, **headers):
        return self.request("POST", path, body, headers)

    def metric(self, name):
        """One figure of /metrics; `name` with its labels, as it stands there."""
        for line in self.get("/metrics")[2].splitlines():
            if line.startswith(name + " "):
                return float(line.split()[1])
        raise AssertionError(f"no metric {name}")


def wait_until(condition, seconds, what):
    """Polls a condition that has no event to wait for."""
    end = time.monotonic() + seconds * PATIENCE
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.02)
    raise AssertionError(f"after {seconds} s: {what}")
