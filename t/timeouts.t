#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: what takes too long ends, as the database would end it.

###############################################################################

use warnings;
use strict;

use Test::More;
use Time::HiRes qw(time);

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive;
use Test::Hyperdrive::PG;

###############################################################################

my $t = Test::Hyperdrive->new();

my $pg = $t->postgres(users => { app => 'origin' }, databases => [ 'shop' ],
	sql => { shop => 'CREATE TABLE t (n int); GRANT ALL ON t TO app' });

my $port = $pg->port();

# a database that does not hear a cancel request

my $deaf = $t->fake_pg(port(8200), query => sub {
	my ($n, $sql, $c) = @_;
	sleep 60 if $sql =~ /slow/;
	return [ [ $n ] ];
});

# ...and one that hears it, and takes its time to say so

my $slow = $t->fake_pg(port(8201), query => sub {
	my ($n, $sql, $c) = @_;
	$c->wait($1) if $sql =~ /^wait (\w+)/;
	return [ [ $n ] ];
}, cancel => sub {
	my ($c) = @_;
	$c->wait('cancel');
});

sub server {
	my ($listen, $upstream, $timeouts) = @_;

	return <<"EOS";
    server {
        listen              127.0.0.1:$listen;
        hyperdrive_pass     $upstream;
        hyperdrive_users    off;
        hyperdrive_timeout  $timeouts;
    }
EOS
}

$t->write_file_expand('nginx.conf', <<"EOS")->run();

%%TEST_GLOBALS%%

events {
}

%%TEST_STATUS%%

stream {
    hyperdrive_timeout  login=2s;
    hyperdrive_cache_zone  cache 1m;

    upstream shop {
        hyperdrive_origin  postgres://app:origin\@127.0.0.1:$port/shop?sslmode=disable;
        hyperdrive_pool    max=8;
    }

    upstream deaf {
        hyperdrive_origin  postgres://app\@127.0.0.1:8200/shop?sslmode=disable;
    }

    upstream slow {
        hyperdrive_origin  postgres://app\@127.0.0.1:8201/shop?sslmode=disable;
    }

    server {
        listen              127.0.0.1:8080;
        hyperdrive_pass     shop;
        hyperdrive_users    off;
    }

@{[ server(8081, 'shop', 'query=3s') ]}
@{[ server(8082, 'shop', 'idle_in_transaction=3s query=30s') ]}
@{[ server(8083, 'shop', 'idle=700ms client_idle=20s') ]}
@{[ server(8084, 'shop', 'client_idle=1500ms; hyperdrive_cache cache') ]}
@{[ server(8085, 'deaf', 'query=300ms') ]}
@{[ server(8086, 'shop', 'idle_in_transaction=500ms') ]}
@{[ server(8087, 'shop', 'query=5s') ]}
@{[ server(8088, 'shop', 'idle_in_transaction=5s') ]}
@{[ server(8089, 'shop', 'client_idle=5s; hyperdrive_cache cache') ]}
@{[ server(8090, 'slow', 'query=30s') ]}
}

EOS

###############################################################################
# A log-in.

my $c = client(8080, login => 0);

took(1.8, 20, sub { is($c->wait_eof(), 'closed', 'a client that says nothing') });
is(($c->read_message() // {})->{fields}{C}, '57014', 'is told so');
$c->vanish();

$c = client(8080, login => 0);
$c->send_raw(substr($c->startup_message(), 0, 9));
is($c->wait_eof(), 'closed', 'half a start-up packet');
my $m = $c->read_message();
is($m->{fields}{S}, 'FATAL', 'is the end');
is($m->{fields}{M}, 'canceling authentication due to timeout', 'and why');
$c->vanish();

$c = client(8080);
select(undef, undef, undef, 2.2);
is($c->query('SELECT 1')->value(), 1, 'no limit behind the log-in');
$c->close();

###############################################################################
# A request.

$c = client(8081);

my $r;

took(2.6, 20, sub { $r = $c->query('SELECT pg_sleep(30)') });

is($r->state(), '57014', 'a request that takes too long');
is($r->error()->{M}, 'canceling statement due to statement timeout', 'and why');
is($r->error()->{S}, 'ERROR', 'which is an error');
is($c->status(), 'I', 'and not the end');

is($c->query('SELECT 2')->value(), 2, 'the next request');
# extended, in a transaction: only the database fails it

$c->query('BEGIN');
is($c->query('INSERT INTO t VALUES (1)')->state(), '', 'a row');

$c->parse('', 'SELECT pg_sleep(30)')->bind('', '')->execute()->sync();
is($c->result()->state(), '57014', 'in a transaction, extended');
is($c->status(), 'E', 'which has failed');
is($c->query('SELECT 1')->state(), '25P02', 'and says so');
$c->query('ROLLBACK');
is($c->query('SELECT count(*) FROM t')->value(), 0, 'and is rolled back');

$c->close();

# behind a cancel nothing of the same client is hit

my @c = map { client(8081) } 1 .. 5;

$_->query('BEGIN') for @c;
$_->send('Q', "SELECT pg_sleep(30)\0")->flush_out() for @c;

for my $i (1 .. 5) {
	is($c[$i - 1]->result()->state(), '57014', "cancelled, $i");
	is($c[$i - 1]->query('ROLLBACK')->state(), '', "and rolled back, $i");
}

$_->close() for @c;

# a client's own request to cancel has the database's own words

$c = client(8082);
$c->query('BEGIN');
$c->send('Q', "SELECT pg_sleep(30)\0")->flush_out();
wait_for(sub { $pg->psql("SELECT count(*) FROM pg_stat_activity "
	. "WHERE query LIKE 'SELECT pg_sleep(30)%' AND state = 'active'") > 0 });
cancel($c);
$r = $c->result();
is($r->error()->{M}, 'canceling statement due to user request',
	"a client's own wish");
$c->close();

# ...and the next, while the database has not said that it has heard the first

$c = client(8090);
$c->query('BEGIN');

for my $n ('first', 'second') {
	$c->send('Q', "wait $n\0")->flush_out();
	$slow->wait_waiting($n);
	cancel($c);

	if ($n eq 'first') {
		$slow->wait_waiting('cancel');
		$slow->signal('first');
		is($c->result()->status(), 'T', 'it has ended by itself');
	}
}

$slow->signal('cancel');

ok(eval { wait_for(sub {
	2 == grep { $_->{event} eq 'cancel' } $slow->log() }, 10) },
	'a wish for the next is heard, too');

$slow->signal('second');
is($c->result()->status(), 'T', 'which goes on');
$c->close();

# a database that does not end it

$c = client(8085);

took(5, 25, sub { $r = $c->query('SELECT slow') });

is($r->error()->{C}, '57014', 'a database that is deaf');
is($r->error()->{S}, 'FATAL', 'is left');
is($c->wait_eof(), 'closed', 'by the client, too');
$c->vanish();

###############################################################################
# Idle in a transaction.

for my $end ('T', 'E') {
	$c = client(8082);
	$c->query('BEGIN');
	$c->query('INSERT INTO t VALUES (2)');
	$c->query('SELECT nothing') if $end eq 'E';
	is($c->status(), $end, "in a transaction, $end");

	took(2.6, 20, sub {
		is($c->wait_eof(), 'closed', "idle in it, $end") });

	$m = $c->read_message();
	is($m->{fields}{C}, '25P03', "and told, $end");
	is($m->{fields}{M}, 'terminating connection due to '
		. 'idle-in-transaction timeout', "and why, $end");
	$c->vanish();
}

idle_in_transaction(0, 'nothing is left in a transaction');

is($pg->psql('SELECT count(*) FROM t', db => 'shop'), 0, 'all is rolled back');

# an open group of a Flush is as good as one

$c = client(8086);
$c->parse('', 'INSERT INTO t VALUES (3)')->bind('', '')->execute()->flush();
is(join('', map { $c->read_message()->{type} } 1 .. 3), '12C',
	'a write, with a Flush');
is($c->wait_eof(), 'closed', 'that is not ended');
is($c->read_message()->{fields}{C}, '25P03', 'is idle in a transaction');
$c->vanish();

idle_in_transaction(0, 'nor is it left');
is($pg->psql('SELECT count(*) FROM t', db => 'shop'), 0, 'and it is rolled back');

###############################################################################
# Idle with a connection of its own.

$c = client(8083);
is($c->query('SELECT 7')->value(), 7, 'a client without a connection');
select(undef, undef, undef, 1.1);
is($c->query('SELECT 8')->value(), 8, 'is left alone');
$c->query('LISTEN ear');

took(0.6, 15, sub { is($c->wait_eof(), 'closed', 'one that holds one') });

$m = $c->read_message();
is($m->{fields}{C}, '57P05', 'is told');
is($m->{fields}{M}, 'terminating connection due to idle-session timeout',
	'and why');
$c->vanish();

###############################################################################
# Idle.

$c = client(8084);

took(1.3, 20, sub { is($c->wait_eof(), 'closed', 'nothing is asked') });
is($c->read_message()->{fields}{C}, '57P05', 'which is told');
$c->vanish();

###############################################################################
# What may last: each of these takes longer than five seconds, and nothing in it.

my %long = (units => client(8087), flush => client(8087),
	map({ $_ => client(8088) } qw(busy long idle)), asks => client(8089));

# each request has its own time

$long{units}->parse('', 'SELECT pg_sleep(0.5)')->bind('', '')->execute()
	->sync() for 1 .. 11;
$long{units}->flush_out();

# an unit that a Flush ends: the client may think about it

$long{flush}->parse('s', 'SELECT 5')->describe('S', 's')->flush();
my @m = map { $long{flush}->read_message()->{type} } 1 .. 3;
is(join('', @m), '1tT', 'prepared, with a Flush');

$long{idle}->query('SELECT 5');

$_->query('BEGIN') for @long{qw(busy long)};
$long{long}->send('Q', "SELECT pg_sleep(5.5), 9\0")->flush_out();

for my $i (1 .. 11) {
	select(undef, undef, undef, 0.5);

	is($long{busy}->query("SELECT $i")->value(), $i,
		"busy in a transaction, $i");
	is($long{asks}->query('SELECT n FROM t')->state(), '',
		"now and then, $i");
}

is(join(' ', map { $long{units}->result()->state() || 'ok' } 1 .. 11),
	join(' ', ('ok') x 11), 'eleven in a row, each in time');

$long{flush}->bind('', 's')->execute()->sync();
is($long{flush}->result()->state(), '', 'used later than a request may take');

is($long{long}->result()->row(0)->[1], 9, 'a long request in a transaction');
is($_->query('COMMIT')->tag(), 'COMMIT', 'which ends') for @long{qw(busy long)};
is($long{idle}->query('SELECT 6')->value(), 6, 'idle, in no transaction');

$_->close() for values %long;

my $timeouts = $t->status()->{upstreams}{shop}{total}{timeouts};
cmp_ok($timeouts, '>=', 12, 'all of it is counted');

$t->done_testing();

###############################################################################

sub client {
	my ($port, %o) = @_;

	return pg_client(port($port), user => 'app', database => 'shop',
		timeout => 15, %o);
}

sub took {
	my ($from, $to, $code) = @_;

	my $start = time();
	$code->();
	my $took = time() - $start;

	ok($took >= $from && $took < $to,
		sprintf('between %g and %g s', $from, $to))
		or diag("took $took");
}

sub cancel {
	my ($c) = @_;

	my $s = pg_client($c->{port}, login => 0);
	$s->send_raw(pack('N N N a*', 12 + length($c->key()), 80877102,
		$c->pid(), $c->key()));
	$s->wait_eof();
}

sub idle_in_transaction {
	my ($n, $name) = @_;

	my $left;

	eval { wait_for(sub {
		$left = $pg->psql("SELECT count(*) FROM pg_stat_activity "
			. "WHERE state LIKE 'idle in%'");
		$left == $n }, 5) };

	is($left, $n, $name);
}

###############################################################################
