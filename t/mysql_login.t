#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# MySQL's clients log in, and we do at MariaDB: what they are greeted with,
# plugins, users files, TLS, databases, errors.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive;
use Digest::SHA qw(sha256);

use Test::Hyperdrive::MySQL qw(%CAP %STATUS);

###############################################################################

my $t = Test::Hyperdrive->new();

$t->certificate('front');

my $db = $t->mariadb(ssl => 1,
	users => { app => 'origin secret', tls => { password => 'secret',
		require => 'SSL' }, own => 'secret' },
	databases => [ 'shop', 'other' ],
	sql => { shop => 'CREATE TABLE t (a INT); INSERT INTO t VALUES (1), (2)' });

my $port = $db->port();
my $socket = $db->socket();

# "secret", as mysql_native_password and caching_sha2_password keep it

my $native = '*14E65567ABDB5135D0CFD9A70B3032C179A49EE7';
my $sha2 = '0x' . unpack('H*', '$A$005$saltsaltsaltsaltsalt'
	. substr(sha2_crypt('secret', 'saltsaltsaltsaltsalt'), 0, 43));

$t->write_file('plain', qq{"plain" "secret"\n"own" "secret"\n});
$t->write_file('native', qq{"native" "$native"\n});
$t->write_file('mixed', qq{"plain" "secret"\n"native" "$native"\n}
	. qq{"sha2" "$sha2"\n});

$t->write_file_expand('nginx.conf', <<"EOF");

%%TEST_GLOBALS%%

events {
}

stream {
    upstream shop {
        hyperdrive_origin  mysql://app:origin%20secret\@127.0.0.1:$port/shop;
        hyperdrive_pool    max=8;
    }

    upstream tls {
        hyperdrive_origin  mariadb://tls:secret\@127.0.0.1:$port/shop?ssl-mode=REQUIRED;
    }

    upstream no_tls {
        hyperdrive_origin  mariadb://tls:secret\@127.0.0.1:$port/shop?ssl=false;
    }

    upstream verify {
        hyperdrive_origin  mysql://app:origin%20secret\@localhost:$port/shop?sslMode=verify-full&ssl-ca=my0-server.crt;
    }

    upstream other_ca {
        hyperdrive_origin  mysql://app:origin%20secret\@127.0.0.1:$port/shop?ssl-mode=VERIFY_CA&ssl-ca=front.crt;
    }

    upstream socket {
        hyperdrive_origin  mysql://app:origin%20secret@/shop?socket=$socket&program_name=front;
    }

    upstream own {
        hyperdrive_origin  mysql://127.0.0.1:$port;
    }

    upstream wrong {
        hyperdrive_origin  mysql://app:wrong\@127.0.0.1:$port;
    }

    upstream down {
        hyperdrive_origin  mysql://app:wrong\@127.0.0.1:8099;
    }

    # another nginx is a database that has caching_sha2_password

    upstream chain {
        hyperdrive_origin  mysql://chained:secret\@127.0.0.1:8080/shop?ssl=false&allowPublicKeyRetrieval=true;
    }

    upstream no_key {
        hyperdrive_origin  mysql://other:secret\@127.0.0.1:8080/shop?ssl=false;
    }

    ssl_certificate       front.crt;
    ssl_certificate_key   front.key;

    server {
        listen            127.0.0.1:8090;
        hyperdrive_pass   chain;
        hyperdrive_users  plain;
    }

    server {
        listen            127.0.0.1:8091;
        hyperdrive_pass   no_key;
        hyperdrive_users  plain;
    }

    server {
        listen            127.0.0.1:8080;
        hyperdrive_pass   shop;
        hyperdrive_users  mixed;
    }

    server {
        listen            127.0.0.1:8081;
        hyperdrive_pass   shop;
        hyperdrive_users  off;
    }

    server {
        listen            127.0.0.1:8082;
        hyperdrive_pass   tls;
        hyperdrive_users  native;
    }

    server {
        listen            127.0.0.1:8083;
        hyperdrive_pass   no_tls;
        hyperdrive_users  plain;
    }

    server {
        listen            127.0.0.1:8084;
        hyperdrive_pass   verify;
        hyperdrive_users  plain;
    }

    server {
        listen            127.0.0.1:8085;
        hyperdrive_pass   other_ca;
        hyperdrive_users  plain;
    }

    server {
        listen            127.0.0.1:8086;
        listen            unix:%%TESTDIR%%/front.sock;
        hyperdrive_pass   socket;
        hyperdrive_users  mixed;
    }

    server {
        listen            127.0.0.1:8087;
        hyperdrive_pass   own;
        hyperdrive_users  plain;
    }

    server {
        listen            127.0.0.1:8088;
        hyperdrive_pass   wrong;
        hyperdrive_users  plain;
    }

    server {
        listen            127.0.0.1:8089;
        hyperdrive_pass   down;
        hyperdrive_users  plain;
    }
}

EOF

$t->run();

###############################################################################
# Greetings.

my $direct = $db->client(user => 'app', password => 'origin secret');
my $c = connect_to(8080, user => 'plain');

is($c->greeting()->{version}, $direct->greeting()->{version},
	'greeted with the version of the database');
is($c->greeting()->{collation}, $direct->greeting()->{collation},
	'and its collation');
is($c->greeting()->{plugin}, 'mysql_native_password', 'and plugin');
ok(!($c->greeting()->{capabilities} & $CAP{LONG_PASSWORD}),
	'and as MariaDB is');
is($c->{ok}{status}, $STATUS{AUTOCOMMIT}, 'autocommit');
is($c->value('SELECT count(*) FROM t'), 2, 'a query');

like(error(8089, user => 'plain'), qr/^1158  .*127\.0\.0\.1:\d+/,
	'no database: an error in place of a greeting');
like(error(8088, user => 'plain'), qr/^1045  .*Access denied for user 'app'/,
	'a database that does not let us in');

###############################################################################
# Passwords.

for my $user ('plain', 'native', 'sha2') {
	for my $plugin ('mysql_native_password', 'caching_sha2_password') {
		my $c = connect_to(8080, user => $user, plugin => $plugin,
			ssl => 1);

		is($c->value('SELECT 1'), 1, "$user, $plugin");
	}
}

is(join(',', connect_to(8080, user => 'native',
	plugin => 'caching_sha2_password')->trail()),
	'switch mysql_native_password', 'a switch of plugins');

is(join(',', connect_to(8080, user => 'sha2')->trail()),
	'switch caching_sha2_password,fast', 'the digest is remembered');

is(connect_to(8080, user => 'plain', split => 1)->value('SELECT 1'), 1,
	'byte by byte');
is(connect_to(8080, user => 'native', plugin => 'client_ed25519')
	->value('SELECT 1'), 1, 'a plugin that we do not have');
is(connect_to(8080, user => 'native', plugin => 'mysql_clear_password',
	ssl => 1)->value('SELECT 1'), 1, 'in clear, over TLS');
is(join(',', connect_to(8080, user => 'native',
	plugin => 'mysql_clear_password')->trail()),
	'switch mysql_native_password', '...and not without it');
is(connect_to(8080, user => 'plain', drop => $CAP{PLUGIN_AUTH})
	->value('SELECT 1'), 1, 'a client that knows no plugins');
is(connect_to(8080, user => 'plain', attributes => { _client_name => 'me' },
	add => $CAP{PLUGIN_LENENC})->value('SELECT 1'), 1, 'attributes');

for my $user ('plain', 'native', 'sha2', 'nobody') {
	for my $plugin ('mysql_native_password', 'caching_sha2_password') {
		is(error(8080, user => $user, plugin => $plugin,
			password => 'wrong', ssl => 1),
			"1045 28000 Access denied for user "
			. "'$user'\@'127.0.0.1' (using password: YES)",
			"$user, $plugin, a wrong password");
	}

	is(error(8080, user => $user, password => ''),
		"1045 28000 Access denied for user "
		. "'$user'\@'127.0.0.1' (using password: NO)",
		"$user, no password");
}

for my $plugin ('mysql_native_password', 'caching_sha2_password',
	'mysql_clear_password', 'dialog')
{
	is(connect_to(8081, user => 'anybody', plugin => $plugin)
		->value('SELECT 1'), 1, "no password is asked, $plugin");
}

is(connect_to(8081, user => 'anybody', password => undef)
	->value('SELECT 1'), 1, '...and none is sent');

###############################################################################
# By RSA, in a worker that does not know the user yet, and a unix socket.

$t->write_file('mixed', qq{"key" "$sha2"\n"sha2" "$sha2"\n}
	. qq{"chained" "$sha2"\n"other" "$sha2"\n})->reload();

is(join(',', connect_to(8080, user => 'key',
	plugin => 'caching_sha2_password')->trail()), 'full,key',
	'the password under our key');
is(join(',', connect_to(8080, user => 'key',
	plugin => 'caching_sha2_password')->trail()), 'fast',
	'and then the digest');

like(error(8080, user => 'key', plugin => 'caching_sha2_password',
	password => 'wrong'), qr/^1045/, 'a wrong one');

$c = Test::Hyperdrive::MySQL->connect(0,
	socket => $t->testdir() . '/front.sock', user => 'sha2',
	password => 'secret', plugin => 'caching_sha2_password');

is($c->value('SELECT 1'), 1, 'the password over a unix socket');
is(join(',', $c->trail()), 'full', '...by itself');

like($db->sql("SELECT attr_name, attr_value FROM
	performance_schema.session_connect_attrs LIMIT 1") . 'none',
	qr/./, 'attributes are sent');

is(connect_to(8090, user => 'plain')->value('SELECT database()'), 'shop',
	'we send the password under the public key of a database');
like(error(8091, user => 'plain'), qr/allowPublicKeyRetrieval=true/,
	'...if we are told to ask for it');

###############################################################################
# TLS.

$c = connect_to(8080, user => 'sha2', ssl => 1);
is($c->value("SHOW STATUS LIKE 'Ssl_cipher'"), 'Ssl_cipher',
	'a client by TLS');
is(connect_to(8080, user => 'sha2', ssl => 1, split => 1)->value('SELECT 1'),
	1, '...in small pieces');

isnt(connect_to(8082, user => 'native')->query("SHOW STATUS LIKE 'Ssl_cipher'")
	->{rows}[0][1], '', 'TLS to the database');
like(error(8083, user => 'plain'), qr/^1045.*Access denied for user 'tls'/,
	'a user who has to have it, without');
isnt(connect_to(8084, user => 'plain')
	->query("SHOW STATUS LIKE 'Ssl_cipher'")->{rows}[0][1], '',
	'its certificate is verified');
like(error(8085, user => 'plain'), qr/could not be verified/,
	'another one is not its own');

$c = Test::Hyperdrive::MySQL->connect(port(8080), login => 0);
$c->read_greeting();

my $request = pack('V V C x23', $CAP{SSL} | $CAP{PROTOCOL_41}
	| $CAP{SECURE_CONNECTION}, 1 << 24, 45);

$c->send_raw(Test::Hyperdrive::MySQL::packet($request, 1)
	. Test::Hyperdrive::MySQL::packet($request . "sha2\0\0", 2));
ok($c->ended(), 'what follows a request for TLS in clear is not read');

###############################################################################
# Databases and what a connection is.

is(connect_to(8080, user => 'sha2')->value('SELECT database()'), 'shop',
	"the URL's database");
is(connect_to(8080, user => 'sha2', database => 'other')
	->value('SELECT database()'), 'other', 'another one');
like(error(8080, user => 'sha2', database => 'nothing'),
	qr/^1049 42000 .*Unknown database 'nothing'/, 'one that is not there');
is(connect_to(8087, user => 'own')->value('SELECT database()'), undef,
	'no database');

my @found = map { connect_to(8080, user => 'sha2', add => $_) }
	0, $CAP{FOUND_ROWS};

is($found[0]->query('UPDATE t SET a = a')->{affected}, 0,
	'rows that were changed');
is($found[1]->query('UPDATE t SET a = a')->{affected}, 2,
	'rows that were found');

is(connect_to(8080, user => 'sha2', collation => 8)
	->value('SELECT @@collation_connection'), 'latin1_swedish_ci',
	'a collation');
is(connect_to(8080, user => 'sha2', collation => 45)
	->value('SELECT @@collation_connection'), 'utf8mb4_general_ci',
	'another one');

###############################################################################
# The clients' own users.

like(connect_to(8087, user => 'own')->value('SELECT current_user()'), qr/^own/,
	"a client's own user");
like(error(8087, user => 'plain'), qr/^1045.*Access denied for user 'plain'/,
	'one that the database does not know');

###############################################################################
# COM_CHANGE_USER.

$c = connect_to(8080, user => 'sha2', split => 1);

$c->query('SET @a = 1, sql_mode = "ANSI_QUOTES"');
$c->query('CREATE TEMPORARY TABLE mine (a INT)');
my $st = $c->prepare('SELECT 1');
$c->query('BEGIN');
$c->query('UPDATE t SET a = a + 10');

ok($c->change_user(user => 'key', database => 'other'), 'another user');
is($c->value('SELECT database()'), 'other', '...in another database');
is($c->value('SELECT @a'), undef, '...who has set nothing');
is($c->value("SELECT @\@sql_mode LIKE '%ANSI%'"), 0, '...at all');
is($c->query('SELECT * FROM shop.mine')->{error}{code}, 1146,
	'...has no temporary tables');
is($c->execute($st)->{error}{code}, 1243, '...has prepared nothing');
is($db->sql('SELECT SUM(a) FROM shop.t'), 3, '...and changed nothing');

ok($c->change_user(user => 'sha2', database => undef), 'the first one again');
is($c->value('SELECT database()'), 'shop', "...in the URL's database");

for my $plugin ('mysql_native_password', 'caching_sha2_password') {
	ok($c->change_user(user => 'key', plugin => $plugin),
		"by $plugin");
}

ok(!$c->change_user(user => 'key', password => 'wrong'), 'a wrong password');
is($c->error()->{code}, 1045, '...is refused');
ok($c->ended(), '...and is the end');

$c = connect_to(8087, user => 'own');
ok(!$c->change_user(user => 'plain'), 'a user whom the database does not know');
is($c->error()->{code}, 1045, '...is refused');

# ...as often as it likes, and the worker does not grow with it

$c = connect_to(8081, user => 'n' x 1000);

for my $rounds (200, 3000) {
	my $before = resident();
	my $failed = 0;

	for my $i (1 .. $rounds) {
		$failed++ unless $c->change_user(user => chr(97 + $i % 2)
			x 1000);
	}

	is($failed, 0, "$rounds times another user");

	# (a sanitizer keeps what was freed)

	cmp_ok(resident() - $before, '<', 1500, '...without a trace')
		if $rounds == 3000 && !$t->{sanitize};
}

$c = connect_to(8080, user => 'sha2');
$c->{seq} = 0;
$c->send("\x11key\0\x14short");
is($c->read_packet() =~ /^\xff(..)/s && unpack('v', $1), 1043,
	'a request that is cut short');

###############################################################################
# What is no log-in.

for my $case (
	[ 'an old client', "\5\0\0\1\5\0\0\0\0", qr/^1251/ ],
	[ 'a packet out of order', Test::Hyperdrive::MySQL::packet($request, 3),
		qr/^1156/ ],
	[ 'a packet that is too long', "\377\377\377\1", qr/^1153/ ],
	[ 'a response that is cut short', Test::Hyperdrive::MySQL::packet(
		substr($request, 0, 20), 1), qr/^1043/ ])
{
	my ($name, $bytes, $message) = @$case;

	my $c = Test::Hyperdrive::MySQL->connect(port(8080), login => 0);
	$c->read_greeting();
	$c->send_raw($bytes);
	$c->{seq} = ord(substr($bytes, 3, 1)) + 1;

	my $payload = eval { $c->read_packet() };
	$payload = "\377\0\0" unless defined $payload;

	like(unpack('x v', $payload), $message, $name);
	ok($c->ended(), '...the connection is closed');
}

$t->done_testing();

###############################################################################

# kB, of the one worker

sub resident {
	open(my $fh, '<', '/proc/' . ($t->worker_pids())[0] . '/status')
		or die "/proc: $!\n";

	my ($kb) = join('', <$fh>) =~ /^VmRSS:\s+(\d+)/m;

	return $kb;
}

sub connect_to {
	my ($port, @more) = @_;
	return mysql_client(port($port), password => 'secret', @more);
}

# "code state message" of a log-in that is refused

sub error {
	my ($port, @more) = @_;

	my $e = connect_to($port, @more, quiet => 1)->error();

	return $e ? join(' ', @$e{qw(code state message)}) : 'no error';
}

# The text of crypt(3), for a salt of 20 bytes, which it does not take itself.

sub sha2_crypt {
	my ($password, $salt) = @_;

	my $b = sha256($password . $salt . $password);
	my $text = $password . $salt . substr($b x 8, 0, length $password);

	for (my $n = length $password; $n; $n >>= 1) {
		$text .= $n & 1 ? $b : $password;
	}

	my $a = sha256($text);
	my $p = substr(sha256($password x length $password) x 8, 0,
		length $password);
	my $s = substr(sha256($salt x (16 + ord $a)), 0, length $salt);

	for my $i (0 .. 4999) {
		$a = sha256(($i & 1 ? $p : $a) . ($i % 3 ? $s : '')
			. ($i % 7 ? $p : '') . ($i & 1 ? $a : $p));
	}

	my @order = map { my $i = $_; [ map { ($i * 21 + $_ * 10) % 30 } 0 .. 2 ] }
		0 .. 9;
	my @set = ('.', '/', 0 .. 9, 'A' .. 'Z', 'a' .. 'z');
	my $out = '';

	for my $three (@order) {
		my $v = 0;
		$v = $v << 8 | ord substr($a, $_, 1) for @$three;
		$out .= $set[$v >> 6 * $_ & 63] for 0 .. 3;
	}

	my $v = ord(substr($a, 31)) << 8 | ord substr($a, 30, 1);
	$out .= $set[$v >> 6 * $_ & 63] for 0 .. 2;

	return $out;
}

###############################################################################
