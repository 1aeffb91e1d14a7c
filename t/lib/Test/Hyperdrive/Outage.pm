package Test::Hyperdrive::Outage;

# Copyright (C) Hyperdrive for nginx authors

# Clients that go on while the database is away.

###############################################################################

use warnings;
use strict;

use POSIX ();
use Test::More;
use Time::HiRes qw(time);

use Test::Hyperdrive::Process qw(wait_for);

###############################################################################

# new(...):
#
#   test => $t
#   client => sub { my ($port) = @_ }
#   ask => sub { my ($c, $sql) = @_ }   one query: its value, or the code of what
#                                       became of it, "closed" at the end; $_[0]
#                                       is undef if the connection has ended
#   clear => qr/.../                    codes that clients may get

sub new {
	my ($class, %o) = @_;
	return bless { %o }, $class;
}

# Clients, each a process, that ask one query after the other until the file
# "stop" is there, or "many" of them; each says what it got.

sub load {
	my ($self, $port, $n, $many) = @_;

	unlink $self->{test}->testdir() . '/stop';

	return map { $self->_in_child($port, $_, $many) } 1 .. $n;
}

sub _in_child {
	my ($self, $port, $id, $many) = @_;

	my $stop = $self->{test}->testdir() . '/stop';

	pipe(my $r, my $w) or die "pipe: $!\n";

	my $pid = fork() // die "fork: $!\n";

	if ($pid) {
		close $w;
		return { pid => $pid, out => $r };
	}

	$SIG{$_} = 'DEFAULT' for qw(INT TERM HUP ALRM);

	my ($n, %got, $c) = (0);

	while (!-e $stop && (!$many || $n < $many)) {
		$c = $self->{client}->($port) if !$c;
		my $got = $self->{ask}->($c, "SELECT $id" . ++$n);

		$got{$got eq "$id$n" ? 'right' : $got}++;
	}

	# and one at the end, when all is well again

	for (1 .. 200) {
		$c = $self->{client}->($port) if !$c;
		my $got = $self->{ask}->($c, 'SELECT 0');

		last if $got eq '0' && ++$got{end};
		select(undef, undef, undef, 0.02);
	}

	print $w join(' ', map { "$_=$got{$_}" } sort keys %got), "\n";
	close $w;
	POSIX::_exit(0);
}

# what all of them got, and that each has come to a good end

sub loaded {
	my ($self, $name, @children) = @_;
	my %sum;

	$self->{test}->write_file('stop', '');

	for my $child (@children) {
		my $line = readline($child->{out}) // '';
		waitpid($child->{pid}, 0);

		$sum{$1} += $2 while $line =~ /(\w+)=(\d+)/g;
	}

	note("$name: " . join(' ', map { "$_=$sum{$_}" } sort keys %sum));

	is($sum{end}, scalar @children, "$name, all go on by themselves");
	is(join(' ', grep { !/^(?:right|end|$self->{clear})$/ }
		sort keys %sum), '', "$name, nothing but clear errors");

	return \%sum;
}

# how many times a client may ask until it is answered

sub recovers {
	my ($self, $port, $name, $c) = @_;

	my $start = time();

	ok(eval { wait_for(sub {
		$c = $self->{client}->($port) if !$c;
		$self->{ask}->($c, 'SELECT 41 + 1') eq '42';
	}, 10) }, "$name, recovers") or diag($@);
	note(sprintf('%s: %.0f ms', $name, 1000 * (time() - $start)));

	return $c;
}

###############################################################################

1;

###############################################################################
