//! Underpin's schemas. A [`Schema`] is a plain value: what a database has, whatever said so,
//! its catalogs, models or SQL. Objects refer to one another by name, and nothing here does
//! I/O: the catalog queries are text, and the holder of a connection runs them.
//!
//! What a schema cannot carry is named in [`Schema::unsupported`].

#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod access;
mod cast;
mod change;
mod check;
mod column;
mod conflict;
mod data_type;
mod deferral;
mod defined;
mod dialect;
mod diff;
mod domain;
mod enum_type;
pub mod erd;
mod exclusion;
mod expression;
mod extension;
mod foreign_key;
mod function;
mod index;
mod key_order;
mod materialized_view;
mod namespace;
mod object_name;
mod object_ref;
mod partition;
mod plan;
mod policy;
pub mod postgres;
mod primary_key;
mod privileges;
mod reading;
mod schema;
mod selection;
mod sequence;
mod setting;
mod sql_text;
mod sql_token;
pub mod sqlite;
mod statement;
mod table;
mod trigger;
mod unique;
mod unsupported;
mod view;

pub use cast::{CastUse, Casts};
pub use change::{Change, ColumnType, CommentOn, Presence};
pub use check::Check;
pub use column::{Column, Generated, GeneratedKind, Identity, NotNull};
pub use conflict::Conflict;
pub use data_type::Type;
pub use deferral::Deferral;
pub use defined::{Defined, DefinedKind, DefinedName};
pub use dialect::{
    Catalog, OldTimes, RenameStatements, RowEstimates, SchemaDialect, ScratchRules, ScriptRules,
    ServerScratch, Use,
};
pub use diff::{AccessCompared, Diff, Hints, Rename, diff};
pub use domain::Domain;
pub use enum_type::EnumType;
pub use exclusion::{Exclusion, ExclusionElement};
pub use expression::Expression;
pub use extension::Extension;
pub use foreign_key::{Action, ForeignKey, Match};
pub use function::{Function, FunctionKind, FunctionName};
pub use index::{Index, IndexKey, KeyTarget, OperatorClass};
pub use key_order::KeyOrder;
pub use materialized_view::MaterializedView;
pub use namespace::Namespace;
pub use object_name::{ObjectName, plain};
pub use object_ref::ObjectRef;
pub use partition::{Bound, PartitionBy, PartitionKey, PartitionOf, PartitionStrategy};
pub use plan::{Lock, LockMode, Plan, Refusal, Step, StepKind, Undo, Work};
pub use policy::{Policy, PolicyCommand};
pub use primary_key::PrimaryKey;
pub use privileges::{Access, AccessOn, Future, Grant, Grantee};
pub use schema::Schema;
pub use selection::{Selection, name_matches};
pub use sequence::{ColumnRef, Sequence, SequenceOptions};
pub use setting::Setting;
pub use statement::Statement;
pub use table::{Persistence, RowSecurity, Table};
pub use trigger::{Trigger, TriggerState};
pub use underpin_sql::constraint_name;
pub use unique::Unique;
pub use unsupported::Unsupported;
pub use view::{View, ViewColumn};
