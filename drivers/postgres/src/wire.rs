//! The connection to a server: Underpin's own client of the protocol.
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
//! **Ownership.** A caller locks the machine, puts a request into it (the messages go straight into
//! the buffer that is written next) and wakes the task. It gets an [`Answer`](answer::Answer). The
//! task takes the buffer, writes it, reads into a buffer of its own, and lets the machine cut that
//! into messages. All consecutive messages of one answer are passed to it as one piece of the read
//! buffer, without a copy; the caller decodes its rows in place. The task continues to read while
//! less than a quarter of a megabyte of an answer is unread.
//!
//! **A request** is in the queue of the machine from the time that it is made until it is answered.
//! It knows its start in the stream of all written bytes, and the end of the part that makes the
//! server run it, so that after a lost connection there is no doubt how far it had come
//! ([`Progress`](request::Progress)). It also knows which messages of its answer are still due, and
//! whether a ReadyForQuery ends it. Any message that is not due ends the connection with an error
//! that names both. An answer that is dropped stays in the queue, and is discarded when it arrives.
//!
//! **A Sync** is a decision. A request in the extended protocol is written without one. The next
//! event decides: another run of the same statement of a lane continues without a Sync, up to
//! sixteen runs; any other request, or the task that takes the buffer, writes the Sync first. If
//! one of several fails, those behind it are [skipped](request::End::Skipped), as the server skips
//! them, and the next thousand requests are sent one by one.
//!
//! **BEGIN** is a message. It is owed from the call that begins a transaction, and written directly
//! before the first statement, in one lock and with one Sync for both ([`opening`]).
//!
//! **A COPY** to the server is requested with a Flush, since a server that takes the rows skips a
//! Sync. Until its end is written, other requests go into a second buffer.

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
