#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: what the cache had to do with a request is told in the
# query log by its name, and counted.

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
CREATE SCHEMA app;
CREATE TABLE app.things (id int PRIMARY KEY, v text);
INSERT INTO app.things VALUES (1, 'one'), (2, repeat('x', 5000));
CREATE FUNCTION app.later() RETURNS int LANGUAGE sql VOLATILE AS 'SELECT 1';

EOS

$t->write_file_expand('nginx.conf', <<"EOS");

%%TEST_GLOBALS%%

events {
}

%%TEST_STATUS%%

stream {
    hyperdrive_cache_zone  shop 8m;
    hyperdrive_users       off;

    hyperdrive_query_log  %%TESTDIR%%/query.log
                          '\$hyperdrive_query_status \$hyperdrive_query_error';

    upstream shop {
        hyperdrive_origin  postgres://app:pw\@127.0.0.1:@{[ $pg->port() ]}/shop?sslmode=disable;
        hyperdrive_pool    max=4 wait=1s;
    }

    server {
        listen            127.0.0.1:8080;
        hyperdrive_pass   shop;
        hyperdrive_cache  shop max_age=1h max_size=2k;
    }

    server {
        listen            127.0.0.1:8081;
        hyperdrive_pass   shop;
        hyperdrive_cache  shop max_age=1s stale_while_revalidate=1h;
    }

    server {
        listen            127.0.0.1:8082;
        hyperdrive_pass   shop;
        hyperdrive_cache  shop max_age=1s stale_if_error=1h coalesce=10s;
    }

    server {
        listen            127.0.0.1:8083;
        hyperdrive_pass   shop;
    }
}

EOS

$t->run()->wait_catalog('shop');

###############################################################################

my $n = 0;
my %c = map { $_ => client($_) } 8080 .. 8083;

my $one = 'SELECT v FROM app.things WHERE id = 1';
my $two = 'SELECT v FROM app.things WHERE id = 2';

for my $way ('query', 'extended') {
	is(status(8080, "$one /* $way */", $way), 'miss', "$way: not there");
	is(status(8080, "$one /* $way */", $way), 'hit', "$way: there");
	is(status(8080, "$two /* $way */", $way), 'oversizedresult',
		"$way: too long");
	is(status(8080, "$two /* $way */", $way), 'oversizedresult',
		"$way: ...and not kept");
	is(status(8080, "$one FOR UPDATE", $way), 'uncacheable',
		"$way: a lock");
	is(status(8080, "UPDATE app.things SET v = 'two' WHERE id = 1", $way),
		'uncacheable', "$way: a write");
	is(status(8080, "$one /* $way */", $way), 'invalidated',
		"$way: written to since");
	is(status(8080, "SELECT random() FROM app.things", $way), 'volatile',
		"$way: a volatile function");
	is(status(8080, "SELECT app.later() FROM app.things", $way), 'volatile',
		"$way: ...of one's own");
	is(status(8080, "/* hyperdrive: no-cache */ $one", $way), 'disabled',
		"$way: a hint");
	is(status(8083, $one, $way), 'disabled', "$way: no cache");
}

# What is not understood pins, and may be DDL.

for my $way ('query', 'extended') {
	my $c = $c{8080};

	$c{8080} = client(8080);
	is(status(8080, 'SELECT v FROM', $way), 'parseerror',
		"$way: half a statement");
	$c{8080}->close();
	$c{8080} = $c;
}

is(status(8080, "$one; $one"), 'multiplestatements', 'several statements');

is(status(8080, 'BEGIN'), 'uncacheable', 'BEGIN');
is(status(8080, $one), 'transaction', 'in a block');
is(status(8080, 'COMMIT'), 'uncacheable', 'COMMIT');

# behind their age

my $old = "$one /* old */";

ok(wait_for(sub { status(8081, $old) eq 'miss' }, 20),
	'an answer that grows old');
ok(wait_for(sub { status(8081, $old) eq 'stale' }, 20),
	'an answer behind its age');

# fetched by another client meanwhile

my $d = client(8082);
my $same = "$one /* same */";
my $lock = $pg->client(user => 'app', password => 'pw', database => 'shop');

$lock->query('BEGIN');
$lock->query('LOCK TABLE app.things');

$c{8082}->send('Q', "$same\0")->flush_out();
wait_for(sub { $pg->psql('SELECT count(*) FROM pg_locks WHERE NOT granted',
	db => 'shop') == 1 }, 20);

$d->send('Q', "$same\0")->flush_out();
wait_for(sub { total()->{coalescing} == 1 }, 20);

$lock->query('COMMIT');
$_->result() for $c{8082}, $d;
$lock->close();

$n += 2;
is_deeply([ sort map { (split / /)[0] } (lines())[-2, -1] ],
	[ 'coalesced', 'miss' ], 'one fetches for both');

# with no database

my $kept = "$one /* kept */";

status(8082, $kept);
$pg->stop();

ok(wait_for(sub { status(8082, $kept) eq 'errorstale' }, 20),
	'an answer without a database');

$_->vanish() for values %c, $d;

###############################################################################
# All of it is counted.

my $total = total();

cmp_ok($total->{$_}, '>', 0, "$_ is counted")
	for qw(hits misses stale error_stale coalesced invalidated oversized);
cmp_ok($total->{uncacheable}{$_}, '>', 0, "$_ is counted")
	for qw(not_read multiple locking volatile parse transaction);

$t->done_testing();

###############################################################################

sub client {
	return pg_client(port($_[0]), user => 'app', database => 'shop',
		timeout => 30);
}

sub total {
	return $t->status()->{upstreams}{shop}{total};
}

sub lines {
	wait_for(sub {
		(() = $t->read_file('query.log') =~ /\n/g) >= $n;
	}, 20, "line $n");

	return split /\n/, $t->read_file('query.log');
}

# What the log says of a request.

sub status {
	my ($port, $sql, $way) = @_;

	$way ||= 'query';
	$c{$port}->$way($sql);
	$n++;

	return (split / /, (lines())[$n - 1])[0];
}

###############################################################################
