//! Tools whose packages the tests do not install, Flyway (Java) and golang-migrate (Go): their
//! tables stand here by hand, as their documentation and their sources make them.

use underpin_testkit::{Place, Postgres, or_skip};

use crate::project::{Project, changes_over};

/// As golang-migrate's drivers for PostgreSQL and SQLite make it.
fn golang_migrate(place: &Place) -> &'static str {
    match place {
        Place::Postgres(_) => {
            "CREATE TABLE schema_migrations (version bigint NOT NULL PRIMARY KEY, dirty boolean NOT NULL)"
        }
        Place::Sqlite(_) => "CREATE TABLE schema_migrations (version uint64, dirty bool)",
    }
}

const USERS: &str = "CREATE TABLE users (id bigint PRIMARY KEY);\n";
const NAMES: &str = "ALTER TABLE users ADD COLUMN name text;\n";
const MAILS: &str = "CREATE TABLE mails (id int NOT NULL);\n";

#[test]
fn a_database_of_golang_migrate_changes_over() {
    let places = Place::each("adopt_golang_migrate").into_iter();
    for (place, other) in places.zip(Place::each("golang_migrate_alone")) {
        let table = golang_migrate(&place);
        let [project, theirs] = [place, other].map(Project::at);
        for (project, version) in [(&project, 2), (&theirs, 30)] {
            project.write("01_users.up.sql", &format!("BEGIN;\n{USERS}COMMIT;\n"));
            project.write("01_users.down.sql", "DROP TABLE users;\n");
            project.write("02_names.up.sql", NAMES);
            project.write("30_mails.up.sql", MAILS);
            for sql in [table, USERS, NAMES] {
                project.query(sql.trim().trim_end_matches(';'));
            }
            project.query(&format!(
                "INSERT INTO schema_migrations VALUES ({version}, false)"
            ));
        }
        theirs.query(MAILS.trim().trim_end_matches(';'));

        project.query("UPDATE schema_migrations SET dirty = true");
        let said = project.adopt(2, "golang-migrate", &[]);
        assert!(said.contains("the migration 2 failed half-way"), "{said}");
        project.is_untouched();
        project.query("UPDATE schema_migrations SET dirty = false");
        let ids = ["01", "02", "30"];
        changes_over(
            &project,
            "golang-migrate",
            "schema_migrations",
            ids,
            &theirs,
        );
    }
}

/// As Flyway makes it on PostgreSQL.
const FLYWAY: &str = "CREATE TABLE flyway_schema_history (
    installed_rank INT NOT NULL CONSTRAINT flyway_schema_history_pk PRIMARY KEY,
    version VARCHAR(50),
    description VARCHAR(200) NOT NULL,
    type VARCHAR(20) NOT NULL,
    script VARCHAR(1000) NOT NULL,
    checksum INTEGER,
    installed_by VARCHAR(100) NOT NULL,
    installed_on TIMESTAMP NOT NULL DEFAULT now(),
    execution_time INTEGER NOT NULL,
    success BOOLEAN NOT NULL)";

#[test]
fn a_database_of_flyway_changes_over() {
    let server = or_skip!(Postgres::shared());
    let project = Project::on_postgres(server, "adopt_flyway");
    let theirs = Project::on_postgres(server, "flyway_alone");
    // CRC-32 of the lines of USERS, NAMES and MAILS.
    let rows = [
        ("1", "users", "V1__users.sql", 1812668543),
        ("1.1", "names", "V1_1__names.sql", 577072163),
        ("2", "mails", "V2__mails.sql", -1456446717),
    ];
    for (project, applied) in [(&project, 2), (&theirs, 3)] {
        for (text, (.., script, _)) in [USERS, NAMES, MAILS].iter().zip(&rows) {
            project.write(script, text);
        }
        project.query(FLYWAY);
        let done = [USERS, NAMES, MAILS].into_iter().zip(&rows).take(applied);
        for (rank, (sql, (version, description, script, sum))) in (1..).zip(done) {
            project.query(sql.trim().trim_end_matches(';'));
            project.query(&format!(
                "INSERT INTO flyway_schema_history VALUES ({rank}, '{version}', '{description}', \
                 'SQL', '{script}', {sum}, 'app', now(), 3, true)"
            ));
        }
    }
    let table = "flyway_schema_history";
    project.query("UPDATE flyway_schema_history SET success = false WHERE installed_rank = 2");
    let said = project.adopt(2, "flyway", &["--dir", "migrations"]);
    assert!(said.contains("the migration 1.1 failed half-way"), "{said}");
    project.is_untouched();
    project.query("UPDATE flyway_schema_history SET success = true");
    project.run(2, &["migrate", "adopt", "--from", "flyway"]);
    for project in [&project, &theirs] {
        let usual = project.path().join("src/main/resources/db");
        std::fs::create_dir_all(&usual).unwrap();
        std::fs::rename(project.migrations(), usual.join("migration")).unwrap();
    }
    changes_over(&project, "flyway", table, ["1", "1_1", "2"], &theirs);
}

#[test]
fn a_table_elsewhere_is_named() {
    let server = or_skip!(Postgres::shared());
    let project = Project::on_postgres(server, "adopt_table");
    project.write("1_users.up.sql", USERS);
    project.query("CREATE SCHEMA \"Ops\"");
    project.query("CREATE TABLE \"Ops\".done (version bigint PRIMARY KEY, dirty boolean NOT NULL)");
    project.query("INSERT INTO \"Ops\".done VALUES (1, false)");
    let said = project.adopt(2, "golang-migrate", &[]);
    assert!(said.contains("no table schema_migrations"), "{said}");
    let said = project.adopt(4, "sqlx", &["--table", "Ops.done"]);
    assert!(
        said.contains("The table Ops.done does not have the form that sqlx creates."),
        "{said}"
    );
    project.is_untouched();
    project.adopt(0, "golang-migrate", &["--table", "Ops.done"]);
    assert_eq!(project.ids("current"), "1");
}
