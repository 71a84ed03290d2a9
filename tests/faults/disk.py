"""Faults of the disk: no room to save what is to be kept."""
import os
import pathlib
import resource
import subprocess
import tempfile
import time

from faults.fault import Fault, NotRun


class Saving(Fault):
    """Presets are saved until the disk has no room, and again when it has."""
    who = "who saves presets"
    extra_s = 3, 1
    expected_log = (r"error store: ",)

    def fill(self, run):
        raise NotImplementedError

    def relieve(self, run):
        raise NotImplementedError

    def inject(self, run):
        server = run.server
        run.hold(self._save(server, "before")[0] == 201, "a preset is saved while there is room")
        self.fill(run)
        answers = []
        end = time.monotonic() + run.seconds
        while time.monotonic() < end:
            answers.append(self._save(server, f"full {len(answers)}"))
            time.sleep(0.05)
        bad = [answer for answer in answers if answer[0] != 201]
        run.saw(f"{len(answers)} presets asked for, {len(bad)} refused" + (f": {bad[0]}" if bad else ""))
        run.hold(bad and all(status in (503, 507) for status, _ in bad), "who cannot be served is told so (503 or 507)")
        run.hold(server.get("/api/presets")[0] == 200, "presets can be read meanwhile")
        self.relieve(run)
        run.wait(lambda: self._save(server, f"after {time.monotonic()}")[0] == 201, 10,
                 "saving works once there is room")
        names = {preset["name"] for preset in server.get("/api/presets")[2]["presets"]}
        lost = {f"full {number}" for number, answer in enumerate(answers) if answer[0] == 201} - names
        run.hold("before" in names and not lost, f"what was said to be saved is there ({len(lost)} are not)")

    @staticmethod
    def _save(server, name):
        status, _, body = server.post("/api/presets", {"name": name})
        return status, body["error"]["message"] if status >= 400 else ""


class FullDisk(Saving):
    name, what = "full-disk", "the file system of the data directory (a tmpfs of 1 MiB) is full"
    seconds = 5, 2

    def prepare(self, run):
        self.data_dir = tempfile.mkdtemp(prefix="auralis-faults-")
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", self.data_dir], capture_output=True,
                              text=True)
        if done.returncode != 0:
            os.rmdir(self.data_dir)
            raise NotRun(f"no file system can be mounted: {done.stderr.strip()}")
        return {"data_dir": self.data_dir}

    def fill(self, run):
        self.filler = pathlib.Path(self.data_dir) / "filler"
        with self.filler.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                pass

    def relieve(self, run):
        self.filler.unlink()

    def finish(self, run):
        subprocess.run(["umount", self.data_dir], check=False)
        os.rmdir(self.data_dir)


class FileLimit(Saving):
    name, what = "file-limit", "no file of the server may grow any more (RLIMIT_FSIZE)"
    seconds, in_short = (5, 2), True

    def fill(self, run):
        self.old = resource.prlimit(run.server.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(run.server.process.pid, resource.RLIMIT_FSIZE, (4096, self.old[1]))

    def relieve(self, run):
        resource.prlimit(run.server.process.pid, resource.RLIMIT_FSIZE, self.old)


FAULTS = [FullDisk, FileLimit]
