#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: prepared statements, whose connections to the database
# are shared by clients: each script is played to the database itself and
# through the module, and both must say the same.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive;
use Test::Hyperdrive::Compare qw/ difference told /;

###############################################################################

my $t = Test::Hyperdrive->new();

my $pg = $t->postgres(users => { app => 'pw' }, databases => [ 'shop' ],
	sql => { shop => <<'EOS' });

SET ROLE app;
CREATE TABLE things (id int PRIMARY KEY, v text);
INSERT INTO things SELECT g, 'thing ' || g FROM generate_series(1, 20) g;
CREATE TABLE shape (id int, v int);
INSERT INTO shape VALUES (1, 10);
CREATE TABLE notes (id int, n text);
CREATE TABLE late (id int UNIQUE DEFERRABLE INITIALLY DEFERRED);

EOS

my $url = $pg->url();

$t->write_file_expand('nginx.conf', <<"EOS")->run();

%%TEST_GLOBALS%%

events {
}

%%TEST_STATUS%%

stream {
    hyperdrive_cache_zone  shop 8m;

    hyperdrive_users  off;

    upstream one {
        hyperdrive_origin  $url;
        hyperdrive_pool    max=1;
    }

    upstream two {
        hyperdrive_origin  $url;
        hyperdrive_pool    max=2;
    }

    upstream few {
        hyperdrive_origin  $url;
        hyperdrive_pool    max=1 statements=2;
    }

    upstream pinned {
        hyperdrive_origin  $url;
        hyperdrive_pool    max=4;
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
        listen           127.0.0.1:8082;
        hyperdrive_pass  few;
    }

    server {
        listen            127.0.0.1:8083;
        hyperdrive_pass   two;
        hyperdrive_cache  shop max_age=60s;
    }

    server {
        listen           127.0.0.1:8084;
        hyperdrive_pass  pinned;
    }
}

EOS

my %app = (user => 'app', database => 'shop', timeout => 10);

my $QUERY = 'SELECT v FROM things WHERE id = $1';

###############################################################################
# One script, played twice.

my @scripts = (
	'a statement and its repetition' => sub {
		my ($c) = @_;

		return ($c->prepare('s', $QUERY),
			$c->execute_prepared('s', 1),
			$c->execute_prepared('s', 2),
			$c->execute_prepared('s', 1));
	},

	'a name that is taken' => sub {
		my ($c) = @_;

		return ($c->prepare('s', $QUERY), $c->prepare('s', $QUERY),
			$c->prepare('s', 'SELECT 1'),
			$c->execute_prepared('s', 3));
	},

	'a name that is taken, in one batch' => sub {
		my ($c) = @_;

		$c->parse('s', $QUERY)->parse('s', 'SELECT 2')
			->bind('', 's', [ 1 ])->execute()->sync();

		return ($c->result(), $c->execute_prepared('s', 4));
	},

	'a name that is taken, in a transaction' => sub {
		my ($c) = @_;

		return ($c->prepare('s', $QUERY), $c->query('BEGIN'),
			$c->prepare('s', 'SELECT 1'), $c->query('SELECT 1'),
			$c->execute_prepared('s', 4), $c->query('ROLLBACK'),
			$c->execute_prepared('s', 4));
	},

	'a name that does not exist' => sub {
		my ($c) = @_;

		my @r = ($c->execute_prepared('nobody', 1),
			$c->describe('S', 'nobody')->sync()->result(),
			$c->execute_prepared('', 1),
			$c->describe('S', '')->sync()->result(),
			$c->describe('P', 'nobody')->sync()->result(),
			$c->execute('nobody')->sync()->result());

		return (@r, $c->query('SELECT 1'));
	},

	'a name that does not exist, in a transaction' => sub {
		my ($c) = @_;

		return ($c->query('BEGIN'), $c->query('SELECT 5'),
			$c->execute_prepared('nobody', 1),
			$c->query('SELECT 1'),
			$c->query('COMMIT'), $c->query('SELECT 1'));
	},

	'a name that does not exist, behind a write of its batch' => sub {
		my ($c) = @_;

		$c->parse('', 'INSERT INTO notes VALUES (1)')
			->bind('', '', [])->execute()
			->bind('', 'nobody', [])->execute()->sync();

		return ($c->result(), $c->query('SELECT count(*) FROM notes'));
	},

	'a name that does not exist, behind a Flush' => sub {
		my ($c) = @_;

		$c->parse('', 'INSERT INTO notes VALUES (1)')
			->bind('', '', [])->execute()->flush();
		my @m = $c->read_until('C');

		$c->bind('', 'nobody', [])->execute()->sync();

		return (@m, $c->result(),
			$c->query('SELECT count(*) FROM notes'));
	},

	'Close' => sub {
		my ($c) = @_;

		my @r = ($c->prepare('s', $QUERY),
			$c->close_statement('s')->sync()->result(),
			$c->execute_prepared('s', 1),
			$c->close_statement('s')->sync()->result(),
			$c->close_statement('nobody')->sync()->result(),
			$c->close_portal('nobody')->sync()->result());

		return (@r, $c->prepare('s', 'SELECT $1::int'),
			$c->execute_prepared('s', 12));
	},

	'Close and Parse in one batch' => sub {
		my ($c) = @_;

		my @r = $c->prepare('s', $QUERY);

		$c->close_statement('s')->parse('s', 'SELECT $1::int * 2')
			->bind('', 's', [ 21 ])->execute()->sync();

		return (@r, $c->result(), $c->execute_prepared('s', 4));
	},

	'Close behind a failure of its batch' => sub {
		my ($c) = @_;

		my @r = $c->prepare('s', $QUERY);

		$c->parse('', 'SELECT 1 / $1::int')->bind('', '', [ 0 ])
			->execute()->close_statement('s')->sync();

		return (@r, $c->result(), $c->execute_prepared('s', 4));
	},

	'Parse behind a failure of its batch' => sub {
		my ($c) = @_;

		$c->parse('', 'SELECT 1 / $1::int')->bind('', '', [ 0 ])
			->execute()->parse('s', $QUERY)->sync();

		return ($c->result(), $c->execute_prepared('s', 4),
			$c->prepare('s', $QUERY),
			$c->execute_prepared('s', 4));
	},

	'a text that fails, then a good one of the same name' => sub {
		my ($c) = @_;

		return ($c->prepare('s', 'SELECT nothing FROM nowhere'),
			$c->prepare('s', 'SELEC 1'),
			$c->execute_prepared('s'),
			$c->prepare('s', $QUERY),
			$c->execute_prepared('s', 6));
	},

	'a text that fails and is right later' => sub {
		my ($c) = @_;

		my $sql = "SELECT nextval('later')";

		return ($c->query('BEGIN'), $c->query('SAVEPOINT a'),
			$c->extended($sql), $c->query('ROLLBACK TO a'),
			$c->query('CREATE SEQUENCE later'),
			$c->prepare('s', $sql), $c->execute_prepared('s'),
			$c->query('DROP SEQUENCE later'), $c->query('COMMIT'));
	},

	'a text that is right for some types only' => sub {
		my ($c) = @_;

		my $sql = 'SELECT $1 || $2';

		return ($c->prepare('a', $sql, 25, 25),
			$c->execute_prepared('a', 'x', 'y'),
			$c->prepare('b', $sql, 23, 23),
			$c->prepare('c', 'SELECT $1', 23),
			$c->prepare('d', 'SELECT $1', 25),
			$c->execute_prepared('c', '12'),
			$c->execute_prepared('d', '12'),
			$c->execute_prepared('a', 'x', 'z'));
	},

	'more than one command' => sub {
		my ($c) = @_;

		return ($c->prepare('s', 'SELECT 1; SELECT 2'),
			$c->prepare('s', ''), $c->execute_prepared('s'),
			$c->query(''), $c->query(';'));
	},

	'the unnamed statement' => sub {
		my ($c) = @_;

		my @r = ($c->prepare('', $QUERY), $c->execute_prepared('', 7),
			$c->execute_prepared('', 8));

		$c->parse('', 'SELECT 2 * $1::int')->sync();

		return (@r, $c->result(), $c->execute_prepared('', 8),
			$c->query('SELECT 1'), $c->execute_prepared('', 8));
	},

	'the unnamed statement, in a transaction' => sub {
		my ($c) = @_;

		return ($c->query('BEGIN'), $c->prepare('', $QUERY),
			$c->execute_prepared('', 7), $c->query('COMMIT'),
			$c->execute_prepared('', 8));
	},

	'the unnamed statement that fails' => sub {
		my ($c) = @_;

		return ($c->prepare('', $QUERY), $c->prepare('', 'SELEC'),
			$c->execute_prepared('', 7),
			$c->prepare('', $QUERY), $c->execute_prepared('', 7));
	},

	'the unnamed statement is closed' => sub {
		my ($c) = @_;

		return ($c->prepare('', $QUERY),
			$c->close_statement('')->sync()->result(),
			$c->execute_prepared('', 7));
	},

	'ROLLBACK keeps a statement' => sub {
		my ($c) = @_;

		return ($c->query('BEGIN'), $c->prepare('s', $QUERY),
			$c->execute_prepared('s', 9), $c->query('ROLLBACK'),
			$c->execute_prepared('s', 9),
			$c->prepare('s', 'SELECT 1'));
	},

	'ROLLBACK does not bring a statement back' => sub {
		my ($c) = @_;

		return ($c->prepare('s', $QUERY), $c->query('BEGIN'),
			$c->close_statement('s')->sync()->result(),
			$c->query('ROLLBACK'), $c->execute_prepared('s', 9));
	},

	'DEALLOCATE' => sub {
		my ($c) = @_;

		return ($c->prepare('s', $QUERY), $c->prepare('S t', $QUERY),
			$c->query('DEALLOCATE s'), $c->execute_prepared('s', 1),
			$c->execute_prepared('S t', 1),
			$c->query('DEALLOCATE PREPARE "S t"'),
			$c->execute_prepared('S t', 1),
			$c->query('deallocate nobody'),
			$c->query('SELECT 1'));
	},

	'DEALLOCATE in a transaction' => sub {
		my ($c) = @_;

		return ($c->prepare('s', $QUERY), $c->prepare('u', $QUERY),
			$c->query('BEGIN'), $c->execute_prepared('u', 1),
			$c->query('DEALLOCATE s'),
			$c->execute_prepared('u', 1),
			$c->query('COMMIT'), $c->execute_prepared('s', 1),
			$c->execute_prepared('u', 1));
	},

	'DEALLOCATE in a transaction that has failed' => sub {
		my ($c) = @_;

		return ($c->prepare('s', $QUERY), $c->query('BEGIN'),
			$c->query('SELECT 1 / 0'), $c->query('DEALLOCATE s'),
			$c->query('ROLLBACK'), $c->execute_prepared('s', 1));
	},

	'DEALLOCATE of a name that does not exist, in a transaction' => sub {
		my ($c) = @_;

		return ($c->prepare('s', $QUERY), $c->query('BEGIN'),
			$c->query('DEALLOCATE nobody'), $c->query('SELECT 1'),
			$c->query('ROLLBACK'), $c->execute_prepared('s', 1));
	},

	'DEALLOCATE ALL' => sub {
		my ($c) = @_;

		return ($c->prepare('s', $QUERY), $c->prepare('u', $QUERY),
			$c->query('DEALLOCATE ALL'),
			$c->execute_prepared('s', 1),
			$c->execute_prepared('u', 1),
			$c->prepare('u', $QUERY),
			$c->execute_prepared('u', 1));
	},

	'DEALLOCATE ALL in a transaction' => sub {
		my ($c) = @_;

		return ($c->prepare('s', $QUERY), $c->query('BEGIN'),
			$c->execute_prepared('s', 1),
			$c->query('DEALLOCATE ALL'),
			$c->execute_prepared('s', 1), $c->query('ROLLBACK'),
			$c->execute_prepared('s', 1), $c->prepare('s', $QUERY),
			$c->execute_prepared('s', 1));
	},

	'DEALLOCATE by the extended protocol' => sub {
		my ($c) = @_;

		return ($c->prepare('s', $QUERY), $c->prepare('u', $QUERY),
			$c->extended('DEALLOCATE s'),
			$c->execute_prepared('s', 1),
			$c->execute_prepared('u', 1),
			$c->extended('DEALLOCATE ALL'),
			$c->execute_prepared('u', 1));
	},

	'DEALLOCATE that is done, and a commit that fails' => sub {
		my ($c) = @_;

		my @made = ($c->prepare('s', $QUERY),
			$c->prepare('u', $QUERY));

		$c->parse('', 'INSERT INTO late VALUES (1), (1)')
			->bind('', '', [])->execute();
		$c->send('Q', "DEALLOCATE s\0");

		return (@made, $c->result(), $c->execute_prepared('u', 1),
			$c->execute_prepared('s', 1), $c->prepare('s', $QUERY));
	},

	'DISCARD ALL' => sub {
		my ($c) = @_;

		return ($c->prepare('s', $QUERY), $c->execute_prepared('s', 1),
			$c->query('DISCARD ALL'), $c->execute_prepared('s', 1),
			$c->prepare('s', $QUERY),
			$c->execute_prepared('s', 1));
	},

	'DISCARD ALL in a transaction' => sub {
		my ($c) = @_;

		return ($c->prepare('s', $QUERY), $c->query('BEGIN'),
			$c->query('DISCARD ALL'), $c->query('ROLLBACK'),
			$c->execute_prepared('s', 1));
	},

	'an error between two of a batch' => sub {
		my ($c) = @_;

		for (1, 0, 2) {
			$c->parse('', 'SELECT 10 / $1::int')
				->bind('', '', [ $_ ])->execute();
		}

		$c->sync();

		return ($c->result(), $c->query('SELECT 3'));
	},

	'errors in units that follow each other' => sub {
		my ($c) = @_;

		# (not folded when it is planned)

		$c->prepare('s', 'SELECT 10 / (id * $1::int) FROM things '
			. 'WHERE id = 1');

		$c->bind('', 's', [ $_ ])->execute()->sync() for 1, 0, 2, 0, 5;

		return map { $c->result() } 1 .. 5;
	},

	'Query behind an error, and no Sync' => sub {
		my ($c) = @_;

		$c->bind('', 'nobody', [])->execute();
		$c->send('Q', "SELECT 1\0")->sync();
		$c->send('Q', "SELECT 2\0");

		return ($c->result(), $c->result());
	},

	'Query behind an error of the database, and no Sync' => sub {
		my ($c) = @_;

		$c->parse('', 'SELECT nothing')->bind('', '', [])->execute();
		$c->send('Q', "SELECT 1\0")->sync();
		$c->send('Q', "SELECT 2\0");

		return ($c->result(), $c->result());
	},

	'Query without a Sync ahead of it' => sub {
		my ($c) = @_;

		$c->parse('', 'SELECT 1')->bind('', '', [])->execute();
		$c->send('Q', "SELECT 2\0");

		return ($c->result(), $c->sync()->result());
	},

	'portals' => sub {
		my ($c) = @_;

		my @r = ($c->query('BEGIN'),
			$c->prepare('s', 'SELECT generate_series(1, $1::int)'));

		$c->bind('p', 's', [ 5 ])->execute('p', 2)->sync();
		push @r, $c->result();

		$c->bind('q', 's', [ 3 ])->execute('q', 2)->execute('p', 2)
			->execute('q', 2)->execute('p', 0)->sync();
		push @r, $c->result();

		$c->bind('p', 's', [ 1 ])->sync();

		return (@r, $c->result(), $c->query('COMMIT'),
			$c->execute('p')->sync()->result());
	},

	'a portal does not outlive its unit' => sub {
		my ($c) = @_;

		my @r = $c->prepare('s', $QUERY);

		$c->bind('p', 's', [ 5 ])->sync();

		return (@r, $c->result(), $c->execute('p')->sync()->result());
	},

	'a statement closed under its portal' => sub {
		my ($c) = @_;

		my @r = $c->prepare('s', $QUERY);

		$c->bind('p', 's', [ 5 ])->close_statement('s')->execute('p')
			->sync();

		return (@r, $c->result());
	},

	'parameters that are wrong' => sub {
		my ($c) = @_;

		return ($c->prepare('s', $QUERY), $c->execute_prepared('s'),
			$c->execute_prepared('s', 1, 2),
			$c->execute_prepared('s', 'x'),
			$c->execute_prepared('s', undef),
			$c->execute_prepared('s', 3));
	},

	'parse, describe, Flush; bind, execute, Sync' => sub {
		my ($c) = @_;

		$c->parse('s', $QUERY)->describe('S', 's')->flush();
		my @r = $c->read_until('T');

		$c->bind('', 's', [ 5 ])->describe('P', '')->execute()->sync();

		return (@r, $c->result(), $c->execute_prepared('s', 6));
	},

	'an error ended by a Flush' => sub {
		my ($c) = @_;

		$c->parse('s', 'SELECT nothing')->describe('S', 's')->flush();
		my @r = $c->read_until('E');

		return (@r, $c->sync()->result(), $c->query('SELECT 2'));
	},

	'names and texts of all lengths' => sub {
		my ($c) = @_;

		my $long = 'n' x 63;
		my $text = 'SELECT ' . join(' + ', 1 .. 2000);

		return ($c->prepare($long, $text), $c->execute_prepared($long),
			$c->prepare("a\"b'c\\", 'SELECT 3'),
			$c->execute_prepared("a\"b'c\\"));
	},

	'names that look like those at the database' => sub {
		my ($c) = @_;

		my $name = '_hyperdrive_0000000000000001';

		return ($c->execute_prepared($name), $c->query('SELECT 1'),
			$c->prepare($name, $QUERY), $c->prepare($name, $QUERY),
			$c->execute_prepared($name, 3),
			$c->execute_prepared($name, 1, 2));
	},

	'a long text under a name that is taken' => sub {
		my ($c) = @_;

		my $long = 'x' x 1_200_000;

		return ($c->prepare('s', $QUERY),
			$c->prepare('s', "SELECT 1 /* $long */"),
			$c->prepare('s', "SELEC 1 /* $long */"),
			$c->query('BEGIN'),
			$c->prepare('s', "SELECT 1 /* $long */"),
			$c->query('SELECT 1'), $c->query('ROLLBACK'),
			$c->execute_prepared('s', 1));
	},

	'PREPARE in SQL' => sub {
		my ($c) = @_;

		return ($c->query("PREPARE p AS $QUERY"),
			$c->query('EXECUTE p(1)'),
			$c->execute_prepared('p', 2),
			$c->query('DEALLOCATE p'),
			$c->query('EXECUTE p(1)'));
	},

	'EXECUTE in SQL of what the protocol has prepared' => sub {
		my ($c) = @_;

		return ($c->prepare('s', $QUERY),
			$c->prepare('S t', 'SELECT $1::int + 1'),
			$c->query('EXECUTE s(1)'),
			$c->query('/* x */ execute "S t" (5);'),
			$c->query('EXECUTE S(2)'),
			$c->query('EXECUTE "S"(2)'),
			$c->query('EXECUTE s'),
			$c->query('EXPLAIN (COSTS off) EXECUTE "S t"(5)'),
			$c->extended('EXECUTE s(3)'),
			$c->extended('EXECUTE s(nosuch)'),
			$c->execute_prepared('s', 4),
			$c->query('EXECUTE s(4)'));
	},

	'EXECUTE in SQL, to make a table' => sub {
		my ($c) = @_;

		return ($c->prepare('s', $QUERY),
			$c->query('CREATE TEMP TABLE made AS EXECUTE s(7)'),
			$c->query('SELECT v + 0 FROM made'),
			$c->extended('CREATE TEMP TABLE more (v) ON COMMIT DROP '
				. 'AS EXECUTE s(8) WITH NO DATA'),
			$c->query('CREATE TEMP TABLE IF NOT EXISTS made AS '
				. 'EXECUTE s(9)'),
			$c->query('CREATE TABLE x AS EXECUTE nosuch'),
			$c->query('DROP TABLE made'));
	},

	'EXECUTE and PREPARE by a Query in a group' => sub {
		my ($c) = @_;

		my @first = $c->parse('s', $QUERY)->query('PREPARE s AS SELECT 5');
		my @then = $c->sync()->result();

		$c->parse('s2', $QUERY)->query('EXECUTE s2(3)');

		return (@first, @then, $c->sync()->result(),
			$c->query('EXECUTE s(4)'), $c->query('EXECUTE s2(4)'));
	},

	'EXECUTE in SQL, in a block' => sub {
		my ($c) = @_;

		return ($c->prepare('s', 'UPDATE shape SET v = v + $1'),
			$c->query('BEGIN'), $c->query('EXECUTE s(1)'),
			$c->query('SELECT v FROM shape'),
			$c->extended('EXECUTE s(1)'),
			$c->query('SELECT v FROM shape'),
			$c->query('EXECUTE s(1 / 0)'), $c->query('EXECUTE s(1)'),
			$c->extended('EXECUTE s(1)'),
			$c->query('ROLLBACK'), $c->query('SELECT v FROM shape'));
	},

	'EXECUTE in SQL, its table is gone' => sub {
		my ($c) = @_;

		$c->query('CREATE TABLE gone (id int)');
		$c->prepare('s', 'SELECT * FROM gone');
		$c->query('DROP TABLE gone');

		return ($c->query('EXECUTE s'), $c->query('SELECT 1'),
			$c->query('BEGIN'), $c->query('SELECT 1'),
			$c->query('DEALLOCATE s'), $c->query('SELECT 2'),
			$c->query('COMMIT'), $c->query('EXECUTE s'));
	},

	'a name that both give: the protocol first' => sub {
		my ($c) = @_;

		return ($c->prepare('s', $QUERY),
			$c->query('PREPARE s AS SELECT 5'),
			$c->extended('PREPARE s AS SELECT 5'),
			$c->query('EXECUTE s(1)'),
			$c->query('DEALLOCATE s'),
			$c->query('PREPARE s AS SELECT 5'),
			$c->query('EXECUTE s'), $c->execute_prepared('s'));
	},

	'a name that both give: SQL first' => sub {
		my ($c) = @_;

		return ($c->query('PREPARE s AS SELECT 5'),
			$c->prepare('s', $QUERY), $c->prepare('t', $QUERY),
			$c->query('EXECUTE s'), $c->query('EXECUTE t(2)'),
			$c->query('BEGIN'), $c->prepare('s', $QUERY),
			$c->query('ROLLBACK'),
			$c->query('DEALLOCATE s'), $c->prepare('s', $QUERY),
			$c->query('EXECUTE s(3)'), $c->execute_prepared('s', 4),
			$c->query('DEALLOCATE s'));
	},

	'a name that SQL did not give in the end' => sub {
		my ($c) = @_;

		return ($c->query('PREPARE s AS SELEC 5'),
			$c->query('PREPARE t AS SELECT 1'),
			$c->prepare('s', $QUERY), $c->query('EXECUTE s(3)'),
			$c->execute_prepared('s', 4),
			$c->query('DEALLOCATE ALL'), $c->query('EXECUTE s(3)'),
			$c->prepare('s', $QUERY), $c->execute_prepared('s', 4));
	},

	'names of both, in one go' => sub {
		my ($c) = @_;

		$c->parse('s', $QUERY)->sync();
		$c->send('Q', "$_\0") for 'EXECUTE s(1)',
			'PREPARE s AS SELECT 5', 'PREPARE t AS SELECT 6',
			'EXECUTE t';
		$c->parse('t', $QUERY)->sync();
		$c->send('Q', "EXECUTE t\0");

		return map { $c->result() } 1 .. 7;
	},
);

while (my ($name, $script) = splice @scripts, 0, 2) {
	played($name, $script);
}

###############################################################################
# Clients among each other.

meeting();
evicted();
evicted_batch();
unnamed();
deallocated();
discarded();
elsewhere();
taken_over();
worn_out();

shape($_) for 8080, 8083;
shape_held();
repeated();

full();

$t->done_testing();

###############################################################################

sub client {
	my ($port) = @_;
	return pg_client(port($port), %app);
}

sub played {
	my ($name, $script) = @_;

	my $direct = $pg->client(%app, password => 'pw');
	my $expected = told($script->($direct));

	$direct->close();

	$pg->psql('DELETE FROM notes', db => 'shop');

	# the second time the database has all the texts, under other names;
	# the last two, few may be kept, and what is read is cached

	for my $port (8080, 8080, 8082, 8083) {
		my $c = client($port);

		my $got = eval { told($script->($c)) } // $@;

		ok($got eq $expected, "$name, " . port_name($port))
			or diag(difference($got, $expected));

		$c->close();

		$pg->psql('DELETE FROM notes', db => 'shop');
	}
}

sub port_name {
	my ($port) = @_;

	return { 8080 => 'shared', 8082 => 'few', 8083 => 'cached' }->{$port};
}

###############################################################################

# One name, as many texts as clients.

sub meeting {
	my @c = map { client(8080) } 0 .. 4;

	$c[$_]->prepare('s', "SELECT $_ * 100 + \$1::int") for 0 .. 4;

	for my $round (1 .. 3) {
		is(join(' ', map { $c[$_]->execute_prepared('s', $round)
			->value() // 'none' } 0 .. 4),
			join(' ', map { $_ * 100 + $round } 0 .. 4),
			"one name and five texts, round $round");
	}

	# all at once

	$c[$_]->bind('', 's', [ 50 + $_ ])->execute()->sync()->flush_out()
		for 0 .. 4;

	is(join(' ', map { $_->result()->value() // 'none' } @c),
		'50 151 252 353 454', 'one name and five texts, at once');

	# of one text, under many names, the database has one; unless the only
	# connection has given way to who reads the catalog in between

	my ($n, $now, $text);

	for my $try (1 .. 5) {
		$text = "SELECT $try - \$1::int";

		my $pid = backend($c[0]);
		$n = statements($c[0]);

		$c[$_]->prepare("n$try$_", $text) for 0 .. 4;
		$now = statements($c[0]);

		is(join(' ', map { $c[$_]->execute_prepared("n$try$_", $_)
			->value() } 0 .. 4),
			join(' ', map { $try - $_ } 0 .. 4),
			'one text of five clients, answers');

		last if backend($c[0]) == $pid;
	}

	is($now, $n + 1, 'one text of five clients');
}

sub backend {
	my ($c) = @_;
	return $c->query('SELECT pg_backend_pid()')->value();
}

sub statements {
	my ($c) = @_;

	return $c->query('SELECT count(*) FROM pg_prepared_statements')
		->value();
}

# More statements than the database may keep.

sub evicted {

	# a DEALLOCATE that failed has left some that nobody can name

	ended();

	my $c = client(8082);
	my $d = client(8082);

	$c->prepare("s$_", "SELECT \$1::int + $_ * 10") for 1 .. 6;
	$d->prepare("s$_", "SELECT \$1::int + $_ * 1000") for 1 .. 6;

	my @answers;

	for my $round (1 .. 3) {
		push @answers, $c->execute_prepared("s$_", $round)->value(),
			$d->execute_prepared("s$_", $round)->value() for 1 .. 6;
	}

	is(join(' ', @answers), join(' ', map { my $r = $_; map {
		($r + $_ * 10, $r + $_ * 1000) } 1 .. 6 } 1 .. 3),
		'two kept of twelve, answers');
	cmp_ok(statements($c), '<=', 2, 'two kept of twelve');

	# in a transaction too

	$c->query('BEGIN');

	is(join(' ', map { $c->execute_prepared("s$_", 5)->value() } 1 .. 6),
		'15 25 35 45 55 65', 'two kept, in a transaction');

	$c->query('SELECT 1 / 0');

	is($c->execute_prepared('s1', 5)->state(), '25P02',
		'a statement in a transaction that has failed');
	is($c->execute_prepared('s4', 5)->state(), '25P02', 'and another');

	$c->query('ROLLBACK');

	is($c->execute_prepared('s1', 6)->value(), 16, 'and after it');

	$_->close() for $c, $d;
}

# More in one batch than may be kept.

sub evicted_batch {
	my $c = client(8082);

	$c->parse("s$_", "SELECT \$1::int + $_ * 7") for 1 .. 5;
	$c->bind('', "s$_", [ $_ ])->execute() for 1 .. 5, 1 .. 5;
	$c->sync();

	my $r = $c->result();

	is(join(' ', @{$r->column()}), '8 16 24 32 40 8 16 24 32 40',
		'five in a batch, two kept');
	is($r->types(), '1' x 5 . '2DC' x 10 . 'Z', 'and what was told');

	# an eviction that its batch takes no part in any more

	$c->bind('', 's1', [ 'x' ])->execute();
	$c->bind('', "s$_", [ $_ ])->execute() for 2 .. 5;
	$c->sync();

	is($c->result()->types(), 'EZ', 'an error ahead of evictions');

	is(join(' ', map { $c->execute_prepared("s$_", 1)->value() // 'none' }
		1 .. 5), '8 15 22 29 36', 'and the statements after it');

	$c->close();
}

# The unnamed statement of another client is not met.

sub unnamed {
	my $c = client(8080);
	my $d = client(8080);

	$c->prepare('', 'SELECT 1000 + $1::int');

	is($d->execute_prepared('', 1)->state(), '26000',
		'the unnamed statement of another client');
	is($c->execute_prepared('', 1)->value(), 1001,
		'is still there for its own');

	$d->prepare('', 'SELECT 2000 + $1::int');

	is($c->execute_prepared('', 2)->value(), 1002, 'both have one, one');
	is($d->execute_prepared('', 2)->value(), 2002, 'both have one, other');

	$d->query('SELECT 1');

	is($c->execute_prepared('', 3)->value(), 1003,
		'a Query of another client leaves it');
	is($d->execute_prepared('', 3)->state(), '26000', 'its own does not');

	# a failed Parse at the database leaves nothing to the next one

	$d->prepare('', 'SELECT 3000');
	$d->prepare('', 'SELECT nothing');

	is($c->execute_prepared('', 4)->value(), 1004,
		'a failure of another client leaves it');

	$_->close() for $c, $d;

	my $e = client(8080);

	is($e->execute_prepared('', 1)->state(), '26000',
		'nor is that of one who has left');
	$e->close();
}

# What one client deallocates stays there for the others.

sub deallocated {
	my $c = client(8080);
	my $d = client(8080);

	$_->prepare('s', 'SELECT 4000 + $1::int') for $c, $d;
	$_->execute_prepared('s', 1) for $c, $d;

	$c->query('DEALLOCATE s');
	is($d->execute_prepared('s', 1)->value(), 4001,
		'DEALLOCATE of another client');

	$c->prepare('s', 'SELECT 4000 + $1::int');
	$c->query('DEALLOCATE ALL');
	is($d->execute_prepared('s', 2)->value(), 4002,
		'DEALLOCATE ALL of another client');

	$c->query('BEGIN');
	$c->query('SELECT 1');
	$c->query('DEALLOCATE ALL');
	$c->query('COMMIT');
	is($d->execute_prepared('s', 3)->value(), 4003,
		'DEALLOCATE ALL of another client, in a transaction');

	$c->prepare('s', 'SELECT 4000 + $1::int');
	$c->query('BEGIN');
	$c->execute_prepared('s', 1);
	$c->query('DEALLOCATE s');
	$c->query('ROLLBACK');
	is($d->execute_prepared('s', 4)->value(), 4004,
		'DEALLOCATE of another client, in a transaction');

	is($t->status()->{upstreams}{one}{total}{pinned}, 0,
		'nothing of it is pinned');

	$_->close() for $c, $d;
}

sub discarded {
	my $c = client(8084);
	my $d = client(8084);

	$_->prepare('s', 'SELECT 5000 + $1::int') for $c, $d;
	$_->execute_prepared('s', 1) for $c, $d;

	$c->query('DISCARD ALL');

	is($c->execute_prepared('s', 1)->state(), '26000',
		'DISCARD ALL, its own');
	is($d->execute_prepared('s', 2)->value(), 5002,
		'DISCARD ALL, of another client');

	$_->close() for $c, $d;
}

# A statement goes where its client goes.

sub elsewhere {
	my @c = map { client(8081) } 1 .. 2;

	$_->query('BEGIN') && $_->query('SELECT 1') for @c;
	$_->query('COMMIT') for @c;

	$c[0]->prepare('s', 'SELECT 6000 + $1::int, pg_backend_pid()');
	my $first = $c[0]->execute_prepared('s', 0)->row()->[1];

	# the connection is taken by the other one

	my $seen;

	wait_for(sub {
		$c[1]->query('BEGIN');
		$seen = $c[1]->query('SELECT pg_backend_pid()')->value();
		return 1 if $seen == $first;
		$c[1]->query('COMMIT');
		$c[0]->query('SELECT 1');
		0;
	});

	my $r = $c[0]->execute_prepared('s', 1);

	is($r->row()->[0], 6001, 'a statement on another connection');
	isnt($r->row()->[1], $first, 'which it is');
	is($r->types(), '2TDCZ', 'and nothing more is told');

	$c[1]->query('COMMIT');

	$_->close() for @c;
}

# All connections to the database are ended.

sub ended {
	$pg->psql('SELECT pg_terminate_backend(pid) FROM pg_stat_activity '
		. "WHERE usename = 'app'");

	wait_for(sub { $pg->connections(user => 'app') == 0 });
}

# A statement that the database has lost, with its connection.

sub taken_over {
	my $c = client(8080);

	$c->prepare('s', 'SELECT 7000 + $1::int');
	$c->execute_prepared('s', 1);

	ended();

	my $r = $c->execute_prepared('s', 2);

	is($r->value() // $r->message(), 7002,
		'a statement after its connection was ended');

	$c->close();
}

###############################################################################

# The table changes: an error once at most, and never the wrong rows.

# A connection that has forgotten what it has prepared too often is closed, and
# nobody keeps it.

sub worn_out {
	my $c = pg_client(port(8080), %app);
	my $d = pg_client(port(8080), %app);

	my $pid = $c->query('SELECT pg_backend_pid()')->value();

	$c->query('DISCARD ALL') for 1 .. 300;

	is($d->query('SELECT 5')->value(), 5, 'worn out: nobody keeps it');
	isnt($d->query('SELECT pg_backend_pid()')->value(), $pid,
		'worn out: another one');
}

sub shape {
	my ($port) = @_;

	my $c = client($port);
	my $d = client($port);
	my $sql = 'SELECT * FROM shape WHERE id = $1';
	my $name = "shape, $port";

	alter('DROP TABLE shape; CREATE TABLE shape (id int, v int); '
		. 'INSERT INTO shape VALUES (1, 10); '
		. 'GRANT ALL ON shape TO app');

	my %told = map { $_ => oids($_->prepare('s', $sql)) } $c, $d;

	is($told{$_}, '23 23', "$name, told") for $c, $d;
	is(row($_->execute_prepared('s', 1)), '1|10', "$name, before")
		for $c, $d;

	alter('ALTER TABLE shape ALTER v TYPE bigint');

	changed("$name, another type", $sql, '23 20', '1|10', \%told, $c, $d);

	alter('ALTER TABLE shape ADD w text DEFAULT 5');

	changed("$name, another column", $sql, '23 20 25', '1|10|5', \%told,
		$c, $d);

	# who has been told nothing yet; that something has changed is known if
	# it was done through nginx, or has been met

	$c->query('DROP TABLE IF EXISTS nowhere') if $port == 8083;

	my $e = client($port);
	my $form = oids($e->prepare('s', $sql));

	is($form, '23 20 25', "$name, what is told is new");

	my $r = $e->bind('', 's', [ 1 ])->execute()->sync()->result();

	is(row($r), '1|10|5', "$name, and its rows");

	# who comes without a Describe, and makes it new for others

	my $f = client($port);

	alter('ALTER TABLE shape ALTER v TYPE text');

	$f->parse('', 'SELECT 1')->sync()->result();
	$f->parse('s', $sql)->bind('', 's', [ 1 ])->execute()->sync();
	$f->result();

	if ($port == 8080) {
		$r = $e->bind('', 's', [ 1 ], results => [ 1 ])->execute()
			->sync()->result();

		is($r->state(), '0A000', "$name, prepared anew by another one");
	}

	$_->close() for $c, $d, $e, $f;
}

# What nobody was told of may change unseen: the statement is prepared anew.

sub repeated {
	my $read = 'SELECT *, 1 FROM shape';
	my $write = 'INSERT INTO shape (id) SELECT max(id) + 1 FROM shape '
		. 'RETURNING *';

	alter('DROP TABLE shape; CREATE TABLE shape (id int, v int); '
		. 'INSERT INTO shape VALUES (1, 10); '
		. 'GRANT ALL ON shape TO app');

	my $c = client(8080);

	$c->parse('r', $read)->parse('w', $write)->sync()->result();

	is(row($c->bind('', 'r')->execute()->sync()->result()), '1|10|1',
		'a read, before');
	is(row($c->bind('', 'w')->execute()->sync()->result()), '2|null',
		'a write, before');

	alter('ALTER TABLE shape ADD w text');

	is(row($c->bind('', 'r')->execute()->sync()->result()), '1|10|null|1',
		'a read, after a change');
	is(row($c->bind('', 'w')->execute()->sync()->result()), '3|null|null',
		'a write, after a change');

	# one who comes after it

	alter('ALTER TABLE shape ADD x text');

	my $d = client(8080);

	my $r = $d->parse('r', $read)->bind('', 'r')->describe('P', '')
		->execute()->sync()->result();

	is(row($r), '1|10|null|null|1', 'a new client');
	is($r->types(), '12TDDDCZ', 'and what it is told');

	alter('ALTER TABLE shape DROP x');

	$r = $d->parse('w', $write)->describe('S', 'w')->flush()
		->read_until('T');

	is($d->status(), 'I', 'and nothing is open');
	is(row($d->bind('', 'w')->execute()->sync()->result()),
		'4|null|null', 'a write, prepared with a Flush');

	alter('ALTER TABLE shape DROP w');

	# for this one the rows were described

	is($d->bind('', 'w')->execute()->sync()->result()->state(), '0A000',
		'who was told another form gets the error');

	is($c->query('SELECT count(*) FROM shape')->value(), 4,
		'each write has run once');

	$_->close() for $c, $d;
}

sub alter {
	my ($sql) = @_;
	$pg->psql($sql, db => 'shop');
}

sub row {
	my ($r) = @_;

	my $row = $r->row();
	return $row ? join('|', map { $_ // 'null' } @$row) : $r->state();
}

sub oids {
	my ($r) = @_;

	my $m = $r->first('T');
	return $m ? join(' ', map { $_->{oid} } @{$m->{columns}})
		: $r->state();
}

# A client may be told 0A000 once, until it prepares once more; rows must
# have the form that it was told before.

sub changed {
	my ($name, $sql, $form, $row, $told, @clients) = @_;

	for my $c (@clients) {

		# without Describe: the form is that of Parse

		my $r = $c->bind('', 's', [ 1 ])->execute()->sync()->result();

		if ($r->state() eq '') {

			# from memory, as it was

			is(scalar @{$r->row()}, scalar(split ' ', $told->{$c}),
				"$name, rows as they were told");
			isnt($told->{$c}, $form, "$name, from memory");
			next;
		}

		is($r->state(), '0A000', "$name, an error");

		# as a driver does

		$c->close_statement('s')->sync()->result();

		$told->{$c} = oids($c->prepare('s', $sql));
		is($told->{$c}, $form, "$name, told anew");

		$r = $c->bind('', 's', [ 1 ])->execute()->sync()->result();
		is(row($r), $row, "$name, and rows");
	}
}

# The same with the statement's connection held: the answer is the database's.

sub shape_held {
	my $c = client(8081);
	my $sql = 'SELECT * FROM shape WHERE id = $1 AND true';

	$c->prepare('s', $sql);
	$c->execute_prepared('s', 1);

	alter('ALTER TABLE shape DROP w');

	$c->query('BEGIN');

	my $r = $c->execute_prepared('s', 1);

	is($r->state(), '0A000', 'a changed form, in a transaction');
	is($r->status(), 'E', 'which fails');

	$c->query('ROLLBACK');

	changed('and afterwards', $sql, '23 25', '1|10', { $c => '23 25 25' },
		$c);
	$c->close();
}

################################################################# What one client has prepared is bounded, with what is prepared elsewhere too.

sub full {
	my ($c, $d) = (client(8083), client(8083));
	my $r;

	my $sql = 'SELECT v FROM things WHERE id = 1 -- ' . ('x' x 1_000_000);
	my $n = 0;

	for ($n = 1; $n < 100; $n++) {
		$r = $c->prepare("s$n", "$sql $n");
		last if $r->state();
	}

	is($n, 69, '64 MB of statements');
	is($r->state(), '54000', '...and no more of them');
	ok($c->wait_eof(), '...whose client has to begin anew');

	is($d->prepare('s', "$sql 1")->state(), '', 'others go on');
	is($d->execute_prepared('s')->value(), 'thing 1', '...with the same');

	$d->close();
}

###############
