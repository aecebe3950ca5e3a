//! SQL as text: one lossless [`Lexer`] with a [`Lexis`] for each dialect, and what differs
//! between dialects as a value, [`Dialect`]. Nothing here knows which engines exist, parses
//! statements or does I/O.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod batches;
mod common;
mod constraint_name;
mod control;
mod dialect;
mod lexer;
mod lexis;
mod lines;
mod name;
mod piece;
mod postgres;
mod split;
mod split_error;
mod sqlite;
mod token;

pub use common::COMMON;
pub use constraint_name::constraint_name;
pub use control::begun_or_ended;
pub use dialect::{Dialect, Returning, Savepoints, Transactions};
pub use lexer::Lexer;
pub use lexis::{Lexis, Parameter, ParameterForm, Quotes, Rules};
pub use lines::Lines;
pub use name::NameError;
pub use piece::Piece;
pub use postgres::POSTGRES;
pub use split::{is_transaction_control, split, words};
pub use split_error::SplitError;
pub use sqlite::SQLITE;
pub use token::{Kind, Token};
