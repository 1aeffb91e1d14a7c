#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# MariaDB: point selects of sysbench, as prepared statements and as text,
# directly, through the module (pooled, then cached), and through the same
# nginx's own proxy_pass, one after another on one machine.  It measures and
# judges nothing.
#
#   BENCH_CLIENTS="16 64"         BENCH_SECONDS=3      for each line
#   BENCH_MODES="text prepared"
#   BENCH_TARGETS="direct pooled cached proxy"
#   BENCH_POOL=20                 connections to the database
#   BENCH_ROWS=1000               that are asked for
#   QUICK=1                       16 clients, 1 s

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/../lib";

use Test::Hyperdrive;
use Test::Hyperdrive::Bench qw(cpus cpu_time ratio quiet words);
use Test::Hyperdrive::MariaDB;
use Test::Hyperdrive::Process qw(run_command);

$| = 1;

###############################################################################

my $quick = $ENV{QUICK};

my @clients = words('BENCH_CLIENTS', $quick ? '16' : '16 64');
my @modes = words('BENCH_MODES', 'text prepared');
my @targets = words('BENCH_TARGETS', 'direct pooled cached proxy');

my $seconds = $ENV{BENCH_SECONDS} || ($quick ? 1 : 3);
my $pool = $ENV{BENCH_POOL} || 20;
my $rows = $ENV{BENCH_ROWS} || 1000;

my ($sysbench) = grep { -x } '/usr/bin/sysbench', '/usr/local/bin/sysbench';

if (!$sysbench || !defined Test::Hyperdrive::MariaDB::program()) {
	print "\nMariaDB: skipped, there is no sysbench or no server\n";
	exit 0;
}

my $t = Test::Hyperdrive->new(timeout => 0);

my $my = $t->mariadb(users => { bench => {
		password => 'secret', plugin => 'mysql_native_password' } },
	databases => [ 'bench' ], settings => { max_connections => 400 });

sysbench($my->port(), 1, 'text', 'prepare');

nginx();

my %target = (
	direct => { port => $my->port(), title => 'direct' },
	pooled => { port => port(3307), title => 'module, pooled', ours => 1 },
	cached => { port => port(3308), title => 'module, cached', ours => 1 },
	proxy  => { port => port(3309), title => 'nginx, proxy_pass',
		ours => 1 },
);

printf "\n%d CPUs, %g s for each line, one nginx worker, pool of %d, "
	. "MariaDB %s\n", cpus(), $seconds, $pool,
	Test::Hyperdrive::MariaDB::version();

for my $mode (@modes) {
	block($mode, $_) for @clients;
}

###############################################################################

sub nginx {
	my $port = $my->port();

	$t->write_file('users.txt', "\"bench\" \"secret\"\n");
	$t->write_file_expand('nginx.conf', <<"EOF");

%%TEST_GLOBALS%%

worker_processes  1;

events {
    worker_connections  4096;
}

%%TEST_STATUS%%

stream {
    hyperdrive_cache_zone  bench 64m;

    upstream bench {
        hyperdrive_origin  mysql://bench:secret\@127.0.0.1:$port/bench;
        hyperdrive_pool    max=$pool;
    }

    server {
        listen             127.0.0.1:%%PORT_3307%%;
        hyperdrive_pass    bench;
        hyperdrive_users   %%TESTDIR%%/users.txt;
    }

    server {
        listen             127.0.0.1:%%PORT_3308%%;
        hyperdrive_pass    bench;
        hyperdrive_users   %%TESTDIR%%/users.txt;
        hyperdrive_cache   bench max_age=1h;
    }

    server {
        listen             127.0.0.1:%%PORT_3309%%;
        proxy_pass         127.0.0.1:$port;
    }
}
EOF

	quiet($t)->run();
}

sub sysbench {
	my ($port, $clients, $mode, $what, @options) = @_;

	my ($status, $out) = run_command([ $sysbench, 'oltp_point_select',
		'--db-driver=mysql', '--mysql-host=127.0.0.1',
		"--mysql-port=$port", '--mysql-user=bench',
		'--mysql-password=secret', '--mysql-db=bench',
		'--mysql-ssl=off', '--tables=1', "--table-size=$rows",
		"--threads=$clients", '--histogram=off', '--rand-type=uniform',
		'--db-ps-mode=' . ($mode eq 'text' ? 'disable' : 'auto'),
		@options, $what ]);

	die "sysbench $what: $out\n" if $status;

	return $out;
}

sub block {
	my ($mode, $clients) = @_;

	printf "\nMariaDB, %s, %d client%s\n", $mode, $clients,
		$clients == 1 ? '' : 's';

	printf "  %-20s%10s%10s%12s%16s\n", '', 'tps', 'ms', 'x direct',
		'us CPU/query';

	my $direct;

	for my $name (@targets) {
		my $target = $target{$name};
		my $line = eval { measure($target, $mode, $clients) };

		if (!$line) {
			print "  $target->{title}: failed: $@";
			next;
		}

		$direct = $line->{tps} if $name eq 'direct';

		printf "  %-20s%10.0f%10.3f%12s%16s\n", $target->{title},
			$line->{tps}, $line->{ms}, ratio($line->{tps}, $direct),
			$target->{ours} ? sprintf('%.1f', $line->{cpu}) : '-';
	}
}

sub measure {
	my ($target, $mode, $clients) = @_;

	my @args = ($target->{port}, $clients, $mode, 'run');

	# the pool and the cache get warm

	sysbench(@args, '--time=1');

	my $before = used($target);
	my $out = sysbench(@args, "--time=$seconds");

	my ($n, $tps) = $out =~ /queries:\s+(\d+)\s+\(([\d.]+) per sec/
		or die $out;
	my ($ms) = $out =~ /avg:\s+([\d.]+)/ or die $out;

	return { tps => $tps, ms => $ms,
		cpu => (used($target) - $before) * 1e6 / ($n || 1) };
}

sub used {
	my ($target) = @_;
	return $target->{ours} ? cpu_time($t->worker_pids()) : 0;
}

###############################################################################
