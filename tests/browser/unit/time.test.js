import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backoffMs } from '../../../web/backoff.js';
import { frameAt, ProgrammeClock } from '../../../web/clock.js';
import { Throttle } from '../../../web/throttle.js';

test('programme time is unknown before hello and guessed by it', () => {
    const clock = new ProgrammeClock();
    assert.ok(Number.isNaN(clock.offsetMs));
    clock.hello(5000, 1000);
    assert.equal(clock.offsetMs, 4000);
    assert.equal(clock.tripMs, Infinity);
    assert.equal(frameAt(clock.offsetMs, 1010), 5010 * 48);
});

test('the answer with the shortest round trip is believed', () => {
    const clock = new ProgrammeClock();
    clock.hello(4900, 1000);
    clock.pong(1000, 5080, 5081, 1101);
    assert.ok(Math.abs(clock.offsetMs - 4030) < 1e-9);
    clock.pong(2000, 6002, 6003, 2005);
    assert.ok(Math.abs(clock.offsetMs - 4000) < 1e-9);
    clock.pong(3000, 7300, 7300, 3400);
    assert.ok(Math.abs(clock.offsetMs - 4000) < 1e-9);
    assert.equal(clock.tripMs, 4);
});

test('old answers are forgotten, so that drift is followed', () => {
    const clock = new ProgrammeClock();
    clock.hello(0, 0);
    clock.pong(0, 1000, 1000, 1);
    assert.equal(clock.offsetMs, 999.5);
    for (let i = 1; i <= 12; i++) clock.pong(i * 4000, i * 4000 + 1008, i * 4000 + 1008, i * 4000 + 10);
    assert.equal(clock.offsetMs, 1003);
});

test('answers that waited behind sound on a full line do not move the clock', () => {
    const clock = new ProgrammeClock();
    clock.hello(0, 0);
    clock.pong(0, 1010, 1010, 20);
    for (let i = 1; i <= 100; i++) clock.pong(i * 4000, i * 4000 + 1010, i * 4000 + 1010, i * 4000 + 3000);
    assert.equal(clock.offsetMs, 1000);
    assert.equal(clock.tripMs, 20);
});

test('a clock that was moved is noticed at once', () => {
    const clock = new ProgrammeClock();
    clock.hello(0, 0);
    clock.pong(0, 1002, 1002, 4);
    clock.pong(4000, 9050, 9050, 4100);
    assert.equal(clock.offsetMs, 5000);
});

test('an impossible answer is passed over', () => {
    const clock = new ProgrammeClock();
    clock.hello(100, 0);
    clock.pong(10, 500, 600, 20);
    clock.pong(NaN, 1, 2, 3);
    assert.equal(clock.offsetMs, 100);
});

test('the first retry comes within a few hundred milliseconds, later ones ever later, up to a limit', () => {
    assert.ok(backoffMs(0, 0) >= 50 && backoffMs(0, 1) <= 300);
    assert.ok(backoffMs(4, 0.5) > backoffMs(3, 0.5));
    assert.equal(backoffMs(50, 1), 15000);
    assert.ok(backoffMs(3, 0) < backoffMs(3, 1), 'spread by chance');
});

test('what the server asks for is kept to', () => {
    assert.ok(backoffMs(0, 0, 5000) >= 5000);
    assert.ok(backoffMs(0, 1, 5000) <= 6500);
});

// Timers that go off by hand.
function handTimers() {
    const due = [];
    return { setTimeout: (task) => due.push(task), fire: () => due.splice(0).forEach((task) => task()) };
}

test('the first wish goes out at once, later ones together, the last value always', () => {
    const timers = handTimers();
    const sent = [];
    const throttle = new Throttle((parameters) => sent.push(parameters), 100, timers);
    throttle.put({ a: 1 });
    throttle.put({ a: 2 });
    throttle.put({ a: 3, b: 1 });
    assert.deepEqual(sent, [{ a: 1 }]);
    timers.fire();
    assert.deepEqual(sent, [{ a: 1 }, { a: 3, b: 1 }]);
    timers.fire();
    throttle.put({ b: 2 });
    assert.deepEqual(sent.at(-1), { b: 2 });
    assert.equal(sent.length, 3);
});
