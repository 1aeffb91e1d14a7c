#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: the database restarts, fails over, refuses, or is cut
# off without a word, under load: what clients are told, how soon all goes on,
# and how often the database is asked meanwhile.

###############################################################################

use warnings;
use strict;

use Test::More;
use Time::HiRes qw(time);

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive;
use Test::Hyperdrive::Outage;

###############################################################################

my $t = Test::Hyperdrive->new();

my @pg = map { $t->postgres(users => { app => 'pw' },
	databases => [ 'shop' ]) } 1 .. 2;

my @relay = map { $t->relay(to => $pg[0]->port()) } 1 .. 3;

# logs in, and reads nothing any more once it is asked for that

my $deaf = $t->fake_pg(port(8100), query => sub {
	my ($n, $sql, $c) = @_;

	if ($sql =~ /deaf/) {
		$c->send_raw("I\0\0\0\4Z\0\0\0\5I");
		$c->wait('never');
	}

	return [ [ $n ] ];
});

my ($one, $two, $cut) = map { 'postgres://app:pw@127.0.0.1:' . $_->port()
	. '/shop?sslmode=disable&connect_timeout=1' } @relay;
my $other = 'postgres://app:pw@127.0.0.1:' . $pg[1]->port()
	. '/shop?sslmode=disable';

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

    upstream pair {
        hyperdrive_origin  $two max_fails=1 fail_timeout=60s;
        hyperdrive_origin  $other backup;
        hyperdrive_pool    max=6 wait=5s;
    }

    upstream cut {
        hyperdrive_origin  $cut&keepalives_idle=7&keepalives_interval=2;
        hyperdrive_pool    max=2 wait=20s check=1ms;
    }

    upstream deaf {
        hyperdrive_origin  postgres://app\@127.0.0.1:8100/shop?sslmode=disable&tcp_user_timeout=500;
        hyperdrive_pool    max=2 check=off;
    }

    server {
        listen           127.0.0.1:8080;
        hyperdrive_pass  one;
    }

    server {
        listen           127.0.0.1:8081;
        hyperdrive_pass  pair;
    }

    server {
        listen           127.0.0.1:8082;
        hyperdrive_pass  cut;
        hyperdrive_timeout  query=1s;
    }

    server {
        listen           127.0.0.1:8083;
        hyperdrive_pass  deaf;
    }
}

EOS

my $outage = Test::Hyperdrive::Outage->new(test => $t, client => \&client,
	ask => \&ask, clear => qr/08006|57P0[123]/);

refused();
restarted();
failed_over();
partition_idle();
partition_busy();
acknowledged();
keepalive();

$t->done_testing();

###############################################################################

sub client {
	my ($port, %o) = @_;

	return pg_client(port($port), user => 'app', database => 'shop',
		timeout => 20, quiet => 1, %o);
}

# one query: its value, or the SQLSTATE of what became of it; _[0] is undef if
# the connection has ended

sub ask {
	my ($c, $sql) = @_;
	my $r = eval { $c->query($sql) };
	my $err = $r && $r->error();

	$_[0] = undef if !$r || !$r->types() || $err && $err->{S} eq 'FATAL';

	return $err ? $r->state() : $r && $r->value() // 'closed';
}

###############################################################################

# Nothing listens: everybody is told at once, and few try.

sub refused {
	my $c = $outage->recovers(8080, 'before', client(8080));

	$relay[0]->refuse()->cut('both');

	my $start = time();
	my @children = $outage->load(8080, 4, 300);
	my $failed = 0;

	for (1 .. 300) {
		$c = client(8080) if !$c;
		$failed++ if ask($c, 'SELECT 2') eq '08006';
	}

	is($failed, 300, 'refused, everybody is told');

	# 100 ms behind the first refusal, up to 800 behind the others, in
	# each of two workers

	my $refused = $relay[0]->stats()->{refused};
	my $most = 2 * (4 + (time() - $start) / 0.8) + 6;

	cmp_ok($refused, '<=', $most, 'refused, and few attempts are made');
	note("$refused attempts");

	$relay[0]->accept();
	$outage->recovers(8080, 'refused', $c);
	$outage->loaded('refused', @children);
}

# A restart, as operators do it.

sub restarted {
	my @children = $outage->load(8080, 6);

	ok(eval { wait_for(sub { $pg[0]->connections(user => 'app') > 1 }) },
		'restart, under load');

	my $accepted = $relay[0]->stats()->{accepted};
	my $start = time();

	$pg[0]->restart();

	$outage->recovers(8080, 'restart');

	my $time = time() - $start;
	my $n = $relay[0]->stats()->{accepted} - $accepted;

	# as many as there may be, and one at a time meanwhile

	cmp_ok($n, '<=', 2 * (6 + 4 + $time / 0.8), 'restart, no storm');
	note("$n attempts");

	my $sum = $outage->loaded('restart', @children);
	cmp_ok($sum->{right}, '>', 10, 'restart, queries before and after');
}

# The first origin goes for good, the second one takes over.

sub failed_over {
	my @children = $outage->load(8081, 6);

	ok(eval { wait_for(sub {
		$relay[1]->stats()->{open} > 1;
	}) }, 'failover, under load');

	$relay[1]->refuse()->cut('both');

	$outage->recovers(8081, 'failover');

	ok(eval { wait_for(sub { $pg[1]->connections(user => 'app') > 1 }) },
		'failover, to the other one');

	my $sum = $outage->loaded('failover', @children);

	# each may lose what it had asked for, and nobody more than that

	my $errors = 0;
	$errors += $sum->{$_} // 0 for qw(08006 57P01 57P02 57P03);

	cmp_ok($errors, '<=', 12, 'failover, errors');
	cmp_ok($relay[1]->stats()->{refused}, '<=', 2 * 6 + 2,
		'failover, the one that is gone is left alone');
}

# No packet passes any more: connections that were idle are found out before
# they are used.

sub partition_idle {
	my @c = map { $outage->recovers(8082, 'partition, before', $_) }
		map { client(8082) } 1 .. 2;

	$t->status() for 1 .. 3;

	$relay[2]->hold('both');
	my $accepted = $relay[2]->stats()->{accepted};

	# (the requests above have taken longer than "check")

	like(ask($_, 'SELECT 2'), qr/^08006$/, 'partition, idle, an error')
		for @c;

	ok($t->log_has(qr/does not answer on a connection that was idle/),
		'partition, idle, is said');

	my $n = $relay[2]->stats()->{accepted} - $accepted;
	cmp_ok($n, '<=', 6, 'partition, idle, attempts are few');
	note("$n attempts");

	$relay[2]->release('both');
	$c[0] = $outage->recovers(8082, 'partition, idle', $c[0]);

	my $status = $t->status()->{upstreams}{cut};
	cmp_ok($status->{used}, '<=', 2, 'partition, idle, no place is lost');

	# one that answers is used on

	my $opened = $status->{total}{origins_opened};
	my $pid = ask($c[0], 'SELECT pg_backend_pid()');

	$t->status() for 1 .. 3;

	is(ask($c[0], 'SELECT pg_backend_pid()'), $pid, 'checked, and used');
	is($t->status()->{upstreams}{cut}{total}{origins_opened}, $opened,
		'and none is opened');

	$_ && $_->vanish() for @c;
}

# ...and those that are amid a query are bounded by its limit.

sub partition_busy {
	my $c = $outage->recovers(8082, 'partition, before', client(8082));
	my $later = client(8082);

	$c->query('BEGIN');
	is(ask($c, 'SELECT 1'), 1, 'partition, in a transaction');

	$relay[2]->hold('both');

	is(ask($c, 'SELECT 2'), '57014', 'partition, busy, an error');

	$relay[2]->release('both');

	$later = $outage->recovers(8082, 'partition, busy', $later);
	$_ && $_->vanish() for $c, $later;
}

# The kernel finds out whether what was sent has arrived.

sub acknowledged {
	my $c = client(8083);

	is(ask($c, 'SELECT 1'), 1, 'a query');

	is($c->query('SELECT deaf')->types(), 'IZ', 'the last one that is read');

	$c->send('Q', 'SELECT ' . 'x' x (16 * 1024 * 1024) . "\0");
	eval { $c->flush_out() };

	ok($t->wait_for_log(qr/failed \(110: Connection timed out\)/),
		'nobody reads: tcp_user_timeout');
	$c->vanish();
}

sub keepalive {
	plan_ss() or return;

	my $c = client(8082);
	ask($c, 'SELECT 1');

	# a socket whose last bytes are not acknowledged shows another timer

	my $port = $relay[2]->port();
	my @timers;

	ok(eval { wait_for(sub {
		@timers = map { /timer:\(keepalive,([\d.]+)(ms|sec)/
			? $2 eq 'ms' ? $1 / 1000 : $1 : () }
			`ss -tnoH state established "dport = :$port" 2>&1`;
	}, 10) }, 'keepalive is on');
	cmp_ok($timers[0], '<=', 7, 'by keepalives_idle');
	$c->vanish();
}

sub plan_ss {
	return 1 if `ss -V 2>/dev/null`;
	note('no ss to look at timers of sockets');
	return 0;
}

###############################################################################
