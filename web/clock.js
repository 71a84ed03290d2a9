// Programme time on this machine, learnt from `hello` and kept by `ping`.

const FRAMES_PER_MS = 48;
// Clocks drift apart by this much at most.
const DRIFT = 1e-4;

// Milliseconds on one scale for the page and its workers.
export function nowMs() {
    return performance.timeOrigin + performance.now();
}

export class ProgrammeClock {
    // The offset is off by half the round trip at most, and by what has drifted since.
    #best = { tripMs: Infinity, offsetMs: NaN, atMs: NaN };

    // The first guess: as if the message had taken no time.
    hello(timeMs, receivedMs) {
        this.#best = { tripMs: Infinity, offsetMs: timeMs - receivedMs, atMs: receivedMs };
    }

    // t0, t3: sent and received here; t1, t2: received and sent there. The answer is believed that can be wrong by
    // least: on a line that is full, answers take seconds more one way than the other. One that contradicts what was
    // believed shows that a clock was moved.
    pong(t0, t1, t2, t3) {
        const tripMs = t3 - t0 - (t2 - t1);
        if (!(tripMs >= 0)) return;
        const offsetMs = (t1 - t0 + t2 - t3) / 2;
        const wrongMs = this.#best.tripMs / 2 + (t3 - this.#best.atMs) * DRIFT;
        const contradicts = Math.abs(offsetMs - this.#best.offsetMs) > tripMs / 2 + wrongMs;
        if (contradicts || !(tripMs / 2 > wrongMs)) this.#best = { tripMs, offsetMs, atMs: t3 };
    }

    // Programme time minus local time; NaN before the first hello.
    get offsetMs() { return this.#best.offsetMs; }

    // Round trip of the answer that is believed, Infinity before the first one.
    get tripMs() { return this.#best.tripMs; }
}

// The frame that listeners hear at a local time.
export function frameAt(offsetMs, localMs) {
    return (localMs + offsetMs) * FRAMES_PER_MS;
}
