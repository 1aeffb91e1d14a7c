package Test::Hyperdrive::DNS;

# Copyright (C) Hyperdrive for nginx authors

# A name server on loopback that says what the test tells it to.

###############################################################################

use warnings;
use strict;

use IO::Select;
use IO::Socket::INET;
use POSIX ();
use Socket qw(inet_aton);

use Test::Hyperdrive::Process qw(reap);

###############################################################################

# new($test, $port): answers queries for A records with the addresses of the
# name, each good for a second, those for others with none; a name that it was
# not told of does not exist.

sub new {
	my ($class, $test, $port) = @_;

	my $self = bless { port => $port,
		file => $test->testdir() . "/dns$port" }, $class;

	$self->{socket} = IO::Socket::INET->new(LocalAddr => '127.0.0.1',
		LocalPort => $port, Proto => 'udp')
		or die "cannot bind UDP port $port: $!\n";

	$self->set();

	# its end tells the server that the test is gone, however it went

	pipe(my $read, $self->{lifeline}) or die "pipe: $!\n";

	my $pid = fork() // die "cannot fork: $!\n";

	if (!$pid) {
		close $self->{lifeline};
		$SIG{$_} = 'DEFAULT' for qw(INT TERM HUP ALRM);
		$self->_serve($read);
		POSIX::_exit(0);
	}

	$self->{pid} = $pid;
	close $self->{socket};

	return $self;
}

# set('db.test' => [ '127.0.0.1' ], 'other.test' => 'SERVFAIL', ...): from now
# on

sub set {
	my ($self, %names) = @_;

	open(my $fh, '>', "$self->{file}.new") or die "$self->{file}: $!\n";
	print $fh join(' ', lc $_, ref $names{$_} ? @{$names{$_}}
		: $names{$_}), "\n" for sort keys %names;
	close $fh;

	rename("$self->{file}.new", $self->{file}) or die "rename: $!\n";

	return $self;
}

# queries so far

sub queries {
	my ($self) = @_;
	return -s "$self->{file}.log" || 0;
}

sub stop {
	my ($self) = @_;

	my $pid = delete $self->{pid} or return $self;

	kill 'KILL', $pid;
	reap($pid, 1);
	close delete $self->{lifeline};

	return $self;
}

###############################################################################

sub _serve {
	my ($self, $lifeline) = @_;

	my $s = $self->{socket};
	my $select = IO::Select->new($s, $lifeline);

	for ( ;; ) {
		my @ready = $select->can_read();

		return if grep { $_ == $lifeline } @ready;
		next unless defined $s->recv(my $query, 4096);

		open(my $log, '>>', "$self->{file}.log");
		print $log '.';
		close $log;

		my $answer = $self->_answer($query);
		$s->send($answer) if defined $answer;
	}
}

# RFC 1035, 4.1

sub _answer {
	my ($self, $query) = @_;

	my ($id, $flags, $questions) = unpack('n3', $query);
	return undef if $questions != 1;

	my ($pos, @labels) = (12);

	while (my $n = ord substr($query, $pos, 1)) {
		push @labels, substr($query, $pos + 1, $n);
		$pos += $n + 1;
	}

	my $question = substr($query, 12, $pos + 5 - 12);
	my ($type) = unpack('n', substr($query, $pos + 1, 2));
	my $name = lc join('.', @labels);

	my @lines = do {
		open(my $fh, '<', $self->{file}) or return undef;
		<$fh>;
	};

	my ($line) = grep { /^\Q$name\E / } @lines;
	my @words = $line ? split(' ', $line) : ();
	shift @words;

	my $rcode = !$line ? 3 : @words && $words[0] eq 'SERVFAIL' ? 2 : 0;

	@words = () if $rcode || $type != 1;

	return pack('n6', $id, 0x8180 | $rcode, 1, scalar @words, 0, 0)
		. $question . join('', map {
			pack('nnnNn', 0xc00c, 1, 1, 1, 4) . inet_aton($_)
		} @words);
}

###############################################################################

1;

###############################################################################
