#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: what is another thing in the configuration is so
# behind a reload: users, passwords, limits, certificates, zones; and what is
# the same goes on.

###############################################################################

use warnings;
use strict;

use POSIX ();
use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive;

###############################################################################

my $t = Test::Hyperdrive->new();

my $pg = $t->postgres(users => { app => 'one', alice => 'a', bob => 'b' },
	databases => [ 'shop' ]);
my $probe = $pg->client();

$t->certificate('front', cn => 'first');
$t->write_file('secret', "one\n");

my %users = (alice => 'a', bob => 'b', carol => 'c', dave => 'd');

configure();
$t->run();

users();
trust();
own_users();
password();
shrinks();
certificates();
zones();

$t->done_testing();

###############################################################################

sub configure {
	my (%o) = @_;

	my $where = '127.0.0.1:' . $pg->port() . '/shop?sslmode=disable';
	my $max = $o{max} || 8;
	my $zone = $o{zone} || '1m';
	my $open = $o{open} // 'users.txt';

	$t->write_file('users.txt', join('', map { qq{"$_" "$users{$_}"\n} }
		sort keys %users));

	$t->write_file_expand('nginx.conf', <<"EOS");

%%TEST_GLOBALS%%

worker_processes  2;

events {
}

%%TEST_STATUS%%

stream {
    hyperdrive_cache_zone  shop $zone;
    hyperdrive_drain       rate=10000 deadline=30s;

    ssl_certificate      front.crt;
    ssl_certificate_key  front.key;

    upstream shop {
        hyperdrive_origin   postgres://app\@$where password_file=secret;
        hyperdrive_pool     max=$max wait=15s;
        hyperdrive_catalog  off;
    }

    upstream own {
        hyperdrive_origin   postgres://$where;
        hyperdrive_pool     max=8;
        hyperdrive_catalog  off;
    }

    server {
        listen            127.0.0.1:8080;
        hyperdrive_pass   shop;
        hyperdrive_users  users.txt;
    }

    server {
        listen            127.0.0.1:8081;
        hyperdrive_pass   own;
        hyperdrive_users  users.txt;
    }

    server {
        listen            127.0.0.1:8082;
        hyperdrive_pass   shop;
        hyperdrive_users  $open;
    }
}

EOS
}

sub reload {
	my ($name, %o) = @_;

	configure(%o);
	ok($t->reload(), $name);
}

# the old workers have gone, and all that may move has moved

sub moved {
	ok(eval { wait_for(sub { $t->worker_pids(all => 1) == 2 }, 15) },
		'the old workers have gone');
}

sub client {
	my ($user, %o) = @_;

	return pg_client(port($o{port} || 8080), user => $user,
		password => $users{$user}, database => 'shop', timeout => 20,
		quiet => 1, %o);
}

sub pids {
	return split /,/, $probe->query(
		"SELECT coalesce(string_agg(pid::text, ','), '') FROM "
		. "pg_stat_activity WHERE usename = 'app'")->value();
}

###############################################################################

# A user that is gone, or has another password, is told when it asks for
# nothing, and has to log in; the others notice nothing.

sub users {
	my %c = map { $_ => client($_) } keys %users;

	is($_->query('SELECT 1')->value(), 1, 'before') for values %c;

	$c{dave}->query('BEGIN');
	$c{dave}->query('SELECT 1');

	my $pid = $c{carol}->pid();

	delete $users{$_} for qw(alice dave);
	$users{bob} = 'other';

	reload('two users less, and one with another password');

	is($c{carol}->query('SELECT 2')->value(), 2, 'a user that is there');
	is($c{carol}->pid(), $pid, 'goes on');

	for my $user (qw(alice bob)) {
		is($c{$user}->result()->state(), '57P01', "$user is told");
	}

	is($c{dave}->query('SELECT 3')->value(), 3, 'one in a transaction');
	is($c{dave}->query('COMMIT')->tag(), 'COMMIT', 'comes to its end');
	is($c{dave}->result()->state(), '57P01', 'and is told then');

	moved();

	is(client('bob')->query('SELECT 4')->value(), 4, 'the new password');

	my %refused = (bob => 'b', alice => 'a', dave => 'd');

	for my $user (sort keys %refused) {
		like(client($user, password => $refused{$user})->error()->{C},
			qr/^28/, "$user is not let in as before");
	}

	# once more, with nothing changed

	reload('the same again');
	is($c{carol}->query('SELECT 5')->value(), 5, 'a user that is there');
	is($c{carol}->pid(), $pid, 'goes on');

	moved();
	$_->vanish() for values %c;
}

# Who came without a password has to have one now.

sub trust {
	configure(open => 'off');
	ok($t->reload(), 'no password is asked');

	my $c = client('nobody', port => 8082, password => undef);
	is($c->query('SELECT 1')->value(), 1, 'anybody is let in');

	reload('a password is asked');
	is($c->result()->state(), '57P01', 'who was let in without is told');
	ok(client('nobody', port => 8082, password => 'x')->error(),
		'and is not let in');

	moved();
	$c->vanish();
}

# Where each user's own logs in to the database, its connections follow.

sub own_users {
	%users = (%users, alice => 'a', bob => 'b');
	reload('users of the database');
	moved();

	my %c = map { $_ => client($_, port => 8081) } qw(alice bob);
	my %pid = map { $_ => $c{$_}->query('SELECT pg_backend_pid()')
		->value() } keys %c;

	$pg->psql("ALTER ROLE bob PASSWORD 'new'");
	$users{bob} = 'new';

	reload('one has another password');
	is($c{bob}->result()->state(), '57P01', 'it is told');
	is($c{alice}->query('SELECT 1')->value(), 1, 'the other one goes on');

	my $bob = client('bob', port => 8081);
	isnt($bob->query('SELECT pg_backend_pid()')->value(), $pid{bob},
		'it has another connection');

	moved();

	ok(eval { wait_for(sub {
		$probe->query("SELECT count(*) FROM pg_stat_activity "
			. "WHERE pid = $pid{bob}")->value() == 0;
	}) }, 'and the old one has gone');

	$_->vanish() for values %c, $bob;
}

# Connections that were made with the old password are used up.

sub password {
	my @c = map { client('carol') } 1 .. 3;

	$_->query('BEGIN') for @c;
	$_->query('SELECT 1') for @c;

	my %before = map { $_ => 1 } pids();

	$_->query('COMMIT') for @c[1, 2];

	reload('the same password');
	is($_->query('SELECT 2')->value(), 2, 'clients go on') for @c;
	ok((grep { $before{$_} } pids()), 'so do connections');

	$pg->psql("ALTER ROLE app PASSWORD 'two'");
	$t->write_file('secret', "two\n");

	%before = map { $_ => 1 } pids();
	my $pid = $c[0]->query('SELECT pg_backend_pid()')->value();

	reload('another password');

	is($c[0]->query('SELECT pg_backend_pid()')->value(), $pid,
		'a transaction keeps its connection');
	is($c[0]->query('COMMIT')->tag(), 'COMMIT', 'to its end');

	ok(eval { wait_for(sub { !grep { $before{$_} } pids() }) },
		'then none of before is left');

	for (@c) {
		my $new = $_->query('SELECT pg_backend_pid()')->value();
		ok($new && !$before{$new}, 'clients go on with new ones');
	}

	moved();
	$_->vanish() for @c;
}

# A smaller "max" is reached while all connections are wanted all the time.

sub shrinks {
	my $stop = $t->testdir() . '/stop';
	my @children = map { in_child($stop) } 1 .. 8;

	ok(eval { wait_for(sub { pids() == 8 }) }, 'all connections are in use');

	reload('max=2', max => 2);

	ok(eval { wait_for(sub { pids() <= 2 }) }, 'two are left, under load');
	is(scalar(grep { pids() > 2 } 1 .. 20), 0, 'and there are no more');

	$t->write_file('stop', '');

	my $failed = 0;

	for (@children) {
		waitpid($_, 0);
		$failed++ if $?;
	}

	is($failed, 0, 'nobody has noticed');

	reload('max=8');
	moved();
}

sub in_child {
	my ($stop) = @_;

	my $pid = fork() // die "fork: $!\n";
	return $pid if $pid;

	$SIG{$_} = 'DEFAULT' for qw(INT TERM HUP ALRM);

	my $c = client('carol');
	my $right = 1;

	while (!-e $stop && $right) {
		$right = eval {
			$c->query('BEGIN')->tag() eq 'BEGIN'
				&& $c->query('SELECT pg_sleep(0.02)')->row()
				&& $c->query('COMMIT')->tag() eq 'COMMIT';
		};
	}

	POSIX::_exit($right ? 0 : 1);
}

sub certificates {
	plan_tls() or return;

	is(front(), 'first', 'a certificate');

	$t->certificate('front', cn => 'second');
	reload('another one');

	is(front(), 'second', 'is shown');
}

sub plan_tls {
	return 1 if Test::Hyperdrive::PG->has_tls();
	note('no IO::Socket::SSL');
	return 0;
}

sub front {
	my $c = client('carol', ssl => 1);
	my $cn = $c->socket()->peer_certificate('cn');

	$c->close();
	return $cn;
}

# A zone of another size is another zone, and the log says so.

sub zones {
	reload('a zone of another size', zone => '2m');

	ok($t->log_has(qr/zone "shop" has 2097152 bytes .* previously it had 1048576/),
		'the log tells');
	is($t->status()->{caches}{shop}{size}, 2 * 1024 * 1024, 'it is there');
}

###############################################################################
