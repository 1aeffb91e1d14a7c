
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "cache/ngx_hyperdrive_cache_version.h"
#include "shm/ngx_hyperdrive_shm_mutex.h"
#include <sys/random.h>


/*
 * All that is shared is read and written by sequentially consistent atomics:
 * the proof (docs/architecture.md) needs "busy, then ver" here and "busy, then
 * send" there to be seen in this order by all.
 *
 * A seat belongs to whoever holds its robust mutex: the process that sits on
 * it, for its whole life, or the one that reclaims it.  So the system itself
 * says who is dead, and two never reclaim the same.
 */

#define NGX_HYPERDRIVE_CACHE_VERSION_LAYOUT   4
#define NGX_HYPERDRIVE_CACHE_VERSION_MAGIC    0x68797076

#define NGX_HYPERDRIVE_CACHE_VERSION_NUMBERS  65536

#define NGX_HYPERDRIVE_CACHE_VERSION_WORDS                                   \
    (NGX_HYPERDRIVE_CACHE_VERSION_SEATS / 64)


typedef enum {
    NGX_HYPERDRIVE_CACHE_VERSION_FREE = 0,
    NGX_HYPERDRIVE_CACHE_VERSION_TAKEN,
    NGX_HYPERDRIVE_CACHE_VERSION_DEAD
} ngx_hyperdrive_cache_version_state_e;


/* a cache line of its own: a number's writers disturb no other number */

typedef union {
    struct {
        uint64_t                     ver;
        uint64_t                     busy[NGX_HYPERDRIVE_CACHE_VERSION_WORDS];
        uint64_t                     moved;      /* the last measurement that
                                                    had begun when <ver> was
                                                    raised */
    } u;
    u_char                           line[64];
} ngx_hyperdrive_cache_version_line_t;


/* changed by the holder of its mutex only */

typedef union {
    struct {
        ngx_hyperdrive_shm_mutex_t   mutex;
        uint64_t                     state;
        uint64_t                     died;       /* when it was noticed */
        uint64_t                     unmarked;   /* ends that had no room */
    } u;
    u_char                           line[128];
} ngx_hyperdrive_cache_version_seat_t;


/* there as long as <id> is not 0, which is set last */

typedef struct {
    uint64_t                         id;         /* upstream, pid */
    uint64_t                         of;         /* user, where */
    uint64_t                         line;
} ngx_hyperdrive_cache_version_mark_t;


struct ngx_hyperdrive_cache_version_root_s {
    uint32_t                         magic;
    uint32_t                         layout;
    uint64_t                         size;
    uint64_t                         identity;
    uint64_t                         generation;
    uint64_t                         open;
    uint64_t                         tick;       /* measurements so far */
    u_char                           unused[16];

    ngx_hyperdrive_cache_version_seat_t
                              seats[NGX_HYPERDRIVE_CACHE_VERSION_SEATS];

    /* the rest is touched only as far as it is used */

    ngx_hyperdrive_cache_version_mark_t
                              ends[NGX_HYPERDRIVE_CACHE_VERSION_SEATS]
                                  [NGX_HYPERDRIVE_CACHE_VERSION_ENDS];

    ngx_hyperdrive_cache_version_line_t
                              numbers[NGX_HYPERDRIVE_CACHE_VERSION_NUMBERS];
};


#define ngx_hyperdrive_cache_version_load(p)                                 \
    __atomic_load_n(p, __ATOMIC_SEQ_CST)

#define ngx_hyperdrive_cache_version_store(p, value)                         \
    __atomic_store_n(p, value, __ATOMIC_SEQ_CST)


static ngx_int_t ngx_hyperdrive_cache_version_hold(ngx_uint_t seat);
static void ngx_hyperdrive_cache_version_drop(ngx_uint_t seat);
static void ngx_hyperdrive_cache_version_clear(ngx_uint_t seat);
static void ngx_hyperdrive_cache_version_raise(
    ngx_hyperdrive_cache_version_line_t *line);
static uint64_t ngx_hyperdrive_cache_version_mix(uint64_t x);
static uint64_t ngx_hyperdrive_cache_version_now(void);


ngx_hyperdrive_cache_version_root_t  *ngx_hyperdrive_cache_version_root;

/* of this process; none: NGX_HYPERDRIVE_CACHE_VERSION_SEATS */
static ngx_uint_t  ngx_hyperdrive_cache_version_seat
                                        = NGX_HYPERDRIVE_CACHE_VERSION_SEATS;

/* how often this process is inside of each number, and of all together */
static uint32_t    ngx_hyperdrive_cache_version_inside[
                                        NGX_HYPERDRIVE_CACHE_VERSION_NUMBERS];
static ngx_uint_t  ngx_hyperdrive_cache_version_total;

/* handles that are free again; above nends none was ever used */
static uint16_t    ngx_hyperdrive_cache_version_spare[
                                        NGX_HYPERDRIVE_CACHE_VERSION_ENDS];
static ngx_uint_t  ngx_hyperdrive_cache_version_nspare;
static ngx_uint_t  ngx_hyperdrive_cache_version_nends;


size_t
ngx_hyperdrive_cache_version_size(void)
{
    return sizeof(ngx_hyperdrive_cache_version_root_t);
}


ngx_int_t
ngx_hyperdrive_cache_version_create(void *mem)
{
    ngx_uint_t                            i;
    ngx_hyperdrive_cache_version_root_t  *root;

    root = mem;

    if (getrandom(&root->identity, sizeof(uint64_t), 0) != sizeof(uint64_t)) {
        return NGX_ERROR;
    }

    for (i = 0; i < NGX_HYPERDRIVE_CACHE_VERSION_SEATS; i++) {

        if (ngx_hyperdrive_shm_mutex_init(&root->seats[i].u.mutex) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    root->size = sizeof(ngx_hyperdrive_cache_version_root_t);
    root->layout = NGX_HYPERDRIVE_CACHE_VERSION_LAYOUT;
    root->magic = NGX_HYPERDRIVE_CACHE_VERSION_MAGIC;

    return NGX_OK;
}


ngx_int_t
ngx_hyperdrive_cache_version_check(void *mem)
{
    ngx_hyperdrive_cache_version_root_t  *root;

    root = mem;

    if (root->magic != NGX_HYPERDRIVE_CACHE_VERSION_MAGIC
        || root->layout != NGX_HYPERDRIVE_CACHE_VERSION_LAYOUT
        || root->size != sizeof(ngx_hyperdrive_cache_version_root_t))
    {
        return NGX_DECLINED;
    }

    return NGX_OK;
}


void
ngx_hyperdrive_cache_version_attach(void *mem, ngx_uint_t generation)
{
    ngx_hyperdrive_cache_version_root_t  *root;

    root = mem;

    ngx_hyperdrive_cache_version_root = root;

    if (root && root->generation == 0) {
        ngx_hyperdrive_cache_version_store(&root->generation, generation);
    }
}


ngx_uint_t
ngx_hyperdrive_cache_version_generation(void)
{
    return ngx_hyperdrive_cache_version_root->generation;
}


ngx_uint_t
ngx_hyperdrive_cache_version_is_open(void)
{
    return ngx_hyperdrive_cache_version_load(
                               &ngx_hyperdrive_cache_version_root->open) != 0;
}


void
ngx_hyperdrive_cache_version_open(void)
{
    ngx_hyperdrive_cache_version_store(
                                &ngx_hyperdrive_cache_version_root->open, 1);
}


void
ngx_hyperdrive_cache_version_close(void)
{
    ngx_hyperdrive_cache_version_root_t  *root;

    root = ngx_hyperdrive_cache_version_root;

    ngx_hyperdrive_cache_version_store(&root->open, 0);

    (void) __atomic_fetch_add(
                &root->numbers[NGX_HYPERDRIVE_CACHE_VERSION_EVERYTHING].u.ver,
                1, __ATOMIC_SEQ_CST);
}


/*
 * Takes the mutex of a seat that nobody alive holds.  NGX_OK: it is free;
 * NGX_DONE: it is a dead one's; NGX_BUSY: it is somebody's.
 */

static ngx_int_t
ngx_hyperdrive_cache_version_hold(ngx_uint_t seat)
{
    ngx_int_t                             rc;
    ngx_hyperdrive_cache_version_seat_t  *s;

    s = &ngx_hyperdrive_cache_version_root->seats[seat];

    rc = ngx_hyperdrive_shm_mutex_try(&s->u.mutex);

    if (rc == NGX_BUSY) {
        return NGX_BUSY;
    }

    if (rc == NGX_DECLINED) {
        ngx_hyperdrive_shm_mutex_consistent(&s->u.mutex);
    }

    if (s->u.state == NGX_HYPERDRIVE_CACHE_VERSION_TAKEN) {
        s->u.died = ngx_hyperdrive_cache_version_now();
        ngx_hyperdrive_cache_version_store(&s->u.state,
                                           NGX_HYPERDRIVE_CACHE_VERSION_DEAD);
    }

    return s->u.state == NGX_HYPERDRIVE_CACHE_VERSION_FREE ? NGX_OK : NGX_DONE;
}


ngx_int_t
ngx_hyperdrive_cache_version_sit(void)
{
    ngx_int_t                             rc;
    ngx_uint_t                            i, dead;
    ngx_hyperdrive_cache_version_seat_t  *s;

    dead = NGX_HYPERDRIVE_CACHE_VERSION_SEATS;

    for (i = 0; i < NGX_HYPERDRIVE_CACHE_VERSION_SEATS; i++) {

        rc = ngx_hyperdrive_cache_version_hold(i);

        if (rc == NGX_OK) {
            break;
        }

        if (rc == NGX_DONE) {

            if (dead == NGX_HYPERDRIVE_CACHE_VERSION_SEATS) {
                dead = i;
                continue;
            }

            ngx_hyperdrive_cache_version_drop(i);
        }
    }

    if (i == NGX_HYPERDRIVE_CACHE_VERSION_SEATS) {

        if (dead == NGX_HYPERDRIVE_CACHE_VERSION_SEATS) {
            return NGX_ERROR;
        }

        /* more have died than there is room for: one is over before its time */

        i = dead;
        dead = NGX_HYPERDRIVE_CACHE_VERSION_SEATS;

        ngx_hyperdrive_cache_version_clear(i);
    }

    if (dead != NGX_HYPERDRIVE_CACHE_VERSION_SEATS) {
        ngx_hyperdrive_cache_version_drop(dead);
    }

    s = &ngx_hyperdrive_cache_version_root->seats[i];

    ngx_memzero(ngx_hyperdrive_cache_version_root->ends[i],
                sizeof(ngx_hyperdrive_cache_version_root->ends[i]));

    s->u.unmarked = 0;

    ngx_hyperdrive_cache_version_store(&s->u.state,
                                       NGX_HYPERDRIVE_CACHE_VERSION_TAKEN);

    if (ngx_hyperdrive_cache_version_total) {

        /* of our parent; else it is not touched */

        ngx_memzero(ngx_hyperdrive_cache_version_inside,
                    sizeof(ngx_hyperdrive_cache_version_inside));
    }

    ngx_hyperdrive_cache_version_total = 0;
    ngx_hyperdrive_cache_version_nspare = 0;
    ngx_hyperdrive_cache_version_nends = 0;

    ngx_hyperdrive_cache_version_seat = i;

    return NGX_OK;
}


/* the mutex of a seat, which stays as it is */

static void
ngx_hyperdrive_cache_version_drop(ngx_uint_t seat)
{
    ngx_hyperdrive_shm_mutex_unlock(
                     &ngx_hyperdrive_cache_version_root->seats[seat].u.mutex);
}


void
ngx_hyperdrive_cache_version_stand(void)
{
    ngx_hyperdrive_cache_version_seat_t  *s;

    if (ngx_hyperdrive_cache_version_seat
        == NGX_HYPERDRIVE_CACHE_VERSION_SEATS)
    {
        return;
    }

    s = &ngx_hyperdrive_cache_version_root->seats[
                                          ngx_hyperdrive_cache_version_seat];

    ngx_hyperdrive_cache_version_seat = NGX_HYPERDRIVE_CACHE_VERSION_SEATS;

    s->u.died = ngx_hyperdrive_cache_version_now();

    ngx_hyperdrive_cache_version_store(&s->u.state,
                                   ngx_hyperdrive_cache_version_total
                                   ? NGX_HYPERDRIVE_CACHE_VERSION_DEAD
                                   : NGX_HYPERDRIVE_CACHE_VERSION_FREE);

    ngx_hyperdrive_shm_mutex_unlock(&s->u.mutex);
}


ngx_hyperdrive_cache_version_t
ngx_hyperdrive_cache_version(uint64_t database, uint32_t table)
{
    uint64_t  hash;

    hash = ngx_hyperdrive_cache_version_mix(database
                          ^ ngx_hyperdrive_cache_version_mix((uint64_t) table
                                                             + 1));

    /* 0 is EVERYTHING */

    return 1 + hash % (NGX_HYPERDRIVE_CACHE_VERSION_NUMBERS - 1);
}


ngx_int_t
ngx_hyperdrive_cache_version_add(ngx_hyperdrive_cache_version_set_t *set,
    ngx_hyperdrive_cache_version_t number)
{
    ngx_uint_t  i, k;

    for (i = 0; i < set->n && set->numbers[i] < number; i++) { /* void */ }

    if (i < set->n && set->numbers[i] == number) {
        return NGX_OK;
    }

    if (set->n == NGX_HYPERDRIVE_CACHE_VERSION_SET) {
        return NGX_BUSY;
    }

    for (k = set->n; k > i; k--) {
        set->numbers[k] = set->numbers[k - 1];
    }

    set->numbers[i] = number;
    set->n++;

    return NGX_OK;
}


ngx_int_t
ngx_hyperdrive_cache_version_join(ngx_hyperdrive_cache_version_set_t *set,
    ngx_hyperdrive_cache_version_set_t *more)
{
    ngx_uint_t  i;

    for (i = 0; i < more->n; i++) {

        if (ngx_hyperdrive_cache_version_add(set, more->numbers[i])
            != NGX_OK)
        {
            return NGX_BUSY;
        }
    }

    return NGX_OK;
}


ngx_uint_t
ngx_hyperdrive_cache_version_has(ngx_hyperdrive_cache_version_set_t *set,
    ngx_hyperdrive_cache_version_t number)
{
    ngx_uint_t  i;

    for (i = 0; i < set->n; i++) {

        if (set->numbers[i] == number) {
            return 1;
        }
    }

    return 0;
}


void
ngx_hyperdrive_cache_version_enter(ngx_hyperdrive_cache_version_set_t *set)
{
    ngx_uint_t                            i, n;
    ngx_hyperdrive_cache_version_line_t  *line;

    for (i = 0; i < set->n; i++) {

        n = set->numbers[i];
        ngx_hyperdrive_cache_version_total++;

        if (ngx_hyperdrive_cache_version_inside[n]++) {
            continue;
        }

#if !(NGX_HYPERDRIVE_FAULT_NO_BUSY)

        line = &ngx_hyperdrive_cache_version_root->numbers[n];

        (void) __atomic_fetch_or(
                      &line->u.busy[ngx_hyperdrive_cache_version_seat / 64],
                      (uint64_t) 1 << ngx_hyperdrive_cache_version_seat % 64,
                      __ATOMIC_SEQ_CST);

#else
        (void) line;
#endif
    }
}


void
ngx_hyperdrive_cache_version_leave(ngx_hyperdrive_cache_version_set_t *set,
    ngx_uint_t changed)
{
    ngx_uint_t                            i, n;
    ngx_hyperdrive_cache_version_line_t  *line;

#if (NGX_HYPERDRIVE_FAULT_NO_VER)
    changed = 0;
#endif

    for (i = 0; changed && i < set->n; i++) {
        line = &ngx_hyperdrive_cache_version_root->numbers[set->numbers[i]];

        ngx_hyperdrive_cache_version_raise(line);
    }

    for (i = 0; i < set->n; i++) {

        n = set->numbers[i];
        ngx_hyperdrive_cache_version_total--;

        if (--ngx_hyperdrive_cache_version_inside[n]) {
            continue;
        }

        line = &ngx_hyperdrive_cache_version_root->numbers[n];

        (void) __atomic_fetch_and(
                     &line->u.busy[ngx_hyperdrive_cache_version_seat / 64],
                     ~((uint64_t) 1 << ngx_hyperdrive_cache_version_seat % 64),
                     __ATOMIC_SEQ_CST);
    }
}


/* may be left in the middle, by our death, and begun anew by another */

static void
ngx_hyperdrive_cache_version_raise(ngx_hyperdrive_cache_version_line_t *line)
{
    uint64_t  tick, moved;

    (void) __atomic_fetch_add(&line->u.ver, 1, __ATOMIC_SEQ_CST);

    /* never back: several may be at it, each with a number of its own */

    tick = ngx_hyperdrive_cache_version_load(
                                     &ngx_hyperdrive_cache_version_root->tick);
    moved = ngx_hyperdrive_cache_version_load(&line->u.moved);

    while (moved < tick
           && !__atomic_compare_exchange_n(&line->u.moved, &moved, tick, 0,
                                           __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
    {
        /* void */
    }
}


ngx_uint_t
ngx_hyperdrive_cache_version_holds(ngx_hyperdrive_cache_version_set_t *set,
    ngx_hyperdrive_cache_version_sample_t *sample)
{
    ngx_hyperdrive_cache_version_sample_t  now;

    return ngx_hyperdrive_cache_version_sample(set, &now) == NGX_OK
           && now.n == sample->n
           && ngx_memcmp(now.versions, sample->versions,
                         now.n * sizeof(uint64_t))
              == 0;
}


ngx_uint_t
ngx_hyperdrive_cache_version_busy(ngx_hyperdrive_cache_version_set_t *set)
{
    ngx_hyperdrive_cache_version_sample_t  now;

    return ngx_hyperdrive_cache_version_sample(set, &now) != NGX_OK;
}


uint64_t
ngx_hyperdrive_cache_version_tick(void)
{
    return __atomic_add_fetch(&ngx_hyperdrive_cache_version_root->tick, 1,
                              __ATOMIC_SEQ_CST);
}


ngx_int_t
ngx_hyperdrive_cache_version_moved(ngx_hyperdrive_cache_version_set_t *set,
    uint64_t *moved)
{
    uint64_t                              tick;
    ngx_uint_t                            i, k, n;
    ngx_hyperdrive_cache_version_line_t  *line;
    ngx_hyperdrive_cache_version_root_t  *root;

    root = ngx_hyperdrive_cache_version_root;

    if (!ngx_hyperdrive_cache_version_load(&root->open)) {
        return NGX_BUSY;
    }

    *moved = 0;
    n = NGX_HYPERDRIVE_CACHE_VERSION_EVERYTHING;
    i = 0;

    for ( ;; ) {

        line = &root->numbers[n];

        for (k = 0; k < NGX_HYPERDRIVE_CACHE_VERSION_WORDS; k++) {

            if (ngx_hyperdrive_cache_version_load(&line->u.busy[k])) {
                return NGX_BUSY;
            }
        }

#if !(NGX_HYPERDRIVE_FAULT_NO_MOVED)

        tick = ngx_hyperdrive_cache_version_load(&line->u.moved);
        *moved = ngx_max(*moved, tick);

#else
        (void) tick;
#endif

        if (i == set->n) {
            break;
        }

        n = set->numbers[i++];
    }

    return NGX_OK;
}


ngx_int_t
ngx_hyperdrive_cache_version_sample(ngx_hyperdrive_cache_version_set_t *set,
    ngx_hyperdrive_cache_version_sample_t *sample)
{
    uint64_t                              digest;
    ngx_uint_t                            i, k, n;
    ngx_hyperdrive_cache_version_line_t  *line;
    ngx_hyperdrive_cache_version_root_t  *root;

    root = ngx_hyperdrive_cache_version_root;

    if (!ngx_hyperdrive_cache_version_load(&root->open)) {
        return NGX_BUSY;
    }

    digest = root->identity;
    n = NGX_HYPERDRIVE_CACHE_VERSION_EVERYTHING;
    i = 0;

    for ( ;; ) {

        line = &root->numbers[n];

        for (k = 0; k < NGX_HYPERDRIVE_CACHE_VERSION_WORDS; k++) {

            if (ngx_hyperdrive_cache_version_load(&line->u.busy[k])) {
                return NGX_BUSY;
            }
        }

        sample->versions[i + 1] = ngx_hyperdrive_cache_version_load(
                                                                &line->u.ver);
        digest = ngx_hyperdrive_cache_version_mix(digest ^ n);

        if (i == set->n) {
            break;
        }

        n = set->numbers[i++];
    }

    sample->versions[0] = digest;
    sample->n = set->n + 2;

    return NGX_OK;
}


ngx_uint_t
ngx_hyperdrive_cache_version_mark(ngx_hyperdrive_cache_version_end_t *end)
{
    ngx_uint_t                            handle;
    ngx_hyperdrive_cache_version_seat_t  *s;
    ngx_hyperdrive_cache_version_mark_t  *m;

    if (ngx_hyperdrive_cache_version_nspare) {
        handle = ngx_hyperdrive_cache_version_spare[
                                      --ngx_hyperdrive_cache_version_nspare];

    } else if (ngx_hyperdrive_cache_version_nends
               < NGX_HYPERDRIVE_CACHE_VERSION_ENDS)
    {
        handle = ngx_hyperdrive_cache_version_nends++;

    } else {
        s = &ngx_hyperdrive_cache_version_root->seats[
                                          ngx_hyperdrive_cache_version_seat];

        ngx_hyperdrive_cache_version_store(&s->u.unmarked, s->u.unmarked + 1);

        return NGX_HYPERDRIVE_CACHE_VERSION_ENDS;
    }

    m = &ngx_hyperdrive_cache_version_root->ends[
                                   ngx_hyperdrive_cache_version_seat][handle];

    ngx_hyperdrive_cache_version_store(&m->of,
                                       (uint64_t) end->user << 32 | end->where);
    ngx_hyperdrive_cache_version_store(&m->line, end->line);
    ngx_hyperdrive_cache_version_store(&m->id,
                                       (uint64_t) end->upstream << 32
                                       | end->pid);

    return handle;
}


/* either without the other is not wrong */

void
ngx_hyperdrive_cache_version_remark(ngx_uint_t handle,
    ngx_hyperdrive_cache_version_end_t *end)
{
    ngx_hyperdrive_cache_version_mark_t  *m;

    if (handle == NGX_HYPERDRIVE_CACHE_VERSION_ENDS) {
        return;
    }

    m = &ngx_hyperdrive_cache_version_root->ends[
                                   ngx_hyperdrive_cache_version_seat][handle];

    ngx_hyperdrive_cache_version_store(&m->of,
                                       (uint64_t) end->user << 32 | end->where);
    ngx_hyperdrive_cache_version_store(&m->line, end->line);
}


void
ngx_hyperdrive_cache_version_unmark(ngx_uint_t handle)
{
    ngx_hyperdrive_cache_version_seat_t  *s;

    if (handle == NGX_HYPERDRIVE_CACHE_VERSION_ENDS) {
        s = &ngx_hyperdrive_cache_version_root->seats[
                                          ngx_hyperdrive_cache_version_seat];

        ngx_hyperdrive_cache_version_store(&s->u.unmarked, s->u.unmarked - 1);

        return;
    }

    ngx_hyperdrive_cache_version_store(
              &ngx_hyperdrive_cache_version_root->ends[
                                ngx_hyperdrive_cache_version_seat][handle].id,
              0);

    ngx_hyperdrive_cache_version_spare[ngx_hyperdrive_cache_version_nspare++]
                                                                     = handle;
}


ngx_int_t
ngx_hyperdrive_cache_version_dead(ngx_uint_t *seat)
{
    ngx_int_t                             rc;
    ngx_uint_t                            i;
    ngx_hyperdrive_cache_version_seat_t  *s;

    for (i = 0; i < NGX_HYPERDRIVE_CACHE_VERSION_SEATS; i++) {

        s = &ngx_hyperdrive_cache_version_root->seats[i];

        if (i == ngx_hyperdrive_cache_version_seat
            || ngx_hyperdrive_cache_version_load(&s->u.state)
               == NGX_HYPERDRIVE_CACHE_VERSION_FREE)
        {
            continue;
        }

        rc = ngx_hyperdrive_cache_version_hold(i);

        if (rc == NGX_DONE) {
            *seat = i;
            return NGX_OK;
        }

        if (rc == NGX_OK) {
            ngx_hyperdrive_cache_version_drop(i);
        }
    }

    return NGX_DECLINED;
}


ngx_msec_t
ngx_hyperdrive_cache_version_died(ngx_uint_t seat)
{
    return ngx_hyperdrive_cache_version_now()
           - ngx_hyperdrive_cache_version_root->seats[seat].u.died;
}


ngx_int_t
ngx_hyperdrive_cache_version_next(ngx_uint_t seat, ngx_uint_t *pos,
    ngx_hyperdrive_cache_version_end_t *end)
{
    uint64_t                              id, of;
    ngx_hyperdrive_cache_version_root_t  *root;

    root = ngx_hyperdrive_cache_version_root;

    while (*pos < NGX_HYPERDRIVE_CACHE_VERSION_ENDS) {

        id = ngx_hyperdrive_cache_version_load(&root->ends[seat][*pos].id);
        of = ngx_hyperdrive_cache_version_load(&root->ends[seat][*pos].of);
        (*pos)++;

        if (id) {
            end->upstream = id >> 32;
            end->pid = (uint32_t) id;
            end->user = of >> 32;
            end->where = (uint32_t) of;
            end->line = (uint32_t) ngx_hyperdrive_cache_version_load(
                                             &root->ends[seat][*pos - 1].line);
            return NGX_OK;
        }
    }

    return root->seats[seat].u.unmarked ? NGX_BUSY : NGX_DONE;
}


void
ngx_hyperdrive_cache_version_reclaim(ngx_uint_t seat)
{
    ngx_hyperdrive_cache_version_seat_t  *s;

    s = &ngx_hyperdrive_cache_version_root->seats[seat];

    ngx_hyperdrive_cache_version_clear(seat);

    ngx_hyperdrive_cache_version_store(&s->u.state,
                                       NGX_HYPERDRIVE_CACHE_VERSION_FREE);

    ngx_hyperdrive_shm_mutex_unlock(&s->u.mutex);
}


/* may be left in the middle, by our death, and begun anew by another */

static void
ngx_hyperdrive_cache_version_clear(ngx_uint_t seat)
{
    uint64_t                              bit, *busy;
    ngx_uint_t                            i;
    ngx_hyperdrive_cache_version_line_t  *line;

    bit = (uint64_t) 1 << seat % 64;

    for (i = 0; i < NGX_HYPERDRIVE_CACHE_VERSION_NUMBERS; i++) {

        line = &ngx_hyperdrive_cache_version_root->numbers[i];
        busy = &line->u.busy[seat / 64];

        if (!(ngx_hyperdrive_cache_version_load(busy) & bit)) {
            continue;
        }

        ngx_hyperdrive_cache_version_raise(line);
        (void) __atomic_fetch_and(busy, ~bit, __ATOMIC_SEQ_CST);
    }
}


/* splitmix64's finalizer */

static uint64_t
ngx_hyperdrive_cache_version_mix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15ULL;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;

    return x ^ (x >> 31);
}


/* milliseconds of a clock that all processes share */

static uint64_t
ngx_hyperdrive_cache_version_now(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);

    return (uint64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}
