//! The parts of a table in words.

use std::collections::BTreeMap;

use underpin::schema::{
    Action, Bound, Check, Conflict, Deferral, Exclusion, ForeignKey, Index, IndexKey, KeyOrder,
    KeyTarget, Match, PartitionBy, PartitionKey, PartitionStrategy, Policy, PolicyCommand,
    PrimaryKey, Sequence, TriggerState, Unique, plain,
};

pub(super) fn names(names: &[String]) -> String {
    let names: Vec<_> = names.iter().map(|name| plain(name)).collect();
    names.join(", ")
}

pub(super) fn primary_key(key: &PrimaryKey) -> String {
    let (name, columns) = (plain(&key.name), ordered(&key.columns, &key.orders));
    let (include, deferral) = (include(&key.include), deferral(key.deferral));
    format!(
        "{name} ({columns}){include}{deferral}{}{}",
        conflict(key.conflict),
        options(&key.options)
    )
}

pub(super) fn unique(name: &str, of: &Unique) -> String {
    let nulls = nulls(of.nulls_not_distinct);
    let (name, columns) = (plain(name), ordered(&of.columns, &of.orders));
    let (include, deferral) = (include(&of.include), deferral(of.deferral));
    format!(
        "{name} ({columns}){include}{nulls}{deferral}{}{}",
        conflict(of.conflict),
        options(&of.options)
    )
}

pub(super) fn check(name: &str, of: &Check) -> String {
    let (no_inherit, not_valid) = (when(of.no_inherit, " no inherit"), not_valid(of.not_valid));
    format!("{}: {}{no_inherit}{not_valid}", plain(name), of.expression)
}

pub(super) fn foreign_key(name: &str, of: &ForeignKey) -> String {
    format!(
        "{} ({}) → {} ({}){}",
        plain(name),
        names(&of.columns),
        of.references,
        names(&of.referenced_columns),
        manner(of)
    )
}

/// Beyond what a foreign key is about, how it acts.
pub(super) fn manner(of: &ForeignKey) -> String {
    let act = |when: &str, action: Action| match action {
        Action::NoAction => String::new(),
        Action::Restrict => format!(" on {when} restrict"),
        Action::Cascade => format!(" on {when} cascade"),
        Action::SetNull => format!(" on {when} set null"),
        Action::SetDefault => format!(" on {when} set default"),
    };
    let only = match &of.on_delete_columns[..] {
        [] => String::new(),
        columns => format!(" ({})", names(columns)),
    };
    format!(
        "{}{}{only}{}{}{}",
        act("update", of.on_update),
        act("delete", of.on_delete),
        when(of.matching == Match::Full, " match full"),
        deferral(of.deferral),
        not_valid(of.not_valid)
    )
}

pub(super) fn exclusion(name: &str, of: &Exclusion) -> String {
    let elements = of.elements.iter().map(|element| {
        let operator = &element.operator.name;
        format!("{} with {operator}", key(&element.key))
    });
    format!(
        "{} {} ({}){}{}{}{}",
        plain(name),
        of.method,
        elements.collect::<Vec<_>>().join(", "),
        include(&of.include),
        predicate(of.predicate.as_ref()),
        deferral(of.deferral),
        options(&of.options)
    )
}

pub(super) fn index(name: &str, of: &Index) -> String {
    let keys: Vec<String> = of.keys.iter().map(key).collect();
    format!(
        "{}{} {} ({}){}{}{}{}{}",
        plain(name),
        when(of.unique, " unique"),
        of.method,
        keys.join(", "),
        include(&of.include),
        nulls(of.nulls_not_distinct),
        predicate(of.predicate.as_ref()),
        options(&of.options),
        when(!of.valid, ", not valid: no query uses it")
    )
}

fn key(key: &IndexKey) -> String {
    let collation = key.collation.as_ref();
    let collation = collation.map_or(String::new(), |name| {
        format!(" collate {}", plain(&name.name))
    });
    let class = key.operator_class.as_ref();
    let class = class.map_or(String::new(), |class| {
        format!(" {}{}", plain(&class.name.name), parameters(&class.options))
    });
    let nulls = match (key.descending, key.nulls_first) {
        (false, true) => " nulls first",
        (true, false) => " nulls last",
        _ => "",
    };
    format!(
        "{}{collation}{class}{}{nulls}",
        target(&key.target),
        when(key.descending, " desc")
    )
}

fn target(target: &KeyTarget) -> String {
    match target {
        KeyTarget::Column(name) => plain(name).into_owned(),
        KeyTarget::Expression(text) => format!("({text})"),
    }
}

/// What a table is split by.
pub(super) fn partition_by(by: &PartitionBy) -> String {
    let strategy = match by.strategy {
        PartitionStrategy::Range => "range",
        PartitionStrategy::List => "list",
        PartitionStrategy::Hash => "hash",
    };
    let key = |key: &PartitionKey| target(&key.target);
    let keys: Vec<String> = by.keys.iter().map(key).collect();
    format!("{strategy} ({})", keys.join(", "))
}

pub(super) fn bound(bound: &Bound) -> &str {
    match bound {
        Bound::Default => "default",
        Bound::Values(values) => values.as_str(),
    }
}

pub(super) fn policy(name: &str, of: &Policy) -> String {
    let command = match of.command {
        PolicyCommand::All => "",
        PolicyCommand::Select => " for select",
        PolicyCommand::Insert => " for insert",
        PolicyCommand::Update => " for update",
        PolicyCommand::Delete => " for delete",
    };
    let roles = match &of.roles[..] {
        [] => String::new(),
        roles => format!(" to {}", names(roles)),
    };
    let using = of.using.as_ref();
    let using = using.map_or(String::new(), |text| format!(" using ({text})"));
    let check = of.check.as_ref();
    let check = check.map_or(String::new(), |text| format!(" with check ({text})"));
    format!(
        "{}{}{command}{roles}{using}{check}",
        plain(name),
        when(!of.permissive, " restrictive")
    )
}

pub(super) fn trigger_state(state: TriggerState) -> &'static str {
    match state {
        TriggerState::Enabled => "",
        TriggerState::Disabled => " (disabled)",
        TriggerState::Replica => " (only on a replica)",
        TriggerState::Always => " (also on a replica)",
    }
}

pub(super) fn sequence(of: &Sequence) -> String {
    let options = &of.options;
    format!(
        "{} from {} by {}, {} to {}, cache {}{}",
        options.data_type,
        options.start,
        options.increment,
        options.min,
        options.max,
        options.cache,
        when(options.cycle, ", begins again at its end")
    )
}

pub(super) fn parameters(options: &BTreeMap<String, String>) -> String {
    let each: Vec<String> = options
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    match each.is_empty() {
        true => String::new(),
        false => format!(" ({})", each.join(", ")),
    }
}

fn options(options: &BTreeMap<String, String>) -> String {
    match options.is_empty() {
        true => String::new(),
        false => format!(" with{}", parameters(options)),
    }
}

fn ordered(columns: &[String], orders: &BTreeMap<String, KeyOrder>) -> String {
    let each = columns.iter().map(|column| {
        let Some(order) = orders.get(column) else {
            return plain(column).into_owned();
        };
        let collation = order.collation.as_ref();
        let collation = collation.map_or(String::new(), |name| {
            format!(" collate {}", plain(&name.name))
        });
        format!(
            "{}{collation}{}",
            plain(column),
            when(order.descending, " desc")
        )
    });
    each.collect::<Vec<_>>().join(", ")
}

fn include(columns: &[String]) -> String {
    match columns {
        [] => String::new(),
        columns => format!(" include ({})", names(columns)),
    }
}

fn predicate(text: Option<&underpin::schema::Expression>) -> String {
    text.map_or(String::new(), |text| format!(" where {text}"))
}

fn deferral(deferral: Deferral) -> &'static str {
    match deferral {
        Deferral::NotDeferrable => "",
        Deferral::InitiallyImmediate => " deferrable",
        Deferral::InitiallyDeferred => " deferrable initially deferred",
    }
}

fn conflict(conflict: Conflict) -> &'static str {
    match conflict {
        Conflict::Abort => "",
        Conflict::Rollback => " on conflict rollback",
        Conflict::Fail => " on conflict fail",
        Conflict::Ignore => " on conflict ignore",
        Conflict::Replace => " on conflict replace",
    }
}

fn nulls(not_distinct: bool) -> &'static str {
    when(not_distinct, " nulls not distinct")
}

fn not_valid(not_valid: bool) -> &'static str {
    when(not_valid, ", not validated: old rows were never checked")
}

fn when(so: bool, text: &'static str) -> &'static str {
    if so { text } else { "" }
}
