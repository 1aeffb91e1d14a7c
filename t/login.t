#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: how clients log in, and how they do not.

###############################################################################

use warnings;
use strict;

use Digest::MD5 qw(md5_hex);
use Digest::SHA qw(sha256 hmac_sha256);
use MIME::Base64 qw(encode_base64);
use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive;
use Test::Hyperdrive::PG;

###############################################################################

my $t = Test::Hyperdrive->new()->allow_log(qr/in users file/);

my $pg = $t->postgres(users => { app => 'origin' },
	databases => [ 'shop', 'store' ]);

my $port = $pg->port();

$t->write_file('users.txt', users('first'));

$t->write_file_expand('nginx.conf', <<"EOS")->run();

%%TEST_GLOBALS%%

events {
}

%%TEST_STATUS%%

stream {
    upstream shop {
        hyperdrive_origin  postgres://app:origin\@127.0.0.1:$port/shop?sslmode=disable;
        hyperdrive_pool    max=4;
    }

    upstream any {
        hyperdrive_origin  postgres://app:origin\@127.0.0.1:$port?sslmode=disable;
        hyperdrive_pool    max=4;
    }

    server {
        listen            127.0.0.1:8080;
        hyperdrive_pass   shop;
        hyperdrive_users  users.txt;
    }

    server {
        listen            127.0.0.1:8081;
        hyperdrive_pass   shop;
        hyperdrive_users  off;
    }

    server {
        listen            127.0.0.1:8082;
        hyperdrive_pass   any;
        hyperdrive_users  off;
    }
}

EOS

###############################################################################
# Passwords.

my %passwords = (
	plain => 'first',
	hashed => 'md5 password',
	scram => 'scram password',
	'has "quotes"' => 'and "quotes"',
	"\x{c3}\x{bc}ser" => "p\x{c3}\x{a4}ss",
);

my %codes = (
	hashed => '5 0',
	map { $_ => '10 11 12 0' } 'plain', 'scram', 'has "quotes"',
		"\x{c3}\x{bc}ser",
);

for my $user (sort keys %passwords) {
	my $name = $user =~ s/[^ -~]/?/gr;
	my $c = client(user => $user, password => $passwords{$user});

	ok(!$c->error(), "$name, logged in");
	is(codes($c), $codes{$user}, "$name, and how");
	is($c->query('SELECT current_user')->value(), 'app',
		"$name, as the origin's user");
	$c->close();

	$c = client(user => $user, password => 'wrong');

	is($c->error()->{C}, '28P01', "$name, wrong password");
	is($c->error()->{S}, 'FATAL', "$name, which is final");
	is($c->error()->{M},
		"password authentication failed for user \"$user\"",
		"$name, and why");
	is($c->wait_eof(), 'closed', "$name, and the end");

	$c = client(user => $user, password => '');
	is($c->error()->{C}, '28P01', "$name, no password");
}

# the proof is checked both ways

my $c = client(user => 'scram', password => $passwords{scram});
ok($c->{scram}{proven}, 'nginx has proven itself');
is_deeply([ sort keys %{$c->parameters()} ], [ sort keys
	%{$pg->client(user => 'app', password => 'origin',
	database => 'shop')->parameters()} ], 'what the origin says of itself');
ok($c->pid() && length($c->key()) == 4, 'a key to cancel by');
is(($c->{login}[-1] // {})->{type}, 'Z', 'ready');
is($c->status(), 'I', 'and idle');
$c->close();

###############################################################################
# Whom nobody knows.

for my $user ('nobody', 'empty', 'Plain', 'plain ') {
	my $known = client(user => 'plain', password => 'wrong');
	my $unknown = client(user => $user, password => 'wrong');

	is($unknown->error()->{C}, '28P01', "$user, unknown");
	is(fields($unknown), fields($known) =~ s/"plain"/"$user"/r,
		"$user, told as who is known");
	is(sequence($unknown), sequence($known),
		"$user, step by step as who is known");
}

my ($salt, $rounds) = salt('nobody');

is($rounds, (salt('plain'))[1], 'as many rounds');
is(length($salt), length((salt('plain'))[0]), 'a salt of the same length');
is((salt('nobody'))[0], $salt, 'the same salt again');
isnt((salt('noone'))[0], $salt, 'another one for another user');

my ($known) = salt('plain');

is((salt('plain'))[0], $known, 'the same salt of who is known');

ok($t->reload(), 'a reload');

is((salt('nobody'))[0], $salt, 'the same salt after a reload');
is((salt('plain'))[0], $known, 'and of who is known');

###############################################################################
# The file is read again.

my $before = client(user => 'plain', password => 'first');

$t->write_file('users.txt', users('second'));

ok(!client(user => 'plain', password => 'first')->error(),
	'a file that changes is not read by itself');

ok($t->reload(), 'reload');

is(client(user => 'plain', password => 'first')->error()->{C}, '28P01',
	'the old password');
ok(!client(user => 'plain', password => 'second')->error(),
	'the new password');

$before->vanish();

# one that is wrong is refused, and all stays as it was

$t->write_file('users.txt', "\"plain\" \"third\"\nnonsense\n");
ok(!$t->reload(), 'a file that is wrong');
ok(!client(user => 'plain', password => 'second')->error(),
	'changes nothing');
$t->write_file('users.txt', users('second'));

###############################################################################
# Without passwords.

$c = trusted();

is(codes($c), '0', 'no password');
is($c->query('SELECT current_user')->value(), 'app', "the origin's user");
$c->close();

$c = trusted(user => 'whoever', quiet => 1);
ok(!$c->error(), 'any user');
$c->close();

###############################################################################
# Databases.

$c = trusted(database => 'store', quiet => 1);

is($c->error()->{C}, '3D000', 'another database');
is($c->error()->{S}, 'FATAL', 'is final');
like($c->error()->{M}, qr/store/, 'and is named');

# whoever may not log in is not told which exist

is(client(user => 'plain', password => 'wrong', database => 'store')
	->error()->{C}, '28P01', 'another database, wrong password');

# libpq sends none when it is named as the user is

$c = pg_client(port(8081), user => 'shop');
is($c->query('SELECT current_database()')->value(), 'shop',
	'the database named as the user is');
$c->close();

for my $database ('shop', 'store', 'postgres') {
	my @c = map { pg_client(port(8082), user => 'app',
		database => $database) } 1 .. 2;

	is($_->query('SELECT current_database()')->value(), $database,
		"$database of an origin without one") for @c;
	is($_->query('SELECT current_user')->value(), 'app',
		"$database, the user") for @c;

	$_->close() for @c;
}

$c = pg_client(port(8082), user => 'app', database => 'nothing', quiet => 1);

is($c->error()->{C}, '3D000', 'a database that does not exist');
like($c->error()->{M}, qr/"nothing" does not exist/, "the origin's words");

# what it does not take fails at log-in, as it would there

$c = trusted(quiet => 1, params => { TimeZone => 'Nowhere' });
is($c->error()->{C}, '22023', 'a time zone that does not exist');

$c = trusted(quiet => 1, params => { nonsense => 'x' });
is($c->error()->{C}, '42704', 'a parameter that does not exist');

$c = trusted(params => { TimeZone => 'Asia/Tokyo' });
is($c->parameter('TimeZone'), 'Asia/Tokyo', 'a time zone, told');
is($c->query('SHOW TimeZone')->value(), 'Asia/Tokyo', 'and used');
$c->close();

$c = trusted();
is($c->query('SHOW TimeZone')->value(), 'UTC', 'by nobody else');
$c->close();

###############################################################################
# The start-up packet.

# newer protocols and options of them

for my $case ([ 1, 0x00030000 ], [ 2, undef ], [ 3, 0x00030002 ],
    [ 9999, 0x00030002 ])
{
	my ($minor, $expected) = @$case;

	$c = trusted(protocol => 0x00030000 + $minor);

	my ($v) = grep { $_->{type} eq 'v' } @{$c->{login}};

	is($v && $v->{version}, $expected, "protocol 3.$minor, negotiated");
	is(scalar @{$v->{options} || []}, 0, "protocol 3.$minor, no options");
	is($c->query('SELECT 1')->value(), 1, "protocol 3.$minor, used");
	is(length($c->key()), $minor < 2 ? 4 : 32,
		"protocol 3.$minor, a key to cancel by");
	ok(cancelled($c, $c->key()), "protocol 3.$minor, which does");

	# neither a part of it nor more

	for my $key (substr($c->key(), 0, 4 - ($minor < 2)), $c->key() . 'x',
	    $c->key() ^ "\1")
	{
		ok(!cancelled($c, $key), "protocol 3.$minor, another does not");
	}

	$c->close();
}

$c = trusted(params => { '_pq_.nonsense' => 1, '_pq_.more' => 2 });

my ($v) = grep { $_->{type} eq 'v' } @{$c->{login}};

is_deeply([ sort @{$v->{options}} ], [ '_pq_.more', '_pq_.nonsense' ],
	'options that are not known, negotiated');
is($c->query('SELECT 2')->value(), 2, 'and used, too');
$c->close();

$c = client(user => 'plain', password => 'second', protocol => 0x00030004);
ok(!$c->error(), 'a newer protocol and a password');
$c->close();

for my $version (0x00010000, 0x00020000, 0x00040000, 0) {
	$c = trusted(protocol => $version, login => 0);
	$c->startup()->wait_eof();

	# (2 and older expect a text without fields)

	like($c->{in}, qr/^E.*unsupported frontend protocol/s,
		sprintf('protocol %08x', $version));
	$c->vanish();
}

# encryption that is not there

$c = trusted(login => 0);

is($c->gss_request(), 'N', 'GSSENCRequest');
is($c->ssl_request(), 'N', 'SSLRequest behind it');
$c->startup();
$c->authenticate();
ok(!$c->error(), 'and a log-in behind both');
is($c->query('SELECT 3')->value(), 3, 'that works');
$c->close();

# byte by byte

for my $user ('plain', 'hashed') {
	my $password = $user eq 'plain' ? 'second' : $passwords{$user};

	$c = client(user => $user, password => $password, split => 1);

	ok(!$c->error(), "$user, byte by byte");
	is($c->query('SELECT 4')->value(), 4, 'and a query');
	$c->close();
}

# all in one write: start-up, query

$c = trusted(login => 0);
$c->send_raw($c->startup_message()
	. Test::Hyperdrive::PG::message('Q', "SELECT 5\0"));
$c->authenticate();
is($c->result()->value(), 5, 'a query sent with the start-up');
$c->close();

# no user, no end, no sense

$c = trusted(user => undef, quiet => 1);
is($c->error()->{C}, '28000', 'no user');

my %startups = (
	'length 0' => pack('N N', 0, 0x30000),
	'length 7' => pack('N', 7) . "\0\3\0",
	'length 8, nothing in it' => pack('N N', 8, 0x30000),
	'a packet that is too long' => pack('N N', 10001 + 4, 0x30000)
		. "user\0" . 'x' x 10000,
	'a packet of a gigabyte' => pack('N N', 0x40000000, 0x30000),
	'a negative length' => pack('N N', 0xffffffff, 0x30000),
	'HTTP' => "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
	'no NUL at the end' => pack('N N a*', 17, 0x30000, 'user' . "\0app\0x"),
	'a name without a value' => pack('N N a*', 18, 0x30000,
		"user\0app\0x\0"),
	'nothing but NULs' => "\0" x 100,
	'TLS' => "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" . 'r' x 40,
	'SSLRequest twice, then nonsense' => pack('N N', 8, 80877103) x 3
		. 'nonsense, which is read as a length',
);

for my $name (sort keys %startups) {
	$c = trusted(login => 0, timeout => 5);

	eval { $c->send_raw($startups{$name}) };

	ok($c->wait_eof(), "$name, closed");
	unlike($c->{in}, qr/^R\x00\x00\x00\x08\x00\x00\x00\x00/, "$name, not let in");
	$c->vanish();
}

# messages that do not belong there

for my $type ('Q', 'X', 'P', 'p') {
	$c = trusted(user => 'plain', port => port(8080), login => 0);
	$c->startup();
	$c->read_message();
	$c->send_raw(Test::Hyperdrive::PG::message($type, "nonsense\0"));
	ok($c->wait_eof(), "$type instead of a password");
	unlike($c->{in}, qr/Z\x00\x00\x00\x05I/, "$type, not let in");
}

# a client that leaves half-way leaves nothing

for my $n (1, 7, 20) {
	$c = trusted(login => 0);
	$c->send_raw(substr($c->startup_message(), 0, $n));
	$c->vanish();
}

my $total = wait_for(sub {
	my $total = $t->status()->{upstreams}{shop}{total};
	$total->{clients} == 0 && $total;
}, 5, 'end of all clients');

cmp_ok($total->{login_failed}, '>', 10, 'failures are counted');

# a log-in does not wait for the database when all is known

$pg->freeze();

$c = trusted(timeout => 5);
ok(!$c->error(), 'a log-in while the database stands still');
$c->vanish();

$pg->thaw();

unlike($t->read_file('error.log'),
	qr/first"|md5 password|scram password|origin@|SCRAM-SHA-256\$/,
	'no password in the log');

$t->done_testing();

###############################################################################

sub client {
	my (%o) = @_;

	return pg_client(port(8080), database => 'shop', quiet => 1,
		timeout => 10, %o);
}

sub trusted {
	my (%o) = @_;

	return pg_client($o{port} || port(8081), user => 'app',
		database => 'shop', timeout => 10, %o);
}

# Whether a request of the client is cancelled by this key.

sub cancelled {
	my ($c, $key) = @_;

	# (as long as it takes, or as a key that is not the right one may need)

	my $sleep = 'SELECT pg_sleep(' . ($key eq $c->key() ? 60 : 0.5) . ')';

	$c->send('Q', "$sleep\0")->flush_out();

	wait_for(sub { $pg->psql("SELECT count(*) FROM pg_stat_activity "
		. "WHERE state = 'active' AND query = '$sleep'") })
		if $key eq $c->key();

	my $s = trusted(login => 0);
	$s->send_raw(pack('N N N a*', 12 + length($key), 80877102, $c->pid(),
		$key));
	$s->wait_eof();

	return $c->result()->state() eq '57014';
}

# Codes of what was asked for.

sub codes {
	my ($c) = @_;

	return join(' ', map { $_->{code} } grep { $_->{type} eq 'R' }
		@{$c->{login}});
}

sub sequence {
	my ($c) = @_;

	return join(' ', map { $_->{type} . ($_->{code} // '') . ' '
		. ($_->{type} eq 'E' ? 0 : length($_->{body})) }
		@{$c->{login}});
}

sub fields {
	my ($c) = @_;

	my $error = $c->error();
	return join(' ', map { "$_ $error->{$_}" } sort keys %$error);
}

# What a SCRAM log-in is told.

sub salt {
	my ($user) = @_;

	my $c = client(user => $user, password => 'wrong');

	my ($m) = grep { $_->{type} eq 'R' && $_->{code} == 11 }
		@{$c->{login}};

	return ($m // { data => '' })->{data} =~ /s=([^,]+),i=(\d+)/;
}

sub users {
	my ($password) = @_;

	my $hash = 'md5' . md5_hex('md5 password' . 'hashed');

	my $salt = 'salted for tests';
	my $salted = Test::Hyperdrive::PG::pbkdf2('scram password', $salt,
		4096);

	my $scram = 'SCRAM-SHA-256$4096:' . encode_base64($salt, '') . '$'
		. encode_base64(sha256(hmac_sha256('Client Key', $salted)), '')
		. ':' . encode_base64(hmac_sha256('Server Key', $salted), '');

	return <<"EOS";
; users of the tests
"plain" "$password"
"hashed" "$hash"
"scram" "$scram"   ; a verifier
"empty" ""
"has ""quotes""" "and ""quotes"""
"\xc3\xbcser" "p\xc3\xa4ss"
EOS
}

###############################################################################
