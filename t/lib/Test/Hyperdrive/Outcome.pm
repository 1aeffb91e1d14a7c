package Test::Hyperdrive::Outcome;

# Copyright (C) Hyperdrive for nginx authors

# Writes of which it is not known for a while what became of them: acknowledged
# late, their client or their connection or their worker lost.  What is kept is
# never older than such a write, in whatever dialect.

###############################################################################

use warnings;
use strict;

use Test::More;
use Time::HiRes qw(sleep time);

use Test::Hyperdrive::Process qw(wait_for);

###############################################################################

# new(...):
#
#   test, relay         the relay is before the database of 8082; of 8081 there
#                       is none, and of 8080, which is cached, neither
#   client => sub { my ($port) = @_ }
#   start => sub { my ($c, $sql) = @_ }     a statement is sent
#   finish => sub { my ($c) = @_ }          its answer, whatever it is: what it
#                                           says at the end of a connection
#   value => sub { my ($c, $sql) = @_ }
#   truth               a client of the database itself
#   hits => sub { }     answers from memory so far
#   read, up, slow      texts: a read, a write that adds 1 to it, one that takes
#                       two seconds for that; slower: one that takes minutes
#   lost                what finish() returns when the connection is lost

sub new {
	my ($class, %o) = @_;

	my $self = bless { %o }, $class;
	$self->{reader} = $self->client(8080);

	return $self;
}

sub client {
	my ($self, $port) = @_;
	return $self->{client}->($port);
}

sub start {
	my ($self, $c, $sql) = @_;
	return $self->{start}->($c, $sql);
}

sub finish {
	my ($self, $c) = @_;
	return $self->{finish}->($c);
}

sub run {
	my ($self, $c, $sql) = @_;

	$self->start($c, $sql);
	return $self->finish($c);
}

sub real {
	my ($self) = @_;
	return $self->{value}->($self->{truth}, $self->{read});
}

sub read_one {
	my ($self) = @_;
	return $self->{value}->($self->{reader}, $self->{read});
}

sub kept {
	my ($self) = @_;

	my $before = $self->{hits}->();
	$self->read_one();
	return $self->{hits}->() - $before;
}

sub warm {
	my ($self) = @_;
	return wait_for(sub { $self->kept() }, 20, 'a kept answer');
}

sub seen {
	my ($self, $old) = @_;
	return wait_for(sub { $self->real() > $old }, 10);
}

###############################################################################

# Others may see the write before the writer hears of it.

sub acknowledgement_held_back {
	my ($self, %starts) = @_;

	my $w = $self->client(8082);
	my ($relay, $up) = @$self{qw(relay up)};

	%starts = (simple => sub { $self->start($w, $up) },
		COMMIT => sub { $self->start($w, 'COMMIT') }, %starts);

	for my $how (sort keys %starts) {
		$self->run($w, 'SELECT 1');

		if ($how eq 'COMMIT') {
			$self->run($w, 'BEGIN');
			$self->run($w, $up);
		}

		$self->warm();
		my $old = $self->read_one();

		$relay->hold('down');
		$starts{$how}->($w);

		ok($self->seen($old), "$how: committed, and nobody has been told");

		is(join(' ', map { $self->read_one() } 1 .. 3),
			join(' ', ($old + 1) x 3), "$how: it is seen from now on");
		is($self->kept(), 0, "$how: nothing is kept meanwhile");

		$relay->release('down');
		$self->finish($w);

		is($self->read_one(), $old + 1, "$how: the writer has been told");
		ok($self->warm(), "$how: and answers are kept again");
	}
}

# A client that leaves in the middle of a write.

sub client_gone {
	my ($self) = @_;

	my $relay = $self->{relay};

	for my $how ('close', 'abort') {
		my $w = $self->client(8082);
		$self->run($w, 'SELECT 1');

		$self->warm();
		my $old = $self->read_one();

		$relay->hold('down');
		$self->start($w, $self->{up});

		ok($self->seen($old), "$how: committed, nobody has been told");

		$how eq 'abort' ? $w->abort() : close($w->socket());
		sleep(0.1);

		is($self->read_one(), $old + 1,
			"$how: the client has left, it is seen");
		is($self->kept(), 0, "$how: nothing is kept before it is settled");

		$relay->release('down');

		is($self->read_one(), $old + 1, "$how: it is settled");
		ok($self->warm(), "$how: answers are kept again");
	}
}

# The connection is cut in COMMIT, and the COMMIT arrives later.

sub cut_in_commit {
	my ($self) = @_;

	my $w = $self->client(8082);
	my $relay = $self->{relay};

	$self->run($w, 'BEGIN');
	$self->run($w, $self->{up});

	$self->warm();
	my $old = $self->read_one();

	$relay->hold('up');
	$self->start($w, 'COMMIT');

	ok(wait_for(sub { !$self->kept() }, 10), 'a COMMIT is on its way');

	$relay->cut('client');
	is($self->finish($w), $self->{lost}, '...and its connection is lost');

	my $end = time() + 2;
	my $hits = 0;

	while (time() < $end) {
		$hits += $self->kept();
		sleep(0.1);
	}

	is($hits, 0, 'nothing is kept for two seconds');
	is($self->read_one(), $old, '...in which it has not happened');

	$relay->release('up');

	ok($self->seen($old), 'then the COMMIT lands');

	is(join(' ', map { $self->read_one() } 1 .. 3),
		join(' ', ($old + 1) x 3), '...and is seen from then on');

	sleep(0.6);
	is($self->kept(), 0, 'nothing is kept while that connection is there');

	$relay->cut('both');

	ok($self->warm(), 'when it is gone, answers are kept again');
	is($self->read_one(), $old + 1, '...new ones');
}

# Reads what a connection at work writes at last, up to a while behind that.
# None may be older than what the database said before it; <old>: what it was
# before the write.

sub watch {
	my ($self, $name, $old, $after) = @_;

	my $end = time() + 30;
	my ($stale, $hits, $new) = (0, 0, 0);

	while (time() < $end && $new < 20) {
		my $real = $self->real();
		my $before = $self->{hits}->();
		my $got = eval { $self->read_one() };

		if (!defined $got) {
			$self->{reader} = $self->client(8080);
			redo;
		}

		$stale++ if $got < $real;
		$hits += $self->{hits}->() - $before if $real == $old;
		$new++ if $real > $old;

		sleep(0.02);
	}

	is($stale, 0, "$name: no read is older than the database");
	is($hits, 0, "$name: nothing is kept before the write has landed");
	cmp_ok($new, '>', 0, "$name: the write has landed");

	$after->() if $after;

	ok($self->warm(), "$name: answers are kept again");
}

sub lost_at_work {
	my ($self) = @_;

	my $w = $self->client(8082);
	my $relay = $self->{relay};

	$self->run($w, 'SELECT 1');
	$self->warm();

	my $old = $self->real();

	$self->start($w, $self->{slow});
	wait_for(sub { !$self->kept() }, 10);

	# it works on, and the request to cancel does not get there

	$relay->refuse();
	$relay->cut('client');
	$self->finish($w);

	wait_for(sub { $relay->stats()->{refused} }, 10);
	$relay->accept();

	$self->watch('connection lost', $old, sub { $relay->cut('both') });
}

# What it was doing for a client is ended by the others, unless the database does
# not let them: $lands.

sub killed_worker {
	my ($self, $lands) = @_;

	my $t = $self->{test};
	my $w = $self->client(8081);

	$self->warm();

	my $old = $self->real();

	$self->start($w, $self->{$lands ? 'slow' : 'slower'});
	wait_for(sub { !$self->kept() }, 10);

	my ($pid) = $t->worker_pids();

	$t->allow_log(qr/exited on signal 9/);
	kill 'KILL', $pid;

	wait_for(sub { my ($now) = $t->worker_pids(); $now && $now != $pid }, 10);

	$self->{reader} = $self->client(8080);

	return $self->watch('worker killed', $old) if $lands;

	ok($self->warm(), 'worker killed: answers are kept again');
	is($self->real(), $old, '...since the write was ended');
	is($self->read_one(), $old, '...and is in none of them');
}

###############################################################################

1;

###############################################################################
