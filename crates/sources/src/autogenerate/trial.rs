//! A revision that was written is tried before anybody else runs it.

use underpin_config::Config;
use underpin_core::{Class, Error, Result};
use underpin_migrate::{Migrator, OpenDatabase, Revision, Script};
use underpin_schema::{Hints, Schema};

use super::Comparison;
use crate::selected::selected;
use crate::{introspect, selection, settle};

impl<D: OpenDatabase> Comparison<D> {
    /// Applies these revisions, which were [written](super::written) of it, to the scratch
    /// database, looks whether they lead to the wanted schema, undoes them as far as they can be
    /// undone, and looks whether that leads back. The migrator is the one that was compared.
    ///
    /// # Errors
    /// Where a statement fails, which is named, or the revisions lead elsewhere.
    ///
    /// # Cancel safety
    /// Dropped half-way, some of the revisions may be applied to the scratch database.
    pub async fn try_out(&self, migrator: &Migrator<D>, revisions: &[Revision]) -> Result<()> {
        let migrator = self.scratch.replay(migrator);
        let migrator = migrator.revisions(revisions.iter().cloned());
        let mut way = vec![self.made.clone()];
        for revision in revisions {
            let ran = migrator.up(revision.id.as_str()).await;
            ran.map_err(|error| {
                error.with_context(
                    "No file was written because the new revision failed when it was tried in a \
                     scratch database.",
                )
            })?;
            way.push(self.read().await?);
        }
        let end = way.last().unwrap_or(&self.made);
        let config = migrator.config();
        self.is_where(end, &self.wanted, "lead to the wanted schema", &config)
            .await?;
        for (revision, before) in revisions.iter().zip(&way).rev() {
            if matches!(revision.down, Script::Irreversible { .. }) {
                break;
            }
            let target = format!("{}@-1", revision.id);
            let ran = migrator.down(&target).await;
            ran.map_err(|error| {
                error.with_context(
                    "No file was written because the way down failed when it was tried in a \
                     scratch database.",
                )
            })?;
            let now = self.read().await?;
            self.is_where(&now, before, "lead back", &config).await?;
        }
        Ok(())
    }

    async fn read(&self) -> Result<Schema> {
        let database = self.scratch.database();
        match &self.target {
            None => {
                let made = introspect(database, &selection()).await?;
                Ok(selected(made, &self.selection))
            }
            Some(target) => {
                let made = target.counterpart(database, &self.selection).await?;
                Ok(made.schema)
            }
        }
    }

    async fn is_where(
        &self,
        now: &Schema,
        goal: &Schema,
        what: &str,
        config: &Config,
    ) -> Result<()> {
        let mut hints = Hints::default();
        settle::<D>(now, goal, &mut hints, config).await?;
        let left = (self.dialect.diff)(now, goal, &hints).changes;
        let mut left = left.iter();
        let Some(first) = left.next() else {
            return Ok(());
        };
        let left: Vec<String> = left.map(|change| format!("; {change}")).collect();
        Err(Error::new(
            Class::Unsupported,
            format!(
                "No file was written because on {} it would not {what}. These differences would \
                 remain: {first}{}.",
                self.engine,
                left.concat()
            ),
        )
        .with_hint("Write the revision by hand. This is a defect of Underpin."))
    }
}
