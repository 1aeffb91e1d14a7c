#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: hyperdrive_validate, what nginx -t says of each way in
# which a database does not let us in.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive;

###############################################################################

# (two configurations of this test do not validate, which is an emergency)

my $t = Test::Hyperdrive->new()->allow_log(qr/is not valid: 20\d\d: /);

$t->certificate('ca', cn => 'tests')
	->certificate('other_ca', cn => 'others')
	->certificate('db', ca => 'ca', alt => [ 'DNS:localhost' ]);

my $dir = $t->testdir();
my %users = (app => 'pw', tls => 'pw', clear => 'pw', old =>
	{ password => 'pw', encryption => 'md5' }, denied => 'pw');

my @hba = ('local all all scram-sha-256', 'hostssl all tls 127.0.0.1/32 '
	. 'scram-sha-256', 'host all old 127.0.0.1/32 md5',
	'host all app,denied 127.0.0.1/32 scram-sha-256',
	'hostnossl all clear 127.0.0.1/32 scram-sha-256');

my $pg = $t->postgres(users => \%users, databases => [ 'shop' ], ssl => 'db',
	hba => [ @hba ], sql => { shop =>
		'REVOKE CONNECT ON DATABASE shop FROM PUBLIC; '
		. 'GRANT CONNECT ON DATABASE shop TO app, tls, clear, old' });

my $bare = $t->postgres(users => \%users, databases => [ 'shop' ],
	hba => [ grep { !/^hostssl/ } @hba ]);

my $silent = $t->fake_pg(port(8100), connect => sub {
	my ($c) = @_;
	$c->wait('never');
});

my $http = $t->fake_pg(port(8101), startup => sub {
	my ($c) = @_;
	$c->send_raw("HTTP/1.1 400 Bad Request\r\n\r\n");
	return 1;
});

my $broken = $t->fake_pg(port(8102), query => sub {
	return { error => { C => '57P05', M => 'no queries today' } };
});

my $hang_up = $t->fake_pg(port(8103), startup => sub {
	my ($c) = @_;
	$c->vanish();
	return 1;
});

my $host = '127.0.0.1:' . $pg->port();
my $named = 'localhost:' . $pg->port();
my $plain = '127.0.0.1:' . $bare->port();

(my $socket = $pg->socket_dir()) =~ s{/}{%2F}g;
$socket .= ':' . $pg->port();

###############################################################################
# Who is let in.

for my $case ([ "app:pw\@$host/shop" ], [ "old:pw\@$host/shop" ],
	[ "app:pw\@$socket/shop" ], [ "app:pw\@$host" ],
	[ "tls:pw\@$host/shop?sslmode=prefer" ],
	[ "tls:pw\@$host/shop?sslmode=allow" ],
	[ "clear:pw\@$host/shop?sslmode=prefer" ],
	[ "clear:pw\@$host/shop?sslmode=disable" ],
	[ "app:pw\@$named/shop?sslmode=verify-full&sslrootcert=$dir/ca.crt" ],
	[ "app:pw\@$host/shop?sslmode=verify-ca&sslrootcert=$dir/ca.crt" ],
	[ "app:pw\@$plain/shop?sslmode=prefer" ],
	[ "app:pw\@$host/shop?options=-c%20work_mem=1MB&application_name=x" ],
	[ "$host/shop", 'without a user' ],
	[ "$host/shop?sslmode=verify-ca&sslrootcert=$dir/ca.crt",
		'without a user, TLS' ])
{
	my ($url, $name) = @$case;
	is(said($url), '', $name || $url);
}

###############################################################################
# Who is not, and what is said.

my @cases = (
	[ "app:pw\@127.0.0.1:8199/shop", 2011,
		qr/the connection is refused: nothing listens there/ ],
	[ "app:pw\@%2Fnowhere:1/shop", 2011, qr/nothing listens there/ ],
	[ "app:pw\@127.0.0.1:8100/shop?connect_timeout=1", 2015,
		qr/no answer in connect_timeout/ ],
	[ "app:pw\@$plain/shop?sslmode=require", 2012,
		qr/does not support TLS, but sslmode requires it/ ],
	[ "app:pw\@$host/shop?sslmode=verify-full&sslrootcert=$dir/ca.crt",
		2017, qr/certificate is for another host name/ ],
	[ "app:pw\@$named/shop?sslmode=verify-ca&sslrootcert="
		. "$dir/other_ca.crt", 2017,
		qr/could not be verified: unable to/ ],
	[ "app:wrong\@$host/shop", 2013,
		qr/refused the log-in: password authentication failed/ ],
	[ "nobody:pw\@$host/shop", 2013, qr/no pg_hba.conf entry/ ],
	[ "app\@$host/shop", 2013, qr/password/ ],
	[ "denied:pw\@$host/shop", 2013, qr/permission denied for database/ ],
	[ "app:pw\@$host/stock", 2014, qr/database "stock" does not exist/ ],
	[ "app:pw\@$host/shop?options=-c%20work_mem%3Dx", 2015,
		qr/invalid value for parameter "work_mem"/ ],
	[ "app:pw\@127.0.0.1:8101/shop?sslmode=disable", 2015,
		qr/unexpected message during log-in/ ],
	[ "app:pw\@127.0.0.1:8103/shop?sslmode=disable", 2015,
		qr/closed during the log-in/ ],
	[ "app:pw\@127.0.0.1:8102/shop?sslmode=disable", 2016,
		qr/an empty query failed: no queries today/ ],
	[ "$plain/shop?sslmode=require", 2012, qr/does not support TLS/ ],
);

for my $case (@cases) {
	my ($url, $code, $what) = @$case;
	my $out = said($url);

	(my $name = $url) =~ s/\?.*//;

	like($out, qr/^origin ".*" in \S+:\d+ is not valid: $code: .*$what/,
		"$code, $name");
	is(scalar(() = $out =~ /\n/g), 0, 'in one line');

	# (the folder's name is any eight letters)

	$out =~ s/\Q@{[ $t->testdir() ]}//;
	unlike($out, qr/pw|wrong/, 'without a password');
}

like(said('app:pw@no-such-host.invalid/shop'),
	qr/host not found in "no-such-host.invalid:5432" of "hyperdrive_origin"/,
	'2008, a name');

# all that is wrong is said, each where it stands

my ($rc, $out) = $t->conf_test(conf(<<"EOS", 'on'));
        hyperdrive_origin  postgres://app:wrong\@$host/shop;
        hyperdrive_origin  postgres://app:pw\@$plain/shop;
        hyperdrive_origin  postgres://app:pw\@127.0.0.1:8199/shop;
EOS

my @lines = $out =~ /conf_test.conf:(\d+) is not valid/g;

is(scalar @lines, 2, 'each origin that does not let us in');
is($lines[1] - $lines[0], 2, 'and where it stands');

# one that is down is not asked

is(said("app:pw\@127.0.0.1:8199/shop down; hyperdrive_origin "
	. "postgres://app:pw\@$host/shop"), '', 'down');

# off by default, and for one upstream

is(said("app:pw\@127.0.0.1:8199/shop", ''), '', 'off by default');
is(said("app:pw\@127.0.0.1:8199/shop; hyperdrive_validate off"), '',
	'off for one upstream');
like(said("app:pw\@127.0.0.1:8199/shop; hyperdrive_validate on", ''),
	qr/2011/, 'on for one upstream');

# those who ask for other users' passwords

like(said("$host/shop; hyperdrive_auth_query 'SELECT 1, \$1' user=app "
	. "password_file=$dir/wrong.txt"), qr/2013/, 'hyperdrive_auth_query');

###############################################################################
# MySQL's protocol.

SKIP: {
	skip('no MariaDB', 5) unless -x '/usr/sbin/mariadbd';

	my $my = $t->mariadb(users => { app => 'pw' }, databases => [ 'shop' ]);
	my $at = '127.0.0.1:' . $my->port();

	is(said("app:pw\@$at/shop", 'on', 'mysql'), '', 'MariaDB');
	like(said("app:wrong\@$at/shop", 'on', 'mysql'),
		qr/2013: .*Access denied/, 'MariaDB, password');
	like(said("app:pw\@$at/stock", 'on', 'mysql'),
		qr/2014: .*Unknown database/, 'MariaDB, database');
	like(said("app:pw\@$at/shop?sslmode=require", 'on', 'mysql'),
		qr/2012: /, 'MariaDB, TLS');
	like(said("app:pw\@$at/shop?sslmode=disable"), qr/2015: /,
		'MariaDB, asked as PostgreSQL');
}

###############################################################################
# A reload is refused, and nothing has changed.

my $good = conf("        hyperdrive_origin  postgres://app:pw\@$host/shop;",
	'on');

$t->write_file_expand('nginx.conf', "%%TEST_GLOBALS%%\n\nevents {\n}\n$good")
	->run();

is(pg_client(port(8080), user => 'x', database => 'shop')->query('SELECT 1')
	->value(), 1, 'started');

my $before = $t->read_file('nginx.conf');
(my $bad = $before) =~ s/app:pw/app:wrong/;

$t->write_file('nginx.conf', $bad);
ok(!$t->reload(), 'a reload with a wrong password');
is(pg_client(port(8080), user => 'x', database => 'shop')->query('SELECT 2')
	->value(), 2, 'changes nothing');

$t->write_file('nginx.conf', $before);

$t->done_testing();

###############################################################################

sub conf {
	my ($origins, $main) = @_;

	$main = "hyperdrive_validate  $main;" if $main;

	return <<"EOS";
stream {
    hyperdrive_users  users.txt;
    $main

    upstream u {
$origins
    }

    server {
        listen           127.0.0.1:8080;
        hyperdrive_pass  u;
        hyperdrive_users off;
    }
}
EOS
}

sub said {
	my ($origin, $main, $scheme) = @_;

	$scheme ||= 'postgres';

	$t->write_file('users.txt', qq{"app" "pw"\n});
	$t->write_file('wrong.txt', "wrong\n");

	my $conf = conf("        hyperdrive_origin  $scheme://$origin;",
		$main // 'on');

	# each client's own user needs to be known
	$conf =~ s/hyperdrive_users off;// if $origin !~ /^[^\@]*\@/;

	return $t->conf_error($conf);
}

###############################################################################
