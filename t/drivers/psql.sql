-- Copyright (C) Hyperdrive for nginx authors

-- A session in psql.  Its whole output is compared with that of a run
-- against the database itself.

\set ON_ERROR_STOP 0
\set VERBOSITY verbose
\pset pager off
\pset null '<null>'

\echo === variables
\set who psql
\set table drv_items
\set quote 'it''s'
SELECT :'who' AS who, :'quote' AS quote, 1 + 1 AS two;
SELECT count(*) >= 0 AS counted FROM :"table" WHERE who = :'who';
SELECT 42 AS answer, 'text' AS word \gset got_
\echo :got_answer :got_word
\if :{?got_answer}
\echo is set
\else
\echo IS NOT SET
\endif
SELECT 'SELECT ' || g || ' AS n' FROM generate_series(1, 5) g \gexec
SELECT id, t, n AS number FROM drv_types WHERE id = 1 \gdesc
SELECT 1 AS a \; SELECT 2 AS b \; SELECT 3 AS c;
SELECT g AS r, g % 3 AS c, g * g AS v FROM generate_series(1, 9) g
\crosstabview r c v

\echo === forms of output
\x on
SELECT * FROM drv_types WHERE id IN (1, 2, 3) ORDER BY id;
\x off
\a
SELECT id, length(t), md5(t), n, ts, tstz AT TIME ZONE 'UTC', iv, ai, pair
FROM drv_types ORDER BY id;
\t
SELECT id FROM drv_rows WHERE id <= 5 ORDER BY id;
\t
\a
TABLE drv_types \g (format=csv)

\echo === the catalog
\d
\d drv_types
\d+ drv_items
\dt
\dt+ drv_none
\dT drv*
\dn
\du
\di drv*
\df drv*
\dp drv_items

\sv drv_none
\d drv_missing
SELECT relname, relkind FROM pg_class WHERE relname LIKE 'drv%'
ORDER BY relname;
SELECT attname, atttypid::regtype FROM pg_attribute
WHERE attrelid = 'drv_items'::regclass AND attnum > 0 ORDER BY attnum;
SELECT table_name, column_name, data_type FROM information_schema.columns
WHERE table_name = 'drv_blob' ORDER BY ordinal_position;

\echo === errors
SELEC 1;
SELECT 1 / 0;
SELECT * FROM drv_missing;
SELECT 'x'::int;
\errverbose
\echo :ERROR :SQLSTATE :ROW_COUNT :LAST_ERROR_MESSAGE
SELECT 'going on' AS still;
\echo :ERROR :SQLSTATE :ROW_COUNT

\echo === transactions
\o /dev/null
DELETE FROM drv_items WHERE who = :'who';
\o
BEGIN;
INSERT INTO drv_items VALUES (:'who', 1, 'one'), (:'who', 2, 'two')
RETURNING id, v;
SAVEPOINT s;
INSERT INTO drv_items VALUES (:'who', 1, 'again');
SELECT 1;
ROLLBACK TO s;
UPDATE drv_items SET v = upper(v) WHERE who = :'who' RETURNING v;
COMMIT;
SELECT id, v FROM drv_items WHERE who = :'who' ORDER BY id;
BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY;
INSERT INTO drv_items VALUES (:'who', 3, 'three');
ROLLBACK;
ROLLBACK;
COMMIT;

\set ON_ERROR_ROLLBACK on
BEGIN;
INSERT INTO drv_items VALUES (:'who', 3, 'three');
INSERT INTO drv_items VALUES (:'who', 1, 'again');
INSERT INTO drv_items VALUES (:'who', 4, 'four');
COMMIT;
\set ON_ERROR_ROLLBACK off
SELECT id, v FROM drv_items WHERE who = :'who' ORDER BY id;

\set AUTOCOMMIT off
DELETE FROM drv_items WHERE who = :'who' AND id = 4;
ROLLBACK;
SELECT count(*) FROM drv_items WHERE who = :'who';
COMMIT;
\set AUTOCOMMIT on

\echo === cursors
\set FETCH_COUNT 700
SELECT id, v FROM drv_rows ORDER BY id;
SELECT 100 / (1500 - g) AS q FROM generate_series(1, 2000) g;
\unset FETCH_COUNT
BEGIN;
DECLARE c SCROLL CURSOR FOR SELECT id FROM drv_rows ORDER BY id;
FETCH 3 FROM c;
FETCH LAST FROM c;
FETCH PRIOR FROM c;
CLOSE c;
END;
FETCH c;

\echo === statements by name
PREPARE plan (int) AS SELECT v FROM drv_rows WHERE id = $1;
EXECUTE plan (1);
EXECUTE plan (2);
PREPARE plan AS SELECT 1;
DEALLOCATE plan;
EXECUTE plan (1);

\echo === copy
COPY drv_items (who, id, v) FROM STDIN;
psql	10	ten
psql	11	\N
\.
COPY drv_items (who, id, v) FROM STDIN;
psql	12	twelve
psql	10	again
\.
COPY (SELECT id, v FROM drv_items WHERE who = 'psql' ORDER BY id) TO STDOUT;
\copy (SELECT id FROM drv_rows WHERE id < 4 ORDER BY id) TO PSTDOUT

\echo === what pins a session
SET work_mem = '7MB';
SHOW work_mem;
CREATE TEMPORARY TABLE drv_temp AS SELECT g FROM generate_series(1, 3) g;
SELECT sum(g) FROM drv_temp;
LISTEN drv;
NOTIFY drv, 'hello';
DO $$ BEGIN RAISE NOTICE 'noticed %', 1; END $$;
RESET work_mem;
SHOW work_mem;

\echo === the end
