#!/usr/bin/perl

# Tests for hyperdrive: what a client of MariaDB leaves on its connection keeps
# it as long as it is there, and no longer.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive;
use Test::Hyperdrive::Process qw(wait_for);

###############################################################################

my $t = Test::Hyperdrive->new()->plan(94);

my $db = $t->mariadb(users => { app => 'secret' },
	databases => [ 'shop', 'other' ], sql => {
		shop => 'CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20)'
			. ' CHARACTER SET latin1 COLLATE latin1_bin);'
			. "INSERT INTO t VALUES (1, 'one'), (2, 'two');"
			. <<'EOS',

DELIMITER //
CREATE FUNCTION takes(fails INT) RETURNS INT
BEGIN
    DO GET_LOCK('taken', 0);
    IF fails = 1 THEN
        SIGNAL SQLSTATE '42000' SET MESSAGE_TEXT = 'failed';
    ELSEIF fails = 2 THEN
        SIGNAL SQLSTATE '42000'
        SET MYSQL_ERRNO = 1064, MESSAGE_TEXT = 'failed';
    END IF;
    RETURN fails;
END//
DELIMITER ;
EOS
	});

$t->single($db->url(), pool => 'max=1 wait=20s')->run();

sub client {
	return mysql_client(port(8080), user => 'app', password => 'x',
		database => 'shop', @_);
}

my $c = client();
my $other = client();

# by what the connection is kept: the names of the status page

sub pins {
	my $pins = $t->status()->{upstreams}{u}{total}{pins};
	return join(' ', sort grep { $pins->{$_} } keys %$pins);
}

# it is not kept any more (the database is asked behind the reply), and another
# client gets it

sub free {
	my ($name) = @_;

	wait_for(sub { pins() eq '' });
	is($other->value('SELECT 1'), 1, $name);
}

sub good {
	my ($sql, $name) = @_;

	my $r = $c->query($sql);
	ok(!$r->{error}, $name || $sql)
		or diag("$r->{error}{code} $r->{error}{message}");
}

###############################################################################

# user variables go from connection to connection, whatever they were set by

good('SELECT @n := 5, @d := 1.50, @f := 1e0 / 4, @u := CAST(7 AS UNSIGNED),'
	. ' @z := NULL');
free('numbers do not keep it');
is($other->value('SELECT @n'), undef, 'nor does another client see them');
is(join(' ', @{$c->query('SELECT @n, @d, @f, @u, COALESCE(@z, "null")')
	->{rows}[0]}), '5 1.50 0.25 7 null', 'they are there');
free('free');

good('SELECT v INTO @v FROM t WHERE id = 2');
free('nor does a string');
is($c->value('SELECT CONCAT(@v, " ", COLLATION(@v), " ", CHARSET(@v))'),
	'two latin1_bin latin1', 'with its collation');

good(q{SET @e = CONCAT('it', '''', 's'), @n = @n + 1});
free('nor an expression');
is($c->value('SELECT CONCAT(@e, @n)'), q{it's6}, 'its value');

good(q{SET @b = 'a\\\\b'});
is(pins(), 'user_variable', 'but one that cannot be said');
good('SET @b = NULL');
free('until it is cleared');
is($c->value('SELECT @n'), 6, 'the others are still there');
good('SET @n = NULL, @d = NULL, @f = NULL, @u = NULL, @v = NULL, @e = NULL');

# settings by expressions

good(q{SET sql_mode = CONCAT(@@sql_mode, ',ANSI_QUOTES')});
free('a setting by an expression');
like($c->value('SELECT @@sql_mode'), qr/ANSI_QUOTES/, 'is set');
unlike($other->value('SELECT @@sql_mode'), qr/ANSI_QUOTES/,
	'for one client only');
is($c->value('SELECT "id" FROM t WHERE id = 1'), 1, 'and is read by');
good('SET sql_mode = DEFAULT, @@session.lock_wait_timeout ='
	. ' @@lock_wait_timeout - 1, @x = 1');
free('of several one');
isnt($c->value('SELECT @@lock_wait_timeout'),
	$other->value('SELECT @@lock_wait_timeout'), 'is set');
good('SET lock_wait_timeout = DEFAULT, @x = NULL');

good('SET CHARACTER SET latin1');
free('a character set');
is($c->value('SELECT @@character_set_client'), 'latin1', 'is set');
is($other->value('SELECT @@character_set_client'), 'utf8mb4',
	'for one client');
good('SET NAMES utf8mb4');

# temporary tables

good('CREATE TEMPORARY TABLE tmp (a INT)');
good('INSERT INTO tmp VALUES (1)');
is(pins(), 'temporary', 'a temporary table');
good('CREATE TEMPORARY TABLE IF NOT EXISTS `other`.`t` (a INT)');
good('DROP TABLE tmp');
is(pins(), 'temporary', 'one is left');
good('USE other');
good('DROP TEMPORARY TABLE t');
free('dropped');
good('USE shop');
is($c->query('CREATE TEMPORARY TABLE t2 (a INT, a INT)')->{error}{code}, 1060,
	'one that there cannot be');
free('keeps nothing');

good('CREATE TEMPORARY TABLE t (id INT)', 'over a permanent one');
is($c->value('SELECT COUNT(*) FROM t'), 0, 'hides it');
good('DROP TEMPORARY TABLE t');
free('and shows it again');
is($c->value('SELECT COUNT(*) FROM t'), 2, 'there it is');

# locks

is($c->value("SELECT GET_LOCK('a', 1)"), 1, 'a lock');
is($c->value("SELECT GET_LOCK('a', 1)"), 1, 'twice');
is($c->value("SELECT GET_LOCK('b', 1)"), 1, 'and another one');
is($c->value("SELECT RELEASE_LOCK('a')"), 1, 'let go');
is($c->value("SELECT RELEASE_LOCK('b')"), 1, 'both');
is(pins(), 'advisory_lock', 'once is not enough');
is($c->value("SELECT RELEASE_LOCK('a')"), 1, 'twice is');
free('free');

is($c->value("SELECT GET_LOCK(CONCAT('x', 'y'), 1)"), 1, 'one without a name');
is($c->value("SELECT RELEASE_LOCK('xy')"), 1, 'let go');
is(pins(), 'advisory_lock', 'is not known to be gone');
is($c->value('SELECT RELEASE_ALL_LOCKS()'), 0, 'but all are');
free('free');

good('LOCK TABLES t READ');
is(pins(), 'lock_tables', 'locked tables');
good('UNLOCK TABLES');
free('unlocked');

# handlers, statements prepared by SQL, XA

good('HANDLER t OPEN AS h');
good('HANDLER h READ FIRST');
is(pins(), 'cursor', 'a handler');
good('HANDLER h CLOSE');
free('closed');

good("PREPARE p FROM 'SELECT 1'");
is(pins(), 'prepared', 'prepared');
good('DEALLOCATE PREPARE p');
free('deallocated');

good("XA START 'x'");
good("XA END 'x'");
good("XA ROLLBACK 'x'");
free('a distributed transaction');

# what nobody understands

is($c->query('SELEC 1')->{error}{code}, 1064, 'nonsense');
free('leaves nothing');

# what fails in the middle, whatever it says

for my $case ([ 1, 1644 ], [ 2, 1064 ]) {
	is($c->query("SELECT takes($case->[0])")->{error}{code}, $case->[1],
		'a function that fails behind a lock');
	is($c->value("SELECT IS_USED_LOCK('taken') = CONNECTION_ID()"), 1,
		'it is held');
	is(pins(), 'function', 'and keeps the connection');
	$c->reset();
}

good('BEGIN');
is($c->query('SELEC 1')->{error}{code}, 1064, 'nonsense in a transaction');
is($c->value('SELECT takes(0)'), 0, 'and a function behind it');
good('COMMIT');
is(pins(), 'function', 'keeps the connection');
$c->reset();

# everything at once

good('CREATE TEMPORARY TABLE tmp (a INT)');
ok($c->reset()->{ok}, 'reset');
free('takes all of it away');

###############################################################################
