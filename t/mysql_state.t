#!/usr/bin/perl

# Tests for hyperdrive: what MySQL's clients have set is theirs, on one
# connection.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive;
use Test::Hyperdrive::MySQL qw(%CAP %STATUS);

###############################################################################

my $t = Test::Hyperdrive->new()->plan(83);

my $db = $t->mariadb(users => { app => 'secret' },
	databases => [ 'shop', 'other' ], sql => {
		shop => 'CREATE TABLE t (id INT); INSERT INTO t VALUES (1)',
		other => 'CREATE TABLE t (id INT); INSERT INTO t VALUES (2);'
			. 'CREATE TABLE a (id INT AUTO_INCREMENT PRIMARY KEY,'
			. ' v INT)',
	});

$t->single($db->url(), pool => 'max=1')->run();

sub client {
	return mysql_client(port(8080), user => 'app', password => 'x',
		database => 'shop', @_);
}

sub pinned {
	return $t->status()->{upstreams}{u}{total}{pinned};
}

###############################################################################

my $c1 = client();
my $c2 = client();

my $id = $c1->value('SELECT CONNECTION_ID()');

# schemas

ok($c1->query('USE other')->{ok}, 'use');
is($c1->value('SELECT id FROM t'), 2, 'the other schema');
is($c2->value('SELECT id FROM t'), 1, 'not for another client');
is($c1->value('SELECT id FROM t'), 2, 'the other schema again');

ok($c2->init_db('other')->{ok}, 'init_db');
is($c2->value('SELECT DATABASE()'), 'other', 'says the same');
ok($c2->init_db('shop')->{ok}, 'and back');
is($c1->value('SELECT DATABASE()'), 'other', 'for itself only');
is($c1->init_db('nowhere')->{error}{code}, 1049, 'an unknown one');
is($c1->value('SELECT DATABASE()'), 'other', 'changes nothing');

# settings

my $mode = $c2->value('SELECT @@sql_mode');

ok($c1->query("SET sql_mode = 'ANSI_QUOTES'")->{ok}, 'a setting');
is($c1->value('SELECT @@sql_mode'), 'ANSI_QUOTES', 'is set');
is($c2->value('SELECT @@sql_mode'), $mode, 'not for another client');
is($c1->value('SELECT "id" FROM t'), 2, 'is set again');

ok($c1->query('SET NAMES latin1')->{ok}, 'names');
is($c2->value('SELECT @@character_set_client'), 'utf8mb4',
	'not for another client');
is($c1->value('SELECT @@character_set_results'), 'latin1', 'set again');

ok($c1->query("SET \@x = 5, \@y = 'z'")->{ok}, 'variables');
is($c2->value('SELECT @x'), undef, 'are not another client\'s');
is($c1->value('SELECT CONCAT(@x, @y)'), '5z', 'but its own');
is(pinned(), 0, 'nobody keeps the connection');

# autocommit: what is not committed keeps the connection

ok($c1->query('SET autocommit = 0')->{ok}, 'autocommit off');
is($c2->value('SELECT @@autocommit'), 1, 'not for another client');
is($c1->query('INSERT INTO t VALUES (3)')->{affected}, 1, 'a row');

$c2->command('QUERY', 'SELECT COUNT(*) FROM other.t');
ok($c2->silent(0.2), 'another client waits');

is($c1->query('INSERT INTO nowhere VALUES (3)')->{error}{code}, 1146,
	'an error ends nothing');
ok($c2->silent(0.2), 'it still waits');

ok($c1->query('ROLLBACK')->{ok}, 'rolled back');
is($c2->read_result()->{rows}[0][0], 1, 'the other one goes on');

# the last insert id

ok($c1->query('SET autocommit = 1')->{ok}, 'autocommit on');
is($c1->value('SELECT LAST_INSERT_ID()'), 0, 'nothing inserted');
is($c1->query('INSERT INTO a (v) VALUES (1)')->{insert_id}, 1, 'a number');
is($c2->value('SELECT LAST_INSERT_ID()'), 0, 'not another client\'s');
is($c2->query('INSERT INTO other.a (v) VALUES (2), (3)')->{insert_id}, 2,
	'another client\'s number');
is($c1->value('SELECT LAST_INSERT_ID()'), 1, 'one client\'s');
is($c2->value('SELECT LAST_INSERT_ID()'), 2, 'the other one\'s');

is($c1->query('INSERT INTO a VALUES (100, 4)')->{insert_id}, 100,
	'a number that was given');
is($c2->value('SELECT 1'), 1, 'a query');
is($c1->value('SELECT LAST_INSERT_ID()'), 1, 'does not count');

# all of it goes at once

my $st = $c1->prepare('SELECT @x');

ok($c1->reset()->{ok}, 'reset');
is($c1->value('SELECT @x'), undef, 'variables are gone');
is($c1->value('SELECT @@sql_mode'), $mode, 'settings, too');
is($c1->value('SELECT @@character_set_client'), 'utf8mb4', 'and names');
is($c1->execute($st)->{error}{code}, 1243, 'and statements');
is($c1->value('SELECT DATABASE()'), 'other', 'the schema stays');

is($c1->value('SELECT CONNECTION_ID()'), $id, 'on one connection, all the time');

# a prepared statement stays bound to the schema that it was prepared with

{
	my ($there, $here) = (client(), client());
	my $text = 'SELECT id FROM t';

	$there->query('USE other');

	my $of_there = $there->prepare($text);
	my $of_here = $here->prepare($text);

	is($there->execute($of_there)->{rows}[0][0], 2, 'of one schema');
	is($here->execute($of_here)->{rows}[0][0], 1, 'of another');
	is($there->execute($of_there)->{rows}[0][0], 2, 'and again');

	# it means what it meant, or nothing

	$here->query('USE other');

	my $r = $here->execute($of_here);

	ok($r->{error} ? $r->{error}{code} == 1615 : $r->{rows}[0][0] == 1,
		'not of the schema that was chosen since');
	is($here->execute($here->prepare($text))->{rows}[0][0], 2,
		'prepared anew');

	$here->query('USE shop');
	is($here->execute($of_here)->{rows}[0][0], 1, 'and back');

	$_->close() for $there, $here;
}

# what cannot be set any more stops the statement that it was for

{
	my ($first, $second) = (client(), client());

	$db->sql('CREATE DATABASE gone; CREATE TABLE gone.t (id INT)');

	ok($second->query('USE gone')->{ok}, 'a schema');
	is($first->value('SELECT COUNT(*) FROM t'), 1, 'a row in another one');

	$db->sql('DROP DATABASE gone');

	is($second->query('DELETE FROM t')->{error}{code}, 1049,
		'the schema was dropped by somebody else');
	is($second->query('SELECT * FROM t')->{error}{code}, 1049,
		'who still has his connection');
	is($second->init_db('gone')->{error}{code}, 1049, 'it is not there');
	is($first->value('SELECT COUNT(*) FROM t'), 1,
		'the row of the other schema is');

	ok($second->init_db('other')->{ok}, 'it may be left');
	is($first->value('SELECT DATABASE()'), 'shop', 'by nobody else');
	is($second->value('SELECT DATABASE()'), 'other', 'for another one');

	# by who is in it: he is in none any more, and nobody else is there

	$db->sql('CREATE DATABASE gone');

	ok($second->query('USE gone')->{ok}, 'a schema again');
	ok($second->query('DROP DATABASE gone')->{ok}, 'dropped from within');
	is($second->value('SELECT DATABASE()'), undef, 'no schema');
	is($second->query('SELECT * FROM t')->{error}{code}, 1046,
		'nothing there to ask');
	ok($second->query('USE other')->{ok}, 'another one');
	is($second->value('SELECT DATABASE()'), 'other', 'is there');
	$second->quit();

	is($first->value('SELECT DATABASE()'), 'shop', 'nobody else has noticed');
	is($first->query('INSERT INTO t VALUES (7)')->{affected}, 1,
		'a row is written where it belongs');
	$first->close();
}

SKIP: {
	skip('MySQL has other rights', 7) if $db->is_mysql();

	my ($first, $second) = (client(), client());

	ok($second->query('SET binlog_format = ROW')->{ok}, 'a privileged setting');
	is($first->value('SELECT @@binlog_format'), 'MIXED', 'of one client');

	$db->sql("REVOKE BINLOG ADMIN, SUPER ON *.* FROM app\@'%'");

	my $old = $first->value('SELECT CONNECTION_ID()');
	$db->sql("KILL $old");

	ok(wait_for(sub { $db->connections(user => 'app') == 0 }),
		'the connection is gone');

	is($first->value('SELECT COUNT(*) FROM t'), 2, 'and another one there');

	my $r = $second->query('INSERT INTO t VALUES (8)');

	is($r->{error}{code}, 1644, 'it cannot be set there');
	like($r->{error}{message}, qr/privilege/, 'as the database says');
	is($first->value('SELECT COUNT(*) FROM t'), 2,
		'so nothing is written without it');
}

# who releases his connection is disconnected, and nobody else is

{
	my ($first, $second) = (client(), client());

	ok($second->query('COMMIT RELEASE')->{ok}, 'released');
	is($second->ended(), 'closed', 'disconnected');
	is($first->value('SELECT 1'), 1, 'another client goes on');

	$second = client();

	ok($second->query('SET completion_type = "RELEASE"')->{ok}, 'as a rule');
	ok($second->query('ROLLBACK')->{ok}, 'by any end');
	is($second->ended(), 'closed', 'disconnected, too');
	is($first->value('SELECT 1'), 1, 'nobody else is');
}

###############################################################################
