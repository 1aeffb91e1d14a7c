#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: requests to cancel go to the database as the connection
# does: with TLS where that has it, and only to whom it would trust.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive;
use Test::Hyperdrive::Postgres;

###############################################################################

my $t = Test::Hyperdrive->new();

$t->certificate('ca', cn => 'tests')
	->certificate('other_ca', cn => 'others')
	->certificate('db', ca => 'ca', alt => [ 'DNS:localhost' ])
	->certificate('impostor', ca => 'other_ca', alt => [ 'DNS:localhost' ]);

my $dir = $t->testdir();

my $pg = $t->postgres(users => { app => 'pw' }, databases => [ 'shop' ],
	ssl => 'db');

$t->write_file_expand('nginx.conf', <<"EOS")->run();

%%TEST_GLOBALS%%

events {
}

stream {
    hyperdrive_users  off;

    upstream u {
        hyperdrive_origin  postgres://app:pw\@localhost:@{[$pg->port()]}/shop?sslmode=verify-full&sslrootcert=$dir/ca.crt;
    }

    server {
        listen           127.0.0.1:8080;
        hyperdrive_pass  u;
    }
}

EOS

###############################################################################

my $sleeping = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' "
	. "AND query LIKE 'SELECT pg_sleep%'";

my $c = pg_client(port(8080), user => 'app', database => 'shop', timeout => 20);

is($c->query('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()')
	->value(), 't', 'the connection has TLS');

is(cancelled(), '57014', 'a request is cancelled');
is($c->query('SELECT 5')->value(), 5, 'the connection is there');
is(cancelled(), '57014', 'and once more');

# somebody else answers on the database's port

for my $end ('crt', 'key') {
	my ($status) = Test::Hyperdrive::run_command([ 'cp',
		"$dir/impostor.$end", $pg->data() . "/impostor.$end" ]);
	die "no certificate\n" if $status;
	chown((stat $pg->data())[4, 5], $pg->data() . "/impostor.$end");
	chmod 0600, $pg->data() . "/impostor.$end";
}

$pg->psql("ALTER SYSTEM SET ssl_cert_file = 'impostor.crt'");
$pg->psql("ALTER SYSTEM SET ssl_key_file = 'impostor.key'");
$pg->psql('SELECT pg_reload_conf()');

ok(eval { wait_for(sub {
	$pg->psql('SHOW ssl_cert_file') eq 'impostor.crt';
}, 10) }, 'another certificate');

asleep(8);
$c->cancel();

ok($t->wait_for_log(qr/request to cancel .* was not sent: .* certificate/),
	'the key is not shown to somebody else');
is($c->result()->state(), '', 'and the request goes on');

$c->close();

$t->done_testing();

###############################################################################

sub asleep {
	my ($seconds) = @_;

	$c->send("Q", "SELECT pg_sleep($seconds)\0")->flush_out();
	wait_for(sub { $pg->psql($sleeping) }, 10);
}

sub cancelled {
	asleep(30);
	$c->cancel();

	return $c->result()->state();
}

###############################################################################
