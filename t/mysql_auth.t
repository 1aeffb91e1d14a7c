#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: MySQL's users are looked up in the database, and log in
# there as themselves.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive;
use Test::Hyperdrive::MariaDB;
use Test::Hyperdrive::MySQL;
use Test::Hyperdrive::Process qw(wait_for);

###############################################################################

plan(skip_all => 'MariaDB\'s mysql.user')
	if Test::Hyperdrive::MariaDB::is_mysql();

my $t = Test::Hyperdrive->new();

my $db = $t->mariadb(users => {
		pooler => { password => 'secret', grants => 'SELECT' },
		app => { password => 'first', grants => 'SELECT, INSERT' },
		free => { grants => 'SELECT' },
		other => { password => 'x', plugin => 'mysql_old_password',
			grants => 'SELECT' },
	}, databases => [ 'shop' ], sql => { shop => <<'EOS' });

CREATE TABLE things (id INT PRIMARY KEY, v INT);
INSERT INTO things VALUES (1, 1);
CREATE TABLE people (name VARCHAR(80) COLLATE utf8mb4_general_ci, secret VARBINARY(200));
INSERT INTO people VALUES
    ('sha', CONCAT('$A$005$', REPEAT('s', 20), REPEAT('h', 43))),
    ('hex', CONCAT('0x', HEX(CONCAT('$A$005$', REPEAT('s', 20),
        REPEAT('h', 43))))),
    ('two', '*0000000000000000000000000000000000000000'),
    ('two', '*0000000000000000000000000000000000000001'),
    ('plain', 'a password'),
    ('fold', PASSWORD('secret')),
    ('none', NULL);
EOS

my $port = $db->port();

$db->sql("CREATE USER 'o''brien'\@'%' IDENTIFIED BY 'his'; "
	. "GRANT SELECT ON *.* TO 'o''brien'\@'%'");

$t->write_file('users.txt', qq{"file" "of the file"\n});
$t->write_file('pooler.txt', "secret\n");

my $users = '"SELECT user, authentication_string FROM mysql.user '
	. 'WHERE user = $1 AND host = \'%\'"';
my $people = '"SELECT secret FROM shop.people WHERE name = $1 AND $1 = $1"';

my $conf = <<"EOS";

%%TEST_GLOBALS%%

events {
}

%%TEST_STATUS%%

stream {

    # the pool's user asks, and does all else

    upstream shop {
        hyperdrive_origin      mysql://pooler:secret\@127.0.0.1:$port/shop?ssl-mode=DISABLED;
        hyperdrive_auth_query  $users valid=1ms;
    }

    # each client's own user does

    upstream own {
        hyperdrive_origin      mysql://127.0.0.1:$port/?ssl-mode=DISABLED;
        hyperdrive_auth_query  $users user=pooler password_file=pooler.txt;
    }

    upstream people {
        hyperdrive_origin      mysql://pooler:secret\@127.0.0.1:$port/shop?ssl-mode=DISABLED;
        hyperdrive_auth_query  $people;
    }

    upstream names {
        hyperdrive_origin      mysql://pooler:secret\@127.0.0.1:$port/shop?ssl-mode=DISABLED;
        hyperdrive_auth_query  "SELECT name, secret FROM shop.people WHERE name = \$1";
    }

    upstream wrong {
        hyperdrive_origin      mysql://pooler:secret\@127.0.0.1:$port/shop?ssl-mode=DISABLED;
        hyperdrive_auth_query  "SELECT nothing FROM nowhere WHERE x = \$1";
    }

    server {
        listen            127.0.0.1:8080;
        hyperdrive_pass   shop;
        hyperdrive_users  users.txt query;
    }

    server {
        listen            127.0.0.1:8081;
        hyperdrive_pass   own;
        hyperdrive_users  query;
    }

    server {
        listen            127.0.0.1:8082;
        hyperdrive_pass   people;
        hyperdrive_users  query;
    }

    server {
        listen            127.0.0.1:8083;
        hyperdrive_pass   wrong;
        hyperdrive_users  query;
    }

    server {
        listen            127.0.0.1:8084;
        hyperdrive_pass   names;
        hyperdrive_users  query;
    }
}

EOS

$t->write_file_expand('nginx.conf', $conf)->run();

sub client {
	my ($port, $user, $password) = @_;

	return mysql_client(port($port), user => $user, password => $password,
		database => 'shop', quiet => 1);
}

# "code" of a log-in that was refused, or who the client is at the database.

sub who {
	my ($port, $user, $password) = @_;

	my $c = client($port, $user, $password);
	my $error = $c->error();

	my $who = $error ? $error->{code} : $c->value('SELECT USER()') =~
		s/\@.*//r;

	$c->close();

	return $who;
}

###############################################################################

is(who(8080, 'app', 'first'), 'pooler', 'a user of the database');
is(who(8080, "o'brien", 'his'), 'pooler', 'one with a quote in the name');
is(who(8080, 'app ', 'first'), 1045, 'a name with a space behind it');
is(who(8080, 'app', 'another'), 1045, 'a wrong password');
is(who(8080, 'nobody', 'first'), 1045, 'an unknown user');
is(who(8080, "' OR 1 = 1 -- ", 'first'), 1045, 'a name that is no SQL');
is(who(8080, '', 'first'), 1045, 'no name');
is(who(8080, "app\xff", 'first'), 1045, 'a name that is no UTF-8');
is(who(8080, "\xc3\x26\xed\xa0\x80", 'first'), 1045, '...nor this one');
ok(!$t->log_has(qr/"hyperdrive_auth_query" failed/),
	'...and no query fails');
is(who(8080, 'free', ''), 1045, 'a user without a password');
is(who(8080, 'file', 'of the file'), 'pooler', 'a user of the file');
is(who(8080, 'file', 'first'), 1045, '...with another password');

$db->sql("ALTER USER app IDENTIFIED BY 'second'");
is(who(8080, 'app', 'second'), 'pooler', 'a new password');
is(who(8080, 'app', 'first'), 1045, '...and not the old one');

# as themselves

is(who(8081, 'app', 'second'), 'app', 'a client\'s own user');
is(who(8081, "o'brien", 'his'), "o'brien", '...another one');
is(who(8081, 'app', 'wrong'), 1045, 'a wrong password');

my $c = client(8081, 'app', 'second');
ok(!$c->query('INSERT INTO things VALUES (2, 2)')->{error},
	'it may do what it may');
my $o = client(8081, "o'brien", 'his');
is($o->query('INSERT INTO things VALUES (3, 3)')->{error}{code}, 1142,
	'...and nobody else what he may not');
$_->close() for $c, $o;

$db->sql("ALTER USER app IDENTIFIED BY 'third'");
wait_for(sub { who(8081, 'app', 'third') eq 'app' }, 20, 'a new password');
pass('a new password');

# what the answer may be

is(who(8082, 'nobody', 'x'), 1045, 'no row');
is(who(8082, 'none', 'x'), 1045, 'no secret');
is(who(8082, 'sha', 'x'), 1045, 'caching_sha2_password: another password');
is(who(8082, 'hex', 'x'), 1045, '...in hexadecimal');
is(who(8082, 'two', 'x'), 1158, 'two rows');
is(who(8082, 'plain', 'a password'), 1158, 'a password in clear');
ok($t->log_has(qr/answered by something else than one row/), '...is logged');
is(who(8084, 'fold', 'secret'), 'pooler', 'a name and a secret');
is(who(8084, 'FOLD', 'secret'), 1045, '...and a name that is only alike');
is(who(8083, 'app', 'third'), 1158, 'a query that fails');
ok($t->log_has(qr/the query of "hyperdrive_auth_query" failed/),
	'...is logged');

$t->done_testing();
