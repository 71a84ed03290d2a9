// How long to wait before the next attempt to connect: hardly at first, then longer each time, spread by chance so that
// the listeners of a restarted server do not return as one.

const FIRST_MS = 200;
const GROWTH = 1.6;
const LONGEST_MS = 15000;

// attempt: 0 for the first one after a loss.   random: 0..1.   atLeastMs: what the server asked for, if it did.
export function backoffMs(attempt, random, atLeastMs = 0) {
    const ceiling = Math.min(LONGEST_MS, FIRST_MS * GROWTH ** attempt);
    return Math.max(ceiling * (0.5 + 0.5 * random), atLeastMs * (1 + 0.2 * random));
}
