package Test::Hyperdrive::Differential::PG::Script;

# Copyright (C) Hyperdrive for nginx authors

# Scripts by chance, of what clients of PostgreSQL do, see
# Test::Hyperdrive::Differential::PG.  The same seed is the same script.

###############################################################################

use warnings;
use strict;

use base qw/ Exporter /;

our @EXPORT_OK = qw/ script setup begin altered /;

use constant CLIENTS => 3;

###############################################################################

# What the database has before the first script: a schema for each client, and
# what they share.  The clients' users are u0 and u1, a superuser.

sub setup {
	my $sql = <<'EOS';

CREATE TABLE shared (who int PRIMARY KEY, v text);
INSERT INTO shared VALUES (0, 'a'), (1, 'b'), (2, 'c');

CREATE FUNCTION raise_it(text) RETURNS int LANGUAGE plpgsql IMMUTABLE AS
    'BEGIN RAISE EXCEPTION ''raised %'', $1 USING HINT = ''none'',
     ERRCODE = ''P7777''; END';
CREATE FUNCTION note_it(text) RETURNS text LANGUAGE plpgsql AS
    'BEGIN RAISE NOTICE ''noted %'', $1; RETURN $1; END';
CREATE FUNCTION set_it(text, boolean) RETURNS text LANGUAGE plpgsql AS
    'BEGIN PERFORM set_config(''app.x'', $1, $2); RETURN $1; END';
CREATE FUNCTION zone_it(text) RETURNS void LANGUAGE plpgsql AS
    'BEGIN PERFORM set_config(''TimeZone'', $1, false); END';
CREATE FUNCTION plain(int) RETURNS int LANGUAGE sql IMMUTABLE AS
    'SELECT $1 * 2';
SELECT lo_from_bytea(6000, 'large object');
GRANT ALL ON LARGE OBJECT 6000 TO public;

EOS

	for my $n (0 .. CLIENTS - 1) {
		$sql .= <<"EOS";

CREATE SCHEMA s$n;
SET search_path = s$n;
CREATE TABLE t (id int PRIMARY KEY, v text, n numeric DEFAULT 0);
CREATE TABLE child (id int PRIMARY KEY,
    tid int REFERENCES t DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE serial (id serial, v text);
CREATE TABLE alt (id int, v text);
INSERT INTO alt VALUES (1, '11'), (2, '22');
CREATE FUNCTION alt_it() RETURNS int LANGUAGE sql STABLE AS
    'SELECT count(*)::int FROM s$n.alt';
ALTER TABLE alt OWNER TO u0;
ALTER FUNCTION alt_it() OWNER TO u0;
CREATE SEQUENCE sq;
CREATE VIEW vt AS SELECT id, upper(v) AS u FROM t;
CREATE FUNCTION bump(int) RETURNS numeric LANGUAGE plpgsql AS
    'DECLARE x numeric; BEGIN UPDATE t SET n = n + 1 WHERE id = \$1
     RETURNING n INTO x; RETURN x; END' SET search_path = s$n;
CREATE FUNCTION total() RETURNS numeric LANGUAGE sql STABLE AS
    'SELECT sum(n) FROM s$n.t';
CREATE PROCEDURE add_it(int) LANGUAGE plpgsql AS
    'BEGIN UPDATE s$n.t SET n = n + \$1; END';
CREATE PROCEDURE commit_it(int) LANGUAGE plpgsql AS
    'BEGIN UPDATE s$n.t SET n = n + \$1; COMMIT;
     UPDATE s$n.t SET n = n + 100; ROLLBACK; END';
RESET search_path;

EOS
	}

	$sql .= <<'EOS';

DO $$ DECLARE s text; BEGIN
    FOREACH s IN ARRAY ARRAY['public', 's0', 's1', 's2'] LOOP
        EXECUTE format('GRANT ALL ON SCHEMA %I TO u0, r0, r1', s);
        EXECUTE format('GRANT ALL ON ALL TABLES IN SCHEMA %I TO u0, r0, r1', s);
        EXECUTE format('GRANT ALL ON ALL SEQUENCES IN SCHEMA %I TO u0, r0, r1', s);
    END LOOP;
END $$;
REVOKE ALL ON s0.child, s1.child, s2.child FROM r1;

EOS

	return $sql;
}

# What brings back what has been altered, if a script does so: not between all
# of them, or no answer would ever be in the cache.

sub altered {
	my ($script) = @_;

	return unless grep { grep { grep { /ALTER TABLE|REVOKE|REPLACE/i } @$_
		} @{$_->[1]} } @{$script->{steps}};

	return map { (
		"DO \$\$ BEGIN ALTER TABLE s$_.alt RENAME w TO v; "
		. "EXCEPTION WHEN undefined_column THEN NULL; END \$\$",
		"ALTER TABLE s$_.alt ALTER v TYPE text",
		"GRANT ALL ON s$_.alt TO r0, r1",
		"CREATE OR REPLACE FUNCTION s$_.alt_it() RETURNS int LANGUAGE sql "
		. "STABLE AS 'SELECT count(*)::int FROM s$_.alt'"
	) } 0 .. CLIENTS - 1;
}

# What brings all the rest back, as requests of the first client.

sub begin {
	return ('DELETE FROM shared; INSERT INTO shared '
		. "VALUES (0, 'a'), (1, 'b'), (2, 'c')", map { (
		"DELETE FROM s$_.child; DELETE FROM s$_.t; DELETE FROM s$_.serial",
		"INSERT INTO s$_.t VALUES (1, 'one'), (2, 'two'), (3, 'three')",
		"INSERT INTO s$_.child VALUES (1, 1)",
		"SELECT setval('s$_.sq', 1, false), "
		. "setval('s$_.serial_id_seq', 1, false)"
	) } 0 .. CLIENTS - 1), 'DISCARD ALL';
}

###############################################################################

# script($seed, turns => 1, steps => 40): with turns, a client that may hold a
# connection gives it back before another goes on.

my ($state, $c);

sub script {
	my ($seed, %o) = @_;

	$state = ($seed * 2654435761 + 97) % 2147483648;
	rnd(2) for 1 .. 5;

	my @clients = map { startup($_) } 0 .. CLIENTS - 1;
	my @known = map { { n => $_, names => [], portals => [],
		held => 0 } } 0 .. CLIENTS - 1;
	my @steps;
	my $n = $o{steps} || 10 + rnd(50);
	my $who = 0;

	while (@steps < $n) {
		my $before = $who;
		$who = rnd(CLIENTS) unless rnd(3);

		if ($o{turns} && $who != $before && $known[$before]{held}) {
			push @steps, map { [ $before, $_ ] } leave();
			$known[$before]{held} = 0;
		}

		$c = $known[$who];

		for my $messages (action()) {
			push @steps, [ $who, $messages,
				rnd(6) ? () : 1 + rnd(1000000) ];
		}
	}

	return { turns => $o{turns}, clients => \@clients, steps => \@steps };
}

# A linear congruential generator: perl's own differs between machines.

sub rnd {
	my ($n) = @_;

	$state = ($state * 1103515245 + 12345) % 2147483648;
	return ($state >> 9) % $n;
}

sub any {
	return $_[rnd(scalar @_)];
}

sub startup {
	my ($n) = @_;

	my %params = (options => "-c search_path=s$n,public");

	$params{application_name} = any('a', 'b', "client $n") if rnd(2);
	$params{client_encoding} = any(qw(UTF8 LATIN1 SJIS)) unless rnd(4);
	$params{TimeZone} = any(qw(UTC Europe/Berlin Asia/Tokyo)) unless rnd(3);
	$params{DateStyle} = any('ISO, MDY', 'German', 'SQL, DMY')
		unless rnd(3);
	$params{standard_conforming_strings} = any(qw(on off)) unless rnd(5);
	$params{extra_float_digits} = any(qw(0 1 -3)) unless rnd(4);
	$params{default_transaction_isolation} = any('repeatable read',
		'read committed') unless rnd(8);
	$params{'app.x'} = any(qw(p q)) unless rnd(4);

	return { user => rnd(4) ? 'u0' : 'u1', params => \%params };
}

# Ends whatever is going on, and all that pins.

sub leave {
	return ([ [ 'f', 'left' ], [ 'S' ] ], [ [ 'Q', 'ROLLBACK' ] ],
		[ [ 'Q', 'DISCARD ALL' ] ]);
}

###############################################################################

my @kinds;

# weight, what it makes: steps, each an array of messages

BEGIN {
	my @weights = (
		20, \&simple,
		16, \&extended,
		10, \&named,
		8, \&pieces,
		5, \&pipeline,
		4, \&portal,
		3, \&block,
		2, \&copy_in,
		1, \&copy_in_extended,
		1, \&function,
		1, \&sleeping,
		3, \&unexecuted,
		2, \&malformed,
		2, \&savepoints,
		1, \&two_phases,
		1, \&large,
	);

	while (my ($weight, $kind) = splice @weights, 0, 2) {
		push @kinds, ($kind) x $weight;
	}
}

sub action {
	return any(@kinds)->();
}

# Rows come in an order of their own only if that is asked for, and lastval() is
# not there: both depend on who has been on the connection or in the table
# before.  What may hold a connection:

sub held {
	my ($sql) = @_;

	$c->{held} = 1 if $sql =~ /BEGIN|START|TEMP|LISTEN|lock|HOLD|PREPARE
		|\bsq\b|serial|currval|lastval|DO|CALL|_it|bump|SAVEPOINT
		|SET|set_config|copy|lo_|loread|ALTER/xi;

	return $sql;
}

sub simple {
	return [ [ 'Q', held(rnd(8) ? statement()
		: join('; ', map { scalar lone() } 0 .. rnd(3))) ] ];
}

sub extended {
	my ($sql, @values) = rnd(3) ? (statement()) : parameters();

	held($sql);

	my @rows = rnd(6) ? () : (1 + rnd(2));

	return [ [ 'P', '', $sql, types($sql) ],
		[ 'B', '', '', \@values, [], rnd(5) ? [] : [ 1 ] ],
		rnd(4) ? [ 'D', 'P', '' ] : (),
		[ 'E', '', @rows ], rnd(8) ? () : ([ 'E', '' ]), [ 'S' ] ];
}

# What is bound, and not executed, or later, or in part, or closed before.  Not
# DISCARD ALL: if what is behind it fails, it is reported later, see
# docs/postgres.md.

sub unexecuted {
	my $portal = any('', 'c1', 'c2');
	my ($sql, @values) = rnd(4) ? (any(setting_text(), setting_text(),
		role_text(), 'DEALLOCATE ALL', deallocate_text(),
		transaction_text(), 'RESET ALL')) : parameters();
	my $name = name_for($sql);

	held($sql);
	$c->{held} = 1;

	my @bind = ([ 'P', $name, $sql, [] ],
		[ 'B', $portal, $name, \@values, [], [] ]);
	my @execute = [ 'E', $portal, rnd(3) ? () : 1 ];

	return any(
		[ @bind, [ 'S' ] ],
		[ @bind, [ 'C', 'P', $portal ], @execute, [ 'S' ] ],
		[ @bind, [ 'C', 'S', $name ], @execute, [ 'S' ] ],
		[ @bind, [ 'P', '', 'SELECT 1/0', [] ], bound('c1', ''),
			[ 'E', 'c1' ], @execute, [ 'S' ] ],
		[ @bind, @execute, [ 'P', '', 'SELECT 1/0', [] ],
			bound('c1', ''), [ 'E', 'c1' ], [ 'S' ] ],
		[ @bind, [ 'P', '', 'SELECT id FROM t ORDER BY id', [] ],
			[ 'B', 'c3', '', [], [], [] ], [ 'E', 'c3', 1 ],
			@execute, [ 'E', 'c3' ], [ 'S' ] ],
		[ @bind, [ 'H' ], @execute, [ 'H' ], bound('', name()),
			[ 'E', '' ], [ 'S' ] ],
	) if rnd(3);

	return ([ [ 'Q', begin_text() ] ], [ @bind, [ 'S' ] ],
		rnd(2) ? simple() : (), [ @execute, [ 'S' ] ],
		[ [ 'Q', any('COMMIT', 'ROLLBACK') ] ]);
}

# A message that is cut short, or has more than it should.

sub malformed {
	my @whole = ([ 'P', "p1\0SELECT 1\0\0\0" ], [ 'P', "\0SELECT 1\0\0\0" ],
		[ 'P', "p2\0SELECT \$1\0\0\1\0\0\0\27" ],
		[ 'B', "\0p1\0\0\0\0\0\0\0" ], [ 'B', "c1\0\0\0\0\0\0\0\0" ],
		[ 'B', "\0p2\0\0\0\0\1\0\0\0\0011\0\0" ], [ 'D', "Sp1\0" ],
		[ 'D', "P\0" ], [ 'C', "Sp1\0" ], [ 'E', "\0\0\0\0\0" ],
		[ 'H', '' ], [ 'S', '' ]);

	my ($type, $body) = @{any(@whole)};

	$body = length $body && rnd(3) ? substr($body, 0, rnd(length $body))
		: $body . any("\0", 'x', "\0\0");

	my ($before, $behind) = (any(simple(), extended(), named()),
		any(extended(), named(), named()));

	$c->{held} = 1;

	# what ends a group has nothing of it behind it

	return ([ @$before, [ 'bad', $type, $body ], [ 'S' ] ],
		[ @$behind ]) if $type =~ /[HS]/ || rnd(2);

	return [ [ 'bad', $type, $body ], @$behind ];
}

# Settings and portals over savepoints.

sub savepoints {
	my @steps = [ [ 'Q', begin_text() ] ];

	$c->{held} = 1;

	for (0 .. 2 + rnd(5)) {
		push @steps, any(
			[ [ 'Q', any('SAVEPOINT a', 'SAVEPOINT b') ] ],
			[ [ 'Q', any('ROLLBACK TO a', 'ROLLBACK TO b') ] ],
			[ [ 'Q', any('RELEASE a', 'RELEASE b') ] ],
			[ [ 'Q', setting_text() ] ], [ [ 'Q', role_text() ] ],
			[ [ 'Q', told_text() ] ], [ [ 'Q', write_text() ] ],
			[ [ 'P', '', setting_text(), [] ],
				[ 'B', '', '', [], [], [] ], [ 'E', '' ],
				[ 'S' ] ]);
	}

	return (@steps, [ [ 'Q', any('COMMIT', 'COMMIT', 'ROLLBACK') ] ],
		[ [ 'Q', told_text() ] ]);
}

sub name {
	return any('p1', 'p2', 'p3', '');
}

# What itself names a statement, or goes back to defaults, is not executed by
# EXECUTE: it would find only those of PREPARE, or those of the database, see
# docs/postgres.md.

sub name_for {
	my ($sql) = @_;
	return $sql =~ /PREPARE|EXECUTE|DEALLOCATE|RESET|DEFAULT|DISCARD/i
		? any('q1', 'q2', '')
		: name();
}

sub name_of {
	return any('p1', 'p2', 'p3', 'q1', 'q2', '');
}

# Named statements, prepared, described and run in units of their own.

sub named {
	my $name = name_of();
	my $what = rnd(8);

	if ($what < 2) {
		my ($sql, @values) = rnd(2) ? (statement()) : parameters();

		$name = name_for($sql);

		held($sql);
		return [ [ 'P', $name, $sql, types($sql) ],
			rnd(2) ? ([ 'D', 'S', $name ]) : (), [ 'S' ] ];
	}

	return [ [ 'D', 'S', $name ], [ 'S' ] ] if $what == 2;
	return [ [ 'C', 'S', $name ], [ 'S' ] ] if $what == 3;

	return [ bound('', $name), rnd(2) ? [ 'D', 'P', '' ] : (),
		[ 'E', '' ], [ 'S' ] ];
}

# Mostly the database finds the types of parameters by itself; of one that is
# not there they are not looked at in a DEALLOCATE.

sub types {
	my ($sql) = @_;

	return rnd(6) || $sql =~ /DEALLOCATE/i ? [] : [ any(0, 20, 23, 25, 1043) ];
}

sub bound {
	my ($portal, $name) = @_;

	return [ 'B', $portal, $name, rnd(2) ? [] : [ 1 + rnd(4) ], [],
		rnd(6) ? [] : [ rnd(2) ] ];
}

# Messages in any order.

sub pieces {
	my @m;

	for (0 .. rnd(7)) {
		my $what = rnd(12);
		my ($sql) = statement();

		held($sql);

		push @m, $what < 3 ? [ 'P', name_for($sql), $sql, [] ]
			: $what < 6 ? bound(any('', 'c1', 'c2'), name_of())
			: $what == 6 ? [ 'D', any('S', 'P'), name_of() ]
			: $what < 9 ? [ 'E', any('', 'c1', 'c2'), rnd(3) ]
			: $what == 9 ? [ 'C', any('S', 'P'),
				any('', 'c1', 'p1') ]
			: $what == 10 ? [ 'H' ]
			: [ 'S' ];
	}

	# a query ends a unit of this kind too

	if (!rnd(8)) {
		my ($sql) = statement();
		push @m, [ 'Q', held($sql) ];
	}

	push @m, rnd(6) ? [ 'S' ] : [ 'H' ];
	$c->{held} = 1;

	return [ @m ];
}

# Several units at once.

sub pipeline {
	my @m;

	for (0 .. 1 + rnd(4)) {
		my ($messages) = any(\&simple, \&extended, \&named,
			\&extended, \&simple, \&extended, \&named,
			\&pieces, \&copy_in_extended, \&copied)->();
		push @m, @$messages;
	}

	return [ @m ];
}

# A portal that is read in parts.

sub portal {
	my $name = any('', 'c1', 'c2');

	$c->{held} = 1;

	return ([ [ 'Q', 'BEGIN' ] ],
		[ [ 'P', '', any('SELECT id, v FROM t ORDER BY id',
			'SELECT generate_series(1, 5)',
			"UPDATE t SET v = v || '1' WHERE id = 1 RETURNING v"), [] ],
		[ 'B', $name, '', [] ], [ 'E', $name, 1 + rnd(2) ],
		rnd(2) ? [ 'S' ] : [ 'H' ] ],
		(map { [ [ 'E', $name, 1 + rnd(3) ], [ 'S' ] ] }
			0 .. rnd(2)),
		rnd(2) ? [ [ 'C', 'P', $name ], [ 'S' ] ] : (),
		rnd(3) ? [ [ 'Q', any('COMMIT', 'ROLLBACK') ] ] : ());
}

# A block as it should be.

sub block {
	my @steps = ([ [ 'Q', begin_text() ] ]);

	$c->{held} = 1;

	for (0 .. rnd(5)) {
		push @steps, rnd(2) ? simple() : extended();
	}

	push @steps, [ [ 'Q', any('COMMIT', 'COMMIT', 'ROLLBACK', 'END',
		'ABORT', 'COMMIT AND CHAIN', 'ROLLBACK AND CHAIN') ] ];

	return @steps;
}

sub copy_in {
	$c->{held} = 1;

	my @m = [ 'Q', any('COPY t (id, v) FROM STDIN', 'COPY nosuch FROM STDIN',
		'COPY t FROM STDIN; SELECT count(*) FROM t',
		'COPY shared FROM STDIN') ];

	push @m, data() for 0 .. rnd(3);

	my @rest = (rnd(3) ? [ 'c' ] : [ 'f', 'no more' ]);

	return rnd(3) ? [ @m, @rest ] : ([ @m ], [ @rest ]);
}

# COPY in one text with others, all of it at once.

sub copied {
	$c->{held} = 1;

	return [ [ 'Q', any('COPY t (id, v) FROM STDIN', 'SELECT 1; '
		. 'COPY t (id, v) FROM STDIN; SELECT count(*) FROM t',
		"SET app.x = 'c'; COPY shared FROM STDIN",
		'COPY t (id, v) FROM STDIN; COPY (VALUES (1)) TO STDOUT') ],
		(map { data() } 0 .. rnd(3)),
		rnd(3) ? [ 'c' ] : [ 'f', 'no more' ] ];
}

sub data {
	return [ 'd', (50 + rnd(6)) . "\t" . any('x', 'y', '\N') . "\n" ];
}

sub copy_in_extended {
	$c->{held} = 1;

	return [ [ 'P', '', 'COPY t (id, v) FROM STDIN', [] ],
		[ 'B', '', '', [] ], [ 'E', '' ],
		(map { data() } 0 .. rnd(3)),
		rnd(3) ? [ 'c' ] : [ 'f', 'failed' ], [ 'S' ] ];
}

# What is prepared and committed behind it, by anybody.

sub two_phases {
	my $name = any('x', 'y');

	$c->{held} = 1;

	return ([ [ 'Q', begin_text() ] ], rnd(2) ? simple() : (),
		[ [ 'Q', write_text() ] ],
		[ [ 'Q', "PREPARE TRANSACTION '$name'" ] ],
		rnd(2) ? simple() : (),
		[ [ 'Q', any('COMMIT', 'COMMIT', 'ROLLBACK')
			. " PREPARED '$name'" ] ],
		[ [ 'Q', read_text() ] ]);
}

# More than a buffer holds.

sub large {
	my $n = any(9000, 70000, 200000);

	my $what = rnd(4);

	return [ [ 'Q', "SELECT length('" . 'x' x $n . "'), v FROM t "
		. 'WHERE id = 1' ] ] if $what == 0;

	my ($sql, @values) = $what == 1
		? ("SELECT repeat('y', $n), v FROM t ORDER BY id")
		: ('SELECT length($1::text), v FROM t ORDER BY id', 'x' x $n);

	return [ (map { ([ 'P', '', $sql, [] ],
		[ 'B', '', '', \@values, [], [] ],
		rnd(2) ? [ 'D', 'P', '' ] : (), [ 'E', '', rnd(3) ],
		rnd(3) ? () : [ 'S' ]) } 0 .. rnd(3)), [ 'S' ] ];
}

# abs(int4), by its number

sub function {
	return [ [ 'F', any(1397, 1397, 999999), [ pack('N', 5 + rnd(3)) ],
		1 ] ];
}

sub sleeping {
	$c->{held} = 1;

	return any(
		[ [ 'Q', "SET statement_timeout = 60; SELECT pg_sleep(20)" ] ],
		[ [ 'Q', 'SELECT pg_sleep(20)' ], [ 'cancel' ] ],
		[ [ 'P', '', 'SELECT pg_sleep(20)', [] ], [ 'B', '', '', [] ],
			[ 'E', '' ], [ 'S' ], [ 'cancel' ] ],
	);
}

###############################################################################

# A statement and values for it.

sub parameters {
	my $id = 1 + rnd(4);

	return @{any(
		[ 'SELECT v FROM t WHERE id = $1', $id ],
		[ 'SELECT v FROM t WHERE id = $1', $id ],
		[ 'SELECT who, v FROM shared WHERE who = $1', rnd(3) ],
		[ 'SELECT who, v FROM shared WHERE who = $1', rnd(3) ],
		[ 'SELECT $1::text, current_user', any('x', undef, "\xc3\xa9",
			"\xe9") ],
		[ 'UPDATE t SET n = n + $1 WHERE id = 1 RETURNING n', $id ],
		[ "UPDATE shared SET v = \$1 WHERE who = $c->{n}",
			any(qw(k l m)) ],
		[ 'INSERT INTO t VALUES ($1, $2) RETURNING *', 4 + rnd(4),
			any(qw(f g h)) ],
		[ 'DELETE FROM t WHERE id = $1', 4 + rnd(4) ],
		[ "SELECT set_config('app.x', \$1, \$2)", any(qw(x y z)),
			any(qw(t f)) ],
		[ 'SELECT $1::int + 1', any('1', 'x') ],
		[ 'SELECT bump($1)', $id ],
	)};
}

sub begin_text {
	return any('BEGIN', 'BEGIN', 'BEGIN', 'START TRANSACTION',
		'BEGIN ISOLATION LEVEL REPEATABLE READ', 'begin work',
		'START TRANSACTION READ ONLY', 'BEGIN READ WRITE',
		'BEGIN ISOLATION LEVEL SERIALIZABLE, READ ONLY, DEFERRABLE',
		'BEGIN; SELECT 1', 'BEGIN /* x */');
}

my @groups;

BEGIN {
	my @weights = (
		14, \&read_text,
		10, \&write_text,
		6, \&told_text,
		8, \&transaction_text,
		8, \&setting_text,
		3, \&role_text,
		4, \&prepare_text,
		3, \&pin_text,
		3, \&cursor_text,
		2, \&sequence_text,
		4, \&error_text,
		2, \&code_text,
		1, \&discard_text,
		1, \&copy_out_text,
		1, \&notify_text,
		3, \&altered_text,
		1, \&large_object_text,
	);

	while (my ($weight, $group) = splice @weights, 0, 2) {
		push @groups, ($group) x $weight;
	}
}

sub statement {
	my $sql = any(@groups)->();

	return $sql if rnd(12) || $sql =~ /^(?:CREATE PROC|--)|unclosed/;

	return any(map { $_ . $sql } '/* x */ ', "-- x\n", ' ', "\n")
		. any('', ';', ' ;', ' -- x', ' /* ; */', "\n", ';;') if rnd(2);

	# names in quotes, and key words in lower case

	return $sql =~ s/(?<!')\b(p[123]|TimeZone|r[01])\b(?!['\/])/
		$1 eq 'TimeZone' ? lc "\"$1\"" : "\"$1\""/egr =~ s/^(\w+)/\L$1/r;
}

# Not one that names a statement: among others it finds only those of PREPARE,
# see docs/postgres.md.

sub lone {
	for ( ;; ) {
		my $sql = statement();
		return $sql unless $sql =~ /PREPARE|EXECUTE|DEALLOCATE/i;
	}
}

sub read_text {
	my $id = 1 + rnd(4);

	return any("SELECT v FROM t WHERE id = $id",
		"SELECT v FROM t WHERE id = $id",
		'SELECT id, v, n FROM t ORDER BY id',
		'SELECT count(*), sum(n) FROM t',
		'SELECT * FROM shared ORDER BY who',
		'SELECT * FROM shared ORDER BY who',
		"SELECT v FROM shared WHERE who = $c->{n}",
		'SELECT * FROM vt ORDER BY id',
		'SELECT total()',
		'SELECT plain(id) FROM t ORDER BY id',
		'TABLE child ORDER BY id', 'VALUES (1), (2)', 'SELECT 1', 'SELECT',
		'SELECT id FROM t ORDER BY id FOR UPDATE',
		'SELECT * FROM s0.t ORDER BY 1',
		'WITH x AS (SELECT v FROM t WHERE id = 1) SELECT * FROM x');
}

# What depends on what has been set.

sub told_text {
	return any('SELECT current_user, session_user', 'SHOW TimeZone',
		"SELECT '2020-01-02 03:04+00'::timestamptz, date '2021-02-03'",
		"SELECT timestamptz '2020-07-02 03:04+00', v FROM t WHERE id = 1",
		"SELECT 'a\\\\b'", "SELECT E'\\x41', v FROM t WHERE id = 2",
		'SELECT 1::float8 / 3, v FROM t WHERE id = 1',
		"SELECT '\\x00ff'::bytea", "SELECT interval '1 day 02:03'",
		"SELECT coalesce(current_setting('app.x', true), '')",
		"SELECT coalesce(current_setting('app.x', true), ''), v "
		. 'FROM t ORDER BY id',
		'SHOW search_path', 'SHOW transaction_isolation',
		'SHOW transaction_read_only', 'SHOW client_encoding',
		'SHOW standard_conforming_strings', 'SHOW role',
		'SHOW session_authorization', 'SHOW work_mem',
		'SHOW default_transaction_isolation', 'SHOW application_name',
		"SELECT E'\\u00e9', v FROM t WHERE id = 1",
		"SELECT current_schemas(false)",
		"SELECT 'h\xc3\xa9', v FROM t WHERE id = 3",
		"SELECT 'it''s'", 'SHOW statement_timeout');
}

sub write_text {
	my $id = 1 + rnd(4);

	return any("UPDATE t SET n = n + 1 WHERE id = $id RETURNING n",
		"UPDATE t SET v = v || 'x' WHERE id = $id",
		"UPDATE shared SET v = v || '$id' WHERE who = $c->{n}",
		"UPDATE shared SET v = v || '$id' WHERE who = $c->{n}",
		'INSERT INTO t VALUES (' . (4 + rnd(4)) . ", 'new')",
		'INSERT INTO t SELECT id + 10, v FROM t ORDER BY id RETURNING id',
		'DELETE FROM t WHERE id > 3', 'DELETE FROM t WHERE id = 4 RETURNING v',
		"INSERT INTO serial (v) VALUES ('s') RETURNING id",
		'INSERT INTO child VALUES (' . (2 + rnd(3)) . ', '
		. (1 + rnd(9)) . ')', "SELECT bump($id)",
		'WITH w AS (UPDATE t SET n = n + 1 RETURNING id, n) '
		. 'SELECT sum(n) FROM w',
		"INSERT INTO t VALUES ($id, 'again') "
		. "ON CONFLICT (id) DO UPDATE SET v = 'changed'",
		'DELETE FROM child', 'TRUNCATE child',
		"MERGE INTO t USING (SELECT $id AS id) x ON t.id = x.id "
		. "WHEN MATCHED THEN UPDATE SET n = n - 1");
}

sub transaction_text {
	return any(begin_text(), begin_text(), 'COMMIT', 'COMMIT', 'COMMIT',
		'ROLLBACK', 'ROLLBACK', 'ROLLBACK', 'END',
		'COMMIT AND CHAIN', 'ROLLBACK AND CHAIN',
		'SAVEPOINT a', 'SAVEPOINT a', 'SAVEPOINT b',
		'ROLLBACK TO a', 'ROLLBACK TO SAVEPOINT b', 'RELEASE a',
		'SET TRANSACTION ISOLATION LEVEL REPEATABLE READ',
		'SET TRANSACTION READ ONLY', 'SET CONSTRAINTS ALL IMMEDIATE',
		'SET SESSION CHARACTERISTICS AS TRANSACTION READ '
		. any('ONLY', 'WRITE'));
}

sub setting_text {
	my ($name, @values) = @{any(
		[ 'TimeZone', "'UTC'", "'Europe/Berlin'", "'Asia/Tokyo'",
			"'No/Where'" ],
		[ 'DateStyle', "'ISO, MDY'", "'German'", "'SQL, DMY'" ],
		[ 'extra_float_digits', '0', '1', '-3', '99' ],
		[ 'IntervalStyle', "'postgres'", "'iso_8601'" ],
		[ 'bytea_output', "'hex'", "'escape'" ],
		[ 'standard_conforming_strings', 'on', 'off' ],
		[ 'client_encoding', "'UTF8'", "'LATIN1'", "'SJIS'" ],
		[ 'app.x', "'x'", "'y'", "''" ],
		[ 'work_mem', "'2MB'", "'3MB'", "'none'" ],
		[ 'application_name', "'x'", "'y'" ],
		[ 'search_path', "s$c->{n}, public", 'public',
			"\"\$user\", s$c->{n}, public" ],
		[ 'default_transaction_isolation', "'repeatable read'",
			"'read committed'" ],
		[ 'default_transaction_read_only', 'on', 'off' ],
		[ 'nosuch', '1' ],
	)};

	my $value = any(@values);
	my $way = rnd(10);

	return "SET $name TO $value" if $way < 4;
	return "SET LOCAL $name = $value" if $way < 6;
	return any("RESET $name", "SET $name TO DEFAULT",
		"SET LOCAL $name TO DEFAULT", 'RESET ALL')
		if $way == 8 && $name !~ /\./;
	return "SHOW $name" if $way < 7 && $name !~ /\./;
	return "SET SESSION $name = $value" if $way == 7;

	$value = "'$value'" unless $value =~ /^'/;
	$value =~ s/"//g;

	return "SELECT set_config('$name', $value, "
		. any('true', 'false') . ')';
}

sub role_text {
	return any('SET ROLE r0', 'SET ROLE r1', 'RESET ROLE', 'SET ROLE NONE',
		'SET LOCAL ROLE r0', 'SET ROLE nosuch',
		'SET SESSION AUTHORIZATION u0', 'RESET SESSION AUTHORIZATION',
		'SET LOCAL SESSION AUTHORIZATION u0',
		'SET SESSION AUTHORIZATION DEFAULT', 'SELECT current_user');
}

sub deallocate_text {
	return any('DEALLOCATE p1', 'DEALLOCATE PREPARE p2', 'DEALLOCATE p3');
}

sub prepare_text {
	my $name = any('p1', 'p2', 'p3');

	return any("PREPARE $name AS SELECT v FROM t WHERE id = 1",
		"PREPARE $name (int) AS SELECT v FROM t WHERE id = \$1",
		"PREPARE $name AS UPDATE t SET n = n + 1 WHERE id = 2 RETURNING n",
		"EXECUTE $name", "EXECUTE $name (1)", "EXECUTE $name(2)",
		"EXPLAIN (COSTS OFF) EXECUTE $name",
		"CREATE TEMP TABLE tmp AS EXECUTE $name",
		"DEALLOCATE $name", "DEALLOCATE PREPARE $name",
		'DEALLOCATE ALL');
}

sub pin_text {
	my $n = 1000 + $c->{n};

	return any('CREATE TEMP TABLE tmp (id int)',
		'CREATE TEMP TABLE tmp ON COMMIT DROP AS SELECT 1 AS id',
		'INSERT INTO tmp VALUES (1)', 'SELECT * FROM tmp',
		'DROP TABLE IF EXISTS tmp', 'DROP TABLE tmp',
		"SELECT pg_try_advisory_lock($n)", "SELECT pg_advisory_lock($n)",
		"SELECT pg_advisory_unlock($n)", 'SELECT pg_advisory_unlock_all()',
		"SELECT pg_advisory_xact_lock($n)",
		'SELECT pg_try_advisory_lock(7)', 'SELECT pg_advisory_unlock(7)',
		'LISTEN ch', 'LISTEN other', 'UNLISTEN ch', 'UNLISTEN *');
}

sub notify_text {
	return any('NOTIFY ch', "NOTIFY ch, 'load'",
		"SELECT pg_notify('other', 'x')");
}

sub cursor_text {
	return any('DECLARE cur CURSOR FOR SELECT id FROM t ORDER BY id',
		'DECLARE cur CURSOR WITH HOLD FOR SELECT v FROM t ORDER BY id',
		'FETCH 1 FROM cur', 'FETCH ALL cur', 'FETCH BACKWARD 1 cur',
		'MOVE 1 IN cur', 'CLOSE cur', 'CLOSE ALL',
		'FETCH FROM c1', 'CLOSE c1');
}

sub sequence_text {
	return any("SELECT nextval('sq')", "SELECT nextval('sq')",
		"SELECT currval('sq')", "SELECT setval('sq', 40)", 'DISCARD SEQUENCES');
}

# What changes the shape of rows, and who may see them.

sub altered_text {
	return any('ALTER TABLE alt ALTER v TYPE varchar(9)',
		'ALTER TABLE alt ALTER v TYPE text',
		'ALTER TABLE alt ALTER v TYPE int USING v::int',
		'ALTER TABLE alt RENAME v TO w', 'ALTER TABLE alt RENAME w TO v',
		'REVOKE SELECT ON alt FROM r0, r1',
		'GRANT SELECT ON alt TO r0, r1',
		'CREATE OR REPLACE FUNCTION alt_it() RETURNS int LANGUAGE sql '
		. "STABLE AS 'SELECT count(*)::int + 1 FROM alt'",
		(map { ('SELECT * FROM alt ORDER BY id',
		'SELECT * FROM alt WHERE id = 1', 'SELECT alt_it()',
		'SELECT v FROM alt WHERE id = 2',
		"UPDATE alt SET id = id WHERE id = 1 RETURNING *") } 0, 1));
}

sub large_object_text {
	return any('SELECT lo_open(6000, 262144)', 'SELECT loread(0, 4)',
		'SELECT lo_get(6000)', 'SELECT lo_close(0)',
		'SELECT lo_lseek(0, 0, 0)');
}

sub error_text {
	return any('SELECT 1/0', 'SELECT nocolumn FROM t', 'SELEC 1',
		'SELECT * FROM nosuch', "INSERT INTO t VALUES (1, 'dup')",
		"SELECT 'abc'::int", "SELECT raise_it('x')", '', ' ; ',
		'-- nothing', 'SELECT note_it(v) FROM t ORDER BY id',
		"SELECT 1 FROM t WHERE v = 'x\xff'", 'INSERT INTO t VALUES (NULL)',
		'SELECT nosuch(1)', "SELECT 'unclosed", 'SELECT $1',
		"SELECT 'e' AS \"\xc3\xa9\", 1/0 FROM t");
}

sub code_text {
	return any("SELECT set_it('f', false)", "SELECT set_it('g', true)",
		"SELECT zone_it('Asia/Tokyo')", 'CALL add_it(1)',
		'CALL commit_it(1)', "DO \$\$ BEGIN UPDATE t SET n = 8; COMMIT; "
		. "UPDATE t SET n = 1/(n - n); END \$\$",
		"DO \$\$ BEGIN UPDATE t SET n = 7; END \$\$",
		"DO \$\$ BEGIN RAISE EXCEPTION 'done'; END \$\$",
		"DO \$\$ BEGIN PERFORM set_config('app.x', 'do', false); "
		. "END \$\$", 'EXPLAIN (COSTS OFF) SELECT 1',
		'VACUUM child', 'ANALYZE child', 'LOCK TABLE child',
		'CHECKPOINT');
}

sub discard_text {
	return any('DISCARD ALL', 'DISCARD ALL', 'DISCARD PLANS',
		'DISCARD TEMP', 'DISCARD SEQUENCES');
}

sub copy_out_text {
	return any('COPY (TABLE t ORDER BY id) TO STDOUT',
		'COPY (SELECT v FROM t ORDER BY id) TO STDOUT CSV',
		'COPY (TABLE t ORDER BY id) TO STDOUT (FORMAT binary)');
}

###############################################################################

1;

###############################################################################
