#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: MySQL's clients and drivers do their ordinary work; all
# that they say is what they say to MariaDB itself.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib '../lib';
use Test::Hyperdrive qw(port build_dir node_path run_command wait_for);

###############################################################################

my $t = Test::Hyperdrive->new();

my $db = $t->mariadb(users => { app => 'secret' },
	databases => [ 'shop', 'other' ]);

my $port = $db->port();

$t->write_file('users.txt', qq{"app" "secret"\n});

my $conf = $t->expand(<<"CONF");

%%TEST_GLOBALS%%

events {
}

stream {
    upstream shop {
        hyperdrive_origin  mysql://app:secret\@127.0.0.1:$port/shop;
        hyperdrive_pool    max=8;
    }

    upstream packed {
        hyperdrive_origin  mysql://app:secret\@127.0.0.1:$port/shop?compress=true;
        hyperdrive_pool    max=4;
    }

    hyperdrive_cache_zone  c 16m;

    server {
        listen            127.0.0.1:8080;
        hyperdrive_pass   shop;
        hyperdrive_users  users.txt;
    }

    server {
        listen            127.0.0.1:8082;
        hyperdrive_pass   packed;
        hyperdrive_users  users.txt;
        hyperdrive_cache  c max_age=1h;
    }
}

CONF

$conf =~ s/(error_log \S+) debug;/$1 info;/
	unless $ENV{TEST_HYPERDRIVE_DEBUG};

$t->write_file('nginx.conf', $conf)->run();

# MySQL's clients of the command line take no "-p" with a password gladly

my $client = '/usr/bin/mariadb';

same('the mysql client', sub { [ $client, '--no-defaults', '-B', '-h',
	'127.0.0.1', '-P', $_[0], '-u', 'app', '-psecret', 'shop' ] },
	input => "$FindBin::Bin/mysql.sql");

# from memory where it may be, compressed at both ends

my @packed = (port(8080), port(8082));

same('the mysql client, compressed', sub { [ $client, '--no-defaults', '-B',
	'-h', '127.0.0.1', '-P', $_[0], '-u', 'app', '-psecret', '--compress',
	'shop' ] }, input => "$FindBin::Bin/mysql.sql", ports => \@packed);

for my $driver ('mysql', 'mysql2') {
	same("node: $driver", sub { [ 'node', 'mysql_node.js', $driver, $_[0] ] },
		env => { NODE_PATH => node_path() });
}

# it warns of how MariaDB numbers packets in compressed ones

same('node: mysql2, compressed', sub { [ 'node', 'mysql_node.js', 'mysql2',
	$_[0], 'compress' ] }, env => { NODE_PATH => node_path() },
	ports => \@packed,
	but => qr/^Warning: got packets out of order.*\n/m);

same('PyMySQL', sub { [ '/usr/bin/python3', 'mysql_py.py', $_[0] ] });

for my $prepare (0, 1) {
	same("DBD::MariaDB, prepared: $prepare",
		sub { [ $^X, 'mysql_dbd.pl', $_[0], $prepare ] });
}

same('PHP: mysqli and PDO', sub { [ 'php', 'mysql_php.php', $_[0] ] });

my $program = build_dir() . '/drivers/mysql_c';
mkdir build_dir() . '/drivers';

my ($status, $out) = run_command([ 'sh', '-c', "cc -o $program mysql_c.c "
	. '$(mariadb_config --cflags --libs)' ], dir => $FindBin::Bin);
diag($out) if $status;

same('Connector/C', sub { [ $program, $_[0] ] });

my $maria = build_dir() . '/drivers/mysql_maria';

($status, $out) = run_command([ 'sh', '-c', "cc -o $maria mysql_maria.c "
	. '$(mariadb_config --cflags --libs)' ], dir => $FindBin::Bin);
diag($out) if $status;

for my $compress ([], [ 'compress' ]) {
	same("Connector/C, MariaDB's own @$compress",
		sub { [ $maria, $_[0], @$compress ] }, ports => \@packed);
}

$program = build_dir() . '/drivers/mysql_go';

($status, $out) = run_command([ 'go', 'build', '-o', $program, 'mysql_go.go' ],
	dir => $FindBin::Bin, env => { GO111MODULE => 'off',
	GOPATH => '/usr/share/gocode', HOME => build_dir() });
diag($out) if $status;

same("Go's driver", sub { [ $program, $_[0] ] });

###############################################################################

my @sysbench = ('sysbench', 'oltp_read_write', '--db-driver=mysql',
	'--mysql-host=127.0.0.1', '--mysql-user=app', '--mysql-password=secret',
	'--mysql-db=shop', '--tables=1', '--table-size=1000', '--threads=8',
	'--events=300', '--time=0');

($status, $out) = run_command([ @sysbench, "--mysql-port=$port", 'prepare' ]);
is($status, 0, 'sysbench: its tables') or diag($out);

for my $mode ('auto', 'disable') {
	($status, $out) = run_command([ @sysbench, '--mysql-port=' . port(8080),
		"--db-ps-mode=$mode", '--mysql-ignore-errors=1213,1205', 'run' ]);

	ok($status == 0 && $out =~ /transactions:\s+300 /,
		"sysbench oltp_read_write, prepared statements: $mode")
		or diag($out);
}

# (the database lists some for a moment longer than it has them)

ok(eval { wait_for(sub { $db->connections(user => 'app') <= 12 }) },
	'and no more connections than there may be');

$t->done_testing();

###############################################################################

# The program says the same to the database itself and through the module.

sub same {
	my ($name, $command, %o) = @_;

	my @ports = @{delete $o{ports} || [ port(8080) ]};
	my $but = delete $o{but};
	my @said;

	for my $to ($port, @ports) {
		my ($status, $out) = run_command([ 'timeout', '180',
			@{$command->($to)} ], dir => $FindBin::Bin, %o);

		$out =~ s/$but//g if $but;
		$out .= "exits with $status\n" if $status;
		push @said, $out;
	}

	unlike($said[0], qr/exits with|failed/, "$name: works by itself");
	is($said[$_], $said[0], "$name: says the same") for 1 .. @ports;
}

###############################################################################
