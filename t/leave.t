#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: a client that leaves, in whatever state and way, leaves
# a clean pool behind.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive;

###############################################################################

my $t = Test::Hyperdrive->new(log => 'info');

my $pg = $t->postgres(users => { app => 'pw' }, databases => [ 'shop' ],
	sql => { shop => <<'EOS' });

SET ROLE app;
CREATE TABLE things (id int PRIMARY KEY, v text);
INSERT INTO things SELECT g, 'thing ' || g FROM generate_series(1, 10) g;
CREATE TABLE notes (n text);

EOS

my $url = $pg->url();

$t->write_file_expand('nginx.conf', <<"EOS")->run();

%%TEST_GLOBALS%%

events {
}

%%TEST_STATUS%%

stream {
    hyperdrive_users  off;

    upstream one {
        hyperdrive_origin  $url;
        hyperdrive_pool    max=1 wait=20s;
    }

    upstream two {
        hyperdrive_origin  $url;
        hyperdrive_pool    max=2 wait=20s;
    }

    server {
        listen           127.0.0.1:8080;
        hyperdrive_pass  one;
    }

    server {
        listen           127.0.0.1:8081;
        hyperdrive_pass  two;
    }
}

EOS

my $probe = $pg->client(database => 'shop');

# what is in the way of a statement, of half a message, of a row

my $big = 'x' x 300000;

###############################################################################
# Each brings a client into a state and leaves it there.

my @states = (
	'right after its log-in' => sub { },

	'with a log-in half done' => sub {
		my ($c) = @_;

		my $d = pg_client($c->{port}, user => 'app', login => 0,
			database => 'shop');
		$d->send_raw(substr($d->startup_message(), 0, 20));
		return $d;
	},

	'with half a Query sent' => sub {
		my ($c) = @_;
		$c->send_raw("Q\0\0\0\x20SELECT");
	},

	'with half a Query sent, too long to be kept' => sub {
		my ($c) = @_;

		my $sql = "SELECT '" . 'y' x 2000000 . "'";

		$c->send_raw('Q' . pack('N', length($sql) + 5)
			. substr($sql, 0, 1500000));
	},

	'with a query running' => sub {
		my ($c) = @_;

		ask($c, "SELECT pg_sleep(0.5), 'running'");
		running('running');
	},

	'with a write running' => sub {
		my ($c) = @_;

		ask($c, "INSERT INTO notes SELECT 'written' FROM "
			. "pg_sleep(0.5)");
		running('written');
	},

	'in a transaction' => sub {
		my ($c) = @_;

		$c->query('BEGIN');
		$c->query("INSERT INTO notes VALUES ('lost')");
	},

	'in a transaction that has failed' => sub {
		my ($c) = @_;

		$c->query('BEGIN');
		$c->query("INSERT INTO notes VALUES ('lost')");
		$c->query('SELECT 1 / 0');
	},

	'in a transaction, in a query' => sub {
		my ($c) = @_;

		$c->query('BEGIN');
		$c->query("INSERT INTO notes VALUES ('lost')");
		ask($c, "SELECT pg_sleep(0.1), 'in a transaction'");
		running('in a transaction');
	},

	'after BEGIN, unread' => sub {
		my ($c) = @_;
		ask($c, 'BEGIN');
	},

	'after Parse, without Sync' => sub {
		my ($c) = @_;

		$c->parse('s', 'SELECT 1')->flush_out();
	},

	'after Parse and Flush' => sub {
		my ($c) = @_;

		$c->parse('s', 'SELECT 1')->flush();
		$c->read_message();
	},

	'after a write and Flush' => sub {
		my ($c) = @_;

		$c->parse('', "INSERT INTO notes VALUES ('lost')")
			->bind('', '', [])->execute()->flush();
		$c->read_until('C');
	},

	'after an error and Flush' => sub {
		my ($c) = @_;

		$c->parse('', 'SELECT nothing')->flush();
		$c->read_until('E');
	},

	'in the middle of a Bind' => sub {
		my ($c) = @_;

		$c->prepare('s', 'SELECT length($1::text)');
		$c->bind('', 's', [ 'z' x 3000000 ]);

		my $out = $c->take_out();

		$c->send_raw(substr($out, 0, 2000000));
	},

	'in the middle of a Bind, in a transaction' => sub {
		my ($c) = @_;

		$c->query('BEGIN');
		$c->query("INSERT INTO notes VALUES ('lost')");
		$c->prepare('s', 'SELECT length($1::text)');
		$c->bind('', 's', [ 'z' x 3000000 ]);

		my $out = $c->take_out();

		$c->send_raw(substr($out, 0, 2000000));
	},

	'after many Binds and no Sync' => sub {
		my ($c) = @_;

		$c->prepare('s', 'SELECT $1::int');
		$c->bind('', 's', [ $_ ])->execute() for 1 .. 500;
		$c->flush_out();
	},

	'with units in flight' => sub {
		my ($c) = @_;

		$c->send('Q', "SELECT pg_sleep(0.002)\0") for 1 .. 50;
		$c->flush_out();
	},

	'with an open portal' => sub {
		my ($c) = @_;

		$c->query('BEGIN');
		$c->parse('', 'SELECT generate_series(1, 100)')
			->bind('p', '', [])->execute('p', 10)->sync();
		$c->result();
	},

	'in COPY FROM STDIN' => sub {
		my ($c) = @_;

		ask($c, 'COPY notes FROM STDIN');
		$c->read_until('G');
		$c->send('d', "lost\n")->flush_out();
	},

	'in COPY FROM STDIN, in half a message' => sub {
		my ($c) = @_;

		ask($c, 'COPY notes FROM STDIN');
		$c->read_until('G');
		$c->send_raw('d' . pack('N', 1000004) . "lost\n" x 1000);
	},

	'in COPY FROM STDIN, unread' => sub {
		my ($c) = @_;
		ask($c, 'COPY notes FROM STDIN');
	},

	'in COPY FROM STDIN, extended' => sub {
		my ($c) = @_;

		$c->parse('', 'COPY notes FROM STDIN')->bind('', '', [])
			->execute()->sync();
		$c->read_until('G');
		$c->send('d', "lost\n")->flush_out();
	},

	'in COPY TO STDOUT' => sub {
		my ($c) = @_;

		ask($c, "COPY (SELECT '$big' FROM generate_series(1, 20)) "
			. 'TO STDOUT');
		$c->read_until('d');
	},

	'with a large answer on its way' => sub {
		my ($c) = @_;

		ask($c, "SELECT '$big' FROM generate_series(1, 20)");
		$c->read_until('D');
	},

	'with an answer that never ends' => sub {
		my ($c) = @_;

		ask($c, "SELECT '$big' FROM generate_series(1, 100000)");
		$c->read_until('D');
	},

	'with a temporary table' => sub {
		my ($c) = @_;

		$c->query('CREATE TEMP TABLE mine (id int)');
	},

	'with settings' => sub {
		my ($c) = @_;

		$c->query("SET work_mem = '77MB'");
		$c->query("SET search_path = pg_catalog");
	},

	'with a lock' => sub {
		my ($c) = @_;
		$c->query('SELECT pg_advisory_lock(4711)');
	},
);

my @ways = (
	[ 'Terminate', sub { $_[0]->send('X'); eval { $_[0]->flush_out() };
		$_[0]->vanish() } ],
	[ 'close', sub { $_[0]->vanish() } ],
	[ 'reset', sub { $_[0]->abort() } ],
);

while (my ($name, $state) = splice @states, 0, 2) {
	left($name, $state, $_) for @ways;
}

queued();
many();

$t->done_testing();

###############################################################################

sub client {
	my ($port, %o) = @_;

	return pg_client(port($port || 8080), user => 'app',
		database => 'shop', timeout => 15, %o);
}

sub ask {
	my ($c, $sql) = @_;
	return $c->send('Q', "$sql\0")->flush_out();
}

# Waits until the database is at it.

sub running {
	my ($text) = @_;

	wait_for(sub {
		$probe->query("SELECT count(*) FROM pg_stat_activity WHERE "
			. "usename = 'app' AND state = 'active' AND query LIKE "
			. "'%$text%'")->value();
	}, 30, "query with $text");
}

sub used {
	my ($name) = @_;
	return $t->status()->{upstreams}{$name || 'one'};
}

sub left {
	my ($name, $state, $way) = @_;

	my ($how, $leave) = @$way;

	$name .= ", $how";

	$probe->query('TRUNCATE notes');

	my $c = client();
	my $other = $state->($c);

	$leave->($_) for grep { ref $_ eq ref $c && $_ != $c } $other;
	$leave->($c);

	# the next one comes at once

	my $d = client();
	my @r;

	$d->parse('s', 'SELECT $1::int * 2')->bind('', 's', [ 21 ])
		->execute()->sync();
	push @r, $d->result();
	push @r, $d->query('SELECT v FROM things WHERE id = 3');
	push @r, $d->query('SHOW work_mem');
	push @r, $d->query("SELECT to_regclass('mine') IS NULL");

	is(join(' ', map { $_->value() // $_->state() } @r),
		'42 thing 3 4MB t', "$name, the next one");
	is(join('', map { $_->status() } @r), 'IIII', "$name, and is idle");

	$d->close();

	# nothing is left of it at the database

	my $clean = eval {
		wait_for(sub {
			!$probe->query("SELECT count(*) FROM pg_stat_activity "
				. "WHERE usename = 'app' AND state <> 'idle'")
				->value()
				&& $probe->query('SELECT count(*) FROM '
				. "pg_locks WHERE locktype = 'advisory'")
				->value() == 0;
		}, 5);
	};

	ok($clean, "$name, a clean pool") or diag($pg->psql(
		"SELECT state, left(query, 60) FROM pg_stat_activity WHERE "
		. "usename = 'app'"));

	is($probe->query("SELECT count(*) FROM notes WHERE n = 'lost'")
		->value(), 0, "$name, nothing half done");
}

# In the queue.

sub queued {
	for my $way (@ways) {
		my ($how, $leave) = @$way;

		my $opened = used()->{total}{origins_opened};
		my $holder = client();

		$holder->query('BEGIN');
		$holder->query('SELECT 1');

		my @c = map { client() } 1 .. 6;

		ask($c[$_], "INSERT INTO notes VALUES ('queued')") for 0 .. 2;
		$c[3]->parse('', "INSERT INTO notes VALUES ('queued')")
			->bind('', '', [])->execute()->sync()->flush_out();
		ask($c[4], 'SELECT 4');
		ask($c[5], 'SELECT 5');

		wait_for(sub { used()->{waiting} == 6 }, 10, 'six in a queue');

		$leave->($_) for @c[0 .. 3];

		# (Terminate is read when its turn comes)

		wait_for(sub { used()->{waiting} <= 2 }, 10, 'two in a queue');

		is($probe->query('SELECT count(*) FROM notes')->value(), 0,
			"in the queue, $how, nothing was done");

		$holder->query('COMMIT');

		is(join(' ', map { $_->result()->value() // 'none' } @c[4, 5]),
			'4 5', "in the queue, $how, those behind them");
		is($probe->query('SELECT count(*) FROM notes')->value(), 0,
			"in the queue, $how, nothing was done later");
		is(used()->{total}{origins_opened}, $opened,
			"in the queue, $how, the connection stays");

		$_->close() for $holder, @c[4, 5];
	}
}

# Many of them: connections are kept, not opened again and again.

sub many {
	my $opened = used('two')->{total}{origins_opened};

	for my $i (1 .. 60) {
		my $c = client(8081);

		if ($i % 4 == 0) {
			$c->query('BEGIN');
			$c->query('SELECT 1');

		} elsif ($i % 4 == 1) {
			$c->parse('', 'SELECT 1')->bind('', '', [])->execute()
				->flush();
			$c->read_until('C');

		} elsif ($i % 4 == 2) {
			ask($c, 'SELECT 1');
		}

		$i % 2 ? $c->vanish() : $c->abort();
	}

	my $c = client(8081);

	is($c->query('SELECT 60')->value(), 60, 'after sixty of them');
	$c->close();

	my $now = wait_for(sub {
		my $two = used('two');
		$two->{total}{clients} == 0 && $two;
	}, 10, 'end of all clients');

	my $n = $now->{total}{origins_opened} - $opened;

	cmp_ok($n, '<=', 4, 'sixty clients and few new connections');
	note("$n connections opened");
	cmp_ok($now->{used}, '<=', 2, 'no more places than there are');
	is($now->{waiting}, 0, 'nobody waits');
}

###############################################################################
