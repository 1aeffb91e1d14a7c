#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: the queue for a connection to the database: order,
# limits, those who leave it, and what all are told when there is none.

###############################################################################

use warnings;
use strict;

use Test::More;
use Time::HiRes qw(time);

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive;

###############################################################################

my $t = Test::Hyperdrive->new();

my $pg = $t->postgres(
	users => {
		app => 'pw',
		full => { password => 'pw', attributes => 'CONNECTION LIMIT 0' }
	},
	databases => [ 'shop' ],
	sql => { shop => <<'EOF' }
SET ROLE app;
CREATE TABLE arrivals (seq serial, n int);
EOF
);

my $relay = $t->relay(to => $pg->port());
my %app = (user => 'app', database => 'shop');

for my $workers (1, 2) {
	start($workers);

	in_order("$workers workers");
	leaving("$workers workers");
	waiting("$workers workers");
	bounded("$workers workers");
	refused("$workers workers");

	$t->stop();
}

start(1);

told();
next_origin();
restart();

$t->done_testing();

###############################################################################

sub start {
	my ($workers) = @_;

	my $origin = $pg->port();
	my $far = $relay->port();

	my $shop = 'shop?sslmode=disable';
	my $app = 'postgres://app:pw@127.0.0.1';

	$t->write_file_expand('nginx.conf', <<"EOF")->run();

%%TEST_GLOBALS%%

worker_processes  $workers;

events {
}

%%TEST_STATUS%%

stream {
    hyperdrive_users  off;

    upstream shop {
        hyperdrive_origin  $app:$origin/$shop;
        hyperdrive_pool    max=1 wait=20s;
    }

    upstream short {
        hyperdrive_origin  $app:$origin/$shop;
        hyperdrive_pool    max=1 wait=500ms;
    }

    upstream bounded {
        hyperdrive_origin  $app:$origin/$shop;
        hyperdrive_pool    max=1 queue=2 wait=20s;
    }

    upstream far {
        hyperdrive_origin  $app:$far/$shop;
        hyperdrive_pool    max=1 wait=20s;
    }

    upstream dead {
        hyperdrive_origin  $app:8099/$shop;
        hyperdrive_pool    max=2 wait=20s;
    }

    upstream full {
        hyperdrive_origin  postgres://full:pw\@127.0.0.1:$origin/$shop;
        hyperdrive_pool    max=2 wait=20s;
    }

    upstream wrong {
        hyperdrive_origin  postgres://app:no\@127.0.0.1:$origin/$shop;
        hyperdrive_pool    max=2 wait=20s;
    }

    upstream next {
        hyperdrive_origin  $app:8098/$shop;
        hyperdrive_origin  $app:$origin/$shop;
        hyperdrive_pool    max=4 wait=20s;
    }

    upstream backup {
        hyperdrive_origin  $app:8097/$shop;
        hyperdrive_origin  $app:$origin/$shop backup;
        hyperdrive_pool    max=4 wait=20s;
    }

    server {
        listen           127.0.0.1:8080;
        hyperdrive_pass  shop;
    }

    server {
        listen           127.0.0.1:8081;
        hyperdrive_pass  short;
    }

    server {
        listen           127.0.0.1:8082;
        hyperdrive_pass  bounded;
    }

    server {
        listen           127.0.0.1:8083;
        hyperdrive_pass  far;
    }

    server {
        listen           127.0.0.1:8084;
        hyperdrive_pass  dead;
    }

    server {
        listen           127.0.0.1:8085;
        hyperdrive_pass  full;
    }

    server {
        listen           127.0.0.1:8086;
        hyperdrive_pass  wrong;
    }

    server {
        listen           127.0.0.1:8087;
        hyperdrive_pass  next;
    }

    server {
        listen           127.0.0.1:8088;
        hyperdrive_pass  backup;
    }
}

EOF
}

sub client {
	my ($port, %o) = @_;
	return pg_client(port($port), %app, timeout => 15, %o);
}

# A client with a transaction open, and so with the only connection.

sub holder {
	my ($port) = @_;
	return holds(client($port));
}

sub holds {
	my ($c) = @_;

	# (who waits for a short time only may have to ask more than once)

	wait_for(sub {
		die "no transaction\n"
			unless $c->query('BEGIN')->status() eq 'T';

		return 1 if ($c->query('SELECT 1')->value() // '') eq '1';

		$c->query('ROLLBACK');
		return 0;
	}, 10, 'a connection');

	return $c;
}

# How many wait for a connection.

sub queue {
	my ($upstream) = @_;
	return $t->status()->{upstreams}{$upstream}{waiting};
}

# Sends a query and does not wait for the answer.

sub ask {
	my ($c, $sql) = @_;

	$c->send('Q', "$sql\0")->flush_out();
	return $c;
}

# The order of arrival is the order in which nginx reads.

sub arrive {
	my ($c, $n, $upstream) = @_;

	ask($c, "INSERT INTO arrivals (n) VALUES ($n)");

	wait_for(sub { queue($upstream) == $n }, 10, "place $n in the queue");
}

sub arrivals {
	my @n = $pg->psql('SELECT n FROM arrivals ORDER BY seq', db => 'shop');

	$pg->psql('DELETE FROM arrivals', db => 'shop');

	return "@n";
}

###############################################################################

sub in_order {
	my ($name) = @_;

	my $holder = holder(8080);
	my @waiters = map { client(8080) } 1 .. 12;

	arrive($waiters[$_ - 1], $_, 'shop') for 1 .. 12;

	# (those of the nginx before may be about to go)

	ok(eval { wait_for(sub { $pg->connections(user => 'app') == 1 }) },
		"$name, one connection");

	$holder->query('COMMIT');

	# the one who had it last comes last

	ask($holder, 'INSERT INTO arrivals (n) VALUES (13)');

	is(join(' ', map { $_->result()->tag() // 'none' } @waiters, $holder),
		join(' ', ('INSERT 0 1') x 13), "$name, all are served");
	is(arrivals(), join(' ', 1 .. 13), "$name, in the order they came");

	$_->close() for @waiters, $holder;
}

sub leaving {
	my ($name) = @_;

	my $holder = holder(8080);
	my @waiters = map { client(8080) } 1 .. 9;

	arrive($waiters[$_ - 1], $_, 'shop') for 1 .. 9;

	$waiters[$_]->vanish() for 0, 2;
	$waiters[$_]->abort() for 1, 5;
	$waiters[$_]->send('X')->flush_out() for 6;


	# (a good-bye is read when its turn comes)

	wait_for(sub { queue('shop') <= 5 }, 10, 'those who leave');

	$holder->query('COMMIT');

	is(join(' ', map { $waiters[$_]->result()->tag() // 'none' } 3, 4, 7, 8),
		join(' ', ('INSERT 0 1') x 4), "$name, those who stayed");

	# one that has said good-bye behind its query may have been served

	(my $served = arrivals()) =~ s/\b7 //;

	is($served, '4 5 8 9', "$name, those who left were skipped");

	$_->close() for @waiters[3, 4, 7, 8], $holder;
}

sub waiting {
	my ($name) = @_;

	my $holder = holder(8081);
	my $c = client(8081);
	my $start = time();

	my $r = $c->query('SELECT 1');
	my $took = time() - $start;

	is($r->state(), '53300', "$name, waited for too long");
	is($r->types(), 'EZ', "$name, one error and one end");
	is($r->status(), 'I', "$name, and is idle");
	ok($took > 0.4 && $took < 10, "$name, after its time") or diag($took);

	$r = $c->extended('SELECT $1::int', 1);

	is($r->state(), '53300', "$name, extended");
	is($r->types(), 'EZ', "$name, extended, one error and one end");

	$r = $c->prepare('s', 'SELECT $1::int + 1');

	is($r->state(), '53300', "$name, prepare");

	$holder->query('COMMIT');

	# (as soon as the connection has come over to its worker)

	is(eval { wait_for(sub { $c->query('SELECT 2')->value() }) }, 2,
		"$name, served afterwards");
	is($c->prepare('s', 'SELECT $1::int + 1')->state(), '',
		"$name, prepared afterwards");
	is($c->execute_prepared('s', 4)->value(), 5, "$name, executed");

	# two units in flight time out one by one, in their order

	holds($holder);
	ask($c, 'SELECT 3');
	ask($c, 'SELECT 4');

	is($c->result()->state(), '53300', "$name, the first in flight");
	$holder->query('COMMIT');

	my $second = $c->result();

	ok($second->state() eq '53300' || ($second->value() // '') eq '4',
		"$name, the second in flight");

	$_->close() for $c, $holder;
}

sub bounded {
	my ($name) = @_;

	my $holder = holder(8082);
	my @waiters = map { client(8082) } 1 .. 2;
	my $more = client(8082);

	arrive($waiters[$_ - 1], $_, 'bounded') for 1, 2;

	my $start = time();
	my $r = $more->query('SELECT 1');

	is($r->state(), '53300', "$name, the queue is full");
	ok(time() - $start < 10, "$name, which is told at once");

	$holder->query('COMMIT');

	is($_->result()->tag(), 'INSERT 0 1', "$name, who was in it is served")
		for @waiters;

	is($more->query('SELECT 5')->value(), 5,
		"$name, and who was not, later");
	is(arrivals(), '1 2', "$name, in order");

	$_->close() for @waiters, $more, $holder;
}

sub refused {
	my ($name) = @_;

	my $holder = holder(8083);
	my @waiters = map { client(8083) } 1 .. 6;

	arrive($waiters[$_ - 1], $_, 'far') for 1 .. 6;

	$relay->refuse()->cut('both');

	my $start = time();
	my @r = map { $_->result() } @waiters;
	my $took = time() - $start;

	is(scalar(grep { $_->state() ne '' && $_->status() eq 'I' } @r), 6,
		"$name, all who wait are told that the database is gone")
		or diag(join(' ', map { $_->types() } @r));
	ok($took < 15, "$name, at once") or diag($took);
	like($r[0]->message(), qr/\w{3}/, "$name, and why");
	note($r[0]->state() . ' ' . $r[0]->message());

	# who has the connection is in a transaction: it ends with it

	ok(!eval { $holder->query('SELECT 1')->status() },
		"$name, a transaction ends with its connection");

	$relay->accept();

	my $back = eval {
		wait_for(sub {
			eval { $waiters[0]->query('SELECT 6')->value() };
		}, 10);
	};

	is($back, 6, "$name, served when it is back");
	is(arrivals(), '', "$name, nothing was done for those who were told");

	$_->close() for @waiters;
	$holder->vanish();
}

###############################################################################
# Log-ins that wait for a database which says no.

sub told {
	my ($start, @c);

	for my $case (
		[ 8084, qr/refused/i, 'no database there' ],
		[ 8085, qr/too many connections/, 'no place for the user' ],
		[ 8086, qr/password authentication failed/, 'wrong password' ])
	{
		my ($port, $message, $name) = @$case;

		$start = time();

		@c = map { pg_client(port($port), %app, login => 0) } 1 .. 5;
		$_->startup() for @c;
		$_->authenticate() for @c;

		ok(time() - $start < 15, "$name, told at once");
		is(scalar(grep { ($_->error()->{M} // '') =~ $message } @c), 5,
			"$name, with the reason")
			or diag($c[0]->error()->{M});
		is(scalar(grep { $_->wait_eof() } @c), 5,
			"$name, and the connections are ended");
		is(scalar(grep { ($_->error()->{S} // '') eq 'FATAL' } @c), 5,
			"$name, by a FATAL");
		note($c[0]->error()->{C} . ' ' . $c[0]->error()->{M});
	}
}

sub next_origin {
	for my $case ([ 8087, 'the next origin' ], [ 8088, 'the backup' ]) {
		my ($port, $name) = @$case;

		my @c = map { client($port, quiet => 1) } 1 .. 6;

		is(scalar(grep { !$_->error() } @c), 6, "$name, log-ins");

		ask($c[$_], "SELECT $_") for 0 .. 5;

		is(join(' ', map { $_->result()->value() // 'none' } @c),
			'0 1 2 3 4 5', "$name, answers");

		$_->close() for @c;
	}
}

# A database that comes back finds its clients where they were.

sub restart {
	my $c = client(8080);

	is($c->query('SELECT 7')->value(), 7, 'before a restart');

	$pg->restart();

	is($c->query('SELECT 8')->value(), 8, 'after a restart');

	$c->query('BEGIN');
	$c->query('SELECT 9');
	$pg->restart();

	my $r = eval { $c->query('SELECT 9') };

	ok(!$r || $r->state() =~ /^(?:57P01|08|57P02)/,
		'a transaction does not outlive its database');

	my $d = client(8080);
	is($d->query('SELECT 10')->value(), 10, 'the next client does');

	$d->close();
	$c->vanish();
}

###############################################################################
