//! The views and triggers that go and come.

use std::collections::{BTreeMap, BTreeSet};

use underpin_core::Result;

use super::renames::Renames;
use super::steps::{Steps, catalog};
use crate::object_name::plain;
use crate::plan::Undo;
use crate::sqlite::ddl;
use crate::sqlite::dump::views_in_order;
use crate::sqlite::parse::names_in;
use crate::{Change, CommentOn, ObjectName, Schema, Trigger, View};

/// A trigger by the table or view that it is on, and its name.
type TriggerName<'s> = (&'s ObjectName, &'s String);

/// The views and triggers that go, as they were, and those that come.
pub(super) struct Dependents<'s> {
    gone_triggers: BTreeMap<TriggerName<'s>, &'s Trigger>,
    gone_views: BTreeMap<ObjectName, View>,
    new_views: BTreeMap<ObjectName, View>,
    new_triggers: BTreeMap<TriggerName<'s>, &'s Trigger>,
    /// The names that renamed tables had.
    old_names: BTreeMap<ObjectName, ObjectName>,
}

impl<'s> Dependents<'s> {
    /// Those that change, and those that name what is `touched`: they are dropped before it is
    /// and created again after that.
    pub(super) fn of(
        from: &'s Schema,
        base: &'s Schema,
        to: &'s Schema,
        changes: &'s [Change],
        renames: &Renames,
        touched: &BTreeSet<String>,
    ) -> Self {
        let changed = Changed::of(changes);
        let mut mentions = Mentions::of(touched);
        let mut gone_views: BTreeMap<ObjectName, View> = BTreeMap::new();
        loop {
            let more: Vec<_> = from
                .views
                .iter()
                .filter(|(name, _)| !gone_views.contains_key(*name))
                .filter(|(name, view)| {
                    !to.views.contains_key(*name)
                        || changed.views.contains(name)
                        || mentions.within(view.definition.as_str())
                })
                .collect();
            if more.is_empty() {
                break;
            }
            for (name, view) in more {
                mentions.add(name);
                gone_views.insert(name.clone(), view.clone());
            }
        }
        let stays = |name: &ObjectName| !gone_views.contains_key(name);
        let new_views = to.views.iter();
        let new_views =
            new_views.filter(|(name, _)| !from.views.contains_key(*name) || !stays(name));
        let new_views: BTreeMap<ObjectName, View> = new_views
            .map(|(name, view)| (name.clone(), view.clone()))
            .collect();
        let dropped = |owner: &ObjectName| {
            let new = renames.new_table(owner);
            base.tables.contains_key(&new) && !to.tables.contains_key(&new)
        };
        let gone_triggers = triggers(from).filter(|((owner, name), trigger)| {
            let new = renames.new_table(owner);
            let other = find(to, &new, name).is_none() || changed.triggers.contains(&(&new, *name));
            let named = mentions.within(trigger.definition.as_str());
            named || gone_views.contains_key(*owner) || other && !dropped(owner)
        });
        let gone_triggers: BTreeMap<_, _> = gone_triggers.collect();
        let old_names: BTreeMap<ObjectName, ObjectName> = to
            .tables
            .keys()
            .map(|name| (name.clone(), renames.old_table(name)))
            .filter(|(new, old)| new != old)
            .collect();
        let new_triggers = triggers(to).filter(|((owner, name), _)| {
            let old = old_names.get(*owner).unwrap_or(owner);
            find(from, old, name).is_none()
                || gone_triggers.contains_key(&(old, *name))
                || new_views.contains_key(*owner)
        });
        Dependents {
            new_triggers: new_triggers.collect(),
            gone_triggers,
            gone_views,
            new_views,
            old_names,
        }
    }

    /// The triggers of a table, as it is called after the renames, that go or come by
    /// themselves.
    pub(super) fn triggers_of(&self, table: &ObjectName) -> BTreeSet<&'s String> {
        let old = self.old_names.get(table).unwrap_or(table);
        let gone = self.gone_triggers.keys().filter(|(owner, _)| *owner == old);
        let new = self
            .new_triggers
            .keys()
            .filter(|(owner, _)| *owner == table);
        gone.chain(new).map(|(_, name)| *name).collect()
    }

    pub(super) fn drop_all(&self, steps: &mut Steps) -> Result<()> {
        for ((owner, name), trigger) in &self.gone_triggers {
            let (sql, undo) = (
                ddl::trigger::drop(name)?,
                ddl::trigger::create(name, trigger)?,
            );
            let comment = format!("Drop trigger {} of {owner}", plain(name));
            steps.push(comment, sql, Undo::sql(undo), catalog());
        }
        for name in views_in_order(&self.gone_views).into_iter().rev() {
            let undo = ddl::view::create(name, &self.gone_views[name])?;
            let (sql, comment) = (ddl::view::drop(name)?, format!("Drop view {name}"));
            steps.push(comment, sql, Undo::sql(undo), catalog());
        }
        Ok(())
    }

    pub(super) fn create_all(&self, steps: &mut Steps) -> Result<()> {
        for name in views_in_order(&self.new_views) {
            let sql = ddl::view::create(name, &self.new_views[name])?;
            let (undo, comment) = (ddl::view::drop(name)?, format!("Create view {name}"));
            steps.push(comment, sql, Undo::sql(undo), catalog());
        }
        for ((owner, name), trigger) in &self.new_triggers {
            let sql = ddl::trigger::create(name, trigger)?;
            let undo = ddl::trigger::drop(name)?;
            let comment = format!("Create trigger {} of {owner}", plain(name));
            steps.push(comment, sql, Undo::sql(undo), catalog());
        }
        Ok(())
    }
}

/// The views and triggers that are themselves changed.
struct Changed<'s> {
    views: BTreeSet<&'s ObjectName>,
    triggers: BTreeSet<TriggerName<'s>>,
}

impl<'s> Changed<'s> {
    fn of(changes: &'s [Change]) -> Self {
        let mut changed = Changed {
            views: BTreeSet::new(),
            triggers: BTreeSet::new(),
        };
        for change in changes {
            match change {
                Change::AlterView { name, .. }
                | Change::SetViewDefault { view: name, .. }
                | Change::SetComment {
                    on: CommentOn::View(name) | CommentOn::Column(name, _),
                    ..
                } => {
                    changed.views.insert(name);
                }
                Change::AlterTrigger { table, name, .. }
                | Change::SetComment {
                    on: CommentOn::Trigger(table, name),
                    ..
                } => {
                    changed.triggers.insert((table, name));
                }
                _ => {}
            }
        }
        changed
    }
}

/// The names that what depends on them must not outlive: none, where nothing is touched.
struct Mentions {
    names: BTreeSet<String>,
}

impl Mentions {
    fn of(touched: &BTreeSet<String>) -> Self {
        Mentions {
            names: touched.clone(),
        }
    }

    fn add(&mut self, name: &ObjectName) {
        if !self.names.is_empty() {
            self.names.insert(name.name.to_ascii_lowercase());
        }
    }

    fn within(&self, sql: &str) -> bool {
        !self.names.is_empty() && !names_in(sql).is_disjoint(&self.names)
    }
}

fn triggers(schema: &Schema) -> impl Iterator<Item = (TriggerName<'_>, &Trigger)> {
    let of_tables = schema.tables.iter().map(|(name, of)| (name, &of.triggers));
    let of_views = schema.views.iter().map(|(name, of)| (name, &of.triggers));
    let all = of_tables.chain(of_views);
    all.flat_map(|(owner, triggers)| {
        let triggers = triggers.iter();
        triggers.map(move |(name, trigger)| ((owner, name), trigger))
    })
}

fn find<'s>(schema: &'s Schema, owner: &ObjectName, name: &str) -> Option<&'s Trigger> {
    let table = schema.tables.get(owner).map(|table| &table.triggers);
    let triggers = table.or_else(|| schema.views.get(owner).map(|view| &view.triggers));
    triggers.and_then(|triggers| triggers.get(name))
}
