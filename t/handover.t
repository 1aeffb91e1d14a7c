#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: a reload hands clients over to the new workers with
# all that is known of them; each kind of state is what it was.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive qw(port pg_client wait_for spawn);

###############################################################################

my $t = Test::Hyperdrive->new()->allow_log(qr/exited on signal 9/);

my $pg = $t->postgres(users => { app => 'pw', other => 'pw' },
	databases => [ 'shop' ], sql => { shop => <<'EOS' });

SET ROLE app;
CREATE TABLE things (id int PRIMARY KEY, v text);
INSERT INTO things SELECT g, 'thing ' || g FROM generate_series(1, 10) g;

EOS

my $probe = $pg->client(database => 'shop');
my %conf;

$t->certificate('front');

configure();
$t->run();

settings();
statements();
blocks();
cancels();
cuts();
unread();
large();
transactions();
pinned();
addresses();
limits();
orphans();
origins();
tls();
gone();
quit();

$t->done_testing();

###############################################################################

sub configure {
	my (%o) = @_;

	%conf = (workers => 2, drain => 'rate=5000 deadline=30s', url => '',
		user => 'app', gone => 0, %conf, %o);

	my $url = "postgres://$conf{user}:pw\@127.0.0.1:" . $pg->port()
		. "/shop?sslmode=disable$conf{url}";

	my $more = $conf{gone} ? '' : <<'EOS';

    server {
        listen           127.0.0.1:8081;
        hyperdrive_pass  few;
    }
EOS

	$t->write_file_expand('nginx.conf', <<"EOS");

%%TEST_GLOBALS%%

worker_processes  $conf{workers};

events {
}

%%TEST_STATUS%%

stream {
    log_format  all    "\$remote_addr|\$proxy_protocol_addr|\$realip_remote_addr|\$hyperdrive_user|\$hyperdrive_queries|\$connection";

    hyperdrive_cache_zone  shop 8m;
    hyperdrive_users       off;
    hyperdrive_drain       $conf{drain};

    ssl_certificate      front.crt;
    ssl_certificate_key  front.key;

    upstream shop {
        hyperdrive_origin  $url;
        hyperdrive_pool    max=8 wait=30s;
    }

    upstream few {
        hyperdrive_origin  $url&application_name=few;
        hyperdrive_pool    max=1 wait=30s;
        hyperdrive_catalog off;
    }

    server {
        listen            127.0.0.1:8080;
        hyperdrive_pass   shop;
        hyperdrive_cache  shop max_age=60s;
    }
$more
    server {
        listen            127.0.0.1:8082 proxy_protocol;
        set_real_ip_from  127.0.0.0/8;
        hyperdrive_pass   shop;
        access_log        %%TESTDIR%%/clients.log all;
        hyperdrive_query_log  %%TESTDIR%%/query.log "\$connection|\$hyperdrive_query_rows|\$hyperdrive_queries";
    }

    server {
        listen              127.0.0.1:8083;
        hyperdrive_pass     shop;
        hyperdrive_timeout  idle_in_transaction=2s;
    }
}

EOS
}

sub client {
	my ($port, %o) = @_;

	return pg_client(port($port || 8080), user => 'app',
		database => 'shop', timeout => 15, %o);
}

# A reload, and the end of those who were there: all clients have moved.

sub move {
	my ($name) = @_;

	ok($t->reload(), "$name, a reload");
	left($name);
}

sub left {
	my ($name) = @_;

	ok(eval { wait_for(sub {
		$t->worker_pids(all => 1) == $conf{workers};
	}, 10) }, "$name, the old workers are gone");
}

# What a client is told that has asked for nothing.

sub told {
	my ($c) = @_;

	my @messages = eval { $c->read_until('E') };

	return @messages ? $messages[-1]{fields}{C} : "nothing: $@";
}

sub shop {
	return $t->status()->{upstreams}{$_[0] || 'shop'};
}

###############################################################################

sub settings {
	my $name = 'settings';

	my @c = map { client(8080, params => {
		application_name => "app $_", TimeZone => 'Asia/Tokyo' }) } 0 .. 3;

	for my $i (0 .. 3) {
		$c[$i]->query("SET search_path TO s$i, public");
		$c[$i]->query("SET work_mem TO '${i}1MB'");
		$c[$i]->query("SELECT set_config('app.tenant', '$i', false)");
	}

	$c[3]->query('RESET work_mem');

	my $total = shop()->{total}{clients_total};

	move($name);

	# (some may be on their way to a new worker)

	ok(eval { wait_for(sub { shop()->{total}{clients} == 4 }) },
		"$name, four clients");
	is(shop()->{total}{clients_total}, $total, "$name, none is new");

	for my $i (0 .. 3) {
		is($c[$i]->query('SHOW search_path')->value(), "s$i, public",
			"$name, search_path of $i");
		is($c[$i]->query('SHOW TimeZone')->value(), 'Asia/Tokyo',
			"$name, at start-up, of $i");
		is($c[$i]->query('SHOW application_name')->value(), "app $i",
			"$name, application_name of $i");
		is($c[$i]->query("SELECT current_setting('app.tenant')")
			->value(), $i, "$name, with a dot, of $i");
	}

	is($c[2]->query('SHOW work_mem')->value(), '21MB', "$name, work_mem");
	isnt($c[3]->query('SHOW work_mem')->value(), '31MB', "$name, reset");

	# what it is told of them

	my $r = $c[0]->query("SET application_name TO 'later'");

	move("$name, again");

	is($c[0]->parameter('application_name'), 'later', "$name, told");
	is($c[0]->query('RESET application_name')->tag(), 'RESET',
		"$name, a reset");
	is($c[0]->query('SHOW application_name')->value(), 'app 0',
		"$name, is one");
	is($c[0]->parameter('application_name'), 'app 0',
		"$name, and is told");

	$_->close() for @c;
}

sub statements {
	my $name = 'statements';

	my @c = map { client() } 0 .. 3;

	# one name, other texts

	for my $i (0 .. 3) {
		$c[$i]->prepare('s', "SELECT \$1::int * 10 + $i");
		$c[$i]->prepare("only $i", 'SELECT v FROM things WHERE id = $1');
		$c[$i]->parse('', "SELECT 'unnamed $i'::text")->sync();
		$c[$i]->result();
	}

	$c[0]->prepare('typed', 'SELECT $1', 23);
	$c[1]->close_statement('s')->sync();
	$c[1]->result();

	move($name);

	for my $i (0, 2, 3) {
		is($c[$i]->execute_prepared('s', 7)->value(), 70 + $i,
			"$name, the text of $i");
	}

	for my $i (0 .. 3) {
		is($c[$i]->execute_prepared("only $i", $i + 1)->value(),
			'thing ' . ($i + 1), "$name, its own of $i");
	}

	is($c[1]->execute_prepared('s', 7)->state(), '26000',
		"$name, one that was closed");
	is($c[0]->execute_prepared('only 1', 7)->state(), '26000',
		"$name, another one's");
	is($c[0]->execute_prepared('typed', 7)->value(), 7,
		"$name, with types");
	is($c[0]->prepare('s', 'SELECT 1')->state(), '42P05',
		"$name, a name that is in use");

	# the unnamed one, and what was told of its rows

	my $d = client();

	$d->parse('', "SELECT 'unnamed'::text")->describe('S', '')->sync();
	$d->result();
	$d->prepare('shape', 'SELECT * FROM things WHERE id = $1');

	move("$name, again");

	$d->bind('', '', [])->execute('')->sync();
	is($d->result()->value(), 'unnamed', "$name, the unnamed one");

	$probe->query('ALTER TABLE things ADD COLUMN more int');

	$d->bind('', 'shape', [ 1 ])->execute('')->sync();
	is($d->result()->state(), '0A000', "$name, rows of another shape");

	$probe->query('ALTER TABLE things DROP COLUMN more');

	$_->close() for @c, $d;
}

sub blocks {
	my $name = 'blocks';

	my ($c, $d, $e) = map { client() } 1 .. 3;

	is($c->query('BEGIN ISOLATION LEVEL SERIALIZABLE')->tag(), 'BEGIN',
		"$name, begun");
	$d->query('BEGIN');
	$e->query('BEGIN');

	move($name);

	is($c->query('SHOW transaction_isolation')->value(), 'serializable',
		"$name, its level");
	is($c->status(), 'T', "$name, it is open");
	$c->query("INSERT INTO things VALUES (100, 'in a block')");
	is($c->query('ROLLBACK')->tag(), 'ROLLBACK', "$name, its end");
	is($probe->query('SELECT count(*) FROM things WHERE id = 100')
		->value(), 0, "$name, is an end");

	is($d->query('COMMIT')->tag(), 'COMMIT', "$name, one that was empty");
	is($d->status(), 'I', "$name, is over");

	is($e->query('SELECT 1/0')->state(), '22012', "$name, an error");
	is($e->query('SELECT 1')->state(), '25P02', "$name, has failed");
	is($e->query('COMMIT')->tag(), 'ROLLBACK', "$name, and ends so");

	$_->close() for $c, $d, $e;

	# its time goes on

	$c = client(8083);
	$c->query('BEGIN');

	move("$name, a limit");

	is(told($c), '25P03',
		"$name, a limit, holds");
	$c->vanish();
}

sub cancels {
	my $name = 'a request to cancel';

	my @c = map { client() } 1 .. 2;

	for my $round (1, 2) {
		move("$name, $round");

		for my $c (@c) {
			$c->send('Q', "SELECT pg_sleep(60), $round\0")
				->flush_out();
		}

		wait_for(sub {
			$probe->query("SELECT count(*) FROM pg_stat_activity "
				. "WHERE query LIKE 'SELECT pg_sleep(60)%' "
				. "AND state = 'active'")->value() == 2;
		}, 10);

		$c[0]->cancel();
		is($c[0]->result()->state(), '57014', "$name, $round");
		ok($c[1]->silent(0.1), "$name, $round, for nobody else");
		$c[1]->cancel();
		is($c[1]->result()->state(), '57014', "$name, $round, another");
	}

	is(scalar(keys %{{ map { $_->pid() => 1 } @c }}), 2,
		"$name, numbers differ");

	$_->close() for @c;
}

# A client for each place where its bytes may be cut.

sub cuts {
	my $c = client();

	# nothing is with the database before its end

	$c->parse('p', 'SELECT $1::int + 1')->describe('S', 'p')
		->bind('', 'p', [ 41 ])->execute('')->sync()
		->send('Q', "SELECT v FROM things WHERE id = 3\0")
		->parse('', 'SELECT 5')->bind('', '', [])->execute('')->sync()
		->send('Q', "SELECT 6; SELECT 7\0");

	cut($c->take_out(), '42 thing 3 5 6 7', 'cut anywhere');

	# ...or it is

	$c->parse('', 'SELECT 1')->bind('', '', [])->execute('')->flush()
		->sync()->send('Q', "SELECT 2\0");

	cut($c->take_out(), '1 2', 'cut anywhere, with a part sent');

	$c->close();
}

sub cut {
	my ($bytes, $expected, $name) = @_;

	my @c = map { client() } 0 .. length($bytes);

	for my $i (0 .. $#c) {
		$c[$i]->send_raw(substr($bytes, 0, $i)) if $i;
	}

	ok($t->reload(), "$name, a reload");

	# (who has a part with the database goes on where it is)

	left($name) unless $name =~ /sent/;

	for my $i (0 .. $#c) {
		$c[$i]->send_raw(substr($bytes, $i)) if $i < length($bytes);
	}

	my $n = () = $bytes =~ /S\x00\x00\x00\x04|Q\x00\x00\x00/g;
	my %seen;

	for my $i (0 .. $#c) {
		my @values = eval { map { answer($c[$i]) } 1 .. $n };

		push @values, $@ if $@;

		push @{$seen{"@values"}}, $i;
	}

	is(join(', ', keys %seen), $expected, "$name, all answers")
		or diag(map { "$_: @{$seen{$_}}\n" } keys %seen);

	left("$name, and then") if $name =~ /sent/;

	$_->close() for @c;
}

sub answer {
	my ($c) = @_;

	my $r = $c->result();

	return @{$r->column(0)};
}

# An answer that its client has not read yet.

sub unread {
	my $name = 'unread';

	my $c = client();
	my $d = client();

	$c->send('Q', "SELECT repeat('x', 20000) FROM generate_series(1, 3000)"
		. "\0")->flush_out();

	wait_for(sub { $probe->query("SELECT count(*) FROM pg_stat_activity "
		. "WHERE query LIKE 'SELECT repeat%' AND state = 'active' "
		. "AND wait_event = 'ClientWrite'")->value() });

	ok($t->reload(), "$name, a reload");

	# requests behind it, which are read when its output is sent

	$c->send('Q', "SELECT $_\0") for 1 .. 3;
	$c->flush_out();

	is($d->query('SELECT 4')->value(), 4, "$name, another one goes on");

	is(scalar(@{$c->result()->rows()}), 3000, "$name, all rows");
	is(join(' ', map { $c->result()->value() } 1 .. 3), '1 2 3',
		"$name, and what was behind them");

	left($name);

	is($c->query('SELECT 5')->value(), 5, "$name, goes on");

	$_->close() for $c, $d;
}

# What does not fit into a message goes in a file.

sub large {
	my $name = 'large';

	my $c = client();

	for (1 .. 100) {
		$c->prepare("s$_", "SELECT $_ /* " . ('x' x 20000) . ' */');
	}

	my $text = "SELECT length('" . ('y' x 300000) . "')";
	my $query = Test::Hyperdrive::PG::message('Q', "$text\0");

	$c->send_raw(substr($query, 0, 200000));

	wait_for(sub { shop()->{total}{clients} == 1 });

	move($name);

	$c->send_raw(substr($query, 200000));

	is($c->result()->value(), 300000, "$name, a text");
	is(join(' ', map { $c->execute_prepared("s$_")->value() } 1 .. 100),
		join(' ', 1 .. 100), "$name, statements");

	$c->close();
}

# Whoever is in a transaction moves when it is over.

sub transactions {
	my $name = 'a transaction';

	my ($c, $d, $e) = map { client() } 1 .. 3;

	$c->query('BEGIN');
	$c->query("UPDATE things SET v = 'moved' WHERE id = 5");

	$d->send('Q', "SELECT 1, pg_sleep(1)\0")->flush_out();

	# a group without its end

	$e->parse('', "UPDATE things SET v = 'moved' WHERE id = 6")
		->bind('', '', [])->execute('')->flush()->flush_out();
	$e->read_until('C');

	ok($t->reload(), "$name, a reload");

	is($d->result()->value(), 1, "$name, a query");
	is($c->query('SELECT v FROM things WHERE id = 5')->value(), 'moved',
		"$name, goes on");
	cmp_ok($t->worker_pids(all => 1), '>', 2, "$name, keeps its worker");
	is($c->query('COMMIT')->tag(), 'COMMIT', "$name, its end");

	$e->sync();
	is($e->result()->state(), '', "$name, the end of a group");

	left($name);

	is($_->query('SELECT v FROM things WHERE id = 5')->value(), 'moved',
		"$name, and on") for $c, $d, $e;
	is($probe->query('SELECT v FROM things WHERE id = 6')->value(),
		'moved', "$name, a group, is committed");

	$_->close() for $c, $d, $e;
}

sub pinned {
	my $name = 'pinned';

	my $c = client();

	$c->query('CREATE TEMP TABLE mine AS SELECT 8 AS v');

	ok($t->reload(), "$name, a reload");

	is($c->query('SELECT v FROM mine')->value(), 8, "$name, it stays");
	cmp_ok($t->worker_pids(all => 1), '>', 2, "$name, with its worker");

	$c->query('DROP TABLE mine');
	left($name);

	is($c->query('SELECT 9')->value(), 9, "$name, goes when it can");
	$c->close();
}

# Addresses, logs and totals of one behind a balancer.

sub addresses {
	my $name = 'an address';

	my $c = client(8082, login => 0);

	$c->send_raw("PROXY TCP4 192.0.2.7 192.0.2.1 4711 5432\r\n");
	$c->startup();
	$c->authenticate();
	$c->query('SELECT 1');
	$c->query('SELECT 2');

	move($name);

	$c->query('SELECT 3 UNION SELECT 4');

	wait_for(sub { $t->read_file('query.log') =~ /\|2\|3$/m });

	my ($number) = $t->read_file('query.log') =~ /^(\d+)\|1\|1$/m;

	like($t->read_file('query.log'), qr/^$number\|2\|3$/m,
		"$name, in the log of queries");
	is($t->read_file('clients.log'), '', "$name, is no end");

	$c->close();

	wait_for(sub { length $t->read_file('clients.log') });

	is($t->read_file('clients.log'),
		"192.0.2.7|192.0.2.7|127.0.0.1|app|3|$number\n",
		"$name, at the end");
}

# No more than so many a second.

sub limits {
	my $name = 'a rate';

	configure(drain => 'rate=5 deadline=30s');
	move("$name, set");

	my @c = map { client() } 1 .. 30;

	# (of those who leave)

	ok($t->reload(), "$name, a reload");

	my $old = $t->worker_pids(all => 1) - 2;

	cmp_ok($old, '>', 0, "$name, takes its time");
	is($_->query('SELECT 1')->value(), 1, "$name, a client") for @c;

	left($name);

	is($_->query('SELECT 2')->value(), 2, "$name, a client later") for @c;
	$_->close() for @c;

	configure(drain => 'rate=5000 deadline=30s');
	move("$name, unset");
}

# A worker that is killed before it has taken those who were sent to it: others
# take them.

sub orphans {
	my $name = 'a new worker dies';

	configure(drain => 'rate=5 deadline=30s');
	move("$name, set");

	my @c = map { client() } 1 .. 40;
	$_->prepare('s', 'SELECT $1::int + 1') for @c;

	ok($t->reload(), "$name, a reload");

	my ($victim) = $t->worker_pids();

	# it does not read, so what is sent to it lies there

	kill 'STOP', $victim;

	left_but($victim, $name);

	my $there = shop()->{total}{clients};

	cmp_ok($there, '<', 40, "$name, some are on their way to it");

	kill 'KILL', $victim;

	ok(eval { wait_for(sub {
		my @now = $t->worker_pids(all => 1);

		@now == 2 && !grep { $_ == $victim } @now;
	}, 10) }, "$name, another one comes");

	# (those that it had taken are gone with it)

	my @values = map { eval { $_->execute_prepared('s', 1)->value() }
		// 'gone' } @c;
	my $gone = grep { $_ eq 'gone' } @values;

	is(scalar(grep { $_ eq '2' } @values), 40 - $gone, "$name, go on");
	cmp_ok(40 - $gone, '>=', $there, "$name, those who were there");
	cmp_ok($gone, '<', 20, "$name, and those on their way");
	note("$there were there, $gone gone with it");

	$_->vanish() for @c;

	configure(drain => 'rate=5000 deadline=30s');
	move("$name, unset");
}

# Old workers have gone, but not one of the new ones, which is stopped.

sub left_but {
	my ($pid, $name) = @_;

	ok(eval { wait_for(sub {
		$t->worker_pids(all => 1) == $conf{workers};
	}, 10) }, "$name, the old workers are gone");
}

# Connections to the database move, unless others are wanted.

sub origins {
	my $name = 'connections';

	my $c = client(8081);
	my $sql = 'SELECT pg_backend_pid() + 0 * random()';

	my $pid = $c->query($sql)->value();
	my $opened = shop('few')->{total}{origins_opened};

	for (1 .. 3) {
		move($name);
		is($c->query($sql)->value(), $pid, "$name, the same");
	}

	is(shop('few')->{total}{origins_opened}, $opened,
		"$name, none is opened");

	configure(url => '&options=-c%20geqo%3Doff');
	move("$name, options");

	my $next = $c->query($sql)->value();

	isnt($next, $pid, "$name, options, is another one");
	is($c->query('SHOW geqo')->value(), 'off', "$name, options, in force");

	configure(user => 'other');
	move("$name, a user");

	is($c->query('SELECT session_user')->value(), 'other',
		"$name, a user, in force");
	cmp_ok(shop('few')->{used}, '<=', 1, "$name, no more than max");

	$c->close();

	configure(user => 'app', url => '');
	move("$name, as before");
}

# TLS cannot move: it is told at the deadline.

sub tls {
	my $name = 'TLS';

	SKIP: {
		skip('no python3', 1) if system('python3 -c 1 2>/dev/null');

		configure(drain => 'rate=5000 deadline=4s');
		move("$name, set");

		spawn([ 'python3', "$FindBin::Bin/drivers/tls_relay.py",
			port(8090), port(8080) ]);

		my $first;
		wait_for(sub { $first = eval { client(8090) } });

		my ($c, $d) = ($first, client(8090));
		my $plain = client();

		$c->query('SELECT 1');
		$d->query('BEGIN');
		$d->query("UPDATE things SET v = 'lost' WHERE id = 7");

		ok($t->reload(), "$name, a reload");

		is($c->query('SELECT 2')->value(), 2, "$name, goes on");
		is($plain->query('SELECT 3')->value(), 3, "$name, or clear");

		is(told($c), '57P01', "$name, told at the deadline");
		ok($c->wait_eof(), "$name, and closed");

		is(told($d), '57P01', "$name, in a transaction");

		left($name);

		is($plain->query('SELECT 4')->value(), 4, "$name, goes on");
		$plain->close();

		is($probe->query("SELECT v FROM things WHERE id = 7 FOR UPDATE")
			->value(), 'thing 7', "$name, which is rolled back");

		# who asks for more is told as the answer to it

		my $f = client(8090);

		$f->query('SELECT 5');
		ok($t->reload(), "$name, asks, a reload");

		my ($r, $n) = (undef, 0);

		do {
			$r = $f->query('SELECT ' . ++$n);
		} while ($r->state() eq '' && $r->value() == $n);

		is($r->state(), '57P01', "$name, asks, told");
		cmp_ok($n, '>', 10, "$name, asks, after a while");

		$_->vanish() for $c, $d, $f;

		configure(drain => 'rate=5000 deadline=30s');
		move("$name, unset");
	}
}

# A server that is not there any more.

sub gone {
	my $name = 'a server is gone';

	my ($c, $d) = (client(8081), client());

	$_->query('SELECT 1') for $c, $d;

	configure(gone => 1);
	move($name);

	is(told($c), '57P01',
		"$name, told");
	ok($c->wait_eof(), "$name, closed");
	is($d->query('SELECT 2')->value(), 2, "$name, others go on");

	$d->close();
}

# nginx stops, and nobody takes over.

sub quit {
	my $name = 'the end';

	my ($idle, $c, $d, $e) = map { client() } 1 .. 4;

	$idle->query('SELECT 1');
	$c->query('BEGIN');
	$c->query("UPDATE things SET v = 'at last' WHERE id = 8");
	$d->query('BEGIN');
	$e->send('Q', "SELECT 1, pg_sleep(0.5)\0")->flush_out();

	kill 'QUIT', $t->master_pid();

	is(told($idle), '57P01',
		"$name, an idle one is told");
	is($c->query('COMMIT')->tag(), 'COMMIT', "$name, a transaction ends");
	is($e->result()->value(), 1, "$name, a query ends");
	$d->query("UPDATE things SET v = 'at last' WHERE id = 9");
	is($d->query('COMMIT')->tag(), 'COMMIT',
		"$name, one that has just begun");

	is(told($_), '57P01',
		"$name, and is told then") for $c, $d, $e;

	$t->stop('QUIT');

	is($probe->query("SELECT count(*) FROM things WHERE v = 'at last'")
		->value(), 2, "$name, nothing is lost");
}

###############################################################################
