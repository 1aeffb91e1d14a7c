/* sources: shm/ngx_hyperdrive_shm.c shm/ngx_hyperdrive_shm_limit.c shm/ngx_hyperdrive_shm_ticket.c shm/ngx_hyperdrive_shm_note.c shm/ngx_hyperdrive_shm_quota.c shm/ngx_hyperdrive_shm_client.c shm/ngx_hyperdrive_shm_backend.c shm/ngx_hyperdrive_shm_order.c shm/ngx_hyperdrive_shm_mutex.c */

/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "shm_check.h"


static ngx_str_t  all = ngx_string("");
static ngx_str_t  shop = ngx_string("shop");
static ngx_str_t  stock = ngx_string("stock");


static ngx_hyperdrive_shm_limit_t *
upstream(const char *name)
{
    ngx_str_t  s;

    s.data = (u_char *) name;
    s.len = strlen(name);

    return ngx_hyperdrive_shm_limit(&s, 4, 4, &test_log);
}


static void
test_pause(void)
{
    ngx_uint_t                         i, n;
    ngx_hyperdrive_shm_limit_t        *one, *two;
    ngx_hyperdrive_shm_order_state_t   state;

    fresh();

    one = upstream("one");
    two = upstream("two");

    ok(!ngx_hyperdrive_shm_order_paused(one, &shop), "nothing is paused");

    ok(ngx_hyperdrive_shm_order_pause(one, &shop, 1, 0) == NGX_OK
       && ngx_hyperdrive_shm_order_paused(one, &shop), "a database is");
    ok(!ngx_hyperdrive_shm_order_paused(one, &stock)
       && !ngx_hyperdrive_shm_order_paused(two, &shop), "no other");

    ok(ngx_hyperdrive_shm_order_pause(one, &all, 1, 0) == NGX_OK
       && ngx_hyperdrive_shm_order_paused(one, &stock), "all of them are");

    ok(ngx_hyperdrive_shm_order_pause(one, &all, 0, 0) == NGX_OK
       && !ngx_hyperdrive_shm_order_paused(one, &stock)
       && ngx_hyperdrive_shm_order_paused(one, &shop),
       "each order is resumed by itself");

    n = ngx_hyperdrive_shm_orders();

    ok(ngx_hyperdrive_shm_order_pause(one, &shop, 1, 0) == NGX_OK
       && ngx_hyperdrive_shm_orders() == n + 1, "the same once more");

    i = 0;

    ok(ngx_hyperdrive_shm_order_next(one, &i, &state) == NGX_OK
       && state.paused && !state.seen, "nobody has seen it yet");

    ngx_hyperdrive_shm_order_report(i, n + 1, 3, 2);
    i = 0;

    ok(ngx_hyperdrive_shm_order_next(one, &i, &state) == NGX_OK
       && state.seen && state.open == 3 && state.old == 2,
       "everybody has, and said how many connections there are");

    ok(ngx_hyperdrive_shm_order_pause(one, &shop, 1, 1) == NGX_OK, "a short "
       "one");

    while (ngx_hyperdrive_shm_order_paused(one, &shop)) {
        (void) usleep(100);
    }

    ok(1, "ends by itself");
}


static void
test_reconnect(void)
{
    uint64_t                     before;
    ngx_hyperdrive_shm_limit_t  *one;

    fresh();

    one = upstream("one");
    before = ngx_hyperdrive_shm_orders();

    ok(ngx_hyperdrive_shm_order_reconnected(one, &shop) == 0, "none is old");

    ok(ngx_hyperdrive_shm_order_reconnect(one, &shop) == NGX_OK
       && before < ngx_hyperdrive_shm_order_reconnected(one, &shop),
       "those of before are");
    ok(ngx_hyperdrive_shm_orders()
       >= ngx_hyperdrive_shm_order_reconnected(one, &shop),
       "those from now on are not");
    ok(ngx_hyperdrive_shm_order_reconnected(one, &stock) == 0,
       "nor those of another database");

    ok(ngx_hyperdrive_shm_order_reconnect(one, &all) == NGX_OK
       && ngx_hyperdrive_shm_order_reconnected(one, &stock)
          == ngx_hyperdrive_shm_orders()
       && ngx_hyperdrive_shm_order_reconnected(one, &shop)
          == ngx_hyperdrive_shm_orders(), "all databases, the later counts");
}


static void
test_bounds(void)
{
    char                         name[16];
    u_char                       data[NGX_HYPERDRIVE_SHM_NAME + 1];
    ngx_str_t                    s;
    ngx_uint_t                   n;
    ngx_hyperdrive_shm_limit_t  *one;

    fresh();

    one = upstream("one");

    memset(data, 'x', sizeof(data));
    s.data = data;
    s.len = sizeof(data);

    ok(ngx_hyperdrive_shm_order_pause(one, &s, 1, 0) == NGX_DECLINED,
       "a name that is too long");

    s.len--;

    ok(ngx_hyperdrive_shm_order_pause(one, &s, 1, 0) == NGX_OK
       && ngx_hyperdrive_shm_order_paused(one, &s), "the longest");

    s.data = (u_char *) name;

    for (n = 1; n < NGX_HYPERDRIVE_SHM_ORDERS; n++) {
        s.len = sprintf(name, "d%d", (int) n);

        if (ngx_hyperdrive_shm_order_pause(one, &s, 1, 0) != NGX_OK) {
            break;
        }
    }

    ok(n == NGX_HYPERDRIVE_SHM_ORDERS, "as many as there is room for");
    ok(ngx_hyperdrive_shm_order_pause(one, &shop, 1, 0) == NGX_DECLINED,
       "and no more");

    s.len = sprintf(name, "d%d", 5);

    ok(ngx_hyperdrive_shm_order_pause(one, &s, 0, 0) == NGX_OK
       && ngx_hyperdrive_shm_order_pause(one, &shop, 1, 0) == NGX_OK,
       "one that is over makes room");
}


static void
test_kill(void)
{
    u_char                       data[NGX_HYPERDRIVE_SHM_NAME + 1];
    uint64_t                     seen;
    ngx_str_t                    s;
    ngx_uint_t                   n;
    ngx_hyperdrive_shm_kill_t    kill;

    fresh();

    seen = ngx_hyperdrive_shm_kill_count();

    ok(ngx_hyperdrive_shm_kill_next(&seen, &kill) == NGX_DECLINED,
       "nobody is to be killed");

    ok(ngx_hyperdrive_shm_kill(&shop, &all, &stock, &all) == NGX_OK
       && ngx_hyperdrive_shm_kill_next(&seen, &kill) == NGX_OK
       && strcmp((char *) kill.upstream, "shop") == 0
       && kill.database[0] == '\0'
       && strcmp((char *) kill.user, "stock") == 0, "somebody is");
    ok(ngx_hyperdrive_shm_kill_next(&seen, &kill) == NGX_DECLINED, "once");

    memset(data, 'x', sizeof(data));
    s.data = data;
    s.len = sizeof(data);

    ok(ngx_hyperdrive_shm_kill(&shop, &all, &s, &all) == NGX_DECLINED,
       "a name that is too long");

    for (n = 1;
         ngx_hyperdrive_shm_kill(&shop, &all, &all, &all) == NGX_OK;
         n++)
    {
        /* void */
    }

    ok(n == NGX_HYPERDRIVE_SHM_KILLS, "not more than are sure to be read");

    for (n = 1; ngx_hyperdrive_shm_kill_next(&seen, &kill) == NGX_OK; n++) {
        /* void */
    }

    ok(n == NGX_HYPERDRIVE_SHM_KILLS, "which are");
}


int
main(void)
{
    test_pause();
    test_reconnect();
    test_bounds();
    test_kill();

    return done();
}
