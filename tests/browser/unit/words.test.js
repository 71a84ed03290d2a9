import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventQueue } from '../../../web/events.js';
import { parseKey, pretty, TONICS, withTonic } from '../../../web/keys.js';

test('keys are read as the station writes them', () => {
    assert.deepEqual(parseKey('A'), { pitchClass: 9, quality: 'minor' });
    assert.deepEqual(parseKey('C# minor'), { pitchClass: 1, quality: 'minor' });
    assert.deepEqual(parseKey('Eb major'), { pitchClass: 3, quality: 'major' });
    assert.deepEqual(parseKey('Cb'), { pitchClass: 11, quality: 'minor' });
    for (const text of ['', 'H', 'A flat', 'C##', 'C  minor']) assert.equal(parseKey(text), null);
});

test('the twelve tonics are the twelve pitch classes', () => {
    assert.deepEqual(TONICS.map((tonic) => parseKey(tonic).pitchClass), [...Array(12).keys()]);
});

test('another tonic keeps the third', () => {
    assert.equal(withTonic('Eb major', 'F#'), 'F# major');
    assert.equal(withTonic('A', 'C'), 'C minor');
});

test('accidentals are shown as signs', () => {
    assert.equal(pretty('Bbm7'), 'B♭m7');
    assert.equal(pretty('F#'), 'F♯');
    assert.equal(pretty('Am'), 'Am');
});

const chord = (name, at_frame, generation = 0) => ({ event: 'chord', name, at_frame, generation });
const names = (events) => events.map((event) => event.name);

test('events wait for their frame and are given once, in order', () => {
    const queue = new EventQueue();
    queue.put(chord('late', 300));
    queue.put(chord('early', 100));
    assert.deepEqual(names(queue.take(99)), []);
    assert.deepEqual(names(queue.take(300)), ['early', 'late']);
    assert.deepEqual(names(queue.take(1000)), []);
});

test('what a change makes untrue is forgotten, and what it makes true instead stays', () => {
    const queue = new EventQueue();
    queue.put(chord('kept', 100));
    queue.put(chord('untrue', 300));
    queue.put({ event: 'section', name: 'untrue too', at_frame: 200, generation: 0 });
    queue.put(chord('known early', 400, 1));
    queue.supersede({ from_frame: 200, generation: 1 });
    queue.put(chord('new', 250, 1));
    assert.deepEqual(names(queue.take(1000)), ['kept', 'new', 'known early']);
});

test('unknown events are passed over, and memory is bounded', () => {
    const queue = new EventQueue();
    queue.put({ event: 'weather', at_frame: 0, generation: 0 });
    assert.deepEqual(queue.take(1), []);
    for (let i = 0; i < 1000; i++) queue.put(chord(`${i}`, i));
    assert.equal(queue.take(1000).length, 400);
});
