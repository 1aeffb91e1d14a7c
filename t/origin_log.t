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

$t->done_testing();

###############################################################################
