#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: policy sends statements to another upstream, to a kind
# of server, or a copy of them elsewhere.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive;
use Test::Hyperdrive::Process qw(wait_for);

###############################################################################

my $t = Test::Hyperdrive->new();

my $sql = <<'EOS';

SET ROLE app;
CREATE TABLE things (id int PRIMARY KEY, v int);
INSERT INTO things SELECT g, 0 FROM generate_series(1, 10) g;
CREATE TABLE reports (id int PRIMARY KEY, v int);
INSERT INTO reports SELECT g, 0 FROM generate_series(1, 10) g;

EOS

my @about = (users => { app => 'pw' }, sql => { shop => $sql });

# both begin with one copy: the databases' numbers tell them apart

my $pg = $t->postgres(@about, databases => [ 'shop' ]);
my $other = $t->postgres(@about, databases => [ 'spare', 'shop' ]);
my $replica = $pg->replica();

my ($p, $o, $r) = map { $_->port() } $pg, $other, $replica;
my $url = 'postgres://app:pw@127.0.0.1';

my $relay = $t->relay(to => $o);
my $slow = $relay->port();

$t->write_file_expand('nginx.conf', <<"EOS");

%%TEST_GLOBALS%%

worker_processes  1;

events {
}

%%TEST_STATUS%%

stream {
    hyperdrive_cache_zone  shop 8m;

    hyperdrive_users  off;

    upstream shop {
        hyperdrive_origin   $url:$p/shop?sslmode=disable;
        hyperdrive_origin   $url:$r/shop?sslmode=disable  role=replica;
        hyperdrive_pool     max=10;
    }

    upstream other {
        hyperdrive_origin   $url:$o/shop?sslmode=disable;
    }

    upstream staging {
        hyperdrive_origin   $url:$slow/shop?sslmode=disable;
        hyperdrive_pool     max=3;
    }

    upstream clients {
        hyperdrive_origin   postgres://127.0.0.1:$o/shop?sslmode=disable;
    }

    # where statements go

    server {
        listen            127.0.0.1:8080;
        hyperdrive_pass   shop;
        hyperdrive_cache  shop max_age=600s;
        hyperdrive_read_write_split  on;

        hyperdrive_rule   ~* "primary"     role=primary;
        hyperdrive_rule   ~* "nowhere"     upstream=clients;
        hyperdrive_rule   table=reports    upstream=other;
    }

    server {
        listen            127.0.0.1:8081;
        hyperdrive_pass   shop;
        hyperdrive_rule   ~* "replica"     role=replica;
    }

    # ...and copies of them

    server {
        listen            127.0.0.1:8082;
        hyperdrive_pass   shop;
        hyperdrive_rule   table=things     mirror=staging;
    }

    server {
        listen            127.0.0.1:8083;
        hyperdrive_pass   other;
        hyperdrive_cache  shop max_age=600s;
    }
}

EOS

$t->run();

$t->wait_catalog($_, 1) for 'shop', 'other', 'staging';

sub client {
	return pg_client(port($_[0]), user => 'app', database => 'shop');
}

sub total { $t->status()->{upstreams}{shop}{total} }

my $port = "current_setting('port')::int";

###############################################################################

my $c = client(8080);

wait_for(sub { $c->query("SELECT $port FROM things WHERE id = 1 AND "
	. rand() . ' < 1')->value() == $r }, 20, 'the replica');

is($c->query("SELECT $port, 'primary' FROM things WHERE id = 1")->value(),
	$p, 'role=primary');
is($c->query("SELECT $port FROM reports WHERE id = 1")->value(), $o,
	'another upstream');
is($c->query("SELECT $port FROM things WHERE id = 2")->value(), $r,
	'...only for what the rule says');

# both answers are kept, each by itself

is($c->query('SELECT v FROM reports WHERE id = 2')->value(), 0, 'a read');
is($c->query('SELECT v FROM reports WHERE id = 2')->value(), 0,
	'...once more');
is($c->query('UPDATE reports SET v = 2 WHERE id = 2 RETURNING v')->value(),
	2, 'a write there');
is($c->query('SELECT v FROM reports WHERE id = 2')->value(), 2,
	'...is seen');
is($other->psql('SELECT v FROM reports WHERE id = 2', db => 'shop'), 2,
	'...and was made there');
is($pg->psql('SELECT v FROM reports WHERE id = 2', db => 'shop'), 0,
	'...not here');

my $there = client(8083);

is($there->query('SELECT v FROM reports WHERE id = 2')->value(), 2,
	'a server of that upstream has it');
$c->query('UPDATE reports SET v = 3 WHERE id = 2');
is($there->query('SELECT v FROM reports WHERE id = 2')->value(), 3,
	'...and sees what is written from here');
$there->query('UPDATE reports SET v = 4 WHERE id = 2');
is($c->query('SELECT v FROM reports WHERE id = 2')->value(), 4,
	'...and the other way round');

# blocks are where their first statement is

$c->query('BEGIN');
is($c->query("SELECT $port FROM reports WHERE id = 1")->value(), $o,
	'a block');
is($c->query("SELECT $port FROM things WHERE id = 1")->value(), $o,
	'...is all there');
is($c->query('COMMIT')->tag(), 'COMMIT', '...to its end');
is($c->query("SELECT $port, 'primary' FROM things WHERE id = 3")->value(),
	$p, '...and no longer');

# settings, prepared statements, pipelines

$c->query("SET DateStyle TO 'German'");
is($c->query("SELECT date '2020-02-01' FROM reports WHERE id = 3")->value(),
	'01.02.2020', 'settings are the client\'s');

$c->prepare('s', "SELECT $port, v FROM reports WHERE id = \$1");
is($c->execute_prepared('s', 1)->value(), $o, 'a prepared statement');
is($c->execute_prepared('s', 3)->value(), $o, '...once more');

$c->send('Q', "$_\0") for "SELECT $port, 'primary' FROM things WHERE id = 4",
	"SELECT $port FROM reports WHERE id = 4",
	"SELECT $port, 'primary' FROM things WHERE id = 5";

is(join(' ', map { $c->result()->value() } 1 .. 3), "$p $o $p",
	'a pipeline to both');

# what cannot be

my $error = $c->query("SELECT 'nowhere'")->error();

is($error->{C}, '0A000', 'an upstream that nobody can log in to');
like($error->{M}, qr/upstream whose URL names no user/, '...says why');
is($c->query("SELECT $port FROM reports WHERE id = 5")->value(), $o,
	'the client goes on');

# by policy alone

my $by = client(8081);

is($by->query("SELECT $port FROM things WHERE id = 1")->value(), $p,
	'without a split');
wait_for(sub { $by->query("SELECT $port, 'replica' FROM things WHERE id = 1")
	->value() == $r }, 20, 'a replica by policy');
pass('role=replica');

###############################################################################

my $m = client(8082);

sub staged { $other->psql("SELECT v FROM things WHERE id = $_[0]",
	db => 'shop') }

# (the first one opens a connection)

is($m->query('UPDATE things SET v = 1 WHERE id = 1 RETURNING v')->value(), 1,
	'a write');
wait_for(sub { staged(1) == 1 }, 20, 'its copy');
pass('a copy of it');

$m->extended('UPDATE things SET v = $1 WHERE id = 2', 5);
wait_for(sub { staged(2) == 5 }, 20, 'its copy');
pass('a copy of one with parameters');

$m->prepare('u', 'UPDATE things SET v = $1 WHERE id = $2');
$m->execute_prepared('u', 6, 3);
wait_for(sub { staged(3) == 6 }, 20, 'its copy');
pass('a copy of a prepared one');

$m->query('SELECT v FROM things WHERE id = 1');
wait_for(sub { total()->{mirrored} >= 4 }, 20, 'four copies');
is(total()->{mirrored}, 4, 'each has one');

# what is written there is not in a cache of that database

is($there->query('SELECT v FROM things WHERE id = 4')->value(), 0, 'kept');
$m->query('UPDATE things SET v = 7 WHERE id = 4');
wait_for(sub { staged(4) == 7 }, 20, 'its copy');
wait_for(sub { $there->query('SELECT v FROM things WHERE id = 4')->value()
	== 7 }, 20, 'a read of it');
pass('a copy makes old what is kept of its database');

# blocks have none

$m->query('BEGIN');
$m->query('UPDATE things SET v = 8 WHERE id = 5');
$m->query('COMMIT');
$m->query('UPDATE things SET v = 8 WHERE id = 6');
wait_for(sub { staged(6) == 8 }, 20, 'its copy');
is(staged(5), 0, 'no copy of what is in a block');

# nobody waits for it

$relay->hold('down');

my $dropped = total()->{mirror_dropped};

is($m->query("UPDATE things SET v = $_ WHERE id = 7 RETURNING v")->value(),
	$_, 'the copy hangs, the client does not') for 1 .. 8;

cmp_ok(total()->{mirror_dropped} - $dropped, '>=', 4,
	'copies that find no connection are dropped');

$relay->release('down');

$other->stop();

is($m->query('UPDATE things SET v = 9 WHERE id = 8 RETURNING v')->value(), 9,
	'nobody is there for the copy') for 1 .. 3;

is($_->close(), 1, 'a client leaves') for $c, $there, $by, $m;

$t->done_testing();
