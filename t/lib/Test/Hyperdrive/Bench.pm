package Test::Hyperdrive::Bench;

# Copyright (C) Hyperdrive for nginx authors

# What the benches share: the CPU time of processes, others' programs to be
# measured against, and nginx without its debug log.

###############################################################################

use warnings;
use strict;

use Exporter qw(import);
use IO::Socket::INET ();
use POSIX ();

use Test::Hyperdrive::Process qw(spawn reap run_command run_as wait_for);

our @EXPORT_OK = qw(cpus cpu_time median ratio quiet rival owned words);

my $tick = POSIX::sysconf(POSIX::_SC_CLK_TCK());

###############################################################################

sub slurp {
	my ($path) = @_;

	open(my $fh, '<', $path) or return '';
	local $/;

	return scalar(<$fh>) // '';
}

sub cpus {
	my $n = () = slurp('/proc/cpuinfo') =~ /^processor\b/mg;
	return $n || 1;
}

# Seconds that processes have spent in user and system mode.

sub cpu_time {
	my (@pids) = @_;

	my $sum = 0;

	for my $pid (@pids) {
		my ($rest) = slurp("/proc/$pid/stat") =~ /^.*\) (.*)/s or next;
		my @fields = split ' ', $rest;

		# utime and stime, the 14th and 15th of all
		$sum += $fields[11] + $fields[12];
	}

	return $sum / $tick;
}

sub median {
	my (@values) = sort { $a <=> $b } @_;
	return $values[@values / 2];
}

sub ratio {
	my ($value, $base) = @_;
	return $value && $base ? sprintf('%.2f', $value / $base) : '-';
}

# A list from the environment, or the default.

sub words {
	my ($name, $default) = @_;
	return split ' ', $ENV{$name} // $default;
}

# nginx.conf of the test, for a start that logs errors only: a log at debug
# level would be what is measured.

sub quiet {
	my ($t) = @_;

	my $conf = $t->read_file('nginx.conf');

	$conf =~ s/(error_log \S+) debug;/$1 error;/;

	return $t->write_file('nginx.conf', $conf);
}

# Another program that listens on a port, until the test ends it.

sub rival {
	my ($t, $port, $command, %o) = @_;

	my $log = $t->testdir() . "/rival-$port.log";

	my $rival = bless {
		port => $port,
		pid => spawn($command, stop => 'TERM', output => $log, %o)
	}, __PACKAGE__;

	$t->own($rival);

	wait_for(sub {
		die "$command->[0]: " . slurp($log) . "\n"
			if reap($rival->{pid}, 0);

		IO::Socket::INET->new(PeerAddr => '127.0.0.1',
			PeerPort => $port, Proto => 'tcp');
	}, 20, $command->[0]);

	return $rival;
}

sub stop {
	my ($self) = @_;

	my $pid = delete $self->{pid} or return;

	kill 'TERM', $pid;

	if (!eval { wait_for(sub { reap($pid, 0) }, 5) }) {
		kill 'KILL', $pid;
		reap($pid, 1);
	}
}

# Some of them refuse to run as root: who has the folder now.

sub owned {
	my ($path) = @_;

	my $user = run_as('postgres');
	run_command([ 'chown', '-R', $user, $path ]) if $user;

	return $user;
}

###############################################################################

1;

###############################################################################
