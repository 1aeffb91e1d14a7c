#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive, MySQL: a worker is killed while a client's own user
# writes.  The database tells that user alone that it is still at work: others
# are not believed to know.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive;

###############################################################################

my $t = Test::Hyperdrive->new()->allow_log(qr/exited on signal 9/);

my $grants = 'SELECT, INSERT, UPDATE, DELETE, TRIGGER, SHOW VIEW, EXECUTE';

my $my = $t->mariadb(users => {
		app => 'pw',
		reader => { password => 'r', grants => $grants },
		writer => { password => 'w', grants => $grants },
	}, databases => [ 'shop' ], sql => { shop => <<'EOS' });

CREATE TABLE prices (id INT PRIMARY KEY, v INT);
INSERT INTO prices VALUES (1, 0);
CREATE TABLE quiet (id INT PRIMARY KEY, v INT);
INSERT INTO quiet VALUES (1, 5);

EOS

my $port = $my->port();

$t->write_file('users.txt', <<'EOS');
"reader" "r"
"writer" "w"
EOS

$t->write_file_expand('nginx.conf', <<"EOS")->run();

%%TEST_GLOBALS%%

events {
}

%%TEST_STATUS%%

stream {
    hyperdrive_cache_zone  shop 16m;
    hyperdrive_users       users.txt;

    upstream own {
        hyperdrive_origin  mysql://127.0.0.1:$port/shop?ssl-mode=DISABLED;
        hyperdrive_pool    max=20;
    }

    server {
        listen            127.0.0.1:8080;
        hyperdrive_pass   own;
        hyperdrive_cache  shop max_age=600s;
    }
}

EOS

my $read = 'SELECT v FROM prices WHERE id = 1';
my $quiet = 'SELECT v FROM quiet WHERE id = 1';
my $up = 'UPDATE prices SET v = v + 1 WHERE id = 1';

my %password = (reader => 'r', writer => 'w');

my $truth = $my->client(database => 'shop');
my $reader;

killed('writer');

my $again = client('writer');
$again->value('SELECT 1');

ok(wait_for(sub { kept($read) }, 20),
	'writer, the same user can be asked: answers are kept again');

$t->done_testing();

###############################################################################

sub client {
	my ($user) = @_;

	return mysql_client(port(8080), user => $user,
		password => $password{$user}, database => 'shop', timeout => 20);
}

sub kept {
	my ($sql) = @_;

	my $before = $t->status()->{upstreams}{own}{total}{hits};
	$reader->value($sql);
	return $t->status()->{upstreams}{own}{total}{hits} - $before;
}

# The write waits for a lock, which holds reads up nowhere.

sub killed {
	my ($user) = @_;

	$reader = client('reader');
	ok(wait_for(sub { kept($read) }, 20), "$user, answers are kept");

	my $old = $reader->value($read);

	$truth->query('BEGIN');
	$truth->value("$read FOR UPDATE");

	my $w = client($user);

	$w->command('QUERY', $up);
	wait_for(sub { !kept($read) }, 10);

	my ($pid) = $t->worker_pids();
	kill 'KILL', $pid;

	wait_for(sub { my ($now) = $t->worker_pids(); $now && $now != $pid }, 10);

	$reader = client('reader');
	ok(wait_for(sub { kept($quiet) }, 20),
		"$user, its worker is killed: what it does not write is kept");

	my $hits = 0;
	my $end = time() + 3;

	$hits += kept($read) while time() < $end;

	is($hits, 0, "$user, nothing is kept of what it may write yet");

	$truth->query('COMMIT');

	ok(wait_for(sub { $truth->value($read) > $old }, 10),
		"$user, then it is written");
	is($reader->value($read), $old + 1, "$user, and seen");
}

###############################################################################
