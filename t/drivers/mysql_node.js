
// mysql and mysql2: node mysql_node.js DRIVER PORT [compress]

const driver = require(process.argv[2]);

const connect = (more) => driver.createConnection({
	host: '127.0.0.1', port: +process.argv[3], user: 'app',
	password: 'secret', database: 'shop',
	compress: process.argv[4] === 'compress', ...more });

const run = (c, sql, values, method) => new Promise((resolve) =>
	c[method || 'query'](sql, values || [],
		(e, rows) => resolve(e ? { error: e.errno, state: e.sqlState }
			: rows)));

const say = (what, value) => console.log(what, JSON.stringify(value));

const rows = (r) => Array.isArray(r) ? r.map((row) => ({ ...row })) : r;

(async () => {
	const c = connect({ multipleStatements: true });
	const name = 'node_' + process.argv[2];

	await run(c, `DROP TABLE IF EXISTS ${name}`);
	await run(c, `CREATE TABLE ${name} (id INT AUTO_INCREMENT PRIMARY KEY, `
		+ 'n BIGINT, name VARCHAR(50), d DATETIME, b LONGBLOB) '
		+ 'CHARACTER SET utf8mb4');

	const r = await run(c, `INSERT INTO ${name} (n, name, d, b) VALUES (?, ?, ?, ?)`,
		[ 12345, 'ein \u00e4 \ud83d\ude00', '2024-02-29 12:34:56',
			Buffer.alloc(200000, 'x') ]);

	say('insert', [ r.affectedRows, r.insertId ]);

	say('read', rows(await run(c, `SELECT id, n, name, d, LENGTH(b) AS l FROM ${name}`)));
	say('error', await run(c, 'SELEC 1'));
	say('duplicate', await run(c, `INSERT INTO ${name} (id) VALUES (1)`));
	say('several', (await run(c, 'SELECT 1 AS a; SELECT 2 AS b')).map(rows));

	await run(c, 'BEGIN');
	await run(c, `UPDATE ${name} SET n = 1`);
	say('inside', rows(await run(c, `SELECT n FROM ${name}`)));
	await run(c, 'ROLLBACK');
	say('outside', rows(await run(c, `SELECT n FROM ${name}`)));

	if (c.execute) {
		for (let i = 0; i < 3; i++) {
			say('prepared', rows(await run(c,
				`SELECT ? + 1 AS a, n, name, d FROM ${name} WHERE id = ?`,
				[ i, 1 ], 'execute')));
		}

		for (let i = 0; i < 3; i++) {
			const one = connect({});

			say('prepared anew', rows(await run(one,
				`SELECT ? + 1 AS a, n, name, d FROM ${name} WHERE id = ?`,
				[ i, 1 ], 'execute')));
			one.end();
		}

		say('prepared error', await run(c, 'SELECT nothing FROM nowhere',
			[], 'execute'));
	}

	await new Promise((resolve) => c.ping(resolve));

	await new Promise((resolve) => c.changeUser({ database: 'other' },
		(e) => resolve(say('change', e ? e.errno : 'ok'))));
	say('database', rows(await run(c, 'SELECT database() AS d')));

	// many at once

	const all = await Promise.all([ ...Array(20).keys() ].map((i) => {
		const one = connect({});
		return run(one, 'SELECT ? AS i', [ i ]).then((r) => {
			one.end();
			return r[0].i;
		});
	}));

	say('many', all);

	await run(c, `DROP TABLE shop.${name}`);
	c.end();
})();
