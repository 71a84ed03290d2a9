import assert from 'node:assert/strict';
import { test } from 'node:test';
import { interpolate, REACH_FRAMES } from '../../../web/interpolate.js';

const ringOf = (sound) => ({ sample: (_, frame) => sound(frame) });

// The worst error between samples of a sine of amplitude 1, in decibels.
function worstDb(hz) {
    const sine = (frame) => Math.sin(2 * Math.PI * hz * frame / 48000 + 0.3);
    const ring = ringOf(sine);
    let worst = 0;
    for (let i = 0; i < 2000; i++) {
        const fraction = i * 0.61803398875 % 1;
        worst = Math.max(worst, Math.abs(interpolate(ring, 0, 1000 + i, fraction) - sine(1000 + i + fraction)));
    }
    return 20 * Math.log10(worst);
}

test('at a sample it is that sample', () => {
    const ring = ringOf((frame) => (frame === 7 ? 0.5 : frame % 3 - 1));
    assert.ok(Math.abs(interpolate(ring, 0, 7, 0) - 0.5) < 1e-6);
});

test('what stands still stands still between samples', () => {
    for (let i = 0; i < 100; i++) assert.ok(Math.abs(interpolate(ringOf(() => 0.7), 0, 0, i / 100) - 0.7) < 1e-6);
});

test('it looks no further than it says', () => {
    const frames = [];
    interpolate({ sample: (_, frame) => frames.push(frame) && 0 }, 0, 100, 0.5);
    assert.ok(Math.min(...frames) >= 100 - REACH_FRAMES && Math.max(...frames) <= 100 + REACH_FRAMES);
});

test('tones of music come out as they are', () => {
    const limits = [[100, -70], [1000, -70], [4000, -70], [12000, -70], [16000, -70], [18000, -40]];
    const found = limits.map(([hz, most]) => [hz, worstDb(hz), most]);
    for (const [hz, db, most] of found) assert.ok(db < most, `${hz} Hz: ${db.toFixed(1)} dB; all: ${found}`);
});
