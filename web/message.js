// Reads the binary messages of protocol v2 (doc/protocol.md, section 3).

const HEADER_BYTES = 20;
const PACKET_FRAMES = 960;
const MAX_PACKETS = 16;
const CODEC_OPUS = 1;
const CODEC_PCM = 2;
const FLAG_SPLICE = 2;
const FLAG_PREROLL = 4;
const FLAG_DISCONTINUITY = 8;

// buffer: an ArrayBuffer, one whole message. Returns null when it is malformed, else
//   {codec, splice, preroll, discontinuity, generation, firstFrame, frameCount, packets, samples}
// with packets (Opus: Uint8Array each, views into buffer) or samples (PCM: interleaved Int16Array); the other is null.
export function parseMessage(buffer) {
    if (buffer.byteLength < HEADER_BYTES) return null;
    const view = new DataView(buffer);
    const count = view.getUint8(3);
    const firstFrame = Number(view.getBigUint64(8, true));
    if (view.getUint8(0) !== 2 || !Number.isSafeInteger(firstFrame)) return null;
    const flags = view.getUint8(2);
    const frameCount = view.getUint32(16, true);
    const payload = readPayload(view, count, frameCount);
    return payload && {
        ...payload,
        splice: (flags & FLAG_SPLICE) !== 0,
        preroll: (flags & FLAG_PREROLL) !== 0,
        discontinuity: (flags & FLAG_DISCONTINUITY) !== 0,
        generation: view.getUint32(4, true),
        firstFrame,
        frameCount,
    };
}

function readPayload(view, count, frameCount) {
    switch (view.getUint8(1)) {
    case CODEC_OPUS: {
        const packets = readPackets(view, count);
        return packets && frameCount === count * PACKET_FRAMES ? { codec: 'opus', packets, samples: null } : null;
    }
    case CODEC_PCM: {
        const bytes = view.byteLength - HEADER_BYTES;
        if (count !== 0 || frameCount === 0 || bytes !== frameCount * 4) return null;
        return { codec: 'pcm', packets: null, samples: new Int16Array(view.buffer, HEADER_BYTES, frameCount * 2) };
    }
    default:
        return null;
    }
}

function readPackets(view, count) {
    let at = HEADER_BYTES + 2 * count;
    if (count < 1 || count > MAX_PACKETS || at > view.byteLength) return null;
    const packets = [];
    for (let i = 0; i < count; i++) {
        const bytes = view.getUint16(HEADER_BYTES + 2 * i, true);
        if (bytes === 0 || at + bytes > view.byteLength) return null;
        packets.push(new Uint8Array(view.buffer, at, bytes));
        at += bytes;
    }
    return at === view.byteLength ? packets : null;
}
