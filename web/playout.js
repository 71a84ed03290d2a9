// Decides what is heard: plays the ring by frame number, in step with the live playhead. Runs in the audio thread, or
// in the page where there is none; knows neither.
//
// It starts when the live frame and START_FRAMES more are there, fades in and out over 20 ms around a gap, over 50 ms
// at a pause, and bends its pace by half a thousandth (less than a cent) to stay with the server's clock.

const START_FRAMES = 7200;
const FADE_FRAMES = 960;
const PAUSE_FRAMES = 2400;
// Further than this from the live frame it jumps; further than BEND_FROM it bends its pace until BEND_UNTIL.
const JUMP_FRAMES = 24000;
const BEND_FROM_FRAMES = 960;
const BEND_UNTIL_FRAMES = 48;
const BEND = 0.0005;
const SILENCE = 1e-4;

export class Playout {
    #ring = null;
    #nextRing = null;
    #state = 'stopped';
    #position = 0;
    #fraction = 0;
    #rate = 1;
    // The bend ends as soon as the position falls on a whole frame.
    #straightening = false;
    #gain = 0;
    #liveOffset = NaN;
    #heldLeft = 0;
    #heldRight = 0;
    #soundAt = -1;
    #underruns = 0;
    #jumps = 0;

    // Another programme: fades out of the old one first.
    setRing(ring) {
        if (this.#ring === null || this.#state === 'stopped' || this.#state === 'waiting') {
            this.#ring = ring;
        } else {
            this.#nextRing = ring;
            if (this.#state === 'playing') this.#state = 'leaving';
        }
    }

    // Live programme frame minus frame of the audio context; changes little from call to call.
    setLiveOffset(frames) {
        this.#liveOffset = frames;
    }

    play(liveOffset) {
        this.#liveOffset = liveOffset;
        this.#soundAt = -1;
        if (this.#state === 'stopped') this.#state = 'waiting';
        else if (this.#state === 'stopping') this.#state = 'leaving';
    }

    pause() {
        if (this.#state === 'waiting') this.#state = 'stopped';
        else if (this.#state !== 'stopped') this.#state = 'stopping';
    }

    // soundFrame: context frame of the first sound since play(), -1 before it.
    stats() {
        return {
            state: this.#state,
            position: this.#state === 'playing' ? this.#position : -1,
            end: this.#ring ? this.#ring.end : 0,
            underruns: this.#underruns,
            jumps: this.#jumps,
            soundFrame: this.#soundAt,
        };
    }

    // Fills two equally long channels with what is heard from contextFrame of the audio context on.
    render(left, right, contextFrame) {
        const live = contextFrame + this.#liveOffset;
        if (this.#state === 'waiting') this.#tryStart(live);
        if (this.#state === 'stopped' || this.#state === 'waiting') {
            left.fill(0);
            right.fill(0);
            return;
        }
        this.#followClock(live);
        this.#ring.head = this.#position;
        if (this.#isPlain(left.length)) {
            this.#ring.read(this.#position, left, right, left.length);
            this.#position += left.length;
            this.#heldLeft = left[left.length - 1];
            this.#heldRight = right[right.length - 1];
        } else {
            for (let i = 0; i < left.length; i++) this.#renderSample(left, right, i);
        }
        if (this.#soundAt < 0 && left.some((sample) => Math.abs(sample) > SILENCE)) this.#soundAt = contextFrame;
        this.#settle();
    }

    #tryStart(live) {
        if (!this.#ring || Number.isNaN(live)) return;
        const frame = Math.round(live);
        if (frame <= this.#ring.begin || frame + START_FRAMES > this.#ring.end) return;
        this.#position = frame;
        this.#fraction = 0;
        this.#rate = 1;
        this.#straightening = false;
        this.#gain = 0;
        this.#state = 'playing';
    }

    #followClock(live) {
        const ahead = this.#position - live;
        if (Number.isNaN(ahead) || this.#state !== 'playing') return;
        if (Math.abs(ahead) > JUMP_FRAMES) {
            this.#jumps++;
            this.#state = 'leaving';
        } else if (this.#rate === 1 && Math.abs(ahead) > BEND_FROM_FRAMES) {
            this.#rate = ahead > 0 ? 1 - BEND : 1 + BEND;
        } else if (this.#rate !== 1 && Math.abs(ahead) < BEND_UNTIL_FRAMES) {
            this.#straightening = true;
        }
    }

    // Nothing to fade, nothing to bend: the common case.
    #isPlain(frames) {
        return this.#state === 'playing' && this.#gain === 1 && this.#rate === 1 && this.#fraction === 0
            && this.#position >= this.#ring.begin && this.#position + frames + FADE_FRAMES <= this.#ring.end;
    }

    #renderSample(left, right, i) {
        const remaining = this.#ring.end - this.#position;
        const there = remaining > 2 && this.#position > this.#ring.begin;
        const wanted = there && this.#state === 'playing' && remaining > FADE_FRAMES ? 1 : 0;
        const step = 1 / (this.#state === 'stopping' ? PAUSE_FRAMES : FADE_FRAMES);
        this.#gain += Math.max(-step, Math.min(step, wanted - this.#gain));
        if (there) {
            this.#heldLeft = this.#interpolate(0);
            this.#heldRight = this.#interpolate(1);
            this.#advance();
        }
        left[i] = this.#heldLeft * this.#gain;
        right[i] = this.#heldRight * this.#gain;
    }

    // Catmull-Rom spline through the four samples around the position.
    #interpolate(channel) {
        const b = this.#ring.sample(channel, this.#position);
        if (this.#fraction === 0) return b;
        const a = this.#ring.sample(channel, this.#position - 1);
        const c = this.#ring.sample(channel, this.#position + 1);
        const d = this.#ring.sample(channel, this.#position + 2);
        const t = this.#fraction;
        return b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)));
    }

    #advance() {
        const next = this.#fraction + this.#rate;
        const whole = Math.floor(next);
        this.#position += whole;
        this.#fraction = next - whole;
        if (!this.#straightening || whole === 1) return;
        if (whole === 0) this.#position++;
        this.#fraction = 0;
        this.#rate = 1;
        this.#straightening = false;
    }

    // What a fade to nothing was for.
    #settle() {
        if (this.#gain > 0) return;
        if (this.#state === 'playing') this.#underruns++;
        this.#state = this.#state === 'stopping' ? 'stopped' : 'waiting';
        this.#ring.head = -1;
        if (this.#nextRing) this.#ring = this.#nextRing;
        this.#nextRing = null;
    }
}
