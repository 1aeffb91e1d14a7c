-- What t/drivers/leaks.c expects: a table of one name in six schemas, and roles
-- that may all read them.

CREATE TABLE public.whoami (name text);
INSERT INTO public.whoami VALUES ('public');
GRANT SELECT ON public.whoami TO public;

CREATE SCHEMA s0;
CREATE SCHEMA s1;
CREATE SCHEMA s2;
CREATE SCHEMA s3;
CREATE SCHEMA s4;
GRANT USAGE ON SCHEMA s0, s1, s2, s3, s4 TO public;

CREATE TABLE s0.whoami AS SELECT 's0'::text AS name;
CREATE TABLE s1.whoami AS SELECT 's1'::text AS name;
CREATE TABLE s2.whoami AS SELECT 's2'::text AS name;
CREATE TABLE s3.whoami AS SELECT 's3'::text AS name;
CREATE TABLE s4.whoami AS SELECT 's4'::text AS name;
GRANT SELECT ON s0.whoami, s1.whoami, s2.whoami, s3.whoami, s4.whoami TO public;

CREATE ROLE role0;
CREATE ROLE role1;
CREATE ROLE role2;
CREATE ROLE role3;
CREATE ROLE role4;
GRANT role0, role1, role2, role3, role4 TO app;
GRANT TEMPORARY ON DATABASE shop TO public;
