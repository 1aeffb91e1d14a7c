#!/usr/bin/perl

# Tests for hyperdrive: answers from memory in the forms that MySQL's clients
# understand.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive;
use Test::Hyperdrive::MySQL qw(%CAP);
use Test::Hyperdrive::Process qw(wait_for);

###############################################################################

my $t = Test::Hyperdrive->new()->plan(27);

my $db = $t->mariadb(users => { app => 'secret' },
	databases => [ 'shop' ], sql => { shop => <<'EOC' });

CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(100));
INSERT INTO t VALUES (1, 'one'), (2, 'two'), (3, NULL);
CREATE TABLE big (id INT PRIMARY KEY, v TEXT);
INSERT INTO big SELECT seq, REPEAT('x', 300) FROM seq_1_to_500;
EOC

$t->single($db->url(), pool => 'max=3', cache => 'max_age=1h verify=100%')
	->run();

sub client {
	return mysql_client(port(8080), user => 'app', password => 'x',
		database => 'shop', @_);
}

sub total { return $t->status()->{upstreams}{u}{total}{$_[0]} }

sub hits { return total('hits') }

# what the client reads for a command, byte by byte

sub bytes {
	my ($c, $command, $body, $n) = @_;

	$c->command($command, $body);

	my $got = '';

	for (1 .. $n) {
		my $p = $c->read_packet();
		$got .= unpack('H*', $p) . "\n";
	}

	return $got;
}

###############################################################################

my $new = client();
my $old = client(drop => $CAP{DEPRECATE_EOF});
my $track = client(add => $CAP{SESSION_TRACK}, split => 1);

my $sql = 'SELECT id, v FROM t ORDER BY id';
my $rows = [ [ 1, 'one' ], [ 2, 'two' ], [ 3, undef ] ];

# (the catalog is read with the first client)

ok(wait_for(sub { $new->query($sql); hits() }), 'a hit');

my $hits = hits();

is_deeply($_->query($sql)->{rows}, $rows, 'rows') for $new, $old, $track;
is(hits(), $hits + 3, 'from memory');

# byte for byte what the database says

my $direct = $db->client(user => 'app', password => 'secret',
	database => 'shop');

is(bytes($new, 'QUERY', $sql, 7), bytes($direct, 'QUERY', $sql, 7),
	'as directly');

my $before = $db->client(user => 'app', password => 'secret',
	database => 'shop', drop => $CAP{DEPRECATE_EOF});

# (whether an index was used is said behind the rows, not before them, too)

my $as_directly = bytes($before, 'QUERY', $sql, 8);
$as_directly =~ s/^fe00002200/fe00000200/m;

is(bytes($old, 'QUERY', $sql, 8), $as_directly,
	'as directly, in the old form');
is(hits(), $hits + 5, 'from memory');

# the binary protocol

my $s1 = $new->prepare('SELECT v, id FROM t WHERE id = ?');
my $s2 = $old->prepare('SELECT v, id FROM t WHERE id = ?');

is_deeply($new->execute($s1, '2')->{rows}, [ [ 'two', 2 ] ], 'executed');

$hits = hits();

is_deeply($new->execute($s1, '2')->{rows}, [ [ 'two', 2 ] ], 'and again');
is_deeply($old->execute($s2, '2')->{rows}, [ [ 'two', 2 ] ],
	'for another client');
is(hits(), $hits + 2, 'from memory');
is_deeply($new->execute($s1, '1')->{rows}, [ [ 'one', 1 ] ],
	'not with another value');
is_deeply($new->execute($s1, undef)->{rows}, [], 'nor with none');

# types that were sent with what came from memory

my $body = Test::Hyperdrive::MySQL::execute_body($s2->{id}, [ '3' ],
	bound => 0);

$old->command('STMT_EXECUTE', $body);
is_deeply($old->read_result(1)->{rows}, [ [ undef, 3 ] ],
	'types are remembered');

# not what was written to

is($new->query('UPDATE t SET v = "zwei" WHERE id = 2')->{affected}, 1,
	'a write');
is_deeply($old->execute($s2, '2')->{rows}, [ [ 'zwei', 2 ] ], 'is seen');
is($track->query($sql)->{rows}[1][1], 'zwei', 'in the text, too');

# large ones

$sql = 'SELECT id, v FROM big ORDER BY id';

my $large = $new->query($sql)->{rows};
$hits = hits();

is_deeply($new->query($sql)->{rows}, $large, 'a large answer');
is_deeply($old->query($sql)->{rows}, $large, 'in the old form');
is(hits(), $hits + 2, 'from memory');

# what is kept is what the database says, whoever was told it

my $typed = client(add => $CAP{MARIADB_TYPE_INFO});
my $n = 0;

for ($new, $old, $track, $typed) {
	my $c = $_;

	$n++;

	for my $sql ("SELECT v, id FROM t WHERE id <> $n",
		"SELECT id, v FROM t WHERE id <> $n")
	{
		my $s = $sql =~ /v, id/ && $c->prepare($sql);
		my $before = total('verified');

		wait_for(sub {
			$s ? $c->execute($s) : $c->query($sql);
			total('verified') > $before;
		}, 10, 'a hit that is verified');
	}

	is(total('verify_failed'), 0, 'all is as the database says');
}

$db->sql("UPDATE t SET v = 'past' WHERE id = 1", db => 'shop');

is($new->query('SELECT id, v FROM t WHERE id <> 3')->{rows}[0][1], 'one',
	'a write past nginx is not seen');
ok(wait_for(sub { total('verify_failed') }), '...until that was verified');

###############################################################################
