#!/bin/sh

# Copyright (C) Hyperdrive for nginx authors

# pgbench in its three modes: TPC-B-like, whose sums must agree at the end,
# select-only, and a script that checks its answers itself.  The database is
# named by PGHOST and its kin.

clients=${PGBENCH_CLIENTS:-12}
transactions=${PGBENCH_TRANSACTIONS:-40}

dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT

n=0
failed=0

ok() {
    n=$((n + 1))

    if [ "$1" -eq 0 ]; then
        echo "ok $n - $2"
        return
    fi

    echo "not ok $n - $2"
    sed 's/^/# /' "$dir/out"
    failed=1
}

bench() {
    # pgbench waits for the answer to PQprepare() with all clients of the
    # thread: those who have a transaction open, too, and with it all of the
    # pool's connections.  So each client has its own thread.

    pgbench -j "$clients" "$@" >"$dir/out" 2>&1 || return 1

    # a client that gives up does not always fail the run

    ! grep -E 'aborted|Run was aborted' "$dir/out" >/dev/null
}

sql() {
    psql -X -q -A -t -c "$1"
}

cat >"$dir/check.sql" <<'EOF'
\set n random(1, 1000000)
\set m random(1, 50)
SELECT :n::int AS a, :n::int + 1 AS b, :client_id::int AS c \gset
SELECT 1 / (:a::int = :n::int AND :b::int = :n::int + 1)::int;
SELECT 1 / (:c::int = :client_id::int)::int;
SELECT sum(g) AS s FROM generate_series(1, :m::int) g \gset
SELECT 1 / (:s::int = :m::int * (:m::int + 1) / 2)::int;
BEGIN;
SELECT aid AS x FROM pgbench_accounts WHERE aid = :n::int % 1000 + 1 \gset
SELECT 1 / (:x::int = :n::int % 1000 + 1)::int;
COMMIT;
EOF

cat >"$dir/pipeline.sql" <<'EOF'
\set aid random(1, 100000)
\startpipeline
SELECT abalance FROM pgbench_accounts WHERE aid = :aid;
SELECT bid FROM pgbench_branches;
UPDATE pgbench_tellers SET tbalance = tbalance + 0 WHERE tid = 1;
SELECT generate_series(1, 5);
\endpipeline
EOF

pgbench -i -s 1 -q >"$dir/out" 2>&1
ok $? 'initialized'

expected=0

for mode in simple extended prepared; do

    # the first run has pgbench vacuum its tables, as it does by itself

    vacuum=-n
    [ $mode = simple ] && vacuum=

    bench $vacuum -M $mode -c "$clients" -t "$transactions"
    ok $? "TPC-B-like, $mode"

    expected=$((expected + clients * transactions))

    count=$(sql 'SELECT count(*) FROM pgbench_history')
    echo "$count transactions of $expected" >"$dir/out"
    [ "$count" = "$expected" ]
    ok $? "no transaction lost, $mode"

    sums=$(sql 'SELECT
        (SELECT sum(abalance) FROM pgbench_accounts) =
            (SELECT sum(delta) FROM pgbench_history)
        AND (SELECT sum(tbalance) FROM pgbench_tellers) =
            (SELECT sum(delta) FROM pgbench_history)
        AND (SELECT sum(bbalance) FROM pgbench_branches) =
            (SELECT sum(delta) FROM pgbench_history)')
    echo "sums agree: $sums" >"$dir/out"
    [ "$sums" = t ]
    ok $? "the sums agree, $mode"

    bench -n -S -M $mode -c "$clients" -t "$((transactions * 4))"
    ok $? "select-only, $mode"

    bench -n -f "$dir/check.sql" -M $mode -c "$clients" -t "$transactions"
    ok $? "checked answers, $mode"

    bench -n -S -C -M $mode -c "$clients" -t 10
    ok $? "a connection for each transaction, $mode"
done

for mode in extended prepared; do
    bench -n -f "$dir/pipeline.sql" -M $mode -c "$clients" -t "$transactions"
    ok $? "pipelines, $mode"
done

echo "1..$n"
exit $failed
