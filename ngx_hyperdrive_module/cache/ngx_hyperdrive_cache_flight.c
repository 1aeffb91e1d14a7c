
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "cache/ngx_hyperdrive_cache_flight.h"
#include "cache/ngx_hyperdrive_cache_version.h"
#include "shm/ngx_hyperdrive_shm_mutex.h"


#define NGX_HYPERDRIVE_CACHE_FLIGHT_MAGIC    0x7468676c66647268ULL

/* raised when any of the structures below changes */
#define NGX_HYPERDRIVE_CACHE_FLIGHT_LAYOUT   1

#define NGX_HYPERDRIVE_CACHE_FLIGHT_LINE     64

/* a key is in one of the cells of its set; nothing is linked, so nothing is
   broken when a process dies in between */
#define NGX_HYPERDRIVE_CACHE_FLIGHT_WAYS     8
#define NGX_HYPERDRIVE_CACHE_FLIGHT_SETS                                      \
    (NGX_HYPERDRIVE_CACHE_FLIGHT_CELLS / NGX_HYPERDRIVE_CACHE_FLIGHT_WAYS)


typedef enum {
    NGX_HYPERDRIVE_CACHE_FLIGHT_FREE = 0,
    NGX_HYPERDRIVE_CACHE_FLIGHT_FILLS,     /* <owner> fetches it, since
                                              <time> */
    NGX_HYPERDRIVE_CACHE_FLIGHT_MARK       /* could not be kept: everybody
                                              goes alone until <time> */
} ngx_hyperdrive_cache_flight_state_e;


/* one cache line; <state> is written last, and first when it is freed */

typedef struct {
    uint64_t                             generation;
    uint64_t                             key;
    uint64_t                             stamp;
    uint64_t                             time;
    ngx_hyperdrive_cache_flight_slots_t  waiters;
    uint32_t                             epoch;    /* of the owner's slot */
    uint16_t                             owner;    /* slot */
    uint16_t                             state;
    uint64_t                             unused;
} ngx_hyperdrive_cache_flight_cell_t;


typedef struct {
    uint64_t                             magic;
    uint32_t                             layout;
    uint32_t                             cells;
    ngx_hyperdrive_shm_mutex_t           mutex;

    uint32_t                             noff;
    uint32_t                             off[NGX_HYPERDRIVE_CACHE_FLIGHT_OFF];

    ngx_hyperdrive_cache_flight_cell_t   cell[
                                          NGX_HYPERDRIVE_CACHE_FLIGHT_CELLS]
                  __attribute__((aligned(NGX_HYPERDRIVE_CACHE_FLIGHT_LINE)));
} ngx_hyperdrive_cache_flight_sh_t;


static void ngx_hyperdrive_cache_flight_lock(void);
static void ngx_hyperdrive_cache_flight_unlock(void);
static ngx_hyperdrive_cache_flight_cell_t *ngx_hyperdrive_cache_flight_find(
    ngx_hyperdrive_cache_flight_t *flight);
static void ngx_hyperdrive_cache_flight_free_locked(
    ngx_hyperdrive_cache_flight_cell_t *cell, uint64_t until);


/* orders the writes of this process for those who come after its death */
#define ngx_hyperdrive_cache_flight_fence()                                   \
    __atomic_signal_fence(__ATOMIC_SEQ_CST)


#if (NGX_HYPERDRIVE_FAULTS)

ngx_uint_t  ngx_hyperdrive_cache_flight_fault;
ngx_uint_t  ngx_hyperdrive_cache_flight_fault_count;

#define NGX_HYPERDRIVE_CACHE_FLIGHT_STEPS  8

#define NGX_HYPERDRIVE_CACHE_FLIGHT_FAULT(n)                                  \
    if ((n) == ngx_hyperdrive_cache_flight_fault                              \
        && --ngx_hyperdrive_cache_flight_fault_count == 0)                    \
    {                                                                         \
        (void) kill(getpid(), SIGKILL);                                       \
        pause();                                                              \
    }

#else

#define NGX_HYPERDRIVE_CACHE_FLIGHT_FAULT(n)

#endif


static ngx_hyperdrive_cache_flight_sh_t  *ngx_hyperdrive_cache_flight_sh;
static ngx_uint_t   ngx_hyperdrive_cache_flight_slot = NGX_HYPERDRIVE_SLOTS;
static uint32_t     ngx_hyperdrive_cache_flight_epoch;


size_t
ngx_hyperdrive_cache_flight_size(void)
{
    return sizeof(ngx_hyperdrive_cache_flight_sh_t);
}


ngx_int_t
ngx_hyperdrive_cache_flight_attach(void *mem, size_t size, ngx_uint_t fresh)
{
    ngx_hyperdrive_cache_flight_sh_t  *sh;

    sh = mem;

    if (size < sizeof(ngx_hyperdrive_cache_flight_sh_t)) {
        return NGX_ERROR;
    }

    if (fresh) {

        if (ngx_hyperdrive_shm_mutex_init(&sh->mutex) != NGX_OK) {
            return NGX_ERROR;
        }

        sh->layout = NGX_HYPERDRIVE_CACHE_FLIGHT_LAYOUT;
        sh->cells = NGX_HYPERDRIVE_CACHE_FLIGHT_CELLS;
        sh->magic = NGX_HYPERDRIVE_CACHE_FLIGHT_MAGIC;

    } else if (sh->magic != NGX_HYPERDRIVE_CACHE_FLIGHT_MAGIC
               || sh->layout != NGX_HYPERDRIVE_CACHE_FLIGHT_LAYOUT
               || sh->cells != NGX_HYPERDRIVE_CACHE_FLIGHT_CELLS)
    {
        return NGX_ERROR;
    }

    ngx_hyperdrive_cache_flight_sh = sh;

    return NGX_OK;
}


void
ngx_hyperdrive_cache_flight_set_slot(ngx_uint_t slot, uint32_t epoch)
{
    ngx_hyperdrive_cache_flight_slot = ngx_min(slot, NGX_HYPERDRIVE_SLOTS);
    ngx_hyperdrive_cache_flight_epoch = epoch;
}


/*
 * Whoever dies under the lock leaves at most one cell half written, in a
 * state that is right: see _begin() and _free_locked().
 */

static void
ngx_hyperdrive_cache_flight_lock(void)
{
    ngx_hyperdrive_shm_mutex_t  *mutex;

    mutex = &ngx_hyperdrive_cache_flight_sh->mutex;

    if (ngx_hyperdrive_shm_mutex_lock(mutex) == NGX_DECLINED) {
        ngx_hyperdrive_shm_mutex_consistent(mutex);
    }
}


static void
ngx_hyperdrive_cache_flight_unlock(void)
{
    ngx_hyperdrive_shm_mutex_unlock(&ngx_hyperdrive_cache_flight_sh->mutex);
}


ngx_int_t
ngx_hyperdrive_cache_flight_begin(uint64_t key, uint64_t stamp, uint64_t now,
    uint64_t limit, ngx_hyperdrive_cache_flight_t *flight)
{
    ngx_int_t                            rc;
    ngx_uint_t                           i, n, slot;
    ngx_hyperdrive_cache_flight_cell_t  *cell, *found;

    flight->cell = 0;
    flight->generation = 0;

    slot = ngx_hyperdrive_cache_flight_slot;

    if (ngx_hyperdrive_cache_flight_sh == NULL
        || slot == NGX_HYPERDRIVE_SLOTS)
    {
        return NGX_DECLINED;
    }

    n = (key % NGX_HYPERDRIVE_CACHE_FLIGHT_SETS)
        * NGX_HYPERDRIVE_CACHE_FLIGHT_WAYS;

    found = NULL;

    ngx_hyperdrive_cache_flight_lock();

    for (i = 0; i < NGX_HYPERDRIVE_CACHE_FLIGHT_WAYS; i++) {
        cell = &ngx_hyperdrive_cache_flight_sh->cell[n + i];

        if (cell->state == NGX_HYPERDRIVE_CACHE_FLIGHT_FREE
            || (cell->state == NGX_HYPERDRIVE_CACHE_FLIGHT_MARK
                && cell->time <= now))
        {
            if (found == NULL) {
                found = cell;
                flight->cell = n + i + 1;
            }

            continue;
        }

        if (cell->key != key || cell->stamp != stamp) {
            continue;
        }

        rc = NGX_DECLINED;

        /* (the other one may have looked at the clock later) */

        if (cell->state == NGX_HYPERDRIVE_CACHE_FLIGHT_FILLS
            && (now < cell->time || now - cell->time < limit))
        {
            cell->waiters.bits[slot / 64] |= (uint64_t) 1 << (slot % 64);

            flight->cell = n + i + 1;
            flight->generation = cell->generation;

            rc = NGX_AGAIN;
        }

        goto done;
    }

    if (found == NULL) {
        rc = NGX_DECLINED;
        goto done;
    }

    cell = found;

    /* an old mark is taken off before its cell is written */

    cell->state = NGX_HYPERDRIVE_CACHE_FLIGHT_FREE;

    ngx_hyperdrive_cache_flight_fence();

    cell->key = key;
    cell->stamp = stamp;
    cell->time = now;
    cell->owner = slot;
    cell->epoch = ngx_hyperdrive_cache_flight_epoch;
    ngx_memzero(&cell->waiters, sizeof(ngx_hyperdrive_cache_flight_slots_t));

    NGX_HYPERDRIVE_CACHE_FLIGHT_FAULT(1);

    ngx_hyperdrive_cache_flight_fence();

    cell->state = NGX_HYPERDRIVE_CACHE_FLIGHT_FILLS;

    NGX_HYPERDRIVE_CACHE_FLIGHT_FAULT(2);

    flight->generation = cell->generation;

    rc = NGX_OK;

done:

    if (rc == NGX_DECLINED) {
        flight->cell = 0;
    }

    ngx_hyperdrive_cache_flight_unlock();

    NGX_HYPERDRIVE_CACHE_FLIGHT_FAULT(3);

    return rc;
}


/* the cell of a flight that is not over yet, or NULL; locked */

static ngx_hyperdrive_cache_flight_cell_t *
ngx_hyperdrive_cache_flight_find(ngx_hyperdrive_cache_flight_t *flight)
{
    ngx_hyperdrive_cache_flight_cell_t  *cell;

    cell = &ngx_hyperdrive_cache_flight_sh->cell[flight->cell - 1];

    return (cell->generation == flight->generation
            && cell->state == NGX_HYPERDRIVE_CACHE_FLIGHT_FILLS)
           ? cell : NULL;
}


void
ngx_hyperdrive_cache_flight_stamp(ngx_hyperdrive_cache_flight_t *flight,
    uint64_t stamp)
{
    ngx_hyperdrive_cache_flight_cell_t  *cell;

    if (flight->cell == 0) {
        return;
    }

    ngx_hyperdrive_cache_flight_lock();

    cell = ngx_hyperdrive_cache_flight_find(flight);

    if (cell) {
        cell->stamp = stamp;
    }

    ngx_hyperdrive_cache_flight_unlock();
}


/* the generation tells those who wait, so it goes up while it still fills */

static void
ngx_hyperdrive_cache_flight_free_locked(
    ngx_hyperdrive_cache_flight_cell_t *cell, uint64_t until)
{
    __atomic_store_n(&cell->generation, cell->generation + 1,
                     __ATOMIC_RELEASE);

    NGX_HYPERDRIVE_CACHE_FLIGHT_FAULT(4);

    cell->time = until;

    NGX_HYPERDRIVE_CACHE_FLIGHT_FAULT(5);

    ngx_hyperdrive_cache_flight_fence();

    cell->state = until ? NGX_HYPERDRIVE_CACHE_FLIGHT_MARK
                        : NGX_HYPERDRIVE_CACHE_FLIGHT_FREE;

    NGX_HYPERDRIVE_CACHE_FLIGHT_FAULT(6);
}


void
ngx_hyperdrive_cache_flight_end(ngx_hyperdrive_cache_flight_t *flight,
    uint64_t until, ngx_hyperdrive_cache_flight_slots_t *waiters)
{
    ngx_hyperdrive_cache_flight_cell_t  *cell;

    ngx_memzero(waiters, sizeof(ngx_hyperdrive_cache_flight_slots_t));

    if (flight->cell == 0) {
        return;
    }

    ngx_hyperdrive_cache_flight_lock();

    cell = ngx_hyperdrive_cache_flight_find(flight);

    if (cell) {
        *waiters = cell->waiters;
        ngx_hyperdrive_cache_flight_free_locked(cell, until);
    }

    ngx_hyperdrive_cache_flight_unlock();

    NGX_HYPERDRIVE_CACHE_FLIGHT_FAULT(7);

    flight->cell = 0;
}


ngx_uint_t
ngx_hyperdrive_cache_flight_over(ngx_hyperdrive_cache_flight_t *flight)
{
    return flight->cell == 0
           || __atomic_load_n(
                  &ngx_hyperdrive_cache_flight_sh->cell[flight->cell - 1]
                       .generation,
                  __ATOMIC_ACQUIRE)
              != flight->generation;
}


void
ngx_hyperdrive_cache_flight_reclaim(ngx_uint_t slot, uint32_t epoch,
    ngx_hyperdrive_cache_flight_slots_t *waiters)
{
    ngx_uint_t                           i, n;
    ngx_hyperdrive_cache_flight_cell_t  *cell;

    ngx_memzero(waiters, sizeof(ngx_hyperdrive_cache_flight_slots_t));

    if (ngx_hyperdrive_cache_flight_sh == NULL) {
        return;
    }

    ngx_hyperdrive_cache_flight_lock();

    for (i = 0; i < NGX_HYPERDRIVE_CACHE_FLIGHT_CELLS; i++) {
        cell = &ngx_hyperdrive_cache_flight_sh->cell[i];

        if (cell->state != NGX_HYPERDRIVE_CACHE_FLIGHT_FILLS
            || cell->owner != slot
            || (epoch && cell->epoch == epoch))
        {
            continue;
        }

        for (n = 0; n < NGX_HYPERDRIVE_CACHE_FLIGHT_WORDS; n++) {
            waiters->bits[n] |= cell->waiters.bits[n];
        }

        ngx_hyperdrive_cache_flight_free_locked(cell, 0);

        NGX_HYPERDRIVE_CACHE_FLIGHT_FAULT(8);
    }

    ngx_hyperdrive_cache_flight_unlock();
}


ngx_uint_t
ngx_hyperdrive_cache_flight_count(void)
{
    ngx_uint_t  i, n;

    if (ngx_hyperdrive_cache_flight_sh == NULL) {
        return 0;
    }

    n = 0;

    for (i = 0; i < NGX_HYPERDRIVE_CACHE_FLIGHT_CELLS; i++) {
        n += (ngx_hyperdrive_cache_flight_sh->cell[i].state
              == NGX_HYPERDRIVE_CACHE_FLIGHT_FILLS);
    }

    return n;
}


ngx_int_t
ngx_hyperdrive_cache_flight_off(uint32_t number)
{
    ngx_int_t                          rc;
    ngx_hyperdrive_cache_flight_sh_t  *sh;

    sh = ngx_hyperdrive_cache_flight_sh;

    if (sh == NULL) {
        return NGX_BUSY;
    }

    rc = NGX_OK;

    ngx_hyperdrive_cache_flight_lock();

    if (ngx_hyperdrive_cache_flight_is_off(&number, 1)) {
        /* it is already */

    } else if (sh->noff < NGX_HYPERDRIVE_CACHE_FLIGHT_OFF) {
        sh->off[sh->noff] = number;
        __atomic_store_n(&sh->noff, sh->noff + 1, __ATOMIC_RELEASE);

    } else {
        sh->off[0] = NGX_HYPERDRIVE_CACHE_VERSION_EVERYTHING;
        rc = NGX_BUSY;
    }

    ngx_hyperdrive_cache_flight_unlock();

    return rc;
}


ngx_uint_t
ngx_hyperdrive_cache_flight_is_off(uint32_t *numbers, ngx_uint_t n)
{
    ngx_uint_t                         i, k, noff;
    ngx_hyperdrive_cache_flight_sh_t  *sh;

    sh = ngx_hyperdrive_cache_flight_sh;

    if (sh == NULL) {
        return 0;
    }

    noff = __atomic_load_n(&sh->noff, __ATOMIC_ACQUIRE);

    for (i = 0; i < noff; i++) {

        if (sh->off[i] == NGX_HYPERDRIVE_CACHE_VERSION_EVERYTHING) {
            return 1;
        }

        for (k = 0; k < n; k++) {
            if (sh->off[i] == numbers[k]) {
                return 1;
            }
        }
    }

    return 0;
}


void
ngx_hyperdrive_cache_flight_on_all(void)
{
    if (ngx_hyperdrive_cache_flight_sh == NULL) {
        return;
    }

    ngx_hyperdrive_cache_flight_lock();

    __atomic_store_n(&ngx_hyperdrive_cache_flight_sh->noff, 0,
                     __ATOMIC_RELEASE);

    ngx_hyperdrive_cache_flight_unlock();
}


ngx_uint_t
ngx_hyperdrive_cache_flight_noff(void)
{
    return ngx_hyperdrive_cache_flight_sh
           ? ngx_hyperdrive_cache_flight_sh->noff : 0;
}
