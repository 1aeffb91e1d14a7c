package Test::Hyperdrive::Kills;

# Copyright (C) Hyperdrive for nginx authors

# Clients that are killed anywhere, while others ask and check.

###############################################################################

use warnings;
use strict;

use Exporter qw(import);
use POSIX ();
use Time::HiRes qw(sleep);

our @EXPORT_OK = qw(hunt in_child cut);

###############################################################################

# hunt($test, ...): what each of those who asked says at its end: "asked N", or
# "failed: " and why.
#
#   kills => 100, at_once => 6
#   victim => sub { my ($n) = @_ }        one of them, in a process of its own
#   askers => 4
#   asker => sub { my ($i, $stop) = @_ }  asks until the file $stop is there,
#                                         returns how often, dies of what is
#                                         wrong
#   meanwhile => sub { my ($n) = @_ }     before each victim, or nothing

sub hunt {
	my ($t, %o) = @_;

	my $dir = $t->testdir();
	my $stop = "$dir/stop";
	my $askers = $o{askers} || 4;
	my $at_once = $o{at_once} || 6;

	unlink $stop;

	my @askers = map { my $i = $_; in_child(sub {
		my $n = eval { $o{asker}->($i, $stop) };
		my $why = $@;

		open my $f, '>', "$dir/asker.$i" or die;
		print $f defined $n ? "asked $n\n" : "failed: $why";
		close $f;
	}) } 1 .. $askers;

	my %asks = map { $_ => 1 } @askers;
	my %victims;

	my $wait = sub {
		my $pid = waitpid(-1, 0);

		delete $victims{$pid};
		delete $asks{$pid};
		return $pid;
	};

	for my $n (1 .. $o{kills}) {
		$wait->() while keys %victims >= $at_once;

		$o{meanwhile}->($n) if $o{meanwhile};

		my $seed = int(rand(1 << 30));

		$victims{in_child(sub {
			srand($seed);
			eval { $o{victim}->($n) };
		})} = 1;
	}

	while (keys %victims) {
		last if $wait->() < 0;
	}

	open my $f, '>', $stop or die;
	close $f;

	waitpid($_, 0) for keys %asks;

	return map { $t->read_file("asker.$_") } 1 .. $askers;
}

sub in_child {
	my ($code) = @_;

	my $pid = fork();
	die "fork: $!" unless defined $pid;
	return $pid if $pid;

	$code->();
	POSIX::_exit(0);
}

# What a client says is cut anywhere, with some answers in between perhaps, and
# it goes in one of three ways; the second leaves the socket to the kernel.

sub cut {
	my ($c, $bytes) = @_;

	my $end = rand() < 0.3 ? length($bytes)
		: int(rand(length($bytes) + 1));
	my $first = int(rand($end + 1));

	$c->send_raw(substr($bytes, 0, $first));
	eval { $c->_fill() if $c->_wait(Time::HiRes::time() + 0.03) }
		if rand() < 0.5;
	$c->send_raw(substr($bytes, $first, $end - $first));

	leave($c);
}

sub leave {
	my ($c) = @_;

	sleep(rand(0.03)) if rand() < 0.5;

	my $end = rand();

	$end < 0.4 ? $c->abort() : $end < 0.8 ? close($c->socket())
		: kill('KILL', $$);
}

###############################################################################

1;

###############################################################################
