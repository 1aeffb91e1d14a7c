#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: rules without Lua: each condition and each action.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive;
use Test::Hyperdrive::Process qw(run_command);

###############################################################################

my $t = Test::Hyperdrive->new();

my $pg = $t->postgres(users => { app => 'pw' }, databases => [ 'shop' ],
	sql => { shop => <<'EOS' });

SET ROLE app;
CREATE TABLE things (id int PRIMARY KEY, v text);
INSERT INTO things SELECT g, 'thing ' || g FROM generate_series(1, 20) g;
CREATE TABLE prices AS SELECT * FROM things;
CREATE TABLE notes AS SELECT * FROM things;
CREATE SCHEMA audit;
CREATE TABLE audit.log AS SELECT * FROM things;

EOS

my $url = 'postgres://app:pw@127.0.0.1:' . $pg->port() . '?sslmode=disable';

$t->certificate('front');

$t->write_file('users.txt', qq{"app" "pw"\n"report" "pw"\n"boss" "pw"\n});

my $conf = $t->expand(<<"EOS");

%%TEST_GLOBALS%%

events {
}

%%TEST_STATUS%%

stream {
    hyperdrive_cache_zone  shop 8m;
    hyperdrive_users       users.txt;

    map \$server_port \$tenant {
        default  plain;
        %%PORT_8081%%  gold;
    }

    upstream shop {
        hyperdrive_origin  $url;
        hyperdrive_pool    max=4;
    }

    # one rule for each condition, with a state of its own

    hyperdrive_rule  ~ "FROM things WHERE id = 1\\b"
                     reject="by text" sqlstate=HV001;
    hyperdrive_rule  ~* "from THINGS where ID = 2\\b"
                     reject="in any case" sqlstate=HV002;
    hyperdrive_rule  ~ things ~ "id = 3\\b"
                     reject="by two patterns" sqlstate=HV003;
    hyperdrive_rule  kind=ddl reject="no DDL here" sqlstate=HV004;
    hyperdrive_rule  kind=read table=notes reject="by table";
    hyperdrive_rule  table=audit.log reject="by schema" sqlstate=HV006;
    hyperdrive_rule  writes=prices reject="not to be written" sqlstate=HV007;
    hyperdrive_rule  function=pg_sleep reject="no sleep" sqlstate=HV008;
    hyperdrive_rule  tag.route=/checkout reject="by tag" sqlstate=HV009;
    hyperdrive_rule  user=report ~ "id = 4\\b" reject="user" sqlstate=HV010;
    hyperdrive_rule  database=shop ~ "id = 5\\b" reject="database"
                     sqlstate=HV011;
    hyperdrive_rule  application=batch ~ "id = 6\\b" reject="application"
                     sqlstate=HV012;
    hyperdrive_rule  addr=127.0.0.0/8 ~ "id = 7\\b" reject="network"
                     sqlstate=HV013;
    hyperdrive_rule  addr=10.0.0.0/8 ~ "id = 8\\b" reject="other network"
                     sqlstate=HV014;
    hyperdrive_rule  tls=on ~ "id = 9\\b" reject="tls" sqlstate=HV015;
    hyperdrive_rule  tls=off ~ "id = 10\\b" reject="no tls" sqlstate=HV016;
    hyperdrive_rule  setting.app.tenant=red ~ "id = 11\\b" reject="setting"
                     sqlstate=HV017;
    hyperdrive_rule  var.tenant=gold ~ "id = 12\\b" reject="variable"
                     sqlstate=HV018;
    hyperdrive_rule  read_only=off table=things ~ "id = 13\\b"
                     reject="writes" sqlstate=HV019;
    hyperdrive_rule  digest=%%DIGEST%% reject="digest" sqlstate=HV020;

    # what is done; the first one counts

    hyperdrive_rule  ~ "id = 14\\b" cache=off;
    hyperdrive_rule  ~ "id = 14\\b" reject="not this one";
    hyperdrive_rule  ~ "id = 15\\b" max_age=1h key=one;
    hyperdrive_rule  ~ "id = 16\\b" tables=prices tags=some,others;
    hyperdrive_rule  ~ "id = 17\\b" tables=nowhere;
    hyperdrive_rule  ~ "id = 18\\b" cache=on;
    hyperdrive_rule  ~ "id = 19\\b" max_age=100ms;
    hyperdrive_rule  ~ "id = 20\\b" timeout=150ms;
    hyperdrive_rule  ~ "id = 21\\b" pin;
    hyperdrive_rule  ~ "id = 22\\b" default;
    hyperdrive_rule  ~ "id = 2\\d\\b" reject="behind default" sqlstate=HV021;
    hyperdrive_rule  ~ "^SELECT '(a+)+'\$" reject="costly";

    hyperdrive_policy_by_lua_block {
        if query.sql:find("id = 14", 1, true) then
            return { reject = "a rule has matched before" }
        end
    }

    server {
        listen               127.0.0.1:8080;
        hyperdrive_pass      shop;
        hyperdrive_cache     shop max_age=60s;
        ssl_certificate      front.crt;
        ssl_certificate_key  front.key;
    }

    server {
        listen            127.0.0.1:8081;
        hyperdrive_pass   shop;
        hyperdrive_cache  shop max_age=60s;
    }

    # its own ones, and none of those above

    server {
        listen            127.0.0.1:8082;
        hyperdrive_pass   shop;
        hyperdrive_cache  shop max_age=60s;
        hyperdrive_rule   table=prices max_age=5s;
        hyperdrive_rule   cache=off;
    }

    upstream one {
        hyperdrive_origin  $url;
        hyperdrive_pool    max=1;

        # who waits is a client
        hyperdrive_catalog  refresh=1h;
    }

    server {
        listen           127.0.0.1:8084;
        hyperdrive_pass  one;
        hyperdrive_rule  ~ urgent priority=10;
        hyperdrive_rule  ~ later priority=-10;
    }

    server {
        listen                    127.0.0.1:8083;
        hyperdrive_pass           shop;
        hyperdrive_session_state  reject;
        hyperdrive_rule           table=things pin;
    }
}

EOS

# the digest of a form, as the query log shows it

$conf =~ s/%%DIGEST%%/digest('select v from things where v = ? and id = ?')/e;

$t->write_file('nginx.conf', $conf)->run();

$_->close() for client();
$t->wait_catalog('shop');

###############################################################################

conditions();
refused();
cached();
timed();
pinned();
urgent();
others();

$t->done_testing();

###############################################################################

sub client {
	my ($port, %o) = @_;

	return pg_client(port($port || 8080), user => 'app', password => 'pw',
		database => 'shop', timeout => 10, %o);
}

sub total {
	my ($name) = @_;
	return $t->status()->{upstreams}{shop}{total}{$name};
}

sub counted { return $t->counted('shop', @_) }

# What psql says, over TLS or in clear.

sub psql {
	my ($sql, $mode) = @_;

	my ($status, $out) = run_command([ Test::Hyperdrive::Postgres::bin('psql'), '-X', '-A', '-t',
		'-c', $sql, 'host=127.0.0.1 port=' . port(8080)
			. " user=app password=pw dbname=shop sslmode=$mode" ]);

	return $out;
}

# FNV-1a of 64 bits

sub digest {
	my ($form) = @_;

	use integer;
	no warnings 'portable';

	my $hash = 0xcbf29ce484222325 + 0;

	for my $byte (unpack 'C*', $form) {
		$hash = ($hash ^ $byte) * 0x100000001b3;
	}

	return sprintf('%016x', $hash);
}

sub by_id {
	my ($id) = @_;
	return "SELECT v FROM things WHERE id = $id";
}

###############################################################################

sub conditions {
	my $c = client();
	my $report = client(undef, user => 'report');
	my $batch = client(undef, params => { application_name => 'batch' });
	my $gold = client(8081);

	my @cases = (
		'text' => $c, by_id(1), 'HV001',
		'text, not quite' => $c, by_id(100), '',
		'text, as it is written' => $c, lc(by_id(1)), '',
		'text, in any case' => $c, by_id(2), 'HV002',
		'two patterns' => $c, by_id(3), 'HV003',
		'one of two patterns' => $c,
			'SELECT v FROM prices WHERE id = 3', '',
		'kind' => $c, 'CREATE TABLE x (id int)', 'HV004',
		'kind, of several statements' => $c,
			'SELECT 1; DROP TABLE prices', 'HV004',
		'table' => $c, 'SELECT v FROM notes', '42501',
		'table, with its schema' => $c, 'SELECT v FROM public.notes',
			'42501',
		'table, in a subquery' => $c,
			'SELECT (SELECT max(v) FROM "notes") FROM prices',
			'42501',
		'table, and another kind' => $c, 'DELETE FROM notes', '',
		'schema' => $c, 'SELECT v FROM audit.log', 'HV006',
		'another schema' => $c, 'SELECT v FROM log', '42P01',
		'written' => $c, 'UPDATE prices SET v = v', 'HV007',
		'written, by a CTE' => $c, 'WITH x AS (DELETE FROM prices '
			. 'RETURNING v) SELECT * FROM x', 'HV007',
		'read' => $c, 'SELECT v FROM prices', '',
		'function' => $c, 'SELECT pg_sleep(0)', 'HV008',
		'function, with its schema' => $c,
			'SELECT 1 FROM prices, pg_catalog.PG_SLEEP (0)',
			'HV008',
		'function in a text' => $c, "SELECT 'pg_sleep(0)'", '',
		'tag' => $c, "SELECT v FROM prices /*a='b',"
			. "route='%2Fcheckout'*/", 'HV009',
		'another tag' => $c, "SELECT v FROM prices /*route='%2F'*/",
			'',
		'a tag in a text' => $c,
			"SELECT '/*route=''%2Fcheckout''*/'", '',
		'user' => $report, by_id(4), 'HV010',
		'another user' => $c, by_id(4), '',
		'database' => $c, by_id(5), 'HV011',
		'application' => $batch, by_id(6), 'HV012',
		'another application' => $c, by_id(6), '',
		'network' => $c, by_id(7), 'HV013',
		'another network' => $c, by_id(8), '',
		'not tls' => $c, by_id(9), '',
		'no tls' => $c, by_id(10), 'HV016',
		'setting, not set' => $c, by_id(11), '',
		'variable' => $gold, by_id(12), 'HV018',
		'another value' => $c, by_id(12), '',
		'read only' => $c, by_id(13), '',
		'not read only' => $c, 'UPDATE things SET v = v WHERE id = 13',
			'HV019',
		'digest' => $c,
			"SELECT v FROM things WHERE v = 'a' AND id = 30",
			'HV020',
		'a pattern that never ends' => $c,
			"SELECT '" . 'a' x 30 . "!'", '',
	);

	# each of them twice: decided, and found again

	for my $round (1, 2) {

		for (my $i = 0; $i < @cases; $i += 4) {
			my ($name, $client, $sql, $state)
				= @cases[$i .. $i + 3];

			is($client->query($sql)->state() // '', $state,
				"$name, time $round");
		}
	}

	like(psql(by_id(9), 'require'), qr/ERROR:  tls$/m, 'tls');
	like(psql(by_id(10), 'disable'), qr/ERROR:  no tls$/m, 'tls=off');
	like(psql(by_id(10), 'require'), qr/^thing 10$/m, 'tls, and off asked');

	$c->query("SET app.tenant = 'red'");
	is($c->query(by_id(11))->state(), 'HV017', 'setting, set');
	$c->query("SET app.tenant = 'blue'");
	is($c->query(by_id(11))->state() // '', '', 'setting, another value');
	$c->query("SET app.tenant = 'red'");
	is($c->extended(by_id(11))->state(), 'HV017', 'setting, set again');

	$c->query("SET application_name = 'batch'");
	is($c->query(by_id(6))->state(), 'HV012', 'application, set later');

	cmp_ok(total('policy_rejected'), '>', 40, 'all of it is counted');
	cmp_ok(total('policy_errors'), '>', 0,
		'...and a pattern without an end as an error');

	$t->allow_log(qr/could not be matched/);

	$_->close() for $c, $report, $batch, $gold;
}

# An error is made up only where it may be.

sub refused {
	my $c = client();
	my $r;

	$r = $c->query(by_id(1));
	is($r->error()->{M}, 'by text', 'the words');
	is($r->error()->{S}, 'ERROR', 'an error');
	is($c->status(), 'I', 'nothing has begun');

	# the extended protocol: what follows up to the Sync is skipped

	$r = $c->extended(by_id('$1 -- FROM things WHERE id = 1'), 5);
	is($r->types(), 'EZ', 'extended');

	is($c->prepare('one', by_id(1))->types(), '1tTZ', 'prepared');
	is($c->execute_prepared('one')->state(), 'HV001', 'not executed');
	is($c->query(by_id(100))->state() // '', '', 'the next one');

	# a block that no connection knows of yet fails

	$c->query('BEGIN');
	is($c->query(by_id(1))->state(), 'HV001', 'first in a block');
	is($c->status(), 'E', 'the block has failed');
	is($c->query(by_id(100))->state(), '25P02', '...for all of it');
	$c->query('ROLLBACK');
	is($c->status(), 'I', 'and is over');

	# several in one write: in order

	$c->parse('', 'SELECT 7')->bind('', '')->execute()->sync()
		->parse('', by_id(1))->bind('', '')->execute()->sync()
		->parse('', 'SELECT 8')->bind('', '')->execute()->sync();

	is(join(' ', map { $c->result()->types() } 1 .. 3), '12DCZ EZ 12DCZ',
		'between others');

	# amid a transaction only the database fails: the connection ends

	my $d = client(undef, quiet => 1);

	$d->query('BEGIN');
	$d->query('UPDATE things SET v = v WHERE id = 20');
	$d->send('Q', by_id(1) . "\0");
	is(($d->read_until('E'))[-1]{fields}{S}, 'FATAL', 'amid a transaction');
	ok($d->wait_eof(), '...it ends');


	# one of several in its group

	$d = client(undef, quiet => 1);
	$d->parse('', 'SELECT 7')->bind('', '')->execute()
		->parse('', by_id(1))->bind('', '')->execute()->sync();
	$d->flush_out();
	my ($m) = ($d->read_until('E'))[-1];
	is($m->{fields}{S}, 'FATAL', 'the second in its group');
	is($m->{fields}{C}, 'HV001', '...is why');
	ok($d->wait_eof(), '...it ends');

	# a client with a connection of its own, between transactions

	$d = client();
	$d->query('LISTEN here');
	is($d->query(by_id(1))->state(), 'HV001', 'with its own connection');
	is($d->query(by_id(100))->state() // '', '', '...which goes on');
	$d->query('UNLISTEN *');

	$_->close() for $c, $d;
}

sub cached {
	my $c = client();
	my $d = client();
	my $off = client(8082);

	is(counted(sub { $c->query(by_id(14)) for 1 .. 3 }), '0 0 0',
		'cache=off');
	is(counted(sub { $c->query(by_id(15)) for 1 .. 3 }), '2 1 1', 'key');

	# a table that the text does not name

	is(counted(sub { $c->query(by_id(16)) for 1 .. 3 }), '2 1 1',
		'tables, nothing has changed');
	is($d->query('DELETE FROM prices WHERE id = -1')->state(), 'HV007',
		'not written to');
	is(counted(sub { $c->query(by_id(16)) }), '1 0 0', '...a hit');
	$off->query('UPDATE prices SET v = v WHERE id = 1');
	is(counted(sub { $c->query(by_id(16)) for 1 .. 2 }), '1 1 1',
		'written to');
	is(counted(sub { $c->query(by_id(17)) for 1 .. 2 }), '0 0 0',
		'tables that nobody knows');

	# hints of the text

	my $hint = '/* hyperdrive: no-cache */ ';

	is(counted(sub { $c->query($hint . by_id(18)) for 1 .. 2 }), '1 1 1',
		'cache=on, whatever a hint says');
	is(counted(sub { $c->query($hint . by_id(15)) for 1 .. 2 }), '0 0 0',
		'a hint with max_age=');

	# kept by one server for long, and looked at by another

	is(counted(sub { $c->query('SELECT v FROM prices WHERE id = 2') }),
		'0 1 1', 'kept for a minute');
	is(counted(sub { $off->query('SELECT v FROM prices WHERE id = 2') }),
		'1 0 0', 'a hit for who takes five seconds');
	is(counted(sub { $off->query(by_id(100)) for 1 .. 2 }), '0 0 0',
		'only what is named is kept');

	# (two within a tenth of a second, sooner or later)

	ok(eval { wait_for(sub {
		counted(sub { $c->query(by_id(19)) for 1 .. 2 }) eq '1 1 1';
	}) }, 'max_age');
	my $until = time() + 30;
	my $counted = '';
	while ($counted !~ /^0 1/ && time() < $until) {
		$counted = counted(sub { $c->query(by_id(19)) });
	}
	is($counted, '0 1 1', 'and after it');

	$_->close() for $c, $d, $off;
}

sub timed {
	my $c = client();
	my $slow = 'SELECT count(*) FROM generate_series(1, 100000000) '
		. 'WHERE ';

	my $r = $c->query("$slow 20 = 20 -- id = 20");
	is($r->state(), '57014', 'timeout');
	is($r->error()->{M}, 'canceling statement due to statement timeout',
		'in the words of a time-out');
	# (as soon as it takes no longer than that)

	is(eval { wait_for(sub { $c->query('SELECT 1 -- id = 20')->value() }) },
		1, 'in time');
	is($c->query('SELECT pg_sleep_for(\'300ms\') IS NULL')->value(), 'f',
		'others have all the time');

	# in a block, and behind others in one write

	$c->query('BEGIN');
	is($c->query('SELECT 1')->value(), 1, 'in a block');
	is($c->query("$slow 20 = 20 -- id = 20")->state(), '57014',
		'...in time');
	$c->query('ROLLBACK');

	$c->parse('', "SELECT pg_sleep_for('300ms') IS NULL")->bind('', '')
		->execute()->sync()
		->parse('', "$slow 20 = 20 -- id = 20")->bind('', '')->execute()
		->sync()
		->parse('', "SELECT pg_sleep_for('300ms') IS NULL")->bind('', '')
		->execute()->sync();

	is(join(' ', map { $c->result()->state() || 'ok' } 1 .. 3),
		'ok 57014 ok', 'each one its own');

	$c->close();
}

sub pinned {
	my $c = client();
	my $pid = sub { $c->query('SELECT pg_backend_pid()')->value() };

	my $pins = sub {
		return $t->status()->{upstreams}{shop}{total}{pins}{policy};
	};

	is($pins->(), 0, 'no pin');
	is($c->query('SELECT v FROM things WHERE id = 21')->state() // '', '',
		'pin');
	is($pins->(), 1, 'counted');

	my $one = $pid->();

	my @others = map { client() } 1 .. 3;
	$_->query('SELECT 1') for @others;

	is($pid->(), $one, 'the same connection');
	$c->query('DISCARD ALL');
	ok(eval { wait_for(sub { !$pins->() }) }, 'until DISCARD ALL');

	# not for what a client may leave, but for the operator's wish

	my $d = client(8083);

	is($d->query('LISTEN x')->state(), '0A000', 'reject');
	is($d->query('SELECT v FROM things')->state() // '', '', 'pin');
	is($pins->(), 1, 'counted');
	is($d->query('LISTEN x')->state(), '0A000', 'reject, with a pin');
	$d->close();

	is($c->query(by_id(22))->state() // '', '', 'default');
	is($c->query(by_id(23))->state(), 'HV021', '...is one that matches');

	$_->close() for $c, @others;
}

# In the queue, by priority.

sub urgent {
	my $waiting = sub {
		return $t->status()->{upstreams}{one}{total}{waiting};
	};

	my @clients = map { client(8084) } 1 .. 4;
	my @texts = ('first', 'later', 'plain', 'urgent');

	$t->wait_catalog('one');

	# who holds the only connection

	$clients[0]->query('BEGIN');
	$clients[0]->query('LOCK TABLE prices');

	for my $i (1 .. 3) {
		$clients[$i]->parse('', "SELECT clock_timestamp() "
			. "-- $texts[$i]")->bind('', '')->execute()->sync()
			->flush_out();

		wait_for(sub { $waiting->() >= $i }, 10, "$i that wait");
	}

	is($waiting->(), 3, 'three wait');
	$clients[0]->query('COMMIT');

	my %at = map { $texts[$_] => $clients[$_]->result()->value() } 1 .. 3;

	is(join(' ', sort { $at{$a} cmp $at{$b} } keys %at),
		'urgent plain later', 'served by priority');

	$_->close() for @clients;
}

# Lua is not asked where a rule has matched.

sub others {
	my $c = client();

	my $runs = total('policy_runs');
	$c->query(by_id(14)) for 1 .. 3;
	is(total('policy_runs'), $runs, 'a rule comes first');
	$c->query('SELECT 4711');
	is(total('policy_runs'), $runs + 1, 'else Lua is asked');
	$c->query('SELECT 4711') for 1 .. 3;
	is(total('policy_runs'), $runs + 1, '...once');

	$c->close();
}

###############################################################################
