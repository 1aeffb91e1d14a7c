/* Copyright (C) Hyperdrive for nginx authors */

/*
 * What a program on node-postgres does in a day.  The database is named by
 * PGHOST and its kin; with the argument "read" only what a cache may answer
 * is run.
 */

'use strict';

const pg = require('pg');
const { ok, same, show, crashed, done, range, label } = require('./tap.js');


async function connect() {
    const c = new pg.Client({ application_name: 'node-postgres' });

    await c.connect();

    return c;
}


async function value(c, sql, values) {
    const res = await c.query({ text: sql, values, rowMode: 'array' });

    return res.rows[0][0];
}


async function read(c) {
    const sql = 'SELECT * FROM drv_types WHERE id = ';
    let res, got, i;

    for (i = 1; i <= 4; i++) {
        for (const again of [1, 2]) {
            res = await c.query(sql + i);
            show('simple', res.rows);
            same(res.rows[0].id, i, `row ${i}, simple`);

            res = await c.query(sql + '$1', [i]);
            show('extended', res.rows);
            same(res.rows[0].id, i, `row ${i}, extended`);

            res = await c.query({ name: 'row', text: sql + '$1',
                                  values: [i] });
            show('named', res.rows);
            same(res.rows[0].id, i, `row ${i}, named`);

            res = await c.query({ text: 'SELECT id, i4, t, b FROM drv_types '
                                        + 'WHERE id = $1',
                                  values: [i], binary: true });
            show('binary', res.rows);
            same(res.rows[0].id, i, `row ${i}, binary`);
        }
    }

    res = await c.query(sql + '$1', [1]);
    const row = res.rows[0];

    same([row.i8, row.n, row.t, row.by, row.tstz, row.jb, row.ai, row.at],
         ['7000000000', '12345.6789', 'plain text',
          Buffer.from([0, 1, 2, 3, 254, 255]),
          new Date('2024-02-29T13:14:15.123Z'), { k: 'v', n: 1.5 },
          [1, 2, null, 4], ['a', 'b c', 'quo"te', null]],
         'the values of row 1');

    for (const again of [1, 2]) {
        res = await c.query('SELECT id, v FROM drv_rows ORDER BY id');
        same(res.rows.map((r) => r.id), range(1, 10000), '10,000 rows');
    }

    got = [];

    for (i = 0; i < 300; i++) {
        res = await c.query({ name: 'by key',
                              text: 'SELECT id FROM drv_rows WHERE id = $1',
                              values: [i % 30 + 1] });
        got.push(res.rows[0].id);
    }

    same(got, range(0, 299).map((n) => n % 30 + 1), '300 reads by key');
}


async function types(c) {
    const values = [
        ['int2', -32768], ['int4', 2147483647],
        ['int8', '-9223372036854775808'], ['float4', 1.5], ['float8', NaN],
        ['float8', -Infinity], ['float8', 0.1],
        ['numeric', '12345678901234567890.123456789'], ['numeric', 'NaN'],
        ['text', '\u00e4 \u20ac \u{1F600} \'q\' "d" \\ $1'], ['text', ''],
        ['bytea', Buffer.from([0, 1, 127, 128, 255])],
        ['bytea', Buffer.alloc(0)], ['bool', true], ['bool', false],
        ['time', '13:14:15.123456'], ['timetz', '13:14:15.5+02'],
        ['timestamptz', new Date('2024-02-29T13:14:15.123Z')],
        ['uuid', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'],
        ['json', { a: [1, 2, { b: null }], '\u00e4': '\u{1F600}' }],
        ['jsonb', { a: [1, 2, { b: null }] }],
        ['inet', '192.168.1.7/24'], ['inet', '2001:db8::1'],
        ['int4[]', [1, 2, null, 4]], ['int4[]', [[1, 2], [3, 4]]],
        ['text[]', ['a', 'b c', null, 'x"y', 'NULL']],
        ['drv_mood', 'happy'], ['drv_pair', '(42,"x y")'],
        ['int4range', '[1,10)'], ['int4range', 'empty'], ['int4', null],
    ];

    for (const [type, v] of values) {
        same(await value(c, `SELECT $1::${type}`, [v]), v,
             `${type} ${label(v)}`);
    }

    const res = await c.query("SELECT $1::interval AS i",
                              ['1 year 2 months 3 days 04:05:06.789']);
    same({ ...res.rows[0].i },
         { years: 1, months: 2, days: 3, hours: 4, minutes: 5, seconds: 6,
           milliseconds: 789 }, 'interval');
}


async function fails(c, code, sql, values) {
    try {
        await c.query(sql, values);
        ok(false, `error ${code}`);

    } catch (e) {
        show('error', [e.code, e.message, e.detail, e.position,
                       e.constraint]);
        same(e.code, code, `error ${code}`);
    }
}


async function errors(c) {
    await c.query("DELETE FROM drv_items WHERE who LIKE 'node-pg%'");
    await c.query("INSERT INTO drv_items VALUES ('node-pg-e', 1, 'x')");

    for (const [code, sql, values] of [
        ['42601', 'SELEC 1'],
        ['42601', 'SELEC $1', [1]],
        ['23505', "INSERT INTO drv_items VALUES ($1, 1, 'x')",
         ['node-pg-e']],
        ['22012', 'SELECT 1 / $1::int', [0]],
        ['42P01', 'SELECT * FROM drv_missing'],
        ['42703', 'SELECT nothing FROM drv_rows', []],
        ['22P02', 'SELECT $1::int', ['x']],
        ['23502', "INSERT INTO drv_items VALUES ($1, 1, 'x')", [null]],
    ]) {
        await fails(c, code, sql, values);
        same(await value(c, 'SELECT $1::text', ['on']), 'on', 'going on');
    }

    /* a named statement that fails is prepared again the next time */

    for (const again of [1, 2]) {
        await fails(c, '42P01', { name: 'broken',
                                  text: 'SELECT * FROM drv_missing' });
    }

    const res = await c.query('SELECT 1 AS one; SELECT 2 AS two');
    same(res.map((r) => r.rows[0]), [{ one: 1 }, { two: 2 }],
         'two statements in one query');

    await fails(c, '22012',
                "INSERT INTO drv_items VALUES ('node-pg-e', 2, 'x'); "
                + 'SELECT 1 / 0');
    same(await count(c, 'node-pg-e'), 1, 'which undoes both');
}


async function count(c, who) {
    return Number(await value(c, 'SELECT count(*) FROM drv_items '
                                 + 'WHERE who = $1', [who]));
}


async function transactions(c) {
    const put = (id) => c.query("INSERT INTO drv_items "
                                + "VALUES ('node-pg-t', $1, 'x')", [id]);

    await c.query('BEGIN');
    await put(1);
    await c.query('COMMIT');
    same(await count(c, 'node-pg-t'), 1, 'commit');

    await c.query('BEGIN');
    await put(2);
    same(await count(c, 'node-pg-t'), 2, 'seen inside');
    await c.query('ROLLBACK');
    same(await count(c, 'node-pg-t'), 1, 'rollback');

    await c.query('BEGIN');
    await put(2);
    await c.query('SAVEPOINT s');
    await fails(c, '23505', "INSERT INTO drv_items "
                            + "VALUES ('node-pg-t', $1, 'x')", [2]);
    await fails(c, '25P02', 'SELECT 1');
    await c.query('ROLLBACK TO s');
    await put(3);
    await c.query('COMMIT');
    same(await count(c, 'node-pg-t'), 3, 'savepoint');

    await c.query('BEGIN');
    await put(4);
    await fails(c, '22012', 'SELECT 1 / 0');
    const res = await c.query('COMMIT');
    same(res.command, 'ROLLBACK', 'the COMMIT of a failed block');
    same(await count(c, 'node-pg-t'), 3, 'a failed block leaves nothing');

    /* queries that are queued by the client, not pipelined */

    const all = await Promise.all([
        c.query('BEGIN'), put(10), c.query('SELECT 10 AS n'), put(11),
        c.query('COMMIT')]);
    same(all[2].rows, [{ n: 10 }], 'queued queries');
    same(await count(c, 'node-pg-t'), 5, 'and their commit');
}


async function cursors(c) {
    let res, got;

    await c.query('BEGIN');
    await c.query('DECLARE cur CURSOR FOR SELECT id FROM drv_rows '
                  + 'ORDER BY id');

    got = [];

    for ( ;; ) {
        res = await c.query('FETCH 700 FROM cur');

        if (res.rows.length === 0) {
            break;
        }

        got.push(...res.rows.map((r) => r.id));
    }

    await c.query('CLOSE cur');
    await c.query('COMMIT');

    same(got, range(1, 10000), 'a cursor');

    /* a portal that is suspended every 100 rows, all before one Sync */

    res = await c.query({ text: 'SELECT id FROM drv_rows WHERE id > $1 '
                                + 'ORDER BY id',
                          values: [5000], rows: 100 });
    same(res.rows.map((r) => r.id), range(5001, 10000), 'a portal in parts');
}


async function large(c) {
    let res = await c.query('SELECT g, repeat(chr(97 + g % 26), 1048576) AS t '
                            + 'FROM generate_series(1, $1::int) g', [50]);

    ok(res.rows.length === 50
       && res.rows.every((r) => r.t === String.fromCharCode(97 + r.g % 26)
                                                   .repeat(1048576)),
       'a result of 50 MB');

    const blob = Buffer.alloc(20 * 1024 * 1024);

    for (let i = 0; i < blob.length; i++) {
        blob[i] = i * 7 + (i >> 12);
    }

    await c.query("DELETE FROM drv_blob WHERE who = 'node-pg'");
    await c.query("INSERT INTO drv_blob VALUES ('node-pg', $1)", [blob]);

    res = await c.query({ text: 'SELECT v FROM drv_blob WHERE who = $1',
                          values: ['node-pg'] });
    ok(blob.equals(res.rows[0].v), '20 MB there and back');
}


async function prepared() {
    const clients = [await connect(), await connect(), await connect()];
    const sql = ['SELECT $1::int4 + 1 AS v', "SELECT $1::text || '!' AS v",
                 'SELECT $1::int4[] AS v'];
    const args = [(n) => n, (n) => `t${n}`, (n) => [n, n + 1]];
    const want = [(n) => n + 1, (n) => `t${n}!`, (n) => [n, n + 1]];
    const got = [];
    const expected = [];
    let k, n;

    const ask = async (k, n) => {
        const res = await clients[k].query({ name: 'same', text: sql[k],
                                             values: [args[k](n)] });
        got.push(res.rows[0].v);
        expected.push(want[k](n));
    };

    for (n = 0; n < 60; n++) {
        k = n % 3;
        await clients[k].query('BEGIN');
        await ask(k, n);

        if (n) {
            await clients[(n - 1) % 3].query('COMMIT');
            await ask((n + 1) % 3, n);
        }
    }

    await clients[k].query('COMMIT');

    same(got, expected, 'one name for three statements, 60 transactions');

    await Promise.all(clients.map((c) => c.end()));
}


async function pool() {
    const p = new pg.Pool({ max: 20, application_name: 'node-postgres' });

    const got = await Promise.all(range(0, 399).map(async (n) => {
        const res = await p.query(n % 2
            ? { name: 'pool', text: 'SELECT $1::int4 * 7 AS v', values: [n] }
            : { text: 'SELECT $1::int4 * 7 AS v', values: [n] });

        return res.rows[0].v;
    }));

    same(got, range(0, 399).map((n) => n * 7), 'a pool of the client\'s own');

    await p.end();
}


async function reconnect() {
    const got = [];
    let c, i;

    for (i = 0; i < 50; i++) {
        c = await connect();
        got.push(await value(c, 'SELECT $1::int4', [i]));
        await c.end();
    }

    same(got, range(0, 49), '50 connections one after the other');

    /* without a goodbye */

    for (i = 0; i < 10; i++) {
        c = await connect();
        c.on('error', () => {});
        await c.query('BEGIN');
        await c.query("INSERT INTO drv_items VALUES ('node-pg-l', 1, 'x')");
        c.connection.stream.destroy();
    }

    c = await connect();
    same(await count(c, 'node-pg-l'), 0, 'clients that vanish');
    await c.end();
}


async function main() {
    const steps = [read];

    if (process.argv[2] !== 'read') {
        steps.push(types, errors, transactions, cursors, large, prepared,
                   pool, reconnect);
    }

    const c = await connect();

    for (const step of steps) {
        try {
            await step(c);

        } catch (e) {
            crashed(step.name, e);
        }
    }

    await c.end();

    done();
}


main().catch((e) => {
    crashed('main', e);
    done();
});
