use sqlx_core::connection::Connection;
use sqlx_core::migrate::Migrator;
use sqlx_postgres::PgConnection;
use underpin_testkit::{Postgres, or_skip};

use crate::project::{Project, changes_over};

const TABLE: &str = "_sqlx_migrations";

async fn run(project: &Project) {
    let mut connection = PgConnection::connect(&project.url()).await.unwrap();
    let migrator = Migrator::new(project.migrations()).await.unwrap();
    migrator.run(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

fn first_two(project: &Project) {
    project.write(
        "20260101000000_create_users.up.sql",
        "-- up\nCREATE TABLE users (id bigint PRIMARY KEY, name text);\n\
         CREATE FUNCTION one() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN 1; END; $$;\n",
    );
    project.write(
        "20260101000000_create_users.down.sql",
        "DROP FUNCTION one();\nDROP TABLE users;\n",
    );
    project.write(
        "20260102000000_index.sql",
        "-- no-transaction\nCREATE INDEX CONCURRENTLY users_name ON users (name);\n",
    );
}

fn third(project: &Project) {
    project.write(
        "20260103000000_mails.sql",
        "CREATE TABLE mails (id int NOT NULL, user_id bigint REFERENCES users);\n",
    );
}

#[tokio::test]
async fn a_database_of_sqlx_changes_over() {
    let server = or_skip!(Postgres::shared());
    let project = Project::on_postgres(server, "adopt_sqlx");
    first_two(&project);
    run(&project).await;
    third(&project);
    let theirs = Project::on_postgres(server, "sqlx_alone");
    first_two(&theirs);
    third(&theirs);
    run(&theirs).await;
    let ids = ["20260101000000", "20260102000000", "20260103000000"];
    changes_over(&project, "sqlx", TABLE, ids, &theirs);
    let shown = project.run(0, &["migrate", "show", ids[0]]);
    assert!(
        shown.contains("-- down\nDROP FUNCTION one();\nDROP TABLE users;"),
        "{shown}"
    );
}

#[tokio::test]
async fn what_does_not_agree_with_sqlx_is_refused_and_nothing_is_written() {
    let server = or_skip!(Postgres::shared());
    let project = Project::on_postgres(server, "adopt_sqlx_not");
    first_two(&project);
    let said = project.adopt(2, "sqlx", &[]);
    assert!(said.contains("no table _sqlx_migrations"), "{said}");
    run(&project).await;

    let index = "20260102000000_index.sql";
    project.write(index, "CREATE INDEX users_name ON users (name);\n");
    let said = project.adopt(2, "sqlx", &[]);
    assert!(
        said.contains("20260102000000_index.sql has changed since sqlx applied it"),
        "{said}"
    );
    project.is_untouched();

    std::fs::remove_file(project.migrations().join(index)).unwrap();
    let said = project.adopt(2, "sqlx", &[]);
    assert!(
        said.contains("records the migration 20260102000000, but there is no file"),
        "{said}"
    );
    project.is_untouched();

    first_two(&project);
    project.query("UPDATE _sqlx_migrations SET success = false WHERE version = 20260102000000");
    let said = project.adopt(2, "sqlx", &[]);
    assert!(
        said.contains("the migration 20260102000000 failed half-way"),
        "{said}"
    );
    project.is_untouched();

    project.query("UPDATE _sqlx_migrations SET success = true");
    let said = project.adopt(2, "diesel", &[]);
    assert!(
        said.contains("no table __diesel_schema_migrations"),
        "{said}"
    );
    // What cannot be written is taken back, with the history.
    let taken = project.path().join("revisions/20260102000000_index.sql");
    std::fs::create_dir_all(&taken).unwrap();
    let said = project.adopt(4, "sqlx", &[]);
    assert!(
        said.contains("20260102000000_index.sql cannot be written"),
        "{said}"
    );
    std::fs::remove_dir(&taken).unwrap();
    std::fs::remove_dir(project.path().join("revisions")).expect("it is empty");
    project.is_untouched();
}
