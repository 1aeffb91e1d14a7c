#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: lastval() and currval() tell a client what it has drawn
# itself, and never what others have on the connection that it gets.  Each
# script is played directly and through one connection that is shared with
# another client, whose INSERT draws from the same sequence.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive;
use Test::Hyperdrive::Compare qw/ difference told /;

###############################################################################

my $t = Test::Hyperdrive->new();

my $pg = $t->postgres(users => { app => 'pw' }, databases => [ 'shop' ],
	sql => { shop => <<'EOS' });

SET ROLE app;
CREATE TABLE items (id serial, v text);
CREATE TABLE things (id int PRIMARY KEY, v text);
INSERT INTO things VALUES (1, 'thing');
CREATE SEQUENCE seq;
CREATE FUNCTION last() RETURNS bigint LANGUAGE plpgsql
	AS 'BEGIN RETURN lastval(); END';
CREATE PROCEDURE committed(INOUT n bigint) LANGUAGE plpgsql
	AS 'BEGIN COMMIT; n := lastval(); END';

EOS

my $url = $pg->url();

$t->write_file_expand('nginx.conf', <<"EOS")->run();

%%TEST_GLOBALS%%

events {
}

%%TEST_STATUS%%

stream {
    hyperdrive_cache_zone  shop 8m;

    hyperdrive_users  off;

    upstream one {
        hyperdrive_origin   $url;
        hyperdrive_pool     max=1 wait=20s;
        hyperdrive_catalog  off;
    }

    upstream known {
        hyperdrive_origin  $url&application_name=known;
        hyperdrive_pool    max=1 wait=20s;
    }

    upstream two {
        hyperdrive_origin   $url&application_name=two;
        hyperdrive_pool     max=2 wait=20s;
        hyperdrive_catalog  off;
    }

    upstream first {
        hyperdrive_origin   $url&application_name=first;
        hyperdrive_pool     max=1 wait=20s;
        hyperdrive_catalog  off;
    }

    upstream early {
        hyperdrive_origin   $url&application_name=early;
        hyperdrive_pool     max=1 wait=20s;
        hyperdrive_catalog  off;
    }

    upstream more {
        hyperdrive_origin  $url&application_name=more;
        hyperdrive_pool    max=2 wait=20s;
    }

    server {
        listen           127.0.0.1:8080;
        hyperdrive_pass  one;
    }

    server {
        listen            127.0.0.1:8081;
        hyperdrive_pass   known;
        hyperdrive_cache  shop;
    }

    server {
        listen                    127.0.0.1:8082;
        hyperdrive_pass           one;
        hyperdrive_session_state  pin unread=reset;
    }

    server {
        listen           127.0.0.1:8083;
        hyperdrive_pass  two;
    }

    server {
        listen           127.0.0.1:8084;
        hyperdrive_pass  first;
    }

    server {
        listen           127.0.0.1:8085;
        hyperdrive_pass  early;
    }

    server {
        listen            127.0.0.1:8086;
        hyperdrive_pass   more;
        hyperdrive_cache  shop;
    }
}

EOS

###############################################################################

my %app = (user => 'app', database => 'shop');

my $INSERT = "INSERT INTO items (v) VALUES ('x')";
my $LAST = 'SELECT lastval()';
my $CURRENT = "SELECT currval('items_id_seq')";

# Another client has drawn before each of these, and what they give is told.

my @scripts = (
	'a simple query' => sub { my ($c) = @_; $c->query($LAST) },

	'currval()' => sub { my ($c) = @_; $c->query($CURRENT) },

	'the extended protocol' => sub { my ($c) = @_; $c->extended($LAST) },

	'again and again' => sub {
		my ($c) = @_;

		return map { ($c->query($_), $c->extended($_)) } $LAST, $CURRENT,
			'SELECT 1', $LAST;
	},

	'a prepared statement' => sub {
		my ($c, $other) = @_;

		my $prepared = $c->prepare('p', $LAST);
		$other->query($INSERT);

		return ($prepared, $c->execute_prepared('p'),
			$c->execute_prepared('p'));
	},

	'a prepared statement that is there' => sub {
		my ($c, $other) = @_;

		$other->query('BEGIN');
		$other->prepare('q', $LAST);
		$other->query('COMMIT');

		my $prepared = $c->prepare('p', $LAST);
		$other->query($INSERT);

		return ($prepared, $c->execute_prepared('p'));
	},

	'EXECUTE of a prepared statement' => sub {
		my ($c, $other) = @_;

		my @told = ($c->prepare('p', $LAST), $c->prepare('q', $CURRENT));

		$other->query($INSERT);
		push @told, $c->query('EXECUTE p'), $c->query('SELECT 1');

		return (@told, $c->extended('EXECUTE q'), $c->query('EXECUTE q'));
	},

	'PREPARE and EXECUTE' => sub {
		my ($c) = @_;

		return ($c->query("PREPARE p AS $LAST"), $c->query('EXECUTE p'),
			$c->query($INSERT), $c->query('EXECUTE p'));
	},

	'a pipeline of queries' => sub {
		my ($c) = @_;

		$c->send('Q', "$_\0") for ('SELECT 1', $LAST, 'SELECT 2',
			$CURRENT, 'SELECT 3', "SELECT nextval('seq')", $LAST);

		return map { $c->result() } 1 .. 7;
	},

	'a pipeline of groups' => sub {
		my ($c) = @_;

		for ('SELECT 1', $LAST, 'SELECT 2', $CURRENT, 'SELECT 3') {
			$c->parse('', $_)->bind('', '')->describe('P', '')
				->execute()->sync();
		}

		return map { $c->result() } 1 .. 5;
	},

	'a group of several' => sub {
		my ($c) = @_;

		for ('SELECT 1', 'SELECT 2', $LAST, 'SELECT 3') {
			$c->parse('', $_)->bind('', '')->execute();
		}

		$c->sync();

		for ('SELECT 1', 'SELECT 2', 'SELECT 3') {
			$c->parse('', $_)->bind('', '')->execute();
		}

		$c->sync();

		return ($c->result(), $c->result());
	},

	'a group in parts' => sub {
		my ($c) = @_;

		$c->parse('', $LAST)->describe('S', '')->flush();
		my @told = map { $c->read_message() } 1 .. 3;

		$c->bind('', '')->execute()->flush();
		push @told, map { $c->read_message() } 1 .. 2;

		return (@told, $c->sync()->result(), $c->query($CURRENT));
	},

	'behind a group that fails' => sub {
		my ($c) = @_;

		# what is thrown away is skipped with it

		$c->parse('', 'SELECT 1 / 0')->bind('', '')->execute();
		$c->parse('', $LAST)->bind('', '')->execute()->sync();

		for ($LAST, $CURRENT) {
			$c->parse('', $_)->bind('', '')->execute()->sync();
		}

		$c->send('Q', "$LAST\0");

		return map { $c->result() } 1 .. 4;
	},

	'a Query in a group' => sub {
		my ($c) = @_;

		$c->parse('', 'SELECT 1')->bind('', '')->execute();
		$c->send('Q', "$LAST\0");
		my @told = $c->result();

		return (@told, $c->sync()->result(), $c->query($CURRENT));
	},

	'in a block' => sub {
		my ($c) = @_;

		return map { $c->query($_) } 'BEGIN', 'SELECT 1', $LAST,
			'ROLLBACK', 'BEGIN', $CURRENT, $LAST, 'COMMIT';
	},

	'behind the BEGIN' => sub {
		my ($c) = @_;

		return ((map { $c->query($_) } 'BEGIN', $LAST, 'COMMIT'),
			$c->query('BEGIN'), $c->extended($CURRENT),
			$c->query('COMMIT'));
	},

	'in a block that has failed' => sub {
		my ($c) = @_;

		return map { $c->query($_) } 'BEGIN', 'SELECT 1 / 0', $LAST,
			'ROLLBACK', $LAST;
	},

	'in one text with the INSERT' => sub {
		my ($c) = @_;

		return ($c->query("$INSERT; $LAST; $CURRENT"), $c->query($LAST));
	},

	'in one text with its block' => sub {
		my ($c) = @_;

		return map { $c->query($_) } "BEGIN; $LAST; COMMIT",
			"BEGIN; $INSERT; $LAST; COMMIT; $CURRENT",
			"COMMIT; $LAST", "SELECT 1; $LAST";
	},

	'in an expression' => sub {
		my ($c) = @_;

		return ($c->query("$INSERT RETURNING lastval() = id"),
			$c->query("INSERT INTO things VALUES (lastval() + 100, "
				. "'y') RETURNING id"));
	},

	'with settings' => sub {
		my ($c) = @_;

		return map { $c->query($_) } "SET work_mem = '7MB'", $LAST,
			'SHOW work_mem', 'RESET work_mem', $LAST,
			'SHOW work_mem';
	},

	'behind LISTEN' => sub {
		my ($c) = @_;

		return map { $c->query($_) } 'LISTEN news', $LAST, $INSERT, $LAST,
			$CURRENT, 'UNLISTEN news', $LAST;
	},

	'LISTEN, INSERT' => sub {
		my ($c) = @_;

		return map { $c->query($_) } 'LISTEN news', $INSERT, $LAST,
			$CURRENT, 'BEGIN', $INSERT, $LAST, 'COMMIT';
	},

	'behind nextval()' => sub {
		my ($c) = @_;

		return map { $c->query($_) } "SELECT nextval('seq')", $LAST,
			$CURRENT, $INSERT, $LAST, $CURRENT, 'DISCARD SEQUENCES',
			$LAST, "SELECT nextval('seq')", $LAST;
	},

	'nextval() in a block' => sub {
		my ($c) = @_;

		return map { $c->query($_) } 'BEGIN', $INSERT,
			"SELECT nextval('seq')", 'COMMIT', $LAST, 'BEGIN', $LAST,
			'COMMIT';
	},

	'a pipeline of nextval()' => sub {
		my ($c) = @_;

		$c->parse('', "SELECT nextval('seq')")->bind('', '')->execute();
		$c->parse('', $LAST)->bind('', '')->execute()->sync();
		$c->parse('', $LAST)->bind('', '')->execute()->sync();
		$c->send('Q', "$LAST\0");

		return map { $c->result() } 1 .. 3;
	},

	'behind DISCARD SEQUENCES' => sub {
		my ($c) = @_;

		return map { $c->query($_) } $INSERT, 'DISCARD SEQUENCES', $LAST,
			$INSERT, 'DISCARD ALL', $LAST;
	},

	'a pipeline of DISCARD SEQUENCES' => sub {
		my ($c) = @_;

		$c->send('Q', "$_\0") for ('DISCARD SEQUENCES', $INSERT);

		return map { $c->result() } 1 .. 2;
	},

	'a function' => sub {
		my ($c) = @_;

		return ($c->query('SELECT last()'), $c->extended('SELECT last()'),
			$c->query('SELECT 1'));
	},

	'a function by its number' => sub {
		my ($c) = @_;

		my $oid = $pg->psql("SELECT 'lastval'::regproc::oid") =~ s/\s+//r;

		return ($c->send('F', pack('N n n n', $oid, 0, 0, 1))->result(),
			$c->query('SELECT 1'));
	},

	'DO' => sub {
		my ($c) = @_;

		return ($c->query('DO $$ BEGIN PERFORM lastval(); END $$'),
			$c->query('DO $$ BEGIN COMMIT; END $$'),
			$c->extended('DO $$ BEGIN PERFORM lastval(); END $$'));
	},

	'CALL' => sub { my ($c) = @_; $c->query('CALL committed(1)') },

	'CALL by the extended protocol' => sub {
		my ($c) = @_;

		return ($c->extended('CALL committed(1)'), $c->query('SELECT 1'));
	},

	'a cursor' => sub {
		my ($c) = @_;

		return map { $c->query($_) } 'BEGIN', "DECLARE d CURSOR FOR $LAST",
			'FETCH d', 'ROLLBACK';
	},

	'COPY' => sub { my ($c) = @_; $c->query("COPY ($LAST) TO STDOUT") },

	'a long text' => sub {
		my ($c) = @_;

		my $long = ' ' x 1_200_000;

		return ($c->query("$LAST$long"), $c->extended("$LAST$long"));
	},
);

# Once somebody has asked, what a client draws is found where it was drawn.

my @own = (
	'its own INSERT' => sub {
		my ($c) = @_;

		return map { $c->query($_) } $INSERT, $LAST, $CURRENT;
	},

	'its own INSERT by the extended protocol' => sub {
		my ($c) = @_;

		return map { $c->extended($_) } $INSERT, $LAST, $CURRENT;
	},

	'its own, and another client that reads' => sub {
		my ($c, $other) = @_;

		my @told = $c->query($INSERT);
		$other->query('SELECT v FROM things');

		return (@told, $c->query($LAST));
	},

	'its own in a block' => sub {
		my ($c) = @_;

		return map { $c->query($_) } 'BEGIN', $INSERT, $LAST, $CURRENT,
			'COMMIT', $LAST;
	},

	'its own block that draws nothing' => sub {
		my ($c) = @_;

		return map { $c->query($_) } 'BEGIN',
			"UPDATE things SET v = 'y' WHERE id = 1", $LAST,
			'ROLLBACK', $LAST;
	},

	'its own block in a pipeline' => sub {
		my ($c) = @_;

		$c->send('Q', "$_\0") for ('BEGIN', $INSERT, $LAST, 'COMMIT',
			$LAST);

		return map { $c->result() } 1 .. 5;
	},

	'its own COPY' => sub {
		my ($c) = @_;

		$c->send('Q', "COPY items (v) FROM STDIN\0")->send('d', "x\ny\n")
			->send('c');

		return ($c->result(), $c->query($LAST));
	},

	'its own, and VACUUM' => sub {
		my ($c) = @_;

		return map { $c->query($_) } 'VACUUM things', $INSERT, $LAST;
	},
);

for my $port (8080, 8081, 8082) {

	my @all = (@scripts, @own);

	while (my ($name, $script) = splice @all, 0, 2) {
		played($name, $script, $port);
	}
}

taken();
nearest();
first();
early();
kept();

$t->done_testing();

###############################################################################

sub fresh {
	$pg->psql('TRUNCATE items RESTART IDENTITY; ALTER SEQUENCE seq RESTART; '
		. 'DELETE FROM things WHERE id > 1', db => 'shop');
}

sub client {
	my ($port) = @_;
	return pg_client(port($port), %app);
}

sub value {
	my ($r) = @_;
	return $r->error() ? 'error ' . $r->state() : $r->value();
}

sub played {
	my ($name, $script, $port) = @_;

	my @told;

	for my $direct (1, 0) {
		fresh();

		my ($c, $other) = map { $direct ? $pg->client(%app, password => 'pw')
			: client($port) } 1 .. 2;

		$other->query($INSERT) for 1 .. 3;

		push @told, eval { told($script->($c, $other)) } // "died: $@";

		$_->close() for grep { $_->{s} } $c, $other;
	}

	ok($told[1] eq $told[0], "$name, at $port")
		or diag(difference(@told[1, 0]));
}

# Another client writes on the connection in between: what the first one has
# drawn is not there any more, and neither gets the other's.

sub taken {
	for my $ask ($LAST, $CURRENT) {
		fresh();

		my ($c, $other) = map { client(8080) } 1 .. 2;

		$c->query($INSERT);
		$other->query("UPDATE things SET v = 'y' WHERE id = 1");

		is(value($other->query($ask)), 'error 55000',
			"not the first one's, $ask");
		$other->close();

		$other = client(8080);
		$c->query($INSERT);
		$other->query($INSERT);

		is(value($c->extended($ask)), 'error 55000',
			"not the second one's, $ask");
		$_->close() for $c, $other;
	}
}

# Of two connections the one where it was drawn.

sub nearest {
	fresh();

	my ($c, $other, $third) = map { client(8083) } 1 .. 3;

	$c->query($LAST);
	$c->query('DISCARD ALL');

	# both connections are there

	$_->query('BEGIN') for $other, $third;
	$_->query('SELECT 1') for $other, $third;
	$_->query('COMMIT') for $other, $third;

	$c->query($INSERT);

	# ...and that one is not the one that was used last

	$_->query('BEGIN') for $other, $third;
	$_->query('SELECT 1') for $other, $third;
	$_->query('COMMIT') for $other, $third;

	is($c->query($LAST)->value(), 1, 'found on the connection of two');

	$_->close() for $c, $other, $third;
}

# The very first to ask: what it has drawn in its block is there.

sub first {
	fresh();

	my ($c, $other) = map { client(8084) } 1 .. 2;

	$other->query($INSERT);

	$c->query('BEGIN');
	$c->query($INSERT);
	is($c->query($LAST)->value(), 2, 'the first to ask, in its block');
	$c->query('COMMIT');
	is($c->query($LAST)->value(), 2, '...and behind it');
	$c->close();

	is(value($other->query($LAST)), 'error 55000', '...and nobody else');
	$other->close();
}

# The very first to ask, outside of a block.

sub early {
	fresh();

	my ($c, $other) = map { client(8085) } 1 .. 2;

	$other->query($INSERT);
	$c->query($INSERT);

	is(value($c->query($LAST)), 2, 'the first to ask, behind its INSERT');
	$_->close() for $c, $other;
}

# What is thrown away ahead of a write, and the Sync of it behind the write, do
# not keep its table out of memory.

sub kept {
	my ($c, $other) = map { client(8086) } 1 .. 2;
	my $read = 'SELECT v FROM things WHERE id = 1';

	$other->query($read);
	$t->wait_catalog('more');

	$other->query($INSERT);
	$c->query('LISTEN news');
	$c->query("UPDATE things SET v = 'z' WHERE id = 1");

	is($t->counted(more => sub { $other->query($read) for 1 .. 2 }),
		'1 1 1', 'kept behind a write of a pinned client');
	is($other->query($read)->value(), 'z', '...as it was written');
	$_->close() for $c, $other;
}

###############################################################################
