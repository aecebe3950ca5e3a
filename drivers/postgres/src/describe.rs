use std::pin::pin;

use bytes::BytesMut;
use tokio_postgres::types::Type;
use tokio_postgres::{Column, Statement};
use underpin_core::{
    ANY_TEXT, Class, ColumnDescription, Deadline, Error, ParameterDescription, Result,
    StatementDescription, Value,
};

use crate::call::Call;
use crate::connection::Connection;
use crate::encode::{Misfit, encode, needs_text};
use crate::kind::{Base, Element, Kind, type_name};
use crate::specimen;

/// Whether each of some columns of tables takes NULL, in their order. Of a view it is not
/// known, and what is no column gives none.
const NULLABLE: &str = "
SELECT CASE WHEN c.relkind IN ('r', 'p', 'f') THEN NOT (a.attnotnull OR t.typnotnull) END
FROM unnest($1::bigint[], $2::int2[]) WITH ORDINALITY AS asked (relation, number, place)
LEFT JOIN pg_catalog.pg_attribute a
    ON a.attrelid = asked.relation::oid AND a.attnum = asked.number AND NOT a.attisdropped
LEFT JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
LEFT JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
ORDER BY asked.place";

impl Connection {
    pub(crate) async fn run_describe(
        &self,
        sql: &str,
        deadline: Deadline,
    ) -> Result<StatementDescription> {
        let call = Call::open(self.session(), deadline)?;
        if !self.session().settings.options.owns_session() {
            return Err(call.refuse(no_statements()));
        }
        if let Err(failure) = call.begin().await {
            return Err(call.fail(failure).await);
        }
        // Not from the cache: the tables may have changed since.
        let prepared = call.wait(pin!(async { described(&call, sql).await })).await;
        match prepared {
            Ok((statement, nullable)) => {
                call.done()?;
                Ok(description(&statement, &nullable))
            }
            Err(failure) => Err(call.fail(failure).await),
        }
    }
}

/// Prepares the statement, and asks the catalog about the columns that it reads.
async fn described(
    call: &Call,
    sql: &str,
) -> Result<(Statement, Vec<Option<bool>>), tokio_postgres::Error> {
    let client = &call.session().client;
    let statement = client.prepare(sql).await?;
    let origin = |column: &Column| (column.table_oid(), column.column_id());
    let origins: Vec<_> = statement.columns().iter().map(origin).collect();
    if origins.iter().all(|(relation, _)| relation.is_none()) {
        let nullable = vec![None; origins.len()];
        return Ok((statement, nullable));
    }
    let (relations, numbers): (Vec<i64>, Vec<i16>) = origins
        .into_iter()
        .map(|(relation, number)| (i64::from(relation.unwrap_or(0)), number.unwrap_or(0)))
        .unzip();
    let rows = client.query(NULLABLE, &[&relations, &numbers]).await?;
    let nullable = rows.iter().map(|row| row.get(0)).collect();
    Ok((statement, nullable))
}

fn description(statement: &Statement, nullable: &[Option<bool>]) -> StatementDescription {
    let columns = statement.columns().iter().zip(nullable);
    StatementDescription {
        parameters: statement.params().iter().map(parameter).collect(),
        columns: columns
            .map(|(column, nullable)| ColumnDescription {
                name: column.name().to_owned(),
                type_name: type_name(column.type_()),
                holds: specimen::holds(column.type_()),
                nullable: *nullable,
            })
            .collect(),
    }
}

fn parameter(type_: &Type) -> ParameterDescription {
    let name = type_name(type_);
    let type_ = type_.clone();
    let kind = Kind::of(&type_);
    ParameterDescription {
        type_name: name.clone(),
        takes: Box::new(move |value| takes(value, kind, &type_, &name)),
    }
}

/// Whether a value can be sent as a parameter of a type; a clause says why not.
fn takes(value: &Value, kind: Kind, type_: &Type, name: &str) -> Result<(), String> {
    if let (Value::Text(text), Some(labels)) = (value, specimen::labels(type_))
        && text != ANY_TEXT
        && !labels.contains(text)
    {
        let labels = labels.join(", ");
        return Err(format!(
            "{text:?} is none of its labels, which are {labels}"
        ));
    }
    let misfit = if text_is_a_slip(value, kind) {
        Misfit::Kind
    } else if needs_text(value, kind) {
        return Ok(());
    } else {
        match encode(value, kind, &mut BytesMut::new()) {
            Ok(()) => return Ok(()),
            Err(misfit) => misfit,
        }
    };
    Err(match misfit {
        Misfit::Kind => format!("{} is not sent as {name}", value.kind()),
        Misfit::Because(why) => why,
    })
}

/// The server reads any type from text, and a program means to have it do so for days,
/// labels and addresses, hardly for what Rust has a type of its own for.
fn text_is_a_slip(value: &Value, kind: Kind) -> bool {
    let own = |base: Base| {
        matches!(
            base,
            Base::Bool | Base::I16 | Base::I32 | Base::I64 | Base::F32 | Base::F64 | Base::Bytes
        )
    };
    match (value, kind) {
        (Value::Text(_), Kind::One(base)) => own(base),
        (Value::Text(_), Kind::Array(_)) => true,
        (Value::Array(values), Kind::Array(Element::One(base))) => {
            own(base) && values.iter().any(|value| matches!(value, Value::Text(_)))
        }
        _ => false,
    }
}

fn no_statements() -> Error {
    Error::new(
        Class::Unsupported,
        "A statement can be described only where statements are prepared, and \
         statement_cache_size is 0.",
    )
    .with_hint("Check statements on a connection to the server itself, without a pooler.")
}
