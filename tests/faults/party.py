"""Some who suffer a fault, and one beside them who does not."""
from faults.wanderer import Wanderer


class Party:
    """Wanderers on a bad line, and a steady one whose bytes theirs are compared with. They end with the run."""

    def __init__(self, run, count, *, port=None, host=None, enter=None, silence_s=2.0):
        self.run = run
        self.steady = Wanderer(run.server.host, run.server.port)
        self.members = [Wanderer(host or run.server.host, port or run.server.port, enter=enter, silence_s=silence_s)
                        for _ in range(count)]
        self.everybody = self.steady, *self.members
        run.ending.callback(self._end_all)
        for member in self.everybody:
            member.start()
        run.wait(lambda: all(member.chunks for member in self.everybody), 20, "all of them began to listen")

    def _end_all(self):
        for member in self.everybody:
            member.end()

    def fault_begins(self):
        """What came late before is not the fault's doing."""
        for member in self.members:
            member.late_s.clear()

    def recover(self, seconds):
        """Waits until all of them have sound again."""
        took_s = self.run.wait(lambda: all(member.playing() for member in self.members), seconds,
                               "all of them play again")
        if took_s is not None:
            self.run.saw(f"playing again {took_s:.1f} s after the fault was over")

    def end(self, *, intact):
        """Ends them and judges. intact: nothing may have been missing."""
        missed = [member.missed() for member in self.members]
        self._end_all()
        lost, wanted = sum(count for count, _ in missed), sum(count for _, count in missed)
        again, skips = self._sum(lambda member: member.sessions - 1), self._sum(lambda member: len(member.skips))
        gaps, different = self._sum(lambda member: member.gaps), self._sum(lambda member: member.different(self.steady))
        self.run.saw(f"{len(self.members)} listeners missed {lost / 10:.1f} s of {wanted / 10:.1f} s of music; "
                     f"{again} connected again, {skips} skips, {self._sum(lambda member: member.silences)} silences "
                     f"noticed, {self._sum(lambda member: member.refusals)} refusals")
        self._describe()
        self.run.hold(gaps == 0, f"nothing was missing from a connection without a word ({gaps} holes)")
        self.run.hold(different == 0, f"what came was, byte for byte, what others got ({different} chunks differ)")
        if intact:
            self.run.hold(lost == 0 and again == 0 and skips == 0,
                          "they lost nothing: every chunk came on the first connection before it was to be heard")

    def _sum(self, count):
        return sum(count(member) for member in self.members)

    def _describe(self):
        self.run.saw(lateness_words([late for member in self.members for late in member.late_s]))
        rates = sorted({rate // 1000 for member in self.members for rate in member.bitrates})
        if len(rates) > 1:
            self.run.saw(f"bit rates: {', '.join(map(str, rates))} kb/s")
        ends = sorted({f"{code or 'no word'} {reason}".strip() for member in self.members
                       for code, reason in member.closes})
        if ends:
            self.run.saw("closed with " + "; ".join(ends))


def lateness_words(late_s):
    if not late_s:
        return "no chunk of theirs was due on its own"
    ordered = sorted(max(0, late) * 1000 for late in late_s)
    p50, p99 = ordered[len(ordered) // 2], ordered[min(len(ordered) - 1, int(len(ordered) * .99))]
    within = [100 * sum(1 for late in ordered if late <= ms) / len(ordered) for ms in (20, 50)]
    return (f"their chunks were late by {p50:.0f} / {p99:.0f} / {ordered[-1]:.0f} ms (p50 / p99 / most), "
            f"{within[0]:.1f} / {within[1]:.1f} % within 20 / 50 ms")
