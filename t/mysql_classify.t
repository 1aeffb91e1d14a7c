#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: what the classifier thinks of statements, beside what
# MariaDB thinks of them: its query cache says which answers it would keep, its
# counters which statements write.  The statements are those below, and of
# MariaDB's own test suite the first MARIADB_FILES (4) of its files; 0 is all of
# them.  The suite is in the directory MARIADB_TESTS, or comes with Debian's
# package mariadb-test-data, which lib/package.sh gets; without it, it is left
# out, with a word.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive;
use Test::Hyperdrive::Build qw(compile);
use Test::Hyperdrive::Process qw(run_command);
use IPC::Open2;

###############################################################################

my $t = Test::Hyperdrive->new(timeout => 600);

plan(skip_all => 'no DBD::MariaDB') unless eval { require DBI;
	require DBD::MariaDB; 1 };
plan(skip_all => 'MySQL has no query cache')
	if do { require Test::Hyperdrive::MariaDB;
		Test::Hyperdrive::MariaDB::is_mysql() };

my $my = $t->mariadb(settings => { 'query-cache-type' => 1,
	'query-cache-size' => '16M', 'innodb-flush-log-at-trx-commit' => 0, 'sync-frm' => 0,
	userstat => 1 },
	databases => [ 'test' ]);

my $program = Test::Hyperdrive::build_dir() . '/sql_facts';
my ($built, $said) = compile("$FindBin::Bin/drivers/sql_facts.c", $program,
	cc => $ENV{CC} || 'cc', flags => [ '-O1',
		'-fsanitize=address,undefined' ]);

ok($built, 'the program that asks the classifier is built') or diag($said);

my $watch = connect_to();
my ($version) = $watch->selectrow_array('SELECT VERSION()');
my $pid = open2(my $out, my $in, $program, $version);

my (%n, @wrong, @missed, %seen);

ours();
suite();
functions();

close $in;
waitpid($pid, 0);
is($?, 0, 'the classifier has come to its end');

cmp_ok(written(), '>', 0, 'what is written is counted');

is(join("\n", @wrong), '', 'what is cacheable is kept by the database too, '
	. 'and writes nothing');
cmp_ok($n{both}, '>', 15, "$n{both} statements are cacheable for both");
cmp_ok($n{both}, '>=', 0.95 * ($n{both} + @missed),
	'at least 95 per cent of what the database keeps is cacheable')
	or diag(join("\n", @missed));

$t->done_testing();

###############################################################################

sub connect_to {
	return DBI->connect('DBI:MariaDB:database=test;mariadb_socket='
		. $my->socket(), 'root', '', { RaiseError => 1,
		PrintError => 0 });
}

sub facts {
	my ($sql) = @_;

	print $in length($sql), "\n", $sql;
	$in->flush();

	my $line = <$out>;
	chomp $line;

	return $line;
}

# Answers that the query cache has kept, or served.

sub kept {
	my $rows = $watch->selectall_arrayref('SHOW GLOBAL STATUS WHERE '
		. "Variable_name IN ('Qcache_inserts', 'Qcache_hits')");
	return $rows->[0][1] + $rows->[1][1];
}

# Rows of tables that were written; not those of tables of the server's own,
# which DISTINCT and window functions make.

sub written {
	return $watch->selectrow_array('SELECT COALESCE(SUM(rows_changed), 0) '
		. 'FROM information_schema.table_statistics');
}

# One statement, of which the database is asked what it was.  What only the
# session or the catalog can tell is not: temporary tables, transactions, views
# and warnings.

sub compare {
	my ($dbh, $sql, $where) = @_;

	my $before = kept();
	my $rows = written();

	my $ok = eval {
		my $sth = $dbh->prepare($sql);
		$sth->execute();
		$sth->fetchall_arrayref() if $sth->{NUM_OF_FIELDS};
		1;
	};

	return unless $ok && !$dbh->{mariadb_warning_count};

	my $wrote = written() - $rows;
	my $theirs = kept() - $before > 0;
	my $facts = facts($sql);
	my $ours = $facts =~ /^read cacheable/;

	my $line = "$where: $facts: $sql";
	$line =~ s/\s+/ /g;

	if ($ours && ($wrote || (!$theirs && $where eq 'ours'))) {
		push @wrong, $line;

	} elsif ($ours && $theirs) {
		$n{both}++;

	} elsif ($theirs) {
		push @missed, $line unless $seen{$line}++;
	}
}

sub ours {
	my $dbh = connect_to();

	$dbh->do($_) for
		'CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, a INT, '
			. 'b VARCHAR(20), d DATETIME, j TEXT) ENGINE=InnoDB',
		'CREATE TABLE u (id INT, t INT, x DECIMAL(10, 2), KEY (t)) '
			. 'ENGINE=InnoDB',
		"INSERT INTO t (a, b, d, j) VALUES (1, 'x', '2020-01-01', '[1]'), "
			. "(2, 'y', '2021-01-01', '[2]')",
		'INSERT INTO u VALUES (1, 1, 1.5), (2, 1, 2.5), (3, 2, 1)',
		'CREATE SEQUENCE s',
		'CREATE FUNCTION f(x INT) RETURNS INT DETERMINISTIC RETURN x + 1';

	compare($dbh, $_, 'ours') for
		'SELECT * FROM t',
		'SELECT t.*, u.x FROM t JOIN u ON u.t = t.id WHERE a IN (1, 2)',
		'SELECT a, COUNT(*), SUM(x) FROM t, u GROUP BY a HAVING SUM(x) > 0',
		'SELECT DISTINCT b FROM t ORDER BY b LIMIT 1 OFFSET 1',
		'SELECT * FROM t LEFT JOIN (SELECT t, MAX(x) m FROM u GROUP BY t) q '
			. 'ON q.t = t.id',
		'SELECT a FROM t UNION ALL SELECT t FROM u ORDER BY 1',
		'WITH c AS (SELECT * FROM t) SELECT * FROM c JOIN u ON u.t = c.id',
		'SELECT CASE a WHEN 1 THEN b ELSE NULL END, IF(a, b, 1) FROM t',
		"SELECT DATE_FORMAT(d, '%Y'), YEAR(d), d + INTERVAL 1 DAY FROM t",
		"SELECT CONCAT(b, 'x'), UPPER(b), SUBSTRING(b, 1, 1) FROM t",
		"SELECT JSON_EXTRACT(j, '\$[0]') FROM t",
		'SELECT EXISTS (SELECT 1 FROM u WHERE u.t = t.id) FROM t',
		'(SELECT a FROM t) UNION (SELECT t FROM u)',
		'SELECT /* a comment */ a FROM t -- and another one',
		'SELECT /*!40000 SQL_CACHE */ a FROM t',
		'SELECT CAST(a AS CHAR(5)), CONVERT(b USING utf8mb3) FROM t',
		'SELECT GROUP_CONCAT(b ORDER BY id SEPARATOR 0x2c) FROM t',
		'SELECT * FROM t WHERE (id, a) IN (SELECT id, t FROM u)',
		'SELECT * FROM t USE INDEX (PRIMARY) WHERE id = 1',

		'SELECT NOW(), a FROM t', 'SELECT RAND() FROM t',
		'SELECT UUID() FROM t', 'SELECT @x, a FROM t',
		'SELECT @@sql_mode, a FROM t', 'SELECT CURRENT_USER, a FROM t',
		'SELECT a FROM t FOR UPDATE',
		'SELECT a FROM t LOCK IN SHARE MODE',
		'SELECT CONNECTION_ID() FROM t', 'SELECT LAST_INSERT_ID() FROM t',
		'SELECT FOUND_ROWS() FROM t', 'SELECT ROW_COUNT() FROM t',
		"SELECT GET_LOCK('a', 0) FROM t", 'SELECT SLEEP(0) FROM t',
		'SELECT BENCHMARK(1, 1) FROM t', 'SELECT f(a) FROM t',
		'SELECT NEXTVAL(s) FROM t', 'SELECT * FROM s',
		'SELECT UNIX_TIMESTAMP() FROM t', 'SELECT SYSDATE() FROM t',
		'SELECT USER() FROM t', 'SELECT 1',
		'SELECT * FROM information_schema.tables',
		'SELECT SQL_NO_CACHE a FROM t', 'SELECT a INTO @x FROM t',
		'INSERT INTO t (a) VALUES (5)', 'UPDATE t SET a = 6 WHERE id = 1';

	# a sequence is a table to the text, and known by the catalog

	@wrong = grep { !/: SELECT \* FROM s$|SQL_NO_CACHE/ } @wrong;
}

sub fetched {
	my $path = 'usr/share/mysql/mysql-test/main';

	my ($status, $said) = run_command([ 'sh', "$FindBin::Bin/lib/package.sh",
		'mariadb-test-data', Test::Hyperdrive::build_dir() . '/source',
		"./$path/*.test" ]);

	return $status ? $said : ($said =~ /(\S+)\s*\z/)[0] . "/$path";
}

# The statements of MariaDB's own tests, in a database made anew for each file.

sub suite {
	my $dir = $ENV{MARIADB_TESTS} // fetched();

	if (!-d $dir) {
		diag("MariaDB's test suite is not there, its statements are "
			. "left out: $dir");
		return;
	}

	my @files = qw(join func_time win func_str select union join_outer
		subselect group_by order_by having distinct null type_date type_datetime case
		cte_nonrecursive cte_recursive derived view func_json
		func_math func_if func_group brackets);

	my $max = $ENV{MARIADB_FILES} // 4;

	if ($max == 0 || $max > @files) {
		my %have = map { $_ => 1 } @files;
		push @files, grep { !$have{$_} && !/shutdown|kill|plugin|ssl|
			lock|wait|timeout|xa|init|restart|mysql|rpl|binlog/x }
			map { m{([^/]+)\.test$} } glob("$dir/*.test");
	}

	splice(@files, $max) if $max && @files > $max;

	for my $file (@files) {
		my @statements = statements("$dir/$file.test");

		my $dbh = connect_to();
		eval { $dbh->do($_) } for 'DROP DATABASE test',
			'CREATE DATABASE test CHARACTER SET latin1', 'USE test',
			'SET max_statement_time = 2';

		for my $sql (@statements) {

			next if $sql =~ /shutdown|sleep|get_lock|\bkill\b|
				benchmark|set\s+global|\@\@global|outfile|
				dumpfile|\$\w|set\s+names|character\s+set|
				sql_mode|query_cache|procedure\s+analyse|
				sql_no_cache|temporary/xi;

			if ($sql =~ /^\s*(select|\(|with|values)\b/i) {
				eval { compare($dbh, $sql, $file) };
				next;
			}

			eval { $dbh->do($sql) };
		}
	}
}

# What is between the commands of the test tool.

sub statements {
	my ($path) = @_;

	open(my $fh, '<:raw', $path) or return;

	my ($end, $text, @statements) = (';', '');

	while (my $line = <$fh>) {

		if ($text eq '') {
			next if $line =~ /^\s*(?:#|--|$|[{}])/;

			if ($line =~ /^\s*delimiter\s+(\S+)/i) {
				$end = $1;
				$end =~ s/(.);$/$1/;
				next;
			}

			next if $line =~ /^\s*(?:let|if|while|source|connect|
				disconnect|connection|eval|echo|error|
				disable_\w+|enable_\w+|sorted_result|
				replace_\w+|reap|send|perl|inc|dec|exit|die|
				skip|\w+_results?|query\w*|exec|\w+_file|
				sync_\w+|wait_for\w*)\b/xi;
		}

		$text .= $line;

		if ($text =~ s/\Q$end\E\s*$//) {
			push @statements, $text if $text =~ /\S/;
			$text = '';
		}
	}

	return @statements;
}

# No function of the server's is missing in the list, unless it is one that
# may do anything.

sub functions {
	my $names = $watch->selectcol_arrayref(
		'SELECT LOWER(function) FROM information_schema.sql_functions');

	my @unknown = grep { facts("SELECT $_(1) FROM t") =~ /\Q$_\E\(\)/ }
		grep { /^\w+$/ && $_ ne 'schemas' } @$names;

	is("@unknown", '', 'no function of the server is unknown');
	cmp_ok(@$names, '>', 200, 'its functions are listed');
}

###############################################################################
