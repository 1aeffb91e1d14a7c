#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: node-postgres.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib '.', '../lib';
use Driver;
use Test::Hyperdrive;

###############################################################################

my $d = Driver->new(plan => 10, skip => sub {
	my ($self) = @_;

	$self->t()->skip_all('no node-postgres') unless Driver::has_node('pg');
});

$d->compare([ 'node', 'node_postgres.js' ], cached => [ 'read' ]);

###############################################################################
