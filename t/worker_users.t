#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: workers of another user than before a reload, where
# /proc does not show processes of others.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive;
use Test::Hyperdrive::PG;

###############################################################################

# a /proc of our own

my $hide = 'mount --make-rprivate / && mount -o remount,hidepid=2 /proc';

if (!$ENV{TEST_HYPERDRIVE_HIDDEN}) {

	plan(skip_all => 'only root can hide processes')
		if $> != 0 || system("unshare -m sh -c '$hide' 2>/dev/null");

	exec 'unshare', '-m', 'sh', '-c',
		"$hide && TEST_HYPERDRIVE_HIDDEN=1 exec \"\$\@\"", 'sh',
		$^X, $FindBin::Script
		or die "unshare: $!";
}

my $t = Test::Hyperdrive->new();

my $pg = $t->postgres(users => { app => 'pw' }, databases => [ 'shop' ]);

configure('nobody nogroup');

$t->run();

###############################################################################

my $c = pg_client(port(8080), user => 'app', database => 'shop',
	timeout => 10);

$c->query('BEGIN');
my $pid = $c->query('SELECT pg_backend_pid()')->value();

configure('daemon daemon');
ok($t->reload(), 'a reload with another user');

# the new worker has connections of its own, and looks at those of the dead

my $other = pg_client(port(8080), user => 'app', database => 'shop');

for (1 .. 8) {
	isnt($other->query('SELECT pg_sleep(0.1), pg_backend_pid()')->row(0)->[1],
		$pid, 'somebody else');
}

is($t->status()->{upstreams}{u}{dead}, 0, 'nobody is taken for dead');
is(eval { $c->query('SELECT pg_backend_pid()')->value() }, $pid,
	'the transaction goes on');
$c->query('COMMIT');

$t->done_testing();

###############################################################################

sub configure {
	my ($user) = @_;

	$t->single($pg->url(), main => "user $user; worker_processes 1;");
}

###############################################################################
