# Copyright (C) Hyperdrive for nginx authors

# The demo's part of PyMySQL: measures against the URL in argv and prints
# medians in milliseconds as JSON.

import json
import statistics
import sys
import time
import urllib.parse

import pymysql

url = urllib.parse.urlsplit(sys.argv[1])
table = sys.argv[2]
rounds = int(sys.argv[3])


def connect():
    return pymysql.connect(host=url.hostname, port=url.port,
                           user=url.username, password=url.password,
                           database=url.path[1:], autocommit=None)


def ask(client, id):
    with client.cursor() as cursor:
        cursor.execute(f'SELECT name, price FROM {table} WHERE id = %s',
                       (id,))
        rows = cursor.fetchall()

    if len(rows) != 1 or rows[0][0] != f'article {id}':
        raise RuntimeError(f'a wrong answer for {id}: {rows}')


def timed(function):
    start = time.perf_counter()
    result = function()
    return (time.perf_counter() - start) * 1000, result


def connect_and_ask(id):
    client = connect()
    ask(client, id)
    return client


# each query asks for a row of its own, which no cache can have

id = 3000
times = []

for i in range(rounds):
    took, client = timed(lambda: connect_and_ask(id + i))
    times.append(took)
    client.close()

result = {'connect': statistics.median(times)}

client = connect()
ask(client, 3500)

result['warm'] = statistics.median(
    timed(lambda: ask(client, 3600 + i))[0] for i in range(rounds))

ask(client, 1)

result['cached'] = statistics.median(
    timed(lambda: ask(client, 1))[0] for i in range(rounds))

client.close()

print(json.dumps(result))
