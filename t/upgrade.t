#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: a new binary takes over under load, by USR2, WINCH and
# QUIT, and an upgrade is taken back: no transaction is lost or happens twice,
# and nobody is given an answer that the other binary's clients made old.

###############################################################################

use warnings;
use strict;

use Test::More;
use Time::HiRes qw(sleep time);

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib', 'drivers';
use Driver;
use Test::Hyperdrive qw(port pg_client run_command spawn reap wait_for);
use Test::Hyperdrive::Process qw(alive children title);

###############################################################################

my $t = Test::Hyperdrive->new();

$t->skip_all('no libpq-fe.h') unless Driver::has_libpq();

my $program = Driver::compile($t->testdir(), 'moving.c');

my ($clients, $max) = (40, 8);

my $pg = $t->postgres(users => { app => 'pw' }, databases => [ 'shop' ],
	settings => { fsync => 'off', synchronous_commit => 'off' },
	sql => { shop => <<"EOS" });

SET ROLE app;
CREATE TABLE moving_counts (id int PRIMARY KEY, n int NOT NULL);
CREATE TABLE moving_things (id int PRIMARY KEY, v text);
CREATE TABLE things (id int PRIMARY KEY, v text);
INSERT INTO moving_counts SELECT g, 0 FROM generate_series(1, 100) g;
INSERT INTO moving_things SELECT g, 'thing ' || g FROM generate_series(1, 10) g;
INSERT INTO things VALUES (1, 'old');

EOS

my $probe = $pg->client();

start();
upgraded();
taken_back();

$t->done_testing();

###############################################################################

# nginx as a daemon: else it takes no order to change its binary.

sub start {
	my $url = $pg->url();

	$t->write_file_expand('nginx.conf', <<"EOS");

%%TEST_GLOBALS%%

worker_processes  2;

events {
}

stream {
    hyperdrive_cache_zone  shop 8m;
    hyperdrive_users       off;
    hyperdrive_drain       rate=100 deadline=10s;

    upstream shop {
        hyperdrive_origin  $url;
        hyperdrive_pool    max=$max wait=30s;
    }

    server {
        listen            127.0.0.1:8080;
        hyperdrive_pass   shop;
        hyperdrive_cache  shop max_age=600s;
    }
}

EOS

	$t->write_file('nginx.conf', $t->read_file('nginx.conf')
		=~ s/daemon off;/daemon on;/r =~ s/ debug;$/ info;/mr);

	my $dir = $t->testdir();
	my ($status, $out) = run_command([ $Test::Hyperdrive::NGINX, '-p',
		"$dir/", '-c', 'nginx.conf', '-e', "$dir/error.log" ],
		env => { $t->_sanitizer_env() });

	die "nginx did not start: $out\n" if $status;

	wait_for(sub { -s "$dir/nginx.pid" });

	master($t->read_file('nginx.pid'));
	wait_for(sub { $t->worker_pids() == 2 });
}

# The master that the library knows of, and ends.

sub master {
	my ($pid) = @_;

	chomp $pid;
	$t->{nginx} = $pid;

	return $pid;
}

sub client {
	return pg_client(port(8080), user => 'app', database => 'shop',
		timeout => 15, @_);
}

sub workers {
	my ($master, %o) = @_;

	return grep { title($_) =~ /^nginx: worker process/
		&& ($o{all} || title($_) !~ /shutting down/) }
		children($master);
}

# A new master with its workers, beside the old one.

sub second {
	my ($old, $name) = @_;

	kill 'USR2', $old;

	my $new;

	ok(eval { wait_for(sub {
		return unless -s $t->testdir() . '/nginx.pid.oldbin'
			&& -s $t->testdir() . '/nginx.pid';

		chomp($new = $t->read_file('nginx.pid'));

		$new ne $old && workers($new) == 2;
	}, 20) }, "$name, there are two");

	return $new;
}

###############################################################################

sub upgraded {
	my $name = 'a new binary';
	my $old = $t->master_pid();

	# what is kept by the old one, before

	my $sql = 'SELECT v FROM things WHERE id = 1';
	my $reader = client();

	is($reader->query($sql)->value(), 'old', "$name, an answer") for 1 .. 3;

	# until it is told that the old binary has gone

	my $run = spawn([ $program, $clients, 120, 1 ],
		output => $t->testdir() . '/run',
		env => { PGHOST => '127.0.0.1', PGPORT => port(8080),
			PGUSER => 'app', PGDATABASE => 'shop',
			PGSSLMODE => 'disable', PGCONNECT_TIMEOUT => 20 });

	wait_for(sub {
		$probe->query($pg->count_sql(user => 'app'))->value() == $max;
	});

	my $new = second($old, $name);

	# written by whomever, both show it

	my $value = 0;
	my @stale;

	for (1 .. 40) {
		my $writer = client();

		$value++;
		$writer->query("UPDATE things SET v = '$value' WHERE id = 1");
		$writer->close();

		for my $c ($reader, client()) {
			my $seen = $c->query($sql)->value();

			push @stale, "$seen for $value" if $seen ne $value;
			$c->close() if $c != $reader;
		}
	}

	is("@stale", '', "$name, nobody reads what is old");

	my $most = $probe->query($pg->count_sql(user => 'app'))->value();

	cmp_ok($most, '<=', 2 * $max, "$name, no more than twice max");
	note("$most connections");

	kill 'WINCH', $old;

	# who asks is told as the answer to it, or by itself

	my $r;

	do {
		$r = eval { $reader->query($sql) };
	} while ($r && $r->state() eq '' && $r->value() eq $value);

	is($r ? $r->state() : '57P01', '57P01', "$name, an old client is told");
	$reader->vanish();

	ok(eval { wait_for(sub { !workers($old, all => 1) }, 20) },
		"$name, old workers are gone");

	kill 'QUIT', $old;
	ok(eval { wait_for(sub { !alive($old) }, 20) },
		"$name, the old master is gone");

	master($new);

	kill 'INT', $run;
	wait_for(sub { reap($run, 0) }, 60);
	my $status = $?;

	my $out = $t->read_file('run');
	my ($sum, $told, $cut) =
		$out =~ /transactions (\d+) told (\d+) cut (\d+)/;

	is($status, 0, "$name, none has failed") or diag($out);
	cmp_ok($told, '>', 0, "$name, and some were told");
	is($cut, 0, "$name, between their transactions") or diag($out);
	is($pg->psql('SELECT sum(n) FROM moving_counts', db => 'shop'), $sum,
		"$name, each transaction once");
	note($out);

	# the cache is in use again

	# (something else each time: it may begin to keep at any moment)

	my $c = client();
	my $n = 0;

	ok(eval { wait_for(sub {
		my $again = "$sql /* " . ++$n . ' */';

		$pg->psql("UPDATE things SET v = 'behind' WHERE id = 1",
			db => 'shop');
		my $first = $c->query($again)->value();
		$pg->psql("UPDATE things SET v = 'unseen' WHERE id = 1",
			db => 'shop');
		$c->query($again)->value() eq $first && $first eq 'behind';
	}, 10) }, "$name, keeps answers then");

	$c->close();
}

# The new one is not wanted after all.

sub taken_back {
	my $name = 'taken back';
	my $old = $t->master_pid();
	my $sql = 'SELECT v FROM things WHERE id = 1 AND 2 = 2';

	my $reader = client();

	$pg->psql("UPDATE things SET v = 'first' WHERE id = 1", db => 'shop');
	$reader->query($sql) for 1 .. 3;

	my $new = second($old, $name);

	my $writer = client();
	my @written = grep { $writer->query(
		"UPDATE things SET v = '$_' WHERE id = 1")->tag() } 1 .. 20;

	$writer->close();

	kill 'QUIT', $new;
	ok(eval { wait_for(sub { !alive($new) }, 20) },
		"$name, the new one is gone");
	ok(eval { wait_for(sub { !-e $t->testdir() . '/nginx.pid.oldbin' },
		20) }, "$name, there is one");

	is(scalar(@written), 20, "$name, writes");

	for (1 .. 3) {
		is($reader->query($sql)->value(), 20,
			"$name, what the new one wrote is seen");
	}

	$reader->close();
}

###############################################################################
