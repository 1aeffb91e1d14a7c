/* sources: state/ngx_hyperdrive_state_stmt.c state/ngx_hyperdrive_state_names.c */

/*
 * Copyright (C) Hyperdrive for nginx authors
 */


/* Tests of the statements, of clients' names and of what an origin knows. */


#include "state/ngx_hyperdrive_state_stmt.h"
#include "check.h"


#define SIZE  sizeof(ngx_hyperdrive_state_stmt_t)


static ngx_uint_t                        nclassified;
static ngx_hyperdrive_state_registry_t  *registry;

/* not read, and not a leak */
static ngx_hyperdrive_state_registry_t  *volatile other;


static void
classify(ngx_str_t *text, ngx_uint_t mode, ngx_hyperdrive_state_plan_t *plan)
{
    nclassified++;

    plan->kind = text->len;
    plan->read = (text->len && text->data[0] == 'S');
}


static ngx_str_t
str(const char *s)
{
    ngx_str_t  v;

    v.data = (u_char *) s;
    v.len = strlen(s);

    return v;
}


static void
describe(ngx_hyperdrive_state_stmt_t *stmt, uint64_t epoch, const char *s,
    uint64_t shape)
{
    ngx_hyperdrive_state_stmt_describe(registry, stmt, epoch, (u_char *) s,
                                       strlen(s), shape);
}


static ngx_hyperdrive_state_stmt_t *
get(const char *s, const char *t, ngx_uint_t mode)
{
    ngx_str_t  text, types;

    text = str(s);
    types = str(t);

    if (types.len == 0) {
        types.data = NULL;
    }

    return ngx_hyperdrive_state_stmt_get(registry, &text, &types, mode);
}


static void
put(ngx_hyperdrive_state_stmt_t *stmt)
{
    ngx_hyperdrive_state_stmt_unref(registry, stmt);
}


static void
test_registry(void)
{
    char                          text[64];
    ngx_uint_t                    i, good;
    ngx_hyperdrive_state_stmt_t  *a, *b, *c, *d, *many[9000];
    ngx_hyperdrive_state_desc_t  *desc;

    registry = ngx_hyperdrive_state_registry_create(4 * SIZE, classify);

    a = get("SELECT 1", "", 0);
    ok(a && a->refs == 1 && a->len == 8
       && strcmp((char *) a->text, "SELECT 1") == 0 && a->types_len == 0,
       "a statement");
    ok(nclassified == 1 && a->plan.kind == 8 && a->plan.read,
       "its text is classified");

    b = get("SELECT 1", "", 0);
    ok(b == a && a->refs == 2 && nclassified == 1,
       "the same text is the same statement, not classified again");

    c = get("SELECT 2", "", 0);
    d = get("SELECT 1", "\1\2\3\4\5\6", 0);
    ok(c != a && d != a && d->types_len == 6
       && ngx_memcmp(d->types, "\1\2\3\4\5\6", 6) == 0,
       "another text or other types are another statement");

    put(b);
    b = get("SELECT 1", "", 1);
    ok(b != a && b->mode == 1, "another mode is another statement");
    put(b);

    b = get("SELECT 1", "\1\2\3\4\5\7", 0);
    ok(b != a && b != d, "types are compared");
    put(b);

    /* an empty text, and one with types that look like the end of a text */

    b = get("", "", 0);
    ok(b->len == 0 && b->text[0] == '\0', "an empty text");
    put(b);

    put(c);
    put(d);

    a->id = 5;
    put(a);

    nclassified = 0;
    b = get("SELECT 1", "", 0);
    ok(b == a && b->refs == 1 && b->id == 5 && nclassified == 0,
       "one that nobody refers to is kept");

    /* what is referred to is not freed, whatever the bound says */

    good = 1;

    for (i = 0; i < 100; i++) {
        snprintf(text, sizeof(text), "SELECT %d", (int) i + 1000);
        put(get(text, "", 0));
    }

    nclassified = 0;
    c = get("SELECT 1", "", 0);
    ok(c == a && c->refs == 2 && nclassified == 0,
       "one that is referred to outlives many others");

    c = get("SELECT 1099", "", 0);
    ok(nclassified == 0, "the last one is kept");
    put(c);

    c = get("SELECT 1000", "", 0);
    ok(nclassified == 1, "an old one is not");
    put(c);

    /* one that is asked for now and then stays, among many that are not */

    put(get("SELECT again", "", 0));

    for (i = 0; i < 100; i++) {
        snprintf(text, sizeof(text), "SELECT %d", (int) i + 2000);
        put(get(text, "", 0));

        if (i % 2 == 0) {
            put(get("SELECT again", "", 0));
        }
    }

    nclassified = 0;
    put(get("SELECT again", "", 0));
    ok(nclassified == 0, "one that is used stays");

    put(get("SELECT 2001", "", 0));
    ok(nclassified == 1, "those that are not go");

    put(a);
    put(a);

    /* more than there are buckets to begin with */

    for (i = 0; i < 9000; i++) {
        snprintf(text, sizeof(text), "SELECT %d FROM t", (int) i);
        many[i] = get(text, "", 0);
    }

    nclassified = 0;

    for (i = 0; i < 9000; i++) {
        snprintf(text, sizeof(text), "SELECT %d FROM t", (int) i);
        a = get(text, "", 0);
        good &= (a == many[i]);
        put(a);
    }

    ok(good && nclassified == 0, "9000 at once, all found again");

    for (i = 0; i < 9000; i++) {
        put(many[i]);
    }

    for (i = 0; i < 9000; i++) {
        put(get("SELECT x", "", 0));
        put(get("SELECT y", "", 0));
    }

    nclassified = 0;
    put(get("SELECT 17 FROM t", "", 0));
    ok(nclassified == 1, "without references they go");

    /* descriptions */

    a = get("SELECT d", "", 0);
    describe(a, 0, "tRRR", 77);
    describe(a, NGX_HYPERDRIVE_STATE_CHANGING, "tRRR", 77);
    ok(a->descs == NULL, "described in no epoch");

    describe(a, 5, "", 0);
    desc = ngx_hyperdrive_state_stmt_described(a, 5);
    ok(desc && desc->len == 0, "prepared in an epoch");
    ok(ngx_hyperdrive_state_stmt_described(a, 4) == NULL
       && ngx_hyperdrive_state_stmt_described(a, 6) == NULL, "in no other");

    describe(a, 5, "ttttRR", 77);
    desc = ngx_hyperdrive_state_stmt_described(a, 5);
    ok(desc && desc->len == 6 && desc->shape == 77
       && ngx_memcmp(desc->data, "ttttRR", 6) == 0, "described in it");

    describe(a, 5, "", 0);
    desc = ngx_hyperdrive_state_stmt_described(a, 5);
    ok(desc && desc->len == 6, "and prepared once more");

    describe(a, 5, "tRRR", 78);
    desc = ngx_hyperdrive_state_stmt_described(a, 5);
    ok(desc && desc->len == 4 && desc->shape == 78
       && a->descs == desc && desc->next == NULL,
       "described in another way: the last one counts");

    for (i = 10; i < 30; i++) {
        describe(a, i, "tRRR", i);
        (void) ngx_hyperdrive_state_stmt_described(a, 5);
    }

    for (i = 0, desc = a->descs; desc; desc = desc->next) {
        i++;
    }

    ok(i == 8 && ngx_hyperdrive_state_stmt_described(a, 5)
       && ngx_hyperdrive_state_stmt_described(a, 29)
       && ngx_hyperdrive_state_stmt_described(a, 10) == NULL,
       "eight epochs, the last used stay");
    put(a);
}


/* few long ones do not wait until many short ones have been passed */

static void
test_long(void)
{
    char        *text;
    size_t       len;
    ngx_uint_t   i;

    len = 300 * SIZE;

    other = registry;
    registry = ngx_hyperdrive_state_registry_create(1000 * SIZE, classify);
    text = calloc(1, len + 1);

    for (i = 0; i < 900; i++) {
        snprintf(text, 64, "SELECT %d", (int) i);
        put(get(text, "", 0));
        put(get(text, "", 0));
    }

    ngx_memset(text, 'x', len);

    for (i = 0; i < 10; i++) {
        text[0] = 'a' + i;
        put(get(text, "", 0));
    }

    nclassified = 0;
    put(get(text, "", 0));
    ok(nclassified == 0, "a long one is kept");

    text[0] = 'a';
    put(get(text, "", 0));
    ok(nclassified == 1, "no more of them than there is room for");

    free(text);
}


static void
test_names(void)
{
    char                           text[64], *long_name;
    ngx_str_t                      name;
    ngx_uint_t                     i, good;
    ngx_hyperdrive_state_name_t   *a, *b, *all[300];
    ngx_hyperdrive_state_names_t   names;
    ngx_hyperdrive_state_stmt_t   *stmt;

    ngx_memzero(&names, sizeof(ngx_hyperdrive_state_names_t));

    stmt = get("SELECT n", "", 0);

    name = str("a");
    ok(ngx_hyperdrive_state_names_find(&names, &name) == NULL,
       "no names, nothing found");

    a = ngx_hyperdrive_state_names_add(&names, &name,
                                       ngx_hyperdrive_state_stmt_ref(stmt));
    ok(a && a->stmt == stmt && a->len == 1 && a->shape == 0 && names.n == 1
       && ngx_hyperdrive_state_names_find(&names, &name) == a, "a name");

    name = str("b");
    ok(ngx_hyperdrive_state_names_find(&names, &name) == NULL,
       "another name is not found");

    ngx_hyperdrive_state_names_unlink(&names, a);
    name = str("a");
    ok(names.n == 0
       && ngx_hyperdrive_state_names_find(&names, &name) == NULL
       && a->stmt == stmt, "unlinked: not found, and the caller's");

    ngx_hyperdrive_state_names_link(&names, a);
    ok(ngx_hyperdrive_state_names_find(&names, &name) == a, "linked again");

    long_name = malloc(NGX_HYPERDRIVE_MAX_NAME);
    ngx_memset(long_name, 'x', NGX_HYPERDRIVE_MAX_NAME);
    name.data = (u_char *) long_name;
    name.len = NGX_HYPERDRIVE_MAX_NAME;

    b = ngx_hyperdrive_state_names_add(&names, &name,
                                       ngx_hyperdrive_state_stmt_ref(stmt));
    name.len--;
    ok(b && ngx_hyperdrive_state_names_find(&names, &name) == NULL,
       "a long name; its beginning is another one");
    free(long_name);

    good = 1;

    for (i = 0; i < 300; i++) {
        snprintf(text, sizeof(text), "s%d", (int) i);
        name = str(text);
        all[i] = ngx_hyperdrive_state_names_add(&names, &name,
                                        ngx_hyperdrive_state_stmt_ref(stmt));
    }

    for (i = 0; i < 300; i++) {
        snprintf(text, sizeof(text), "s%d", (int) i);
        name = str(text);
        good &= ngx_hyperdrive_state_names_find(&names, &name) == all[i];
    }

    ok(good && names.n == 302, "300 names, all found");
    ok(names.bytes > 302 * (SIZE + stmt->len)
       && !ngx_hyperdrive_state_names_full(&names),
       "what they take is counted");

    for (i = 0; i < 300; i += 2) {
        ngx_hyperdrive_state_names_unlink(&names, all[i]);
        put(all[i]->stmt);
        free(all[i]);
    }

    for (i = 0; i < 300; i++) {
        snprintf(text, sizeof(text), "s%d", (int) i);
        name = str(text);
        good &= ngx_hyperdrive_state_names_find(&names, &name)
                == (i % 2 ? all[i] : NULL);
    }

    ok(good && names.n == 152 && names.bytes < 200 * (2 * SIZE),
       "every other is taken out");

    ngx_hyperdrive_state_names_clear(&names, registry);
    ok(names.n == 0 && names.buckets == NULL && names.bytes == 0
       && stmt->refs == 1,
       "cleared, the references are gone");

    put(stmt);
}


static void
test_set(void)
{
    uint64_t                      id;
    ngx_uint_t                    good;
    ngx_hyperdrive_state_set_t    set;
    ngx_hyperdrive_state_item_t  *item;

    ngx_memzero(&set, sizeof(ngx_hyperdrive_state_set_t));

    ok(ngx_hyperdrive_state_set_find(&set, 1) == NULL
       && ngx_hyperdrive_state_set_oldest(&set) == NULL, "an empty set");

    ngx_hyperdrive_state_set_remove(&set, 1);

    for (id = 1; id <= 200; id++) {
        item = ngx_hyperdrive_state_set_add(&set, id);
    }

    good = (set.n == 200) && item->group == 0 && item->shape == 0;

    for (id = 1; id <= 200; id++) {
        item = ngx_hyperdrive_state_set_find(&set, id);
        good &= (item && item->id == id);
    }

    ok(good, "200 are found");
    ok(ngx_hyperdrive_state_set_oldest(&set)->id == 1,
       "the first one is the oldest");

    ngx_hyperdrive_state_set_touch(&set,
                                   ngx_hyperdrive_state_set_find(&set, 1));
    ngx_hyperdrive_state_set_touch(&set,
                                   ngx_hyperdrive_state_set_find(&set, 1));
    ngx_hyperdrive_state_set_touch(&set,
                                   ngx_hyperdrive_state_set_find(&set, 100));
    ok(ngx_hyperdrive_state_set_oldest(&set)->id == 2,
       "until it is used");

    /* taken out in the order of use */

    good = 1;

    for (id = 2; id <= 200; id++) {

        if (id == 100) {
            continue;
        }

        item = ngx_hyperdrive_state_set_oldest(&set);
        good &= (item->id == id);
        ngx_hyperdrive_state_set_remove(&set, item->id);
        good &= (ngx_hyperdrive_state_set_find(&set, id) == NULL);
    }

    ok(good && set.n == 2, "evicted in the order of their use");
    ok(ngx_hyperdrive_state_set_oldest(&set)->id == 1, "the used ones stay");

    ngx_hyperdrive_state_set_remove(&set, 12345);
    ok(set.n == 2, "one that is not there is not taken out");

    ngx_hyperdrive_state_set_clear(&set);
    ok(set.n == 0 && ngx_hyperdrive_state_set_oldest(&set) == NULL,
       "cleared");

    (void) ngx_hyperdrive_state_set_add(&set, (uint64_t) -1);
    ok(ngx_hyperdrive_state_set_find(&set, (uint64_t) -1) != NULL,
       "and used again");
    ngx_hyperdrive_state_set_clear(&set);
}


int
main(void)
{
    test_registry();
    test_long();
    test_names();
    test_set();

    return done();
}
