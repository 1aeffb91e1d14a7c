#!/usr/bin/perl

# Copyright (C) Hyperdrive for nginx authors

# Tests for hyperdrive: a new worker dies before any other one knows of it,
# with clients on their way to it.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Hyperdrive;
use Test::Hyperdrive::PG;
use Test::Hyperdrive::Process qw(children run_command);

###############################################################################

my $t = Test::Hyperdrive->new()->allow_log(qr/exited on signal 9/);

plan(skip_all => 'not with a sanitizer, which has to be loaded first')
	if $t->{sanitize};

my $pg = $t->postgres(users => { app => 'pw' }, databases => [ 'shop' ]);

$t->single($pg->url(), main => 'worker_processes 1;');

# A process that is about to tell another one something stops, as long as there
# is a file, but for those whose numbers are in it.

my $dir = $t->testdir();

$t->write_file('wait.c', <<"EOS");

#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <unistd.h>
#include <sys/socket.h>
#include <sys/syscall.h>

ssize_t
sendmsg(int s, const struct msghdr *msg, int flags)
{
    int   pid, listed;
    FILE *f;

    f = fopen("$dir/wait", "r");

    if (f) {
        listed = 0;

        while (fscanf(f, "%d", &pid) == 1) {
            listed |= (pid == getpid());
        }

        fclose(f);

        if (!listed) {
            kill(getpid(), SIGSTOP);
        }
    }

    return syscall(SYS_sendmsg, s, msg, flags);
}

EOS

run_command([ $ENV{CC} || 'cc', '-shared', '-fPIC', '-o', "$dir/wait.so",
	"$dir/wait.c" ]);

{
	local $ENV{LD_PRELOAD} = "$dir/wait.so";
	$t->run();
}

###############################################################################

my $c = pg_client(port(8080), user => 'app', database => 'shop',
	timeout => 10);

is($c->query('SELECT 1')->value(), 1, 'a client');

my ($old) = $t->worker_pids();
my $master = $t->{nginx};

$t->write_file('wait', "$master $old\n");

kill 'HUP', $master;

my $new;

wait_for(sub { ($new) = grep { $_ != $old && stopped($_) }
	children($master) }, 10);

ok($new, 'a new worker, which has told nobody of itself');

wait_for(sub { !grep { $_ == $old } $t->worker_pids(all => 1) }, 10);
pass('the old one has sent it the client, and left');

kill 'KILL', $new;
unlink "$dir/wait";

wait_for(sub { my @w = $t->worker_pids(); @w && $w[0] != $new }, 10);

is(eval { $c->query('SELECT 2')->value() }, 2, 'the client goes on');

$t->done_testing();

###############################################################################

sub stopped {
	my ($pid) = @_;

	open my $f, '<', "/proc/$pid/stat" or return;
	return <$f> =~ /\) T /;
}

###############################################################################
