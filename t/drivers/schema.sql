-- Copyright (C) Hyperdrive for nginx authors

-- What the driver programs read and write.  Loaded straight into the
-- database, not through the module: DDL would pin a session.

CREATE TYPE drv_mood AS ENUM ('sad', 'ok', 'happy');
CREATE TYPE drv_pair AS (a int, b text);

CREATE TABLE drv_types (
    id    int PRIMARY KEY,
    i2    int2,
    i4    int4,
    i8    int8,
    f4    float4,
    f8    float8,
    n     numeric,
    t     text,
    vc    varchar(40),
    ch    char(5),
    by    bytea,
    b     bool,
    d     date,
    tm    time,
    ttz   timetz,
    ts    timestamp,
    tstz  timestamptz,
    iv    interval,
    u     uuid,
    j     json,
    jb    jsonb,
    ip    inet,
    ai    int4[],
    at    text[],
    mood  drv_mood,
    pair  drv_pair,
    r     int4range
);

INSERT INTO drv_types VALUES
    (1, 7, 70000, 7000000000, 1.5, 2.25, 12345.6789,
     'plain text', 'varchar', 'ab', '\x00010203feff', true,
     '2024-02-29', '13:14:15.123456', '13:14:15.5+02',
     '2024-02-29 13:14:15.123456', '2024-02-29 13:14:15.123456+00',
     '1 year 2 months 3 days 04:05:06.789',
     'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
     '{"a": [1, 2, {"b": null}]}', '{"k": "v", "n": 1.50}',
     '192.168.1.7/24', '{1,2,NULL,4}', '{"a","b c","quo\"te",NULL}',
     'happy', '(42,"x y")', '[1,10)'),
    (2, -32768, -2147483648, -9223372036854775808, 'NaN', '-Infinity', 'NaN',
     E'\u00e4\u00f6\u00fc \u20ac \U0001F600 \u4e2d\u6587 "q" ''s'' \\ \n\t',
     '', '', '\x', false,
     '0001-01-01', '00:00:00', '23:59:59.999999-11:30',
     '1999-12-31 23:59:59.999999', '1970-01-01 00:00:00+00',
     '-1 days -00:00:00.000001', '00000000-0000-0000-0000-000000000000',
     'null', '[]', '::1', '{}', '{}', 'sad', '(,)', 'empty'),
    (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
     NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
     NULL, NULL, NULL),
    (4, 32767, 2147483647, 9223372036854775807, 'Infinity', 1e308,
     99999999999999999999999999999.00000000000000000001,
     repeat('long ', 20000), 'x', 'abcde', decode(repeat('ab', 3000), 'hex'),
     true, '9999-12-31', '23:59:59.999999', '00:00:00+00',
     '9999-12-31 00:00:00', '2038-01-19 03:14:08+00', '100 years',
     'ffffffff-ffff-ffff-ffff-ffffffffffff', '"s"', '"s"',
     '2001:db8::/32', '{{1,2},{3,4}}', '{{a,b},{c,d}}', 'ok', '(-1,"")',
     '[-5,5)');

CREATE TABLE drv_rows (id int PRIMARY KEY, v text NOT NULL);

INSERT INTO drv_rows SELECT g, md5(g::text) FROM generate_series(1, 10000) g;

CREATE TABLE drv_items (
    who  text,
    id   int,
    v    text,
    PRIMARY KEY (who, id)
);

CREATE TABLE drv_blob (
    who  text PRIMARY KEY,
    v    bytea
);

ALTER TABLE drv_blob ALTER v SET STORAGE EXTERNAL;

ANALYZE drv_types, drv_rows;
