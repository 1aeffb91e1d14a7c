#!/usr/bin/perl

# Tests for hyperdrive: MySQL's compressed protocol, between clients and nginx
# and between nginx and the database, each with and without the other.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive qw(:DEFAULT wait_for);
use Test::Hyperdrive::MySQL qw(%CAP packet);

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
	sql => { shop => <<'EOC' });

CREATE TABLE t (id INT PRIMARY KEY, v LONGTEXT);
INSERT INTO t VALUES (1, 'one'), (2, REPEAT('two ', 20000));
EOC

$t->run();

my $big = 'SELECT seq, REPEAT(seq, 30) FROM seq_1_to_1500';
my $wanted = mysql_client(port(8081), user => 'app', password => 'secret',
	database => 'shop')->query($big)->{rows};

# what does not become smaller: it comes again beyond the window

my $noise = join '', map { pack('V', ($_ * 2654435761) % 4294967296) }
	1 .. 50000;
$noise =~ tr/\0'\\/xyz/;
$noise x= 90;

for my $pair ([ 8080, 'plain' ], [ 8082, 'packed' ], [ 8083, 'over TLS' ]) {
	my ($port, $origin) = @$pair;

	for my $how ([ undef, 'plain' ], [ {}, 'packed' ],
		[ { stored => 1 }, 'stored' ], [ { slice => 7 }, 'in slices' ])
	{
		talk(port($port), "client $how->[1], database $origin",
			compress => $how->[0]);
	}
}

talk(port(8084), 'client packed, database says at its log-in what it is',
	compress => {});
talk(port(8082), 'bytewise', compress => {}, split => 1);

for my $port (8082, 8083, 8084) {
	is(client(port($port))->query("SHOW STATUS LIKE 'Compression'")
		->{rows}[0][1], 'ON', "$port: the database says that it is");
}

is(client(port(8080), compress => {})->query("SHOW STATUS LIKE 'Compression'")
	->{rows}[0][1], 'OFF', '...or not, whatever the client has');

# a value of more than 16 MB, both ways

for my $port (8080, 8082) {
	my $c = client(port($port), compress => {}, timeout => 60);

	is($c->query("REPLACE INTO t VALUES (3, _latin1'$noise')")->{affected} > 0,
		1, 'a statement of 18 MB');
	is($c->query('SELECT LENGTH(v) > 17000000 FROM t WHERE id = 3')
		->{rows}[0][0], 1, 'and it is there');
	is(length($c->query('SELECT v FROM t WHERE id = 3')->{rows}[0][0])
		> 17000000, 1, 'it comes back');
}

# a transaction, another user, a query that is stopped

my $c = client(port(8082), compress => {});

$c->query('BEGIN');
$c->query("INSERT INTO t VALUES (10, 'ten')");
is($c->query('SELECT v FROM t WHERE id = 10')->{rows}[0][0], 'ten',
	'inside of a transaction');
$c->query('ROLLBACK');
is(scalar @{$c->query('SELECT v FROM t WHERE id = 10')->{rows}}, 0,
	'rolled back');

is($c->change_user(user => 'app', password => 'x', database => 'shop'), 1,
	'it logs in anew, compressed');
is($c->query('SELECT v FROM t WHERE id = 1')->{rows}[0][0], 'one',
	'and goes on so');

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

# nonsense

for my $bad (
	[ 'an empty packet', "\0\0\0\0\0\0\0" ],
	[ 'no zlib', "\x05\0\0\0\x20\0\0hello" ],
	[ 'a wrong length', "\x0d\0\0\0\x20\0\0"
		. Compress::Zlib::compress('aaaaa') ])
{
	my ($what, $bytes) = @$bad;

	my $c = client(port(8080), compress => {});
	delete $c->{zip};

	$c->send_raw($bytes);
	ok($c->ended(), "$what: the client is disconnected");
}

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

sub talk {
	my ($port, $name, %o) = @_;

	my $c = client($port, %o);

	my @ok;

	# a miss, a hit, and what is never kept

	push @ok, $c->query('SELECT v FROM t WHERE id = 1')->{rows}[0][0] eq 'one'
		for 1, 2;
	push @ok, length($c->query('SELECT v FROM t WHERE id = 2')
		->{rows}[0][0]) == 80000 for 1, 2;
	push @ok, $c->query('SELECT nonsense')->{error}{code} == 1054;

	my $s = $c->prepare('SELECT v, ? FROM t WHERE id = ?');

	push @ok, $c->execute($s, 'a', $_)->{rows}[0][1] eq 'a' for 1, 2;

	is(join('', map { $_ ? 1 : 0 } @ok), '1111111', "$name: small answers");

	is_deeply($c->query($big)->{rows}, $wanted, "$name: a large one")
		unless $o{split};

	if ($o{compress}) {
		cmp_ok($c->zip()->{packed}, '>', 0, "$name: it is compressed");
	}
}

###############################################################################
