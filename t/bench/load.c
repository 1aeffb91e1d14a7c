
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


/*
 * Asks one row by a random primary key, over and over, on many connections of
 * one thread, and prints how many answers there were and in how many seconds:
 * a load that takes less of a core than what it measures, as pgbench does not.
 *
 *     load PORT USER DATABASE simple|prepared CLIENTS SECONDS KEYS
 *
 * With 0 for SECONDS it asks for each of the keys once, in their order.
 *
 * It logs in without a password and without TLS.  An error, or an answer that
 * is not one row, ends it with status 1.
 */


#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>


#define SQL       "SELECT abalance FROM pgbench_accounts WHERE aid = "
#define NAME      "q"
#define EVENTS    256


typedef struct {
    int         fd;
    unsigned    row:1;
    size_t      len;
    uint8_t     in[4096];
} client_t;


static uint8_t   out[512];
static size_t    out_len;

static int       prepared;
static unsigned  keys;

/* the last key, if they are asked for in their order */
static int       ordered;
static unsigned  key;


static void
fail(const char *what)
{
    fprintf(stderr, "load: %s%s%s\n", what, errno ? ": " : "",
            errno ? strerror(errno) : "");
    exit(1);
}


/* The output is made of messages: a type (none at start-up), length, body. */

static size_t
begin(char type)
{
    if (type) {
        out[out_len++] = type;
    }

    out_len += 4;

    return out_len - 4;
}


static void
put(const void *data, size_t len)
{
    memcpy(out + out_len, data, len);
    out_len += len;
}


static void
put_number(uint32_t value, unsigned size)
{
    while (size--) {
        out[out_len++] = value >> size * 8;
    }
}


static void
end(size_t at)
{
    size_t  len;

    len = out_len;

    out_len = at;
    put_number(len - at, 4);
    out_len = len;
}


static void
flush(client_t *c)
{
    /* the socket blocks, and what is asked is small */

    if (send(c->fd, out, out_len, MSG_NOSIGNAL) != (ssize_t) out_len) {
        fail("send");
    }

    out_len = 0;
}


static void
ask(client_t *c)
{
    char      id[16], sql[sizeof(SQL) + 16];
    int       len;
    size_t    at;

    key = 1 + (ordered ? key : (unsigned) random()) % keys;

    if (!prepared) {
        len = snprintf(sql, sizeof(sql), "%s%u", SQL, key);

        at = begin('Q');
        put(sql, len + 1);
        end(at);

        flush(c);
        return;
    }

    len = snprintf(id, sizeof(id), "%u", key);

    at = begin('B');
    put("", 1);
    put(NAME, sizeof(NAME));
    put_number(0, 2);
    put_number(1, 2);
    put_number(len, 4);
    put(id, len);
    put_number(0, 2);
    end(at);

    at = begin('D');
    put("P", 2);
    end(at);

    at = begin('E');
    put("", 1);
    put_number(0, 4);
    end(at);

    at = begin('S');
    end(at);

    flush(c);
}


/* Whether ReadyForQuery has come: all that came before it is looked at. */

static int
answered(client_t *c)
{
    int       ready;
    size_t    size;
    ssize_t   n;
    uint8_t  *p, *last;

    n = recv(c->fd, c->in + c->len, sizeof(c->in) - c->len, 0);

    if (n <= 0) {
        fail(n ? "recv" : "the connection was closed");
    }

    c->len += n;

    ready = 0;
    p = c->in;
    last = c->in + c->len;

    while (last - p >= 5) {
        size = 1 + ((size_t) p[1] << 24 | p[2] << 16 | p[3] << 8 | p[4]);

        if (size > sizeof(c->in)) {
            fail("a message is too long");
        }

        if ((size_t) (last - p) < size) {
            break;
        }

        if (*p == 'E') {
            fprintf(stderr, "load: %.*s\n", (int) size - 5, p + 6);
            exit(1);
        }

        c->row |= *p == 'D';
        ready |= *p == 'Z';

        p += size;
    }

    c->len = last - p;
    memmove(c->in, p, c->len);

    return ready;
}


static void
login(client_t *c, unsigned port, const char *user, const char *database)
{
    int                 on;
    size_t              at;
    struct sockaddr_in  sin;

    memset(&sin, 0, sizeof(sin));
    sin.sin_family = AF_INET;
    sin.sin_port = htons(port);
    sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);

    on = 1;
    c->fd = socket(AF_INET, SOCK_STREAM, 0);

    if (c->fd < 0
        || setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on))
        || connect(c->fd, (struct sockaddr *) &sin, sizeof(sin)))
    {
        fail("connect");
    }

    at = begin(0);
    put_number(3 << 16, 4);
    put("user", 5);
    put(user, strlen(user) + 1);
    put("database", 9);
    put(database, strlen(database) + 1);
    put("", 1);
    end(at);
    flush(c);

    while (!answered(c)) { /* void */ }

    if (!prepared) {
        return;
    }

    at = begin('P');
    put(NAME, sizeof(NAME));
    put(SQL "$1", sizeof(SQL "$1"));
    put_number(0, 2);
    end(at);

    at = begin('S');
    end(at);
    flush(c);

    while (!answered(c)) { /* void */ }
}


static double
now(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return ts.tv_sec + ts.tv_nsec / 1e9;
}


int
main(int argc, char **argv)
{
    int                 i, n, epoll, clients;
    double              start, seconds, past;
    client_t           *all, *c;
    unsigned long       count;
    struct epoll_event  ev, events[EVENTS];

    if (argc != 8) {
        errno = 0;
        fail("PORT USER DATABASE simple|prepared CLIENTS SECONDS KEYS");
    }

    prepared = strcmp(argv[4], "prepared") == 0;
    clients = atoi(argv[5]);
    seconds = atof(argv[6]);
    keys = strtoul(argv[7], NULL, 10);
    ordered = (seconds == 0);

    errno = 0;
    epoll = epoll_create1(0);
    all = calloc(clients, sizeof(client_t));

    if (epoll < 0 || all == NULL || clients <= 0 || keys == 0) {
        fail("no clients, or no keys");
    }

    for (i = 0; i < clients; i++) {
        c = &all[i];

        login(c, atoi(argv[1]), argv[2], argv[3]);

        ev.events = EPOLLIN;
        ev.data.ptr = c;

        if (epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &ev)) {
            fail("epoll_ctl");
        }
    }

    start = now();
    count = 0;

    for (i = 0; i < clients; i++) {
        ask(&all[i]);
    }

    do {
        n = epoll_wait(epoll, events, EVENTS, 1000);

        for (i = 0; i < n; i++) {
            c = events[i].data.ptr;

            if (!answered(c)) {
                continue;
            }

            if (!c->row) {
                errno = 0;
                fail("an answer without a row");
            }

            c->row = 0;
            count++;

            ask(c);
        }

        past = now() - start;

    } while (ordered ? count < keys : past < seconds);

    printf("%lu answers in %.3f s\n", count, past);

    return 0;
}
