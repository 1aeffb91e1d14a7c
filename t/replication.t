#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: replication connections go through nginx, each on a
# connection of its own.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive qw(port pg_client wait_for spawn reap run_command);
use Test::Hyperdrive::PG;
use Test::Hyperdrive::Postgres;

###############################################################################

my $t = Test::Hyperdrive->new();

my $pg = $t->postgres(
	users => {
		copy => { password => 'secret', attributes => 'REPLICATION' },
		app => 'secret',
	},
	databases => [ 'shop' ],
	settings => { wal_level => 'logical', max_wal_senders => 10,
		max_replication_slots => 10, wal_keep_size => '64MB',
		wal_sender_timeout => '60s' },
	sql => { shop => 'CREATE TABLE t (n int, s text); '
		. 'GRANT ALL ON t TO app, copy' });

my $port = $pg->port();

$t->write_file('users.txt', qq{"copy" "mine"\n"app" "mine"\n})
	->write_file('pgpass', "*:*:*:*:mine\n");
chmod 0600, $t->testdir() . '/pgpass';

$t->write_file_expand('nginx.conf', <<"EOS")->run();

%%TEST_GLOBALS%%

events {
}

%%TEST_STATUS%%

stream {
    hyperdrive_cache_zone  cache 1m;
    hyperdrive_timeout     query=5s idle=5s client_idle=5s;

    upstream shop {
        hyperdrive_origin  postgres://copy:secret\@127.0.0.1:$port/shop?sslmode=disable;
        hyperdrive_pool    max=4 wait=5s;
    }

    upstream app {
        hyperdrive_origin  postgres://app:secret\@127.0.0.1:$port/shop?sslmode=disable;
        hyperdrive_pool    max=4;
    }

    server {
        listen            127.0.0.1:8080;
        hyperdrive_pass   shop;
        hyperdrive_users  users.txt;
        hyperdrive_cache  cache;
    }

    server {
        listen                  127.0.0.1:8082;
        hyperdrive_pass         shop;
        hyperdrive_users        users.txt;
        hyperdrive_replication  off;
    }

    server {
        listen            127.0.0.1:8081;
        hyperdrive_pass   app;
        hyperdrive_users  users.txt;
    }
}

EOS

my $dir = $t->testdir();
my %env = (PGPASSFILE => "$dir/pgpass", PGCONNECT_TIMEOUT => 10);

###############################################################################
# By hand.

my $c = client(replication => 'true', 'replication');

my $r = $c->query('IDENTIFY_SYSTEM');
is($r->state(), '', 'a command of replication');
like($r->row(0)->[2], qr{^[0-9A-F]+/[0-9A-F]+$}, 'and its answer');
is(total()->{pinned}, 1, 'a connection of its own');
is(total()->{pins}{replication}, 1, 'and why');
is(senders(), 1, 'which is a walsender');

is($c->query('SELECT 1')->state(), '0A000', 'no SQL without a database');
$c->close();

wait_for(sub { senders() == 0 }, 10);
is(senders(), 0, 'closed behind it');
wait_for(sub { total()->{pinned} == 0 }, 5);
is(total()->{pinned}, 0, 'and not counted any more');

# where it is not allowed

$c = eval { pg_client(port(8082), user => 'copy', password => 'mine',
	database => 'shop', quiet => 1, params => { replication => 'database' }) };
like($@ || $c->error()->{M}, qr/replication is not allowed here/, 'refused');

# it is not used again, and others do not get it

for (1 .. 3) {
	my $c = client(replication => 'database');
	is($c->query('IDENTIFY_SYSTEM')->row(0)->[3], 'shop',
		"with a database, $_");
	is($c->query('SELECT count(*) FROM t')->value(), 0, "and SQL, $_");
	is($c->query('SET TimeZone = \'Asia/Tokyo\'')->state(), '', "a SET, $_");
	$c->vanish();
}

$c = client();
is($c->query('SHOW TimeZone')->value(), 'UTC', 'of which nothing is left');

# SQL that is written there is seen by the cache

my $text = 'SELECT n FROM t WHERE n = 77';
is(scalar @{$c->query($text)->rows()}, 0, 'an answer that is kept') for 1 .. 2;

my $w = client(replication => 'database');
is($w->query('INSERT INTO t VALUES (77)')->state(), '', 'a write');
is(scalar @{$c->query($text)->rows()}, 1, 'makes it old');
$w->query('DELETE FROM t');
$w->close();
$c->close();

# whose database is another one, who may not

is(client(replication => 'database', 'store')->error()->{C}, '3D000',
	'another database');
is(pg_client(port(8081), user => 'app', password => 'mine', quiet => 1,
	database => 'shop', params => { replication => 'true' })->error()->{C},
	'42501', 'a user that may not');
is(client(replication => 'off')->query('SELECT 1')->value(), 1, 'off is off');

# it counts: four are all there are

my @c = map { client(replication => 'true') } 1 .. 4;
is(scalar(grep { !$_->error() } @c), 4, 'as many as max');
is(client(replication => 'true')->error()->{C}, '53300', 'and not one more');
is(senders(), 4, 'at the database, too');
$_->vanish() for @c;
wait_for(sub { senders() == 0 }, 10);

###############################################################################
# Both ways at once.

$pg->psql("SELECT pg_create_physical_replication_slot('slot', true)");

$c = client(replication => 'true');
my ($lsn) = @{$c->query('IDENTIFY_SYSTEM')->row(0)}[2];
$c->send('Q', "START_REPLICATION SLOT slot PHYSICAL $lsn\0");
is($c->read_message()->{type}, 'W', 'CopyBoth');

$pg->psql("INSERT INTO t SELECT n, repeat('x', 100) "
	. "FROM generate_series(1, 1000) n", db => 'shop');

my ($got, $last) = (0, '');

while ($got < 100_000) {
	my $m = $c->read_message();
	last if $m->{type} ne 'd';
	$got += length($m->{body}) - 25 if $m->{body} =~ /^w/;
}

cmp_ok($got, '>=', 100_000, 'what is written comes');

# a status, which asks for an answer

$c->send('d', 'r' . pack('NN', lsn($lsn)) x 3 . pack('NN', 0, 0) . chr(1))
	->flush_out();

my $reply = '';

for (1 .. 10000) {
	my $m = $c->read_message();
	next if $m->{body} =~ /^w/;
	$reply = substr($m->{body}, 0, 1);
	last;
}

is($reply, 'k', 'a status is answered');

# idle for longer than anybody else may be

select(undef, undef, undef, 5.5);
$c->send('d', 'r' . pack('NN', lsn($lsn)) x 3 . pack('NN', 0, 0) . chr(1))
	->flush_out();

my $kept = '';

for (1 .. 100) {
	$kept = substr(($c->read_message() // {})->{body} // '', 0, 1);
	last if $kept ne 'w';
}

is($kept, 'k', 'no timeout for it');

# the end of the copy, and another command

$c->send('c', '')->flush_out();

my @types;

while (my $m = $c->read_message()) {
	next if $m->{type} eq 'd';
	push @types, $m->{type};
	last if $m->{type} eq 'Z';
}

is($types[0], 'c', 'the copy ends on both sides');
is($types[-1], 'Z', 'and is over');
like($c->query('IDENTIFY_SYSTEM')->row(0)->[2], qr{/}, 'another command');
$c->close();

# a client that does not read is not read for

$c = client(replication => 'true');
($lsn) = @{$c->query('IDENTIFY_SYSTEM')->row(0)}[2];
$c->send('Q', "START_REPLICATION PHYSICAL $lsn\0")->flush_out();
$c->read_message();

$pg->psql("INSERT INTO t SELECT n, repeat(md5(n::text), 40) "
	. "FROM generate_series(1, 20000) n", db => 'shop');

select(undef, undef, undef, 0.5);

my $memory = 0;

for my $pid ($t->worker_pids()) {
	open(my $fh, '<', "/proc/$pid/smaps_rollup");
	$memory += (join('', <$fh>) =~ /Private_Dirty:\s+(\d+)/)[0];
}

cmp_ok($memory, '<', 20_000, 'megabytes are not kept for who does not read');

my $bytes = 0;

while ($bytes < 20_000_000) {
	my $m = $c->read_message();
	last if $m->{type} ne 'd';
	$bytes += length($m->{body});
}

cmp_ok($bytes, '>=', 20_000_000, 'and come when it does');
$c->vanish();

wait_for(sub { senders() == 0 }, 15);
is(senders(), 0, 'its walsender is gone');

###############################################################################
# By the programs.

my ($status, $out) = run(bin('pg_basebackup'), '-D', "$dir/backup",
	'-X', 'stream', '-c', 'fast');

is($status, 0, 'pg_basebackup') or diag($out);
ok(-s "$dir/backup/PG_VERSION" && -s "$dir/backup/backup_manifest",
	'a whole one');

($status, $out) = run_command([ bin('pg_verifybackup'), "$dir/backup" ]);
is($status, 0, 'that is verified') or diag($out);

# pg_receivewal

mkdir "$dir/wal";

my $pid = spawn([ bin('pg_receivewal'), connection(), '-D', "$dir/wal", '-S',
	'slot', '-n' ], env => \%env, output => "$dir/receivewal.log",
	stop => 'INT');

wait_for(sub { senders() }, 10);

$pg->psql("INSERT INTO t VALUES (1, 'here'); SELECT pg_switch_wal()",
	db => 'shop');

wait_for(sub { glob("$dir/wal/*[0-9A-F]") }, 20);
ok(scalar(glob("$dir/wal/*[0-9A-F]")), 'pg_receivewal');

kill 'INT', $pid;
reap($pid, 1);

# pg_recvlogical

($status, $out) = run(bin('pg_recvlogical'), '-d', 'shop', '-S', 'changes',
	'--create-slot', '-P', 'test_decoding');
is($status, 0, 'pg_recvlogical, a slot') or diag($out);

$pid = spawn([ bin('pg_recvlogical'), connection(), '-d', 'shop', '-S',
	'changes', '--start', '-n', '-f', "$dir/changes" ], env => \%env,
	output => "$dir/recvlogical.log", stop => 'INT');

$pg->psql("INSERT INTO t VALUES (2, 'decoded')", db => 'shop');

wait_for(sub { $t->read_file('changes') =~ /decoded/ }, 20);
like($t->read_file('changes'), qr/INSERT: .*'decoded'/, 'and what is written');

# a reload tells it to come again

ok($t->reload(), 'reload');

is(wait_for(sub { reap($pid, 0) ? 'ended' : undef }, 20), 'ended',
	'a reload ends it');
like($t->read_file('recvlogical.log'),
	qr/terminating connection due to administrator command/, 'with a word');

wait_for(sub { $t->worker_pids(all => 1) == 1 }, 20);
is(scalar($t->worker_pids(all => 1)), 1, 'and the old worker leaves');

wait_for(sub { !senders() });

($status, $out) = run(bin('pg_recvlogical'), '-d', 'shop', '-S', 'changes',
	'--drop-slot');
is($status, 0, 'the slot is dropped') or diag($out);

$t->done_testing();

###############################################################################

sub client {
	my ($name, $value, $database) = @_;

	return pg_client(port(8080), user => 'copy', password => 'mine',
		database => $database || 'shop', quiet => 1, timeout => 15,
		params => { $name ? ($name => $value) : () });
}

sub total {
	return $t->status()->{upstreams}{shop}{total};
}

sub senders {
	return $pg->psql("SELECT count(*) FROM pg_stat_activity "
		. "WHERE backend_type = 'walsender'");
}

sub lsn {
	my ($lsn) = @_;
	return map { hex } split m{/}, $lsn;
}

sub bin {
	return Test::Hyperdrive::Postgres::bin(@_);
}

sub connection {
	return ('-h', '127.0.0.1', '-p', port(8080), '-U', 'copy', '-w');
}

sub run {
	my ($program, @args) = @_;
	return run_command([ $program, connection(), @args ], env => \%env);
}

###############################################################################
