/* sources: base/ngx_hyperdrive_base_hash.c base/ngx_hyperdrive_base_chain.c shm/ngx_hyperdrive_shm_mutex.c */

/*
 * Copyright (C) Hyperdrive for nginx authors
 */


/*
 * Processes that share a store are killed: at every numbered step of every
 * critical section, and at any instruction.  The store is compiled into this
 * file, with the steps.
 */

#define NGX_HYPERDRIVE_FAULTS  1

#include "cache_store_check.h"
#include "cache/ngx_hyperdrive_cache_row.c"
#include "cache/ngx_hyperdrive_cache_evict.c"
#include "cache/ngx_hyperdrive_cache_shard.c"
#include "cache/ngx_hyperdrive_cache_store.c"


/* one shard, so that all meet in it */
#define SIZE      (512 * 1024)

#define KEYS      400
#define HOLDS     16

/* slots: this process, one that leaves litter, the victims */
#define PARENT    0
#define LITTER    1
#define VICTIM    2
#define WORKERS   3

#define WRONG     3


static ngx_hyperdrive_cache_store_t  store;
static u_char                       *mem;


/* values tell who they are: two numbers in front; NGX_OK: whole, or no hit */

static ngx_int_t
look(uint32_t id, size_t size, ngx_hyperdrive_cache_ref_t *ref)
{
    uint32_t                    head[2];
    ngx_hyperdrive_cache_key_t  key;
    ngx_hyperdrive_cache_ref_t  copy;

    static u_char  p[1024 * 1024], q[1024 * 1024];

    key = make_key(&store, id);

    if (ngx_hyperdrive_cache_store_get(&store, &key, p, size, ref) != NGX_OK) {
        return NGX_OK;
    }

    copy = *ref;

    if (copy.left < 8 || gather(&copy, q, sizeof(q)) != ref->left) {
        return NGX_ERROR;
    }

    memcpy(head, q, 8);

    return (head[0] == id && same_value(q, id, head[1], ref->left)
            && ref->left == 8 + head[1] % 3000) ? NGX_OK : NGX_ERROR;
}


static void
store_one(uint32_t id)
{
    uint32_t  version;

    version = rnd(1000000);

    (void) put(&store, id, version, 8 + version % 3000);
}


/* what a worker does; returns only if what it finds is wrong */

static void
work(ngx_uint_t times, ngx_uint_t purge)
{
    uint32_t                    id, n;
    ngx_uint_t                  i;
    ngx_hyperdrive_cache_key_t  key;
    ngx_hyperdrive_cache_ref_t  ref, held[HOLDS];

    memset(held, 0, sizeof(held));

    for (i = 0; i < times; i++) {

        id = rnd(KEYS);
        n = rnd(100);

        if (n < 30) {
            store_one(id);

        } else if (n < 60) {

            if (look(id, 1024 * 1024, &ref) != NGX_OK) {
                return;
            }

        } else if (n < 90) {
            n = rnd(HOLDS);
            ngx_hyperdrive_cache_store_release(&held[n]);

            if (look(id, 0, &held[n]) != NGX_OK) {
                return;
            }

        } else if (n < 95) {
            key = make_key(&store, id);
            (void) ngx_hyperdrive_cache_store_delete(&store, &key);

        } else if (n == 95 && purge && rnd(20) == 0) {
            ngx_hyperdrive_cache_store_purge(&store);
        }
    }

    /* the rest is left as it is: reclaiming is what is tested */

    _exit(0);
}


static pid_t
spawn(ngx_uint_t slot, ngx_uint_t step, ngx_uint_t count, ngx_uint_t times)
{
    pid_t  pid;

    static uint64_t  born;

    born++;
    fflush(stdout);

    pid = fork();

    if (pid == 0) {
        seed ^= born * 0x9e3779b97f4a7c15ULL;

        ngx_hyperdrive_cache_store_attach(&store, mem);
        ngx_hyperdrive_cache_store_set_slot(&store, slot);

        ngx_hyperdrive_cache_shard_fault = step;
        ngx_hyperdrive_cache_shard_fault_count = count;

        /* what a worker does when it sees that another is dead */
        ngx_hyperdrive_cache_store_reclaim(&store, LITTER);

        work(times, step != 0);
        _exit(WRONG);
    }

    return pid;
}


/* 1: killed, 0: came to its end, 2: found something wrong */

static ngx_uint_t
ended(pid_t pid)
{
    int  status;

    waitpid(pid, &status, 0);

    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) {
        return 1;
    }

    return (WIFEXITED(status) && WEXITSTATUS(status) == 0) ? 0 : 2;
}


/* a process that holds entries, fills some, and dies outside the lock */

static void
litter(void)
{
    pid_t                         pid;
    uint32_t                      i, n;
    ngx_hyperdrive_cache_key_t    key;
    ngx_hyperdrive_cache_ref_t    ref;
    ngx_hyperdrive_cache_meta_t   meta;

    fflush(stdout);

    pid = fork();

    if (pid == 0) {
        ngx_hyperdrive_cache_store_attach(&store, mem);
        ngx_hyperdrive_cache_store_set_slot(&store, LITTER);
        meta = make_meta(1500, HOUR);

        for (i = 0; i < 5; i++) {
            store_one(i);
            (void) look(i, 0, &ref);
            (void) look(i, 0, &ref);

            key = make_key(&store, 100 + i);

            ngx_hyperdrive_cache_shard_lock(&store.shards[0]);
            (void) ngx_hyperdrive_cache_shard_reserve_locked(
                       &store.shards[0], &key, &meta, LITTER,
                       ngx_hyperdrive_cache_store_now(), &n);
            ngx_hyperdrive_cache_shard_unlock(&store.shards[0]);
        }

        _exit(0);
    }

    (void) ended(pid);
}


static void
begin(void)
{
    uint32_t  i;

    ngx_hyperdrive_cache_store_init(mem, SIZE);
    ngx_hyperdrive_cache_store_attach(&store, mem);
    ngx_hyperdrive_cache_store_set_slot(&store, PARENT);

    for (i = 0; i < KEYS; i++) {
        store_one(i);
    }
}


/* this process holds two entries through all that happens */

typedef struct {
    ngx_hyperdrive_cache_ref_t   ref;
    uint32_t                     id;
    uint32_t                     version;
} kept_t;


static void
keep(kept_t *k, uint32_t id, uint32_t version)
{
    ngx_hyperdrive_cache_key_t  key;

    k->id = id;
    k->version = version;

    do {
        (void) put(&store, id, version, 4000);
        key = make_key(&store, id);

    } while (ngx_hyperdrive_cache_store_get(&store, &key, NULL, 0, &k->ref)
             != NGX_OK);
}


static ngx_uint_t
unhurt(kept_t *k)
{
    return same_held(&k->ref, k->id, k->version, 4000);
}


static void
test_steps(void)
{
    kept_t                        a, b;
    uint32_t                      i;
    ngx_uint_t                    step, count, deaths, rc, good, order, whole;
    ngx_uint_t                    used, turn, wanted;
    ngx_hyperdrive_cache_stats_t  st;

    wanted = getenv("HYPERDRIVE_STEP_KILLS")
             ? (ngx_uint_t) atoi(getenv("HYPERDRIVE_STEP_KILLS")) : 5;

    for (step = 1; step <= NGX_HYPERDRIVE_CACHE_SHARD_STEPS; step++) {

        deaths = 0;
        good = 1;
        order = 1;
        whole = 1;

        /* a step is met some times in a life: at each of these in turns */

        count = 0;

        for (turn = 0; deaths < wanted && turn < wanted * 4; turn++) {
            count++;

            begin();
            keep(&a, 5000, 1);
            litter();
            keep(&b, 5001, 2);

            /* steps of recovery need somebody who died before */

            if (step >= 21 && step <= 23 && count % 2) {
                rc = ended(spawn(WORKERS, 16, 1 + count, 5000));

                if (rc == 2) {
                    good = 0;
                }
            }

            rc = ended(spawn(VICTIM, step, count, 5000));

            if (rc == 2) {
                good = 0;
            }

            if (rc == 1) {
                deaths++;

            } else {
                count = 0;
            }

            if (check(&store) != NULL) {
                order = 0;
            }

            /* as the survivors do, and once more */

            for (i = 0; i < 2; i++) {
                ngx_hyperdrive_cache_store_reclaim(&store, LITTER);
                ngx_hyperdrive_cache_store_reclaim(&store, VICTIM);
                ngx_hyperdrive_cache_store_reclaim(&store, WORKERS);

                if (check(&store) != NULL || stats(&store).held != 2) {
                    order = 0;
                }
            }

            for (i = 0; i < 2 * KEYS; i++) {
                store_one(i % KEYS);
            }

            if (!unhurt(&a) || !unhurt(&b)) {
                whole = 0;
            }

            used = stats(&store).entries;

            ngx_hyperdrive_cache_store_release(&a.ref);
            ngx_hyperdrive_cache_store_release(&b.ref);
            ngx_hyperdrive_cache_store_purge(&store);

            st = stats(&store);

            if (check(&store) != NULL || st.held != 0 || used == 0
                || st.blocks_free != st.blocks)
            {
                order = 0;
            }
        }

        okf(deaths == wanted && good && order && whole,
            "step %d: %d deaths, store %s, held entries %s", (int) step,
            (int) deaths, (order && good) ? "in order" : "BROKEN",
            whole ? "unhurt" : "HURT");
    }
}


static void
test_any(void)
{
    kept_t                        a, b;
    pid_t                         pids[WORKERS];
    ngx_uint_t                    i, n, rc, good, order, whole, deaths;
    ngx_hyperdrive_cache_stats_t  st;

    begin();
    keep(&a, 5000, 1);
    keep(&b, 5001, 2);

    good = 1;
    order = 1;
    whole = 1;
    deaths = 0;

    for (n = 0; n < WORKERS; n++) {
        pids[n] = spawn(VICTIM + n, 0, 0, 100000000);
    }

    for (i = 0; i < 300; i++) {

        usleep(rnd(2500));

        n = rnd(WORKERS);
        kill(pids[n], SIGKILL);
        rc = ended(pids[n]);

        if (rc != 1) {
            good = 0;
            break;
        }

        deaths++;

        if (check(&store) != NULL) {
            order = 0;
            break;
        }

        ngx_hyperdrive_cache_store_reclaim(&store, VICTIM + n);

        if (!unhurt(&a) || !unhurt(&b)) {
            whole = 0;
            break;
        }

        pids[n] = spawn(VICTIM + n, 0, 0, 100000000);
    }

    for (n = 0; n < WORKERS; n++) {
        kill(pids[n], SIGKILL);

        if (ended(pids[n]) != 1) {
            good = 0;
        }

        ngx_hyperdrive_cache_store_reclaim(&store, VICTIM + n);
    }

    st = stats(&store);

    okf(good, "%d workers killed at random: the others found nothing wrong",
        (int) deaths);
    ok(order && check(&store) == NULL, "the store was in order each time");
    ok(whole, "held entries are unhurt");
    ok(st.held == 2, "the dead hold nothing");
    okf(st.recovered > 0, "%d times the lock was held", (int) st.recovered);

    ngx_hyperdrive_cache_store_release(&a.ref);
    ngx_hyperdrive_cache_store_release(&b.ref);
    ngx_hyperdrive_cache_store_purge(&store);

    st = stats(&store);
    ok(st.held == 0 && st.blocks_free == st.blocks && check(&store) == NULL,
       "all is free in the end");
}


static void
test_crowd(void)
{
    ngx_uint_t                    i, n, good;
    pid_t                         pids[4];
    ngx_hyperdrive_cache_stats_t  st;

    begin();

    for (n = 0; n < 4; n++) {
        pids[n] = spawn(VICTIM + n, 0, 0, 30000);
    }

    good = 1;

    for (n = 0; n < 4; n++) {

        if (ended(pids[n]) != 0) {
            good = 0;
        }
    }

    for (i = 0; i < 4; i++) {
        ngx_hyperdrive_cache_store_reclaim(&store, VICTIM + i);
    }

    st = stats(&store);

    ok(good, "four workers at once found nothing wrong");
    ok(check(&store) == NULL && st.held == 0 && st.recovered == 0,
       "and left the store in order");
}


int
main(void)
{
    mem = area(SIZE);

    test_crowd();
    test_steps();
    test_any();

    return done();
}
