#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: answers behind their age, refreshed in the background
# or while the database is away, and answers that are compared with it.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive;

###############################################################################

my $t = Test::Hyperdrive->new();

my $pg = $t->postgres(users => { app => 'pw' }, databases => [ 'shop' ],
	settings => { log_statement => 'all' },
	sql => { shop => <<'EOS' });

SET ROLE app;
CREATE TABLE things (id int PRIMARY KEY, v text, d date);
INSERT INTO things SELECT g, 'thing ' || g, '2026-01-01'
    FROM generate_series(1, 100) g;
CREATE TABLE pages (id int PRIMARY KEY, v text);
INSERT INTO pages SELECT g, 'page ' || g FROM generate_series(1, 100) g;
CREATE TABLE lists (id int, v text);
INSERT INTO lists SELECT g, 'item ' || g FROM generate_series(1, 20) g;

EOS

my $url = $pg->url();

$t->write_file_expand('nginx.conf', <<"EOS")->run();

%%TEST_GLOBALS%%

worker_processes  2;

events {
}

%%TEST_STATUS%%

stream {
    hyperdrive_cache_zone  shop 16m;

    hyperdrive_users  off;

    upstream shop {
        hyperdrive_origin  $url;
        hyperdrive_pool    max=20 wait=2s;
        hyperdrive_catalog refresh=1h;
    }

    server {
        listen            127.0.0.1:8080 reuseport;
        hyperdrive_pass   shop;
        hyperdrive_cache  shop max_age=300ms stale_while_revalidate=1h;
    }

    server {
        listen            127.0.0.1:8081;
        hyperdrive_pass   shop;
        hyperdrive_cache  shop max_age=200ms stale_if_error=1h;
    }

    server {
        listen            127.0.0.1:8082;
        hyperdrive_pass   shop;
        hyperdrive_cache  shop max_age=60s verify=100%;
    }

    server {
        listen            127.0.0.1:8084;
        hyperdrive_pass   shop;
        hyperdrive_cache  shop max_age=5s;
    }

    server {
        listen                  127.0.0.1:8085;
        hyperdrive_pass         shop;
        hyperdrive_cache        shop max_age=60s;
        hyperdrive_cache_hints  off;
    }

    server {
        listen            127.0.0.1:8086;
        hyperdrive_pass   shop;
        hyperdrive_cache  shop max_age=60s in_transaction=read_committed;
    }

    server {
        listen            127.0.0.1:8083;
        hyperdrive_pass   shop;
        hyperdrive_cache  shop max_age=200ms stale_if_error=400ms;
    }
}

EOS

my $number = 0;
my $direct = $pg->client(database => 'shop');

$t->wait_catalog('shop', 2);

###############################################################################

refreshed_once();
refreshed_as_it_was_asked();
not_what_was_written();
refresh_that_fails();

hints();
in_blocks();

without_database();

verified();
verify_finds_one();

$t->done_testing();

###############################################################################

sub refreshed_once {
	my $sql = question('things');
	my @c = map { client(8080) } 1 .. 20;

	is($c[0]->query($sql)->value(), 'thing 7', 'an answer is kept');
	$direct->query("UPDATE things SET v = 'second' WHERE id = 7");

	aged();

	my $before = counters();

	$direct->query('BEGIN');
	$direct->query('LOCK TABLE things IN ACCESS EXCLUSIVE MODE');

	my $old = grep { $_->query($sql)->value() eq 'thing 7' } @c, @c;
	is($old, 40, 'behind its age it is given at once');

	wait_for(sub { $direct->query("SELECT count(*) FROM pg_stat_activity "
		. "WHERE usename = 'app' AND wait_event_type = 'Lock'")
		->value() == 1 });
	$direct->query('ROLLBACK');

	wait_for(sub { counters()->{refreshed} > $before->{refreshed} });
	pass('and fetched anew in the background');

	is(queries($sql), 2, 'by one query of all workers');

	is(counters()->{stale} - $before->{stale}, 40, 'stale hits are counted');

	my $new = grep { $_->query($sql)->value() eq 'second' } @c;
	is($new, 20, 'which is seen then');

	$direct->query("UPDATE things SET v = 'thing 7' WHERE id = 7");
	$_->close() for @c;
}

sub refreshed_as_it_was_asked {
	my $n = $number++;
	my $c = client(8080);

	# parameters in binary and text, results in binary

	my $ask = sub {
		$c->parse('', "SELECT v AS n$n, id, d FROM things "
				. 'WHERE id = $1 AND v <> $2', 23, 25)
			->send('B', "\0\0" . pack('n nn n N/a* N/a* n n',
				2, 1, 0, 2, pack('N', 9), 'nothing', 1, 1))
			->describe('P', '')->execute('')->sync();

		return $c->result();
	};

	my $first = $ask->();
	is($first->row()->[0], 'thing 9', 'a question with binary parameters');

	aged();

	my $before = counters();
	my $stale = $ask->();

	is($stale->bytes(), $first->bytes(), 'is given behind its age');

	wait_for(sub { counters()->{refreshed} > $before->{refreshed} });

	$before = counters();
	is($ask->()->bytes(), $first->bytes(), 'and what was fetched is the same');
	is(counters()->{misses} - $before->{misses}, 0, 'a hit');

	# with the statement's name

	$c->prepare('s', "SELECT v AS n$n, d FROM things WHERE id = \$1");
	my $kept = $c->execute_prepared('s', 11)->bytes();
	aged();
	is($c->execute_prepared('s', 11)->bytes(), $kept, 'a prepared one');

	wait_for(sub { counters()->{refreshed} > $before->{refreshed} });
	is($c->execute_prepared('s', 11)->bytes(), $kept, 'and again');

	$c->close();
}

sub not_what_was_written {
	my $sql = question('things', 13);
	my $c = client(8080);
	my $other = client(8081);

	$c->query($sql);
	aged();

	$other->query("UPDATE things SET v = 'written' WHERE id = 13");

	is($c->query($sql)->value(), 'written',
		'what was written to is not given behind its age');

	$_->close() for $c, $other;
}

sub refresh_that_fails {
	my $n = $number++;
	my $sql = "SELECT v::int AS n$n FROM things WHERE id = 15";
	my $c = client(8080);

	$direct->query("UPDATE things SET v = '15' WHERE id = 15");
	is($c->query($sql)->value(), 15, 'a number');
	$direct->query("UPDATE things SET v = 'none' WHERE id = 15");

	aged();

	is($c->query($sql)->value(), 15, 'given behind its age');
	wait_for(sub { queries($sql) == 2 });
	wait_for(sub { $t->status()->{flights} == 0 });

	is($c->query($sql)->value(), 15, 'still, though it cannot be fetched')
		for 1 .. 5;
	is(queries($sql), 2, 'which is not tried again at once');

	$c->close();
}

sub in_blocks {
	my $sql = question('things', 41);
	my $other = question('pages', 42);
	my $c = client(8086);
	my $off = client(8085);

	$c->query($sql);

	my $before = counters();
	my $sent = logged();

	for my $begin ('BEGIN', 'BEGIN ISOLATION LEVEL READ COMMITTED',
		'START TRANSACTION READ ONLY')
	{
		$c->query($begin);

		my $r = $c->query($sql);
		is($r->value(), 'thing 41', "$begin: a read from the cache");
		is($r->status(), 'T', 'inside a block');

		is($c->extended($sql)->status(), 'T', 'extended, too');
		is($c->query('COMMIT')->status(), 'I', 'which ends');
	}

	is(counters()->{hits} - $before->{hits}, 6, 'hits');
	is(logged(), $sent, 'the database does not hear of them');

	# a miss goes behind the BEGIN, and all that follows it

	$c->query('BEGIN');
	$c->query($sql);
	is($c->query($other)->value(), 'page 42', 'a miss');
	$c->query("UPDATE things SET v = 'own' WHERE id = 41");
	is($c->query($sql)->value(), 'own', 'one\'s own write');
	$c->query('ROLLBACK');

	$before = counters();

	$c->query('BEGIN ISOLATION LEVEL REPEATABLE READ');
	is($c->query($sql)->value(), 'thing 41', 'another isolation level');
	$c->query('COMMIT');

	$off->query($sql);
	$off->query('BEGIN');
	$off->query($sql);
	$off->query('COMMIT');

	is(counters()->{hits} - $before->{hits}, 1, 'and off: the database\'s');

	$_->close() for $c, $off;
}

sub logged {
	my $n = () = $pg->log() =~ / app\@shop LOG: /g;

	return $n;
}

sub hints {
	my $c = client(8084);
	my $off = client(8085);

	my $hit = sub {
		my ($client, $hint, $pause) = @_;
		my $sql = "$hint " . question('things');

		$client->query($sql);
		select(undef, undef, undef, $pause) if $pause;

		my $before = counters();
		$client->query($sql);

		return counters()->{hits} - $before->{hits};
	};

	is($hit->($c, '/* hyperdrive: no-cache */'), 0, 'a hint: no-cache');
	is($hit->($off, '/* hyperdrive: no-cache */'), 1,
		'hints are for nothing when they are off');
	is($hit->($c, '/* hyperdrive: max_age=60s */'), 1, 'max_age');
	is($hit->($c, '/* hyperdrive: max_age=100ms */', 0.2), 0,
		'which may be shorter');
	is($hit->($c, '/* hyperdrive: max_age=60s */', 5.1), 0,
		'than the directive says, not longer');

	$_->close() for $c, $off;
}

sub without_database {
	my $sql = question('things', 21);
	my $short = question('things', 22);
	my $written = question('pages', 23);

	my $c = client(8081);
	my $brief = client(8083);

	$c->query($written);
	$c->query("UPDATE pages SET v = 'new' WHERE id = 23");

	is($c->query($sql)->value(), 'thing 21', 'an answer is kept');
	$brief->query($short);

	$pg->stop();
	select(undef, undef, undef, 0.7);

	my $before = counters();

	is($c->query($sql)->value(), 'thing 21', 'without a database it is given');
	is($c->query($sql)->value(), 'thing 21', 'again');
	is($c->extended($sql)->value(), 'thing 21', 'by the other protocol');

	is(counters()->{error_stale} - $before->{error_stale}, 3, 'counted');

	ok($c->query(question('things', 24))->error(), 'others get an error');
	ok($brief->query($short)->error(), 'not longer than stale_if_error');

	ok($c->query($written)->error(), 'not what was written to');

	ok($c->query("UPDATE things SET v = 'x' WHERE id = 21")->error(),
		'a write is an error');

	$pg->start();
	$direct = $pg->client(database => 'shop');

	wait_for(sub { !$c->query($sql)->error() }, 15);
	pass('and goes on when the database is back');

	$_->close() for $c, $brief;
}

sub verified {
	my $sql = question('pages', 31);
	my $n = $number++;
	my $list = "SELECT v AS n$n FROM lists";
	my $c = client(8082);

	# what became of the write that met no database has to be found out first

	wait_for(sub {
		my $hits = counters()->{hits};

		$c->query($sql);
		counters()->{hits} > $hits;
	}, 15);

	wait_for(sub { counters()->{verified} > 0 });

	my $before = counters();

	$c->query($sql);
	wait_for(sub { counters()->{verified} > $before->{verified} });

	is(counters()->{verify_failed}, 0, 'a hit is what the database says');

	# in another order

	$c->query($list);
	$direct->query("UPDATE lists SET v = v WHERE id = 1");

	$before = counters();

	$c->query($list);
	wait_for(sub { counters()->{verified} > $before->{verified} });

	is(counters()->{verify_failed}, 0, 'and so are rows in another order');

	$c->close();
}

sub verify_finds_one {
	my $sql = question('pages', 33);
	my $c = client(8082);
	my $before = counters();

	# (its worker may be another one than that of the client before)

	wait_for(sub {
		my $hits = counters()->{hits};

		$c->query($sql);
		counters()->{hits} > $hits;
	});

	# the one that was from memory has been compared

	wait_for(sub { counters()->{verified} > $before->{verified} });

	$direct->query("UPDATE pages SET v = 'past nginx' WHERE id = 33");

	is($c->query($sql)->value(), 'page 33', 'a write past nginx is not seen');

	wait_for(sub { counters()->{verify_failed} });
	pass('until the answer is compared');

	is($c->query($sql)->value(), 'past nginx', 'then it is not given again');

	$before = counters();
	$c->query($sql) for 1 .. 3;
	is(counters()->{stored} - $before->{stored}, 0,
		'and none of its table is kept');

	is($t->status()->{tables_off}, 1, 'the status tells of one');

	my $other = question('lists');
	$c->query($other);
	$before = counters();
	$c->query($other);
	is(counters()->{hits} - $before->{hits}, 1, 'other tables are');

	my ($line) = $t->read_file('error.log') =~ /^(.*is not the database's.*)$/m;
	like($line, qr/statement [0-9a-f]{16} of "shop"/, 'the log has its digest');
	unlike($line, qr/SELECT|pages/, 'and no text');

	$c->close();
	ok($t->reload(), 'a reload');

	# the new workers have to read the catalog first

	$c = client(8082);

	ok(eval { wait_for(sub {
		$before = counters();
		$c->query($sql);
		counters()->{hits} > $before->{hits};
	}) }, 'switches it on again');

	$c->close();
}

###############################################################################

sub client {
	my ($port) = @_;

	return pg_client(port($port), user => 'app', database => 'shop');
}

sub question {
	my ($table, $id) = @_;

	$number++;
	$id //= 7;

	return "SELECT v AS n$number FROM $table WHERE id = $id";
}

# all that was kept is behind its age

sub aged {
	select(undef, undef, undef, 0.35);
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
