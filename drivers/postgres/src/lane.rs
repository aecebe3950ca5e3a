use underpin_sql::{Kind, Lexer, POSTGRES};

/// Whether the text of a statement shows that it may share a connection with others in progress: it
/// only reads, takes no lock for which a row or a table may have to be waited for, leaves the
/// session unchanged, and calls only functions of the server itself with the same properties.
/// Sending it twice does no harm, so it can be moved if it is stuck.
///
/// The text does not show what a view or a user's operator calls.
pub fn shares(sql: &str) -> bool {
    let mut tokens = Lexer::new(sql, &POSTGRES.lexis).solid().peekable();
    let mut first = true;
    let mut before = "";
    let mut qualified = false;
    let mut ended = false;
    while let Some(token) = tokens.next() {
        let calls = tokens.peek().is_some_and(|next| next.kind == Kind::Open);
        match token.kind {
            Kind::Semicolon => ended = true,
            _ if ended => return false,
            Kind::Word => {
                let word = token.text;
                if (first && !is(word, READS))
                    || is(word, WRITES)
                    || (is(before, &["for"]) && is(word, LOCKS))
                    || (calls && (qualified || !is_harmless(word)))
                {
                    return false;
                }
                (first, before) = (false, word);
            }
            // A quoted name in front of a parenthesis is a user's function.
            Kind::Name if calls => return false,
            _ => {}
        }
        qualified = token.is_sign(".");
    }
    !first
}

pub(crate) fn is(word: &str, names: &[&str]) -> bool {
    names.iter().any(|name| word.eq_ignore_ascii_case(name))
}

/// Whether a parenthesis behind the word calls nothing that could wait or change anything.
pub(crate) fn is_harmless(word: &str) -> bool {
    const LONGEST: usize = 32;
    let mut lower = [0; LONGEST];
    let Some(lower) = lower.get_mut(..word.len()) else {
        return false;
    };
    lower.copy_from_slice(word.as_bytes());
    lower.make_ascii_lowercase();
    let known = |names: &[&str]| {
        names
            .binary_search_by(|name| name.as_bytes().cmp(lower))
            .is_ok()
    };
    known(KEYWORDS) || known(FUNCTIONS)
}

/// The first words of statements that only read.
pub(crate) const READS: &[&str] = &["select", "table", "values", "with"];
/// Words that make it write nevertheless: in a WITH, or SELECT INTO.
pub(crate) const WRITES: &[&str] = &["delete", "insert", "into", "merge", "update"];
/// Words that follow FOR if rows are locked.
pub(crate) const LOCKS: &[&str] = &["key", "no", "share", "update"];

/// Words that a parenthesis may follow without a call, including types with a length. Sorted.
// A word a line would be three hundred lines.
#[rustfmt::skip]
const KEYWORDS: &[&str] = &[
    "all", "and", "any", "array", "as", "asc", "between", "bit", "by", "case", "cast", "char",
    "character", "coalesce", "cube", "decimal", "desc", "distinct", "else", "end", "except",
    "exists", "extract", "filter", "float", "from", "greatest", "group", "grouping", "having",
    "ilike", "in", "intersect", "interval", "is", "join", "lateral", "least", "like", "limit",
    "materialized", "not", "nullif", "numeric", "offset", "on", "only", "or", "over", "rollup",
    "row", "select", "sets", "similar", "some", "tablesample", "then", "time", "timestamp",
    "timestamptz", "union", "using", "values", "varbit", "varchar", "varying", "when", "where",
    "window", "within",
];

/// Functions of the server that wait for nothing, change nothing and depend on nothing in the
/// session except its time zone and language. Sorted. A function that is missing here runs on a
/// connection of its own, equally well.
// A word a line would be three hundred lines.
#[rustfmt::skip]
const FUNCTIONS: &[&str] = &[
    "abs", "acos", "age", "array_agg", "array_append", "array_cat", "array_dims", "array_fill",
    "array_length", "array_lower", "array_ndims", "array_position", "array_positions",
    "array_prepend", "array_remove", "array_replace", "array_to_json", "array_to_string",
    "array_upper", "ascii", "asin", "atan", "atan2", "avg", "bit_and", "bit_count",
    "bit_length", "bit_or", "bool_and", "bool_or", "btrim", "cardinality", "cbrt", "ceil",
    "ceiling", "char_length", "character_length", "chr", "clock_timestamp", "concat",
    "concat_ws", "corr", "cos", "cot", "count", "covar_pop", "covar_samp", "cume_dist", "date",
    "date_bin", "date_part", "date_trunc", "decode", "degrees", "dense_rank", "div", "encode",
    "every", "exp", "factorial", "first_value", "floor", "format", "format_type", "gcd",
    "gen_random_uuid", "generate_series", "generate_subscripts", "get_bit", "get_byte",
    "initcap", "isempty", "json_agg", "json_array_elements", "json_array_elements_text",
    "json_array_length", "json_build_array", "json_build_object", "json_each", "json_each_text",
    "json_extract_path", "json_extract_path_text", "json_object", "json_object_agg",
    "json_object_keys", "json_strip_nulls", "json_typeof", "jsonb_agg", "jsonb_array_elements",
    "jsonb_array_elements_text", "jsonb_array_length", "jsonb_build_array",
    "jsonb_build_object", "jsonb_each", "jsonb_each_text", "jsonb_extract_path",
    "jsonb_extract_path_text", "jsonb_insert", "jsonb_object", "jsonb_object_agg",
    "jsonb_object_keys", "jsonb_path_exists", "jsonb_path_match", "jsonb_path_query",
    "jsonb_path_query_array", "jsonb_path_query_first", "jsonb_pretty", "jsonb_set",
    "jsonb_strip_nulls", "jsonb_typeof", "justify_days", "justify_hours", "justify_interval",
    "lag", "last_value", "lcm", "lead", "left", "length", "ln", "log", "log10", "lower",
    "lower_inc", "lower_inf", "lpad", "ltrim", "make_date", "make_interval", "make_time",
    "make_timestamp", "make_timestamptz", "max", "md5", "min", "mod", "mode", "normalize",
    "now", "nth_value", "ntile", "num_nonnulls", "num_nulls", "numrange", "octet_length",
    "overlay", "percent_rank", "percentile_cont", "percentile_disc", "pg_typeof",
    "phraseto_tsquery", "pi", "plainto_tsquery", "position", "power", "quote_ident",
    "quote_literal", "quote_nullable", "radians", "random", "range_agg", "range_merge", "rank",
    "regexp_count", "regexp_like", "regexp_match", "regexp_matches", "regexp_replace",
    "regexp_split_to_array", "regexp_split_to_table", "regexp_substr", "repeat", "replace",
    "reverse", "right", "round", "row_number", "row_to_json", "rpad", "rtrim", "setweight",
    "sha224", "sha256", "sha384", "sha512", "sign", "sin", "split_part", "sqrt", "starts_with",
    "statement_timestamp", "stddev", "stddev_pop", "stddev_samp", "string_agg",
    "string_to_array", "string_to_table", "strip", "strpos", "substr", "substring", "sum",
    "tan", "timezone", "to_ascii", "to_char", "to_date", "to_hex", "to_json", "to_jsonb",
    "to_number", "to_timestamp", "to_tsquery", "to_tsvector", "translate", "trim", "trim_array",
    "trunc", "ts_headline", "ts_rank", "ts_rank_cd", "unnest", "upper", "upper_inc",
    "upper_inf", "var_pop", "var_samp", "variance", "version", "websearch_to_tsquery",
    "width_bucket", "xmlagg",
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_lists_are_sorted() {
        assert!(KEYWORDS.is_sorted() && FUNCTIONS.is_sorted());
    }

    #[test]
    fn statements_that_only_read_may_share() {
        for sql in [
            "SELECT $1::int8",
            "select id, email from users where is_active = $1 and id in (1, 2)",
            "-- which\nSELECT count(*), max(a.b) FROM t GROUP BY (a)",
            "WITH recent AS (SELECT now()) SELECT * FROM recent;",
            "(SELECT 1) UNION (SELECT 2)",
            "TABLE t",
            "VALUES (1), (2)",
            "SELECT 'DELETE; FOR UPDATE', \"update\" FROM t",
            "SELECT substring(a FROM 1 FOR 2), a::numeric(10, 2) FROM t",
            "SELECT 1 -- ; SELECT 2",
        ] {
            assert!(shares(sql), "{sql}");
        }
    }

    #[test]
    fn statements_that_may_wait_write_or_change_the_session_may_not() {
        for sql in [
            "",
            ";",
            "INSERT INTO t VALUES (1)",
            "UPDATE t SET a = 1",
            "SELECT * FROM t FOR UPDATE",
            "SELECT * FROM t FOR NO KEY UPDATE",
            "SELECT * FROM t for share",
            "SELECT * FROM t LIMIT 1FOR SHARE",
            "SELECT * INTO u FROM t",
            "WITH gone AS (DELETE FROM t RETURNING *) SELECT * FROM gone",
            "SELECT 1; SELECT 2",
            "SELECT pg_sleep(1)",
            "SELECT pg_advisory_xact_lock(1)",
            "SELECT nextval('s')",
            "SELECT lastval()",
            "SELECT pg_backend_pid()",
            "SELECT my_function (1)",
            "SELECT shop.lower('A')",
            "SELECT \"lower\"('A')",
            "SELECT pg_sleep/* soon */(1)",
            "SELECT shop. -- its own\n lower('A')",
            "SELECT 1 -- one\r; SET a = 1",
            "SELECT set_config('a', 'b', false)",
            "SET a = 1",
            "SHOW a",
            "BEGIN",
            "LISTEN x",
            "EXPLAIN ANALYZE SELECT f()",
            "CALL p()",
            "COPY t TO STDOUT",
            "CREATE TEMP TABLE t (id int)",
            "LOCK TABLE t",
            "EXECUTE p",
            "FETCH c",
        ] {
            assert!(!shares(sql), "{sql}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(sql in "[-/*'\"$;a-zE\\\\ é(.\n]{0,60}") {
            shares(&sql);
        }

        #[test]
        fn no_surroundings_hide_a_statement_that_waits(
            before in "(SELECT|WITH x AS|VALUES) [a-z0-9 ,'()]{0,30}",
            after in "[a-z0-9 ,()]{0,30}",
        ) {
            prop_assume!(before.matches('\'').count() % 2 == 0);
            for waits in ["UPDATE t", "DELETE FROM t", "f_of_mine(1)", "FOR SHARE"] {
                let sql = format!("{before} {waits} {after}");
                prop_assert!(!shares(&sql), "{}", sql);
            }
        }
    }
}
