// What the browser tests stand on: a server that can be killed and started again, browsers, pages that collect errors.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { chromium } from 'playwright-core';

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
const CHROMIUM_FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-sync',
    '--autoplay-policy=no-user-gesture-required',
    '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost'];
const DESKTOP = { width: 1100, height: 900 };
// A name for this machine that browsers do not trust as they trust localhost.
export const PLAIN_HOST = 'auralis.test';

// `auralis serve` on a free port with data of its own, the same ones after a restart.
export class Server {
    url = '';
    #binary;
    #port = 0;
    #dataDir = mkdtempSync(join(tmpdir(), 'auralis-browser-'));
    #process = null;

    constructor(binary) {
        this.#binary = binary;
    }

    // options: more of `auralis serve`, for this time.
    async start(...options) {
        const args = ['serve', '--listen', `127.0.0.1:${this.#port}`, '--data-dir', this.#dataDir,
            '--allow-host', PLAIN_HOST, '--log-level', 'error', ...options];
        this.#process = spawn(this.#binary, args, { stdio: ['ignore', 'pipe', 'inherit'] });
        this.url = await new Promise((resolve, reject) => {
            createInterface(this.#process.stdout).on('line', (line) => {
                const match = /listening on (http:\/\/[\d.]+:\d+)/.exec(line);
                if (match) resolve(match[1]);
            });
            this.#process.once('error', reject);
            this.#process.once('exit', (code) => reject(new Error(`the server ended with ${code}`)));
        });
        this.#port = Number(new URL(this.url).port);
    }

    signal(name) {
        this.#process.kill(name);
    }

    async stop(signal = 'SIGTERM') {
        if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
        const ended = new Promise((resolve) => { this.#process.once('exit', resolve); });
        this.#process.kill(signal);
        await ended;
    }

    async finish() {
        await this.stop();
        rmSync(this.#dataDir, { recursive: true, force: true });
    }
}

// A way to the server that can go silent, as one does whose packets are lost: nobody is told.
export class Way {
    url = '';
    #target;
    // [near, far] of each connection; far is null while it is held up.
    #pairs = new Set();
    #isBlackHole = false;
    #server = createServer({ pauseOnConnect: true }, (near) => this.#join(near));

    constructor(target) {
        this.#target = new URL(target);
    }

    async open() {
        await new Promise((resolve) => { this.#server.listen(0, '127.0.0.1', resolve); });
        this.url = `http://127.0.0.1:${this.#server.address().port}`;
    }

    // On what is connected now nothing comes any more.
    freeze() {
        for (const pair of this.#pairs) for (const socket of pair) socket?.unpipe().pause();
    }

    // Nor on what connects from now on, until `pass`: then all goes on, as when a network is there again.
    becomeBlackHole() {
        this.#isBlackHole = true;
        this.freeze();
    }

    pass() {
        this.#isBlackHole = false;
        for (const pair of this.#pairs) this.#goOn(pair);
    }

    close() {
        for (const pair of this.#pairs) for (const socket of pair) socket?.destroy();
        this.#server.close();
    }

    #join(near) {
        const pair = [near, null];
        this.#pairs.add(pair);
        this.#follow(near, pair);
        if (!this.#isBlackHole) this.#goOn(pair);
    }

    #follow(socket, pair) {
        socket.setNoDelay(true).on('error', () => {}).on('close', () => this.#end(pair));
    }

    // Who is gone on one side is gone on the other, though not before a black hole has passed.
    #end(pair) {
        if (this.#isBlackHole) return;
        this.#pairs.delete(pair);
        for (const socket of pair) socket?.end();
    }

    #goOn(pair) {
        const [near] = pair;
        if (near.destroyed) {
            this.#end(pair);
            return;
        }
        if (!pair[1]) {
            pair[1] = createConnection(this.#target.port, this.#target.hostname);
            this.#follow(pair[1], pair);
        }
        near.pipe(pair[1]);
        pair[1].pipe(near);
    }
}

// flags: instead of those of the same name.
export function launch(...flags) {
    const name = (flag) => flag.split('=')[0];
    const kept = CHROMIUM_FLAGS.filter((flag) => !flags.some((own) => name(own) === name(flag)));
    return chromium.launch({ executablePath: CHROMIUM, args: [...kept, ...flags] });
}

// A page that shows the player, with the errors it has met so far in `page.errors`.
//   before: a function to run in the page before anything of its own
//   route: [pattern, handler], requests to answer differently, those of workers included
//   viewport, ...: as Playwright's newContext has them
export async function openPage(browser, url, { before, route, viewport = DESKTOP, ...options } = {}) {
    const context = await browser.newContext({ viewport, ...options });
    const page = await context.newPage();
    page.errors = [];
    page.on('console', (message) => {
        if (message.type() === 'error') page.errors.push(`${message.text()} (${message.location().url})`);
    });
    page.on('pageerror', (error) => page.errors.push(error.message));
    if (route) await context.route(...route);
    if (before) await page.addInitScript(before);
    await page.goto(url);
    await until(page, () => window.auralis?.parameters() && document.querySelector('#controls select:enabled'));
    return page;
}

export function state(page) {
    return page.evaluate(() => window.auralis.state());
}

export function stats(page) {
    return page.evaluate(() => window.auralis.stats());
}

// Waits until a condition holds in the page.
export function until(page, condition, argument, timeout = 20000) {
    return page.waitForFunction(condition, argument, { timeout, polling: 50 });
}

// Presses play and waits for sound.
export async function play(page) {
    await page.click('#play');
    await until(page, () => window.auralis.state() === 'playing' && window.auralis.stats().level_rms > 1e-4);
}

// Waits until the playhead has moved on by some seconds from where it is. Returns the loudest level on the way.
export function listen(page, seconds) {
    return page.evaluate(async (frames) => {
        const from = window.auralis.stats().playhead_frame;
        let loudest = 0;
        for (;;) {
            const { playhead_frame: now, level_rms: level } = window.auralis.stats();
            loudest = Math.max(loudest, level);
            if (now !== null && now - from >= frames) return loudest;
            await new Promise((resolve) => { setTimeout(resolve, 50); });
        }
    }, seconds * 48000);
}
