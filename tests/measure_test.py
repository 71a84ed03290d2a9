#!/usr/bin/env python3
"""`auralis measure` as a person types it: cards of real renders, against ffmpeg's meters; defects; files it cannot use.

usage: measure_test.py BINARY [unittest options]
"""
import array
import json
import math
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest
import wave

BINARY = sys.argv.pop(1)
ROWS = ("integrated", "true_peak", "loudness_range", "crest", "dc", "clicks", "correlation", "slope", "roughness",
        "grid")


def run(*arguments):
    done = subprocess.run([BINARY, *map(str, arguments)], capture_output=True, text=True, timeout=200)
    return done.returncode, done.stdout, done.stderr


def cards(*arguments):
    status, out, errors = run("measure", "--json", *arguments)
    assert status == 0 and errors == "", errors
    return json.loads(out)


def write(path, samples, rate=48000, channels=2):
    with wave.open(str(path), "wb") as out:
        out.setnchannels(channels)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(array.array("h", samples).tobytes())


def samples_of(path):
    with wave.open(str(path), "rb") as file:
        return array.array("h", file.readframes(file.getnframes()))


def ffmpeg_meters(path):
    """(integrated LUFS, loudness range LU, true peak dBTP) by ffmpeg's ebur128."""
    said = subprocess.run(["ffmpeg", "-nostdin", "-hide_banner", "-i", str(path), "-af",
                           "ebur128=peak=true:framelog=verbose", "-f", "null", "-"], capture_output=True, text=True,
                          timeout=100).stderr
    return tuple(float(re.search(rf"{name}:\s+(\S+) {unit}", said[said.index("Summary:"):])[1])
                 for name, unit in (("I", "LUFS"), ("LRA", "LU"), ("Peak", "dBFS")))


class Measure(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.place = tempfile.TemporaryDirectory(prefix="auralis-measure-")
        cls.folder = pathlib.Path(cls.place.name)
        cls.render = cls.folder / "render.wav"
        cls.bright = cls.folder / "bright.flac"
        for path, scene, seconds in ((cls.render, "drift", 100), (cls.bright, "bright", 40)):
            status, _, errors = run("render", "--quiet", "--scene", scene, "--duration", seconds, "--out", path)
            assert status == 0, errors

    @classmethod
    def tearDownClass(cls):
        cls.place.cleanup()

    def refused(self, expected_status, words, *arguments):
        status, out, errors = run("measure", *arguments)
        self.assertEqual((status, out), (expected_status, ""), errors)
        self.assertTrue(errors.startswith("auralis measure: ") and errors.count("\n") == 1, errors)
        self.assertIn(words, errors)

    def test_the_text_has_every_row_and_a_verdict(self):
        status, out, errors = run("measure", self.bright)
        self.assertEqual((status, errors), (0, ""))
        for name in ROWS:
            self.assertRegex(out, rf"(?m)^{name} +-?\d")
        self.assertRegex(out, r"(?m)^dc .*<= -60 +good")
        self.assertRegex(out, r"(?m)^nonfinite +0 samples")
        self.assertTrue(all(len(line) <= 120 for line in out.splitlines()), out)

    def test_the_json_has_every_row_gate_and_file(self):
        both = cards(self.bright, self.render)
        self.assertEqual([card["name"] for card in both], [str(self.bright), str(self.render)])
        for card in both:
            self.assertLessEqual(set(ROWS), set(card["measures"]))
            self.assertEqual((len(card["measures"]["chroma"]), len(card["measures"]["third_octaves_db"])), (12, 28))
            self.assertEqual(card["good"], all(gate["good"] for gate in card["gates"]))
            self.assertEqual(card["profile"], "render")
        self.assertAlmostEqual(both[1]["measures"]["duration"], 100)
        self.assertIsNone(both[0]["measures"]["reference_difference"])

    def test_ffmpeg_says_the_same(self):
        """Behind silence, for its range takes the first seconds in before three of them have passed."""
        late = self.folder / "late.wav"
        for path in (self.render, self.bright):
            subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", "-i", path, "-af", "adelay=3000:all=1", late],
                           check=True, timeout=60)
            measures = cards(late)[0]["measures"]
            integrated, loudness_range, peak = ffmpeg_meters(late)
            self.assertAlmostEqual(measures["integrated"], integrated, delta=0.1)
            self.assertAlmostEqual(measures["true_peak"], peak, delta=0.1)
            # Both its ends lie on steps of .1 LU, and what it says is rounded.
            self.assertAlmostEqual(measures["loudness_range"], loudness_range, delta=0.25)

    def test_a_stretch_is_as_a_file_of_its_own(self):
        part = self.folder / "part.wav"
        write(part, samples_of(self.render)[2 * 48000 * 20:2 * 48000 * 55])
        alone = cards(part)[0]["measures"]
        within = cards(self.render, "--from", 20, "--duration", 35)[0]["measures"]
        self.assertEqual(alone, within)

    def test_formats(self):
        again = [self.folder / name for name in ("again.wav", "again.opus", "again.ogg")]
        for path, codec in zip(again, ("pcm_s16le", "libopus", "libopus")):
            subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", "-i", self.bright, "-c:a", codec, path],
                           check=True, timeout=60)
        flac, wav, opus, ogg = cards("--duration", 20, self.bright, *again)
        self.assertEqual(flac["measures"], wav["measures"])
        self.assertEqual((wav["profile"], opus["profile"], ogg["profile"]), ("render", "decoded", "decoded"))
        self.assertEqual(opus["measures"], ogg["measures"])
        self.assertAlmostEqual(opus["measures"]["integrated"], wav["measures"]["integrated"], delta=0.3)

    def test_gates_decide_the_exit_status(self):
        clipped = self.folder / "clipped.wav"
        write(clipped, [max(-32767, min(32767, 12 * value)) for value in samples_of(self.render)[:2 * 48000 * 30]])
        status, out, _ = run("measure", "--gates", clipped)
        self.assertEqual(status, 1)
        for gate in ("integrated", "true_peak", "crest"):
            self.assertRegex(out, rf"(?m)^{gate} .* BAD ")
        self.assertEqual(run("measure", clipped)[0], 0)

    def test_a_click_is_found_with_and_without_a_reference(self):
        clicked = self.folder / "clicked.wav"
        samples = samples_of(self.render)
        samples[2 * 48000 * 60] += 1500
        write(clicked, samples)
        measures = cards("--reference", self.render, clicked)[0]["measures"]
        self.assertGreater(measures["reference_difference"], 0.05)
        self.assertGreaterEqual(measures["clicks"], 1)
        self.assertAlmostEqual(measures["first_click"], 60, delta=0.01)
        same = cards("--reference", self.render, self.render)[0]
        self.assertEqual(same["measures"]["reference_difference"], 0)
        self.refused(2, "clicked.wav: it ends after 100.000 s, the reference after 40.000 s", "--reference",
                     self.bright, clicked)

    def test_a_recording_that_breaks_off_is_not_what_it_should_be(self):
        short = self.folder / "short.wav"
        write(short, samples_of(self.render)[:2 * 48000 * 50])
        self.refused(2, "short.wav: it ends after 50.000 s, the reference after 100.000 s", "--reference", self.render,
                     short)
        self.refused(2, "short.wav: it ends after 50.000 s, the reference after 100.000 s", "--reference", self.render,
                     "--from", 30, "--duration", 60, short)
        self.assertEqual(cards("--reference", self.render, "--duration", 50, short)[0]["measures"]["duration"], 50)
        self.assertEqual(cards("--reference", short, "--duration", 30, self.render)[0]["measures"]["duration"], 30)

    def test_two_scenes_are_further_apart_than_a_scene_from_itself(self):
        pieces = cards("--distances", self.render, self.bright)
        self.assertEqual([entry["name"] for entry in pieces[0]["distances"]], [str(self.render), str(self.bright)])
        self.assertAlmostEqual(pieces[0]["distances"][0]["all"], 0, places=6)
        self.assertGreater(pieces[0]["distances"][1]["all"], 0.3)
        self.assertEqual(pieces[0]["distances"][1]["all"], pieces[1]["distances"][0]["all"])
        self.assertRegex(run("measure", "--distances", self.render, self.bright)[1], r"(?m)^ 1 .* 0\.00 +\d")

    def test_files_it_cannot_use(self):
        bad = {name: self.folder / name for name in ("text.wav", "empty.wav", "nothing.wav", "mono.wav", "slow.wav")}
        bad["text.wav"].write_text("this is no sound\n" * 100)
        bad["empty.wav"].write_bytes(b"")
        write(bad["nothing.wav"], [])
        write(bad["mono.wav"], [0] * 4800, channels=1)
        write(bad["slow.wav"], [0] * 9600, rate=44100)
        self.refused(1, "none.wav: No such file or directory", self.folder / "none.wav")
        self.refused(1, "text.wav: this is no sound file", bad["text.wav"])
        self.refused(1, "empty.wav: this is no sound file", bad["empty.wav"])
        self.refused(1, ": ", self.folder)
        self.refused(2, "nothing.wav: there is no sound in it", bad["nothing.wav"])
        self.refused(2, "mono.wav: it has 1 channel; 2 are needed", bad["mono.wav"])
        self.refused(2, "slow.wav: it has 44100 Hz; 48000 Hz are needed", bad["slow.wav"])
        self.refused(2, "render.wav: it ends after 100.000 s", "--from", 100, self.render)
        self.refused(1, "none.wav", "--json", self.render, "--duration", 1, self.folder / "none.wav")

    def test_a_file_that_breaks_off(self):
        broken = self.folder / "broken.flac"
        data = self.bright.read_bytes()
        broken.write_bytes(data[:len(data) // 2])
        self.refused(1, "broken.flac: it cannot be read beyond", broken)
        self.refused(1, "bright.flac: the reference cannot be read on", "--reference", broken, self.bright)

    def test_mistakes(self):
        self.refused(2, "FILE is missing")
        self.refused(2, "--profile: there is no 'loud'; there are render", "--profile", "loud", self.render)
        self.refused(2, "--duration", "--duration", "0", self.render)
        self.refused(2, "unknown option --jsn", "--jsn", self.render)
        self.assertIn("Usage: auralis measure", run("measure", "--help")[1])

    def test_silence_and_a_moment(self):
        silent = self.folder / "silent.wav"
        write(silent, [0] * 96000)
        card = cards(silent)[0]
        self.assertFalse(card["good"])
        self.assertIsNone(card["measures"]["integrated"])
        write(silent, [round(9000 * math.sin(i // 2 / 7)) for i in range(20)])
        self.assertEqual(run("measure", "--gates", silent)[0], 1)


if __name__ == "__main__":
    unittest.main()
