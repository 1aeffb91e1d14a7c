#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: every message of the protocol, in and out of place, is
# answered as by the database itself; and what only a script can say.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use Time::HiRes qw/ time /;

use lib 'lib';
use Test::Hyperdrive;
use Test::Hyperdrive::Compare qw/ difference told /;

###############################################################################

my $t = Test::Hyperdrive->new(log => 'info');

my $pg = $t->postgres(users => { app => 'pw' }, databases => [ 'shop' ],
	sql => { shop => <<'EOS' });

SET ROLE app;
CREATE TABLE things (id int PRIMARY KEY, v text);
INSERT INTO things SELECT g, 'thing ' || g FROM generate_series(1, 20) g;
CREATE TABLE copied (id int, v text);
CREATE FUNCTION noisy(n int) RETURNS int LANGUAGE plpgsql AS
	'BEGIN RAISE NOTICE ''noise %'', n; RETURN n; END';

EOS

my $url = $pg->url();

my $fake = $t->fake_pg(port(8090), query => sub { scripted(@_) });

$t->write_file_expand('nginx.conf', <<"EOS")->run();

%%TEST_GLOBALS%%

events {
}

%%TEST_STATUS%%

stream {
    hyperdrive_cache_zone  shop 8m;

    hyperdrive_users  off;

    # no catalog, which would take the only connection now and then

    upstream one {
        hyperdrive_origin   $url;
        hyperdrive_pool     max=1;
        hyperdrive_catalog  off;
    }

    upstream three {
        hyperdrive_origin  $url;
        hyperdrive_pool    max=3;
    }

    upstream fake {
        hyperdrive_origin  postgres://app\@127.0.0.1:%%PORT_8090%%/shop?sslmode=disable;
        hyperdrive_pool    max=1;
    }

    server {
        listen           127.0.0.1:8080;
        hyperdrive_pass  three;
    }

    server {
        listen            127.0.0.1:8081;
        hyperdrive_pass   three;
        hyperdrive_cache  shop max_age=60s;
    }

    server {
        listen           127.0.0.1:8082;
        hyperdrive_pass  one;
    }

    server {
        listen           127.0.0.1:8083;
        hyperdrive_pass  fake;
    }
}

EOS

my %app = (user => 'app', database => 'shop', timeout => 15);

my $SERIES = 'SELECT g FROM generate_series(1, $1::int) g';

###############################################################################
# One script, played twice.

my @scripts = (
	'an empty query' => sub {
		my ($c) = @_;

		return ($c->query(''), $c->query(' ; '),
			$c->extended(''), $c->query('/* nothing */'),
			$c->parse('', '')->bind('', '', [])->execute('', 3)
				->sync()->result());
	},

	'several statements, with an error' => sub {
		my ($c) = @_;

		return ($c->query('SELECT 1; SELECT 2, 3; SELECT 4 WHERE false'),
			$c->query('SELECT 1; SELECT 1 / 0; SELECT 2'),
			$c->query('SELECT 1; SELEC 2'),
			$c->query("INSERT INTO copied VALUES (1, 'a'); "
				. 'SELECT 1 / 0'),
			$c->query('SELECT count(*) FROM copied'));
	},

	'several statements with a block in them' => sub {
		my ($c) = @_;

		return ($c->query('SELECT 1; BEGIN; SELECT 2'),
			$c->query('SELECT 3; COMMIT; SELECT 4'),
			$c->query('BEGIN; SELECT 1 / 0; COMMIT'),
			$c->query('ROLLBACK; SELECT 5'), $c->query('SELECT 6'));
	},

	'row-limited Execute' => sub {
		my ($c) = @_;

		my @r = $c->parse('', $SERIES)->bind('', '', [ 5 ])
			->execute('', 2)->execute('', 2)->execute('', 2)
			->execute('', 2)->sync()->result();

		push @r, $c->parse('', $SERIES)->bind('', '', [ 4 ])
			->execute('', 4)->execute('', 4)->sync()->result();

		# the portal ends with its unit

		return (@r, $c->execute('', 1)->sync()->result());
	},

	'row-limited Execute in a block' => sub {
		my ($c) = @_;

		my @r = ($c->query('BEGIN'),
			$c->parse('s', $SERIES)->bind('p', 's', [ 7 ])
				->execute('p', 3)->sync()->result());

		push @r, $c->query('SELECT 1'),
			$c->execute('p', 3)->sync()->result(),
			$c->query('FETCH 1 FROM p'),
			$c->describe('P', 'p')->execute('p', 1)->sync()
				->result(),
			$c->close_portal('p')->sync()->result(),
			$c->execute('p', 1)->sync()->result();

		return (@r, $c->query('SELECT 1'), $c->query('ROLLBACK'));
	},

	'portals that hinder each other' => sub {
		my ($c) = @_;

		my @r = ($c->query('BEGIN'), $c->parse('s', $SERIES)
			->bind('p', 's', [ 3 ])->bind('q', 's', [ 2 ])
			->execute('q', 1)->execute('p', 1)->execute('q', 1)
			->execute('p', 0)->sync()->result());

		push @r, $c->bind('p', 's', [ 1 ])->sync()->result();

		return (@r, $c->query('COMMIT'));
	},

	'Flush after each message' => sub {
		my ($c) = @_;

		my @r;

		$c->parse('s', $SERIES)->flush();
		push @r, $c->read_until('1');
		$c->describe('S', 's')->flush();
		push @r, $c->read_until('T');
		$c->bind('', 's', [ 2 ])->flush();
		push @r, $c->read_until('2');
		$c->describe('P', '')->flush();
		push @r, $c->read_until('T');
		$c->execute('', 1)->flush();
		push @r, $c->read_until('s');
		$c->execute('', 1)->flush();
		push @r, $c->read_until('s');
		$c->execute('', 1)->flush();
		push @r, $c->read_until('C');
		$c->close_portal('')->close_statement('s')->flush();
		push @r, $c->read_until('3'), $c->read_until('3');

		return (@r, $c->sync()->result());
	},

	'a Flush, and nothing else' => sub {
		my ($c) = @_;
		return ($c->flush()->flush()->sync()->result(),
			$c->flush()->query('SELECT 1'));
	},

	'Sync alone, and many of them' => sub {
		my ($c) = @_;

		$c->sync() for 1 .. 5;
		return map { $c->result() } 1 .. 5;
	},

	'formats' => sub {
		my ($c) = @_;

		$c->parse('s', 'SELECT $1::int, $2::text, $3::bytea', 23, 25, 17);

		return ($c->describe('S', 's')
			->bind('', 's', [ pack('N', 7), 'x', "\0\1" ],
				formats => [ 1, 0, 1 ], results => [ 1, 0, 1 ])
			->describe('P', '')->execute()
			->bind('', 's', [ 7, 'x', '\x01' ], results => [ 1 ])
			->describe('P', '')->execute()
			->bind('', 's', [ 7, undef, undef ], results => [ 0, 1 ])
			->execute()
			->sync()->result(),
			$c->bind('', 's', [ 7 ], formats => [ 7 ])->sync()
				->result());
	},

	'notices' => sub {
		my ($c) = @_;

		return ($c->query('SELECT noisy(1)'),
			$c->query('SELECT noisy(g) FROM generate_series(1, 3) g'),
			$c->extended('SELECT noisy($1::int)', 2),
			$c->query('COMMIT'), $c->query('ROLLBACK'),
			$c->query('DROP TABLE IF EXISTS nothing'));
	},

	'notifications of its own' => sub {
		my ($c) = @_;

		return map { $_->{type} eq 'A' ? { type => 'A', body =>
				substr($_->{body}, 4) } : $_ }
			map { $_->messages() }
			$c->query('LISTEN channel'),
			$c->query("NOTIFY channel, 'payload'"),
			$c->query("NOTIFY channel, 'b'; SELECT 1"),
			$c->query('BEGIN'),
			$c->query("SELECT pg_notify('channel', 'c')"),
			$c->query('COMMIT'), $c->query('UNLISTEN channel');
	},

	'a setting that is reported' => sub {
		my ($c) = @_;

		return ($c->query("SET application_name = 'me'"),
			$c->query("SELECT 1; SET datestyle = german; SELECT 2"),
			$c->query("SELECT '2020-01-02'::date"),
			$c->query('BEGIN'),
			$c->query("SET LOCAL timezone = 'Asia/Tokyo'"),
			$c->query('ROLLBACK'), $c->query('RESET ALL'));
	},

	'the function call' => sub {
		my ($c) = @_;

		# int4pl, and one that does not exist

		my $call = sub { my ($oid, @args) = @_;
			return $c->send('F', pack('N n n n', $oid, 1, 1,
				scalar @args) . join('', map {
				pack('N N', 4, $_) } @args) . pack('n', 1))
				->result();
		};

		return ($call->(177, 2, 3), $call->(177, 2),
			$call->(99999, 1), $c->query('BEGIN'),
			$call->(177, 4, 5), $call->(154, 1, 0),
			$c->query('SELECT 1'), $c->query('ROLLBACK'),
			$call->(177, 6, 7));
	},

	'COPY FROM' => sub {
		my ($c) = @_;

		my @r = copy_from($c, "1\ta\n2\tb\n");

		push @r, copy_from($c, "1\ta\n", 'x', "\n2\t", "b\n");
		push @r, copy_from($c);
		push @r, $c->query('SELECT * FROM copied ORDER BY id, v');

		return @r;
	},

	'COPY FROM that fails' => sub {
		my ($c) = @_;

		$c->send('Q', "COPY copied FROM STDIN\0");
		my @r = $c->read_until('G');
		$c->send('d', "1\ta\n")->send('f', "no more\0");

		return (@r, $c->result(), copy_from($c, "x\ty\n"),
			copy_from($c, "1\ta\tb\n", map { "$_\tc\n" } 1 .. 100),
			$c->query('SELECT count(*) FROM copied'));
	},

	'COPY FROM in a block' => sub {
		my ($c) = @_;

		return ($c->query('BEGIN'), copy_from($c, "1\ta\n"),
			copy_from($c, "x\n"), $c->query('SELECT 1'),
			$c->query('COMMIT'),
			$c->query('SELECT count(*) FROM copied'));
	},

	'COPY FROM, and the data at once' => sub {
		my ($c) = @_;

		$c->send('Q', "COPY copied FROM STDIN\0")
			->send('d', "1\ta\n")->send('c');
		$c->send('Q', "SELECT count(*) FROM copied\0");
		$c->send('Q', "COPY nothing FROM STDIN\0")
			->send('d', "1\ta\n")->send('c');
		$c->send('Q', "SELECT count(*) FROM copied\0");

		return map { $c->result() } 1 .. 4;
	},

	'COPY FROM, extended' => sub {
		my ($c) = @_;

		my @r = copy_extended($c, 'Sync', "1\ta\n", "2\tb\n");

		push @r, copy_extended($c, 'Flush', "3\ta\n");
		push @r, copy_extended($c, 'Sync', "x\ta\n");
		push @r, copy_extended($c, 'Flush', "x\ta\n");
		push @r, copy_extended($c, 'fail');

		return (@r, $c->query('SELECT count(*) FROM copied'));
	},

	'COPY FROM, with Flush and Sync among the data' => sub {
		my ($c) = @_;

		$c->send('Q', "COPY copied FROM STDIN\0");
		my @r = $c->read_until('G');
		$c->send('d', "1\ta\n")->flush()->sync()->send('d', "2\tb\n")
			->send('c');

		return (@r, $c->result(),
			$c->query('SELECT count(*) FROM copied'));
	},

	'COPY FROM, with a Query among the data' => sub {
		my ($c) = @_;

		$c->send('Q', "COPY copied FROM STDIN\0");
		my @r = $c->read_until('G');
		$c->send('d', "1\ta\n")->send('Q', "SELECT 1\0");

		return (@r, $c->result(), $c->query('SELECT 2'),
			$c->query('SELECT count(*) FROM copied'));
	},

	'COPY FROM, with what the database is not asked behind it' => sub {
		my ($c) = @_;

		my @r = $c->parse('s', 'SELECT 1')->sync()->result();

		$c->send('Q', "COPY copied FROM STDIN\0")
			->send('C', "Ss\0")->sync();

		return (@r, $c->read_until('G'), eval { $c->result() } // "$@");
	},

	'COPY TO' => sub {
		my ($c) = @_;

		return ($c->query('COPY things TO STDOUT'),
			$c->query('COPY (SELECT 1 WHERE false) TO STDOUT'),
			$c->query('COPY things TO STDOUT (FORMAT binary)'),
			$c->query('COPY (SELECT 1 / (id - 3) FROM things) '
				. 'TO STDOUT'),
			$c->parse('', 'COPY things TO STDOUT')
				->bind('', '', [])->execute()->sync()->result(),
			$c->query('COPY things TO STDOUT; SELECT 1; '
				. 'COPY things TO STDOUT'));
	},

	'COPY data without COPY' => sub {
		my ($c) = @_;

		$c->send('d', "1\ta\n")->send('c')->send('f', "no\0");

		return ($c->query('SELECT 1'), $c->query('BEGIN'),
			$c->send('d', 'x')->send('c')->query('SELECT 2'),
			$c->query('COMMIT'));
	},

	'PREPARE in SQL, and its name by the protocol' => sub {
		my ($c) = @_;

		return ($c->query('PREPARE p AS SELECT 1'),
			$c->query('EXECUTE p'), $c->execute_prepared('p'),
			$c->describe('S', 'p')->sync()->result(),
			$c->close_statement('p')->sync()->result(),
			$c->query('EXECUTE p'));
	},

	'Describe of an EXECUTE, by the protocol' => sub {
		my ($c) = @_;

		my $describe = sub { $c->describe('S', shift)->sync()->result() };

		# a name that is not there yet, and is

		my @told = ($c->prepare('e', 'EXECUTE p (1)'),
			$c->prepare('p', 'SELECT v FROM things WHERE id = $1'),
			$describe->('e'), $c->execute_prepared('e'),
			$describe->('e'), $c->prepare('f', 'EXECUTE p (1)'),
			$describe->('f'), $c->execute_prepared('f'),
			$c->close_statement('f')->sync()->result(),
			$c->close_statement('p')->sync()->result(),
			$describe->('e'), $c->prepare('f', 'EXECUTE p (1)'),
			$c->close_statement('f')->sync()->result(),
			$c->prepare('p', 'SELECT $1::int + 1, id FROM things'),
			$c->prepare('f', 'EXECUTE p (1)'),
			$describe->('e'), $describe->('f'),
			$c->execute_prepared('f'),
			$c->prepare('g', 'EXPLAIN (COSTS OFF) EXECUTE p (2)'),
			$describe->('g'), $c->execute_prepared('g'));

		# unnamed, in one group, and beside another unnamed one

		$c->parse('', 'EXECUTE p (3)')->describe('S', '')->bind('', '')
			->describe('P', '')->execute('', 1)->sync();
		push @told, $c->result();

		$c->parse('', 'SELECT 4')->describe('S', 'e')->bind('', '')
			->execute()->sync();
		push @told, $c->result();

		# what writes nothing, has no rows, or is of SQL; blocks

		return (@told, $c->prepare('w', 'DELETE FROM copied'),
			$c->prepare('h', 'EXECUTE w'), $describe->('h'),
			$c->query('BEGIN'), $c->query('SELECT 5'), $describe->('e'),
			$c->execute_prepared('e'), $c->query('SELECT 1 / 0'),
			$describe->('e'), $c->query('ROLLBACK'),
			$c->query('PREPARE s AS SELECT id FROM things'),
			$c->prepare('i', 'EXECUTE s'), $describe->('i'));
	},

	'DISCARD PLANS keeps statements' => sub {
		my ($c) = @_;

		return ($c->prepare('s', $SERIES), $c->query('DISCARD PLANS'),
			$c->execute_prepared('s', 2),
			$c->extended('DISCARD PLANS'),
			$c->execute_prepared('s', 3));
	},

	'a message that is not known' => sub {
		my ($c) = @_;

		return ($c->query('SELECT 1'),
			$c->send('y', 'x')->read_message(),
			{ type => 'end', body => $c->wait_eof() });
	},
);

while (my ($name, $script) = splice @scripts, 0, 2) {
	played($name, $script);
}

copy_left();
copy_much();
scripts();

$t->done_testing();

###############################################################################

sub copy_from {
	my ($c, @data) = @_;

	$c->send('Q', "COPY copied FROM STDIN\0");
	my @r = $c->read_until('G');

	$c->send('d', $_) for @data;
	$c->send('c');

	return (@r, $c->result());
}

sub copy_extended {
	my ($c, $how, @data) = @_;

	$c->parse('', 'COPY copied FROM STDIN')->bind('', '', [])
		->describe('P', '')->execute();

	# the Sync in front of the data is not read by the COPY

	$how eq 'Sync' ? $c->sync() : $c->flush();
	my @r = $c->read_until('G');

	$c->send('d', $_) for @data;
	$c->send($how eq 'fail' ? ('f', "no\0") : ('c'))->sync();

	return (@r, $c->result());
}

sub played {
	my ($name, $script) = @_;

	my $direct = $pg->client(%app, password => 'pw');
	my $expected = eval { told($script->($direct)) } // "died: $@";

	$direct->close() if $direct->{s};

	for my $port (8080, 8081) {
		$pg->psql('DELETE FROM copied', db => 'shop');

		my $c = pg_client(port($port), %app);
		my $got = eval { told($script->($c)) } // "died: $@";

		ok($got eq $expected, $name
			. ($port == 8081 ? ', with a cache' : ''))
			or diag(difference($got, $expected));

		$c->close();
	}

	$pg->psql('DELETE FROM copied', db => 'shop');
}

###############################################################################

# A client that leaves before its COPY has been answered: the connection is
# kept, and at once.

sub copy_left {
	my $probe = $pg->client(database => 'shop');

	my %leave = (
		simple => sub { $_[0]->send('Q', "COPY copied FROM STDIN\0") },
		extended => sub { $_[0]->parse('', 'COPY copied FROM STDIN')
			->bind('', '', [])->execute()->sync() },
		'in a block' => sub { $_[0]->send('Q', "BEGIN\0")
			->send('Q', "SELECT 1\0")
			->send('Q', "COPY copied FROM STDIN\0") },
	);

	for my $name (sort keys %leave) {
		my $c = pg_client(port(8082), %app);
		my $pid = $c->query('SELECT pg_backend_pid()')->value();

		$probe->query('BEGIN');
		$probe->query('LOCK TABLE copied');

		$leave{$name}->($c);
		$c->flush_out();

		wait_for(sub { $pg->psql('SELECT count(*) FROM pg_locks '
			. 'WHERE NOT granted') });

		$c->vanish();
		$probe->query('COMMIT');

		my $d = pg_client(port(8082), %app);
		my $now = $d->query('SELECT pg_backend_pid()')->value();

		is($now, $pid, "left before CopyInResponse, $name");

		$d->close();
	}

	$probe->close();
}

# Much of it, both ways, to and from one who is slow.

sub copy_much {
	my $mb = $ENV{HYPERDRIVE_COPY_MB} || 120;
	my $c = pg_client(port(8080), %app, timeout => 60);
	my $line = join("\t", 1, 'y' x 1000) . "\n";
	my $chunk = $line x 1000;

	$c->query('CREATE UNLOGGED TABLE much (id int, v text)');

	my ($before) = memory();

	$c->send('Q', "COPY much FROM STDIN\0");
	$c->read_until('G');

	my $peak = 0;

	for (1 .. $mb) {
		$c->send('d', $chunk)->flush_out();
		$peak = memory() if memory() > $peak;
	}

	$c->send('c');

	is($c->result()->first('C')->{tag}, 'COPY ' . $mb * 1000,
		"COPY FROM, $mb MB");
	cmp_ok($peak - $before, '<', 8000, 'and the memory of nginx');

	# not read for a while

	$c->send('Q', "COPY much TO STDOUT\0")->flush_out();

	my ($got, $n, $last) = (0, 0, '');

	select(undef, undef, undef, 0.5);
	$peak = memory();

	while (my $m = $c->read_message()) {
		$last = $m->{type};
		last if $last eq 'Z';
		next if $last ne 'd';

		$got += length($m->{body});
		$peak = memory() if ++$n % 20000 == 0 && memory() > $peak;
	}

	is($got, $mb * 1000 * length($line), "COPY TO, $mb MB");
	cmp_ok($peak - $before, '<', 8000, 'and the memory of nginx');

	$c->query('DROP TABLE much');
	$c->close();
}

# The resident memory of the worker, kB.

sub memory {
	my ($pid) = $t->worker_pids();

	open(my $fh, '<', "/proc/$pid/status") or die "$pid: $!\n";
	my ($kb) = join('', <$fh>) =~ /^VmRSS:\s+(\d+)/m;

	return $kb;
}

###############################################################################

# What the database says when it is not asked.

sub scripted {
	my ($n, $sql, $c) = @_;

	my $msg = sub { my ($type, $body) = @_;
		return $type . pack('N', length($body) + 4) . $body };

	my %say = (
		notice => $msg->('N', "SNOTICE\0VNOTICE\0C00000\0Mhello\0\0"),
		notification => $msg->('A', pack('N', 4711) . "c\0p\0"),
		status => $msg->('S', "TimeZone\0Mars\0"),
	);

	return [ [ $sql ] ] unless $sql =~ /^say (\w+)/;

	my $row = $msg->('T', pack('n', 1) . "x\0"
		. pack('N n N n N n', 0, 0, 25, 65535, 4294967295, 0));
	my $data = $msg->('D', pack('n N', 1, 1) . 'x');

	if ($1 eq 'cut') {

		# half of a row, of which less is left than an error is long

		$c->send_raw($row . $data . cut_row());
		CORE::exit(0);
	}

	return { raw => $row . $say{$1} . $data . $say{$1} . $data
		. $msg->('C', "SELECT 2\0") . $say{$1} . $msg->('Z', 'I') };
}

sub cut_row {
	return 'D' . pack('N n N', 4 + 2 + 4 + 40, 1, 40) . 'x' x 20;
}

sub scripts {
	my $c = pg_client(port(8083), %app);

	is($c->query('say notice')->types(), 'TNDNDCNZ', 'notices anywhere');
	is($c->query('say notification')->types(), 'TADADCAZ',
		'notifications anywhere');
	is($c->query('plain')->types(), 'TDCZ', 'and in order behind them');

	my $r = $c->query('say status');

	is($r->types() =~ s/S//gr, 'TDDCZ', 'ParameterStatus anywhere');
	ok($r->first('S'), 'and told');

	# there is no room for an error within a row

	$c->send('Q', "say cut\0")->flush_out();
	is($c->read_raw(1 << 20), undef, 'a connection that is lost amid a row');
	is(substr($c->{in}, -length(cut_row())), cut_row(),
		'ends the answer there');

	$c->close();
}

###############################################################################
