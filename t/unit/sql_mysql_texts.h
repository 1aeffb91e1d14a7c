
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _SQL_MYSQL_TEXTS_H_INCLUDED_
#define _SQL_MYSQL_TEXTS_H_INCLUDED_


/*
 * Texts, as MariaDB 10.11 reads them, and what the classifier must tell about
 * them, as sql_mysql_describe.h says it.
 */

typedef struct {
    const char  *sql;
    const char  *facts;
} sql_mysql_text_t;


static const sql_mysql_text_t  texts[] = {

    { "SELECT * FROM t",
      "read cacheable - t" },

    { "SELECT a.x, b.`y` FROM shop.a JOIN `B b` b USING (id) LEFT JOIN c "
      "ON c.id = a.id WHERE a.x IN (1,2)",
      "read cacheable - shop.a B b c" },

    { "SELECT NOW() FROM t",
      "read volatile - t" },

    { "SELECT mysql_query_attribute_string('trace') FROM t",
      "read volatile - t" },

    { "SELECT count(*) FROM t",
      "read cacheable - t" },

    { "SELECT count (*) FROM t",
      "read function W !function t count()" },

    { "SELECT f(a) FROM t",
      "read function W !function t f()" },

    { "SELECT s.f(a) FROM t",
      "read function W !function t s.f()" },

    { "SELECT `f`(a) FROM t",
      "read function W !function t f()" },

    { "SELECT @a := 1",
      "read volatile v !variable" },

    { "SELECT @a, @@sql_mode, @@session.warning_count FROM t",
      "read volatile v ?warnings t" },

    { "SELECT /*! SQL_NO_CACHE */ * FROM t",
      "read cacheable n t" },

    { "SELECT /*!99999 x, */ * FROM t",
      "read cacheable - t" },

    { "SELECT /*!50001 rand(), */ * FROM t",
      "read volatile - t" },

    { "SELECT * FROM t WHERE a = 'it''s \\' now()' -- comment",
      "read cacheable - t" },

    { "SELECT * FROM t # comment ; DELETE FROM x",
      "read cacheable - t" },

    { "SELECT 1--1 FROM t",
      "read cacheable - t" },

    { "SELECT * FROM t FOR UPDATE",
      "read locking - t" },

    { "SELECT * FROM t LOCK IN SHARE MODE",
      "read locking - t" },

    { "SELECT * FROM t INTO OUTFILE '/tmp/x'",
      "cursor not_read - t" },

    { "SELECT a INTO @x FROM t",
      "read volatile - !variable t" },

    { "SELECT SQL_CALC_FOUND_ROWS * FROM t LIMIT 1",
      "read volatile - t" },

    { "SELECT FOUND_ROWS()",
      "read volatile - ?found_rows" },

    { "SELECT LAST_INSERT_ID()",
      "read volatile - ?insert_id" },

    { "SELECT * FROM t USE INDEX FOR ORDER BY (a, b) WHERE a > 1 ORDER BY "
      "b",
      "read cacheable - t" },

    { "SELECT * FROM t PARTITION (p0, p1) AS x WHERE a=1",
      "read cacheable - t" },

    { "(SELECT * FROM a) UNION ALL (SELECT * FROM b) ORDER BY 1 LIMIT 3",
      "read cacheable - a b" },

    { "WITH x AS (SELECT * FROM t), y(a,b) AS (SELECT * FROM x JOIN u) "
      "SELECT * FROM y, v",
      "read cacheable - t u v" },

    { "WITH RECURSIVE x AS (SELECT 1 UNION ALL SELECT n+1 FROM x WHERE n "
      "< 5) SELECT * FROM x, t",
      "read cacheable - t" },

    { "SELECT * FROM (SELECT * FROM a) q JOIN (b, c) ON q.id=b.id",
      "read cacheable - a b c" },

    { "SELECT * FROM ((SELECT 1 FROM a) UNION (SELECT 2 FROM b)) q",
      "read cacheable - a b" },

    { "INSERT INTO t (a, b) VALUES (1, 2), (3, f(4)) ON DUPLICATE KEY "
      "UPDATE a = VALUES(a), b = b + 1",
      "write not_read W !function t* f()" },

    { "INSERT INTO t SELECT * FROM u ON DUPLICATE KEY UPDATE a = 1, b = 2",
      "write not_read W t* u" },

    { "INSERT INTO t (SELECT * FROM u)",
      "write not_read W t* u" },

    { "INSERT t SET a = 1, b = (SELECT max(x) FROM u) RETURNING id",
      "write not_read W t* u" },

    { "REPLACE INTO s.t VALUES (1)",
      "write not_read W s.t*" },

    { "UPDATE t SET a = 1, b = 2 WHERE id = (SELECT id FROM u)",
      "write not_read W t* u" },

    { "UPDATE a JOIN b ON a.id = b.id SET a.x = b.x",
      "write not_read W a* b*" },

    { "DELETE FROM t WHERE id IN (SELECT id FROM u)",
      "write not_read W t* u" },

    { "DELETE a, b FROM a JOIN b ON a.i=b.i JOIN c",
      "write not_read W a* b* c*" },

    { "DELETE FROM a, b USING a JOIN b",
      "write not_read W a* b*" },

    { "LOAD DATA LOCAL INFILE 'x' INTO TABLE t (a, @b) SET c = @b + f(1)",
      "copy not_read Wcv !function !variable t* f()" },

    { "TRUNCATE TABLE t",
      "ddl not_read WTC t*" },

    { "CREATE TEMPORARY TABLE x (id INT PRIMARY KEY, KEY k (id)) "
      "ENGINE=InnoDB SELECT * FROM t",
      "ddl not_read Wt !temporary t" },

    { "CREATE TABLE x (id INT)",
      "ddl not_read WITC" },

    { "CREATE PROCEDURE p() BEGIN DECLARE a INT; IF 1 THEN SELECT 1; END "
      "IF; CASE a WHEN 1 THEN SELECT 2; END CASE; END",
      "ddl not_read WITC" },

    { "CALL p(1, f(2))",
      "call not_read Wa !function p() f()" },

    { "DO SLEEP(1), GET_LOCK('a', 1)",
      "read volatile - !lock" },

    { "SET NAMES utf8mb4 COLLATE utf8mb4_bin",
      "set not_read - !setting" },

    { "SET @a = 1, @b = 'x', sql_mode = 'ANSI', @@session.time_zone = "
      "'+00:00'",
      "set not_read - !setting !variable" },

    { "SET GLOBAL max_connections = 5",
      "set not_read WI" },

    { "SET autocommit = 0",
      "set not_read TC !setting" },

    { "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE",
      "set_local not_read - !setting" },

    { "SET SESSION TRANSACTION READ ONLY",
      "set not_read - !setting" },

    { "SET STATEMENT max_statement_time=1 FOR SELECT * FROM t",
      "read volatile - t" },

    { "SET PASSWORD = 'x'",
      "ddl not_read WITC" },

    { "USE shop",
      "set not_read - !setting" },

    { "START TRANSACTION WITH CONSISTENT SNAPSHOT",
      "begin not_read TCs" },

    { "START TRANSACTION READ ONLY",
      "begin not_read TCr" },

    { "BEGIN",
      "begin not_read TCb" },

    { "COMMIT AND CHAIN NO RELEASE",
      "commit not_read Th" },

    { "ROLLBACK RELEASE",
      "rollback not_read Tl" },

    { "ROLLBACK TO SAVEPOINT a",
      "savepoint not_read T" },

    { "XA START 'x'",
      "two_phase not_read WIT !xa" },

    { "XA COMMIT 'x'",
      "two_phase not_read WIT !xa" },

    { "LOCK TABLES t WRITE",
      "lock not_read TC !tables" },

    { "UNLOCK TABLES",
      "lock not_read TC !tables" },

    { "EXPLAIN SELECT * FROM t",
      "read not_read - t" },

    { "EXPLAIN FORMAT=JSON UPDATE t SET a=1",
      "read not_read - t*" },

    { "ANALYZE SELECT * FROM t",
      "read not_read - t" },

    { "DESC t",
      "read not_read -" },

    { "SHOW WARNINGS",
      "read not_read - ?warnings" },

    { "SHOW TABLES",
      "read not_read -" },

    { "HANDLER t OPEN",
      "cursor not_read - !cursor" },

    { "KILL QUERY 5",
      "maintenance not_read a" },

    { "FLUSH TABLES WITH READ LOCK",
      "maintenance not_read TCa !tables" },

    { "PREPARE s FROM 'SELECT 1'",
      "prepare not_read - !prepared" },

    { "SELECT NEXT VALUE FOR s",
      "read volatile W !sequence" },

    { "SELECT * FROM information_schema.tables",
      "read system - information_schema.tables" },

    { "SELECT 1",
      "read no_table -" },

    { "SELECT * FROM t; DELETE FROM u",
      "write not_read W t u*" },

    { "SELECT CAST(a AS DECIMAL(10,2)), CONVERT(a, CHAR(5)), a->>'$.x', "
      "INTERVAL(1,2), b + INTERVAL 1 DAY FROM t",
      "read cacheable - t" },

    { "SELECT TRIM(BOTH 'x' FROM a), EXTRACT(YEAR FROM b), SUBSTRING(a "
      "FROM 1 FOR 2) FROM t",
      "read cacheable - t" },

    { "SELECT group_concat(DISTINCT a ORDER BY b SEPARATOR ',') FROM t "
      "GROUP BY c WITH ROLLUP HAVING count(*) > 1",
      "read cacheable - t" },

    { "SELECT row_number() OVER (PARTITION BY a ORDER BY b ROWS BETWEEN 1 "
      "PRECEDING AND CURRENT ROW), sum(x) OVER w FROM t WINDOW w AS "
      "(PARTITION BY c)",
      "read cacheable - t" },

    { "SELECT MATCH (a, b) AGAINST ('x' IN BOOLEAN MODE) FROM t",
      "read cacheable - t" },

    { "SELECT * FROM t, JSON_TABLE(t.j, '$[*]' COLUMNS (a INT PATH '$.a', "
      "NESTED PATH '$.b' COLUMNS (c VARCHAR(10) PATH '$'))) jt",
      "read cacheable - t" },

    { "SELECT UNIX_TIMESTAMP(), a FROM t",
      "read volatile - t" },

    { "SELECT UNIX_TIMESTAMP(a) FROM t",
      "read cacheable - t" },

    { "SELECT t.1a, t.select FROM t",
      "read cacheable - t" },

    { "SELECT * FROM t WHERE a = x'4142' AND b = b'01' AND c = N'x' AND d "
      "= _utf8'x' AND e = 0x41",
      "read cacheable - t" },

    { "SELECT CASE WHEN a THEN b ELSE (c) END, IF(a, b, c), LEFT(a, 1) "
      "FROM t STRAIGHT_JOIN u",
      "read cacheable - t u" },

    { "SELECT * FROM dual",
      "read no_table -" },

    { "VALUES (1), (2)",
      "read no_table -" },

    { "TABLE t",
      "read cacheable - t" },

    { "SELECT \"a\" FROM t",
      "read cacheable - t" },

    { "SELECT EXISTS (SELECT 1 FROM t), a NOT IN (SELECT 2 FROM u) FROM v",
      "read cacheable - t u v" },

    { "SELECT * FROM t FOR SYSTEM_TIME AS OF TIMESTAMP '2020-01-01' WHERE "
      "a",
      "read cacheable - t" },

    { "SELECT * FROM t PROCEDURE ANALYSE(1, 2)",
      "read volatile - t" },

    { "CREATE VIEW v AS SELECT * FROM t",
      "ddl not_read WITC" },

    { "SIGNAL SQLSTATE '45000'",
      "unknown parse WIATa !function" },

    { "GET DIAGNOSTICS CONDITION 1 @a = MESSAGE_TEXT",
      "cursor not_read - ?warnings !variable" },

    { "SET PASSWORD FOR 'u'@'h' = PASSWORD('x')",
      "ddl not_read WITC" },

    { "SELECT /* a comment /* not nested */ * FROM t",
      "read cacheable - t" },

    { "SELECT /*M!100100 rand() */ FROM t",
      "read volatile - t" },

    { "SELECT /*!50701 1 */ + 1 FROM t",
      "read cacheable - t" },

    { "SELECT /*!999999 /* in it */ rand(), */ a FROM t",
      "read cacheable - t" },

    { "SELECT /*!40000 /* in it */ rand(), */ a FROM t",
      "read volatile - t" },

    { "SELECT /*! a FROM t",
      "unknown parse WIATa !function t" },

    { "SELECT --a FROM t",
      "read cacheable - t" },

    { "SELECT -- a",
      "read no_table -" },

    { "SELECT a FROM t WHERE b = 'x",
      "unknown parse WIATa !function t" },

    { "SELECT a FROM t WHERE b = \"x\" AND c = `d`",
      "read cacheable - t" },

    { "SELECT a FROM t AS `my ``table`",
      "read cacheable - t" },

    { "SELECT 1e10, 1.5, .5, 1e, 0x, 0b2 FROM t",
      "read cacheable - t" },

    { "SELECT a FROM t WHERE a = ? AND b IN (?, ?)",
      "read cacheable - t" },

    { "SELECT \\N FROM t",
      "read cacheable - t" },

    { "SELECT {fn NOW()} FROM t",
      "read volatile - t" },

    { "SELECT {d '2020-01-01'} FROM { OJ a LEFT OUTER JOIN b ON a.x = b.x "
      "}",
      "read cacheable - a b" },

    { "SELECT * FROM .t",
      "read cacheable - t" },

    { "SELECT * FROM a NATURAL LEFT JOIN b, c CROSS JOIN d",
      "read cacheable - a b c d" },

    { "SELECT * FROM a, b, (c, d) WHERE a.x = 1, b",
      "read cacheable - a b c d" },

    { "SELECT * FROM t WHERE a IN (SELECT b FROM u UNION SELECT c FROM v "
      "LIMIT 1)",
      "read cacheable - t u v" },

    { "SELECT * FROM t LIMIT 5 OFFSET 1 FOR SHARE SKIP LOCKED",
      "read locking - t" },

    { "SELECT CURRENT_DATE, t.current_date FROM t",
      "read volatile - t" },

    { "SELECT DATABASE(), VERSION() FROM t",
      "read volatile - t" },

    { "SELECT a FROM t1 UNION SELECT b FROM t2 INTO @x",
      "read volatile - !variable t1 t2" },

    { "SELECT GET_LOCK('a', 10)",
      "read volatile - !lock" },

    { "SELECT RELEASE_LOCK('a') FROM t",
      "read volatile - !lock t" },

    { "SELECT nextval(s), lastval(s)",
      "read volatile W !sequence" },

    { "SELECT seq.nextval FROM dual",
      "read no_table -" },

    { "SELECT @@last_insert_id, @@identity, @@error_count",
      "read volatile - ?insert_id ?warnings" },

    { "SELECT @`my var`, @'x', @\"y\", @a.b$c FROM t",
      "read volatile v t" },

    { "SELECT a FROM t WHERE a = (@x := @x + 1)",
      "read volatile v !variable t" },

    { "SELECT BENCHMARK(10, MD5('x'))",
      "read volatile -" },

    { "SELECT * FROM MYSQL.user",
      "read system - MYSQL.user" },

    { "SELECT * FROM t;;",
      "read cacheable - t" },

    { "SELECT 1; SELECT 2 FROM t",
      "read multiple - t" },

    { "SELECT * FROM t; SET @a = 1",
      "set not_read - !variable t" },

    { "INSERT INTO t VALUES ()",
      "write not_read W t*" },

    { "INSERT INTO t () VALUES ()",
      "write not_read W t*" },

    { "INSERT DELAYED INTO s.t PARTITION (p0) (a) SELECT b FROM u",
      "write not_read W s.t* u" },

    { "INSERT INTO t (a) VALUES (1) AS new(m) ON DUPLICATE KEY UPDATE a = "
      "new.m",
      "write not_read W t*" },

    { "INSERT INTO t TABLE u",
      "write not_read W t* u" },

    { "INSERT INTO t WITH x AS (SELECT 1) SELECT * FROM x",
      "write not_read W t*" },

    { "WITH x AS (SELECT * FROM u) DELETE FROM t WHERE a IN (SELECT * "
      "FROM x)",
      "write not_read W u t*" },

    { "UPDATE LOW_PRIORITY IGNORE t AS x SET x.a = DEFAULT(a), b = NOW() "
      "ORDER BY c LIMIT 1",
      "write not_read W t*" },

    { "UPDATE t PARTITION (p0) SET a = (SELECT f(1))",
      "write not_read W !function t* f()" },

    { "DELETE QUICK FROM t1.* USING t1, t2",
      "write not_read W t1* t2*" },

    { "DELETE t.* FROM s.t AS t, u",
      "write not_read W s.t* u*" },

    { "DELETE FROM t",
      "write not_read W t*" },

    { "DELETE HISTORY FROM t",
      "write not_read W t*" },

    { "LOAD XML INFILE 'x' INTO TABLE t",
      "copy not_read Wc t*" },

    { "LOAD INDEX INTO CACHE t",
      "maintenance not_read WITCa" },

    { "CREATE TEMPORARY TABLE IF NOT EXISTS s.x LIKE t",
      "ddl not_read Wt !temporary" },

    { "CREATE TEMPORARY TABLE x AS (SELECT f(a) FROM t)",
      "ddl not_read Wt !temporary !function t f()" },

    { "CREATE TEMPORARY TABLE x (a INT) PARTITION BY RANGE (a) (PARTITION "
      "p VALUES LESS THAN (1))",
      "unknown parse WIATta !temporary !function" },

    { "CREATE OR REPLACE TEMPORARY TABLE x SELECT 1",
      "ddl not_read Wt !temporary" },

    { "DROP TEMPORARY TABLE IF EXISTS x",
      "lock not_read t !nothing" },

    { "DROP TABLE x",
      "ddl not_read WITC" },

    { "DROP PREPARE s",
      "prepare not_read - !nothing" },

    { "CREATE DEFINER=`a`@`b` TRIGGER r BEFORE INSERT ON t FOR EACH ROW "
      "BEGIN SET NEW.a = 1; END; SELECT 1",
      "ddl not_read WITC" },

    { "CREATE FUNCTION f() RETURNS INT RETURN 1",
      "ddl not_read WITC" },

    { "CREATE AGGREGATE FUNCTION g RETURNS INT SONAME 'x.so'",
      "ddl not_read WITC" },

    { "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO DELETE FROM t",
      "ddl not_read WITC" },

    { "RENAME TABLE a TO b",
      "ddl not_read WITC" },

    { "ALTER TABLE t ADD COLUMN a INT",
      "ddl not_read WITC" },

    { "GRANT SELECT ON *.* TO 'u'@'h'",
      "ddl not_read WITC" },

    { "CALL s.p",
      "call not_read Wa !function s.p()" },

    { "DO 1",
      "read not_read -" },

    { "DO @a := 1",
      "read volatile v !variable" },

    { "SET @x := (SELECT max(a) FROM t), @y = f(1)",
      "set not_read W !function !variable t f()" },

    { "SET @@global.sql_mode = ''",
      "set not_read WI" },

    { "SET GLOBAL TRANSACTION ISOLATION LEVEL READ COMMITTED",
      "set not_read WI" },

    { "SET PERSIST max_connections = 5",
      "set not_read WI" },

    { "SET SESSION sql_mode := CONCAT(@@sql_mode, ',ANSI'), LOCAL "
      "wait_timeout = 5",
      "set not_read - !setting" },

    { "SET CHARACTER SET utf8",
      "set not_read - !setting" },

    { "SET ROLE admin",
      "set not_read - !setting" },

    { "SET DEFAULT ROLE NONE",
      "ddl not_read WITC" },

    { "SET x",
      "unknown parse WIATa !setting !function" },

    { "SET @@autocommit = 1, NAMES latin1",
      "set not_read TC !setting" },

    { "SET STATEMENT a = 1, b = 'c' FOR UPDATE t SET a = 1",
      "write not_read W t*" },

    { "SET STATEMENT a = (SELECT 1) FOR SELECT 1",
      "unknown parse WIATa !function" },

    { "START SLAVE",
      "maintenance not_read WITCa" },

    { "BEGIN WORK",
      "begin not_read TCb" },

    { "BEGIN NOT ATOMIC SELECT 1; END",
      "unknown parse WIATa !function" },

    { "COMMIT WORK",
      "commit not_read T" },

    { "COMMIT AND NO CHAIN RELEASE",
      "commit not_read Tl" },

    { "ROLLBACK",
      "rollback not_read T" },

    { "RELEASE SAVEPOINT a",
      "savepoint not_read T" },

    { "SAVEPOINT a",
      "savepoint not_read T" },

    { "XA RECOVER",
      "two_phase not_read T" },

    { "XA PREPARE 'x'",
      "two_phase not_read WIT !xa" },

    { "EXECUTE s USING @a",
      "prepare not_read WIAT !function" },

    { "EXECUTE IMMEDIATE 'SELECT 1'",
      "prepare not_read WIAT !function" },

    { "DEALLOCATE PREPARE s",
      "prepare not_read - !nothing" },

    { "EXPLAIN EXTENDED SELECT f(1) FROM t",
      "read not_read W !function t f()" },

    { "EXPLAIN FOR CONNECTION 5",
      "read not_read -" },

    { "EXPLAIN ANALYZE DELETE FROM t",
      "write not_read W t*" },

    { "ANALYZE TABLE t",
      "maintenance not_read TCa" },

    { "ANALYZE FORMAT=JSON UPDATE t SET a = 1",
      "write not_read W t*" },

    { "DESCRIBE s.t 'a%'",
      "read not_read -" },

    { "SHOW COUNT(*) ERRORS",
      "read not_read - ?warnings" },

    { "SHOW CREATE TABLE t",
      "read not_read -" },

    { "HELP 'x'",
      "read not_read -" },

    { "CHECKSUM TABLE t",
      "maintenance not_read a" },

    { "OPTIMIZE TABLE t",
      "maintenance not_read WITCa" },

    { "FLUSH STATUS",
      "maintenance not_read TCa" },

    { "SHUTDOWN",
      "maintenance not_read WITCa" },

    { "BINLOG 'x'",
      "unknown parse WIATa !function" },

    { "SELECT a FROM t WHERE f (1)",
      "read function W !function t f()" },

    { "SELECT now (1) FROM t",
      "read function W !function t now()" },

    { "SELECT a b, c AS d FROM t e WHERE e.f > 1 GROUP BY 1 HAVING 2 "
      "ORDER BY 3 LIMIT 4, 5",
      "read cacheable - t" },

    { "SELECT a FROM t1 JOIN t2 ON (t1.a = t2.a AND t2.b IN (SELECT c "
      "FROM t3)), t4 LEFT JOIN t5 USING (x, y) WHERE 1",
      "read cacheable - t1 t2 t3 t4 t5" },

    { "SELECT * FROM t1 x, LATERAL (SELECT * FROM t2 WHERE t2.a = x.a) y",
      "read cacheable - t1 t2" },

    { "SELECT ALL SQL_SMALL_RESULT STRAIGHT_JOIN a FROM t",
      "read cacheable - t" },

    { "SELECT a FROM t WHERE d > DATE_SUB('2020-01-01', INTERVAL 5 DAY) "
      "AND c COLLATE utf8_bin LIKE 'x%' ESCAPE '|'",
      "read cacheable - t" },

    { "SELECT POINT(1, 2), ST_AsText(g), JSON_EXTRACT(j, '$.a') FROM t",
      "read cacheable - t" },

    { "SELECT 'a' 'b', _latin1 'x' COLLATE latin1_bin FROM t",
      "read cacheable - t" },

    { "SELECT lag(a, 1) OVER (ORDER BY b), percentile_cont(0.5) WITHIN "
      "GROUP (ORDER BY x) OVER () FROM t",
      "read cacheable - t" },

    { "SELECT 1 FROM t WHERE (a, b) IN ((1, 2), (3, 4)) AND ROW(a, b) = "
      "ROW(1, 2)",
      "read cacheable - t" },

    { "SELECT 1 SELECT 2",
      "unknown parse WIATa !function" },

    { "SELECT * FROM t WHERE",
      "read cacheable - t" },

    { "SELECT * FROM",
      "unknown parse WIATa !function" },

    { "SELECT ((((1))))  FROM t WHERE ((a = 1) OR (b = 2))",
      "read cacheable - t" },

    { "FROM t",
      "unknown parse WIATa !function" },

    { "x",
      "unknown parse WIATa !function" },

    { "WITH x AS (SELECT * FROM t) (SELECT * FROM x) UNION (SELECT * FROM "
      "u) ORDER BY 1",
      "read cacheable - t u" },

    { "SELECT * FROM t OFFSET 2 ROWS FETCH NEXT 3 ROWS ONLY",
      "read cacheable - t" },

    { "SELECT * FROM t FETCH FIRST ROW WITH TIES",
      "read cacheable - t" },

    { "SELECT * FROM t offset, u",
      "read cacheable - t u" },

    { "SELECT * FROM ((SELECT a FROM t LIMIT 2) ORDER BY a DESC) d",
      "read cacheable - t" },

    { "SELECT AVG (a), DATE_FORMAT (b, GET_FORMAT(DATE, 'EUR')) FROM t",
      "read cacheable - t" },

    { "SELECT DEFAULT(a) FROM t",
      "read volatile - t" },

    { "CALL p(1, @a)",
      "call not_read Wav !function !variable p()" },

    { "SELECT a FROM t WHERE b = 1 ON DUPLICATE KEY UPDATE c = 2",
      "read cacheable - t" }
};


#endif /* _SQL_MYSQL_TEXTS_H_INCLUDED_ */
