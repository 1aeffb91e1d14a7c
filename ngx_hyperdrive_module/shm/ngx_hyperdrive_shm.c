
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "shm/ngx_hyperdrive_shm_layout.h"
#include <sys/random.h>


/* a line of /proc/PID/stat up to the start time, with room */
#define NGX_HYPERDRIVE_SHM_STAT         1024

/* a lock-free reader that was disturbed so often takes what it has */
#define NGX_HYPERDRIVE_SHM_TRIES        100

/* how often a process that has no slot looks for one, milliseconds */
#define NGX_HYPERDRIVE_SHM_SLOT_WAIT     200


static ngx_int_t ngx_hyperdrive_shm_take_slot(void);
static void ngx_hyperdrive_shm_reclaim_locked(ngx_uint_t slot);
static ngx_uint_t ngx_hyperdrive_shm_alive(ngx_pid_t pid, uint64_t start);
static ngx_int_t ngx_hyperdrive_shm_stat(ngx_pid_t pid, u_char *state,
    uint64_t *start);
static ngx_uint_t ngx_hyperdrive_shm_is_gauge(ngx_uint_t field);


ngx_hyperdrive_shm_t  *ngx_hyperdrive_shm;
ngx_uint_t             ngx_hyperdrive_shm_slot = NGX_HYPERDRIVE_SLOTS;


/* when this process started, 0 if the system does not tell */
static uint64_t                    ngx_hyperdrive_shm_start;

static ngx_uint_t                  ngx_hyperdrive_shm_began;

/* what is counted before a slot is taken, and after it is given up */
static ngx_hyperdrive_shm_block_t  ngx_hyperdrive_shm_nowhere;


static size_t  ngx_hyperdrive_shm_gauges[] = {
    offsetof(ngx_hyperdrive_shm_counters_t, clients),
    offsetof(ngx_hyperdrive_shm_counters_t, origins_idle),
    offsetof(ngx_hyperdrive_shm_counters_t, origins_busy),
    offsetof(ngx_hyperdrive_shm_counters_t, origins_login),
    offsetof(ngx_hyperdrive_shm_counters_t, origins_closing),
    offsetof(ngx_hyperdrive_shm_counters_t, waiting),
    offsetof(ngx_hyperdrive_shm_counters_t, coalescing),
    offsetof(ngx_hyperdrive_shm_counters_t, catalogs),
    offsetof(ngx_hyperdrive_shm_counters_t, pinned)
};


size_t
ngx_hyperdrive_shm_size(void)
{
    return sizeof(ngx_hyperdrive_shm_t);
}


ngx_int_t
ngx_hyperdrive_shm_attach(void *mem, size_t size, ngx_uint_t fresh)
{
    size_t                 n;
    ssize_t                rc;
    ngx_hyperdrive_shm_t  *sh;

    sh = mem;

    if (size < sizeof(ngx_hyperdrive_shm_t)) {
        return NGX_ERROR;
    }

    if (!fresh) {
        if (ngx_hyperdrive_shm_check(sh) != NGX_OK) {
            return NGX_ERROR;
        }

        ngx_hyperdrive_shm = sh;

        return NGX_OK;
    }

    for (n = 0; n < sizeof(sh->secret); n += rc) {

        rc = getrandom(sh->secret + n, sizeof(sh->secret) - n, 0);

        if (rc == -1) {
            if (ngx_errno != NGX_EINTR) {
                return NGX_ERROR;
            }

            rc = 0;
        }
    }

    if (ngx_hyperdrive_shm_mutex_init(&sh->slots_mutex) != NGX_OK
        || ngx_hyperdrive_shm_ticket_init(sh) != NGX_OK
        || ngx_hyperdrive_shm_note_init(sh) != NGX_OK
        || ngx_hyperdrive_shm_quota_init(sh) != NGX_OK)
    {
        return NGX_ERROR;
    }

    sh->size = sizeof(ngx_hyperdrive_shm_t);
    sh->layout = NGX_HYPERDRIVE_SHM_LAYOUT;
    sh->magic = NGX_HYPERDRIVE_SHM_MAGIC;

    ngx_hyperdrive_shm = sh;

    return NGX_OK;
}


ngx_int_t
ngx_hyperdrive_shm_check(ngx_hyperdrive_shm_t *sh)
{
    if (sh->magic != NGX_HYPERDRIVE_SHM_MAGIC
        || sh->layout != NGX_HYPERDRIVE_SHM_LAYOUT
        || sh->size != sizeof(ngx_hyperdrive_shm_t))
    {
        return NGX_DECLINED;
    }

    return NGX_OK;
}


ngx_int_t
ngx_hyperdrive_shm_init_module(ngx_shm_zone_t *zone, ngx_log_t *log)
{
    ngx_hyperdrive_shm = zone->data;

    ngx_hyperdrive_shm->renewed = ngx_hyperdrive_shm_now();

    (void) ngx_atomic_fetch_add(&ngx_hyperdrive_shm->generation, 1);

    ngx_log_debug1(NGX_LOG_DEBUG_CORE, log, 0, "hyperdrive generation %uA",
                   ngx_hyperdrive_shm->generation);

    return NGX_OK;
}


ngx_int_t
ngx_hyperdrive_shm_init_process(ngx_shm_zone_t *zone, ngx_log_t *log)
{
    ngx_uint_t  told;

    ngx_hyperdrive_shm = zone->data;

    /* nginx does not start another one in the place of one that gives up */

    for (told = 0; ngx_hyperdrive_shm_take_slot() != NGX_OK; told = 1) {

        if (!told) {
            ngx_log_error(NGX_LOG_ALERT, log, 0,
                          "hyperdrive: %d processes run already, those "
                          "shutting down included: this one waits; set "
                          "\"worker_shutdown_timeout\" or use fewer worker "
                          "processes", NGX_HYPERDRIVE_SLOTS);
        }

        if (ngx_terminate || ngx_quit || getppid() != ngx_parent) {
            return NGX_ERROR;
        }

        ngx_msleep(NGX_HYPERDRIVE_SHM_SLOT_WAIT);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_hyperdrive_shm_take_slot(void)
{
    u_char                      state;
    ngx_pid_t                   pid;
    ngx_uint_t                  i, free;
    ngx_hyperdrive_shm_slot_t  *slot;

    pid = getpid();

    if (ngx_hyperdrive_shm_stat(pid, &state, &ngx_hyperdrive_shm_start)
        != NGX_OK)
    {
        ngx_hyperdrive_shm_start = 0;
    }

    ngx_hyperdrive_shm_began = ngx_hyperdrive_shm->generation;
    free = NGX_HYPERDRIVE_SLOTS;

    ngx_hyperdrive_shm_lock();

    for (i = 0; i < NGX_HYPERDRIVE_SLOTS; i++) {

        slot = &ngx_hyperdrive_shm->slots[i];

        /* also what is left of a process that had the same number as we */

        if (slot->pid
            && (slot->pid == (ngx_atomic_uint_t) pid
                || !ngx_hyperdrive_shm_alive(slot->pid, slot->start)))
        {
            ngx_hyperdrive_shm_reclaim_locked(i);
        }

        if (slot->pid == 0 && free == NGX_HYPERDRIVE_SLOTS) {
            free = i;
        }
    }

    if (free < NGX_HYPERDRIVE_SLOTS) {
        slot = &ngx_hyperdrive_shm->slots[free];

        slot->start = ngx_hyperdrive_shm_start;
        slot->generation = ngx_hyperdrive_shm_began;
        slot->epoch = (uint32_t) slot->epoch == 0xffffffff ? 1
                                                           : slot->epoch + 1;
        slot->wake = 0;
        slot->held = 0;
        slot->leaving = 0;

        ngx_memory_barrier();

        slot->pid = pid;
    }

    ngx_hyperdrive_shm_unlock();

    ngx_hyperdrive_shm_slot = free;

    return (free < NGX_HYPERDRIVE_SLOTS) ? NGX_OK : NGX_BUSY;
}


void
ngx_hyperdrive_shm_exit_process(void)
{
    if (ngx_hyperdrive_shm_slot == NGX_HYPERDRIVE_SLOTS) {
        return;
    }

    ngx_hyperdrive_shm_lock();
    ngx_hyperdrive_shm_reclaim_locked(ngx_hyperdrive_shm_slot);
    ngx_hyperdrive_shm_unlock();

    ngx_hyperdrive_shm_slot = NGX_HYPERDRIVE_SLOTS;
}


void
ngx_hyperdrive_shm_reclaim(ngx_uint_t slot)
{
    ngx_hyperdrive_shm_slot_t  *sl;

    sl = &ngx_hyperdrive_shm->slots[slot];

    ngx_hyperdrive_shm_lock();

    if (sl->pid && !ngx_hyperdrive_shm_alive(sl->pid, sl->start)) {
        ngx_hyperdrive_shm_reclaim_locked(slot);
    }

    ngx_hyperdrive_shm_unlock();
}


/* each step may be done twice: if we die on the way, another begins anew */

static void
ngx_hyperdrive_shm_reclaim_locked(ngx_uint_t slot)
{
    ngx_hyperdrive_shm_slot_t  *sl;

    sl = &ngx_hyperdrive_shm->slots[slot];

    /* places last: one without a connection is free soon */

    ngx_hyperdrive_shm_backend_reclaim(slot);
    ngx_hyperdrive_shm_limit_reclaim_locked(slot);
    ngx_hyperdrive_shm_quota_reclaim(slot);
    ngx_hyperdrive_shm_client_reclaim(slot);

    ngx_memory_barrier();

    sl->pid = 0;
    sl->held = 0;
}


void
ngx_hyperdrive_shm_lock(void)
{
    ngx_hyperdrive_shm_t  *sh;

    sh = ngx_hyperdrive_shm;

    if (ngx_hyperdrive_shm_mutex_lock(&sh->slots_mutex) == NGX_OK) {
        return;
    }

    /*
     * All that is done under this lock can be done again, but for the totals
     * of a dead process, of which one number may be lost or counted twice.
     */

    sh->folds = (sh->folds + 1) & ~(ngx_atomic_uint_t) 1;

    ngx_hyperdrive_shm_mutex_consistent(&sh->slots_mutex);
}


void
ngx_hyperdrive_shm_unlock(void)
{
    ngx_hyperdrive_shm_mutex_unlock(&ngx_hyperdrive_shm->slots_mutex);
}


/*
 * A process that was killed and not yet waited for is there, but dead; a
 * number may have passed to another process, which started later.
 */

static ngx_uint_t
ngx_hyperdrive_shm_alive(ngx_pid_t pid, uint64_t start)
{
    u_char    state;
    uint64_t  started;

    if (ngx_hyperdrive_shm_stat(pid, &state, &started) == NGX_OK) {

        if (state == 'Z' || state == 'X' || state == 'x') {
            return 0;
        }

        return start == 0 || start == started;
    }

    /* it is gone, or there is no /proc, or other users are not seen there */

    return kill(pid, 0) == 0 || ngx_errno == NGX_EPERM;
}


static ngx_int_t
ngx_hyperdrive_shm_stat(ngx_pid_t pid, u_char *state, uint64_t *start)
{
    char       *p, buf[NGX_HYPERDRIVE_SHM_STAT];
    ssize_t     n;
    ngx_fd_t    fd;
    ngx_uint_t  field;

    (void) ngx_sprintf((u_char *) buf, "/proc/%P/stat%Z", pid);

    do {
        fd = open(buf, O_RDONLY|O_CLOEXEC);
    } while (fd == -1 && ngx_errno == NGX_EINTR);

    if (fd == -1) {
        return NGX_ERROR;
    }

    do {
        n = read(fd, buf, sizeof(buf) - 1);
    } while (n == -1 && ngx_errno == NGX_EINTR);

    (void) close(fd);

    if (n <= 0) {
        return NGX_ERROR;
    }

    buf[n] = '\0';

    /* the name, the second field, may hold anything, parentheses too */

    p = strrchr(buf, ')');

    if (p == NULL || p[1] != ' ') {
        return NGX_ERROR;
    }

    p += 2;
    *state = *p;

    for (field = 3; field < 22; field++) {

        p = strchr(p, ' ');

        if (p == NULL) {
            return NGX_ERROR;
        }

        p++;
    }

    *start = strtoull(p, NULL, 10);

    return NGX_OK;
}


uint64_t
ngx_hyperdrive_shm_now(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);

    return (uint64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}


ngx_uint_t
ngx_hyperdrive_shm_generation(void)
{
    return ngx_hyperdrive_shm->generation;
}


ngx_msec_t
ngx_hyperdrive_shm_renewed(void)
{
    if (ngx_hyperdrive_shm->generation == ngx_hyperdrive_shm_began) {
        return 0;
    }

    return (ngx_msec_t) (ngx_hyperdrive_shm_now()
                         - ngx_hyperdrive_shm->renewed);
}


ngx_uint_t
ngx_hyperdrive_shm_own_generation(void)
{
    return ngx_hyperdrive_shm_began;
}


u_char *
ngx_hyperdrive_shm_secret(void)
{
    return ngx_hyperdrive_shm->secret;
}


uint64_t
ngx_hyperdrive_shm_next_id(void)
{
    return ngx_atomic_fetch_add(&ngx_hyperdrive_shm->id, 1) + 1;
}


ngx_int_t
ngx_hyperdrive_shm_slot_pid(ngx_uint_t slot, ngx_pid_t *pid)
{
    ngx_hyperdrive_shm_slot_t  *sl;

    sl = &ngx_hyperdrive_shm->slots[slot];

    *pid = sl->pid;

    ngx_memory_barrier();

    return *pid && !sl->held ? NGX_OK : NGX_DECLINED;
}


ngx_uint_t
ngx_hyperdrive_shm_slot_alive(ngx_uint_t slot)
{
    ngx_pid_t  pid;

    if (ngx_hyperdrive_shm_slot_pid(slot, &pid) != NGX_OK) {
        return 0;
    }

    return ngx_hyperdrive_shm_alive(pid,
                                    ngx_hyperdrive_shm->slots[slot].start);
}


void
ngx_hyperdrive_shm_slot_vacant(ngx_uint_t slot,
    void (*handler)(ngx_uint_t slot))
{
    ngx_hyperdrive_shm_slot_t  *sl;

    sl = &ngx_hyperdrive_shm->slots[slot];

    ngx_hyperdrive_shm_lock();

    if (sl->pid == 0 || sl->held
        || !ngx_hyperdrive_shm_alive(sl->pid, sl->start))
    {
        handler(slot);
    }

    ngx_hyperdrive_shm_unlock();
}


ngx_uint_t
ngx_hyperdrive_shm_slot_generation(ngx_uint_t slot)
{
    return ngx_hyperdrive_shm->slots[slot].generation;
}


void
ngx_hyperdrive_shm_leave(void)
{
    if (ngx_hyperdrive_shm_slot < NGX_HYPERDRIVE_SLOTS) {
        ngx_hyperdrive_shm->slots[ngx_hyperdrive_shm_slot].leaving = 1;
    }
}


ngx_int_t
ngx_hyperdrive_shm_heir(ngx_uint_t *heir)
{
    ngx_uint_t                  i, n, generation, leaving;
    ngx_hyperdrive_shm_slot_t  *slot;
    static ngx_uint_t           last;

    generation = ngx_hyperdrive_shm->generation;

    if (generation == ngx_hyperdrive_shm_began) {
        return NGX_DECLINED;
    }

    leaving = 0;

    for (i = 1; i <= NGX_HYPERDRIVE_SLOTS; i++) {
        n = (last + i) % NGX_HYPERDRIVE_SLOTS;
        slot = &ngx_hyperdrive_shm->slots[n];

        if (slot->pid == 0 || slot->held || slot->generation != generation) {
            continue;
        }

        if (slot->leaving) {
            leaving = 1;
            continue;
        }

        last = n;
        *heir = n;

        return NGX_OK;
    }

    return leaving ? NGX_DECLINED : NGX_AGAIN;
}


uint32_t
ngx_hyperdrive_shm_slot_epoch(ngx_uint_t slot)
{
    return (uint32_t) ngx_hyperdrive_shm->slots[slot].epoch;
}


ngx_uint_t
ngx_hyperdrive_shm_slot_wake_set(ngx_uint_t slot)
{
    return !ngx_atomic_cmp_set(&ngx_hyperdrive_shm->slots[slot].wake, 0, 1);
}


void
ngx_hyperdrive_shm_slot_wake_clear(ngx_uint_t slot)
{
    ngx_hyperdrive_shm->slots[slot].wake = 0;

    /* a grant made before the flag was set again is seen from here on */

    ngx_memory_barrier();
}


ngx_int_t
ngx_hyperdrive_shm_slot_hold(ngx_uint_t slot)
{
    ngx_int_t                   rc;
    ngx_hyperdrive_shm_slot_t  *sl;

    rc = NGX_DECLINED;
    sl = &ngx_hyperdrive_shm->slots[slot];

    ngx_hyperdrive_shm_lock();

    if (sl->pid == 0) {
        sl->start = ngx_hyperdrive_shm_start;
        sl->held = 1;

        ngx_memory_barrier();

        sl->pid = getpid();

        rc = NGX_OK;
    }

    ngx_hyperdrive_shm_unlock();

    return rc;
}


void
ngx_hyperdrive_shm_slot_release(ngx_uint_t slot)
{
    ngx_hyperdrive_shm_slot_t  *sl;

    sl = &ngx_hyperdrive_shm->slots[slot];

    ngx_hyperdrive_shm_lock();

    sl->pid = 0;

    ngx_memory_barrier();

    sl->held = 0;

    ngx_hyperdrive_shm_unlock();
}


ngx_hyperdrive_shm_counters_t *
ngx_hyperdrive_shm_counters(ngx_hyperdrive_shm_limit_t *limit)
{
    ngx_uint_t  slot;

    slot = ngx_hyperdrive_shm_slot;

    if (slot == NGX_HYPERDRIVE_SLOTS) {
        return &ngx_hyperdrive_shm_nowhere.counters;
    }

    return &ngx_hyperdrive_shm->counters[limit->index][slot].counters;
}


void
ngx_hyperdrive_shm_counters_read(ngx_hyperdrive_shm_limit_t *limit,
    ngx_hyperdrive_shm_counters_t *counters)
{
    ngx_uint_t                   i, n;
    ngx_atomic_uint_t            folds;
    ngx_hyperdrive_shm_t        *sh;
    ngx_hyperdrive_shm_block_t  *block;

    sh = ngx_hyperdrive_shm;
    block = sh->counters[limit->index];

    for (n = 0; n < NGX_HYPERDRIVE_SHM_TRIES; n++) {

        folds = sh->folds;

        ngx_memory_barrier();

        for (i = 0; i < NGX_HYPERDRIVE_SLOTS; i++) {

            /* memory of slots that were never used is not touched */

            if (limit->slots[i].u.attached) {
                counters[i] = block[i].counters;

            } else {
                ngx_memzero(&counters[i],
                            sizeof(ngx_hyperdrive_shm_counters_t));
            }
        }

        counters[i] = block[i].counters;

        ngx_memory_barrier();

        if ((folds & 1) == 0 && folds == sh->folds) {
            return;
        }

        ngx_cpu_pause();
    }
}


ngx_uint_t
ngx_hyperdrive_shm_counters_sum(ngx_hyperdrive_shm_limit_t *limit,
    size_t offset)
{
    u_char      *p;
    uint64_t     sum;
    ngx_uint_t   i;

    sum = 0;

    ngx_memory_barrier();

    for (i = 0; i < NGX_HYPERDRIVE_SLOTS; i++) {

        if (limit->slots[i].u.attached) {
            p = (u_char *)
                      &ngx_hyperdrive_shm->counters[limit->index][i].counters;
            sum += *(volatile uint64_t *) (p + offset);
        }
    }

    return (ngx_uint_t) sum;
}


void
ngx_hyperdrive_shm_counters_fold_locked(ngx_uint_t limit, ngx_uint_t slot)
{
    uint64_t              *from, *to;
    ngx_uint_t             i;
    ngx_hyperdrive_shm_t  *sh;

    sh = ngx_hyperdrive_shm;

    from = (uint64_t *) &sh->counters[limit][slot].counters;
    to = (uint64_t *) &sh->counters[limit][NGX_HYPERDRIVE_SLOTS].counters;

    sh->folds |= 1;

    ngx_memory_barrier();

    for (i = 0;
         i < sizeof(ngx_hyperdrive_shm_counters_t) / sizeof(uint64_t);
         i++)
    {
        if (from[i] == 0) {
            continue;
        }

        if (!ngx_hyperdrive_shm_is_gauge(i)) {
            to[i] += from[i];
        }

        from[i] = 0;
    }

    ngx_memory_barrier();

    sh->folds++;
}


static ngx_uint_t
ngx_hyperdrive_shm_is_gauge(ngx_uint_t field)
{
    ngx_uint_t  i, pins;

    pins = offsetof(ngx_hyperdrive_shm_counters_t, pins) / sizeof(uint64_t);

    if (field >= pins && field < pins + NGX_HYPERDRIVE_SHM_PINS) {
        return 1;
    }

    for (i = 0;
         i < sizeof(ngx_hyperdrive_shm_gauges) / sizeof(size_t);
         i++)
    {
        if (ngx_hyperdrive_shm_gauges[i] == field * sizeof(uint64_t)) {
            return 1;
        }
    }

    return 0;
}


void
ngx_hyperdrive_shm_counters_clear_locked(ngx_uint_t limit)
{
    ngx_memzero(ngx_hyperdrive_shm->counters[limit],
                sizeof(ngx_hyperdrive_shm->counters[limit]));
}
