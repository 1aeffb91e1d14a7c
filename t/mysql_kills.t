#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: clients of MariaDB that are killed anywhere, under load,
# and then workers, too.  HYPERDRIVE_KILLS says how many clients (100),
# HYPERDRIVE_SEED repeats a run.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive;
use Test::Hyperdrive::Kills qw(hunt cut);
use Test::Hyperdrive::MySQL qw(packet lstr %CAP %COM);

###############################################################################

my $kills = $ENV{HYPERDRIVE_KILLS} || 100;
my $seed = $ENV{HYPERDRIVE_SEED} || time() % 100000;
my $max = 8;

srand($seed);

my $t = Test::Hyperdrive->new(log => 'info')->allow_log(qr/exited on signal 9/);

my $db = $t->mariadb(users => { app => 'pw' }, databases => [ 'shop' ],
	sql => { shop => <<'EOS' });

CREATE TABLE things (id INT PRIMARY KEY, v VARCHAR(50));
INSERT INTO things SELECT seq, CONCAT('thing ', seq) FROM seq_1_to_100;
CREATE TABLE accounts (id INT PRIMARY KEY, balance INT) ENGINE=InnoDB;
INSERT INTO accounts SELECT seq, 0 FROM seq_1_to_20;
CREATE TABLE locked (id INT PRIMARY KEY) ENGINE=InnoDB;

EOS

my $url = $db->url();

$t->write_file_expand('nginx.conf', <<"EOS")->run();

%%TEST_GLOBALS%%

worker_processes 2;

events {
}

%%TEST_STATUS%%

stream {
    hyperdrive_cache_zone  shop 8m;

    hyperdrive_users  off;

    upstream u {
        hyperdrive_origin  $url;
        hyperdrive_pool    max=$max wait=60s;
    }

    server {
        listen            127.0.0.1:8080 reuseport;
        hyperdrive_pass   u;
        hyperdrive_cache  shop max_age=60s;
    }
}

EOS

my %app = (user => 'app', password => 'pw', database => 'shop',
	timeout => 60, add => $CAP{MULTI_STATEMENTS});

my $READ = 'SELECT v FROM things WHERE id = ?';

###############################################################################
# What a victim says, without listening: the last statement that was prepared
# is number -1.

sub say {
	my ($com, $body) = @_;
	return packet(chr($COM{$com}) . ($body // ''), 0);
}

sub query {
	return join('', map { say('QUERY', $_) } @_);
}

sub execute {
	my (@values) = @_;
	return say('STMT_EXECUTE', Test::Hyperdrive::MySQL::execute_body(
		0xffffffff, \@values));
}

sub transfer {
	my ($n) = @_;

	return ("UPDATE accounts SET balance = balance - $n WHERE id = 1",
		"UPDATE accounts SET balance = balance + $n WHERE id = "
		. (2 + $n % 19));
}

my @scripts = (

	# a cached read, and others

	sub { query("SELECT v FROM things WHERE id = $_[0]") },
	sub { query("SELECT SLEEP(0.02), 'victim $_[0]'") },
	sub { query("SELECT REPEAT('victim', 50000) FROM seq_1_to_20") },
	sub { query("SELECT 'victim'; SELECT nothing; SELECT 2") },
	sub { query("SELECT 'victim'; SELECT 1 FROM seq_1_to_1000; SELECT 2") },
	sub { query("SELECT '" . 'v' x 200000 . "'") },
	sub { say('PING') . say('STATISTICS') . query('SELECT 1')
		. say('INIT_DB', 'shop') . say('FIELD_LIST', "things\0") },

	# prepared, with errors, long data, a cursor

	sub { my ($n) = @_;
		say('STMT_PREPARE', $READ) . execute($n) x $n },
	sub { say('STMT_PREPARE', 'SELECT nothing') . execute() },
	sub { say('STMT_PREPARE', "SELECT 'victim', ?")
		. say('STMT_LONG_DATA', pack('V v', 1, 0) . 'v' x 30000) x 3
		. execute('v') },
	sub { say('STMT_PREPARE', 'SELECT seq FROM seq_1_to_10000')
		. say('STMT_EXECUTE', pack('V C V', 0xffffffff, 1, 1))
		. say('STMT_FETCH', pack('V V', 1, 3))
		. say('STMT_RESET', pack('V', 1)) },
	sub { join('', map { say('STMT_PREPARE', "SELECT 'victim', $_")
		. say('STMT_CLOSE', pack('V', $_)) } 1 .. 20) },

	# all or nothing

	map({ my $end = $_; sub { query('BEGIN', transfer($_[0]), $end) } }
		qw(COMMIT ROLLBACK COMMIT)),
	sub { my ($n) = @_;
		query('SET autocommit = 0', transfer($n), 'COMMIT') },
	sub { my ($n) = @_;
		query(join('; ', 'BEGIN', transfer($n), 'COMMIT')) },
	sub { my ($n) = @_;
		query("XA START 'v$$'", transfer($n), "XA END 'v$$'",
			"XA COMMIT 'v$$' ONE PHASE") },
	sub { my ($n) = @_;
		query('BEGIN') . say('STMT_PREPARE', 'UPDATE accounts '
			. 'SET balance = balance + ? WHERE id = ?')
		. execute(-$n, 1) . execute($n, 2 + $n % 19)
		. query('COMMIT') },

	# what stays in a session

	sub { my ($n) = @_;
		query("SELECT GET_LOCK('victim$n', 60)",
			'CREATE TEMPORARY TABLE victim (v INT)',
			"SET \@victim = 'victim', time_zone = '+03:00'",
			"PREPARE victim FROM 'SELECT $n'", 'EXECUTE victim',
			'SELECT @victim') },
	sub { query('LOCK TABLES locked WRITE', 'HANDLER things OPEN',
		'UNLOCK TABLES') },
	sub { query('SET NAMES latin1', 'USE information_schema',
		'SELECT DATABASE()') . say('RESET_CONNECTION')
		. query('SELECT DATABASE()') },
	sub { query('SELECT @victim := 1') . say('CHANGE_USER',
		"app\0" . "\0shop\0" . pack('v', 45)
		. "mysql_native_password\0") . query('SELECT 1') },

	# what breaks the protocol

	sub { query('SELECT 1') . packet(chr(0x7f) . 'victim', 0)
		. say('STMT_EXECUTE', 'v') },
	sub { query('SELECT 1') . packet('', 7) . query('SELECT 2') },
);

my $answer = pack('V V C x23', $CAP{PROTOCOL_41} | $CAP{SECURE_CONNECTION}
	| $CAP{CONNECT_WITH_DB} | $CAP{PLUGIN_AUTH}, 1 << 24, 45) . "app\0"
	. lstr('x' x 20) . "shop\0mysql_native_password\0";

sub victim {
	my ($n) = @_;

	if ($n % 11 == 0) {

		# it does not come further than its log-in

		my $c = mysql_client(port(8080), %app, login => 0);
		cut($c, packet($answer, 1));
		return;
	}

	cut(mysql_client(port(8080), %app),
		$scripts[$n % @scripts]->(1 + int(rand(19))));
}

# One that asks and checks, until it is told to stop: it dies of what is wrong.
# If its worker has been killed, it comes again.

sub asker {
	my ($i, $stop, $comes_again) = @_;

	my ($n, $c) = (0);

	until (-e $stop) {

		eval {
			$c ||= come($i);
			ask($c, $i, $n + 1);
			$n++;
		};

		next unless $@;

		die $@ if !$comes_again || $@ !~ /^ended|Broken pipe|cannot c|reset by peer|ended inside|^no answer|^cannot send/i;

		undef $c;
	}

	$c->{c}->quit() if $c;
	return $n;
}

sub come {
	my ($i) = @_;

	my $c = mysql_client(port(8080), %app);

	return { c => $c, s => $c->prepare("SELECT ?, 'asker $i'"),
		r => $c->prepare($READ) };
}

sub ask {
	my ($a, $i, $n) = @_;

	my $c = $a->{c};

	check(scalar $c->query("SELECT $n, 'asker $i'"), "$n|asker $i");
	check(scalar $c->execute($a->{s}, $n), "$n|asker $i");

	my $id = 1 + $n % 100;
	check(scalar $c->execute($a->{r}, $id), "thing $id");

	return if $n % 5;

	# several in a block

	$c->query('BEGIN');
	check(scalar $c->execute($a->{s}, $_), "$_|asker $i")
		for $n + 1 .. $n + 3;
	$c->query('COMMIT');

	# nothing of a victim's session is here

	check(scalar $c->query('SELECT @victim, @@time_zone, DATABASE(), '
		. '@@character_set_client'), 'null|+00:00|shop|utf8mb4');
}

sub check {
	my ($r, $expected) = @_;

	die "ended\n" unless $r;

	my $got = $r->{error} ? "$r->{error}{code} $r->{error}{message}"
		: join('|', map { $_ // 'null' } @{$r->{rows}[0] || []});

	# a worker that dies takes what it had at the database along

	die "ended: $got\n" if $got =~ /^(1927|1317|2013|1158|1160) /;
	die "got '$got', expected '$expected'\n" if $got ne $expected;
}

###############################################################################

for my $run ([ 'clients', 0 ], [ 'workers, too', 1 ]) {
	my ($name, $too) = @$run;

	my @said = hunt($t, kills => $too ? int($kills / 2) : $kills,
		victim => \&victim,
		asker => sub { asker(@_, $too) },
		meanwhile => sub { $_[0] % 20 ? undef : worker() if $too });

	like($said[$_ - 1], qr/^asked [1-9]/,
		"$name: asker $_ got its own answers only") for 1 .. @said;

	left($name);
}

note("seed $seed");

# the pool serves

my @c = map { mysql_client(port(8080), %app) } 1 .. $max;

$_->query('BEGIN') for @c;

is(join(' ', map { $c[$_]->value("SELECT $_") } 0 .. $max - 1),
	join(' ', 0 .. $max - 1), 'all of it can be used');

$_->query('ROLLBACK') for @c;
$_->quit() for @c;

$t->done_testing();

###############################################################################

sub worker {
	wait_for(sub { $t->worker_pids() == 2 }, 20, 'workers');

	my @workers = $t->worker_pids();
	kill 'KILL', $workers[rand @workers];
}

# Nothing is left behind.

sub left {
	my ($name) = @_;

	my $total;

	ok(wait_for(sub {
		my $u = $t->status()->{upstreams}{u};

		$total = $u->{total};
		$total->{clients} == 0 && $total->{origins_busy} == 0
			&& $total->{pinned} == 0 && $u->{dead} == 0;
	}, 60), "$name: nobody has a connection");

	ok(wait_for(sub { !at_database("COMMAND <> 'Sleep'") }, 20),
		"$name: no session is at work");
	ok(wait_for(sub { !$db->transactions() }, 20),
		"$name: no transaction is open");
	ok(wait_for(sub { !$db->sql('SELECT COUNT(*) FROM seq_1_to_19 '
		. "WHERE IS_USED_LOCK(CONCAT('victim', seq)) IS NOT NULL",
		db => 'shop') }, 20), "$name: no lock is held");
	is($db->sql('SELECT SUM(balance) FROM accounts', db => 'shop'), 0,
		"$name: each transaction happened as a whole, or not at all");

	# (one that stops a query is beside those of the pool)

	ok(wait_for(sub { $db->connections(user => 'app') <= $max }, 20),
		"$name: no more than max");
}

sub at_database {
	my ($what) = @_;

	return $db->sql('SELECT COUNT(*) FROM information_schema.PROCESSLIST '
		. "WHERE USER = 'app' AND $what");
}

###############################################################################
