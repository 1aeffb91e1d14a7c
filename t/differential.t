#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: scripts of what clients do, made by chance, are answered
# through nginx as they are directly, message by message.
#
# DIFF_SECONDS=600 prove t/differential.t   new scripts for so long...
# DIFF_FIRST=1 DIFF_MAX=10                  ...from this seed on, until so many
#                                           differ (1)
# DIFF_SEED=7                               only the script of this seed
# DIFF_SCRIPT=FILE                          only what stands in a file
#
# What differs is shown as the shortest script that still does; if it was a
# defect, that goes into t/differential with its mend.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive;
use Test::Hyperdrive::Differential qw(to_text from_text);
use Test::Hyperdrive::Differential::PG qw(run differ minimise);
use Test::Hyperdrive::Differential::PG::Script qw(script setup begin
	altered);
use Test::Hyperdrive::Process qw(wait_for);
use Time::HiRes qw(time);

###############################################################################

my $seconds = $ENV{DIFF_SECONDS} || 15;
my $once = $ENV{DIFF_SEED} || $ENV{DIFF_SCRIPT};
my $patience = 6;

# database => how it is reached

my %ways = (direct => 0, off => 8080, on => 8081, one => 8082);

my $t = Test::Hyperdrive->new(timeout => $seconds + 300);

my $pg = $t->postgres(users => { u0 => undef,
		u1 => { password => undef, attributes => 'SUPERUSER' } },
	settings => { log_min_messages => 'panic', log_connections => 'off',
		log_min_error_statement => 'panic', max_prepared_transactions => 5 },
	databases => [ 'direct' ],
	sql => { direct => 'CREATE ROLE r0; CREATE ROLE r1; '
		. 'GRANT r0, r1 TO u0;' . setup() });

$pg->psql("CREATE DATABASE \"$_\" TEMPLATE direct OWNER u0")
	for grep { $_ ne 'direct' } keys %ways;

my $conf = $t->expand(<<'EOF');

%%TEST_GLOBALS%%

worker_processes 2;

events {
}

%%TEST_STATUS%%

stream {
    hyperdrive_cache_zone  shop 8m;
    hyperdrive_users       users.txt;

    upstream off {
        hyperdrive_origin  postgres://127.0.0.1:%%PG%%/off?sslmode=disable;
        hyperdrive_pool    max=5 wait=3s;
    }

    upstream on {
        hyperdrive_origin  postgres://127.0.0.1:%%PG%%/on?sslmode=disable;
        hyperdrive_pool    max=5 wait=3s;
    }

    # no catalog is read here, which would need a connection as well

    upstream one {
        hyperdrive_origin   postgres://127.0.0.1:%%PG%%/one?sslmode=disable;
        hyperdrive_pool     max=1 wait=3s;
        hyperdrive_catalog  off;
    }

    server {
        listen           127.0.0.1:8080;
        hyperdrive_pass  off;
    }

    server {
        listen            127.0.0.1:8081;
        hyperdrive_pass   on;
        hyperdrive_cache  shop;
    }

    server {
        listen           127.0.0.1:8082;
        hyperdrive_pass  one;
    }
}

EOF

my $port = $pg->port();

$conf =~ s/%%PG%%/$port/g;

# hours of it would fill the disk
$conf =~ s/debug;/notice;/ if $seconds > 60 && !$once;

$t->write_file('users.txt', qq{"u0" "pw"\n"u1" "pw"\n});
$t->write_file('nginx.conf', $conf);
$t->run();

my $look = $pg->client(database => 'direct');

# a client each, so that all catalogs are known

prepare($_) for keys %ways;
$t->wait_catalog($_) for 'off', 'on';

###############################################################################

if ($ENV{DIFF_SCRIPT}) {
	is(check(from_text(text($ENV{DIFF_SCRIPT})), \&show_all), '',
		$ENV{DIFF_SCRIPT});

} elsif ($ENV{DIFF_SEED}) {
	is(seed($ENV{DIFF_SEED}), '', "seed $ENV{DIFF_SEED}");

} else {
	for my $file (sort glob('differential/*.script')) {
		is(check(from_text(text($file))), '',
			$file =~ s{.*/(.*)\.script}{$1 =~ y/_/ /r}er);
	}

	my $end = time() + $seconds;
	my $first = $ENV{DIFF_FIRST}
		|| ($ENV{DIFF_SECONDS} ? time() % 1000000 * 1000 : 1);
	my ($n, $steps, $failed) = (0, 0, 0);

	while (time() < $end && $failed < ($ENV{DIFF_MAX} || 1)
		&& ($ENV{DIFF_SECONDS} || $n < 36))
	{
		my $differs = seed($first + $n++, \$steps);

		next if $differs eq '';

		$failed++;
		fail('seed ' . ($first + $n - 1));
		diag($differs);
	}

	ok(!$failed, 'scripts by chance');
	diag("$n scripts, $steps steps");
}

$t->done_testing();

###############################################################################

sub text {
	my ($file) = @_;

	open(my $fh, '<', $file) or die "cannot read $file: $!\n";
	return join('', <$fh>);
}

sub client {
	my ($way, %o) = @_;

	return $pg->client(database => 'direct', timeout => 5,
		host => '127.0.0.1', quiet => 1, %o) if $way eq 'direct';

	return pg_client(port($ways{$way}), database => $way, timeout => $patience,
		password => 'pw', quiet => 1, %o);
}

# All is as in the beginning, and nobody is there any more.

sub prepare {
	my ($way) = @_;

	my $sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = '$way' "
		. ($way eq 'direct' ? 'AND pid <> pg_backend_pid()'
		: "AND state <> 'idle'");

	wait_for(sub { !$look->query($sql)->value() }, 20, "$way is free");

	$sql = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND "
		. "database = (SELECT oid FROM pg_database WHERE datname = '$way')";

	wait_for(sub { !$look->query($sql)->value() }, 20, "$way has no locks");

	my $c = client($way, user => 'u1');

	for my $request (begin()) {
		my $error = $c->query($request)->error();
		die "$way: $error->{M}\n" if $error;
	}

	$c->close();
}

sub answers {
	my ($script, $way) = @_;

	prepare($way);

	my $log = run($script, client => sub { client($way, @_) },
		running => sub {
			my ($over) = @_;

			my $sql = 'SELECT count(*) FROM pg_stat_activity '
				. "WHERE datname = '$way' "
				. "AND wait_event = 'PgSleep'";

			wait_for(sub { $look->query($sql)->value()
				|| $over->() }, 30, 'a sleep');
		});

	forget($way, $script);

	return $log;
}

# What would be in the way of the next.

sub forget {
	my ($way, $script) = @_;

	my $sql = "SELECT gid FROM pg_prepared_xacts WHERE database = '$way'";

	$pg->psql("ROLLBACK PREPARED '$_->[0]'", db => $way)
		for @{$look->query($sql)->rows()};

	my @requests = altered($script);
	return unless @requests;

	my $c = client($way, user => 'u1');

	for my $request (@requests) {
		my $error = $c->query($request)->error();
		die "$way: $error->{M}\n" if $error;
	}

	$c->close();
}

# What is in the tables behind it all.

sub left {
	my ($way) = @_;

	return join("\n", $pg->psql(join('; ', 'TABLE shared ORDER BY who',
		map { ("TABLE s$_.t ORDER BY id", "TABLE s$_.child ORDER BY id",
		"TABLE s$_.serial ORDER BY id", "SELECT last_value FROM s$_.sq")
		} 0 .. 2), db => $way));
}

sub seed {
	my ($seed, $steps) = @_;

	my $script = script($seed, turns => $seed % 3 == 0);

	$$steps += @{$script->{steps}} if $steps;

	my $differs = check($script);
	return '' if $differs eq '';

	note("DIFF_SEED=$seed\n$differs");

	# what hangs takes its time

	my $end = time() + ($ENV{DIFF_MINIMISE} || 60);
	my $less = minimise($script, sub {
		time() < $end && check($_[0]) ne '';
	});

	return "DIFF_SEED=$seed\n" . to_text($less)
		. (check($less) || "(sometimes)\n$differs");
}

# How a script is answered otherwise than directly, '' for not at all.

sub check {
	my ($script, $say) = @_;

	my $direct = answers($script, 'direct');

	# what the database itself does not answer is no script

	if (my ($why) = grep { /^client \d: failed:/ } @{$direct->[-1]}) {
		note("no script: $why\n" . to_text({ %$script, steps =>
			[ grep { defined } @{$script->{steps}}[0 .. $#$direct - 1] ] }));
		return '';
	}

	my $rows = left('direct');
	my @on = $script->{turns} ? 'one' : ('off', 'on');

	for my $way (@on) {
		my $got = answers($script, $way);
		my $differs = differ($direct, $got);

		$say->($direct) if $say && $way eq $on[0];

		return "$way, $differs" if $differs ne '';
		return '' if grep { /C=53300/ } map { @$_ } @$got;

		my $other = left($way);

		return "$way, what is left:\n$rows\nbut got\n$other"
			if $rows ne $other;
	}

	return '';
}

sub show_all {
	my ($log) = @_;

	note(join("\n", map { 'step ' . ($_ - 1) . ': '
		. join("\n    ", @{$log->[$_]}) } 0 .. $#$log));
}

###############################################################################
