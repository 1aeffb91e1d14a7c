#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: MySQL's compressed protocol with zstd.  MariaDB has it
# not, so the database of some upstreams is another server of this nginx.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive;
use Test::Hyperdrive::Compress qw($TABLE $LARGE talk huge anew nonsense);
use Test::Hyperdrive::MySQL qw(%CAP);

###############################################################################

plan(skip_all => 'no zstd') unless -e '/usr/include/zstd.h';

my $t = Test::Hyperdrive->new()
	->write_file_expand('nginx.conf', <<'EOC');

%%TEST_GLOBALS%%

events {
}

stream {
    hyperdrive_cache_zone  c 16m;

    upstream plain {
        hyperdrive_origin  mysql://app:secret@127.0.0.1:8081/shop?ssl-mode=DISABLED;
        hyperdrive_pool    max=1;
    }

    upstream zstd {
        hyperdrive_origin  mysql://app:secret@127.0.0.1:8080/shop?ssl-mode=DISABLED&compression-algorithms=zstd  role=auto;
        hyperdrive_pool    max=4;
    }

    upstream either {
        hyperdrive_origin  mysql://app:secret@127.0.0.1:8081/shop?ssl-mode=DISABLED&compression-algorithms=zstd,zlib;
        hyperdrive_pool    max=1;
    }

    upstream rather {
        hyperdrive_origin  mysql://app:secret@127.0.0.1:8081/shop?ssl-mode=DISABLED&compression-algorithms=zstd,uncompressed,zlib;
        hyperdrive_pool    max=1;
    }

    upstream never {
        hyperdrive_origin  mysql://app:secret@127.0.0.1:8081/shop?ssl-mode=DISABLED&compression-algorithms=zstd;
        hyperdrive_pool    max=1;
    }

    hyperdrive_users   off;
    hyperdrive_cache   c max_age=1h;

    server {
        listen             127.0.0.1:8080;
        hyperdrive_pass    plain;
        hyperdrive_cache   off;
    }

    server {
        listen             127.0.0.1:8082;
        hyperdrive_pass    zstd;
    }

    server {
        listen             127.0.0.1:8083;
        hyperdrive_pass    either;
    }

    server {
        listen             127.0.0.1:8084;
        hyperdrive_pass    rather;
    }

    server {
        listen             127.0.0.1:8085;
        hyperdrive_pass    never;
    }
}

EOC

$t->mariadb(port => port(8081), users => { app => 'secret' },
	databases => [ 'shop' ], settings => { max_allowed_packet => '64M' },
	sql => { shop => $TABLE });

$t->run();

my $wanted = mysql_client(port(8081), user => 'app', password => 'secret',
	database => 'shop')->query($LARGE)->{rows};

ok(client(8080)->greeting()->{capabilities} & $CAP{ZSTD},
	'it is offered to clients');

for my $how (
	[ 8080, 'by zstd', { zstd => 1 } ],
	[ 8082, 'to the database', undef ],
	[ 8082, 'at both ends', { zstd => 1 } ],
	[ 8082, 'and by zlib', {} ])
{
	my ($port, $name, $compress) = @$how;

	talk(client($port, compress => $compress), $name, $wanted);
}

# both: it is zlib

my $c = client(8080, compress => {}, add => $CAP{ZSTD});
is(length($c->query('SELECT v FROM t WHERE id = 2')->{rows}[0][0]), 80000,
	'who can do both is answered by zlib');

$c = client(8082, compress => { zstd => 1 }, timeout => 60);

huge($c);
anew($c);

# levels

for my $level (1, 22) {
	ok(client(8080, compress => { zstd => 1 }, level => $level)->ping()->{ok},
		"level $level");
}

for my $level (0, 23) {
	is(client(8080, compress => { zstd => 1 }, level => $level, quiet => 1)
		->error()->{code}, 1043, "no level $level");
}

# what the URL allows

is(compressed(8083), 'ON', 'zlib, where the database has no zstd');
is(compressed(8084), 'OFF', 'none, if that comes first');

like(client(8085, quiet => 1)->error()->{message} // '', qr/./,
	'a database that has none of the URL cannot be logged in to');
like($t->read_file('error.log'), qr/no compression that the URL allows/,
	'and the log says why');

nonsense(sub { client(8080, compress => { zstd => 1 }) },
	[ 'no zstd', "\x05\0\0\0\x20\0\0hello" ],
	[ 'a window of 2 GB', "\x0a\0\0\0\x20\0\0\x28\xb5\x2f\xfd\0\xa8aaaa" ]);

is(client(8080)->query('SELECT v FROM t WHERE id = 1')->{rows}[0][0], 'one',
	'others are served');

$t->done_testing();

###############################################################################

sub client {
	my ($port, %o) = @_;

	return mysql_client(port($port), user => 'app', password => 'x',
		database => 'shop', %o);
}

sub compressed {
	my ($port) = @_;

	return client($port)->query("SHOW STATUS LIKE 'Compression'")
		->{rows}[0][1];
}

###############################################################################
