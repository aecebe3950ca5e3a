use diesel::{Connection, PgConnection};
use diesel_migrations::{FileBasedMigrations, MigrationHarness};
use underpin_testkit::{Postgres, or_skip};

use crate::project::{Project, changes_over};

// Diesel finds libpq by the linker alone.
use pq_sys as _;

fn run(project: &Project) {
    let migrations = FileBasedMigrations::from_path(project.migrations()).unwrap();
    let mut connection = PgConnection::establish(&project.url()).unwrap();
    connection.run_pending_migrations(migrations).unwrap();
}

fn first_two(project: &Project) {
    let users = "2026-01-01-000000_create_users";
    let up = "CREATE TABLE users (id bigint PRIMARY KEY);\n";
    project.write(&format!("{users}/up.sql"), up);
    project.write(&format!("{users}/down.sql"), "DROP TABLE users;\n");
    let index = "2026-01-02-000000_index";
    let up = "CREATE INDEX CONCURRENTLY users_id ON users (id);\n";
    project.write(&format!("{index}/up.sql"), up);
    project.write(
        &format!("{index}/down.sql"),
        "DROP INDEX CONCURRENTLY users_id;\n",
    );
    project.write(
        &format!("{index}/metadata.toml"),
        "run_in_transaction = false\n",
    );
}

fn third(project: &Project) {
    let up = "CREATE TABLE mails (id int NOT NULL);\n";
    project.write("20270101000000_mails/up.sql", up);
    project.write("20270101000000_mails/down.sql", "DROP TABLE mails;\n");
}

#[test]
fn a_database_of_diesel_changes_over() {
    let server = or_skip!(Postgres::shared());
    let project = Project::on_postgres(server, "adopt_diesel");
    first_two(&project);
    run(&project);
    third(&project);
    let theirs = Project::on_postgres(server, "diesel_alone");
    first_two(&theirs);
    third(&theirs);
    run(&theirs);
    let ids = ["20260101000000", "20260102000000", "20270101000000"];
    changes_over(
        &project,
        "diesel",
        "__diesel_schema_migrations",
        ids,
        &theirs,
    );
    project.run(0, &["migrate", "down", "base"]);
    assert_eq!(project.schema(), "");
}
