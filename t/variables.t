#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: variables, in an access log.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive;

###############################################################################

my $t = Test::Hyperdrive->new();

my $pg = $t->postgres(users => { app => 'pw' }, databases => [ 'shop' ],
	sql => { shop => <<'EOS' });

SET ROLE app;
CREATE TABLE things (id int PRIMARY KEY, v text);
INSERT INTO things SELECT g, 'thing ' || g FROM generate_series(1, 10) g;

EOS

my $url = 'postgres://app:pw@127.0.0.1:' . $pg->port() . '?sslmode=disable';

$t->write_file('users.txt', qq{"anna" "secret"\n});

$t->write_file_expand('nginx.conf', <<"EOS")->run();

%%TEST_GLOBALS%%

events {
}

%%TEST_STATUS%%

stream {
    hyperdrive_cache_zone  shop 8m;

    log_format  sql  '\$hyperdrive_user|\$hyperdrive_database|'
                     '\$hyperdrive_upstream|\$hyperdrive_queries|'
                     '\$hyperdrive_hits|\$hyperdrive_misses|'
                     '\$hyperdrive_errors|\$status';

    log_format  wait  '\$hyperdrive_waited';

    access_log  %%TESTDIR%%/sql.log sql;

    upstream shop {
        hyperdrive_origin  $url;
        hyperdrive_pool    max=1 wait=10s;
    }

    server {
        listen            127.0.0.1:8080;
        hyperdrive_pass   shop;
        hyperdrive_users  users.txt;
        hyperdrive_cache  shop;
    }

    server {
        listen            127.0.0.1:8081;
        hyperdrive_pass   shop;
        hyperdrive_users  off;
        access_log        %%TESTDIR%%/wait.log wait;
    }

    server {
        listen      127.0.0.1:8082;
        return      "nothing";
    }
}

EOS

my %anna = (user => 'anna', password => 'secret', database => 'shop',
	quiet => 1);

###############################################################################

my $c = pg_client(port(8080), %anna);

$t->wait_catalog('shop');

$c->query('SELECT v FROM things WHERE id = 1') for 1 .. 3;
$c->extended('SELECT v FROM things WHERE id = $1', 2) for 1 .. 2;
$c->query('SELECT 1');
$c->query('SELECT 1 / 0');
$c->query('BEGIN');
$c->query('SELECT 2');
$c->query('COMMIT');
$c->close();

is(logged('sql.log', 1), 'anna|shop|shop|10|3|2|1|200', 'a session');

$c = pg_client(port(8080), %anna);
$c->query('SELECT v FROM things WHERE id = 1');
$c->vanish();

like(logged('sql.log', 2), qr/^anna\|shop\|shop\|1\|1\|0\|0\|/, 'another');

pg_client(port(8080), %anna, password => 'wrong')->vanish();

like(logged('sql.log', 3), qr/^(?:anna|-)?\|.*\|0\|0\|0\|\d\|/,
	'a wrong password');

$c = pg_client(port(8080), %anna, login => 0);
$c->vanish();

like(logged('sql.log', 4), qr/^-\|-\|-\|0\|0\|0\|0\|/, 'no log-in');

# a server of another kind

$c = pg_client(port(8082), %anna, login => 0);
$c->wait_eof();
$c->vanish();

is(logged('sql.log', 5), '-|-|-|-|-|-|-|200', 'no session of ours');

# time in the queue

my $holder = pg_client(port(8081), user => 'app', database => 'shop');
$holder->query('BEGIN');
$holder->query('SELECT 1');

my $waiter = pg_client(port(8081), user => 'app', database => 'shop');
$waiter->send('Q', "SELECT 2\0")->flush_out();

ok($waiter->silent(0.2), 'a client waits');
$holder->query('COMMIT');
is($waiter->result()->value(), 2, 'and is served');
$waiter->close();

my $waited = logged('wait.log', 1);

ok($waited >= 150 && $waited < 5000, 'its time in the queue')
	or diag($waited);

$holder->close();

ok(logged('wait.log', 2) <= 5000, 'that of the one who did not wait');

$t->done_testing();

###############################################################################

# Line <n>, when it has come.

sub logged {
	my ($name, $n) = @_;

	wait_for(sub {
		(my @lines = split /\n/, $t->read_file($name)) >= $n;
	}, 5, "$n lines in $name");

	return (split /\n/, $t->read_file($name))[$n - 1];
}

###############################################################################
