#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: a reload: who is there goes on, what is kept is kept,
# and what has changed holds from then on.

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

my $t = Test::Hyperdrive->new()->allow_log(qr/hyperdrive_pool/);

my $pg = $t->postgres(users => { app => 'pw' }, databases => [ 'shop' ],
	sql => { shop => <<'EOS' });

SET ROLE app;
CREATE TABLE things (id int PRIMARY KEY, v text);
INSERT INTO things SELECT g, 'thing ' || g FROM generate_series(1, 10) g;

EOS

my $probe = $pg->client();

configure(max => 4);
$t->run();

clients();
kept();
aged();
elsewhere();
changed();
refused();
many();

$t->done_testing();

###############################################################################

sub configure {
	my (%o) = @_;

	my $url = $pg->url();

	my $more = $o{more} // '';
	my $age = $o{age} // '60s';

	$url = $o{url} if $o{url};

	$t->write_file_expand('nginx.conf', <<"EOS");

%%TEST_GLOBALS%%

worker_processes  2;

events {
}

%%TEST_STATUS%%

stream {
    hyperdrive_cache_zone  shop 8m;

    hyperdrive_users  off;

    upstream shop {
        hyperdrive_origin  $url;
        hyperdrive_pool    max=$o{max} wait=20s;
    }

    server {
        listen            127.0.0.1:8080;
        hyperdrive_pass   shop;
        hyperdrive_cache  shop max_age=$age;
    }

$more
}

EOS
}

sub client {
	my (%o) = @_;

	return pg_client(port(8080), user => 'app', database => 'shop',
		timeout => 15, %o);
}

sub shop {
	return $t->status()->{upstreams}{shop};
}

sub at_database {
	return $probe->query($pg->count_sql(user => 'app'))->value();
}

###############################################################################

# Who is in the middle of something is not disturbed.

sub clients {
	my $idle = client();
	my $active = client();
	my $running = client();

	$idle->query('SELECT 1');
	$idle->prepare('s', 'SELECT $1::int');

	$active->query('BEGIN');
	$active->query("UPDATE things SET v = 'reloaded' WHERE id = 1");

	$running->send('Q', "SELECT 2, pg_sleep(0.5)\0")->flush_out();

	ok($t->reload(), 'a reload');

	is($running->result()->value(), 2, 'a query that was running');
	is($active->query('SELECT v FROM things WHERE id = 1')->value(),
		'reloaded', 'in a transaction, a query');
	is($active->query('COMMIT')->tag(), 'COMMIT',
		'in a transaction, its end');
	is($probe->query('SELECT 1')->value(), 1, 'the database');

	my $c = client();
	is($c->query('SELECT v FROM things WHERE id = 1 AND true')->value(),
		'reloaded', 'a new client');
	$c->close();

	# an idle one goes on, or is told that it has to come again

	my $r = eval { $idle->execute_prepared('s', 3) };

	ok($r && (($r->value() // '') eq '3' || $r->state() =~ /^57P0/)
		|| $idle->wait_eof(1), 'an idle client');
	note($r ? $r->types() . ' ' . $r->state() : 'closed');

	$_->vanish() for $idle, $active, $running;

	ok(eval { wait_for(sub {
		$t->worker_pids(all => 1) == 2;
	}, 10) }, 'the old workers leave');

	cmp_ok(at_database(), '<=', 4, 'no more connections than max');
}

# Answers and counters outlive a reload.

sub kept {
	my $c = client();
	my $sql = 'SELECT v FROM things WHERE id = 2';

	is(value_of($c, $sql, 'thing 2'), 'thing 2', 'an answer is kept');
	$c->close();

	my $before = shop()->{total};

	$pg->psql("UPDATE things SET v = 'changed' WHERE id = 2",
		db => 'shop');

	ok($t->reload(), 'a reload');

	# a new process reads the catalog before it looks into the cache

	ok(eval { wait_for(sub {
		my $d = client();
		my $value = $d->query($sql)->value();

		$d->close();
		$value eq 'thing 2';
	}, 10) }, 'what was kept is kept');

	my $now = shop()->{total};

	is($now->{hits}, $before->{hits} + 1, 'a hit');
	is($now->{misses}, $before->{misses}, 'and no miss');
	cmp_ok($now->{clients_total}, '>', $before->{clients_total},
		'counters go on');
	cmp_ok($now->{queries}, '>', $before->{queries}, 'all of them');
}

# Another max_age is in force for what is kept already.

sub aged {
	my $sql = 'SELECT v FROM things WHERE id = 3';
	my $c = client();

	is(value_of($c, $sql, 'thing 3'), 'thing 3', 'an answer is kept');
	$c->close();

	$pg->psql("UPDATE things SET v = 'changed' WHERE id = 3", db => 'shop');

	configure(max => 4, age => '1ms');
	ok($t->reload(), 'max_age=1ms');

	$c = client();
	is($c->query($sql)->value(), 'changed', 'it is too old by now');
	$c->close();

	configure(max => 4, age => '60s');
	ok($t->reload(), 'max_age=60s');
}

# Who leads to another database, or to it as another user, has other answers.

sub elsewhere {
	my $sql = 'SELECT v FROM things WHERE id = 4';
	my $c = client();

	is(value_of($c, $sql, 'thing 4'), 'thing 4', 'an answer is kept');
	$c->close();

	$pg->psql("UPDATE things SET v = 'changed' WHERE id = 4", db => 'shop');

	configure(max => 4, url => 'postgres://app:pw@localhost:' . $pg->port()
		. '/shop?sslmode=disable');
	ok($t->reload(), 'another address');

	$c = client();
	is(value_of($c, $sql, 'changed'), 'changed', 'has other answers');
	$c->close();

	configure(max => 4);
	ok($t->reload(), 'the address of before');
}

# a value, when it is one of the cache

sub value_of {
	my ($c, $sql, $want) = @_;
	my ($value, $hits);

	eval { wait_for(sub {
		$hits = shop()->{total}{hits};
		$value = $c->query($sql)->value();

		$value ne $want || shop()->{total}{hits} > $hits;
	}, 10) };

	return $value;
}

# "max" goes up and down.

sub changed {
	for my $max (7, 2, 5) {
		configure(max => $max);

		ok($t->reload(), "max=$max");

		wait_for(sub { $t->worker_pids(all => 1) == 2 }, 15,
			'end of the old workers');

		is(shop()->{max}, $max, "max=$max, applies");

		my @c = map { client() } 1 .. $max;

		for (@c) {
			$_->query('BEGIN');
			is($_->query('SELECT 1')->value(), 1,
				"max=$max, a connection");
		}

		# (those above it are on their way out)

		ok(eval { wait_for(sub { at_database() == $max }) },
			"max=$max, at the database");

		my $more = client();

		$more->send('Q', "SELECT 5\0")->flush_out();

		# (who reads the catalog may have to wait, too)

		ok(eval { wait_for(sub { shop()->{waiting} >= 1 }) },
			"max=$max, and no more");

		$c[0]->query('COMMIT');
		is($more->result()->value(), 5, "max=$max, who waited");

		$_->close() for @c, $more;
	}
}

# A configuration that is wrong changes nothing.

sub refused {
	my $c = client();

	$t->write_file('good.conf', $t->read_file('nginx.conf'));
	configure(max => 0);

	ok(!$t->reload(), 'a wrong configuration');
	is(shop()->{max}, 5, 'changes nothing');
	is($c->query('SELECT 6')->value(), 6, 'for nobody');
	$c->close();

	$t->write_file('nginx.conf', $t->read_file('good.conf'));
}

# Again and again, with clients that come and go.

sub many {
	my @children = map { in_child($_) } 1 .. 4;

	my ($most, $end) = (0, time() + 4);
	my $reloads = 0;

	while (time() < $end || $reloads < 3) {
		$reloads++ if $t->reload();

		for (1 .. 20) {
			my $n = at_database();
			$most = $n if $n > $most;
			sleep(0.01);
		}
	}

	my $failed = 0;

	for (@children) {
		waitpid($_, 0);
		$failed++ if $?;
	}

	note("$reloads reloads, up to $most connections");

	cmp_ok($reloads, '>', 2, 'reloads under load');
	is($failed, 0, 'no wrong answer to any client');
	cmp_ok($most, '<=', 5, 'never more connections than max');

	ok(eval { wait_for(sub { $t->worker_pids(all => 1) == 2 }, 15) },
		'and all old workers are gone');

	my $c = client();
	is($c->query('SELECT 7')->value(), 7, 'a client of afterwards');
	$c->close();
}

# A client that comes again when it is told to, and checks its answers.

sub in_child {
	my ($id) = @_;

	my $pid = fork();
	die "fork: $!\n" unless defined $pid;
	return $pid if $pid;

	$SIG{$_} = 'DEFAULT' for qw(INT TERM HUP ALRM);

	my $end = time() + 3.5;
	my ($n, $wrong) = (0, 0);

	while (time() < $end) {
		my $c = eval { client(quiet => 1) };

		next if !$c || $c->error();

		for (1 .. 20) {
			$n++;

			my $r = eval { $c->query("SELECT $id, $n") };

			# the connection may end, between two queries

			last unless $r && $r->types();
			last if $r->state() =~ /^(?:57P0|08|53300)/;

			my $got = join(' ', @{$r->row() || [ $r->state() ]});

			if ($got ne "$id $n") {
				print STDERR "# got $got for $id $n\n";
				$wrong++;
			}

			sleep(0.005);
		}

		eval { $c->close() };
	}

	POSIX::_exit($wrong || $n < 10 ? 1 : 0);
}

###############################################################################
