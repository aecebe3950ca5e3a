use underpin::schema::{Index, IndexKey, ObjectName, Table};

use super::Generator;
use super::names::ident;
use super::tables::plain_columns;

impl Generator {
    pub(super) fn index(&mut self, table: &mut Table) {
        let mut columns = plain_columns(table);
        self.rng.shuffle(&mut columns);
        let mut index = Index {
            unique: self.chance(25),
            comment: self.comment(),
            ..Index::default()
        };
        let many = self.rng.usize(1..3);
        for column in columns.iter().take(many) {
            let mut key = match self.chance(30) {
                true => IndexKey::expression(format!("lower({})", ident(column))),
                false => IndexKey::column(column.clone()),
            };
            let own = &table.column(column).unwrap().collation;
            if self.chance(25) && own.is_none() {
                key.collation = Some(ObjectName::new("main", "NOCASE"));
            }
            key.descending = self.chance(30);
            key.nulls_first = key.descending;
            index.keys.push(key);
        }
        if self.chance(30) {
            let column = ident(&columns[0]);
            index.predicate = Some(format!("{column} IS NOT NULL AND {column} <> -1").into());
        }
        let name = self.name("idx");
        table.indexes.insert(name, index);
    }
}
