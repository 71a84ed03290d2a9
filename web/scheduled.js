// Stands in for the audio thread where a page gets none (plain http on a network address): renders a Playout in the
// page, a tenth of a second at a time and somewhat ahead, and hands it to the context as buffers that abut exactly.
// The face is that of worklet.js's node: post, onstats, connect.
import { connectSink } from './intake.js';
import { Playout } from './playout.js';

const BUFFER_FRAMES = 4800;
const TICK_MS = 50;
const AHEAD_S = 0.3;
// A hidden page's timers run once a second.
const AHEAD_HIDDEN_S = 1.6;
const PAUSE_S = 0.05;

export class ScheduledNode {
    onstats = () => {};
    #context;
    #output;
    #playout = new Playout();
    #nextFrame = 0;
    #scheduled = new Set();
    #actions = {
        sink: ({ sink }) => connectSink(sink, this.#playout),
        play: ({ liveOffset }) => this.#play(liveOffset),
        pause: () => this.#pause(),
        clock: ({ liveOffset }) => this.#playout.setLiveOffset(liveOffset),
    };

    constructor(context) {
        this.#context = context;
        this.#output = context.createGain();
        setInterval(() => this.#tick(), TICK_MS);
    }

    post(message) {
        this.#actions[message.type](message);
        this.#tick();
    }

    connect(node) {
        this.#output.connect(node);
    }

    // What a pause left in the context is of the past by now.
    #play(liveOffset) {
        for (const source of this.#scheduled) source.stop();
        this.#nextFrame = 0;
        const now = this.#context.currentTime;
        this.#output.gain.cancelScheduledValues(now);
        this.#output.gain.setValueAtTime(1, now);
        this.#playout.play(liveOffset);
    }

    // The playout's own fade comes too late for what is scheduled already.
    #pause() {
        const now = this.#context.currentTime;
        this.#output.gain.setValueAtTime(1, now);
        this.#output.gain.linearRampToValueAtTime(0, now + PAUSE_S);
        this.#playout.pause();
    }

    #tick() {
        const rate = this.#context.sampleRate;
        const nowFrame = Math.ceil(this.#context.currentTime * rate);
        const until = nowFrame + (document.hidden ? AHEAD_HIDDEN_S : AHEAD_S) * rate;
        if (this.#context.state !== 'running') return;
        if (this.#nextFrame < nowFrame) this.#nextFrame = nowFrame + 960;
        while (this.#nextFrame < until) this.#schedule(rate);
        this.onstats(this.#playout.stats());
    }

    #schedule(rate) {
        const buffer = this.#context.createBuffer(2, BUFFER_FRAMES, rate);
        this.#playout.render(buffer.getChannelData(0), buffer.getChannelData(1), this.#nextFrame);
        const source = this.#context.createBufferSource();
        source.buffer = buffer;
        source.connect(this.#output);
        source.onended = () => this.#scheduled.delete(source);
        this.#scheduled.add(source);
        source.start(this.#nextFrame / rate);
        this.#nextFrame += BUFFER_FRAMES;
    }
}
