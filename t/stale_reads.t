#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Looks for stale reads: many writers and readers on two workers, while
# acknowledgements are held back, connections are cut in COMMIT with the COMMIT
# landing two seconds later, a replica stops and goes on, workers are killed and
# nginx is reloaded.
#
# What is looked for is said in lib/Test/Hyperdrive/Stale.pm.
#
# STALE_SECONDS=600 prove t/stale_reads.t runs longer.  A build without one half of
# the rule has to fail, docs/testing.md says how that is tried.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive;
use Test::Hyperdrive::Stale qw(arrange hunt);
use Time::HiRes qw(sleep);

###############################################################################

my $seconds = $ENV{STALE_SECONDS} || 20;

my $rows = 3;
my $never = $Test::Hyperdrive::Stale::never;

my @writers = ((8080) x 2, (8081) x 2, 8082, 8084, (8083) x 2);
my @readers = ((8080) x 3, 8081, (8084) x 2, (8085) x 2);

my $t = Test::Hyperdrive->new(log => 'info', timeout => 2 * $seconds + 300);

my $pg = $t->postgres(users => { app => 'pw' }, databases => [ 'shop' ],
	sql => { shop => <<"EOS" });

CREATE TABLE a (id int PRIMARY KEY, v int);
CREATE TABLE b (id int PRIMARY KEY, v int);
INSERT INTO a SELECT g, 0 FROM generate_series(0, $rows - 1) g;
INSERT INTO b SELECT g, 0 FROM generate_series(0, $rows - 1) g;
CREATE VIEW pairs AS SELECT a.id, a.v AS av, b.v AS bv
    FROM a JOIN b USING (id);
CREATE FUNCTION raise_b(int) RETURNS int LANGUAGE plpgsql AS
    'BEGIN UPDATE b SET v = v + 1 WHERE id = \$1;
     RETURN (SELECT v FROM b WHERE id = \$1); END';
GRANT ALL ON ALL TABLES IN SCHEMA public TO app;

EOS

my $replica = $pg->replica();
my $stand = $replica->client();

arrange($t, $pg, $replica, sub {
	return "postgres://app:pw\@127.0.0.1:$_[0]/shop?sslmode=disable";
});

###############################################################################

# name => what it sends for a row; the result has the new v

my @ways = (
	simple => sub { $_[0]->query(update('a', $_[1])) },
	extended => sub { $_[0]->extended(update('a', $_[1])) },
	prepared => sub { $_[0]->execute_prepared('up', $_[1]) },
	cte => sub {
		$_[0]->query('WITH w AS (' . update('a', $_[1])
			. ') SELECT v FROM w');
	},
	transaction => sub {
		my ($c, $row) = @_;

		$c->query('BEGIN');
		my $result = $c->query(update('a', $row));
		return $result if $result->error();

		my $commit = $c->query('COMMIT');
		return $commit->error() || !$commit->status() ? $commit
			: $result;
	},
	one_packet => sub {
		my ($c, $row) = @_;

		$c->send('Q', "$_\0") for 'BEGIN', update('a', $row), 'COMMIT';

		my @results = map { $c->result() } 1 .. 3;
		return ((grep { $_->error() || !$_->status() } @results)[0]
			|| $results[1]);
	},
	function => sub { $_[0]->query("SELECT raise_b($_[1])") },
	function_extended => sub {
		$_[0]->extended('SELECT raise_b($1)', $_[1]);
	},
	rollback => sub {
		my ($c, $row) = @_;

		$c->query('BEGIN');
		$c->query("UPDATE a SET v = v + $never WHERE id = $row");
		sleep(0.002) if rand() < 0.2;
		return $c->query('ROLLBACK');
	},
	failure => sub {
		$_[0]->query("UPDATE b SET v = v + $never WHERE id = $_[1]; "
			. 'SELECT 1/0');
	},
);

###############################################################################

# A result's value, or its end.

sub value {
	my ($result) = @_;

	my $error = $result->error();
	die "$error->{C} $error->{M}\n" if $error;

	my $row = $result->row(0);
	return @$row if $row;

	die "closed\n" unless $result->status();
	return;
}

sub ended {
	my ($result) = @_;

	my $error = $result->error();
	die "closed\n" unless $error || $result->status();
}

my @all;

while (my ($name, $way) = splice @ways, 0, 2) {
	push @all, $name => $name =~ /rollback|failure/
		? sub { ended($way->(@_)); return undef }
		: sub { (value($way->(@_)))[0] };
}

my %sum = hunt($t, seconds => $seconds, rows => $rows,
	writers => \@writers, readers => \@readers,
	connect => \&client, ways => \@all, read => \&read_row,
	begin => sub { ended($_[0]->query('BEGIN')) },
	commit => sub { ended($_[0]->query('COMMIT')) },
	expected => qr/^(?:08006|57P01|57P03|40P01|53300|57014)
		|closed|reset|gone|refused|connect|in\ time|EOF|pipe/xi,
	stop => sub { $stand->query('SELECT pg_wal_replay_pause()') },
	go_on => sub { $stand->query('SELECT pg_wal_replay_resume()') });

my %done = %{$sum{done}};

# counters of killed workers are kept, so these are all

my $total = $t->status()->{upstreams}{near}{total};

$sum{hits} = $total->{hits};

my $split = $t->status()->{upstreams}{split}{total};

$sum{replica} = $split->{replica_reads};
$sum{behind} = $split->{replica_behind};

diag(join(', ', map { "$_ " . $sum{$_} }
	qw(reads hits replica behind writes rolled_back lost)),
	', ', join(', ', map { "$_ $done{$_}" } sort keys %done));

cmp_ok($sum{reads}, '>', 100 * $seconds, 'there was much to read');
cmp_ok($sum{writes}, '>', 5 * $seconds, '...and to write');
cmp_ok($sum{hits}, '>', 10 * $seconds, '...and something was kept');
cmp_ok($sum{replica}, '>', 2 * $seconds, '...and a replica was read from');
cmp_ok($sum{behind}, '>', 2 * $seconds, '...which was behind');
cmp_ok($sum{lost}, '>', 0, '...and connections were lost');

is($sum{check1}, 0, 'no read is older than an acknowledged write');
is($sum{check2}, 0, 'no answer shows less than one before it');
is($sum{check3}, 0, 'no answer is one that cannot be');
is($sum{unexpected}, 0, 'no unexpected error');

$t->done_testing();

###############################################################################

sub client {
	my ($port) = @_;

	my $c = pg_client(port($port), user => 'app', database => 'shop',
		timeout => 30);

	prepared($c, 'up', 'UPDATE a SET v = v + 1 WHERE id = $1 RETURNING v');
	prepared($c, $_, "SELECT v FROM $_ WHERE id = \$1") for 'a', 'b';

	return $c;
}

sub prepared {
	my ($c, $name, $sql) = @_;

	value($c->prepare($name, $sql, 23));
}

sub update {
	my ($table, $row) = @_;
	return "UPDATE $table SET v = v + 1 WHERE id = $row RETURNING v";
}

sub read_row {
	my ($c, $how, $name, $row) = @_;

	my $sql = "SELECT v FROM $name WHERE id = $row";

	my @v = value($how < 8 ? $c->query($sql)
		: $how < 14 ? $c->execute_prepared($name, $row)
		: $how < 17 ? $c->extended($sql)
		: $c->query("SELECT av, bv FROM pairs WHERE id = $row"));

	die "no row\n" unless @v;
	return @v;
}

###############################################################################
