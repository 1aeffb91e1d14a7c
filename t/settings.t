#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: each client sees its own settings, on connections that
# it shares with others, and is told of them as by the database.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive;
use Test::Hyperdrive::Process qw(wait_for);

###############################################################################

my $t = Test::Hyperdrive->new();

my $pg = $t->postgres(users => { app => 'pw' }, databases => [ 'shop' ],
	sql => { shop => <<'EOS' });

CREATE SCHEMA one;
CREATE SCHEMA two;
CREATE SCHEMA "Three x";
CREATE TABLE one.things (v text);
CREATE TABLE two.things (v text);
INSERT INTO one.things VALUES ('of one');
INSERT INTO two.things VALUES ('of two');
GRANT USAGE ON SCHEMA one, two TO app;
GRANT SELECT ON one.things, two.things TO app;
GRANT INSERT ON one.things TO app;
CREATE ROLE other;
CREATE ROLE third;
GRANT other, third TO app;
CREATE ROLE boss SUPERUSER;
GRANT boss TO app;

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

    upstream one {
        hyperdrive_origin  $url;
        hyperdrive_pool    max=1 wait=20s;
        hyperdrive_catalog refresh=1h;
    }

    upstream two {
        hyperdrive_origin  $url;
        hyperdrive_pool    max=2 wait=20s;
    }

    server {
        listen                    127.0.0.1:8080;
        hyperdrive_pass           one;
        hyperdrive_session_state  pin unread=reset;
    }

    server {
        listen                       127.0.0.1:8081;
        hyperdrive_pass              one;
        hyperdrive_session_settings  transaction;
    }

    # no catalog is read here, which would need a connection as well

    upstream three {
        hyperdrive_origin   $url;
        hyperdrive_pool     max=2 wait=20s;
        hyperdrive_catalog  off;
    }

    server {
        listen            127.0.0.1:8082;
        hyperdrive_pass   two;
        hyperdrive_cache  shop;
    }

    server {
        listen           127.0.0.1:8083;
        hyperdrive_pass  three;
    }
}

EOS

###############################################################################

forms();
halves();
transactions();
config();
roles();
lent();
startup();
reports();
errors();
revoked();
arrangements();
transaction_mode();
cached();
matching();
behind();
ended();
counted();
leaving();
defaults();

$t->done_testing();

###############################################################################

sub client {
	my (%o) = @_;
	my $port = delete $o{port} || 8080;

	return pg_client(port($port), user => 'app', database => 'shop',
		timeout => 10, %o);
}

# the same without nginx

sub direct {
	return pg_client($pg->port(), user => 'app', password => 'pw',
		database => 'shop', timeout => 10, @_);
}

sub total {
	my ($name) = @_;
	return $t->status()->{upstreams}{$name || 'one'}{total};
}

sub value {
	my ($r) = @_;
	return $r->error() ? 'error ' . $r->state() : $r->value();
}

# A name with a dot that was set once on a connection is empty behind a RESET,
# for whoever gets it, where it was unknown before.

sub show {
	my ($c, $name) = @_;
	my $value = value($c->query("SHOW $name"));

	return $name =~ /\./ && $value eq 'error 42704' ? '' : $value;
}

###############################################################################

# Two clients in turns over one connection, by each form of SET and protocol.

sub forms {
	my @forms = (
		[ "SET work_mem = '77MB'", 'work_mem' ],
		[ 'SET work_mem TO 77000', 'work_mem' ],
		[ "SET SESSION work_mem = '77MB'", 'work_mem' ],
		[ 'set "work_mem" to \'77MB\' ; ', 'work_mem' ],
		[ "/* SELECT */ SET -- x\n work_mem = '77MB'", 'work_mem' ],
		[ 'SET search_path = one', 'search_path' ],
		[ 'SET search_path TO one, "Three x", "table", pg_catalog',
			'search_path' ],
		[ "SET search_path = 'one, two'", 'search_path' ],
		[ "SET search_path = ''", 'search_path' ],
		[ "SET SCHEMA 'Three x'", 'search_path' ],
		[ 'SET search_path = "$user", public', 'search_path' ],
		[ 'SET DateStyle = SQL, DMY', 'DateStyle' ],
		[ 'SET DateStyle = ymd', 'DateStyle' ],
		[ "SET DateStyle TO 'german'; SET DateStyle TO iso",
			'DateStyle' ],
		[ "SET TIME ZONE 'Asia/Tokyo'", 'TimeZone' ],
		[ 'SET TIME ZONE -7', 'TimeZone' ],
		[ 'SET TIME ZONE LOCAL', 'TimeZone' ],
		[ 'SET TIMEZONE TO UTC', 'TimeZone' ],
		[ "SET NAMES 'LATIN1'", 'client_encoding' ],
		[ 'SET enable_seqscan = off', 'enable_seqscan' ],
		[ 'SET enable_seqscan = false', 'enable_seqscan' ],
		[ 'SET seq_page_cost = 1.5', 'seq_page_cost' ],
		[ 'SET geqo_seed = .25', 'geqo_seed' ],
		[ 'SET extra_float_digits = -2', 'extra_float_digits' ],
		[ "SET app.tenant = 'O''Brien \\ \"x\"'", 'app.tenant' ],
		[ "SET app.tenant = E'a\\\\b'", 'app.tenant' ],
		[ 'SET app.tenant = $x$a\'b$x$', 'app.tenant' ],
		[ 'SET app.tenant = 007', 'app.tenant' ],
		[ 'SET "App".Tenant = MiXed', 'app.tenant' ],
		[ 'SET ROLE other', 'role' ],
		[ "SET ROLE 'other'", 'role' ],
		[ 'SET role = third', 'role' ],
		[ 'SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY',
			'default_transaction_read_only' ],
		[ 'SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL '
			. 'REPEATABLE READ', 'transaction_isolation' ],
		[ 'SET XML OPTION DOCUMENT', 'xmloption' ],
		[ "SELECT set_config('work_mem', '77MB', false)", 'work_mem' ],
		[ "SELECT pg_catalog.set_config('search_path', 'one,two', "
			. 'false)', 'search_path' ],
		[ "SELECT set_config('search_path', '', false)",
			'search_path' ],
		[ "SELECT set_config('app.a', 'x', false) AS a, "
			. "set_config('App.B', 'y'::text, 'f'::bool)", 'app.b' ],
		[ "SET work_mem = '1MB'; SET work_mem = '77MB'; SELECT 1",
			'work_mem' ],
		[ "BEGIN; SET work_mem = '77MB'; COMMIT", 'work_mem' ],
	);

	for my $form (@forms) {
		my ($set, $name) = @$form;

		for my $way ('query', 'extended') {
			next if $way eq 'extended' && $set =~ /; ?\S/;

			my $full = "$set, $way";

			my $d = direct();
			my $before = show($d, $name);
			$d->$way($set);
			my $after = show($d, $name);
			$d->close();

			my $c = client();
			my $o = client();

			is(show($o, $name), $before, "$full, before");

			my $pinned = total()->{pinned_total};

			is($c->$way($set)->state(), '', "$full, set");

			for (1 .. 2) {
				is(show($c, $name), $after, "$full, its own");
				is(show($o, $name), $before, "$full, the other");
			}

			is(total()->{pinned_total}, $pinned,
				"$full, does not pin");

			$_->close() for $c, $o;

			my $n = client();
			is(show($n, $name), $before, "$full, nobody else's");
			$n->close();
		}
	}
}

# DateStyle is two settings: what a SET does not name stays as it was, not as
# others have left it.

sub halves {
	my $o = client();

	for my $half ([ 'Postgres, MDY', 'ymd', 'Postgres, YMD' ],
		[ 'Postgres, MDY', 'iso', 'ISO, MDY' ],
		[ undef, 'ymd', 'ISO, YMD' ], [ undef, 'sql', 'SQL, MDY' ],
		[ 'SQL', 'european', 'SQL, DMY' ],
		[ 'dmy', 'german', 'German, DMY' ])
	{
		my ($start, $set, $expected) = @$half;
		my $name = ($start // 'nothing') . " and $set";

		my $c = client(params => {
			$start ? (DateStyle => $start) : () });
		$c->query("SET DateStyle TO $set");

		for my $other ('German, DMY', 'SQL, MDY', 'ISO, YMD') {
			$o->query("SET DateStyle TO $other");
			is(show($o, 'DateStyle'), $other, "$name, $other");
			is(show($c, 'DateStyle'), $expected,
				"$name, behind $other");
		}

		$c->close();
	}

	$o->close();
}

# Transactions and savepoints; what is local ends with them.

sub transactions {
	my $o = client();

	my @scripts = (
		[ 'BEGIN', "SET work_mem = '11MB'", 'COMMIT' ],
		[ 'BEGIN', "SET work_mem = '11MB'", 'ROLLBACK' ],
		[ 'BEGIN', "SET work_mem = '11MB'", 'SELECT 1/0', 'COMMIT' ],
		[ 'BEGIN', "SET LOCAL work_mem = '11MB'", 'COMMIT' ],
		[ 'BEGIN', "SET LOCAL work_mem = '11MB'",
			"SET work_mem = '12MB'", 'COMMIT' ],
		[ 'BEGIN', "SET work_mem = '11MB'",
			"SET LOCAL work_mem = '12MB'", 'COMMIT' ],
		[ 'BEGIN', "SET work_mem = '11MB'", 'SAVEPOINT a',
			"SET work_mem = '12MB'", 'ROLLBACK TO a', 'COMMIT' ],
		[ 'BEGIN', 'SAVEPOINT a', "SET work_mem = '12MB'",
			'ROLLBACK TO SAVEPOINT a', 'COMMIT' ],
		[ 'BEGIN', "SET work_mem = '11MB'", 'SAVEPOINT a',
			"SET work_mem = '12MB'", 'SAVEPOINT A',
			"SET work_mem = '13MB'", 'RELEASE a',
			'ROLLBACK TO "a"', 'COMMIT' ],
		[ 'BEGIN', "SET work_mem = '11MB'", 'SAVEPOINT a',
			"SET work_mem = '12MB'", 'SELECT 1/0',
			'ROLLBACK TO a', 'COMMIT' ],
		[ "SET work_mem = '10MB'", 'BEGIN', 'RESET work_mem',
			'ROLLBACK' ],
		[ "SET work_mem = '10MB'", 'BEGIN', 'RESET ALL', 'COMMIT' ],
		[ "SET work_mem = '10MB'", 'DISCARD ALL' ],
		[ "SET work_mem = '10MB'", 'SET work_mem TO DEFAULT' ],
		[ "SET work_mem = '10MB'; SET work_mem = 'x'" ],
		[ "SET work_mem = '10MB'; COMMIT; SET work_mem = 'x'" ],
		[ "BEGIN; SET work_mem = '10MB'; ROLLBACK" ],
		[ "BEGIN; SET work_mem = '11MB'; SAVEPOINT a; "
			. "SET work_mem = '12MB'; ROLLBACK TO a; COMMIT" ],
		[ 'BEGIN', "SET work_mem = '11MB'; SAVEPOINT a",
			"SET work_mem = '12MB'; ROLLBACK TO a; COMMIT" ],
		[ "BEGIN; SET work_mem = '11MB'; ROLLBACK AND CHAIN; "
			. "SET work_mem = '12MB'; COMMIT" ],
		[ "BEGIN; SET work_mem = '11MB'; ROLLBACK; "
			. "BEGIN; SET work_mem = '12MB'; COMMIT" ],
		[ 'BEGIN', "SET work_mem = '11MB'", 'SELECT 1/0',
			"COMMIT; SET work_mem = '12MB'" ],
		[ 'BEGIN', "SET work_mem = '11MB'", 'SELECT 1/0',
			"COMMIT; BEGIN; SET work_mem = '12MB'; COMMIT" ],
		[ "SET LOCAL work_mem = '10MB'" ],
		[ 'START TRANSACTION', "SET work_mem = '11MB'",
			'COMMIT AND CHAIN', "SET work_mem = '12MB'",
			'ROLLBACK' ],
		[ 'BEGIN', "SELECT set_config('work_mem', '11MB', true)",
			'END' ],
		[ 'BEGIN', "SELECT set_config('work_mem', '11MB', false)",
			'ABORT' ],
		[ 'BEGIN', 'SET TRANSACTION ISOLATION LEVEL SERIALIZABLE',
			"SET work_mem = '11MB'", 'COMMIT' ],
	);

	for my $script (@scripts) {

		for my $way ('query', 'extended') {
			next if $way eq 'extended' && grep { /;/ } @$script;

			my $full = join('; ', @$script) . ", $way";

			my $d = direct();
			my $c = client();

			for (@$script) {
				is($c->$way($_)->state(), $d->$way($_)->state(),
					"$full: $_");
			}

			my $want = show($d, 'work_mem');

			is(show($c, 'work_mem'), $want, "$full, its own");
			is(show($o, 'work_mem'), '4MB', "$full, others");
			is(show($c, 'work_mem'), $want, "$full, still");

			$_->close() for $c, $d;
		}
	}

	$o->close();
}

# set_config() with parameters, as libraries for row-level security do.

sub config {
	my $c = client();
	my $o = client();
	my $pinned = total()->{pinned_total};

	my $sql = 'SELECT set_config($1, $2, $3)';

	is($c->extended($sql, 'app.tenant', 'seven', 'f')->state(),
		'', 'parameters');
	is(show($o, 'work_mem'), '4MB', 'another one has the connection');
	is(show($c, 'app.tenant'), 'seven', '...and it is back');

	is($c->extended("SELECT set_config('app.tenant', \$1, false)",
		'eight')->state(), '', 'one parameter');
	is(show($o, 'work_mem'), '4MB', '...of two clients');
	is(show($c, 'app.tenant'), 'eight', '...seen');

	$c->extended($sql, 'app.tenant', 'nine', 't');
	is(show($o, 'work_mem'), '4MB', 'local, outside of a transaction');
	is(show($c, 'app.tenant'), 'eight', '...is nothing');

	is(total()->{pinned_total}, $pinned, 'it does not pin');

	$_->close() for $c, $o;
}

sub roles {
	my $c = client();
	my $o = client();

	$c->query('SET ROLE other');
	is(value($c->query('SELECT current_user')), 'other', 'SET ROLE');
	is(value($o->query('SELECT current_user')), 'app', '...not for others');

	$o->query('SET ROLE third');
	is(value($c->query('SELECT current_user')), 'other', 'one role');
	is(value($o->query('SELECT current_user')), 'third', '...and another');

	$c->query('RESET ALL');
	is(value($o->query('SELECT current_user')), 'third', 'RESET ALL');
	is(value($c->query('SELECT current_user')), 'other',
		'...leaves the role');

	$c->query('RESET ROLE');
	is(value($o->query('SELECT current_user')), 'third', 'RESET ROLE');
	is(value($c->query('SELECT current_user')), 'app', '...does not');

	$o->query('SET ROLE NONE');
	is(value($c->query('SELECT current_user')), 'app', 'SET ROLE NONE');
	is(value($o->query('SELECT current_user')), 'app', '...is none');

	is($c->query('SET SESSION AUTHORIZATION other')->state(), '42501',
		'what is not allowed');
	is(value($o->query('SELECT session_user')), 'app', '...is not done');

	$_->close() for $c, $o;
}

# What only the role may set cannot be set again by the user of the log-in.

sub lent {
	my $c = client(port => 8082);
	my $o = client(port => 8082);
	my $pinned = total('two')->{pinned_total};

	$c->query('SET ROLE boss');
	is($c->query("SET log_min_messages = 'error'")->state(), '',
		'a setting that takes a role');
	is(total('two')->{pinned_total}, $pinned + 1, '...pins');
	is(show($o, 'log_min_messages'), 'warning', '...not for others');

	$c->query('RESET ROLE');
	is(show($c, 'log_min_messages'), 'error', '...and stays');
	is($c->query("SET log_min_messages = 'info'")->state(), '42501',
		'...though it may not be set any more');

	$_->close() for $c, $o;
}

# Start-up parameters: seen, gone back to, and refused, as directly.

sub startup {
	my %params = (
		application_name => 'me',
		DateStyle => 'SQL, DMY',
		search_path => 'one,two',
		options => '-c work_mem=11MB --app.tenant=a\\ b',
		TimeZone => 'Asia/Tokyo',
	);

	my @names = qw(application_name DateStyle search_path work_mem
		app.tenant TimeZone);

	for my $round (1 .. 2) {
		my $d = direct(params => \%params);
		my $c = client(params => \%params);
		my $o = client();

		is_deeply({ %{$c->parameters()}, map { $_ => '' } () },
			$d->parameters(), "told at log-in, round $round");

		for my $name (@names) {
			is(show($c, $name), show($d, $name),
				"$name, round $round");
			isnt(show($o, $name), show($d, $name),
				"$name of others, round $round")
				unless $name eq 'app.tenant';
		}

		$_->query("SET work_mem = '5MB'") for $c, $d;
		is(show($c, 'work_mem'), '5MB', 'set');
		$_->query('RESET work_mem') for $c, $d;
		is(show($c, 'work_mem'), '11MB', 'RESET goes back to it');
		is(show($o, 'work_mem'), '4MB', '...and others do not');

		$_->query('RESET ALL') for $c, $d;
		is(show($c, $_), show($d, $_), "RESET ALL, $_") for @names;

		$_->query('DISCARD ALL') for $c, $d;
		is(show($c, $_), show($d, $_), "DISCARD ALL, $_") for @names;

		$_->close() for $c, $d, $o;
	}

	for my $bad ({ TimeZone => 'No/Where' }, { work_mem => 'x' },
		{ 'no_such' => '1' }, { options => '-c work_mem=y' },
		{ client_encoding => 'KLINGON' })
	{
		my $name = join ' ', %$bad;
		my $d = direct(params => $bad, quiet => 1);
		my $c = client(params => $bad, quiet => 1);

		is($c->error() && $c->error()->{C}, $d->error()->{C},
			"$name, its SQLSTATE");
		is($c->error() && $c->error()->{S}, 'FATAL',
			"$name, refused at log-in");
	}

	my $c = client(params => { log_disconnections => 'on' }, quiet => 1);
	ok($c->error(), 'what is not settable is left to a log-in');
}

# ParameterStatus, message by message.

sub reports {
	my @script = (
		"SET TimeZone = 'Asia/Tokyo'",
		"SET TimeZone = 'Asia/Tokyo'",
		'BEGIN', "SET DateStyle = 'German'", 'ROLLBACK',
		"SET application_name = 'x'; SET application_name = 'y'",
		'SELECT 1',
		'SET client_encoding = LATIN1',
		'SET standard_conforming_strings = off',
		"SELECT 'a\\'b'",
		'RESET standard_conforming_strings',
		'RESET ALL',
		"SET IntervalStyle = 'iso_8601'",
		'DISCARD ALL',
	);

	my $c = client();
	my $d = direct();
	my $o = client();

	for (@script) {
		my $want = $d->query($_);
		my $got = $c->query($_);

		is($got->types(), $want->types(), "reported by $_");
		is_deeply($c->parameters(), $d->parameters(),
			"...the values");

		# in between the connection is somebody else's

		$o->query("SET TimeZone = 'Europe/Paris'")
			if $c->status() eq 'I';
	}

	$_->close() for $c, $d, $o;
}

# What cannot be set any more is an error of the unit.

sub errors {
	$pg->psql('CREATE ROLE gone; GRANT gone TO app');

	my $c = client();
	my $o = client();

	$c->query('SET ROLE gone');
	is(value($c->query('SELECT current_user')), 'gone', 'a role');
	is(value($o->query('SELECT current_user')), 'app', 'another one');

	$pg->psql('DROP ROLE gone');

	is($c->query('SELECT 1')->types(), 'EZ', 'it is gone: a Query');
	is($c->query('SELECT 1')->state(), '22023', '...its SQLSTATE');
	is($c->extended('SELECT 1')->types(), 'EZ', '...Parse and Bind');
	is($c->query("SELECT 1; SELECT 2")->types(), 'EZ', '...two statements');
	is($c->query('VACUUM one.things')->types(), 'EZ', '...VACUUM');

	is(value($o->query('SELECT current_user')), 'app',
		'others do not notice');

	is($c->query('SET ROLE gone')->state(), '22023', '...SET ROLE to it');
	is($c->query('SELECT 1')->state(), '22023', '...changes nothing');
	is($c->query('RESET ROLE')->state(), '', '...and it can be left');
	is(value($c->query('SELECT current_user')), 'app', '...for none');

	$_->close() for $c, $o;

	$c = client();
	is($c->query('SELECT 1')->state(), '', 'the pool works');
	$c->close();
}

# A role that is taken away while it is set can be left in each way.

sub revoked {
	my @ways = (
		[ 'RESET ROLE', 'app' ],
		[ 'SET ROLE NONE', 'app' ],
		[ 'SET ROLE other', 'other' ],
		[ 'SET SESSION AUTHORIZATION DEFAULT', 'app' ],
		[ 'DISCARD ALL', 'app' ],
	);

	my $i = 0;

	for my $way (@ways) {
		my ($sql, $role) = @$way;

		$pg->psql('CREATE ROLE taken; GRANT taken TO app');

		my $c = client();
		my $o = client();

		$c->query('SET ROLE taken');
		$c->query("SET work_mem = '31MB'");
		is(value($c->query('SELECT current_user')), 'taken',
			"$sql: a role");

		# (the connection that has it)
		$o->query('SELECT 1');

		$pg->psql('REVOKE taken FROM app');

		is($c->query('SELECT 1')->state(), '42501',
			"$sql: it is taken away");
		is(($i++ % 2 ? $c->extended($sql) : $c->query($sql))->state(),
			'', "$sql: is possible");
		is(value($c->query('SELECT current_user')), $role,
			"$sql: is done");
		is(show($c, 'work_mem'), $sql =~ /DISCARD/ ? '4MB' : '31MB',
			"$sql: for the rest");
		is(value($o->query('SELECT current_user')), 'app',
			"$sql: for nobody else");

		$_->close() for $c, $o;
		$pg->psql('DROP ROLE taken');
	}
}

# Whatever comes first on a connection with other settings.

sub arrangements {
	my $c = client();
	my $o = client();
	my $n = 0;

	$c->query("SET work_mem = '31MB'");
	$o->query("SET work_mem = '32MB'");

	my @units = (
		[ 'a Query', sub { $c->query('SHOW work_mem') } ],
		[ 'the extended protocol',
			sub { $c->extended('SHOW work_mem') } ],
		[ 'several statements',
			sub { $c->query('SELECT 1; SHOW work_mem') } ],
		[ 'BEGIN with an isolation level', sub {
			$c->query('BEGIN ISOLATION LEVEL SERIALIZABLE');
			my $r = $c->query('SHOW work_mem');
			$c->query('COMMIT');
			return $r;
		} ],
		[ 'SET TRANSACTION', sub {
			$c->query('BEGIN');
			is($c->query('SET TRANSACTION ISOLATION LEVEL '
				. 'SERIALIZABLE')->state(), '',
				'SET TRANSACTION as the first');
			my $r = $c->query('SHOW work_mem');
			$c->query('COMMIT');
			return $r;
		} ],
		[ 'VACUUM', sub {
			is($c->query('VACUUM')->state(), '', 'VACUUM');
			return $c->query('SHOW work_mem');
		} ],
		[ 'COPY', sub { $c->query('COPY (SELECT current_setting('
			. "'work_mem')) TO STDOUT") } ],

		# it keeps the connection

		[ 'DO', sub {
			return $c->query("DO \$\$ BEGIN IF current_setting("
				. "'work_mem') <> '31MB' THEN RAISE 'no'; "
				. 'END IF; END $$');
		} ],
	);

	for my $unit (@units) {
		my ($name, $code) = @$unit;

		is(show($o, 'work_mem'), '32MB', "$name, the other");

		my $r = $code->();

		is($r->state(), '', "$name, no error");
		is(value($r), '31MB', $name) if defined value($r)
			&& $name !~ /DO|COPY|several/;
	}

	$_->close() for $c, $o;
}

# hyperdrive_session_settings transaction

sub transaction_mode {
	my $c = client(port => 8081);

	is($c->query("SET work_mem = '21MB'")->tag(), 'SET', 'it is set');
	is(show($c, 'work_mem'), '4MB', '...for its query only');

	$c->query('BEGIN');
	$c->query("SET work_mem = '21MB'");
	is(show($c, 'work_mem'), '21MB', 'in a transaction');
	$c->query('COMMIT');
	is(show($c, 'work_mem'), '4MB', '...to its end');

	is(value($c->query("SET work_mem = '22MB'; SHOW work_mem")), '22MB',
		'in one Query');
	is(show($c, 'work_mem'), '4MB', '...and no longer');

	$c->close();

	$c = client(port => 8081, params => { work_mem => '23MB' });
	is(show($c, 'work_mem'), '23MB', 'a start-up parameter stays');
	$c->query("SET work_mem = '22MB'");
	is(show($c, 'work_mem'), '23MB', '...and is come back to');
	$c->close();
}

# Who has set something uses the cache, but not the answers of others.

sub cached {
	my %c = map { $_ => client(port => 8082) } qw(one two);

	$c{$_}->query("SET search_path = $_") for keys %c;

	for my $round (1 .. 3) {
		for (sort keys %c) {
			is(value($c{$_}->query('SELECT v FROM things')),
				"of $_", "things of $_, round $round");
		}
	}

	$_->close() for values %c;
}

# Nothing is sent where nothing differs.

sub matching {
	my @c = map { client(port => 8083) } 1 .. 4;

	$_->query("SET work_mem = '41MB'") for @c[0, 1];

	# both connections are there, one of each kind

	for my $sql ('BEGIN', 'SELECT 1', 'COMMIT') {
		$_->query($sql) for @c[0, 2];
	}

	my $aligned = total('three')->{aligned};

	for (1 .. 10) {
		$_->query('SHOW work_mem') for @c;
	}

	cmp_ok(total('three')->{aligned} - $aligned, '<=', 1,
		'a connection that suits is preferred');

	$_->close() for @c;
}

# The first of several units, which takes the settings along, may roll them
# back: what is sent behind it must not see another client's.

sub behind {
	my ($c, $o) = map { client() } 1 .. 2;

	$c->query("SET work_mem = '61MB'");
	$o->query("SET work_mem = '62MB'");

	my @first = (
		[ 'an error', sub { $c->send('Q', "SELECT 1 / 0\0") } ],
		[ 'an error, extended', sub { $c->parse('', 'SELECT 1 / 0')
			->bind('', '', [])->execute('')->sync() } ],
		[ 'a block that is left', sub { $c->send('Q',
			"BEGIN; SELECT 1; ROLLBACK\0") } ],
		[ 'one in pieces', sub { $c->send('Q', "BEGIN\0")
			->send('Q', "SELECT 1\0")->send('Q', "ROLLBACK\0") },
			3 ],
		[ 'an error in a block', sub { $c->send('Q', "BEGIN\0")
			->send('Q', "SELECT 1 / 0\0")
			->send('Q', "ROLLBACK\0") }, 3 ],
	);

	is(show($o, 'work_mem'), '62MB', 'the other client');
	is($c->query('BEGIN; ROLLBACK; SHOW work_mem')->value(), '61MB',
		'a block that is left, in one text');

	# what belongs to the first one goes on

	is(show($o, 'work_mem'), '62MB', 'the other client');
	$c->send('Q', "COPY one.things FROM STDIN\0");
	is(($c->read_until('GE'))[-1]->{type}, 'G', 'a COPY');
	$c->send('d', "of one\n")->send('f', "no more\0");
	is($c->result()->state(), '57014', '...to its end');

	for my $first (@first) {
		my ($name, $code, $n) = @$first;

		is(show($o, 'work_mem'), '62MB', 'the other client');

		$code->();
		$c->send('Q', "SHOW work_mem\0");
		$c->parse('', 'SHOW work_mem')->bind('', '', [])->execute('')
			->sync();

		$c->result() for 1 .. $n || 1;

		is(value($c->result()), '61MB', "behind $name");
		is(value($c->result()), '61MB', '...and behind that');
	}

	$_->close() for $c, $o;
}

# What the database itself counts: the settings of two clients are the same.

# Settings that come with a block are gone with it, for those who read on in the
# same text or group.

sub ended {
	my $show = "SELECT current_setting('work_mem') || ' '"
		. " || current_setting('search_path') || ' ' || current_user";
	my $mine = '7MB mine app';

	my %ways = (
		'a text' => sub { $_[0]->query("ROLLBACK; $show")->column() },
		'a text, a new block' => sub {
			my $rows = $_[0]->query("ROLLBACK; BEGIN; $show")->column();
			$_[0]->query('ROLLBACK');
			return $rows;
		},
		'a text, a chain' => sub {
			my $rows = $_[0]->query("ROLLBACK AND CHAIN; $show")
				->column();
			$_[0]->query('COMMIT');
			return $rows;
		},
		'a text, twice' => sub {
			$_[0]->query("ROLLBACK; BEGIN; ROLLBACK; $show")->column()
		},
		'a text, SET in a new block' => sub {
			$_[0]->query("ROLLBACK; BEGIN; SET work_mem = '8MB'; "
				. "ROLLBACK; $show")->column()
		},
		'a text, COMMIT' => sub { $_[0]->query("COMMIT; $show")->column() },
		'a text, COMMIT of what failed' => sub {
			$_[0]->query('SELECT 1/0');
			return $_[0]->query("COMMIT; $show")->column();
		},
		'a text, behind what fails' => sub {
			$_[0]->send('Q', "SELECT 1/0\0");
			$_[0]->send('Q', "COMMIT; $show\0")->flush_out();
			$_[0]->result();
			return $_[0]->result()->column();
		},
		'a group' => sub { group($_[0], 'ROLLBACK', $show) },
		'a group, SET in a new block' => sub {
			group($_[0], 'ROLLBACK', 'BEGIN',
				"SET work_mem = '8MB'", 'ROLLBACK', $show)
		},
		'a group, committed' => sub {
			my $rows = group($_[0], 'ROLLBACK', 'BEGIN',
				"SET work_mem = '8MB'", 'COMMIT', 'ROLLBACK',
				$show);
			is($rows->[-1], '8MB mine app', 'a COMMIT counts');
			$_[0]->query("SET work_mem = '7MB'");
			return [ $mine ];
		},
		'a group, COMMIT of what failed' => sub {
			$_[0]->query('SELECT 1/0');
			return group($_[0], 'COMMIT', $show);
		},
		'a group, all of it' => sub {
			$_[0]->query('ROLLBACK');
			another();
			return group($_[0], 'BEGIN', 'SELECT 1', 'ROLLBACK', $show);
		},
		'a group without a block' => sub {
			$_[0]->query('ROLLBACK');
			another();
			return group($_[0], 'ROLLBACK', $show);
		},
	);

	my $c = client();
	$c->query($_) for "SET work_mem = '7MB'", 'SET search_path = mine';

	for my $way (sort keys %ways) {
		another();

		$c->query('BEGIN');
		$c->query('SELECT 1');

		my $rows = $ways{$way}->($c);

		is($rows->[-1], $mine, "a block has ended, $way");
		is($c->status(), 'I', "$way, none is open");
		is(value($c->query($show)), $mine, "$way, later");
	}

	$c->close();
}

# Somebody else has had the connection.

sub another {
	my $o = client();

	$o->query($_) for "SET work_mem = '9MB'", 'SET search_path = theirs',
		'SET ROLE other', 'SELECT 1';
	$o->close();
}

sub group {
	my ($c, @texts) = @_;

	$c->parse('', $_)->bind('', '')->execute('') for @texts;
	return $c->sync()->result()->column();
}

sub counted {
	my @c = map { client(params => { work_mem => '43MB' }) } 1 .. 2;

	$_->query('SHOW work_mem') for @c;
	$pg->set(log_statement => 'all');

	wait_for(sub {
		$c[0]->query('SELECT 4343');
		return $pg->log() =~ /SELECT 4343/;
	});

	# others as the same user read the catalog

	my $pid = $c[0]->query('SELECT pg_backend_pid()')->value();
	my $mark = length $pg->log();

	for (1 .. 5) {
		is(show($_, 'work_mem'), '43MB', 'a parameter') for @c;
	}

	my @said = substr($pg->log(), $mark)
		=~ /\[$pid\] app\@shop LOG:  (?:statement|execute [^:]*): (.*)/g;

	is_deeply([ grep { !/^SELECT 4343/ } @said ],
		[ ('SHOW work_mem') x 10 ], 'nothing but what was asked');

	$pg->set(log_statement => undef);
	$_->close() for @c;
}

# A client that leaves in the middle leaves nothing behind.

# What a role or database begins with is another thing from now on, for whoever
# logs in.

sub defaults {
	my $c = client();

	$c->query('SELECT 1');
	$pg->psql('ALTER ROLE app SUPERUSER');

	for my $sql ("ALTER ROLE app SET work_mem = '55MB'",
		"ALTER DATABASE shop SET work_mem = '56MB'; "
			. 'ALTER ROLE app RESET work_mem',
		"BEGIN; ALTER USER app SET work_mem = '57MB'; COMMIT")
	{
		my ($value) = $sql =~ /(5\dMB)/;

		is($c->query($sql)->state(), '', $sql);

		my $d = client();

		is($d->query('SHOW work_mem')->value(), $value, 'a new client');
		is($d->query('RESET work_mem; SHOW work_mem')->value(), $value,
			'...and what RESET means to it');
		$d->close();
	}

	$c->query('ALTER ROLE app RESET ALL; ALTER DATABASE shop RESET ALL');
	$c->close();
}

sub leaving {
	for my $set ("SET work_mem = '51MB'", "BEGIN; SET work_mem = '51MB'",
		"SET work_mem = '51MB'; SELECT pg_sleep(0.2)",
		"SET ROLE other; SELECT pg_sleep(0.2)")
	{
		my $c = client();

		$c->send('Q', "$set\0");
		$c->flush_out();
		$c->abort();

		my $d = client();

		is(show($d, 'work_mem'), '4MB', "left behind $set");
		is(value($d->query('SELECT current_user')), 'app', '...role');
		$d->close();
	}
}

###############################################################################
