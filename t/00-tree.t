#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# The tree as it is agreed to be: who includes whom, names that tell the file,
# the form of the sources, and docs that speak of what is there.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir("$FindBin::Bin/.."); }

use File::Basename qw(basename dirname);
use File::Find qw(find);

###############################################################################

# The rooms and what each may include, besides itself and ngx_hyperdrive.h;
# "proto" is ngx_hyperdrive_proto.h.  docs/architecture.md has the same table.

my %may = (
	base    => '',
	sql     => 'base',
	state   => 'base',
	pg      => 'base state proto',
	mysql   => 'base state proto',
	shm     => 'base',
	cache   => 'base shm',
	net     => 'base',
	peer    => 'base shm net',
	policy  => 'base sql shm',
	origin  => 'base state proto shm net peer',
	session => 'base sql state proto shm cache net peer policy origin',
	admin   => 'base shm cache origin proto',
);

my $top = 'ngx_hyperdrive_module';

# unit tests and tools have the form too

my @module = files($top, qr/\.[ch]$/);
my @sources = (@module, files('t', qr/\.[ch]$/));
my @docs = grep { -e } glob('docs/*.md'), 'README.md';

plan(skip_all => 'no sources') unless @module;
plan(tests => 12);

none('every include follows the table of rooms', map { includes($_) } @module);
none('every file has the name of its room', map { file_names($_) } @module);
none('every symbol begins with the name of its room',
	map { symbols($_) } @module);
none('every file begins as all do', map { header($_) } @module);
none('no tabs and no blanks at the end', map { blanks($_) } @sources);
none('no line is longer than 80 columns', map { columns($_) } @sources);
none('no file is longer than 1000 lines', map { lines($_) } @module);

SKIP: {
	skip('no config yet', 2) unless -e 'config';

	none('every source is built', built());
	none('every file that config names is there', config_names());
}

none('every path in the docs exists', map { paths($_) } @docs);

SKIP: {
	my %directives = directives();

	skip('no directives yet', 2) unless %directives;

	none('every directive has an entry in docs/directives.md',
		undocumented(%directives));
	none('the docs name no directive that is not there',
		map { unknown($_, %directives) } @docs);
}

###############################################################################

sub none {
	my ($name, @found) = @_;

	ok(!@found, $name);
	diag($_) for @found;
}

sub files {
	my ($dir, $pattern) = @_;

	my @files;

	return () unless -d $dir;

	find({ no_chdir => 1, wanted => sub {
		push @files, $_ if -f && $_ =~ $pattern
			&& !m{/node_modules/};
	} }, $dir);

	return sort @files;
}

my %text;

sub text {
	my ($file) = @_;

	return $text{$file} //= do {
		open(my $fh, '<', $file) or die "cannot read $file: $!\n";
		local $/;
		scalar(<$fh>) // '';
	};
}

# '' for a file at the root

sub room {
	my ($file) = @_;
	return $file =~ m{^\Q$top\E/(\w+)/} ? $1 : '';
}

###############################################################################

sub includes {
	my ($file) = @_;

	my $room = room($file);
	my @bad;

	if ($room ne '' && !exists $may{$room}) {
		return "$file: there is no room \"$room\"";
	}

	my %allowed = map { $_ => 1 } $room, split ' ', $may{$room} || '';

	my $text = text($file);

	while ($text =~ /^\s*#\s*include\s+"([^"]+)"/mg) {
		my $name = $1;

		# a neighbour may be named without the room

		$name = "$room/$name" if -e "$top/$room/$name";

		if (!-e "$top/$name") {
			push @bad, "$file: \"$name\" is not a path from $top";
			next;
		}

		next if $room eq '' || $name eq 'ngx_hyperdrive.h';

		my $target = $name eq 'ngx_hyperdrive_proto.h' ? 'proto'
			: $name =~ m{^(\w+)/} ? $1 : 'the root';

		push @bad, "$file: $room may not include $target ($name)"
			unless $allowed{$target};
	}

	return @bad;
}

sub file_names {
	my ($file) = @_;

	my $room = room($file);
	my $name = basename($file);

	my $pattern = $room eq ''
		? qr/^ngx_(?:(?:stream|http)_)?hyperdrive(?:_\w+)?\.[ch]$/
		: qr/^ngx_hyperdrive_\Q$room\E(?:_\w+)?\.[ch]$/;

	return $name =~ $pattern ? () : "$file: not a name for this room";
}

# Functions and variables that the linker sees.  The form of the sources
# makes them plain: a function's name is the first thing on its line, and what
# precedes it is its type.

sub symbols {
	my ($file) = @_;

	return () unless $file =~ /\.c$/;

	my $room = room($file);

	my $prefix = $room eq ''
		? qr/^ngx_(?:(?:stream|http)_)?hyperdrive_/
		: qr/^ngx_hyperdrive_\Q$room\E(?:_|$)/;

	my $text = text($file);

	$text =~ s{/\*.*?\*/}{ join('', $& =~ /\n/g) }gse;
	$text =~ s{^[ \t]*#(?:.*\\\n)*.*$}{}mg;

	my @names;

	# a body or a list of arguments follows: a definition

	while ($text =~ /^(?!static\b|typedef\b|extern\b)[a-z][\w \*]*\n
			(\w+)\([^;{]*?\)\n\{/xmg)
	{
		push @names, $1;
	}

	while ($text =~ /^(?!static\b|typedef\b|extern\b|struct\s+\w+\s*\{)
			[a-z]\w*(?:\s+\w+)*[\s\*]+(\w+)(?:\[[^\]]*\])*
			\s*(?:=|;)/xmg)
	{
		push @names, $1;
	}

	return map { "$file: $_" } grep { $_ !~ $prefix } @names;
}

sub header {
	my ($file) = @_;

	return () if text($file) =~ m{\A\n/\*\n
		(?:\ \*\ Copyright\ \(C\)\ [^\n]+\n)*
		\ \*\ Copyright\ \(C\)\ Hyperdrive\ for\ nginx\ authors\n
		\ \*/\n}x;

	return "$file: does not begin with a blank line and the copyright";
}

sub grep_lines {
	my ($file, $test, $why) = @_;

	my $n = 0;
	my @bad;

	for my $line (split /\n/, text($file), -1) {
		$n++;
		push @bad, "$file:$n: $why" if $test->($line);
	}

	return @bad;
}

sub blanks {
	my ($file) = @_;

	my @bad = grep_lines($file, sub { $_[0] =~ /\t|[ \r]$/ },
		'tab or blank at the end');

	push @bad, "$file: no newline at the end" if text($file) !~ /\n\z/;

	return @bad;
}

sub columns {
	my ($file) = @_;

	# the list that heads a unit test is read by a program

	return grep_lines($file, sub {
		length($_[0]) > 80 && $_[0] !~ m{^/\* sources: };
	}, 'too long');
}

sub lines {
	my ($file) = @_;

	# a table that a script has written

	return () if substr(text($file), 0, 600) =~ /\bmade by t\//;

	my $n = () = text($file) =~ /\n/g;
	return $n > 1000 ? "$file: $n lines" : ();
}

###############################################################################

# config may list files or find them: names count, and so does a glob

sub built {
	my $config = text('config');

	return () if $config =~ /\*\.c|-name/;

	return map { "$_ is not in config" }
		grep { index($config, basename($_)) < 0 }
		grep { /\.c$/ } @module;
}

sub config_names {
	my %known = map { basename($_) => 1 } @module;

	return map { "config names $_" } grep { !$known{$_} }
		text('config') =~ /\b(ngx_\w*hyperdrive\w*\.[ch])\b/g;
}

###############################################################################

sub paths {
	my ($file) = @_;

	my @bad;

	my $text = text($file);

	while ($text =~ m{(?<![\w./-])((?:t|docs|\.ci|\Q$top\E)/
		[\w./*-]*[\w*/])}xg)
	{
		my $path = $1;

		# a pattern, or a NAME that stands for any

		push @bad, "$file names $path"
			unless -e $path || glob($path) || $path =~ /NAME/;
	}

	# links between the docs

	while ($text =~ m{\]\((?!\w+:|#)([^)#\s]+)}g) {
		my $path = dirname($file) . "/$1";

		push @bad, "$file links to $1" unless -e $path;
	}

	return @bad;
}

sub directives {
	my %directives;

	for my $file (grep { /\.c$/ } @module) {
		my $text = text($file);

		while ($text =~ /^static\s+ngx_command_t\s+\w+\[\]\s*=\s*\{
				(.*?)ngx_null_command/xmsg)
		{
			my $table = $1;

			$directives{$_} = $file
				for $table =~ /ngx_string\("(\w+)"\)/g;
		}
	}

	return %directives;
}

sub undocumented {
	my (%directives) = @_;

	return 'there is no docs/directives.md' unless -e 'docs/directives.md';

	my %entries = map { $_ => 1 }
		text('docs/directives.md') =~ /^### `?(\w+)`?[ \t]*$/mg;

	return (
		(map { "no entry for $_ ($directives{$_})" }
			grep { !$entries{$_} } sort keys %directives),
		(map { "an entry for $_, which is no directive" }
			grep { !$directives{$_} } sort keys %entries),
	);
}

# Not a directive: a variable ($hyperdrive_x), a symbol or file of the source,
# a metric, which is named in full elsewhere.

sub unknown {
	my ($file, %directives) = @_;

	my %bad;

	my $text = text($file);

	while ($text =~ /(?<![\$\w.\/-])(hyperdrive_[a-z_]+\b)(?![.\/*\w])/g) {
		$bad{"$file names $1"} = 1 unless $directives{$1};
	}

	return sort keys %bad;
}

###############################################################################
