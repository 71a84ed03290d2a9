// From messages to sound. Every decoder has the same face:
//   name          "webcodecs", "opus-decoder" or "pcm"
//   begin()       forget what was decoded before, once what is still being decoded has been delivered: sound comes in
//                 order, whatever decodes it. A promise.
//   decode(job)   job: {packets | samples, frameCount, ...}; `deliver(job, left, right)` is called once it is done
//   close()

const RATE = 48000;
const PACKET_FRAMES = 960;
const PACKET_US = 20000;

// The best decoder that this browser has for a format, "opus" or "pcm".
//   fail(error): it is of no use any more, or a packet was lost.
export async function createDecoder(format, mayUseWebCodecs, deliver, fail) {
    if (format === 'pcm') return new PcmDecoder(deliver);
    if (mayUseWebCodecs && await hasWebCodecs()) return new WebCodecsDecoder(deliver, fail);
    return WasmDecoder.create(deliver, fail);
}

const CONFIG = { codec: 'opus', sampleRate: RATE, numberOfChannels: 2 };

async function hasWebCodecs() {
    if (typeof AudioDecoder === 'undefined') return false;
    try {
        return (await AudioDecoder.isConfigSupported(CONFIG)).supported === true;
    } catch {
        return false;
    }
}

// Packets go in, numbered by time stamp; sound comes out later, and is put together again by the same number.
class WebCodecsDecoder {
    name = 'webcodecs';
    #deliver;
    #fail;
    #decoder = null;
    #pending = new Map();
    #packets = 0;
    #fresh = false;

    constructor(deliver, fail) {
        this.#deliver = deliver;
        this.#fail = fail;
    }

    async begin() {
        if (this.#fresh && this.#decoder.state === 'configured') return;
        const old = this.#decoder;
        if (old?.state === 'configured') await old.flush().catch(() => {});
        if (old && old.state !== 'closed') old.close();
        this.#fresh = true;
        this.#decoder = new AudioDecoder({
            output: (sound) => this.#take(sound),
            error: (error) => this.#broken(error),
        });
        this.#decoder.configure(CONFIG);
    }

    decode(job) {
        if (this.#decoder.state !== 'configured') return;
        this.#fresh = false;
        const frames = job.packets.length * PACKET_FRAMES;
        const [left, right] = [new Float32Array(frames), new Float32Array(frames)];
        const whole = { job, left, right, missing: job.packets.length };
        job.packets.forEach((data, index) => {
            const timestamp = this.#packets * PACKET_US;
            this.#pending.set(this.#packets++, { whole, index });
            this.#decoder.decode(new EncodedAudioChunk({ type: 'key', timestamp, duration: PACKET_US, data }));
        });
    }

    close() {
        if (this.#decoder && this.#decoder.state !== 'closed') this.#decoder.close();
    }

    #take(sound) {
        // Time stamps come back a microsecond off now and then.
        const packet = Math.round(sound.timestamp / PACKET_US);
        const { whole, index } = this.#pending.get(packet) ?? {};
        this.#pending.delete(packet);
        if (whole) {
            const frameCount = Math.min(PACKET_FRAMES, sound.numberOfFrames);
            const at = index * PACKET_FRAMES;
            [whole.left, whole.right].forEach((channel, planeIndex) => {
                sound.copyTo(channel.subarray(at, at + frameCount),
                    { planeIndex: Math.min(planeIndex, sound.numberOfChannels - 1), format: 'f32-planar', frameCount });
            });
            if (--whole.missing === 0) this.#deliver(whole.job, whole.left, whole.right);
        }
        sound.close();
    }

    #broken(error) {
        this.#pending.clear();
        this.#fail(error);
    }
}

// libopus as WebAssembly, for browsers without WebCodecs and for pages without a secure context.
class WasmDecoder {
    name = 'opus-decoder';
    #deliver;
    #fail;
    #decoder;
    #fresh = true;

    static async create(deliver, fail) {
        await import('/vendor/opus-decoder.min.js');
        const decoder = new WasmDecoder();
        decoder.#deliver = deliver;
        decoder.#fail = fail;
        decoder.#decoder = new globalThis['opus-decoder'].OpusDecoder({ channels: 2 });
        await decoder.#decoder.ready;
        return decoder;
    }

    async begin() {
        if (!this.#fresh) await this.#decoder.reset();
        this.#fresh = true;
    }

    decode(job) {
        this.#fresh = false;
        const sound = this.#decoder.decodeFrames(job.packets);
        const [left, right] = sound.channelData;
        if (sound.samplesDecoded === job.packets.length * PACKET_FRAMES) this.#deliver(job, left, right);
        else this.#fail(new Error(sound.errors[0]?.message ?? 'a packet could not be decoded'));
    }

    close() {
        this.#decoder.free();
    }
}

class PcmDecoder {
    name = 'pcm';
    #deliver;

    constructor(deliver) {
        this.#deliver = deliver;
    }

    async begin() {}

    decode(job) {
        const left = new Float32Array(job.frameCount);
        const right = new Float32Array(job.frameCount);
        for (let i = 0; i < job.frameCount; i++) {
            left[i] = job.samples[2 * i] / 32768;
            right[i] = job.samples[2 * i + 1] / 32768;
        }
        this.#deliver(job, left, right);
    }

    close() {}
}
