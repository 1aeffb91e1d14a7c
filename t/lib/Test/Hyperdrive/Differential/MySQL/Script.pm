package Test::Hyperdrive::Differential::MySQL::Script;

# Copyright (C) Hyperdrive for nginx authors

# Scripts of what several MySQL clients do, one after the other, made by chance:
# { clients => [ { ... } ], max => N, steps => [ [ client, what, ... ], ... ] }.
# What the steps are is said in Test::Hyperdrive::Differential::MySQL.

###############################################################################

use warnings;
use strict;

use Exporter qw(import);

use Test::Hyperdrive::MySQL qw(%CAP);

our @EXPORT_OK = qw(generate);

###############################################################################

sub one {
	return $_[rand @_];
}

sub chance {
	return rand() < $_[0];
}

# { } of one client.  What makes a kind of connection differs seldom, or none
# would ever be anybody else's.

sub client {
	my %c = (user => 'app', database => 'd0', collation => 45, add => 0,
		drop => 0);

	$c{drop} |= $CAP{DEPRECATE_EOF} if chance(0.4);
	$c{add} |= $CAP{MULTI_STATEMENTS} if chance(0.6);
	$c{add} |= $CAP{SESSION_TRACK} if chance(0.2);
	$c{add} |= $CAP{MARIADB_TYPE_INFO} if chance(0.2);
	$c{add} |= $CAP{MARIADB_CACHE_METADATA} if chance(0.1);

	$c{add} |= $CAP{FOUND_ROWS} if chance(0.12);
	$c{collation} = one(8, 33, 63, 224) if chance(0.12);
	$c{database} = one('d1', 's', undef) if chance(0.15);
	$c{user} = 'bob' if chance(0.1);
	$c{split} = one(1, 3, 7, 50) if chance(0.15);

	return \%c;
}

sub value {
	return one(0, 1, 2, 3, 5, 10, 77);
}

sub literal {
	return one('NULL', 0, 1, -7, '3.25', "'x'", "'a\\'b'", "'a''b'",
		"\"q\"", "x'41'", "'\\\\'", "1e3", "DATE'2026-01-02'",
		"_latin1'k'", "b'101'", "TRUE", "'\xc3\xa9'", "''",
		"18446744073709551615", "N'n'");
}

sub table {
	return one('t', 't', 't', 's.t', 's.t', 'd0.t', 'd1.t', 'm', 's.m');
}

###############################################################################
# Settings.

my %settings = (
	sql_mode => [ "''", "'ANSI'", "'ANSI_QUOTES'", "'STRICT_ALL_TABLES'",
		"'NO_BACKSLASH_ESCAPES'", "'PIPES_AS_CONCAT'", "'ORACLE'",
		"'TRADITIONAL'", "'NO_AUTO_VALUE_ON_ZERO'", '4',
		"CONCAT(\@\@sql_mode, ',ANSI')", "'IGNORE_SPACE'",
		"'HIGH_NOT_PRECEDENCE'", "'bogus'", "'TIME_ROUND_FRACTIONAL'",
		"'EMPTY_STRING_IS_NULL'", "'NO_ZERO_DATE,STRICT_TRANS_TABLES'" ],
	time_zone => [ "'+03:00'", "'-07:30'", "'SYSTEM'", "'bad'" ],
	lc_time_names => [ "'de_DE'", "'fr_FR'", '4', 'de_DE' ],
	lc_messages => [ "'en_US'" ],
	div_precision_increment => [ 0, 2, 7, -5, 100 ],
	default_week_format => [ 1, 3, 5 ],
	group_concat_max_len => [ 4, 64, 1000000 ],
	sql_safe_updates => [ 0, 1 ],
	sql_select_limit => [ 1, 2, 'DEFAULT', '18446744073709551615' ],
	max_sort_length => [ 8, 64 ],
	foreign_key_checks => [ 0, 1, "'OFF'", 'ON' ],
	unique_checks => [ 0, 1 ],
	sql_auto_is_null => [ 0, 1 ],
	sql_big_selects => [ 0, 1 ],
	max_join_size => [ 1, 1000, 'DEFAULT' ],
	sql_warnings => [ 0, 1 ],
	sql_notes => [ 0, 1 ],
	sql_quote_show_create => [ 0, 1 ],
	auto_increment_increment => [ 1, 2, 10 ],
	auto_increment_offset => [ 1, 3 ],
	timestamp => [ '1000000000', '1234567890.5', 'DEFAULT' ],
	insert_id => [ 77, 500 ],
	rand_seed1 => [ 1, 12345 ],
	pseudo_slave_mode => [ 0 ],
	character_set_client => [ 'latin1', 'utf8mb4', 'utf8mb3', "'gbk'",
		'binary', 'ucs2', 'DEFAULT' ],
	character_set_results => [ 'latin1', 'utf8mb4', 'NULL', "'cp1251'",
		'binary', 'DEFAULT' ],
	character_set_connection => [ 'latin1', 'utf8mb4', 'DEFAULT' ],
	character_set_server => [ 'latin1', 'DEFAULT' ],
	character_set_database => [ 'latin1' ],
	collation_connection => [ 'latin1_bin', 'utf8mb4_bin', 'DEFAULT',
		'utf8mb4_general_ci' ],
	collation_server => [ 'latin1_bin' ],
	innodb_lock_wait_timeout => [ 0 ],
	lock_wait_timeout => [ 0 ],
	max_error_count => [ 0, 1, 64 ],
	max_statement_time => [ 0, 30, '0.5' ],
	wait_timeout => [ 100, 28800 ],
	net_read_timeout => [ 33 ],
	default_storage_engine => [ 'MyISAM', "'InnoDB'", 'Aria', 'nope' ],
	tx_isolation => [ "'READ-COMMITTED'", "'SERIALIZABLE'", "'READ-UNCOMMITTED'",
		"'REPEATABLE-READ'" ],
	tx_read_only => [ 0, 1 ],
	completion_type => [ 0, 1, "'CHAIN'" ],
	autocommit => [ 0, 1, 1, 'OFF', 'ON', 'DEFAULT' ],
	optimizer_switch => [ "'mrr=on'", "'default'" ],
	join_buffer_size => [ 131072, 1 ],
	tmp_table_size => [ 1048576 ],
	sort_buffer_size => [ 1024, 2097152 ],
	old_mode => [ "''", "'UTF8_IS_UTF8MB3'" ],
	profiling => [ 0 ],
	updatable_views_with_limit => [ "'NO'", 1 ],
	explicit_defaults_for_timestamp => [ 0, 1 ],
	low_priority_updates => [ 1 ],
	max_recursive_iterations => [ 3 ],
	idle_transaction_timeout => [ 0, 1000 ],
	default_regex_flags => [ "'DOTALL'", "''" ],
	query_cache_type => [ 0, 1 ],
	old_passwords => [ 0 ],
	sql_log_off => [ 0 ],
	session_track_schema => [ 0, 1 ],
	session_track_system_variables => [ "'*'", "''", "'autocommit'" ],
	session_track_state_change => [ 0, 1 ],
	session_track_transaction_info => [ "'OFF'", "'STATE'",
		"'CHARACTERISTICS'" ],
	check_constraint_checks => [ 0, 1 ],
	system_versioning_asof => [ "'DEFAULT'", 'DEFAULT' ],
	nosuch => [ 1 ],
);

my @settings = sort keys %settings;

# what a client does often, and what answers show

my @usual = qw(sql_mode time_zone div_precision_increment sql_select_limit
	autocommit tx_isolation lc_time_names group_concat_max_len
	sql_auto_is_null auto_increment_increment sql_notes max_error_count
	character_set_results collation_connection character_set_client);

sub assignment {
	my $name = chance(0.6) ? one(@usual) : one(@settings);
	my $value = chance(0.15) ? 'DEFAULT' : one(@{$settings{$name}});

	$value = '@a' if chance(0.03);
	$value = "\@\@$name" if chance(0.03);
	$value = "\@\@global.$name" if chance(0.03);
	$value = "(SELECT $value)" if chance(0.03) && $value =~ /^[\d']/;

	return one('', '', 'SESSION ', 'LOCAL ', '@@', '@@session.', '@@local.')
		. (chance(0.1) ? uc $name : $name) . one(' = ', '=', ' := ')
		. $value;
}

sub user_variable {
	return '@' . one('a', 'b', 'c', '`d e`', 'A') . one(' = ', ' := ')
		. one(literal(), literal(), literal(), '@a', '@b + 1',
		"CONCAT('x', \@a)", 'LAST_INSERT_ID()', '(SELECT MAX(id) FROM t)',
		'1 + 1', '@@autocommit');
}

sub setting {
	return one(
		sub { 'SET ' . assignment() },
		sub { 'SET ' . assignment() },
		sub { 'SET ' . assignment() },
		sub { 'SET ' . assignment() },
		sub { 'SET ' . join(', ', assignment(), assignment()) },
		sub { 'SET ' . join(', ', assignment(), user_variable(),
			assignment()) },
		sub { 'SET ' . user_variable() },
		sub { 'SET ' . user_variable() },
		sub { 'SET ' . join(', ', user_variable(), user_variable()) },
		sub { 'SET NAMES ' . one('latin1', 'utf8mb4', "'utf8mb3'",
			'DEFAULT', 'binary', 'gbk', 'nosuch', 'ucs2',
			'utf8mb4 COLLATE utf8mb4_bin') },
		sub { 'SET CHARACTER SET ' . one('latin1', 'utf8mb4', 'DEFAULT',
			"'cp1251'") },
		sub { 'SET SESSION TRANSACTION ' . one(
			'ISOLATION LEVEL READ COMMITTED', 'READ ONLY',
			'READ WRITE', 'ISOLATION LEVEL SERIALIZABLE, READ WRITE') },
		sub { 'SELECT @' . one('a', 'b') . ' := ' . one(literal(),
			'COUNT(*) FROM t', 'id FROM t ORDER BY id',
			'MAX(v) FROM s.t') },
		sub { 'SELECT ' . one("id, v INTO \@a, \@b FROM t ORDER BY id "
			. "LIMIT 1", 'COUNT(*) FROM t INTO @c',
			"id INTO \@a FROM t", "id INTO \@a FROM t WHERE id < 0",
			"1, 2 INTO \@a") },
		sub { 'SET ' . one('PASSWORD = 1', 'GLOBAL nosuch = 1',
			'STATEMENT sql_select_limit=1 FOR SELECT id FROM t '
			. 'ORDER BY id', 'STATEMENT '
			. 'max_statement_time=10 FOR SELECT 1',
			'STATEMENT nosuch=1 FOR SELECT 1',
			"STATEMENT sql_mode='ANSI_QUOTES' FOR SELECT 1",
			'@@sql_mode', "STATEMENT div_precision_increment=9 FOR "
			. 'SELECT 1 / 7', '') },
	)->();
}

sub keeps_setting {
	return one('SET ROLE nosuch',
		'SET TRANSACTION ISOLATION LEVEL READ COMMITTED',
		'SET TRANSACTION READ ONLY',
		'SET TRANSACTION ISOLATION LEVEL SERIALIZABLE');
}

###############################################################################
# Statements.

sub where {
	return one('', '', ' WHERE id = ' . value(), ' WHERE id < 4',
		' WHERE v > ' . value(), " WHERE s = 'x'", ' WHERE id IS NULL',
		' WHERE id IN (1, 2)');
}

sub read_ {
	my $t = table();

	return one(
		sub { "SELECT * FROM $t" . where() . ' ORDER BY id' },
		sub { "SELECT * FROM $t" . where() . ' ORDER BY id' },
		sub { "SELECT id, v, s FROM $t" . where() . ' ORDER BY id DESC' },
		sub { "SELECT COUNT(*), SUM(v) FROM $t" . where() },
		sub { "SELECT COUNT(*) FROM $t" },
		sub { 'SELECT * FROM a ORDER BY id' },
		sub { "SELECT id FROM $t ORDER BY id LIMIT " . one('1', '2',
			'1, 2', '0', '2 OFFSET 1') },
		sub { "SELECT SQL_CALC_FOUND_ROWS id FROM $t ORDER BY id LIMIT 1" },
		sub { "SELECT v / 7, 'x' || 'y' FROM $t ORDER BY id LIMIT 2" },
		sub { "SELECT \"v\" FROM $t ORDER BY id LIMIT 2" },
		sub { "SELECT GROUP_CONCAT(s ORDER BY id) FROM $t" },
		sub { "SELECT GROUP_CONCAT(id ORDER BY id) FROM r.big" },
		sub { 'SELECT * FROM vw ORDER BY id' },
		sub { "SELECT t.id, a.id FROM t JOIN s.a ON a.v = t.v "
			. 'ORDER BY 1, 2' },
		sub { "SELECT r.f_pure(id) FROM $t ORDER BY id" },
		sub { "SELECT '\xc3\xa9', CHARSET('a'), COLLATION('a'), 'a\\'b'" },
		sub { 'SELECT 1' . one('', ' + 1', '/0', " + 'x'") },
		sub { "SELECT CAST('x' AS SIGNED), CAST(9e30 AS SIGNED)" },
		sub { 'SELECT @a, @b, @c, @`d e`' },
		sub { 'SELECT @a, COLLATION(@a), @b + 0' },
		sub { 'SELECT DATABASE(), SCHEMA()' },
		sub { "SELECT DAYNAME('2026-01-05'), WEEK('2026-01-05')" },
		sub { "SELECT UNIX_TIMESTAMP('2026-01-05 00:00:00'), "
			. 'FROM_UNIXTIME(1000000000)' },
		sub { 'SELECT @@' . one(@usual) . ', @@' . one(@usual) },
		sub { "SELECT * FROM t WHERE id = " . value() . ' FOR UPDATE' },
		sub { 'SELECT v FROM s.t WHERE id = 1 LOCK IN SHARE MODE' },
		sub { "SELECT * FROM s.t WHERE id = " . value()
			. one(' FOR UPDATE NOWAIT', ' FOR UPDATE SKIP LOCKED') },
		sub { 'SELECT * FROM nosuch' },
		sub { 'SELECT nosuch FROM t' },
		sub { 'SELEC 1' },
		sub { one('SHOW TABLES', 'SHOW DATABASES LIKE "d%"',
			'DESCRIBE t', 'SHOW CREATE TABLE m',
			'SHOW VARIABLES LIKE "sql_mode"', 'SHOW INDEX FROM a',
			'EXPLAIN SELECT 1', 'SHOW GRANTS FOR bob',
			'SHOW COLUMNS FROM s.t', 'CHECK TABLE m',
			'SHOW TABLE STATUS LIKE "nosuch"', 'ANALYZE TABLE m',
			'SHOW CREATE DATABASE s', 'HELP "nosuch"',
			'SHOW CREATE PROCEDURE r.p_multi') },
		sub { "(SELECT id FROM $t) UNION (SELECT id FROM s.t) "
			. 'ORDER BY 1' },
		sub { "VALUES (1), (2)" },
		sub { "WITH w AS (SELECT id FROM $t) SELECT COUNT(*) FROM w" },
		sub { 'TABLE t' },
		sub { "SELECT id FROM r.big" },
		sub { "SELECT id, REPEAT('y', 3000) FROM r.big" },
		sub { "SELECT * FROM r.types" },
		sub { "DO " . one('1', 'SLEEP(0)', '1/0', '@a := 5') },
		sub { 'SELECT BENCHMARK(1, 1), SLEEP(0)' },
		sub { 'SELECT NULL IS NULL, id FROM a WHERE id IS NULL' },
		sub { 'SELECT PERIOD_ADD(202601, id) FROM t ORDER BY id' },
		sub { 'SELECT /* c */ id -- x' . "\n" . ' FROM t # y' . "\n"
			. 'ORDER BY id' },
		sub { 'SELECT /*! 1 + */ 1 /*M!100100 + 5 */' },
		sub { '' }, sub { ';' }, sub { '-- only' }, sub { '/* c */' },
		sub { "SELECT 1;" }, sub { "SELECT 1 ; -- x" },
	)->();
}

sub write_ {
	my $t = table();
	my $id = one(1 .. 12);
	my $s = one("'x'", "'yy'", 'NULL', "'\xc3\xa9'", "REPEAT('z', 30)",
		"'a\\'b'", '"q"');

	return one(
		sub { "INSERT INTO $t VALUES ($id, " . value() . ", $s)" },
		sub { "INSERT INTO $t VALUES ($id, " . value() . ", $s)" },
		sub { "INSERT INTO $t VALUES ($id, 1, 'x'), (" . ($id + 1)
			. ", 2, 'y')" },
		sub { "INSERT IGNORE INTO $t VALUES ($id, 1, 'x'), (" . ($id + 1)
			. ", 2, $s)" },
		sub { "INSERT INTO $t VALUES ($id, 1, 'x') ON DUPLICATE KEY "
			. 'UPDATE v = v + 1' },
		sub { "INSERT INTO $t (id, v) VALUES ($id, 3) RETURNING id, v" },
		sub { "REPLACE INTO $t VALUES ($id, 4, 'r')" },
		sub { 'INSERT INTO a (v) VALUES (' . value() . ')' },
		sub { 'INSERT INTO s.a (v) VALUES (' . value() . '), (9)' },
		sub { 'INSERT INTO a (v) SELECT id FROM t' },
		sub { "INSERT INTO a VALUES ($id, 5)" },
		sub { "INSERT INTO a VALUES (NULL, 5), (" . ($id + 40)
			. ', 6) RETURNING id' },
		sub { 'INSERT INTO a VALUES (0, 5)' },
		sub { 'INSERT INTO s.a (id, v) VALUES (' . one(1, 2, 3)
			. ', 8) ON DUPLICATE KEY UPDATE id = LAST_INSERT_ID(id), '
			. 'v = v + 1' },
		sub { "UPDATE $t SET v = v + 1" . where() },
		sub { "UPDATE $t SET v = " . value() . where() },
		sub { "UPDATE $t SET v = v" . where() },
		sub { "UPDATE $t SET v = LAST_INSERT_ID(v + 100) WHERE id = 1" },
		sub { "UPDATE $t SET s = $s" . where() . ' LIMIT 2' },
		sub { "UPDATE t, s.t AS x SET t.v = x.v WHERE t.id = x.id" },
		sub { "DELETE FROM $t WHERE id = $id" },
		sub { "DELETE FROM $t WHERE id > 8 RETURNING id" },
		sub { "DELETE FROM $t WHERE id > 10" },
		sub { 'DELETE FROM a ORDER BY id LIMIT 1' },
		sub { "TRUNCATE " . one('t', 's.m', 'd1.t') },
		sub { "INSERT INTO tr VALUES ($id)" },
		sub { "SELECT r.f_write($id)" },
		sub { "SELECT LAST_INSERT_ID(" . value() . ')' },
		sub { "SELECT r.f_pure(r.f_write($id))" },
		sub { "CALL r." . one('p_multi()', "p_write($id)", 'p_err()',
			'p_sel()', 'p_nothing()', 'p_sig()', 'p_out(@a)',
			'p_set()', 'p_handler()', "p_commit($id)", 'nosuch()',
			'p_warn()', 'p_inout(@b)', 'p_cursor()') },
		sub { "CREATE TABLE x$id (i INT)" },
		sub { 'CREATE TABLE IF NOT EXISTS t (i INT)' },
		sub { "DROP TABLE IF EXISTS x$id" },
		sub { "CREATE OR REPLACE TABLE x$id AS SELECT id FROM t" },
		sub { 'ALTER TABLE t COMMENT = "c' . $id . '"' },
		sub { "LOAD DATA INFILE '/nosuch' INTO TABLE t" },
		sub { 'INSERT INTO n VALUES (300), (-1), (NULL)' },
		sub { 'INSERT IGNORE INTO n VALUES (300), (-1), (NULL)' },
		sub { 'INSERT INTO fk VALUES (' . $id . ')' },
		sub { "INSERT DELAYED INTO m VALUES ($id + 100, 1, 'd')" },
		sub { "BEGIN NOT ATOMIC INSERT INTO t VALUES ($id, 1, 'b'); "
			. 'SELECT ROW_COUNT(); END' },
		sub { "OPTIMIZE TABLE m" },
		sub { one('FLUSH TABLES', 'FLUSH STATUS', 'FLUSH PRIVILEGES',
			'FLUSH TABLE t') },
	)->();
}

# What is asked about the statement before.

sub about {
	return one('SELECT LAST_INSERT_ID()', 'SELECT ROW_COUNT()',
		'SELECT LAST_INSERT_ID(), ROW_COUNT()',
		'SELECT @@identity, @@last_insert_id',
		'SELECT LAST_INSERT_ID() + 1, id FROM t ORDER BY id LIMIT 1',
		'INSERT INTO t VALUES (LAST_INSERT_ID() + 20, 1, "l")',
		"SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'mine'",
		"SIGNAL SQLSTATE '01000' SET MESSAGE_TEXT = 'warn'",
		'SET @a = LAST_INSERT_ID()', 'SET last_insert_id = 44',
		'SELECT FOUND_ROWS()', 'SHOW WARNINGS', 'SHOW ERRORS',
		'SELECT @@warning_count, @@error_count',
		'SHOW COUNT(*) WARNINGS', 'SHOW COUNT(*) ERRORS',
		'SELECT LAST_INSERT_ID(), ROW_COUNT(), FOUND_ROWS()',
		'SHOW WARNINGS LIMIT 1', 'GET DIAGNOSTICS @c = NUMBER',
		'GET DIAGNOSTICS CONDITION 1 @c = MYSQL_ERRNO',
		'SELECT FOUND_ROWS() + 1');
}

sub transaction {
	return one('BEGIN', 'BEGIN', 'START TRANSACTION', 'BEGIN WORK',
		'START TRANSACTION READ ONLY', 'START TRANSACTION READ WRITE',
		'START TRANSACTION WITH CONSISTENT SNAPSHOT',
		'COMMIT', 'COMMIT', 'COMMIT', 'COMMIT', 'ROLLBACK', 'ROLLBACK',
		'COMMIT AND CHAIN', 'ROLLBACK AND CHAIN', 'COMMIT WORK',
		'COMMIT AND NO CHAIN NO RELEASE', 'SAVEPOINT p', 'SAVEPOINT q',
		'ROLLBACK TO SAVEPOINT p', 'RELEASE SAVEPOINT p',
		'ROLLBACK TO q', 'SET autocommit = 0', 'SET autocommit = 1',
		'ROLLBACK RELEASE', 'COMMIT RELEASE');
}

sub keeps {
	return one(
		sub { one('CREATE TEMPORARY TABLE tt (id INT, v INT)',
			'INSERT INTO tt VALUES (1, 2)', 'SELECT * FROM tt',
			'DROP TEMPORARY TABLE tt', 'DROP TABLE tt',
			'CREATE TEMPORARY TABLE t (x INT)',
			'DROP TEMPORARY TABLE IF EXISTS t') },
		sub { one('LOCK TABLES t READ', 'LOCK TABLES t WRITE, a WRITE',
			'UNLOCK TABLES', 'UNLOCK TABLES') },
		sub { one("SELECT GET_LOCK('l', 0)", "SELECT RELEASE_LOCK('l')",
			"SELECT IS_FREE_LOCK('l')", 'SELECT RELEASE_ALL_LOCKS()',
			"DO GET_LOCK('k', 0)", "SELECT IS_USED_LOCK('nosuch')") },
		sub { one('HANDLER t OPEN', 'HANDLER t OPEN AS h',
			'HANDLER h READ FIRST', 'HANDLER t READ FIRST LIMIT 2',
			'HANDLER t READ NEXT', 'HANDLER t CLOSE',
			'HANDLER h CLOSE') },
		sub { one("PREPARE p FROM 'SELECT ?, \@a'",
			"PREPARE p FROM 'INSERT INTO a (v) VALUES (?)'",
			"PREPARE p FROM 'SELECT * FROM t ORDER BY id'",
			"PREPARE p FROM 'SET \@a = 17'",
			"PREPARE p FROM 'SELEC'",
			'EXECUTE p', 'EXECUTE p USING @a', 'EXECUTE p USING 5',
			'DEALLOCATE PREPARE p', "EXECUTE IMMEDIATE 'SELECT 1'",
			"EXECUTE IMMEDIATE 'USE d1'",
			"EXECUTE IMMEDIATE 'SET sql_select_limit = 1'") },
		sub { one("XA START 'x'", "XA END 'x'", "XA PREPARE 'x'",
			"XA COMMIT 'x'", "XA ROLLBACK 'x'",
			"XA COMMIT 'x' ONE PHASE", 'XA RECOVER') },
		sub { one('SELECT NEXTVAL(seq)', 'SELECT LASTVAL(seq)',
			'SELECT NEXT VALUE FOR seq', 'SELECT SETVAL(seq, 50)') },
		sub { keeps_setting() },
		sub { one('FLUSH TABLES WITH READ LOCK', 'UNLOCK TABLES',
			'BACKUP STAGE START', 'BACKUP STAGE END') },
	)->();
}

sub multiple {
	my @texts = grep { !/RELEASE/ } map { one(\&read_, \&write_,
		\&setting, \&transaction)->() } 1 .. one(2, 2, 3, 4);

	s/;?\s*(?:-- x)?$// for @texts;

	return join(one(';', '; '), @texts) . one('', ';', '; ');
}

sub use_ {
	return one([ 'query', 'USE ' . one('d0', 'd1', 's', 'nosuch', '`d1`') ],
		[ 'init', one('d0', 'd1', 's', 'nosuch', '', 'D0') ]);
}

sub other_command {
	return one([ 'ping' ], [ 'ping' ], [ 'reset' ], [ 'reset' ],
		[ 'option', one(0, 1) ], [ 'field_list', one('t', 'a', 'nosuch') ],
		[ 'change', { user => one('app', 'app', 'bob'),
			database => one('d0', 'd0', 'd1', undef),
			collation => one(45, 45, 8) } ],
		[ 'again', one('quit', 'abort') ], [ 'kill', one(0 .. 2) ],
		[ 'query', 'KILL QUERY 999999999' ], [ 'raw', 99 ]);
}

###############################################################################
# Prepared statements.

my @prepared = (
	'SELECT ?', 'SELECT ?, ?', 'SELECT * FROM t WHERE id = ?',
	'SELECT * FROM t ORDER BY id', 'INSERT INTO a (v) VALUES (?)',
	'INSERT INTO t VALUES (?, ?, ?)', 'UPDATE s.t SET v = ? WHERE id = ?',
	'DELETE FROM t WHERE id = ?', 'SELECT @a, @@sql_mode, ?',
	'CALL r.p_multi()', 'CALL r.p_write(?)', 'SET @a = ?', 'COMMIT',
	'SELECT LAST_INSERT_ID()', 'SELECT ROW_COUNT()', 'SELEC', 'SELECT * FROM nosuch',
	'SELECT id FROM r.big', 'SELECT id, REPEAT(?, 100) FROM r.big',
	'SELECT CONCAT(?, ?), CHARSET(?)', 'SHOW TABLES', 'SELECT 1 / ?',
	'INSERT INTO a (v) VALUES (?), (?) RETURNING id', 'CALL r.p_out(?)',
	'SELECT "v" FROM t', 'DO ?', 'SET sql_select_limit = ?',
	'SELECT SQL_CALC_FOUND_ROWS * FROM t ORDER BY id LIMIT ?',
	'SELECT * FROM r.types', 'SELECT 1; SELECT 2', 'BEGIN', 'ROLLBACK',
	'SELECT COUNT(*) FROM s.t WHERE v > ?', 'INSERT IGNORE INTO n VALUES (?)',
	'SELECT id FROM s.t WHERE s = ? ORDER BY id',
	'SELECT ? + ?', 'TRUNCATE t', 'SET autocommit = 1', 'USE d1',
);

sub parameter {
	return one([ 253, one('x', '', '7', "\xc3\xa9", 'a' x 300, "q'\\") ],
		[ 253, one('1', '2') ], [ 8, one(0, 1, -5, 77) ], [ 3, one(1, 9) ],
		[ 1, one(1, -1) ], [ 5, one(1.5, -2) ], [ 6, undef ],
		[ 253, undef ], [ 8, undef ], [ 12, '2026-01-02 03:04:05' ],
		[ 252, 'blob' ], [ 246, '12.50' ]);
}

sub prepared {
	my $name = one('a', 'b', 'c');
	my $n = one(0, 1, 1, 1, 2, 2, 3);

	return one([ 'prepare', $name, one(@prepared) ],
		[ 'prepare', $name, one(@prepared) ],
		(map { [ 'execute', $name, [ map { parameter() } 1 .. $n ],
			one(1, 1, 1, 0), 0 ] } 1 .. 6),
		[ 'close', $name ]);
}

sub cursor {
	my $name = one('a', 'b', 'c');

	return one([ 'execute', $name, [ map { parameter() } 1 .. one(0, 1, 2) ],
			1, 1 ], [ 'fetch', $name, one(1, 2, 50, 500) ],
		[ 'fetch', $name, one(1, 2, 50, 500) ],
		[ 'reset_stmt', $name ], [ 'long', $name, one(0, 1), one('abc',
			'y' x 1000, '') ]);
}

# Prepared and executed at once: most of what is said in text, too.

sub binary {
	my ($sql) = @_;

	return ([ 'prepare', 'z', $sql ], [ 'execute', 'z', [], 1, 0 ]);
}

###############################################################################

my @look = (
	[ 'variables' ], [ 'variables' ],
	[ 'query', 'SELECT @a, @b, @c, @`d e`, DATABASE()' ],
	[ 'query', 'SELECT LAST_INSERT_ID(), ROW_COUNT()' ],
	[ 'query', 'SELECT CURRENT_USER(), CURRENT_ROLE(), '
		. '@@in_transaction, @@autocommit' ],
);

# Whether the script has several statements in one text, and sent at once.

my $bundles;

# What one client does next: some steps.

sub turn {
	my ($mix) = @_;

	my $r = rand();

	if ($r < $mix->{keep}) {
		return [ 'query', keeps() ] if chance(0.75);
		return cursor();
	}

	$r = rand();

	return [ 'query', setting() ] if $r < 0.22;
	return [ 'query', read_() ] if $r < 0.38;
	return [ 'query', write_() ] if $r < 0.52;
	return [ 'query', about() ] if $r < 0.60;
	return [ 'query', transaction() ] if $r < 0.68;
	return use_() if $r < 0.71;
	return other_command() if $r < 0.75;
	return [ 'query', multiple() ] if $bundles && $r < 0.80;
	return prepared() if $r < 0.90;
	return one(@look) if $r < 0.95;
	return binary(one(\&read_, \&write_, \&about, \&setting)->())
		if $r < 0.97;

	return [ 'pipe', map { turn({ keep => 0 }) } 1 .. one(2, 3, 4) ]
		if $bundles;

	return [ 'ping' ];
}

# What may stand among others that are sent at once.

my %pipes = map { $_ => 1 } qw(query execute init ping reset reset_stmt close);

sub generate {
	my ($seed, $n) = @_;

	srand($seed);

	$bundles = one(0, 1);

	my $clients = one(2, 2, 3, 3, 4);
	my %mix = (keep => one(0, 0, 0, 0.1, 0.3));
	my %script = (max => one(1, 1, 1, 2, 3), cache => one(0, 1, 1),
		clients => [ map { client() } 1 .. $clients ]);

	# (where the URL names a user and a schema, all have these)

	if ($script{max} == 1) {
		for (@{$script{clients}}) {
			$_->{user} = 'app';
			$_->{database} //= 'd0';
		}
	}

	delete $_->{split} for grep { chance(0.5) } @{$script{clients}};

	my @steps;
	my $who = 0;

	while (@steps < $n) {
		$who = int(rand($clients)) if chance(0.45);

		my @turn = turn(\%mix);

		for my $step (@turn) {
			if ($step->[0] eq 'pipe') {
				my @parts = grep { $pipes{$_->[0]} }
					@$step[1 .. $#$step];
				next if @parts < 2;
				$step = [ 'pipe', @parts ];
			}

			if ($step->[0] eq 'change' && $script{max} == 1) {
				$step->[1]{user} = 'app';
				$step->[1]{database} //= 'd0';
			}

			push @steps, [ $who, @$step ];
		}
	}

	$script{steps} = \@steps;

	return \%script;
}

###############################################################################

1;

###############################################################################
