/* sources: shm/ngx_hyperdrive_shm.c shm/ngx_hyperdrive_shm_limit.c shm/ngx_hyperdrive_shm_ticket.c shm/ngx_hyperdrive_shm_note.c shm/ngx_hyperdrive_shm_quota.c shm/ngx_hyperdrive_shm_client.c shm/ngx_hyperdrive_shm_backend.c shm/ngx_hyperdrive_shm_order.c shm/ngx_hyperdrive_shm_mutex.c */

/*
 * Copyright (C) Hyperdrive for nginx authors
 */


/*
 * Clients in the runtime zone, and who takes over from a process that leaves.
 */


#include "shm_check.h"


static ngx_int_t  result;


static void
add(void)
{
    told->numbers[0] = ngx_hyperdrive_shm_client_add(7);
}


static void
nothing(void)
{
}


static void
take(void)
{
    ngx_uint_t  slot, n;

    if (ngx_hyperdrive_shm_client_take(told->numbers[0], 9) != NGX_OK
        || ngx_hyperdrive_shm_client_find(told->numbers[0], &slot, &n) != NGX_OK
        || slot != ngx_hyperdrive_shm_slot || n != 9)
    {
        _exit(1);
    }
}


static ngx_uint_t
is_at(uint32_t client, ngx_uint_t slot, ngx_uint_t n)
{
    ngx_uint_t  s, k;

    return ngx_hyperdrive_shm_client_find(client, &s, &k) == NGX_OK
           && s == slot && k == n;
}


static ngx_uint_t
is_nowhere(uint32_t client)
{
    ngx_uint_t  s, k;

    return ngx_hyperdrive_shm_client_find(client, &s, &k) == NGX_DECLINED;
}


static void
test_clients(void)
{
    uint32_t  a, b, c;

    fresh();

    a = ngx_hyperdrive_shm_client_add(0);
    b = ngx_hyperdrive_shm_client_add(1);

    ok(a && b && a != b, "clients have numbers");
    ok(is_at(a, 0, 0) && is_at(b, 0, 1), "they lead to them");
    ok(is_nowhere(0) && is_nowhere(b + 1)
       && is_nowhere(NGX_HYPERDRIVE_SHM_CLIENTS + 1), "others lead nowhere");

    ngx_hyperdrive_shm_client_remove(a);
    ngx_hyperdrive_shm_client_remove(0);
    ok(is_nowhere(a) && is_at(b, 0, 1), "one that has left");

    c = ngx_hyperdrive_shm_client_add(0);
    ok(c != a, "its number is not used again soon");

    /* on its way, and back */

    ngx_hyperdrive_shm_client_pass(b, 5);
    ok(is_nowhere(b), "on its way it is nowhere");
    ngx_hyperdrive_shm_client_remove(b);
    ok(ngx_hyperdrive_shm_client_take(b, 4) == NGX_OK && is_at(b, 0, 4),
       "but is not lost");
    ok(ngx_hyperdrive_shm_client_take(b, 3) == NGX_DECLINED && is_at(b, 0, 4),
       "it is taken once");

    /* to another process, which dies with it */

    ngx_hyperdrive_shm_client_pass(b, 1);
    told->numbers[0] = b;
    elsewhere(take);

    ok(told->slot == 1 && is_at(b, 1, 9), "it is taken by another process");

    ngx_hyperdrive_shm_reclaim(1);
    ok(is_nowhere(b), "which has died");

    elsewhere(add);
    ok(is_at(told->numbers[0], 1, 7), "one of another process");

    ngx_hyperdrive_shm_client_remove(told->numbers[0]);
    ok(is_at(told->numbers[0], 1, 7), "is not ours to remove");

    ngx_hyperdrive_shm_reclaim(1);
    ok(is_nowhere(told->numbers[0]) && is_at(c, 0, 0),
       "and dies with it, and no other");

    /* what was on its way to the dead is ours to take */

    ngx_hyperdrive_shm_client_pass(c, 1);
    ngx_hyperdrive_shm_reclaim(1);
    ok(ngx_hyperdrive_shm_client_take(c, 2) == NGX_OK && is_at(c, 0, 2),
       "on its way to the dead it is still to be had");
}


static void
test_full(void)
{
    uint32_t    n, last;
    ngx_uint_t  good;

    fresh();

    good = 1;
    last = 0;

    for (n = 0; n < NGX_HYPERDRIVE_SHM_CLIENTS; n++) {
        last = ngx_hyperdrive_shm_client_add(n);
        good &= (last != 0);
    }

    ok(good, "all numbers are used");
    ok(ngx_hyperdrive_shm_client_add(0) == 0, "then there is none");

    ngx_hyperdrive_shm_client_remove(last);
    ok(ngx_hyperdrive_shm_client_add(1) == last, "but for one that is free");

    ngx_hyperdrive_shm_exit_process();
    ok(is_nowhere(1) && is_nowhere(last), "a process takes its own along");
}


static void
test_heirs(void)
{
    ngx_uint_t  slot;

    fresh();

    ok(ngx_hyperdrive_shm_heir(&slot) == NGX_DECLINED,
       "nobody takes over where there is no other configuration");

    (void) ngx_hyperdrive_shm_init_module(&zone, &test_log);

    result = ngx_hyperdrive_shm_heir(&slot);
    ok(result == NGX_AGAIN, "there is one, and nobody of it yet");

    elsewhere(nothing);

    result = ngx_hyperdrive_shm_heir(&slot);
    ok(result == NGX_OK && slot == told->slot, "there is somebody");

    elsewhere(ngx_hyperdrive_shm_leave);

    result = ngx_hyperdrive_shm_heir(&slot);
    ok(result == NGX_DECLINED, "but not if it leaves");

    (void) ngx_hyperdrive_shm_init_module(&zone, &test_log);

    result = ngx_hyperdrive_shm_heir(&slot);
    ok(result == NGX_AGAIN, "nor one of a configuration that is old itself");
}


static void
test_adopt(void)
{
    uint32_t                          backend;
    ngx_str_t                         name = ngx_string("one");
    ngx_uint_t                        slot;
    ngx_hyperdrive_shm_limit_t       *limit;
    ngx_hyperdrive_shm_limit_stats_t  stats;

    fresh();

    limit = ngx_hyperdrive_shm_limit(&name, 2, 10, &test_log);

    ok(limit && ngx_hyperdrive_shm_limit_take(limit) == NGX_OK,
       "a place is taken");

    backend = ngx_hyperdrive_shm_backend_add(limit, &name, NULL, NULL);

    ngx_hyperdrive_shm_exit_process();
    ok(ngx_hyperdrive_shm_backend_adopt(limit, backend, 0) == NGX_DECLINED,
       "nobody takes a connection over without a slot");

    (void) ngx_hyperdrive_shm_init_process(&zone, &test_log);
    limit = ngx_hyperdrive_shm_limit(&name, 2, 10, &test_log);
    slot = ngx_hyperdrive_shm_slot;

    ok(ngx_hyperdrive_shm_backend_adopt(limit, backend, 1) == NGX_DECLINED,
       "nor from one that has none");
    ok(ngx_hyperdrive_shm_backend_adopt(limit, backend, slot) == NGX_OK,
       "a connection of the dead, with its place");
    ok(ngx_hyperdrive_shm_backend_adopt(limit, backend, slot) == NGX_DECLINED,
       "is taken over once");

    ngx_hyperdrive_shm_limit_stats(limit, &stats);
    ok(stats.used == 1 && stats.dead == 0 && stats.slots[slot] == 1,
       "and counts as before");
}


int
main(void)
{
    test_clients();
    test_full();
    test_heirs();
    test_adopt();

    return done();
}
