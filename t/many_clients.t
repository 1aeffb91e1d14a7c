#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: 200 clients over a pool of 5, each asks something else
# and checks its answers.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib', 'drivers';
use Driver;
use Test::Hyperdrive;

###############################################################################

my $many;

my $d = Driver->new(plan => 10, skip => sub {
	my ($self) = @_;

	$self->t()->skip_all('no libpq-fe.h') unless Driver::has_libpq();

	$many = Driver::compile($self->{dir}, 'many.c');
});

for my $workers (1, 2) {

	$d->workers($workers) if $workers > 1;

	for my $run ([ 8080, 'cache off' ], [ 8081, 'cache on' ]) {
		my ($port, $name) = @$run;

		my ($status, $out) = $d->run([ $many, 200, 60, $workers ],
			port($port));

		ok($status == 0, "$workers workers, $name")
			or diag(substr($out, 0, 4000));
		like($out, qr/^# (\d+) asked, \1 right, 0 clients failed/m,
			"$workers workers, $name, none is wrong or lost");
	}

	cmp_ok($d->pg()->connections(user => 'app'), '<=', 5,
		"$workers workers, a pool of 5");
}

###############################################################################
