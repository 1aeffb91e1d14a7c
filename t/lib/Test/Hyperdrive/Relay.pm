package Test::Hyperdrive::Relay;

# Copyright (C) Hyperdrive for nginx authors

# The relay (t/relay/relay.c) as an object: a far database on loopback.

###############################################################################

use warnings;
use strict;

use IO::Socket::UNIX;
use JSON::PP ();

use Test::Hyperdrive ();
use Test::Hyperdrive::Process qw(spawn reap wait_for);

my $count = 0;

###############################################################################

# new($test, to => port or "unix:PATH" or "host:port", port => its own,
# rtt => seconds)

sub new {
	my ($class, $test, %o) = @_;

	my $self = bless { test => $test, rtt => 0, %o }, $class;

	my $dir = $o{dir} || $test->testdir();

	$self->{name} = "$dir/relay" . $count++;
	$self->{port} = Test::Hyperdrive::port() unless $self->{port};
	$self->{to} = "127.0.0.1:$self->{to}" if $self->{to} =~ /^\d+$/;

	return $self;
}

sub port {
	my ($self) = @_;
	return $self->{port};
}

sub start {
	my ($self) = @_;

	my $relay = Test::Hyperdrive::build_dir() . '/relay';
	die "no $relay, run make build first\n" unless -x $relay;

	my $control = "$self->{name}.sock";
	unlink $control;

	$self->{pid} = spawn([ $relay, '-l', "127.0.0.1:$self->{port}",
			'-t', $self->{to}, '-c', $control,
			'-r', $self->{rtt} * 1000 ],
		output => "$self->{name}.log");

	wait_for(sub {
		die "the relay did not start, see $self->{name}.log\n"
			if reap($self->{pid}, 0);

		$self->{control} = IO::Socket::UNIX->new(Peer => $control);
	}, 10, 'relay');

	return $self;
}

sub command {
	my ($self, @words) = @_;

	my $s = $self->{control};

	print $s "@words\n";
	my $line = <$s>;

	die "the relay is gone\n" unless defined $line;

	my $answer = JSON::PP->new->decode($line);
	die "relay: @words: $answer->{error}\n" if $answer->{error};

	return $answer;
}

# accepted, open, refused, trips, waits, bytes_up, bytes_down

sub stats {
	my ($self) = @_;
	return $self->command('stats');
}

# The open connections, each with trips, waits, bytes_up, bytes_down.

sub connections {
	my ($self) = @_;
	return @{$self->command('connections')->{connections}};
}

# Round trips since the start or the last reset().

sub trips {
	my ($self) = @_;
	return $self->stats()->{trips};
}

sub reset {
	my ($self) = @_;

	$self->command('reset');
	return $self;
}

# rtt(seconds)

sub rtt {
	my ($self, $rtt) = @_;

	$self->command('rtt', $rtt * 1000);
	return $self;
}

# to(port): where new connections lead from now on

sub to {
	my ($self, $port) = @_;

	$self->command('to', "127.0.0.1:$port");
	return $self;
}

# hold('up' | 'down' | 'both'), release(...), cut('client' | 'origin' | 'both'),
# refuse() and accept(): see relay.c.

for my $name (qw(hold release cut refuse accept)) {
	no strict 'refs';

	*$name = sub {
		my ($self, @arguments) = @_;

		$self->command($name, @arguments);
		return $self;
	};
}

sub stop {
	my ($self) = @_;

	my $pid = delete $self->{pid} or return $self;

	close delete $self->{control} if $self->{control};

	kill 'TERM', $pid;
	reap($pid, 1);

	return $self;
}

###############################################################################

1;

###############################################################################
