
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "peer/ngx_hyperdrive_peer.h"
#include "shm/ngx_hyperdrive_shm.h"
#include <ngx_event.h>
#include <sys/syscall.h>
#include <sys/mman.h>


#ifndef SYS_pidfd_open
#define SYS_pidfd_open               434
#endif


/* among ourselves: this slot has been taken, watch it */
#define NGX_HYPERDRIVE_PEER_HELLO    0x100

/* messages that are read in one go, before other events have their turn */
#define NGX_HYPERDRIVE_PEER_BATCH    64

/* milliseconds after which a full queue is tried again */
#define NGX_HYPERDRIVE_PEER_RETRY    10

/* descriptors of a message: a socket and a memory file */
#define NGX_HYPERDRIVE_PEER_FDS      2

/* milliseconds between looks at processes that cannot be watched */
#define NGX_HYPERDRIVE_PEER_LOOK     1000


typedef struct {
    uint32_t                         type;
    uint32_t                         from;
    uint32_t                         epoch;     /* of the slot it is meant
                                                   for */
    uint32_t                         len;
    uint32_t                         large;     /* it is in a memory file, the
                                                   descriptor of this number;
                                                   0: it is not */
} ngx_hyperdrive_peer_header_t;


typedef struct {
    u_char                          *data;
    size_t                           mapped;    /* 0: it is not */
} ngx_hyperdrive_peer_body_t;


typedef struct {
    ngx_connection_t                *connection;   /* of the pidfd */
    ngx_pid_t                        pid;          /* 0: nobody is watched */
    uint32_t                         epoch;
    unsigned                         look:1;       /* by the timer instead */
    unsigned                         wake:1;       /* to be sent again */
    unsigned                         hello:1;
} ngx_hyperdrive_peer_watch_t;


static ngx_connection_t *ngx_hyperdrive_peer_listen(ngx_socket_t fd,
    ngx_event_handler_pt handler);
static void ngx_hyperdrive_peer_read_handler(ngx_event_t *rev);
static ngx_int_t ngx_hyperdrive_peer_read(ngx_socket_t s, ngx_log_t *log,
    ngx_hyperdrive_peer_header_t *header, ngx_hyperdrive_peer_body_t *body,
    ngx_socket_t *fd);
static void ngx_hyperdrive_peer_fds(struct msghdr *msg, ngx_socket_t *fds);
static ngx_int_t ngx_hyperdrive_peer_map(ngx_hyperdrive_peer_body_t *body,
    ngx_socket_t file, size_t len);
static void ngx_hyperdrive_peer_free(ngx_hyperdrive_peer_body_t *body);
static void ngx_hyperdrive_peer_orphan(ngx_uint_t slot,
    ngx_hyperdrive_peer_header_t *header, ngx_hyperdrive_peer_body_t *body,
    ngx_uint_t good, ngx_socket_t fd);
static ngx_int_t ngx_hyperdrive_peer_write(ngx_uint_t slot, ngx_uint_t type,
    u_char *data, size_t len, ngx_socket_t fd);
static ngx_socket_t ngx_hyperdrive_peer_file(u_char *data, size_t len);
static void ngx_hyperdrive_peer_watch(ngx_uint_t slot);
static void ngx_hyperdrive_peer_watch_handler(ngx_event_t *rev);
static void ngx_hyperdrive_peer_died(ngx_uint_t slot);
static void ngx_hyperdrive_peer_drain(ngx_uint_t slot);
static void ngx_hyperdrive_peer_look_handler(ngx_event_t *ev);
static void ngx_hyperdrive_peer_retry(void);
static void ngx_hyperdrive_peer_retry_handler(ngx_event_t *ev);


/*
 * [0] is written, [1] is read.  They outlive every configuration: the master
 * keeps them, whoever is forked has them.
 */
static ngx_socket_t  ngx_hyperdrive_peer_pairs[NGX_HYPERDRIVE_SLOTS][2];
static ngx_uint_t    ngx_hyperdrive_peer_ready;

static ngx_log_t                       *ngx_hyperdrive_peer_log;
static ngx_uint_t                       ngx_hyperdrive_peer_slot =
                                                         NGX_HYPERDRIVE_SLOTS;
static ngx_hyperdrive_peer_callbacks_t  ngx_hyperdrive_peer_callbacks;
static ngx_hyperdrive_peer_watch_t
                         ngx_hyperdrive_peer_watches[NGX_HYPERDRIVE_SLOTS];

/* for timers, whose debug log wants a connection */
static ngx_connection_t                 ngx_hyperdrive_peer_dumb;
static ngx_event_t                      ngx_hyperdrive_peer_retry_event;
static ngx_event_t                      ngx_hyperdrive_peer_look_event;

/* a message is read at a time, and handed on before the next one */
static u_char        ngx_hyperdrive_peer_body[NGX_HYPERDRIVE_PEER_MESSAGE];


ngx_int_t
ngx_hyperdrive_peer_init_module(ngx_log_t *log)
{
    ngx_uint_t  i;

    if (ngx_hyperdrive_peer_ready || ngx_test_config) {
        return NGX_OK;
    }

    for (i = 0; i < NGX_HYPERDRIVE_SLOTS; i++) {

        if (socketpair(AF_UNIX, SOCK_SEQPACKET|SOCK_NONBLOCK|SOCK_CLOEXEC, 0,
                       ngx_hyperdrive_peer_pairs[i])
            == -1)
        {
            ngx_log_error(NGX_LOG_EMERG, log, ngx_socket_errno,
                          "socketpair() for hyperdrive failed, it needs %d "
                          "descriptors; raise the limit of open files",
                          2 * NGX_HYPERDRIVE_SLOTS);

            while (i--) {
                (void) close(ngx_hyperdrive_peer_pairs[i][0]);
                (void) close(ngx_hyperdrive_peer_pairs[i][1]);
            }

            return NGX_ERROR;
        }
    }

    ngx_hyperdrive_peer_ready = 1;

    return NGX_OK;
}


ngx_int_t
ngx_hyperdrive_peer_init_process(ngx_cycle_t *cycle, ngx_uint_t slot,
    ngx_hyperdrive_peer_callbacks_t *callbacks)
{
    ngx_uint_t         i;
    ngx_event_t       *ev;
    ngx_connection_t  *c;

    ngx_hyperdrive_peer_log = cycle->log;
    ngx_hyperdrive_peer_slot = slot;
    ngx_hyperdrive_peer_callbacks = *callbacks;

    ngx_hyperdrive_peer_dumb.fd = (ngx_socket_t) -1;

    ev = &ngx_hyperdrive_peer_retry_event;
    ev->handler = ngx_hyperdrive_peer_retry_handler;
    ev->data = &ngx_hyperdrive_peer_dumb;
    ev->log = cycle->log;
    ev->cancelable = 1;

    ev = &ngx_hyperdrive_peer_look_event;
    ev->handler = ngx_hyperdrive_peer_look_handler;
    ev->data = &ngx_hyperdrive_peer_dumb;
    ev->log = cycle->log;
    ev->cancelable = 1;

    c = ngx_hyperdrive_peer_listen(ngx_hyperdrive_peer_pairs[slot][1],
                                   ngx_hyperdrive_peer_read_handler);
    if (c == NULL) {
        return NGX_ERROR;
    }

    /* nginx tells those who are idle when it leaves, and nobody else */

    c->idle = 1;

    /*
     * Of two processes that begin at the same time, the one that took its
     * slot later sees the other here, and tells it.
     */

    for (i = 0; i < NGX_HYPERDRIVE_SLOTS; i++) {

        if (i == slot) {
            continue;
        }

        /* whoever died before it was watched by anybody left it as it was */

        ngx_hyperdrive_peer_drain(i);

        ngx_hyperdrive_peer_watch(i);

        if (ngx_hyperdrive_peer_watches[i].pid
            && ngx_hyperdrive_peer_write(i, NGX_HYPERDRIVE_PEER_HELLO, NULL, 0,
                                         (ngx_socket_t) -1)
               == NGX_AGAIN)
        {
            ngx_hyperdrive_peer_watches[i].hello = 1;
            ngx_hyperdrive_peer_retry();
        }
    }

    return NGX_OK;
}


/* as nginx listens to its own channel; NULL: logged */

static ngx_connection_t *
ngx_hyperdrive_peer_listen(ngx_socket_t fd, ngx_event_handler_pt handler)
{
    ngx_event_t       *rev;
    ngx_connection_t  *c;

    c = ngx_get_connection(fd, ngx_hyperdrive_peer_log);

    if (c == NULL) {
        return NULL;
    }

    rev = c->read;

    rev->log = ngx_hyperdrive_peer_log;
    c->write->log = ngx_hyperdrive_peer_log;

    /* an exiting worker does not complain that it is open */

    rev->channel = 1;
    c->write->channel = 1;

    rev->handler = handler;

    if (ngx_add_event(rev, NGX_READ_EVENT, 0) == NGX_ERROR) {
        ngx_free_connection(c);
        return NULL;
    }

    return c;
}


static void
ngx_hyperdrive_peer_read_handler(ngx_event_t *rev)
{
    ngx_int_t                     rc;
    ngx_uint_t                    n, own;
    ngx_socket_t                  fd;
    ngx_connection_t             *c;
    ngx_hyperdrive_peer_body_t    body;
    ngx_hyperdrive_peer_header_t  header;

    c = rev->data;

    if (c->close) {
        c->close = 0;
        c->idle = 0;

        ngx_hyperdrive_peer_callbacks.quit();
        return;
    }

    for (n = 0; n < NGX_HYPERDRIVE_PEER_BATCH; n++) {

        rc = ngx_hyperdrive_peer_read(c->fd, rev->log, &header, &body, &fd);

        if (rc == NGX_AGAIN || rc == NGX_ERROR) {
            break;
        }

        own = (rc == NGX_OK
               && header.from < NGX_HYPERDRIVE_SLOTS
               && header.epoch
                  == ngx_hyperdrive_shm_slot_epoch(ngx_hyperdrive_peer_slot));

        ngx_log_debug4(NGX_LOG_DEBUG_EVENT, rev->log, 0,
                       "hyperdrive peer %uD: message %uD of %uD bytes, own:%ui",
                       header.from, header.type, header.len, own);

        if (!own) {
            ngx_hyperdrive_peer_orphan(ngx_hyperdrive_peer_slot, &header,
                                       &body, rc == NGX_OK, fd);
            continue;
        }

        switch (header.type) {

        case NGX_HYPERDRIVE_PEER_HELLO:
            ngx_hyperdrive_peer_watch(header.from);
            ngx_hyperdrive_peer_free(&body);
            continue;

        case NGX_HYPERDRIVE_PEER_WAKE:

            /* whoever grants from here on sends another one */

            ngx_hyperdrive_shm_slot_wake_clear(ngx_hyperdrive_peer_slot);
            break;
        }

        ngx_hyperdrive_peer_callbacks.handler(header.from, header.type,
                                              body.data, header.len, fd);
        ngx_hyperdrive_peer_free(&body);
    }

    /* level triggered: what is left comes as another event */
}


/*
 * NGX_OK: a message; <body> is to be freed behind it.  NGX_DECLINED: one that
 * is not right, or none of ours; <fd> may be set in both cases.
 */

static ngx_int_t
ngx_hyperdrive_peer_read(ngx_socket_t s, ngx_log_t *log,
    ngx_hyperdrive_peer_header_t *header, ngx_hyperdrive_peer_body_t *body,
    ngx_socket_t *fd)
{
    ssize_t          n;
    ngx_err_t        err;
    ngx_uint_t       good;
    ngx_socket_t     fds[NGX_HYPERDRIVE_PEER_FDS], file;
    struct iovec     iov[2];
    struct msghdr    msg;

    union {
        struct cmsghdr  cm;
        char            space[CMSG_SPACE(NGX_HYPERDRIVE_PEER_FDS
                                         * sizeof(int))];
    } control;

    *fd = (ngx_socket_t) -1;

    body->data = ngx_hyperdrive_peer_body;
    body->mapped = 0;

    ngx_memzero(header, sizeof(ngx_hyperdrive_peer_header_t));
    ngx_memzero(&msg, sizeof(struct msghdr));

    iov[0].iov_base = header;
    iov[0].iov_len = sizeof(ngx_hyperdrive_peer_header_t);
    iov[1].iov_base = ngx_hyperdrive_peer_body;
    iov[1].iov_len = NGX_HYPERDRIVE_PEER_MESSAGE;

    msg.msg_iov = iov;
    msg.msg_iovlen = 2;
    msg.msg_control = &control;
    msg.msg_controllen = sizeof(control);

    do {
        n = recvmsg(s, &msg, MSG_DONTWAIT|MSG_CMSG_CLOEXEC);
        err = ngx_socket_errno;
    } while (n == -1 && err == NGX_EINTR);

    if (n == -1) {
        if (err == NGX_EAGAIN) {
            return NGX_AGAIN;
        }

        ngx_log_error(NGX_LOG_ALERT, log, err,
                      "recvmsg() from another hyperdrive process failed");
        return NGX_ERROR;
    }

    if (n == 0) {

        /* nobody closes or shuts the other end, and no message is empty */

        return NGX_ERROR;
    }

    ngx_hyperdrive_peer_fds(&msg, fds);

    file = (ngx_socket_t) -1;

    if (header->large && header->large <= NGX_HYPERDRIVE_PEER_FDS) {
        file = fds[header->large - 1];
        fds[header->large - 1] = (ngx_socket_t) -1;
    }

    *fd = fds[0];

    good = !(msg.msg_flags & (MSG_TRUNC|MSG_CTRUNC))
           && (size_t) n >= sizeof(ngx_hyperdrive_peer_header_t);

    if (good && file != (ngx_socket_t) -1) {
        good = (ngx_hyperdrive_peer_map(body, file, header->len) == NGX_OK);

    } else if (good) {
        good = ((size_t) n - sizeof(ngx_hyperdrive_peer_header_t)
                == header->len);
    }

    if (file != (ngx_socket_t) -1) {
        (void) close(file);
    }

    if (!good) {
        ngx_log_error(NGX_LOG_ALERT, log, 0,
                      "another hyperdrive process sent a broken message of "
                      "%z bytes", n);
        return NGX_DECLINED;
    }

    return NGX_OK;
}


/* the descriptors of a message; those that it has not are -1 */

static void
ngx_hyperdrive_peer_fds(struct msghdr *msg, ngx_socket_t *fds)
{
    size_t           i, n, nfds;
    ngx_socket_t     got;
    struct cmsghdr  *cmsg;

    for (n = 0; n < NGX_HYPERDRIVE_PEER_FDS; n++) {
        fds[n] = (ngx_socket_t) -1;
    }

    n = 0;

    for (cmsg = CMSG_FIRSTHDR(msg); cmsg; cmsg = CMSG_NXTHDR(msg, cmsg)) {

        if (cmsg->cmsg_level != SOL_SOCKET || cmsg->cmsg_type != SCM_RIGHTS) {
            continue;
        }

        /* alignment may leave room for one more than was asked for */

        nfds = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);

        for (i = 0; i < nfds; i++) {
            ngx_memcpy(&got, CMSG_DATA(cmsg) + i * sizeof(int), sizeof(int));

            if (n < NGX_HYPERDRIVE_PEER_FDS) {
                fds[n++] = got;

            } else {
                (void) close(got);
            }
        }
    }
}


/* a body in a memory file, as it was when it was sent */

static ngx_int_t
ngx_hyperdrive_peer_map(ngx_hyperdrive_peer_body_t *body, ngx_socket_t file,
    size_t len)
{
    void         *p;
    struct stat   st;

    if (len == 0 || len > NGX_HYPERDRIVE_PEER_LARGE
        || fstat(file, &st) == -1 || st.st_size != (off_t) len)
    {
        return NGX_ERROR;
    }

    p = mmap(NULL, len, PROT_READ|PROT_WRITE, MAP_PRIVATE, file, 0);

    if (p == MAP_FAILED) {
        return NGX_ERROR;
    }

    body->data = p;
    body->mapped = len;

    return NGX_OK;
}


static void
ngx_hyperdrive_peer_free(ngx_hyperdrive_peer_body_t *body)
{
    if (body->mapped) {
        (void) munmap(body->data, body->mapped);
    }
}


/* was sent to a process of <slot> that is gone */

static void
ngx_hyperdrive_peer_orphan(ngx_uint_t slot,
    ngx_hyperdrive_peer_header_t *header, ngx_hyperdrive_peer_body_t *body,
    ngx_uint_t good, ngx_socket_t fd)
{
    if (fd != (ngx_socket_t) -1) {

        if (good) {
            ngx_hyperdrive_peer_callbacks.orphan(slot, header->type,
                                                 body->data, header->len, fd);

        } else {
            (void) close(fd);
        }
    }

    ngx_hyperdrive_peer_free(body);
}


ngx_int_t
ngx_hyperdrive_peer_send(ngx_uint_t slot, ngx_uint_t type, u_char *data,
    size_t len, ngx_socket_t fd)
{
    ngx_int_t   rc;
    ngx_pid_t   pid;
    ngx_uint_t  wake;

    if (slot == ngx_hyperdrive_peer_slot
        || slot >= NGX_HYPERDRIVE_SLOTS
        || ngx_hyperdrive_shm_slot_pid(slot, &pid) != NGX_OK)
    {
        return NGX_DECLINED;
    }

    wake = (type == NGX_HYPERDRIVE_PEER_WAKE
            && len == 0
            && fd == (ngx_socket_t) -1);

    if (wake && ngx_hyperdrive_shm_slot_wake_set(slot)) {

        /* by us or by another, who sends it if need be again */

        return NGX_OK;
    }

    rc = ngx_hyperdrive_peer_write(slot, type, data, len, fd);

    if (!wake) {
        return rc;
    }

    if (rc == NGX_AGAIN) {
        ngx_hyperdrive_peer_watches[slot].wake = 1;
        ngx_hyperdrive_peer_retry();
    }

    if (rc == NGX_ERROR) {
        ngx_hyperdrive_shm_slot_wake_clear(slot);
    }

    return rc;
}


static ngx_int_t
ngx_hyperdrive_peer_write(ngx_uint_t slot, ngx_uint_t type, u_char *data,
    size_t len, ngx_socket_t fd)
{
    ssize_t                        n;
    ngx_err_t                      err;
    ngx_socket_t                   fds[NGX_HYPERDRIVE_PEER_FDS], file;
    struct iovec                   iov[2];
    struct msghdr                  msg;
    ngx_hyperdrive_peer_header_t   header;

    union {
        struct cmsghdr  cm;
        char            space[CMSG_SPACE(NGX_HYPERDRIVE_PEER_FDS
                                         * sizeof(int))];
    } control;

    if (!ngx_hyperdrive_peer_ready) {
        return NGX_ERROR;
    }

    n = 0;
    file = (ngx_socket_t) -1;

    if (fd != (ngx_socket_t) -1) {
        fds[n++] = fd;
    }

    header.large = 0;

    if (len > NGX_HYPERDRIVE_PEER_MESSAGE) {
        file = ngx_hyperdrive_peer_file(data, len);

        if (file == (ngx_socket_t) -1) {
            return NGX_DECLINED;
        }

        fds[n++] = file;
        header.large = n;
    }

    header.type = type;
    header.from = ngx_hyperdrive_peer_slot;
    header.epoch = ngx_hyperdrive_shm_slot_epoch(slot);
    header.len = len;

    ngx_memzero(&msg, sizeof(struct msghdr));

    iov[0].iov_base = &header;
    iov[0].iov_len = sizeof(ngx_hyperdrive_peer_header_t);
    iov[1].iov_base = data;
    iov[1].iov_len = len;

    msg.msg_iov = iov;
    msg.msg_iovlen = (len && !header.large) ? 2 : 1;

    if (n) {
        ngx_memzero(&control, sizeof(control));

        msg.msg_control = &control;
        msg.msg_controllen = CMSG_SPACE(n * sizeof(int));

        control.cm.cmsg_len = CMSG_LEN(n * sizeof(int));
        control.cm.cmsg_level = SOL_SOCKET;
        control.cm.cmsg_type = SCM_RIGHTS;

        ngx_memcpy(CMSG_DATA(&control.cm), fds, n * sizeof(int));
    }

    do {
        n = sendmsg(ngx_hyperdrive_peer_pairs[slot][0], &msg,
                    MSG_DONTWAIT|MSG_NOSIGNAL);
        err = ngx_socket_errno;
    } while (n == -1 && err == NGX_EINTR);

    if (file != (ngx_socket_t) -1) {
        (void) close(file);
    }

    if (n != -1) {
        return NGX_OK;
    }

    /* too many descriptors on their way count as a full queue too */

    if (err == NGX_EAGAIN || err == ENOBUFS || err == NGX_ENOMEM
        || err == ETOOMANYREFS)
    {
        ngx_log_debug1(NGX_LOG_DEBUG_EVENT, ngx_hyperdrive_peer_log, err,
                       "hyperdrive peer %ui: queue is full", slot);
        return NGX_AGAIN;
    }

    ngx_log_error(NGX_LOG_ALERT, ngx_hyperdrive_peer_log, err,
                  "sendmsg() to the hyperdrive process in slot %ui failed",
                  slot);

    return NGX_ERROR;
}


/* a memory file with the body; -1: it is too long, or there is none */

static ngx_socket_t
ngx_hyperdrive_peer_file(u_char *data, size_t len)
{
    ssize_t       n;
    ngx_socket_t  file;

    if (len > NGX_HYPERDRIVE_PEER_LARGE) {
        return (ngx_socket_t) -1;
    }

    file = memfd_create("hyperdrive", MFD_CLOEXEC);

    if (file == (ngx_socket_t) -1) {
        ngx_log_error(NGX_LOG_ERR, ngx_hyperdrive_peer_log, ngx_errno,
                      "memfd_create() for another hyperdrive process failed");
        return file;
    }

    while (len) {
        n = write(file, data, len);

        if (n <= 0) {

            if (n == -1 && ngx_errno == NGX_EINTR) {
                continue;
            }

            ngx_log_error(NGX_LOG_ERR, ngx_hyperdrive_peer_log, ngx_errno,
                          "write() for another hyperdrive process failed");
            (void) close(file);

            return (ngx_socket_t) -1;
        }

        data += n;
        len -= n;
    }

    return file;
}


static void
ngx_hyperdrive_peer_watch(ngx_uint_t slot)
{
    int                           fd;
    ngx_pid_t                     pid;
    ngx_err_t                     err;
    ngx_hyperdrive_peer_watch_t  *watch;

    watch = &ngx_hyperdrive_peer_watches[slot];

    if (slot == ngx_hyperdrive_peer_slot
        || ngx_hyperdrive_shm_slot_pid(slot, &pid) != NGX_OK)
    {
        return;
    }

    if (watch->pid) {

        if (watch->epoch != ngx_hyperdrive_shm_slot_epoch(slot)) {

            /*
             * News of its death are on their way, and the slot is taken
             * again; the new process is watched from there.
             */

            ngx_hyperdrive_peer_died(slot);
        }

        return;
    }

    watch->pid = pid;
    watch->epoch = ngx_hyperdrive_shm_slot_epoch(slot);

    fd = syscall(SYS_pidfd_open, pid, 0);
    err = ngx_errno;

    if (fd == -1 && err == NGX_ESRCH) {
        ngx_hyperdrive_peer_died(slot);
        return;
    }

    /* a number that went to another process meanwhile is not watched */

    if (fd != -1 && !ngx_hyperdrive_shm_slot_alive(slot)) {
        (void) close(fd);
        ngx_hyperdrive_peer_died(slot);
        return;
    }

    if (fd != -1) {
        watch->connection = ngx_hyperdrive_peer_listen(fd,
                                            ngx_hyperdrive_peer_watch_handler);

        if (watch->connection) {
            watch->connection->data = watch;

            ngx_log_debug2(NGX_LOG_DEBUG_EVENT, ngx_hyperdrive_peer_log, 0,
                           "hyperdrive peer %ui: watching process %P",
                           slot, pid);
            return;
        }

        (void) close(fd);
    }

    /* an old kernel, a sandbox, or no connection is free */

    ngx_log_error(NGX_LOG_INFO, ngx_hyperdrive_peer_log, err,
                  "hyperdrive process %P cannot be watched, looking at it "
                  "each second", pid);

    watch->look = 1;

    if (!ngx_hyperdrive_peer_look_event.timer_set) {
        ngx_add_timer(&ngx_hyperdrive_peer_look_event,
                      NGX_HYPERDRIVE_PEER_LOOK);
    }
}


static void
ngx_hyperdrive_peer_watch_handler(ngx_event_t *rev)
{
    ngx_connection_t             *c;
    ngx_hyperdrive_peer_watch_t  *watch;

    c = rev->data;
    watch = c->data;

    ngx_hyperdrive_peer_died(watch - ngx_hyperdrive_peer_watches);
}


static void
ngx_hyperdrive_peer_died(ngx_uint_t slot)
{
    ngx_pid_t                     pid;
    ngx_hyperdrive_peer_watch_t  *watch;

    watch = &ngx_hyperdrive_peer_watches[slot];

    ngx_log_debug2(NGX_LOG_DEBUG_EVENT, ngx_hyperdrive_peer_log, 0,
                   "hyperdrive peer %ui: process %P is gone",
                   slot, watch->pid);

    if (watch->connection) {

        /* the descriptor is nobody else's: closing it ends its events */

        ngx_close_connection(watch->connection);
    }

    ngx_memzero(watch, sizeof(ngx_hyperdrive_peer_watch_t));

    ngx_hyperdrive_peer_callbacks.dead(slot);

    ngx_hyperdrive_peer_drain(slot);

    /* grants that it made, and did not live to tell */

    ngx_hyperdrive_shm_slot_wake_clear(ngx_hyperdrive_peer_slot);

    ngx_hyperdrive_peer_callbacks.handler(slot, NGX_HYPERDRIVE_PEER_WAKE, NULL,
                                          0, (ngx_socket_t) -1);

    /* the next one may be there, with its greeting behind us */

    if (ngx_hyperdrive_shm_slot_pid(slot, &pid) == NGX_OK
        && ngx_hyperdrive_shm_slot_alive(slot))
    {
        ngx_hyperdrive_peer_watch(slot);
    }
}


/*
 * Sockets on their way to the dead stay open as long as the messages lie
 * there; a slot may stay free for long.
 */

static void
ngx_hyperdrive_peer_drain(ngx_uint_t slot)
{
    ngx_int_t                     rc;
    ngx_socket_t                  fd;
    ngx_hyperdrive_peer_body_t    body;
    ngx_hyperdrive_peer_header_t  header;

    if (ngx_hyperdrive_shm_slot_epoch(slot) == 0
        || ngx_hyperdrive_shm_slot_hold(slot) != NGX_OK)
    {
        /* it has an owner, who looks at what is not its own; or a holder */

        return;
    }

    for ( ;; ) {

        rc = ngx_hyperdrive_peer_read(ngx_hyperdrive_peer_pairs[slot][1],
                                      ngx_hyperdrive_peer_log, &header, &body,
                                      &fd);

        if (rc == NGX_AGAIN || rc == NGX_ERROR) {
            break;
        }

        ngx_hyperdrive_peer_orphan(slot, &header, &body, rc == NGX_OK, fd);
    }

    ngx_hyperdrive_shm_slot_release(slot);
}


static void
ngx_hyperdrive_peer_look_handler(ngx_event_t *ev)
{
    ngx_pid_t                     pid;
    ngx_uint_t                    i, look;
    ngx_hyperdrive_peer_watch_t  *watch;

    look = 0;

    for (i = 0; i < NGX_HYPERDRIVE_SLOTS; i++) {
        watch = &ngx_hyperdrive_peer_watches[i];

        if (!watch->look) {
            continue;
        }

        if (ngx_hyperdrive_shm_slot_pid(i, &pid) != NGX_OK
            || pid != watch->pid
            || !ngx_hyperdrive_shm_slot_alive(i))
        {
            ngx_hyperdrive_peer_died(i);
        }

        look |= watch->look;
    }

    if (look && !ev->timer_set) {
        ngx_add_timer(ev, NGX_HYPERDRIVE_PEER_LOOK);
    }
}


static void
ngx_hyperdrive_peer_retry(void)
{
    if (!ngx_hyperdrive_peer_retry_event.timer_set) {
        ngx_add_timer(&ngx_hyperdrive_peer_retry_event,
                      NGX_HYPERDRIVE_PEER_RETRY);
    }
}


static void
ngx_hyperdrive_peer_retry_handler(ngx_event_t *ev)
{
    ngx_pid_t                     pid;
    ngx_uint_t                    i;
    ngx_hyperdrive_peer_watch_t  *watch;

    for (i = 0; i < NGX_HYPERDRIVE_SLOTS; i++) {
        watch = &ngx_hyperdrive_peer_watches[i];

        if (!watch->wake && !watch->hello) {
            continue;
        }

        if (ngx_hyperdrive_shm_slot_pid(i, &pid) != NGX_OK) {
            watch->wake = 0;
            watch->hello = 0;
            continue;
        }

        if (watch->hello
            && ngx_hyperdrive_peer_write(i, NGX_HYPERDRIVE_PEER_HELLO, NULL, 0,
                                         (ngx_socket_t) -1)
               != NGX_AGAIN)
        {
            watch->hello = 0;
        }

        if (watch->wake) {
            watch->wake = 0;

            /* the flag is ours, unless the slot has changed hands since */

            ngx_hyperdrive_shm_slot_wake_clear(i);

            (void) ngx_hyperdrive_peer_send(i, NGX_HYPERDRIVE_PEER_WAKE, NULL,
                                            0, (ngx_socket_t) -1);
        }

        if (watch->hello) {
            ngx_hyperdrive_peer_retry();
        }
    }
}
