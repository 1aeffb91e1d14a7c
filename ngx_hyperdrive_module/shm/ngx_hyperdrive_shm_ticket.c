
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "shm/ngx_hyperdrive_shm_layout.h"


/* lists of 2^n tickets, while they are sorted */
#define NGX_HYPERDRIVE_SHM_TICKET_BINS   16


static uint32_t ngx_hyperdrive_shm_ticket_sort(uint32_t list);
static uint32_t ngx_hyperdrive_shm_ticket_merge(uint32_t a, uint32_t b);
static void ngx_hyperdrive_shm_ticket_lock(void);
static void ngx_hyperdrive_shm_ticket_unlock(void);


ngx_int_t
ngx_hyperdrive_shm_ticket_init(ngx_hyperdrive_shm_t *sh)
{
    sh->tickets_free = NGX_HYPERDRIVE_SHM_NONE;

    return ngx_hyperdrive_shm_mutex_init(&sh->tickets_mutex);
}


uint32_t
ngx_hyperdrive_shm_ticket_alloc(ngx_hyperdrive_shm_limit_t *limit)
{
    uint32_t                      n;
    ngx_hyperdrive_shm_t         *sh;
    ngx_hyperdrive_shm_ticket_t  *ticket;

    sh = ngx_hyperdrive_shm;

    ngx_hyperdrive_shm_ticket_lock();

    n = sh->tickets_free;

    if (n != NGX_HYPERDRIVE_SHM_NONE) {
        sh->tickets_free = sh->tickets[n].next;

    } else if (sh->ntickets < NGX_HYPERDRIVE_SHM_TICKETS) {
        n = sh->ntickets;

    } else {
        ngx_hyperdrive_shm_ticket_unlock();
        return n;
    }

    ticket = &sh->tickets[n];

    ticket->limit = limit->index;
    ticket->slot = ngx_hyperdrive_shm_slot;
    ticket->handle = ((ticket->handle + NGX_HYPERDRIVE_SHM_TICKETS)
                      & ~NGX_HYPERDRIVE_SHM_TICKET_NUMBER) | n;

    if (ticket->handle <= NGX_HYPERDRIVE_SHM_TICKET_NUMBER) {
        ticket->handle += NGX_HYPERDRIVE_SHM_TICKETS;
    }

    ngx_memory_barrier();

    ticket->state = NGX_HYPERDRIVE_SHM_TICKET_NEW;

    ngx_memory_barrier();

    if (n == sh->ntickets) {
        sh->ntickets = n + 1;
    }

    ngx_hyperdrive_shm_ticket_unlock();

    return n;
}


void
ngx_hyperdrive_shm_ticket_free(uint32_t n)
{
    ngx_hyperdrive_shm_t         *sh;
    ngx_hyperdrive_shm_ticket_t  *ticket;

    sh = ngx_hyperdrive_shm;
    ticket = &sh->tickets[n];

    ngx_hyperdrive_shm_ticket_lock();

    ticket->state = NGX_HYPERDRIVE_SHM_TICKET_FREE;

    ngx_memory_barrier();

    ticket->next = sh->tickets_free;
    sh->tickets_free = n;

    ngx_hyperdrive_shm_ticket_unlock();
}


ngx_hyperdrive_shm_ticket_t *
ngx_hyperdrive_shm_ticket_own(ngx_hyperdrive_shm_limit_t *limit,
    uint32_t handle)
{
    ngx_hyperdrive_shm_ticket_t  *ticket;

    ticket = &ngx_hyperdrive_shm->tickets[handle
                                          & NGX_HYPERDRIVE_SHM_TICKET_NUMBER];

    if (ticket->handle != handle
        || ticket->limit != limit->index
        || ticket->slot != ngx_hyperdrive_shm_slot
        || (ticket->state != NGX_HYPERDRIVE_SHM_TICKET_WAITING
            && ticket->state != NGX_HYPERDRIVE_SHM_TICKET_GRANTED))
    {
        return NULL;
    }

    return ticket;
}


void
ngx_hyperdrive_shm_ticket_enqueue(uint32_t *head, uint32_t *tail, uint32_t n)
{
    ngx_hyperdrive_shm_ticket_t  *tickets;

    tickets = ngx_hyperdrive_shm->tickets;

    tickets[n].next = NGX_HYPERDRIVE_SHM_NONE;
    tickets[n].prev = *tail;

    if (*tail == NGX_HYPERDRIVE_SHM_NONE) {
        *head = n;

    } else {
        tickets[*tail].next = n;
    }

    *tail = n;
}


/* no further than priorities reach */

void
ngx_hyperdrive_shm_ticket_insert(uint32_t *head, uint32_t *tail, uint32_t n)
{
    uint32_t                      prev, next;
    ngx_hyperdrive_shm_ticket_t  *tickets;

    tickets = ngx_hyperdrive_shm->tickets;

    next = NGX_HYPERDRIVE_SHM_NONE;
    prev = *tail;

    while (prev != NGX_HYPERDRIVE_SHM_NONE
           && tickets[prev].arrival > tickets[n].arrival)
    {
        next = prev;
        prev = tickets[prev].prev;
    }

    tickets[n].next = next;
    tickets[n].prev = prev;

    if (prev == NGX_HYPERDRIVE_SHM_NONE) {
        *head = n;

    } else {
        tickets[prev].next = n;
    }

    if (next == NGX_HYPERDRIVE_SHM_NONE) {
        *tail = n;

    } else {
        tickets[next].prev = n;
    }
}


void
ngx_hyperdrive_shm_ticket_dequeue(uint32_t *head, uint32_t *tail, uint32_t n)
{
    uint32_t                      next, prev;
    ngx_hyperdrive_shm_ticket_t  *tickets;

    tickets = ngx_hyperdrive_shm->tickets;
    next = tickets[n].next;
    prev = tickets[n].prev;

    if (prev == NGX_HYPERDRIVE_SHM_NONE) {
        *head = next;

    } else {
        tickets[prev].next = next;
    }

    if (next == NGX_HYPERDRIVE_SHM_NONE) {
        *tail = prev;

    } else {
        tickets[next].prev = prev;
    }
}


uint32_t
ngx_hyperdrive_shm_ticket_list(ngx_hyperdrive_shm_limit_t *limit)
{
    uint32_t                      n, list;
    ngx_uint_t                    state;
    ngx_hyperdrive_shm_t         *sh;
    ngx_hyperdrive_shm_ticket_t  *ticket;

    sh = ngx_hyperdrive_shm;
    list = NGX_HYPERDRIVE_SHM_NONE;

    for (n = 0; n < sh->ntickets; n++) {
        ticket = &sh->tickets[n];

        /*
         * Others are at work on tickets of other limits.  A ticket's limit
         * is set before its state, so it is read after it.
         */

        state = ticket->state;

        ngx_memory_barrier();

        if (state == NGX_HYPERDRIVE_SHM_TICKET_FREE
            || ticket->limit != limit->index)
        {
            continue;
        }

        if (state == NGX_HYPERDRIVE_SHM_TICKET_NEW) {
            ngx_hyperdrive_shm_ticket_free(n);
            continue;
        }

        ticket->next = list;
        list = n;
    }

    return ngx_hyperdrive_shm_ticket_sort(list);
}


/* by arrival */

static uint32_t
ngx_hyperdrive_shm_ticket_sort(uint32_t list)
{
    uint32_t                      n, bins[NGX_HYPERDRIVE_SHM_TICKET_BINS];
    ngx_uint_t                    i;
    ngx_hyperdrive_shm_ticket_t  *ticket;

    for (i = 0; i < NGX_HYPERDRIVE_SHM_TICKET_BINS; i++) {
        bins[i] = NGX_HYPERDRIVE_SHM_NONE;
    }

    while (list != NGX_HYPERDRIVE_SHM_NONE) {

        n = list;
        ticket = &ngx_hyperdrive_shm->tickets[n];
        list = ticket->next;
        ticket->next = NGX_HYPERDRIVE_SHM_NONE;

        /* bin i holds 2^i tickets or none; the last one any number */

        for (i = 0; i < NGX_HYPERDRIVE_SHM_TICKET_BINS - 1; i++) {

            if (bins[i] == NGX_HYPERDRIVE_SHM_NONE) {
                break;
            }

            n = ngx_hyperdrive_shm_ticket_merge(bins[i], n);
            bins[i] = NGX_HYPERDRIVE_SHM_NONE;
        }

        bins[i] = ngx_hyperdrive_shm_ticket_merge(bins[i], n);
    }

    for (i = 0; i < NGX_HYPERDRIVE_SHM_TICKET_BINS; i++) {
        list = ngx_hyperdrive_shm_ticket_merge(bins[i], list);
    }

    return list;
}


static uint32_t
ngx_hyperdrive_shm_ticket_merge(uint32_t a, uint32_t b)
{
    uint32_t                     *link, head;
    ngx_hyperdrive_shm_ticket_t  *tickets;

    tickets = ngx_hyperdrive_shm->tickets;
    link = &head;

    while (a != NGX_HYPERDRIVE_SHM_NONE && b != NGX_HYPERDRIVE_SHM_NONE) {

        if (tickets[a].arrival <= tickets[b].arrival) {
            *link = a;
            link = &tickets[a].next;
            a = *link;

        } else {
            *link = b;
            link = &tickets[b].next;
            b = *link;
        }
    }

    *link = (a == NGX_HYPERDRIVE_SHM_NONE) ? b : a;

    return head;
}


static void
ngx_hyperdrive_shm_ticket_lock(void)
{
    uint32_t               n;
    ngx_hyperdrive_shm_t  *sh;

    sh = ngx_hyperdrive_shm;

    if (ngx_hyperdrive_shm_mutex_lock(&sh->tickets_mutex) == NGX_OK) {
        return;
    }

    sh->tickets_free = NGX_HYPERDRIVE_SHM_NONE;

    for (n = 0; n < sh->ntickets; n++) {

        if (sh->tickets[n].state == NGX_HYPERDRIVE_SHM_TICKET_FREE) {
            sh->tickets[n].next = sh->tickets_free;
            sh->tickets_free = n;
        }
    }

    ngx_hyperdrive_shm_mutex_consistent(&sh->tickets_mutex);
}


static void
ngx_hyperdrive_shm_ticket_unlock(void)
{
    ngx_hyperdrive_shm_mutex_unlock(&ngx_hyperdrive_shm->tickets_mutex);
}
