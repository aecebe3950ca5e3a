use underpin_core::Result;

use crate::postgres::catalog::policies::PolicyRow;
use crate::{Expression, Policy, PolicyCommand, sql_text};

pub(super) fn policy(row: PolicyRow) -> Result<(String, Policy)> {
    let command = match row.command.as_str() {
        "*" => PolicyCommand::All,
        "r" => PolicyCommand::Select,
        "a" => PolicyCommand::Insert,
        "w" => PolicyCommand::Update,
        "d" => PolicyCommand::Delete,
        code => return Err(super::unknown_code("polcmd", code, &row.name).into()),
    };
    let unwrapped = |text: Option<String>| {
        text.as_deref()
            .map(sql_text::unwrapped)
            .map(Expression::from)
    };
    let policy = Policy {
        permissive: row.permissive,
        command,
        roles: row.roles,
        using: unwrapped(row.using),
        check: unwrapped(row.check),
        comment: row.comment,
    };
    Ok((row.name, policy))
}
