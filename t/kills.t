#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: clients that are killed anywhere, under load.
# HYPERDRIVE_KILLS says how many (100), HYPERDRIVE_SEED repeats a run.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive;
use Test::Hyperdrive::Kills qw(hunt cut);

###############################################################################

my $kills = $ENV{HYPERDRIVE_KILLS} || 100;
my $seed = $ENV{HYPERDRIVE_SEED} || time() % 100000;
my $max = 8;

srand($seed);

my $t = Test::Hyperdrive->new(log => 'info');

my $pg = $t->postgres(users => { app => 'pw' }, databases => [ 'shop' ],
	sql => { shop => <<'EOS' });

SET ROLE app;
CREATE TABLE things (id int PRIMARY KEY, v text);
INSERT INTO things SELECT g, 'thing ' || g FROM generate_series(1, 100) g;
CREATE TABLE accounts (id int PRIMARY KEY, balance int);
INSERT INTO accounts SELECT g, 0 FROM generate_series(1, 20) g;
CREATE TABLE copied (id int, v text);

EOS

my $url = $pg->url();

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
        hyperdrive_pool    max=$max wait=30s;
    }

    server {
        listen            127.0.0.1:8080;
        hyperdrive_pass   u;
        hyperdrive_cache  shop max_age=60s;
    }
}

EOS

my %app = (user => 'app', database => 'shop', timeout => 30);

###############################################################################
# What a victim says; it is cut anywhere.

my $READ = 'SELECT v FROM things WHERE id = $1';
my $transfer = 0;

my @scripts = (

	# a cached read, and others

	sub { my ($c, $n) = @_;
		query($c, "SELECT v FROM things WHERE id = $n") },
	sub { my ($c, $n) = @_;
		query($c, "SELECT pg_sleep(0.02), 'victim $n'") },
	sub { query($_[0], "SELECT repeat('victim', 50000) "
		. 'FROM generate_series(1, 20)') },
	sub { query($_[0], "SELECT 'victim'; SELECT 1 / 0; SELECT 2") },
	sub { query($_[0], "SELECT '" . 'v' x 200000 . "'") },

	# prepared, pipelined, with errors, in pieces

	sub { my ($c, $n) = @_;
		$c->parse('s', $READ)->describe('S', 's')->sync();
		$c->bind('', 's', [ $_ ])->execute()->sync() for 1 .. $n;
	},
	sub { my ($c, $n) = @_;
		$c->parse('s', 'SELECT 10 / ($1::int - 3)')->flush();
		$c->bind('', 's', [ $_ ])->describe('P', '')->execute()
			->flush() for 1 .. $n;
		$c->sync();
	},
	sub { my ($c, $n) = @_;
		query($c, 'BEGIN');
		$c->parse('', 'SELECT g FROM generate_series(1, 10000) g')
			->bind('p', '', [])->execute('p', $n)->execute('p', 2)
			->sync();
		query($c, 'COMMIT');
	},
	sub { my ($c, $n) = @_;
		$c->parse('l', 'SELECT $1::text')
			->bind('', 'l', [ 'v' x 300000 ])->execute()->sync();
	},
	sub { my ($c) = @_;
		$c->parse("s$_", "SELECT 'victim', $_")->close_statement("s$_")
			for 1 .. 20;
		$c->sync();
	},

	# all or nothing

	map { my $commit = $_; sub { my ($c, $n) = @_;
		query($c, 'BEGIN');
		query($c, "UPDATE accounts SET balance = balance - $n "
			. 'WHERE id = 1');
		query($c, "UPDATE accounts SET balance = balance + $n "
			. "WHERE id = " . (2 + $n % 19));
		query($c, $commit);
	} } qw(COMMIT ROLLBACK COMMIT),
	sub { my ($c, $n) = @_;
		$c->parse('u', 'UPDATE accounts SET balance = balance + $1 '
			. 'WHERE id = $2')
			->bind('', 'u', [ -$n, 1 ])->execute()
			->bind('', 'u', [ $n, 2 + $n % 19 ])->execute()
			->sync();
	},
	sub { my ($c, $n) = @_;
		$c->parse('u', 'UPDATE accounts SET balance = balance + $1 '
			. 'WHERE id = $2')
			->bind('', 'u', [ -$n, 1 ])->execute()->flush()
			->bind('', 'u', [ $n, 2 + $n % 19 ])->execute()
			->flush()->sync();
	},

	# COPY, both ways and protocols

	sub { my ($c, $n) = @_;
		query($c, 'COPY copied FROM STDIN');
		$c->send('d', "$_\tvictim\n") for 1 .. 2000;
		$c->send($n % 2 ? ('c') : ('f', "no\0"));
	},
	sub { my ($c, $n) = @_;
		$c->parse('', 'COPY copied FROM STDIN')->bind('', '', [])
			->execute();
		$c->flush() if $n % 3 == 0;
		$c->sync() if $n % 3 == 1;
		$c->send('d', "$_\tvictim\n") for 1 .. 2000;
		$c->send('c')->sync();
	},
	sub { query($_[0], 'COPY (SELECT g, repeat(\'victim\', 100) '
		. 'FROM generate_series(1, 20000) g) TO STDOUT') },

	# what stays in a session

	sub { my ($c, $n) = @_;
		query($c, "SELECT pg_advisory_lock($n)");
		query($c, "LISTEN victim");
		query($c, "CREATE TEMPORARY TABLE victim AS SELECT $n");
		query($c, "SET application_name = 'victim'");
		query($c, "PREPARE victim AS SELECT $n");
		query($c, "SELECT 'victim'");
	},
	sub { my ($c, $n) = @_;
		query($c, "BEGIN; DECLARE v CURSOR WITH HOLD FOR "
			. 'SELECT generate_series(1, 10)');
		query($c, 'FETCH 3 FROM v');
		query($c, 'COMMIT');
		query($c, 'FETCH ALL FROM v');
	},

	# by the function call, and what breaks the protocol

	sub { my ($c) = @_;
		$c->send('F', pack('N n n n N N n', 1598, 0, 0, 0))->sync();
	},
	sub { my ($c) = @_;
		query($c, 'SELECT 1');
		$c->send('y', 'victim');
	},
);

sub query {
	my ($c, $sql) = @_;
	$c->send('Q', "$sql\0");
}

# One victim, in a process of its own.

sub victim {
	my ($n) = @_;

	my $script = $scripts[$n % @scripts];
	my $c;

	if ($n % 11 == 0) {

		# it does not come further than its log-in

		$c = pg_client(port(8080), %app, login => 0);
		my $hello = $c->startup_message();
		$c->send_raw(substr($hello, 0, int(rand(length($hello) + 1))));

	} else {
		$c = pg_client(port(8080), %app);
		$script->($c, 1 + int(rand(19)));

		cut($c, $c->take_out());
		return;
	}

	Test::Hyperdrive::Kills::leave($c);
}

# One that asks and checks, until it is told to stop: it dies of what is wrong.

sub asker {
	my ($i, $stop) = @_;

	my $c = pg_client(port(8080), %app);
	my $n = 0;

	$c->prepare('s', "SELECT \$1::int, 'asker $i'");
	$c->prepare('r', $READ);

	until (-e $stop) {
		$n++;

		check($c->query("SELECT $n, 'asker $i'"), "$n|asker $i");
		check($c->execute_prepared('s', $n), "$n|asker $i");

		my $id = 1 + $n % 100;
		check($c->execute_prepared('r', $id), "thing $id");

		next if $n % 5;

		# several in one write, in a block

		$c->send('Q', "BEGIN\0");
		$c->bind('', 's', [ $_ ])->execute()->sync()
			for $n + 1 .. $n + 3;
		$c->send('Q', "COMMIT\0");
		$c->result();
		check($c->result(), ($n + $_) . "|asker $i") for 1 .. 3;
		$c->result();

		# nothing of a victim's session is here

		my $r = $c->query("SELECT current_setting('application_name')"
			. " || count(*) FROM pg_listening_channels()");
		die 'a session of others: ' . $r->value() . "\n"
			if $r->value() !~ /^(hyperdrive|nginx|)0$/;
	}

	$c->close();
	return $n;
}

sub check {
	my ($r, $expected) = @_;

	my $got = join('|', map { $_ // 'null' } @{$r->row() || []});

	die "got '$got' " . $r->state() . ' ' . ($r->message() // '')
		. ", expected '$expected'\n" if $got ne $expected;
}

###############################################################################

my @said = hunt($t, kills => $kills, victim => \&victim,
	asker => \&asker);

note("seed $seed");

like($said[$_ - 1], qr/^asked [1-9]/, "asker $_ got its own answers only")
	for 1 .. @said;

# nothing is left behind

ok(wait_for(sub { !left("state LIKE 'idle in transaction%'") }),
	'no session is idle in a transaction');
ok(wait_for(sub { !left("state = 'active'") }), 'no session is at work');
ok(wait_for(sub { !$pg->psql('SELECT count(*) FROM pg_locks '
	. "WHERE locktype = 'advisory'") }), 'no lock is held');
is($pg->psql('SELECT sum(balance) FROM accounts', db => 'shop'), 0,
	'each transaction happened as a whole, or not at all');

my $total;

ok(wait_for(sub {
	$total = $t->status()->{upstreams}{u}{total};
	return $total->{clients} == 0 && $total->{origins_busy} == 0
		&& $total->{pinned} == 0;
}), 'nobody has a connection');

cmp_ok($pg->connections(user => 'app'), '<=', $max, 'no more than max');

note("$kills killed, $total->{origins_opened} connections opened");
cmp_ok($total->{origins_opened}, '<=', $max + $kills / 2,
	'most connections have been kept');

# the pool serves

my @c = map { pg_client(port(8080), %app) } 1 .. $max;

$_->query('BEGIN') for @c;

is(join(' ', map { $c[$_]->query("SELECT $_")->value() // 'none' }
	0 .. $max - 1), join(' ', 0 .. $max - 1), 'all of it can be used');

$_->query('ROLLBACK') for @c;
$_->close() for @c;

$t->done_testing();

###############################################################################

sub left {
	my ($what) = @_;

	return $pg->psql("SELECT count(*) FROM pg_stat_activity WHERE "
		. "usename = 'app' AND $what");
}

###############################################################################
