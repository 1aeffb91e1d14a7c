#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: what the catalog of the database tells is followed:
# what is behind a view, a trigger, a foreign key, a partition, a function; and
# changed again when it changes.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive;

###############################################################################

my $t = Test::Hyperdrive->new(log => 'info');

my $pg = $t->postgres(users => { app => 'pw' }, databases => [ 'shop' ],
	sql => { shop => <<'EOQ' });

CREATE FUNCTION c_length(text) RETURNS int LANGUAGE internal IMMUTABLE
	AS 'textlen';
CREATE FUNCTION c_unknown(int) RETURNS int LANGUAGE internal VOLATILE
	AS 'int4abs';
GRANT CREATE ON DATABASE shop TO app;
ALTER SCHEMA public OWNER TO app;
CREATE ROLE reader;
GRANT reader TO app WITH ADMIN OPTION;
SET ROLE app;

CREATE SCHEMA one;
CREATE SCHEMA two;

CREATE TABLE base (id int PRIMARY KEY, v int);
CREATE TABLE other (id int PRIMARY KEY, v int);
CREATE TABLE log (id serial PRIMARY KEY, v int);
CREATE TABLE stamped (id int PRIMARY KEY, v int, updated_at timestamptz);
CREATE TABLE logged (id int PRIMARY KEY, v int);
CREATE TABLE parent (id int PRIMARY KEY, v int);
CREATE TABLE child (id int PRIMARY KEY, v int,
	parent int REFERENCES parent ON DELETE CASCADE);
CREATE TABLE grandchild (id int PRIMARY KEY, v int,
	child int REFERENCES child ON DELETE SET NULL);
CREATE TABLE parts (id int, v int) PARTITION BY RANGE (id);
CREATE TABLE parts_low PARTITION OF parts FOR VALUES FROM (0) TO (10);
CREATE TABLE parts_high PARTITION OF parts FOR VALUES FROM (10) TO (20);
CREATE TABLE animals (id int, v int);
CREATE TABLE cats () INHERITS (animals);
CREATE TABLE guarded (id int PRIMARY KEY, v int);
CREATE TABLE rights (id int PRIMARY KEY, v int);
CREATE TABLE one.item (id int PRIMARY KEY, v int);
CREATE TABLE two.item (id int PRIMARY KEY, v int);

INSERT INTO base VALUES (1, 1);
INSERT INTO other VALUES (1, 1);
INSERT INTO stamped VALUES (1, 1, now());
INSERT INTO logged VALUES (1, 1);
INSERT INTO parent VALUES (1, 1), (2, 1);
INSERT INTO child VALUES (1, 1, 1), (2, 1, 2);
INSERT INTO grandchild VALUES (1, 1, 1), (2, 1, 2);
INSERT INTO parts VALUES (1, 1), (11, 1);
INSERT INTO animals VALUES (1, 1);
INSERT INTO cats VALUES (2, 1);
INSERT INTO guarded VALUES (1, 1), (2, 1);
INSERT INTO rights VALUES (1, 1);
INSERT INTO one.item VALUES (1, 100);
INSERT INTO two.item VALUES (1, 200);

CREATE FUNCTION domain_write() RETURNS int LANGUAGE sql AS
	'UPDATE base SET v = v + 1 WHERE id = 1 RETURNING v';
CREATE DOMAIN counted AS int DEFAULT domain_write();
CREATE DOMAIN counted_more AS counted;
CREATE TABLE domains (id int, c counted_more);
CREATE TYPE pair AS (a int, b int);
CREATE FUNCTION pair_cast(pair) RETURNS int LANGUAGE sql AS
	'UPDATE base SET v = v + 1 WHERE id = 1 RETURNING v';
CREATE CAST (pair AS int) WITH FUNCTION pair_cast(pair);

CREATE VIEW plain AS SELECT id, v FROM base;
CREATE VIEW nested AS SELECT p.id, p.v + o.v AS v FROM plain p
	JOIN other o USING (id);
CREATE VIEW clocked AS SELECT id, v, clock_timestamp() AS at FROM base;
CREATE VIEW on_clocked AS SELECT id, v FROM clocked WHERE at IS NOT NULL;
CREATE VIEW on_today AS SELECT id, v FROM base WHERE current_date > '2000-1-1';

CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS
	'BEGIN NEW.updated_at := now(); RETURN NEW; END';
CREATE TRIGGER stamp BEFORE UPDATE ON stamped
	FOR EACH ROW EXECUTE FUNCTION stamp();
CREATE FUNCTION log_it() RETURNS trigger LANGUAGE plpgsql AS
	'BEGIN INSERT INTO log (v) VALUES (NEW.v); RETURN NEW; END';
CREATE TRIGGER log_it AFTER UPDATE ON logged
	FOR EACH ROW EXECUTE FUNCTION log_it();

ALTER TABLE guarded ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY p ON guarded USING (id <= (SELECT max(v) FROM other));

CREATE FUNCTION sql_read(int) RETURNS int LANGUAGE sql IMMUTABLE AS
	'SELECT v FROM base WHERE id = $1';
CREATE FUNCTION sql_stable(int) RETURNS int LANGUAGE sql STABLE AS
	'SELECT v FROM base WHERE id = $1';
CREATE FUNCTION sql_write() RETURNS int LANGUAGE sql AS
	'UPDATE base SET v = v + 1 WHERE id = 1 RETURNING v';
CREATE FUNCTION pl_read() RETURNS int LANGUAGE plpgsql STABLE AS
	'DECLARE r int; BEGIN SELECT v INTO r FROM base WHERE id = 1;
	 RETURN r; END';
CREATE FUNCTION pl_write() RETURNS int LANGUAGE plpgsql AS
	'BEGIN UPDATE base SET v = v + 1 WHERE id = 1; RETURN 1; END';
CREATE FUNCTION pl_calls() RETURNS int LANGUAGE plpgsql AS
	'BEGIN PERFORM pl_write(); RETURN 1; END';
CREATE FUNCTION pl_dynamic(t text) RETURNS int LANGUAGE plpgsql AS
	'BEGIN EXECUTE format(''UPDATE %I SET v = v + 1'', t); RETURN 1; END';
CREATE FUNCTION said_reads(t text) RETURNS int LANGUAGE plpgsql AS
	'DECLARE r int; BEGIN EXECUTE format(
	 ''SELECT v FROM %I WHERE id = 1'', t) INTO r; RETURN r; END';
CREATE FUNCTION said_writes(t text) RETURNS int LANGUAGE plpgsql AS
	'BEGIN EXECUTE format(''UPDATE %I SET v = v + 1'', t); RETURN 1; END';

EOQ

my $port = $pg->port();

$t->write_file_expand('nginx.conf', <<"EOS")->run()->wait_catalog('shop', 2);

%%TEST_GLOBALS%%

worker_processes  2;

events {
}

%%TEST_STATUS%%

stream {
    hyperdrive_cache_zone  shop 16m;
    hyperdrive_users       off;

    upstream shop {
        hyperdrive_origin    postgres://app:pw\@127.0.0.1:$port/shop?sslmode=disable;
        hyperdrive_pool      max=20;
        hyperdrive_catalog   refresh=1s;
        hyperdrive_function  said_reads reads base;
        hyperdrive_function  public.said_writes writes other;
    }

    server {
        listen            127.0.0.1:8080;
        hyperdrive_pass   shop;
        hyperdrive_cache  shop max_age=1h;
    }

    server {
        listen            127.0.0.1:8081;
        hyperdrive_pass   shop;
        hyperdrive_cache  shop max_age=1h allow_stable;
    }
}

EOS

# enough of them to have some at each worker

my @clients = map { client() } 1 .. 6;
my $c = $clients[0];
my $direct = $pg->client(user => 'app', password => 'pw', database => 'shop');

###############################################################################

views();
triggers();
cascades();
partitions();
policies();
functions();
stable();
schemas();
changed_here();
changed_elsewhere();
revoked();

$t->done_testing();

###############################################################################

sub client {
	my ($name) = @_;

	return pg_client(port($name || 8080), user => 'app',
		database => 'shop', timeout => 20);
}

sub total {
	return $t->status()->{upstreams}{shop}{total};
}

sub rows {
	my ($client, $sql) = @_;

	my $r = $client->query($sql);

	return $r->state() if $r->error();
	return join ' ', map { join ',', map { $_ // 'NULL' } @$_ }
		@{$r->rows()};
}

# By a client of its own: one that calls what nobody can read is pinned.

sub once {
	my ($sql) = @_;

	my $client = client();
	my $r = $client->query($sql);

	$client->close();

	return $r;
}

# Whether the answer came from memory.

sub hit {
	my ($client, $sql) = @_;

	my $before = total()->{hits};
	rows($client, $sql);
	return total()->{hits} - $before;
}

sub warm {
	my ($sql, $client) = @_;

	# before the catalog is known, a function pins the client

	warm('SELECT count(*) FROM parent', $client) if $sql =~ /_read|said|_st/;

	return wait_for(sub { hit($client || $c, $sql) }, 20, "kept: $sql");
}

# It is kept, and what is written behind it is seen at once.

sub dropped_by {
	my ($name, $sql, $write, $client) = @_;

	$client ||= $c;
	warm($sql, $client);

	my $said = once($write);
	ok(!$said->error(), "$name: is done") or diag($said->message());

	my $before = total()->{hits};
	my $got = rows($client, $sql);
	my $hits = total()->{hits} - $before;

	is("$got, $hits from memory",
		rows($direct, $sql) . ', 0 from memory', "$name: is seen");
}

# It is kept, and stays when this is written.

sub stays_behind {
	my ($name, $sql, $write) = @_;

	warm($sql);
	once($write);

	my $before = total()->{hits};
	my $got = rows($c, $sql);
	my $hits = total()->{hits} - $before;

	is("$got, $hits from memory", rows($direct, $sql) . ', 1 from memory',
		"$name: stays");
}

sub never {
	my ($name, $sql, $reason, $client) = @_;

	$client ||= client();

	# the catalog has to be known for it

	warm('SELECT count(*) FROM parent', $client);

	my $before = total();
	rows($client, $sql) for 1 .. 2;
	my $now = total();

	is($now->{hits} - $before->{hits}, 0, "$name: is not kept");
	is($now->{uncacheable}{$reason} - $before->{uncacheable}{$reason}, 2,
		"$name: the reason is $reason");
}

###############################################################################

sub views {
	my $plain = 'SELECT v FROM plain WHERE id = 1';
	my $nested = 'SELECT v FROM nested';

	dropped_by('a write behind a view', $plain, 'UPDATE base SET v = v + 1');
	dropped_by('a write through a view', $plain,
		'UPDATE plain SET v = v + 1');
	dropped_by('a write below a nested view', $nested,
		'UPDATE base SET v = v + 1');
	dropped_by('a write to its other table', $nested,
		'UPDATE other SET v = v + 1');
	stays_behind('a view, when another table is written', $plain,
		'UPDATE other SET v = v + 1');
	never('a view with the clock', 'SELECT v FROM clocked', 'volatile');
	never('a view over it', 'SELECT v FROM on_clocked', 'volatile');
	never('a view with the date', 'SELECT v FROM on_today', 'volatile');
}

sub triggers {
	my $log = 'SELECT count(*) FROM log';

	stays_behind('a table, when one with a harmless trigger is written',
		'SELECT v FROM base', 'UPDATE stamped SET v = v + 1');
	dropped_by('a table with a harmless trigger',
		'SELECT v, updated_at FROM stamped',
		'UPDATE stamped SET v = v + 1');
	dropped_by('what a trigger writes', $log, 'UPDATE logged SET v = v + 1');
	stays_behind('another table', 'SELECT v FROM base',
		'UPDATE logged SET v = v + 1');
}

sub cascades {
	dropped_by('ON DELETE CASCADE', 'SELECT count(*) FROM child',
		'DELETE FROM parent WHERE id = 1');
	dropped_by('a cascade of a cascade',
		'SELECT id, child FROM grandchild ORDER BY id',
		'DELETE FROM parent WHERE id = 2');
	dropped_by('TRUNCATE CASCADE', 'SELECT count(*) FROM grandchild',
		'TRUNCATE parent CASCADE');
	stays_behind('a parent, when a child is written',
		'SELECT count(*) FROM parent', 'DELETE FROM child');
}

sub partitions {
	my $all = 'SELECT id, v FROM parts ORDER BY id';

	dropped_by('a write to a partition', $all,
		'UPDATE parts_low SET v = v + 1');
	dropped_by('a write to the partitioned table',
		'SELECT v FROM parts_high', 'UPDATE parts SET v = v + 1');
	dropped_by('a write to a child', 'SELECT id, v FROM animals ORDER BY id',
		'UPDATE cats SET v = v + 1');
	dropped_by('a write to the parent of it', 'SELECT v FROM cats',
		'UPDATE animals SET v = v + 1');
}

# What a policy reads is read.

sub policies {
	$c->query('UPDATE other SET v = 1');

	dropped_by('a write to what a policy reads',
		'SELECT id FROM guarded ORDER BY id', 'UPDATE other SET v = 2');
	dropped_by('a write to a guarded table',
		'SELECT id, v FROM guarded ORDER BY id',
		'UPDATE guarded SET v = v + 1');
}

sub functions {
	my $base = 'SELECT v FROM base WHERE id = 1';
	my $other = 'SELECT v FROM other WHERE id = 1';

	dropped_by('a function in SQL that writes', $base, 'SELECT sql_write()');
	dropped_by('one in PL/pgSQL', $base, 'SELECT pl_write()');
	dropped_by('one that calls it', $base, 'SELECT pl_calls()');
	stays_behind('another table', $other, 'SELECT pl_calls()');
	dropped_by('one with dynamic SQL', $base, "SELECT pl_dynamic('base')");
	dropped_by('one with dynamic SQL, any table', $other,
		"SELECT pl_dynamic('other')");
	dropped_by('what a function reads', 'SELECT sql_read(id) FROM other',
		'UPDATE base SET v = v + 1');

	ok(warm('SELECT c_length(v::text) FROM other'),
		'what calls an immutable C function is kept');

	# nobody knows what it has done

	warm($other);
	once('SELECT c_unknown(v) FROM other');
	is(hit($clients[1], $other), 0, 'a C function may write everything');

	never('a stable function', 'SELECT sql_stable(id) FROM other',
		'volatile');

	dropped_by('a function that is said to read',
		"SELECT said_reads('base') FROM other",
		'UPDATE base SET v = v + 1');
	dropped_by('a function that is said to write', $other,
		"SELECT said_writes('other')");
	stays_behind('what it is said not to write', $base,
		"SELECT said_writes('other')");

	dropped_by('a function of a domain of a domain', $base,
		'INSERT INTO domains (id) VALUES (1)');
	dropped_by("a cast, by the type's name in SQL", $base,
		"SELECT CAST('(1,2)'::pair AS Integer)");
}

sub stable {
	my $d = client(8081);

	dropped_by('allow_stable: what a stable function in SQL reads',
		'SELECT sql_stable(id) FROM other', 'UPDATE base SET v = v + 1',
		$d);
	dropped_by('allow_stable: in PL/pgSQL', 'SELECT pl_read() FROM other',
		'UPDATE base SET v = v + 1', $d);

	ok(warm('SELECT v, now() > \'2000-1-1\' FROM other', $d),
		'allow_stable: the time of the transaction is kept');
	never('allow_stable: a volatile function',
		'SELECT v, clock_timestamp() FROM other', 'volatile', $d);
}

# The same text means another table.

sub schemas {
	my $sql = 'SELECT v FROM item';
	my ($d, $e) = (client(), client());

	$d->query('SET search_path = one, public');
	$e->query('SET search_path = two, public');

	warm($sql, $_) for $d, $e;

	is(rows($d, $sql) . ' ' . rows($e, $sql), '100 200',
		'each reads the table of its own search_path');

	$c->query('UPDATE one.item SET v = v + 1');
	is(hit($e, $sql), 1, 'a write to the one leaves the other');
	is(rows($d, $sql), 101, 'and is seen in the one');

	warm('SELECT v FROM two.item');
	$e->query('UPDATE item SET v = v + 1');
	is(rows($c, 'SELECT v FROM two.item'), 201, 'a write by its name alone');
	is(rows($e, $sql), 201, 'is seen by the same name');

	$d->query('SET search_path = two');
	is(rows($d, $sql), 201, 'a new search_path is followed');
}

# DDL through nginx is in force at once, on each worker.

sub changed_here {
	my $sql = 'SELECT v FROM changing';
	my $log = 'SELECT count(*) FROM log';

	$c->query('CREATE VIEW changing AS SELECT v FROM base');
	warm($sql, $_) for @clients;

	$c->query('CREATE OR REPLACE VIEW changing AS '
		. 'SELECT v + 1000 AS v FROM other');
	all_see($sql, 'a view that was changed');

	warm($sql, $_) for @clients;
	$c->query('UPDATE other SET v = v + 1');
	all_see($sql, 'a write to its new table');

	$c->query('CREATE TRIGGER more AFTER UPDATE ON stamped '
		. 'FOR EACH ROW EXECUTE FUNCTION log_it()');

	for my $client (@clients) {
		warm($log, $_) for @clients;
		$client->query('UPDATE stamped SET v = v + 1');
		all_see($log, 'what a new trigger writes');
	}
}

sub all_see {
	my ($sql, $name) = @_;

	my $real = rows($direct, $sql);

	is(join(' ', map { rows($_, $sql) } @clients),
		join(' ', ($real) x @clients), "$name: is seen by all");
}

# DDL past nginx is seen when the catalog is read again.  Until then even an
# answer of the new view may be kept as one of the old table: a worker that
# keeps what was made together with it has read it.

sub changed_elsewhere {
	my $sql = 'SELECT v FROM elsewhere';

	$direct->query('CREATE VIEW elsewhere AS SELECT v FROM base');
	warm($sql, $_) for @clients;

	$direct->query('CREATE OR REPLACE VIEW elsewhere AS '
		. 'SELECT v + 2000 AS v FROM other; '
		. 'CREATE VIEW elsewhere_too AS SELECT v FROM other');

	warm('SELECT v FROM elsewhere_too', $_) for @clients;

	all_see($sql, 'a view that was changed elsewhere');
	ok($t->log_has(qr/was changed elsewhere/), 'and is told in the log');

	warm($sql);
	$c->query('UPDATE other SET v = v + 1');
	all_see($sql, 'a write to its table of now');
}

sub revoked {
	my $sql = 'SELECT v FROM rights';
	my @readers = map { client() } 1 .. 4;

	$c->query('GRANT SELECT ON rights TO reader');
	$_->query('SET ROLE reader') for @readers;
	warm($sql, $_) for @readers;

	$c->query('REVOKE SELECT ON rights FROM reader');

	is(join(' ', map { rows($_, $sql) } @readers),
		join(' ', ('42501') x @readers), 'REVOKE is in force at once');
	is(rows($c, $sql), 1, 'and the owner reads on');
}

###############################################################################
