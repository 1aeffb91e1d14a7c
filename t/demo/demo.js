'use strict';

// Copyright (C) Hyperdrive for nginx authors

// The demo's part of node-postgres and mysql2: measures against the URL in
// argv and prints medians in milliseconds as JSON.

const [url, table, rounds] = process.argv.slice(2);
const point = `SELECT name, price FROM ${table} WHERE id = `;


// a connection, by the URL's driver: rows(id) asks, end() leaves

async function connect() {
    if (url.startsWith('mysql:')) {
        const mysql = require('mysql2/promise');
        const client = await mysql.createConnection(url);

        return {
            rows: async (id) => (await client.execute(point + '?', [id]))[0],
            end: () => client.end()
        };
    }

    const pg = require('pg');
    const client = new pg.Client({ connectionString: url });

    await client.connect();

    return {
        rows: async (id) => (await client.query(point + '$1', [id])).rows,
        end: () => client.end()
    };
}


function median(times) {
    times.sort((a, b) => a - b);
    return times[Math.floor(times.length / 2)];
}


async function time(f) {
    const start = process.hrtime.bigint();

    await f();

    return Number(process.hrtime.bigint() - start) / 1e6;
}


async function ask(client, id) {
    const rows = await client.rows(id);

    if (rows.length !== 1 || rows[0].name !== `article ${id}`) {
        throw new Error(`a wrong answer for ${id}: ${JSON.stringify(rows)}`);
    }
}


async function main() {
    const n = Number(rounds);
    const result = {};

    // each query asks for a row of its own, which no cache can have

    let id = 5000;
    let times = [];

    for (let i = 0; i < n; i++) {
        times.push(await time(async () => {
            const client = await connect();

            await ask(client, id++);

            // leaving takes no part in it
            setImmediate(() => client.end());
        }));
    }

    result.connect = median(times);

    const client = await connect();

    await ask(client, id++);

    times = [];

    for (let i = 0; i < n; i++) {
        times.push(await time(() => ask(client, id++)));
    }

    result.warm = median(times);

    await ask(client, 1);
    times = [];

    for (let i = 0; i < n; i++) {
        times.push(await time(() => ask(client, 1)));
    }

    result.cached = median(times);

    await client.end();

    process.stdout.write(JSON.stringify(result) + '\n');
}


main().catch((error) => {
    process.stderr.write(`${error.stack}\n`);
    process.exit(1);
});
