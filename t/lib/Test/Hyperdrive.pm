package Test::Hyperdrive;

# Copyright (C) Hyperdrive for nginx authors

# The library of the tests: runs nginx with the module in a directory of its
# own, on free ports, and checks at the end of every test what must hold in
# all of them.  Core perl only.

###############################################################################

use warnings;
use strict;

use Cwd qw(abs_path);
use Exporter qw(import);
use File::Basename qw(basename dirname);
use File::Glob qw(:bsd_glob);
use File::Path qw(make_path remove_tree);
use File::Temp ();
use IO::Socket::INET;
use JSON::PP ();
use Socket qw(AF_UNIX SOCK_STREAM pack_sockaddr_un);
use Test::More ();

use Test::Hyperdrive::Process qw(spawn reap run_command wait_for children
	title group_members end_spawned);

our @EXPORT = qw(port pg_client mysql_client wait_for);
our @EXPORT_OK = qw(root build_dir node_path spawn reap run_command);

# the checks that each test gets for nothing
use constant CHECKS => 4;

our $NGINX = $ENV{TEST_HYPERDRIVE_NGINX} || '/usr/sbin/nginx';

my (%ports, @locks, @running);

###############################################################################

# Where the sources and the results of the build are.

sub root {
	return dirname(dirname(dirname(dirname(abs_path(__FILE__)))));
}

sub build_dir {
	return $ENV{TEST_HYPERDRIVE_BUILD} || root() . '/build';
}

sub node_path {
	return build_dir() . '/node_modules';
}

###############################################################################

# new(module => 0, timeout => seconds, sanitize => 0|1, log => 'info'):
# module => 0 leaves out the load_module line of ours, for a test of the tests.
# log is the level of the error log, for tests that are too much for that of
# debug; with TEST_HYPERDRIVE_DEBUG it is that all the same.

sub new {
	my ($class, %o) = @_;

	my $self = bless {
		pid => $$,
		module => 1,
		timeout => $ENV{TEST_HYPERDRIVE_TIMEOUT} || 400,
		sanitize => $ENV{TEST_HYPERDRIVE_SANITIZE} || 0,
		log => 'debug',
		allowed => [],
		owned => [],
		%o
	}, $class;

	$self->{log} = 'debug' if $ENV{TEST_HYPERDRIVE_DEBUG};

	$self->{dir} = File::Temp::tempdir('hyperdrive-XXXXXXXX', TMPDIR => 1);

	# databases that refuse to run as root must be able to pass through
	chmod 0755, $self->{dir};

	$SIG{$_} = \&_interrupted for qw(INT TERM HUP);
	$SIG{PIPE} = 'IGNORE';
	$SIG{ALRM} = sub { _interrupted('ALRM') };
	alarm $self->{timeout};

	push @running, $self;

	return $self;
}

sub _interrupted {
	my ($signal) = @_;

	# once is enough: END blocks stop what was started
	$SIG{$_} = 'IGNORE' for qw(INT TERM HUP);

	Test::More::diag("stopped by SIG$signal");
	exit 1;
}

# plan($n) counts the test's own checks; those of the library are added.

sub plan {
	my ($self, $n) = @_;

	Test::More::plan(tests => $n + CHECKS);
	$self->{planned} = 1;

	return $self;
}

# For a test that cannot count ahead: the last call of the test.

sub done_testing {
	my ($self) = @_;

	$self->{planned} = 1;
	$self->finish();
	Test::More::done_testing();
}

sub skip_all {
	my ($self, $why) = @_;

	$self->{planned} = 0;
	Test::More::plan(skip_all => $why);
}

sub testdir {
	my ($self) = @_;
	return $self->{dir};
}

# Log lines at alert, emerg or crit level that this test provokes.

sub allow_log {
	my ($self, @patterns) = @_;

	push @{$self->{allowed}}, @patterns;
	return $self;
}

# Whatever has a stop() method is stopped at the end, the last one first.

sub own {
	my ($self, $thing) = @_;

	push @{$self->{owned}}, $thing;
	return $thing;
}

###############################################################################

# port(8080): the free port that stands for 8080 in this test.  Ports below
# the ephemeral range, each held by a lock that this machine has once and that
# ends with us, so that tests can run in parallel.

sub port {
	my ($name) = @_;

	$name = 'anonymous ' . scalar(keys %ports) unless defined $name;

	return $ports{$name} if $ports{$name};

	my $start = ($$ * 37 + int(rand(997))) % 19000;

	for my $i (0 .. 18999) {
		my $port = 11000 + ($start + $i) % 19000;

		socket(my $lock, AF_UNIX, SOCK_STREAM, 0)
			or die "socket: $!\n";

		# a name without a file
		bind($lock, pack_sockaddr_un("\0hyperdrive-port-$port"))
			or next;

		_port_free($port) or next;

		push @locks, $lock;

		return $ports{$name} = $port;
	}

	die "no free port\n";
}

sub _port_free {
	my ($port) = @_;

	# without ReuseAddr, so that a connection in TIME_WAIT counts as taken

	my $s = IO::Socket::INET->new(LocalAddr => '127.0.0.1',
		LocalPort => $port, Proto => 'tcp', Listen => 1) or return 0;
	close $s;

	return 1;
}

###############################################################################

sub write_file {
	my ($self, $name, $content) = @_;

	my $path = "$self->{dir}/$name";
	make_path(dirname($path));

	open(my $fh, '>', $path) or die "cannot create $path: $!\n";
	binmode $fh;
	print $fh $content;
	close $fh or die "cannot write $path: $!\n";

	return $self;
}

sub read_file {
	my ($self, $name) = @_;

	open(my $fh, '<', "$self->{dir}/$name") or return '';
	binmode $fh;
	local $/;

	return scalar(<$fh>) // '';
}

sub write_file_expand {
	my ($self, $name, $content) = @_;
	return $self->write_file($name, $self->expand($content));
}

# single($url, pool => 'max=1', ...): the least configuration, an upstream u of
# one origin and a server on port 8080 that lets in everybody.  With cache =>
# 'max_age=1h' there is one; main, stream, upstream and server are what else
# stands there.

sub single {
	my ($self, $url, %o) = @_;

	my $line = sub {
		my ($name, $value) = @_;
		return defined $value ? "$name $value;" : '';
	};

	my ($main, $stream, $upstream, $server) = map { $o{$_} // '' }
		qw(main stream upstream server);

	my $pool = $line->('hyperdrive_pool', $o{pool});
	my ($zone, $cache) = ('', '');

	if ($o{cache}) {
		$zone = $line->('hyperdrive_cache_zone', 'z 8m');
		$cache = $line->('hyperdrive_cache', "z $o{cache}");
	}

	return $self->write_file_expand('nginx.conf', <<"EOC");

%%TEST_GLOBALS%%

$main

events {
}

%%TEST_STATUS%%

stream {
    $zone
    $stream

    upstream u {
        hyperdrive_origin  $url;
        $pool
        $upstream
    }

    server {
        listen            127.0.0.1:8080;
        hyperdrive_pass   u;
        hyperdrive_users  off;
        $cache
        $server
    }
}

EOC
}

# What may stand in a configuration:
#
#   %%TEST_GLOBALS%%       main level: daemon, pid, error_log, load_module
#   %%TEST_GLOBALS_HTTP%%  http level: temporary paths, access log
#   %%TEST_STATUS%%        a whole http block with the status on port 8999
#   %%TESTDIR%%            the directory of the test
#   %%PORT_8080%%          the port that stands for 8080
#   127.0.0.1:8080         the same, for 8000 to 8999

sub expand {
	my ($self, $text, $log) = @_;

	my $dir = $self->{dir};

	$text =~ s/%%TEST_STATUS%%/$self->_status_block()/ge;
	$text =~ s/%%TEST_GLOBALS%%/$self->_globals($log)/ge;
	$text =~ s/%%TEST_GLOBALS_HTTP%%/$self->_globals_http()/ge;
	$text =~ s/%%TESTDIR%%/$dir/g;
	$text =~ s/%%PORT_(\d+)%%/port($1)/ge;
	$text =~ s/\b(127\.0\.0\.1|localhost):(8\d\d\d)\b/"$1:" . port($2)/ge;

	return $text;
}

sub _globals {
	my ($self, $log) = @_;

	my $dir = $self->{dir};

	$log = 'error.log' unless defined $log;

	my @lines = (
		'daemon off;',
		"pid $dir/" . ($log eq 'error.log' ? 'nginx.pid;' : "$log.pid;"),
		"lock_file $dir/nginx.lock;",
		"error_log $dir/$log $self->{log};",
		(map { "load_module \"$_\";" } $self->modules()),
	);

	# a binary upgrade must find them again

	if ($self->{sanitize}) {
		push @lines, map { "env $_;" }
			qw(LD_PRELOAD ASAN_OPTIONS UBSAN_OPTIONS);
	}

	return join("\n", @lines);
}

sub modules {
	my ($self) = @_;

	my @modules;

	my $dir = $ENV{TEST_HYPERDRIVE_MODULES_DIR} || '/usr/lib/nginx/modules';
	my $stream = "$dir/ngx_stream_module.so";

	# an nginx of one's own may have it built in
	push @modules, $stream if -e $stream;

	if ($self->{module}) {
		my $so = $self->module();
		die "no $so, run make build first\n" unless -e $so;
		push @modules, $so;
	}

	return @modules;
}

sub module {
	my ($self) = @_;

	return $ENV{TEST_HYPERDRIVE_MODULE} if $ENV{TEST_HYPERDRIVE_MODULE};

	return build_dir() . ($self->{sanitize} ? '/sanitize' : '')
		. '/ngx_stream_hyperdrive_module.so';
}

sub _globals_http {
	my ($self) = @_;

	my $dir = $self->{dir};

	return join("\n", "access_log $dir/access.log;",
		map { "${_}_temp_path $dir/$_;" }
		qw(client_body proxy fastcgi uwsgi scgi));
}

sub _status_block {
	my ($self) = @_;

	return <<'EOF';
http {
    %%TEST_GLOBALS_HTTP%%

    server {
        listen 127.0.0.1:8999;

        location /hyperdrive {
            hyperdrive_status;
        }
    }
}
EOF
}

###############################################################################

# run(): starts nginx on nginx.conf and waits until its sockets listen.

sub run {
	my ($self, $conf) = @_;

	$conf = 'nginx.conf' unless defined $conf;

	my $dir = $self->{dir};

	unlink "$dir/nginx.pid";

	$self->{nginx} = spawn([ $NGINX, '-p', "$dir/", '-c', $conf,
			'-e', "$dir/error.log" ],
		env => { $self->_sanitizer_env() },
		output => "$dir/stderr.log", stop => 'TERM');

	my $ok = eval {
		wait_for(sub {
			die $self->read_file('stderr.log') . "\n"
				if reap($self->{nginx}, 0);
			-s "$dir/nginx.pid";
		}, 30);
	};

	if (!$ok) {
		my $why = $@;
		kill 'KILL', delete $self->{nginx};
		die "nginx did not start: $why";
	}

	$self->{conf} = $conf;

	# the pid file is there before the workers are

	wait_for(sub { $self->worker_pids() >= $self->_workers() }, 10,
		'workers')
		if $self->read_file($conf) !~ /^\s*master_process\s+off/m;

	return $self;
}

# How many workers the configuration wants.

sub _workers {
	my ($self) = @_;

	my ($workers) = $self->read_file($self->{conf} || 'nginx.conf')
		=~ /^\s*worker_processes\s+(\d+)/m;

	return $workers // 1;
}

sub _sanitizer_env {
	my ($self) = @_;

	return () unless $self->{sanitize};

	my $cc = $ENV{CC} || 'cc';
	my @libs = map { chomp(my $p = `$cc -print-file-name=$_`); $p }
		qw(libasan.so libubsan.so);

	# nginx itself is not instrumented and keeps its pools till the end

	return (
		LD_PRELOAD => join(':', @libs),
		ASAN_OPTIONS => "detect_leaks=0:log_path=$self->{dir}/sanitizer",
		UBSAN_OPTIONS => "print_stacktrace=1:"
			. "log_path=$self->{dir}/sanitizer",
	);
}

# stop(), stop('QUIT', seconds): a master that does not leave in time is
# killed, and the test fails.

sub stop {
	my ($self, $signal, $timeout) = @_;

	my $pid = $self->{nginx} or return $self;

	kill $signal || 'TERM', $pid;

	if (!eval { wait_for(sub { reap($pid, 0) }, $timeout || 15) }) {
		$self->{stuck} = 1;
		kill 'KILL', $pid, $self->worker_pids(all => 1);
		reap($pid, 1);
	}

	delete $self->{nginx};

	return $self;
}

sub master_pid {
	my ($self) = @_;
	return $self->{nginx};
}

# Workers that are not on their way out; all => 1 counts those too.

sub worker_pids {
	my ($self, %o) = @_;

	my @pids;

	for my $pid (children($self->{nginx})) {
		my $title = title($pid);

		next unless $title =~ /^nginx: worker process/;
		next if $title =~ /shutting down/ && !$o{all};

		push @pids, $pid;
	}

	@pids = sort { $a <=> $b } @pids;

	return @pids;
}

# reload(): true when all new workers have taken over, false when nginx refused
# the configuration (the reason is then in the log).

sub reload {
	my ($self, $timeout) = @_;

	my %old = map { $_ => 1 } $self->worker_pids(all => 1);
	my $refused = $self->_count_log(qr/\[emerg\]/);

	kill 'HUP', $self->{nginx};

	return wait_for(sub {
		my @now = $self->worker_pids();

		return 'taken over' if @now >= $self->_workers()
			&& !grep { $old{$_} } @now;
		return 'refused' if $self->_count_log(qr/\[emerg\]/) > $refused;
		return undef;
	}, $timeout || 20, 'reload') eq 'taken over';
}

sub _count_log {
	my ($self, $pattern) = @_;

	my $n = () = $self->read_file('error.log') =~ /$pattern/g;
	return $n;
}

# conf_error($conf): what nginx -t has against it, '' if nothing.  The text is
# expanded; without %%TEST_GLOBALS%% they and an events block are put ahead.

sub conf_error {
	my ($self, $conf) = @_;

	my ($rc, $out) = $self->conf_test($conf);

	my @lines = $out =~ /\[(?:emerg|alert|crit|error)\] (.*)/g;

	# the process and thread that the log file's form would have

	s/^\d+#\d+: // for @lines;

	return $lines[0] if @lines;
	return $rc == 0 ? '' : $out || "nginx -t exited with $rc";
}

# conf_test($conf): the exit status of nginx -t and all that it printed.

sub conf_test {
	my ($self, $conf) = @_;

	if ($conf !~ /%%TEST_GLOBALS%%/) {
		$conf = "%%TEST_GLOBALS%%\nevents {\n}\n$conf";
	}

	my $dir = $self->{dir};

	$self->write_file('conf_test.conf',
		$self->expand($conf, 'conf_test.log'));

	my $pid = spawn([ $NGINX, '-t', '-p', "$dir/", '-c', 'conf_test.conf',
			'-e', "$dir/conf_test.log" ],
		env => { $self->_sanitizer_env() },
		output => "$dir/conf_test.out");

	reap($pid, 1);

	my $status = $?;

	return ($status >> 8 || $status & 127,
		$self->read_file('conf_test.out'));
}

###############################################################################

sub log_has {
	my ($self, $pattern) = @_;
	return $self->_count_log($pattern) ? 1 : 0;
}

sub wait_for_log {
	my ($self, $pattern, $timeout) = @_;

	return wait_for(sub { $self->log_has($pattern) }, $timeout,
		"log line $pattern");
}

# One GET on a fresh connection; in list context status code, body, head.

sub http_get {
	my ($self, $uri, $port) = @_;

	my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
		PeerPort => $port || port(8999), Proto => 'tcp')
		or die "cannot connect for $uri: $!\n";

	print $s "GET $uri HTTP/1.0\r\nHost: localhost\r\n\r\n";

	local $/;
	my $answer = <$s> // '';
	close $s;

	my ($head, $body) = split /\r\n\r\n/, $answer, 2;
	my ($code) = ($head // '') =~ m{^HTTP/1\.\d (\d+)};

	return wantarray ? ($code, $body, $head) : $body;
}

# The status page, decoded.

sub status {
	my ($self, $uri, $port) = @_;

	my ($code, $body) = $self->http_get($uri || '/hyperdrive', $port);

	die "the status page answers " . ($code // 'nothing') . "\n"
		unless ($code // 0) == 200;

	return JSON::PP->new->utf8->decode($body);
}

# counted('shop', sub { ... }): by how much hits, misses and stored answers of
# the upstream rise, as "1 0 0".

sub counted {
	my ($self, $upstream, $code) = @_;

	my $totals = sub {
		my $total = $self->status()->{upstreams}{$upstream}{total};
		return @$total{qw(hits misses stored)};
	};

	my @before = $totals->();
	$code->();
	my @now = $totals->();

	return join(' ', map { $now[$_] - $before[$_] } 0 .. 2);
}

# Waits until <n> databases of the upstream are known, 1 unless given, in all
# workers together: from then on answers are kept.

sub wait_catalog {
	my ($self, $upstream, $n, $port) = @_;

	wait_for(sub {
		my $total = $self->status(undef, $port)
			->{upstreams}{$upstream}{total};

		return $total && $total->{catalogs} >= ($n || 1);
	}, 30, ($n || 1) . " catalogs of $upstream");

	return $self;
}

###############################################################################

# pg_client($port, user => ...): see Test::Hyperdrive::PG.

sub pg_client {
	require Test::Hyperdrive::PG;
	return Test::Hyperdrive::PG->connect(@_);
}

# fake_pg($port, query => sub { ... }): see Test::Hyperdrive::FakePG.

sub fake_pg {
	my ($self, $port, %o) = @_;

	require Test::Hyperdrive::FakePG;
	return $self->own(Test::Hyperdrive::FakePG->new($self, $port, %o));
}

# A real PostgreSQL, started: see Test::Hyperdrive::Postgres.

sub postgres {
	my ($self, %o) = @_;

	require Test::Hyperdrive::Postgres;
	return $self->own(Test::Hyperdrive::Postgres->new($self, %o))->start();
}

# The same for MySQL: Test::Hyperdrive::MySQL, ::FakeMySQL and ::MariaDB.

sub mysql_client {
	require Test::Hyperdrive::MySQL;
	return Test::Hyperdrive::MySQL->connect(@_);
}

sub fake_mysql {
	my ($self, $port, %o) = @_;

	require Test::Hyperdrive::FakeMySQL;
	return $self->own(Test::Hyperdrive::FakeMySQL->new($self, $port, %o));
}

sub mariadb {
	my ($self, %o) = @_;

	require Test::Hyperdrive::MariaDB;
	return $self->own(Test::Hyperdrive::MariaDB->new($self, %o))->start();
}

# A relay on a port of its own, started: see Test::Hyperdrive::Relay.

sub relay {
	my ($self, %o) = @_;

	require Test::Hyperdrive::Relay;
	return $self->own(Test::Hyperdrive::Relay->new($self, %o))->start();
}

###############################################################################

# certificate('front', cn => 'localhost', alt => [ 'DNS:localhost' ],
# type => 'rsa' | 'ec' | 'ed25519', ca => 'NAME', days => 30): writes NAME.crt
# and NAME.key into the test's directory.  Without ca it signs itself, and
# may sign others.

sub certificate {
	my ($self, $name, %o) = @_;

	my $base = "$self->{dir}/$name";
	my $type = $o{type} || 'rsa';
	my $days = $o{days} || 30;
	my $alt = join(',', @{$o{alt} || [ 'DNS:localhost', 'IP:127.0.0.1' ]});

	my %algorithm = (
		rsa => [ qw(-newkey rsa:2048) ],
		ec => [ qw(-newkey ec -pkeyopt ec_paramgen_curve:P-256) ],
		ed25519 => [ qw(-newkey ed25519) ],
	);

	my @request = ('openssl', 'req', '-new', @{$algorithm{$type}},
		'-nodes', '-subj', '/CN=' . ($o{cn} || 'localhost'),
		'-keyout', "$base.key");

	if (!$o{ca}) {
		$self->_openssl(@request, '-x509', '-days', $days,
			'-addext', "subjectAltName=$alt",
			'-out', "$base.crt");

	} else {
		$self->write_file("$name.ext", "basicConstraints=CA:FALSE\n"
			. "subjectAltName=$alt\n");

		$self->_openssl(@request, '-out', "$base.csr");

		$self->_openssl('openssl', 'x509', '-req', '-in', "$base.csr",
			'-CA', "$self->{dir}/$o{ca}.crt",
			'-CAkey', "$self->{dir}/$o{ca}.key",
			'-set_serial', 1 + int(rand(1e9)), '-days', $days,
			'-extfile', "$base.ext", '-out', "$base.crt");
	}

	chmod 0600, "$base.key";

	return $self;
}

sub _openssl {
	my ($self, @command) = @_;

	my ($status, $out) = run_command(\@command);

	die "@command:\n$out" if $status;
}

###############################################################################

# Everything is stopped, then what must hold in every test is checked.

sub finish {
	my ($self) = @_;

	return if $self->{finished};
	$self->{finished} = 1;

	alarm 120;

	$self->stop();

	for my $thing (reverse @{$self->{owned}}) {
		eval { $thing->stop(); 1 } or Test::More::diag($@);
	}

	end_spawned();

	my @left = $self->_left();

	$self->_checks(@left) if $self->{planned};

	kill 'KILL', @left if @left;

	alarm 0;

	my $failed = !Test::More->builder->is_passing();

	if ($ENV{TEST_HYPERDRIVE_LEAVE}
	    || ($failed && $ENV{TEST_HYPERDRIVE_LEAVE_FAILED}))
	{
		Test::More::diag("left in $self->{dir}");
		return;
	}

	$self->_show_log() if $failed;

	remove_tree($self->{dir}, { error => \my $errors });
}

sub _checks {
	my ($self, @left) = @_;

	my $log = $self->read_file('error.log');

	# an exit on a signal is an alert too, told once

	my $killed = qr/exited on signal|core dumped/;

	my @bad = grep { !$self->_allowed($_) && !_cut_short($log, $_) }
		$log =~ /^(.*\[(?:alert|emerg|crit)\].*)$/mg;

	_none('no alerts in the log', grep { $_ !~ $killed } @bad);
	_none('no process was killed by a signal', grep { /$killed/ } @bad);

	my @reports;

	for my $file (glob("$self->{dir}/sanitizer*"),
	    "$self->{dir}/stderr.log")
	{
		my $text = $self->read_file(basename($file));

		push @reports, $text
			if $text =~ /Sanitizer|runtime error:/;
	}

	_none('no report of a sanitizer', @reports);

	push @left, 'nginx did not stop in time' if $self->{stuck};

	_none('no process left', @left);
}

sub _none {
	my ($name, @found) = @_;

	my $last = @found > 10 ? 9 : $#found;

	Test::More::ok(!@found, $name);
	Test::More::diag($_) for @found[0 .. $last];
}

# A worker that was draining, and then told to go at once, says which sockets
# it has had to leave: no leak.

sub _cut_short {
	my ($log, $line) = @_;

	return 0 unless $line =~ /(\d+)#\d+: (?:\*\d+ open socket|aborting)/;

	return $log =~ /\b$1#\d+:\ gracefully\ shutting\ down
		.*\bsignal\ 15\ \(SIGTERM\)\ received
		.*\Q$line\E/xs;
}

sub _allowed {
	my ($self, $line) = @_;
	return scalar grep { $line =~ $_ } @{$self->{allowed}};
}

# Processes that still have something of the test's directory open.

sub _left {
	my ($self) = @_;

	my @left;

	# those that are on their way out are given time

	eval {
		wait_for(sub {
			reap(-1, 0);
			@left = group_members($self->{dir});
			return !@left;
		}, 5);
	};

	return @left;
}

sub _show_log {
	my ($self) = @_;

	my @lines = grep { !/\[debug\]/ }
		split /\n/, $self->read_file('error.log');

	splice(@lines, 0, @lines - 40) if @lines > 40;

	Test::More::diag('the end of error.log, without debug:') if @lines;
	Test::More::diag($_) for @lines;
}

END {
	my $status = $?;

	for my $self (@running) {
		next if $self->{pid} != $$;
		eval { $self->finish(); 1 } or warn $@;
	}

	$? = $status;
}

###############################################################################

1;

###############################################################################
