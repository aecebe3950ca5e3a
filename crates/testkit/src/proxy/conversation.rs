use std::collections::HashMap;

use super::cut_point::CutPoint;
use super::frames::Frames;
use super::translation::translated;

/// What one client and one server have said to each other, as far as a cut depends on it. It
/// decides and does no I/O.
#[derive(Debug, Default)]
pub(super) struct Conversation {
    client: Frames,
    server: Frames,
    phase: Phase,
    /// The texts of prepared statements, by name.
    statements: HashMap<Vec<u8>, Vec<u8>>,
    /// How many times the client has asked for a ReadyForQuery, and how many have come. The
    /// server sends one unasked, when it lets the client in.
    asked: u64,
    ready: u64,
    pending: Option<Pending>,
    /// Whether what the server says to people is translated.
    translates: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    /// The client has yet to introduce itself.
    #[default]
    Start,
    /// The client asks for encryption, and the server's answer is a single byte.
    AskedForEncryption,
    /// Messages.
    Messages,
    /// Encrypted, or not this protocol: to be passed on unread.
    Opaque,
}

/// A cut whose statement has been seen.
#[derive(Debug)]
struct Pending {
    point: CutPoint,
    /// The answer begins after this many ReadyForQuery, and ends with the next.
    answer: u64,
    answered_bytes: usize,
}

/// What to do with bytes that arrived.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) forward: Vec<u8>,
    pub(super) then: Then,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Then {
    #[default]
    GoOn,
    /// Read no more from this side.
    Hold,
    /// Reset both sides.
    Reset,
    /// Close both sides, so that what was forwarded arrives.
    Close,
}

const SSL_REQUEST: u32 = 80_877_103;
const GSS_REQUEST: u32 = 80_877_104;

/// The first byte of a TLS handshake. A startup message begins with the high byte of its length.
const TLS_HANDSHAKE: u8 = 0x16;

impl Conversation {
    pub(super) fn new(translates: bool) -> Self {
        Conversation {
            translates,
            ..Conversation::default()
        }
    }

    /// Takes bytes from the client. A cut that is armed is taken out when its statement is seen.
    pub(super) fn hear_client(&mut self, bytes: &[u8], armed: &mut Option<CutPoint>) -> Step {
        self.client.push(bytes);
        let mut step = Step::default();
        while step.then == Then::GoOn && self.client_message(&mut step, armed) {}
        step
    }

    /// Handles one message of the client, if a whole one is there.
    fn client_message(&mut self, step: &mut Step, armed: &mut Option<CutPoint>) -> bool {
        match self.phase {
            Phase::Opaque => {
                step.forward.append(&mut self.client.rest());
                false
            }
            Phase::Start | Phase::AskedForEncryption => {
                if self.client.first() == Some(TLS_HANDSHAKE) {
                    self.phase = Phase::Opaque;
                    return true;
                }
                let Some(message) = self.client.next_untyped() else {
                    return false;
                };
                let code = message.get(4..8).and_then(|code| code.try_into().ok());
                self.phase = match code.map(u32::from_be_bytes) {
                    Some(SSL_REQUEST | GSS_REQUEST) => Phase::AskedForEncryption,
                    _ => Phase::Messages,
                };
                step.forward.extend(message);
                true
            }
            Phase::Messages => {
                let Some(message) = self.client.next_typed() else {
                    step.then = self.unfinished_message(armed);
                    return false;
                };
                self.note(&message, armed);
                if let Some(Pending {
                    point: CutPoint::BeforeStatementForwarded { .. },
                    ..
                }) = self.pending
                {
                    step.then = Then::Reset;
                    return false;
                }
                let complete = matches!(message[0], b'Q' | b'S' | b'F');
                step.forward.extend(message);
                if complete && self.pending.is_some() {
                    step.then = Then::Hold;
                }
                true
            }
        }
    }

    fn unfinished_message(&mut self, armed: &mut Option<CutPoint>) -> Then {
        let Some(CutPoint::WhileStatementArrives { after_bytes }) = *armed else {
            return Then::GoOn;
        };
        match self.client.partial() {
            Some((here, length)) if length > after_bytes && here >= after_bytes => {
                *armed = None;
                Then::Reset
            }
            _ => Then::GoOn,
        }
    }

    /// Learns from a message of the client, and sees whether it is the one to be cut.
    fn note(&mut self, message: &[u8], armed: &mut Option<CutPoint>) {
        let body = &message[5..];
        match message[0] {
            b'P' => {
                let (name, rest) = c_string(body);
                let (text, _) = c_string(rest);
                self.statements.insert(name.to_vec(), text.to_vec());
            }
            b'C' if body.first() == Some(&b'S') => {
                self.statements.remove(c_string(&body[1..]).0);
            }
            b'Q' | b'B' if self.pending.is_none() => {
                let found = armed
                    .as_ref()
                    .and_then(CutPoint::marker)
                    .is_some_and(|marker| {
                        contains(body, marker)
                            || message[0] == b'B'
                                && self
                                    .statement_bound_by(body)
                                    .is_some_and(|text| contains(text, marker))
                    });
                if found && let Some(point) = armed.take() {
                    self.pending = Some(Pending {
                        point,
                        answer: self.asked + 1,
                        answered_bytes: 0,
                    });
                }
            }
            _ => {}
        }
        if matches!(message[0], b'Q' | b'S' | b'F') {
            self.asked += 1;
        }
    }

    fn statement_bound_by(&self, bind: &[u8]) -> Option<&[u8]> {
        let (_portal, rest) = c_string(bind);
        let (statement, _) = c_string(rest);
        self.statements.get(statement).map(Vec::as_slice)
    }

    /// Takes bytes from the server.
    pub(super) fn hear_server(&mut self, bytes: &[u8]) -> Step {
        self.server.push(bytes);
        let mut step = Step::default();
        loop {
            match self.phase {
                Phase::Start | Phase::Opaque => {
                    step.forward.append(&mut self.server.rest());
                    return step;
                }
                Phase::AskedForEncryption => {
                    let Some(byte) = self.server.next_byte() else {
                        return step;
                    };
                    step.forward.push(byte);
                    self.phase = match byte {
                        b'S' | b'G' => Phase::Opaque,
                        _ => Phase::Start,
                    };
                }
                Phase::Messages => {
                    let Some(message) = self.server.next_typed() else {
                        return step;
                    };
                    let message = match self.translates {
                        true => translated(&message),
                        false => message,
                    };
                    self.server_message(&message, &mut step);
                    if step.then != Then::GoOn {
                        return step;
                    }
                }
            }
        }
    }

    fn server_message(&mut self, message: &[u8], step: &mut Step) {
        let ready = message[0] == b'Z';
        let answering = self.ready;
        self.ready += u64::from(ready);
        let Some(pending) = self.pending.as_mut().filter(|p| p.answer == answering) else {
            step.forward.extend(message);
            return;
        };
        match pending.point {
            CutPoint::BeforeAnswer { .. } => {
                if ready {
                    step.then = Then::Reset;
                }
            }
            CutPoint::WhileAnswerArrives { after_bytes, .. } => {
                let left = after_bytes - pending.answered_bytes;
                let part = &message[..left.min(message.len())];
                step.forward.extend(part);
                pending.answered_bytes += part.len();
                if ready || part.len() == left {
                    step.then = Then::Close;
                }
            }
            _ => {
                step.forward.extend(message);
                if ready {
                    step.then = Then::Close;
                }
            }
        }
    }

    /// Whether a statement that is to be cut has begun.
    pub(super) fn cut_has_begun(&self) -> bool {
        self.pending.is_some()
    }
}

/// A text that ends with a zero byte, and what follows it.
fn c_string(bytes: &[u8]) -> (&[u8], &[u8]) {
    match bytes.iter().position(|byte| *byte == 0) {
        Some(end) => (&bytes[..end], &bytes[end + 1..]),
        None => (bytes, &[]),
    }
}

fn contains(bytes: &[u8], marker: &[u8]) -> bool {
    marker.is_empty() || bytes.windows(marker.len()).any(|part| part == marker)
}

#[cfg(test)]
mod tests;
