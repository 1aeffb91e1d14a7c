#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Throughput, and what a query costs the proxy in CPU time: pgbench asks for
# rows by primary key directly, through the module (pooled, then cached),
# through PgBouncer where it is installed, and through the same nginx's own
# proxy_pass, which knows nothing of what it passes on: what two sockets cost.
# One after another on one machine.
# It measures and judges nothing.
#
#   BENCH_CLIENTS="1 16 64 256"   BENCH_SECONDS=3      for each line
#   BENCH_MODES="simple extended prepared"
#   BENCH_TLS="0 1"               the client's side, the origin's is plain
#   BENCH_CONNECT="0 1"           1: a connection for each query (simple only)
#   BENCH_TARGETS="direct pooled cached pgbouncer proxy"
#   BENCH_WORKERS=1               nginx's; PgBouncer has one
#   BENCH_POOL=20                 connections to the database
#   BENCH_ROWS=1000               that are asked for, of 100,000
#   BENCH_JSON=file               all figures, a line each
#   QUICK=1                       1 and 16 clients, 1 s, plain, no reconnecting

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/../lib";

use JSON::PP ();

use Test::Hyperdrive;
use Test::Hyperdrive::Bench qw(cpus cpu_time ratio quiet rival owned words);
use Test::Hyperdrive::Postgres;
use Test::Hyperdrive::Process qw(run_command);

$| = 1;

###############################################################################

my $quick = $ENV{QUICK};

my @clients = words('BENCH_CLIENTS', $quick ? '1 16' : '1 16 64 256');
my @modes = words('BENCH_MODES', 'simple extended prepared');
my @tls = words('BENCH_TLS', $quick ? '0' : '0 1');
my @connect = words('BENCH_CONNECT', $quick ? '0' : '0 1');
my @targets = words('BENCH_TARGETS', 'direct pooled cached pgbouncer proxy');

my $seconds = $ENV{BENCH_SECONDS} || ($quick ? 1 : 3);
my $workers = $ENV{BENCH_WORKERS} || 1;
my $pool = $ENV{BENCH_POOL} || 20;
my $rows = $ENV{BENCH_ROWS} || 1000;

my $json = $ENV{BENCH_JSON};
my $cpus = cpus();

my $t = Test::Hyperdrive->new(timeout => 0);

###############################################################################

$t->certificate('front');

my $pg = $t->postgres(users => { bench => 'secret' }, databases => [ 'bench' ],
	ssl => 'front',
	settings => { max_connections => 400, log_connections => 'off' });

fill();

my $bouncer = pgbouncer();
my $has_prepared = $bouncer && $bouncer->{version} >= 1.21;

start_nginx();

$t->write_file('point.sql', "\\set id random(1, $rows)\n"
	. "SELECT abalance FROM pgbench_accounts WHERE aid = :id;\n");

# where to connect, and whose CPU time counts

my %target = (
	direct    => { port => $pg->port(), title => 'direct' },
	pooled    => { port => port(5433), title => 'module, pooled',
		pids => sub { $t->worker_pids() } },
	cached    => { port => port(5434), title => 'module, cached',
		pids => sub { $t->worker_pids() } },
	pgbouncer => $bouncer ? { port => $bouncer->{port},
		title => "PgBouncer $bouncer->{version}",
		pids => sub { $bouncer->{pid} } } : undef,
	proxy     => { port => port(5435), title => 'nginx, proxy_pass',
		pids => sub { $t->worker_pids() } },
);

@targets = grep { $target{$_} } @targets;

printf "%d CPUs, %g s for each line, %d nginx worker%s, pool of %d, %s\n",
	$cpus, $seconds, $workers, $workers == 1 ? '' : 's', $pool,
	version();

for my $connect (@connect) {
	for my $tls (@tls) {
		for my $mode (@modes) {

			# with one query to a connection the modes are alike
			next if $connect && $mode ne 'simple';

			for my $clients (@clients) {
				block($mode, $clients, $tls, $connect);
			}
		}
	}
}

###############################################################################

sub version {
	my ($status, $out) = run_command([
		Test::Hyperdrive::Postgres::bin('postgres'), '--version' ]);

	chomp $out;
	return $out;
}

sub fill {
	my ($status, $out) = run_command([
		Test::Hyperdrive::Postgres::bin('pgbench'), '-i', '-q', '-s', 1,
		'-h', '127.0.0.1', '-p', $pg->port(), '-U', 'bench', 'bench' ],
		env => { PGPASSWORD => 'secret', PGSSLMODE => 'disable' });

	die "pgbench -i: $out\n" if $status;
}

sub start_nginx {
	my $port = $pg->port();

	$t->write_file('users.txt', "\"bench\" \"secret\"\n");

	# one upstream for both: the pool is the same

	$t->write_file_expand('nginx.conf', <<"EOF");

%%TEST_GLOBALS%%

worker_processes  $workers;

events {
    worker_connections  4096;
}

%%TEST_STATUS%%

stream {
    hyperdrive_cache_zone  bench 64m;

    ssl_certificate        %%TESTDIR%%/front.crt;
    ssl_certificate_key    %%TESTDIR%%/front.key;

    upstream bench {
        hyperdrive_origin  postgres://bench:secret\@127.0.0.1:$port/bench?sslmode=disable;
        hyperdrive_pool    max=$pool;
    }

    server {
        listen             127.0.0.1:%%PORT_5433%%;
        hyperdrive_pass    bench;
        hyperdrive_users   %%TESTDIR%%/users.txt;
    }

    server {
        listen             127.0.0.1:%%PORT_5434%%;
        hyperdrive_pass    bench;
        hyperdrive_users   %%TESTDIR%%/users.txt;
        hyperdrive_cache   bench max_age=1h;
    }

    server {
        listen             127.0.0.1:%%PORT_5435%%;
        proxy_pass         127.0.0.1:$port;
    }
}
EOF

	quiet($t)->run();
}

# Transaction pooling with as many connections; it refuses to run as root.

sub pgbouncer {
	my ($path) = grep { -x } qw(/usr/sbin/pgbouncer /usr/bin/pgbouncer);
	return undef unless $path && grep { $_ eq 'pgbouncer' } @targets;

	my ($status, $out) = run_command([ $path, '--version' ]);
	my ($version) = $out =~ /PgBouncer (\d+\.\d+)/ or return undef;

	my $port = port(6432);
	my $dir = $t->testdir();
	my $prepared = $version >= 1.21 ? "max_prepared_statements = 100\n" : '';

	$t->write_file('bouncer/users.txt', "\"bench\" \"secret\"\n");
	$t->write_file('bouncer/pgbouncer.ini', <<"EOF");
[databases]
bench = host=127.0.0.1 port=@{[ $pg->port() ]} dbname=bench

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = $port
unix_socket_dir =
auth_type = scram-sha-256
auth_file = $dir/bouncer/users.txt
pool_mode = transaction
default_pool_size = $pool
max_client_conn = 2000
server_tls_sslmode = disable
client_tls_sslmode = allow
client_tls_cert_file = $dir/bouncer/front.crt
client_tls_key_file = $dir/bouncer/front.key
log_connections = 0
log_disconnections = 0
ignore_startup_parameters = extra_float_digits
$prepared
EOF

	for my $name (qw(front.crt front.key)) {
		$t->write_file("bouncer/$name", $t->read_file($name));
	}

	my $bouncer = rival($t, $port,
		[ $path, '-q', "$dir/bouncer/pgbouncer.ini" ],
		user => owned("$dir/bouncer"));

	$bouncer->{version} = $version;

	return $bouncer;
}

###############################################################################

sub block {
	my ($mode, $clients, $tls, $connect) = @_;

	printf "\n%s, %d client%s%s%s\n", $mode, $clients,
		$clients == 1 ? '' : 's', $tls ? ', TLS' : '',
		$connect ? ', reconnecting' : '';

	printf "  %-20s%10s%10s%12s%14s%16s\n", '', 'tps', 'ms', 'x direct',
		'x PgBouncer', 'us CPU/query';

	my %tps;
	my @lines;

	for my $name (@targets) {

		if ($name eq 'pgbouncer' && $mode eq 'prepared'
		    && !$has_prepared)
		{
			next;
		}

		my $line = measure($name, $mode, $clients, $tls, $connect);

		push @lines, [ $name, $line ];
		$tps{$name} = $line->{tps} if $line && $line->{tps};
	}

	# ratios need them all

	for (@lines) {
		my ($name, $line) = @$_;
		my $title = $target{$name}{title};

		if (!$line) {
			printf "  %-20s%10s\n", $title, 'failed';
			next;
		}

		printf "  %-20s%10.0f%10.3f%12s%14s%16s\n", $title,
			$line->{tps}, $line->{latency},
			ratio($line->{tps}, $tps{direct}),
			ratio($line->{tps}, $tps{pgbouncer}),
			defined $line->{cpu} ? sprintf('%.1f', $line->{cpu})
				: '-';

		record({ %$line, target => $name, mode => $mode,
			clients => $clients, tls => $tls + 0,
			connect => $connect + 0 });
	}
}

sub measure {
	my ($name, $mode, $clients, $tls, $connect) = @_;

	my $target = $target{$name};
	my $threads = $clients < $cpus ? $clients : $cpus;

	my @command = (Test::Hyperdrive::Postgres::bin('pgbench'), '-n',
		'-M', $mode, '-c', $clients, '-j', $threads,
		'-f', $t->testdir() . '/point.sql',
		$connect ? '-C' : (),
		'-h', '127.0.0.1', '-p', $target->{port}, '-U', 'bench');

	my %env = (PGPASSWORD => 'secret',
		PGSSLMODE => $tls ? 'require' : 'disable');

	# the pool, the cache and the database's own plans get warm

	my ($status, $out) = run_command([ @command, '-T', 1, 'bench' ],
		env => \%env);

	if (!$status) {
		my $before = used($target);

		($status, $out) = run_command([ @command, '-T', $seconds,
				'bench' ], env => \%env);

		if (!$status) {
			my ($n) = $out =~ /actually processed: (\d+)/;
			my ($tps) = $out =~ /^tps = ([\d.]+)/m;

			# none was answered in time
			return undef unless $n && defined $tps;

			my ($ms) = $out =~ /^latency average = ([\d.]+)/m;
			my ($lost) = $out =~ /failed transactions: (\d+)/;

			print "  $name: $lost failed transactions\n" if $lost;

			return {
				tps => $tps,
				latency => $ms,
				transactions => $n,
				cpu => $target->{pids}
					? (used($target) - $before) * 1e6
						/ $n : undef,
			};
		}
	}

	print "  $name: $_\n" for grep { length } (split /\n/, $out)[0 .. 4];

	return undef;
}

sub used {
	my ($target) = @_;
	return $target->{pids} ? cpu_time($target->{pids}->()) : 0;
}

sub record {
	my ($line) = @_;

	return unless defined $json;

	open(my $fh, '>>', $json) or die "cannot write $json: $!\n";
	print $fh JSON::PP->new->canonical->encode($line), "\n";
}

###############################################################################
