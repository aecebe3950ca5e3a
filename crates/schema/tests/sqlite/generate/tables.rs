use underpin::schema::{
    Column, Conflict, Generated, GeneratedKind, Identity, KeyOrder, ObjectName, PrimaryKey,
    SequenceOptions, Table, Trigger, TriggerState, Type,
};

use super::Generator;
use super::names::{ident, quoted};

/// What can be declared, and a default for it.
const TYPES: [(&str, &[&str], &str); 12] = [
    ("INTEGER", &[], "-7"),
    ("TEXT", &[], "'it''s'"),
    ("REAL", &[], "1.5e-3"),
    ("BLOB", &[], "x'00ff'"),
    ("NUMERIC", &[], "abs(-3)"),
    ("varchar", &["20"], "lower('X') || CURRENT_TIMESTAMP"),
    ("decimal", &["10", "2"], "(1 + 2) * 3"),
    ("BOOLEAN", &[], "TRUE"),
    ("unsigned big int", &[], "+5"),
    ("double precision", &[], "CAST('1.5' AS REAL)"),
    ("\"odd type\"", &[], "NULL"),
    ("", &[], "CURRENT_DATE"),
];

/// The types of strict tables.
const STRICT: [(&str, &[&str], &str); 6] = [
    ("INT", &[], "1"),
    ("INTEGER", &[], "2"),
    ("REAL", &[], "3.5"),
    ("TEXT", &[], "'t'"),
    ("BLOB", &[], "x'0f'"),
    ("ANY", &[], "'any'"),
];

impl Generator {
    pub(super) fn table(&mut self) {
        let name = self.main("tb");
        let table = self.new_table(&name);
        self.schema.tables.insert(name, table);
    }

    pub(super) fn new_table(&mut self, name: &ObjectName) -> Table {
        let mut table = Table {
            comment: self.comment(),
            ..Table::default()
        };
        for option in ["strict", "without_rowid"] {
            if self.chance(20) {
                table.options.insert(option.to_owned(), "true".to_owned());
            }
        }
        self.key(name, &mut table);
        for _ in 0..self.rng.usize(1..7) {
            let column = self.column(&table);
            table.columns.push(column);
        }
        for _ in 0..self.rng.usize(0..2) {
            self.generated_column(&mut table);
        }
        self.constraints(name, &mut table);
        for _ in 0..self.rng.usize(0..4) {
            self.index(&mut table);
        }
        self.trigger(name, &mut table);
        table
    }

    /// The columns of the primary key, and it, if there is one.
    fn key(&mut self, name: &ObjectName, table: &mut Table) {
        let has = |option: &str| table.options.contains_key(option);
        let (strict, without_rowid) = (has("strict"), has("without_rowid"));
        let kind = match self.rng.u8(0..7) {
            0 if without_rowid => 1,
            kind => kind,
        };
        if kind == 0 {
            return;
        }
        let mut key = PrimaryKey {
            name: format!("{}_pkey", name.name),
            ..PrimaryKey::default()
        };
        if self.chance(30) || key.name.len() > 63 {
            key.name = self.name("pkey");
        }
        let types: &[&str] = match kind {
            1..=3 => &["INTEGER"],
            4 => &["TEXT"],
            _ => &["INTEGER", "TEXT"],
        };
        for data_type in types {
            let mut column = self.column(table);
            column.name = self.name("id");
            column.data_type = Type::named(*data_type);
            (column.default, column.collation) = (None, None);
            column.not_null |= strict || without_rowid;
            key.columns.push(column.name.clone());
            table.columns.push(column);
        }
        let first = &mut table.columns[0];
        let descending = kind == 3 || types.len() == 2 && self.chance(30);
        if descending {
            let order = KeyOrder {
                descending,
                collation: None,
            };
            key.orders.insert(key.columns[0].clone(), order);
        } else if types == ["INTEGER"] && !without_rowid {
            first.not_null = true;
            first.not_null_conflict = Conflict::Abort;
            first.identity = (kind == 2).then(|| Identity {
                always: false,
                sequence: None,
                options: SequenceOptions::of_type("bigint"),
            });
        }
        if types.len() == 2 {
            key.comment = self.comment();
            if self.chance(30) {
                let order = KeyOrder {
                    collation: Some(ObjectName::new("main", "RTRIM")),
                    descending: false,
                };
                key.orders.insert(key.columns[1].clone(), order);
            }
        }
        if first.identity.is_none() {
            key.conflict = self.conflict();
        }
        table.primary_key = Some(key);
    }

    pub(super) fn conflict(&mut self) -> Conflict {
        let some = [
            Conflict::Rollback,
            Conflict::Fail,
            Conflict::Ignore,
            Conflict::Replace,
        ];
        match self.chance(20) {
            true => self.rng.choice(some).unwrap(),
            false => Conflict::Abort,
        }
    }

    pub(super) fn column(&mut self, table: &Table) -> Column {
        let strict = table.options.contains_key("strict");
        let (name, parameters, default) = match strict {
            true => self.rng.choice(STRICT).unwrap(),
            false => self.rng.choice(TYPES).unwrap(),
        };
        let data_type = Type {
            parameters: parameters.iter().map(|one| (*one).to_owned()).collect(),
            ..Type::named(name)
        };
        let not_null = self.chance(30);
        let null = default == "NULL" && not_null;
        let collation = self.rng.choice(["NOCASE", "RTRIM", "mine"]).unwrap();
        let own = collation != "mine";
        Column {
            name: self.name("col"),
            data_type,
            not_null,
            not_null_conflict: match not_null {
                true => self.conflict(),
                false => Conflict::Abort,
            },
            default: (self.chance(40) && !null).then(|| default.into()),
            collation: (self.chance(25) && own).then(|| ObjectName::new("main", collation)),
            comment: self.comment(),
            ..Column::default()
        }
    }

    pub(super) fn generated_column(&mut self, table: &mut Table) {
        let columns: Vec<String> = plain_columns(table);
        let of = ident(&self.rng.choice(columns).unwrap());
        let expression = [
            format!("{of} || 'x'"),
            format!("coalesce({of}, 1)"),
            format!("CASE WHEN {of} IS NULL THEN -1 ELSE {of} END"),
        ];
        let strict = table.options.contains_key("strict");
        let name = if strict { "ANY" } else { "" };
        let expression = self.rng.choice(expression).unwrap().into();
        let kind = match self.rng.bool() {
            true => GeneratedKind::Stored,
            false => GeneratedKind::Virtual,
        };
        table.columns.push(Column {
            name: self.name("made"),
            data_type: Type::named(name),
            generated: Some(Generated { expression, kind }),
            comment: self.comment(),
            ..Column::default()
        });
    }

    pub(super) fn trigger(&mut self, table: &ObjectName, of: &mut Table) {
        if !self.chance(40) {
            return;
        }
        let columns = plain_columns(of);
        let (name, column) = (self.name("trg"), self.rng.choice(columns).unwrap());
        let (column, table) = (quoted(&column), quoted(&table.name));
        let definition = format!(
            "CREATE TRIGGER {} AFTER UPDATE ON {table} WHEN new.{column} IS NULL BEGIN\n  \
             -- what was; is gone\n  DELETE FROM {table} WHERE {column} = old.{column};\nEND",
            quoted(&name)
        );
        of.triggers.insert(name, trigger(&definition));
    }
}

pub(super) fn trigger(definition: &str) -> Trigger {
    Trigger {
        definition: definition.into(),
        function: None,
        state: TriggerState::Enabled,
        inherited: false,
        comment: None,
    }
}

/// The columns that are not computed.
pub(super) fn plain_columns(table: &Table) -> Vec<String> {
    let columns = table.columns.iter();
    let columns = columns.filter(|column| column.generated.is_none());
    columns.map(|column| column.name.clone()).collect()
}
