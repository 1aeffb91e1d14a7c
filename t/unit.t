#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Compiles the unit tests of t/unit with the sanitizers and runs them.
# UNIT="pg_login url" runs only these.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive;
use Test::Hyperdrive::Build qw(compile name_of);
use Test::Hyperdrive::Process qw(run_command);

###############################################################################

my @flags = ('-O1', '-fsanitize=address,undefined',
	'-fno-sanitize-recover=undefined', '-fno-omit-frame-pointer');

my %only = map { $_ => 1 } split ' ', $ENV{UNIT} || '';

my @files = grep { name_of($_) ne 'ngx_stub' } glob('unit/*.c');
@files = grep { $only{name_of($_)} } @files if %only;

plan(skip_all => 'no unit tests') unless @files;
plan(tests => scalar @files);

for my $file (@files) {
	my $name = name_of($file);

	subtest($name => sub { run_unit($file, $name) });
}

###############################################################################

sub run_unit {
	my ($file, $name) = @_;

	my $program = Test::Hyperdrive::build_dir() . "/unit/$name";

	my ($built, $said) = eval {
		compile("$FindBin::Bin/$file", $program,
			cc => $ENV{CC} || 'cc', flags => \@flags);
	};

	$said = $@ unless defined $built;

	# a warning is shown, and does no more harm than that
	diag($said) if defined $said && length $said;

	if (!ok($built, 'compiles')) {
		done_testing();
		return;
	}

	my ($status, $out) = run_command([ 'timeout', '-k', '5', '240',
			$program ],
		dir => $FindBin::Bin,
		env => { UBSAN_OPTIONS => 'print_stacktrace=1' });

	my ($plan) = $out =~ /^1\.\.(\d+)/m;
	my $ran = 0;
	my $odd = '';

	for my $line (split /\n/, $out) {

		if ($line =~ /^(not )?ok\b(?: \d+)?(?: -)?\s*(.*)$/) {
			$ran++;
			ok(!$1, $2);
			next;
		}

		$odd .= "$line\n" unless $line =~ /^1\.\.\d+/;
	}

	is($status, 0, 'exits with 0');
	is($ran, $plan // 'no plan', 'ran as many tests as planned');

	diag($odd) if $status && length $odd;

	done_testing();
}

###############################################################################
