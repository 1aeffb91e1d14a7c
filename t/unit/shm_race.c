/* sources: shm/ngx_hyperdrive_shm.c shm/ngx_hyperdrive_shm_limit.c shm/ngx_hyperdrive_shm_ticket.c shm/ngx_hyperdrive_shm_note.c shm/ngx_hyperdrive_shm_quota.c shm/ngx_hyperdrive_shm_client.c shm/ngx_hyperdrive_shm_backend.c shm/ngx_hyperdrive_shm_order.c shm/ngx_hyperdrive_shm_mutex.c */

/*
 * Copyright (C) Hyperdrive for nginx authors
 */


/*
 * Two processes at once: one is stopped at an instruction, the other does its
 * work meanwhile, or waits for a lock of the first until that goes on; or the
 * first one is killed there.
 */


#include "shm_check.h"

#include <poll.h>
#include <sys/syscall.h>


/* instructions between two stops, and one more of so many that there were */
#define STOPS      12
#define FEWER      15

/* the other one is taken for one that waits after so long, milliseconds */
#define BLOCKED    40


static ngx_str_t                    name = ngx_string("one");
static ngx_hyperdrive_shm_limit_t  *limit;
static u_char  user_id[NGX_HYPERDRIVE_SHM_QUOTA_ID] = "user";


static void
wake(ngx_uint_t slot)
{
    /* void */
}


/* a process dies with two connections, which its database knows */

static void
hold(void)
{
    ngx_uint_t  i;

    limit = ngx_hyperdrive_shm_limit(&name, 4, 10, &test_log);

    for (i = 0; i < 2; i++) {
        (void) ngx_hyperdrive_shm_limit_take(limit);
        (void) ngx_hyperdrive_shm_quota_take(user_id, 4, NULL, 0,
                                             NGX_HYPERDRIVE_SHM_QUOTA_NEW);

        told->numbers[i] = ngx_hyperdrive_shm_backend_add(limit, &name,
                                                          user_id, NULL);
        ngx_hyperdrive_shm_backend_known(told->numbers[i], 100 + i, 7, 8);
    }
}


static void
hold_one(void)
{
    limit = ngx_hyperdrive_shm_limit(&name, 4, 10, &test_log);

    (void) ngx_hyperdrive_shm_limit_take(limit);
}


static void
attach(void)
{
    limit = ngx_hyperdrive_shm_limit(&name, 4, 10, &test_log);
}


static void
gone(void)
{
    ngx_hyperdrive_shm_backend_gone(limit, told->numbers[0], wake);
}


static void
adopt(void)
{
    (void) ngx_hyperdrive_shm_backend_adopt(limit, told->numbers[0],
                                            told->slot);
}


static void
reclaim_places(void)
{
    (void) ngx_hyperdrive_shm_reclaim_places(0, wake);
}


/* the first process's place goes to the second one, which is on its way out */

static void
pass(void)
{
    ngx_hyperdrive_shm_slot = 0;

    (void) ngx_hyperdrive_shm_limit_pass(limit, 0, 1);
}


/* a slot that nobody has is the next one's */

static void
empty(ngx_uint_t slot)
{
    told->numbers[0] = 1;
    told->numbers[1]++;
    told->numbers[0] = 0;
}


static void
vacant(void)
{
    told->numbers[0] = 0;
    told->numbers[2] = 0;

    ngx_hyperdrive_shm_slot_vacant(2, empty);
}


static void
arrive(void)
{
    if (ngx_hyperdrive_shm_init_process(&zone, &test_log) == NGX_OK
        && ngx_hyperdrive_shm_slot == 2)
    {
        told->numbers[2] = told->numbers[0];
    }
}


/* an entry that was another connection's before */

static void
used_once(void)
{
    uint32_t  n;

    attach();

    n = ngx_hyperdrive_shm_backend_add(limit, &name, user_id, NULL);
    ngx_hyperdrive_shm_backend_known(n, 100, 7, 8);
    ngx_hyperdrive_shm_backend_remove(n);
}


static void
add(void)
{
    (void) ngx_hyperdrive_shm_backend_add(limit, &name, NULL, NULL);
}


/* what has to be there in the end */

static const char *
one_left(void)
{
    ngx_hyperdrive_shm_limit_stats_t  stats;

    ngx_hyperdrive_shm_limit_stats(limit, &stats);

    if (stats.used != 1 || stats.dead != 1) {
        return "places";
    }

    return (ngx_hyperdrive_shm_quota_count(user_id) == 1) ? NULL : "quota";
}


static const char *
two_left(void)
{
    ngx_hyperdrive_shm_limit_stats_t  stats;

    ngx_hyperdrive_shm_limit_stats(limit, &stats);

    if (stats.used != 2 || stats.dead != 1) {
        return "places";
    }

    return (ngx_hyperdrive_shm_quota_count(user_id) == 2) ? NULL : "quota";
}


static const char *
none_lost(void)
{
    ngx_hyperdrive_shm_limit_stats_t  stats;

    (void) ngx_hyperdrive_shm_reclaim_places(0, wake);

    ngx_hyperdrive_shm_limit_stats(limit, &stats);

    return (stats.used == stats.slots[0]) ? NULL : "a place is nobody's";
}


static const char *
not_taken(void)
{
    return told->numbers[2] ? "it was taken" : NULL;
}


static const char *
nothing_old(void)
{
    ngx_uint_t                    i, n;
    ngx_hyperdrive_shm_backend_t  left;

    i = 0;

    while (ngx_hyperdrive_shm_backend_next(limit, &i, &left) == NGX_OK) {

        if (left.pid || left.where) {
            return "it is known as the one before";
        }
    }

    return ngx_hyperdrive_shm_backend_counted(user_id, &n)
           ? "it counts as the one before" : NULL;
}


typedef struct {
    const char   *text;
    void        (*dead)(void);      /* done by one who has died */
    void        (*setup)(void);     /* by the one that is stopped in <work> */
    void        (*work)(void);
    void        (*meanwhile)(void); /* NULL: that one is killed */
    const char *(*fault)(void);
} race_t;


static race_t  races[] = {
    { "a connection of the dead is gone once", hold, attach, gone,
      reclaim_places, one_left },
    { "one that is taken over has its own place", hold, attach, adopt,
      reclaim_places, two_left },
    { "who leaves is given no place", NULL, hold_one,
      ngx_hyperdrive_shm_exit_process, pass, none_lost },
    { "a slot that is being emptied is not taken", NULL, attach, vacant,
      arrive, not_taken },
    { "what was being entered is nobody else's", NULL, used_once, add,
      NULL, nothing_old }
};


static volatile ngx_uint_t  *worked;


/* NULL, or what went wrong; *n is the number of instructions stepped */

static const char *
race_once(race_t *race, ngx_uint_t *n)
{
    int          status;
    pid_t        pid, other;
    ngx_uint_t   i;
    const char  *fault;

    fresh();
    attach();

    if (race->dead) {
        elsewhere(race->dead);
        ngx_hyperdrive_shm_reclaim(told->slot);

    } else {
        (void) ngx_hyperdrive_shm_limit_take(limit);
    }

    pid = fork();

    if (pid == 0) {
        (void) ptrace(PTRACE_TRACEME, 0, NULL, NULL);

        if (ngx_hyperdrive_shm_init_process(&zone, &test_log) != NGX_OK) {
            _exit(1);
        }

        race->setup();
        *worked = 0;
        (void) syscall(SYS_kill, getpid(), SIGSTOP);
        race->work();
        *worked = 1;
        (void) syscall(SYS_kill, getpid(), SIGSTOP);
        _exit(0);
    }

    if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status)) {
        return "no child";
    }

    for (i = 0; i < *n && *worked == 0; i++) {
        if (ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL) == -1
            || waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
        {
            return "no steps";
        }
    }

    *n = i;

    if (race->meanwhile == NULL) {
        (void) kill(pid, SIGKILL);
        (void) waitpid(pid, &status, 0);

        ngx_hyperdrive_shm_reclaim(1);

        return race->fault();
    }

    other = fork();

    if (other == 0) {
        race->meanwhile();
        _exit(0);
    }

    for (i = 0; i < BLOCKED && waitpid(other, NULL, WNOHANG) == 0; i++) {
        (void) poll(NULL, 0, 1);
    }

    if (*worked == 0) {
        (void) ptrace(PTRACE_CONT, pid, NULL, NULL);
        (void) waitpid(pid, &status, 0);
    }

    (void) waitpid(other, NULL, 0);

    fault = race->fault();

    (void) kill(pid, SIGKILL);
    (void) waitpid(pid, &status, 0);

    return fault;
}


int
main(void)
{
    race_t      *race;
    ngx_uint_t   i, n, at, may, total;
    const char  *fault;

    worked = mmap(NULL, sizeof(ngx_uint_t), PROT_READ|PROT_WRITE,
                  MAP_ANON|MAP_SHARED, -1, 0);

    may = traceable();

    for (i = 0; i < sizeof(races) / sizeof(race_t); i++) {

        race = &races[i];

        if (!may) {
            skip(race->text, "no ptrace here");
            continue;
        }

        /* how long it is */

        total = 1000000;
        fault = race_once(race, &total);

        for (at = random() % STOPS;
             fault == NULL && at < total;
             at += STOPS + at / FEWER)
        {
            n = at;
            fault = race_once(race, &n);
        }

        okf(fault == NULL, "%s, stopped at places of %d%s%s", race->text,
            (int) total, fault ? ": " : "", fault ? fault : "");
    }

    return done();
}
