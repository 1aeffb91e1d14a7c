#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: asyncpg.

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

	$self->t()->skip_all('no asyncpg') unless Driver::has_python('asyncpg');
});

$d->compare([ '/usr/bin/python3', 'asyncpg_client.py' ],
	cached => [ 'read' ]);

###############################################################################
