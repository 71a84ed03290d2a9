// The picture of the sound: a calm curve over the spectrum, from 40 Hz to 12 kHz by octaves.

const POINTS = 56;
const LOWEST_HZ = 40;
const HIGHEST_HZ = 12000;
const FRAME_MS = 33;
const STILL_FRAME_MS = 250;
const FLOOR_DB = -95;
const RANGE_DB = 70;
// Both ends run out into the line.
const TAPER = Float32Array.from({ length: POINTS }, (_, i) => Math.sqrt(Math.sin(Math.PI * i / (POINTS - 1))) || 0);

export class Meter {
    #canvas;
    #levels = new Float32Array(POINTS);
    #bins = null;
    #drawnMs = 0;
    #still = matchMedia('(prefers-reduced-motion: reduce)');

    constructor(canvas) {
        this.#canvas = canvas;
        this.#draw();
    }

    // Called for each picture of the browser; draws when it is time.   analyser: null while there is none.
    tick(nowMs, analyser, playing) {
        if (nowMs - this.#drawnMs < (this.#still.matches ? STILL_FRAME_MS : FRAME_MS)) return;
        this.#drawnMs = nowMs;
        this.#measure(playing ? analyser : null);
        this.#draw();
    }

    #measure(analyser) {
        if (analyser) {
            this.#bins ??= new Float32Array(analyser.frequencyBinCount);
            analyser.getFloatFrequencyData(this.#bins);
        }
        const binHz = analyser ? analyser.context.sampleRate / analyser.fftSize : 1;
        for (let i = 0; i < POINTS; i++) {
            const level = analyser ? this.#levelAt(i, binHz) : 0;
            this.#levels[i] += (level - this.#levels[i]) * (level > this.#levels[i] ? 0.5 : 0.12);
        }
    }

    // 0..1: the strongest bin of a point's band, the highs lifted as music falls off towards them.
    #levelAt(i, binHz) {
        const hz = (point) => LOWEST_HZ * (HIGHEST_HZ / LOWEST_HZ) ** (point / (POINTS - 1));
        const from = Math.max(1, Math.floor(hz(i - 0.5) / binHz));
        const to = Math.max(from + 1, Math.ceil(hz(i + 0.5) / binHz));
        let peak = -Infinity;
        for (let bin = from; bin < to; bin++) peak = Math.max(peak, this.#bins[bin]);
        const lifted = peak + 15 * (i / POINTS);
        return Math.max(0, Math.min(1, (lifted - FLOOR_DB) / RANGE_DB));
    }

    #draw() {
        const canvas = this.#canvas;
        const ratio = Math.min(2, window.devicePixelRatio || 1);
        const width = Math.round(canvas.clientWidth * ratio);
        const height = Math.round(canvas.clientHeight * ratio);
        if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
        if (width === 0) return;
        const context = canvas.getContext('2d');
        context.clearRect(0, 0, width, height);
        const middle = height / 2;
        this.#trace(context, width, middle, height * 0.48);
        const fill = context.createLinearGradient(0, 0, width, 0);
        fill.addColorStop(0, '#7c8cff');
        fill.addColorStop(0.5, '#5ec8d8');
        fill.addColorStop(1, '#86e0b4');
        context.fillStyle = fill;
        context.globalAlpha = 0.85;
        context.fill();
        context.globalAlpha = 1;
    }

    // A closed curve, mirrored about the middle; never thinner than a line.
    #trace(context, width, middle, reach) {
        const x = (i) => i / (POINTS - 1) * width;
        const y = (i) => Math.max(0.012, this.#levels[i] * TAPER[i]) * reach;
        context.beginPath();
        context.moveTo(0, middle);
        for (const side of [-1, 1]) {
            for (let k = 0; k < POINTS - 1; k++) {
                const i = side < 0 ? k : POINTS - 1 - k;
                const next = i - side;
                const [ax, ay, bx, by] = [x(i), middle + side * y(i), x(next), middle + side * y(next)];
                context.quadraticCurveTo(ax, ay, (ax + bx) / 2, (ay + by) / 2);
            }
            context.lineTo(side < 0 ? width : 0, middle);
        }
        context.closePath();
    }
}
