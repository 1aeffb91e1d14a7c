package Test::Hyperdrive::MySQL;

# Copyright (C) Hyperdrive for nginx authors

# A small MySQL client that sends exactly what a test asks for, cut where it
# asks, and shows every packet that comes back.  Core perl only, but for TLS.

###############################################################################

use warnings;
use strict;

use parent 'Test::Hyperdrive::Client';

use Compress::Zlib qw(compress uncompress);
use Digest::SHA qw(sha1 sha256);
use Exporter qw(import);
use File::Temp ();
use Time::HiRes qw(time);

our @EXPORT_OK = qw(packet lenc lstr take_lenc take_lstr take_attributes %CAP
	%COM %STATUS);

our %CAP = (
	LONG_PASSWORD => 1, FOUND_ROWS => 1 << 1, LONG_FLAG => 1 << 2,
	CONNECT_WITH_DB => 1 << 3, NO_SCHEMA => 1 << 4, COMPRESS => 1 << 5,
	ODBC => 1 << 6, LOCAL_FILES => 1 << 7, IGNORE_SPACE => 1 << 8,
	PROTOCOL_41 => 1 << 9, INTERACTIVE => 1 << 10, SSL => 1 << 11,
	TRANSACTIONS => 1 << 13, SECURE_CONNECTION => 1 << 15,
	MULTI_STATEMENTS => 1 << 16, MULTI_RESULTS => 1 << 17,
	PS_MULTI_RESULTS => 1 << 18, PLUGIN_AUTH => 1 << 19,
	CONNECT_ATTRS => 1 << 20, PLUGIN_LENENC => 1 << 21,
	SESSION_TRACK => 1 << 23, DEPRECATE_EOF => 1 << 24,
	OPTIONAL_METADATA => 1 << 25, ZSTD => 1 << 26,
	QUERY_ATTRIBUTES => 1 << 27,
	MARIADB_PROGRESS => 1 << 32, MARIADB_BULK => 1 << 34,
	MARIADB_TYPE_INFO => 1 << 35, MARIADB_CACHE_METADATA => 1 << 36,
	MARIADB_BULK_RESULTS => 1 << 37,
);

our %COM = (
	QUIT => 1, INIT_DB => 2, QUERY => 3, FIELD_LIST => 4, STATISTICS => 9,
	PROCESS_INFO => 10, PROCESS_KILL => 12, DEBUG => 13, PING => 14,
	CHANGE_USER => 17, BINLOG_DUMP => 18, REGISTER_SLAVE => 21,
	STMT_PREPARE => 22, STMT_EXECUTE => 23, STMT_LONG_DATA => 24,
	STMT_CLOSE => 25, STMT_RESET => 26, SET_OPTION => 27,
	STMT_FETCH => 28, RESET_CONNECTION => 31, STMT_BULK_EXECUTE => 250,
);

our %STATUS = (
	IN_TRANS => 1, AUTOCOMMIT => 2, MORE_RESULTS => 8, CURSOR => 64,
	LAST_ROW => 128, NO_BACKSLASH => 512, STATE_CHANGED => 16384,
);

my $MODERN = $CAP{LONG_FLAG} | $CAP{PROTOCOL_41} | $CAP{TRANSACTIONS}
	| $CAP{SECURE_CONNECTION} | $CAP{MULTI_RESULTS}
	| $CAP{PS_MULTI_RESULTS} | $CAP{PLUGIN_AUTH} | $CAP{DEPRECATE_EOF};

###############################################################################

# connect($port, ...): logs in and returns a client, or dies with the origin's
# words (also with login => 0, when no TCP connection came about).
#
#   host => '127.0.0.1', socket => PATH
#   user, password, database
#   add => BITS, drop => BITS   capabilities, of %CAP, beside the usual ones
#   collation => 45
#   plugin => 'mysql_native_password'   that we begin with; the greeting's
#   attributes => { program_name => 'x' }
#   key => 0           no RSA key is asked for without TLS
#   tags => { trace => 'x' }   query attributes, of each query and execution,
#                      where the server knows them (add => $CAP{...})
#   compress => {}     the compressed protocol; { stored => 1 }: nothing of
#                      ours is compressed; { slice => N }: N bytes a packet;
#                      { zstd => 1 }: by that, of ours nothing
#   split => N         never more than N bytes at once, a pause after each
#   pause => seconds   the pause, 0.0002 unless told
#   timeout => seconds for each read, never less than 30
#   ssl => 1           TLS (needs IO::Socket::SSL)
#   login => 0         only connect
#   quiet => 1         a refused log-in returns the client, see error()

sub connect {
	my ($class, $port, %o) = @_;

	my $self = bless {
		host => '127.0.0.1',
		user => 'root',
		pause => 0.0002,
		collation => 45,
		add => 0,
		drop => 0,
		in => '',
		seq => 0,
		eof => 0,
		trail => [],
		%o,
		port => $port
	}, $class;

	$self->_open();

	return $self if exists $o{login} && !$o{login};

	$self->read_greeting() and $self->log_in();

	if ($self->{error} && !$o{quiet}) {
		die "log-in failed: $self->{error}{code} "
			. "$self->{error}{state} $self->{error}{message}\n";
	}

	return $self;
}

# { code, state, message } of a log-in that was refused.

sub error {
	my ($self) = @_;
	return $self->{error};
}

# What it was greeted with: { version, id, capabilities, collation, status,
# plugin, scramble }.

sub greeting {
	my ($self) = @_;
	return $self->{greeting};
}

# The names of the log-in's steps: 'switch NAME', 'fast', 'full', 'key'.

sub trail {
	my ($self) = @_;
	return @{$self->{trail}};
}

# As negotiated.

sub capabilities {
	my ($self) = @_;
	return $self->{caps};
}

# Of the last OK or EOF.

sub status {
	my ($self) = @_;
	return $self->{status};
}

###############################################################################
# Bytes.

# The compressed protocol, from the end of the log-in on: packets around
# packets, with numbers of their own.

sub send_raw {
	my ($self, $bytes) = @_;

	return $self->SUPER::send_raw($self->{zip} ? $self->_packed($bytes)
		: $bytes);
}

sub _received {
	my ($self, $bytes) = @_;

	return $self->SUPER::_received($bytes) unless $self->{zip};

	# it is kept apart until there is enough of it

	$self->{zip}{in} .= $bytes;
	$self->_unpacked();
}

sub _packed {
	my ($self, $bytes) = @_;

	my $zip = $self->{zip};
	my $out = '';

	# each command begins anew

	$zip->{seq} = 0 if substr($bytes, 3, 1) eq "\0";

	while (length $bytes) {
		my $plain = substr($bytes, 0, $zip->{slice} || 100000, '');
		my $less = $zip->{stored} || $zip->{zstd} ? $plain
			: compress($plain);
		my $stored = length($less) >= length($plain);

		$out .= substr(pack('V', length($stored ? $plain : $less)), 0, 3)
			. chr($zip->{seq}++ & 255)
			. substr(pack('V', $stored ? 0 : length $plain), 0, 3)
			. ($stored ? $plain : $less);
	}

	return $out;
}

sub _unpacked {
	my ($self) = @_;

	my $zip = $self->{zip};

	while (length($zip->{in}) >= 7) {
		my ($len, $seq, $plain) = (
			unpack('V', substr($zip->{in}, 0, 3) . "\0"),
			ord(substr($zip->{in}, 3, 1)),
			unpack('V', substr($zip->{in}, 4, 3) . "\0"));

		last if length($zip->{in}) < 7 + $len;

		die "compressed packet $seq, not " . ($zip->{seq} & 255) . "\n"
			if $seq != ($zip->{seq} & 255) && !$zip->{any};

		$zip->{seq}++;
		$zip->{packets}++;
		$zip->{packed}++ if $plain;

		my $data = substr($zip->{in}, 7, $len);
		substr($zip->{in}, 0, 7 + $len, '');

		$data = $zip->{zstd} ? _unzstd($data) : uncompress($data)
			if $plain;

		die "a compressed packet has another length\n"
			if !defined $data || ($plain && length($data) != $plain);

		$self->{in} .= $data;
	}
}

# By the program: perl has no module for it.

sub _unzstd {
	my ($data) = @_;

	my $file = File::Temp->new();

	binmode $file;
	print $file $data;
	CORE::close $file;

	open(my $pipe, '-|', 'zstd', '-dcq', $file->filename())
		or die "zstd: $!\n";
	binmode $pipe;
	local $/;

	return scalar <$pipe>;
}

# { packets, packed }: how many have come, and how many of them compressed.

sub zip {
	my ($self) = @_;
	return $self->{zip};
}

# packet($payload, $seq): with its header, cut as long ones are.

sub packet {
	my ($payload, $seq) = @_;

	my $bytes = '';

	for ( ;; ) {
		my $part = substr($payload, 0, 0xffffff, '');

		$bytes .= substr(pack('V', length $part), 0, 3)
			. chr($seq++ & 255) . $part;

		return $bytes if length $part < 0xffffff;
	}
}

# One payload with the next sequence number.

sub send {
	my ($self, $payload) = @_;

	my $bytes = packet($payload, $self->{seq});

	$self->{seq} += 1 + int(length($payload) / 0xffffff);

	return $self->send_raw($bytes);
}

# The next payload, or undef at the end.  Its sequence number has to be the
# next one.

sub read_packet {
	my ($self, $timeout) = @_;

	local $self->{timeout} = $timeout if defined $timeout;

	my $payload = '';

	for ( ;; ) {
		my $head = $self->read_raw(4);
		return undef unless defined $head;

		my $len = unpack('V', substr($head, 0, 3) . "\0");
		my $seq = ord(substr($head, 3));

		die "sequence number $seq, not " . ($self->{seq} & 255) . "\n"
			if $seq != ($self->{seq} & 255);

		$self->{seq}++;

		my $part = $self->read_raw($len);
		die "the connection ended inside of a packet\n"
			unless defined $part;

		$payload .= $part;

		return $payload if $len < 0xffffff;
	}
}

# True if nothing comes for so long (and the connection stays).

sub silent {
	my ($self, $seconds) = @_;

	return !length($self->{in}) && !$self->_wait(time() + $seconds);
}

# 'closed' or 'reset' when the peer ends the connection without a word more.

sub ended {
	my ($self) = @_;

	my $end = time() + $self->{timeout};

	while (!$self->{eof}) {
		$self->_wait($end) or return '';
		return '' if length $self->{in};
	}

	return $self->{eof};
}

sub close {
	my ($self) = @_;

	close $self->{s};
	return $self;
}

# Ends as a killed process does: the peer reads ECONNRESET.

sub abort {
	my ($self) = @_;

	$self->_linger();
	return $self->close();
}

###############################################################################
# Values.

sub lenc {
	my ($n) = @_;

	return chr($n) if $n < 0xfb;
	return "\xfc" . pack('v', $n) if $n <= 0xffff;
	return "\xfd" . substr(pack('V', $n), 0, 3) if $n <= 0xffffff;
	return "\xfe" . pack('Q<', $n);
}

sub lstr {
	my ($s) = @_;
	return lenc(length $s) . $s;
}

# From the front of $_[0]; undef for a NULL.

sub take_lenc {
	my $first = ord(substr($_[0], 0, 1, ''));

	return $first if $first < 0xfb;
	return undef if $first == 0xfb;
	return unpack('v', substr($_[0], 0, 2, '')) if $first == 0xfc;
	return unpack('V', substr($_[0], 0, 3, '') . "\0") if $first == 0xfd;
	return unpack('Q<', substr($_[0], 0, 8, '')) if $first == 0xfe;
	die "no integer begins with $first\n";
}

sub take_lstr {
	my $n = take_lenc($_[0]);

	return undef unless defined $n;
	die "a string is cut short\n" if length($_[0]) < $n;
	return substr($_[0], 0, $n, '');
}

###############################################################################
# The log-in.

# False if it was an error.

sub read_greeting {
	my ($self) = @_;

	my $payload = $self->read_packet();

	if (!defined $payload) {
		$self->{error} = { code => 0, state => '',
			message => 'no greeting' };
		return 0;
	}

	if (ord($payload) == 0xff) {
		$self->{error} = $self->_error($payload);
		return 0;
	}

	my %g;

	(my $protocol, $g{version}, $g{id}, my $one, my $low, $g{collation},
		$g{status}, my $high, my $len, my $more, my $rest)
		= unpack('C Z* V a8 x v C v v C x6 V a*', $payload);

	die "protocol $protocol\n" if $protocol != 10;

	$g{capabilities} = $low | $high << 16;
	$g{capabilities} |= $more << 32
		unless $g{capabilities} & $CAP{LONG_PASSWORD};

	my $two = $len > 8 ? $len - 8 : 13;
	$two = 13 if $two < 13;

	$g{scramble} = $one . substr($rest, 0, $two, '');
	$g{scramble} =~ s/\0$//;
	($g{plugin}) = unpack('Z*', $rest);

	$self->{greeting} = \%g;
	$self->{scramble} = $g{scramble};

	return 1;
}

sub log_in {
	my ($self) = @_;

	my $g = $self->{greeting};
	my $plugin = $self->{plugin} || $g->{plugin};

	my $caps = $MODERN | $self->{add};
	$caps |= $CAP{$self->{compress}{zstd} ? 'ZSTD' : 'COMPRESS'}
		if $self->{compress};
	$caps |= $CAP{CONNECT_WITH_DB} if defined $self->{database};
	$caps |= $CAP{CONNECT_ATTRS} if $self->{attributes};
	$caps |= $CAP{SSL} if $self->{ssl};
	$caps &= ~$self->{drop};
	$caps &= $g->{capabilities} | $CAP{CONNECT_WITH_DB};

	# who sets this bit says that there are no further ones
	my $maria = $caps >> 32;
	$caps |= $CAP{LONG_PASSWORD} unless $maria;

	$self->{caps} = $caps;

	my $head = pack('V V C x19 V', $caps & 0xffffffff, 1 << 24,
		$self->{collation}, $maria);

	if ($self->{ssl}) {
		$self->send($head);
		$self->start_tls();
	}

	$self->send($head . "$self->{user}\0"
		. $self->_auth_field($self->_proof($plugin), $caps)
		. ($caps & $CAP{CONNECT_WITH_DB} ? "$self->{database}\0" : '')
		. ($caps & $CAP{PLUGIN_AUTH} ? "$plugin\0" : '')
		. ($caps & $CAP{CONNECT_ATTRS} ? $self->_attributes() : '')
		. ($caps & $CAP{ZSTD} ? chr($self->{level} // 3) : ''));

	$self->finish_login($plugin) or return 0;

	$self->{zip} = { in => '', seq => 0, packets => 0, packed => 0,
		%{$self->{compress} || {}} }
		if $caps & ($CAP{COMPRESS} | $CAP{ZSTD});

	return 1;
}

sub _auth_field {
	my ($self, $auth, $caps) = @_;

	return $caps & $CAP{PLUGIN_LENENC} ? lstr($auth)
		: chr(length $auth) . $auth;
}

sub _attributes {
	my ($self) = @_;

	my $a = $self->{attributes};
	return lstr(join('', map { lstr($_), lstr($a->{$_}) } sort keys %$a));
}

sub start_tls {
	my ($self) = @_;

	require IO::Socket::SSL;

	$self->{s}->blocking(1);

	IO::Socket::SSL->start_SSL($self->{s}, SSL_verify_mode => 0,
		%{ref $self->{ssl} ? $self->{ssl} : {}})
		or die "TLS failed: " . IO::Socket::SSL::errstr() . "\n";

	$self->{s}->blocking(0);

	return $self;
}

# What a plugin sends first.

sub _proof {
	my ($self, $plugin) = @_;

	my $password = $self->{password};

	return '' if !defined $password || $password eq '';

	my $salt = substr($self->{scramble}, 0, 20);

	if ($plugin eq 'mysql_native_password') {
		return sha1($password)
			^ sha1($salt . sha1(sha1($password)));
	}

	if ($plugin eq 'caching_sha2_password') {
		return sha256($password)
			^ sha256(sha256(sha256($password)) . $salt);
	}

	return "$password\0" if $plugin eq 'mysql_clear_password';

	return '';
}

# Up to the OK or ERR: true if it is logged in.

sub finish_login {
	my ($self, $plugin) = @_;

	for ( ;; ) {
		my $payload = $self->read_packet();

		if (!defined $payload) {
			$self->{error} = { code => 0, state => '',
				message => 'the connection ended' };
			return 0;
		}

		my $type = ord(substr($payload, 0, 1, ''));

		if ($type == 0x00) {
			$self->{ok} = $self->_ok($payload);
			return 1;
		}

		if ($type == 0xff) {
			$self->{error} = $self->_error("\xff$payload");
			return 0;
		}

		if ($type == 0xfe) {
			($plugin, $self->{scramble}) = unpack('Z* a*', $payload);
			$self->{scramble} =~ s/\0$//;

			push @{$self->{trail}}, "switch $plugin";
			$self->send($self->_proof($plugin));
			next;
		}

		die "packet of type $type in the log-in\n" if $type != 0x01;

		if ($payload eq "\x03") {
			push @{$self->{trail}}, 'fast';

		} elsif ($payload eq "\x04") {
			push @{$self->{trail}}, 'full';

			if ($self->{ssl} || $self->{socket}) {
				$self->send("$self->{password}\0");

			} elsif (exists $self->{key} && !$self->{key}) {
				die "no key is to be asked for\n";

			} else {
				$self->send("\x02");
			}

		} else {
			push @{$self->{trail}}, 'key';
			$self->send($self->_encrypted($payload));
		}
	}
}

# The password under the server's public key.

sub _encrypted {
	my ($self, $pem) = @_;

	my $plain = "$self->{password}\0";
	my $salt = substr($self->{scramble}, 0, 20);

	$plain ^= substr($salt x (1 + length($plain) / 20), 0, length $plain);

	my @files = map {
		my $file = File::Temp->new();
		binmode $file;
		print $file $_;
		CORE::close $file;
		$file;
	} $pem, $plain;

	open(my $pipe, '-|', 'openssl', 'pkeyutl', '-encrypt', '-pubin',
		'-inkey', $files[0]->filename(), '-in', $files[1]->filename(),
		'-pkeyopt', 'rsa_padding_mode:oaep') or die "openssl: $!\n";
	binmode $pipe;
	local $/;

	return scalar <$pipe>;
}

# COM_CHANGE_USER: true, or false with error().

sub change_user {
	my ($self, %o) = @_;

	@$self{keys %o} = values %o;
	delete $self->{error};
	$self->{trail} = [];

	my $plugin = $self->{plugin} || $self->{greeting}{plugin};
	my $proof = $self->_proof($plugin);

	$self->{seq} = 0;
	$self->send(chr($COM{CHANGE_USER}) . "$self->{user}\0"
		. chr(length $proof) . $proof
		. (defined $self->{database} ? $self->{database} : '') . "\0"
		. pack('v', $self->{collation})
		. ($self->{caps} & $CAP{PLUGIN_AUTH} ? "$plugin\0" : '')
		. ($self->{caps} & $CAP{CONNECT_ATTRS}
			? $self->_attributes() : ''));

	return $self->finish_login($plugin);
}

###############################################################################
# Commands and their answers.

# A new command: sent, nothing is read.

sub command {
	my ($self, $name, $body) = @_;

	my $com = $name =~ /^\d+$/ ? $name : $COM{$name};
	die "no command $name\n" unless defined $com;

	$self->{seq} = 0;

	$body = attributes($self->{tags}) . $body
		if $name eq 'QUERY' && $self->{caps} & $CAP{QUERY_ATTRIBUTES};

	return $self->send(chr($com) . (defined $body ? $body : ''));
}

sub _ok {
	my ($self, $rest) = @_;

	my %ok;

	$ok{affected} = take_lenc($rest);
	$ok{insert_id} = take_lenc($rest);
	@ok{qw(status warnings)} = unpack('v v', substr($rest, 0, 4, ''));

	$ok{info} = length $rest ? take_lstr($rest) : '';

	if ($self->{caps} & $CAP{SESSION_TRACK}
		&& $ok{status} & $STATUS{STATE_CHANGED})
	{
		$ok{changes} = [ _changes(take_lstr($rest)) ];
	}

	$self->{status} = $ok{status};

	return \%ok;
}

# [ type, value, ... ] of each tracker.

sub _changes {
	my ($bytes) = @_;

	my @changes;

	while (length $bytes) {
		my $type = ord(substr($bytes, 0, 1, ''));
		my $data = take_lstr($bytes);
		my @values;

		# of GTIDs the first byte says how they are written
		substr($data, 0, 1, '') if $type == 3;

		# that something has changed is one character
		push @values, substr($data, 0, 1, '') if $type == 2;

		push @values, take_lstr($data) while length $data;
		push @changes, [ $type, @values ];
	}

	return @changes;
}

sub _error {
	my ($self, $payload) = @_;

	my ($code, $rest) = unpack('x v a*', $payload);
	my $state = '';

	$state = $1 if $rest =~ s/^#(.....)//s;

	return { code => $code, state => $state, message => $rest };
}

sub _column {
	my ($self) = @_;

	my $payload = $self->_more();
	my %c;

	$c{$_} = take_lstr($payload) for qw(catalog schema table org_table
		name org_name);

	$c{extended} = take_lstr($payload)
		if $self->{caps} & $CAP{MARIADB_TYPE_INFO};

	take_lenc($payload);
	@c{qw(charset length type flags decimals)}
		= unpack('v V C v C', $payload);

	return \%c;
}

# One result: { rows => [ [ ... ] ], columns => [ { name, type, ... } ], end },
# { ok }, { error } or { infile }; undef at the end of the connection.  With
# cached metadata, kept: the columns are those that were told last.

sub read_result {
	my ($self, $binary) = @_;

	my $payload = $self->read_packet();
	return undef unless defined $payload;

	my $type = ord($payload);

	if ($type == 0x00) {
		my $ok = $self->_ok(substr($payload, 1));
		return { ok => $ok, %$ok };
	}

	return { error => $self->_error($payload) } if $type == 0xff;
	return { infile => substr($payload, 1) } if $type == 0xfb;

	my $n = take_lenc($payload);
	my %r = (columns => [], rows => []);

	# of a statement whose columns are known they need not be told again

	my $told = !($self->{caps} & $CAP{MARIADB_CACHE_METADATA})
		|| ord(substr($payload, 0, 1));

	if ($told) {
		push @{$r{columns}}, $self->_column() for 1 .. $n;
		$self->{told} = $r{columns};
	} else {
		@r{qw(columns kept)} = ($self->{told}, 1);
	}

	if (!($self->{caps} & $CAP{DEPRECATE_EOF})) {
		my $eof = $self->_more();
		die "no EOF behind columns\n" if ord($eof) != 0xfe;

		@r{qw(warnings status)} = unpack('x v v', $eof);

		# a cursor was opened: no rows follow
		return { %r, cursor => 1 } if $binary
			&& $r{status} & $STATUS{CURSOR};
	}

	return $self->read_rows(\%r, $binary);
}

# Rows up to their end, behind the columns of $r.

sub read_rows {
	my ($self, $r, $binary) = @_;

	for ( ;; ) {
		my $row = $self->_more();
		my $type = ord($row);

		if ($type == 0xff) {
			$r->{error} = $self->_error($row);
			return $r;
		}

		if ($type == 0xfe && length $row < 0xffffff
			&& (length $row < 9
			|| $self->{caps} & $CAP{DEPRECATE_EOF}))
		{
			if ($self->{caps} & $CAP{DEPRECATE_EOF}) {
				my $ok = $self->_ok(substr($row, 1));
				$r->{$_} = $ok->{$_} for keys %$ok;

			} else {
				@$r{qw(warnings status)} = unpack('x v v', $row);
				$self->{status} = $r->{status};
			}

			$r->{cursor} = 1 if $binary && !@{$r->{rows}}
				&& $r->{status} & $STATUS{CURSOR};

			return $r;
		}

		push @{$r->{rows}}, $binary ? _binary_row($row, $r->{columns})
			: [ map { take_lstr($row) } @{$r->{columns}} ];
	}
}

sub _more {
	my ($self) = @_;

	my $payload = $self->read_packet();
	die "the connection ended inside of a result\n"
		unless defined $payload;

	return $payload;
}

my %fixed = (1 => 'c', 2 => 's<', 13 => 's<', 3 => 'l<', 9 => 'l<',
	8 => 'q<', 4 => 'f<', 5 => 'd<');
my %width = (1 => 1, 2 => 2, 13 => 2, 3 => 4, 9 => 4, 8 => 8, 4 => 4, 5 => 8);

# Numbers as such, all else (dates among it) as its bytes.

sub _binary_row {
	my ($row, $columns) = @_;

	substr($row, 0, 1, '');

	my $nulls = substr($row, 0, int((@$columns + 9) / 8), '');
	my @values;

	for my $i (0 .. $#$columns) {
		my $type = $columns->[$i]{type};

		if (vec($nulls, $i + 2, 1)) {
			push @values, undef;

		} elsif ($fixed{$type}) {
			my $format = $fixed{$type};
			$format = uc $format if $columns->[$i]{flags} & 32
				&& $type != 4 && $type != 5;

			push @values, unpack($format,
				substr($row, 0, $width{$type}, ''));

		} else {
			push @values, take_lstr($row);
		}
	}

	return \@values;
}

# Results while there are more of them.

sub read_results {
	my ($self, $binary) = @_;

	my @results;

	for ( ;; ) {
		my $r = $self->read_result($binary);
		last unless defined $r;

		push @results, $r;
		last if $r->{error} || $r->{infile} || $r->{cursor}
			|| !($r->{status} & $STATUS{MORE_RESULTS});
	}

	return @results;
}

# query($sql): the last result, or all in a list.

sub query {
	my ($self, $sql) = @_;

	$self->command('QUERY', $sql);

	my @results = $self->read_results();

	return wantarray ? @results : $results[-1];
}

# The first value of the first row; dies on an error.

sub value {
	my ($self, $sql) = @_;

	my ($r) = $self->query($sql);

	die "no answer\n" unless $r;
	die "$r->{error}{code} $r->{error}{message}\n" if $r->{error};

	return $r->{rows}[0][0];
}

# prepare($sql): { id, columns, params, warnings } or { error }.

sub prepare {
	my ($self, $sql) = @_;

	$self->command('STMT_PREPARE', $sql);

	return $self->read_prepared();
}

sub read_prepared {
	my ($self) = @_;

	my $payload = $self->read_packet();
	return undef unless defined $payload;
	return { error => $self->_error($payload) } if ord($payload) == 0xff;

	my %st;
	(@st{qw(id ncolumns nparams warnings)}) = unpack('x V v v x v', $payload);

	for my $what ('params', 'columns') {
		my $n = $st{"n$what"};

		$st{$what} = [ map { $self->_column() } 1 .. $n ];

		next if !$n || $self->{caps} & $CAP{DEPRECATE_EOF};

		die "no EOF behind $what\n" if ord($self->_more()) != 0xfe;
	}

	return \%st;
}

# The body of COM_STMT_EXECUTE: values as strings, undef as NULL.
# bound => 0: without their types; cursor => 1; named => 1: of one that knows
# query attributes, which tags => { name => value } are.

sub execute_body {
	my ($id, $values, %o) = @_;

	my @names = $o{named} ? sort keys %{$o{tags} || {}} : ();
	my $n = @$values;

	my $body = pack('V C V', $id, ($o{cursor} || 0) | (@names ? 8 : 0), 1);

	$values = [ @$values, map { $o{tags}{$_} } @names ];

	return $body unless @$values;

	$body .= lenc(scalar @$values) if $o{named};

	my $nulls = "\0" x int((@$values + 7) / 8);
	my ($types, $data) = ('', '');

	for my $i (0 .. $#$values) {
		vec($nulls, $i, 1) = 1 unless defined $values->[$i];

		$types .= pack('C C', 253, 0);
		$types .= lstr($i < $n ? '' : $names[$i - $n]) if $o{named};
		$data .= lstr($values->[$i])
			if defined $values->[$i] && !ref $values->[$i];
	}

	my $bound = exists $o{bound} ? $o{bound} : 1;

	return $body . $nulls . chr($bound) . ($bound ? $types : '') . $data;
}

# execution($st, [ values ], ...): the same, as this client sends it.

sub execution {
	my ($self, $st, $values, %o) = @_;

	return execute_body($st->{id}, $values, tags => $self->{tags},
		named => $self->{caps} & $CAP{QUERY_ATTRIBUTES}, %o);
}

# attributes({ name => value }): what stands in front of a text, or
# among a statement's parameters; take_attributes($bytes) takes that away, and
# returns them.

sub attributes {
	my ($tags) = @_;

	my @names = sort keys %{$tags || {}};
	my @values = map { $tags->{$_} } @names;

	my $head = lenc(scalar @names) . lenc(1);
	return $head unless @names;

	my $nulls = "\0" x int((@names + 7) / 8);

	for my $i (0 .. $#names) {
		vec($nulls, $i, 1) = 1 unless defined $values[$i];
	}

	return $head . $nulls . "\1"
		. join('', map { "\xfd\0" . lstr($_) } @names)
		. join('', map { lstr($_) } grep { defined $_ } @values);
}

sub take_attributes {
	my $n = take_lenc($_[0]);
	take_lenc($_[0]);

	return {} unless $n;

	my $nulls = substr($_[0], 0, int(($n + 7) / 8), '');
	die "attributes without types\n" if substr($_[0], 0, 1, '') ne "\1";

	my (@names, %tags);

	for (1 .. $n) {
		die "only strings are read here\n"
			if substr($_[0], 0, 2, '') ne "\xfd\0";
		push @names, take_lstr($_[0]);
	}

	for my $i (0 .. $#names) {
		$tags{$names[$i]} = vec($nulls, $i, 1) ? undef
			: take_lstr($_[0]);
	}

	return \%tags;
}

# execute($st, values...): as query(), of the binary protocol.

sub execute {
	my ($self, $st, @values) = @_;

	$self->command('STMT_EXECUTE', $self->execution($st, \@values));

	my @results = $self->read_results(1);

	return wantarray ? @results : $results[-1];
}

sub close_statement {
	my ($self, $st) = @_;
	return $self->command('STMT_CLOSE', pack('V', $st->{id}));
}

sub ping {
	my ($self) = @_;

	$self->command('PING');
	return $self->read_result();
}

sub init_db {
	my ($self, $name) = @_;

	$self->command('INIT_DB', $name);
	return $self->read_result();
}

sub reset {
	my ($self) = @_;

	$self->command('RESET_CONNECTION');
	return $self->read_result();
}

# A polite end: 'closed' when the peer closes as well.

sub quit {
	my ($self) = @_;

	$self->command('QUIT');
	return $self->ended();
}

###############################################################################

1;

###############################################################################
