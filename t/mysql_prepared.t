#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: statements of MySQL that are prepared without the
# database, byte by byte as directly.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive;
use Test::Hyperdrive::MySQL qw(%CAP);

###############################################################################

my $t = Test::Hyperdrive->new();

my $db = $t->mariadb(users => { app => 'secret' },
	databases => [ 'shop', 'other' ], sql => { shop => <<'EOC',

CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20), n DECIMAL(10, 2));
INSERT INTO t VALUES (1, 'one', 1.5), (2, 'two', NULL);
CREATE TABLE e (id INT PRIMARY KEY, v VARCHAR(20));
INSERT INTO e VALUES (1, 'one');
CREATE TABLE words (id INT PRIMARY KEY, w VARCHAR(20) CHARACTER SET utf8mb4);
CREATE VIEW w AS SELECT id AS number, v FROM t;
CREATE PROCEDURE p() SELECT id FROM t;
CREATE FUNCTION f(a INT) RETURNS VARCHAR(30) DETERMINISTIC RETURN a;
EOC
	other => 'CREATE TABLE t (id BIGINT, other TEXT, third INT)' });

my $relay = $t->relay(to => $db->port());
my $origin = $relay->port();

$t->write_file_expand('nginx.conf', <<"EOC")->run();

%%TEST_GLOBALS%%

events {
}

%%TEST_STATUS%%

stream {
    hyperdrive_cache_zone  z 4m;

    hyperdrive_users  off;

    upstream u {
        hyperdrive_origin   mysql://app:secret\@127.0.0.1:$origin?ssl-mode=DISABLED;
        hyperdrive_pool     max=1;
        hyperdrive_catalog  refresh=1h;
    }

    server {
        listen           127.0.0.1:8080;
        hyperdrive_pass  u;
    }
}

EOC

my %app = (user => 'app', password => 'secret', database => 'shop');
my $mariadb = !$db->is_mysql();

*packet = \&Test::Hyperdrive::MySQL::packet;
*execute_body = \&Test::Hyperdrive::MySQL::execute_body;

sub client { return mysql_client(port(8080), %app, @_) }

# what a client reads for a PREPARE, without the statement's number; and
# what it can be executed by

sub prepare {
	my ($c, $sql) = @_;

	$c->command('STMT_PREPARE', $sql);

	my $p = $c->read_packet();
	return unpack('H*', $p) if ord($p) == 0xff;

	my ($id, $columns, $params) = unpack('x V v v', $p);
	my $eof = $c->capabilities() & $CAP{DEPRECATE_EOF} ? 0 : 1;

	substr($p, 1, 4, 'NUMB');

	my @got = ($p, map { $c->read_packet() }
		1 .. $columns + $params + $eof * (!!$columns + !!$params));

	$c->{prepared} = { id => $id, nparams => $params };

	return join "\n", map { unpack 'H*', $_ } @got;
}

sub trips {
	my ($code) = @_;

	my $before = $relay->trips();
	$code->();
	return $relay->trips() - $before;
}

# so many trips; the same bytes as directly

sub costs {
	my ($n, $c, $direct, $sql, $name) = @_;

	my $got;

	is(trips(sub { $got = prepare($c, $sql) }), $n, "$name: trips");
	is($got, prepare($direct, $sql), "$name: the answer");
}

# the catalog is read again, and the only connection serves this pool

sub again {
	client()->query('SELECT v FROM t WHERE id = 1');
	$t->wait_catalog('u');
	client()->query('SELECT 1');
}

###############################################################################
# In the forms that clients understand.

again();

my @texts = ('SELECT v, n FROM t WHERE id = ?', 'SELECT * FROM t',
	'INSERT INTO t VALUES (?, ?, ?)', 'UPDATE t SET v = ? WHERE id = ?',
	'DELETE FROM t WHERE id = 77', 'SELECT ?, ? + 1, f(?)', 'SELECT 1',
	'SELECT * FROM w WHERE number = ?');

push @texts, 'DELETE FROM t WHERE id = ? RETURNING v, id' if $mariadb;

my @forms = ([ 'new' ], [ 'old', drop => $CAP{DEPRECATE_EOF} ]);

push @forms, [ 'extended', add => $CAP{MARIADB_TYPE_INFO} ],
	[ 'extended, old', add => $CAP{MARIADB_TYPE_INFO},
		drop => $CAP{DEPRECATE_EOF} ],
	[ 'which keeps columns', add => $CAP{MARIADB_CACHE_METADATA} ]
	if $mariadb;

my $n = 1;

for my $form (@forms, [ 'bytewise', split => 1 ]) {
	my ($name, @o) = @$form;

	my $c = client(@o);
	my $direct = $db->client(%app, @o);

	for my $sql (@texts) {
		costs($n, $c, $direct, $sql, "$name: $sql");
		costs(0, $c, $direct, $sql, "$name, again: $sql");
	}

	$n = 0;
}

# what cannot be prepared is asked for each time, and so are variables

{
	my $c = client();
	my $direct = $db->client(%app);

	for my $sql ('SELECT nothing FROM t', 'SELECT FROM', 'SELECT @@version',
		'SELECT @a')
	{
		costs(1, $c, $direct, $sql, "$sql, $_") for 'once', 'again';
	}
}

###############################################################################
# What was prepared so is executed: what a connection lacks goes in the same
# write.

my $c = client();
my $d = $db->client(%app);

is(trips(sub { prepare($c, $texts[0]) }), 0, 'known');
is(trips(sub {
	is_deeply($c->execute($c->{prepared}, 1)->{rows}, [ [ 'one', '1.50' ] ],
		'executed');
}), 1, '...in one trip');

$db->end($c->value('SELECT CONNECTION_ID()'));
$c->query('SELECT 1');

is(trips(sub { prepare($c, $texts[0]) }), 0, 'with another connection');
is(trips(sub {
	is_deeply($c->execute($c->{prepared}, 2)->{rows}, [ [ 'two', undef ] ],
		'executed');
}), $mariadb ? 1 : 2, '...which lacks it');

# who only prepares needs no connection: the only one is somebody else's

my $busy = client();
$busy->query('BEGIN');
$busy->query('SELECT v FROM t WHERE id = 1 FOR UPDATE');

my @many = map { client() } 1 .. 3;

for my $e (@many) {
	is(trips(sub { prepare($e, $_) for @texts, $texts[0] }), 0,
		'prepared while there is no connection');
}

is(prepare($busy, $texts[0]), prepare($d, $texts[0]),
	'in a block it is the database that prepares');
$busy->query('COMMIT');

is_deeply($_->execute($_->{prepared}, 2)->{rows}, [ [ 'two', undef ] ],
	'executed') for @many;

# in a block that has no connection yet

$busy->query('BEGIN');
$d->query('BEGIN');
is(trips(sub { is(prepare($busy, $texts[1]), prepare($d, $texts[1]),
	'behind BEGIN') }), 0, '...it costs nothing');
is(scalar @{$busy->execute($busy->{prepared})->{rows}}, 2, 'rows');
is($busy->status() & 1, 1, 'in a transaction');
is(trips(sub { is(prepare($busy, $texts[1]), prepare($d, $texts[1]),
	'in the block') }), 1, '...it is sent');
$_->query('ROLLBACK') for $busy, $d;

# without a wait, by the number of what was prepared last

SKIP: {
	skip('MySQL has no such number', 7) unless $mariadb;

	for my $sql ($texts[0], 'SELECT v, n FROM t WHERE id = ? OR 0') {
		my $n = trips(sub {
			$c->send_raw(packet("\x16$sql", 0)
				. packet("\x17" . execute_body(0xffffffff,
				[ 1 ]), 0));
			$c->{seq} = 1;
			$c->read_prepared();
			$c->{seq} = 1;
			is_deeply($c->read_result(1)->{rows},
				[ [ 'one', '1.50' ] ], 'executed at once');
		});

		# (of a new one, two commands are sent)

		is($n, 1, 'in one trip') if $sql eq $texts[0];

		costs(0, $c, $d, $sql, 'known');
	}
}

# several in one write: known, new, known

$c->send_raw(join '', map { packet("\x16$_", 0) }
	$texts[0], 'SELECT id + 1 FROM t', $texts[1]);

for (1 .. 3) {
	$c->{seq} = 1;
	is($c->read_prepared()->{ncolumns}, (2, 1, 3)[$_ - 1],
		"of three at a time, $_");
}

# numbers

prepare($c, $texts[0]);
my $one = $c->{prepared};
prepare($c, $texts[0]);
my $two = $c->{prepared};

isnt($one->{id}, $two->{id}, 'each has a number');
$c->close_statement($one);
is($c->execute($one, 1)->{error}{code}, 1243, 'one is closed');
is_deeply($c->execute($two, 1)->{rows}, [ [ 'one', '1.50' ] ],
	'the other is not');

# long data, and a cursor

$c->command('STMT_LONG_DATA', pack('V v a*', $two->{id}, 0, '2'));
is_deeply($c->execute($two, \1)->{rows}, [ [ 'two', undef ] ], 'long data');

prepare($c, $texts[1]);
$c->command('STMT_EXECUTE', execute_body($c->{prepared}{id}, [],
	cursor => 1));
is(scalar @{$c->read_result(1)->{columns}}, 3, 'a cursor');
$c->command('STMT_FETCH', pack('V V', $c->{prepared}{id}, 10));

my $fetched = 0;
while (my $row = $c->read_packet()) {
	last if ord($row) == 0xfe && length($row) < 9;
	$fetched++;
}

is($fetched, 2, 'fetched');
$c->close_statement($c->{prepared});

# all of them go with the session

prepare($c, $texts[0]);
$one = $c->{prepared};
$c->reset();
is($c->execute($one, 1)->{error}{code}, 1243, 'gone by a reset');
is(trips(sub { prepare($c, $texts[0]) }), 0, 'prepared again');
is_deeply($c->execute($c->{prepared}, 1)->{rows}, [ [ 'one', '1.50' ] ],
	'and executed');

ok($c->change_user(%app), 'another log-in');
is($c->execute($c->{prepared}, 1)->{error}{code}, 1243, 'gone by it');
is(trips(sub { prepare($c, $texts[0]) }), 0, 'prepared again');

# conditions of the statement before

for my $sql ('SELECT 1', $texts[0], "SELECT v, 'new' FROM t", $texts[0]) {
	for my $e ($c, $d) {
		$e->query("SELECT 'x' + 1");
		$e->query('SELECT nothing') if $sql eq $texts[0];
		prepare($e, $sql);
	}

	is_deeply($c->query('SHOW WARNINGS')->{rows},
		$d->query('SHOW WARNINGS')->{rows}, "warnings behind $sql");
}

###############################################################################
# What the answer depends on.

my %set = (
	'SET NAMES latin1' => "SELECT w AS '\xc3\xa4' FROM words",
	"SET collation_connection = 'utf8mb4_bin'" => "SELECT 'a', w FROM words",
	"SET sql_mode = 'ANSI_QUOTES'" => 'SELECT "v" FROM t',
	'SET div_precision_increment = 8' => 'SELECT n / 3 FROM t',
	'SET group_concat_max_len = 50' => 'SELECT GROUP_CONCAT(v) FROM t',
	'SET character_set_results = NULL' => "SELECT w AS '\xc3\xa4' FROM words",
	'USE other' => 'SELECT * FROM t',
);

for my $set (sort keys %set) {
	my $sql = $set{$set};

	my ($plain, $other, $third) = map { client() } 1 .. 3;
	my ($direct, $as) = map { $db->client(%app) } 1 .. 2;

	$_->query($set) for $other, $third, $as;

	prepare($plain, $sql);
	costs(0, $plain, $direct, $sql, "$set: who has not said it");

	cmp_ok(trips(sub { is(prepare($other, $sql), prepare($as, $sql),
		"$set: who has") }), '>', 0, "...asks for it");
	costs(0, $other, $as, $sql, "$set: again");
	costs(0, $third, $as, $sql, "$set: another one");
	costs(0, $plain, $direct, $sql, "$set: who has not, again");

	isnt(prepare($as, $sql), prepare($direct, $sql), "$set: they differ")
		unless $set =~ /collation|results/;

	$_->quit() for $plain, $other, $third;
}

# what changes nothing; a user's own variables

{
	my $e = client();

	$e->query('SET wait_timeout = 100');
	$e->query("SET \@a = 'text'");
	costs(0, $e, $d, $texts[0], 'set to what is no matter');

	$d->query("SET \@a = 'text'");
	prepare($e, 'SELECT @a');
	costs(1, $e, $d, 'SELECT @a', 'a variable');
}

# a temporary table is its session's alone

{
	my ($e, $f) = (client(), client());
	my $direct = $db->client(%app);

	$_->query('CREATE TEMPORARY TABLE e (temporary INT)') for $e, $direct;

	is(prepare($e, 'SELECT * FROM e'), prepare($direct, 'SELECT * FROM e'),
		'a temporary table');
	is(prepare($e, 'SELECT * FROM e'), prepare($direct, 'SELECT * FROM e'),
		'...again');

	$_->query('DROP TEMPORARY TABLE e') for $e, $direct;

	is(prepare($_, 'SELECT * FROM e'), prepare($direct, 'SELECT * FROM e'),
		'behind it') for $e, $f;
}

###############################################################################
# DDL through nginx: known at once.

again();

{
	my ($e, $f) = (client(), client());

	prepare($e, 'SELECT * FROM e');
	costs(0, $f, $d, 'SELECT * FROM e', 'before');

	$f->query('ALTER TABLE e ADD w INT, MODIFY v TEXT');
	is(prepare($e, 'SELECT * FROM e'), prepare($d, 'SELECT * FROM e'),
		'behind ALTER TABLE');
	again();
	prepare($e, 'SELECT * FROM e');
	costs(0, $f, $d, 'SELECT * FROM e', 'and again');
	is(scalar @{$f->execute($f->{prepared})->{columns}}, 3, 'executed');

	prepare($e, 'SELECT * FROM e');
	$f->query('DROP TABLE e');
	is($e->execute($e->{prepared})->{error}{code}, 1146,
		'behind DROP TABLE, executed');
	like(prepare($e, 'SELECT * FROM e'), qr/^ff7a04/, '...and prepared');
	$f->query('CREATE TABLE e (id INT PRIMARY KEY)');
	is(prepare($e, 'SELECT * FROM e'), prepare($d, 'SELECT * FROM e'),
		'there it is again');
}

# DDL elsewhere: seen by the first execution, on a connection that has it and
# on one that lacks it

my @changes = ([ 'a column', 'SELECT * FROM e', 'ALTER TABLE e ADD c INT' ],
	[ 'a name', 'SELECT * FROM e', 'ALTER TABLE e RENAME COLUMN c TO d' ],
	[ 'a type', 'SELECT * FROM e', 'ALTER TABLE e MODIFY d TEXT' ],
	[ 'a column, with a parameter', 'SELECT * FROM e WHERE id = ?',
		'ALTER TABLE e DROP d', 1 ]);

for my $lacks (0, 1) {

	again();

	for my $change (@changes) {
		my ($what, $sql, $ddl, @values) = @$change;
		my $name = $what . ($lacks ? ', new connection' : '');

		my ($e, $f) = (client(), client());

		prepare($e, $sql);
		$e->execute($e->{prepared}, @values);
		is(trips(sub { prepare($e, $sql) }), 0, "$name: known");

		$db->client(%app)->query($ddl);

		if ($lacks) {
			$db->end($e->value('SELECT CONNECTION_ID()'));
			$e->query('SELECT 1');
		}

		is(trips(sub { prepare($e, $sql) }), 0,
			"$name: changed elsewhere, not known yet");

		my $r = $e->execute($e->{prepared}, @values);
		prepare($d, $sql);
		my $s = $d->execute($d->{prepared}, @values);

		is_deeply($r->{columns}, $s->{columns},
			"$name: its execution says it");

		costs(1, $f, $d, $sql, "$name: now it is asked for");
		costs(0, $e, $d, $sql, "$name: once");
	}

	my $e = client();
	prepare($e, 'SELECT * FROM e');
	$db->client(%app)->query('RENAME TABLE e TO gone');

	if ($lacks) {
		$db->end($e->value('SELECT CONNECTION_ID()'));
		$e->query('SELECT 1');
	}

	is(trips(sub { prepare($e, 'SELECT * FROM e') }), 0, 'a table is gone');
	is($e->execute($e->{prepared})->{error}{code}, 1146, 'executed: an error');
	cmp_ok(trips(sub { is(prepare($e, 'SELECT * FROM e'),
		prepare($d, 'SELECT * FROM e'), 'prepared: an error') }), '>',
		0, '...of the database');

	$db->client(%app)->query('RENAME TABLE gone TO e');
	$db->client(%app)->query('DROP TABLE e');
	$db->client(%app)->query('CREATE TABLE e (id INT PRIMARY KEY)');
}

###############################################################################
# What nobody has changed does not look as if.

again();

my @looks = (
	'SELECT t.*, w.v FROM t JOIN w ON t.id = w.number',
	'SELECT v, COUNT(*) FROM t GROUP BY v', 'SELECT DISTINCT n FROM t',
	'SELECT id FROM t UNION SELECT v FROM t ORDER BY 1',
	'SELECT d.a + 1 FROM (SELECT id AS a FROM t) d',
	'WITH c AS (SELECT v FROM t) SELECT * FROM c', 'SELECT f(id) FROM t',
	'SELECT NOW(), UUID(), USER(), DATABASE(), CONNECTION_ID()',
	'SELECT MIN(id), AVG(n), GROUP_CONCAT(v) FROM t', 'SELECT NULL, 1.5, "a"',
	'SELECT (SELECT v FROM t WHERE id = 1), EXISTS (SELECT 1 FROM t)',
	'SELECT CAST(v AS CHAR), CAST(id AS DATETIME) FROM t',
	'SELECT CASE WHEN id = 1 THEN n ELSE v END FROM t',
	'SELECT ROW_NUMBER() OVER (ORDER BY id) FROM t',
	'SHOW TABLES', 'SHOW COLUMNS FROM t', 'SHOW VARIABLES LIKE "port"',
	'SHOW CREATE TABLE t', 'EXPLAIN SELECT * FROM t', 'CALL p()',
	'SELECT table_name FROM information_schema.tables LIMIT 1',
	'SELECT v FROM t WHERE id = 1 FOR UPDATE',
	'SELECT COALESCE(v, n) FROM t', 'SELECT VALUES(v) FROM t',
	'SELECT LAST_INSERT_ID(), FOUND_ROWS()', 'SELECT v AS `a b` FROM t',
	'SELECT t.id, x.id FROM t LEFT JOIN t x ON x.id = 5',
	'SELECT HEX(v), v LIKE "o%", n IS NULL, -id, id / 2 FROM t',
);

push @looks, 'VALUES (1, 2), (3, 4)', 'ANALYZE SELECT * FROM t',
	'INSERT INTO t VALUES (50, "x", 1) RETURNING id, v',
	'SELECT JSON_VALUE("{}", "$.a"), JSON_ARRAYAGG(id) FROM t'
	if $mariadb;

prepare(client(), $_) for @texts;

for my $sql (@looks) {
	my ($e, $f) = (client(), client());

	prepare($e, $sql);
	next unless $e->{prepared};

	is(prepare($f, $sql), prepare($d, $sql), $sql);
	$f->execute($f->{prepared});

	# (nobody is asked for conditions any more)

	$e->query('SELECT 1');

	is(trips(sub { prepare($e, $texts[0]) }), 0, '...executed');

	$_->quit() for $e, $f;
}

again();
prepare(client(), $texts[5]);

for my $values ([ 1, 2, 3 ], [ 'a', 1.5, undef ]) {
	my $e = client();

	is(trips(sub { prepare($e, $texts[5]) }), 0, 'parameters of any type');
	$e->execute($e->{prepared}, @$values);
	$e->query('SELECT 1');
	is(trips(sub { prepare($e, $texts[5]) }), 0, '...change nothing');
}

# what one client has prepared is bounded

{
	my $e = client();
	my $sql = 'SELECT v FROM t WHERE id = 1 -- ' . ('x' x 1_000_000);
	my ($n, $st, $first);

	for ($n = 1; $n < 100; $n++) {
		$st = $e->prepare("$sql $n");
		$first ||= $st;
		last if $st->{error};
	}

	is($n, 69, '64 MB of statements');
	is($st->{error}{code}, 1461, '...and no more of them');
	is($e->execute($first)->{rows}[0][0], 'one', '...which go on');

	my $last = $e->execute({ %$first, id => 0xffffffff });

	is($last->{error}{code}, 1243, '...and there is no last one');

	is($e->query('SELECT 1')->{rows}[0][0], 1, '...nor does it end');
	is(client()->prepare("$sql 100")->{error}, undef, 'others go on');

	$e->close_statement($first);
	is($e->prepare("$sql 100")->{error}, undef, 'one is closed');
}

$t->done_testing();

###############################################################################
