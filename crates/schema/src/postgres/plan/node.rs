use std::fmt;

use crate::object_name::plain;
use crate::{DefinedName, FunctionName, ObjectName, ObjectRef};

/// The subject of a step: an object, or a part of one that can be created and dropped by itself.
/// The order of the variants is that in which things are made where nothing else decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Node<O = ObjectName, S = String, F = FunctionName, D = DefinedName> {
    Namespace(S),
    Extension(S),
    Enum(O),
    Domain(O),
    DomainDefault(O),
    DomainNotNull(O),
    DomainCheck(O, S),
    /// What is carried as the statements that make it.
    Defined(D),
    Sequence(O),
    Function(F),
    Table(O),
    /// Its parents, except for partitions.
    Inheritance(O),
    /// Whether it outlives a crash.
    Persistence(O),
    TableOptions(O),
    Column(O, S),
    /// The settings of a table's column for the planner.
    ColumnOptions(O, S),
    NotNull(O, S),
    Identity(O, S),
    Default(O, S),
    /// The column that owns a sequence.
    Owner(O),
    Check(O, S),
    /// A primary key, unique or exclusion constraint.
    Key(O, S),
    /// An index of a table or materialized view.
    Index(O, S),
    View(O),
    MaterializedView(O),
    ForeignKey(O, S),
    /// That a table is a partition.
    Attachment(O),
    Trigger(O, S),
    Policy(O, S),
    RowSecurity(O),
}

/// One by the names in a schema: a graph of all its parts has each many times.
pub(super) type NodeRef<'s> = Node<&'s ObjectName, &'s String, &'s FunctionName, &'s DefinedName>;

/// The same node, with something done to each of its names.
macro_rules! each {
    ($node:expr, $name:ident => $then:expr) => {
        each!(@ $node, $name, $then,
            [Namespace Extension Enum Domain DomainDefault DomainNotNull Defined Sequence Function Table Inheritance Persistence TableOptions Owner View MaterializedView Attachment RowSecurity],
            [DomainCheck Column ColumnOptions NotNull Identity Default Check Key Index ForeignKey Trigger Policy])
    };
    (@ $node:expr, $name:ident, $then:expr, [$($one:ident)*], [$($two:ident)*]) => {
        match $node {
            $(Node::$one($name) => Node::$one($then),)*
            $(Node::$two(of, name) => Node::$two(
                { let $name = of; $then },
                { let $name = name; $then },
            ),)*
        }
    };
}

impl Node {
    pub(super) fn by_ref(&self) -> NodeRef<'_> {
        each!(self, name => name)
    }
}

impl NodeRef<'_> {
    pub(super) fn cloned(self) -> Node {
        each!(self, name => name.clone())
    }
}

impl<O: Clone, S: Clone, F, D> Node<O, S, F, D> {
    /// The table, view or domain that it is a part of.
    pub(super) fn owner(&self) -> Option<&O> {
        match self {
            Node::DomainDefault(of)
            | Node::DomainNotNull(of)
            | Node::DomainCheck(of, _)
            | Node::Inheritance(of)
            | Node::Persistence(of)
            | Node::TableOptions(of)
            | Node::Column(of, _)
            | Node::ColumnOptions(of, _)
            | Node::NotNull(of, _)
            | Node::Identity(of, _)
            | Node::Default(of, _)
            | Node::Check(of, _)
            | Node::Key(of, _)
            | Node::Index(of, _)
            | Node::ForeignKey(of, _)
            | Node::Attachment(of)
            | Node::Trigger(of, _)
            | Node::Policy(of, _)
            | Node::RowSecurity(of) => Some(of),
            _ => None,
        }
    }

    /// The object that it is, or is a part of, may be: a part's owner is of one of several
    /// kinds, and no two have one name.
    pub(super) fn wholes(&self) -> Vec<Self> {
        match self {
            Node::DomainDefault(of) | Node::DomainNotNull(of) | Node::DomainCheck(of, _) => {
                vec![Node::Domain(of.clone())]
            }
            Node::Index(of, _) => {
                vec![Node::Table(of.clone()), Node::MaterializedView(of.clone())]
            }
            Node::Trigger(of, _) => vec![Node::Table(of.clone()), Node::View(of.clone())],
            other => other
                .owner()
                .map(|of| Node::Table(of.clone()))
                .into_iter()
                .collect(),
        }
    }

    /// The column that it is a property of.
    pub(super) fn column(&self) -> Option<Self> {
        match self {
            Node::ColumnOptions(table, column)
            | Node::NotNull(table, column)
            | Node::Identity(table, column)
            | Node::Default(table, column) => Some(Node::Column(table.clone(), column.clone())),
            _ => None,
        }
    }

    /// Whether both are the same kind of part, of which one takes up the other: that of a table
    /// those of its partitions.
    pub(super) fn takes_up(&self, other: &Self) -> bool {
        matches!(
            (self, other),
            (Node::Key(..), Node::Key(..))
                | (Node::Index(..), Node::Index(..))
                | (Node::ForeignKey(..), Node::ForeignKey(..))
        )
    }
}

impl Node {
    /// The object, where it is one that a schema can refer to.
    pub(super) fn object(&self) -> Option<ObjectRef> {
        Some(match self {
            Node::Namespace(name) => ObjectRef::Namespace(name.clone()),
            Node::Extension(name) => ObjectRef::Extension(name.clone()),
            Node::Enum(name) => ObjectRef::Enum(name.clone()),
            Node::Domain(name) => ObjectRef::Domain(name.clone()),
            Node::Defined(name) => ObjectRef::Defined(name.clone()),
            Node::Sequence(name) => ObjectRef::Sequence(name.clone()),
            Node::Function(name) => ObjectRef::Function(name.clone()),
            Node::Table(name) => ObjectRef::Table(name.clone()),
            Node::View(name) => ObjectRef::View(name.clone()),
            Node::MaterializedView(name) => ObjectRef::MaterializedView(name.clone()),
            _ => return None,
        })
    }
}

impl<'s> From<&'s ObjectRef> for NodeRef<'s> {
    fn from(object: &'s ObjectRef) -> Self {
        match object {
            ObjectRef::Namespace(name) => Node::Namespace(name),
            ObjectRef::Extension(name) => Node::Extension(name),
            ObjectRef::Enum(name) => Node::Enum(name),
            ObjectRef::Domain(name) => Node::Domain(name),
            ObjectRef::Defined(name) => Node::Defined(name),
            ObjectRef::Sequence(name) => Node::Sequence(name),
            ObjectRef::Function(name) => Node::Function(name),
            ObjectRef::Table(name) => Node::Table(name),
            ObjectRef::View(name) => Node::View(name),
            ObjectRef::MaterializedView(name) => Node::MaterializedView(name),
        }
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(object) = self.object() {
            return write!(f, "{object}");
        }
        let mut part =
            |what: &str, of: &ObjectName, name: &str| write!(f, "{what} {} of {of}", plain(name));
        match self {
            Node::DomainCheck(of, name) | Node::Check(of, name) => part("check", of, name),
            Node::Column(of, name) => write!(f, "column {of}.{}", plain(name)),
            Node::ColumnOptions(of, name) => write!(f, "options of {of}.{}", plain(name)),
            Node::NotNull(of, name) => write!(f, "NOT NULL of {of}.{}", plain(name)),
            Node::Identity(of, name) => write!(f, "identity of {of}.{}", plain(name)),
            Node::Default(of, name) => write!(f, "default of {of}.{}", plain(name)),
            Node::Key(of, name) => part("constraint", of, name),
            Node::Index(of, name) => part("index", of, name),
            Node::ForeignKey(of, name) => part("foreign key", of, name),
            Node::Trigger(of, name) => part("trigger", of, name),
            Node::Policy(of, name) => part("policy", of, name),
            Node::Owner(of) => write!(f, "owner of sequence {of}"),
            Node::Attachment(of) => write!(f, "partition {of}"),
            other => match other.owner() {
                Some(of) => write!(f, "{of}"),
                None => Ok(()),
            },
        }
    }
}
