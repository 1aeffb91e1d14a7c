#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: behind a balancer that speaks the PROXY protocol, the
# client's address is the one that it names.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive qw(port pg_client wait_for run_command);
use Test::Hyperdrive::PG;
use Test::Hyperdrive::Postgres;

###############################################################################

my $t = Test::Hyperdrive->new();

my $pg = $t->postgres(users => { app => 'origin' }, databases => [ 'shop' ]);

my $port = $pg->port();

$t->certificate('front');
$t->write_file('users.txt', qq{"app" "secret"\n});

$t->write_file_expand('nginx.conf', <<"EOS")->run();

%%TEST_GLOBALS%%

events {
}

stream {
    log_format  all  "\$remote_addr:\$remote_port|\$proxy_protocol_addr|\$realip_remote_addr|\$hyperdrive_user|\$hyperdrive_queries";
    access_log  %%TESTDIR%%/access.log  all;

    hyperdrive_users     users.txt;
    ssl_certificate      front.crt;
    ssl_certificate_key  front.key;

    upstream shop {
        hyperdrive_origin  postgres://app:origin\@127.0.0.1:$port/shop?sslmode=disable;
        hyperdrive_pool    max=4;
    }

    server {
        listen            127.0.0.1:8080 proxy_protocol;
        hyperdrive_pass   shop;
    }

    server {
        listen            127.0.0.1:8081 proxy_protocol;
        hyperdrive_pass   shop;
        set_real_ip_from  127.0.0.0/8;
    }

    server {
        listen          127.0.0.1:8090;
        proxy_pass      127.0.0.1:8081;
        proxy_protocol  on;
        access_log      off;
    }

    server {
        listen            127.0.0.1:8082 proxy_protocol;
        hyperdrive_pass   shop;
        set_real_ip_from  127.0.0.0/8;
        deny              192.0.2.66;
    }
}

EOS

###############################################################################

my $v1 = "PROXY TCP4 192.0.2.7 192.0.2.1 4711 5432\r\n";
my $v2 = "\r\n\r\n\0\r\nQUIT\n" . pack('CCn', 0x21, 0x11, 12)
	. pack('C4 C4 n n', 192, 0, 2, 8, 192, 0, 2, 1, 4712, 5432);
my $unknown = "PROXY UNKNOWN\r\n";

{
	my ($tls, $name) = (0, 'clear');

	talk(8080, $v1, $tls, qr/^127\.0\.0\.1:\d+\|192\.0\.2\.7\|127/,
		"$name, version 1");
	talk(8080, $v2, $tls, qr/^127\.0\.0\.1:\d+\|192\.0\.2\.8\|127/,
		"$name, version 2");
	talk(8081, $v1, $tls, qr/^192\.0\.2\.7:4711\|192\.0\.2\.7\|127\.0\.0\.1/,
		"$name, version 1, believed");
	talk(8081, $v2, $tls, qr/^192\.0\.2\.8:4712\|192\.0\.2\.8\|127\.0\.0\.1/,
		"$name, version 2, believed");
	talk(8081, $unknown, $tls, qr{^127\.0\.0\.1:\d+\|-\|127},
		"$name, UNKNOWN is who is connected");
}

# TLS begins behind the line, and keeps what it said

my ($status, $out) = run_command([ Test::Hyperdrive::Postgres::bin('psql'),
	'-X', '-A', '-t', '-c', 'SELECT 9', 'host=127.0.0.1 user=app '
	. 'dbname=shop sslmode=require port=' . port(8090) ],
	env => { PGPASSWORD => 'secret' });

like($out, qr/^9$/m, 'TLS behind another nginx');

wait_for(sub { $t->read_file('access.log') =~ /127\.0\.0\.1:\d+\|127/ }, 10);
like($t->read_file('access.log'), qr/^127\.0\.0\.1:\d+\|127\.0\.0\.1\|127\.0\.0\.1\|app\|1$/m,
	'TLS, the address');

# all in one write, and byte by byte

my $c = client(8081);
$c->send_raw($v1 . $c->startup_message());
$c->authenticate();
is($c->query('SELECT 1')->value(), 1, 'in one write with the start-up');
$c->close();

# (the line itself nginx wants whole)

$c = client(8081);
$c->send_raw($v1);
$c->{split} = 1;
$c->startup();
$c->authenticate();
is($c->query('SELECT 2')->value(), 2, 'byte by byte');
$c->close();

# what nginx logs of a client names it

$c = client(8081, password => 'wrong');
$c->send_raw($v1);
$c->startup();
$c->authenticate();
$c->vanish();

ok($t->wait_for_log(qr/refused: wrong password.*client: 192\.0\.2\.7/),
	'the error log names the address');

# rules for addresses

$c = client(8082);
$c->send_raw("PROXY TCP4 192.0.2.66 192.0.2.1 4711 5432\r\n");
eval { $c->startup() };
ok($c->wait_eof(), 'an address that is not let in');
unlike($c->{in}, qr/^R/, 'and told nothing');
$c->vanish();

talk(8082, $v1, 0, qr/^192\.0\.2\.7:/, 'another one is');

# without the line, or with another one

for my $bytes ('', "PROXY TCP4 nonsense\r\n", "PROXY \r\n", 'PROXY ' . 'x' x 200)
{
	$c = client(8080, timeout => 5);
	eval { $c->send_raw($bytes . $c->startup_message()) };
	ok($c->wait_eof(), 'no line that is one: '
		. (substr($bytes, 0, 10) =~ s/\s+$//r));
	unlike($c->{in}, qr/^R/, 'not let in');
	$c->vanish();
}

# a request to cancel comes through the balancer, too

$c = client(8081);
$c->send_raw($v1);
$c->startup();
$c->authenticate();
$c->send('Q', "SELECT pg_sleep(20)\0")->flush_out();
wait_for(sub { $pg->psql("SELECT count(*) FROM pg_stat_activity WHERE "
	. "query LIKE '%pg_sleep(20)%' AND usename = 'app'") }, 10);

my $s = client(8081);
$s->send_raw($v2 . pack('N N N a*', 12 + length($c->key()), 80877102,
	$c->pid(), $c->key()));
$s->wait_eof();
is($c->result()->state(), '57014', 'a request to cancel');
$c->close();

$t->done_testing();

###############################################################################

sub client {
	my ($server, %o) = @_;

	return pg_client(port($server), user => 'app', password => 'secret',
		database => 'shop', login => 0, timeout => 15, %o);
}

sub talk {
	my ($server, $line, $tls, $expected, $name) = @_;

	my $lines = () = $t->read_file('access.log') =~ /\n/g;

	my $c = client($server);
	$c->send_raw($line);
	$c->start_tls() if $tls;
	$c->startup();
	$c->authenticate();

	is($c->query('SELECT 7')->value(), 7, $name);
	$c->close();

	wait_for(sub { $lines < (() = $t->read_file('access.log') =~ /\n/g) },
		10);

	my ($last) = $t->read_file('access.log') =~ /([^\n]*)\n\z/;
	like($last, $expected, "$name, the address");
	like($last, qr/\|app\|1$/, "$name, whose it is");
}

###############################################################################
