//! Conversations with each major version of PostgreSQL, recorded from real servers, lead to the
//! same answers wherever the bytes are cut.
//!
//! `UNDERPIN_RECORD_FROM=18=127.0.0.1:5418,… cargo test -p underpin-postgres recorded` first
//! records them again, from servers that trust the user `postgres`.

use std::cell::RefCell;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::rc::Rc;
use std::task::Waker;
use std::time::{Duration, Instant};

use bytes::{BufMut, Bytes, BytesMut};
use underpin_core::{Secret, TransactionOptions};

use super::frame::{Frame, LONGEST, READ, room};
use super::machine::{Machine, News};
use super::put;
use super::request::{End, Listen, steps};
use super::startup::{Begun, Login, MINOR, Startup};

const MAJORS: [u32; 6] = [13, 14, 15, 16, 17, 18];

/// The messages for all requests of a step, in the order of the requests.
#[derive(Clone, Default)]
struct Heard(Rc<RefCell<(Vec<u8>, Option<End>)>>);

impl Listen for Heard {
    fn hear(&self, messages: Bytes) -> Option<Waker> {
        self.0.borrow_mut().0.extend_from_slice(&messages);
        None
    }

    fn end(&self, end: End) -> Option<Waker> {
        self.0.borrow_mut().1 = Some(end);
        None
    }

    fn is_gone(&self) -> bool {
        false
    }
}

/// A part of the conversation: the requests that are sent together.
#[derive(Debug, Clone, Copy)]
enum Step {
    Simple(&'static str),
    /// Prepared and described.
    Prepare(&'static str, &'static str),
    /// Without a name, and described.
    Run(&'static str),
    /// A prepared statement, this many times in a lane.
    Lane(&'static str, usize),
    /// This many rows of a prepared statement.
    Some(&'static str, u32),
    /// A transaction whose first statement is prepared.
    Begin(&'static str),
    /// A COPY, its rows, and whether it ends successfully.
    Copy(&'static str, &'static [u8], bool),
    /// A statement that is canceled.
    Canceled(&'static str),
    Forget(&'static str),
    Sync,
}

const SCRIPT: &[Step] = &[
    Step::Simple(
        "SELECT 1 AS a, 'two' AS b, NULL AS c; SELECT 3; CREATE TEMP TABLE item (id int PRIMARY KEY, note text)",
    ),
    Step::Simple(""),
    Step::Simple("SELECT 1; SELECT 1/0; SELECT 2"),
    Step::Simple("SELEKT 1"),
    Step::Prepare("one", "SELECT 1::int4, 'x'::text, NULL::date"),
    Step::Prepare("insert", "INSERT INTO item VALUES (7, 'seven')"),
    Step::Prepare("fails", "SELECT 1 / (n - 3) FROM generate_series(1, 5) n"),
    Step::Prepare("none", "SELECT * FROM nowhere"),
    Step::Prepare(
        "rows",
        "SELECT n, repeat('x', n) FROM generate_series(1, 40) n",
    ),
    Step::Lane("one", 3),
    Step::Lane("fails", 3),
    Step::Some("rows", 7),
    Step::Run("SELECT 2::int8"),
    Step::Run("INSERT INTO item VALUES (1, 'one')"),
    Step::Run("INSERT INTO item VALUES (1, 'again')"),
    Step::Run(""),
    Step::Begin("insert"),
    Step::Simple("COMMIT"),
    Step::Begin("insert"),
    Step::Run("SELECT 1"),
    Step::Simple("ROLLBACK"),
    Step::Simple(
        "DO $$ BEGIN RAISE NOTICE 'a note'; RAISE WARNING 'a warning' USING HINT = 'none'; END $$",
    ),
    Step::Simple("SET TimeZone = 'Asia/Tokyo'"),
    Step::Simple("LISTEN news"),
    Step::Simple("SELECT pg_notify('news', 'it rains'); SELECT 1"),
    Step::Simple("COPY item TO STDOUT"),
    Step::Run("COPY item TO STDOUT"),
    Step::Copy("COPY item FROM STDIN", b"10\tten\n11\televen\n", true),
    Step::Copy("COPY item FROM STDIN", b"12\ttwelve\n", false),
    Step::Copy("COPY item FROM STDIN", b"not a number\n", true),
    Step::Copy("COPY nowhere FROM STDIN", b"1\n", true),
    Step::Forget("one"),
    Step::Canceled("SELECT pg_sleep(30)"),
    Step::Sync,
    Step::Simple("DEALLOCATE ALL"),
    Step::Simple("SELECT pg_terminate_backend(pg_backend_pid())"),
];

/// One side of the conversation, without any I/O.
struct Talk {
    machine: Machine<Heard>,
    news: News,
    inbox: BytesMut,
}

impl Talk {
    fn new(begun: Begun, inbox: BytesMut) -> Talk {
        Talk {
            machine: Machine::new(begun.parameters, begun.notices, LONGEST),
            news: News::default(),
            inbox,
        }
    }

    /// Sends the requests of a step.
    fn ask(&mut self, step: Step) -> (Vec<Heard>, Option<u64>) {
        let machine = &mut self.machine;
        let mut heard = vec![Heard::default()];
        let listener = heard[0].clone();
        let mut copy = None;
        match step {
            Step::Simple(sql) => drop(machine.simple(Some(listener), sql).unwrap()),
            Step::Canceled(sql) => drop(machine.simple(Some(listener), sql).unwrap()),
            Step::Prepare(name, sql) => {
                let write = |out: &mut BytesMut| {
                    put::parse(out, name, sql, [].into_iter())?;
                    put::describe(out, b'S', name);
                    Ok(steps::PARSE | steps::PARAMETERS | steps::COLUMNS)
                };
                machine.extended(listener, None, write).unwrap();
            }
            Step::Run(sql) => {
                machine
                    .extended(listener, None, |out| unnamed(sql, out))
                    .unwrap();
            }
            Step::Lane(name, count) => {
                heard = (0..count).map(|_| Heard::default()).collect();
                for listener in &heard {
                    let run = |out: &mut BytesMut| run(name, 0, out);
                    machine.extended(listener.clone(), Some(1), run).unwrap();
                }
            }
            Step::Some(name, rows) => {
                let run = |out: &mut BytesMut| run(name, rows, out);
                machine.extended(listener, None, run).unwrap();
            }
            Step::Begin(name) => {
                machine.opening.clear();
                machine.opening.owe(TransactionOptions::default());
                let run = |out: &mut BytesMut| run(name, 0, out);
                machine.extended_in_new_transaction(listener, run).unwrap();
            }
            Step::Copy(sql, ..) => {
                copy = Some(machine.copy_in(listener, |out| unnamed(sql, out)).unwrap());
            }
            Step::Forget(name) => {
                machine.forget(b'S', name);
                heard.clear();
            }
            Step::Sync => drop(machine.sync(Some(listener))),
        }
        (heard, copy)
    }

    /// Sends the rows of a COPY once it is granted, and ends it.
    fn go_on(&mut self, step: Step, heard: &[Heard], copy: &mut Option<u64>) {
        let Step::Copy(_, rows, well) = step else {
            return;
        };
        let granted = heard[0].0.borrow().0.contains(&b'G');
        if granted && let Some(number) = copy.take() {
            self.machine.copy_data(number, rows);
            self.machine.end_copy(number, well);
        }
    }

    fn out(&mut self) -> BytesMut {
        let mut out = BytesMut::new();
        if self.machine.has_out() {
            self.machine.take_out(&mut out);
        }
        out
    }

    fn hear(&mut self, bytes: &[u8]) {
        self.inbox.put_slice(bytes);
        self.machine
            .receive(&mut self.inbox, &mut self.news)
            .unwrap();
    }
}

fn run(name: &str, rows: u32, out: &mut BytesMut) -> Result<u8, underpin_core::Error> {
    put::message(out, b'B', |out| {
        put::text(out, "")?;
        put::text(out, name)?;
        out.put_slice(&[0, 0, 0, 0, 0, 1, 0, 1]);
        Ok(())
    })?;
    put::execute(out, "", rows);
    Ok(steps::BIND | steps::EXECUTE)
}

fn unnamed(sql: &str, out: &mut BytesMut) -> Result<u8, underpin_core::Error> {
    put::parse(out, "", sql, [].into_iter())?;
    put::message(out, b'B', |out| {
        out.put_slice(&[0, 0, 0, 0, 0, 0, 0, 1, 0, 1]);
        Ok(())
    })?;
    put::describe(out, b'P', "");
    put::execute(out, "", 0);
    Ok(steps::PARSE | steps::BIND | steps::PORTAL | steps::EXECUTE)
}

fn startup() -> Startup {
    Startup::new(Login {
        user: "postgres".into(),
        password: Secret::default(),
        settings: vec![("client_encoding", "UTF8".into())],
        minor: MINOR,
        binding: None,
        needs_binding: false,
        allows_cleartext: false,
    })
}

fn place(major: u32) -> PathBuf {
    let manifest = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    manifest.join(format!("src/wire/recorded/{major}.bin"))
}

/// The server's messages in each step; the first is the startup.
fn steps_of(recording: &[u8]) -> Vec<&[u8]> {
    let (mut rest, mut steps) = (recording, Vec::new());
    while let Some((length, after)) = rest.split_first_chunk() {
        let (step, after) = after.split_at(u32::from_be_bytes(*length) as usize);
        steps.push(step);
        rest = after;
    }
    steps
}

/// The server's messages before and after the rows of a COPY were sent.
fn turns(step: Step, bytes: &[u8]) -> Vec<&[u8]> {
    let mut at = 0;
    while let (Step::Copy(..), Some((frame, end))) = (step, Frame::at(bytes, at)) {
        if frame.tag == b'G' {
            return vec![&bytes[..end], &bytes[end..]];
        }
        at = end;
    }
    vec![bytes]
}

/// The results of a conversation whose bytes arrive in these pieces.
fn replay(steps: &[&[u8]], pieces: impl Fn(&[u8]) -> Vec<Vec<u8>>) -> Vec<String> {
    let (mut startup, mut inbox, mut out) = (startup(), BytesMut::new(), BytesMut::new());
    let mut begun = None;
    for piece in pieces(steps[0]) {
        inbox.put_slice(&piece);
        begun = begun.or(startup.receive(&mut inbox, &mut out).unwrap());
    }
    let begun = begun.expect("the session begins");
    let mut told = vec![format!(
        "{} {:?} {:?}",
        begun.minor,
        begun.secret.len(),
        begun.parameters
    )];
    let mut talk = Talk::new(begun, inbox);
    for (step, bytes) in SCRIPT.iter().zip(&steps[1..]) {
        let (heard, mut copy) = talk.ask(*step);
        talk.out();
        for turn in turns(*step, bytes) {
            for piece in pieces(turn) {
                talk.hear(&piece);
            }
            talk.go_on(*step, &heard, &mut copy);
            talk.out();
        }
        let fatal = format!("{:?}", talk.machine.take_last_words());
        if fatal != "None" {
            talk.machine.lost(u64::MAX, &mut talk.news);
        }
        let answers: Vec<_> = heard.iter().map(|heard| heard.0.borrow().clone()).collect();
        let machine = &talk.machine;
        told.push(format!(
            "{step:?} {answers:?} {:?} {} {:?} {:?} {:?} {fatal}",
            machine.status as char,
            machine.under_way(),
            machine.notices().len(),
            talk.news.notifications,
            machine.parameter("TimeZone"),
        ));
        assert_eq!(talk.machine.under_way(), 0, "{step:?}");
    }
    told
}

#[test]
fn recorded_conversations_are_the_same_in_every_chunking() {
    record();
    for major in MAJORS {
        let recording = std::fs::read(place(major)).unwrap();
        let steps = steps_of(&recording);
        assert_eq!(steps.len(), SCRIPT.len() + 1, "{major}");
        let whole = replay(&steps, |bytes| vec![bytes.to_vec()]);
        let longest = steps.iter().map(|step| step.len()).max().unwrap();
        for size in 1..=longest {
            let chunks = |bytes: &[u8]| bytes.chunks(size).map(<[u8]>::to_vec).collect();
            let cut = |bytes: &[u8]| {
                let (one, two) = bytes.split_at(size.min(bytes.len()));
                vec![one.to_vec(), two.to_vec()]
            };
            assert_eq!(replay(&steps, chunks), whole, "{major} in pieces of {size}");
            assert_eq!(replay(&steps, cut), whole, "{major} cut at {size}");
        }
        // The script has covered these cases.
        let all = whole.join("\n");
        for sign in [
            "22012",
            "42601",
            "42P01",
            "23505",
            "22P02",
            "57014",
            "57P01",
            "Skipped",
            "it rains",
            "Asia/Tokyo",
        ] {
            assert!(all.contains(sign), "{major}: {sign}");
        }
        let key = if major >= 18 { "2 32" } else { "0 4" };
        assert!(whole[0].starts_with(key), "{major}: {}", whole[0]);
    }
}

/// Damages a conversation: bytes, lengths, whole messages, its end.
fn spoil(step: &[u8], random: &mut fastrand::Rng) -> Vec<u8> {
    let mut bytes = step.to_vec();
    for _ in 0..random.usize(1..4) {
        if bytes.len() < 6 {
            break;
        }
        let at = random.usize(..bytes.len());
        match random.u8(..7) {
            0 => bytes[at] = random.u8(..),
            1 => bytes[at] ^= 1 << random.u8(..8),
            2 => bytes.truncate(at),
            3 => {
                let length = [0, 3, 4, 5, 1 << 30, u32::MAX >> 1, u32::MAX];
                let length = length[random.usize(..length.len())].to_be_bytes();
                let to = (at + 4).min(bytes.len());
                bytes[at..to].copy_from_slice(&length[..to - at]);
            }
            4 => {
                let more = bytes[at..].to_vec();
                bytes.extend_from_slice(&more);
            }
            5 => drop(bytes.drain(..at)),
            _ => bytes[at] = b"ZCDEGHIKNRSTWcdnstv123A"[random.usize(..23)],
        }
    }
    bytes
}

/// Replays a partly damaged conversation until the damage is detected.
fn survive(steps: &[&[u8]], random: &mut fastrand::Rng) {
    let (mut startup, mut inbox, mut out) = (startup(), BytesMut::new(), BytesMut::new());
    let spoilt = random.usize(..steps.len());
    let bytes = match spoilt {
        0 => spoil(steps[0], random),
        _ => steps[0].to_vec(),
    };
    inbox.put_slice(&bytes);
    let Ok(Some(begun)) = startup.receive(&mut inbox, &mut out) else {
        return;
    };
    let mut talk = Talk::new(begun, inbox);
    let mut all = Vec::new();
    for (at, (step, bytes)) in SCRIPT.iter().zip(&steps[1..]).enumerate() {
        let (heard, mut copy) = talk.ask(*step);
        all.extend(heard.iter().cloned());
        talk.out();
        let bytes = match at + 1 == spoilt || random.u8(..40) == 0 {
            true => spoil(bytes, random),
            false => bytes.to_vec(),
        };
        let size = random.usize(1..200);
        for piece in bytes.chunks(size) {
            talk.inbox.put_slice(piece);
            let room = room(&talk.inbox, READ, LONGEST);
            assert!(
                room <= talk.inbox.len().max(READ),
                "nothing is reserved in advance"
            );
            if talk
                .machine
                .receive(&mut talk.inbox, &mut talk.news)
                .is_err()
            {
                talk.machine.lost(u64::MAX, &mut talk.news);
                for heard in all {
                    assert!(heard.0.borrow().1.is_some(), "each request has an end");
                }
                return;
            }
            if !heard.is_empty() {
                talk.go_on(*step, &heard, &mut copy);
            }
            talk.out();
        }
    }
}

/// Runs for `UNDERPIN_FUZZ_SECONDS`, or a few thousand conversations.
#[test]
fn spoiled_conversations_end_without_a_panic() {
    let seconds = std::env::var("UNDERPIN_FUZZ_SECONDS").ok();
    let seconds = seconds.and_then(|seconds| seconds.parse().ok());
    let until = seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let recordings = MAJORS.map(|major| std::fs::read(place(major)).unwrap());
    let recordings: Vec<_> = recordings.iter().map(|bytes| steps_of(bytes)).collect();
    let seed = fastrand::u64(..);
    let mut random = fastrand::Rng::with_seed(seed);
    println!("The seed is {seed}.");
    let mut count = 0u64;
    while until.map_or(count < 5_000, |until| Instant::now() < until) {
        survive(&recordings[random.usize(..recordings.len())], &mut random);
        count += 1;
    }
    println!("{count} conversations were survived.");
}

/// Records the conversations again, if servers for that are named.
fn record() {
    let Ok(servers) = std::env::var("UNDERPIN_RECORD_FROM") else {
        return;
    };
    for server in servers.split(',') {
        let (major, address) = server.split_once('=').expect("a version and an address");
        let recording = record_from(address);
        let path = place(major.parse().unwrap());
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, recording).unwrap();
    }
}

fn record_from(address: &str) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).unwrap();
    let (mut startup, mut inbox, mut out) = (startup(), BytesMut::new(), BytesMut::new());
    startup.introduce(&mut out).unwrap();
    stream.write_all(&out).unwrap();
    let mut said = Vec::new();
    let begun = loop {
        let read = read(&mut stream);
        said.extend_from_slice(&read);
        inbox.put_slice(&read);
        if let Some(begun) = startup.receive(&mut inbox, &mut out).unwrap() {
            break begun;
        }
    };
    let (process, secret) = (begun.process, begun.secret.clone());
    let mut recording = Vec::new();
    let mut keep = |said: &[u8]| {
        recording.extend_from_slice(&(said.len() as u32).to_be_bytes());
        recording.extend_from_slice(said);
    };
    keep(&said);
    let mut talk = Talk::new(begun, inbox);
    for step in SCRIPT {
        let (heard, mut copy) = talk.ask(*step);
        let mut said = Vec::new();
        stream.write_all(&talk.out()).unwrap();
        if let Step::Canceled(_) = step {
            std::thread::sleep(Duration::from_millis(300));
            let mut other = TcpStream::connect(address).unwrap();
            other.write_all(&put::cancel(process, &secret)).unwrap();
            let _ = other.read(&mut [0]);
        }
        while talk.machine.under_way() > 0 {
            let read = read(&mut stream);
            if read.is_empty() {
                break;
            }
            said.extend_from_slice(&read);
            talk.hear(&read);
            talk.go_on(*step, &heard, &mut copy);
            stream.write_all(&talk.out()).unwrap();
        }
        keep(&said);
    }
    recording
}

fn read(stream: &mut TcpStream) -> Vec<u8> {
    let mut room = vec![0; 4096];
    let count = stream.read(&mut room).unwrap_or(0);
    room.truncate(count);
    room
}
