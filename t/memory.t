#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: what an idle client costs, as the growth of the
# proportional set size of all nginx processes.

###############################################################################

use warnings;
use strict;

use FindBin;
use IPC::Open2;
use POSIX ();
use Test::More;

my $script;

BEGIN { $script = "$FindBin::Bin/$FindBin::Script"; chdir($FindBin::Bin); }

use lib 'lib', 'drivers';
use Driver;
use Test::Hyperdrive;

use constant {
	CLIENTS => 5000,
	TLS => 300,
	LIMIT => 3 * 1024,
};

###############################################################################

# As many descriptors as it takes, here and in nginx.

my $files = CLIENTS + 1000;

if (POSIX::sysconf(POSIX::_SC_OPEN_MAX()) < $files
    && !$ENV{TEST_HYPERDRIVE_FILES})
{
	$ENV{TEST_HYPERDRIVE_FILES} = $files;
	exec 'sh', '-c', 'ulimit -n ' . $files . ' 2>/dev/null; exec "$0" "$@"',
		$^X, $script;
}

my $t = Test::Hyperdrive->new(log => 'info', timeout => 560);

$t->skip_all("no $files descriptors")
	if POSIX::sysconf(POSIX::_SC_OPEN_MAX()) < $files;
$t->skip_all('a sanitizer has memory of its own') if $t->{sanitize};
$t->skip_all('no smaps_rollup') unless -r '/proc/self/smaps_rollup';

my $pg = $t->postgres(users => { app => 'pw' }, databases => [ 'shop' ],
	sql => { shop => <<'EOF' });

SET ROLE app;
CREATE TABLE things (id int PRIMARY KEY, v text);
INSERT INTO things SELECT g, 'thing ' || g FROM generate_series(1, 100) g;

EOF

my %app = (user => 'app', database => 'shop');
my $origin = $pg->port();

$t->write_file('users.txt', qq{"app" "pw"\n})->certificate('front');

$t->write_file_expand('nginx.conf', <<"EOF");

%%TEST_GLOBALS%%

worker_processes      2;
worker_rlimit_nofile  $files;

events {
    worker_connections  $files;
}

stream {
    upstream shop {
        hyperdrive_origin  postgres://app:pw\@127.0.0.1:$origin/shop?sslmode=disable;
        hyperdrive_pool    max=4;
    }

    server {
        listen            127.0.0.1:8080;
        hyperdrive_pass   shop;
        hyperdrive_users  off;
    }

    server {
        listen            127.0.0.1:8081;
        hyperdrive_pass   shop;
        hyperdrive_users  %%TESTDIR%%/users.txt;
    }

    server {
        listen               127.0.0.1:8082;
        hyperdrive_pass      shop;
        hyperdrive_users     off;
        ssl_certificate      %%TESTDIR%%/front.crt;
        ssl_certificate_key  %%TESTDIR%%/front.key;
    }
}

EOF

###############################################################################

for my $case ([ 8080, 'trust' ], [ 8081, 'SCRAM' ]) {
	my ($port, $name) = @$case;

	$t->run();
	warm_up($port);

	my $base = pss();
	my @c = map { client($port) } 1 .. CLIENTS;

	within("$name, logged in", $base, CLIENTS);

	# and once they have asked something

	for my $i (0 .. $#c) {
		my $id = $i % 100 + 1;

		die "wrong answer\n" if $c[$i]->query(
			"SELECT v FROM things WHERE id = $id")->value()
			ne "thing $id";
	}

	within("$name, after a query", $base, CLIENTS);

	for my $i (0 .. $#c) {
		my $id = $i % 100 + 1;

		die "wrong answer\n" if $c[$i]->extended(
			'SELECT v FROM things WHERE id = $1', $id)->value()
			ne "thing $id";
	}

	within("$name, after an extended query", $base, CLIENTS);

	$_->vanish() for @c;
	@c = ();

	$t->stop();
}

# reported apart: a named statement each, and TLS

$t->run();
warm_up(8080);

my $base = pss();
my @c = map { client(8080) } 1 .. CLIENTS;
$_->prepare('s', 'SELECT v FROM things WHERE id = $1') for @c;

reported('with a named statement', $base, CLIENTS);

$_->vanish() for @c;
@c = ();

SKIP: {
	skip 'no libpq-fe.h', 1 unless Driver::has_libpq();

	my $idle = Driver::compile($t->testdir(), 'idle.c');

	# nothing that others have left is to be used again

	$t->stop();
	$t->run();

	tls($idle, 10);
	$base = pss();
	my $each = tls($idle, TLS, $base);

	ok($each, 'TLS clients');
}

$t->done_testing();

###############################################################################

sub client {
	my ($port) = @_;

	my $c = pg_client(port($port), %app, password => 'pw');

	delete @$c{qw(login parameters)};
	$c->{parameters} = {};

	return $c;
}

# What is allocated once, and the pages of code that are used.

sub warm_up {
	my ($port) = @_;

	my @c = map { client($port) } 1 .. 200;

	for my $c (@c) {
		$c->query('SELECT v FROM things WHERE id = 1');
		$c->extended('SELECT v FROM things WHERE id = $1', 1);
	}

	$_->close() for @c;
}

# (of files not: others who have them open, too, make it less or more)

sub pss {
	my $sum = 0;

	for my $pid ($t->master_pid(), $t->worker_pids()) {
		open(my $fh, '<', "/proc/$pid/smaps_rollup")
			or die "smaps_rollup: $!\n";

		while (<$fh>) {
			$sum += $1 * 1024 if /^Pss_(?:Anon|Shmem):\s+(\d+) kB/;
		}
	}

	return $sum;
}

sub within {
	my ($name, $base, $n) = @_;

	my $each = reported($name, $base, $n);

	cmp_ok($each, '<=', LIMIT, "$name, bytes for an idle client");
}

sub reported {
	my ($name, $base, $n) = @_;

	my $each = (pss() - $base) / $n;

	diag(sprintf('%-28s %6.2f kB', $name, $each / 1024));

	return $each;
}

# Clients on libpq, which are there until their input ends.

sub tls {
	my ($idle, $n, $from) = @_;

	my $pid = open2(my $out, my $in, $idle, $n, 'host=127.0.0.1 user=app '
		. 'dbname=shop sslmode=require port=' . port(8082));

	my $line = <$out> // '';
	my $each;

	if ($line =~ /ready/) {
		$each = defined $from ? reported('TLS', $from, $n) : 1;

	} else {
		diag($line);
	}

	close $in;
	close $out;
	waitpid($pid, 0);

	return $each;
}

###############################################################################
