use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;

use bytes::BytesMut;
use underpin_core::{Class, Error, Result, Value};

use crate::call::{Call, Failure};
use crate::classify;
use crate::param;
use crate::session::{Session, answered};
use crate::statements::{Prepared, StatementName};
use crate::wire::answer::Broken;
use crate::wire::body::{fields, parameter_types};
use crate::wire::put::{self, Format};
use crate::wire::request::{Progress, steps};
use crate::wire::violation::Violation;

/// A prepared statement that is about to run, and whether it was prepared just now.
pub(crate) struct Ready {
    pub(crate) prepared: Arc<Prepared>,
    fresh: bool,
}

impl Session {
    /// Prepares a statement on the server, and looks up its types.
    pub(crate) async fn prepare(&self, sql: &str) -> Result<Prepared, Failure> {
        let name = StatementName::new(&self.wire);
        let asked = self.wire.ask(|machine, reply| {
            machine.extended(reply, None, |out| {
                put::parse(out, &name.text, sql, [].into_iter())?;
                put::describe(out, b'S', &name.text);
                Ok(steps::PARSE | steps::PARAMETERS | steps::COLUMNS)
            })
        });
        let mut answer = answered(asked)?;
        let (mut types, mut columns) = (Vec::new(), Vec::new());
        while answer.more().await? {
            while let Some(frame) = answer.next() {
                match frame.tag {
                    b't' => types = parameter_types(frame.body).map_err(|why| self.spoiled(why))?,
                    b'T' => columns = fields(frame.body).map_err(|why| self.spoiled(why))?,
                    _ => {}
                }
            }
        }
        let (mut of_params, mut of_fields) = (Vec::new(), Vec::new());
        for number in types {
            of_params.push(self.catalog.type_of(&self.wire, number).await?);
        }
        for field in &columns {
            of_fields.push(self.catalog.type_of(&self.wire, field.type_oid).await?);
        }
        let verdicts = &self.settings.verdicts;
        let (params, fields) = (of_params, of_fields);
        Ok(Prepared::new(name, sql, params, columns, fields, verdicts))
    }

    /// Abandons the connection: its messages make no sense, and later ones cannot be trusted.
    #[cold]
    pub(crate) fn spoiled(&self, why: Violation) -> Failure {
        self.wire.spoil(why);
        Broken::Lost(Progress::Written).into()
    }
}

impl Call {
    /// Returns the statement from the cache, or prepares and caches it.
    pub(crate) async fn prepare(&self, sql: &str) -> Result<Ready, Failure> {
        let cached = self.session().statements().get(&self.key(sql));
        if let Some(prepared) = cached {
            self.note_limit(prepared.limit);
            return Ok(Ready {
                prepared,
                fresh: false,
            });
        }
        self.prepare_anew(sql).await
    }

    /// Boxed, since it is large and rarely run.
    #[cold]
    fn prepare_anew<'a>(
        &'a self,
        sql: &'a str,
    ) -> Pin<Box<dyn Future<Output = Result<Ready, Failure>> + Send + 'a>> {
        Box::pin(async move {
            self.begin_for_harmless().await?;
            let prepared = self.wait(pin!(self.session().prepare(sql))).await;
            let prepared = Arc::new(self.behind_begin(prepared)?);
            self.note_limit(prepared.limit);
            self.session()
                .statements()
                .insert(&self.key(sql), Arc::clone(&prepared));
            Ok(Ready {
                prepared,
                fresh: true,
            })
        })
    }

    /// Whether the statement failed because the prepared form is outdated, so that it can be run
    /// again: it has done nothing, and no transaction has failed. Or it was not run at all.
    pub(crate) async fn can_try_anew(&self, sql: &str, ready: &Ready, failure: &Failure) -> bool {
        let said = match failure {
            Failure::Broken(Broken::Skipped) => return true,
            Failure::Broken(Broken::Refused { error, .. }) => Some(error),
            Failure::Misfit(_) => None,
            _ => return false,
        };
        let code = said.map_or("", |said| said.code());
        if code == "26000" {
            self.session().statements().clear();
        }
        let outgrown = said.is_some_and(|said| classify::is_outgrown(said));
        // If a type of the prepared form was dropped, the server reports an internal error.
        let doubtful =
            said.is_none() || code.starts_with("42") || matches!(code, "22P02" | "XX000");
        if outgrown || doubtful {
            let key = self.key(sql);
            self.session().statements().evict(&key, &ready.prepared);
        }
        // A transaction that has failed allows no retry; a misfit was never sent.
        if ready.fresh || (said.is_some() && self.in_transaction()) {
            return false;
        }
        outgrown || (doubtful && self.expects_other_types(sql, ready).await)
    }

    /// Whether the server now expects other types than when the statement was prepared, because its
    /// tables were changed meanwhile.
    async fn expects_other_types(&self, sql: &str, ready: &Ready) -> bool {
        match self.prepare(sql).await {
            Ok(current) => current.prepared.types != ready.prepared.types,
            Err(_) => false,
        }
    }
}

impl Ready {
    /// A statement that was prepared earlier.
    pub(crate) fn known(prepared: Arc<Prepared>) -> Self {
        Ready {
            prepared,
            fresh: false,
        }
    }

    /// Whether it was prepared just now, so that its columns match the current tables.
    pub(crate) fn is_fresh(&self) -> bool {
        self.fresh
    }

    /// Checks that the number of parameters matches the statement.
    pub(crate) fn check(&self, params: &[Value]) -> Result<(), Failure> {
        let expected = self.prepared.kinds.len();
        if params.len() == expected {
            return Ok(());
        }
        Err(Failure::Ours(Error::new(
            Class::Data,
            format!(
                "The statement has {}, but {} given.",
                counted(expected, "parameter", "parameters"),
                counted(params.len(), "value was", "values were"),
            ),
        )))
    }

    /// Writes a run with these parameters, and returns the steps of the answer.
    pub(crate) fn run(&self, params: &[Value], out: &mut BytesMut) -> Result<u8> {
        let prepared = &self.prepared;
        let expected = (&*prepared.kinds, &*prepared.types);
        param::bind(
            out,
            &prepared.name.text,
            params,
            Some(expected),
            &prepared.result.formats,
        )?;
        put::execute(out, "", 0);
        Ok(steps::BIND | steps::EXECUTE)
    }
}

/// Writes the run of a statement without a name, whose parameters are texts of types that the
/// server infers.
pub(crate) fn run_unnamed(
    sql: &str,
    params: &[Value],
    formats: &[Format],
    out: &mut BytesMut,
) -> Result<u8> {
    const UNKNOWN: u32 = 705;
    put::parse(out, "", sql, params.iter().map(|_| UNKNOWN))?;
    param::bind(out, "", params, None, formats)?;
    put::describe(out, b'P', "");
    put::execute(out, "", 0);
    Ok(steps::PARSE | steps::BIND | steps::PORTAL | steps::EXECUTE)
}

fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
