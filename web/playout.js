// Decides what is heard: plays the ring by frame number, in step with the live playhead. Runs in the audio thread, or
// in the page where there is none; knows neither.
//
// It starts when the live frame and START_FRAMES more are there, fades in and out over 20 ms around a gap, over 50 ms
// at a pause, and stays within some milliseconds of the server's clock, and so of all other players: no frame is
// dropped or played twice, but its pace is bent by 300 ppm (half a cent), more than sound cards drift; in its first
// seconds, until it is well known where it stands, by a few cents. Where the station skipped sound it plays on to the
// cut and crossfades to what follows, if enough of that is there: it is then ahead of the live playhead and falls back
// into step by bending. Otherwise it falls silent until the live playhead is past the cut.
import { interpolate, REACH_FRAMES } from './interpolate.js';
import { CROSS_FRAMES } from './ring.js';

const START_FRAMES = 7200;
const FADE_FRAMES = 960;
const PAUSE_FRAMES = 2400;
// Further than this from the live frame it jumps; further than BEND_FROM it bends its pace until BEND_UNTIL.
const JUMP_FRAMES = 24000;
const BEND_FROM_FRAMES = 72;
const BEND_UNTIL_FRAMES = 24;
const BEND = 0.0003;
const SETTLE_FRAMES = 480000;
const SETTLE_BEND = 0.002;
const SILENCE = 1e-4;
// What has to be there beyond a cut, and how far ahead of the live frame it may bring us.
const BEYOND_CUT_FRAMES = 48000;
const MOST_AHEAD_FRAMES = 192000;

export class Playout {
    #ring = null;
    #nextRing = null;
    #state = 'stopped';
    #position = 0;
    #fraction = 0;
    // Of the audio context, where what was rendered last ends.
    #contextFrame = 0;
    #rate = 1;
    // How much has been heard since it started.
    #playedFrames = 0;
    // The bend ends as soon as the position falls on a whole frame.
    #straightening = false;
    #gain = 0;
    #liveOffset = NaN;
    #heldLeft = 0;
    #heldRight = 0;
    #soundAt = -1;
    #underruns = 0;
    #jumps = 0;
    #skips = 0;
    // How far ahead of the live frame a skip has brought us.
    #shift = 0;
    // The sound that plays now ends here: at a cut, or where nothing more has come.
    #end = 0;
    #crossing = false;

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
    // bufferedFrames: there to be played after `position`, what was cut not counted.
    // contextFrame: of the audio context, at which `position` is heard.
    stats() {
        const playing = this.#state === 'playing';
        return {
            state: this.#state,
            position: playing ? this.#position : -1,
            contextFrame: this.#contextFrame,
            bufferedFrames: playing ? this.#bufferedFrames() : 0,
            underruns: this.#underruns,
            jumps: this.#jumps,
            skips: this.#skips,
            soundFrame: this.#soundAt,
        };
    }

    // Fills two equally long channels with what is heard from contextFrame of the audio context on.
    render(left, right, contextFrame) {
        const live = contextFrame + this.#liveOffset;
        this.#contextFrame = contextFrame + left.length;
        this.#playedFrames += left.length;
        if (this.#state === 'waiting') this.#tryStart(live);
        if (this.#state === 'stopped' || this.#state === 'waiting') {
            left.fill(0);
            right.fill(0);
            return;
        }
        this.#shift = Math.max(0, this.#shift - left.length * BEND);
        this.#followClock(live + this.#shift);
        this.#lookAhead();
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
        if (frame < this.#ring.cutTo && frame + START_FRAMES > this.#ring.cutFrom && this.#ring.cutFrom >= 0) return;
        this.#position = frame;
        this.#fraction = 0;
        this.#playedFrames = 0;
        this.#rate = 1;
        this.#straightening = false;
        this.#gain = 0;
        this.#shift = 0;
        this.#crossing = false;
        this.#state = 'playing';
    }

    #followClock(live) {
        const ahead = this.#position + this.#fraction - live;
        if (Number.isNaN(ahead) || this.#state !== 'playing') return;
        if (Math.abs(ahead) > JUMP_FRAMES) {
            this.#jumps++;
            this.#state = 'leaving';
        } else if (this.#rate !== 1 && Math.abs(ahead) < BEND_UNTIL_FRAMES) {
            this.#straightening = true;
        } else if (this.#rate !== 1 || Math.abs(ahead) > BEND_FROM_FRAMES) {
            const bend = this.#playedFrames < SETTLE_FRAMES ? SETTLE_BEND : BEND;
            this.#rate = ahead > 0 ? 1 - bend : 1 + bend;
        }
    }

    // Is there a cut ahead, and can it be crossed? That is decided before the crossfade would begin, once.
    #lookAhead() {
        const ring = this.#ring;
        const end = ring.end;
        const cut = ring.cutFrom > this.#position ? ring.cutFrom : -1;
        this.#end = cut < 0 ? end : cut;
        if (cut < 0) this.#crossing = false;
        if (cut < 0 || this.#crossing || this.#position >= cut - CROSS_FRAMES) return;
        this.#crossing = end - ring.cutTo >= BEYOND_CUT_FRAMES
            && this.#shift + ring.cutTo + CROSS_FRAMES - cut <= MOST_AHEAD_FRAMES;
    }

    #bufferedFrames() {
        const ring = this.#ring;
        const end = ring.end;
        const missing = ring.cutFrom > this.#position ? ring.cutTo - ring.cutFrom : 0;
        return Math.max(0, end - missing - this.#position);
    }

    // Nothing to fade, nothing to bend: the common case.
    #isPlain(frames) {
        const until = this.#position + frames + (this.#crossing ? CROSS_FRAMES : FADE_FRAMES);
        return this.#state === 'playing' && this.#gain === 1 && this.#rate === 1 && this.#fraction === 0
            && this.#position >= this.#ring.begin && until <= this.#end;
    }

    #renderSample(left, right, i) {
        const remaining = (this.#crossing ? this.#ring.end : this.#end) - this.#position;
        const there = remaining > REACH_FRAMES && this.#position > this.#ring.begin;
        const wanted = there && this.#state === 'playing' && remaining > FADE_FRAMES ? 1 : 0;
        const step = 1 / (this.#state === 'stopping' ? PAUSE_FRAMES : FADE_FRAMES);
        this.#gain += Math.max(-step, Math.min(step, wanted - this.#gain));
        if (there) {
            const crossed = this.#crossing ? this.#position - (this.#end - CROSS_FRAMES) : -1;
            this.#heldLeft = this.#sound(0, crossed);
            this.#heldRight = this.#sound(1, crossed);
            this.#advance();
            if (this.#crossing && this.#position >= this.#end) this.#land();
        }
        left[i] = this.#heldLeft * this.#gain;
        right[i] = this.#heldRight * this.#gain;
    }

    // crossed: how much of a crossfade is over, negative before it. Sounds that have nothing to do with each other keep
    // their power when the squares of their gains add up to one.
    #sound(channel, crossed) {
        const old = this.#at(channel, this.#position);
        if (crossed < 0) return old;
        const angle = (crossed + this.#fraction) / CROSS_FRAMES * Math.PI / 2;
        return old * Math.cos(angle) + this.#at(channel, this.#ring.cutTo + crossed) * Math.sin(angle);
    }

    // Beyond the cut.
    #land() {
        const ahead = this.#ring.cutTo + CROSS_FRAMES - this.#end;
        this.#position += ahead;
        this.#shift += ahead;
        this.#end = this.#ring.end;
        this.#crossing = false;
        this.#skips++;
    }

    // Sample by sample as it is, unless the pace is bent.
    #at(channel, frame) {
        if (this.#fraction === 0) return this.#ring.sample(channel, frame);
        return interpolate(this.#ring, channel, frame, this.#fraction);
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
