use tokio_postgres::NoTls;
use underpin_testkit::{Postgres, or_skip};

use crate::project::{Project, changes_over};

async fn run(project: &Project) {
    let (mut client, connection) = tokio_postgres::connect(&project.url(), NoTls)
        .await
        .unwrap();
    let connection = tokio::spawn(connection);
    let migrations = refinery::load_sql_migrations(project.migrations()).unwrap();
    let runner = refinery::Runner::new(&migrations);
    runner.run_async(&mut client).await.unwrap();
    drop(client);
    connection.await.unwrap().unwrap();
}

fn first_two(project: &Project) {
    project.write(
        "V1__create_users.sql",
        "CREATE TABLE users (id bigint PRIMARY KEY);\n",
    );
    project.write("U2__names.sql", "ALTER TABLE users ADD COLUMN name text;");
}

fn third(project: &Project) {
    project.write(
        "later/V10__mails.sql",
        "CREATE TABLE mails (id int NOT NULL);\n",
    );
}

#[tokio::test]
async fn a_database_of_refinery_changes_over() {
    let server = or_skip!(Postgres::shared());
    let project = Project::on_postgres(server, "adopt_refinery");
    first_two(&project);
    run(&project).await;
    third(&project);
    let theirs = Project::on_postgres(server, "refinery_alone");
    first_two(&theirs);
    third(&theirs);
    run(&theirs).await;
    let table = "refinery_schema_history";
    changes_over(&project, "refinery", table, ["1", "2", "10"], &theirs);
}

#[tokio::test]
async fn a_changed_file_of_refinery_is_refused() {
    let server = or_skip!(Postgres::shared());
    let project = Project::on_postgres(server, "adopt_refinery_not");
    first_two(&project);
    run(&project).await;
    project.write("U2__names.sql", "ALTER TABLE users ADD COLUMN names text;");
    let said = project.adopt(2, "refinery", &[]);
    assert!(
        said.contains("U2__names.sql has changed since refinery applied it"),
        "{said}"
    );
    project.is_untouched();
}
