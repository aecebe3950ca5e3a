use std::fmt;

use sha2::{Digest, Sha256};
use underpin_core::Engine;
use underpin_sql::Lexer;

use crate::host::Direction;
use crate::revision::{RevisionId, Script, Section, Statement};
use crate::sql::lexis;

/// The effect of a revision as a number: SHA-256 over its sections and statements, each
/// without comments, surrounding white space and the difference between line ends.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Checksum(pub [u8; 32]);

impl Checksum {
    /// The checksum of a revision that goes these ways. Rust code counts by its
    /// revision's id alone: what it does cannot be known.
    pub fn of(id: &RevisionId, up: &Script, down: &Script) -> Self {
        let mut hash = Hash(Sha256::new());
        hash.text("underpin revision 1");
        for (direction, script) in [(Direction::Up, up), (Direction::Down, down)] {
            hash.text(match direction {
                Direction::Up => "up",
                Direction::Down => "down",
            });
            match script {
                Script::Sql(sections) => {
                    hash.text("sql");
                    hash.count(sections.len());
                    sections.iter().for_each(|section| hash.section(section));
                }
                Script::Code => {
                    hash.text("code");
                    hash.text(id.as_str());
                }
                Script::Irreversible { .. } => hash.text("irreversible"),
            }
        }
        Checksum(hash.0.finalize().into())
    }

    /// The checksum that is displayed as `text`.
    pub fn from_hex(text: &str) -> Option<Self> {
        let digits = text.as_bytes();
        let sound = digits.len() == 64 && digits.iter().all(u8::is_ascii_hexdigit);
        let mut bytes = [0; 32];
        for (index, byte) in bytes.iter_mut().enumerate() {
            let pair = sound.then(|| &text[2 * index..2 * index + 2])?;
            *byte = u8::from_str_radix(pair, 16).ok()?;
        }
        Some(Checksum(bytes))
    }
}

/// A statement as a short number, by which one that ran is known again.
pub(crate) fn statement_hash(statement: &Statement, engine: Engine) -> String {
    let mut hash = Hash(Sha256::new());
    hash.statement(statement, Some(engine));
    let digest = hash.0.finalize();
    digest[..6]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Each part goes in with its length, so that no two scripts give the same bytes.
struct Hash(Sha256);

impl Hash {
    fn count(&mut self, count: usize) {
        self.0.update((count as u64).to_be_bytes());
    }

    fn text(&mut self, text: &str) {
        self.count(text.len());
        self.0.update(text);
    }

    fn section(&mut self, section: &Section) {
        self.text(section.engine.map_or("every engine", Engine::name));
        self.text(match section.transactional {
            true => "transaction",
            false => "no-transaction",
        });
        self.count(section.statements.len());
        for statement in &section.statements {
            self.statement(statement, section.engine);
        }
    }

    fn statement(&mut self, statement: &Statement, engine: Option<Engine>) {
        self.text(&normal(&statement.sql, engine));
        if let Some(rows) = &statement.rows {
            self.text("rows");
            self.text(&rows.replace("\r\n", "\n"));
        }
    }
}

/// The statement without comments, each gap between its tokens one space, or none where
/// the gap is beside a parenthesis, a comma or a semicolon; line ends as line feeds.
fn normal(sql: &str, engine: Option<Engine>) -> String {
    let mut normal = String::with_capacity(sql.len());
    let (mut gap, mut close, mut read) = (false, true, 0);
    // What cannot be read to its end is taken as it stands.
    for token in Lexer::new(sql, lexis(engine)).take_while(|token| token.closed) {
        read = token.end();
        if token.is_blank() {
            gap = true;
            continue;
        }
        let text = token.text;
        let stands_alone = matches!(text, "(" | ")" | "," | ";");
        if gap && !close && !stands_alone {
            normal.push(' ');
        }
        normal.push_str(&text.replace("\r\n", "\n"));
        (gap, close) = (false, stands_alone);
    }
    normal.push_str(&sql[read..]);
    normal
}

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn id(text: &str) -> RevisionId {
        RevisionId::new(text).unwrap()
    }

    fn section(engine: Option<Engine>, transactional: bool, statements: &[&str]) -> Section {
        let statement = |sql: &&str| Statement::new(*sql, 1);
        let statements = statements.iter().map(statement).collect();
        Section {
            engine,
            transactional,
            statements,
            read_otherwise: Vec::new(),
        }
    }

    fn of(sections: Vec<Section>) -> Checksum {
        let irreversible = Script::Irreversible {
            reason: "No.".into(),
        };
        Checksum::of(&id("a"), &Script::Sql(sections), &irreversible)
    }

    fn one(sql: &str) -> Checksum {
        of(vec![section(None, true, &[sql])])
    }

    #[test]
    fn each_part_counts() {
        let postgres = Some(Engine::POSTGRES);
        let sql = |sections: &[Section]| Script::Sql(sections.to_vec());
        let a = section(None, true, &["a", "b"]);
        let scripts = [
            sql(&[]),
            sql(&[section(None, true, &[])]),
            sql(std::slice::from_ref(&a)),
            sql(&[section(None, true, &["b", "a"])]),
            sql(&[section(None, true, &["ab"])]),
            sql(&[section(None, true, &["a b"])]),
            sql(&[section(None, true, &["a"]), section(None, true, &["b"])]),
            sql(&[section(None, false, &["a", "b"])]),
            sql(&[section(postgres, true, &["a", "b"])]),
            sql(&[section(Some(Engine::SQLITE), true, &["a", "b"])]),
            Script::Code,
            Script::Irreversible {
                reason: String::new(),
            },
        ];
        let mut sums = std::collections::HashSet::new();
        for up in &scripts {
            for down in &scripts {
                assert!(sums.insert(Checksum::of(&id("a"), up, down)));
            }
        }
        let of_a = Checksum::of(&id("a"), &Script::Code, &sql(&[]));
        assert_ne!(of_a, Checksum::of(&id("b"), &Script::Code, &sql(&[])));
        let of_a = Checksum::of(&id("a"), &scripts[2], &scripts[2]);
        assert_eq!(of_a, Checksum::of(&id("b"), &scripts[2], &scripts[2]));
    }

    #[test]
    fn the_checksum_of_a_known_revision_stays_what_it_is() {
        let sum = of(vec![section(None, true, &["CREATE TABLE t (a int)"])]);
        assert_eq!(
            sum.to_string(),
            "0aa1fd944e8a2da01078b75e8a0cb7a999fbf3f81509323e9b63f9b0524b7555"
        );
        assert_eq!(Checksum::from_hex(&sum.to_string()), Some(sum));
        for wrong in ["", "00", &"0".repeat(63), &"+1".repeat(32), &"é".repeat(32)] {
            assert_eq!(Checksum::from_hex(wrong), None);
        }
    }

    #[test]
    fn comments_space_and_line_ends_do_not_count() {
        let sum = one("CREATE TABLE t (a int, b text DEFAULT 'x  -- y\nz')");
        for same in [
            "CREATE  TABLE\r\n\tt ( a int,b text DEFAULT 'x  -- y\r\nz' )",
            "CREATE -- what; it's\n TABLE/* /* for */ ; */t(a int /* key */, b text\nDEFAULT 'x  -- y\nz')",
        ] {
            assert_eq!(one(same), sum, "{same}");
        }
        for other in [
            "CREATE TABLE t (a int, b text DEFAULT 'x -- y\nz')",
            "CREATE TABLE t (a int, b text DEFAULT 'x  -- y z')",
            "CREATE TABLE t (a int, b text DEFAULT 'x  \nz')",
            "CREATE TABLE T (a int, b text DEFAULT 'x  -- y\nz')",
            "CREATE TABLEt (a int, b text DEFAULT 'x  -- y\nz')",
        ] {
            assert_ne!(one(other), sum, "{other}");
        }
        assert_ne!(one("SELECT e 'a'"), one("SELECT e'a'"));
        assert_ne!(one("SELECT - - 1"), one("SELECT -/**/-1"));
        assert_ne!(one("SELECT $$a  b$$"), one("SELECT $$a b$$"));
        assert_ne!(one("SELECT \"a  b\""), one("SELECT \"a b\""));
        let sqlite = |sql: &str| of(vec![section(Some(Engine::SQLITE), true, &[sql])]);
        assert_ne!(sqlite("SELECT [a  b]"), sqlite("SELECT [a b]"));
    }

    fn tokens() -> impl Strategy<Value = Vec<&'static str>> {
        let tokens = [
            "SELECT",
            "a",
            "b1",
            "1",
            "n'x  y'",
            "n'-- z'",
            "\"q  /*\"",
            "$$d  '$$",
            "(",
            ")",
            ",",
            "+",
            "<",
            "=",
            "E'\\''",
            "é",
        ];
        prop::collection::vec(prop::sample::select(tokens.to_vec()), 1..20)
    }

    fn gap() -> impl Strategy<Value = &'static str> {
        prop::sample::select(vec![
            " ",
            "\n",
            "\r\n",
            "\t \t",
            " -- c 'd\n",
            " -- c\r\n\r\n",
            "/* a /* $$ */ ; */",
            " /**/ ",
        ])
    }

    proptest! {
        #[test]
        fn what_lies_between_tokens_does_not_count(
            tokens in tokens(),
            gaps in prop::collection::vec(gap(), 20),
        ) {
            let other: String = tokens
                .iter()
                .zip(&gaps)
                .flat_map(|(token, gap)| [*token, *gap])
                .collect();
            prop_assert_eq!(one(&tokens.join(" ")), one(&other));
        }

        #[test]
        fn what_is_a_token_counts(
            tokens in tokens(),
            at in any::<prop::sample::Index>(),
            other in "[a-z]{1,3}",
        ) {
            let mut changed = tokens.clone();
            let at = at.index(tokens.len());
            let word = format!("{}{other}", tokens[at]);
            changed[at] = &word;
            prop_assert_ne!(one(&tokens.join(" ")), one(&changed.join(" ")));
            changed.remove(at);
            prop_assert_ne!(one(&tokens.join(" ")), one(&changed.join(" ")));
        }

        #[test]
        fn any_text_has_a_normal_form_that_is_its_own(sql in "\\PC{0,40}") {
            let once = normal(&sql, None);
            prop_assert_eq!(normal(&once, None), once);
        }
    }
}
