# Copyright (C) Hyperdrive for nginx authors

"""
What a program on asyncpg does in a day: binary parameters and results only,
every statement prepared.  The database is named by PGHOST and its kin; with
the argument "read" only what a cache may answer is run.
"""

import asyncio
import datetime as dt
import decimal
import ipaddress
import math
import sys
import uuid

import asyncpg

from tap import crashed, done, ok, same, show

UTC = dt.timezone.utc


def connect(**kw):
    return asyncpg.connect(server_settings={"application_name": "asyncpg"},
                           **kw)


def plain(v):
    if isinstance(v, float) and math.isnan(v):
        return "NaN"

    if isinstance(v, decimal.Decimal) and v.is_nan():
        return "NaN"

    if isinstance(v, asyncpg.Record):
        return tuple(plain(x) for x in v.values())

    return v


async def read(c):
    for i in (1, 2, 3, 4):
        for again in (1, 2):
            row = await c.fetchrow("SELECT * FROM drv_types WHERE id = $1", i)
            show("row", plain(row))
            same(row["id"], i, "row %d" % i)

    row = await c.fetchrow("SELECT i8, n, t, by, tstz, u, ai, at, r, mood, "
                           "pair FROM drv_types WHERE id = $1", 1)

    same(plain(row),
         (7000000000, decimal.Decimal("12345.6789"), "plain text",
          b"\0\1\2\3\xfe\xff",
          dt.datetime(2024, 2, 29, 13, 14, 15, 123456, UTC),
          uuid.UUID("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
          [1, 2, None, 4], ["a", "b c", 'quo"te', None],
          asyncpg.Range(1, 10), "happy", (42, "x y")),
         "the values of row 1")

    for again in (1, 2):
        rows = await c.fetch("SELECT id, v FROM drv_rows ORDER BY id")
        same([r["id"] for r in rows], list(range(1, 10001)), "10,000 rows")

    got = [await c.fetchval("SELECT id FROM drv_rows WHERE id = $1",
                            i % 30 + 1) for i in range(300)]
    same(got, [i % 30 + 1 for i in range(300)], "300 reads by key")

    st = await c.prepare("SELECT v, id FROM drv_rows WHERE id = $1")
    same([a.name for a in st.get_attributes()], ["v", "id"], "described")

    got = [await st.fetchval(i % 7 + 1, column=1) for i in range(100)]
    same(got, [i % 7 + 1 for i in range(100)], "prepared by hand")

    # without arguments execute() is a simple query

    same(await c.execute("SELECT id FROM drv_rows WHERE id < 4"), "SELECT 3",
         "simple")


async def types(c):
    values = (
        ("int2", -32768), ("int4", 2147483647), ("int8", -2 ** 63),
        ("float4", 1.5), ("float4", math.nan), ("float8", -math.inf),
        ("float8", math.inf), ("float8", 0.1),
        ("numeric", decimal.Decimal("12345678901234567890.123456789")),
        ("numeric", decimal.Decimal("NaN")),
        ("text", "\u00e4 \u20ac \U0001F600 'q' \"d\" \\ $1 %"), ("text", ""),
        ("bytea", bytes(range(256))), ("bytea", b""),
        ("bool", True), ("bool", False),
        ("date", dt.date(2024, 2, 29)), ("date", dt.date.max),
        ("time", dt.time(13, 14, 15, 123456)),
        ("timetz", dt.time(13, 14, 15, 500000,
                           dt.timezone(dt.timedelta(hours=2)))),
        ("timestamp", dt.datetime(2024, 2, 29, 13, 14, 15, 123456)),
        ("timestamptz", dt.datetime(2024, 2, 29, 13, 14, 15, 1, UTC)),
        ("interval", dt.timedelta(days=3, hours=4, microseconds=789)),
        ("uuid", uuid.UUID("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")),
        ("json", '{"a": [1, 2, {"b": null}]}'),
        ("jsonb", '{"a": [1, 2, {"b": null}]}'),
        ("inet", ipaddress.ip_interface("192.168.1.7/24")),
        ("inet", ipaddress.ip_address("2001:db8::1")),
        ("int4[]", [1, 2, None, 4]), ("int4[]", [[1, 2], [3, 4]]),
        ("text[]", ["a", "b c", None, 'x"y', "NULL"]),
        ("int4range", asyncpg.Range(1, 10)),
        ("int4range", asyncpg.Range(empty=True)),
        ("drv_mood", "happy"), ("drv_mood[]", ["sad", None, "ok"]),
        ("drv_pair", (42, "x y")), ("drv_pair[]", [(1, None), (None, "")]),
        ("int4", None),
    )

    for name, value in values:
        got = await c.fetchval("SELECT $1::%s" % name, value)

        if isinstance(got, list):
            got = [plain(x) for x in got]

        same(plain(got), plain(value), "%s %.40r" % (name, plain(value)))


async def fails(c, error, sql, *args):
    try:
        await c.fetch(sql, *args)

    except error as e:
        show("error", (e.sqlstate, e.message, e.detail,
                       getattr(e, "position", None), e.constraint_name))
        ok(True, error.__name__)

    except Exception:
        crashed(error.__name__)

    else:
        ok(False, error.__name__)


async def errors(c):
    await c.execute("DELETE FROM drv_items WHERE who LIKE 'asyncpg%'")
    await c.execute("INSERT INTO drv_items VALUES ('asyncpg-e', 1, 'x')")

    for error, sql, *args in (
        (asyncpg.PostgresSyntaxError, "SELEC 1"),
        (asyncpg.UniqueViolationError,
         "INSERT INTO drv_items VALUES ($1, 1, 'x')", "asyncpg-e"),
        (asyncpg.DivisionByZeroError, "SELECT 1 / $1", 0),
        (asyncpg.UndefinedTableError, "SELECT * FROM drv_missing"),
        (asyncpg.UndefinedColumnError, "SELECT nothing FROM drv_rows"),
        (asyncpg.InvalidTextRepresentationError, "SELECT $1::text::int",
         "x"),
        (asyncpg.NotNullViolationError,
         "INSERT INTO drv_items VALUES ($1, 1, 'x')", None),
    ):
        await fails(c, error, sql, *args)
        same(await c.fetchval("SELECT $1::text", "on"), "on", "going on")

    # a simple query of several statements is one transaction

    try:
        await c.execute("INSERT INTO drv_items VALUES ('asyncpg-e', 2, 'x'); "
                        "SELECT 1 / 0")
        ok(False, "an error in a script")

    except asyncpg.DivisionByZeroError:
        ok(True, "an error in a script")

    same(await count(c, "asyncpg-e"), 1, "which is undone")


def count(c, who):
    return c.fetchval("SELECT count(*) FROM drv_items WHERE who = $1", who)


async def transactions(c):
    put = "INSERT INTO drv_items VALUES ('asyncpg-t', $1, 'x')"

    async with c.transaction():
        await c.execute(put, 1)

    same(await count(c, "asyncpg-t"), 1, "commit")

    try:
        async with c.transaction(isolation="serializable"):
            await c.execute(put, 2)
            same(await count(c, "asyncpg-t"), 2, "seen inside")
            raise KeyError

    except KeyError:
        pass

    same(await count(c, "asyncpg-t"), 1, "rollback")

    async with c.transaction():
        await c.execute(put, 2)

        try:
            async with c.transaction():
                await c.execute(put, 3)
                await c.execute(put, 3)

        except asyncpg.UniqueViolationError:
            pass

        await c.execute(put, 4)

    same(await count(c, "asyncpg-t"), 3, "savepoint")

    tr = c.transaction()
    await tr.start()
    await c.execute(put, 5)
    await fails(c, asyncpg.DivisionByZeroError, "SELECT 1 / $1", 0)
    await fails(c, asyncpg.InFailedSQLTransactionError, "SELECT 1")
    await tr.rollback()

    same(await count(c, "asyncpg-t"), 3, "a failed block leaves nothing")

    async with c.transaction():
        await c.executemany(put, [(i,) for i in range(100, 1100)])

    same(await count(c, "asyncpg-t"), 1003, "1000 Binds before one Sync")

    try:
        await c.executemany(put, [(i,) for i in range(2000, 2100)] + [(100,)])
        ok(False, "executemany that fails")

    except asyncpg.UniqueViolationError:
        ok(True, "executemany that fails")

    same(await count(c, "asyncpg-t"), 1003, "is undone")


async def cursors(c):
    async with c.transaction():

        # portals with a limit on the rows, not FETCH

        got = [r[0] async for r in c.cursor(
            "SELECT id FROM drv_rows WHERE id > $1 ORDER BY id", 0,
            prefetch=300)]
        same(got, list(range(1, 10001)), "a cursor")

        one = await c.cursor("SELECT id FROM drv_rows ORDER BY id")
        two = await c.cursor("SELECT -id FROM drv_rows ORDER BY id")

        got = []

        for i in range(10):
            got += [r[0] for r in await one.fetch(2)]
            got += [r[0] for r in await two.fetch(3)]

        want = []

        for i in range(10):
            want += range(i * 2 + 1, i * 2 + 3)
            want += range(-(i * 3 + 1), -(i * 3 + 4), -1)

        same(got, want, "two cursors side by side")

        await one.forward(80)
        same(await one.fetchrow(), (101,), "forward")


async def large(c):
    rows = await c.fetch("SELECT g, repeat(chr(97 + g % 26), 1048576) "
                         "FROM generate_series(1, $1::int) g", 50)
    ok(len(rows) == 50
       and all(r[1] == chr(97 + r[0] % 26) * 1048576 for r in rows),
       "a result of 50 MB")

    blob = bytes(range(256)) * (20 * 4096)

    await c.execute("DELETE FROM drv_blob WHERE who = 'asyncpg'")
    await c.execute("INSERT INTO drv_blob VALUES ('asyncpg', $1)", blob)

    got = await c.fetchval("SELECT v FROM drv_blob WHERE who = $1", "asyncpg")
    ok(got == blob, "20 MB there and back")


async def prepared(c):
    # __asyncpg_stmt_1__ is something else in each of three clients

    clients = [await connect() for i in range(3)]
    sql = ("SELECT $1::int4 + 1", "SELECT $1::text || '!'",
           "SELECT $1::float8 / 2")
    want = (lambda n: n + 1, lambda n: "%d!" % n, lambda n: n / 2)
    arg = (lambda n: n, lambda n: str(n), lambda n: float(n))

    stmts = [await d.prepare(s) for d, s in zip(clients, sql)]
    trs = [None] * 3
    rc = True

    for n in range(60):
        k = n % 3
        trs[k] = clients[k].transaction()
        await trs[k].start()

        rc = rc and await stmts[k].fetchval(arg[k](n)) == want[k](n)

        if n:
            await trs[(n - 1) % 3].commit()
            j = (n + 1) % 3
            rc = rc and await stmts[j].fetchval(arg[j](n)) == want[j](n)

    await trs[n % 3].commit()

    ok(rc, "one name for three statements over 60 transactions")

    for d in clients:
        await d.close()

    # a small cache of statements: they are closed and prepared again

    d = await connect(statement_cache_size=5)
    got = [await d.fetchval("SELECT %d + $1::int4" % (i % 12), i)
           for i in range(60)]
    await d.close()
    same(got, [i % 12 + i for i in range(60)], "statements that come and go")

    # and none: the unnamed statement alone

    d = await connect(statement_cache_size=0)
    got = [await d.fetchval("SELECT %d + $1::int4" % (i % 3), i)
           for i in range(60)]
    await d.close()
    same(got, [i % 3 + i for i in range(60)], "the unnamed statement")


async def copy(c):
    rows = [("asyncpg-c", i, "line\n%d\t\\" % i) for i in range(1000)]

    await c.copy_records_to_table("drv_items", records=rows)
    same(await count(c, "asyncpg-c"), 1000, "COPY in")

    data = []

    async def take(chunk):
        data.append(chunk)

    await c.copy_from_query("SELECT id FROM drv_rows ORDER BY id",
                            output=take)
    same(b"".join(data).split(), [b"%d" % i for i in range(1, 10001)],
         "COPY out")


async def pool():
    # asyncpg's own pool resets a connection when it takes it back; what it
    # sends for that may pin a session, so fewer than the origin's pool has

    async with asyncpg.create_pool(min_size=2, max_size=4) as p:
        async def one(n):
            async with p.acquire() as c:
                async with c.transaction():
                    return await c.fetchval("SELECT $1::int4 * 7", n)

        got = await asyncio.gather(*(one(n) for n in range(200)))

    same(list(got), [n * 7 for n in range(200)], "a pool of the client's own")


async def reconnect():
    got = []

    for i in range(50):
        c = await connect()
        got.append(await c.fetchval("SELECT $1::int4", i))
        await c.close()

    same(got, list(range(50)), "50 connections one after the other")

    # without a goodbye

    for i in range(10):
        c = await connect()
        await c.execute("BEGIN")
        await c.execute("INSERT INTO drv_items VALUES ('asyncpg-l', 1, 'x')")
        c.terminate()

    c = await connect()
    same(await count(c, "asyncpg-l"), 0, "clients that vanish")
    await c.close()


async def main():
    c = await connect()
    steps = [read]
    everything = "read" not in sys.argv[1:]

    if everything:
        steps += [types, errors, transactions, cursors, large, prepared, copy]

    for step in steps:
        try:
            await step(c)

        except Exception:
            crashed(step.__name__)

    await c.close()

    if everything:
        for step in (pool, reconnect):
            try:
                await step()

            except Exception:
                crashed(step.__name__)

    done()


asyncio.run(main())
