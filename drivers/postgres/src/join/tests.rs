//! The conversation with and without joining is the same, but for statements that were skipped.

use std::collections::HashMap;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};

use proptest::prelude::*;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::*;
use crate::link::Link;
use crate::tap::Tap;

fn message(tag: u8, body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    put(&mut out, tag, &[body]);
    out
}

/// The messages in some bytes, of which the last one is whole.
fn messages(mut bytes: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut found = Vec::new();
    while let Some(Message { tag, end }) = Message::at(bytes, 0) {
        found.push((tag, bytes[HEADER..end].to_vec()));
        bytes = &bytes[end..];
    }
    assert!(bytes.is_empty(), "half a message is left");
    found
}

/// What a client asks, one request each.
#[derive(Debug, Clone)]
enum Ask {
    /// A prepared statement; of the names, "fails" fails and "empty" is an empty query.
    Statement(&'static str, u8),
    Prepare,
    Simple(&'static str),
}

impl Ask {
    fn bytes(&self) -> Vec<u8> {
        match self {
            Ask::Statement(name, parameter) => [
                message(
                    b'B',
                    &[
                        b"\0",
                        name.as_bytes(),
                        b"\0",
                        &vec![7; usize::from(*parameter)],
                    ]
                    .concat(),
                ),
                message(b'E', &[0; 5]),
                message(b'S', b""),
            ]
            .concat(),
            Ask::Prepare => [
                message(b'P', b"new\0SELECT\0\0\0"),
                message(b'D', b"Snew\0"),
                message(b'S', b""),
            ]
            .concat(),
            Ask::Simple(text) => message(b'Q', &[text.as_bytes(), b"\0"].concat()),
        }
    }
}

/// What a server of the protocol says.
struct Server {
    heard: Vec<u8>,
    said: Vec<u8>,
    status: u8,
    skips: bool,
    bound: Vec<u8>,
    /// The texts of statements that are known by another name.
    prepared: HashMap<Vec<u8>, Vec<u8>>,
    syncs: usize,
    /// The requests in the order in which they were run.
    run: Vec<String>,
    /// Says something unasked after every so many messages.
    unasked: usize,
    count: usize,
}

impl Server {
    fn new(unasked: usize) -> Server {
        Server {
            heard: Vec::new(),
            said: Vec::new(),
            status: b'I',
            skips: false,
            bound: Vec::new(),
            prepared: HashMap::new(),
            syncs: 0,
            run: Vec::new(),
            unasked,
            count: 0,
        }
    }

    fn hear(&mut self, bytes: &[u8]) {
        self.heard.extend_from_slice(bytes);
        while let Some(Message { tag, end }) = Message::at(&self.heard, 0) {
            let whole: Vec<u8> = self.heard.drain(..end).collect();
            self.message(tag, &whole[HEADER..]);
        }
    }

    fn say(&mut self, tag: u8, body: &[u8]) {
        self.said.extend(message(tag, body));
        self.count += 1;
        if self.unasked > 0 && self.count.is_multiple_of(self.unasked) {
            self.said
                .extend(message(b"NAS"[self.count % 3], b"by the way\0\0"));
        }
    }

    fn message(&mut self, tag: u8, body: &[u8]) {
        match tag {
            b'S' => {
                self.syncs += 1;
                self.skips = false;
                self.ready();
            }
            _ if self.skips => {}
            b'P' => {
                let mut names = body.split(|&byte| byte == 0);
                let (name, text) = (names.next().unwrap(), names.next().unwrap());
                let before = self.prepared.insert(name.to_vec(), text.to_vec());
                assert!(before.is_none() || name == b"new", "it is known already");
                self.say(b'1', b"");
            }
            b'C' => {
                let name = body[1..].strip_suffix(&[0]).unwrap();
                self.prepared.remove(name);
                self.say(b'3', b"");
            }
            b'D' => self.say(b'n', b""),
            b'B' => {
                let name = body[1..].split(|&byte| byte == 0).next().unwrap();
                self.bound = name.to_vec();
                self.say(b'2', b"");
            }
            b'E' => {
                let name = std::mem::take(&mut self.bound);
                let text = self.prepared.get(&name).cloned().unwrap_or(name);
                self.skips = !self.runs(&text);
            }
            b'Q' => {
                let text = body.strip_suffix(&[0]).unwrap();
                let text = text.strip_prefix(WITH_NEXT.as_bytes()).unwrap_or(text);
                self.runs(text);
                self.ready();
            }
            other => panic!("a server knows no {other}"),
        }
    }

    fn ready(&mut self) {
        let status = self.status;
        self.say(b'Z', &[status]);
    }

    fn runs(&mut self, text: &[u8]) -> bool {
        let text = String::from_utf8(text.to_vec()).unwrap();
        self.run.push(text.clone());
        let doomed = self.status == b'E' && text != "COMMIT";
        if doomed || text.contains("fails") {
            if self.status != b'I' {
                self.status = b'E';
            }
            self.say(b'E', b"SERROR\0C22012\0Mno\0\0");
            return false;
        }
        match text.as_str() {
            "BEGIN" => self.status = b'T',
            "COMMIT" => self.status = b'I',
            "empty" => {
                self.say(b'I', b"");
                return true;
            }
            _ => {
                self.say(b'D', b"a row");
                self.say(b'D', b"another");
            }
        }
        self.say(b'C', &[text.as_bytes(), b"\0"].concat());
        true
    }
}

/// A stream to that server that takes and gives as much at a time as it is told.
struct Wire {
    server: Server,
    sizes: Vec<usize>,
    turn: usize,
    on_the_way: Vec<u8>,
}

impl Wire {
    fn size(&mut self) -> usize {
        self.turn += 1;
        self.sizes[self.turn % self.sizes.len()]
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let way = std::mem::take(&mut self.on_the_way);
        self.server.hear(&way);
        let size = self
            .size()
            .min(self.server.said.len())
            .min(buffer.remaining());
        if size == 0 {
            return Poll::Pending;
        }
        let said: Vec<u8> = self.server.said.drain(..size).collect();
        buffer.put_slice(&said);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let size = self.size().min(bytes.len());
        if size == 0 {
            return Poll::Pending;
        }
        self.on_the_way.extend_from_slice(&bytes[..size]);
        Poll::Ready(Ok(size))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

struct Client {
    tap: Tap<Wire>,
    link: Arc<Link>,
    read: Vec<u8>,
    room: usize,
}

impl Client {
    fn new(sizes: Vec<usize>, room: usize, unasked: usize) -> Client {
        let mut server = Server::new(unasked);
        server.said.extend(message(b'Z', b"I"));
        let wire = Wire {
            server,
            sizes,
            turn: 0,
            on_the_way: Vec::new(),
        };
        let link = Arc::new(Link::new(None));
        let mut client = Client {
            tap: Tap::new(wire, Arc::clone(&link), false),
            link,
            read: Vec::new(),
            room,
        };
        client.write(&message(0, b"user\0x\0\0")[1..]);
        client.wire().on_the_way.clear();
        client.read_all();
        client.read.clear();
        client
    }

    fn wire(&mut self) -> &mut Wire {
        self.tap.stream_mut()
    }

    fn write(&mut self, mut bytes: &[u8]) {
        let cx = &mut Context::from_waker(Waker::noop());
        let mut turns = 0;
        while !bytes.is_empty() {
            match Pin::new(&mut self.tap).poll_write(cx, bytes) {
                Poll::Ready(count) => bytes = &bytes[count.unwrap()..],
                Poll::Pending => turns += 1,
            }
            assert!(turns < 10_000, "nothing more is taken");
        }
        turns = 0;
        while Pin::new(&mut self.tap).poll_flush(cx).is_pending() {
            turns += 1;
            assert!(turns < 10_000, "it is never flushed");
        }
    }

    fn read_once(&mut self) -> bool {
        let cx = &mut Context::from_waker(Waker::noop());
        let mut room = vec![0; self.room];
        let mut buffer = ReadBuf::new(&mut room);
        let polled = Pin::new(&mut self.tap).poll_read(cx, &mut buffer);
        self.read.extend_from_slice(buffer.filled());
        polled.is_ready()
    }

    fn read_all(&mut self) {
        let mut idle = 0;
        while idle < 200 {
            idle = if self.read_once() { 0 } else { idle + 1 };
        }
    }
}

/// What was said to each request, without what was said unasked.
fn answers(bytes: &[u8]) -> Vec<Vec<(u8, Vec<u8>)>> {
    let mut answers = vec![Vec::new()];
    for (tag, body) in messages(bytes) {
        if b"NAS".contains(&tag) {
            continue;
        }
        answers.last_mut().unwrap().push((tag, body));
        if tag == b'Z' {
            answers.push(Vec::new());
        }
    }
    assert!(answers.pop().unwrap().is_empty(), "half an answer is left");
    answers
}

fn is_skipped(answer: &[(u8, Vec<u8>)]) -> bool {
    let said = |body: &Vec<u8>| body.windows(5).any(|part| part == SKIPPED.as_bytes());
    answer.len() == 2 && answer[0].0 == b'E' && said(&answer[0].1)
}

fn asks(lane: bool) -> impl Strategy<Value = Vec<Ask>> {
    let name = prop_oneof![
        20 => Just("one"), 8 => Just("two"), 2 => Just("empty"), 1 => Just("fails"),
    ];
    let statement = (name, 0u8..60).prop_map(|(name, size)| Ask::Statement(name, size));
    let begin = if lane { "SELECT" } else { "/*underpin*/BEGIN" };
    let refused = if lane {
        "fails"
    } else {
        "/*underpin*/BEGIN fails"
    };
    let ask = prop_oneof![
        20 => statement,
        1 => Just(Ask::Prepare),
        1 => Just(Ask::Simple("SELECT")),
        3 => Just(Ask::Simple(begin)),
        1 => Just(Ask::Simple(refused)),
        2 => Just(Ask::Simple("COMMIT")),
    ];
    prop::collection::vec(ask, 1..120)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn the_conversation_is_the_same_but_for_what_was_skipped(
        lane in any::<bool>(),
        asks in any::<bool>().prop_flat_map(|lane| (Just(lane), asks(lane))),
        // Only pieces of the client's own making: it writes whole requests, and what is left of them.
        pieces in prop::collection::vec(1usize..40, 1..20),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..4),
        sizes in prop::collection::vec(0usize..300, 1..12).prop_filter("some", |sizes| sizes.iter().any(|&size| size > 0)),
        (room, unasked, reads) in (1usize..300, 0usize..5, 0usize..4),
    ) {
        let (with_begin, asks) = (!asks.0, asks.1);
        let lane = lane && !with_begin;
        // Without joining.
        let mut plain = Server::new(0);
        for ask in &asks {
            plain.hear(&ask.bytes());
        }
        plain.hear(&message(b'S', b""));
        let expected = answers(&plain.said);

        let mut client = Client::new(sizes, room, unasked);
        client.link.set_lane(lane);
        let begins = asks.iter().filter(|ask| matches!(ask, Ask::Simple(text) if text.starts_with(WITH_NEXT)));
        client.link.begins.store(begins.count() as u64, Ordering::Relaxed);
        let mut left = &asks[..];
        for piece in pieces.iter().cycle() {
            if left.is_empty() {
                break;
            }
            let (now, later) = left.split_at((*piece).min(left.len()));
            left = later;
            let bytes: Vec<u8> = now.iter().flat_map(Ask::bytes).collect();
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            for cut in cuts.windows(2) {
                client.write(&bytes[cut[0]..cut[1]]);
            }
            for _ in 0..reads {
                client.read_once();
            }
        }
        client.write(&message(b'S', b""));
        client.read_all();

        let got = answers(&client.read);
        prop_assert_eq!(got.len(), expected.len());
        let mut failed = None;
        for (at, (got, expected)) in got.iter().zip(&expected).enumerate() {
            if is_skipped(got) {
                let cause = failed.as_ref().expect("something before it has failed");
                match (cause, &asks[at]) {
                    (Ask::Statement(cause, _), Ask::Statement(name, _)) => prop_assert!(lane && cause == name),
                    (Ask::Simple(begin), Ask::Statement(..)) => prop_assert!(begin.starts_with(WITH_NEXT)),
                    other => prop_assert!(false, "{:?}", other),
                }
            } else {
                // Where a refused BEGIN was joined, what follows may differ: it is outside of it.
                prop_assert_eq!(got, expected, "request {}", at);
                failed = got.iter().any(|(tag, _)| *tag == b'E').then(|| asks[at].clone());
            }
        }
        if !lane && !with_begin {
            prop_assert_eq!(client.wire().server.syncs, plain.syncs);
        }
        // Nothing is run that was not asked, twice or in another order.
        let run = client.wire().server.run.clone();
        let mut asked = plain.run.clone().into_iter();
        for next in run {
            prop_assert!(asked.any(|text| text == next));
        }
    }

    #[test]
    fn nonsense_never_panics(
        pieces in prop::collection::vec((any::<bool>(), prop::collection::vec(prop_oneof![any::<u8>(), Just(0), Just(4), Just(b'Q'), Just(b'B'), Just(b'Z'), Just(b'C')], 0..60)), 0..30),
        lane in any::<bool>(),
    ) {
        let mut join = Join::new();
        let ask = Ask::Statement("one", 3).bytes();
        for (to_server, bytes) in pieces {
            if to_server {
                let bytes = [&ask[..], &ask, &bytes].concat();
                let client = Frames::of_server();
                let standing = Standing { client: &client, server: Frames::of_server(), unanswered: 1, lane, deallocated: false };
                join.plan(&bytes, &standing);
                join.wrote(join.to_write().len());
            } else {
                join.take(&bytes);
                join.gave(join.to_read().len());
            }
        }
    }
}

fn statements(client: &mut Client, name: &'static str, count: usize) {
    let bytes = Ask::Statement(name, 4).bytes().repeat(count);
    client.write(&bytes);
    client.read_all();
}

#[test]
fn a_run_of_the_same_statement_goes_with_few_syncs_and_a_failure_stops_that_for_a_while() {
    let mut client = Client::new(vec![1 << 20], 1 << 20, 0);
    client.link.set_lane(true);
    statements(&mut client, "one", 96);
    assert_eq!(client.wire().server.syncs, 96usize.div_ceil(MOST as usize));
    assert_eq!(answers(&client.read).len(), 96);

    statements(&mut client, "fails", 3);
    let said = answers(&client.read);
    assert!(!is_skipped(&said[96]) && is_skipped(&said[97]) && is_skipped(&said[98]));
    let before = client.wire().server.syncs;
    for _ in 0..10 {
        statements(&mut client, "one", 100);
    }
    assert_eq!(client.wire().server.syncs - before, 1000);
    statements(&mut client, "one", MOST as usize);
    assert_eq!(client.wire().server.syncs - before, 1001);
    // And none where it is no lane.
    client.link.set_lane(false);
    statements(&mut client, "one", 20);
    assert_eq!(client.wire().server.syncs - before, 1021);
}

#[test]
fn a_marked_begin_goes_with_the_statement_behind_it_or_by_itself() {
    for (begin, run) in [("/*underpin*/BEGIN", 2), ("/*underpin*/BEGIN fails", 1)] {
        let mut client = Client::new(vec![1 << 20], 1 << 20, 0);
        client.link.begins.store(1, Ordering::Relaxed);
        client.write(&Ask::Simple(begin).bytes());
        client.read_all();
        assert!(client.read.is_empty(), "it waits for what follows");
        statements(&mut client, "one", 1);
        let said = answers(&client.read);
        assert_eq!(said.len(), 2);
        assert_eq!(is_skipped(&said[1]), run == 1);
        let server = &client.wire().server;
        assert_eq!((server.syncs, server.run.len()), (1, run));
    }
    let mut client = Client::new(vec![1 << 20], 1 << 20, 0);
    client.link.begins.store(1, Ordering::Relaxed);
    client.write(&Ask::Simple("/*underpin*/BEGIN").bytes());
    client.write(&message(b'S', b""));
    client.read_all();
    assert_eq!(answers(&client.read).len(), 2);
}

/// A stream that takes so many bytes, and then fails.
struct Breaking(usize);

impl AsyncRead for Breaking {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        _: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Poll::Pending
    }
}

impl AsyncWrite for Breaking {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let count = self.0.min(bytes.len());
        self.0 -= count;
        Poll::Ready(match count {
            0 => Err(io::ErrorKind::BrokenPipe.into()),
            _ => Ok(count),
        })
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[test]
fn what_was_written_before_the_stream_failed_counts_as_written() {
    let startup = &message(0, b"user\0x\0\0")[1..];
    let link = Arc::new(Link::new(None));
    let mut tap = Tap::new(Breaking(startup.len() + 30), Arc::clone(&link), false);
    let cx = &mut Context::from_waker(Waker::noop());
    assert!(Pin::new(&mut tap).poll_write(cx, startup).is_ready());
    let (written, executes) = (&link.written, &link.executes);
    let before = written.load(Ordering::Relaxed);
    link.set_lane(true);
    let both = Ask::Statement("one", 3).bytes().repeat(2);
    let failed = Pin::new(&mut tap).poll_write(cx, &both);
    assert!(matches!(failed, Poll::Ready(Err(_))));
    assert!(written.load(Ordering::Relaxed) > before);
    assert!(executes.load(Ordering::Relaxed) > 0, "they may have run");
}
