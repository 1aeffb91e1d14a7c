#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: policies in Lua: what they see, what comes of what they
# return, how often they run, and what becomes of their errors.

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
	sql => { shop => <<'EOS' });

SET ROLE app;
CREATE TABLE things (id int PRIMARY KEY, v text);
INSERT INTO things SELECT g, 'thing ' || g FROM generate_series(1, 20) g;
CREATE TABLE prices AS SELECT * FROM things;
CREATE FUNCTION touch() RETURNS int LANGUAGE plpgsql AS
    'BEGIN UPDATE prices SET v = v; RETURN 1; END';

EOS

my $url = 'postgres://app:pw@127.0.0.1:' . $pg->port() . '?sslmode=disable';

$t->write_file('users.txt', qq{"app" "pw"\n"report" "pw"\n});

$t->write_file('policy.lua', <<'EOS');
-- a policy of a file; }}} "

return { reject = "from a file" }
EOS

my $conf = $t->expand(<<"EOS");

%%TEST_GLOBALS%%

events {
}

%%TEST_STATUS%%

stream {
    hyperdrive_cache_zone  shop 8m;
    hyperdrive_users       users.txt;
    hyperdrive_policy_dict 64k;

    hyperdrive_policy_limits instructions=50000 memory=1m;

    upstream shop {
        hyperdrive_origin  $url;
        hyperdrive_pool    max=4;
    }

    # says what it sees

    server {
        listen            127.0.0.1:8080;
        hyperdrive_pass   shop;
        hyperdrive_cache  shop max_age=60s;

        hyperdrive_policy_by_lua_block {
            local what = query.tags.see

            if not what then return end

            local see = {
                kind = function () return query.kind end,
                digest = function () return query.digest end,
                normalized = function () return query.normalized end,
                tables = function ()
                    local names = {}
                    for name, use in pairs(query.tables) do
                        names[#names + 1] = name .. "=" .. use
                    end
                    table.sort(names)
                    return table.concat(names, " ")
                end,
                functions = function ()
                    return tostring(query.functions.touch)
                end,
                read_only = function () return tostring(query.read_only) end,
                reason = function () return tostring(query.reason) end,
                user = function () return client.user end,
                database = function () return client.database end,
                application = function ()
                    return tostring(client.application_name)
                end,
                addr = function () return client.addr end,
                tls = function () return tostring(client.tls) end,
                setting = function ()
                    return tostring(client.settings["app.tenant"])
                end,
                path = function ()
                    return tostring(client.settings.search_path)
                end,
                upstream = function () return upstream end,
                variable = function ()
                    return tostring(var.server_port) .. " "
                           .. tostring(var.no_such_variable)
                end,
                time = function ()
                    return tostring(time.now > 1e9 and time.hour < 24
                                    and time.year > 2000
                                    and time.weekday >= 1)
                end,
                params = function () return tostring(params.n) end,
            }

            return { reject = see[what]() }
        }
    }

    # does what a tag says; braces and quotes as they come: } { " '

    server {
        listen            127.0.0.1:8081;
        hyperdrive_pass   shop;
        hyperdrive_cache  shop max_age=60s;

        hyperdrive_policy_by_lua_block {
            -- } a comment's brace, and a quote's "
            --[[ } a long one's ]] local brace, other = "}", '{\\'}'
            local long = [==[ } ]] " ]==]

            local act = query.tags.act

            if act == "off" then return { cache = false } end
            if act == "on" then return { cache = true } end
            if act == "age" then return { cache = { max_age = 0.1 } } end
            if act == "never" then return { cache = { max_age = 0 } } end
            if act == "key" then
                return { cache = { key = client.settings["app.tenant"] } }
            end
            if act == "tables" then
                return { cache = { tables = { "prices" } } }
            end
            if act == "user" then
                return { cache = { max_age = #client.user } }
            end
            if act == "reject" then return { reject = true } end
            if act == "words" then
                return { reject = { message = "in words", sqlstate = "HV00L" } }
            end
            if act == "timeout" then return { timeout = 0.15 } end
            if act == "pin" then return { pin = true } end
            if act == "time" then
                return { reject = "at " .. tostring(time.now) }
            end
            if act == "keep" then
                return { reject = tostring(dict.incr("keep")), keep = 3600 }
            end
            if act == "dict" then
                return { reject = tostring(dict.incr("dict")) }
            end
            if act == "limit" then
                if dict.incr("limit:" .. client.user, 1, 60) > 3 then
                    return { reject = "too many" }
                end
                return
            end
            if act == "log" then log("seen:\\n" .. query.kind) return end
            if act == "many" then
                for i = 1, 40 do local x = var["v" .. i] end
                return { reject = "many" }
            end
            if act == "param" then return { params = true } end
        }

        hyperdrive_params_by_lua_block {
            if params[1] == "0" then return { reject = "no zero" } end
            if params[1] == nil then
                return { reject = "null", sqlstate = "HV00P" }
            end
            if params[1] == "\\0\\0\\0\\7" then return { reject = "seven" } end
            if params[1] == "9" then return { cache = false } end
            if params[1] == "error" then error("in params") end
        }
    }

    # goes wrong

    server {
        listen            127.0.0.1:8082;
        hyperdrive_pass   shop;
        hyperdrive_cache  shop max_age=60s;

        hyperdrive_policy_by_lua_block {
            local wrong = query.tags.wrong

            if wrong == "error" then error("on purpose") end
            if wrong == "nil" then return query.tags.x.y end
            if wrong == "loop" then while true do pcall(error) end end
            if wrong == "memory" then return { reject = ("x"):rep(1e9) } end
            if wrong == "pattern" then
                return ("a"):rep(400):find(".-.-.-.-.-b")
            end
            if wrong == "key" then return { cahce = false } end
            if wrong == "type" then return { cache = "off" } end
            if wrong == "upstream" then return { upstream = "nowhere" } end
        }
    }

    server {
        listen                         127.0.0.1:8083;
        hyperdrive_pass                shop;
        hyperdrive_policy_by_lua_file  policy.lua;
    }
}

EOS

$t->write_file('nginx.conf', $conf)->run();

$_->close() for client();
$t->wait_catalog('shop');

###############################################################################

sees();
does();
params();
runs();
wrong();
reloaded();

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

sub ran {
	my ($code) = @_;

	my $before = total('policy_runs');
	$code->();

	return total('policy_runs') - $before;
}

sub says {
	my ($c, $sql) = @_;

	my $r = $c->query($sql);
	return $r->state() ? $r->error()->{M} : 'nothing';
}

sub act {
	my ($act, $more) = @_;
	return 'SELECT v FROM things WHERE id = 1' . ($more // '')
		. " /*act='$act'*/";
}

###############################################################################

sub sees {
	my $c = client();
	my $report = client(undef, user => 'report',
		params => { application_name => 'batch',
			'app.tenant' => 'red' });

	my @cases = (
		kind => 'SELECT 1', 'read',
		kind => 'DELETE FROM things', 'write',
		kind => 'DROP TABLE things', 'ddl',
		kind => 'SELECT 1; DROP TABLE things', 'ddl',
		kind => 'BEGIN', 'begin',
		kind => 'SET x.y = 1', 'set',
		kind => 'DO $$BEGIN END$$', 'call',
		kind => 'EXPLAIN SELECT 1', 'read',
		kind => 'nonsense', 'unknown',
		normalized => 'SELECT  V FROM things WHERE id IN (1, 2)',
			'select v from things where id in (?)',
		digest => 'SELECT 1', qr/^[0-9a-f]{16}$/,
		tables => 'SELECT * FROM public.things t, prices',
			'prices=read public.things=read things=read',
		tables => 'INSERT INTO things SELECT * FROM prices',
			'prices=read things=write',
		tables => 'UPDATE things SET v = x.v FROM things x',
			'things=write',
		functions => 'SELECT touch()', 'true',
		functions => 'SELECT 1', 'nil',
		read_only => 'SELECT v FROM things', 'true',
		read_only => 'SELECT touch()', 'false',
		read_only => 'UPDATE things SET v = v', 'false',
		reason => 'SELECT v FROM things', 'nil',
		reason => 'SELECT now() FROM things', 'volatile',
		reason => 'SELECT 1', 'no_table',
		reason => 'SELECT v FROM things FOR UPDATE', 'locking',
		user => 'SELECT 1', 'app',
		database => 'SELECT 1', 'shop',
		application => 'SELECT 1', 'nil',
		addr => 'SELECT 1', '127.0.0.1',
		tls => 'SELECT 1', 'false',
		setting => 'SELECT 1', 'nil',
		path => 'SELECT 1', 'nil',
		upstream => 'SELECT 1', 'shop',
		variable => 'SELECT 1', port(8080) . ' nil',
		time => 'SELECT 1', 'true',
		params => 'SELECT 1', '0',
	);

	for my $round (1, 2) {

		for (my $i = 0; $i < @cases; $i += 3) {
			my ($what, $sql, $expected) = @cases[$i .. $i + 2];
			my $said = says($c, "$sql /*see='$what'*/");
			my $name = "$what of \"$sql\", time $round";

			ref $expected ? like($said, $expected, $name)
				: is($said, $expected, $name);
		}
	}

	# of another client: not what was found for the first

	is(says($report, "SELECT 1 /*see='user'*/"), 'report', 'another user');
	is(says($report, "SELECT 1 /*see='application'*/"), 'batch',
		'another application');
	is(says($report, "SELECT 1 /*see='setting'*/"), 'red',
		'a start-up parameter');
	$report->query("SET app.tenant = 'blue'");
	is(says($report, "SELECT 1 /*see='setting'*/"), 'blue', 'a setting');
	is(says($c, "SELECT 1 /*see='setting'*/"), 'nil', 'not of the first');
	$c->query('SET search_path = public, pg_catalog');
	is(says($c, "SELECT 1 /*see='path'*/"), 'public, pg_catalog',
		'search_path');

	$_->close() for $c, $report;
}

sub does {
	my $c = client(8081);
	my $report = client(8081, user => 'report');

	is(counted(sub { $c->query(act('off')) for 1 .. 2 }), '0 0 0',
		'cache = false');
	is(counted(sub { $c->query('/* hyperdrive: no-cache */ ' . act('on'))
		for 1 .. 2 }), '1 1 1', 'cache = true');
	is(counted(sub { $c->query('/* hyperdrive: no-cache */ ' . act('user'))
		for 1 .. 2 }), '0 0 0', 'a hint of the text');
	is(counted(sub { $c->query(act('never')) for 1 .. 2 }), '0 0 0',
		'max_age = 0');
	# (two within a tenth of a second, sooner or later)

	ok(eval { wait_for(sub {
		counted(sub { $c->query(act('age')) for 1 .. 2 }) eq '1 1 1';
	}) }, 'max_age');

	my $until = time() + 30;
	my $counted = '';
	while ($counted !~ /^0 1/ && time() < $until) {
		$counted = counted(sub { $c->query(act('age')) });
	}
	is($counted, '0 1 1', 'and after it');

	# who was looked at has his own answers

	is(counted(sub { $c->query(act('user')) for 1 .. 2 }), '1 1 1',
		'with the user');
	is(counted(sub { $report->query(act('user')) for 1 .. 2 }), '1 1 1',
		'...his own');
	is(counted(sub { $_->query(act('')) for $c, $report }), '1 1 1',
		'without, the same for all');

	is(counted(sub { $c->query(act('tables')) for 1 .. 2 }), '1 1 1',
		'tables');
	$report->query('UPDATE prices SET v = v');
	is(counted(sub { $c->query(act('tables')) for 1 .. 2 }), '1 1 1',
		'...written to');

	is($c->query(act('reject'))->state(), '42501', 'reject');
	is(says($c, act('reject')), 'this statement is not allowed here',
		'...in our words');
	is($c->query(act('words'))->state(), 'HV00L', 'sqlstate');
	is(says($c, act('words')), 'in words', '...in words');

	my $slow = 'SELECT count(*) FROM generate_series(1, 100000000) '
		. "/*act='timeout'*/";

	is($c->query($slow)->state(), '57014', 'timeout');

	$c->query(act('pin'));
	is($t->status()->{upstreams}{shop}{total}{pins}{policy}, 1, 'pin');
	$c->query('DISCARD ALL');

	is(says(client(8083), 'SELECT 1'), 'from a file', 'a file');

	$_->close() for $c, $report;
}

sub params {
	my $c = client(8081);
	my $sql = 'SELECT v FROM things WHERE id::text = $1'
		. " /*act='param'*/";

	is($c->extended($sql, '1')->value(), 'thing 1', 'a value');
	is($c->extended($sql, '0')->error()->{M}, 'no zero', 'rejected');
	is($c->extended($sql, '2')->value(), 'thing 2', 'another');
	is($c->extended($sql, undef)->state(), 'HV00P', 'NULL');

	my $binary = $c->parse('', "SELECT \$1 + 1 /*act='param'*/", 23)
		->bind('', '', [ pack('N', 7) ], formats => [ 1 ])->execute()
		->sync()->result();

	is($binary->error()->{M}, 'seven', 'a binary one');

	is(counted(sub { $c->extended($sql, '9') for 1 .. 2 }), '0 0 0',
		'not cached');
	is(counted(sub { $c->extended($sql, '3') for 1 .. 2 }), '1 1 1',
		'cached');
	is(ran(sub { $c->extended($sql, '3') for 1 .. 3 }), 3,
		'it runs each time');
	is(ran(sub { $c->extended('SELECT v FROM things WHERE id = $1', 3)
		for 1 .. 3 }), 1, '...where it was asked for');

	# of a write, and by name

	is($c->extended("UPDATE things SET v = v WHERE id::text = \$1 "
		. "/*act='param'*/", '0')->error()->{M}, 'no zero', 'a write');
	is($c->prepare('p', $sql)->types(), '1tTZ', 'prepared');
	is($c->execute_prepared('p', '0')->error()->{M}, 'no zero', 'by name');
	is($c->execute_prepared('p', '4')->value(), 'thing 4', '...a value');

	# an error is as if it had said nothing

	is($c->extended($sql, 'error')->types(), '12TCZ', 'an error in it');
	$t->allow_log(qr/hyperdrive policy in \S+:\d+ failed/);

	# among others in one group

	my $d = client(8081, quiet => 1);

	$d->parse('', $sql)->bind('', '', [ '5' ])->execute()
		->bind('', '', [ '0' ])->execute()->sync()->flush_out();
	is(($d->read_until('E'))[-1]{fields}{M}, 'no zero',
		'the second in its group');

	$c->close();
}

sub runs {
	my $c = client(8081);
	my $d = client(8081);
	my $report = client(8081, user => 'report');

	is(ran(sub { $_->query(act('', 0)) for $c, $d, $report, $c }), 1,
		'once for all clients');
	is(ran(sub { $_->query(act('user', 0)) for $c, $d, $report, $c,
		$report }), 2, 'once for each user');
	is(ran(sub { $c->extended(act('', 0)) for 1 .. 3 }), 0,
		'by whatever protocol');
	is(ran(sub { $c->query(act('off', 0)) for 1 .. 3 }), 1, 'not cached');

	# what moves is not kept, unless it is said for how long

	is(ran(sub { $c->query(act('time')) for 1 .. 3 }), 3, 'the time');
	my ($first, $until) = (says($c, act('time')), time() + 30);
	my $later = $first;

	$later = says($c, act('time')) while $later eq $first && time() < $until;
	isnt($later, $first, '...goes on');

	is(ran(sub { $c->query(act('dict')) for 1 .. 3 }), 3,
		'the dictionary');
	is(says($c, act('dict')), '4', '...once for each');
	is(ran(sub { $c->query(act('keep')) for 1 .. 3 }), 1, 'keep');
	is(says($d, act('keep')), '1', '...for all');
	is(ran(sub { $c->query(act('many')) for 1 .. 3 }), 3,
		'too many values');

	is(join(' ', map { says($c, act('limit')) } 1 .. 5),
		'nothing nothing nothing too many too many', 'a limit');
	is(says($report, act('limit')), 'nothing', '...for each user');

	$c->query(act('log'));
	ok($t->wait_for_log(qr/\[notice\] .*hyperdrive policy: seen: read/),
		'log');

	$_->close() for $c, $d, $report;
}

sub wrong {
	my $c = client(8082);
	my $errors = total('policy_errors');
	my $n = 0;

	my @cases = (
		error => 'on purpose',
		nil => 'attempt to index',
		loop => 'too many instructions',
		memory => 'not enough memory',
		pattern => 'too many instructions',
		key => 'unknown key "cahce"',
		type => '"cache" in what the policy returns is a string',
		upstream => 'no upstream "nowhere"',
	);

	while (my ($wrong, $text) = splice @cases, 0, 2) {
		my $sql = 'SELECT v FROM things WHERE id = 1 '
			. "/*wrong='$wrong'*/";

		is($c->query($sql)->value(), 'thing 1', "$wrong, the query");
		is(total('policy_errors'), $errors + ++$n, "$wrong, counted");
		is(ran(sub { $c->query($sql) }), 0, "$wrong, not asked again");

		# one line a second: the others are counted

		my $until = time() + 30;
		my $i = 0;

		until ($t->log_has(qr/\Q$text\E/) || time() > $until) {
			$c->query("$sql -- " . ++$i);
			$n = total('policy_errors') - $errors;
		}

		ok($t->log_has(qr/hyperdrive policy in \S*nginx.conf:\d+ failed.*\Q$text\E/),
			"$wrong, logged");
	}

	is(counted(sub { $c->query('SELECT v FROM things WHERE id = 2 '
		. "/*wrong='error'*/") for 1 .. 2 }), '1 1 1',
		'the default applies');

	$c->close();
}

# A reload compiles afresh, and drops what was kept.

sub reloaded {
	$conf =~ s/"in words"/"in other words"/;
	$t->write_file('nginx.conf', $conf)->reload();

	my $c = client(8081);

	is(says($c, act('words')), 'in other words', 'after a reload');
	is(says($c, act('dict')), '5', 'the dictionary is kept');

	$c->close();
}

###############################################################################
