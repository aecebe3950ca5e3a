use crate::lexer::Lexer;
use crate::lexis::Lexis;
use crate::piece::Piece;
use crate::split::split;
use crate::token::{Kind, Token};

/// The word of the first statement in the text that begins or ends a transaction, such as
/// `COMMIT`. Savepoints do neither.
pub fn begun_or_ended(sql: &str, lexis: &Lexis) -> Option<&'static str> {
    if !sql.contains(';') {
        return of_statement(sql, lexis);
    }
    match split(sql, lexis) {
        Ok(pieces) => pieces.into_iter().find_map(|piece| match piece {
            Piece::Statement { range, .. } => of_statement(&sql[range], lexis),
            Piece::Rows { .. } | Piece::Between { .. } => None,
        }),
        // An engine that runs a text statement by statement comes as far as the mistake.
        Err(_) => sql.split(';').find_map(|part| of_statement(part, lexis)),
    }
}

fn of_statement(sql: &str, lexis: &Lexis) -> Option<&'static str> {
    let mut tokens = Lexer::new(sql, lexis)
        .solid()
        .skip_while(|token| token.kind == Kind::Semicolon);
    let first = tokens.next()?;
    const ALONE: [&str; 4] = ["BEGIN", "COMMIT", "END", "ABORT"];
    if let Some(word) = ALONE.into_iter().find(|word| first.is(word)) {
        return Some(word);
    }
    let mut followed_by = |word: &str| tokens.next().is_some_and(|next| next.is(word));
    if first.is("START") {
        return followed_by("TRANSACTION").then_some("START TRANSACTION");
    }
    if first.is("PREPARE") {
        return followed_by("TRANSACTION").then_some("PREPARE TRANSACTION");
    }
    if first.is("ROLLBACK") {
        let is_filler = |token: &Token<'_>| token.is("WORK") || token.is("TRANSACTION");
        let next = tokens.find(|token| !is_filler(token));
        let to_a_savepoint = next.is_some_and(|next| next.is("TO"));
        return (!to_a_savepoint).then_some("ROLLBACK");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{POSTGRES, SQLITE};

    #[test]
    fn what_begins_or_ends_a_transaction_is_found_wherever_it_is() {
        for sql in [
            "BEGIN",
            "begin work",
            "BEGIN ISOLATION LEVEL SERIALIZABLE",
            "START TRANSACTION READ ONLY",
            "COMMIT",
            "  -- done\n /* x */ commit and chain",
            "COMMIT PREPARED 'x'",
            "END",
            "END TRANSACTION",
            "ABORT",
            "ROLLBACK",
            "ROLLBACK WORK",
            "ROLLBACK AND CHAIN",
            "ROLLBACK PREPARED 'x'",
            "PREPARE TRANSACTION 'x'",
            ";COMMIT",
            "SELECT ';'; COMMIT",
            "INSERT INTO t VALUES (1);\nEND; SELECT 1",
            "COMMIT; SELECT 'open",
        ] {
            assert!(begun_or_ended(sql, &POSTGRES.lexis).is_some(), "{sql}");
        }
        for sql in [
            "BEGIN IMMEDIATE",
            "END",
            "ROLLBACK TRANSACTION",
            "COMMIT TRANSACTION; SELECT 1",
        ] {
            assert!(begun_or_ended(sql, &SQLITE.lexis).is_some(), "{sql}");
        }
        for sql in [
            "",
            ";",
            "SELECT 1",
            "SAVEPOINT a",
            "RELEASE SAVEPOINT a",
            "ROLLBACK TO a",
            "ROLLBACK WORK TO SAVEPOINT a",
            "ROLLBACK TRANSACTION TO SAVEPOINT a",
            "PREPARE q AS SELECT 1",
            "SELECT 'COMMIT'",
            "SELECT 1 -- ; COMMIT",
            "SELECT \"commit\"; SELECT 2",
            "SET TRANSACTION READ ONLY",
            "DO $$ BEGIN PERFORM 1; END $$",
            "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END",
        ] {
            assert_eq!(begun_or_ended(sql, &POSTGRES.lexis), None, "{sql}");
        }
        let trigger = "CREATE TRIGGER t AFTER INSERT ON a BEGIN SELECT 1; SELECT 2; END";
        assert_eq!(begun_or_ended(trigger, &SQLITE.lexis), None);
    }
}
