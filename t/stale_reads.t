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
use Test::Hyperdrive::Stale qw(hunt);
use Time::HiRes qw(sleep time);

###############################################################################

my $seconds = $ENV{STALE_SECONDS} || 20;

my $rows = 3;
my $never = $Test::Hyperdrive::Stale::never;

my @writers = ((8080) x 2, (8081) x 2, 8082, 8084, (8083) x 2);
my @readers = ((8080) x 3, 8081, (8084) x 2, (8085) x 2);

my $t = Test::Hyperdrive->new(timeout => $seconds + 120);

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

# one holds acknowledgements back, one cuts

my $slow = $t->relay(to => $pg->port(), rtt => 0.004);
my $weak = $t->relay(to => $pg->port(), rtt => 0.002);

my %upstreams = (near => $pg->port(), slow => $slow->port(),
	weak => $weak->port());

my $upstreams = join('', map { <<"EOS" } sort keys %upstreams);
    upstream $_ {
        hyperdrive_origin  postgres://app:pw\@127.0.0.1:$upstreams{$_}/shop?sslmode=disable;
        hyperdrive_pool    max=20;
    }
EOS

my $conf = $t->expand(<<"EOS");

%%TEST_GLOBALS%%

worker_processes  2;

events {
}

%%TEST_STATUS%%

stream {
    hyperdrive_cache_zone  shop 16m;

    hyperdrive_users  off;

$upstreams
    upstream split {
        hyperdrive_origin  postgres://app:pw\@127.0.0.1:@{[ $pg->port() ]}/shop?sslmode=disable;
        hyperdrive_origin  postgres://app:pw\@127.0.0.1:@{[ $replica->port() ]}/shop?sslmode=disable  role=replica;
        hyperdrive_pool    max=20;
    }

    server {
        listen            127.0.0.1:8084 reuseport;
        hyperdrive_pass   split;
        hyperdrive_cache  shop max_age=600s;
        hyperdrive_read_write_split  on;
    }

    server {
        listen            127.0.0.1:8085 reuseport;
        hyperdrive_pass   split;
        hyperdrive_read_write_split  on;
    }

    server {
        listen            127.0.0.1:8080 reuseport;
        hyperdrive_pass   near;
        hyperdrive_cache  shop max_age=600s;
    }

    server {
        listen            127.0.0.1:8081 reuseport;
        hyperdrive_pass   near;
    }

    server {
        listen            127.0.0.1:8082 reuseport;
        hyperdrive_pass   slow;
    }

    server {
        listen            127.0.0.1:8083 reuseport;
        hyperdrive_pass   weak;
        hyperdrive_cache  shop max_age=600s;
    }
}

EOS

# megabytes in a debug log take their time
$conf =~ s/(error_log \S+) debug;/$1 info;/;

$t->write_file('nginx.conf', $conf);
$t->allow_log(qr/exited on signal 9/);
$t->run();

$t->wait_catalog($_, 2) for 'near', 'split';

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
	disturb => \&disturb);

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

# Until the end: what makes it hard.

sub disturb {
	my ($end) = @_;

	my %done = (held => 0, cuts => 0, kills => 0, reloads => 0);
	my $turn = 0;

	while (time() < $end - 2.5) {
		$turn++;

		# acknowledgements come late

		for (1 .. 4) {
			$stand->query('SELECT pg_wal_replay_pause()')
				if rand() < 0.3;
			$slow->hold('down');
			sleep(0.05 + rand(0.2));
			$slow->release('down');
			$stand->query('SELECT pg_wal_replay_resume()');
			sleep(0.2);
			$done{held}++;
		}

		if ($turn % 2) {

			# what was sent arrives when nobody waits for it

			$weak->hold('up');
			sleep(0.1);
			$weak->cut('client');
			sleep(2) if time() < $end - 2;
			$weak->release('up');
			sleep(0.1);
			$weak->cut('both');
			$done{cuts}++;

			next;
		}

		if ($turn % 8 == 4) {
			kill 'HUP', $t->master_pid();
			$done{reloads}++;
			sleep(0.2);
			next;
		}

		my @workers = $t->worker_pids();

		if (@workers) {
			kill 'KILL', $workers[rand @workers];
			$done{kills}++;
		}
	}

	return %done;
}

###############################################################################
