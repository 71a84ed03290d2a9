import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

// The Node.js that Debian 12 installs.
const NODE_MAJOR = 18;

test('every package runs on the Node.js of Debian 12', () => {
    const { packages } = JSON.parse(readFileSync(new URL('../../../package-lock.json', import.meta.url)));
    for (const [name, { engines }] of Object.entries(packages)) {
        const [, least = '0'] = /^>=\s*(\d+)/.exec(engines?.node ?? '') ?? [];
        assert.ok(Number(least) <= NODE_MAJOR, `${name || 'this package'} wants Node.js ${engines?.node}`);
    }
});
