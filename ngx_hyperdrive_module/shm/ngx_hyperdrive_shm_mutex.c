
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "shm/ngx_hyperdrive_shm_mutex.h"


/*
 * A waiter looks again this often, milliseconds.  A process that is killed
 * when it has been woken, and has not yet seen that a third one was faster,
 * takes the wake-up with it: the kernel passes it on only if the lock is free
 * at that moment (futex(2), "robust"), and the others would sleep on beside a
 * free lock.
 */
#define NGX_HYPERDRIVE_SHM_MUTEX_LOOK    20


static int ngx_hyperdrive_shm_mutex_wait(ngx_hyperdrive_shm_mutex_t *mutex);


ngx_int_t
ngx_hyperdrive_shm_mutex_init(ngx_hyperdrive_shm_mutex_t *mutex)
{
    ngx_int_t            rc;
    pthread_mutexattr_t  attr;

    if (pthread_mutexattr_init(&attr) != 0) {
        return NGX_ERROR;
    }

    rc = NGX_ERROR;

    if (pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED) == 0
        && pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST) == 0
        && pthread_mutex_init(mutex, &attr) == 0)
    {
        rc = NGX_OK;
    }

    (void) pthread_mutexattr_destroy(&attr);

    return rc;
}


ngx_int_t
ngx_hyperdrive_shm_mutex_lock(ngx_hyperdrive_shm_mutex_t *mutex)
{
    int  rc;

    rc = pthread_mutex_trylock(mutex);

    while (rc == EBUSY || rc == ETIMEDOUT) {
        rc = ngx_hyperdrive_shm_mutex_wait(mutex);
    }

    return rc == EOWNERDEAD ? NGX_DECLINED : NGX_OK;
}


static int
ngx_hyperdrive_shm_mutex_wait(ngx_hyperdrive_shm_mutex_t *mutex)
{
    clockid_t        clock;
    struct timespec  ts;

#if defined(__GLIBC__) && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 30)
    clock = CLOCK_MONOTONIC;
#else
    clock = CLOCK_REALTIME;
#endif

    (void) clock_gettime(clock, &ts);

    ts.tv_nsec += NGX_HYPERDRIVE_SHM_MUTEX_LOOK * 1000000;

    if (ts.tv_nsec >= 1000000000) {
        ts.tv_nsec -= 1000000000;
        ts.tv_sec++;
    }

#if defined(__GLIBC__) && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 30)
    return pthread_mutex_clocklock(mutex, clock, &ts);
#else
    return pthread_mutex_timedlock(mutex, &ts);
#endif
}


ngx_int_t
ngx_hyperdrive_shm_mutex_try(ngx_hyperdrive_shm_mutex_t *mutex)
{
    switch (pthread_mutex_trylock(mutex)) {

    case 0:
        return NGX_OK;

    case EOWNERDEAD:
        return NGX_DECLINED;

    default: /* EBUSY */
        return NGX_BUSY;
    }
}


void
ngx_hyperdrive_shm_mutex_consistent(ngx_hyperdrive_shm_mutex_t *mutex)
{
    (void) pthread_mutex_consistent(mutex);
}


void
ngx_hyperdrive_shm_mutex_unlock(ngx_hyperdrive_shm_mutex_t *mutex)
{
    (void) pthread_mutex_unlock(mutex);
}
