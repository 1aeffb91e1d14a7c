#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: what the log says of a connection to the database that
# breaks: which one it was, and no error if nobody needed it.

###############################################################################

use warnings;
use strict;

use Test::More;
use Socket qw(SOL_SOCKET SO_LINGER);

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive;

###############################################################################

my $t = Test::Hyperdrive->new();

# answers, and then breaks off (RST) when it is told to

my $fake = $t->fake_pg(port(8100), query => sub {
	my ($n, $sql, $c) = @_;

	$c->row_description('n')->data_row(1)->send('C', "SELECT 1\0")
		->ready('I')->flush_out();

	$c->wait('break');

	setsockopt($c->socket(), SOL_SOCKET, SO_LINGER, pack('ii', 1, 0));
	CORE::close($c->socket());
	POSIX::_exit(0);
});

$t->postgres(port => port(8101), users => { app => 'pw' });

$t->write_file_expand('nginx.conf', <<'EOS')->run();

%%TEST_GLOBALS%%

events {
}

stream {
    upstream broken {
        hyperdrive_origin  postgres://app@127.0.0.1:8100/shop?sslmode=disable;
    }

    server {
        listen            127.0.0.1:8080;
        hyperdrive_pass   broken;
        hyperdrive_users  off;
    }

    upstream real {
        hyperdrive_origin  postgres://app:pw@127.0.0.1:8101?sslmode=disable;
    }

    server {
        listen            127.0.0.1:8081;
        hyperdrive_pass   real;
        hyperdrive_users  off;
    }
}

EOS

###############################################################################

my $c = pg_client(port(8080), user => 'app', database => 'shop');

is($c->query('SELECT 1')->value(), 1, 'a query');

$fake->signal('break');

ok($t->wait_for_log(qr/\[info\].* recv\(\) failed .*, hyperdrive origin \d+ of "broken" in state idle/),
	'an idle connection that breaks is told of, with its name');
unlike($t->read_file('error.log'), qr/\[error\].*recv\(\) failed/,
	'and is no error');

$c->close();

# what a database says repeats what its client has made up

$c = pg_client(port(8081), user => 'app',
	database => "x\n2026/01/01 00:00:00 [info] 1#1: made up \e[2J",
	quiet => 1);

is($c->error()->{C}, '3D000', 'a database that is not there');

ok($t->wait_for_log(qr/\[error\] .*"real": .* made up/),
	'...is in the log');
unlike($t->read_file('error.log'), qr/^2026\/01\/01|\e/m,
	'...in one line, and with nothing that a terminal would obey');

$c->vanish();

$t->done_testing();

###############################################################################
