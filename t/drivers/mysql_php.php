<?php

// mysqli and PDO: mysql_php.php PORT

mysqli_report(MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT);

$port = (int) $argv[1];

$m = new mysqli('127.0.0.1', 'app', 'secret', 'shop', $port);
$m->set_charset('utf8mb4');

$m->query('DROP TABLE IF EXISTS php');
$m->query('CREATE TABLE php (id INT AUTO_INCREMENT PRIMARY KEY, n BIGINT, name VARCHAR(50), x DOUBLE)');

$s = $m->prepare('INSERT INTO php (n, name, x) VALUES (?, ?, ?)');

for ($i = 1; $i <= 10; $i++) {
	$name = "n\u{e4}me $i";
	$x = $i / 4;
	$s->bind_param('isd', $i, $name, $x);
	$s->execute();
}

print "id $m->insert_id $s->affected_rows\n";
$s->close();

foreach ($m->query('SELECT * FROM php') as $row) {
	print json_encode($row) . "\n";
}

foreach ([ 7, 8 ] as $n) {
	$s = $m->prepare('SELECT n, name, x FROM php WHERE n > ?');
	$s->bind_param('i', $n);
	$s->execute();

	foreach ($s->get_result() as $row) {
		print json_encode($row) . "\n";
	}

	$s->close();
}

$m->begin_transaction();
$m->query('DELETE FROM php');
$m->rollback();
print json_encode($m->query('SELECT COUNT(*) FROM php')->fetch_row()) . "\n";

$m->multi_query('SELECT 1; SELECT 2, 3');

do {
	if ($r = $m->store_result()) {
		print json_encode($r->fetch_row()) . "\n";
	}
} while ($m->more_results() && $m->next_result());

try {
	$m->query('SELEC');
} catch (mysqli_sql_exception $e) {
	print "error " . $e->getCode() . " " . $m->sqlstate . "\n";
}

print "change " . json_encode($m->change_user('app', 'secret', 'other')) . "\n";
print json_encode($m->query('SELECT database(), @@autocommit')->fetch_row()) . "\n";
$m->close();

foreach ([ true, false ] as $emulate) {
	$p = new PDO("mysql:host=127.0.0.1;port=$port;dbname=shop;charset=utf8mb4",
		'app', 'secret', [ PDO::ATTR_EMULATE_PREPARES => $emulate,
		PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION ]);

	for ($i = 0; $i < 2; $i++) {
		$q = $p->prepare('SELECT n, name, x FROM php WHERE n < ? AND name LIKE ?');

		foreach ([ 3, 5 ] as $n) {
			$q->execute([ $n, 'n%' ]);
			print json_encode($q->fetchAll(PDO::FETCH_ASSOC)) . "\n";
		}
	}

	$p->beginTransaction();
	print $p->exec('UPDATE php SET n = n + 1') . "\n";
	$p->rollBack();

	try {
		$p->query('SELECT * FROM nowhere');
	} catch (PDOException $e) {
		print "error " . json_encode($e->errorInfo[1]) . " " . $e->getCode() . "\n";
	}

	$q = null;
}

$p->exec('DROP TABLE php');
