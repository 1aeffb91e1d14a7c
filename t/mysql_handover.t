#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: clients of MariaDB at a reload and at the end of nginx:
# they move between transactions, with all that they have, and under load
# nothing fails, is lost or happens twice.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive;
use Test::Hyperdrive::Kills qw(in_child);

###############################################################################

my $t = Test::Hyperdrive->new(log => 'info');

my $db = $t->mariadb(users => { app => 'pw' }, databases => [ 'shop', 'other' ],
	sql => { shop => <<'EOS' });

CREATE TABLE counts (id INT PRIMARY KEY, n INT NOT NULL) ENGINE=InnoDB;
INSERT INTO counts SELECT seq, 0 FROM seq_1_to_40;

EOS

$t->certificate('front');

my $url = $db->url();

$t->write_file_expand('nginx.conf', <<"EOS")->run();

%%TEST_GLOBALS%%

worker_processes 2;

events {
}

%%TEST_STATUS%%

stream {
    hyperdrive_users  off;
    hyperdrive_drain  rate=1000 deadline=12s;

    ssl_certificate      front.crt;
    ssl_certificate_key  front.key;

    upstream u {
        hyperdrive_origin   $url;
        hyperdrive_pool     max=8 wait=30s;
        hyperdrive_catalog  off;
    }

    server {
        listen           127.0.0.1:8080;
        hyperdrive_pass  u;
    }
}

EOS

idle();
in_a_block();
pinned();
encrypted();
load();
quits();

$t->done_testing();

###############################################################################

sub client {
	return mysql_client(port(8080), user => 'app', password => 'pw',
		database => 'shop', timeout => 40, @_);
}

sub reload {
	ok($t->reload(), 'a reload');
}

# All old workers have left: their clients have moved.

sub moved {
	my ($name) = @_;

	ok(wait_for(sub { $t->worker_pids(all => 1) == 2 }, 15),
		"$name: the old workers are gone");
}

sub count {
	my ($c, $id) = @_;
	return $c->value("SELECT n FROM shop.counts WHERE id = $id");
}

# With what it has set, prepared and chosen, and its number.

sub idle {
	my $c = client();
	my $d = client(split => 1);
	my $silent = client();

	$c->query("SET \@a = 'mine', time_zone = '+03:00'");
	$c->query('USE other');
	my $st = $c->prepare('SELECT ?, @a, @@time_zone, DATABASE()');
	$d->query("SET \@a = 'yours'");

	reload();
	moved('idle');

	is(join('|', @{$c->query('SELECT @a, @@time_zone, DATABASE()')
		->{rows}[0]}), 'mine|+03:00|other', 'its session moves');
	is(join('|', @{$c->execute($st, 'x')->{rows}[0] || []}),
		'x|mine|+03:00|other', '...with what it has prepared');
	is($d->value('SELECT @a'), 'yours', 'another one');
	is($silent->value('SELECT 41 + 1'), 42, 'one that never said a word');

	# it is found by the number that it was told

	my $number = $c->{greeting}{id};

	$c->command('QUERY', 'SELECT SLEEP(60)');
	ok(wait_for(sub { $db->sql('SELECT COUNT(*) FROM '
		. "information_schema.PROCESSLIST WHERE INFO LIKE '%SLEEP(60)'")
		}, 20), 'it is at work');
	$d->query("KILL QUERY $number");
	my $r = $c->read_result();
	is($r->{error} ? $r->{error}{code} : $r->{rows}[0][0] + 1316, 1317,
		'it is stopped by its number');

	$_->quit() for $c, $d, $silent;
}

# It goes on to the end of its transaction, and moves then.

sub in_a_block {
	my $c = client();

	$c->query('BEGIN');
	$c->query('UPDATE counts SET n = n + 1 WHERE id = 1');

	my $d = client();
	$d->query('SET autocommit = 0');
	$d->query('UPDATE counts SET n = n + 1 WHERE id = 2');

	reload();

	is(count($c, 1), 1, 'a transaction goes on');
	$c->query('COMMIT');
	is(count($d, 2), 1, 'one without BEGIN, too');
	$d->query('ROLLBACK');

	moved('transactions');

	is(count($c, 1), 1, 'it has happened');
	is(count($d, 2), 0, 'it has not');
	is($d->value('SELECT @@autocommit'), 0, 'and goes on as it was');

	$_->quit() for $c, $d;
}

sub pinned {
	my $c = client();

	$c->query('CREATE TEMPORARY TABLE mine (v INT)');
	$c->query('INSERT INTO mine VALUES (7)');

	reload();

	is($c->value('SELECT v FROM mine'), 7, 'what it has left is there');
	ok($c->reset()->{ok}, 'a reset');

	moved('pinned');

	my $r = $c->query('SELECT v FROM mine');
	is($r->{error}{code}, 1146, 'and all of it is gone');

	$c->quit();
}

# TLS cannot move: it is served where it is until the deadline.

sub encrypted {
	my $c = client(ssl => 1);

	reload();

	is($c->value("SELECT $_"), $_, 'TLS stays') for 1 .. 3;
	cmp_ok($t->worker_pids(all => 1), '>', 2, 'with its worker');

	$c->query('BEGIN');
	is($c->value('SELECT 4'), 4, 'in a transaction');

	my $r;

	ok(wait_for(sub {
		$r = $c->query('SELECT 5');
		!$r || $r->{error};
	}, 40), 'until the deadline');

	is($r && $r->{error}{code}, 1053, 'and is told so') if $r;

	moved('TLS');
}

# Each counts for itself, and knows what must be there.

sub load {
	my $dir = $t->testdir();
	my $stop = "$dir/stop";

	my @pids = map { my $i = $_; in_child(sub {
		my $said = eval { work(4 * $i + 3, $stop) } // "failed: $@";

		open my $f, '>', "$dir/load.$i" or die;
		print $f $said;
		close $f;
	}) } 0 .. 7;

	for (1 .. 6) {
		my $before = total();
		ok(wait_for(sub { total() > $before + 50 }, 20), 'work is done');
		reload();
	}

	$t->write_file('stop', '');
	waitpid($_, 0) for @pids;

	my @said = map { $t->read_file("load.$_") } 0 .. 7;
	my $sum = 0;

	for my $said (@said) {
		like($said, qr/^did [1-9]/, 'nothing has failed');
		$sum += $1 if $said =~ /^did (\d+)/;
	}

	is($db->sql('SELECT SUM(n) FROM counts WHERE id > 2', db => 'shop'),
		$sum, 'each transaction once');

	# (the database lists some for a moment longer than it has them)

	ok(eval { wait_for(sub { $db->connections(user => 'app') <= 8 }) },
		'no more than max');
	moved('load');
}

sub total {
	return $db->sql('SELECT SUM(n) FROM counts WHERE id > 2', db => 'shop');
}

sub work {
	my ($first, $stop) = @_;

	my @all = map {
		my $c = client();
		my $up = $c->prepare('UPDATE counts SET n = n + 1 WHERE id = ?');
		{ c => $c, id => $first + $_, n => 0, up => $up }
	} 0 .. 3;

	my $did = 0;

	until (-e $stop) {
		my $a = $all[rand @all];
		my ($c, $id) = @$a{qw(c id)};
		my $how = int(rand(3));

		good($c->query('BEGIN')) if $how;
		good($how == 2 ? $c->execute($a->{up}, $id)
			: $c->query("UPDATE counts SET n = n + 1 WHERE id = $id"));
		die "not yet there\n" if $how && count($c, $id) != $a->{n} + 1;

		if ($how == 1 && rand() < 0.3) {
			good($c->query('ROLLBACK'));

		} else {
			good($c->query('COMMIT')) if $how;
			$a->{n}++;
			$did++;
		}

		my $n = count($c, $id);
		die "$n, not $a->{n}\n" if $n != $a->{n};
	}

	$_->{c}->quit() for @all;
	return "did $did";
}

sub good {
	my ($r) = @_;

	die "the connection ended\n" unless $r;
	die "$r->{error}{code} $r->{error}{message}\n" if $r->{error};
}

# Unasked, as the answer to what would be asked next.

sub told {
	my ($c) = @_;

	$c->{seq} = 1;

	my $r = $c->read_result();

	return 'not disconnected' unless $c->ended();
	return $r && $r->{error} ? $r->{error}{code} : 'nothing';
}

# Nobody takes over: who is between transactions is told, who is in one is served
# to its end.

sub quits {
	my $idle = client();
	my $busy = client();

	$idle->value('SELECT 1');
	$busy->query('BEGIN');
	$busy->query('UPDATE counts SET n = n + 1 WHERE id = 1');

	my $n = count($busy, 1);

	kill 'QUIT', $t->master_pid();

	is(told($idle), 1053, 'who is idle is told');

	is(count($busy, 1), $n, 'a transaction goes on');
	good($busy->query('COMMIT'));
	is($db->sql('SELECT n FROM counts WHERE id = 1', db => 'shop'), $n,
		'...to its end');

	is(told($busy), 1053, '...and is told then');

	ok(wait_for(sub { !$t->worker_pids(all => 1) }, 20), "the workers end");
}

###############################################################################
