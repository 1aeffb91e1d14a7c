package Test::Hyperdrive::PG::Result;

# Copyright (C) Hyperdrive for nginx authors

# The messages that answer one unit.

###############################################################################

use warnings;
use strict;

###############################################################################

sub new {
	my ($class, @messages) = @_;
	return bless { messages => [ @messages ] }, $class;
}

sub messages {
	my ($self) = @_;
	return @{$self->{messages}};
}

# The types in order, rows and all: 'TDDCZ'.

sub types {
	my ($self) = @_;
	return join('', map { $_->{type} } $self->messages());
}

# The bytes as they came, to compare one answer with another.

sub bytes {
	my ($self) = @_;

	return join('', map { $_->{type} . pack('N', length($_->{body}) + 4)
		. $_->{body} } $self->messages());
}

sub all {
	my ($self, $type) = @_;
	return grep { $_->{type} eq $type } $self->messages();
}

sub first {
	my ($self, $type) = @_;
	return ($self->all($type))[0];
}

# All rows of all statements, an array reference each.

sub rows {
	my ($self) = @_;
	return [ map { $_->{values} } $self->all('D') ];
}

sub row {
	my ($self) = @_;
	return $self->rows()->[0];
}

# The first column of the first row.

sub value {
	my ($self) = @_;

	my $row = $self->row();
	return $row ? $row->[0] : undef;
}

sub column {
	my ($self, $i) = @_;
	return [ map { $_->[$i || 0] } @{$self->rows()} ];
}

sub columns {
	my ($self) = @_;

	my $m = $self->first('T');
	return $m ? [ map { $_->{name} } @{$m->{columns}} ] : [];
}

# The first command tag; tags() gives all.

sub tag {
	my ($self) = @_;

	my $m = $self->first('C');
	return $m ? $m->{tag} : undef;
}

sub tags {
	my ($self) = @_;
	return [ map { $_->{tag} } $self->all('C') ];
}

# The first error as a hash of its fields (S, V, C, M, D, H ...), or undef.

sub error {
	my ($self) = @_;

	my $m = $self->first('E');
	return $m ? $m->{fields} : undef;
}

# Its SQLSTATE, '' without one.

sub state {
	my ($self) = @_;

	my $error = $self->error();
	return $error ? $error->{C} : '';
}

sub message {
	my ($self) = @_;

	my $error = $self->error();
	return $error ? $error->{M} : '';
}

sub notices {
	my ($self) = @_;
	return [ map { $_->{fields} } $self->all('N') ];
}

# I, T or E; '' when the connection ended before.

sub status {
	my ($self) = @_;

	my $m = ($self->messages())[-1];
	return $m && $m->{type} eq 'Z' ? $m->{status} : '';
}

###############################################################################

1;

###############################################################################
