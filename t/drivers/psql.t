#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: psql.

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

my @psql = (Test::Hyperdrive::Postgres::bin('psql'), '-X', '-f', 'psql.sql');

$d->compare(\@psql, raw => 1);

###############################################################################
