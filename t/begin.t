#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: a BEGIN is answered at once and sent with the first
# statement that needs the database; the client cannot tell.

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
	sql => { shop => <<'EOF' });

SET ROLE app;
CREATE TABLE things (id int PRIMARY KEY, v text);
INSERT INTO things SELECT g, 'thing ' || g FROM generate_series(1, 100) g;

EOF

my $relay = $t->relay(to => $pg->port());
my $origin = $relay->port();
my $real = $pg->port();

$t->write_file_expand('nginx.conf', <<"EOF")->run();

%%TEST_GLOBALS%%

events {
}

%%TEST_STATUS%%

stream {
    hyperdrive_cache_zone  shop 8m;

    hyperdrive_users  off;

    upstream one {
        hyperdrive_origin  postgres://app:pw\@127.0.0.1:$origin/shop?sslmode=disable;
        hyperdrive_pool    max=1 wait=2s;
        hyperdrive_catalog refresh=1h;
    }

    # ...where nobody waits in vain

    upstream patient {
        hyperdrive_origin   postgres://app:pw\@127.0.0.1:$real/shop?sslmode=disable;
        hyperdrive_pool     max=1 wait=30s;
        hyperdrive_catalog  off;
    }

    server {
        listen            127.0.0.1:8080;
        hyperdrive_pass   one;
        hyperdrive_cache  shop;
    }

    server {
        listen            127.0.0.1:8081;
        hyperdrive_pass   patient;
    }
}

EOF

my %app = (user => 'app', database => 'shop');

client()->query('SELECT 1');
$t->wait_catalog('one');

# its reading has taken the place of the only connection

client()->query('SELECT 1');

###############################################################################
# What it costs.  The answers are, byte for byte, the database's.

my $direct = $pg->client(%app, password => 'pw');
my $c = client();

costs(0, 'BEGIN', sub { $_[0]->query('BEGIN') });
costs(1, 'the first statement', sub {
	$_[0]->query('SELECT v FROM things WHERE id = 1');
});
costs(1, 'COMMIT', sub { $_[0]->query('COMMIT') });

costs(0, 'an empty block', sub {
	$_[0]->query('BEGIN'), $_[0]->query('COMMIT');
});

for my $begin ('BEGIN', 'begin;', 'BEGIN WORK', ' BEGIN TRANSACTION ;; ',
	'START TRANSACTION', '/* x */ begin -- y',
	'BEGIN ISOLATION LEVEL SERIALIZABLE, READ ONLY, DEFERRABLE',
	'START TRANSACTION READ WRITE ISOLATION LEVEL REPEATABLE READ',
	'BEGIN ISOLATION LEVEL READ COMMITTED NOT DEFERRABLE')
{
	for my $end ('COMMIT', 'ROLLBACK', 'END', 'ABORT WORK',
		'commit and no chain', 'ROLLBACK TRANSACTION;')
	{
		costs(0, "$begin, $end, simple", sub {
			$_[0]->query($begin), $_[0]->query($end);
		});
		costs(0, "$begin, $end, extended", sub {
			$_[0]->extended($begin), $_[0]->extended($end);
		});
	}
}

costs(2, 'extended', sub {
	$_[0]->extended('BEGIN'),
		$_[0]->extended('SELECT v FROM things WHERE id = $1', 4),
		$_[0]->extended('COMMIT');
});

$_->prepare('b', 'BEGIN'), $_->prepare('c', 'COMMIT'),
	$_->prepare('s', 'SELECT v FROM things WHERE id = $1')
	for $c, $direct;

costs(2, 'prepared', sub {
	map { $_[0]->execute_prepared(@$_) } [ 'b' ], [ 's', 5 ], [ 'c' ];
});

costs(2, 'without Describe', sub {
	map {
		my $name = $_;
		$_[0]->bind('', $name, $name eq 's' ? [ 6 ] : [])
			->execute('')->sync()->result();
	} 'b', 's', 'c';
});

costs(3, 'prepared inside of it', sub {
	$_[0]->query('BEGIN'), $_[0]->prepare('n', 'SELECT $1::int'),
		$_[0]->close_statement('n')->sync()->result(),
		$_[0]->query('ROLLBACK');
});

costs(0, 'a Sync alone, inside of it', sub {
	$_[0]->query('BEGIN'), $_[0]->sync()->result(),
		$_[0]->query('ROLLBACK');
});

# behind it, anything: all of it happens in the block

for my $sql ('SAVEPOINT s', "SET LOCAL work_mem = '77MB'", 'BEGIN',
	'LOCK TABLE things', 'SELECT 1; SELECT 2', 'SELECT 1 / 0', '', 'nonsense',
	'COMMIT AND CHAIN', 'SET TRANSACTION ISOLATION LEVEL SERIALIZABLE',
	'DECLARE c CURSOR FOR SELECT 1', 'VACUUM', 'COPY things TO STDOUT',
	'ROLLBACK TO s', 'PREPARE TRANSACTION \'x\'', 'DEALLOCATE nothing')
{
	same("$sql, simple", sub {
		$_[0]->query('BEGIN'), $_[0]->query($sql),
			$_[0]->query('SELECT 5'), $_[0]->query('ROLLBACK');
	});

	next if $sql =~ /; /;

	same("$sql, extended", sub {
		$_[0]->extended('BEGIN'), $_[0]->extended($sql),
			$_[0]->extended('SELECT 5'),
			$_[0]->extended('ROLLBACK');
	});
}

# what is no BEGIN, although it begins so

for my $sql ('BEGIN ,READ ONLY', 'BEGIN READ', 'BEGIN ISOLATION LEVEL',
	'BEGIN READ ONLY,', 'BEGIN x', '"begin"', 'BEGIN; SELECT 1', 'START',
	'BEGIN TRANSACTION WORK', 'COMMIT', 'ROLLBACK', 'END;')
{
	same($sql, sub { $_[0]->query($sql), $_[0]->query('ROLLBACK') });
}

same('BEGIN with a parameter', sub {
	$_[0]->extended('BEGIN', 1), $_[0]->query('SELECT 1');
});

same('Flush', sub {
	my ($client) = @_;

	my @r = $client->query('BEGIN');

	$client->parse('', 'SELECT v FROM things WHERE id = $1')
		->describe('S', '')->flush();
	push @r, $client->read_until('T');
	$client->bind('', '', [ 7 ])->execute('')->sync();
	push @r, $client->result();

	return @r, $client->query('COMMIT');
});

same('all in one write', sub {
	my ($client) = @_;

	$client->send('Q', "$_\0") for ('BEGIN', "UPDATE things SET v = 'x' WHERE id = 8", 'COMMIT',
		'BEGIN', 'SELECT v FROM things WHERE id = 8', 'ROLLBACK');
	$client->flush_out();

	return map { $client->result() } 1 .. 6;
});

# the unnamed statement and portal are the client's

same('the unnamed statement', sub {
	my ($client) = @_;

	my @r = $client->parse('', 'SELECT 7')->sync()->result();

	push @r, $client->execute_prepared('b');
	push @r, $client->bind('', '', [])->execute('')->sync()->result();
	push @r, $client->query('COMMIT');

	return @r, $client->bind('', '', [])->execute('')->sync()->result();
});

###############################################################################
# What it means.

$c->close();
$c = client();
$c->prepare('c', 'COMMIT');

my $d = client();

for my $client (map { client() } 1 .. 3) {
	is($client->query('BEGIN')->status(), 'T', 'a block of many');
	is($d->query('SELECT 1')->value(), 1, 'holds no connection');
}

$c->query('BEGIN ISOLATION LEVEL REPEATABLE READ');
is($c->query('SHOW transaction_isolation')->value(), 'repeatable read',
	'its isolation level');
$c->query('COMMIT');

$c->query('BEGIN');
$c->query("UPDATE things SET v = 'changed' WHERE id = 9");
is($c->query('ROLLBACK')->tag(), 'ROLLBACK', 'rolled back');
is($c->query('SELECT v FROM things WHERE id = 9')->value(), 'thing 9',
	'nothing has changed');

is($c->query('SELECT v FROM things WHERE id = 10')->value(), 'thing 10',
	'what is in the cache') for 1 .. 2;
$c->query('BEGIN');
my $hits = $t->status()->{upstreams}{one}{total}{hits};
$c->query('SELECT v FROM things WHERE id = 10');
is($t->status()->{upstreams}{one}{total}{hits}, $hits,
	'is not read in a block');
$c->query('COMMIT');

# left alone

for my $way ('close', 'abort') {
	my $e = client();
	$e->query('BEGIN');
	$e->$way();
	is($d->query('SELECT 1')->value(), 1, "left by $way");
}

###############################################################################
# No connection for it: the block has failed.

$d->query('BEGIN');
$d->query('SELECT 1');

$c->query('BEGIN');
my $r = $c->query('SELECT 1');
is($r->state(), '53300', 'no connection for the first statement');
is($r->status(), 'E', 'the block has failed');

$r = $c->query('SELECT 1');
is($r->state(), '25P02', 'as all in it');
is($r->status(), 'E', 'until its end');

$r = $c->extended('SELECT $1::int', 1);
is($r->state(), '25P02', 'extended, too');
is($r->types(), 'EZ', 'and nothing else');
is($c->query('DEALLOCATE ALL')->state(), '25P02', 'DEALLOCATE ALL, too');
is($c->sync()->result()->status(), 'E', 'a Sync alone');

$d->query('COMMIT');

is($c->query('SELECT 1')->state(), '25P02',
	'and if there is a connection again');

$r = $c->query('COMMIT');
is($r->tag(), 'ROLLBACK', 'COMMIT is a ROLLBACK');
is($r->status(), 'I', 'its end');
is($c->query('SELECT 1')->value(), 1, 'and on');

$d->query('BEGIN');
$d->query('SELECT 1');

for my $end (sub { $_[0]->extended('ROLLBACK') }, sub {
	$_[0]->execute_prepared('c') })
{
	$c->extended('BEGIN');
	is($c->extended('SELECT 1')->state(), '53300', 'extended');
	$r = $end->($c);
	is($r->tag(), 'ROLLBACK', 'extended, the end');
	is($r->status(), 'I', 'extended, idle');
}

$c->query('BEGIN');
$c->parse('', 'SELECT 1')->describe('S', '')->flush();
is($c->read_message()->{fields}{C}, '53300', 'at a Flush');
$c->bind('', '', [])->execute('')->sync();
$r = $c->result();
is($r->types(), 'Z', 'what follows is skipped');
is($r->status(), 'E', 'and the block has failed');
$c->query('ROLLBACK');

$c->query('BEGIN');
$c->query('SELECT 1');
is($c->query('ROLLBACK TO SAVEPOINT s')->error()->{S}, 'FATAL',
	'what cannot be told ends the connection');

$d->query('COMMIT');
$d->close();

# cancelled while it waits

$d = client(8081);
my $e = client(8081);
$d->query('BEGIN');
$d->query('SELECT 1');
$e->query('BEGIN');
$e->send("Q", "SELECT 1\0")->flush_out();
wait_for(sub { $t->status()->{upstreams}{patient}{total}{waiting} });
$e->cancel();
$r = $e->result();
is($r->state(), '57014', 'cancelled while it waits');
is($r->status(), 'E', 'its block has failed');
is($e->query('ROLLBACK')->status(), 'I', 'and ends');
$d->query('COMMIT');

$e = client();

###############################################################################
# The worker leaves: a block that was not sent moves with its client.

$e->query('BEGIN');
my $idle = client();
$t->reload();

wait_for(sub { 1 == (() = $t->worker_pids(all => 1)) }, 10);

is($idle->query('SELECT v FROM things WHERE id = 1')->value(), 'thing 1',
	'an idle client goes on in another worker');
$r = $e->query('SELECT v FROM things WHERE id = 3');
is($r->error() ? $r->message() : $r->value(), 'thing 3',
	'and so does a block');
is($r->status(), 'T', 'which is open');
is($e->query('COMMIT')->tag(), 'COMMIT', 'to its end');

$t->done_testing();

###############################################################################

sub client {
	my ($port) = @_;
	return pg_client(port($port || 8080), %app);
}

sub bytes {
	return join '', map {
		ref $_ eq 'HASH' || ref $_ eq 'ARRAY' ? ''
			: unpack('H*', $_->bytes())
	} @_;
}

# the same as the database says it itself

sub same {
	my ($name, $code) = @_;

	is(bytes($code->($c)), bytes($code->($direct)), "$name, the answer");
}

sub costs {
	my ($n, $name, $code) = @_;

	my @got;

	$relay->reset();
	@got = $code->($c);

	is($relay->trips(), $n, $name);
	is(bytes(@got), bytes($code->($direct)), "$name, the answer");
}

###############################################################################
