#!/usr/bin/perl

# Tests for hyperdrive: BEGIN of MySQL's clients is answered at once, and sent
# with the first statement that needs the database.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive;
use Test::Hyperdrive::MySQL qw(packet %COM %STATUS);
use Test::Hyperdrive::Process qw(wait_for);

###############################################################################

my $t = Test::Hyperdrive->new()->plan(44);

my $db = $t->mariadb(users => { app => 'secret' },
	databases => [ 'shop' ], sql => {
		shop => 'CREATE TABLE t (id INT PRIMARY KEY);'
			. 'INSERT INTO t VALUES (1), (2)',
	});

$t->single($db->url(), pool => 'max=1', cache => 'max_age=60s')->run();

sub client {
	return mysql_client(port(8080), user => 'app', password => 'x',
		database => 'shop', @_);
}

# rows of the table that are committed

sub rows {
	return scalar $db->sql('SELECT GROUP_CONCAT(id ORDER BY id) FROM t',
		db => 'shop');
}

sub begins {
	my ($row) = $db->sql("SHOW GLOBAL STATUS LIKE 'Com_begin'");
	return (split /\t/, $row)[1];
}

sub total {
	return $t->status()->{upstreams}{u}{total}{$_[0]};
}

###############################################################################

my ($c1, $c2) = (client(), client());

my $n = begins();

# both have a block, neither a connection

my $r = $c1->query('BEGIN');

ok($r->{ok}, 'a block');
is($r->{affected}, 0, 'nothing was changed');
ok($c1->status() & $STATUS{IN_TRANS}, 'it is open');
ok($c2->query('START TRANSACTION')->{ok}, 'another one');
ok($c1->ping()->{ok}, 'a ping');
ok($c1->status() & $STATUS{IN_TRANS}, 'ends nothing');
is($c1->value('SELECT ROW_COUNT()'), 0, 'it counts as a statement');
is(begins(), $n, 'the database knows of none');

is($c2->query('INSERT INTO t VALUES (3)')->{affected}, 1, 'a row');
ok($c2->status() & $STATUS{IN_TRANS}, 'still open');
is(rows(), '1,2', 'not committed');
is(begins(), $n + 1, 'now the database knows');
ok($c2->query('COMMIT')->{ok}, 'committed');
ok(!($c2->status() & $STATUS{IN_TRANS}), 'not open any more');
is(rows(), '1,2,3', 'there it is');

is($c1->query('DELETE FROM t WHERE id = 3')->{affected}, 1,
	'the first one, later');
is(rows(), '1,2,3', 'not committed');
ok($c1->query('ROLLBACK')->{ok}, 'rolled back');
is(rows(), '1,2,3', 'still there');

# nothing in it

$n = begins();

my $deferred = total('deferred');

ok($c1->query('BEGIN WORK')->{ok}, 'an empty one');
ok($c1->query('begin')->{ok}, 'again');
ok($c1->query('COMMIT')->{ok}, 'committed');
ok(!($c1->status() & $STATUS{IN_TRANS}), 'not open any more');
is(begins(), $n, 'the database has not heard of it');
is(total('deferred'), $deferred + 3, 'they are counted');

# an error ends nothing

$c1->query('BEGIN');
is($c1->query('INSERT INTO t VALUES (1)')->{error}{code}, 1062, 'an error');
is($c1->query('INSERT INTO t VALUES (4)')->{affected}, 1, 'a row behind it');
is(rows(), '1,2,3', 'not committed');
ok($c1->query('ROLLBACK')->{ok}, 'rolled back');
is(rows(), '1,2,3', 'both');

# a prepared statement, which this connection lacks, and one that it has

my $st = $c1->prepare('DELETE FROM t WHERE id > ?');

for (1, 2) {
	$c1->query('BEGIN');
	is($c1->execute($st, 1)->{affected}, 2, 'prepared');
	$c1->query('ROLLBACK');
	is(rows(), '1,2,3', 'in a block');
}

# all in one write

$c1->send_raw(packet(chr($COM{QUERY}) . 'BEGIN', 0)
	. packet(chr($COM{QUERY}) . 'DELETE FROM t', 0)
	. packet(chr($COM{QUERY}) . 'ROLLBACK', 0));

for my $affected (0, 3, 0) {
	$c1->{seq} = 1;
	is($c1->read_result()->{affected}, $affected, 'sent at once');
}

is(rows(), '1,2,3', 'rolled back');

# what is read in it is not an older answer of somebody's

wait_for(sub {
	$c2->query('SELECT id FROM t WHERE id = 2');
	return total('hits');
});

my $hits = total('hits');

$c1->query('BEGIN');
is($c1->value('SELECT id FROM t WHERE id = 2'), 2, 'a read');
is(total('hits'), $hits, 'not from the cache');
$c1->query('COMMIT');

# a reset ends it

$c1->query('BEGIN');
ok($c1->reset()->{ok}, 'reset');
$c1->query('INSERT INTO t VALUES (5)');
is(rows(), '1,2,3,5', 'no block any more');

# so it moves to another worker

$c1->query('BEGIN');
$t->reload();
$c1->query('DELETE FROM t');
is(rows(), '1,2,3,5', 'moved, with its block');
$c1->query('ROLLBACK');
is(rows(), '1,2,3,5', 'which is rolled back');

###############################################################################
