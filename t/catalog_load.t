#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: the catalog comes into force while clients call
# functions all the time, which may do anything as long as it is not known:
# at the start, in a worker that is new, after DDL, and after a reload.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use POSIX ();

use lib 'lib';
use Test::Hyperdrive;

###############################################################################

my $t = Test::Hyperdrive->new(log => 'info')->allow_log(qr/exited on signal 9/);

# each call takes so long that there is one at any time

my $pg = $t->postgres(users => { app => 'pw' }, databases => [ 'shop' ],
	sql => { shop => <<'EOS' });

SET ROLE app;
CREATE SCHEMA app;
CREATE TABLE app.kept (id int PRIMARY KEY, v int);
CREATE TABLE app.written (id int PRIMARY KEY, v int);
INSERT INTO app.kept VALUES (1, 1);
INSERT INTO app.written SELECT g, 0 FROM generate_series(1, 8) g;
CREATE FUNCTION app.touch(int) RETURNS int LANGUAGE plpgsql AS
	'BEGIN PERFORM pg_sleep(0.01);
	 UPDATE app.written SET v = v + 1 WHERE id = $1; RETURN $1; END';

CREATE FUNCTION app.block() RETURNS int LANGUAGE plpgsql AS
	'BEGIN PERFORM pg_advisory_xact_lock(7); RETURN 1; END';

EOS

$t->write_file_expand('nginx.conf', <<"EOS");

%%TEST_GLOBALS%%

worker_processes  2;

events {
}

%%TEST_STATUS%%

stream {
    hyperdrive_cache_zone  shop 16m;
    hyperdrive_users       off;

    upstream shop {
        hyperdrive_origin  postgres://app:pw\@127.0.0.1:@{[ $pg->port() ]}/shop?sslmode=disable;
        hyperdrive_pool    max=20;
    }

    server {
        listen            127.0.0.1:8080 reuseport;
        hyperdrive_pass   shop;
        hyperdrive_cache  shop max_age=1h;
    }
}

EOS

# those who call are there before nginx is

my @ways = (
	sub { $_[0]->query("SELECT app.touch($_[1])") },
	sub { $_[0]->extended('SELECT app.touch($1)', $_[1]) },
	sub {
		my ($c, $n) = @_;

		$c->query('BEGIN');
		$c->query('SELECT v FROM app.kept');
		$c->query("SELECT app.touch($n)");
		return $c->query('COMMIT');
	},
	sub {
		my ($c, $n) = @_;

		$c->parse('', "SELECT app.touch($n)")->bind('', '')->execute('');
		$c->parse('', "SELECT app.touch($n)")->bind('', '')->execute('');
		return $c->sync()->result();
	},
);

my @pids = map { caller_of($_) } 1 .. 8;

$t->run();

###############################################################################

kept('at the start');

for (1 .. 2) {
	my ($victim) = $t->worker_pids();

	kill('KILL', $victim);
	wait_for(sub {
		my @now = $t->worker_pids();
		@now == 2 && !grep { $_ == $victim } @now;
	}, 10);
	kept("with a new worker, $_");
}

# (that of a worker that is gone counts no more)
ok(wait_for(sub { total()->{catalogs} == 2 }, 60), 'each worker has one');

my $c = client();

is($c->query('CREATE TABLE app.more (id int)')->error(), undef, 'DDL');
kept('behind DDL');

$t->reload();
kept('after a reload');

bounded();
kept('behind a long call');

# it is not lost again and again

my $reads = total()->{catalog_reads};
my $calls = calls();

wait_for(sub { calls() > $calls + 200 }, 20);
cmp_ok(total()->{catalog_reads} - $reads, '<', 5, 'it stays in force');
cmp_ok(total()->{catalog_waits}, '>', 0, 'requests have waited for it');

$t->write_file('until', 'now');

my $said = '';

for my $pid (@pids) {
	waitpid($pid, 0);
	$said .= $t->read_file("caller.$pid");
}

unlike($said, qr/^wrong/m, 'nothing failed') or diag($said);

cancelled_in_block();

$t->done_testing();

###############################################################################

sub client {
	return pg_client(port(8080), user => 'app', database => 'shop',
		timeout => 20);
}

sub total {
	return $t->status()->{upstreams}{shop}{total};
}

sub calls {
	return $pg->psql('SELECT sum(v) FROM app.written', db => 'shop');
}

# A read is answered from memory, by each worker.

sub kept {
	my ($when) = @_;

	ok(eval { wait_for(sub { total()->{catalogs} >= 2 }, 60) },
		"$when: the catalog is in force");

	my $hits = eval {
		wait_for(sub {
			my $c = client();
			my $before = total()->{hits};
			$c->query('SELECT v FROM app.kept');
			$c->close();
			total()->{hits} > $before;
		}, 60);
	};

	ok($hits, "$when: a read comes from memory");
}

# Nobody waits while somebody changes the catalog and comes to no end; and for
# a call that has begun in that time, no longer than a moment.

sub bounded {
	my $lock = $pg->client(user => 'app', password => 'pw',
		database => 'shop');

	$lock->query('SELECT pg_advisory_lock(7)');

	my $ddl = client();

	$ddl->send('Q', "CREATE TABLE app.slow AS SELECT app.block() AS v\0")
		->flush_out();
	blocked(1);

	my ($long, $c) = (client(), client());

	$long->send('Q', "SELECT app.block()\0")->flush_out();
	blocked(2);
	ok(!$c->query('SELECT app.touch(1)')->error(),
		'calls are answered while DDL goes on');

	$ddl->cancel();
	is($ddl->result()->state(), '57014', 'the DDL is cancelled');

	ok(!$c->query('SELECT app.touch(1)')->error(),
		'calls are answered while a long one goes on');

	# it waits here, or at the database; what comes before it is of no use

	$c->send('Q', "SELECT app.block()\0")->flush_out();
	wait_for(sub { $c->cancel(); !$c->silent(0.05) }, 20);
	is($c->result()->state(), '57014', 'who waits can be cancelled');

	$lock->query('SELECT pg_advisory_unlock(7)');
	ok(!$long->result()->error(), 'the long one comes to an end');
}

# In a block it is the database that says so: what was not sent yet is sent, to
# be cancelled.  A cancel that overtakes its request there is in vain, which is
# so without us as well: it is tried again.

sub cancelled_in_block {
	my $state;

	while_held(sub {
		my ($c, $waits) = @_;

		$c->query('BEGIN');
		$c->query('SELECT v FROM app.kept');
		$c->send('Q', "SELECT app.block()\0")->flush_out();

		my $held = waits_above($waits);
		$c->cancel();

		if ($held && !$c->silent(4)) {
			my $r = $c->result();
			$state = $r->state() . ' ' . $r->status();
		}

		return $state;
	});

	is($state, '57014 E', 'who waits in a block can be cancelled');
}

# Calls a function with a client, and how many have waited so far, while no
# catalog can be read and no call comes to an end.  What it does has to be done
# before nobody is held any more, so it has three tries.

sub while_held {
	my ($do) = @_;

	my $admin = $pg->client(database => 'shop');
	my $done;

	$admin->query('SELECT pg_advisory_lock(7)');

	for (1 .. 3) {
		$admin->query('BEGIN');
		$admin->query('LOCK TABLE pg_trigger IN ACCESS EXCLUSIVE MODE');
		$t->reload();

		my $c = client();

		$done = $do->($c, total()->{catalog_waits});

		$c->vanish();
		$admin->query('ROLLBACK');

		last if $done;
	}

	$admin->close();

	return $done;
}

sub waits_above {
	my ($n) = @_;
	return eval { wait_for(sub { total()->{catalog_waits} > $n }, 5) };
}

# How many wait for the lock.

sub waiting {
	return $pg->psql('SELECT count(*) FROM pg_locks WHERE NOT granted'
		. " AND locktype = 'advisory'", db => 'shop');
}

sub blocked {
	my ($n) = @_;
	return wait_for(sub { waiting() == $n }, 20, "$n that wait");
}

# A process that calls the function until it is told to end, over connections
# that workers may take with them.

sub caller_of {
	my ($n) = @_;

	my $parent = $$;
	my $pid = fork();
	die "cannot fork: $!\n" unless defined $pid;
	return $pid if $pid;

	$SIG{$_} = 'DEFAULT' for qw(INT TERM HUP ALRM);

	my $dir = $t->testdir();
	my $wrong = '';

	while (!-e "$dir/until" && getppid() == $parent) {
		my $c = eval { client() };

		if (!$c) {
			select(undef, undef, undef, 0.02);
			next;
		}

		eval {
			while (!-e "$dir/until" && getppid() == $parent) {
				my $r = $ways[$n % @ways]->($c, $n);

				$wrong .= 'wrong: ' . $r->message() . "\n"
					if $r->error() && $r->state() !~ /^57P/;
				last if $r->error();
			}

			$c->close();
		};
	}

	open(my $out, '>', "$dir/caller.$$");
	print $out $wrong;
	close $out;

	POSIX::_exit(0);
}

###############################################################################
