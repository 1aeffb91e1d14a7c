#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: MySQL's query attributes go with what nginx asks on a
# client's behalf: reads at a replica, what refreshes or verifies what is kept,
# copies.  MariaDB does not know them: what stands in front of it here does, and
# takes them off.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive qw(:DEFAULT wait_for);
use Test::Hyperdrive::FakeMySQL;
use Test::Hyperdrive::MariaDB;
use Test::Hyperdrive::MySQL qw(%CAP);

###############################################################################

plan(skip_all => 'MariaDB\'s replication')
	if Test::Hyperdrive::MariaDB::is_mysql();

my $t = Test::Hyperdrive->new()
	->write_file_expand('nginx.conf', <<'EOC');

%%TEST_GLOBALS%%

worker_processes  1;

events {
}

%%TEST_STATUS%%

stream {
    hyperdrive_cache_zone  z 8m;

    hyperdrive_users  off;

    upstream shop {
        hyperdrive_origin  mysql://app:secret@127.0.0.1:8091/shop?ssl-mode=DISABLED;
        hyperdrive_origin  mysql://app:secret@127.0.0.1:8092/shop?ssl-mode=DISABLED  role=replica;
        hyperdrive_pool    max=8;
    }

    upstream copies {
        hyperdrive_origin  mysql://app:secret@127.0.0.1:8093/shop?ssl-mode=DISABLED;
        hyperdrive_pool    max=8;
    }

    upstream plain {
        hyperdrive_origin  mysql://app:secret@127.0.0.1:8094/shop?ssl-mode=DISABLED;
        hyperdrive_pool    max=8;
    }

    server {
        listen                       127.0.0.1:8080;
        hyperdrive_pass              shop;
        hyperdrive_read_write_split  on max_lag=600s;
    }

    server {
        listen            127.0.0.1:8081;
        hyperdrive_pass   shop;
        hyperdrive_cache  z max_age=1ms stale_while_revalidate=1h;
    }

    server {
        listen            127.0.0.1:8082;
        hyperdrive_pass   shop;
        hyperdrive_cache  z max_age=1h verify=100%;
    }

    server {
        listen            127.0.0.1:8083;
        hyperdrive_pass   shop;
        hyperdrive_rule   table=things  mirror=copies;
        hyperdrive_rule   table=others  mirror=plain;
    }
}

EOC

# whoever may write to a replica is no test for it

my $db = $t->mariadb(settings => { log_bin => 'log', server_id => 1 },
	users => { app => { password => 'secret', grants => 'SELECT, INSERT, '
		. 'UPDATE, DELETE' } },
	databases => [ 'shop' ], sql => { shop => <<'EOS' });

CREATE TABLE place (name VARCHAR(20));
INSERT INTO place VALUES ('primary');
CREATE TABLE things (id INT PRIMARY KEY, v VARCHAR(20));
INSERT INTO things SELECT seq, CONCAT('thing ', seq) FROM seq_1_to_10;
CREATE TABLE others (id INT);
EOS

my $replica = $db->replica();

$replica->sql("SET sql_log_bin = 0; UPDATE place SET name = 'replica'",
	db => 'shop');

# The copies' databases do what they are told, and say no more.

my %far = (primary => knowing(8091, $db), replica => knowing(8092, $replica),
	copies => knowing(8093), plain => knowing(8094, undef,
		capabilities => 0xdfffffff & ~$CAP{SSL} & ~$CAP{COMPRESS}
			& ~$CAP{ZSTD} & ~$CAP{QUERY_ATTRIBUTES}));

$t->run();

my %tags = (trace => 'abc', none => undef);

for my $server (8080, 8081) {
	client($server)->close();
}

$t->wait_catalog('shop', 1);

###############################################################################
# reads at a replica

my $c = client(8080);
my $where = 'SELECT name FROM place';

wait_for(sub { $c->value($where) eq 'replica' }, 20, 'a read at the replica');

$c->{tags} = \%tags;

is($c->value("$where -- 1"), 'replica', 'a read at a replica');
is_deeply(tags(replica => "$where -- 1"), \%tags, '...has its attributes');

$c->{tags} = {};
is($c->value("$where -- 2"), 'replica', 'one that has none');
is_deeply(tags(replica => "$where -- 2"), {}, '...has none there');

my $read = 'SELECT t.v, p.name, ? FROM things t, place p WHERE t.id = ?';
my $s = $c->prepare($read);

is_deeply($c->execute($s, 'a', 2)->{rows}, [ [ 'thing 2', 'replica', 'a' ] ],
	'a prepared one');
is_deeply(tags(replica => $read), {}, '...without any');

$c->{tags} = \%tags;

is_deeply($c->execute($s, undef, 3)->{rows},
	[ [ 'thing 3', 'replica', undef ] ], '...with them');
is_deeply(tags(replica => $read), \%tags, '...which are there');

$c->command('STMT_EXECUTE', $c->execution($s, [ 'b', 4 ], bound => 0));
is_deeply($c->read_result(1)->{rows}, [ [ 'thing 4', 'replica', 'b' ] ],
	'...without types');
is_deeply(tags(replica => $read), \%tags, '...likewise');

$s = $c->prepare("$where -- 3");
is_deeply($c->execute($s)->{rows}, [ [ 'replica' ] ], '...without parameters');
is_deeply(tags(replica => "$where -- 3"), \%tags, '...likewise');

my $old = client(8080, drop => $CAP{QUERY_ATTRIBUTES});
is($old->value("$where -- 4"), 'replica', 'from who does not know them');
is_deeply(tags(replica => "$where -- 4"), {}, '...it has none');

$s = $old->prepare($read);
is_deeply($old->execute($s, 'c', 5)->{rows}, [ [ 'thing 5', 'replica', 'c' ] ],
	'...prepared as well');

###############################################################################
# what refreshes, and what verifies

for (
	[ 8081, 'refreshed' ],
	[ 8082, 'verified' ])
{
	my ($port, $name) = @$_;

	$c = client($port);

	for my $text (1, 0) {
		my $sql = "SELECT v FROM things WHERE id = "
			. ($text ? "1 AND '$name' <> ''" : "? AND '$name' <> ''");
		my $s = $text ? undef : $c->prepare($sql);

		my $ask = sub {
			my ($tags) = @_;

			$c->{tags} = $tags;

			return ($text ? $c->query($sql) : $c->execute($s, 1))
				->{rows}[0][0];
		};

		wait_for(sub {
			$t->counted(shop => sub { $ask->({}) }) =~ /^1 0 /;
		}, 10, "what is $name");

		my $counted = $t->counted(shop => sub {
			wait_for(sub {
				$ask->(\%tags);
				return %{tags(primary => $sql)};
			}, 10, 'another one');
		});

		is_deeply(tags(primary => $sql), \%tags,
			"what is $name, with the attributes of who asked");
		like($counted, qr/^\d+ 0 /, '...who got what was kept');
		is($ask->({}), 'thing 1', '...and is as it was');
	}
}

###############################################################################
# copies

$c = client(8083);

for (
	[ text => sub { $c->query($_[0]) } ],
	[ prepared => sub { $c->execute($c->prepare($_[0])) } ])
{
	my ($name, $send) = @$_;

	for my $way ("SELECT '$name' FROM TABLE LIMIT 1",
		"INSERT INTO TABLE (id) VALUES ('11')"
		. " ON DUPLICATE KEY UPDATE id = 11 -- $name")
	{
		my ($sql, $plain) = map { $way =~ s/TABLE/$_/r }
			qw(things others);

		$c->{tags} = \%tags;
		ok(!$send->($sql)->{error}, "a copy of $sql");
		copied(copies => $sql, \%tags);

		$c->{tags} = {};
		ok(!$send->("$sql -- none")->{error}, '...without');
		copied(copies => "$sql -- none", {});

		$c->{tags} = \%tags;
		ok(!$send->($plain)->{error}, '...for who does not know them');
		copied(plain => $plain, {});
	}
}

$t->done_testing();

###############################################################################

sub client {
	my ($port, %o) = @_;

	return mysql_client(port($port), user => 'app', password => 'x',
		database => 'shop', add => $CAP{QUERY_ATTRIBUTES}, %o);
}

# Those of the last query, or execution, of <sql> that has come there; or undef.

sub tags {
	my ($where, $sql) = @_;

	my ($last) = grep { ($_->{runs} || '') eq $sql }
		reverse $far{$where}->log();

	return $last && ($last->{tags} || {});
}

sub copied {
	my ($where, $sql, $tags) = @_;

	wait_for(sub { tags($where => $sql) }, 10, 'its copy');
	is_deeply(tags($where => $sql), $tags, '...has what it has to have');
}

# A server that knows query attributes, in front of one that does not, or of
# none.

sub knowing {
	my ($port, $db, %o) = @_;

	return Knowing->new($t, port($port), db => $db && $db->port(),
		connect => sub { my ($c) = @_; $c->meet() if $db },
		auth => sub { my ($c, @r) = @_; $c->follow(@r) if $db; 0 }, %o);
}

###############################################################################

package Knowing;

use warnings;
use strict;

BEGIN { our @ISA = ('Test::Hyperdrive::FakeMySQL') }

sub connection_class { return 'Knowing::Connection' }

###############################################################################

package Knowing::Connection;

use warnings;
use strict;

use Test::Hyperdrive::MySQL qw(%CAP %COM lenc take_lenc take_lstr
	take_attributes);

BEGIN { our @ISA = ('Test::Hyperdrive::FakeMySQL::Connection') }

sub _command {
	my ($self, $com, $body) = @_;

	my ($name) = grep { $COM{$_} == $com } keys %COM;
	my $knows = $self->{caps} & $CAP{QUERY_ATTRIBUTES};

	my ($tags, $sql);

	if ($name eq 'QUERY') {
		$tags = take_attributes($body) if $knows;
		$sql = $body;

	} elsif ($name eq 'STMT_EXECUTE') {
		my $id = unpack('V', $body);
		my $st = $self->{statements}{$id == 0xffffffff ? $self->{last}
			: $id};

		$sql = $st->{sql};
		$tags = $self->_take($st, $body) if $knows;
	}

	$self->log(event => 'command', com => $name,
		defined $sql ? (runs => $sql) : (),
		%{$tags || {}} ? (tags => $tags) : ());

	return 0 if $name eq 'QUIT';

	return $self->_alone($name, $body) unless $self->{fake}{db};

	my $up = $self->{up};

	$up->{seq} = 0;
	$up->send(chr($com) . $body);

	return 1 if $name =~ /^STMT_(?:CLOSE|LONG_DATA)$/;

	if ($name eq 'STMT_PREPARE') {
		my $ok = $self->_pass($up);

		if (ord($ok) == 0) {
			my ($id, $ncolumns, $nparams) = unpack('x V v v', $ok);

			$self->{last} = $id;
			$self->{statements}{$id} = { sql => $body,
				nparams => $nparams };
			$self->_pass_columns($up, $_) for $nparams, $ncolumns;
		}

		return 1;
	}

	1 while $self->_pass_result($up);

	return 1;
}

# Takes attributes off an execution, whose values are strings.

sub _take {
	my ($self, $st, undef) = @_;

	my ($id, $flags, $iterations) = unpack('V C V', $_[2]);
	my $nparams = $st->{nparams};

	return {} unless $nparams || $flags & 8;

	my $rest = substr($_[2], 9);
	my $n = take_lenc($rest);
	my $nulls = substr($rest, 0, int(($n + 7) / 8), '');
	my $bound = ord(substr($rest, 0, 1, ''));

	die "an execution without types\n" unless $bound;

	my (@names, @values);

	for (1 .. $n) {
		die "only strings are read here\n"
			if ord(substr($rest, 0, 2, '')) != 253;
		push @names, take_lstr($rest);
	}

	push @values, vec($nulls, $_, 1) ? undef : take_lstr($rest)
		for 0 .. $n - 1;

	die "more than values\n" if length $rest;

	my %tags = map { $names[$_] => $values[$_] } $nparams .. $n - 1;

	$_[2] = Test::Hyperdrive::MySQL::execute_body($id,
		[ @values[0 .. $nparams - 1] ]);

	return \%tags;
}

# says of itself what the other one does

sub meet {
	my ($self) = @_;

	my $up = $self->{up} = Test::Hyperdrive::MySQL->connect(
		$self->{fake}{db}, user => 'app', password => 'secret',
		login => 0);

	$up->read_greeting();

	$self->{fake}{version} = $up->greeting()->{version};
	$self->{fake}{pid} = $up->greeting()->{id};
	$self->{fake}{capabilities} &= ~$CAP{LONG_PASSWORD};
}

# ...and logs in there as its client does here

sub follow {
	my ($self, $r) = @_;

	# what makes answers look otherwise

	my $mask = $CAP{FOUND_ROWS} | $CAP{MULTI_STATEMENTS}
		| $CAP{SESSION_TRACK} | $CAP{DEPRECATE_EOF};

	my $up = $self->{up};

	@$up{qw(database add drop)} = ($r->{database}, $self->{caps} & $mask,
		~$self->{caps} & $mask);

	$up->log_in() or die "no log-in\n";
}

sub _pass {
	my ($self, $up) = @_;

	my $packet = $up->read_packet();
	$self->send($packet);

	return $packet;
}

sub _pass_columns {
	my ($self, $up, $n) = @_;

	$self->_pass($up) for 1 .. $n;
	$self->_pass($up) if $n && !($self->{caps} & $CAP{DEPRECATE_EOF});
}

# true if there is one more

sub _pass_result {
	my ($self, $up) = @_;

	my $first = $self->_pass($up);
	my $type = ord($first);

	return 0 if $type == 0xff || $type == 0xfe;
	return $up->_ok(substr($first, 1))->{status} & 8 if $type == 0;

	$self->_pass_columns($up, take_lenc($first));

	for ( ;; ) {
		my $row = $self->_pass($up);

		return 0 if ord($row) == 0xff;
		next if ord($row) != 0xfe;

		return ($self->{caps} & $CAP{DEPRECATE_EOF}
			? $up->_ok(substr($row, 1))->{status}
			: unpack('x x x v', $row)) & 8;
	}
}

# with no database behind it all is well

sub _alone {
	my ($self, $name, $body) = @_;

	if ($name eq 'STMT_PREPARE') {
		my $id = ++$self->{last};

		$self->{statements}{$id} = { sql => $body, nparams => 0 };
		$self->send(pack('C V v v C v', 0, $id, 0, 0, 0, 0));

	} elsif ($name !~ /^STMT_(?:CLOSE|LONG_DATA)$/) {
		$self->send_ok();
	}

	return 1;
}

###############################################################################
