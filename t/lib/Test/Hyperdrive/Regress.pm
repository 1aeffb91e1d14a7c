package Test::Hyperdrive::Regress;

# Copyright (C) Hyperdrive for nginx authors

# PostgreSQL's own regression suite, run by its pg_regress against a database
# directly and through the module.  The suite comes with Debian's source
# package; the C functions that some of its tests load are compiled here.

###############################################################################

use warnings;
use strict;

use File::Glob qw(:bsd_glob);
use File::Path qw(make_path remove_tree);

use Test::Hyperdrive;
use Test::Hyperdrive::Postgres;

our $USER = 'regress';
our $DATABASE = 'regression';

# a test of our own, and the tables that it is about
my $VISIBLE = 'all_visible';
my @VISIBLE = qw(onek onek2 tenk1 tenk2);

# Tests that look at the process behind their connection; docs/postgres.md
# tells why.

our %EXCEPTIONS = (
	triggers => 'a function in C keeps a switch in its memory',
	stats => 'a client is not one more session of the database',
	temp => 'a schema of temporary tables stays behind the last of them',
);

###############################################################################

# new($t): dies with the reason if the suite cannot be had here.  It is kept
# with the build: a second call needs no network.

sub new {
	my ($class, $t) = @_;

	my $self = bless { t => $t }, $class;

	my $bin = Test::Hyperdrive::Postgres::bin('');
	my ($version) = $bin =~ m{/(\d+)/bin};

	die "no Debian package of PostgreSQL\n" unless $version;

	$self->{version} = $version;
	$self->{libdir} = "/usr/lib/postgresql/$version/lib";
	$self->{program} =
		"$self->{libdir}/pgxs/src/test/regress/pg_regress";

	die "no $self->{program}\n" unless -x $self->{program};

	$self->{kept} = Test::Hyperdrive::build_dir() . '/regress';
	make_path($self->{kept});

	$self->_source();
	$self->_library();

	return $self;
}

# Where the diffs and results of a run are left.

sub kept {
	my ($self, $name) = @_;
	return "$self->{kept}/$name";
}

sub _source {
	my ($self) = @_;

	$self->{suite} = source("postgresql-$self->{version}")
		. '/src/test/regress';
}

# source('NAME'): the folder of a Debian source package, fetched if it is not
# there yet; dies if that cannot be done.

sub source {
	my ($package) = @_;

	my $root = Test::Hyperdrive::root();
	my $dir = Test::Hyperdrive::build_dir() . '/source';

	my ($status, $out) = Test::Hyperdrive::run_command([ 'sh',
		"$root/t/lib/source.sh", $package, $dir ]);

	die "the source package $package cannot be had: "
		. ((split /\n/, $out)[-1] // '') . "\n" if $status;

	return "$dir/$package";
}

# regress.so: only headers are needed, so their package is unpacked, not
# installed with the compilers it depends on.

sub _library {
	my ($self) = @_;

	my $lib = "$self->{kept}/lib";

	return if -e "$lib/regress.so";

	remove_tree("$self->{kept}/headers", "$lib.new");
	make_path("$self->{kept}/headers", "$lib.new");

	my $server = "include/postgresql/$self->{version}/server";
	my $headers = "/usr/$server";

	if (!-e "$headers/postgres.h") {
		_do("cd '$self->{kept}/headers' && apt-get -q download "
			. "-o APT::Sandbox::User= "
			. "postgresql-server-dev-$self->{version} "
			. '&& dpkg -x *.deb .');
		$headers = "$self->{kept}/headers/usr/$server";
	}

	# they may be of a later minor version than the server; the suite's
	# own sources are not, and lack only what is generated

	_do("cc -O2 -fPIC -shared -w -I '$self->{suite}/../../include' "
		. "-I '$headers' -I /usr/include/postgresql "
		. "-o '$lib.new/regress.so' '$self->{suite}/regress.c'");

	# these are in the server's package, the suite wants them beside

	for my $name ('autoinc', 'refint') {
		_do("cp '$self->{libdir}/$name.so' '$lib.new/'");
	}

	rename "$lib.new", $lib or die "cannot rename $lib.new: $!\n";
}

# frontend('src/...c'): a program of PostgreSQL's sources that is a client,
# compiled; dies if it cannot be.

sub frontend {
	my ($self, $file) = @_;

	my ($name) = $file =~ m{([^/]+)\.c$};
	my $program = "$self->{kept}/$name";

	return $program if -x $program;

	my $server = "include/postgresql/$self->{version}/server";
	my $lib = "lib/postgresql/$self->{version}/lib";

	# where the headers are installed, so are the libraries

	my ($root) = grep { -e "$_/$server/postgres_fe.h" } '/usr',
		"$self->{kept}/headers/usr";

	die "no postgres_fe.h\n" unless $root;

	_do("cc -O1 -w -I '$root/$server' -I /usr/include/postgresql "
		. "-I /usr/include/postgresql/internal -o '$program.new' "
		. "'" . source("postgresql-$self->{version}") . "/$file' "
		. "-L '$root/$lib' -lpq -lpgcommon -lpgport "
		. "&& mv '$program.new' '$program'");

	return $program;
}

sub version {
	my ($self) = @_;
	return $self->{version};
}

sub _do {
	my ($command) = @_;

	my ($status, $out) = Test::Hyperdrive::run_command([ 'sh', '-c',
		$command ]);
	die "$command:\n$out\n" if $status;
}

###############################################################################

# Starts a database as the suite expects it.

sub postgres {
	my ($self) = @_;

	my $t = $self->{t};

	my $pg = $t->postgres(
		users => { $USER => { attributes => 'SUPERUSER' } },
		databases => [ $DATABASE ],
		hba => [ 'local all all trust',
			'host all all 127.0.0.1/32 trust' ],
		settings => {
			max_prepared_transactions => 2,
			shared_buffers => '128MB',
			max_connections => 100,
			lc_messages => 'C',
			synchronous_commit => 'off',
			log_connections => 'off',
			log_statement => 'none',
			log_min_messages => 'fatal',
		}
	);

	# as pg_regress does with a database that it creates itself

	$pg->psql(join "\n", map { "ALTER DATABASE $DATABASE SET $_;" }
		"lc_messages TO 'C'", "lc_monetary TO 'C'",
		"lc_numeric TO 'C'", "lc_time TO 'C'",
		"bytea_output TO 'hex'",
		"timezone_abbreviations TO 'Default'");

	return $pg;
}

# nginx($pg, cache => 1, max => 40): 8080 is a server before the database.

sub nginx {
	my ($self, $pg, %o) = @_;

	my $t = $self->{t};
	my $max = $o{max} || 40;
	my $origin = $pg->port();

	$t->write_file_expand('nginx.conf', <<"CONF")->run();

%%TEST_GLOBALS%%

worker_processes      2;
worker_rlimit_nofile  4096;

events {
    worker_connections  1024;
}

stream {
    hyperdrive_cache_zone  suite 64m;

    upstream suite {
        hyperdrive_origin  postgres://$USER\@127.0.0.1:$origin/$DATABASE?sslmode=disable;
        hyperdrive_pool    max=$max wait=60s;
    }

    server {
        listen            127.0.0.1:8080;
        hyperdrive_pass   suite;
        hyperdrive_users  off;
        @{[ $o{cache} ? 'hyperdrive_cache  suite max_age=60s;' : '' ]}
    }
}

%%TEST_STATUS%%

CONF
}

# run('NAME', port, tests => [ ... ] or the whole schedule, timeout => s):
# gives { test => 'ok' | 'failed' }.

sub run {
	my ($self, $name, $port, %o) = @_;

	my $t = $self->{t};
	my $dir = $t->testdir() . "/regress-$name";

	# the database reads and writes files here, as its own user

	$self->_copy_suite();

	make_path("$dir/results");
	chmod 0777, $dir, "$dir/results";

	my $schedule = $self->_schedule($o{tests});

	my $start = time();

	my ($status, $out) = Test::Hyperdrive::run_command([ 'timeout', '-k',
			'5', $o{timeout} || 900, $self->{program},
		"--inputdir=$self->{input}", "--outputdir=$dir",
		"--dlpath=$self->{input}/lib",
		'--bindir=' . Test::Hyperdrive::Postgres::bin(''),
		'--host=127.0.0.1', "--port=$port", "--user=$USER",
		"--dbname=$DATABASE", '--use-existing',
		'--max-concurrent-tests=20', "--schedule=$schedule" ],
		dir => $dir);

	my $kept = $self->kept($name);

	remove_tree($kept);
	_do("cp -a '$dir' '$kept'");

	open(my $fh, '>', "$kept/output") or die "cannot write: $!\n";
	print $fh $out;
	close $fh;

	$self->{seconds}{$name} = time() - $start;

	my %result;

	for (split /\n/, $out) {
		next unless /^(?:test |\s+)(\S+)\s+\.\.\. (ok|FAILED|failed)/;
		$result{$1} = $2 eq 'ok' ? 'ok' : 'failed';
	}

	return \%result;
}

sub seconds {
	my ($self, $name) = @_;
	return $self->{seconds}{$name};
}

sub _copy_suite {
	my ($self) = @_;

	return if $self->{input};

	$self->{input} = $self->{t}->testdir() . '/suite';

	_do("cp -a '$self->{suite}' '$self->{input}'");
	_do("cp -a '$self->{kept}/lib' '$self->{input}/lib'");

	$self->_visible();

	_do("chmod -R a+rX '$self->{input}'");
}

# Plans that create_index expects need tables all of whose rows are visible to
# everybody.  test_setup's VACUUM leaves some that are not if another session,
# one that only reads, is at work just then: autovacuum, or who reads the
# catalog through nginx.  So it is done again until they are.

sub _visible {
	my ($self) = @_;

	my $names = join ', ', @VISIBLE;
	my $list = join ', ', map { "'$_'" } @VISIBLE;

	# psql has no loops; what it does not run it echoes all the same

	my $text = <<"EOS" x 100;
SELECT count(*) > 0 AS again FROM pg_class WHERE relname IN ($list) AND relallvisible < relpages \\gset
\\if :again
VACUUM $names;
\\endif
EOS

	for my $file ("sql/$VISIBLE.sql", "expected/$VISIBLE.out") {
		open(my $fh, '>', "$self->{input}/$file")
			or die "cannot write $file: $!\n";
		print $fh $text;
		close $fh;
	}

	my $schedule = "$self->{input}/parallel_schedule";

	_do("sed -i 's/^test: test_setup\$/&\\ntest: $VISIBLE/' '$schedule'");
}

# tests(without): the names of all tests, in the order of the schedule.

sub tests {
	my ($self, @without) = @_;

	my %without = map { $_ => 1 } @without;
	my @tests;

	open(my $fh, '<', "$self->{suite}/parallel_schedule")
		or die "cannot read the schedule: $!\n";

	while (<$fh>) {
		push @tests, grep { !$without{$_} } split if s/^test:\s*//;
	}

	return @tests;
}

# The suite's own schedule; of some tests only, in the same order and with the
# same neighbours as there.

sub _schedule {
	my ($self, $tests) = @_;

	my $own = "$self->{input}/parallel_schedule";

	return $own unless $tests;

	my %wanted = map { $_ => 1 } @$tests, $VISIBLE;
	my @lines;

	open(my $fh, '<', $own) or die "cannot read $own: $!\n";

	while (<$fh>) {
		next unless s/^test:\s*//;
		my @some = grep { $wanted{$_} } split;
		push @lines, "test: @some\n" if @some;
	}

	my $name = 'schedule-' . scalar(@$tests);
	$self->{t}->write_file($name, join '', @lines);

	return $self->{t}->testdir() . "/$name";
}

###############################################################################

# lost('NAME', direct, through): the tests whose result is neither what the
# suite expects nor what came directly.  (The suite may be a minor version
# older or newer than the database: some tests fail either way, and must do it
# alike.)

sub lost {
	my ($self, $name, $direct, $through) = @_;

	return sort grep {
		!$EXCEPTIONS{$_} && ($through->{$_} // '') ne 'ok'
		&& ($direct->{$_} eq 'ok' || $self->_differ($name, $_))
	} keys %$direct;
}

sub _differ {
	my ($self, $name, $test) = @_;

	my ($status) = Test::Hyperdrive::run_command([ 'cmp', '-s',
		map { $self->kept($_) . "/results/$test.out" }
		'direct', $name ]);

	return $status != 0;
}

# diff('NAME', 'TEST', lines): what differs from the result of the direct run.

sub diff {
	my ($self, $name, $test, $lines) = @_;

	my ($status, $out) = Test::Hyperdrive::run_command([ 'diff', '-U2',
		$self->kept('direct') . "/results/$test.out",
		$self->kept($name) . "/results/$test.out" ]);

	my @lines = split /\n/, $out;

	splice(@lines, 0, 2);
	splice(@lines, $lines || 20) if @lines > ($lines || 20);

	return join("\n", @lines);
}

###############################################################################

1;

###############################################################################
