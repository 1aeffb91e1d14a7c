package Test::Hyperdrive::Differential::MySQL;

# Copyright (C) Hyperdrive for nginx authors

# Runs a script of what MySQL clients do twice at once, step by step: on
# connections of their own and through nginx.  Each answer has to be the same,
# packet by packet.
#
# Steps are [ client, what, ... ]:
#
#   query SQL, init SCHEMA, ping, reset, option N, field_list TABLE, raw COM
#   prepare NAME SQL
#   execute NAME [ [ type, value ], ... ] bound cursor
#   long NAME param DATA, fetch NAME rows, reset_stmt NAME, close NAME
#   variables              all of the session's, but a few
#   change { user, database, collation }      COM_CHANGE_USER
#   kill CLIENT            KILL QUERY of another one, which does nothing
#   again quit | abort     a new connection
#   pipe [ what, ... ] ... sent in one write

###############################################################################

use warnings;
use strict;

use Test::Hyperdrive::Differential qw(fewer);
use Test::Hyperdrive::MySQL qw(packet lenc lstr take_lenc take_lstr
	%CAP %COM %STATUS);

# not told alike: numbers of the connection, time, and what docs/mysql.md says
# is not told to the database
my $variables = 'SELECT VARIABLE_NAME, SESSION_VALUE '
	. "FROM information_schema.SYSTEM_VARIABLES "
	. "WHERE VARIABLE_SCOPE LIKE 'SESSION%' AND VARIABLE_NAME NOT IN ("
	. join(', ', map { "'$_'" } qw(PSEUDO_THREAD_ID TIMESTAMP
		WAIT_TIMEOUT INTERACTIVE_TIMEOUT RAND_SEED1 RAND_SEED2
		ERROR_COUNT WARNING_COUNT IDENTITY LAST_INSERT_ID
		SESSION_TRACK_SYSTEM_VARIABLES
		SESSION_TRACK_SCHEMA SESSION_TRACK_STATE_CHANGE
		SESSION_TRACK_TRANSACTION_INFO)) . ') ORDER BY 1';

###############################################################################

# new(direct => PORT, via => sub { PORT of a script })

sub new {
	my ($class, %o) = @_;
	return bless { timeout => 6, %o }, $class;
}

# Runs a script, dirty => sub ($script): before it.  undef: nothing differs;
# else { step => index, direct, via, steps }, where steps are those that ran.

sub run {
	my ($self, $script, %o) = @_;

	$self->{reset}->($script);

	my %side;

	for my $side ('direct', 'via') {
		$side{$side} = [ map { { of => $_, statements => {} } }
			@{$script->{clients}} ];
	}

	my $r = eval { $self->_run($script, \%side, $o{exact}) };
	my $died = $@;

	for my $client (map { @$_ } values %side) {
		eval { $client->{c}->quit() } if $client->{c};
	}

	die $died if $died;

	return $r;
}

sub _run {
	my ($self, $script, $side, $exact) = @_;

	my @holds = (0) x @{$script->{clients}};
	my @left = @{$script->{steps}};
	my @done;

	while (@left) {
		my $step = $left[0];
		my $who = $step->[0];

		# who has nothing to hold on to finds no connection

		my ($other) = grep { $_ != $who && $holds[$_] } 0 .. $#holds;
		my $n = grep { $holds[$_] && $_ != $who } 0 .. $#holds;

		if ($n >= $script->{max} && !$exact) {
			$step = $holds[$other] & 2 || @done % 2
				? [ $other, 'reset' ]
				: [ $other, 'query', @done % 4 ? 'COMMIT'
					: 'ROLLBACK' ];
		} else {
			shift @left;
		}

		$who = $step->[0];

		my %said = map { $_ => $self->_step($side, $_, $script, $step) }
			qw(direct via);

		push @done, $step;

		# prepared for another schema or character set, as the manual
		# says: the database has not done what it has done directly

		return undef if @{$said{via}}
			&& $said{via}[-1] =~ /^\xff\x4f\x06/s;

		# somebody has kept it for longer than is known here

		if (@{$said{via}} && $said{via}[-1] =~ /became free in time/) {
			$self->{starved}++;
			return undef;
		}

		my $differ = _differ(@said{qw(direct via)});

		if ($differ && $self->{each}) {
			$self->{each}->(\@done, $differ);

		} elsif ($differ) {
			return { step => $#done, steps => \@done,
				text => $differ };
		}

		$holds[$who] = _holds($side->{direct}[$who], $step,
			$holds[$who]);
	}

	return undef;
}

# Whether a client may keep its connection: 1: as long as its transaction; 2:
# until it is reset.

sub _holds {
	my ($client, $step, $before) = @_;

	my ($who, $what, @args) = @$step;

	return 0 if $what eq 'again' || $what eq 'reset' || $what eq 'change'
		|| !$client->{c};

	my $holds = $before & 2;

	for my $part ($what eq 'pipe' ? @args : [ $what, @args ]) {
		my $sql = $part->[0] eq 'query' ? $part->[1]
			: $part->[0] eq 'prepare' ? $part->[2] : '';

		$holds = 2 if $part->[0] eq 'long'
			|| $part->[0] eq 'init' && $part->[1] eq ''
			|| $what eq 'pipe' && $sql =~ /\bSET\b/
			|| $part->[0] eq 'execute' && $part->[4]
			|| $sql =~ /TEMPORARY|LOCK|HANDLER|PREPARE|\bXA\b
				|EXECUTE|seq\b|ROLE|SET\s+TRANSACTION|CALL
				|f_write|f_pure|BEGIN\sNOT|BACKUP|insert_id
				|SELEC\s|\bSELEC$|timestamp|identity|rand_seed
				|LOAD|gtid|SIGNAL|tr\b|DELAYED/xi
			|| $sql =~ /@/;
	}

	my $status = $client->{status} || 0;

	return $holds | ($status & $STATUS{IN_TRANS}
		|| !($status & $STATUS{AUTOCOMMIT}) ? 1 : 0);
}

###############################################################################
# One step at one side: the payloads of its answer, as they are to be compared.

sub _step {
	my ($self, $side, $name, $script, $step) = @_;

	my ($who, $what, @args) = @$step;
	my $client = $side->{$name}[$who];
	my @said;

	if ($what eq 'again' && $client->{c}) {
		my $how = $args[0];
		eval { $client->{c}->$how() };
		delete $client->{c};
		return [];
	}

	eval {
		@said = $self->_log_in($client, $name, $script)
			unless $client->{c};

		if ($client->{c}) {
			push @said, $self->_say($client, $side->{$name},
				$what, @args);
		}
		1;
	} or do {
		my $why = $@;
		chomp $why;
		push @said, "died: $why";
		delete $client->{c};
	};

	if ($client->{c} && @said && $said[-1] eq 'end') {
		delete $client->{c};
	}

	# errors that nginx itself tells are no conditions of the session's

	_prime($client) if $client->{c} && ($what eq 'reset'
		|| $what eq 'change' || @said && $said[-1] =~
			/^\xff(?:\xdb\x04|\x17\x04|\x8d\x05|\x2b\x07)/s);

	return \@said;
}

sub _log_in {
	my ($self, $client, $name, $script) = @_;

	my $port = $name eq 'direct' ? $self->{direct}
		: $self->{via}->($script);

	my $c = Test::Hyperdrive::MySQL->connect($port, password => 'pw',
		quiet => 1, timeout => $self->{timeout}, pause => 0,
		%{$client->{of}});

	$client->{statements} = {};
	delete $client->{status};

	return "log-in: $c->{error}{code} $c->{error}{message}"
		if $c->{error};

	$client->{c} = $c;
	$client->{id} = $c->greeting()->{id};
	$client->{status} = $c->{ok}{status};
	$client->{schema} = $c->{database} // '';

	_prime($client);

	return "logged in: $c->{ok}{status} $c->{ok}{warnings} $c->{caps}";
}

# FOUND_ROWS() of a session of MariaDB is at first anything, even what it was in
# another one.

sub _prime {
	my ($client) = @_;

	$client->{c}->query('SELECT 1 FROM information_schema.CHARACTER_SETS '
		. 'LIMIT 1');
}

sub _say {
	my ($self, $client, $all, $what, @args) = @_;

	my $c = $client->{c};

	if ($what eq 'change') {
		delete $c->{database};
		my %as = %{$args[0]};
		delete $as{database} unless defined $as{database};

		$c->change_user(%as, password => 'pw');
		$client->{statements} = {};

		return ("$c->{error}{code} $c->{error}{message}", 'end')
			if $c->{error};

		$client->{status} = $c->{ok}{status};
		$client->{schema} = $c->{database} // '';
		return "changed: $c->{ok}{status} $c->{ok}{warnings}";
	}

	my @parts = $what eq 'pipe' ? @args : [ $what, @args ];
	my ($bytes, @kinds) = ('');

	for my $part (@parts) {

		# (errors that nginx tells are not told about by what is behind)

		$part = [ 'ping' ] if $what eq 'pipe'
			&& $part->[0] =~ /^(?:execute|reset_stmt)$/
			&& !$client->{statements}{$part->[1]};

		my ($body, $kind) = $self->_body($client, $all, @$part);
		$bytes .= packet($body, 0);
		push @kinds, [ $kind, @$part ];
	}

	$c->send_raw($bytes);

	my @said;

	for my $kind (@kinds) {
		push @said, $self->_answer($client, @$kind);
		last if @said && $said[-1] eq 'end';
	}

	return @said;
}

# The bytes of a command, and what kind of an answer it has.

sub _body {
	my ($self, $client, $all, $what, @args) = @_;

	my $c = $client->{c};
	my $st = { id => 9999, types => [] };
	my $com = sub { chr($COM{$_[0]}) . $_[1] };

	$st = $client->{statements}{$args[0]} || $st
		if $what =~ /^(?:execute|long|fetch|reset_stmt|close)$/;

	return ($com->(QUERY => $args[0]), 'text') if $what eq 'query';
	return ($com->(QUERY => $variables), 'text') if $what eq 'variables';
	return ($com->(INIT_DB => $args[0]), 'ok') if $what eq 'init';
	return ($com->(PING => ''), 'ok') if $what eq 'ping';
	return ($com->(SET_OPTION => pack('v', $args[0])), 'eof')
		if $what eq 'option';
	return (chr($args[0]), 'ok') if $what eq 'raw';
	return ($com->(FIELD_LIST => "$args[0]\0"), 'fields')
		if $what eq 'field_list';
	return ($com->(STMT_PREPARE => $args[1]), 'prepared')
		if $what eq 'prepare';

	if ($what eq 'reset') {
		$client->{statements} = {};
		return ($com->(RESET_CONNECTION => ''), 'ok');
	}

	if ($what eq 'kill') {
		my $other = $all->[$args[0] % @$all];

		return ($com->(QUERY => "KILL QUERY $other->{id}"), 'text')
			if $other->{c} && $other != $client
			&& $other->{c}{user} eq $c->{user};
		return ($com->(PING => ''), 'ok');
	}

	return (_execute($com, $st, @args[1 .. 3]), 'binary')
		if $what eq 'execute';

	return ($com->(STMT_LONG_DATA => pack('V v', $st->{id}, $args[1])
		. $args[2]), 'nothing') if $what eq 'long';
	return ($com->(STMT_FETCH => pack('V V', $st->{id}, $args[1])), 'rows')
		if $what eq 'fetch';
	return ($com->(STMT_RESET => pack('V', $st->{id})), 'ok')
		if $what eq 'reset_stmt';

	delete $client->{statements}{$args[0]};
	return ($com->(STMT_CLOSE => pack('V', $st->{id})), 'nothing');
}

my %packed = (8 => 'q<', 3 => 'l<', 1 => 'c', 5 => 'd<');

sub _execute {
	my ($com, $st, $values, $bound, $cursor) = @_;

	my @values = @$values;
	my $n = $st->{nparams};

	# as many as it has: a database would read what is not there

	if (defined $n) {
		push @values, [ 253, 'more' ] while @values < $n;
		$#values = $n - 1;
	}

	my $head = pack('V C V', $st->{id}, $cursor, 1);
	return $com->(STMT_EXECUTE => $head) unless @values;

	$bound = 1 if @{$st->{types}} != @values;

	$st->{types} = [ map { $_->[0] } @values ] if $bound;

	my $nulls = "\0" x int((@values + 7) / 8);
	my $data = '';

	for my $i (0 .. $#values) {
		my $type = $st->{types}[$i];
		my $value = $values[$i][1];

		next if $st->{long}{$i};

		if (!defined $value || $type == 6) {
			vec($nulls, $i, 1) = 1;

		} elsif ($packed{$type}) {
			no warnings 'numeric';
			$data .= pack($packed{$type}, $value + 0);

		} elsif ($type == 12) {
			my ($y, $m, $d, @rest) = $value =~ /(\d+)/g;
			$data .= chr(7) . pack('v C5', $y // 0, $m // 0, $d // 0,
				map { $_ // 0 } @rest[0 .. 2]);
		} else {
			$data .= lstr($value);
		}
	}

	delete $st->{long};

	return $com->(STMT_EXECUTE => $head . $nulls . chr($bound)
		. ($bound ? pack('v*', @{$st->{types}}) : '') . $data);
}

###############################################################################
# Answers.

sub _next {
	my ($c, $said) = @_;

	my $packet = $c->read_packet();

	push @$said, defined $packet ? $packet : 'end';
	die \'end' unless defined $packet;

	return $packet;
}

sub _answer {
	my ($self, $client, $kind, $what, @args) = @_;

	my @said;

	if ($kind eq 'nothing') {
		$client->{statements}{$args[0]}{long}{$args[1]} = 1
			if $what eq 'long' && $client->{statements}{$args[0]};
		return;
	}

	my $c = $client->{c};
	$c->{seq} = 1;

	eval { _read($client, $c, $kind, \@said, @args); 1 } or do {
		die $@ unless ref $@;
	};

	for (@said) {
		$_ = _sorted($client, $_) if $c->{caps} & $CAP{SESSION_TRACK}
			&& /^[\x00\xfe]/ && length > 7;

		# it means nothing to who does not follow the session's state

		$_ = _tracked($_) unless $c->{caps} & $CAP{SESSION_TRACK};

		# a variable that is NULL has no type behind a while

		s/\x0c..(?:....)[\x05\x08\xfa\xfb]..[\0\x1f\x27]\0\0\z/(any)/s
			if /^\x03def\0\0\0.@/s;

		# conditions are told in the character set that results had
		# when they came

		s/^(\x03def\0\0\0(?:\x05Level|\x07Message)\0+\x0c).{6}/$1(any)/s;

		# a statement's number
		s/(handler \()\d+(\))/$1N$2/ if /^\xff.{2}#HY000Unknown prep/s;
		s/(The statement \()\d+(\) has no open)/$1N$2/ if /^\xff/s;
		s/(Unknown thread id: )\d+/$1N/ if /^\xff/s;
	}

	if ($kind eq 'prepared' && @said && ord($said[0]) == 0) {
		substr($said[0], 1, 4) = 'NNNN';
		$_ = _tracked($_) for @said[1 .. $#said];
	}

	return @said;
}

sub _tracked {
	my ($p) = @_;

	my $rest = $p;
	my $type = ord(substr($rest, 0, 1, ''));

	return $p if $type != 0 && $type != 0xfe || length $p > 200;

	if ($type == 0xfe && length $p == 5) {
		substr($p, 3, 2) = pack('v', unpack('v', substr($p, 3)) & ~0x4000);
		return $p;
	}

	return $p if length $p < 7 || $type == 0 && length $p > 9
		&& $rest !~ /^[^\xfb-\xff]{2}/;

	my $n = length($p) - length($rest);
	my @ok = map { take_lenc($rest) } 1, 2;
	return $p unless length $rest >= 4 && defined $ok[1];

	my $at = length($p) - length($rest);
	substr($p, $at, 2) = pack('v', unpack('v', substr($p, $at)) & ~0x4000);

	return $p;
}

# What an OK tells of session variables comes in any order.

sub _sorted {
	my ($client, $p) = @_;

	my $rest = substr($p, 1);
	my @ok = map { take_lenc($rest) } 1, 2;
	my $flags = substr($rest, 0, 4, '');
	my $status = unpack('v', $flags);

	return $p unless $status & $STATUS{STATE_CHANGED} && length $rest;

	my $info = length $rest ? take_lstr($rest) : '';
	my $changes = length $rest ? take_lstr($rest) : '';
	my @changes;

	# (MariaDB tells the schema once more where it has read a routine of
	# another one, which it does once a connection)

	while (length $changes) {
		my $type = substr($changes, 0, 1, '');
		my $entry = take_lstr($changes);

		if ($type eq "\1") {
			my $of = $entry;
			my $schema = take_lstr($of);

			next if $schema eq $client->{schema};
			$client->{schema} = $schema;
		}

		push @changes, $type . lstr($entry);
	}

	substr($flags, 0, 2) = pack('v', $status & ~$STATUS{STATE_CHANGED})
		unless @changes;

	return join('', substr($p, 0, 1), map({ lenc($_) } @ok), $flags,
		@changes || length $info ? lstr($info) : '',
		@changes ? (' changes:', sort @changes) : ());
}

sub _read {
	my ($client, $c, $kind, $said, @args) = @_;

	my $eof = !($c->{caps} & $CAP{DEPRECATE_EOF});

	if ($kind eq 'ok' || $kind eq 'eof') {
		_status($client, _next($c, $said));
		return;
	}

	if ($kind eq 'fields') {
		for ( ;; ) {
			my $p = _next($c, $said);
			return if ord($p) == 0xff
				|| ord($p) == 0xfe && length $p < 9;
		}
	}

	if ($kind eq 'prepared') {
		my $p = _next($c, $said);

		delete $client->{statements}{$args[0]};
		return if ord($p) == 0xff;

		my ($id, $columns, $params) = unpack('x V v v', $p);

		$client->{statements}{$args[0]} = { id => $id,
			nparams => $params, types => [] };

		for my $n ($params, $columns) {
			_next($c, $said) for 1 .. $n;
			_next($c, $said) if $n && $eof;
		}

		return;
	}

	return _rows($client, $c, $said) if $kind eq 'rows';

	for ( ;; ) {
		my $at = @$said;
		my $p = _next($c, $said);
		my $status;

		if (ord($p) == 0 || ord($p) == 0xff) {
			$status = _status($client, $p);

		} elsif (ord($p) == 0xfb) {
			return;

		} else {
			my $n = take_lenc($p);
			my $keeps = $c->{caps} & $CAP{MARIADB_CACHE_METADATA};

			if (!$keeps || ord($p)) {
				_next($c, $said) for 1 .. $n;
			}

			# nginx tells columns of a statement that are known

			if ($keeps && $kind eq 'binary') {
				splice @$said, $at;
				push @$said, lenc($n);
			}

			$status = !$eof ? 0 : _behind_columns($client, $c,
				$said, $kind eq 'binary');

			$status = _rows($client, $c, $said)
				unless $kind eq 'binary'
				&& $status & $STATUS{CURSOR};
		}

		return unless $status & $STATUS{MORE_RESULTS};
	}
}

# The EOF behind columns: its flags are those from before the statement, since
# they only come behind the rows; but the one for a cursor, which of a routine's
# own means nothing.

sub _behind_columns {
	my ($client, $c, $said, $binary) = @_;

	my $status = _status($client, _next($c, $said));

	substr($said->[-1], 3, 2) = pack('v',
		$binary ? $status & $STATUS{CURSOR} : 0)
		if length $said->[-1] == 5;

	return $status;
}

sub _rows {
	my ($client, $c, $said) = @_;

	for ( ;; ) {
		my $p = _next($c, $said);

		return _status($client, $p) if ord($p) == 0xff
			|| ord($p) == 0xfe && (length $p < 9
			|| $c->{caps} & $CAP{DEPRECATE_EOF});
	}
}

# The flags of an OK or EOF; of an error it has none.

sub _status {
	my ($client, $p) = @_;

	my $type = ord(substr($p, 0, 1, ''));
	my $status = 0;

	return 0 if $type == 0xff;

	if ($type == 0xfe && length $p == 4) {
		$status = unpack('x2 v', $p);

	} else {
		take_lenc($p);
		take_lenc($p);
		$status = unpack('v', $p);
	}

	$client->{status} = $status;

	return $status;
}

###############################################################################

# Where two answers differ, packet by packet; undef: nowhere.

sub _differ {
	my ($direct, $via) = @_;

	my $last = $#$direct > $#$via ? $#$direct : $#$via;
	my ($n, $text) = (0, '');

	for my $i (0 .. $last) {
		my @two = map { defined $_->[$i] ? shown($_->[$i]) : 'none' }
			$direct, $via;

		if ($i <= $#$direct && $i <= $#$via
			&& $direct->[$i] eq $via->[$i])
		{
			$text .= "    $two[0]\n" if $last < 8;
			next;
		}

		$text .= "  - $two[0]\n  + $two[1]\n" if $n++ < 12;
	}

	return $n ? $text : undef;
}

# A packet in letters.

sub shown {
	my ($p) = @_;

	return $p if $p =~ /^(?:end|died|log|changed)/;

	$p =~ s/([^\x20-\x7e])/sprintf '\\x%02x', ord $1/ge;

	return length $p > 400 ? substr($p, 0, 400) . '...' . length $p : $p;
}

# A script that differs, made shorter as long as it does.

sub minimised {
	my ($self, $script, $found, $tries) = @_;

	my @steps = @{$found->{steps}}[0 .. $found->{step} - 1];
	my $last = $found->{steps}[$found->{step}];

	$tries ||= 200;

	my $steps = fewer(\@steps, sub {
		return if $tries-- <= 0;

		my $again = $self->run({ %$script, steps => [ @{$_[0]}, $last ] },
			exact => 1);

		return unless $again;

		# the last one may be another one now

		$found = $again;

		my @ran = @{$again->{steps}}[0 .. $again->{step}];
		$last = pop @ran;

		return \@ran;
	});

	return ({ %$script, steps => [ @$steps, $last ] }, $found);
}

###############################################################################

1;

###############################################################################
