
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "net/ngx_hyperdrive_net.h"


#define NGX_HYPERDRIVE_NET_SCRATCH       65536


/* input of whichever handler runs; see ngx_hyperdrive_net_t */
static u_char  ngx_hyperdrive_net_scratch[NGX_HYPERDRIVE_NET_SCRATCH];


/* what was received and not unpacked yet, until the handler ends */
static u_char  ngx_hyperdrive_net_packed[NGX_HYPERDRIVE_NET_SCRATCH];


struct ngx_hyperdrive_net_coded_s {
    ngx_hyperdrive_base_codec_t  *codec;
    ngx_hyperdrive_chain_t        in;       /* received, and not unpacked */
    ngx_hyperdrive_chain_t        out;      /* packed, and not sent */
};


static ngx_int_t ngx_hyperdrive_net_grow(ngx_hyperdrive_net_t *net,
    size_t max);
static ssize_t ngx_hyperdrive_net_unpack(ngx_hyperdrive_net_t *net, u_char *p,
    size_t size);
static ngx_int_t ngx_hyperdrive_net_send(ngx_hyperdrive_net_t *net,
    ngx_hyperdrive_chain_t *out, size_t *sent);


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

    n = net->coded ? ngx_hyperdrive_net_unpack(net, p, size)
                   : c->recv(c, p, size);

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


/*
 * As c->recv().  With input that is not unpacked yet the connection is ready to
 * be read, as one with TLS is.
 */

static ssize_t
ngx_hyperdrive_net_unpack(ngx_hyperdrive_net_t *net, u_char *p, size_t size)
{
    u_char                       *pos, *last;
    ssize_t                       n;
    ngx_connection_t             *c;
    ngx_hyperdrive_block_t       *block;
    ngx_hyperdrive_net_coded_t   *coded;
    ngx_hyperdrive_base_codec_t  *codec;

    c = net->connection;
    coded = net->coded;
    codec = coded->codec;

    for ( ;; ) {
        block = coded->in.head;

        pos = block ? block->pos : NULL;
        last = block ? block->last : NULL;

        n = codec->unpack(codec, &pos, last, p, size);

        if (block) {
            ngx_hyperdrive_base_chain_consume(&coded->in, pos - block->pos);
        }

        if (n == 0 && coded->in.head == NULL) {

            n = c->recv(c, ngx_hyperdrive_net_packed,
                        sizeof(ngx_hyperdrive_net_packed));

            if (n <= 0) {
                return n;
            }

            pos = ngx_hyperdrive_net_packed;
            last = pos + n;

            n = codec->unpack(codec, &pos, last, p, size);

            if (n != NGX_ERROR && pos != last
                && ngx_hyperdrive_base_chain_append(&coded->in, pos,
                                                    last - pos)
                   != NGX_OK)
            {
                return NGX_ERROR;
            }
        }

        if (n == NGX_ERROR) {
            ngx_log_error(NGX_LOG_INFO, c->log, 0,
                          "hyperdrive: compressed data is malformed");
            return NGX_ERROR;
        }

        if (n) {

            if ((size_t) n == size || coded->in.head) {
                c->read->ready = 1;
            }

            return n;
        }
    }
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
    size_t                        n;
    ngx_int_t                     rc;
    ngx_hyperdrive_net_coded_t   *coded;

    coded = net->coded;

    if (net->out.failed || (coded && coded->out.failed)) {
        ngx_log_error(NGX_LOG_ERR, net->connection->log, 0,
                      "hyperdrive: no memory for output");
        return NGX_ERROR;
    }

    if (coded == NULL) {
        rc = ngx_hyperdrive_net_send(net, &net->out, &n);
        net->sent += n;

        return rc;
    }

    for ( ;; ) {
        rc = ngx_hyperdrive_net_send(net, &coded->out, &n);

        if (rc != NGX_OK || net->out.size == 0) {
            return rc;
        }

        /* no more is packed than can be sent: what waits is seen to wait */

        n = net->out.size;

        coded->codec->pack(coded->codec, &net->out, &coded->out);

        net->sent += n - net->out.size;

        if (coded->out.failed) {
            return NGX_ERROR;
        }
    }
}


static ngx_int_t
ngx_hyperdrive_net_send(ngx_hyperdrive_net_t *net, ngx_hyperdrive_chain_t *out,
    size_t *sent)
{
    ssize_t                  n;
    ngx_connection_t        *c;
    ngx_hyperdrive_block_t  *block;

    c = net->connection;

    *sent = 0;

    while (out->size) {

        if (!c->write->ready) {
            return NGX_AGAIN;
        }

        block = out->head;

        if (block->pos == block->last) {
            /* room that was taken back */
            out->head = block->next;
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

        *sent += n;

        ngx_hyperdrive_base_chain_consume(out, n);
    }

    return NGX_OK;
}


ngx_uint_t
ngx_hyperdrive_net_bare(ngx_hyperdrive_net_t *net)
{
    return net->connection->ssl == NULL && net->coded == NULL;
}


ngx_uint_t
ngx_hyperdrive_net_held(ngx_hyperdrive_net_t *net)
{
    return net->coded && net->coded->in.head;
}


ngx_uint_t
ngx_hyperdrive_net_sent(ngx_hyperdrive_net_t *net)
{
    return net->out.size == 0
           && (net->coded == NULL || net->coded->out.size == 0);
}


ngx_int_t
ngx_hyperdrive_net_code(ngx_hyperdrive_net_t *net,
    ngx_hyperdrive_base_codec_t *codec)
{
    if (codec == NULL) {
        return NGX_ERROR;
    }

    net->coded = calloc(1, sizeof(ngx_hyperdrive_net_coded_t));

    if (net->coded == NULL) {
        codec->destroy(codec);
        return NGX_ERROR;
    }

    net->coded->codec = codec;

    /* what is there already is of before, what was read is of now */

    ngx_hyperdrive_base_chain_move(&net->coded->out, &net->out);

    if (net->pos != net->last
        && ngx_hyperdrive_base_chain_append(&net->coded->in, net->pos,
                                            net->last - net->pos)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (net->coded->in.head) {
        net->connection->read->ready = 1;
    }

    net->pos = net->last;

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

    if (net->coded) {
        net->coded->codec->destroy(net->coded->codec);

        ngx_hyperdrive_base_chain_clear(&net->coded->in);
        ngx_hyperdrive_base_chain_clear(&net->coded->out);

        free(net->coded);
        net->coded = NULL;
    }
}


void
ngx_hyperdrive_net_post_read(ngx_hyperdrive_net_t *net)
{
    ngx_post_event(net->connection->read, &ngx_posted_events);
}
