#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: names of databases that are resolved again.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive;
use Test::Hyperdrive::DNS;

###############################################################################

my $t = Test::Hyperdrive->new();

my $port = port(8100);

# databases that tell where they are

my %db = map {
	my $host = $_;
	$host => $t->fake_pg($port, host => $host, query => sub {
		my ($n, $sql) = @_;
		return [ [ $sql =~ /where/ ? $host : $sql ] ];
	})
} map { "127.0.0.$_" } 1 .. 3;

my $dns = $t->own(Test::Hyperdrive::DNS->new($t, port(8953)));

$dns->set('db.test' => [ '127.0.0.1' ]);

my $url = "postgres://app\@db.test:$port/shop?sslmode=disable";
my $more = "postgres://app\@127.0.0.3:$port/shop?sslmode=disable";

$t->write_file_expand('nginx.conf', <<"EOS")->run();

%%TEST_GLOBALS%%

worker_processes  2;

events {
}

%%TEST_STATUS%%

stream {
    hyperdrive_users  off;
    resolver          127.0.0.1:8953 ipv6=off;
    resolver_timeout  1s;

    upstream one {
        zone               one 64k;
        hyperdrive_origin  $url resolve;
        hyperdrive_pool    max=8 wait=5s;
    }

    upstream least {
        least_conn;
        hyperdrive_origin  $url resolve max_fails=2;
        hyperdrive_origin  $more backup;
        hyperdrive_pool    max=8 wait=5s;
    }

    upstream hashed {
        hash               \$remote_addr consistent;
        hyperdrive_origin  $url resolve;
        hyperdrive_pool    max=8 wait=5s;
    }

    upstream random {
        random;
        hyperdrive_origin  $url resolve;
        hyperdrive_pool    max=8 wait=5s;
    }

    upstream missing {
        hyperdrive_origin  postgres://app\@no.test:$port/shop?sslmode=disable resolve;
        hyperdrive_pool    max=8 wait=5s;
    }

    server {
        listen           127.0.0.1:8080;
        hyperdrive_pass  one;
    }

    server {
        listen           127.0.0.1:8081;
        hyperdrive_pass  least;
    }

    server {
        listen           127.0.0.1:8082;
        hyperdrive_pass  hashed;
    }

    server {
        listen           127.0.0.1:8083;
        hyperdrive_pass  random;
    }

    server {
        listen           127.0.0.1:8084;
        hyperdrive_pass  missing;
    }
}

EOS

my @ports = (8080 .. 8083);

###############################################################################
# At the start.

for (@ports) {
	my $c = client($_);

	# the first client may come before the resolver's answer, and waits

	is(where($c), '127.0.0.1', "$_, an address");
	$c->close();
}

my $c = client(8084);
is($c->error()->{C}, '08006', 'a name that is not there');
like($c->error()->{M}, qr/no origin of the upstream is up/, 'and why');
ok($t->wait_for_log(qr/"no.test:\d+" could not be resolved \(3: Host not found\)/),
	'which the log says');
$c->vanish();

###############################################################################
# It moves: who is in a transaction goes on, to its end.

my @c = map { client($_) } @ports;

for my $c (@c) {
	$c->query('BEGIN');
	is(where($c), '127.0.0.1', 'before');
}

moves('127.0.0.2');

for my $i (0 .. $#c) {
	is(where($c[$i]), '127.0.0.1', "$ports[$i], in a transaction");
	$c[$i]->query('COMMIT');
	is(where($c[$i]), '127.0.0.2', "$ports[$i], and after");
}

ok(eval { wait_for(sub { idle('127.0.0.1') == 0 }) },
	'no connection leads there any more');

###############################################################################
# Two addresses.

moves('127.0.0.2', '127.0.0.1');

for my $port (8080, 8081) {
	ok(eval { wait_for(sub { spread($port) eq '127.0.0.1 127.0.0.2' }) },
		"$port, both are used");
}

# ...of which one fails

$db{'127.0.0.1'}->stop();

for my $port (8080, 8081, 8083) {
	ok(eval { wait_for(sub { spread($port) eq '127.0.0.2' }) },
		"$port, the other one is used");
}

# ...and both: the backup

$db{'127.0.0.2'}->stop();

ok(eval { wait_for(sub { spread(8081) eq '127.0.0.3' }) }, 'the backup');

###############################################################################
# The resolver fails: what was known is used.

$db{'127.0.0.1'}->start();
moves('127.0.0.1');

ok(eval { wait_for(sub { spread(8080) eq '127.0.0.1' }) }, 'the first again');

$dns->set('db.test' => 'SERVFAIL');

ok($t->wait_for_log(qr/could not be resolved \(2: .*1 addresses are known/),
	'the resolver fails');
is(where($_), '127.0.0.1', 'what was known is used')
	for my $last = client(8080);

# ...in a new process, too

ok($t->reload(), 'a reload meanwhile');
is(where($_), '127.0.0.1', 'changes nothing') for my $new = client(8080);

ok($dns->queries() > 10, 'it was asked now and then');

# a single address is tried, however often it has failed

$db{'127.0.0.1'}->stop();
like(eval { $new->query('SELECT where_am_i')->state() } // '', qr/^(?:08006|57P01|)$/,
	'it is gone') for 1 .. 3;
$db{'127.0.0.1'}->start();

ok(eval { wait_for(sub { spread(8080, 1) eq '127.0.0.1' }, 3) },
	'it is back');

$_->vanish() for @c, $last, $new;

###############################################################################
# What nginx -t says.

my $conf = <<"EOS";
stream {
    %s
    hyperdrive_users  off;

    upstream u {
        hyperdrive_origin  %s;
    }

    server {
        listen           127.0.0.1:8080;
        hyperdrive_pass  u;
    }
}
EOS

like($t->conf_error(sprintf($conf, '', "$url resolve")),
	qr/no "resolver" for "resolve".*conf_test.conf:\d+: write resolver/,
	'no resolver');
is($t->conf_error(sprintf($conf, 'resolver 127.0.0.1;', "$url resolve")), '',
	'a name that the system does not know');
is($t->conf_error(sprintf($conf, 'resolver 127.0.0.1;',
	"$url resolve role=auto")), '', 'a replica');
is($t->conf_error(sprintf($conf, '', "$more resolve")), '',
	'an address needs none');
like($t->conf_error(sprintf($conf, 'resolver 127.0.0.1; hyperdrive_validate '
	. 'on;', "$url resolve")), qr/not valid: 2008: host not found/, 'a name, 2008');

$t->done_testing();

###############################################################################

sub client {
	my ($port) = @_;

	return pg_client(port($port), user => 'app', database => 'shop',
		timeout => 15, quiet => 1);
}

# all workers and upstreams have found out

sub moves {
	my @to = @_;

	my $before = length $t->read_file('error.log');
	my $n = @to;

	$dns->set('db.test' => [ @to ]);

	ok(eval { wait_for(sub {
		my $log = substr($t->read_file('error.log'), $before);
		my $found = () = $log =~ / is at 127\S+, $n of $n/g;
		$found >= 8;
	}) }, "each worker finds out: @to");
}

sub where {
	my ($c) = @_;
	my $r = $c->query('SELECT where_am_i');

	return $r->value() // $r->message();
}

# where so many clients at once are led to

sub spread {
	my ($port, $n) = @_;
	my %at;

	my @c = map { client($port) } 1 .. $n || 6;

	for (grep { !$_->error() } @c) {
		$_->query('BEGIN');
		my $where = where($_);
		$at{$where}++ if $where =~ /^127/;
	}

	$_->vanish() for @c;

	return join(' ', sort keys %at);
}

# connections to an address, all upstreams

sub idle {
	my ($host) = @_;
	my %open;

	for ($db{$host}->log()) {
		$open{$_->{n}} = 1 if $_->{event} eq 'connect';
		delete $open{$_->{n}} if $_->{event} eq 'close';
	}

	return scalar keys %open;
}

###############################################################################
