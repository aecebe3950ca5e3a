use std::time::Duration;

use super::database::TestDatabase;

const BETWEEN_LOOKS: Duration = Duration::from_millis(10);
const LOOKS: usize = 1000;

impl TestDatabase {
    /// The server's processes of the sessions in this database for which an SQL condition on
    /// the columns of `pg_stat_activity` holds, such as `state = 'idle'`; `true` gives all. The
    /// testkit's own are left out.
    ///
    /// # Panics
    ///
    /// When the server does not answer, or the condition is not SQL.
    pub async fn sessions(&self, condition: &str) -> Vec<i32> {
        let sql = format!(
            "SELECT pid FROM pg_stat_activity
             WHERE datname = current_database() AND backend_type = 'client backend'
               AND application_name <> 'underpin-testkit' AND ({condition})
             ORDER BY backend_start, pid"
        );
        let rows = self.client().await.query(&sql, &[]).await;
        rows.unwrap_or_else(|error| panic!("The sessions where {condition}: {error}."))
            .iter()
            .map(|row| row.get(0))
            .collect()
    }

    /// Ends sessions as an administrator does, with SQLSTATE 57P01, and returns when they are
    /// gone from the server.
    ///
    /// # Panics
    ///
    /// When one of them is not there, or not gone within ten seconds.
    pub async fn terminate(&self, sessions: &[i32]) {
        let client = self.client().await;
        let ended = client
            .query(
                "SELECT pid, pg_terminate_backend(pid) FROM unnest($1::int4[]) AS pid",
                &[&sessions],
            )
            .await
            .unwrap_or_else(|error| panic!("The sessions cannot be ended: {error}."));
        for row in ended {
            let (session, was_there): (i32, bool) = (row.get(0), row.get(1));
            assert!(was_there, "There is no session {session} to end.");
        }
        for _ in 0..LOOKS {
            let left = "SELECT count(*) FROM pg_stat_activity WHERE pid = ANY($1::int4[])";
            let left = client.query_one(left, &[&sessions]).await;
            if left.is_ok_and(|left| left.get::<_, i64>(0) == 0) {
                return;
            }
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
        panic!("The sessions {sessions:?} were told to end but still exist.");
    }
}
