package Test::Hyperdrive::Server;

# Copyright (C) Hyperdrive for nginx authors

# What the real databases of a test have in common: a directory, a port and a
# process that belong to the test.  The kinds of them say how one is made,
# launched and filled (_create, _launch, _populate), and:
#
#   KIND       a short name
#   SCHEME     of its URLs; PLAIN: the parameter that says that there is no TLS
#   ACCOUNT    that it runs as if we are root
#   SHUTDOWN   the signal for an orderly end; LAST: for when that takes too long

###############################################################################

use warnings;
use strict;

use File::Path qw(make_path remove_tree);
use File::Temp ();

use Test::Hyperdrive ();
use Test::Hyperdrive::Process qw(reap run_command wait_for run_as);

my %count;

###############################################################################

sub new {
	my ($class, $test, %o) = @_;

	my $self = bless {
		test => $test,
		name => $class->KIND() . ($count{$class}++ || 0),
		owner => $$,
		settings => {},
		users => {},
		databases => [],
		sql => {},
		%o
	}, $class;

	$self->{base} = $test ? $test->testdir() : $self->_own_dir();
	$self->{port} = Test::Hyperdrive::port() unless $self->{port};

	$self->{dir} = "$self->{base}/$self->{name}";
	$self->{data} = "$self->{dir}/data";
	$self->{user} = run_as($self->ACCOUNT());

	return $self;
}

sub _own_dir {
	my ($self) = @_;

	$self->{temporary} = File::Temp->newdir(
		'hyperdrive-' . $self->KIND() . '-XXXXXXXX', TMPDIR => 1);

	chmod 0755, "$self->{temporary}";

	return "$self->{temporary}";
}

sub port {
	my ($self) = @_;
	return $self->{port};
}

# url(user => 'app', database => 'shop', port => a relay's): what
# hyperdrive_origin is given for it, without TLS.

sub url {
	my ($self, %o) = @_;

	my $user = $o{user} || 'app';
	my $is = $self->{users}{$user};

	return $self->SCHEME() . "://$user:" . (ref $is ? $is->{password} : $is)
		. '@127.0.0.1:' . ($o{port} || $self->{port})
		. '/' . ($o{database} || 'shop') . '?' . $self->PLAIN();
}

# The directory of its unix socket.

sub socket_dir {
	my ($self) = @_;
	return $self->{dir};
}

sub pid {
	my ($self) = @_;
	return $self->{pid};
}

###############################################################################

sub start {
	my ($self) = @_;

	if (!-d $self->{dir}) {
		$self->_create();
		$self->_launch();
		$self->_populate();

	} else {
		$self->_launch();
	}

	return $self;
}

# The data directory, as the template has it.

sub _copy {
	my ($self, $template) = @_;

	make_path($self->{dir});

	my ($status, $out) = run_command([ 'cp', '-a', '--reflink=auto',
		$template, $self->{data} ]);
	die "cannot copy $template: $out\n" if $status;
}

# server.crt and server.key in $dir.

sub _certificate {
	my ($self, $dir) = @_;

	my $name = $self->{ssl};

	if ($name eq '1') {
		$name = "$self->{name}-server";
		$self->{test}->certificate($name);
	}

	for my $suffix ('crt', 'key') {
		my ($status, $out) = run_command([ 'cp',
			"$self->{base}/$name.$suffix",
			"$dir/server.$suffix" ]);
		die $out if $status;
	}

	chmod 0600, "$dir/server.key";
}

sub _hand_over {
	my ($self) = @_;

	return unless $self->{user};

	my ($status, $out) = run_command([ 'chown', '-R', $self->{user},
		$self->{dir} ]);
	die "$out\n" if $status;
}

# _kept($version, $make): one data directory for all, kept with the build;
# $make->($dir, $account) makes $dir/data.

sub _kept {
	my ($class, $version, $make) = @_;

	my $dir = Test::Hyperdrive::build_dir() . '/' . $class->ACCOUNT();
	my $owner = run_as($class->ACCOUNT());
	my $template = "$dir/$version-" . ($owner || $>);

	return $template if -d $template;

	make_path($dir);

	open(my $lock, '>', "$dir/lock") or die "cannot lock $dir: $!\n";
	flock($lock, 2) or die "cannot lock $dir: $!\n";

	return $template if -d $template;

	# made where its user can write, then moved to where only we can

	my $work = File::Temp->newdir('hyperdrive-data-XXXXXXXX', TMPDIR => 1);

	if ($owner) {
		chown +(getpwnam($owner))[2, 3], "$work";
	}

	$make->("$work", $owner);

	remove_tree("$template.new");

	my ($status, $out) = run_command([ 'cp', '-a', "$work/data",
		"$template.new" ]);
	die "cannot keep the template: $out\n" if $status;

	rename "$template.new", $template
		or die "cannot rename $template.new: $!\n";

	return $template;
}

# Waits until a process that was launched is ready, as $ready says.

sub _await {
	my ($self, $ready) = @_;

	wait_for(sub {
		if (reap($self->{pid}, 0)) {
			delete $self->{pid};
			die ref($self) . " did not start:\n" . $self->log();
		}

		$ready->();
	}, 60, ref($self));

	return $self;
}

sub _next_log {
	my ($self) = @_;

	$self->{runs}++;

	return "$self->{dir}/log.$self->{runs}";
}

# What it wrote since its last start.

sub log {
	my ($self) = @_;

	open(my $fh, '<', "$self->{dir}/log.$self->{runs}") or return '';
	local $/;

	return scalar(<$fh>) // '';
}

###############################################################################

# An orderly end, or by a signal of another kind.

sub stop {
	my ($self, $signal) = @_;

	my $pid = delete $self->{pid} or return $self;

	# it may stand still
	CORE::kill('CONT', $pid, Test::Hyperdrive::Process::children($pid));

	CORE::kill($signal || $self->SHUTDOWN(), $pid);

	if (!eval { wait_for(sub { reap($pid, 0) }, 30) }) {
		CORE::kill($self->LAST(), $pid);
		reap($pid, 1);
		die ref($self) . " did not stop in time\n";
	}

	return $self;
}

sub restart {
	my ($self) = @_;
	return $self->stop()->start();
}

# As a crash looks from outside: connections are lost without a word more than
# PostgreSQL's 57P02; the data recovers at the next start.

sub kill {
	my ($self) = @_;
	return $self->stop($self->LAST());
}

# Stands still without closing anything.

sub freeze {
	my ($self) = @_;

	CORE::kill('STOP', $self->_processes());
	return $self;
}

sub thaw {
	my ($self) = @_;

	CORE::kill('CONT', $self->_processes());
	return $self;
}

sub _processes {
	my ($self) = @_;

	return ($self->{pid},
		Test::Hyperdrive::Process::children($self->{pid}));
}

sub DESTROY {
	my ($self) = @_;

	# a forked process has a copy of us
	return if $self->{test} || $self->{owner} != $$;

	local ($@, $?);
	eval { $self->stop() };
}

###############################################################################

1;

###############################################################################
