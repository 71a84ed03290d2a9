// Programme time on this machine, learnt from `hello` and kept by `ping`.

const FRAMES_PER_MS = 48;
const KEPT = 12;

// Milliseconds on one scale for the page and its workers.
export function nowMs() {
    return performance.timeOrigin + performance.now();
}

export class ProgrammeClock {
    #samples = [];

    // The first guess: as if the message had taken no time.
    hello(timeMs, receivedMs) {
        this.#samples = [{ tripMs: Infinity, offsetMs: timeMs - receivedMs }];
    }

    // t0, t3: sent and received here; t1, t2: received and sent there. The answer with the shortest round trip among
    // the last few is believed: it was delayed least, so it is wrong by least.
    pong(t0, t1, t2, t3) {
        const tripMs = t3 - t0 - (t2 - t1);
        if (!(tripMs >= 0)) return;
        this.#samples.push({ tripMs, offsetMs: (t1 - t0 + t2 - t3) / 2 });
        if (this.#samples.length > KEPT) this.#samples.shift();
    }

    // Programme time minus local time; NaN before the first hello.
    get offsetMs() {
        let best = { tripMs: Infinity, offsetMs: NaN };
        for (const sample of this.#samples) if (sample.tripMs <= best.tripMs) best = sample;
        return best.offsetMs;
    }

    // Shortest round trip known, Infinity before the first pong.
    get tripMs() {
        return Math.min(Infinity, ...this.#samples.map((sample) => sample.tripMs));
    }
}

// The frame that listeners hear at a local time.
export function frameAt(offsetMs, localMs) {
    return (localMs + offsetMs) * FRAMES_PER_MS;
}
