#!/usr/bin/env python3
"""`auralis ear` as a person types it, and the judge of `make ear`: planted faults have to be told.

usage: ear_test.py BINARY [unittest options]
"""
import contextlib
import copy
import io
import json
import pathlib
import re
import runpy
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from ear import listening, page  # noqa: E402

BINARY = sys.argv.pop(1)
SCRIPT = pathlib.Path(__file__).resolve().parent.parent / "scripts" / "ear"


def run(*arguments):
    done = subprocess.run([BINARY, *map(str, arguments)], capture_output=True, text=True, timeout=200)
    return done.returncode, done.stdout, done.stderr


def script(*arguments, **options):
    done = subprocess.run([sys.executable, SCRIPT, *map(str, arguments)], capture_output=True, text=True, timeout=20,
                          **options)
    return done.returncode, done.stdout, done.stderr


class Listened:
    """Has heard it all, but can draw nothing."""

    def __init__(self, found):
        self.found = found

    def pieces(self, *options):
        return self.found.pairs

    def day(self, *_):
        return self.found.day

    def decoded(self, *_):
        return self.found.decoded

    def files(self, *_):
        return self.found.files

    def programs(self, *_):
        return self.found.programs

    def spectrograms(self, *_):
        raise FileNotFoundError("sox")


class Ear(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        status, out, errors = run("ear", "--scene", "drift", "--scene", "glass", "--seed", 7, "--seed", 8, "--duration",
                                  20, "--distances", "--json")
        assert status == 0 and errors == "", errors
        cls.pieces = json.loads(out)

    def test_every_scene_with_every_seed(self):
        self.assertEqual([(piece["scene"], piece["seed"]) for piece in self.pieces],
                         [("drift", "7"), ("drift", "8"), ("glass", "7"), ("glass", "8")])
        for piece in self.pieces:
            self.assertEqual(piece["profile"], piece["scene"])
            self.assertAlmostEqual(piece["measures"]["duration"], 20)
            self.assertGreater(piece["notes_per_minute"], 1)
            self.assertGreater(piece["chord_entropy"], 2.6)
            self.assertLessEqual({"slope", "centroid", "roughness", "loudness_range"},
                                 {gate["name"] for gate in piece["gates"]})
            self.assertEqual(len(piece["distances"]), 4)

    def test_the_text(self):
        status, out, errors = run("ear", "--scene", "sleep", "--duration", 5, "--distances")
        self.assertEqual((status, errors), (0, ""))
        self.assertRegex(out, r"(?m)^sleep, seed 1 \(sleep\)$")
        self.assertRegex(out, r"(?m)^[\d.]+ notes a minute, [\d.]+ held at a time; [23]\.\d\d bits a change of chord; "
                              r"\d+ x real time$")
        self.assertTrue(all(len(line) <= 120 for line in out.splitlines()))

    def test_gates_decide_the_exit_status(self):
        """A second has no loudness range."""
        self.assertEqual(run("ear", "--scene", "drift", "--duration", 1, "--gates")[0], 1)

    def test_mistakes(self):
        for words, *arguments in (("there is no 'jazz'; there are drift", "--scene", "jazz"),
                                  ("--seed: 'x' is no number", "--seed", "x"), ("--duration", "--duration", 0)):
            status, out, errors = run("ear", *arguments)
            self.assertEqual((status, out), (2, ""))
            self.assertIn(words, errors)

    def test_each_gate_that_is_not_kept_is_told(self):
        pieces = copy.deepcopy(self.pieces[:1])
        for gate in pieces[0]["gates"]:
            gate["good"] = gate["name"] != "dc"
        self.assertEqual([re.sub(r" is .*", "", text) for text in listening.kept(pieces)], ["drift, seed 7: dc"])
        self.assertEqual(listening.kept(pieces, ("clicks",)), [])

    def test_what_is_allowed_may_be_open(self):
        ends = (((None, -60), "<= -60"), ((3, None), ">= 3"), ((-2, 2.5), "-2 .. 2.5"), ((0, 0), "0"))
        for (low, high), words in ends:
            gate = {"name": "dc", "unit": "dBFS", "value": -40.0, "low": low, "high": high, "good": False}
            self.assertEqual(listening.kept([{"name": "drift", "gates": [gate]}]),
                             [f"drift: dc is -40 dBFS, allowed {words}"])

    def test_scenes_that_are_alike_are_told(self):
        def pieces(own, other):
            scenes = [("a", 1), ("a", 2), ("b", 1), ("b", 2)]
            return [{"name": f"{scene} {seed}", "scene": scene, "seed": seed,
                     "distances": [{"name": f"{to} {number}", "all": 0 if (to, number) == (scene, seed) else
                                    own if to == scene else other} for to, number in scenes]} for scene, seed in scenes]
        self.assertEqual(listening.alike(pieces(.4, .5)), [])
        self.assertEqual(len(listening.alike(pieces(.5, .5))), 4)
        alone = [dict(piece, distances=piece["distances"][::2]) for piece in pieces(.4, .5)[::2]]
        self.assertEqual(len(listening.alike(alone)), 2)

    def test_decoded_sound_is_judged_by_the_loudness_that_the_scene_declares(self):
        status, out, errors = run("ear", "--decoded", "--scene", "drift", "--scene", "sleep", "--seed", 7,
                                  "--duration", 20, "--json")
        self.assertEqual((status, errors), (0, ""))
        drift, sleep = json.loads(out)
        self.assertEqual((drift["profile"], sleep["profile"]), ("decoded", "soft-decoded"))
        for name, most in (("integrated", .3), ("correlation", .05)):
            self.assertLess(abs(drift["measures"][name] - self.pieces[0]["measures"][name]), most)
        self.assertNotEqual(drift["measures"]["integrated"], self.pieces[0]["measures"]["integrated"])

    def test_meters_that_differ_are_told(self):
        ours = {"integrated": -18.0, "true_peak": -3.0}
        self.assertEqual(listening.meters_differ([("a", ours, {"integrated": -18.08, "true_peak": -2.95})]), [])
        self.assertEqual(len(listening.meters_differ([("a", ours, {"integrated": -18.3, "true_peak": -3.3})])), 2)
        loud = {"integrated": -18.0, "true_peak": -.9}
        self.assertEqual(len(listening.peaks([("a", loud, loud), ("b", ours, ours)])), 1)

    def test_a_day_that_drifts_is_told(self):
        def day(loudness, notes=(10, 10, 11), voices=(2, 2, 2), speeds=(100, 80, 110)):
            return [{"measures": {"integrated": lufs}, "notes_per_minute": note, "voices": voice,
                     "times_real_time": speed} for lufs, note, voice, speed in zip(loudness, notes, voices, speeds)]
        self.assertEqual(listening.drifts(day((-18, -18.4, -17.9))), [])
        self.assertEqual(len(listening.drifts(day((-18, -18.4, -17.2)))), 1)
        self.assertEqual(len(listening.drifts(day((-18, -18, -18), notes=(10, 10, 15)))), 1)
        self.assertEqual(len(listening.drifts(day((-18, -18, -18), voices=(5, 5, 9)))), 1)
        self.assertEqual(len(listening.drifts(day((-18, -18, -18), speeds=(100, 90, 50)))), 1)

    def findings(self):
        return listening.Findings(
            hours=self.pieces[::2], pairs=self.pieces, day_scene="drift", day=self.pieces[:2],
            decoded=self.pieces[:1],
            files=[("drift", {"integrated": -18.04, "true_peak": -3.01}, {"integrated": -18.0, "true_peak": -3.0})],
            programs=[("runs", "tests/repeats_test 24", 0, "# drift: 3 notes\n")], failures=["what is wrong"])

    def test_the_page_has_every_piece(self):
        text = page.text(self.findings(), (3600, 900, 300), 3)
        for words in ("- what is wrong", "| drift |", "| glass |", "| drift, seed 8 |", "spectrograms/glass.png",
                      "| drift | -18.04 | -18.00 |", "drift: 3 notes"):
            self.assertIn(words, text)

    def test_figures_of_the_page_are_of_its_pieces(self):
        found = self.findings()
        found.hours = copy.deepcopy(found.hours)
        for piece, slope in zip(found.hours, (-5.96, -7.25)):
            piece["measures"]["slope"] = slope
        found.hours[1]["scene"] = "night"
        self.assertIn("\nSteeper than -6 dB an octave: night (-7.2 dB).\n", page.text(found, (3600, 900, 300), 3))
        found.hours.pop()
        self.assertIn("\nSteeper than -6 dB an octave: none.\n", page.text(found, (3600, 900, 300), 3))

    def test_the_page_is_written_before_pictures_are_drawn(self):
        complete = runpy.run_path(str(SCRIPT))["complete"]
        with tempfile.TemporaryDirectory(prefix="auralis-ear-test-") as folder:
            where = pathlib.Path(folder) / "sound.md"
            with self.assertRaises(FileNotFoundError), contextlib.redirect_stderr(io.StringIO()):
                complete(Listened(self.findings()), 3600, where)
            self.assertIn("| drift, seed 8 |", where.read_text())

    def test_what_is_missing_is_said_before_anything_is_heard(self):
        status, _, errors = script(pathlib.Path(BINARY).parent, env={"PATH": "/nowhere"})
        self.assertEqual(status, 1)
        self.assertEqual(errors, "scripts/ear needs what is not here: ffmpeg, sox; `make ear` builds and installs it\n")

    def test_a_look_is_no_report(self):
        status, _, errors = script(pathlib.Path(BINARY).parent, "--seconds", 5, env={"PATH": "/nowhere"})
        self.assertEqual(status, 2)
        self.assertIn("doc/sound.md is for a complete run", errors)


if __name__ == "__main__":
    unittest.main()
