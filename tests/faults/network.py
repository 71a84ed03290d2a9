"""Faults of the network: lines that delay, lose, stall, narrow and break."""
import time

from faults.fault import Fault
from faults.namespaces import HERE
from faults.party import Party
from faults.proxy import Proxy

FAR = 3                          # listeners behind the bad line


class BehindProxy(Fault):
    leads = 10, 2
    who = f"{FAR} Opus listeners behind a proxy"
    intact = True
    patience_s = 12              # how long they hear nothing before they connect again

    def disturb(self, run, proxy):
        raise NotImplementedError

    def begin(self, run):
        self.proxy = run.ending.enter_context(Proxy(run.server.host, run.server.port))
        self.party = Party(run, FAR, port=self.proxy.port, silence_s=self.patience_s)

    def inject(self, run):
        self.party.fault_begins()
        self.proxy.own_late_s.clear()
        self.disturb(run, self.proxy)
        self.party.recover(20)
        self.party.end(intact=self.intact)
        run.saw(self.proxy.own_lateness_words())


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
    intact, patience_s = False, 2

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
    name, what, seconds = "stall-9s", "a line that stands still for 9 s", (9, 1)
    intact, patience_s = False, 2


class FarAway(Fault):
    leads = 10, 2
    network = True
    options = "--max-per-address", "0", "--max-attempts", "0"
    who = f"{FAR} Opus listeners in another network namespace"
    intact, patience_s = False, 2

    def disturbed(self, run):
        """The fault, as a context."""
        raise NotImplementedError

    def begin(self, run):
        self.party = Party(run, FAR, host=HERE, enter=run.net.stand_there, silence_s=self.patience_s)

    def inject(self, run):
        self.party.fault_begins()
        with self.disturbed(run):
            time.sleep(run.seconds)
        self.party.recover(40)
        self.party.end(intact=self.intact)


class Loss2(FarAway):
    name, what, in_short = "loss-2", "2 % of all packets are lost, each way", True
    seconds, intact, patience_s = (15, 2), True, 12

    def disturbed(self, run):
        return run.net.losing(0.02)


class Loss30(FarAway):
    name, what = "loss-30", "30 % of all packets are lost, each way"
    seconds = (15, 3)

    def disturbed(self, run):
        return run.net.losing(0.3)


class Narrow(FarAway):
    name, what = "bandwidth", "64 kbit/s (tbf) for three listeners who need 140 each"
    seconds = (15, 3)

    def disturbed(self, run):
        return run.net.narrow(64)


class BlackHole(FarAway):
    def disturbed(self, run):
        return run.net.losing(1)


class BlackHole1(BlackHole):
    name, what = "black-hole-1s", "all packets are dropped for 1 s"
    seconds, intact, patience_s, in_short = (1, 1), True, 12, True


class BlackHole5(BlackHole):
    name, what, seconds = "black-hole-5s", "all packets are dropped for 5 s", (5, 1)
    intact, patience_s = True, 12


class BlackHole9(BlackHole):
    name, what, seconds = "black-hole-9s", "all packets are dropped for 9 s", (9, 1)


FAULTS = [LatencySpikes, Jitter, Disconnects, Stall1, Stall5, Stall9, Loss2, Loss30, Narrow, BlackHole1, BlackHole5,
          BlackHole9]
