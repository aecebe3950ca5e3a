CREATE SCHEMA shop;
COMMENT ON SCHEMA shop IS 'all of it';
GRANT USAGE ON SCHEMA shop TO underpin_reader;
GRANT CREATE ON SCHEMA shop TO underpin_keeper;
CREATE TYPE shop.mood AS ENUM ('sad', 'ok');
REVOKE ALL ON TYPE shop.mood FROM PUBLIC;
CREATE COLLATION shop.german (provider = libc, locale = 'C');
CREATE COLLATION shop.unused_collation (provider = libc, lc_collate = 'C', lc_ctype = 'POSIX');
CREATE TYPE shop.address AS (street text COLLATE shop.german, city text, since date);
COMMENT ON COLUMN shop.address.street IS 'of the house';
CREATE TYPE shop.unused AS (a int);
CREATE TYPE shop.span AS RANGE (SUBTYPE = float8, SUBTYPE_DIFF = float8mi);
CREATE FUNCTION shop.times(integer, integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT $1 * $2';
CREATE AGGREGATE shop.product(integer) (SFUNC = shop.times, STYPE = integer, INITCOND = '1', PARALLEL = SAFE);
COMMENT ON AGGREGATE shop.product(integer) IS 'of all';
GRANT EXECUTE ON FUNCTION shop.product(integer) TO underpin_reader;
CREATE FUNCTION shop.same(integer, integer) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1 = $2';
CREATE OPERATOR shop.=== (LEFTARG = integer, RIGHTARG = integer, FUNCTION = shop.same, COMMUTATOR = OPERATOR(shop.===), RESTRICT = eqsel, JOIN = eqjoinsel);
COMMENT ON OPERATOR shop.=== (integer, integer) IS 'the same';
CREATE FUNCTION shop.mood_number(shop.mood) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 1';
CREATE CAST (shop.mood AS integer) WITH FUNCTION shop.mood_number(shop.mood) AS ASSIGNMENT;
CREATE TEXT SEARCH DICTIONARY shop.plain (TEMPLATE = simple, accept = false);
CREATE TEXT SEARCH CONFIGURATION shop.words (COPY = simple);
ALTER TEXT SEARCH CONFIGURATION shop.words ALTER MAPPING FOR word WITH shop.plain, simple;
COMMENT ON TEXT SEARCH CONFIGURATION shop.words IS 'plain ones';
CREATE FUNCTION shop.touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TABLE shop.orders (
    id integer PRIMARY KEY,
    note text COLLATE shop.german,
    tags text[],
    total integer,
    placed date NOT NULL,
    home shop.address,
    during shop.span,
    CONSTRAINT equal CHECK (id OPERATOR(shop.===) id)
);
CREATE UNIQUE INDEX orders_placed ON shop.orders (placed);
CREATE INDEX orders_upper ON shop.orders (upper(note), (total + 1));
CREATE INDEX orders_words ON shop.orders USING gin (to_tsvector('shop.words', note));
ALTER INDEX shop.orders_upper ALTER COLUMN 2 SET STATISTICS 300;
ALTER TABLE shop.orders ALTER note SET STORAGE EXTERNAL, ALTER id SET STATISTICS 500;
ALTER TABLE shop.orders REPLICA IDENTITY USING INDEX orders_placed;
ALTER TABLE shop.orders CLUSTER ON orders_placed;
COMMENT ON INDEX shop.orders_pkey IS 'of the index';
COMMENT ON CONSTRAINT orders_pkey ON shop.orders IS 'of the key';
CREATE RULE quiet AS ON UPDATE TO shop.orders WHERE new.total IS NULL DO INSTEAD NOTHING;
COMMENT ON RULE quiet ON shop.orders IS 'never mind';
CREATE RULE off AS ON DELETE TO shop.orders DO INSTEAD NOTHING;
ALTER TABLE shop.orders DISABLE RULE off;
CREATE TRIGGER touch BEFORE UPDATE ON shop.orders FOR EACH ROW EXECUTE FUNCTION shop.touch();
CREATE STATISTICS shop.pairs (dependencies) ON id, placed FROM shop.orders;
COMMENT ON STATISTICS shop.pairs IS 'of two';
CREATE TYPE shop.shape AS (name text, corners integer);
CREATE TABLE shop.typed OF shop.shape (PRIMARY KEY (name));
CREATE TABLE shop.kept_by (id serial PRIMARY KEY, who text);
ALTER TABLE shop.kept_by OWNER TO underpin_keeper;
GRANT SELECT ON shop.kept_by TO underpin_reader;
REVOKE TRUNCATE ON shop.kept_by FROM underpin_keeper;
CREATE VIEW shop.totals AS SELECT id, total FROM shop.orders;
CREATE VIEW shop.products AS SELECT shop.product(total) AS product FROM shop.orders;
CREATE MATERIALIZED VIEW shop.sums AS SELECT sum(total) AS total FROM shop.orders;
ALTER MATERIALIZED VIEW shop.sums ALTER total SET STATISTICS 100;
GRANT SELECT ON shop.totals TO underpin_reader;
GRANT SELECT ON shop.sums TO underpin_reader;
GRANT SELECT ON shop.orders TO underpin_reader;
GRANT SELECT, INSERT, UPDATE ON shop.orders TO underpin_writer WITH GRANT OPTION;
GRANT SELECT (note), UPDATE (note) ON shop.orders TO underpin_keeper;
CREATE TABLE shop.counted (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY);
GRANT USAGE ON SEQUENCE shop.counted_id_seq TO underpin_reader;
CREATE SEQUENCE shop.free;
GRANT USAGE ON SEQUENCE shop.free TO underpin_reader;
CREATE FUNCTION shop.guarded(a integer) RETURNS integer LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';
REVOKE ALL ON FUNCTION shop.guarded(integer) FROM PUBLIC;
CREATE PROCEDURE shop.work() LANGUAGE sql AS 'SELECT 1';
GRANT EXECUTE ON PROCEDURE shop.work() TO underpin_reader;
ALTER DEFAULT PRIVILEGES IN SCHEMA shop GRANT SELECT ON TABLES TO underpin_reader;
ALTER DEFAULT PRIVILEGES FOR ROLE underpin_keeper REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
CREATE FUNCTION public.watch() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE EVENT TRIGGER underpin_watching ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION public.watch();
ALTER EVENT TRIGGER underpin_watching DISABLE;
