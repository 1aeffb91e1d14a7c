#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive, MySQL: what is kept is never older than a write that
# was acknowledged, whatever wrote, and is kept where nothing did.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive;
use Test::Hyperdrive::Outcome;
use Test::Hyperdrive::MySQL qw(%CAP);

###############################################################################

my $t = Test::Hyperdrive->new(timeout => 400);

my $my = $t->mariadb(users => { app => 'pw' }, databases => [ 'shop', 'other' ],
	sql => { shop => <<'EOS' });

CREATE TABLE prices (id int PRIMARY KEY, v int, note text,
    CHECK (v < 1000000000)) ENGINE=InnoDB;
INSERT INTO prices VALUES (1, 0, ''), (2, 0, ''), (3, 0, '');
CREATE TABLE quiet (id int PRIMARY KEY, v int) ENGINE=InnoDB;
INSERT INTO quiet VALUES (1, 5);
CREATE TABLE orders (id int PRIMARY KEY AUTO_INCREMENT, price int,
    FOREIGN KEY (price) REFERENCES prices (id) ON DELETE CASCADE) ENGINE=InnoDB;
CREATE TABLE people (id int PRIMARY KEY, v int) ENGINE=InnoDB;
INSERT INTO people VALUES (1, 0);
CREATE TABLE remarks (id int PRIMARY KEY, person int, parent int, root int,
    FOREIGN KEY (person) REFERENCES people (id) ON DELETE CASCADE,
    FOREIGN KEY (parent) REFERENCES remarks (id) ON DELETE CASCADE,
    FOREIGN KEY (root) REFERENCES remarks (id) ON DELETE SET NULL) ENGINE=InnoDB;
INSERT INTO remarks VALUES (1, 1, 1, 1);
CREATE TABLE plain (id int PRIMARY KEY, v int) ENGINE=MyISAM;
INSERT INTO plain VALUES (1, 0);
CREATE TABLE log (id int PRIMARY KEY AUTO_INCREMENT, v int) ENGINE=InnoDB;
CREATE VIEW price_view AS SELECT * FROM prices;
CREATE VIEW now_view AS SELECT v, NOW() FROM prices;
CREATE TRIGGER logged AFTER INSERT ON log FOR EACH ROW
    UPDATE prices SET v = v + 1 WHERE id = 1;
DELIMITER //
CREATE FUNCTION raise_price() RETURNS int MODIFIES SQL DATA
BEGIN UPDATE prices SET v = v + 1 WHERE id = 1; RETURN 1; END//
CREATE FUNCTION price_of(x int) RETURNS int READS SQL DATA
    RETURN (SELECT v FROM prices WHERE id = x)//
CREATE PROCEDURE raise_it() UPDATE prices SET v = v + 1 WHERE id = 1//
CREATE PROCEDURE raise_twice()
BEGIN
    START TRANSACTION; UPDATE prices SET v = v + 1 WHERE id = 1; COMMIT;
    UPDATE prices SET v = v + 1 WHERE id = 1;
END//
DELIMITER ;
CREATE TABLE other.prices LIKE prices;
INSERT INTO other.prices SELECT * FROM prices;

EOS

my $origin = $my->port();
my $relay = $t->relay(to => $origin);
my $far = $relay->port();

$t->write_file('nginx.conf', $t->expand(<<"EOS"))->run();

%%TEST_GLOBALS%%

events {
}

%%TEST_STATUS%%

stream {
    hyperdrive_cache_zone  shop 16m;

    hyperdrive_users  off;

    upstream near {
        hyperdrive_origin  mysql://app:pw\@127.0.0.1:$origin/shop?sslmode=disable;
        hyperdrive_pool    max=20;
    }

    upstream far {
        hyperdrive_origin  mysql://app:pw\@127.0.0.1:$far/shop?sslmode=disable;
        hyperdrive_pool    max=20;
    }

    server {
        listen            127.0.0.1:8080;
        hyperdrive_pass   near;
        hyperdrive_cache  shop max_age=600s;
    }

    server {
        listen            127.0.0.1:8082;
        hyperdrive_pass   far;
    }

    server {
        listen            127.0.0.1:8081;
        hyperdrive_pass   near;
    }
}

EOS

my $reader = client(8080);

my $sql = 'SELECT v FROM prices WHERE id = 1';
my $up = 'UPDATE prices SET v = v + 1 WHERE id = 1';

ok(wait_for(sub { $reader->value($sql); kept() }, 30), 'answers are kept');

writes();
blocks();
instant();
schemas();
hidden();
nothing_written();
made_meanwhile();

my $outcome = Test::Hyperdrive::Outcome->new(test => $t, relay => $relay,
	client => \&client, truth => $my->client(database => 'shop'),
	hits => \&hits, read => $sql, up => $up, lost => 'ended',
	slow => "$up AND SLEEP(2) = 0", slower => "$up AND SLEEP(200) = 0",
	start => sub { $_[0]->command('QUERY', $_[1]) },
	finish => sub {
		my @r = $_[0]->read_results();
		return @r && !$r[0]{error} ? 'good' : 'ended';
	},
	value => sub { $_[0]->value($_[1]) });

$outcome->acknowledgement_held_back();
$outcome->client_gone();
$outcome->cut_in_commit();
$outcome->lost_at_work();
$outcome->killed_worker();

$t->done_testing();

###############################################################################

sub client {
	my ($port, %o) = @_;

	return mysql_client(port($port), user => 'app', password => 'pw',
		database => 'shop', timeout => 20, %o);
}

sub hits {
	return $t->status()->{upstreams}{near}{total}{hits};
}

sub kept {
	my ($what) = @_;

	my $before = hits();
	$reader->value($what || $sql);
	return hits() - $before;
}

sub warm {
	my ($what) = @_;
	return wait_for(sub { kept($what) }, 20);
}

# A write behind which the next read is fresh, and kept again then.

sub drops {
	my ($name, $write, %o) = @_;

	my $read = $o{read} || $sql;
	my $w = $o{with} || client(8081);

	ok(warm($read), "$name: kept before");

	my $old = $reader->value($read);
	my @said = map { $w->query($_) } ref $write ? @$write : $write;
	my ($error) = grep { $_->{error} } @said;

	is($error ? 1 : 0, $o{fails} ? 1 : 0, "$name: runs")
		or diag($error && $error->{error}{message});

	my $before = hits();
	my $new = $reader->value($read);
	my $hit = hits() - $before;
	my $real = $my->sql($read, db => 'shop');

	isnt($new, $old, "$name: is a write");
	is("$new, $hit from memory", "$real, 0 from memory",
		"$name: the next read is fresh");

	ok(warm($read), "$name: and it is kept") unless $o{last};
}

sub keeps {
	my ($name, $write, %o) = @_;

	my $read = $o{read} || $sql;
	my $w = $o{with} || client(8081);

	ok(warm($read), "$name: kept before");

	my $old = $reader->value($read);
	$w->query($_) for ref $write ? @$write : $write;

	my $before = hits();
	my $new = $reader->value($read);

	is($new . ', ' . (hits() - $before) . ' from memory',
		"$old, 1 from memory", "$name: what was kept is served");
}

###############################################################################

sub writes {
	drops('UPDATE', $up);
	drops('UPDATE of a view',
		'UPDATE price_view SET v = v + 1 WHERE id = 1');
	drops('UPDATE of two tables',
		'UPDATE quiet q JOIN prices p ON p.id = q.id SET p.v = p.v + 1');
	drops('INSERT ... ON DUPLICATE KEY UPDATE',
		"INSERT INTO prices VALUES (1, 1, '') "
		. 'ON DUPLICATE KEY UPDATE v = prices.v + 1');
	drops('REPLACE', "REPLACE INTO prices VALUES (1, 1000, 'x')");
	drops('a comment that is code', "/*!40000 $up */");
	drops('several in one text', "SELECT 1; $up",
		with => client(8081, add => $CAP{MULTI_STATEMENTS}));
	drops('several, of which the last fails', "$up; SELECT nothing",
		with => client(8081, add => $CAP{MULTI_STATEMENTS}), fails => 1);
	drops('a trigger', 'INSERT INTO log (v) VALUES (1)');
	drops('a function', 'SELECT raise_price()');
	drops('a function that looks for a table',
		"SHOW TABLES WHERE Tables_in_shop = 'quiet' AND raise_price()");
	drops('a procedure', 'CALL raise_it()');
	drops('a procedure that commits', 'CALL raise_twice()');
	drops('EXECUTE IMMEDIATE', "EXECUTE IMMEDIATE '$up'");
	drops('PREPARE and EXECUTE', [ "PREPARE s FROM '$up'", 'EXECUTE s' ]);
	drops('a block of its own', "BEGIN NOT ATOMIC $up; END");
	drops('SET STATEMENT', "SET STATEMENT lock_wait_timeout = 5 FOR $up");

	drops('a view', $up, read => 'SELECT v FROM price_view WHERE id = 1');
	drops('a function that reads', $up, read => 'SELECT price_of(1)');
	drops('a join', $up, read => 'SELECT p.v + q.v FROM quiet q '
		. 'JOIN prices p ON p.id = q.id');

	drops('a cascade', [ "INSERT IGNORE INTO prices VALUES (9, 0, '')",
		'INSERT INTO orders (price) VALUES (9)' ],
		read => 'SELECT COUNT(*) FROM orders');
	drops('a cascade, of DELETE', 'DELETE FROM prices WHERE id = 9',
		read => 'SELECT COUNT(*) FROM orders');

	# a tree, whose rows know their parent and their root

	keeps('SHOW', q{SHOW FULL TABLES WHERE Table_type <> 'VIEW' AND
		Tables_in_shop NOT IN (SELECT note FROM prices)});

	keeps('a cascade to what refers to itself twice',
		'UPDATE people SET v = v + 1');
	drops('a cascade to what refers to itself twice, of DELETE',
		'DELETE FROM people', read => 'SELECT COUNT(*) FROM remarks');
}

sub blocks {
	my $w = client(8081);

	drops('COMMIT', [ 'BEGIN', $up, 'COMMIT' ]);
	drops('COMMIT AND CHAIN', [ 'BEGIN', $up, 'COMMIT AND CHAIN' ],
		with => $w);
	drops('a new BEGIN commits', [ $up, 'BEGIN' ], with => $w);
	drops('DDL commits', [ 'BEGIN', $up,
		'CREATE TABLE IF NOT EXISTS made (id int)' ], with => $w);
	drops('LOCK TABLES commits', [ 'BEGIN', $up, 'LOCK TABLES quiet READ',
		'UNLOCK TABLES' ], with => $w);
	drops('autocommit = 0', [ 'SET autocommit = 0', $up, 'COMMIT' ],
		with => $w);
	drops('autocommit = 1 commits', [ $up, 'SET autocommit = 1' ],
		with => $w);
	drops('XA', [ "XA START 'a'", $up, "XA END 'a'", "XA PREPARE 'a'",
		"XA COMMIT 'a'" ]);

	$w = client(8081);

	keeps('open', [ 'BEGIN', $up ], with => $w);
	keeps('rolled back', 'ROLLBACK', with => $w);
}

# A table that knows no transaction.

sub instant {
	my $read = 'SELECT v FROM plain WHERE id = 1';
	my $write = 'UPDATE plain SET v = v + 1 WHERE id = 1';
	my $w = client(8081);

	drops('MyISAM', $write, read => $read);
	drops('MyISAM in a block', [ 'BEGIN', $write ], read => $read,
		with => $w);
	drops('MyISAM, and ROLLBACK', [ $write, 'ROLLBACK' ], read => $read,
		with => $w);
}

sub schemas {
	my $w = client(8081);

	keeps('of another schema', 'UPDATE other.prices SET v = v + 1');
	keeps('behind USE', [ 'USE other', $up ], with => $w);
	drops('with its schema', 'UPDATE shop.prices SET v = v + 1',
		with => $w);
	keeps('of another table', 'UPDATE quiet SET v = v + 1');

	$reader->query('USE other');
	my $there = $reader->value($sql);
	$reader->query('USE shop');

	is($there, $my->sql('SELECT v FROM other.prices WHERE id = 1'),
		'the same text in another schema is another question');
}

# What may not be kept.

sub hidden {
	for my $read (
		'SELECT v, NOW() FROM prices WHERE id = 1',
		'SELECT * FROM now_view',
		'SELECT v FROM prices WHERE id = 1 FOR UPDATE',
		'SELECT v + @x FROM prices WHERE id = 1',
		'SELECT v FROM prices WHERE id = 1 AND RAND() < 2',
		'SELECT COUNT(*) FROM information_schema.tables',
		'SELECT SQL_NO_CACHE v FROM prices WHERE id = 1',
		'/* hyperdrive: no-cache */ SELECT v FROM prices WHERE id = 1',
	) {
		kept($read);
		is(kept($read), 0, "not kept: $read");
	}

	# a statement begins a transaction, and is repeatable in it

	my $c = client(8080);
	ok(warm(), 'kept for others');
	$c->query('SET autocommit = 0');
	my $first = $c->value($sql);
	client(8081)->query($up);
	is($c->value($sql), $first, 'autocommit = 0: a read is repeatable');
	$c->query('COMMIT');
	is($c->value($sql), $first + 1, 'autocommit = 0: fresh behind COMMIT');
	$c->query('COMMIT');

	# a table of the session's own hides one that all can see

	my $r = client(8080);
	ok(warm(), 'kept');
	$r->query('CREATE TEMPORARY TABLE prices (id int, v int)');
	$r->query('INSERT INTO prices VALUES (1, -7)');
	is($r->value($sql), -7, 'a temporary table is read');
	isnt($reader->value($sql), -7, '...by its owner alone');
	$r->query('DROP TEMPORARY TABLE prices');
	isnt($r->value($sql), -7, '...and the other one when it is gone');
}

# What is read, and what a write writes, is another thing by and by.

sub made_meanwhile {
	my $ddl = client(8081);
	my $read = 'SELECT v FROM later WHERE id = 1';

	$ddl->query('CREATE VIEW later AS SELECT * FROM quiet');
	ok(warm($read), 'a new view is kept');

	drops('a view that is another one', [ 'CREATE OR REPLACE VIEW later AS '
		. 'SELECT id, v + 100 AS v FROM prices' ], read => $read);
	drops('...and what is behind it now', $up, read => $read);

	ok(warm(), 'kept');
	$ddl->query('CREATE TRIGGER also AFTER UPDATE ON quiet FOR EACH ROW '
		. 'UPDATE prices SET v = v + 1 WHERE id = 1');
	drops('a new trigger', 'UPDATE quiet SET v = v + 1');
	$ddl->query('DROP TRIGGER also');
	keeps('one that is gone', 'UPDATE quiet SET v = v + 1');

	ok(warm(), 'kept');
	$ddl->query('CREATE OR REPLACE FUNCTION raise_price() RETURNS int '
		. 'READS SQL DATA RETURN (SELECT COUNT(*) FROM quiet)');
	keeps('a function that does nothing any more', 'SELECT raise_price()');

	drops('TRUNCATE', 'TRUNCATE TABLE quiet',
		read => 'SELECT COUNT(*) FROM quiet');
}

sub nothing_written {
	keeps('EXPLAIN', "EXPLAIN $up");
	keeps('a failed write', 'UPDATE prices SET v = 1000000001 WHERE id = 1');
	keeps('SET', "SET NAMES utf8mb4, \@a = 1, sql_mode = 'ANSI'");
	keeps('ROLLBACK TO', [ 'BEGIN', 'SAVEPOINT a', $up,
		'ROLLBACK TO SAVEPOINT a', 'ROLLBACK' ]);
}

###############################################################################
