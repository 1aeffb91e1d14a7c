#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: the own tests of lib/pq, a driver for Go, with text and
# with binary parameters.  SUITE_ALL=1: those that wait for seconds, too.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib '../lib', '.';
use Suite;
use Test::Hyperdrive;

###############################################################################

my $source = '/usr/share/gocode/src/github.com/lib/pq';
my $program;

my $suite = Suite->new(max => 4, skip => sub {
	my ($self) = @_;

	$self->t()->skip_all('no golang-github-lib-pq-dev')
		unless -e "$source/conn_test.go";

	# compiled once for each version of the package

	my ($version) = `dpkg-query -W -f '\${Version}' golang-github-lib-pq-dev`;
	my $dir = Test::Hyperdrive::build_dir() . '/go';

	$program = "$dir/pq-$version.test";

	return if -x $program;

	my ($status, $out) = Test::Hyperdrive::run_command([ 'go', 'test',
			'-c', '-vet=off', '-o', $program,
			'github.com/lib/pq' ],
		dir => $self->{dir}, env => { PATH => $ENV{PATH},
			GOPATH => '/usr/share/gocode', GO111MODULE => 'off',
			GOCACHE => "$dir/cache", HOME => $dir });

	$self->t()->skip_all('lib/pq cannot be compiled: '
		. (split /\n/, $out)[-1]) if $status;
});

my ($status, $out) = $suite->driver()->run([ $program, '-test.list', '.' ], 0);
my @tests = grep { /^Test/ } split /\n/, $out;

@tests = grep { !/^Test(?:Stmt(?:Query|Exec)Context|Issue1046)$/ } @tests
	unless $ENV{SUITE_ALL};

for my $binary ('no', 'yes') {

	$suite->compare("binary_parameters=$binary", sub {
		my ($port, $where, @only) = @_;

		my ($status, $out) = $suite->driver()->run([ $program,
				'-test.v', '-test.run', '^('
				. join('|', @only ? @only : @tests) . ')$' ],
			$port,
			PGSSLMODE => 'disable',
			PQTEST_BINARY_PARAMETERS => $binary);

		my %result = map { /^\s*--- (PASS|FAIL|SKIP): (\S+)/
			? ($2 => { PASS => 'ok', FAIL => 'failed',
				SKIP => 'skip' }->{$1}) : () } split /\n/, $out;

		return (\%result, [ grep { /--- FAIL|_test\.go:\d+: (?!.*skip)/i }
			split /\n/, $out ]);
	}, at_least => 100);
}

$suite->t()->done_testing();

###############################################################################
