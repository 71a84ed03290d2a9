// One WebSocket that is always there: connects, keeps programme time, notices when the network has gone silent, and
// comes back by itself.
import { backoffMs } from './backoff.js';
import { nowMs, ProgrammeClock } from './clock.js';

const PING_TIMES_MS = [0, 60, 160, 320, 640, 1200];
const PING_EVERY_MS = 4000;
const ANYTHING_WITHIN_MS = 6000;
const AUDIO_WITHIN_MS = 2500;
const CONNECT_WITHIN_MS = 8000;
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
        if (this.#socket) return;
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
        this.#socket = null;
        this.#pingTimers.forEach(clearTimeout);
        socket.onopen = socket.onmessage = socket.onclose = null;
        socket.close();
        if (this.#greetedMs && nowMs() - this.#greetedMs > GOOD_AFTER_MS) this.#attempt = 0;
        this.#greetedMs = 0;
        const retryMs = backoffMs(this.#attempt++, Math.random(), this.#retryAtLeastMs);
        this.#retryAtLeastMs = 0;
        this.#retryTimer = setTimeout(() => this.#connect(), retryMs);
        this.#handlers.state('lost', retryMs);
    }

    #connect() {
        this.#handlers.state('connecting', 0);
        this.#openedMs = nowMs();
        const socket = new WebSocket(this.#url + this.#comesBack(), 'auralis-v2');
        socket.binaryType = 'arraybuffer';
        socket.onmessage = (event) => this.#receive(event.data);
        socket.onclose = () => this.drop();
        this.#socket = socket;
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
        if (typeof data !== 'string') {
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
        const silent = this.greeted
            ? nowMs() - this.#heardMs > heardWithinMs
            : nowMs() - this.#openedMs > CONNECT_WITHIN_MS;
        if (silent) this.drop();
    }
}
