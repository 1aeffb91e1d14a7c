#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: how many round trips a query costs, counted as changes
# of direction between the module and the database.

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
ANALYZE things;

EOF

my $relay = $t->relay(to => $pg->port());
my $origin = $relay->port();

my $my = $t->mariadb(users => { app => 'pw' }, databases => [ 'shop' ]);

my %new = (pg => $t->relay(to => $pg->port()),
	my => $t->relay(to => $my->port()));
my ($new_pg, $new_my) = map { $_->port() } @new{'pg', 'my'};

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
        hyperdrive_pool    max=1;
        hyperdrive_catalog refresh=1h;
    }

    upstream two {
        hyperdrive_origin  postgres://app:pw\@127.0.0.1:$origin/shop?sslmode=disable;
        hyperdrive_pool    max=2;
        hyperdrive_catalog refresh=1h;
    }

    # nobody else has a connection

    upstream pg {
        hyperdrive_origin   postgres://app:pw\@127.0.0.1:$new_pg/shop?sslmode=disable;
        hyperdrive_pool     max=2;
        hyperdrive_catalog  off;
    }

    upstream my {
        hyperdrive_origin   mysql://app:pw\@127.0.0.1:$new_my/shop?ssl-mode=DISABLED;
        hyperdrive_pool     max=2;
        hyperdrive_catalog  off;
    }

    server {
        listen           127.0.0.1:8083;
        hyperdrive_pass  pg;
    }

    server {
        listen           127.0.0.1:8084;
        hyperdrive_pass  my;
    }

    server {
        listen           127.0.0.1:8080;
        hyperdrive_pass  one;
    }

    server {
        listen           127.0.0.1:8081;
        hyperdrive_pass  two;
    }

    server {
        listen            127.0.0.1:8082;
        hyperdrive_pass   one;
        hyperdrive_cache  shop max_age=60s;
    }
}

EOF

my %app = (user => 'app', database => 'shop');

# the same questions, asked of the database itself

my $direct = $pg->client(%app, password => 'pw');

###############################################################################
# A new connection: what a log-in takes, and the first query, ahead of which
# goes the question which server it is.

{
	my @c = (client(8083), mysql_client(port(8084), user => 'app',
		password => 'x', database => 'shop'));

	is($new{pg}->trips(), 3, 'PostgreSQL: start-up, and two of SCRAM');
	is($new{my}->trips(), 2, 'MySQL: the response, and what its plugin asks');

	is($c[0]->query('SELECT 5')->value(), 5, 'a first query');
	is($new{pg}->trips(), 4, '...costs one');
	is($c[1]->value('SELECT 6'), 6, 'a first query');
	is($new{my}->trips(), 3, '...costs one');

	is($c[0]->query('SELECT 7')->value(), 7, 'the next');
	is($new{pg}->trips(), 5, '...one more');
	is($c[1]->value('SELECT 8'), 8, 'the next');
	is($new{my}->trips(), 4, '...one more');

	like($pg->psql('SELECT query FROM pg_stat_activity WHERE '
		. "application_name <> 'psql' AND usename = 'app'"),
		qr/SELECT 7/, 'over the same connection');

	$c[0]->close();
	$c[1]->quit();
}

###############################################################################
# Without the cache: one.

# the databases are known from here on: to read of them is no trip of theirs

$t->wait_catalog('one')->wait_catalog('two');

my $c = client(8080);

$c->query('SELECT 1');

for my $again ('once', 'again') {
	costs(1, "simple, $again", $c, sub {
		$_[0]->query('SELECT v FROM things WHERE id = 1');
	});

	costs(1, "extended, unnamed, $again", $c, sub {
		$_[0]->extended('SELECT v FROM things WHERE id = $1', 2);
	});
}

costs(1, 'prepare', $c, sub {
	$_[0]->prepare('s', 'SELECT v FROM things WHERE id = $1');
});

for my $id (3, 4) {
	costs(1, "execute, prepared by itself, $id", $c, sub {
		$_[0]->execute_prepared('s', $id);
	});
}

costs(1, 'a write', $c, sub {
	$_[0]->query("UPDATE things SET v = 'thing 50' WHERE id = 50");
});

costs(1, 'a write, extended', $c, sub {
	$_[0]->extended('UPDATE things SET v = $1 WHERE id = 50', 'thing 50');
});

costs(1, 'an error', $c, sub { $_[0]->query('SELECT 1 / 0') });

costs(1, 'several statements in one query', $c, sub {
	$_[0]->query('SELECT 1; SELECT 2');
});

costs(0, 'BEGIN', $c, sub { $_[0]->query('BEGIN') });
costs(1, 'in a transaction', $c, sub {
	$_[0]->execute_prepared('s', 5);
});
costs(1, 'COMMIT', $c, sub { $_[0]->query('COMMIT') });

costs(2, 'a transaction of one statement', $c, sub {
	$_[0]->query('BEGIN'), $_[0]->execute_prepared('s', 6),
		$_[0]->query('COMMIT');
});
costs(0, 'a transaction of none', $c, sub {
	$_[0]->query('BEGIN'), $_[0]->query('COMMIT');
});

# a second client: its log-in is answered by nginx

my $d;

is(trips(sub { $d = client(8080) }), 0, 'the log-in of a second client');
ok(!defined $d->error(), 'which has come about');
is_deeply([ sort keys %{$d->parameters()} ],
	[ sort keys %{$direct->parameters()} ],
	'and was told the parameters');

my $other = $pg->client(%app, password => 'pw');

costs(1, 'Parse, Bind and Execute of a known text', $d, sub {
	$_[0]->parse('x', 'SELECT v FROM things WHERE id = $1')
		->bind('', 'x', [ 7 ])->describe('P', '')->execute('')->sync()
		->result();
}, $other);

costs(1, 'the same statement once more', $d, sub {
	$_[0]->execute_prepared('x', 8);
}, $other);

is(trips(sub {
	my $e = client(8080);
	is($e->query('SELECT v FROM things WHERE id = 9')->value(), 'thing 9',
		'a new client and its first query');
	$e->close();
}), 1, 'cost one');

$c->close();
$d->close();
$other->close();

# a connection to the database that does not have the statement yet

my $a = client(8081);
my $b = client(8081);
$other = $pg->client(%app, password => 'pw');

is($_->query('BEGIN; SELECT 1')->status(), 'T', 'a connection of its own')
	for $a, $b;
is($_->query('COMMIT')->status(), 'I', 'given back') for $a, $b;

$b->prepare('s', 'SELECT v, id FROM things WHERE id = $1');
$other->prepare('s', 'SELECT v, id FROM things WHERE id = $1');

costs(1, 'a statement where it was prepared', $b, sub {
	$_[0]->execute_prepared('s', 10);
}, $other);

# the connection that was used last goes to the other client

$a->query('BEGIN; SELECT 1');

costs(1, 'a statement where it was not', $b, sub {
	$_[0]->execute_prepared('s', 10);
}, $other);

costs(1, 'a statement where it was not, again', $b, sub {
	$_[0]->execute_prepared('s', 11);
}, $other);

$a->query('COMMIT');

$_->close() for $a, $b, $other;

###############################################################################
# With the cache: one, then none.

$c = client(8082);
$d = client(8082);

my $read = 'SELECT v FROM things WHERE id = ';

costs(1, 'simple, miss', $c, sub { $_[0]->query($read . '1') });
costs(0, 'simple, hit', $c, sub { $_[0]->query($read . '1') });
costs(0, 'simple, hit of another client', $d, sub {
	$_[0]->query($read . '1');
});
costs(1, 'simple, another text', $d, sub { $_[0]->query($read . '2') });

for my $id (11, 12) {
	costs(1, "unnamed, miss, $id", $c, sub {
		$_[0]->extended($read . '$1', $id);
	});
	costs(0, "unnamed, hit, $id", $c, sub {
		$_[0]->extended($read . '$1', $id);
	});
	costs(0, "unnamed, hit of another client, $id", $d, sub {
		$_[0]->extended($read . '$1', $id);
	});
}

# the matrix: Parse or reuse, hit or miss

sub parse_and_run {
	my ($client, $id) = @_;

	return $client->parse('m', "${read}\$1 AND true")
		->bind('', 'm', [ $id ])->describe('P', '')->execute('')
		->sync()->result();
}

costs(1, 'Parse, miss', $c, sub { parse_and_run($_[0], 21) });
costs(0, 'reuse, hit', $c, sub { $_[0]->execute_prepared('m', 21) });
costs(1, 'reuse, miss', $c, sub { $_[0]->execute_prepared('m', 22) });

$other = $pg->client(%app, password => 'pw');

costs(0, 'Parse, hit', $d, sub { parse_and_run($_[0], 22) }, $other);
costs(0, 'reuse, hit, another client', $d, sub {
	$_[0]->execute_prepared('m', 21);
}, $other);
costs(1, 'reuse, miss, another client', $d, sub {
	$_[0]->execute_prepared('m', 23);
}, $other);
costs(0, 'and its hit', $c, sub { $_[0]->execute_prepared('m', 23) });

# the form of the answer is the asker's

costs(0, 'without Describe', $c, sub {
	$_[0]->bind('', 'm', [ 21 ])->execute('')->sync()->result();
});
costs(1, 'binary, miss', $c, sub {
	$_[0]->bind('', 'm', [ 21 ], results => [ 1 ])->execute('')->sync()
		->result();
});
costs(0, 'binary, hit', $c, sub {
	$_[0]->bind('', 'm', [ 21 ], results => [ 1 ])->execute('')->sync()
		->result();
});

# in flight together: hits and misses keep their order

costs(1, 'hit, miss, hit and hit in one write', $c, sub {
	my ($client) = @_;

	for my $id (21, 31, 22, 23) {
		$client->bind('', 'm', [ $id ])->execute('')->sync();
	}

	return map { $client->result() } 1 .. 4;
});

costs(0, 'three hits in one write', $c, sub {
	my ($client) = @_;

	for my $id (22, 31, 21) {
		$client->bind('', 'm', [ $id ])->execute('')->sync();
	}

	return map { $client->result() } 1 .. 3;
});

# what must reach the database all the same

for my $sql ('SELECT 1', 'SELECT now() IS NULL', 'SELECT random() < 2',
    'SELECT v FROM things WHERE id = 1 FOR UPDATE',
    'SELECT count(*) > 0 FROM pg_class')
{
	for my $again ('once', 'again') {
		costs(1, "$sql, $again", $c, sub { $_[0]->query($sql) });
	}
}

$c->query('BEGIN');
$direct->query('BEGIN');
costs(1, 'what is cached, in a transaction', $c, sub {
	$_[0]->query($read . '1');
});
$c->query('COMMIT');
$direct->query('COMMIT');

costs(0, 'and after it', $c, sub { $_[0]->query($read . '1') });

is(trips(sub {
	my $e = client(8082);
	is($e->query($read . '1')->value(), 'thing 1',
		'a new client and what is cached');
	$e->close();
}), 0, 'cost none');

# the database is away: what is cached is there

$relay->refuse()->cut('both');

is($d->query($read . '1')->value(), 'thing 1',
	'a hit while the database is away');

$relay->accept();

# to prepare what has been prepared before costs nothing

my @known = ('SELECT v, id AS known FROM things WHERE id = $1',
	'INSERT INTO things VALUES ($1, $2) RETURNING id');

sub known {
	my ($n, $how, @more) = @_;

	my $e = client(@more ? @more : 8080);
	my $f = $pg->client(%app, password => 'pw');
	my $i = 0;

	for my $sql (@known) {
		$i++;

		costs($n, "prepare, $how, $i", $e,
			sub { $_[0]->prepare("k$i", $sql) }, $f);
		costs(0, "once more, $how, $i", $e,
			sub { $_[0]->prepare("l$i", $sql) }, $f);
		costs(0, "only Parse, $how, $i", $e,
			sub { $_[0]->parse("m$i", $sql)->sync()->result() },
			$f);
		costs(0, "with a Flush, $how, $i", $e, sub {
			my ($d) = @_;
			my @m = $d->parse("n$i", $sql)->describe('S', "n$i")
				->flush()->read_until('T');
			return map { Bytes->new($_) } @m;
		}, $f);
		costs(0, "its end, $how, $i", $e,
			sub { $_[0]->sync()->result() }, $f);
		costs(0, "unnamed, $how, $i", $e, sub { $_[0]->prepare('', $sql)
			}, $f);
		costs(0, "Close, $how, $i", $e, sub {
			$_[0]->close_statement("n$i")->close_statement("x")
				->sync()->result() }, $f);
		costs(0, "Close and Parse, $how, $i", $e, sub {
			$_[0]->close_statement("m$i")->parse("n$i", $sql)
				->describe('S', "n$i")->sync()->result() },
			$f);

		# what must not come from memory

		costs(1, "a name that is taken, $how, $i", $e,
			sub { $_[0]->parse("k$i", $sql)->sync()->result() },
			$f);
		costs(1, "a name that does not exist, $how, $i", $e,
			sub { $_[0]->describe('S', "m$i")->sync()->result() },
			$f);
	}

	costs(1, "and its use, $how", $e,
		sub { $_[0]->execute_prepared('k1', 7) }, $f);
	costs(1, "unnamed, its use, $how", $e, sub {
		$_[0]->prepare('', $known[0]);
		$_[0]->execute_prepared('', 7) }, $f);

	$_->close() for $e, $f;
}

client(8080)->query('SELECT 1');

known(1, 'new');
known(0, 'known');

# a change of the tables makes an end of it

client(8080)->query('ALTER TABLE things ADD w int DEFAULT 5');
again();
known(1, 'after a change');
known(0, 'and then');

{
	my $e = client(8080);
	my $sql = 'SELECT * FROM gone';

	$e->query('CREATE TABLE gone (id int)');
	$e->prepare('g', $sql);

	costs(0, 'prepare before it goes', $e,
		sub { $_[0]->prepare('h', $sql) });

	$e->query('DROP TABLE gone');
	again();

	my $f = client(8080);

	is($f->prepare('g', $sql)->state(), '42P01', 'a table that has gone');
	is($f->parse('h', $sql)->sync()->result()->state(), '42P01',
		'only Parse');

	$f->query('BEGIN');
	$f->query('CREATE TABLE gone (other text)');

	my $r = $f->prepare('i', $sql);

	is($r->first('T')->{columns}[0]{name}, 'other',
		'in the block that makes it anew');
	$f->query('ROLLBACK');
	is($f->parse('k', $sql)->sync()->result()->state(), '42P01',
		'and behind it');

	$_->close() for $e, $f;
}

$_->close() for $c, $d;

$t->done_testing();

###############################################################################

sub client {
	my ($port) = @_;
	return pg_client(port($port), %app);
}

# Messages of an answer without an end.

{
	package Bytes;

	sub new { my ($class, $m) = @_; return bless { m => $m }, $class; }

	sub bytes {
		my ($self) = @_;
		return pack('a N', $self->{m}{type},
			4 + length $self->{m}{body}) . $self->{m}{body};
	}
}

sub trips {
	my ($code) = @_;

	$relay->reset();
	$code->();

	return $relay->trips();
}

# Trips of one question, whose answer must be, byte for byte, the database's.

sub costs {
	my ($n, $name, $client, $code, $straight) = @_;

	my @got;

	is(trips(sub { @got = $code->($client) }), $n, $name);

	my @expected = $code->($straight || $direct);

	is(join('', map { unpack('H*', $_->bytes()) } @got),
		join('', map { unpack('H*', $_->bytes()) } @expected),
		"$name, the answer");
}

###############################################################################

# The catalog is read again.

sub again {
	for my $port (8080, 8081) {
		my $e = client($port);
		$e->query('SELECT v FROM things WHERE id = 1');
		$e->close();
	}

	$t->wait_catalog('one')->wait_catalog('two');

	# it has taken the place of the only connection

	client(8080)->query('SELECT 1');
}
