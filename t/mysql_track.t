#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: what a session has changed by code that nobody here
# has read, as the database's session trackers tell it.  There is no cache, so
# that there is no catalog, either.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive;
use Test::Hyperdrive::MySQL qw(%CAP);

###############################################################################

my $t = Test::Hyperdrive->new()
	->write_file_expand('nginx.conf', <<'EOC');

%%TEST_GLOBALS%%

events {
}

%%TEST_STATUS%%

stream {
    upstream shop {
        hyperdrive_origin  mysql://app:secret@127.0.0.1:8081/shop?ssl-mode=DISABLED;
        hyperdrive_pool    max=2;
    }

    upstream old {
        hyperdrive_origin  mysql://app:secret@127.0.0.1:8091/shop?ssl-mode=DISABLED;
    }

    hyperdrive_users  off;

    server {
        listen           127.0.0.1:8080;
        hyperdrive_pass  shop;
    }

    server {
        listen           127.0.0.1:8090;
        hyperdrive_pass  old;
    }
}

EOC

my $db = $t->mariadb(port => port(8081), users => { app => 'secret' },
	databases => [ 'shop' ], sql => { shop => <<'EOC' });

CREATE TABLE t (id INT PRIMARY KEY);
CREATE TABLE zone (id INT PRIMARY KEY);
CREATE TABLE len (id INT PRIMARY KEY);
CREATE TABLE var (id INT PRIMARY KEY);

delimiter //
CREATE TRIGGER a BEFORE INSERT ON zone FOR EACH ROW
    SET time_zone = '+05:00'//
CREATE TRIGGER b BEFORE INSERT ON len FOR EACH ROW
    SET SESSION group_concat_max_len = 77//
CREATE TRIGGER c BEFORE INSERT ON var FOR EACH ROW
    SET @leak = 1//
delimiter ;
EOC

my $fake = $t->fake_mysql(port(8091), no_tracker => 1, query => sub {
	return [ [ $_[0], $_[1] ] ];
});

my $n = 10;

$t->run();

my $state = 'SELECT @@time_zone, @@group_concat_max_len, @leak';
my $fresh = client()->query($state)->{rows};

# what a trigger has set is its client's

leaves('zone', 0, '+05:00');
leaves('len', 1, 77);
leaves('var', 2, 1);
is(pins(), 0, 'no pin is left');

# what is read is not taken for what is not

for my $sql ("SET time_zone = '+03:00'", 'SET NAMES latin1', 'USE shop',
	'SET autocommit = 0', 'SET autocommit = 1', 'SET @a = 1',
	'SET SESSION sort_buffer_size = 65536',
	'SET STATEMENT max_statement_time = 9 FOR SELECT 1',
	'SELECT v.id FROM var v', 'INSERT INTO t VALUES (1)', 'BEGIN',
	'DELETE FROM t', 'COMMIT', 'CREATE TABLE u SELECT * FROM t',
	'ALTER TABLE u ADD COLUMN a INT', 'OPTIMIZE TABLE u', 'TRUNCATE u',
	'ANALYZE TABLE u', 'DROP TABLE u', 'SELECT 1 UNION SELECT 2',
	'SHOW TABLES',
	'SELECT * FROM (SELECT id FROM t GROUP BY id) x ORDER BY id')
{
	my $c = client();

	$c->query($sql);
	$c->query('SELECT 1');
	is(pins(), 0, "$sql: no pin");
	$c->quit();
}

my $c = client();

for my $sql ('CREATE TEMPORARY TABLE tmp (id INT)', 'DROP TEMPORARY TABLE tmp',
	'CREATE TEMPORARY TABLE tmp (id INT)', 'DROP TABLE tmp',
	"PREPARE p FROM 'SELECT 1'", 'DEALLOCATE PREPARE p',
	'LOCK TABLES t WRITE', 'UNLOCK TABLES')
{
	$c->query($sql);
	is(pins(), $sql =~ /^(?:CREATE|PREP|LOCK)/ ? 1 : 0, $sql);
}

$c->execute($c->prepare('SELECT id FROM t WHERE id > ?'), [ 1 ]);
is(pins(), 0, 'a statement is executed');
$c->quit();

# clients see what they would directly

for my $port (8080, 8081) {
	my $c = client($port);
	my $name = $port == 8080 ? 'nginx' : 'directly';

	is_deeply(told($c, 'INSERT INTO var VALUES (%d)'), [],
		"$name: nothing is told of a change");
	is_deeply(told($c, 'INSERT INTO zone VALUES (%d)'), [ 0 ],
		"$name: ...but what is always told");

	is_deeply($c->query('SELECT @@session_track_state_change')->{rows},
		[ [ 0 ] ], "$name: the tracker is off");
	$c->query('SET session_track_state_change = 1');
	is_deeply(told($c, 'INSERT INTO var VALUES (%d)'), [ 2 ],
		"$name: a change is told to who wants to know");
	is_deeply($c->query('SELECT @@session_track_state_change')->{rows},
		[ [ 1 ] ], "$name: the tracker is on");

	my $s = $c->prepare('SELECT @@session_track_state_change + ?');

	is_deeply($c->execute($s, 1)->{rows}, [ [ 2 ] ],
		"$name: ...for a statement that was prepared, too");
	$c->reset();
	is_deeply(told($c, 'INSERT INTO var VALUES (%d)'), [],
		"$name: ...and off again");
	$c->quit();
}

is(pins(), 0, 'no pin is left');

# ...and on another connection than it was prepared on

$c = client();

my $other = client();
my $st = $c->prepare('SELECT @@session_track_state_change + ?');

$other->query('BEGIN');
$other->query('SELECT 1');
is_deeply($c->execute($st, 1)->{rows}, [ [ 1 ] ], 'one connection');
$c->query('BEGIN');
$other->query('COMMIT');
is_deeply($other->execute($other->prepare('SELECT 1 + ?'), 1)->{rows},
	[ [ 2 ] ], 'another one');
$other->query('BEGIN');
$c->query('COMMIT');
is_deeply($c->execute($st, 1)->{rows}, [ [ 1 ] ], 'either');
$_->quit() for $c, $other;

# a database that cannot tell is used as it is

$c = client(8090);

for my $sql ('SELECT 1', 'INSERT 2', 'SELECT 3') {
	is($c->query($sql)->{rows}[0][1], $sql, "no tracker: $sql");
}

$c->quit();
$t->done_testing();

###############################################################################

sub client {
	my ($port) = @_;

	return mysql_client(port($port || 8080), user => 'app',
		password => 'secret', database => 'shop',
		add => $CAP{SESSION_TRACK});
}

# The types of what is told behind a write.

sub told {
	my ($c, $sql) = @_;

	return [ map { $_->[0] } @{$c->query(sprintf $sql, ++$n)->{changes}
		|| []} ];
}

sub pins { $t->status()->{upstreams}{shop}{total}{pinned} }

# A write to <table>, whose trigger sets a value, is column <n> of the state.

sub leaves {
	my ($table, $n, $value) = @_;

	my $c = client();

	$c->query("INSERT INTO $table VALUES (1)");
	is(pins(), 1, "$table: it keeps the connection");
	is($c->query($state)->{rows}[0][$n], $value, 'its client has it');

	my $d = client();

	is_deeply($d->query($state)->{rows}, $fresh, 'no other has');
	$c->quit();
	is_deeply($d->query($state)->{rows}, $fresh, '...nor later');
	$d->quit();
}

###############################################################################
