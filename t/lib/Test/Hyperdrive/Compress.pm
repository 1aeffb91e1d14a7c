package Test::Hyperdrive::Compress;

# Copyright (C) Hyperdrive for nginx authors

# What MySQL's compressed protocols have to carry, by whatever they compress.

###############################################################################

use warnings;
use strict;

use Exporter qw(import);
use Test::More ();

our @EXPORT_OK = qw($TABLE $LARGE talk huge anew nonsense);

# t, in which the rows that are read here are, and a query with a large answer

our $TABLE = <<'EOC';
CREATE TABLE t (id INT PRIMARY KEY, v LONGTEXT);
INSERT INTO t VALUES (1, 'one'), (2, REPEAT('two ', 20000));
EOC

our $LARGE = 'SELECT seq, REPEAT(seq, 30) FROM seq_1_to_1500';

# what does not become smaller: it comes again beyond the window

my $noise = join '', map { pack('V', ($_ * 2654435761) % 4294967296) }
	1 .. 50000;
$noise =~ tr/\0'\\/xyz/;
$noise x= 90;

###############################################################################

# What a client is told, of $LARGE the rows $wanted.

sub talk {
	my ($c, $name, $wanted) = @_;

	my @ok;

	# a miss, a hit, and what is never kept

	push @ok, one($c) for 1, 2;
	push @ok, length($c->query('SELECT v FROM t WHERE id = 2')
		->{rows}[0][0]) == 80000 for 1, 2;
	push @ok, $c->query('SELECT nonsense')->{error}{code} == 1054;

	my $s = $c->prepare('SELECT v, ? FROM t WHERE id = ?');

	push @ok, $c->execute($s, 'a', $_)->{rows}[0][1] eq 'a' for 1, 2;

	Test::More::is(join('', map { $_ ? 1 : 0 } @ok), '1111111',
		"$name: small answers");

	# it takes its time bytewise

	Test::More::is_deeply($c->query($LARGE)->{rows}, $wanted,
		"$name: a large one") unless $c->{split};

	Test::More::cmp_ok($c->zip()->{packed}, '>', 0,
		"$name: it is compressed") if $c->{compress};
}

sub one {
	my ($c) = @_;
	return $c->query('SELECT v FROM t WHERE id = 1')->{rows}[0][0] eq 'one';
}

# A value of more than 16 MB, both ways.

sub huge {
	my ($c) = @_;

	Test::More::ok($c->query("REPLACE INTO t VALUES (3, _latin1'$noise')")
		->{affected} > 0, 'a statement of 18 MB');
	Test::More::is($c->query('SELECT LENGTH(v) > 17000000 FROM t '
		. 'WHERE id = 3')->{rows}[0][0], 1, 'and it is there');
	Test::More::cmp_ok(length($c->query('SELECT v FROM t WHERE id = 3')
		->{rows}[0][0]), '>', 17000000, 'it comes back');
}

# Another user on the same connection.

sub anew {
	my ($c) = @_;

	Test::More::is($c->change_user(user => 'app', password => 'x',
		database => 'shop'), 1, 'it logs in anew, compressed');
	Test::More::ok(one($c), 'and goes on so');
}

# nonsense(sub { a client }, [ 'what it is', bytes ], ...)

sub nonsense {
	my ($client, @bad) = @_;

	for my $bad (@bad) {
		my ($what, $bytes) = @$bad;

		my $c = $client->();
		delete $c->{zip};

		$c->send_raw($bytes);
		Test::More::ok($c->ended(), "$what: the client is disconnected");
	}
}

###############################################################################

1;

###############################################################################
