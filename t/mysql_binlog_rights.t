#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: a MySQL client that says that it is a replica, with and
# without the right to be one, is bound by policies, limits and the cache as
# any other.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive;
use Test::Hyperdrive::MySQL qw(%COM packet);

###############################################################################

my $t = Test::Hyperdrive->new();

my $db = $t->mariadb(users => { copy => 'secret', none => {
		password => 'secret', grants => 'SELECT, INSERT' } },
	databases => [ 'shop' ],
	settings => { log_bin => 'log', server_id => 1 },
	sql => { shop => 'CREATE TABLE t (id INT PRIMARY KEY, v INT);'
		. 'INSERT INTO t VALUES (1, 1)' });

my $port = $db->port();

$t->write_file_expand('nginx.conf', <<"EOS")->run();

%%TEST_GLOBALS%%

events {
}

%%TEST_STATUS%%

stream {
    hyperdrive_cache_zone  cache 1m;
    hyperdrive_users       off;

    upstream shop {
        hyperdrive_origin  mysql://copy:secret\@127.0.0.1:$port/shop?ssl-mode=DISABLED;
        hyperdrive_pool    max=3 wait=5s;
    }

    upstream none {
        hyperdrive_origin  mysql://none:secret\@127.0.0.1:$port/shop?ssl-mode=DISABLED;
        hyperdrive_pool    max=2 wait=5s;
    }

    hyperdrive_rule  ~ "VALUES" reject="not that";

    server {
        listen                    127.0.0.1:8080;
        hyperdrive_pass           shop;
        hyperdrive_cache          cache max_age=1h;
        hyperdrive_session_state  pin max=1;
        hyperdrive_timeout        query=2s;
    }

    server {
        listen                    127.0.0.1:8084;
        hyperdrive_pass           shop;
        hyperdrive_replication    off;
    }

    server {
        listen                    127.0.0.1:8083;
        hyperdrive_pass           none;
    }
}

EOS

my $insert = 'INSERT INTO t VALUES (2, 2)';
my $refused = qr/^(1045|1227)$/;
my $r;

###############################################################################
# Without the right to.

my $c = client(8083);

register($c);
like($c->read_result()->{error}{code}, $refused, 'refused');
pinned_is(0, 'none', 'nothing is kept for it');
is($c->query($insert)->{error}{message}, 'not that', 'policies hold');
is($c->value('SELECT COUNT(*) FROM t'), 1, 'and it goes on');

dump_log($c);
like($c->read_result()->{error}{code}, $refused, 'its log is refused');
pinned_is(0, 'none', 'nothing is kept for it');
is($c->query($insert)->{error}{message}, 'not that', 'policies hold');
is($c->value('SELECT COUNT(*) FROM t'), 1, 'and it goes on');

# more of those than there are connections

for (1 .. 3) {
	$c = client(8083);
	register($c);
	$c->read_result();
}

is($c->value('SELECT COUNT(*) FROM t'), 1, 'who is refused takes none away');

# what is sent behind it at once is no acknowledgement, if it is refused

for my $send (\&register, \&dump_log) {
	$c = client(8083);

	$send->($c, packet("\3$insert", 0));
	like($c->read_result()->{error}{code}, $refused,
		'refused, with more behind it');

	$c->{seq} = 1;
	is($c->read_result()->{error}{message}, 'not that', 'policies hold');
}

is($db->sql('SELECT COUNT(*) FROM shop.t'), 1, 'nothing was inserted');

# in a transaction, which goes on

$c = client(8083);
$c->query('BEGIN');
$c->query('INSERT INTO t SELECT 3, 3');
register($c);
like($c->read_result()->{error}{code}, $refused, 'refused, in a transaction');
$c->query('ROLLBACK');
is($c->value('SELECT COUNT(*) FROM t'), 1, 'which is rolled back');

###############################################################################
# With the right to.

my $reader = client(8080);
my $read = 'SELECT v FROM t WHERE id = 1';

is($reader->value($read), 1, 'an answer to be kept') for 1 .. 2;

$c = client(8080);
register($c);
ok($c->read_result()->{ok}, 'registered');
pinned_is(1, 'shop', 'it has a connection of its own');

is($c->query($insert)->{error}{message}, 'not that', 'policies hold');
is($c->value('SELECT COUNT(*) FROM t'), 1, 'and it goes on');

$c->query('UPDATE t SET v = 2');
is($reader->value($read), 2, 'what it writes is seen');

$r = $c->query('SELECT SLEEP(20)');
is($r->{error}{code}, 1317, 'limits of time hold');

# no more of them than may keep a connection

my $other = client(8080);

for my $send (\&register, \&dump_log) {
	$send->($other);
	is($other->read_result()->{error}{code}, 1040, 'one too many');
}

is($other->value('SELECT COUNT(*) FROM t'), 1, 'which goes on');

# nothing makes any other of it

$c->reset();
pinned_is(1, 'shop', 'it is one behind a reset');

my $id = $c->value('SELECT CONNECTION_ID()');

ok($c->change_user(user => 'app', password => 'x', database => 'shop'),
	'it becomes another user');
pinned_is(0, 'shop', 'without its connection');

register($other);
ok($other->read_result()->{ok}, 'so that there is room');
isnt($other->value('SELECT CONNECTION_ID()'), $id, 'which is closed');

$other->quit();

# where nobody may be one

$c = client(8084);

for my $send (\&register, \&dump_log) {
	$send->($c);
	$r = $c->read_result();
	is($r->{error}{code}, 1142, 'not allowed');
	like($r->{error}{message}, qr/replication is not allowed/, 'as it says');
}

is($c->value('SELECT COUNT(*) FROM t'), 1, 'and it goes on');

$t->done_testing();

###############################################################################

sub client {
	my ($port) = @_;

	return mysql_client(port($port), user => 'app', password => 'x',
		database => 'shop', timeout => 20);
}

# As the first of the commands that <more> has.

sub register {
	my ($c, $more) = @_;

	request($c, $COM{REGISTER_SLAVE},
		pack('V C C C v V V', 99, 0, 0, 0, 3306, 0, 0), $more);
}

sub dump_log {
	my ($c, $more) = @_;

	request($c, $COM{BINLOG_DUMP}, pack('V v V', 4, 1, 77) . 'log.000001',
		$more);
}

sub request {
	my ($c, $com, $body, $more) = @_;

	$c->{seq} = 1;
	$c->send_raw(packet(chr($com) . $body, 0) . ($more // ''));
}

# (what it was for may end a moment behind the answer)

sub pinned_is {
	my ($n, $upstream, $name) = @_;

	ok(eval { wait_for(sub { pinned($upstream) == $n }) }, $name)
		or diag(pinned($upstream));
}

sub pinned {
	my ($name) = @_;
	return $t->status()->{upstreams}{$name}{total}{pinned};
}

###############################################################################
