#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# What a policy costs a repeated statement: pgbench through two servers of the
# same nginx, one of them with 50 rules and a policy in Lua that look at the
# text, at the user and at the application; cached and pooled, in turns.
# Shown are the ratios of throughput and of nginx's CPU time for a query, with
# the policy and without: the median of all pairs.
#
# Then what a policy for values of parameters costs, which is entered at each
# execution: against the same one that does not ask for them, in microseconds.
#
#   BENCH_PAIRS=7  BENCH_SECONDS=2  BENCH_CLIENTS=8  BENCH_MODES="simple prepared"

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

my $pairs = $ENV{BENCH_PAIRS} || 7;
my $seconds = $ENV{BENCH_SECONDS} || 2;
my $clients = $ENV{BENCH_CLIENTS} || 8;
my @modes = words('BENCH_MODES', 'simple prepared');

my $t = Test::Hyperdrive->new(timeout => 0);

my $pg = $t->postgres(users => { bench => 'secret' }, databases => [ 'bench' ],
	settings => { max_connections => 100, log_connections => 'off' });

fill();
start_nginx();

$t->write_file('point.sql', "\\set id random(1, 100)\n"
	. "SELECT abalance FROM pgbench_accounts WHERE aid = :id;\n");

printf "%d pairs of %g s, %d clients: with 50 rules and Lua, and without\n",
	$pairs, $seconds, $clients;

for my $mode (@modes) {
	compare($mode, 'cached', 8080, 8081);
	compare($mode, 'pooled', 8082, 8083);
}

params('cached', 8084, 8085);
params('pooled', 8086, 8087);

###############################################################################

# Pairs of [ queries a second, CPU time of each ], without and with.

sub pairs {
	my ($mode, $without, $with) = @_;

	my @pairs;

	run($mode, $_, 1) for $without, $with;

	for my $i (1 .. $pairs) {

		# each of them first, in turns

		my %got = map { $_ => [ run($mode, $_, $seconds) ] }
			$i % 2 ? ($without, $with) : ($with, $without);

		push @pairs, [ @got{$without, $with} ];
	}

	return @pairs;
}

sub compare {
	my ($mode, $title, $without, $with) = @_;

	my @pairs = pairs($mode, $without, $with);

	printf "%-9s %-7s throughput %.3f, CPU time for a query %.3f\n",
		$mode, $title, map { my $i = $_;
			median(map { $_->[1][$i] / $_->[0][$i] } @pairs) } 0, 1;
}

sub params {
	my ($title, $without, $with) = @_;

	my @pairs = pairs('prepared', $without, $with);

	printf "%-9s %-7s CPU time for a query %.2f us, with values of "
		. "parameters %.2f us: %+.2f us\n", 'params', $title,
		median(map { $_->[0][1] * 1e6 } @pairs),
		median(map { $_->[1][1] * 1e6 } @pairs),
		median(map { ($_->[1][1] - $_->[0][1]) * 1e6 } @pairs);
}

# Queries a second, and nginx's CPU time for each of them.

sub run {
	my ($mode, $port, $time) = @_;

	my $before = cpu_time($t->worker_pids());

	my ($status, $out) = run_command([
		Test::Hyperdrive::Postgres::bin('pgbench'), '-n', '-M', $mode,
		'-c', $clients, '-j', 1, '-T', $time, '-f',
		$t->testdir() . '/point.sql', '-h', '127.0.0.1',
		'-p', port($port), '-U', 'bench', 'bench' ],
		env => { PGPASSWORD => 'secret', PGSSLMODE => 'disable' });

	my $cpu = cpu_time($t->worker_pids()) - $before;

	my ($n) = $out =~ /number of transactions actually processed: (\d+)/;
	my ($tps) = $out =~ /tps = ([\d.]+)/;

	die "pgbench: $out\n" if $status || !$n;

	return ($tps, $cpu / $n);
}

sub fill {
	my ($status, $out) = run_command([
		Test::Hyperdrive::Postgres::bin('pgbench'), '-i', '-q', '-s', 1,
		'-h', '127.0.0.1', '-p', $pg->port(), '-U', 'bench', 'bench' ],
		env => { PGPASSWORD => 'secret', PGSSLMODE => 'disable' });

	die "pgbench -i: $out\n" if $status;
}

sub policy {
	my $text = '';

	for my $i (1 .. 50) {
		$text .= 'hyperdrive_rule ' . (
			$i % 5 == 0 ? "user=nobody$i" :
			$i % 5 == 1 ? "table=table$i" :
			$i % 5 == 2 ? "~* \"from table$i where\"" :
			$i % 5 == 3 ? "application=app$i" :
			"function=f$i") . " max_age=${i}s;\n";
	}

	return $text . <<'EOS';
hyperdrive_policy_by_lua_block {
    if query.tables.pgbench_accounts and client.user == "bench"
       and client.application_name ~= "other"
    then
        return { cache = { max_age = 3600 } }
    end
}
EOS
}

# A customer with too much data, of the cookbook.

sub params_policy {
	my ($asks) = @_;

	return <<"EOS";
hyperdrive_policy_by_lua_block {
    if query.tables.pgbench_accounts then return { $asks } end
}

hyperdrive_params_by_lua_block {
    if params[1] == "1000" then
        return { cache = false, timeout = 30 }
    end
}
EOS
}

sub start_nginx {
	my $port = $pg->port();
	my $policy = policy();
	my $servers = '';

	for my $server ([ 8080, 1, '' ], [ 8081, 1, $policy ], [ 8082, 0, '' ],
	    [ 8083, 0, $policy ], map { my $cached = $_ < 8086;
		[ $_, $cached, params_policy($_ % 2 ? 'params = true' : '') ]
		} 8084 .. 8087)
	{
		my ($listen, $cached, $with) = @$server;

		$servers .= "server { listen 127.0.0.1:$listen; "
			. 'hyperdrive_pass bench; hyperdrive_users off;'
			. ($cached ? ' hyperdrive_cache bench max_age=1h;' : '')
			. "\n$with}\n";
	}

	$t->write_file_expand('nginx.conf', <<"EOF");

%%TEST_GLOBALS%%

events {
}

stream {
    hyperdrive_cache_zone  bench 64m;

    upstream bench {
        hyperdrive_origin  postgres://bench:secret\@127.0.0.1:$port/bench?sslmode=disable;
        hyperdrive_pool    max=8;
    }

    $servers
}
EOF

	quiet($t)->run();
}

###############################################################################
