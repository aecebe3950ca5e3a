use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::{BufMut, Bytes};
use postgres_types::{Field as TypeField, Kind, Type};
use underpin_core::{Class, Error};

use crate::call::Failure;
use crate::wire::answer::Broken;
use crate::wire::body::Values;
use crate::wire::put;
use crate::wire::request::{Progress, steps};
use crate::wire::shared::Wire;

/// The user-defined types of the database that a connection has met.
#[derive(Default)]
pub(crate) struct Catalog(Mutex<HashMap<u32, Type>>);

const TYPE: &str = "\
SELECT t.typname, t.typtype, t.typelem, r.rngsubtype, t.typbasetype, n.nspname, t.typrelid
FROM pg_catalog.pg_type t
LEFT OUTER JOIN pg_catalog.pg_range r ON r.rngtypid = t.oid
INNER JOIN pg_catalog.pg_namespace n ON t.typnamespace = n.oid
WHERE t.oid = $1";

const LABELS: &str = "\
SELECT enumlabel FROM pg_catalog.pg_enum WHERE enumtypid = $1 ORDER BY enumsortorder";

const FIELDS: &str = "\
SELECT attname, atttypid FROM pg_catalog.pg_attribute
WHERE attrelid = $1 AND NOT attisdropped AND attnum > 0 ORDER BY attnum";

type Looking<'a> = Pin<Box<dyn Future<Output = Result<Type, Failure>> + Send + 'a>>;

impl Catalog {
    /// The type with this number, which the server is asked for if it is not known.
    pub(crate) async fn type_of(&self, wire: &Arc<Wire>, number: u32) -> Result<Type, Failure> {
        match self.known(number) {
            Some(known) => Ok(known),
            None => self.look_up(wire, number).await,
        }
    }

    fn known(&self, number: u32) -> Option<Type> {
        let made_here = || {
            let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            known.get(&number).cloned()
        };
        Type::from_oid(number).or_else(made_here)
    }

    fn look_up<'a>(&'a self, wire: &'a Arc<Wire>, number: u32) -> Looking<'a> {
        Box::pin(async move {
            let rows = ask(wire, TYPE, number).await?;
            let row = rows.first().ok_or_else(gone)?;
            let elem = row.number(2)?;
            let subtype = row.bytes(3).is_some();
            let base = row.number(4)?;
            let relation = row.number(6)?;
            let kind = match row.bytes(1) {
                Some(b"e") => Kind::Enum(self.labels(wire, number).await?),
                Some(b"p") => Kind::Pseudo,
                _ if base != 0 => Kind::Domain(self.type_of(wire, base).await?),
                _ if elem != 0 => Kind::Array(self.type_of(wire, elem).await?),
                _ if relation != 0 => Kind::Composite(self.fields(wire, relation).await?),
                _ if subtype => Kind::Range(self.type_of(wire, row.number(3)?).await?),
                _ => Kind::Simple,
            };
            let type_ = Type::new(row.text(0)?, number, kind, row.text(5)?);
            let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            known.insert(number, type_.clone());
            Ok(type_)
        })
    }

    async fn labels(&self, wire: &Arc<Wire>, number: u32) -> Result<Vec<String>, Failure> {
        let rows = ask(wire, LABELS, number).await?;
        rows.iter().map(|row| row.text(0)).collect()
    }

    async fn fields(&self, wire: &Arc<Wire>, relation: u32) -> Result<Vec<TypeField>, Failure> {
        let mut fields = Vec::new();
        for row in ask(wire, FIELDS, relation).await? {
            let type_ = self.type_of(wire, row.number(1)?).await?;
            fields.push(TypeField::new(row.text(0)?, type_));
        }
        Ok(fields)
    }
}

/// A row of a small answer.
struct Kept(Bytes);

impl Kept {
    fn bytes(&self, index: usize) -> Option<&[u8]> {
        Values::new(&self.0)?.get(index)?
    }

    fn number(&self, index: usize) -> Result<u32, Failure> {
        let bytes = self.bytes(index).and_then(|bytes| bytes.try_into().ok());
        bytes.map(u32::from_be_bytes).ok_or_else(gone)
    }

    fn text(&self, index: usize) -> Result<String, Failure> {
        let bytes = self.bytes(index).ok_or_else(gone)?;
        Ok(String::from_utf8_lossy(bytes).into_owned())
    }
}

/// Queries the catalog about an object with this number.
async fn ask(wire: &Arc<Wire>, sql: &str, number: u32) -> Result<Vec<Kept>, Failure> {
    let asked = wire.ask(|machine, reply| {
        machine.extended(reply, None, |out| {
            put::parse(out, "", sql, [Type::OID.oid()].into_iter())?;
            put::message(out, b'B', |out| {
                // The only parameter and all columns are binary.
                out.put_slice(&[0, 0, 0, 1, 0, 1, 0, 1, 0, 0, 0, 4]);
                out.put_u32(number);
                put::formats(out, &[]);
                Ok(())
            })?;
            put::execute(out, "", 0);
            Ok(steps::PARSE | steps::BIND | steps::EXECUTE)
        })
    });
    let answer = asked.map_err(Failure::Ours)?;
    let mut answer = answer.ok_or(Broken::Lost(Progress::Unwritten))?;
    let mut rows = Vec::new();
    while answer.more().await? {
        while let Some(frame) = answer.next() {
            if frame.tag == b'D' {
                rows.push(Kept(Bytes::copy_from_slice(frame.body)));
            }
        }
    }
    Ok(rows)
}

#[cold]
fn gone() -> Failure {
    Failure::Ours(Error::new(
        Class::NotFound,
        "A type of the statement is no longer in the server's catalog.",
    ))
}
