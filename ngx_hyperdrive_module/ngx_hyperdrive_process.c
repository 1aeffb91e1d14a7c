
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "ngx_hyperdrive_conf.h"
#include "origin/ngx_hyperdrive_origin_left.h"
#include "peer/ngx_hyperdrive_peer.h"


/* what a process hears of the others, and whom it gives that to */


/* how often what the dead have left is looked for, milliseconds */
#define NGX_HYPERDRIVE_PROCESS_RECLAIM   1000

/* places of theirs without a connection are free then, milliseconds */
#define NGX_HYPERDRIVE_PROCESS_UNUSED    250


static void ngx_hyperdrive_process_message(ngx_uint_t from, ngx_uint_t type,
    u_char *data, size_t len, ngx_socket_t fd);
static void ngx_hyperdrive_process_orphan(ngx_uint_t slot, ngx_uint_t type,
    u_char *data, size_t len, ngx_socket_t fd);
static void ngx_hyperdrive_process_dead(ngx_uint_t slot);
static void ngx_hyperdrive_process_release(ngx_uint_t slot);
static void ngx_hyperdrive_process_reclaim(ngx_event_t *ev);
static void ngx_hyperdrive_process_places(void);
static void ngx_hyperdrive_process_wake(ngx_uint_t slot);


static ngx_hyperdrive_main_conf_t  *ngx_hyperdrive_process_conf;
static ngx_event_t                  ngx_hyperdrive_process_event;


ngx_int_t
ngx_hyperdrive_process_init(ngx_cycle_t *cycle,
    ngx_hyperdrive_main_conf_t *hmcf)
{
    ngx_hyperdrive_peer_callbacks_t  callbacks;

    ngx_hyperdrive_process_conf = hmcf;

    ngx_hyperdrive_origin_wake = ngx_hyperdrive_process_wake;

    ngx_hyperdrive_process_event.handler = ngx_hyperdrive_process_reclaim;
    ngx_hyperdrive_process_event.log = cycle->log;
    ngx_hyperdrive_process_event.data = hmcf;
    ngx_hyperdrive_process_event.cancelable = 1;

    ngx_add_timer(&ngx_hyperdrive_process_event,
                  NGX_HYPERDRIVE_PROCESS_RECLAIM);

    callbacks.handler = ngx_hyperdrive_process_message;
    callbacks.orphan = ngx_hyperdrive_process_orphan;
    callbacks.dead = ngx_hyperdrive_process_dead;
    callbacks.quit = ngx_hyperdrive_session_drain_start;

    return ngx_hyperdrive_peer_init_process(cycle, ngx_hyperdrive_shm_slot,
                                            &callbacks);
}


static void
ngx_hyperdrive_process_message(ngx_uint_t from, ngx_uint_t type, u_char *data,
    size_t len, ngx_socket_t fd)
{
    ngx_hyperdrive_main_conf_t  *hmcf;

    if (type == NGX_HYPERDRIVE_PEER_CANCEL) {
        ngx_hyperdrive_session_cancel_message(data, len);
        return;
    }

    if (type == NGX_HYPERDRIVE_PEER_WAKE) {
        ngx_hyperdrive_session_flight_wake();
        ngx_hyperdrive_session_kill();
    }

    hmcf = ngx_hyperdrive_process_conf;

    if (hmcf == NULL) {
        return;
    }

    if (type == NGX_HYPERDRIVE_PEER_CLIENT) {
        ngx_hyperdrive_session_take(&hmcf->origins, data, len, fd);
        return;
    }

    ngx_hyperdrive_origin_message(&hmcf->origins, from, type, data, len, fd);
}


/* a socket that was sent to a process of <slot> that is gone */

static void
ngx_hyperdrive_process_orphan(ngx_uint_t slot, ngx_uint_t type, u_char *data,
    size_t len, ngx_socket_t fd)
{
    ngx_hyperdrive_main_conf_t  *hmcf;

    hmcf = ngx_hyperdrive_process_conf;

    if (hmcf && type == NGX_HYPERDRIVE_PEER_CLIENT) {
        ngx_hyperdrive_session_take(&hmcf->origins, data, len, fd);
        return;
    }

    if (hmcf && type == NGX_HYPERDRIVE_PEER_ORIGIN) {
        ngx_hyperdrive_origin_adopt(&hmcf->origins, slot, data, len, fd);
        return;
    }

    (void) ngx_close_socket(fd);
}


/* another worker is gone */

static void
ngx_hyperdrive_process_dead(ngx_uint_t slot)
{
    if (ngx_hyperdrive_process_conf == NULL) {
        return;
    }

    /*
     * It may have changed hands already: not what the new one has begun, which
     * has released what the old one held.
     */

    ngx_hyperdrive_shm_slot_vacant(slot, ngx_hyperdrive_process_release);

    ngx_hyperdrive_shm_reclaim(slot);

    ngx_hyperdrive_session_flight_reclaim(slot,
                                 ngx_hyperdrive_shm_slot_alive(slot)
                                 ? ngx_hyperdrive_shm_slot_epoch(slot) : 0);

    ngx_hyperdrive_process_places();

    if (ngx_hyperdrive_process_event.timer_set) {
        ngx_del_timer(&ngx_hyperdrive_process_event);
    }

    ngx_add_timer(&ngx_hyperdrive_process_event,
                  NGX_HYPERDRIVE_PROCESS_UNUSED + 1);
}


/* what it held in the cache */

static void
ngx_hyperdrive_process_release(ngx_uint_t slot)
{
    ngx_uint_t                   i;
    ngx_hyperdrive_conf_zone_t  *zone;
    ngx_hyperdrive_main_conf_t  *hmcf;

    hmcf = ngx_hyperdrive_process_conf;
    zone = hmcf->zones.elts;

    for (i = 0; i < hmcf->zones.nelts; i++) {
        ngx_hyperdrive_cache_store_reclaim(
                                   ngx_hyperdrive_cache_store(zone[i].zone),
                                   slot);
    }
}


static void
ngx_hyperdrive_process_reclaim(ngx_event_t *ev)
{
    ngx_hyperdrive_process_places();

    /* a wake-up may have been lost */
    ngx_hyperdrive_session_kill();

    ngx_add_timer(ev, NGX_HYPERDRIVE_PROCESS_RECLAIM);
}


static void
ngx_hyperdrive_process_places(void)
{
    ngx_uint_t                      i;
    ngx_hyperdrive_main_conf_t     *hmcf;
    ngx_hyperdrive_origin_conf_t  **conf;

    (void) ngx_hyperdrive_shm_reclaim_places(NGX_HYPERDRIVE_PROCESS_UNUSED,
                                             ngx_hyperdrive_process_wake);

    hmcf = ngx_hyperdrive_process_conf;
    conf = hmcf->origins.elts;

    for (i = 0; i < hmcf->origins.nelts; i++) {
        ngx_hyperdrive_origin_left(conf[i]);
    }
}


static void
ngx_hyperdrive_process_wake(ngx_uint_t slot)
{
    if (slot == ngx_hyperdrive_shm_slot) {
        ngx_hyperdrive_process_message(slot, NGX_HYPERDRIVE_PEER_WAKE, NULL, 0,
                                      -1);
        return;
    }

    (void) ngx_hyperdrive_peer_send(slot, NGX_HYPERDRIVE_PEER_WAKE, NULL, 0,
                                    -1);
}
