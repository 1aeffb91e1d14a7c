/* sources: shm/ngx_hyperdrive_shm_mutex.c */

/*
 * Copyright (C) Hyperdrive for nginx authors
 */


/*
 * Tests of flights: who fills, who waits, and what is left when processes are
 * killed, at every numbered step and at any instruction.  The table is
 * compiled into this file, with the steps.
 */

#define NGX_HYPERDRIVE_FAULTS  1

#include <signal.h>
#include "cache/ngx_hyperdrive_cache_flight.c"
#include "check.h"

#include <sys/mman.h>
#include <sys/wait.h>


#define KEYS     40
#define PARENT   0
#define OTHER    1
#define VICTIM   2
#define WORKERS  3


static void                                *mem;
static ngx_hyperdrive_cache_flight_slots_t  slots;


/* acts as the process of this slot */

static void
as(ngx_uint_t slot)
{
    ngx_hyperdrive_cache_flight_set_slot(slot, 100 + slot);
}


static ngx_int_t
begin(uint64_t key, uint64_t stamp, uint64_t now,
    ngx_hyperdrive_cache_flight_t *flight)
{
    return ngx_hyperdrive_cache_flight_begin(key, stamp, now, 5000, flight);
}


static ngx_uint_t
told(ngx_uint_t slot)
{
    return ngx_hyperdrive_cache_flight_has(&slots, slot);
}


static void
test_one(void)
{
    ngx_hyperdrive_cache_flight_t  a, b, c;

    as(0);
    ok(begin(7, 1, 1000, &a) == NGX_OK, "the first one fills");
    ok(!ngx_hyperdrive_cache_flight_over(&a), "it is under way");
    ok(ngx_hyperdrive_cache_flight_count() == 1, "and counted");

    as(1);
    ok(begin(7, 1, 2000, &b) == NGX_AGAIN, "another worker's waits");
    ok(begin(7, 2, 2000, &c) == NGX_OK, "not at other table versions");

    as(100);
    ok(begin(7, 1, 2000, &b) == NGX_AGAIN, "nor a third one");
    ok(begin(7, 1, 999, &b) == NGX_AGAIN, "nor by an older clock");
    ok(begin(7, 1, 5999, &b) == NGX_AGAIN, "up to the limit");
    ok(begin(7, 1, 6000, &b) == NGX_DECLINED && b.cell == 0,
       "behind it everybody goes alone");

    ok(begin(7, 1, 2000, &b) == NGX_AGAIN, "waits");

    as(0);
    ngx_hyperdrive_cache_flight_end(&a, 0, &slots);
    ok(told(1) && told(100) && !told(0) && !told(2), "its end tells whom");
    ok(a.cell == 0 && ngx_hyperdrive_cache_flight_over(&b), "it is over");

    ngx_hyperdrive_cache_flight_end(&a, 0, &slots);
    ok(!told(1) && !told(100), "to end none is no error");

    ok(begin(7, 1, 2000, &a) == NGX_OK, "the next one fills again");
    ok(ngx_hyperdrive_cache_flight_over(&b), "and the old one is over still");

    ngx_hyperdrive_cache_flight_end(&a, 0, &slots);
    ok(!told(1) && !told(100), "nobody is told twice");

    ngx_hyperdrive_cache_flight_end(&c, 0, &slots);
    ok(ngx_hyperdrive_cache_flight_count() == 0, "nothing is left");
}


static void
test_mark(void)
{
    ngx_hyperdrive_cache_flight_t  a, b;

    as(0);
    (void) begin(8, 1, 1000, &a);
    ngx_hyperdrive_cache_flight_end(&a, 3000, &slots);

    ok(begin(8, 1, 2999, &b) == NGX_DECLINED,
       "what could not be kept is asked by everybody alone");
    ok(begin(8, 2, 2999, &b) == NGX_OK, "until something is written");
    ngx_hyperdrive_cache_flight_end(&b, 0, &slots);

    ok(begin(8, 1, 3000, &b) == NGX_OK, "or its time is over");
    ngx_hyperdrive_cache_flight_end(&b, 0, &slots);

    (void) begin(9, 1, 1000, &a);
    ngx_hyperdrive_cache_flight_stamp(&a, 2);
    as(1);
    ok(begin(9, 2, 1000, &b) == NGX_AGAIN, "a fill that was sent later");
    ok(begin(9, 1, 1000, &b) == NGX_OK, "is one of those versions");
    ngx_hyperdrive_cache_flight_end(&b, 0, &slots);
    ngx_hyperdrive_cache_flight_end(&a, 0, &slots);

    as(NGX_HYPERDRIVE_SLOTS);
    ok(begin(9, 1, 1000, &b) == NGX_DECLINED, "without a slot: alone");
}


static void
test_full(void)
{
    uint64_t                       i;
    ngx_uint_t                     good;
    ngx_hyperdrive_cache_flight_t  a[NGX_HYPERDRIVE_CACHE_FLIGHT_WAYS], b;

    as(0);
    good = 1;

    for (i = 0; i < NGX_HYPERDRIVE_CACHE_FLIGHT_WAYS; i++) {
        good &= (begin(3 + i * NGX_HYPERDRIVE_CACHE_FLIGHT_SETS, 1, 1000,
                       &a[i]) == NGX_OK);
    }

    ok(good, "as many as a set has");
    ok(begin(3 + i * NGX_HYPERDRIVE_CACHE_FLIGHT_SETS, 1, 1000, &b)
       == NGX_DECLINED, "one more goes alone");

    as(1);
    good = 1;

    for (i = 0; i < NGX_HYPERDRIVE_CACHE_FLIGHT_WAYS; i++) {
        good &= (begin(3 + i * NGX_HYPERDRIVE_CACHE_FLIGHT_SETS, 1, 1000, &b)
                 == NGX_AGAIN);
    }

    ok(good, "each of them is found");

    /* marks give way */

    ngx_hyperdrive_cache_flight_end(&a[0], 2000, &slots);
    ok(begin(3 + i * NGX_HYPERDRIVE_CACHE_FLIGHT_SETS, 1, 2000, &a[0])
       == NGX_OK, "an old mark gives way");

    for (i = 0; i < NGX_HYPERDRIVE_CACHE_FLIGHT_WAYS; i++) {
        ngx_hyperdrive_cache_flight_end(&a[i], 0, &slots);
    }

    ok(ngx_hyperdrive_cache_flight_count() == 0, "nothing is left");
}


static void
test_reclaim(void)
{
    ngx_hyperdrive_cache_flight_t  a, b, c;

    as(5);
    (void) begin(11, 1, 1000, &a);
    as(6);
    (void) begin(12, 1, 1000, &b);
    (void) begin(11, 1, 1000, &c);

    ngx_hyperdrive_cache_flight_reclaim(5, 0, &slots);

    ok(told(6) && ngx_hyperdrive_cache_flight_over(&c),
       "a dead process's flights are over");
    ok(!ngx_hyperdrive_cache_flight_over(&b), "and those of others are not");

    ngx_hyperdrive_cache_flight_reclaim(5, 0, &slots);
    ok(!told(6), "any number of times");

    /* it comes back to life, and ends what is not its own any more */

    as(7);
    (void) begin(11, 1, 1000, &c);
    as(5);
    ngx_hyperdrive_cache_flight_end(&a, 0, &slots);
    ok(!ngx_hyperdrive_cache_flight_over(&c), "a late end does nothing");

    /* the slot has changed hands before somebody hears of the death */

    ngx_hyperdrive_cache_flight_set_slot(7, 999);
    (void) begin(13, 1, 1000, &a);
    ngx_hyperdrive_cache_flight_reclaim(7, 999, &slots);

    ok(ngx_hyperdrive_cache_flight_over(&c)
       && !ngx_hyperdrive_cache_flight_over(&a),
       "the flights of the process that has its slot now go on");

    ngx_hyperdrive_cache_flight_end(&a, 0, &slots);
    ngx_hyperdrive_cache_flight_end(&b, 0, &slots);
}


static void
test_off(void)
{
    uint32_t  i, numbers[3] = { 4, 5, 6 };

    ok(!ngx_hyperdrive_cache_flight_is_off(numbers, 3), "nothing is off");
    ok(ngx_hyperdrive_cache_flight_off(5) == NGX_OK, "one number");
    ok(ngx_hyperdrive_cache_flight_off(5) == NGX_OK
       && ngx_hyperdrive_cache_flight_noff() == 1, "is off once");
    ok(ngx_hyperdrive_cache_flight_is_off(numbers, 3), "and found in a set");
    ok(!ngx_hyperdrive_cache_flight_is_off(numbers, 1), "not in others");

    for (i = 100; i < 100 + NGX_HYPERDRIVE_CACHE_FLIGHT_OFF - 1; i++) {
        (void) ngx_hyperdrive_cache_flight_off(i);
    }

    ok(!ngx_hyperdrive_cache_flight_is_off(numbers, 1), "as many as there may");
    ok(ngx_hyperdrive_cache_flight_off(i) == NGX_BUSY
       && ngx_hyperdrive_cache_flight_is_off(numbers, 1),
       "one more: all are off");

    ngx_hyperdrive_cache_flight_on_all();
    ok(!ngx_hyperdrive_cache_flight_is_off(numbers, 3), "all are on again");
}


/* what a worker does until it is killed; never returns */

static void
work(ngx_uint_t slot, ngx_uint_t times, uint32_t seed)
{
    uint64_t                             now;
    ngx_int_t                            rc;
    ngx_uint_t                           i, n;
    ngx_hyperdrive_cache_flight_t        held[8], wait;
    ngx_hyperdrive_cache_flight_slots_t  who;

    ngx_memzero(held, sizeof(held));
    as(slot);

    for (i = 0; i < times; i++) {
        seed = seed * 1103515245 + 12345;
        now = i;
        n = (seed >> 8) % 8;

        ngx_hyperdrive_cache_flight_end(&held[n], (seed & 0x100000)
                                                  ? now + 20 : 0, &who);

        rc = begin((seed >> 16) % KEYS, (seed >> 12) % 2, now, &wait);

        if (rc == NGX_OK) {
            held[n] = wait;

        } else if (rc == NGX_AGAIN && wait.cell == 0) {
            _exit(3);
        }

        if ((seed >> 4) % 64 == 0) {
            ngx_hyperdrive_cache_flight_reclaim(OTHER + 50, 0, &who);
        }

        if ((seed >> 4) % 64 == 1) {
            /* of one that is dead for good */
            ngx_hyperdrive_cache_flight_reclaim(VICTIM + WORKERS, 0, &who);
        }
    }

    for (n = 0; n < 8; n++) {
        ngx_hyperdrive_cache_flight_end(&held[n], 0, &who);
    }

    _exit(0);
}


/* 1: all is as it should be once the dead have been reclaimed */

static ngx_uint_t
sound(void)
{
    ngx_uint_t                     i, good;
    ngx_hyperdrive_cache_flight_t  a;

    for (i = 0; i < NGX_HYPERDRIVE_SLOTS; i++) {
        ngx_hyperdrive_cache_flight_reclaim(i, 0, &slots);
    }

    if (ngx_hyperdrive_cache_flight_count() != 0) {
        return 0;
    }

    as(PARENT);
    good = 1;

    for (i = 0; i < KEYS; i++) {
        good &= (begin(i, 77, 1000000, &a) == NGX_OK);
        ngx_hyperdrive_cache_flight_end(&a, 0, &slots);
    }

    return good;
}


static void
test_steps(void)
{
    int         status;
    pid_t       pid;
    ngx_uint_t  step, times, good, died;
    char        name[64];

    for (step = 1; step <= NGX_HYPERDRIVE_CACHE_FLIGHT_STEPS; step++) {
        good = 1;
        died = 0;

        for (times = 1; times <= 20; times++) {

            /* somebody to be reclaimed, for the last step */

            as(VICTIM + WORKERS);
            {
                ngx_hyperdrive_cache_flight_t  a;

                (void) begin(1000 + times, 1, 0, &a);
            }

            pid = fork();

            if (pid == 0) {
                ngx_hyperdrive_cache_flight_fault = step;
                ngx_hyperdrive_cache_flight_fault_count =
                    step == NGX_HYPERDRIVE_CACHE_FLIGHT_STEPS ? 1 : times;

                work(VICTIM, 20000, times);
            }

            waitpid(pid, &status, 0);

            died += WIFSIGNALED(status);
            good &= sound();
        }

        snprintf(name, sizeof(name), "killed at step %d, %d times",
                 (int) step, (int) died);
        ok(good && died == 20, name);
    }
}


static void
test_random(void)
{
    int         status;
    pid_t       pid[WORKERS];
    ngx_uint_t  i, round, good;

    good = 1;

    for (round = 0; round < 60; round++) {

        for (i = 0; i < WORKERS; i++) {
            pid[i] = fork();

            if (pid[i] == 0) {
                ngx_hyperdrive_cache_flight_fault = 0;
                work(VICTIM + i, i == 0 ? 100000000 : 3000, round * 7 + i);
            }
        }

        usleep(500 + round * 100);
        kill(pid[0], SIGKILL);

        for (i = 0; i < WORKERS; i++) {
            waitpid(pid[i], &status, 0);
            good &= i == 0 ? WIFSIGNALED(status)
                           : WIFEXITED(status) && WEXITSTATUS(status) == 0;
        }

        good &= sound();
    }

    ok(good, "killed at any instruction, 60 times, while others work");
}


int
main(void)
{
    size_t  size;

    size = ngx_hyperdrive_cache_flight_size();

    mem = mmap(NULL, size, PROT_READ|PROT_WRITE, MAP_SHARED|MAP_ANONYMOUS, -1,
               0);
    if (mem == MAP_FAILED) {
        return 1;
    }

    ok(sizeof(ngx_hyperdrive_cache_flight_cell_t)
       == NGX_HYPERDRIVE_CACHE_FLIGHT_LINE, "a cell is a cache line");
    ok(ngx_hyperdrive_cache_flight_attach(mem, size - 1, 1) == NGX_ERROR,
       "memory that is too small");
    ok(ngx_hyperdrive_cache_flight_attach(mem, size, 0) == NGX_ERROR,
       "memory that was not laid out");
    ok(ngx_hyperdrive_cache_flight_attach(mem, size, 1) == NGX_OK
       && ngx_hyperdrive_cache_flight_attach(mem, size, 0) == NGX_OK,
       "memory that is right");

    test_one();
    test_mark();
    test_full();
    test_reclaim();
    test_off();
    test_steps();
    test_random();

    return done();
}
