use std::time::Duration;

use crate::measure::{Report, in_turns};
use crate::server::Server;

/// One task's `SELECT $1`, again and again: what a round trip costs.
pub(crate) async fn run(server: &Server, count: u32, report: &mut Report) {
    let ours = server.ours().await;
    let peer = server.client().await;
    let statement = peer.prepare("SELECT $1::int8").await.unwrap();
    let pair = in_turns(
        9,
        || async {
            for n in 0..i64::from(count) {
                let answer: i64 = ours.query_scalar("SELECT $1::int8", (n,)).await.unwrap();
                assert_eq!(answer, n);
            }
        },
        || async {
            for n in 0..i64::from(count) {
                let answer: i64 = peer.query_one(&statement, &[&n]).await.unwrap().get(0);
                assert_eq!(answer, n);
            }
        },
    )
    .await;
    report.add(
        "SELECT $1, one task",
        "tokio-postgres, prepared",
        count,
        &pair,
        Some(0.9),
    );
    ours.close(Duration::from_secs(5)).await.unwrap();
}
