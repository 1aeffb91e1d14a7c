#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: pause, resume, reconnect, kill and purge, by
# hyperdrive_control.

###############################################################################

use warnings;
use strict;

use JSON::PP ();
use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive;

###############################################################################

my $t = Test::Hyperdrive->new()->allow_log(qr/exited on signal 9/);

my $pg = $t->postgres(users => { app => 'pw', other => 'pw' },
	databases => [ 'shop', 'stock' ], sql => { shop => <<'EOS' });

SET ROLE app;
CREATE TABLE things (id int PRIMARY KEY, v text);
INSERT INTO things SELECT g, 'thing ' || g FROM generate_series(1, 10) g;
CREATE TABLE others (id int PRIMARY KEY, v text);
CREATE VIEW seen AS SELECT * FROM things;

DO $$ BEGIN
    FOR i IN 1 .. 70 LOOP
        EXECUTE format('CREATE TABLE many_%s AS SELECT %s AS v', i, i);
    END LOOP;
    EXECUTE (SELECT 'CREATE VIEW many AS '
        || string_agg('SELECT v FROM many_' || g, ' UNION ALL ' ORDER BY g)
        FROM generate_series(1, 70) g);
END $$;

GRANT SELECT ON ALL TABLES IN SCHEMA public TO other;

EOS

my $url = 'postgres://app:pw@127.0.0.1:' . $pg->port() . '/?sslmode=disable';

(my $other = $url) =~ s/app/other/;

$t->write_file_expand('nginx.conf', <<"EOS")->run();

%%TEST_GLOBALS%%

worker_processes  2;

events {
}

http {
    %%TEST_GLOBALS_HTTP%%

    server {
        listen 127.0.0.1:8999;

        location = /hyperdrive {
            hyperdrive_status;
        }

        location = /control {
            hyperdrive_control;
        }
    }
}

stream {
    hyperdrive_cache_zone  shop 8m;
    hyperdrive_users       off;

    upstream shop {
        hyperdrive_origin  $url;
        hyperdrive_pool    max=4 wait=2s queue=3;

        # its connections are not clients'
        hyperdrive_catalog  off;
    }

    upstream other {
        hyperdrive_origin  $other;
        hyperdrive_pool    max=4;
    }

    server {
        listen            127.0.0.1:8080;
        hyperdrive_pass   shop;
    }

    server {
        listen            127.0.0.1:8081;
        hyperdrive_pass   other;
        hyperdrive_cache  shop max_age=1h;
        hyperdrive_rule   ~ "-- tagged" tags=some,other;

        hyperdrive_query_log  %%TESTDIR%%/queries.log
                              "\$hyperdrive_query_digest \$hyperdrive_query_text";
    }
}

EOS

my $probe = $pg->client();

requests();
paused();
paused_database();
paused_long();
bounded();
reconnected();
killed();
killed_busy();
purged();
purged_unknown();

$t->done_testing();

###############################################################################

sub client {
	my (%o) = @_;

	return pg_client(port($o{port} || 8080), user => 'app',
		database => 'shop', timeout => 15, %o);
}

# a request, in list context: status, what the JSON says

sub control {
	my ($args, %o) = @_;

	my $method = $o{method} || 'POST';
	my $head = $o{head} || '';

	my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
		PeerPort => port(8999), Proto => 'tcp')
		or die "cannot connect: $!\n";

	print $s "$method /control" . (length $args ? "?$args" : '')
		. " HTTP/1.0\r\nHost: localhost\r\n$head\r\n";

	local $/;
	my $answer = <$s> // '';
	close $s;

	my ($top, $body) = split /\r\n\r\n/, $answer, 2;
	my ($code) = ($top // '') =~ m{^HTTP/1\.\d (\d+)};

	return wantarray
		? ($code, eval { JSON::PP->new->decode($body) }) : $code;
}

sub done {
	my ($args, $timeout) = @_;

	return eval { wait_for(sub { (control($args))[1]{done} },
		$timeout || 10) };
}

sub shop {
	return $t->status()->{upstreams}{$_[0] || 'shop'};
}

sub backends {
	return $probe->query($pg->count_sql(user => 'app'))->value();
}

# a query is sent, and its client waits

sub asks {
	my ($c, $sql, $waiting) = @_;

	$c->send('Q', "$sql\0")->flush_out();

	return eval { wait_for(sub { shop()->{total}{waiting} == $waiting }) };
}

###############################################################################

sub requests {
	is(control('', method => 'GET'), 200, 'what there is');
	is(scalar @{(control('', method => 'GET'))[1]{orders}}, 0,
		'which is nothing');

	is(control('pause=shop', method => 'PUT'), 405, 'another method');
	is(control('pause=shop', head => "Origin: http://evil.example\r\n"),
		403, 'from a page of the web');

	is(control($_), 400, "wrong: $_") for '', 'pause', 'pause=', 'stop=shop',
		'pause=shop&resume=shop', 'pause=shop&for=x', 'pause=shop&user=x',
		'pause=shop&x=y', 'purge=shop&statement=x', 'resume=shop&for=1s',
		'database=shop', 'pause=shop%00', 'pause=shop%0a', 'purge=shop&database=x',
		'pause=shop&tag=x', 'kill=shop&table=x',
		'purge=shop&tag=x&table=x', 'purge=shop&tag=x&statement=' . '1' x 16,
		'pause=shop&database=' . ('d' x 65), 'kill=shop&user=a&user=b',
		'pause=shop&for=1s&for=2s', 'purge=shop&tag=a&tag=b',
		'purge=shop&table=a&table=b';

	is(control('pause=nothing'), 404, 'an upstream that is not there');
	is(control('purge=nothing'), 404, 'a cache that is not there');

	is(shop()->{paused}, JSON::PP::false(), 'nothing is paused');

	# a name in another encoding, and one that would end a string

	my ($code, $r) = control('pause=shop&for=100ms&database=%fcb%22%c3%bc');

	is($code, 200, 'names of any bytes');
	is($r->{database}, "\x{fffd}b\"\xc3\xbc",
		"...are valid JSON all the same");

	ok(eval { wait_for(sub {
		!@{(control('', method => 'GET'))[1]{orders}};
	}) }, '...and end by themselves');

	control('purge=shop&tag=none');

	like($t->read_file('error.log'), qr/hyperdrive: purge "shop".* tag "none"/,
		'what was asked for is in the log');
}

# New transactions wait for as long as it takes; those that run are waited for.

sub paused {
	my $running = client();
	my $idle = client();
	my $before = client();

	$running->query('BEGIN');
	$running->query('SELECT 1');
	$idle->query('SELECT 1');

	my ($code, $r) = control('pause=shop');

	is($code, 200, 'pause');
	is($r->{paused}, JSON::PP::true(), 'holds');
	is($r->{done}, JSON::PP::false(), 'and one runs yet');
	is(shop()->{paused}, JSON::PP::true(), 'the status page');

	ok(asks($before, 'SELECT 41 + 1', 1), 'a new transaction waits');

	is($running->query('SELECT 2')->value(), 2, 'the one that runs goes on');
	is((control('pause=shop'))[1]{done}, JSON::PP::false(), 'and is there');
	is($running->query('COMMIT')->tag(), 'COMMIT', 'to its end');

	ok(done('pause=shop'), 'then all have ended');
	ok(eval { wait_for(sub { !backends() }) }, 'and no connection is left');

	is((control('', method => 'GET'))[1]{orders}[0]{upstream}, 'shop',
		'it is shown');

	# longer than "wait" of the pool

	my $other = client(port => 8081);
	is($other->query('SELECT pg_sleep(2.5)')->row()->[0], '',
		'another upstream goes on');
	is(shop()->{total}{wait_timeout}, 0, 'nobody waits in vain');

	# over a reload, and the death of a worker

	ok($t->reload(), 'a reload');
	is(shop()->{paused}, JSON::PP::true(), 'changes nothing');

	# who waits moves to a new worker

	ok(eval { wait_for(sub { $t->worker_pids(all => 1) == 2 }) },
		'old workers are gone');

	my $its = wait_for(sub {
		my $by = shop()->{by_worker};
		return (grep { $by->{$_}{waiting} } keys %$by)[0];
	});

	my $after = client();
	ok(asks($after, 'SELECT 42 + 1', 2), 'a client of the new workers waits');

	my @killed = grep { $_ != $its } $t->worker_pids();
	kill 'KILL', $killed[0];

	ok(eval { wait_for(sub {
		my @now = $t->worker_pids();
		@now == 2 && !grep { $_ == $killed[0] } @now;
	}) }, 'a worker dies, another comes');

	my $third = client();
	my $n = $after->wait_eof(0) ? 1 : 2;
	ok(asks($third, 'SELECT 43 + 1', $n + 1), 'and holds them as well');

	ok(eval { wait_for(sub { !backends() }) }, 'nobody has a connection');

	is(control('resume=shop'), 200, 'resume');

	is($before->result()->value(), 42, 'who has waited is answered');
	is($third->result()->value(), 44, 'by all workers');
	is(shop()->{paused}, JSON::PP::false(), 'it is over');
	is(control('resume=shop'), 200, 'and may be asked for again');

	$_->vanish() for $running, $idle, $before, $other, $after, $third;
}

# One database of several.

sub paused_database {
	my $stock = client(database => 'stock');
	my $shop = client();

	$stock->query('SELECT 1');

	ok(done('pause=shop&database=stock'), 'a database is paused');

	ok(asks($stock, 'SELECT 5', 1), 'its client waits');
	is($shop->query('SELECT 6')->value(), 6, 'and no other');
	is(shop()->{paused}, JSON::PP::false(), 'the upstream is not');

	is(control('resume=shop&database=stock'), 200, 'resume');
	is($stock->result()->value(), 5, 'it is answered');

	$_->close() for $stock, $shop;
}

# It may end by itself.

sub paused_long {
	my $c = client();

	is(control('pause=shop&for=100ms'), 200, 'a pause with an end');

	is($c->query('SELECT 7')->value(), 7, 'ends');
	is(shop()->{paused}, JSON::PP::false(), 'by itself');

	$c->close();
}

# The queue of those who wait is bounded by each worker.

sub bounded {
	$t->reload();

	my @c = map { client() } 1 .. 8;
	$_->query('SELECT 1') for @c;

	ok(done('pause=shop'), 'a pause');

	$_->send('Q', "SELECT 8\0")->flush_out() for @c;

	ok(eval { wait_for(sub { shop()->{total}{queue_full} >= 2 }) },
		'the queue is full');
	cmp_ok(shop()->{total}{waiting}, '<=', 6, 'at its bound');

	is(control('resume=shop'), 200, 'resume');

	my @r = map { my $r = $_->result(); $r->value() // $r->state() } @c;
	my $full = grep { $_ eq '53300' } @r;

	is(join(' ', sort @r), join(' ', ('53300') x $full, (8) x (8 - $full)),
		'others are refused, and none is lost');

	$_->close() for @c;
}

# Connections that were there are replaced, each as it becomes free.

sub reconnected {
	my @c = map { client() } 1 .. 3;

	$c[0]->query('BEGIN');
	my $busy = $c[0]->query('SELECT pg_backend_pid()')->value();
	$_->query('SELECT 1') for @c[1, 2];

	my %old = map { $_ => 1 } split /,/, $probe->query(
		"SELECT string_agg(pid::text, ',') FROM pg_stat_activity "
		. "WHERE usename = 'app'")->value();

	my ($code, $r) = control('reconnect=shop');

	is($code, 200, 'reconnect');
	cmp_ok($r->{old}, '>=', 0, 'how many are left');
	ok(eval { wait_for(sub {
		my ($o) = @{(control('', method => 'GET'))[1]{orders}};
		$o && $o->{old} == 1;
	}) }, 'those that were idle are closed');

	is($c[0]->query('SELECT pg_backend_pid()')->value(), $busy,
		'one in a transaction stays');
	$c[0]->query('COMMIT');

	ok(eval { wait_for(sub {
		!@{(control('', method => 'GET'))[1]{orders}};
	}) }, 'until its end');

	for my $c (@c) {
		ok(!$old{$c->query('SELECT pg_backend_pid()')->value()},
			'a new connection');
	}

	$_->close() for @c;
}

sub killed {
	my $app = client();
	my $stock = client(database => 'stock');
	my $user = client(user => 'other');
	my $other = client(port => 8081);

	$_->query('SELECT 1') for $app, $stock, $user, $other;

	is(control('kill=shop&user=other'), 200, 'clients of a user are killed');
	is($user->result()->state(), '57P01', 'which are told');
	ok($user->wait_eof(), 'and disconnected');

	is(control('kill=shop&database=stock'), 200, 'those of a database');
	is($stock->result()->state(), '57P01', 'too');

	is($app->query('SELECT 9')->value(), 9, 'and nobody else');

	is(control('kill=shop'), 200, 'all of an upstream');
	is($app->result()->state(), '57P01', 'are told');
	is($other->query('SELECT 10')->value(), 10, 'and nobody else');
	is(control('kill=shop'), 200, 'it may be asked for again');

	is(client()->query('SELECT 11')->value(), 11, 'who comes is served');

	$_->vanish() for $app, $stock, $user, $other;
}

# What they ask for ends, too.

sub killed_busy {
	my ($running, $block, $waits) = map { client(user => 'busy') } 1 .. 3;

	$block->query('BEGIN');
	$block->query("UPDATE things SET v = 'lost' WHERE id = 3");
	$waits->query('SELECT 1');

	$running->send('Q', "SELECT pg_sleep(60)\0")->flush_out();

	ok(eval { wait_for(sub { $probe->query(
		"SELECT count(*) FROM pg_stat_activity WHERE state = 'active' "
		. "AND query LIKE '%sleep(60)'")->value() == 1 }) }, 'a query runs');

	is(control('kill=shop&user=busy'), 200, 'its client is killed');

	# what it asked for may have happened

	is($running->result()->state(), '08006', 'and told');
	is($block->result()->state(), '57P01', 'so is one in a transaction');

	ok(eval { wait_for(sub { $probe->query(
		'SELECT count(*) FROM pg_stat_activity WHERE usename '
		. "= 'app' AND state <> 'idle'")->value() == 0 }) },
		'nothing runs on');
	is(client()->query('SELECT v FROM things WHERE id = 3')->value(),
		'thing 3', 'and nothing is committed');

	$_->vanish() for $running, $block, $waits;
}

sub hit {
	my ($c, $sql) = @_;

	my $before = $t->status()->{upstreams}{other}{total}{hits};
	$c->query($sql);
	return $t->status()->{upstreams}{other}{total}{hits} - $before;
}

sub purged {
	my $c = client(port => 8081);
	my $n = 0;

	# the catalog is read with the first client

	ok(eval { wait_for(sub {
		$c->query('SELECT v FROM things WHERE id = 4');
		$c->query('SELECT id FROM things WHERE id = 4');
		$n = $t->status()->{caches}{shop}{entries};
		$n >= 2;
	}) }, 'answers are kept');

	my ($code, $r) = control('purge=shop&statement=' . '1' x 16);

	is($code, 200, 'a statement that is not there is purged');
	is($r->{entries}, 0, 'which is nothing');

	my ($digest) = $t->read_file('queries.log') =~ /^(\w{16}) select id/m;
	($code, $r) = control("purge=shop&statement=$digest");

	is($r->{entries}, 1, 'one that is there');
	is($t->status()->{caches}{shop}{entries}, --$n, 'others stay');

	# by a tag that a policy has given

	$c->query('SELECT v FROM things WHERE id = 5 -- tagged');
	$c->query('SELECT v FROM things WHERE id = 6 -- tagged');
	is($t->status()->{caches}{shop}{entries}, $n + 2, 'two with a tag');

	($code, $r) = control('purge=shop&tag=nobody');
	is($r->{entries}, 0, 'a tag that nobody has');
	($code, $r) = control('purge=shop&tag=other');
	is($r->{entries}, 2, 'one of their tags');
	is($t->status()->{caches}{shop}{entries}, $n, 'others stay');

	# by a table, or a view of it, as if it had been written to

	$c->query('SELECT v FROM others WHERE id = 1');
	$c->query('SELECT v FROM seen WHERE id = 4');

	ok(hit($c, $_), "kept: $_") for
		'SELECT v FROM things WHERE id = 4',
		'SELECT v FROM seen WHERE id = 4',
		'SELECT v FROM others WHERE id = 1';

	($code, $r) = control('purge=shop&table=nothing');
	is($code, 200, 'a table that is not there');
	is($r->{tables}, 0, 'is none');
	is(control('purge=shop&table=things;others'), 200, 'two are none');
	($code, $r) = control('purge=shop&table=things&database=stock');
	is($r->{tables}, 0, 'nor is one of another database');

	for my $name ('things', 'public.things', 'seen', '%22things%22') {
		($code, $r) = control("purge=shop&table=$name&database=shop");

		is($r->{done}, JSON::PP::true(), "table $name is purged");

		# another worker may have to do it

		ok(wait_for(sub {
			!hit($c, 'SELECT v FROM things WHERE id = 4')
		}, 10), "$name: of which nothing is kept");
		ok(!hit($c, 'SELECT v FROM seen WHERE id = 4'),
			"$name: nor of a view of it");
		ok(hit($c, 'SELECT v FROM others WHERE id = 1'),
			"$name: others are");

		for my $sql ('SELECT v FROM things WHERE id = 4',
			'SELECT v FROM seen WHERE id = 4')
		{
			ok(wait_for(sub { hit($c, $sql) }, 10),
				"$name: and kept again: $sql");
		}
	}

	# of more tables than are told apart: all of the database

	my $last = 'SELECT v FROM many_70';

	ok(wait_for(sub { hit($c, $last) }, 10), 'kept: one of many tables');
	control('purge=shop&table=many');
	ok(wait_for(sub { !hit($c, $last) }, 10), 'which are purged');

	$n = $t->status()->{caches}{shop}{entries};

	($code, $r) = control('purge=shop');

	is($code, 200, 'all is purged');
	is($r->{entries}, $n, 'so much');
	is($t->status()->{caches}{shop}{entries}, 0, 'nothing is kept');

	$c->close();
}

# Nobody knows of a database when something of it is purged: it is done before
# the first answer that was kept would be given.

sub purged_unknown {
	my $db = $pg->client(database => "shop");
	my @sql = map { "SELECT v FROM $_ WHERE id = 7" } 'things', 'others';
	my $c = client(port => 8081);

	$db->query("INSERT INTO others VALUES (7, 'other 7')");

	for (@sql) {
		my $sql = $_;
		ok(wait_for(sub { hit($c, $sql) }, 10), "kept: $sql");
	}

	# the database says something else, which nobody is told

	$db->query("UPDATE $_ SET v = 'changed' WHERE id = 7")
		for 'things', 'others';

	$c->close();
	ok($t->reload(), 'workers that have read no catalog');

	is(control('purge=shop&table=things'), 200, 'a table is purged');

	$c = client(port => 8081);

	my @said = map { my $sql = $_; my $v; wait_for(sub {
		my $before = $t->status()->{upstreams}{other}{total}{hits};
		$v = $c->query($sql)->value();
		$t->status()->{upstreams}{other}{total}{hits} > $before
	}, 10); $v } @sql;

	is($said[0], 'changed', 'and of it nothing is answered that was kept');
	is($said[1], 'other 7', 'though of others it is');

	$c->close();
}

###############################################################################
