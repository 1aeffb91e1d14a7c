#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# What an answer from the cache costs, against: a canned answer of the same
# nginx that knows nothing (t/bench/canned), PgBouncer, a GET of Redis of the
# same size, and the memory cache of Pgpool-II; and with 1,000,000 entries in
# it against 10.  One row by primary key, one worker.  Each two are measured
# in turns; the medians of the ratios are printed.  It judges nothing; what
# is not installed is left out, and said so.
#
#   BENCH_PAIRS=5   BENCH_SECONDS=2   BENCH_CLIENTS=64
#   BENCH_LARGE=1   the million entries too (minutes, and a zone of 1 GB)
#   BENCH_ONLY="canned pgbouncer redis pgpool workers large"

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/../lib";

use Test::Hyperdrive;
use Test::Hyperdrive::Bench qw(cpus cpu_time median quiet rival owned words);
use Test::Hyperdrive::Postgres;
use Test::Hyperdrive::Process qw(run_command children);

$| = 1;

###############################################################################

my $pairs = $ENV{BENCH_PAIRS} || 5;
my $seconds = $ENV{BENCH_SECONDS} || 2;
my $clients = $ENV{BENCH_CLIENTS} || 64;
my $large = $ENV{BENCH_LARGE} || 0;

my %only = map { $_ => 1 } words('BENCH_ONLY', '');
my $cpus = cpus();

# T, D, C and Z of the answer
my $size = 34 + 12 + 14 + 6;

my $t = Test::Hyperdrive->new(timeout => 0);
my $dir = $t->testdir();

my $pg = $t->postgres(users => { bench => undef }, databases => [ 'bench' ],
	settings => { max_connections => 400, log_connections => 'off' });

my $scale = $large ? 10 : 1;

pgbench($pg->port(), '-i', '-q', '-s', $scale);

nginx(1);

printf "%d CPUs, %d clients, one worker, %d pairs of %g s, huge pages %s\n",
	$cpus, $clients, $pairs, $seconds, huge();

###############################################################################

my %cached = (name => 'cached', pids => sub { $t->worker_pids() },
	load => sub { load(port(8080), @_) });

if (wanted('canned')) {
	for my $mode ('simple', 'prepared') {
		compare("a canned answer, $mode", \%cached, {
			name => 'canned',
			pids => sub { $t->worker_pids() },
			load => sub { load(port(8081), @_) },
		}, $mode);
	}
}

if (wanted('pgbouncer')) {
	my $bouncer = pgbouncer();

	compare('PgBouncer, simple', \%cached, {
		name => 'PgBouncer',
		pids => sub { $bouncer->{pid} },
		load => sub { load($bouncer->{port}, @_) },
	}, 'simple') if $bouncer;
}

if (wanted('redis')) {
	my $redis = redis();

	compare("a GET of Redis, $size bytes", \%cached, {
		name => 'Redis',
		pids => sub { $redis->{pid} },
		load => sub { redis_load($redis->{port}) },
	}, 'simple') if $redis;
}

if (wanted('pgpool')) {
	my $pool = pgpool();

	compare("Pgpool-II's memory cache, simple", \%cached, {
		name => 'Pgpool-II',
		pids => sub { children($pool->{pid}) },
		load => sub { load($pool->{port}, @_) },
	}, 'simple') if $pool;
}

if (wanted('workers')) {
	if ($cpus < 4) {
		print "\ntwo workers against one: skipped, it needs four CPUs\n";

	} else {
		my $one = measure(\%cached, 'simple');

		$t->stop();
		nginx(2);

		my $two = measure(\%cached, 'simple');

		printf "\ntwo workers against one: %.2f of the throughput\n",
			$two->{tps} / $one->{tps};

		$t->stop();
		nginx(1);
	}
}

if ($large && wanted('large')) {
	large();

} elsif (!$large) {
	print "\n1,000,000 entries: skipped, BENCH_LARGE=1 is for them\n";
}

$t->finish();

###############################################################################

sub wanted {
	my ($name) = @_;
	return !%only || $only{$name};
}

# Whether the system gives huge pages to shared memory.

sub huge {
	open(my $fh, '<', '/sys/kernel/mm/transparent_hugepage/shmem_enabled')
		or return 'unknown';

	return <$fh> =~ /\[(.*)\]/ ? $1 : 'unknown';
}

sub nginx {
	my ($workers) = @_;

	my $origin = $pg->port();
	my $zone = $large ? '1024m' : '64m';
	my $canned = Test::Hyperdrive::build_dir()
		. '/bench/ngx_stream_bench_canned_module.so';

	$t->write_file_expand('nginx.conf', <<"EOS");

%%TEST_GLOBALS%%

load_module "$canned";

worker_processes  $workers;

events {
    worker_connections  4096;
}

%%TEST_STATUS%%

stream {
    hyperdrive_cache_zone  bench $zone;

    upstream bench {
        hyperdrive_origin  postgres://bench\@127.0.0.1:$origin/bench?sslmode=disable;
        hyperdrive_pool    max=20;
    }

    server {
        listen            127.0.0.1:8080;
        hyperdrive_pass   bench;
        hyperdrive_users  off;
        hyperdrive_cache  bench max_age=1d;
    }

    server {
        listen        127.0.0.1:8081;
        bench_canned;
    }
}
EOS

	quiet($t)->run();
}

###############################################################################

sub pgbench {
	my ($port, @options) = @_;

	my ($status, $out) = run_command([
		Test::Hyperdrive::Postgres::bin('pgbench'), '-h', '127.0.0.1',
		'-p', $port, '-U', 'bench', @options, 'bench' ],
		env => { PGSSLMODE => 'disable' });

	die "pgbench @options: $out\n" if $status;

	return $out;
}

# Seconds, and how many answers there were.

sub ask {
	my ($port, $mode, $for, $keys) = @_;

	my ($status, $out) = run_command([
		Test::Hyperdrive::build_dir() . '/bench/load', $port, 'bench',
		'bench', $mode, $clients, $for, $keys ]);

	die "load: $out\n" if $status;

	return reverse $out =~ /(\d+) answers in ([\d.]+) s/;
}

# Queries a second, and how many there were.

sub load {
	my ($port, $mode, $keys) = @_;

	my ($past, $n) = ask($port, $mode, $seconds, $keys || 10);

	return ($n / $past, $n);
}

sub measure {
	my ($what, @args) = @_;

	my $before = cpu_time($what->{pids}->());
	my ($tps, $n) = $what->{load}->(@args);

	return { tps => $tps,
		cpu => (cpu_time($what->{pids}->()) - $before) * 1e6 / $n };
}

sub compare {
	my ($title, $ours, $theirs, @args) = @_;

	# caches and plans get warm

	$_->{load}->(@args) for $ours, $theirs;

	my (@ours, @theirs);

	for (1 .. $pairs) {
		push @ours, measure($ours, @args);
		push @theirs, measure($theirs, @args);
	}

	printf "\n%s\n", $title;

	for ([ $ours, \@ours ], [ $theirs, \@theirs ]) {
		my ($what, $all) = @$_;

		printf "  %-12s%10.0f a second%10.2f us of CPU each\n",
			$what->{name}, median(map { $_->{tps} } @$all),
			median(map { $_->{cpu} } @$all);
	}

	printf "  %-12s%10.2f         %13.2f\n", 'ratio',
		median(map { $ours[$_]{tps} / $theirs[$_]{tps} } 0 .. $#ours),
		median(map { $ours[$_]{cpu} / $theirs[$_]{cpu} } 0 .. $#ours);
}

###############################################################################

sub program {
	my ($name) = @_;

	my ($path) = grep { -x } map { "$_/$name" }
		qw(/usr/sbin /usr/bin /usr/local/bin);

	print "\n$name: skipped, it is not installed\n" unless $path;

	return $path;
}

sub pgbouncer {
	my $path = program('pgbouncer') or return undef;
	my $port = port(6432);

	$t->write_file('bouncer/pgbouncer.ini', <<"EOS");
[databases]
bench = host=127.0.0.1 port=@{[ $pg->port() ]} dbname=bench user=bench

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = $port
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 20
max_client_conn = 2000
log_connections = 0
log_disconnections = 0
ignore_startup_parameters = extra_float_digits
EOS

	return rival($t, $port, [ $path, '-q', "$dir/bouncer/pgbouncer.ini" ],
		user => owned("$dir/bouncer"));
}

sub redis {
	my $path = program('redis-server') or return undef;
	program('redis-benchmark') or return undef;

	my $port = port(6379);

	return rival($t, $port, [ $path, '--port', $port, '--bind', '127.0.0.1',
		'--save', '', '--appendonly', 'no', '--dir', $dir ]);
}

sub redis_load {
	my ($port) = @_;

	my @command = ('redis-benchmark', '-h', '127.0.0.1', '-p', $port, '-c',
		$clients, '-d', $size, '--threads', $cpus);

	run_command([ @command, '-n', 1000, '-t', 'set', '-q' ]);

	my $n = 100000 * $seconds;
	my ($status, $out) = run_command([ @command, '-n', $n, '-t', 'get',
		'--csv' ]);

	my ($tps) = $out =~ /"GET","([\d.]+)"/ or die "redis-benchmark: $out\n";

	return ($tps, $n);
}

sub pgpool {
	my $path = program('pgpool') or return undef;
	my $port = port(9999);

	make($_) for 'pgpool', 'pgpool/oid', 'pgpool/log';

	$t->write_file('pgpool/pcp.conf', '')->write_file('pgpool/hba.conf', '');
	$t->write_file('pgpool/pgpool.conf', <<"EOS");
backend_clustering_mode = 'raw'
listen_addresses = '127.0.0.1'
port = $port
socket_dir = '$dir/pgpool'
pcp_listen_addresses = ''
pcp_port = @{[ port(9898) ]}
pcp_socket_dir = '$dir/pgpool'
pid_file_name = '$dir/pgpool/pgpool.pid'
logdir = '$dir/pgpool/log'
work_dir = '$dir/pgpool'
backend_hostname0 = '127.0.0.1'
backend_port0 = @{[ $pg->port() ]}
backend_weight0 = 1
num_init_children = @{[ $clients + 6 ]}
max_pool = 1
enable_pool_hba = off
memory_cache_enabled = on
memqcache_method = 'shmem'
memqcache_total_size = 64MB
memqcache_expire = 0
memqcache_oiddir = '$dir/pgpool/oid'
log_min_messages = fatal
EOS

	return rival($t, $port, [ $path, '-n', '-f', "$dir/pgpool/pgpool.conf",
		'-a', "$dir/pgpool/hba.conf", '-F', "$dir/pgpool/pcp.conf" ],
		user => owned("$dir/pgpool"), dir => "$dir/pgpool");
}

sub make {
	my ($name) = @_;
	mkdir "$dir/$name";
}

###############################################################################

# A statement with 10 different parameters, and with a million.

sub large {
	print "\n1,000,000 entries are made\n";

	ask(port(8080), 'prepared', 0, 1000000);

	my $cache = $t->status()->{caches}{bench};

	printf "  %d entries\n", $cache->{entries};

	my %many = (name => 'of 1,000,000', pids => $cached{pids},
		load => sub { load(port(8080), 'prepared', 1000000) });
	my %ten = (name => 'of 10', pids => $cached{pids},
		load => sub { load(port(8080), 'prepared', 10) });

	compare('a hit of many entries', \%many, \%ten);
}

###############################################################################
