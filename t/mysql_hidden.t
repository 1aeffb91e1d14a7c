#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: MariaDB does not tell of a transaction that begins with
# what SET reads while it turns autocommit off, and neither ROLLBACK nor a reset
# ends it.  It stays with its client, and the connection is nobody else's.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive;
use Test::Hyperdrive::MySQL qw(%CAP);

###############################################################################

my $t = Test::Hyperdrive->new();

my $db = $t->mariadb(users => { app => 'secret' },
	databases => [ 'shop' ], sql => {
		shop => 'CREATE TABLE t (id INT PRIMARY KEY);'
			. 'INSERT INTO t VALUES (1), (2)',
	});

plan(skip_all => 'MySQL tells of it') if $db->is_mysql();

$t->single($db->url(), pool => 'max=2 wait=5s', cache => 'max_age=60s')->run();

# rows of the table that are committed

sub rows {
	return scalar $db->sql('SELECT GROUP_CONCAT(id ORDER BY id) FROM t',
		db => 'shop');
}

###############################################################################

my $read = 'SELECT GROUP_CONCAT(id ORDER BY id) FROM t';

my $set = 'SET autocommit = 0, @b = (SELECT MAX(id) FROM t)';

for my $sqls ([ $set ],
	[ 'SET autocommit = 0, sql_select_limit = (SELECT 5 FROM t LIMIT 1)' ],
	[ 'SET autocommit = (SELECT 0 FROM t LIMIT 1)' ],
	[ "EXECUTE IMMEDIATE '$set'" ],
	[ qq{/*M! EXECUTE */ immediate "$set" -- so} ],
	[ "EXECUTE IMMEDIATE CONCAT('$set', ' ')" ],
	[ "EXECUTE IMMEDIATE 'SET auto\\commit = 0, \@b = (SELECT MAX(id) "
		. "FROM t)'" ],
	[ "PREPARE s FROM '$set'", 'EXECUTE s' ],
	[ "SET \@s = '$set'", 'PREPARE s FROM @s', 'SELECT 1', 'EXECUTE s' ],
	[ "PREPARE s FROM '$set'; EXECUTE s" ],
	[ "SELECT '$set' INTO \@s; PREPARE s FROM \@s; EXECUTE s" ])
{
	my $sql = join('; ', @$sqls);

	$db->sql('DELETE FROM t WHERE id > 2', db => 'shop');
	my $was = rows();

	my ($c, $other) = map { mysql_client(port(8080), user => 'app',
		password => 'x', database => 'shop',
		add => $CAP{MULTI_STATEMENTS}) } 1, 2;

	$c->query($_) for @$sqls;
	$c->query($_) for 'INSERT INTO t VALUES (8)', 'ROLLBACK';
	$c->reset();

	is($other->value($read), $was, "$sql: not another client's")
		for 1 .. 3;
	is(rows(), $was, "$sql: nor ended by it");

	is($c->value($read), "$was,8", "$sql: its own client's");
	is(rows(), "$was,8", "$sql: which ends it");
	is($other->value($read), "$was,8", "$sql: no older answer is kept");

	$c->query($_) for @$sqls;
	$c->query('INSERT INTO t VALUES (9)');
	$c->quit();

	ok(wait_for(sub { !$db->transactions() }),
		"$sql: ends with its client");
	is($other->value($read), "$was,8", "$sql: rolled back");

	$other->quit();
}

$t->done_testing();

###############################################################################
