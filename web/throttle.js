// Collects wishes while a slider is dragged: the first goes out at once, then at most one message per interval, and the
// last value always.

export class Throttle {
    #send;
    #intervalMs;
    #timers;
    #pending = {};
    #waiting = false;

    // send(parameters).   timers: what has setTimeout.
    constructor(send, intervalMs, timers = globalThis) {
        this.#send = send;
        this.#intervalMs = intervalMs;
        this.#timers = timers;
    }

    put(parameters) {
        Object.assign(this.#pending, parameters);
        if (!this.#waiting) this.#flush();
    }

    #flush() {
        const parameters = this.#pending;
        this.#waiting = Object.keys(parameters).length > 0;
        if (!this.#waiting) return;
        this.#pending = {};
        this.#send(parameters);
        this.#timers.setTimeout(() => this.#flush(), this.#intervalMs);
    }
}
