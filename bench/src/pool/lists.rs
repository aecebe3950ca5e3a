//! Lists of fifty rows.

use super::{OURS, PoolReport};
use crate::load::{Done, Operation};
use crate::peers::{self, CONNECTIONS, Lists, ROWS};
use crate::race::{Contender, Rounds};
use crate::server::Server;

const SQLX: &str = "sqlx, without its ping before use";
const RAW: &str = "8 raw sockets";

pub(super) async fn run(server: &Server, rounds: Rounds, report: &mut PoolReport) {
    let contenders = [
        Contender::new(OURS, List(peers::ours::open(server).await)),
        Contender::new(SQLX, List(peers::sqlx::open(server, false).await)),
        Contender::new(RAW, List(peers::raw::Raw::open(server, 8).await)),
    ];
    let what = format!("{ROWS} rows, {CONNECTIONS} connections");
    let standings = rounds.race(&what, 64, &contenders).await;
    report.compare_or_raw(&standings, SQLX, 2.0, &[RAW]);
    report.races.push(standings);
}

#[derive(Clone)]
struct List<L>(L);

impl<L: Lists> Operation for List<L> {
    async fn once(&self, task: usize, n: i64) -> Done {
        let rows = self.0.list(task, n).await;
        let done = Done::now();
        assert_eq!(rows, ROWS);
        done
    }
}
