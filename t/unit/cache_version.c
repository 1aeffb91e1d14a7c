/* sources: cache/ngx_hyperdrive_cache_version.c shm/ngx_hyperdrive_shm_mutex.c */

/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "cache/ngx_hyperdrive_cache_version.h"
#include "check.h"

#include <stdlib.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>


static void *zone;


/* a zone that nobody has used, and a seat in it */

static void
fresh(void)
{
    ngx_hyperdrive_cache_version_stand();

    if (zone) {
        munmap(zone, ngx_hyperdrive_cache_version_size());
    }

    zone = mmap(NULL, ngx_hyperdrive_cache_version_size(),
                PROT_READ|PROT_WRITE, MAP_ANON|MAP_SHARED, -1, 0);

    if (zone == MAP_FAILED || ngx_hyperdrive_cache_version_create(zone)
                              != NGX_OK)
    {
        printf("Bail out! no memory\n");
        exit(2);
    }

    ngx_hyperdrive_cache_version_attach(zone, 1);
    ngx_hyperdrive_cache_version_open();

    if (ngx_hyperdrive_cache_version_sit() != NGX_OK) {
        printf("Bail out! no seat\n");
        exit(2);
    }
}


static ngx_hyperdrive_cache_version_set_t
set_of(int n, ...)
{
    int                                 i;
    va_list                             args;
    ngx_hyperdrive_cache_version_set_t  set;

    ngx_memzero(&set, sizeof(set));

    va_start(args, n);

    for (i = 0; i < n; i++) {
        (void) ngx_hyperdrive_cache_version_add(&set, va_arg(args, int));
    }

    va_end(args);

    return set;
}


static int
same(ngx_hyperdrive_cache_version_sample_t *a,
    ngx_hyperdrive_cache_version_sample_t *b)
{
    return a->n == b->n
           && memcmp(a->versions, b->versions, a->n * sizeof(uint64_t)) == 0;
}


static int
sample(ngx_hyperdrive_cache_version_set_t *set,
    ngx_hyperdrive_cache_version_sample_t *to)
{
    return ngx_hyperdrive_cache_version_sample(set, to) == NGX_OK;
}


/* runs <f> in a process with a seat of its own, which dies at the end of it */

static pid_t
process(void (*f)(void))
{
    pid_t  pid;

    fflush(stdout);

    pid = fork();

    if (pid) {
        return pid;
    }

    /* this process never sat there: its parent did */

    ngx_hyperdrive_cache_version_attach(NULL, 0);
    ngx_hyperdrive_cache_version_attach(zone, 1);

    if (ngx_hyperdrive_cache_version_sit() != NGX_OK) {
        _exit(3);
    }

    f();

    (void) raise(SIGKILL);

    return 0;
}


static void
wait_for(pid_t pid)
{
    int  status;

    (void) waitpid(pid, &status, 0);
}


static void
test_sets(void)
{
    int                                 i, rc;
    ngx_hyperdrive_cache_version_t      a, b;
    ngx_hyperdrive_cache_version_set_t  set, more;

    set = set_of(5, 9, 3, 7, 3, 0);

    ok(set.n == 4 && set.numbers[0] == 0 && set.numbers[1] == 3
       && set.numbers[2] == 7 && set.numbers[3] == 9,
       "a set is sorted and has each number once");

    more = set_of(2, 5, 9);

    ok(ngx_hyperdrive_cache_version_join(&set, &more) == NGX_OK
       && set.n == 5 && ngx_hyperdrive_cache_version_has(&set, 5),
       "sets are joined");

    rc = NGX_OK;
    set.n = 0;

    for (i = 0; i < NGX_HYPERDRIVE_CACHE_VERSION_SET; i++) {
        rc |= ngx_hyperdrive_cache_version_add(&set, i + 10);
    }

    ok(rc == NGX_OK
       && ngx_hyperdrive_cache_version_add(&set, 5) == NGX_BUSY
       && ngx_hyperdrive_cache_version_add(&set, 20) == NGX_OK
       && set.n == NGX_HYPERDRIVE_CACHE_VERSION_SET,
       "a full set takes no new number, and has its own still");

    a = ngx_hyperdrive_cache_version(1, 1000);
    b = ngx_hyperdrive_cache_version(2, 1000);

    ok(a != b && a == ngx_hyperdrive_cache_version(1, 1000)
       && ngx_hyperdrive_cache_version(1, 0) != a,
       "a table's number is the same always, and differs by database");

    for (i = 0; i < 1000000; i++) {

        if (ngx_hyperdrive_cache_version(i, i % 7)
            == NGX_HYPERDRIVE_CACHE_VERSION_EVERYTHING)
        {
            break;
        }
    }

    ok(i == 1000000, "no table has the number of EVERYTHING");
}


static void
test_one(void)
{
    ngx_hyperdrive_cache_version_set_t     a, b, ab, all, none;
    ngx_hyperdrive_cache_version_sample_t  s1, s2;

    fresh();

    a = set_of(1, 100);
    b = set_of(1, 200);
    ab = set_of(2, 100, 200);
    all = set_of(1, NGX_HYPERDRIVE_CACHE_VERSION_EVERYTHING);
    none = set_of(0);

    ok(sample(&a, &s1) && sample(&a, &s2) && same(&s1, &s2),
       "where nothing happens, samples are equal");

    ok(sample(&a, &s1) && sample(&b, &s2) && !same(&s1, &s2),
       "samples of other tables differ, though nobody wrote");

    sample(&ab, &s1);
    ngx_hyperdrive_cache_version_enter(&a);

    ok(!sample(&ab, &s2) && !sample(&a, &s2),
       "there is no sample while somebody is inside");
    ok(sample(&b, &s2), "other tables have theirs");

    ngx_hyperdrive_cache_version_leave(&a, 1);

    ok(sample(&ab, &s2) && !same(&s1, &s2),
       "behind a write the sample is another");

    s1 = s2;
    ngx_hyperdrive_cache_version_enter(&a);
    ngx_hyperdrive_cache_version_leave(&a, 0);

    ok(sample(&ab, &s2) && same(&s1, &s2),
       "behind a rollback it is the same");

    ngx_hyperdrive_cache_version_enter(&a);
    ngx_hyperdrive_cache_version_enter(&ab);
    ngx_hyperdrive_cache_version_leave(&a, 1);

    ok(!sample(&a, &s2) && !sample(&b, &s2), "one of two is inside still");

    ngx_hyperdrive_cache_version_leave(&ab, 0);

    ok(sample(&ab, &s2) && !same(&s1, &s2), "both have left");

    sample(&none, &s1);
    ngx_hyperdrive_cache_version_enter(&all);

    ok(!sample(&b, &s2) && !sample(&none, &s2),
       "who writes everything keeps all off");

    ngx_hyperdrive_cache_version_leave(&all, 1);

    ok(sample(&none, &s2) && !same(&s1, &s2), "EVERYTHING is in every sample");
}


static void
test_zone(void)
{
    ngx_hyperdrive_cache_version_set_t     a;
    ngx_hyperdrive_cache_version_sample_t  s1, s2;

    a = set_of(1, 100);

    fresh();
    sample(&a, &s1);
    fresh();

    ok(sample(&a, &s2) && !same(&s1, &s2),
       "a zone that was made anew has other samples");

    ok(ngx_hyperdrive_cache_version_check(zone) == NGX_OK
       && ngx_hyperdrive_cache_version_generation() == 1,
       "a zone is known by its layout");

    ngx_hyperdrive_cache_version_attach(zone, 5);
    ok(ngx_hyperdrive_cache_version_generation() == 1,
       "the first generation stays the first");

    *(uint32_t *) zone ^= 1;
    ok(ngx_hyperdrive_cache_version_check(zone) == NGX_DECLINED,
       "another layout is refused");
    *(uint32_t *) zone ^= 1;

    ngx_hyperdrive_cache_version_stand();
    munmap(zone, ngx_hyperdrive_cache_version_size());

    zone = mmap(NULL, ngx_hyperdrive_cache_version_size(),
                PROT_READ|PROT_WRITE, MAP_ANON|MAP_SHARED, -1, 0);
    (void) ngx_hyperdrive_cache_version_create(zone);
    ngx_hyperdrive_cache_version_attach(zone, 3);
    (void) ngx_hyperdrive_cache_version_sit();

    ok(!ngx_hyperdrive_cache_version_is_open() && !sample(&a, &s2),
       "a zone has no samples before it is opened");

    ngx_hyperdrive_cache_version_open();

    ok(sample(&a, &s2), "...and has them then");
}


static ngx_uint_t
mark(uint32_t upstream, uint32_t pid, uint32_t user, uint32_t where)
{
    ngx_hyperdrive_cache_version_end_t  end;

    end.upstream = upstream;
    end.pid = pid;
    end.user = user;
    end.where = where;
    end.line = 0;

    return ngx_hyperdrive_cache_version_mark(&end);
}


static void
remark(ngx_uint_t handle, uint32_t user, uint32_t where, uint32_t line)
{
    ngx_hyperdrive_cache_version_end_t  end;

    end.user = user;
    end.where = where;
    end.line = line;

    ngx_hyperdrive_cache_version_remark(handle, &end);
}


static void
die_inside(void)
{
    ngx_hyperdrive_cache_version_set_t  a;

    a = set_of(2, 100, 65535);

    (void) mark(7, 4711, 0, 0xfffffffe);
    ngx_hyperdrive_cache_version_unmark(mark(7, 1, 1, 1));
    remark(mark(8, 4712, 0xfffffffd, 0), 0xfffffffd, 3, 5);

    ngx_hyperdrive_cache_version_enter(&a);
}


static void
die_outside(void)
{
}


static void
sit_and_die(void)
{
    ngx_uint_t                          seat;
    ngx_hyperdrive_cache_version_set_t  b;

    b = set_of(1, 300);

    /* a dead one's seat must not be ours: its bits would be */

    ngx_hyperdrive_cache_version_enter(&b);

    if (ngx_hyperdrive_cache_version_dead(&seat) != NGX_OK) {
        ngx_hyperdrive_cache_version_leave(&b, 1);
    }

    /* dies with the dead one in its care */
}


static void
test_dead(void)
{
    int                                    i, n;
    ngx_int_t                              rc;
    ngx_uint_t                             seat, other, pos;
    ngx_hyperdrive_cache_version_end_t     end[3];
    ngx_hyperdrive_cache_version_set_t     a, b;
    ngx_hyperdrive_cache_version_sample_t  s1, s2;

    fresh();

    a = set_of(1, 100);
    b = set_of(1, 300);

    ok(ngx_hyperdrive_cache_version_dead(&seat) == NGX_DECLINED,
       "nobody is dead at first");

    wait_for(process(die_outside));

    ok(ngx_hyperdrive_cache_version_dead(&seat) == NGX_OK,
       "one that is killed is found dead");
    ngx_hyperdrive_cache_version_reclaim(seat);

    sample(&a, &s1);
    wait_for(process(die_inside));

    ok(!sample(&a, &s2), "who dies inside stays inside");

    wait_for(process(sit_and_die));

    ok(!sample(&a, &s2) && !sample(&b, &s2),
       "whoever comes next has a seat of his own");

    rc = ngx_hyperdrive_cache_version_dead(&seat);
    ok(rc == NGX_OK, "a dead one that was in a dead one's care is found");

    rc = ngx_hyperdrive_cache_version_dead(&other);
    ok(rc == NGX_OK && other != seat, "the other one, too");
    ok(ngx_hyperdrive_cache_version_dead(&pos) == NGX_DECLINED,
       "what is in our care is not found again");

    ok(ngx_hyperdrive_cache_version_died(seat) < 60000, "it died lately");

    for (n = 0, pos = 0; n < 3; n++) {

        if (ngx_hyperdrive_cache_version_next(ngx_min(seat, other), &pos,
                                              &end[n])
            != NGX_OK)
        {
            break;
        }
    }

    ok(n == 2 && end[0].upstream == 7 && end[0].pid == 4711
       && end[0].user == 0 && end[0].where == 0xfffffffe && end[0].line == 0
       && end[1].upstream == 8 && end[1].pid == 4712
       && end[1].user == 0xfffffffd && end[1].where == 3
       && end[1].line == 5,
       "the connections that it was inside with are known");

    ngx_hyperdrive_cache_version_reclaim(seat);
    ngx_hyperdrive_cache_version_reclaim(other);

    ok(sample(&a, &s2) && !same(&s1, &s2) && sample(&b, &s2),
       "reclaimed, it has left, and what it wrote is new");

    ok(ngx_hyperdrive_cache_version_dead(&seat) == NGX_DECLINED,
       "nobody is dead any more");

    for (i = 0; i < 1000; i++) {
        wait_for(process(die_outside));

        if (ngx_hyperdrive_cache_version_dead(&seat) != NGX_OK) {
            break;
        }

        ngx_hyperdrive_cache_version_reclaim(seat);
    }

    ok(i == 1000, "seats are used again, a thousand times");

    sample(&a, &s1);

    for (i = 0; i < NGX_HYPERDRIVE_CACHE_VERSION_SEATS + 50; i++) {
        wait_for(process(die_inside));
    }

    n = 0;

    while (ngx_hyperdrive_cache_version_dead(&seat) == NGX_OK) {
        ngx_hyperdrive_cache_version_reclaim(seat);
        n++;
    }

    ok(n == NGX_HYPERDRIVE_CACHE_VERSION_SEATS - 1,
       "more may die than there are seats");
    ok(sample(&a, &s2) && !same(&s1, &s2), "...and nothing is left of them");
}


static void
test_marks(void)
{
    int         i;
    ngx_uint_t  handles[NGX_HYPERDRIVE_CACHE_VERSION_ENDS + 2];

    fresh();

    for (i = 0; i < NGX_HYPERDRIVE_CACHE_VERSION_ENDS + 2; i++) {
        handles[i] = mark(1, i + 1, 0, 0);
    }

    ok(handles[NGX_HYPERDRIVE_CACHE_VERSION_ENDS - 1]
       == NGX_HYPERDRIVE_CACHE_VERSION_ENDS - 1
       && handles[NGX_HYPERDRIVE_CACHE_VERSION_ENDS]
          == NGX_HYPERDRIVE_CACHE_VERSION_ENDS,
       "so many connections are told, no more");

    for (i = 0; i < NGX_HYPERDRIVE_CACHE_VERSION_ENDS + 2; i++) {
        ngx_hyperdrive_cache_version_unmark(handles[i]);
    }

    ok(mark(1, 1, 0, 0) < NGX_HYPERDRIVE_CACHE_VERSION_ENDS,
       "handles are used again");
}


static void
leave_early(void)
{
    ngx_hyperdrive_cache_version_set_t  a;

    a = set_of(1, 100);

    ngx_hyperdrive_cache_version_enter(&a);
    ngx_hyperdrive_cache_version_stand();
}


static void
test_stand(void)
{
    ngx_uint_t                             seat;
    ngx_hyperdrive_cache_version_set_t     a;
    ngx_hyperdrive_cache_version_sample_t  s;

    fresh();

    a = set_of(1, 100);

    wait_for(process(leave_early));

    ok(!sample(&a, &s), "a worker that leaves may leave something uncertain");
    ok(ngx_hyperdrive_cache_version_dead(&seat) == NGX_OK,
       "...which others find, as if it had died");

    ngx_hyperdrive_cache_version_reclaim(seat);

    ok(sample(&a, &s), "...and reclaim");
}


/*
 * The rules at work: writers raise a value in shared memory ("the database")
 * inside of its number; readers keep what they read with a sample, and serve
 * it while the sample is the same.  Some writers are killed and reclaimed.
 */

#define VALUES  4

static volatile uint64_t  *values;      /* committed */
static volatile uint64_t  *acked;
static volatile uint64_t  *bad;         /* [0]: less than was shown, [2]: kept
                                           answers that were served */


static void
spin(unsigned n)
{
    volatile unsigned  i;

    for (i = 0; i < n; i++) { /* void */ }
}


static void
raise_to(volatile uint64_t *at, uint64_t v)
{
    uint64_t  seen;

    seen = __atomic_load_n(at, __ATOMIC_SEQ_CST);

    while (seen < v
           && !__atomic_compare_exchange_n(at, &seen, v, 0, __ATOMIC_SEQ_CST,
                                           __ATOMIC_SEQ_CST))
    {
        /* void */
    }
}


static void
write_some(void)
{
    int                                 i, k;
    uint64_t                            v;
    ngx_hyperdrive_cache_version_set_t  set;

    srand(getpid());

    for (i = 0; i < 4000; i++) {
        k = rand() % VALUES;
        set = set_of(1, 1000 + k);

        ngx_hyperdrive_cache_version_enter(&set);
        spin(rand() % 200);

        if (rand() % 4 == 0) {
            /* rolled back */
            ngx_hyperdrive_cache_version_leave(&set, 0);
            continue;
        }

        v = __atomic_add_fetch(&values[k], 1, __ATOMIC_SEQ_CST);

        if (rand() % 3000 == 0) {
            /* killed between commit and answer */
            return;
        }

        /* the answer is on its way, sometimes for long */

        if (rand() % 20) {
            spin(rand() % 200);

        } else {
            usleep(rand() % 300);
        }

        ngx_hyperdrive_cache_version_leave(&set, 1);

        raise_to(&acked[k], v);
    }

    ngx_hyperdrive_cache_version_stand();
    _exit(0);
}


static void
read_some(void)
{
    int                                    i, k, rc;
    uint64_t                               floor, v, kept[VALUES];
    ngx_hyperdrive_cache_version_set_t     set;
    ngx_hyperdrive_cache_version_sample_t  s, stamps[VALUES];

    ngx_memzero(stamps, sizeof(stamps));
    srand(getpid());

    for (i = 0; i < 40000; i++) {
        k = rand() % VALUES;
        set = set_of(1, 1000 + k);

        floor = __atomic_load_n(&acked[k], __ATOMIC_SEQ_CST);
        /* in a block nothing is looked up, and all is shown at once */

        rc = rand() % 8 && sample(&set, &s);

        if (rc && same(&s, &stamps[k])) {
            v = kept[k];
            __atomic_fetch_add(&bad[2], 1, __ATOMIC_SEQ_CST);

        } else {
            v = __atomic_load_n(&values[k], __ATOMIC_SEQ_CST);

            if (rc) {
                stamps[k] = s;
                kept[k] = v;
            }
        }

        if (v < floor) {
            __atomic_fetch_add(&bad[0], 1, __ATOMIC_SEQ_CST);
        }

        /* it has been shown: nobody is shown less from now on */

        raise_to(&acked[k], v);
    }

    ngx_hyperdrive_cache_version_stand();
    _exit(0);
}


static void
test_race(void)
{
    int         i, status, left;
    pid_t       pids[6];
    ngx_uint_t  seat, reclaimed;

    fresh();

    values = mmap(NULL, 65536, PROT_READ|PROT_WRITE, MAP_ANON|MAP_SHARED,
                  -1, 0);
    acked = values + 512;
    bad = values + 1024;

    for (i = 0; i < 6; i++) {
        pids[i] = process(i % 2 ? read_some : write_some);
    }

    reclaimed = 0;
    left = 6;

    while (left) {

        for (i = 0; i < 6; i++) {

            if (pids[i] && waitpid(pids[i], &status, WNOHANG) == pids[i]) {
                pids[i] = 0;
                left--;

                if (WIFSIGNALED(status)) {
                    /* a worker is started again */
                    pids[i] = process(i % 2 ? read_some : write_some);
                    left++;
                }
            }
        }

        if (ngx_hyperdrive_cache_version_dead(&seat) == NGX_OK) {
            ngx_hyperdrive_cache_version_reclaim(seat);
            reclaimed++;
        }
    }

    ok(bad[0] == 0, "no reader has seen less than was acknowledged or shown");
    ok(bad[2] > 0, "some were answered from what they kept");

    printf("# %d kept answers, %d processes reclaimed\n", (int) bad[2],
           (int) reclaimed);
}


/* what replicas are compared with */

static void
write_and_die(void)
{
    ngx_hyperdrive_cache_version_set_t  set;

    set = set_of(1, 6);
    ngx_hyperdrive_cache_version_enter(&set);
}


static int
moved(ngx_hyperdrive_cache_version_set_t *set, uint64_t *to)
{
    return ngx_hyperdrive_cache_version_moved(set, to) == NGX_OK;
}


static void
test_moved(void)
{
    uint64_t                            m, n;
    ngx_uint_t                          seat;
    ngx_hyperdrive_cache_version_set_t  a, b, both, all;

    fresh();

    a = set_of(1, 5);
    b = set_of(1, 6);
    both = set_of(2, 5, 6);
    all = set_of(1, NGX_HYPERDRIVE_CACHE_VERSION_EVERYTHING);

    ok(moved(&both, &m) && m == 0,
       "nothing was written: any measurement will do");

    n = ngx_hyperdrive_cache_version_tick();
    ok(n > m, "the first measurement is behind that");

    ngx_hyperdrive_cache_version_enter(&a);
    ok(!moved(&both, &m), "nothing is known while somebody is inside");
    ok(moved(&b, &m) && m < n, "...of what he is inside of");
    ngx_hyperdrive_cache_version_leave(&a, 1);

    ok(moved(&a, &m) && m >= n, "a write is not in a measurement before it");
    ok(moved(&both, &m) && m >= n, "...of any set that it is in");
    ok(moved(&b, &m) && m < n, "another table's is");

    n = ngx_hyperdrive_cache_version_tick();
    ok(moved(&a, &m) && m < n, "it is in the next one");

    ngx_hyperdrive_cache_version_enter(&a);
    ngx_hyperdrive_cache_version_leave(&a, 0);
    ok(moved(&a, &m) && m < n, "what was rolled back has not moved it");

    ngx_hyperdrive_cache_version_enter(&all);
    ngx_hyperdrive_cache_version_leave(&all, 1);
    ok(moved(&b, &m) && m >= n, "what may be anything has moved all");

    n = ngx_hyperdrive_cache_version_tick();
    wait_for(process(write_and_die));
    ok(!moved(&b, &m), "who has died inside is inside");

    ok(ngx_hyperdrive_cache_version_dead(&seat) == NGX_OK, "he is found");
    ngx_hyperdrive_cache_version_reclaim(seat);
    ok(moved(&b, &m) && m >= n, "...and may have written");
    ok(moved(&a, &m) && m < n, "...nothing else");
}


int
main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);

    test_sets();
    test_one();
    test_zone();
    test_dead();
    test_marks();
    test_stand();
    test_moved();
    test_race();

    return done();
}
