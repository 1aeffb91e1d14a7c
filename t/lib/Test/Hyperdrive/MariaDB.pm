package Test::Hyperdrive::MariaDB;

# Copyright (C) Hyperdrive for nginx authors

# A real MariaDB, or MySQL where HYPERDRIVE_MYSQLD names its mysqld: data
# directory, users and port belong to the test.  As root it runs as the user
# mysql (or nobody).

###############################################################################

use warnings;
use strict;

use File::Path qw(make_path remove_tree);
use File::Temp ();

use Test::Hyperdrive ();
use Test::Hyperdrive::Process qw(spawn reap run_command wait_for run_as);

my $count = 0;

###############################################################################

# new($test, ...), $test may be undef outside of a test:
#
#   name => 'my0'                   directory below the test's
#   port => port(8300)              a free one unless told
#   settings => { name => value }   options of the server
#   users => { app => 'secret',     the server's default plugin
#              old => { password => 'x', plugin => 'mysql_native_password',
#                       grants => 'SELECT', require => 'SSL' },
#              free => undef }      no password
#   databases => [ 'shop' ]
#   sql => { shop => 'CREATE ...' } run as root after the start
#   ssl => 1                        with certificate name.crt of its own, or
#   ssl => 'NAME'                   with the test's certificate of that name
#
# A user may do everything in all databases unless grants says otherwise.

sub new {
	my ($class, $test, %o) = @_;

	my $self = bless {
		test => $test,
		name => 'my' . $count++,
		owner => $$,
		settings => {},
		users => {},
		databases => [],
		sql => {},
		%o
	}, $class;

	$self->{base} = $test ? $test->testdir() : $self->_own_dir();
	$self->{port} = Test::Hyperdrive::port() unless $self->{port};

	$self->{dir} = "$self->{base}/$self->{name}";
	$self->{data} = "$self->{dir}/data";
	$self->{user} = run_as('mysql');

	return $self;
}

sub _own_dir {
	my ($self) = @_;

	$self->{temporary} = File::Temp->newdir('hyperdrive-my-XXXXXXXX',
		TMPDIR => 1);

	chmod 0755, "$self->{temporary}";

	return "$self->{temporary}";
}

sub port {
	my ($self) = @_;
	return $self->{port};
}

sub socket {
	my ($self) = @_;
	return "$self->{dir}/mysqld.sock";
}

# The directory of its unix socket.

sub socket_dir {
	my ($self) = @_;
	return $self->{dir};
}

sub pid {
	my ($self) = @_;
	return $self->{pid};
}

# The server's program, or undef if there is none; whether it is MySQL's.

sub program {
	return $ENV{HYPERDRIVE_MYSQLD} if $ENV{HYPERDRIVE_MYSQLD};

	my ($path) = grep { -x } '/usr/sbin/mariadbd', '/usr/libexec/mariadbd',
		'/usr/bin/mariadbd', '/usr/local/bin/mariadbd';

	return $path;
}

my %version;

sub version {
	my $program = program();
	return '' unless defined $program;

	return $version{$program} //= do {
		my (undef, $out) = run_command([ $program, '--version' ]);
		$out =~ /Ver\s+(\S+)/ ? $1 : '';
	};
}

sub is_mysql {
	return version() !~ /mariadb/i;
}

###############################################################################

sub start {
	my ($self) = @_;

	if (!-d $self->{dir}) {
		$self->_create();
		$self->_launch();
		$self->_populate();

	} else {
		$self->_launch();
	}

	return $self;
}

sub _create {
	my ($self) = @_;

	my $template = _template();

	make_path($self->{dir});

	my ($status, $out) = run_command([ 'cp', '-a', '--reflink=auto',
		$template, $self->{data} ]);
	die "cannot copy $template: $out\n" if $status;

	$self->_certificate() if $self->{ssl};

	return unless $self->{user};

	($status, $out) = run_command([ 'chown', '-R', $self->{user},
		$self->{dir} ]);
	die "$out\n" if $status;
}

sub _certificate {
	my ($self) = @_;

	my $name = $self->{ssl};

	if ($name eq '1') {
		$name = "$self->{name}-server";
		$self->{test}->certificate($name);
	}

	for my $suffix ('crt', 'key') {
		my ($status, $out) = run_command([ 'cp',
			"$self->{base}/$name.$suffix",
			"$self->{dir}/server.$suffix" ]);
		die $out if $status;
	}

	chmod 0600, "$self->{dir}/server.key";
}

# One bootstrap for all: its result is kept with the build and copied.

sub _template {
	my $program = program();
	die "no MariaDB and no MySQL\n" unless defined $program;

	my $version = version();

	my $dir = Test::Hyperdrive::build_dir() . '/mariadb';
	my $owner = run_as('mysql');
	my $template = "$dir/$version-" . ($owner || $>);

	return $template if -d $template;

	make_path($dir);

	open(my $lock, '>', "$dir/lock") or die "cannot lock $dir: $!\n";
	flock($lock, 2) or die "cannot lock $dir: $!\n";

	return $template if -d $template;

	# made where its user can write, then moved to where only we can

	my $work = File::Temp->newdir('hyperdrive-mysql-XXXXXXXX',
		TMPDIR => 1);

	if ($owner) {
		chown +(getpwnam($owner))[2, 3], "$work";
	}

	my @small = ('--innodb-log-file-size=8M',
		'--innodb-buffer-pool-size=32M');

	my @command = is_mysql()
		? ($program, '--no-defaults', '--initialize-insecure',
			"--datadir=$work/data", @small)
		: ('mariadb-install-db', '--no-defaults',
			"--datadir=$work/data", '--skip-test-db',
			'--auth-root-authentication-method=normal', @small);

	my ($status, $out) = run_command(\@command, user => $owner, dir => '/');
	die "bootstrap: $out\n" if $status;

	remove_tree("$template.new");

	($status, $out) = run_command([ 'cp', '-a', "$work/data",
		"$template.new" ]);
	die "cannot keep the template: $out\n" if $status;

	rename "$template.new", $template
		or die "cannot rename $template.new: $!\n";

	return $template;
}

sub _launch {
	my ($self) = @_;

	my %settings = (
		bind_address => '127.0.0.1',
		port => $self->{port},
		socket => $self->socket(),
		pid_file => "$self->{dir}/pid",
		datadir => $self->{data},
		tmpdir => $self->{dir},
		max_connections => 300,
		innodb_buffer_pool_size => '32M',
		innodb_flush_log_at_trx_commit => 0,
		innodb_log_file_size => '8M',
		default_time_zone => '+00:00',
		is_mysql() ? (mysqlx => 0)
			: (aria_pagecache_buffer_size => '8M',
			key_buffer_size => '8M'),
		$self->{ssl} ? (
			ssl_cert => "$self->{dir}/server.crt",
			ssl_key => "$self->{dir}/server.key"
		) : (),
		%{$self->{settings}}
	);

	$self->{runs}++;

	# in 10.11 a name that no address resolves to takes seconds

	$self->{pid} = spawn([ program(), '--no-defaults', '--skip-name-resolve',
			map { "--$_=$settings{$_}" } sort keys %settings ],
		user => $self->{user}, dir => '/', stop => 'TERM',
		output => "$self->{dir}/log.$self->{runs}");

	wait_for(sub {
		if (reap($self->{pid}, 0)) {
			delete $self->{pid};
			die "the database did not start:\n" . $self->log();
		}

		$self->log() =~ /ready for connections/;
	}, 60, 'MariaDB');

	return $self;
}

# What it wrote since its last start.

sub log {
	my ($self) = @_;

	open(my $fh, '<', "$self->{dir}/log.$self->{runs}") or return '';
	local $/;

	return scalar(<$fh>) // '';
}

sub _populate {
	my ($self) = @_;

	my @sql;

	for my $name (sort keys %{$self->{users}}) {
		my $user = $self->{users}{$name};
		$user = { password => $user } unless ref $user;

		my $password = $user->{password};
		my $plugin = $user->{plugin};
		my $by = '';

		if (defined $plugin && is_mysql()) {
			$by = "IDENTIFIED WITH $plugin"
				. (defined $password
				? ' BY ' . literal($password) : '');

		} elsif (defined $plugin) {
			$by = "IDENTIFIED VIA $plugin"
				. (defined $password ? ' USING PASSWORD('
				. literal($password) . ')' : '');

		} elsif (defined $password) {
			$by = 'IDENTIFIED BY ' . literal($password);
		}

		$by .= " REQUIRE $user->{require}" if $user->{require};

		push @sql, "CREATE USER '$name'\@'%' $by",
			'GRANT ' . ($user->{grants} || 'ALL')
			. " ON *.* TO '$name'\@'%'";
	}

	push @sql, map { "CREATE DATABASE `$_`" } @{$self->{databases}};

	$self->sql($_) for @sql ? (join(";\n", @sql) . ';') : ();

	for my $database (sort keys %{$self->{sql}}) {
		$self->sql($self->{sql}{$database}, db => $database);
	}
}

sub literal {
	my ($value) = @_;

	$value =~ s/([\\'])/\\$1/g;
	return "'$value'";
}

###############################################################################

# sql($text, db =>, user =>, password =>): runs it over the unix socket, past
# everything under test; returns the rows as lines (columns parted by tabs),
# dies on an error.  It may hold several statements.

sub sql {
	my ($self, $sql, %o) = @_;

	my $file = File::Temp->new();
	binmode $file;
	print $file $sql;
	close $file;

	my ($client) = grep { -x } '/usr/bin/mariadb', '/usr/bin/mysql';

	my ($status, $out) = run_command([ $client, '--no-defaults', '-B', '-N',
		'--default-character-set=utf8mb4',
		'-S', $self->socket(), '-u', $o{user} || 'root',
		defined $o{password} ? "-p$o{password}" : (),
		defined $o{db} ? $o{db} : () ],
		input => $file->filename());

	die "sql: $out\n" if $status;

	chomp $out;

	return wantarray ? split(/\n/, $out) : $out;
}

# A client of the test's own kind, straight to the database.  Without more
# root, over the unix socket.

sub client {
	my ($self, %o) = @_;

	require Test::Hyperdrive::MySQL;

	my %where = exists $o{user} ? () : (socket => $self->socket());

	return Test::Hyperdrive::MySQL->connect($self->{port},
		user => 'root', %where, %o);
}

# connections(user => 'app', db =>): how many there are now.

sub connections {
	my ($self, %o) = @_;

	my $sql = 'SELECT count(*) FROM information_schema.processlist '
		. 'WHERE id <> connection_id()';

	$sql .= ' AND user = ' . literal($o{user}) if defined $o{user};
	$sql .= ' AND db = ' . literal($o{db}) if defined $o{db};

	return $self->sql($sql);
}

###############################################################################

sub stop {
	my ($self, $signal) = @_;

	my $pid = delete $self->{pid} or return $self;

	# it may stand still
	CORE::kill('CONT', $pid);
	CORE::kill($signal || 'TERM', $pid);

	if (!eval { wait_for(sub { reap($pid, 0) }, 30) }) {
		CORE::kill 'KILL', $pid;
		reap($pid, 1);
		die "the database did not stop in time\n";
	}

	return $self;
}

sub restart {
	my ($self) = @_;
	return $self->stop()->start();
}

# As a crash looks from outside; the data recovers at the next start.

sub kill {
	my ($self) = @_;
	return $self->stop('KILL');
}

# Stands still without closing anything.

sub freeze {
	my ($self) = @_;

	CORE::kill('STOP', $self->{pid});
	return $self;
}

sub thaw {
	my ($self) = @_;

	CORE::kill('CONT', $self->{pid});
	return $self;
}

sub DESTROY {
	my ($self) = @_;

	# a forked process has a copy of us
	return if $self->{test} || $self->{owner} != $$;

	local ($@, $?);
	eval { $self->stop() };
}

###############################################################################

1;

###############################################################################
