# Copyright (C) Hyperdrive for nginx authors

"""
What a program on psycopg 3 does in a day.  The database is named by PGHOST
and its kin; with the argument "read" only what a cache may answer is run.
"""

import asyncio
import datetime as dt
import decimal
import ipaddress
import math
import sys
import uuid

import psycopg
from psycopg import errors
from psycopg.rows import dict_row, namedtuple_row
from psycopg.types.composite import CompositeInfo, register_composite
from psycopg.types.enum import EnumInfo, register_enum
from psycopg.types.json import Json, Jsonb
from psycopg.types.range import Range

from tap import crashed, done, ok, same, show

UTC = dt.timezone.utc


def connect(**kw):
    return psycopg.connect("application_name=psycopg", autocommit=True, **kw)


def plain(v):
    """Times with zone in UTC, NaN comparable."""

    if isinstance(v, dt.datetime) and v.tzinfo:
        return v.astimezone(UTC)

    if isinstance(v, float) and math.isnan(v):
        return "NaN"

    if isinstance(v, decimal.Decimal) and v.is_nan():
        return "NaN"

    if isinstance(v, tuple):
        return tuple(plain(x) for x in v)

    return v


# what psycopg can read: not the year 9999 in other zones, nor infinity

COLUMNS = ("id, i2, i4, i8, f4, f8, n, t, vc, ch, by, b, d, tm, ttz, ts, "
           "tstz, u, j, jb, ip, ai, at, mood, pair, r")


def read(c):
    for i in (1, 2, 3, 4):
        for again in (1, 2):
            for binary in (False, True):
                cur = c.cursor(binary=binary)
                row = cur.execute("SELECT " + COLUMNS + " FROM drv_types "
                                  "WHERE id = %s", (i,)).fetchone()
                show("row", plain(row))
                same(row[0], i, "row %d, binary %s" % (i, binary))

        # without parameters psycopg asks by a simple query

        row = c.execute("SELECT " + COLUMNS + " FROM drv_types "
                        "WHERE id = %d" % i).fetchone()
        same(row[0], i, "row %d, simple" % i)

    row = c.execute("SELECT i8, n, t, by, tstz, u, jb, ai, at, r "
                    "FROM drv_types WHERE id = %s", (1,)).fetchone()

    same(plain(row),
         (7000000000, decimal.Decimal("12345.6789"), "plain text",
          b"\0\1\2\3\xfe\xff",
          dt.datetime(2024, 2, 29, 13, 14, 15, 123456, UTC),
          uuid.UUID("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
          {"k": "v", "n": 1.5}, [1, 2, None, 4],
          ["a", "b c", 'quo"te', None], Range(1, 10)),
         "the values of row 1")

    for again in (1, 2):
        rows = c.execute("SELECT id, v FROM drv_rows ORDER BY id").fetchall()
        same([r[0] for r in rows], list(range(1, 10001)), "10,000 rows")

    # psycopg prepares a statement when it has seen it five times

    got = [c.execute("SELECT id FROM drv_rows WHERE id = %s",
                     (i % 30 + 1,)).fetchone()[0] for i in range(300)]
    same(got, [i % 30 + 1 for i in range(300)], "300 reads by key")

    got = [c.execute("SELECT id FROM drv_rows WHERE id = %s", (i % 7 + 1,),
                     prepare=True, binary=bool(i % 2)).fetchone()[0]
           for i in range(100)]
    same(got, [i % 7 + 1 for i in range(100)], "prepared at once")

    row = c.cursor(row_factory=dict_row).execute(
        "SELECT id, v FROM drv_rows WHERE id = %s", (5,)).fetchone()
    same(sorted(row), ["id", "v"], "names of columns")


def types(c):
    values = (
        ("int2", -32768), ("int4", 2147483647), ("int8", -2 ** 63),
        ("float4", 1.5), ("float4", math.nan), ("float8", -math.inf),
        ("float8", math.inf), ("float8", 0.1),
        ("numeric", decimal.Decimal("12345678901234567890.123456789")),
        ("numeric", decimal.Decimal("NaN")),
        ("text", "\u00e4 \u20ac \U0001F600 'q' \"d\" \\ $1 %"), ("text", ""),
        ("bytea", bytes(range(256))), ("bytea", b""),
        ("bool", True), ("bool", False),
        ("date", dt.date(2024, 2, 29)), ("time", dt.time(13, 14, 15, 123456)),
        ("timetz", dt.time(13, 14, 15, 500000,
                           dt.timezone(dt.timedelta(hours=2)))),
        ("timestamp", dt.datetime(2024, 2, 29, 13, 14, 15, 123456)),
        ("timestamptz", dt.datetime(2024, 2, 29, 13, 14, 15, 1, UTC)),
        ("interval", dt.timedelta(days=3, hours=4, microseconds=789)),
        ("uuid", uuid.UUID("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")),
        ("inet", ipaddress.ip_interface("192.168.1.7/24")),
        ("inet", ipaddress.ip_address("2001:db8::1")),
        ("int4[]", [1, 2, None, 4]), ("int4[]", [[1, 2], [3, 4]]),
        ("text[]", ["a", "b c", None, 'x"y', "NULL"]),
        ("int4range", Range(1, 10)), ("int4range", Range(empty=True)),
        ("int4", None),
    )

    for name, value in values:
        for binary in (False, True):
            cur = c.cursor(binary=binary)
            fmt = "%b" if binary else "%t"

            got = cur.execute("SELECT %s::%s" % (fmt, name),
                              (value,)).fetchone()[0]
            same(plain(got), plain(value),
                 "%s %.40r, binary %s" % (name, plain(value), binary))

    for wrap, name in ((Json, "json"), (Jsonb, "jsonb")):
        value = {"a": [1, 2, {"b": None}], "\u00e4": "\U0001F600"}
        got = c.execute("SELECT %%s::%s" % name, (wrap(value),)).fetchone()[0]
        same(got, value, name)

    # the types of the user are looked up in the catalog

    info = EnumInfo.fetch(c, "drv_mood")
    register_enum(info, c)
    mood = info.enum
    same(c.execute("SELECT %s", (mood.happy,)).fetchone()[0], mood.happy,
         "enum")

    info = CompositeInfo.fetch(c, "drv_pair")
    register_composite(info, c)
    pair = info.python_type(42, "x y")

    for binary in (False, True):
        got = c.cursor(binary=binary).execute("SELECT %s::drv_pair",
                                              (pair,)).fetchone()[0]
        same(got, pair, "composite, binary %s" % binary)


def fails(c, error, sql, args=None, name=None):
    try:
        c.execute(sql, args)

    except error as e:
        show("error", (e.sqlstate, e.diag.message_primary,
                       e.diag.message_detail, e.diag.statement_position,
                       e.diag.constraint_name))
        ok(True, name or error.__name__)

    except Exception:
        crashed(name or error.__name__)

    else:
        ok(False, name or error.__name__)


def errors_and_on(c):
    c.execute("DELETE FROM drv_items WHERE who LIKE 'psycopg%'")
    c.execute("INSERT INTO drv_items VALUES ('psycopg-e', 1, 'x')")

    for error, sql, args in (
        (errors.SyntaxError, "SELEC 1", None),
        (errors.SyntaxError, "SELEC %s", (1,)),
        (errors.UniqueViolation,
         "INSERT INTO drv_items VALUES (%s, 1, 'x')", ("psycopg-e",)),
        (errors.DivisionByZero, "SELECT 1 / %s", (0,)),
        (errors.UndefinedTable, "SELECT * FROM drv_missing", None),
        (errors.UndefinedColumn, "SELECT nothing FROM drv_rows", None),
        (errors.InvalidTextRepresentation, "SELECT %s::int", ("x",)),
        (errors.NotNullViolation,
         "INSERT INTO drv_items VALUES (%s, 1, 'x')", (None,)),
    ):
        fails(c, error, sql, args)
        same(c.execute("SELECT %s::text", ("on",)).fetchone()[0], "on",
             "going on")


def count(c, who):
    return c.execute("SELECT count(*) FROM drv_items WHERE who = %s",
                     (who,)).fetchone()[0]


def transactions(c):
    put = "INSERT INTO drv_items VALUES ('psycopg-t', %s, 'x')"

    with c.transaction():
        c.execute(put, (1,))

    same(count(c, "psycopg-t"), 1, "commit")

    with c.transaction(force_rollback=True):
        c.execute(put, (2,))
        same(count(c, "psycopg-t"), 2, "seen inside")

    same(count(c, "psycopg-t"), 1, "rollback")

    with c.transaction():
        c.execute(put, (2,))

        try:
            with c.transaction():
                c.execute(put, (3,))
                c.execute(put, (3,))

        except errors.UniqueViolation:
            pass

        c.execute(put, (4,))

    same(count(c, "psycopg-t"), 3, "savepoint")

    try:
        with c.transaction():
            c.execute(put, (5,))

            try:
                c.execute("SELECT 1 / 0")

            except errors.DivisionByZero:
                pass

            fails(c, errors.InFailedSqlTransaction, "SELECT 1")
            raise psycopg.Rollback()

    except Exception:
        crashed("failed block")

    same(count(c, "psycopg-t"), 3, "a failed block leaves nothing")

    # without autocommit each statement begins a transaction

    with connect() as d:
        d.autocommit = False
        d.execute(put, (6,))
        d.rollback()
        d.execute(put, (7,))
        d.commit()

    same(count(c, "psycopg-t"), 4, "without autocommit")


def cursors(c):
    with c.transaction():
        with c.cursor(name="cur") as cur:
            cur.itersize = 500
            cur.execute("SELECT id FROM drv_rows ORDER BY id")

            same([r[0] for r in cur], list(range(1, 10001)),
                 "a cursor at the server")

        with c.cursor(name="scrolling", scrollable=True,
                      row_factory=namedtuple_row) as cur:
            cur.execute("SELECT id FROM drv_rows WHERE id > %s ORDER BY id",
                        (100,))
            cur.scroll(50)
            same(cur.fetchone().id, 151, "scrolled")
            cur.scroll(0, mode="absolute")
            same(cur.fetchmany(2), [(101,), (102,)], "scrolled back")

    # a stream is read in single row mode

    got = [r[0] for r in c.cursor().stream(
        "SELECT g FROM generate_series(1, %s) g", (10000,))]
    same(got, list(range(1, 10001)), "stream")


def large(c):
    rows = c.execute("SELECT g, repeat(chr(97 + g %% 26), 1048576) "
                     "FROM generate_series(1, %s) g", (50,)).fetchall()
    ok(len(rows) == 50
       and all(r[1] == chr(97 + r[0] % 26) * 1048576 for r in rows),
       "a result of 50 MB")

    blob = bytes(range(256)) * (20 * 4096)

    c.execute("DELETE FROM drv_blob WHERE who = 'psycopg'")
    c.execute("INSERT INTO drv_blob VALUES ('psycopg', %b)", (blob,))

    got = c.cursor(binary=True).execute(
        "SELECT v FROM drv_blob WHERE who = %s", ("psycopg",)).fetchone()[0]
    ok(got == blob, "20 MB there and back")

    got = c.execute("SELECT length(%t), 1", ("x" * 20000000,)).fetchone()
    same(got, (20000000, 1), "a text of 20 MB")


def pipelines(c):
    with c.pipeline():
        curs = [c.execute("SELECT %s::int4 * 3, %s::text",
                          (i, "t%d" % i)) for i in range(200)]
        got = [cur.fetchone() for cur in curs]

    same(got, [(i * 3, "t%d" % i) for i in range(200)], "a pipeline of 200")

    with c.pipeline():
        curs = [c.execute("SELECT %d, generate_series(%d, %d)"
                          % (i, i, i + i % 5)) for i in range(60)]
        got = [cur.fetchall() for cur in curs]

    same(got, [[(i, g) for g in range(i, i + i % 5 + 1)] for i in range(60)],
         "different statements in one pipeline")

    # an error aborts what is behind it up to the next sync; where it is
    # raised depends on how fast the answer comes

    try:
        with c.pipeline() as p:
            c.execute("INSERT INTO drv_items VALUES ('psycopg-p', 1, 'x')")
            c.execute("SELECT 1 / %s", (0,))
            c.execute("SELECT 'lost'")
            p.sync()

        ok(False, "an error in the pipeline")

    except errors.DivisionByZero:
        ok(True, "an error in the pipeline")

    with c.pipeline():
        cur = c.execute("SELECT 'kept'")
        same(cur.fetchone(), ("kept",), "the pipeline after it")

    # psycopg's pipeline runs in autocommit: a Sync group is a transaction

    same(count(c, "psycopg-p"), 0, "the insert before it is undone")

    with c.pipeline(), c.transaction():
        for i in range(100):
            c.execute("INSERT INTO drv_items VALUES ('psycopg-p', %s, %s)",
                      (i, "v%d" % i))

        cur = c.execute("SELECT count(*), max(id) FROM drv_items "
                        "WHERE who = 'psycopg-p'")
        same(cur.fetchone(), (100, 99), "a transaction in a pipeline")

    with c.pipeline():
        cur = c.cursor()
        cur.executemany("UPDATE drv_items SET v = %s WHERE who = 'psycopg-p' "
                        "AND id = %s RETURNING id",
                        [("w%d" % i, i) for i in range(100)], returning=True)

        got = []

        while True:
            got.append(cur.fetchone()[0])

            if not cur.nextset():
                break

    same(got, list(range(100)), "executemany")


def prepared(c):
    # three clients, each with statements _pg3_0 and on, in turns

    clients = [connect(prepare_threshold=0) for i in range(3)]
    sql = ("SELECT %s::int4 + 1", "SELECT %s::text || '!', 2",
           "SELECT generate_series(1, %s::int4)")
    args = (lambda n: n, lambda n: "t%d" % n, lambda n: n % 4 + 1)
    want = (lambda n: [(n + 1,)], lambda n: [("t%d!" % n, 2)],
            lambda n: [(g,) for g in range(1, n % 4 + 2)])

    rc = True

    for n in range(60):
        k = n % 3
        clients[k].execute("BEGIN")

        for j in (k, (k + 1) % 3, k):
            rows = clients[k].execute(sql[j], (args[j](n),)).fetchall()
            rc = rc and rows == want[j](n)

        if n:
            clients[(n - 1) % 3].execute("COMMIT")

        # outside a transaction, while another has one open

        j = (n + 2) % 3
        rows = clients[(n + 1) % 3].execute(sql[j],
                                            (args[j](n),)).fetchall() \
            if n else want[j](n)
        rc = rc and rows == want[j](n)

    ok(rc, "statements of one name in three clients")

    for d in clients:
        d.close()

    # more statements than psycopg keeps: it sends DEALLOCATE

    with connect(prepare_threshold=0) as d:
        d.prepared_max = 5
        got = [d.execute("SELECT %d + %%s::int4" % (i % 12),
                         (i,)).fetchone()[0] for i in range(60)]
        same(got, [i % 12 + i for i in range(60)],
             "statements that come and go")

    # and with none

    with connect(prepare_threshold=None) as d:
        got = [d.execute("SELECT %s::int4", (i,)).fetchone()[0]
               for i in range(30)]
        same(got, list(range(30)), "without prepare")


def copy(c):
    with c.cursor() as cur:
        with cur.copy("COPY drv_items FROM STDIN") as cp:
            for i in range(1000):
                cp.write_row(("psycopg-c", i, "line\n%d\t\\" % i))

        same(count(c, "psycopg-c"), 1000, "COPY in")

        with cur.copy("COPY (SELECT id FROM drv_rows ORDER BY id) "
                      "TO STDOUT (FORMAT binary)") as cp:
            cp.set_types(["int4"])
            same([r[0] for r in cp.rows()], list(range(1, 10001)),
                 "COPY out")


def reconnect():
    got = []

    for i in range(50):
        with connect() as c:
            got.append(c.execute("SELECT %s::int4", (i,)).fetchone()[0])

    same(got, list(range(50)), "50 connections one after the other")


async def tasks():
    async def one(n):
        async with await psycopg.AsyncConnection.connect(
                "application_name=psycopg", autocommit=True) as c:
            for i in range(20):
                cur = await c.execute("SELECT %s::int4 * 1000 + %s::int4",
                                      (n, i))
                row = await cur.fetchone()

                if row != (n * 1000 + i,):
                    print("# task %d got %r" % (n, row))
                    return False

        return True

    same(all(await asyncio.gather(*(one(n) for n in range(20)))), True,
         "20 tasks")


def main():
    everything = "read" not in sys.argv[1:]

    with connect() as c:
        steps = [read]

        if everything:
            steps += [types, errors_and_on, transactions, cursors, large,
                      pipelines, prepared, copy]

        for step in steps:
            try:
                step(c)

            except Exception:
                crashed(step.__name__)

    if everything:
        try:
            reconnect()
            asyncio.run(tasks())

        except Exception:
            crashed("reconnect")

    done()


main()
