#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive, MySQL: an old worker is gone at its deadline, whatever
# it was about to stop.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive;

###############################################################################

my $t = Test::Hyperdrive->new()->write_file_expand('nginx.conf', <<'EOS');

%%TEST_GLOBALS%%

events {
}

stream {
    hyperdrive_users  off;
    hyperdrive_drain  deadline=1s;

    upstream u {
        hyperdrive_origin   mysql://app:pw@127.0.0.1:8081/shop?ssl-mode=DISABLED;
        hyperdrive_catalog  off;
    }

    server {
        listen           127.0.0.1:8080;
        hyperdrive_pass  u;
    }
}

EOS

# a server that does not say that it has stopped a query, nor does it

my $fake = $t->fake_mysql(port(8081), query => sub {
	my ($n, $sql) = @_;
	return $sql =~ /slow|KILL/ ? undef : [ [ $n ] ];
});

$t->run();

my ($c, $other) = map { mysql_client(port(8080), user => 'app',
	password => 'x', database => 'shop') } 1 .. 2;

ok(defined $c->value('SELECT 1'), 'a client is served');

$c->command('QUERY', 'SELECT slow');
wait_for(sub { grep { /slow/ } $fake->queries() });

my $number = $c->greeting()->{id};
my ($old) = $t->worker_pids();

ok($other->query("KILL QUERY $number")->{ok}, 'another one stops it');
ok(wait_for(sub { grep { /KILL/ } $fake->queries() }),
	'which the server is told, and does not answer');

ok($t->reload(), 'new workers take over');

wait_for(sub { !grep { $_ == $old } $t->worker_pids(all => 1) }, 20,
	'the end of the old worker');

ok(!$t->log_has(qr/could not be stopped/),
	'the old one has gone before that had its time');

$t->done_testing();

###############################################################################
