#!/usr/bin/perl

# Tests for hyperdrive: what MariaDB's protocol has beyond MySQL's, each
# capability at one end without the other.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive;
use Test::Hyperdrive::MySQL qw(%CAP lstr);

###############################################################################

my $t = Test::Hyperdrive->new();

my $db = $t->mariadb(users => { app => 'secret' },
	databases => [ 'shop' ], sql => { shop => <<'EOC' });

CREATE TABLE t (id INT PRIMARY KEY, j JSON, v VARCHAR(10) DEFAULT 'd');
INSERT INTO t VALUES (1, '{}', 'one');
CREATE TABLE a (id INT PRIMARY KEY, j JSON, v VARCHAR(10));
INSERT INTO a VALUES (1, '[]', 'eins');
EOC

plan(skip_all => 'MySQL has none of it') if $db->is_mysql();

$t->single($db->url(), pool => 'max=1', cache => 'max_age=1h')->run();

my $TYPED = $CAP{MARIADB_TYPE_INFO};
my $BULK = $CAP{MARIADB_BULK};

sub client {
	return mysql_client(port(8080), user => 'app', password => 'x',
		database => 'shop', @_);
}

sub hits { return $t->status()->{upstreams}{u}{total}{hits} }

sub types { return [ map { $_->{extended} } @{$_[0]{columns}} ] }

my $json = "\1\4json";

###############################################################################

my $typed = client(add => $TYPED | $BULK);
my $plain = client();
my $old = client(add => $TYPED, drop => $CAP{DEPRECATE_EOF}, split => 1);

is($typed->capabilities() & ($TYPED | $BULK), $TYPED | $BULK,
	'offered, as the database does');
ok($typed->greeting()->{capabilities} & $CAP{MARIADB_CACHE_METADATA},
	'and what we do for clients ourselves');
ok(!($typed->greeting()->{capabilities} & $CAP{MARIADB_PROGRESS}),
	'...nor what nobody needs');

# nothing is kept until the catalog has been read

ok(wait_for(sub { $plain->query('SELECT id FROM t'); hits() }, 10),
	'answers are kept');

my $hits = hits();

# in whichever order: an answer that is kept has all that anybody wants

for my $case ([ 't', $plain, $typed, $old ], [ 'a', $old, $plain, $typed ]) {
	my ($table, @clients) = @$case;

	for my $client (@clients, @clients) {
		my $r = $client->query("SELECT j, v FROM $table");
		my $wants = $client != $plain;

		is_deeply(types($r), $wants ? [ $json, '' ] : [ undef, undef ],
			"$table: types of columns");
		is($r->{columns}[0]{name}, 'j', "$table: a name");
		is($r->{columns}[1]{org_table}, $table, "$table: a table");
		is(scalar @{$r->{rows}}, 1, "$table: a row");
	}
}

is(hits() - $hits, 10, 'all but the first two from memory');

for my $client ($plain, $typed, $old) {
	my $s = $client->prepare('SELECT j, ? FROM t');
	my $wants = $client != $plain;

	is($s->{columns}[0]{extended}, $wants ? $json : undef,
		'prepared: types') if $s->{columns};

	for (1, 2) {
		my $r = $client->execute($s, 'x');
		is_deeply(types($r), $wants ? [ $json, '' ]
			: [ undef, undef ], 'executed: types');
		is_deeply($r->{rows}, [ [ '{}', 'x' ] ], 'executed: a row');
	}

	$client->command('FIELD_LIST', "t\0");

	my @fields;

	while (my $payload = $client->read_packet()) {
		last if ord($payload) == 0xfe && length($payload) < 9;
		push @fields, $payload;
	}

	is(scalar @fields, 3, 'fields are listed');
	is($fields[0] =~ /\Q$json\E\x0c/ ? 1 : 0, 0, 'an integer says nothing');
	is($fields[1] =~ /\Q$json\E\x0c/ ? 1 : 0, $wants ? 1 : 0,
		'JSON, to whom it is told');
	like($fields[2], qr/\x01d$/, 'with a default value');
	is($client->value('SELECT 1'), 1, 'and it goes on');
}

###############################################################################

# columns that a client has been told are not told again from memory

for my $more (0, $TYPED) {
	for my $drop (0, $CAP{DEPRECATE_EOF}) {
		my $c = client(add => $CAP{MARIADB_CACHE_METADATA} | $more,
			drop => $drop);
		my $query = 'SELECT j, v FROM t WHERE id = 1';

		ok(!$c->query($query)->{kept}, 'told by a query') for 1 .. 3;

		my $s = $c->prepare('SELECT v, j FROM t WHERE id = ?');
		my $other = $c->prepare('SELECT j FROM t WHERE id = ?');

		is_deeply($c->execute($s, 1)->{rows}, [ [ 'one', '{}' ] ],
			'executed') for 1 .. 2;

		my $r = $c->execute($s, 1);
		is($r->{kept}, 1, 'columns are known');
		is($r->{columns}[0]{name}, 'v', 'by their names');
		is_deeply($r->{rows}, [ [ 'one', '{}' ] ], 'rows follow');

		$r = $c->execute($other, 1);
		ok(!$r->{kept}, 'those of another statement are not');
		is_deeply($r->{rows}, [ [ '{}' ] ], 'and rows follow');
	}
}

my $c = client(add => $CAP{MARIADB_CACHE_METADATA});
my $s = $c->prepare('SELECT * FROM a WHERE id = ?');

$c->execute($s, 1) for 1 .. 3;
is($c->execute($s, 1)->{kept}, 1, 'known');

$plain->query('ALTER TABLE a MODIFY v VARCHAR(200)');

for my $n (1 .. 3) {
	my $r = $c->execute($s, 1);
	is($r->{columns}[2]{length}, 200 * 4, "not as they were, $n")
		if $n == 1;
	is_deeply($r->{rows}, [ [ 1, '[]', 'eins' ] ], "a row, $n");
}

ok(wait_for(sub { $c->execute($s, 1)->{kept} }, 10), 'until they are known again');

# many rows by one command, and its types once

$s = $typed->prepare('INSERT INTO t (id, v) VALUES (?, ?)');

sub bulk {
	my ($client, $s, $flags, @rows) = @_;

	my $body = pack('V v', $s->{id}, $flags);
	$body .= "\3\0\xfd\0" if $flags & 128;

	$body .= "\0" . pack('V', $_->[0])
		. (defined $_->[1] ? "\0" . lstr($_->[1]) : "\1") for @rows;

	$client->command('STMT_BULK_EXECUTE', $body);

	return $client->read_result();
}

is(bulk($typed, $s, 128, map { [ $_, "v$_" ] } 10 .. 109)->{affected}, 100,
	'a hundred rows');

$plain->query('BEGIN');
$plain->query('ROLLBACK');

is(bulk($typed, $s, 0, [ 200, 'x' ], [ 201, undef ])->{affected}, 2,
	'without types: they are known');
is(bulk($typed, $s, 0, [ 300, 'x' ], [ 10, 'again' ])->{error}{code}, 1062,
	'one that is there already');
is_deeply($typed->query('SELECT COUNT(*), MAX(id) FROM t WHERE id > 9')
	->{rows}, [ [ 102, 201 ] ], 'they are there, but for the last command');

# on a connection that lacks the statement

$db->end($plain->value('SELECT CONNECTION_ID()'));
is($plain->value('SELECT 1'), 1, 'another connection');
is(bulk($typed, $s, 0, [ 400, 'y' ])->{affected}, 1,
	'prepared there, with types');

# its types hold for an execution that brings none, as directly

for my $client ($typed, $db->client(user => 'app', password => 'secret',
	database => 'shop', add => $BULK))
{
	$client->query('DELETE FROM t WHERE id > 500');

	my $s = $client->prepare('INSERT INTO t (id, v) VALUES (?, ?)');

	is($client->execute($s, '501', 'x')->{affected}, 1, 'texts');
	is(bulk($client, $s, 128, [ 502, 'y' ])->{affected}, 1, 'an integer');

	$client->command('STMT_EXECUTE', pack('V C V', $s->{id}, 0, 1)
		. "\0\0" . pack('V', 503) . lstr('z'));
	is($client->read_result()->{affected}, 1, 'another, of no type');

	is_deeply($client->query('SELECT id, v FROM t WHERE id > 500 '
		. 'ORDER BY id')->{rows},
		[ [ 501, 'x' ], [ 502, 'y' ], [ 503, 'z' ] ], 'they are there');
}

# the database's own refusal, to who has not said that it does this

$s = $plain->prepare('INSERT INTO t (id, v) VALUES (?, ?)');
is(bulk($plain, $s, 128, [ 500, 'z' ])->{affected}, 1,
	'a client that has not asked for it is served all the same');

$s = $typed->prepare('SELECT v FROM t WHERE id = ? OR v = ?');
ok(bulk($typed, $s, 128, [ 10, 'one' ])->{error},
	'what has no bulk form is refused');
is($typed->value('SELECT 1'), 1, 'and it goes on');

# by the number of whatever was prepared last, sent without a wait

$typed->{seq} = 0;
$typed->command('STMT_PREPARE', 'SELECT v FROM t WHERE id = ?');
$typed->command('STMT_EXECUTE', Test::Hyperdrive::MySQL::execute_body(
	0xffffffff, [ '1' ]));
$typed->{seq} = 1;
my $prepared = $typed->read_prepared();
is($prepared->{nparams}, 1, 'prepared');
$typed->{seq} = 1;
is_deeply($typed->read_result(1)->{rows}, [ [ 'one' ] ],
	'and executed in the same go');
is_deeply($typed->execute($prepared, 10)->{rows}, [ [ 'v10' ] ],
	'it has a number');

###############################################################################

# old commands

$plain->command('SET_OPTION', pack('v', 1));
is(ord($plain->read_packet()), 0xfe, 'an option');
is($plain->query('SELECT 1; SELECT 2')->{error}{code}, 1064,
	'one statement only');
$plain->command('SET_OPTION', pack('v', 0));
$plain->read_packet();
$plain->command('QUERY', 'SELECT 1; SELECT 2');
is(scalar(@{[ $plain->read_results() ]}), 2, 'or several');
is($typed->value('SELECT 3'), 3, 'others have their own option');
is($typed->query('SELECT 1; SELECT 2')->{error}{code}, 1064,
	'which is as it was');

$plain->command('SET_OPTION', "\7");
is($plain->read_result()->{error}{code}, 1835, 'an option cut short');

$plain->command('STATISTICS');
like($plain->read_packet(), qr/^Uptime: \d+ /, 'statistics');

$t->done_testing();

###############################################################################
