"""What is listened to, and what is asked of it."""
import dataclasses
import json
import os
import pathlib
import re
import subprocess
import sys

# Gates of the card that two minutes can tell; the others need an hour.
FOR_ANY_STRETCH = ("true_peak", "short_term_move", "dc", "nonfinite", "denormals", "clicks", "correlation",
                   "bass_correlation", "fold_down_loss")
METERS_AGREE = {"integrated": .05, "true_peak": .05}
DECODED_DBTP = -1
DRIFT_LU = 1
DRIFT_SHARE = .25    # of the mean: notes a minute and notes held
DRIFT_COST = 1.5     # of the median hour's cost: what else the machine does is in it
PICTURE_HZ, PICTURE_DB = 8000, 90    # how far spectrograms reach


@dataclasses.dataclass
class Findings:
    hours: list            # a piece of each scene
    pairs: list            # two seeds of each scene, with distances
    day_scene: str
    day: list              # a piece of each hour
    decoded: list          # a piece of each scene, as listeners hear it
    files: list            # (scene, what our meters say of a file in Opus, what ffmpeg's say)
    programs: list         # (what was asked, exit status, what it said)
    failures: list = dataclasses.field(default_factory=list)


def say(text):
    print(text, file=sys.stderr, flush=True)


class Ear:
    def __init__(self, build, folder):
        self.build, self.folder = build.resolve(), folder
        self.binary = self.build / "auralis"

    def run(self, *command):
        """What it printed; its progress is shown."""
        return subprocess.run([str(word) for word in command], check=True, stdout=subprocess.PIPE, text=True).stdout

    def pieces(self, *options):
        say(f"auralis ear {' '.join(options)}")
        return json.loads(self.run(self.binary, "ear", "--json", *options))

    def day(self, scene, seconds):
        return [self.pieces("--scene", scene, "--seed", "7", "--start", str(60 + hour * 3600), "--duration",
                            str(seconds))[0]
                for hour in range(24)]

    def decoded(self, scenes, seconds):
        """Pieces as listeners hear them. Each command has one thread, so that there is one for each processor."""
        say(f"auralis ear --decoded, {seconds} s of each scene")
        count = len(os.sched_getaffinity(0))
        command = [self.binary, "ear", "--json", "--quiet", "--decoded", "--start", "60", "--seed", "7",
                   "--duration", str(seconds)]
        running = [subprocess.Popen([*command, *(f"--scene={scene}" for scene in scenes[n::count])],
                                    stdout=subprocess.PIPE, text=True) for n in range(count) if scenes[n::count]]
        pieces = []
        for process in running:
            said, _ = process.communicate()
            if process.returncode:
                raise subprocess.CalledProcessError(process.returncode, process.args)
            pieces += json.loads(said)
        return sorted(pieces, key=lambda piece: scenes.index(piece["scene"]))

    def files(self, scenes, seconds):
        """Files in Opus by our meters and by ffmpeg's."""
        found = []
        for scene in scenes:
            path = self.folder / f"{scene}.opus"
            say(f"{scene}, a file")
            self.run(self.binary, "render", "--scene", scene, "--seed", "7", "--start", "600", "--duration", seconds,
                     "--out", path)
            ours = json.loads(self.run(self.binary, "measure", "--json", path))[0]["measures"]
            found.append((scene, ours, ffmpeg_meters(path)))
            path.unlink()
        return found

    def needs(self):
        """The programs that a complete run starts."""
        return [self.binary, "ffmpeg", "sox", *(self.build / name for _, name, _ in longer_tests(0, 0))]

    def programs(self, seconds, few):
        found = []
        for what, name, length in longer_tests(seconds, few):
            say(f"{name} {length}")
            done = subprocess.run([self.build / name, length], capture_output=True, text=True, check=False)
            found.append((what, f"{name} {length}", done.returncode, done.stdout + done.stderr))
        return found

    def spectrograms(self, scenes, where, seconds):
        where.mkdir(parents=True, exist_ok=True)
        for scene in scenes:
            say(f"{scene}, spectrogram")
            sound = self.folder / "sound.wav"
            self.run(self.binary, "render", "--quiet", "--scene", scene, "--seed", "7", "--start", "600",
                     "--duration", seconds, "--out", sound)
            self.run("sox", sound, "-n", "remix", "1,2", "rate", 2 * PICTURE_HZ, "spectrogram", "-x", "900", "-y",
                     "257", "-z", PICTURE_DB, "-r", "-o", where / f"{scene}.png")
            sound.unlink()


def longer_tests(seconds, few):
    """Tests of the suite that take how long they go on: (what holds if they pass, program, length)."""
    return ((f"{seconds} s with parameters changed every 5 s keep the gates and have no click", "tests/clicks_test",
             str(seconds)),
            ("25 minutes are the same from minute 5, 12 and 21 on", "tests/seek_test", "25"),
            ("no run of 12 notes comes again within a day", "tests/repeats_test", "24"),
            ("libebur128 agrees on every scene as listeners get it", "src/tools/measure_test", str(few)))


def ffmpeg_meters(path):
    said = subprocess.run(["ffmpeg", "-nostdin", "-hide_banner", "-i", path, "-af", "ebur128=peak=true", "-f", "null",
                           "-"], capture_output=True, text=True, check=True).stderr
    summary = said[said.index("Summary:"):]
    return {"integrated": float(re.search(r"I:\s+(\S+) LUFS", summary)[1]),
            "true_peak": float(re.search(r"Peak:\s+(\S+) dBFS", summary)[1])}


def allowed(gate):
    """As `auralis measure` prints it; an end that is open is null in JSON."""
    low, high = gate["low"], gate["high"]
    if low == high:
        return f"{low:g}"
    if low is None:
        return f"<= {high:g}"
    return f">= {low:g}" if high is None else f"{low:g} .. {high:g}"


def broken(piece, gate):
    if gate["value"] is None:
        return f"{piece['name']}: no {gate['name']}"
    return f"{piece['name']}: {gate['name']} is {gate['value']:.4g} {gate['unit']}, allowed {allowed(gate)}"


def kept(pieces, names=None):
    """What was not kept, in words."""
    return [broken(piece, gate) for piece in pieces for gate in piece["gates"]
            if not gate["good"] and (names is None or gate["name"] in names)]


def alike(pieces):
    """Pieces of one scene are nearer to one another than to any piece of another scene."""
    failures = []
    for piece in pieces:
        own = [other["all"] for other, to in zip(piece["distances"], pieces)
               if to["scene"] == piece["scene"] and to["seed"] != piece["seed"]]
        others = {to["name"]: other["all"] for other, to in zip(piece["distances"], pieces)
                  if to["scene"] != piece["scene"]}
        nearest = min(others, key=others.get)
        if not own:
            failures.append(f"{piece['name']} is alone: there is no other seed to compare it with")
        elif max(own) >= others[nearest]:
            failures.append(f"{piece['name']} is {max(own):.2f} from its own scene, {others[nearest]:.2f} from "
                            f"{nearest}")
    return failures


def meters_differ(files):
    return [f"{scene}: {what} is {ours[what]:.2f} here and {other[what]:.2f} by ffmpeg"
            for scene, ours, other in files for what, most in METERS_AGREE.items()
            if abs(ours[what] - other[what]) > most + .05]


def peaks(files):
    """Where another meter than ours finds a decoded file too loud between its samples."""
    return [f"{scene}: {other['true_peak']} dBTP by ffmpeg" for scene, _, other in files
            if other["true_peak"] > DECODED_DBTP]


def drifts(day):
    """From hour to hour of a day loudness, what is played and what it costs stay where they are."""
    loudness = [hour["measures"]["integrated"] for hour in day]
    failures = []
    if max(loudness) - min(loudness) > DRIFT_LU:
        failures.append(f"loudness moves by {max(loudness) - min(loudness):.2f} LU within the day")
    for what in ("notes_per_minute", "voices"):
        values = [hour[what] for hour in day]
        mean = sum(values) / len(values)
        failures += [f"hour {n}: {what} is {value:.1f}, {mean:.1f} in the mean" for n, value in enumerate(values)
                     if abs(value - mean) > DRIFT_SHARE * mean]
    costs = [1 / hour["times_real_time"] for hour in day]
    usual = sorted(costs)[len(costs) // 2]
    failures += [f"hour {n}: rendered at {1 / cost:.0f} x real time, {1 / usual:.0f} x in the median"
                 for n, cost in enumerate(costs) if cost > DRIFT_COST * usual]
    return failures


def all_failures(found):
    return (kept(found.hours) + kept(found.day) + kept(found.decoded) + alike(found.pairs)
            + meters_differ(found.files) + peaks(found.files) + drifts(found.day)
            + [f"{command}: exit status {status}" for _, command, status, _ in found.programs if status != 0])
