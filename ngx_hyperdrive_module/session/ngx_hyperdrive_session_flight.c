
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "session/ngx_hyperdrive_session_cache.h"
#include "peer/ngx_hyperdrive_peer.h"


/*
 * An answer that could not be kept (an error, too long, with a notice) will
 * not be kept the next time: so long nobody waits for it, milliseconds.  Else
 * those who wait would try it one behind the other.
 */
#define NGX_HYPERDRIVE_SESSION_FLIGHT_MARK   10000


/* this worker's sessions that wait for the flight in one cell */

typedef struct {
    ngx_queue_t                          waits;
    ngx_queue_t                          queue;  /* of cells in use */
} ngx_hyperdrive_session_flight_cell_t;


static ngx_int_t ngx_hyperdrive_session_flight_wait(
    ngx_hyperdrive_session_t *s, ngx_hyperdrive_cache_flight_t *flight);
static ngx_int_t ngx_hyperdrive_session_flight_init(void);
static void ngx_hyperdrive_session_flight_unqueue(
    ngx_hyperdrive_session_wait_t *wait);
static void ngx_hyperdrive_session_flight_tell(
    ngx_hyperdrive_cache_flight_slots_t *slots);
static void ngx_hyperdrive_session_flight_timeout(ngx_event_t *ev);
static void ngx_hyperdrive_session_flight_handler(ngx_event_t *ev);


static ngx_hyperdrive_session_flight_cell_t
                                   *ngx_hyperdrive_session_flight_cells;

/* those in use, and the sessions whose flight is over */
static ngx_queue_t                  ngx_hyperdrive_session_flight_used;
static ngx_queue_t                  ngx_hyperdrive_session_flight_ready;

static ngx_event_t                  ngx_hyperdrive_session_flight_event;


ngx_int_t
ngx_hyperdrive_session_flight(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_session_question_t *q,
    ngx_hyperdrive_cache_flight_t *flight)
{
    ngx_int_t  rc;

    ngx_memzero(flight, sizeof(ngx_hyperdrive_cache_flight_t));

    if (s->conf->coalesce == 0) {
        return NGX_OK;
    }

    if (s->wait && s->wait->late) {
        s->conf->origin->counters->coalesce_timeout++;
        return NGX_OK;
    }

    rc = ngx_hyperdrive_cache_flight_begin(q->key.hash,
                    ngx_hyperdrive_session_stamp_digest(q->stamp,
                                                        q->stamp_len),
                    ngx_hyperdrive_cache_store_now(), s->conf->coalesce,
                    flight);

    if (rc == NGX_AGAIN) {

        if (ngx_hyperdrive_session_flight_wait(s, flight) == NGX_OK) {
            return NGX_AGAIN;
        }

        /* no memory: by itself, and the flight is not its own */

        flight->cell = 0;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_hyperdrive_session_flight_wait(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_cache_flight_t *flight)
{
    ngx_hyperdrive_session_wait_t         *wait;
    ngx_hyperdrive_session_flight_cell_t  *cell;

    if (ngx_hyperdrive_session_flight_cells == NULL
        && ngx_hyperdrive_session_flight_init() != NGX_OK)
    {
        return NGX_ERROR;
    }

    wait = s->wait;

    if (wait == NULL) {
        wait = calloc(1, sizeof(ngx_hyperdrive_session_wait_t));
        if (wait == NULL) {
            return NGX_ERROR;
        }

        wait->session = s;
        wait->timer.handler = ngx_hyperdrive_session_flight_timeout;
        wait->timer.data = s->net.connection;
        wait->timer.log = s->net.connection->log;

        ngx_add_timer(&wait->timer, s->conf->coalesce);

        s->wait = wait;
    }

    cell = &ngx_hyperdrive_session_flight_cells[flight->cell];

    if (ngx_queue_empty(&cell->waits)) {
        ngx_queue_insert_tail(&ngx_hyperdrive_session_flight_used,
                              &cell->queue);
    }

    ngx_queue_insert_tail(&cell->waits, &wait->queue);

    s->conf->origin->counters->coalescing++;

    wait->queued = 1;
    wait->flight = *flight;

    ngx_hyperdrive_session_set_state(s, NGX_HYPERDRIVE_SESSION_FLIGHT);

    return NGX_OK;
}


static ngx_int_t
ngx_hyperdrive_session_flight_init(void)
{
    ngx_uint_t                             i;
    ngx_hyperdrive_session_flight_cell_t  *cells;

    cells = calloc(NGX_HYPERDRIVE_CACHE_FLIGHT_CELLS + 1,
                   sizeof(ngx_hyperdrive_session_flight_cell_t));
    if (cells == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i <= NGX_HYPERDRIVE_CACHE_FLIGHT_CELLS; i++) {
        ngx_queue_init(&cells[i].waits);
    }

    ngx_queue_init(&ngx_hyperdrive_session_flight_used);
    ngx_queue_init(&ngx_hyperdrive_session_flight_ready);

    ngx_hyperdrive_session_flight_event.handler
                                       = ngx_hyperdrive_session_flight_handler;
    ngx_hyperdrive_session_flight_event.log = ngx_cycle->log;

    ngx_hyperdrive_session_flight_cells = cells;

    return NGX_OK;
}


static void
ngx_hyperdrive_session_flight_unqueue(ngx_hyperdrive_session_wait_t *wait)
{
    ngx_hyperdrive_session_flight_cell_t  *cell;

    if (!wait->queued) {
        return;
    }

    wait->queued = 0;
    ngx_queue_remove(&wait->queue);

    if (wait->flight.cell == 0) {
        /* from those who are to be woken */
        return;
    }

    wait->session->conf->origin->counters->coalescing--;

    cell = &ngx_hyperdrive_session_flight_cells[wait->flight.cell];
    wait->flight.cell = 0;

    if (ngx_queue_empty(&cell->waits)) {
        ngx_queue_remove(&cell->queue);
    }
}


void
ngx_hyperdrive_session_flight_forget(ngx_hyperdrive_session_t *s)
{
    ngx_hyperdrive_session_wait_t  *wait;

    wait = s->wait;

    if (wait == NULL) {
        return;
    }

    s->wait = NULL;

    ngx_hyperdrive_session_flight_unqueue(wait);

    if (wait->timer.timer_set) {
        ngx_del_timer(&wait->timer);
    }

    free(wait);
}


void
ngx_hyperdrive_session_flight_end(ngx_hyperdrive_cache_flight_t *flight,
    ngx_uint_t mark)
{
    uint64_t                             until;
    ngx_hyperdrive_cache_flight_slots_t  slots;

    if (flight->cell == 0) {
        return;
    }

    until = mark ? ngx_hyperdrive_cache_store_now()
                   + NGX_HYPERDRIVE_SESSION_FLIGHT_MARK : 0;

    ngx_hyperdrive_cache_flight_end(flight, until, &slots);

    ngx_hyperdrive_session_flight_tell(&slots);
}


static void
ngx_hyperdrive_session_flight_tell(ngx_hyperdrive_cache_flight_slots_t *slots)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_HYPERDRIVE_SLOTS; i++) {

        if (i % 64 == 0 && slots->bits[i / 64] == 0) {
            i += 63;
            continue;
        }

        if (!ngx_hyperdrive_cache_flight_has(slots, i)) {
            continue;
        }

        if (i == ngx_hyperdrive_shm_slot) {
            ngx_hyperdrive_session_flight_wake();

        } else {
            (void) ngx_hyperdrive_peer_send(i, NGX_HYPERDRIVE_PEER_WAKE, NULL,
                                            0, -1);
        }
    }
}


void
ngx_hyperdrive_session_flight_reclaim(ngx_uint_t slot, uint32_t epoch)
{
    ngx_hyperdrive_cache_flight_slots_t  slots;

    ngx_hyperdrive_cache_flight_reclaim(slot, epoch, &slots);
    ngx_hyperdrive_session_flight_tell(&slots);

    /* whoever died in between has told nobody */

    ngx_hyperdrive_session_flight_wake();
}


void
ngx_hyperdrive_session_flight_wake(void)
{
    if (ngx_hyperdrive_session_flight_cells
        && !ngx_queue_empty(&ngx_hyperdrive_session_flight_used))
    {
        ngx_post_event(&ngx_hyperdrive_session_flight_event,
                       &ngx_posted_events);
    }
}


/*
 * Those whose flight is over look again.  If there is no answer, the first of
 * them begins a flight of its own, and the others find that.
 */

static void
ngx_hyperdrive_session_flight_handler(ngx_event_t *ev)
{
    ngx_queue_t                           *q, *next, *w;
    ngx_hyperdrive_session_wait_t         *wait;
    ngx_hyperdrive_session_flight_cell_t  *cell;

    for (q = ngx_queue_head(&ngx_hyperdrive_session_flight_used);
         q != ngx_queue_sentinel(&ngx_hyperdrive_session_flight_used);
         q = next)
    {
        next = ngx_queue_next(q);

        cell = ngx_queue_data(q, ngx_hyperdrive_session_flight_cell_t, queue);

        w = ngx_queue_head(&cell->waits);

        while (w != ngx_queue_sentinel(&cell->waits)) {
            wait = ngx_queue_data(w, ngx_hyperdrive_session_wait_t, queue);
            w = ngx_queue_next(w);

            if (!ngx_hyperdrive_cache_flight_over(&wait->flight)) {
                continue;
            }

            /* its cell may leave the list of cells: <next> is taken already */

            ngx_hyperdrive_session_flight_unqueue(wait);

            ngx_queue_insert_tail(&ngx_hyperdrive_session_flight_ready,
                                  &wait->queue);
            wait->queued = 1;
        }
    }

    /* one may close another, which takes that off the list */

    while (!ngx_queue_empty(&ngx_hyperdrive_session_flight_ready)) {

        w = ngx_queue_head(&ngx_hyperdrive_session_flight_ready);
        wait = ngx_queue_data(w, ngx_hyperdrive_session_wait_t, queue);

        ngx_hyperdrive_session_flight_unqueue(wait);
        ngx_hyperdrive_session_resume(wait->session);
    }
}


static void
ngx_hyperdrive_session_flight_timeout(ngx_event_t *ev)
{
    ngx_hyperdrive_session_t       *s;
    ngx_hyperdrive_session_wait_t  *wait;

    s = ngx_hyperdrive_session_of(ev->data);
    wait = s->wait;

    wait->late = 1;

    if (wait->queued) {
        ngx_hyperdrive_session_flight_unqueue(wait);
        ngx_hyperdrive_session_resume(s);
    }
}
