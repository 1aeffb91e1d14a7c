package Test::Hyperdrive::FakeMySQL;

# Copyright (C) Hyperdrive for nginx authors

# A MySQL that does what a script says: for answers, delays, plugins and
# faults that a real one cannot be made to show.  As FakePG.pm has it, each
# connection is a process of its own, and what it saw is read from a log.

###############################################################################

use warnings;
use strict;

use File::Path qw(make_path);

use Test::Hyperdrive::FakePG;
use Test::Hyperdrive::MySQL;

our @ISA = ('Test::Hyperdrive::FakePG');

###############################################################################

# new($test, $port, ...); all callbacks run in the connection's process and
# get its Test::Hyperdrive::FakeMySQL::Connection as $c:
#
#   query => sub { my ($n, $sql, $c) = @_; ... }
#       for each COM_QUERY; $n is the connection's number, from 1; returns
#           [ [ 'a', 'b' ], [ 'c', undef ] ]      rows of text
#           { columns => [ 'x' ], rows => [ ... ], status => 2,
#             ok => { affected => 1 }, error => [ 1064, '42000', 'text' ],
#             raw => BYTES }                     raw stands for it all
#           undef                                 nothing is sent at all
#   command => sub { my ($c, $com, $body) = @_; ... }
#       ahead of all else, for each command; true: it is dealt with
#   connect => sub { my ($c) = @_; ... }          before anything is sent
#   greeting => BYTES                             instead of the usual one
#   auth => sub { my ($c, $response) = @_; ... }  { user, auth, database,
#       plugin, caps, collation, attributes }; returns true if it has answered
#       itself, else the client is let in
#   version, capabilities, plugin, scramble, status, pid
#   ok => { changes => BYTES }                    of the log-in
#   no_tracker => 1                               it is too old for it
#   split => N                                    as for the client
#
# Query attributes are in the log as "tags", where the client knows them.

sub new {
	my ($class, $test, $port, %o) = @_;

	my $self = bless {
		test => $test,
		port => $port,
		dir => $test->testdir() . "/fake$port",
		version => '8.0.99-fake',
		capabilities => 0xdfffffff & ~$Test::Hyperdrive::MySQL::CAP{SSL}
			& ~$Test::Hyperdrive::MySQL::CAP{COMPRESS}
			& ~$Test::Hyperdrive::MySQL::CAP{ZSTD},
		plugin => 'mysql_native_password',
		scramble => 'abcdefghijklmnopqrst',
		status => 2,
		query => sub { [ [ $_[0] ] ] },
		%o
	}, $class;

	make_path($self->{dir});

	return $self->start();
}

sub connection_class {
	return 'Test::Hyperdrive::FakeMySQL::Connection';
}

###############################################################################

package Test::Hyperdrive::FakeMySQL::Connection;

# One connection: packets and values are those of the client.

use warnings;
use strict;

use Test::Hyperdrive::MySQL qw(%CAP %COM lenc lstr take_lenc take_lstr
	take_attributes);

our @ISA = ('Test::Hyperdrive::MySQL', 'Test::Hyperdrive::FakePG::Connection');

my %name_of = reverse %COM;

sub new {
	my ($class, @args) = @_;

	my $self = Test::Hyperdrive::FakePG::Connection::new($class, @args);

	$self->{seq} = 0;

	return $self;
}

sub serve {
	my ($self) = @_;

	my $fake = $self->{fake};

	$self->log(event => 'connect');

	$fake->{connect}->($self) if $fake->{connect};

	$self->_greet() or return;

	for ( ;; ) {
		$self->{seq} = 0;

		my $payload = $self->read_packet();
		last unless defined $payload;

		$self->_command(ord(substr($payload, 0, 1, '')), $payload)
			or last;
	}

	$self->log(event => 'close', how => $self->{eof} || 'by us');
}

sub _greet {
	my ($self) = @_;

	my $fake = $self->{fake};
	my $caps = $fake->{capabilities};
	my $salt = $fake->{scramble};

	$self->send($fake->{greeting} // pack('C Z* V a8 x v C v v C x6 V a* x Z*',
		10, $fake->{version}, $fake->{pid} // 1000 + $self->{n}, substr($salt, 0, 8),
		$caps & 0xffff, 45, $fake->{status}, $caps >> 16 & 0xffff,
		21, $caps >> 32, substr($salt, 8), $fake->{plugin}));

	my $payload = $self->read_packet();
	return 0 unless defined $payload;

	my %r;

	(my $low, my $max, $r{collation}, my $high, my $rest)
		= unpack('V V C x19 V a*', $payload);

	$r{caps} = $self->{caps} = $low | $high << 32;

	($r{user}, $rest) = unpack('Z* a*', $rest);

	$r{auth} = $low & $CAP{PLUGIN_LENENC} ? take_lstr($rest)
		: substr($rest, 1, ord(substr($rest, 0, 1)));
	substr($rest, 0, 1 + length $r{auth}, '')
		unless $low & $CAP{PLUGIN_LENENC};

	($r{database}, $rest) = unpack('Z* a*', $rest)
		if $low & $CAP{CONNECT_WITH_DB};
	($r{plugin}, $rest) = unpack('Z* a*', $rest)
		if $low & $CAP{PLUGIN_AUTH};

	if ($low & $CAP{CONNECT_ATTRS}) {
		my $all = take_lstr($rest);

		$r{attributes} = {};

		while (length $all) {
			my $name = take_lstr($all);
			$r{attributes}{$name} = take_lstr($all);
		}
	}

	$self->log(event => 'login', %r, auth => unpack('H*', $r{auth}));

	if ($fake->{auth} && $fake->{auth}->($self, \%r)) {
		return !$self->{refused};
	}

	$self->send_ok(status => $fake->{status}, %{$fake->{ok} || {}});

	return 1;
}

# refuse(1045, '28000', 'text'): an ERR, after which it closes.

sub refuse {
	my ($self, @error) = @_;

	$self->{refused} = 1;
	$self->send_error(@error);

	return 1;
}

sub send_error {
	my ($self, $code, $state, $message) = @_;
	return $self->send(pack('C v', 0xff, $code) . "#$state$message");
}

sub send_ok {
	my ($self, %o) = @_;

	my $status = ($o{status} // 2) | (defined $o{changes} ? 0x4000 : 0);

	return $self->send(chr($o{type} // 0) . lenc($o{affected} || 0)
		. lenc($o{insert_id} || 0)
		. pack('v v', $status, $o{warnings} || 0)
		. (defined $o{info} || defined $o{changes}
			? lstr($o{info} // '') : '')
		. (defined $o{changes} ? lstr($o{changes}) : ''));
}

# The end of columns or rows, as this client understands it.

sub send_end {
	my ($self, %o) = @_;

	return $self->send_ok(%o, type => 0xfe)
		if $self->{caps} & $CAP{DEPRECATE_EOF};

	return $self->send(pack('C v v', 0xfe, $o{warnings} || 0,
		$o{status} // 2));
}

sub send_rows {
	my ($self, $names, $rows, %o) = @_;

	$self->send(lenc(scalar @$names));

	for my $name (@$names) {
		$self->send(lstr('def') . lstr('') x 3 . lstr($name) . lstr('')
			. pack('C v V C v C v', 12, 45, 1024, 253, 0, 0, 0));
	}

	$self->send(pack('C v v', 0xfe, 0, $o{status} // 2))
		unless $self->{caps} & $CAP{DEPRECATE_EOF};

	$self->send(join('', map { defined $_ ? lstr($_) : "\xfb" } @$_))
		for @$rows;

	return $self->send_end(%o);
}

sub _command {
	my ($self, $com, $body) = @_;

	my $fake = $self->{fake};
	my $name = $name_of{$com} || $com;

	my $tags = $name eq 'QUERY' && $self->{caps} & $CAP{QUERY_ATTRIBUTES}
		? take_attributes($body) : {};

	# which server it is, as FakePG.pm has it

	if ($name eq 'QUERY' && $body =~ /^SELECT CONNECTION_ID\(\), CONCAT_WS/) {
		$self->send_error(1305, '42000', 'a fake has no name');
		return 1;
	}

	# it is asked to tell of any change, ahead of its first statement

	if ($name eq 'QUERY' && $body eq 'SET session_track_state_change=1') {
		$fake->{no_tracker}
			? $self->send_error(1193, 'HY000', 'Unknown system variable')
			: $self->send_ok(status => $fake->{status});
		return 1;
	}

	$self->log(event => 'command', com => $name,
		$name eq 'QUERY' || $name eq 'STMT_PREPARE' 
			? (sql => substr($body, 0, 1000))
			: (body => unpack('H*', $body)),
		%$tags ? (tags => $tags) : ());

	return 0 if $name eq 'QUIT';
	return 1 if $fake->{command} && $fake->{command}->($self, $name, $body);

	if ($name ne 'QUERY') {
		$self->send_ok(status => $fake->{status})
			unless $name =~ /^STMT_(?:CLOSE|LONG_DATA)$/;
		return 1;
	}

	my $answer = $fake->{query}->($self->{n}, $body, $self);

	return 1 unless defined $answer;

	$answer = { rows => $answer } if ref $answer eq 'ARRAY';

	if (defined $answer->{raw}) {
		$self->send_raw($answer->{raw});

	} elsif ($answer->{error}) {
		$self->send_error(@{$answer->{error}});

	} elsif ($answer->{rows}) {
		my $rows = $answer->{rows};
		my $names = $answer->{columns}
			|| [ map { "c$_" } 1 .. @{$rows->[0] || [ 1 ]} ];

		$self->send_rows($names, $rows,
			status => $answer->{status} // $fake->{status});

	} else {
		$self->send_ok(status => $fake->{status},
			%{$answer->{ok} || {}});
	}

	return 1;
}

###############################################################################

1;

###############################################################################
