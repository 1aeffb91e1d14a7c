#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: who waits for a connection is served in the order of
# arrival, over all workers and generations of them.  HYPERDRIVE_ROUNDS=60 for
# more turns of each client.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib', 'drivers';
use Driver;
use Test::Hyperdrive qw(port pg_client run_command wait_for);

###############################################################################

my $rounds = $ENV{HYPERDRIVE_ROUNDS} || 6;

my $t = Test::Hyperdrive->new(timeout => 400 + 20 * $rounds);

$t->skip_all('no libpq-fe.h') unless Driver::has_libpq();

my $program = Driver::compile($t->testdir(), 'fair.c');

my $pg = $t->postgres(users => { app => 'pw' }, databases => [ 'shop' ],
	settings => { fsync => 'off', synchronous_commit => 'off',
		autovacuum => 'off' });

my $url = $pg->url();

$t->write_file_expand('nginx.conf', <<"EOS");

%%TEST_GLOBALS%%

worker_processes  4;

events {
    worker_connections  2048;
}

%%TEST_STATUS%%

stream {
    hyperdrive_users  off;

    upstream shop {
        hyperdrive_origin  $url&application_name=shop;
        hyperdrive_pool    max=10 wait=60s;
    }

    upstream one {
        hyperdrive_origin  $url&application_name=one;
        hyperdrive_pool    max=1 wait=60s;
    }

    server {
        listen           127.0.0.1:8080 reuseport;
        hyperdrive_pass  shop;
    }

    server {
        listen           127.0.0.1:8081 reuseport;
        hyperdrive_pass  one;
    }
}

EOS

$t->write_file('nginx.conf',
	$t->read_file('nginx.conf') =~ s/ debug;$/ info;/mr);
$t->run();

closed_loop();
arrival();

$t->done_testing();

###############################################################################

# A thousand clients that want a connection all the time.

sub closed_loop {
	my $name = '1,000 clients';

	my ($status, $out) = run_command([ $program, 1000, $rounds ],
		env => { PGHOST => '127.0.0.1', PGPORT => port(8080),
			PGUSER => 'app', PGDATABASE => 'shop',
			PGSSLMODE => 'disable', PGCONNECT_TIMEOUT => 60 });

	is($status, 0, "$name, are served") or diag(substr($out, 0, 2000));
	note($out);

	my ($turns, $median, $p99, $max) =
		$out =~ /turns (\d+) median (\d+) p99 (\d+) max (\d+)/;

	is($turns, 1000 * $rounds, "$name, as often as they want");

	# between two turns of one, each of the others has had one

	cmp_ok($median, '>=', 980, "$name, everybody in turn");
	cmp_ok($median, '<=', 1020, "$name, and once");
	cmp_ok($p99, '<=', 1.3 * $median, "$name, 99 of 100 are passed by few");
	cmp_ok($max, '<=', 2 * $median, "$name, none by all");

	my $by = $t->status()->{upstreams}{shop}{by_worker};

	is(scalar(grep { $by->{$_}{wait_total} } keys %$by), 4,
		"$name, on all workers");
}

# One connection, and those who wait for it, on all workers, while nginx is
# reloaded.

sub arrival {
	my $name = 'in a queue';

	my $holder = client();
	$holder->query('BEGIN');
	$holder->query('SELECT 1');

	my @c = map { client() } 1 .. 20;
	my $n = 0;

	for my $c (@c) {
		wanted($c, ++$n);
	}

	ok($t->reload(), "$name, a reload");

	push @c, map { client() } 1 .. 20;

	for my $c (@c[20 .. 39]) {
		wanted($c, ++$n);
	}

	# one of them leaves, on each side

	$_->vanish() for splice(@c, 30, 1), splice(@c, 10, 1);

	wait_for(sub { waiting() == 38 }, 10, 'those who wait');

	$holder->query('COMMIT');

	my @numbers = map { $_->result(30)->value() } @c;

	is("@numbers", join(' ', sort { $a <=> $b } @numbers),
		"$name, by arrival");

	$_->close() for $holder, @c;
}

sub client {
	return pg_client(port(8081), user => 'app', database => 'shop',
		timeout => 30);
}

sub waiting {
	return $t->status()->{upstreams}{one}{waiting};
}

sub wanted {
	my ($c, $n) = @_;

	$c->send('Q', "SELECT txid_current()\0")->flush_out();

	wait_for(sub { waiting() == $n }, 10, "place $n in the queue");
}

###############################################################################
