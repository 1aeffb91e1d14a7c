#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: policies, by rules and in Lua, of MySQL's statements.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive;
use Test::Hyperdrive::MySQL;
use Test::Hyperdrive::Process qw(wait_for);

###############################################################################

my $t = Test::Hyperdrive->new();

$t->write_file('users.txt', qq{"app" "secret"\n"report" "secret"\n});

$t->write_file_expand('nginx.conf', <<'EOS');

%%TEST_GLOBALS%%

events {
}

%%TEST_STATUS%%

stream {
    hyperdrive_cache_zone  shop 8m;
    hyperdrive_users       users.txt;

    map $server_port $tenant {
        default  plain;
        %%PORT_8083%%  gold;
    }

    upstream shop {
        hyperdrive_origin  mysql://app:secret@127.0.0.1:8090/shop?ssl-mode=DISABLED;
        hyperdrive_pool    max=6;
    }

    upstream other {
        hyperdrive_origin  mysql://app:secret@127.0.0.1:8091/shop?ssl-mode=DISABLED;
        hyperdrive_pool    max=4;
    }

    upstream one {
        hyperdrive_origin  mysql://app:secret@127.0.0.1:8090/shop?ssl-mode=DISABLED;
        hyperdrive_pool    max=1;

        # who waits is a client
        hyperdrive_catalog  refresh=1h;
    }

    # rules

    server {
        listen            127.0.0.1:8080;
        hyperdrive_pass   shop;
        hyperdrive_cache  shop max_age=60s;

        hyperdrive_rule  ~ "id = 1\b" reject="by text";
        hyperdrive_rule  kind=ddl reject="no DDL" sqlstate=HV004;
        hyperdrive_rule  kind=write table=notes reject="kind and table"
                         sqlstate=25006;
        hyperdrive_rule  table=audit.log reject="by schema" sqlstate=28000;
        hyperdrive_rule  writes=prices reject="not to be written"
                         sqlstate=45000;
        hyperdrive_rule  function=sleep reject="no sleep" sqlstate=57014;
        hyperdrive_rule  tag.route=/checkout reject="by tag" sqlstate=HV009;
        hyperdrive_rule  user=report ~ "id = 4\b" reject="user" sqlstate=HV010;
        hyperdrive_rule  database=audit ~ "id = 5\b" reject="database"
                         sqlstate=HV011;
        hyperdrive_rule  setting.sql_select_limit=7 ~ "id = 6\b"
                         reject="setting" sqlstate=HV012;
        hyperdrive_rule  read_only=off ~ "id = 7\b" reject="writes"
                         sqlstate=HV013;
        hyperdrive_rule  var.tenant=gold ~ "id = 8\b" reject="variable"
                         sqlstate=HV014;

        hyperdrive_rule  ~ "id = 10\b" cache=off;
        hyperdrive_rule  ~ "id = 11\b" tables=prices tags=some;
        hyperdrive_rule  ~ "id = 12\b" max_age=1h key=one;
        hyperdrive_rule  table=seq_1_to_99999 timeout=150ms;
        hyperdrive_rule  ~ "id = 13\b" pin;
        hyperdrive_rule  table=reports upstream=other;
    }

    server {
        listen            127.0.0.1:8083;
        hyperdrive_pass   shop;
        hyperdrive_rule   var.tenant=gold ~ "id = 8\b" reject="variable"
                          sqlstate=HV014;
    }

    upstream each {
        hyperdrive_origin  mysql://127.0.0.1:8090/shop?ssl-mode=DISABLED;
    }

    upstream each_other {
        hyperdrive_origin  mysql://127.0.0.1:8091/shop?ssl-mode=DISABLED;
    }

    server {
        listen           127.0.0.1:8085;
        hyperdrive_pass  each;
        hyperdrive_rule  ~ there upstream=each_other;
    }

    # copies

    server {
        listen            127.0.0.1:8081;
        hyperdrive_pass   shop;
        hyperdrive_cache  shop max_age=60s;
        hyperdrive_rule   table=things mirror=other;
    }

    server {
        listen           127.0.0.1:8082;
        hyperdrive_pass  one;
        hyperdrive_rule  ~ urgent priority=10;
        hyperdrive_rule  ~ later priority=-10;
    }

    # Lua

    server {
        listen            127.0.0.1:8084;
        hyperdrive_pass   shop;
        hyperdrive_cache  shop max_age=60s;

        hyperdrive_policy_by_lua_block {
            if query.tables.notes then
                return { params = true }
            end

            if query.tags.show then
                return { reject = query.kind .. " " .. query.normalized
                                  .. " " .. tostring(query.tables.prices)
                                  .. " " .. tostring(query.functions.upper)
                                  .. " " .. tostring(query.read_only)
                                  .. " " .. (query.reason or "none")
                                  .. " " .. client.user .. " "
                                  .. client.database .. " "
                                  .. tostring(client.tls) .. " "
                                  .. upstream .. " "
                                  .. tostring(client.settings.sql_mode) }
            end

            if query.tags.fails then
                error("on purpose")
            end

            if query.tags.cold then
                return { cache = false }
            end
        }

        hyperdrive_params_by_lua_block {
            local said = {}

            for i = 1, params.n do
                said[i] = params[i] or "NULL"
            end

            if said[1] == "cold" then
                return { cache = false }
            end

            if said[1] == "limited" then
                return { timeout = 0.15 }
            end

            if said[1] ~= "pass" then
                return { reject = params.n .. ": " .. table.concat(said, "|") }
            end
        }
    }
}

EOS

my $sql = <<'EOS';
CREATE TABLE things (id INT PRIMARY KEY, v VARCHAR(100));
INSERT INTO things SELECT seq, CONCAT('thing ', seq) FROM seq_1_to_20;
CREATE TABLE prices AS SELECT * FROM things;
CREATE TABLE notes AS SELECT * FROM things;
CREATE TABLE reports AS SELECT * FROM things;
EOS

my $db = $t->mariadb(port => port(8090), users => { app => 'secret',
	report => 'secret' }, databases => [ 'shop', 'audit' ], sql => { shop => $sql, audit =>
	"CREATE TABLE log (id INT PRIMARY KEY); CREATE TABLE things (id INT)" });
my $other = $t->mariadb(port => port(8091), users => { app => 'secret',
	report => 'secret' }, databases => [ 'shop' ], sql => { shop => $sql });

$db->sql("UPDATE reports SET v = 'here'", db => 'shop');
$other->sql("UPDATE reports SET v = 'there'", db => 'shop');

$t->run();

client()->close();
$t->wait_catalog('shop');
$t->wait_catalog('other');

###############################################################################

rejected();
cached();
timed();
pinned();
routed();
mirrored();
urgent();
lua();
params();

$t->done_testing();

###############################################################################

sub client {
	my ($port, %o) = @_;

	return mysql_client(port($port || 8080), user => 'app',
		password => 'secret', database => 'shop', %o);
}

sub total {
	my ($name, $upstream) = @_;
	return $t->status()->{upstreams}{$upstream || 'shop'}{total}{$name};
}

# An error as "code state words", '' if there is none.

sub error {
	my ($r) = @_;

	my $e = $r->{error} or return '';

	return "$e->{code} $e->{state} $e->{message}";
}

# Asked for twice: hits, misses, stored.

sub counted {
	my ($code) = @_;
	return $t->counted('shop', sub { $code->() for 1, 2 });
}

sub by_id {
	my ($id) = @_;
	return "SELECT v FROM things WHERE id = $id";
}

sub rejected {
	my $c = client();
	my $report = client(undef, user => 'report');
	my $audit = client(undef, database => 'audit');
	my $gold = client(8083);

	my @cases = (
		'text' => $c, by_id(1), '1142 42000 by text',
		'text, not quite' => $c, by_id(100), '',
		'kind' => $c, 'CREATE TABLE x (id INT)', '1644 HV004 no DDL',
		'kind and table' => $c, 'UPDATE notes SET v = v',
			'1792 25006 kind and table',
		'table, and another kind' => $c, 'SELECT v FROM notes', '',
		'schema' => $c, 'SELECT id FROM `audit`.`log`',
			'1045 28000 by schema',
		'written' => $c, 'REPLACE INTO prices VALUES (1, 1)',
			'1644 45000 not to be written',
		'written, of two tables' => $c, 'UPDATE things, prices SET '
			. 'prices.v = 1 WHERE prices.id = things.id',
			'1644 45000 not to be written',
		'read' => $c, 'SELECT v FROM prices', '',
		'function' => $c, 'SELECT SLEEP(0)', '1317 70100 no sleep',
		'function in a text' => $c, 'SELECT "SLEEP(0)"', '',
		'tag' => $c, "SELECT v FROM prices /*route='%2Fcheckout'*/",
			'1644 HV009 by tag',
		'user' => $report, by_id(4), '1644 HV010 user',
		'another user' => $c, by_id(4), '',
		'database' => $audit, by_id(5) =~ s/v/id/r,
			'1644 HV011 database',
		'another database' => $c, by_id(5), '',
		'setting, not set' => $c, by_id(6), '',
		'read only' => $c, by_id(7), '',
		'not read only' => $c, 'UPDATE things SET v = v WHERE id = 7',
			'1644 HV013 writes',
		'variable' => $gold, by_id(8), '1644 HV014 variable',
		'another value' => $c, by_id(8), '',
	);

	# decided, and found again

	for my $round (1, 2) {

		for (my $i = 0; $i < @cases; $i += 4) {
			my ($name, $client, $text, $expected)
				= @cases[$i .. $i + 3];

			is(error($client->query($text)), $expected,
				"$name, time $round");
		}
	}

	$c->query('SET sql_select_limit = 7');
	is(error($c->query(by_id(6))), '1644 HV012 setting', 'setting, set');
	$c->query('SET sql_select_limit = DEFAULT');
	is(error($c->query(by_id(6))), '', '...and not any more');

	# prepared

	my $st = $c->prepare('UPDATE prices SET v = ? WHERE id = ?');
	ok(!$st->{error}, 'it may be prepared');
	is(error($c->execute($st, 'x', 1)), '1644 45000 not to be written',
		'...and not executed');
	is($c->value(by_id(2)), 'thing 2', 'the client goes on');

	# amid a transaction

	is(error($c->query('BEGIN')), '', 'a transaction');
	is(error($c->query(by_id(1))), '1142 42000 by text',
		'...in which nothing was sent');
	is(error($c->query('UPDATE things SET v = 1 WHERE id = 3')), '',
		'...and in which there was')
		if !$c->ended();

	$_->close() for $report, $audit, $gold;

	# (a connection that has ended has rolled back)
	$c->close();
	is($db->sql('SELECT v FROM things WHERE id = 3', db => 'shop'),
		'thing 3', 'nothing is committed');
}

sub cached {
	my $c = client();

	is(counted(sub { $c->query(by_id(9)) }), '1 1 1', 'kept');
	is(counted(sub { $c->query(by_id(10)) }), '0 0 0', 'cache=off');
	is(counted(sub { $c->query(by_id(11)) }), '1 1 1', 'tables=');

	is(error(client(8084)->query("UPDATE prices SET v = '5' WHERE id = 5")),
		'', 'a write to the other table');
	is(counted(sub { $c->query(by_id(11)) }), '1 1 1', '...ends it');
	is(counted(sub { $c->query(by_id(9)) }), '2 0 0', '...and no other');
	is(counted(sub { $c->query(by_id(12)) }), '1 1 1', 'key=');
	$c->close();
}

sub timed {
	my $c = client();

	like(error($c->query('SELECT COUNT(*) FROM seq_1_to_99999 a, '
		. 'seq_1_to_99999 b WHERE a.seq + b.seq < 0')), qr/^1317 70100/,
		'timeout=');
	is($c->value(by_id(3)), 'thing 3', 'the client goes on');
	$c->close();
}

sub pinned {
	my $c = client();
	my $d = client();

	my $before = total('pins')->{policy};

	$c->query(by_id(13));
	my $id = $c->value('SELECT CONNECTION_ID()');

	is(total('pins')->{policy} - $before, 1, 'pin');
	isnt($d->value('SELECT CONNECTION_ID()'), $id,
		'its connection is not another client\'s');
	is($c->value('SELECT CONNECTION_ID()'), $id, '...and is kept');
	$_->close() for $c, $d;
}

sub routed {
	my $c = client();

	is($c->value('SELECT v FROM reports WHERE id = 20'), 'there',
		'upstream=');

	my $st = $c->prepare('SELECT v FROM reports WHERE id = ?');
	is($c->execute($st, 2)->{rows}[0][0], 'there', '...prepared');

	is(error($c->query("UPDATE reports SET v = 'new' WHERE id = 3")), '',
		'...a write');
	is($other->sql('SELECT v FROM reports WHERE id = 3', db => 'shop'),
		'new', '...which is there');
	is($db->sql('SELECT v FROM reports WHERE id = 3', db => 'shop'),
		'here', '...and not here');
	is($c->value('SELECT v FROM reports WHERE id = 3'), 'new',
		'...and is seen');
	is($c->value(by_id(4)), 'thing 4', 'another table');

	# a block is where its first statement goes

	is(error($c->query($_)), '', $_) for 'BEGIN', 'UPDATE reports '
		. "SET v = 'block' WHERE id = 6", "UPDATE things SET v = "
		. "'block' WHERE id = 6", 'COMMIT';

	for my $table ('reports', 'things') {
		is(join(' ', map { $_->sql("SELECT v FROM $table WHERE id = 6",
			db => 'shop') } $db, $other), $table eq 'reports'
			? 'here block' : 'thing 6 block',
			"...$table: is where its first statement goes");
	}

	# who becomes another one while he is there has left nothing of himself

	$c->value('SELECT v FROM reports WHERE id = 20');
	ok($c->change_user(database => 'audit'), 'another database, from there');
	is($c->value('SELECT v FROM reports WHERE id = 20'), 'there',
		'...which he may come back to');
	is($c->value('SELECT DATABASE()'), 'audit', '...is his');
	$c->close();

	$c = client(8085);
	is($c->value('SELECT USER() AS there') =~ s/@.*//r, 'app', 'a user');
	ok($c->change_user(user => 'report'), 'another user, from there');
	is($c->value('SELECT USER() AS there') =~ s/@.*//r, 'report',
		'...is this one there');
	is($c->value('SELECT USER() AS here') =~ s/@.*//r, 'report',
		'...and here');

	$c->close();
}

sub mirrored {
	my $c = client(8081);

	my ($copies, $dropped) = (total('mirrored'), total('mirror_dropped'));

	is(error($c->query("UPDATE things SET v = 'both' WHERE id = 5")), '',
		'a write');

	wait_for(sub { $other->sql('SELECT v FROM things WHERE id = 5',
		db => 'shop') eq 'both' }, 20, 'the copy of a write');
	pass('mirror=: a write is copied');

	my $st = $c->prepare('UPDATE things SET v = ? WHERE id = ?');
	is(error($c->execute($st, 'prepared', 6)), '', 'a prepared one');

	wait_for(sub { $other->sql('SELECT v FROM things WHERE id = 6',
		db => 'shop') eq 'prepared' }, 20, 'the copy of a write');
	pass('...is copied with its values');

	# (the database has it before its answer is here)

	wait_for(sub { total('mirrored') - $copies
		+ total('mirror_dropped') - $dropped == 2 }, 20, 'the count');
	pass('they are counted');
	$c->close();
}

# One connection, which is in use: who comes next?

sub urgent {
	my $holder = client(8082);
	my $first = client(8082);
	my $second = client(8082);

	$t->wait_catalog('one');
	$holder->query('BEGIN');
	$holder->query('SELECT v FROM things WHERE id = 1 FOR UPDATE');

	my $insert = 'INSERT INTO things SELECT MAX(id) + 1, "%s" FROM things';

	$first->command('QUERY', sprintf($insert, 'later'));
	wait_for(sub { $t->status()->{upstreams}{one}{total}{waiting} == 1 },
		20, 'one that waits');
	$second->command('QUERY', sprintf($insert, 'urgent'));
	wait_for(sub { $t->status()->{upstreams}{one}{total}{waiting} == 2 },
		20, 'two that wait');

	$holder->query('COMMIT');

	is(error($_->read_result()), '', 'it runs') for $second, $first;

	is(join(' ', $db->sql('SELECT v FROM things WHERE id > 20 ORDER BY id',
		db => 'shop')), 'urgent later', 'priority=');

	$_->close() for $holder, $first, $second;
}

sub lua {
	my $c = client(8084);

	is(error($c->query("SELECT UPPER(v) FROM prices WHERE id = 3 "
		. "/*show='1'*/")), '1142 42000 read select upper(v) from '
		. 'prices where id = ? read true true none app shop false '
		. 'shop nil', 'what Lua sees');

	$c->query("SET sql_mode = 'ANSI'");
	is(error($c->query("SELECT SLEEP(0), \"v\" FROM prices "
		. "/*show='1'*/")), '1142 42000 read select sleep(?), ? from '
		. "prices read nil true volatile app shop false shop 'ANSI'",
		'...of another one');
	$c->query('SET sql_mode = DEFAULT');

	my $errors = total('policy_errors');

	is(counted(sub { $c->query(by_id(14) . " /*fails='1'*/") }), '1 1 1',
		'an error in Lua');
	cmp_ok(total('policy_errors'), '>', $errors, '...is counted');
	is(counted(sub { $c->query(by_id(15) . " /*cold='1'*/") }), '0 0 0',
		'cache = false');
	$c->close();
}

# A body of COM_STMT_EXECUTE whose values have types of their own.

sub typed {
	my ($st, @values) = @_;

	my $n = @values / 2;
	my $nulls = "\0" x int(($n + 7) / 8);
	my ($types, $data) = ('', '');

	for my $i (0 .. $n - 1) {
		my ($type, $bytes) = @values[2 * $i, 2 * $i + 1];

		vec($nulls, $i, 1) = 1 unless defined $bytes;
		$types .= pack('v', $type);
		$data .= $bytes // '';
	}

	return pack('V C V', $st->{id}, 0, 1) . $nulls . "\1$types$data";
}

sub params {
	my $c = client(8084);
	my $st = $c->prepare('SELECT v FROM notes WHERE v = ? OR v = ?');

	is(error($c->execute($st, 'one', undef)), '1142 42000 2: one|NULL',
		'params: texts and NULL');

	$c->command('STMT_EXECUTE', typed($st, 3, pack('l<', -7),
		12, pack('C v C5', 7, 2026, 1, 2, 3, 4, 5)));
	is(error($c->read_results(1)), '1142 42000 2: -7|2026-01-02 03:04:05',
		'...a number and a date');

	# the types are not said again

	$c->command('STMT_EXECUTE', pack('V C V', $st->{id}, 0, 1)
		. "\2\0" . pack('l<', 12));
	is(error($c->read_results(1)), '1142 42000 2: 12|NULL',
		'...whose types are known');

	is(counted(sub { $c->execute($st, 'pass', 'thing 3') }), '1 1 1',
		'values that are cached');
	is(counted(sub { $c->execute($st, 'cold', 'thing 3') }), '0 0 0',
		'...and others that are not');

	# a write, which is no question

	$st = $c->prepare('UPDATE notes SET v = ? WHERE id = ?');
	is(error($c->execute($st, 'no', 1)), '1142 42000 2: no|1', 'a write');
	is(error($c->execute($st, 'pass', 1)), '', '...and one that may run');
	is($db->sql('SELECT v FROM notes WHERE id = 1', db => 'shop'), 'pass',
		'...has run');

	$st = $c->prepare('SELECT COUNT(*) FROM notes, seq_1_to_99999 a, '
		. 'seq_1_to_99999 b WHERE a.seq + b.seq < 0 AND notes.v <> ?');
	like(error($c->execute($st, 'limited')), qr/^1317 70100/,
		'timeout of one execution');

	# a value that was sent ahead: nobody knows which is whose

	$st = $c->prepare('UPDATE notes SET v = ? WHERE id = ?');
	$c->query('BEGIN');
	$c->query('SELECT v FROM things WHERE id = 9');
	$c->command('STMT_LONG_DATA', pack('V v', $st->{id}, 0) . 'pass');
	$c->command('STMT_EXECUTE', typed($st, 252, '', 253, "\1" . '2'));
	is(error($c->read_results(1)), '1142 42000 0: ',
		'long data: no values are seen');
	$c->close();

	# in clear, by query: no parameters

	$c = client(8084);
	is(error($c->query('SELECT v FROM notes WHERE id = 7')),
		'1142 42000 0: ', 'a text has none');
	$c->close();
}

###############################################################################
