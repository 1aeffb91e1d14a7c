/* sources: mysql/ state/ base/ libs: z zstd */

/*
 * Copyright (C) Hyperdrive for nginx authors
 */


/*
 * Tests of MySQL's log-in: its digests, and our two ends speaking with each
 * other, all that passes between them cut at every byte.
 */


#include "mysql/ngx_hyperdrive_mysql_login.h"
#include "check.h"


#define SSL            NGX_HYPERDRIVE_MYSQL_SSL
#define FOUND_ROWS     NGX_HYPERDRIVE_MYSQL_FOUND_ROWS
#define LONG_PASSWORD  NGX_HYPERDRIVE_MYSQL_LONG_PASSWORD


static u_char      mock[32] = "0123456789abcdef0123456789abcde";


static ngx_str_t
str(const char *text)
{
    ngx_str_t  s;

    s.data = (u_char *) text;
    s.len = strlen(text);

    return s;
}


/* what was written and not read yet, in a buffer of just the size */

typedef struct {
    u_char                  *data;
    size_t                   len;
} wire_t;


static void
wire_add(wire_t *w, ngx_hyperdrive_chain_t *chain)
{
    u_char                  *p;
    ngx_hyperdrive_block_t  *block;

    p = malloc(w->len + chain->size + 1);
    memcpy(p, w->data ? w->data : (u_char *) "", w->len);
    free(w->data);
    w->data = p;
    p += w->len;

    for (block = chain->head; block; block = block->next) {
        p = ngx_cpymem(p, block->pos, block->last - block->pos);
    }

    w->len = p - w->data;

    ngx_hyperdrive_base_chain_clear(chain);
}


static void
wire_clear(wire_t *w)
{
    free(w->data);
    w->data = NULL;
    w->len = 0;
}


typedef ngx_int_t (*end_pt)(ngx_hyperdrive_proto_login_t *login, u_char **pos,
    u_char *last, ngx_hyperdrive_chain_t *out);


/* one call with at most <step> bytes of what is there, and no byte behind */

static ngx_int_t
feed(end_pt end, ngx_hyperdrive_proto_login_t *login, wire_t *in, size_t step,
    ngx_hyperdrive_chain_t *out)
{
    size_t      n;
    u_char     *copy, *pos;
    ngx_int_t   rc;

    rc = NGX_AGAIN;

    for (n = ngx_min(step, in->len); rc == NGX_AGAIN; n += step) {

        n = ngx_min(n, in->len);

        if (login->ahead) {
            n = ngx_min(n, login->ahead);
        }

        copy = malloc(n ? n : 1);
        memcpy(copy, in->data ? in->data : (u_char *) "", n);
        pos = copy;

        rc = end(login, &pos, copy + n, out);

        in->len -= pos - copy;
        memmove(in->data, in->data + (pos - copy), in->len);

        free(copy);

        if (pos != copy) {
            n = 0;
        }

        if (n >= in->len && !login->ahead) {
            break;
        }
    }

    return rc;
}


typedef struct {
    const char   *user;
    const char   *password;     /* the origin's end knows it, or... */
    ngx_str_t     token;
    const char   *secret;       /* the client's end; NULL: no such user */
    const char   *database;
    const char   *fixed;        /* capabilities that are asked for */
    uint64_t      offered;      /* by the origin behind it */
    ngx_uint_t    kinds;
    unsigned      trust:1;
    unsigned      tls_offered:1;
    unsigned      request_tls:1;
    unsigned      require_tls:1;
    unsigned      ask_key:1;
    unsigned      clear:1;
    unsigned      keep:1;

    /* results */

    ngx_int_t     client;
    ngx_int_t     origin;
    uint64_t      caps;
    uint64_t      greeted;
    ngx_uint_t    status;
    u_char        kept[300];
    size_t        kept_len;
    u_char        message[256];
    char         *reason;
    u_char        sqlstate[6];
    u_char        collation[16];
    ngx_uint_t    trips;
} play_t;


static void  *keys;


/* our origin's end logs in to our client's end */

static void
play(play_t *p, size_t step)
{
    wire_t                           to_client, to_origin;
    ngx_str_t                        greeting, text;
    ngx_hyperdrive_chain_t           out, chain;
    ngx_hyperdrive_proto_login_t     c, o;
    ngx_hyperdrive_mysql_greeting_t  g;

    memset(&to_client, 0, sizeof(to_client));
    memset(&to_origin, 0, sizeof(to_origin));
    memset(&out, 0, sizeof(out));
    memset(&chain, 0, sizeof(chain));
    memset(&c, 0, sizeof(c));
    memset(&o, 0, sizeof(o));
    memset(&g, 0, sizeof(g));

    g.version = str("8.4.0");
    g.offered = p->offered;
    g.status = NGX_HYPERDRIVE_MYSQL_AUTOCOMMIT;
    g.collation = 255;
    g.changes = str("\1\3\2db");

    ngx_hyperdrive_mysql_greeting_write(&g, &chain);
    greeting.data = chain.head->pos;
    greeting.len = chain.size;

    c.mock = mock;
    c.kinds = p->kinds;
    c.tls_offered = p->tls_offered;
    c.host = str("10.0.0.1");
    c.keep = p->keep;
    c.keys = &keys;

    o.user = str(p->user);
    o.password = str(p->password ? p->password : "");
    o.token = p->token;
    o.database = str(p->database ? p->database : "");
    o.request_tls = p->request_tls;
    o.require_tls = p->require_tls;
    o.ask_key = p->ask_key;
    o.allow_clear = p->clear;
    o.params[0].name = str("collation");
    o.params[0].value = str("33");
    o.params[1].name = str("application_name");
    o.params[1].value = str("a test");
    o.params[2].name = str("capabilities");
    o.params[2].value = str(p->fixed ? p->fixed : "0");
    o.nparams = 3;

    p->trips = 0;
    p->origin = NGX_AGAIN;
    p->client = NGX_AGAIN;

    ngx_hyperdrive_mysql_login_greet(&c, &greeting, 77, &out);
    wire_add(&to_origin, &out);

    while (p->trips++ < 10) {

        p->origin = feed(ngx_hyperdrive_mysql_login_origin, &o, &to_origin,
                         step, &out);
        wire_add(&to_client, &out);

        if (p->origin == NGX_OK || p->origin == NGX_ERROR) {
            break;
        }

        for ( ;; ) {
            p->client = feed(ngx_hyperdrive_mysql_login_client, &c, &to_client,
                             step, &out);

            if (p->client != NGX_BUSY) {
                break;
            }

            c.trust = p->trust;
            c.found = (p->secret != NULL);

            if (p->secret) {
                c.secret = str(p->secret);
            }
        }

        if (p->client == NGX_OK) {
            ngx_hyperdrive_mysql_login_welcome(&c, &greeting, 77, NULL, 0,
                                               &out);
        }

        wire_add(&to_origin, &out);

        if (p->client == NGX_DONE) {
            c.tls = 1;
            o.tls = (p->origin == NGX_DONE);
        }

        if (to_origin.len == 0 && p->origin != NGX_DONE) {
            break;
        }
    }

    p->caps = c.capabilities;
    p->reason = p->origin == NGX_ERROR ? o.reason : c.reason;
    memcpy(p->message, o.message, sizeof(p->message));
    memcpy(p->sqlstate, o.sqlstate, 6);

    p->kept_len = c.token.len;
    memcpy(p->kept, c.token.data ? c.token.data : (u_char *) "", c.token.len);

    p->status = 0;
    p->greeted = 0;

    if (p->origin == NGX_OK) {
        text.data = o.greeting.head->pos;
        text.len = o.greeting.size;

        p->status = ngx_hyperdrive_mysql_greeting_status(&text);
        p->greeted = ngx_hyperdrive_mysql_greeting_capabilities(&text);

        if (o.pid != 77) {
            p->origin = NGX_ABORT;
        }
    }

    if (p->client == NGX_OK) {

        if (c.user.len != strlen(p->user)
            || memcmp(c.user.data, p->user, c.user.len) != 0
            || c.database.len != o.database.len)
        {
            p->client = NGX_ABORT;
        }

        p->collation[0] = '\0';

        if (c.nparams) {
            memcpy(p->collation, c.params[c.nparams - 1].value.data,
                   c.params[c.nparams - 1].value.len);
            p->collation[c.params[c.nparams - 1].value.len] = '\0';
        }
    }

    ngx_hyperdrive_mysql_login_client_free(&c);
    ngx_hyperdrive_mysql_login_origin_free(&o);
    ngx_hyperdrive_base_chain_clear(&chain);
    wire_clear(&to_client);
    wire_clear(&to_origin);
}


/* whatever the pieces are, it comes to the same end */

static ngx_uint_t
plays(play_t *p, ngx_int_t client, ngx_int_t origin)
{
    size_t      step;
    ngx_uint_t  good;

    static size_t  steps[] = { 1, 2, 3, 5, 7, 32, 36, 37, 64, 1000 };

    good = 1;

    for (step = 0; step < sizeof(steps) / sizeof(steps[0]); step++) {

        play(p, steps[step]);

        if (p->client != client || p->origin != origin) {
            printf("# step %d: client %d, origin %d, %s, %s\n",
                   (int) steps[step], (int) p->client, (int) p->origin,
                   p->reason ? p->reason : "", p->message);
            good = 0;
            break;
        }
    }

    return good;
}


static void
test_digests(void)
{
    u_char      digest[32], text[64], out[256], once[32], proof[32];
    u_char      scramble[20];
    ngx_int_t   rc;
    ngx_str_t   s, salt, password;
    ngx_uint_t  i, good;

    ngx_hyperdrive_mysql_verifier_t  v;

    static struct {
        char       *password;
        char       *salt;
        ngx_uint_t  rounds;
        char       *text;
    } crypts[] = {
        { "Hello world!", "saltstring", 5000,
          "5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5" },
        { "Hello world!", "saltstringsaltst", 10000,
          "3xv.VbSHBb41AL9AvLeujZkZRBAwqFMz2.opqey6IcA" },
        { "we have a short salt string but not a short password",
          "short", 77777,
          "JiO1O3ZpDAxGJeaDIuqCoEFysAe1mZNJRs3pw0KQRd/" },
        { "the minimum number is still observed", "roundstoolow", 1000,
          "yfvwcWrQ8l/K0DAWyuPMDNHpIVlTQebY9l/gL972bIC" }
    };

    good = 1;

    for (i = 0; i < sizeof(crypts) / sizeof(crypts[0]); i++) {
        password = str(crypts[i].password);
        salt = str(crypts[i].salt);

        rc = ngx_hyperdrive_base_digest_crypt(&password, &salt,
                                              crypts[i].rounds, digest);

        *ngx_hyperdrive_base_digest_crypt_text(text, digest) = '\0';

        if (rc != NGX_OK || strcmp((char *) text, crypts[i].text) != 0) {
            printf("# %s: %s\n", crypts[i].text, text);
            good = 0;
        }
    }

    ok(good, "crypt(3) with SHA-256");

    s = str("*14E65567ABDB5135D0CFD9A70B3032C179A49EE7");
    ok(ngx_hyperdrive_mysql_verifier_read(&s, &v) == NGX_OK
       && v.kind == NGX_HYPERDRIVE_MYSQL_KIND_NATIVE,
       "a verifier of mysql_native_password");

    password = str("secret");
    ok(ngx_hyperdrive_mysql_password_check(&password, &v, once) == NGX_OK,
       "and its password");

    password = str("secres");
    ok(ngx_hyperdrive_mysql_password_check(&password, &v, once)
       == NGX_DECLINED,
       "and another one");

    s.len--;
    ok(ngx_hyperdrive_mysql_verifier_kind(&s) == 0, "one digit too few");
    s = str("*14E65567ABDB5135D0CFD9A70B3032C179A49EEG");
    ok(ngx_hyperdrive_mysql_verifier_kind(&s) == 0, "not a digit");

    s = str("$A$005$abcdefghijklmnopqrst"
            "0123456789012345678901234567890123456789012");
    ok(ngx_hyperdrive_mysql_verifier_read(&s, &v) == NGX_OK
       && v.kind == NGX_HYPERDRIVE_MYSQL_KIND_SHA2 && v.rounds == 5000
       && memcmp(v.salt, "abcdefghijklmnopqrst", 20) == 0,
       "a verifier of caching_sha2_password");

    s = str("$A$000$abcdefghijklmnopqrst"
            "0123456789012345678901234567890123456789012");
    ok(ngx_hyperdrive_mysql_verifier_kind(&s) == 0, "no rounds");

    s = str("$A$00x$abcdefghijklmnopqrst"
            "0123456789012345678901234567890123456789012");
    ok(ngx_hyperdrive_mysql_verifier_kind(&s) == 0, "rounds that are none");

    password = str("secret");
    ok(ngx_hyperdrive_mysql_verifier_make(&password, out) == NGX_OK,
       "a verifier is made of a password");
    s = str((char *) out);
    ok(ngx_hyperdrive_mysql_verifier_read(&s, &v) == NGX_OK
       && v.kind == NGX_HYPERDRIVE_MYSQL_KIND_BOTH
       && ngx_hyperdrive_mysql_password_check(&password, &v, once) == NGX_OK,
       "and read again");

    memcpy(scramble, "abcdefghijklmnopqrst", 20);
    s.data = proof;

    ngx_hyperdrive_base_digest_sha1("secret", 6, once);
    ngx_hyperdrive_mysql_native_prove(once, scramble, proof);
    s.len = 20;
    good = ngx_hyperdrive_mysql_native_check(v.native, scramble, &s, once)
           == NGX_OK;

    for (i = 0; i < 20 * 8; i++) {
        proof[i / 8] ^= 1 << i % 8;
        good = good
               && ngx_hyperdrive_mysql_native_check(v.native, scramble, &s,
                                                    once)
                  == NGX_DECLINED;
        proof[i / 8] ^= 1 << i % 8;
    }

    s.len = 19;
    ok(good && ngx_hyperdrive_mysql_native_check(v.native, scramble, &s, once)
               == NGX_DECLINED,
       "a proof of mysql_native_password, each bit of it counts");

    ngx_hyperdrive_base_digest_sha256("secret", 6, once);
    ngx_hyperdrive_mysql_sha2_prove(once, scramble, proof);
    s.len = 32;
    good = ngx_hyperdrive_mysql_sha2_check(v.sha2, scramble, &s, once)
           == NGX_OK;

    for (i = 0; i < 32 * 8; i++) {
        proof[i / 8] ^= 1 << i % 8;
        good = good
               && ngx_hyperdrive_mysql_sha2_check(v.sha2, scramble, &s, once)
                  == NGX_DECLINED;
        proof[i / 8] ^= 1 << i % 8;
    }

    ok(good, "a proof of caching_sha2_password, each bit of it counts");
}


static void
test_rsa(void)
{
    size_t     len;
    u_char     out[NGX_HYPERDRIVE_MYSQL_RSA_MAX];
    u_char     plain[NGX_HYPERDRIVE_MYSQL_RSA_MAX];
    u_char     scramble[20];
    ngx_str_t  pem, password, text, found;

    memcpy(scramble, "abcdefghijklmnopqrst", 20);
    password = str("a secret that is longer than the scramble");

    ok(ngx_hyperdrive_mysql_rsa_key(&pem) == NGX_OK
       && ngx_hyperdrive_mysql_rsa_seal(&password, &pem, scramble, out, &len)
          == NGX_OK,
       "a password under a key");

    text.data = out;
    text.len = len;
    ok(ngx_hyperdrive_mysql_rsa_open(&text, scramble, plain, &found) == NGX_OK
       && found.len == password.len
       && memcmp(found.data, password.data, found.len) == 0,
       "is read by its owner");

    out[17] ^= 4;
    ok(ngx_hyperdrive_mysql_rsa_open(&text, scramble, plain, &found)
       == NGX_DECLINED,
       "and by nobody when a bit of it is another one");

    pem.len -= 40;
    ok(ngx_hyperdrive_mysql_rsa_seal(&password, &pem, scramble, out, &len)
       == NGX_DECLINED,
       "a key that is cut short");
}


static u_char  sha2_secret[256];


/* as the database stores it; its salt may hold any byte */

static void
make_sha2(const char *password)
{
    u_char     digest[32];
    ngx_str_t  p, salt;

    memcpy(sha2_secret, "$A$005$" "q\1w\2e\3r\4t\5y\6u\7i\10o\11p\13", 27);

    p = str(password);
    salt.data = sha2_secret + 7;
    salt.len = 20;

    ngx_hyperdrive_base_digest_crypt(&p, &salt, 5000, digest);
    *ngx_hyperdrive_base_digest_crypt_text(sha2_secret + 27, digest) = '\0';
}


static void
forget(void)
{
    ngx_hyperdrive_mysql_login_keys_free(&keys);
}


static void
test_login(void)
{
    play_t     p;
    u_char     both[256];
    ngx_str_t  s;

    s = str("secret");
    ngx_hyperdrive_mysql_verifier_make(&s, both);
    make_sha2("secret");

    memset(&p, 0, sizeof(p));
    p.user = "app";
    p.password = "secret";
    p.secret = (char *) both;
    p.database = "shop";
    p.fixed = "1026";
    p.offered = LONG_PASSWORD;
    p.kinds = 7;

    ok(plays(&p, NGX_OK, NGX_OK)
       && p.status == NGX_HYPERDRIVE_MYSQL_AUTOCOMMIT
       && (p.caps & FOUND_ROWS) && (p.caps & NGX_HYPERDRIVE_MYSQL_INTERACTIVE)
       && !(p.caps & NGX_HYPERDRIVE_MYSQL_IGNORE_SPACE)
       && p.greeted == p.caps
       && strcmp((char *) p.collation, "33") == 0,
       "a password, caching_sha2_password");

    p.offered = 0;
    ok(plays(&p, NGX_OK, NGX_OK), "a password, mysql_native_password");

    p.keep = 1;
    ok(plays(&p, NGX_OK, NGX_OK) && p.kept_len == 21 && p.kept[0] == 'n',
       "what was shown is kept");

    p.password = NULL;
    p.token.data = (u_char *) "nXXXXXXXXXXXXXXXXXXXX";
    p.token.len = 21;
    ok(plays(&p, NGX_ERROR, NGX_ERROR), "another proof is none");

    p.token.data = malloc(21);
    memcpy(p.token.data, p.kept, 21);
    p.kept_len = 0;
    p.token.data[0] = 'n';
    ngx_hyperdrive_base_digest_sha1("secret", 6, p.token.data + 1);
    ok(plays(&p, NGX_OK, NGX_OK), "and logs in elsewhere");

    p.offered = LONG_PASSWORD;
    ok(plays(&p, NGX_AGAIN, NGX_ERROR) && strstr(p.reason, "another proof"),
       "...but not by the other plugin");

    free(p.token.data);
    ngx_str_null(&p.token);
    p.keep = 0;

    p.password = "wrong";
    ok(plays(&p, NGX_ERROR, NGX_ERROR)
       && strcmp((char *) p.message, "Access denied for user 'app'@'10.0.0.1' "
                 "(using password: YES)") == 0
       && strcmp((char *) p.sqlstate, "28000") == 0,
       "a wrong password");

    p.password = NULL;
    ok(plays(&p, NGX_ERROR, NGX_ERROR)
       && strcmp((char *) p.message, "Access denied for user 'app'@'10.0.0.1' "
                 "(using password: NO)") == 0,
       "no password");

    p.password = "secret";
    p.secret = "*14E65567ABDB5135D0CFD9A70B3032C179A49EE7";
    ok(plays(&p, NGX_OK, NGX_OK) && p.trips == 3,
       "a verifier of mysql_native_password, after a switch");

    p.kinds = NGX_HYPERDRIVE_MYSQL_KIND_NATIVE;
    ok(plays(&p, NGX_OK, NGX_OK) && p.trips == 2, "...without, if all are");
    p.kinds = 7;

    p.secret = (char *) sha2_secret;
    ok(plays(&p, NGX_AGAIN, NGX_ERROR)
       && strstr(p.reason, "wants the password itself"),
       "a verifier of caching_sha2_password, nothing known, no TLS");

    p.ask_key = 1;
    play(&p, 1000);
    ok(p.client == NGX_OK && p.origin == NGX_OK && p.trips == 4,
       "...by our public key");

    play(&p, 1000);
    ok(p.client == NGX_OK && p.origin == NGX_OK && p.trips == 2,
       "...and without it, once that was shown");

    p.password = "wrong";
    play(&p, 1000);
    ok(p.client == NGX_ERROR && p.origin == NGX_ERROR, "...a wrong one");

    p.password = "secret";
    forget();
    p.ask_key = 0;
    p.tls_offered = 1;
    p.request_tls = 1;
    p.keep = 1;
    play(&p, 1000);
    ok(p.client == NGX_OK && p.origin == NGX_OK && p.kept[0] == 'p'
       && p.kept_len == 7 && memcmp(p.kept + 1, "secret", 6) == 0,
       "...in clear, over TLS");
    p.keep = 0;

    forget();
    p.secret = (char *) both;
    p.tls_offered = 1;
    p.require_tls = 1;
    ok(plays(&p, NGX_OK, NGX_OK) && (p.caps & SSL), "TLS");

    p.tls_offered = 0;
    ok(plays(&p, NGX_AGAIN, NGX_ERROR) && strstr(p.reason, "TLS"),
       "TLS is required and not there");

    p.require_tls = 0;
    ok(plays(&p, NGX_OK, NGX_OK) && !(p.caps & SSL),
       "TLS is preferred and not there");

    p.trust = 1;
    p.password = "whatever";
    ok(plays(&p, NGX_OK, NGX_OK), "whatever, where no password is asked");

    p.offered = 0;
    ok(plays(&p, NGX_OK, NGX_OK), "...by the other plugin");

    p.password = NULL;
    ok(plays(&p, NGX_OK, NGX_OK), "...and without one");

    p.trust = 0;
    p.password = "secret";
    p.database = NULL;
    ok(plays(&p, NGX_OK, NGX_OK), "no database");
}


/* an unknown user goes the way of those who are there */

static void
test_unknown(void)
{
    int         i;
    char        name[16];
    play_t      p;
    ngx_uint_t  good, two, three, four;

    memset(&p, 0, sizeof(p));
    p.password = "secret";
    p.offered = LONG_PASSWORD;
    p.user = name;
    p.ask_key = 1;

    good = 1;
    two = 0;
    three = 0;
    four = 0;

    for (i = 0; i < 100; i++) {
        sprintf(name, "u%d", i);
        p.kinds = 7;
        play(&p, 1000);

        good = good && p.client == NGX_ERROR && p.origin == NGX_ERROR
               && strstr((char *) p.message, "using password: YES");

        two += (p.trips == 2);
        three += (p.trips == 3);
        four += (p.trips == 4);
    }

    ok(good && two > 10 && three > 10 && four > 10,
       "unknown users are refused, each in one of the ways there are");

    good = 1;

    for (i = 0; i < 100; i++) {
        sprintf(name, "u%d", i);
        p.kinds = NGX_HYPERDRIVE_MYSQL_KIND_BOTH;
        play(&p, 1000);

        good = good && p.client == NGX_ERROR && p.trips == 2;
    }

    ok(good, "...and in the one way that there is");
}


/* bytes that our own origin's end does not say */

static ngx_int_t
client(const char *bytes, size_t len, unsigned tls_offered, char **reason)
{
    u_char                        *copy, *pos;
    ngx_int_t                      rc;
    ngx_hyperdrive_chain_t         out;
    ngx_hyperdrive_proto_login_t   c;

    memset(&out, 0, sizeof(out));
    memset(&c, 0, sizeof(c));

    c.mock = mock;
    c.tls_offered = tls_offered;

    ngx_hyperdrive_mysql_login_greet(&c, NULL, 1, &out);

    copy = malloc(len ? len : 1);
    memcpy(copy, bytes, len);
    pos = copy;

    rc = ngx_hyperdrive_mysql_login_client(&c, &pos, copy + len, &out);

    *reason = c.reason;

    ngx_hyperdrive_mysql_login_client_free(&c);
    ngx_hyperdrive_base_chain_clear(&out);
    free(copy);

    return rc;
}


#define RESPONSE(n, caps)  n "\0\0\1" caps "\0\0\0\1" "\55"                  \
                           "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" "\0\0\0\0"


static void
test_client(void)
{
    char       *reason;
    size_t      n;
    ngx_int_t   rc;
    ngx_uint_t  good;

    /* PROTOCOL_41, SECURE_CONNECTION, CONNECT_WITH_DB, PLUGIN_AUTH, ATTRS */

    static char  full[] = RESPONSE("\106", "\010\202\030\0")
                          "app\0" "\0" "shop\0" "mysql_native_password\0"
                          "\5\1a\2bc";
    static char  cut[] = RESPONSE("\57", "\010\202\030\0")
                         "app\0" "\0" "shop\0" "x\0" "\7\1a\2bc";
    static char  tls[] = RESPONSE("\40", "\010\212\030\0");

    good = 1;

    for (n = 0; n < sizeof(full) - 1; n++) {
        good = good && client(full, n, 0, &reason) == NGX_AGAIN;
    }

    full[0] = sizeof(full) - 1 - 4;
    ok(good && client(full, sizeof(full) - 1, 0, &reason) == NGX_BUSY,
       "a response with all that may be in it");

    /* the payload is cut, the packet is whole */

    good = 1;

    for (n = 4; n < sizeof(full) - 1; n++) {
        full[0] = n - 4;
        rc = client(full, n, 0, &reason);

        /* behind the attributes' length nothing may be missing */

        good = good && (rc == NGX_ERROR || (rc == NGX_BUSY && n >= 41));
    }

    ok(good, "a response that is cut short");

    cut[0] = sizeof(cut) - 1 - 4;
    ok(client(cut, sizeof(cut) - 1, 0, &reason) == NGX_ERROR,
       "attributes that end behind the packet");

    full[0] = sizeof(full) - 1 - 4;
    full[3] = 2;
    ok(client(full, sizeof(full) - 1, 0, &reason) == NGX_ERROR
       && strstr(reason, "out of order"),
       "a sequence number that is another one");
    full[3] = 1;

    full[5] = '\200';
    ok(client(full, sizeof(full) - 1, 0, &reason) == NGX_ERROR
       && strstr(reason, "does not support"),
       "a client of before protocol 4.1");

    ok(client(tls, sizeof(tls) - 1, 1, &reason) == NGX_DONE,
       "TLS is asked for");
    ok(client(tls, sizeof(tls) - 1, 0, &reason) == NGX_ERROR,
       "...where there is none");

    ok(client("\377\377\377\1", 4, 0, &reason) == NGX_ERROR
       && strstr(reason, "too long"),
       "a packet that is too long");

    {
        char  more[sizeof(tls) + 1];

        memcpy(more, tls, sizeof(tls) - 1);
        more[sizeof(tls) - 1] = 'x';

        ok(client(more, sizeof(tls), 1, &reason) == NGX_ERROR
           && strstr(reason, "unencrypted"),
           "bytes in clear behind a request for TLS");
    }
}


static void
test_change(void)
{
    size_t                            n;
    u_char                           *copy;
    ngx_int_t                         rc;
    ngx_str_t                         s;
    ngx_uint_t                        good;
    ngx_hyperdrive_mysql_response_t   r;

    static char  body[] = "app\0" "\4abcd" "shop\0" "\41\0"
                          "caching_sha2_password\0" "\5\1a\2bc";

    good = 1;

    for (n = 0; n < sizeof(body); n++) {
        copy = malloc(n ? n : 1);
        memcpy(copy, body, n);
        s.data = copy;
        s.len = n;

        memset(&r, 0, sizeof(r));
        r.capabilities = NGX_HYPERDRIVE_MYSQL_PLUGIN_AUTH
                         |NGX_HYPERDRIVE_MYSQL_CONNECT_ATTRS;

        rc = ngx_hyperdrive_mysql_response_change(&s, &r);

        /* what stands behind the database may be left away */

        if (n < 14 || n == 15) {
            good = good && rc == NGX_ERROR;

        } else if (n == 14 || n == sizeof(body) - 1) {
            good = good && rc == NGX_OK && r.user.len == 3 && r.auth.len == 4
                   && r.database.len == 4
                   && r.collation == (n == 14 ? 0 : 33)
                   && r.plugin.len == (n == 14 ? 0 : 21)
                   && r.attributes.len == (n == 14 ? 0 : 5);
        }

        free(copy);
    }

    ok(good, "a request to be another user, cut at every byte");
}


static ngx_int_t
origin(const char *bytes, size_t len, char **reason, u_char *message)
{
    u_char                        *copy, *pos;
    ngx_int_t                      rc;
    ngx_hyperdrive_chain_t         out;
    ngx_hyperdrive_proto_login_t   o;

    memset(&out, 0, sizeof(out));
    memset(&o, 0, sizeof(o));

    o.user = str("app");
    o.password = str("secret");

    copy = malloc(len ? len : 1);
    memcpy(copy, bytes, len);
    pos = copy;

    rc = ngx_hyperdrive_mysql_login_origin(&o, &pos, copy + len, &out);

    *reason = o.reason;
    memcpy(message, o.message, sizeof(o.message));

    ngx_hyperdrive_mysql_login_origin_free(&o);
    ngx_hyperdrive_base_chain_clear(&out);
    free(copy);

    return rc;
}


static void
test_origin(void)
{
    char       *reason;
    u_char      message[256];
    size_t      n;
    ngx_int_t   rc;
    ngx_uint_t  good;

    static char  greeting[] =
        "\0\0\0\0" "\12" "8.4.0\0" "\1\0\0\0" "abcdefgh" "\0" "\377\367"
        "\55" "\2\0" "\377\337" "\25" "\0\0\0\0\0\0" "\0\0\0\0"
        "ijklmnopqrst\0" "caching_sha2_password\0";

    char  text[1024];

    good = 1;

    for (n = 4; n < sizeof(greeting); n++) {
        greeting[0] = n - 4;
        rc = origin(greeting, n, &reason, message);

        /* up to the plugin's name all has to be there */

        good = good && rc == (n < 55 ? NGX_ERROR : NGX_AGAIN);
    }

    ok(good, "a greeting that is cut short");

    greeting[0] = sizeof(greeting) - 1 - 4;
    good = 1;

    for (n = 0; n < sizeof(greeting) - 1; n++) {
        good = good && origin(greeting, n, &reason, message) == NGX_AGAIN;
    }

    ok(good, "a greeting, cut at every byte");

    greeting[4] = 9;
    ok(origin(greeting, sizeof(greeting) - 1, &reason, message) == NGX_ERROR
       && strstr(reason, "version 10"),
       "another protocol");
    greeting[4] = 10;

    ok(origin("\13\0\0\0\377\20\4Too many", 15, &reason, message) == NGX_ERROR
       && strcmp((char *) message, "Too many") == 0,
       "a refusal in place of a greeting");

    memcpy(text, greeting, sizeof(greeting) - 1);
    n = sizeof(greeting) - 1;

    memcpy(text + n, "\1\0\0\2\376", 5);
    ok(origin(text, n + 5, &reason, message) == NGX_ERROR
       && strstr(reason, "mysql_old_password"),
       "a switch to the old password");

    memcpy(text + n, "\20\0\0\2\376client_ed25518\0", 20);
    ok(origin(text, n + 20, &reason, message) == NGX_ERROR
       && strstr((char *) message, "client_ed25518, known"),
       "a switch to a plugin that is not known");

    memcpy(text + n, "\57\0\0\2\376client_ed25519\0"
                     "0123456789012345678901234567890", 51);
    ok(origin(text, n + 51, &reason, message) == NGX_ERROR
       && strstr(reason, "malformed"),
       "a switch to client_ed25519 whose scramble is cut short");

    memcpy(text + n, "\27\0\0\2\376mysql_native_password\0", 27);
    ok(origin(text, n + 27, &reason, message) == NGX_ERROR
       && strstr(reason, "malformed"),
       "a switch without a scramble");

    memcpy(text + n, "\26\0\0\2\376mysql_clear_password\0", 26);
    ok(origin(text, n + 26, &reason, message) == NGX_ERROR
       && strstr(reason, "in clear"),
       "a switch to a password in clear");

    memcpy(text + n, "\2\0\0\2\1\5", 6);
    ok(origin(text, n + 6, &reason, message) == NGX_ERROR,
       "more of a plugin that is not known");

    memcpy(text + n, "\0\0\0\2", 4);
    ok(origin(text, n + 4, &reason, message) == NGX_ERROR,
       "an empty packet");
}


static void
test_greeting(void)
{
    size_t                           n;
    u_char                          *copy;
    ngx_str_t                        s;
    ngx_uint_t                       good;
    ngx_hyperdrive_chain_t           chain;
    ngx_hyperdrive_mysql_greeting_t  in, out;

    memset(&chain, 0, sizeof(chain));
    memset(&in, 0, sizeof(in));

    in.version = str("5.5.5-10.11.6-MariaDB");
    in.offered = 0x1d81fff7feull;
    in.capabilities = 0x81fff7feull;
    in.collation = 8;
    in.status = 2;
    in.changes = str("\1\3\2db");

    ngx_hyperdrive_mysql_greeting_write(&in, &chain);

    good = 1;

    for (n = 0; n <= chain.size; n++) {
        copy = malloc(n ? n : 1);
        memcpy(copy, chain.head->pos, n);
        s.data = copy;
        s.len = n;

        good = good && ngx_hyperdrive_mysql_greeting_read(&s, &out)
                       == (n < chain.size ? NGX_ERROR : NGX_OK);

        if (n == chain.size) {
            good = good && out.offered == in.offered
                   && out.capabilities == in.capabilities
                   && out.collation == 8 && out.status == 2
                   && out.changes.len == 5
                   && ngx_hyperdrive_base_same(&out.version, &in.version)
                   && ngx_hyperdrive_mysql_greeting_mariadb(&s);
        }

        free(copy);
    }

    ok(good, "what an origin has said is kept and read, cut at every byte");

    ngx_hyperdrive_base_chain_clear(&chain);
}


int
main(void)
{
    test_digests();
    test_rsa();
    test_greeting();
    test_login();
    test_unknown();
    test_client();
    test_change();
    test_origin();

    forget();

    return done();
}
