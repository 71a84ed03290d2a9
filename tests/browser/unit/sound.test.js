import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Playout } from '../../../web/playout.js';
import { Ring } from '../../../web/ring.js';

const CHUNK = 4800;
const BLOCK = 128;

// A slow sine by frame number, so that every frame's sound is known and a jump shows; loud where chunks begin.
const tone = (frame) => 0.5 * Math.sin(2 * Math.PI * (frame + 100) / 480);

function chunk(frame, sound = tone, frames = CHUNK) {
    const left = Float32Array.from({ length: frames }, (_, i) => sound(frame + i));
    return [frame, left, left.map((sample) => -sample)];
}

function ringWith(first, last, capacity = 1 << 17) {
    const ring = new Ring(capacity, { shared: true });
    for (let frame = first; frame < last; frame += CHUNK) ring.write(...chunk(frame));
    return ring;
}

function readMany(ring, from, until) {
    const left = new Float32Array(until - from);
    const right = new Float32Array(until - from);
    ring.read(from, left, right, until - from);
    return left;
}

function readOne(ring, frame) {
    return readMany(ring, frame, frame + 1)[0];
}

test('a ring holds frames where they belong, through another view of the same memory', () => {
    const ring = ringWith(96000000000, 96000000000 + 10 * CHUNK);
    const other = new Ring(ring.capacity, { buffer: ring.buffer });
    assert.equal(other.begin, 96000000000);
    assert.equal(other.end, 96000000000 + 10 * CHUNK);
    assert.equal(other.head, -1);
    for (const frame of [96000000000, 96000000001, other.end - 1]) {
        assert.ok(Math.abs(readOne(other, frame) - tone(frame)) < 1e-6);
    }
});

test('a ring forgets what is older than its capacity', () => {
    const ring = ringWith(0, 60 * CHUNK);
    assert.equal(ring.end, 60 * CHUNK);
    assert.equal(ring.begin, 60 * CHUNK - ring.capacity);
});

test('what is there stays, unless it is replaced', () => {
    const ring = ringWith(0, 4 * CHUNK);
    const flat = () => 0.25;
    ring.write(...chunk(2 * CHUNK, flat));
    assert.ok(Math.abs(readOne(ring, 2 * CHUNK + 7) - tone(2 * CHUNK + 7)) < 1e-6);
    ring.write(...chunk(2 * CHUNK, flat), true);
    assert.ok(Math.abs(readOne(ring, 2 * CHUNK - 1) - tone(2 * CHUNK - 1)) < 1e-6);
    assert.equal(readOne(ring, 2 * CHUNK), 0.25);
    assert.equal(ring.end, 4 * CHUNK);
});

test('a replacement that comes too late is faded into ahead of the reader', () => {
    const ring = ringWith(0, 8 * CHUNK);
    const moved = (frame) => tone(frame) + 0.4;
    ring.head = 2 * CHUNK + 1000;
    ring.write(...chunk(2 * CHUNK, moved), true);
    ring.write(...chunk(3 * CHUNK, moved), true);
    assert.ok(Math.abs(readOne(ring, ring.head + 500) - tone(ring.head + 500)) < 1e-6, 'the next frames are untouched');
    const worst = steepest(readMany(ring, ring.head, 4 * CHUNK));
    assert.ok(worst < 0.01, `no step, but ${worst}`);
    assert.ok(Math.abs(readOne(ring, 4 * CHUNK - 1000) - moved(4 * CHUNK - 1000)) < 1e-6);
});

test('a replacement that stops halfway leads over to the older sound behind it', () => {
    const ring = ringWith(0, 8 * CHUNK);
    const moved = (frame) => tone(frame) + 0.4;
    ring.write(...chunk(2 * CHUNK, moved), true);
    ring.write(...chunk(3 * CHUNK, moved), true);
    assert.ok(Math.abs(readOne(ring, 3 * CHUNK) - moved(3 * CHUNK)) < 1e-6, 'no fade where it was continued');
    assert.ok(Math.abs(readOne(ring, 3 * CHUNK - 1) - moved(3 * CHUNK - 1)) < 1e-6);
    assert.ok(steepest(readMany(ring, 3 * CHUNK, 5 * CHUNK)) < 0.01);
    assert.ok(Math.abs(readOne(ring, 4 * CHUNK) - tone(4 * CHUNK)) < 1e-6);
    ring.head = 4 * CHUNK - 1000;
    for (let i = 4; i < 8; i++) ring.write(...chunk(i * CHUNK, moved), true);
    assert.ok(steepest(readMany(ring, 3 * CHUNK, 8 * CHUNK)) < 0.01, 'what comes too late to go on is faded in');
    assert.ok(Math.abs(readOne(ring, 6 * CHUNK) - moved(6 * CHUNK)) < 1e-6);
});

test('a replacement after a skip is faded in', () => {
    const ring = ringWith(0, 8 * CHUNK);
    const moved = (frame) => tone(frame) + 0.4;
    ring.write(...chunk(2 * CHUNK, moved), true);
    ring.write(...chunk(5 * CHUNK, moved), true, true);
    assert.ok(Math.abs(readOne(ring, 4 * CHUNK) - tone(4 * CHUNK)) < 1e-6);
    assert.ok(steepest(readMany(ring, 2 * CHUNK, 8 * CHUNK)) < 0.01);
});

test('a small gap becomes silence between fades, a large one a new beginning', () => {
    const ring = ringWith(0, 4 * CHUNK);
    ring.write(...chunk(6 * CHUNK));
    assert.equal(ring.end, 7 * CHUNK);
    assert.equal(readOne(ring, 5 * CHUNK), 0);
    const worst = steepest(readMany(ring, 3 * CHUNK, 7 * CHUNK));
    assert.ok(worst < 0.01, `no step, but ${worst}`);
    ring.write(...chunk(1000 * CHUNK));
    assert.equal(ring.begin, 1000 * CHUNK);
    ring.write(...chunk(10 * CHUNK));
    assert.equal(ring.begin, 10 * CHUNK, 'frames far behind begin anew too');
});

test('a cut is told to the reader who is in time for it, else the gap is silence', () => {
    const ring = ringWith(0, 4 * CHUNK);
    ring.head = CHUNK;
    ring.write(...chunk(8 * CHUNK), false, true);
    assert.deepEqual([ring.cutFrom, ring.cutTo, ring.end], [4 * CHUNK, 8 * CHUNK, 9 * CHUNK]);
    assert.ok(Math.abs(readOne(ring, 4 * CHUNK - 1) - tone(4 * CHUNK - 1)) < 1e-6, 'nothing is faded');
    assert.ok(Math.abs(readOne(ring, 8 * CHUNK) - tone(8 * CHUNK)) < 1e-6);
    ring.write(...chunk(12 * CHUNK), false, true);
    assert.deepEqual([ring.cutFrom, ring.cutTo], [4 * CHUNK, 8 * CHUNK], 'one cut at a time');
    assert.equal(readOne(ring, 10 * CHUNK), 0);
    for (const head of [-1, 4 * CHUNK - 1000]) {
        const other = ringWith(0, 4 * CHUNK);
        other.head = head;
        other.write(...chunk(8 * CHUNK), false, true);
        assert.equal(other.cutFrom, -1);
    }
});

// Renders for `frames` and collects the left channel; `each(contextFrame)` runs before every block.
function run(playout, from, frames, each = () => {}) {
    const heard = [];
    const left = new Float32Array(BLOCK);
    const right = new Float32Array(BLOCK);
    for (let at = from; at < from + frames; at += BLOCK) {
        each(at);
        playout.render(left, right, at);
        heard.push(...left);
    }
    return heard;
}

function steepest(heard) {
    let worst = 0;
    for (let i = 1; i < heard.length; i++) worst = Math.max(worst, Math.abs(heard[i] - heard[i - 1]));
    return worst;
}

// How much the slope changes from one sample to the next at most.
function sharpest(heard) {
    const slopes = heard.slice(1).map((sample, i) => sample - heard[i]);
    return steepest(slopes);
}

const TONE_STEP = 0.5 * 2 * Math.PI / 480 * 1.2;

function playing(ring, liveOffset) {
    const playout = new Playout();
    playout.setRing(ring);
    playout.play(liveOffset);
    return playout;
}

test('nothing is heard before play, and play begins at the live frame with a fade', () => {
    const playout = new Playout();
    playout.setRing(ringWith(0, 20 * CHUNK));
    playout.setLiveOffset(1000);
    assert.ok(run(playout, 0, BLOCK).every((sample) => sample === 0));
    assert.equal(playout.stats().soundFrame, -1);
    playout.play(1000);
    const heard = run(playout, BLOCK, 4096);
    assert.ok(steepest(heard) < TONE_STEP);
    assert.ok(Math.abs(heard.at(-1) - tone(1000 + BLOCK + 4095)) < 1e-6);
    assert.equal(playout.stats().position, 1000 + BLOCK + 4096);
    assert.equal(playout.stats().soundFrame, BLOCK);
});

test('it waits until enough is there', () => {
    const ring = ringWith(0, 2 * CHUNK);
    const playout = playing(ring, 4000);
    run(playout, 0, BLOCK);
    assert.equal(playout.stats().state, 'waiting');
    ring.write(...chunk(2 * CHUNK));
    run(playout, BLOCK, BLOCK);
    assert.equal(playout.stats().state, 'playing');
});

test('an underrun fades out, is counted, and ends at the live frame', () => {
    const ring = ringWith(0, 4 * CHUNK);
    const playout = playing(ring, 1);
    const before = run(playout, 0, 4 * CHUNK + 2048);
    assert.equal(playout.stats().state, 'waiting');
    assert.equal(playout.stats().underruns, 1);
    for (let frame = 4 * CHUNK; frame < 20 * CHUNK; frame += CHUNK) ring.write(...chunk(frame));
    const from = 4 * CHUNK + 2048;
    const after = run(playout, from, 3 * BLOCK * 20);
    assert.ok(steepest([...before, ...after]) < TONE_STEP + 0.5 / 960);
    assert.ok(Math.abs(after.at(-1) - tone(from + 3 * BLOCK * 20)) < 1e-6);
    assert.equal(playout.stats().underruns, 1);
});

test('a chunk that comes at the last moment is no underrun', () => {
    const ring = ringWith(0, 4 * CHUNK);
    const playout = playing(ring, 1);
    run(playout, 0, 10 * CHUNK, (at) => {
        if (at + 1500 > ring.end) ring.write(...chunk(ring.end));
    });
    assert.equal(playout.stats().underruns, 0);
});

test('pause fades for 50 ms and gives the ring free', () => {
    const ring = ringWith(0, 20 * CHUNK);
    const playout = playing(ring, 1);
    const before = run(playout, 0, 9600);
    playout.pause();
    const heard = run(playout, 9600, 4800);
    assert.ok(steepest([...before, ...heard]) < TONE_STEP);
    assert.ok(heard.slice(2400 + BLOCK).every((sample) => sample === 0));
    assert.equal(playout.stats().state, 'stopped');
    assert.equal(playout.stats().underruns, 0);
    assert.equal(ring.head, -1);
});

test('play during the fade of a pause comes back', () => {
    const playout = playing(ringWith(0, 20 * CHUNK), 1);
    run(playout, 0, 9600);
    playout.pause();
    run(playout, 9600, 512);
    playout.play(1);
    const heard = run(playout, 9600 + 512, 4096);
    assert.equal(playout.stats().state, 'playing');
    assert.ok(steepest(heard) < TONE_STEP + 0.5 / 960);
});

test('another programme is faded into', () => {
    const playout = playing(ringWith(0, 20 * CHUNK), 1);
    const before = run(playout, 0, 9600);
    playout.setRing(ringWith(48000000, 48000000 + 10 * CHUNK));
    playout.setLiveOffset(48000000 - 9600 + 100);
    const heard = run(playout, 9600, 9600);
    assert.ok(steepest([...before, ...heard]) < TONE_STEP + 0.5 / 960);
    assert.equal(playout.stats().state, 'playing');
    assert.equal(playout.stats().position, 48000000 + 9600 + 100);
    assert.equal(playout.stats().underruns, 0);
});

test('a ring that begins anew under the reader makes no click', () => {
    const ring = ringWith(0, 20 * CHUNK);
    const playout = playing(ring, 1);
    const before = run(playout, 0, 9600);
    ring.write(...chunk(5000 * CHUNK));
    const after = run(playout, 9600, 4800);
    assert.ok(steepest([...before, ...after]) < TONE_STEP + 0.5 / 960);
    assert.equal(playout.stats().state, 'waiting');
});

for (const [what, offset] of [['behind', 1200], ['ahead', -1200]]) {
    test(`it bends its pace back into step when it is ${what}`, () => {
        const ring = ringWith(0, 20 * CHUNK);
        const playout = playing(ring, 10001);
        const follow = (at) => {
            while (ring.end < at + 10001 + 20000) ring.write(...chunk(ring.end));
        };
        run(playout, 0, 4736, follow);
        playout.setLiveOffset(10001 + offset);
        const frames = 128 * 34000;
        const heard = run(playout, 4736, frames, follow);
        assert.ok(sharpest(heard) < 0.5 * (2 * Math.PI / 480) ** 2 * 1.2, 'without a kink');
        const { position, jumps, underruns } = playout.stats();
        assert.ok(Math.abs(position - (4736 + frames + 10001 + offset)) < 30);
        assert.deepEqual([jumps, underruns], [0, 0]);
        assert.ok(Math.abs(heard.at(-1) - tone(position - 1)) < 1e-6, 'and then plays samples as they are');
    });
}

test('far out of step it jumps to the live frame through a fade', () => {
    const playout = playing(ringWith(0, 25 * CHUNK), 1);
    run(playout, 0, 4800);
    playout.setLiveOffset(50000);
    const heard = run(playout, 4864, 6400);
    assert.ok(steepest(heard) < TONE_STEP + 0.5 / 960);
    assert.equal(playout.stats().jumps, 1);
    assert.equal(playout.stats().position, 4864 + 6400 + 50000);
});

// Frames up to 6 chunks, then a cut, then `beyond` chunks of another sound from chunk 16 on.
function cutRing(beyond, other) {
    const ring = ringWith(0, 6 * CHUNK, 1 << 18);
    const playout = playing(ring, 1);
    const before = run(playout, 0, 2 * CHUNK);
    for (let i = 0; i < beyond; i++) ring.write(...chunk((16 + i) * CHUNK, other), false, i === 0);
    return { ring, playout, before };
}

test('a cut is crossed by an equal-power fade, and what was queued is heard up to it', () => {
    const other = (frame) => 0.5 * Math.sin(2 * Math.PI * frame / 313);
    const { ring, playout, before } = cutRing(14, other);
    assert.equal(playout.stats().bufferedFrames, 18 * CHUNK - 1);
    const heard = [...before, ...run(playout, 2 * CHUNK, 8 * CHUNK)];
    const cross = 6 * CHUNK - 2400 - 1;
    assert.ok(Math.abs(heard[cross - 1] - tone(cross)) < 1e-6, 'the old sound up to the crossfade');
    for (let i = 0; i < 2400; i++) {
        const angle = i / 2400 * Math.PI / 2;
        const expected = tone(cross + 1 + i) * Math.cos(angle) + other(16 * CHUNK + i) * Math.sin(angle);
        assert.ok(Math.abs(heard[cross + i] - expected) < 1e-6, `frame ${i} of the crossfade`);
    }
    const after = 16 * CHUNK + 2400;
    assert.ok(Math.abs(heard[cross + 2400] - other(after)) < 1e-6, 'and then the new one');
    assert.ok(Math.abs(heard[10 * CHUNK - 1] - other(after + 10 * CHUNK - 1 - cross - 2400)) < 1e-6);
    assert.ok(steepest(heard) < 0.5 * 2 * Math.PI / 313 + TONE_STEP, 'without a step');
    const { state, underruns, jumps, skips, position, bufferedFrames } = playout.stats();
    assert.deepEqual([state, underruns, jumps, skips], ['playing', 0, 0, 1]);
    assert.equal(bufferedFrames, ring.end - position);
});

test('after a crossed cut it falls back into step without a jump', () => {
    const { ring, playout } = cutRing(14, tone);
    const frames = 128 * 34000;
    const heard = run(playout, 2 * CHUNK, frames, (at) => {
        while (ring.end < at + 40 * CHUNK) ring.write(...chunk(ring.end));
    });
    const { position, jumps, underruns } = playout.stats();
    const ahead = position - (2 * CHUNK + frames + 1);
    const skipped = 10 * CHUNK + 2400;
    assert.deepEqual([jumps, underruns], [0, 0]);
    assert.ok(ahead < skipped - 1000 && ahead > skipped - 0.0003 * frames - 1, `${skipped - ahead} frames made up`);
    assert.ok(steepest(heard.slice(10 * CHUNK)) < TONE_STEP);
});

for (const [what, beyond] of [['too little is there', 9], ['it leads too far ahead', 14]]) {
    test(`a cut is not crossed when ${what} beyond it`, () => {
        const ring = ringWith(0, 6 * CHUNK, 1 << 19);
        const playout = playing(ring, 1);
        run(playout, 0, 2 * CHUNK);
        const to = (beyond === 9 ? 16 : 46) * CHUNK;
        for (let i = 0; i < beyond; i++) ring.write(...chunk(to + i * CHUNK), false, i === 0);
        const heard = run(playout, 2 * CHUNK, 5 * CHUNK);
        assert.ok(steepest(heard) < TONE_STEP + 0.5 / 960);
        assert.deepEqual([playout.stats().state, playout.stats().skips], ['waiting', 0]);
        run(playout, 7 * CHUNK, to - 7 * CHUNK - BLOCK * 2);
        assert.equal(playout.stats().state, 'waiting', 'silent as long as the live frame is missing');
        run(playout, to - BLOCK * 2, CHUNK);
        assert.equal(playout.stats().state, 'playing');
        assert.equal(playout.stats().position, to - BLOCK * 2 + Math.ceil(CHUNK / BLOCK) * BLOCK + 1);
    });
}

test('what comes beyond a cut while the crossfade would be under way is not crossfaded halfway', () => {
    const { ring, playout } = cutRing(9, tone);
    run(playout, 2 * CHUNK, 3.75 * CHUNK);
    for (let i = 0; i < 5; i++) ring.write(...chunk(ring.end));
    const heard = run(playout, 5.75 * CHUNK, CHUNK);
    assert.ok(steepest(heard) < TONE_STEP + 0.5 / 960);
    assert.equal(playout.stats().skips, 0);
});
