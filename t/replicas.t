#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: reads go to replicas, if these have what was written.

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

my $pg = $t->postgres(users => { app => 'pw' }, databases => [ 'shop' ],
	sql => { shop => <<'EOS' });

SET ROLE app;
CREATE TABLE things (id int PRIMARY KEY, v int);
INSERT INTO things SELECT g, 0 FROM generate_series(1, 10) g;
CREATE TABLE others (id int PRIMARY KEY, v int);
INSERT INTO others SELECT g, 0 FROM generate_series(1, 10) g;
CREATE TABLE large (id int, v text);
INSERT INTO large SELECT g, repeat('x', 1000) FROM generate_series(1, 3000) g;
CREATE FUNCTION asks() RETURNS int LANGUAGE plpgsql AS
    'BEGIN RETURN (SELECT v FROM things WHERE id = 1); END';
CREATE FUNCTION fails(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS
    'BEGIN RETURN 1 / $1; END';

EOS

my $replica = $pg->replica();

my ($p, $r) = ($pg->port(), $replica->port());
my $url = 'postgres://app:pw@127.0.0.1';

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
        zone                balancers 64k;
        least_conn;

        hyperdrive_origin   $url:$p/shop?sslmode=disable;
        hyperdrive_origin   $url:$r/shop?sslmode=disable  role=replica;
        hyperdrive_pool     max=10;
        hyperdrive_catalog  refresh=1h;
    }

    hyperdrive_read_write_split  on max_lag=600s;

    server {
        listen            127.0.0.1:8080;
        hyperdrive_pass   shop;
    }

    server {
        listen            127.0.0.1:8081;
        hyperdrive_pass   shop;
        hyperdrive_cache  shop max_age=600s;
    }

    server {
        listen            127.0.0.1:8082;
        hyperdrive_pass   shop;
        hyperdrive_cache  shop max_age=600s;
        hyperdrive_read_write_split  on max_staleness=600s;
        hyperdrive_query_log  %%TESTDIR%%/stale.log '\$hyperdrive_query_kind \$hyperdrive_query_origin';
    }

    server {
        listen            127.0.0.1:8084;
        hyperdrive_pass   shop;
        hyperdrive_read_write_split  on max_lag=1s;
    }

    server {
        listen            127.0.0.1:8083;
        hyperdrive_pass   shop;
        hyperdrive_read_write_split  off;
    }
}

EOS

$t->run();

$t->wait_catalog('shop', 2);

# which one has answered: its port

my $where = "SELECT current_setting('port')::int FROM things WHERE id = 1";

sub total { $t->status()->{upstreams}{shop}{total} }

sub at {
	my ($c, $port, $sql) = @_;

	wait_for(sub { $c->query($sql || $where)->value() == $port }, 5,
		"an answer of port $port");
	return 1;
}

my $c = pg_client(port(8080), user => 'app', database => 'shop');

###############################################################################

ok(at($c, $r), 'a read goes to the replica');
is($c->extended("SELECT current_setting('port') FROM things WHERE id = \$1",
	1)->value(), $r, 'one with parameters');
is($c->query('SELECT v FROM things WHERE id = 1')->value(), 0, 'its answer');
is($c->query("$where FOR UPDATE")->value(), $p, 'a locking read does not');
is($c->query("SELECT current_setting('port') FROM things WHERE id = 1 "
	. "AND now() > '2000-01-01'")->value(), $r, 'one with a clock does');
is($c->query("SELECT current_setting('port') FROM things WHERE id = 1 "
	. "AND random() >= 0")->value(), $p, 'a volatile function does not');

$c->query('BEGIN');
is($c->query($where)->value(), $p, 'in a transaction it does not');
$c->query('COMMIT');

$c->query('BEGIN READ ONLY');
is($c->query($where)->value(), $p, '...in one that is for reading neither');
$c->query('COMMIT');

is($c->query("UPDATE things SET v = 1 WHERE id = 1 "
	. "RETURNING current_setting('port')")->value(), $p,
	'a write does not');
ok(at($c, $r), 'reads go back when it is there');
is($c->query('SELECT v FROM things WHERE id = 1')->value(), 1,
	'...with what was written');

$c->prepare('s', 'SELECT v, current_setting(\'port\') FROM things '
	. 'WHERE id = $1');
ok(at($c, $r), 'the replica has it');
is(join(' ', @{$c->execute_prepared('s', 1)->rows()->[0]}), "1 $r",
	'a prepared statement');
is(join(' ', @{$c->execute_prepared('s', 2)->rows()->[0]}), "0 $r",
	'...once more');

# what the client has set

$c->query("SET DateStyle TO 'German'");
$c->query("SET application_name TO 'mine'");

is(join(' ', @{$c->query("SELECT current_setting('port'), "
	. "date '2020-02-01', current_setting('application_name') "
	. "FROM things WHERE id = 1")->rows()->[0]}), "$r 01.02.2020 mine",
	'settings are the client\'s');
is($c->parameter('in_hot_standby'), 'off', 'the client is told of a primary');

$c->query('RESET ALL');

###############################################################################

# the replica stands still: what is written is read, at once, by everybody

my $split = pg_client(port(8083), user => 'app', database => 'shop');
my $cached = pg_client(port(8081), user => 'app', database => 'shop');
my $stale = pg_client(port(8082), user => 'app', database => 'shop');

my $others = "SELECT current_setting('port')::int FROM others WHERE id = 1";
my $v = 'SELECT v FROM things WHERE id = 1';

ok(at($c, $r), 'before it stands still');

# (its worker has a connection that was there when the replica was asked)
ok(at($stale, $r), '...for each worker');

$replica->pause();

is($c->query($where)->value(), $r, 'nothing is written: it is read from');

$c->query('UPDATE things SET v = 2 WHERE id = 1');
is($c->query($v)->value(), 2, 'its own write');
is($split->query($v)->value(), 2, '...by a server without the split');
is($cached->query($v)->value(), 2, '...by one with a cache');
is($c->query($where)->value(), $p, '...read from the primary');
is($c->query($others)->value(), $r, 'another table is not');

$split->query('BEGIN');
$split->query('UPDATE others SET v = 2 WHERE id = 1');
is($c->query($others)->value(), $r, 'written, and not committed');
$split->query('COMMIT');
is($c->query('SELECT v FROM others WHERE id = 1')->value(), 2,
	'another\'s write, in a block');
is($c->query($others)->value(), $p, '...from the primary');

$c->query('SELECT asks()');
is($c->query($v)->value(), 2, 'behind a function');

# who says that it may be older

is($stale->query('SELECT v, id FROM things WHERE id = 1')->value(), 1,
	'max_staleness: an older answer');
is($stale->query('SELECT v FROM others WHERE id = 1')->value(), 0,
	'...from another table');
is($cached->query('SELECT v FROM others WHERE id = 1')->value(), 2,
	'it was not kept for others');

$replica->resume();
ok(at($c, $r), 'it goes on');
is($c->query($v)->value(), 2, '...and has what was written');

# answers of replicas are kept, and as fresh as others

wait_for(sub { $cached->query("SELECT current_setting('port') FROM things "
	. 'WHERE id = 1 AND ' . rand() . ' < 1')->value() == $r }, 20,
	'a read of the replica');

my $stored = total()->{stored};
my $reads = total()->{replica_reads};

is($cached->query('SELECT v FROM things WHERE id = 3')->value(), 0,
	'a read of a replica');
is($cached->query('SELECT v FROM things WHERE id = 3')->value(), 0,
	'...once more');

my $total = total();
is($total->{stored} - $stored, 1, 'it is kept');
is($total->{replica_reads} - $reads, 1, '...and not asked again');

$c->query('UPDATE things SET v = 3 WHERE id = 3');
is($cached->query('SELECT v FROM things WHERE id = 3')->value(), 3,
	'it is not served behind a write');

###############################################################################

# more than a few rows, and more than the client takes

ok(at($c, $r, "SELECT current_setting('port') FROM large WHERE id = 1"),
	'a large table');

$reads = total()->{replica_reads};

my $big = $c->query('SELECT id, v FROM large ORDER BY id');
is(scalar @{$big->rows()}, 3000, 'all rows of a long answer');
is($big->rows()->[2999][0], 3000, '...in their order');
is(total()->{replica_reads} - $reads, 1, '...of the replica');

# an error is told once, by the primary

ok(at($c, $r), 'the replica has what was written');

my $fallback = total()->{replica_fallback};

is($c->query('SELECT fails(v - 1) FROM things WHERE id = 1')->value(), 1,
	'a function of the user');
is($c->query('SELECT fails(v - 2) FROM things WHERE id = 1')->error()
	->{C}, '22012', 'an error');
is(total()->{replica_fallback} - $fallback, 1, '...asked for twice');
is($c->query($v)->value(), 2, 'the client goes on');

# behind rows that were passed on, it is the replica's

my $late = $c->query('SELECT fails(id - 2500), v FROM large');
is($late->error()->{C}, '22012', 'an error behind rows');
ok(scalar @{$late->rows()}, '...which are there');
is($c->query($v)->value(), 2, 'the client goes on');

# cancelled

sub running {
	my ($db) = @_;

	return $db->psql("SELECT count(*) FROM pg_stat_activity WHERE "
		. "state = 'active' AND query LIKE '%large a%' "
		. "AND pid <> pg_backend_pid()");
}

my $long = 'SELECT count(*) FROM large a, large b, large c '
	. 'WHERE a.id + b.id + c.id < 0';
my $large = "SELECT current_setting('port') FROM large WHERE id = 1";

at($c, $r, $large);

$c->send('Q', "$long\0");
$c->flush_out();
wait_for(sub { running($replica) }, 20, 'a long query');

# (one that comes between two of its messages is ignored)
wait_for(sub { $c->cancel(); !running($replica) }, 20, 'its end');

is($c->result()->error()->{C}, '57014', 'a cancelled query');
is(running($pg), 0, '...is not asked for again');
is($c->query($v)->value(), 2, 'the client goes on');

# a client that leaves

my $gone = pg_client(port(8080), user => 'app', database => 'shop');

# (its worker may not have asked the replica lately)
at($gone, $r, $large);

$gone->send('Q', "$long\0");
$gone->flush_out();
wait_for(sub { running($replica) }, 20, 'a long query');
$gone->vanish();
wait_for(sub { !running($replica) }, 20, 'its end');
pass('a client leaves: its query ends');

###############################################################################

# a replica that fails

at($c, $r, $large);

# (the primary has nothing to do for it)

$c->send('Q', "SELECT count(*), current_setting('port') FROM large a, "
	. "large b, large c WHERE a.id + b.id + c.id < 0 "
	. "AND current_setting('port') = '$r'\0");
$c->flush_out();
wait_for(sub { running($replica) }, 20, 'a long query');

my $failed = total()->{origins_failed};

$replica->kill();

is(join(' ', @{$c->result()->rows()->[0]}), "0 $p",
	'it goes to the primary when the replica dies');
is(scalar(grep { $c->query($where)->value() != $p } 1 .. 50), 0,
	'...and so do others');

cmp_ok(total()->{origins_failed} - $failed, '<', 20,
	'it is not tried for each of them');

$replica->start();
ok(at($c, $r), 'it is back');

# what is written past nginx: as old as it may be

my $lag = pg_client(port(8084), user => 'app', database => 'shop');

at($lag, $r);

$replica->pause();
$pg->psql('UPDATE things SET v = 5 WHERE id = 5', db => 'shop');

# (each worker looks for itself how far it is behind)

my $state;

wait_for(sub {
	($state) = @{$t->status()->{upstreams}{shop}{replicas}};
	($state->{lag_msec} // 0) >= 2000;
}, 20, 'a lag of two seconds');

wait_for(sub { $lag->query($where)->value() == $p }, 20, 'max_lag');
is($lag->query('SELECT v FROM things WHERE id = 5')->value(), 5,
	'max_lag: not longer');
ok(at($c, $r), 'another server waits for longer');
is($state->{name}, "127.0.0.1:$r", 'the replica, and how much it is behind');

$replica->resume();

like($t->read_file('stale.log'), qr/^read 127\.0\.0\.1:$r$/m,
	'the query log says where');

is($_->close(), 1, 'a client leaves') for $c, $split, $cached, $stale, $lag;

$t->done_testing();
