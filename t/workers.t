#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: several worker processes share one pool: a connection
# moves to whoever needs it, and what a killed worker had is free again.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive;
use Test::Hyperdrive::Workers qw(clients_by_worker clients_of_each);

###############################################################################

my $t = Test::Hyperdrive->new()->allow_log(qr/exited on signal 9/);

my $pg = $t->postgres(users => { app => 'pw' }, databases => [ 'shop' ],
	sql => { shop => <<'EOS' });

SET ROLE app;
CREATE TABLE things (id int PRIMARY KEY, v text);
INSERT INTO things SELECT g, 'thing ' || g FROM generate_series(1, 10) g;

EOS

my $probe = $pg->client(database => 'shop');

for my $workers (2, 4) {
	start($workers);

	moves($workers);
	shared($workers);
	killed($workers);
	killed_idle($workers);
	killed_busy($workers) if $workers == 4;

	$t->stop();
}

$t->done_testing();

###############################################################################

sub start {
	my ($workers) = @_;

	my $url = $pg->url();

	$t->write_file_expand('nginx.conf', <<"EOS")->run();

%%TEST_GLOBALS%%

worker_processes  $workers;

events {
}

%%TEST_STATUS%%

stream {
    hyperdrive_cache_zone  shop 8m;

    hyperdrive_users  off;

    upstream one {
        hyperdrive_origin   $url&application_name=one;
        hyperdrive_pool     max=1 wait=20s;
        hyperdrive_catalog  off;
    }

    upstream some {
        hyperdrive_origin  $url&application_name=some;
        hyperdrive_pool    max=3 wait=20s;
    }

    server {
        listen           127.0.0.1:8080 reuseport;
        hyperdrive_pass  one;
    }

    upstream soon {
        hyperdrive_origin   $url&application_name=soon;
        hyperdrive_pool     max=1 wait=8s;
        hyperdrive_catalog  off;
    }

    server {
        listen           127.0.0.1:8082 reuseport;
        hyperdrive_pass  soon;
    }

    server {
        listen            127.0.0.1:8081 reuseport;
        hyperdrive_pass   some;
        hyperdrive_cache  shop max_age=60s;
    }
}

EOS
}

sub client {
	my ($port) = @_;

	return pg_client(port($port), user => 'app', database => 'shop',
		timeout => 15);
}

sub upstream {
	my ($name) = @_;
	return $t->status()->{upstreams}{$name};
}

# A client of each worker.

sub one_each {
	my ($n, $port, $name) = @_;

	my %of = clients_of_each($t, $name, $n, 1, sub { client($port) });

	return map { $_ => $of{$_}[0] } keys %of;
}

sub at_database {
	my ($name) = @_;
	return $probe->query($pg->count_sql(app => $name))->value();
}

sub sum_opened {
	my ($name) = @_;
	return upstream($name)->{total}{origins_opened};
}

###############################################################################

# One connection, and a client of each worker: it goes from one to the other.

sub moves {
	my ($workers) = @_;

	my $name = "$workers workers, one connection";
	my %c = one_each($workers, 8080, 'one');

	my @pids = sort keys %c;
	my $opened = sum_opened('one');
	my %backends;

	for my $round (1 .. 10) {
		for my $pid (@pids) {
			my $r = $c{$pid}->query("SELECT $round, "
				. 'pg_backend_pid()');

			$backends{$r->row() ? $r->row()->[1]
				: $r->message()}++;
		}
	}

	is(join(' ', values %backends), 10 * $workers,
		"$name, goes where it is needed")
		or diag(join(', ', map { "$_: $backends{$_}" } keys %backends));
	cmp_ok(sum_opened('one'), '<=', $opened + 1, "$name, is opened once");
	is(at_database('one'), 1, "$name, is the only one");

	# what is prepared goes along

	$_->prepare('s', 'SELECT $1::int * 2') for values %c;

	my @answers;

	for my $round (1 .. 5) {
		push @answers, map { $c{$_}->execute_prepared('s', $round)
			->value() // 'none' } @pids;
	}

	is("@answers", join(' ', map { (2 * $_) x $workers } 1 .. 5),
		"$name, prepared statements");

	# all want it at once

	for my $round (1 .. 10) {
		$_->send('Q', "SELECT $round\0")->flush_out() for values %c;
		push @answers, map { $_->result()->value() // 'none' }
			values %c;
	}

	is(join(' ', splice(@answers, -10 * $workers)),
		join(' ', map { ($_) x $workers } 1 .. 10),
		"$name, wanted by all at once");

	# in a transaction it stays

	my ($first, $second) = @c{@pids[0, 1]};

	$first->query('BEGIN');
	$first->query('SELECT 1');
	$second->send('Q', "SELECT 2\0")->flush_out();

	wait_for(sub { upstream('one')->{waiting} == 1 });

	is($first->query('SELECT 3')->value(), 3, "$name, stays in a block");

	$first->query('COMMIT');

	is($second->result()->value(), 2, "$name, and goes after it");
	is(at_database('one'), 1, "$name, still the only one");

	$_->close() for values %c;
}

# What one worker has kept, all have.

sub shared {
	my ($workers) = @_;

	my $name = "$workers workers";
	my %c = one_each($workers, 8081, 'some');

	$t->wait_catalog('some', $workers);

	my $sql = "SELECT v FROM things WHERE id = 4";

	my $before = upstream('some')->{total};

	is($_->query($sql)->value(), 'thing 4', "$name, an answer")
		for values %c;

	my $now = upstream('some')->{total};

	is($now->{misses} - $before->{misses}, 1, "$name, asked for once");
	is($now->{hits} - $before->{hits}, $workers - 1,
		"$name, and shared by all");

	$_->close() for values %c;
}

# A worker is killed while its connections are idle, or waited for.

sub killed {
	my ($workers) = @_;

	my $name = "$workers workers, one killed";
	my %c = one_each($workers, 8081, 'some');
	my ($victim, @others) = sort { $a <=> $b } keys %c;

	$_->query('SELECT 1') for values %c;

	kill 'KILL', $victim;

	# the others go on meanwhile

	is(join(' ', map { $c{$_}->query('SELECT 2')->value() // 'none' }
		@others), join(' ', (2) x @others), "$name, the others go on");

	ok($c{$victim}->wait_eof(), "$name, its clients are gone");

	wait_for(sub { $t->worker_pids() == $workers }, 10, 'a new worker');

	my @new = map { client(8081) } 1 .. 6;

	is(join(' ', map { $_->query('SELECT 3')->value() // 'none' } @new),
		join(' ', (3) x 6), "$name, new clients");

	$_->close() for @new, @c{@others};
	$c{$victim}->vanish();
}

# A worker is killed that has all places, and is idle: they are free before
# anybody has waited for as long as busy ones are kept.

sub killed_idle {
	my ($workers) = @_;

	my $name = "$workers workers, one killed that is idle";
	my %c = one_each($workers, 8082, 'soon');
	my ($victim, @others) = sort { $a <=> $b } keys %c;

	$c{$victim}->query('SELECT 1');

	is(upstream('soon')->{by_worker}{$victim}{places}, 1,
		"$name, it has the place");

	kill 'KILL', $victim;

	is($c{$others[0]}->query('SELECT 2')->value() // 'none', 2,
		"$name, another one gets it");

	wait_for(sub { $t->worker_pids() == $workers }, 10, 'a new worker');

	$_->vanish() for values %c;
}

# A worker is killed in a transaction, with all places in its hands.

sub killed_busy {
	my ($workers) = @_;

	my $name = "$workers workers, one killed in transactions";
	my %c = one_each($workers, 8081, 'some');
	my ($victim, @others) = sort { $a <=> $b } keys %c;

	my @more;

	while (@more < 2) {
		my %before = clients_by_worker($t, 'some');
		my $d = client(8081);
		my %now = clients_by_worker($t, 'some');

		if ($now{$victim} > $before{$victim}) {
			push @more, $d;

		} else {
			$d->close();
			wait_for(sub {
				my %left = clients_by_worker($t, 'some');
				my $sum = 0;
				$sum += $_ for values %left;
				$sum == $workers + @more;
			});
		}
	}

	for ($c{$victim}, @more) {
		$_->query('BEGIN');
		$_->query("UPDATE things SET v = 'lost' WHERE id = 5");
		last;
	}

	for (@more) {
		$_->query('BEGIN');
		$_->query('SELECT 1');
	}

	is(upstream('some')->{by_worker}{$victim}{places}, 3,
		"$name, it has all places");

	# who waits for a place

	my $waiter = $c{$others[0]};

	$waiter->send('Q', "SELECT v FROM things WHERE id = 5 AND true\0")
		->flush_out();

	wait_for(sub { upstream('some')->{waiting} == 1 });

	kill 'KILL', $victim;

	is(eval { $waiter->result()->value() } // $@, 'thing 5',
		"$name, who waits gets a place");

	wait_for(sub { $t->worker_pids() == $workers }, 10, 'a new worker');

	# all places come back

	my $back = eval { wait_for(sub {
		my $some = upstream('some');
		$some->{dead} == 0 && $some->{used} <= 3
			&& $some->{waiting} == 0;
	}, 15) };

	ok($back, "$name, places come back") or diag(explain(upstream('some')));

	my @held = map { client(8081) } 1 .. 3;

	for (@held) {
		$_->query('BEGIN');
		is($_->query('SELECT 7')->value() // 'none', 7,
			"$name, each is of use");
	}

	cmp_ok(at_database('some'), '<=', 3, "$name, and no more than max");

	$_->close() for @held;
	$_->vanish() for @more, values %c;

	is($probe->query("SELECT count(*) FROM things WHERE v = 'lost'")
		->value(), 0, "$name, nothing half done");
}

###############################################################################
