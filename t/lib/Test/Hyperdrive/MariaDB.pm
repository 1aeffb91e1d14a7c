package Test::Hyperdrive::MariaDB;

# Copyright (C) Hyperdrive for nginx authors

# A real MariaDB, or MySQL where HYPERDRIVE_MYSQLD names its mysqld: data
# directory, users and port belong to the test.  As root it runs as the user
# mysql (or nobody).

###############################################################################

use warnings;
use strict;

use parent 'Test::Hyperdrive::Server';

use File::Temp ();

use Test::Hyperdrive::Process qw(spawn run_command wait_for);

use constant KIND => 'my';
use constant SCHEME => 'mysql';
use constant PLAIN => 'ssl-mode=DISABLED';
use constant ACCOUNT => 'mysql';
use constant SHUTDOWN => 'TERM';
use constant LAST => 'KILL';

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

sub socket {
	my ($self) = @_;
	return "$self->{dir}/mysqld.sock";
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

sub _create {
	my ($self) = @_;

	$self->_copy(_template());
	$self->_certificate($self->{dir}) if $self->{ssl};
	$self->_hand_over();
}

# One bootstrap for all.

sub _template {
	my $program = program();
	die "no MariaDB and no MySQL\n" unless defined $program;

	return __PACKAGE__->_kept(version(), sub {
		my ($work, $owner) = @_;

		my @small = ('--innodb-log-file-size=8M',
			'--innodb-buffer-pool-size=32M');

		my @command = is_mysql()
			? ($program, '--no-defaults', '--initialize-insecure',
				"--datadir=$work/data", @small)
			: ('mariadb-install-db', '--no-defaults',
				"--datadir=$work/data", '--skip-test-db',
				'--auth-root-authentication-method=normal',
				@small);

		my ($status, $out) = run_command(\@command, user => $owner,
			dir => '/');
		die "bootstrap: $out\n" if $status;
	});
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

	# in 10.11 a name that no address resolves to takes seconds

	$self->{pid} = spawn([ program(), '--no-defaults', '--skip-name-resolve',
			map { "--$_=$settings{$_}" } sort keys %settings ],
		user => $self->{user}, dir => '/', stop => 'TERM',
		output => $self->_next_log());

	return $self->_await(sub { $self->log() =~ /ready for connections/ });
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

# end($id): a connection is ended, and has gone.

sub end {
	my ($self, $id) = @_;

	$self->sql("KILL $id");

	wait_for(sub { !$self->sql('SELECT COUNT(*) FROM '
		. "information_schema.processlist WHERE id = $id") });

	return $self;
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

# transactions(): how many there are now.  (A table of information_schema says
# what was so when it was first asked, as long as it is asked ten times a second.)

sub transactions {
	my ($self) = @_;

	my $n = () = $self->sql('SHOW ENGINE INNODB STATUS')
		=~ /\\n---TRANSACTION [^,]+, (?!not started)/g;

	return $n;
}

###############################################################################

# replica(port =>, settings => {}): a new server that follows this one from its
# first transaction on, and takes no writes but of those who may; this one has
# to have a binary log, settings => { log_bin => 'log', server_id => N }.

sub replica {
	my ($self, %o) = @_;

	my $settings = delete $o{settings} || {};
	my $id = $self->{settings}{server_id} * 10 + ++$self->{replicas};

	my $replica = $self->{test}->mariadb(%o, settings => {
		%{$self->{settings}}, server_id => $id, log_bin => 'log', log_slave_updates => 1,
		read_only => 1, innodb_flush_log_at_trx_commit => 1,
		%$settings });

	$self->sql("CREATE USER IF NOT EXISTS repl\@'%' IDENTIFIED BY 'repl'; "
		. "GRANT REPLICATION SLAVE ON *.* TO repl\@'%'");

	$replica->follow($self);
	$replica->wait_for_position($self);

	return $replica;
}

sub follow {
	my ($self, $primary) = @_;

	$self->sql("STOP SLAVE; CHANGE MASTER TO MASTER_HOST = '127.0.0.1', "
		. "MASTER_PORT = $primary->{port}, MASTER_USER = 'repl', "
		. "MASTER_PASSWORD = 'repl', "
		. 'MASTER_CONNECT_RETRY = 1, MASTER_USE_GTID = slave_pos; '
		. 'START SLAVE');

	return $self;
}

# It has applied all that the other one has written by now.

sub wait_for_position {
	my ($self, $primary) = @_;

	my $position = $primary->sql('SELECT @@gtid_binlog_pos');

	my $rc = $self->sql("SELECT MASTER_GTID_WAIT('$position', 30)");
	die "the replica does not follow:\n" . $self->log() if $rc ne '0';

	return $self;
}

# Nothing is applied any more.

sub pause {
	my ($self) = @_;

	$self->sql('STOP SLAVE SQL_THREAD');
	return $self;
}

sub resume {
	my ($self) = @_;

	$self->sql('START SLAVE SQL_THREAD');
	return $self;
}

# It follows nobody, and takes writes.

sub promote {
	my ($self) = @_;

	$self->sql('STOP SLAVE; RESET SLAVE ALL; SET GLOBAL read_only = 0');
	return $self;
}

###############################################################################

1;

###############################################################################
