"""Faults of the renderer, made by `auralis serve --inject`: a block that fails, a call that hangs."""
import re
import time

from faults.fault import Fault
from faults.party import Party


class Renderer(Fault):
    who = "everybody"
    seconds, extra_s = (4, 2), (12, 6)
    at_s = 26, 12                # second of the programme: is rendered when the healthy listen, a lead ahead
    inject_option = ""           # with {} for that second
    allowed_log = (r"the renderer will go wrong",)

    def prepare(self, run):
        self.options = "--inject", self.inject_option.format(self.at_s[run.short])
        return {}

    def wait_logged(self, run, pattern, seconds, what):
        return run.wait(lambda: re.search(pattern, run.server.log()), seconds, what)

    def inject(self, run):
        self.wait_logged(run, r"\(1 in a row\)", 40, "the renderer went wrong")
        time.sleep(run.seconds)
        run.saw(f"chunks that were replaced by a hold: {run.metric('auralis_held_chunks_total'):.0f}")


class RenderError(Renderer):
    name, what, inject_option = "render-error", "a block of the music cannot be rendered, once", "render-error@{}+1"
    expected_log = (r"station main: .*\(1 in a row\)",)


class RenderNan(Renderer):
    name, what, inject_option = "render-nan", "a block comes that is not numbers, once", "render-nan@{}+1"
    expected_log = (r"station main: .*\(1 in a row\)",)


class RenderStall(Renderer):
    name, what, inject_option = "render-stall", "the renderer hangs for 8 s", "render-stall@{}+8"
    seconds = (12, 10)
    out_of_step = ("v1",)        # is not told which chunks are a hold
    allowed_log = (*Renderer.allowed_log, r"station main: ")
    expected_log = (r"station main: .*\(1 in a row\)", r"the renderer is back")


class RenderLost(Renderer):
    name, what = "render-lost", "a block fails three times in a row"
    who = "3 Opus listeners"
    inject_option = "render-error@{}+3"
    seconds, extra_s, healthy = (4, 2), (40, 30), False
    expected_log = (r"station main: .*\(3 in a row\)", r"station main: given up", r"the renderer is back")
    allowed_log = (*Renderer.allowed_log, r"station main: ")

    def begin(self, run):
        self.party = Party(run, 3)

    def inject(self, run):
        self.wait_logged(run, r"station main: given up", 40, "the station was given up")
        ended = run.wait(lambda: all(member.closes for member in self.party.members), 10, "its listeners were told")
        if ended is not None:
            codes = {code for member in self.party.members for code, _ in member.closes}
            run.hold(codes == {1011}, f"they were closed with {', '.join(map(str, codes))}, 1011 is right")
        self.wait_logged(run, r"the renderer is back", 90, "the renderer came back")
        self.party.recover(30)
        time.sleep(run.seconds)
        self.party.end(intact=False)


FAULTS = [RenderError, RenderNan, RenderStall, RenderLost]
