#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: workers killed at random under load, while clients ask
# the same questions and write what they read.  HYPERDRIVE_WORKER_KILLS says
# how many (20).

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use POSIX ();
use Time::HiRes qw/ sleep time /;

use lib 'lib';
use Test::Hyperdrive;

###############################################################################

my $KILLS = $ENV{HYPERDRIVE_WORKER_KILLS} || 20;
my $CLIENTS = 12;

my $t = Test::Hyperdrive->new(log => 'info')->allow_log(qr/exited on signal 9/);

my $pg = $t->postgres(users => { app => 'pw' }, databases => [ 'shop' ],
	sql => { shop => <<'EOS' });

SET ROLE app;
CREATE TABLE counts (id int PRIMARY KEY, n bigint, pad text);
INSERT INTO counts SELECT g, 0, repeat('x', 20000) FROM generate_series(1, 8) g;
CREATE TABLE fixed (id int PRIMARY KEY, v text);
INSERT INTO fixed SELECT g, 'fixed ' || g FROM generate_series(1, 200) g;

EOS

my $url = $pg->url();

$t->write_file_expand('nginx.conf', <<"EOS")->run();

%%TEST_GLOBALS%%

worker_processes  3;

events {
}

%%TEST_STATUS%%

stream {
    hyperdrive_cache_zone  shop 4m;

    hyperdrive_users  off;

    upstream shop {
        hyperdrive_origin  $url;
        hyperdrive_pool    max=30 wait=20s;
    }

    server {
        listen            127.0.0.1:8080 reuseport;
        hyperdrive_pass   shop;
        hyperdrive_cache  shop max_age=1s stale_while_revalidate=10s
                          coalesce=2s verify=5%;
    }
}

EOS

###############################################################################

my $dir = $t->testdir();
my $until = "$dir/until";

my @pids = map { load($_) } 1 .. $CLIENTS;

for (1 .. $KILLS) {
	sleep(0.1 + rand(0.2));

	my @workers = $t->worker_pids();
	kill('KILL', $workers[rand @workers]) if @workers;

	wait_for(sub { $t->worker_pids() == 3 }, 10);
}

pass("$KILLS workers were killed");

# a while without

sleep(2);
$t->write_file('until', 'now');

my ($said, $stuck) = ('', 0);

for my $pid (@pids) {
	my $ended = eval {
		wait_for(sub { waitpid($pid, POSIX::WNOHANG()) == $pid }, 40);
		1;
	};

	if (!$ended) {
		$stuck++;
		kill('KILL', $pid);
		waitpid($pid, 0);
	}

	$said .= $t->read_file("client.$pid");
}

my @wrong = $said =~ /^wrong: .*/mg;
my $answers = 0;
$answers += $_ for $said =~ /^answers: (\d+)/mg;

is($stuck, 0, 'no client is stuck');
is(scalar @wrong, 0, 'no wrong answer') or diag(@wrong[0 .. 3]);
cmp_ok($answers, '>', $KILLS * 10, "$answers answers");

# nothing is lost

wait_for(sub {
	my $s = $t->status();

	$s->{flights} == 0 && $s->{upstreams}{shop}{dead} == 0
		&& $s->{upstreams}{shop}{total}{coalescing} == 0
		&& $s->{upstreams}{shop}{total}{clients} == 0;
}, 20);
pass('no flight, no place and no client is left');

my $cache = $t->status()->{caches}{shop};

is($cache->{blocks_used} + $cache->{blocks_free}, $cache->{blocks},
	'used and free blocks are all');

# and what is kept is right, when what became of the writes is known

my $c = pg_client(port(8080), user => 'app', database => 'shop');

wait_for(sub {
	my $before = $t->status()->{upstreams}{shop}{total}{hits};

	$c->query('SELECT v FROM fixed WHERE id = 1');
	$t->status()->{upstreams}{shop}{total}{hits} > $before;
}, 30);
pass('the cache works');

my $direct = $pg->client(database => 'shop');

for my $id (1 .. 8) {
	my $sql = "SELECT n FROM counts WHERE id = $id";

	is($c->query($sql)->value(), $direct->query($sql)->value(),
		"the last number $id");
}

$c->close();

$t->done_testing();

###############################################################################

# An error, which the states of a pool whose workers die are the reason for:
# no connection, or one that was lost.

sub ended {
	my ($c, $r) = @_;

	# the connection ended in the middle of an answer, or nothing came

	if ($r->types() !~ /Z$/) {
		die "no answer in time\n" unless $c->{eof};
		return 1;
	}

	my $error = $r->error() or return 0;

	return $error->{C} =~ /^(08|53|57)/ ? 1 : 0;
}

# A client that is often thrown out.  It writes one row only, whose number
# never goes back; others' numbers never go back for it, either.

sub load {
	my ($n) = @_;

	my $pid = fork();
	return $pid if $pid;

	my ($answers, %seen) = (0);
	my $mine = ($n - 1) % 8 + 1;
	my $out = '';

	srand($$);

	while (!-e $until) {
		my $c = eval {
			pg_client(port(8080), user => 'app', database => 'shop',
				timeout => 15);
		} or next;

		eval {
			while (!-e $until) {
				my $what = rand();

				if ($what < 0.1 && $n <= 8) {
					my $r = $c->query('UPDATE counts SET n = n + 1 '
						. "WHERE id = $mine RETURNING n");
					die "error\n" if ended($c, $r);

					$seen{$mine} = $r->value();

				} elsif ($what < 0.5) {
					my $id = 1 + int(rand(8));
					my $wide = rand() < 0.3 ? ', pad' : '';
					my $r = $c->query("SELECT n$wide FROM counts "
						. "WHERE id = $id");
					die "error\n" if ended($c, $r);

					my $v = $r->value() // 'nothing';

					$out .= "wrong: $id was $seen{$id}, is $v\n"
						if $v eq 'nothing'
						|| $v < ($seen{$id} // 0);
					$seen{$id} = $v;

				} else {
					my $id = 1 + int(rand(200));
					my $r = $c->extended('SELECT v FROM fixed '
						. 'WHERE id = $1', $id);
					die "error\n" if ended($c, $r);

					my $v = $r->value() // 'nothing';

					$out .= "wrong: fixed $id is $v\n"
						if $v ne "fixed $id";
				}

				$answers++;
			}

			1;
		};

		if ($@ && $@ =~ /time/i) {
			$out .= "wrong: $@";
		}

		eval { $c->vanish() };
	}

	open(my $fh, '>', "$dir/client.$$");
	print $fh $out, "answers: $answers\n";
	close($fh);

	POSIX::_exit(0);
}

###############################################################################
