#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: MySQL's primary is found among several origins, and
# found again when another one has become it, without a reload.

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

my $old = $t->mariadb(settings => { log_bin => 'log', server_id => 1,
		secure_file_priv => '/usr/lib' },
	users => { app => { password => 'secret', grants => 'SELECT, INSERT, '
		. 'UPDATE, DELETE, CREATE, DROP, TRIGGER, FILE' } },
	databases => [ 'shop' ], sql => { shop => <<'EOS' });

CREATE TABLE place (id INT PRIMARY KEY, name VARCHAR(20));
INSERT INTO place VALUES (1, 'old');
CREATE TABLE things (id INT PRIMARY KEY, v INT);
INSERT INTO things SELECT seq, 0 FROM seq_1_to_10;
CREATE TABLE others AS SELECT * FROM things;
EOS

my $new = $old->replica();
my $lost = $old->replica();

# one that is there later

my $late = port(8100);

sub place {
	my ($server, $name) = @_;

	$server->sql("SET sql_log_bin = 0; UPDATE place SET name = '$name'",
		db => 'shop');
}

place($new, 'new');
place($lost, 'lost');

my %url;

$url{$_->[0]} = "mysql://app:secret\@127.0.0.1:$_->[1]/shop?ssl-mode=DISABLED"
	for [ old => $old->port() ], [ new => $new->port() ],
		[ lost => $lost->port() ], [ late => $late ];

my $conf = $t->expand(<<"EOS");

%%TEST_GLOBALS%%

worker_processes  2;

events {
}

%%TEST_STATUS%%

stream {
    hyperdrive_cache_zone  shop 8m;

    hyperdrive_users  off;

    upstream shop {
        hyperdrive_origin  $url{new}   role=auto fail_timeout=1s;
        hyperdrive_origin  $url{old}   role=auto fail_timeout=1s;
        hyperdrive_origin  $url{lost}  role=auto fail_timeout=1s;
        hyperdrive_origin  $url{late}  role=auto fail_timeout=1s;
        hyperdrive_pool    max=14;
    }

    upstream writes {
        hyperdrive_origin  $url{new}&target_session_attrs=read-write fail_timeout=1s;
        hyperdrive_origin  $url{old}&target_session_attrs=read-write fail_timeout=1s;
        hyperdrive_pool    max=6;
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

$t->write_file('nginx.conf', $conf);
$t->run();

sub client {
	return mysql_client(port($_[0]), user => 'app', password => 'x',
		database => 'shop');
}

sub total { $t->status()->{upstreams}{$_[0]}{total} }

sub error {
	my ($r) = @_;
	return $r->{error} ? $r->{error}{code} : '';
}

# A statement that only the primary takes says where it is.

sub written {
	my ($c, $server) = @_;

	my ($before) = $server->sql('SELECT v FROM others WHERE id = 1',
		db => 'shop');
	my $r = $c->query('UPDATE others SET v = v + 1 WHERE id = 1');

	return !$r->{error} && $server->sql('SELECT v FROM others WHERE id = 1',
		db => 'shop') == $before + 1;
}

# Where a read of things runs that nobody has asked for before.

sub at {
	my ($c) = @_;

	my $r = $c->query('SELECT p.name, ' . int(rand(1e9))
		. ' FROM place p, things t WHERE t.id = 3');

	return $r->{error} ? "error $r->{error}{code}" : $r->{rows}[0][0];
}

my $c = client(8080);
my $w = client(8081);

$t->wait_catalog('shop');
$t->wait_catalog('writes');

###############################################################################

ok(written($c, $old), 'a write finds the primary, not the first');
ok(written($w, $old), '...without replicas as well');
is(at($w), 'old', '...and so does a read');

my %seen;

wait_for(sub { $seen{at($c)}++; $seen{new} && $seen{lost} }, 20,
	'reads of both replicas');
pass('reads go to both replicas');

# of the options that prevent a statement not all tell of a failover

is(error($w->query("SELECT 1 INTO OUTFILE '/tmp/hyperdrive.none'")), 1290,
	'secure_file_priv prevents it');
ok(written($w, $old), '...and others go on');
ok(!$t->log_has(qr/is not at the primary any more/),
	'...by the same connection');

is($c->value('SELECT v FROM things WHERE id = 1'), 0, 'kept');
is($w->value('SELECT v FROM things WHERE id = 1'), 0, '...twice');

###############################################################################

# another one becomes the primary; the old one is there, and takes no writes;
# one replica goes on with it

$new->wait_for_position($old);
$old->sql('SET GLOBAL read_only = 1');
$new->promote();

$new->sql('UPDATE things SET v = 7 WHERE id = 1', db => 'shop');

# more than the new one has

$old->sql(join(';', map { "UPDATE others SET v = $_ WHERE id = 9" } 1 .. 50),
	db => 'shop');
$lost->wait_for_position($old);

wait_for(sub { written($c, $new) }, 20, 'the new primary');
wait_for(sub { written($w, $new) }, 20, 'the new primary');
pass('writes go to the new primary');

is($c->value('SELECT v FROM things WHERE id = 1'), 7,
	'what was kept of the old one is not served');
is($w->value('SELECT v FROM things WHERE id = 1'), 7, '...of no upstream');

cmp_ok(total('shop')->{primary_changed}, '>=', 1, 'it was counted');

# the replica of the old one has more, and others

my $wrong = 0;

for my $i (1 .. 20) {
	$c->query("UPDATE things SET v = $i WHERE id = 5");

	# longer than it takes to find out where replicas are

	select undef, undef, undef, 0.05;

	my $r = $c->query('SELECT t.v, p.name FROM things t, place p '
		. 'WHERE t.id = 5 AND ' . int(rand(1e9)) . ' > -1');

	$wrong++ if $r->{error} || $r->{rows}[0][0] != $i
		|| $r->{rows}[0][1] ne 'new';
}

is($wrong, 0, 'a replica of the old one is not read from');

# one of the new primary is

my $third = $new->replica(port => $late);
place($third, 'late');

wait_for(sub { at($c) eq 'late' }, 30, 'a read of a new replica');
pass('a replica of the new primary is read from');

$c->query('UPDATE things SET v = 8 WHERE id = 6');
is($c->value('SELECT v FROM things WHERE id = 6'), 8,
	'...when it has what was written');

###############################################################################

# an upstream that is new: its writes are seen by those that were there before

$conf =~ s/(    upstream writes \{)/<<"EOS" . $1/e;
    upstream added {
        hyperdrive_origin  $url{new}&target_session_attrs=read-write;
        hyperdrive_origin  $url{old}&target_session_attrs=read-write;
        hyperdrive_pool    max=6;
    }

    server {
        listen            127.0.0.1:@{[ port(8082) ]};
        hyperdrive_pass   added;
    }

EOS

$t->write_file('nginx.conf', $conf);
ok($t->reload(), 'a reload with another upstream');

my $added = client(8082);
$t->wait_catalog('added');
$_->close() for $c, $w;
($c, $w) = map { client($_) } 8080, 8081;
$t->wait_catalog('writes');

is($w->value('SELECT v FROM things WHERE id = 7'), 0, 'kept');
ok(!$added->query('UPDATE things SET v = 9 WHERE id = 7')->{error},
	'a write by the new one');
is($w->value('SELECT v FROM things WHERE id = 7'), 9,
	'...ends what is kept');
$added->close();

###############################################################################

# no primary at all: the old one is gone, too

$old->stop();

wait_for(sub { at($c) eq 'late' }, 20, 'a read of the replica');

$new->kill();

ok(error($w->query('UPDATE others SET v = 0 WHERE id = 2')),
	'no primary: an error');
is(at($c), 'late', '...and reads go on at the replica');

$new->{settings}{read_only} = 0;
$new->start();

wait_for(sub { written($w, $new) }, 20, 'a primary');
wait_for(sub { written($c, $new) }, 20, 'a primary');
pass('writes go on when it is back');

$_->close() for $c, $w;

$t->done_testing();
