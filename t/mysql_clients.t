#!/usr/bin/perl

# Tests for hyperdrive: many clients of MySQL share few connections, leave at
# any point, and each gets its own answers.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive;
use Test::Hyperdrive::MySQL qw(%CAP packet);

###############################################################################

my $n = $ENV{MYSQL_CLIENTS} || 200;
my $seed = $ENV{MYSQL_SEED} || 7;

srand($seed);

my $t = Test::Hyperdrive->new()->plan(9)
	->write_file_expand('nginx.conf', <<'EOC');

%%TEST_GLOBALS%%

worker_processes  2;

events {
}

%%TEST_STATUS%%

stream {
    upstream u {
        hyperdrive_origin  mysql://app:secret@127.0.0.1:8081/shop?ssl-mode=DISABLED;
        hyperdrive_pool    max=5 wait=60s;
    }

    upstream one {
        hyperdrive_origin  mysql://app:secret@127.0.0.1:8081/shop?ssl-mode=DISABLED;
        hyperdrive_pool    max=1 wait=60s;
    }

    server {
        listen             127.0.0.1:8080;
        hyperdrive_pass    u;
        hyperdrive_users   off;
    }

    server {
        listen             127.0.0.1:8082;
        hyperdrive_pass    one;
        hyperdrive_users   off;
    }
}

EOC

my $db = $t->mariadb(port => port(8081), users => { app => 'secret' },
	databases => [ 'shop' ], sql => { shop => <<'EOC' });

CREATE TABLE t (id INT PRIMARY KEY, v INT);
INSERT INTO t SELECT seq, seq * 3 FROM seq_1_to_1000;
CREATE TABLE w (id INT PRIMARY KEY, v INT);
INSERT INTO w VALUES (1, 1), (2, 1);
EOC

$t->run();

sub client {
	my ($port, %o) = @_;
	return mysql_client(port($port), user => 'app', password => 'x',
		database => 'shop', timeout => 60, %o);
}

sub execute {
	my ($c, $st, @values) = @_;
	$c->command('STMT_EXECUTE',
		Test::Hyperdrive::MySQL::execute_body($st->{id}, \@values));
}

###############################################################################

# what is fixed at the log-in and changes answers is each client's own

my $found = client(8082, add => $CAP{FOUND_ROWS});
my $changed = client(8082);

for my $round (1, 2) {
	is($found->query('UPDATE w SET v = 1')->{affected}, 2,
		"rows found, $round");
	is($changed->query('UPDATE w SET v = 1')->{affected}, 0,
		"rows changed, $round");
}

$found->quit();
$changed->quit();

# many at a time, each with statements of its own

my @c = map { client(8080, $_ % 3 ? () : (drop => $CAP{DEPRECATE_EOF})) }
	1 .. $n;
my @st;
my $wrong = 0;

for my $i (0 .. $#c) {
	$c[$i]->command('STMT_PREPARE', 'SELECT v, ' . ($i % 17)
		. ' FROM t WHERE id = ?');
}

$st[$_] = $c[$_]->read_prepared() for 0 .. $#c;

for my $round (1 .. 5) {

	for my $i (0 .. $#c) {

		if (($i + $round) % 3) {
			execute($c[$i], $st[$i], ($i * $round) % 1000 + 1);

		} else {
			$c[$i]->command('QUERY', "SELECT $i, COUNT(*) FROM t "
				. "WHERE id <= " . ($i + 1));
		}
	}

	for my $i (0 .. $#c) {
		my $binary = ($i + $round) % 3;
		my $row = $c[$i]->read_result($binary)->{rows}[0];

		my @want = $binary
			? ((($i * $round) % 1000 + 1) * 3, $i % 17)
			: ($i, $i + 1);

		$wrong++ if !$row || "@$row" ne "@want";
	}
}

is($wrong, 0, "$n clients over 5 connections");

# they leave at any byte of anything, with answers under way or not

for my $i (0 .. $#c) {
	my @what = (
		packet("\3SELECT a.v FROM t a, t b LIMIT 5000", 0),
		packet("\3BEGIN", 0) . packet("\3UPDATE t SET v = 0", 0),
		packet("\x16SELECT v FROM t WHERE id > ?", 0),
		packet(pack('C V C V', 0x17, $st[$i]{id}, 0, 1) . "\0\1\3\0"
			. pack('V', 5), 0),
		packet(pack('C V v', 0x18, $st[$i]{id}, 0) . '77', 0),
		packet(pack('C V C V', 0x17, $st[$i]{id}, 1, 1) . "\0\1\3\0"
			. pack('V', 5), 0),
	);

	# (a second BEGIN would commit what is behind the first)

	my $bytes = join '', map { splice(@what, rand @what, 1) } 1 .. 1 + rand 3;

	$c[$i]->send_raw(substr($bytes, 0, 1 + int(rand length $bytes)));
	$i % 2 ? $c[$i]->abort() : $c[$i]->close();
}

my $c = client(8080);

is($c->value('SELECT SUM(v) FROM t'), 1501500, 'nothing of theirs was kept');

my $wrong_after = 0;

for my $i (1 .. 50) {
	my $next = client(8080);
	$wrong_after++ if $next->value("SELECT $i") != $i;

	my $s = $next->prepare('SELECT v + ? FROM t WHERE id = ?');
	my $r = $next->execute($s, $i, $i);
	$wrong_after++ if $r->{error} || $r->{rows}[0][0] != $i * 4;
	$next->quit();
}

is($wrong_after, 0, 'who comes behind them gets own answers');

cmp_ok($t->status()->{upstreams}{u}{used}, '<=', 5, 'not more connections');

# requests that do not wait for answers, all different

my @q = map { ("SELECT $_", "SELECT v FROM t WHERE id = $_") } 1 .. 50;

$c->command('QUERY', $_) for @q;

my $bad = 0;

for my $i (1 .. 50) {
	$c->{seq} = 1;
	$bad++ if $c->read_result()->{rows}[0][0] != $i;
	$c->{seq} = 1;
	$bad++ if $c->read_result()->{rows}[0][0] != $i * 3;
}

is($bad, 0, 'a pipeline in order');

###############################################################################
