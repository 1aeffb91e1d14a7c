#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: the query log, a line for each request.

###############################################################################

use warnings;
use strict;

use JSON::PP ();
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
INSERT INTO things SELECT g, 'thing ' || g FROM generate_series(1, 10) g;

EOS

my $url = $pg->url();

$t->write_file_expand('nginx.conf', <<"EOS")->run();

%%TEST_GLOBALS%%

events {
}

%%TEST_STATUS%%

stream {
    hyperdrive_cache_zone  shop 8m;

    # a variable that nginx evaluates once for a client, and one with captures

    map \$hyperdrive_query_kind \$wanted {
        read     1;
        default  0;
    }

    map \$hyperdrive_query_text \$first {
        "~^(?<word>\\w+)"  \$word;
    }

    upstream shop {
        hyperdrive_origin  $url;
        hyperdrive_pool    max=1 wait=5s;
    }

    server {
        listen            127.0.0.1:8080;
        hyperdrive_pass   shop;
        hyperdrive_users  off;
        hyperdrive_cache  shop;

        hyperdrive_query_log  %%TESTDIR%%/plain.log
            '\$hyperdrive_query_status|\$hyperdrive_query_kind|'
            '\$hyperdrive_query_rows|\${hyperdrive_query_bytes}|'
            '\$hyperdrive_query_error|\$hyperdrive_query_tables|'
            '\$hyperdrive_query_text';
        hyperdrive_query_log  %%TESTDIR%%/time.log
            '\$hyperdrive_user \$hyperdrive_query_digest '
            '\$hyperdrive_query_time \$hyperdrive_query_wait \$first \$msec';
        hyperdrive_query_log  %%TESTDIR%%/read.log
            '\$hyperdrive_query_text' if=\$wanted;
        hyperdrive_query_log  %%TESTDIR%%/json.log
            '{"text":"\$hyperdrive_query_text","e":"\$hyperdrive_query_error"}'
            escape=json;
    }

    server {
        listen            127.0.0.1:8081;
        hyperdrive_pass   shop;
        hyperdrive_users  off;

        hyperdrive_query_log  %%TESTDIR%%/buffer.log
            '\$hyperdrive_query_status \$hyperdrive_query_text'
            buffer=4k flush=1h;
    }

    server {
        listen            127.0.0.1:8082;
        hyperdrive_pass   shop;
        hyperdrive_users  off;

        hyperdrive_query_log  %%TESTDIR%%/default.log buffer=4k flush=50ms;
    }

    server {
        listen            127.0.0.1:8083;
        hyperdrive_pass   shop;
        hyperdrive_users  off;

        hyperdrive_query_log  %%TESTDIR%%/raw.log '\$hyperdrive_query_text'
                              escape=none;
        hyperdrive_query_log  %%TESTDIR%%/escaped.log
                              '\$hyperdrive_query_text';
    }
}

EOS

my %app = (user => 'app', database => 'shop');

###############################################################################

$t->wait_catalog('shop');

my $c = pg_client(port(8080), %app);

my $r = $c->query("SELECT v FROM things WHERE id = 1 -- a secret 'x'");
my $bytes = length $r->bytes();

is(logged('plain.log', 1), "miss|read|1|$bytes|-|things|"
	. 'select v from things where id = ?', 'a miss, without its constants');

$c->query("SELECT v FROM things WHERE id = 1 -- a secret 'x'");

is(logged('plain.log', 2), "hit|read|1|$bytes|-|things|"
	. 'select v from things where id = ?', 'a hit');

$r = $c->extended('SELECT v FROM things WHERE id > $1', 7);
$bytes = length $r->bytes();

is(logged('plain.log', 3), "miss|read|3|$bytes|-|things|"
	. 'select v from things where id > ?', 'the extended protocol');

$c->query('SELECT 1 / 0');

like(logged('plain.log', 4), qr/^\w+\|read\|0\|\d+\|22012\|-\|select \? \/ \?$/,
	'an error');

$c->query("INSERT INTO public.things VALUES (11, 'x'), (12, 'y')");

like(logged('plain.log', 5), qr/^\w+\|write\|0\|\d+\|-\|public\.things\|
	insert\ into\ public\.things\ values\ \(\?\)$/x, 'a write');

$c->query('SELEC');

like(logged('plain.log', 6), qr/^\w+\|unknown\|0\|\d+\|42601\|-\|selec$/,
	'what is not understood');

# pipelined: answers of different length, each with its own

my @ids = (1 .. 4);

for my $id (@ids) {
	$c->parse('', 'SELECT v FROM things WHERE id <= $1');
	$c->bind('', '', [ $id ]);
	$c->execute('');
	$c->sync();
}

$c->flush_out();

my @lengths = map { length $c->result()->bytes() } @ids;

for my $i (0 .. $#ids) {
	like(logged('plain.log', 7 + $i),
		qr/^\w+\|read\|$ids[$i]\|$lengths[$i]\|-\|things\|/,
		"pipelined, number $ids[$i]");
}

# several in one, a flush, a copy

$c->query('BEGIN; SELECT 1; COMMIT');

like(logged('plain.log', 11), qr/^uncacheable\|\w+\|1\|\d+\|-\|-\|
	begin;\ select\ \?;\ commit$/x, 'several statements');

$c->parse('', 'SELECT v FROM things WHERE id < $1');
$c->bind('', '', [ 4 ]);
$c->execute('');
$c->flush();
$c->flush_out();
$c->read_until('C');
$c->sync();
$c->flush_out();
$c->read_until('Z');

like(logged('plain.log', 12), qr/^\w+\|read\|3\|\d+\|-\|things\|/,
	'a Flush before the Sync');

$c->send('Q', "COPY things TO STDOUT\0")->flush_out();
$bytes = length $c->result()->bytes();

is(logged('plain.log', 13),
	"uncacheable|copy|0|$bytes|-|things|copy things to stdout", 'a COPY');

# its time, and what is kept of it

my @fields = split / /, logged('time.log', 1);

is($fields[0], 'app', 'who has asked');
like($fields[1], qr/^[0-9a-f]{16}$/, 'a digest');
is($fields[1], (split / /, logged('time.log', 2))[1], '...the same again');
isnt($fields[1], (split / /, logged('time.log', 3))[1], '...and another');
like($fields[2], qr/^0\.\d{6}$/, 'its time');
is($fields[4], 'select', 'a map with captures');
is((split / /, logged('time.log', 5))[4], 'insert', '...and of the next one');

my $json = eval { JSON::PP::decode_json(logged('json.log', 1)) };

is_deeply($json, { text => 'select v from things where id = ?', e => '' },
	'JSON');

ok(!grep({ /insert|selec$/ } lines('read.log')), 'those that are wanted only');

# a client that leaves without an answer

$c->send('Q', "SELECT pg_sleep(30)\0")->flush_out();

wait_for(sub { $pg->psql(
	"SELECT count(*) FROM pg_stat_activity WHERE query ~ 'sleep.30'")
	> 1 || $pg->psql("SELECT count(*) FROM pg_stat_activity "
	. "WHERE query = 'SELECT pg_sleep(30)'") });
$c->vanish();

like(logged('plain.log', 14), qr/^\w+\|read\|0\|0\|08006\|-\|
	select\ pg_sleep\(\?\)$/x, 'a client that does not wait');

wait_for(sub { !$pg->psql("SELECT count(*) FROM pg_stat_activity "
	. "WHERE query = 'SELECT pg_sleep(30)' AND state = 'active'") });

# time in the queue

my $holder = pg_client(port(8081), %app);
$holder->query('BEGIN');
$holder->query('SELECT 1');

my $waiter = pg_client(port(8080), %app);
$waiter->send('Q', "SELECT 2\0")->flush_out();

ok($waiter->silent(0.3), 'a client waits');
$holder->query('COMMIT');
$waiter->result();

my ($wait) = (split / /, logged('time.log', 15))[3];

ok($wait >= 0.2 && $wait < 5, 'its time in the queue') or diag($wait);

# nobody comes

$holder->query('BEGIN');
$holder->query('SELECT 1');

is($waiter->query('SELECT 2')->state(), '53300', 'a client waits in vain');
like(logged('plain.log', 16), qr/^\w+\|read\|0\|\d+\|53300\|-\|select \?$/,
	'an error of our own');

###############################################################################

# buffers

is(scalar(lines('buffer.log')), 0, 'what is buffered is not written yet');

rename $t->testdir() . '/buffer.log', $t->testdir() . '/buffer.old';
kill 'USR1', $t->master_pid();

wait_for(sub { -e $t->testdir() . '/buffer.log' }, 5, 'a new file');
wait_for(sub { lines('buffer.old') >= 5 }, 5, 'the old file');

is((lines('buffer.old'))[1], 'disabled select ?',
	'...until the file is opened anew');

$holder->query('COMMIT');
$holder->query('SELECT 3 AS b');
$holder->close();

my $d = pg_client(port(8082), %app);
$d->query('SELECT 5 AS c');
$d->close();

like(logged('default.log', 1), qr/^\S+\ 127\.0\.0\.1\ app\@shop\ disabled\ read
	\ time=0\.\d{6}\ wait=\d\.\d{3}\ rows=1\ bytes=\d+\ error=-
	\ [0-9a-f]{16}\ "select\ \?\ as\ c"$/x,
	'the default format, flushed in time');

# what a name may hold

my $e = pg_client(port(8083), %app);
$e->query(qq{SELECT 1 AS "a\\\nb"});
$e->close();

is(logged('escaped.log', 1), 'select ? as \x22a\x5C\x0Ab\x22', 'escaped');
is(join("\n", logged('raw.log', 1), logged('raw.log', 2)),
	qq{select ? as "a\\\nb"}, 'not escaped');

$waiter->close();

# a client's memory does not grow with its requests

my $many = pg_client(port(8080), %app);
my ($worker) = $t->worker_pids();

$many->query('SELECT v FROM things WHERE id = 1') for 1 .. 500;
my $before = memory($worker);
$many->query('SELECT v FROM things WHERE id = 1') for 1 .. 5000;

# (a sanitizer keeps what was freed)

cmp_ok(memory($worker) - $before, '<', 400, 'memory stays as it is, kB')
	unless $t->{sanitize};

$many->close();

$t->stop('QUIT');

is((lines('buffer.log'))[-1], 'disabled select ? as b',
	'buffers are written when nginx leaves');

$t->done_testing();

###############################################################################

sub lines {
	my ($name) = @_;
	return split /\n/, $t->read_file($name);
}

# Line <n>, when it has come.

sub logged {
	my ($name, $n) = @_;

	wait_for(sub { (my @lines = lines($name)) >= $n }, 5,
		"$n lines in $name");

	return (lines($name))[$n - 1];
}

sub memory {
	my ($pid) = @_;

	open(my $fh, '<', "/proc/$pid/status") or die "no process $pid: $!\n";
	my ($kb) = join('', <$fh>) =~ /^VmRSS:\s+(\d+)/m;

	return $kb;
}

###############################################################################
