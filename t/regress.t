#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: PostgreSQL's own regression suite passes through nginx
# as it does directly.  Tests of the planner and of index types that take long
# are left to t/regress/run.pl, which runs them all.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive;
use Test::Hyperdrive::Regress;

###############################################################################

my @long = qw(brin brin_bloom brin_multi join_hash select_parallel
	write_parallel vacuum_parallel groupingsets gin gist spgist tsearch
	partition_join partition_prune partition_aggregate tuplesort indexing
	btree_index hash_index create_index_spgist
	index_including_gist);

my $t = Test::Hyperdrive->new(log => 'info', timeout => 560);
my $suite = eval { Test::Hyperdrive::Regress->new($t) };

$t->skip_all($@ =~ s/\n.*//sr) unless $suite;

$t->plan(3);

my @tests = $suite->tests(@long);

my $pg = $suite->postgres();
my $direct = $suite->run('direct', $pg->port(), tests => \@tests);
$pg->stop();

my @failed = grep { $direct->{$_} ne 'ok' } sort keys %$direct;

diag("directly: " . keys(%$direct) . " tests in " . $suite->seconds('direct')
	. " s, as the suite expects but for: " . (join(' ', @failed) || '-'));

cmp_ok(scalar(keys %$direct) - @failed, '>', 170, 'the suite runs directly');

is(through('cache-off'), '', 'no test fails through nginx only');
is(through('cache-on', cache => 1), '', '...with the cache on either');

###############################################################################

sub through {
	my ($name, %o) = @_;

	my $pg = $suite->postgres();
	$suite->nginx($pg, %o);

	my $result = $suite->run($name, port(8080), tests => \@tests,
		timeout => 250);

	$t->stop();
	$pg->stop();

	my @lost = $suite->lost($name, $direct, $result);

	diag("$name: " . keys(%$result) . " tests in "
		. $suite->seconds($name) . " s");
	diag("$_, against the direct result:\n" . $suite->diff($name, $_))
		for @lost;

	return "@lost";
}

###############################################################################
