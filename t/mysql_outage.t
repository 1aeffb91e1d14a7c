#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: a MariaDB that restarts, refuses, or is cut off without a
# word, under load: what clients are told, and that all goes on by itself.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive;
use Test::Hyperdrive::Outage;
use Time::HiRes qw(time);

###############################################################################

my $t = Test::Hyperdrive->new();

my $db = $t->mariadb(users => { app => 'pw' }, databases => [ 'shop' ]);

my @relay = map { $t->relay(to => $db->port()) } 1 .. 2;

my ($one, $cut) = map { 'mysql://app:pw@127.0.0.1:' . $_->port()
	. '/shop?ssl-mode=DISABLED&connect_timeout=1' } @relay;

$t->write_file_expand('nginx.conf', <<"EOS")->run();

%%TEST_GLOBALS%%

worker_processes  2;

events {
}

%%TEST_STATUS%%

stream {
    hyperdrive_users  off;

    upstream one {
        hyperdrive_origin  $one;
        hyperdrive_pool    max=6 wait=5s;
    }

    upstream cut {
        hyperdrive_origin  $cut;
        hyperdrive_pool    max=2 wait=2s check=1ms;
    }

    server {
        listen           127.0.0.1:8080;
        hyperdrive_pass  one;
    }

    server {
        listen              127.0.0.1:8082;
        hyperdrive_pass     cut;
        hyperdrive_timeout  query=1s;
    }
}

EOS

my $outage = Test::Hyperdrive::Outage->new(test => $t, client => \&client,
	ask => \&ask, clear => qr/1158|1053|1927|2013|1040|closed/);

refused();
restarted();
partition_idle();
partition_busy();

$t->done_testing();

###############################################################################

sub client {
	my ($port) = @_;

	return mysql_client(port($port), user => 'app', password => 'pw',
		database => 'shop', timeout => 20, quiet => 1);
}

sub ask {
	my ($c, $sql) = @_;

	my $r = eval { $c->query($sql) };

	# (a client that was refused at its log-in has no connection)

	$_[0] = undef if !$r || $c->{eof};
	return 'closed' unless $r;

	$_[0] = undef if $r->{error} && $r->{error}{code} =~ /1053|1927|2013/;
	return $r->{error} ? $r->{error}{code} : $r->{rows}[0][0];
}

# Nothing listens: everybody is told at once, and few try.

sub refused {
	my $c = $outage->recovers(8080, 'before', client(8080));

	$relay[0]->refuse()->cut('both');

	my $start = time();
	my @children = $outage->load(8080, 4, 300);
	my $failed = 0;

	for (1 .. 300) {
		$c = client(8080) if !$c;
		$failed++ if ask($c, 'SELECT 2') =~ /^(?:1158|closed)$/;
	}

	is($failed, 300, 'refused, everybody is told');

	my $refused = $relay[0]->stats()->{refused};
	my $most = 2 * (4 + (time() - $start) / 0.8) + 6;

	cmp_ok($refused, '<=', $most, 'refused, and few attempts are made');

	$relay[0]->accept();
	$outage->recovers(8080, 'refused', $c);
	$outage->loaded('refused', @children);
}

sub restarted {
	my @children = $outage->load(8080, 6);

	ok(wait_for(sub { $db->connections(user => 'app') > 1 }),
		'restart, under load');

	my $accepted = $relay[0]->stats()->{accepted};
	my $start = time();

	$db->restart();

	$outage->recovers(8080, 'restart');

	my $time = time() - $start;
	my $n = $relay[0]->stats()->{accepted} - $accepted;

	# as many as there may be, and one at a time meanwhile

	cmp_ok($n, '<=', 2 * (6 + 4 + $time / 0.8), 'restart, no storm');

	my $sum = $outage->loaded('restart', @children);
	cmp_ok($sum->{right}, '>', 10, 'restart, queries before and after');
}

# No packet passes any more: connections that were idle are found out before
# they are used.

sub partition_idle {
	my @c = map { $outage->recovers(8082, 'partition, before', $_) }
		map { client(8082) } 1 .. 2;

	$t->status() for 1 .. 3;

	$relay[1]->hold('both');

	# (the requests above have taken longer than "check")

	# (or waits for the place of one that has given way, which the database
	# does not let go)

	like(ask($_, 'SELECT 2'), qr/^(?:1158|1040)$/,
		'partition, idle, an error') for @c;

	$relay[1]->release('both');
	$c[0] = $outage->recovers(8082, 'partition, idle', $c[0]);

	cmp_ok($t->status()->{upstreams}{cut}{used}, '<=', 2,
		'partition, idle, no place is lost');
}

# ...and those that are amid a query are bounded by its limit.

sub partition_busy {
	my $c = $outage->recovers(8082, 'partition, before');
	my $later = client(8082);

	$c->query('BEGIN');
	is(ask($c, 'SELECT 1'), 1, 'partition, in a transaction');

	$relay[1]->hold('both');

	like(ask($c, 'SELECT 2'), qr/^(?:1317|1969|3024)$/,
		'partition, busy, an error');

	$relay[1]->release('both');

	$outage->recovers(8082, 'partition, busy', $later);
}

###############################################################################
