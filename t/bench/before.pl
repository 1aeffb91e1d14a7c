#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# What plain queries cost now and with the module of another commit, of which
# they use nothing that is new since: each in an nginx of its own with one
# worker, no cache and the same configuration, in turns.  Shown are the ratios
# of throughput and of nginx's CPU time for a query, now to before: the median
# of all pairs.
#
#     perl t/bench/before.pl COMMIT
#
#   BENCH_PAIRS=5   BENCH_SECONDS=5   BENCH_CLIENTS="16 64"
#   BENCH_MODES="simple prepared"

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/../lib";

use Test::Hyperdrive;
use Test::Hyperdrive::Bench qw(cpu_time median quiet words);
use Test::Hyperdrive::Postgres;
use Test::Hyperdrive::Process qw(run_command);

$| = 1;

###############################################################################

my $commit = shift or die "usage: perl t/bench/before.pl COMMIT\n";

my $pairs = $ENV{BENCH_PAIRS} || 5;
my $seconds = $ENV{BENCH_SECONDS} || 5;
my @clients = words('BENCH_CLIENTS', '16 64');
my @modes = words('BENCH_MODES', 'simple prepared');

my %nginx = map { $_ => Test::Hyperdrive->new(timeout => 0) } 'before', 'now';
my %listen = (before => 8080, now => 8081);
my %module = (before => build($commit), now => $nginx{now}->module());

my $pg = $nginx{now}->postgres(users => { bench => 'secret' },
	databases => [ 'bench' ],
	settings => { max_connections => 100, log_connections => 'off' });

run('pgbench -i', Test::Hyperdrive::Postgres::bin('pgbench'), '-i', '-q',
	'-s', 1, '-h', '127.0.0.1', '-p', $pg->port(), '-U', 'bench', 'bench');

$nginx{now}->write_file('point.sql', "\\set id random(1, 100000)\n"
	. "SELECT abalance FROM pgbench_accounts WHERE aid = :id;\n");

start($_) for 'before', 'now';

printf "%d pairs of %g s, now against %s\n", $pairs, $seconds, $commit;

for my $clients (@clients) {
	compare($_, $clients) for @modes;
}

$nginx{$_}->finish() for 'before', 'now';

###############################################################################

# The module of the commit, made from its own files in build/before.

sub build {
	my ($commit) = @_;

	my $root = Test::Hyperdrive::root();

	my ($name) = run('git', 'git', '-C', $root, 'rev-parse', '--verify',
		"$commit^{commit}") =~ /^(\w+)$/m;

	my $dir = Test::Hyperdrive::build_dir() . "/before/$name";
	my $module = "$dir/build/ngx_stream_hyperdrive_module.so";

	return $module if -e $module;

	print "building $name\n";

	run('build', 'sh', '-ec', 'mkdir -p "$1"; git -C "$0" archive "$2" '
		. '| tar -x -C "$1"; env -u MAKEFLAGS make -C "$1" build',
		$root, $dir, $name);

	die "no $module\n" unless -e $module;

	return $module;
}

sub start {
	my ($which) = @_;

	local $ENV{TEST_HYPERDRIVE_MODULE} = $module{$which};

	my $t = $nginx{$which};

	$t->write_file_expand('nginx.conf', <<"EOS");

%%TEST_GLOBALS%%

worker_processes  1;

events {
    worker_connections  4096;
}

stream {
    upstream bench {
        hyperdrive_origin  postgres://bench:secret\@127.0.0.1:@{[ $pg->port() ]}/bench?sslmode=disable;
        hyperdrive_pool    max=20;
    }

    server {
        listen            127.0.0.1:$listen{$which};
        hyperdrive_pass   bench;
        hyperdrive_users  off;
    }
}

EOS

	quiet($t)->run();
}

sub compare {
	my ($mode, $clients) = @_;

	my (%all, @tps, @cpu);

	load($_, $mode, $clients, 1) for 'before', 'now';

	for my $i (1 .. $pairs) {

		# each of them first, in turns

		my %got = map { $_ => load($_, $mode, $clients, $seconds) }
			$i % 2 ? ('before', 'now') : ('now', 'before');

		push @{$all{$_}}, $got{$_} for keys %got;

		push @tps, $got{now}{tps} / $got{before}{tps};
		push @cpu, $got{now}{cpu} / $got{before}{cpu};
	}

	printf "\n%s, %d clients\n", $mode, $clients;

	printf "  %-8s%9.0f queries a second%9.2f us of CPU each\n", $_,
		median(map { $_->{tps} } @{$all{$_}}),
		median(map { $_->{cpu} } @{$all{$_}}) for 'before', 'now';

	printf "  %-8s%9.3f%26.3f\n", 'ratio', median(@tps), median(@cpu);
}

# Queries a second, and nginx's microseconds of CPU time for each of them.

sub load {
	my ($which, $mode, $clients, $time) = @_;

	my @pids = $nginx{$which}->worker_pids();
	my $before = cpu_time(@pids);

	my $out = run('pgbench', Test::Hyperdrive::Postgres::bin('pgbench'),
		'-n', '-M', $mode, '-c', $clients, '-j', 1, '-T', $time, '-f',
		$nginx{now}->testdir() . '/point.sql', '-h', '127.0.0.1',
		'-p', port($listen{$which}), '-U', 'bench', 'bench');

	my ($n) = $out =~ /number of transactions actually processed: (\d+)/;
	my ($tps) = $out =~ /tps = ([\d.]+)/;

	die "pgbench: $out\n" unless $n;

	return { tps => $tps, cpu => (cpu_time(@pids) - $before) / $n * 1e6 };
}

sub run {
	my ($what, @command) = @_;

	my ($status, $out) = run_command(\@command,
		env => { PGPASSWORD => 'secret', PGSSLMODE => 'disable' });

	die "$what: $out\n" if $status;

	return $out;
}

###############################################################################
