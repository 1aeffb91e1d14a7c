#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: Postgres.js, with and without prepared statements.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib '.', '../lib';
use Driver;
use Test::Hyperdrive;

###############################################################################

my $d = Driver->new(plan => 20, skip => sub {
	my ($self) = @_;

	$self->t()->skip_all('no Postgres.js')
		unless Driver::has_node('postgres');
});

$d->compare([ 'node', 'postgres_js.js' ], cached => [ 'read' ]);
$d->compare([ 'node', 'postgres_js.js', 'unprepared' ], cached => [ 'read' ]);

###############################################################################
