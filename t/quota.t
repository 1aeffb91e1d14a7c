#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: limits of connections for each user and each database,
# over all worker processes.

###############################################################################

use warnings;
use strict;

use POSIX ();
use Test::More;
use Time::HiRes qw(time sleep);

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive;
use Test::Hyperdrive::PG;

###############################################################################

my $t = Test::Hyperdrive->new();

my @users = qw(alice bob carol);

my $pg = $t->postgres(users => { map { $_ => "$_ secret" } @users },
	databases => [ 'shop', 'store' ]);

my $port = $pg->port();

$t->write_file('users.txt', join('', map { qq{"$_" "$_ secret"\n} } @users));

my $url = "postgres://127.0.0.1:$port?sslmode=disable";

$t->write_file_expand('nginx.conf', <<"EOS")->run();

%%TEST_GLOBALS%%

events {
}

worker_processes 2;

%%TEST_STATUS%%

stream {
    hyperdrive_users  users.txt;

    upstream users {
        hyperdrive_origin  $url;
        hyperdrive_pool    max=8 max_user=3 wait=20s;
    }

    upstream both {
        hyperdrive_origin  $url;
        hyperdrive_pool    max=8 max_user=3 max_db=4 wait=20s;
    }

    upstream soon {
        hyperdrive_origin  $url;
        hyperdrive_pool    max=8 max_user=1 wait=2s;
    }

    upstream late {
        hyperdrive_origin  $url;
        hyperdrive_pool    max=8 max_user=1 wait=20s;
    }

    server {
        listen           127.0.0.1:8080;
        hyperdrive_pass  users;
    }

    server {
        listen           127.0.0.1:8081;
        hyperdrive_pass  both;
    }

    upstream few {
        hyperdrive_origin  $url;
        hyperdrive_pool    max=8 max_user=1 queue=1 wait=20s;
    }

    server {
        listen           127.0.0.1:8082;
        hyperdrive_pass  soon;
    }

    server {
        listen           127.0.0.1:8083;
        hyperdrive_pass  few;
    }

    server {
        listen           127.0.0.1:8084;
        hyperdrive_pass  late;
    }
}

EOS

###############################################################################
# One user of many.

my $c = client(8082, 'alice');
$c->query('BEGIN');
$c->query('SELECT 1');

my $second = client(8082, 'alice');
my $r = $second->query('SELECT 2');

is($r->state(), '53300', 'a second connection of the user');
like($r->error()->{M}, qr/of this user or database/, 'and why');
like($r->error()->{H}, qr/"max_user"/, 'and what to do');
is(client(8082, 'bob')->query('SELECT 3')->value(), 3, 'another user');

$_->close() for $c, $second;

# in its turn, whichever worker it is on

($c, $second) = map { client(8084, 'alice') } 1, 2;

$c->query('BEGIN');
$c->query('SELECT 1');

$second->send('Q', "SELECT 4\0")->flush_out();
sleep 0.05;
$c->query('COMMIT');
is($second->result()->value(), 4, 'which waits for its turn');

# another database of the same user has to wait for the connection to close

my $store = client(8084, 'alice', 'store');
is($store->query('SELECT current_database()')->value(), 'store',
	'a connection to the other database gives way');
is($c->query('SELECT current_database()')->value(), 'shop', 'and back');

$_->close() for $c, $second, $store;

# who leaves while it waits takes nothing along

for my $i (1 .. 10) {
	my @c = map { client(8082, 'carol') } 1 .. 3;
	$_->send('Q', "SELECT pg_sleep(0.1)\0")->flush_out() for @c;
	sleep 0.02 * ($i % 4);
	$_->vanish() for @c;
}

wait_for(sub { my $c = client(8082, 'carol');
	my $r = $c->query('SELECT 5');
	$c->close();
	!$r->state() }, 15);
pass('clients that left have left their part');

###############################################################################
# No more than "queue" of each worker are held back.

my @few = map { client(8083, 'bob') } 1 .. 6;

$few[0]->query('BEGIN');
$few[0]->query('SELECT 1');

$_->send('Q', "SELECT 7\0")->flush_out() for @few[1 .. 5];

wait_for(sub { $t->status()->{upstreams}{few}{total}{queue_full} >= 3 }, 10);
$few[0]->query('COMMIT');

my @told = map { my $r = $_->result(); $r->state() ? $r->error()->{M}
	: $r->value() } @few[1 .. 5];

cmp_ok(scalar(grep { /too many clients wait/ } @told), '>=', 3,
	'who is one too many is told at once');
cmp_ok(scalar(grep { $_ eq '7' } @told), '>=', 1, 'and who waits is served');

$_->close() for @few;

###############################################################################
# Under load, sampled at the database.

for my $case ([ 8080, 'users', 3, 99 ], [ 8081, 'both', 3, 4 ]) {
	my ($server, $name, $max_user, $max_db) = @$case;

	ended();

	my @c;

	for my $user (@users) {
		push @c, map { client($server, $user,
			$_ % 2 ? 'shop' : 'store') } 1 .. 8;
	}

	my ($users, $dbs, $all, $wrong, $answers) = (0, 0, 0, 0, 0);

	for my $round (1 .. 6) {

		$_->send('Q', "SELECT current_user, current_database(), "
			. "pg_sleep(0.02)\0")->flush_out() for @c;

		for (1 .. 8) {
			my ($u, $d, $n) = sample($name);
			$users = $u if $u > $users;
			$dbs = $d if $d > $dbs;
			$all = $n if $n > $all;
		}

		for my $c (@c) {
			my $r = $c->result(30);

			if ($r->state()) {
				$wrong++;
				diag($r->error()->{M});
				next;
			}

			$answers++;
			$wrong++ if $r->row(0)->[0] ne $c->{user}
				|| $r->row(0)->[1] ne $c->{database};
		}
	}

	is($wrong, 0, "$name, everybody is answered");
	is($answers, 24 * 6, "$name, each time");
	cmp_ok($users, '<=', $max_user, "$name, no more than max_user");
	cmp_ok($dbs, '<=', $max_db, "$name, no more than max_db");
	cmp_ok($all, '<=', 8, "$name, no more than max");
	cmp_ok($users, '>=', 2, "$name, and not just one");

	$_->close() for @c;
}

###############################################################################
# Everybody has a turn, in whichever worker and as whichever user.

ended();

for my $case ([ 8084, 'one user', ('alice') x 8 ],
	[ 8081, 'one database', ('alice') x 6, ('carol') x 6, 'bob' ])
{
	my ($server, $name, @of) = @$case;

	my @turns = map { [ split ] } turns($server, @of);
	my ($least, $most) = (sort { $a <=> $b } map { $_->[0] } @turns)[0, -1];

	is(scalar(grep { $_->[1] } @turns), 0, "$name, nobody is refused");
	cmp_ok($least, '>', $most / 3, "$name, as often as others")
		or diag(join ', ', map { "$of[$_]: $turns[$_][0]" } 0 .. $#of);
}

# a worker that dies takes its part along only for a while

ended();

my @c = map { client(8080, 'alice') } 1 .. 6;
$_->send('Q', "SELECT pg_sleep(60)\0")->flush_out() for @c;
wait_for(sub { (sample())[0] == 3 }, 10);

$t->allow_log(qr/exited on signal 9/);
kill 'KILL', $t->worker_pids();

$pg->psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
	. "WHERE usename = 'alice'");

wait_for(sub { $t->worker_pids() == 2 }, 10);

$_->vanish() for @c;

my @answers = map { client(8080, 'alice')->query('SELECT 6')->value() } 1 .. 3;

is("@answers", '6 6 6', 'dead workers leave nothing behind');

$t->done_testing();

###############################################################################

sub client {
	my ($server, $user, $database) = @_;

	return pg_client(port($server), user => $user, timeout => 30,
		password => "$user secret", database => $database || 'shop');
}

# How often each of them gets an answer, and an error, within seconds.

sub turns {
	my ($server, @of) = @_;
	my @pipes;

	for my $user (@of) {
		pipe(my $r, my $w) or die "pipe: $!";

		my $pid = fork() // die "fork: $!";

		if (!$pid) {
			my $c = client($server, $user);
			my $end = time() + 4;
			my @n = (0, 0);

			while (time() < $end) {
				my $r = $c->query('SELECT pg_sleep(0.01)');
				$n[$r->state() ? 1 : 0]++;
			}

			syswrite($w, "@n\n");
			POSIX::_exit(0);
		}

		push @pipes, $r;
	}

	my @turns = map { scalar readline($_) } @pipes;

	return @turns;
}

# No connection is left of before.

sub ended {
	$pg->psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
		. "WHERE usename IN ('alice', 'bob', 'carol')");

	wait_for(sub { !(sample())[2] });
}

# The most connections of one user, of one database, and in all.

sub sample {
	my %n;

	my @rows = split /\n/, $pg->psql("SELECT usename, datname "
		. "FROM pg_stat_activity WHERE usename IN "
		. "('alice', 'bob', 'carol')");

	for (@rows) {
		my ($user, $database) = split /\|/;
		$n{u}{$user}++;
		$n{d}{$database}++;
	}

	my ($u) = sort { $b <=> $a } values %{$n{u}}, 0;
	my ($d) = sort { $b <=> $a } values %{$n{d}}, 0;

	return ($u, $d, scalar @rows);
}

###############################################################################
