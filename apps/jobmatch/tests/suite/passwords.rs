use jobmatch::import::{ImportKind, Source};
use underpin::Class;

use crate::place::{Files, InPlace, Place, close, count, import_file};

#[tokio::test]
async fn a_password_is_hashed_and_never_stored_or_shown() {
    let secret = "correct horse battery staple";
    let files = Files::new();
    let path = files.write(
        "users.csv",
        format!("email,password,full_name\nada@example.com,{secret},Ada\n,{secret},Nobody\n"),
    );
    for place in Place::each("password") {
        let database = place.migrated().await;
        let output = place.command(&["import", "users", path.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let said = format!("{output:?}");
        assert!(
            said.contains("1 of 2 rows are in users") && !said.contains(secret),
            "{said}"
        );
        let stored: String = database
            .query_scalar("SELECT hashed_password FROM users", ())
            .await
            .unwrap();
        assert!(stored.starts_with("$argon2id$v=19$"), "{stored}");
        let sql = "SELECT CAST(error_details AS text) FROM csv_imports";
        let details: String = database.query_scalar(sql, ()).await.unwrap();
        assert!(details.contains("email") && !details.contains(secret));
        close(database).await;
    }
}

#[tokio::test]
async fn a_hash_must_be_a_phc_string() {
    let files = Files::new();
    let path = files.write(
        "users.csv",
        "email,hashed_password\na,hunter2\nb,$2b$12$abc\nc,\n",
    );
    for place in Place::each("phc") {
        let database = place.migrated().await;
        let report = import_file(&database, ImportKind::Users, &path)
            .await
            .unwrap();
        assert_eq!((report.inserted, report.bad), (0, 3));
        assert!(
            report
                .bad_rows
                .iter()
                .all(|row| !row.reason.contains("hunter2"))
        );
        assert_eq!(count(&database, "users").await, 0);
        close(database).await;
    }
    let both = files.write("both.csv", "email,hashed_password,password\n");
    let refused = Source::open(ImportKind::Users, &both, &[]).unwrap_err();
    assert_eq!(refused.class(), Class::Config);
}
