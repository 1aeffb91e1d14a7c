#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: several databases in one upstream, balanced by nginx.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive;

###############################################################################

my $t = Test::Hyperdrive->new();

my @pg = map { $t->postgres(users => { app => 'pw' },
	databases => [ 'shop' ]) } 1 .. 2;

my ($one, $two) = map { 'postgres://app:pw@127.0.0.1:' . $_->port()
	. '/shop?sslmode=disable' } @pg;

$t->write_file_expand('nginx.conf', <<"EOS")->run();

%%TEST_GLOBALS%%

worker_processes  2;

events {
}

%%TEST_STATUS%%

stream {
    hyperdrive_users  off;

    upstream round {
        zone               round 64k;
        hyperdrive_origin  $one fail_timeout=1s;
        hyperdrive_origin  $two fail_timeout=1s;
        hyperdrive_pool    max=8 wait=5s;
    }

    upstream weighted {
        zone               weighted 64k;
        hyperdrive_origin  $one weight=2;
        hyperdrive_origin  $two;
        hyperdrive_pool    max=9;
    }

    upstream least {
        zone               least 64k;
        least_conn;
        hyperdrive_origin  $one;
        hyperdrive_origin  $two;
        hyperdrive_pool    max=8;
    }

    upstream backup {
        zone               backup 64k;
        hyperdrive_origin  $one fail_timeout=1s;
        hyperdrive_origin  $two backup;
        hyperdrive_pool    max=4 wait=5s;
    }

    upstream down {
        hyperdrive_origin  $one down;
        hyperdrive_origin  $two;
        hyperdrive_pool    max=4;
    }

    upstream limited {
        zone               limited 64k;
        hyperdrive_origin  $one max_conns=1;
        hyperdrive_origin  $two;
        hyperdrive_pool    max=4;
    }

    upstream hashed {
        hash               \$remote_addr consistent;
        hyperdrive_origin  $one;
        hyperdrive_origin  $two;
        hyperdrive_pool    max=6;
    }

    upstream fails {
        zone               fails 64k;
        hyperdrive_origin  postgres://app:pw\@127.0.0.1:8100/shop?sslmode=disable max_fails=2 fail_timeout=60s;
        hyperdrive_origin  $two;
        hyperdrive_pool    max=20;
    }

    upstream none {
        hyperdrive_origin  postgres://app:pw\@127.0.0.1:8198/shop?sslmode=disable;
        hyperdrive_origin  postgres://app:pw\@127.0.0.1:8199/shop?sslmode=disable;
        hyperdrive_pool    max=4 wait=5s;
    }

    server {
        listen           127.0.0.1:8080;
        hyperdrive_pass  round;
    }

    server {
        listen           127.0.0.1:8081;
        hyperdrive_pass  weighted;
    }

    server {
        listen           127.0.0.1:8082;
        hyperdrive_pass  least;
    }

    server {
        listen           127.0.0.1:8083;
        hyperdrive_pass  backup;
    }

    server {
        listen           127.0.0.1:8084;
        hyperdrive_pass  down;
    }

    server {
        listen           127.0.0.1:8085;
        hyperdrive_pass  limited;
    }

    server {
        listen           127.0.0.1:8086;
        hyperdrive_pass  hashed;
    }

    server {
        listen           127.0.0.1:8087;
        hyperdrive_pass  fails;
    }

    server {
        listen           127.0.0.1:8088;
        hyperdrive_pass  none;
    }
}

EOS

# takes connections and refuses every log-in

my $refusing = $t->fake_pg(port(8100), connect => sub {
	my ($c) = @_;

	$c->abort();
	die "refused\n";
});

###############################################################################

is(spread(8080, 6), '3 3', 'round robin');
is(spread(8081, 9), '6 3', 'weight');
is(spread(8082, 6), '3 3', 'least_conn');
is(spread(8083, 3), '3 0', 'backup, not needed');
is(spread(8084, 3), '0 3', 'down');
is(spread(8085, 4), '1 3', 'max_conns');
like(spread(8086, 6), qr/^(?:6 0|0 6)$/, 'hash');

# one that fails is not asked for long

is(spread(8087, 6), '0 6', 'one that refuses');

my $tries = $refusing->connections();

is(spread(8087, 8, 6), '0 8', 'once more');
is($refusing->connections(), $tries, 'is not asked again after max_fails');
cmp_ok($tries, '<=', 4, 'which are few');

# none

my $c = client(8088, quiet => 1);

like($c->error()->{C} // '', qr/^08|^57P03/, 'none at all');
like($c->error()->{M} // '', qr/\w{4}/, 'and why');
$c->vanish();

###############################################################################
# A database goes, and comes again.

my @c = map { client($_) } 8080, 8083;

is($_->query('SELECT 1')->value(), 1, 'before') for @c;

$pg[0]->stop();

for my $c (@c) {

	# a query that was under way may be lost with its connection; whoever
	# asks after that does not notice

	is(value_of($c), '2 ' . $pg[1]->port(), 'the other one answers');
}

is(spread(8080, 4), '0 4', 'round robin, one left');
is(spread(8083, 3), '0 3', 'backup, needed');

$pg[0]->start();

# (the connections to the second one stay as long as they are of use)

for my $case ([ 8080, 'round robin, both' ], [ 8083, 'backup, the first' ]) {
	my ($port, $name) = @$case;

	ok(eval { wait_for(sub {
		$pg[1]->psql('SELECT pg_terminate_backend(pid) FROM '
			. "pg_stat_activity WHERE usename = 'app'");

		wait_for(sub { $pg[1]->connections(user => 'app') == 0 });

		# one whose end nginx has not read yet may be met

		(eval { spread($port, 4) } // '') =~ /^[1-9]/;
	}, 10) }, "$name again");
}

$_->close() for @c;

# both

$_->stop() for @pg;

$c = client(8080, quiet => 1);
my $r = $c->error() || $c->query('SELECT 1')->error();

like($r->{C}, qr/^(?:08|57P)/, 'both are gone');
$c->vanish();

$_->start() for @pg;

$c = undef;

is(eval { wait_for(sub {
	$c = client(8080, quiet => 1);
	!$c->error() && $c->query('SELECT 3')->value();
}, 10) }, 3, 'both are back');

$t->done_testing();

###############################################################################

sub client {
	my ($port, %o) = @_;

	return pg_client(port($port), user => 'app', database => 'shop',
		timeout => 15, %o);
}

sub value_of {
	my ($c) = @_;

	return eval { wait_for(sub {
		my $r = $c->query("SELECT 2, current_setting('port')");
		my $row = $r->row();

		note($r->state() . ' ' . $r->message()) if $r->error();
		$row && join(' ', @$row);
	}, 10) } // $@;
}

# Connections of so many clients at once, per database.

sub spread {
	my ($port, $n) = @_;

	my %count = map { $_->port() => 0 } @pg;
	my @c = map { client($port) } 1 .. $n;

	for my $c (@c) {
		$c->query('BEGIN');
		$count{$c->query("SELECT current_setting('port')")->value()
			// 'none'}++;
	}

	$_->query('COMMIT') for @c;
	$_->close() for @c;

	return join(' ', map { $count{$_->port()} } @pg)
		. ($count{none} ? " and $count{none} of none" : '');
}

###############################################################################
