// A listener on npm's ws, with each protocol.
//
//   node tests/ws_node.mjs ws://127.0.0.1:PORT ws://[::1]:PORT ...
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { WebSocket } from 'ws';

const HEARD_CHUNKS = 30;
const PROTOCOLS = [
    { name: 'v2', path: '/ws/v2', hello: 'hello', echo: 't0' },
    { name: 'v1', path: '/ws/audio/node-', hello: 'connection_established', echo: 'client_time' },
    { name: 'v0', path: '/ws/stream', hello: 'connected', echo: 'client_time' },
];
let clients = 0;

function connect(url, protocol, subprotocols = []) {
    clients += 1;
    const path = protocol.name === 'v1' ? protocol.path + clients : protocol.path;
    const socket = new WebSocket(url + path, subprotocols, { perMessageDeflate: true });
    socket.on('error', () => {});  // what matters is how it closes
    return socket;
}

// A chunk's number, undefined for what is no audio.
function chunkOf(data, isBinary) {
    if (!isBinary) return JSON.parse(data).sequence;
    const frames = data.readUInt32LE(16);
    return frames === 4800 ? Number(data.readBigUInt64LE(8)) / 4800 : undefined;
}

async function hear(socket) {
    const numbers = [];
    let hello;
    let pings = 0;
    socket.on('ping', () => { pings += 1; });
    await new Promise((resolve, reject) => {
        socket.on('close', (code) => reject(new Error(`closed with ${code}`)));
        socket.on('message', (data, isBinary) => {
            if (!hello) {
                hello = JSON.parse(data).type;
                return;
            }
            const isAudio = isBinary || JSON.parse(data).type === 'audio';
            const number = isAudio ? chunkOf(data, isBinary) : undefined;
            if (number !== undefined) numbers.push(number);
            if (numbers.length === HEARD_CHUNKS) resolve();
        });
    });
    return { hello, numbers, pings };
}

function answered(socket, protocol, number) {
    return new Promise((resolve) => {
        socket.on('message', (data, isBinary) => {
            const message = isBinary ? {} : JSON.parse(data);
            if (message.type === 'pong' && message[protocol.echo] === number) resolve();
        });
    });
}

function sendInPieces(socket, text, pieces) {
    const bytes = Buffer.from(text);
    const edge = (n) => Math.floor(n * bytes.length / pieces);
    for (let n = 0; n < pieces; n += 1) {
        socket.send(bytes.subarray(edge(n), edge(n + 1)), { binary: false, fin: n === pieces - 1 });
        if (n === 0) socket.ping('between');
    }
}

async function closed(socket) {
    const [code, reason] = await once(socket, 'close');
    return { code, reason: reason.toString() };
}

for (const url of process.argv.slice(2)) {
    for (const protocol of PROTOCOLS) {
        describe(`${protocol.name} at ${new URL(url).hostname}`, { concurrency: true }, () => {
            test('hears each chunk once, and is pinged', async () => {
                const socket = connect(url, protocol);
                const { hello, numbers, pings } = await hear(socket);
                assert.equal(hello, protocol.hello);
                assert.deepEqual(numbers, numbers.map((_, n) => numbers[0] + n));
                assert.ok(pings > 0);
                socket.terminate();
            });

            test('speaks in fragments with pings between, uncompressed, and closes with its code', async () => {
                const socket = connect(url, protocol);
                await once(socket, 'open');
                assert.equal(socket.extensions, '');
                const pong = once(socket, 'pong');
                const answer = answered(socket, protocol, 7);
                sendInPieces(socket, JSON.stringify({ type: 'ping', [protocol.echo]: 7, note: 'é🎵€' }), 40);
                assert.equal((await pong)[0].toString(), 'between');
                await answer;
                const end = closed(socket);
                socket.close(3456, 'enough');
                assert.deepEqual(await end, { code: 3456, reason: '' });
            });

            test('is told why it is closed', async () => {
                for (const [message, code] of [['no JSON', 1008], ['x'.repeat(70000), 1009]]) {
                    const socket = connect(url, protocol);
                    await once(socket, 'open');
                    const end = closed(socket);
                    for (let n = 0; n < 3; n += 1) socket.send(message);
                    assert.equal((await end).code, code);
                }
            });

            test('offers subprotocols', async () => {
                const name = `auralis-${protocol.name}`;
                if (protocol.name === 'v0') return;
                const socket = connect(url, protocol, ['other', name]);
                await once(socket, 'open');
                assert.equal(socket.protocol, name);
                socket.close();
                assert.equal((await closed(socket)).code, 1005);
            });
        });
    }
}
