#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: behind a query that has taken its client's settings
# along there is a Sync of ours, whose end comes behind the answer: what the
# client asks in between is a question for the cache as any other.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use IO::Select;
use IO::Socket::INET;
use POSIX ();

use lib 'lib';
use Test::Hyperdrive;

###############################################################################

my $t = Test::Hyperdrive->new();

my $pg = $t->postgres(users => { app => 'pw' }, databases => [ 'shop' ],
	sql => { shop => <<'EOS' });

SET ROLE app;
CREATE TABLE things (id int PRIMARY KEY, v text);
INSERT INTO things SELECT g, 'thing ' || g FROM generate_series(1, 10) g;

EOS

my $dir = $t->testdir();
my $END = "Z\0\0\0\5I";

my $proxy = proxy(port(8100), $pg->port());

$t->single($pg->url(port => port(8100)), pool => 'max=1',
	upstream => 'hyperdrive_catalog refresh=1h;', cache => 'max_age=1h');

$t->run()->wait_catalog('u');

###############################################################################

my ($c, $other) = map { pg_client(port(8080), user => 'app',
	database => 'shop') } 1, 2;

$c->query("SET work_mem = '7MB'");

my @ways = (
	'a Query' => sub { $_[0]->send('Q', "$_[1]\0") },
	'the extended protocol' => sub {
		$_[0]->parse('', $_[1])->bind('', '')->describe('P', '')
			->execute('')->sync();
	},
);

while (my ($name, $ask) = splice @ways, 0, 2) {
	my $sql = "SELECT v FROM things WHERE id = 7 /* $name */";

	is(between(sub { $ask->($c, $sql) }), 'thing 7, 1 1 1',
		"$name, asked once more: from memory");

	$sql = "SELECT v FROM things WHERE id = 8 /* $name */";

	$ask->($c, $sql);
	$c->result();

	is(between(sub { $ask->($c, $sql) }, 'SELECT v FROM things WHERE id = 6 '
		. "/* $name */"), 'thing 8, 1 1 1',
		"$name, what is kept already: as well");
}

# what is no question goes on at once, and so does a group in parts

taken();
is($c->query('SELECT v FROM things WHERE id = 1')->value(), 'thing 1',
	'an answer');
$c->parse('', 'SELECT v FROM things WHERE id = $1')->flush()->flush_out();
is($c->bind('', '', [ 2 ])->execute('')->sync()->result()->value(), 'thing 2',
	'a group in parts');
go_on();

is($c->query('SELECT v FROM things WHERE id = 3')->value(), 'thing 3',
	'and on');

$_->close() for $c, $other;

kill 'KILL', $proxy;
waitpid($proxy, 0);

$t->done_testing();

###############################################################################

# Asks for <first>, or what <ask> asks for, with settings that the connection
# does not have, and <ask> again before our Sync is answered: what it was told,
# and what was counted.

sub between {
	my ($ask, $first) = @_;
	my $value;

	taken();

	my $counted = $t->counted('u', sub {
		$first ? $c->send('Q', "$first\0") : $ask->();
		$c->result();

		$ask->();
		$c->flush_out();

		# nginx has read it when it answers this

		$t->status();
		go_on();

		$value = $c->result()->value();
	});

	return "$value, $counted";
}

# Another client has had the connection.  From now on the end that comes behind
# an end is held, and then it is not any more.

sub taken {
	$other->query('SELECT 1');

	wait_for(sub {
		!$t->status()->{upstreams}{u}{total}{origins_busy};
	}, 10, 'the end of it');

	$t->write_file('hold', '');
}

sub go_on {
	unlink "$dir/hold";
}

# Passes on what is said, and holds what it is told to.

sub proxy {
	my ($port, $to) = @_;

	my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1',
		LocalPort => $port, Proto => 'tcp', Listen => 10,
		ReuseAddr => 1) or die "cannot listen: $!\n";

	my $parent = $$;
	my $pid = fork() // die "fork: $!\n";

	return $pid if $pid;

	$SIG{$_} = 'DEFAULT' for qw(INT TERM HUP ALRM);

	my $select = IO::Select->new($listener);
	my (%peer, %client, %held, %last);

	while (getppid() == $parent) {

		for my $s (keys %held) {
			next if -e "$dir/hold";
			syswrite($peer{$s}, delete $held{$s});
		}

		for my $s ($select->can_read(0.002)) {

			if ($s == $listener) {
				my $c = $listener->accept() or next;
				my $o = IO::Socket::INET->new(PeerPort => $to,
					PeerAddr => '127.0.0.1') or next;

				@peer{$c, $o} = ($o, $c);
				$client{$c} = 1;
				$select->add($c, $o);
				next;
			}

			my $n = sysread($s, my $bytes, 65536);

			if (!$n) {
				$select->remove($s, $peer{$s});
				close $_ for $peer{$s}, $s;
				next;
			}

			if (!$client{$s}) {
				$bytes = delete($held{$s}) . $bytes
					if exists $held{$s};

				my $all = ($last{$s} // '') . $bytes;

				$held{$s} = $END if -e "$dir/hold"
					&& $all =~ /\Q$END$END\E\z/;

				$last{$s} = substr($bytes, -length($END));
				substr($bytes, -length($END)) = ''
					if exists $held{$s};
			}

			syswrite($peer{$s}, $bytes) if length $bytes;
		}
	}

	POSIX::_exit(0);
}

###############################################################################
