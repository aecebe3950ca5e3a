//! What was dropped or changed by hand is found and named.

use jobmatch::{Difference, verify};
use underpin::Engine;

use crate::place::{InPlace, Place};

/// What is done by hand, on PostgreSQL and on SQLite, and what is missing then.
const BY_HAND: [(&str, &str, &str); 3] = [
    (
        "DROP INDEX idx_users_email",
        "DROP INDEX idx_users_email",
        "index idx_users_email of users",
    ),
    (
        "ALTER TABLE users DROP COLUMN full_name",
        "ALTER TABLE users DROP COLUMN full_name",
        "column full_name of users",
    ),
    (
        "ALTER TABLE jobs DROP CONSTRAINT check_salary_min_positive",
        "PRAGMA writable_schema = ON;
         UPDATE sqlite_schema SET sql = replace(sql, 'check_salary_min_positive', 'something_else')
         WHERE name = 'jobs';
         PRAGMA writable_schema = OFF",
        "constraint check_salary_min_positive of jobs",
    ),
];

#[tokio::test]
async fn what_is_dropped_by_hand_is_named() {
    for place in Place::each("verify") {
        let db = place.migrated().await;
        let sound = verify(&db).await.unwrap();
        assert_eq!(sound.differences, []);
        assert!(sound.objects > 100, "{}", sound.objects);
        for (postgres, sqlite, missing) in BY_HAND {
            let sql = if db.engine() == Engine::POSTGRES {
                postgres
            } else {
                sqlite
            };
            db.batch(sql).await.unwrap();
            let object = missing.to_owned();
            let found = verify(&db).await.unwrap().differences;
            assert!(found.contains(&Difference::Missing { object }), "{found:?}");
        }
        db.batch("ALTER TABLE jobs ADD COLUMN extra integer")
            .await
            .unwrap();
        let object = "column extra of jobs".to_owned();
        let found = verify(&db).await.unwrap().differences;
        assert!(
            found.contains(&Difference::Unexpected { object }),
            "{found:?}"
        );
    }
}
