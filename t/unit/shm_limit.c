/* sources: shm/ngx_hyperdrive_shm.c shm/ngx_hyperdrive_shm_limit.c shm/ngx_hyperdrive_shm_room.c shm/ngx_hyperdrive_shm_ticket.c shm/ngx_hyperdrive_shm_note.c shm/ngx_hyperdrive_shm_quota.c shm/ngx_hyperdrive_shm_client.c shm/ngx_hyperdrive_shm_backend.c shm/ngx_hyperdrive_shm_order.c shm/ngx_hyperdrive_shm_mutex.c */

/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "shm_check.h"

#include <poll.h>
#include <sys/syscall.h>


/* the torture: processes, places, how long, how long a wait may take */

#define WORKERS    6
#define MAX        12
#define QUEUE      60
#define DURATION   3000
#define PATIENCE   10000
#define DELAY      150
#define SESSIONS   20

/* of one instruction, for one operation, about */

#define STEPS      60000


static ngx_hyperdrive_shm_limit_t        *limit;
static ngx_hyperdrive_shm_limit_stats_t   stats;

static uint32_t    ticket, tickets[10];
static uint64_t    id;
static ngx_uint_t  slot;

static ngx_uint_t  woken[NGX_HYPERDRIVE_SLOTS];


static void
wake(ngx_uint_t s)
{
    woken[s]++;
}


/* as the process of another slot */

static void
as(ngx_uint_t s)
{
    ngx_str_t  name = ngx_string("shop");

    ngx_hyperdrive_shm_slot = s;

    if (!limit->slots[s].u.attached) {
        (void) ngx_hyperdrive_shm_limit(&name, limit->max, limit->queue,
                                        &test_log);
    }
}


static void
start(ngx_uint_t max, ngx_uint_t queue)
{
    ngx_str_t  name = ngx_string("shop");

    fresh();

    limit = ngx_hyperdrive_shm_limit(&name, max, queue, &test_log);

    ngx_memzero(woken, sizeof(woken));
}


#define take()      ngx_hyperdrive_shm_limit_take(limit)
#define wait_(n, t) ngx_hyperdrive_shm_limit_wait(limit, n, 0, t)
#define leave(t)    ngx_hyperdrive_shm_limit_leave(limit, t)
#define give()      ngx_hyperdrive_shm_limit_give(limit, &slot)
#define granted()   ngx_hyperdrive_shm_limit_granted(limit, &id)
#define serve(t)    ngx_hyperdrive_shm_limit_serve(limit, t)
#define head()      ngx_hyperdrive_shm_limit_head(limit, &slot, &id)


static ngx_uint_t
counts(ngx_uint_t used, ngx_uint_t waiting, ngx_uint_t dead)
{
    ngx_uint_t  i, sum;

    ngx_hyperdrive_shm_limit_stats(limit, &stats);

    sum = stats.dead;

    for (i = 0; i < NGX_HYPERDRIVE_SLOTS; i++) {
        sum += stats.slots[i];
    }

    if (stats.used != used || sum != used || stats.waiting != waiting
        || stats.dead != dead)
    {
        printf("# used %d, sum %d, waiting %d, dead %d\n", (int) stats.used,
               (int) sum, (int) stats.waiting, (int) stats.dead);
        return 0;
    }

    return 1;
}


/*
 * What holds whenever nobody has the lock: NULL, or what does not.  Returns
 * "busy" if it was changed meanwhile.
 */

static const char *
verify(void)
{
    uint32_t                      n, prev;
    uint64_t                      arrival, last;
    ngx_uint_t                    i, count, used, dead;
    const char                   *fault;
    ngx_atomic_uint_t             sequence;
    ngx_hyperdrive_shm_share_t   *share;
    ngx_hyperdrive_shm_ticket_t  *t;

    sequence = limit->sequence;

    if (sequence & 1) {
        return "busy";
    }

    ngx_memory_barrier();

    t = ngx_hyperdrive_shm->tickets;
    fault = NULL;
    used = 0;
    dead = 0;
    last = 0;

    for (i = 0; i < NGX_HYPERDRIVE_SLOTS; i++) {
        share = &limit->slots[i];

        used += (uint32_t) share->u.places;
        dead += share->u.places >> 32;

        count = 0;
        prev = NGX_HYPERDRIVE_SHM_NONE;
        arrival = 0;

        for (n = share->u.head;
             n < NGX_HYPERDRIVE_SHM_TICKETS && count < 100000;
             n = t[n].next)
        {
            if (t[n].state != NGX_HYPERDRIVE_SHM_TICKET_GRANTED
                || t[n].slot != i || t[n].limit != limit->index
                || t[n].prev != prev)
            {
                fault = "a ticket on a list of grants is not right";
            }

            if (t[n].arrival < arrival) {
                fault = "grants are not in order";
            }

            arrival = t[n].arrival;
            last = ngx_max(last, arrival);
            prev = n;
            count++;
        }

        if (prev != share->u.tail || count != share->u.granted) {
            fault = "a list of grants is not right";
        }

        used += count;
    }

    if (used + dead != limit->used || dead != limit->dead) {
        fault = "used is not the sum of the slots";
    }

    count = 0;
    prev = NGX_HYPERDRIVE_SHM_NONE;

    for (n = limit->head;
         n < NGX_HYPERDRIVE_SHM_TICKETS && count < 100000;
         n = t[n].next)
    {
        if (t[n].state != NGX_HYPERDRIVE_SHM_TICKET_WAITING
            || t[n].limit != limit->index || t[n].prev != prev)
        {
            fault = "a ticket on the list of waiters is not right";
        }

        if (t[n].arrival < last) {
            fault = "one that came later was granted earlier";
        }

        last = t[n].arrival;
        prev = n;
        count++;
    }

    if (prev != limit->tail || count != limit->waiting) {
        fault = "the list of waiters is not right";
    }

    ngx_memory_barrier();

    return sequence == limit->sequence ? fault : "busy";
}


/* tickets are lost in no way: all that were ever used are free */

static ngx_uint_t
all_free(void)
{
    uint32_t               n;
    ngx_uint_t             count, free;
    ngx_hyperdrive_shm_t  *sh;

    sh = ngx_hyperdrive_shm;
    count = 0;
    free = 0;

    for (n = 0; n < sh->ntickets; n++) {
        free += (sh->tickets[n].state == NGX_HYPERDRIVE_SHM_TICKET_FREE);
    }

    for (n = sh->tickets_free;
         n != NGX_HYPERDRIVE_SHM_NONE && count <= sh->ntickets;
         n = sh->tickets[n].next)
    {
        count++;
    }

    return count == sh->ntickets && free == count;
}


static void
test_places(void)
{
    start(2, 10);

    ok(take() == NGX_OK && take() == NGX_OK && take() == NGX_DECLINED,
       "as many places as there are");
    ok(counts(2, 0, 0) && stats.max == 2 && stats.slots[0] == 2,
       "both are counted");
    ok(give() == NGX_DECLINED && counts(1, 0, 0), "one is given back");
    ok(take() == NGX_OK, "and taken again");

    as(1);
    ok(take() == NGX_DECLINED && give() == NGX_DECLINED && counts(2, 0, 0),
       "another one has none to take nor to give");
}


static void
test_order(void)
{
    start(2, 10);

    (void) take();
    (void) take();

    ok(head() == NGX_DECLINED, "nobody waits");

    (void) wait_(10, &tickets[0]);

    as(1);
    (void) wait_(20, &tickets[1]);
    (void) wait_(21, &tickets[2]);

    as(0);
    (void) wait_(11, &tickets[3]);

    ok(counts(2, 4, 0) && ngx_hyperdrive_shm_limit_waiting(limit) == 4,
       "four wait");
    ok(head() == NGX_OK && slot == 0 && id == 10, "the first one is the head");
    ok(granted() == NGX_DECLINED, "nothing is granted");

    ok(give() == NGX_OK && slot == 0 && counts(2, 3, 0),
       "a place goes to the head");
    ok(give() == NGX_OK && slot == 1 && counts(2, 2, 0)
       && stats.slots[0] == 1 && stats.slots[1] == 1,
       "the next one to the next, in another slot");

    ok(granted() == NGX_OK && id == 10 && granted() == NGX_DECLINED,
       "each collects his own");

    as(1);
    ok(granted() == NGX_OK && id == 20 && granted() == NGX_DECLINED,
       "the other too");

    ok(leave(tickets[1]) == NGX_DECLINED, "a collected ticket is gone");
    ok(leave(tickets[3]) == NGX_DECLINED, "a ticket of another slot is not "
       "ours");
    ok(leave(tickets[2]) == NGX_OK && counts(2, 1, 0), "a waiter leaves");
    ok(leave(tickets[2]) == NGX_DECLINED, "but once");

    ok(give() == NGX_OK && slot == 0, "the one behind him gets the place");

    as(0);
    ok(leave(tickets[3]) == NGX_DONE && counts(2, 0, 0),
       "who was granted a place has it when he leaves");
    ok(give() == NGX_DECLINED && give() == NGX_DECLINED && counts(0, 0, 0),
       "all is given back");
    ok(verify() == NULL && all_free(), "no ticket is lost");
}


/* who is more urgent comes sooner, by so many places and no more */

static void
test_priority(void)
{
    uint32_t    all[64];
    uint64_t    order[64];
    ngx_uint_t  i;

    start(1, 100);

    (void) take();

    for (i = 0; i < 40; i++) {
        (void) ngx_hyperdrive_shm_limit_wait(limit, i, 0, &all[i]);
    }

    (void) ngx_hyperdrive_shm_limit_wait(limit, 100, 1, &all[40]);
    (void) ngx_hyperdrive_shm_limit_wait(limit, 101, 10, &all[41]);
    (void) ngx_hyperdrive_shm_limit_wait(limit, 102, -1, &all[42]);
    (void) ngx_hyperdrive_shm_limit_wait(limit, 103, 10, &all[43]);

    for (i = 44; i < 60; i++) {
        (void) ngx_hyperdrive_shm_limit_wait(limit, i, 0, &all[i]);
    }

    (void) leave(all[10]);

    for (i = 0; i < 59 && give() == NGX_OK && granted() == NGX_OK; i++) {
        order[i] = id;
    }

    ok(i == 59 && counts(1, 0, 0), "all are served");
    ok(order[0] == 101 && order[1] == 103, "the most urgent first, in order");
    ok(order[2] == 0 && order[12] == 11, "then who came first");
    ok(order[26] == 100 && order[25] == 24 && order[27] == 25,
       "a step is so many places");
    ok(order[55] == 57 && order[56] == 102 && order[57] == 58,
       "who is less urgent, later by as many");
    ok(give() == NGX_DECLINED && all_free(), "no ticket is lost");
}


static void
test_free_place(void)
{
    start(1, 0);

    ok(wait_(7, &ticket) == NGX_OK && ticket && granted() == NGX_OK && id == 7,
       "a free place is granted at once, even without a queue");
    ok(wait_(8, &ticket) == NGX_BUSY && counts(1, 0, 0),
       "without a queue nobody waits");

    start(1, 2);
    (void) take();

    ok(wait_(1, &tickets[0]) == NGX_OK && wait_(2, &tickets[1]) == NGX_OK
       && wait_(3, &tickets[2]) == NGX_BUSY, "the queue has a bound");

    (void) give();

    ok(take() == NGX_DECLINED, "no newcomer overtakes");
    ok(leave(tickets[0]) == NGX_DONE && give() == NGX_OK,
       "a granted place is passed on");
    ok(granted() == NGX_OK && id == 2 && counts(1, 0, 0), "to the next");
}


static void
test_serve(void)
{
    start(1, 10);
    (void) take();

    as(1);
    (void) wait_(5, &tickets[0]);

    as(0);
    (void) wait_(6, &tickets[1]);

    ok(serve(tickets[1]) == NGX_DECLINED, "not the head, not served");
    ok(serve(tickets[0]) == NGX_DECLINED, "the head is another slot's");

    as(1);
    ok(serve(tickets[0]) == NGX_OK && counts(1, 1, 0), "the head is served");
    ok(serve(tickets[0]) == NGX_DECLINED && leave(tickets[0]) == NGX_DECLINED,
       "its ticket is gone");

    as(0);
    ok(head() == NGX_OK && id == 6 && serve(tickets[1]) == NGX_OK
       && counts(1, 0, 0) && all_free(), "then the next");
}


static void
test_max(void)
{
    ngx_str_t  name = ngx_string("shop");

    start(4, 10);

    (void) take();
    (void) take();
    (void) take();
    (void) take();
    (void) wait_(1, &tickets[0]);
    (void) wait_(2, &tickets[1]);
    (void) wait_(3, &tickets[2]);

    ok(ngx_hyperdrive_shm_limit(&name, 2, 10, &test_log) == limit
       && counts(4, 3, 0) && stats.max == 2, "the limit is lowered");

    ok(give() == NGX_DECLINED && give() == NGX_DECLINED && counts(2, 3, 0),
       "nothing is granted while it is exceeded");
    ok(give() == NGX_OK && counts(2, 2, 0), "then again");

    (void) ngx_hyperdrive_shm_limit(&name, 4, 10, &test_log);

    ok(take() == NGX_DECLINED, "raised: a newcomer is no quicker than those "
       "who wait");
    ok(ngx_hyperdrive_shm_reclaim_places(0, wake) == 0 && woken[0] == 1
       && counts(4, 0, 0), "they are granted what is free");
    ok(granted() == NGX_OK && id == 1 && granted() == NGX_OK && id == 2
       && granted() == NGX_OK && id == 3, "in order");
}


static void
test_idle(void)
{
    start(4, 10);

    ok(ngx_hyperdrive_shm_limit_find_idle(limit, &slot) == NGX_DECLINED,
       "no idle connection");

    ngx_hyperdrive_shm_limit_idle(limit, 2);

    ok(ngx_hyperdrive_shm_limit_find_idle(limit, &slot) == NGX_OK
       && slot == 0, "one's own, if there is no other");

    as(5);
    ngx_hyperdrive_shm_limit_idle(limit, 1);
    as(0);

    ok(ngx_hyperdrive_shm_limit_find_idle(limit, &slot) == NGX_OK
       && slot == 5, "rather another's");
    ok(counts(0, 0, 0) && stats.idle == 3, "all are counted");

    as(5);
    ngx_hyperdrive_shm_limit_idle(limit, -1);
    ok(ngx_hyperdrive_shm_limit_find_idle(limit, &slot) == NGX_OK
       && slot == 0, "not one that has none any more");
}


static void
test_many(void)
{
    char        text[NGX_HYPERDRIVE_SHM_NAME + 2];
    ngx_str_t   name;
    ngx_uint_t  i, n;

    start(1, 100000);
    (void) take();

    for (i = 0; wait_(i, &ticket) == NGX_OK; i++) { /* void */ }

    ok(i == NGX_HYPERDRIVE_SHM_TICKETS, "all tickets wait");

    /* the order survives a repair of all of them */

    if (fork() == 0) {
        (void) ngx_hyperdrive_shm_mutex_lock(&limit->mutex);
        limit->sequence++;
        limit->tail = 5;
        limit->waiting = 3;
        (void) kill(getpid(), SIGKILL);
    }

    (void) wait(NULL);

    for (n = 0; n < i; n++) {
        if (give() != NGX_OK || granted() != NGX_OK || id != n) {
            break;
        }
    }

    ok(n == i && give() == NGX_DECLINED && counts(0, 0, 0) && all_free(),
       "and are served in order, after a repair");

    start(1, 1);
    name.data = (u_char *) text;

    for (i = 1; i < NGX_HYPERDRIVE_SHM_LIMITS; i++) {
        name.len = sprintf(text, "other %d", (int) i);

        if (ngx_hyperdrive_shm_limit(&name, 1, 1, &test_log) == NULL) {
            break;
        }
    }

    ok(i == NGX_HYPERDRIVE_SHM_LIMITS, "as many upstreams as there can be");

    name.len = sprintf(text, "too much");
    ok(ngx_hyperdrive_shm_limit(&name, 1, 1, &test_log) == NULL,
       "but no more");

    limit = &ngx_hyperdrive_shm->limits[7];
    limit->slots[0].u.attached = 0;
    ngx_hyperdrive_shm->counters[7][0].counters.hits = 5;

    ok(ngx_hyperdrive_shm_limit(&name, 3, 1, &test_log) == limit
       && ngx_hyperdrive_shm_counters(limit)->hits == 0
       && take() == NGX_OK && counts(1, 0, 0) && stats.max == 3
       && stats.name.len == name.len,
       "one that nobody uses makes room");

    memset(text, 'x', sizeof(text));
    name.len = NGX_HYPERDRIVE_SHM_NAME + 1;
    ok(ngx_hyperdrive_shm_limit(&name, 1, 1, &test_log) == NULL,
       "a name that is too long is refused");

    name.len = NGX_HYPERDRIVE_SHM_NAME;
    ngx_hyperdrive_shm->limits[9].slots[0].u.attached = 0;
    ok(ngx_hyperdrive_shm_limit(&name, 1, 1, &test_log)
       == &ngx_hyperdrive_shm->limits[9], "the longest name is not");
}


/* forks a worker that does what <work> does and stays; returns its slot */

static ngx_uint_t
worker(void (*work)(void), pid_t *pid)
{
    int         fd[2];
    ngx_str_t   name = ngx_string("shop");
    ngx_uint_t  s;

    if (pipe(fd) == -1) {
        exit(2);
    }

    *pid = fork();

    if (*pid == 0) {
        if (ngx_hyperdrive_shm_init_process(&zone, &test_log) != NGX_OK) {
            _exit(1);
        }

        limit = ngx_hyperdrive_shm_limit(&name, limit->max, limit->queue,
                                         &test_log);
        work();

        if (write(fd[1], &ngx_hyperdrive_shm_slot, sizeof(s)) != sizeof(s)) {
            _exit(1);
        }

        for ( ;; ) {
            pause();
        }
    }

    if (read(fd[0], &s, sizeof(s)) != sizeof(s)) {
        exit(2);
    }

    (void) close(fd[0]);
    (void) close(fd[1]);

    return s;
}


static void
dead_work(void)
{
    ngx_hyperdrive_shm_counters_t  *c;

    (void) take();
    (void) take();
    (void) take();

    (void) wait_(100, &tickets[0]);
    (void) wait_(101, &tickets[1]);
    (void) wait_(102, &tickets[2]);

    (void) give();

    ngx_hyperdrive_shm_limit_idle(limit, 1);

    c = ngx_hyperdrive_shm_counters(limit);

    c->clients = 4;
    c->clients_total = 40;
    c->uncacheable[15] = 2;
    c->bytes_to_origins = 99;
}


static ngx_hyperdrive_shm_counters_t  copies[NGX_HYPERDRIVE_SLOTS + 1];


static void
test_death(void)
{
    pid_t       pid, told;
    uint32_t    epoch;
    ngx_uint_t  s;

    start(4, 10);
    (void) take();

    s = worker(dead_work, &pid);

    ok(s == 1 && ngx_hyperdrive_shm_slot_pid(s, &told) == NGX_OK
       && told == pid && ngx_hyperdrive_shm_slot_alive(s),
       "a process has a slot of its own");

    epoch = ngx_hyperdrive_shm_slot_epoch(s);

    (void) wait_(1, &tickets[0]);
    (void) wait_(2, &tickets[1]);

    /* one place of mine, two and a grant of the other */

    ok(counts(4, 4, 0) && stats.slots[s] == 3 && stats.idle == 1,
       "it holds places, a grant, and waits");

    ngx_hyperdrive_shm_counters_read(limit, copies);
    ok(copies[s].clients == 4 && copies[s].clients_total == 40,
       "its counters can be read");

    ngx_hyperdrive_shm_reclaim(s);
    ok(counts(4, 4, 0), "nothing is taken from the living");

    (void) kill(pid, SIGKILL);

    while (ngx_hyperdrive_shm_slot_alive(s)) {
        (void) usleep(1000);
    }

    ok(kill(pid, 0) == 0, "killed, not yet waited for");

    ngx_hyperdrive_shm_reclaim(s);
    ngx_hyperdrive_shm_reclaim(s);

    ok(ngx_hyperdrive_shm_slot_pid(s, &told) == NGX_DECLINED
       && counts(3, 2, 2) && stats.idle == 0,
       "its places stay used, its grant and its tickets are gone");

    ok(ngx_hyperdrive_shm_reclaim_places(100000, wake) == 0
       && woken[0] == 1 && counts(4, 1, 2) && granted() == NGX_OK && id == 1,
       "the grant goes to the next at once");

    ok(ngx_hyperdrive_shm_reclaim_places(0, wake) == 2
       && counts(3, 0, 0) && granted() == NGX_OK && id == 2,
       "the places after a while");

    ngx_hyperdrive_shm_counters_read(limit, copies);
    ok(copies[s].clients_total == 0
       && copies[NGX_HYPERDRIVE_SLOTS].clients == 0
       && copies[NGX_HYPERDRIVE_SLOTS].clients_total == 40
       && copies[NGX_HYPERDRIVE_SLOTS].uncacheable[15] == 2
       && copies[NGX_HYPERDRIVE_SLOTS].bytes_to_origins == 99,
       "totals are kept, gauges are not");

    (void) waitpid(pid, NULL, 0);

    ok(ngx_hyperdrive_shm_slot_hold(s) == NGX_OK
       && ngx_hyperdrive_shm_slot_hold(s) == NGX_DECLINED
       && ngx_hyperdrive_shm_slot_pid(s, &told) == NGX_DECLINED,
       "a free slot can be held");

    ok(worker(dead_work, &pid) == 2, "and is not taken then");

    ngx_hyperdrive_shm_slot_release(s);

    (void) kill(pid, SIGKILL);
    (void) waitpid(pid, NULL, 0);

    ok(worker(dead_work, &pid) == 1
       && ngx_hyperdrive_shm_slot_pid(2, &told) == NGX_DECLINED
       && ngx_hyperdrive_shm_slot_epoch(s) != epoch,
       "a new process takes the first free one, and finds the dead");

    ngx_hyperdrive_shm_reclaim(s);
    ok(ngx_hyperdrive_shm_slot_alive(s),
       "late news of a death do not harm who has the slot now");

    (void) kill(pid, SIGKILL);
    (void) waitpid(pid, NULL, 0);
}


static void
test_own_exit(void)
{
    ngx_pid_t  pid;

    start(4, 10);

    (void) take();
    (void) take();
    (void) take();
    (void) take();
    (void) wait_(9, &ticket);
    ngx_hyperdrive_shm_counters(limit)->queries = 3;

    ngx_hyperdrive_shm_exit_process();
    ngx_hyperdrive_shm_exit_process();

    ok(counts(4, 0, 4) && ngx_hyperdrive_shm_slot_pid(0, &pid)
                          == NGX_DECLINED,
       "an exit leaves places to wait for their end");

    ngx_hyperdrive_shm_counters(limit)->queries = 3;
    ngx_hyperdrive_shm_limit_idle(limit, 1);

    ok(take() == NGX_DECLINED && give() == NGX_DECLINED
       && granted() == NGX_DECLINED && leave(ticket) == NGX_DECLINED
       && serve(ticket) == NGX_DECLINED && wait_(1, &ticket) == NGX_BUSY
       && counts(4, 0, 4), "nothing can be done without a slot");

    ok(ngx_hyperdrive_shm_reclaim_places(0, wake) == 4 && counts(0, 0, 0),
       "they are free in the end");

    ngx_hyperdrive_shm_counters_read(limit, copies);
    ok(copies[0].queries == 0 && copies[NGX_HYPERDRIVE_SLOTS].queries == 3,
       "the totals stay");
}


static void
test_zone(void)
{
    void       *mem;
    u_char      zeroes[32];
    uint64_t    n;
    ngx_uint_t  i;

    start(1, 1);
    mem = ngx_hyperdrive_shm;

    ngx_memzero(zeroes, sizeof(zeroes));
    ok(ngx_memcmp(ngx_hyperdrive_shm_secret(), zeroes, 32) != 0,
       "there is a secret");

    n = ngx_hyperdrive_shm_next_id();
    ok(n == 1 && ngx_hyperdrive_shm_next_id() == 2, "numbers are given once");

    i = ngx_hyperdrive_shm_generation();
    (void) ngx_hyperdrive_shm_init_module(&zone, &test_log);
    ok(ngx_hyperdrive_shm_generation() == i + 1
       && ngx_hyperdrive_shm_own_generation() == i
       && ngx_hyperdrive_shm_slot_generation(0) == i,
       "a reload is another generation");

    ok(ngx_hyperdrive_shm_attach(mem, ngx_hyperdrive_shm_size(), 0) == NGX_OK
       && ngx_hyperdrive_shm_attach(mem, ngx_hyperdrive_shm_size() - 1, 0)
          == NGX_ERROR, "memory that is there is used");

    ngx_hyperdrive_shm->layout++;
    ok(ngx_hyperdrive_shm_attach(mem, ngx_hyperdrive_shm_size(), 0)
       == NGX_ERROR, "unless it was laid out by another version");

    ok(!ngx_hyperdrive_shm_slot_wake_set(3)
       && ngx_hyperdrive_shm_slot_wake_set(3), "a wake-up is sent once");
    ngx_hyperdrive_shm_slot_wake_clear(3);
    ok(!ngx_hyperdrive_shm_slot_wake_set(3), "until it was read");
}


/* for a configuration with one upstream */

static ngx_int_t
room(char *text, ngx_uint_t processes)
{
    ngx_str_t    name;
    ngx_array_t  names;

    name.data = (u_char *) text;
    name.len = ngx_strlen(text);

    ngx_memzero(&names, sizeof(ngx_array_t));

    names.elts = &name;
    names.nelts = 1;

    return ngx_hyperdrive_shm_room(&names, processes, &test_log);
}


static void
test_names(void)
{
    u_char       text[16];
    ngx_str_t    name;
    ngx_uint_t   i, n;

    start(1, 1);

    n = 1;
    name.data = text;

    for (i = 1; i < NGX_HYPERDRIVE_SHM_LIMITS; i++) {
        name.len = ngx_sprintf(text, "u%ui", i) - text;

        n += (ngx_hyperdrive_shm_limit(&name, 1, 1, &test_log) != NULL);
    }

    ok(n == NGX_HYPERDRIVE_SHM_LIMITS, "as many upstreams as can be");

    ngx_str_set(&name, "other");

    ok(ngx_hyperdrive_shm_limit(&name, 1, 1, &test_log) == NULL,
       "but no more");
    ok(room("shop", 1) == NGX_OK, "there is room for one that is known");
    ok(room("other", 1) == NGX_ERROR, "and none for another");
}


static void
test_slots(void)
{
    int         status;
    pid_t       pid, pids[NGX_HYPERDRIVE_SLOTS];
    ngx_uint_t  i, n;

    start(1, 1);

    n = 1;

    for (i = 1; i < NGX_HYPERDRIVE_SLOTS; i++) {
        n += (worker(dead_work, &pids[i]) == i);
    }

    ok(n == NGX_HYPERDRIVE_SLOTS, "as many processes as there are slots");

    pid = fork();

    if (pid == 0) {
        _exit(ngx_hyperdrive_shm_init_process(&zone, &test_log) == NGX_OK);
    }

    (void) waitpid(pid, (int *) &i, 0);
    ok(*(int *) &i == 0, "but no more");

    pid = fork();

    if (pid == 0) {
        ngx_parent = getppid();
        _exit(ngx_hyperdrive_shm_init_process(&zone, &test_log) == NGX_OK
              ? 7 : 0);
    }

    usleep(300000);

    ok(waitpid(pid, &status, WNOHANG) == 0, "one more waits");

    (void) kill(pids[1], SIGKILL);
    (void) waitpid(pids[1], NULL, 0);

    (void) waitpid(pid, &status, 0);
    ok(WEXITSTATUS(status) == 7, "...for one that goes");

    (void) worker(dead_work, &pids[1]);

    ok(room("shop", 20) == NGX_OK, "those that a reload replaces are borne");

    ngx_hyperdrive_shm->generation++;

    ok(room("shop", 20) == NGX_ERROR, "but not those of an earlier one, too");

    for (i = 1; i < NGX_HYPERDRIVE_SLOTS; i++) {
        (void) kill(pids[i], SIGKILL);
        (void) waitpid(pids[i], NULL, 0);
    }
}


/*
 * Killed at an instruction: the child stops before the operation, is stepped
 * through it and killed on the way.
 */

static void
child_setup_none(void)
{
    /* void */
}


static void
child_setup_places(void)
{
    (void) take();
    (void) take();
}


static void
child_setup_waiting(void)
{
    (void) wait_(50, &ticket);
}


static void
child_take(void)
{
    (void) take();
}


static void
child_wait(void)
{
    (void) wait_(51, &tickets[0]);
}


static void
child_leave(void)
{
    (void) leave(ticket);
}


static void
child_give(void)
{
    (void) give();
}


static void
child_granted(void)
{
    (void) granted();
}


static void
child_serve(void)
{
    (void) serve(ticket);
}


static void
child_reclaim(void)
{
    ngx_hyperdrive_shm_reclaim(2);
}


static void
child_reclaim_places(void)
{
    (void) ngx_hyperdrive_shm_reclaim_places(0, wake);
}


static void
child_exit(void)
{
    ngx_hyperdrive_shm_exit_process();
}


static void
child_limit(void)
{
    ngx_str_t  name = ngx_string("another");

    (void) ngx_hyperdrive_shm_limit(&name, 5, 5, &test_log);
}


typedef struct {
    const char   *text;
    ngx_uint_t    mine;         /* places that the parent has */
    ngx_uint_t    before;       /* waiters of the parent, before the child's */
    ngx_uint_t    after;        /* and after them */
    ngx_uint_t    grant;        /* places that the parent then gives */
    ngx_uint_t    corpse;       /* a third process that died */
    void        (*setup)(void);
    void        (*work)(void);
} step_t;


static step_t  steps[] = {
    { "take", 1, 0, 0, 0, 0, child_setup_none, child_take },
    { "wait for a free place", 1, 0, 0, 0, 0, child_setup_none, child_wait },
    { "wait", 4, 1, 1, 0, 0, child_setup_none, child_wait },
    { "leave, waiting", 4, 1, 1, 0, 0, child_setup_waiting, child_leave },
    { "leave, granted", 4, 0, 2, 1, 0, child_setup_waiting, child_leave },
    { "give to a waiter", 2, 2, 1, 0, 0, child_setup_places, child_give },
    { "give", 1, 0, 0, 0, 0, child_setup_places, child_give },
    { "collect", 4, 0, 2, 1, 0, child_setup_waiting, child_granted },
    { "serve", 4, 0, 2, 0, 0, child_setup_waiting, child_serve },
    { "reclaim", 1, 0, 0, 0, 1, child_setup_waiting, child_reclaim },
    { "reclaim places", 1, 0, 3, 0, 2, child_setup_waiting,
      child_reclaim_places },
    { "exit", 1, 2, 1, 0, 0, child_setup_places, child_exit },
    { "declare a limit", 4, 0, 2, 1, 0, child_setup_waiting, child_limit }
};


static volatile ngx_uint_t  *worked;


/* NULL, or what went wrong; *n is the number of instructions stepped */

static const char *
step_once(step_t *st, ngx_uint_t *n)
{
    int          status;
    pid_t        pid, corpse;
    uint32_t     t;
    uint64_t     want;
    ngx_str_t    name = ngx_string("shop");
    ngx_uint_t   i, mine, waiting;
    const char  *fault;

    start(4, 10);

    for (mine = 0; mine < st->mine; mine++) {
        (void) take();
    }

    corpse = 0;

    pid = fork();

    if (pid == 0) {
        (void) ptrace(PTRACE_TRACEME, 0, NULL, NULL);

        if (ngx_hyperdrive_shm_init_process(&zone, &test_log) != NGX_OK) {
            _exit(1);
        }

        limit = ngx_hyperdrive_shm_limit(&name, 4, 10, &test_log);

        /* the parent's turn, twice; a bare call, not to step through more */

        (void) syscall(SYS_kill, getpid(), SIGSTOP);
        st->setup();
        *worked = 0;
        (void) syscall(SYS_kill, getpid(), SIGSTOP);
        st->work();
        *worked = 1;
        _exit(0);
    }

    if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status)) {
        return "no child";
    }

    if (st->corpse) {
        if (worker(dead_work, &corpse) != 2) {
            return "no third process";
        }

        (void) kill(corpse, SIGKILL);

        while (ngx_hyperdrive_shm_slot_alive(2)) {
            (void) usleep(100);
        }

        if (st->corpse == 2) {
            ngx_hyperdrive_shm_reclaim(2);
        }
    }

    want = 1;

    for (i = 0; i < st->before; i++) {
        (void) wait_(want++, &t);
    }

    (void) ptrace(PTRACE_CONT, pid, NULL, NULL);

    if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status)) {
        return "no child in the middle";
    }

    for (i = 0; i < st->after; i++) {
        (void) wait_(want++, &t);
    }

    waiting = st->before + st->after;

    for (i = 0; i < st->grant; i++) {
        (void) give();
        mine--;
    }

    for (i = 0; i < *n && *worked == 0; i++) {
        if (ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL) == -1
            || waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
        {
            return "no steps";
        }
    }

    *n = i;

    (void) kill(pid, SIGKILL);
    (void) waitpid(pid, &status, 0);

    ngx_hyperdrive_shm_reclaim(1);
    ngx_hyperdrive_shm_reclaim(2);
    (void) ngx_hyperdrive_shm_reclaim_places(0, wake);

    if (corpse) {
        (void) waitpid(corpse, NULL, 0);
    }

    fault = verify();

    if (fault) {
        return fault;
    }

    if (limit->dead) {
        return "places of the dead are left";
    }

    /* what the parent waits for comes, and in order */

    want = 1;

    while (waiting) {

        while (granted() == NGX_OK) {

            if (id != want++) {
                return "granted out of order";
            }

            mine++;
            waiting--;
        }

        if (waiting) {
            if (mine == 0) {
                return "nothing is granted";
            }

            (void) give();
            mine--;
        }
    }

    if (limit->used != mine) {
        return "a place is lost";
    }

    while (mine--) {
        (void) give();
    }

    if (!counts(0, 0, 0)) {
        return "a place is left";
    }

    if (!all_free()) {
        return "a ticket is lost";
    }

    return verify();
}


static void
test_steps(void)
{
    step_t      *st;
    ngx_uint_t   i, n, at, may, total, kills, stride;
    const char  *fault;

    worked = mmap(NULL, sizeof(ngx_uint_t), PROT_READ|PROT_WRITE,
                  MAP_ANON|MAP_SHARED, -1, 0);

    may = traceable();

    for (i = 0; i < sizeof(steps) / sizeof(step_t); i++) {

        st = &steps[i];

        if (!may) {
            skip(st->text, "no ptrace here");
            continue;
        }

        /* how long it is */

        total = 1000000;
        fault = step_once(st, &total);

        /* forty, fewer if it takes too long */

        stride = total / ngx_min(40, STEPS / total + 10) + 1;
        kills = 0;

        for (at = random() % stride; fault == NULL && at < total;
             at += 1 + random() % (2 * stride))
        {
            n = at;
            kills++;
            fault = step_once(st, &n);

            if (fault) {
                printf("# after %d of %d instructions\n", (int) at,
                       (int) total);
            }
        }

        okf(fault == NULL, "killed in \"%s\" at %d places of %d%s%s", st->text,
            (int) kills, (int) total, fault ? ": " : "", fault ? fault : "");
    }
}


/*
 * The torture: processes that take, wait, give and leave, and are killed.  A
 * cell is a connection: there are as many as places, so whoever has a place
 * and finds no cell has proved that the limit was exceeded.
 */

typedef struct {
    ngx_atomic_t  cells[MAX];
    ngx_atomic_t  stop;
    ngx_atomic_t  faults;
    ngx_atomic_t  waits;
    ngx_atomic_t  longest;
    char          fault[256];
} shared_t;


typedef struct {
    enum { NONE = 0, WAITING, HOLDING } state;
    uint32_t      ticket;
    uint64_t      id;
    uint64_t      since;
    ngx_uint_t    cell;
} session_t;


static shared_t   *shared;
static int         pipes[NGX_HYPERDRIVE_SLOTS][2];
static session_t   sessions[SESSIONS];
static uint64_t    last_id;


static void
fail(const char *text)
{
    if (ngx_atomic_fetch_add(&shared->faults, 1) == 0) {
        (void) snprintf(shared->fault, sizeof(shared->fault), "%s", text);
    }
}


static void
send_wake(ngx_uint_t s)
{
    if (s != ngx_hyperdrive_shm_slot
        && ngx_hyperdrive_shm_slot_wake_set(s) == 0)
    {
        if (write(pipes[s][1], "w", 1) == -1) {
            fail("a pipe is full");
        }
    }
}


static void
hold(session_t *s)
{
    ngx_uint_t  i, ms;

    if (s->state == WAITING) {
        ms = ngx_hyperdrive_shm_now() - s->since;

        if (ms > shared->longest) {
            shared->longest = ms;
        }

        (void) ngx_atomic_fetch_add(&shared->waits, 1);
    }

    s->state = HOLDING;

    for (i = 0; i < MAX; i++) {
        if (ngx_atomic_cmp_set(&shared->cells[i], 0, getpid())) {
            s->cell = i;
            return;
        }
    }

    s->cell = MAX;

    fail("more places than there are");
}


static void
collect(void)
{
    ngx_uint_t  i;

    while (granted() == NGX_OK) {

        for (i = 0; i < SESSIONS; i++) {
            if (sessions[i].state == WAITING && sessions[i].id == id) {
                break;
            }
        }

        if (i == SESSIONS) {
            fail("a grant for nobody");
            return;
        }

        if (id <= last_id) {
            fail("grants of one process out of order");
        }

        last_id = id;

        hold(&sessions[i]);
    }
}


static void
wake_or_collect(ngx_uint_t s)
{
    if (s == ngx_hyperdrive_shm_slot) {
        collect();

    } else {
        send_wake(s);
    }
}


static void
give_back(session_t *s)
{
    s->state = NONE;

    if (s->cell < MAX) {
        shared->cells[s->cell] = 0;
    }

    if (give() == NGX_OK) {
        wake_or_collect(slot);
    }
}


static void
leave_session(session_t *s)
{
    switch (leave(s->ticket)) {

    case NGX_OK:
        s->state = NONE;
        break;

    case NGX_DONE:
        hold(s);
        break;

    default:
        fail("a ticket was lost");
        s->state = NONE;
    }
}


static void
read_pipe(void)
{
    char  c;

    while (read(pipes[ngx_hyperdrive_shm_slot][0], &c, 1) == 1) {

        ngx_hyperdrive_shm_slot_wake_clear(ngx_hyperdrive_shm_slot);

        if (c != 'w') {
            ngx_hyperdrive_shm_reclaim(c - 'A');
            (void) ngx_hyperdrive_shm_reclaim_places(DELAY, wake_or_collect);
        }

        collect();
    }
}


static void
act(uint64_t *ids)
{
    session_t   *s, *o;

    s = &sessions[random() % SESSIONS];
    o = &sessions[random() % SESSIONS];

    switch (s->state) {

    case NONE:

        if (take() == NGX_OK) {
            hold(s);
            break;
        }

        s->id = ++*ids;

        if (wait_(s->id, &s->ticket) == NGX_OK) {
            s->state = WAITING;
            s->since = ngx_hyperdrive_shm_now();

            /* a place was free, perhaps */
            collect();
        }

        break;

    case WAITING:

        if (random() % 20 == 0) {
            leave_session(s);
        }

        break;

    case HOLDING:

        if (random() % 4 == 0 && o->state == WAITING
            && serve(o->ticket) == NGX_OK)
        {
            /*
             * The connection goes over, without giving its place back.  This
             * is no grant: one that another process has made earlier, to
             * somebody before <o>, may not have been collected yet.
             */

            o->state = HOLDING;
            o->cell = s->cell;
            s->state = NONE;

            if (leave(o->ticket) != NGX_DECLINED) {
                fail("a ticket that was served is still there");
            }

            break;
        }

        give_back(s);
        break;
    }
}


static void
torture_worker(void)
{
    uint64_t       ids, next;
    ngx_str_t      name = ngx_string("shop");
    ngx_uint_t     i;
    struct pollfd  pfd;

    if (ngx_hyperdrive_shm_init_process(&zone, &test_log) != NGX_OK) {
        fail("no slot");
        _exit(0);
    }

    limit = ngx_hyperdrive_shm_limit(&name, MAX, QUEUE, &test_log);

    srandom(getpid());

    ids = 0;
    next = 0;

    (void) ngx_hyperdrive_shm_reclaim_places(DELAY, wake_or_collect);

    while (!shared->stop) {

        pfd.fd = pipes[ngx_hyperdrive_shm_slot][0];
        pfd.events = POLLIN;

        (void) poll(&pfd, 1, random() % 8 == 0);

        read_pipe();
        act(&ids);

        if (ngx_hyperdrive_shm_now() >= next) {
            next = ngx_hyperdrive_shm_now() + 20;
            (void) ngx_hyperdrive_shm_reclaim_places(DELAY, wake_or_collect);
        }

        for (i = 0; i < SESSIONS; i++) {

            if (sessions[i].state == WAITING
                && ngx_hyperdrive_shm_now() - sessions[i].since > PATIENCE)
            {
                fail("somebody starves");
                sessions[i].since = ngx_hyperdrive_shm_now();
            }
        }
    }

    for (i = 0; i < SESSIONS; i++) {

        if (sessions[i].state == WAITING) {
            leave_session(&sessions[i]);
        }

        if (sessions[i].state == HOLDING) {
            give_back(&sessions[i]);
        }
    }

    ngx_hyperdrive_shm_exit_process();

    _exit(0);
}


static pid_t
torture_fork(void)
{
    pid_t  pid;

    pid = fork();

    if (pid == 0) {
        torture_worker();
    }

    return pid;
}


static void
torture_kill(pid_t *pid)
{
    char        c;
    ngx_pid_t   told;
    siginfo_t   info;
    ngx_uint_t  i, s;

    for (s = 0; s < NGX_HYPERDRIVE_SLOTS; s++) {
        if (ngx_hyperdrive_shm_slot_pid(s, &told) == NGX_OK && told == *pid) {
            break;
        }
    }

    (void) kill(*pid, SIGKILL);
    (void) waitid(P_PID, *pid, &info, WEXITED|WNOWAIT);

    /* its backends end */

    for (i = 0; i < MAX; i++) {
        (void) ngx_atomic_cmp_set(&shared->cells[i], *pid, 0);
    }

    if (random() % 2) {
        (void) waitpid(*pid, NULL, 0);
    }

    /* one has died: all are told, as by its pidfd */

    if (s < NGX_HYPERDRIVE_SLOTS) {
        c = 'A' + s;

        for (i = 0; i < NGX_HYPERDRIVE_SLOTS; i++) {
            if (i != s && ngx_hyperdrive_shm_slot_alive(i)
                && write(pipes[i][1], &c, 1) == -1)
            {
                fail("a pipe is full");
            }
        }
    }

    *pid = torture_fork();
}


static void
test_torture(void)
{
    pid_t        pids[WORKERS];
    uint64_t     end, next;
    ngx_uint_t   i, kills, checks;
    const char  *fault;

    start(MAX, QUEUE);
    ngx_hyperdrive_shm_exit_process();

    shared = mmap(NULL, sizeof(shared_t), PROT_READ|PROT_WRITE,
                  MAP_ANON|MAP_SHARED, -1, 0);

    for (i = 0; i < NGX_HYPERDRIVE_SLOTS; i++) {
        if (pipe(pipes[i]) == -1) {
            printf("Bail out! no pipes\n");
            exit(2);
        }

        (void) fcntl(pipes[i][0], F_SETFL, O_NONBLOCK);
        (void) fcntl(pipes[i][1], F_SETFL, O_NONBLOCK);
    }

    for (i = 0; i < WORKERS; i++) {
        pids[i] = torture_fork();
    }

    end = ngx_hyperdrive_shm_now() + DURATION;
    next = ngx_hyperdrive_shm_now() + 50;
    checks = 0;
    kills = 0;

    while (ngx_hyperdrive_shm_now() < end && !shared->faults) {

        fault = verify();

        if (fault == NULL) {
            checks++;

        } else if (strcmp(fault, "busy") != 0) {
            fail(fault);
        }

        if (limit->used > MAX) {
            fail("used is more than max");
        }

        if (ngx_hyperdrive_shm_now() >= next) {
            next = ngx_hyperdrive_shm_now() + random() % 120;
            torture_kill(&pids[random() % WORKERS]);
            kills++;
        }

        (void) usleep(100);
    }

    shared->stop = 1;

    for (i = 0; i < WORKERS; i++) {
        (void) waitpid(pids[i], NULL, 0);
    }

    while (waitpid(-1, NULL, WNOHANG) > 0) { /* void */ }

    for (i = 0; i < NGX_HYPERDRIVE_SLOTS; i++) {
        ngx_hyperdrive_shm_reclaim(i);
    }

    (void) ngx_hyperdrive_shm_reclaim_places(0, wake);

    printf("# %d waits, the longest %d ms, %d looks, %d killed\n",
           (int) shared->waits, (int) shared->longest, (int) checks,
           (int) kills);

    okf(shared->faults == 0, "%d processes, killed now and then%s%s", WORKERS,
        shared->faults ? ": " : "", shared->fault);
    ok(shared->waits > 100 && checks > 10 && kills > 5, "there was much to do");
    ok(counts(0, 0, 0) && verify() == NULL, "all places are free at the end");
    ok(all_free(), "so are all tickets");
}


int
main(void)
{
    srandom(1);

    test_places();
    test_order();
    test_priority();
    test_free_place();
    test_serve();
    test_max();
    test_idle();
    test_many();
    test_death();
    test_own_exit();
    test_zone();
    test_names();
    test_slots();
    test_steps();
    test_torture();

    return done();
}
