// Decoded sound by frame number, from one writer (the worker) to one reader (the audio thread), over shared memory or,
// where there is none, inside the audio thread.
//
// Frames [begin, end) are there. The writer moves both and stores the samples before it moves `end`; the reader moves
// `head`, the frame it plays next, so that the writer never changes what is about to be heard without a fade.
//
// There may be one cut: frames [cutFrom, cutTo) will never be there, and who reads goes from one to the other. The
// writer stores a cut before it moves `end` past it, so a reader that looks at `end` first knows of it in time.

const BEGIN = 0;
const END = 1;
const HEAD = 2;
const CUT_FROM = 3;
const CUT_TO = 4;
const FIELDS = 5;
const HEADER_BYTES = 48;
const FADE_FRAMES = 960;
// A crossfade at a cut takes so long.
export const CROSS_FRAMES = 2400;
// The reader may get this much further while the writer copies.
const MARGIN_FRAMES = 2048;

export class Ring {
    #header;
    #channels;
    #mask;
    #fadeInNext = false;
    // What replaces next does not follow what is before it.
    #leadsInNext = false;
    // What is there from here on is older than what is before it, which leads over to it in case that is all that
    // comes; -1: nowhere. #tail is what is before the seam, as it came.
    #seam = -1;
    #tail = [new Float32Array(FADE_FRAMES), new Float32Array(FADE_FRAMES)];

    // capacity: frames, a power of two.   buffer: of an existing ring to share, else one is made.
    constructor(capacity, { shared = false, buffer = null } = {}) {
        const bytes = HEADER_BYTES + capacity * 8;
        this.buffer = buffer ?? (shared ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes));
        this.capacity = capacity;
        this.#mask = capacity - 1;
        this.#header = new BigInt64Array(this.buffer, 0, FIELDS);
        this.#channels = [0, 1].map((i) => new Float32Array(this.buffer, HEADER_BYTES + i * capacity * 4, capacity));
        if (buffer) return;
        this.head = -1;
        this.#store(CUT_FROM, -1);
    }

    // The power of two that holds `frames`.
    static capacityFor(frames) {
        return 2 ** Math.ceil(Math.log2(frames));
    }

    get begin() { return this.#load(BEGIN); }
    get end() { return this.#load(END); }
    // Frame the reader plays next; -1 while it does not play.
    get head() { return this.#load(HEAD); }
    set head(frame) { this.#store(HEAD, frame); }

    // The first frame that is missing and the first that is there again; cutFrom is -1 where nothing was cut.
    get cutFrom() { return this.#load(CUT_FROM); }
    get cutTo() { return this.#load(CUT_TO); }

    // Writer. Puts a chunk where it belongs. What is there already stays, unless `replaces`: then the new sound takes
    // over at its first frame, or, when that has been played, with a short fade at the earliest frame that has not;
    // where older sound is behind it, it leads over to that within as much, until what follows has come.
    // cut: what is missing before it, or was to be replaced, has been skipped for good.
    write(frame, left, right, replaces = false, cut = false) {
        const sound = [left, right];
        const after = frame + left.length;
        const gap = frame - this.end;
        if (this.begin === this.end || gap >= this.capacity / 2 || after <= this.end - this.capacity / 2) {
            this.#restart(frame);
        } else if (gap > 0 && cut && this.#mayCut()) {
            this.#store(CUT_TO, frame);
            this.#store(CUT_FROM, this.end);
        } else if (gap > 0) {
            if (this.head < 0 || this.end - this.head > FADE_FRAMES + MARGIN_FRAMES) this.#bridge(frame);
            else this.#restart(frame);
        }
        if (replaces && frame < this.end) this.#replace(frame, sound, cut);
        else this.#append(frame, sound);
        const end = Math.max(this.end, after);
        this.#store(BEGIN, Math.max(this.begin, end - this.capacity));
        this.#store(END, end);
    }

    // Reader. Copies `count` frames from `frame` on; all of them must be there.
    read(frame, left, right, count) {
        for (let i = 0; i < count; i++) {
            const at = (frame + i) & this.#mask;
            left[i] = this.#channels[0][at];
            right[i] = this.#channels[1][at];
        }
    }

    // Reader. One sample.
    sample(channel, frame) {
        return this.#channels[channel][frame & this.#mask];
    }

    // The reader plays, has passed the last cut, and will be in time for this one.
    #mayCut() {
        const head = this.head;
        const passed = this.cutFrom < 0 || head >= this.cutTo;
        return head >= 0 && passed && this.end - head > CROSS_FRAMES + MARGIN_FRAMES;
    }

    #restart(frame) {
        this.#seam = -1;
        this.#store(CUT_FROM, -1);
        this.#store(END, frame);
        this.#store(BEGIN, frame);
    }

    // A gap becomes silence that the sound fades into and out of.
    #bridge(frame) {
        const end = this.end;
        for (const channel of this.#channels) {
            for (let i = 1; i <= FADE_FRAMES; i++) channel[(end - i) & this.#mask] *= (i - 1) / FADE_FRAMES;
            for (let f = end; f < frame; f++) channel[f & this.#mask] = 0;
        }
        this.#store(BEGIN, Math.max(this.begin, frame - this.capacity / 2));
        this.#store(END, frame);
        this.#fadeInNext = true;
    }

    #append(frame, sound) {
        this.#copy(frame, sound, Math.max(0, this.end - frame));
        if (!this.#fadeInNext) return;
        this.#fadeInNext = false;
        const count = Math.min(FADE_FRAMES, sound[0].length);
        for (const channel of this.#channels) {
            for (let i = 0; i < count; i++) channel[(frame + i) & this.#mask] *= i / count;
        }
    }

    #replace(frame, sound, cut) {
        const frames = sound[0].length;
        const skipped = this.head < 0 ? 0 : Math.max(0, this.head + MARGIN_FRAMES - frame);
        if (skipped > 0 || cut) this.#leadsInNext = true;
        if (frame === this.#seam) this.#closeSeam();
        if (skipped >= frames) return;
        const older = frame + frames < this.end;
        if (older && frames - skipped < 2 * FADE_FRAMES) {
            this.#leadsInNext = true;
            return;
        }
        const faded = this.#leadsInNext ? Math.min(FADE_FRAMES, frames - skipped) : 0;
        this.#leadsInNext = false;
        sound.forEach((samples, c) => this.#mix(c, frame + skipped, samples.subarray(skipped, skipped + faded),
            (i) => (i + 1) / faded));
        this.#copy(frame, sound, skipped + faded, older ? frames - FADE_FRAMES : frames);
        if (older) this.#leadOver(frame + frames, sound);
    }

    // At the end of the sound, to what is there already.
    #leadOver(seam, sound) {
        this.#seam = seam;
        sound.forEach((samples, c) => {
            this.#tail[c].set(samples.subarray(samples.length - FADE_FRAMES));
            this.#mix(c, seam - FADE_FRAMES, this.#tail[c], (i) => 1 - (i + 1) / FADE_FRAMES);
        });
    }

    // What follows the seam has come after all: in time, or when it is being led over.
    #closeSeam() {
        const from = this.#seam - FADE_FRAMES;
        if (this.head < 0 || this.head + MARGIN_FRAMES <= from) this.#copy(from, this.#tail, 0);
        else this.#leadsInNext = true;
        this.#seam = -1;
    }

    #mix(c, frame, samples, share) {
        const channel = this.#channels[c];
        for (let i = 0; i < samples.length; i++) {
            const at = (frame + i) & this.#mask;
            channel[at] += (samples[i] - channel[at]) * share(i);
        }
    }

    #copy(frame, sound, from, until = sound[0].length) {
        this.#channels.forEach((channel, c) => {
            for (let i = from; i < until; i++) channel[(frame + i) & this.#mask] = sound[c][i];
        });
    }

    #load(field) {
        return Number(Atomics.load(this.#header, field));
    }

    #store(field, frame) {
        Atomics.store(this.#header, field, BigInt(frame));
    }
}
