//! The table in which a copy notes which tables of the target it has finished, until it ends. A
//! note is written in the transaction of the table's rows.

use std::collections::BTreeMap;

use underpin_core::driver::BulkTarget;
use underpin_core::{Class, Deadline, Engine, Error, Result, Value};
use underpin_schema::{ObjectName, Schema, SchemaDialect, Table, Type};

use crate::checksum::Checksum;
use crate::client::Client;
use crate::dialect::CopyDialect;

/// Its name, in the namespace that every database of the target's engine has.
pub(crate) const RECORD: &str = "_underpin_copy";

const COLUMNS: [&str; 3] = ["table_name", "row_count", "checksum"];

/// Stands in place of a table's name, for a run that creates what the target lacks. No table of a
/// target has a name without a namespace.
const CREATES: &str = "--create";

/// What a run has noted.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    /// The tables that were finished, by their names, with their checksums.
    pub(crate) finished: BTreeMap<String, Checksum>,
    /// Whether it creates what the target lacks, the last of it at its end.
    pub(crate) creates: bool,
}

/// The table of the notes of a target.
pub(crate) struct Record {
    /// Its name in SQL.
    name: String,
    engine: Engine,
}

impl Record {
    pub(crate) fn new(engine: Engine) -> Result<Self> {
        let name = object(engine)?;
        Ok(Record {
            name: (CopyDialect::of(engine)?.table_name)(&name)?,
            engine,
        })
    }

    /// The notes of an earlier run, which has not ended; none where there was no such run.
    pub(crate) async fn read(&self, client: &Client, there: &Schema) -> Result<Option<Notes>> {
        if !there.tables.contains_key(&object(self.engine)?) {
            return Ok(None);
        }
        let sql = format!("SELECT {} FROM {}", COLUMNS.join(", "), self.name);
        let rows: Vec<(String, i64, String)> = client.rows(&sql, &[]).await?;
        let mut notes = Notes::default();
        for (table, rows, sum) in rows {
            if table == CREATES {
                notes.creates = true;
                continue;
            }
            let rows = u64::try_from(rows).ok();
            let sum = rows.and_then(|rows| Checksum::parse(&sum, rows));
            let sum = sum.ok_or_else(|| {
                let message = format!("The table {RECORD} of the target is not what a copy notes.");
                Error::new(Class::Data, message).with_hint("Drop it, and copy again.")
            })?;
            notes.finished.insert(table, sum);
        }
        Ok(Some(notes))
    }

    /// The statements that create the table.
    pub(crate) fn creation(&self) -> Result<Vec<String>> {
        let rules = CopyDialect::target_of(self.engine)?;
        let kinds = [crate::Kind::TEXT, crate::Kind::I64, crate::Kind::TEXT];
        let columns = COLUMNS.iter().zip(&kinds).map(|(name, kind)| {
            let of: Type = (rules.type_of)(kind, false);
            underpin_schema::Column {
                name: (*name).to_owned(),
                data_type: of,
                not_null: true,
                ..Default::default()
            }
        });
        let table = Table {
            columns: columns.collect(),
            ..Table::default()
        };
        let mut schema = Schema::default();
        schema.tables.insert(object(self.engine)?, table);
        (SchemaDialect::of(self.engine)?.dump)(&schema)
    }

    /// The statement that notes a run which creates what the target lacks.
    pub(crate) fn creates(&self) -> String {
        let (name, zeros) = (crate::portable::text(CREATES), Checksum::default());
        format!(
            "INSERT INTO {} ({}) VALUES ({name}, 0, '{zeros}')",
            self.name,
            COLUMNS.join(", ")
        )
    }

    /// Notes that a table is finished.
    pub(crate) async fn note(
        &self,
        client: &Client,
        table: &ObjectName,
        sum: Checksum,
    ) -> Result<()> {
        let row = [
            Value::Text(table.to_string()),
            Value::I64(i64::try_from(sum.rows).unwrap_or(i64::MAX)),
            Value::Text(sum.to_string()),
        ];
        let target = BulkTarget {
            table: &self.name,
            columns: &COLUMNS,
        };
        let mut rows = std::iter::once(row);
        let driver = client.driver();
        driver
            .insert_rows(target, &mut rows, Deadline::NONE)
            .await?;
        Ok(())
    }

    /// The statement that forgets what was noted of a table.
    pub(crate) fn forget(&self, table: &ObjectName) -> String {
        let text = crate::portable::text(&table.to_string());
        format!("DELETE FROM {} WHERE {} = {text}", self.name, COLUMNS[0])
    }

    /// Drops the table.
    pub(crate) async fn drop(&self, client: &Client) -> Result<()> {
        client.batch(&format!("DROP TABLE {}", self.name)).await
    }
}

fn object(engine: Engine) -> Result<ObjectName> {
    let namespace = SchemaDialect::of(engine)?.first_namespace;
    Ok(ObjectName::new(namespace, RECORD))
}
