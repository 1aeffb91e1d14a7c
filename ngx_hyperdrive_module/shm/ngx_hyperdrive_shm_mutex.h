
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_SHM_MUTEX_H_INCLUDED_
#define _NGX_HYPERDRIVE_SHM_MUTEX_H_INCLUDED_


#include "ngx_hyperdrive.h"
#include <pthread.h>


typedef pthread_mutex_t  ngx_hyperdrive_shm_mutex_t;


/* a robust mutex in shared memory */
ngx_int_t ngx_hyperdrive_shm_mutex_init(ngx_hyperdrive_shm_mutex_t *mutex);

/*
 * NGX_OK: locked.  NGX_DECLINED: locked too, but the process that held it is
 * dead: the caller repairs what it protects, then calls _consistent().
 */
ngx_int_t ngx_hyperdrive_shm_mutex_lock(ngx_hyperdrive_shm_mutex_t *mutex);
/* the same without waiting; NGX_BUSY: somebody alive holds it */
ngx_int_t ngx_hyperdrive_shm_mutex_try(ngx_hyperdrive_shm_mutex_t *mutex);
void ngx_hyperdrive_shm_mutex_consistent(ngx_hyperdrive_shm_mutex_t *mutex);
void ngx_hyperdrive_shm_mutex_unlock(ngx_hyperdrive_shm_mutex_t *mutex);


#endif /* _NGX_HYPERDRIVE_SHM_MUTEX_H_INCLUDED_ */
