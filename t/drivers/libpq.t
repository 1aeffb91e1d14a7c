#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: libpq, with pipelines.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib '.', '../lib';
use Driver;
use Test::Hyperdrive;

###############################################################################

my $program;

my $d = Driver->new(plan => 10, skip => sub {
	my ($self) = @_;

	$self->t()->skip_all('no libpq-fe.h') unless Driver::has_libpq();

	$program = Driver::compile($self->{dir}, qw(libpq.c libpq_query.c
		libpq_session.c libpq_pipeline.c));
});

$d->compare([ $program ], cached => [ 'read' ]);

###############################################################################
