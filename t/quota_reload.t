#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: limits of connections for each user and database, when
# a reload changes them while connections are handed over.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive;
use Test::Hyperdrive::PG;

###############################################################################

my $t = Test::Hyperdrive->new();

my $pg = $t->postgres(users => { app => 'pw' }, databases => [ 'shop' ],
	sql => { shop => <<'EOS' });

CREATE TABLE things (id int PRIMARY KEY, v int);
INSERT INTO things VALUES (1, 10);
GRANT ALL ON things TO app;

EOS

my $replica = $pg->replica();

configure('max_user=4', 1);

$t->run();

###############################################################################
# A replica that is there no more leaves nothing that counts.

my $reader = client();

wait_for(sub { $reader->query('SELECT v FROM things');
	opened($replica) && reads() }, 20);

is($reader->query('SELECT v FROM things')->value(), 10, 'a replica is read');
$reader->close();

reload('max_user=4', 0);

wait_for(sub { opened($replica) == 0 }, 20);

is(at_once(4), '1 2 3 4',
	'after a reload without it the user has all of its parts');

###############################################################################
# Limits that are new, and that are none any more.

reload('', 0);

is(at_once(5), '1 2 3 4 5', 'no limit');

reload('max_user=2', 0);

wait_for(sub { opened($pg) <= 2 }, 20);
pass('connections above a new limit are closed');

is(at_once(2), '1 2', 'which can be used up');
is(refused(), '53300', 'and is a limit');

# those of before end, and take no part of others along

$pg->psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
	. "WHERE usename = 'app'");
wait_for(sub { opened($pg) == 0 }, 20);

is(at_once(2), '1 2', 'new connections');
is(refused(), '53300', 'are counted as well');

reload('max_db=3', 0);

is(at_once(3), '1 2 3', 'another limit');
is(refused(3), '53300', 'in place of the first one');

reload('max_user=1', 0);

wait_for(sub { opened($pg) <= 1 }, 20);
is(at_once(1), '1', 'a smaller one');
is(refused(1), '53300', 'holds as well');

$t->done_testing();

###############################################################################

sub configure {
	my ($limits, $replicas) = @_;

	my $url = 'postgres://app:pw@127.0.0.1';
	my ($p, $r) = map { $_->port() } $pg, $replica;

	my $second = $replicas
		? "hyperdrive_origin $url:$r/shop?sslmode=disable role=replica;"
		: '';

	$t->write_file_expand('nginx.conf', <<"EOS");

%%TEST_GLOBALS%%

worker_processes 1;

events {
}

%%TEST_STATUS%%

stream {
    hyperdrive_cache_zone        shop 8m;
    hyperdrive_users             off;
    hyperdrive_read_write_split  on max_lag=600s;

    upstream shop {
        hyperdrive_origin   $url:$p/shop?sslmode=disable;
        $second
        hyperdrive_pool     max=8 wait=1s $limits;
        hyperdrive_catalog  refresh=1h;
    }

    server {
        listen           127.0.0.1:8080;
        hyperdrive_pass  shop;
    }
}

EOS
}

sub reload {
	my ($old) = $t->worker_pids();

	configure(@_);
	$t->reload();

	wait_for(sub { !grep { $_ == $old } $t->worker_pids() }, 20);
}

sub client {
	return pg_client(port(8080), user => 'app', database => 'shop',
		timeout => 20);
}

sub opened {
	my ($server) = @_;

	return scalar split /\n/, $server->psql("SELECT pid FROM "
		. "pg_stat_activity WHERE usename = 'app'");
}

# How many reads a replica has answered.

sub reads {
	return $t->status()->{upstreams}{shop}{total}{replica_reads};
}

# What so many clients are told that are in a transaction at the same time, and
# <more> that are too many.

sub at_once {
	my ($n, $more) = @_;

	my @c = map { client() } 1 .. $n + ($more || 0);
	my @told;

	for my $i (1 .. @c) {
		my ($c, $r) = $c[$i - 1];

		# (a new connection may take longer than they wait)

		eval { wait_for(sub {
			$c->query('BEGIN');
			$r = $c->query("SELECT $i");

			return 1 if !$r->state() || $i > $n;

			$c->query('ROLLBACK');
			return 0;
		}, 20) };

		push @told, $r->state() || $r->value();
	}

	$_->close() for @c;

	return "@told";
}

# ...and the one behind as many as there may be.

sub refused {
	my $told = at_once($_[0] || 2, 1);

	return (split / /, $told)[-1];
}

###############################################################################
