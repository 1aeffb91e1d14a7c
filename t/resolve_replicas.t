#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: a name that is resolved again leads to a primary and its
# replicas: who is which is found out, also when the addresses change.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive;
use Test::Hyperdrive::DNS;
use Test::Hyperdrive::Process qw(wait_for);

###############################################################################

my $t = Test::Hyperdrive->new();

# one port, three addresses

my $port = port(8100);
my $own = port(8999);

my $one = $t->postgres(port => $port, users => { app => 'pw' },
	databases => [ 'shop' ], sql => { shop => <<'EOS' });

GRANT pg_read_all_stats TO app;
SET ROLE app;
CREATE TABLE things (id int PRIMARY KEY, v int);
INSERT INTO things SELECT g, 0 FROM generate_series(1, 10) g;

EOS

my $two = $one->replica(port => $port,
	settings => { listen_addresses => '127.0.0.2' });
my $three = $one->replica(port => $port,
	settings => { listen_addresses => '127.0.0.3' });

my $dns = $t->own(Test::Hyperdrive::DNS->new($t, port(8953)));

# set() forgets what it does not name

sub names {
	my ($all, @replicas) = @_;

	$dns->set('all.test' => [ map { "127.0.0.$_" } @$all ],
		'replicas.test' => [ map { "127.0.0.$_" } @replicas ]);
}

names([ 1, 2 ], 2);

my $url = 'postgres://app:pw@%s:' . $port . '/shop?sslmode=disable';
my ($all, $first, $replicas) = map { sprintf $url, $_ } 'all.test',
	'127.0.0.1', 'replicas.test';

$t->write_file_expand('nginx.conf', <<"EOS")->run();

%%TEST_GLOBALS%%

worker_processes  2;

events {
}

%%TEST_STATUS%%

stream {
    hyperdrive_cache_zone  shop 8m;
    hyperdrive_users       off;

    resolver          127.0.0.1:8953 ipv6=off;
    resolver_timeout  1s;

    # all of them behind one name

    upstream all {
        zone               balancers 256k;
        hyperdrive_origin  $all role=auto resolve fail_timeout=1s;
        hyperdrive_pool    max=12;
    }

    # replicas behind a name of their own

    upstream parted {
        least_conn;
        hyperdrive_origin  $first;
        hyperdrive_origin  $replicas role=replica resolve fail_timeout=1s;
        hyperdrive_pool    max=12;
    }

    server {
        listen            127.0.0.1:8080;
        hyperdrive_pass   all;
        hyperdrive_cache  shop max_age=600s;
        hyperdrive_read_write_split  on max_lag=600s;
    }

    server {
        listen            127.0.0.1:8081;
        hyperdrive_pass   parted;
        hyperdrive_read_write_split  on max_lag=600s;
    }
}

EOS

my $c = client(8080);
my $p = client(8081);

$t->wait_catalog('all');
$t->wait_catalog('parted');

###############################################################################

is(written($c), '127.0.0.1', 'a write finds the primary behind the name');
is(written($p), '127.0.0.1', '...and beside it');

wait_for(sub { at($c) eq '127.0.0.2' }, 20, 'a read of the replica');
pass('a read goes to the replica behind the name');
wait_for(sub { at($p) eq '127.0.0.2' }, 20, 'a read of the replica');
pass('...and behind one of its own');

# (the worker that answers may have asked for the name later)

ok(wait_for(sub {
	"replicas.test:$port#1" eq join(' ', map { $_->{name} }
		@{$t->status()->{upstreams}{parted}{replicas}});
}, 20), 'the status page has those that are there');

# one more

names([ 1, 2, 3 ], 2, 3);

for ([ $c, 'one name' ], [ $p, 'another' ]) {
	my ($client, $name) = @$_;
	my %seen;

	wait_for(sub { $seen{at($client)}++;
		$seen{'127.0.0.2'} && $seen{'127.0.0.3'} }, 30,
		'reads of both replicas');
	pass("$name: reads go to both replicas");
}

###############################################################################

# One replica stands still, and addresses change their seats meanwhile: what one
# has replayed is not what another one has that sits there now.

$three->pause();

my ($stale, $v, $reads) = (0, 0, 0);

for my $set ([ 3 ], [ 2, 3 ], [ 3 ]) {
	names([ 1, 2, 3 ], @$set);

	# each worker has asked for both names

	my $before = $dns->queries();

	wait_for(sub {
		$v++;
		$p->query("UPDATE things SET v = $v WHERE id = 2");

		for (1 .. 5) {
			my $got = $p->query('SELECT v FROM things '
				. 'WHERE id = 2')->value();
			$stale++ if $got != $v;
			$reads++;
		}

		return $dns->queries() >= $before + 4;
	}, 30, 'new addresses');
}

cmp_ok($reads, '>', 20, 'reads while addresses change');
is($stale, 0, '...of what was written');

$three->resume();

###############################################################################

# another one becomes the primary, the old one is gone, from the name as well

is($c->query('SELECT v FROM things WHERE id = 3')->value(), 0, 'kept');

# (three has nothing that two has not, or it could not follow)

$one->stop();
$two->promote();
$two->psql('UPDATE things SET v = 7 WHERE id = 3', db => 'shop');

wait_for(sub { (written($c) // '') eq '127.0.0.2' }, 30, 'the new primary');
pass('the new primary is found behind the name');
is($c->query('SELECT v FROM things WHERE id = 3')->value(), 7,
	'what was kept of the old one is not served');

names([ 2, 3 ], 3);
$three->follow($two);

wait_for(sub { at($c) eq '127.0.0.3' }, 30, 'a read of the replica');
pass('a replica of the new one is read from');

$c->query('UPDATE things SET v = 8 WHERE id = 3');
is($c->query('SELECT v FROM things WHERE id = 3')->value(), 8,
	'...when it has what was written');

$_->close() for $c, $p;

$t->done_testing();

###############################################################################

sub client {
	my ($port) = @_;

	return pg_client(port($port), user => 'app', database => 'shop',
		timeout => 20);
}

# Where a write runs; where a read does that nobody has asked for before.

sub written {
	my ($client) = @_;

	return $client->query('UPDATE things SET v = v + 1 WHERE id = 1 '
		. "RETURNING current_setting('listen_addresses')")->value();
}

sub at {
	my ($client) = @_;

	return $client->query("SELECT current_setting('listen_addresses') "
		. 'FROM things WHERE id = 4 AND ' . rand() . ' < 1')->value();
}

###############################################################################
