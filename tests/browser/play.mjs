// The page in a real browser against a real server.
//
//   node tests/browser/play.mjs BINARY    starts `BINARY serve` by itself
//   node tests/browser/play.mjs URL       without the tests that kill the server
//
// $OUTAGES: how many seconds the network is to be a black hole, "1,5,9"; 5 if it is not set. $OFFLINE: likewise, more
// than a player holds; none if it is not set.
// Screenshots go to $SCREENSHOTS, the system's directory for temporary files if it is not set.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { launch, listen, openPage, PLAIN_HOST, play, Server, state, stats, until, Way } from './harness.mjs';

const START_LIMIT_MS = 10000;
const AUDIBLE_RMS = 1e-3;
const UNHEARD_DB = -50;
const SCREENSHOTS = process.env.SCREENSHOTS ?? tmpdir();
const secondsOf = (list) => list.split(',').filter(Boolean).map(Number);
const OUTAGES_S = secondsOf(process.env.OUTAGES ?? '5');
const OFFLINE_S = secondsOf(process.env.OFFLINE ?? '');
const target = process.argv[2];
if (!target) throw new Error('usage: node tests/browser/play.mjs BINARY | URL');
const server = target.startsWith('http') ? null : new Server(target);
let url = target;
let browser;

before(async () => {
    await server?.start();
    url = server?.url ?? target;
    browser = await launch();
});

after(async () => {
    await browser?.close();
    await server?.finish();
});

function screenshot(page, name) {
    return page.screenshot({ path: join(SCREENSHOTS, `auralis-${name}.png`), fullPage: true });
}

async function assertAudible(page, seconds) {
    const loudest = await listen(page, seconds);
    assert.ok(loudest > AUDIBLE_RMS, `level ${loudest}`);
}

describe('listening', () => {
    let page;
    before(async () => { page = await openPage(browser, url); });
    after(() => page.context().close());

    test('a page that nobody has clicked is silent', async () => {
        assert.equal(await state(page), 'paused');
        assert.equal((await stats(page)).playhead_frame, null);
    });

    test('twenty seconds play without an underrun', async (t) => {
        await play(page);
        await assertAudible(page, 20);
        const { start_ms, underruns, jumps, buffered_ms, decoder } = await stats(page);
        t.diagnostic(`start ${Math.round(start_ms)} ms, buffer ${Math.round(buffered_ms)} ms, decoder ${decoder}`);
        assert.ok(start_ms < START_LIMIT_MS);
        assert.deepEqual({ underruns, jumps, decoder }, { underruns: 0, jumps: 0, decoder: 'webcodecs' });
        assert.ok(buffered_ms > 3000, `the buffer grows: ${buffered_ms} ms`);
    });

    test('chord, section, time and buffer are shown', async () => {
        await until(page, () => /^[A-G]/.test(document.getElementById('chord').textContent)
            && document.getElementById('section').textContent !== '');
        assert.match(await page.textContent('#time'), /^\d+(:\d\d)+$/);
        assert.match(await page.textContent('#buffer'), /^\d+\.\d s$/);
        assert.equal(await page.textContent('#state'), 'Playing');
        assert.equal(await page.textContent('#connection-text'), 'Connected');
        await screenshot(page, 'wide');
    });

    test('a pause is silent and asks for nothing', async () => {
        await page.click('#play');
        assert.equal(await state(page), 'paused');
        await until(page, () => window.auralis.stats().playhead_frame === null);
        await page.waitForTimeout(500);
        const { chunks } = await stats(page);
        await page.waitForTimeout(1000);
        assert.equal((await stats(page)).chunks, chunks);
    });

    test('play after a pause is as fast, at the live playhead', async (t) => {
        await play(page);
        const { start_ms } = await stats(page);
        t.diagnostic(`start after a pause ${Math.round(start_ms)} ms`);
        assert.ok(start_ms < START_LIMIT_MS);
        await assertAudible(page, 1);
        assert.equal((await stats(page)).underruns, 0);
    });

    test('the volume is heard and remembered', async () => {
        await page.locator('#volume').fill('0');
        await until(page, () => window.auralis.stats().level_rms < 1e-4);
        await page.locator('#volume').fill('0.6');
        await until(page, () => window.auralis.stats().level_rms > 1e-4);
        await page.reload();
        assert.equal(await page.inputValue('#volume'), '0.6');
    });

    test('nothing went wrong meanwhile', () => assert.deepEqual(page.errors, []));
});

describe('steering', () => {
    let page, other;
    before(async () => {
        page = await openPage(browser, url);
        other = await openPage(browser, url);
    });
    after(() => Promise.all([page.context().close(), other.context().close()]));

    // A change made on one page arrives at the station and on the other page, in its control too.
    async function assertFollows(name, value, shown) {
        for (const one of [page, other]) {
            await until(one, ([key, wanted]) => window.auralis.parameters()[key] === wanted, [name, value]);
        }
        await until(other, ([key, wanted]) => {
            const control = document.getElementById(`control-${key}`);
            return (control.type === 'checkbox' ? control.checked : control.value) === wanted;
        }, [name, shown]);
    }

    const sliders = {
        bpm: 84, intensity: 0.7, melody_complexity: 0.25, chord_progression_variety: 0.9, harmonic_density: 0.4,
        brightness: 0.35, space: 0.8, warmth: 0.65, texture: 0.15, morph_seconds: 12,
    };
    for (const [name, value] of Object.entries(sliders)) {
        test(`the slider of ${name} is followed`, async () => {
            await page.locator(`#control-${name}`).fill(String(value));
            await assertFollows(name, value, String(value));
        });
    }

    test('key and mode are followed, and keep true to each other', async () => {
        await page.locator('#control-mode').selectOption('lydian');
        await assertFollows('mode', 'lydian', 'lydian');
        await page.locator('#control-key').selectOption('Eb');
        await assertFollows('key', 'Eb major', 'Eb');
        await assertFollows('mode', 'lydian', 'lydian');
        await page.locator('#control-mode').selectOption('dorian');
        await assertFollows('mode', 'dorian', 'dorian');
        await page.locator('#control-key').selectOption('F#');
        await assertFollows('key', 'F# minor', 'F#');
        assert.equal(await page.locator('#control-key option').count(), 12);
    });

    for (const name of ['enable_pads', 'enable_melody', 'enable_kicks', 'enable_swells']) {
        test(`the switch of ${name} is followed`, async () => {
            await page.locator(`#control-${name}`).uncheck();
            await assertFollows(name, false, false);
            await page.locator(`#control-${name}`).check();
            await assertFollows(name, true, true);
        });
    }

    test('a dragged slider sends few messages and its last value', async () => {
        await page.evaluate(async () => {
            const slider = document.getElementById('control-intensity');
            for (let i = 0; i <= 60; i++) {
                slider.value = 0.2 + i / 100;
                slider.dispatchEvent(new Event('input', { bubbles: true }));
                await new Promise((resolve) => { setTimeout(resolve, 10); });
            }
        });
        await assertFollows('intensity', 0.8, '0.8');
        assert.equal(await page.locator('#notice[data-kind="error"]:not(:empty)').count(), 0);
    });

    test('a scene sets what it is made of', async () => {
        await page.getByRole('button', { name: 'Sleep' }).click();
        await assertFollows('mode', 'phrygian', 'phrygian');
        await until(other, () => document.querySelector('[data-scene="sleep"][aria-pressed="true"]'));
        assert.match(await other.textContent('#scene'), /^Sleep/);
        await page.getByRole('button', { name: 'Drift' }).click();
        await assertFollows('mode', 'aeolian', 'aeolian');
    });

    test('a change is heard at once by who holds seconds of sound', async (t) => {
        const before = await stats(page);
        await play(page);
        await until(page, () => window.auralis.stats().buffered_ms > 4000);
        const toEar = [];
        for (let i = 0; i < 8; i++) {
            await page.evaluate(() => { window.splicesBefore = window.auralis.stats().splices; });
            await page.locator('#control-intensity').fill(String((15 + 5 * i) / 100));
            await until(page, () => window.auralis.stats().splices > window.splicesBefore);
            toEar.push((await stats(page)).control_to_ear_ms);
            await page.waitForTimeout(300);
        }
        const after = await stats(page);
        toEar.sort((a, b) => a - b);
        t.diagnostic(`control to ear ${toEar.map(Math.round)} ms, ${after.late_switches} of them late`);
        assert.ok(toEar.every((ms) => ms > 150), `${toEar}`);
        assert.ok(toEar[4] < 2000, `${toEar}`);
        assert.equal(after.underruns, before.underruns);
        assert.equal(after.jumps, before.jumps);
        await assertAudible(page, 1);
        await page.click('#play');
    });

    test('nothing went wrong meanwhile', () => assert.deepEqual([...page.errors, ...other.errors], []));
});

describe('keyboard and looks', () => {
    test('space plays and pauses, tab reaches every control, arrows move a slider', async () => {
        const page = await openPage(browser, url);
        await page.keyboard.press('Space');
        await until(page, () => window.auralis.state() === 'playing');
        await page.keyboard.press('Space');
        await until(page, () => window.auralis.state() === 'paused');
        const reached = new Set();
        for (let i = 0; i < 30; i++) {
            await page.keyboard.press('Tab');
            reached.add(await page.evaluate(() => document.activeElement.id));
        }
        const expected = ['play', 'volume', 'control-key', 'control-bpm', 'control-enable_swells'];
        assert.deepEqual(expected.filter((id) => !reached.has(id)), []);
        await page.focus('#control-bpm');
        const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
        assert.equal(outline, 'solid');
        const tempo = (await page.evaluate(() => window.auralis.parameters().bpm)) + 1;
        await page.keyboard.press('ArrowRight');
        await until(page, (wanted) => window.auralis.parameters().bpm === wanted, tempo);
        await page.focus('#play');
        await page.keyboard.press('Space');
        await until(page, () => window.auralis.state() === 'playing');
        await page.context().close();
    });

    test('the diagnostics fit a phone and load without an error', async () => {
        const context = await browser.newContext({ viewport: { width: 360, height: 640 } });
        const page = await context.newPage();
        const errors = [];
        page.on('console', (message) => { if (message.type() === 'error') errors.push(message.text()); });
        await page.goto(new URL('/debug.html', url).href);
        await until(page, () => document.querySelectorAll('#figures tr').length > 10);
        assert.match(await page.textContent('#health'), /healthy/);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth);
        assert.ok(wide <= 360, `${wide} > 360`);
        assert.deepEqual(errors, []);
        await screenshot(page, 'diagnostics');
        await context.close();
    });

    for (const [width, height] of [[360, 640], [320, 568], [1100, 900]]) {
        test(`nothing sticks out at ${width}x${height}, and axe finds no fault`, async () => {
            const page = await openPage(browser, url, { viewport: { width, height }, reducedMotion: 'reduce' });
            await play(page);
            const wide = await page.evaluate(() => document.documentElement.scrollWidth);
            assert.ok(wide <= width, `${wide} > ${width}`);
            const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
            await page.evaluate(readFileSync(axe, 'utf8'));
            const faults = await page.evaluate(async () => (await window.axe.run()).violations.map((fault) =>
                `${fault.id}: ${fault.nodes.map((node) => node.target).join(', ')}`));
            assert.deepEqual(faults, []);
            await screenshot(page, `${width}`);
            assert.deepEqual(page.errors, []);
            await page.context().close();
        });
    }
});

describe('bit rates', () => {
    const BITRATES = [128000, 64000, 32000];
    // Sound by frame, as the decoders delivered it, told by a changed ring.js.
    const tapped = async (route) => {
        const response = await route.fetch();
        const tap = `const tap = new BroadcastChannel('decoded');
            const write = Ring.prototype.write;
            Ring.prototype.write = function (frame, left, ...rest) {
                tap.postMessage({ frame, left: left.slice() });
                write.call(this, frame, left, ...rest);
            };`;
        await route.fulfill({ response, body: `${await response.text()}\n${tap}` });
    };
    const tap = () => {
        window.decoded = [];
        new BroadcastChannel('decoded').onmessage = ({ data }) => window.decoded.push(data);
    };

    // In the page: hears each bit rate from now on, with the page's own decoder, which nothing else is fed to.
    const hearAll = async (bitrates) => {
        const [{ createDecoder }, { parseMessage }] = await Promise.all([import('/decoder.js'), import('/message.js')]);
        window.references = await Promise.all(bitrates.map(async (bitrate) => {
            const blocks = new Map();
            const deliver = (job, left) => { if (!job.preroll) blocks.set(job.firstFrame, left); };
            const decoder = await createDecoder('opus', true, deliver, (error) => { throw error; });
            await decoder.begin();
            const socket = new WebSocket(`ws://${location.host}/ws/v2?format=opus&bitrate=${bitrate}`, 'auralis-v2');
            socket.binaryType = 'arraybuffer';
            socket.onmessage = ({ data }) => {
                if (typeof data !== 'string') decoder.decode(parseMessage(data));
                else window.delayFrames = JSON.parse(data).decoder_delay_frames ?? window.delayFrames;
            };
            return blocks;
        }));
    };
    const heardAll = (frame) => window.references.every((blocks) => blocks.has(frame + window.delayFrames));

    // In the page: what was decoded of these frames has to follow each other without a hole, and each 5 ms of it has to
    // be what one of the references heard. Returns the power of the worst difference, in dB of that of the sound.
    const difference = ([from, to]) => {
        const WINDOW = 240;
        const blocks = window.decoded.filter(({ frame }) => frame >= from && frame <= to);
        const power = (left, other, at) => {
            let sum = 0;
            for (let i = at; i < at + WINDOW; i++) sum += (left[i] - (other?.[i] ?? 0)) ** 2;
            return sum;
        };
        let [worst, whole, windows] = [0, 0, 0];
        blocks.forEach(({ frame, left }, n) => {
            if (frame !== blocks[0].frame + n * left.length) throw new Error(`frame ${frame} does not follow`);
            for (let at = 0; at < left.length; at += WINDOW, windows++) {
                const errors = window.references.map((heard) => power(left, heard.get(frame + window.delayFrames), at));
                worst = Math.max(worst, Math.min(...errors));
                whole += power(left, null, at);
            }
        });
        return 10 * Math.log10(worst / (whole / windows));
    };

    // Plays, asks for one bit rate after the other, and returns the worst difference around each switch.
    async function changes(page, bitrates) {
        await page.addInitScript(tap);
        await page.context().route('**/ring.js', tapped);
        await page.reload();
        await until(page, () => window.auralis?.parameters());
        await page.evaluate(hearAll, BITRATES);
        await play(page);
        // The click began anew; from here on nothing may be missing.
        await page.evaluate(() => { window.decoded.length = 0; });
        const worst = [];
        for (const bitrate of bitrates) {
            await until(page, () => window.decoded.length > 0 && window.auralis.stats().buffered_ms > 3000);
            const from = await page.evaluate((wanted) => {
                window.auralis.askBitrate(wanted);
                return window.decoded.at(-1).frame;
            }, bitrate);
            await until(page, (wanted) => window.auralis.stats().bitrate === wanted, bitrate);
            assert.equal(await page.textContent('#connection-text'),
                bitrate === 128000 ? 'Connected' : `${bitrate / 1000} kb/s, slow connection`);
            if (bitrate === 32000) await screenshot(page, 'slow');
            const after_ = await page.evaluate(() => window.decoded.at(-1).frame);
            await until(page, (frame) => window.decoded.at(-1).frame > frame, after_ + 96000);
            const to = await page.evaluate(() => window.decoded.at(-1).frame);
            await until(page, heardAll, to);
            worst.push(await page.evaluate(difference, [from, to]));
        }
        return worst;
    }

    const shown = (worst) => `worst 5 ms around switches: ${worst.map((db) => db.toFixed(1)).join(', ')} dB`;
    const decoders = [
        ['webcodecs', '', [64000, 32000, 128000]],
        ['opus-decoder', 'delete globalThis.AudioDecoder;\n', [32000]],
    ];
    for (const [name, without, bitrates] of decoders) {
        test(`another bit rate is not heard, with ${name}`, async (t) => {
            const page = await openPage(browser, url);
            await page.context().route('**/decoder.js', async (route) => {
                const response = await route.fetch();
                await route.fulfill({ response, body: without + await response.text() });
            });
            const worst = await changes(page, bitrates);
            t.diagnostic(shown(worst));
            assert.ok(worst.every((db) => db < UNHEARD_DB));
            await assertAudible(page, 10);
            const { underruns, jumps, decoder } = await stats(page);
            assert.deepEqual([underruns, jumps, decoder], [0, 0, name]);
            assert.deepEqual(page.errors, []);
            await page.context().close();
        });
    }

    test('a switch without its preroll would be found', async (t) => {
        const page = await openPage(browser, url);
        await page.context().route('**/decoder.js', async (route) => {
            const response = await route.fetch();
            const text = await response.text();
            const body = text.replace('decode(job) {', '$& if (job.drop) return;');
            assert.notEqual(body, text);
            await route.fulfill({ response, body });
        });
        const worst = await changes(page, [64000]);
        t.diagnostic(shown(worst));
        assert.ok(worst[0] > UNHEARD_DB);
        await page.context().close();
    });

    test('what the server skips is crossed by a fade', async () => {
        // A socket that, asked to, keeps a second of sound to itself and says so as the server does.
        const lossy = `self.WebSocket = class extends WebSocket {
            #left = 0;
            #from = 0;
            constructor(...args) {
                super(...args);
                new BroadcastChannel('lose').onmessage = () => { this.#left = 10; };
            }
            set onmessage(handler) {
                super.onmessage = (event) => { if (this.#passes(event.data, handler)) handler(event); };
            }
            get onmessage() { return super.onmessage; }
            #passes(data, handler) {
                if (typeof data === 'string' || this.#left === 0) return true;
                const frame = Number(new DataView(data).getBigUint64(8, true));
                if (this.#left === 10) this.#from = frame;
                if (--this.#left > 0) return false;
                const skip = { type: 'skip', from_frame: this.#from, to_frame: frame, burst_until_frame: frame };
                handler({ data: JSON.stringify(skip) });
                return true;
            }
        };`;
        const page = await openPage(browser, url);
        await page.context().route('**/connection.js', async (route) => {
            const response = await route.fetch();
            await route.fulfill({ response, body: `${await response.text()}\n${lossy}` });
        });
        await page.reload();
        await until(page, () => window.auralis?.parameters());
        await play(page);
        await until(page, () => window.auralis.stats().buffered_ms > 2500);
        await page.evaluate(() => new BroadcastChannel('lose').postMessage(1));
        await until(page, () => window.auralis.stats().skips === 1);
        await assertAudible(page, 3);
        const { underruns, jumps, playhead_frame } = await stats(page);
        assert.deepEqual([underruns, jumps], [0, 0]);
        assert.ok(playhead_frame > 0);
        assert.deepEqual(page.errors, []);
        await page.context().close();
    });

    test('a page may ask for less from the start', async () => {
        const page = await openPage(browser, `${url}/?bitrate=64000`);
        await play(page);
        await assertAudible(page, 3);
        const { bitrate, underruns } = await stats(page);
        assert.deepEqual([bitrate, underruns], [64000, 0]);
        assert.equal(await page.textContent('#connection-text'), 'Connected');
        await page.context().close();
    });
});

describe('browsers that lack something', () => {
    // Browsers complain about isolation headers over plain http.
    const unexpected = (page) => page.errors.filter((error) => !error.includes('Cross-Origin-Opener-Policy'));

    // How long the page's own thread was kept waiting at worst: without a worklet its sound waits as well.
    const measureLag = () => {
        let last = performance.now();
        window.worstLag = 0;
        setInterval(() => {
            window.worstLag = Math.max(window.worstLag, performance.now() - last - 20);
            last = performance.now();
        }, 20);
    };

    // Begins, and plays four seconds without an underrun or a jump. A machine that does something else for a moment spoils
    // that, what is wrong spoils it every time.
    async function playsWell(page) {
        await page.evaluate(measureLag);
        await play(page);
        await assertAudible(page, 4);
        const { underruns, jumps } = await stats(page);
        const heldUp = await page.evaluate(() => window.worstLag > 150);
        return heldUp || (underruns === 0 && jumps === 0);
    }

    async function assertPlays(page, decoder) {
        for (let tries = 1; !await playsWell(page); tries++) {
            assert.ok(tries < 3);
            await page.reload();
            await until(page, () => window.auralis?.parameters());
        }
        assert.equal((await stats(page)).decoder, decoder);
        assert.deepEqual(unexpected(page), []);
    }

    test('without WebCodecs, opus-decoder plays', async () => {
        const withoutWebCodecs = async (route) => {
            const response = await route.fetch();
            await route.fulfill({ response, body: `delete globalThis.AudioDecoder;\n${await response.text()}` });
        };
        const page = await openPage(browser, url, { route: ['**/decoder.js', withoutWebCodecs] });
        await assertPlays(page, 'opus-decoder');
        await page.context().close();
    });

    test('without SharedArrayBuffer, a port carries the sound', async () => {
        const page = await openPage(browser, url, { before: () => { delete window.SharedArrayBuffer; } });
        assert.equal(await page.evaluate(() => typeof SharedArrayBuffer), 'undefined');
        await assertPlays(page, 'webcodecs');
        await page.context().close();
    });

    test('PCM plays', async () => {
        const page = await openPage(browser, `${url}/?format=pcm`);
        await assertPlays(page, 'pcm');
        await page.context().close();
    });

    test('over plain http, without worklet and WebCodecs, buffers are scheduled', { skip: !server }, async () => {
        const plain = await launch(`--host-resolver-rules=MAP ${PLAIN_HOST} 127.0.0.1`);
        try {
            const page = await openPage(plain, url.replace('127.0.0.1', PLAIN_HOST));
            assert.equal(await page.evaluate(() => window.isSecureContext), false);
            await assertPlays(page, 'opus-decoder');
            await page.click('#play');
            await until(page, () => window.auralis.stats().level_rms < 1e-4);
            await play(page);
            await assertAudible(page, 1);
            assert.deepEqual(unexpected(page), []);
        } finally {
            await plain.close();
        }
    });
});

describe('faults', { skip: !server }, () => {
    // Connections are refused meanwhile, and nothing else is asked for.
    const unexpected = (page) => page.errors.filter((error) => !error.includes('WebSocket connection'));

    test('two players are in step', async (t) => {
        const pages = [await openPage(browser, url), await openPage(browser, url)];
        for (const page of pages) await play(page);
        await until(pages[1], () => window.auralis.stats().buffered_ms > 8000, null, 40000);
        // What is heard when this machine's clock says zero, by one page and the other.
        const apartMs = [];
        for (let i = 0; i < 21; i++) {
            await pages[0].waitForTimeout(200);
            const [one, other] = await Promise.all(pages.map((page) => page.evaluate(() => {
                const { heard_frame: heard } = window.auralis.stats();
                return heard / 48 - performance.timeOrigin - performance.now();
            })));
            apartMs.push(one - other);
        }
        const sorted = apartMs.map(Math.abs).sort((a, b) => a - b);
        t.diagnostic(`apart by ${sorted[10].toFixed(1)} ms in the median, ${sorted[20].toFixed(1)} ms at most`);
        assert.ok(sorted[10] < 10, `${apartMs.map((ms) => ms.toFixed(1))}`);
        for (const page of pages) {
            const { underruns, jumps } = await stats(page);
            assert.deepEqual({ underruns, jumps }, { underruns: 0, jumps: 0 });
            await page.context().close();
        }
    });

    test('a server that stands still for four seconds is not heard', async () => {
        const page = await openPage(browser, url);
        await play(page);
        await until(page, () => window.auralis.stats().buffered_ms > 8000, null, 40000);
        server.signal('SIGSTOP');
        await assertAudible(page, 4);
        server.signal('SIGCONT');
        await assertAudible(page, 8);
        const { underruns, jumps } = await stats(page);
        assert.deepEqual({ underruns, jumps }, { underruns: 0, jumps: 0 });
        await page.context().close();
    });

    test('a connection that has gone silent is replaced before that is heard', async (t) => {
        const way = new Way(url);
        await way.open();
        const page = await openPage(browser, way.url);
        await play(page);
        await until(page, () => window.auralis.stats().buffered_ms > 8000, null, 40000);
        const { reconnects } = await stats(page);
        way.freeze();
        await until(page, (before_) => window.auralis.stats().reconnects > before_, reconnects);
        t.diagnostic(`${Math.round((await stats(page)).buffered_ms)} ms were left`);
        await until(page, () => document.getElementById('connection').dataset.state === 'open');
        await assertAudible(page, 10);
        const { underruns, jumps, reconnects: now } = await stats(page);
        assert.deepEqual({ underruns, jumps, now }, { underruns: 0, jumps: 0, now: reconnects + 1 });
        assert.deepEqual(page.errors, []);
        await page.context().close();
        way.close();
    });

    // Of somebody who holds the whole lead.
    async function behindABlackHole(run) {
        const way = new Way(url);
        await way.open();
        const page = await openPage(browser, way.url);
        await play(page);
        await until(page, () => window.auralis.stats().buffered_ms > 9400, null, 40000);
        try {
            await run(page, way);
            assert.deepEqual(unexpected(page), []);
        } finally {
            await page.context().close();
            way.close();
        }
    }

    for (const seconds of OUTAGES_S) {
        test(`a network that is a black hole for ${seconds} s is not heard`, async (t) => {
            await behindABlackHole(async (page, way) => {
                way.becomeBlackHole();
                await assertAudible(page, seconds);
                t.diagnostic(`${Math.round((await stats(page)).buffered_ms)} ms were left`);
                way.pass();
                await until(page, () => window.auralis.stats().buffered_ms > 8000, null, 20000);
                await assertAudible(page, 3);
                const { underruns, jumps } = await stats(page);
                assert.deepEqual({ underruns, jumps }, { underruns: 0, jumps: 0 });
            });
        });
    }

    for (const seconds of OFFLINE_S) {
        test(`after ${seconds} s without a network sound is back at once, in step`, async (t) => {
            await behindABlackHole(async (page, way) => {
                way.becomeBlackHole();
                await page.waitForTimeout(seconds * 1000);
                assert.equal(await state(page), 'buffering');
                way.pass();
                const passed = Date.now();
                await until(page, () => window.auralis.state() === 'playing');
                const tookMs = Date.now() - passed;
                t.diagnostic(`playing again after ${tookMs} ms`);
                assert.ok(tookMs < START_LIMIT_MS);
                await assertAudible(page, 3);
                const { live_frame: live, heard_frame: heard } = await stats(page);
                assert.ok(Math.abs(live - heard) < 48000 / 50, `${(heard - live) / 48} ms from the live playhead`);
            });
        });
    }

    test('a server that was killed and comes back is not heard', async (t) => {
        const page = await openPage(browser, url);
        await play(page);
        await until(page, () => window.auralis.stats().buffered_ms > 8000, null, 40000);
        const { reconnects, playhead_frame: frame } = await stats(page);
        await server.stop('SIGKILL');
        await page.waitForTimeout(1000);
        await server.start();
        await until(page, (before_) => window.auralis.stats().reconnects > before_, reconnects);
        t.diagnostic(`${Math.round((await stats(page)).buffered_ms)} ms were left`);
        await assertAudible(page, 10);
        const { underruns, jumps, playhead_frame } = await stats(page);
        assert.deepEqual({ underruns, jumps }, { underruns: 0, jumps: 0 });
        assert.ok(playhead_frame > frame + 10 * 48000);
        assert.deepEqual(unexpected(page), []);
        await page.context().close();
    });

    test('the page comes back by itself when the server was killed', async (t) => {
        const page = await openPage(browser, url);
        await play(page);
        const { reconnects } = await stats(page);
        await server.stop('SIGKILL');
        await until(page, () => document.getElementById('connection').dataset.state !== 'open');
        await until(page, () => !document.querySelector('#controls select:enabled, .scenes button:enabled'));
        await screenshot(page, 'lost');
        await page.waitForTimeout(1000);
        await server.start();
        const started = Date.now();
        await until(page, (before_) => window.auralis.stats().reconnects > before_, reconnects);
        await until(page, () => document.querySelector('#controls select:enabled'));
        t.diagnostic(`connected again after ${Date.now() - started} ms`);
        await until(page, () => window.auralis.state() === 'playing' && window.auralis.stats().level_rms > 1e-3);
        await assertAudible(page, 4);
        assert.deepEqual(unexpected(page), []);
        await page.context().close();
    });

    test('a server that comes back with another programme is joined at once', async () => {
        const page = await openPage(browser, url);
        await play(page);
        await until(page, () => window.auralis.stats().buffered_ms > 4000);
        const { reconnects, playhead_frame: before_ } = await stats(page);
        await server.stop('SIGKILL');
        await server.start('--seed', '4711');
        await until(page, (frame) => window.auralis.state() === 'playing' && window.auralis.stats().level_rms > 1e-3
            && window.auralis.stats().playhead_frame < frame, before_);
        await assertAudible(page, 4);
        assert.equal((await stats(page)).reconnects, reconnects + 1);
        assert.deepEqual(unexpected(page), []);
        await page.context().close();
    });
});
