use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    Access, AccessOn, Check, Column, ColumnRef, Conflict, Defined, DefinedName, Domain, EnumType,
    Exclusion, Expression, Extension, ForeignKey, Function, FunctionName, Generated, Identity,
    Index, MaterializedView, Namespace, NotNull, ObjectName, PartitionBy, PartitionOf, Persistence,
    Policy, PrimaryKey, RowSecurity, Sequence, SequenceOptions, Setting, Table, Trigger, Type,
    Unique, View,
};

mod comment_on;
mod presence;
mod words;

pub use comment_on::CommentOn;
pub use presence::Presence;

/// One difference between two schemas: what it takes to get from the first to the second.
///
/// Names are those of the second schema, also where a table or a column is renamed by another
/// change of the same list; only what is dropped with no counterpart has the first one's. What
/// is created or dropped is there whole, so that its parts are no changes of their own. Shown,
/// a change is a short sentence without a full stop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "change", rename_all = "snake_case")]
#[allow(missing_docs, reason = "the fields are the name and the two sides")]
pub enum Change {
    /// A namespace is added.
    CreateNamespace { name: String, to: Namespace },
    /// A namespace goes.
    DropNamespace { name: String, from: Namespace },

    /// An extension is added.
    CreateExtension { name: String, to: Extension },
    /// An extension goes.
    DropExtension { name: String, from: Extension },
    /// An extension is in another version or namespace.
    AlterExtension {
        name: String,
        from: Extension,
        to: Extension,
    },

    /// An enumerated type is added.
    CreateEnum { name: ObjectName, to: EnumType },
    /// An enumerated type goes.
    DropEnum { name: ObjectName, from: EnumType },
    /// An enumerated type has other labels, or in another order, renamed ones aside.
    AlterEnum {
        name: ObjectName,
        from: EnumType,
        to: EnumType,
    },
    /// A label of an enumerated type has another name, as a hint said.
    RenameLabel {
        name: ObjectName,
        from: String,
        to: String,
    },

    /// A domain is added.
    CreateDomain { name: ObjectName, to: Domain },
    /// A domain goes.
    DropDomain { name: ObjectName, from: Domain },
    /// A domain is over another type, or has another collation.
    SetDomainType {
        name: ObjectName,
        from: Domain,
        to: Domain,
    },
    /// A domain has another default, or none.
    SetDomainDefault {
        name: ObjectName,
        from: Option<Expression>,
        to: Option<Expression>,
    },
    /// A domain refuses NULL, or no longer.
    SetDomainNotNull {
        name: ObjectName,
        from: bool,
        to: bool,
    },
    /// A domain has one more check.
    CreateDomainCheck {
        domain: ObjectName,
        name: String,
        to: Check,
    },
    /// A domain has one check less.
    DropDomainCheck {
        domain: ObjectName,
        name: String,
        from: Check,
    },
    /// A check of a domain is another.
    AlterDomainCheck {
        domain: ObjectName,
        name: String,
        from: Check,
        to: Check,
    },

    /// An object that is carried as its statements is added.
    CreateDefined { name: DefinedName, to: Defined },
    /// An object that is carried as its statements goes.
    DropDefined { name: DefinedName, from: Defined },
    /// An object that is carried as its statements is made by others.
    AlterDefined {
        name: DefinedName,
        from: Defined,
        to: Defined,
    },

    /// A sequence is added.
    CreateSequence { name: ObjectName, to: Sequence },
    /// A sequence goes.
    DropSequence { name: ObjectName, from: Sequence },
    /// A sequence has another name, since the column that owns it has.
    RenameSequence { from: ObjectName, to: ObjectName },
    /// A sequence counts in another way.
    SetSequenceOptions {
        name: ObjectName,
        from: SequenceOptions,
        to: SequenceOptions,
    },
    /// A sequence is owned by another column, or by none.
    SetSequenceOwner {
        name: ObjectName,
        from: Option<ColumnRef>,
        to: Option<ColumnRef>,
    },
    /// A sequence outlives a crash, or no longer.
    SetSequencePersistence {
        name: ObjectName,
        from: Persistence,
        to: Persistence,
    },

    /// A function or procedure is added.
    CreateFunction { name: FunctionName, to: Function },
    /// A function or procedure goes.
    DropFunction { name: FunctionName, from: Function },
    /// A function or procedure is another, with the same name and types of arguments.
    AlterFunction {
        name: FunctionName,
        from: Function,
        to: Function,
    },

    /// A table is added, with all its parts.
    CreateTable { name: ObjectName, to: Box<Table> },
    /// A table goes, with all its parts and rows.
    DropTable { name: ObjectName, from: Box<Table> },
    /// A table has another name, as a hint said.
    RenameTable { from: ObjectName, to: ObjectName },
    /// A table outlives a crash, or no longer.
    SetTablePersistence {
        table: ObjectName,
        from: Persistence,
        to: Persistence,
    },
    /// A table has other storage options.
    SetTableOptions {
        table: ObjectName,
        from: BTreeMap<String, String>,
        to: BTreeMap<String, String>,
    },
    /// The policies of a table hold, or no longer.
    SetRowSecurity {
        table: ObjectName,
        from: RowSecurity,
        to: RowSecurity,
    },
    /// A table is split in another way, or now, or no longer.
    SetPartitionBy {
        table: ObjectName,
        from: Option<PartitionBy>,
        to: Option<PartitionBy>,
    },
    /// A table is a partition of another one, or of other values, or now, or no longer.
    SetPartitionOf {
        table: ObjectName,
        from: Option<PartitionOf>,
        to: Option<PartitionOf>,
    },
    /// A table inherits from others.
    SetInherits {
        table: ObjectName,
        from: Vec<ObjectName>,
        to: Vec<ObjectName>,
    },

    /// A table has one more column.
    CreateColumn { table: ObjectName, to: Column },
    /// A table has one column less.
    DropColumn { table: ObjectName, from: Column },
    /// A column has another name, as a hint said.
    RenameColumn {
        table: ObjectName,
        from: String,
        to: String,
    },
    /// A column is of another type, or has another collation.
    SetColumnType {
        table: ObjectName,
        column: String,
        from: ColumnType,
        to: ColumnType,
    },
    /// A column refuses NULL, or no longer.
    SetColumnNotNull {
        table: ObjectName,
        column: String,
        from: bool,
        to: bool,
    },
    /// The constraint by which a column refuses NULL is another.
    SetNotNullConstraint {
        table: ObjectName,
        column: String,
        from: Option<NotNull>,
        to: Option<NotNull>,
    },
    /// A statement that gives a column NULL, which it refuses, goes on in another way.
    SetColumnConflict {
        table: ObjectName,
        column: String,
        from: Conflict,
        to: Conflict,
    },
    /// A column has another default, or now, or no longer.
    SetColumnDefault {
        table: ObjectName,
        column: String,
        from: Option<Expression>,
        to: Option<Expression>,
    },
    /// A column of a table or materialized view tells the planner something else.
    SetColumnOptions {
        table: ObjectName,
        column: String,
        from: BTreeMap<String, String>,
        to: BTreeMap<String, String>,
    },
    /// A column counts in another way, or now, or no longer.
    SetColumnIdentity {
        table: ObjectName,
        column: String,
        from: Option<Identity>,
        to: Option<Identity>,
    },
    /// A column is computed from something else, or now, or no longer.
    SetColumnGenerated {
        table: ObjectName,
        column: String,
        from: Option<Generated>,
        to: Option<Generated>,
    },

    /// A table has a primary key.
    CreatePrimaryKey { table: ObjectName, to: PrimaryKey },
    /// A table no longer has a primary key.
    DropPrimaryKey { table: ObjectName, from: PrimaryKey },
    /// A table has another primary key.
    AlterPrimaryKey {
        table: ObjectName,
        from: PrimaryKey,
        to: PrimaryKey,
    },

    /// A table has one more unique constraint.
    CreateUnique {
        table: ObjectName,
        name: String,
        to: Unique,
    },
    /// A table has one unique constraint less.
    DropUnique {
        table: ObjectName,
        name: String,
        from: Unique,
    },
    /// A unique constraint is another.
    AlterUnique {
        table: ObjectName,
        name: String,
        from: Unique,
        to: Unique,
    },

    /// A table has one more check.
    CreateCheck {
        table: ObjectName,
        name: String,
        to: Check,
    },
    /// A table has one check less.
    DropCheck {
        table: ObjectName,
        name: String,
        from: Check,
    },
    /// A check is another.
    AlterCheck {
        table: ObjectName,
        name: String,
        from: Check,
        to: Check,
    },

    /// A table has one more foreign key.
    CreateForeignKey {
        table: ObjectName,
        name: String,
        to: ForeignKey,
    },
    /// A table has one foreign key less.
    DropForeignKey {
        table: ObjectName,
        name: String,
        from: ForeignKey,
    },
    /// A foreign key is another.
    AlterForeignKey {
        table: ObjectName,
        name: String,
        from: ForeignKey,
        to: ForeignKey,
    },

    /// A table has one more exclusion constraint.
    CreateExclusion {
        table: ObjectName,
        name: String,
        to: Exclusion,
    },
    /// A table has one exclusion constraint less.
    DropExclusion {
        table: ObjectName,
        name: String,
        from: Exclusion,
    },
    /// An exclusion constraint is another.
    AlterExclusion {
        table: ObjectName,
        name: String,
        from: Exclusion,
        to: Exclusion,
    },
    /// A constraint that is otherwise the same has another name.
    RenameConstraint {
        table: ObjectName,
        from: String,
        to: String,
    },

    /// A table or materialized view has one more index.
    CreateIndex {
        table: ObjectName,
        name: String,
        to: Index,
    },
    /// A table or materialized view has one index less.
    DropIndex {
        table: ObjectName,
        name: String,
        from: Index,
    },
    /// An index is another.
    AlterIndex {
        table: ObjectName,
        name: String,
        from: Index,
        to: Index,
    },
    /// An index that is otherwise the same has another name.
    RenameIndex {
        table: ObjectName,
        from: String,
        to: String,
    },

    /// A table or view has one more trigger.
    CreateTrigger {
        table: ObjectName,
        name: String,
        to: Trigger,
    },
    /// A table or view has one trigger less.
    DropTrigger {
        table: ObjectName,
        name: String,
        from: Trigger,
    },
    /// A trigger is another, or fires at other times.
    AlterTrigger {
        table: ObjectName,
        name: String,
        from: Trigger,
        to: Trigger,
    },

    /// A table has one more policy.
    CreatePolicy {
        table: ObjectName,
        name: String,
        to: Policy,
    },
    /// A table has one policy less.
    DropPolicy {
        table: ObjectName,
        name: String,
        from: Policy,
    },
    /// A policy is another.
    AlterPolicy {
        table: ObjectName,
        name: String,
        from: Policy,
        to: Policy,
    },

    /// A view is added.
    CreateView { name: ObjectName, to: View },
    /// A view goes.
    DropView { name: ObjectName, from: View },
    /// A view has another query, other columns or options.
    AlterView {
        name: ObjectName,
        from: View,
        to: View,
    },
    /// An insert into a view gives a column another default.
    SetViewDefault {
        view: ObjectName,
        column: String,
        from: Option<Expression>,
        to: Option<Expression>,
    },

    /// A materialized view is added, with its indexes.
    CreateMaterializedView {
        name: ObjectName,
        to: MaterializedView,
    },
    /// A materialized view goes.
    DropMaterializedView {
        name: ObjectName,
        from: MaterializedView,
    },
    /// A materialized view has another query, other columns or options.
    AlterMaterializedView {
        name: ObjectName,
        from: MaterializedView,
        to: MaterializedView,
    },

    /// A property of a table, column or index is another, or as usual again.
    SetSetting {
        setting: Setting,
        from: Option<String>,
        to: Option<String>,
    },
    /// An owner is another, or privileges are, or default privileges.
    SetAccess {
        on: AccessOn,
        from: Access,
        to: Access,
    },

    /// A comment is another, or now there, or no longer.
    SetComment {
        on: CommentOn,
        from: Option<String>,
        to: Option<String>,
    },
}

/// The type of a column, and its collation where that is not the type's.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct ColumnType {
    /// The type.
    #[serde(rename = "type")]
    pub data_type: Type,
    /// The collation.
    pub collation: Option<ObjectName>,
}

impl ColumnType {
    /// That of a column.
    pub fn of(column: &Column) -> Self {
        ColumnType {
            data_type: column.data_type.clone(),
            collation: column.collation.clone(),
        }
    }
}
