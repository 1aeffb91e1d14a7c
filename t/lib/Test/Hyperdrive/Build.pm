package Test::Hyperdrive::Build;

# Copyright (C) Hyperdrive for nginx authors

# Compiles a unit test or a fuzz target: one file with a main, and the files
# of the module that its first line names,
#
#     /* sources: sql/ngx_hyperdrive_sql.c base/ngx_hyperdrive_base_chain.c */
#     /* sources: ... libs: pg_query */

###############################################################################

use warnings;
use strict;

use Exporter qw(import);
use File::Basename qw(basename);
use File::Path qw(make_path);

use Test::Hyperdrive ();
use Test::Hyperdrive::Process qw(run_command);

our @EXPORT_OK = qw(parts compile name_of);

###############################################################################

sub name_of {
	my ($path) = @_;
	return basename($path, '.c');
}

# The sources and libraries that a file asks for; dies if it does not say.

sub parts {
	my ($path) = @_;

	open(my $fh, '<', $path) or die "cannot read $path: $!\n";
	my $text = '';

	# the comment may go over several lines

	while (defined(my $line = <$fh>)) {
		$text .= $line;
		last if $line =~ m{\*/};
	}

	$text =~ m{\A\s*/\*\s*sources:\s*(.*?)\s*\*/}s
		or die "$path does not begin with /* sources: ... */\n";

	my ($sources, $libs) = split /\s*\blibs:\s*/, $1, 2;
	tr/*/ / for grep { defined } $sources, $libs;

	return ([ split ' ', $sources ], [ split ' ', $libs // '' ]);
}

# compile($path, $out, cc => ..., flags => [ ... ]): true, and what the
# compiler said.

sub compile {
	my ($path, $out, %o) = @_;

	my $root = Test::Hyperdrive::root();
	my $nginx = Test::Hyperdrive::build_dir() . '/nginx';
	my $module = "$root/ngx_hyperdrive_module";

	die "no nginx in $nginx, run make build first\n"
		unless -e "$nginx/objs/ngx_auto_config.h";

	my ($sources, $libs) = parts($path);

	make_path($out =~ m{^(.*)/});

	my @command = ($o{cc}, @{$o{flags}}, '-g', '-W', '-Wall',
		'-Wno-unused-parameter',
		(map { "-I$nginx/$_" } qw(objs src/core src/event
			src/event/modules src/os/unix src/stream src/http
			src/http/modules)),
		"-I$module", "-I$root/t/unit", '-o', $out, $path,
		(map { "$module/$_" } @$sources),
		"$root/t/unit/ngx_stub.c",
		(map { "-l$_" } @$libs, qw(crypto pthread)));

	my ($status, $text) = run_command(\@command);

	return ($status == 0, $text);
}

###############################################################################

1;

###############################################################################
