#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: with the cache on no client gets a row, or is refused
# one, other than on a connection of its own to the database.  Users, roles,
# settings, search paths, row-level security, views and rights change at
# random; each session has a twin that is connected directly and is told the
# same.  LEAKS=20000 is the long run.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive;

###############################################################################

my $rounds = $ENV{LEAKS} || 1200;
my $seed = $ENV{LEAKS_SEED} || 1;

srand($seed);

my $t = Test::Hyperdrive->new(log => 'info', timeout => 400 + $rounds / 10);

my @users = map { "u$_" } 1 .. 4;

my $pg = $t->postgres(databases => [ 'shop' ],
	users => { owner => 'pw', map { $_ => 'pw' } @users },
	sql => { shop => <<'EOS' });

CREATE ROLE r1;
CREATE ROLE r2;
GRANT r1, r2 TO owner WITH ADMIN OPTION;
GRANT r1 TO u1, u2;
GRANT r2 TO u2, u3;
ALTER DATABASE shop OWNER TO owner;
ALTER ROLE u4 SET app.tenant = 't2';
ALTER ROLE u3 SET search_path = sb, public;

GRANT CREATE ON SCHEMA public TO owner;
SET ROLE owner;

CREATE SCHEMA sa;
CREATE SCHEMA sb;
GRANT USAGE ON SCHEMA sa, sb TO public;

CREATE TABLE plain (id int PRIMARY KEY, v text);
CREATE TABLE secret (id int PRIMARY KEY, v text);
CREATE TABLE cols (id int PRIMARY KEY, shown text, hidden text);
CREATE TABLE tenants (id int PRIMARY KEY, tenant text, owner text, v text);
CREATE TABLE public.item AS SELECT 1 AS id, 'public'::text AS v;
CREATE TABLE sa.item AS SELECT 1 AS id, 'sa'::text AS v;
CREATE TABLE sb.item AS SELECT 1 AS id, 'sb'::text AS v;

INSERT INTO plain SELECT g, 'plain ' || g FROM generate_series(1, 6) g;
INSERT INTO secret SELECT g, 'secret ' || g FROM generate_series(1, 6) g;
INSERT INTO cols SELECT g, 's' || g, 'h' || g FROM generate_series(1, 6) g;
INSERT INTO tenants SELECT g, 't' || g % 3, 'u' || g % 4 + 1, 'row ' || g
	FROM generate_series(1, 24) g;

ALTER TABLE tenants ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON tenants USING (
	tenant = current_setting('app.tenant', true) OR owner = current_user);

CREATE VIEW v_secret AS SELECT id, v FROM secret;
CREATE VIEW v_tenants AS SELECT id, tenant, v FROM tenants;

GRANT SELECT ON plain, tenants, item, sa.item, sb.item, v_tenants TO public;
GRANT SELECT ON secret TO u1, r2;
GRANT SELECT (id, shown) ON cols TO public;
GRANT SELECT ON v_secret TO r1;

EOS

$t->write_file('users.txt', join '', map { qq{"$_" "pw"\n} } 'owner', @users);

my $port = $pg->port();

$t->write_file_expand('nginx.conf', <<"EOS")->run();

%%TEST_GLOBALS%%

worker_processes  2;

events {
}

stream {
    hyperdrive_cache_zone  shop 16m;
    hyperdrive_users       users.txt;

    upstream shop {
        hyperdrive_origin  postgres://127.0.0.1:$port/shop?sslmode=disable;
        hyperdrive_pool    max=40;
    }

    server {
        listen            127.0.0.1:8080;
        hyperdrive_pass   shop;
        hyperdrive_cache  shop max_age=1h;
    }
}

%%TEST_STATUS%%

EOS

###############################################################################

# Sessions: plain ones, some with start-up parameters, some that change.

my @sessions;

for my $user (@users) {
	push @sessions, session($user), session($user),
		session($user, settle => 0),
		session($user, options => '-c app.tenant=t' . int(rand(3))
			. ' -c search_path=' . one('sa', 'sb', 'public'));
}

my $owner = pg_client(port(8080), user => 'owner', password => 'pw',
	database => 'shop');

my @changes = (
	sub { 'GRANT SELECT ON secret TO ' . one(@users, 'r1', 'r2', 'public') },
	sub { 'REVOKE SELECT ON secret FROM '
		. one(@users, 'r1', 'r2', 'public') },
	sub { 'GRANT SELECT ON v_secret TO ' . one(@users, 'r1', 'public') },
	sub { 'REVOKE ALL ON v_secret FROM ' . one(@users, 'r1', 'public') },
	sub { 'GRANT SELECT (hidden) ON cols TO ' . one(@users, 'r1') },
	sub { 'REVOKE SELECT (hidden) ON cols FROM ' . one(@users, 'r1') },
	sub { 'REVOKE SELECT ON plain FROM public' },
	sub { 'GRANT SELECT ON plain TO public' },
	sub { 'REVOKE USAGE ON SCHEMA ' . one('sa', 'sb') . ' FROM public' },
	sub { 'GRANT USAGE ON SCHEMA sa, sb TO public' },
	sub { 'REVOKE ' . one('r1', 'r2') . ' FROM ' . one(@users) },
	sub { 'GRANT ' . one('r1', 'r2') . ' TO ' . one(@users) },
	sub { 'ALTER TABLE tenants ' . one('ENABLE', 'DISABLE')
		. ' ROW LEVEL SECURITY' },
	sub { 'ALTER POLICY own ON tenants USING (' . one(
		"tenant = current_setting('app.tenant', true)",
		'owner = current_user', 'id % 2 = 0', 'owner = session_user',
		"tenant = current_setting('app.tenant', true) "
		. 'OR owner = current_user') . ')' },
	sub { 'CREATE OR REPLACE VIEW v_secret AS SELECT id, v FROM secret'
		. one('', ' WHERE id > 3', ' WHERE current_user = \'u2\'') },
	sub { one('DROP TABLE IF EXISTS sa.plain',
		'CREATE TABLE IF NOT EXISTS sa.plain AS '
		. "SELECT 1 AS id, 'of sa'::text AS v") },
	sub { 'UPDATE secret SET v = v || \'.\' WHERE id = '
		. (1 + int rand 6) },
	sub { 'UPDATE tenants SET owner = \'' . one(@users)
		. '\' WHERE id = ' . (1 + int rand 24) },
	sub { 'UPDATE ' . one('', 'sa.', 'sb.') . 'item SET v = v || \'.\'' },
	sub { 'BEGIN; REVOKE SELECT ON plain FROM public; ROLLBACK' },
);

my @settings = (
	sub { 'SET app.tenant = \'t' . int(rand(3)) . '\'' },
	sub { 'SET search_path = ' . one('sa, public', 'sb, public', 'public') },
	sub { 'SET ROLE ' . one('r1', 'r2') },
	sub { 'RESET ROLE' },
	sub { 'RESET ALL' },
	sub { 'SET row_security = ' . one('on', 'off') },
	sub { "SELECT set_config('app.tenant', 't" . int(rand(3))
		. "', false)" },
);

my @reads = (
	sub { 'SELECT v FROM plain WHERE id = ' . (1 + int rand 3) },
	sub { 'SELECT id, v FROM secret ORDER BY id' },
	sub { 'SELECT id, v FROM v_secret ORDER BY id' },
	sub { 'SELECT id, shown FROM cols ORDER BY id' },
	sub { 'SELECT id, hidden FROM cols ORDER BY id' },
	sub { 'SELECT id, tenant, v FROM tenants ORDER BY id' },
	sub { 'SELECT count(*) FROM tenants' },
	sub { 'SELECT id, v FROM v_tenants ORDER BY id' },
	sub { 'SELECT v FROM item' },
	sub { 'SELECT v FROM sa.item' },
	sub { 'SELECT p.v, s.v FROM plain p JOIN secret s USING (id) '
		. 'ORDER BY id' },
	sub { ('SELECT v FROM tenants WHERE id <= $1 ORDER BY id',
		1 + int rand 12) },
	sub { ('SELECT v FROM secret WHERE id = $1', 1 + int rand 3) },
);

my ($asked, $refused, @wrong) = (0, 0);
my $burst = 50;

ROUND:
for my $round (1 .. $rounds) {

	# changes come in bursts: behind one the catalog is read again, and
	# nothing is kept meanwhile

	my $quiet = ($round / $burst) % 2;

	settle() if $quiet && $round % $burst == 0;

	if (!$quiet && rand() < 0.5) {
		my $sql = one(@changes)->();
		my $r = $owner->query($sql);

		# granted by somebody else, or not at all: nothing has changed

		diag("$sql: " . $r->message())
			if $r->error() && $ENV{LEAKS_TALK};

		next;
	}

	my $s = one(@sessions);

	if (!$s->{settle} && rand() < 0.4) {
		my $sql = one(@settings)->();

		# (as below: nothing happens then)

		my $r = $s->{through}->query($sql);

		if ($r->error() && $r->message()
			=~ /permission denied to set role/
			&& $sql !~ /^SET ROLE/)
		{
			$refused++;
			next;
		}

		$s->{direct}->query($sql);
		next;
	}

	my @read = one(@reads)->();

	# the second time it may come from memory

	for my $time (1, 2) {
		my @got = map { ask($s->{$_}, @read) } 'through', 'direct';
		$asked++;

		next if $got[0] eq $got[1];

		# a role that was taken away while it was set: the database lets
		# a session keep it, and gives it to no connection any more

		if ($got[0] =~ /permission denied to set role/) {
			$refused++;
			next;
		}

		push @wrong, "round $round, time $time, $s->{name}: @read\n"
			. "through nginx: $got[0]\ndirectly:      $got[1]";

		last ROUND if @wrong > 3;
	}
}

is(scalar(@wrong), 0, "$asked answers are what they are directly");
diag($_) for @wrong;

my $total = $t->status()->{upstreams}{shop}{total};

cmp_ok($total->{hits}, '>', $asked / 20, 'many of them came from the cache');
diag("$asked asked, $total->{hits} hits, $total->{misses} misses, "
	. "$refused with a role that was taken away");

$t->done_testing();

###############################################################################

# All workers have seen that something was changed, and have read what it is.

sub settle {
	ask($_->{through}, 'SELECT v FROM item') for @sessions;

	$t->wait_catalog('shop', 2);
}

sub one {
	return $_[rand @_];
}

# A client and its twin; settle => 0: it changes its settings.

sub session {
	my ($user, %o) = @_;

	my %how = (user => $user, password => 'pw', database => 'shop',
		$o{options} ? (params => { options => $o{options} }) : ());

	return {
		settle => 1,
		%o,
		name => "$user " . ($o{options} // ''),
		through => pg_client(port(8080), %how),
		direct => pg_client($port, %how)
	};
}

# The rows, or the error.

sub ask {
	my ($client, $sql, @args) = @_;

	my $r = @args ? $client->extended($sql, @args) : $client->query($sql);

	return $r->error() ? $r->state() . ' ' . $r->message()
		: join(' ', map { join(',', map { $_ // 'NULL' } @$_) }
			@{$r->rows()});
}

###############################################################################
