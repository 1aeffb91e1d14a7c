package Test::Hyperdrive::Process;

# Copyright (C) Hyperdrive for nginx authors

# Processes that end with the test: started, waited for, found again.

###############################################################################

use warnings;
use strict;

use Errno ();
use Exporter qw(import);
use File::Glob qw(:bsd_glob);
use File::Temp ();
use POSIX qw(WNOHANG);
use Time::HiRes qw(sleep time);

our @EXPORT_OK = qw(spawn run_command reap wait_for children title alive
	group_members run_as end_spawned);

my (%spawned, %reaped);

###############################################################################

# spawn([ command ], env => {}, output => file, input => file, user => name,
# dir => directory, stop => signal): returns the process id at once.  The
# kernel sends <stop> (TERM unless told) when the test dies in whatever way.

sub spawn {
	my ($command, %o) = @_;

	my @command = ('setpriv', '--pdeathsig', $o{stop} || 'TERM');

	if (defined $o{user} && $> == 0) {
		push @command, "--reuid=$o{user}", '--init-groups',
			'--regid=' . (getpwnam($o{user}))[3];
	}

	push @command, '--', @$command;

	my $pid = fork();
	die "cannot fork: $!\n" unless defined $pid;

	if ($pid) {
		delete $reaped{$pid};
		$spawned{$pid} = $$;
		return $pid;
	}

	$SIG{$_} = 'DEFAULT' for qw(INT TERM HUP ALRM PIPE CHLD);

	if (defined $o{dir} && !chdir($o{dir})) {
		print STDERR "cannot enter $o{dir}: $!\n";
		POSIX::_exit(127);
	}

	open(STDIN, '<', $o{input} // '/dev/null');
	open(STDOUT, '>', $o{output} // '/dev/null');
	open(STDERR, '>&', \*STDOUT);

	# neither a locale nor a libpq setting of the caller may change a result

	delete @ENV{grep { /^(?:LC_|LANG|PG)/ } keys %ENV};

	$ENV{LC_ALL} = 'C';

	my $env = $o{env} || {};
	$ENV{$_} = $env->{$_} for keys %$env;

	{ no warnings 'exec'; exec { $command[0] } @command; }

	print STDERR "cannot run $command[0]: $!\n";
	POSIX::_exit(127);
}

# run_command([ command ], as for spawn): wait status and output.

sub run_command {
	my ($command, %o) = @_;

	my $file = File::Temp->new();

	my $pid = spawn($command, %o, output => $file->filename());
	reap($pid, 1);

	my $status = $?;

	open(my $fh, '<', $file->filename()) or die "cannot read output: $!\n";
	local $/;

	return ($status, scalar(<$fh>) // '');
}

# reap($pid, $block): true once the process has ended; $? is its status.
# A $pid of -1 collects whatever has ended.

sub reap {
	my ($pid, $block) = @_;

	if (exists $reaped{$pid}) {
		$? = $reaped{$pid};
		return 1;
	}

	for ( ;; ) {
		my $rc = waitpid($pid, $block ? 0 : WNOHANG);

		if ($rc > 0) {
			$reaped{$rc} = $?;
			delete $spawned{$rc};
			return 1 if $pid > 0;
			next;
		}

		return 0 if $rc == 0;
		next if $!{EINTR};

		# no child of ours
		return $pid > 0 ? !kill(0, $pid) : 0;
	}
}

# Ends what was spawned and still runs: a test may be stopped inside of a
# run_command().

sub end_spawned {
	my @pids = grep { $spawned{$_} == $$ } keys %spawned;

	for my $signal ('TERM', 'KILL') {
		kill $signal, @pids;

		return if eval {
			wait_for(sub {
				@pids = grep { !reap($_, 0) } @pids;
				return !@pids;
			}, 6);
		};
	}
}

# wait_for(sub { ... }, seconds, what): the first true value of the condition;
# dies when it comes too late (never before 30 seconds).

sub wait_for {
	my ($condition, $timeout, $what) = @_;

	# a busy machine is no reason to fail

	my $end = time() + ($timeout && $timeout > 30 ? $timeout : 30);
	my $pause = 0.002;

	for ( ;; ) {
		my $value = $condition->();
		return $value if $value;

		die +($what || 'condition') . " did not come in time\n"
			if time() > $end;

		sleep($pause);
		$pause *= 1.5 if $pause < 0.05;
	}
}

###############################################################################

# A zombie is not alive.

sub alive {
	my ($pid) = @_;

	my ($state) = _stat($pid);
	return defined $state && $state ne 'Z' ? 1 : 0;
}

sub children {
	my ($parent) = @_;

	return () unless $parent;

	return grep {
		my ($state, $ppid) = _stat($_);
		defined $state && $state ne 'Z' && $ppid == $parent;
	} _pids();
}

sub title {
	my ($pid) = @_;

	my $line = _slurp("/proc/$pid/cmdline") // '';

	$line =~ tr/\0/ /;
	$line =~ s/\s+$//;

	return $line;
}

# Processes whose working directory, or a file they hold open, lies below
# <dir>.  We ourselves do not count.

sub group_members {
	my ($dir) = @_;

	my @members;

	for my $pid (grep { $_ != $$ && alive($_) } _pids()) {
		my @links = map { readlink($_) // '' }
			"/proc/$pid/cwd", glob("/proc/$pid/fd/*");

		push @members, $pid if grep { m{^\Q$dir\E(?:/|$)} } @links;
	}

	return @members;
}

# run_as('postgres'): whom a server that refuses root runs as; undef if we
# are not root anyway.

sub run_as {
	my (@names) = @_;

	return undef if $> != 0;

	for my $name (@names, 'nobody') {
		return $name if defined getpwnam($name);
	}

	return undef;
}

sub _pids {
	opendir(my $dh, '/proc') or die "cannot read /proc: $!\n";
	return grep { /^\d+$/ } readdir($dh);
}

sub _stat {
	my ($pid) = @_;

	# the name in brackets may itself hold brackets and blanks

	return (_slurp("/proc/$pid/stat") // '') =~ /^.*\) (\S) (\d+)/s;
}

sub _slurp {
	my ($path) = @_;

	open(my $fh, '<', $path) or return undef;
	local $/;

	return scalar(<$fh>);
}

###############################################################################

1;

###############################################################################
