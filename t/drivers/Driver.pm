package Driver;

# Copyright (C) Hyperdrive for nginx authors

# Runs a program on a client library against the database itself and through
# the module, and compares what it says.

###############################################################################

use warnings;
use strict;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use Test::More;

use Test::Hyperdrive;
use Test::Hyperdrive::Postgres;

my $here = dirname(abs_path(__FILE__));

###############################################################################

# new(plan => N, workers => 1, pool => 'max=5 ...'): the database shop with
# schema.sql, and nginx with two servers before it: one with the cache on,
# one without.  Clients log in as app, password pw.

sub new {
	my ($class, %o) = @_;

	my $t = Test::Hyperdrive->new();

	my $self = bless {
		t => $t,
		dir => $t->testdir(),
		workers => 1,
		pool => 'max=5 min=0 idle=10m lifetime=1h wait=30s',
		%o
	}, $class;

	# missing programs are told before anything is started

	$self->{skip}->($self) if $self->{skip};

	$t->plan($o{plan}) if $o{plan};

	$self->{pg} = $t->postgres(
		users => { app => 'pw' },
		databases => [ 'shop' ],
		settings => { fsync => 'off', synchronous_commit => 'off' }
	);

	$self->sql(_slurp("$here/schema.sql"));
	$self->_nginx();

	return $self;
}

sub _nginx {
	my ($self) = @_;

	my $t = $self->{t};
	my $origin = $self->{pg}->port();

	$t->write_file('users.txt', qq{"app" "pw"\n});

	my $conf = <<"EOF";

%%TEST_GLOBALS%%

worker_processes      $self->{workers};
worker_rlimit_nofile  4096;

events {
    worker_connections  2048;
}

stream {
    hyperdrive_cache_zone  shop 64m;

    upstream shop {
        hyperdrive_origin  postgres://app:pw\@127.0.0.1:$origin/shop?sslmode=disable;
        hyperdrive_pool    $self->{pool};
    }

    hyperdrive_users  %%TESTDIR%%/users.txt;

    server {
        listen           127.0.0.1:8080;
        hyperdrive_pass  shop;
    }

    server {
        listen            127.0.0.1:8081;
        hyperdrive_pass   shop;
        hyperdrive_cache  shop max_age=60s;
    }
}

%%TEST_STATUS%%

EOF

	# a debug log of results of 50 MB would be most of what is measured

	$conf = $t->expand($conf);
	$conf =~ s/(error_log \S+) debug;/$1 info;/
		unless $ENV{TEST_HYPERDRIVE_DEBUG};

	$t->write_file('nginx.conf', $conf)->run();
}

# The same with another number of workers.

sub workers {
	my ($self, $workers) = @_;

	$self->{t}->stop();
	$self->{workers} = $workers;
	$self->_nginx();
}

sub t {
	my ($self) = @_;
	return $self->{t};
}

sub pg {
	my ($self) = @_;
	return $self->{pg};
}

sub status {
	my ($self) = @_;
	return $self->{t}->status();
}

# As the user of the programs, straight into the database shop.

sub sql {
	my ($self, $sql) = @_;

	return $self->{pg}->psql("SET ROLE app;\n$sql", db => 'shop');
}

sub _slurp {
	my ($path) = @_;

	open(my $fh, '<', $path) or die "cannot read $path: $!\n";
	local $/;

	return scalar(<$fh>);
}

###############################################################################

# Compiles C programs of this directory; the first names the result.

sub compile {
	my ($dir, @files) = @_;

	my ($include) = `pg_config --includedir 2>/dev/null`;

	die "no pg_config\n" unless defined $include;
	chomp $include;

	(my $program = "$dir/$files[0]") =~ s/\.c$//;

	my ($status, $out) = Test::Hyperdrive::run_command([
		$ENV{CC} || 'cc', '-O1', '-g', '-W', '-Wall',
		'-Wno-unused-parameter', '-I', $include, '-o', $program,
		(map { "$here/$_" } @files), '-lpq' ],
		env => { PATH => $ENV{PATH} });

	die "$files[0]: $out\n" if $status;

	return $program;
}

sub has_libpq {
	my ($include) = `pg_config --includedir 2>/dev/null`;

	return 0 unless defined $include;
	chomp $include;

	return -e "$include/libpq-fe.h";
}

# Whether a language has a library.

sub has_python {
	my ($module) = @_;

	return !system('/usr/bin/python3', '-c',
		"import importlib.util as u, sys; "
		. "sys.exit(u.find_spec('$module') is None)");
}

sub has_node {
	my ($module) = @_;

	return -d Test::Hyperdrive::node_path() . "/$module"
		&& !system('node -e 0 >/dev/null 2>&1');
}

###############################################################################

# run([ command ], port): wait status and output.

sub run {
	my ($self, $command, $port, %env) = @_;

	(my $bin = Test::Hyperdrive::Postgres::bin('psql')) =~ s{/[^/]*$}{};

	return Test::Hyperdrive::run_command([ 'timeout', '-k', '5', $ENV{TEST_DRIVER_TIMEOUT} || 180,
		@$command ], dir => $here, env => {
			PATH => "$bin:$ENV{PATH}",
			PGHOST => '127.0.0.1',
			PGPORT => $port,
			PGUSER => 'app',
			PGPASSWORD => 'pw',
			PGDATABASE => 'shop',
			PGCONNECT_TIMEOUT => 20,
			NODE_PATH => Test::Hyperdrive::node_path(),
			PYTHONDONTWRITEBYTECODE => 1,
			PYTHONIOENCODING => 'utf-8',
			%env
		});
}

# compare([ command ], cached => [ arguments ], raw => 0|1): the command must
# end well directly and through the module and say the same; and where it has
# a part that only reads, the same with the cache on, twice, so that the
# second run meets what the first has left.  Counts five tests, or ten.

sub compare {
	my ($self, $command, %o) = @_;

	my @direct = $self->_program("direct", $command,
		$self->{pg}->port(), %o);
	my @through = $self->_program("through", $command, port(8080), %o);

	is($through[0], $direct[0], 'the same number of checks');
	$self->_same('the same answers', $direct[1], $through[1]);

	# what the programs have left behind

	my $busy = eval {
		Test::Hyperdrive::wait_for(sub {
			!$self->pg()->psql($self->pg()->count_sql(
				user => 'app') . " AND state <> 'idle'");
		}, 10);
	};

	ok($busy, 'no connection is left in the middle of something');

	return unless $o{cached};

	my @read = (@$command, @{$o{cached}});

	my @bare = $self->_program('reading, direct', \@read,
		$self->{pg}->port(), %o);

	for my $run ('first', 'second') {
		my @cached = $self->_program("reading, cache on, $run", \@read,
			port(8081), %o);

		$self->_same("the same answers, cache on, $run", $bare[1],
			$cached[1]) if $run eq 'second';
	}

	my $total = $self->status()->{upstreams}{shop}{total};

	cmp_ok($total->{hits}, '>', 0, 'some of it came from the cache');
}

sub _program {
	my ($self, $name, $command, $port, %o) = @_;

	my ($status, $out) = $self->run($command, $port);

	my @lines = split /\n/, $out;

	# what the library says of itself may name the port

	@lines = grep { /^(?:ok|not ok|#|1\.\.|Bail out)/ } @lines
		unless $o{raw};

	s/PID \d+/PID/ for @lines;

	if (!ok($status == 0, $name)) {
		diag("exit status " . ($status >> 8)
			. ', signal ' . ($status & 127));

		my @all = split /\n/, $out;
		my @bad = grep { $all[$_] =~ /^not ok|^Bail/ } 0 .. $#all;

		# a check that failed, and what was said just before it

		for my $i (@bad > 15 ? @bad[0 .. 14] : @bad) {
			for my $j ($i - 8 .. $i) {
				next if $j < 0;
				next if $j < $i && $all[$j] !~ /^#/;
				diag(substr($all[$j], 0, 300));
			}
		}

		diag(substr($_, 0, 300)) for
			@all[@all > 12 ? @all - 12 : 0 .. $#all];
	}

	return (scalar(grep { /^(?:not )?ok/ } @lines), \@lines);
}

sub _same {
	my ($self, $name, $expected, $got) = @_;

	my $i = 0;

	$i++ while $i < @$expected && $i < @$got
		&& $expected->[$i] eq $got->[$i];

	return if ok($i == @$expected && $i == @$got, $name);

	diag("line " . ($i + 1) . " is "
		. substr($got->[$i] // '(none)', 0, 400)
		. "\nand directly "
		. substr($expected->[$i] // '(none)', 0, 400));
}

###############################################################################

1;

###############################################################################
