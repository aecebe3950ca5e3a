use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::frames::Frames;
use crate::join::Standing;
use crate::joined::Joined;
use crate::link::Link;
use crate::surplus::Surplus;
use crate::unknown_types::UnknownTypes;

/// A thin layer over the plain bytes between client and server, within the encryption
/// where there is one. It reads along, so that [`Link`] knows what was written and what
/// the server has answered, which the client itself does not tell.
#[derive(Debug)]
pub(crate) struct Tap<S> {
    stream: Joined<S>,
    link: Arc<Link>,
    client: Frames,
    server: Server,
    unknown_types: Option<UnknownTypes>,
    surplus: Surplus,
    /// How often the server was asked to say when it is ready.
    asked: u64,
    /// What is to be written has waited for more once.
    gathered: bool,
}

#[derive(Debug)]
struct Server {
    frames: Frames,
    started: bool,
    kept: [u8; KEPT],
    have: usize,
}

/// Enough of a message to read a command's tag.
const KEPT: usize = 24;
/// So many statements under way are worth gathering more.
const MANY: u64 = 32;
/// The messages that a server may send before it is ready for the first time.
const AT_STARTUP: &[u8] = b"RSKZENv";

impl<S> Tap<S> {
    /// A tap on a stream through which nothing has gone yet. With `hide_unknown_types`
    /// the client is told that columns of types it would have to look up are `unknown`.
    pub(crate) fn new(stream: S, link: Arc<Link>, hide_unknown_types: bool) -> Self {
        Tap {
            stream: Joined::new(stream),
            link,
            client: Frames::of_client(),
            server: Server {
                frames: Frames::of_server(),
                started: false,
                kept: [0; KEPT],
                have: 0,
            },
            unknown_types: hide_unknown_types.then(UnknownTypes::new),
            surplus: Surplus::default(),
            asked: 0,
            gathered: false,
        }
    }

    /// The stream beneath.
    #[cfg(feature = "tls")]
    pub(crate) fn stream(&self) -> &S {
        &self.stream.stream
    }

    #[cfg(test)]
    pub(crate) fn stream_mut(&mut self) -> &mut S {
        &mut self.stream.stream
    }

    /// Whether to wait, one turn of the runtime's queue long, for what the tasks that have just
    /// been answered are about to send: with so many statements under way, fewer and larger
    /// writes answer them all sooner.
    fn gathers(&mut self) -> bool {
        // It has said so once at the startup, unasked.
        let ready = self.link.readies.load(Ordering::Relaxed);
        let under_way = (self.asked + 1).saturating_sub(ready);
        self.gathered = !self.gathered && under_way >= MANY;
        self.gathered
    }

    /// Whether what is written may be joined with what is written beside it.
    fn joins(&self) -> bool {
        self.link.lane.load(Ordering::Relaxed)
            || self.link.begins.load(Ordering::Relaxed) != self.stream.begins()
            || self.stream.holds_begin()
    }

    fn refuse_if_killed(&self) -> io::Result<()> {
        if self.link.killed.load(Ordering::Relaxed) {
            return Err(io::Error::new(
                io::ErrorKind::ConnectionAborted,
                "the connection was given up",
            ));
        }
        Ok(())
    }

    /// Hands on what was held back, but for an answer that the client does not expect.
    /// Says whether there was anything.
    fn give_out(&mut self, buffer: &mut ReadBuf<'_>) -> io::Result<bool> {
        let before = buffer.filled().len();
        while buffer.remaining() > 0 {
            let from = buffer.filled().len();
            let Some(held) = self.surplus.next(&self.server.frames) else {
                break;
            };
            let count = held.bytes().len().min(buffer.remaining());
            let surplus = held.surplus;
            if surplus && count < held.bytes().len() {
                break;
            }
            buffer.put_slice(&held.bytes()[..count]);
            held.take(count);
            self.server
                .received(&buffer.filled()[from..], &self.link, &mut self.surplus)?;
            if surplus {
                buffer.set_filled(from);
            }
        }
        Ok(buffer.filled().len() > before)
    }

    /// Notes what was written, and gives the number of requests in it.
    fn wrote(&mut self, mut bytes: &[u8]) -> u64 {
        let (count, asked) = (bytes.len() as u64, self.asked);
        while !bytes.is_empty() {
            let step = self.client.step(bytes);
            if step.ends {
                self.surplus.wrote(step.tag);
                self.asked += u64::from(matches!(step.tag, b'Q' | b'S'));
                match step.tag {
                    b'Q' | b'E' => add(&self.link.executes, 1),
                    b'c' => add(&self.link.copy_ends, 1),
                    _ => {}
                }
            }
            bytes = &bytes[step.body.end..];
        }
        add(&self.link.written, count);
        self.asked - asked
    }
}

/// The one writer of a number needs no atomic addition.
fn add(number: &AtomicU64, more: u64) {
    number.store(number.load(Ordering::Relaxed) + more, Ordering::Release);
}

impl Server {
    fn received(&mut self, mut bytes: &[u8], link: &Link, surplus: &mut Surplus) -> io::Result<()> {
        while !bytes.is_empty() {
            let step = self.frames.step(bytes);
            let alien = step.tag != 0 && !AT_STARTUP.contains(&step.tag);
            if (!self.started && alien) || self.frames.is_lost() {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    "the other side does not speak PostgreSQL's protocol",
                ));
            }
            if matches!(step.tag, b'Z' | b'C') {
                let body = &bytes[step.body.clone()];
                let taken = body.len().min(KEPT - self.have);
                self.kept[self.have..self.have + taken].copy_from_slice(&body[..taken]);
                self.have += taken;
            }
            if step.ends {
                if self.started {
                    surplus.received(step.tag);
                }
                self.finished(step.tag, link);
                self.have = 0;
            }
            bytes = &bytes[step.body.end..];
        }
        Ok(())
    }

    fn finished(&mut self, tag: u8, link: &Link) {
        let kept = &self.kept[..self.have];
        match tag {
            b'Z' => {
                self.started = true;
                link.status
                    .store(kept.first().copied().unwrap_or(b'I'), Ordering::Release);
                link.unsettled.store(false, Ordering::Release);
                add(&link.readies, 1);
                link.tell();
            }
            b'C' => {
                completed(kept, link);
                add(&link.completes, 1);
                link.unsettled.store(true, Ordering::Release);
            }
            b'E' => link.unsettled.store(true, Ordering::Release),
            b'S' => add(&link.parameters, 1),
            _ => {}
        }
    }
}

/// What the tag of a completed command says about the session. `SET` is not among them:
/// it also stands for `SET LOCAL`, and the statement's text tells the two apart.
fn completed(tag: &[u8], link: &Link) {
    let tag = tag.split(|&byte| byte == 0).next().unwrap_or_default();
    match tag {
        b"ROLLBACK" => add(&link.rollbacks, 1),
        b"LISTEN" | b"PREPARE" | b"DECLARE CURSOR" | b"LOAD" => {
            link.changed.store(true, Ordering::Release);
        }
        b"DISCARD ALL" | b"DEALLOCATE ALL" => link.deallocated.store(true, Ordering::Release),
        _ => {}
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Tap<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let tap = self.get_mut();
        tap.refuse_if_killed()?;
        let before = buffer.filled().len();
        loop {
            if tap.surplus.holds() && tap.give_out(buffer)? {
                break;
            }
            ready!(Pin::new(&mut tap.stream).poll_read(cx, buffer))?;
            let new = &buffer.filled()[before..];
            if new.is_empty() {
                return Poll::Ready(Ok(()));
            }
            if !tap.surplus.is_possible() && !tap.surplus.holds() {
                tap.server.received(new, &tap.link, &mut tap.surplus)?;
                break;
            }
            tap.surplus.hold(new);
            buffer.set_filled(before);
        }
        if let Some(unknown_types) = &mut tap.unknown_types {
            unknown_types.hide(&mut buffer.filled_mut()[before..]);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Tap<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let tap = self.get_mut();
        tap.refuse_if_killed()?;
        if tap.gathers() {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if tap.joins() {
            ready!(tap.stream.poll_written(cx))?;
            let (server, unanswered) = tap.surplus.ahead(&tap.server.frames);
            let standing = Standing {
                client: &tap.client,
                server,
                unanswered,
                lane: tap.link.lane.load(Ordering::Relaxed),
                deallocated: tap.link.deallocated.load(Ordering::Relaxed),
            };
            if tap.stream.join(bytes, &standing) {
                // Before it is: of what fails half-way, something may have left.
                tap.wrote(bytes);
                if let Poll::Ready(Err(error)) = tap.stream.poll_written(cx) {
                    return Poll::Ready(Err(error));
                }
                return Poll::Ready(Ok(bytes.len()));
            }
        }
        let count = ready!(Pin::new(&mut tap.stream).poll_write(cx, bytes))?;
        let requests = tap.wrote(&bytes[..count]);
        tap.stream.passed(requests);
        Poll::Ready(Ok(count))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use proptest::prelude::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    fn message(tag: u8, body: &[u8]) -> Vec<u8> {
        let mut bytes = vec![tag];
        bytes.extend_from_slice(&(body.len() as u32 + 4).to_be_bytes());
        bytes.extend_from_slice(body);
        bytes
    }

    fn chunks(bytes: &[u8], cuts: &[prop::sample::Index]) -> Vec<Vec<u8>> {
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        cuts.windows(2)
            .map(|pair| bytes[pair[0]..pair[1]].to_vec())
            .collect()
    }

    fn counts(link: &Link) -> [u64; 9] {
        [
            link.written.load(Ordering::Relaxed),
            link.executes.load(Ordering::Relaxed),
            link.copy_ends.load(Ordering::Relaxed),
            link.completes.load(Ordering::Relaxed),
            link.rollbacks.load(Ordering::Relaxed),
            link.readies.load(Ordering::Relaxed),
            link.parameters.load(Ordering::Relaxed),
            link.status().into(),
            link.changed.load(Ordering::Relaxed).into(),
        ]
    }

    #[test]
    fn with_many_under_way_each_write_waits_once_for_more() {
        let (client, _server) = tokio::io::duplex(1 << 16);
        let mut tap = Tap::new(client, Arc::new(Link::new(None)), false);
        let startup = &message(0, b"user\0app\0\0")[1..];
        assert!(tap.write_all(startup).now_or_never().is_some());
        let sync = message(b'S', b"");
        for _ in 1..MANY {
            assert!(tap.write_all(&sync).now_or_never().is_some());
        }
        for _ in 0..3 {
            assert!(tap.write_all(&sync).now_or_never().is_none(), "it waits");
            assert!(tap.write_all(&sync).now_or_never().is_some(), "but once");
        }
    }

    proptest! {
        #[test]
        fn any_chunking_gives_the_same_counts(
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..60),
        ) {
            let client = [
                message(0, b"user\0app\0\0")[1..].to_vec(),
                message(b'Q', b"BEGIN\0"),
                message(b'P', b"s0\0INSERT\0\0\0"), message(b'B', b"\0s0\0"),
                message(b'E', b"\0\0\0\0\0"), message(b'S', b""),
                message(b'd', b"1\tQ\n"), message(b'c', b""), message(b'S', b""),
            ].concat();
            let server = [
                message(b'R', &[0; 4]), message(b'S', b"in_hot_standby\0off\0"),
                message(b'K', &[0; 8]), message(b'Z', b"I"),
                message(b'C', b"BEGIN\0"), message(b'Z', b"T"),
                message(b'D', b"CZ"), message(b'C', b"INSERT 0 1\0"), message(b'Z', b"T"),
                message(b'C', b"LISTEN\0"), message(b'Z', b"T"),
                message(b'C', b"ROLLBACK\0"), message(b'Z', b"E"),
            ].concat();
            let link = Arc::new(Link::new(None));
            let mut tap = Tap::new((), Arc::clone(&link), false);
            for chunk in chunks(&client, &cuts) {
                tap.wrote(&chunk);
            }
            for chunk in chunks(&server, &cuts) {
                tap.server.received(&chunk, &link, &mut tap.surplus).unwrap();
            }
            prop_assert_eq!(
                counts(&link),
                [client.len() as u64, 2, 1, 4, 1, 5, 1, b'E'.into(), 1]
            );
        }
    }

    proptest! {
        #[test]
        fn the_answer_that_a_refused_copy_gets_twice_goes_on_once(
            sizes in prop::collection::vec(1usize..12, 1..40),
            abort_at in 0usize..3,
        ) {
            // The statement's own Sync is answered, and so is that of its end.
            let refused = [message(b'E', b"\0"), message(b'Z', b"I")].concat();
            let rest = [message(b'Z', b"I"), message(b'N', b"\0"), message(b'C', b"X\0"), message(b'Z', b"T")].concat();
            let started = message(b'Z', b"I");
            let statement = [message(0, b"")[1..].to_vec(), message(b'E', b""), message(b'S', b"")].concat();
            let end = [message(b'f', b"\0"), message(b'S', b""), message(b'Q', b"NEXT\0")].concat();
            let expected = [&started[..], &refused, &rest[6..]].concat();

            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let got: Vec<u8> = runtime.block_on(async {
                let (ours, mut theirs) = tokio::io::duplex(4096);
                let mut tap = Tap::new(ours, Arc::new(Link::new(None)), false);
                let mut got = Vec::new();
                let mut buffer = [0; 64];
                theirs.write_all(&started).await.unwrap();
                let count = tap.read(&mut buffer).await.unwrap();
                    got.extend_from_slice(&buffer[..count]);
                tap.write_all(&statement).await.unwrap();
                // The client may give up before it has read the refusal, in the middle, or after.
                let early = [0, 3, refused.len()][abort_at];
                theirs.write_all(&refused[..early]).await.unwrap();
                while got.len() < started.len() + early {
                    let count = tap.read(&mut buffer).await.unwrap();
                    got.extend_from_slice(&buffer[..count]);
                }
                tap.write_all(&end).await.unwrap();
                let mut left = [&refused[early..], &rest].concat();
                for size in sizes {
                    let piece: Vec<u8> = left.drain(..size.min(left.len())).collect();
                    theirs.write_all(&piece).await.unwrap();
                    if let Some(Ok(count)) = tap.read(&mut buffer).now_or_never() {
                        got.extend_from_slice(&buffer[..count]);
                    }
                }
                theirs.write_all(&left).await.unwrap();
                drop(theirs);
                tap.read_to_end(&mut got).await.unwrap();
                got
            });
            prop_assert_eq!(got, expected);
        }
    }

    #[test]
    fn another_protocol_is_told_at_its_first_bytes() {
        for greeting in [&b"HTTP/1.1 400"[..], b"J\0\0\0\n5.5.5", b"-ERR unknown"] {
            let mut tap = Tap::new((), Arc::new(Link::new(None)), false);
            let error = tap
                .server
                .received(greeting, &tap.link, &mut tap.surplus)
                .unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        }
    }
}
