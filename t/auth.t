#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: clients whose own users log in to the database, by
# passwords, keys or certificates, and how nginx comes to know of them.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive qw(port pg_client wait_for run_command);
use Test::Hyperdrive::PG;
use Test::Hyperdrive::Postgres;

###############################################################################

# (nginx's own words about a client that is refused while it sends already)

my $t = Test::Hyperdrive->new()
	->allow_log(qr/application data after close notify/);

my $pg = $t->postgres(
	users => {
		alice => 'alice secret',
		bob => 'bob secret',
		carol => { password => 'carol secret', encryption => 'md5' },
		free => undef,
		lookup => 'lookup secret',
		gone => 'gone secret',
	},
	databases => [ 'shop', 'store' ],
	sql => { shop => <<'EOS', store => 'GRANT CREATE ON SCHEMA public TO public' });
CREATE FUNCTION find(name) RETURNS TABLE (n name, p text)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog
AS 'SELECT usename, passwd FROM pg_shadow WHERE usename = $1';
REVOKE ALL ON FUNCTION find(name) FROM public;
GRANT EXECUTE ON FUNCTION find(name) TO lookup;
CREATE TABLE paths (path text);
GRANT INSERT ON paths TO lookup;
CREATE FUNCTION spy(name) RETURNS TABLE (n name, p text)
LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
INSERT INTO public.paths VALUES (current_setting('search_path'));
RETURN QUERY SELECT usename, passwd FROM pg_catalog.pg_shadow
WHERE usename = $1; END $$;
EOS

my $port = $pg->port();

# what the database stores

my %verifier = map { split /\|/ } split /\n/,
	$pg->psql("SELECT usename, passwd FROM pg_shadow WHERE passwd != ''");

$t->write_file('verifiers.txt', verifiers());
$t->write_file('plain.txt', join('', map { qq{"$_" "$_ secret"\n} }
	qw(alice bob carol free lookup gone)));
$t->write_file('none.txt', qq{"alice" ""\n});
$t->write_file('lookup', "lookup secret\n");

$t->certificate('ca', cn => 'tests')->certificate('front', ca => 'ca')
	->certificate('alice', ca => 'ca', cn => 'alice')
	->certificate('both', ca => 'ca', cn => 'alice/CN=bob')
	->certificate('free', ca => 'ca', cn => 'free')
	->certificate('evil', cn => 'alice');

my $url = "postgres://127.0.0.1:$port/shop?sslmode=disable";

$t->write_file_expand('nginx.conf', <<"EOS")->run();

%%TEST_GLOBALS%%

events {
}

worker_processes 2;

%%TEST_STATUS%%

stream {
    upstream own {
        hyperdrive_origin      $url;
        hyperdrive_pool        max=8 wait=3s;
        hyperdrive_auth_query  "SELECT * FROM public.find(\$1)"
                               user=lookup password_file=lookup valid=2s;
    }

    upstream any {
        hyperdrive_origin      postgres://127.0.0.1:$port?sslmode=disable;
        hyperdrive_pool        max=8;
        hyperdrive_auth_query  "SELECT p FROM public.spy(\$1)" valid=1ms
                               user=lookup password_file=lookup database=shop;
    }

    upstream one {
        hyperdrive_origin      postgres://lookup:lookup%20secret\@127.0.0.1:$port/shop?sslmode=disable;
        hyperdrive_auth_query  "SELECT * FROM public.find(\$1)";
    }

    upstream fold {
        hyperdrive_origin      postgres://lookup:lookup%20secret\@127.0.0.1:$port/shop?sslmode=disable;
        hyperdrive_auth_query  "SELECT * FROM public.find(lower(\$1)::name)";
    }

    upstream broken {
        hyperdrive_origin      $url;
        hyperdrive_auth_query  "SELECT nothing FROM nowhere WHERE \$1 = ''"
                               user=lookup password_file=lookup;
    }

    upstream odd {
        hyperdrive_origin      $url;
        hyperdrive_auth_query  "SELECT \$1::text, 'a password'"
                               user=lookup password_file=lookup;
    }

    upstream two {
        hyperdrive_origin      $url;
        hyperdrive_auth_query  "SELECT \$1::text, 'md5' UNION ALL SELECT 'x', 'y'"
                               user=lookup password_file=lookup;
    }

@{[ join("\n", map { server(@$_) }
	[ 8080, 'own', 'plain.txt' ], [ 8081, 'own', 'verifiers.txt' ],
	[ 8082, 'own', 'query' ], [ 8083, 'any', 'query' ],
	[ 8084, 'one', 'query' ], [ 8085, 'broken', 'query' ],
	[ 8086, 'odd', 'query' ],
	[ 8093, 'fold', 'query' ],
	[ 8088, 'own', 'verifiers.txt query' ], [ 8089, 'two', 'query' ],
	[ 8094, 'own', 'none.txt query' ]) ]}

    ssl_certificate         front.crt;
    ssl_certificate_key     front.key;
    ssl_client_certificate  ca.crt;

    server {
        listen             127.0.0.1:8090;
        hyperdrive_pass    one;
        hyperdrive_users   cert;
        ssl_verify_client  optional;
    }

    server {
        listen             127.0.0.1:8091;
        hyperdrive_pass    one;
        hyperdrive_users   plain.txt cert;
        ssl_verify_client  optional;
    }

    server {
        listen             127.0.0.1:8092;
        hyperdrive_pass    own;
        hyperdrive_users   cert;
        ssl_verify_client  on;
    }
}

EOS

###############################################################################
# Passwords and verifiers of a file.

for my $case ([ 8080, 'plain passwords' ], [ 8081, 'verifiers' ],
	[ 8082, 'looked up' ], [ 8088, 'a file and the database' ])
{
	my ($server, $name) = @$case;

	for my $user ('alice', 'bob', 'carol') {
		my $c = client($server, $user);

		ok(!$c->error(), "$name, $user") or diag(explain($c->error()));
		is(me($c), "$user $user", "$name, $user to the database");
		$c->close();

		is(client($server, $user, 'wrong')->error()->{C}, '28P01',
			"$name, $user, wrong password");
	}

	is(client($server, 'nobody')->error()->{C}, '28P01',
		"$name, nobody");
}

# each has its own connections, and there are no more than max

my @c = map { client(8080 + $_ % 3, ('alice', 'bob', 'carol')[$_ % 3]) }
	1 .. 24;

for my $round (1 .. 3) {
	$_->send('Q', "SELECT current_user, pg_sleep(0.01)\0")->flush_out()
		for @c;

	my $wrong = grep { $_->result()->row(0)->[0] ne $_->{user} } @c;
	is($wrong, 0, "24 clients of three users, round $round");

	cmp_ok(backends(), '<=', 8, 'no more than max');
}

$_->close() for @c;

# what one has written the other may not read

is(client(8081, 'bob')->query('SELECT find(\'bob\')')->state(), '42501',
	"a user's own rights");
is(client(8081, 'lookup')->query('SELECT n FROM find(\'bob\')')->value(),
	'bob', "and another's");

# where the database asks for none

is(me(client(8080, 'free')), 'free free', 'a user without a password there');

###############################################################################
# A password that is changed.

my $c = client(8081, 'gone');
is(me($c), 'gone gone', 'a verifier');
$c->close();

close_all('gone');

$pg->psql("ALTER USER gone PASSWORD 'new secret'");

# (the log-in that is remembered holds until somebody has met the database)

wait_for(sub {
	$c = client(8081, 'gone', 'gone secret');
	eval { $c->query('SELECT 1') } unless $c->error();
	$c->error();
});

is($c->error()->{C}, '28P01', 'another one in the database');
like($c->error()->{M}, qr/SCRAM secret of this user is not the one/, 'says so');

is(client(8081, 'gone', 'new secret')->error()->{C}, '28P01',
	'which nginx does not know');

$c = client(8082, 'gone', 'new secret');
is(me($c), 'gone gone', 'unless it looks it up');

# the new one counts at once (the old was remembered), the old one no more

$pg->psql("ALTER USER gone PASSWORD 'newer secret'");
close_all('gone');

ok(eval { wait_for(sub { !client(8082, 'gone', 'newer secret')->error() }) },
	'a change is seen when it has been looked up');

# (either worker may have looked up just before)

sleep 3;

is(client(8082, 'gone', 'new secret')->error()->{C}, '28P01',
	'the former password');

# an entry of the file without a secret is one, whatever the database knows

is(client(8094, 'alice')->error()->{C}, '28P01', 'shut out by the file');
is(me(client(8094, 'bob')), 'bob bob', '...and one who is not in it');

# one who is dropped, and one who is new

$pg->psql('DROP USER gone');
sleep 3;
is(client(8082, 'gone', 'newer secret')->error()->{C}, '28P01', 'dropped');

is(client(8082, 'fresh', 'secret')->error()->{C}, '28P01', 'not there yet');
$pg->psql("CREATE USER fresh PASSWORD 'secret'");
$pg->hba((map { ("local all $_ scram-sha-256",
	"host all $_ 127.0.0.1/32 " . ($_ eq 'carol' ? 'md5' : 'scram-sha-256')) }
	qw(alice bob carol lookup fresh)), 'host all free 127.0.0.1/32 trust');
ok(eval { wait_for(sub { me(client(8082, 'fresh', 'secret'))
	eq 'fresh fresh' }) }, 'there');

###############################################################################
# Looking up.

# every database the client likes, asked in one

for my $database ('shop', 'store') {
	$c = client(8083, 'alice', 'alice secret', $database);
	is($c->query('SELECT current_database() || current_user')->value(),
		"${database}alice", "looked up in one, $database");
	$c->close();
}

is($pg->psql('SELECT DISTINCT path FROM paths', db => 'shop'),
	'pg_catalog, pg_temp', 'with a search_path that is fixed');

# a client's own does not get there

$c = client(8083, 'lookup', 'lookup secret', 'shop',
	params => { search_path => 'evil, public' });
is($c->query('SHOW search_path')->value(), 'evil, public', 'another one');
$c->close();
client(8083, 'bob', 'bob secret', 'shop')->close();

is($pg->psql('SELECT DISTINCT path FROM paths', db => 'shop'),
	'pg_catalog, pg_temp', 'which is not met by who looks up');

# for an upstream with a user for all

is(me(client(8084, 'alice')), 'lookup lookup', 'one user for all, looked up');
is(client(8084, 'alice', 'wrong')->error()->{C}, '28P01', 'wrong password');

# whose name is another by a letter is another, whatever the query finds

is(me(client(8093, 'alice')), 'lookup lookup', 'a query that folds names');
is(client(8093, 'ALICE', 'alice secret')->error()->{C}, '28P01',
	'does not make two names the same');

# nor is one that is no text of the database

is(client(8084, "alice\xff", 'alice secret')->error()->{C}, '28P01',
	'a name that is no UTF-8');
ok(!$t->log_has(qr/"hyperdrive_auth_query" failed/), 'is no query that fails');

# the same exchange for who does not exist

is(sequence(client(8082, 'nobody')), sequence(client(8082, 'alice', 'wrong')),
	'who does not exist is told the same');

# many at once are one question

@c = map { client(8082, "none$_", 'x', 'shop', login => 0) } (1) x 20;
$_->startup() for @c;
$_->authenticate() for @c;
is(join(' ', map { $_->error()->{C} } @c), join(' ', ('28P01') x 20),
	'twenty at once');

# queries that are wrong

for my $case ([ 8085, 'a query that fails' ],
	[ 8086, 'one that answers by a password' ], [ 8089, 'two rows' ])
{
	$c = client($case->[0], 'alice');
	is($c->error()->{C}, '08006', $case->[1]);
	is($c->error()->{M}, 'the user could not be looked up',
		"$case->[1], told");
}

ok($t->log_has(qr/"hyperdrive_auth_query" failed/), 'which is logged');
ok($t->log_has(qr/answered by something else than one row/), 'so is this');

# a client that leaves meanwhile

for (1 .. 10) {
	$c = client(8082, "leaves$_", 'x', 'shop', login => 0);
	$c->startup();
	$c->vanish();
}

###############################################################################
# Certificates.

like(psql(8090, 'alice', 'alice'), qr/^lookup$/m, 'a certificate');
like(psql(8090, 'bob', 'alice'), qr/certificate is not for this user/,
	'for another user');
like(psql(8090, 'ALICE', 'alice'), qr/certificate is not for this user/,
	'by the letter');
like(psql(8090, 'alice', undef), qr/requires a valid client certificate/,
	'none');
like(psql(8090, 'alice', undef, 'disable'),
	qr/requires a valid client certificate/, 'none, in clear');
unlike(psql(8090, 'alice', 'evil'), qr/^lookup$/m, 'of an unknown issuer');
like(psql(8090, 'alice', 'both'), qr/certificate is not for this user/,
	'with two names');
like(psql(8090, 'bob', 'both'), qr/certificate is not for this user/,
	'with two names, the other');

like(psql(8091, 'alice', 'alice'), qr/^lookup$/m, 'a certificate and a file');
like(psql(8091, 'alice', undef), qr/^lookup$/m, 'a password instead');
like(psql(8091, 'bob', 'alice'), qr/certificate is not for this user/,
	'a password beside the certificate of another user');

# to the database a certificate is nothing

like(psql(8092, 'free', 'free'), qr/^free$/m,
	'as a user of whom no password is asked');
like(psql(8092, 'alice', undef), qr/certificate|SSL/, 'which is demanded');

# the database is away

$pg->stop();

$c = client(8082, 'bob');
ok($c->error(), 'the database is away');
like($c->error()->{C}, qr/^(?:08006|57P0\d)$/, 'which is said');

$pg->start();

wait_for(sub { !client(8082, 'bob')->error() }, 10);
is(me(client(8082, 'bob')), 'bob bob', 'and back');

###############################################################################

my $log = $t->read_file('error.log');

unlike($log, qr/ secret(?!s? of| of)/, 'no password in the log');
unlike($log, qr/SCRAM-SHA-256\$|md5[0-9a-f]{32}/, 'no verifier');

$t->done_testing();

###############################################################################

sub server {
	my ($listen, $upstream, $users) = @_;

	return <<"EOS";
    server {
        listen            127.0.0.1:$listen;
        hyperdrive_pass   $upstream;
        hyperdrive_users  $users;
    }
EOS
}

sub client {
	my ($server, $user, $password, $database, %o) = @_;

	$password = "$user secret" if @_ < 3;

	return pg_client(port($server), user => $user, password => $password,
		database => $database || 'shop', quiet => 1, timeout => 15, %o);
}

sub me {
	my ($c) = @_;

	return ($c->error()->{M} // '') if $c->error();
	return join(' ', @{$c->query('SELECT session_user, current_user')
		->row(0)});
}

sub psql {
	my ($server, $user, $certificate, $mode) = @_;

	my $dir = $t->testdir();
	my $cert = $certificate ? "sslcert=$dir/$certificate.crt "
		. "sslkey=$dir/$certificate.key" : 'sslcert=none sslkey=none';

	$mode ||= 'require';

	my ($status, $out) = run_command([
		Test::Hyperdrive::Postgres::bin('psql'), '-X', '-A', '-t',
		'-c', 'SELECT current_user', "host=127.0.0.1 user=$user "
		. "dbname=shop sslmode=$mode $cert port=" . port($server) ],
		env => { PGPASSWORD => "$user secret" });

	return $out;
}

sub sequence {
	my ($c) = @_;

	return join(' ', map { $_->{type} . ($_->{code} // '') }
		@{$c->{login}});
}

sub backends {
	return $pg->psql("SELECT count(*) FROM pg_stat_activity WHERE "
		. "backend_type = 'client backend' AND usename != 'postgres'");
}

# The connections of a user, from the outside.

sub close_all {
	my ($user) = @_;

	$pg->psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
		. "WHERE usename = '$user'");
	wait_for(sub { $pg->psql("SELECT count(*) FROM pg_stat_activity "
		. "WHERE usename = '$user'") == 0 }, 5);
}

sub verifiers {
	return join('', map { qq{"$_" "$verifier{$_}"\n} } sort keys %verifier);
}

###############################################################################
