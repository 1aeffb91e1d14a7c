
# PyMySQL: mysql_py.py PORT

import sys
import pymysql

def connect(**more):
    return pymysql.connect(host='127.0.0.1', port=int(sys.argv[1]), user='app',
                           password='secret', database='shop', **more)

c = connect()
cur = c.cursor()

cur.execute('DROP TABLE IF EXISTS py')
cur.execute('CREATE TABLE py (id INT AUTO_INCREMENT PRIMARY KEY, n BIGINT, '
            'name VARCHAR(50), d DATETIME, b LONGBLOB, x DECIMAL(10,3))')
cur.execute('INSERT INTO py (n, name, d, b, x) VALUES (%s, %s, %s, %s, %s)',
            (1 << 40, 'zw\u00f6lf', '2024-02-29 12:34:56', b'\x00\xff' * 70000,
             '1.5'))
print('insert', cur.rowcount, cur.lastrowid)

cur.execute('SELECT n, name, d, LENGTH(b), x, NULL FROM py')
print('read', cur.fetchall(), [ d[0] for d in cur.description ])

c.rollback()
cur.execute('SELECT COUNT(*) FROM py')
print('rolled back', cur.fetchall())

cur.executemany('INSERT INTO py (n) VALUES (%s)', [ (i,) for i in range(100) ])
c.commit()
cur.execute('SELECT COUNT(*), SUM(n) FROM py')
print('committed', cur.fetchall())

for sql in ('SELEC', 'SELECT * FROM nowhere', 'INSERT INTO py (id) VALUES (2), (2)'):
    try:
        cur.execute(sql)
    except pymysql.Error as e:
        print('error', e.args[0])

c.select_db('other')
cur.execute('SELECT database()')
print('database', cur.fetchall())
c.select_db('shop')

c.ping()

cur.execute('CREATE OR REPLACE PROCEDURE py_two() BEGIN SELECT 1; SELECT 2, 3; END')
cur.callproc('py_two')
print('procedure', cur.fetchall())
cur.nextset()
print('procedure', cur.fetchall())
cur.nextset()

s = c.cursor(pymysql.cursors.SSCursor)
s.execute('SELECT seq, REPEAT("x", 500) FROM seq_1_to_20000')
print('streamed', sum(row[0] for row in s))
s.close()

cur.execute('DROP TABLE py')
c.close()
