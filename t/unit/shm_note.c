/* sources: shm/ngx_hyperdrive_shm.c shm/ngx_hyperdrive_shm_limit.c shm/ngx_hyperdrive_shm_ticket.c shm/ngx_hyperdrive_shm_note.c shm/ngx_hyperdrive_shm_quota.c shm/ngx_hyperdrive_shm_client.c shm/ngx_hyperdrive_shm_backend.c shm/ngx_hyperdrive_shm_order.c shm/ngx_hyperdrive_shm_mutex.c */

/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "shm_check.h"


static u_char  buf[NGX_HYPERDRIVE_SHM_NOTE];
static size_t  len;


static ngx_int_t
put(const char *key, const char *value)
{
    ngx_str_t  k, v;

    k.data = (u_char *) key;
    k.len = strlen(key);
    v.data = (u_char *) value;
    v.len = strlen(value);

    return ngx_hyperdrive_shm_note_put(&k, &v);
}


static ngx_uint_t
is(const char *key, const char *value)
{
    ngx_int_t  rc;
    ngx_str_t  k;

    k.data = (u_char *) key;
    k.len = strlen(key);

    rc = ngx_hyperdrive_shm_note_get(&k, 3600, buf, sizeof(buf), &len);

    if (value == NULL) {
        return rc == NGX_DECLINED;
    }

    return rc == NGX_OK && len == strlen(value)
           && memcmp(buf, value, len) == 0;
}


static void
delete(const char *key)
{
    ngx_str_t  k;

    k.data = (u_char *) key;
    k.len = strlen(key);

    ngx_hyperdrive_shm_note_delete(&k);
}


static void
test_plain(void)
{
    size_t     i;
    u_char     key[NGX_HYPERDRIVE_SHM_NOTE_KEY + 1];
    u_char     value[NGX_HYPERDRIVE_SHM_NOTE + 1];
    ngx_str_t  k, v;

    fresh();

    ok(is("a", NULL), "nothing is there at first");

    ok(put("a", "one") == NGX_OK && is("a", "one"), "a note is kept");
    ok(put("a", "three") == NGX_OK && is("a", "three"), "a note is replaced");
    ok(put("b", "") == NGX_OK && is("b", ""), "a note may be empty");
    ok(put("", "x") == NGX_OK && is("", "x"), "a key may be empty");

    delete("a");
    delete("no such");

    ok(is("a", NULL) && is("b", "") && is("", "x"), "one note is deleted");

    memset(key, 'k', sizeof(key));

    for (i = 0; i < sizeof(value); i++) {
        value[i] = (u_char) i;
    }

    k.data = key;
    k.len = NGX_HYPERDRIVE_SHM_NOTE_KEY;
    v.data = value;
    v.len = NGX_HYPERDRIVE_SHM_NOTE;

    ok(ngx_hyperdrive_shm_note_put(&k, &v) == NGX_OK
       && ngx_hyperdrive_shm_note_get(&k, 1, buf, sizeof(buf), &len) == NGX_OK
       && len == v.len && memcmp(buf, value, len) == 0,
       "the longest key and the longest note");

    memset(buf, 0xee, sizeof(buf));

    ok(ngx_hyperdrive_shm_note_get(&k, 1, buf, 10, &len) == NGX_OK
       && len == 10 && memcmp(buf, value, 10) == 0 && buf[10] == 0xee,
       "no more is copied than there is room for");

    k.len--;
    ok(ngx_hyperdrive_shm_note_get(&k, 1, buf, sizeof(buf), &len)
       == NGX_DECLINED, "keys are compared whole");

    k.len += 2;
    ok(ngx_hyperdrive_shm_note_put(&k, &v) == NGX_DECLINED
       && ngx_hyperdrive_shm_note_get(&k, 1, buf, sizeof(buf), &len)
          == NGX_DECLINED, "a longer key is refused");

    ngx_hyperdrive_shm_note_delete(&k);

    k.len = 1;
    v.len++;
    ok(ngx_hyperdrive_shm_note_put(&k, &v) == NGX_DECLINED,
       "a longer note is refused");
}


static void
test_age(void)
{
    ngx_str_t  k = ngx_string("old");

    fresh();

    (void) put("old", "value");

    ngx_hyperdrive_shm->notes[0].created -= 10 * 1000 + 500;

    ok(ngx_hyperdrive_shm_note_get(&k, 11, buf, sizeof(buf), &len) == NGX_OK,
       "a note of ten seconds is younger than eleven");
    ok(ngx_hyperdrive_shm_note_get(&k, 10, buf, sizeof(buf), &len)
       == NGX_DECLINED, "and older than ten");

    (void) put("old", "value");

    ok(ngx_hyperdrive_shm_note_get(&k, 10, buf, sizeof(buf), &len) == NGX_OK,
       "it is young again after it was written again");
}


static void
test_full(void)
{
    char        key[32], value[32];
    ngx_uint_t  i, kept, wrong;

    fresh();

    for (i = 0; i < NGX_HYPERDRIVE_SHM_NOTES * 3; i++) {
        sprintf(key, "key %d", (int) i);
        sprintf(value, "value %d", (int) i);

        if (put(key, value) != NGX_OK) {
            break;
        }

        /* the first one is in use all the time */

        if (!is("key 0", "value 0")) {
            break;
        }
    }

    ok(i == NGX_HYPERDRIVE_SHM_NOTES * 3, "a note that is read is kept");

    kept = 0;
    wrong = 0;

    for (i = 0; i < NGX_HYPERDRIVE_SHM_NOTES * 3; i++) {
        sprintf(key, "key %d", (int) i);
        sprintf(value, "value %d", (int) i);

        if (is(key, value)) {
            kept++;

            if (i && i < NGX_HYPERDRIVE_SHM_NOTES * 2 + 1) {
                wrong++;
            }

        } else if (!is(key, NULL)) {
            wrong++;
        }
    }

    ok(kept == NGX_HYPERDRIVE_SHM_NOTES && wrong == 0,
       "those that were used least recently went");

    for (i = 0; i < NGX_HYPERDRIVE_SHM_NOTES * 3; i++) {
        sprintf(key, "key %d", (int) i);
        delete(key);
    }

    wrong = 0;

    for (i = 0; i < NGX_HYPERDRIVE_SHM_NOTES; i++) {
        sprintf(key, "new %d", (int) i);
        wrong += (put(key, "x") != NGX_OK);
    }

    for (i = 0; i < NGX_HYPERDRIVE_SHM_NOTES; i++) {
        sprintf(key, "new %d", (int) i);
        wrong += !is(key, "x");
    }

    ok(wrong == 0, "deleted ones make room");
}


static void
test_death(void)
{
    pid_t  pid;

    fresh();

    (void) put("a", "one");
    (void) put("b", "two");

    pid = fork();

    if (pid == 0) {
        (void) ngx_hyperdrive_shm_mutex_lock(
                                            &ngx_hyperdrive_shm->notes_mutex);

        /* as one that died in the middle of it */

        ngx_hyperdrive_shm->notes_oldest = 77;
        ngx_hyperdrive_shm->notes[0].next = 0;

        (void) kill(getpid(), SIGKILL);
    }

    (void) waitpid(pid, NULL, 0);

    ok(is("a", NULL) && is("b", NULL), "after a death the notes are forgotten");
    ok(put("a", "new") == NGX_OK && is("a", "new"), "and can be written");
}


static void
test_random(void)
{
    int         status;
    char        key[32], value[64];
    pid_t       pids[4];
    ngx_uint_t  i, k, n, p, wrong;

    fresh();

    for (p = 0; p < 4; p++) {

        pids[p] = fork();

        if (pids[p]) {
            continue;
        }

        srandom(p + 1);

        for (n = 0; n < 20000; n++) {
            k = random() % 1500;
            sprintf(key, "key %d", (int) k);

            switch (random() % 4) {

            case 0:
                i = sprintf(value, "%d:", (int) k);
                memset(value + i, 'a' + random() % 26, 30);
                value[i + 30] = '\0';
                (void) put(key, value);
                break;

            case 1:
                if (random() % 10 == 0) {
                    delete(key);
                }

                break;

            default:

                if (is(key, NULL)) {
                    break;
                }

                /* of one piece, and of this key */

                i = sprintf(value, "%d:", (int) k);

                if (len != i + 30 || memcmp(buf, value, i) != 0
                    || memcmp(buf + i, buf + i + 1, 29) != 0)
                {
                    _exit(1);
                }
            }
        }

        _exit(0);
    }

    wrong = 0;

    for (p = 0; p < 4; p++) {
        (void) waitpid(pids[p], &status, 0);
        wrong += (status != 0);
    }

    ok(wrong == 0, "four processes write and read whole notes");
}


int
main(void)
{
    test_plain();
    test_age();
    test_full();
    test_death();
    test_random();

    return done();
}
