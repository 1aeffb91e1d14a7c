/* sources: cache/ngx_hyperdrive_cache_position.c shm/ngx_hyperdrive_shm_mutex.c */

/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "cache/ngx_hyperdrive_cache_position.h"
#include "check.h"

#include <stdlib.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>


/* another process leads, until it is killed */

static pid_t
leader(ngx_hyperdrive_cache_position_t *p)
{
    int    fds[2];
    char   ch;
    pid_t  pid;

    fflush(stdout);

    if (pipe(fds) == -1) {
        exit(2);
    }

    pid = fork();

    if (pid == 0) {
        ch = (ngx_hyperdrive_cache_position_lead(p) == NGX_OK) ? 'y' : 'n';

        if (write(fds[1], &ch, 1) == 1) {
            (void) pause();
        }

        _exit(0);
    }

    ok(read(fds[0], &ch, 1) == 1 && ch == 'y', "another process leads");

    close(fds[0]);
    close(fds[1]);

    return pid;
}


int
main(void)
{
    int                                       status;
    void                                     *zone;
    pid_t                                     pid;
    uint64_t                                  term, primary;
    ngx_uint_t                                i, full;
    ngx_hyperdrive_cache_position_t          *p, *q;
    ngx_hyperdrive_cache_position_replica_t   value, got;

    ok(ngx_hyperdrive_cache_position(1) == NULL,
       "without a zone there is none");

    zone = mmap(NULL, ngx_hyperdrive_cache_position_size(),
                PROT_READ|PROT_WRITE, MAP_ANON|MAP_SHARED, -1, 0);

    if (zone == MAP_FAILED
        || ngx_hyperdrive_cache_position_create(zone) != NGX_OK)
    {
        printf("Bail out! no memory\n");
        return 2;
    }

    ngx_hyperdrive_cache_position_attach(zone);

    p = ngx_hyperdrive_cache_position(17);
    q = ngx_hyperdrive_cache_position(18);

    ok(p != NULL && q != NULL && p != q, "each upstream has its own");
    ok(ngx_hyperdrive_cache_position(17) == p, "...and keeps it");

    /* who leads */

    pid = leader(p);

    ok(ngx_hyperdrive_cache_position_lead(p) == NGX_BUSY, "so we do not");
    ok(ngx_hyperdrive_cache_position_lead(q) == NGX_OK, "...but another one");

    kill(pid, SIGKILL);
    (void) waitpid(pid, &status, 0);

    ok(ngx_hyperdrive_cache_position_lead(p) == NGX_OK,
       "who dies leads no more");

    ngx_hyperdrive_cache_position_resign(p);
    pid = leader(p);
    kill(pid, SIGKILL);
    (void) waitpid(pid, &status, 0);

    /* what is known */

    ngx_hyperdrive_cache_position_get(p, 3, &got);
    ok(got.reached == 0, "nothing is known at first");

    ngx_memzero(&value, sizeof(ngx_hyperdrive_cache_position_replica_t));

    value.reached = 5;
    value.since = 6;
    value.checked = 7;
    value.site = 8;

    ngx_hyperdrive_cache_position_set(p, 3, &value);
    ngx_hyperdrive_cache_position_get(p, 3, &got);
    ok(got.reached == 5 && got.since == 6 && got.checked == 7
       && got.site == 8, "what is told");

    /* another one sits there: what was told of the first is over */

    value.reached = 0;
    value.site = 9;
    ngx_hyperdrive_cache_position_set(p, 3, &value);
    ngx_hyperdrive_cache_position_get(p, 3, &got);
    ok(got.reached == 0 && got.site == 9, "another site");

    value.reached = 10;
    ngx_hyperdrive_cache_position_set(p, 3, &value);
    ngx_hyperdrive_cache_position_get(p, 3, &got);
    ok(got.reached == 10 && got.site == 9, "...and what it has reached");

    /* the same, but for who has answered there */

    value.home = 4;
    ngx_hyperdrive_cache_position_set(p, 3, &value);
    ngx_hyperdrive_cache_position_get(p, 3, &got);
    ok(got.reached == 10 && got.site == 9 && got.home == 4,
       "another server there");

    ok(!ngx_hyperdrive_cache_position_wanted(p), "nobody wants it");
    ngx_hyperdrive_cache_position_want(p);
    ok(ngx_hyperdrive_cache_position_wanted(p), "somebody does");
    ok(!ngx_hyperdrive_cache_position_wanted(p), "...once");

    /* who is the primary */

    term = ngx_hyperdrive_cache_position_term(p, &primary);
    ok(primary == 0, "it is not known");

    ok(ngx_hyperdrive_cache_position_primary(p, 2) == NGX_DECLINED,
       "the first one is no other one");
    ok(ngx_hyperdrive_cache_position_term(p, &primary) != term && primary == 2,
       "...but it is known");

    term = ngx_hyperdrive_cache_position_term(p, &primary);

    ok(ngx_hyperdrive_cache_position_primary(p, 2) == NGX_DECLINED
       && ngx_hyperdrive_cache_position_term(p, &primary) == term,
       "it stays");
    ok(ngx_hyperdrive_cache_position_primary(p, 1) == NGX_OK, "another one");
    ok(ngx_hyperdrive_cache_position_term(p, &primary) != term && primary == 1,
       "...is another term");

    ngx_hyperdrive_cache_position_changed(p);
    ngx_hyperdrive_cache_position_get(p, 3, &got);
    ok(got.reached == 0, "of replicas nothing is known then");

    full = 0;

    for (i = 0; i < NGX_HYPERDRIVE_CACHE_POSITIONS; i++) {
        full |= (ngx_hyperdrive_cache_position(100 + i) == NULL);
    }

    ok(full, "there is no more room than there is");

    return done();
}
