#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: the cookbook of docs/policy.md: each policy as it is
# printed there, in a server of its own; and some once more with other times
# or digests, where what is printed there cannot be waited for or be known.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive;
use Test::Hyperdrive::Process qw(wait_for run_command);

###############################################################################

my $t = Test::Hyperdrive->new();

my $pg = $t->postgres(users => { app => 'pw' }, 
	databases => [ 'shop', 'reports', 'staging' ],
	sql => { map { $_ => <<'EOS' } 'shop', 'reports', 'staging' });

SET ROLE app;
CREATE TABLE products (id int PRIMARY KEY, v text);
INSERT INTO products SELECT g, 'v' || g FROM generate_series(1, 20) g;
CREATE TABLE categories AS SELECT * FROM products;
CREATE TABLE sessions AS SELECT * FROM products;
CREATE TABLE prices AS SELECT * FROM products;
CREATE TABLE orders AS SELECT * FROM products;
CREATE TABLE events AS SELECT * FROM products;
CREATE FUNCTION total(int) RETURNS bigint IMMUTABLE LANGUAGE plpgsql AS
    'BEGIN RETURN (SELECT count(*) FROM orders WHERE id <= $1); END';
CREATE TABLE queue (id serial, name text);
CREATE FUNCTION writes() RETURNS int LANGUAGE plpgsql AS
    'BEGIN UPDATE orders SET v = v; RETURN 1; END';

EOS

my $other = 'postgres://app:pw@127.0.0.1:' . $pg->port();
my $url = "$other?sslmode=disable";

# What the servers have besides: their upstream, their hyperdrive_cache.

my %servers = (
	'Only what is named is cached' => [ 'shop', 'max_age=1s' ],
	'Old answers rather than none' => [ 'shop', 'max_age=60s' ],
	'Batch jobs wait behind all others' => [ 'one', 'max_age=60s' ],
	'Nothing in clear' => [ 'shop', 'max_age=60s', 'ssl_certificate '
		. 'front.crt; ssl_certificate_key front.key;' ],
);

# The policies once more, in other words: title => [ a new title => a change ]

my %others = (
	'Old answers rather than none' => [
		'...while they are fetched' => sub { s/max_age=5m/max_age=3s/ },
		'...while there is none' => sub { s/max_age=5m/max_age=3s/;
			s/stale_while_revalidate=\S+// } ],
	'A statement that must not run today' => [
		'...by its digest' => sub { s/0123456789abcdef/@{[ digest(
			'select v from orders where id = ?') ]}/ } ],
	'Reports at night' => [
		'...by day' => sub { s/time\.hour >= 6 and time\.hour < 22/time.hour >= 0 and time.hour < 24/ },
		'...by night' => sub { s/time\.hour >= 6 and time\.hour < 22/time.hour >= 24/ } ],
);

# what has to be seen of each of them; what takes its time is looked at last

my @later;

my %tests = (
	'A table that is never cached' => sub {
		my ($port) = @_;
		cached($port, 'SELECT v FROM sessions WHERE id = 1', '0 0 0');
		cached($port, 'SELECT v FROM orders WHERE id = 1', '1 1 1');
	},
	'Prices for five seconds' => sub {
		my ($port) = @_;
		cached($port, 'SELECT v FROM prices WHERE id = 1', '1 1 1');
		push @later, sub {
			my $sql = 'SELECT v FROM %s WHERE id = 17';
			cached($port, sprintf($sql, $_), '1 1 1')
				for 'orders', 'prices';

			return sub {
				old($port, sprintf($sql, 'prices'));
				young($port, sprintf($sql, 'orders'));
			};
		};
	},
	'Only what is named is cached' => sub {
		my ($port) = @_;
		cached($port, 'SELECT v FROM products WHERE id = 1', '1 1 1');
		cached($port, 'SELECT v FROM categories WHERE id = 1',
			'1 1 1');
		cached($port, 'SELECT v FROM orders WHERE id = 2', '0 0 0');

		# longer than the server's own age

		push @later, sub {
			my @sql = map { "SELECT v FROM $_ WHERE id = 18" }
				'products', 'categories';
			cached($port, $_, '1 1 1') for @sql;
			return sub { young($port, $_) for @sql };
		};
	},
	'Old answers rather than none' => sub {
		my ($port) = @_;
		cached($port, 'SELECT v FROM categories WHERE id = 2',
			'1 1 1');
	},
	'...while they are fetched' => sub {
		my ($port) = @_;
		my $sql = 'SELECT v FROM categories WHERE id = 8';
		cached($port, $sql, '1 1 1');
		my $stale = total('stale');
		my $c = client($port);
		wait_for(sub { is_deeply($c->query($sql)->rows(), [ [ 'v8' ] ])
			or die; total('stale') > $stale }, 20, 'an old answer');
		$c->close();
	},
	'...while there is none' => sub {
		my ($port) = @_;
		my $sql = 'SELECT v FROM categories WHERE id = 9';
		cached($port, $sql, '1 1 1');

		# the last of all

		push @later, sub {
			my $c = client($port);
			$c->query($sql);
			return undef, sub {
				my $old = total('error_stale');
				$pg->kill();
				is($c->query($sql)->value(), 'v9',
					'there is no other: an old answer');
				cmp_ok(total('error_stale'), '>', $old,
					'...is counted');
				ok($c->query('SELECT v FROM orders '
					. 'WHERE id = 9')->error(),
					'...of another table there is none');
				$c->close();
			};
		};
	},
	'No DDL through this door' => sub {
		my ($port) = @_;
		refused($port, 'DROP TABLE orders', '42501',
			'the schema is changed by migrations only');
		allowed($port, 'SELECT 1');
	},
	'A server for reading' => sub {
		my ($port) = @_;
		for my $sql ('DELETE FROM orders', 'DROP TABLE orders',
		    'COPY orders TO STDOUT', 'DO $$BEGIN END$$',
		    'SELECT writes()', 'WITH x AS (DELETE FROM orders '
		    . 'RETURNING id) SELECT * FROM x', 'TRUNCATE orders')
		{
			refused($port, $sql, '25006');
		}
		allowed($port, $_) for 'SELECT v FROM orders', 'BEGIN',
			'SET x.y = 1', 'COMMIT', 'SELECT now()';
	},
	'No DELETE or UPDATE of a whole table' => sub {
		my ($port) = @_;
		refused($port, $_, '42501', 'there is no WHERE in it') for
			'DELETE FROM orders', 'update orders set v = v',
			" DELETE\n FROM orders RETURNING id";
		allowed($port, $_) for 'DELETE FROM orders WHERE id = -1',
			"UPDATE orders SET v = v\nWHERE id = 1",
			'INSERT INTO orders VALUES (100)';
	},
	'Functions that nobody needs' => sub {
		my ($port) = @_;
		refused($port, $_, '42501') for 'SELECT pg_sleep(0)',
			"SELECT pg_catalog.pg_read_file('/etc/passwd')",
			"SELECT lo_import('/etc/passwd')",
			"SELECT * FROM dblink('x', 'y') AS t(a int)";
		allowed($port, 'SELECT count(*) FROM orders');
	},
	'A statement that must not run today' => sub {
		my ($port) = @_;
		allowed($port, 'SELECT v FROM orders WHERE id = 1');
	},
	'...by its digest' => sub {
		my ($port) = @_;
		refused($port, "SELECT v FROM orders\nWHERE id = $_", '57014',
			'too slow, see the wiki') for 1, 2;
		allowed($port, 'SELECT v FROM orders WHERE v = $$v$$');
	},
	'Two seconds for the web site' => sub {
		my ($port) = @_;
		my $slow = 'SELECT count(*) FROM generate_series(1, '
			. '1000000000)';
		my $c = client($port, params => { application_name => 'web' });
		is($c->query($slow)->state(), '57014', 'a time-out');
		$c->close();
	},
	'Batch jobs wait behind all others' => sub {
		my ($port) = @_;

		# the only connection is in use, and the batch was first

		my ($holder, $web) = (client($port), client($port));
		my $batch = client($port,
			params => { application_name => 'batch' });

		$t->wait_catalog('one');
		$holder->query('BEGIN');
		$holder->query('SELECT v FROM orders');

		my $n = 0;

		for ([ $batch, 'batch' ], [ $web, 'web' ]) {
			my ($c, $name) = @$_;

			$c->send('Q', 'INSERT INTO queue (name) VALUES '
				. "('$name')\0");
			$c->flush_out();
			$n++;
			wait_for(sub { $t->status()->{upstreams}{one}{total}
				{waiting} == $n }, 20, "$n that wait");
		}

		$holder->query('COMMIT');
		is($_->result()->state(), '', 'it runs') for $web, $batch;

		is($pg->psql('SELECT string_agg(name, chr(32) ORDER BY id) '
			. 'FROM queue', db => 'shop'), 'web batch',
			'the batch is last');
		$_->close() for $holder, $web, $batch;
	},
	'A driver that leaves things behind' => sub {
		my ($port) = @_;
		my $c = client($port, user => 'legacy');
		$c->query('SELECT 1');
		is(total('pins')->{policy}, 1, 'a pin');
		$c->close();
		allowed($port, 'SELECT 1');
	},
	'Reports go to a database of their own' => sub {
		my ($port) = @_;
		for my $user ('report', 'app') {
			my $c = client($port, user => $user);
			is($c->query('SELECT current_database()')->value(),
				$user eq 'report' ? 'reports' : 'shop',
				"of $user");
			$c->close();
		}
	},
	'A copy of what is read, for tomorrow\'s database' => sub {
		my ($port) = @_;

		# the table that is not copied first

		allowed($port, 'SELECT v FROM orders WHERE id = 7');
		allowed($port, 'UPDATE products SET v = v WHERE id = 7');
		allowed($port, 'SELECT v FROM products WHERE id = 7');

		my $asked = sub {
			return $pg->psql('SELECT string_agg(query, chr(10)) '
				. "FROM pg_stat_activity WHERE datname = "
				. "'staging' AND application_name = ''");
		};

		wait_for(sub { $asked->() =~ /products WHERE id = 7/ }, 20,
			'the copy');
		is($asked->(), 'SELECT v FROM products WHERE id = 7',
			'a copy of a read, and of nothing else');
	},
	'Nothing in clear' => sub {
		my ($port) = @_;
		refused($port, 'SELECT 1', '28000',
			'connect with sslmode=require');
		like(psql($port, 'SELECT 1', 'disable'), qr/sslmode=require$/m,
			'in clear');
		like(psql($port, 'SELECT 1', 'require'), qr/^1$/m, 'by TLS');
	},
	'What a framework says of a statement' => sub {
		my ($port) = @_;
		my $sql = 'SELECT v FROM products WHERE id = 3';
		cached($port, "$sql /*route='%2Fcheckout'*/", '0 0 0');
		cached($port, "$sql /*route='%2Fcatalog%2F5'*/", '1 1 1');
		cached($port, "$sql /*route='%2Fother'*/", '1 1 1');
	},
	'Reads of one table alone' => sub {
		my ($port) = @_;
		cached($port, 'SELECT v FROM products WHERE id = 4', '1 1 1');
		cached($port, 'SELECT v FROM orders WHERE id = 4', '0 0 0');
		cached($port, 'SELECT count(*) FROM products p, orders o '
			. 'WHERE o.id = p.id', '0 0 0');
		allowed($port, 'UPDATE orders SET v = v WHERE id = 1');
	},
	'A budget for an expensive statement' => sub {
		my ($port) = @_;
		my $sql = 'SELECT count(*) FROM events';
		my $c = client($port);
		my $d = client($port, user => 'other');
		is(join(' ', map { $c->query($sql)->state() || 'ok' } 1 .. 5),
			'ok ok ok 53400 53400', 'three');
		is($d->query($sql)->state(), '', 'another user');
		is($c->query("$sql WHERE id = 1")->state(), '',
			'another statement');
		$_->close() for $c, $d;
	},
	'Reports at night' => sub {
		my ($port) = @_;
		my $hour = (localtime())[2];
		my $sql = "SELECT count(*) FROM orders /*job='report'*/";
		allowed($port, 'SELECT count(*) FROM orders');
		my $c = client($port);
		my $state = $c->query($sql)->state();
		$hour = $hour == (localtime())[2] ? $hour : undef;
		SKIP: {
			skip('the hour has changed', 1) unless defined $hour;
			is($state, $hour >= 6 && $hour < 22 ? '42501' : '',
				"at $hour");
		}
		$c->close();
	},
	'...by day' => sub {
		my ($port) = @_;
		my $sql = "SELECT count(*) FROM orders /*job='report'*/";
		refused($port, $sql, '42501', 'reports run from 22 to 6');
		allowed($port, 'SELECT count(*) FROM orders');
	},
	'...by night' => sub {
		my ($port) = @_;
		allowed($port, "SELECT count(*) FROM orders /*job='report'*/");
	},
	'One key for each country' => sub {
		my ($port) = @_;
		my $sql = 'SELECT v FROM prices WHERE id = 5';

		# who has none of the map is in no country

		my @asks = (swiss => '0 1 1', swiss => '1 0 0',
			french => '0 1 1', swiss => '1 0 0', app => '0 1 1',
			other => '1 0 0');

		while (my ($user, $expected) = splice @asks, 0, 2) {
			my $c = client($port, user => $user);
			is(counted(sub { $c->query($sql) }), $expected, $user);
			$c->close();
		}
	},
	'Tables behind a function' => sub {
		my ($port) = @_;
		my $sql = 'SELECT total(id) FROM products WHERE id = 6';
		cached($port, $sql, '1 1 1');
		my $c = client($port);
		$c->query('UPDATE orders SET v = v WHERE id = 1');
		$c->close();
		cached($port, $sql, '1 1 1');
	},
	'A customer with too much data' => sub {
		my ($port) = @_;
		my $sql = 'SELECT count(*) FROM events WHERE id = $1';
		my $c = client($port);
		is(counted(sub { $c->extended($sql, 1000) for 1 .. 2 }),
			'0 0 0', 'the one');
		is(counted(sub { $c->extended($sql, 5) for 1 .. 2 }),
			'1 1 1', 'another');
		$c->close();
	},
	'What is not understood' => sub {
		my ($port) = @_;
		my $c = client($port);
		is($c->query('FROBNICATE all')->state(), '42601',
			'passed on');
		$c->close();
		ok($t->wait_for_log(qr/policy: not understood, from 127\.0\.0\.1: frobnicate all/),
			'logged');
	},
);

###############################################################################

$t->certificate('front');

my @recipes = recipes();

cmp_ok(scalar @recipes, '>=', 15, 'as many as there should be');

for my $recipe (@recipes) {
	my ($title, $text) = @$recipe;
	my @changes = @{$others{$title} || []};

	while (my ($name, $change) = splice @changes, 0, 2) {
		local $_ = $text;
		$change->();
		isnt($_, $text, "$title$name: is another one");
		push @recipes, [ $name, $_ ];
	}
}

my $servers = '';

for my $i (0 .. $#recipes) {
	my ($title, $text) = @{$recipes[$i]};
	my ($upstream, $cache, $more) = @{$servers{$title} || []};

	$servers .= <<"EOS";
    server {
        listen            127.0.0.1:@{[ 8080 + $i ]};
        hyperdrive_pass   @{[ $upstream || 'shop' ]};
        hyperdrive_cache  shop @{[ $cache || 'max_age=60s' ]};
        @{[ $more || '' ]}
$text
    }
EOS
}

$t->write_file_expand('nginx.conf', <<"EOS")->run();

%%TEST_GLOBALS%%

events {
}

%%TEST_STATUS%%

stream {
    hyperdrive_cache_zone   shop 8m;
    hyperdrive_users        off;
    hyperdrive_policy_dict  1m;

    map \$hyperdrive_user \$country {
        swiss   ch;
        french  fr;
        default "";
    }

    upstream reports {
        hyperdrive_origin  $other/reports?sslmode=disable;
    }

    upstream staging {
        hyperdrive_origin  $other/staging?sslmode=disable;
    }

    upstream one {
        hyperdrive_origin  $url;
        hyperdrive_pool    max=1;

        # who waits is a client
        hyperdrive_catalog  refresh=1h;
    }

    upstream shop {
        hyperdrive_origin    $url;
        hyperdrive_pool      max=8;
        hyperdrive_function  total reads;
    }

$servers
}

EOS

$_->close() for client(8080);
$t->wait_catalog('shop');

is(join("\n", sort map { $_->[0] } @recipes), join("\n", sort keys %tests),
	'each has its test');

for my $i (0 .. $#recipes) {
	my ($title) = @{$recipes[$i]};

	subtest($title => sub {
		$t->wait_catalog('shop');
		$tests{$title}->(8080 + $i) if $tests{$title};
		is(total('policy_errors'), 0, 'no error');
		done_testing();
	});
}

# in three steps: first all is asked for, then time goes by

my @steps = map { [ $_->() ] } @later;

for my $i (0, 1) {
	$_->[$i]->() for grep { $_->[$i] } @steps;
}

$t->done_testing();

###############################################################################

# The policies of the cookbook: title and text.

sub recipes {
	my $file = Test::Hyperdrive::root() . '/docs/policy.md';

	open(my $fh, '<', $file) or die "cannot read $file: $!\n";
	local $/;
	my ($cookbook) = scalar(<$fh>) =~ /^## Cookbook\n(.*?)(?:^## |\z)/ms;

	my @found;

	while ($cookbook =~ /^### (.*?)\n(.*?)(?=^### |\z)/msg) {
		my ($title, $text) = ($1, $2);

		my ($code) = $text =~ /^```nginx\n(.*?)^```/ms;
		push @found, [ $title, $code ] if defined $code;
	}

	return @found;
}

sub client {
	my ($port, %o) = @_;

	return pg_client(port($port), user => 'app', database => 'shop',
		timeout => 20, %o);
}

sub total {
	my ($name) = @_;
	return $t->status()->{upstreams}{shop}{total}{$name};
}

sub counted { return $t->counted('shop', @_) }

# Asked for twice.

sub cached {
	my ($port, $sql, $expected) = @_;

	my $c = client($port);
	is(counted(sub { $c->query($sql) for 1 .. 2 }), $expected,
		"$sql: $expected");
	$c->close();
}

# Its age is over; and it is not.

sub old {
	my ($port, $sql) = @_;

	my $c = client($port);
	wait_for(sub { counted(sub { $c->query($sql) }) =~ /^0 1/ }, 20,
		"the end of $sql");
	pass("$sql: is asked for anew");
	$c->close();
}

sub young {
	my ($port, $sql) = @_;

	my $c = client($port);
	is(counted(sub { $c->query($sql) }), '1 0 0', "$sql: is still kept");
	$c->close();
}

# What psql says, over TLS or in clear.

sub psql {
	my ($port, $sql, $mode) = @_;

	my ($status, $out) = run_command([ Test::Hyperdrive::Postgres::bin(
		'psql'), '-X', '-A', '-t', '-c', $sql,
		'host=127.0.0.1 port=' . port($port)
			. " user=app dbname=shop sslmode=$mode" ]);

	return $out;
}

# FNV-1a of 64 bits, of a statement's form.

sub digest {
	my ($form) = @_;

	use integer;
	no warnings 'portable';

	my $hash = 0xcbf29ce484222325 + 0;

	for my $byte (unpack 'C*', $form) {
		$hash = ($hash ^ $byte) * 0x100000001b3;
	}

	return sprintf('%016x', $hash);
}

sub refused {
	my ($port, $sql, $state, $words) = @_;

	my $c = client($port);
	my $r = $c->query($sql);
	is($r->state(), $state, "refused: $sql");
	is($r->error()->{M}, $words, '...in these words') if defined $words;
	$c->close();
}

sub allowed {
	my ($port, $sql, %o) = @_;

	my $c = client($port, %o);
	is($c->query($sql)->state(), '', "allowed: $sql");
	$c->close();
}

###############################################################################
