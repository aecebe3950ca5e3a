use std::fmt;

use bytes::{BufMut, BytesMut};
use postgres_protocol::authentication::md5_hash;
use postgres_protocol::authentication::sasl::{
    ChannelBinding, SCRAM_SHA_256, SCRAM_SHA_256_PLUS, ScramSha256,
};
use underpin_core::Secret;

use super::body::{take_u32, text_until_zero};
use super::frame::{self, HEADER};
use super::machine::parameter;
use super::put;
use super::server_error::ServerError;
use super::violation::Violation;
use crate::notices::Notice;

/// The user of a login, and the way to log in.
pub(crate) struct Login {
    pub(crate) user: String,
    pub(crate) password: Secret,
    /// The other settings that are sent at startup: the database, settings.
    pub(crate) settings: Vec<(&'static str, String)>,
    /// The requested minor version of the protocol.
    pub(crate) minor: u16,
    /// The hash that binds the login to the encrypted connection.
    pub(crate) binding: Option<Vec<u8>>,
    /// Whether a login that is not bound to it is refused.
    pub(crate) needs_binding: bool,
    /// Whether the password may be sent in clear text.
    pub(crate) allows_cleartext: bool,
}

/// The beginning of a session: the client introduces itself, and the server accepts it. Bytes in,
/// bytes out.
pub(crate) struct Startup {
    login: Login,
    state: State,
    begun: Begun,
    /// Whether the server has answered in a way that only a server of this protocol does.
    understood: bool,
}

enum State {
    /// Exits to any of the others.
    Introduced,
    /// SCRAM's first message was sent. Exits to `Proved`.
    Challenged(Box<ScramSha256>),
    /// SCRAM's proof was sent, and the server's is awaited. Exits to `Answered`.
    Proved(Box<ScramSha256>),
    /// Nothing is left to be proved. Exits to `LetIn`.
    Answered,
    /// The server reports its settings. Ends with ReadyForQuery.
    LetIn,
}

/// The properties of a session that has begun.
#[derive(Default)]
pub(crate) struct Begun {
    pub(crate) process: i32,
    /// The key for a request to cancel; four bytes before protocol 3.2.
    pub(crate) secret: Vec<u8>,
    pub(crate) parameters: Vec<(Box<str>, Box<str>)>,
    pub(crate) notices: Vec<Notice>,
    /// The minor version of the protocol in use.
    pub(crate) minor: u16,
}

/// The reason why a login failed.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The server refused it.
    Refused(Box<ServerError>),
    /// The server asks for a password, and there is none.
    PasswordMissing,
    /// The server asks for the password in clear text, over a connection that others can read.
    Cleartext,
    /// The login is not bound to the encrypted connection, but must be.
    Unbound,
    /// The client could not continue the login; a clause with the reason.
    Authentication(String),
    /// The server violates the protocol.
    Violation(Violation),
    /// A value of the client cannot be put into a message.
    Unsendable,
}

/// The newest minor version of protocol 3 that the client supports.
pub(crate) const MINOR: u16 = 2;
/// The longest message before the first ReadyForQuery.
const LONGEST: usize = 64 * 1024;
/// Maximum number of hashing rounds that a server may request.
const ROUNDS: u64 = 10_000_000;
/// Number of notices and settings of a startup that are kept.
const MOST: usize = 256;
/// The length of a key for canceling, from protocol 3.2 on.
const KEY: std::ops::RangeInclusive<usize> = 4..=256;

impl From<Violation> for Fault {
    fn from(violation: Violation) -> Self {
        Fault::Violation(violation)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Refused(error) => error.fmt(f),
            Fault::PasswordMissing => {
                f.write_str("the server asks for a password, but none is set")
            }
            Fault::Cleartext => f.write_str("the server asks for the password in clear text"),
            Fault::Unbound => f.write_str("the login is not bound to the encrypted connection"),
            Fault::Authentication(how) => f.write_str(how),
            Fault::Violation(violation) => violation.fmt(f),
            Fault::Unsendable => f.write_str("a setting contains a NUL character"),
        }
    }
}

impl std::error::Error for Fault {}

impl Startup {
    pub(crate) fn new(login: Login) -> Self {
        Startup {
            begun: Begun {
                minor: login.minor,
                ..Begun::default()
            },
            login,
            state: State::Introduced,
            understood: false,
        }
    }

    /// Writes the first message of a session.
    ///
    /// # Errors
    /// [`Fault::Unsendable`] if a text in it cannot be sent.
    pub(crate) fn introduce(&self, out: &mut BytesMut) -> Result<(), Fault> {
        let start = out.len();
        out.put_u32(0);
        out.put_u32(3 << 16 | u32::from(self.login.minor));
        let user = [("user", &self.login.user)];
        let settings = self
            .login
            .settings
            .iter()
            .map(|(name, value)| (*name, value));
        for (name, value) in user.into_iter().chain(settings) {
            if value.as_bytes().contains(&0) {
                return Err(Fault::Unsendable);
            }
            out.put_slice(name.as_bytes());
            out.put_u8(0);
            out.put_slice(value.as_bytes());
            out.put_u8(0);
        }
        out.put_u8(0);
        let length = (out.len() - start) as u32;
        out[start..start + 4].copy_from_slice(&length.to_be_bytes());
        Ok(())
    }

    /// Whether the other side is known to speak the protocol.
    pub(crate) fn is_understood(&self) -> bool {
        self.understood
    }

    /// Takes the bytes that were read, and appends the bytes to write to `out`. Returns the session
    /// once it has begun; the remaining bytes of the inbox belong to it.
    ///
    /// # Errors
    /// The reason why the login failed.
    pub(crate) fn receive(
        &mut self,
        inbox: &mut BytesMut,
        out: &mut BytesMut,
    ) -> Result<Option<Begun>, Fault> {
        while let Some(head) = frame::head(inbox, LONGEST)? {
            if head.length > inbox.len() {
                break;
            }
            let message = inbox.split_to(head.length);
            let body = &message[HEADER..];
            if head.tag == b'Z' && matches!(self.state, State::LetIn) {
                return Ok(Some(std::mem::take(&mut self.begun)));
            }
            self.message(head.tag, body, out)?;
        }
        Ok(None)
    }

    fn message(&mut self, tag: u8, body: &[u8], out: &mut BytesMut) -> Result<(), Fault> {
        match (tag, &self.state) {
            (b'E', _) => return Err(Fault::Refused(Box::new(ServerError::parse(b'E', body)?))),
            (b'N', _) => {
                let notice = Notice::new(&ServerError::parse(b'N', body)?);
                if self.begun.notices.len() < MOST {
                    self.begun.notices.push(notice);
                }
            }
            (b'v', State::Introduced) => self.negotiate(body)?,
            (b'S', State::LetIn) => {
                let reported = parameter(body)?;
                if self.begun.parameters.len() < MOST {
                    self.begun.parameters.push(reported);
                }
            }
            (b'K', State::LetIn) => {
                let mut secret = body;
                let process = take_u32(&mut secret).ok_or(Violation::malformed(b'K'))?;
                if !KEY.contains(&secret.len()) {
                    return Err(Violation::malformed(b'K').into());
                }
                self.begun.process = process as i32;
                self.begun.secret = secret.to_vec();
            }
            (
                b'R',
                State::Introduced | State::Challenged(_) | State::Proved(_) | State::Answered,
            ) => {
                let mut rest = body;
                let kind = take_u32(&mut rest).ok_or(Violation::malformed(b'R'))?;
                self.understood = true;
                self.authenticate(kind, rest, out)?;
            }
            (_, State::LetIn) => return Err(Violation::unexpected(tag, "ReadyForQuery").into()),
            _ => return Err(Violation::unexpected(tag, "Authentication").into()),
        }
        Ok(())
    }

    /// The server speaks an older version than requested.
    fn negotiate(&mut self, mut body: &[u8]) -> Result<(), Violation> {
        let newest = take_u32(&mut body).ok_or(Violation::malformed(b'v'))?;
        let minor = (newest & 0xffff) as u16;
        if minor > self.login.minor {
            return Err(Violation::malformed(b'v'));
        }
        self.understood = true;
        self.begun.minor = minor;
        Ok(())
    }

    fn authenticate(&mut self, kind: u32, body: &[u8], out: &mut BytesMut) -> Result<(), Fault> {
        const OK: u32 = 0;
        const CLEARTEXT: u32 = 3;
        const MD5: u32 = 5;
        const SASL: u32 = 10;
        const CONTINUE: u32 = 11;
        const FINAL: u32 = 12;
        if self.login.needs_binding && !matches!(kind, SASL | CONTINUE | FINAL | OK)
            || self.login.needs_binding && kind == OK && matches!(self.state, State::Introduced)
        {
            return Err(Fault::Unbound);
        }
        self.state = match (kind, std::mem::replace(&mut self.state, State::Answered)) {
            (OK, State::Introduced | State::Answered) => State::LetIn,
            (CLEARTEXT, State::Introduced) => {
                let password = self.password()?;
                if !self.login.allows_cleartext {
                    return Err(Fault::Cleartext);
                }
                put_password(out, password)?;
                State::Answered
            }
            (MD5, State::Introduced) => {
                let password = self.password()?;
                let salt = body.try_into().map_err(|_| Violation::malformed(b'R'))?;
                let user = self.login.user.as_bytes();
                put_password(out, &md5_hash(user, password.as_bytes(), salt))?;
                State::Answered
            }
            (SASL, State::Introduced) => State::Challenged(self.scram(body, out)?),
            (CONTINUE, State::Challenged(mut scram)) => {
                bound_rounds(body)?;
                scram.update(body).map_err(|error| failed(&error))?;
                put::short(out, b'p', &[scram.message()]);
                State::Proved(scram)
            }
            (FINAL, State::Proved(mut scram)) => {
                scram.finish(body).map_err(|error| failed(&error))?;
                State::Answered
            }
            (2 | 6..=9, State::Introduced) => {
                let how = "the server asks for an unsupported method (GSSAPI, SSPI or Kerberos)";
                return Err(Fault::Authentication(how.into()));
            }
            _ => return Err(Violation::unexpected(b'R', "the next step of the login").into()),
        };
        Ok(())
    }

    fn password(&self) -> Result<&str, Fault> {
        let password = self.login.password.expose();
        (!password.is_empty())
            .then_some(password)
            .ok_or(Fault::PasswordMissing)
    }

    fn scram(&self, mut body: &[u8], out: &mut BytesMut) -> Result<Box<ScramSha256>, Fault> {
        let password = self.password()?;
        let (mut plain, mut plus) = (false, false);
        while let Some((name, rest)) = text_until_zero(body).filter(|(name, _)| !name.is_empty()) {
            plain |= name == SCRAM_SHA_256.as_bytes();
            plus |= name == SCRAM_SHA_256_PLUS.as_bytes();
            body = rest;
        }
        let hash = self.login.binding.clone();
        if self.login.needs_binding && !(plus && hash.is_some()) {
            return Err(Fault::Unbound);
        }
        let (mechanism, binding) = match hash {
            Some(hash) if plus => (
                SCRAM_SHA_256_PLUS,
                ChannelBinding::tls_server_end_point(hash),
            ),
            Some(_) if plain => (SCRAM_SHA_256, ChannelBinding::unrequested()),
            None if plain || plus => (SCRAM_SHA_256, ChannelBinding::unsupported()),
            _ => {
                let how = "the server offers no supported SASL method";
                return Err(Fault::Authentication(how.into()));
            }
        };
        let scram = Box::new(ScramSha256::new(password.as_bytes(), binding));
        let first = scram.message();
        let length = (first.len() as u32).to_be_bytes();
        put::short(out, b'p', &[mechanism.as_bytes(), &[0], &length, first]);
        Ok(scram)
    }
}

fn put_password(out: &mut BytesMut, password: &str) -> Result<(), Fault> {
    if password.as_bytes().contains(&0) {
        return Err(Fault::Unsendable);
    }
    put::short(out, b'p', &[password.as_bytes(), &[0]]);
    Ok(())
}

fn failed(error: &std::io::Error) -> Fault {
    Fault::Authentication(error.to_string())
}

/// Refuses a challenge that would take the client minutes to answer.
fn bound_rounds(challenge: &[u8]) -> Result<(), Fault> {
    let mut parts = challenge.split(|&byte| byte == b',');
    let rounds = parts.find_map(|part| part.strip_prefix(b"i="));
    let rounds = rounds.and_then(|digits| str::from_utf8(digits).ok()?.parse::<u64>().ok());
    if rounds.is_some_and(|rounds| rounds > ROUNDS) {
        let how = "the server asks for more hashing rounds than the client allows";
        return Err(Fault::Authentication(how.into()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use bytes::Buf;
    use proptest::prelude::*;

    use super::*;

    fn login(password: &str) -> Login {
        Login {
            user: "app".into(),
            password: Secret::new(password),
            settings: vec![("database", "shop".into())],
            minor: MINOR,
            binding: None,
            needs_binding: false,
            allows_cleartext: false,
        }
    }

    fn message(tag: u8, body: &[u8]) -> Vec<u8> {
        let mut bytes = vec![tag];
        bytes.extend_from_slice(&(body.len() as u32 + 4).to_be_bytes());
        bytes.extend_from_slice(body);
        bytes
    }

    fn authentication(kind: u32, body: &[u8]) -> Vec<u8> {
        message(b'R', &[&kind.to_be_bytes(), body].concat())
    }

    /// The result of these bytes, and the answer to them.
    fn answer(login: Login, bytes: &[u8]) -> (Result<Option<Begun>, Fault>, Vec<u8>) {
        let mut startup = Startup::new(login);
        let (mut inbox, mut out) = (BytesMut::from(bytes), BytesMut::new());
        let begun = startup.receive(&mut inbox, &mut out);
        (begun, out.to_vec())
    }

    fn fault(login: Login, bytes: &[u8]) -> Fault {
        match answer(login, bytes).0 {
            Err(fault) => fault,
            Ok(_) => panic!("no server lets anybody in with {bytes:?}"),
        }
    }

    #[test]
    fn the_introduction_names_the_version_and_who_comes() {
        let mut out = BytesMut::new();
        Startup::new(login("")).introduce(&mut out).unwrap();
        assert_eq!(out.get_u32() as usize, out.len() + 4);
        assert_eq!(&out[..], b"\0\x03\0\x02user\0app\0database\0shop\0\0");
        let mut bad = login("");
        bad.user = "a\0b".into();
        let introduced = Startup::new(bad).introduce(&mut out);
        assert!(matches!(introduced, Err(Fault::Unsendable)));
    }

    #[test]
    fn a_session_begins_wherever_the_bytes_are_cut() {
        let bytes = [
            message(b'v', b"\0\x03\0\0\0\0\0\0"),
            authentication(0, b""),
            message(b'S', b"in_hot_standby\0off\0"),
            message(b'N', b"SWARNING\0C01000\0Mcareful\0\0"),
            message(b'K', b"\0\0\0\x07abcd"),
            message(b'Z', b"I"),
            b"N\0\0".to_vec(),
        ]
        .concat();
        for cut in 0..bytes.len() {
            let mut startup = Startup::new(login(""));
            let (mut inbox, mut out) = (BytesMut::new(), BytesMut::new());
            let mut begun = None;
            for piece in [&bytes[..cut], &bytes[cut..]] {
                inbox.extend_from_slice(piece);
                if begun.is_none() {
                    begun = startup.receive(&mut inbox, &mut out).unwrap();
                }
            }
            let begun = begun.unwrap();
            assert_eq!((begun.process, &begun.secret[..]), (7, &b"abcd"[..]));
            assert_eq!((begun.minor, begun.parameters.len()), (0, 1));
            assert_eq!(begun.notices[0].message, "careful");
            assert_eq!(&inbox[..], b"N\0\0");
        }
    }

    #[test]
    fn a_longer_key_is_taken_and_a_short_one_is_none() {
        for (length, good) in [
            (0, false),
            (3, false),
            (4, true),
            (32, true),
            (256, true),
            (257, false),
        ] {
            let key = [&7u32.to_be_bytes()[..], &vec![1; length]].concat();
            let bytes = [authentication(0, b""), message(b'K', &key)].concat();
            assert_eq!(answer(login(""), &bytes).0.is_ok(), good, "{length}");
        }
    }

    #[test]
    fn passwords_are_sent_as_they_are_asked_for() {
        let (_, out) = answer(login("secret"), &authentication(5, b"salt"));
        assert_eq!(&out[..8], b"p\0\0\0\x28md5");
        let fault_of = |login, kind| fault(login, &authentication(kind, b"salt"));
        assert!(matches!(fault_of(login(""), 5), Fault::PasswordMissing));
        assert!(matches!(fault_of(login(""), 3), Fault::PasswordMissing));
        assert!(matches!(fault_of(login("secret"), 3), Fault::Cleartext));
        let mut allowed = login("secret");
        allowed.allows_cleartext = true;
        let (_, out) = answer(allowed, &authentication(3, b""));
        assert_eq!(out, b"p\0\0\0\x0bsecret\0");
        assert!(matches!(
            fault_of(login("secret"), 7),
            Fault::Authentication(_)
        ));
    }

    #[test]
    fn scram_is_bound_to_the_encryption_where_both_can() {
        let both = b"SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0";
        for (binding, offered, expected) in [
            (None, &both[..], "SCRAM-SHA-256\0"),
            (Some(vec![1; 32]), &both[..], "SCRAM-SHA-256-PLUS\0"),
            (Some(vec![1; 32]), b"SCRAM-SHA-256\0\0", "SCRAM-SHA-256\0"),
        ] {
            let login = Login {
                binding,
                needs_binding: false,
                ..login("secret")
            };
            let (_, out) = answer(login, &authentication(10, offered));
            assert!(out[5..].starts_with(expected.as_bytes()));
        }
        let none = fault(login("secret"), &authentication(10, b"OAUTHBEARER\0\0"));
        assert!(matches!(none, Fault::Authentication(_)));
        // A server without proof does not know the password.
        let offered = authentication(10, both);
        for skipped in [authentication(0, b""), authentication(12, b"v=")] {
            let bytes = [offered.clone(), skipped].concat();
            assert!(matches!(
                fault(login("secret"), &bytes),
                Fault::Violation(_)
            ));
        }
        let endless = authentication(11, b"r=x,s=eA==,i=4000000000");
        let bytes = [offered, endless].concat();
        assert!(matches!(
            fault(login("secret"), &bytes),
            Fault::Authentication(_)
        ));
    }

    #[test]
    fn another_protocol_is_told_at_its_first_bytes() {
        for greeting in [
            &b"HTTP/1.1 400"[..],
            b"SSH-2.0-OpenSSH",
            b"J\0\0\0\n5.5.5-ab",
            b"-ERR unknown",
        ] {
            let fault = fault(login(""), greeting);
            assert!(matches!(fault, Fault::Violation(_)), "{fault}");
        }
        for unfit in [
            &b"Z\0\0\0\x05I"[..],
            b"E\0\0\0\x06Sx",
            b"K\0\0\0\x0c\0\0\0\0\0\0\0\0",
        ] {
            assert!(matches!(fault(login(""), unfit), Fault::Violation(_)));
        }
    }

    proptest! {
        #[test]
        fn hostile_bytes_never_panic(
            messages in prop::collection::vec((
                prop::sample::select(b"RRRRSKZENv?".to_vec()),
                prop::collection::vec(prop_oneof![any::<u8>(), Just(0), 0u8..13], 0..40),
            ), 0..10),
        ) {
            let bytes: Vec<u8> = messages.iter().flat_map(|(tag, body)| message(*tag, body)).collect();
            let _ = answer(login("secret"), &bytes);
        }
    }
}
