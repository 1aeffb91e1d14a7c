package Test::Hyperdrive::Build;

# Copyright (C) Hyperdrive for nginx authors

# Compiles a unit test or a fuzz target: one file with a main, and the files
# of the module that its first line names,
#
#     /* sources: sql/ngx_hyperdrive_sql.c base/ngx_hyperdrive_base_chain.c */
#     /* sources: pg/ state/ base/ libs: pg_query */
#
# ROOM/ stands for those files of a room that are needed.
#
# What several of them share is compiled once for the same flags, and again
# when a file that it was made of has changed.

###############################################################################

use warnings;
use strict;

use Digest::MD5 qw(md5_hex);
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

	# the module does without it, too

	my @libs = grep { $_ ne 'zstd' || -e '/usr/include/zstd.h' }
		split ' ', $libs // '';

	return ([ split ' ', $sources ], \@libs);
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

	my @cc = ($o{cc}, @{$o{flags}}, '-g', '-W', '-Wall',
		'-Wno-unused-parameter',
		(map { "-I$nginx/$_" } qw(objs src/core src/event
			src/event/modules src/os/unix src/stream src/http
			src/http/modules)),
		"-I$module", "-I$root/t/unit",
		(map { "-I$_" } grep { -d } '/usr/include/luajit-2.1',
			'/usr/local/include/luajit-2.1'));

	my $dir = Test::Hyperdrive::build_dir() . '/objects/'
		. substr(md5_hex("@cc"), 0, 12);

	make_path($dir);

	# what may be needed, and is not, stays out of the program

	my @rooms = map { m{^(\w+)/$} ? glob("$module/$1/*.c") : () }
		@$sources;

	my @files = map { "$module/$_" } grep { !m{/$} } @$sources;

	my $said = '';
	my %objects;

	for my $source ($path, "$root/t/unit/ngx_stub.c", @files, @rooms) {

		my ($object, $text) = object($source, $dir, @cc);

		$said .= $text;
		return (0, $said) unless defined $object;

		$objects{$source} = $object;
	}

	my @objects = @objects{$path, "$root/t/unit/ngx_stub.c", @files};

	if (@rooms) {
		my $archive = "$out.a";

		unlink($archive);

		my ($status, $text) = run_command([ 'ar', 'rcs', $archive,
			@objects{@rooms} ]);

		return (0, $said . $text) if $status;

		push @objects, $archive;
	}

	my ($status, $text) = run_command([ @cc, '-o', $out, @objects,
		(map { "-l$_" } @$libs, qw(crypto pthread)) ]);

	return ($status == 0, $said . $text);
}

# The object of one file, and what the compiler said; undef: it failed.

sub object {
	my ($source, $dir, @cc) = @_;

	my $object = "$dir/" . substr(md5_hex($source), 0, 12) . '-'
		. basename($source, '.c') . '.o';

	return ($object, '') if fresh($object);

	# another test may be at the same file

	my $new = "$object.$$";

	my ($status, $text) = run_command([ @cc, '-c', '-MMD', '-MF', "$new.d",
		'-o', $new, $source ]);

	if ($status) {
		unlink($new, "$new.d");
		return (undef, $text);
	}

	rename("$new.d", "$object.d") or die "cannot rename $new.d: $!\n";
	rename($new, $object) or die "cannot rename $new: $!\n";

	return ($object, $text);
}

# Not older than any file that it was made of.

sub fresh {
	my ($object) = @_;

	my $made = (stat($object))[9] // return 0;

	open(my $fh, '<', "$object.d") or return 0;
	local $/;

	my (undef, $files) = split /:/, scalar(<$fh>) // '', 2;

	for my $file (split /(?:\s|\\\n)+/, $files // '') {
		next if $file eq '';

		my $changed = (stat($file))[9] // return 0;
		return 0 if $changed >= $made;
	}

	return 1;
}

###############################################################################

1;

###############################################################################
