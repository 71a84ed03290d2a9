// The player behind the page: a worker that receives and decodes, an audio thread that plays, and what ties them to the
// user's wishes. The page connects at once but asks for no audio; a click needs only the burst.
import { frameAt, nowMs } from './clock.js';
import { ScheduledNode } from './scheduled.js';

const RATE = 48000;
const SUSPEND_AFTER_MS = 150;
const CLOCK_EVERY_MS = 250;
const OFFSETS_KEPT = 9;
const MOVED_MS = 200;
const REPORT_EVERY_MS = 1000;
const DRIFT_FROM_S = 20;
const SETTLE_S = 0.02;
const ASKED_KEPT = 100;

// The same face as ScheduledNode, in the audio thread.
class WorkletNode {
    onstats = () => {};
    #node;

    static async create(context) {
        await context.audioWorklet.addModule('/worklet.js');
        const node = new WorkletNode();
        node.#node = new AudioWorkletNode(context, 'playout', { numberOfInputs: 0, outputChannelCount: [2] });
        node.#node.port.onmessage = ({ data }) => node.onstats(data);
        return node;
    }

    post(message, transfer = []) {
        this.#node.port.postMessage(message, transfer);
    }

    connect(node) {
        this.#node.connect(node);
    }
}

export class Player {
    // Called when anything that state() or stats() say may have changed, and with each text message of the station.
    onchange = () => {};
    ontext = () => {};
    connection = { state: 'connecting', retryMs: 0 };
    hello = null;
    // bit/s of Opus that come, 0 for PCM and before the first hello.
    bitrate = 0;
    // What is heard, for a meter; null when the browser gives no sound.
    analyser = null;
    #worker;
    #sink;
    #context = null;
    #ready;
    #node = null;
    #gain = null;
    #wanted = false;
    #clickMs = NaN;
    #startMs = null;
    #clock = { offsetMs: NaN, tripMs: Infinity };
    #offsets = [];
    #driftStart = null;
    #playout = {
        state: 'stopped', position: -1, contextFrame: 0, bufferedFrames: 0, underruns: 0, jumps: 0, skips: 0,
        soundFrame: -1,
    };
    #chunks = 0;
    #decoder = '';
    #reconnects = 0;
    // Own changes: when they were asked for, by id, then by the station's number.
    #asked = new Map();
    #splices = 0;
    #lateSwitches = 0;
    #controlToEarMs = null;

    // format: "opus" or "pcm".   bitrate: bit/s of Opus at most.
    constructor(format, bitrate) {
        const channel = new MessageChannel();
        this.#sink = channel.port2;
        this.#worker = new Worker('/worker.js', { type: 'module' });
        this.#worker.onmessage = ({ data }) => this.#hear(data);
        this.#worker.onerror = ({ message }) => this.#hear({ type: 'failed', reason: message ?? 'no worker' });
        const shared = typeof SharedArrayBuffer !== 'undefined' && window.crossOriginIsolated;
        const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
        const url = `${scheme}://${location.host}/ws/v2?format=${format}&bitrate=${bitrate}`;
        this.#worker.postMessage({ type: 'start', url, shared, sink: channel.port1 }, [channel.port1]);
        window.addEventListener('online', () => this.#worker.postMessage({ type: 'online' }));
        document.addEventListener('visibilitychange', () => this.#wake());
        this.#ready = this.#prepare();
        this.#ready.catch(() => {});
        setInterval(() => this.#tellClock(), CLOCK_EVERY_MS);
        setInterval(() => this.#report(), REPORT_EVERY_MS);
    }

    // "paused", "starting" (no sound yet since the click), "playing", "buffering".
    state() {
        if (!this.#wanted) return 'paused';
        if (this.#startMs === null) return 'starting';
        return this.#playout.state === 'playing' ? 'playing' : 'buffering';
    }

    stats() {
        const { state, position, bufferedFrames, underruns, jumps, skips } = this.#playout;
        return {
            start_ms: this.#startMs,
            underruns,
            jumps,
            skips,
            bitrate: this.bitrate,
            buffered_ms: bufferedFrames / 48,
            playhead_frame: state === 'playing' ? position : null,
            heard_frame: this.#heardFrame(),
            live_frame: this.liveFrame(),
            level_rms: this.#levelRms(),
            chunks: this.#chunks,
            reconnects: this.#reconnects,
            splices: this.#splices,
            late_switches: this.#lateSwitches,
            control_to_ear_ms: this.#controlToEarMs,
            decoder: this.#decoder,
            trip_ms: this.#clock.tripMs,
            drift_ppm: this.#driftPpm(),
        };
    }

    // Frame that a listener hears now, playing or not; NaN before the first hello.
    liveFrame() {
        return frameAt(this.#clock.offsetMs, nowMs());
    }

    // Has to be called from a user's gesture the first time.   Throws when there is no sound.
    async play() {
        if (this.#wanted) return;
        this.#wanted = true;
        this.#clickMs = performance.now();
        this.#startMs = null;
        this.#worker.postMessage({ type: 'play' });
        this.onchange();
        this.#context?.resume();
        await this.#ready;
        await this.#context.resume();
        if (!this.#wanted) return;
        this.#offsets = [];
        this.#driftStart = null;
        this.#node.post({ type: 'play', liveOffset: this.#measureOffset() });
    }

    pause() {
        if (!this.#wanted) return;
        this.#wanted = false;
        this.#worker.postMessage({ type: 'pause' });
        this.#node?.post({ type: 'pause' });
        setTimeout(() => { if (!this.#wanted) this.#context?.suspend(); }, SUSPEND_AFTER_MS);
        this.onchange();
    }

    // 0..1, as the slider stands.
    setVolume(volume) {
        this.#gain?.gain.setTargetAtTime(volume * volume, this.#context.currentTime, SETTLE_S);
    }

    // Asks the server for another bit rate of Opus, in bit/s.
    askBitrate(bitrate) {
        this.#worker.postMessage({ type: 'codec', bitrate });
    }

    control(parameters, id) {
        if (this.#asked.size >= ASKED_KEPT) this.#asked.delete(this.#asked.keys().next().value);
        this.#asked.set(id, performance.now());
        this.#worker.postMessage({ type: 'control', parameters, id });
    }

    // Everything that sound needs, but asleep, so that a click has only to wake it.
    async #prepare() {
        this.#context = new AudioContext({ sampleRate: RATE, latencyHint: 'interactive' });
        this.#context.suspend();
        this.#gain = this.#context.createGain();
        this.analyser = this.#context.createAnalyser();
        this.analyser.fftSize = 2048;
        this.analyser.smoothingTimeConstant = 0.85;
        this.#gain.connect(this.analyser).connect(this.#context.destination);
        this.#node = this.#context.audioWorklet
            ? await WorkletNode.create(this.#context)
            : new ScheduledNode(this.#context);
        this.#node.onstats = (stats) => this.#takeStats(stats);
        this.#node.connect(this.#gain);
        this.#node.post({ type: 'sink', sink: this.#sink }, [this.#sink]);
    }

    // A phone call or a sleep may have stopped the sound.
    #wake() {
        if (this.#wanted && !document.hidden) this.#context?.resume();
    }

    #hear(data) {
        switch (data.type) {
        case 'connection':
            this.connection = { state: data.state, retryMs: data.retryMs };
            break;
        case 'hello':
            this.hello = data.hello;
            this.bitrate = data.hello.bitrate;
            this.#decoder = data.decoder;
            this.#reconnects = data.reconnects;
            break;
        case 'clock':
            this.#takeClock(data);
            return;
        case 'chunk':
            this.#chunks = data.chunks;
            this.#decoder = data.decoder;
            return;
        case 'text':
            if (data.message.type === 'ack') this.#takeAck(data.message);
            if (data.message.type === 'lead' && this.hello) this.hello.lead_frames = data.message.lead_frames;
            this.ontext(data.message);
            if (data.message.type !== 'codec') return;
            this.bitrate = data.message.bitrate;
            break;
        case 'spliced':
            this.#takeSplice(data);
            return;
        case 'failed':
            this.ontext({ type: 'error', code: 'PLAYER', message: data.reason });
            return;
        }
        this.onchange();
    }

    #takeAck({ id, sequence }) {
        const askedMs = this.#asked.get(id);
        this.#asked.delete(id);
        if (askedMs !== undefined) this.#asked.set(sequence, askedMs);
    }

    // Sound of a change is there: it is heard at its frame, or now if that is over.
    #takeSplice({ fromFrame, generation }) {
        const waitMs = (fromFrame - this.liveFrame()) / 48;
        this.#splices++;
        if (waitMs < 0) this.#lateSwitches++;
        const askedMs = this.#asked.get(generation);
        if (askedMs === undefined) return;
        this.#asked.delete(generation);
        this.#controlToEarMs = performance.now() + Math.max(0, waitMs) - askedMs;
    }

    // Another programme has another clock, which is believed at once.
    #takeClock(clock) {
        const moved = Math.abs(clock.offsetMs - this.#clock.offsetMs) > MOVED_MS;
        this.#clock = clock;
        if (!moved || !this.#wanted || !this.#node) return;
        this.#offsets = [];
        this.#driftStart = null;
        this.#node.post({ type: 'clock', liveOffset: this.#measureOffset() });
    }

    #takeStats(stats) {
        const before = this.state();
        this.#playout = stats;
        if (this.#wanted && this.#startMs === null && stats.soundFrame >= 0) {
            this.#startMs = performance.now() - this.#clickMs;
        }
        if (this.state() !== before) this.onchange();
    }

    // Live frame minus the frame of the context that is heard at the same moment.
    #measureOffset() {
        return this.liveFrame() - this.#heardContextFrame();
    }

    #heardContextFrame() {
        const context = this.#context;
        const latencyS = (context.outputLatency || 0) + context.baseLatency;
        let heardS = context.currentTime - latencyS;
        const stamp = context.getOutputTimestamp?.();
        if (stamp?.performanceTime > this.#clickMs) {
            const elapsedS = (performance.now() - stamp.performanceTime) / 1000;
            // Some browsers' stamps are odd.
            if (Math.abs(stamp.contextTime + elapsedS - heardS) < 0.25) heardS = stamp.contextTime + elapsedS;
        }
        return heardS * RATE;
    }

    // Frame that comes out of this machine's speakers now, as far as the browser tells; null while nothing plays.
    #heardFrame() {
        const { state, position, contextFrame } = this.#playout;
        return state === 'playing' ? position + this.#heardContextFrame() - contextFrame : null;
    }

    #tellClock() {
        if (!this.#wanted || !this.#node || this.#context.state !== 'running') return;
        this.#offsets.push(this.#measureOffset());
        if (this.#offsets.length > OFFSETS_KEPT) this.#offsets.shift();
        if (this.#offsets.length < OFFSETS_KEPT) return;
        const liveOffset = this.#steadyOffset();
        this.#driftStart ??= { atS: this.#context.currentTime, offset: liveOffset };
        this.#node.post({ type: 'clock', liveOffset });
    }

    // The median: single stamps jitter by some milliseconds.
    #steadyOffset() {
        return [...this.#offsets].sort((a, b) => a - b)[OFFSETS_KEPT >> 1];
    }

    // How much faster the server's clock runs than the sound card's.
    #driftPpm() {
        const elapsedS = this.#driftStart ? this.#context.currentTime - this.#driftStart.atS : 0;
        if (elapsedS < DRIFT_FROM_S || this.#offsets.length < OFFSETS_KEPT) return 0;
        return (this.#steadyOffset() - this.#driftStart.offset) / (elapsedS * RATE) * 1e6;
    }

    #levelRms() {
        if (!this.analyser) return 0;
        const samples = new Float32Array(this.analyser.fftSize);
        this.analyser.getFloatTimeDomainData(samples);
        return Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);
    }

    // So that the server can judge how well it reaches us; where nothing plays though it should, that nothing is left.
    #report() {
        if (this.#startMs === null || !this.#wanted) return;
        const { playhead_frame, buffered_ms, underruns, drift_ppm } = this.stats();
        const report = {
            ...(playhead_frame !== null && { playhead_frame }),
            lead_ms: Math.round(buffered_ms),
            underruns,
            drift_ppm: Math.round(drift_ppm * 10) / 10,
        };
        this.#worker.postMessage({ type: 'report', report });
    }
}
