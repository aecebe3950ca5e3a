//! Sequences.

use std::fmt::Write;

use underpin_core::{Result, quote};

use crate::{ColumnRef, ObjectName, Persistence, Sequence, SequenceOptions};

/// `CREATE SEQUENCE`, that no column owns yet.
///
/// # Errors
/// For a name that cannot be one.
pub fn create(name: &ObjectName, sequence: &Sequence) -> Result<String> {
    let unlogged = match sequence.persistence {
        Persistence::Permanent => "",
        Persistence::Unlogged => "UNLOGGED ",
    };
    let (name, options) = (name.quoted()?, &sequence.options);
    let data_type = match options.data_type.name.as_str() {
        "bigint" => String::new(),
        _ => format!(" AS {}", options.data_type.sql()?),
    };
    Ok(format!(
        "CREATE {unlogged}SEQUENCE {name}{data_type}{}",
        clauses(options)
    ))
}

/// What is not as it would be by itself: ` INCREMENT BY … START WITH …`, or nothing. The
/// type is not part of it.
pub fn clauses(options: &SequenceOptions) -> String {
    let usual = usual(options);
    let mut sql = String::new();
    let mut clause = |differs: bool, text: &dyn std::fmt::Display| {
        if differs {
            let _ = write!(sql, " {text}");
        }
    };
    clause(
        options.increment != 1,
        &format_args!("INCREMENT BY {}", options.increment),
    );
    clause(
        options.min != usual.min,
        &format_args!("MINVALUE {}", options.min),
    );
    clause(
        options.max != usual.max,
        &format_args!("MAXVALUE {}", options.max),
    );
    let start = if options.increment > 0 {
        options.min
    } else {
        options.max
    };
    clause(
        options.start != start,
        &format_args!("START WITH {}", options.start),
    );
    clause(options.cache != 1, &format_args!("CACHE {}", options.cache));
    clause(options.cycle, &"CYCLE");
    sql
}

/// Every clause, as `ALTER SEQUENCE` has to say what returns to its default.
pub fn all_clauses(options: &SequenceOptions) -> String {
    format!(
        " INCREMENT BY {} MINVALUE {} MAXVALUE {} START WITH {} CACHE {}{}",
        options.increment,
        options.min,
        options.max,
        options.start,
        options.cache,
        if options.cycle { " CYCLE" } else { " NO CYCLE" },
    )
}

/// The bounds that a sequence of this type and direction has where nothing is said.
fn usual(options: &SequenceOptions) -> SequenceOptions {
    let up = SequenceOptions::of_type(&options.data_type.name);
    match options.increment > 0 {
        true => up,
        false => SequenceOptions {
            min: -up.max - 1,
            max: -1,
            ..up
        },
    }
}

/// `ALTER SEQUENCE … OWNED BY`; none: by nobody.
///
/// # Errors
/// For a name that cannot be one.
pub fn own(name: &ObjectName, owner: Option<&ColumnRef>) -> Result<String> {
    let owner = match owner {
        None => "NONE".to_owned(),
        Some(owner) => format!(
            "{}.{}",
            owner.table.quoted()?,
            quote::identifier(&owner.column)?
        ),
    };
    Ok(format!(
        "ALTER SEQUENCE {} OWNED BY {owner}",
        name.quoted()?
    ))
}

/// `DROP SEQUENCE`.
///
/// # Errors
/// For a name that cannot be one.
pub fn drop(name: &ObjectName) -> Result<String> {
    Ok(format!("DROP SEQUENCE {}", name.quoted()?))
}
