#!/usr/bin/perl

# Tests for hyperdrive: LAST_INSERT_ID(), ROW_COUNT(), FOUND_ROWS(), SHOW
# WARNINGS and their like say the same as on a connection of one's own, while
# others use the only one that there is.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive;
use Test::Hyperdrive::Process qw(wait_for);
use Test::Hyperdrive::MySQL qw(packet %CAP %COM);

###############################################################################

# Each is a conversation.  P: prepared and executed; B, C: BEGIN and COMMIT are
# in it.

my @talks = (
	'SELECT ROW_COUNT(), LAST_INSERT_ID()',
	'INSERT INTO a (v) VALUES (1), (2); SELECT ROW_COUNT();'
		. 'SELECT ROW_COUNT()',
	'INSERT INTO a (v) VALUES (1), (2); SELECT LAST_INSERT_ID() AS id,'
		. 'ROW_COUNT() `n`, @@identity;'
		. 'SELECT LAST_INSERT_ID()',
	'INSERT INTO a (v) VALUES (1); INSERT INTO a VALUES (1000, 4);'
		. 'SELECT LAST_INSERT_ID(); DELETE FROM a WHERE id = 1000;'
		. 'SELECT row_count() AS "gone"',
	'UPDATE a SET v = v + 1; SELECT ROW_COUNT();'
		. 'UPDATE a SET v = v; SELECT ROW_COUNT()',
	'SET @x = 1; SELECT ROW_COUNT()',
	'DO 1; SELECT ROW_COUNT()',
	'SELECT * FROM t LIMIT 2; SELECT FOUND_ROWS(); SELECT FOUND_ROWS()',
	'SELECT SQL_CALC_FOUND_ROWS * FROM t LIMIT 2;'
		. 'SELECT FOUND_ROWS() AS total; SELECT ROW_COUNT()',
	'SELECT SQL_CALC_FOUND_ROWS * FROM t LIMIT 2;'
		. 'INSERT INTO a (v) VALUES (7); SELECT FOUND_ROWS();',
	'SELECT * FROM t LIMIT 1, 2; SELECT FOUND_ROWS()',
	'SELECT * FROM t LIMIT 2 OFFSET 2; SELECT found_rows ( )',
	'(SELECT * FROM t LIMIT 2) UNION ALL (SELECT * FROM t LIMIT 1);'
		. 'SELECT FOUND_ROWS()',
	'SELECT * FROM t WHERE id = 1; SHOW TABLES; SELECT FOUND_ROWS()',
	'SELECT * FROM t; SHOW CREATE TABLE t; SELECT FOUND_ROWS()',
	'SELECT * FROM t; EXPLAIN SELECT 1; SELECT FOUND_ROWS()',
	'SELECT * FROM t; EXPLAIN SELECT * FROM t; SELECT FOUND_ROWS()',
	'SELECT * FROM t; ANALYZE TABLE t; SELECT FOUND_ROWS()',
	'SELECT * FROM t; SHOW INDEX FROM t; SELECT FOUND_ROWS()',
	'SELECT * FROM t; DESCRIBE a; SELECT FOUND_ROWS()',
	'SELECT * FROM t; (SELECT * FROM t LIMIT 1, 2); SELECT FOUND_ROWS()',
	'SELECT * FROM t; VALUES (1), (2), (3); SELECT FOUND_ROWS()',
	'SELECT * FROM t; SET @y = 5; SELECT FOUND_ROWS()',
	'SELECT * FROM t WHERE id < 3; SELECT * FROM nowhere; SELECT ROW_COUNT(), FOUND_ROWS()',
	'SELECT * FROM t WHERE id < 3; INSERT INTO t VALUES (1);'
		. 'SELECT ROW_COUNT(), FOUND_ROWS()',

	'INSERT IGNORE INTO w VALUES (300), (-300); SHOW WARNINGS;'
		. 'SHOW COUNT(*) WARNINGS; SELECT @@warning_count,'
		. '@@session.error_count; SHOW WARNINGS LIMIT 1;'
		. 'SHOW WARNINGS LIMIT 1, 5; SHOW ERRORS',
	'INSERT IGNORE INTO w VALUES (300); SELECT 1; SHOW WARNINGS;'
		. 'SET @z = 1; SHOW WARNINGS; SELECT * FROM t WHERE id = 1;'
		. 'SHOW WARNINGS; SHOW COUNT(*) WARNINGS',
	'INSERT INTO t VALUES (1); SHOW WARNINGS; SHOW ERRORS;'
		. 'SHOW COUNT(*) ERRORS; SELECT @@error_count, @@warning_count',
	'SELEC; SHOW ERRORS; INSERT INTO a (v) VALUES (3); SHOW ERRORS',
	'DROP TABLE IF EXISTS none1, none2; SHOW WARNINGS',
	'SHOW WARNINGS',
	'SELECT @@warning_count',

	'BEGIN; INSERT INTO a (v) VALUES (5), (6); SELECT ROW_COUNT();'
		. 'INSERT IGNORE INTO w VALUES (400);'
		. 'SHOW WARNINGS; SELECT LAST_INSERT_ID(); ROLLBACK;'
		. 'SELECT ROW_COUNT(), LAST_INSERT_ID(); SHOW WARNINGS',
	'BEGIN; INSERT IGNORE INTO w VALUES (400); COMMIT; SHOW WARNINGS',
	'BEGIN; SELECT SQL_CALC_FOUND_ROWS * FROM t LIMIT 1; COMMIT;'
		. 'SELECT FOUND_ROWS()',

	'P INSERT INTO a (v) VALUES (11), (12); P SELECT ROW_COUNT();'
		. 'P SELECT LAST_INSERT_ID() AS i, FOUND_ROWS(), @@identity',
	'P SELECT SQL_CALC_FOUND_ROWS * FROM t LIMIT 1; P SELECT FOUND_ROWS()',
	'P INSERT IGNORE INTO w VALUES (300); P SHOW WARNINGS;'
		. 'P SELECT @@warning_count; SHOW WARNINGS',

	# an insert id that is used, and one that is made up

	'INSERT INTO a (v) VALUES (21); INSERT INTO t VALUES'
		. ' (LAST_INSERT_ID() * 1000); SELECT MAX(id) > 1000 FROM t;'
		. 'DELETE FROM t WHERE id > 1000',
	'SELECT LAST_INSERT_ID(18446744073709551615); SELECT LAST_INSERT_ID()',
	'SELECT LAST_INSERT_ID(9223372036854775808); SELECT LAST_INSERT_ID()',
	'SELECT LAST_INSERT_ID(17); SELECT LAST_INSERT_ID();'
		. 'UPDATE a SET v = LAST_INSERT_ID(v + 100) WHERE v = 21;'
		. 'SELECT LAST_INSERT_ID()',

	'INSERT INTO t VALUES (1); GET DIAGNOSTICS CONDITION 1'
		. ' @s = RETURNED_SQLSTATE, @e = MYSQL_ERRNO,'
		. ' @m = MESSAGE_TEXT; SELECT @s, @e, @m; SHOW ERRORS',
	'INSERT IGNORE INTO w VALUES (300), (301);'
		. 'GET CURRENT DIAGNOSTICS @n = NUMBER, @r = ROW_COUNT;'
		. 'GET DIAGNOSTICS CONDITION 2 @e = MYSQL_ERRNO;'
		. 'SELECT @n, @r, @e; SHOW WARNINGS',
	'BEGIN; INSERT IGNORE INTO w VALUES (300); GET DIAGNOSTICS'
		. ' CONDITION 1 @s = RETURNED_SQLSTATE; SELECT @s; ROLLBACK',

	'INSERT INTO a (v) VALUES (1); GET DIAGNOSTICS @r = ROW_COUNT;'
		. 'SELECT ROW_COUNT(); GET DIAGNOSTICS @n = NUMBER;'
		. 'SELECT ROW_COUNT(), LAST_INSERT_ID(); SELECT @r, @n',
	'INSERT IGNORE INTO w VALUES (300); GET DIAGNOSTICS CONDITION 5'
		. ' @s = RETURNED_SQLSTATE; SHOW WARNINGS;'
		. 'SELECT @@warning_count, @@error_count, ROW_COUNT()',
	'GET DIAGNOSTICS CONDITION 1 @s = RETURNED_SQLSTATE; SHOW ERRORS;'
		. 'SHOW WARNINGS',

	# what FOUND_ROWS() says behind an error, and in an expression

	'SELECT * FROM t; SELECT id, (SELECT id FROM t) FROM t;'
		. 'SELECT FOUND_ROWS()',
	'SELECT * FROM t; INSERT INTO t SELECT * FROM t; SELECT FOUND_ROWS()',
	'SELECT * FROM t; INSERT INTO t SELECT nosuch FROM t;'
		. 'SELECT FOUND_ROWS()',
	'SELECT * FROM t LIMIT 3; SELECT FOUND_ROWS() + 1',
	'SELECT * FROM t WHERE id < 0; DO 1; SELECT FOUND_ROWS() + 1',
	'SELECT * FROM t; BEGIN; DO 1; SELECT FOUND_ROWS() + 1; COMMIT',
	'SELECT * FROM t | DO 1 | SELECT FOUND_ROWS() + 1',
	'CREATE TABLE made AS SELECT id FROM t LIMIT 2; SELECT FOUND_ROWS();'
		. 'DROP TABLE made',
	'INSERT INTO a (v) SELECT id FROM t LIMIT 3; SELECT FOUND_ROWS()',
	'INSERT INTO a (v) SELECT SQL_CALC_FOUND_ROWS id FROM t LIMIT 3;'
		. 'SELECT FOUND_ROWS()',

	# "+": in one text with the next one; "|": sent at once with it

	'SELECT * FROM t; INSERT INTO a (v) VALUES (1) + SET @k = 1;'
		. 'SELECT FOUND_ROWS(), LAST_INSERT_ID() > 0',
	'SELECT * FROM t + SET @k = 1; SELECT FOUND_ROWS()',
	'SELECT * FROM t + SELECT 1 + INSERT INTO a (v) VALUES (1);'
		. 'SELECT FOUND_ROWS()',
	'SELECT SQL_CALC_FOUND_ROWS * FROM t LIMIT 2 + DO 2; SELECT FOUND_ROWS()',
	'SELECT * FROM t; INSERT INTO a (v) VALUES (1) + SELECT FOUND_ROWS();'
		. 'SELECT FOUND_ROWS()',
	'SELECT * FROM t; DO 1 + DO 2 + DO 3 + DO 4 + DO 5 + DO 6 + DO 7 + DO 8'
		. '+ DO 9; SELECT FOUND_ROWS()',
	'SELECT * FROM t; DO 1 + DO 2 + DO 3 + DO 4 + DO 5 + DO 6 + DO 7'
		. '+ SELECT id FROM t LIMIT 2 + DO 8; SELECT FOUND_ROWS()',
	'SELECT * FROM t; DO 1 + DO 2 + DO 3 + DO 4 + DO 5 + DO 6 + DO 7'
		. '+ SELECT id FROM t LIMIT 2; SELECT FOUND_ROWS()',
	'SELECT * FROM t; DO 1 + CALL several(); SELECT FOUND_ROWS()',
	'SELECT * FROM t; SELECT nosuch + SELECT 1; SELECT FOUND_ROWS()',
	'INSERT IGNORE INTO w VALUES (300) + SET @k = 1; SHOW WARNINGS',
	'INSERT IGNORE INTO w VALUES (300); VALUES (1), (2); SHOW WARNINGS',
	'INSERT IGNORE INTO w VALUES (300); SET @k = 1 + SET @k = 2;'
		. 'SHOW WARNINGS',
	'INSERT IGNORE INTO w VALUES (300) + INSERT INTO a (v) VALUES (1);'
		. 'SHOW WARNINGS; SELECT @@warning_count',
	'UPDATE a SET v = v + 1 + GET DIAGNOSTICS @r = ROW_COUNT;'
		. 'SELECT ROW_COUNT()',
	'SELECT * FROM t; INSERT INTO a (v) VALUES (1) | SET @k = 1;'
		. 'SELECT FOUND_ROWS()',
	'SELECT * FROM t | SET @k = 1 | SET @k = 2 | DO 1; SELECT FOUND_ROWS()',
	'SELECT SQL_CALC_FOUND_ROWS * FROM t LIMIT 2'
		. '| INSERT INTO a (v) VALUES (1); SELECT FOUND_ROWS()',
	'INSERT INTO a (v) VALUES (1) | SELECT SQL_CALC_FOUND_ROWS * FROM t'
		. ' LIMIT 2; SELECT FOUND_ROWS()',
	'INSERT IGNORE INTO w VALUES (300) | SET @k = 1; SHOW WARNINGS',
	'INSERT IGNORE INTO w VALUES (300) | SELECT * FROM t; SHOW WARNINGS',
	'SELECT * FROM t; ' . join(' | ', ('DO 1', 'SELECT id FROM t LIMIT 1') x 9,
		'SELECT * FROM t LIMIT 4', ('DO 1') x 9) . '; SELECT FOUND_ROWS()',

	# a number that is set

	'SET last_insert_id = 55; SELECT LAST_INSERT_ID(), @@identity;'
		. 'SELECT LAST_INSERT_ID() + 1',
	'INSERT INTO a (v) VALUES (1); SET @@session.identity ='
		. ' LAST_INSERT_ID() * 0 + 7; SELECT LAST_INSERT_ID()',
	'SET @k = 1, last_insert_id = 4; SELECT @@last_insert_id',
	'SET last_insert_id = 8 | SELECT LAST_INSERT_ID();'
		. 'SELECT LAST_INSERT_ID()',
	'SET last_insert_id = 8; P SET last_insert_id = 9;'
		. 'SELECT LAST_INSERT_ID()',
	'SET last_insert_id = 8; SET last_insert_id = DEFAULT;'
		. 'SELECT LAST_INSERT_ID()',
	'SET last_insert_id = 8; SET last_insert_id = nosuch;'
		. 'SELECT LAST_INSERT_ID()',

	# what pins asks the database questions of its own

	'INSERT IGNORE INTO w VALUES (300); SELECT @p := 5;'
		. 'SHOW WARNINGS; SELECT ROW_COUNT()',
);

my $t = Test::Hyperdrive->new()->plan(2 * @talks + 25)
	->write_file_expand('nginx.conf', <<'EOC');

%%TEST_GLOBALS%%

events {
}

%%TEST_STATUS%%

stream {
    hyperdrive_cache_zone  c 8m;

    upstream u {
        hyperdrive_origin  mysql://app:secret@127.0.0.1:8081/front?ssl-mode=DISABLED;
        hyperdrive_pool    max=1;
    }

    server {
        listen             127.0.0.1:8080;
        hyperdrive_pass    u;
        hyperdrive_users   off;
    }

    # a while away

    upstream far {
        hyperdrive_origin  mysql://app:secret@127.0.0.1:8084/front?ssl-mode=DISABLED;
        hyperdrive_pool    max=1;
    }

    server {
        listen             127.0.0.1:8083;
        hyperdrive_pass    far;
        hyperdrive_users   off;
    }

    server {
        listen             127.0.0.1:8082;
        hyperdrive_pass    u;
        hyperdrive_users   off;
        hyperdrive_cache   c max_age=60s;
    }
}

EOC

my $schema = 'CREATE TABLE t (id INT PRIMARY KEY);'
	. 'INSERT INTO t VALUES (1), (2), (3), (4), (5);'
	. 'CREATE TABLE a (id INT AUTO_INCREMENT PRIMARY KEY, v INT);'
	. 'CREATE TABLE b (id INT AUTO_INCREMENT PRIMARY KEY, v INT);'
	. 'CREATE TABLE w (v TINYINT);'
	. 'CREATE PROCEDURE several() SELECT id FROM t LIMIT 3;';

my $db = $t->mariadb(port => port(8081), users => { app => 'secret' },
	databases => [ 'front', 'back' ],
	sql => { front => $schema, back => $schema });

$t->relay(to => $db->port(), port => port(8084), rtt => 0.05);

$t->run();

###############################################################################

sub via {
	my ($port, %o) = @_;

	return mysql_client(port($port), user => 'app', password => 'secret',
		database => 'front', %o);
}

sub straight {
	return mysql_client(port(8081), user => 'app', password => 'secret',
		database => 'back', @_);
}

# what a client is told, as one text

sub told {
	my ($r) = @_;

	my $text = "warnings " . ($r->{warnings} || 0);

	if ($r->{error}) {
		$text = "error $r->{error}{code} $r->{error}{message}";

	} elsif ($r->{columns}) {
		$text .= ' (' . join(', ', map {
			"$_->{name} $_->{type} $_->{flags} $_->{length}"
			. " $_->{charset} $_->{decimals}" } @{$r->{columns}})
			. ')';
		$text .= ' [' . join(', ', map { defined $_ ? $_ : 'NULL' }
			@$_) . ']' for @{$r->{rows}};

	} else {
		$text .= " affected $r->{affected} id $r->{insert_id}";
	}

	$text =~ s/(\b|_)back\b/$1front/g;

	return $text;
}

my $other = via(8080);
my $others = 0;

# another client leaves something of each kind; not while the connection is
# somebody's own, as it is for a moment behind some statements, and for longer
# behind others

sub interfere {
	for (1 .. 20) {
		last unless $t->status()->{upstreams}{u}{total}{pinned};
		return if $_ == 20;
		select undef, undef, undef, 0.005;
	}

	my @what = (
		'INSERT IGNORE INTO w VALUES (1000), (1000), (1000)',
		'INSERT INTO b (v) VALUES (0), (0), (0), (0)',
		'SELECT 1 FROM t LIMIT 4',
		'SELECT * FROM not_there',
		'SELECT SQL_CALC_FOUND_ROWS 1 FROM t LIMIT 1',
		'DELETE FROM b WHERE v = 0',
	);

	$other->query($what[$others++ % @what]);
}

sub talk {
	my ($c, $talk, $between) = @_;

	my ($block, $text) = (0, '');

	for my $sql (split /;\s*/, $talk) {
		$between->() if $between && !$block;

		# a block is open, or the connection is its own

		$block = 1 if $sql =~ /^BEGIN|:=/;
		$block = 0 if $sql =~ /^(COMMIT|ROLLBACK)/;

		my @r;

		if ($sql =~ s/^P //) {
			my $st = $c->prepare($sql);

			$between->() if $between && !$block;
			@r = $c->execute($st);

		} elsif ((my @parts = split /\s*\|\s*/, $sql) > 1) {
			$c->send_raw(join('', map {
				packet(chr($COM{QUERY}) . $_, 0) } @parts));

			for (@parts) {
				$c->{seq} = 1;
				push @r, $c->read_result();
			}

		} elsif ($sql =~ s/\s\+ (?=[A-Z])/; /g) {
			@r = $c->query($sql);

		} else {
			@r = scalar $c->query($sql);
		}

		$text .= substr($sql, 0, 70) . ': ' . told($_) . "\n" for @r;
	}

	return $text;
}

for my $modern (1, 0) {
	my @drop = (add => $CAP{MULTI_STATEMENTS}
			| ($modern ? $CAP{MARIADB_TYPE_INFO} : 0),
		drop => $modern ? 0 : $CAP{DEPRECATE_EOF});

	for my $talk (@talks) {
		my $c = via(8080, @drop);
		my $d = straight(@drop);

		is(talk($c, $talk, \&interfere), talk($d, $talk),
			substr($talk, 0, 70) . ($modern ? '' : ', old ends'));

		$_->close() for $c, $d;
	}
}

ok(wait_for(sub { !$t->status()->{upstreams}{u}{total}{pinned} }),
	'nobody pins');

# one counts rows that are found, another one rows that are changed

{
	my $found = via(8080, add => $CAP{FOUND_ROWS});
	my $changed = via(8080);

	$db->sql('DELETE FROM w; INSERT INTO w VALUES (1), (1), (2)', db => "front");

	is($found->query('UPDATE w SET v = 1 WHERE v = 1')->{affected}, 2,
		'rows found');
	is($changed->query('UPDATE w SET v = 1 WHERE v = 1')->{affected}, 0,
		'rows changed');
	is($found->value('SELECT ROW_COUNT()'), 2, 'found, asked for');
	is($changed->value('SELECT ROW_COUNT()'), 0, 'changed, asked for');

	$_->close() for $found, $changed;
}

# behind an answer from the cache

{
	my $c = via(8082);
	my $text = 'SELECT id FROM t WHERE id < 4';

	# (the catalog has to be there)

	wait_for(sub {
		$c->query($text);
		return $t->status()->{upstreams}{u}{total}{hits};
	});

	$c->query('INSERT IGNORE INTO w VALUES (300)');
	$other->query('SELECT 1');

	my $hits = $t->status()->{upstreams}{u}{total}{hits};

	is(@{$c->query($text)->{rows}}, 3, 'an answer');
	is($t->status()->{upstreams}{u}{total}{hits}, $hits + 1,
		'from the cache');

	$other->query('SELECT id FROM t WHERE id = 1');

	is($c->value('SELECT FOUND_ROWS()'), 3, 'its rows');
	is($c->query('INSERT IGNORE INTO w VALUES (300)')->{warnings}, 1,
		'a warning');
	$c->query($text);
	is($c->value('SELECT ROW_COUNT()'), -1, 'no count behind a hit');
	is(@{$c->query('SHOW WARNINGS')->{rows}}, 0, 'nor a warning');

	$c->close();
}

# a client that moves to another worker takes it along

{
	my $c = via(8080);

	$c->query('INSERT INTO a (v) VALUES (1), (2)');
	my $id = $c->query('INSERT INTO a (v) VALUES (3)')->{insert_id};
	$c->query('SELECT SQL_CALC_FOUND_ROWS * FROM t LIMIT 2');
	$c->query('INSERT IGNORE INTO w VALUES (300), (301)');

	$t->reload();

	is($c->value('SELECT ROW_COUNT()'), 2, 'moved, with the count');
	is($c->value('SELECT LAST_INSERT_ID()'), $id, 'and the number');
	is(@{$c->query('SHOW WARNINGS')->{rows}}, 2, 'and the warnings');

	$c->query('SELECT SQL_CALC_FOUND_ROWS * FROM t LIMIT 2');
	$t->reload();
	is($c->value('SELECT FOUND_ROWS()'), 5, 'and the rows found');

	# all of it goes by a reset

	$c->query('INSERT IGNORE INTO w VALUES (300), (301)');
	ok($c->reset()->{ok}, 'reset');
	is($c->value('SELECT LAST_INSERT_ID()'), 0, 'no number');
	is(@{$c->query('SHOW WARNINGS')->{rows}}, 0, 'no warnings');
	is($c->value('SELECT @@warning_count'), 0, 'nor a count of them');

	$c->close();
}

# a number is set while another one is asked for

{
	my $c = via(8083);

	$c->query('INSERT INTO a (v) VALUES (1)');
	$c->value('SELECT LAST_INSERT_ID()');

	$c->query('INSERT INTO a (v) VALUES (1)');
	is($c->value('SELECT LAST_INSERT_ID(17)'), 17, 'set at once');
	is($c->value('SELECT LAST_INSERT_ID()'), 17, 'is what it is then');

	$c->close();
}

# the database is asked for a variable, and for its collation then, while another
# statement leaves a warning

{
	my ($c, $between) = (via(8083), via(8083));

	$c->query("SELECT \@v := 'text'");
	is($c->query("SELECT 1 + 'x'")->{warnings}, 1, 'a warning meanwhile');

	$between->query('SELECT 1');
	is($c->query('SHOW WARNINGS')->{rows}[0][1], 1292, '...is told');

	$_->close() for $c, $between;
}

# asked ahead of the answer

{
	my $c = via(8080);

	$c->command('QUERY', 'INSERT INTO a (v) VALUES (1), (2), (3)');
	$c->command('QUERY', 'SELECT ROW_COUNT()');
	$c->command('QUERY', 'SELECT 1');

	$c->{seq} = 1;
	is($c->read_result()->{affected}, 3, 'three at once');
	$c->{seq} = 1;
	is($c->read_result()->{rows}[0][0], 3, 'are answered in order');
}

###############################################################################
