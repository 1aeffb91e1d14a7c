#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: there are never more connections to the database than
# "max", over all worker processes, whatever the clients do.
#
# Two witnesses: samples of pg_stat_activity every 10 ms, and PostgreSQL's own
# limit for the role, which refuses the first connection too many.

###############################################################################

use warnings;
use strict;

use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive;

use constant {
	MAX => 4,
	SECONDS => 4,
	CLIENTS => 14,
};

###############################################################################

my $t = Test::Hyperdrive->new(log => 'info')->plan(3 * 8 + 1);

my $pg = $t->postgres(
	users => { app => {
		password => 'pw',
		attributes => 'CONNECTION LIMIT ' . MAX
	} },
	databases => [ 'shop' ]
);

my %app = (user => 'app', database => 'shop', timeout => 30);

for my $workers (1, 2, 4) {
	start($workers);
	try("$workers workers");
	$t->stop();

	wait_for(sub { $pg->connections(user => 'app') == 0 }, 10,
		'end of all connections');
}

is(scalar(() = $pg->log() =~ /too many connections for role/g), 0,
	'the database has seen no connection too many');

###############################################################################

sub start {
	my ($workers) = @_;

	my $origin = $pg->port();
	my $max = MAX;

	$t->write_file_expand('nginx.conf', <<"EOF")->run();

%%TEST_GLOBALS%%

worker_processes  $workers;

events {
}

stream {
    upstream shop {
        hyperdrive_origin  postgres://app:pw\@127.0.0.1:$origin/shop?sslmode=disable;
        hyperdrive_pool    max=$max min=0 wait=30s;
    }

    server {
        listen            127.0.0.1:8080;
        hyperdrive_pass   shop;
        hyperdrive_users  off;
    }
}

EOF
}

sub client {
	return pg_client(port(8080), %app);
}

sub try {
	my ($name) = @_;

	my $probe = $pg->client();
	my $sql = $pg->count_sql(user => 'app');

	my %children = map { $_ => 1 } map { in_child(\&busy, $_) }
		1 .. CLIENTS;
	my %sleepers;

	my ($most, $samples, $failed, $killed, $slept) = (0, 0, 0, 0, 0);
	my $start = time();
	my $next = $start;

	# the busy ones stop by themselves; who sleeps is killed in the middle

	while (%children && time() - $start < 60) {

		my $n = $probe->query($sql)->value();

		$most = $n if $n > $most;
		$samples++;

		for my $pid (keys %children) {
			next unless waitpid($pid, POSIX::WNOHANG()) == $pid;

			delete $children{$pid};
			$failed++ if $?;
		}

		my $elapsed = time() - $start;

		if ($elapsed < SECONDS - 2 && $elapsed > 0.5 * $slept) {
			$slept++;

			my $pid = in_child(\&sleeper, 0);
			$sleepers{$pid} = time() + 0.1 + rand(1.5);
		}

		for my $pid (keys %sleepers) {
			next if time() < $sleepers{$pid};

			kill 'KILL', $pid;
			waitpid($pid, 0);

			$killed++;
			delete $sleepers{$pid};
		}

		$next += 0.01;
		my $pause = $next - time();

		if ($pause > 0) {
			sleep($pause);

		} else {
			$next = time();
		}
	}

	kill 'KILL', $_ for keys %children, keys %sleepers;
	waitpid($_, 0) for keys %children, keys %sleepers;

	note("$samples samples, $killed clients killed, up to $most connections");

	ok($samples > 20, "$name, samples") or diag($samples);
	ok($killed > 1, "$name, clients killed in a query") or diag($killed);
	is(scalar(keys %children), 0, "$name, no client hangs");
	is($failed, 0, "$name, no answer wrong or lost");
	cmp_ok($most, '<=', MAX, "$name, never more than max");
	is($most, MAX, "$name, but all of them");

	# what is left is clean and serves

	my @c = map { client() } 1 .. 10;

	$c[$_]->send('Q', "SELECT $_ + 100\0")->flush_out() for 0 .. 9;

	is(join(' ', map { $_->result()->value() // 'none' } @c),
		join(' ', 100 .. 109), "$name, all are served afterwards");

	$_->close() for @c;

	ok(eval {
		wait_for(sub {
			!$probe->query("$sql AND state <> 'idle'")->value();
		}, 10);
	}, "$name, and no connection is in the middle of something");

	$probe->close();
}

###############################################################################

sub in_child {
	my ($code, @arguments) = @_;

	my $pid = fork();
	die "fork: $!\n" unless defined $pid;
	return $pid if $pid;

	$SIG{$_} = 'DEFAULT' for qw(INT TERM HUP ALRM);

	# nothing of the test's may run in here

	srand($$);

	my $ok = eval { $code->(@arguments); 1 };
	print STDERR "# client: $@" unless $ok;

	POSIX::_exit($ok ? 0 : 1);
}

sub sleeper {
	my $c = client();

	$c->query('SELECT pg_sleep(2)');
	sleep(10);
}

# Connects, asks, waits in the queue, and leaves in all the ways there are.

sub busy {
	my ($id) = @_;

	my $end = time() + SECONDS;
	my $n = $id * 1000000;

	while (time() < $end) {
		my $c = client();

		for (1 .. 1 + int(rand(5))) {
			$n++;
			check($c, $n, int(rand(4)));
		}

		my $leave = int(rand(8));

		if ($leave == 0) {

			# in a transaction

			$c->query('BEGIN');
			$c->query('SELECT 1');
			$c->vanish();

		} elsif ($leave == 1) {

			# in the queue, or in a query

			$c->send('Q', "SELECT pg_sleep(0.05)\0")->flush_out();
			$c->vanish();

		} elsif ($leave == 2) {
			$c->send('Q', "SELECT 1\0")->flush_out();
			$c->abort();

		} elsif ($leave == 3) {

			# a Sync is due

			$c->parse('', 'SELECT 1')->bind('', '', [])->execute('')
				->flush()->flush_out();
			$c->vanish();

		} elsif ($leave == 4) {
			$c->abort();

		} else {
			$c->close();
		}
	}
}

sub check {
	my ($c, $n, $kind) = @_;

	my $got;

	if ($kind == 0) {
		$got = $c->query("SELECT $n")->value();

	} elsif ($kind == 1) {
		$got = $c->extended('SELECT $1::int', $n)->value();

	} elsif ($kind == 2) {
		$c->query('BEGIN');
		$got = $c->query("SELECT $n, pg_sleep(0.01)")->value();
		$c->query('COMMIT');

	} else {
		$c->prepare("s$n", "SELECT \$1::int + $n");
		$got = $c->execute_prepared("s$n", 0)->value();
	}

	$got = 'nothing' unless defined $got;

	die "got $got for $n, kind $kind\n" if $got ne $n;
}

###############################################################################
