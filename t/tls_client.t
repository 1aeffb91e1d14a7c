#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: TLS between clients and nginx: asked for inside of the
# protocol, or from the first byte on.

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

# nginx's own words about a client that is refused while it sends already

my $t = Test::Hyperdrive->new()
	->allow_log(qr/application data after close notify/);

my $pg = $t->postgres(users => { app => 'pw' }, databases => [ 'shop' ]);

$t->certificate('ca', cn => 'tests')->certificate('front', ca => 'ca')
	->certificate('ec', ca => 'ca', type => 'ec')
	->certificate('ed', ca => 'ca', type => 'ed25519')
	->certificate('client', ca => 'ca', cn => 'client')
	->certificate('stranger', cn => 'stranger');

$t->write_file('users.txt', qq{"app" "secret"\n});

my $url = $pg->url();

$t->write_file_expand('nginx.conf', <<"EOS")->run();

%%TEST_GLOBALS%%

events {
}

stream {
    hyperdrive_users  users.txt;

    upstream shop {
        hyperdrive_origin  $url;
        hyperdrive_pool    max=4;
    }

    server {
        listen               127.0.0.1:8080;
        hyperdrive_pass      shop;
        ssl_certificate      front.crt;
        ssl_certificate_key  front.key;
    }

    server {
        listen               127.0.0.1:8081 ssl;
        hyperdrive_pass      shop;
        ssl_certificate      front.crt;
        ssl_certificate_key  front.key;
    }

    server {
        listen           127.0.0.1:8082;
        hyperdrive_pass  shop;
    }

    server {
        listen                      127.0.0.1:8083;
        hyperdrive_pass             shop;
        hyperdrive_channel_binding  off;
        ssl_certificate             front.crt;
        ssl_certificate_key         front.key;
    }

    server {
        listen               127.0.0.1:8084;
        hyperdrive_pass      shop;
        ssl_certificate      ec.crt;
        ssl_certificate_key  ec.key;
    }

    server {
        listen                  127.0.0.1:8085;
        hyperdrive_pass         shop;
        ssl_certificate         front.crt;
        ssl_certificate_key     front.key;
        ssl_client_certificate  ca.crt;
        ssl_verify_client       on;
    }

    server {
        listen               127.0.0.1:8086;
        hyperdrive_pass      shop;
        ssl_certificate      front.crt;
        ssl_certificate_key  front.key;
        ssl_certificate      ec.crt;
        ssl_certificate_key  ec.key;
    }

    server {
        listen               127.0.0.1:8087;
        hyperdrive_pass      shop;
        ssl_protocols        TLSv1.2;
        ssl_certificate      front.crt;
        ssl_certificate_key  front.key;
    }

    server {
        listen               127.0.0.1:8088;
        hyperdrive_pass      shop;
        ssl_certificate      ed.crt;
        ssl_certificate_key  ed.key;
    }
}

EOS

my $dir = $t->testdir();

###############################################################################
# The upgrade.

for my $version ('TLSv1.2', 'TLSv1.3') {
	my $out = psql(8080, "sslmode=require ssl_min_protocol_version=$version "
		. "ssl_max_protocol_version=$version");

	like($out, qr/SSL connection \(protocol: $version/, "$version");
	like($out, qr/^42$/m, "$version, a query");
}

for my $version ('TLSv1', 'TLSv1.1') {
	unlike(psql(8080, "sslmode=require ssl_min_protocol_version=$version "
		. "ssl_max_protocol_version=$version"), qr/^42$/m,
		"$version is refused");
}

like(psql(8087, 'sslmode=require'), qr/protocol: TLSv1\.2/,
	'ssl_protocols, TLS 1.2');
unlike(psql(8087, 'sslmode=require ssl_min_protocol_version=TLSv1.3'),
	qr/^42$/m, 'ssl_protocols, no TLS 1.3');

like(psql(8080, "sslmode=verify-full sslrootcert=$dir/ca.crt", 'localhost'),
	qr/^42$/m, 'verify-full');
unlike(psql(8080, "sslmode=verify-full sslrootcert=$dir/stranger.crt",
	'localhost'), qr/^42$/m, 'verify-full, of somebody else');
like(psql(8080, 'sslmode=disable'), qr/^42$/m, 'in clear');
unlike(psql(8080, 'sslmode=disable'), qr/SSL connection/, 'no TLS');

# more than fits into one record

my $wide = psql(8080, 'sslmode=require', undef,
	"SELECT length(string_agg(repeat('x', 1000), '')), "
	. "md5(string_agg(repeat('x', 1000), '')) FROM generate_series(1, 3000)");

like($wide, qr/^3000000\|/m, 'a large aggregate');

$wide = psql(8080, 'sslmode=require', undef,
	"SELECT repeat('x', 1000) FROM generate_series(1, 5000)");
is(scalar(() = $wide =~ /^x{1000}$/mg), 5000, 'a large answer');

$wide = psql(8080, 'sslmode=require', undef,
	"SELECT length('" . 'x' x 900000 . "')");
like($wide, qr/^900000$/m, 'a large question');

###############################################################################
# Channel binding.

for my $case ([ 8080, 'RSA' ], [ 8084, 'EC' ], [ 8086, 'RSA and EC' ],
    [ 8086, 'RSA and EC, TLS 1.2', 'ssl_max_protocol_version=TLSv1.2' ],
    [ 8080, 'RSA, TLS 1.2', 'ssl_max_protocol_version=TLSv1.2' ])
{
	my ($port, $name, $more) = @$case;

	like(psql($port, 'sslmode=require channel_binding=require '
		. ($more // '')), qr/^42$/m, "channel binding, $name");
}

like(psql(8080, 'sslmode=require channel_binding=disable'), qr/^42$/m,
	'channel binding, not wanted');
like(psql(8083, 'sslmode=require channel_binding=prefer'), qr/^42$/m,
	'channel binding off');
like(psql(8083, 'sslmode=require channel_binding=require'),
	qr/channel binding (?:is )?required/, 'channel binding off, required');
like(psql(8082, 'channel_binding=require'), qr/channel binding/,
	'channel binding without TLS');
like(psql(8080, 'sslmode=require channel_binding=require', undef, undef,
	'wrong'), qr/password authentication failed/,
	'channel binding, wrong password');

# of an Ed25519 certificate there is none: it is not offered

like(psql(8088, 'sslmode=require channel_binding=prefer'), qr/^42$/m,
	'an Ed25519 certificate');

###############################################################################
# Certificates of clients.

like(psql(8085, "sslmode=require sslcert=$dir/client.crt "
	. "sslkey=$dir/client.key"), qr/^42$/m, 'with a certificate');
unlike(psql(8085, 'sslmode=require sslcert=none sslkey=none'), qr/^42$/m,
	'without one');
unlike(psql(8085, "sslmode=require sslcert=$dir/stranger.crt "
	. "sslkey=$dir/stranger.key"), qr/^42$/m, 'with that of a stranger');
like(psql(8085, 'sslmode=disable'), qr/a client certificate is required/,
	'and in clear, where a certificate is required');

###############################################################################
# TLS from the first byte on.

my $startup = Test::Hyperdrive::PG::message('', pack('N', 0x30000)
	. "user\0app\0database\0shop\0\0");

like(direct(8081, $startup, '-alpn', 'postgresql'), qr/SCRAM-SHA-256-PLUS/,
	'direct TLS, ALPN');
unlike(direct(8081, $startup), qr/SCRAM/, 'direct TLS, no ALPN');
unlike(direct(8081, $startup, '-alpn', 'http/1.1'), qr/SCRAM/,
	'direct TLS, another protocol');

like(info(8081, '-alpn', 'postgresql'), qr/ALPN protocol: postgresql/,
	'direct TLS, the protocol that was chosen');
like(info(8081, '-alpn', 'postgresql', '-tls1_2'), qr/TLSv1\.2/,
	'direct TLS 1.2');
like(info(8081, '-alpn', 'postgresql', '-tls1_3'), qr/TLSv1\.3/,
	'direct TLS 1.3');

# who asks in there for TLS

my @alpn = ('-alpn', 'postgresql');

unlike(direct(8081, pack('N N', 8, 80877103) . $startup, @alpn), qr/SCRAM/,
	'SSLRequest inside of TLS');

# in clear where TLS is expected

my $c = pg_client(port(8081), user => 'app', database => 'shop', login => 0);
eval { $c->send_raw($startup) };
ok($c->wait_eof(), 'in clear where TLS is expected');
unlike($c->{in}, qr/SCRAM/, 'which is refused');

###############################################################################
# The request.

is(answer(8080), 'S', 'a server with a certificate');
is(answer(8082), 'N', 'one without');

# bytes in clear behind it

for my $behind ($startup, 'x', "\x16\x03\x01") {
	$c = pg_client(port(8080), user => 'app', database => 'shop',
		login => 0);

	$c->send_raw(pack('N N', 8, 80877103) . $behind);

	ok($c->wait_eof(), 'bytes in clear behind SSLRequest');
	unlike($c->{in}, qr/SCRAM/, 'are refused');
	$c->vanish();
}

# where there is no TLS they are read

$c = pg_client(port(8082), user => 'app', database => 'shop', login => 0);
$c->send_raw(pack('N N', 8, 80877103) . $startup);
is($c->read_raw(1), 'N', 'declined');
like($c->read_message()->{body}, qr/SCRAM-SHA-256\0/, 'what is behind it');
$c->vanish();

# nonsense instead of a handshake, and a client that leaves in it

for my $bytes ('nonsense' x 20, "\x16\x03\x01\x02\x00\x01", '') {
	$c = pg_client(port(8080), user => 'app', login => 0);
	$c->ssl_request();
	$c->send_raw($bytes) if length $bytes;
	$c->vanish();
}

like(psql(8080, 'sslmode=require'), qr/^42$/m, 'all the same');

$t->done_testing();

###############################################################################

sub psql {
	my ($port, $options, $host, $sql, $password) = @_;

	$t->write_file('psql.sql', "\\conninfo\n"
		. ($sql // 'SELECT 6 * 7') . ";\n");

	my ($status, $out) = run_command([
		Test::Hyperdrive::Postgres::bin('psql'), '-X', '-q', '-A', '-t',
		'host=' . ($host // '127.0.0.1') . ' hostaddr=127.0.0.1 port='
		. port($port) . " user=app dbname=shop connect_timeout=10 "
		. $options ], env => { PGPASSWORD => $password // 'secret',
		HOME => $dir, OPENSSL_CONF => '/dev/null' },
		input => "$dir/psql.sql");

	return $out;
}

# Bytes sent inside of TLS; what comes back until the connection ends.

sub direct {
	my ($port, $bytes, @options) = @_;

	# a message that ends the log-in

	$t->write_file('bytes', $bytes
		. Test::Hyperdrive::PG::message('X', ''));

	my ($status, $out) = run_command([ 'openssl', 's_client', '-connect',
		'127.0.0.1:' . port($port), '-quiet', '-servername',
		'localhost', @options ], input => "$dir/bytes");

	$out =~ s/^(?:depth|verify|Can't|Connecting).*\n//mg;

	return $out;
}

sub info {
	my ($port, @options) = @_;

	return (run_command([ 'openssl', 's_client', '-connect',
		'127.0.0.1:' . port($port), @options ]))[1];
}

sub answer {
	my ($port) = @_;

	my $client = pg_client(port($port), user => 'app', login => 0);
	my $answer = $client->ssl_request();

	$client->vanish();

	return $answer;
}

###############################################################################
