package Suite;

# Copyright (C) Hyperdrive for nginx authors

# The tests that a client library brings along, run directly and through nginx:
# what passes directly has to pass through it.

###############################################################################

use warnings;
use strict;

use Test::More;

use Test::Hyperdrive;
use Driver;

###############################################################################

# new(max => N, skip => sub { ... }, timeout => seconds): two workers before
# the database shop, and fewer connections than the tests have sessions.  The
# tests' user may do anything, as the libraries' authors have it.

sub new {
	my ($class, %o) = @_;

	my $d = Driver->new(workers => 2,
		pool => "max=$o{max} min=0 idle=10m lifetime=1h wait=20s",
		skip => $o{skip});

	$d->pg()->psql('ALTER ROLE app SUPERUSER');

	return bless { driver => $d, %o }, $class;
}

sub driver {
	my ($self) = @_;
	return $self->{driver};
}

sub t {
	my ($self) = @_;
	return $self->{driver}->t();
}

# compare($run, except => { test => reason }): $run gets a port and a name, and
# the tests to run if they are not all; it returns a reference to
# test => ok | skip | anything else, and a reference to the lines printed.
# <at_least> of them have to pass directly.
#
# Some of the tests run against the clock, or against a signal on its way in
# the database: on a busy machine they fail now and then, directly as well.
# What failed is run again alone, twice at the most.

sub compare {
	my ($self, $name, $run, %o) = @_;

	my %except = %{$o{except} || {}};

	my ($direct) = $run->($self->{driver}->pg()->port(), 'direct');
	my @pass = grep { $direct->{$_} eq 'ok' } sort keys %$direct;

	diag("$name: " . @pass . ' of ' . keys(%$direct)
		. ' pass directly, not: '
		. (join(' ', grep { $direct->{$_} !~ /^(?:ok|skip)$/ }
			sort keys %$direct) || '-'));

	cmp_ok(scalar(@pass), '>=', $o{at_least}, "$name, directly");

	for my $where ([ 8080, 'cache off' ], [ 8081, 'cache on' ]) {
		my ($port, $cache) = @$where;

		my @lost = grep { !$except{$_} } @pass;
		my @said;

		for (1 .. 3) {
			my ($through, $out) = $run->(port($port), $cache,
				@said ? @lost : ());

			@lost = grep { ($through->{$_} // 'nothing') ne 'ok' }
				@lost;

			last unless @lost;

			push @said, "$name, $cache, failed: @lost",
				@$out[0 .. ($#$out > 300 ? 300 : $#$out)];
		}

		next if is("@lost", '', "$name, $cache, the same tests pass")
			&& !@said;

		diag(join("\n", @said));
	}
}

###############################################################################

1;

###############################################################################
