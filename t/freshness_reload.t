#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: what is kept is never older than a write of a process
# that is shutting down, or that began before there was a cache.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive;
use Test::Hyperdrive::Process qw(wait_for);
use Time::HiRes qw(sleep);

###############################################################################

my $t = Test::Hyperdrive->new();

my $pg = $t->postgres(users => { app => 'pw' }, databases => [ 'shop' ],
	sql => { shop => <<'EOS' });

CREATE TABLE prices (id int PRIMARY KEY, v int);
INSERT INTO prices VALUES (1, 0);
GRANT ALL ON prices TO app;

EOS

my $sql = 'SELECT v FROM prices WHERE id = 1';
my $up = 'UPDATE prices SET v = v + 1 WHERE id = 1';
my $value = 0;

configure(0);
$t->run();

###############################################################################

# the old process has an open transaction when a cache is configured

my $old = writer();

configure(1);
ok($t->reload(), 'a cache is configured');

my $reader = client();

is(kept(), 0, 'nothing is kept while the process without one is there');
is(kept(), 0, '...nothing at all');

ends($old, 'without a cache');

ok(wait_for(sub { kept() }, 20), 'when it has gone, answers are kept');

# with the cache in both

$old = writer();
ok($t->reload(), 'a reload');

$reader = client();

ok(wait_for(sub { kept() }, 20), 'what is kept stays, and is kept');

ends($old, 'that shuts down');

ok(wait_for(sub { kept() }, 20), 'answers are kept again');

# a process that leaves for good with a write under way

$old = client();
$old->send('Q', "$up AND (SELECT true FROM pg_sleep(2))\0")->flush_out();
ok(wait_for(sub { !kept() }, 10), 'a write is under way');

configure(1, 'worker_shutdown_timeout 200ms;');
ok($t->reload(), 'a reload that does not wait for it');

$reader = client();

my $truth = $pg->client(user => 'app', password => 'pw', database => 'shop');
my ($hits, $stale, $landed) = (0, 0, 0);

for (1 .. 150) {
	my $real = $truth->query($sql)->value();
	my $hit = kept();

	$hits += $hit if $real == $value;
	$stale++ if $reader->query($sql)->value() < $real;
	$landed = 1 if $real > $value;

	sleep(0.02);
}

is($hits, 0, 'nothing is kept before the write has landed or failed')
	if $landed;
is($stale, 0, 'no read is older than the database');
ok(wait_for(sub { kept() }, 40), 'answers are kept again');

$t->done_testing();

###############################################################################

sub configure {
	my ($cache, $more) = @_;

	my $zone = $cache ? 'hyperdrive_cache_zone shop 16m;' : '';
	my $use = $cache ? 'hyperdrive_cache shop max_age=600s;' : '';
	my $port = $pg->port();

	$more ||= '';

	$t->write_file_expand('nginx.conf', <<"EOS");

%%TEST_GLOBALS%%

$more

events {
}

%%TEST_STATUS%%

stream {
    $zone

    hyperdrive_users  off;

    upstream shop {
        hyperdrive_origin  postgres://app:pw\@127.0.0.1:$port/shop?sslmode=disable;
        hyperdrive_pool    max=20;
    }

    server {
        listen            127.0.0.1:8080;
        hyperdrive_pass   shop;
        $use
    }
}

EOS
}

sub client {
	return pg_client(port(8080), user => 'app', database => 'shop',
		timeout => 20);
}

sub hits {
	return $t->status()->{upstreams}{shop}{total}{hits};
}

sub kept {
	my $before = hits();
	$reader->query($sql);
	return hits() - $before;
}

# one that has written, and not committed

sub writer {
	my $c = client();

	$c->query('BEGIN');
	$c->query($up);

	return $c;
}

sub ends {
	my ($c, $which) = @_;

	is($reader->query($sql)->value(), $value, 'not committed yet');
	$c->query('COMMIT');
	$value++;
	is($reader->query($sql)->value(), $value,
		"committed by a process $which");
}

###############################################################################
