use std::collections::VecDeque;

use crate::frames::Frames;
use crate::requests::{HEADER, Message, SYNC, Statement, boundary, is_answer, is_request, put};

/// Leaves out Syncs between requests that go to the server together, and gives the client the
/// answers to them that it expects. Each Sync makes the server send what it has so far, and that
/// is most of what a small statement costs it.
///
/// Two things are joined. In a lane, runs of the same prepared statement: where one fails, the
/// server skips those behind it, and each of these is answered with [`SKIPPED`]; nothing came
/// of it, and the driver asks again. And a BEGIN that is marked as to be joined with the
/// statement that follows it: where BEGIN fails, the statement is skipped.
#[derive(Debug)]
pub(crate) struct Join {
    /// What was joined and is not answered yet.
    runs: VecDeque<Run>,
    /// Requests after the last of those.
    trailing: u64,
    server: Frames,
    /// The message of the server under way is not for the client.
    dropping: bool,
    /// The server has reported an error, and skips what is left of the first run.
    failed: bool,
    /// A BEGIN to be joined, until it is known with what.
    begin: Vec<u8>,
    /// How many of those there were.
    begins: u64,
    /// The texts of those that the server has prepared.
    prepared: Vec<Box<[u8]>>,
    /// What is to be written.
    out: Vec<u8>,
    written: usize,
    /// What is to be read.
    held: Vec<u8>,
    read: usize,
    /// So many requests are not joined any more.
    pause: u64,
}

/// Requests that go to the server with one Sync, the last one's.
#[derive(Debug)]
struct Run {
    /// Requests before it, each answered by itself.
    plain: u64,
    /// It begins with a BEGIN, which is still to be answered.
    begins: bool,
    /// Statements still to be answered whose Sync was left out.
    left_out: u64,
}

/// What is found in one piece of what the client writes.
struct Plan<'a> {
    bytes: &'a [u8],
    /// How far it was looked at.
    at: usize,
    /// How far it was copied.
    from: usize,
    group: Option<Group<'a>>,
    changed: bool,
}

/// A run of the same statement while it is found.
struct Group<'a> {
    name: &'a [u8],
    left_out: u64,
    /// Where the Sync of the last one ends.
    end: usize,
}

/// Where the conversation stands.
pub(crate) struct Standing<'a> {
    pub(crate) client: &'a Frames,
    /// What was read of the server, also what the client was not given yet.
    pub(crate) server: Frames,
    /// Requests of the client that it has no answer to.
    pub(crate) unanswered: u64,
    /// Whether statements may be joined.
    pub(crate) lane: bool,
    /// Whether prepared statements were dropped behind this side's back.
    pub(crate) deallocated: bool,
}

/// The SQLSTATE of a statement that was not run, since one before it had failed.
pub(crate) const SKIPPED: &str = "UPSKP";
/// The mark of a BEGIN that is to be joined. The client knows no way to queue it but as a simple
/// query of its own, which this comment tells from others: what begins so is held back until it
/// is known what follows. Right before a prepared statement it is written as a prepared
/// statement too, without the mark and without a Sync; before anything else, as it came.
pub(crate) const WITH_NEXT: &str = "/*underpin*/";
/// So much room for what is to be written is kept.
const ROOM: usize = 64 * 1024;
/// What the name of a prepared BEGIN begins with, before its text.
const NAME: &[u8] = b"underpin ";
/// So many statements go with one Sync at the most.
const MOST: u64 = 16;
/// After one has failed, so many are sent each by itself: what fails once may fail often.
const PAUSE: u64 = 1000;

impl Join {
    pub(crate) fn new() -> Self {
        Join {
            runs: VecDeque::new(),
            trailing: 0,
            server: Frames::of_server(),
            dropping: false,
            failed: false,
            begin: Vec::new(),
            begins: 0,
            prepared: Vec::new(),
            out: Vec::new(),
            written: 0,
            held: Vec::new(),
            read: 0,
            pause: 0,
        }
    }

    /// Whether what comes in has to go through here.
    #[inline]
    pub(crate) fn is_active(&self) -> bool {
        !self.runs.is_empty() || self.read < self.held.len()
    }

    /// Whether a BEGIN waits for what follows it.
    #[inline]
    pub(crate) fn holds_begin(&self) -> bool {
        !self.begin.is_empty()
    }

    /// How many BEGINs were to be joined so far.
    #[inline]
    pub(crate) fn begins(&self) -> u64 {
        self.begins
    }

    /// Notes requests that the client has written past this.
    #[inline]
    pub(crate) fn passed(&mut self, requests: u64) {
        self.trailing += requests;
        self.pause = self.pause.saturating_sub(requests);
    }

    /// Looks for what can be joined in what the client writes, which ends with a request: the
    /// client queues whole ones, and always offers all that is left of them. Where there is
    /// something, all of it is taken, and [`to_write`](Join::to_write) has what is to be written
    /// in its place.
    pub(crate) fn plan(&mut self, bytes: &[u8], standing: &Standing<'_>) -> bool {
        let Some((at, ended)) = boundary(standing.client, bytes) else {
            return false;
        };
        if !self.is_active() {
            self.server = standing.server.clone();
            // A BEGIN that waits is not on its way.
            let waits = u64::from(self.holds_begin());
            self.trailing = standing.unanswered.saturating_sub(waits);
        }
        let before = (self.trailing, self.pause);
        self.passed(u64::from(is_request(ended)));
        let mut plan = Plan {
            bytes,
            at,
            from: 0,
            group: None,
            changed: self.holds_begin(),
        };
        while let Some(message) = Message::at(bytes, plan.at) {
            match Statement::at(bytes, plan.at) {
                Some(statement) => self.statement(&mut plan, &statement, standing),
                None => self.message(&mut plan, &message),
            }
        }
        self.close(plan.group.take());
        if self.holds_begin() && plan.at < bytes.len() {
            self.put_begin(&mut plan);
        }
        if plan.changed {
            self.out.extend_from_slice(&bytes[plan.from..]);
        } else {
            (self.trailing, self.pause) = before;
        }
        plan.changed
    }

    fn statement<'a>(
        &mut self,
        plan: &mut Plan<'a>,
        statement: &Statement<'a>,
        standing: &Standing<'_>,
    ) {
        if self.holds_begin() {
            if standing.deallocated {
                self.prepared.clear();
            }
            self.join_begin(plan);
            plan.at = statement.end;
            return;
        }
        let joins = standing.lane && self.pause == 0;
        match &mut plan.group {
            Some(group) if joins && group.name == statement.name && group.left_out + 1 < MOST => {
                let sync = group.end - SYNC;
                self.out.extend_from_slice(&plan.bytes[plan.from..sync]);
                (plan.from, plan.changed) = (group.end, true);
                group.left_out += 1;
                group.end = statement.end;
            }
            group => {
                let found = Group {
                    name: statement.name,
                    left_out: 0,
                    end: statement.end,
                };
                let before = group.replace(found);
                self.close(before);
            }
        }
        plan.at = statement.end;
    }

    fn message(&mut self, plan: &mut Plan<'_>, message: &Message) {
        self.close(plan.group.take());
        if self.holds_begin() {
            self.put_begin(plan);
        }
        let whole = &plan.bytes[plan.at..message.end];
        if message.tag == b'Q' && whole[HEADER..].starts_with(WITH_NEXT.as_bytes()) {
            self.begin.extend_from_slice(whole);
            self.begins += 1;
            self.copy(plan);
            (plan.from, plan.changed) = (message.end, true);
        } else {
            self.passed(u64::from(is_request(message.tag)));
        }
        plan.at = message.end;
    }

    fn close(&mut self, group: Option<Group<'_>>) {
        match group {
            None => {}
            Some(group) if group.left_out == 0 => self.passed(1),
            Some(group) => self.runs.push_back(Run {
                plain: std::mem::take(&mut self.trailing),
                begins: false,
                left_out: group.left_out,
            }),
        }
    }

    /// Copies what was looked at and stays as it is.
    fn copy(&mut self, plan: &mut Plan<'_>) {
        self.out.extend_from_slice(&plan.bytes[plan.from..plan.at]);
        plan.from = plan.at;
    }

    /// Writes BEGIN as it came.
    fn put_begin(&mut self, plan: &mut Plan<'_>) {
        self.copy(plan);
        self.out.append(&mut self.begin);
        self.passed(1);
    }

    /// Writes BEGIN so that it is part of what the next Sync ends.
    fn join_begin(&mut self, plan: &mut Plan<'_>) {
        self.copy(plan);
        let text = &self.begin[HEADER + WITH_NEXT.len()..];
        let text = text.strip_suffix(&[0]).unwrap_or(text);
        if !self.prepared.iter().any(|known| **known == *text) {
            // The server may have it all the same, where it was refused the last time.
            put(&mut self.out, b'C', &[b"S", NAME, text, &[0]]);
            put(&mut self.out, b'P', &[NAME, text, &[0], text, &[0; 3]]);
            self.prepared.push(text.into());
        }
        put(&mut self.out, b'B', &[&[0], NAME, text, &[0; 7]]);
        put(&mut self.out, b'E', &[&[0; 5]]);
        self.begin.clear();
        self.runs.push_back(Run {
            plain: std::mem::take(&mut self.trailing),
            begins: true,
            left_out: 0,
        });
    }

    /// What is to be written next.
    #[inline]
    pub(crate) fn to_write(&self) -> &[u8] {
        &self.out[self.written..]
    }

    pub(crate) fn wrote(&mut self, count: usize) {
        self.written += count;
        if self.written == self.out.len() {
            self.out.clear();
            self.out.shrink_to(ROOM);
            self.written = 0;
        }
    }

    /// What the client is to read next.
    pub(crate) fn to_read(&self) -> &[u8] {
        &self.held[self.read..]
    }

    pub(crate) fn gave(&mut self, count: usize) {
        self.read += count;
        if self.read == self.held.len() {
            self.held.clear();
            self.read = 0;
        }
    }

    /// Takes in what the server says.
    pub(crate) fn take(&mut self, mut bytes: &[u8]) {
        while let [first, ..] = bytes {
            if self.server.is_between_messages() {
                let begins = self
                    .runs
                    .front()
                    .is_some_and(|run| run.begins && run.plain == 0);
                self.dropping = begins && !self.failed && matches!(first, b'1'..=b'3');
            }
            let step = self.server.step(bytes);
            let (now, rest) = bytes.split_at(step.body.end);
            if !self.dropping {
                self.held.extend_from_slice(now);
            }
            if step.ends {
                self.ended(step.tag, now.last().copied().unwrap_or_default());
            }
            bytes = rest;
        }
    }

    /// A message of the server has ended, with this byte.
    fn ended(&mut self, tag: u8, last: u8) {
        let Some(run) = self.runs.front_mut() else {
            self.trailing = self.trailing.saturating_sub(u64::from(is_answer(tag)));
            return;
        };
        if run.plain > 0 {
            run.plain -= u64::from(is_answer(tag));
            return;
        }
        match tag {
            b'Z' => {
                let left = run.left_out + u64::from(run.begins);
                self.runs.pop_front();
                if std::mem::take(&mut self.failed) {
                    self.pause = if left > 0 { PAUSE } else { self.pause };
                    for _ in 0..left {
                        put_skipped(&mut self.held);
                        put(&mut self.held, b'Z', &[&[last]]);
                    }
                }
            }
            b'E' => {
                self.failed = true;
                if run.begins {
                    self.prepared.clear();
                }
            }
            b'C' | b'I' if !self.failed => {
                if run.begins {
                    run.begins = false;
                    put(&mut self.held, b'Z', &[b"T"]);
                } else if run.left_out > 0 {
                    run.left_out -= 1;
                    put(&mut self.held, b'Z', &[b"I"]);
                }
            }
            _ => {}
        }
    }
}

#[cold]
fn put_skipped(out: &mut Vec<u8>) {
    let said = [
        "SERROR\0VERROR\0C",
        SKIPPED,
        "\0MThe statement was not run, since one before it had failed.\0\0",
    ];
    put(out, b'E', &said.map(str::as_bytes));
}

#[cfg(test)]
mod tests;
