#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: what a client leaves in its session of the database is
# its own: it keeps the connection, which nobody else gets afterwards.

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
CREATE FUNCTION sets() RETURNS text LANGUAGE sql AS
    $$ SELECT set_config('work_mem', '88MB', false) $$;
RESET ROLE;
CREATE ROLE other;
GRANT other TO app;

EOS

my $url = 'postgres://app:pw@127.0.0.1:' . $pg->port()
	. '/shop?sslmode=disable';

$t->write_file_expand('nginx.conf', <<"EOS")->run();

%%TEST_GLOBALS%%

events {
}

%%TEST_STATUS%%

stream {
    hyperdrive_cache_zone  shop 8m;

    hyperdrive_users  off;

    upstream one {
        hyperdrive_origin  $url&application_name=one;
        hyperdrive_pool    max=1 wait=500ms;
    }

    upstream two {
        hyperdrive_origin  $url&application_name=two;
        hyperdrive_pool    max=2 wait=500ms;
    }

    server {
        listen            127.0.0.1:8080;
        hyperdrive_pass   one;
        hyperdrive_cache  shop;
    }

    server {
        listen           127.0.0.1:8081;
        hyperdrive_pass  two;
    }
}

EOS

###############################################################################

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
		"SELECT current_setting('app.tenant', true)", '42', undef ],
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
bounded();
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

		is(total()->{pinned}, 1, "$full, is counted")
			if $name ne 'currval';

		$extended ? $c->abort() : $c->close();

		ok(eval { wait_for(sub { total()->{pinned} == 0 }, 5) },
			"$full, is counted no more");

		my $d = client();

		is(value($d->query($ask)), $others, "$full, nobody else's");
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

# Who keeps a connection, keeps it from others.

sub bounded {
	my @c = map { client(8081) } 1 .. 3;

	$_->query("SET work_mem = '77MB'") for @c[0, 1];

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

	my $m = $c->read_message(5);

	is($m && $m->{type}, 'A', 'a notification while nothing is asked');
	is($m && $m->{payload}, 'hello', 'and what it says');

	is(scalar($d->notifications()), 0, 'nobody else is told');
	is($d->query('SELECT 1')->types(), 'TDCZ', 'now or later');

	$_->close() for $c, $d;
}

###############################################################################
