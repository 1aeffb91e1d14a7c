#!/usr/bin/perl

# DBD::MariaDB: mysql_dbd.pl PORT [prepared on the server: 0 or 1]

use warnings;
use strict;

use DBI;

my ($port, $prepare) = @ARGV;

my $db = DBI->connect("DBI:MariaDB:database=shop;host=127.0.0.1;port=$port",
	'app', 'secret', { RaiseError => 1, PrintError => 0,
	mariadb_server_prepare => $prepare });

$db->do('DROP TABLE IF EXISTS dbd');
$db->do('CREATE TABLE dbd (id INT AUTO_INCREMENT PRIMARY KEY, n BIGINT, '
	. 'name VARCHAR(50), d DATE)');

my $insert = $db->prepare('INSERT INTO dbd (n, name, d) VALUES (?, ?, ?)');

$insert->execute($_, "name $_", $_ % 2 ? '2024-02-29' : undef) for 1 .. 20;
print 'last ', $db->last_insert_id(undef, undef, 'dbd', 'id'), "\n";

my $read = $db->prepare('SELECT * FROM dbd WHERE n > ? ORDER BY id');

for my $n (5, 18) {
	$read->execute($n);

	while (my @row = $read->fetchrow_array()) {
		print join(',', map { defined $_ ? $_ : 'NULL' } @row), "\n";
	}
}

$db->begin_work();
print 'deleted ', $db->do('DELETE FROM dbd WHERE n <= 10'), "\n";
$db->rollback();
print 'left ', $db->selectrow_array('SELECT COUNT(*) FROM dbd'), "\n";

eval { $db->do('SELEC') };
print 'error ', $db->err(), ' ', $db->state(), "\n";

eval { $db->do('INSERT INTO dbd (id) VALUES (1)') };
print 'error ', $db->err(), ' ', $db->state(), "\n";

print 'ping ', $db->ping(), "\n";

$db->do('DROP TABLE dbd');
$db->disconnect();
