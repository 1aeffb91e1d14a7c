#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: libpq's own tests of pipelines, from PostgreSQL's
# sources: each ends well, and says and hears the same, message by message, as
# PostgreSQL's developers have written down.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib '../lib', '.';
use Driver;
use Test::Hyperdrive;
use Test::Hyperdrive::Postgres;
use Test::Hyperdrive::Regress;

###############################################################################

my ($suite, $program);

my $d = Driver->new(skip => sub {
	my ($self) = @_;

	my $t = $self->t();

	$t->skip_all('no libpq-fe.h') unless Driver::has_libpq();

	$suite = eval { Test::Hyperdrive::Regress->new($t) };
	$t->skip_all($@ =~ s/\n.*//sr) unless $suite;

	$program = eval { $suite->frontend(
		'src/test/modules/libpq_pipeline/libpq_pipeline.c') };
	$t->skip_all("libpq_pipeline: $@" =~ s/\n.*//sr) unless $program;
});

# they set lc_messages

$d->pg()->psql('ALTER ROLE app SUPERUSER');

my $t = $d->t();
my $traces = Test::Hyperdrive::Regress::source('postgresql-'
	. $suite->version()) . '/src/test/modules/libpq_pipeline/traces';

my ($status, $out) = $d->run([ $program, 'tests' ], 0);
my @tests = split ' ', $out;

# It sends until nobody takes more, and through nginx that is a hundred
# thousand requests: minutes, so by hand.

@tests = grep { $_ ne 'uniqviol' } @tests unless $ENV{LIBPQ_SUITE_ALL};

cmp_ok(scalar(@tests), '>', 5, 'there are some');

for my $where ([ $d->pg()->port(), 'directly' ], [ port(8080), 'cache off' ],
    [ port(8081), 'cache on' ])
{
	my ($port, $name) = @$where;

	# their notices are part of what is compared

	$d->pg()->psql('DROP TABLE IF EXISTS pq_pipeline_demo, pq_pipeline_tst',
		db => 'shop');

	for my $test (@tests) {
		my $trace = $t->testdir() . "/$test.trace";
		my $known = -e "$traces/$test.trace";

		unlink $trace;

		($status, $out) = $d->run([ $program, '-r', 700,
				$known ? ('-t', $trace) : (), $test,
				'dbname=shop' ], $port);

		ok($status == 0, "$test, $name") or diag($out);

		next unless $known;

		is(slurp($trace), slurp("$traces/$test.trace"),
			"$test, $name, its messages");
	}
}

$t->done_testing();

###############################################################################

sub slurp {
	my ($path) = @_;

	open(my $fh, '<', $path) or return "no $path";
	local $/;

	return scalar(<$fh>) // '';
}

###############################################################################
