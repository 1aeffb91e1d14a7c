#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: the connections of a pool: how many are kept, for how
# long, for whom, and under which name.

###############################################################################

use warnings;
use strict;

use Test::More;
use Time::HiRes qw(time);

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive;

###############################################################################

my $t = Test::Hyperdrive->new();

my $pg = $t->postgres(users => { app => 'pw' },
	databases => [ 'shop', 'store' ]);

my $app = 'postgres://app:pw@127.0.0.1:' . $pg->port();

$t->write_file_expand('nginx.conf', <<"EOS");

%%TEST_GLOBALS%%

events {
}

%%TEST_STATUS%%

stream {
    hyperdrive_users  off;

    upstream warm {
        hyperdrive_origin  $app/shop?sslmode=disable&application_name=warm;
        hyperdrive_pool    max=8 min=3;
    }

    upstream idle {
        hyperdrive_origin  $app/shop?sslmode=disable&application_name=idle;
        hyperdrive_pool    max=8 min=1 idle=500ms;
    }

    upstream old {
        hyperdrive_origin  $app/shop?sslmode=disable&application_name=old;
        hyperdrive_pool    max=2 lifetime=700ms;
    }

    upstream plain {
        hyperdrive_origin  $app?sslmode=disable;
        hyperdrive_pool    max=4 wait=5s;
    }

    upstream options {
        hyperdrive_origin  $app/shop?sslmode=disable&options=-c%20work_mem%3D99MB;
        hyperdrive_pool    max=2;
    }

    upstream slow {
        hyperdrive_origin  postgres://app:pw\@127.0.0.1:8100/shop?sslmode=disable;
        hyperdrive_pool    max=20 wait=20s;
    }

    upstream reuse {
        hyperdrive_origin  $app/shop?sslmode=disable&application_name=reuse;
        hyperdrive_pool    max=10;
    }

    server {
        listen           127.0.0.1:8080;
        hyperdrive_pass  warm;
    }

    server {
        listen           127.0.0.1:8081;
        hyperdrive_pass  idle;
    }

    server {
        listen           127.0.0.1:8082;
        hyperdrive_pass  old;
    }

    server {
        listen           127.0.0.1:8083;
        hyperdrive_pass  plain;
    }

    server {
        listen           127.0.0.1:8084;
        hyperdrive_pass  options;
    }

    server {
        listen           127.0.0.1:8085;
        hyperdrive_pass  slow;
    }

    server {
        listen           127.0.0.1:8086;
        hyperdrive_pass  reuse;
    }
}

EOS

# logs in slowly: only when the test says so

my $fake = $t->fake_pg(port(8100), startup => sub {
	my ($c) = @_;

	$c->wait('all') if $c->number() > 1;
	return 0;
});

$t->run();

my $probe = $pg->client();

warm();
idle();
old();
names();
settings();
databases();
parallel();
reused();
states();

$t->done_testing();

###############################################################################

sub client {
	my ($port, %o) = @_;

	return pg_client(port($port), user => 'app', database => 'shop',
		timeout => 15, %o);
}

sub upstream {
	my ($name) = @_;
	return $t->status()->{upstreams}{$name};
}

sub at_database {
	my ($name) = @_;
	return $probe->query($pg->count_sql(app => $name))->value();
}

sub backends {
	my ($name) = @_;

	return join(' ', sort @{$probe->query("SELECT pid FROM "
		. "pg_stat_activity WHERE application_name = '$name'")
		->column()});
}

# Opens so many at once, and looks meanwhile.

sub burst {
	my ($n, $port, $look) = @_;

	my @c = map { client($port) } 1 .. $n;

	for (@c) {
		$_->query('BEGIN');
		$_->query('SELECT 1');
	}

	$look->() if $look;
	$_->query('COMMIT') for @c;

	return @c;
}

###############################################################################

# "min" connections are there before anybody comes, and come again.

sub warm {
	ok(eval { wait_for(sub { at_database('warm') == 3 }, 10) },
		'"min" connections before any client');

	# (as soon as they have logged in)

	wait_for(sub { upstream('warm')->{total}{origins_idle} == 3 });

	my $opened = upstream('warm')->{total}{origins_opened};

	my @c = burst(3, 8080);

	is(upstream('warm')->{total}{origins_opened}, $opened,
		'which serve the first clients');

	$_->close() for @c;

	my $before = backends('warm');

	$probe->query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity '
		. "WHERE application_name = 'warm'");

	ok(eval { wait_for(sub {
		at_database('warm') == 3 && backends('warm') ne $before;
	}, 10) }, 'they are opened again');

	cmp_ok(upstream('warm')->{used}, '<=', 8, 'within max');
}

# What is not used is closed, down to "min".

sub idle {
	ok(eval { wait_for(sub { at_database('idle') == 1 }, 10) },
		'one is kept');

	my @c = burst(6, 8081, sub {
		is(at_database('idle'), 6, 'six in use');
	});

	ok(eval { wait_for(sub { at_database('idle') == 1 }, 10) },
		'closed when idle, down to "min"');

	# clients do not notice

	is($_->query('SELECT 5')->value(), 5, 'a client of before') for @c;

	$_->close() for @c;

	is(eval { wait_for(sub { upstream('idle')->{used} == 1 }, 10) }, 1,
		'and the places are free');
}

# A connection does not get older than "lifetime", and never in a query.

sub old {
	my $c = client(8082);
	my $first = $c->query('SELECT pg_backend_pid()')->value();

	$c->query('BEGIN');

	my $in = $c->query('SELECT pg_backend_pid() FROM pg_sleep(1.2)')
		->value();

	is($c->query('SELECT pg_backend_pid()')->value(), $in,
		'a transaction is not ended by its age');
	is($c->query('COMMIT')->tag(), 'COMMIT', 'up to its end');

	ok(eval { wait_for(sub {
		$c->query('SELECT pg_backend_pid()')->value() != $first;
	}, 10) }, 'another connection after "lifetime"');

	# an idle one goes too

	my $now = backends('old');

	ok(eval { wait_for(sub { backends('old') ne $now }, 10) },
		'an idle one, too');

	is($c->query('SELECT 1')->value(), 1, 'nobody notices');
	$c->close();
}

# Who they are: the URL's name, else the client's.

sub names {
	my $c = client(8086, params => { application_name => 'mine' });

	is($c->query('SHOW application_name')->value(), 'reuse',
		"the URL's name");
	is(at_database('mine'), 0, 'at the database, too');
	$c->close();

	$c = client(8083, params => { application_name => 'mine' });
	my $d = client(8083, params => { application_name => 'yours' });
	my $e = client(8083);

	for (1 .. 2) {
		is($c->query('SHOW application_name')->value(), 'mine',
			"the client's name");
		is($d->query('SHOW application_name')->value(), 'yours',
			"another client's");
		is($e->query('SHOW application_name')->value(), '', 'no name');
	}

	is($c->parameter('application_name'), 'mine', 'as it was told');

	# the connection is called as who has used it last

	$c->query('SELECT 1');
	is(at_database('mine'), 1, 'one connection of that name');

	$_->close() for $c, $d, $e;
}

# What is asked for at log-in holds for all of a client's queries, and for
# nobody else's.

sub settings {
	my $c = client(8083, params => { DateStyle => 'German, DMY' });
	my $d = client(8083, params => { DateStyle => 'ISO, MDY',
		TimeZone => 'Asia/Tokyo' });
	my $e = client(8083);

	my $sql = "SELECT '2026-03-04'::date";

	for (1 .. 3) {
		is($c->query($sql)->value(), '04.03.2026', 'a German date');
		is($d->query($sql)->value(), '2026-03-04', 'an ISO date');
		is($e->query('SHOW TimeZone')->value(), 'UTC', 'the default');
		is($d->query('SHOW TimeZone')->value(), 'Asia/Tokyo',
			'a time zone');
	}

	is($c->parameter('DateStyle'), 'German, DMY', 'told at log-in');

	$_->close() for $c, $d, $e;

	$c = client(8084);
	is($c->query('SHOW work_mem')->value(), '99MB', "the URL's options");
	$c->close();

	$c = client(8083, params => { options => '-c work_mem=77MB' });
	$d = client(8083);

	is($c->query('SHOW work_mem')->value(), '77MB', "a client's options");
	is($d->query('SHOW work_mem')->value(), '4MB', 'are not another one\'s');

	$_->close() for $c, $d;
}

# One upstream, several databases: "max" is for all of them.

sub databases {
	my @held = map { client(8083, database => $_) }
		('shop', 'store') x 2;

	for (@held) {
		$_->query('BEGIN');
		is($_->query('SELECT current_database()')->value(),
			$_->{database}, "$_->{database}");
	}

	is(upstream('plain')->{used}, 4, 'four places');

	my $c = client(8083, database => 'store');

	is($c->query('SELECT 1')->state(), '53300', 'and no fifth one');

	$held[0]->query('COMMIT');

	is($c->query('SELECT current_database()')->value(), 'store',
		'an idle one of another database gives way');

	$_->vanish() for @held;
	$c->close();
}

# Log-ins do not wait for each other.

sub parallel {

	# the first one learns what the database says of itself

	my $first = client(8085);
	$first->query('BEGIN');
	$first->query('SELECT 1');

	my @c = map { client(8085) } 1 .. 10;

	$_->send('Q', "SELECT 1\0")->flush_out() for @c;

	ok(eval { wait_for(sub { $fake->connections() == 11 }, 10) },
		'ten log-ins at once')
		or diag($fake->connections() . ' connections');

	ok(eval { wait_for(sub { 11 == grep { $_->{event} eq 'startup' }
		$fake->log() }) }, 'none waits for another');

	$fake->signal('all');

	is(scalar(grep { defined $_->result()->value() } @c), 10,
		'and all are served');

	$_->close() for @c, $first;
}

# The one that was used last is used next.

sub reused {
	my @c = burst(5, 8086);

	my %pids = map { $c[$_ % 5]->query('SELECT pg_backend_pid()')->value()
		=> 1 } 1 .. 20;

	is(scalar keys %pids, 1, 'one client at a time, one connection');
	is(upstream('reuse')->{total}{origins_opened}, 5,
		'five for five at once');

	$_->close() for @c;

	my $d = client(8086);
	ok(exists $pids{$d->query('SELECT pg_backend_pid()')->value()},
		'also for the next client');
	$d->close();
}

# The counters agree with what is.

sub states {
	my $c = client(8086);

	$c->query('BEGIN');
	$c->query('SELECT 1');

	my $total = upstream('reuse')->{total};

	is($total->{origins_busy}, 1, 'one is busy');
	is($total->{origins_busy} + $total->{origins_idle},
		at_database('reuse'), 'all are known');
	is($total->{clients}, 1, 'of one client');

	$c->query('COMMIT');

	is(upstream('reuse')->{total}{origins_busy}, 0, 'none is busy');

	$c->close();
}

###############################################################################
