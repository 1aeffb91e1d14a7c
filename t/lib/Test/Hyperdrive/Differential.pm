package Test::Hyperdrive::Differential;

# Copyright (C) Hyperdrive for nginx authors

# Scripts of what several clients do, a hash with "clients" and "steps", that
# are run directly and through nginx: as a text, and with fewer steps.

###############################################################################

use warnings;
use strict;

use Exporter qw(import);
use JSON::PP ();

our @EXPORT_OK = qw(to_text from_text fewer);

###############################################################################
# As a text: one line for the clients, and one for each step.

my $json = JSON::PP->new()->ascii()->canonical()->allow_nonref();

sub to_text {
	my ($script) = @_;

	my %head = %$script;
	delete $head{steps};

	return join('', map { $json->encode($_) . "\n" } \%head,
		@{$script->{steps}});
}

sub from_text {
	my ($text) = @_;

	my ($head, @steps) = map { $json->decode($_) }
		grep { /^[\[{]/ } split /\n/, $text;

	return { %$head, steps => \@steps };
}

# Drops steps of a list as long as the rest still does what is looked for, which
# $try->([ steps ]) says: by a false value, or by the steps that are needed.

sub fewer {
	my ($steps, $try) = @_;

	for (my $size = int(@$steps / 2) || 1; $size; $size = int($size / 2)) {
		for (my $i = 0; $i < @$steps; ) {
			my @less = @$steps;
			splice(@less, $i, $size);

			if (my $needed = $try->(\@less)) {
				$steps = $needed;

			} else {
				$i += $size;
			}
		}
	}

	return $steps;
}

###############################################################################

1;

###############################################################################
