/* Copyright (C) Hyperdrive for nginx authors */

/* What the driver programs in JavaScript print: TAP, notes to compare. */

'use strict';

const assert = require('assert');
const crypto = require('crypto');

let count = 0;
let failed = 0;


function ok(rc, name) {
    count++;
    console.log(`${rc ? 'ok' : 'not ok'} ${count} - ${name}`);

    if (!rc) {
        failed++;
    }

    return rc;
}


function text(value) {
    return JSON.stringify(value, (k, v) => {
        if (typeof v === 'bigint') {
            return `${v}n`;
        }

        return typeof v === 'number' && !isFinite(v) ? String(v) : v;
    }) ?? 'undefined';
}


function same(got, expected, name) {
    let rc = true;

    try {
        assert.deepStrictEqual(got, expected);

    } catch (e) {
        rc = false;
        console.log(`# got ${text(got).slice(0, 300)}, expected `
                    + text(expected).slice(0, 300));
    }

    return ok(rc, name);
}


/* a value that must not differ between two runs */

function show(name, value) {
    let s = text(value);

    if (s.length > 500) {
        s = `${s.length} bytes, `
            + crypto.createHash('md5').update(s).digest('hex');
    }

    console.log(`# ${name}: ${s}`);
}


function crashed(name, e) {
    console.log(String(e && e.stack || e).replace(/^/gm, '# '));
    ok(false, name);
}


function done() {
    console.log(`1..${count}`);
    process.exitCode = failed ? 1 : 0;
}


function label(value) {
    return Buffer.isBuffer(value) ? value.toString('hex')
                                  : text(value).slice(0, 40);
}


function range(from, to) {
    return Array.from({ length: to - from + 1 }, (v, i) => from + i);
}


module.exports = { ok, same, show, crashed, done, range, label };
