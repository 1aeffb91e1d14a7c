#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: what a session has changed by code that nobody here
# has read, as the database's session trackers tell it.  There is no cache, so
# that there is no catalog, either.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive qw(:DEFAULT wait_for);
use Test::Hyperdrive::MySQL qw(%CAP);

###############################################################################

my $t = Test::Hyperdrive->new()
	->write_file_expand('nginx.conf', <<'EOC');

%%TEST_GLOBALS%%

events {
}

%%TEST_STATUS%%

stream {
    upstream shop {
        hyperdrive_origin  mysql://app:secret@127.0.0.1:8081/shop?ssl-mode=DISABLED;
        hyperdrive_pool    max=2;
    }

    hyperdrive_users  off;

    server {
        listen           127.0.0.1:8080;
        hyperdrive_pass  shop;
    }
}

EOC

my $db = $t->mariadb(port => port(8081), users => { app => 'secret' },
	databases => [ 'shop' ], sql => { shop => <<'EOC' });

CREATE TABLE t (id INT PRIMARY KEY);
CREATE TABLE zone (id INT PRIMARY KEY);
CREATE TABLE len (id INT PRIMARY KEY);
CREATE TABLE var (id INT PRIMARY KEY);

delimiter //
CREATE TRIGGER a BEFORE INSERT ON zone FOR EACH ROW
    SET time_zone = '+05:00'//
CREATE TRIGGER b BEFORE INSERT ON len FOR EACH ROW
    SET SESSION group_concat_max_len = 77//
CREATE TRIGGER c BEFORE INSERT ON var FOR EACH ROW
    SET @leak = 1//
delimiter ;
EOC

$t->run();

my $state = 'SELECT @@time_zone, @@group_concat_max_len, @leak';
my $fresh = client()->query($state)->{rows};

# by itself the database tells of a few variables

leaves('zone', 0, '+05:00');
is(pins(), 0, 'no pin is left');

# what is read is not taken for what is not

for my $sql ("SET time_zone = '+03:00'", 'SET NAMES latin1', 'USE shop',
	'SET autocommit = 0', 'SET autocommit = 1')
{
	my $c = client();

	$c->query($sql);
	$c->query('SELECT 1');
	is(pins(), 0, "$sql: no pin");
	$c->quit();
}

# of more, if it is told to: then for all of its sessions

$db->sql('SET GLOBAL session_track_state_change = 1');
$db->sql('KILL USER app');

wait_for(sub {
	return $t->status()->{upstreams}{shop}{total}{origins_idle} == 0;
}, 10, 'connections are gone');

leaves('len', 1, 77);
leaves('var', 2, 1);

my $c = client();

for my $sql ('SELECT v.id FROM var v', 'INSERT INTO t VALUES (1)', 'BEGIN',
	'DELETE FROM t', 'COMMIT', "SET time_zone = '+03:00'", 'USE shop',
	'SET NAMES utf8mb4')
{
	$c->query($sql);
	is(pins(), 0, "$sql: no pin");
}

$c->quit();
$t->done_testing();

###############################################################################

sub client {
	return mysql_client(port(8080), user => 'app', password => 'x',
		database => 'shop', add => $CAP{SESSION_TRACK}, @_);
}

sub pins { $t->status()->{upstreams}{shop}{total}{pinned} }

# A write to <table>, whose trigger sets a value, is column <n> of the state.

sub leaves {
	my ($table, $n, $value) = @_;

	my $c = client();

	$c->query("INSERT INTO $table VALUES (1)");
	is(pins(), 1, "$table: it keeps the connection");
	is($c->query($state)->{rows}[0][$n], $value, 'its client has it');

	my $d = client();

	is_deeply($d->query($state)->{rows}, $fresh, 'no other has');
	$c->quit();
	is_deeply($d->query($state)->{rows}, $fresh, '...nor later');
	$d->quit();
}

###############################################################################
