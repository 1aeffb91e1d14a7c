-- what the mysql client is fed, by drivers/mysql.t
DROP TABLE IF EXISTS cli;
CREATE TABLE cli (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(50), b BLOB);
INSERT INTO cli (name, b) VALUES ('one', 'x'), ('two', NULL), ('zwölf', '\0\n');
SELECT id, name, HEX(b) FROM cli ORDER BY id;
SELECT LAST_INSERT_ID() > 0;
BEGIN;
UPDATE cli SET name = 'changed' WHERE id = 1;
SELECT name FROM cli WHERE id = 1;
ROLLBACK;
SELECT name FROM cli WHERE id = 1;
SET @a = 17;
SELECT @a + 1;
PREPARE p FROM 'SELECT name FROM cli WHERE id = ?';
SET @id = 2;
EXECUTE p USING @id;
DEALLOCATE PREPARE p;
DELIMITER //
CREATE OR REPLACE PROCEDURE two_results() BEGIN SELECT 1; SELECT name FROM cli; END //
DELIMITER ;
CALL two_results();
SHOW WARNINGS;
USE other
SELECT database();
USE shop
SELECT REPEAT('x', 100000) = REPEAT('x', 100000), LENGTH(REPEAT('y', 300000));
DROP TABLE cli;
