// Network and decoding, away from the page: takes the station's messages, decodes them and puts the sound where it
// belongs by frame number. Speaks with the page by messages; the sound goes straight to the audio thread, by shared
// memory or by `sink`, a MessagePort.
//
// From the page: start {url, shared, sink}, play, pause, control {parameters, id}, codec {bitrate}, report {...},
// online. To the page: connection {state, retryMs}, hello {hello, decoder, reconnects}, text {message}, clock
// {offsetMs, tripMs}, chunk {chunks, decoder}, spliced {fromFrame, generation}, failed {reason}.
import { Connection } from './connection.js';
import { createDecoder } from './decoder.js';
import { parseMessage } from './message.js';
import { Ring } from './ring.js';
import { Underruns } from './underruns.js';

// A decoder that does not stand where a chunk begins is fed this many chunks before it first (the protocol says 16
// packets).
const PRIME_CHUNKS = 4;
const RESERVE_FRAMES = 48000 * 4;
const WEBCODECS_FAILURES = 2;

// Sound on its way to the audio thread.
class Sink {
    #port;
    #shared;
    #ring = null;

    constructor(port, shared) {
        this.#port = port;
        this.#shared = shared;
    }

    // An empty ring for another programme.
    reset(frames) {
        const capacity = Ring.capacityFor(frames);
        this.#ring = this.#shared ? new Ring(capacity, { shared: true }) : null;
        this.#port.postMessage({ type: 'ring', capacity, buffer: this.#ring?.buffer ?? null });
    }

    write(frame, left, right, replaces, cut) {
        if (this.#ring) {
            this.#ring.write(frame, left, right, replaces, cut);
        } else {
            const message = { type: 'write', frame, left, right, replaces, cut };
            this.#port.postMessage(message, [left.buffer, right.buffer]);
        }
    }
}

// Follows one station: which decoder, what comes next, what was there before.
class Station {
    chunks = 0;
    #sink;
    #decoder = null;
    #format = '';
    #bitrate = 0;
    #delayFrames = 0;
    #programme = '';
    #originMs = 0;
    #nextFrame = -1;
    #skipped = false;
    // What a supersede has announced, until sound of it is there.
    #splice = null;
    #recent = new Map();
    #recentChunks = 0;
    #failures = 0;
    #queue = Promise.resolve();

    constructor(sink) {
        this.#sink = sink;
    }

    get decoderName() { return this.#decoder?.name ?? ''; }

    // What may wait for a decoder happens one after the other.
    enqueue(task) {
        this.#queue = this.#queue.then(task).catch((error) => {
            self.postMessage({ type: 'failed', reason: String(error) });
        });
    }

    // What plays now is another programme than before.
    changesTo(hello) {
        const programme = `${hello.station} ${hello.seed}`;
        const moved = Math.abs(hello.origin_unix_ms - this.#originMs) > 1000;
        const another = programme !== this.#programme || moved;
        this.#programme = programme;
        this.#originMs = hello.origin_unix_ms;
        return another;
    }

    async greet(hello, another) {
        if (another) {
            const held = hello.max_lead_frames + RESERVE_FRAMES;
            this.#sink.reset(held);
            this.#recent.clear();
            this.#recentChunks = Math.ceil(held / hello.chunk_frames);
        }
        await this.useFormat(hello);
    }

    // hello or codec: what comes from now on. What is there already plays to its end: another bit rate goes on where
    // the last one ends, decoded by a decoder that its preroll has warmed up.
    async useFormat({ format, bitrate, decoder_delay_frames: delayFrames }) {
        this.#delayFrames = delayFrames;
        this.#bitrate = bitrate;
        this.#nextFrame = -1;
        if (format === this.#format && this.#decoder) return;
        this.#format = format;
        await this.#makeDecoder();
    }

    // What comes next does not continue what came last.
    skip() {
        this.#skipped = true;
        this.#nextFrame = -1;
    }

    supersede({ from_frame: fromFrame, generation }) {
        this.#splice = { fromFrame, generation };
    }

    async receive(message) {
        if (message.codec !== this.#format) return;
        if (message.preroll) {
            await this.#decoder.begin();
            this.#decoder.decode({ ...message, drop: true });
        } else {
            if (message.firstFrame !== this.#nextFrame) await this.#prime(message.firstFrame);
            const before = this.#recent.get(message.firstFrame);
            const replaces = before !== undefined && before.generation < message.generation;
            const cut = this.#skipped || message.discontinuity;
            this.#skipped = false;
            this.#decoder.decode({ ...message, replaces, cut, startFrame: message.firstFrame - this.#delayFrames });
            this.#remember({ ...message, bitrate: this.#bitrate });
        }
        this.#nextFrame = message.firstFrame + message.frameCount;
    }

    async #makeDecoder() {
        this.#decoder?.close();
        const usable = this.#failures < WEBCODECS_FAILURES;
        this.#decoder = await createDecoder(this.#format, usable, (...sound) => this.#deliver(...sound),
            () => this.enqueue(() => this.#recover()));
        await this.#decoder.begin();
    }

    #deliver(job, left, right) {
        if (job.drop) return;
        this.#sink.write(job.startFrame, left, right, job.replaces, job.cut);
        if (!this.#splice || job.generation < this.#splice.generation) return;
        self.postMessage({ type: 'spliced', ...this.#splice });
        this.#splice = null;
    }

    async #recover() {
        this.#failures++;
        this.#nextFrame = -1;
        await this.#makeDecoder();
    }

    async #prime(frame) {
        await this.#decoder.begin();
        for (let i = PRIME_CHUNKS; i > 0; i--) {
            const chunk = this.#recent.get(frame - i * 4800);
            if (chunk?.bitrate === this.#bitrate) this.#decoder.decode({ ...chunk, drop: true });
        }
    }

    #remember(message) {
        this.chunks++;
        this.#recent.delete(message.firstFrame);
        this.#recent.set(message.firstFrame, message);
        if (this.#recent.size > this.#recentChunks) this.#recent.delete(this.#recent.keys().next().value);
    }
}

let connection = null;
let station = null;
let wanted = false;
let hellos = 0;
// The end of the sound that has come, for one who comes back; null where there is none.
let held = null;
const underruns = new Underruns();

function start({ url, shared, sink }) {
    station = new Station(new Sink(sink, shared));
    connection = new Connection(url, {
        hello: greet,
        text: takeText,
        binary: takeBinary,
        state: (state, retryMs) => self.postMessage({ type: 'connection', state, retryMs }),
        clock: tellClock,
        held: () => (wanted ? held : null),
    });
}

function tellClock() {
    const { offsetMs, tripMs } = connection.clock;
    self.postMessage({ type: 'clock', offsetMs, tripMs });
}

// Audio flows at once after `hello`; who only looks at the page does not need it.
function greet(hello) {
    if (!wanted) connection.send({ type: 'pause' });
    connection.expectAudio(wanted);
    underruns.reconnect();
    hellos++;
    const another = station.changesTo(hello);
    if (another && held) {
        // It was asked to go on in a programme that is gone: this one begins as for one who joins.
        held = null;
        connection.send({ type: 'pause' });
        connection.send({ type: 'play' });
    }
    station.enqueue(async () => {
        await station.greet(hello, another);
        self.postMessage({ type: 'hello', hello, decoder: station.decoderName, reconnects: hellos - 1 });
    });
}

function takeText(message) {
    if (message.type === 'codec') station.enqueue(() => station.useFormat(message));
    if (message.type === 'supersede') station.enqueue(() => station.supersede(message));
    if (message.type === 'skip') station.enqueue(() => station.skip());
    self.postMessage({ type: 'text', message });
}

function takeBinary(buffer) {
    const message = parseMessage(buffer);
    if (!message) return;
    if (!message.preroll) {
        held = { nextFrame: message.firstFrame + message.frameCount, generation: message.generation };
    }
    station.enqueue(async () => {
        await station.receive(message);
        self.postMessage({ type: 'chunk', chunks: station.chunks, decoder: station.decoderName });
    });
}

function want(audio) {
    wanted = audio;
    if (!audio) held = null;
    connection.expectAudio(audio);
    connection.send({ type: audio ? 'play' : 'pause' });
}

function sendReport({ report }) {
    if (!connection.greeted) return;
    connection.send({ type: 'report', ...report, underruns: underruns.report(report.underruns) });
}

const actions = {
    start,
    play: () => want(true),
    pause: () => want(false),
    control: ({ parameters, id }) => connection.send({ type: 'control', parameters, id }),
    codec: ({ bitrate }) => connection.send({ type: 'codec', bitrate }),
    report: sendReport,
    online: () => connection.retryNow(),
};

self.onmessage = (event) => actions[event.data.type](event.data);
