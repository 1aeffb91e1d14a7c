#!/usr/bin/perl

# Tests for hyperdrive: MySQL's queries that nobody waits for are stopped.

###############################################################################

use warnings;
use strict;

use IO::Socket::INET;
use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive;
use Test::Hyperdrive::Process qw(wait_for);

###############################################################################

my $t = Test::Hyperdrive->new()->plan(14)
	->write_file_expand('nginx.conf', <<'EOC');

%%TEST_GLOBALS%%

events {
}

stream {
    upstream u {
        hyperdrive_origin  mysql://app:secret@127.0.0.1:8081/shop?ssl-mode=DISABLED;
        hyperdrive_pool    max=1;
    }

    server {
        listen             127.0.0.1:8080;
        hyperdrive_pass    u;
        hyperdrive_users   off;
    }

    upstream stranger {
        hyperdrive_origin  mysql://app:secret@127.0.0.1:8081/shop?ssl-mode=DISABLED;
    }

    upstream pg {
        hyperdrive_origin  postgres://app@127.0.0.1:8085/shop?sslmode=disable;
    }

    server {
        listen             127.0.0.1:8083;
        hyperdrive_pass    stranger;
        hyperdrive_users   off;
    }

    server {
        listen             127.0.0.1:8084;
        hyperdrive_pass    pg;
        hyperdrive_users   off;
    }

    server {
        listen              127.0.0.1:8082;
        hyperdrive_pass     u;
        hyperdrive_users    off;
        hyperdrive_timeout  query=2s;
    }
}

EOC

my $db = $t->mariadb(port => port(8081), users => { app => 'secret' },
	databases => [ 'shop' ]);

$t->run();

sub client {
	my ($port, @more) = @_;
	return mysql_client(port($port), user => 'app', password => 'x',
		database => 'shop', @more);
}

sub running {
	return $db->sql("SELECT COUNT(*) FROM information_schema.processlist "
		. "WHERE info LIKE 'SELECT SLEEP%' "
		. "OR info LIKE 'SELECT GET_LOCK%'") =~ /1/;
}

###############################################################################

my $c1 = client(8080);
my $c2 = client(8080);

# by another client of the same user, by the number of the log-in

$c1->command('QUERY', 'SELECT SLEEP(60), 1');
ok(wait_for(\&running), 'runs');

my $number = $c1->greeting()->{id};

ok($c2->query("KILL QUERY $number")->{ok}, 'kill is answered');
is($c1->read_result()->{error}{code}, 1317, 'the sleep is cut short');
is($c1->value('SELECT 7'), 7, 'and the client goes on');

# not by a stranger: one of another database who has the same name, or one who
# only knows that, and says it as PostgreSQL's clients say a key

my $c4 = client(8080, user => 'sleeper');
my $c5 = client(8083, user => 'sleeper');

my $holder = $db->client();
$holder->value("SELECT GET_LOCK('held', 0)");

$c4->command('QUERY', "SELECT GET_LOCK('held', 60), 3");
ok(wait_for(\&running), 'one with a name that others have runs');

$number = $c4->greeting()->{id};

ok($c5->query("KILL QUERY $number")->{ok}, 'kill by a stranger is answered');

my $raw = IO::Socket::INET->new(Proto => 'tcp',
	PeerAddr => '127.0.0.1:' . port(8084));
$raw->syswrite(pack('NNN', 16 + length('sleeper') - 4, 80877102, $number)
	. 'sleeper');
is($raw->sysread(my $nothing, 1), 0, 'a request to cancel has no answer');

$holder->value("SELECT RELEASE_LOCK('held')");
is($c4->read_result()->{rows}[0][0], 1, 'nobody has ended the wait');
$c4->quit();

# one that leaves

$c1->command('QUERY', 'SELECT SLEEP(60), 2');
ok(wait_for(\&running), 'runs again');
$c1->abort();

ok(wait_for(sub { !running() }), 'is stopped');
is($c2->value('SELECT 8'), 8, 'its connection is free');

# by time

my $c3 = client(8082);
my $r = $c3->query('SELECT SLEEP(60), id FROM (SELECT 1 AS id) t');

is($r->{error}{code}, 1317, 'ended in time');
ok(wait_for(sub { !running() }), 'runs no more');
is($c3->value('SELECT 9'), 9, 'and the client goes on');

###############################################################################
