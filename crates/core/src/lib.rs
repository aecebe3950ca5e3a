//! The shared types of all other crates: [`Error`], [`Value`] and [`Row`], [`Endpoint`], the
//! [`retry`] policy, and the [`driver`] traits. Nothing here opens a socket or a file, and nothing
//! here reads a clock.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod by_engine;
mod column_type;
mod deadline;
mod dialect;
pub mod driver;
mod endpoint;
mod engine;
mod error;
mod executor;
mod from_row;
mod from_value;
mod health_check;
mod into_value;
mod parameters;
mod params;
mod position;
pub mod quote;
mod read_from;
mod recycling;
pub mod retry;
mod row;
mod row_shape;
mod row_stream;
#[doc(hidden)]
pub mod sealed;
mod secret;
mod session_target;
mod statement_description;
mod stored_form;
mod tls;
mod transaction;
mod two_primaries;
pub mod value;

pub use by_engine::ByEngine;
pub use column_type::{ColumnType, DataType, Enumeration, Label};
pub use deadline::Deadline;
pub use endpoint::{Address, Endpoint, Role};
pub use engine::{AddressForm, Engine, EngineInfo, UnknownEngine};
pub use error::{Class, Code, ConstraintKind, Effect, Error, Existence, Result, Stage};
pub use executor::Executor;
pub use from_row::FromRow;
pub use from_value::{FromValue, Mismatch, VecElement};
pub use health_check::HealthCheck;
pub use into_value::{ArrayElement, IntoValue};
pub use parameters::{Parameter, ParameterShape, Parameters};
pub use params::{IntoParams, Params};
pub use position::Position;
pub use read_from::ReadFrom;
pub use recycling::Recycling;
pub use row::{Column, Columns, Row, ValueRow};
pub use row_shape::{ColumnCount, ColumnPlace, ReadColumn, RowShape};
pub use row_stream::RowStream;
pub use secret::Secret;
pub use session_target::SessionTarget;
pub use statement_description::{
    ANY_TEXT, ColumnDescription, Holds, ParameterDescription, StatementDescription, Takes,
};
pub use stored_form::{TimeForm, UuidForm};
pub use tls::{ChannelBinding, TlsMode, TlsNegotiation, TlsOptions, TlsVersion, UnknownTlsMode};
pub use transaction::{Isolation, TransactionOptions};
pub use two_primaries::TwoPrimaries;
pub use value::{Json, Value, ValueRef};
