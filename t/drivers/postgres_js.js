/* Copyright (C) Hyperdrive for nginx authors */

/*
 * What a program on Postgres.js does in a day; it pipelines.  The database
 * is named by PGHOST and its kin.  Arguments: "read" runs only what a cache
 * may answer, "unprepared" makes it use the unnamed statement.
 */

'use strict';

const postgres = require('postgres');
const { ok, same, show, crashed, done, range, label } = require('./tap.js');

const prepare = !process.argv.includes('unprepared');


function connect(options) {
    return postgres({ prepare, onnotice: () => {}, idle_timeout: 5,
                      connection: { application_name: 'postgres.js' },
                      ...options });
}


async function read(sql) {
    let i, row, rows, got;

    for (i = 1; i <= 4; i++) {
        for (const again of [1, 2]) {
            [row] = await sql`SELECT * FROM drv_types WHERE id = ${i}`;
            show('row', row);
            same(row.id, i, `row ${i}`);

            [row] = await sql.unsafe(`SELECT * FROM drv_types WHERE id = ${i}`);
            show('simple', row);
            same(row.id, i, `row ${i}, simple`);
        }
    }

    [row] = await sql`SELECT i8, n, t, by, tstz, jb
                      FROM drv_types WHERE id = ${1}`;

    same([row.i8, row.n, row.t, row.by, row.tstz, row.jb],
         ['7000000000', '12345.6789', 'plain text',
          Buffer.from([0, 1, 2, 3, 254, 255]),
          new Date('2024-02-29T13:14:15.123Z'), { k: 'v', n: 1.5 }],
         'the values of row 1');

    for (const again of [1, 2]) {
        rows = await sql`SELECT id, v FROM drv_rows ORDER BY id`;
        same(rows.map((r) => r.id), range(1, 10000), '10,000 rows');
    }

    /* all at once: they are pipelined */

    got = await Promise.all(range(0, 299).map(async (n) => {
        const [r] = await sql`SELECT id FROM drv_rows
                              WHERE id = ${n % 30 + 1}`;
        return r.id;
    }));

    same(got, range(0, 299).map((n) => n % 30 + 1), '300 reads by key');

    got = await Promise.all(range(1, 100).map(async (n) => {
        const [r] = await sql.unsafe(`SELECT id AS c${n} FROM drv_rows
                                      WHERE id = ${n * 3}`);
        return r[`c${n}`];
    }));

    same(got, range(1, 100).map((n) => n * 3), '100 different simple reads');
}


async function types(sql) {
    const values = [
        ['int2', -32768], ['int4', 2147483647],
        ['int8', '-9223372036854775808'], ['float4', 1.5], ['float8', NaN],
        ['float8', -Infinity], ['float8', 0.1],
        ['numeric', '12345678901234567890.123456789'], ['numeric', 'NaN'],
        ['text', '\u00e4 \u20ac \u{1F600} \'q\' "d" \\ $1'], ['text', ''],
        ['bytea', Buffer.from([0, 1, 127, 128, 255])],
        ['bool', true], ['bool', false],
        ['time', '13:14:15.123456'], ['timetz', '13:14:15.5+02'],
        ['timestamptz', new Date('2024-02-29T13:14:15.123Z')],
        ['date', new Date('2024-02-29T00:00:00.000Z')],
        ['interval', '1 year 2 mons 3 days 04:05:06.789'],
        ['uuid', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'],
        ['json', { a: [1, 2, { b: null }], '\u00e4': '\u{1F600}' }],
        ['jsonb', { a: [1, 2, { b: null }] }],
        ['inet', '192.168.1.7/24'], ['inet', '2001:db8::1'],
        ['drv_mood', 'happy'], ['drv_pair', '(42,"x y")'],
        ['int4range', '[1,10)'], ['int4', null],
    ];

    for (const [type, v] of values) {
        const [row] = await sql.unsafe(`SELECT $1::${type} AS v`, [v]);
        same(row.v, v, `${type} ${label(v)}`);
    }

    const [row] = await sql`SELECT ${sql.array([1, 2, 3])}::int4[] AS i,
                            ${sql.array(['a', 'b c', 'x"y'])}::text[] AS t`;
    same([row.i, row.t], [[1, 2, 3], ['a', 'b c', 'x"y']], 'arrays');
}


async function fails(sql, code, query) {
    try {
        await query;
        ok(false, `error ${code}`);

    } catch (e) {
        show('error', [e.code, e.message, e.detail, e.position,
                       e.constraint_name]);
        same(e.code, code, `error ${code}`);
    }
}


async function errors(sql) {
    await sql`DELETE FROM drv_items WHERE who LIKE 'postgresjs%'`;
    await sql`INSERT INTO drv_items VALUES ('postgresjs-e', 1, 'x')`;

    for (const [code, query] of [
        ['42601', () => sql`SELEC 1`],
        ['42601', () => sql.unsafe('SELEC 1')],
        ['23505', () => sql`INSERT INTO drv_items
                            VALUES (${'postgresjs-e'}, 1, 'x')`],
        ['22012', () => sql`SELECT 1 / ${0}::int`],
        ['42P01', () => sql`SELECT * FROM drv_missing`],
        ['22P02', () => sql`SELECT ${'x'}::text::int`],
        ['23502', () => sql`INSERT INTO drv_items VALUES (${null}, 1, 'x')`],
    ]) {
        await fails(sql, code, query());

        const [row] = await sql`SELECT ${'on'}::text AS v`;
        same(row.v, 'on', 'going on');
    }

    /* errors between good queries, all in flight together */

    const got = await Promise.all(range(0, 99).map(async (n) => {
        try {
            const [row] = await sql`SELECT ${n}::int4 / ${n % 4}::int4 AS v`;
            return row.v;

        } catch (e) {
            return e.code;
        }
    }));

    same(got, range(0, 99).map((n) => n % 4 ? Math.trunc(n / (n % 4))
                                            : '22012'),
         'errors in flight');
}


async function count(sql, who) {
    const [row] = await sql`SELECT count(*)::int AS n FROM drv_items
                            WHERE who = ${who}`;
    return row.n;
}


async function transactions(sql) {
    const put = (s, id) => s`INSERT INTO drv_items
                             VALUES ('postgresjs-t', ${id}, 'x')`;

    await sql.begin((s) => put(s, 1));
    same(await count(sql, 'postgresjs-t'), 1, 'commit');

    try {
        await sql.begin(async (s) => {
            await put(s, 2);
            same(await count(s, 'postgresjs-t'), 2, 'seen inside');
            throw new Error('on second thoughts');
        });

    } catch (e) {
        same(e.message, 'on second thoughts', 'rollback');
    }

    same(await count(sql, 'postgresjs-t'), 1, 'nothing is left');

    await sql.begin('isolation level repeatable read', async (s) => {
        await put(s, 2);

        await s.savepoint(async (n) => {
            await put(n, 3);
            await put(n, 3);
        }).catch((e) => same(e.code, '23505', 'in the savepoint'));

        await put(s, 4);
    });

    same(await count(sql, 'postgresjs-t'), 3, 'savepoint');

    /* pipelined inside the transaction */

    const got = await sql.begin((s) => range(10, 29).map(
        (id) => s`INSERT INTO drv_items VALUES ('postgresjs-t', ${id}, 'x')
                  RETURNING id`));

    same(got.map((r) => r[0].id), range(10, 29), 'a pipelined transaction');

    await fails(sql, '22012', sql.begin((s) => [
        s`INSERT INTO drv_items VALUES ('postgresjs-t', 50, 'x')`,
        s`SELECT 1 / ${0}::int`,
        s`INSERT INTO drv_items VALUES ('postgresjs-t', 51, 'x')`]));

    same(await count(sql, 'postgresjs-t'), 23, 'one that fails');
}


async function cursors(sql) {
    const got = [];

    await sql.begin(async (s) => {
        const q = s`SELECT id FROM drv_rows WHERE id > ${0} ORDER BY id`;

        for await (const rows of q.cursor(600)) {
            got.push(...rows.map((r) => r.id));
        }
    });

    same(got, range(1, 10000), 'a cursor in a transaction');

    /* left half way, and without BEGIN: the Sync ends it */

    const some = [];

    for await (const rows of sql`SELECT id FROM drv_rows
                                 ORDER BY id`.cursor(100)) {
        some.push(...rows.map((r) => r.id));

        if (some.length === 500) {
            break;
        }
    }

    same(some, range(1, 500), 'a cursor that is left');

    const each = [];

    await sql`SELECT id FROM drv_rows ORDER BY id`.forEach((r) => {
        each.push(r.id);
    });

    same(each, range(1, 10000), 'row by row');

    const d = await sql`SELECT v, id FROM drv_rows WHERE id = ${1}`.describe();
    same([d.types, d.columns.map((c) => c.name)], [[23], ['v', 'id']],
         'described');
}


async function large(sql) {
    const rows = await sql`SELECT g, repeat(chr(97 + g % 26), 1048576) AS t
                           FROM generate_series(1, ${50}::int) g`;

    ok(rows.length === 50
       && rows.every((r) => r.t === String.fromCharCode(97 + r.g % 26)
                                          .repeat(1048576)),
       'a result of 50 MB');

    const blob = Buffer.alloc(20 * 1024 * 1024);

    for (let i = 0; i < blob.length; i++) {
        blob[i] = i * 7 + (i >> 12);
    }

    await sql`DELETE FROM drv_blob WHERE who = 'postgresjs'`;
    await sql`INSERT INTO drv_blob VALUES ('postgresjs', ${blob})`;

    const [row] = await sql`SELECT v FROM drv_blob
                            WHERE who = ${'postgresjs'}`;
    ok(blob.equals(row.v), '20 MB there and back');
}


async function many() {
    const sql = connect({ max: 20 });

    /* more at once than it has connections, ten different texts */

    const got = await Promise.all(range(0, 999).map(async (n) => {
        const [row] = await sql.unsafe(`SELECT $1::int4 + ${n % 10} AS v`,
                                       [n], { prepare });
        return row.v;
    }));

    same(got, range(0, 999).map((n) => n + n % 10),
         '1000 queries over 20 connections');

    const sums = await Promise.all(range(0, 59).map((n) => sql.begin(
        async (s) => {
            const [a] = await s`SELECT ${n}::int4 AS v`;
            const [b] = await s`SELECT ${a.v}::int4 * 2 AS v`;
            return b.v;
        })));

    same(sums, range(0, 59).map((n) => n * 2), '60 transactions side by side');

    await sql.end();
}


async function copy(sql) {
    const { pipeline } = require('stream/promises');
    const { Readable } = require('stream');

    const lines = range(0, 999).map((n) => `postgresjs-c\t${n}\tline ${n}\n`);

    await pipeline(Readable.from(lines),
                   await sql`COPY drv_items FROM STDIN`.writable());

    same(await count(sql, 'postgresjs-c'), 1000, 'COPY in');

    const chunks = [];

    for await (const chunk of await sql`COPY (SELECT id FROM drv_rows
                                        ORDER BY id) TO STDOUT`.readable()) {
        chunks.push(chunk);
    }

    same(Buffer.concat(chunks).toString(), range(1, 10000).join('\n') + '\n',
         'COPY out');
}


async function reconnect() {
    const got = [];

    for (let i = 0; i < 50; i++) {
        const sql = connect({ max: 1 });
        const [row] = await sql`SELECT ${i}::int4 AS v`;
        got.push(row.v);
        await sql.end();
    }

    same(got, range(0, 49), '50 connections one after the other');
}


async function main() {
    const steps = [read];

    if (!process.argv.includes('read')) {
        steps.push(types, errors, transactions, cursors, large, many,
                   reconnect, copy);
    }

    const sql = connect({ max: 1 });

    for (const step of steps) {
        try {
            await step(sql);

        } catch (e) {
            crashed(step.name, e);
        }
    }

    await sql.end({ timeout: 5 });

    done();
}


main().catch((e) => {
    crashed('main', e);
    done();
});
