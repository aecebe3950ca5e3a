//! Statements of many tasks over few connections.

use super::{OURS, PoolReport};
use crate::load::{Done, Operation};
use crate::peers::{self, CONNECTIONS, Statements};
use crate::race::{Contender, Rounds};
use crate::server::Server;

const DEADPOOL: &str = "deadpool-postgres";
const SQLX: &str = "sqlx, without its ping before use";
const RAW: &str = "8 raw sockets";
const RAW_LANE: &str = "1 raw socket, bytes of a lane";

pub(super) async fn run(server: &Server, rounds: Rounds, report: &mut PoolReport) {
    let mut contenders = vec![
        Contender::new(OURS, Select(peers::ours::open(server).await)),
        Contender::new(DEADPOOL, Select(peers::deadpool::open(server))),
        Contender::new("sqlx", Select(peers::sqlx::open(server, true).await)),
        Contender::new(SQLX, Select(peers::sqlx::open(server, false).await)),
        Contender::new("bb8", Select(peers::bb8::open(server, true).await)),
        Contender::new(
            "bb8, without its ping",
            Select(peers::bb8::open(server, false).await),
        ),
        Contender::new("mobc", Select(peers::mobc::open(server, true))),
        Contender::new(
            "mobc, without its ping",
            Select(peers::mobc::open(server, false)),
        ),
        Contender::new(
            "tokio-postgres, 8 clients shared",
            Select(peers::driver::Shared::open(server, 8).await),
        ),
        Contender::new(
            "tokio-postgres, 2 clients shared",
            Select(peers::driver::Shared::open(server, 2).await),
        ),
        Contender::new(RAW, Select(peers::raw::Raw::open(server, 8).await)),
        peers::raw::lane(server).await,
    ];
    let with_tasks = contenders.len();
    contenders.extend(peers::pgbench::contender(server));
    let what = format!("SELECT $1, {CONNECTIONS} connections");
    // Against sqlx at its best, so that the figure holds for users who have tuned it.
    for (tasks, of_deadpool, of_sqlx) in
        [(8, 2.5, None), (64, 5.0, Some(3.0)), (512, 7.0, Some(3.0))]
    {
        let standings = rounds.race(&what, tasks, &contenders).await;
        report.compare_or_raw(&standings, DEADPOOL, of_deadpool, &[RAW, RAW_LANE]);
        report.compare_waits(&standings, DEADPOOL, "p99", 1.0, |waits| waits.p99);
        if let Some(wanted) = of_sqlx {
            report.compare(&standings, SQLX, wanted, ("p99", |waits| waits.p99));
        }
        report.races.push(standings);
        // It knows no tasks: once is enough.
        contenders.truncate(with_tasks);
    }
}

#[derive(Clone)]
struct Select<S>(S);

impl<S: Statements> Operation for Select<S> {
    async fn once(&self, task: usize, n: i64) -> Done {
        let answer = self.0.select(task, n).await;
        let done = Done::now();
        assert_eq!(answer, n);
        done
    }
}
