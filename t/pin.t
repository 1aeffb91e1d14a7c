#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: what a client leaves in its session of the database is
# its own: it keeps the connection until that is gone, and the next client
# finds it as good as new.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive;

###############################################################################

my $t = Test::Hyperdrive->new();

my $pg = $t->postgres(users => { app => 'pw' }, databases => [ 'shop' ],
	sql => { shop => <<'EOS' });

SET ROLE app;
CREATE TABLE things (id int PRIMARY KEY, v text);
INSERT INTO things SELECT g, 'thing ' || g FROM generate_series(1, 10) g;
CREATE SEQUENCE seq;
CREATE FUNCTION nothing() RETURNS int LANGUAGE plpgsql AS
    $$ BEGIN RETURN 7; END $$;
CREATE FUNCTION five() RETURNS int LANGUAGE plpgsql
	AS $$ BEGIN PERFORM pg_advisory_lock(4712); RETURN 5; END $$;
CREATE FUNCTION locks() RETURNS text LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_advisory_lock(4712); RETURN 'locked'; END $$;
CREATE FUNCTION unseen() RETURNS text LANGUAGE plpgsql AS
    $$ BEGIN PERFORM nextval('seq'), set_config('app.x', '5', false);
        RETURN 'unseen'; END $$;
CREATE TYPE pair AS (a int, b int);
CREATE FUNCTION sets() RETURNS text LANGUAGE sql AS
    $$ SELECT set_config('work_mem', '88MB', false) $$;
RESET ROLE;
CREATE ROLE other;
GRANT other TO app;

EOS

my $url = $pg->url();

$t->write_file_expand('nginx.conf', <<"EOS")->run();

%%TEST_GLOBALS%%

events {
}

%%TEST_STATUS%%

stream {
    hyperdrive_cache_zone  shop 8m;

    hyperdrive_users  off;

    hyperdrive_session_state  pin unread=reset;

    upstream one {
        hyperdrive_origin  $url&application_name=one;
        hyperdrive_pool    max=1 wait=20s;
        hyperdrive_catalog off;
    }

    upstream two {
        hyperdrive_origin  $url&application_name=two;
        hyperdrive_pool    max=2 wait=4s;
        hyperdrive_catalog off;
    }

    upstream three {
        hyperdrive_origin  $url&application_name=three;
        hyperdrive_pool    max=3 wait=4s;
        hyperdrive_catalog off;
    }

    upstream four {
        hyperdrive_origin  $url&application_name=four;
        hyperdrive_pool    max=1 wait=20s;
        hyperdrive_catalog off;
    }

    server {
        listen                    127.0.0.1:8082;
        hyperdrive_pass           three;
    }

    server {
        listen                    127.0.0.1:8083;
        hyperdrive_pass           four;
        hyperdrive_session_state  reject unread=reset;
    }

    server {
        listen                    127.0.0.1:8084;
        hyperdrive_pass           four;
        hyperdrive_session_state  pin;
    }

    server {
        listen            127.0.0.1:8080;
        hyperdrive_pass   one;
        hyperdrive_cache  shop;
    }

    server {
        listen                    127.0.0.1:8081;
        hyperdrive_pass           two;
        hyperdrive_session_state  pin max=2 unread=reset;
    }
}

EOS

###############################################################################

my $PID = 'SELECT pg_backend_pid()';

# What is set, what it is asked by, the answer to its owner, and to all others.

my @states = (
	'SET' => [ "SET work_mem = '77MB'", 'SHOW work_mem', '77MB', '4MB' ],
	'SET SESSION' => [ "SET SESSION work_mem TO '77MB'", 'SHOW work_mem',
		'77MB', '4MB' ],
	'set_config' => [ "SELECT set_config('work_mem', '77MB', false)",
		'SHOW work_mem', '77MB', '4MB' ],
	'set_config in a function' => [ 'SELECT sets()', 'SHOW work_mem',
		'88MB', '4MB' ],
	'a comment ahead' => [ "/* SELECT */ -- x\nSET work_mem = '77MB'",
		'SHOW work_mem', '77MB', '4MB' ],
	'behind another statement' => [ "SELECT 1; SET work_mem = '77MB'",
		'SHOW work_mem', '77MB', '4MB' ],
	'SET search_path' => [ 'SET search_path = nowhere',
		'SHOW search_path', 'nowhere', '"$user", public' ],
	'SET of a name with a dot' => [ "SET app.tenant = '42'",
		"SELECT current_setting('app.tenant', true)", '42', '' ],
	'SET TIME ZONE' => [ "SET TIME ZONE 'Asia/Tokyo'", 'SHOW TimeZone',
		'Asia/Tokyo', 'UTC' ],
	'SET NAMES' => [ "SET NAMES 'LATIN1'", 'SHOW client_encoding',
		'LATIN1', 'UTF8' ],
	'SET ROLE' => [ 'SET ROLE other', 'SELECT current_user', 'other',
		'app' ],
	'SET SESSION CHARACTERISTICS' => [ 'SET SESSION CHARACTERISTICS AS '
		. 'TRANSACTION READ ONLY', 'SHOW default_transaction_read_only',
		'on', 'off' ],
	'a temporary table' => [ 'CREATE TEMP TABLE mine AS SELECT 5 AS id',
		"SELECT to_regclass('mine') IS NOT NULL", 't', 'f' ],
	'SELECT INTO TEMP' => [ 'SELECT 5 AS id INTO TEMP mine',
		"SELECT to_regclass('mine') IS NOT NULL", 't', 'f' ],
	'a temporary sequence' => [ 'CREATE TEMP SEQUENCE mine',
		"SELECT to_regclass('mine') IS NOT NULL", 't', 'f' ],
	'LISTEN' => [ 'LISTEN news', 'SELECT count(*) FROM '
		. 'pg_listening_channels()', '1', '0' ],
	'an advisory lock' => [ 'SELECT pg_advisory_lock(4711)',
		"SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' "
		. 'AND pid = pg_backend_pid()', '1', '0' ],
	'PREPARE' => [ 'PREPARE mine AS SELECT 1', 'SELECT count(*) FROM '
		. "pg_prepared_statements WHERE name = 'mine'", '1', '0' ],
	'a cursor WITH HOLD' => [ 'DECLARE mine CURSOR WITH HOLD FOR SELECT 1',
		"SELECT count(*) FROM pg_cursors WHERE name = 'mine'", '1',
		'0' ],
	'DO' => [ "DO \$\$ BEGIN PERFORM set_config('work_mem', '77MB', "
		. 'false); END $$', 'SHOW work_mem', '77MB', '4MB' ],
	'currval' => [ "SELECT nextval('seq')",
		"SELECT currval('seq') IS NOT NULL", 't', 'error 55000' ],
);

while (my ($name, $state) = splice @states, 0, 2) {
	leaves($name, @$state);
}

transactions();
reasons();
executed();
fetched();
nested();
invisible();
together();
clean();
bounded();
limited();
rejected();
unread();
reset_all();
notified();

$t->done_testing();

###############################################################################

sub client {
	my ($port) = @_;

	return pg_client(port($port || 8080), user => 'app',
		database => 'shop', timeout => 10);
}

sub total {
	my ($name) = @_;
	return $t->status()->{upstreams}{$name || 'one'}{total};
}

sub value {
	my ($r) = @_;
	return $r->error() ? 'error ' . $r->state() : $r->value();
}

sub leaves {
	my ($name, $set, $ask, $mine, $others) = @_;

	# both protocols, and each way to leave

	for my $way ('Query, Terminate', 'Parse, reset') {
		my $full = "$name, $way";
		my $extended = $way =~ /^Parse/;

		next if $extended && $set =~ /;/;

		my $c = client();
		my $r = $extended ? $c->extended($set) : $c->query($set);

		is($r->state(), '', "$full, set");

		# more than once: it stays there

		for (1 .. 2) {
			my $got = value($c->query($ask));

			ref $mine ? like($got, $mine, "$full, its own")
				: is($got, $mine, "$full, its own");
		}

		# what can be carried to other connections does not pin

		is(total()->{pinned}, $name =~ /^(?:SET\b|set_config$|a comment|behind)/
			? 0 : 1, "$full, is counted");

		my $pid = $c->query($PID)->value();

		$extended ? $c->abort() : $c->close();

		ok(eval { wait_for(sub { total()->{pinned} == 0 }, 5) },
			"$full, is counted no more");

		my $d = client();

		is(value($d->query($ask)), $others, "$full, nobody else's");

		# a setting with a dot would be left as '', where it was NULL

		is($d->query($PID)->value(), $pid, "$full, not closed for it")
			if $set !~ /\bset_config|\bSET\b/ || $set =~ /DO/;
		$d->close();
	}
}

###############################################################################

# What ends with its transaction does not keep the connection.

sub transactions {
	my @blocks = (
		'SET LOCAL' => "SET LOCAL work_mem = '77MB'",
		'a lock of the transaction' =>
			'SELECT pg_advisory_xact_lock(4711)',
		'a cursor' => 'DECLARE c CURSOR FOR SELECT 1',
		'a savepoint' => 'SAVEPOINT s',
	);

	while (my ($name, $sql) = splice @blocks, 0, 2) {
		my $c = client();

		$c->query('BEGIN');
		is($c->query($sql)->state(), '', "$name, in a transaction");
		$c->query('COMMIT');
		$c->close();

		my $d = client();

		is($d->query('SHOW work_mem')->value(), '4MB',
			"$name, is gone for the next one");
		is($d->query('SELECT count(*) FROM pg_locks WHERE '
			. "locktype = 'advisory'")->value(), 0,
			"$name, no lock either");
		$d->close();
	}

	# rolled back: gone

	my $c = client();

	$c->query('BEGIN');
	$c->query("SET work_mem = '77MB'");
	$c->query('ROLLBACK');
	is($c->query('SHOW work_mem')->value(), '4MB', 'SET, rolled back');
	$c->close();
}

# Each reason ends in its own way, which the database has to confirm.

sub reasons {
	my @reasons = (
		listen => [ 'LISTEN news', 'UNLISTEN news' ],
		listen => [ 'LISTEN news', 'UNLISTEN *' ],
		listen => [ 'LISTEN news', 'DISCARD ALL' ],
		advisory_lock => [ 'SELECT pg_advisory_lock(1)',
			'SELECT pg_advisory_unlock(1)' ],
		advisory_lock => [ 'SELECT pg_try_advisory_lock(1, 2)',
			'SELECT pg_advisory_unlock_all()' ],
		advisory_lock => [ 'SELECT pg_advisory_lock_shared(1)',
			'SELECT pg_advisory_unlock_shared(1)' ],
		temporary => [ 'CREATE TEMP TABLE mine (id int)',
			'DROP TABLE mine' ],
		temporary => [ 'CREATE TEMP VIEW mine AS SELECT 1',
			'DROP VIEW mine' ],
		temporary => [ 'CREATE FUNCTION pg_temp.f() RETURNS int '
			. "LANGUAGE sql AS 'SELECT 1'",
			'DROP FUNCTION pg_temp.f()' ],
		temporary => [ "CREATE TYPE pg_temp.e AS ENUM ('a')",
			'DISCARD TEMP' ],
		cursor => [ 'DECLARE mine CURSOR WITH HOLD FOR SELECT 1',
			'CLOSE mine' ],
		cursor => [ 'DECLARE mine CURSOR WITH HOLD FOR SELECT 1',
			'CLOSE ALL' ],
		prepared => [ 'PREPARE mine AS SELECT 1', 'DEALLOCATE mine' ],
		prepared => [ 'PREPARE mine AS SELECT 1', 'DEALLOCATE ALL' ],
		sequence => [ "SELECT nextval('seq')", 'DISCARD SEQUENCES' ],
		sequence => [ "SELECT nextval('seq')", 'DISCARD ALL' ],
		setseed => [ 'SELECT setseed(0.5)', 'DISCARD ALL' ],
		advisory_lock => [ 'SELECT locks()',
			'SELECT pg_advisory_unlock(4712)' ],
	);

	while (my ($reason, $how) = splice @reasons, 0, 2) {
		for my $way ('query', 'extended') {
			my ($begin, $end) = @$how;
			my $name = "$begin, $end, $way";
			my $c = client(8081);
			my $pid = $c->query($PID)->value();

			$c->$way($begin);

			settled(two => $reason, 1, $name);

			# it stays, whatever else is done

			for my $sql ('SELECT 1', 'BEGIN', 'SELECT 1',
				'ROLLBACK', 'SELECT pg_advisory_unlock(99)',
				'SELECT 1 / 0', 'UNLISTEN nothing')
			{
				$c->$way($sql);
			}

			settled(two => $reason, 1, "$name, kept");

			is($c->$way($end)->state(), '', "$name, ended");

			settled(two => $reason, 0, "$name, over");
			is(total('two')->{pinned}, 0, "$name, no pin");
			is($c->query('SELECT count(*) FROM pg_stat_activity '
				. "WHERE pid = $pid")->value(), 1,
				"$name, the connection is there");

			$c->close();
		}
	}
}

sub settled {
	my ($upstream, $reason, $n, $name) = @_;

	my $got;

	eval {
		wait_for(sub {
			$got = total($upstream)->{pins}{$reason};
			$got == $n;
		}, 3);
	};

	is($got, $n, "$name: $reason");
}

# An EXECUTE, by SQL or by the protocol, is what was prepared.  Code that cannot
# be read is kept for by one of the servers, and looked at behind by the other.

sub executed {
	my @statements = (
		'nothing' => 'SELECT $1::int', '5', '', '',
		'a lock' => 'SELECT pg_advisory_lock($1)', '7',
			'advisory_lock', 'advisory_lock',
		'a sequence' => "SELECT nextval('seq') + \$1", '7', 'sequence',
			'sequence',
		'code' => 'SELECT locks(), $1::int', '7', 'advisory_lock',
			'advisory_lock function',
		'nothing, but its argument' => 'SELECT $1::int', 'five()',
			'advisory_lock', 'advisory_lock function',
	);

	while (my ($what, $sql, $arg, $reset, $pin) = splice @statements, 0, 5) {
		for my $way ('EXECUTE', 'EXPLAIN ANALYZE EXECUTE', 'protocol') {
			next if $arg =~ /\(/ && $way eq 'protocol';

			prepared_runs("$way of $what", 8081, 'two', $reset,
				$sql, $way, $arg);
			prepared_runs("$way of $what, kept for", 8084, 'four',
				$pin, $sql, $way, $arg);
		}
	}
}

sub prepared_runs {
	my ($name, $port, $upstream, $reason, $sql, $way, $arg) = @_;

	my $c = client($port);

	$c->query("PREPARE mine AS $sql");

	my $r = $way eq 'protocol' ? $c->execute_prepared('mine', $arg)
		: $c->query("$way mine($arg)");

	is($r->state(), '', "$name, it runs");
	$c->query('DEALLOCATE mine');
	settled($upstream => 'prepared', 0, "$name, it is gone");

	my $pins = total($upstream)->{pins};

	is(join(' ', grep { $pins->{$_} } sort keys %$pins), $reason,
		"$name, what is left");

	$c->query('SELECT pg_advisory_unlock_all()');
	$c->query('DISCARD ALL');
	$c->close();

	ok(eval { wait_for(sub { !total($upstream)->{pinned} }, 3) },
		"$name, no pin");
}

# Advisory locks are re-entrant, and outlive a ROLLBACK.

sub nested {
	my $c = client(8081);

	$c->query('SELECT pg_advisory_lock(1)') for 1, 2;
	$c->query('SELECT pg_advisory_unlock(1)');
	settled(two => 'advisory_lock', 1, 'taken twice, released once');
	$c->query('SELECT pg_advisory_unlock(1)');
	settled(two => 'advisory_lock', 0, 'released twice');

	$c->query('BEGIN');
	$c->query('SELECT pg_advisory_lock(1)');
	$c->query('ROLLBACK');
	settled(two => 'advisory_lock', 1, 'after a ROLLBACK');
	$c->query('SELECT pg_advisory_unlock(1)');
	settled(two => 'advisory_lock', 0, 'released');

	# what its transaction takes back

	for my $sql ('LISTEN news', 'CREATE TEMP TABLE mine (id int)',
		'DECLARE mine CURSOR WITH HOLD FOR SELECT 1')
	{
		$c->query('BEGIN');
		$c->query($sql);
		$c->query('ROLLBACK');

		ok(eval { wait_for(sub { total('two')->{pinned} == 0 }, 3) },
			"$sql, rolled back");
	}

	$c->query('BEGIN');
	$c->query('CREATE TEMP TABLE mine (id int) ON COMMIT DROP');
	$c->query('COMMIT');
	ok(eval { wait_for(sub { total('two')->{pinned} == 0 }, 3) },
		'ON COMMIT DROP');

	# in one unit

	$c->query('SELECT pg_advisory_lock(1); SELECT pg_advisory_unlock(1)');
	ok(eval { wait_for(sub { total('two')->{pinned} == 0 }, 3) },
		'taken and released in one query');
	$c->query("SELECT pg_advisory_unlock(1); LISTEN news");
	settled(two => 'listen', 1, 'at the end of one query');

	# many in one write, whose answers come one by one

	$c->send('Q', "$_\0") for ('UNLISTEN *', 'LISTEN news', 'SELECT 1',
		'UNLISTEN *', 'SELECT 1', 'LISTEN other', 'SELECT 1');
	$c->flush_out();
	$c->result() for 1 .. 7;
	settled(two => 'listen', 1, 'the last of many counts');

	$c->close();
	ok(eval { wait_for(sub { total('two')->{pinned} == 0 }, 3) },
		'gone with its client');
}

# A portal that a FETCH runs, and not an Execute.

sub fetched {
	my %ways = (
		'FETCH' => sub { $_[0]->query('FETCH ALL FROM cur') },
		'MOVE' => sub { $_[0]->query('MOVE cur') },
		'FETCH in a text' => sub { $_[0]->query('SELECT 1; FETCH cur') },
		'an executed FETCH' => sub { $_[0]->extended('FETCH cur') },
	);

	for my $way (sort keys %ways) {
		my ($c, $d) = (client(), client());

		$c->query('BEGIN');
		$c->parse('', 'SELECT set_config($1, $2, false)')
			->bind('cur', '', [ 'work_mem', '88MB' ])->sync()->result();
		$ways{$way}->($c);

		is($c->query('COMMIT')->state(), '', "$way of what sets");
		is(value($c->query('SHOW work_mem')), '88MB', "$way, its own");
		is(total()->{pinned}, 1, "$way, keeps the connection");

		$c->close();

		is(value($d->query('SHOW work_mem')), '4MB',
			"$way, nobody else's");
		$d->close();
	}

	# without one it is like any other

	my $c = client();

	$c->query('BEGIN');
	$c->parse('', "SELECT set_config('work_mem', '88MB', false)")
		->bind('cur', '')->sync()->result();
	$c->query('COMMIT');

	is(total()->{pinned}, 0, 'nothing is fetched');
	is(value($c->query('SHOW work_mem')), '4MB', '...and nothing set');
	$c->close();
}

# What code leaves that cannot be seen is taken away at its end.

sub invisible {
	my $c = client();

	is($c->query('SELECT nothing()')->value(), 7, 'a function of a user');
	ok(eval { wait_for(sub { total()->{pinned} == 0 }, 3) },
		'which leaves nothing');

	is($c->query('SELECT unseen()')->value(), 'unseen',
		'a function that leaves what cannot be seen');
	ok(eval { wait_for(sub { total()->{pinned} == 0 }, 3) },
		'is not kept for');
	is(value($c->query("SELECT current_setting('app.x', true)")) || '',
		'', 'no setting is left');
	is(value(client()->query("SELECT currval('seq')")), 'error 55000',
		'and no sequence');

	$c->close();
}

# Several reasons at once.

sub together {
	my $c = client(8081);

	$c->query('LISTEN news');
	$c->query('CREATE TEMP TABLE mine (id int)');
	$c->query("SELECT nextval('seq')");
	settled(two => $_, 1, 'together') for qw(listen temporary sequence);

	$c->query('UNLISTEN *');
	settled(two => 'listen', 0, 'one of three is over');
	is(total('two')->{pins}{temporary}, 1, 'two are not');

	$c->query('DROP TABLE mine');
	settled(two => 'temporary', 0, 'two of three are over');
	is(total('two')->{pinned}, 1, 'one is not');

	$c->query('DISCARD SEQUENCES');
	ok(eval { wait_for(sub { total('two')->{pinned} == 0 }, 3) },
		'now all are');
	$c->close();
}

# A client's own settings do not disturb the probe, and statements that were
# prepared are there for the others after it.

sub clean {
	my $c = client();

	$c->query('SET search_path = nowhere');
	$c->query("SET statement_timeout = '1ms'");
	$c->query('SET client_encoding = LATIN1');
	$c->query('LISTEN news');
	$c->query('UNLISTEN *');
	is($c->query('SELECT 5')->value(), 5, 'an odd session');
	$c->close();

	$c = client();
	$c->prepare('s', 'SELECT $1::int + 1');
	$c->query('LISTEN news');
	is($c->execute_prepared('s', 4)->value(), 5, 'prepared, pinned');
	$c->close();

	my $d = client();
	$d->prepare('x', 'SELECT $1::int + 1');
	is($d->execute_prepared('x', 5)->value(), 6, 'prepared, after a reset');
	is($d->query("SELECT count(*) FROM pg_settings WHERE source = 'session'")
		->value(), 0, 'no setting is left');
	$d->close();
}

# Who keeps a connection, keeps it from others.

sub bounded {
	my @c = map { client(8081) } 1 .. 3;

	$_->query("SET work_mem = '77MB'") for @c[0, 1];
	$_->query('LISTEN news') for @c[0, 1];

	is(total('two')->{pinned}, 2, 'both connections are kept');

	is($c[2]->query('SELECT 1')->state(), '53300',
		'a third client waits in vain');
	is($c[0]->query('SHOW work_mem')->value(), '77MB',
		'who has one goes on');

	$c[0]->close();

	is($c[2]->query('SHOW work_mem')->value(), '4MB',
		'a place comes back');
	is(total('two')->{pinned}, 1, 'one is kept');

	$_->close() for @c[1, 2];
}

# There are fewer pins than connections.

sub limited {
	my @c = map { client(8082) } 1 .. 3;

	$_->query('LISTEN news') for @c[0, 1];

	my $r = $c[2]->query('LISTEN news');
	is($r->state(), '53300', 'one pin too many');
	like($r->error()->{H}, qr/hyperdrive_session_state/, 'says where');
	is($r->status(), 'I', 'the client goes on');
	is($c[2]->query('SELECT 1')->value(), 1, 'with other things');

	$c[2]->query('BEGIN');
	is($c[2]->query('LISTEN news')->state(), '53300',
		'as the first of a block');
	is($c[2]->query('ROLLBACK')->status(), 'I', 'which has failed');

	$c[2]->query('BEGIN');
	$c[2]->query("UPDATE things SET v = 'lost' WHERE id = 1");
	$r = $c[2]->query('LISTEN news');
	is($r->error()->{S}, 'FATAL', 'later, nothing is made up');
	is($r->state(), '53300', 'the client is told why');

	$c[2] = client(8082);
	is($c[2]->query('SELECT v FROM things WHERE id = 1')->value(),
		'thing 1', 'and nothing is committed');

	$c[0]->query('UNLISTEN *');
	settled(three => 'listen', 1, 'one gives up');
	is($c[2]->query('LISTEN news')->state(), '', 'the next one may');

	$_->close() for @c;
	ok(eval { wait_for(sub { total('three')->{pinned} == 0 }, 3) },
		'all are gone');
}

# Nothing may be left at all.

sub rejected {
	my $c = client(8083);

	for my $sql ('LISTEN news', 'CREATE TEMP TABLE mine (id int)',
		'SELECT pg_advisory_lock(1)', "SELECT nextval('seq')")
	{
		my $r = $c->query($sql);

		is($r->state(), '0A000', "$sql, rejected");
		is($r->status(), 'I', "$sql, the client goes on");
		is($c->extended($sql)->state(), '0A000',
			"$sql, extended, rejected");
	}

	$c->send('Q', "$_\0") for ('SELECT 1', 'LISTEN news', 'SELECT 2');
	$c->flush_out();
	is($c->result()->value(), 1, 'in one write, before');
	is($c->result()->state(), '0A000', 'in one write, rejected');
	is($c->result()->value(), 2, 'in one write, behind');

	is($c->query('SELECT locks()')->value(), 'locked', 'code is not read');
	ok(eval { wait_for(sub { total('four')->{pinned} == 0 }, 3) },
		'nothing is kept');
	is($c->query("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")
		->value(), 0, 'but what it leaves is taken away');

	$c->query('BEGIN');
	is($c->query('SELECT 1')->value(), 1, 'in a block');
	is($c->query('LISTEN news')->error()->{S}, 'FATAL',
		'the connection ends');
	$c->close();
}

# Code that cannot be read, kept for.

sub unread {
	my $c = client(8084);

	is($c->query('SELECT unseen()')->value(), 'unseen', 'unread=pin');
	is($c->query("SELECT current_setting('app.x')")->value(), 5,
		'unread=pin, its own');
	settled(four => 'function', 1, 'unread=pin');
	my $pid = $c->query($PID)->value();
	$c->query('DISCARD ALL');
	settled(four => 'function', 0, 'unread=pin, DISCARD ALL');
	is($c->query($PID)->value(), $pid, 'unread=pin, used again');

	$c->query('SELECT nothing()');
	settled(four => 'function', 1, 'unread=pin, again');
	$c->close();

	my $d = client(8084);
	isnt($d->query($PID)->value(), $pid, 'unread=pin, closed at the end');
	$d->close();
}

# RESET and DISCARD by the client itself.

sub reset_all {
	my $c = client();

	$c->query("SET work_mem = '77MB'");
	$c->query('RESET ALL');
	is($c->query('SHOW work_mem')->value(), '4MB', 'RESET ALL');

	$c->query("SET work_mem = '77MB'");
	is($c->query('DISCARD ALL')->tag(), 'DISCARD ALL', 'DISCARD ALL');
	is($c->query('SHOW work_mem')->value(), '4MB', 'and after it');

	# what is cached is not for a session of its own

	$c->query("SET search_path = pg_catalog");
	is($c->query('SELECT v FROM things WHERE id = 1')->state(), '42P01',
		'a table that is not in its search_path');
	$c->close();

	my $d = client();

	is($d->query('SELECT v FROM things WHERE id = 1')->value(), 'thing 1',
		'but in that of others') for 1 .. 2;
	$d->close();

	$c = client();
	$c->query("SET search_path = pg_catalog");
	is($c->query('SELECT v FROM things WHERE id = 1')->state(), '42P01',
		'also when it is cached');
	$c->close();
}

# Notifications reach who listens, at once, and nobody else.

sub notified {
	my $c = client(8081);
	my $d = client(8081);

	$c->query('LISTEN news');
	$d->query("NOTIFY news, 'hello'");

	my $m = $c->read_message(30);

	is($m && $m->{type}, 'A', 'a notification while nothing is asked');
	is($m && $m->{payload}, 'hello', 'and what it says');

	is(scalar($d->notifications()), 0, 'nobody else is told');
	is($d->query('SELECT 1')->types(), 'TDCZ', 'now or later');

	# one's own are told from those of others by the process's number

	isnt($m && $m->{pid}, $c->pid(), 'it was somebody else');

	$c->query("NOTIFY news, '$_'") for 1 .. 3;
	$c->query("NOTIFY news, 'a'; NOTIFY news, 'b'");

	is(join(' ', map { $_->{payload} } grep { $_->{pid} == $c->pid() }
		$c->notifications()), '1 2 3 a b', 'what one says oneself');

	$_->close() for $c, $d;
}

###############################################################################
