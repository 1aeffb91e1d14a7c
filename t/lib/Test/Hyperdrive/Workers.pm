package Test::Hyperdrive::Workers;

# Copyright (C) Hyperdrive for nginx authors

# Clients of which it is known which worker they are with, of either protocol.

###############################################################################

use warnings;
use strict;

use Exporter qw(import);

use Test::Hyperdrive::Process qw(wait_for);

our @EXPORT_OK = qw(clients_by_worker clients_of_each start gone);

###############################################################################

# How many clients of an upstream each worker has: pid => number.

sub clients_by_worker {
	my ($t, $upstream) = @_;

	my $by = $t->status()->{upstreams}{$upstream}{by_worker};
	return map { $_ => $by->{$_}{clients} } keys %$by;
}

# So many clients of each of so many workers, which are told apart by the
# counters: pid => [ clients ].  The upstream has no others.

sub clients_of_each {
	my ($t, $upstream, $workers, $n, $open) = @_;

	my (%of, @extra);

	for (1 .. 300) {
		my %before = clients_by_worker($t, $upstream);
		my $c = $open->();
		my %now = clients_by_worker($t, $upstream);

		my ($pid) = grep { $now{$_} > ($before{$_} // 0) } keys %now;

		if (defined $pid && @{ $of{$pid} // [] } < $n) {
			push @{ $of{$pid} }, $c;

		} else {
			push @extra, $c;
		}

		last if keys %of == $workers && !grep { @$_ < $n } values %of;
	}

	gone($_) for @extra;

	wait_for(sub {
		my %now = clients_by_worker($t, $upstream);
		my $sum = 0;
		$sum += $_ for values %now;
		$sum == $workers * $n;
	});

	die "no clients of each worker\n" unless keys %of == $workers;

	return %of;
}

# Sends a query and does not wait for its answer.

sub start {
	my ($c, $sql) = @_;

	return $c->command('QUERY', $sql) if $c->can('command');
	return $c->send('Q', "$sql\0")->flush_out();
}

# Leaves without a word.

sub gone {
	my ($c) = @_;

	return $c->can('vanish') ? $c->vanish() : $c->abort();
}

###############################################################################

1;

###############################################################################
