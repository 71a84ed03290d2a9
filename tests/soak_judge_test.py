"""A soak must be able to fail: growth is told from noise, and from none.

usage: soak_judge_test.py [unittest options]
"""
import math
import random
import unittest

from soak import judge, report
from soak.samples import LOG_ENTRY_BYTES, Sample, after_warm_up, cost_bound, memory_bound, read_metrics, total, trend

MIB = 1 << 20


def day(value):
    """A value for each minute of 24 hours."""
    return [(60 * minute, value(minute / 60)) for minute in range(24 * 60)]


class Trends(unittest.TestCase):
    def test_a_leak_is_found(self):
        noise = random.Random(1)
        memory = trend(day(lambda hour: 60 * MIB + 100 * 1024 * hour + noise.gauss(0, MIB)))
        self.assertAlmostEqual(memory.per_hour, 100 * 1024, delta=20 * 1024)
        self.assertGreater(memory.certain_growth(), memory_bound(memory))

    def test_noise_is_no_leak(self):
        for seed in range(20):
            noise = random.Random(seed)
            memory = trend(day(lambda hour: 60 * MIB + noise.gauss(0, 2 * MIB)))
            self.assertLess(memory.certain_growth(), memory_bound(memory))

    def test_dearer_by_the_hour_is_found(self):
        noise = random.Random(2)
        cost = trend(day(lambda hour: 0.01 * (1 + 0.01 * hour) + noise.gauss(0, 0.001)))
        self.assertGreater(cost.certain_growth(), cost_bound(cost))
        flat = trend(day(lambda hour: 0.01 + noise.gauss(0, 0.001)))
        self.assertLess(flat.certain_growth(), cost_bound(flat))

    def test_a_straight_line(self):
        line = trend([(0, 5.0), (3600, 7.0), (7200, 9.0)])
        self.assertAlmostEqual(line.per_hour, 2)
        self.assertAlmostEqual(line.error_per_hour, 0)
        self.assertAlmostEqual(line.growth(), 4)

    def test_warm_up_is_left_out(self):
        samples = [Sample(at, 0, 0, 0, 0, math.nan if at == 0 else 1, 1, 0, 0, {}) for at in range(0, 1001, 50)]
        self.assertEqual([sample.at_s for sample in after_warm_up(samples)][:2], [100, 150])


def good():
    """The result of an hour in which all went well, and its samples."""
    metrics = dict.fromkeys(judge.NONE_OF + judge.INJECTED, 0)
    samples = [Sample(at, 60 * MIB + at // 6 * LOG_ENTRY_BYTES, 30, 6, at / 100, 0.01, 0.05, 4, at / 60,
                      {**metrics, "auralis_control_log_entries": at // 6}) for at in range(0, 3601, 60)]
    heard = {"failed": 0, "lost": 0, "silent": 0, "gaps": 0, "decode_errors": 0, "protocol_errors": 0, "early": 0,
             "outdated": 0, "last_gap": 700, "failure": "", "trouble": "", "chunks_expected": 9, "lateness_ms": {"max": 80}, "loop_lag_ms": {"max": 90},
             "clicks": None, "watched_s": None}
    pcm = {**heard, "format": "pcm", "clicks": 0, "first_click_frame": None, "watched_s": 3700}
    census = {"descriptors": 27, "threads": 6}
    return {"troubles": [], "instrumented": False, "exit_status": 0, "log": "info all is well\n", "passed_s": 3600,
            "lead_s": 60, "speed": 60, "held_from_frame": 600, "samples": [vars(sample) for sample in samples],
            "steady": [{**heard, "format": "opus"}, pcm], "stints": [{**heard, "format": "v1", "lost": 2, "gaps": 7}],
            "windows": [{"at_s": 5, "said": "", "format": "opus", "verified": 600, "mismatches": 0}],
            "censuses": [dict(census), dict(census)]}, samples


def steered_more(entry_bytes):
    """Ten times as often; each further entry takes so much memory."""
    def steer(result, samples):
        for sample in samples:
            entries = sample.metrics["auralis_control_log_entries"]
            sample.metrics["auralis_control_log_entries"] = 10 * entries
            sample.resident += int(9 * entries * entry_bytes)

    return steer


class Verdicts(unittest.TestCase):
    def verdict(self, harm, *, instrumented=False):
        result, samples = good()
        result["instrumented"] = instrumented
        harm(result, samples)
        judge.judge(result, samples)
        return report.verdict(result)

    def test_nothing_wrong(self):
        self.assertEqual(self.verdict(lambda result, samples: None), report.PASSED)

    def test_each_fault_fails(self):
        def set_in(place, number, **what):
            return lambda result, samples: result[place][number].update(what)

        def leak(result, samples):
            for sample in samples:
                sample.resident += int(sample.at_s * 1000)

        def dearer(result, samples):
            for sample in samples:
                sample.cost *= 1 + sample.at_s / 10000

        faults = {name: set_in("steady", 0, **{name: 1}) for name in
                  ("failed", "lost", "silent", "gaps", "decode_errors", "protocol_errors")}
        faults |= {
            "late": set_in("steady", 0, lateness_ms={"max": 60001}),
            "click": set_in("steady", 1, clicks=1, first_click_frame=7),
            "deaf": set_in("steady", 1, watched_s=3000),
            "broken old client": set_in("stints", 0, protocol_errors=1),
            "mismatch": set_in("windows", 0, mismatches=1),
            "nothing compared": set_in("windows", 0, verified=0),
            "descriptor": set_in("censuses", 1, descriptors=28),
            "thread": set_in("censuses", 1, threads=7),
            "status": lambda result, samples: result.update(exit_status=-11),
            "log": lambda result, samples: result.update(log="x error something\n"),
            "trouble": lambda result, samples: result.update(troubles=["x"]),
            "no report": lambda result, samples: result.update(steady=[{"format": "opus", "failure": "died"}]),
            "leak": leak,
            "larger entries": steered_more(LOG_ENTRY_BYTES * 1.3),
            "dearer": dearer,
            "held": lambda result, samples: result["samples"][-1]["metrics"].update(auralis_held_chunks_total=1),
            "encoding": lambda result, samples: result["samples"][-1]["metrics"].update(
                auralis_encoding_faults_total=1),
        }
        for name, harm in faults.items():
            with self.subTest(name):
                self.assertEqual(self.verdict(harm), report.FAILED)

    def test_what_is_a_matter_of_real_milliseconds_is_told_in_real_time(self):
        def at(speed, name):
            def harm(result, samples):
                result["speed"] = speed
                result["samples"][-1]["metrics"].update(dict.fromkeys(judge.INJECTED, 2 if speed == 1 else 0))
                result["steady"][0][name] = 1
            return harm

        for name in ("early", "outdated"):
            with self.subTest(name):
                self.assertEqual([self.verdict(at(speed, name)) for speed in (1, 60)], [report.FAILED, report.PASSED])

    def test_a_gap_before_anybody_held_the_lead_is_told_in_real_time(self):
        def at(speed):
            def harm(result, samples):
                result["speed"] = speed
                result["samples"][-1]["metrics"].update(dict.fromkeys(judge.INJECTED, 2 if speed == 1 else 0))
                result["steady"][0].update(gaps=1, last_gap=500)
            return harm

        self.assertEqual([self.verdict(at(speed)) for speed in (1, 60)], [report.FAILED, report.PASSED])

    def test_a_busy_machine_is_no_excuse_but_for_time(self):
        def busy(result, samples):
            result["steady"][0].update(gaps=1, loop_lag_ms={"max": 30000})

        def busy_and_wrong(result, samples):
            busy(result, samples)
            result["windows"][0]["mismatches"] = 1

        self.assertEqual(self.verdict(busy), report.DISTURBED)
        self.assertEqual(self.verdict(busy_and_wrong), report.FAILED)

    def test_a_slower_machine_is_not_a_dearer_server(self):
        def slower(result, samples):
            for sample in samples[len(samples) // 2:]:
                sample.cost *= 1.8
                sample.pace *= 1.8

        self.assertEqual(self.verdict(slower), report.PASSED)

    def test_a_log_that_grows_is_no_leak(self):
        self.assertEqual(self.verdict(steered_more(LOG_ENTRY_BYTES)), report.PASSED)

    def test_sanitizers_are_listened_to(self):
        def race(result, samples):
            result["log"] = "WARNING: ThreadSanitizer: data race\n"

        self.assertEqual(self.verdict(race, instrumented=True), report.FAILED)


class Metrics(unittest.TestCase):
    def test_labels_are_summed(self):
        metrics = read_metrics('# TYPE a gauge\na{x="1"} 2\na{x="2"} 3\nab 7\nb 1.5e3\n')
        self.assertEqual(total(metrics, "a"), 5)
        self.assertEqual(total(metrics, "b"), 1500)


if __name__ == "__main__":
    unittest.main()
