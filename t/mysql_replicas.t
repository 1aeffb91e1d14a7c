#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: MySQL's reads go to replicas, if these have what was
# written.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive;
use Test::Hyperdrive::MariaDB;
use Test::Hyperdrive::MySQL;
use Test::Hyperdrive::Process qw(wait_for);

###############################################################################

plan(skip_all => 'MariaDB\'s replication')
	if Test::Hyperdrive::MariaDB::is_mysql();

my $t = Test::Hyperdrive->new();

# whoever may write to a replica is no test for it

my $db = $t->mariadb(settings => { log_bin => 'log', server_id => 1 },
	users => { app => { password => 'secret', grants => 'SELECT, INSERT, '
		. 'UPDATE, DELETE, CREATE, DROP, TRIGGER, EXECUTE' } },
	databases => [ 'shop' ], sql => { shop => <<'EOS' });

CREATE TABLE place (id INT PRIMARY KEY, name VARCHAR(20));
INSERT INTO place VALUES (1, 'primary');
CREATE TABLE things (id INT PRIMARY KEY, v INT);
INSERT INTO things SELECT seq, 0 FROM seq_1_to_10;
CREATE TABLE others AS SELECT * FROM things;
CREATE TABLE large (id INT, v TEXT);
INSERT INTO large SELECT seq, REPEAT('x', 1000) FROM seq_1_to_3000;
CREATE FUNCTION fails(n INT) RETURNS INT DETERMINISTIC
    RETURN (SELECT 1 UNION SELECT 2 LIMIT n);
EOS

my $replica = $db->replica();

$replica->sql("SET sql_log_bin = 0; UPDATE place SET name = 'replica'",
	db => 'shop');

my ($p, $r) = ($db->port(), $replica->port());

sub url { return "mysql://app:secret\@127.0.0.1:$_[0]/shop?ssl-mode=DISABLED" }

my ($primary_url, $replica_url) = (url($p), url($r));

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
        hyperdrive_origin   $primary_url;
        hyperdrive_origin   $replica_url  role=replica;
        hyperdrive_pool     max=12;
    }

    server {
        listen            127.0.0.1:8080;
        hyperdrive_pass   shop;
        hyperdrive_read_write_split  on max_lag=600s;
    }

    server {
        listen            127.0.0.1:8081;
        hyperdrive_pass   shop;
        hyperdrive_cache  shop max_age=600s;
        hyperdrive_read_write_split  on max_lag=600s;
    }

    server {
        listen            127.0.0.1:8082;
        hyperdrive_pass   shop;
        hyperdrive_cache  shop max_age=600s;
        hyperdrive_read_write_split  on max_staleness=600s;
    }

    server {
        listen            127.0.0.1:8083;
        hyperdrive_pass   shop;
    }

    server {
        listen            127.0.0.1:8084;
        hyperdrive_pass   shop;
        hyperdrive_read_write_split  on max_lag=1s;
    }

    server {
        listen            127.0.0.1:8085;
        hyperdrive_pass   shop;
        hyperdrive_rule   table=things role=replica;
    }
}

EOS

$t->run();

$_->close() for client(8080), client(8080), client(8080);
$t->wait_catalog('shop', 1);

sub client {
	my ($port, %o) = @_;

	return mysql_client(port($port || 8080), user => 'app',
		password => 'x', database => 'shop', %o);
}

sub total { $t->status()->{upstreams}{shop}{total} }

# Where a read of things and others runs.

my $where = 'SELECT p.name FROM place p, things t WHERE t.id = 1 AND p.id = 1';
my $others = 'SELECT p.name FROM place p, others o WHERE o.id = 1 AND p.id = 1';

sub at {
	my ($c, $name, $sql) = @_;

	wait_for(sub { $c->value($sql || $where) eq $name }, 20,
		"an answer of the $name");
	return 1;
}

sub error {
	my ($r) = @_;
	return $r->{error} ? $r->{error}{code} : '';
}

my $c = client();

###############################################################################

ok(at($c, 'replica'), 'a read goes to the replica');
is($c->value('SELECT v FROM things WHERE id = 1'), 0, 'its answer');
is($c->value("$where FOR UPDATE"), 'primary', 'a locking read does not');

for my $call ("NOW() > '2000-01-01'", "CURRENT_DATE > '2000-01-01'",
	'UNIX_TIMESTAMP() > 0', 'SYSDATE() IS NOT NULL', 'RAND() >= 0',
	'UUID() IS NOT NULL', 'CURRENT_USER() IS NOT NULL', "USER() <> ''")
{
	is($c->value("$where AND $call"), 'replica', "one with $call does");
}

for my $call ('CONNECTION_ID() > 0', "VERSION() <> ''",
	"IS_FREE_LOCK('none') = 1", "\@\@port > 0")
{
	is($c->value("$where AND $call"), 'primary',
		"one with $call does not");
}

my $st = $c->prepare('SELECT p.name, t.v FROM place p, things t '
	. 'WHERE t.id = ? AND p.id = 1');

ok(at($c, 'replica'), 'the replica has it');
is(join(' ', @{$c->execute($st, 1)->{rows}[0]}), 'replica 0',
	'a prepared statement');
is(join(' ', @{$c->execute($st, 2)->{rows}[0]}), 'replica 0',
	'...once more');

$c->query('BEGIN');
is($c->value($where), 'primary', 'in a transaction it does not');
$c->query('COMMIT');

$c->query('SET autocommit = 0');
is($c->value($where), 'primary', '...nor in one without a BEGIN');
$c->query('COMMIT');
$c->query('SET autocommit = 1');

$c->query('START TRANSACTION READ ONLY');
is($c->value($where), 'primary', '...nor in one that is for reading');
$c->query('COMMIT');

is(error($c->query('UPDATE things SET v = 1 WHERE id = 1')), '',
	'a write does not');
is($c->value('SELECT v FROM things WHERE id = 1'), 1, '...and is seen');
ok(at($c, 'replica'), 'reads go back when it is there');
is($c->value('SELECT v FROM things WHERE id = 1'), 1,
	'...with what was written');

# the old ending of rows

my $old = client(8080, drop => $Test::Hyperdrive::MySQL::CAP{DEPRECATE_EOF});

ok(at($old, 'replica'), 'a client of the old protocol');
is($old->value('SELECT v FROM things WHERE id = 1'), 1, '...its answer');

# what the client has set

$c->query("SET group_concat_max_len = 4, time_zone = '+05:00'");
is($c->value("SELECT CONCAT(p.name, ' ', GROUP_CONCAT(t.id, t.v ORDER BY t.id)) FROM place p, "
	. 'things t GROUP BY p.name'), 'replica 11,2',
	'settings are the client\'s');
$c->query('SET group_concat_max_len = DEFAULT, time_zone = DEFAULT');

is(error($c->query('USE mysql')), '', 'another schema');
is($c->value('SELECT p.name FROM shop.place p, shop.things t LIMIT 1'),
	'replica', '...whose reads go there');
$c->query('USE shop');

# by policy

my $policy = client(8085);

ok(at($policy, 'replica'), 'a rule sends one there');
is($policy->value($others), 'primary', '...and no other');

###############################################################################

# the replica stands still: what is written is read, at once, by everybody

my $split = client(8083);
my $cached = client(8081);
my $stale = client(8082);
my $v = 'SELECT v FROM things WHERE id = 1';

ok(at($c, 'replica'), 'before it stands still');

# (its worker has a connection that was there when the replica was asked)
ok(at($stale, 'replica'), '...for each worker');

$replica->pause();

is($c->value($where), 'replica', 'nothing is written: it is read from');

$c->query('UPDATE things SET v = 2 WHERE id = 1');
is($c->value($v), 2, 'its own write');
is($split->value($v), 2, '...by a server without the split');
is($cached->value($v), 2, '...by one with a cache');
is($c->value($where), 'primary', '...read from the primary');
is($c->value($others), 'replica', 'another table is not');

$split->query('BEGIN');
$split->query('UPDATE others SET v = 2 WHERE id = 1');
is($c->value($others), 'replica', 'written, and not committed');
$split->query('COMMIT');
is($c->value('SELECT v FROM others WHERE id = 1'), 2,
	'another\'s write, in a block');
is($c->value($others), 'primary', '...from the primary');

# who says that it may be older

is($stale->value('SELECT v, id FROM things WHERE id = 1'), 1,
	'max_staleness: an older answer');
is($stale->value('SELECT v FROM others WHERE id = 1'), 0,
	'...from another table');
is($cached->value('SELECT v FROM others WHERE id = 1'), 2,
	'it was not kept for others');

$replica->resume();
ok(at($c, 'replica'), 'it goes on');
is($c->value($v), 2, '...and has what was written');

# answers of replicas are kept, and as fresh as others

wait_for(sub { $cached->value("$where AND " . rand() . ' < 1') eq 'replica' },
	20, 'a read of the replica');

my ($stored, $reads) = @{total()}{'stored', 'replica_reads'};

is($cached->value('SELECT v FROM things WHERE id = 3'), 0,
	'a read of a replica');
is($cached->value('SELECT v FROM things WHERE id = 3'), 0, '...once more');

my $total = total();
is($total->{stored} - $stored, 1, 'it is kept');
is($total->{replica_reads} - $reads, 1, '...and not asked again');

$c->query('UPDATE things SET v = 3 WHERE id = 3');
is($cached->value('SELECT v FROM things WHERE id = 3'), 3,
	'it is not served behind a write');

###############################################################################

# more than a few rows

ok(at($c, 'replica', 'SELECT p.name FROM place p, large l LIMIT 1'),
	'a large table');

my $big = $c->query('SELECT id, v FROM large ORDER BY id');
is(scalar @{$big->{rows}}, 3000, 'all rows of a long answer');
is($big->{rows}[2999][0], 3000, '...in their order');

# an error is told once, by the primary

my $fallback = total()->{replica_fallback};

is(error($c->query('SELECT fails(v + 1) FROM things WHERE id = 3')), 1242,
	'an error');
cmp_ok(total()->{replica_fallback} - $fallback, '<=', 1, '...asked for twice');
is($c->value($v), 2, 'the client goes on');

# a replica that fails

sub running {
	my ($server) = @_;

	return $server->sql('SELECT COUNT(*) FROM information_schema.processlist '
		. "WHERE info LIKE '%large a%' AND id <> CONNECTION_ID()");
}

my $long = 'SELECT p.name, COUNT(*) FROM place p, large a, large b '
	. 'WHERE a.id + b.id = 3 GROUP BY p.name';

$c->command('QUERY', $long);
wait_for(sub { running($replica) }, 20, 'a long query');

$replica->kill();

is(join(' ', @{$c->read_result()->{rows}[0]}), 'primary 2',
	'it goes to the primary when the replica dies');
is(scalar(grep { $c->value($where) ne 'primary' } 1 .. 50), 0,
	'...and so do others');

$replica->start();
ok(at($c, 'replica'), 'it is back');

# what is written past nginx: as old as it may be

my $lag = client(8084);

$replica->pause();
$db->sql('UPDATE things SET v = 5 WHERE id = 5', db => 'shop');

wait_for(sub { $lag->value($where) eq 'primary' }, 20, 'max_lag');
is($lag->value('SELECT v FROM things WHERE id = 5'), 5, 'max_lag: not longer');
is($c->value($where), 'replica', 'another server waits for longer');

my $state;

wait_for(sub {
	($state) = @{$t->status()->{upstreams}{shop}{replicas}};
	($state->{lag_msec} // 0) >= 1000;
}, 20, 'a lag of a second');

is($state->{name}, "127.0.0.1:$r", 'the replica, and how much it is behind');

$replica->resume();

# set up otherwise: its answers would be others

$replica->sql("SET GLOBAL sql_mode = 'ANSI'");
$replica->sql("KILL USER app");

wait_for(sub { $c->value($where) eq 'primary' }, 20, 'the primary');
ok($t->wait_for_log(qr/set up otherwise than the primary: sql_mode is/),
	'a replica with other settings is not read from');

$_->close() for $c, $old, $policy, $split, $cached, $stale, $lag;

$t->done_testing();
