// One WebSocket that is always there: connects, keeps programme time, notices when the network has gone silent, and
// comes back by itself.
import { backoffMs } from './backoff.js';
import { nowMs, ProgrammeClock } from './clock.js';

const PING_TIMES_MS = [0, 60, 160, 320, 640, 1200];
const PING_EVERY_MS = 4000;
const ANYTHING_WITHIN_MS = 6000;
const AUDIO_WITHIN_MS = 12000;
const CONNECT_WITHIN_MS = 8000;
// Audio is missing for so long: another connection is tried beside this one, for what TCP sends again after an outage
// of some seconds comes too late. While nobody answers it is tried again, each time after twice as long.
const BESIDE_AFTER_MS = 1000;
const BESIDE_WITHIN_MS = 1000;
const WATCH_EVERY_MS = 250;
// A connection that held this long was a good one: the next loss is retried at once.
const GOOD_AFTER_MS = 3000;

export class Connection {
    clock = new ProgrammeClock();
    #expectsAudio = false;
    #url;
    #session = null;
    #handlers;
    #socket = null;
    #attempt = 0;
    #retryAtLeastMs = 0;
    #retryTimer = null;
    #pingTimers = [];
    #openedMs = 0;
    #greetedMs = 0;
    #heardMs = 0;
    // What is tried beside: {socket, sinceMs, refused}; how often since something came last, and how many have taken
    // over since audio did. Each time the wait is twice as long.
    #beside = null;
    #besideTries = 0;
    #besides = 0;

    // url: with a query; the session that was lost is added to it, and what is held.
    // handlers: hello(message), text(message), binary(buffer), state("connecting" | "open" | "lost", retryMs), clock(),
    // held(): {nextFrame, generation} of the sound that is there, null where there is none.
    constructor(url, handlers) {
        this.#url = url;
        this.#handlers = handlers;
        setInterval(() => this.#watch(), WATCH_EVERY_MS);
        this.#connect();
    }

    // The station has said hello: it can be spoken to.
    get greeted() { return this.#greetedMs > 0; }

    // Before hello the message is dropped.
    send(message) {
        if (this.greeted) this.#socket.send(JSON.stringify(message));
    }

    // The machine is on a network again.
    retryNow() {
        if (this.#socket) {
            // What is being tried may be waiting for a packet that was lost.
            this.#endBeside();
            this.#besideTries = 0;
            return;
        }
        clearTimeout(this.#retryTimer);
        this.#connect();
    }

    // Whether audio ought to be flowing: silence then means that the network is gone.
    expectAudio(expected) {
        this.#expectsAudio = expected;
        this.#heardMs = nowMs();
    }

    drop() {
        const socket = this.#socket;
        if (!socket) return;
        this.#endBeside();
        this.#socket = null;
        this.#leave(socket);
        if (this.#greetedMs && nowMs() - this.#greetedMs > GOOD_AFTER_MS) this.#attempt = 0;
        this.#greetedMs = 0;
        const retryMs = backoffMs(this.#attempt++, Math.random(), this.#retryAtLeastMs);
        this.#retryAtLeastMs = 0;
        this.#retryTimer = setTimeout(() => this.#connect(), retryMs);
        this.#handlers.state('lost', retryMs);
    }

    #open() {
        const socket = new WebSocket(this.#url + this.#comesBack(), 'auralis-v2');
        socket.binaryType = 'arraybuffer';
        return socket;
    }

    #leave(socket) {
        this.#pingTimers.forEach(clearTimeout);
        socket.onmessage = socket.onclose = null;
        socket.close();
    }

    #take(socket) {
        socket.onmessage = (event) => this.#receive(event.data);
        socket.onclose = () => this.#closed();
        this.#socket = socket;
    }

    // One that is being tried takes its place.
    #closed() {
        const beside = this.#beside;
        if (!beside || beside.refused) this.drop();
        else this.#moveTo(beside);
    }

    #moveTo({ socket, sinceMs }) {
        this.#beside = null;
        this.#leave(this.#socket);
        this.#greetedMs = 0;
        this.#openedMs = sinceMs;
        this.#take(socket);
    }

    #connect() {
        this.#handlers.state('connecting', 0);
        this.#openedMs = nowMs();
        this.#take(this.#open());
    }

    // Whoever speaks first is believed: the old connection, or the new one by its hello.
    #tryBeside() {
        const patienceMs = BESIDE_WITHIN_MS * 2 ** (this.#besideTries - 1);
        if (this.#beside && nowMs() - this.#beside.sinceMs < patienceMs) return;
        this.#endBeside();
        const beside = { socket: this.#open(), sinceMs: nowMs(), refused: false };
        beside.socket.onmessage = (event) => this.#takeOver(beside, event.data);
        beside.socket.onclose = () => { beside.refused = true; };
        this.#beside = beside;
        this.#besideTries++;
        this.#handlers.state('connecting', 0);
    }

    #endBeside() {
        if (!this.#beside) return;
        this.#beside.socket.onmessage = null;
        this.#beside.socket.close();
        this.#beside = null;
    }

    #takeOver(beside, data) {
        this.#besides++;
        this.#moveTo(beside);
        this.#receive(data);
    }

    #comesBack() {
        if (!this.#session) return '';
        const held = this.#handlers.held();
        const resume = held ? `&next_frame=${held.nextFrame}&generation=${held.generation}` : '';
        return `&session=${this.#session}${resume}`;
    }

    #receive(data) {
        const receivedMs = nowMs();
        this.#heardMs = receivedMs;
        this.#besideTries = 0;
        if (this.#beside) {
            this.#endBeside();
            this.#handlers.state('open', 0);
        }
        if (typeof data !== 'string') {
            this.#besides = 0;
            this.#handlers.binary(data);
            return;
        }
        const message = JSON.parse(data);
        if (message.type === 'hello') this.#greet(message, receivedMs);
        else if (message.type === 'pong') this.#pong(message, receivedMs);
        else if (message.type === 'goodbye') this.#retryAtLeastMs = message.retry_ms ?? 0;
        this.#handlers.text(message);
    }

    #greet(hello, receivedMs) {
        if (this.#greetedMs) return;
        this.#greetedMs = receivedMs;
        this.#session = encodeURIComponent(hello.session);
        this.clock.hello(hello.time_ms, receivedMs);
        this.#handlers.hello(hello);
        this.#handlers.state('open', 0);
        this.#handlers.clock();
        this.#pingTimers = PING_TIMES_MS.map((ms) => setTimeout(() => this.#ping(), ms));
        this.#pingTimers.push(setTimeout(() => this.#keepPinging(), PING_EVERY_MS));
    }

    #keepPinging() {
        this.#ping();
        this.#pingTimers = [setTimeout(() => this.#keepPinging(), PING_EVERY_MS)];
    }

    #ping() {
        this.send({ type: 'ping', t0: nowMs() });
    }

    #pong(message, receivedMs) {
        this.clock.pong(message.t0, message.t1_ms, message.t2_ms, receivedMs);
        this.#handlers.clock();
    }

    // A line that is slow is not silent: answers to pings come late, behind the sound that waits before them.
    #watch() {
        if (!this.#socket) return;
        const heardWithinMs = this.#expectsAudio ? AUDIO_WITHIN_MS : ANYTHING_WITHIN_MS;
        const silentMs = nowMs() - this.#heardMs;
        const lost = this.greeted ? silentMs > heardWithinMs : nowMs() - this.#openedMs > CONNECT_WITHIN_MS;
        const missing = this.greeted && this.#expectsAudio && silentMs > BESIDE_AFTER_MS * 2 ** this.#besides;
        if (lost) this.drop();
        else if (missing) this.#tryBeside();
    }
}
