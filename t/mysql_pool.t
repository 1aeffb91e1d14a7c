#!/usr/bin/perl

# Tests for hyperdrive: MySQL's commands over connections that are shared.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive;
use Test::Hyperdrive::MySQL qw(%CAP %STATUS lenc lstr);

###############################################################################

my $t = Test::Hyperdrive->new()->plan(53);

my $db = $t->mariadb(users => { app => 'secret' },
	databases => [ 'shop' ], sql => { shop => <<'EOC' });

CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(100));
INSERT INTO t VALUES (1, 'one'), (2, 'two'), (3, NULL);
CREATE TABLE auto (id INT AUTO_INCREMENT PRIMARY KEY, v INT);
EOC

$t->single($db->url(), pool => 'max=1')->run();

sub client {
	return mysql_client(port(8080), user => 'app', password => 'x',
		database => 'shop', @_);
}

###############################################################################

my $c1 = client();
my $c2 = client(drop => $CAP{DEPRECATE_EOF});
my $c3 = client(add => $CAP{SESSION_TRACK}, split => 1);

my $id = $c1->value('SELECT CONNECTION_ID()');

is($c2->value('SELECT CONNECTION_ID()'), $id, 'one connection for two');
is($c3->value('SELECT CONNECTION_ID()'), $id, 'and for a third, bytewise');

is_deeply($_->query('SELECT id, v FROM t ORDER BY id')->{rows},
	[ [ 1, 'one' ], [ 2, 'two' ], [ 3, undef ] ], 'rows')
	for $c1, $c2, $c3;

is_deeply($_->query('SELECT id FROM t WHERE id > 9')->{rows}, [], 'no rows')
	for $c1, $c2;

my $r = $c1->query('SELECT nonsense');
is($r->{error}{code}, 1054, 'an error');
is($r->{error}{state}, '42S22', 'its state');

$r = $c1->query('INSERT INTO auto (v) VALUES (7), (8)');
is($r->{affected}, 2, 'rows inserted');
is($r->{insert_id}, 1, 'the id of the first');
like($r->{info}, qr/Records: 2/, 'info');

# statements

my $s1 = $c1->prepare('SELECT v, ? FROM t WHERE id = ?');
my $s2 = $c2->prepare('SELECT id FROM t WHERE v = ? OR id = ?');

is($s1->{nparams}, 2, 'parameters are described');
is($s1->{ncolumns}, 2, 'columns, too');

is_deeply($c1->execute($s1, 'a', 1)->{rows}, [ [ 'one', 'a' ] ],
	'first statement');
is_deeply($c2->execute($s2, 'two', 3)->{rows}, [ [ 2 ], [ 3 ] ],
	'statement of another client');
is_deeply($c1->execute($s1, undef, 2)->{rows}, [ [ 'two', undef ] ],
	'first statement again');

$c1->command('STMT_EXECUTE', Test::Hyperdrive::MySQL::execute_body($s1->{id},
		[ 'b', '1' ], bound => 0));
is_deeply($c1->read_result(1)->{rows}, [ [ 'one', 'b' ] ],
	'types that were sent before');

my $s3 = $c3->prepare('SELECT v, ? FROM t WHERE id = ?');
is_deeply($c3->execute($s3, 'c', 1)->{rows}, [ [ 'one', 'c' ] ],
	'same statement of a third client');

$c1->close_statement($s1);
is($c1->execute($s1, 'a', 1)->{error}{code}, 1243, 'closed');
is_deeply($c3->execute($s3, 'd', 2)->{rows}, [ [ 'two', 'd' ] ],
	'but not for the third client');

is($c1->prepare('SELECT FROM WHERE')->{error}{code}, 1064,
	'cannot be prepared');

# long data stays with its client until it is executed

my $s4 = $c1->prepare('SELECT LENGTH(?), ?');

$c1->command('STMT_LONG_DATA', pack('V v', $s4->{id}, 0) . 'x' x 70000);
$c1->command('STMT_LONG_DATA', pack('V v', $s4->{id}, 0) . 'y' x 30000);
is_deeply($c1->execute($s4, \0, 'z')->{rows}, [ [ 100000, 'z' ] ],
	'long data');
is($c2->value('SELECT CONNECTION_ID()'), $id, 'connection free again');

# a long statement

my $long = 'x' x 300000;
is($c1->query("SELECT LENGTH('$long')")->{rows}[0][0], 300000, 'long query');
is(length($c1->value("SELECT REPEAT('a', 5000000)")), 5000000, 'long row');
is(length($c3->value("SELECT REPEAT('a', 3000)")), 3000, 'row in pieces');

# cursors

my $s5 = $c1->prepare('SELECT id FROM t ORDER BY id');

$c1->command('STMT_EXECUTE', Test::Hyperdrive::MySQL::execute_body($s5->{id},
		[], cursor => 1));
$r = $c1->read_result(1);
ok($r->{status} & $STATUS{CURSOR}, 'cursor opened');

$c1->command('STMT_FETCH', pack('V V', $s5->{id}, 2));
is_deeply($c1->read_rows($r, 1)->{rows}, [ [ 1 ], [ 2 ] ], 'fetched');

$r->{rows} = [];
$c1->command('STMT_FETCH', pack('V V', $s5->{id}, 2));
is_deeply($c1->read_rows($r, 1)->{rows}, [ [ 3 ] ], 'fetched the rest');

is($c2->value('SELECT CONNECTION_ID()'), $id, 'connection free behind it');

# several results

is($c1->query('SELECT 1; SELECT 2')->{error}{code}, 1064,
	'several statements are not taken from who has not asked for it');

my $c4 = client(add => $CAP{MULTI_STATEMENTS});
my @r = $c4->query('SELECT 1; INSERT INTO auto (v) VALUES (1); SELECT 2');
is(scalar @r, 3, 'three results');
is($r[2]{rows}[0][0], 2, 'the last');

my $c5 = client(add => $CAP{MULTI_STATEMENTS}, drop => $CAP{DEPRECATE_EOF});
@r = $c5->query('SELECT id FROM t; SELECT nonsense; SELECT 2');
is(scalar @r, 2, 'up to the error');
is($r[1]{error}{code}, 1054, 'the error');

is($c1->query('SELECT 1; SELECT 2')->{error}{code}, 1064, 'still not');

$c1->command('SET_OPTION', pack('v', 0));
is(ord($c1->read_packet()), 0xfe, 'option set');
is(scalar(() = $c1->query('SELECT 1; SELECT 2')), 2, 'taken now');

# transactions keep the connection

ok($c1->query('BEGIN')->{ok}, 'begin');
ok($c1->status() & $STATUS{IN_TRANS}, 'in a transaction');
is($c1->query("INSERT INTO t VALUES (4, 'four')")->{affected}, 1, 'insert');

$c2->command('QUERY', 'SELECT COUNT(*) FROM t');
ok($c2->silent(0.2), 'another waits');

ok($c1->query('ROLLBACK')->{ok}, 'rolled back');
ok(!($c1->status() & $STATUS{IN_TRANS}), 'not in a transaction any more');
is($c2->read_result()->{rows}[0][0], 3, 'the other goes on');

# small ones

ok($c1->ping()->{ok}, 'ping');
$c1->command('STATISTICS');
like($c1->read_packet(), qr/Uptime/, 'statistics');
$c1->command('99');
is($c1->read_result()->{error}{code}, 1047, 'unknown command');

$c1->command('FIELD_LIST', "t\0");
my $n = 0;
while (defined(my $p = $c1->read_packet())) {
	last if ord($p) == 0xfe;
	$n++;
}
is($n, 2, 'field list');

# who leaves in a transaction leaves nothing

$c1->query('BEGIN');
$c1->query("INSERT INTO t VALUES (5, 'five')");
$c1->abort();

is($c2->value('SELECT COUNT(*) FROM t'), 3, 'rolled back behind a client');

# who leaves with rows under way

my $c6 = client();
$c6->command('QUERY', 'SELECT a.id FROM t a, t b, t c, t d, t e');
$c6->abort();

is($c2->value('SELECT COUNT(*) FROM t'), 3, 'its answers are nobody else\'s');

is($c2->quit(), 'closed', 'polite end');



###############################################################################
