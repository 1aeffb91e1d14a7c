#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: MySQL's query attributes, to a database that knows
# them (a fake: MariaDB does not), to one that does not, and from clients of
# either kind.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive qw(:DEFAULT run_command wait_for);
use Test::Hyperdrive::FakeMySQL;
use Test::Hyperdrive::MySQL qw(%CAP lenc);

###############################################################################

my $t = Test::Hyperdrive->new()
	->write_file_expand('nginx.conf', <<'EOC');

%%TEST_GLOBALS%%

events {
}

%%TEST_STATUS%%

stream {
    hyperdrive_cache_zone  c 16m;

    upstream knows {
        hyperdrive_origin  mysql://app:secret@127.0.0.1:8091/shop?ssl-mode=DISABLED;
        hyperdrive_pool    max=1;
    }

    upstream moves {
        hyperdrive_origin  mysql://app:secret@127.0.0.1:8092/shop?ssl-mode=DISABLED;
        hyperdrive_origin  mysql://app:secret@127.0.0.1:8081/shop?ssl-mode=DISABLED  backup;
        hyperdrive_pool    max=1;
    }

    upstream plain {
        hyperdrive_origin  mysql://app:secret@127.0.0.1:8081/shop?ssl-mode=DISABLED;
        hyperdrive_pool    max=1;
    }

    hyperdrive_users    off;
    hyperdrive_cache    c max_age=1h;

    server {
        listen           127.0.0.1:8080;
        hyperdrive_pass  knows;
    }

    server {
        listen           127.0.0.1:8082;
        hyperdrive_pass  moves;
    }

    server {
        listen           127.0.0.1:8083;
        hyperdrive_pass  plain;
    }
}

EOC

my $db = $t->mariadb(port => port(8081), users => { app => 'secret' },
	databases => [ 'shop' ], settings => { max_allowed_packet => '64M' },
	sql => { shop => <<'EOS' });

CREATE TABLE t (id INT PRIMARY KEY, v LONGTEXT);
INSERT INTO t VALUES (1, 'one'), (2, 'two');
EOS

# A text with WHO is answered by the attributes that came with it; a statement
# has as many parameters as it has question marks, and the answer to its
# execution is its body.

sub fake {
	my ($port) = @_;

	my @nparams;

	return Test::Hyperdrive::FakeMySQL->new($t, $port,
		command => sub {
			my ($c, $com, $body) = @_;

			if ($com eq 'STMT_PREPARE') {
				my $n = $body =~ tr/?//;
				push @nparams, $n;

				$c->send(pack('C V v v C v', 0, scalar @nparams, 0,
					$n, 0, 0));
				$c->send("\3def\0\0\0\1?\0\x0c"
					. pack('v V C v C v', 45, 10, 253, 0, 0, 0))
					for 1 .. $n;
				return 1;
			}

			if ($com eq 'STMT_EXECUTE') {
				$c->send_ok(info => unpack('H*', substr($body, 4)));
				return 1;
			}

			return 0;
		},
		query => sub {
			my ($n, $sql, $c) = @_;

			return { ok => { info => length $sql } }
				if length $sql > 1000;
			return { ok => {} } if $sql =~ /^SET/;
			return [ [ 'row', $n ] ];
		});
}

my $fake = fake(port(8091));
my $gone = fake(port(8092));

$t->run();

# at both ends

my $c = client(8080, tags => { trace => 'abc', none => undef });

ok($c->greeting()->{capabilities} & $CAP{QUERY_ATTRIBUTES},
	'they are offered where the database has them');

$c->query('SELECT 1 AS one');
is_deeply(last_query($fake), { sql => 'SELECT 1 AS one',
	tags => { trace => 'abc', none => undef } }, 'they reach the database');

$c->query('BEGIN');
$c->query('SELECT 2');
is_deeply(last_query($fake), { sql => 'SELECT 2',
	tags => { trace => 'abc', none => undef } }, 'in a block as well');
is((grep { ($_->{sql} || '') eq 'BEGIN' } $fake->log())[-1]{tags}, undef,
	'what goes ahead has none');
$c->query('ROLLBACK');

my $s = $c->prepare('INSERT INTO t VALUES (?, ?)');

is($c->execute($s, 'a', 'b')->{info}, unpack('H*', pack('C V', 8, 1) . "\4\4\1"
	. "\xfd\0\0" x 2 . "\xfd\0\4none\xfd\0\5trace" . "\1a\1b\3abc"),
	'with a prepared statement');

$c->command('STMT_EXECUTE', $c->execution($s, [ 'c', 'd' ], bound => 0));
is($c->read_result()->{info}, unpack('H*', pack('C V', 8, 1) . "\4\4\1"
	. "\xfd\0\0" x 2 . "\xfd\0\4none\xfd\0\5trace" . "\1c\1d\3abc"),
	'and again, without types');

$s = $c->prepare('INSERT INTO t VALUES (3)');
is($c->execute($s)->{info}, unpack('H*', pack('C V', 8, 1) . "\2\1\1"
	. "\xfd\0\4none\xfd\0\5trace" . "\3abc"), 'with one without parameters');

delete $c->{tags};
is($c->execute($s)->{info}, unpack('H*', pack('C V', 0, 1)), 'none are none');

# what is asked about the statement before, whose answer nginx knows

for my $binary (0, 1) {
	my $get = 'GET DIAGNOSTICS @n = NUMBER';
	my $r = $binary ? $c->execute($c->prepare($get)) : $c->query($get);

	ok($r->{ok}, 'GET DIAGNOSTICS' . ($binary ? ', prepared' : ''));
	is_deeply(last_query($fake),
		{ sql => 'SET @n=CAST(0 AS UNSIGNED)' }, '...becomes a SET');
}

# a client that does not know them

my $plain = client(8080, drop => $CAP{QUERY_ATTRIBUTES});

$plain->query('SELECT 3');
is_deeply(last_query($fake), { sql => 'SELECT 3' },
	'who does not know them has none');

$s = $plain->prepare('INSERT INTO t VALUES (?, ?)');
is($plain->execute($s, 'x', undef)->{info}, unpack('H*', pack('C V', 0, 1)
	. "\2\2\1" . "\xfd\0\0" x 2 . "\1x"),
	'an execution is as the database wants it');

$plain->command('STMT_EXECUTE', $plain->execution($s, [ 'y', 'z' ],
	bound => 0));
is($plain->read_result()->{info}, unpack('H*', pack('C V', 0, 1)
	. "\2\0\1" . "\xfd\0\0" x 2 . "\1y\1z"), '...without types as well');

# what is in front makes packets longer than they may be

for my $n (0xfffffb, 0xfffffc, 0xfffffe, 0xffffff, 0x1fffffb) {
	my $sql = 'INSERT INTO t VALUES (' . 'x' x ($n - 22);

	is($plain->query($sql)->{info}, $n, "a text of $n bytes");
}

# what cannot be read has kept a connection

$plain->reset();

$c = client(8080);

# malformed

for my $bad (
	[ 'cut short', "\1\1\0\1\xfd\0\1a\x20b" ],
	[ 'without types', "\1\1\0\0\xfd\0\1a\1bSELECT 1" ],
	[ 'a number that is none', "\xffSELECT 1" ],
	[ 'too many', lenc(70000) . "\1" . "\0" x 20000 ],
	[ 'nothing', '' ])
{
	my ($what, $bytes) = @$bad;

	$c->{seq} = 0;
	$c->send("\3$bytes");
	is($c->read_result()->{error}{code}, 1835, "$what: an error");
}

$s = $c->prepare('INSERT INTO t VALUES (?)');
$c->command('STMT_EXECUTE', pack('V C V', $s->{id}, 0, 1)
	. "\3\0\1\xfd\0\x20");
is($c->read_result()->{error}{code}, 1835, 'likewise in an execution');
is($c->query('SELECT 4')->{rows}[0][0], 'row', 'and it goes on');

# a statement from elsewhere: the database there does not know them

$c = client(8082, tags => { trace => 'abc', more => 'x' x 300 });
ok($c->capabilities() & $CAP{QUERY_ATTRIBUTES}, 'a client that knows them');

$c->query('SELECT 1');
$gone->stop();

wait_for(sub {
	# it may have given way to who reads the catalog
	return $t->read_file('error.log')
		=~ /of "moves": (?:closed by the database|gives way to a waiter)/;
}, 10, 'its connection is gone');

is($c->query('SELECT v FROM t WHERE id = 1')->{rows}[0][0], 'one',
	'without them, to a database that does not know them');

$c->query('BEGIN');
is($c->query("INSERT INTO t VALUES (4, 'four')")->{affected}, 1, 'a write');
$c->query('COMMIT');

$s = $c->prepare('SELECT v, ? FROM t WHERE id = ?');
is_deeply($c->execute($s, 'a', 2)->{rows}, [ [ 'two', 'a' ] ],
	'a prepared statement');

$c->command('STMT_EXECUTE', $c->execution($s, [ undef, 2 ], bound => 0));
is_deeply([ $c->read_results(1) ]->[0]{rows}, [ [ 'two', undef ] ],
	'...without types');

$c->command('STMT_EXECUTE', $c->execution($s, [ 'b', 2 ], cursor => 1));
$c->read_result(1);
$c->command('STMT_FETCH', pack('V V', $s->{id}, 5));
is(@{$c->read_rows({ rows => [], columns => $s->{columns} }, 1)->{rows}}, 1,
	'...with a cursor');

$s = $c->prepare('SELECT COUNT(*) FROM t');
is($c->execute($s)->{rows}[0][0], 3, '...and without parameters');

# answers from memory do not depend on them

$t->wait_catalog('moves');

is($c->query('SELECT v FROM t WHERE id = 2')->{rows}[0][0], 'two', 'a miss');
$db->sql("UPDATE shop.t SET v = 'else' WHERE id = 2");

$c->{tags} = { trace => 'def' };
is($c->query('SELECT v FROM t WHERE id = 2')->{rows}[0][0], 'two',
	'others than those that an answer was asked for with');

$s = $c->prepare('SELECT v FROM t WHERE id = ?');
is($c->execute($s, 2)->{rows}[0][0], 'else', 'a statement');
$db->sql("UPDATE shop.t SET v = 'more' WHERE id = 2");

$c->{tags} = { trace => 'ghi', more => 2 };
is($c->execute($s, 2)->{rows}[0][0], 'else', '...is answered alike');

delete $c->{tags};
is($c->execute($s, 2)->{rows}[0][0], 'else', '...and without any');
is($c->execute($s, 1)->{rows}[0][0], 'one', '...but not with other values');

my $big = "'" . 'x' x 17_000_000 . "'";
is($c->query("REPLACE INTO t VALUES (7, $big)")->{affected}, 1,
	'a text of 17 MB');
is($c->query('SELECT LENGTH(v) FROM t WHERE id = 7')->{rows}[0][0], 17_000_000,
	'is there');

# parameters of 16 MB and more without their types

my $maria = client(8083);
ok(!($maria->greeting()->{capabilities} & $CAP{QUERY_ATTRIBUTES}),
	'MariaDB does not have them: they are not offered');

$s = $maria->prepare('REPLACE INTO t VALUES (?, ?)');
$maria->execute($s, 8, 'x');

# another connection

my $other = client(8083);
$other->query('SET @a := SLEEP(0)');

# (which may be gone already: who reads the catalog needs one, too)

my $id = $other->query('SELECT CONNECTION_ID()')->{rows}[0][0];
eval { $db->sql("KILL $id") };

$maria->command('STMT_EXECUTE', $maria->execution($s,
	[ 8, 'y' x 17_000_000 ], bound => 0));
is($maria->read_result()->{affected}, 2, '17 MB without a type');
is($maria->query('SELECT LENGTH(v) FROM t WHERE id = 8')->{rows}[0][0],
	17_000_000, 'are there');

# a driver that sends them

SKIP: {
	my $modules = Test::Hyperdrive::build_dir() . '/node_modules';

	skip('no mysql2', 1) unless -d "$modules/mysql2";

	my $port = port(8080);
	my ($rc, $said) = run_command([ 'node', '-e', <<"EOS" ],

const mysql = require('mysql2');
const c = mysql.createConnection({ host: '127.0.0.1', port: $port,
	user: 'app', password: 'x', database: 'shop' });

c.query({ sql: 'SELECT 77', attributes: { trace: 'node' } }, (e, rows) => {
	console.log(e ? e.message : JSON.stringify(rows));
	c.end();
});
EOS
		env => { NODE_PATH => $modules });

	is_deeply(last_query($fake), { sql => 'SELECT 77',
		tags => { trace => 'node' } }, 'mysql2 of Node.js')
		or diag($said);
}

$t->done_testing();

###############################################################################

sub client {
	my ($port, %o) = @_;

	return mysql_client(port($port), user => 'app', password => 'x',
		database => 'shop', timeout => 60,
		add => $CAP{QUERY_ATTRIBUTES}, %o);
}

# the last query that the fake has seen

sub last_query {
	my ($fake) = @_;

	my ($last) = grep { ($_->{com} || '') eq 'QUERY' } reverse $fake->log();

	return { map { $_ => $last->{$_} } grep { exists $last->{$_} }
		qw(sql tags) };
}

###############################################################################
