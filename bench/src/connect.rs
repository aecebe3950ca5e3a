use std::time::Duration;

use futures_util::future::join_all;
use tokio_postgres::NoTls;

use crate::measure::{Report, in_turns};
use crate::server::Server;

/// What a connection costs, alone and five at once, and what a pool saves.
pub(crate) async fn run(server: &Server, count: u32, report: &mut Report) {
    let url = &server.url();
    let open = || async {
        underpin::Connection::connect(url)
            .await
            .unwrap()
            .close()
            .await
    };
    let peer_open = || async {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
        let task = tokio::spawn(connection);
        drop(client);
        task.await.unwrap().unwrap();
    };
    let pair = in_turns(
        9,
        || async {
            for _ in 0..5 {
                open().await;
            }
        },
        || async {
            for _ in 0..5 {
                peer_open().await;
            }
        },
    )
    .await;
    report.add(
        "five connections, one by one",
        "tokio-postgres",
        5,
        &pair,
        None,
    );
    let pair = in_turns(
        9,
        || join_all((0..5).map(|_| open())),
        || join_all((0..5).map(|_| peer_open())),
    )
    .await;
    report.add("five connections at once", "tokio-postgres", 5, &pair, None);

    let pooled = server.ours().await;
    let pair = in_turns(
        3,
        || async {
            for n in 0..i64::from(count) {
                pooled
                    .query_scalar::<i64>("SELECT $1::int8", (n,))
                    .await
                    .unwrap();
            }
        },
        || async {
            for n in 0..i64::from(count) {
                let connection = underpin::Connection::connect(url).await.unwrap();
                connection
                    .query_scalar::<i64>("SELECT $1::int8", (n,))
                    .await
                    .unwrap();
                connection.close().await;
            }
        },
    )
    .await;
    report.add(
        "SELECT $1 from the pool",
        "a connection for each statement",
        count,
        &pair,
        None,
    );
    pooled.close(Duration::from_secs(5)).await.unwrap();
}
