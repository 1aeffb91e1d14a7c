package Test::Hyperdrive::Stale;

# Copyright (C) Hyperdrive for nginx authors

# Writers and readers who look for stale reads, in whatever dialect:
#
#   1. after an acknowledged write no later read returns less
#   2. once any answer has shown a value, no later answer shows less
#   3. every answer is one that the database could have given
#
# There are tables a and b, with some rows of (id, v) each, v is 0 to begin with
# and rises by each write.

###############################################################################

use warnings;
use strict;

use Exporter qw(import);
use POSIX ();
use Test::More ();
use Time::HiRes qw(sleep time);

our @EXPORT_OK = qw(arrange hunt);

# rolled back, in no answer ever
our $never = 1000000000;

my ($shared, $fh, $rows, $processes, $end);

# one holds acknowledgements back, one cuts
my ($slow, $weak);

###############################################################################

# arrange($test, $database, $replica, sub { my ($port) = @_ }): nginx before them,
# the last gives the URL of a port.  8080, and 8081 without a cache: the
# upstream near; 8082 and 8083: over a relay each; 8084, and 8085 without a
# cache: reads go to the replica, too.

sub arrange {
	my ($t, $db, $replica, $url) = @_;

	$slow = $t->relay(to => $db->port(), rtt => 0.004);
	$weak = $t->relay(to => $db->port(), rtt => 0.002);

	my %upstreams = (near => $db->port(), slow => $slow->port(),
		weak => $weak->port());

	my $upstreams = join('', map { <<"EOS" } sort keys %upstreams);
    upstream $_ {
        hyperdrive_origin  @{[ $url->($upstreams{$_}) ]};
        hyperdrive_pool    max=20;
    }
EOS

	$t->write_file_expand('nginx.conf', <<"EOS");

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
        hyperdrive_origin  @{[ $url->($db->port()) ]};
        hyperdrive_origin  @{[ $url->($replica->port()) ]}  role=replica;
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

	$t->allow_log(qr/exited on signal 9/);
	$t->run();

	$t->wait_catalog($_, 2) for 'near', 'split';
}

# hunt($test, ...): sums of what all have counted: reads, writes, rolled_back,
# lost, check1 to check3, unexpected; and in done, of what made it hard.
#
#   seconds => 20, rows => 3
#   writers => [ PORT, ... ], readers => [ PORT, ... ]
#   connect => sub { my ($port) = @_ }        a client, or dies
#   ways => [ NAME => sub { my ($c, $row) = @_ }, ... ]
#       each makes one write and returns the new v, or dies of the error; those
#       called /function/ write to b, the others to a; those called /rollback|
#       failure/ add $never to a row, and take that back
#   read => sub { my ($c, $how, $table, $row) = @_ }   v of a row of table 'a'
#       or 'b', or both of them; dies of an error; $how is 0 to 19
#   begin, commit => what makes a block of a read, one in twenty
#   expected => qr/.../      errors that are no wonder
#   stop, go_on => sub { }   the replica stands still, and goes on

sub hunt {
	my ($t, %o) = @_;

	my @writers = @{$o{writers}};
	my @readers = @{$o{readers}};

	$rows = $o{rows} || 3;
	$processes = @writers + @readers;
	$shared = $t->testdir() . '/shared';
	$end = time() + $o{seconds};

	# what all know together: for each table and row, and each process,
	# three numbers: acknowledged, shown, and how many writes were begun;
	# each process writes its own only

	open(my $out, '>', $shared) or die "cannot write $shared: $!\n";
	print $out "\0" x (2 * $rows * $processes * 3 * 8);
	close $out;

	my @pids;

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
			$n < @writers ? write_on($n, $writers[$n], \%count, \%o)
				: read_on($n, $readers[$n - @writers], \%count,
					\%o);
			1;
		};

		$count{died} = $@ unless $good;

		open(my $to, '>', "$shared.$n");
		print $to map { "$_\t$count{$_}\n" } sort keys %count;
		close $to;

		POSIX::_exit(0);
	}

	my %done = disturb($t, @o{qw(stop go_on)});

	waitpid($_, 0) for @pids;

	my %sum = map { $_ => 0 } qw(reads writes rolled_back lost check1
		check2 check3 unexpected);

	for my $n (0 .. $processes - 1) {
		open(my $from, '<', "$shared.$n") or next;

		while (my $line = <$from>) {
			my ($name, $value) = split /\t/, $line, 2;

			if ($value =~ /^\d+$/) {
				$sum{$name} += $value;
			} else {
				Test::More::diag("process $n: $name $value");
			}
		}
	}

	return (%sum, done => \%done);
}

# Until the end: what makes it hard.

sub disturb {
	my ($t, $stop, $go_on) = @_;

	my %done = (held => 0, cuts => 0, kills => 0, reloads => 0);
	my $turn = 0;

	while (time() < $end - 2.5) {
		$turn++;

		# acknowledgements come late

		for (1 .. 4) {
			my $stands = rand() < 0.3;

			$stop->() if $stands;
			$slow->hold('down');
			sleep(0.05 + rand(0.2));
			$slow->release('down');
			$go_on->() if $stands;
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

###############################################################################

sub write_on {
	my ($n, $port, $count, $o) = @_;

	open($fh, '+<', $shared) or die "cannot open $shared: $!\n";

	my @ways = @{$o->{ways}};
	my ($c, %begun, %acked);

	while (time() < $end) {
		my $i = 2 * int(rand(@ways / 2));
		my ($name, $way) = @ways[$i, $i + 1];

		my $undone = $name =~ /rollback|failure/;
		my $table = $name =~ /function/ ? 1 : 0;
		my $row = int(rand($rows));
		my $key = "$table $row";

		my $good = eval {
			$c ||= $o->{connect}->($port);

			set_cell($table, $row, 2, $n, ++$begun{$key})
				unless $undone;

			my $v = $way->($c, $row);

			if ($undone) {
				$count->{rolled_back}++;
				return 1;
			}

			die "no value\n" unless defined $v;

			if ($v > ($acked{$key} // 0)) {
				set_cell($table, $row, 0, $n, $v);
				$acked{$key} = $v;
			}

			$count->{writes}++;
			1;
		};

		if (!$good) {
			lost($count, $@, $o);
			undef $c;
		}

		sleep(rand(0.15)) if rand() < 0.8;
	}

	delete $count->{_shown};
}

sub lost {
	my ($count, $error, $o) = @_;

	if ($error =~ $o->{expected}) {
		$count->{lost}++;
		sleep(0.02);
		return;
	}

	$count->{unexpected}++;
	$count->{"error $count->{unexpected}"} = $error
		if $count->{unexpected} < 3;
}

sub read_on {
	my ($n, $port, $count, $o) = @_;

	open($fh, '+<', $shared) or die "cannot open $shared: $!\n";

	my $c;

	while (time() < $end) {
		my $table = int(rand(2));
		my $row = int(rand($rows));
		my $how = int(rand(20));

		my $good = eval {
			$c ||= $o->{connect}->($port);

			$o->{begin}->($c) if $how == 0;

			my $floors = floors($table, $row);
			my $other = floors(1 - $table, $row);

			my @v = $o->{read}->($c, $how, ('a', 'b')[$table],
				$row);

			# of a view over both it is that of a which counts

			my $both = @v == 2;

			check($n, $count, $both && $table ? $other : $floors,
				$both ? 0 : $table, $row, $v[0]);

			$count->{reads}++;
			$o->{commit}->($c) if $how == 0;
			1;
		};

		if (!$good) {
			lost($count, $@, $o);
			undef $c;
		}
	}

	delete $count->{_shown};
}

###############################################################################

1;

###############################################################################
