//! The machine against a server of the protocol, with the bytes cut anywhere.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use bytes::{BufMut, Bytes};
use proptest::prelude::*;
use underpin_core::{Error, TransactionOptions};

use super::*;
use crate::wire::frame::Frame;
use crate::wire::opening::Phase;
use crate::wire::request::steps;

/// The messages for one request.
#[derive(Debug, Clone, Default)]
struct Heard(Rc<RefCell<Told>>);

#[derive(Debug, Default)]
struct Told {
    bytes: Vec<u8>,
    end: Option<End>,
    gone: bool,
}

impl Listen for Heard {
    fn hear(&self, messages: Bytes) -> Option<Waker> {
        let mut told = self.0.borrow_mut();
        assert!(told.end.is_none(), "nothing follows the end");
        told.bytes.extend_from_slice(&messages);
        None
    }

    fn end(&self, end: End) -> Option<Waker> {
        let before = self.0.borrow_mut().end.replace(end);
        assert!(before.is_none(), "it ends once");
        None
    }

    fn is_gone(&self) -> bool {
        self.0.borrow().gone
    }
}

impl Heard {
    fn tags(&self) -> String {
        let told = self.0.borrow();
        let (mut at, mut tags) = (0, String::new());
        while let Some((frame, end)) = Frame::at(&told.bytes, at) {
            tags.push(frame.tag.into());
            at = end;
        }
        assert_eq!(at, told.bytes.len(), "only whole messages are told");
        tags
    }

    fn end(&self) -> Option<End> {
        self.0.borrow().end.clone()
    }

    fn is_complete(&self) -> bool {
        self.end() == Some(End::Complete)
    }

    fn code(&self) -> Option<String> {
        match self.end() {
            Some(End::Refused { error, .. }) => Some(error.code().to_owned()),
            _ => None,
        }
    }
}

fn message(tag: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![tag];
    bytes.extend_from_slice(&(body.len() as u32 + 4).to_be_bytes());
    bytes.extend_from_slice(body);
    bytes
}

const ERROR: &[u8] = b"SERROR\0VERROR\0C22012\0Mno\0\0";
const FATAL: &[u8] = b"SFATAL\0VFATAL\0C57P01\0Mthe end\0\0";

/// The messages of a server of the protocol.
#[derive(Default)]
struct Server {
    heard: Vec<u8>,
    said: Vec<u8>,
    status: u8,
    skips: bool,
    copies: bool,
    bound: Vec<u8>,
    prepared: HashMap<Vec<u8>, Vec<u8>>,
    syncs: usize,
    flushes: usize,
    /// The statements in the order in which they were run.
    run: Vec<String>,
    /// Interval in messages after which it sends an unrequested message.
    unasked: usize,
    count: usize,
}

impl Server {
    fn new(unasked: usize) -> Server {
        Server {
            status: b'I',
            unasked,
            ..Server::default()
        }
    }

    fn hear(&mut self, bytes: &[u8]) {
        self.heard.extend_from_slice(bytes);
        while let Some((frame, end)) = Frame::at(&self.heard, 0) {
            let (tag, body) = (frame.tag, frame.body.to_vec());
            self.heard.drain(..end);
            self.message(tag, &body);
        }
    }

    fn say(&mut self, tag: u8, body: &[u8]) {
        self.said.extend(message(tag, body));
        self.count += 1;
        if self.unasked > 0 && self.count.is_multiple_of(self.unasked) {
            self.said.extend(match self.count % 3 {
                0 => message(b'N', b"SNOTICE\0C00000\0Mby the way\0\0"),
                1 => message(b'A', b"\0\0\0\x07news\0it rains\0"),
                _ => message(b'S', b"TimeZone\0UTC\0"),
            });
        }
    }

    fn message(&mut self, tag: u8, body: &[u8]) {
        match tag {
            b'H' => self.flushes += 1,
            b'S' if self.copies => {}
            b'd' => assert!(self.copies || self.skips, "nobody takes these rows"),
            b'c' | b'f' if self.copies => {
                self.copies = false;
                match tag {
                    b'c' => self.say(b'C', b"COPY 3\0"),
                    _ => self.fail(),
                }
            }
            b'S' => {
                self.syncs += 1;
                self.skips = false;
                self.ready();
            }
            _ if self.skips => {}
            b'c' | b'f' => {}
            b'P' => {
                let mut parts = body.split(|&byte| byte == 0);
                let (name, text) = (parts.next().unwrap(), parts.next().unwrap());
                let before = self.prepared.insert(name.to_vec(), text.to_vec());
                assert!(before.is_none() || name.is_empty(), "it is known already");
                self.say(b'1', b"");
            }
            b'C' => {
                let name = body[1..].strip_suffix(&[0]).unwrap();
                self.prepared.remove(name);
                self.say(b'3', b"");
            }
            b'D' => {
                self.say(b't', &[0, 0]);
                self.say(b'n', b"");
            }
            b'B' => {
                self.bound = body[1..].split(|&byte| byte == 0).next().unwrap().to_vec();
                self.say(b'2', b"");
            }
            b'E' => {
                let name = std::mem::take(&mut self.bound);
                let text = self.prepared.get(&name).cloned().unwrap_or(name);
                self.runs(&text);
            }
            b'Q' => {
                let text = body.strip_suffix(&[0]).unwrap().to_vec();
                self.runs(&text);
                self.skips = false;
                self.ready();
            }
            b'X' => self.run.push("goodbye".into()),
            other => panic!("a server knows no {other}"),
        }
    }

    fn ready(&mut self) {
        let status = self.status;
        self.say(b'Z', &[status]);
    }

    fn fail(&mut self) {
        if self.status != b'I' {
            self.status = b'E';
        }
        self.skips = true;
        self.say(b'E', ERROR);
    }

    fn runs(&mut self, text: &[u8]) {
        let text = String::from_utf8(text.to_vec()).unwrap();
        self.run.push(text.clone());
        let doomed = self.status == b'E' && text != "COMMIT";
        if doomed || text.contains("fails") {
            return self.fail();
        }
        match text.as_str() {
            "BEGIN" => self.status = b'T',
            "COMMIT" => self.status = b'I',
            "empty" => return self.say(b'I', b""),
            "copy" => {
                self.copies = true;
                return self.say(b'G', &[0, 0, 0]);
            }
            _ => {
                self.say(b'D', &[0, 1, 0, 0, 0, 1, b'x']);
                self.say(b'D', &[0, 1, 0xff, 0xff, 0xff, 0xff]);
            }
        }
        self.say(b'C', &[text.as_bytes(), b"\0"].concat());
    }
}

struct Scene {
    machine: Machine<Heard>,
    server: Server,
    inbox: BytesMut,
    news: News,
    written: u64,
}

impl Scene {
    fn new(unasked: usize) -> Scene {
        Scene {
            machine: Machine::new(Vec::new(), Vec::new(), LONGEST),
            server: Server::new(unasked),
            inbox: BytesMut::new(),
            news: News::default(),
            written: 0,
        }
    }

    fn statement(&mut self, name: &str, joins: Option<u64>) -> Heard {
        let heard = Heard::default();
        let run = |out: &mut BytesMut| run(name, out);
        let asked = self.machine.extended(heard.clone(), joins, run);
        asked.unwrap();
        heard
    }

    fn first_of_transaction(&mut self, name: &str) -> Heard {
        let heard = Heard::default();
        let run = |out: &mut BytesMut| run(name, out);
        let asked = self.machine.extended_in_new_transaction(heard.clone(), run);
        asked.unwrap();
        heard
    }

    fn simple(&mut self, text: &str) -> Heard {
        let heard = Heard::default();
        self.machine.simple(Some(heard.clone()), text).unwrap();
        heard
    }

    fn copy(&mut self, name: &str) -> (Heard, u64) {
        let heard = Heard::default();
        let run = |out: &mut BytesMut| run(name, out);
        let number = self.machine.copy_in(heard.clone(), run).unwrap();
        (heard, number)
    }

    /// Writes everything to the server.
    fn write(&mut self) {
        let mut out = BytesMut::new();
        if self.machine.has_out() {
            self.machine.take_out(&mut out);
        }
        self.written += out.len() as u64;
        self.server.hear(&out);
    }

    /// Reads this many bytes of the server's messages.
    fn read(&mut self, count: usize) {
        let count = count.min(self.server.said.len());
        self.inbox.put_slice(&self.server.said[..count]);
        self.server.said.drain(..count);
        self.machine
            .receive(&mut self.inbox, &mut self.news)
            .unwrap();
    }

    fn all(&mut self) {
        while self.machine.has_out() || !self.server.said.is_empty() {
            self.write();
            self.read(usize::MAX);
        }
        assert!(self.inbox.is_empty());
    }
}

fn run(name: &str, out: &mut BytesMut) -> Result<u8, Error> {
    put::message(out, b'B', |out| {
        put::text(out, "")?;
        put::text(out, name)?;
        out.put_slice(&[0; 6]);
        Ok(())
    })?;
    put::execute(out, "", 0);
    Ok(steps::BIND | steps::EXECUTE)
}

/// A request of a client.
#[derive(Debug, Clone)]
enum Ask {
    Statement(&'static str),
    Lane(&'static str),
    Simple(&'static str),
    /// A transaction whose first statement is this one.
    Begin(&'static str),
    Prepare,
    Forget,
    Sync,
    /// A COPY with this many pieces, ended successfully or not.
    Copy(&'static str, u8, bool),
}

fn ask() -> impl Strategy<Value = Ask> {
    let name =
        || prop_oneof![8 => Just("one"), 4 => Just("two"), 1 => Just("empty"), 1 => Just("fails")];
    prop_oneof![
        4 => name().prop_map(Ask::Statement),
        12 => name().prop_map(Ask::Lane),
        2 => prop_oneof![Just("SELECT"), Just("fails"), Just("empty")].prop_map(Ask::Simple),
        2 => name().prop_map(Ask::Begin),
        1 => Just(Ask::Prepare),
        1 => Just(Ask::Forget),
        1 => Just(Ask::Sync),
        2 => (prop_oneof![3 => Just("copy"), 1 => Just("copy fails")], 0u8..3, any::<bool>())
            .prop_map(|(name, pieces, well)| Ask::Copy(name, pieces, well)),
    ]
}

/// A request with its expected result.
struct Asked {
    ask: Ask,
    heard: Heard,
    copy: Option<(u64, u8)>,
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn each_request_gets_its_own_answer_wherever_the_bytes_are_cut(
        asks in prop::collection::vec(ask(), 1..60),
        sizes in prop::collection::vec(0usize..200, 1..12)
            .prop_filter("some", |sizes| sizes.iter().any(|&size| size > 0)),
        (writes, unasked) in (1usize..9, 0usize..5),
    ) {
        let mut scene = Scene::new(unasked);
        let mut asked: Vec<Asked> = Vec::new();
        let mut size = sizes.iter().cycle();
        for (at, ask) in asks.into_iter().enumerate() {
            let mut copy = None;
            let heard = match &ask {
                Ask::Statement(name) => scene.statement(name, None),
                Ask::Lane(name) => scene.statement(name, Some(name.len() as u64)),
                Ask::Simple(text) => scene.simple(text),
                Ask::Begin(name) => {
                    if scene.machine.opening.phase() == Phase::Settled {
                        scene.machine.opening.owe(TransactionOptions::default());
                        let heard = scene.first_of_transaction(name);
                        scene.simple("COMMIT");
                        heard
                    } else {
                        scene.statement(name, None)
                    }
                }
                Ask::Prepare => {
                    let heard = Heard::default();
                    let name = format!("new{at}");
                    scene.machine.extended(heard.clone(), None, |out| {
                        put::parse(out, &name, "SELECT", [].into_iter())?;
                        put::describe(out, b'S', &name);
                        Ok(steps::PARSE | steps::PARAMETERS | steps::COLUMNS)
                    }).unwrap();
                    heard
                }
                Ask::Forget => {
                    scene.machine.forget(b'S', "gone");
                    continue;
                }
                Ask::Sync => {
                    let heard = Heard::default();
                    scene.machine.sync(Some(heard.clone()));
                    heard
                }
                Ask::Copy(name, pieces, _) => {
                    let (heard, number) = scene.copy(name);
                    copy = Some((number, *pieces));
                    heard
                }
            };
            asked.push(Asked { ask, heard, copy });
            if at % writes == 0 {
                scene.write();
            }
            scene.read(*size.next().unwrap());
            work_on_copies(&mut scene, &mut asked);
        }
        for turn in 0.. {
            prop_assert!(turn < 100_000, "it never ends");
            let before = (scene.server.said.len(), scene.machine.under_way());
            if before == (0, 0) && !scene.machine.has_out() {
                break;
            }
            scene.write();
            scene.read(*size.next().unwrap());
            work_on_copies(&mut scene, &mut asked);
        }
        let mut failed = false;
        for Asked { ask, heard, .. } in &asked {
            let end = heard.end();
            let (name, tags) = match ask {
                Ask::Statement(name) | Ask::Lane(name) | Ask::Begin(name) | Ask::Simple(name) => (*name, "DDC"),
                Ask::Prepare => ("", "t"),
                Ask::Copy(name, _, true) => (*name, "GC"),
                Ask::Copy(..) => ("fails", ""),
                _ => ("", ""),
            };
            if end == Some(End::Skipped) {
                prop_assert!(failed && matches!(ask, Ask::Lane(_)), "{:?}", ask);
                continue;
            }
            failed = name.contains("fails");
            if failed {
                prop_assert_eq!(heard.code(), Some("22012".to_owned()), "{:?}", ask);
            } else {
                prop_assert!(heard.is_complete(), "{:?}: {:?}", ask, end);
                prop_assert_eq!(heard.tags(), if name == "empty" { "I" } else { tags });
            }
        }
        prop_assert!(scene.inbox.is_empty());
    }

    #[test]
    fn hostile_bytes_never_panic_and_take_no_memory(
        pieces in prop::collection::vec((0u8..7, prop::collection::vec(prop_oneof![
            4 => any::<u8>(), 3 => Just(0), 2 => Just(4), 2 => Just(5),
            4 => prop::sample::select(b"ZCDEGHIKNRSTWcdnstv123".to_vec()),
        ], 0..60)), 0..30),
    ) {
        let mut scene = Scene::new(0);
        for (ask, bytes) in pieces {
            match ask {
                0 => drop(scene.statement("one", Some(1))),
                1 => drop(scene.simple("SELECT")),
                2 => drop(scene.copy("copy")),
                3 if scene.machine.opening.phase() == Phase::Settled => {
                    scene.machine.opening.owe(TransactionOptions::default());
                    scene.first_of_transaction("one");
                }
                4 => scene.machine.end_copy(scene.machine.first, false),
                _ => {}
            }
            scene.write();
            scene.inbox.put_slice(&bytes);
            let room = frame::room(&scene.inbox, frame::READ, LONGEST);
            prop_assert!(room <= scene.inbox.len().max(frame::READ));
            if scene.machine.receive(&mut scene.inbox, &mut scene.news).is_err() {
                break;
            }
        }
        scene.machine.lost(scene.written, &mut scene.news);
        prop_assert_eq!(scene.machine.under_way(), 0);
    }

    /// Whole messages in any order: each is accepted, or ends the connection.
    #[test]
    fn messages_in_any_order_are_told_from_those_that_are_due(
        messages in prop::collection::vec((
            prop::sample::select(b"ZCDEGHIKNRSTWcdnstv123A".to_vec()),
            prop_oneof![
                Just(vec![]), Just(vec![b'I']), Just(ERROR.to_vec()), Just(FATAL.to_vec()),
                Just(b"SELECT 1\0".to_vec()), Just(vec![0, 0]), Just(b"a\0b\0".to_vec()),
            ],
        ), 0..20),
    ) {
        let mut scene = Scene::new(0);
        let asked = [
            scene.statement("one", Some(1)), scene.statement("one", Some(1)),
            scene.simple("SELECT"), scene.copy("copy").0,
        ];
        scene.write();
        for (tag, body) in messages {
            scene.inbox.put_slice(&message(tag, &body));
            if scene.machine.receive(&mut scene.inbox, &mut scene.news).is_err() {
                break;
            }
        }
        scene.machine.lost(scene.written, &mut scene.news);
        for heard in asked {
            prop_assert!(heard.end().is_some());
        }
    }
}

/// Sends the rows of the COPYs that are granted, and ends them.
fn work_on_copies(scene: &mut Scene, asked: &mut [Asked]) {
    for Asked { ask, heard, copy } in asked {
        let (Ask::Copy(_, _, well), Some((number, pieces))) = (ask, copy) else {
            continue;
        };
        if !heard.tags().contains('G') || heard.end().is_some() {
            continue;
        }
        if *pieces > 0 {
            *pieces -= 1;
            scene.machine.copy_data(*number, b"1\n");
        } else {
            scene.machine.end_copy(*number, *well);
        }
    }
}

#[test]
fn a_run_of_the_same_statement_goes_with_few_syncs_and_a_failure_stops_that_for_a_while() {
    let mut scene = Scene::new(0);
    let mut statements = |name: &'static str, count: usize| {
        let before = scene.server.syncs;
        let heard: Vec<Heard> = (0..count).map(|_| scene.statement(name, Some(1))).collect();
        scene.all();
        (heard, scene.server.syncs - before)
    };
    let (heard, syncs) = statements("one", 96);
    assert_eq!(syncs, 96usize.div_ceil(MOST as usize));
    assert!(heard.iter().all(Heard::is_complete));
    let (heard, _) = statements("fails", 3);
    assert!(heard[0].code().is_some());
    assert_eq!(heard[1].end(), Some(End::Skipped));
    assert_eq!(heard[2].end(), Some(End::Skipped));
    let (_, syncs) = statements("one", PAUSE as usize);
    assert_eq!(syncs, PAUSE as usize);
    let (_, syncs) = statements("one", MOST as usize);
    assert_eq!(syncs, 1);
    let heard: Vec<Heard> = (0..20).map(|_| scene.statement("one", None)).collect();
    scene.all();
    assert!(heard.iter().all(Heard::is_complete), "each by itself");
}

#[test]
fn a_transaction_begins_with_its_first_statement_or_not_at_all() {
    let mut scene = Scene::new(0);
    for (number, name) in [(1, "one"), (2, "fails"), (3, "one")] {
        scene.machine.opening.owe(TransactionOptions::default());
        assert!(!scene.machine.has_out(), "it waits for what follows");
        let heard = scene.first_of_transaction(name);
        scene.all();
        assert_eq!(heard.is_complete(), name == "one");
        assert_eq!(scene.machine.opening.phase(), Phase::Settled);
        assert_eq!(
            scene.machine.status,
            if name == "one" { OPEN } else { FAILED }
        );
        assert_eq!(scene.server.syncs, 2 * number - 1);
        scene.machine.opening.clear();
        scene.simple("COMMIT");
        scene.machine.sync(None);
        scene.all();
    }
    // The server knows it by now, and is made to refuse it.
    scene.machine.opening.owe(TransactionOptions::default());
    let name = b"underpin BEGIN".to_vec();
    scene.server.prepared.insert(name, b"BEGIN fails".to_vec());
    let heard = scene.first_of_transaction("one");
    scene.all();
    assert_eq!(heard.end(), Some(End::Skipped));
    assert_eq!(scene.machine.opening.phase(), Phase::Failed);
    let refusal = scene.machine.opening.take_refusal();
    assert_eq!(
        refusal.map(|error| error.code().to_owned()).as_deref(),
        Some("22012")
    );
    assert!(scene.machine.opening.take_refusal().is_none());
    scene.machine.opening.clear();
    // A message that cannot be sent leaves it owed.
    scene.machine.opening.owe(TransactionOptions::default());
    let failed = scene
        .machine
        .extended_in_new_transaction(Heard::default(), |_| {
            Err(Error::new(underpin_core::Class::Data, "It does not fit."))
        });
    failed.unwrap_err();
    assert!(!scene.machine.has_out());
    let heard = scene.first_of_transaction("one");
    scene.all();
    assert!(heard.is_complete());
}

#[test]
fn a_lost_connection_leaves_no_doubt_how_far_a_request_had_come() {
    let mut scene = Scene::new(0);
    let first = scene.statement("one", None);
    let mut out = BytesMut::new();
    scene.machine.take_out(&mut out);
    let whole = out.len() as u64;
    let waiting = scene.statement("one", None);
    let (copy, number) = scene.copy("copy");
    let behind = scene.simple("SELECT");
    // All except the Sync.
    assert_eq!(scene.machine.progress(0, 0), Some(Progress::Unwritten));
    assert_eq!(scene.machine.progress(0, 1), Some(Progress::Partly));
    assert_eq!(scene.machine.progress(0, whole - 6), Some(Progress::Partly));
    assert_eq!(
        scene.machine.progress(0, whole - 5),
        Some(Progress::Written)
    );
    assert_eq!(scene.machine.progress(1, whole), Some(Progress::Unwritten));
    assert_eq!(
        scene.machine.progress(number, u64::MAX - 1),
        Some(Progress::Partly)
    );
    assert_eq!(
        scene.machine.progress(number + 1, u64::MAX),
        Some(Progress::Unwritten)
    );
    scene.machine.lost(whole, &mut scene.news);
    assert_eq!(first.end(), Some(End::Lost(Progress::Written)));
    for heard in [waiting, copy, behind] {
        assert_eq!(heard.end(), Some(End::Lost(Progress::Unwritten)));
    }
}

#[test]
fn an_unexpected_message_names_both() {
    let cases: [(&[u8], &str); 5] = [
        (
            b"Z\0\0\0\x05I",
            "ReadyForQuery, but BindComplete was expected",
        ),
        (b"D\0\0\0\x06\0\0", "DataRow, but BindComplete was expected"),
        (
            b"2\0\0\0\x042\0\0\0\x04",
            "BindComplete, but DataRow or CommandComplete",
        ),
        (b"W\0\0\0\x04", "CopyBothResponse, but BindComplete"),
        (
            b"2\0\0\0\x04G\0\0\0\x07\0\0\0",
            "CopyInResponse, but DataRow or",
        ),
    ];
    for (bytes, words) in cases {
        let mut scene = Scene::new(0);
        scene.statement("one", None);
        scene.write();
        scene.inbox.put_slice(bytes);
        let received = scene.machine.receive(&mut scene.inbox, &mut scene.news);
        let said = received.unwrap_err().to_string();
        assert!(said.contains(words), "{said}");
    }
    let mut scene = Scene::new(0);
    scene.inbox.put_slice(b"C\0\0\0\x06a\0");
    let received = scene.machine.receive(&mut scene.inbox, &mut scene.news);
    let said = received.unwrap_err().to_string();
    assert_eq!(
        said,
        "the server sent CommandComplete, but nothing was expected"
    );
    // The last message of a server is due at any time.
    let mut scene = Scene::new(0);
    scene.inbox.put_slice(&message(b'E', FATAL));
    scene
        .machine
        .receive(&mut scene.inbox, &mut scene.news)
        .unwrap();
    let said = scene.machine.take_last_words().unwrap();
    assert_eq!(said.code(), "57P01");
}

#[test]
fn an_answer_without_a_receiver_is_discarded_in_its_place() {
    let mut scene = Scene::new(0);
    let dropped = scene.statement("one", None);
    let kept = scene.statement("two", None);
    assert!(!scene.machine.awaits_nobodys());
    dropped.0.borrow_mut().gone = true;
    assert!(scene.machine.awaits_nobodys());
    scene.all();
    assert_eq!((dropped.tags().as_str(), kept.tags().as_str()), ("", "DDC"));
    assert!(!scene.machine.awaits_nobodys());
}

#[test]
fn the_goodbye_comes_behind_the_last_answer() {
    let mut scene = Scene::new(0);
    let heard = scene.statement("one", None);
    scene.machine.close();
    assert!(!scene.machine.is_over());
    scene.all();
    assert!(heard.is_complete() && scene.machine.is_over());
    assert_eq!(scene.server.run, ["one", "goodbye"]);
}

#[test]
fn a_copy_holds_back_what_is_asked_behind_it() {
    let mut scene = Scene::new(0);
    let (first, one) = scene.copy("copy");
    let (second, two) = scene.copy("copy");
    let third = scene.statement("one", None);
    scene.all();
    assert_eq!((first.tags().as_str(), second.tags().as_str()), ("G", ""));
    assert!(scene.machine.copy_data(one, b"1\n"));
    assert!(!scene.machine.copy_data(two, b"1\n"), "not yet");
    scene.machine.end_copy(one, true);
    scene.all();
    assert!(first.is_complete());
    assert_eq!((second.tags().as_str(), third.tags().as_str()), ("G", ""));
    // A COPY that was dropped before its turn is ended by itself.
    let (fourth, _) = scene.copy("copy");
    fourth.0.borrow_mut().gone = true;
    scene.machine.end_copy(two, true);
    scene.all();
    assert!(second.is_complete() && third.is_complete());
    assert_eq!(scene.machine.under_way(), 0);
    // The machine ends a refused one.
    let (refused, number) = scene.copy("copy fails");
    let next = scene.statement("one", None);
    scene.all();
    assert!(refused.code().is_some() && next.is_complete());
    assert!(!scene.machine.copy_data(number, b"1\n"));
}
