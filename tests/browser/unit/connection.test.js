import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Connection } from '../../../web/connection.js';

// A page's world: sockets that the test speaks for, timers that the test lets run.
let sockets = [];
let timers = [];
let intervals = [];
const real = {};

class FakeSocket {
    sent = [];
    closed = false;

    constructor(url) {
        this.url = url;
        sockets.push(this);
    }

    send(text) { this.sent.push(JSON.parse(text)); }
    close() { this.closed = true; }
    say(message) { this.onmessage({ data: JSON.stringify(message) }); }
}

before(() => {
    for (const name of ['WebSocket', 'setTimeout', 'setInterval', 'clearTimeout']) real[name] = globalThis[name];
    globalThis.WebSocket = FakeSocket;
    globalThis.setTimeout = (run, ms) => timers.push({ run, ms });
    globalThis.clearTimeout = (id) => { if (timers[id - 1]) timers[id - 1].run = () => {}; };
    globalThis.setInterval = (run) => intervals.push(run);
});

after(() => Object.assign(globalThis, real));

function connect(held = () => null) {
    sockets = [];
    timers = [];
    const states = [];
    const handlers = { hello() {}, text() {}, binary() {}, clock() {}, held, state: (...state) => states.push(state) };
    return { connection: new Connection('ws://here/ws/v2?format=opus', handlers), states };
}

const hello = (session) => ({ type: 'hello', session, time_ms: 0 });

test('the first connection names no session, the next one names the one that was lost', () => {
    connect();
    assert.equal(sockets[0].url, 'ws://here/ws/v2?format=opus');
    sockets[0].say(hello('0123456789abcdef'));
    sockets[0].onclose();
    timers.at(-1).run();
    assert.equal(sockets[1].url, 'ws://here/ws/v2?format=opus&session=0123456789abcdef');
    sockets[1].say(hello('fedcba9876543210'));
    sockets[1].onclose();
    timers.at(-1).run();
    assert.equal(sockets[2].url, 'ws://here/ws/v2?format=opus&session=fedcba9876543210');
});

test('who comes back says what it has, and nothing where it has nothing', () => {
    let held = { nextFrame: 4800, generation: 0 };
    connect(() => held);
    assert.equal(sockets[0].url, 'ws://here/ws/v2?format=opus');
    sockets[0].say(hello('a'));
    held = { nextFrame: 96000, generation: 7 };
    sockets[0].onclose();
    timers.at(-1).run();
    assert.equal(sockets[1].url, 'ws://here/ws/v2?format=opus&session=a&next_frame=96000&generation=7');
    sockets[1].say(hello('b'));
    held = null;
    sockets[1].onclose();
    timers.at(-1).run();
    assert.equal(sockets[2].url, 'ws://here/ws/v2?format=opus&session=b');
});

test('a server that says goodbye is left alone for as long as it asked, and a little more by chance', () => {
    const waits = [];
    for (let i = 0; i < 20; i++) {
        const { states } = connect();
        sockets[0].say(hello('a'));
        sockets[0].say({ type: 'goodbye', code: 'SLOW', reason: 'too slow', retry_ms: 5000 });
        sockets[0].onclose();
        assert.deepEqual(states.at(-1), ['lost', timers.at(-1).ms]);
        waits.push(timers.at(-1).ms);
    }
    assert.ok(Math.min(...waits) >= 5000 && Math.max(...waits) <= 6000, `${waits}`);
    assert.ok(new Set(waits).size > 10, 'spread');
});

test('what it asked for holds once', () => {
    connect();
    sockets[0].say(hello('a'));
    sockets[0].say({ type: 'goodbye', code: 'SHUTDOWN', reason: '', retry_ms: 5000 });
    sockets[0].onclose();
    timers.at(-1).run();
    sockets[1].onclose();
    assert.ok(timers.at(-1).ms < 1000);
});

test('a slow line on which something comes is kept, a silent one is not', () => {
    const { states } = connect();
    const began = performance.now();
    sockets[0].say(hello('a'));
    const watch = intervals.at(-1);
    try {
        for (let s = 1; s <= 20; s += 2) {
            performance.now = () => began + s * 1000;
            sockets[0].onmessage({ data: new ArrayBuffer(8) });
            watch();
        }
        assert.equal(states.at(-1)[0], 'open');
        performance.now = () => began + 30000;
        watch();
        assert.equal(states.at(-1)[0], 'lost');
    } finally {
        delete performance.now;
    }
});

// Lets the watch look at some milliseconds since `began`.
function passing(began) {
    const watch = intervals.at(-1);
    return (ms) => {
        performance.now = () => began + ms;
        watch();
    };
}

// A test of a connection that plays, and of time that `run` moves.
function whilePlaying(name, run) {
    test(name, () => {
        const made = connect(() => ({ nextFrame: 96000, generation: 7 }));
        const began = performance.now();
        sockets[0].say(hello('a'));
        made.connection.expectAudio(true);
        sockets[0].onmessage({ data: new ArrayBuffer(8) });
        try {
            run({ ...made, at: passing(began) });
        } finally {
            delete performance.now;
        }
    });
}

whilePlaying('after a second without sound another connection is tried beside, which takes over when it speaks first',
    ({ states, at }) => {
    at(900);
    assert.equal(sockets.length, 1);
    at(1300);
    assert.equal(sockets.length, 2);
    assert.equal(sockets[0].closed, false);
    assert.equal(sockets[1].url, 'ws://here/ws/v2?format=opus&session=a&next_frame=96000&generation=7');
    assert.equal(states.at(-1)[0], 'connecting');
    sockets[1].say(hello('b'));
    assert.equal(sockets[0].closed, true);
    assert.equal(states.at(-1)[0], 'open');
    sockets[1].onclose();
    assert.equal(states.at(-1)[0], 'lost');
});

whilePlaying('the one that speaks again is kept, and the other is given up', ({ states, at }) => {
    at(1300);
    sockets[0].onmessage({ data: new ArrayBuffer(8) });
    assert.deepEqual([sockets[0].closed, sockets[1].closed], [false, true]);
    assert.equal(states.at(-1)[0], 'open');
    at(2000);
    assert.equal(sockets.length, 2);
});

whilePlaying('while nobody answers it is tried again after 1, 2, 4 s, and at last the connection is given up',
    ({ states, at }) => {
    const tried = [];
    for (let ms = 250; ms < 11750; ms += 250) {
        at(ms);
        if (sockets.length > tried.length + 1) tried.push(ms);
    }
    assert.deepEqual(tried, [1250, 2250, 4250, 8250]);
    assert.deepEqual(sockets.map((socket) => socket.closed), [false, true, true, true, false]);
    at(13000);
    assert.equal(states.at(-1)[0], 'lost');
    assert.ok(sockets.every((socket) => socket.closed));
});

whilePlaying('a server that has no sound yet is not asked again and again', ({ at }) => {
    let answered = 0;
    for (let ms = 250; ms < 30000; ms += 250) {
        at(ms);
        if (sockets.length > 1 && sockets.at(-1).sent.length === 0 && !sockets.at(-1).answered) {
            sockets.at(-1).answered = true;
            sockets.at(-1).say(hello(`s${answered++}`));
        }
    }
    assert.ok(answered >= 3 && answered <= 5, `${answered}`);
});

whilePlaying('who only looks on opens no second connection', ({ connection, at }) => {
    connection.expectAudio(false);
    at(5000);
    assert.equal(sockets.length, 1);
});

whilePlaying('one that is being tried takes the place of one that breaks', ({ states, at }) => {
    at(1300);
    sockets[0].onclose();
    assert.equal(sockets[1].closed, false);
    assert.equal(states.at(-1)[0], 'connecting');
    sockets[1].say(hello('b'));
    assert.equal(states.at(-1)[0], 'open');
    sockets[1].onclose();
    assert.equal(states.at(-1)[0], 'lost');
});

whilePlaying('a machine that is on a network again tries at once', ({ connection, at }) => {
    for (const ms of [1250, 2500, 4750]) at(ms);
    assert.equal(sockets.length, 4);
    connection.retryNow();
    assert.equal(sockets.at(-1).closed, true);
    at(5000);
    assert.equal(sockets.length, 5);
    sockets.at(-1).say(hello('b'));
    assert.equal(sockets[0].closed, true);
});

whilePlaying('one that was refused does not take the place of one that breaks', ({ states, at }) => {
    at(1300);
    sockets[1].onclose();
    sockets[0].onclose();
    assert.equal(states.at(-1)[0], 'lost');
    timers.at(-1).run();
    assert.equal(sockets.length, 3);
});
