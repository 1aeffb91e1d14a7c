#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Looks for stale reads of MariaDB: many writers and readers on two workers,
# while acknowledgements are held back, connections are cut in COMMIT with the
# COMMIT landing two seconds later, a replica stops and goes on, workers are
# killed and nginx is reloaded.  What is looked for is said in lib/Test/Hyperdrive/Stale.pm.
#
# STALE_SECONDS=600 prove t/mysql_stale_reads.t runs longer.  A build without one
# half of the rule has to fail, docs/testing.md says how that is tried.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive;
use Test::Hyperdrive::MySQL qw(%CAP);
use Test::Hyperdrive::Stale qw(arrange hunt);
use Time::HiRes qw(sleep);

###############################################################################

my $seconds = $ENV{STALE_SECONDS} || 16;

my $rows = 3;
my $never = $Test::Hyperdrive::Stale::never;

my @writers = ((8080) x 2, (8081) x 2, 8082, 8084, (8083) x 2);
my @readers = ((8080) x 3, 8081, 8083, (8084) x 2, (8085) x 2);

my $t = Test::Hyperdrive->new(log => 'info', timeout => 2 * $seconds + 300);

my $db = $t->mariadb(settings => { log_bin => 'log', server_id => 1,
		log_bin_trust_function_creators => 1 },
	users => { app => { password => 'pw', grants => 'SELECT, INSERT, '
		. 'UPDATE, DELETE, TRIGGER, EXECUTE, SHOW VIEW' } },
	databases => [ 'shop' ], sql => { shop => <<"EOS" });

CREATE TABLE a (id INT PRIMARY KEY, v INT) ENGINE=InnoDB;
CREATE TABLE b (id INT PRIMARY KEY, v INT) ENGINE=InnoDB;
INSERT INTO a SELECT seq, 0 FROM seq_0_to_@{[ $rows - 1 ]};
INSERT INTO b SELECT seq, 0 FROM seq_0_to_@{[ $rows - 1 ]};
CREATE VIEW pairs AS SELECT a.id AS id, a.v AS av, b.v AS bv
    FROM a JOIN b ON a.id = b.id;
DELIMITER //
CREATE FUNCTION raise_b(r INT) RETURNS INT MODIFIES SQL DATA
BEGIN
    UPDATE b SET v = v + 1 WHERE id = r;
    RETURN (SELECT v FROM b WHERE id = r);
END //
CREATE PROCEDURE raise_b_of(r INT)
BEGIN
    START TRANSACTION;
    UPDATE b SET v = v + 1 WHERE id = r;
    SELECT v FROM b WHERE id = r;
    COMMIT;
END //
DELIMITER ;

EOS

# (who asks for the catalog may see what routines do)

$db->sql("GRANT SELECT ON mysql.* TO app\@'%'");

my $replica = $db->replica(
	settings => { innodb_flush_log_at_trx_commit => 0 });
my $stand = $replica->client();

arrange($t, $db, $replica, sub {
	return "mysql://app:pw\@127.0.0.1:$_[0]/shop?ssl-mode=DISABLED";
});

###############################################################################

# name => what it does to a row, and the new v: an update tells it as the id that
# was inserted last

my @ways = (
	simple => sub { id($_[0]->query(update($_[1]))) },
	prepared => sub { id($_[0]->execute($_[0]{up}, $_[1])) },
	insert => sub {
		id($_[0]->query("INSERT INTO a VALUES ($_[1], 0) ON DUPLICATE "
			. 'KEY UPDATE v = LAST_INSERT_ID(v + 1)'));
	},
	transaction => sub {
		my ($c, $row) = @_;

		good($c->query('BEGIN'));
		my $v = id($c->query(update($row)));
		good($c->query('COMMIT'));
		return $v;
	},
	transaction_prepared => sub {
		my ($c, $row) = @_;

		good($c->query('START TRANSACTION'));
		my $v = id($c->execute($c->{up}, $row));
		good($c->query('COMMIT'));
		return $v;
	},
	autocommit => sub {
		my ($c, $row) = @_;

		good($c->query('SET autocommit = 0'));
		my $v = id($c->query(update($row)));

		# which commits

		good($c->query('SET autocommit = 1'));
		return $v;
	},
	implicit => sub {
		my ($c, $row) = @_;

		good($c->query('BEGIN'));
		my $v = id($c->query(update($row)));

		# the next BEGIN commits

		good($c->query('BEGIN'));
		good($c->query('ROLLBACK'));
		return $v;
	},
	one_text => sub {
		my ($c, $row) = @_;

		my @r = $c->query('BEGIN; ' . update($row) . '; COMMIT');
		good($_) for @r;
		die "closed\n" if @r < 3;
		return $r[1]{insert_id};
	},
	function => sub { (value($_[0]->query("SELECT raise_b($_[1])")))[0] },
	function_prepared => sub {
		(value($_[0]->execute($_[0]{raise}, $_[1])))[0];
	},
	function_called => sub {
		my ($c, $row) = @_;

		# (which counts as DDL, and so ends all that is kept)

		return (value($c->query("SELECT raise_b($row)")))[0]
			if rand() < 0.95;

		my @r = $c->query("CALL raise_b_of($row)");
		good($_) for @r;
		die "closed\n" if @r < 2;
		return $r[0]{rows}[0][0];
	},
	rollback => sub {
		my ($c, $row) = @_;

		good($c->query('BEGIN'));
		good($c->query("UPDATE a SET v = v + $never WHERE id = $row"));
		sleep(0.002) if rand() < 0.2;
		good($c->query('ROLLBACK'));
	},
	failure => sub {
		my ($c, $row) = @_;

		my $r = $c->query("UPDATE b SET v = v + $never + "
			. "IF(id = $row, (SELECT 1 UNION SELECT 2), 0)");

		die "closed\n" unless $r;
		die "it has not failed\n" unless $r->{error};
		die "$r->{error}{code} $r->{error}{message}\n"
			if $r->{error}{code} != 1242;
	},
);

my %sum = hunt($t, seconds => $seconds, rows => $rows,
	writers => \@writers, readers => \@readers,
	connect => \&client, ways => \@ways, read => \&read_row,
	begin => sub { good($_[0]->query('BEGIN')) },
	commit => sub { good($_[0]->query('COMMIT')) },
	# (number 0: it was told so unasked, as its request came)
	expected => qr/^(?:1040|1053|1158|1160|1205|1213|1317|1927|2013)\s
		|closed|reset|gone|refused|connect|in\ time|pipe|no\ answer
		|^sequence\ number\ 0,/xi,
	stop => sub { good($stand->query('STOP SLAVE SQL_THREAD')) },
	go_on => sub { good($stand->query('START SLAVE SQL_THREAD')) });

my %done = %{$sum{done}};

# counters of killed workers are kept, so these are all

$sum{hits} = $t->status()->{upstreams}{near}{total}{hits};
$sum{replica} = $t->status()->{upstreams}{split}{total}{replica_reads};

diag(join(', ', map { "$_ $sum{$_}" }
	qw(reads hits replica writes rolled_back lost)),
	', ', join(', ', map { "$_ $done{$_}" } sort keys %done));

cmp_ok($sum{reads}, '>', 50 * $seconds, 'there was much to read');
cmp_ok($sum{writes}, '>', 5 * $seconds, '...and to write');
cmp_ok($sum{hits}, '>', 5 * $seconds, '...and something was kept');
cmp_ok($sum{replica}, '>', 0, '...and a replica was read from');
cmp_ok($sum{lost}, '>', 0, '...and connections were lost');

is($sum{check1}, 0, 'no read is older than an acknowledged write');
is($sum{check2}, 0, 'no answer shows less than one before it');
is($sum{check3}, 0, 'no answer is one that cannot be');
is($sum{unexpected}, 0, 'no unexpected error');

$t->done_testing();

###############################################################################

sub client {
	my ($port) = @_;

	my $c = mysql_client(port($port), user => 'app', password => 'pw',
		database => 'shop', timeout => 30,
		add => $CAP{MULTI_STATEMENTS});

	my %texts = (up => 'UPDATE a SET v = LAST_INSERT_ID(v + 1) '
			. 'WHERE id = ?', raise => 'SELECT raise_b(?)',
		a => 'SELECT v FROM a WHERE id = ?',
		b => 'SELECT v FROM b WHERE id = ?');

	for my $name (keys %texts) {
		my $st = $c->prepare($texts{$name});

		good($st);
		$c->{$name} = $st;
	}

	return $c;
}

sub update {
	my ($row) = @_;
	return "UPDATE a SET v = LAST_INSERT_ID(v + 1) WHERE id = $row";
}

sub good {
	my ($r) = @_;

	die "closed\n" unless $r;
	die "$r->{error}{code} $r->{error}{message}\n" if $r->{error};
	return $r;
}

sub id {
	my ($r) = @_;
	return good($r)->{insert_id};
}

sub value {
	my ($r) = @_;
	return @{good($r)->{rows}[0] || []};
}

sub read_row {
	my ($c, $how, $name, $row) = @_;

	my $sql = "SELECT v FROM $name WHERE id = $row";

	my @v = value($how < 9 ? $c->query($sql)
		: $how < 17 ? $c->execute($c->{$name}, $row)
		: $c->query("SELECT av, bv FROM pairs WHERE id = $row"));

	die "no row\n" unless @v;
	return @v;
}

###############################################################################
