use std::fmt::Write;

/// A schema to measure with: as many columns, indexes and keys a table as MusicBrainz has.
#[derive(Clone, Copy)]
pub(super) struct Sample {
    tables: usize,
    changed: bool,
}

/// How rows are numbered.
#[derive(Clone, Copy)]
pub(super) enum Serial {
    /// By a sequence, on PostgreSQL.
    Sequence,
    /// By the row's own number, on SQLite.
    Row,
}

impl Sample {
    /// For each table ten columns, a primary key, a check, two foreign keys, and two or three
    /// more indexes, some on an expression or a part of the rows.
    pub(super) fn of(tables: usize) -> Self {
        Sample {
            tables,
            changed: false,
        }
    }

    /// The same with five changes to each two tables.
    pub(super) fn changed(self) -> Self {
        Sample {
            changed: true,
            ..self
        }
    }

    /// The statements that make it.
    pub(super) fn sql(self, serial: Serial) -> String {
        let mut sql = String::new();
        for n in 0..self.tables {
            self.table(n, serial, &mut sql).expect("a text takes all");
        }
        sql
    }

    fn table(self, n: usize, serial: Serial, sql: &mut String) -> std::fmt::Result {
        let changed = |of: bool| self.changed && of;
        let either = |of: bool, after: &'static str, before: &'static str| match changed(of) {
            true => after,
            false => before,
        };
        let id = match serial {
            Serial::Sequence => "serial",
            Serial::Row => "integer",
        };
        let not_null = either(n.is_multiple_of(2), " NOT NULL", "");
        let year = match n % 4 {
            0 => either(true, "", "begin_year smallint,"),
            of => either(of == 2, "begin_year integer,", "begin_year smallint,"),
        };
        let least = either(n % 4 == 3, "> -1", ">= 0");
        let added = either(true, "rating smallint,", "");
        let of_type = either(n % 4 == 1, "type DESC", "type");
        // Nothing refers to what refers to it, and no chain is long: the peer follows each.
        let (parent, kind) = (n / 2, n % 20);
        writeln!(
            sql,
            "CREATE TABLE entity_{n} (
               id {id} PRIMARY KEY, gid uuid NOT NULL, name varchar NOT NULL,
               parent integer NOT NULL, type integer{not_null}, comment varchar(255) NOT NULL DEFAULT '',
               {year} ended boolean NOT NULL DEFAULT false,
               edits_pending integer NOT NULL DEFAULT 0,
               last_updated timestamp with time zone DEFAULT CURRENT_TIMESTAMP, {added}
               CONSTRAINT entity_{n}_edits CHECK (edits_pending {least}),
               CONSTRAINT entity_{n}_of FOREIGN KEY (parent) REFERENCES entity_{parent} (id),
               CONSTRAINT entity_{n}_kind FOREIGN KEY (type) REFERENCES entity_{kind} (id) ON DELETE CASCADE
             );
             CREATE UNIQUE INDEX entity_{n}_gid ON entity_{n} (gid);
             CREATE INDEX entity_{n}_parent ON entity_{n} (parent, {of_type});"
        )?;
        match n % 4 {
            0 => writeln!(
                sql,
                "CREATE INDEX entity_{n}_name ON entity_{n} (lower(name));"
            ),
            2 => writeln!(
                sql,
                "CREATE INDEX entity_{n}_name ON entity_{n} (name) WHERE edits_pending > 0;"
            ),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_hundred_tables_are_of_the_size_that_is_meant() {
        let sql = Sample::of(400).sql(Serial::Sequence);
        let count = |what: &str| sql.matches(what).count();
        assert_eq!(count("CREATE TABLE"), 400);
        assert_eq!(count("FOREIGN KEY"), 800);
        // Besides those of the primary keys.
        assert_eq!(count("CREATE INDEX") + count("CREATE UNIQUE INDEX"), 1000);
    }
}
