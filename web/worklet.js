// The audio thread: a Playout as an audio node.
//
// From the page: sink {sink}, play {liveOffset}, pause, clock {liveOffset}. To the page: Playout's stats, ten times a
// second and at once when sound begins.
import { connectSink } from './intake.js';
import { Playout } from './playout.js';

const STATS_FRAMES = 4800;

class PlayoutProcessor extends AudioWorkletProcessor {
    #playout = new Playout();
    #toldAt = -Infinity;
    #soundFrame = -1;

    constructor() {
        super();
        const actions = {
            sink: ({ sink }) => connectSink(sink, this.#playout),
            play: ({ liveOffset }) => this.#playout.play(liveOffset),
            pause: () => this.#playout.pause(),
            clock: ({ liveOffset }) => this.#playout.setLiveOffset(liveOffset),
        };
        this.port.onmessage = ({ data }) => actions[data.type](data);
    }

    process(inputs, [output]) {
        this.#playout.render(output[0], output[1], currentFrame);
        const stats = this.#playout.stats();
        if (currentFrame - this.#toldAt >= STATS_FRAMES || stats.soundFrame !== this.#soundFrame) {
            this.#toldAt = currentFrame;
            this.#soundFrame = stats.soundFrame;
            this.port.postMessage(stats);
        }
        return true;
    }
}

registerProcessor('playout', PlayoutProcessor);
