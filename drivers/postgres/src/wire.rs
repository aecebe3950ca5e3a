//! The connection to a server: its own client of the protocol.
//!
//! | layer | what it knows |
//! |---|---|
//! | [`frame`], [`body`], [`put`] | messages as bytes: where they begin and end, what is in them, how they are written |
//! | [`startup`] | how a session begins: version, login, settings. Bytes in, bytes out |
//! | [`machine`] | everything after that. Requests in, bytes out; bytes in, answers out. No I/O |
//! | [`shared`] | the machine behind a mutex, and what else is known of the connection |
//! | [`log_in`] | how a session begins on a stream |
//! | [`pump`] | the connection's task, which alone touches the stream |
//! | [`answer`] | the answer to one request, from the task to the caller |
//!
//! **Who owns what.** A caller locks the machine, puts a request into it (the messages go
//! straight into the buffer that is written next) and wakes the task. It gets an
//! [`Answer`](answer::Answer). The task takes the buffer, writes it, reads into one of its own,
//! and has the machine cut that into messages. All consecutive messages of one answer are handed
//! to it as one piece of the read buffer, without a copy; the caller decodes its rows where they
//! lie. The task reads on while less than a quarter of a megabyte of an answer lies unread.
//!
//! **A request** is in the queue of the machine from the moment that it is asked for until it
//! is answered. It knows where it begins in all that is ever written and where that ends which
//! makes the server run it, so that a lost connection leaves no doubt how far it had come
//! ([`Progress`](request::Progress)), which messages of its answer are still due, and whether a
//! ReadyForQuery ends it. Whatever comes that is not due ends the connection with an error that
//! names both. An answer that is dropped stays in the queue, and is discarded when it comes.
//!
//! **A Sync** is a decision. A request in the extended protocol is put without one. What comes
//! next decides: another run of the same statement of a lane goes on without a Sync, up to
//! sixteen of them; anything else, or the task that takes the buffer, puts the Sync first. Where
//! one of several fails, those behind it are [skipped](request::End::Skipped), as the server
//! skips them, and a thousand requests go each by itself.
//!
//! **BEGIN** is a message. It is owed from the call that begins a transaction on, and put right
//! before the first statement, in one lock and with one Sync for both ([`opening`]).
//!
//! **A COPY** to the server is asked for with a Flush, since a server that takes the rows skips
//! a Sync. Until its end is put, other requests are written into a second buffer.

pub(crate) mod answer;
pub(crate) mod body;
pub(crate) mod frame;
pub(crate) mod log_in;
pub(crate) mod machine;
pub(crate) mod opening;
pub(crate) mod pump;
pub(crate) mod put;
#[cfg(test)]
mod recorded;
pub(crate) mod request;
pub(crate) mod server_error;
pub(crate) mod shared;
pub(crate) mod startup;
pub(crate) mod violation;
