"""What is listened to, and what is asked of it."""
import dataclasses
import json
import pathlib
import re
import subprocess
import sys

# Gates of the card that two minutes can tell; the others need an hour.
FOR_ANY_STRETCH = ("true_peak", "short_term_move", "dc", "nonfinite", "denormals", "clicks", "correlation",
                   "bass_correlation", "fold_down_loss")
METERS_AGREE = {"integrated": .1, "true_peak": .2}
DRIFT_LU = 1
DRIFT_SHARE = .25    # of the mean: notes a minute and notes held


@dataclasses.dataclass
class Findings:
    hours: list            # a piece of each scene
    pairs: list            # two seeds of each scene, with distances
    day_scene: str
    day: list              # a piece of each hour
    decoded: list          # (scene, piece after Opus, what ffmpeg's meters say)
    programs: list         # (what was asked, exit status, what it said)
    failures: list = dataclasses.field(default_factory=list)


def say(text):
    print(text, file=sys.stderr, flush=True)


class Ear:
    def __init__(self, build, folder):
        self.build, self.folder = build, folder
        self.binary = build / "auralis"

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

    def decoded(self, pieces, seconds):
        """The scenes of the pieces at 128 kb/s: our card and ffmpeg's."""
        found = []
        for original in pieces:
            scene = original["scene"]
            path = self.folder / f"{scene}.opus"
            say(f"{scene}, decoded")
            self.run(self.binary, "render", "--scene", scene, "--seed", "7", "--start", "600", "--duration", seconds,
                     "--out", path)
            piece = json.loads(self.run(self.binary, "measure", "--json", "--profile", decoded_profile(original),
                                        path))[0]
            found.append((scene, piece, ffmpeg_meters(path)))
            path.unlink()
        return found

    def programs(self, seconds, few):
        """Tests of the suite that take how long they go on."""
        found = []
        for what, name, length in (
                (f"{seconds} s with a parameter changed every 5 s have no click", "tests/clicks_test", str(seconds)),
                ("no run of 12 notes comes again within a day", "tests/repeats_test", "24"),
                ("libebur128 agrees on every scene as listeners get it", "src/tools/measure_test", str(few))):
            say(f"{name} {length}")
            done = subprocess.run([self.build / name, length], capture_output=True, text=True, check=False)
            found.append((what, f"{name} {length}", done.returncode, done.stdout + done.stderr))
        return found

    def spectrograms(self, pieces, where, seconds):
        where.mkdir(parents=True, exist_ok=True)
        for scene in [piece["scene"] for piece in pieces]:
            say(f"{scene}, spectrogram")
            sound = self.folder / "sound.wav"
            self.run(self.binary, "render", "--quiet", "--scene", scene, "--seed", "7", "--start", "600",
                     "--duration", seconds, "--out", sound)
            self.run("sox", sound, "-n", "remix", "1,2", "rate", "16k", "spectrogram", "-x", "900", "-y", "257", "-z",
                     "90", "-r", "-o", where / f"{scene}.png")
            sound.unlink()


def decoded_profile(piece):
    """Where a scene declares the loudness of the night, its decoded sound is judged by that."""
    loudness = next(gate for gate in piece["gates"] if gate["name"] == "integrated")
    return "soft-decoded" if loudness["high"] < -20 else "decoded"


def ffmpeg_meters(path):
    said = subprocess.run(["ffmpeg", "-nostdin", "-hide_banner", "-i", path, "-af", "ebur128=peak=true", "-f", "null",
                           "-"], capture_output=True, text=True, check=True).stderr
    summary = said[said.index("Summary:"):]
    return {"integrated": float(re.search(r"I:\s+(\S+) LUFS", summary)[1]),
            "true_peak": float(re.search(r"Peak:\s+(\S+) dBFS", summary)[1])}


def kept(pieces, names=None):
    """What was not kept, in words."""
    return [f"{piece['name']}: {gate['name']} is {gate['value']:.4g} {gate['unit']}, allowed "
            f"{gate['low']} .. {gate['high']}" if gate["value"] is not None else f"{piece['name']}: no {gate['name']}"
            for piece in pieces for gate in piece["gates"]
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


def meters_differ(decoded):
    return [f"{scene}: {what} is {piece['measures'][what]:.2f} here and {other[what]:.2f} by ffmpeg"
            for scene, piece, other in decoded for what, most in METERS_AGREE.items()
            if abs(piece["measures"][what] - other[what]) > most + .05]


def drifts(day):
    """From hour to hour of a day loudness and what is played stay where they are."""
    loudness = [hour["measures"]["integrated"] for hour in day]
    failures = []
    if max(loudness) - min(loudness) > DRIFT_LU:
        failures.append(f"loudness moves by {max(loudness) - min(loudness):.2f} LU within the day")
    for what in ("notes_per_minute", "voices"):
        values = [hour[what] for hour in day]
        mean = sum(values) / len(values)
        failures += [f"hour {n}: {what} is {value:.1f}, {mean:.1f} in the mean" for n, value in enumerate(values)
                     if abs(value - mean) > DRIFT_SHARE * mean]
    return failures


def all_failures(found):
    return (kept(found.hours) + kept(found.day) + kept([piece for _, piece, _ in found.decoded]) + alike(found.pairs)
            + meters_differ(found.decoded) + drifts(found.day)
            + [f"{command}: exit status {status}" for _, command, status, _ in found.programs if status != 0])
