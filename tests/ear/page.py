"""The report as a page."""
import pathlib
import platform
import re
import subprocess
import time

from ear import listening

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
DARK_DB_PER_OCTAVE = -6
COLUMNS = (("integrated", "LUFS", 1), ("loudness_range", "range LU", 1), ("short_term_move", "10 s move LU", 1),
           ("true_peak", "dBTP", 1), ("crest", "crest dB", 1), ("clicks", "clicks", 0), ("correlation", "L/R", 2),
           ("bass_correlation", "lows", 2), ("fold_down_loss", "mono dB", 1), ("dc", "DC dBFS", 0),
           ("slope", "dB/octave", 1), ("centroid", "centroid Hz", 0), ("flatness", "flatness dB", 0),
           ("roughness", "roughness", 2), ("grid", "grid", 2), ("self_similarity", "self-similarity", 2))


def cell(piece, name, digits):
    """A figure; bold when its gate is not kept."""
    value = piece["measures"][name]
    text = "-" if value is None else f"{value:.{digits}f}"
    bad = any(gate["name"] == name and not gate["good"] for gate in piece["gates"])
    return f"**{text}**" if bad else text


def table(head, rows):
    yield "| " + " | ".join(head) + " |"
    yield "| --- |" + " ---: |" * (len(head) - 1)
    for row in rows:
        yield "| " + " | ".join(row) + " |"
    yield ""


def cards(pieces, first, label):
    head = [first, *(title for _, title, _ in COLUMNS), "notes/min", "held", "bits/chord", "x real time"]
    rows = [[label(piece), *(cell(piece, name, digits) for name, _, digits in COLUMNS),
             f"{piece['notes_per_minute']:.1f}", f"{piece['voices']:.1f}",
             f"{piece['chord_entropy']:.2f}", f"{piece['times_real_time']:.0f}"]
            for piece in pieces]
    return table(head, rows)


def distances(pairs):
    rows = []
    for piece in pairs:
        own = max(other["all"] for other, to in zip(piece["distances"], pairs)
                  if to["scene"] == piece["scene"] and to is not piece)
        nearest = min((other for other, to in zip(piece["distances"], pairs) if to["scene"] != piece["scene"]),
                      key=lambda other: other["all"])
        rows.append([piece["name"], f"{own:.2f}", f"{nearest['all']:.2f}", nearest["name"]])
    return table(["piece", "from its own scene", "from the nearest other", "which"], rows)


def decoded_rows(decoded):
    rows = [[piece["scene"], *(cell(piece, name, digits) for name, _, digits in COLUMNS)] for piece in decoded]
    return table(["scene", *(title for _, title, _ in COLUMNS)], rows)


def file_rows(files):
    rows = [[scene, *(f"{meters[what]:.2f}" for what in ("integrated", "true_peak") for meters in (ours, other))]
            for scene, ours, other in files]
    return table(["scene", "LUFS", "LUFS by ffmpeg", "dBTP", "dBTP by ffmpeg"], rows)


def program_lines(programs):
    for what, command, status, said in programs:
        yield f"- {what} (`{command}`): {'passed' if status == 0 else '**failed**'}"
        yield from (f"  - {line[2:]}" for line in said.splitlines() if re.match("# ", line))


def darkest(pieces):
    steep = sorted((piece for piece in pieces if (piece["measures"]["slope"] or 0) < DARK_DB_PER_OCTAVE),
                   key=lambda piece: piece["measures"]["slope"])
    names = ", ".join(f"{piece['scene']} ({piece['measures']['slope']:.1f} dB)" for piece in steep)
    return f"Steeper than {DARK_DB_PER_OCTAVE} dB an octave: {names or 'none'}.\n"


def oddities():
    """What people found who looked at the figures and the spectrograms of the version that it names."""
    return (pathlib.Path(__file__).parent / "oddities.md").read_text().strip()


def describe():
    commit = subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty"], capture_output=True, text=True,
                            check=False).stdout.strip()
    return f"Written by `make ear` at {commit}, {time.strftime('%Y-%m-%d')}, {platform.machine()}"


def text(found, lengths, minutes):
    seconds, pair, few = lengths
    lines = [
        "# What the scenes sound like\n",
        f"{describe()}, in {minutes:.0f} minutes. Renders have seed 7 where no other is named; the "
        "first minute, which comes out of silence, is left out. A figure in bold is outside of what is allowed; "
        "[src/ear/scenes.def](../src/ear/scenes.def) and [gates.c](../src/ear/gates.c) say what that is, and "
        "`auralis ear --help` how to do this for one scene.\n",
        f"Not kept: {len(found.failures)}.\n",
        *(f"- {failure}" for failure in found.failures), "",
        f"## {seconds / 60:.0f} minutes of each scene\n",
        *cards(found.hours, "scene", lambda piece: piece["scene"]),
        darkest(found.hours),
        "## Written by hand: what looked odd\n", oddities(), "",
        "## How far apart they are\n",
        f"Two seeds of each scene, {pair / 60:.0f} minutes. 1 is clearly heard; a piece has to be nearer to its own "
        "scene than to any other.\n",
        *distances(found.pairs),
        f"## A day of {found.day_scene}\n",
        f"{seconds / 60:.0f} minutes from the first minute of each hour on.\n",
        *cards(found.day, "hour", lambda piece: f"{piece['start'] / 3600:.0f}"),
        "## As listeners get it\n",
        f"Opus at 128 kb/s as a station encodes it, decoded, {seconds / 60:.0f} minutes each.\n",
        *decoded_rows(found.decoded),
        f"{few / 60:.0f} minutes of the same music in files (`auralis render --out NAME.opus`), measured here and by "
        "ffmpeg, which rounds to tenths.\n",
        *file_rows(found.files),
        "## Longer tests\n",
        *program_lines(found.programs),
        "\n## Spectrograms\n",
        f"{few / 60:.0f} minutes, from 600 s on; 0 to {listening.PICTURE_HZ / 1000:.0f} kHz from the bottom up, where "
        f"the pictures end and not the sound, {listening.PICTURE_DB} dB from black to white.\n",
        *(f"**{piece['scene']}**\n\n![{piece['scene']}](spectrograms/{piece['scene']}.png)\n" for piece in found.hours),
    ]
    return "\n".join(lines).rstrip() + "\n"
