
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _SQL_TEXTS_H_INCLUDED_
#define _SQL_TEXTS_H_INCLUDED_


/*
 * Texts and what the classifier must tell about them: kind, reason, flags,
 * tables.  The flags: S stateful, W may_write, I incomplete, U
 * unknown_function, T transaction_control, b begin_plain, z serializable, r
 * read_only, t temporary, c copy_in, a alone, "-" none of them.  A table that
 * is written has a "*".
 */

typedef struct {
    const char  *sql;
    const char  *facts;
} sql_text_t;


static const sql_text_t  texts[] = {

    /* empty texts */

    { " ",
      "empty not_read -" },

    { ";",
      "empty not_read -" },

    { " ; -- nothing ; here",
      "empty not_read -" },

    { "/* nothing /* nested */ here */ ;;",
      "empty not_read -" },

    /* what is cacheable */

    { "SELECT * FROM t",
      "read cacheable - t" },

    { "SELECT id, name FROM t WHERE id = $1 AND name LIKE $2 ORDER BY id "
      "LIMIT 10 OFFSET 5;",
      "read cacheable - t" },

    { "select a.x, b.y from public.a join \"B\" b on a.id = b.id left join "
      "c using (z) where a.x in (1, 2, 3)",
      "read cacheable - public.a B c" },

    { "SELECT * FROM a, b x, ONLY c, LATERAL (SELECT * FROM d WHERE d.i = "
      "a.i) AS y (p, q)",
      "read cacheable - a b c d" },

    { "SELECT * FROM ((a CROSS JOIN b) JOIN (SELECT * FROM c UNION SELECT "
      "* FROM d) q ON true) AS z",
      "read cacheable - a b c d" },

    { "(SELECT * FROM a) UNION ALL (SELECT * FROM b) ORDER BY 1",
      "read cacheable - a b" },

    { "((SELECT * FROM a) EXCEPT SELECT * FROM b) INTERSECT DISTINCT TABLE "
      "c",
      "read cacheable - a b c" },

    { "TABLE t",
      "read cacheable - t" },

    { "TABLE ONLY app.t",
      "read cacheable - app.t" },

    { "WITH t AS (SELECT * FROM t) SELECT * FROM t, u",
      "read cacheable - t u" },

    { "WITH x (a, b) AS MATERIALIZED (TABLE s), y AS NOT MATERIALIZED "
      "(SELECT * FROM x) SELECT * FROM y JOIN t USING (a)",
      "read cacheable - s t" },

    { "WITH RECURSIVE r (n) AS (SELECT id FROM t UNION ALL SELECT n + 1 "
      "FROM r WHERE n < 10) SELECT * FROM r",
      "read cacheable - t" },

    { "WITH RECURSIVE r AS (SELECT * FROM t) SEARCH DEPTH FIRST BY a, b "
      "SET o CYCLE a SET c TO 'x' DEFAULT 'y' USING p, q AS (SELECT 1) "
      "SELECT * FROM r, q",
      "read cacheable - t" },

    { "SELECT * FROM (WITH i AS (SELECT * FROM t) SELECT * FROM i) AS s, i",
      "read cacheable - t i" },

    { "WITH a AS (SELECT * FROM b), b AS (SELECT 1) SELECT * FROM a",
      "read cacheable - b" },

    { "SELECT (WITH x AS (SELECT 1) SELECT * FROM x) FROM x",
      "read cacheable - x" },

    { "WITH x AS (SELECT 1) SELECT * FROM x UNION SELECT * FROM (SELECT * "
      "FROM x, y) z",
      "read cacheable - y" },

    { "WITH x AS (SELECT 1) SELECT * FROM app.x, X, \"X\"",
      "read cacheable - app.x X" },

    { "SELECT a FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.id = t.id) "
      "AND b = ANY (SELECT c FROM v) OR d IN (TABLE w)",
      "read cacheable - t u v w" },

    { "SELECT count(*), max(x), string_agg(y, ',' ORDER BY z) FROM t GROUP "
      "BY q HAVING count(*) > 1",
      "read cacheable - t" },

    { "SELECT sum(x) FILTER (WHERE y > 1) OVER (PARTITION BY z ORDER BY w "
      "ROWS BETWEEN 1 PRECEDING AND CURRENT ROW), rank() OVER w FROM t "
      "WINDOW w AS (ORDER BY x)",
      "read cacheable - t" },

    { "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY x) FROM t, u",
      "read cacheable - t u" },

    { "SELECT DISTINCT ON (a, b) * FROM t",
      "read cacheable - t" },

    { "SELECT extract(year FROM d), substring(a FROM 2 FOR 3), trim(BOTH "
      "'x' FROM q), trim(FROM q), overlay(a PLACING b FROM 3), "
      "position('a' IN b) FROM t",
      "read cacheable - t" },

    { "SELECT a IS DISTINCT FROM b, a IS NOT DISTINCT FROM c FROM t",
      "read cacheable - t" },

    { "SELECT a::numeric(10, 2), CAST(b AS varchar(3)), c::timestamp(3) "
      "with time zone, d AT TIME ZONE 'UTC', e::double precision[], "
      "f::app.kind FROM t",
      "read cacheable - t" },

    { "SELECT interval '1' second(3), interval(2) '1 day', date "
      "'2020-01-01', char varying(3) 'x', bit varying(2) '01' FROM t",
      "read cacheable - t" },

    { "SELECT ARRAY[1, 2][1], ARRAY(SELECT x FROM u), a[1:2], ROW(1, 2), "
      "(1, 2) FROM t",
      "read cacheable - u t" },

    { "SELECT CASE WHEN a THEN b ELSE c END, coalesce(a, b), greatest(a, "
      "b), nullif(a, b) FROM t",
      "read cacheable - t" },

    { "SELECT * FROM t GROUP BY GROUPING SETS (ROLLUP (a, b), CUBE (c), "
      "()), cube(d)",
      "read cacheable - t" },

    { "SELECT * FROM t ORDER BY a USING <, b COLLATE \"C\" DESC NULLS LAST "
      "FETCH FIRST 5 ROWS WITH TIES",
      "read cacheable - t" },

    { "SELECT * FROM (VALUES (1, 'a'), (2, 'b')) v (id, n) JOIN t USING "
      "(id)",
      "read cacheable - t" },

    { "SELECT * FROM generate_series(1, 10) WITH ORDINALITY AS g (x, n), "
      "unnest(ARRAY[1]) u, t",
      "read cacheable - t" },

    { "SELECT * FROM json_to_recordset('[]') AS x (a int, b numeric(10, "
      "2)), t",
      "read cacheable - t" },

    { "SELECT * FROM ROWS FROM (unnest(a), json_to_record('{}') AS (x int, "
      "y varchar(3))) z, t",
      "read cacheable - t" },

    { "SELECT json_agg(t), to_json(a), concat(a, b), format('%s', a), "
      "date_trunc('day', d), to_char(d, 'YYYY'), age(d, e) FROM t",
      "read cacheable - t" },

    { "SELECT pg_catalog.lower(a), a OPERATOR(pg_catalog.||) b FROM t",
      "read cacheable - t" },

    { "SELECT left(a, 1), right(b, 2), replace(c, 'x', 'y'), "
      "\"substring\"(a, 2) FROM t x JOIN u ON left(x.a, 1) = u.a LEFT JOIN "
      "v ON true",
      "read cacheable - t u v" },

    { "SELECT a AS \"from\", b AS select, c \"x y\" FROM t",
      "read cacheable - t" },

    { "SELECT t.from, (t).into, t.\"for\" FROM t",
      "read cacheable - t" },

    { "SELECT a AS distinct FROM t",
      "read cacheable - t" },

    { "SELECT $$ FROM x $$, $a$ ; $b$ ' $a$, 'it''s', E'it\\'s', B'01', "
      "X'1F', N'x', U&'d\\0061t' FROM t",
      "read cacheable - t" },

    { "SELECT 'a' ",
      "read no_table -" },

    { "SELECT f1 FROM t WHERE a <> -1 AND b >= +2 AND c !~* 'x' AND d @> "
      "'{}' AND e ?| ARRAY['a']",
      "read cacheable - t" },

    { "SELECT 1.5, .5, 1e10, 1.e-3, 0x1F, 1_000 FROM t",
      "read cacheable - t" },

    { "SELECT a FROM \"T \"\"x\"\"\", \"schema.with\".\"dots.in\", "
      "\303\234ber\303\237",
      "read cacheable - T \"x\" schema.with.dots.in \303\234ber\303\237" },

    { "SELECT aBc FROM sCh.TaB",
      "read cacheable - sch.tab" },

    { "SELECT 'I am nowhere', 'todays', 'unknown' FROM t",
      "read cacheable - t" },

    { "SELECT * FROM t FOR READ ONLY",
      "read cacheable - t" },

    { "SELECT set FROM t JOIN u ON set = 1, v",
      "read cacheable - t u v" },

    { "SELECT values FROM t WHERE (values) = 1",
      "read cacheable - t" },

    { "SELECT x.delete, y.insert FROM t",
      "read cacheable - t" },

    /* why not: locks, the clock, functions */

    { "SELECT * FROM t FOR UPDATE",
      "read locking - t" },

    { "SELECT * FROM t FOR NO KEY UPDATE OF t SKIP LOCKED",
      "read locking - t" },

    { "SELECT * FROM (SELECT * FROM t FOR SHARE) s",
      "read locking - t" },

    { "SELECT * FROM t LIMIT 1 FOR KEY SHARE NOWAIT",
      "read locking - t" },

    { "SELECT now() FROM t",
      "read volatile - t" },

    { "SELECT NOW ( ) FROM t",
      "read volatile - t" },

    { "SELECT \"now\"() FROM t",
      "read volatile - t" },

    { "SELECT \"NOW\"() FROM t",
      "read function SWU t" },

    { "SELECT pg_catalog.now() FROM t",
      "read volatile - t" },

    { "SELECT public.now() FROM t",
      "read function SWU t" },

    { "SELECT random() FROM t",
      "read volatile - t" },

    { "SELECT current_date FROM t",
      "read volatile - t" },

    { "SELECT CURRENT_TIMESTAMP(3), LOCALTIME FROM t",
      "read volatile - t" },

    { "SELECT user FROM t",
      "read volatile - t" },

    { "SELECT current_schema FROM t",
      "read volatile - t" },

    { "SELECT system_user FROM t",
      "read volatile - t" },

    { "SELECT * FROM current_user, t",
      "read volatile - t" },

    { "SELECT age(d) FROM t",
      "read volatile - t" },

    { "SELECT (d).age FROM t",
      "read volatile - t" },

    { "SELECT u.age, u.name FROM u",
      "read cacheable - u" },

    { "SELECT current_setting('a.b') FROM t",
      "read volatile - t" },

    { "SELECT 'x'::is DISTINCT FROM t",
      "read cacheable - t" },

    { "SELECT * FROM t JOIN u ON conflict (a)",
      "read function SWU t u" },

    { "SELECT a::numeric(f(1)) FROM t",
      "read function SWU t" },

    { "SELECT version() FROM t",
      "read volatile - t" },

    { "SELECT f(x) FROM t",
      "read function SWU t" },

    { "SELECT app.lower(x) FROM t",
      "read function SWU t" },

    { "SELECT * FROM t WHERE a = now",
      "read cacheable - t" },

    { "SELECT * FROM t WHERE a = 'now'",
      "read volatile - t" },

    { "SELECT * FROM t WHERE a = 'NoW '",
      "read volatile - t" },

    { "SELECT * FROM t WHERE a = '  today 10:00'",
      "read volatile - t" },

    { "SELECT * FROM t WHERE a = E'n\\157w'",
      "read volatile - t" },

    { "SELECT * FROM t WHERE a = E'n\\ow'",
      "read volatile - t" },

    { "SELECT * FROM t WHERE a = U&'\\006eow'",
      "read volatile - t" },

    { "SELECT * FROM t WHERE a = $$tomorrow$$",
      "read volatile - t" },

    { "SELECT * FROM t WHERE a = '[2020-01-01,yesterday)'",
      "read volatile - t" },

    { "SELECT * FROM t TABLESAMPLE bernoulli (10) REPEATABLE (5)",
      "read volatile - t" },

    { "SELECT * FROM t TABLESAMPLE app.method (f(1))",
      "read volatile SWU t" },

    { "SELECT a OPERATOR(app.+) b FROM t",
      "read function - t" },

    { "SELECT a <=> b FROM t",
      "read function - t" },

    { "SELECT COLLATION FOR (a) FROM t",
      "read volatile - t" },

    { "SELECT TREAT(a AS b) FROM t",
      "read function SWU t" },

    { "SELECT cube(a) FROM t",
      "read function SWU t" },

    { "SELECT filter(a) FROM t",
      "read function SWU t" },

    { "SELECT a FROM t GROUP BY rollup(a), (cube(a), b)",
      "read function SWU t" },

    { "SELECT * FROM f(1), t",
      "read function SWU t" },

    { "SELECT * FROM ROWS FROM (f(1)) x, t",
      "read function SWU t" },

    { "SELECT a FROM t ORDER BY ilike(a, b)",
      "read function SWU t" },

    { "SELECT ('s'::regclass).nextval FROM t",
      "read system S t" },

    { "SELECT r.nextval FROM regclass('s') r, t",
      "read volatile S t" },

    { "SELECT nextval('s') FROM t",
      "read volatile S t" },

    { "SELECT query_to_xml('SELECT 1', true, true, '') FROM t",
      "read volatile SW t" },

    { "SELECT ts_rewrite(a, 'SELECT 1') FROM t",
      "read volatile SW t" },

    /* system tables and columns */

    { "SELECT * FROM pg_class",
      "read system - pg_class" },

    { "SELECT * FROM pg_catalog.pg_type, t",
      "read system - pg_catalog.pg_type t" },

    { "SELECT * FROM \"information_schema\".\"tables\"",
      "read system - information_schema.tables" },

    { "SELECT ctid FROM t",
      "read system - t" },

    { "SELECT t.xmin, t.* FROM t",
      "read system - t" },

    { "SELECT 't'::regclass, a FROM t",
      "read system - t" },

    { "SELECT CAST('t' AS pg_catalog.regtype) FROM t",
      "read system - t" },

    { "SELECT last_value, is_called FROM seq",
      "read system - seq" },

    { "SELECT * FROM pg_temp.t",
      "read system St pg_temp.t" },

    { "SELECT * FROM pg_temp_3.t",
      "read system St pg_temp_3.t" },

    { "SELECT last_value(a) OVER w FROM t WINDOW w AS (ORDER BY b)",
      "read cacheable - t" },

    /* no table */

    { "SELECT 1",
      "read no_table -" },

    { "SELECT",
      "read no_table -" },

    { "VALUES (1), (2)",
      "read no_table -" },

    { "SELECT * FROM (VALUES (1)) v",
      "read no_table -" },

    { "SELECT * FROM generate_series(1, 3)",
      "read no_table -" },

    { "WITH a AS (SELECT 1) SELECT * FROM a",
      "read no_table -" },

    /* not a plain read */

    { "EXPLAIN SELECT * FROM t",
      "read not_read - t" },

    { "EXPLAIN ANALYZE SELECT * FROM t",
      "read not_read - t" },

    { "EXPLAIN (ANALYZE, BUFFERS) DELETE FROM t",
      "write not_read W t*" },

    { "EXPLAIN (ANALYZE off, VERBOSE) DELETE FROM t",
      "read not_read - t*" },

    { "EXPLAIN (FORMAT json) INSERT INTO t VALUES (1)",
      "read not_read - t*" },

    { "EXPLAIN VERBOSE UPDATE t SET a = 1",
      "read not_read - t*" },

    { "EXPLAIN (SELECT * FROM t)",
      "read not_read - t" },

    { "EXPLAIN ANALYZE EXECUTE p",
      "prepare not_read SWI" },

    { "EXPLAIN ANALYZE CREATE TABLE x AS SELECT 1",
      "ddl not_read W x*" },

    { "EXPLAIN ALTER TABLE t",
      "unknown parse SWIUTa" },

    { "SHOW timezone",
      "read not_read -" },

    { "SHOW ALL",
      "read not_read -" },

    { "SELECT * FROM t; SELECT * FROM u",
      "read multiple - t u" },

    { "SELECT * FROM t;;",
      "read cacheable - t" },

    /* writes */

    { "INSERT INTO t VALUES (1)",
      "write not_read W t*" },

    { "INSERT INTO app.t AS x (a, b.c, d[1]) OVERRIDING USER VALUE VALUES "
      "(1, DEFAULT, 'x') ON CONFLICT (lower(a)) WHERE b DO UPDATE SET b = "
      "excluded.b, c = 2 RETURNING *",
      "write not_read W app.t*" },

    { "INSERT INTO t DEFAULT VALUES",
      "write not_read W t*" },

    { "INSERT INTO t SELECT * FROM u, v ON CONFLICT DO NOTHING",
      "write not_read W t* u v" },

    { "INSERT INTO t (SELECT * FROM u) RETURNING id",
      "write not_read W t* u" },

    { "INSERT INTO t WITH x AS (SELECT * FROM u) SELECT * FROM x",
      "write not_read W t* u" },

    { "INSERT INTO t VALUES (nextval('s'), f(1))",
      "write not_read SWU t*" },

    { "UPDATE t SET a = 1, b = lower(c) WHERE id = 1",
      "write not_read W t*" },

    { "UPDATE ONLY t * AS x SET (a, b) = (SELECT 1, 2 FROM y), c = DEFAULT "
      "FROM u JOIN v ON u.a = v.a, w WHERE CURRENT OF cur RETURNING *",
      "write not_read W t* y u v w" },

    { "DELETE FROM t",
      "write not_read W t*" },

    { "DELETE FROM ONLY app.t x USING a, b JOIN c USING (d) WHERE x.e = a.e",
      "write not_read W app.t* a b c" },

    { "MERGE INTO t USING s ON t.a = s.a WHEN MATCHED AND t.b THEN UPDATE "
      "SET a = 1, b = 2 WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN "
      "INSERT (a, b) VALUES (1, 2)",
      "write not_read W t* s" },

    { "MERGE INTO ONLY t AS x USING (SELECT * FROM u) s ON CASE WHEN true "
      "THEN true END WHEN MATCHED THEN DO NOTHING",
      "write not_read W t* u" },

    { "WITH d AS (DELETE FROM x RETURNING *) SELECT * FROM d",
      "write not_read W x*" },

    { "WITH a AS (SELECT 1), b AS (WITH c AS (UPDATE u SET v = 1 RETURNING "
      "*) SELECT * FROM c) SELECT * FROM t",
      "write not_read W u* t" },

    { "WITH a AS (SELECT * FROM u) INSERT INTO t SELECT * FROM a",
      "write not_read W u t*" },

    { "WITH t AS (SELECT 1) UPDATE t SET a = 1",
      "write not_read W t*" },

    { "WITH a AS (INSERT INTO t DEFAULT VALUES) MERGE INTO a USING b ON "
      "true WHEN MATCHED THEN DELETE",
      "write not_read W t* a* b" },

    /* SELECT INTO */

    { "SELECT * INTO x FROM t",
      "ddl not_read W x* t" },

    { "SELECT * INTO TEMP x FROM t",
      "ddl not_read SWt x* t" },

    { "SELECT * INTO LOCAL TEMPORARY TABLE x FROM t",
      "ddl not_read SWt x* t" },

    { "SELECT * INTO UNLOGGED TABLE app.x FROM t",
      "ddl not_read W app.x* t" },

    { "SELECT * INTO pg_temp.x FROM t",
      "ddl not_read SWt pg_temp.x* t" },

    /* DDL */

    { "CREATE TABLE IF NOT EXISTS app.t (id int PRIMARY KEY DEFAULT "
      "nextval('s'), v varchar(20), g geometry(Point, 4326), CHECK (f(v)))",
      "ddl not_read W app.t*" },

    { "CREATE UNLOGGED TABLE t (LIKE u)",
      "ddl not_read W t*" },

    { "CREATE TEMP TABLE t (a int)",
      "ddl not_read SWt t*" },

    { "CREATE TEMPORARY TABLE t AS SELECT 1",
      "ddl not_read SWt t*" },

    { "CREATE LOCAL TEMP VIEW v AS SELECT 1",
      "ddl not_read SWt" },

    { "CREATE TEMP SEQUENCE s",
      "ddl not_read SWt" },

    { "CREATE TABLE temp (temp int)",
      "ddl not_read W temp*" },

    { "CREATE TABLE pg_temp.t (a int)",
      "ddl not_read SWt pg_temp.t*" },

    { "CREATE TABLE t AS SELECT lower(a) FROM u WITH NO DATA",
      "ddl not_read W t* u" },

    { "CREATE TABLE t (a, b) AS SELECT f(a) FROM u",
      "ddl not_read SWU t* u" },

    { "CREATE TABLE t AS EXECUTE p",
      "ddl not_read SW t*" },

    { "CREATE TABLE t PARTITION OF u FOR VALUES FROM (1) TO (f(2))",
      "ddl not_read SWU t*" },

    { "CREATE MATERIALIZED VIEW v AS SELECT f(a) FROM t",
      "ddl not_read SWU v* t" },

    { "CREATE VIEW v AS SELECT f(a) FROM t",
      "ddl not_read W" },

    { "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON ONLY t USING "
      "gin (lower(x) gin_trgm_ops (siglen = 32)) WHERE a > 1",
      "ddl not_read Wa t*" },

    { "CREATE INDEX ON t (f(a))",
      "ddl not_read SWU t*" },

    { "CREATE FUNCTION f(a numeric(10, 2)) RETURNS int LANGUAGE sql AS "
      "'SELECT 1; SELECT 2'",
      "ddl not_read W" },

    { "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; "
      "END; SELECT 1",
      "ddl not_read SWITa" },

    { "CREATE RULE r AS ON INSERT TO t DO ALSO (INSERT INTO u VALUES (1); "
      "DELETE FROM v)",
      "ddl not_read W" },

    { "CREATE EXTENSION hstore",
      "ddl not_read SW" },

    { "CREATE DATABASE d",
      "ddl not_read Wa" },

    { "ALTER TABLE t ADD COLUMN c numeric(10, 2) DEFAULT 0, ADD PRIMARY "
      "KEY (id), ADD FOREIGN KEY (a) REFERENCES app.b (c), SET (fillfactor "
      "= 70)",
      "ddl not_read W t*" },

    { "ALTER TABLE IF EXISTS ONLY t ADD c int DEFAULT f(1)",
      "ddl not_read SWU t*" },

    { "ALTER TABLE t ALTER c TYPE numeric(5) USING f(c)",
      "ddl not_read SWU t*" },

    { "ALTER SYSTEM SET a = 1",
      "ddl not_read Wa" },

    { "DROP TABLE IF EXISTS a, app.b CASCADE",
      "ddl not_read W a* app.b*" },

    { "DROP FUNCTION f(int)",
      "ddl not_read W" },

    { "DROP DATABASE d",
      "ddl not_read Wa" },

    { "TRUNCATE a, ONLY app.b RESTART IDENTITY CASCADE",
      "ddl not_read W a* app.b*" },

    { "GRANT EXECUTE ON FUNCTION f(int) TO u",
      "ddl not_read W" },

    { "COMMENT ON TABLE t IS 'now'",
      "ddl not_read W" },

    /* COPY */

    { "COPY t FROM stdin",
      "copy not_read Wc t*" },

    { "COPY app.t (a, b) FROM STDIN WITH (FORMAT csv, FORCE_NULL (a), "
      "HEADER) WHERE a > 1",
      "copy not_read Wc app.t*" },

    { "COPY t TO STDOUT",
      "copy not_read - t" },

    { "COPY BINARY t TO 'file'",
      "copy not_read - t" },

    { "COPY (SELECT f(a) FROM t) TO STDOUT (FORMAT csv)",
      "copy not_read SWU t" },

    { "COPY (DELETE FROM t RETURNING *) TO STDOUT",
      "copy not_read W t*" },

    /* transactions */

    { "BEGIN",
      "begin not_read Tb" },

    { "begin work;",
      "begin not_read Tb" },

    { "BEGIN ISOLATION LEVEL SERIALIZABLE, READ ONLY",
      "begin not_read Tzr" },

    { "START TRANSACTION READ WRITE",
      "begin not_read T" },

    { "START_REPLICATION SLOT s LOGICAL 0/0",
      "unknown parse SWIUTa" },

    { "COMMIT",
      "commit not_read T" },

    { "END TRANSACTION AND CHAIN",
      "commit not_read T" },

    { "ROLLBACK",
      "rollback not_read T" },

    { "ABORT",
      "rollback not_read T" },

    { "ROLLBACK TO SAVEPOINT s",
      "savepoint not_read T" },

    { "ROLLBACK WORK TO s",
      "savepoint not_read T" },

    { "SAVEPOINT s",
      "savepoint not_read T" },

    { "RELEASE s",
      "savepoint not_read T" },

    { "PREPARE TRANSACTION 'x'",
      "two_phase not_read WT" },

    { "COMMIT PREPARED 'x'",
      "two_phase not_read WTa" },

    { "ROLLBACK PREPARED 'x'",
      "two_phase not_read Ta" },

    { "BEGIN; UPDATE t SET a = 1; COMMIT",
      "write not_read WTb t*" },

    { "SELECT 1; COMMIT",
      "commit not_read T" },

    /* the session */

    { "SET a = 1",
      "set not_read S" },

    { "SET SESSION a TO 1",
      "set not_read S" },

    { "SET LOCAL a = 1",
      "set_local not_read -" },

    { "SET local.a = 1",
      "set not_read S" },

    { "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE",
      "set_local not_read za" },

    { "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL "
      "SERIALIZABLE",
      "set not_read Sz" },

    { "SET CONSTRAINTS ALL DEFERRED",
      "set_local not_read -" },

    { "SET ROLE x",
      "set not_read S" },

    { "SET LOCAL ROLE x",
      "set_local not_read -" },

    { "RESET ALL",
      "set not_read S" },

    { "SELECT set_config('a', 'b', false)",
      "read volatile S" },

    { "SELECT set_config('a', 'b', true)",
      "read volatile -" },

    { "SELECT set_config('a', 'b', true AND false)",
      "read volatile S" },

    { "SELECT set_config('a', $1, $2)",
      "read volatile S" },

    { "PREPARE p (int) AS SELECT f($1)",
      "prepare not_read S" },

    { "PREPARE transaction AS SELECT 1",
      "prepare not_read S" },

    { "EXECUTE p (1)",
      "prepare not_read SWI" },

    { "DEALLOCATE p",
      "prepare not_read S" },

    { "DECLARE c CURSOR FOR SELECT * FROM t",
      "cursor not_read - t" },

    { "DECLARE c NO SCROLL CURSOR WITH HOLD FOR SELECT * FROM t",
      "cursor not_read S t" },

    { "DECLARE c BINARY INSENSITIVE CURSOR WITHOUT HOLD FOR SELECT f(a) "
      "FROM t FOR UPDATE",
      "cursor not_read SWU t" },

    { "FETCH ALL FROM c",
      "cursor not_read -" },

    { "CLOSE c",
      "cursor not_read -" },

    { "LISTEN a",
      "listen not_read S" },

    { "UNLISTEN *",
      "listen not_read S" },

    { "NOTIFY a, 'now'",
      "notify not_read -" },

    { "SELECT pg_notify('a', 'b')",
      "read volatile -" },

    { "SELECT pg_advisory_lock(1)",
      "read volatile S" },

    { "SELECT pg_advisory_xact_lock(1)",
      "read volatile -" },

    { "SELECT pg_try_advisory_lock(1)",
      "read volatile S" },

    { "SELECT lastval()",
      "read volatile S" },

    { "SELECT pg_sleep(1)",
      "read volatile -" },

    { "SELECT lo_unlink(1)",
      "read volatile SW" },

    { "SELECT pg_my_temp_schema()",
      "read volatile S" },

    { "LOCK TABLE a, app.b IN SHARE ROW EXCLUSIVE MODE NOWAIT",
      "lock not_read - a app.b" },

    { "LOCK t",
      "lock not_read - t" },

    { "DISCARD ALL",
      "discard not_read Sa" },

    { "VACUUM (ANALYZE) t",
      "maintenance not_read a" },

    { "ANALYZE",
      "maintenance not_read a" },

    { "REINDEX TABLE CONCURRENTLY t",
      "maintenance not_read a" },

    { "REFRESH MATERIALIZED VIEW CONCURRENTLY app.v",
      "maintenance not_read W app.v*" },

    { "CHECKPOINT",
      "maintenance not_read a" },

    { "CALL p(1)",
      "call not_read SWUa" },

    { "DO $$ BEGIN PERFORM 1; END $$",
      "call not_read SWIUa" },

    { "LOAD 'x'",
      "call not_read SWIUa" },

    /* what cannot be told */

    { "foo",
      "unknown parse SWIUTa" },

    { "SELECT * FROM",
      "unknown parse SWIUTa" },

    { "SELECT * FROM t WHERE (a = 1",
      "unknown parse SWIUTa t" },

    { "SELECT * FROM t)",
      "unknown parse SWIUTa t" },

    { "SELECT 'abc",
      "unknown parse SWIUTa" },

    { "SELECT \"abc",
      "unknown parse SWIUTa" },

    { "SELECT /* abc",
      "unknown parse SWIUTa" },

    { "SELECT $a$ abc $b$",
      "unknown parse SWIUTa" },

    { "SELECT 1..2",
      "unknown parse SWIUTa" },

    { "SELECT 1abc FROM t",
      "unknown parse SWIUTa" },

    { "SELECT $1a FROM t",
      "unknown parse SWIUTa" },

    { "SELECT \"\" FROM t",
      "unknown parse SWIUTa" },

    { "SELECT {x} FROM t",
      "unknown parse SWIUTa" },

    { "SELECT a \\ b FROM t",
      "unknown parse SWIUTa" },

    { "SELECT U&\"d\\0061t\" FROM t",
      "unknown parse SWIUTa" },

    { "SELECT U&'d!0061t' UESCAPE '!' FROM t",
      "unknown parse SWIUTa" },

    { "SELECT (a FROM t)",
      "unknown parse SWIUTa" },

    { "SELECT * FROM t WHERE a = (b ; c)",
      "unknown parse SWIUTa t" },

    { "WITH a AS (SELECT 1",
      "unknown parse SWIUTa" },

    { "SELECT * FROM t; 'x",
      "unknown parse SWIUTa t" },

    { "SELECT f(a]) FROM t",
      "unknown parse SWIUTa" },

    /* as drivers and libraries write them */

    { "SELECT \"users\".* FROM \"users\" WHERE \"users\".\"email\" = $1 "
      "AND \"users\".\"deleted_at\" IS NULL ORDER BY \"users\".\"id\" ASC "
      "LIMIT $2",
      "read cacheable - users" },

    { "SELECT COUNT(*) AS \"__count\" FROM \"auth_user\" INNER JOIN "
      "\"auth_user_groups\" ON (\"auth_user\".\"id\" = "
      "\"auth_user_groups\".\"user_id\") WHERE "
      "(\"auth_user\".\"is_active\" AND "
      "UPPER(\"auth_user\".\"name\"::text) LIKE UPPER($1))",
      "read cacheable - auth_user auth_user_groups" },

    { "SELECT \"public\".\"Post\".\"id\", \"public\".\"Post\".\"title\" "
      "FROM \"public\".\"Post\" WHERE (\"public\".\"Post\".\"authorId\" IN "
      "($1,$2) AND 1=1) OFFSET $3",
      "read cacheable - public.Post" },

    { "select u1_0.id, u1_0.name, r1_0.user_id from users u1_0 left join "
      "roles r1_0 on u1_0.id=r1_0.user_id where u1_0.created_at>=? and "
      "u1_0.id in (?,?) fetch first ? rows only",
      "read function - users roles" },

    { "SELECT anon_1.id AS anon_1_id FROM (SELECT items.id AS id FROM "
      "items WHERE items.price BETWEEN %(p1)s AND %(p2)s) AS anon_1",
      "read cacheable - items" },

    { "SELECT coalesce((SELECT array_to_json(array_agg(row_to_json(x))) "
      "FROM (SELECT id, name FROM api.items) x), '[]')::character varying "
      "AS body",
      "read cacheable - api.items" },

    { "SELECT json_build_object('type', 'FeatureCollection', 'features', "
      "json_agg(json_build_object('id', p.id))) FROM places p WHERE p.tags "
      "@> ARRAY[$1]::text[]",
      "read cacheable - places" },

    { "SELECT p.id, p.embedding <=> $1 AS distance FROM products p ORDER "
      "BY distance LIMIT 10",
      "read function - products" },

    { "SELECT id, ts_rank_cd(tsv, q) FROM docs, "
      "websearch_to_tsquery('english', $1) q WHERE tsv @@ q ORDER BY 2 DESC",
      "read cacheable - docs" },

    { "SELECT date_trunc('month', o.created_at) AS m, "
      "sum(o.total)::numeric(12,2), lag(sum(o.total)) OVER (ORDER BY "
      "date_trunc('month', o.created_at)) FROM orders o GROUP BY 1",
      "read cacheable - orders" },

    { "SELECT * FROM orders WHERE created_at > now() - interval '7 days'",
      "read volatile - orders" },

    { "SELECT * FROM orders WHERE created_at::date = CURRENT_DATE",
      "read volatile - orders" },

    { "SELECT * FROM jobs WHERE state = 'ready' ORDER BY id FOR UPDATE "
      "SKIP LOCKED LIMIT 1",
      "read locking - jobs" },

    { "WITH next AS (SELECT id FROM jobs WHERE state = 'ready' LIMIT 1 FOR "
      "UPDATE SKIP LOCKED) UPDATE jobs SET state = 'run' FROM next WHERE "
      "jobs.id = next.id RETURNING jobs.*",
      "write not_read W jobs*" },

    { "INSERT INTO \"users\" (\"name\",\"email\") VALUES ($1,$2) ON "
      "CONFLICT (\"email\") DO UPDATE SET \"name\" = EXCLUDED.\"name\" "
      "RETURNING \"id\"",
      "write not_read W users*" },

    { "SELECT pg_try_advisory_lock(123456)",
      "read volatile S" },

    { "SELECT set_config('app.tenant', $1, true), set_config('role', $2, "
      "true)",
      "read volatile -" },

    { "SELECT c.oid::pg_catalog.regclass FROM pg_catalog.pg_class c WHERE "
      "c.relname OPERATOR(pg_catalog.~) '^(t)$' COLLATE pg_catalog.default",
      "read system - pg_catalog.pg_class" },

    { "SELECT t.typname FROM pg_type t LEFT JOIN pg_range r ON oid = "
      "rngtypid",
      "read system - pg_type pg_range" },

    { "SELECT current_database(), current_user, version()",
      "read volatile -" },

    { "SET client_encoding TO 'UTF8';SET client_min_messages TO 'warning'",
      "set not_read S" },

    { "SELECT 1 AS one FROM \"users\" WHERE \"users\".\"name\" = $1 LIMIT "
      "$2",
      "read cacheable - users" },

    { "SAVEPOINT active_record_1",
      "savepoint not_read T" }
};


#endif /* _SQL_TEXTS_H_INCLUDED_ */
