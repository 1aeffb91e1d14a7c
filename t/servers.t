#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: which server it is that answers at an address.  One
# that has two is one; and of what another one says, behind the same address,
# nothing follows for those whose worker has died.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive;
use Test::Hyperdrive::DNS;
use Test::Hyperdrive::Process qw(wait_for);
use Test::Hyperdrive::Workers qw(clients_of_each start gone);

###############################################################################

my $t = Test::Hyperdrive->new()->allow_log(qr/exited on signal 9/);

my $dns = $t->own(Test::Hyperdrive::DNS->new($t, port(8953)));

$dns->set('db.test' => [ '127.0.0.1', '127.0.0.2' ]);

my $pg = $t->postgres(users => { app => 'pw' },
	databases => [ 'shop', 'mute' ],
	settings => { log_statement => 'all',
		listen_addresses => '127.0.0.1,127.0.0.2' },
	sql => { shop => <<'EOS',

SET ROLE app;
CREATE TABLE things (id int PRIMARY KEY, v int);
INSERT INTO things VALUES (1, 0);
CREATE TABLE quiet (id int PRIMARY KEY, v int);
INSERT INTO quiet VALUES (1, 5);

EOS
	mute => 'REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC' });

my $standby = $pg->replica();

my ($one, $other) = map { $t->mariadb(users => { app => 'pw' },
	databases => [ 'shop' ]) } 1, 2;

# numbers of the first are higher than the other's

$one->client()->close() for 1 .. 100;

# a port behind which there may be one or the other

my $vip = $t->relay(to => $pg->port());
my $galera = $t->relay(to => $one->port());

my %origin = (
	addresses => 'postgres://app:pw@db.test:' . $pg->port()
		. '/shop?sslmode=disable&target_session_attrs=primary resolve',
	vip => 'postgres://app:pw@127.0.0.1:' . $vip->port()
		. '/shop?sslmode=disable',
	mute => 'postgres://app:pw@127.0.0.1:' . $pg->port()
		. '/mute?sslmode=disable',
	galera => 'mysql://app:pw@127.0.0.1:' . $galera->port()
		. '/shop?ssl-mode=DISABLED',
);

my %port = (addresses => 8080, vip => 8081, mute => 8082, galera => 8083);

my $blocks = join '', map { <<"EOS" } sort keys %port;

    upstream $_ {
        hyperdrive_origin  $origin{$_};
        hyperdrive_pool    max=12 wait=60s;
    }

    server {
        listen            127.0.0.1:$port{$_} reuseport;
        hyperdrive_pass   $_;
        hyperdrive_cache  shop max_age=600s;
    }

EOS

$t->write_file_expand('nginx.conf', <<"EOS")->run();

%%TEST_GLOBALS%%

worker_processes  2;

events {
}

%%TEST_STATUS%%

stream {
    hyperdrive_cache_zone  shop 8m;
    hyperdrive_users       off;

    resolver          127.0.0.1:8953;
    resolver_timeout  1s;

$blocks
}

EOS

my $read = 'SELECT v FROM things WHERE id = 1';
my $quiet = 'SELECT v FROM quiet WHERE id = 1';

my $truth = $pg->client(database => 'shop');

###############################################################################
# Two addresses of one primary.

{
	my @c = map { client('addresses') } 1 .. 4;

	$_->query('BEGIN; SELECT 1') for @c;

	my %at = map { $_ => 1 } map { value($_, 'SELECT inet_server_addr()') }
		@c;
	is(join(' ', sort keys %at), '127.0.0.1 127.0.0.2',
		'connections lead to both addresses');

	$_->query('COMMIT') for @c;

	$t->wait_catalog('addresses', 2);

	wait_for(sub { kept('addresses', $c[0], $quiet) }, 20, 'kept');

	# more connections than there are, so that new ones are opened

	my @more = map { client('addresses') } 1 .. 8;

	$_->query('BEGIN; SELECT 1') for @more;
	$_->query('COMMIT') for @more;

	ok(kept('addresses', $c[0], $quiet), 'new ones do not change what holds');
	is(total('addresses')->{primary_changed}, 0, 'and no primary has changed');

	$_->close() for @c, @more;
}

###############################################################################
# A worker dies amid a write, and the address leads to the standby then, which
# knows of no such connection.

{
	$t->wait_catalog('vip', 2);

	my ($victim, $its, $others) = clients_of('vip', 1);
	my ($w, $r) = ($its->[0], $others->[0]);

	wait_for(sub { kept('vip', $r, $read) }, 20, 'kept');

	$truth->query('BEGIN');
	$truth->query("$read FOR UPDATE");

	start($w, 'UPDATE things SET v = v + 1 WHERE id = 1');
	wait_for(sub { !kept('vip', $r, $read) }, 20, 'the write is under way');

	my $asked = questions($standby);

	dies('vip', $victim, $vip, $standby);
	gone($_) for @$its, @$others;

	wait_for(sub { questions($standby) > $asked + 3 }, 20,
		'the standby is asked');

	$r = client('vip');

	is(value($r, 'SELECT pg_is_in_recovery()'), 't', 'it is the standby');
	wait_for(sub { kept('vip', $r, $quiet) }, 20, 'what is not written');
	ok(!kept('vip', $r, $read), 'what may be written yet is not kept');
	is(upstream('vip')->{dead} > 0, 1, 'and its place counts');

	# the write comes about, and the standby shows it

	$truth->query('COMMIT');
	wait_for(sub { value($truth, $read) == 1 }, 20, 'it has been written');
	wait_for(sub { value($r, $read) == 1 }, 20, 'and is shown');

	# the primary is asked, and knows

	$vip->to($pg->port())->cut('both');
	$r->close();
	$r = client('vip');

	wait_for(sub { kept('vip', $r, $read) }, 20);
	wait_for(sub { upstream('vip')->{dead} == 0 }, 20);

	is(value($r, $read), 1, 'with the primary it goes on');
	is(upstream('vip')->{dead}, 0, 'and no place counts any more');

	$r->close();
}

###############################################################################
# A server that is started anew has none of the connections it had.

{
	my ($victim, $its, $others) = clients_of('vip', 1);

	start($its->[0], 'SELECT pg_sleep(600)');
	wait_for(sub { value($truth, "SELECT count(*) FROM pg_stat_activity "
		. "WHERE wait_event = 'PgSleep'") == 1 }, 20, 'asleep');

	$vip->refuse();
	kill 'KILL', $victim;
	wait_for(sub { upstream('vip')->{dead} > 0 }, 20, 'a place of the dead');

	$truth->close();
	$pg->restart();
	$vip->accept();

	$truth = $pg->client(database => 'shop');

	over(@$its, @$others);
	value(client('vip'), 'SELECT 1');

	ok(wait_for(sub { upstream('vip')->{dead} == 0 }, 15),
		'a server that was started anew: the place is free');
}

###############################################################################
# Who may not be asked which server it is: its address counts.

{
	my ($victim, $its, $others) = clients_of('mute', 1);

	start($its->[0], 'SELECT pg_sleep(600)');
	wait_for(sub { value($truth, "SELECT count(*) FROM pg_stat_activity "
		. "WHERE wait_event = 'PgSleep'") == 1 }, 20, 'asleep');

	kill 'KILL', $victim;

	ok(wait_for(sub { value($truth, "SELECT count(*) FROM pg_stat_activity "
		. "WHERE wait_event = 'PgSleep'") == 0 }, 20),
		'a server without a name: what is left there is ended');
	ok(wait_for(sub { upstream('mute')->{dead} == 0 }, 20),
		'and its place is free');

	my %said;

	$said{$_}++ for $t->read_file('error.log')
		=~ /\[warn\] (\d+).*"mute".*cannot be asked which.*denied/g;
	is(join(' ', grep { $_ > 1 } values %said), '',
		'which each worker says once');
	is(exists $said{$victim}, 1, '...this one, too');

	over(@$its, @$others);
}

###############################################################################
# MySQL's numbers are small, and each server has them: none of another one's
# is stopped or ended.

{
	my ($victim, $its, $others) = clients_of('galera', 2);
	my ($c, $d) = @$its;

	# each in a transaction, which keeps its connection

	$_->query('BEGIN') for $c, $d;

	my @numbers = map { $_->value('SELECT CONNECTION_ID()') } $c, $d;
	my ($stranger, $second) = strangers(@numbers);
	my ($its_truth, $truth) = ($one->client(), $other->client());

	start($stranger, 'SELECT SLEEP(601)');
	start($c, 'SELECT SLEEP(600)');
	wait_for(sub { asleep($its_truth, 600) }, 20, 'asleep');

	# its client leaves: the query is stopped, if the server is the same

	$galera->to($other->port());
	gone($c);

	ok(wait_for(sub { $t->read_file('error.log')
		=~ /origin $numbers[0] of "galera": its query is not stopped/ }, 20),
		'another server, a query is not stopped');
	ok(asleep($truth, 601), 'and neither is the other one\'s');

	# a worker dies

	start($d, 'SELECT SLEEP(602)');
	wait_for(sub { asleep($its_truth, 602) }, 20, 'asleep');

	my $asked = asked($truth);

	dies('galera', $victim, $galera, $other);
	value(client('galera'), 'SELECT 1');

	wait_for(sub { asked($truth) > $asked + 10 }, 20, 'the other is asked');

	is(upstream('galera')->{dead} > 0, 1, 'its word is not taken');
	ok(asleep($truth, 601), 'a connection of its own lives');
	is($second->value('SELECT 1'), 1, '...and another one');

	# and by its own server it is told

	$galera->to($one->port())->command('cut', 'client');
	value(client('galera'), 'SELECT 1');

	ok(wait_for(sub { upstream('galera')->{dead} == 0 }, 20),
		'its own server is asked: the place is free');
	ok(!asleep($its_truth, 602), 'and what was left there is ended');
}

$t->done_testing();

###############################################################################

sub client {
	my ($name) = @_;

	my %how = (database => $name eq 'mute' ? 'mute' : 'shop', timeout => 40);

	return mysql_client(port($port{$name}), user => 'app', password => 'x',
		%how) if $name eq 'galera';

	return pg_client(port($port{$name}), user => 'app', %how);
}

sub value {
	my ($c, $sql) = @_;

	return $c->can('value') ? $c->value($sql) : $c->query($sql)->value();
}

sub upstream { $t->status()->{upstreams}{$_[0]} }

sub total { upstream($_[0])->{total} }

sub kept {
	my ($name, $c, $sql) = @_;

	my $before = total($name)->{hits};
	value($c, $sql);
	return total($name)->{hits} - $before;
}

# So many clients of each of the two workers, one of which is to die.

sub clients_of {
	my ($name, $n) = @_;

	my %of = clients_of_each($t, $name, 2, $n, sub { client($name) });
	my ($victim, $other) = sort { $a <=> $b } keys %of;

	return ($victim, $of{$victim}, $of{$other});
}

sub over {
	my (@clients) = @_;

	gone($_) for @clients;
	wait_for(sub { $t->worker_pids() == 2 }, 20, 'a new worker');
}

# A worker dies and the relay leads elsewhere, in one moment: those who stay
# have no connection that leads to where it led.

sub dies {
	my ($name, $victim, $relay, $to) = @_;

	kill 'STOP', $victim;
	$relay->to($to->port())->command('cut', 'client');

	wait_for(sub {
		my $by = upstream($name)->{by_worker};

		!grep { $_ != $victim && ($by->{$_}{origins_idle}
			|| $by->{$_}{origins_busy}) } keys %$by;
	}, 20, 'connections of others are gone');

	kill 'KILL', $victim;
}

# How often a server was asked about connections of the dead.

sub questions {
	my ($db) = @_;

	my $n = () = $db->log() =~ /pg_stat_activity WHERE pid IN/g;
	return $n;
}

sub asked {
	my ($truth) = @_;

	return $truth->query("SHOW GLOBAL STATUS LIKE 'Com_select'")
		->{rows}[0][1];
}

sub asleep {
	my ($truth, $time) = @_;

	return $truth->value('SELECT COUNT(*) FROM information_schema.PROCESSLIST '
		. "WHERE INFO = 'SELECT SLEEP($time)'");
}

# The other server's connections of these numbers, and of the same user.

sub strangers {
	my (@numbers) = @_;

	my ($last) = sort { $b <=> $a } @numbers;
	my %by;

	for (1 .. 1000) {
		my $c = $other->client(user => 'app', password => 'pw');
		my $id = $c->value('SELECT CONNECTION_ID()');

		$by{$id} = $c if grep { $_ == $id } @numbers;
		last if $id >= $last;
	}

	return map { $by{$_} || die "the other server is beyond $_\n" } @numbers;
}

###############################################################################
