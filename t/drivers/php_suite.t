#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: PHP's own tests of its extensions pgsql and pdo_pgsql,
# those of PDO for any database included.  SUITE_ALL=1: those that wait for
# seconds, too.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib '../lib', '.';
use Suite;
use Test::Hyperdrive;
use Test::Hyperdrive::Regress;

###############################################################################

my $source;

my $suite = Suite->new(max => 3, skip => sub {
	my ($self) = @_;

	my $t = $self->t();

	my $version = `php -r 'echo PHP_MAJOR_VERSION, ".", PHP_MINOR_VERSION;
		exit(!extension_loaded("pgsql")
			|| !extension_loaded("pdo_pgsql"));' 2>/dev/null`;

	$t->skip_all('no php-cli with php-pgsql') if $? || !$version;

	$source = eval { Test::Hyperdrive::Regress::source("php$version") };
	$t->skip_all($@ =~ s/\n.*//sr) unless $source;
});

# The tests leave files beside themselves.

my $dir = $suite->t()->testdir() . '/php';

for my $extension ('pgsql', 'pdo_pgsql', 'pdo') {
	my ($status, $out) = Test::Hyperdrive::run_command([ 'sh', '-c',
		"mkdir -p '$dir/ext/$extension' && cp -r "
		. "'$source/ext/$extension/tests' '$dir/ext/$extension/' && "
		. "cp '$source/run-tests.php' '$dir/'" ]);

	die "cannot copy the tests: $out\n" if $status;
}

unless ($ENV{SUITE_ALL}) {
	unlink "$dir/ext/pdo_pgsql/tests/getnotify.phpt";
}

# For another PostgreSQL than the authors', some fail directly as well.

$suite->compare('PHP', sub {
	my ($port, $where, @only) = @_;

	my $host = "host=127.0.0.1 port=$port dbname=shop user=app password=pw";

	local $ENV{TEST_DRIVER_TIMEOUT} = 200;

	my ($status, $out) = $suite->driver()->run([ 'php',
			"$dir/run-tests.php", '-q', '-p', '/usr/bin/php',
			'--no-color', '--no-progress',
			map { "$dir/$_" } @only ? @only
				: qw(ext/pgsql/tests ext/pdo_pgsql/tests) ],
		$port, TEMP => $dir, TEST_PHP_EXECUTABLE => '/usr/bin/php',
		NO_INTERACTION => 1, PGSQL_TEST_CONNSTR => $host,
		PDO_PGSQL_TEST_DSN => "pgsql:$host");

	my (%result, @lines);

	for my $line (split /[\r\n]+/, $out) {
		next unless $line =~ m{^(PASS|FAIL|SKIP|XFAIL|WARN|BORK)\b.*
			\[.*?(ext/\S+\.phpt)\]}x;

		$result{$2} = $1 eq 'PASS' ? 'ok' : $1 eq 'SKIP' ? 'skip'
			: 'failed';
		push @lines, $line if $1 eq 'FAIL';
	}

	return (\%result, \@lines);
}, at_least => 170, except => {

	# they look into pg_prepared_statements, where names and texts of all
	# who have used the connection are
	'ext/pdo_pgsql/tests/disable_prepares.phpt' => 1,
});

$suite->t()->done_testing();

###############################################################################
