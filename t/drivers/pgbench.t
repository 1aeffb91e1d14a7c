#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: pgbench in its three modes.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib '.', '../lib';
use Driver;
use Test::Hyperdrive;

###############################################################################

my $d = Driver->new(plan => 5);

$d->compare([ 'sh', 'pgbench.sh' ]);

###############################################################################
