
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "shm/ngx_hyperdrive_shm_mutex.h"


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
    return pthread_mutex_lock(mutex) == EOWNERDEAD ? NGX_DECLINED : NGX_OK;
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
