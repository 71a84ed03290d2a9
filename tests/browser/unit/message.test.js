import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseMessage } from '../../../web/message.js';
import { Underruns } from '../../../web/underruns.js';

// An Opus message; `change` may spoil the bytes.
function opus({ sizes = [3, 1, 4, 1, 5], flags = 0, frames = sizes.length * 960, extra = 0 } = {}, change = () => {}) {
    const payload = sizes.reduce((sum, size) => sum + size, 0);
    const buffer = new ArrayBuffer(20 + 2 * sizes.length + payload + extra);
    const view = new DataView(buffer);
    view.setUint8(0, 2);
    view.setUint8(1, 1);
    view.setUint8(2, flags);
    view.setUint8(3, sizes.length);
    view.setUint32(4, 7, true);
    view.setBigUint64(8, 9_600_000_000n, true);
    view.setUint32(16, frames, true);
    sizes.forEach((size, i) => view.setUint16(20 + 2 * i, size, true));
    new Uint8Array(buffer, 20 + 2 * sizes.length).forEach((_, i, bytes) => { bytes[i] = i; });
    change(view);
    return buffer;
}

function pcm(frames, samples = frames * 2) {
    const buffer = new ArrayBuffer(20 + samples * 2);
    const view = new DataView(buffer);
    view.setUint8(0, 2);
    view.setUint8(1, 2);
    view.setUint32(16, frames, true);
    for (let i = 0; i < samples; i++) view.setInt16(20 + 2 * i, i - 2, true);
    return buffer;
}

test('an Opus chunk is cut into its packets', () => {
    const message = parseMessage(opus());
    assert.equal(message.codec, 'opus');
    assert.equal(message.generation, 7);
    assert.equal(message.firstFrame, 9_600_000_000);
    assert.equal(message.frameCount, 4800);
    assert.deepEqual(message.packets.map((packet) => [...packet]),
        [[0, 1, 2], [3], [4, 5, 6, 7], [8], [9, 10, 11, 12, 13]]);
    assert.equal(message.samples, null);
    assert.deepEqual([message.splice, message.preroll, message.discontinuity], [false, false, false]);
});

test('flags are told apart', () => {
    assert.equal(parseMessage(opus({ flags: 2 })).splice, true);
    assert.equal(parseMessage(opus({ flags: 4 })).preroll, true);
    assert.equal(parseMessage(opus({ flags: 8 })).discontinuity, true);
    assert.equal(parseMessage(opus({ flags: 1 })).splice, false);
});

test('a preroll of sixteen packets is read', () => {
    assert.equal(parseMessage(opus({ sizes: Array(16).fill(2), flags: 4 })).packets.length, 16);
});

test('a PCM chunk is read as signed samples', () => {
    const message = parseMessage(pcm(2));
    assert.equal(message.codec, 'pcm');
    assert.deepEqual([...message.samples], [-2, -1, 0, 1]);
    assert.equal(message.packets, null);
});

const malformed = {
    'an empty message': new ArrayBuffer(0),
    'a cut header': opus().slice(0, 19),
    'a cut table of lengths': opus().slice(0, 25),
    'a cut payload': opus().slice(0, -1),
    'bytes left over': opus({ extra: 1 }),
    'another version': opus({}, (view) => view.setUint8(0, 1)),
    'an unknown codec': opus({}, (view) => view.setUint8(1, 3)),
    'no packets': opus({ sizes: [] }),
    'seventeen packets': opus({ sizes: Array(17).fill(1) }),
    'an empty packet': opus({ sizes: [0] }),
    'a length beyond the end': opus({}, (view) => view.setUint16(20, 60000, true)),
    'frames that do not fit the packets': opus({ frames: 4799 }),
    'a frame number beyond what numbers hold': opus({}, (view) => view.setBigUint64(8, 1n << 60n, true)),
    'PCM with packets': (() => { const b = pcm(2); new Uint8Array(b)[3] = 1; return b; })(),
    'PCM without frames': pcm(0),
    'PCM that is too short': pcm(3, 4),
    'PCM that is too long': pcm(1, 4),
};
for (const [what, buffer] of Object.entries(malformed)) {
    test(`${what} is refused`, () => assert.equal(parseMessage(buffer), null));
}

test('no message whatever makes the parser throw', () => {
    let seed = 1;
    const random = () => (seed = (seed * 1103515245 + 12345) & 0x7fffffff) / 0x7fffffff;
    for (let round = 0; round < 2000; round++) {
        const bytes = new Uint8Array(opus());
        for (let i = 0; i < 3; i++) bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
        const message = parseMessage(bytes.slice(0, Math.ceil(random() * bytes.length)).buffer);
        if (message?.packets) assert.ok(message.packets.every((packet) => packet.length > 0));
    }
});

test('underruns are told once, to the connection that was open when they were first told', () => {
    const underruns = new Underruns();
    assert.equal(underruns.report(2), 2);
    assert.equal(underruns.report(3), 3);
    underruns.reconnect();
    assert.equal(underruns.report(3), 0);
    assert.equal(underruns.report(5), 2);
    underruns.reconnect();
    underruns.reconnect();
    assert.equal(underruns.report(6), 1);
});
