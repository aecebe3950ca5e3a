use std::fs;
use std::path::Path;
use std::process::Command;

use crate::measure::{Report, in_turns_from};
use crate::program;
use crate::server::Server;

/// Many revisions of one CREATE TABLE in one transaction, each run a process of its own,
/// against Alembic on the same server.
pub(crate) async fn run(server: &Server, count: u32, report: &mut Report) {
    let Some(python) = program::python() else {
        println!("migrate: skipped: {}", program::NO_PYTHON);
        return;
    };
    let directory = tempfile::tempdir().unwrap();
    let (ours, theirs) = (server.other("ours"), server.other("alembic"));
    let revisions = directory.path().join("revisions");
    write_revisions(&revisions, count);
    write_alembic(directory.path(), count, &theirs.url());
    let up = || async {
        let mut underpin = Command::new(program::ours("underpin"));
        underpin
            .args(["--url", &ours.url(), "migrate", "--revisions"])
            .arg(&revisions)
            .arg("up");
        program::run(&mut underpin);
    };
    let upgrade = || async {
        let mut alembic = Command::new(&python);
        alembic
            .args(["-m", "alembic", "upgrade", "head"])
            .current_dir(directory.path());
        program::run(&mut alembic);
    };
    let empty = async || {
        for database in [&ours, &theirs] {
            let client = database.client().await;
            let sql = "DROP SCHEMA public CASCADE; CREATE SCHEMA public";
            client.batch_execute(sql).await.unwrap();
        }
    };
    let pair = in_turns_from(3, empty, up, upgrade).await;
    let what = format!("migrate up, {count} revisions");
    report.add(what, "alembic upgrade head", 1, &pair, Some(1.0));
    up().await;
    upgrade().await;
    let pair = in_turns_from(5, async || (), up, upgrade).await;
    let what = format!("migrate up, nothing of {count} to do");
    report.add(what, "alembic upgrade head", 1, &pair, Some(5.0));
}

fn write_revisions(directory: &Path, count: u32) {
    fs::create_dir_all(directory).unwrap();
    for n in 1..=count {
        let parent = if n == 1 {
            "none".into()
        } else {
            format!("{:012x}", n - 1)
        };
        let text = format!(
            "-- revision: {n:012x}\n-- parents: {parent}\n-- message: table {n}\n-- up\n\
             CREATE TABLE t{n} (id int PRIMARY KEY);\n-- down\nDROP TABLE t{n};\n"
        );
        fs::write(directory.join(format!("{n:012x}_table.sql")), text).unwrap();
    }
}

fn write_alembic(directory: &Path, count: u32, url: &str) {
    let versions = directory.join("alembic/versions");
    fs::create_dir_all(&versions).unwrap();
    let ini = "[alembic]\nscript_location = alembic\n";
    fs::write(directory.join("alembic.ini"), ini).unwrap();
    let url = url.replace("postgres://", "postgresql+psycopg2://");
    let env = format!(
        "from alembic import context\nfrom sqlalchemy import create_engine\n\
         engine = create_engine({url:?})\n\
         with engine.connect() as connection:\n    context.configure(connection=connection)\n    \
         with context.begin_transaction():\n        context.run_migrations()\n"
    );
    fs::write(directory.join("alembic/env.py"), env).unwrap();
    for n in 1..=count {
        let parent = if n == 1 {
            "None".into()
        } else {
            format!("'{:012x}'", n - 1)
        };
        let text = format!(
            "from alembic import op\nrevision = '{n:012x}'\ndown_revision = {parent}\n\
             def upgrade():\n    op.execute('CREATE TABLE t{n} (id int PRIMARY KEY)')\n\
             def downgrade():\n    op.execute('DROP TABLE t{n}')\n"
        );
        fs::write(versions.join(format!("{n:012x}_table.py")), text).unwrap();
    }
}
