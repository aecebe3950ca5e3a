use underpin_core::Result;
use underpin_schema::{Expression, Generated, GeneratedKind};

use crate::data_type::{data_type, logical};
use crate::description::{Column, Description};
use crate::dialect::ModelDialect;

/// What a column holds where an insert names no value. The present is written as the engine has
/// it, in the form in which a time is stored there.
pub(super) fn default(
    of: &Description,
    column: &Column,
    dialect: &ModelDialect,
) -> Result<Option<Expression>> {
    let Some(given) = column.default.on(dialect.name) else {
        return Ok(None);
    };
    let own = column.default.own(dialect.name).is_some();
    match dialect.now {
        Some(now) if !own && given.eq_ignore_ascii_case("now()") => {
            let stored = data_type(of, column, dialect)?;
            Ok(Some(now(&logical(of, column, dialect)?, &stored).into()))
        }
        _ => Ok(Some(given.into())),
    }
}

pub(super) fn generated(column: &Column, dialect: &ModelDialect) -> Option<Generated> {
    let expression = column.generated.on(dialect.name)?;
    Some(Generated {
        expression: expression.into(),
        kind: match column.is_virtual {
            true => GeneratedKind::Virtual,
            false => GeneratedKind::Stored,
        },
    })
}
