use underpin_core::{Engine, Result};
use underpin_schema::{Expression, Generated, GeneratedKind};

use crate::advance;
use crate::data_type::logical;
use crate::description::{Column, Description};

/// What a column holds where an insert names no value. The present is written as SQLite
/// has it, to the millisecond and in the form in which a time is stored there.
pub(super) fn default(
    of: &Description,
    column: &Column,
    engine: Engine,
) -> Result<Option<Expression>> {
    let Some(given) = column.default.on(engine) else {
        return Ok(None);
    };
    let own = column.default.own(engine).is_some();
    if engine == Engine::Postgres || own || !given.eq_ignore_ascii_case("now()") {
        return Ok(Some(given.into()));
    }
    let present = advance::present_on_sqlite(&logical(of, column)?);
    Ok(Some(present.into()))
}

pub(super) fn generated(column: &Column, engine: Engine) -> Option<Generated> {
    let expression = column.generated.on(engine)?;
    Some(Generated {
        expression: expression.into(),
        kind: match column.is_virtual {
            true => GeneratedKind::Virtual,
            false => GeneratedKind::Stored,
        },
    })
}
