
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "net/ngx_hyperdrive_net.h"


#define NGX_HYPERDRIVE_NET_SCRATCH       65536


/* input of whichever handler runs; see ngx_hyperdrive_net_t */
static u_char  ngx_hyperdrive_net_scratch[NGX_HYPERDRIVE_NET_SCRATCH];


static ngx_int_t ngx_hyperdrive_net_grow(ngx_hyperdrive_net_t *net,
    size_t max);


ngx_int_t
ngx_hyperdrive_net_recv(ngx_hyperdrive_net_t *net, size_t max)
{
    u_char            *p;
    size_t             size;
    ssize_t            n;
    ngx_int_t          rc;
    ngx_connection_t  *c;

    c = net->connection;

    if (net->pos == net->last) {

        if (net->in) {
            ngx_hyperdrive_base_block_free(net->in);
            net->in = NULL;
        }

        p = ngx_hyperdrive_net_scratch;
        size = NGX_HYPERDRIVE_NET_SCRATCH;

        net->pos = p;
        net->last = p;

    } else {
        rc = ngx_hyperdrive_net_grow(net, max);

        if (rc != NGX_OK) {
            return rc;
        }

        p = net->in->last;
        size = net->in->end - p;
    }

    if (net->ahead) {
        n = net->last - net->pos;

        if ((size_t) n >= net->ahead) {
            return NGX_BUSY;
        }

        size = ngx_min(size, net->ahead - n);
    }

    n = c->recv(c, p, size);

    if (n == NGX_AGAIN) {
        return NGX_AGAIN;
    }

    if (n == NGX_ERROR) {
        return NGX_ERROR;
    }

    if (n == 0) {
        return NGX_DONE;
    }

    net->last = p + n;
    net->received += n;

    if (net->in) {
        net->in->last = net->last;
    }

    return NGX_OK;
}


/* room behind the input that is left, in a buffer of our own */

static ngx_int_t
ngx_hyperdrive_net_grow(ngx_hyperdrive_net_t *net, size_t max)
{
    size_t                   len;
    ngx_hyperdrive_block_t  *block;

    len = net->last - net->pos;

    if (len >= max) {
        return NGX_BUSY;
    }

    if (net->in == NULL) {
        return ngx_hyperdrive_net_keep(net);
    }

    if (net->in->end - net->last >= NGX_HYPERDRIVE_BLOCK / 4) {
        return NGX_OK;
    }

    if (net->pos - net->in->start >= NGX_HYPERDRIVE_BLOCK / 4
        && len < (size_t) (net->in->end - net->in->start) / 2)
    {
        ngx_memmove(net->in->start, net->pos, len);

        net->pos = net->in->start;
        net->last = net->pos + len;
        net->in->last = net->last;

        return NGX_OK;
    }

    block = ngx_hyperdrive_base_block_alloc(ngx_max(2 * len,
                                                    2 * NGX_HYPERDRIVE_BLOCK));
    if (block == NULL) {
        return NGX_ERROR;
    }

    block->last = ngx_cpymem(block->start, net->pos, len);

    ngx_hyperdrive_base_block_free(net->in);

    net->in = block;
    net->pos = block->start;
    net->last = block->last;

    return NGX_OK;
}


ngx_int_t
ngx_hyperdrive_net_keep(ngx_hyperdrive_net_t *net)
{
    size_t                   len;
    ngx_hyperdrive_block_t  *block;

    len = net->last - net->pos;

    if (len == 0) {

        if (net->in) {
            ngx_hyperdrive_base_block_free(net->in);
            net->in = NULL;
        }

        net->pos = NULL;
        net->last = NULL;

        return NGX_OK;
    }

    if (net->in) {
        return NGX_OK;
    }

    block = ngx_hyperdrive_base_block_alloc(len + NGX_HYPERDRIVE_BLOCK / 2);
    if (block == NULL) {
        return NGX_ERROR;
    }

    block->last = ngx_cpymem(block->start, net->pos, len);

    net->in = block;
    net->pos = block->start;
    net->last = block->last;

    return NGX_OK;
}


ngx_int_t
ngx_hyperdrive_net_unread(ngx_hyperdrive_net_t *net, u_char *data, size_t len)
{
    size_t                   left;
    ngx_hyperdrive_block_t  *block;

    left = net->last - net->pos;

    block = ngx_hyperdrive_base_block_alloc(len + left
                                            + NGX_HYPERDRIVE_BLOCK / 2);
    if (block == NULL) {
        return NGX_ERROR;
    }

    block->last = ngx_cpymem(block->start, data, len);

    if (left) {
        block->last = ngx_cpymem(block->last, net->pos, left);
    }

    if (net->in) {
        ngx_hyperdrive_base_block_free(net->in);
    }

    net->in = block;
    net->pos = block->start;
    net->last = block->last;

    return NGX_OK;
}


ngx_int_t
ngx_hyperdrive_net_flush(ngx_hyperdrive_net_t *net)
{
    ssize_t                  n;
    ngx_connection_t        *c;
    ngx_hyperdrive_block_t  *block;

    c = net->connection;

    if (net->out.failed) {
        ngx_log_error(NGX_LOG_ERR, c->log, 0,
                      "hyperdrive: no memory for output");
        return NGX_ERROR;
    }

    while (net->out.size) {

        if (!c->write->ready) {
            return NGX_AGAIN;
        }

        block = net->out.head;

        if (block->pos == block->last) {
            /* room that was taken back */
            net->out.head = block->next;
            ngx_hyperdrive_base_block_free(block);
            continue;
        }

        n = c->send(c, block->pos, block->last - block->pos);

        if (n == NGX_AGAIN) {
            return NGX_AGAIN;
        }

        if (n == NGX_ERROR || n == 0) {
            return NGX_ERROR;
        }

        net->sent += n;

        ngx_hyperdrive_base_chain_consume(&net->out, n);
    }

    return NGX_OK;
}


ngx_int_t
ngx_hyperdrive_net_post_write(ngx_hyperdrive_net_t *net)
{
    ngx_event_t  *wev;

    wev = net->connection->write;

    if (wev->ready) {
        ngx_post_event(wev, &ngx_posted_events);
        return NGX_OK;
    }

    return ngx_handle_write_event(wev, 0);
}


void
ngx_hyperdrive_net_free(ngx_hyperdrive_net_t *net)
{
    if (net->in) {
        ngx_hyperdrive_base_block_free(net->in);
        net->in = NULL;
    }

    net->pos = NULL;
    net->last = NULL;

    ngx_hyperdrive_base_chain_clear(&net->out);
}


void
ngx_hyperdrive_net_post_read(ngx_hyperdrive_net_t *net)
{
    ngx_post_event(net->connection->read, &ngx_posted_events);
}
