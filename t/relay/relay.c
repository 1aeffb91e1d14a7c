
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


/*
 * A TCP relay that makes a near database a far one, for tests and the demo:
 *
 *     relay -l 127.0.0.1:6000 -t 127.0.0.1:5432 -c /path/control [-r 100]
 *
 * Each direction is delayed by half of the round trip time <-r> (in
 * milliseconds), in order and with no limit on throughput but a bound on what
 * is on the way.  The kernel has shaken hands with the client before we know
 * of it, so the time a far handshake takes is added to the first bytes: they
 * reach the origin one and a half round trips after the connect, and a
 * greeting of the origin reaches the client after two.
 *
 * <-t> may be "unix:PATH".  Commands, one a line, are read from the unix
 * socket <-c>; each is answered by one line of JSON:
 *
 *     stats                   totals
 *     connections             totals and a list of all connections
 *     reset                   set the counters to zero
 *     rtt MS                  another round trip time, for what comes
 *     to HOST:PORT            another origin, for connections that come
 *     hold [up|down|both]     let nothing pass; it is kept
 *     release [up|down|both]
 *     cut [client|origin|both] end all connections by a reset; with "client"
 *                             the origin's side stays open and is read
 *     refuse                  end new connections at once by a reset
 *     accept
 *     quit
 *
 * "up" is from the client to the origin.  A trip is counted on the origin's
 * side, when the first bytes are sent up after bytes came down, or at all; a
 * wait is the same on the client's side: bytes came up after bytes were sent
 * down.  Requests that are sent before the answer to an earlier one are one
 * wait, and may be more trips.
 */


#define _GNU_SOURCE

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>


#define RELAY_CHUNK      65536
#define RELAY_ON_WAY     (8 * 1024 * 1024)
#define RELAY_EVENTS     256
#define RELAY_LINE       256

#define RELAY_UP         1
#define RELAY_DOWN       2


typedef struct relay_side_s  relay_side_t;
typedef struct relay_conn_s  relay_conn_t;


typedef enum {
    RELAY_DATA = 0,
    RELAY_FIN,                   /* the sender will send no more */
    RELAY_RESET                  /* the sender is gone */
} relay_kind_e;


typedef struct relay_chunk_s {
    struct relay_chunk_s  *next;
    uint64_t               due;
    size_t                 pos;
    size_t                 len;
    relay_kind_e           kind;
    unsigned char          data[];
} relay_chunk_t;


/* what is on the way from one side to the other */

typedef struct {
    relay_chunk_t         *first;
    relay_chunk_t        **last;
    size_t                 bytes;
    uint64_t               not_before;
    relay_side_t          *from;
    relay_side_t          *to;
    int                    up;
    size_t                 heap;  /* place in the heap plus one, 0: none */
} relay_way_t;


typedef enum {
    RELAY_SIDE = 0,
    RELAY_LISTEN,
    RELAY_TIMER,
    RELAY_CONTROL,
    RELAY_COMMAND
} relay_type_e;


/* what epoll hands back begins with its type */

struct relay_side_s {
    relay_type_e           type;
    int                    fd;
    uint32_t               events;
    unsigned               connecting:1;
    unsigned               eof:1;
    relay_conn_t          *conn;
    relay_way_t           *in;    /* read from this side */
    relay_way_t           *out;   /* to be written to it */
};


struct relay_conn_s {
    relay_conn_t          *next;
    relay_conn_t         **prev;
    relay_side_t           client;
    relay_side_t           origin;
    relay_way_t            up;
    relay_way_t            down;
    uint64_t               number;
    uint64_t               trips;
    uint64_t               waits;
    uint64_t               bytes_up;
    uint64_t               bytes_down;
    int                    origin_last;
    int                    client_last;
    int                    closed;
};


typedef struct {
    relay_type_e           type;
    int                    fd;
    size_t                 len;
    char                   line[RELAY_LINE];
} relay_point_t;


typedef struct {
    uint64_t               accepted;
    uint64_t               refused;
    uint64_t               trips;
    uint64_t               waits;
    uint64_t               bytes_up;
    uint64_t               bytes_down;
} relay_stats_t;


static void relay_loop(void);
static void relay_accept(void);
static void relay_connect(relay_conn_t *c);
static void relay_side_event(relay_side_t *s, uint32_t events);
static void relay_read(relay_side_t *s, int all);
static relay_chunk_t *relay_push(relay_way_t *w, relay_kind_e kind,
    size_t len);
static void relay_flush(relay_way_t *w);
static int relay_deliver(relay_way_t *w, relay_chunk_t *ch);
static void relay_pop(relay_way_t *w);
static void relay_gone(relay_side_t *s);
static void relay_side_close(relay_side_t *s, int reset);
static void relay_update(relay_side_t *s);
static int relay_is_held(relay_way_t *w);
static int relay_way_done(relay_way_t *w);
static void relay_conn_done(relay_conn_t *c);
static void relay_sweep(void);
static void relay_expire(void);
static void relay_schedule(relay_way_t *w);
static void relay_heap_remove(relay_way_t *w);
static void relay_heap_swap(size_t i, size_t j);
static void relay_heap_up(size_t i);
static void relay_heap_down(size_t i);
static uint64_t relay_heap_due(size_t i);
static void relay_arm(void);
static void relay_control_accept(void);
static void relay_command_read(relay_point_t *p);
static void relay_command(relay_point_t *p, char *line);
static void relay_stats_print(FILE *out, int each);
static void relay_stats_reset(void);
static int relay_directions(char *arg, int *directions);
static void relay_cut(int client, int origin);
static void relay_release(int directions);
static int relay_listen(char *where);
static int relay_listen_unix(char *path);
static void relay_resolve(char *where, struct sockaddr_storage *sa,
    socklen_t *len);
static void relay_epoll_add(int fd, uint32_t events, void *data);
static void *relay_alloc(size_t size);
static uint64_t relay_now(void);
static int relay_ms(const char *text, uint64_t *ns);
static void relay_die(const char *fmt, ...)
    __attribute__((format(printf, 1, 2), noreturn));


static int                      relay_epoll = -1;
static relay_point_t            relay_listener = { .type = RELAY_LISTEN };
static relay_point_t            relay_timer = { .type = RELAY_TIMER };
static relay_point_t            relay_control = { .type = RELAY_CONTROL };
static struct sockaddr_storage  relay_target;
static socklen_t                relay_target_len;

static uint64_t                 relay_rtt;
static int                      relay_held;
static int                      relay_refusing;
static int                      relay_quit;

static relay_conn_t            *relay_conns;
static relay_conn_t            *relay_dead;
static uint64_t                 relay_open;
static relay_stats_t            relay_stats;

/* ways that have something to deliver at a time to come, the first one on
   top; never larger than the number of ways */

static relay_way_t            **relay_heap;
static size_t                   relay_heap_n;
static size_t                   relay_heap_size;
static uint64_t                 relay_armed;


int
main(int argc, char **argv)
{
    int            opt;
    char          *control, *from, *to;
    struct rlimit  rl;

    control = NULL;
    from = NULL;
    to = NULL;

    while ((opt = getopt(argc, argv, "l:t:c:r:")) != -1) {

        switch (opt) {

        case 'l':
            from = optarg;
            break;

        case 't':
            to = optarg;
            break;

        case 'c':
            control = optarg;
            break;

        case 'r':
            if (relay_ms(optarg, &relay_rtt) != 0) {
                relay_die("\"%s\" is no round trip time", optarg);
            }

            break;

        default:
            from = NULL;
            to = NULL;
            optind = argc + 1;
        }
    }

    if (from == NULL || to == NULL || optind != argc) {
        relay_die("usage: relay -l ADDRESS:PORT -t ADDRESS:PORT|unix:PATH "
                  "[-c CONTROL] [-r MILLISECONDS]");
    }

    signal(SIGPIPE, SIG_IGN);

    if (getrlimit(RLIMIT_NOFILE, &rl) == 0) {
        rl.rlim_cur = rl.rlim_max;
        (void) setrlimit(RLIMIT_NOFILE, &rl);
    }

    relay_resolve(to, &relay_target, &relay_target_len);

    relay_epoll = epoll_create1(EPOLL_CLOEXEC);
    if (relay_epoll == -1) {
        relay_die("epoll_create1() failed: %s", strerror(errno));
    }

    relay_timer.fd = timerfd_create(CLOCK_MONOTONIC,
                                    TFD_NONBLOCK|TFD_CLOEXEC);
    if (relay_timer.fd == -1) {
        relay_die("timerfd_create() failed: %s", strerror(errno));
    }

    relay_epoll_add(relay_timer.fd, EPOLLIN, &relay_timer);

    relay_listener.fd = relay_listen(from);
    relay_epoll_add(relay_listener.fd, EPOLLIN, &relay_listener);

    /* whoever sees the control socket may rely on the other one */

    if (control) {
        relay_control.fd = relay_listen_unix(control);
        relay_epoll_add(relay_control.fd, EPOLLIN, &relay_control);
    }

    relay_loop();

    if (control) {
        (void) unlink(control);
    }

    return 0;
}


static void
relay_loop(void)
{
    int                 i, n;
    uint64_t            ticks;
    relay_point_t      *p;
    struct epoll_event  events[RELAY_EVENTS];

    while (!relay_quit) {

        n = epoll_wait(relay_epoll, events, RELAY_EVENTS, -1);

        if (n == -1) {

            if (errno == EINTR) {
                continue;
            }

            relay_die("epoll_wait() failed: %s", strerror(errno));
        }

        for (i = 0; i < n; i++) {

            p = events[i].data.ptr;

            switch (p->type) {

            case RELAY_LISTEN:
                relay_accept();
                break;

            case RELAY_TIMER:
                if (read(relay_timer.fd, &ticks, sizeof(ticks)) == -1
                    && errno != EAGAIN)
                {
                    relay_die("read() failed: %s", strerror(errno));
                }

                relay_armed = 0;
                break;

            case RELAY_CONTROL:
                relay_control_accept();
                break;

            case RELAY_COMMAND:
                relay_command_read(p);
                break;

            default: /* RELAY_SIDE */
                relay_side_event(events[i].data.ptr, events[i].events);
            }
        }

        relay_expire();
        relay_arm();

        /* no event of this round can name a dead connection any more */

        relay_sweep();
    }
}


static void
relay_accept(void)
{
    int             fd, on;
    uint64_t        now;
    relay_conn_t   *c;
    struct linger   linger;

    for ( ;; ) {

        fd = accept4(relay_listener.fd, NULL, NULL,
                     SOCK_NONBLOCK|SOCK_CLOEXEC);

        if (fd == -1) {

            if (errno == EINTR || errno == ECONNABORTED) {
                continue;
            }

            if (errno != EAGAIN) {
                fprintf(stderr, "relay: accept4() failed: %s\n",
                        strerror(errno));
            }

            return;
        }

        if (relay_refusing) {
            linger.l_onoff = 1;
            linger.l_linger = 0;
            (void) setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger,
                              sizeof(linger));
            (void) close(fd);
            relay_stats.refused++;
            continue;
        }

        on = 1;
        (void) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));

        c = relay_alloc(sizeof(relay_conn_t));
        now = relay_now();

        c->number = ++relay_stats.accepted;

        c->client.type = RELAY_SIDE;
        c->client.fd = fd;
        c->client.conn = c;
        c->client.in = &c->up;
        c->client.out = &c->down;

        c->origin.type = RELAY_SIDE;
        c->origin.fd = -1;
        c->origin.conn = c;
        c->origin.in = &c->down;
        c->origin.out = &c->up;

        c->up.up = 1;
        c->up.last = &c->up.first;
        c->up.from = &c->client;
        c->up.to = &c->origin;
        c->up.not_before = now + relay_rtt + relay_rtt / 2;

        c->down.last = &c->down.first;
        c->down.from = &c->origin;
        c->down.to = &c->client;
        c->down.not_before = now + 2 * relay_rtt;

        c->next = relay_conns;
        c->prev = &relay_conns;

        if (relay_conns) {
            relay_conns->prev = &c->next;
        }

        relay_conns = c;
        relay_open++;

        c->client.events = EPOLLIN;
        relay_epoll_add(fd, EPOLLIN, &c->client);

        relay_connect(c);
    }
}


static void
relay_connect(relay_conn_t *c)
{
    int  fd, on;

    fd = socket(relay_target.ss_family,
                SOCK_STREAM|SOCK_NONBLOCK|SOCK_CLOEXEC, 0);

    if (fd == -1) {
        fprintf(stderr, "relay: socket() failed: %s\n", strerror(errno));
        relay_gone(&c->origin);
        return;
    }

    if (relay_target.ss_family != AF_UNIX) {
        on = 1;
        (void) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    }

    c->origin.fd = fd;

    if (connect(fd, (struct sockaddr *) &relay_target, relay_target_len)
        == -1)
    {
        if (errno != EINPROGRESS) {
            relay_gone(&c->origin);
            return;
        }

        c->origin.connecting = 1;
    }

    c->origin.events = EPOLLIN | (c->origin.connecting ? EPOLLOUT : 0);
    relay_epoll_add(fd, c->origin.events, &c->origin);
}


static void
relay_side_event(relay_side_t *s, uint32_t events)
{
    int        err;
    socklen_t  len;

    if (s->fd == -1) {
        return;
    }

    if (s->connecting) {

        if ((events & (EPOLLOUT|EPOLLERR|EPOLLHUP)) == 0) {
            return;
        }

        err = 0;
        len = sizeof(err);

        if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &err, &len) == -1
            || err != 0)
        {
            relay_gone(s);
            return;
        }

        s->connecting = 0;
        relay_update(s);
    }

    if (events & EPOLLOUT) {
        relay_flush(s->out);
    }

    if (s->fd == -1 || (events & (EPOLLIN|EPOLLHUP|EPOLLERR)) == 0) {
        return;
    }

    if (!s->eof) {

        /* a hang-up is told until it is read, so it is not put off */

        relay_read(s, (events & (EPOLLHUP|EPOLLERR)) != 0);

    } else if (events & EPOLLERR) {
        relay_gone(s);

    } else if (events & EPOLLHUP) {
        relay_side_close(s, 0);
        relay_conn_done(s->conn);
    }
}


/* takes what has come from a side, and sets it on its way */

static void
relay_read(relay_side_t *s, int all)
{
    ssize_t                n;
    relay_way_t           *w;
    relay_conn_t          *c;
    relay_chunk_t         *ch;

    static unsigned char   buf[RELAY_CHUNK];

    c = s->conn;
    w = s->in;

    while (!s->eof && (all || w->bytes < RELAY_ON_WAY)) {

        n = recv(s->fd, buf, sizeof(buf), 0);

        if (n == -1) {

            if (errno == EINTR) {
                continue;
            }

            if (errno == EAGAIN) {
                break;
            }

            relay_gone(s);
            return;
        }

        if (n == 0) {
            s->eof = 1;

            if (w->to->fd != -1) {
                (void) relay_push(w, RELAY_FIN, 0);
            }

            break;
        }

        if (w->up) {
            c->bytes_up += n;
            relay_stats.bytes_up += n;

            if (c->client_last != RELAY_UP) {
                c->client_last = RELAY_UP;
                c->waits++;
                relay_stats.waits++;
            }

        } else {
            c->bytes_down += n;
            relay_stats.bytes_down += n;
            c->origin_last = RELAY_DOWN;
        }

        if (w->to->fd == -1) {
            /* the other side was cut, this one is kept quiet */
            continue;
        }

        ch = relay_push(w, RELAY_DATA, n);
        memcpy(ch->data, buf, n);

        if (n < (ssize_t) sizeof(buf) && !all) {
            break;
        }
    }

    relay_flush(w);
    relay_update(s);
    relay_conn_done(c);
}


static relay_chunk_t *
relay_push(relay_way_t *w, relay_kind_e kind, size_t len)
{
    relay_chunk_t  *ch;

    ch = relay_alloc(sizeof(relay_chunk_t) + len);

    ch->kind = kind;
    ch->len = len;
    ch->due = relay_rtt ? relay_now() + relay_rtt / 2 : 0;

    if (relay_rtt && ch->due < w->not_before) {
        ch->due = w->not_before;
    }

    *w->last = ch;
    w->last = &ch->next;
    w->bytes += len;

    return ch;
}


/* hands over all that is due; the rest is scheduled */

static void
relay_flush(relay_way_t *w)
{
    relay_chunk_t  *ch;

    while (w->first && w->to->fd != -1 && !w->to->connecting
           && !relay_is_held(w))
    {
        ch = w->first;

        if (ch->due > relay_now() || !relay_deliver(w, ch)) {
            break;
        }
    }

    relay_schedule(w);

    if (w->to->fd != -1) {
        relay_update(w->to);
    }

    if (w->from->fd != -1) {
        relay_update(w->from);
    }

    relay_conn_done(w->from->conn);
}


/* true if the chunk has left */

static int
relay_deliver(relay_way_t *w, relay_chunk_t *ch)
{
    ssize_t        n;
    relay_conn_t  *c;

    c = w->to->conn;

    switch (ch->kind) {

    case RELAY_FIN:
        (void) shutdown(w->to->fd, SHUT_WR);
        relay_pop(w);

        if (w->to->eof) {
            relay_side_close(w->to, 0);
        }

        return 1;

    case RELAY_RESET:
        relay_pop(w);
        relay_side_close(w->to, 1);
        return 1;

    default: /* RELAY_DATA */
        break;
    }

    do {
        n = send(w->to->fd, ch->data + ch->pos, ch->len - ch->pos,
                 MSG_NOSIGNAL);
    } while (n == -1 && errno == EINTR);

    if (n == -1) {

        if (errno != EAGAIN) {
            relay_gone(w->to);
        }

        return 0;
    }

    if (w->up) {

        if (c->origin_last != RELAY_UP) {
            c->origin_last = RELAY_UP;
            c->trips++;
            relay_stats.trips++;
        }

    } else {
        c->client_last = RELAY_DOWN;
    }

    ch->pos += n;
    w->bytes -= n;

    if (ch->pos < ch->len) {
        return 0;
    }

    relay_pop(w);

    return 1;
}


static void
relay_pop(relay_way_t *w)
{
    relay_chunk_t  *ch;

    ch = w->first;

    w->first = ch->next;
    w->bytes -= ch->len - ch->pos;

    if (w->first == NULL) {
        w->last = &w->first;
    }

    free(ch);
}


/* a side has failed: what it sent before still arrives, then a reset */

static void
relay_gone(relay_side_t *s)
{
    relay_side_close(s, 0);

    if (s->in->to->fd != -1) {
        (void) relay_push(s->in, RELAY_RESET, 0);
        relay_flush(s->in);
    }

    relay_conn_done(s->conn);
}


static void
relay_side_close(relay_side_t *s, int reset)
{
    struct linger  linger;

    if (s->fd != -1) {

        if (reset) {
            linger.l_onoff = 1;
            linger.l_linger = 0;
            (void) setsockopt(s->fd, SOL_SOCKET, SO_LINGER, &linger,
                              sizeof(linger));
        }

        (void) close(s->fd);
        s->fd = -1;
    }

    /* nothing can reach it any more */

    while (s->out->first) {
        relay_pop(s->out);
    }

    relay_schedule(s->out);
}


/* asks epoll for what the side's state calls for */

static void
relay_update(relay_side_t *s)
{
    uint32_t            events;
    relay_way_t        *w;
    struct epoll_event  ee;

    if (s->fd == -1) {
        return;
    }

    events = 0;

    if (!s->eof && s->in->bytes < RELAY_ON_WAY) {
        events |= EPOLLIN;
    }

    w = s->out;

    if (s->connecting || (w->first && w->heap == 0 && !relay_is_held(w))) {
        events |= EPOLLOUT;
    }

    if (events == s->events) {
        return;
    }

    s->events = events;

    ee.events = events;
    ee.data.ptr = s;

    if (epoll_ctl(relay_epoll, EPOLL_CTL_MOD, s->fd, &ee) == -1) {
        relay_die("epoll_ctl() failed: %s", strerror(errno));
    }
}


static int
relay_is_held(relay_way_t *w)
{
    return relay_held & (w->up ? RELAY_UP : RELAY_DOWN);
}


/* nothing is on the way, and nothing will be */

static int
relay_way_done(relay_way_t *w)
{
    return w->first == NULL && (w->from->fd == -1 || w->from->eof);
}


/* closes a connection that has nothing left to do */

static void
relay_conn_done(relay_conn_t *c)
{
    if (c->closed || !relay_way_done(&c->up) || !relay_way_done(&c->down)) {
        return;
    }

    c->closed = 1;

    relay_side_close(&c->client, 0);
    relay_side_close(&c->origin, 0);

    *c->prev = c->next;

    if (c->next) {
        c->next->prev = c->prev;
    }

    c->next = relay_dead;
    relay_dead = c;
    relay_open--;
}


static void
relay_sweep(void)
{
    relay_conn_t  *c;

    while (relay_dead) {
        c = relay_dead;
        relay_dead = c->next;
        free(c);
    }
}


static void
relay_expire(void)
{
    relay_way_t  *w;

    while (relay_heap_n && relay_heap_due(0) <= relay_now()) {
        w = relay_heap[0];

        relay_heap_remove(w);
        relay_flush(w);
    }
}


/* a way is in the heap while its first chunk's time is still to come */

static void
relay_schedule(relay_way_t *w)
{
    if (w->first == NULL || relay_is_held(w)
        || w->first->due <= relay_now())
    {

        if (w->heap) {
            relay_heap_remove(w);
        }

        return;
    }

    if (w->heap) {
        /* another chunk may have become the first one */
        relay_heap_down(w->heap - 1);
        return;
    }

    if (relay_heap_n == relay_heap_size) {
        relay_heap_size = relay_heap_size ? relay_heap_size * 2 : 64;

        relay_heap = realloc(relay_heap,
                             relay_heap_size * sizeof(relay_way_t *));
        if (relay_heap == NULL) {
            relay_die("realloc() failed");
        }
    }

    relay_heap[relay_heap_n] = w;
    w->heap = ++relay_heap_n;

    relay_heap_up(relay_heap_n - 1);
}


static void
relay_heap_remove(relay_way_t *w)
{
    size_t  i;

    i = w->heap - 1;
    w->heap = 0;

    relay_heap_n--;

    if (i == relay_heap_n) {
        return;
    }

    relay_heap[i] = relay_heap[relay_heap_n];
    relay_heap[i]->heap = i + 1;

    relay_heap_up(i);
    relay_heap_down(relay_heap[i]->heap - 1);
}


static void
relay_heap_swap(size_t i, size_t j)
{
    relay_way_t  *w;

    w = relay_heap[i];
    relay_heap[i] = relay_heap[j];
    relay_heap[j] = w;

    relay_heap[i]->heap = i + 1;
    relay_heap[j]->heap = j + 1;
}


static void
relay_heap_up(size_t i)
{
    while (i && relay_heap_due(i) < relay_heap_due((i - 1) / 2)) {
        relay_heap_swap(i, (i - 1) / 2);
        i = (i - 1) / 2;
    }
}


static void
relay_heap_down(size_t i)
{
    size_t  child;

    for ( ;; ) {
        child = 2 * i + 1;

        if (child >= relay_heap_n) {
            return;
        }

        if (child + 1 < relay_heap_n
            && relay_heap_due(child + 1) < relay_heap_due(child))
        {
            child++;
        }

        if (relay_heap_due(i) <= relay_heap_due(child)) {
            return;
        }

        relay_heap_swap(i, child);
        i = child;
    }
}


static uint64_t
relay_heap_due(size_t i)
{
    return relay_heap[i]->first->due;
}


static void
relay_arm(void)
{
    uint64_t           due;
    struct itimerspec  its;

    due = relay_heap_n ? relay_heap_due(0) : 0;

    if (due == relay_armed) {
        return;
    }

    relay_armed = due;

    /* all zero disarms */

    memset(&its, 0, sizeof(its));
    its.it_value.tv_sec = due / 1000000000;
    its.it_value.tv_nsec = due % 1000000000;

    if (timerfd_settime(relay_timer.fd, TFD_TIMER_ABSTIME, &its, NULL)
        == -1)
    {
        relay_die("timerfd_settime() failed: %s", strerror(errno));
    }
}


static void
relay_control_accept(void)
{
    int             fd;
    relay_point_t  *p;

    fd = accept4(relay_control.fd, NULL, NULL, SOCK_CLOEXEC);

    if (fd == -1) {
        return;
    }

    p = relay_alloc(sizeof(relay_point_t));

    p->type = RELAY_COMMAND;
    p->fd = fd;

    relay_epoll_add(fd, EPOLLIN, p);
}


static void
relay_command_read(relay_point_t *p)
{
    char     *line, *end;
    ssize_t   n;

    n = recv(p->fd, p->line + p->len, sizeof(p->line) - 1 - p->len,
             MSG_DONTWAIT);

    if (n == -1 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }

    if (n <= 0) {
        (void) close(p->fd);
        free(p);
        return;
    }

    p->len += n;
    p->line[p->len] = '\0';

    line = p->line;

    while ((end = strchr(line, '\n')) != NULL) {
        *end = '\0';
        relay_command(p, line);
        line = end + 1;
    }

    p->len -= line - p->line;
    memmove(p->line, line, p->len);

    if (p->len == sizeof(p->line) - 1) {
        /* no command is that long */
        p->len = 0;
    }
}


static void
relay_command(relay_point_t *p, char *line)
{
    int     directions, failed;
    char   *verb, *arg, *save, *text;
    FILE   *out;
    size_t  size;

    verb = strtok_r(line, " \t\r", &save);
    arg = strtok_r(NULL, " \t\r", &save);

    if (verb == NULL) {
        verb = "";
    }

    out = open_memstream(&text, &size);
    if (out == NULL) {
        relay_die("open_memstream() failed: %s", strerror(errno));
    }

    failed = 0;

    if (strcmp(verb, "stats") == 0) {
        relay_stats_print(out, 0);

    } else if (strcmp(verb, "connections") == 0) {
        relay_stats_print(out, 1);

    } else if (strcmp(verb, "reset") == 0) {
        relay_stats_reset();

    } else if (strcmp(verb, "rtt") == 0) {
        failed = arg == NULL || relay_ms(arg, &relay_rtt) != 0;

    } else if (strcmp(verb, "to") == 0) {
        failed = arg == NULL;

        if (!failed) {
            relay_resolve(arg, &relay_target, &relay_target_len);
        }

    } else if (strcmp(verb, "hold") == 0) {
        failed = relay_directions(arg, &directions) != 0;

        if (!failed) {
            relay_held |= directions;
            relay_release(0);
        }

    } else if (strcmp(verb, "release") == 0) {
        failed = relay_directions(arg, &directions) != 0;

        if (!failed) {
            relay_release(directions);
        }

    } else if (strcmp(verb, "cut") == 0) {

        if (arg == NULL || strcmp(arg, "both") == 0) {
            relay_cut(1, 1);

        } else if (strcmp(arg, "client") == 0) {
            relay_cut(1, 0);

        } else if (strcmp(arg, "origin") == 0) {
            relay_cut(0, 1);

        } else {
            failed = 1;
        }

    } else if (strcmp(verb, "refuse") == 0) {
        relay_refusing = 1;

    } else if (strcmp(verb, "accept") == 0) {
        relay_refusing = 0;

    } else if (strcmp(verb, "quit") == 0) {
        relay_quit = 1;

    } else {
        failed = 1;
    }

    (void) fflush(out);

    if (failed) {
        fprintf(out, "{\"error\":\"unknown command or argument\"}\n");

    } else if (size == 0) {
        fprintf(out, "{\"ok\":true}\n");
    }

    (void) fclose(out);

    /* who asks reads: a line at a time, far below any socket buffer */

    if (send(p->fd, text, size, MSG_NOSIGNAL) != (ssize_t) size) {
        fprintf(stderr, "relay: an answer was lost\n");
    }

    free(text);
}


static void
relay_stats_print(FILE *out, int each)
{
    relay_conn_t  *c;

    fprintf(out, "{\"accepted\":%llu,\"open\":%llu,\"refused\":%llu,"
            "\"trips\":%llu,\"waits\":%llu,"
            "\"bytes_up\":%llu,\"bytes_down\":%llu",
            (unsigned long long) relay_stats.accepted,
            (unsigned long long) relay_open,
            (unsigned long long) relay_stats.refused,
            (unsigned long long) relay_stats.trips,
            (unsigned long long) relay_stats.waits,
            (unsigned long long) relay_stats.bytes_up,
            (unsigned long long) relay_stats.bytes_down);

    if (each) {
        fprintf(out, ",\"connections\":[");

        for (c = relay_conns; c; c = c->next) {
            fprintf(out, "{\"number\":%llu,\"trips\":%llu,\"waits\":%llu,"
                    "\"bytes_up\":%llu,\"bytes_down\":%llu}%s",
                    (unsigned long long) c->number,
                    (unsigned long long) c->trips,
                    (unsigned long long) c->waits,
                    (unsigned long long) c->bytes_up,
                    (unsigned long long) c->bytes_down,
                    c->next ? "," : "");
        }

        fprintf(out, "]");
    }

    fprintf(out, "}\n");
}


static void
relay_stats_reset(void)
{
    relay_conn_t  *c;

    memset(&relay_stats, 0, sizeof(relay_stats));

    for (c = relay_conns; c; c = c->next) {
        c->trips = 0;
        c->waits = 0;
        c->bytes_up = 0;
        c->bytes_down = 0;
    }
}


static int
relay_directions(char *arg, int *directions)
{
    if (arg == NULL || strcmp(arg, "both") == 0) {
        *directions = RELAY_UP|RELAY_DOWN;
        return 0;
    }

    if (strcmp(arg, "up") == 0) {
        *directions = RELAY_UP;
        return 0;
    }

    if (strcmp(arg, "down") == 0) {
        *directions = RELAY_DOWN;
        return 0;
    }

    return -1;
}


static void
relay_cut(int client, int origin)
{
    relay_conn_t  *c, *next;

    for (c = relay_conns; c; c = next) {
        next = c->next;

        if (client) {
            relay_side_close(&c->client, 1);
        }

        if (origin) {
            relay_side_close(&c->origin, 1);
        }

        /* what is left of it reads on, for nobody */

        relay_update(&c->client);
        relay_update(&c->origin);

        relay_conn_done(c);
    }
}


/* lets go, and brings every way in line with what is held now */

static void
relay_release(int directions)
{
    relay_conn_t  *c, *next;

    relay_held &= ~directions;

    for (c = relay_conns; c; c = next) {
        next = c->next;

        relay_flush(&c->up);

        if (!c->closed) {
            relay_flush(&c->down);
        }
    }
}


static int
relay_listen(char *where)
{
    int                      fd, on;
    socklen_t                len;
    struct sockaddr_storage  sa;

    relay_resolve(where, &sa, &len);

    fd = socket(sa.ss_family, SOCK_STREAM|SOCK_NONBLOCK|SOCK_CLOEXEC, 0);
    if (fd == -1) {
        relay_die("socket() failed: %s", strerror(errno));
    }

    on = 1;
    (void) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));

    if (bind(fd, (struct sockaddr *) &sa, len) == -1
        || listen(fd, 4096) == -1)
    {
        relay_die("cannot listen on %s: %s", where, strerror(errno));
    }

    return fd;
}


static int
relay_listen_unix(char *path)
{
    int                 fd;
    struct sockaddr_un  sun;

    if (strlen(path) >= sizeof(sun.sun_path)) {
        relay_die("the path \"%s\" is too long for a socket", path);
    }

    memset(&sun, 0, sizeof(sun));
    sun.sun_family = AF_UNIX;
    strcpy(sun.sun_path, path);

    (void) unlink(path);

    fd = socket(AF_UNIX, SOCK_STREAM|SOCK_NONBLOCK|SOCK_CLOEXEC, 0);
    if (fd == -1) {
        relay_die("socket() failed: %s", strerror(errno));
    }

    if (bind(fd, (struct sockaddr *) &sun, sizeof(sun)) == -1
        || listen(fd, 16) == -1)
    {
        relay_die("cannot listen on %s: %s", path, strerror(errno));
    }

    return fd;
}


static void
relay_resolve(char *where, struct sockaddr_storage *sa, socklen_t *len)
{
    int                  rc;
    char                *port, *host;
    struct addrinfo      hints, *res;
    struct sockaddr_un  *sun;

    memset(sa, 0, sizeof(*sa));

    if (strncmp(where, "unix:", 5) == 0) {
        sun = (struct sockaddr_un *) sa;

        if (strlen(where + 5) >= sizeof(sun->sun_path)) {
            relay_die("the path in \"%s\" is too long", where);
        }

        sun->sun_family = AF_UNIX;
        strcpy(sun->sun_path, where + 5);
        *len = sizeof(struct sockaddr_un);

        return;
    }

    host = strdup(where);
    if (host == NULL) {
        relay_die("strdup() failed");
    }

    port = strrchr(host, ':');
    if (port == NULL) {
        relay_die("no port in \"%s\"", where);
    }

    *port++ = '\0';

    memset(&hints, 0, sizeof(hints));
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_NUMERICSERV;

    rc = getaddrinfo(host, port, &hints, &res);
    if (rc != 0) {
        relay_die("cannot resolve \"%s\": %s", where, gai_strerror(rc));
    }

    memcpy(sa, res->ai_addr, res->ai_addrlen);
    *len = res->ai_addrlen;

    freeaddrinfo(res);
    free(host);
}


static void
relay_epoll_add(int fd, uint32_t events, void *data)
{
    struct epoll_event  ee;

    ee.events = events;
    ee.data.ptr = data;

    if (epoll_ctl(relay_epoll, EPOLL_CTL_ADD, fd, &ee) == -1) {
        relay_die("epoll_ctl() failed: %s", strerror(errno));
    }
}


static void *
relay_alloc(size_t size)
{
    void  *p;

    p = calloc(1, size);
    if (p == NULL) {
        relay_die("calloc() failed");
    }

    return p;
}


static uint64_t
relay_now(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);

    return (uint64_t) ts.tv_sec * 1000000000 + ts.tv_nsec;
}


static int
relay_ms(const char *text, uint64_t *ns)
{
    char    *end;
    double   ms;

    errno = 0;
    ms = strtod(text, &end);

    if (errno || end == text || *end != '\0' || !(ms >= 0 && ms <= 60000)) {
        return -1;
    }

    *ns = (uint64_t) (ms * 1000000);

    return 0;
}


static void
relay_die(const char *fmt, ...)
{
    va_list  args;

    fputs("relay: ", stderr);

    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);

    fputc('\n', stderr);

    exit(1);
}
