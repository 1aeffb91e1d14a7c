#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: answers from shared memory: the same bytes as the
# database's, and only where it may be.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive;

###############################################################################

my $t = Test::Hyperdrive->new(log => 'info');

my $pg = $t->postgres(users => { app => 'pw', other => 'pw' },
	databases => [ 'shop', 'store' ],
	sql => { map { $_ => <<"EOS" } 'shop', 'store' });

CREATE TABLE things (id int PRIMARY KEY, v text, n numeric, d date);
INSERT INTO things SELECT g, '$_ thing ' || g, g / 7.0, '2026-01-01'::date + g
    FROM generate_series(1, 50) g;
INSERT INTO things VALUES (100, NULL, NULL, NULL), (101, '', 0, 'infinity');
CREATE TABLE whose (id int, v text);
INSERT INTO whose VALUES (1, 'app''s'), (1, 'other''s');
ALTER TABLE whose ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON whose USING (v LIKE current_user || '%');
CREATE TABLE wide (id int, v text);
INSERT INTO wide SELECT g, repeat('w', 1000) FROM generate_series(1, 2000) g;
CREATE FUNCTION noisy(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS
    'BEGIN RAISE NOTICE ''noise''; RETURN \$1; END';
CREATE SEQUENCE seq;
GRANT ALL ON things, whose, wide, seq TO app, other;

EOS

my $origin = $pg->port();

$t->write_file_expand('nginx.conf', <<"EOS")->run();

%%TEST_GLOBALS%%

events {
}

%%TEST_STATUS%%

stream {
    hyperdrive_cache_zone  shop 16m;
    hyperdrive_cache_zone  small 64k;

    hyperdrive_users  off;

    upstream shop {
        hyperdrive_origin  postgres://app:pw\@127.0.0.1:$origin?sslmode=disable;
        hyperdrive_pool    max=4;
    }

    upstream other {
        hyperdrive_origin  postgres://other:pw\@127.0.0.1:$origin?sslmode=disable;
        hyperdrive_pool    max=4;
    }

    server {
        listen            127.0.0.1:8080;
        hyperdrive_pass   shop;
        hyperdrive_cache  shop max_age=60s;
    }

    server {
        listen            127.0.0.1:8081;
        hyperdrive_pass   other;
        hyperdrive_cache  shop max_age=60s;
    }

    server {
        listen            127.0.0.1:8082;
        hyperdrive_pass   shop;
        hyperdrive_cache  shop max_age=300ms;
    }

    server {
        listen            127.0.0.1:8083;
        hyperdrive_pass   shop;
        hyperdrive_cache  shop max_age=60s max_size=100k;
    }

    server {
        listen            127.0.0.1:8084;
        hyperdrive_pass   shop;
    }

    server {
        listen            127.0.0.1:8085;
        hyperdrive_pass   shop;
        hyperdrive_cache  small max_age=60s;
    }
}

EOS

# the databases are known from here on

$_->close() for client(), client(8080, database => 'store'), client(8081);
$t->wait_catalog('shop', 2)->wait_catalog('other');

my $read = 'SELECT id, v, n, d FROM things WHERE id = ';

###############################################################################

same_bytes();
matrix();
uncached();
notices();
pipelined();
aged();
oversized();
apart();
policies();
small();
pages();
off();

$t->done_testing();

###############################################################################

sub client {
	my ($port, %o) = @_;

	return pg_client(port($port || 8080), user => 'app',
		database => 'shop', timeout => 10, %o);
}

sub totals {
	my ($upstream) = @_;
	return $t->status()->{upstreams}{$upstream || 'shop'}{total};
}

# What was counted: 'hits misses stored', as it changed.

sub counted {
	my ($code, $upstream) = @_;
	return $t->counted($upstream || 'shop', $code);
}

sub bytes {
	my (@results) = @_;
	return join(' ', map { unpack('H*', $_->bytes()) } @results);
}

###############################################################################

# Miss, hit, another client's hit and the database, byte for byte.

sub same_bytes {
	my $c = client();
	my $d = client();
	my $direct = $pg->client(user => 'app', password => 'pw',
		database => 'shop');

	my $order = 'SELECT * FROM things ORDER BY id';
	my $none = 'SELECT v FROM things WHERE id = 1000';

	my @forms = (
		'simple' => sub { $_[0]->query($read . '1') },
		'simple, many rows' => sub { $_[0]->query($order) },
		'simple, no rows' => sub { $_[0]->query($none) },
		'simple, no columns' => sub {
			$_[0]->query('SELECT FROM things WHERE id < 3');
		},
		'simple, null and empty' => sub {
			$_[0]->query("SELECT v, n, d FROM things "
				. "WHERE id >= 100 ORDER BY id");
		},
		'simple, large' => sub {
			$_[0]->query('SELECT id, v FROM wide '
				. 'WHERE id <= 900 ORDER BY id');
		},
		'extended' => sub { $_[0]->extended($read . '$1', 2) },
		'extended, large' => sub {
			$_[0]->extended('SELECT id, v FROM wide '
				. 'WHERE id <= $1 ORDER BY id', 500);
		},
		'extended, one large row' => sub {
			$_[0]->extended("SELECT repeat(v, 300) FROM wide "
				. 'WHERE id = 1');
		},
		'extended, no parameters' => sub {
			$_[0]->extended($read . '3');
		},
		'extended, null as parameter' => sub {
			$_[0]->extended($read . '$1', undef);
		},
		'extended, many rows' => sub { $_[0]->extended($order) },
		'extended, no rows' => sub { $_[0]->extended($none) },
		'extended, without Describe' => sub {
			$_[0]->parse('', $read . '$1')->bind('', '', [ 4 ])
				->execute()->sync()->result();
		},
		'extended, binary' => sub {
			$_[0]->parse('', $read . '$1')->bind('', '', [ 5 ],
				results => [ 1 ])->describe('P', '')->execute()
				->sync()->result();
		},
		'extended, binary, without Describe' => sub {
			$_[0]->parse('', $read . '$1')->bind('', '', [ 5 ],
				results => [ 1 ])->execute()->sync()->result();
		},
		'extended, mixed' => sub {
			$_[0]->parse('', $read . '$1')->bind('', '', [ 5 ],
				results => [ 1, 0, 1, 0 ])->describe('P', '')
				->execute()->sync()->result();
		},
		'extended, text, said for each' => sub {
			$_[0]->parse('', $read . '$1')->bind('', '', [ 5 ],
				results => [ 0, 0, 0, 0 ])->describe('P', '')
				->execute()->sync()->result();
		},
		'extended, binary parameter' => sub {
			$_[0]->parse('', $read . '$1', 23)->bind('', '',
				[ pack('N', 5) ], formats => [ 1 ])
				->describe('P', '')->execute()->sync()
				->result();
		},
		'extended, parameter of a type' => sub {
			$_[0]->parse('', 'SELECT v FROM things WHERE id = $1',
				20)->bind('', '', [ 6 ])->describe('P', '')
				->execute()->sync()->result();
		},
		'extended, named portal' => sub {
			$_[0]->parse('', $read . '$1')->bind('p', '', [ 7 ])
				->describe('P', 'p')->execute('p')->sync()
				->result();
		},
	);

	while (my ($name, $code) = splice @forms, 0, 2) {
		my $expected = bytes($code->($direct));
		my ($miss, $hit, $other);

		# the envelope is the asker's, what is inside is shared

		my $known = $name =~ /^extended, (?:many rows|no rows)$/
			|| $name eq 'extended, binary, without Describe';

		is(counted(sub { $miss = $code->($c) }),
			$known ? '1 0 0' : '0 1 1', "$name, the first");
		is(counted(sub { $hit = $code->($c) }), '1 0 0',
			"$name, the second");
		is(counted(sub { $other = $code->($d) }), '1 0 0',
			"$name, another client");

		ok(bytes($miss) eq $expected, "$name, the first answer");
		ok(bytes($hit) eq $expected, "$name, the second answer")
			or diag($hit->types() . ' ' . $miss->types());
		ok(bytes($other) eq $expected, "$name, the other client's answer");
	}

	# an answer is shared by forms that differ in their envelope only

	$c->query("SELECT v FROM things WHERE id = 30");

	my $r;

	counted(sub { $r = $c->extended("SELECT v FROM things WHERE id = 30") });
	ok(bytes($r) eq bytes($direct->extended(
		"SELECT v FROM things WHERE id = 30")),
		'simple first, extended then');

	# all parameters count, and where one ends

	my $two = 'SELECT $1::text || $2::text FROM things WHERE id = 1';

	is($c->extended($two, 'ab', 'c')->value(), 'abc', 'ab and c');
	is($c->extended($two, 'a', 'bc')->value(), 'abc', 'a and bc');
	is($c->extended($two, 'a', undef)->value(), undef, 'a and null');
	is($c->extended($two, 'a', '')->value(), 'a', 'a and empty');
	is($c->extended($two, 'a', undef)->value(), undef, 'a and null again');

	# the same bytes, and another type

	my $plus = 'SELECT $1 FROM things WHERE id = 1';

	is($c->parse('', $plus, 23)->bind('', '', [ '007' ])->execute()->sync()
		->result()->value(), '7', 'as a number');
	is($c->parse('', $plus, 25)->bind('', '', [ '007' ])->execute()->sync()
		->result()->value(), '007', 'as a text');

	$_->close() for $c, $d, $direct;
}

# Parse or reuse, hit or miss.

sub matrix {
	my $c = client();
	my $d = client();
	my $direct = $pg->client(user => 'app', password => 'pw',
		database => 'shop');

	my $sql = $read . '$1 AND true';

	my $parse = sub {
		$_[0]->parse('m', $sql)->bind('', 'm', [ $_[1] ])
			->describe('P', '')->execute()->sync()->result();
	};
	my $reuse = sub { $_[0]->execute_prepared('m', $_[1]) };

	my @steps = (
		[ 'Parse, miss', $parse, $c, 21, '0 1 1' ],
		[ 'reuse, hit', $reuse, $c, 21, '1 0 0' ],
		[ 'reuse, miss', $reuse, $c, 22, '0 1 1' ],
		[ 'Parse, hit', $parse, $d, 22, '1 0 0' ],
		[ 'reuse, hit, another client', $reuse, $d, 21, '1 0 0' ],
		[ 'reuse, miss, after a Parse that was a hit', $reuse, $d, 23,
			'0 1 1' ],
		[ 'reuse, hit of another client', $reuse, $c, 23, '1 0 0' ],
	);

	$direct->prepare('m', $sql);

	for my $step (@steps) {
		my ($name, $code, $client, $id, $counted) = @$step;
		my $r;

		is(counted(sub { $r = $code->($client, $id) }), $counted, $name);

		my $expected = $code == $parse ? '3100000004' : '';
		$expected .= bytes($reuse->($direct, $id));

		is(bytes($r), $expected, "$name, the answer");
	}

	# a name that a hit has given is taken

	is($d->prepare('m', 'SELECT 1')->state(), '42P05',
		'the name that a hit has given');
	is($d->close_statement('m')->sync()->result()->types(), '3Z',
		'is closed');
	is($reuse->($d, 21)->state(), '26000', 'and gone');

	# the unnamed statement that a hit has given

	$c->extended($sql, 24);
	is(counted(sub { $d->extended($sql, 24) }), '1 0 0', 'unnamed, hit');
	is($d->bind('', '', [ 25 ])->execute()->sync()->result()->value(), 25,
		'unnamed, used again, miss');
	is($d->bind('', '', [ 24 ])->execute()->sync()->result()->value(), 24,
		'unnamed, used again, hit');

	$d->query($read . '1');
	is($d->bind('', '', [ 25 ])->execute()->sync()->result()->state(),
		'26000', 'unnamed, gone with a Query that was a hit');

	# one that fails is not remembered as prepared

	is($d->execute_prepared('nobody', 1)->state(), '26000',
		'a statement that does not exist');

	$_->close() for $c, $d, $direct;
}

###############################################################################

sub uncached {
	my $c = client();

	my @sql = (
		'no table' => 'SELECT 1',
		'no table, immutable' => 'SELECT abs(-1)',
		'time' => 'SELECT now() IS NULL FROM things LIMIT 1',
		'time as a literal' =>
			"SELECT 'now'::timestamp IS NULL FROM things LIMIT 1",
		'date as a literal' =>
			"SELECT d < 'tomorrow' FROM things LIMIT 1",
		'current_date' => 'SELECT current_date IS NULL FROM things '
			. 'LIMIT 1',
		'identity' => 'SELECT current_user FROM things LIMIT 1',
		'random' => 'SELECT random() < 2 FROM things LIMIT 1',
		'sequence' => "SELECT nextval('seq') > 0 FROM things LIMIT 1",
		'sequence as a table' => 'SELECT last_value FROM seq',
		'a function of the user' => 'SELECT noisy(1) FROM things '
			. 'LIMIT 1',
		'FOR UPDATE' => 'SELECT v FROM things WHERE id = 1 FOR UPDATE',
		'FOR SHARE' => 'SELECT v FROM things WHERE id = 1 FOR SHARE',
		'FOR KEY SHARE' =>
			'SELECT v FROM things WHERE id = 1 FOR KEY SHARE',
		'catalog' => 'SELECT count(*) > 0 FROM pg_class',
		'catalog, qualified' =>
			'SELECT count(*) > 0 FROM pg_catalog.pg_class',
		'information_schema' =>
			'SELECT count(*) > 0 FROM information_schema.tables',
		'system column' => 'SELECT ctid FROM things WHERE id = 1',
		'system column, xmin' => 'SELECT xmin FROM things WHERE id = 1',
		'sample' => 'SELECT count(*) >= 0 FROM things '
			. 'TABLESAMPLE bernoulli (50)',
		'two statements' => 'SELECT v FROM things WHERE id = 1; '
			. 'SELECT v FROM things WHERE id = 2',
		'a write that reads' => 'INSERT INTO things '
			. 'SELECT 500, v FROM things WHERE id = 1 '
			. 'ON CONFLICT DO NOTHING RETURNING id',
		'a WITH that writes' => 'WITH w AS (UPDATE things SET v = v '
			. 'WHERE id = 3 RETURNING v) SELECT v FROM w',
		'EXPLAIN' => 'EXPLAIN SELECT v FROM things WHERE id = 1',
		'SHOW' => 'SHOW work_mem',
		'an error' => 'SELECT 1 / (id - id) FROM things',
		'an error of the form' => 'SELECT v FROM nothing',
		'a setting' => "SELECT current_setting('work_mem') "
			. 'FROM things LIMIT 1',
		'size' => "SELECT pg_relation_size('things') FROM things "
			. 'LIMIT 1',
	);

	while (my ($name, $sql) = splice @sql, 0, 2) {
		is(counted(sub { $c->query($sql) for 1 .. 3 })
			=~ s/^(\d+) \d+ (\d+)$/$1 $2/r, '0 0',
			"not cached: $name");
		is(counted(sub { $c->extended($sql) for 1 .. 3 })
			=~ s/^(\d+) \d+ (\d+)$/$1 $2/r, '0 0',
			"not cached, extended: $name") if $sql !~ /;/;
	}

	$c->close();
	$c = client();

	# in a transaction, though it is there

	$c->query($read . '10');

	is(counted(sub {
		$c->query('BEGIN');
		$c->query("UPDATE things SET v = 'changed' WHERE id = 10");
		is($c->query($read . '10')->row()->[1], 'changed',
			'one\'s own write, in a transaction');
		is($c->extended($read . '$1', 10)->row()->[1], 'changed',
			'one\'s own write, extended');
		$c->query('ROLLBACK');
	}), '0 0 0', 'not cached: in a transaction');

	is(counted(sub { $c->query($read . '10') }), '1 0 0',
		'and after it, a hit');

	# in the implicit transaction of a batch

	is(counted(sub {
		$c->parse('', "UPDATE things SET v = 'batch' WHERE id = 11")
			->bind('', '', [])->execute();
		$c->parse('', $read . '11')->bind('', '', [])->execute()
			->sync();

		is($c->result()->row()->[1], 'batch',
			'one\'s own write, in a batch');
	}), '0 0 0', 'not cached: in a batch');

	# behind a write that was sent with it

	$c->query($read . '12');
	$c->send('Q', "UPDATE things SET v = 'ahead' WHERE id = 12; BEGIN\0");
	$c->send('Q', $read . "12\0");

	$c->result();
	is($c->result()->row()->[1], 'ahead',
		'a read behind BEGIN, sent with it');
	$c->query('ROLLBACK');

	# some of the rows

	my $some = 'SELECT id FROM things WHERE id < 10 ORDER BY id';

	is(counted(sub {
		for (1 .. 2) {
			is($c->parse('', $some)->bind('', '', [])
				->execute('', 2)->sync()->result()->types(),
				'12DDsZ', 'some of the rows');
		}
	}), '0 0 0', 'not cached: some of the rows');

	is(scalar @{$c->query($some)->rows()}, 9, 'and then all of them');

	# ended by Flush

	is(counted(sub {
		for (1 .. 2) {
			$c->parse('', $some)->bind('', '', [])->execute()
				->flush();
			$c->read_until('C');
			$c->sync()->result();
		}
	}), '0 0 0', 'not cached: ended by a Flush');

	$c->close();
}

# An answer with a notice.  A view hides the function.

sub notices {
	$pg->psql('CREATE VIEW noise AS SELECT noisy(id) AS id FROM things '
		. 'WHERE id < 3; GRANT SELECT ON noise TO app', db => 'shop');

	my $c = client();
	my $sql = 'SELECT id FROM noise WHERE id = 1';

	for (1 .. 2) {
		is(counted(sub {
			ok(@{$c->query($sql)->notices()} > 0,
				'an answer with a notice');
		}) =~ s/^(\d+) \d+ (\d+)$/$1 $2/r, '0 0',
			'not cached: a notice');
	}

	$c->close();
}

###############################################################################

# Many in flight: their order is kept.

sub pipelined {
	my $c = client();
	my $sql = 'SELECT id FROM things WHERE id = $1 AND v IS NOT NULL';

	$c->prepare('s', $sql);
	$c->execute_prepared('s', $_) for map { 2 * $_ } 1 .. 12;

	my @ids = map { $_ % 3 ? $_ : 2 * ($_ % 12 + 1) } 1 .. 24;

	$c->bind('', 's', [ $_ ])->execute()->sync() for @ids;

	is(join(' ', map { $c->result()->value() } @ids), join(' ', @ids),
		'hits and misses in flight');

	# with others in between

	$c->bind('', 's', [ 2 ])->execute()->sync();
	$c->send('Q', "SELECT 'simple'\0");
	$c->bind('', 's', [ 41 ])->execute()->sync();
	$c->bind('', 'nobody', [])->execute()->sync();
	$c->send('Q', "SELECT id FROM things WHERE id = 33\0");
	$c->bind('', 's', [ 4 ])->execute()->sync();
	$c->send('Q', "SELECT 1 / 0\0");
	$c->send('Q', "SELECT id FROM things WHERE id = 33\0");
	$c->send('Q', "BEGIN\0");
	$c->bind('', 's', [ 6 ])->execute()->sync();
	$c->send('Q', "COMMIT\0");
	$c->bind('', 's', [ 8 ])->execute()->sync();

	my @r = map { $c->result() } 1 .. 12;

	is(join(' ', map { $_->value() // ($_->state() || $_->tag()) } @r),
		'2 simple 41 26000 33 4 22012 33 BEGIN 6 COMMIT 8',
		'hits, misses, errors and a transaction in flight');
	is(join('', map { $_->status() } @r), 'IIIIIIIITTII',
		'and what each ended in');

	# a hit leaves in its own write, one byte at a time

	my $d = client(8080, split => 1);

	is($d->query("SELECT id FROM things WHERE id = 33")->value(), 33,
		'a hit, byte by byte');
	is($d->extended($sql, 2)->value(), 2, 'and extended');

	$_->close() for $c, $d;
}

sub aged {
	my $c = client(8082);
	my $sql = "SELECT v FROM things WHERE id = 14";

	is($c->query($sql)->value(), 'shop thing 14', 'an answer');

	# (told to nobody: the write does not pass here)

	$pg->psql("UPDATE things SET v = 'new' WHERE id = 14", db => 'shop');

	is(wait_for(sub {
		my $v = $c->query($sql)->value();
		$v eq 'new' && $v;
	}, 5), 'new', 'is asked for anew after max_age');

	$c->close();
}

sub oversized {
	my $c = client(8083);
	my $sql = 'SELECT id, v FROM wide ORDER BY id';

	is(counted(sub {
		is(scalar @{$c->query($sql)->rows()}, 2000, 'a large answer')
			for 1 .. 2;
	}), '0 2 0', 'larger than max_size');

	is(totals()->{oversized}, 2, 'is counted');

	is(counted(sub { $c->query("$sql LIMIT 90") for 1 .. 2 }), '1 1 1',
		'a little less than max_size');

	$c->close();

	# below the limit of another server

	my $d = client();

	is(counted(sub {
		is(scalar @{$d->query("$sql LIMIT 900")->rows()}, 900,
			'900 rows') for 1 .. 2;
	}), '1 1 1', '900 kB, kept');

	$d->close();
}

# Neither users nor databases share.

sub apart {
	my $sql = 'SELECT v FROM things WHERE id = 20';

	my $shop = client();
	my $store = client(8080, database => 'store');
	my $other = client(8081);

	for (1 .. 2) {
		is($shop->query($sql)->value(), 'shop thing 20', 'a database');
		is($store->query($sql)->value(), 'store thing 20',
			'another database');
	}

	is(counted(sub { $other->query($sql) }, 'other'), '0 1 1',
		'another user');

	$_->close() for $shop, $store, $other;
}

# What a policy lets one user see, no other sees.

sub policies {
	my $sql = 'SELECT v FROM whose WHERE id = 1';

	my $app = client();
	my $other = client(8081);

	for (1 .. 2) {
		is($app->query($sql)->value(), "app's", 'what one may see');
		is($other->query($sql)->value(), "other's",
			'what another may see');
	}

	# start-up parameters are part of it

	my $german = client(8080, params => { DateStyle => 'German, DMY' });
	my $date = 'SELECT d FROM things WHERE id = 1';

	for (1 .. 2) {
		is($app->query($date)->value(), '2026-01-02', 'a date');
		is($german->query($date)->value(), '02.01.2026',
			'a date, in German');
	}

	$_->close() for $app, $other, $german;
}

# Huge pages are asked for; whether there are any, the system decides.

sub pages {
	SKIP: {
		skip('no huge pages in this kernel', 1)
			unless -e '/sys/kernel/mm/transparent_hugepage/enabled';

		open(my $fh, '<', '/proc/' . $t->master_pid() . '/smaps')
			or skip('no smaps', 1);

		my ($size, $huge) = (0, 0);

		while (<$fh>) {
			$size = $1 if /^Size:\s+(\d+) kB/;
			$huge = 1 if /^VmFlags:.* hg\b/ && $size == 16 * 1024;
		}

		ok($huge, 'huge pages are asked for');
	}
}

# A zone that is too small for all: nothing breaks.

sub small {
	my $c = client(8085);

	my $wrong = 0;

	for my $i (1 .. 300) {
		my $id = $i % 50 + 1;
		my $v = $c->query("SELECT id FROM things WHERE id = $id "
			. "AND $i < 1000")->value();
		$wrong++ if $v != $id;
	}

	is($wrong, 0, 'a small zone, right answers');
	ok($t->status()->{caches}{small}{evicted} > 0, 'and evictions');

	is(scalar @{$c->query('SELECT id, v FROM wide ORDER BY id')->rows()},
		2000, 'what does not fit');

	$c->close();
}

sub off {
	my $c = client(8084);

	is(counted(sub { $c->query($read . '1') for 1 .. 3 }), '0 0 0',
		'a server without a cache');
	$c->close();
}

###############################################################################
