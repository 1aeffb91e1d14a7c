#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# A far database, direct and through the module: real queries through real
# drivers, and how long they take.  Everything is thrown away at the end.
#
#   DEMO_RTT=100    round trip time to the database, in milliseconds
#   DEMO_ROUNDS=7   of each kind; the median is shown
#   KEEP=1          stays up and prints connection strings to try

###############################################################################

use warnings;
use strict;

use FindBin;
use lib "$FindBin::Bin/../lib";

use JSON::PP ();
use Time::HiRes qw(time sleep);

use Test::Hyperdrive;
use Test::Hyperdrive::MariaDB;
use Test::Hyperdrive::Postgres;
use Test::Hyperdrive::Process qw(run_command);

$| = 1;

###############################################################################

my $rtt = $ENV{DEMO_RTT} // 100;
my $rounds = $ENV{DEMO_ROUNDS} || 7;
my $keep = $ENV{KEEP};

my $t = Test::Hyperdrive->new(timeout => 0);

# One entry for each database: how it is started, what of nginx's
# configuration it needs, and the drivers to measure with.

my @databases = (
	{
		title => 'PostgreSQL',
		name => 'shop',
		port => 5432,
		start => \&start_postgres,
		url => sub {
			my ($port) = @_;
			"postgres://app:secret\@127.0.0.1:$port/shop"
				. '?sslmode=disable';
		},
		client => sub {
			my ($port) = @_;
			require Test::Hyperdrive::PG;
			Test::Hyperdrive::PG->connect($port, user => 'app',
				password => 'secret', database => 'shop');
		},
		drivers => [
			[ 'psql', \&psql ],
			[ 'node-postgres', \&node ],
		],
	},
	{
		title => 'MariaDB',
		name => 'store',
		port => 3306,
		start => \&start_mariadb,
		url => sub {
			my ($port) = @_;
			"mysql://app:secret\@127.0.0.1:$port/store";
		},
		client => sub {
			my ($port) = @_;
			require Test::Hyperdrive::MySQL;
			Test::Hyperdrive::MySQL->connect($port, user => 'app',
				password => 'secret', database => 'store');
		},
		drivers => [
			[ 'PyMySQL', \&pymysql ],
			[ 'mysql2', \&node ],
		],
	},
);

###############################################################################

print "The databases are $rtt ms away (round trip); nginx is near.\n";

for my $db (@databases) {
	my $origin = $db->{start}->($db);

	$db->{relay} = $t->relay(to => $origin, rtt => $rtt / 1000);
	$db->{direct} = $db->{url}->($db->{relay}->port());
	$db->{through} = $db->{url}->(port($db->{port}));
}

start_nginx();

my @kinds = (
	[ connect => 'connect + query' ],
	[ warm => 'query, warm connection' ],
	[ cached => 'the same query again' ],
);

for my $db (@databases) {
	print "\n";
	printf "%-16s%-26s%12s%16s%10s\n", $db->{title}, '', 'direct',
		'through nginx', 'factor';

	for my $driver (@{$db->{drivers}}) {
		my ($title, $measure) = @$driver;

		my $direct = $measure->($db->{direct});
		my $through = $measure->($db->{through});

		for my $kind (@kinds) {
			my ($name, $text) = @$kind;

			printf "%-16s%-26s%9s ms%13s ms%10s\n", $title,
				$text, ms($direct->{$name}),
				ms($through->{$name}),
				factor($direct->{$name}, $through->{$name});
			$title = '';
		}
	}
}

counted($_) for @databases;

stay() if $keep;

###############################################################################

sub ms {
	my ($ms) = @_;
	return sprintf($ms < 10 ? '%.2f' : '%.0f', $ms);
}

sub factor {
	my ($direct, $through) = @_;

	return '-' if $through <= 0;

	my $factor = $direct / $through;
	return sprintf($factor < 10 ? '%.1f' : '%.0f', $factor);
}

sub start_postgres {
	my ($db) = @_;

	my $pg = $t->postgres(users => { app => 'secret' },
		databases => [ $db->{name} ],
		sql => { $db->{name} => <<'EOF' });

CREATE TABLE articles (
    id     int PRIMARY KEY,
    name   text NOT NULL,
    price  numeric(10,2) NOT NULL
);

INSERT INTO articles
    SELECT i, 'article ' || i, i / 100.0 FROM generate_series(1, 100000) i;

ANALYZE articles;

GRANT ALL ON articles TO app;
EOF

	return $pg->port();
}

sub start_mariadb {
	my ($db) = @_;

	my $my = $t->mariadb(users => { app => 'secret' },
		databases => [ $db->{name} ],
		sql => { $db->{name} => <<'EOF' });

CREATE TABLE articles (
    id     int PRIMARY KEY,
    name   varchar(100) NOT NULL,
    price  decimal(10,2) NOT NULL
);

INSERT INTO articles
    SELECT seq, concat('article ', seq), seq / 100 FROM seq_1_to_100000;
EOF

	return $my->port();
}

sub start_nginx {
	my $stream = '';

	for my $db (@databases) {
		my $origin = $db->{direct};

		$stream .= <<"EOF";
    hyperdrive_cache_zone  $db->{name} 64m;

    upstream $db->{name} {
        hyperdrive_origin  $origin;
        hyperdrive_pool    max=10 min=2;
    }

    server {
        listen             127.0.0.1:%%PORT_$db->{port}%%;
        hyperdrive_pass    $db->{name};
        hyperdrive_users   %%TESTDIR%%/users.txt;
        hyperdrive_cache   $db->{name} max_age=60s;
    }
EOF
	}

	$t->write_file('users.txt', "\"app\" \"secret\"\n");

	# workers may be somebody else
	chmod 0644, $t->testdir() . '/users.txt';

	$t->write_file_expand('nginx.conf', <<"EOF");

%%TEST_GLOBALS%%

worker_processes  1;

events {
    worker_connections  1024;
}

%%TEST_STATUS%%

stream {
$stream
}
EOF

	$t->run();
}

###############################################################################
# The drivers: medians in ms of "connect", "warm" and "cached".

sub psql {
	my ($url) = @_;

	my $psql = Test::Hyperdrive::Postgres::bin('psql');
	my $id = 1000;

	# the program itself needs some time to start: without a database

	my $idle = median(map { timed([ $psql, '--version' ]) } 1 .. $rounds);

	my @connect = map {
		$id++;
		timed([ $psql, '-X', '-A', '-t', '-c', point($id), $url ],
			"article $id|");
	} 1 .. $rounds;

	my $script = "\\timing on\n" . point($id) . ";\n";

	$script .= point(++$id) . ";\n" for 1 .. $rounds;
	$script .= point(1) . ";\n" for 0 .. $rounds;

	$t->write_file('demo.sql', $script);

	my ($status, $out) = run_command([ $psql, '-X', '-A', '-t',
		'-v', 'ON_ERROR_STOP=1', $url ],
		input => $t->testdir() . '/demo.sql');
	die "psql: $out\n" if $status;

	my @times = $out =~ /^Time: ([\d.]+) ms/mg;
	die "psql: $out\n" if @times != 2 * $rounds + 2;

	shift @times;
	my @warm = splice(@times, 0, $rounds);
	shift @times;

	my $connect = median(@connect) - $idle;

	return {
		connect => $connect > 0 ? $connect : 0.1,
		warm => median(@warm),
		cached => median(@times)
	};
}

sub point {
	my ($id) = @_;
	return "SELECT name, price FROM articles WHERE id = $id";
}

sub timed {
	my ($command, $expected) = @_;

	my $start = time();
	my ($status, $out) = run_command($command);
	my $time = (time() - $start) * 1000;

	die "@$command: $out\n" if $status
		|| defined $expected && index($out, $expected) != 0;

	return $time;
}

sub median {
	my @sorted = sort { $a <=> $b } @_;
	return $sorted[@sorted / 2];
}

sub node {
	my ($url) = @_;

	return program($url, 'node', "$FindBin::Bin/demo.js");
}

sub pymysql {
	my ($url) = @_;

	return program($url, '/usr/bin/python3', "$FindBin::Bin/demo.py");
}

# One that measures by itself, and prints the medians as JSON.

sub program {
	my ($url, @command) = @_;

	my ($status, $out) = run_command([ @command, $url, 'articles',
			$rounds ],
		env => { NODE_PATH => Test::Hyperdrive::node_path() });

	die "$command[1]: $out\n" if $status;

	return JSON::PP->new->decode($out);
}

###############################################################################

# Round trips, counted on the way to the database: no clock is involved.

sub counted {
	my ($db) = @_;

	my $relay = $db->{relay};
	my $client = $db->{client}->(port($db->{port}));

	$client->query(point(1));

	my %trips;

	for my $id (1, 99999) {
		$relay->reset();
		$client->query(point($id));
		$trips{$id} = $relay->trips();
	}

	$client->close();

	printf "\nRound trips to %s, counted on the way: a warm query %d, "
		. "a cached one %d.\n", $db->{title}, @trips{99999, 1};
}

sub stay {
	print "\nTo try, until you press Ctrl-C:\n\n";

	for my $db (@databases) {
		print "  direct   $db->{direct}\n";
		print "  through  $db->{through}\n";
	}

	print '  status   http://127.0.0.1:', port(8999), "/hyperdrive\n";
	print '  nginx    ', $t->testdir(), "/nginx.conf\n";

	$SIG{INT} = $SIG{TERM} = sub { exit 0 };
	sleep(3600) for 1 .. 1_000_000;
}

###############################################################################
