#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: what is kept is never older than a write that was
# acknowledged, or shown to anybody; and a write that did not happen takes
# nothing away.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive;
use Test::Hyperdrive::Outcome;
use Test::Hyperdrive::Process qw(wait_for);
use Time::HiRes qw(sleep time);

###############################################################################

my $t = Test::Hyperdrive->new(log => 'info', timeout => 400);

my $pg = $t->postgres(users => { app => 'pw' }, databases => [ 'shop' ],
	settings => { max_prepared_transactions => 5 },
	sql => { shop => <<'EOS' });

-- what a killed worker has left runs on
REVOKE EXECUTE ON FUNCTION pg_terminate_backend(int, bigint) FROM PUBLIC;
CREATE TABLE prices (id int PRIMARY KEY, v int CHECK (v < 1000000000),
    note text);
INSERT INTO prices SELECT g, 0, '' FROM generate_series(1, 9) g;
CREATE TABLE unique_once (id int PRIMARY KEY DEFERRABLE INITIALLY DEFERRED);
INSERT INTO unique_once VALUES (1);
CREATE FUNCTION raise_price() RETURNS int LANGUAGE sql AS
    'UPDATE prices SET v = v + 1 WHERE id = 1 RETURNING v';
CREATE FUNCTION raise_price(int) RETURNS int LANGUAGE sql AS
    'UPDATE prices SET v = v + $1 WHERE id = 1 RETURNING v';
CREATE PROCEDURE raise_twice() LANGUAGE plpgsql AS
    'BEGIN UPDATE prices SET v = v + 1 WHERE id = 1; COMMIT;
     UPDATE prices SET v = v + 1 WHERE id = 1; END';
CREATE VIEW price_view AS SELECT * FROM prices;
GRANT ALL ON ALL TABLES IN SCHEMA public TO app;
ALTER TABLE prices OWNER TO app;
ALTER VIEW price_view OWNER TO app;
GRANT CREATE ON SCHEMA public TO app;

EOS

my $relay = $t->relay(to => $pg->port());

my ($near, $far) = ($pg->port(), $relay->port());

$t->write_file_expand('nginx.conf', <<"EOS")->run();

%%TEST_GLOBALS%%

events {
}

%%TEST_STATUS%%

stream {
    hyperdrive_cache_zone  shop 16m;

    hyperdrive_users  off;

    upstream near {
        hyperdrive_origin  postgres://app:pw\@127.0.0.1:$near/shop?sslmode=disable;
        hyperdrive_pool    max=20;
    }

    upstream far {
        hyperdrive_origin  postgres://app:pw\@127.0.0.1:$far/shop?sslmode=disable;
        hyperdrive_pool    max=20;
    }

    server {
        listen            127.0.0.1:8080;
        hyperdrive_pass   near;
        hyperdrive_cache  shop max_age=600s;
    }

    server {
        listen            127.0.0.1:8081;
        hyperdrive_pass   near;
    }

    server {
        listen            127.0.0.1:8082;
        hyperdrive_pass   far;
    }
}

EOS

my $sql = 'SELECT v FROM prices WHERE id = 1';
my $up = 'UPDATE prices SET v = v + 1 WHERE id = 1';

my $slow = 'UPDATE prices SET v = v + 1 WHERE id = 1 '
	. 'AND (SELECT true FROM pg_sleep(2))';

my $reader = client();
my $truth = $pg->client(user => 'app', password => 'pw', database => 'shop');

# the first look at the catalog

ok(wait_for(sub { read_one(); kept() }, 20), 'answers are kept');

###############################################################################

writes();
writers();
names();
made_meanwhile();
made_elsewhere();
rollbacks();
open_block();
portal_of_commit();
pipelined();

my $outcome = Test::Hyperdrive::Outcome->new(test => $t, relay => $relay,
	client => \&client, truth => $truth, hits => \&hits, read => $sql,
	up => $up, slow => $slow, lost => '08006',
	start => sub { $_[0]->send('Q', "$_[1]\0")->flush_out() },
	finish => sub { $_[0]->result()->state() },
	value => sub { $_[0]->query($_[1])->value() });

$outcome->acknowledgement_held_back(extended => sub {
	$_[0]->parse('', $up)->bind('', '', [])->execute('')->sync()
		->flush_out();
});
$outcome->client_gone();
$outcome->cut_in_commit();
$outcome->lost_at_work();
$outcome->killed_worker('lands');

$t->done_testing();

###############################################################################

sub client {
	my ($port, %o) = @_;

	return pg_client(port($port || 8080), user => 'app',
		database => 'shop', timeout => 20, %o);
}

sub hits {
	return $t->status()->{upstreams}{near}{total}{hits};
}

# What is read: the value, and whether it came from memory.

sub read_one {
	return $reader->query($sql)->value();
}

sub kept {
	my $before = hits();
	read_one();
	return hits() - $before;
}

sub warm {
	return wait_for(sub { read_one(); kept() }, 20, 'a kept answer');
}

# A write behind which the next read is fresh, and kept again then.

sub drops {
	my ($name, $code) = @_;

	warm();

	my $old = read_one();
	my $said = $code->();
	my $before = hits();
	my $new = read_one();
	my $hit = hits() - $before;
	my $real = $truth->query($sql)->value();

	ok($real > $old, "$name: is a write") or diag($said);
	is("$new, $hit from memory", "$real, 0 from memory",
		"$name: the next read is fresh");
	ok(wait_for(sub { kept() }, 10), "$name: and it is kept");
}

# Something that leaves what is kept where it is.

sub keeps {
	my ($name, $code) = @_;

	warm();

	my $old = read_one();
	$code->();
	my $before = hits();
	my $new = read_one();
	my $hit = hits() - $before;

	is($truth->query($sql)->value(), $old, "$name: is no write");
	is("$new, $hit from memory", "$old, 1 from memory",
		"$name: what was kept is served");
}

###############################################################################

sub writes {
	my $c = client();
	my $listener = client();

	my $oid = $truth->query("SELECT 'raise_price(int)'::regprocedure::oid")
		->value();

	$c->prepare('up', 'UPDATE prices SET v = v + $1 WHERE id = 1');
	$c->query("PREPARE again AS $up");
	$c->prepare('long', $up . ' -- ' . ' ' x (2 << 20));
	$listener->query('LISTEN news');

	my @writes = (
		'simple' => sub { $c->query($up)->tag() },
		'extended' => sub { $c->extended($up)->tag() },
		'prepared' => sub { $c->execute_prepared('up', 1)->tag() },
		'EXECUTE' => sub { $c->query('EXECUTE again')->tag() },
		'PREPARE in SQL, executed by protocol' => sub {
			$c->execute_prepared('again')->tag();
		},
		'a long text that was prepared before' => sub {
			$c->execute_prepared('long')->tag();
		},
		'several statements' => sub {
			$c->query("SELECT 1; $up; SELECT 2")->tag();
		},
		'CTE' => sub {
			$c->query("WITH w AS ($up RETURNING v) SELECT * FROM w")
				->tag();
		},
		'EXPLAIN ANALYZE' => sub {
			$c->query("EXPLAIN ANALYZE $up")->tag();
		},
		'function' => sub { $c->query('SELECT raise_price()')->tag() },
		'function with an argument, extended' => sub {
			$c->extended('SELECT raise_price($1)', 3)->tag();
		},
		'function call message' => sub {
			$c->send('F', pack('N n n N/a n', $oid, 0, 1, '2', 0));
			$c->result()->error();
		},
		'view' => sub {
			$c->query('UPDATE price_view SET v = v + 1 WHERE id = 1')
				->tag();
		},
		'DO' => sub { $c->query("DO 'BEGIN $up; END'")->tag() },
		'CALL with COMMIT' => sub {
			$c->query('CALL raise_twice()')->tag();
		},
		'CALL with COMMIT, extended' => sub {
			$c->extended('CALL raise_twice()')->tag();
		},
		'INSERT ON CONFLICT' => sub {
			$c->query('INSERT INTO prices VALUES (1, 0) '
				. 'ON CONFLICT (id) DO UPDATE '
				. 'SET v = prices.v + 1')->tag();
		},
		'MERGE' => sub {
			$c->query('MERGE INTO prices p USING (VALUES (1)) x (id) '
				. 'ON p.id = x.id WHEN MATCHED THEN '
				. 'UPDATE SET v = v + 1')->tag();
		},
		'pinned' => sub { $listener->query($up)->tag() },
		'COPY' => sub { copy_in($c) },
		'COPY, extended' => sub { copy_in($c, 1) },
		'long text' => sub {
			$c->query("$up /* " . 'x' x 1200000 . ' */')->tag();
		},
		'long parameter' => sub {
			$c->extended('UPDATE prices SET v = v + 1, note = $1 '
				. 'WHERE id = 1', 'y' x 3000000)->tag();
		},
		'many parameters in one group' => sub {
			$c->bind('', 'up', [ 1 ])->execute('') for 1 .. 3000;
			$c->sync();
			$c->result()->tag();
		},
		'transaction' => sub {
			$c->query('BEGIN');
			$c->query($up);
			$c->query('COMMIT')->tag();
		},
		'transaction, extended' => sub {
			$c->extended('BEGIN');
			$c->extended($up);
			$c->extended('COMMIT')->tag();
		},
		'transaction with reads' => sub {
			$c->query('BEGIN');
			$c->query('SELECT 1 FROM prices');
			$c->query($up);
			$c->query('SELECT 2 FROM prices');
			$c->query('COMMIT')->tag();
		},
		'transaction in one text' => sub {
			$c->query("BEGIN; $up; COMMIT")->tag();
		},
		'END' => sub {
			$c->query("BEGIN; $up");
			$c->query('END')->tag();
		},
		'COMMIT AND CHAIN' => sub {
			$c->query('BEGIN');
			$c->query($up);
			my $tag = $c->query('COMMIT AND CHAIN')->tag();
			$c->query('ROLLBACK');
			$tag;
		},
		'savepoint' => sub {
			$c->query('BEGIN');
			$c->query($up);
			$c->query('SAVEPOINT a');
			$c->query('SELECT 1/0');
			$c->query('ROLLBACK TO a');
			$c->query('COMMIT')->tag();
		},
		'transaction in one packet' => sub {
			$c->send('Q', "$_\0") for 'BEGIN', $up, 'COMMIT';
			$c->result() for 1 .. 2;
			$c->result()->tag();
		},
		'ROLLBACK and a write in one packet' => sub {
			$c->query('BEGIN');
			$c->query($up);
			$c->send('Q', "$_\0") for 'ROLLBACK', $up;
			$c->result();
			$c->result()->tag();
		},
		'write and a failing one in one packet' => sub {
			$c->send('Q', "$_\0") for $up, 'SELECT 1/0';
			$c->result()->tag();
			$c->result()->error();
		},
		'COMMIT PREPARED' => sub {
			$c->query('BEGIN');
			$c->query($up);
			$c->query("PREPARE TRANSACTION 'one'");
			warm();
			$c->query("COMMIT PREPARED 'one'")->tag();
		},
		'cursor that writes' => sub {
			$c->query('BEGIN');
			$c->query('DECLARE d CURSOR FOR SELECT raise_price()');
			$c->query('FETCH ALL FROM d');
			$c->query('COMMIT')->tag();
		},
		'DDL' => sub {
			$c->query('DROP VIEW price_view; ALTER TABLE prices '
				. 'ALTER v TYPE int USING v + 1')->tag();
		},
	);

	while (my ($name, $code) = splice(@writes, 0, 2)) {
		drops($name, $code);
	}
}

sub copy_in {
	my ($c, $extended) = @_;

	# a row comes, and one is made of it

	my $v = $truth->query($sql)->value() + 1;
	$c->query('DELETE FROM prices WHERE id = 1');

	if ($extended) {
		$c->parse('', 'COPY prices FROM STDIN')->bind('', '', [])
			->execute('')->flush();

		$c->read_until('G');
		$c->send('d', "1\t$v\tcopied\n")->send('c', '')->sync();

	} else {
		$c->send('Q', "COPY prices FROM STDIN\0");
		$c->read_until('G');
		$c->send('d', "1\t$v\tcopied\n")->send('c', '');
	}

	return $c->result()->tag();
}

# Where a name is looked for.

sub names {
	$truth->query($_) for split /;;/, <<'EOS';
CREATE SCHEMA sa;;
CREATE TABLE sa.prices (id int PRIMARY KEY, v int, note text);;
INSERT INTO sa.prices VALUES (1, 0, '');;
CREATE TABLE sa.other (id int, v int);;
CREATE FUNCTION sa.fire() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN UPDATE public.prices SET v = v + 1 WHERE id = 1; RETURN NEW; END';;
CREATE TRIGGER fire AFTER INSERT ON sa.other
    FOR EACH ROW EXECUTE FUNCTION sa.fire();;
CREATE FUNCTION sa.raise_here() RETURNS int LANGUAGE sql
    SET search_path = public AS
    'UPDATE prices SET v = v + 1 WHERE id = 1 RETURNING v';;
CREATE FUNCTION sa.move() RETURNS text LANGUAGE plpgsql AS
    'BEGIN RETURN set_config(''search_path'', ''public'', false); END'
EOS

	my $away = 'SET search_path = sa';
	my $c;

	my @writes = (
		'SET search_path and a write in one packet' => sub {
			$c->query($away);
			$c->send('Q', "$_\0") for 'SET search_path = public', $up;
			$c->result();
			$c->result()->tag();
		},
		'SET search_path and a write in one text' => sub {
			$c->query($away);
			$c->query("SET search_path = public; $up")->tag();
		},
		'SET search_path before' => sub {
			$c->query($away);
			$c->query($up);
			$c->query('SET search_path = public');
			$c->query($up)->tag();
		},
		'SET LOCAL' => sub {
			$c->query($away);
			$c->query('BEGIN');
			$c->query('SET LOCAL search_path = public');
			$c->query($up);
			$c->query('COMMIT')->tag();
		},
		'SET that is rolled back' => sub {
			$c->query('BEGIN');
			$c->query($away);
			$c->query('ROLLBACK');
			$c->query($up)->tag();
		},
		'SET that is rolled back to a savepoint' => sub {
			$c->query('BEGIN');
			$c->query('SAVEPOINT a');
			$c->query($away);
			$c->query('ROLLBACK TO a');
			$c->query($up);
			$c->query('COMMIT')->tag();
		},
		'SET that fails with its text' => sub {
			$c->query("$away; SELECT 1/0");
			$c->query($up)->tag();
		},
		'set_config with parameters' => sub {
			$c->query($away);
			$c->extended('SELECT set_config($1, $2, $3)',
				'search_path', 'public', 'false');
			$c->query($up)->tag();
		},
		'set_config with parameters, in one packet' => sub {
			$c->query($away);
			$c->parse('', 'SELECT set_config($1, $2, $3)')
				->bind('', '', [ 'search_path', 'public', 'false' ])
				->execute('')->sync();
			$c->send('Q', "$up\0");
			$c->result();
			$c->result()->tag();
		},
		'set_config of what is read' => sub {
			$c->query($away);
			$c->query("SELECT set_config('search_path', s, false) "
				. "FROM (VALUES ('public')) x (s)");
			$c->query($up)->tag();
		},
		'a function that sets it' => sub {
			$c->query($away);
			$c->query('SELECT move()');
			$c->query($up)->tag();
		},
		'a function that sets it, in one packet' => sub {
			$c->query($away);
			$c->send('Q', "$_\0") for 'SELECT sa.move()', $up;
			$c->result();
			$c->result()->tag();
		},
		'DO that sets it' => sub {
			$c->query($away);
			$c->query("DO 'BEGIN SET search_path = public; END'");
			$c->query($up)->tag();
		},
		'RESET search_path' => sub {
			$c->query($away);
			$c->query('RESET search_path');
			$c->query($up)->tag();
		},
		'RESET ALL in one packet' => sub {
			$c->query($away);
			$c->send('Q', "$_\0") for 'RESET ALL', $up;
			$c->result();
			$c->result()->tag();
		},
		'DISCARD ALL' => sub {
			$c->query($away);
			$c->query('DISCARD ALL');
			$c->query($up)->tag();
		},
		'prepared for one search_path, executed for another' => sub {
			$c->query($away);
			$c->prepare('up', $up);
			$c->execute_prepared('up');
			$c->query('SET search_path = public');
			$c->execute_prepared('up')->tag();
		},
		'PREPARE for one search_path, EXECUTE for another' => sub {
			$c->query($away);
			$c->query("PREPARE ups AS $up");
			$c->query('EXECUTE ups');
			$c->query('SET search_path = public');
			$c->query('EXECUTE ups')->tag();
		},
		'a trigger of another schema' => sub {
			$c->query($away);
			$c->query('INSERT INTO other VALUES (1, 1)')->tag();
		},
		'a function with a search_path of its own' => sub {
			$c->query($away);
			$c->query('SELECT raise_here()')->tag();
		},
		'options' => sub {
			my $d = client(undef, params => {
				options => '-c search_path=sa' });
			$d->query($up);
			$d->query('SET search_path = public');
			my $tag = $d->query($up)->tag();
			$d->close();
			$tag;
		},
	);

	while (my ($name, $code) = splice(@writes, 0, 2)) {
		$c = client();
		drops($name, $code);
		$c->close();
	}

	# each path has its own answers

	$c = client();
	$c->query($away);

	for (1 .. 3) {
		$c->query($up);
		is($c->query($sql)->value(),
			$truth->query('SELECT v FROM sa.prices')->value(),
			'a read with another search_path is fresh');
	}

	$c->close();
	warm();
}

# What changes who writes to what.

sub made_meanwhile {
	my ($c, $d) = (client(), client(8082));

	my $more = 'UPDATE prices SET v = v + 1 WHERE id = 1';

	my @ways = (
		'CREATE TRIGGER' => [
			'CREATE TABLE w1 (a int)',
			'CREATE TRIGGER f AFTER INSERT ON w1 FOR EACH ROW '
				. 'EXECUTE FUNCTION sa.fire()',
			'INSERT INTO w1 VALUES (1)' ],
		'CREATE RULE' => [
			'CREATE TABLE w2 (a int)',
			"CREATE RULE r AS ON INSERT TO w2 DO ALSO $more",
			'INSERT INTO w2 VALUES (1)' ],
		'CREATE OR REPLACE VIEW' => [
			'CREATE VIEW w3 AS SELECT id, v FROM sa.prices',
			'CREATE OR REPLACE VIEW w3 AS SELECT id, v FROM public.prices',
			'UPDATE w3 SET v = v + 1 WHERE id = 1' ],
		'CREATE OR REPLACE FUNCTION' => [
			"CREATE FUNCTION w4() RETURNS int LANGUAGE sql AS 'SELECT 1'",
			'CREATE OR REPLACE FUNCTION w4() RETURNS int LANGUAGE sql AS '
				. "'$more RETURNING v'",
			'SELECT w4()' ],
		'ALTER FUNCTION SET search_path' => [
			'CREATE FUNCTION w5() RETURNS int LANGUAGE plpgsql '
				. "SET search_path = sa AS 'BEGIN $more; RETURN 1; END'",
			'ALTER FUNCTION w5() SET search_path = public',
			'SELECT w5()' ],
		'ALTER TABLE SET SCHEMA' => [
			'CREATE VIEW sa.w6 AS SELECT id, v FROM public.prices',
			'ALTER VIEW sa.w6 SET SCHEMA public',
			'UPDATE w6 SET v = v + 1 WHERE id = 1' ],
		'ALTER TABLE RENAME' => [
			'CREATE VIEW w7 AS SELECT id, v FROM public.prices',
			'ALTER VIEW w7 RENAME TO w8',
			'UPDATE w8 SET v = v + 1 WHERE id = 1' ],
		'DO that makes a trigger' => [
			'CREATE TABLE w9 (a int)',
			"DO 'BEGIN CREATE TRIGGER f AFTER INSERT ON w9 FOR EACH ROW "
				. "EXECUTE FUNCTION sa.fire(); END'",
			'INSERT INTO w9 VALUES (1)' ],
		'DO that makes a temporary view' => [
			'SELECT 1',
			"DO 'BEGIN CREATE TEMP VIEW wa AS "
				. "SELECT id, v FROM public.prices; END'",
			'UPDATE wa SET v = v + 1 WHERE id = 1' ],
	);

	$c->query(join '; ', map { $_->[0] } grep { ref } @ways);

	while (my ($name, $way) = splice(@ways, 0, 2)) {
		my (undef, $then, $write) = @$way;

		# by another client, through another upstream

		for my $client ($c, $d) {
			next if $name =~ /temporary/ && $client == $d;

			drops("$name, " . ($client == $c ? 'at once' : 'elsewhere'),
				sub {
				$c->query($then) if $client == $c;
				$client->query($write)->tag();
			});
		}

		drops("$name, again", sub { $c->query($write)->tag() });
	}

	# all in one packet

	drops('DDL and a write in one packet', sub {
		$c->send('Q', "$_\0") for 'CREATE TABLE wb (a int)',
			'CREATE TRIGGER f AFTER INSERT ON wb FOR EACH ROW '
				. 'EXECUTE FUNCTION sa.fire()',
			'INSERT INTO wb VALUES (1)';
		$c->result() for 1 .. 2;
		$c->result()->tag();
	});

	# a partition

	$c->query('CREATE TABLE parts (id int, v int) PARTITION BY LIST (id); '
		. 'CREATE TABLE part (id int, v int); '
		. 'INSERT INTO part VALUES (1, 0)');

	my $read = 'SELECT v FROM part WHERE id = 1';

	$c->query('ALTER TABLE parts ATTACH PARTITION part FOR VALUES IN (1)');

	for my $client ($c, $d, $c, $d) {
		my $old = $truth->query($read)->value();

		ok(wait_for(sub { $reader->query($read); my $before = hits();
			$reader->query($read); hits() - $before }, 10),
			'ATTACH PARTITION: a partition is kept');

		$client->query('UPDATE parts SET v = v + 1 WHERE id = 1');
		is($reader->query($read)->value(), $old + 1,
			'ATTACH PARTITION: a write to the table is one to it');
	}

	$_->close() for $c, $d;
}

# Made past nginx, and used through it.

sub made_elsewhere {
	my $c = client();

	$truth->query('CREATE VIEW past AS SELECT id, v FROM prices');

	drops('a view that nobody here knows', sub {
		$c->query('UPDATE past SET v = v + 1 WHERE id = 1')->tag();
	});

	$c->close();
}

# Whoever writes.

sub writers {
	my %servers = (
		8080 => 'the same server',
		8081 => 'a server with the cache off',
		8082 => 'another upstream, with the cache off',
	);

	for my $port (sort keys %servers) {
		my $c = client($port);

		drops("write through $servers{$port}", sub {
			$c->query($up)->tag();
		});
		drops("transaction through $servers{$port}", sub {
			$c->query('BEGIN');
			$c->extended($up);
			$c->query('COMMIT')->tag();
		});
	}
}

# What did not happen.

sub rollbacks {
	for my $port (8080, 8081) {
		my $c = client($port);

		$c->prepare('up', 'UPDATE prices SET v = v + $1 WHERE id = 1');

		my @nothing = (
			'ROLLBACK' => sub {
				$c->query('BEGIN');
				$c->query($up);
				$c->query('ROLLBACK');
			},
			'ROLLBACK, extended' => sub {
				$c->extended('BEGIN');
				$c->extended($up);
				$c->extended('ROLLBACK');
			},
			'COMMIT of what has failed' => sub {
				$c->query('BEGIN');
				$c->query($up);
				$c->query('SELECT 1/0');
				is($c->query('COMMIT')->tag(), 'ROLLBACK',
					'it is rolled back');
			},
			'COMMIT of what has failed, extended' => sub {
				$c->extended('BEGIN');
				$c->extended($up);
				$c->extended('SELECT 1/0');
				$c->extended('COMMIT');
			},
			'write that fails' => sub {
				$c->query('UPDATE prices SET v = v + 1/0');
			},
			'write that fails, extended' => sub {
				$c->execute_prepared('up', 2000000000);
			},
			'several writes of which one fails' => sub {
				$c->query("$up; $up; SELECT 1/0");
			},
			'group of which one fails' => sub {
				$c->bind('', 'up', [ $_ ])->execute('')
					for 1, 2, 2000000000, 3;
				$c->sync();
				$c->result();
			},
			'transaction that only reads' => sub {
				$c->query('BEGIN');
				$c->query($sql);
				$c->query('COMMIT');
			},
			'client that leaves inside a block' => sub {
				my $d = client($port);
				$d->query('BEGIN');
				$d->query($up);
				$d->close();
			},
		);

		while (my ($name, $code) = splice(@nothing, 0, 2)) {
			keeps($name, $code);
		}
	}

	my $c = client();

	# an error that stands for a commit that failed is no proof for us

	warm();
	$c->query('BEGIN');
	$c->query($up);
	$c->query('INSERT INTO unique_once VALUES (1)');
	ok($c->query('COMMIT')->error(), 'a COMMIT that fails');
	is(read_one(), $truth->query($sql)->value(), 'a COMMIT that fails: fresh');
}

sub open_block {
	my $c = client();

	warm();
	my $old = read_one();

	$c->query('BEGIN');
	$c->query($up);

	is(kept(), 1, 'an open transaction keeps nobody off');
	is($c->query($sql)->value(), $old + 1, '...and reads its own writes');
	is(kept(), 1, '...which are kept for nobody');
	is(read_one(), $old, '...and nobody else sees');

	$c->query('COMMIT');

	is(read_one(), $old + 1, '...before COMMIT');
	warm();
}

# A portal may be executed long after it was bound.

sub portal_of_commit {
	my $c = client();

	for my $end ('COMMIT', 'ROLLBACK') {
		warm();
		my $old = read_one();

		$c->query('BEGIN');
		$c->query($up);
		$c->parse('', $end)->bind('p', '', [])->sync();
		$c->result();

		warm();

		$c->execute('p')->parse('', $up)->bind('', '', [])->execute('')
			->sync();
		$c->result();

		is(read_one(), $truth->query($sql)->value(),
			"$end that was bound before: fresh");
		cmp_ok(read_one(), '>', $old, "$end: there was a write");
	}
}

sub pipelined {
	my $c = client();

	warm();
	my $old = $c->query($sql)->value();
	my @seen;

	$c->send('Q', "$_\0") for $sql, $up, $sql, $up, $sql;
	push @seen, $c->result()->value() // 'write' for 1 .. 5;

	is(join(' ', @seen), join(' ', $old, 'write', $old + 1, 'write', $old + 2),
		'reads and writes in one packet');

	$c->parse('', $up)->bind('', '', [])->execute('')->sync();
	$c->parse('', $sql)->bind('', '', [])->execute('')->sync();
	$c->result();

	is($c->result()->value(), $old + 3, 'a write and a read, extended');
}

###############################################################################
