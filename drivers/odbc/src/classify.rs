//! What ODBC's errors mean to a caller, by their SQLSTATE.

use underpin_core::{Class, Code, Effect, Error, Stage};

/// The class of an SQLSTATE.
fn class(state: &str) -> Class {
    match state {
        "08001" | "08003" | "08004" | "08007" | "08S01" | "IM004" | "IM005" | "IM006" => {
            Class::Connect
        }
        "IM002" | "IM003" | "IM010" | "IM012" => Class::Config,
        "IM001" | "HYC00" | "HY016" => Class::Unsupported,
        "HYT00" => Class::Timeout {
            stage: Stage::Statement,
        },
        "HYT01" => Class::Timeout {
            stage: Stage::Connect,
        },
        "HY008" | "57014" => Class::Canceled,
        "HY001" | "HY013" => Class::Resource,
        "40001" | "40P01" => Class::Conflict,
        "25006" => Class::ReadOnly,
        "42501" => Class::Permission,
        "42S02" | "42P01" | "3D000" => Class::Missing,
        _ => match state.get(..2) {
            Some("08") => Class::Connect,
            Some("21" | "22" | "07") => Class::Data,
            Some("23") => Class::Constraint,
            Some("28") => Class::Auth,
            Some("37" | "42" | "S0") => Class::Syntax,
            Some("53") => Class::Resource,
            _ => Class::Server,
        },
    }
}

/// Underpin's error for one of ODBC's; `place` is the name of the data source.
pub(crate) fn classify(error: odbc_api::Error, place: &str) -> Error {
    let odbc_api::Error::Diagnostics { record, .. } = &error else {
        let what = format!("A call of ODBC on {place} failed: {error}.");
        return Error::new(Class::Server, what).with_source(error);
    };
    let state = record.state.as_str().to_owned();
    let class = class(&state);
    // Its text is of bytes or of UTF-16, and it shows itself with its state before the message.
    let shown = record.to_string();
    let said = shown
        .split_once("Message: ")
        .map_or(shown.as_str(), |(_, said)| said);
    let (said, detail) = without_detail(said);
    let what = match class {
        Class::Connect => "The data source could not be reached.",
        Class::Config => "The driver manager has no such data source or driver.",
        Class::Auth => "The data source refused the user or the password.",
        Class::Timeout { .. } => "The driver's time limit passed.",
        Class::Constraint => "A constraint forbids the row.",
        Class::Unsupported => "The driver cannot do this.",
        _ => "The statement failed.",
    };
    let text = format!("{what} ODBC says of {place} ({state}): {said}.");
    let code = Code::from_sqlstate(state).with_number(record.native_error.into());
    let made = Error::new(class, text).with_code(code);
    let made = match class {
        Class::Config => made.with_hint(
            "Name the data source in odbc.ini (`odbcinst -j` says where it is), and check that its \
             driver is installed.",
        ),
        _ => made,
    };
    let made = match detail.is_empty() {
        true => made,
        false => made.with_detail(detail),
    };
    // The record itself is not kept: it shows values of rows.
    made.with_effect(effect(class))
}

/// What a driver says, in one line, without the lines of PostgreSQL's that show values of a row; and
/// those lines.
fn without_detail(said: &str) -> (String, String) {
    let is_detail = |line: &&str| line.trim_start().starts_with("DETAIL:");
    let lines = || said.lines().map(str::trim).filter(|line| !line.is_empty());
    let plain: Vec<&str> = lines().filter(|line| !is_detail(line)).collect();
    let detail: Vec<&str> = lines().filter(is_detail).collect();
    let plain = plain.join(" ");
    let plain = plain.trim_end_matches(['.', ';', ' ']);
    (plain.to_owned(), detail.join(" "))
}

/// Whether a statement that failed this way may have taken effect.
fn effect(class: Class) -> Effect {
    match class {
        Class::Config | Class::Auth | Class::Unsupported => Effect::NotSent,
        Class::Connect | Class::Server | Class::Timeout { .. } => Effect::Unknown,
        _ => Effect::RolledBack,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_a_row_are_no_part_of_the_message() {
        let said = "ERROR: duplicate key value;\nDETAIL:  Key (id)=(7) already exists.;\nError while \
                    executing the query";
        let (plain, detail) = without_detail(said);
        assert_eq!(
            plain,
            "ERROR: duplicate key value; Error while executing the query"
        );
        assert_eq!(detail, "DETAIL:  Key (id)=(7) already exists.;");
    }

    #[test]
    fn each_state_has_a_class() {
        for (state, expected) in [
            ("08S01", Class::Connect),
            ("28000", Class::Auth),
            ("IM002", Class::Config),
            ("42000", Class::Syntax),
            ("42S02", Class::Missing),
            ("42703", Class::Syntax),
            ("23505", Class::Constraint),
            ("23000", Class::Constraint),
            ("22003", Class::Data),
            ("40001", Class::Conflict),
            ("HYC00", Class::Unsupported),
            ("HY000", Class::Server),
            ("", Class::Server),
        ] {
            assert_eq!(class(state), expected, "{state}");
        }
        assert_eq!(effect(class("08S01")), Effect::Unknown);
        assert_eq!(effect(class("23505")), Effect::RolledBack);
    }
}
