#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: what goes back to defaults goes back to the client's
# start-up parameters, as directly, for whatever stands behind it.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive;
use Test::Hyperdrive::Compare qw(difference);
use Test::Hyperdrive::Process qw(wait_for);

###############################################################################

my $t = Test::Hyperdrive->new();

my $pg = $t->postgres(users => { app => 'pw' }, databases => [ 'shop' ],
	sql => { shop => <<'EOS' });

CREATE SCHEMA tenant;
CREATE ROLE other;
CREATE ROLE third;
GRANT other, third TO app;

EOS

my $url = $pg->url();

$t->write_file_expand('nginx.conf', <<"EOS")->run();

%%TEST_GLOBALS%%

events {
}

%%TEST_STATUS%%

stream {
    hyperdrive_users  off;

    upstream one {
        hyperdrive_origin   $url;
        hyperdrive_pool     max=1 wait=20s;
        hyperdrive_catalog  off;
    }

    server {
        listen           127.0.0.1:8080;
        hyperdrive_pass  one;
    }
}

EOS

###############################################################################

# all that a statement may find, in one row

my @names = qw(work_mem application_name search_path DateStyle TimeZone
	client_encoding lock_timeout role);

my $look = 'SELECT session_user, current_user, '
	. join(', ', map { "current_setting('$_')" } @names);

my %params = (application_name => 'first', TimeZone => 'Asia/Tokyo',
	client_encoding => 'LATIN1', lock_timeout => '70s',
	options => '-c work_mem=11MB -c search_path=tenant,public '
		. '-c DateStyle=SQL -c role=other');

my @sets = ("SET work_mem = '5MB'", "SET application_name = 'later'",
	'SET search_path = pg_temp', "SET DateStyle = 'ISO, DMY'",
	"SET TimeZone = 'UTC'", "SET client_encoding = 'UTF8'",
	"SET lock_timeout = '80s'", 'SET ROLE third');

my @forms = (
	'RESET work_mem',
	'RESET "application_name"',
	'SET work_mem TO DEFAULT',
	'SET SESSION search_path = DEFAULT',
	'RESET search_path',
	'SET LOCAL work_mem TO DEFAULT',
	'SET LOCAL search_path TO DEFAULT',
	'SET LOCAL DateStyle = DEFAULT',
	'RESET DateStyle',
	'RESET TIME ZONE',
	'SET TIME ZONE DEFAULT',
	'SET TIME ZONE LOCAL',
	'SET NAMES DEFAULT',
	'RESET lock_timeout',
	'RESET ROLE',
	'SET LOCAL role TO DEFAULT',
	'RESET SESSION AUTHORIZATION',
	'SET SESSION AUTHORIZATION DEFAULT',
	'RESET enable_sort',
	'RESET ALL',
	'DISCARD ALL',
);

# of a form, instead of none
our $values;

# what is sent at once; each returns how many answers there will be

my @ways = (
	[ 'two units', sub { query(@_, $look) } ],
	[ 'one text', sub { query($_[0], "$_[1]; $look") } ],
	[ 'amid a text', sub { query($_[0], "$look; $_[1] -- a word\n; $look;;"
		. "/* */ $_[1]; $look;") } ],
	[ 'a group', sub { group(@_, $look) } ],
	[ 'two groups', sub { group(@_) + group($_[0], $look) } ],
	[ 'a named statement and a portal', sub {
		my ($c, $form) = @_;

		$c->parse('s', $form)->describe('S', 's')->bind('p', 's')
			->describe('P', 'p')->execute('p')->parse('', $look)
			->bind('', '')->execute('')->bind('', 's')
			->execute('')->bind('', '')->execute('')
			->close_statement('s')->sync();

		return 1;
	} ],
	[ 'a group that fails', sub { group(@_, $look, 'SELECT 1 / 0') } ],
	[ 'an error in the text', sub {
		query($_[0], "$_[1]; $look; SELECT no_column") } ],
	[ 'an error of syntax', sub {
		query($_[0], "SELECT '\xc3\xa4'; $_[1]; $_[1]; SELECT 1 1") } ],
	[ 'a block', sub { query($_[0], 'BEGIN') },
		sub { query(@_) }, sub { query($_[0], $look) },
		sub { query($_[0], 'COMMIT') } ],
	[ 'a block, pipelined', sub {
		query($_[0], 'BEGIN', $_[1], $look, 'COMMIT', $look) } ],
	[ 'a block, extended', sub { group($_[0], 'BEGIN') },
		sub { group(@_) + group($_[0], $look) },
		sub { group($_[0], $look, 'COMMIT', $look) } ],
	[ 'a block that is rolled back', sub { query($_[0], 'BEGIN') },
		sub { query(@_, $look) },
		sub { query($_[0], 'ROLLBACK', $look) } ],
	[ 'a block in a text', sub { query($_[0],
		"BEGIN; $_[1]; $look; COMMIT; $look") } ],
	[ 'a savepoint that is rolled back', sub { query($_[0],
		'BEGIN', "SET work_mem = '6MB'", 'SAVEPOINT a', $_[1], $look,
		'ROLLBACK TO a', $look) },
		sub { query(@_, 'RELEASE a', $look) },
		sub { query($_[0], 'COMMIT', $look) } ],
	[ 'a block that is begun behind it', sub { group(@_, 'BEGIN', $look) },
		sub { query($_[0], $look) },
		sub { query($_[0], 'ROLLBACK') },
		sub { query($_[0], $look) } ],
	[ 'a local one, not certain to be in a block', sub { query($_[0],
		'BEGIN', 'COMMIT', "SET LOCAL work_mem TO DEFAULT", $look,
		'SAVEPOINT a', 'SET LOCAL search_path TO DEFAULT', $look) } ],
	[ 'a block that fails', sub { query($_[0], 'BEGIN', $_[1], $look) },
		sub { query($_[0], 'SELECT 1 / 0', $_[1]) },
		sub { query($_[0], 'ROLLBACK', $look) } ],
);

my ($c, $direct) = (client(params => { %params }), direct());
my $o = client(params => { work_mem => '12MB', application_name => 'another' });

is(look($c), look($direct), 'to begin with');

for my $way (@ways) {

	for my $form (@forms) {
		my ($name, @steps) = @$way;

		my @said = map { said($_, $form, @steps) } $c, $direct;

		if ($form eq 'DISCARD ALL' && $name =~ /fails|portal|behind it/) {

			# it is told later: what was sent behind the form has
			# been rolled back, and not that

			s/^S .*\n//gm for @said;
		}

		is($said[0] eq $said[1] ? '' : difference(@said), '',
			"$form, $name");
	}
}

# what nothing can be put behind, and what waits for its answer then; what a
# call returns is the database's

my @calls = (
	[ 'one call', "SELECT set_config('work_mem', NULL, false)" ],
	[ 'several calls', "SELECT set_config('work_mem', NULL, false), "
		. "set_config('search_path', NULL, false)" ],
	[ 'a local one', "SELECT set_config('work_mem', NULL, true), "
		. "set_config('search_path', NULL, false)" ],
	[ 'one by parameters', "SELECT set_config(\$1, \$2, false)",
		[ 'work_mem', undef ] ],
);

for my $way (@ways) {
	my ($name, @steps) = @$way;

	next if $name =~ /text|portal|a group|behind it/;

	for my $call (@calls) {
		my ($what, $form);

		($what, $form, local $values) = @$call;

		my @said = map { said($_, $form, @steps)
			=~ s/^[DS] (?!app ).*\n//gmr } $c, $direct;

		is($said[0] eq $said[1] ? '' : difference(@said), '',
			"$what, $name");
	}
}

# what DISCARD ALL ends is seen, with what goes behind it

$c->query('LISTEN it');
ok(wait_for(sub { pinned() == 1 }), 'a pinned client');
$c->query('DISCARD ALL');
ok(wait_for(sub { pinned() == 0 }), '...is none any more');

like(look($o), qr/^app app 12MB another "\$user", public ISO, MDY .* UTF8 0 none/,
	'the other client');

$_->close() for $c, $direct, $o;

$t->done_testing();

###############################################################################

sub client {
	return pg_client(port(8080), user => 'app', database => 'shop',
		timeout => 10, @_);
}

# the same without nginx

sub direct {
	return pg_client($pg->port(), user => 'app', password => 'pw',
		database => 'shop', timeout => 10, params => { %params });
}

sub pinned {
	return $t->status()->{upstreams}{one}{total}{pinned};
}

sub query {
	my ($c, @texts) = @_;

	my $n = 0;

	for my $text (@texts) {

		if ($values && $text =~ /\$/) {
			$n += group($c, $text);
			next;
		}

		$c->send('Q', "$text\0");
		$n++;
	}

	return $n;
}

sub group {
	my ($c, @texts) = @_;

	for my $text (@texts) {
		$c->parse('', $text)->bind('', '', $text =~ /\$/ ? $values : [])
			->execute('');
	}

	$c->sync();

	return 1;
}

sub look {
	my ($c) = @_;
	return join ' ', map { $_ // 'NULL' } @{$c->query($look)->row() || []};
}

# All that a client is told, from where it has settings of its own; somebody
# else has had the connection before, and between the steps, where he can.

sub said {
	my ($client, $form, @steps) = @_;

	my @lines;

	$client->query('RESET ALL; RESET SESSION AUTHORIZATION');
	$client->query($_) for @sets;

	for my $step (@steps, sub { query($_[0], $look) }) {
		$o->query($look) if $client == $c && $c->status() eq 'I';

		my $n = $step->($client, $form);

		for my $i (1 .. $n) {
			push @lines, map { line($_) }
				$client->result()->messages();
		}
	}

	# and what it knows in the end

	my $told = $client->parameters();

	return join "\n", @lines, map { "$_ is $told->{$_}" }
		qw(application_name client_encoding DateStyle TimeZone);
}

sub line {
	my ($m) = @_;

	my $type = $m->{type};

	return join ' ', $type, $type eq 'D' ? @{$m->{values}}
		: $type eq 'S' ? "$m->{key}=$m->{value}"
		: $type =~ /[EN]/ ? map { $_ // '-' } @{$m->{fields}}{qw(C M P)}
		: $type eq 'C' ? $m->{tag}
		: $type eq 'Z' ? $m->{status} : ();
}

###############################################################################
