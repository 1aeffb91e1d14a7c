#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: 50 clients with settings, roles, prepared statements
# and more of their own over a pool of 5, none of which meets what another has
# left.  LEAKS=100000 is the long run.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib', 'drivers';
use Driver;
use Test::Hyperdrive;

###############################################################################

my $transactions = $ENV{LEAKS} || 6000;
my $seed = $ENV{LEAKS_SEED} || 1;

$ENV{TEST_HYPERDRIVE_TIMEOUT} ||= 500 + $transactions / 50;
$ENV{TEST_DRIVER_TIMEOUT} = 240 + $transactions / 100;

my $leaks;

my $d = Driver->new(plan => 8, workers => 2,
	pool => 'max=5 min=0 idle=10m lifetime=1h wait=20s',
	skip => sub {
		my ($self) = @_;

		$self->t()->skip_all('no libpq-fe.h')
			unless Driver::has_libpq();

		$leaks = Driver::compile($self->{dir}, 'leaks.c');
	});

open(my $fh, '<', 'drivers/leaks.sql') or die "cannot read leaks.sql: $!\n";
$d->pg()->psql(join('', <$fh>), db => 'shop');
close $fh;

# the hunt itself, where nothing can leak

my ($status, $out) = $d->run([ $leaks, 50, 1000, 4, $seed ],
	$d->pg()->port());

ok($status == 0, 'directly') or diag(substr($out, 0, 3000));

for my $run ([ 8080, 'cache off' ], [ 8081, 'cache on' ]) {
	my ($port, $name) = @$run;

	($status, $out) = $d->run([ $leaks, 50, $transactions, 4, $seed ],
		port($port));

	ok($status == 0, "$name, everybody finds what is his own")
		or diag(substr($out, 0, 3000));

	my ($done, $refused) = $out =~ /^# (\d+) transactions.* (\d+) refused/m;

	cmp_ok($done // 0, '>=', $transactions, "$name, $transactions times");
	diag("$name: " . substr($out, 2)) if $status == 0;
}

# what is left: nobody is tied to a connection any more

my $left = eval {
	wait_for(sub { !$d->status()->{upstreams}{shop}{total}{pinned} }, 10);
};

ok($left, 'no session is pinned any more');
cmp_ok($d->pg()->connections(user => 'app'), '<=', 5, 'a pool of 5');

ok(eval { wait_for(sub {
	!$d->pg()->psql("SELECT count(*) FROM pg_locks l JOIN pg_stat_activity "
		. "a USING (pid) WHERE locktype = 'advisory' "
		. "AND usename = 'app'");
}) }, 'no advisory lock is left');

###############################################################################
