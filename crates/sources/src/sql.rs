//! Schemas that are written down as SQL.

use std::collections::BTreeSet;
use std::path::Path;

use underpin_config::Config;
use underpin_core::{Class, Engine, Error, Result};
use underpin_migrate::{
    OpenConnection, OpenDatabase, Piece, SplitError, Statement, run_isolated, split,
    statement_failed,
};
use underpin_schema::{SchemaDialect, ScratchRules, Selection, Use};

use crate::scratch::is_isolated;
use crate::target::{Target, without_history};
use crate::{Scratch, introspect};

mod files;
mod hints;
mod statement;

use files::File;
use statement::use_of;

/// The schema that a file of SQL describes, or a directory with all `.sql` files in it and
/// below it, in the order of their paths: what they make in a [scratch database](Scratch)
/// beside that of the configuration.
///
/// The statements of a file run one by one, in one session of its own, so that what
/// `pg_dump --schema-only` and the `.schema` of SQLite's shell print can be read. Statements about owners and
/// privileges are run where the server has the roles that they name; where it has not, the files say
/// nothing about owners and privileges. Passed over are the lines `\restrict` and `\unrestrict` of pg_dump. What would reach beyond the scratch
/// database, such as `CREATE ROLE`, is refused.
///
/// A comment on a line of its own asks for a rename where there is something to rename: before
/// a CREATE TABLE, before a column in it, or before a label of an enum.
///
/// ```text
/// -- renamed from: users
/// CREATE TABLE people (
///     id bigint PRIMARY KEY,
///     -- renamed from: name
///     full_name text NOT NULL
/// );
/// ```
///
/// # Errors
/// [`Class::Config`] for files that cannot be read, and for a comment that is about nothing. A
/// statement that fails is named with its file and line; else that of
/// [`Scratch::beside`].
///
/// # Cancel safety
/// Dropped half-way, the scratch database is dropped in the background.
pub async fn of_sql<D: OpenDatabase>(
    path: impl AsRef<Path>,
    config: &Config,
    selection: &Selection,
) -> Result<Target> {
    let files = files::read(path.as_ref())?;
    let scratch = Scratch::<D>::beside(config).await?;
    let result = read(scratch.database(), &files, selection).await;
    let removed = scratch.remove().await;
    let target = result?;
    removed.map(|()| target)
}

async fn read<D: OpenDatabase>(db: &D, files: &[File], selection: &Selection) -> Result<Target> {
    let config = db.config();
    let engine = config.engine();
    let mut asked = Vec::new();
    let mut said = Said::default();
    for file in files {
        let mut text = text(file, engine)?;
        asked.extend(hints::asked(file, &mut text, engine)?);
        // What a file sets holds to its end.
        let session = db.acquire().await?;
        run(&*session, file, &text, is_isolated(&config), &mut said).await?;
    }
    let whole = introspect(db, &without_history(&Selection::default())).await?;
    let mut hints = hints::resolved(asked, &whole, engine)?;
    if !whole.extensions.is_empty() {
        hints.versions = Some(said.versions);
    }
    let mut schema = match *selection == Selection::default() {
        true => whole,
        false => introspect(db, &without_history(selection)).await?,
    };
    // Half of what is said would take away the other half.
    if said.names_unknown_role {
        schema.access.clear();
    }
    Ok(Target::described(schema, hints, SchemaDialect::of(engine)?))
}

/// A file's text, and where its statements are.
struct Text {
    sql: String,
    pieces: Vec<Piece>,
}

/// Cuts a file into statements. Lines that newer versions of pg_dump write for psql alone are
/// made empty.
fn text(file: &File, engine: Engine) -> Result<Text> {
    const OF_PG_DUMP: [&str; 2] = ["\\restrict ", "\\unrestrict "];
    let mut sql = file.text.clone();
    loop {
        let error = match split(&sql, Some(engine)) {
            Ok(pieces) => return Ok(Text { sql, pieces }),
            Err(error) => error,
        };
        let begin = line_begin(&sql, error.line());
        let end = sql[begin..].find('\n').map_or(sql.len(), |at| begin + at);
        let line = &sql[begin..end];
        let passed = OF_PG_DUMP.iter().any(|command| line.starts_with(command));
        if !error.is_meta() || !passed {
            return Err(not_split(file, &error));
        }
        sql.replace_range(begin..end, "");
    }
}

fn line_begin(sql: &str, line: usize) -> usize {
    let ends = sql.match_indices('\n').map(|(at, _)| at + 1);
    std::iter::once(0).chain(ends).nth(line - 1).unwrap_or(0)
}

fn not_split(file: &File, error: &SplitError) -> Error {
    let (line, message) = (error.line(), error.message());
    let mistake = Error::new(
        Class::Config,
        format!("{}, line {line}: {message}", file.name),
    );
    if error.is_copy() {
        return mistake.with_hint(NO_ROWS);
    }
    match error.hint() {
        Some(hint) => mistake.with_hint(hint),
        None => mistake,
    }
}

/// What to do about a COPY.
const NO_ROWS: &str =
    "A schema has no rows: leave it out, or write the file with `pg_dump --schema-only`.";

fn has_rows(file: &File, statement: &Statement) -> Error {
    let message = format!(
        "{}, line {}: This COPY has rows.",
        file.name, statement.line
    );
    Error::new(Class::Config, message).with_hint(NO_ROWS)
}

/// What files say that the schema does not show.
#[derive(Default)]
struct Said {
    /// Whether owners or privileges of a role are named that the server does not have, or that may
    /// not be given to.
    names_unknown_role: bool,
    /// The extensions whose version is written down.
    versions: BTreeSet<String>,
}

/// Runs a statement about owners or privileges. In a transaction, one that fails must not end that.
async fn try_access(
    session: &impl OpenConnection,
    sql: &str,
    open: bool,
    isolated: bool,
    said: &mut Said,
) -> Result<()> {
    const SAVEPOINT: &str = "underpin_access";
    if open {
        session.batch(&format!("SAVEPOINT {SAVEPOINT}")).await?;
    }
    let ran = match isolated {
        true => run_isolated(session, sql).await,
        false => session.batch(sql).await,
    };
    if let Err(error) = ran {
        let of_role = matches!(error.class(), Class::Missing | Class::Permission);
        let of_role = of_role || error.sqlstate() == Some("42704");
        if !of_role {
            return Err(error);
        }
        if open {
            session
                .batch(&format!("ROLLBACK TO SAVEPOINT {SAVEPOINT}"))
                .await?;
        }
        said.names_unknown_role = true;
    }
    Ok(())
}

/// The extension whose version a statement says.
fn version_of(sql: &str, engine: Engine) -> Option<String> {
    let words = underpin_migrate::words(sql, Some(engine));
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let ["CREATE", "EXTENSION", rest @ ..] = &words[..] else {
        return None;
    };
    rest.contains(&"VERSION").then_some(())?;
    let name = sql.split_whitespace().skip(2);
    let mut name = name.skip_while(|word| {
        ["IF", "NOT", "EXISTS"]
            .iter()
            .any(|one| word.eq_ignore_ascii_case(one))
    });
    Some(name.next()?.trim_matches('"').to_owned())
}

/// Runs the statements of a file.
async fn run(
    session: &impl OpenConnection,
    file: &File,
    text: &Text,
    isolated: bool,
    said: &mut Said,
) -> Result<()> {
    let engine = session.engine();
    let dialect = SchemaDialect::of(engine)?;
    if let ScratchRules::Server(rules) = &dialect.scratch {
        for setting in rules.session {
            session.batch(setting).await?;
        }
    }
    let mut open = None;
    for statement in text.statements() {
        let sql = &statement.sql;
        if statement.rows.is_some() {
            return Err(has_rows(file, &statement));
        }
        match use_of(sql, engine, dialect) {
            Use::Run => {}
            Use::Begin => open = Some(statement.line),
            Use::End => open = None,
            Use::PassOver => continue,
            Use::Access => {
                let failed = |error| statement_failed(&file.name, &statement, error);
                let tried = try_access(session, sql, open.is_some(), isolated, said).await;
                tried.map_err(failed)?;
                continue;
            }
            Use::Refuse => return Err(refused(file, &statement)),
        }
        let failed = |error| statement_failed(&file.name, &statement, error);
        let ran = match isolated {
            true => run_isolated(session, sql).await,
            false => session.batch(sql).await,
        };
        ran.map_err(failed)?;
        said.versions.extend(version_of(sql, engine));
    }
    match open {
        None => Ok(()),
        Some(line) => Err(Error::new(
            Class::Config,
            format!(
                "{}, line {line}: the transaction that begins here is not ended.",
                file.name
            ),
        )
        .with_hint("Write COMMIT after its last statement, or leave out BEGIN.")),
    }
}

fn refused(file: &File, statement: &Statement) -> Error {
    let words: Vec<&str> = statement.sql.split_whitespace().take(2).collect();
    Error::new(
        Class::Config,
        format!(
            "{}, line {}: `{} …` affects more than the database, so it is not part of a schema.",
            file.name,
            statement.line,
            words.join(" ")
        ),
    )
    .with_hint("Leave it out of the files that describe a schema.")
}

impl Text {
    fn statements(&self) -> Vec<Statement> {
        let mut statements: Vec<Statement> = Vec::new();
        for piece in &self.pieces {
            match piece {
                Piece::Statement { range, line, times } => {
                    let statement = Statement::new(&self.sql[range.clone()], *line);
                    statements.extend(std::iter::repeat_n(statement, *times as usize));
                }
                Piece::Rows { range } => {
                    if let Some(copy) = statements.last_mut() {
                        copy.rows = Some(Piece::rows(&self.sql[range.clone()]).to_owned());
                    }
                }
                Piece::Between { .. } => {}
            }
        }
        statements
    }
}
