package Test::Hyperdrive::Postgres;

# Copyright (C) Hyperdrive for nginx authors

# A real PostgreSQL of its own: data directory, users and port belong to the
# test.  As root it runs as the user postgres (or nobody).

###############################################################################

use warnings;
use strict;

use parent 'Test::Hyperdrive::Server';

use File::Path qw(make_path);
use File::Temp ();

use Test::Hyperdrive::Process qw(spawn run_command wait_for);

use constant KIND => 'pg';
use constant SCHEME => 'postgres';
use constant PLAIN => 'sslmode=disable';
use constant ACCOUNT => 'postgres';

# a fast shutdown: sessions are ended with 57P01; an immediate one

use constant SHUTDOWN => 'INT';
use constant LAST => 'QUIT';

our $SUPERUSER = 'postgres';

###############################################################################

# new($test, ...), $test may be undef outside of a test:
#
#   name => 'pg0'                   directory below the test's
#   port => port(8100)              a free one unless told
#   settings => { name => value }   into postgresql.conf
#   users => { app => 'secret',     SCRAM unless password_encryption says
#              old => { password => 'x', encryption => 'md5',
#                       attributes => 'SUPERUSER' },
#              free => undef }      no password
#   databases => [ 'shop' ]         owned by the first user
#   sql => { shop => 'CREATE ...' } run as superuser after the start
#   hba => [ 'host all all 127.0.0.1/32 scram-sha-256' ]
#                                   instead of what follows from users
#   ssl => 1                        with certificate name.crt of its own, or
#   ssl => 'NAME'                   with the test's certificate of that name

sub data {
	my ($self) = @_;
	return $self->{data};
}

# bin('psql'): the path of a program of the PostgreSQL that is used, the
# newest of the machine.

sub bin {
	my ($name) = @_;

	my $dir = $ENV{TEST_HYPERDRIVE_PG_BIN};

	if (!defined $dir) {
		($dir) = sort { _version($b) <=> _version($a) }
			glob('/usr/lib/postgresql/*/bin');
	}

	$dir = '/usr/bin' unless defined $dir;

	return "$dir/$name";
}

sub _version {
	my ($path) = @_;
	return $path =~ m{postgresql/([\d.]+)/} ? $1 : 0;
}

###############################################################################

sub _create {
	my ($self) = @_;

	$self->_copy(_template());
	$self->_certificate($self->{data}) if $self->{ssl};

	open(my $fh, '>>', "$self->{data}/postgresql.conf")
		or die "cannot write postgresql.conf: $!\n";

	my %settings = (
		listen_addresses => '127.0.0.1',
		unix_socket_directories => $self->{dir},
		port => $self->{port},
		fsync => 'off',
		full_page_writes => 'off',
		log_line_prefix => '%m [%p] %u@%d ',
		log_connections => 'on',
		max_connections => 300,
		timezone => 'UTC',
		$self->{ssl} ? (
			ssl => 'on',
			ssl_cert_file => 'server.crt',
			ssl_key_file => 'server.key'
		) : (),
		%{$self->{settings}}
	);

	for my $name (sort keys %settings) {
		(my $value = $settings{$name}) =~ s/'/''/g;
		print $fh "$name = '$value'\n";
	}

	close $fh;

	$self->_write_hba();
	$self->_hand_over();
}

# One initdb for all.

sub _template {
	my ($status, $version) = run_command([ bin('postgres'), '--version' ]);
	die "no PostgreSQL: $version\n" if $status;

	($version) = $version =~ /(\d+(?:\.\d+)?)/;

	return __PACKAGE__->_kept($version, sub {
		my ($work, $owner) = @_;

		my ($status, $out) = run_command([ bin('initdb'),
			'-D', "$work/data", '-U', $SUPERUSER, '-A', 'trust',
			'-E', 'UTF8', '--no-sync', '--no-locale' ],
			user => $owner, dir => '/');
		die "initdb: $out\n" if $status;
	});
}

# hba(lines): replaces pg_hba.conf in a running database.

sub hba {
	my ($self, @lines) = @_;

	$self->{hba} = [ @lines ];
	$self->_write_hba();
	CORE::kill 'HUP', $self->{pid};

	return $self;
}

sub _write_hba {
	my ($self) = @_;

	my @lines;

	# the way in for the test itself

	push @lines, "local all $SUPERUSER trust",
		"local replication $SUPERUSER trust";

	if ($self->{hba}) {
		push @lines, @{$self->{hba}};

	} else {
		for my $user (sort keys %{$self->{users}}) {
			my $method = $self->_method($user);

			push @lines, "local all \"$user\" $method",
				"host all \"$user\" 127.0.0.1/32 $method",
				"host replication \"$user\" 127.0.0.1/32 $method";
		}
	}

	open(my $fh, '>', "$self->{data}/pg_hba.conf")
		or die "cannot write pg_hba.conf: $!\n";
	print $fh map { "$_\n" } @lines;
	close $fh;
}

sub _user {
	my ($self, $name) = @_;

	my $user = $self->{users}{$name};
	return ref $user ? $user : { password => $user };
}

sub _method {
	my ($self, $name) = @_;

	my $user = $self->_user($name);

	return 'trust' unless defined $user->{password};

	my $encryption = $user->{encryption}
		|| $self->{settings}{password_encryption} || 'scram-sha-256';

	# "md5" takes whatever the stored verifier calls for
	return $encryption eq 'md5' ? 'md5' : 'scram-sha-256';
}

sub _launch {
	my ($self) = @_;

	# INT is a fast shutdown: also when the test is killed

	$self->{pid} = spawn([ bin('postgres'), '-D', $self->{data} ],
		user => $self->{user}, dir => '/', stop => 'INT',
		output => $self->_next_log());

	return $self->_await(sub { $self->_ready() });
}

sub _ready {
	my ($self) = @_;

	open(my $fh, '<', "$self->{data}/postmaster.pid") or return 0;
	my @lines = <$fh>;

	return 0 unless @lines >= 8 && $lines[0] == $self->{pid};
	return $lines[7] =~ /^ready/ ? 1 : 0;
}

sub _populate {
	my ($self) = @_;

	my @users = sort keys %{$self->{users}};
	my @sql;

	for my $name (@users) {
		my $user = $self->_user($name);

		push @sql, "SET password_encryption = '$user->{encryption}'"
			if $user->{encryption};

		my $password = defined $user->{password}
			? ' PASSWORD ' . _literal($user->{password}) : '';

		push @sql, 'CREATE ROLE "' . $name . '" LOGIN '
			. ($user->{attributes} || '') . $password,
			'RESET password_encryption';
	}

	my $owner = @{$self->{databases}} && @users
		? " OWNER \"$users[0]\"" : '';

	push @sql, map { "CREATE DATABASE \"$_\"$owner" }
		@{$self->{databases}};

	$self->psql($_) for @sql ? (join(";\n", @sql) . ';') : ();

	for my $database (sort keys %{$self->{sql}}) {
		$self->psql($self->{sql}{$database}, db => $database);
	}
}

sub _literal {
	my ($value) = @_;

	$value =~ s/'/''/g;
	return "'$value'";
}

###############################################################################

# psql($sql, db =>, user =>): runs it over the unix socket, past everything
# under test; returns the rows as lines (columns parted by |), dies on an
# error.  As $sql is fed by a file, it may hold several statements.

sub psql {
	my ($self, $sql, %o) = @_;

	my $file = File::Temp->new();
	binmode $file;
	print $file $sql;
	close $file;

	my ($status, $out) = run_command([ bin('psql'), '-X', '-q', '-A', '-t',
		'-v', 'ON_ERROR_STOP=1', '-h', $self->{dir},
		'-p', $self->{port}, '-U', $o{user} || $SUPERUSER,
		'-d', $o{db} || 'postgres' ],
		env => { PGOPTIONS => '-c client_min_messages=warning' },
		input => $file->filename());

	die "psql: $out\n" if $status;

	chomp $out;

	return wantarray ? split(/\n/, $out) : $out;
}

# A client of the test's own kind, straight to the database.  Without more
# the superuser, over the unix socket.

sub client {
	my ($self, %o) = @_;

	require Test::Hyperdrive::PG;

	my %where = exists $o{user} ? ()
		: (socket => "$self->{dir}/.s.PGSQL.$self->{port}");

	return Test::Hyperdrive::PG->connect($self->{port},
		user => $SUPERUSER, database => 'postgres', %where, %o);
}

# connections(user => 'app', db =>, app =>): how many there are now, logged in
# or about to; for many samples keep a client() and use count_sql().

sub connections {
	my ($self, %o) = @_;
	return $self->psql($self->count_sql(%o));
}

sub count_sql {
	my ($self, %o) = @_;

	my $sql = "SELECT count(*) FROM pg_stat_activity WHERE "
		. "backend_type = 'client backend' AND "
		. "pid <> pg_backend_pid()";

	$sql .= ' AND usename = ' . _literal($o{user}) if defined $o{user};
	$sql .= ' AND datname = ' . _literal($o{db}) if defined $o{db};
	$sql .= ' AND application_name = ' . _literal($o{app})
		if defined $o{app};

	return $sql;
}

# set(name => value, ...): ALTER SYSTEM and a reload; undef resets.

sub set {
	my ($self, %settings) = @_;

	for my $name (sort keys %settings) {
		$self->psql(defined $settings{$name}
			? "ALTER SYSTEM SET $name = "
			. _literal($settings{$name})
			: "ALTER SYSTEM RESET $name");
	}

	$self->psql('SELECT pg_reload_conf()');

	return $self;
}

###############################################################################

# replica(port =>, settings => { ... }): a streaming replica of this one, begun
# from a base backup, and started.  Its users and databases are the primary's.

sub replica {
	my ($self, %o) = @_;

	my $replica = $self->{test}->own((ref $self)->new($self->{test},
		users => $self->{users}, databases => $self->{databases}, %o));

	make_path($replica->{dir});

	if ($replica->{user}) {
		chown +(getpwnam($replica->{user}))[2, 3], $replica->{dir};
	}

	my ($status, $out) = run_command([ bin('pg_basebackup'),
		'-h', $self->{dir}, '-p', $self->{port}, '-U', $SUPERUSER,
		'-D', $replica->{data}, '-R', '-c', 'fast', '--no-sync' ],
		user => $replica->{user}, dir => '/');
	die "pg_basebackup: $out\n" if $status;

	open(my $fh, '>>', "$replica->{data}/postgresql.conf")
		or die "cannot write postgresql.conf: $!\n";

	my %settings = (port => $replica->{port},
		unix_socket_directories => $replica->{dir},
		%{$replica->{settings}});

	print $fh "$_ = '$settings{$_}'\n" for sort keys %settings;
	close $fh;

	return $replica->start();
}

# follow($primary): a replica goes on with another one.

sub follow {
	my ($self, $primary) = @_;

	return $self->set(primary_conninfo => "host=$primary->{dir} "
		. "port=$primary->{port} user=$SUPERUSER");
}

sub promote {
	my ($self) = @_;

	$self->psql('SELECT pg_promote()');
	return $self;
}

# A replica stands still, and goes on.

sub pause {
	my ($self) = @_;

	$self->psql('SELECT pg_wal_replay_pause()');
	wait_for(sub {
		$self->psql('SELECT pg_get_wal_replay_pause_state()')
			eq 'paused';
	}, 20, 'a pause');

	return $self;
}

sub resume {
	my ($self) = @_;

	$self->psql('SELECT pg_wal_replay_resume()');
	return $self;
}

###############################################################################

1;

###############################################################################
