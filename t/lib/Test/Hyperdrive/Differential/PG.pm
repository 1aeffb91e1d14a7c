package Test::Hyperdrive::Differential::PG;

# Copyright (C) Hyperdrive for nginx authors

# Runs a script of what clients do, over any way to a database, and notes all
# that they are answered, so that two ways can be compared.
#
# A script is a hash:
#
#   clients => [ { user =>, params => { ... } }, ... ]
#   steps => [ [ client, [ message, ... ], cut ], ... ]
#
# A message is an array: its letter, then what it says, see _bytes(); "raw" are
# bytes of one that is not answered, "bad" is a malformed one: letter, body.  Those of a step are sent in one write, or
# in pieces by chance if there is a <cut>, a seed.  A step ends when what it has
# asked for has been answered.

###############################################################################

use warnings;
use strict;

use base qw/ Exporter /;

our @EXPORT_OK = qw/ run differ minimise /;

use Time::HiRes qw(sleep);

use Test::Hyperdrive::Differential qw(fewer);
use Test::Hyperdrive::PG;

###############################################################################

# run($script, client => sub { a new client }, timeout => seconds,
#     running => sub { waits until a pg_sleep() runs, or what it is given
#     is true }):
# what was answered, an array of lines for the log-ins and one for each step.

sub run {
	my ($script, %way) = @_;

	my @clients;
	my @log;
	my $n = 0;

	for my $o (@{$script->{clients}}) {
		my $c = { n => $n++, queue => [], skip => 0, copy => '',
			dead => 0, known => {}, lines => [], told => [] };

		$c->{pg} = eval { $way{client}->(%$o) };
		_failed($c, $@) unless $c->{pg};

		push @{$c->{lines}}, 'log-in refused: '
			. _fields($c->{pg}->error())
			if $c->{pg} && $c->{pg}->error();

		push @clients, $c;
		push @{$log[0]}, _end($c);
	}

	for my $step (@{$script->{steps}}) {
		my ($who, $messages, $cut) = @$step;
		my $c = $clients[$who];

		if ($c->{dead}) {
			push @log, [ 'gone' ];
			next;
		}

		eval {
			_step($c, $messages, $cut, \%way);
			1;
		} or _failed($c, $@);

		push @log, [ _end($c) ];
		last if grep { /^client \d: failed/ } @{$log[-1]};
	}

	for my $c (@clients) {
		$c->{pg}->vanish() if $c->{pg};
	}

	return \@log;
}

sub _failed {
	my ($c, $why) = @_;

	chomp $why;
	push @{$c->{lines}}, "failed: $why";
	$c->{dead} = 1;
}

# What ends a step: what the client has been told beside the answers.

sub _end {
	my ($c) = @_;

	my @lines = (splice(@{$c->{lines}}), splice(@{$c->{told}}));

	if ($c->{pg}) {
		my $now = $c->{pg}->parameters();

		for my $name (sort keys %$now) {
			next if defined $c->{known}{$name}
				&& $c->{known}{$name} eq $now->{$name};

			$c->{known}{$name} = $now->{$name};
			push @lines, "parameter $name = "
				. _safe($now->{$name});
		}
	}

	return map { "client $c->{n}: $_" } @lines;
}

###############################################################################

sub _step {
	my ($c, $messages, $cut, $way) = @_;

	my $pg = $c->{pg};
	my @now = @$messages;

	# a cancel, when what is asked for runs

	my $cancel = @now && $now[-1][0] eq 'cancel' ? pop @now : undef;

	push @{$c->{queue}}, @now;
	_send($pg, join('', map { _bytes($_) } @now), $cut);

	if ($cancel) {
		# it may have failed before
		$way->{running}->(sub { !$pg->silent(0) });
		$pg->cancel();
	}

	_collect($c);
}

sub _send {
	my ($pg, $bytes, $cut) = @_;

	return $pg->send_raw($bytes) unless $cut;

	# a generator of our own, so that a script is cut as it was

	my $x = $cut;
	my $next = sub {
		$x = ($x * 1103515245 + 12345) % 2147483648;
		return ($x >> 8) % $_[0];
	};

	while (length $bytes) {
		my $n = $next->(3) ? 1 + $next->(12)
			: 1 + $next->(length $bytes);

		$pg->send_raw(substr($bytes, 0, $n, ''));
		sleep(0.0002);
	}
}

sub _bytes {
	my ($m) = @_;

	my ($type, @a) = @$m;

	return $a[0] if $type eq 'raw';
	return Test::Hyperdrive::PG::message(@a) if $type eq 'bad';

	my $body = $type eq 'Q' ? "$a[0]\0"
		: $type eq 'P' ? pack('Z* Z* n N*', @a[0, 1],
			scalar @{$a[2] || []}, @{$a[2] || []})
		: $type eq 'B' ? _bind(@a)
		: $type eq 'E' ? pack('Z* N', $a[0], $a[1] || 0)
		: $type eq 'D' || $type eq 'C' ? $a[0] . "$a[1]\0"
		: $type eq 'd' ? $a[0]
		: $type eq 'f' ? "$a[0]\0"
		: $type eq 'F' ? pack('N n n', $a[0], 0, scalar @{$a[1]})
			. _values(@{$a[1]}) . pack('n', $a[2] || 0)
		: '';

	return Test::Hyperdrive::PG::message($type, $body);
}

sub _bind {
	my ($portal, $statement, $values, $formats, $results) = @_;

	return pack('Z* Z*', $portal, $statement) . _counted($formats)
		. pack('n', scalar @{$values || []})
		. _values(@{$values || []}) . _counted($results);
}

sub _counted {
	my @n = @{$_[0] || []};
	return pack('n n*', scalar @n, @n);
}

sub _values {
	return join('', map { defined $_ ? pack('N', length) . $_
		: pack('N', 0xffffffff) } @_);
}

###############################################################################

# Reads what the database has to answer to what was sent: all of it up to the
# last message that asks for an answer at once.

sub _collect {
	my ($c) = @_;

	my $queue = $c->{queue};

	if ($c->{copy}) {
		return unless @$queue && _copied($c);
		return unless $c->{copied}->();
	}

	while (!$c->{dead} && grep { _type($_) =~ /^[QSHF]$/ } @$queue) {
		return unless _message($c, shift @$queue);
	}
}

sub _type {
	my ($m) = @_;
	return $m->[$m->[0] eq 'bad'];
}

# False if the rest has to wait for more of the client's.

sub _message {
	my ($c, $m) = @_;

	my $type = _type($m);

	if ($c->{skip}) {
		return 1 unless $type eq 'S';
		$c->{skip} = 0;
	}

	return _until($c, 'E') if $type eq 'H' && $m->[0] eq 'bad';
	return 1 if $type =~ /^(?:[Hdcf]|raw)$/;
	return _until($c, 'Z') if $type =~ /^[QSF]$/;

	my $done = $type eq 'P' ? '1' : $type eq 'B' ? '2'
		: $type eq 'C' ? '3' : $type eq 'D' ? 'Tn' : 'CsI';

	return _until($c, $done . 'E');
}

sub _until {
	my ($c, $end) = @_;

	for ( ;; ) {
		my $type = _reply($c);

		if ($type eq '') {
			push @{$c->{lines}}, 'the end';
			$c->{dead} = 1;
			return 0;
		}

		if ($type eq 'G') {
			$c->{copied} = sub { _until($c, $end) };
			$c->{copy} = 1;
			return 0 unless _copied($c);
		}

		next if index($end, $type) < 0;

		$c->{skip} = 1 if $type eq 'E';
		return 1;
	}
}

# What the database reads while it copies: false if there is more to come.

sub _copied {
	my ($c) = @_;

	while (my $m = shift @{$c->{queue}}) {
		next if _type($m) =~ /^(?:[dHS]|raw)$/;

		$c->{copy} = 0;
		return 1;
	}

	return 0;
}

# The next message that is no news by the way.

sub _reply {
	my ($c) = @_;

	for ( ;; ) {
		my $m = $c->{pg}->read_message();
		return '' unless $m;

		my $type = $m->{type};

		next if $type eq 'S';

		if ($type eq 'A') {
			push @{$c->{told}}, 'notified '
				. ($m->{pid} == $c->{pg}->pid() ? 'by myself'
				: 'by others')
				. " $m->{channel} " . _safe($m->{payload});
			next;
		}

		push @{$c->{lines}}, _line($m);
		return $type unless $type eq 'N';
	}
}

###############################################################################

sub _line {
	my ($m) = @_;

	my $type = $m->{type};

	return "$type " . _fields($m->{fields}) if $type =~ /^[EN]$/;

	return 'T ' . join(', ', map {
		my $c = $_;
		join(' ', map { _safe($c->{$_}) } qw(name table attribute oid
			size modifier format))
	} @{$m->{columns}}) if $type eq 'T';

	return 'D ' . join(' | ', map { defined $_ ? _safe($_) : '(null)' }
		@{$m->{values}}) if $type eq 'D';

	return 't ' . join(' ', @{$m->{types}}) if $type eq 't';

	return "$type " . _safe($m->{body} =~ s/\0$//r);
}

# All but where in the database's own sources it comes from.

sub _fields {
	my ($f) = @_;

	return join(', ', map { "$_=" . _safe($f->{$_}) }
		grep { !/^[FLRV]$/ } sort keys %$f);
}

sub _safe {
	my ($bytes) = @_;
	return $bytes =~ s/([^\x20-\x7e])/sprintf('\\x%02x', ord($1))/egr;
}

###############################################################################

# differ($expected, $got, ...): '' if they are the same, else the first step
# that differs and both sides of it.

sub differ {
	my ($expected, $got) = @_;

	for my $i (0 .. $#$expected) {
		my @e = @{$expected->[$i]};
		my @g = @{$got->[$i] || [ 'nothing' ]};

		# no connection is free: not what is looked for here

		return '' if grep { /C=53300/ } @g;

		my $j = 0;
		$j++ while $j < @e && $j < @g && _alike($e[$j], $g[$j]);

		next if $j == @e && $j == @g;

		# see _alike(): nor can it be described

		return '' if $j < @e && $j < @g && $e[$j] =~ /: t $/
			&& $g[$j] =~ /C=25P02/;

		return join("\n", 'step ' . ($i - 1) . ":",
			(map { "    $_" } @e[0 .. $j - 1]),
			(map { "  - $_" } @e[$j .. $#e]),
			(map { "  + $_" } @g[$j .. $#g]), '');
	}

	return '';
}

# A statement that is not prepared on the connection cannot be prepared in a
# block that has failed: nobody looks at the values for it, see docs/postgres.md.

sub _alike {
	my ($expected, $got) = @_;

	return $expected eq $got
		|| $expected =~ /C=08P01, M=bind message/ && $got =~ /C=25P02/;
}

# minimise($script, sub { does it still differ }): what is left when nothing
# more can be taken out.

sub minimise {
	my ($script, $differs) = @_;

	my $steps = $script->{steps};
	my $try = sub { $differs->({ %$script, steps => $_[0] }) };

	$steps = fewer($steps, sub { @{$_[0]} && $try->($_[0]) && $_[0] });

	# the messages in each, and the places where it is cut

	for my $i (0 .. $#$steps) {
		for (my $j = $#{$steps->[$i][1]}; $j >= 0; $j--) {
			my ($who, $messages, $cut) = @{$steps->[$i]};
			my @less = @$messages;

			splice(@less, $j, 1);
			next unless @less;

			my @changed = @$steps;
			$changed[$i] = [ $who, \@less, $cut ];
			$steps = \@changed if $try->(\@changed);
		}

		next unless $steps->[$i][2];

		my @whole = @$steps;
		$whole[$i] = [ @{$whole[$i]}[0, 1] ];
		$steps = \@whole if $try->(\@whole);
	}

	$script = { %$script, steps => $steps };

	# what clients came with

	for my $i (0 .. $#{$script->{clients}}) {
		for my $name (sort keys %{$script->{clients}[$i]{params}}) {
			my @clients = @{$script->{clients}};
			my %less = %{$clients[$i]{params}};

			delete $less{$name};
			$clients[$i] = { %{$clients[$i]}, params => \%less };

			my $other = { %$script, clients => \@clients };
			$script = $other if $differs->($other);
		}
	}

	return $script;
}

###############################################################################

1;

###############################################################################
