use std::process::Command;

use underpin_testkit::{Place, skip};

use crate::project::Project;

const ENV: &str = "\
import os
from alembic import context
from sqlalchemy import create_engine

url = os.environ['ALEMBIC_URL']
if context.is_offline_mode():
    context.configure(url=url, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()
else:
    with create_engine(url).connect() as connection:
        context.configure(connection=connection)
        with context.begin_transaction():
            context.run_migrations()
            connection.commit()
";

/// A trunk a1, b2; a branch `shop` from a1; `mail` on its own, which needs the shop; and a
/// merge of the trunk and the shop.
const REVISIONS: [(&str, &str, &str, &str); 6] = [
    (
        "a1",
        "down_revision = None\nbranch_labels = None\ndepends_on = None",
        "op.create_table('users', sa.Column('id', sa.BigInteger, primary_key=True))",
        "op.drop_table('users')",
    ),
    (
        "b2",
        "down_revision: Union[str, None] = 'a1'",
        "op.add_column('users', sa.Column('name', sa.String(40), server_default=\"it's; so\"))",
        "op.drop_column('users', 'name')",
    ),
    (
        "s1",
        "down_revision = 'a1'\nbranch_labels = ('shop',)",
        "op.create_table('orders', sa.Column('id', sa.Integer, nullable=False))",
        "op.drop_table('orders')",
    ),
    (
        "s2",
        "down_revision = 's1'",
        "with op.get_context().autocommit_block():\n        \
         op.create_index('orders_id', 'orders', ['id'], postgresql_concurrently=True)",
        "op.drop_index('orders_id')",
    ),
    (
        "m1",
        "down_revision = None\nbranch_labels = 'mail'\ndepends_on = 'shop'",
        "op.create_table('mails', sa.Column('id', sa.Integer, nullable=False))",
        "op.drop_table('mails')",
    ),
    ("z9", "down_revision = ('b2', 's2')", "pass", "pass"),
];

/// A project of Alembic on each engine; none if Alembic is not available.
fn projects(name: &str) -> Vec<Project> {
    let imports = ["-c", "import alembic, sqlalchemy, psycopg2"];
    let has = Command::new(python()).args(imports).output();
    if !has.is_ok_and(|output| output.status.success()) {
        let reason = format!("{} has no alembic, sqlalchemy and psycopg2.", python());
        skip::report(name, reason);
        return Vec::new();
    }
    let projects: Vec<Project> = Place::each(name).into_iter().map(Project::at).collect();
    projects.iter().for_each(write);
    projects
}

fn write(project: &Project) {
    let alembic = project.path().join("alembic");
    std::fs::create_dir_all(alembic.join("versions")).unwrap();
    let ini = "[alembic]\nscript_location = alembic\n";
    std::fs::write(project.path().join("alembic.ini"), ini).unwrap();
    std::fs::write(alembic.join("env.py"), ENV).unwrap();
    for (id, head, up, down) in REVISIONS {
        let text = format!(
            "\"\"\"the {id}\n\nRevision ID: {id}\n\"\"\"\nfrom typing import Union\n\nimport sqlalchemy as sa\n\
             from alembic import op\n\n# revision identifiers, used by Alembic.\n\
             revision: str = '{id}'\n{head}\n\n\ndef upgrade() -> None:\n    {up}\n\n\n\
             def downgrade() -> None:\n    {down}\n"
        );
        std::fs::write(alembic.join(format!("versions/{id}_the.py")), text).unwrap();
    }
}

fn python() -> String {
    std::env::var("UNDERPIN_TEST_PYTHON").unwrap_or_else(|_| "python3".into())
}

/// Runs Alembic, and gives what it prints to standard output.
fn alembic(project: &Project, arguments: &[&str]) -> String {
    let output = Command::new(python())
        .args(["-m", "alembic"])
        .args(arguments)
        .current_dir(project.path())
        .env(
            "ALEMBIC_URL",
            project
                .url()
                .replace("postgres://", "postgresql+psycopg2://"),
        )
        .output()
        .expect("Alembic starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {said}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Lets Alembic print its SQL, up and down, and gives the options that name it.
fn sql(project: &Project) -> [&'static str; 4] {
    let up = alembic(project, &["upgrade", "heads", "--sql"]);
    let down: String = ["z9:base", "m1:base"]
        .map(|range| alembic(project, &["downgrade", range, "--sql"]))
        .concat();
    std::fs::write(project.path().join("up.sql"), up).unwrap();
    std::fs::write(project.path().join("down.sql"), down).unwrap();
    ["--sql", "up.sql", "--sql", "down.sql"]
}

#[test]
fn a_database_of_alembic_changes_over() {
    for project in projects("adopt_alembic") {
        alembic(&project, &["upgrade", "b2"]);
        alembic(&project, &["upgrade", "mail@head"]);
        let rows = "SELECT version_num FROM alembic_version ORDER BY 1";
        let before = project.query(rows);
        assert_eq!(before, "b2\nm1", "s1 is implied by what depends on it");
        project.query("INSERT INTO users (id) VALUES (7)");

        let said = project.adopt(2, "alembic", &[]);
        assert!(said.contains("alembic upgrade heads --sql"), "{said}");
        project.is_untouched();
        let said = project.adopt(2, "alembic", &["--without-sql"]);
        assert!(said.contains("`s2` is not applied here"), "{said}");
        project.is_untouched();

        let sql = sql(&project);
        let said = project.adopt(0, "alembic", &sql);
        assert!(
            said.contains("6 were written as revisions and 4 recorded"),
            "{said}"
        );
        assert_eq!(project.ids("pending"), "s2 z9");
        assert_eq!(project.ids("current"), "b2 s1 m1");
        assert_eq!(project.query(rows), before);
        let again = project.adopt(0, "alembic", &sql);
        assert!(
            again.contains("All 6 migrations of alembic were already adopted"),
            "{again}"
        );

        project.run(0, &["migrate", "up", "heads"]);
        assert_eq!(project.query("SELECT id FROM users"), "7");
        let ours = project.schema();
        alembic(&project, &["stamp", "--purge", "base"]);
        project.run(0, &["migrate", "down", "base"]);
        assert_eq!(project.schema(), "");
        alembic(&project, &["upgrade", "heads"]);
        assert_eq!(project.schema(), ours);
    }
}

#[test]
fn without_their_sql_revisions_of_alembic_make_no_new_database() {
    for project in projects("adopt_alembic_bare") {
        alembic(&project, &["upgrade", "heads"]);
        let said = project.adopt(0, "alembic", &["--without-sql"]);
        assert!(
            said.contains("6 of 6 revisions have no way up here"),
            "{said}"
        );
        assert_eq!(project.ids("pending"), "");
        project.run(0, &["migrate", "validate"]);
        let new = ["migrate", "new", "-m", "more", "--parent", "z9"];
        project.run(0, &new);
        project.run(0, &["migrate", "up", "heads"]);

        let fresh = ["--url", "sqlite:new.db", "migrate", "up", "heads"];
        let output = Command::new(env!("CARGO_BIN_EXE_underpin-adopt"))
            .args(fresh)
            .current_dir(project.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(
            said.contains("There is no way up through the revision `a1`"),
            "{said}"
        );
    }
}

/// Each step is taken by Alembic on one database and by Underpin on another.
#[test]
fn targets_among_branches_lead_where_alembic_leads() {
    let Some(theirs) = projects("alembic_targets").into_iter().next() else {
        return;
    };
    let ours = Project::at(Place::Sqlite(underpin_testkit::SqliteFile::new()));
    alembic(&theirs, &["stamp", "base"]);
    let sql = sql(&theirs);
    let revisions = ours.path().join("revisions");
    let options = ["--revisions", revisions.to_str().unwrap()];
    theirs.adopt(0, "alembic", &[&sql[..], &options].concat());
    for (way, target) in [
        ("upgrade", "shop@+1"),
        ("upgrade", "shop@+1"),
        ("downgrade", "shop@-1"),
        ("upgrade", "a1"),
        ("upgrade", "mail@head"),
        ("downgrade", "shop@a1"),
        ("upgrade", "shop"),
        ("upgrade", "shop@s2"),
        ("upgrade", "a1"),
        ("upgrade", "b2"),
        ("downgrade", "mail@base"),
        ("downgrade", "b2@-1"),
        ("upgrade", "mail@+1"),
        ("upgrade", "s1+1"),
        ("upgrade", "b2+1"),
        ("downgrade", "shop@base"),
        ("upgrade", "heads"),
        ("downgrade", "base"),
    ] {
        alembic(&theirs, &[way, target]);
        let own = if way == "upgrade" { "up" } else { "down" };
        ours.run(0, &["migrate", own, target]);
        assert_eq!(ours.schema(), theirs.schema(), "after {way} {target}");
    }
}
