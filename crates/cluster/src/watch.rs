//! Keeps the topology up to date: it probes the members as [`Roles`] decides, independently of the
//! callers' statements, and acts on changes of the primary.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::{broadcast, watch};
use tokio::task::AbortHandle;
use underpin_core::driver::{
    AnyConnection, AnyConnector, Capabilities, Connection, Connector, Observation,
};
use underpin_core::{Class, Deadline, Endpoint, Error, Position, Result, Role, TwoPrimaries};

use crate::alarm::Alarm;
use crate::change::Change;
use crate::clock;
use crate::cluster::AnyLease;
use crate::connect::{all_failed, is_replica};
use crate::discovery::{self, Discovery};
use crate::event::{Chronicle, Event, Events};
use crate::history::{History, Verdict};
use crate::member::{Member, MemberState, NewMember};
use crate::roles::{Latest, Roles};
use crate::topology::Topology;

/// Time within which an open connection must answer a probe.
const ANSWER: Duration = Duration::from_secs(2);

/// Number of events that are kept for a slow receiver.
const EVENTS: usize = 256;

/// The topology of a database, and the state of its probes.
pub(crate) struct Watch {
    topology: ArcSwap<Topology>,
    /// Number of members so far.
    numbers: AtomicU64,
    search: Mutex<Search>,
    /// Number of the observations so far.
    news: watch::Sender<u64>,
    watched: Mutex<Watched>,
    alarm: Arc<Alarm>,
    /// `None` once the database is closed, so that its receivers see the end.
    events: Mutex<Option<broadcast::Sender<Event>>>,
    closed: AtomicBool,
    capabilities: Capabilities,
    two_primaries: TwoPrimaries,
}

/// The source of the list of members, and the task that reads it. Locked while the members change.
#[derive(Default)]
struct Search {
    discovery: Option<Arc<dyn Discovery>>,
    task: Option<AbortHandle>,
}

/// The task's state of the members that it probes. Empty if roles are fixed.
#[derive(Default)]
struct Watched {
    roles: Option<Roles>,
    history: History,
    chronicle: Chronicle,
    task: Option<AbortHandle>,
}

impl Watched {
    /// Whether the current task is the one that probes. An aborted task continues until its next await,
    /// when the members may have changed.
    fn is_this_task(&self) -> bool {
        let current = self.task.as_ref().map(AbortHandle::id);
        current.is_some() && current == tokio::task::try_id()
    }
}

impl Watch {
    pub(crate) fn new(
        topology: Topology,
        alarm: Arc<Alarm>,
        capabilities: Capabilities,
        two_primaries: TwoPrimaries,
        discovery: Option<Arc<dyn Discovery>>,
    ) -> Arc<Self> {
        let watch = Watch {
            numbers: AtomicU64::new(topology.members().len() as u64),
            search: Mutex::new(Search {
                discovery,
                task: None,
            }),
            topology: ArcSwap::from_pointee(topology),
            news: watch::Sender::new(0),
            watched: Mutex::default(),
            alarm,
            events: Mutex::new(Some(broadcast::Sender::new(EVENTS))),
            closed: AtomicBool::new(false),
            capabilities,
            two_primaries,
        };
        Arc::new(watch)
    }

    pub(crate) fn topology(&self) -> arc_swap::Guard<Arc<Topology>> {
        self.topology.load()
    }

    /// Wakes whenever the state of a member is observed.
    pub(crate) fn news(&self) -> watch::Receiver<u64> {
        self.news.subscribe()
    }

    fn search(&self) -> MutexGuard<'_, Search> {
        self.search.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, Watched> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Ends the probes permanently.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.stop();
        self.events().take();
        self.learned();
    }

    fn events(&self) -> MutexGuard<'_, Option<broadcast::Sender<Event>>> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The events of the servers from now on. None arrive if the database is closed.
    pub(crate) fn subscribe(&self) -> Events {
        Events::of(match &*self.events() {
            Some(events) => events.subscribe(),
            None => broadcast::Sender::new(1).subscribe(),
        })
    }

    /// Sends an event to all receivers.
    pub(crate) fn tell(&self, event: Event) {
        if let Some(sender) = &*self.events() {
            // There may be no receivers.
            let _ = sender.send(event);
        }
    }

    /// Ends the probes, and the reading of the list of members.
    pub(crate) fn stop(&self) {
        if let Some(task) = self.search().task.take() {
            task.abort();
        }
        self.stop_probes();
    }

    fn stop_probes(&self) -> Watched {
        let watched = std::mem::take(&mut *self.lock());
        if let Some(task) = &watched.task {
            task.abort();
        }
        watched
    }

    /// Begins to probe the members, if their roles may change and no task probes them yet, and to read
    /// the list of members.
    pub(crate) fn start(self: &Arc<Self>) {
        let begun = self.start_probes(|members, two_primaries| Watched {
            roles: Some(Roles::new(members, two_primaries, clock::now())),
            ..Watched::default()
        });
        if begun {
            self.start_search(&mut self.search());
        }
    }

    fn start_search(self: &Arc<Self>, search: &mut Search) {
        if search.task.is_some() {
            return;
        }
        if let Some(discovery) = &search.discovery {
            let task = discovery::run(Arc::downgrade(self), Arc::clone(discovery));
            search.task = Some(tokio::spawn(task).abort_handle());
        }
    }

    /// Begins to probe with this state. Returns `false` if a task probes already, or if there is
    /// nothing to probe.
    fn start_probes(self: &Arc<Self>, known: impl FnOnce(usize, TwoPrimaries) -> Watched) -> bool {
        let topology = self.topology();
        let mut watched = self.lock();
        if !topology.is_watched() || watched.task.is_some() || self.is_closed() {
            return false;
        }
        let probes = topology.members().iter().map(|member| Probe {
            connector: member.prober(),
            connection: None,
            timeout: member.pool.options().connection_timeout,
        });
        *watched = known(probes.len(), self.two_primaries);
        let task = run(Arc::downgrade(self), probes.map(Some).collect());
        watched.task = Some(tokio::spawn(task).abort_handle());
        true
    }

    /// Continues with other members, if they differ, and another list of members. The state of the
    /// servers is forgotten.
    pub(crate) fn reconfigure(
        self: &Arc<Self>,
        new: Vec<NewMember>,
        discovery: Option<Arc<dyn Discovery>>,
    ) -> Result<()> {
        let mut search = self.search();
        let change = Change::between(self.topology().members(), new)?;
        let members = change.make(&self.alarm, || self.number())?;
        if let Some(task) = search.task.take() {
            task.abort();
        }
        search.discovery = discovery;
        let probed = self.stop_probes().task.is_some();
        self.topology.store(Arc::new(Topology::new(members)));
        drop(search);
        if probed {
            self.start();
        }
        self.learned();
        Ok(())
    }

    /// Continues with the members of a list, if they differ. The state of members that stay is kept,
    /// above all the newest timeline.
    pub(crate) fn found(
        self: &Arc<Self>,
        by: &Arc<dyn Discovery>,
        endpoints: Vec<Endpoint>,
    ) -> Result<()> {
        let search = self.search();
        let is_current = |current: &Arc<dyn Discovery>| Arc::ptr_eq(current, by);
        if self.is_closed() || !search.discovery.as_ref().is_some_and(is_current) {
            return Ok(());
        }
        let old = Arc::clone(&self.topology());
        let known = |endpoint: &Endpoint| old.members().iter().any(|old| old.endpoint == *endpoint);
        if endpoints.is_empty() {
            return Err(Error::new(
                Class::Connect,
                "The list of the members is empty.",
            ));
        }
        if endpoints.len() == old.members().len() && endpoints.iter().all(known) {
            return Ok(());
        }
        let change = Change::between(old.members(), by.members(endpoints.clone())?)?;
        let index = |id: u64| old.members().iter().position(|member| member.id == id);
        let kept: Vec<Option<usize>> = change.kept().map(|id| id.and_then(index)).collect();
        let gone: Vec<Arc<Member>> = change.gone().to_vec();
        let silent = {
            let watched = self.lock();
            let failed = |latest: &Latest| matches!(latest, Latest::Failed(_));
            let latest = watched.roles.iter().flat_map(Roles::latest).map(failed);
            latest.collect::<Vec<bool>>()
        };
        let members = change.make(&self.alarm, || self.number())?;
        let before = self.stop_probes();
        let (topology, now) = (Topology::new(members), clock::now());
        let roles = before.roles.map(|roles| roles.of_members(&kept, now));
        let topology = match &roles {
            Some(roles) => topology.with_roles(roles.primary(), roles.standings().collect()),
            None => topology,
        };
        self.topology.store(Arc::new(topology));
        if before.task.is_some() {
            self.start_probes(|members, two_primaries| Watched {
                roles: roles.or_else(|| Some(Roles::new(members, two_primaries, now))),
                history: before.history,
                chronicle: before.chronicle.of_members(&kept, now),
                task: None,
            });
        }
        // A call on a server that neither answers nor is a member any more would wait until its timeout.
        for member in gone {
            if index(member.id).is_some_and(|index| silent.get(index) == Some(&true)) {
                member.cut();
            }
        }
        tracing::info!(?endpoints, "the members of the database changed");
        self.tell(Event::MembersChanged { endpoints });
        self.learned();
        Ok(())
    }

    fn number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }

    fn learned(&self) {
        self.news
            .send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Requests a probe of all members now, since something happened that a change of roles may
    /// explain.
    pub(crate) fn suspect(&self) {
        self.alarm.raise();
    }

    /// Keeps reads from a member for a while, since no connection to it could be opened.
    pub(crate) fn failed(&self, member: u64) {
        let mut watched = self.lock();
        let topology = self.topology();
        let index = topology
            .members()
            .iter()
            .position(|other| other.id == member);
        if let (Some(roles), Some(index)) = (&mut watched.roles, index) {
            roles.failed(index, clock::now());
            self.publish(roles);
        }
        drop(watched);
        self.alarm.raise();
    }

    /// Whether a server with this observation has everything that was written before the position.
    pub(crate) fn judge(&self, said: &Observation, position: Position) -> Verdict {
        let history = &mut self.lock().history;
        history.learn(said);
        history.judge(said, position)
    }

    /// Observes the error of a statement. If a write was refused as read-only, the server is no
    /// longer the primary and the pool's connections are stale. Engines whose servers have fixed
    /// roles are excluded, for example with a file that cannot be written.
    pub(crate) fn note(&self, error: &Error, lease: &AnyLease) {
        match error.class() {
            Class::ReadOnly if self.capabilities.roles_change => {
                lease.mark_stale();
                self.suspect();
            }
            Class::Connect => self.lost(Connection::endpoint(&***lease)),
            _ => {}
        }
    }

    /// Keeps reads from the member with this endpoint until it answers a probe, since a connection to it
    /// broke.
    #[cold]
    pub(crate) fn lost(&self, endpoint: &Endpoint) {
        let mut watched = self.lock();
        let topology = self.topology();
        let mut members = topology.members().iter();
        let index = members.position(|member| member.endpoint == *endpoint);
        if let (Some(roles), Some(index)) = (&mut watched.roles, index) {
            roles.lost(index, clock::now());
            self.publish(roles);
        }
        drop(watched);
        self.alarm.raise();
    }

    /// Whether each member that is probed was asked at least once.
    pub(crate) fn all_asked(&self) -> bool {
        self.lock().roles.as_ref().is_none_or(Roles::all_asked)
    }

    /// The reason why there is no primary, once all members were asked.
    pub(crate) fn nobody(&self) -> Option<Error> {
        let topology = self.topology();
        let watched = self.lock();
        let roles = watched.roles.as_ref().filter(|roles| roles.all_asked())?;
        let members = topology.members().iter().zip(roles.latest());
        let rivals = roles.rivals();
        if rivals.len() > 1 {
            let named = rivals
                .iter()
                .map(|index| &topology.members()[*index].endpoint);
            return Some(two_primaries(named, roles.newest()));
        }
        let failures: Vec<Error> = members
            .map(|(member, latest)| match latest {
                Latest::Failed(error) => clone(error),
                Latest::Answered(said) if said.role == Role::Primary => {
                    left_behind(&member.endpoint, said.timeline, roles.newest())
                }
                _ => is_replica(&member.endpoint),
            })
            .collect();
        Some(all_failed(failures))
    }

    /// The state of each member.
    pub(crate) fn members(&self, now: Instant) -> Vec<MemberState> {
        let topology = self.topology();
        let watched = self.lock();
        let mut states: Vec<_> = topology
            .members()
            .iter()
            .map(|member| MemberState {
                endpoint: member.endpoint.clone(),
                role: member.role,
                error: None,
                latency: None,
                lasting: None,
                lag: None,
                lag_time: None,
                set_aside: false,
                pool: member.pool.statistics(),
            })
            .collect();
        if let Some(roles) = &watched.roles {
            let known = roles.latest().zip(roles.timing());
            for (state, (latest, (latency, since))) in states.iter_mut().zip(known) {
                state.role = latest.role();
                state.latency = latency;
                state.lasting = Some(now.saturating_duration_since(since));
                if let Latest::Failed(error) = latest {
                    state.error = Some(error.message().to_owned());
                }
            }
            let reads = roles.standings().zip(roles.set_aside());
            for (state, (standing, set_aside)) in states.iter_mut().zip(reads) {
                state.lag = standing.lag.bytes;
                state.lag_time = standing.lag.time(now);
                state.set_aside = set_aside;
            }
        }
        states
    }

    fn due(&self) -> Option<(Vec<usize>, Option<Instant>)> {
        let mut watched = self.lock();
        if !watched.is_this_task() {
            return None;
        }
        let roles = watched.roles.as_mut()?;
        let now = clock::now();
        if self.alarm.take() {
            roles.suspect(now);
        }
        let due = roles.due(now);
        self.publish(roles);
        Some((due, roles.next_due()))
    }

    fn observe(&self, index: usize, found: Result<Observation>) {
        let mut watched = self.lock();
        if !watched.is_this_task() {
            return;
        }
        let Watched {
            roles: Some(roles),
            history,
            chronicle,
            ..
        } = &mut *watched
        else {
            return;
        };
        if let Ok(said) = &found {
            history.learn(said);
        }
        let before = roles.primary();
        roles.observe(index, found, clock::now());
        let after = roles.primary();
        self.publish(roles);
        if before != after {
            self.follow(roles, before, after);
        }
        let events = chronicle.news(roles, &self.topology(), clock::now());
        drop(watched);
        for event in events {
            tracing::info!(?event, "a server of the database");
            self.tell(event);
        }
        self.learned();
    }

    /// Publishes the current state to callers.
    fn publish(&self, roles: &Roles) {
        let known = self.topology();
        let topology = known.with_roles(roles.primary(), roles.standings().collect());
        let moved = !topology.serves_as(&known);
        self.topology.store(Arc::new(topology));
        if moved {
            self.learned();
        }
    }

    /// Sends the calls to another primary.
    fn follow(&self, roles: &Roles, before: Option<usize>, after: Option<usize>) {
        let topology = self.topology();
        let member = |index: usize| &topology.members()[index];
        if let Some(member) = before.map(member) {
            member.empty();
        }
        if let Some(member) = after.map(member) {
            member.fill();
        }
        // A caller that is still at the replaced primary would wait for as long as it is silent, or
        // make writes that are lost.
        if let Some(after) = after {
            let left = (0..topology.members().len()).filter(|index| roles.is_left(*index, after));
            for index in left {
                member(index).cut();
            }
        }
    }
}

/// The connection on which a member is probed.
struct Probe {
    connector: AnyConnector,
    connection: Option<AnyConnection>,
    timeout: Duration,
}

impl Probe {
    /// Asks the server for its role: on the existing connection, or on a new one.
    async fn ask(&mut self) -> Result<Observation> {
        if let Some(connection) = self.connection.take() {
            let deadline = Deadline::after(clock::now(), ANSWER);
            let answer = tokio::time::timeout(ANSWER, connection.observe(deadline)).await;
            if let Ok(Ok(observation)) = answer {
                self.connection = Some(connection);
                return Ok(observation);
            }
        }
        let deadline = Deadline::after(clock::now(), self.timeout);
        let connection = self.connector.connect(deadline).await?;
        let observation = connection.observe(deadline).await?;
        self.connection = Some(connection);
        Ok(observation)
    }
}

/// Probes members until the topology is dropped.
async fn run(watch: Weak<Watch>, mut probes: Vec<Option<Probe>>) {
    let mut under_way = FuturesUnordered::new();
    loop {
        let Some(this) = watch.upgrade() else { return };
        let Some((due, next)) = this.due() else {
            return;
        };
        for index in due {
            let mut probe = probes[index].take().expect("one probe at a time");
            under_way.push(async move {
                let found = probe.ask().await;
                (index, probe, found)
            });
        }
        let pause = next.map_or(ANSWER, |next| next.saturating_duration_since(clock::now()));
        tokio::select! {
            Some((index, probe, found)) = under_way.next() => {
                probes[index] = Some(probe);
                this.observe(index, found);
            }
            () = this.alarm.raised() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// The reason why a member that reports to be the primary gets no writes.
fn left_behind(endpoint: &Endpoint, timeline: Option<u32>, newest: Option<u32>) -> Error {
    let on = |timeline: Option<u32>| match timeline {
        Some(timeline) => format!("timeline {timeline}"),
        None => "an unknown timeline".to_owned(),
    };
    Error::new(
        Class::Connect,
        format!(
            "The server at {endpoint} takes writes on {}, but the database has continued on another server on {}.",
            on(timeline),
            on(newest)
        ),
    )
}

/// The reason why two primaries get no writes.
fn two_primaries<'e>(
    endpoints: impl Iterator<Item = &'e Endpoint>,
    timeline: Option<u32>,
) -> Error {
    let named: Vec<String> = endpoints.map(Endpoint::to_string).collect();
    let timeline = timeline.unwrap_or_default();
    Error::new(
        Class::Connect,
        format!(
            "The servers at {} all take writes on timeline {timeline}, so writes to any of them may \
             be lost; the servers are not used.",
            named.join(" and ")
        ),
    )
    .with_hint(
        "Stop all but one of them, or make them replicas of it. `two_primaries = \"keep\"` continues with \
         the one in use.",
    )
}

/// A copy of an error, without its source.
fn clone(error: &Error) -> Error {
    Error::new(error.class(), error.message()).with_effect(error.effect())
}
