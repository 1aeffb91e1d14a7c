#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: the primary is found among several origins, and found
# again when another one has become it, without a reload.

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

my $old = $t->postgres(users => { app => 'pw' }, databases => [ 'shop' ],
	sql => { shop => <<'EOS' });

GRANT pg_read_all_stats TO app;
SET ROLE app;
CREATE TABLE things (id int PRIMARY KEY, v int);
INSERT INTO things SELECT g, 0 FROM generate_series(1, 10) g;
CREATE TABLE others (id int PRIMARY KEY, v int);
INSERT INTO others SELECT g, 0 FROM generate_series(1, 10) g;

EOS

my $new = $old->replica();
my $lost = $old->replica();

# one that is there later

my $late = port(8100);

my ($o, $n, $l) = map { $_->port() } $old, $new, $lost;
my $url = 'postgres://app:pw@127.0.0.1';
my $end = 'shop?sslmode=disable';

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
        hyperdrive_origin   $url:$n/$end  role=auto fail_timeout=1s;
        hyperdrive_origin   $url:$o/$end  role=auto fail_timeout=1s;
        hyperdrive_origin   $url:$l/$end  role=auto fail_timeout=1s;
        hyperdrive_origin   $url:$late/$end  role=auto fail_timeout=1s;
        hyperdrive_pool     max=12;
        hyperdrive_catalog  refresh=1h;
    }

    upstream writes {
        hyperdrive_origin  $url:$n/$end&target_session_attrs=read-write fail_timeout=1s;
        hyperdrive_origin  $url:$o/$end&target_session_attrs=read-write fail_timeout=1s;
        hyperdrive_pool    max=5;
    }

    server {
        listen            127.0.0.1:8080;
        hyperdrive_pass   shop;
        hyperdrive_cache  shop max_age=600s;
        hyperdrive_read_write_split  on max_lag=600s;
    }

    server {
        listen            127.0.0.1:8081;
        hyperdrive_pass   writes;
        hyperdrive_cache  shop max_age=600s;
    }
}

EOS

$t->run();

$t->wait_catalog('shop', 2);
$t->wait_catalog('writes', 2);

sub total { $t->status()->{upstreams}{$_[0]}{total} }

my $write = "UPDATE others SET v = v + 1 WHERE id = 1 "
	. "RETURNING current_setting('port')::int";
my $where = "SELECT current_setting('port')::int FROM others WHERE id = 2";

my $c = pg_client(port(8080), user => 'app', database => 'shop');
my $w = pg_client(port(8081), user => 'app', database => 'shop');

###############################################################################

is($c->query($write)->value(), $o, 'a write finds the primary, not the first');
is($w->query($write)->value(), $o, '...without replicas as well');
is($w->query($where)->value(), $o, '...and so does a read');

my %seen;

wait_for(sub {
	$seen{$c->query("SELECT current_setting('port') FROM things, others "
		. "WHERE things.id = 3 AND random() < 2")->value()}++;
	$seen{$c->query('SELECT ' . rand() . ", current_setting('port') "
		. 'FROM things WHERE id = 3')->row(0)->[1]}++;

	$seen{$n} && $seen{$l};
}, 20, 'reads of both replicas');

is(join(' ', sort keys %seen), join(' ', sort $o, $n, $l),
	'reads go to both replicas, all else to the primary');

is($c->query('SELECT v FROM things WHERE id = 1')->value(), 0, 'kept');
is($w->query('SELECT v FROM things WHERE id = 1')->value(), 0, '...twice');

###############################################################################

# another one becomes the primary; the old one is there, takes no writes by
# default, and one replica goes on with it

$old->psql("ALTER SYSTEM SET default_transaction_read_only = on");
$new->promote();
$old->psql('SELECT pg_reload_conf()');

$new->psql('UPDATE things SET v = 7 WHERE id = 1', db => 'shop');

# more than the new one has

$old->psql('SET default_transaction_read_only = off; '
	. 'CREATE TABLE waste AS SELECT g FROM generate_series(1, 20000) g',
	db => 'shop');

wait_for(sub { ($c->query($write)->value() // 0) == $n }, 20,
	'the new primary');
wait_for(sub { ($w->query($write)->value() // 0) == $n }, 20,
	'the new primary');
pass('writes go to the new primary');

is($c->query('SELECT v FROM things WHERE id = 1')->value(), 7,
	'what was kept of the old one is not served');
is($w->query('SELECT v FROM things WHERE id = 1')->value(), 7,
	'...of no upstream');

cmp_ok(total('shop')->{primary_changed}, '>=', 1, 'it was counted');

wait_for(sub { $old->connections(user => 'app', app => '') == 0 }, 20,
	'the end of connections to the old one');
pass('connections to the old one are closed');

# the replica of the old one stands further in the log

my $wrong = 0;

for my $i (1 .. 20) {
	$c->query("UPDATE things SET v = $i WHERE id = 5");

	# longer than it takes to find out where replicas are

	select undef, undef, undef, 0.05;

	my $row = $c->query("SELECT v, current_setting('port') FROM things "
		. "WHERE id = 5 AND now() > '2000-01-01'")->row(0);

	$wrong++ if $row->[0] != $i || $row->[1] != $n;
}

is($wrong, 0, 'a replica of the old one is not read from');

# one of the new primary is

my $third = $new->replica(port => $late);

wait_for(sub { $c->query($where . ' AND ' . rand() . ' < 1')->value()
	== $late }, 30, 'a read of a new replica');
pass('a replica of the new primary is read from');

$c->query('UPDATE things SET v = 8 WHERE id = 6');
is($c->query('SELECT v FROM things WHERE id = 6')->value(), 8,
	'...when it has what was written');

###############################################################################

# no primary at all: the old one is gone, too

$old->stop();

wait_for(sub {
	$c->query("SELECT current_setting('port') FROM things WHERE id = 6 "
		. 'AND ' . rand() . ' < 1')->value() == $late;
}, 20, 'a read of the replica');

$new->kill();

is($w->query($write)->error()->{C}, '08006', 'no primary: an error');

my $r = $c->query("SELECT current_setting('port') FROM things WHERE id = 6 "
	. 'AND ' . rand() . ' < 1');

is($r->value(), $late, '...and reads go on at the replica')
	or diag($r->error()->{M});

$new->start();

wait_for(sub { ($w->query($write)->value() // 0) == $n }, 20, 'a primary');
wait_for(sub { ($c->query($write)->value() // 0) == $n }, 20, 'a primary');
pass('writes go on when it is back');

is($_->close(), 1, 'a client leaves') for $c, $w;

$t->done_testing();
