#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: how nginx logs in to the database: with and without
# TLS, whom it trusts, and which passwords it gives away.

###############################################################################

use warnings;
use strict;

use Test::More;
use Time::HiRes qw(time);

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive;

###############################################################################

my $t = Test::Hyperdrive->new();

$t->certificate('ca', cn => 'tests')
	->certificate('other_ca', cn => 'others')
	->certificate('db', ca => 'ca', alt => [ 'DNS:localhost' ])
	->certificate('address', ca => 'ca', cn => 'address',
		alt => [ 'IP:127.0.0.1' ])
	->certificate('client', ca => 'ca', cn => 'holder')
	->certificate('stranger', ca => 'other_ca', cn => 'holder');

my $dir = $t->testdir();

my %users = (
	app => 'pw', tls => 'pw', clear => 'pw', plain => 'pw', holder => 'pw',
	old => { password => 'pw', encryption => 'md5' },
	free => undef,
);

my @hba = (
	'local all app scram-sha-256',
	'host all app 127.0.0.1/32 scram-sha-256',
	'hostssl all tls 127.0.0.1/32 scram-sha-256',
	'hostnossl all clear 127.0.0.1/32 scram-sha-256',
	'host all plain 127.0.0.1/32 password',
	'host all old 127.0.0.1/32 md5',
	'host all free 127.0.0.1/32 trust',
	'hostssl all holder 127.0.0.1/32 cert',
);

my $pg = $t->postgres(users => \%users, databases => [ 'shop' ], ssl => 'db',
	hba => [ @hba ], settings => { ssl_ca_file => "$dir/ca.crt" });

my $bare = $t->postgres(users => \%users, databases => [ 'shop' ],
	hba => [ grep { !/^hostssl/ } @hba ]);

my $numbered = $t->postgres(users => \%users, databases => [ 'shop' ],
	ssl => 'address', hba => [ @hba ]);

# says nothing at all

my $silent = $t->fake_pg(port(8100), connect => sub {
	my ($c) = @_;
	$c->wait('never');
});

# does not know the password

my $impostor = $t->fake_pg(port(8101), auth => 'scram', password => 'pw',
	wrong_signature => 1);
my $lazy = $t->fake_pg(port(8102), auth => 'scram', password => 'pw',
	skip_final => 1);

# wants the client to work for it

my $rounds = $t->fake_pg(port(8103), auth => 'scram', password => 'pw',
	rounds => 2000000000);

my $host = '127.0.0.1:' . $pg->port();
my $named = 'localhost:' . $pg->port();
my $clear = '127.0.0.1:' . $bare->port();

(my $socket = $pg->socket_dir()) =~ s{/}{%2F}g;
$socket .= ':' . $pg->port();

###############################################################################
# user, where, parameters of the URL, of the directive; expected is t, f (TLS
# or not) or the error.

my @cases = (
	[ 'app', $host, 'disable', 'f' ],
	[ 'app', $host, 'allow', 'f' ],
	[ 'app', $host, 'prefer', 't' ],
	[ 'app', $host, 'require', 't' ],

	[ 'tls', $host, 'disable', qr/no pg_hba\.conf entry/ ],
	[ 'tls', $host, 'allow', 't' ],
	[ 'tls', $host, 'prefer', 't' ],
	[ 'tls', $host, 'require', 't' ],

	[ 'clear', $host, 'disable', 'f' ],
	[ 'clear', $host, 'allow', 'f' ],
	[ 'clear', $host, 'prefer', 'f' ],
	[ 'clear', $host, 'require', qr/no pg_hba\.conf entry/ ],

	[ 'app', $clear, 'disable', 'f' ],
	[ 'app', $clear, 'allow', 'f' ],
	[ 'app', $clear, 'prefer', 'f' ],
	[ 'app', $clear, 'require', qr/(?:TLS|SSL)/ ],
	[ 'app', $clear, "verify-ca&sslrootcert=ca.crt", qr/(?:TLS|SSL)/ ],
	[ 'app', $clear, "verify-full&sslrootcert=ca.crt", qr/(?:TLS|SSL)/ ],

	[ 'app', $host, 'verify-ca&sslrootcert=ca.crt', 't' ],
	[ 'app', $host, 'verify-ca&sslrootcert=other_ca.crt', qr/certificate/ ],
	[ 'app', $host, 'verify-ca', qr/certificate/ ],
	[ 'app', $named, 'verify-full&sslrootcert=ca.crt', 't' ],
	[ 'app', $host, 'verify-full&sslrootcert=ca.crt', qr/certificate/ ],
	[ 'app', $named, 'verify-full&sslrootcert=other_ca.crt',
		qr/certificate/ ],
	[ 'app', '127.0.0.1:' . $numbered->port(),
		'verify-full&sslrootcert=ca.crt', 't' ],
	[ 'app', 'localhost:' . $numbered->port(),
		'verify-full&sslrootcert=ca.crt', qr/certificate/ ],
	[ 'app', $host, 'require&sslrootcert=ca.crt', 't' ],
	[ 'app', $host, 'require&sslrootcert=other_ca.crt', qr/certificate/ ],

	[ 'holder', $host, 'require&sslcert=client.crt&sslkey=client.key',
		't' ],
	[ 'holder', $host, 'require&sslcert=stranger.crt&sslkey=stranger.key',
		qr/\w/ ],
	[ 'holder', $host, 'require', qr/certificate/ ],

	[ 'old', $host, 'disable', 'f' ],
	[ 'old', $host, 'require', 't' ],
	[ 'free', $host, 'disable', 'f' ],

	[ 'plain', $host, 'require', 't' ],
	[ 'plain', $host, 'prefer', 't' ],
	[ 'plain', $host, 'disable', qr/clear/ ],
	[ 'plain', $clear, 'prefer', qr/clear/ ],
	[ 'plain', $host, 'disable', 'f', 'cleartext_password=on' ],
	[ 'plain', $host, 'disable', qr/clear/, 'cleartext_password=off' ],

	[ 'app:n1x', $host, 'require', qr/password authentication failed/ ],
	[ 'old:n1x', $host, 'disable', qr/password authentication failed/ ],
	[ 'plain:n1x', $host, 'require',
		qr/password authentication failed/ ],
	[ 'nobody', $host, 'prefer', qr/no pg_hba\.conf entry|authentication/ ],

	[ 'app', $socket, 'disable', 'f' ],
	[ 'app', $socket, 'prefer', 'f' ],

	[ 'app', '127.0.0.1:' . port(8100), 'disable&connect_timeout=1',
		qr/\w/ ],
	[ 'app', '127.0.0.1:' . port(8101), 'disable', qr/\w/ ],
	[ 'app', '127.0.0.1:' . port(8102), 'disable', qr/\w/ ],
	[ 'app', '127.0.0.1:' . port(8103), 'disable', qr/\w/ ],
	[ 'app', '127.0.0.1:' . port(8199), 'disable', qr/\w/ ],
);

my ($upstreams, $servers) = ('', '');

for my $i (0 .. $#cases) {
	my ($user, $where, $params, undef, $more) = @{$cases[$i]};

	$more //= '';
	$user .= ':pw' unless $user =~ /:|^free/;

	$upstreams .= <<"EOS";
    upstream u$i {
        hyperdrive_origin  postgres://$user\@$where/shop?sslmode=$params $more;
        hyperdrive_pool    max=2 wait=10s;
    }

EOS

	$servers .= <<"EOS";
    server {
        listen           127.0.0.1:@{[ 8200 + $i ]};
        hyperdrive_pass  u$i;
    }

EOS
}

$t->write_file_expand('nginx.conf', <<"EOS")->run();

%%TEST_GLOBALS%%

events {
}

stream {
    hyperdrive_users  off;

$upstreams
$servers
}

EOS

###############################################################################

for my $i (0 .. $#cases) {
	my ($user, $where, $params, $expected, $more) = @{$cases[$i]};

	my $kind = $where eq $host ? 'TLS' : $where eq $named ? 'TLS, by name'
		: $where eq $clear ? 'no TLS' : $where eq $socket
		? 'unix socket' : 'another';

	my $name = "$i: $user, $kind, $params" . ($more ? ", $more" : '');
	my $start = time();

	my $c = pg_client(port(8200 + $i), user => 'whoever',
		database => 'shop', quiet => 1, timeout => 10);

	my $took = time() - $start;

	if (ref $expected) {
		my $error = $c->error() || {};

		like($error->{M} // 'logged in', $expected, $name);
		like($error->{C} // '', qr/^(?:08|28|57P)/, "$name, SQLSTATE");
		unlike($error->{M} // '', qr/\bpw\b|n1x/,
			"$name, no password");

		cmp_ok($took, '<', 8, "$name, soon enough");
		$c->vanish();
		next;
	}

	if ($c->error()) {
		fail("$name: " . join(" ", @{$c->error()}{qw(C M)}));
		next;
	}

	is($c->query('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()')
		->value(), $expected, $name);

	is($c->query('SELECT current_user')->value(), $user =~ s/:.*//r,
		"$name, the user");

	# more than one record

	is(length($c->query("SELECT repeat('x', 200000)")->value()), 200000,
		"$name, a large answer");
	is($c->extended('SELECT length($1)', 'x' x 200000)->value(), 200000,
		"$name, a large parameter");

	$c->close();
}

# what the impostors were told

for my $fake ($impostor, $lazy, $rounds) {
	is(join(' ', $fake->queries()), '', 'no question to an impostor');
}

is(scalar(grep { $_->{event} eq 'password' && $_->{type} } $rounds->log()), 0,
	'too many rounds are not counted out');

unlike($t->read_file('error.log'), qr/:pw@|password "?pw/,
	'no password in the log');

$t->done_testing();

###############################################################################
