"""Faults of the network: lines that delay, lose, stall, narrow and break."""
import time

from faults.fault import Fault
from faults.namespaces import HERE
from faults.proxy import Proxy
from faults.wanderer import Party

FAR = 3                          # listeners behind the bad line


class BehindProxy(Fault):
    who = f"{FAR} Opus listeners behind a proxy"
    intact = True

    def disturb(self, run, proxy):
        raise NotImplementedError

    def inject(self, run):
        with Proxy(run.server.host, run.server.port) as proxy:
            party = Party(run, FAR, port=proxy.port)
            party.stand()
            proxy.own_late_s.clear()
            self.disturb(run, proxy)
            party.recover(20)
            party.end(intact=self.intact)
            run.saw(proxy.own_lateness_words())


class LatencySpikes(BehindProxy):
    name = "latency-spikes"
    what = "a line whose delay jumps from 5 ms to 800 ms for one second in three"

    def disturb(self, run, proxy):
        end = time.monotonic() + run.seconds
        proxy.delay_s = 0.005
        while time.monotonic() < end:
            proxy.delay_s = 0.8
            time.sleep(1)
            proxy.delay_s = 0.005
            time.sleep(2)


class Jitter(BehindProxy):
    name = "jitter"
    what = "a line that delays each piece by 20 to 320 ms, anew each time"

    def disturb(self, run, proxy):
        proxy.delay_s, proxy.jitter_s = 0.02, 0.3
        time.sleep(run.seconds)
        proxy.delay_s = proxy.jitter_s = 0


class Disconnects(BehindProxy):
    name = "disconnects"
    what = "a line that is cut every two seconds"
    intact = False

    def disturb(self, run, proxy):
        for _ in range(max(1, run.seconds // 2)):
            proxy.cut()
            time.sleep(2)


class Stall(BehindProxy):
    who = f"{FAR} Opus listeners behind a proxy that stalls: nothing passes and nothing is read"

    def disturb(self, run, proxy):
        proxy.stall()
        time.sleep(run.seconds)
        proxy.go_on()


class Stall1(Stall):
    name, what, seconds = "stall-1s", "a line that stands still for 1 s", (1, 1)
    in_short = True


class Stall5(Stall):
    name, what, seconds = "stall-5s", "a line that stands still for 5 s", (5, 1)


class Stall9(Stall):
    name, what, seconds, intact = "stall-9s", "a line that stands still for 9 s", (9, 1), False


class FarAway(Fault):
    network = True
    options = "--max-per-address", "0", "--max-attempts", "0"
    who = f"{FAR} Opus listeners in another network namespace"
    intact = False

    def disturbed(self, run):
        """The fault, as a context."""
        raise NotImplementedError

    def inject(self, run):
        party = Party(run, FAR, host=HERE, enter=run.net.stand_there)
        party.stand()
        with self.disturbed(run):
            time.sleep(run.seconds)
        party.recover(40)
        party.end(intact=self.intact)


class Loss2(FarAway):
    name, what, in_short = "loss-2", "2 % of all packets are lost, each way", True
    seconds, intact = (20, 2), True

    def disturbed(self, run):
        return run.net.losing(0.02)


class Loss30(FarAway):
    name, what = "loss-30", "30 % of all packets are lost, each way"
    seconds = (20, 3)

    def disturbed(self, run):
        return run.net.losing(0.3)


class Narrow(FarAway):
    name, what = "bandwidth", "64 kbit/s (tbf) for three listeners who need 140 each"
    seconds = (20, 3)

    def disturbed(self, run):
        return run.net.narrow(64)


class BlackHole(FarAway):
    def disturbed(self, run):
        return run.net.losing(1)


class BlackHole1(BlackHole):
    name, what = "black-hole-1s", "all packets are dropped for 1 s"
    seconds, intact, in_short = (1, 1), True, True


class BlackHole5(BlackHole):
    name, what, seconds = "black-hole-5s", "all packets are dropped for 5 s", (5, 1)


class BlackHole9(BlackHole):
    name, what, seconds = "black-hole-9s", "all packets are dropped for 9 s", (9, 1)


FAULTS = [LatencySpikes, Jitter, Disconnects, Stall1, Stall5, Stall9, Loss2, Loss30, Narrow, BlackHole1, BlackHole5,
          BlackHole9]
