#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: memory and descriptors stay level while clients come
# and go, statements are prepared, nginx is reloaded and workers are killed.
# HYPERDRIVE_SOAK=600 for that many seconds.

###############################################################################

use warnings;
use strict;

use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive;

###############################################################################

my $seconds = $ENV{HYPERDRIVE_SOAK} || 16;

my $t = Test::Hyperdrive->new(timeout => 300 + 2 * $seconds)
	->allow_log(qr/exited on signal 9/);

my $pg = $t->postgres(users => { app => 'pw' }, databases => [ 'shop' ],
	settings => { fsync => 'off', synchronous_commit => 'off' },
	sql => { shop => <<'EOS' });

SET ROLE app;
CREATE TABLE things (id int PRIMARY KEY, v text);
INSERT INTO things SELECT g, 'thing ' || g FROM generate_series(1, 100) g;

EOS

my $max = 8;

start();
steady();
changing();

$t->done_testing();

###############################################################################

sub start {
	my $url = $pg->url();

	$t->write_file_expand('nginx.conf', <<"EOS");

%%TEST_GLOBALS%%

worker_processes  2;

events {
}

%%TEST_STATUS%%

stream {
    hyperdrive_cache_zone  shop 2m;
    hyperdrive_users       off;
    hyperdrive_drain       rate=1000 deadline=2s;

    upstream shop {
        hyperdrive_origin  $url;
        hyperdrive_pool    max=$max wait=20s statements=50;
    }

    server {
        listen            127.0.0.1:8080;
        hyperdrive_pass   shop;
        hyperdrive_cache  shop max_age=60s;
    }
}

EOS

	$t->write_file('nginx.conf',
		$t->read_file('nginx.conf') =~ s/ debug;$/ info;/mr);
	$t->run();
}

# Memory of a process in kB, without the zones: also what it shares with the
# processes that it was forked from, or has forked, which comes and goes.

sub memory {
	my ($pid) = @_;

	open(my $f, '<', "/proc/$pid/smaps_rollup") or return 0;

	while (my $line = <$f>) {
		return $1 if $line =~ /^Anonymous:\s+(\d+)/;
	}

	return 0;
}

sub descriptors {
	my ($pid) = @_;
	return scalar(() = glob("/proc/$pid/fd/*"));
}

sub most {
	my ($most) = sort { $b <=> $a } @_;
	return $most;
}

# Clients that do all there is to do, each in a process of its own.

sub load {
	my ($time) = @_;
	return map { in_child($_, $time) } 1 .. 4;
}

sub ended {
	my (@children) = @_;

	my $failed = 0;

	for (@children) {
		waitpid($_, 0);
		$failed++ if $?;
	}

	return $failed;
}

sub in_child {
	my ($id, $time) = @_;

	my $pid = fork();
	die "fork: $!\n" unless defined $pid;
	return $pid if $pid;

	$SIG{$_} = 'DEFAULT' for qw(INT TERM HUP ALRM);

	my $end = time() + $time;
	my ($n, $wrong) = (0, 0);

	while (time() < $end) {
		my $c = eval { pg_client(port(8080), user => 'app',
			database => 'shop', timeout => 20, quiet => 1) };

		next if !$c || $c->error();

		eval {
			for my $i (1 .. 30) {
				$n++;

				my $r = turn($c, $i, $n) // 'none';

				die "told\n" if $r =~ /^(?:57P0|08|53300)/;

				next if $r eq $n % 100;

				print STDERR "# $id got $r for $n\n";
				$wrong++;
			}
		};

		$n % 2 ? $c->vanish() : eval { $c->close() };
	}

	POSIX::_exit($wrong || $n < 10 ? 1 : 0);
}

# (texts are kept up to a bound that this is not about: there are not many)

sub turn {
	my ($c, $i, $n) = @_;

	my ($r, $few) = (undef, $n % 100);

	if ($i % 5 == 0) {
		$r = $c->query("SELECT $few");

	} elsif ($i % 5 == 1) {
		$c->prepare("s$n", "SELECT \$1::int + $few");
		$r = $c->execute_prepared("s$n", 0);

	} elsif ($i % 5 == 2) {
		$c->query("SET work_mem TO '" . (1000 + $few) . "kB'");
		$r = $c->query("SELECT $few /* settings */");

	} elsif ($i % 5 == 3) {
		$c->query('BEGIN');
		$r = $c->query("UPDATE things SET v = '$few' WHERE id = $few + 1 "
			. "RETURNING v");
		my $e = $c->query('COMMIT');

		return $e->state() || '08006' if ($e->tag() // '') ne 'COMMIT';

	} else {
		$r = $c->query("SELECT count(v) * $few FROM things "
			. "WHERE id = $few + 1");
	}

	# a worker that was killed takes its clients along

	return $r->types() ? $r->state() || $r->value() : '08006';
}

###############################################################################

# The same workers all the time.

sub steady {
	my $name = 'steady';

	my @pids = $t->worker_pids();
	my @children = load($seconds / 2);

	# caches of texts, descriptions and catalogs fill first

	sleep($seconds / 5);

	my $before = most(map { memory($_) } @pids);
	my $fds = most(map { descriptors($_) } @pids);

	is(ended(@children), 0, "$name, no wrong answer");

	my $after = most(map { memory($_) } @pids);

	note("$name: $before kB, then $after kB");

	is(join(' ', $t->worker_pids()), "@pids", "$name, the same workers");
	cmp_ok($after, '<=', $before * 1.2 + 1024, "$name, memory is level");

	ok(eval { wait_for(sub {
		most(map { descriptors($_) } @pids) <= $fds;
	}, 10) }, "$name, and descriptors");
}

# Reloads, and workers that are killed.

sub changing {
	my $name = 'changing';

	my $master = $t->master_pid();
	my $fds = descriptors($master);
	my $end = time() + $seconds / 2;

	my @children = load($seconds / 2);

	my ($reloads, $kills) = (0, 0);
	my (@masters, @workers);

	while (time() < $end || $reloads < 4) {
		$reloads++ if $t->reload();

		push @masters, memory($master);

		sleep(0.3);

		push @workers, most(map { memory($_) } $t->worker_pids());

		next if $reloads % 3;

		my ($victim) = $t->worker_pids();

		kill 'KILL', $victim;
		$kills++;

		wait_for(sub { $t->worker_pids() == 2 }, 10, 'a new worker');
	}

	is(ended(@children), 0, "$name, no wrong answer");

	my $half = @masters / 2;

	note("$name: $reloads reloads, $kills kills, the master "
		. "$masters[$half] kB, then $masters[-1] kB, workers up to "
		. most(@workers[0 .. $half - 1]) . ' kB, then '
		. most(@workers[$half .. $#workers]) . ' kB');

	cmp_ok($reloads, '>', 3, "$name, reloads");
	cmp_ok($kills, '>', 0, "$name, kills");
	cmp_ok($masters[-1], '<=', $masters[$half] * 1.2 + 512,
		"$name, the master's memory");
	cmp_ok(most(@workers[$half .. $#workers]), '<=',
		most(@workers[0 .. $half - 1]) * 1.3 + 1024,
		"$name, the workers' memory");

	ok(eval { wait_for(sub { $t->worker_pids(all => 1) == 2 }, 15) },
		"$name, old workers are gone");
	ok(eval { wait_for(sub { descriptors($master) <= $fds }, 5) },
		"$name, and the master's descriptors of them");

	# what is shared has nothing of the dead

	ok(eval { wait_for(sub {
		my $shop = $t->status()->{upstreams}{shop};

		$shop->{dead} == 0 && $shop->{waiting} == 0
			&& $shop->{used} <= $max
			&& $shop->{total}{clients} == 0;
	}, 15) }, "$name, nothing is left of the dead")
		or diag(explain($t->status()->{upstreams}{shop}));

	my @held = map { pg_client(port(8080), user => 'app',
		database => 'shop', timeout => 15) } 1 .. $max;

	$_->query('BEGIN') for @held;
	is(join(' ', map { $_->query('SELECT 7')->value() } @held),
		join(' ', (7) x $max), "$name, all places are of use");
	$_->close() for @held;
}

###############################################################################
