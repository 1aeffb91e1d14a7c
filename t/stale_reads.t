#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Looks for stale reads: many writers and readers on two workers, while
# acknowledgements are held back, connections are cut in COMMIT with the COMMIT
# landing two seconds later, a replica stops and goes on, workers are killed and
# nginx is reloaded.
#
#   1. after an acknowledged write no later read returns less
#   2. once any answer has shown a value, no later answer shows less
#   3. every answer is one that the database could have given
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
use Test::Hyperdrive::Process qw(wait_for spawn);
use POSIX ();
use Time::HiRes qw(sleep time);

###############################################################################

my $seconds = $ENV{STALE_SECONDS} || 20;

my $rows = 3;
my $never = 1000000000;                 # rolled back, in no answer ever

my @writers = ((8080) x 2, (8081) x 2, 8082, 8084, (8083) x 2);
my @readers = ((8080) x 3, 8081, (8084) x 2, (8085) x 2);
my $processes = @writers + @readers;

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

# name => what it sends for a row; the last value of all answers is the new v

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
		return $commit->error() ? $commit : $result;
	},
	one_packet => sub {
		my ($c, $row) = @_;

		$c->send('Q', "$_\0") for 'BEGIN', update('a', $row), 'COMMIT';

		my @results = map { $c->result() } 1 .. 3;
		return ((grep { $_->error() } @results)[0] || $results[1]);
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

# What all know together: for each table and row, and each process, three
# numbers: acknowledged, shown, and how many writes were begun.  Each process
# writes its own only.

my $shared = $t->testdir() . '/shared';
my $cells = 2 * $rows * $processes * 3;

open(my $out, '>', $shared) or die "cannot write $shared: $!\n";
print $out "\0" x ($cells * 8);
close $out;

my $end = time() + $seconds;
my ($fh, @pids);

for my $n (0 .. $processes - 1) {
	my $pid = fork();
	die "cannot fork: $!\n" unless defined $pid;

	if ($pid) {
		push @pids, $pid;
		next;
	}

	$SIG{$_} = 'DEFAULT' for qw(INT TERM HUP ALRM);
	srand($$);

	my %count;
	my $good = eval {
		$n < @writers ? write_on($n, $writers[$n], \%count)
			: read_on($n, $readers[$n - @writers], \%count);
		1;
	};

	$count{died} = $@ unless $good;

	open(my $to, '>', "$shared.$n");
	print $to map { "$_\t$count{$_}\n" } sort keys %count;
	close $to;

	POSIX::_exit(0);
}

my %done = disturb();

for my $pid (@pids) {
	waitpid($pid, 0);
}

my %sum;

for my $n (0 .. $processes - 1) {
	open(my $from, '<', "$shared.$n") or next;

	while (my $line = <$from>) {
		my ($name, $value) = split /\t/, $line, 2;

		if ($value =~ /^\d+$/) {
			$sum{$name} += $value;
		} else {
			diag("process $n: $name $value");
		}
	}
}

# counters of killed workers are kept, so these are all

my $total = $t->status()->{upstreams}{near}{total};

$sum{hits} = $total->{hits};

my $split = $t->status()->{upstreams}{split}{total};

$sum{replica} = $split->{replica_reads};
$sum{behind} = $split->{replica_behind};

diag(join(', ', map { "$_ " . ($sum{$_} // 0) }
	qw(reads hits replica behind writes rolled_back lost)),
	', ', join(', ', map { "$_ $done{$_}" } sort keys %done));

cmp_ok($sum{reads} // 0, '>', 100 * $seconds, 'there was much to read');
cmp_ok($sum{writes} // 0, '>', 5 * $seconds, '...and to write');
cmp_ok($sum{hits} // 0, '>', 10 * $seconds, '...and something was kept');
cmp_ok($sum{replica}, '>', 2 * $seconds, '...and a replica was read from');
cmp_ok($sum{behind}, '>', 2 * $seconds, '...which was behind');
cmp_ok($sum{lost} // 0, '>', 0, '...and connections were lost');

is($sum{check1} // 0, 0, 'no read is older than an acknowledged write');
is($sum{check2} // 0, 0, 'no answer shows less than one before it');
is($sum{check3} // 0, 0, 'no answer is one that cannot be');
is($sum{unexpected} // 0, 0, 'no unexpected error');

$t->done_testing();

###############################################################################

sub client {
	my ($port) = @_;

	return pg_client(port($port), user => 'app', database => 'shop',
		timeout => 30);
}

# A cell's place: what is 0 acknowledged, 1 shown, 2 begun.

sub place {
	my ($table, $row, $what, $n) = @_;
	return (($table * $rows + $row) * 3 + $what) * $processes + $n;
}

sub set_cell {
	my ($table, $row, $what, $n, $value) = @_;

	sysseek($fh, place($table, $row, $what, $n) * 8, 0);
	syswrite($fh, pack('Q<', $value), 8);
}

# All processes' numbers for one row.

sub get_cells {
	my ($table, $row, $what) = @_;

	sysseek($fh, place($table, $row, $what, 0) * 8, 0);
	sysread($fh, my $buf, $processes * 8);

	return unpack('Q<*', $buf);
}

sub max_cell {
	my $max = 0;

	for my $value (get_cells(@_)) {
		$max = $value if $value > $max;
	}

	return $max;
}

# One answer of a read that began when <floors> was taken.

sub check {
	my ($n, $count, $floors, $table, $row, $v) = @_;

	my ($acked, $shown) = @$floors;
	my $begun = 0;

	$begun += $_ for get_cells($table, $row, 2);

	$count->{check1}++ if $v < $acked;
	$count->{check2}++ if $v < $shown;
	$count->{check3}++ if $v > $begun;

	my $key = "$table $row";

	if ($v > ($count->{_shown}{$key} // 0)) {
		$count->{_shown}{$key} = $v;
		set_cell($table, $row, 1, $n, $v);
	}
}

sub floors {
	my ($table, $row) = @_;
	return [ max_cell($table, $row, 0), max_cell($table, $row, 1) ];
}

# Errors that are no wonder here; others are counted and shown.

sub expected {
	my ($error) = @_;

	return $error =~ /^(?:08006|57P01|57P03|40P01|53300|57014)/
		|| $error =~ /closed|reset|gone|refused|connect|in time|EOF|pipe/i;
}

###############################################################################

sub update {
	my ($table, $row) = @_;
	return "UPDATE $table SET v = v + 1 WHERE id = $row RETURNING v";
}

sub write_on {
	my ($n, $port, $count) = @_;

	open($fh, '+<', $shared) or die "cannot open $shared: $!\n";

	my ($c, %begun, %acked);

	while (time() < $end) {
		my $i = 2 * int(rand(@ways / 2));
		my ($name, $way) = @ways[$i, $i + 1];

		my $table = $name =~ /function/ ? 1 : 0;
		my $row = int(rand($rows));
		my $key = "$table $row";

		my $good = eval {
			if (!$c) {
				$c = client($port);
				prepared($c, 'up', 'UPDATE a SET v = v + 1 '
					. 'WHERE id = $1 RETURNING v');
			}

			if ($name !~ /rollback|failure/) {
				set_cell($table, $row, 2, $n, ++$begun{$key});
			}

			my $result = $way->($c, $row);
			my $error = $result->error();

			if ($name eq 'rollback' || $name eq 'failure') {
				$count->{rolled_back}++;

			} elsif ($error) {
				die "$error->{C} $error->{M}\n";

			} else {
				my $v = $result->value();

				die $result->status() ? "no value\n"
					: "closed\n" unless defined $v;

				set_cell($table, $row, 0, $n, $v)
					if $v > ($acked{$key} // 0);

				$acked{$key} = $v
					if $v > ($acked{$key} // 0);

				$count->{writes}++;
			}

			1;
		};

		if (!$good) {
			lost($count, $@);
			undef $c;
		}

		sleep(rand(0.15)) if rand() < 0.8;
	}

	delete $count->{_shown};
}

sub prepared {
	my ($c, $name, $sql) = @_;

	my $result = $c->prepare($name, $sql, 23);
	my $error = $result->error();

	die "$error->{C} $error->{M}\n" if $error;
	die "closed\n" unless $result->status();
}

sub lost {
	my ($count, $error) = @_;

	if (expected($error)) {
		$count->{lost}++;
		sleep(0.02);
		return;
	}

	$count->{unexpected}++;
	$count->{"error $count->{unexpected}"} = $error
		if $count->{unexpected} < 3;
}

sub read_on {
	my ($n, $port, $count) = @_;

	open($fh, '+<', $shared) or die "cannot open $shared: $!\n";

	my $c;

	while (time() < $end) {
		my $table = int(rand(2));
		my $name = ('a', 'b')[$table];
		my $row = int(rand($rows));
		my $how = int(rand(20));

		my $good = eval {
			if (!$c) {
				$c = client($port);
				prepared($c, $_, "SELECT v FROM $_ WHERE id = \$1")
					for 'a', 'b';
			}

			$c->query('BEGIN') if $how == 0;

			my $floors = floors($table, $row);
			my $other = floors(1 - $table, $row);

			my $sql = "SELECT v FROM $name WHERE id = $row";

			my $result = $how < 8 ? $c->query($sql)
				: $how < 14 ? $c->execute_prepared($name, $row)
				: $how < 17 ? $c->extended($sql)
				: $c->query("SELECT av, bv FROM pairs WHERE id = $row");

			if (my $error = $result->error()) {
				die "$error->{C} $error->{M}\n";
			}

			my $values = $result->row(0);

			die $result->status() ? "no row\n" : "closed\n"
				unless $values;

			my @v = @$values;

			if (@v == 2) {
				$floors = $other if $table == 1;
				check($n, $count, $floors, 0, $row, $v[0]);

			} else {
				check($n, $count, $floors, $table, $row, $v[0]);
			}

			$count->{reads}++;
			$c->query('COMMIT') if $how == 0;

			1;
		};

		if (!$good) {
			lost($count, $@);
			undef $c;
		}
	}

	delete $count->{_shown};
}

###############################################################################

# Until the end: what makes it hard.

sub disturb {
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
