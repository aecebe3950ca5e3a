use underpin_core::{Result, Value};

use super::catalog;
use super::error::CatalogError;
use crate::selection::like_pattern;
use crate::{Selection, Statement};

/// Makes what the server renders the same in every session: all names qualified, dates and
/// numbers in one form. The server is also told not to compile queries that run once, or start
/// processes for them. It holds until the transaction ends, and gives one row of one column, the
/// `server_version_num` that [`statements`] asks for.
pub const PREPARE: &str = "SELECT current_setting('server_version_num')::int4 FROM (SELECT
  set_config('search_path', 'pg_catalog', true),
  set_config('quote_all_identifiers', 'off', true),
  set_config('standard_conforming_strings', 'on', true),
  set_config('DateStyle', 'ISO, YMD', true),
  set_config('IntervalStyle', 'postgres', true),
  set_config('TimeZone', 'UTC', true),
  set_config('bytea_output', 'hex', true),
  set_config('extra_float_digits', '1', true),
  set_config('jit', 'off', true),
  set_config('max_parallel_workers_per_gather', '0', true)
OFFSET 0) settings";

/// The oldest server that the statements are for.
const OLDEST: i32 = 120_000;

/// The queries that read what is selected: fourteen, however many objects there are.
///
/// # Errors
/// [`Class::Unsupported`](underpin_core::Class::Unsupported) for a server before PostgreSQL 12.
pub fn statements(server_version_num: i32, selection: &Selection) -> Result<Vec<Statement>> {
    if server_version_num < OLDEST {
        let version = server_version_num;
        return Err(CatalogError::Version { version }.into());
    }
    let params = [
        texts(&selection.namespaces, str::to_owned).unwrap_or(Value::Null),
        texts(&selection.tables, like_pattern).unwrap_or(Value::Null),
        texts(&selection.exclude, like_pattern).unwrap_or(Value::Array(Vec::new())),
    ];
    let queries = catalog::queries(server_version_num).into_iter();
    Ok(queries
        .map(|sql| Statement {
            sql,
            params: params.to_vec(),
        })
        .collect())
}

/// An array of texts; none where there are none.
fn texts(names: &[String], each: impl Fn(&str) -> String) -> Option<Value> {
    let texts = names.iter().map(|name| Value::Text(each(name)));
    (!names.is_empty()).then(|| Value::Array(texts.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_is_too_old_is_named() {
        let error = statements(110_022, &Selection::default()).unwrap_err();
        assert!(error.to_string().contains("110022"), "{error}");
    }

    #[test]
    fn every_version_has_the_same_number_of_queries() {
        for version in [120_000, 130_000, 150_000, 180_000] {
            assert_eq!(
                statements(version, &Selection::default()).unwrap().len(),
                14
            );
        }
    }
}
