"""Listeners that stay: `auralis listen`, which measures, decodes and looks for clicks by itself."""
import json
import subprocess
import tempfile


class Steady:
    """Some listeners of one format for a stretch of programme."""

    def __init__(self, client, stage, form, listeners, duration_s, *options):
        self.form, self.listeners, self.duration_s = form, listeners, duration_s
        self.out, self.err = tempfile.TemporaryFile("w+"), tempfile.TemporaryFile("w+")
        self.limit_s = duration_s / stage.speed + 120
        self.process = subprocess.Popen(
            [client, "listen", stage.server.url, "--format", form, "--listeners", str(listeners), "--duration",
             f"{duration_s:.3f}", "--clock-speed", str(stage.speed), "--decoders", "1", "--json", *options],
            stdin=subprocess.DEVNULL, stdout=self.out, stderr=self.err)

    def ended(self):
        return self.process.poll() is not None

    def report(self):
        """Waits for the end. None when there is no report."""
        try:
            self.process.wait(self.limit_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.out.seek(0)
        text = self.out.read()
        return json.loads(text) if text else None

    def said(self):
        self.err.seek(0)
        return self.err.read().strip()

    def kill(self):
        if not self.ended():
            self.process.kill()
            self.process.wait()
        self.out.close()
        self.err.close()
