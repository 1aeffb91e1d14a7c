#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: what each worker knows of statements of MySQL ends with
# what any of them changes.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive;
use Test::Hyperdrive::Workers qw(clients_of_each);

###############################################################################

my $t = Test::Hyperdrive->new();

my $db = $t->mariadb(users => { app => 'secret' }, databases => [ 'shop' ],
	sql => { shop => 'CREATE TABLE t (id INT PRIMARY KEY)' });
my $relay = $t->relay(to => $db->port());
my $origin = $relay->port();

$t->write_file_expand('nginx.conf', <<"EOC")->run();

%%TEST_GLOBALS%%

worker_processes 2;

events {
}

%%TEST_STATUS%%

stream {
    hyperdrive_cache_zone  z 4m;

    hyperdrive_users  off;

    upstream u {
        hyperdrive_origin   mysql://app:secret\@127.0.0.1:$origin?ssl-mode=DISABLED;
        hyperdrive_pool     max=4;
        hyperdrive_catalog  off;
    }

    server {
        listen           127.0.0.1:8080;
        hyperdrive_pass  u;
    }
}

EOC

my $sql = 'SELECT * FROM t';

my %of = clients_of_each($t, 'u', 2, 1, sub {
	return mysql_client(port(8080), user => 'app', password => 'x',
		database => 'shop');
});

my @clients = map { @$_ } values %of;

sub columns {
	my ($c) = @_;

	my $s = $c->prepare($sql);
	return $s->{error} ? $s->{error}{code} : $s->{ncolumns};
}

###############################################################################

columns($_) for @clients;

my $before = $relay->trips();

is(columns($_), 1, 'known in each worker') for @clients;
is($relay->trips(), $before, 'by itself');

for my $n (2 .. 9) {
	my $c = $clients[$n % 2];

	$c->query("ALTER TABLE t ADD c$n INT");
	is(columns($_), $n, "column $n, in each worker") for @clients;
}

$clients[0]->query('DROP TABLE t');
is(columns($_), 1146, 'no table, in each worker') for @clients;
$clients[1]->query('CREATE TABLE t (id INT)');
is(columns($_), 1, 'another one, in each worker') for @clients;

$t->done_testing();

###############################################################################
