#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Compiles the fuzz targets of t/unit/fuzz and runs each for FUZZ_SECONDS (5)
# on a copy of its corpus.  FUZZ="url users" runs only these.  What it finds
# is left in build/fuzz.  FUZZ_SEED says which chances there are: 1 unless told,
# and others each time if FUZZ_SECONDS is.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use File::Path qw(make_path remove_tree);

use lib 'lib';
use Test::Hyperdrive;
use Test::Hyperdrive::Build qw(compile name_of);
use Test::Hyperdrive::Process qw(run_command);

###############################################################################

my $seconds = $ENV{FUZZ_SECONDS} || 5;
my $seed = $ENV{FUZZ_SEED} // ($ENV{FUZZ_SECONDS} ? 0 : 1);
my $work = Test::Hyperdrive::build_dir() . '/fuzz';

my @flags = ('-O1', '-fsanitize=fuzzer,address,undefined',
	'-fno-sanitize-recover=undefined', '-fno-omit-frame-pointer');

my %only = map { $_ => 1 } split ' ', $ENV{FUZZ} || '';

my @files = glob('unit/fuzz/*.c');
@files = grep { $only{name_of($_)} } @files if %only;

plan(skip_all => 'no fuzz targets') unless @files;

make_path($work);

my $clang = find_clang();
plan(skip_all => 'no clang with libFuzzer') unless $clang;

plan(tests => 2 * @files);

for my $file (@files) {
	fuzz($file, name_of($file));
}

###############################################################################

sub find_clang {
	my @found = sort { ($b =~ /(\d+)/)[0] <=> ($a =~ /(\d+)/)[0] }
		glob('/usr/bin/clang-[0-9]*');

	my $probe = "$work/probe";

	open(my $fh, '>', "$probe.c") or die "cannot write $probe.c: $!\n";
	print $fh "#include <stddef.h>\n"
		. "int LLVMFuzzerTestOneInput(const unsigned char *p, "
		. "size_t n) { return 0; }\n";
	close $fh;

	for my $cc (grep { /(?:^|\/)clang(?:-\d+)?$/ } 'clang', @found) {
		my ($status) = run_command([ $cc, '-fsanitize=fuzzer',
			'-o', $probe, "$probe.c" ]);

		return $cc if $status == 0;
	}

	return undef;
}

sub fuzz {
	my ($file, $name) = @_;

	my $program = "$work/$name";

	my ($built, $said) = eval {
		compile("$FindBin::Bin/$file", $program, cc => $clang,
			flags => \@flags);
	};

	$said = $@ unless defined $built;

	if (!ok($built, "$name compiles")) {
		diag($said);

		SKIP: {
			skip("$name does not compile", 1);
		}

		return;
	}

	# what a run adds to the corpus is its own; the seeds stay as they are

	my $corpus = "$work/corpus/$name";

	remove_tree($corpus);
	make_path($corpus);
	unlink glob("'$work/$name.found-'*");

	my $seeds = "$FindBin::Bin/unit/fuzz/corpus/$name";
	my @seeds = -d $seeds ? ($seeds) : ();

	my ($status, $out) = run_command([ 'timeout', '-k', '5',
			$seconds + 60, $program,
			"-max_total_time=$seconds", "-seed=$seed", '-timeout=30',
			'-rss_limit_mb=2048', '-print_final_stats=1',
			"-artifact_prefix=$work/$name.found-",
			$corpus, @seeds ],
		dir => $work, env => { UBSAN_OPTIONS => 'print_stacktrace=1' });

	if (ok($status == 0, "$name finds nothing in $seconds s")) {
		note("$name: $1 inputs")
			if $out =~ /number_of_executed_units:\s*(\d+)/;
		return;
	}

	my @lines = split /\n/, $out;
	@lines = @lines[-60 .. -1] if @lines > 60;

	diag($_) for @lines;
	diag("input: $_") for glob("'$work/$name.found-'*");
}

###############################################################################
