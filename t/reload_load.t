#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: reloads under load: no transaction fails, is lost or
# happens twice; clients with TLS stay until the deadline; no more connections
# than max; old workers leave.  HYPERDRIVE_RELOADS=100 for that many, one every
# two seconds, with a deadline of ten and 200 clients.

###############################################################################

use warnings;
use strict;

use Test::More;
use Time::HiRes qw(sleep time);

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib', 'drivers';
use Driver;
use Test::Hyperdrive qw(port spawn reap wait_for);

###############################################################################

my $reloads = $ENV{HYPERDRIVE_RELOADS} || 8;
my $full = $reloads > 8;

my $clients = $full ? 200 : 60;
my $interval = $full ? 2 : 0.8;
my $deadline = 5 * $interval;
my $max = 20;

my $t = Test::Hyperdrive->new(timeout => 400 + 10 * $reloads);

$t->skip_all('no libpq-fe.h') unless Driver::has_libpq();

my $program = Driver::compile($t->testdir(), 'moving.c');

my $pg = $t->postgres(users => { app => 'pw' }, databases => [ 'shop' ],
	settings => { fsync => 'off', synchronous_commit => 'off' },
	sql => { shop => <<"EOS" });

SET ROLE app;
CREATE TABLE moving_counts (id int PRIMARY KEY, n int NOT NULL);
CREATE TABLE moving_things (id int PRIMARY KEY, v text);
INSERT INTO moving_counts SELECT g, 0 FROM generate_series(1, 1000) g;
INSERT INTO moving_things SELECT g, 'thing ' || g FROM generate_series(1, 10) g;

EOS

my $probe = $pg->client();

$t->certificate('front');

load($_) for 2, 4;

$t->done_testing();

###############################################################################

sub load {
	my ($workers) = @_;

	my $name = "$workers workers";
	my $seconds = $reloads * $interval + $deadline + 0.5;

	start($workers);
	$pg->psql('UPDATE moving_counts SET n = 0', db => 'shop');

	my @runs = (
		[ 'clear, cached', 8080, 'disable' ],
		[ 'clear', 8081, 'disable' ],
		[ 'TLS, cached', 8080, 'require' ],
		[ 'TLS', 8081, 'require' ],
	);

	my $i = 0;

	for my $run (@runs) {
		my (undef, $port, $mode) = @$run;

		# told in the last tenth before the deadline (and a new client
		# may just meet a worker that is told to leave)

		my $age = $mode eq 'require' ? int($deadline * 900) - 1000 : 0;

		push @$run, spawn([ $program, $clients / 4, $seconds, $age,
				$i * $clients / 4 ],
			output => $t->testdir() . "/run$workers.$i",
			env => { PGHOST => '127.0.0.1', PGPORT => port($port),
				PGUSER => 'app', PGPASSWORD => 'pw',
				PGDATABASE => 'shop', PGSSLMODE => $mode,
				PGCONNECT_TIMEOUT => 20 });

		$i++;
	}

	my ($done, $failed, $most, $alive, $next) = (0, 0, 0, 0, time() + 1);
	my %left = map { $_->[3] => 1 } @runs;
	my %status;

	while (%left) {

		if ($done < $reloads && time() >= $next) {
			$next += $interval;
			$done++;
			$failed++ unless $t->reload();

			my $n = $t->worker_pids(all => 1);
			$alive = $n if $n > $alive;
		}

		my $n = $probe->query($pg->count_sql(user => 'app'))->value();
		$most = $n if $n > $most;

		for my $pid (keys %left) {
			next unless reap($pid, 0);

			$status{$pid} = $?;
			delete $left{$pid};
		}

		sleep(0.02);
	}

	is($failed, 0, "$name, $done reloads");

	$i = 0;
	my $sum = 0;

	for my $run (@runs) {
		my $out = $t->read_file("run$workers." . $i++);

		is($status{$run->[3]}, 0, "$name, $run->[0]: none has failed")
			or diag(substr($out, 0, 4000));
		note("$name, $run->[0]: $out");

		like($out, qr/told 0 cut 0 failed 0$/m,
			"$name, $run->[0]: none has noticed")
			if $run->[2] eq 'disable';

		$sum += $1 if $out =~ /transactions (\d+)/;
	}

	is($pg->psql('SELECT sum(n) FROM moving_counts', db => 'shop'), $sum,
		"$name, each transaction once");

	cmp_ok($most, '<=', $max, "$name, no more connections than max");
	cmp_ok($alive, '<=', 7 * $workers, "$name, at most seven generations");
	note("$name, up to $most connections and $alive workers");

	ok(eval { wait_for(sub {
		$t->worker_pids(all => 1) == $workers;
	}, $deadline + 10) }, "$name, old workers are gone");

	$t->stop();
}

sub start {
	my ($workers) = @_;

	my $url = $pg->url();

	$t->write_file('users.txt', qq{"app" "pw"\n});

	$t->write_file_expand('nginx.conf', <<"EOS");

%%TEST_GLOBALS%%

worker_processes  $workers;

events {
    worker_connections  1024;
}

stream {
    hyperdrive_cache_zone  shop 8m;
    hyperdrive_users       users.txt;
    hyperdrive_drain       rate=1000 deadline=${\ int($deadline * 1000)}ms;

    ssl_certificate      front.crt;
    ssl_certificate_key  front.key;

    upstream shop {
        hyperdrive_origin  $url;
        hyperdrive_pool    max=$max wait=30s;
    }

    server {
        listen            127.0.0.1:8080;
        hyperdrive_pass   shop;
        hyperdrive_cache  shop max_age=60s;
    }

    server {
        listen           127.0.0.1:8081;
        hyperdrive_pass  shop;
    }
}

EOS

	# a line for each event would be most of the work

	$t->write_file('nginx.conf',
		$t->read_file('nginx.conf') =~ s/ debug;$/ info;/mr);
	$t->run();
}

###############################################################################
