"""Parameters that move through REST: single ones, presets saved, loaded and deleted, undo and redo."""
from soak.stage import Actor

NOTES = ("C", "C#", "D", "Eb", "E minor", "F", "F# major", "G", "Ab", "A minor", "Bb", "B")
UNITS = ("intensity", "melody_complexity", "chord_progression_variety", "harmonic_density", "brightness",
         "space", "warmth", "texture")
SCENES = ("drift", "focus", "meditation", "sleep", "bright")
TOGGLES = ("enable_pads", "enable_melody", "enable_kicks", "enable_swells")
PRESETS = tuple(f"soak {n}" for n in range(8))


def moves(random):
    """One to three parameters and where they go."""
    every = [("key", random.choice(NOTES)), ("bpm", random.randint(40, 120))]
    every += [("scene", random.choice(SCENES)), ("morph_seconds", random.randint(0, 90))]
    every += [(name, round(random.random(), 3)) for name in UNITS]
    every += [(name, random.random() < 0.8) for name in TOGGLES]
    return dict(random.sample(every, random.randint(1, 3)))


class Steering(Actor):
    def __init__(self, stage, every_s):
        super().__init__(stage, every_s)
        self.ways = {"changes by REST": (self.change, 6), "presets saved": (self.save, 1),
                     "presets loaded": (self.load, 1), "presets deleted": (self.delete, 1),
                     "undone": (self.undo, 1), "redone": (self.redo, 1)}

    def act(self):
        names, weights = list(self.ways), [weight for _, weight in self.ways.values()]
        name = self.random.choices(names, weights)[0]
        way, _ = self.ways[name]
        (method, path, body), expected = way()
        status, _, answer = self.stage.server.request(method, path, body)
        if status not in expected:
            raise AssertionError(f"{method} {path}: {status} {answer}")
        self.stage.count(name if status < 300 else "changes that were refused")

    def change(self):
        return ("POST", "/api/control", moves(self.random)), (200,)

    def save(self):
        return ("POST", "/api/presets", {"name": self.random.choice(PRESETS)}), (201, 409)

    def preset(self):
        return "/api/presets/" + self.random.choice(PRESETS).replace(" ", "%20")

    def load(self):
        return ("POST", self.preset() + "/load", None), (200, 404)

    def delete(self):
        return ("DELETE", self.preset(), None), (200, 404)

    def undo(self):
        return ("POST", "/api/history/undo", None), (200, 409)

    def redo(self):
        return ("POST", "/api/history/redo", None), (200, 409)
