#!/usr/bin/perl

# Tests for hyperdrive: MySQL's compressed protocol, between clients and nginx
# and between nginx and the database, each with and without the other.

###############################################################################

use warnings;
use strict;

use Compress::Zlib ();
use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive;
use Test::Hyperdrive::Compress qw($TABLE $LARGE talk huge anew nonsense);

###############################################################################

my $t = Test::Hyperdrive->new()
	->write_file_expand('nginx.conf', <<'EOC');

%%TEST_GLOBALS%%

events {
}

%%TEST_STATUS%%

stream {
    hyperdrive_cache_zone  c 16m;

    upstream plain {
        hyperdrive_origin  mysql://app:secret@127.0.0.1:8081/shop?ssl-mode=DISABLED;
        hyperdrive_pool    max=1;
    }

    upstream packed {
        hyperdrive_origin  mysql://app:secret@127.0.0.1:8081/shop?ssl-mode=DISABLED&compress=true;
        hyperdrive_pool    max=1;
    }

    upstream tls {
        hyperdrive_origin  mysql://app:secret@127.0.0.1:8081/shop?ssl-mode=REQUIRED&compress=true;
        hyperdrive_pool    max=1;
    }

    upstream auto {
        hyperdrive_origin  mysql://app:secret@127.0.0.1:8081/shop?ssl-mode=DISABLED&compress=true  role=auto;
        hyperdrive_pool    max=4;
    }

    hyperdrive_users   off;
    hyperdrive_cache   c max_age=1h;

    server {
        listen             127.0.0.1:8080;
        hyperdrive_pass    plain;
    }

    server {
        listen             127.0.0.1:8082;
        hyperdrive_pass    packed;
    }

    server {
        listen             127.0.0.1:8083;
        hyperdrive_pass    tls;
    }

    server {
        listen             127.0.0.1:8084;
        hyperdrive_pass    auto;
    }
}

EOC

my $db = $t->mariadb(port => port(8081), users => { app => 'secret' },
	databases => [ 'shop' ], ssl => 1,
	settings => { max_allowed_packet => '64M' },
	sql => { shop => $TABLE });

$t->run();

my $wanted = mysql_client(port(8081), user => 'app', password => 'secret',
	database => 'shop')->query($LARGE)->{rows};

for my $pair ([ 8080, 'plain' ], [ 8082, 'packed' ], [ 8083, 'over TLS' ]) {
	my ($port, $origin) = @$pair;

	for my $how ([ undef, 'plain' ], [ {}, 'packed' ],
		[ { stored => 1 }, 'stored' ], [ { slice => 7 }, 'in slices' ])
	{
		talk(client(port($port), compress => $how->[0]),
			"client $how->[1], database $origin", $wanted);
	}
}

talk(client(port(8084), compress => {}),
	'client packed, database says at its log-in what it is', $wanted);
talk(client(port(8082), compress => {}, split => 1), 'bytewise', $wanted);

for my $port (8082, 8083, 8084) {
	is(client(port($port))->query("SHOW STATUS LIKE 'Compression'")
		->{rows}[0][1], 'ON', "$port: the database says that it is");
}

is(client(port(8080), compress => {})->query("SHOW STATUS LIKE 'Compression'")
	->{rows}[0][1], 'OFF', '...or not, whatever the client has');

huge(client(port($_), compress => {}, timeout => 60)) for 8080, 8082;

# a transaction, another user, a query that is stopped

my $c = client(port(8082), compress => {});

$c->query('BEGIN');
$c->query("INSERT INTO t VALUES (10, 'ten')");
is($c->query('SELECT v FROM t WHERE id = 10')->{rows}[0][0], 'ten',
	'inside of a transaction');
$c->query('ROLLBACK');
is(scalar @{$c->query('SELECT v FROM t WHERE id = 10')->{rows}}, 0,
	'rolled back');

anew($c);

my $killed = client(port(8082), compress => {});
my $id = $killed->greeting()->{id};

$killed->command('QUERY', 'SELECT SLEEP(20)');
wait_for(sub { $db->sql('SELECT COUNT(*) FROM '
	. "information_schema.processlist WHERE info = 'SELECT SLEEP(20)'") },
	10, 'a query that runs');

$c->query("KILL QUERY $id");
my $r = $killed->read_result();
ok($r->{error} || $r->{rows}[0][0] == 1, 'a query is stopped');

# commands that are sent without a wait for answers

$c = client(port(8080), compress => {});

for my $n (1, 2) {
	$c->{seq} = 0;
	$c->command('QUERY', "SELECT $n FROM t WHERE id = 1");
}

# where in them an answer's packets begin, no two clients agree upon

$c->{zip}{any} = 1;

for my $n (1, 2) {
	$c->{seq} = 1;
	is($c->read_result()->{rows}[0][0], $n, "two in a row: $n");
}

nonsense(sub { client(port(8080), compress => {}) },
	[ 'an empty packet', "\0\0\0\0\0\0\0" ],
	[ 'no zlib', "\x05\0\0\0\x20\0\0hello" ],
	[ 'a wrong length', "\x0d\0\0\0\x20\0\0"
		. Compress::Zlib::compress('aaaaa') ]);

$c = client(port(8080));
is($c->query('SELECT v FROM t WHERE id = 1')->{rows}[0][0], 'one',
	'others are served');

$t->done_testing();

###############################################################################

sub client {
	my ($port, %o) = @_;

	return mysql_client($port, user => 'app', password => 'x',
		database => 'shop', %o);
}

###############################################################################
