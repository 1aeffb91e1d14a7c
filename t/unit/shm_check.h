
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


/*
 * For the tests of the runtime zone: one made of plain shared memory, and a
 * look at every ticket and every place of a limit.
 */


#ifndef _SHM_CHECK_H_INCLUDED_
#define _SHM_CHECK_H_INCLUDED_


#include "shm/ngx_hyperdrive_shm_layout.h"
#include "check.h"

#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>


static ngx_log_t         test_log;
static ngx_shm_zone_t    zone;

/* what another process tells, see elsewhere() */

static struct {
    uint32_t    numbers[3];
    ngx_uint_t  slot;
} *told;


/* whether a process may be stopped along its instructions here */

static inline ngx_uint_t
traceable(void)
{
    int    status;
    pid_t  pid;

    pid = fork();

    if (pid == 0) {
        _exit(ptrace(PTRACE_TRACEME, 0, NULL, NULL) == -1);
    }

    (void) waitpid(pid, &status, 0);

    return status == 0;
}


/* an empty zone; this process has slot 0 */

static inline void
fresh(void)
{
    static void  *mem;

    if (mem) {
        (void) munmap(mem, ngx_hyperdrive_shm_size());
    }

    mem = mmap(NULL, ngx_hyperdrive_shm_size(), PROT_READ|PROT_WRITE,
               MAP_ANON|MAP_SHARED, -1, 0);

    if (mem == MAP_FAILED
        || ngx_hyperdrive_shm_attach(mem, ngx_hyperdrive_shm_size(), 1)
           != NGX_OK)
    {
        printf("Bail out! no zone\n");
        exit(2);
    }

    zone.data = mem;

    if (ngx_hyperdrive_shm_init_process(&zone, &test_log) != NGX_OK) {
        printf("Bail out! no slot\n");
        exit(2);
    }

    if (told == NULL) {
        told = mmap(NULL, sizeof(*told), PROT_READ|PROT_WRITE,
                    MAP_ANON|MAP_SHARED, -1, 0);

        if (told == MAP_FAILED) {
            printf("Bail out! no memory\n");
            exit(2);
        }
    }
}


/* a process of its own, which does <what> and dies without a word */

static inline void
elsewhere(void (*what)(void))
{
    int    status;
    pid_t  pid;

    pid = fork();

    if (pid == 0) {

        if (ngx_hyperdrive_shm_init_process(&zone, &test_log) != NGX_OK) {
            _exit(2);
        }

        told->slot = ngx_hyperdrive_shm_slot;
        what();
        _exit(0);
    }

    if (pid == -1 || waitpid(pid, &status, 0) != pid || status) {
        printf("Bail out! no process\n");
        exit(2);
    }
}


#endif /* _SHM_CHECK_H_INCLUDED_ */
