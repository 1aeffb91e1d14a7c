#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: places of a worker that was killed count until the
# database has let its connections go, which the others ask it for; and what
# still runs there is ended.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive;
use Test::Hyperdrive::Workers
	qw(clients_by_worker clients_of_each start gone);

###############################################################################

my $t = Test::Hyperdrive->new()->allow_log(qr/exited on signal 9/);

my $pg = $t->postgres(users => { app => 'pw', two => 'pw' },
	databases => [ 'shop' ], settings => { log_statement => 'all' });
my $my = $t->mariadb(users => { app => 'pw' }, databases => [ 'shop' ]);

my %origin = (
	pg => 'postgres://app:pw@127.0.0.1:' . $pg->port()
		. '/shop?sslmode=disable',
	my => 'mysql://app:pw@127.0.0.1:' . $my->port()
		. '/shop?ssl-mode=DISABLED',
);

my %sleep = (pg => 'SELECT pg_sleep(600)', my => 'SELECT SLEEP(600)');
my %probe = (pg => $pg->client(database => 'shop'), my => $my->client());

my %count = (
	pg => "SELECT count(*) FROM pg_stat_activity WHERE usename = 'app'",
	my => 'SELECT COUNT(*) FROM information_schema.PROCESSLIST '
		. "WHERE USER = 'app'",
);

my %asleep = (
	pg => "SELECT count(*) FROM pg_stat_activity WHERE usename = 'app' "
		. "AND wait_event = 'PgSleep'",
	my => 'SELECT COUNT(*) FROM information_schema.PROCESSLIST '
		. "WHERE USER = 'app' AND INFO LIKE 'SELECT SLEEP%'",
);

# one address behind which there are two servers, one after the other

my $stranger = pg_client($pg->port(), user => 'two', password => 'pw',
	database => 'shop', timeout => 40);
my $number = value($stranger, 'SELECT pg_backend_pid()');

my $fake = $t->fake_pg(port(8085), backend => $number,
	query => sub { $_[1] =~ /slow/ ? undef : [ [ $_[0] ] ] });
my $relay = $t->relay(to => port(8085));

$origin{two} = 'postgres://two:pw@127.0.0.1:' . $relay->port()
	. '/shop?sslmode=disable';

$t->write_file_expand('nginx.conf', <<"EOS")->run();

%%TEST_GLOBALS%%

worker_processes  2;

events {
}

%%TEST_STATUS%%

stream {
    hyperdrive_users  off;

    upstream pg {
        hyperdrive_origin   $origin{pg};
        hyperdrive_pool     max=3 wait=60s;
        hyperdrive_catalog  off;
    }

    upstream my {
        hyperdrive_origin   $origin{my};
        hyperdrive_pool     max=3 wait=60s;
        hyperdrive_catalog  off;
    }

    upstream quota {
        hyperdrive_origin   $origin{pg};
        hyperdrive_pool     max=10 max_user=2 wait=60s;
        hyperdrive_catalog  off;
    }

    upstream late {
        hyperdrive_origin   $origin{pg};
        hyperdrive_pool     max=20 wait=60s;
        hyperdrive_catalog  off;
    }

    upstream two {
        hyperdrive_origin   $origin{two};
        hyperdrive_pool     max=20 wait=60s;
        hyperdrive_catalog  off;
    }

    server {
        listen           127.0.0.1:8080 reuseport;
        hyperdrive_pass  pg;
    }

    server {
        listen           127.0.0.1:8081 reuseport;
        hyperdrive_pass  my;
    }

    server {
        listen           127.0.0.1:8082 reuseport;
        hyperdrive_pass  quota;
    }

    server {
        listen           127.0.0.1:8083 reuseport;
        hyperdrive_pass  late;
    }

    server {
        listen           127.0.0.1:8084 reuseport;
        hyperdrive_pass  two;
    }
}

EOS

my %port = (pg => 8080, my => 8081, quota => 8082, late => 8083, two => 8084);

busy($_) for 'pg', 'my';
all_busy($_) for 'pg', 'my';
frozen();
another_death();
quota();
another_server();

$t->done_testing();

###############################################################################

sub client {
	my ($name) = @_;

	return mysql_client(port($port{$name}), user => 'app', password => 'x',
		database => 'shop', timeout => 40) if $name eq 'my';

	return pg_client(port($port{$name}), user => 'app', database => 'shop',
		timeout => 40);
}

sub value {
	my ($c, $sql) = @_;

	my $r = $c->query($sql);
	return ref $r eq 'HASH' ? $r->{rows}[0][0] : $r->value();
}

sub probe {
	my ($name, $sql) = @_;

	return value($probe{$name}, $sql);
}

sub answer {
	my ($c) = @_;

	return $c->can('read_result') ? $c->read_result(0)->{rows}[0][0]
		: $c->result()->value();
}

sub upstream {
	my ($name) = @_;
	return $t->status()->{upstreams}{$name};
}

# So many clients of each of the two workers, one of which is to die.

sub clients_of {
	my ($name, $n) = @_;

	my %of = clients_of_each($t, $name, 2, $n, sub { client($name) });
	my ($victim, $other) = sort { $a <=> $b } keys %of;

	return ($victim, $of{$victim}, $of{$other});
}

sub over {
	my ($name, @clients) = @_;

	gone($_) for @clients;

	wait_for(sub { $t->worker_pids() == 2 }, 20, 'a new worker');

	wait_for(sub {
		my %now = clients_by_worker($t, $name);
		!grep { $_ } values %now;
	}, 20, 'no clients');
}

###############################################################################

# A worker is killed while one of its connections is at work, and one in a
# transaction; the third is another worker's.

sub busy {
	my ($name) = @_;

	my ($victim, $its, $others) = clients_of($name, 2);

	start($its->[0], $sleep{$name});
	$its->[1]->query('BEGIN');
	value($its->[1], 'SELECT 1');

	$others->[0]->query('BEGIN');
	is(value($others->[0], 'SELECT 2'), 2, "$name, three are in use");

	wait_for(sub { probe($name, $asleep{$name}) == 1 });

	start($others->[1], 'SELECT 3');
	wait_for(sub { upstream($name)->{waiting} == 1 });

	kill 'KILL', $victim;

	# nobody looks for as long as all is quiet: the count has to hold at
	# every moment until the last one of the dead is gone

	my $most = 0;

	wait_for(sub {
		my $n = probe($name, $count{$name});
		$most = $n if $n > $most;

		value($others->[0], 'SELECT 4');

		my $u = upstream($name);
		$u->{dead} == 0 && $u->{waiting} <= 1
			&& probe($name, $asleep{$name}) == 0;
	}, 30, 'nothing is left');

	$others->[0]->query('COMMIT');

	is(answer($others->[1]), 3, "$name, who waits gets a place");
	cmp_ok($most, '<=', 3, "$name, and none is exceeded");
	is(upstream($name)->{dead}, 0, "$name, nothing is left");

	over($name, @$its, @$others);
}

# ...and it has all of them, so that nobody could ask.

sub all_busy {
	my ($name) = @_;

	my ($victim, $its, $others) = clients_of($name, 3);

	# those that are idle go over to it

	start($_, $sleep{$name}) for @$its;
	wait_for(sub { probe($name, $asleep{$name}) == 3 });

	start($others->[0], 'SELECT 5');
	wait_for(sub { upstream($name)->{waiting} == 1 });

	kill 'KILL', $victim;

	is(answer($others->[0]), 5, "$name, all were busy: who waits goes on");

	wait_for(sub {
		upstream($name)->{dead} == 0
			&& probe($name, $asleep{$name}) == 0;
	}, 30, 'nothing is left');

	cmp_ok(probe($name, $count{$name}), '<=', 3, "$name, none is left");

	over($name, @$its, @$others);
}

# A backend that does not end: its place is not given to anybody.

sub frozen {
	my ($victim, $its, $others) = clients_of('pg', 2);

	$its->[0]->query('BEGIN');
	my $pid = value($its->[0], 'SELECT pg_backend_pid()');

	value($others->[0], 'SELECT 1');

	kill 'STOP', $pid;
	kill 'KILL', $victim;

	my $asked = () = $pg->log() =~ /pg_terminate_backend/g;

	# for much longer than any time that a database is given

	wait_for(sub {
		my $n = () = $pg->log() =~ /pg_terminate_backend/g;
		value($others->[0], 'SELECT 2');
		$n > $asked + 50;
	}, 60, 'the database is asked again and again');

	is(upstream('pg')->{dead}, 1, 'pg, its place counts while it is there');

	# (the one that asks may just be opened)

	ok(wait_for(sub {
		my $u = upstream('pg');
		$u->{used} == probe('pg', $count{pg});
	}, 20), 'pg, and no other one');

	kill 'CONT', $pid;

	wait_for(sub { upstream('pg')->{dead} == 0 }, 20, 'it has gone');
	is(probe('pg', "SELECT count(*) FROM pg_stat_activity "
		. "WHERE pid = $pid"), 0, 'pg, and not after it');

	over('pg', @$its, @$others);
}

# One worker dies while a connection of one that died before is there yet: that
# of the second is younger than the death of the first.

sub another_death {
	my ($victim, $its, $others) = clients_of('late', 1);

	my $first = frozen_backend($its->[0]);
	kill 'KILL', $victim;

	wait_for(sub { asked_to_end($first) }, 20, 'the first is asked about');
	over('late', @$its, @$others);

	my $later = probe('pg', "SELECT clock_timestamp() + interval '2s'");
	wait_for(sub { probe('pg', "SELECT clock_timestamp() > '$later'") eq 't' },
		20);

	my ($second_victim, $new, $rest) = clients_of('late', 5);
	my $young;

	# connections that were there already are used up

	for my $c (@$new) {
		$c->query('BEGIN');
		$young = $c;

		last if value($c, "SELECT backend_start > '$later' FROM "
			. 'pg_stat_activity WHERE pid = pg_backend_pid()') eq 't';
	}

	my $second = frozen_backend($young);
	kill 'KILL', $second_victim;

	wait_for(sub { asked_to_end($second) }, 20, 'the second is asked about');

	my $asked = asked_to_end($first);
	wait_for(sub { asked_to_end($first) > $asked + 2 }, 20,
		'both are asked about');

	is(upstream('late')->{dead}, 2, 'late, the places of both count');

	kill 'CONT', $first, $second;

	wait_for(sub { upstream('late')->{dead} == 0 }, 20, 'they have gone');

	over('late', @$new, @$rest);
}

sub frozen_backend {
	my ($c) = @_;

	$c->query('BEGIN');
	my $pid = value($c, 'SELECT pg_backend_pid()');

	kill 'STOP', $pid;
	return $pid;
}

sub asked_to_end {
	my ($pid) = @_;

	return scalar(() = $pg->log()
		=~ /pg_terminate_backend\(pid\) .* WHERE pid = $pid /g);
}

# The number is somebody else's at the server that is asked; and neither says
# which server it is, as far as both workers know.

sub another_server {
	my $since = probe('pg', "SELECT backend_start + interval '2s' FROM "
		. "pg_stat_activity WHERE pid = $number");
	wait_for(sub { probe('pg', "SELECT clock_timestamp() > '$since'") eq 't' },
		20);

	my ($victim, $its, $others) = clients_of('two', 1);

	value($_, 'SELECT 7') for $its->[0], $others->[0];

	start($its->[0], 'SELECT slow');
	wait_for(sub { grep { /slow/ } $fake->queries() });

	kill 'KILL', $victim;
	wait_for(sub { upstream('two')->{dead} }, 20, 'a dead one');

	my $port = $relay->port();

	$relay->stop();
	$t->relay(to => $pg->port(), port => $port);

	wait_for(sub { asked_to_end($number) > 3 }, 20, 'it is asked about');

	is(value($stranger, 'SELECT 8'), 8, 'a stranger is not ended');

	$stranger->close();

	wait_for(sub { upstream('two')->{dead} == 0 }, 40, 'it has gone');

	over('two', @$its, @$others);
}

# Parts of a quota as well.

sub quota {
	my ($victim, $its, $others) = clients_of('quota', 2);

	start($_, $sleep{pg}) for @$its;
	wait_for(sub { probe('pg', $asleep{pg}) == 2 });

	start($others->[0], 'SELECT 6');
	wait_for(sub { upstream('quota')->{total}{waiting} == 1 });

	kill 'KILL', $victim;

	is(answer($others->[0]), 6, 'a quota that the dead had used up is free');

	wait_for(sub { upstream('quota')->{dead} == 0 }, 30);

	over('quota', @$its, @$others);
}

###############################################################################
