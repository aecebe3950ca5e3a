//! Schemas out of a seed: odd names, keys of several columns, circles, partitions, tables
//! that are referred to and are not there.

use fastrand::Rng;
use underpin_schema::{
    Bound, Column, EnumType, ForeignKey, ObjectName, PartitionBy, PartitionOf, PartitionStrategy,
    PrimaryKey, Schema, Table, Type, Unique, View, ViewColumn,
};

const NAMES: [&str; 22] = [
    "users",
    "order items",
    "Ünïcödé",
    "表",
    "select",
    "end",
    "PK",
    "fk-x",
    "uk",
    "a\"b",
    "100%",
    "x<y>&z",
    "to",
    "u",
    "1",
    "direction TB",
    "c:\\d",
    "naïve#1;",
    "a_name_that_is_as_long_as_names_can_be_on_a_server_of_postgres_",
    "~a~b~",
    "`tick`",
    "{}",
];
const TYPES: [&str; 8] = [
    "integer",
    "bigint",
    "text",
    "character varying(255)",
    "timestamp with time zone",
    "numeric(10,2)",
    "text[]",
    "double precision",
];

/// A schema, and the tables (by their shown names) that each of its references joins.
pub(crate) struct Generated {
    pub(crate) schema: Schema,
    pub(crate) references: Vec<(String, String, String)>,
    pub(crate) absent: usize,
    several: bool,
}

pub(crate) fn schema(seed: u64, tables: usize) -> Generated {
    let mut rng = Rng::with_seed(seed);
    let mut made = Generated {
        schema: Schema::default(),
        references: Vec::new(),
        absent: 0,
        several: rng.bool(),
    };
    let mut names = Vec::new();
    for number in 0..tables {
        let namespace = if made.several && number % 2 == 1 {
            "shop"
        } else {
            "public"
        };
        let name = ObjectName::new(namespace, odd(&mut rng, number));
        let table = table(&mut rng);
        made.schema.tables.insert(name.clone(), table);
        names.push(name);
    }
    made.several &= tables > 1;
    let keys = match rng.u8(0..3) {
        0 => rng.usize(0..=tables / 2),
        1 => tables,
        _ => rng.usize(0..=tables * 2),
    };
    for number in 0..keys {
        let child = names[rng.usize(..tables)].clone();
        // Some tables are referred to more than others.
        let bound = rng.usize(..tables);
        let parent = names[rng.usize(..=bound)].clone();
        made.refer(&mut rng, number, &child, &parent);
    }
    if rng.u8(0..4) == 0 {
        let gone = ObjectName::new("public", "gone");
        made.refer(&mut rng, keys, &names[0], &gone);
        made.absent = 1;
    }
    made.split(&mut rng, &names);
    made.others(&mut rng);
    made
}

fn odd(rng: &mut Rng, number: usize) -> String {
    let name = NAMES[rng.usize(..NAMES.len())];
    // A number keeps names apart, now before, now after what is odd in them.
    match rng.bool() {
        true => format!("{name}{number}"),
        false => format!("t{number}{name}"),
    }
}

fn table(rng: &mut Rng) -> Table {
    let mut table = Table::default();
    for number in 0..rng.usize(1..9) {
        table.columns.push(Column {
            name: odd(rng, number),
            data_type: Type::parse(TYPES[rng.usize(..TYPES.len())]).unwrap(),
            not_null: rng.bool(),
            comment: rng.bool().then(|| "what <it> & \"is\"".to_owned()),
            ..Column::default()
        });
    }
    let some = |rng: &mut Rng, table: &Table| {
        let count = rng.usize(1..=table.columns.len().min(3));
        let names = table.columns.iter().map(|column| column.name.clone());
        rng.choose_multiple(names, count)
    };
    if rng.u8(0..5) > 0 {
        let key = PrimaryKey {
            name: "key".to_owned(),
            columns: some(rng, &table),
            ..PrimaryKey::default()
        };
        table.primary_key = Some(key);
    }
    for number in 0..rng.usize(0..3) {
        let unique = Unique {
            columns: some(rng, &table),
            ..Unique::default()
        };
        table.uniques.insert(format!("unique_{number}"), unique);
    }
    table
}

impl Generated {
    /// The name as a picture has it.
    pub(crate) fn shown(&self, name: &ObjectName) -> String {
        match self.several {
            true => format!("{}.{}", name.namespace, name.name),
            false => name.name.clone(),
        }
    }

    fn refer(&mut self, rng: &mut Rng, number: usize, child: &ObjectName, parent: &ObjectName) {
        let names = |table: &Table, rng: &mut Rng, count| {
            let names = table.columns.iter().map(|column| column.name.clone());
            rng.choose_multiple(names, count)
        };
        let from = &self.schema.tables[child];
        let to = self.schema.tables.get(parent);
        let most = to.map_or(1, |to| to.columns.len().min(from.columns.len()).min(3));
        let count = rng.usize(1..=most);
        let key = ForeignKey {
            columns: names(from, rng, count),
            references: parent.clone(),
            referenced_columns: to
                .map_or_else(|| vec!["id".to_owned()], |to| names(to, rng, count)),
            comment: rng.bool().then(|| "<&>".to_owned()),
            ..ForeignKey::default()
        };
        let name = format!("key_{number}");
        let met = (name.clone(), self.shown(child), self.shown(parent));
        self.references.push(met);
        let table = self.schema.tables.get_mut(child).unwrap();
        table.foreign_keys.insert(name, key);
    }

    /// Splits some tables, one of them into partitions that are split themselves.
    fn split(&mut self, rng: &mut Rng, names: &[ObjectName]) {
        for parent in names.iter().take(2) {
            let mut above = parent.clone();
            for number in 0..rng.usize(0..4) {
                let by = PartitionBy {
                    strategy: PartitionStrategy::Range,
                    keys: Vec::new(),
                };
                let table = self.schema.tables.get_mut(&above).unwrap();
                table.partition_by = Some(by);
                let mut part = table.clone();
                part.partition_by = None;
                for key in part.foreign_keys.values_mut() {
                    key.inherited = true;
                }
                part.partition_of = Some(PartitionOf {
                    parent: above.clone(),
                    bound: Bound::Default,
                });
                let name = parent.sibling(format!("{}_part_{number}", parent.name));
                self.schema.tables.insert(name.clone(), part);
                if rng.bool() {
                    above = name;
                }
            }
        }
    }

    fn others(&mut self, rng: &mut Rng) {
        for number in 0..rng.usize(0..4) {
            let column = ViewColumn {
                name: odd(rng, number),
                data_type: Type::named("text"),
                default: None,
                options: Default::default(),
                comment: None,
            };
            let view = View {
                columns: vec![column],
                ..View::default()
            };
            let name = ObjectName::new("public", format!("view_{number}"));
            self.schema.views.insert(name, view);
            let labels = (0..rng.usize(0..30)).map(|label| odd(rng, label)).collect();
            let name = ObjectName::new("public", format!("enum_{number}"));
            let comment = None;
            self.schema.enums.insert(name, EnumType { labels, comment });
        }
    }

    /// The tables that have a box of their own: all but partitions.
    pub(crate) fn drawn(&self) -> impl Iterator<Item = (&ObjectName, &Table)> {
        let tables = self.schema.tables.iter();
        tables.filter(|(_, table)| table.partition_of.is_none())
    }
}
