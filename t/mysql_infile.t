#!/usr/bin/perl

# Tests for hyperdrive: LOAD DATA LOCAL INFILE, where the URL allows it and
# where it does not.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive qw(:DEFAULT run_command);
use Test::Hyperdrive::FakeMySQL;
use Test::Hyperdrive::MySQL qw(%CAP packet);

###############################################################################

my $t = Test::Hyperdrive->new()
	->write_file_expand('nginx.conf', <<'EOC');

%%TEST_GLOBALS%%

events {
}

stream {
    upstream on {
        hyperdrive_origin  mysql://app:secret@127.0.0.1:8081/shop?ssl-mode=DISABLED&local_infile=true;
        hyperdrive_pool    max=1;
    }

    upstream packed {
        hyperdrive_origin  mysql://app:secret@127.0.0.1:8081/shop?ssl-mode=DISABLED&local_infile=true&compress=true;
        hyperdrive_pool    max=1;
    }

    upstream off {
        hyperdrive_origin  mysql://app:secret@127.0.0.1:8081/shop?ssl-mode=DISABLED;
        hyperdrive_pool    max=1;
    }

    upstream wants {
        hyperdrive_origin  mysql://app:secret@127.0.0.1:8091/shop?ssl-mode=DISABLED&local_infile=true;
        hyperdrive_pool    max=1;
    }

    hyperdrive_users  off;

    server {
        listen           127.0.0.1:8084;
        hyperdrive_pass  wants;
    }

    server {
        listen           127.0.0.1:8080;
        hyperdrive_pass  on;
    }

    server {
        listen           127.0.0.1:8082;
        hyperdrive_pass  packed;
    }

    server {
        listen           127.0.0.1:8083;
        hyperdrive_pass  off;
    }
}

EOC

my $db = $t->mariadb(port => port(8081), users => { app => 'secret' },
	databases => [ 'shop' ], settings => { local_infile => 1 },
	sql => { shop => <<'EOC' });

CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(200));
EOC

# a database that wants files

my $fake = Test::Hyperdrive::FakeMySQL->new($t, port(8091), query => sub {
	my ($n, $sql, $c) = @_;

	return [ [ 0 ] ] unless $sql =~ /^(?:SELECT (?:1$|infiles)|LOAD)/;

	$c->send("\xfb/etc/passwd");

	return undef unless $sql =~ /^LOAD/;

	$c->read_packet() for 1, 2;

	return { error => [ 1024, 'HY000', 'no more of it' ] };
});

$t->run();

my $load = "LOAD DATA LOCAL INFILE 'names' INTO TABLE t";

###############################################################################

# as many packets as their numbers have room for, and more

for my $pair ([ 8080, 'plain' ], [ 8082, 'packed' ]) {
	my ($port, $how) = @$pair;

	for my $compress (undef, {}) {
		my $name = "$how, client " . ($compress ? 'packed' : 'plain');
		my $c = client($port, compress => $compress);

		$c->query('DELETE FROM t');

		is($c->query($load)->{infile}, 'names', "$name: asked for");

		my $r = upload($c, map { "$_\tname $_\n" } 1 .. 700);

		is($r->{affected}, 700, "$name: loaded");
		like($r->{info}, qr/Records: 700/, "$name: as it says");
		is($c->value('SELECT v FROM t WHERE id = 700'), 'name 700',
			"$name: it goes on");
	}
}

my $c = client(8080, split => 3);
$c->query('DELETE FROM t');
$c->query($load);
is(upload($c, "1\ta\n", "2\tb\n")->{affected}, 2, 'bytewise');

$c = client(8080);

is(scalar(@{$c->query('SELECT id FROM t')->{rows}}), 2, 'rows of it');

# an empty file; one that fails in the middle; a client that has none

$c->query($load);
is(upload($c)->{affected}, 0, 'an empty file');

$c->query($load);
is(upload($c, "5\tx\n", "1\tagain\n")->{affected}, 1,
	'a row that is there already');

$c->query("LOAD DATA LOCAL INFILE 'names' INTO TABLE nowhere");
is($c->query('SELECT COUNT(*) FROM t')->{rows}[0][0], 3,
	'no table, no file is asked for');

# in a transaction

$c->query('BEGIN');
$c->query($load);
upload($c, "7\tseven\n");
$c->query('ROLLBACK');
is($c->value('SELECT COUNT(*) FROM t WHERE id = 7'), 0, 'rolled back');

# a client that leaves amid its file: what it has not finished is not loaded

my $gone = client(8080);
$gone->query('BEGIN');
$gone->query($load);
$gone->send("8\teight\n");
$gone->close();

is(client(8080)->value('SELECT COUNT(*) FROM t WHERE id = 8'), 0,
	'a client that left');

# who cannot give files is not asked for any, by the database itself

$c = client(8080, drop => $CAP{LOCAL_FILES});
my $r = $c->query($load);

like($r->{error}{code}, qr/^(4166|3948|1148)$/, 'without the capability')
	or diag(explain($r));
is($c->value('SELECT 1'), 1, 'and it goes on');

$c = client(8083);
ok(!($c->greeting()->{capabilities} & $CAP{LOCAL_FILES}),
	'not offered where the URL does not allow it');

$r = $c->query($load);
like($r->{error}{code}, qr/^(4166|3948|1148)$/, 'nor taken');
like($r->{error}{message}, qr/local infile|not allowed|disabled/i,
	'in clear words');
is($c->value('SELECT 1'), 1, 'and the client goes on');

# by a statement that was prepared, by a command and by SQL

$c = client(8080);
$c->query('DELETE FROM t');

SKIP: {
	skip('MySQL does not prepare it', 3) if $db->is_mysql();

	$c->query("PREPARE s FROM '" . ($load =~ s/'/''/gr) . "'");
	is($c->query('EXECUTE s')->{infile}, 'names', 'executed');
	upload($c, "1\tone\n");

	my $s = $c->prepare($load);
	is($c->execute($s)->{infile}, 'names', 'prepared');
	upload($c, "2\ttwo\n");

	is($c->value('SELECT COUNT(*) FROM t'), 2, 'both are loaded');
}

# a text that is too long to be read

is($c->query($load . ' ' x 2_000_000)->{infile}, 'names', 'a long one');
upload($c, "3\tthree\n");
is($c->value('SELECT COUNT(*) FROM t WHERE id = 3'), 1, 'it is loaded');

# A database that asks for files that it was not to be given.

for my $sql ('SELECT 1', 'SELECT infiles FROM t') {
	$c = client(8084);
	$r = $c->query($sql);
	is($r->{infile}, undef, "$sql: no file is asked for");
	is($r->{error}{code}, 1158, 'but an error told');
	ok($c->ended(), 'it is over');
}

$c = client(8084);
is($c->query($load)->{infile}, '/etc/passwd', 'who said so, is asked');

# ...and that gives up amid one: the rest of it is no commands

$c->send_raw(packet("first\n", $c->{seq}++)
	. packet("second\n", $c->{seq}++));
is($c->read_result()->{error}{code}, 1024, 'its error is passed on');
ok($c->ended(), 'and it is over');

my ($load_n) = map { $_->{n} } grep { ($_->{sql} // '') =~ /^LOAD/ }
	$fake->log();

ok(wait_for(sub { grep { $_->{event} eq 'close' && $_->{n} == $load_n }
	$fake->log() }, 10), 'for the database, too');

# the real client

$t->write_file('names', join '', map { "$_\treal $_\n" } 1 .. 5000);

my $file = $t->testdir() . '/names';

for my $pair ([ 8081, 'direct' ], [ 8080, 'plain' ], [ 8082, 'packed' ],
	[ 8083, 'off' ])
{
	my ($port, $name) = @$pair;

	for my $flag ('--skip-compress', '--compress') {
		my ($status, $out) = run_command([ '/usr/bin/mariadb',
			'--no-defaults', '-B', '-N', '-h', '127.0.0.1', '-P',
			port($port), '-u', 'app', '-psecret', $flag,
			'--local-infile=1', '-e', "DELETE FROM t; LOAD DATA "
			. "LOCAL INFILE '$file' INTO TABLE t; SELECT COUNT(*), "
			. 'MAX(v) FROM t', 'shop' ]);

		if ($name eq 'off') {
			like($out, qr/ERROR (4166|3948|1148)/,
				"mysql $flag, $name");
		} else {
			is($out, "5000\treal 999\n", "mysql $flag, $name");
		}
	}
}

# a connection that may is not used any more when the URL does not allow it

is(client(8080)->value('SELECT 1'), 1, 'a connection is idle');

$t->write_file('nginx.conf',
	$t->read_file('nginx.conf') =~ s/&local_infile=true//gr);

ok($t->reload(), 'a reload forbids it');

like(client(8080)->query($load)->{error}{code}, qr/^(4166|3948|1148)$/,
	'no file is taken any more');

$t->done_testing();

###############################################################################

sub client {
	my ($port, %o) = @_;

	return mysql_client(port($port), user => 'app', password => 'x',
		database => 'shop', add => $CAP{LOCAL_FILES}, %o);
}

# What it was asked for: packets up to an empty one; and the answer.

sub upload {
	my ($c, @parts) = @_;

	$c->send($_) for @parts, '';

	return $c->read_result();
}

###############################################################################
