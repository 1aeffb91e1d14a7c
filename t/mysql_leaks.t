#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: 50 clients of MariaDB with settings, variables, schemas,
# prepared statements, temporary tables, locks and more of their own over a
# pool of 5, none of which meets what another has left.  LEAKS=100000 is the
# long run, LEAKS_SEED=2 has other chances.

###############################################################################

use warnings;
use strict;

use POSIX ();
use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive;

###############################################################################

my $transactions = $ENV{LEAKS} || 3000;
my $seed = $ENV{LEAKS_SEED} || 1;
my $processes = 10;
my $each = 5;

$ENV{TEST_HYPERDRIVE_TIMEOUT} ||= 240 + $transactions / 50;

my $t = Test::Hyperdrive->new(log => 'info');

my $db = $t->mariadb(users => { app => 'pw' }, databases => [ 'one', 'two' ],
	sql => { one => <<'EOS', two => <<'EOS' });

CREATE TABLE who (id INT PRIMARY KEY, name VARCHAR(20));
INSERT INTO who SELECT seq, CONCAT('one ', seq) FROM seq_1_to_50;
CREATE TABLE counts (id INT PRIMARY KEY, n INT NOT NULL) ENGINE=InnoDB;
INSERT INTO counts SELECT seq, 0 FROM seq_1_to_50;
CREATE TABLE auto (id INT AUTO_INCREMENT PRIMARY KEY, client INT);
CREATE TABLE marks (id INT PRIMARY KEY);
CREATE TABLE locked (id INT PRIMARY KEY) ENGINE=InnoDB;
CREATE SEQUENCE numbers;

EOS

CREATE TABLE who (id INT PRIMARY KEY, name VARCHAR(20));
INSERT INTO who SELECT seq, CONCAT('two ', seq) FROM seq_1_to_50;

EOS

my $url = $db->url(database => 'one');

$t->write_file_expand('nginx.conf', <<"EOS");

%%TEST_GLOBALS%%

worker_processes  2;

events {
}

%%TEST_STATUS%%

stream {
    hyperdrive_cache_zone  shop 8m;
    hyperdrive_users       off;

    upstream shop {
        hyperdrive_origin  $url;
        hyperdrive_pool    max=5 wait=60s;
    }

    server {
        listen           127.0.0.1:8080 reuseport;
        hyperdrive_pass  shop;
    }

    server {
        listen            127.0.0.1:8081 reuseport;
        hyperdrive_pass   shop;
        hyperdrive_cache  shop max_age=60s;
    }
}

EOS

$t->run();

###############################################################################

# Each process has some clients, and works for one of them after the other: so
# no more than one of them has a connection at a time, whatever pins it.

sub hunt {
	my ($name, $port, $n) = @_;

	my $dir = $t->testdir();

	my @pids = map { my $i = $_; in_child(sub {
		srand($seed * 1000 + $i);

		my $done = eval { work($port, $i, $n / $processes) };
		my $why = $@;

		open my $f, '>', "$dir/hunter.$i" or die;
		print $f defined $done ? "done $done\n" : "failed: $why";
		close $f;
	}) } 0 .. $processes - 1;

	waitpid($_, 0) for @pids;

	my @said = map { $t->read_file("hunter.$_") } 0 .. $processes - 1;
	my @wrong = grep { !/^done [1-9]/ } @said;

	is("@wrong", '', "$name, everybody finds what is his own");

	is($db->sql('SELECT COUNT(*) FROM counts WHERE n < 0', db => 'one'),
		"0", "$name, no count is wrong");
}

sub work {
	my ($port, $process, $n) = @_;

	my @clients = map {
		fresh({ port => $port, id => $process * $each + $_,
			count => undef })
	} 1 .. $each;

	my @steps = steps();
	my $done = 0;

	while ($done < $n) {
		my $c = $clients[rand @clients];
		my $i = int(rand(@steps));

		eval { $steps[$i]->($c) };

		if ($@ =~ / 1040 too many clients keep /) {

			# whatever it was has not begun

			again($c);
			next;
		}

		die "client $c->{id}, step $i, transaction $done: $@" if $@;

		$done++;
	}

	$_->{c}->quit() for @clients;

	return $done;
}

sub in_child {
	my ($code) = @_;

	my $pid = fork();
	die "fork: $!" unless defined $pid;
	return $pid if $pid;

	$code->();
	POSIX::_exit(0);
}

###############################################################################

# What a client knows of itself.

sub fresh {
	my ($c) = @_;

	$c->{c} = mysql_client($c->{port}, user => 'app', password => 'pw',
		database => 'one', timeout => 90);

	return forgotten($c, 'one');
}

sub forgotten {
	my ($c, $schema) = @_;

	$c->{set} = {};
	$c->{vars} = {};
	$c->{statements} = {};
	$c->{schema} = $schema if defined $schema;

	return $c;
}

my @names = sort qw(time_zone lc_time_names div_precision_increment
	default_week_format group_concat_max_len sql_safe_updates tx_isolation);

my %default;

@default{@names} = split /\t/, $db->sql('SELECT ' . join(', ',
	map { "@\@global.$_" } @names));

my %values = (time_zone => [ '+03:00', '-07:30', '+05:45' ],
	lc_time_names => [ 'de_DE', 'fr_FR' ],
	div_precision_increment => [ 2, 7, 9 ],
	default_week_format => [ 1, 3, 5 ],
	group_concat_max_len => [ 64, 128, 4096 ],
	sql_safe_updates => [ 1 ]);

sub same {
	my ($what, $got, $expected) = @_;

	$got = defined $got ? ref $got ? join('|', map { $_ // 'NULL' } @$got)
		: $got : 'NULL';
	$expected = 'NULL' unless defined $expected;

	die "$what: got '$got', expected '$expected'\n" if $got ne $expected;
}

sub ask {
	my ($c, $sql) = @_;

	my $r = $c->{c}->query($sql);

	die "no answer to $sql\n" unless $r;
	die "$sql: $r->{error}{code} $r->{error}{message}\n" if $r->{error};
	return $r;
}

sub row {
	my ($c, $sql) = @_;
	return ask($c, $sql)->{rows}[0];
}

sub value {
	my ($c, $sql) = @_;
	return row($c, $sql)->[0];
}

sub setting {
	my ($c, $name) = @_;
	return $c->{set}{$name} // $default{$name};
}

# All that it can see of its session.

sub look {
	my ($c) = @_;

	same('settings', row($c, 'SELECT ' . join(', ', map { "@\@$_" }
		@names)), join('|', map { setting($c, $_) } @names));

	same('variables', row($c, 'SELECT @a, @b, @c'), join('|',
		map { $c->{vars}{$_} // 'NULL' } 'a' .. 'c'));

	same('schema', row($c, "SELECT DATABASE(), name FROM who "
		. "WHERE id = $c->{id}"),
		"$c->{schema}|$c->{schema} $c->{id}");

	same('what a setting does', row($c, "SELECT 1 / 3, "
		. "DATE_FORMAT('2026-05-01', '%M')"),
		'0.' . '3' x setting($c, 'div_precision_increment')
		. '|' . { en_US => 'May', de_DE => 'Mai', fr_FR => 'mai' }
			->{setting($c, 'lc_time_names')});
}

# Texts that all have, and that mean something else to each.

my @texts = (
	'SELECT ?, @a, @@time_zone',
	'SELECT CONCAT(?, @b), DATABASE()',
	'SELECT name, ? FROM who WHERE id = ?',
	'SELECT 1 / ?',
);

sub prepared {
	my ($c, $i) = @_;

	my $st = $c->{statements}{$i};

	if (!$st) {
		$st = $c->{c}->prepare($texts[$i]);
		die "prepare: $st->{error}{code} $st->{error}{message}\n"
			if $st->{error};

		$st->{schema} = $c->{schema};
		$c->{statements}{$i} = $st;
	}

	my $word = 'word' . int(rand(1000));

	my @args = $i == 2 ? ($word, $c->{id}) : $i == 3 ? (3) : ($word);
	my $r = $c->{c}->execute($st, @args);

	# it was prepared with another schema, and is nowhere there any more

	if ($r->{error} && $r->{error}{code} == 1615) {
		delete $c->{statements}{$i};
		return;
	}

	die "execute: $r->{error}{code} $r->{error}{message}\n" if $r->{error};

	my $expected = $i == 0 ? "$word|" . ($c->{vars}{a} // 'NULL') . '|'
			. setting($c, 'time_zone')
		: $i == 1 ? (defined $c->{vars}{b} ? $word . $c->{vars}{b}
			: 'NULL') . "|$c->{schema}"
		: $i == 2 ? "$st->{schema} $c->{id}|$word"
		: undef;

	same("statement $i", $r->{rows}[0], $expected) if defined $expected;
	same("statement $i", substr($r->{rows}[0][0], 0, 4), '0.33') if $i == 3;

	if (rand() < 0.2) {
		$c->{c}->close_statement($st);
		delete $c->{statements}{$i};
	}
}

sub again {
	my ($c) = @_;

	# as if it had just logged in, but for the schema

	my $r = $c->{c}->reset();
	die "reset: $r->{error}{code}\n" if $r->{error};

	forgotten($c, undef);
}

sub steps {
	return (

	\&look,

	sub { my ($c) = @_;
		my $name = (keys %values)[rand keys %values];
		my $value = $values{$name}[rand @{$values{$name}}];

		ask($c, "SET SESSION $name = " . ($value =~ /^\d+$/ ? $value
			: "'$value'"));
		$c->{set}{$name} = $value;
		look($c) if rand() < 0.5;
	},

	sub { my ($c) = @_;
		my $name = (sort keys %{$c->{set}})[0];
		return look($c) unless defined $name;

		ask($c, $name eq 'tx_isolation'
			? 'SET SESSION TRANSACTION ISOLATION LEVEL '
				. 'REPEATABLE READ'
			: "SET SESSION $name = DEFAULT");
		delete $c->{set}{$name};
	},

	sub { my ($c) = @_;
		my $level = ('READ COMMITTED', 'SERIALIZABLE')[rand 2];
		ask($c, "SET SESSION TRANSACTION ISOLATION LEVEL $level");
		$c->{set}{tx_isolation} = $level =~ tr/ /-/r;
	},

	sub { my ($c) = @_;
		my $name = ('a' .. 'c')[rand 3];
		my $value = "v$c->{id}-" . int(rand(100));

		ask($c, "SET \@$name = '$value'");
		$c->{vars}{$name} = $value;
		same('a variable', value($c, "SELECT \@$name"), $value);
	},

	sub { my ($c) = @_;
		my $schema = ('one', 'two')[rand 2];

		rand() < 0.5 ? ask($c, "USE $schema")
			: $c->{c}->init_db($schema);
		$c->{schema} = $schema;
		look($c) if rand() < 0.5;
	},

	sub { prepared($_[0], int(rand(@texts))) },
	sub { prepared($_[0], int(rand(@texts))) },

	# a transaction, of which it knows what must be there

	sub { my ($c) = @_;
		my $read = "SELECT n FROM one.counts WHERE id = $c->{id}";
		my $inc = 'UPDATE one.counts SET n = n + 1 '
			. "WHERE id = $c->{id}";

		$c->{count} = value($c, $read) unless defined $c->{count};

		ask($c, ('BEGIN', 'START TRANSACTION')[rand 2]);
		same('a count', value($c, $read), $c->{count});
		ask($c, $inc);
		same('a count in the block', value($c, $read),
			$c->{count} + 1);
		ask($c, 'SAVEPOINT s');
		ask($c, $inc);
		same('another one', value($c, $read), $c->{count} + 2);
		ask($c, 'ROLLBACK TO s');
		same('at the savepoint', value($c, $read), $c->{count} + 1);
		look($c) if rand() < 0.3;

		if (rand() < 0.5) {
			ask($c, 'COMMIT');
			$c->{count}++;

		} else {
			ask($c, 'ROLLBACK');
		}

		same('a count behind the block', value($c, $read),
			$c->{count});
	},

	sub { my ($c) = @_;
		my $read = "SELECT n FROM one.counts WHERE id = $c->{id}";
		$c->{count} = value($c, $read) unless defined $c->{count};

		ask($c, 'SET autocommit = 0');
		ask($c, 'UPDATE one.counts SET n = n + 1 '
			. "WHERE id = $c->{id}");

		if (rand() < 0.5) {
			ask($c, 'ROLLBACK');

		} else {
			$c->{count}++;
		}

		# which commits

		ask($c, 'SET autocommit = 1');
		same('a count', value($c, $read), $c->{count});
	},

	# what speaks of the statement before

	sub { my ($c) = @_;
		my $r = ask($c, 'INSERT INTO one.auto (client) VALUES '
			. "($c->{id})");
		my $id = $r->{insert_id};

		value($c, 'SELECT 1') if rand() < 0.5;
		same('LAST_INSERT_ID()', value($c, 'SELECT LAST_INSERT_ID()'),
			$id);
		same('whose it is', value($c, 'SELECT client FROM one.auto '
			. 'WHERE id = LAST_INSERT_ID()'), $c->{id});
	},

	sub { my ($c) = @_;
		my $n = 1 + int(rand(49));

		ask($c, 'BEGIN');
		ask($c, 'SELECT SQL_CALC_FOUND_ROWS id FROM one.who '
			. "WHERE id > $n LIMIT 1");
		same('FOUND_ROWS()', value($c, 'SELECT FOUND_ROWS()'),
			50 - $n);
		ask($c, 'COMMIT');
	},

	sub { my ($c) = @_;
		my $r = $c->{c}->query('SELECT nothing FROM one.who');
		same('an error', $r->{error}{code}, 1054);

		$r = $c->{c}->query('INSERT INTO one.marks VALUES (1), (1)');
		same('another one', $r->{error}{code}, 1062);
		look($c) if rand() < 0.3;
	},

	# what keeps a connection, to the reset

	sub { my ($c) = @_;
		my $n = 1 + int(rand(5));

		ask($c, 'CREATE TEMPORARY TABLE one.mine (v INT)');
		ask($c, "INSERT INTO one.mine VALUES ($c->{id})") for 1 .. $n;
		same('a temporary table', value($c, 'SELECT SUM(v) '
			. 'FROM one.mine'), $n * $c->{id});
		look($c) if rand() < 0.3;
		again($c);

		my $r = $c->{c}->query('SELECT * FROM one.mine');
		same('a table that is gone', $r->{error}{code}, 1146);
	},

	sub { my ($c) = @_;
		my $lock = 'lock' . int(rand(3));

		same('a lock', value($c, "SELECT GET_LOCK('$lock', 60)"), 1);
		same('whose it is', value($c, "SELECT IS_USED_LOCK('$lock') "
			. '= CONNECTION_ID()'), 1);

		if (rand() < 0.5) {
			same('a lock given back', value($c,
				"SELECT RELEASE_LOCK('$lock')"), 1);
		}

		look($c) if rand() < 0.3;
		again($c);
	},

	sub { my ($c) = @_;
		same('a lock of others', value($c,
			"SELECT RELEASE_LOCK('mine$c->{id}')"), undef);
		again($c);
	},

	sub { my ($c) = @_;
		my $n = int(rand(1000));

		same('a variable', value($c, "SELECT \@d := $n + 1"), $n + 1);
		same('again', value($c, 'SELECT @d'), $n + 1);
		ask($c, "SELECT id INTO \@e FROM one.who WHERE id = $c->{id}");
		same('INTO', value($c, 'SELECT @e'), $c->{id});
		look($c) if rand() < 0.3;
		again($c);
		same('gone', row($c, 'SELECT @d, @e'), 'NULL|NULL');
	},

	sub { my ($c) = @_;
		my $n = int(rand(1000));

		ask($c, "PREPARE mine FROM 'SELECT $n, \@a'");
		same('by SQL', row($c, 'EXECUTE mine'),
			"$n|" . ($c->{vars}{a} // 'NULL'));
		again($c);

		my $r = $c->{c}->query('EXECUTE mine');
		same('gone', $r->{error}{code}, 1243)
			if $r->{error}{code} != 1040;
		again($c);
	},

	sub { my ($c) = @_;
		ask($c, 'HANDLER one.who OPEN AS h');
		same('a handler', row($c, 'HANDLER h READ `PRIMARY` '
			. "= ($c->{id})"), "$c->{id}|one $c->{id}");
		again($c);
	},

	sub { my ($c) = @_;
		ask($c, 'LOCK TABLES one.locked WRITE');
		my $r = $c->{c}->query('SELECT * FROM one.who');
		same('not locked', $r->{error}{code}, 1100);
		ask($c, 'UNLOCK TABLES');
		again($c);
	},

	sub { my ($c) = @_;
		my $next = value($c, 'SELECT NEXTVAL(one.numbers)');
		same('a sequence', value($c, 'SELECT LASTVAL(one.numbers)'),
			$next);
		again($c);
		same('gone', value($c, 'SELECT LASTVAL(one.numbers)'), undef);
		again($c);
	},

	sub { my ($c) = @_;
		ask($c, "XA START 'x$c->{id}'");
		ask($c, 'UPDATE one.counts SET n = n + 1 '
			. "WHERE id = $c->{id}");
		ask($c, "XA END 'x$c->{id}'");
		ask($c, "XA ROLLBACK 'x$c->{id}'");
		again($c);
	},

	# it leaves, in whatever it is

	sub { my ($c) = @_;
		my $how = int(rand(6));

		if ($how == 1) {
			ask($c, 'BEGIN');
			ask($c, 'UPDATE one.counts SET n = -1 '
				. "WHERE id = $c->{id}");

		} elsif ($how == 2) {
			ask($c, 'CREATE TEMPORARY TABLE one.mine (v INT)');

		} elsif ($how == 3) {
			value($c, "SELECT GET_LOCK('left$c->{id}', 60)");

		} elsif ($how == 4) {
			ask($c, 'LOCK TABLES one.locked WRITE');

		} elsif ($how == 5) {
			ask($c, "SET \@a = 'left', \@b = 'left'");
		}

		$how % 2 ? $c->{c}->abort() : $c->{c}->quit();
		fresh($c);
	},

	sub { my ($c) = @_;
		my $r = $c->{c}->change_user(database => 'two');
		die "change user\n" unless $r;
		forgotten($c, 'two');
		look($c);
	},

	);
}

###############################################################################

# the hunt itself, where nothing can leak

hunt('directly', $db->port(), 500);
hunt('cache off', port(8080), $transactions);
hunt('cache on', port(8081), $transactions);

# what is left: nobody is tied to a connection any more

ok(wait_for(sub {
	!$t->status()->{upstreams}{shop}{total}{pinned}
}), 'no session is pinned any more');

# (the database lists some for a moment longer than it has them)

ok(eval { wait_for(sub { $db->connections(user => 'app') <= 5 }) },
	'a pool of 5');

$t->done_testing();

###############################################################################
