#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: clients that ask the same at the same time make one
# query at the database, whatever happens to the one that fetches it.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive;

###############################################################################

my $MANY = $ENV{TEST_HYPERDRIVE_FLIGHTS} || 1000;

my $t = Test::Hyperdrive->new(log => 'info')->allow_log(qr/exited on signal 9/);

my $pg = $t->postgres(users => { app => 'pw' }, databases => [ 'shop' ],
	settings => { log_statement => 'all' },
	sql => { shop => <<'EOS' });

SET ROLE app;
CREATE TABLE things (id int PRIMARY KEY, v text);
INSERT INTO things SELECT g, 'thing ' || g FROM generate_series(1, 100) g;
CREATE TABLE others (id int PRIMARY KEY, v text);
INSERT INTO others SELECT g, 'other ' || g FROM generate_series(1, 100) g;
CREATE TABLE wide (id int PRIMARY KEY, v text);
INSERT INTO wide SELECT g, repeat('w', 1000) FROM generate_series(1, 900) g;
CREATE TABLE words (id int PRIMARY KEY, v text);
INSERT INTO words VALUES (1, 'no number');

EOS

my $url = $pg->url();

$t->write_file_expand('nginx.conf', <<"EOS")->run();

%%TEST_GLOBALS%%

worker_processes  2;

events {
    worker_connections  4096;
}

%%TEST_STATUS%%

stream {
    hyperdrive_cache_zone  shop 16m;

    hyperdrive_users  off;

    upstream shop {
        hyperdrive_origin  $url;
        hyperdrive_pool    max=80 wait=30s;
    }

    server {
        listen            127.0.0.1:8080 reuseport;
        hyperdrive_pass   shop;
        hyperdrive_cache  shop max_age=60s coalesce=30s;
    }

    server {
        listen            127.0.0.1:8081 reuseport;
        hyperdrive_pass   shop;
        hyperdrive_cache  shop max_age=60s coalesce=500ms;
    }

    server {
        listen            127.0.0.1:8082 reuseport;
        hyperdrive_pass   shop;
        hyperdrive_cache  shop max_age=60s coalesce=off;
    }

    server {
        listen            127.0.0.1:8083 reuseport;
        hyperdrive_pass   shop;
        hyperdrive_cache  shop max_age=60s coalesce=30s max_size=100k;
    }
}

EOS

my $locker = $pg->client(database => 'shop');
my $looker = $pg->client(database => 'shop');

my $number = 0;

###############################################################################

warm();

all_at_once();
both_protocols();

filler_cancelled();
filler_leaves();
filler_does_not_read();
filler_killed();

waiter_cancelled();
waiter_leaves();
waiter_tired();

not_kept();
failing();

off();
written_meanwhile();

no_origin_left();

$t->done_testing();

###############################################################################

# what is asked for the first time in a worker needs its catalog, and log-ins
# need an origin

sub warm {
	my @c = map { client(8080) } 1 .. 16;

	$_->query('SELECT v FROM things WHERE id = 99') for @c, @c;
	$_->close() for @c;

	$t->wait_catalog('shop', 2);
}

sub all_at_once {
	my $sql = question('things');
	my @c = map { client(8080) } 1 .. $MANY;

	my $before = counters();

	lock_table('things');
	$_->send('Q', "$sql\0")->flush_out() for @c;

	waiting($MANY - 1);
	waiting_origin();
	is(blocked(), 1, 'all but one wait in nginx');

	unlock();

	my $right = grep { $_->result(30)->value() eq 'thing 7' } @c;

	is($right, $MANY, "$MANY clients that ask the same get the answer");
	is(queries($sql), 1, 'with one query at the database');

	my $after = counters();

	is($after->{coalesced} - $before->{coalesced}, $MANY - 1,
		'the others are counted as coalesced');
	is($after->{misses} - $before->{misses}, 1, 'and the one as a miss');

	$_->vanish() for @c;
}

sub both_protocols {
	my $sql = question('things');
	my @c = map { client(8080) } 1 .. 20;

	lock_table('things');

	$c[0]->send('Q', "$sql\0")->flush_out();
	waiting_origin();

	for my $c (@c[1 .. 10]) {
		$c->parse('', $sql)->bind('', '', [])->describe('P', '')
			->execute('')->sync()->flush_out();
	}

	# requests behind the one that waits stay in their order

	for my $c (@c[11 .. 19]) {
		$c->send('Q', "$sql\0")
			->send('Q', "SELECT 'behind' FROM others LIMIT 1\0")
			->flush_out();
	}

	waiting(19);
	unlock();

	my $right = grep { $_->result()->value() eq 'thing 7' } @c;
	is($right, 20, 'extended and simple questions wait for the same flight');

	my $behind = grep { $_->result()->value() eq 'behind' } @c[11 .. 19];
	is($behind, 9, 'what was sent behind is answered behind');

	is(queries($sql), 1, 'by one query');

	$_->close() for @c;
}

sub filler_cancelled {
	my $sql = question('things');
	my @c = flight($sql, 20);

	$c[0]->cancel();

	is($c[0]->result()->error()->{C}, '57014',
		'the client that fetches can cancel it');

	waiting(18);
	wait_for(sub { queries($sql) == 2 });
	pass('one of those that wait fetches it then');

	unlock();
	answered($sql, 2, 'the others', @c[1 .. 19]);

	$_->close() for @c;
}

sub filler_leaves {
	my $sql = question('things');
	my @c = flight($sql, 20);

	(shift @c)->vanish();

	waiting(18);
	unlock();

	answered($sql, 2, 'the client that fetches may leave: the others', @c);

	$_->close() for @c;
}

sub filler_does_not_read {
	my $n = $number++;
	my $sql = "SELECT v AS n$n FROM wide";

	# one whose answer does not go, and one that it is tried with: the kernel
	# may take all at once

	my @slow = map {
		my $c = client(8080);
		setsockopt($c->socket(), Socket::SOL_SOCKET(),
			Socket::SO_RCVBUF(), 4096);
		$c;
	} 1 .. 1;

	my @c = map { client(8080) } 1 .. 10;

	lock_table('wide');

	$slow[0]->send('Q', "$sql\0")->flush_out();
	waiting_origin();

	$_->send('Q', "$sql\0")->flush_out() for @c;
	waiting(10);

	unlock();

	my $right = grep { @{ $_->result(20)->rows() } == 900 } @c;

	is($right, 10, 'a client that does not read holds nobody up');
	cmp_ok(queries($sql), '<=', 2, 'at most one more query');

	is(scalar @{ $slow[0]->result(20)->rows() }, 900, 'it gets all when it reads');

	$_->close() for @c, @slow;
}

sub filler_killed {
	my $sql = question('things');

	lock_table('things');

	my $first = client(8080);
	$first->send('Q', "$sql\0")->flush_out();
	waiting_origin();

	# the worker that fetches

	my $by = $t->status()->{upstreams}{shop}{by_worker};
	my ($pid) = grep { $by->{$_}{origins_busy} } keys %$by;

	my @c = map { client(8080) } 1 .. 40;
	$_->send('Q', "$sql\0")->flush_out() for @c;

	waiting(40);
	kill 'KILL', $pid;

	wait_for(sub { queries($sql) == 2 }, 10);
	pass('its worker is killed: another one fetches it');

	unlock();

	my ($right, $lost, $wrong) = (0, 0, 0);

	for my $c (@c) {
		my $v = eval { $c->result()->value() };

		if (!defined $v) {
			$lost++;

		} elsif ($v eq 'thing 7') {
			$right++;

		} else {
			$wrong++;
		}
	}

	is($wrong, 0, 'no wrong answer');
	cmp_ok($right, '>', 0, "$right clients of the other worker are answered");
	is(queries($sql), 2, 'with one more query');

	$_->vanish() for $first, @c;

	# the new worker has read the catalog, too

	wait_for(sub {
		my $by = $t->status()->{upstreams}{shop}{by_worker};

		!$by->{$pid} && 2 == grep { $by->{$_}{catalogs} } keys %$by;
	}, 20, 'two catalogs');

	# ...and what the other one was at is settled

	$sql = question('others');

	wait_for(sub {
		my @d = map { client(8080) } 1 .. 8;
		my $before = counters()->{hits};

		$_->query($sql) for @d;
		$_->close() for @d;

		return counters()->{hits} - $before == 8;
	}, 20);
}

sub waiter_cancelled {
	my $sql = question('things');
	my @c = flight($sql, 5);

	$c[2]->cancel();

	is($c[2]->result()->error()->{C}, '57014', 'a client that waits can cancel');

	unlock();
	answered($sql, 1, 'the others', @c[0, 1, 3, 4]);

	is($c[2]->query($sql)->value(), 'thing 7', 'and goes on');

	$_->close() for @c;
}

sub waiter_leaves {
	my $sql = question('things');
	my @c = flight($sql, 5);

	(splice @c, 2, 1)->vanish();
	waiting(3);

	unlock();
	answered($sql, 1, 'a client that waits may leave: the others', @c);

	$_->close() for @c;
}

sub waiter_tired {
	my $sql = question('things');

	lock_table('things');

	my @c = map { client(8081) } 1 .. 3;

	$c[0]->send('Q', "$sql\0")->flush_out();
	waiting_origin();

	my $before = counters();
	$_->send('Q', "$sql\0")->flush_out() for @c[1, 2];

	wait_for(sub { blocked() == 3 });
	pass('nobody waits longer than coalesce= says');

	is(counters()->{coalesce_timeout} - $before->{coalesce_timeout}, 2,
		'which is counted');

	unlock();
	answered($sql, 3, 'they go by themselves, and', @c);

	$_->close() for @c;
}

sub not_kept {
	my $n = $number++;
	my $sql = "SELECT v AS n$n FROM wide";
	my @c = map { client(8083) } 1 .. 20;

	lock_table('wide');
	$c[0]->send('Q', "$sql\0")->flush_out();
	waiting_origin();

	$_->send('Q', "$sql\0")->flush_out() for @c[1 .. 19];
	waiting(19);
	unlock();

	my $right = grep { @{ $_->result()->rows() } == 900 } @c;

	is($right, 20, 'an answer that is too long is given to all');

	lock_table('wide');
	$_->send('Q', "$sql\0")->flush_out() for @c;

	wait_for(sub { blocked() == 20 });
	pass('and nobody waits for the same again');

	unlock();
	$_->result() for @c;
	$_->close() for @c;
}

sub failing {
	my $n = $number++;
	my $sql = "SELECT v::int AS n$n FROM words";
	my @c = map { client(8080) } 1 .. 20;

	lock_table('words');
	$c[0]->send('Q', "$sql\0")->flush_out();
	waiting_origin();

	$_->send('Q', "$sql\0")->flush_out() for @c[1 .. 19];
	waiting(19);
	unlock();

	my $right = grep { $_->result()->error()->{C} eq '22P02' } @c;

	is($right, 20, 'each gets an error of its own, at once');

	$_->close() for @c;
}

sub off {
	my $sql = question('things');

	lock_table('things');

	my @c = map { client(8082) } 1 .. 3;
	$_->send('Q', "$sql\0")->flush_out() for @c;

	wait_for(sub { blocked() == 3 });

	unlock();
	answered($sql, 3, 'coalesce=off: each asks for itself, and', @c);

	$_->close() for @c;
}

sub written_meanwhile {
	my $n = $number++;
	my $sql = "SELECT o.v AS n$n FROM things t JOIN others o USING (id) "
		. 'WHERE id = 7';

	lock_table('things');

	my @c = map { client(8080) } 1 .. 4;

	$c[0]->send('Q', "$sql\0")->flush_out();
	waiting_origin();

	$c[1]->query("UPDATE others SET v = 'written $n' WHERE id = 7");

	$_->send('Q', "$sql\0")->flush_out() for @c[2, 3];

	wait_for(sub { queries($sql) == 2 });
	waiting(1);
	unlock();

	is($_->result()->value(), "written $n",
		'who asks after a write waits for no older flight') for @c[2, 3];

	$c[0]->result();
	is(queries($sql), 2, 'but for the one that began behind the write');

	$_->close() for @c;
}

sub no_origin_left {
	is(counters()->{coalescing}, 0, 'nobody is left waiting');

	wait_for(sub { blocked() == 0 });
	is($t->status()->{flights}, 0, 'nothing is under way');
}

###############################################################################

sub client {
	my ($port) = @_;

	return pg_client(port($port), user => 'app', database => 'shop',
		timeout => 20);
}

# one that nobody has asked yet

sub question {
	my ($table) = @_;

	$number++;

	return "SELECT v AS n$number FROM $table WHERE id = 7";
}

# the first of $n clients fetches, behind a lock, and the others wait

sub flight {
	my ($sql, $n) = @_;

	my @c = map { client(8080) } 1 .. $n;

	lock_table('things');

	$c[0]->send('Q', "$sql\0")->flush_out();
	waiting_origin();

	$_->send('Q', "$sql\0")->flush_out() for @c[1 .. $n - 1];
	waiting($n - 1);

	return @c;
}

sub answered {
	my ($sql, $queries, $who, @c) = @_;

	my $right = grep { $_->result()->value() eq 'thing 7' } @c;

	is($right, scalar @c, "$who are answered");
	is(queries($sql), $queries, "by $queries queries at the database");
}

sub lock_table {
	my ($table) = @_;

	wait_for(sub { blocked() == 0 });

	$locker->query('BEGIN');
	$locker->query("LOCK TABLE $table IN ACCESS EXCLUSIVE MODE");
}

sub unlock {
	$locker->query('ROLLBACK');
}

# statements that stand before the lock

sub blocked {
	return $looker->query("SELECT count(*) FROM pg_stat_activity "
		. "WHERE usename = 'app' AND wait_event_type = 'Lock'")->value();
}

sub waiting_origin {
	wait_for(sub { blocked() > 0 });
}

# sessions that wait for a flight

sub waiting {
	my ($n) = @_;

	wait_for(sub { counters()->{coalescing} == $n }, 20);
}

sub counters {
	return $t->status()->{upstreams}{shop}{total};
}

sub queries {
	my ($sql) = @_;

	my $n = () = $pg->log() =~ /: \Q$sql\E$/mg;

	return $n;
}

###############################################################################
