use std::pin::pin;

use bytes::{BufMut, BytesMut};
use postgres_types::{ToSql, Type};
use underpin_core::{
    ANY_TEXT, Class, ColumnDescription, Deadline, Error, ParameterDescription, Result,
    StatementDescription, Value,
};

use crate::call::{Call, Failure};
use crate::connection::Connection;
use crate::encode::{Misfit, encode, needs_text};
use crate::kind::{Base, Element, Kind, type_name};
use crate::session::answered;
use crate::specimen;
use crate::statements::Prepared;
use crate::wire::body::Values;
use crate::wire::put;
use crate::wire::request::steps;

/// Whether each of the given columns of tables takes NULL, in order. For a view it is not known,
/// and an expression has no column.
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
            Ok((prepared, nullable)) => {
                call.done()?;
                Ok(description(&prepared, &nullable))
            }
            Err(failure) => Err(call.fail(failure).await),
        }
    }
}

/// Prepares the statement, and queries the catalog about the columns that it reads.
async fn described(call: &Call, sql: &str) -> Result<(Prepared, Vec<Option<bool>>), Failure> {
    let prepared = call.session().prepare(sql).await?;
    let fields = prepared.fields.iter();
    if fields.clone().all(|field| field.origin.is_none()) {
        let nullable = vec![None; fields.len()];
        return Ok((prepared, nullable));
    }
    let origins = fields.map(|field| field.origin.unwrap_or_default());
    let (relations, numbers) = origins
        .map(|(relation, number)| (i64::from(relation), number))
        .unzip();
    let nullable = nullable(call, relations, numbers).await?;
    Ok((prepared, nullable))
}

async fn nullable(
    call: &Call,
    relations: Vec<i64>,
    numbers: Vec<i16>,
) -> Result<Vec<Option<bool>>, Failure> {
    let asked = call.session().wire.ask(|machine, reply| {
        machine.extended(reply, None, |out| {
            put::parse(out, "", NULLABLE, [].into_iter())?;
            put::message(out, b'B', |out| {
                out.put_slice(&[0, 0, 0, 1, 0, 1, 0, 2]);
                array(out, &relations, &Type::INT8_ARRAY)?;
                array(out, &numbers, &Type::INT2_ARRAY)?;
                put::formats(out, &[]);
                Ok(())
            })?;
            put::execute(out, "", 0);
            Ok(steps::PARSE | steps::BIND | steps::EXECUTE)
        })
    });
    let mut answer = answered(asked)?;
    let mut nullable = Vec::new();
    while answer.more().await? {
        while let Some(frame) = answer.next() {
            if frame.tag == b'D' {
                let value = Values::new(frame.body).and_then(|values| values.get(0));
                let value = value.flatten().and_then(|bytes| bytes.first());
                nullable.push(value.map(|byte| *byte != 0));
            }
        }
    }
    Ok(nullable)
}

fn array(out: &mut BytesMut, values: &impl ToSql, type_: &Type) -> Result<()> {
    let mut bytes = BytesMut::new();
    let put = values.to_sql(type_, &mut bytes);
    put.map_err(|error| Error::new(Class::Data, error.to_string()))?;
    out.put_i32(bytes.len() as i32);
    out.put_slice(&bytes);
    Ok(())
}

fn description(prepared: &Prepared, nullable: &[Option<bool>]) -> StatementDescription {
    let columns = prepared.fields.iter().zip(&prepared.field_types);
    StatementDescription {
        parameters: prepared.types.iter().map(parameter).collect(),
        columns: columns
            .zip(nullable)
            .map(|((field, type_), nullable)| ColumnDescription {
                name: field.name.clone(),
                type_name: type_name(type_),
                holds: specimen::holds(type_),
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

/// Whether a value can be sent as a parameter of a type; if not, a clause with the reason.
fn takes(value: &Value, kind: Kind, type_: &Type, name: &str) -> Result<(), String> {
    if let (Value::Text(text), Some(labels)) = (value, specimen::labels(type_))
        && text != ANY_TEXT
        && !labels.contains(text)
    {
        let labels = labels.join(", ");
        return Err(format!(
            "{text:?} is not one of its labels, which are {labels}"
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

/// The server parses any type from text, and a program uses that for days, labels and addresses,
/// but hardly for types that Rust has itself.
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
        "Only prepared statements can be described, but \
         statement_cache_size is 0.",
    )
    .with_hint("Check statements on a connection to the server itself, without a pooler.")
}
