package Test::Hyperdrive::Client;

# Copyright (C) Hyperdrive for nginx authors

# Bytes to and from a server, as the small clients of both protocols need them.
# {port}, {host} or {socket}, {timeout}, {split} and {pause} are the caller's;
# {in} is what was read and not taken yet, {eof} how the connection ended.

###############################################################################

use warnings;
use strict;

use Errno ();
use IO::Select;
use IO::Socket::INET;
use IO::Socket::UNIX;
use Socket qw(IPPROTO_TCP TCP_NODELAY SOL_SOCKET SO_LINGER);
use Time::HiRes qw(sleep time);

###############################################################################

sub _open {
	my ($self) = @_;

	my ($path, $port) = @$self{qw(socket port)};

	# a busy machine is no reason to fail
	$self->{timeout} = 30 if ($self->{timeout} // 0) < 30;

	my $s = $path
		? IO::Socket::UNIX->new(Peer => $path)
		: IO::Socket::INET->new(PeerAddr => $self->{host},
			PeerPort => $port, Proto => 'tcp',
			Timeout => $self->{timeout});

	die 'cannot connect to ' . ($path || "port $port") . ": $!\n"
		unless $s;

	setsockopt($s, IPPROTO_TCP, TCP_NODELAY, 1) unless $path;
	binmode $s;
	$s->blocking(0);

	$self->{s} = $s;
}

sub socket {
	my ($self) = @_;
	return $self->{s};
}

# Sends bytes now, in pieces of <split>.  Dies when the peer has closed.

sub send_raw {
	my ($self, $bytes) = @_;

	my $split = $self->{split} || length($bytes) || 1;
	my $pos = 0;

	while ($pos < length($bytes)) {
		my $n = length($bytes) - $pos;
		$n = $split if $n > $split;

		$pos += $self->_write(substr($bytes, $pos, $n));

		sleep($self->{pause}) if $self->{split};
	}

	return $self;
}

sub _write {
	my ($self, $bytes) = @_;

	my $end = time() + $self->{timeout};

	local $SIG{PIPE} = 'IGNORE';

	for ( ;; ) {
		my $n = syswrite($self->{s}, $bytes);
		return $n if defined $n;

		die "write: $!\n" unless $!{EAGAIN} || $!{EINTR};

		# the peer may wait for us to read first

		my ($r, $w) = IO::Select->select(
			IO::Select->new($self->{s}),
			IO::Select->new($self->{s}), undef, $end - time());

		die "write timed out\n" unless $r || $w;
		$self->_fill() if $r && @$r && !$self->{eof};
	}
}

sub _fill {
	my ($self) = @_;

	my $n = sysread($self->{s}, my $bytes, 262144);

	if (!defined $n) {
		return 0 if $!{EAGAIN} || $!{EINTR};

		$self->{eof} = 'reset';
		return 1;
	}

	$self->{eof} = 'closed' if $n == 0;
	$self->_received($bytes);

	return 1;
}

sub _received {
	my ($self, $bytes) = @_;

	$self->{in} .= $bytes;
}

sub _wait {
	my ($self, $end) = @_;

	for ( ;; ) {
		return 1 if $self->{eof} || $self->_fill();

		my $left = $end - time();
		return 0 if $left <= 0;

		IO::Select->new($self->{s})->can_read($left);
	}
}

# Exactly $n bytes, or undef at the end of the connection.

sub read_raw {
	my ($self, $n) = @_;

	my $end = time() + $self->{timeout};

	while (length($self->{in}) < $n) {
		return undef if $self->{eof};

		$self->_wait($end) or die "read timed out\n";
	}

	return substr($self->{in}, 0, $n, '');
}

# Whoever closes it now sends a reset, as the system does for a killed process.

sub _linger {
	my ($self) = @_;

	setsockopt($self->{s}, SOL_SOCKET, SO_LINGER, pack('i i', 1, 0));
}

###############################################################################

1;

###############################################################################
