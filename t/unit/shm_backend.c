/* sources: shm/ngx_hyperdrive_shm.c shm/ngx_hyperdrive_shm_limit.c shm/ngx_hyperdrive_shm_ticket.c shm/ngx_hyperdrive_shm_note.c shm/ngx_hyperdrive_shm_quota.c shm/ngx_hyperdrive_shm_client.c shm/ngx_hyperdrive_shm_backend.c shm/ngx_hyperdrive_shm_order.c shm/ngx_hyperdrive_shm_mutex.c */

/*
 * Copyright (C) Hyperdrive for nginx authors
 */


/*
 * Connections that a dead process has left, in the runtime zone.
 */


#include "shm_check.h"


/*
 * A process dies with connections: two that are known to the database, one that
 * was being opened; and a place that nothing had been opened for.
 */

static u_char  user_id[NGX_HYPERDRIVE_SHM_QUOTA_ID] = "user";


static void
hold(void)
{
    ngx_uint_t                   i;
    ngx_str_t                    name = ngx_string("one");
    ngx_str_t                    key = ngx_string("one");
    ngx_hyperdrive_shm_limit_t  *limit;

    limit = ngx_hyperdrive_shm_limit(&name, 4, 10, &test_log);

    for (i = 0; i < 4; i++) {
        (void) ngx_hyperdrive_shm_limit_take(limit);
        (void) ngx_hyperdrive_shm_quota_take(user_id, 4, NULL, 0,
                                             NGX_HYPERDRIVE_SHM_QUOTA_NEW);

        if (i < 3) {
            told->numbers[i] = ngx_hyperdrive_shm_backend_add(limit, &key,
                                                           user_id, NULL);
        }

        if (i < 2) {
            ngx_hyperdrive_shm_backend_known(told->numbers[i], 100 + i, 0, 0);
            ngx_hyperdrive_shm_backend_known(told->numbers[i], 100 + i, 7, 8);
        }
    }
}


static ngx_uint_t  woken;


static void
wake(ngx_uint_t slot)
{
    woken++;
}


static void
older(uint32_t backend, ngx_msec_t by)
{
    ngx_hyperdrive_shm->backend[backend - 1].died -= by;
    ngx_hyperdrive_shm->backend[backend - 1].seen -= by;
}


static void
test_left(void)
{
    uint32_t                          ticket;
    ngx_uint_t                        i, n;
    ngx_str_t                         name = ngx_string("one");
    ngx_hyperdrive_shm_limit_t       *limit;
    ngx_hyperdrive_shm_backend_t      left;
    ngx_hyperdrive_shm_limit_stats_t  stats;

    fresh();

    limit = ngx_hyperdrive_shm_limit(&name, 4, 10, &test_log);

    elsewhere(hold);

    i = 0;
    ok(ngx_hyperdrive_shm_backend_next(limit, &i, &left) == NGX_DECLINED,
       "connections of the living are nobody else's");

    ngx_hyperdrive_shm_reclaim(told->slot);

    i = 0;
    n = 0;

    while (ngx_hyperdrive_shm_backend_next(limit, &i, &left) == NGX_OK) {
        n += (left.backend == told->numbers[0] && left.pid == 100
              && left.where == 7 && left.line == 8 && left.key.len == 3
              && left.opened >= left.known && left.known >= left.age);
        n += (left.backend == told->numbers[1] && left.pid == 101) << 4;
        n += (left.backend == told->numbers[2] && left.pid == 0) << 8;
    }

    ok(n == 0x111, "those of the dead are told");

    ok(ngx_hyperdrive_shm_quota_take(user_id, 4, NULL, 0,
                                     NGX_HYPERDRIVE_SHM_QUOTA_NEW)
       == user_id,
       "they count for their user");

    ok(ngx_hyperdrive_shm_reclaim_places(0, wake) == 1,
       "a place that nothing was opened for is free");
    ok(ngx_hyperdrive_shm_quota_take(user_id, 4, NULL, 0,
                                     NGX_HYPERDRIVE_SHM_QUOTA_NEW)
       == NULL,
       "and a part of the quota");
    ok(ngx_hyperdrive_shm_reclaim_places(0, wake) == 0, "others are not");

    older(told->numbers[2], 1000);
    ok(ngx_hyperdrive_shm_reclaim_places(0, wake) == 1,
       "one that was being opened has gone in a second");

    /* two wait: one gets what is free, the other one waits for an answer */

    ok(ngx_hyperdrive_shm_limit_take(limit) == NGX_OK
       && ngx_hyperdrive_shm_limit_take(limit) == NGX_OK
       && ngx_hyperdrive_shm_limit_wait(limit, 1, 0, &ticket) == NGX_OK,
       "all places are in use");

    woken = 0;
    older(told->numbers[0], NGX_HYPERDRIVE_SHM_LEND);
    older(told->numbers[1], NGX_HYPERDRIVE_SHM_LEND);

    ngx_hyperdrive_shm_backend_seen(told->numbers[0]);
    ngx_hyperdrive_shm_backend_seen(told->numbers[1]);
    ok(ngx_hyperdrive_shm_reclaim_places(0, wake) == 0 && woken == 0,
       "those that are there are not lent");

    ngx_hyperdrive_shm_backend_gone(limit, told->numbers[1], wake);
    ngx_hyperdrive_shm_backend_gone(limit, told->numbers[1], wake);

    ngx_hyperdrive_shm_limit_stats(limit, &stats);
    ok(stats.used == 4 && stats.dead == 1 && stats.waiting == 0 && woken == 1,
       "one that is gone makes room for who waits, once");

    older(told->numbers[0], NGX_HYPERDRIVE_SHM_LOST);
    ngx_hyperdrive_shm_backend_seen(told->numbers[0]);
    ok(ngx_hyperdrive_shm_reclaim_places(0, wake) == 0,
       "one that the database has stays, however old");

    older(told->numbers[0], NGX_HYPERDRIVE_SHM_LOST);
    ok(ngx_hyperdrive_shm_reclaim_places(0, wake) == 1,
       "one that nobody could ask about does not for ever");

    i = 0;
    ok(ngx_hyperdrive_shm_backend_next(limit, &i, &left) == NGX_DECLINED,
       "none is left");
}


/* nobody has asked yet: one is lent to who will */

static void
test_lent(void)
{
    uint32_t                          ticket;
    ngx_uint_t                        i, n;
    ngx_hyperdrive_shm_backend_t      left;
    ngx_str_t                         name = ngx_string("one");
    ngx_hyperdrive_shm_limit_t       *limit;
    ngx_hyperdrive_shm_limit_stats_t  stats;

    fresh();

    limit = ngx_hyperdrive_shm_limit(&name, 3, 10, &test_log);

    elsewhere(hold);
    ngx_hyperdrive_shm_reclaim(told->slot);

    ok(ngx_hyperdrive_shm_limit_wait(limit, 1, 0, &ticket) == NGX_OK
       && ngx_hyperdrive_shm_reclaim_places(1000, wake) == 0,
       "the dead have all places");

    older(told->numbers[0], NGX_HYPERDRIVE_SHM_LEND);
    older(told->numbers[1], NGX_HYPERDRIVE_SHM_LEND);

    ok(ngx_hyperdrive_shm_reclaim_places(100000, wake) == 1
       && ngx_hyperdrive_shm_reclaim_places(100000, wake) == 0,
       "one of them is free after a while");

    ngx_hyperdrive_shm_limit_stats(limit, &stats);
    ok(stats.waiting == 0 && stats.dead == 3, "for who waits");

    for (i = 0, n = 0;
         ngx_hyperdrive_shm_backend_next(limit, &i, &left) == NGX_OK;
         n++)
    {
        ngx_hyperdrive_shm_backend_gone(limit, left.backend, wake);
    }

    ngx_hyperdrive_shm_limit_stats(limit, &stats);
    ok(n == 3 && stats.dead == 1, "its connection is asked about, too");
}


static ngx_hyperdrive_shm_limit_t  *cared;


static void
care(void)
{
    (void) ngx_hyperdrive_shm_backend_care(cared);
}


static void
test_care(void)
{
    ngx_str_t                    name = ngx_string("one");
    ngx_hyperdrive_shm_limit_t  *limit;

    fresh();

    limit = ngx_hyperdrive_shm_limit(&name, 4, 10, &test_log);
    cared = limit;

    elsewhere(care);

    ok(ngx_hyperdrive_shm_backend_care(limit) == NGX_OK
       && ngx_hyperdrive_shm_backend_care(limit) == NGX_OK,
       "the dead care for nothing");

    ngx_hyperdrive_shm_slot++;
    ok(ngx_hyperdrive_shm_backend_care(limit) == NGX_DECLINED,
       "the living do");
    ngx_hyperdrive_shm_slot--;

    ngx_hyperdrive_shm_backend_uncare(limit);
    ok(ngx_hyperdrive_shm_backend_care(limit) == NGX_OK, "while they want");
}


static void
test_sites(void)
{
    uint64_t  home, line;

    fresh();

    ok(ngx_hyperdrive_shm_site(7, &home, &line) == NGX_DECLINED,
       "a server that nobody has seen");

    ngx_hyperdrive_shm_site_seen(7, 10, 20);
    ngx_hyperdrive_shm_site_seen(7 + NGX_HYPERDRIVE_SHM_SITES, 11, 0);
    ngx_hyperdrive_shm_site_seen(7, 10, 20);

    ok(ngx_hyperdrive_shm_site(7, &home, &line) == NGX_OK
       && home == 10 && line == 20, "the only one at its address");
    ok(ngx_hyperdrive_shm_site(7 + NGX_HYPERDRIVE_SHM_SITES, &home, &line)
       == NGX_OK && home == 11 && line == 0, "another address");

    ngx_hyperdrive_shm_site_seen(7, 12, 20);

    ok(ngx_hyperdrive_shm_site(7, &home, &line) == NGX_OK && home == 12,
       "it is started anew");

    ngx_hyperdrive_shm_site_seen(7, 13, 21);
    ngx_hyperdrive_shm_site_seen(7, 13, 21);

    ok(ngx_hyperdrive_shm_site(7, &home, &line) == NGX_DECLINED,
       "another one there");

    ngx_hyperdrive_shm_site_seen(7 + NGX_HYPERDRIVE_SHM_SITES, 14, 0);

    ok(ngx_hyperdrive_shm_site(7 + NGX_HYPERDRIVE_SHM_SITES, &home, &line)
       == NGX_DECLINED, "...of which it is not known what stays");
}


/* who waits for a part of a quota, in several processes */

static void
wait_in_line(void)
{
    ngx_hyperdrive_shm_quota_line(user_id, 5);
}


static ngx_uint_t
is_next(ngx_uint_t slot, uint64_t arrival)
{
    uint64_t    a;
    ngx_uint_t  s;

    return ngx_hyperdrive_shm_quota_next(user_id, &s, &a) == NGX_OK
           && s == slot && a == arrival;
}


static u_char *
take_part(uint64_t arrival)
{
    return ngx_hyperdrive_shm_quota_take(user_id, 1, NULL, 0, arrival);
}


static void
test_line(void)
{
    uint64_t    arrival;
    ngx_uint_t  slot;

    fresh();

    arrival = ngx_hyperdrive_shm_quota_arrival();
    ok(ngx_hyperdrive_shm_quota_arrival() > arrival, "who comes later is told");

    ok(take_part(NGX_HYPERDRIVE_SHM_QUOTA_NEW) == NULL, "a part is taken");
    ok(ngx_hyperdrive_shm_quota_next(user_id, &slot, &arrival)
       == NGX_DECLINED, "nobody waits");

    ngx_hyperdrive_shm_quota_line(user_id, 7);
    elsewhere(wait_in_line);

    ok(is_next(told->slot, 5), "the first one is in another process");

    woken = 0;
    ngx_hyperdrive_shm_quota_give(user_id, wake);
    ok(woken == 1, "which is woken, and no other");

    ok(take_part(NGX_HYPERDRIVE_SHM_QUOTA_NEW) == user_id,
       "nobody new is before those who wait");
    ok(take_part(7) == user_id, "nor who came later");

    woken = 0;
    ngx_hyperdrive_shm_reclaim(told->slot);
    (void) ngx_hyperdrive_shm_reclaim_places(0, wake);
    ok(is_next(ngx_hyperdrive_shm_slot, 7) && woken == 1,
       "behind the dead it is the next one's turn");

    ok(take_part(7) == NULL, "who has it");
    ngx_hyperdrive_shm_quota_line(user_id, 0);
    ngx_hyperdrive_shm_quota_give(user_id, wake);
    ok(take_part(NGX_HYPERDRIVE_SHM_QUOTA_NEW) == NULL, "then all others");
}


int
main(void)
{
    test_line();
    test_sites();

    test_left();
    test_lent();
    test_care();

    return done();
}
