#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: what many clients ask in one turn of the event loop is
# looked up together, and each gets its own answer, whoever leaves meanwhile.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive;

###############################################################################

# more than one batch takes
my $MANY = 100;

my $t = Test::Hyperdrive->new();

my $pg = $t->postgres(users => { app => 'pw' }, databases => [ 'shop' ],
	sql => { shop => <<'EOS' });

SET ROLE app;
CREATE TABLE things (id int PRIMARY KEY, v text);
INSERT INTO things SELECT g, 'thing ' || g FROM generate_series(1, 400) g;
CREATE TABLE wide (id int PRIMARY KEY, v text);
INSERT INTO wide SELECT g, repeat('w', 9000) || g FROM generate_series(1, 200) g;

EOS

my $url = $pg->url();

$t->write_file_expand('nginx.conf', <<"EOS")->run();

%%TEST_GLOBALS%%

worker_processes  1;

events {
    worker_connections  1024;
}

%%TEST_STATUS%%

stream {
    hyperdrive_cache_zone  shop 16m;

    hyperdrive_users  off;

    upstream shop {
        hyperdrive_origin  $url;
        hyperdrive_pool    max=5 wait=30s;
    }

    server {
        listen            127.0.0.1:8080;
        hyperdrive_pass   shop;
        hyperdrive_cache  shop max_age=60s;
    }
}

EOS

my ($worker) = $t->worker_pids();
my @clients = map { client() } 1 .. $MANY;

###############################################################################

$clients[0]->query('SELECT v FROM things WHERE id = 1');
$t->wait_catalog('shop', 1);

# 1 .. 200 are there; each client has it prepared, too

for my $id (1 .. 200) {
	$clients[0]->query("SELECT v FROM things WHERE id = $id");
}

$_->prepare('q', 'SELECT v FROM things WHERE id = $1') for @clients;

$clients[0]->execute_prepared('q', $_) for 1 .. 200;

# a small cache is asked at once: these make it a large one

$clients[0]->query("SELECT v FROM wide WHERE id = $_") for 1 .. 200;

simple();
pipelines();
misses();
leavers();
cancelled();
written();

$_->close() for @clients;

like($t->read_file('error.log'), qr/ready -> batch/, 'there were batches');

$t->done_testing();

###############################################################################

sub client {
	return pg_client(port(8080), user => 'app', database => 'shop',
		password => 'pw');
}

# All that is sent in <sub> is there when the worker looks again.

sub at_once {
	my ($send) = @_;

	kill 'STOP', $worker;
	$send->();
	kill 'CONT', $worker;
}

sub ask {
	my ($client, $sql) = @_;
	$client->send('Q', "$sql\0")->flush_out();
}

sub ask_prepared {
	my ($client, $id) = @_;
	$client->bind('', 'q', [ $id ])->execute('')->sync();
}

sub right {
	my ($client, @ids) = @_;

	for my $id (@ids) {
		my $value = $client->result()->value();
		return 0 if !defined $value || $value ne "thing $id";
	}

	return 1;
}

###############################################################################

sub simple {
	my $good;

	my $counted = $t->counted(shop => sub {
		at_once(sub {
			ask($clients[$_], "SELECT v FROM things WHERE id = "
				. ($_ + 1)) for 0 .. $MANY - 1;
		});

		$good = grep { right($clients[$_], $_ + 1) } 0 .. $MANY - 1;
	});

	is($good, $MANY, 'each client has its own answer');
	is($counted, "$MANY 0 0", 'each was a hit');
}

# Each has five units in one write, of both protocols, long answers among them.

sub pipelines {
	my $good = 0;

	my $counted = $t->counted(shop => sub {
		at_once(sub {
			for my $n (0 .. $MANY - 1) {
				my $c = $clients[$n];

				ask_prepared($c, $n + 1);
				$c->send('Q', "SELECT v FROM things "
					. "WHERE id = " . ($n + 2) . "\0");
				$c->send('Q', "SELECT v FROM wide WHERE id = "
					. ($n % 9 + 1) . "\0");
				ask_prepared($c, $n + 3);
				ask_prepared($c, $n + 4);
				$c->flush_out();
			}
		});

		for my $n (0 .. $MANY - 1) {
			my $c = $clients[$n];

			$good++ if right($c, $n + 1, $n + 2)
				&& $c->result()->value()
					eq ('w' x 9000) . ($n % 9 + 1)
				&& right($c, $n + 3, $n + 4);
		}
	});

	is($good, $MANY, 'pipelines are answered in their order');
	is($counted, 5 * $MANY . ' 0 0', 'each of them was a hit');
}

# Every other one asks what is not there, and what is there behind it.

sub misses {
	my $good;
	my $half = $MANY / 2;

	my $counted = $t->counted(shop => sub {
		at_once(sub {
			for my $n (0 .. $MANY - 1) {
				my $c = $clients[$n];

				ask_prepared($c, 200 + $n) if $n % 2;
				ask_prepared($c, $n + 1);
				$c->flush_out();
			}
		});

		$good = grep {
			right($clients[$_], $_ % 2 ? 200 + $_ : (), $_ + 1)
		} 0 .. $MANY - 1;
	});

	is($good, $MANY, 'hits and misses are answered');
	is($counted, "$MANY $half $half", 'each of them is counted once');
}

# Those who leave in the turn in which they have asked.

sub leavers {
	my @gone = map { client() } 1 .. 40;

	at_once(sub {
		for my $n (0 .. $MANY - 1) {

			if (my $c = $gone[$n]) {
				# there, and not there: the last one is asked for
				my $id = $n % 2 ? 7 : 300 + $n;

				ask($c, "SELECT v FROM things WHERE id = $id");
				$n % 3 == 0 ? $c->vanish()
					: $n % 3 == 1 ? $c->abort()
					: $c->send('X')->flush_out();
			}

			ask($clients[$n], "SELECT v FROM things WHERE id = "
				. ($n + 1));
		}
	});

	is(scalar(grep { right($clients[$_], $_ + 1) } 0 .. $MANY - 1), $MANY,
		'the others have their answers');

	my $terminated = grep {
		my $c = $gone[$_];
		$_ % 3 == 2 && right($c, $_ % 2 ? 7 : 300 + $_) && $c->wait_eof()
	} 0 .. $#gone;

	is($terminated, 13, 'and those who said so behind their question');
}

# A cancel request in the same turn: the answer, or the error; never another's.

sub cancelled {
	my @sockets;

	at_once(sub {
		ask($clients[$_], "SELECT v FROM things WHERE id = " . ($_ + 1))
			for 0 .. $MANY - 1;

		for my $n (0 .. 9) {
			my $other = ref($clients[$n])->connect(port(8080),
				login => 0);

			$other->send_raw(pack('N N N a*', 12
				+ length($clients[$n]{backend_key}), 80877102,
				$clients[$n]{backend_pid},
				$clients[$n]{backend_key}));
			push @sockets, $other;
		}
	});

	my $good = 0;

	for my $n (0 .. $MANY - 1) {
		my $r = $clients[$n]->result();

		$good++ if ($r->value() || '') eq 'thing ' . ($n + 1)
			|| ($n < 10 && ($r->state() || '') eq '57014');
	}

	is($good, $MANY, 'cancel requests end nothing that they do not name');

	$_->wait_eof() for @sockets;

	is(scalar(grep { $clients[$_]->query('SELECT 1')->value() == 1 }
		0 .. $MANY - 1), $MANY, 'and no later query');
}

# A write in the midst of them: what is asked behind its end is new.

sub written {
	at_once(sub {
		ask($clients[$_], "SELECT v FROM things WHERE id = 1")
			for 1 .. 49;
		ask($clients[0], "UPDATE things SET v = 'new' WHERE id = 1");
		ask($clients[$_], "SELECT v FROM things WHERE id = 1")
			for 50 .. $MANY - 1;
	});

	is(scalar(grep {
		$clients[$_]->result()->value() =~ /^(?:thing 1|new)$/
	} 1 .. $MANY - 1), $MANY - 1, 'old or new while it is written');

	$clients[0]->result();

	at_once(sub {
		ask($_, "SELECT v FROM things WHERE id = 1") for @clients;
	});

	is(scalar(grep { $_->result()->value() eq 'new' } @clients), $MANY,
		'new behind it');
}

###############################################################################
