#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: what goes back to defaults in MySQL is what it is
# directly, whatever character set a client has logged in with, for whatever
# stands behind it.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive;
use Test::Hyperdrive::MySQL qw(%CAP);

###############################################################################

my $t = Test::Hyperdrive->new();

my $db = $t->mariadb(users => { app => 'secret' },
	databases => [ 'shop', 'other' ]);

$t->single($db->url(), pool => 'max=2',
	upstream => 'hyperdrive_catalog off;')->run();

###############################################################################

my $look = 'SELECT ' . join(', ', map { "\@\@$_" } qw(character_set_client
	character_set_connection character_set_results collation_connection
	sql_mode time_zone tx_isolation max_sort_length)) . ', @a, DATABASE()';

my @sets = ('SET NAMES cp1250', "SET sql_mode = 'ANSI_QUOTES', "
	. "time_zone = '+03:00', max_sort_length = 100, \@a = 5",
	'SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE', 'USE other');

my @forms = (
	'SET NAMES DEFAULT',
	'SET CHARACTER SET DEFAULT',
	'SET character_set_client = DEFAULT',
	'SET collation_connection = DEFAULT',
	'SET character_set_results = DEFAULT, sql_mode = DEFAULT',
	'SET time_zone = DEFAULT, max_sort_length = DEFAULT',
	'SET tx_isolation = DEFAULT',
);

my %ways = (
	'two commands' => sub { query(@_), query($_[0], $look) },
	'one text' => sub { query($_[0], "$_[1]; $look") },
	'amid a text' => sub {
		query($_[0], "$look; $_[1]; $look; $_[1]; $look") },
	'a transaction' => sub { map { query($_[0], $_) }
		'BEGIN', $_[1], $look, 'ROLLBACK', $look },
	'a prepared one' => sub {
		my ($c, $form) = @_;

		my $st = $c->prepare($form);
		my @said = map { lines($_) } $c->execute($st);

		$c->close_statement($st);

		return @said, query($c, $look);
	},
);

# latin1 and utf8mb4, of which one is the database's

for my $collation (8, 45) {

	my @c = map { client(collation => $collation, direct => $_) } 0, 1;
	my $o = client(collation => $collation);

	$o->query('SET NAMES cp1251, max_sort_length = 200');

	for my $way (sort keys %ways) {

		for my $form (@forms) {
			my @said = map { said($_, $form, $ways{$way}) } @c;

			$o->query($look);

			$said[$_] .= join "\n", query($c[$_], $look) for 0, 1;

			is($said[0], $said[1], "$form, $way, from $collation");
		}
	}

	for my $form ('reset', 'change_user') {
		my @said = map { said($_, $form, sub {
			my ($c, $method) = @_;

			$c->$method();
			return query($c, $look);
		}) } @c;

		is($said[0], $said[1], "$form, from $collation");
	}

	$_->quit() for @c, $o;
}

$t->done_testing();

###############################################################################

sub client {
	my (%o) = @_;

	my $direct = delete $o{direct};

	return mysql_client($direct ? $db->port() : port(8080), user => 'app',
		password => $direct ? 'secret' : 'x', database => 'shop',
		add => $CAP{MULTI_STATEMENTS}, %o);
}

sub said {
	my ($c, $form, $code) = @_;

	$c->query($_) for @sets;

	return join "\n", $code->($c, $form), '';
}

sub query {
	my ($c, $sql) = @_;
	return map { lines($_) } $c->query($sql);
}

sub lines {
	my ($r) = @_;

	return $r->{error} ? "error $r->{error}{code}"
		: $r->{rows} ? map { join ' ', map { $_ // 'NULL' } @$_ }
			@{$r->{rows}} : "ok $r->{status} $r->{warnings}";
}

###############################################################################
