#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: it builds as any dynamic module does, with an nginx
# that has neither debug logging nor HTTP.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use Cwd qw(abs_path);
use File::Temp qw(tempdir);

###############################################################################

my $source = $ENV{TEST_HYPERDRIVE_NGINX_SRC} || '/usr/share/nginx/src';
my $module = 'ngx_stream_hyperdrive_module.so';

plan(skip_all => "no nginx sources in $source") unless -d $source;
plan(tests => 4);

my $dir = tempdir(CLEANUP => 1);

# configure takes a relative path: it would break on a blank

symlink(abs_path('..'), "$dir/hyperdrive") or die "cannot link: $!\n";

ok(run('cp', '-R', $source, "$dir/nginx"), 'the sources of nginx');

my $configure = -x "$dir/nginx/configure" ? './configure' : 'auto/configure';

ok(run('sh', '-c', "cd $dir/nginx && $configure --with-compat --with-stream"
	. ' --with-stream_ssl_module --without-http --with-cc-opt=-O0\ -g0'
	. ' --add-dynamic-module=../hyperdrive'), 'configure');

delete $ENV{MAKEFLAGS};

ok(run('make', '-C', "$dir/nginx", '-s', '-j2', '-f', 'objs/Makefile',
	"objs/$module"), 'make, and warnings are errors');

my $symbols = `nm -D "$dir/nginx/objs/$module"` || '';

ok($symbols =~ / D ngx_modules$/m && $symbols !~ /ngx_http_/,
	'a stream module and no http module');

###############################################################################

# true if it has succeeded; else what it said is shown

sub run {
	my (@command) = @_;

	my $pid = open(my $fh, '-|') // die "cannot fork: $!\n";

	if (!$pid) {
		open(STDERR, '>&', \*STDOUT);
		exec(@command) or die "cannot run $command[0]: $!\n";
	}

	my @lines = <$fh>;

	return 1 if close($fh);

	splice(@lines, 0, @lines - 40) if @lines > 40;
	diag(@lines);

	return 0;
}

###############################################################################
