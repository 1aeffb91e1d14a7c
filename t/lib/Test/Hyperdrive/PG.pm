package Test::Hyperdrive::PG;

# Copyright (C) Hyperdrive for nginx authors

# A small PostgreSQL client that sends exactly what a test asks for, cut where
# it asks, and shows every message that comes back.  Core perl only.

###############################################################################

use warnings;
use strict;

use parent 'Test::Hyperdrive::Client';

use Digest::MD5 qw(md5_hex);
use Digest::SHA qw(sha256 hmac_sha256);
use MIME::Base64 qw(encode_base64 decode_base64);
use Time::HiRes qw(time);

use Test::Hyperdrive::PG::Result;

our %NAMES = (
	R => 'Authentication', S => 'ParameterStatus', K => 'BackendKeyData',
	Z => 'ReadyForQuery', T => 'RowDescription', D => 'DataRow',
	C => 'CommandComplete', E => 'ErrorResponse', N => 'NoticeResponse',
	1 => 'ParseComplete', 2 => 'BindComplete', 3 => 'CloseComplete',
	n => 'NoData', t => 'ParameterDescription', s => 'PortalSuspended',
	I => 'EmptyQueryResponse', A => 'NotificationResponse',
	G => 'CopyInResponse', H => 'CopyOutResponse', W => 'CopyBothResponse',
	d => 'CopyData', c => 'CopyDone', V => 'FunctionCallResponse',
	v => 'NegotiateProtocolVersion',
);

###############################################################################

# connect($port, ...): logs in and returns a client, or dies with the origin's
# words (also with login => 0, when no TCP connection came about).
#
#   host => '127.0.0.1', socket => PATH
#   user, database, password
#   params => { application_name => 'x' }   more startup parameters
#   protocol => 0x00030000
#   split => N         never more than N bytes at once, a pause after each
#   pause => seconds   the pause, 0.0002 unless told
#   timeout => seconds for each read, never less than 30
#   ssl => 1           SSLRequest and TLS (needs IO::Socket::SSL)
#   login => 0         only connect
#   quiet => 1         a refused log-in returns the client, see error()

sub connect {
	my ($class, $port, %o) = @_;

	my $self = bless {
		host => '127.0.0.1',
		pause => 0.0002,
		protocol => 0x00030000,
		params => {},
		in => '',
		out => '',
		eof => 0,
		parameters => {},
		notifications => [],
		status => '',
		%o,
		port => $port
	}, $class;

	$self->_open();

	return $self if exists $o{login} && !$o{login};

	$self->start_tls() if $o{ssl};
	$self->startup();
	$self->authenticate();

	if ($self->{error} && !$o{quiet}) {
		die "log-in failed: $self->{error}{C} $self->{error}{M}\n";
	}

	return $self;
}

# Answers as the test expects them of a failed log-in.

sub error {
	my ($self) = @_;
	return $self->{error};
}

# What the origin has told: parameter('server_version'), parameters().

sub parameter {
	my ($self, $name) = @_;
	return $self->{parameters}{$name};
}

sub parameters {
	my ($self) = @_;
	return $self->{parameters};
}

# I, T or E as of the last ReadyForQuery.

sub status {
	my ($self) = @_;
	return $self->{status};
}

sub pid {
	my ($self) = @_;
	return $self->{backend_pid};
}

sub key {
	my ($self) = @_;
	return $self->{backend_key};
}

sub notifications {
	my ($self) = @_;
	return @{$self->{notifications}};
}

###############################################################################
# Bytes.

# One message; type '' for those of the start-up, which have none.

sub message {
	my ($type, $body) = @_;
	return $type . pack('N', length($body) + 4) . $body;
}

# send('Q', "SELECT 1\0"): queued until flush_out(), or anything that reads.

sub send {
	my ($self, $type, $body) = @_;

	$self->{out} .= message($type, defined $body ? $body : '');
	return $self;
}

sub flush_out {
	my ($self) = @_;

	my $out = $self->{out};
	$self->{out} = '';

	return length($out) ? $self->send_raw($out) : $self;
}

# What is queued, and takes it away: for tests that cut it themselves.

sub take_out {
	my ($self) = @_;

	my $out = $self->{out};
	$self->{out} = '';

	return $out;
}

# What is queued is sent first.

sub read_raw {
	my ($self, $n) = @_;

	$self->flush_out();

	return $self->SUPER::read_raw($n);
}

# The next message as a hash (type, name, body and what decode() adds), or
# undef at the end.  Dies when it does not come in time.

sub read_message {
	my ($self, $timeout) = @_;

	local $self->{timeout} = $timeout if defined $timeout;

	my $head = $self->read_raw(5);
	return undef unless defined $head;

	my ($type, $len) = unpack('a N', $head);
	die "malformed message of type $type\n" if $len < 4;

	my $body = $self->read_raw($len - 4);
	die "the connection ended inside of a message\n" unless defined $body;

	my $m = decode({ type => $type, body => $body,
		name => $NAMES{$type} || $type });

	if ($type eq 'S') {
		$self->{parameters}{$m->{key}} = $m->{value};

	} elsif ($type eq 'K') {
		@$self{qw(backend_pid backend_key)} = @$m{qw(pid secret)};

	} elsif ($type eq 'Z') {
		$self->{status} = $m->{status};

	} elsif ($type eq 'A') {
		push @{$self->{notifications}}, $m;
	}

	return $m;
}

# Messages up to and including one of a type in the class ('Z', 'ZE', ...).

sub read_until {
	my ($self, $types, $timeout) = @_;

	my @messages;

	for ( ;; ) {
		my $m = $self->read_message($timeout);
		last unless defined $m;

		push @messages, $m;
		last if index($types, $m->{type}) >= 0;
	}

	return @messages;
}

# True if nothing comes for so long (and the connection stays).

sub silent {
	my ($self, $seconds) = @_;

	$self->flush_out();

	return 0 if length($self->{in}) || $self->{eof};
	return !$self->_wait(time() + $seconds);
}

# 'closed' or 'reset' when the peer ends the connection in time, else ''.
# What it says before is kept for read_message().

sub wait_eof {
	my ($self, $timeout) = @_;

	my $end = time() + (defined $timeout ? $timeout : $self->{timeout});

	while (!$self->{eof}) {
		$self->_wait($end) or return '';
	}

	return $self->{eof};
}

# Adds what the body means.

sub decode {
	my ($m) = @_;

	my ($type, $body) = @$m{qw(type body)};

	if ($type eq 'R') {
		$m->{code} = unpack('N', $body);
		$m->{data} = substr($body, 4);

	} elsif ($type eq 'S') {
		@$m{qw(key value)} = split /\0/, $body, -1;

	} elsif ($type eq 'K') {
		@$m{qw(pid secret)} = unpack('N a*', $body);

	} elsif ($type eq 'Z') {
		$m->{status} = $body;

	} elsif ($type eq 'E' || $type eq 'N') {
		$m->{fields} = { map { (substr($_, 0, 1), substr($_, 1)) }
			grep { length } split /\0/, $body };

	} elsif ($type eq 'C') {
		($m->{tag}) = unpack('Z*', $body);

	} elsif ($type eq 'T') {
		my ($n, $rest) = unpack('n a*', $body);

		for (1 .. $n) {
			my %column;

			(@column{qw(name table attribute oid size modifier
				format)}, $rest)
				= unpack('Z* N n N n N n a*', $rest);

			push @{$m->{columns}}, \%column;
		}

		$m->{columns} ||= [];

	} elsif ($type eq 'D') {
		my ($n, $pos) = (unpack('n', $body), 2);

		$m->{values} = [];

		for (1 .. $n) {
			my $len = unpack('N', substr($body, $pos, 4));
			$pos += 4;

			if ($len == 0xffffffff) {
				push @{$m->{values}}, undef;
				next;
			}

			push @{$m->{values}}, substr($body, $pos, $len);
			$pos += $len;
		}

	} elsif ($type eq 't') {
		(undef, @{$m->{types}}) = unpack('n N*', $body);

	} elsif ($type eq 'A') {
		@$m{qw(pid channel payload)} = unpack('N Z* Z*', $body);

	} elsif ($type eq 'v') {
		my ($version, $n, @options) = unpack('N N (Z*)*', $body);

		@$m{qw(version options)} = ($version, [ @options[0 .. $n - 1] ]);
	}

	return $m;
}

###############################################################################
# Logging in.

# What SSLRequest is answered by: S, N or the first byte of an error.

sub ssl_request {
	my ($self) = @_;

	$self->send_raw(pack('N N', 8, 80877103));
	return $self->read_raw(1);
}

sub gss_request {
	my ($self) = @_;

	$self->send_raw(pack('N N', 8, 80877104));
	return $self->read_raw(1);
}

sub has_tls {
	return eval { require IO::Socket::SSL; 1 } ? 1 : 0;
}

sub start_tls {
	my ($self) = @_;

	my $answer = $self->ssl_request();
	die 'SSLRequest answered by ' . ($answer // 'a close') . "\n"
		unless ($answer // '') eq 'S';

	require IO::Socket::SSL;

	$self->{s}->blocking(1);

	IO::Socket::SSL->start_SSL($self->{s}, SSL_verify_mode => 0)
		or die 'TLS: ' . IO::Socket::SSL::errstr() . "\n";

	$self->{s}->blocking(0);

	return $self;
}

sub startup_message {
	my ($self) = @_;

	my %params = %{$self->{params}};

	my @pairs = (user => $self->{user});
	push @pairs, database => $self->{database} if defined $self->{database};
	push @pairs, map { $_ => $params{$_} } sort keys %params;

	# no user at all, where a test wants that
	splice(@pairs, 0, 2) unless defined $pairs[1];

	return message('', pack('N', $self->{protocol})
		. join('', map { "$_\0" } @pairs) . "\0");
}

sub startup {
	my ($self) = @_;
	return $self->send_raw($self->startup_message());
}

# Up to the first ReadyForQuery; what came before it is in {login}.

sub authenticate {
	my ($self) = @_;

	my $password = $self->{password};

	$self->{login} = [];

	while (my $m = $self->read_message()) {

		push @{$self->{login}}, $m;

		return 1 if $m->{type} eq 'Z';

		if ($m->{type} eq 'E') {
			$self->{error} = $m->{fields};
			return 0;
		}

		next if $m->{type} ne 'R' || $m->{code} == 0;

		die "a password is asked for\n" unless defined $password;

		if ($m->{code} == 3) {
			$self->send('p', "$password\0");

		} elsif ($m->{code} == 5) {
			$self->send('p', 'md5' . md5_hex(
				md5_hex($password . $self->{user})
				. $m->{data}) . "\0");

		} elsif ($m->{code} == 10) {
			$self->{mechanisms} = [ grep { length }
				split /\0/, $m->{data} ];
			$self->_scram_first();

		} elsif ($m->{code} == 11) {
			$self->_scram_final($m->{data});

		} elsif ($m->{code} == 12) {
			die "the origin has not proven itself\n" if $m->{data}
				ne "v=$self->{scram}{signature}";
			$self->{scram}{proven} = 1;

		} else {
			die "authentication $m->{code} is not known\n";
		}
	}

	$self->{error} = { C => '', M => 'connection closed' };

	return 0;
}

sub _scram_first {
	my ($self) = @_;

	die "SCRAM-SHA-256 is not offered\n"
		unless grep { $_ eq 'SCRAM-SHA-256' } @{$self->{mechanisms}};

	my $nonce = encode_base64(join('', map { chr(int(rand(256))) }
		1 .. 18), '');

	my $bare = "n=,r=$nonce";
	$self->{scram} = { nonce => $nonce, bare => $bare };

	my $first = "n,,$bare";

	$self->send('p', "SCRAM-SHA-256\0" . pack('N', length($first)) . $first);
}

sub _scram_final {
	my ($self, $server) = @_;

	my $scram = $self->{scram};

	my ($nonce, $salt, $rounds) = $server =~ /^r=([^,]*),s=([^,]*),i=(\d+)/
		or die "malformed SCRAM message\n";

	die "the nonce is not ours\n"
		if index($nonce, $scram->{nonce}) != 0
		   || length($nonce) <= length($scram->{nonce});

	my $salted = pbkdf2($self->{password}, decode_base64($salt), $rounds);
	my $client = hmac_sha256('Client Key', $salted);

	my $final = 'c=' . encode_base64('n,,', '') . ",r=$nonce";
	my $all = "$scram->{bare},$server,$final";

	my $proof = $client ^ hmac_sha256($all, sha256($client));

	$scram->{signature} = encode_base64(
		hmac_sha256($all, hmac_sha256('Server Key', $salted)), '');

	$self->send('p', "$final,p=" . encode_base64($proof, ''));
}

my %salted;

sub pbkdf2 {
	my ($password, $salt, $rounds) = @_;

	# 4096 rounds in perl take a while: many clients log in alike

	return $salted{"$rounds $salt $password"} ||= do {
		my $u = hmac_sha256($salt . pack('N', 1), $password);
		my $sum = $u;

		for (2 .. $rounds) {
			$u = hmac_sha256($u, $password);
			$sum ^= $u;
		}

		$sum;
	};
}

###############################################################################
# The messages of the extended protocol, queued until something reads.

sub parse {
	my ($self, $name, $sql, @types) = @_;

	return $self->send('P', pack('Z* Z* n N*', $name, $sql,
		scalar(@types), @types));
}

# bind($portal, $statement, [ values ], formats => [], results => [])

sub bind {
	my ($self, $portal, $statement, $values, %o) = @_;

	my @values = @{$values || []};
	my @formats = @{$o{formats} || []};
	my @results = @{$o{results} || []};

	return $self->send('B', pack('Z* Z* n*', $portal, $statement,
			scalar(@formats), @formats, scalar(@values))
		. join('', map { defined $_ ? pack('N', length($_)) . $_
			: pack('N', 0xffffffff) } @values)
		. pack('n n*', scalar(@results), @results));
}

sub describe {
	my ($self, $kind, $name) = @_;
	return $self->send('D', $kind . pack('Z*', $name));
}

sub execute {
	my ($self, $portal, $rows) = @_;

	return $self->send('E', pack('Z* N', defined $portal ? $portal : '',
		$rows || 0));
}

sub close_statement {
	my ($self, $name) = @_;
	return $self->send('C', 'S' . pack('Z*', $name));
}

sub close_portal {
	my ($self, $name) = @_;
	return $self->send('C', 'P' . pack('Z*', $name));
}

sub sync {
	my ($self) = @_;
	return $self->send('S');
}

sub flush {
	my ($self) = @_;
	return $self->send('H');
}

###############################################################################
# Whole units.

# All up to ReadyForQuery, as a Test::Hyperdrive::PG::Result.

sub result {
	my ($self, $timeout) = @_;

	return Test::Hyperdrive::PG::Result->new(
		$self->read_until('Z', $timeout));
}

sub query {
	my ($self, $sql, $timeout) = @_;

	$self->send('Q', "$sql\0");
	return $self->result($timeout);
}

# Parse, Bind, Describe, Execute, Sync with the unnamed statement.

sub extended {
	my ($self, $sql, @values) = @_;

	$self->parse('', $sql)->bind('', '', \@values)->describe('P', '')
		->execute('')->sync();

	return $self->result();
}

sub prepare {
	my ($self, $name, $sql, @types) = @_;

	$self->parse($name, $sql, @types)->describe('S', $name)->sync();
	return $self->result();
}

sub execute_prepared {
	my ($self, $name, @values) = @_;

	$self->bind('', $name, \@values)->describe('P', '')->execute('')
		->sync();

	return $self->result();
}

# A cancel request for this client, on a connection of its own.

sub cancel {
	my ($self) = @_;

	my $other = ref($self)->connect($self->{port}, login => 0,
		host => $self->{host},
		$self->{socket} ? (socket => $self->{socket}) : ());

	$other->send_raw(message('', pack('N N a*', 80877102,
		$self->{backend_pid}, $self->{backend_key})));

	return $other->wait_eof() ? 1 : 0;
}

###############################################################################
# Leaving.

# Terminate, then the peer's close is waited for: 1 if all that happened.

sub close {
	my ($self) = @_;

	my $s = $self->{s} or return 0;

	my $ok = eval {
		$self->send('X')->flush_out();
		$self->wait_eof() eq 'closed';
	};

	CORE::close($s);
	delete $self->{s};

	return $ok ? 1 : 0;
}

# A close without a word.

sub vanish {
	my ($self) = @_;

	CORE::close(delete $self->{s}) if $self->{s};
	return 1;
}

# A reset.

sub abort {
	my ($self) = @_;

	$self->_linger();
	return $self->vanish();
}

###############################################################################

1;

###############################################################################
