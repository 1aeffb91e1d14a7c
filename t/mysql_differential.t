#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: whatever MySQL's clients do, each answer is the one that
# they would have had directly, packet by packet.  Scripts are made by chance.
#
# A script that differs is shown, made as short as it can be.  DIFF_SEED=17,18
# runs these once more, DIFF_SCRIPT=FILE those of a file (with an empty line
# between them), DIFF_SECONDS=600 new ones for so long, DIFF_LENGTH=150 those of
# more steps (60); DIFF_ALL=1 goes on behind a difference.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive;
use Test::Hyperdrive::Differential qw(to_text from_text);
use Test::Hyperdrive::Differential::MySQL;
use Test::Hyperdrive::Differential::MySQL::Script qw(generate);
use Test::Hyperdrive::MySQL qw(%CAP);
use Time::HiRes qw(time);

###############################################################################

my $seconds = $ENV{DIFF_SECONDS} || 10;
my $length = $ENV{DIFF_LENGTH} || 60;

$ENV{TEST_HYPERDRIVE_TIMEOUT} ||= 240 + $seconds;

my $t = Test::Hyperdrive->new(log => 'info');

my %options = (settings => { innodb_lock_wait_timeout => 0,
		lock_wait_timeout => 0, innodb_file_per_table => 0,
		log_bin_trust_function_creators => 1 },
	users => { app => 'pw', bob => 'pw' },
	databases => [ 'd0', 'd1', 's' ]);

my $direct = $t->mariadb(%options, name => 'direct');
my $db = $t->mariadb(%options, name => 'behind');

plan(skip_all => 'MySQL has other words') if $db->is_mysql();

# What never changes.

my $lasting = <<'EOS';

CREATE DATABASE r;
USE r;
CREATE TABLE big (id INT PRIMARY KEY) ENGINE=InnoDB;
INSERT INTO big SELECT seq FROM seq_1_to_60;
CREATE TABLE types (a TINYINT UNSIGNED, b BIGINT, c DECIMAL(10, 3), d FLOAT,
    e DOUBLE, f DATE, g DATETIME(3), h TIME, i YEAR, j BIT(5), k ENUM('p', 'q'),
    l SET('u', 'v'), m BLOB, n TEXT, o JSON, p CHAR(3), q VARBINARY(4),
    r TIMESTAMP NULL);
INSERT INTO types VALUES (200, -9e15, 3.25, 1.5, -2.5, '2026-01-02',
    '2026-01-02 03:04:05.678', '-12:00:01', 2026, b'101', 'q', 'u,v', 'bl',
    'text', '{"a": 1}', 'ch', 'vb', '2026-01-02 03:04:05');
DELIMITER //
CREATE PROCEDURE p_multi()
BEGIN
    SELECT 1; SELECT id FROM s.t ORDER BY id; SELECT 'x', NULL;
END
//
CREATE PROCEDURE p_write(x INT)
BEGIN
    INSERT INTO s.a (v) VALUES (x); SELECT LAST_INSERT_ID() > 0;
    INSERT INTO s.a (v) VALUES (x), (x);
END
//
CREATE PROCEDURE p_err()
BEGIN
    SELECT 1; INSERT INTO s.t VALUES (1, 1, '1'); SELECT 2;
END
//
CREATE PROCEDURE p_sel() SELECT * FROM s.t ORDER BY id
//
CREATE PROCEDURE p_nothing() BEGIN END
//
CREATE PROCEDURE p_sig() SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'said'
//
CREATE PROCEDURE p_warn() SIGNAL SQLSTATE '01000' SET MESSAGE_TEXT = 'said'
//
CREATE PROCEDURE p_out(OUT x INT) SET x = 42
//
CREATE PROCEDURE p_inout(INOUT x INT) SET x = x + 1
//
CREATE PROCEDURE p_set() SET sql_select_limit = 2
//
CREATE PROCEDURE p_handler()
BEGIN
    DECLARE CONTINUE HANDLER FOR SQLEXCEPTION SELECT 'caught';
    INSERT INTO s.t VALUES (1, 1, '1');
END
//
CREATE PROCEDURE p_commit(x INT)
BEGIN
    START TRANSACTION; INSERT INTO s.a (v) VALUES (x); COMMIT;
    SELECT COUNT(*) FROM s.a;
END
//
CREATE PROCEDURE p_cursor()
BEGIN
    DECLARE x INT; DECLARE c CURSOR FOR SELECT id FROM s.t ORDER BY id;
    OPEN c; FETCH c INTO x; CLOSE c; SELECT x;
END
//
CREATE FUNCTION f_pure(x INT) RETURNS INT DETERMINISTIC NO SQL RETURN x + 1
//
CREATE FUNCTION f_write(x INT) RETURNS INT MODIFIES SQL DATA
BEGIN
    INSERT INTO s.a (v) VALUES (x);
    RETURN LAST_INSERT_ID();
END
//
DELIMITER ;
CREATE ROLE r1;
GRANT SELECT ON *.* TO r1;
GRANT r1 TO app@'%';
GRANT r1 TO bob@'%';

EOS

$_->sql($lasting) for $direct, $db;

my $at = '127.0.0.1:' . $db->port();

$t->write_file_expand('nginx.conf', <<"EOC");

%%TEST_GLOBALS%%

worker_processes  2;

events {
}

%%TEST_STATUS%%

stream {
    hyperdrive_cache_zone     z 8m;
    hyperdrive_session_state  pin max=3;

    upstream one {
        hyperdrive_origin  mysql://app:pw\@$at/d0?ssl-mode=DISABLED;
        hyperdrive_pool    max=1 wait=3s;
    }

    upstream two {
        hyperdrive_origin  mysql://$at?ssl-mode=DISABLED;
        hyperdrive_pool    max=2 wait=3s;
    }

    upstream three {
        hyperdrive_origin  mysql://$at?ssl-mode=DISABLED;
        hyperdrive_pool    max=3 wait=3s;
    }

    server {
        listen            127.0.0.1:8080 reuseport;
        hyperdrive_pass   one;
        hyperdrive_users  off;
    }

    server {
        listen            127.0.0.1:8081 reuseport;
        hyperdrive_pass   one;
        hyperdrive_users  off;
        hyperdrive_cache  z max_age=60s;
    }

    server {
        listen            127.0.0.1:8082 reuseport;
        hyperdrive_pass   two;
        hyperdrive_users  users.txt;
    }

    server {
        listen            127.0.0.1:8083 reuseport;
        hyperdrive_pass   two;
        hyperdrive_users  users.txt;
        hyperdrive_cache  z max_age=60s;
    }

    server {
        listen            127.0.0.1:8084 reuseport;
        hyperdrive_pass   three;
        hyperdrive_users  users.txt;
    }

    server {
        listen            127.0.0.1:8085 reuseport;
        hyperdrive_pass   three;
        hyperdrive_users  users.txt;
        hyperdrive_cache  z max_age=60s;
    }
}

EOC

$t->write_file('users.txt', qq{"app" "pw"\n"bob" "pw"\n});
$t->run();

###############################################################################

# Until somebody has logged in to the database, no worker knows which it is; nor
# does one look for what nobody has ever asked about.

wait_for(sub {
	my $known = 0;

	for my $port (map { (port($_)) x 6 } 8080 .. 8085) {
		my $c = mysql_client($port, user => 'app', password => 'pw',
			database => 'r');

		$known++ if $c->greeting()->{version} =~ /MariaDB/;
		$c->query('SELECT LAST_INSERT_ID(), FOUND_ROWS()');
		$c->quit();
	}

	$known == 36;
}) or die 'nobody knows which database it is';

# The same tables at both ends; what is made here goes through nginx, which has
# to know of it.

my $tables = <<'EOS';

CREATE TABLE t (id INT PRIMARY KEY, v INT, s VARCHAR(20), KEY (v))
    ENGINE=InnoDB;
INSERT INTO t VALUES (1, 1, 'x'), (2, 2, 'yy'), (3, 5, NULL);
CREATE TABLE a (id INT AUTO_INCREMENT PRIMARY KEY, v INT) ENGINE=InnoDB;
CREATE TABLE m (id INT, v INT, s VARCHAR(20)) ENGINE=MyISAM;
INSERT INTO m VALUES (1, 7, 'm');
CREATE TABLE n (v TINYINT) ENGINE=InnoDB;
CREATE VIEW vw AS SELECT id, v FROM t WHERE v > 1;
CREATE SEQUENCE seq;

EOS

my $own = <<'EOS';

CREATE TABLE fk (id INT, CONSTRAINT c FOREIGN KEY (id) REFERENCES t (id))
    ENGINE=InnoDB;
CREATE TABLE tr (id INT PRIMARY KEY) ENGINE=InnoDB;
CREATE TRIGGER tri AFTER INSERT ON tr FOR EACH ROW
    INSERT INTO s.a (v) VALUES (NEW.id);

EOS

sub statements {
	return grep { /\S/ } split /;\n/, $_[0];
}

my @fresh = ("SET SESSION lock_wait_timeout = 10, foreign_key_checks = 0, "
		. "sql_mode = DEFAULT",
	(map {; "DROP DATABASE IF EXISTS $_", "CREATE DATABASE $_",
		"USE $_", statements($tables),
		$_ eq 's' ? () : statements($own) }
		's', 'd0', 'd1'));

sub fresh {
	my ($script) = @_;

	for my $port ($direct->port(), port(8080)) {
		my $c;

		wait_for(sub {
			$c = eval { mysql_client($port, user => 'app',
				password => 'pw', database => 'r',
				add => $CAP{MULTI_STATEMENTS}, timeout => 30) };
		}) or die "nobody can log in: $@";

		for my $xid (@{$c->query("XA RECOVER")->{rows}}) {
			$c->query("XA ROLLBACK '$xid->[3]'");
		}

		for my $r ($c->query(join(';', @fresh))) {
			die "fresh: $r->{error}{code} $r->{error}{message}\n"
				if $r->{error};
		}

		$c->quit();
	}
}

my $diff = Test::Hyperdrive::Differential::MySQL->new(direct => $direct->port(),
	reset => \&fresh, via => sub {
		return port(8078 + 2 * $_[0]{max} + ($_[0]{cache} ? 1 : 0));
	});

sub told {
	my ($name, $script) = @_;

	if ($ENV{DIFF_ALL}) {
		my $n = 0;
		$diff->{each} = sub {
			my ($done, $text) = @_;
			return if $n++ > 6;
			my $who = $done->[-1][0];
			my @mine = grep { $_->[0] == $who } @$done;
			splice @mine, 0, @mine - 5 if @mine > 5;
			unshift @mine, (grep { $_->[0] != $who } @$done)[-3 .. -1]
				if $text =~ /became free|timed out/;
			diag("$name " . to_text({ %$script, steps => \@mine })
				. $text);
		};
	}

	my $found = eval { $diff->run($script) };
	return fail("$name: $@") if $@;
	return 1 unless $found;

	my ($less, $where) = $ENV{DIFF_WHOLE} ? ({ %$script,
		steps => $found->{steps} }, $found)
		: $diff->minimised($script, $found);

	fail($name);
	diag("$name, the last step differs:\n" . to_text($less)
		. "(-: directly, +: through nginx)\n$where->{text}");

	return 0;
}

if ($ENV{DIFF_SCRIPT}) {
	open my $f, '<', $ENV{DIFF_SCRIPT} or die "$ENV{DIFF_SCRIPT}: $!";
	local $/ = '';
	told("script $.", from_text($_)) and pass("script $.") while <$f>;

} elsif ($ENV{DIFF_SEED}) {
	for my $seed (split /,/, $ENV{DIFF_SEED}) {
		told("seed $seed", generate($seed, $length)) and pass("seed $seed");
	}

} else {
	my @found = split /\n\n/, found();

	for my $i (0 .. $#found) {
		my ($name, $text) = $found[$i] =~ /^# (.*?)\n(.*)/s;
		told($name, from_text($text)) and pass($name);
	}

	my $end = time() + $seconds;
	my ($seed, $last) = $ENV{DIFF_SECONDS} ? (time(), time() * 2)
		: (1, 30);
	my ($n, $bad) = (0, 0);

	for ( ; time() < $end && $seed <= $last && $bad < 3; $seed++, $n++) {
		told("seed $seed", generate($seed, $length)) or $bad++;
	}

	is($bad, 0, 'whatever clients do, they are told the same');
	cmp_ok($diff->{starved} || 0, '<', 2 + $n / 3,
		'hardly any of them waits in vain for a connection');
	note("$n scripts");
}

$t->done_testing();

###############################################################################

# What was wrong once.

sub found {
	my $text = <<'EOS';
# a connection is released
{"max":1,"cache":0,"clients":[{"user":"app","database":"d0"},{"user":"app","database":"d0"}]}
[0,"query","COMMIT RELEASE"]
[0,"ping"]
[0,"query","SET completion_type = 2"]
[0,"query","ROLLBACK"]
[1,"query","BEGIN"]
[1,"query","INSERT INTO t VALUES (8, 1, 'x')"]
[1,"query","COMMIT RELEASE"]
[0,"query","SELECT * FROM t"]
[0,"prepare","a","ROLLBACK RELEASE"]
[0,"execute","a",[],1,0]
[0,"ping"]

# what a reset is answered with
{"max":1,"cache":0,"clients":[{"user":"app","database":"d0"}]}
[0,"query","START TRANSACTION"]
[0,"reset"]
[0,"query","SET autocommit = 0"]
[0,"reset"]
[0,"ping"]

# statements that there are none of
{"max":1,"cache":0,"clients":[{"user":"app","database":"d0"}]}
[0,"reset_stmt","a"]
[0,"fetch","a",1]
[0,"execute","a",[],1,0]

# cached metadata, and answers that nginx makes
{"max":1,"cache":0,"clients":[{"user":"app","database":"d0","add":68719476736}]}
[0,"query","SELECT LAST_INSERT_ID(), ROW_COUNT(), FOUND_ROWS()"]
[0,"query","SHOW COUNT(*) ERRORS"]

# an error behind columns, with an EOF between them
{"max":1,"cache":0,"clients":[{"user":"app","database":"d0","drop":16777216}]}
[0,"query","INSERT INTO t (id, v) VALUES (1, 3) RETURNING id, v"]
[0,"query","SELECT id, (SELECT v FROM t) FROM t"]
[0,"ping"]

# what is asked about the statement before, sent at once with another one
{"max":1,"cache":0,"clients":[{"user":"app","database":"d0"},{"user":"app","database":"d0"}]}
[0,"query","SELECT * FROM t"]
[1,"query","SELECT 1"]
[0,"pipe",["query","SET CHARACTER SET 'cp1251'"],["query","SELECT LAST_INSERT_ID(), ROW_COUNT(), FOUND_ROWS()"]]

# an empty statement behind a semicolon
{"max":1,"cache":0,"clients":[{"user":"app","database":"d0","add":65536}]}
[0,"query","SELECT 1 ; -- x"]
[0,"query","SELECT LAST_INSERT_ID(), ROW_COUNT(), FOUND_ROWS()"]

# the number of a row that is returned
{"max":1,"cache":0,"clients":[{"user":"app","database":"d0"},{"user":"app","database":"d0"}]}
[0,"query","SELECT LAST_INSERT_ID()"]
[0,"query","INSERT INTO a (v) VALUES (5) RETURNING v"]
[1,"query","INSERT INTO a (v) VALUES (6), (7)"]
[1,"query","SELECT 1"]
[0,"query","SELECT LAST_INSERT_ID()"]
[1,"query","SELECT LAST_INSERT_ID()"]

# rows that an UPDATE of two tables has found
{"max":1,"cache":0,"clients":[{"user":"app","database":"d0"}]}
[0,"query","SELECT FOUND_ROWS()"]
[0,"query","UPDATE t, s.t AS x SET t.v = x.v WHERE t.id = x.id"]
[0,"query","SELECT FOUND_ROWS()"]

# a ping is a statement, too
{"max":1,"cache":0,"clients":[{"user":"app","database":"d0"}]}
[0,"query","SELECT ROW_COUNT()"]
[0,"ping"]
[0,"query","SELECT ROW_COUNT()"]

# names that are a reserved word
{"max":1,"cache":0,"clients":[{"user":"app","database":"d0"},{"user":"app","database":"d0"}]}
[0,"query","SET NAMES binary"]
[1,"query","SELECT 1"]
[0,"query","UPDATE t SET v = 4"]
[1,"query","SELECT CHARSET('a'), v FROM t"]
[0,"query","SELECT CHARSET('a'), v FROM t"]

# a schema that was dropped may be left
{"max":1,"cache":0,"clients":[{"user":"app","database":"d0"},{"user":"app","database":"d0"}]}
[0,"query","USE d1"]
[1,"query","DROP DATABASE d1"]
[0,"query","USE d0"]
[0,"query","SELECT DATABASE()"]
[0,"query","USE d1"]
[0,"query","SELECT * FROM t"]
[1,"query","CREATE DATABASE d1"]
[0,"query","SET sql_mode = 'ANSI'"]
[1,"query","USE s"]
[0,"query","USE d1"]
[1,"query","SELECT * FROM t"]
[0,"query","SELECT DATABASE(), @@sql_mode"]
[1,"query","SELECT DATABASE(), @@sql_mode"]

# a query is stopped by who has a connection
{"max":2,"cache":0,"clients":[{"user":"app","database":"d0"},{"user":"app","database":"d0"}]}
[1,"query","SELECT 1"]
[0,"query","BEGIN"]
[0,"query","INSERT INTO t VALUES (9, 1, 'x')"]
[0,"kill",1]
[0,"pipe",["query","SELECT * FROM t WHERE id = 9"],["query","SELECT ROW_COUNT()"]]
[0,"kill",1]
[0,"query","SELECT ROW_COUNT()"]
[0,"query","ROLLBACK"]

# SET NAMES with a collation, which columns are told to have
{"max":1,"cache":1,"clients":[{"user":"app","database":"d0"},{"user":"app","database":"d0"}]}
[0,"query","SET NAMES utf8mb4 COLLATE utf8mb4_bin"]
[0,"query","SELECT s, 'a', COLLATION('a') FROM t"]
[1,"query","SELECT s, 'a', COLLATION('a') FROM t"]
[0,"query","SELECT s, 'a', COLLATION('a') FROM t"]
[0,"query","SET character_set_results = latin1"]
[1,"query","SELECT s, 'a', COLLATION('a') FROM t"]
[0,"query","SELECT s, 'a', COLLATION('a') FROM t"]
[0,"query","SET NAMES 'utf8mb4' COLLATE 'utf8mb4_unicode_ci', sql_mode = 'ANSI'"]
[1,"query","SELECT s, 'a', COLLATION('a') FROM t"]
[0,"query","SET collation_connection = utf8mb4_bin"]
[1,"query","SELECT s, 'a', COLLATION('a') FROM t"]
[0,"query","SELECT s, 'a', COLLATION('a') FROM t"]
[0,"variables"]
[0,"query","SET NAMES utf8mb4"]
[1,"query","SELECT s, 'a', COLLATION('a') FROM t"]
[0,"query","SELECT s, 'a', COLLATION('a') FROM t"]

# what a statement is set to do is not what the session is
{"max":1,"cache":0,"clients":[{"user":"app","database":"d0"},{"user":"app","database":"d0"}]}
[0,"query","SET STATEMENT sql_mode = 'ANSI_QUOTES' FOR SELECT 1"]
[0,"ping"]
[0,"query","SET STATEMENT sql_mode = 'NO_BACKSLASH_ESCAPES' FOR INSERT INTO t VALUES (9, 1, 'a\\'b')"]
[0,"query","SET autocommit = 0"]
[0,"query","SELECT s FROM t WHERE id = 9"]
[1,"query","SELECT @@sql_mode"]

# what it leaves is not another client's
{"max":2,"cache":0,"clients":[{"user":"app","database":"d0"},{"user":"app","database":"d0"}]}
[0,"query","SET STATEMENT sql_mode = '' FOR CREATE TEMPORARY TABLE tt (i INT)"]
[1,"query","SELECT * FROM tt"]
[0,"query","SELECT * FROM tt"]

# locks that it has taken
{"max":2,"cache":0,"clients":[{"user":"app","database":"d0"},{"user":"app","database":"d0"}]}
[0,"query","SET STATEMENT lock_wait_timeout = 1 FOR LOCK TABLES t READ"]
[1,"query","SELECT * FROM m"]
[0,"query","SELECT * FROM m"]
[0,"query","UNLOCK TABLES"]

# a schema that is chosen where nobody reads it
{"max":1,"cache":0,"clients":[{"user":"app","database":"d0"},{"user":"app","database":"d0"}]}
[0,"query","EXECUTE IMMEDIATE 'USE d1'"]
[0,"query","SELECT DATABASE()"]
[0,"reset"]
[1,"query","SELECT DATABASE()"]
[0,"query","SELECT DATABASE()"]
[0,"query","SET STATEMENT sql_mode = '' FOR USE s"]
[0,"reset"]
[1,"query","SELECT DATABASE()"]
[0,"query","SELECT DATABASE()"]

# a routine of another schema that fails
{"max":1,"cache":1,"clients":[{"user":"app","database":"d0"},{"user":"app","database":"d0"}]}
[0,"query","SELECT * FROM t"]
[0,"query","CALL r.p_err()"]
[0,"query","SELECT * FROM t"]
[0,"query","SELECT DATABASE()"]
[0,"query","BEGIN"]
[0,"query","INSERT INTO t VALUES (9, 1, 'x')"]
[0,"query","CALL r.p_err()"]
[0,"query","INSERT INTO t VALUES (8, 1, 'x')"]
[0,"query","ROLLBACK"]
[0,"query","SELECT * FROM t"]
[1,"query","SELECT DATABASE()"]

# a variable of bytes, on another connection
{"max":2,"cache":0,"clients":[{"user":"app","database":"d0"},{"user":"app","database":"d0"}]}
[0,"query","SET @b = x'41', @A := @b + 1"]
[1,"query","BEGIN"]
[1,"query","SELECT * FROM t WHERE id = 1 FOR UPDATE"]
[0,"query","INSERT INTO t VALUES (9, 1, 'x')"]
[0,"query","SELECT @b, @A, COLLATION(@b)"]
[1,"query","COMMIT"]
[0,"query","SELECT @b, @A, COLLATION(@b)"]

# whoever has no schema gets no other one's
{"max":3,"cache":1,"clients":[{"user":"app"},{"user":"app"}]}
[0,"query","USE d1"]
[0,"query","SELECT DATABASE()"]
[1,"query","SELECT DATABASE()"]
[1,"query","UPDATE d0.t SET v = 5"]
[0,"query","UPDATE t SET v = 6"]
[1,"query","SELECT * FROM t"]
[0,"query","SELECT * FROM t"]
[1,"query","SELECT * FROM d0.t"]

# numbers that were given before a row failed
{"max":3,"cache":0,"clients":[{"user":"app","database":"d0"}]}
[0,"query","INSERT INTO a VALUES (7, 5)"]
[0,"query","INSERT INTO a VALUES (NULL, 5), (7, 6)"]
[0,"query","SELECT LAST_INSERT_ID()"]
[0,"query","INSERT INTO a VALUES (NULL, 5), (7, 6) RETURNING id"]
[0,"query","SELECT 1, LAST_INSERT_ID() + 5"]

# a word that is part of a name, or of a string
{"max":1,"cache":0,"clients":[{"user":"app","database":"d0"},{"user":"app","database":"d0"}]}
[1,"query","SELECT id FROM t LIMIT 1"]
[0,"query","SELECT id FROM t ORDER BY id"]
[1,"query","SET sql_select_limit = 5"]
[1,"query","SELECT FOUND_ROWS()"]
[1,"query","INSERT INTO t VALUES (44, 1, 'select this')"]
[1,"query","SELECT FOUND_ROWS()"]

# a variable that cannot be set
{"max":1,"cache":0,"clients":[{"user":"app","database":"d0"},{"user":"app","database":"d0"}]}
[0,"query","SET SESSION max_allowed_packet = 1024 * 1024"]
[1,"query","SELECT * FROM t"]
[0,"query","SELECT * FROM t"]

# ...whatever is wrong with it
{"max":2,"cache":0,"clients":[{"user":"app","database":"d0"},{"user":"app","database":"d0"}]}
[0,"query","SET max_allowed_packet = (SELECT 1 UNION SELECT 0)"]
[1,"query","SELECT 2"]
[0,"query","SELECT * FROM t"]
[1,"query","SELECT 2"]

# one that is NULL
{"max":2,"cache":0,"clients":[{"user":"app","database":"d0"},{"user":"app","database":"d0"}]}
[0,"query","SET innodb_tmpdir = NULLIF(1, 1)"]
[1,"query","BEGIN"]
[1,"query","SELECT * FROM t"]
[0,"query","SELECT * FROM t"]

# a transaction that MariaDB does not tell of: neither rolled back nor reset
{"max":2,"cache":1,"clients":[{"user":"app","database":"d0"},{"user":"app","database":"d0"}]}
[1,"query","SET autocommit = 0, @b = (SELECT MAX(id) FROM t)"]
[1,"query","INSERT INTO t VALUES (20, 1, 'l')"]
[1,"query","ROLLBACK"]
[1,"reset"]
[0,"query","SELECT * FROM t"]
[0,"query","SELECT * FROM t"]
[1,"query","SELECT * FROM t"]
[0,"query","SELECT * FROM t"]
[1,"query","SELECT * FROM t"]

# nor is it another client's, with nothing else that is kept
{"max":2,"cache":1,"clients":[{"user":"app","database":"d0"},{"user":"app","database":"d0"}]}
[1,"query","SET autocommit = 0, sql_select_limit = (SELECT 5 FROM t WHERE id = 1)"]
[1,"query","INSERT INTO t VALUES (20, 1, 'l')"]
[0,"query","SELECT * FROM t"]
[1,"query","ROLLBACK"]
[0,"query","SELECT * FROM t"]
[1,"change",{"user":"app","database":"d0"}]
[0,"query","SELECT * FROM t"]
[0,"query","SELECT * FROM t"]

# ...and one of several statements
{"max":2,"cache":1,"clients":[{"user":"app","database":"d0"},{"user":"app","database":"d0","add":65536}]}
[1,"query","SELECT 1; SET autocommit = (SELECT 0 FROM t WHERE id = 1); SELECT 2"]
[1,"query","INSERT INTO t VALUES (20, 1, 'l')"]
[1,"reset"]
[0,"query","SELECT * FROM t"]
[1,"again","quit"]
[0,"query","SELECT * FROM t"]

# behind DDL that has committed, and failed
{"max":1,"cache":0,"clients":[{"user":"app","database":"d0"}]}
[0,"query","BEGIN"]
[0,"query","INSERT INTO t VALUES (20, 1, 'l')"]
[0,"query","DROP TABLE nope"]
[0,"ping"]

# ...while every statement begins a transaction
{"max":1,"cache":0,"clients":[{"user":"app","database":"d0"}]}
[0,"query","SET autocommit = 0"]
[0,"query","INSERT INTO t VALUES (20, 1, 'l')"]
[0,"query","TRUNCATE nope"]
[0,"ping"]

# a block in which nothing may be written is told as one
{"max":1,"cache":0,"clients":[{"user":"app","database":"d0"}]}
[0,"query","SET SESSION TRANSACTION READ ONLY"]
[0,"query","BEGIN"]
[0,"ping"]
[0,"query","COMMIT"]
[0,"query","START TRANSACTION"]
[0,"query","SELECT * FROM t"]
[0,"query","INSERT INTO t VALUES (20, 1, 'l')"]
[0,"query","ROLLBACK"]
[0,"query","SET SESSION tx_read_only = ON"]
[0,"query","BEGIN"]
[0,"query","COMMIT"]
[0,"query","SET SESSION TRANSACTION READ WRITE"]
[0,"query","BEGIN"]
[0,"ping"]

# a comment leaves all as it is
{"max":2,"cache":0,"clients":[{"user":"app","database":"d0"},{"user":"app","database":"d0"}]}
[0,"query","SELECT SQL_CALC_FOUND_ROWS * FROM t LIMIT 1"]
[0,"query","-- nothing"]
[0,"query","SELECT FOUND_ROWS()"]
[0,"query","SELECT * FROM nope"]
[0,"query","/* nothing */"]
[1,"query","SELECT * FROM t"]
[0,"query","SHOW WARNINGS"]

# what is sent behind a RELEASE has no answer
{"max":1,"cache":0,"clients":[{"user":"app","database":"d0"}]}
[0,"query","SELECT 1"]
[0,"pipe",["query","SELECT * FROM nope"],["query","COMMIT RELEASE"],["query","SELECT 1"]]
[0,"again","quit"]
[0,"query","SET completion_type = 2"]
[0,"pipe",["query","BEGIN"],["query","COMMIT"],["query","SELECT 1"]]
[0,"again","quit"]
[0,"pipe",["query","SELECT * FROM nope"],["query","ROLLBACK RELEASE"]]
[0,"again","quit"]
[0,"query","SELECT 1"]

# all that is asked about the statement before, of which some has to be asked for
{"max":2,"cache":0,"clients":[{"user":"app","database":"d0"}]}
[0,"query","SET autocommit = 0, group_concat_max_len = 64"]
[0,"query","INSERT INTO a VALUES (NULL, 5), (43, 6) RETURNING id"]
[0,"query","SET @`d e` = b'101', @`d e` := CONCAT('x', @a)"]
[0,"query","SELECT LAST_INSERT_ID(), ROW_COUNT(), FOUND_ROWS()"]
[0,"query","SELECT LAST_INSERT_ID(), ROW_COUNT(), FOUND_ROWS()"]

# a GET DIAGNOSTICS that is prepared
{"max":1,"cache":0,"clients":[{"user":"app","database":"d0"},{"user":"app","database":"d0"}]}
[0,"query","DROP TABLE IF EXISTS x11"]
[1,"query","SELECT 1"]
[0,"prepare","a","GET DIAGNOSTICS CONDITION 1 @c = MYSQL_ERRNO, @b = MESSAGE_TEXT"]
[1,"query","SELECT 1"]
[0,"execute","a",[],1,0]
[0,"query","SELECT @c, @b"]
[0,"query","INSERT IGNORE INTO n VALUES (300), (-300)"]
[0,"prepare","b","GET DIAGNOSTICS @c = NUMBER, @a = ROW_COUNT"]
[0,"execute","b",[],1,0]
[0,"execute","a",[],1,0]
[0,"query","SELECT @a, @b, @c"]
[0,"query","SHOW WARNINGS"]

# ...and one that looks for a condition that there is not
{"max":1,"cache":0,"clients":[{"user":"app","database":"d0"}]}
[0,"query","UPDATE t SET v = 3 WHERE id = 1"]
[0,"query","GET DIAGNOSTICS CONDITION 1 @c = MYSQL_ERRNO"]
[0,"query","SELECT LAST_INSERT_ID(), ROW_COUNT()"]

# the schema is told as it changes, by whatever
{"max":1,"cache":0,"clients":[{"user":"app","database":"d0","add":8388608}]}
[0,"query","USE d1"]
[0,"query","USE d1"]
[0,"prepare","a","CALL r.p_out(?)"]
[0,"query","SET @b = 1"]
[0,"execute","a",[[5,-2]],1,0]
[0,"init","s"]
[0,"query","CALL r.p_sel()"]
[0,"query","USE d1"]
[0,"query","DROP DATABASE d1"]
[0,"query","USE d0"]
[0,"change",{"user":"app","database":"s"}]
[0,"query","EXECUTE IMMEDIATE 'USE d0'"]
[0,"query","USE d0"]
[0,"reset"]
[0,"query","USE s"]
EOS

	return $text;
}

###############################################################################
