#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: SET autocommit of MySQL's clients is answered at once,
# and so is the end of a transaction that there is none of.  A connection is set
# in one write with the first statement that needs it.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive;
use Test::Hyperdrive::MySQL qw(packet %CAP %COM %STATUS);

###############################################################################

my $t = Test::Hyperdrive->new()
	->write_file_expand('nginx.conf', <<'EOC');

%%TEST_GLOBALS%%

events {
}

%%TEST_STATUS%%

stream {
    upstream u {
        hyperdrive_origin  mysql://app:secret@127.0.0.1:8082/shop?ssl-mode=DISABLED;
        hyperdrive_pool    max=1;
    }

    upstream manual {
        hyperdrive_origin  mysql://usual:secret@127.0.0.1:8081/shop?ssl-mode=DISABLED;
        hyperdrive_pool    max=1;
    }

    server {
        listen             127.0.0.1:8080;
        hyperdrive_pass    u;
        hyperdrive_users   off;
    }

    server {
        listen             127.0.0.1:8083;
        hyperdrive_pass    manual;
        hyperdrive_users   off;
    }
}

EOC

my $db = $t->mariadb(port => port(8081), users => { app => 'secret',
		usual => { password => 'secret',
			grants => 'SELECT, INSERT, DELETE' } },
	databases => [ 'shop' ], sql => {
		shop => 'CREATE TABLE t (id INT PRIMARY KEY);'
			. 'INSERT INTO t VALUES (1), (2)',
	});

my $relay = $t->relay(to => $db->port(), port => port(8082));

$t->run();

sub client {
	return mysql_client(port(8080), user => 'app', password => 'x',
		database => 'shop', @_);
}

# rows of the table that are committed

sub rows {
	return scalar $db->sql('SELECT GROUP_CONCAT(id ORDER BY id) FROM t',
		db => 'shop');
}

# What a query is answered with and what it costs; an error by its number.

sub costs {
	my ($trips, $c, $sql, $status, $name) = @_;

	$relay->reset();

	my $r = $c->query($sql);

	is($r->{error} ? $r->{error}{code} : 'ok', 'ok', $name);
	is($relay->trips(), $trips, "$name: round trips");
	is($c->status() & ($STATUS{AUTOCOMMIT} | $STATUS{IN_TRANS}), $status,
		"$name: what the answer says");
}

my ($on, $open) = ($STATUS{AUTOCOMMIT}, $STATUS{IN_TRANS});

###############################################################################

my ($c1, $c2) = (client(), client());

# another client has the only connection

$c2->query('BEGIN');
$c2->query('SELECT id FROM t FOR UPDATE');

costs(0, $c1, 'SET autocommit = 0', 0, 'off');
costs(0, $c1, 'COMMIT', 0, 'nothing is committed');
costs(0, $c1, 'ROLLBACK', 0, 'nothing is rolled back');
is($c1->value('SELECT ROW_COUNT()'), 0, 'they count as statements');
costs(0, $c1, 'SET autocommit = 1', $on, 'on');
costs(0, $c1, 'COMMIT', $on, 'nothing is committed, with autocommit');
costs(0, $c1, 'set @@session.autocommit = OFF', 0, 'off, in other words');

$c2->query('COMMIT');

# the connection is set with what comes first

costs(1, $c1, 'INSERT INTO t VALUES (3)', $open, 'a row');
is(rows(), '1,2', 'not committed');
costs(1, $c1, 'DELETE FROM t WHERE id = 1', $open, 'one less');

$c2->command('QUERY', 'SELECT @@autocommit');
ok($c2->silent(0.2), 'another client waits');
ok($c1->query('ROLLBACK')->{ok}, 'rolled back');
is($c2->read_result()->{rows}[0][0], 1, 'and goes on, with autocommit');
is(rows(), '1,2', 'nothing is changed');

costs(1, $c1, 'INSERT INTO t VALUES (3)', $open, 'a row again');
costs(1, $c1, 'COMMIT', 0, 'committed');
is(rows(), '1,2,3', 'there it is');

costs(1, $c1, 'UPDATE t SET id = 4 WHERE id = 3', $open, 'one more change');
costs(1, $c1, 'SET autocommit = 1', $on, 'on, which commits');
is(rows(), '1,2,4', 'there it is');

# an error ends nothing, and changes nothing

$c1->query('SET autocommit = 0');
is($c1->query('INSERT INTO t VALUES (1)')->{error}{code}, 1062, 'an error');
is($c1->query('INSERT INTO t VALUES (5)')->{affected}, 1, 'a row behind it');
is(rows(), '1,2,4', 'not committed');
$c1->query('ROLLBACK');
is(rows(), '1,2,4', 'rolled back');
is($c1->value('SELECT @@autocommit'), 0, 'still off');

# no table is used, so there is no transaction: the connection is free

is($c2->value('SELECT @@autocommit'), 1, 'of one client only');

# prepared, which needs a connection first

my $st = $c1->prepare('DELETE FROM t WHERE id > ?');

is($c2->value('SELECT @@autocommit'), 1, 'somebody else in between');
is($c1->execute($st, 0)->{affected}, 3, 'executed');
is(rows(), '1,2,4', 'not committed');
$c1->query('ROLLBACK');
is(rows(), '1,2,4', 'rolled back');

# sent at once

$c1->send_raw(join('', map { packet(chr($COM{QUERY}) . $_, 0) }
	'SET autocommit = 1', 'SET autocommit = 0', 'DELETE FROM t', 'ROLLBACK',
	'SET autocommit = 1'));

for my $affected (0, 0, 3, 0, 0) {
	$c1->{seq} = 1;
	is($c1->read_result()->{affected}, $affected, 'at once');
}

is(rows(), '1,2,4', 'and rolled back');

# what else is set has to be asked for

costs(1, $c1, "SET autocommit = 0, sql_mode = 'ANSI'", 0, 'with another one');
is($c1->value("SELECT CONCAT(\@\@autocommit, \@\@sql_mode LIKE '%ANSI%')"), 'OFF1',
	'both are set');
is($c1->query("SET autocommit = 2")->{error}{code}, 1231, 'no such value');
$c1->query("SET autocommit = 1, sql_mode = DEFAULT");

# within a block that is not begun yet the database decides

$c1->query('BEGIN');
$c1->query('SET autocommit = 0');
$c1->query('DELETE FROM t');
$c1->query('ROLLBACK');
is(rows(), '1,2,4', 'a block goes on');

# a transaction that is begun anew by its end

$c1->query('SET completion_type = 1');
costs(1, $c1, 'COMMIT', $open, 'chained');
$c1->query('SET completion_type = 0');
$c1->query('COMMIT');

# reset, and moved to another worker

$c1->query('SET autocommit = 0');
ok($c1->reset()->{ok}, 'reset');
is($c1->status() & $on, $on, 'on again');
$c1->query('INSERT INTO t VALUES (6)');
is(rows(), '1,2,4,6', 'committed by itself');

$c1->query('SET autocommit = 0');
$t->reload();
$c1->query('DELETE FROM t');
is(rows(), '1,2,4,6', 'moved, and still off');
$c1->query('ROLLBACK');
$t->reload();
costs(0, $c1, 'SET autocommit = 1', $on, 'on, in another worker');

# who is told of changes is told of this one

for my $sql ('SET autocommit = 0', 'SET autocommit = 1') {
	my @how = (add => $CAP{SESSION_TRACK});
	my $straight = mysql_client(port(8081), user => 'app',
		password => 'secret', database => 'shop', @how);
	my $c = client(@how);

	$_->command('QUERY', $sql) for $straight, $c;

	is(unpack('H*', $c->read_packet()), unpack('H*',
		$straight->read_packet()), "$sql, and told so");

	$_->quit() for $straight, $c;
}

# what a session begins with may not be what its log-in says

$db->sql("SET GLOBAL init_connect = 'SET autocommit = 0'");

for my $port (port(8081), port(8083)) {
	my $c = mysql_client($port, user => 'usual', password => 'secret',
		database => 'shop');

	for my $sql ('SET autocommit = 1', 'INSERT INTO t VALUES (7)', 'ROLLBACK',
		'DELETE FROM t WHERE id = 7')
	{
		my $r = $c->query($sql);

		is($r->{status} & ($on | $open), $on, "init_connect: $sql");
		is($r->{affected}, 1, "init_connect: $sql: rows") if $sql =~ / t /;
	}

	$c->quit();
}

$_->quit() for $c1, $c2;

$t->done_testing();

###############################################################################
