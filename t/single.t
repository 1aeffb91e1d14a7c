#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: a process without a master, which cannot reload, and
# says so.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive;

###############################################################################

my $t = Test::Hyperdrive->new()->plan(4)->allow_log(qr/cannot reload/)
	->write_file_expand('nginx.conf', <<'EOC');

%%TEST_GLOBALS%%

master_process off;

events {
}

stream {
    upstream shop {
        hyperdrive_origin  postgres://app:pw@127.0.0.1:8081/shop;
    }

    server {
        listen            127.0.0.1:8080;
        hyperdrive_pass   shop;
        hyperdrive_users  off;
    }
}

EOC

my $pg = $t->postgres(port => port(8081), users => { app => 'pw' },
	databases => [ 'shop' ]);

$t->run();

###############################################################################

my $c = client();

is($c->query('SELECT 1')->value(), 1, 'a query');

kill 'HUP', $t->{nginx};

ok($t->wait_for_log(qr/\[emerg\].*without a master cannot reload: restart it/),
	'a reload is refused');

is($c->query('SELECT 2')->value(), 2, 'the client goes on');
is(client()->query('SELECT 3')->value(), 3, '...and new ones come');

###############################################################################

sub client {
	return pg_client(port(8080), user => 'app', database => 'shop',
		timeout => 15);
}

###############################################################################
