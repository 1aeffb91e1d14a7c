#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: nginx logs in to MariaDB by client_ed25519.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive qw(:DEFAULT build_dir);

###############################################################################

my ($plugins) = grep { -e "$_/auth_ed25519.so" } '/usr/lib/mysql/plugin',
	'/usr/lib64/mysql/plugin', '/usr/local/lib/mysql/plugin',
	build_dir() . '/source/mariadb-server/usr/lib/mysql/plugin';

plan(skip_all => 'no auth_ed25519.so') unless defined $plugins;

my $t = Test::Hyperdrive->new();

my $long = 'longer than thirty-two bytes, which a seed of Ed25519 would be';

my $db = $t->mariadb(settings => { plugin_dir => $plugins,
		plugin_load_add => 'auth_ed25519' },
	users => {
		app => { password => 'secret', plugin => 'ed25519' },
		long => { password => $long, plugin => 'ed25519' },
		wrong => { password => 'other', plugin => 'ed25519' },
		own => { password => 'mine', plugin => 'ed25519' },
	},
	databases => [ 'shop' ]);

my $port = $db->port();
my $url = $long =~ s/([ ,])/sprintf('%%%02x', ord $1)/ger;

$t->write_file('users.txt', qq{"own" "mine"\n});

$t->write_file_expand('nginx.conf', <<"EOS")->run();

%%TEST_GLOBALS%%

events {
}

stream {
    upstream app {
        hyperdrive_origin  mysql://app:secret\@127.0.0.1:$port/shop?ssl-mode=DISABLED;
    }

    upstream long {
        hyperdrive_origin  mysql://long:$url\@127.0.0.1:$port/shop;
    }

    upstream wrong {
        hyperdrive_origin  mysql://wrong:secret\@127.0.0.1:$port/shop;
    }

    upstream own {
        hyperdrive_origin  mysql://127.0.0.1:$port/shop?ssl-mode=DISABLED;
    }

    server {
        listen            127.0.0.1:8080;
        hyperdrive_pass   app;
        hyperdrive_users  off;
    }

    server {
        listen            127.0.0.1:8081;
        hyperdrive_pass   long;
        hyperdrive_users  off;
    }

    server {
        listen            127.0.0.1:8082;
        hyperdrive_pass   wrong;
        hyperdrive_users  off;
    }

    server {
        listen            127.0.0.1:8083;
        hyperdrive_pass   own;
        hyperdrive_users  users.txt;
    }
}

EOS

###############################################################################

# each log-in has another scramble

for my $n (1 .. 5) {
	my $c = client(8080);
	like($c->value('SELECT CURRENT_USER()'), qr/^app@/, "log-in $n");

	$db->end($c->value('SELECT CONNECTION_ID()'));
	$c->close();
}

like(client(8081)->value('SELECT CURRENT_USER()'), qr/^long@/,
	'a long password');

my $refused = client(8082, quiet => 1);
is($refused->error()->{code}, 1045, 'a wrong password');

like(client(8083, user => 'own', password => 'mine')
	->value('SELECT CURRENT_USER()'), qr/^own@/,
	"a client's own user, whose password is known");

like(client(8083, user => 'own', password => 'mine',
	plugin => 'client_ed25519')->value('SELECT CURRENT_USER()'),
	qr/^own@/, 'the client begins with it: it is asked for another');

$t->done_testing();

###############################################################################

sub client {
	my ($port, %o) = @_;

	return mysql_client(port($port), user => 'any', password => 'x',
		database => 'shop', %o);
}

###############################################################################
