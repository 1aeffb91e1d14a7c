#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: the log of a MariaDB is read through nginx, by its own
# tool and by a replica, each over a connection of its own.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive qw(:DEFAULT run_command);
use Test::Hyperdrive::MySQL qw(%CAP);

###############################################################################

my $t = Test::Hyperdrive->new();

# it waits for replicas' word, if there is one

my %log = (log_bin => 'log', binlog_format => 'ROW', server_id => 1,
	rpl_semi_sync_master_enabled => 1,
	rpl_semi_sync_master_wait_no_slave => 0,
	rpl_semi_sync_master_timeout => 30000);

my $db = $t->mariadb(users => { copy => 'secret', none => {
		password => 'secret', grants => 'SELECT' } },
	databases => [ 'shop' ], settings => \%log,
	sql => { shop => <<'EOC' });

CREATE TABLE t (id INT PRIMARY KEY, v LONGTEXT);
INSERT INTO t VALUES (1, 'one'), (2, REPEAT('two ', 100000));
INSERT INTO t SELECT seq, REPEAT(seq, 50) FROM seq_100_to_2000;
EOC

plan(skip_all => 'as MariaDB does it') if $db->is_mysql();

my $port = $db->port();

$t->write_file_expand('nginx.conf', <<"EOS")->run();

%%TEST_GLOBALS%%

events {
}

%%TEST_STATUS%%

stream {
    hyperdrive_cache_zone  cache 1m;
    hyperdrive_timeout     query=2s idle=2s client_idle=2s;
    hyperdrive_users       off;

    upstream shop {
        hyperdrive_origin  mysql://copy:secret\@127.0.0.1:$port/shop?ssl-mode=DISABLED;
        hyperdrive_pool    max=3 wait=5s;
    }

    upstream packed {
        hyperdrive_origin  mysql://copy:secret\@127.0.0.1:$port/shop?compress=true;
        hyperdrive_pool    max=3 wait=5s;
    }

    upstream none {
        hyperdrive_origin  mysql://none:secret\@127.0.0.1:$port/shop?ssl-mode=DISABLED;
        hyperdrive_pool    max=3;
    }

    server {
        listen            127.0.0.1:8080;
        hyperdrive_pass   shop;
        hyperdrive_cache  cache max_age=1h;
    }

    server {
        listen            127.0.0.1:8082;
        hyperdrive_pass   packed;
    }

    server {
        listen            127.0.0.1:8083;
        hyperdrive_pass   none;
    }
}

EOS

my ($file) = split /\t/, ($db->sql('SHOW MASTER STATUS'))[0];

###############################################################################
# MariaDB's own tool.

my @said;

for my $to ($port, port(8080), port(8082)) {
	my ($status, $out) = run_command([ 'timeout', '30',
		'/usr/bin/mariadb-binlog', '--no-defaults',
		'--read-from-remote-server', '--host=127.0.0.1', "--port=$to",
		'--user=copy', '--password=secret', '--verbose',
		$file ]);

	push @said, "$out\nexits with $status";
}

like($said[0], qr/exits with 0$/, 'mariadb-binlog works by itself');
like($said[0], qr/two two two/, 'and says what there is');
is($said[1], $said[0], 'it says the same through nginx');
is($said[2], $said[0], 'from a connection that is compressed');

wait_for(sub { pinned() == 0 }, 10, 'connections to be let go');
is(pinned(), 0, 'no connection is kept behind it');

# by hand: what is sent, and what is not done by others meanwhile

my $c = client(8080);

$c->query('SET @master_binlog_checksum = @@global.binlog_checksum');
$c->query('SET @mariadb_slave_capability = 4');

# a command of 4 bytes, 2 of flags (do not wait for more), 4 and a name

$c->command('BINLOG_DUMP', pack('V v V', 4, 1, 77) . $file);

my ($events, $end) = (0);

while (defined(my $payload = $c->read_packet())) {
	$end = ord $payload;
	last if $end;
	$events++;
}

cmp_ok($events, '>', 5, 'events');
is($end, 0xfe, 'and their end');

wait_for(sub { pinned() == 0 }, 10, 'the database to close it');
is(pinned(), 0, 'then the database closes the connection');

# who has only said that he is a replica

$c = client(8080);
$c->command('REGISTER_SLAVE', pack('V C C C v V V', 99, 0, 0, 0, 3306, 0, 0));
ok($c->read_result()->{ok}, 'registered');

my $own = $c->value('SELECT CONNECTION_ID()');
is($c->value('SELECT CONNECTION_ID()'), $own, 'has a connection of its own');
is(pinned(), 1, 'which is counted');
$c->quit();

isnt(client(8080)->value('SELECT CONNECTION_ID()'), $own,
	'and which nobody else gets');

# without the right to

$c = client(8083);
$c->command('BINLOG_DUMP', pack('V v V', 4, 1, 78) . $file);
is($c->read_result()->{error}{code}, 1227, 'refused by the database');
is($c->value('SELECT 1'), 1, 'and it goes on');

###############################################################################
# A replica, which waits for what comes.

my $replica = $t->mariadb(port => port(8090),
	settings => { server_id => 2, rpl_semi_sync_slave_enabled => 1 });

$replica->sql("CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = "
	. port(8080) . ", MASTER_USER = 'copy', MASTER_PASSWORD = 'secret', "
	. 'MASTER_USE_GTID = slave_pos, MASTER_CONNECT_RETRY = 1, '
	. 'MASTER_HEARTBEAT_PERIOD = 1; START SLAVE');

ok(wait_for(sub { copied('SELECT COUNT(*) FROM shop.t') eq '1903' }, 30),
	'a replica has all of it');

$db->sql("INSERT INTO shop.t VALUES (5000, 'later')");

ok(wait_for(sub { copied('SELECT v FROM shop.t WHERE id = 5000') eq 'later' },
	30), 'and what comes later');

like($db->sql("SHOW GLOBAL STATUS LIKE 'Rpl_semi_sync_master_yes_tx'"),
	qr/\t[1-9]/, 'as it tells the database');

like($db->sql('SHOW SLAVE HOSTS'), qr/^2\t/m, 'it is registered');
cmp_ok(pinned(), '>=', 1, 'over a connection of its own');

# a limit of time for queries, and one for silent clients, are not for it

my $id = $db->sql('SELECT id FROM information_schema.processlist '
	. "WHERE command = 'Binlog Dump'");

my $other = client(8080);
$other->query('SELECT SLEEP(2.5)');

is($db->sql('SELECT id FROM information_schema.processlist '
	. "WHERE command = 'Binlog Dump'"), $id, 'and stays on it');

# a read by way of nginx is kept while the log is sent

my $hits = $t->status()->{upstreams}{shop}{total}{hits};
ok(wait_for(sub {
	client(8080)->value('SELECT v FROM t WHERE id = 5000') eq 'later'
		or die "another answer\n";

	$t->status()->{upstreams}{shop}{total}{hits} > $hits;
}, 10), 'is answered from memory');

$replica->sql('STOP SLAVE');

ok(wait_for(sub { pinned() == 0 }, 10), 'a replica that stops leaves nothing');

$replica->stop();

$t->done_testing();

###############################################################################

sub client {
	my ($port, %o) = @_;

	return mysql_client(port($port), user => 'app', password => 'x',
		database => 'shop', timeout => 20, %o);
}

sub pinned {
	my $upstreams = $t->status()->{upstreams};
	return $upstreams->{shop}{total}{pinned}
		+ $upstreams->{packed}{total}{pinned};
}

sub copied {
	my ($sql) = @_;
	return eval { $replica->sql($sql) } // '';
}

###############################################################################
