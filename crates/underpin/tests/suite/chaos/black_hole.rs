//! The network swallows everything and never answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering::SeqCst};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::task::JoinSet;
use underpin::postgres::{Dial, Dialing, Stream};
use underpin::{Config, Database, Endpoint};
use underpin_testkit::{Postgres, Proxy, TestDatabase, or_skip};

use super::{at_rest, fill};
use crate::place::eventually;

/// The port of new connections, whatever the endpoint says.
#[derive(Debug, Clone)]
struct Route(Arc<AtomicU16>);

impl Dial for Route {
    fn dial<'a>(&'a self, _: &'a Endpoint) -> Dialing<'a> {
        Box::pin(async {
            let stream = TcpStream::connect(("127.0.0.1", self.0.load(SeqCst))).await?;
            Ok(Box::new(stream) as Box<dyn Stream>)
        })
    }
}

struct Scene {
    database: TestDatabase,
    proxy: Proxy,
    route: Route,
    db: Database,
}

impl Scene {
    async fn new(server: &Postgres, test: &str) -> Scene {
        let database = server.database(test);
        let table = "CREATE TABLE t (n int)";
        database.client().await.batch_execute(table).await.unwrap();
        let proxy = Proxy::before(server);
        let route = Route(Arc::new(AtomicU16::new(proxy.port())));
        let config = Config::from_url(&database.url_through(&proxy))
            .unwrap()
            .to_builder()
            .pool_min_size(0)
            .pool_max_size(4)
            .acquire_timeout(Duration::from_secs(10))
            .connection_timeout(Duration::from_secs(1))
            .max_retries(100);
        let db = Database::connect_through(config.build().unwrap(), route.clone())
            .await
            .unwrap();
        fill(&db).await;
        Scene {
            database,
            proxy,
            route,
            db,
        }
    }

    /// Ten statements and a transaction that all run into the black hole. Afterwards no caller
    /// holds a permit, although nothing was answered.
    async fn fall_in(&self) {
        let brief = self.db.deadline(Duration::from_secs(1));
        let transaction = brief.begin().await.unwrap();
        let session = brief.acquire().await.unwrap();
        self.proxy.black_hole();
        let mut tasks = JoinSet::new();
        for n in 0..10 {
            let brief = brief.clone();
            tasks.spawn(async move { brief.execute("INSERT INTO t VALUES ($1)", (n,)).await });
        }
        tasks.spawn(async move { session.execute("SELECT 1", ()).await });
        tasks.spawn(async move { transaction.execute("INSERT INTO t VALUES (-1)", ()).await });
        while let Some(ended) = tasks.join_next().await {
            let error = ended.unwrap().unwrap_err();
            assert!(error.is_timeout(), "{error}");
        }
        let dropped = self.db.execute("INSERT INTO t VALUES (-1)", ());
        let dropped = tokio::time::timeout(Duration::from_millis(100), dropped).await;
        assert!(dropped.is_err());
        eventually("all permits are back", async || {
            let metrics = self.db.metrics();
            metrics.active_connections == 0 && metrics.waiting == 0
        })
        .await;
    }

    async fn all_is_well(&self) {
        let mut tasks = JoinSet::new();
        for n in 100..120 {
            let db = self.db.clone();
            tasks.spawn(async move { db.execute("INSERT INTO t VALUES ($1)", (n,)).await });
        }
        while let Some(ended) = tasks.join_next().await {
            ended.unwrap().unwrap();
        }
        fill(&self.db).await;
        let rows: i64 = self
            .db
            .query_scalar("SELECT count(*) FROM t WHERE n >= 100", ())
            .await
            .unwrap();
        assert_eq!(rows, 20);
    }
}

#[tokio::test]
async fn a_black_hole_keeps_no_permit_and_all_is_well_when_it_forwards_again() {
    let server = or_skip!(Postgres::shared());
    let scene = Scene::new(server, "black_hole").await;
    scene.fall_in().await;
    scene.proxy.resume();
    scene.all_is_well().await;
    at_rest(&scene.db, &scene.database).await;
}

#[tokio::test]
async fn a_black_hole_keeps_no_permit_and_a_new_route_serves_at_once() {
    let server = or_skip!(Postgres::shared());
    let scene = Scene::new(server, "new_route").await;
    scene.fall_in().await;
    let way_round = Proxy::before(server);
    scene.route.0.store(way_round.port(), SeqCst);
    scene.all_is_well().await;
    assert_eq!(way_round.open_connections(), 4);
    // The server learns only now that the sessions in the black hole are over.
    scene.proxy.cut();
    at_rest(&scene.db, &scene.database).await;
}
