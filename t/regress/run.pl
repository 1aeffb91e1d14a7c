#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# PostgreSQL's own regression suite directly and through nginx: two workers, a
# pool of 40 in transaction mode, once with the cache off and once on.  Prints
# which tests pass directly and fail through nginx, with the first lines that
# differ; build/regress keeps all results.
#
#     perl t/regress/run.pl [off] [on] [max=N] [test ...]
#
# Tests named need those before them in the suite's schedule that create what
# they use.

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/../lib";

use Test::More ();
use Test::Hyperdrive;
use Test::Hyperdrive::Regress;

###############################################################################

my (@caches, @tests);
my $max = 40;

for (@ARGV) {
	if (/^max=(\d+)$/) {
		$max = $1;

	} else {
		push @{/^(?:on|off)$/ ? \@caches : \@tests}, $_;
	}
}

@caches = ('off', 'on') unless @caches;

my $t = Test::Hyperdrive->new(log => 'info', timeout => 3600);
my $suite = Test::Hyperdrive::Regress->new($t);

my @some = @tests ? (tests => \@tests) : ();

$| = 1;

my $pg = $suite->postgres();
my $direct = $suite->run('direct', $pg->port(), @some);
$pg->stop();

printf "directly: %d tests, %d fail (%s), %d s\n", scalar(keys %$direct),
	failed($direct), join(' ', grep { $direct->{$_} ne 'ok' }
	sort keys %$direct) || 'none', $suite->seconds('direct');

my $lost = 0;

for my $cache (@caches) {
	my $name = "cache-$cache";

	$pg = $suite->postgres();
	$suite->nginx($pg, cache => $cache eq 'on', max => $max);

	my $result = $suite->run($name, port(8080), @some, timeout => 1200);

	my $status = eval { JSON::PP->new->canonical->pretty->encode(
		$t->status()) } // '';

	$t->stop();
	$pg->stop();

	my @lost = $suite->lost($name, $direct, $result);
	$lost += @lost;

	printf "\nthrough nginx, cache %s: %d tests, %d fail, %d s\n", $cache,
		scalar(keys %$result), failed($result),
		$suite->seconds($name);
	printf "%d pass directly only: %s\n", scalar(@lost), "@lost";

	for my $test (@lost) {
		print "\n=== $test\n", $suite->diff($name, $test,
			$ENV{REGRESS_LINES} || 20), "\n";
	}

	open(my $fh, '>', $suite->kept($name) . '/status.json');
	print $fh $status;
	close $fh;

	rename $t->testdir() . '/error.log',
		$suite->kept($name) . '/error.log';
}

exit($lost ? 1 : 0);

sub failed {
	my ($result) = @_;
	return scalar grep { $_ ne 'ok' } values %$result;
}

###############################################################################
