
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "shm/ngx_hyperdrive_shm_layout.h"


static void ngx_hyperdrive_shm_note_lock(void);
static void ngx_hyperdrive_shm_note_unlock(void);
static void ngx_hyperdrive_shm_note_clear(ngx_hyperdrive_shm_t *sh);
static uint32_t ngx_hyperdrive_shm_note_find_locked(ngx_str_t *key,
    uint32_t hash);
static uint32_t ngx_hyperdrive_shm_note_new_locked(void);
static void ngx_hyperdrive_shm_note_remove_locked(uint32_t n);
static void ngx_hyperdrive_shm_note_insert_locked(uint32_t n);
static void ngx_hyperdrive_shm_note_unlink_locked(uint32_t n);


/*
 * Notes are read and written at log-ins only: one lock for all.  The oldest
 * and the newest are such by their use.
 */


ngx_int_t
ngx_hyperdrive_shm_note_init(ngx_hyperdrive_shm_t *sh)
{
    ngx_hyperdrive_shm_note_clear(sh);

    return ngx_hyperdrive_shm_mutex_init(&sh->notes_mutex);
}


ngx_int_t
ngx_hyperdrive_shm_note_get(ngx_str_t *key, time_t max_age, u_char *buf,
    size_t size, size_t *len)
{
    uint32_t                    n, hash;
    ngx_int_t                   rc;
    ngx_hyperdrive_shm_note_t  *note;

    if (key->len > NGX_HYPERDRIVE_SHM_NOTE_KEY) {
        return NGX_DECLINED;
    }

    rc = NGX_DECLINED;
    hash = (uint32_t) ngx_hash_key(key->data, key->len);

    ngx_hyperdrive_shm_note_lock();

    n = ngx_hyperdrive_shm_note_find_locked(key, hash);

    if (n != NGX_HYPERDRIVE_SHM_NONE) {
        note = &ngx_hyperdrive_shm->notes[n];

        if (max_age >= 0
            && ngx_hyperdrive_shm_now() - note->created
               <= (uint64_t) max_age * 1000)
        {
            *len = ngx_min(size, note->len);
            ngx_memcpy(buf, note->value, *len);

            ngx_hyperdrive_shm_note_unlink_locked(n);
            ngx_hyperdrive_shm_note_insert_locked(n);

            rc = NGX_OK;
        }
    }

    ngx_hyperdrive_shm_note_unlock();

    return rc;
}


ngx_int_t
ngx_hyperdrive_shm_note_put(ngx_str_t *key, ngx_str_t *value)
{
    uint32_t                    n, hash, *bucket;
    ngx_hyperdrive_shm_note_t  *note;

    if (key->len > NGX_HYPERDRIVE_SHM_NOTE_KEY
        || value->len > NGX_HYPERDRIVE_SHM_NOTE)
    {
        return NGX_DECLINED;
    }

    hash = (uint32_t) ngx_hash_key(key->data, key->len);

    ngx_hyperdrive_shm_note_lock();

    n = ngx_hyperdrive_shm_note_find_locked(key, hash);

    if (n == NGX_HYPERDRIVE_SHM_NONE) {
        n = ngx_hyperdrive_shm_note_new_locked();
        note = &ngx_hyperdrive_shm->notes[n];

        note->hash = hash;
        note->key_len = key->len;
        ngx_memcpy(note->key, key->data, key->len);

        bucket = &ngx_hyperdrive_shm->notes_buckets[hash
                                                % NGX_HYPERDRIVE_SHM_NOTES];
        note->next = *bucket;
        *bucket = n;

    } else {
        note = &ngx_hyperdrive_shm->notes[n];
        ngx_hyperdrive_shm_note_unlink_locked(n);
    }

    ngx_hyperdrive_shm_note_insert_locked(n);

    note->created = ngx_hyperdrive_shm_now();
    note->len = value->len;
    ngx_memcpy(note->value, value->data, value->len);

    ngx_hyperdrive_shm_note_unlock();

    return NGX_OK;
}


void
ngx_hyperdrive_shm_note_delete(ngx_str_t *key)
{
    uint32_t  n;

    if (key->len > NGX_HYPERDRIVE_SHM_NOTE_KEY) {
        return;
    }

    ngx_hyperdrive_shm_note_lock();

    n = ngx_hyperdrive_shm_note_find_locked(key,
                                 (uint32_t) ngx_hash_key(key->data, key->len));

    if (n != NGX_HYPERDRIVE_SHM_NONE) {
        ngx_hyperdrive_shm_note_remove_locked(n);

        ngx_hyperdrive_shm->notes[n].next = ngx_hyperdrive_shm->notes_free;
        ngx_hyperdrive_shm->notes_free = n;
    }

    ngx_hyperdrive_shm_note_unlock();
}


/*
 * A process died at work on them: any of them may be half written.  They are
 * learnt anew, so all are forgotten.
 */

static void
ngx_hyperdrive_shm_note_lock(void)
{
    ngx_hyperdrive_shm_t  *sh;

    sh = ngx_hyperdrive_shm;

    if (ngx_hyperdrive_shm_mutex_lock(&sh->notes_mutex) == NGX_DECLINED) {
        ngx_hyperdrive_shm_note_clear(sh);
        ngx_hyperdrive_shm_mutex_consistent(&sh->notes_mutex);
    }
}


static void
ngx_hyperdrive_shm_note_unlock(void)
{
    ngx_hyperdrive_shm_mutex_unlock(&ngx_hyperdrive_shm->notes_mutex);
}


static void
ngx_hyperdrive_shm_note_clear(ngx_hyperdrive_shm_t *sh)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_HYPERDRIVE_SHM_NOTES; i++) {
        sh->notes_buckets[i] = NGX_HYPERDRIVE_SHM_NONE;
    }

    sh->nnotes = 0;
    sh->notes_free = NGX_HYPERDRIVE_SHM_NONE;
    sh->notes_oldest = NGX_HYPERDRIVE_SHM_NONE;
    sh->notes_newest = NGX_HYPERDRIVE_SHM_NONE;
}


static uint32_t
ngx_hyperdrive_shm_note_find_locked(ngx_str_t *key, uint32_t hash)
{
    uint32_t                    n;
    ngx_hyperdrive_shm_note_t  *note;

    n = ngx_hyperdrive_shm->notes_buckets[hash % NGX_HYPERDRIVE_SHM_NOTES];

    while (n != NGX_HYPERDRIVE_SHM_NONE) {
        note = &ngx_hyperdrive_shm->notes[n];

        if (note->hash == hash
            && note->key_len == key->len
            && ngx_memcmp(note->key, key->data, key->len) == 0)
        {
            break;
        }

        n = note->next;
    }

    return n;
}


/* on no list */

static uint32_t
ngx_hyperdrive_shm_note_new_locked(void)
{
    uint32_t               n;
    ngx_hyperdrive_shm_t  *sh;

    sh = ngx_hyperdrive_shm;
    n = sh->notes_free;

    if (n != NGX_HYPERDRIVE_SHM_NONE) {
        sh->notes_free = sh->notes[n].next;
        return n;
    }

    if (sh->nnotes < NGX_HYPERDRIVE_SHM_NOTES) {
        return sh->nnotes++;
    }

    n = sh->notes_oldest;

    ngx_hyperdrive_shm_note_remove_locked(n);

    return n;
}


static void
ngx_hyperdrive_shm_note_remove_locked(uint32_t n)
{
    uint32_t                   *link;
    ngx_hyperdrive_shm_note_t  *note;

    note = &ngx_hyperdrive_shm->notes[n];

    link = &ngx_hyperdrive_shm->notes_buckets[note->hash
                                              % NGX_HYPERDRIVE_SHM_NOTES];

    while (*link != n) {
        link = &ngx_hyperdrive_shm->notes[*link].next;
    }

    *link = note->next;

    ngx_hyperdrive_shm_note_unlink_locked(n);
}


/* as the newest */

static void
ngx_hyperdrive_shm_note_insert_locked(uint32_t n)
{
    ngx_hyperdrive_shm_t       *sh;
    ngx_hyperdrive_shm_note_t  *note;

    sh = ngx_hyperdrive_shm;
    note = &sh->notes[n];

    note->newer = NGX_HYPERDRIVE_SHM_NONE;
    note->older = sh->notes_newest;

    if (sh->notes_newest == NGX_HYPERDRIVE_SHM_NONE) {
        sh->notes_oldest = n;

    } else {
        sh->notes[sh->notes_newest].newer = n;
    }

    sh->notes_newest = n;
}


static void
ngx_hyperdrive_shm_note_unlink_locked(uint32_t n)
{
    ngx_hyperdrive_shm_t       *sh;
    ngx_hyperdrive_shm_note_t  *note;

    sh = ngx_hyperdrive_shm;
    note = &sh->notes[n];

    if (note->older == NGX_HYPERDRIVE_SHM_NONE) {
        sh->notes_oldest = note->newer;

    } else {
        sh->notes[note->older].newer = note->newer;
    }

    if (note->newer == NGX_HYPERDRIVE_SHM_NONE) {
        sh->notes_newest = note->older;

    } else {
        sh->notes[note->newer].older = note->older;
    }
}
