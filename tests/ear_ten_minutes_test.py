#!/usr/bin/env python3
"""Ten minutes of two scenes keep to all that these declare: two minutes can't tell loudness, range, crest and grid.

usage: ear_ten_minutes_test.py BINARY [SCENE...]      without SCENE: two of them, others every day
"""
import json
import pathlib
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from ear import listening  # noqa: E402


def said(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def of_today(binary):
    names = [line.split()[0] for line in said(binary, "serve", "--scene", "list").splitlines()]
    day = time.localtime().tm_yday
    return [names[day % len(names)], names[(day + len(names) // 2) % len(names)]]


def main(binary, *scenes):
    scenes = scenes or of_today(binary)
    print(*scenes)
    failures = listening.kept(json.loads(said(binary, "ear", "--json", "--quiet", "--start", "60", "--duration", "600",
                                              "--seed", "7", *(f"--scene={scene}" for scene in scenes))))
    for failure in failures:
        print(failure)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
