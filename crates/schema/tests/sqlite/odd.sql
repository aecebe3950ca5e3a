CREATE TABLE "Customers" (
    "Id" INTEGER PRIMARY KEY,
    Email TEXT NOT NULL COLLATE nocase UNIQUE ON CONFLICT REPLACE,
    "full name" varchar ( 80 ),
    [bracket] text, `tick` text, 'string' text
);
create table orders (
    id integer primary key autoincrement not null,
    customer integer references customers on delete set null on update cascade deferrable initially deferred,
    quantity int not null default 1 check (quantity>0),
    price decimal( 10 , 2 ) not null on conflict ignore constraint positive check (price >= 0) default 0.0,
    total decimal(10,2) generated always as (quantity*price) stored,
    half as (total / 2),
    placed text default current_timestamp,
    note text default 'it''s -- no comment',
    state text default open,
    made real default (julianday ( 'now' )),
    bytes blob default x'00ff',
    minus int default -1,
    plus int default + 2.5e-3,
    yes boolean default true,
    empty default null,
    grouped default ((1)),
    check (quantity < 100 or note is not null)
);
CREATE UNIQUE INDEX "by ""day""" ON orders(date(placed), quantity DESC);
CREATE INDEX by_day ON orders (date ( placed ), quantity desc, note collate NoCase asc, (customer + 1) collate rtrim) WHERE "quantity" > 0 and [note] is not null;
CREATE INDEX collated ON "Customers" (email, email collate binary, lower("full name") || 'x' collate nocase);

-- Names.
CREATE TABLE "select" ("order" INTEGER, "group" text references "select"("or,der"), "or,der" text unique, "a""b" int, "naïve größe" int, "x.y" int, "(" int,
    CHECK ("order" > 0), check ("a""b" <> '"' and "naïve größe" between 1 and 2), unique ("order", "x.y"));
CREATE INDEX "größe" ON "select" ("naïve größe");
CREATE TABLE 'quoted' ('a b' text, b integer check (quoted.b > 0 and "quoted"."a b" <> ''));
CREATE TABLE x63456789012345678901234567890123456789012345678901234567890123 (y63456789012345678901234567890123456789012345678901234567890123 text unique, z text unique);

-- Types.
CREATE TABLE types (a, b "odd type", c unsigned big int, d double precision, e character varying(20), f numeric(+10,-5), g [x y](3), h 'text', i native character ( 70 ), j generated, k int generated always as (a) virtual, l any);
CREATE TABLE strict_one (id INTEGER PRIMARY KEY, a INT, b REAL, c TEXT, d BLOB, e ANY) STRICT;
CREATE TABLE strict_two (a TEXT, b INT, PRIMARY KEY (a, b)) WITHOUT ROWID, STRICT;

-- Keys.
CREATE TABLE key_desc (id INTEGER PRIMARY KEY DESC, x);
CREATE TABLE key_outside (id INTEGER, x, PRIMARY KEY (id DESC));
CREATE TABLE key_auto (id INTEGER, x, CONSTRAINT named PRIMARY KEY (id AUTOINCREMENT));
CREATE TABLE key_named (id TEXT CONSTRAINT "the key" PRIMARY KEY ON CONFLICT REPLACE, x);
CREATE TABLE key_many (a TEXT COLLATE NOCASE, b INT, c INT, PRIMARY KEY (b DESC, a COLLATE BINARY), UNIQUE (a COLLATE RTRIM, c DESC), UNIQUE (a COLLATE nocase) ON CONFLICT IGNORE);
CREATE TABLE key_int (id INT PRIMARY KEY, x);
CREATE TABLE key_not_rowid (id INTEGER PRIMARY KEY, x) WITHOUT ROWID;
CREATE TABLE twice (a UNIQUE UNIQUE, UNIQUE (a), CONSTRAINT c CHECK (a > 0) CONSTRAINT c CHECK (a > 1), CHECK (a > 2), CHECK (a > 3) UNIQUE (a), CONSTRAINT alone);
CREATE TABLE numbers (a, CONSTRAINT numbers_a_check CHECK (a > 0), CHECK (a > 1), CHECK (a > 2), CHECK (a > 3), CHECK (a > 4), CHECK (a > 5), CHECK (a > 6), CHECK (a > 7), CHECK (a > 8), CHECK (a > 9), CHECK (a > 10), CHECK (a > 11), CHECK (a > 12));

-- Foreign keys.
CREATE TABLE node (id INTEGER PRIMARY KEY, parent INTEGER REFERENCES node, other INTEGER REFERENCES node(id) ON DELETE CASCADE);
CREATE TABLE ring_a (id INTEGER PRIMARY KEY, b INTEGER REFERENCES ring_b);
CREATE TABLE ring_b (id INTEGER PRIMARY KEY, a INTEGER NOT NULL REFERENCES ring_a (ID) DEFERRABLE);
CREATE TABLE pairs (x TEXT, y INT, z INT REFERENCES nowhere, FOREIGN KEY (x, y) REFERENCES strict_two MATCH FULL ON DELETE RESTRICT, FOREIGN KEY (y) REFERENCES gone (a) NOT DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT "named" FOREIGN KEY (x, y) REFERENCES strict_two (a, b) ON UPDATE SET DEFAULT ON DELETE NO ACTION);

-- Views and triggers.
CREATE VIEW recent AS SELECT id, note -- what was said
  FROM orders WHERE placed > date('now', '-1 day');
CREATE VIEW "of recent" (one, "two ""2""") AS SELECT id, note FROM recent;
CREATE VIEW with_cte AS WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 3) SELECT i FROM n;
CREATE TRIGGER IF NOT EXISTS touched AFTER UPDATE OF note ON orders WHEN old.note IS NOT new.note
BEGIN
  -- said when
  UPDATE orders SET placed = current_timestamp WHERE id = new.id; SELECT ';';
END;
CREATE TRIGGER "in stead" INSTEAD OF INSERT ON recent BEGIN INSERT INTO orders (note) VALUES (new.note); END;
CREATE TABLE made_of AS SELECT id, note, total AS "the total" FROM orders;
CREATE TABLE altered (a INT, b INT CHECK (b > 0), c INT);
ALTER TABLE altered ADD COLUMN d TEXT NOT NULL DEFAULT 'x' REFERENCES node;
ALTER TABLE altered RENAME COLUMN b TO "New B";
ALTER TABLE altered DROP COLUMN c;
ALTER TABLE altered RENAME TO "Changed";
ALTER TABLE node RENAME TO nodes;
CREATE VIEW broken AS SELECT * FROM not_there;
