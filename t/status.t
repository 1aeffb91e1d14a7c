#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: the status page.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive;

###############################################################################

my $t = Test::Hyperdrive->new();

my $pg = $t->postgres(users => { app => 'pw-of-origin' },
	databases => [ 'shop' ], sql => { shop => <<'EOS' });

SET ROLE app;
CREATE TABLE things (id int PRIMARY KEY, v text);
INSERT INTO things SELECT g, 'thing ' || g FROM generate_series(1, 10) g;

EOS

my $url = 'postgres://app:pw-of-origin@127.0.0.1:' . $pg->port()
	. '/shop?sslmode=disable';

$t->write_file('users.txt', qq{"app" "pw-of-client"\n});

$t->write_file_expand('nginx.conf', <<"EOS")->run();

%%TEST_GLOBALS%%

worker_processes  2;

events {
}

http {
    %%TEST_GLOBALS_HTTP%%

    server {
        listen 127.0.0.1:8999;

        location /hyperdrive {
            hyperdrive_status;
        }

        location /plain {
            return 200 ok;
        }
    }
}

stream {
    hyperdrive_cache_zone  shop 8m;

    upstream shop {
        hyperdrive_origin  $url;
        hyperdrive_pool    max=1 queue=1 wait=6s;
    }

    upstream "a name" {
        hyperdrive_origin  $url;
        hyperdrive_pool    max=7;
    }

    server {
        listen            127.0.0.1:8080;
        hyperdrive_pass   shop;
        hyperdrive_users  users.txt;
        hyperdrive_cache  shop;
    }

    server {
        listen            127.0.0.1:8081;
        hyperdrive_pass   "a name";
        hyperdrive_users  off;
    }
}

EOS

###############################################################################
# The page.

my ($code, $body, $head) = $t->http_get('/hyperdrive');

is($code, 200, 'a page');
like($head, qr{^Content-Type: application/json}mi, 'of JSON');
like($head, qr{^Cache-Control: no-store}mi, 'that is not kept');
like($head, qr/^Content-Length: @{[ length $body ]}\r?$/mi, 'of its length');

my $s = $t->status();

like($s->{version}, qr/^\d+\.\d+/, 'a version');
is(scalar @{$s->{workers}}, 2, 'two workers');
is(join(' ', sort map { $_->{pid} } @{$s->{workers}}),
	join(' ', sort $t->worker_pids()), 'which are these');
is(join(',', sort keys %{$s->{upstreams}}), 'a name,shop', 'two upstreams');
is($s->{upstreams}{'a name'}{max}, 7, 'max');
is(join(',', keys %{$s->{caches}}), 'shop', 'a cache');
cmp_ok($s->{caches}{shop}{blocks}, '>', 1000, 'and its blocks');
is($s->{caches}{shop}{entries}, 0, 'with nothing in it');
is(scalar keys %{$s->{upstreams}{shop}{by_worker}}, 2, 'by worker');

# methods

my $raw = request("HEAD /hyperdrive HTTP/1.0\r\n\r\n");

like($raw, qr{^HTTP/1\.1 200 }, 'HEAD');
like($raw, qr/\r\n\r\n\z/, 'without a body');
like($raw, qr{^Content-Type: application/json}mi, 'and the same type');

for my $method ('POST', 'PUT', 'DELETE') {
	like(request("$method /hyperdrive HTTP/1.0\r\n"
		. "Content-Length: 0\r\n\r\n"), qr{^HTTP/1\.1 405 },
		"$method is not allowed");
}

like(request("GET /hyperdrive HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"
	. "Connection: keep-alive\r\n\r\nhello"
	. "GET /plain HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
	qr{^HTTP/1\.1 200 .*HTTP/1\.1 200 .*ok\z}s,
	'a body of the request is dropped');

is(($t->http_get('/hyperdrive?x=1'))[0], 200, 'with arguments');

###############################################################################
# The counters.

my %app = (user => 'app', database => 'shop', password => 'pw-of-client',
	quiet => 1);

$t->wait_catalog('shop', 2);

my $c = pg_client(port(8080), %app);

counts('a log-in', clients => 1, clients_total => 1);

$c->query('SELECT 1');
counts('a query', queries => 1, origins_idle => 1);

$c->query('SELECT v FROM things WHERE id = 1') for 1 .. 3;
counts('a miss and two hits', queries => 4, misses => 1, hits => 2,
	stored => 1);

is($t->status()->{caches}{shop}{entries}, 1, 'an entry');

$c->query('SELECT 1 / 0');
counts('an error', queries => 5, errors => 1, errors_own => 0);

$c->query('BEGIN');
$c->query('SELECT 2');
counts('in a transaction', origins_busy => 1, origins_idle => 0);

my $d = pg_client(port(8080), %app);

counts('two clients', clients => 2, clients_total => 2);

$d->send('Q', "SELECT 3\0")->flush_out();
counts('one waits', waiting => 1);
is($t->status()->{upstreams}{shop}{waiting}, 1, 'in the queue');

my $e = pg_client(port(8080), %app);

is($e->query('SELECT 4')->state(), '53300', 'the queue is full');
counts('and counted', queue_full => 1, errors_own => 1);

is($d->result()->state(), '53300', 'one has waited for too long');
counts('which is counted, too', wait_timeout => 1, waiting => 0,
	errors_own => 2);

$c->query('COMMIT');
counts('behind the transaction', origins_busy => 0, origins_idle => 1);
cmp_ok(total()->{transactions}, '>=', 4, 'transactions are counted');

$c->query('LISTEN news');
counts('a pin', pinned => 1, pinned_total => 1);

$_->close() for $c, $d, $e;

counts('all have left', clients => 0, clients_total => 3, pinned => 0,
	pinned_total => 1, origins_busy => 0, origins_closing => 0);

pg_client(port(8080), %app, password => 'wrong');
counts('a wrong password', login_failed => 1, clients => 0);

# why not

$c = pg_client(port(8080), %app);
$c->query("SELECT v FROM things WHERE random() < 2");
$c->query("UPDATE things SET v = v WHERE id = 1");

my $why = total()->{uncacheable};

cmp_ok(eval { my $n = 0; $n += $_ for values %$why; $n }, '>=', 3,
	'reasons are counted') or diag(explain($why));
note(join(', ', map { "$_: $why->{$_}" } grep { $why->{$_} }
	sort keys %$why));
$c->close();

my $total = total();

for my $name (grep { /^bytes_/ } keys %$total) {
	cmp_ok($total->{$name}, '>', 100, $name);
}

# after a while, and with many of them, the page is still one

$c = pg_client(port(8081), user => 'app', database => 'shop');
$c->query('SELECT 1');

is($t->status()->{upstreams}{'a name'}{used}, 1, 'another upstream');
is($t->status()->{upstreams}{shop}{max}, 1, 'and the first');
$c->close();

unlike($t->http_get('/hyperdrive'), qr/pw-of/, 'no password');

$t->done_testing();

###############################################################################

sub total {
	return $t->status()->{upstreams}{shop}{total};
}

# The counters, as they will be in a moment.

sub counts {
	my ($name, %expected) = @_;

	my $got;

	eval { wait_for(sub {
		my $total = total();

		$got = join(' ', map { "$_ $total->{$_}" } sort keys %expected);
		$got eq join(' ', map { "$_ $expected{$_}" }
			sort keys %expected);
	}, 3) };

	is($got, join(' ', map { "$_ $expected{$_}" } sort keys %expected),
		$name);
}

sub request {
	my ($text) = @_;

	my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
		PeerPort => port(8999)) or die "cannot connect: $!\n";

	print $socket $text;

	local $/;
	my $answer = <$socket>;

	return $answer // '';
}

###############################################################################
