package Test::Hyperdrive::Compare;

# Copyright (C) Hyperdrive for nginx authors

# What two databases have said, one of them behind nginx, to be compared.

###############################################################################

use warnings;
use strict;

use base qw/ Exporter /;

our @EXPORT_OK = qw/ difference told /;

###############################################################################

# What was said, to be compared and read.

sub told {
	my (@answers) = @_;

	my @lines;

	for my $answer (@answers) {
		my @m = ref $answer eq 'HASH' ? $answer : $answer->messages();

		push @lines, map {
			$_->{type} eq 'E' ? join(' ', 'E', map { $_ // '' }
				@{$_->{fields}}{qw(S C M)})
				: join(' ', $_->{type}, $_->{body}
					=~ s/([^\x20-\x7e])/sprintf('\\%02x',
					ord($1))/egr)
		} @m;
	}

	return join("\n", @lines);
}

# The first line in which they differ, and what led to it.

sub difference {
	my ($got, $expected) = @_;

	my @got = split /\n/, $got;
	my @expected = split /\n/, $expected;

	my $i = 0;
	$i++ while ($got[$i] // '') eq ($expected[$i] // '');

	return join("\n", ($i ? @got[0 .. $i - 1] : ()),
		'got:      ' . ($got[$i] // 'the end'),
		'expected: ' . ($expected[$i] // 'the end'));
}

###############################################################################

1;

###############################################################################
