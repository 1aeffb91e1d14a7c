#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: what Lua sees and returns, field by field, as far as
# t/policy_lua.t has not got it: all kinds, the clock, the dictionary, TLS; and
# where statements go, how old an answer may be, tags, the queue.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive;
use Test::Hyperdrive::Postgres;
use Test::Hyperdrive::Process qw(wait_for run_command);

use IO::Socket::INET;

###############################################################################

my $t = Test::Hyperdrive->new();

my $pg = $t->postgres(users => { app => 'pw' }, databases => [ 'shop', 'spare' ],
	sql => { map { $_ => <<'EOS' } 'shop', 'spare' });

SET ROLE app;
CREATE TABLE things (id int PRIMARY KEY, v int);
INSERT INTO things SELECT g, 0 FROM generate_series(1, 20) g;
CREATE TABLE queue (id serial, name text);

EOS

my $replica = $pg->replica();

my ($p, $r) = ($pg->port(), $replica->port());
my $url = 'postgres://app:pw@127.0.0.1';

$t->certificate('front');

$t->write_file_expand('nginx.conf', <<"EOS")->run();

%%TEST_GLOBALS%%

worker_processes  1;

events {
}

http {
    %%TEST_GLOBALS_HTTP%%

    server {
        listen  127.0.0.1:8999;

        location = /hyperdrive {
            hyperdrive_status;
        }

        location = /control {
            hyperdrive_control;
        }
    }
}

stream {
    hyperdrive_cache_zone   shop 8m;
    hyperdrive_users        off;
    hyperdrive_policy_dict  64k;

    upstream shop {
        hyperdrive_origin  $url:$p/shop?sslmode=disable;
        hyperdrive_origin  $url:$r/shop?sslmode=disable  role=replica;
        hyperdrive_pool    max=10;
    }

    upstream spare {
        hyperdrive_origin  $url:$p/spare?sslmode=disable;
    }

    upstream one {
        hyperdrive_origin  $url:$p/shop?sslmode=disable;
        hyperdrive_pool    max=1;

        # who waits is a client
        hyperdrive_catalog  refresh=1h;
    }

    hyperdrive_policy_by_lua_block {
        local act = query.tags.act

        if act == "kind" then return { reject = query.kind } end

        if act == "clock" then
            return { reject = ("%04d-%02d-%02d %02d:%02d %d"):format(
                         time.year, time.month, time.day, time.hour,
                         time.minute, time.weekday) }
        end

        if act == "tls" then return { reject = tostring(client.tls) } end
        if act == "text" then return { reject = query.sql } end

        if act == "set" then
            dict.set("number", 7)
            dict.set("text", "words", 3600)
            dict.set("brief", "gone", 0.001)
            dict.set("nothing", 1)
            dict.set("nothing", nil)
            return { reject = "set" }
        end

        if act == "get" then
            return { reject = tostring(dict.get("number")) .. " "
                              .. tostring(dict.get("text")) .. " "
                              .. tostring(dict.get("brief")) .. " "
                              .. tostring(dict.get("nothing")) }
        end

        if act == "stale" then
            return { cache = { max_age = 0.05,
                               stale_while_revalidate = 3600 } }
        end

        if act == "error" then
            return { cache = { max_age = 0.05, stale_if_error = 3600 } }
        end

        if act == "tags" then
            return { cache = { tags = { "some", "others" } } }
        end

        if act == "tag" then return { cache = { tags = "one" } } end
        if act == "upstream" then return { upstream = "spare" } end
        if act == "mirror" then return { mirror = "spare" } end
        if act == "replica" then return { role = "replica" } end
        if act == "primary" then return { role = "primary" } end
        if act == "urgent" then return { priority = 10 } end
        if act == "later" then return { priority = -10 } end
    }

    hyperdrive_params_by_lua_block {
        return { reject = "of a rule: " .. (params[1] or "none") }
    }

    server {
        listen               127.0.0.1:8080;
        hyperdrive_pass      shop;
        hyperdrive_cache     shop max_age=60s;
        ssl_certificate      front.crt;
        ssl_certificate_key  front.key;

        hyperdrive_rule      tag.act=params params;
    }

    server {
        listen           127.0.0.1:8081;
        hyperdrive_pass  one;
    }

    server {
        listen            127.0.0.1:8082;
        hyperdrive_pass   shop;
        hyperdrive_read_write_split  on;
    }
}

EOS

sub client {
	return pg_client(port($_[0] || 8080), user => 'app', database => 'shop',
		timeout => 20);
}

sub total {
	my ($name, $upstream) = @_;
	return $t->status()->{upstreams}{$upstream || 'shop'}{total}{$name};
}

my $c = client();

$t->wait_catalog('shop');

sub act {
	my ($act, $sql) = @_;
	return ($sql // 'SELECT v FROM things WHERE id = 1') . " /*act='$act'*/";
}

sub says {
	my ($sql) = @_;
	my $r = $c->query($sql);

	return $r->error() ? $r->error()->{M} : 'nothing';
}

###############################################################################

my @kinds = (
	'SELECT v FROM things' => 'read', 'VALUES (1)' => 'read',
	'INSERT INTO things VALUES (30, 0)' => 'write',
	'CREATE TABLE x (id int)' => 'ddl', 'COPY things TO STDOUT' => 'copy',
	'BEGIN' => 'begin', 'COMMIT' => 'commit', 'ROLLBACK' => 'rollback',
	'SAVEPOINT x' => 'savepoint', "PREPARE TRANSACTION 'x'" => 'two_phase',
	"SET x.y = '1'" => 'set', "SET LOCAL x.y = '1'" => 'set_local',
	'PREPARE x AS SELECT 1' => 'prepare',
	'DECLARE x CURSOR FOR SELECT 1' => 'cursor', 'LISTEN x' => 'listen',
	'NOTIFY x' => 'notify', 'LOCK TABLE things' => 'lock',
	'DISCARD PLANS' => 'discard', 'VACUUM' => 'maintenance',
	'CALL x()' => 'call', '' => 'empty', 'FROBNICATE' => 'unknown',
);

while (my ($sql, $kind) = splice @kinds, 0, 2) {
	is(says(act('kind', $sql)), $kind, "kind: $sql");
}

my $text = act('text');
is(says($text), $text, 'the text');

my ($before, $clock, $after);

# (not over the end of a minute)

do {
	$before = clock();
	$clock = says(act('clock'));
	$after = clock();
} while ($before ne $after);

is($clock, $before, 'the clock');

is(says(act('tls')), 'false', 'in clear');
like(psql(act('tls')), qr/ERROR:  true$/m, 'by TLS');

is(says(act('set')), 'set', 'the dictionary');
wait_for(sub { says(act('get')) eq '7 words nil nil' }, 20, 'what is brief');
pass('...has what is to stay');

is($c->extended(act('params', 'SELECT v FROM things WHERE id = $1'), 5)
	->error()->{M}, 'of a rule: 5', 'params of a rule');

###############################################################################
# How old an answer may be, and what it is kept under.

my $sql = act('stale', 'SELECT v FROM things WHERE id = 2');
my $stale = total('stale');

$c->query($sql);
wait_for(sub { $c->query($sql); total('stale') > $stale }, 20, 'an old answer');
pass('stale_while_revalidate');

for ([ tags => 'others' ], [ tag => 'one' ]) {
	my ($act, $tag) = @$_;

	$c->query(act($act, 'SELECT v FROM things WHERE id = 3'));
	is(purge('nobody'), 0, "$act: another one");
	is(purge($tag), 1, "$act: the answer is kept under $tag");
}

###############################################################################
# Where it goes.

is($c->query(act('upstream', 'SELECT current_database() FROM things'))
	->value(), 'spare', 'upstream');

$c->query(act('mirror', 'UPDATE things SET v = 5 WHERE id = 5'));
wait_for(sub { $pg->psql('SELECT v FROM things WHERE id = 5', db => 'spare')
	== 5 }, 20, 'the copy');
is($pg->psql('SELECT v FROM things WHERE id = 5', db => 'shop'), 5, 'mirror');

my $where = "SELECT current_setting('port') FROM things WHERE id = 6";

wait_for(sub { $c->query(act('replica', "$where AND " . rand() . ' < 1'))
	->value() == $r }, 20, 'a read of the replica');
pass('role = replica');
is($c->query($where)->value(), $p, '...and no other read');

my $split = client(8082);

wait_for(sub { $split->query($where)->value() == $r }, 20,
	'a read of the replica');
is($split->query(act('primary', $where))->value(), $p, 'role = primary');
is($split->query($where)->value(), $r, '...and others as before');

# One connection, which is in use: who comes next?

my ($holder, $first, $second) = map { client(8081) } 1 .. 3;

$t->wait_catalog('one');
$holder->query('BEGIN');
$holder->query('SELECT v FROM things');

my $n = 0;

for ([ $first, 'later' ], [ $second, 'urgent' ]) {
	my ($client, $name) = @$_;

	$client->send('Q', act($name, "INSERT INTO queue (name) VALUES "
		. "('$name')") . "\0");
	$client->flush_out();
	$n++;
	wait_for(sub { total('waiting', 'one') == $n }, 20, "$n that wait");
}

$holder->query('COMMIT');
is($_->result()->state(), '', 'it runs') for $second, $first;

is($pg->psql('SELECT string_agg(name, chr(32) ORDER BY id) FROM queue',
	db => 'shop'), 'urgent later', 'priority');

# there is nobody to ask any more

$sql = act('error', 'SELECT v FROM things WHERE id = 7');
$c->query($sql);
$replica->stop();
$pg->kill();
is($c->query($sql)->value(), 0, 'stale_if_error');
ok($c->query(act('none', 'SELECT v FROM things WHERE id = 8'))->error(),
	'...of no other statement');

$_->close() for $c, $split, $holder, $first, $second;

$t->done_testing();

###############################################################################

sub clock {
	my @t = localtime();

	return sprintf('%04d-%02d-%02d %02d:%02d %d', $t[5] + 1900, $t[4] + 1,
		@t[3, 2, 1], $t[6] || 7);
}

sub psql {
	my ($sql) = @_;

	my ($status, $out) = run_command([ Test::Hyperdrive::Postgres::bin(
		'psql'), '-X', '-A', '-t', '-c', $sql, 'host=127.0.0.1 port='
		. port(8080) . ' user=app dbname=shop sslmode=require' ]);

	return $out;
}

# How many entries went.

sub purge {
	my ($tag) = @_;

	my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
		PeerPort => port(8999), Proto => 'tcp')
		or die "cannot connect: $!\n";

	print $s "POST /control?purge=shop&tag=$tag HTTP/1.0\r\n"
		. "Host: localhost\r\n\r\n";

	local $/;
	my ($entries) = <$s> =~ /"entries":\s*(\d+)/;

	return $entries;
}

###############################################################################
