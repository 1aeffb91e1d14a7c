package Test::Hyperdrive::FakePG;

# Copyright (C) Hyperdrive for nginx authors

# A database that does what a script says: for answers, delays and faults that
# a real PostgreSQL cannot be made to show.  Each connection is a process of
# its own, so a callback may wait; what it saw is read from a log.

###############################################################################

use warnings;
use strict;

use Digest::MD5 qw(md5_hex);
use Digest::SHA qw(sha256 hmac_sha256);
use File::Path qw(make_path);
use IO::Select;
use IO::Socket::INET;
use JSON::PP ();
use MIME::Base64 qw(encode_base64 decode_base64);
use POSIX ();
use Socket qw(IPPROTO_TCP TCP_NODELAY SOL_SOCKET SO_LINGER);
use Time::HiRes qw(sleep time);

use Test::Hyperdrive::PG;
use Test::Hyperdrive::Process qw(reap wait_for);

###############################################################################

# new($test, $port, ...); all callbacks run in the connection's process and
# get its Test::Hyperdrive::FakePG::Connection as $c:
#
#   query => sub { my ($n, $sql, $c, @values) = @_; ... }
#       for each statement, simple or executed; $n is the connection's number,
#       from 1; returns
#           [ [ 'a', 'b' ], [ 'c', undef ] ]      rows of text
#           { columns => [ 'x' ], rows => [ ... ], tag => 'SELECT 1',
#             notice => { C => .., M => .. }, error => { C => .., M => .. },
#             raw => BYTES }                     raw stands for it all
#           undef                                 nothing is sent at all
#   message => sub { my ($c, $type, $body) = @_; ... }
#       ahead of all else, for each message; true: it is dealt with
#   connect => sub { my ($c) = @_; ... }          before anything is read
#   startup => sub { my ($c, $params) = @_; ... } true: it is dealt with
#   backend => N       by which number clients know it, instead of others
#   cancel => sub { my ($c, $pid, $key) = @_; ... }
#   auth => 'trust', 'cleartext', 'md5', 'scram'; password => ...
#   rounds => 4096, salt => ..., wrong_signature => 1, skip_final => 1
#       what the SCRAM origin says, and does badly
#   parameters => { server_version => '15.0 (fake)', ... }
#   ssl => 'N'                                    answer to SSLRequest
#   split => N                                    as for the client
#   host => '127.0.0.1'                           where it listens

sub new {
	my ($class, $test, $port, %o) = @_;

	my $self = bless {
		test => $test,
		port => $port,
		host => '127.0.0.1',
		dir => $test->testdir() . "/fake$port-" . ($o{host} // ''),
		auth => 'trust',
		ssl => 'N',
		query => sub { [ [ $_[0] ] ] },
		%o
	}, $class;

	make_path($self->{dir});

	$self->{parameters} = {
		server_version => '15.0 (fake)',
		server_encoding => 'UTF8',
		client_encoding => 'UTF8',
		DateStyle => 'ISO, MDY',
		IntervalStyle => 'postgres',
		TimeZone => 'UTC',
		integer_datetimes => 'on',
		standard_conforming_strings => 'on',
		is_superuser => 'off',
		default_transaction_read_only => 'off',
		in_hot_standby => 'off',
		%{$o{parameters} || {}}
	};

	return $self->start();
}

sub start {
	my ($self) = @_;

	my $listener = IO::Socket::INET->new(LocalAddr => $self->{host},
		LocalPort => $self->{port}, Proto => 'tcp', Listen => 1024,
		ReuseAddr => 1)
		or die "cannot listen on port $self->{port}: $!\n";

	# its end tells the fake that the test is gone, however it went

	pipe(my $read, my $write) or die "pipe: $!\n";

	my $pid = fork();
	die "cannot fork: $!\n" unless defined $pid;

	if (!$pid) {
		CORE::close($write);
		eval { $self->_accept($listener, $read) };
		print STDERR $@ if $@;
		POSIX::_exit(1);
	}

	# also done by the child: whoever comes first
	setpgrp($pid, $pid);

	$self->{pid} = $pid;
	$self->{lifeline} = $write;

	return $self;
}

sub stop {
	my ($self) = @_;

	my $pid = delete $self->{pid} or return $self;

	kill 'KILL', -$pid, $pid;
	reap($pid, 1);

	CORE::close(delete $self->{lifeline});

	return $self;
}

# What serves a connection: another protocol's fake has its own.

sub connection_class {
	return 'Test::Hyperdrive::FakePG::Connection';
}

sub _accept {
	my ($self, $listener, $lifeline) = @_;

	setpgrp(0, 0);

	$SIG{$_} = 'DEFAULT' for qw(INT TERM HUP ALRM);
	$SIG{PIPE} = 'IGNORE';
	$SIG{CHLD} = 'IGNORE';
	alarm 0;

	my $select = IO::Select->new($listener, $lifeline);
	my $n = 0;

	for ( ;; ) {
		my @ready = $select->can_read();

		kill 'KILL', -$$ if grep { $_ == $lifeline } @ready;

		next unless grep { $_ == $listener } @ready;

		my $s = $listener->accept() or next;
		$n++;

		my $pid = fork();
		next if !defined $pid || $pid;

		CORE::close($listener);
		CORE::close($lifeline);

		my $c = $self->connection_class()->new($self, $s, $n);

		eval { $c->serve(); 1 } or $c->log(event => 'failed', why => $@);

		POSIX::_exit(0);
	}
}

###############################################################################
# The test's side.

# What was seen so far, in order of time, a hash each: n (connection), event
# (connect, startup, message, close), and more.

sub log {
	my ($self) = @_;

	open(my $fh, '<', "$self->{dir}/log") or return ();

	my $json = JSON::PP->new->latin1;

	# the last one may be about to be written
	return map { $json->decode($_) } grep { /\n\z/ } <$fh>;
}

sub connections {
	my ($self) = @_;
	return scalar grep { $_->{event} eq 'connect' } $self->log();
}

# The messages of one connection, or of all: 'PBDES'.

sub types {
	my ($self, $n) = @_;

	return join('', map { $_->{type} }
		grep { $_->{event} eq 'message' && (!$n || $_->{n} == $n) }
		$self->log());
}

# The texts of all statements that arrived.

sub queries {
	my ($self) = @_;

	return map { $_->{sql} } grep { defined $_->{sql} } $self->log();
}

# Lets a callback go on that stands in $c->wait('NAME').

sub signal {
	my ($self, $name) = @_;

	open(my $fh, '>', "$self->{dir}/signal-$name")
		or die "cannot signal: $!\n";

	return $self;
}

# True when a callback has come to $c->wait('NAME').

sub wait_waiting {
	my ($self, $name, $timeout) = @_;
	return wait_for(sub { -e "$self->{dir}/waiting-$name" }, $timeout,
		"the fake database waiting for $name");
}

###############################################################################

package Test::Hyperdrive::FakePG::Connection;

# One connection: the buffers and the decoder are those of the client.

use warnings;
use strict;

use Digest::MD5 qw(md5_hex);
use Digest::SHA qw(sha256 hmac_sha256);
use MIME::Base64 qw(encode_base64 decode_base64);
use Socket qw(IPPROTO_TCP TCP_NODELAY);
use Time::HiRes qw(sleep time);

our @ISA = ('Test::Hyperdrive::PG');

sub new {
	my ($class, $fake, $s, $n) = @_;

	setsockopt($s, IPPROTO_TCP, TCP_NODELAY, 1);
	binmode $s;
	$s->blocking(0);

	return bless {
		fake => $fake,
		s => $s,
		n => $n,
		in => '',
		out => '',
		eof => 0,
		timeout => 3600,
		pause => 0.0002,
		split => $fake->{split},
		status => 'I',
		statements => {},
		portals => {},
	}, $class;
}

sub number {
	my ($self) = @_;
	return $self->{n};
}

sub log {
	my ($self, %event) = @_;

	my $line = JSON::PP->new->canonical->latin1->encode({ n => $self->{n},
		time => time() + 0, %event });

	# one write to a file opened for appending is not torn

	open(my $fh, '>>', "$self->{fake}{dir}/log") or return;
	syswrite($fh, "$line\n");
	CORE::close($fh);
}

# Stands still until the test says signal('NAME').

sub wait {
	my ($self, $name) = @_;

	my $dir = $self->{fake}{dir};

	open(my $fh, '>', "$dir/waiting-$name");
	CORE::close($fh);

	sleep(0.002) while !-e "$dir/signal-$name";

	return $self;
}

###############################################################################

sub serve {
	my ($self) = @_;

	my $fake = $self->{fake};

	$self->log(event => 'connect');

	$fake->{connect}->($self) if $fake->{connect};

	$self->_login() or return;

	while (my $m = $self->_read_message()) {
		$self->_dispatch($m) or last;
		$self->flush_out();
	}

	$self->log(event => 'close', how => $self->{eof} || 'by us');
}

sub _read_message {
	my ($self) = @_;

	my $head = $self->read_raw(5);
	return undef unless defined $head;

	my ($type, $len) = unpack('a N', $head);
	my $body = $self->read_raw($len - 4);

	return defined $body ? { type => $type, body => $body } : undef;
}

sub _login {
	my ($self) = @_;

	my $fake = $self->{fake};

	for ( ;; ) {
		my $head = $self->read_raw(8);
		return 0 unless defined $head;

		my ($len, $code) = unpack('N N', $head);
		my $body = $self->read_raw($len - 8);
		return 0 unless defined $body;

		if ($code == 80877103) {
			$self->log(event => 'ssl');
			$self->send_raw($fake->{ssl});

			if ($fake->{ssl} eq 'S') {
				$self->_start_tls();
			}

			next;
		}

		if ($code == 80877104) {
			$self->send_raw('N');
			next;
		}

		if ($code == 80877102) {
			my ($pid, $key) = unpack('N a*', $body);

			$self->log(event => 'cancel', pid => $pid);
			$fake->{cancel}->($self, $pid, $key)
				if $fake->{cancel};
			return 0;
		}

		my %params = split /\0/, $body;

		$self->{params} = \%params;
		$self->log(event => 'startup', protocol => $code,
			params => \%params);

		if ($fake->{startup} && $fake->{startup}->($self, \%params)) {
			$self->flush_out();
			return 1;
		}

		$self->_authenticate() or return 0;

		$self->send('R', pack('N', 0));
		$self->send('S', "$_\0$fake->{parameters}{$_}\0")
			for sort keys %{$fake->{parameters}};
		$self->send('K', pack('N N', $fake->{backend} || 10000 + $self->{n},
			0xfa4e0000 + $self->{n}));
		$self->ready('I')->flush_out();

		return 1;
	}
}

sub _start_tls {
	my ($self) = @_;

	require IO::Socket::SSL;

	my $dir = $self->{fake}{test}->testdir();
	my $name = $self->{fake}{certificate};

	$self->{s}->blocking(1);

	IO::Socket::SSL->start_SSL($self->{s}, SSL_server => 1,
		SSL_cert_file => "$dir/$name.crt",
		SSL_key_file => "$dir/$name.key")
		or die 'TLS: ' . IO::Socket::SSL::errstr() . "\n";

	$self->{s}->blocking(0);
}

sub _authenticate {
	my ($self) = @_;

	my $fake = $self->{fake};
	my $user = $self->{params}{user};

	return 1 if $fake->{auth} eq 'trust';

	if ($fake->{auth} eq 'scram') {
		return $self->_scram();
	}

	my ($expected, $salt) = ($fake->{password}, 'salt');

	if ($fake->{auth} eq 'md5') {
		$self->send('R', pack('N a4', 5, $salt));
		$expected = 'md5' . md5_hex(md5_hex($expected . $user) . $salt);

	} else {
		$self->send('R', pack('N', 3));
	}

	my $m = $self->_read_message() or return 0;

	$self->log(event => 'password', type => $m->{type});

	return 1 if $m->{type} eq 'p' && $m->{body} eq "$expected\0";

	return $self->_refuse();
}

sub _refuse {
	my ($self) = @_;

	$self->send_error({ S => 'FATAL', C => '28P01',
		M => 'password authentication failed for user '
			. "\"$self->{params}{user}\"" })->flush_out();

	return 0;
}

sub _scram {
	my ($self) = @_;

	my $fake = $self->{fake};
	my $salt = $fake->{salt} || 'saltsaltsaltsalt';
	my $rounds = $fake->{rounds} || 4096;

	$self->send('R', pack('N', 10) . "SCRAM-SHA-256\0\0");

	my $m = $self->_read_message() or return 0;
	my ($mechanism, undef, $first) = unpack('Z* N a*', $m->{body});

	$self->log(event => 'password', mechanism => $mechanism,
		first => $first);

	my ($gs2, $bare, $nonce) = $first =~ /^(.*?,.*?,)(n=.*,r=(.*))$/
		or return $self->_refuse();

	my $server = "r=$nonce" . ($fake->{nonce} || 'fakenonce') . ',s='
		. encode_base64($salt, '') . ",i=$rounds";

	$self->send('R', pack('N', 11) . $server);

	$m = $self->_read_message() or return 0;

	my ($final, $proof) = $m->{body} =~ /^(.*),p=(.*)$/
		or return $self->_refuse();

	my $salted = Test::Hyperdrive::PG::pbkdf2($fake->{password}, $salt,
		$rounds);
	my $all = "$bare,$server,$final";
	my $key = hmac_sha256('Client Key', $salted);

	return $self->_refuse() if decode_base64($proof)
		ne ($key ^ hmac_sha256($all, sha256($key)));

	my $signature = hmac_sha256($all, hmac_sha256('Server Key', $salted));

	$signature = "\0" x 32 if $fake->{wrong_signature};

	$self->send('R', pack('N', 12) . 'v=' . encode_base64($signature, ''))
		unless $fake->{skip_final};

	return 1;
}

###############################################################################

sub _dispatch {
	my ($self, $m) = @_;

	my $fake = $self->{fake};
	my ($type, $body) = @$m{qw(type body)};

	# which server it is: it does not know, and no callback need do so

	if ($type eq 'P' && $body =~ /pg_postmaster_start_time\(\) AS t\0/) {
		$self->{naming} = 1;
		$self->send_error({ C => '42883', M => 'a fake has no name' });
	}

	if ($self->{naming}) {

		if ($type eq 'S') {
			$self->{naming} = 0;
			$self->ready();
		}

		return 1;
	}

	my %seen = (event => 'message', type => $type, bytes => length($body));

	$seen{sql} = unpack('Z*', $body) if $type eq 'Q';
	@seen{qw(name sql)} = unpack('Z* Z*', $body) if $type eq 'P';
	@seen{qw(portal name)} = unpack('Z* Z*', $body) if $type eq 'B';
	@seen{qw(kind name)} = unpack('a Z*', $body) if $type =~ /[DC]/;

	$self->log(%seen);

	return 1 if $fake->{message} && $fake->{message}->($self, $type, $body);

	return 0 if $type eq 'X';

	# behind an error all is skipped up to Sync

	if ($self->{skipping}) {
		return 1 if $type ne 'S';
		$self->{skipping} = 0;
	}

	if ($type eq 'Q') {
		$self->_answer(1, $seen{sql});
		$self->ready() unless $self->{silent};

	} elsif ($type eq 'P') {
		$self->{statements}{$seen{name}} = $seen{sql};
		$self->send('1');

	} elsif ($type eq 'B') {
		$self->_bind($body);

	} elsif ($type eq 'D') {
		$self->_describe($seen{kind}, $seen{name});

	} elsif ($type eq 'E') {
		my $portal = $self->{portals}{unpack('Z*', $body)};

		if ($portal) {
			$self->_answer(0, @$portal);
		} else {
			$self->_fail({ C => '34000',
				M => 'portal does not exist' });
		}

	} elsif ($type eq 'C') {
		my $table = $seen{kind} eq 'S' ? 'statements' : 'portals';

		delete $self->{$table}{$seen{name}};
		$self->send('3');

	} elsif ($type eq 'S') {
		$self->ready();

	} elsif ($type eq 'H') {
		$self->flush_out();

	} else {
		$self->_fail({ C => '08P01', M => "message of type $type" });
	}

	return 1;
}

sub _bind {
	my ($self, $body) = @_;

	my ($portal, $name, $formats, $rest) = unpack('Z* Z* n a*', $body);

	$rest = substr($rest, 2 * $formats);
	(my $n, $rest) = unpack('n a*', $rest);

	my @values;

	for (1 .. $n) {
		my $len = unpack('N', $rest);
		$rest = substr($rest, 4);

		if ($len == 0xffffffff) {
			push @values, undef;
			next;
		}

		push @values, substr($rest, 0, $len, '');
	}

	my $sql = $self->{statements}{$name};

	if (!defined $sql) {
		$self->_fail({ C => '26000', M => "prepared statement "
			. "\"$name\" does not exist" });
		return;
	}

	$self->{portals}{$portal} = [ $sql, @values ];
	$self->send('2');
}

# The shape that is told is that of the answer's columns: the callback is
# asked with $c->{describing} set.

sub _describe {
	my ($self, $kind, $name) = @_;

	my @statement;

	if ($kind eq 'S') {
		@statement = ($self->{statements}{$name});

		if (!defined $statement[0]) {
			$self->_fail({ C => '26000', M => "prepared statement "
				. "\"$name\" does not exist" });
			return;
		}

		my $n = () = $statement[0] =~ /\$\d+/g;
		$self->send('t', pack('n N*', $n, (25) x $n));

	} else {
		@statement = @{$self->{portals}{$name} || []};

		if (!@statement) {
			$self->_fail({ C => '34000',
				M => 'portal does not exist' });
			return;
		}
	}

	local $self->{describing} = 1;

	my $answer = $self->_ask(@statement);
	my $columns = _columns($answer);

	if ($columns) {
		$self->row_description(@$columns);
	} else {
		$self->send('n');
	}
}

sub _ask {
	my ($self, $sql, @values) = @_;

	# transaction control is understood without help

	if ($sql =~ /^\s*(BEGIN|START|COMMIT|END|ROLLBACK|ABORT)\b(?!.*\bTO\b)/i)
	{
		return { tag => uc $1, control => 1 };
	}

	my $answer = $self->{fake}{query}->($self->{n}, $sql, $self, @values);

	return ref $answer eq 'ARRAY' ? { rows => $answer } : $answer;
}

sub _columns {
	my ($answer) = @_;

	return undef unless $answer && $answer->{rows};
	return $answer->{columns} if $answer->{columns};

	my $row = $answer->{rows}[0] || [ undef ];

	return [ map { "c$_" } 1 .. @$row ];
}

sub _answer {
	my ($self, $describe, $sql, @values) = @_;

	my $answer = $self->_ask($sql, @values);

	$self->{silent} = !defined $answer || defined $answer->{raw};

	return if !defined $answer;

	if (defined $answer->{raw}) {
		$self->flush_out();
		$self->send_raw($answer->{raw});
		return;
	}

	$self->send_notice($answer->{notice}) if $answer->{notice};

	if ($answer->{error}) {
		$self->_fail($answer->{error}, $describe);
		return;
	}

	my $columns = _columns($answer);

	if ($columns) {
		$self->row_description(@$columns) if $describe;
		$self->data_row(@$_) for @{$answer->{rows}};
	}

	$self->{status} = $answer->{tag} =~ /^(?:BEGIN|START)/ ? 'T' : 'I'
		if $answer->{control};

	$self->send('C', (defined $answer->{tag} ? $answer->{tag}
		: 'SELECT ' . scalar(@{$answer->{rows} || []})) . "\0");
}

sub _fail {
	my ($self, $error, $simple) = @_;

	$self->send_error($error);
	$self->{status} = 'E' if $self->{status} eq 'T';
	$self->{skipping} = 1 unless $simple;
}

# What a callback may send itself.

sub ready {
	my ($self, $status) = @_;

	$self->{status} = $status if defined $status;
	return $self->send('Z', $self->{status});
}

sub row_description {
	my ($self, @names) = @_;

	return $self->send('T', pack('n', scalar @names)
		. join('', map { pack('Z* N n N n N n', $_, 0, 0, 25, 0xffff,
			0xffffffff, 0) } @names));
}

sub data_row {
	my ($self, @values) = @_;

	return $self->send('D', pack('n', scalar @values)
		. join('', map { defined $_ ? pack('N', length($_)) . $_
			: pack('N', 0xffffffff) } @values));
}

sub send_error {
	my ($self, $fields) = @_;
	return $self->_fields('E', { S => 'ERROR', %$fields });
}

sub send_notice {
	my ($self, $fields) = @_;
	return $self->_fields('N', { S => 'NOTICE', C => '00000', %$fields });
}

sub _fields {
	my ($self, $type, $fields) = @_;

	$fields->{V} = $fields->{S} unless exists $fields->{V};

	return $self->send($type, join('', map { "$_$fields->{$_}\0" }
		sort keys %$fields) . "\0");
}

###############################################################################

1;

###############################################################################
